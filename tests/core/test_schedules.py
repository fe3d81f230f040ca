"""A straight line from one number to another."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rlkit.core.schedules import linear_schedule

numbers = st.floats(-100, 100)


@pytest.mark.parametrize(
    ("step", "value"), [(0, 1.0), (1, 0.91), (5, 0.55), (10, 0.1), (11, 0.1), (10_000, 0.1), (-3, 1.0)]
)
def test_worked_by_hand(step, value):
    assert linear_schedule(step, 1.0, 0.1, 10) == pytest.approx(value)


@given(step=st.floats(0, 1000), start=numbers, end=numbers, over=st.floats(0.1, 500))
def test_it_is_a_straight_line_between_its_ends_and_flat_after(step, start, end, over):
    value = linear_schedule(step, start, end, over)
    if step >= over:
        assert value == pytest.approx(end, abs=1e-9)
    else:
        assert (value - start) * over == pytest.approx((end - start) * step, abs=1e-6)
        assert min(start, end) - 1e-9 <= value <= max(start, end) + 1e-9


def test_many_steps_at_once():
    found = linear_schedule(np.array([[0, 1], [2, 9]]), 0.0, 4.0, 4)
    assert found.tolist() == [[0.0, 1.0], [2.0, 4.0]]


@pytest.mark.parametrize("over", [0, -1, float("nan")])
def test_a_way_of_no_steps_is_refused(over):
    with pytest.raises(ValueError, match=f"^over is {over}, but a way of at least one step was expected$"):
        linear_schedule(0, 1.0, 0.0, over)
