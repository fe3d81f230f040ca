"""The checks at the door: what they let through, and the sentence that they say otherwise."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

from rlkit.core.checks import distribution, entry, first, mask_array, number, real_array, whole_number

NOT_NUMBERS = [
    "0.9",
    None,
    1j,
    [1, 2j],
    ["a"],
    [None],
    [[1, 2], [3]],
    {},
    object(),
    np.array([1, None]),
    np.datetime64("2020-01-01"),
    sparse.eye_array(2),
    10**400,
]


@pytest.mark.parametrize("value", NOT_NUMBERS, ids=lambda value: type(value).__name__)
def test_real_array_refuses_what_is_not_numeric(value):
    with pytest.raises(ValueError, match="^x must be an array of real numbers, not "):
        real_array("x", value)


@pytest.mark.parametrize("value", NOT_NUMBERS, ids=lambda value: type(value).__name__)
def test_its_sentence_is_one_short_line(value):
    with pytest.raises(ValueError) as error:  # noqa: PT011 - the message is looked at below
        real_array("x", value)
    assert "\n" not in str(error.value)
    assert len(str(error.value)) < 120


@pytest.mark.parametrize("dtype", [bool, np.int8, np.uint64, np.float16, np.float32, float, np.longdouble])
def test_real_array_makes_floats(dtype):
    array = real_array("x", np.array([0, 1], dtype))
    assert array.dtype == float
    np.testing.assert_array_equal(array, [0, 1])


def test_real_array_names_shape_and_entry():
    with pytest.raises(ValueError, match=r"^x has shape \(2,\), but \(3,\) was expected$"):
        real_array("x", [1, 2], (3,))
    with pytest.raises(ValueError, match=r"^x\[1, 0\] is nan, but it must be a finite number$"):
        real_array("x", [[0, 0], [np.nan, np.inf]])
    with pytest.raises(ValueError, match=r"^x is -inf, but it must be a finite number$"):
        real_array("x", -np.inf)
    with pytest.raises(ValueError, match=r"^x\[0\] is inf"):
        real_array("x", np.array([1e4000], np.longdouble) if np.finfo(np.longdouble).max > 1e308 else [np.inf])
    assert np.isnan(real_array("x", np.nan, finite=False))


def test_mask_array():
    np.testing.assert_array_equal(mask_array("x", [0, 1.0, True], (3,)), [False, True, True])
    assert mask_array("x", [1], (1,)).dtype == bool
    with pytest.raises(ValueError, match=r"^x\[1\] is 2, but it must be True or False$"):
        mask_array("x", [1, 2], (2,))
    with pytest.raises(ValueError, match=r"^x has shape \(2,\), but \(3,\)"):
        mask_array("x", [1, 0], (3,))


def test_number():
    assert number("x", 3, 0, 5) == 3.0
    assert isinstance(number("x", np.float32(0.5), 0, 1), float)
    for bad in (-1e-12, 5.0000001, np.nan, np.inf, "1", [1], None, 1j):
        with pytest.raises(ValueError, match="^x "):
            number("x", bad, 0, 5)


def test_number_shows_every_digit_that_matters():
    with pytest.raises(ValueError, match=r"^x is 1.0000000001, but it must lie in \[0, 1\]$"):
        number("x", 1.0000000001, 0, 1)


def test_whole_number():
    assert whole_number("x", 3.0, 1) == 3
    assert isinstance(whole_number("x", np.int64(3), 1), int)
    for bad in (0, -1, 1.5, np.nan, np.inf, "2", [2], None, 2j):
        with pytest.raises(ValueError, match="^x "):
            whole_number("x", bad, 1)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=6))
def test_distribution_accepts_what_sums_to_one(weights):
    if sum(weights) > 0:
        distribution("x", np.array(weights) / sum(weights))


def test_distribution_names_the_entry():
    with pytest.raises(ValueError, match=r"^x\[1, 0\] is -0.5, but probabilities must not be negative$"):
        distribution("x", np.array([[1.0, 0.0], [-0.5, 1.5]]))
    with pytest.raises(ValueError, match=r"^x\[1\] sums to 1.25, but weights must sum to 1$"):
        distribution("x", np.array([[1.0, 0.0], [0.5, 0.75]]), "weights")
    with pytest.raises(ValueError, match=r"^x sums to 0.9999, but probabilities must sum to 1$"):
        distribution("x", np.array([0.5, 0.4999]))
    distribution("x", np.array([0.5, 0.5 - 1e-10]))
    with pytest.raises(ValueError, match="^x sums to"):
        distribution("x", np.array([0.5, 0.5 - 1e-8]))


def test_names_of_entries():
    assert entry("P", np.array([3, 1])) == "P[3, 1]"
    assert first(np.array([[False, False], [True, True]])) == (1, 0)
