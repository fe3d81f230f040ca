"""Returns: the lecture's sum, by hand and against powers of gamma; those of every step, against a double loop."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rlkit.core import discounted_return
from rlkit.core.returns import reward_to_go, total_return

REWARD = st.floats(-1e6, 1e6)


@pytest.mark.parametrize(
    ("rewards", "gamma", "expected"),
    [
        ([1, 2, 4], 0.5, 1 + 1 + 1),
        ([0, 0, 100], 0.9, 81),
        ([5, 7], 0, 5),
        ([1, -2, 3], 1, 2),
        ([], 0.9, 0),
        ((True, True), 0.5, 1.5),
    ],
)
def test_by_hand(rewards, gamma, expected):
    assert discounted_return(rewards, gamma) == pytest.approx(expected, rel=1e-15)


@given(st.lists(REWARD, max_size=30), st.floats(0, 1))
def test_is_the_sum_of_rewards_times_powers_of_gamma(rewards, gamma):
    expected = sum(r * gamma**t for t, r in enumerate(rewards))
    assert discounted_return(rewards, gamma) == pytest.approx(expected, rel=1e-9, abs=1e-6)


@given(REWARD, st.lists(REWARD, max_size=30), st.floats(0, 1))
def test_one_step_more(first, later, gamma):
    assert discounted_return([first, *later], gamma) == first + gamma * discounted_return(later, gamma)


@pytest.mark.parametrize(
    ("rewards", "gamma", "message"),
    [
        ([[1, 2]], 0.9, r"rewards has shape \(1, 2\)"),
        (3.0, 0.9, r"rewards has shape \(\)"),
        ([1, np.nan], 0.9, r"rewards\[1\] is nan"),
        ("123", 0.9, "rewards must be an array of real numbers"),
        ([1], 1.1, r"gamma is 1.1, but it must lie in \[0, 1\]"),
        ([1], -0.1, "gamma is -0.1"),
        ([1], np.nan, "gamma is nan"),
        ([1], [0.9], r"gamma has shape \(1,\)"),
    ],
)
def test_bad_input(rewards, gamma, message):
    with pytest.raises(ValueError, match=message):
        discounted_return(rewards, gamma)


# --- whole episodes at once ---

many = st.tuples(st.integers(1, 12), st.integers(0, 3), st.integers(1, 3)).flatmap(
    lambda shape: st.lists(st.floats(-1e3, 1e3), min_size=math.prod(shape), max_size=math.prod(shape)).map(
        lambda numbers: np.array(numbers).reshape(shape)
    )
)


@given(many, st.sampled_from([0.0, 0.5, 0.97, 1.0]))
def test_rewards_to_go_are_sums_over_all_that_comes_after(reward, gamma):
    """Against a plain double loop; the trailing axes are so many sequences, none of which sees another."""
    before = reward.copy()
    found, whole = reward_to_go(reward, gamma), total_return(reward, gamma)
    assert found.shape == whole.shape == reward.shape
    T = len(reward)
    for place in np.ndindex(reward.shape[1:]):
        for t in range(T):
            expected = 0.0
            for later in range(t, T):
                expected += gamma ** (later - t) * reward[(later, *place)]
            assert found[(t, *place)] == pytest.approx(expected, rel=1e-9, abs=1e-6)
            assert whole[(t, *place)] == found[(0, *place)]
    assert np.array_equal(reward, before), "the argument is left alone"


@given(st.lists(REWARD, min_size=1, max_size=20), st.floats(0, 1))
def test_the_reward_to_go_is_the_return_of_the_rest(rewards, gamma):
    found = reward_to_go(np.array(rewards), gamma)
    assert found.tolist() == [discounted_return(rewards[t:], gamma) for t in range(len(rewards))]


def test_rewards_to_go_by_hand():
    assert reward_to_go(np.array([1.0, 2.0, 4.0]), 0.5).tolist() == [3.0, 4.0, 4.0]
    assert reward_to_go(np.array([[1, 0], [3, 8]]), 0.5).tolist() == [[2.5, 4.0], [3.0, 8.0]], "whole rewards, too"
    assert reward_to_go(np.array([1, 2, 3]), 0.0).tolist() == [1.0, 2.0, 3.0]
    assert reward_to_go(np.array([1, 2, 3]), 1.0).tolist() == [6.0, 5.0, 3.0]
    assert reward_to_go(np.zeros((0, 2)), 0.5).shape == (0, 2)
    assert total_return(np.array([[1, 0], [3, 8]]), 0.5).tolist() == [[2.5, 4.0], [2.5, 4.0]]


def test_steps_after_the_end_add_nothing():
    """Episodes are filled up with rewards of 0: what comes before is as if they were not there."""
    reward = np.array([1.0, 2.0, 4.0])
    filled = reward_to_go(np.concatenate([reward, np.zeros(5)]), 0.9)
    assert filled[:3].tolist() == reward_to_go(reward, 0.9).tolist()
    assert filled[3:].tolist() == [0.0] * 5
