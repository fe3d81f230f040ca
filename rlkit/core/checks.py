"""Checks at the door: bad input gets one sentence that names the argument and the entry."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np


def entry(name: str, index: Iterable[Any]) -> str:
    """Return the name of one entry of an array, such as ``P[3, 1]``."""
    return f"{name}[{', '.join(str(int(i)) for i in index)}]"


def first(mask: np.ndarray) -> tuple[int, ...]:
    """Return the index of the first True in ``mask`` (of any shape), as plain integers."""
    return tuple(int(i) for i in np.argwhere(mask)[0])


def real_array(name: str, value: Any, shape: tuple[int, ...] | None = None, *, finite: bool = True) -> np.ndarray:
    """Return ``value`` as a float array, or say in one sentence why it is none.

    Raises:
        ValueError: not numeric, of another shape than ``shape``, or (unless ``finite`` is False) with an entry that is
            NaN or infinite.
    """
    try:
        raw = np.asarray(value)
        if raw.dtype.kind not in "biuf":
            raise TypeError
        with np.errstate(over="ignore"):  # a long double may become infinite here, and is then refused below
            array = raw.astype(float, copy=False)
    except (TypeError, ValueError):
        raise ValueError(f"{name} must be an array of real numbers, not {brief(value)}") from None
    if shape is not None and array.shape != shape:
        raise ValueError(f"{name} has shape {array.shape}, but {shape} was expected")
    if finite and not np.isfinite(array).all():
        where = first(~np.isfinite(array))
        raise ValueError(f"{entry(name, where) if where else name} is {array[where]}, but it must be a finite number")
    return array


def mask_array(name: str, value: Any, shape: tuple[int, ...]) -> np.ndarray:
    """Return ``value`` as a bool array of the given shape; numbers other than 0 and 1 are refused."""
    array = real_array(name, value, shape)
    if not np.isin(array, (0, 1)).all():
        where = first(~np.isin(array, (0, 1)))
        raise ValueError(f"{entry(name, where)} is {array[where]:g}, but it must be True or False")
    return array.astype(bool)


def number(name: str, value: Any, low: float, high: float) -> float:
    """Return ``value`` as a float within [low, high], or raise ValueError."""
    x = float(real_array(name, value, ()))
    if not low <= x <= high:
        raise ValueError(f"{name} is {x}, but it must lie in [{low:g}, {high:g}]")
    return x


def whole_number(name: str, value: Any, low: int) -> int:
    """Return ``value`` as an int of at least ``low``, or raise ValueError."""
    x = float(real_array(name, value, ()))
    if x != int(x) or x < low:
        raise ValueError(f"{name} is {x:g}, but a whole number of at least {low} was expected")
    return int(x)


def distribution(name: str, array: np.ndarray, kind: str = "probabilities", tol: float = 1e-9) -> None:
    """Check that ``array`` is non-negative and that its last axis sums to 1.

    Raises:
        ValueError: naming the first entry that is negative, or the first row with another sum.
    """
    if (array < 0).any():
        where = first(array < 0)
        raise ValueError(f"{entry(name, where)} is {array[where]:.6g}, but {kind} must not be negative")
    total = array.sum(axis=-1)
    if (abs(total - 1) > tol).any():
        where = first(abs(total - 1) > tol)
        row = entry(name, where) if where else name
        raise ValueError(f"{row} sums to {total[where]:.10g}, but {kind} must sum to 1")


def brief(value: Any) -> str:
    """Return how a message shows a value: on one line, and not too long."""
    text = " ".join(repr(value).split())
    return text if len(text) <= 40 else f"{type(value).__name__} {text[:36]}..."
