"""The lunar lander as its eight numbers tell where it is, and what a flight is paid for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch
from matplotlib.path import Path

from rlkit.core.checks import number, real_array, whole_number
from rlkit.show.curves import DASHES
from rlkit.show.grids import number as printed
from rlkit.show.picture import AMBER, BLUE, FAINT, GREEN, INK, LINE, RED, SERIES, Picture, in_style, picture

PAD = 0.2
"""How far the flags stand from the middle, in units of x."""
ACTIONS = ("no engine", "left engine", "main engine", "right engine")
# One unit of x is 10 m, one of y is 6.67 m; the lander is drawn 1.5 times as large as it is.
_METRES, _LARGE = np.array([10.0, 20 / 3]), 1.5
_FOOT = 0.6 * _LARGE  # from the middle of the body down to the ground, when it stands
_BODY = _LARGE * np.array([(-0.45, 0.55), (-0.57, 0), (-0.57, -0.3), (0.57, -0.3), (0.57, 0), (0.45, 0.55)])
_WINDOW = _LARGE * np.array([(-0.22, 0.12), (0.22, 0.12), (0.22, 0.4), (-0.22, 0.4)])
_LEG = _LARGE * np.array([(0.42, -0.25), (0.72, -0.56)])
_SHOE = _LARGE * np.array([(0.55, -0.6), (0.9, -0.6)])
# The main engine pushes up, so its flame points down. What is called the left engine pushes to the left: it blows to the right.
_FLAMES = {
    2: _LARGE * np.array([(-0.25, -0.32), (0.25, -0.32), (0.0, -1.15)]),
    1: _LARGE * np.array([(0.6, 0.3), (0.6, 0.52), (1.15, 0.41)]),
    3: _LARGE * np.array([(-0.6, 0.3), (-0.6, 0.52), (-1.15, 0.41)]),
}


@in_style
def lander(state: Any, action: int = 0, trail: Any = None, title: str = "", alt: str = "") -> Picture:
    """Draw the lunar lander above its pad.

    Args:
        state: float[8], what Gymnasium's LunarLander shows: x, y, their velocities, angle, its velocity, and whether the
            right and the left leg touch the ground; the pad is at (0, 0), and x is -1 and 1 at the ends of the screen.
        action: what its engines do: 0 nothing, 1 the left engine, 2 the main engine, 3 the right engine.
        trail: float[T, 2], x and y of where it was.
        title: above the picture.
        alt: what the picture shows, in words (default: the title and the state).

    Raises:
        ValueError: arrays of other shapes, numbers that are not finite, or an action that does not exist.
    """
    x, y, vx, vy, angle, _, *legs = (float(v) for v in real_array("state", state, (8,)))
    action = int(number("action", whole_number("action", action, 0), 0, 3))
    trail = np.zeros((0, 2)) if trail is None else real_array("trail", trail)
    if trail.ndim != 2 or trail.shape[1] != 2:
        raise ValueError(f"trail has shape {trail.shape}, but (T, 2) was expected")
    wide, half, low, high, head = 5.2, 10.5, -1.2, 11.6, 0.3 * bool(title)
    tall = wide * (high - low) / (2 * half)
    figure = Figure(figsize=(wide, tall + head))
    if title:
        figure.text(0.5, 1 - head / 2 / (tall + head), title, ha="center", va="center", size=12)
    ax = figure.add_axes((0, 0, 1, tall / (tall + head)))
    ax.set(xlim=(-half, half), ylim=(low, high))
    ax.axis("off")
    _moon(ax, half, low)
    if len(trail):
        ax.plot(*(trail * _METRES + (0, _FOOT)).T, color=FAINT, lw=1.5, ls=(0, (1, 1.5)))
    turn = np.array([(np.cos(angle), np.sin(angle)), (-np.sin(angle), np.cos(angle))])
    place = np.array([x, y]) * _METRES + (0, _FOOT)

    def put(points: np.ndarray, **style: Any) -> None:
        closed = style.get("fc") != "none"
        path = Path((np.vstack([points, points[:1]]) if closed else points) @ turn + place)
        ax.add_patch(PathPatch(path, zorder=3, **style))

    if action in _FLAMES:
        put(_FLAMES[action], fc=AMBER, lw=0)
    for side, touches in zip((1, -1), legs, strict=True):  # the first leg stands on the right
        for part in (_LEG, _SHOE):
            put(part * (side, 1), fc="none", ec=GREEN if touches else INK, lw=3, capstyle="round")
    put(_BODY, fc=BLUE, lw=0)
    put(_WINDOW, fc=LINE, lw=0)
    down = [name for name, touches in zip(("right", "left"), legs, strict=True) if touches]
    told = (
        f"The lander is at x {printed(x, 2)}, y {printed(y, 2)} and moves at {printed(vx, 2)}, {printed(vy, 2)}; it leans "
        f"by {printed(np.degrees(angle), 0)}°; {ACTIONS[action]} fires; "
        f"{' and '.join(down) if down else 'no'} leg{'s' * (len(down) == 2)} on the ground"
    )
    return picture(figure, alt or ". ".join(filter(None, [title, told.replace("no engine fires", "no engine is on")])))


@in_style
def stacked_terms(
    terms: Mapping[str, Any], *, xlabel: str = "frame", ylabel: str = "reward", title: str = "", alt: str = ""
) -> Picture:
    """Draw what the reward of one episode is made of: above, each step's terms, stacked; below, their sums up to each step.

    What rises is stacked upwards from 0, what falls downwards. A few steps that are far larger than the others are cut
    off, and their sums are written at the edge.

    Args:
        terms: by name, float[T], a reward for each step.
        xlabel, ylabel, title: what is shown.
        alt: what the figure shows, in words (default: the sum of each term).

    Raises:
        ValueError: no terms, terms of different lengths, or none of their steps.
    """
    if not terms:
        raise ValueError("terms is empty: there is nothing to draw")
    name, data = next(iter(terms.items()))
    size = real_array(f"terms[{name!r}]", data).size
    rows = np.array([real_array(f"terms[{n!r}]", values, (size,)) for n, values in terms.items()])
    if not size:
        raise ValueError("terms have no steps: there is nothing to draw")
    figure = Figure(figsize=(6.2, 4.6 + 0.3 * bool(title)), layout="constrained")
    ax, sums = figure.subplots(2, 1, sharex=True)
    edges = np.arange(size + 1) - 0.5
    base = {1: np.zeros(size), -1: np.zeros(size)}
    colours = [SERIES[k % len(SERIES)] for k in range(len(rows))]
    for k, row in enumerate(rows):
        for sign, stack in base.items():
            part = np.where(sign * row > 0, row, np.nan)  # nothing is drawn, and nothing stored, where there is nothing
            if np.isfinite(part).any():
                depth = 0.9 if k < len(SERIES) else 0.45
                ax.stairs(stack + part, edges, baseline=stack.copy(), fill=True, color=colours[k], alpha=depth, lw=0)
            stack += np.nan_to_num(part)
    extent = np.maximum(base[1], -base[-1])
    most = 1.4 * np.quantile(extent, 0.98)
    if 0 < 2 * most < extent.max():
        ax.set_ylim(max(-most, 1.1 * base[-1].min()), min(most, 1.1 * base[1].max()))
        _tell_cut(ax, rows.sum(axis=0), np.flatnonzero(extent > most))
    total = rows.sum(axis=0).cumsum()
    for k, (name, row) in enumerate(zip(terms, rows, strict=True)):
        sums.plot(row.cumsum(), color=colours[k], ls=DASHES[k // len(SERIES) % len(DASHES)], lw=1.5, label=name)
    sums.plot(total, color=INK, lw=2.5, label="all together")
    for axes, label in ((ax, ylabel), (sums, f"sum of {ylabel}")):
        axes.axhline(0, color=FAINT, lw=1)
        axes.set(xlim=(-0.5, size - 0.5), ylabel=label)
        axes.grid(alpha=0.5)
        axes.tick_params(colors=FAINT, labelcolor=INK)
    sums.set(xlabel=xlabel)
    figure.legend(*sums.get_legend_handles_labels(), loc="outside lower center", ncols=4)
    if title:
        figure.suptitle(title, size=12)
    told = ", ".join(f"{n} {printed(row.sum(), 1)}" for n, row in zip(terms, rows, strict=True))
    heading = title or f"What {ylabel} is made of"
    return picture(figure, alt or f"{heading}. Sums over {size} steps: {told}; all together {printed(total[-1], 1)}.")


def _tell_cut(ax: Axes, reward: np.ndarray, steps: np.ndarray) -> None:
    """Write the rewards of these steps at the edge of ``ax``, the largest first, where there is room."""
    told: list[int] = []
    for t in sorted(steps, key=lambda step: -abs(reward[step])):
        if all(abs(t - other) > len(reward) / 12 for other in told):
            told.append(t)
            up = reward[t] > 0
            where = {"xy": (t, float(up)), "xycoords": ("data", "axes fraction"), "va": "top" if up else "bottom"}
            ax.annotate(printed(reward[t], 0), xytext=(-5, 0), textcoords="offset points", ha="right", size=10, **where)


def _moon(ax: Axes, half: float, low: float) -> None:
    """Draw the ground, flat at the pad, and two flags."""
    far = np.array([(-half, 0.9), (-7.5, 0.3), (-5, 0.8), (-3.2, 0), (3.2, 0), (5.2, 0.6), (8, 0.2), (half, 1.0)])
    ax.add_patch(PathPatch(Path(np.vstack([far, (half, low), (-half, low)])), fc=LINE, alpha=0.5, lw=0))
    pad = PAD * _METRES[0]
    ax.plot([-pad, pad], [0, 0], color=INK, lw=3, solid_capstyle="butt")
    for x in (-pad, pad):
        ax.plot([x, x], [0, 1.3], color=FAINT, lw=1.5)
        ax.add_patch(PathPatch(Path([(x, 1.3), (x + 0.7, 1.05), (x, 0.8)]), fc=RED, lw=0))
