"""What the row player of a zero-sum game is sure of, for each of its mixtures of two actions."""

from __future__ import annotations

import numpy as np

from rlkit.games import MatrixGame
from rlkit.show.curves import DASHES
from rlkit.show.grids import number
from rlkit.show.picture import AMBER, FAINT, INK, SERIES, Picture, canvas, in_style, picture, words


@in_style
def envelope(game: MatrixGame, *, title: str = "", alt: str = "") -> Picture:
    """Draw what player 1 is paid against each action of player 2, and what is the least of that, over its own mixture.

    The height of the least, its lower envelope, is what player 1 is sure of. Its top is the value of the game.

    Args:
        game: of two players, zero-sum; the first has two actions.
        title: above the lines (default: the name of the game).
        alt: what the picture shows, in words (default: where each line begins and ends, and where the top is).

    Raises:
        ValueError: another kind of game.
    """
    p, least = lower_envelope(game)
    A, (first, second), columns = game.payoffs[0], game.actions[0], game.actions[1]
    title = title or game.name or "A game"
    figure, ax = canvas(height=3.7 + 0.11 * len(columns))
    ax.fill_between(p, least, A.min() - np.ptp(A), color=FAINT, alpha=0.12, lw=0)
    ax.plot(p, least, color=FAINT, alpha=0.5, lw=8, label="the least of them", solid_joinstyle="miter")
    told = []
    for k, (name, (at_1, at_0)) in enumerate(zip(columns, A.T, strict=True)):
        dash = DASHES[(k + k // len(SERIES)) % len(DASHES)]
        ax.plot([0, 1], [at_0, at_1], color=SERIES[k % len(SERIES)], ls=dash, label=f"player 2: {name}")
        told.append(f"{name} from {number(at_0, 2)} to {number(at_1, 2)}")
    top = p[least > least.max() - 1e-9 * (np.ptp(A) or 1)]
    ends = sorted({float(top[0]), float(top[-1])})
    where = " to ".join(number(end, 2) for end in ends)
    best = f"largest at p = {where}: {number(least.max(), 2)}"
    dot = {"ms": 11, "mfc": AMBER, "mec": INK, "mew": 0.8, "color": AMBER, "zorder": 4, "clip_on": False}
    ax.plot(ends, [least.max()] * len(ends), "o-", label=best, **dot)
    room = 0.05 * np.ptp(A) or 1
    ax.set(xlim=(0, 1), ylim=(A.min() - room, A.max() + room), title=title)
    ax.set(xlabel=f"p, probability of {first} (else {second})", ylabel="player 1 is paid")
    ax.grid(alpha=0.5)
    ax.tick_params(colors=FAINT, labelcolor=INK)
    figure.legend(loc="outside lower center", ncols=2, fontsize=10)
    said = (
        f"{title}: what player 1 is paid as its probability of {first} goes from 0 to 1, against {words(told)}. The least "
        f"of them is largest, {number(least.max(), 2)}, at {where}."
    )
    return picture(figure, alt or said)


def lower_envelope(game: MatrixGame) -> tuple[np.ndarray, np.ndarray]:
    """Return the corners of what player 1 is sure of, over its probability of its first action.

    Args:
        game: of two players, zero-sum; the first has two actions.

    Returns:
        p: float[T], from 0 to 1: both ends, and everywhere that two columns pay the same.
        least: float[T], what the worst column pays there. Between two p it is a straight line.

    Raises:
        ValueError: another kind of game.
    """
    if game.n_players != 2 or game.shape[0] != 2:
        raise ValueError(f"game has the shape {game.shape}, but two players were expected, the first with two actions")
    A = game.payoffs[0]
    if abs(A + game.payoffs[1]).max() > 1e-9 * (abs(A).max() or 1):
        raise ValueError("game is not zero-sum: what player 1 is paid, player 2 must lose")
    slope, at_0 = A[0] - A[1], A[1]
    j, k = np.triu_indices(A.shape[1], 1)
    crossing = slope[j] != slope[k]
    j, k = j[crossing], k[crossing]
    p = (at_0[k] - at_0[j]) / (slope[j] - slope[k])
    p = np.unique(np.concatenate([[0, 1], p[(p > 0) & (p < 1)]]))
    return p, (at_0 + p[:, None] * slope).min(axis=1)
