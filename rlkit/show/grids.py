"""Worlds drawn as grids: values as colour and number, policies as arrows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Polygon, Rectangle

from rlkit.core.checks import real_array
from rlkit.mdp.operators import policy_matrix, random_policy
from rlkit.mdp.worlds import GridWorld
from rlkit.show.picture import BLUE, FAINT, INK, LINE, RED, SERIES, Picture, in_style, picture

CELL = 0.62
"""The side of a cell in inches: a grid of nine columns just fills the page."""
_ARROW = np.array([(-0.16, 0.11), (0.14, 0.11), (0.0, -0.13)])  # points up: rows count downwards


def values(world: GridWorld, V: Any, policy: Any = None, title: str = "", digits: int = 0, top: float = 0) -> Picture:
    """Draw V(s) in every cell, as number and as colour: blue above 0, red below, deeper for larger.

    Args:
        world: where the cells are.
        V: float[S].
        policy: int[S] or float[S, A], drawn as arrows; where several actions share, several arrows.
        title: above the grid.
        digits: decimals.
        top: the size of V at which the colour is deepest, to compare pictures (default: the largest in V).
    """
    V = real_array("V", V, (_drawable(world).n_states,))
    text = ["" if world.terminal[s] and s in world.marks else number(v, digits) for s, v in enumerate(V)]
    return grid(world, colour=V, text=text, policy=policy, title=title, top=top)


@in_style
def grid(
    world: GridWorld,
    *,
    colour: Any = None,
    text: Sequence[str] | None = None,
    kinds: Sequence[int] | None = None,
    policy: Any = None,
    path: Sequence[int] = (),
    at: int | None = None,
    title: str = "",
    top: float = 0,
    alt: str = "",
) -> Picture:
    """Draw a world: any of colours, texts, arrows, a path, and where the agent is.

    Args:
        world: where the cells are.
        colour: float[S], drawn as in :func:`values`.
        text: a string for every state.
        kinds: int[S], cells of the same kind get the same colour; a negative kind gets none.
        policy: int[S] or float[S, A], drawn as arrows; a row of zeros draws none.
        path: states joined by a line.
        at: the state in which the agent stands, marked by a ring.
        title: above the grid.
        top: the size of ``colour`` at which it is deepest (default: its largest).
        alt: what the picture shows, in words (default: the title and the texts, row by row).
    """
    figure, ax = _board(_drawable(world).shape, CELL, title)
    pi = None if policy is None else _weights(world, policy)
    shade = np.zeros(world.n_states) if colour is None else real_array("colour", colour, (world.n_states,))
    top = top or abs(shade).max() or 1.0
    for row, column in sorted({*np.ndindex(*world.shape)} - {*world.cells}):
        ax.add_patch(Rectangle((column - 0.5, row - 0.5), 1, 1, fc=LINE, lw=0, clip_on=False))  # a wall
    for s, (row, column) in enumerate(world.cells):
        hue, depth = (BLUE if shade[s] > 0 else RED), 0.55 * min(abs(shade[s]) / top, 1)
        if kinds is not None and kinds[s] >= 0:
            hue, depth = SERIES[kinds[s] % len(SERIES)], 0.4
        _cell(ax, row, column, (hue, depth))
        says = text[s] if text is not None else ""
        mark = world.marks.get(s, "")
        arrows = pi is not None and not world.terminal[s]
        if says:
            ax.text(column, row + (0.2 if arrows else 0), says, ha="center", va="center", size=9 if arrows else 11)
        if says or arrows:
            ax.text(column - 0.44, row - 0.26, mark, size=8)
        else:
            ax.text(column, row, mark, ha="center", va="center", weight="bold", size=13)
        if arrows:
            assert pi is not None
            _arrows(ax, world, s, pi[s], row - (0.14 if says else 0), column)
    if len(path):
        y, x = np.transpose([world.cells[s] for s in path])
        ax.plot(x, y, color=RED, lw=3, alpha=0.8, solid_capstyle="round", solid_joinstyle="round")
    if at is not None:
        row, column = world.cells[at]
        ax.plot([column], [row], "o", ms=20, mfc="none", mec=RED, mew=2.5)
    return picture(figure, alt or _describe(world, title, text, pi))


@in_style
def action_values(
    world: GridWorld,
    Q: Any,
    title: str = "",
    digits: int = 0,
    best: bool = True,
    *,
    changed: tuple[int, int] | None = None,
    looked: int | None = None,
) -> Picture:
    """Draw a number for every action that exists, at the side of the cell to which the action leads.

    Args:
        world: where the cells are.
        Q: float[S, A]; entries of actions that do not exist are not drawn.
        title: above the grid.
        digits: decimals.
        best: shade the best actions of each state.
        changed: a state and an action whose entry an update has just written: framed, with an arrow for the action.
        looked: the state whose entries the update looked at: dotted.
    """
    Q = real_array("Q", Q, (_drawable(world).n_states, world.n_actions), finite=False)
    figure, ax = _board(world.shape, 1.75 * CELL, title)
    told = []
    for s, (row, column) in enumerate(world.cells):
        _cell(ax, row, column, "none")
        if s in world.marks and world.terminal[s]:
            ax.text(column, row, world.marks[s], ha="center", va="center", weight="bold", size=13)
        if world.terminal[s]:
            continue
        exists = [a for a in range(world.n_actions) if world.available[s, a]]
        most = max(Q[s, a] for a in exists)
        for a in exists:
            dr, dc = world.moves[a]
            y, x = row + 0.3 * dr, column + 0.3 * dc
            if best and Q[s, a] >= most - 1e-9 * max(1, abs(most)):
                corners = [(column, row), (column + 0.5 * (dc + dr), row + 0.5 * (dr - dc))]
                corners += [(column + 0.5 * (dc - dr), row + 0.5 * (dr + dc))]
                ax.add_patch(Polygon(corners, fc=BLUE, alpha=0.3, lw=0))
            ax.text(x, y, number(Q[s, a], digits), ha="center", va="center", size=10)
            if (s, a) == changed:
                ax.add_patch(Rectangle((x - 0.2, y - 0.13), 0.4, 0.26, fc="none", ec=RED, lw=2))
            told.append(f"{world.states[s]} {world.actions[a]} {number(Q[s, a], digits)}")
        for d in ((-0.5, -0.5), (-0.5, 0.5)):
            ax.plot([column + d[0], column - d[0]], [row + d[1], row - d[1]], color=LINE, lw=0.8, zorder=0.5)
    if looked is not None:
        row, column = world.cells[looked]
        ax.add_patch(Rectangle((column - 0.46, row - 0.46), 0.92, 0.92, fc="none", ec=RED, lw=1.5, ls=":"))
    if changed is not None:
        s, a = changed
        _arrows(ax, world, s, np.eye(world.n_actions)[a], *world.cells[s])
        told.append(f"just written: {world.states[changed[0]]} {world.actions[changed[1]]}")
    return picture(figure, (title + ". " if title else "") + "; ".join(told))


def number(value: float, digits: int) -> str:
    """Return a number for a figure: rounded, with a true minus sign and no negative zero."""
    text = f"{value:.{digits}f}"
    if float(text) == 0:
        text = text.lstrip("-")
    return text.replace("-", "−")


def _drawable(world: GridWorld) -> GridWorld:
    if not isinstance(world, GridWorld):
        raise ValueError(f"a GridWorld can be drawn, which knows its cells; this is a {type(world).__name__}")
    return world


def _weights(world: GridWorld, policy: Any) -> np.ndarray:
    weights = np.asarray(policy, float)
    silent = weights.sum(axis=1) == 0 if weights.ndim == 2 else np.zeros(world.n_states, bool)
    if not silent.any():
        return policy_matrix(world, policy)
    return np.where(silent[:, None], 0, policy_matrix(world, np.where(silent[:, None], random_policy(world), weights)))


def _cell(ax: Axes, row: float, column: float, colour: Any) -> None:
    square = Rectangle((column - 0.5, row - 0.5), 1, 1, fc=colour, ec=FAINT, lw=0.8)
    ax.add_patch(square).set_clip_on(False)


def _arrows(ax: Axes, world: GridWorld, s: int, pi: np.ndarray, row: float, column: float) -> None:
    chosen = np.flatnonzero(pi > 0)
    for a in chosen:
        dr, dc = world.moves[a]
        if (dr, dc) == (0, 0):
            ax.plot([column], [row], "o", ms=4, color=INK)
            continue
        along = np.array([dc, dr]) / np.hypot(dc, dr)
        turn = np.array([[-along[1], -along[0]], [along[0], -along[1]]])  # takes "up" to the move's direction
        shift = 0.15 * along if len(chosen) > 1 else 0
        size = (1.0, 0.75, 0.6, 0.6)[min(len(chosen), 4) - 1]
        ax.add_patch(Polygon(size * _ARROW @ turn.T + [column, row] + shift, fc=INK, lw=0, clip_on=False))


def _board(shape: tuple[int, int], side: float, title: str) -> tuple[Figure, Axes]:
    """Return a figure that a grid of the given shape just fills; one unit of its axes is one cell."""
    rows, columns = shape
    head, edge = (0.3 if title else 0.0), 0.03
    height = rows * side + head + 2 * edge
    figure = Figure(figsize=(columns * side + 2 * edge, height))
    ax = figure.add_axes((0, 0, 1, 1 - head / height))
    ax.set(xlim=(-0.5 - edge / side, columns - 0.5 + edge / side), ylim=(rows - 0.5 + edge / side, -0.5 - edge / side))
    ax.axis("off")
    if title:
        figure.text(0.5, 1 - head / 2 / height, title, ha="center", va="center", size=12)
    return figure, ax


def _describe(world: GridWorld, title: str, text: Sequence[str] | None, pi: np.ndarray | None) -> str:
    parts = []
    for s in range(world.n_states):
        says = [world.marks.get(s, ""), text[s] if text is not None else ""]
        if pi is not None and not world.terminal[s]:
            says.append(" or ".join(world.actions[a] for a in np.flatnonzero(pi[s] > 0)))
        parts.append((world.cells[s][0], " ".join(filter(None, says)) or "empty"))
    lines = [", ".join(p for r, p in parts if r == row) for row in range(world.shape[0])]
    return (title or "A grid") + ". " + "; ".join(f"row {i}: {line}" for i, line in enumerate(lines, 1) if line)
