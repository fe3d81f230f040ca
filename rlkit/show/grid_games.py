"""Two agents in a grid: where they begin, where each wants to go, barriers, and the paths that they took."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Circle, Polygon, Rectangle

from rlkit.core.checks import brief
from rlkit.mdp.worlds import Cell
from rlkit.show.picture import BLUE, FAINT, INK, LINE, RED, Picture, in_style, picture, words

CELL = 0.72
"""The side of a cell in inches: two boards of three cells stand beside each other on a page."""
_APART, _RADIUS = 0.11, 0.19
_HEAD = np.array([(-0.1, -0.06), (0.09, 0.0), (-0.1, 0.06)])  # points to the right


@in_style
def grid_game(
    starts: Sequence[Cell],
    goals: Sequence[Cell],
    paths: Sequence[Sequence[Cell]] = ((), ()),
    barriers: Sequence[Cell] = (),
    *,
    shape: tuple[int, int] = (3, 3),
    title: str = "",
    alt: str = "",
) -> Picture:
    """Draw a grid game of two agents: agent 1 in blue, agent 2 in red, their goals as letters, their paths as arrows.

    The paths run beside each other where they share a cell. Where both would first be in the same cell at the same time (and it
    is not a goal of both) a cross is drawn.

    Args:
        starts: where the agents begin: (row, column), from the top left.
        goals: where each of them wants to go.
        paths: for each the cells that it enters, step by step (default: none).
        barriers: cells with a barrier along the upper edge.
        shape: (rows, columns).
        title: above the grid.
        alt: what the picture shows, in words (default: the title, and who goes where).

    Raises:
        ValueError: a cell outside the grid, or not two of starts, goals and paths.
    """
    for name, value in (("starts", starts), ("goals", goals), ("paths", paths)):
        if len(value) != 2:
            raise ValueError(f"{name} is {brief(value)}, but one for each of two agents was expected")
    for row, column in (*starts, *goals, *barriers, *paths[0], *paths[1]):
        if not (0 <= row < shape[0] and 0 <= column < shape[1]):
            raise ValueError(f"the cell {(row, column)} is outside a grid of {shape[0]} x {shape[1]}")
    figure, ax = _board(shape, title)
    for row, column in barriers:
        ax.plot([column - 0.5, column + 0.5], [row - 0.5, row - 0.5], color=INK, lw=5, ls=(0, (2, 1)), clip_on=False)
    shared = goals[0] == goals[1]
    for i, (goal, colour) in enumerate(zip(goals, (BLUE, RED), strict=True)):
        row, column = goal
        if not (shared and i):
            text = "goal" if shared else f"goal {i + 1}"
            ax.text(column, row - 0.36, text, ha="center", va="center", size=10)
        ax.add_patch(
            Rectangle((column - 0.46, row - 0.46), 0.92, 0.92, fc="none", ec=INK if shared else colour, lw=1.5)
        )
    for i, (start, path, colour) in enumerate(zip(starts, paths, (BLUE, RED), strict=True)):
        _way(ax, [start, *path], _APART * (2 * i - 1), colour)
        row, column = start
        aside = _APART * (2 * i - 1) * bool(path)
        ax.add_patch(Circle((column + aside, row + aside), _RADIUS, fc="none", ec=colour, lw=2.5))
        ax.text(column + aside, row + aside, str(i + 1), ha="center", va="center_baseline", size=11)
    met = [a for a, b in zip(*paths, strict=False) if a == b and not (shared and a == goals[0])][:1]
    for row, column in met:
        for slope in (1, -1):
            ax.plot([column - 0.3, column + 0.3], [row - 0.3 * slope, row + 0.3 * slope], color=INK, lw=3, zorder=5)
    return picture(figure, alt or _told(starts, goals, paths, barriers, met, title))


def _way(ax: Axes, cells: list[Cell], shift: float, colour: str) -> None:
    """Draw a path as a line with a head at each step, moved aside so that two paths in one cell can be told apart."""
    at = np.array([(column + shift, row + shift) for row, column in cells])
    if len(at) < 2:
        return
    step = at[1] - at[0]
    out = at[0] + _RADIUS * step / max(np.hypot(*step), _RADIUS)  # where it leaves the circle at its start
    ax.plot(*np.vstack([out, at[1:]]).T, color=colour, lw=2.5, solid_joinstyle="round")
    for a, b in zip(at[:-1], at[1:], strict=True):
        x, y = (b - a) / max(np.hypot(*(b - a)), 1e-9)
        turn = np.array([(x, y), (-y, x)])
        ax.add_patch(Polygon(_HEAD * 1.5 @ turn + a + 0.62 * (b - a), fc=colour, lw=0, zorder=3))


def _told(
    starts: Sequence[Cell],
    goals: Sequence[Cell],
    paths: Sequence[Sequence[Cell]],
    barriers: Sequence[Cell],
    met: Sequence[Cell],
    title: str,
) -> str:
    place = lambda cell: f"row {cell[0] + 1}, column {cell[1] + 1}"  # noqa: E731
    parts = [title] if title else []
    for i in (0, 1):
        told = f"agent {i + 1} begins at {place(starts[i])} and wants to {place(goals[i])}"
        parts.append(told + (", by way of " + "; ".join(place(cell) for cell in paths[i]) if paths[i] else ""))
    if barriers:
        parts.append("a barrier above " + words([place(cell) for cell in barriers]))
    if met:
        parts.append("they meet first at " + words([place(cell) for cell in met]))
    return ". ".join(part[:1].upper() + part[1:] for part in parts)


def _board(shape: tuple[int, int], title: str) -> tuple[Figure, Axes]:
    rows, columns = shape
    head, edge = (0.32 if title else 0.0), 0.05
    height = rows * CELL + head + 2 * edge
    figure = Figure(figsize=(columns * CELL + 2 * edge, height))
    ax = figure.add_axes((0, 0, 1, 1 - head / height))
    margin = edge / CELL
    ax.set(xlim=(-0.5 - margin, columns - 0.5 + margin), ylim=(rows - 0.5 + margin, -0.5 - margin))
    ax.axis("off")
    for row, column in np.ndindex(rows, columns):
        ax.add_patch(Rectangle((column - 0.5, row - 0.5), 1, 1, fc="none", ec=LINE, lw=0.8))
    ax.add_patch(Rectangle((-0.5, -0.5), columns, rows, fc="none", ec=FAINT, lw=1.2, clip_on=False))
    if title:
        figure.text(0.5, 1 - head / 2 / height, title, ha="center", va="center", size=12)
    return figure, ax
