"""Zero-sum games of two: what each can be sure of, by a linear program; one game, or thousands at once."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from scipy.optimize import linprog

from rlkit.core.checks import real_array

TINY = 1e-12
"""Numbers nearer to 0 than this are taken for 0: games are scaled to payoffs between 1 and 2 before."""


class Minimax(NamedTuple):
    """The solution of a zero-sum game.

    Attributes:
        value: float[...], what the row player is paid on average if both play well.
        x: float[..., A1], a policy of the row player that is paid at least that, whatever the other does.
        y: float[..., A2], a policy of the column player that pays at most that.
    """

    value: Any
    x: np.ndarray
    y: np.ndarray


def zero_sum(A: Any) -> Minimax:
    """Solve one game by a linear program: the largest v for which some x is paid at least v in every column.

    The variables are x and v, and linprog makes small what it is given, so it is given -v. The policy of the column player
    is the dual solution: how much v would grow if one column were allowed to pay less.

    Args:
        A: float[A1, A2], what the column player pays to the row player.

    Raises:
        ValueError: no such table.

    Source: von Neumann (1928); as a linear program Dantzig (1951).
    """
    A = _table(A)
    if A.ndim != 2:
        raise ValueError(f"A has shape {A.shape}, but (A1, A2) was expected: zero_sum_batch takes many games")
    m, n = A.shape
    found = linprog(
        c=np.r_[np.zeros(m), -1],  # maximise v
        A_ub=np.c_[-A.T, np.ones(n)],  # v <= x A in every column
        b_ub=np.zeros(n),
        A_eq=[np.r_[np.ones(m), 0]],  # x sums to 1
        b_eq=[1],
        bounds=[(0, None)] * m + [(None, None)],  # v may be negative
        method="highs",
    )
    return Minimax(float(found.x[-1]), _shares(found.x[:-1]), _shares(-found.ineqlin.marginals))


def zero_sum_batch(A: Any) -> Minimax:
    """Solve many games of one size at once, by the simplex method; each step is one array operation over all games.

    A game with a saddle point, a cell that is the least of its row and the largest of its column, needs no program. Of
    several saddle points the first one counts.

    Args:
        A: float[..., A1, A2], what the column player pays to the row player.

    Returns:
        Minimax with the same leading axes.

    Raises:
        ValueError: no such tables.

    Source: the simplex method is Dantzig's (1951); against circles, Bland (1977).
    """
    A = _table(A)
    *lead, m, n = A.shape
    # Games stand along the last axis, where numpy is fast; take() keeps them there, and games[:, :, mixed] would not.
    games = np.ascontiguousarray(A.reshape(-1, m, n).transpose(1, 2, 0))
    every = np.arange(games.shape[2])
    worst, best = games.min(axis=1), games.max(axis=0)
    row, column = worst.argmax(axis=0), best.argmin(axis=0)
    value = worst[row, every]
    x, y = np.zeros((m, len(every))), np.zeros((n, len(every)))
    x[row, every] = y[column, every] = 1
    mixed = np.flatnonzero(value < best[column, every])
    if len(mixed):
        value[mixed], x[:, mixed], y[:, mixed] = _simplex(games.take(mixed, axis=2))
    return Minimax(value.reshape(lead), x.T.reshape(*lead, m), y.T.reshape(*lead, n))


def _simplex(games: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return value, x and y of games without a saddle point, float[A1, A2, G].

    With payoffs above 0, the column player's program is: the largest sum of q >= 0 with A q <= 1. Then the value is 1 / sum,
    y is q times the value, and x comes from the dual.
    """
    m, n, G = games.shape
    low = games.min(axis=(0, 1))
    span = games.max(axis=(0, 1)) - low
    T = np.ones((m + 1, n + 1, G))
    T[:m, :n] += (games - low) / span
    T[m, :n], T[m, n] = -1, 0
    # Which variable each row and column of the tableau stands for: q_j is j, the slack of row i is n + i.
    rows, columns = np.repeat(np.arange(n, n + m)[:, None], G, 1), np.repeat(np.arange(n)[:, None], G, 1)
    left, both, total = np.arange(G), np.zeros((2, n + m, G)), np.empty(G)
    for step in range(50 * (m + n)):
        cost, bland = T[m, :n], step >= 5 * (m + n)
        if step == 0:  # all columns promise the same: the one whose worst payoff is the best saves a sixth of the steps
            c = games.max(axis=0).argmin(axis=0)
        elif bland:  # always the variable with the smallest number: slow, but it cannot go round in circles
            c = np.where(cost < -TINY, columns, m + n).argmin(axis=0)
        else:
            c = cost.argmin(axis=0)
        going = cost[c, np.arange(len(left))] < -TINY
        if not going.all():
            done, go = np.flatnonzero(~going), np.flatnonzero(going)
            both[0, rows[:, done], left[done]] = T[:m, n, done]
            both[1, columns[:, done], left[done]] = cost[:, done]
            total[left[done]] = T[m, n, done]
            if not len(go):
                break
            T = T.take(go, axis=2)
            rows, columns, left, c = rows[:, go], columns[:, go], left[go], c[go]
        # take() from flat arrays is several times as fast as T[r, :, k]; entry (i, j) of game k is at i * width + j * K + k.
        flat, K = T.reshape(-1), len(left)
        width, k = (n + 1) * K, np.arange(K)
        in_column = np.arange(0, (m + 1) * width, width)[:, None] + (c * K + k)
        column = flat.take(in_column)
        ratio = np.full((m, K), np.inf)
        np.divide(T[:m, n], column[:m], out=ratio, where=column[:m] > 1e-9)
        r = np.where(ratio <= ratio.min(axis=0), rows, m + n).argmin(axis=0) if bland else ratio.argmin(axis=0)
        in_row = np.arange(0, width, K)[:, None] + (r * width + k)
        one_over = 1 / column[r, k]
        row = flat.take(in_row) * one_over
        # T - column row everywhere, and in the row and the column of the pivot themselves row and -column / pivot.
        flat[in_column] = flat[in_row] = 0
        column[r, k], row[c, k] = -1, one_over
        T -= column[:, None] * row
        rows[r, k], columns[c, k] = columns[c, k], rows[r, k]
    else:
        raise ArithmeticError(
            f"{len(left)} of the games could not be solved: rounding leads the simplex method in circles"
        )
    value = 1 / total
    return (value - 1) * span + low, _shares(both[1, n:], 0), _shares(both[0, :n], 0)


def _table(A: Any) -> np.ndarray:
    A = real_array("A", A)
    if A.ndim < 2 or not A.size:
        raise ValueError(f"A has shape {A.shape}, but (..., A1, A2) was expected, with at least one action for each")
    return A


def _shares(p: np.ndarray, axis: int = -1) -> np.ndarray:
    """Return p as probabilities, a sum of 1, without what rounding has left below 0."""
    p = np.maximum(p, 0)
    shares: np.ndarray = p / p.sum(axis=axis, keepdims=True)
    return shares
