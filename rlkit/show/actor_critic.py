"""Actors and critics: what a critic teaches an actor, PPO's clipped objective, workers that overlap, and all families."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, PathPatch
from matplotlib.path import Path

from rlkit.core.checks import entry, first, number, real_array
from rlkit.core.stats import mean_interval
from rlkit.show.grids import number as printed
from rlkit.show.maps import axis_array
from rlkit.show.picture import (
    AMBER,
    BLUE,
    FAINT,
    INK,
    LINE,
    RED,
    SERIES,
    Picture,
    canvas,
    in_style,
    picture,
    side_by_side,
    words,
)
from rlkit.show.policies import draw_push, signed, two_rows

_MARKS = "os^Dv"
_ABOVE: Any = {"loc": "lower center", "bbox_to_anchor": (0.5, 1.0), "ncols": 3, "borderaxespad": 0.2}
_ABOVE |= {"columnspacing": 1.2, "handlelength": 1.6}  # a legend that is no wider than its picture
_ROOM = 0.13  # inches that a digit needs in a bar


@in_style
def action_value(
    actions: Any,
    Q: Any,
    at: float,
    slope: float,
    *,
    exact: Any = None,
    xlabel: str = "action a",
    ylim: tuple[float, float] | None = None,
    top: float = 0,
    title: str = "",
    alt: str = "",
) -> Picture:
    """Draw what a critic says about every action in one state, and where that pushes the actor.

    The actor's action is marked; the line through the mark has the given slope; the arrow below points along the axis of
    actions, uphill, and is the longer the steeper the critic is.

    Args:
        actions: float[N], increasing.
        Q: float[N], the critic's value of each.
        at: the actor's action, between the first and the last of ``actions``.
        slope: the critic's derivative with respect to the action, there.
        exact: float[N], the true values, to compare.
        xlabel: what an action is.
        ylim: the ends of the axis of values (default: all that is drawn).
        top: the size of ``slope`` that has the longest arrow, to compare pictures (default: the one in it).
        title: above the picture.
        alt: what the picture shows, in words (default: the title and the numbers).

    Raises:
        ValueError: arrays that do not fit, actions that do not increase, or an action that is not among them.
    """
    actions = axis_array("actions", actions)
    Q = real_array("Q", Q, actions.shape)
    low, high = actions[[0, -1]]
    at, slope = number("at", at, low, high), number("slope", slope, -np.inf, np.inf)
    top = number("top", top, 0, np.inf) or abs(slope) or 1.0
    figure, ax, strip = two_rows(title, 5.2, gap=0.65, strip=0.55)
    side = (high - low) / 6  # the longest arrow, and room for it at both ends
    height = np.interp(at, actions, Q)
    told = [f"The critic gives the actor's action {printed(at, 2)} the value {printed(height, 2)}"]
    told.append(f"it likes {_best(actions, Q)} best")
    kinds = [Line2D([], [], color=BLUE, label="the critic")]
    if exact is not None:
        exact = real_array("exact", exact, actions.shape)
        ax.plot(actions, exact, color=INK, lw=1.5, ls=(0, (3, 2)))
        kinds.append(Line2D([], [], color=INK, lw=1.5, ls=(0, (3, 2)), label="exact"))
        told.append(f"in truth {_best(actions, exact)} is best")
    ax.plot(actions, Q, color=BLUE)
    drawn = Q if exact is None else np.r_[Q, exact]
    room = 0.08 * (np.ptp(drawn) or 1.0)
    ax.set(xlabel=xlabel, ylabel="Q(s, a)", ylim=ylim or (drawn.min() - room, drawn.max() + room))
    ax.plot([at - side, at + side], [height - side * slope, height + side * slope], color=AMBER, lw=1.5)
    ax.plot([at, at], [ax.get_ylim()[0], height], color=AMBER, lw=1, ls=":")
    ax.plot(at, height, "o", color=AMBER, ms=9, zorder=3)
    kinds.append(Line2D([], [], marker="o", ms=9, color=AMBER, lw=1.5, label="the actor's action"))
    ax.legend(handles=kinds, **_ABOVE)
    _push_below(strip, "∂Q / ∂a", at, slope, slope / top * side)
    for axes in (ax, strip):
        axes.set_xlim(low - side, high + side)
    told.append(f"the slope {signed(slope)} pushes the action {_way(slope)}")
    return picture(figure, alt or f"{f'{title}. ' if title else ''}{'; '.join(told)}.")


@in_style
def ppo_clip(ratio: float, advantage: float, clip: float = 0.2, *, title: str = "", alt: str = "") -> Picture:
    """Draw PPO's clipped objective of one action over the ratio of its new to its old probability.

    The arrow below points where the objective pushes the ratio; where it is flat there is none.

    Args:
        ratio: where the policy is, from 0 to 2.
        advantage: of the action, not 0.
        clip: how far from 1 the ratio may go before the push ends.
        title: above the picture.
        alt: what the picture shows, in words (default: the title and the numbers).

    Raises:
        ValueError: a number outside its bounds, or an advantage of 0.
    """
    ratio, clip = number("ratio", ratio, 0, 2), number("clip", clip, 0, 1)
    advantage = number("advantage", advantage, -np.inf, np.inf)
    if advantage == 0:
        raise ValueError("advantage is 0, but a number above or below 0 was expected: at 0 the objective is flat")
    flat = ratio > 1 + clip if advantage > 0 else ratio < 1 - clip
    slope = 0.0 if flat else advantage
    figure, ax, strip = two_rows(title, 4.5, gap=0.65, strip=0.55)
    x = np.array([0, 1 - clip, 1 + clip, 2])
    dashes = (0, (3, 2))
    ax.axvspan(1 - clip, 1 + clip, color=LINE, alpha=0.4, lw=0)
    ax.plot([0, 2], [0, 2 * advantage], color=INK, lw=1.5, ls=dashes)
    ax.plot(x, _clipped(x, advantage, clip), color=BLUE, lw=3)
    ax.plot(ratio, _clipped(ratio, advantage, clip), "o", color=AMBER, ms=9, zorder=3, clip_on=False)
    kinds = [
        Line2D([], [], color=BLUE, lw=3, label="objective"),
        Line2D([], [], color=INK, lw=1.5, ls=dashes, label="not clipped"),
        Patch(fc=LINE, alpha=0.4, lw=0, label=f"1 ± {clip:g}"),
    ]
    ax.legend(handles=kinds, **_ABOVE)
    size = abs(advantage)
    ax.set(
        xlabel="ratio", ylabel="objective", xticks=[0, 0.5, 1, 1.5, 2], ylim=sorted((-0.1 * advantage, 2.1 * advantage))
    )
    _push_below(strip, "slope", ratio, slope, slope / size * 0.25)
    for axes in (ax, strip):
        axes.set_xlim(-0.3, 2.3)
    told = (
        f"An action with advantage {signed(advantage)}: at the ratio {printed(ratio, 2)} the objective, clipped "
        f"{'above' if advantage > 0 else 'below'} {printed(1 + clip if advantage > 0 else 1 - clip, 2)}, is "
        f"{printed(_clipped(ratio, advantage, clip), 2)}; its slope {signed(slope)} pushes the ratio {_way(slope)}"
    )
    return picture(figure, alt or f"{f'{title}. ' if title else ''}{told}.")


@in_style
def timeline(
    rows: Mapping[str, Any],
    *,
    stale: Mapping[str, Any] | None = None,
    xlim: tuple[float, float] | None = None,
    xlabel: str = "seconds",
    title: str = "",
    alt: str = "",
) -> Picture:
    """Draw who was at work when: a row for each worker, with a bar for each update.

    Args:
        rows: by worker, float[N, 2], when each of its updates began and ended.
        stale: by worker, int[N], how many updates of others came in between: bars with any are red, and hold their number
            where there is room.
        xlim: the times at which the picture begins and ends (default: all of them); what lies outside is not drawn, and
            not told.
        xlabel, title: what is shown.
        alt: what the picture shows, in words (default: the title, how many updates each worker made, how many of them
            were stale, and how many were under way at once).

    Raises:
        ValueError: no worker, no bar, arrays that do not fit, or an update that ends before it begins.
    """
    if not rows:
        raise ValueError("rows is empty: there is nothing to draw")
    bars, counts = {}, {}
    for name, value in rows.items():
        bars[name] = _spans(f"rows[{name!r}]", value)
        counts[name] = _counts(stale, name, len(bars[name])) if stale is not None else np.zeros(len(bars[name]), int)
    every = np.concatenate(list(bars.values()))
    if not len(every):
        raise ValueError("rows have no bars: there is nothing to draw")
    begin, end = (every.min(), every.max()) if xlim is None else real_array("xlim", xlim, (2,))
    if begin >= end:
        raise ValueError(f"the picture goes from {begin:g} to {end:g}, but it must end after it begins")
    figure, ax = canvas(5.4, 0.8 + 0.36 * len(rows) + 0.3 * bool(title) + 0.3 * (stale is not None))
    told, seen, second = [], [], 4.4 / (end - begin)  # about so many inches
    for y, name in enumerate(bars):
        within = (bars[name][:, 1] > begin) & (bars[name][:, 0] < end)
        spans, late = np.clip(bars[name][within], begin, end), counts[name][within]
        seen.append(spans)
        for part, colour in ((spans[late == 0], BLUE), (spans[late > 0], RED)):
            _row_of_bars(ax, part, y, colour)
        for (left, right), count in zip(spans, late, strict=True):
            if count and (right - left) * second > _ROOM * len(str(count)):
                ax.text((left + right) / 2, y, str(count), ha="center", va="center_baseline", size=9)
        told.append(f"{name} {len(spans)}" + (f", {(late > 0).sum()} of them stale" if stale is not None else ""))
    ax.set(xlim=(begin, end), ylim=(len(rows) - 0.5, -0.5), yticks=range(len(rows)), yticklabels=list(rows))
    ax.set(xlabel=xlabel, title=title)
    ax.tick_params(colors=FAINT, labelcolor=INK)
    ax.tick_params(axis="y", length=0)
    if stale is not None:
        labels = (BLUE, "no other update meanwhile"), (RED, "others meanwhile: how many")
        kinds = [Patch(fc=(colour, 0.35), ec=colour, label=label) for colour, label in labels]
        figure.legend(handles=kinds, loc="outside lower center", ncols=2, columnspacing=1.2, handlelength=1.6)
    heading = title or "Updates"
    most = _at_once(np.concatenate(seen))
    ends = f"from {begin:.3g} to {end:.3g} {xlabel}"
    return picture(figure, alt or f"{heading}, {ends}: {'; '.join(told)}; at most {most} at once.")


@in_style
def families(
    results: Mapping[str, Mapping[str, Mapping[str, Any]]],
    *,
    xlabel: str,
    reference: Mapping[str, Mapping[str, float]] | None = None,
    title: str = "",
) -> Picture:
    """Draw what algorithms reach in several worlds: a panel for each world, a row for each algorithm, family by family.

    Args:
        results: by family, algorithm and world: float[K], the results of K runs, whose mean is drawn with its 95 %
            Student-t interval; or words, why there are none. Every algorithm has the same worlds.
        xlabel: what the results are.
        reference: by world and label, a vertical line, such as what counts as solved.
        title: above each panel, before the name of its world.

    Raises:
        ValueError: nothing to draw, or an algorithm with other worlds than the first one.
    """
    rows = [(family, name, cells) for family, members in results.items() for name, cells in members.items()]
    if not rows or not rows[0][2]:
        raise ValueError("results is empty: there is nothing to draw")
    worlds = list(rows[0][2])
    for _, name, cells in rows:
        if set(cells) != set(worlds):
            raise ValueError(
                f"{name} has results in {words(list(cells)) or 'no world'}, but {rows[0][1]} in {words(worlds)}"
            )
    lines = {world: None if reference is None else reference.get(world, {}) for world in worlds}
    return side_by_side(*(_panel(rows, world, xlabel, lines[world], title) for world in worlds))


def _panel(
    rows: list[tuple[str, str, Mapping[str, Any]]],
    world: str,
    xlabel: str,
    lines: Mapping[str, float] | None,
    title: str,
) -> Picture:
    """Draw one world of :func:`families`."""
    kinds = list(dict.fromkeys(family for family, _, _ in rows))
    heading = f"{title}: {world}" if title else world
    figure, ax = canvas(3.9, 1.0 + 0.27 * (len(rows) + len(kinds)))
    labels, told, y = [], [], -1
    plain: list[int] = []  # rows without words, through which a line may go
    for k, kind in enumerate(kinds):
        colour = SERIES[k % len(SERIES)]
        y += 1
        plain.append(y)
        labels.append((y, kind, colour))
        for family, name, cells in rows:
            if family != kind:
                continue
            y += 1
            labels.append((y, name, INK))
            if isinstance(cells[world], str):
                ax.text(0.02, y, cells[world], transform=ax.get_yaxis_transform(), va="center", size=9, color=FAINT)
                told.append(f"{name} {cells[world]}")
                continue
            plain.append(y)
            mean, low, high = mean_interval(real_array(f"{name} in {world}", cells[world]))
            ax.plot([low, high], [y, y], color=colour, lw=2)
            ax.plot(mean, y, _MARKS[k % len(_MARKS)], color=colour)
            told.append(f"{name} {_of(mean)} ({_of(low)} to {_of(high)})")
    for label, x in (lines or {}).items():
        for row in plain:
            ax.plot([x, x], [row - 0.5, row + 0.5], color=INK, lw=1, ls=":")
        ax.annotate(label, (x, 1), (0, 2), ("data", "axes fraction"), "offset points", ha="center", size=9)
        told.append(f"{label} {_of(x)}")
    ax.set(xlabel=xlabel, ylim=(y + 0.6, -0.6), yticks=[at for at, _, _ in labels])
    ax.set_yticklabels([label for _, label, _ in labels])
    for tick, (_, _, colour) in zip(ax.get_yticklabels(), labels, strict=True):
        tick.set_color(colour)
        tick.set_fontweight("normal" if colour == INK else "bold")
    ax.set_title(heading, pad=6 if lines is None else 16)
    ax.grid(axis="x", alpha=0.5)
    ax.tick_params(axis="y", length=0)
    ax.tick_params(color=FAINT)
    return picture(figure, f"{heading}, {xlabel}: {'; '.join(told)}.")


def _push_below(strip: Axes, label: str, at: float, slope: float, length: float) -> None:
    """Draw the strip below a curve: from where the actor stands, an arrow uphill."""
    strip.set(ylim=(-1, 1), xticks=[], yticks=[0], yticklabels=[f"{label}\n{signed(slope)}"])
    strip.plot([at, at], [-0.6, 0.6], color=INK, lw=1.5)
    strip.set_xlim(at - 1, at + 1)
    draw_push(strip, at, 0, length, 0, BLUE if slope > 0 else RED, thin=0.25)


def _best(actions: np.ndarray, Q: np.ndarray) -> str:
    return printed(actions[Q.argmax()], 2)


def _way(slope: float) -> str:
    return "nowhere" if slope == 0 else "up" if slope > 0 else "down"


def _clipped(ratio: Any, advantage: float, clip: float) -> Any:
    return np.minimum(ratio * advantage, np.clip(ratio, 1 - clip, 1 + clip) * advantage)


def _spans(name: str, value: Any) -> np.ndarray:
    spans = real_array(name, value)
    if spans.size == 0:
        return np.zeros((0, 2))
    if spans.ndim != 2 or spans.shape[1] != 2:
        raise ValueError(f"{name} has shape {spans.shape}, but (N, 2) was expected: when each began and ended")
    if (backwards := spans[:, 1] < spans[:, 0]).any():
        k = first(backwards)[0]
        raise ValueError(
            f"{entry(name, [k])} goes from {spans[k, 0]:g} to {spans[k, 1]:g}, but it must end after it begins"
        )
    return spans


def _counts(stale: Mapping[str, Any], name: str, size: int) -> np.ndarray:
    if name not in stale:
        raise ValueError(f"stale says nothing about {name}, but a number for each of its bars was expected")
    label = f"stale[{name!r}]"
    counts = real_array(label, stale[name], (size,))
    if (wrong := (counts < 0) | (counts != np.floor(counts))).any():
        where = first(wrong)
        raise ValueError(f"{entry(label, where)} is {counts[where]:g}, but a whole number of at least 0 was expected")
    return counts.astype(int)


def _row_of_bars(ax: Axes, spans: np.ndarray, y: float, colour: str) -> None:
    """Draw bars as one path: float[N, 2], where each begins and ends."""
    if len(spans):
        low, high = y - 0.34, y + 0.34
        corners = [[(a, low), (b, low), (b, high), (a, high), (a, low)] for a, b in spans]
        path = Path.make_compound_path(*(Path(c, closed=True) for c in corners))
        ax.add_patch(PathPatch(path, fc=(colour, 0.35), ec=colour, lw=0.8))


def _at_once(spans: np.ndarray) -> int:
    """Return how many of these were under way at the same time, at most; what ends as another begins does not overlap it."""
    if not len(spans):
        return 0
    times, change = spans.T.ravel(), np.repeat([1, -1], len(spans))
    return int(change[np.lexsort((change, times))].cumsum().max())


def _of(value: Any) -> str:
    return printed(value, 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2)
