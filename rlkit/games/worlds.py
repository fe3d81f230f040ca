"""Worlds for several agents: a door that takes two, a goal with a keeper, and a matrix game played again and again."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import Any

import numpy as np

from rlkit.core.checks import real_array
from rlkit.games.markov import MarkovGame
from rlkit.mdp.worlds import COMPASS, Cell, add, rectangle

ROOM = rectangle(2, 3)
"""Mitchell's six cells."""
GOAL: Cell = (0, 2)
"""The top right one, behind the door."""


def door(gamma: float = 0.9) -> MarkovGame:
    """Two robots in Mitchell's six cells; the door to the goal opens only when both push through it in the same step.

    Each robot moves up, right, down or left; both move at once, and may stand in the same cell. A move off the grid leaves a
    robot where it is, and so does a move into the goal (right from the top middle, up from the bottom right), unless the
    other one makes such a move in the same step: then both are in, both are paid 100, and the episode ends. Every
    other joint action pays nothing.

    The 26 states are the pairs of cells outside the goal, in reading order, the first robot's cell first, and the end. Episodes
    begin in any of the 25.
    """
    cells = [cell for cell in ROOM if cell != GOAL]
    index = {pair: s for s, pair in enumerate(product(cells, cells))}
    end = len(index)
    P, R = np.zeros((end + 1, 4, 4, end + 1)), np.zeros((2, end + 1, 4, 4))
    for pair, s in index.items():
        for a, steps in zip(np.ndindex(4, 4), product(COMPASS.values(), repeat=2), strict=True):
            to = [add(cell, step) for cell, step in zip(pair, steps, strict=True)]
            if to == [GOAL, GOAL]:
                P[(s, *a, end)], R[(slice(None), s, *a)] = 1, 100
            else:
                one, other = (new if new in cells else old for new, old in zip(to, pair, strict=True))
                P[(s, *a, index[one, other])] = 1
    P[end, :, :, end] = 1
    names = (*(f"{one}, {other}" for one, other in index), "in")
    return MarkovGame(P, R, gamma, None, np.arange(end + 1) == end, names, (tuple(COMPASS),) * 2)


def door_state(one: Cell, other: Cell) -> int:
    """Return the number of the state of :func:`door` in which the robots stand in two cells.

    Raises:
        ValueError: a cell that is none, or the goal.
    """
    cells = [cell for cell in ROOM if cell != GOAL]
    for cell in (one, other):
        if cell not in cells:
            raise ValueError(f"no robot can stand in {cell}: the cells are {', '.join(str(c) for c in cells)}")
    return cells.index(one) * len(cells) + cells.index(other)


WATCHED = {"top": (0, 1), "bottom": (1, 2)}
"""The two cells beside the goal, which the keeper can watch."""


def keeper(gamma: float = 0.9) -> MarkovGame:
    """A robot in Mitchell's six cells, and a keeper who watches one of the two cells beside the goal. Zero-sum.

    Both choose at once: the robot moves up, right, down or left, and the keeper watches the top middle or the bottom right cell.
    A robot that steps into the watched cell is caught, and the episode ends. Otherwise it moves as always; a move off
    the grid leaves it where it is. Entering the goal ends the episode, and the keeper pays for it: 100 if the robot comes from
    the top, 60 if it comes from below.

    The 6 states are the five cells outside the goal, in reading order, and the end. Episodes begin at the bottom left.

    Args:
        gamma: the discount of one step, in [0, 1).
    """
    cells = [cell for cell in ROOM if cell != GOAL]
    end = len(cells)
    P, R = np.zeros((end + 1, 4, 2, end + 1)), np.zeros((end + 1, 4, 2))
    P[end, :, :, end] = 1
    for s, cell in enumerate(cells):
        for (a, move), (o, watched) in product(enumerate(COMPASS.values()), enumerate(WATCHED.values())):
            to = add(cell, move)
            if to == GOAL:
                P[s, a, o, end], R[s, a, o] = 1, 100 if cell == WATCHED["top"] else 60
            elif to == watched:
                P[s, a, o, end] = 1
            else:
                P[s, a, o, cells.index(to) if to in cells else s] = 1
    start = np.eye(end + 1)[cells.index((1, 0))]
    names = (*(str(cell) for cell in cells), "over")
    return MarkovGame(
        P, np.stack([R, -R]), gamma, start, np.arange(end + 1) == end, names, (tuple(COMPASS), tuple(WATCHED))
    )


def repeated(payoffs: Any, gamma: float, actions: Sequence[str] = ()) -> MarkovGame:
    """Return a matrix game that is played again and again; the state is what all did in the last round.

    State k is the joint action ``np.unravel_index(k, (A_1, ..., A_n))``. Before the first round the state is 0: the game begins
    as if all had just played their first action.

    Args:
        payoffs: float[n, A_1, ..., A_n], such as ``prisoners_dilemma().payoffs``.
        gamma: the discount of one round.
        actions: names of actions, the same for all agents (default: the numbers).

    Raises:
        ValueError: payoffs that are none.
    """
    payoffs = real_array("payoffs", payoffs)
    if payoffs.ndim < 2 or 0 in payoffs.shape or payoffs.shape[0] != payoffs.ndim - 1:
        raise ValueError(f"payoffs has shape {payoffs.shape}, but [n, A_1, ..., A_n] was expected")
    n, *sizes = payoffs.shape
    S = int(np.prod(sizes))
    P = np.broadcast_to(np.eye(S).reshape(*sizes, S), (S, *sizes, S))
    R = np.broadcast_to(payoffs[:, None], (n, S, *sizes))
    named = [tuple(actions) or tuple(str(a) for a in range(size)) for size in sizes]
    states = tuple(", ".join(joint) for joint in product(*named))
    return MarkovGame(P, R, gamma, np.eye(S)[0], None, states, tuple(named))
