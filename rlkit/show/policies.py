"""Policies as distributions over actions: what a car may do next, and what one step of policy gradient does to it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, Polygon

from rlkit.core.checks import distribution, entry, first, number, real_array, whole_number
from rlkit.show.driving import draw_car, draw_road
from rlkit.show.grids import number as printed
from rlkit.show.picture import AMBER, BLUE, FAINT, INK, RED, Picture, in_style, picture, side_by_side

# Metres from the car's rear axle to the foot of a bar, and to the end of one of probability 1.
_NEAR, _REACH = 4.0, 17.0
_SHARP = 0.05  # the std, in radians, whose density reaches as far


@in_style
def two_action_spaces(angles: Any, probabilities: Any, mean: float, std: float) -> Picture:
    """Draw the same car on the same road twice: with a few directions to choose from, and with every steering angle.

    On the left, bars: the probability of a direction is the length of its bar, and 1 reaches to its number. On the right,
    a fan: the probability of angles between two rays is the share of the fan's area between them, and that area is the
    same for every mean and std.

    Args:
        angles: float[A], the directions in radians from straight ahead to the left, at most pi / 2.
        probabilities: float[A], of each direction.
        mean, std: of a Gaussian over the steering angle, in radians; std is at least 0.02.

    Raises:
        ValueError: arrays that do not fit, probabilities that are none, or a number outside its bounds.
    """
    angles = real_array("angles", angles)
    if angles.ndim != 1 or not angles.size:
        raise ValueError(f"angles has shape {angles.shape}, but one angle for each direction was expected")
    if (abs(angles) > np.pi / 2).any():
        where = first(abs(angles) > np.pi / 2)
        raise ValueError(f"{entry('angles', where)} is {angles[where]:g}, but it must lie in [-pi/2, pi/2]")
    pi = real_array("probabilities", probabilities, angles.shape)
    distribution("probabilities", pi, tol=1e-6)
    mean, std = number("mean", mean, -np.pi / 2, np.pi / 2), number("std", std, 0.02, np.inf)
    return side_by_side(_few(angles, pi), _all(mean, std))


@in_style
def policy_step(
    before: Any,
    after: Any,
    action: int,
    change: Any,
    labels: Sequence[str],
    *,
    top: float = 0,
    title: str = "",
    alt: str = "",
) -> Picture:
    """Draw what one step of policy gradient does to a softmax policy in one state.

    Args:
        before, after: float[A], the probabilities of the actions before the step and after it.
        action: the one that was sampled.
        change: float[A], what pushes each logit: the gradient of log pi(action | s), times how good it was.
        labels: A names.
        top: the size of ``change`` that has the longest arrow, to compare pictures (default: the largest in it).
        title: above the picture, such as the reward and the baseline.
        alt: what the picture shows, in words (default: the title and the numbers).

    Raises:
        ValueError: arrays that do not fit, probabilities that are none, or an action that does not exist.
    """
    if not labels:
        raise ValueError("labels is empty: there is nothing to draw")
    A = len(labels)
    before, after, change = (
        real_array(name, value, (A,)) for name, value in (("before", before), ("after", after), ("change", change))
    )
    distribution("before", before, tol=1e-6)
    distribution("after", after, tol=1e-6)
    action = int(number("action", whole_number("action", action, 0), 0, A - 1))
    top = number("top", top, 0, np.inf) or abs(change).max() or 1.0
    figure, ax, strip = two_rows(title, max(4.4, 1.0 + 0.95 * A), gap=0.55)
    for axes in (ax, strip):
        axes.set(xlim=(-0.5, A - 0.5))
    strip.set(ylim=(-1.1, 1.1), xticks=[], yticks=[0], yticklabels=["push on\nits logit"])
    strip.plot([-0.5, A - 0.5], [0, 0], color=FAINT, lw=1)
    told = []
    for a in range(A):
        ax.bar(a, after[a], width=0.6, color=_rising(after[a] - before[a]), alpha=0.4, lw=0)
        ax.bar(a, before[a], width=0.6, fc="none", ec=INK, lw=1.5, ls=(0, (3, 2)))
        share = f"{100 * before[a]:.0f} → {100 * after[a]:.0f} %"
        ax.text(a, max(before[a], after[a]) + 0.03, share, ha="center", size=10)
        draw_push(strip, a, 0, 0, change[a] / top, _rising(change[a]), thin=0.08)
        strip.text(a + 0.16, 0.5 * (-1 if change[a] < 0 else 1), signed(change[a]), va="center", size=10)
        told.append(f"{labels[a]} {share}, its logit {signed(change[a])}")
    ax.plot(action, -0.06, "o", color=AMBER, ms=9, clip_on=False)
    ax.set(ylim=(0, 1.1), yticks=[0, 0.5, 1], yticklabels=["0", "0.5", "1"])
    ax.set(xticks=range(A), xticklabels=labels, ylabel="π(a | s)")
    ax.tick_params(axis="x", length=0, pad=13, labelsize=11)
    _key(ax, FAINT)
    return picture(figure, alt or f"{f'{title}. ' if title else ''}{labels[action]} was sampled. {'; '.join(told)}.")


@in_style
def gaussian_step(
    before: tuple[float, float],
    after: tuple[float, float],
    action: float,
    change: tuple[float, float],
    *,
    xlabel: str = "a",
    xlim: tuple[float, float] | None = None,
    top: float = 0,
    title: str = "",
    alt: str = "",
) -> Picture:
    """Draw what one step of policy gradient does to a Gaussian policy in one state.

    Args:
        before, after: (mean, std) before the step and after it.
        action: the one that was sampled.
        change: what pushes the mean and the logarithm of the std: the gradients of log pi(action | s), times how good
            it was.
        xlabel: what an action is.
        xlim: the ends of the axis of actions (default: the mean before and four std to each side).
        top, title, alt: as for :func:`policy_step`.

    Raises:
        ValueError: not two numbers, a std that is not positive, or an axis that ends before it begins.
    """
    pairs = {}
    for name, pair in (("before", before), ("after", after)):
        pairs[name] = real_array(name, pair, (2,))
        if pairs[name][1] <= 0:
            raise ValueError(f"{name}[1] is {pairs[name][1]:g}, but a std must be positive")
    (mean, std), (new_mean, new_std) = pairs["before"], pairs["after"]
    action, push = float(real_array("action", action, ())), real_array("change", change, (2,))
    low, high = real_array("xlim", (mean - 4 * std, mean + 4 * std) if xlim is None else xlim, (2,))
    if low >= high:
        raise ValueError(f"xlim goes from {low:g} to {high:g}, but the first number must be the lower one")
    top = number("top", top, 0, np.inf) or abs(push).max() or 1.0
    figure, ax, strip = two_rows(title, 5.2, gap=0.65)
    x = np.linspace(low, high, 121)
    ax.fill(np.r_[low, x, high], np.r_[0, _density(x, new_mean, new_std), 0], color=BLUE, alpha=0.4, lw=0)
    ax.plot(x, _density(x, mean, std), color=INK, lw=1.5, ls=(0, (3, 2)))
    ax.plot([action, action], [0, _density(action, mean, std)], color=AMBER, lw=2)
    ax.plot(action, 0, "o", color=AMBER, ms=9, clip_on=False, zorder=3)
    # What the policy was before sets the scale, for pictures of different steps: a sharper one may leave through the top.
    ax.set(xlim=(low, high), ylim=(0, 2 * _density(mean, mean, std)), xlabel=xlabel, ylabel="π(a | s)")
    strip.set(xlim=(low, high), ylim=(-2, 2), xticks=[], yticks=[1, -1])
    strip.set_yticklabels([f"{name}\n{signed(v)}" for name, v in zip(("mean", "log std"), push, strict=True)])
    for y, value, marks in ((1, push[0], [(mean, 1)]), (-1, push[1], [(mean - std, -1), (mean + std, 1)])):
        for at, way in marks:
            strip.plot([at, at], [y - 0.5, y + 0.5], color=INK, lw=1.5)
            draw_push(strip, at, y, way * value / top * (high - low) / 8, 0, _rising(value), thin=0.2)
    _key(ax, BLUE)
    return picture(
        figure,
        alt
        or f"{f'{title}. ' if title else ''}{printed(action, 2)} was sampled. Mean {printed(mean, 2)} → "
        f"{printed(new_mean, 2)}, pushed by {signed(push[0])}; std {printed(std, 2)} → {printed(new_std, 2)}, its "
        f"logarithm pushed by {signed(push[1])}.",
    )


def _few(angles: np.ndarray, pi: np.ndarray) -> Picture:
    figure, ax = _bend("a choice of directions")
    for angle, p in zip(angles, pi, strict=True):
        ray = np.array([-np.sin(angle), np.cos(angle)])
        ax.plot(*np.outer([_NEAR, _REACH], ray).T, color=FAINT, lw=1, ls=":")
        bar = np.outer([_NEAR, _NEAR + p * (_REACH - _NEAR)], ray)
        ax.plot(*bar.T, color=RED, lw=7, solid_capstyle="butt")
        ax.text(*(_REACH + 1.0) * ray, f"{100 * p:.0f} %", ha="center", va="center", size=10)
    draw_car(ax, np.zeros(2), np.pi / 2, 0.0)
    told = ", ".join(f"{100 * p:.0f} % for {_degrees(a)}" for a, p in zip(angles, pi, strict=True))
    return picture(figure, f"A car and the directions it may choose, as bars: {told}")


def _all(mean: float, std: float) -> Picture:
    figure, ax = _bend(f"any angle: mean {_degrees(mean)}, std {np.degrees(std):.0f}°")
    angle = np.linspace(max(mean - 4 * std, -np.pi / 2), min(mean + 4 * std, np.pi / 2), 61)
    # The area between the radii r0 and r is the integral of (r^2 - r0^2) / 2 over the angle.
    widest = (_REACH**2 - _NEAR**2) / _density(0, 0, _SHARP)
    far = np.sqrt(_NEAR**2 + widest * _density(angle, mean, std))
    ring = np.column_stack([-np.sin(angle), np.cos(angle)])
    ax.add_patch(Polygon(np.vstack([far[:, None] * ring, _NEAR * ring[::-1]]), fc=RED, alpha=0.5, lw=0))
    ax.plot(*np.outer([_NEAR, _REACH], (-np.sin(mean), np.cos(mean))).T, color=INK, lw=1, ls=":")
    draw_car(ax, np.zeros(2), np.pi / 2, 0.0)
    return picture(
        figure,
        f"The same car, and a Gaussian over its steering angle as a fan: mean {_degrees(mean)}, "
        f"standard deviation {np.degrees(std):.0f}°",
    )


def _bend(title: str) -> tuple[Figure, Axes]:
    """Return a bend to the left, seen by whoever drives upwards from the origin, and its axes in metres."""
    wide, tall, head = 3.1, 3.1, 0.3
    figure = Figure(figsize=(wide, tall + head))
    figure.text(0.5, 1 - head / 2 / (tall + head), title, ha="center", va="center", size=12)
    ax = figure.add_axes((0, 0, 1, tall / (tall + head)))
    ax.set(xlim=(-11.5, 11.5), ylim=(-3, 20))
    ax.axis("off")
    metres = np.arange(0, 40, 2.0)
    turn = 0.9 * np.clip((metres - 8) / 14, 0, 1)  # how far the road has turned to the left
    middle = np.column_stack([-np.sin(turn), np.cos(turn)]).cumsum(axis=0) * 2 - (0, 8)
    side = 3 * np.column_stack([np.cos(turn), np.sin(turn)])
    draw_road(ax, middle - side, middle + side)
    return figure, ax


def two_rows(title: str, wide: float, gap: float, strip: float = 0.95) -> tuple[Figure, Axes, Axes]:
    """Return a figure with a place for a policy, and ``gap`` inches below it a strip, so high, for what pushes it.

    Their places do not depend on what they hold: in a player nothing jumps.
    """
    left, right, plot, head = 0.85, 0.1, 2.0, 0.35 + 0.3 * bool(title)
    rows = head + plot + gap + strip
    figure = Figure(figsize=(wide, rows))
    if title:
        figure.text(
            (left + (wide - left - right) / 2) / wide, 1 - 0.15 / rows, title, ha="center", va="center", size=12
        )
    beside = left / wide, 1 - (left + right) / wide
    above = figure.add_axes((beside[0], (strip + gap) / rows, beside[1], plot / rows))
    below = figure.add_axes((beside[0], 0, beside[1], strip / rows))
    below.spines[:].set_visible(False)
    below.tick_params(length=0)
    return figure, above, below


def _key(ax: Axes, colour: str) -> None:
    """Draw the legend above a policy, where no bar or curve can reach."""
    kinds = [
        Patch(fc="none", ec=INK, lw=1.5, ls=(0, (3, 2)), label="before"),
        Patch(fc=colour, alpha=0.4, lw=0, label="after"),
        Line2D([], [], marker="o", ms=9, color=AMBER, ls="", label="sampled"),
    ]
    ax.legend(handles=kinds, loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=3, borderaxespad=0.2)


def draw_push(ax: Axes, x: float, y: float, dx: float, dy: float, colour: str, thin: float) -> None:
    """Draw an arrow along one of the axes; ``thin`` is its width, in units of the other axis."""
    if dx or dy:
        head = min(0.5 * abs(dx + dy), 0.3 * (np.ptp(ax.get_xlim()) / 8 if dx else 1))
        ax.arrow(
            x, y, dx, dy, fc=colour, lw=0, width=thin, head_width=3 * thin, head_length=head, length_includes_head=True
        )


def _rising(value: float) -> str:
    """Return the colour of what rises, falls or stays."""
    return FAINT if abs(value) < 5e-4 else BLUE if value > 0 else RED


def signed(value: float) -> str:
    """Return a number for a figure, with two decimals and its sign."""
    text = printed(value, 2)
    return text if text in ("0.00", "0") or text.startswith("−") else f"+{text}"


def _degrees(angle: float) -> str:
    text = f"{abs(np.degrees(angle)):.0f}°"
    return text if text == "0°" else f"{text} {'left' if angle > 0 else 'right'}"


def _density(x: Any, mean: float, std: float) -> Any:
    return np.exp(-(((x - mean) / std) ** 2) / 2) / (std * np.sqrt(2 * np.pi))
