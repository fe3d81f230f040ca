"""Schedules: numbers that change while something is learned."""

from __future__ import annotations

from typing import Any

import numpy as np


def linear_schedule(step: Any, start: float, end: float, over: float) -> Any:
    """Return what goes in a straight line from ``start``, at step 0, to ``end``, at step ``over``, and stays there.

    Args:
        step: a number or int[...].
        start, end: the values.
        over: how many steps the way takes, above 0.

    Raises:
        ValueError: over is not above 0.
    """
    if not over > 0:
        raise ValueError(f"over is {over}, but a way of at least one step was expected")
    return start + (end - start) * np.clip(np.asarray(step) / over, 0.0, 1.0)
