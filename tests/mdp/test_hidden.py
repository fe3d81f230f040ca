"""Chains that are seen through a sensor: the filter against sums over all hidden paths."""

import dataclasses
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rlkit.mdp import HMM, filter_step, forward_filter, random_policy, stationary, under_policy
from rlkit.mdp.worlds import mitchell


def random_hmm(rng, S, Z, sparse=True):
    """A model in which about a third of all probabilities are 0, but every observation is possible somewhere."""
    P, sensor = rng.dirichlet(np.ones(S), size=S), rng.dirichlet(np.ones(Z), size=S)
    if sparse:
        P = P * (rng.random(P.shape) < 0.7) + np.eye(S) * 0.01
        sensor = sensor * (rng.random(sensor.shape) < 0.7) + np.full((S, Z), 0.01) * (np.arange(S) == 0)[:, None] + 1e-3
    return HMM(P / P.sum(1, keepdims=True), sensor / sensor.sum(1, keepdims=True), rng.dirichlet(np.ones(S)))


def over_all_paths(hmm, seen):
    """Return the belief after the observations, and their probability: a sum over every hidden path."""
    weight = np.zeros(hmm.n_states)
    for path in product(range(hmm.n_states), repeat=len(seen) + 1):
        p = hmm.start[path[0]]
        for s, s_next, o in zip(path[:-1], path[1:], seen, strict=True):
            p *= hmm.P[s, s_next] * hmm.O[s_next, o]
        weight[path[-1]] += p
    return weight / weight.sum(), weight.sum()


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 4), st.integers(1, 3), st.integers(1, 4), st.booleans())
def test_the_filter_is_the_sum_over_all_paths(seed, S, Z, steps, sparse):
    rng = np.random.default_rng(seed)
    hmm = random_hmm(rng, S, Z, sparse)
    seen = rng.integers(Z, size=steps)
    *_, (b, _) = run = list(forward_filter(hmm, seen))
    exact, probability = over_all_paths(hmm, seen)
    np.testing.assert_allclose(b, exact, atol=1e-12)
    np.testing.assert_allclose(np.prod([p for _, p in run]), probability, rtol=1e-12)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 5), st.integers(1, 4))
def test_beliefs_are_right_on_average(seed, S, Z):
    """The mean of the next belief, over the observations, is the prediction; their probabilities sum to 1."""
    hmm = random_hmm(np.random.default_rng(seed), S, Z)
    steps = [filter_step(hmm, hmm.start, o) for o in range(Z)]
    np.testing.assert_allclose(sum(p for _, p in steps), 1, atol=1e-12)
    np.testing.assert_allclose(sum(p * b for b, p in steps), hmm.start @ hmm.P, atol=1e-12)


def test_umbrellas():
    """Russell and Norvig (2021), section 14.2.1: rain after one umbrella 0.818, after two 0.883."""
    umbrella = HMM([[0.7, 0.3], [0.3, 0.7]], [[0.9, 0.1], [0.2, 0.8]])
    one, two = (b[0] for b, _ in forward_filter(umbrella, [0, 0]))
    assert one == pytest.approx(9 / 11)
    assert two == pytest.approx(0.883, abs=5e-4)


def test_the_filter_begins_where_it_is_told():
    hmm = random_hmm(np.random.default_rng(5), 3, 2)
    (first, _), (second, _) = forward_filter(hmm, [0, 1])
    ((again, _),) = forward_filter(hmm, [1], first)
    assert (again == second).all()


# -- the stationary distribution -----------------------------------------------------------------------------------


def test_two_states_by_hand():
    np.testing.assert_allclose(stationary([[0.9, 0.1], [0.5, 0.5]]), [5 / 6, 1 / 6], atol=1e-12)


def test_a_walker_on_a_graph_is_where_the_edges_are():
    """At random among the neighbours: the share of a cell is its degree over the sum of all (here 2, 3, 2, 2, 3, 2)."""
    near = [[1, 3], [0, 2, 4], [1, 5], [0, 4], [1, 3, 5], [2, 4]]
    P = np.array([[(t in near[s]) / len(near[s]) for t in range(6)] for s in range(6)])
    np.testing.assert_allclose(stationary(P), np.array([2, 3, 2, 2, 3, 2]) / 14, atol=1e-12)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 8))
def test_it_stays_and_long_runs_go_there(seed, S):
    P = np.random.default_rng(seed).dirichlet(np.ones(S), size=S)
    p = stationary(P)
    np.testing.assert_allclose(p @ P, p, atol=1e-12)
    np.testing.assert_allclose(np.linalg.matrix_power(P, 4096)[0], p, atol=1e-8)


def test_what_the_chain_leaves_for_good_counts_nothing():
    np.testing.assert_allclose(stationary([[0.5, 0.5, 0], [0, 0.2, 0.8], [0, 0.6, 0.4]]), [0, 3 / 7, 4 / 7], atol=1e-12)
    walk, _ = under_policy(mitchell(), random_policy(mitchell()))
    np.testing.assert_allclose(stationary(walk), [0, 0, 1, 0, 0, 0], atol=1e-12)  # the goal keeps whoever comes


# -- the door ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("P", "message"),
    [
        (np.eye(2), "P never leads from state 0 to state 1 or back"),
        ([[0.5, 0.4], [0, 1]], r"P\[0\] sums to 0.9"),
        ([0.5, 0.5], r"P has shape \(2,\), but \[S, S\] was expected"),
    ],
)
def test_chains_that_are_refused(P, message):
    with pytest.raises(ValueError, match=message):
        stationary(P)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"P": [[1.0, 0.0]]}, r"P has shape \(1, 2\), but \[S, S\] was expected"),
        ({"P": [[0.5, 0.6], [0, 1]]}, r"P\[0\] sums to 1.1"),
        ({"O": [[1.0]]}, r"O has shape \(1, 1\), but \[2, observations\] was expected"),
        ({"O": [[1.2, -0.2], [0, 1]]}, r"O\[0, 1\] is -0.2"),
        ({"start": [0.5, 0.4]}, "start sums to 0.9"),
        ({"start": [1.0]}, r"start has shape \(1,\)"),
        ({"states": ("one",)}, "states has 1 names, but there are 2"),
    ],
)
def test_models_that_are_refused(change, message):
    with pytest.raises(ValueError, match=message):
        HMM(**{"P": np.eye(2), "O": np.eye(2)} | change)


def test_steps_that_are_refused():
    hmm = HMM(np.eye(2), np.eye(2))
    with pytest.raises(ValueError, match="observation 1 has probability 0 under this belief"):
        filter_step(hmm, [1, 0], 1)
    with pytest.raises(ValueError, match="o is 2, but there are only 2"):
        filter_step(hmm, [1, 0], 2)
    with pytest.raises(ValueError, match="b sums to 1.5"):
        filter_step(hmm, [1, 0.5], 0)


def test_a_model_is_frozen_and_owns_its_arrays():
    P = np.eye(2)
    hmm = HMM(P, np.eye(2))
    P[0, 0] = 7
    assert hmm.P[0, 0] == 1
    with pytest.raises(ValueError, match="read-only"):
        hmm.P[0, 0] = 7
    with pytest.raises(dataclasses.FrozenInstanceError):
        hmm.P = P
