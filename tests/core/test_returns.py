"""discounted_return: the lecture's sum, by hand and against powers of gamma."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rlkit.core import discounted_return

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
