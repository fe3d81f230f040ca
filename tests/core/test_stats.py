"""mean_interval: against scipy's own Student-t interval, and by how often it covers the truth."""

import numpy as np
import pytest
from scipy import stats

from rlkit.core import mean_interval


@pytest.mark.parametrize("level", [0.5, 0.95, 0.999])
@pytest.mark.parametrize("shape", [(2,), (5,), (10, 3), (4, 2, 3)])
def test_agrees_with_scipy(shape, level):
    runs = np.random.default_rng(0).normal(3, 2, size=shape)
    mean, low, high = mean_interval(runs, level)
    expected = stats.t.interval(level, shape[0] - 1, runs.mean(axis=0), stats.sem(runs, axis=0))
    np.testing.assert_allclose(mean, runs.mean(axis=0), rtol=1e-14)
    np.testing.assert_allclose([low, high], expected, rtol=1e-12)


def test_covers_the_truth_as_often_as_it_says():
    rng = np.random.default_rng(1)
    _, low, high = mean_interval(rng.normal(7, 3, size=(4, 20_000)), 0.9)
    covered = ((low <= 7) & (high >= 7)).mean()
    assert abs(covered - 0.9) < 5 * np.sqrt(0.9 * 0.1 / 20_000)  # five standard errors


def test_equal_runs_have_no_width():
    mean, low, high = mean_interval([[2.0, 5.0], [2.0, 5.0]])
    np.testing.assert_array_equal([mean, low, high], [[2, 5]] * 3)


@pytest.mark.parametrize(
    ("runs", "level", "message"),
    [
        ([1.0], 0.95, "at least two runs"),
        (1.0, 0.95, "at least two runs"),
        ([], 0.95, "at least two runs"),
        ([1.0, np.inf], 0.95, r"runs\[1\] is inf"),
        ([[1.0], [1.0, 2.0]], 0.95, "runs must be an array of real numbers"),
        ([1.0, 2.0], 0, "level is 0, but it must lie strictly between 0 and 1"),
        ([1.0, 2.0], 1, "level is 1, but it must lie strictly"),
        ([1.0, 2.0], 95, "level is 95"),
    ],
)
def test_bad_input(runs, level, message):
    with pytest.raises(ValueError, match=message):
        mean_interval(runs, level)
