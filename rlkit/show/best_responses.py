"""The square of two policies with what each player answers: where the two answers meet, nobody moves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from rlkit.games import MatrixGame
from rlkit.games.equilibria import support_enumeration
from rlkit.learn.dynamics import first_action_advantage
from rlkit.show.picture import AMBER, BLUE, FAINT, GREEN, INK, PURPLE, RED, Picture, canvas, in_style, picture, words
from rlkit.show.square import _pair, _points

PATHS = (GREEN, PURPLE, INK)


@in_style
def best_responses(
    game: MatrixGame,
    paths: Mapping[str, Any] | None = None,
    *,
    equilibria: Sequence[Any] | None = None,
    title: str = "",
    alt: str = "",
) -> Picture:
    """Draw both players' best responses in a game of two with two actions each, the equilibria, and paths of learners.

    Player 1's probability of its first action is drawn to the right, player 2's upwards. The blue line says where player 1 would
    stand for each height, the red one where player 2 would for each place; a player to whom both actions are always worth
    the same has a whole square of answers, which is shaded. Equilibria are dots where the answers meet.

    Args:
        game: of two players with two actions each.
        paths: by label float[T, 2], how likely the first action is; a path begins at a ring and ends at a small dot.
        equilibria: float[2] each (default: all that support enumeration finds).
        title: above the square (default: the name of the game).
        alt: what the picture shows, in words (default: the answers, the equilibria, and where the paths end).

    Raises:
        ValueError: another kind of game, or paths or equilibria of another shape, or outside the square.
    """
    answers = [answer(game, player) for player in (0, 1)]
    if equilibria is None:
        equilibria = [(x[0], y[0]) for x, y in support_enumeration(game)]
    dots = [_points("equilibria", [dot])[0] for dot in equilibria]
    lines = {label: _points(label, path) for label, path in (paths or {}).items()}
    title = title or game.name or "A game"
    figure, ax = canvas(3.9, 4.3 + 0.25 * (len(lines) > 1))
    for player, (line, colour) in enumerate(zip(answers, (BLUE, RED), strict=True)):
        _draw_answer(ax, line, colour, f"player {player + 1}'s best response", dashed=player == 1)
    told = []
    for (label, path), colour in zip(lines.items(), PATHS, strict=False):
        ax.plot(*path.T, color=colour, lw=1.3, label=label, clip_on=False)
        ax.plot(*path[0], "o", ms=7, mfc="none", mec=colour, mew=1.5, clip_on=False, zorder=5)
        ax.plot(*path[-1], "o", ms=5, color=colour, clip_on=False, zorder=5)
        told.append(f" {label} goes from ({_pair(path[0])}) to ({_pair(path[-1])}).")
    for dot in dots:
        ax.plot(*dot, "o", ms=11, mfc=AMBER, mec=INK, mew=0.8, clip_on=False, zorder=4)
    ax.set(xlim=(0, 1), ylim=(0, 1), aspect="equal", title=title)
    ax.set(xticks=[0, 0.5, 1], yticks=[0, 0.5, 1], xticklabels=["0", "0.5", "1"], yticklabels=["0", "0.5", "1"])
    names = [own[0] for own in game.actions]
    ax.set(xlabel=f"player 1: probability of {names[0]}", ylabel=f"player 2: probability of {names[1]}")
    ax.spines[:].set_visible(True)
    ax.tick_params(colors=FAINT, labelcolor=INK)
    figure.legend(loc="outside lower center", ncols=1 + (len(lines) > 1), fontsize=9)
    where = words([f"({_pair(dot)})" for dot in dots])
    said = [_in_words(line, player, names) for player, line in enumerate(answers)]
    many = "Equilibrium" if len(dots) == 1 else "Equilibria"
    at = f" {many} at {where}." if dots else ""
    return picture(figure, alt or f"{title}, best responses. {said[0]} {said[1]}{at}{''.join(told)}")


def answer(game: MatrixGame, player: int) -> np.ndarray | None:
    """Return a player's best responses as a line on the square, or None where every policy is always one.

    Args:
        game: of two players with two actions each.
        player: 0 or 1.

    Returns:
        float[4, 2], corners of the line, each the probabilities of both players' first actions; or None.

    Raises:
        ValueError: another kind of game.
    """
    ends = np.array([(0.0, 0.0), (1.0, 1.0)])
    at_0, at_1 = first_action_advantage(game, ends)[
        :, player
    ]  # while the other never, or always, plays its first action
    if at_0 == at_1 == 0:
        return None
    if at_0 * at_1 > 0:
        own, other = [float(at_0 > 0)] * 4, [0.0, 0.5, 0.5, 1.0]
    else:
        turn = at_0 / (at_0 - at_1)
        below = float(at_1 < at_0)
        own, other = [below, below, 1 - below, 1 - below], [0.0, turn, turn, 1.0]
    return np.stack([own, other] if player == 0 else [other, own], axis=-1)


def _draw_answer(ax: Axes, line: np.ndarray | None, colour: str, label: str, dashed: bool) -> None:
    """Draw a line, or shade the square. The second line is thinner and dashed: the first shows beneath it."""
    if line is None:
        ax.fill([0, 1, 1, 0], [0, 0, 1, 1], color=colour, alpha=0.15, lw=0, label=label)
        return
    width, style = (3.0, (0, (3, 1))) if dashed else (5.5, "-")
    ax.plot(*line.T, color=colour, lw=width, ls=style, label=label, clip_on=False, solid_joinstyle="miter")


def _in_words(line: np.ndarray | None, player: int, names: Sequence[str]) -> str:
    if line is None:
        return f"To player {player + 1} both actions are always worth the same."
    own, other = line[:, player], line[:, 1 - player]
    me, you, mine, yours = player + 1, 2 - player, names[player], names[1 - player]
    if own[0] != own[-1] and 0 < other[1] < 1:
        side = "above" if own[-1] else "below"
        return f"Player {me} plays {mine} while player {you}'s probability of {yours} is {side} {other[1]:.2f}."
    always = "always" if (own[-1] if other[1] == 0 else own[0]) else "never"
    tie = (
        f", but does not care where player {you}'s probability of {yours} is {other[1]:.0f}"
        if own[0] != own[-1]
        else ""
    )
    return f"Player {me} {always} plays {mine}{tie}."
