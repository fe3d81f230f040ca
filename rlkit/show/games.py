"""Single moments of small worlds: what an agent sees of a MinAtar game, and a cart with its pole."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch, Rectangle
from matplotlib.path import Path

from rlkit.core.checks import mask_array, real_array
from rlkit.show.grids import number
from rlkit.show.picture import BLUE, FAINT, INK, LINE, RED, SERIES, Picture, in_style, picture

PIXEL, SMALL = 0.24, 0.092
"""The side of a pixel in inches: in one picture of all planes, and of planes apart, three of which fit on a phone."""
TRACK, LEAN = 2.4, 12.0
"""Where an episode of CartPole ends: metres from the middle, and degrees from upright."""
_COLOURS = (*SERIES, INK, FAINT)
_SQUARE = np.array([(-0.5, -0.5), (0.5, -0.5), (0.5, 0.5), (-0.5, 0.5), (-0.5, -0.5)])


@in_style
def planes(obs: Any, channels: Sequence[str], title: str = "", alt: str = "") -> Picture:
    """Draw the planes of an observation as one picture: a colour for each, with its name beside the picture.

    Where a pixel is set in several planes, it shows squares within squares.

    Args:
        obs: bool[C, rows, columns].
        channels: C names.
        title: above the picture, such as the step and the return so far.
        alt: what the picture shows, in words (default: the title, and where each plane is set; rows and columns are
            counted from 0, as in ``obs``).

    Raises:
        ValueError: ``obs`` has not one plane for each name, or holds other numbers than 0 and 1.
    """
    obs = _checked(obs, channels)
    rows, columns = obs.shape[1:]
    figure, ax = _screen((rows, columns), PIXEL, title, right=1.3)
    earlier = obs.cumsum(axis=0) - obs  # planes before this one in which the pixel is set
    apart = min(1.2, rows / len(channels))
    for c, name in enumerate(channels):
        colour, hollow = _COLOURS[c % len(_COLOURS)], c >= len(_COLOURS)
        for depth in np.unique(earlier[c][obs[c]]):
            _squares(ax, np.argwhere(obs[c] & (earlier[c] == depth)), 0.92 * 0.6**depth, colour, hollow)
        line = apart * (c + 0.5) - 0.5
        _squares(ax, np.array([(line, columns + 0.3)]), 0.7, colour, hollow)
        ax.text(columns + 0.9, line, name, va="center_baseline", size=9)
    return picture(figure, alt or ". ".join(filter(None, [title, _where(obs, channels)])))


@in_style
def planes_apart(obs: Any, channels: Sequence[str]) -> Picture:
    """Draw the planes of an observation beside each other, each with its name.

    Args:
        obs: bool[C, rows, columns].
        channels: C names.

    Raises:
        ValueError: as in :func:`planes`.
    """
    obs = _checked(obs, channels)
    drawn = []
    for c, name in enumerate(channels):
        figure, ax = _screen(obs.shape[1:], SMALL, name, size=9)
        _squares(ax, np.argwhere(obs[c]), 1.0, INK)
        drawn.append(picture(figure, _where(obs[c : c + 1], [name])))
    return Picture("".join(p.svg for p in drawn), "; ".join(p.alt for p in drawn))


@in_style
def cartpole(state: Any, title: str = "", alt: str = "") -> Picture:
    """Draw the cart and its pole on the track, and dotted how far the pole may lean.

    Args:
        state: (position in m, velocity in m/s, angle in rad, angular velocity in rad/s); to the right is positive.
        title: above the picture.
        alt: what the picture shows, in words (default: the title and the state; angles in degrees).

    Raises:
        ValueError: not four finite numbers.
    """
    x, speed, angle, turn = (float(v) for v in real_array("state", state, (4,)))
    half, low, high, scale, head = 2.75, -0.42, 1.4, 0.9, 0.3 if title else 0.0
    height = scale * (high - low)
    figure = Figure(figsize=(2 * scale * half, height + head))
    ax = figure.add_axes((0, 0, 1, height / (height + head)))
    ax.set(xlim=(-half, half), ylim=(low, high))
    ax.axis("off")
    if title:
        figure.text(0.5, 1 - head / 2 / (height + head), title, ha="center", va="center", size=12)
    ax.plot([-TRACK, TRACK], [0, 0], color=FAINT, lw=1.5)
    for end in (-TRACK, 0, TRACK):
        ax.plot([end, end], [-0.07, 0.07 if end else 0], color=FAINT, lw=1.5)
        ax.text(end, -0.27, f"{number(end, 1)} m" if end else "0", ha="center", va="center", size=10)
    ax.add_patch(Rectangle((x - 0.25, 0.03), 0.5, 0.25, fc=BLUE, lw=0))
    for lean in np.radians([-LEAN, LEAN]):
        ax.plot([x, x + 1.15 * np.sin(lean)], [0.28, 0.28 + 1.15 * np.cos(lean)], color=FAINT, lw=1, ls=":")
    tip = x + np.sin(angle), 0.28 + np.cos(angle)
    ax.plot([x, tip[0]], [0.28, tip[1]], color=RED, lw=5, solid_capstyle="round")
    told = (
        f"The cart is at {number(x, 2)} m and moves at {number(speed, 2)} m/s; its pole leans by "
        f"{number(np.degrees(angle), 1)} degrees and turns at {number(np.degrees(turn), 0)} degrees a second"
    )
    return picture(figure, alt or ". ".join(filter(None, [title, told])))


def _checked(obs: Any, channels: Sequence[str]) -> np.ndarray:
    shape = np.shape(obs)
    if not channels:
        raise ValueError("channels is empty: there is nothing to draw")
    if len(shape) != 3 or shape[0] != len(channels):
        raise ValueError(
            f"obs has shape {shape}, but ({len(channels)}, rows, columns) was expected: a plane for each name"
        )
    return mask_array("obs", obs, shape)


def _screen(shape: tuple[int, int], side: float, title: str, right: float = 0, size: int = 12) -> tuple[Figure, Axes]:
    """Return a figure of pixels with the given side, and room of ``right`` inches beside them, and its axes."""
    rows, columns = shape
    head, edge = (0.3 if title else 0.0), 0.02
    width, height = columns * side + 2 * edge + right, rows * side + 2 * edge + head
    figure = Figure(figsize=(width, height))
    ax = figure.add_axes((0, 0, 1, 1 - head / height))
    margin = edge / side
    ax.set(xlim=(-0.5 - margin, columns - 0.5 + margin + right / side), ylim=(rows - 0.5 + margin, -0.5 - margin))
    ax.axis("off")
    across = [[(-0.5, y - 0.5), (columns - 0.5, y - 0.5)] for y in range(1, rows)]
    down = [[(x - 0.5, -0.5), (x - 0.5, rows - 0.5)] for x in range(1, columns)]
    lines = Path.make_compound_path(*(Path(line) for line in across + down))
    ax.add_patch(PathPatch(lines, fc="none", ec=LINE, lw=0.5, clip_on=False))
    ax.add_patch(Rectangle((-0.5, -0.5), columns, rows, fc="none", ec=FAINT, lw=1, clip_on=False))
    if title:
        middle = (columns * side / 2 + edge) / width
        figure.text(middle, 1 - head / 2 / height, title, ha="center", va="center", size=size)
    return figure, ax


def _squares(ax: Axes, cells: np.ndarray, side: float, colour: str, hollow: bool = False) -> None:
    """Draw a square in each of the cells, given as (row, column): one path, because a player holds sixty pictures."""
    if len(cells):
        path = Path.make_compound_path(*(Path(side * _SQUARE + cell[::-1], closed=True) for cell in cells))
        edge = {"fc": "none", "ec": colour, "lw": 2} if hollow else {"fc": colour, "lw": 0}
        ax.add_patch(PathPatch(path, clip_on=False, **edge))


def _where(obs: np.ndarray, channels: Sequence[str]) -> str:
    """Say in words where each plane is set."""
    told = []
    for plane, name in zip(obs, channels, strict=True):
        cells = np.argwhere(plane)
        if len(cells) == 0:
            told.append(f"{name}: nothing")
        elif len(cells) <= 3:
            told.append(f"{name}: " + " and ".join(f"row {row}, column {column}" for row, column in cells))
        else:
            (top, left), (bottom, right) = cells.min(axis=0), cells.max(axis=0)
            told.append(f"{name}: {len(cells)} pixels in rows {top} to {bottom}, columns {left} to {right}")
    return "; ".join(told)
