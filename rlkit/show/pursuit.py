"""A chase on a grid: where everybody stands, and what one of them sees of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Circle, PathPatch, Polygon, Rectangle
from matplotlib.path import Path

from rlkit.core.checks import real_array, whole_number
from rlkit.show.picture import BLUE, FAINT, INK, LINE, RED, Picture, in_style, picture

CELL, SMALL = 0.3, 0.17
"""The side of a cell in inches: on a map, and on the planes, two of which fit beside each other on a phone."""
_DIAMOND = np.array([(0, 0.42), (0.42, 0), (0, -0.42), (-0.42, 0)])
_RAYS = np.arange(16) * np.pi / 8
_STAR = np.where(np.arange(16) % 2, 0.42, 0.62)[:, None] * np.stack([np.sin(_RAYS), np.cos(_RAYS)], axis=1)


@in_style
def chase(cells: Any, obstacles: Any, pursuers: int, title: str = "", caught: Any = None, alt: str = "") -> Picture:
    """Draw a map from above: pursuers are blue diamonds, evaders red circles, obstacles are grey, captures flash as stars.

    Several agents on one cell stand beside each other.

    Args:
        cells: int[agents, 2], where everybody stands, as (x, y), from the bottom left; -1 for an evader that was caught.
        obstacles: bool[W, H].
        pursuers: how many of the agents, the first ones, pursue.
        title: above the map.
        caught: int[k, 2], where somebody has just been caught, as (x, y); rows of -1 are passed over (default: nobody).
        alt: what the picture shows, in words (default: the title, where everybody is, and the captures).

    Raises:
        ValueError: arrays of other shapes, an agent or a capture that is not on a free cell of the map, or more pursuers than
            agents.
    """
    obstacles = np.asarray(obstacles, bool)
    if obstacles.ndim != 2:
        raise ValueError(f"obstacles has shape {obstacles.shape}, but (W, H) was expected")
    cells = _on_map("cells", cells, obstacles)
    flashes = _on_map("caught", np.zeros((0, 2)) if caught is None else caught, obstacles)
    flashes = flashes[flashes[:, 0] >= 0]
    pursuers = whole_number("pursuers", pursuers, 0)
    if pursuers > len(cells):
        raise ValueError(f"pursuers is {pursuers}, but cells has only {len(cells)} agents")
    figure, ax = _board(obstacles, CELL, title)
    on_map = [i for i in range(len(cells)) if cells[i, 0] >= 0]
    for i in on_map:
        here = [j for j in on_map if (cells[j] == cells[i]).all()]
        size = 1.0 if len(here) == 1 else 0.62
        shift = 0.0 if len(here) == 1 else 0.46 * (here.index(i) / (len(here) - 1) - 0.5)
        middle = cells[i] + (shift, 0.0)
        if i < pursuers:
            ax.add_patch(Polygon(middle + size * _DIAMOND, fc=BLUE, lw=0, zorder=3))
        else:
            ax.add_patch(Circle(tuple(middle), size * 0.3, fc="none", ec=RED, lw=2.6 * size, zorder=3))
    for place in np.unique(flashes, axis=0):
        ax.add_patch(Polygon(place + _STAR, fc="none", ec=RED, lw=1.4, joinstyle="miter", zorder=2))
    kinds = (("pursuers", cells[:pursuers]), ("evaders", cells[pursuers:]), ("captures", flashes))
    told = "; ".join(f"{name} at {_places(where)}" for name, where in kinds if len(where))
    return picture(figure, alt or ". ".join(filter(None, [title, told])))


@in_style
def four_planes(obs: Any, channels: Sequence[str] = ("background", "opponents", "allies", "self")) -> Picture:
    """Draw what one agent sees: its planes beside each other, with a number where several stand on one cell.

    Args:
        obs: float[C, W, H].
        channels: C names.

    Raises:
        ValueError: ``obs`` has not one plane for each name.
    """
    obs = real_array("obs", obs)
    if obs.ndim != 3 or len(obs) != len(channels):
        raise ValueError(f"obs has shape {obs.shape}, but ({len(channels)}, W, H) was expected: a plane for each name")
    drawn = []
    for plane, name in zip(obs, channels, strict=True):
        figure, ax = _board(np.zeros(plane.shape, bool), SMALL, name, size=10)
        for x, y in np.argwhere(plane > 0):
            ax.add_patch(Rectangle((x - 0.5, y - 0.5), 1, 1, fc=FAINT if plane[x, y] == 1 else INK, lw=0))
            if plane[x, y] != 1:
                ax.text(x, y, f"{plane[x, y]:g}", ha="center", va="center_baseline", size=8, color=LINE)
        at = [
            f"({x}, {y})" + (f" {plane[x, y]:g} times" if plane[x, y] != 1 else "") for x, y in np.argwhere(plane > 0)
        ]
        drawn.append(picture(figure, f"{name}: {', '.join(at) or 'nothing'}"))
    return Picture("".join(p.svg for p in drawn), "; ".join(p.alt for p in drawn))


@in_style
def cell_numbers(values: Any, title: str = "", digits: int = 0, alt: str = "") -> Picture:
    """Draw a number for each cell of a map, the cell the darker the larger the number.

    Args:
        values: float[W, H], not negative; a cell without a number is NaN, and stays empty.
        title: above the map.
        digits: after the point.
        alt: what the picture shows, in words (default: the title and the numbers, row by row from the top).

    Raises:
        ValueError: ``values`` of another shape, or negative ones.
    """
    values = real_array("values", values, finite=False)
    if values.ndim != 2 or (values < 0).any() or np.isinf(values).any():
        raise ValueError(
            f"values has shape {values.shape}, but finite numbers from 0 on in the shape (W, H) were expected"
        )
    top = float(np.nanmax(values)) or 1.0
    figure, ax = _board(np.zeros(values.shape, bool), 1.1 * CELL, title)
    for (x, y), value in np.ndenumerate(values):
        if not np.isnan(value):
            shade = round(0.6 * value / top, 2)
            ax.add_patch(Rectangle((x - 0.5, y - 0.5), 1, 1, fc=BLUE, alpha=shade, lw=0, zorder=0))
            ax.text(x, y, f"{value:.{digits}f}", ha="center", va="center_baseline", size=8)
    rows = "; ".join(" ".join("–" if np.isnan(v) else f"{v:.{digits}f}" for v in row) for row in values.T[::-1])
    return picture(figure, alt or ". ".join(filter(None, [title, rows])))


def _on_map(name: str, value: Any, obstacles: np.ndarray) -> np.ndarray:
    """Return int[k, 2], free cells of the map or (-1, -1), or raise ValueError."""
    cells = real_array(name, value)
    if cells.ndim != 2 or cells.shape[1] != 2:
        raise ValueError(f"{name} has shape {cells.shape}, but cells of the map in the shape (agents, 2) were expected")
    W, H = obstacles.shape
    for x, y in cells[(cells != -1).any(axis=1)]:
        if x not in range(W) or y not in range(H):
            raise ValueError(f"{name} has ({x:g}, {y:g}), which is no cell of the map of {W} x {H}")
        if obstacles[int(x), int(y)]:
            raise ValueError(f"{name} has ({x:g}, {y:g}), where an obstacle stands")
    return cells.astype(int)


def _places(cells: np.ndarray) -> str:
    return ", ".join(f"({x}, {y})" if x >= 0 else "nowhere, caught" for x, y in cells)


def _board(obstacles: np.ndarray, side: float, title: str, size: int = 12) -> tuple[Figure, Axes]:
    W, H = obstacles.shape
    head, edge = 0.3 if title else 0.0, 0.02
    figure = Figure(figsize=(W * side + 2 * edge, H * side + 2 * edge + head))
    ax = figure.add_axes((0, 0, 1, 1 - head / (H * side + 2 * edge + head)))
    margin = edge / side
    ax.set(xlim=(-0.5 - margin, W - 0.5 + margin), ylim=(-0.5 - margin, H - 0.5 + margin))
    ax.axis("off")
    lines = [[(-0.5, y - 0.5), (W - 0.5, y - 0.5)] for y in range(1, H)]
    lines += [[(x - 0.5, -0.5), (x - 0.5, H - 0.5)] for x in range(1, W)]
    if lines:
        ax.add_patch(PathPatch(Path.make_compound_path(*map(Path, lines)), fc="none", ec=LINE, lw=0.5))
    if obstacles.any():
        corners = np.array([(-0.5, -0.5), (0.5, -0.5), (0.5, 0.5), (-0.5, 0.5), (-0.5, -0.5)])
        blocks = Path.make_compound_path(*(Path(corners + cell, closed=True) for cell in np.argwhere(obstacles)))
        ax.add_patch(PathPatch(blocks, fc=FAINT, ec=FAINT, lw=0.5))
    ax.add_patch(Rectangle((-0.5, -0.5), W, H, fc="none", ec=FAINT, lw=1, clip_on=False))
    if title:
        ax.set_title(title, size=size, pad=6)
    return figure, ax
