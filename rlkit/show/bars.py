"""Bars: one number for each of many names, such as the games of a benchmark."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.ticker import FixedLocator, StrMethodFormatter

from rlkit.core.checks import real_array
from rlkit.show.grids import number
from rlkit.show.picture import BLUE, FAINT, INK, RED, Picture, canvas, in_style, picture

ROW = 0.19
"""The height of a row in inches: letters of 9 points fill it."""


@in_style
def bars(
    values: Mapping[str, Any],
    *,
    xlabel: str,
    title: str = "",
    reference: Mapping[str, float] | None = None,
    log: bool = False,
    digits: int = 0,
    alt: str = "",
) -> Picture:
    """Draw a horizontal bar for each of ``values``, from top to bottom, with its number at the end.

    Args:
        values: by label, a number, or (number, low, high) with the ends of its interval, drawn as a thin line.
        xlabel, title: what is shown.
        reference: a line by label, at most one: bars that reach it are blue, the others red.
        log: whether the axis is linear only up to a power of ten, the first above the median size, and logarithmic
            beyond: values that are very unequal have a place on it, and 0 too.
        digits: decimals of the numbers.
        alt: what the figure shows, in words (default: the numbers, and how many reach the reference).

    Raises:
        ValueError: no values, a value of another shape or outside its interval, or more than one reference.
    """
    rows = {label: _row(label, value) for label, value in values.items()}
    reference = reference or {}
    if not rows:
        raise ValueError("values is empty: there is nothing to draw")
    if len(reference) > 1:
        raise ValueError(f"reference has {len(reference)} lines, but bars are compared with one")
    figure, ax = canvas(4.2, 0.7 + ROW * len(rows) + 0.3 * bool(title) + 0.2 * bool(reference))
    goal = min(reference.values(), default=-np.inf)
    numbers = []
    for place, (value, low, high) in enumerate(rows.values()):
        ax.barh(place, value, height=0.7, color=BLUE if value >= goal else RED, lw=0)
        if low < high:
            ax.plot([low, high], [place, place], color=INK, lw=1.5, solid_capstyle="butt")
        # To the left of a negative bar the number would stand on the label.
        at = {"xy": (max(high, 0), place), "xytext": (3, 0), "textcoords": "offset points"}
        numbers.append(ax.annotate(number(value, digits), va="center_baseline", size=9, **at))
    if log:
        middle = np.median([abs(value) for value, _, _ in rows.values()])
        linear = 10 ** np.ceil(np.log10(middle)) if middle > 0 else 1.0
        ax.set_xscale("symlog", linthresh=linear)
        ends = linear * np.outer(10.0 ** np.arange(12), np.arange(2, 10)).ravel()
        ticks = np.r_[linear * np.arange(1, 5) / 5, ends]  # small ones, that show where the scale changes
        ax.xaxis.set_minor_locator(FixedLocator([*-ticks, *ticks]))
        ax.xaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    ax.set(xlabel=xlabel, ylim=(len(rows) - 0.5, -0.5), yticks=range(len(rows)), yticklabels=list(rows))
    ax.set_title(title, pad=20 if reference else None)
    ax.grid(axis="x", alpha=0.5)
    ax.set_axisbelow(True)
    ax.tick_params(which="both", colors=FAINT, labelcolor=INK, labelsize=9)
    ax.tick_params(axis="y", length=0)
    for label, x in reference.items():
        edges = np.arange(len(rows))[:, None] + [-0.5, 0.5]
        (line,) = ax.plot(np.full(edges.size, x), edges.ravel(), color=INK, lw=1, ls=":")
        ax.annotate(label, (x, 1), (0, 3), ("data", "axes fraction"), "offset points", ha="center", size=9)
        figure.draw_without_rendering()  # where the numbers stand is known only now: the line leaves them out
        (at_x, _) = ax.transData.transform((x, 0))
        edges[[box.x0 - 2 < at_x < box.x1 + 2 for box in (n.get_window_extent() for n in numbers)]] = np.nan
        line.set_ydata(edges.ravel())
    told = [f"{label} {number(value, digits)}" for label, (value, _, _) in rows.items()]
    count = sum(value >= goal for value, _, _ in rows.values())
    told += [f"{count} of {len(rows)} reach {label}" for label in reference]
    return picture(figure, alt or f"{title or xlabel}: {'; '.join(told)}.")


def _row(label: str, value: Any) -> tuple[float, float, float]:
    """Return a value and the ends of its interval, which has no width where none is given."""
    row = real_array(label, value)
    if row.shape not in ((), (3,)):
        raise ValueError(f"{label} has shape {row.shape}, but a number or (number, low, high) was expected")
    middle, low, high = (float(v) for v in np.broadcast_to(row, 3))
    if not low <= middle <= high:
        raise ValueError(f"{label} is {middle:g}, but it must lie in its interval [{low:g}, {high:g}]")
    return middle, low, high
