"""The grid games of Hu and Wellman: two agents in nine cells, each on the way to a goal, who must not run into each other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations, islice, product
from typing import Any, NamedTuple

import numpy as np

from rlkit.core.checks import brief
from rlkit.games.markov import MarkovGame, joint_policy_values
from rlkit.games.shapley import joint_action_values, markov_best_response
from rlkit.games.stage import nash_value_iteration
from rlkit.mdp.worlds import COMPASS, Cell, add, rectangle

CELLS = tuple(sorted(rectangle(3, 3)))
ACTIONS = tuple(COMPASS)
STARTS: tuple[Cell, Cell] = ((2, 0), (2, 2))
"""Where the agents begin: in the lower left and in the lower right corner. Cells are (row, column), from the top left."""
GOALS_1: tuple[Cell, Cell] = ((0, 2), (0, 0))
"""Of grid game 1: the corner across the board, a different one for each."""
GOALS_2: tuple[Cell, Cell] = ((0, 1), (0, 1))
"""Of grid game 2: the middle of the top row, for both."""


def grid_game_1(gamma: float = 0.99) -> MarkovGame:
    """Return grid game 1: the ways of two agents to opposite corners cross.

    Both move at once: up, right, down or left. Who reaches the own goal is paid 100, and the episode ends, for both. If both
    would be in the same cell, neither moves, and each pays 1. They may change places. A move off the grid leaves an agent
    where it is (in the original there is no such move; that it is one here changes no value that the chapter states, because
    to wait is never better at the start).

    The 58 states are the pairs of different cells, agent 1's first, in which neither stands on its goal, and the end.

    Source: Hu and Wellman (2003).
    """
    return _game(GOALS_1, 1.0, gamma)


def grid_game_2(gamma: float = 0.99) -> MarkovGame:
    """Return grid game 2: one goal for both, and a barrier above each of the two cells in which they begin.

    As :func:`grid_game_1`, with three differences. The goal is the middle of the top row, and both may enter it together.
    A move up from one of the lower corners succeeds with probability 1/2, for each agent by a coin of its own. There are 57
    states.

    Source: Hu and Wellman (2003).
    """
    return _game(GOALS_2, 0.5, gamma)


def grid_state(game: MarkovGame, one: Cell, other: Cell) -> int:
    """Return the number of the state in which the agents stand in two cells.

    Raises:
        ValueError: no such state.
    """
    name = f"{one}, {other}"
    if name not in game.state_names:
        raise ValueError(
            f"there is no state {brief(name)}: cells differ, lie in 3 x 3, and are not the agents' own goals"
        )
    return game.state_names.index(name)


def shortest_pairs() -> list[tuple[tuple[str, ...], tuple[str, ...], bool]]:
    """Return the pairs of shortest ways of grid game 1, and whether the two collide: (of agent 1, of agent 2, collide)."""
    ways = [sorted({tuple(way) for way in _orders(("up", "up", side, side))}) for side in ("right", "left")]
    found = []
    for one, other in product(*ways):
        paths = [cells_along(start, way) for start, way in zip(STARTS, (one, other), strict=True)]
        found.append((one, other, any(a == b for a, b in zip(*paths, strict=True))))
    return found


def cells_along(cell: Cell, way: Sequence[str]) -> list[Cell]:
    """Return the cells that an agent enters on its way from a cell, by the names of its moves, were it alone."""
    path = []
    for move in way:
        cell = add(cell, COMPASS[move])
        path.append(cell)
    return path


class Equilibrium(NamedTuple):
    """A stationary equilibrium of a Markov game of two agents.

    Attributes:
        V: float[2, S], what each state is worth to each agent.
        policies: float[S, A_1], float[S, A_2].
    """

    V: np.ndarray
    policies: tuple[np.ndarray, np.ndarray]


def start_equilibria(game: MarkovGame) -> list[Equilibrium]:
    """Return equilibria that differ in what the agents do at the start: the pure ones, and those in which both mix two actions.

    Elsewhere both act by the pure equilibrium of the stage game that is worth most to them together. All pairs of actions
    for the start are tried, then all pairs of two actions each, whose probabilities and values are found together, as a
    fixed point. What is returned is an equilibrium from every state: no deviation, in whatever states, gains anything.
    There are others, in which the agents act differently after the start.

    Args:
        game: with one state to begin in, in which value iteration with the best pure equilibria converges.
    """
    *_, (V, stage) = islice(nash_value_iteration(game, "best"), 100)
    s = int(game.start.argmax())
    one, other = (range(A) for A in game.n_actions)
    tried = [_with(game, stage, s, np.eye(len(one))[a], np.eye(len(other))[b]) for a, b in product(one, other)]
    for rows, columns in product(combinations(one, 2), combinations(other, 2)):
        tried += _mixed_start(game, V, stage, s, rows, columns)
    return [found for found in tried if largest_gain(game, found) < 1e-8]


def largest_gain(game: MarkovGame, found: Equilibrium) -> float:
    """Return by how much an agent could gain by its best response in the state where it gains most: 0 at an equilibrium."""
    best = np.stack([markov_best_response(game, j, found.policies)[0] for j in range(2)])
    return float((best - found.V).max())


def _game(goals: tuple[Cell, Cell], through: float, gamma: float) -> MarkovGame:
    """Make the tables; ``through`` is the probability with which a move up from a lower corner succeeds."""
    pairs = [
        (one, other) for one, other in product(CELLS, CELLS) if one != other and one != goals[0] and other != goals[1]
    ]
    index = {pair: s for s, pair in enumerate(pairs)}
    end = len(index)
    P, R = np.zeros((end + 1, 4, 4, end + 1)), np.zeros((2, end + 1, 4, 4))
    for pair, s in index.items():
        for a in np.ndindex(4, 4):
            for p, to in _outcomes(pair, a, through):
                home = np.array([cell == goal for cell, goal in zip(to, goals, strict=True)])
                if to[0] == to[1] and not home.all():
                    P[(s, *a, s)] += p
                    R[(slice(None), s, *a)] -= p
                else:
                    P[(s, *a, end if home.any() else index[to])] += p
                    R[(slice(None), s, *a)] += p * 100 * home
    P[end, :, :, end] = 1
    names = (*(f"{one}, {other}" for one, other in pairs), "end")
    return MarkovGame(P, R, gamma, np.eye(end + 1)[index[STARTS]], np.arange(end + 1) == end, names, (ACTIONS,) * 2)


def _outcomes(pair: tuple[Cell, Cell], a: tuple[int, ...], through: float) -> Iterator[tuple[float, tuple[Cell, Cell]]]:
    """Yield where two agents would go: (probability, their cells)."""
    each = []
    for cell, action in zip(pair, a, strict=True):
        to = add(cell, COMPASS[ACTIONS[action]])
        if to not in CELLS:
            to = cell
        p = through if cell in STARTS and ACTIONS[action] == "up" else 1.0
        each.append([(p, to), (1 - p, cell)])
    for (p, one), (q, other) in product(*each):
        if p * q:
            yield p * q, (one, other)


def _orders(moves: Sequence[str]) -> Iterator[tuple[str, ...]]:
    for places in combinations(range(len(moves)), 2):
        yield tuple(moves[0] if t in places else moves[-1] for t in range(len(moves)))


def _with(game: MarkovGame, stage: Any, s: int, p: np.ndarray, q: np.ndarray) -> Equilibrium:
    """Return what is to be tried: p and q at s, and elsewhere the equilibria of the stage games."""
    x, y = stage.x.copy(), stage.y.copy()
    x[s], y[s] = p, q
    return Equilibrium(joint_policy_values(game, (x, y)), (x, y))


def _mixed_start(
    game: MarkovGame, V: np.ndarray, stage: Any, s: int, rows: tuple[int, ...], columns: tuple[int, ...]
) -> list[Equilibrium]:
    """Return what is to be tried for two actions each at s: at most one, in which all four have weight."""
    V = V.copy()
    V[:, s] = 0
    for _ in range(10_000):
        A, B = joint_action_values(game, V)[:, s][np.ix_((0, 1), rows, columns)]
        ours, theirs = B[1, 1] - B[1, 0], A[1, 1] - A[0, 1]
        all_ours, all_theirs = ours + B[0, 0] - B[0, 1], theirs + A[0, 0] - A[1, 0]
        if not (all_ours and all_theirs and 0 < ours / all_ours < 1 and 0 < theirs / all_theirs < 1):
            return []
        x, y = (np.array([w, 1 - w]) for w in (ours / all_ours, theirs / all_theirs))
        value = np.array([x @ A @ y, x @ B @ y])
        if abs(value - V[:, s]).max() < 1e-12:
            break
        V[:, s] = value
    p, q = np.zeros(game.n_actions[0]), np.zeros(game.n_actions[1])
    p[list(rows)], q[list(columns)] = x, y
    return [_with(game, stage, s, p, q)]
