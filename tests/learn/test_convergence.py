"""Convergence to chapter 1's exact solutions, and what is known about the way there."""

import dataclasses

import gymnasium
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rlkit.learn.tabular import (
    backward_q_learning,
    double_q_learning,
    dyna_q,
    expected_sarsa,
    prioritised_sweeping,
    q_learning,
    replay_q_learning,
    sarsa,
)
from rlkit.mdp import TabularMDP, evaluate_policy, from_gymnasium, q_from_v, solve
from rlkit.mdp.worlds import KINGS, minimum_time_to_goal, mitchell, two_chests, windy
from tests.learn.chance import allowed
from tests.learn.transcript import record
from tests.mdp.random_worlds import Recipe, random_world


def errors(learned, Q):
    """Return float[...], by how much tables float[..., S, A] miss Q at most, over the actions that exist."""
    exists = Q > -np.inf
    assert ((learned > -np.inf) == exists).all()
    return abs(learned[..., exists] - Q[exists]).max(axis=-1)


# -- deterministic worlds: exactly -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("learner", "copies", "episodes"),
    [
        (q_learning, 100, 200),
        (double_q_learning, 20, 300),
        (dyna_q, 20, 50),
        (replay_q_learning, 20, 50),
        (backward_q_learning, 20, 50),
    ],
    ids=lambda value: getattr(value, "__name__", str(value)),
)
def test_mitchell_exactly_for_every_seed(learner, copies, episodes):
    """All seeds, alpha = 1 and random actions; in 200 episodes each pair is taken some 50 times."""
    world = mitchell()
    learned = learner(world, alpha=1, explore=1.0, copies=copies, episodes=episodes, limit=50, seed=0)
    assert (errors(learned.Q, solve(world).Q) <= 1e-12).all()


def test_mitchell_exactly_by_prioritised_sweeping():
    Q = solve(mitchell()).Q
    for seed in range(20):
        learned, updates = prioritised_sweeping(
            mitchell(), threshold=1e-9, explore=1.0, episodes=15, seed=seed, planning=20
        )
        assert errors(learned.Q[0], Q) <= 1e-6
        assert updates < 200


@pytest.mark.parametrize("world", [minimum_time_to_goal(), two_chests()], ids=["minimum time", "two chests"])
def test_other_deterministic_worlds_exactly(world):
    learned = q_learning(world, alpha=1, explore=1.0, copies=20, steps=3000, seed=1)
    assert (errors(learned.Q, solve(world).Q) <= 1e-9).all()


def path(world, Q, most=50):
    """Return how many moves the greedy policy of Q needs from the start; None if more than ``most``."""
    s = int(world.start.argmax())
    for moves in range(1, most):
        s = int(world.P[s, Q[s].argmax()].argmax())
        if world.terminal[s]:
            return moves
    return None


@pytest.mark.parametrize(("moves", "shortest"), [(None, 15), (KINGS, 7), (KINGS | {"stay": (0, 0)}, 7)])
def test_windy_needs_fifteen_moves_and_seven_as_a_king(moves, shortest):
    """Q-learning, all of 10 seeds."""
    world = windy() if moves is None else windy(moves)
    learned = q_learning(world, alpha=0.5, explore=0.1, copies=10, steps=8000, seed=2)
    assert [path(world, Q) for Q in learned.Q] == [shortest] * 10


# -- worlds of chance ----------------------------------------------------------------------------------------------------


def test_slippery_frozen_lake():
    """40 copies from anywhere, alpha = n^-0.7: the mean error falls below 0.1, the mean table comes within 0.05.

    The copies' largest errors have mean 0.067 and standard deviation 0.02, so that 0.1 is 10 standard errors away.
    """
    world = from_gymnasium(gymnasium.make("FrozenLake-v1"), 0.95)
    anywhere = dataclasses.replace(world, start=None)
    learned = q_learning(
        anywhere, alpha=lambda n: n**-0.7, explore=1.0, copies=40, steps=16_000, keep_every=4_000, seed=3
    )
    Q = solve(world).Q
    error = errors(learned.history, Q).mean(axis=1)
    assert error[0] > 0.7
    assert (np.diff(error) < 0).all()
    assert error[-1] < 0.1
    assert errors(learned.Q.mean(axis=0), Q) < 0.05
    best = evaluate_policy(world, solve(world).policy) @ world.start
    values = [evaluate_policy(world, Q.argmax(axis=1)) @ world.start for Q in learned.Q]
    assert np.mean(values) > 0.95 * best


@pytest.mark.parametrize("tens", range(5))
def test_fifty_random_worlds(tens):
    """50 copies, alpha = n^-0.8: the mean misses by what is left of the beginning, 0.04, and by chance, 1e-6."""
    for seed in range(10 * tens, 10 * tens + 10):
        one_random_world(seed)


def one_random_world(seed):
    rng = np.random.default_rng(seed)
    recipe = Recipe(states=4, actions=2, gamma=0.5, ends=seed % 2, missing=0.2, rewards="transition", successors=3)
    world = random_world(recipe, rng)
    learned = q_learning(world, alpha=lambda n: n**-0.8, explore=1.0, copies=50, steps=500, seed=seed)
    Q = solve(world).Q
    use = world.available & ~world.terminal[:, None]
    tables = learned.Q[:, use]
    off, spread = abs(tables.mean(axis=0) - Q[use]), tables.std(axis=0, ddof=1) / np.sqrt(50)
    assert (off - 0.04 <= allowed(50 * use.sum(), 49) * spread).all()
    assert spread.max() < 0.1, "the test would see nothing"


@pytest.mark.parametrize("learner", [sarsa, expected_sarsa])
@pytest.mark.parametrize("seed", range(2))
def test_sarsa_learns_the_values_of_the_policy_that_explores(learner, seed):
    """With random actions that is the random policy: the mean misses by 0.04 of the beginning, and by chance, 1e-6."""
    world = random_world(
        Recipe(states=4, actions=2, gamma=0.5, ends=1, rewards="transition"), np.random.default_rng(seed)
    )
    learned = learner(world, alpha=lambda n: n**-0.8, explore=1.0, copies=100, steps=1500, seed=seed)
    Q = q_from_v(world, evaluate_policy(world, np.full((4, 2), 0.5)))
    use = ~world.terminal
    off = abs(learned.Q.mean(axis=0) - Q)[use]
    spread = learned.Q.std(axis=0, ddof=1)[use] / 10
    assert (off - 0.04 <= allowed(4 * use.sum() * 2, 99) * spread).all()
    assert off.max() < 0.5 * abs(Q - solve(world).Q)[use].max(), "Q* and Q^pi should differ by far more"


# -- what deterministic Q-learning is known to do ------------------------------------------------------------------------


@st.composite
def deterministic_worlds(draw, low=0):
    """Small deterministic worlds with rewards from ``low`` to 5; the last state may be terminal."""
    S, A = draw(st.integers(2, 5)), draw(st.integers(1, 3))
    to = draw(st.lists(st.integers(0, S - 1), min_size=S * A, max_size=S * A))
    R = np.reshape(draw(st.lists(st.integers(low, 5), min_size=S * A, max_size=S * A)), (S, A)).astype(float)
    P = np.eye(S)[to].reshape(S, A, S)
    ends = draw(st.booleans())
    if ends:
        P[-1], R[-1] = np.eye(S)[-1], 0
    return TabularMDP(P, R, draw(st.sampled_from([0.0, 0.5, 0.9])), terminal=[False] * (S - 1) + [ends])


@settings(max_examples=20)
@given(deterministic_worlds(), st.sampled_from([1, 0.3]), st.integers(0, 1000))
def test_with_rewards_of_at_least_zero_estimates_never_fall_and_never_exceed(world, alpha, seed):
    learned = q_learning(world, alpha=alpha, explore=0.7, steps=120, copies=3, limit=10, keep_every=1, seed=seed)
    assert (np.diff(learned.history, axis=0) >= -1e-12).all()
    assert (learned.history <= solve(world, tol=1e-12).Q + 1e-9).all()


def test_a_cost_breaks_both():
    """Every move costs 1: estimates begin above Q* = -10, and fall."""
    world = TabularMDP(np.ones((1, 1, 1)), [[-1.0]], 0.9)
    history = q_learning(world, alpha=1, steps=200, keep_every=1).history[:, 0, 0, 0]
    assert (history > -10).all()
    assert (np.diff(history[:50]) < 0).all()
    assert history[-1] == pytest.approx(-10, abs=1e-6)


@settings(max_examples=20)
@given(deterministic_worlds(low=-5), st.integers(0, 1000))
def test_the_largest_error_shrinks_by_gamma_whenever_all_pairs_were_taken(world, seed):
    """A sweep ends when each pair has been taken since the last one ended."""
    Q = solve(world, tol=1e-12).Q
    learned, transcript = record(q_learning, world, alpha=1, explore=1.0, steps=300, limit=5, keep_every=1, seed=seed)
    everything = {(s, a) for s in np.flatnonzero(~world.terminal) for a in range(world.n_actions)}
    error, missing, sweeps = abs(Q).max(), set(everything), 0
    for t, step in enumerate(transcript.copies()[0], start=1):
        missing.discard((step.s, step.a))
        if not missing:
            now = abs(learned.history[t, 0] - Q).max()
            assert now <= world.gamma * error + 1e-9
            error, missing, sweeps = now, set(everything), sweeps + 1
    assert sweeps >= 1
