"""Curves: one line for what is exact, a mean with its interval for what was run several times."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

from rlkit.core.checks import real_array
from rlkit.core.stats import mean_interval
from rlkit.show.picture import FAINT, INK, SERIES, Picture, canvas, in_style, picture, words

DASHES: tuple[Any, ...] = ("-", (0, (5, 2)), (0, (1, 1)), (0, (6, 2, 1, 2)), (0, (3, 1, 1, 1, 1, 1)))
"""Each curve differs from the others by its line as well as by its colour."""


@in_style
def curves(
    series: Mapping[str, Any],
    x: Any = None,
    *,
    xlabel: str,
    ylabel: str,
    title: str = "",
    log: bool = False,
    reference: Mapping[str, float] | None = None,
    ylim: tuple[float, float] | None = None,
    alt: str = "",
) -> Picture:
    """Draw one curve for each entry of ``series``.

    Args:
        series: by label, float[T] for a curve that is exact, or float[K, T] for K runs: their mean and its 95 % Student-t
            interval.
        x: float[T], or by label where the curves differ (default: 0, 1, 2, ...).
        xlabel, ylabel, title: what the axes show.
        log: whether the vertical axis is logarithmic.
        reference: horizontal lines by label, such as an exact optimum.
        ylim: the ends of the vertical axis (default: all that is drawn); what lies beyond is cut off. Runs that diverged
            still have to be finite: clip them.
        alt: what the figure shows, in words (default: the labels and where each curve begins and ends).
    """
    crowded = len(series) > 3
    figure, ax = canvas(height=3.2 + 0.11 * len(series) * crowded)
    told = []
    for k, (label, data) in enumerate(series.items()):
        y = real_array(label, data)
        at = x[label] if isinstance(x, Mapping) else x
        at = np.arange(y.shape[-1]) if at is None else real_array("x", at, (y.shape[-1],))
        colour = SERIES[k % len(SERIES)]
        if y.ndim == 2:
            y, low, high = mean_interval(y)
            ax.fill_between(at, low, high, color=colour, alpha=0.2, lw=0)
        # After the last colour the first comes again, with the next dash.
        ax.plot(at, y, color=colour, ls=DASHES[(k + k // len(SERIES)) % len(DASHES)], label=label)
        told.append(f"{label} from {y[0]:.3g} to {y[-1]:.3g}")
    for label, height in (reference or {}).items():
        ax.axhline(height, color=INK, lw=1, ls=":")
        ax.annotate(label, (1, height), (-2, 3), ("axes fraction", "data"), "offset points", ha="right", size=9)
    if log:
        ax.set_yscale("log")
    ax.set(xlabel=xlabel, ylabel=ylabel, title=title, ylim=ylim)
    ax.grid(alpha=0.5)
    ax.tick_params(colors=FAINT, labelcolor=INK)
    if crowded:  # so long a legend would cover the curves
        figure.legend(loc="outside lower center", ncols=2)
    elif len(series) > 1:
        ax.legend()
    heading = title or f"{ylabel} against {xlabel}"
    return picture(figure, alt or f"{heading}: {words(told)}.")


@in_style
def intervals(
    rows: Mapping[str, Mapping[str, Any]], *, xlabel: str, title: str = "", log: bool = False, alt: str = ""
) -> Picture:
    """Draw means of several runs as points with their intervals, a row for each label.

    Args:
        rows: by label, and there by kind, float[K]: K runs. Every row has the same kinds, each with its colour and mark.
        xlabel, title: what is shown.
        log: whether the axis is logarithmic.
        alt: what the figure shows, in words (default: the means).
    """
    figure, ax = canvas(6.4, 0.7 + 0.42 * len(rows) + 0.3 * bool(title))
    told = []
    for place, (label, kinds) in enumerate(rows.items()):
        for k, (kind, data) in enumerate(kinds.items()):
            mean, low, high = mean_interval(real_array(f"{label}, {kind}", data))
            colour, height = SERIES[k % len(SERIES)], place + 0.2 * (k - (len(kinds) - 1) / 2)
            ax.plot([low, high], [height, height], color=colour, lw=2)
            ax.plot(mean, height, "os^Dv"[k % 5], color=colour, label=kind if place == 0 else None)
            told.append(f"{label}: {kind} {mean:.3g}")
    if log:
        ax.set_xscale("log")
        low, high = ax.get_xlim()
        ax.xaxis.set_major_locator(LogLocator(subs=(1, 3) if high < 30 * low else (1,)))
        ax.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
        ax.xaxis.set_minor_formatter(NullFormatter())
    ax.set(xlabel=xlabel, title=title, ylim=(len(rows) - 0.5, -0.5), yticks=range(len(rows)), yticklabels=list(rows))
    ax.grid(axis="x", alpha=0.5)
    ax.tick_params(colors=FAINT, labelcolor=INK)
    if len(next(iter(rows.values()))) > 1:
        ax.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0))
    return picture(figure, alt or f"{title or xlabel}: {words(told)}.")
