"""What passes between the parts: the columns of a run and the curve that is made of them."""

from dataclasses import fields

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rlkit.core.types import Batch, TrainResult


def result(episodes, copies, steps):
    """Return a run of which only the episodes matter: a list of (copy, step, return)."""
    copy, step, returns = (
        (np.array(column) for column in zip(*episodes, strict=True)) if episodes else np.zeros((3, 0), int)
    )
    columns = {"copy": copy, "step": step, "length": np.ones_like(copy), "return": returns.astype(float)}
    other = {column.name: None for column in fields(TrainResult)}
    return TrainResult(**{**other, "unit": "step", "episodes": columns, "params": {"copies": copies, "steps": steps}})


def test_worked_by_hand():
    """Two copies, 100 steps in four stretches; copy 1 ends nothing in the first and in the third."""
    episodes = [(0, 10, 1.0), (0, 25, 3.0), (0, 26, 5.0), (1, 40, 7.0), (0, 75, 2.0), (1, 100, 9.0), (0, 99, 4.0)]
    x, y = result(episodes, 2, 100).curve(4)
    assert x.tolist() == [25.0, 50.0, 75.0, 100.0]
    assert y.tolist() == [[2.0, 5.0, 2.0, 4.0], [7.0, 7.0, 7.0, 9.0]]


@given(
    episodes=st.lists(st.tuples(st.integers(0, 2), st.integers(1, 37), st.floats(-9, 9)), min_size=1, max_size=30),
    points=st.integers(1, 50),
)
def test_each_episode_counts_in_the_stretch_that_it_ended_in(episodes, points):
    """The oracle goes through the stretches one by one; 37 steps are a number that few numbers of points divide."""
    x, y = result(episodes, 3, 37).curve(points)
    assert x == pytest.approx(37 * np.arange(1, points + 1) / points)
    assert y.shape == (3, points)
    for copy in range(3):
        own = [(step, value) for k, step, value in episodes if k == copy]
        last = None
        for i in range(points):
            here = [value for step, value in own if 37 * i < step * points <= 37 * (i + 1)]
            last = np.mean(here) if here else last
            if last is not None:
                assert y[copy, i] == pytest.approx(last)
        if own:  # before the first episode has ended, the curve is flat
            begun = [i for i in range(points) if any(step * points <= 37 * (i + 1) for step, _ in own)][0]
            assert (y[copy, :begun] == y[copy, begun]).all()


def test_an_interrupted_run_stays_at_its_last_mean():
    _, y = result([(0, 10, 3.0)], 1, 1000).curve(5)
    assert y.tolist() == [[3.0] * 5]


@pytest.mark.parametrize("points", [0, -1, 2.5])
def test_points_must_be_a_whole_number(points):
    with pytest.raises(ValueError, match="^points is .*, but a whole number of at least 1 was expected$"):
        result([(0, 1, 1.0)], 1, 10).curve(points)


def test_a_run_does_not_print_its_settings_and_cannot_be_changed():
    run = result([(0, 1, 1.0)], 1, 10)
    assert "params" not in repr(run)
    with pytest.raises(AttributeError):
        run.policy = 1


def test_a_batch_has_no_done():
    assert Batch._fields == ("obs", "action", "reward", "next_obs", "terminated", "discount")
