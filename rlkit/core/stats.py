"""Statistics of repeated runs: a curve is a mean with an interval, never a single lucky run."""

from __future__ import annotations

from typing import Any

import numpy as np

from rlkit.core.checks import number, real_array


def mean_interval(runs: Any, level: float = 0.95) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the mean over runs and the ends of its Student-t confidence interval.

    Args:
        runs: float[K, ...], one run in each row; K is at least 2.
        level: the coverage of the interval, strictly between 0 and 1.

    Returns:
        mean, low, high: float[...] each.

    Raises:
        ValueError: fewer than two runs, entries that are not finite, a level outside (0, 1).
    """
    from scipy.special import stdtrit  # 0.1 s to import, and only this function needs it

    x = real_array("runs", runs)
    if x.ndim == 0 or len(x) < 2:
        raise ValueError("an interval needs at least two runs")
    level = number("level", level, 0, 1)
    if level in (0, 1):
        raise ValueError(f"level is {level:g}, but it must lie strictly between 0 and 1")
    mean = x.mean(axis=0)
    half = stdtrit(len(x) - 1, (1 + level) / 2) * x.std(axis=0, ddof=1) / np.sqrt(len(x))
    return mean, mean - half, mean + half
