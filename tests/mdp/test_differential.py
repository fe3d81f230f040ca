"""Two hundred random worlds of every kind: our four methods against each other and against quantecon's DiscreteDP."""

import numpy as np
import pytest
from quantecon.markov import DiscreteDP
from scipy import sparse

from rlkit.mdp import METHODS, evaluate_policy, solve
from tests.mdp.random_worlds import random_recipe, random_world

DISCOUNTS = (0.0, 0.3, 0.9, 0.95, 0.99)
SLOW = 0.999  # needs some 20,000 sweeps of value iteration, so that only every twentieth world has it
BATCHES, SIZE = 20, 10


def worlds(batch):
    rng = np.random.default_rng(1000 + batch)
    for k in range(SIZE):
        gamma = SLOW if k == 0 and batch % 2 else float(rng.choice(DISCOUNTS))
        yield random_world(random_recipe(rng, gamma, most_states=25), rng)


def quantecon_values(mdp):
    """Solve with quantecon's policy iteration, which lists the pairs (s, a) that exist."""
    s, a = np.nonzero(mdp.available)
    rows = sparse.csr_matrix(mdp.rows)[s * mdp.n_actions + a]
    problem = DiscreteDP(mdp.expected_reward[s, a], rows, mdp.gamma, s, a)
    result = problem.solve(method="policy_iteration")
    return result.v, result.sigma


@pytest.mark.parametrize("batch", range(BATCHES))
def test_agreement(batch):
    for k, mdp in enumerate(worlds(batch)):
        expected, sigma = quantecon_values(mdp)
        size = 1 + abs(expected).max()
        np.testing.assert_allclose(evaluate_policy(mdp, sigma), expected, rtol=0, atol=1e-11 * size)
        for method in METHODS:
            answer = solve(mdp, method, tol=1e-7)
            # The sweeps are allowed tol / 2, and all of them rounding.
            swept = method in ("value_iteration", "modified_policy_iteration")
            allowed = 5e-8 * swept + 1e-13 * size / (1 - mdp.gamma)
            name = f"world {k}: {method}, gamma {mdp.gamma}"
            np.testing.assert_allclose(answer.V, expected, rtol=0, atol=allowed, err_msg=name)
            np.testing.assert_allclose(evaluate_policy(mdp, answer.policy), expected, rtol=0, atol=1e-7, err_msg=name)


def test_the_worlds_are_of_every_kind():
    drawn = [mdp for batch in range(BATCHES) for mdp in worlds(batch)]
    assert len(drawn) == 200
    ties = 0
    for mdp in drawn:
        Q = solve(mdp, "policy_iteration").Q
        ties += ((abs(Q - Q.max(axis=1, keepdims=True)) < 1e-9).sum(axis=1) > 1)[~mdp.terminal].any()
    kinds = {
        "dense": sum(not sparse.issparse(mdp.P) for mdp in drawn),
        "sparse": sum(sparse.issparse(mdp.P) for mdp in drawn),
        "absorbing": sum(mdp.terminal.any() for mdp in drawn),
        "unavailable actions": sum(not mdp.available.all() for mdp in drawn),
        "reward of a transition": sum(mdp.R.shape != mdp.available.shape for mdp in drawn),
        "gamma 0": sum(mdp.gamma == 0 for mdp in drawn),
        "gamma 0.999": sum(mdp.gamma == SLOW for mdp in drawn),
        "ties": ties,
    }
    assert min(kinds.values()) >= 10, kinds
