"""Games of one move: the table of payoffs, and for two actions each the square of both policies with paths of learners."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from rlkit.core.checks import brief, entry, first, real_array
from rlkit.games import MatrixGame
from rlkit.show.picture import AMBER, BLUE, FAINT, INK, LINE, PURPLE, RED, Picture, canvas, in_style, picture, words

PATHS = (BLUE, RED, PURPLE)
ARROWS = 6
"""So many arrows in each row of a field."""


@in_style
def payoffs(game: MatrixGame, marked: Sequence[tuple[int, int]] = (), *, title: str = "", alt: str = "") -> Picture:
    """Draw the payoffs of a game of two as a table: the first player chooses a row, the second a column.

    A team has one number in a cell. Otherwise the first player's stands below on the left, in blue, and the second's above
    on the right, in red. Where payoffs are drawn, all that may come is named.

    Args:
        game: of two players.
        marked: cells (row, column) with a frame, such as the equilibria.
        title: above the table (default: the name of the game).
        alt: what the picture shows, in words (default: the payoffs and the marks).

    Raises:
        ValueError: another number of players, or a marked cell that is not in the table.
    """
    if game.n_players != 2:
        raise ValueError(f"the game has {game.n_players} players, but a table is for two")
    rows, columns = game.shape
    for place in marked:
        if len(place) != 2 or not (0 <= place[0] < rows and 0 <= place[1] < columns):
            raise ValueError(f"marked holds {brief(place)}, but the table has the shape {game.shape}")
    tables = game.payoffs[None] if game.draws is None else game.draws
    wide = 1.0 if game.common else 1.15
    left, head, top = 0.3 + 0.085 * max(len(name) for name in game.actions[0]), 0.3, 0.55
    size = (left + wide * columns + 0.1, head + top + 0.62 * rows + 0.1)
    figure = Figure(figsize=size)
    ax = figure.add_axes((0, 0, 1, 1 - head / size[1]))
    ax.set(xlim=(-left / wide, columns + 0.1 / wide), ylim=(rows + 0.1 / 0.62, -top / 0.62))
    ax.axis("off")
    figure.text(
        (left + wide * columns / 2) / size[0], 1 - head / 2 / size[1], title or game.name, ha="center", va="center"
    )
    for j, name in enumerate(game.actions[1]):
        ax.text(j + 0.5, -0.22, name, ha="center", va="center", color=INK if game.common else RED)
    for i, name in enumerate(game.actions[0]):
        ax.text(-0.12, i + 0.5, name, ha="right", va="center", color=INK if game.common else BLUE)
    told = []
    for i, j in np.ndindex(rows, columns):
        ax.add_patch(Rectangle((j, i), 1, 1, fc="none", ec=LINE, lw=1))
        pay = [_numbers(tables[:, k, i, j]) for k in (0, 1)]
        if game.common:
            ax.text(j + 0.5, i + 0.52, pay[0], ha="center", va="center", size=11)
        else:
            ax.text(j + 0.14, i + 0.72, pay[0], ha="left", va="center", color=BLUE, size=12)
            ax.text(j + 0.86, i + 0.28, pay[1], ha="right", va="center", color=RED, size=12)
        cell = f"{game.actions[0][i]}, {game.actions[1][j]}"
        told.append(f"({cell}) pays {pay[0] if game.common else f'{pay[0]} and {pay[1]}'}")
    for i, j in marked:
        ax.add_patch(Rectangle((j + 0.035, i + 0.05), 0.93, 0.9, fc="none", ec=AMBER, lw=2.5))
    framed = [f"({game.actions[0][i]}, {game.actions[1][j]})" for i, j in marked]
    frames = f" Framed: {words(framed)}." if framed else ""
    return picture(figure, alt or f"{title or game.name or 'A game'}: {'; '.join(told)}.{frames}")


@in_style
def square(
    paths: Mapping[str, Any],
    *,
    field: Callable[[np.ndarray], np.ndarray] | None = None,
    equilibria: Sequence[Any] = (),
    actions: tuple[str, str] = ("its first action", "its first action"),
    title: str = "",
    alt: str = "",
) -> Picture:
    """Draw two policies, of two actions each, as a point of the unit square, and learners as paths of such points.

    A path begins at a ring and ends at a dot. The arrows of the field say where a point moves; longer ones are faster.

    Args:
        paths: by label float[T, 2], how likely the first action is: player 1 to the right, player 2 upwards.
        field: float[..., 2] to float[..., 2], the velocity at points of the square (default: no arrows).
        equilibria: float[2] each, marked with a star.
        actions: the names of both players' first actions.
        title: above the square.
        alt: what the picture shows, in words (default: where the paths begin and end, and where the stars are).

    Raises:
        ValueError: paths or equilibria of another shape, or outside the square.
    """
    lines = {label: _points(label, path) for label, path in paths.items()}
    stars = [_points("equilibria", [star])[0] for star in equilibria]
    figure, ax = canvas(3.7, 3.75 + 0.25 * bool(title) + 0.2 * (len(lines) > 1))
    if field is not None:
        _draw_arrows(ax, field)
    told = []
    for k, (label, path) in enumerate(lines.items()):
        colour = PATHS[k % len(PATHS)]
        ax.plot(
            *_thinned(path).T, color=colour, lw=2 if k == 0 else 1, label=label, clip_on=False, solid_joinstyle="round"
        )
        ax.plot(*path[0], "o", ms=7, mfc="none", mec=colour, mew=1.5, clip_on=False)
        ax.plot(*path[-1], "o", ms=6, color=colour, clip_on=False)
        told.append(f"{label} goes from ({_pair(path[0])}) to ({_pair(path[-1])})")
    for star in stars:
        ax.plot(*star, "*", ms=13, mfc=AMBER, mec=INK, mew=0.6, clip_on=False, zorder=4)
    ax.set(xlim=(0, 1), ylim=(0, 1), aspect="equal", title=title)
    ax.set(xticks=[0, 0.5, 1], yticks=[0, 0.5, 1], xticklabels=["0", "0.5", "1"], yticklabels=["0", "0.5", "1"])
    ax.set(xlabel=f"player 1: probability of {actions[0]}", ylabel=f"player 2: probability of {actions[1]}")
    ax.spines[:].set_visible(True)
    ax.tick_params(colors=FAINT, labelcolor=INK)
    if len(lines) > 1:
        figure.legend(loc="outside lower center", ncols=len(lines))
    where = words([f"({_pair(star)})" for star in stars])
    marks = f" Equilibria at {where}." if stars else ""
    return picture(figure, alt or f"{title or 'Two policies on a square'}: {words(told) or 'no path'}.{marks}")


def _draw_arrows(ax: Any, field: Callable[[np.ndarray], np.ndarray]) -> None:
    """Draw the field as one line: sixty arrows of their own would make every frame of a player four times as large."""
    at = (np.arange(ARROWS) + 0.5) / ARROWS
    point = np.stack(np.meshgrid(at, at), axis=-1).reshape(-1, 2)
    velocity = np.asarray(field(point), float)
    speed = np.hypot(*velocity.T)[:, None]
    fastest = speed.max()
    if fastest == 0:
        return
    # By the square root slow places keep arrows that can be seen.
    along = np.divide(velocity, speed, out=np.zeros_like(velocity), where=speed > 1e-9 * fastest)
    along *= 0.85 / ARROWS * np.sqrt(speed / fastest)
    side = 0.5 * along[:, ::-1] * (-1, 1)
    tip = point + along / 2
    gap = np.full_like(point, np.nan)
    barbs = (tip - 0.35 * along + 0.35 * side, tip, tip - 0.35 * along - 0.35 * side)
    line = np.stack([point - along / 2, tip, gap, *barbs, gap], axis=1).reshape(-1, 2)
    ax.plot(*line.T, color=FAINT, lw=1, alpha=0.8, solid_joinstyle="miter")


def _thinned(path: np.ndarray, apart: float = 0.02) -> np.ndarray:
    """Return the points of a path that are so far from the one before: nobody sees the others, and a player holds many."""
    kept = [0]
    for t in range(1, len(path)):
        if abs(path[t] - path[kept[-1]]).max() >= apart:
            kept.append(t)
    return path[kept if kept[-1] == len(path) - 1 else [*kept, len(path) - 1]]


def _points(name: str, value: Any) -> np.ndarray:
    path = real_array(name, value)
    if path.ndim != 2 or path.shape[1] != 2 or not len(path):
        raise ValueError(f"{name} has shape {path.shape}, but (T, 2) was expected")
    bad = (path < 0) | (path > 1)
    if bad.any():
        where = first(bad)
        raise ValueError(f"{entry(name, where)} is {path[where]:g}, but it must lie in [0, 1]")
    return path


def _numbers(values: np.ndarray) -> str:
    """Return what may be paid: one number, or all that are drawn."""
    different = values[:1] if (values == values[0]).all() else values
    return " or ".join(f"{v:g}".replace("-", "−") for v in different)


def _pair(point: np.ndarray) -> str:
    return ", ".join(f"{v:.2f}" for v in point)
