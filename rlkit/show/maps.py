"""Maps: a function over two axes, as colour."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from rlkit.core.checks import entry, first, number, real_array
from rlkit.show.picture import BLUE, FAINT, INK, RED, Picture, in_style, picture

STEPS = 4
"""Depths of each colour: an outline for each is much less to store than a square for each point."""
_DEPTHS = 0.55 * np.arange(1, STEPS + 1) / STEPS  # opacity, ending as deep as the values in a grid


@in_style
def heatmap(
    x: Any,
    y: Any,
    Z: Any,
    *,
    xlabel: str,
    ylabel: str,
    labels: tuple[str, str],
    title: str = "",
    top: float = 0,
    alt: str = "",
) -> Picture:
    """Draw a function of two variables: blue above 0, red below, deeper for larger, and a line where it is 0.

    Args:
        x: float[X], increasing.
        y: float[Y], increasing.
        Z: float[Y, X]: a row for each ``y``. Between the points it is taken as linear.
        xlabel, ylabel, title: what is shown.
        labels: what it means to be below 0, and above, in words: ("push left is better", "push right is better").
        top: the size of Z at which the colour is deepest, to compare pictures (default: the largest in Z).
        alt: what the figure shows, in words (default: the title, the labels, how much of the map each holds, and where
            the function is largest).

    Raises:
        ValueError: shapes that do not fit, entries that are not finite, not two labels, or an axis that does not increase.
    """
    x, y = axis_array("x", x), axis_array("y", y)
    Z = real_array("Z", Z, (y.size, x.size))
    if len(labels) != 2:
        raise ValueError(f"labels has {len(labels)} entries, but two were expected: for below 0 and for above")
    top = number("top", top, 0, np.inf) or abs(Z).max() or 1.0
    figure = Figure(figsize=(4.6, 3.9 + 0.3 * bool(title)), layout="constrained")
    scale, ax = figure.subplots(2, 1, height_ratios=[1, 18])
    _scale(scale, top, labels)
    # Each step lies upon the one before, so no seam shows between them; what it adds makes its depth.
    added = 1 - (1 - _DEPTHS) / (1 - np.r_[0, _DEPTHS[:-1]])
    for sign, colour in ((-1, RED), (1, BLUE)):
        for k in range(STEPS):
            edge = top * k / STEPS
            if (sign * Z).max() > edge:
                ax.contourf(x, y, sign * Z, [edge, np.inf], colors=[colour], alpha=added[k])
    if Z.min() < 0 < Z.max():
        ax.contour(x, y, Z, [0], colors=[INK], linewidths=1.5)
    ax.set(xlabel=xlabel, ylabel=ylabel, xlim=(x[0], x[-1]), ylim=(y[0], y[-1]))
    ax.tick_params(colors=FAINT, labelcolor=INK)
    if title:
        figure.suptitle(title, size=12, color=INK)
    told = [title] if title else []
    for sign, label in zip((-1, 1), labels, strict=True):
        text = f"{label} in {100 * (sign * Z > 0).mean():.0f} % of the map"
        if (sign * Z).max() > 0:
            row, column = np.unravel_index((sign * Z).argmax(), Z.shape)
            text += f", most at {xlabel} {x[column]:.3g} and {ylabel} {y[row]:.3g}, where it is {Z[row, column]:.3g}"
        told.append(text.replace(" -", " −"))
    return picture(figure, alt or ". ".join(told) + ".")


def axis_array(name: str, value: Any) -> np.ndarray:
    """Return the points of an axis, float[N], or say in one sentence why they are none: N is at least 2, and they increase."""
    axis = real_array(name, value)
    if axis.ndim != 1 or axis.size < 2:
        raise ValueError(f"{name} has shape {axis.shape}, but at least two points in a row were expected")
    if (np.diff(axis) <= 0).any():
        where = first(np.diff(axis) <= 0)[0] + 1
        raise ValueError(f"{entry(name, [where])} is {axis[where]:g}, but it must be greater than the point before it")
    return axis


def _scale(ax: Any, top: float, labels: tuple[str, str]) -> None:
    """Draw what the colours mean: a strip from -top to top, with words above its ends."""
    for k, depth in enumerate(_DEPTHS):
        for sign, colour in ((-1, RED), (1, BLUE)):
            start = top * (k if sign > 0 else -k - 1) / STEPS
            ax.add_patch(Rectangle((start, 0), top / STEPS, 1, fc=colour, alpha=depth, lw=0))
    ax.axvline(0, color=INK, lw=1.5)
    ax.set(xlim=(-top, top), ylim=(0, 1), yticks=[], xticks=[-top, 0, top])
    ax.set_xticklabels([f"−{top:.3g}", "0", f"{top:.3g}"], size=9)
    ax.spines[:].set_visible(False)
    ax.tick_params(length=0, labelcolor=INK)
    for side, label in zip(("left", "right"), labels, strict=True):
        ax.set_title(label, loc=side, size=9)
