"""Targets and exploration: what must hold for any numbers, by hypothesis, and a few worked by hand."""

import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from rlkit.learn.tabular import (
    boltzmann,
    count_bonus,
    double_target,
    epsilon_greedy,
    expected_sarsa_target,
    n_step_target,
    q_target,
    sarsa_target,
    td_target,
)

NONE = -np.inf
CLOSE = {"rtol": 1e-12, "atol": 1e-9}
SIZE = 1e3
numbers = st.floats(-SIZE, SIZE)
units = st.floats(0, 1)
shapes = st.tuples(st.integers(1, 4), st.integers(1, 5))  # copies, actions


def for_any(*strategies):
    return lambda test: settings(max_examples=25)(given(*strategies)(test))


@st.composite
def tables(draw, shape=None, missing=True):
    """float[K, A]: few different numbers, so that there are ties; some actions missing, never all of a row."""
    shape = draw(shapes) if shape is None else shape
    Q = draw(arrays(float, shape, elements=st.one_of(numbers, st.sampled_from([0.0, 1.0, 2.0]))))
    if missing:
        gone = draw(arrays(bool, shape))
        gone[np.arange(shape[0]), draw(arrays(int, shape[0], elements=st.integers(0, shape[1] - 1)))] = False
        Q[gone] = NONE
    return Q


@st.composite
def cases(draw):
    """Rewards, a table, which copies have terminated, a discount."""
    Q = draw(tables())
    K = len(Q)
    return draw(arrays(float, K, elements=numbers)), Q, draw(arrays(bool, K)), draw(units)


# -- targets by hand -------------------------------------------------------------------------------------------------

R = np.array([1.0, 2.0])
ROWS = np.array([[3.0, 5.0, NONE], [4.0, NONE, -8.0]])
GOES_ON = np.array([False, False])


def test_targets_by_hand():
    np.testing.assert_allclose(q_target(R, ROWS, GOES_ON, 0.5), [3.5, 4])
    np.testing.assert_allclose(q_target(R, ROWS, np.array([False, True]), 0.5), [3.5, 2])
    np.testing.assert_allclose(sarsa_target(R, ROWS, [0, 2], GOES_ON, 0.5), [2.5, -2])
    pi = np.array([[0.5, 0.5, 0], [0.75, 0, 0.25]])
    np.testing.assert_allclose(expected_sarsa_target(R, ROWS, pi, GOES_ON, 0.5), [3, 2.5])
    other = np.array([[10.0, 20.0, NONE], [30.0, NONE, 40.0]])
    np.testing.assert_allclose(double_target(R, ROWS, other, GOES_ON, 0.5), [11, 17])
    np.testing.assert_allclose(td_target(R, np.array([10.0, 20.0]), GOES_ON, 0.5), [6, 12])
    rewards = np.array([[1.0, 2.0, 4.0], [8.0, 16.0, 0.0]])
    np.testing.assert_allclose(n_step_target(rewards, np.array([8.0, 99]), np.array([False, True]), 0.5), [4, 16])


def test_a_single_row_will_do():
    assert q_target(1.0, ROWS[0], False, 0.5) == 3.5
    assert q_target(1.0, ROWS[0], True, 0.5) == 1
    assert sarsa_target(1.0, ROWS[0], 0, False, 0.5) == 2.5


# -- targets, for any numbers ----------------------------------------------------------------------------------------


@for_any(cases(), st.data())
def test_where_the_episode_ended_the_next_row_does_not_matter(case, data):
    r, Q, terminated, gamma = case
    other = np.where(terminated[:, None], data.draw(tables(Q.shape)), Q)
    np.testing.assert_array_equal(q_target(r, Q, terminated, gamma), q_target(r, other, terminated, gamma))
    np.testing.assert_array_equal(q_target(r, Q, terminated, gamma)[terminated], r[terminated])
    V, other_V = Q.max(axis=1), other.max(axis=1)
    np.testing.assert_array_equal(td_target(r, V, terminated, gamma), td_target(r, other_V, terminated, gamma))
    np.testing.assert_array_equal(td_target(r, V, terminated, gamma)[terminated], r[terminated])
    best = Q.argmax(axis=1)
    np.testing.assert_array_equal(sarsa_target(r, Q, best, terminated, gamma)[terminated], r[terminated])
    np.testing.assert_array_equal(double_target(r, Q, Q, terminated, gamma)[terminated], r[terminated])
    pi = epsilon_greedy(Q, 0.5)
    np.testing.assert_array_equal(expected_sarsa_target(r, Q, pi, terminated, gamma)[terminated], r[terminated])


@for_any(cases())
def test_the_one_step_target_is_the_bellman_equation(case):
    r, Q, terminated, gamma = case
    expected = [x if end else x + gamma * max(row) for x, row, end in zip(r, Q, terminated, strict=True)]
    np.testing.assert_allclose(q_target(r, Q, terminated, gamma), expected, **CLOSE)
    np.testing.assert_allclose(td_target(r, Q.max(axis=1), terminated, gamma), expected, **CLOSE)


@for_any(cases())
def test_sarsa_with_the_best_action_is_q_learning(case):
    r, Q, terminated, gamma = case
    np.testing.assert_array_equal(
        sarsa_target(r, Q, Q.argmax(axis=1), terminated, gamma), q_target(r, Q, terminated, gamma)
    )


@for_any(cases(), units)
def test_expected_sarsa_is_q_learning_when_greedy_and_a_mixture_otherwise(case, epsilon):
    r, Q, terminated, gamma = case
    best = q_target(r, Q, terminated, gamma)
    greedy = expected_sarsa_target(r, Q, epsilon_greedy(Q, 0), terminated, gamma)
    np.testing.assert_allclose(greedy, best, **CLOSE)
    mean = np.array([np.mean([q for q in row if q > NONE]) for row in Q])
    uniform = np.where(terminated, r, r + gamma * mean)
    mixed = expected_sarsa_target(r, Q, epsilon_greedy(Q, epsilon), terminated, gamma)
    np.testing.assert_allclose(mixed, (1 - epsilon) * best + epsilon * uniform, **CLOSE)


@for_any(cases(), st.data())
def test_expected_sarsa_is_the_mean_of_sarsa(case, data):
    r, Q, terminated, gamma = case
    pi = epsilon_greedy(data.draw(tables(Q.shape)), 0.3)
    pi = np.where(Q > NONE, pi, 0)
    assume((pi.sum(axis=1) > 0).all())
    pi /= pi.sum(axis=1, keepdims=True)
    mean = np.zeros(len(Q))
    for a in range(Q.shape[1]):
        taken = pi[:, a] > 0
        each = sarsa_target(r[taken], Q[taken], np.full(taken.sum(), a), terminated[taken], gamma)
        mean[taken] += pi[taken, a] * each
    np.testing.assert_allclose(expected_sarsa_target(r, Q, pi, terminated, gamma), mean, **CLOSE)


@for_any(cases(), st.data())
def test_double_q_takes_the_choice_from_one_table_and_its_worth_from_the_other(case, data):
    r, Q, terminated, gamma = case
    np.testing.assert_array_equal(double_target(r, Q, Q, terminated, gamma), q_target(r, Q, terminated, gamma))
    other = np.where(Q > NONE, data.draw(tables(Q.shape, missing=False)), NONE)
    worth = [row[list(mine).index(max(mine))] for mine, row in zip(Q, other, strict=True)]
    expected = np.where(terminated, r, r + gamma * np.array(worth))
    np.testing.assert_allclose(double_target(r, Q, other, terminated, gamma), expected, **CLOSE)


@for_any(cases())
def test_one_step_is_td(case):
    r, Q, terminated, gamma = case
    V = Q.max(axis=1)
    np.testing.assert_array_equal(
        n_step_target(r[:, None], V, terminated, gamma), td_target(r, V, terminated, gamma), strict=True
    )


@for_any(arrays(float, st.tuples(st.integers(1, 3), st.integers(2, 7)), elements=numbers), units, st.data())
def test_n_steps_are_one_step_and_then_n_minus_one(rewards, gamma, data):
    K = len(rewards)
    V, terminated = data.draw(arrays(float, K, elements=numbers)), data.draw(arrays(bool, K))
    later = n_step_target(rewards[:, 1:], V, terminated, gamma)
    expected = td_target(rewards[:, 0], later, np.zeros(K, bool), gamma)
    np.testing.assert_allclose(n_step_target(rewards, V, terminated, gamma), expected, **CLOSE)


# -- exploration -----------------------------------------------------------------------------------------------------


@for_any(tables(), units)
def test_epsilon_greedy(Q, epsilon):
    pi = epsilon_greedy(Q, epsilon)
    np.testing.assert_allclose(pi.sum(axis=1), 1, atol=1e-12)
    for row, p in zip(Q, pi, strict=True):
        exists, best = row > NONE, row == max(row)
        assert (p[~exists] == 0).all()
        np.testing.assert_allclose(p[exists & ~best], epsilon / exists.sum(), atol=1e-15)
        np.testing.assert_allclose(p[best], epsilon / exists.sum() + (1 - epsilon) / best.sum(), atol=1e-15)


def test_epsilon_greedy_by_hand():
    np.testing.assert_allclose(epsilon_greedy(np.array([1.0, 3, 3, NONE, 2]), 0.2), [0.05, 0.45, 0.45, 0, 0.05])


@for_any(tables(), st.data())
def test_epsilon_may_differ_from_copy_to_copy(Q, data):
    epsilon = data.draw(arrays(float, len(Q), elements=units))
    each = [epsilon_greedy(row, e) for row, e in zip(Q, epsilon, strict=True)]
    np.testing.assert_array_equal(epsilon_greedy(Q, epsilon), each)


@for_any(tables(), st.floats(0.1, 100))
def test_boltzmann(Q, temperature):
    pi = boltzmann(Q, temperature)
    np.testing.assert_allclose(pi.sum(axis=1), 1, atol=1e-12)
    for row, p in zip(Q, pi, strict=True):
        assert (p[row == NONE] == 0).all()
        for a, b in np.ndindex(len(row), len(row)):
            if p[a] > 1e-250 and p[b] > 1e-250:
                assert np.log(p[a] / p[b]) == pytest.approx((row[a] - row[b]) / temperature, abs=1e-9, rel=1e-9)
            elif row[a] > row[b]:
                assert p[a] >= p[b]


@for_any(tables(), st.floats(0.1, 100), st.integers(-1000, 1000))
def test_boltzmann_does_not_see_a_shift(Q, temperature, shift):
    Q = np.where(Q > NONE, np.round(Q), NONE)  # whole numbers, so that the shift itself is exact
    np.testing.assert_array_equal(boltzmann(Q + shift, temperature), boltzmann(Q, temperature))


@for_any(tables())
def test_boltzmann_is_greedy_when_cold_and_uniform_when_hot(Q):
    Q = np.where(Q > NONE, np.round(Q), NONE)
    np.testing.assert_allclose(boltzmann(Q, 1e-3), epsilon_greedy(Q, 0), atol=1e-12)
    np.testing.assert_allclose(boltzmann(Q, 1e9), epsilon_greedy(Q, 1), atol=1e-5)


@pytest.mark.parametrize("size", [1e3, 1e150, 1e300])
def test_boltzmann_does_not_overflow(size):
    with np.errstate(over="raise", invalid="raise"):
        pi = boltzmann(size * np.array([[1.0, -1.0, 1.0, NONE], [-1.0, -1.0, -1.0, -1.0]]), 1e-3)
    np.testing.assert_allclose(pi, [[0.5, 0, 0.5, 0], [0.25, 0.25, 0.25, 0.25]])


def test_boltzmann_temperature_may_differ_from_copy_to_copy():
    Q = np.array([[0.0, 1.0], [0.0, 1.0]])
    pi = boltzmann(Q, np.array([1.0, 0.5]))
    np.testing.assert_allclose(pi[:, 1], 1 / (1 + np.exp([-1.0, -2.0])))


@for_any(tables(), st.data())
def test_a_bonus_for_what_was_seldom_tried(Q, data):
    n = data.draw(arrays(int, Q.shape, elements=st.integers(0, 50)))
    np.testing.assert_array_equal(count_bonus(Q, n, 0), epsilon_greedy(Q, 0))
    bonus = data.draw(st.floats(0, 100))
    pi = count_bonus(Q, n, bonus)
    for row, tried, p in zip(Q, n, pi, strict=True):
        worth = [q + bonus / math.sqrt(m + 1) for q, m in zip(row, tried, strict=True)]
        best = np.array(worth) == max(worth)
        np.testing.assert_allclose(p, best / best.sum())


def test_count_bonus_by_hand():
    Q, n = np.array([1.0, 0.0, 0.5, NONE]), np.array([3, 0, 3, 0])
    np.testing.assert_allclose(count_bonus(Q, n, 1), [1, 0, 0, 0])  # 1.5, 1, 1, none
    np.testing.assert_allclose(count_bonus(Q, n, 2), [0.5, 0.5, 0, 0])  # 2, 2, 1.5, none
    np.testing.assert_allclose(count_bonus(Q, n, 3), [0, 1, 0, 0])  # 2.5, 3, 2, none
