"""Littman's soccer: two players, one ball, twenty squares, and both move at once."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import product
from typing import Any, NamedTuple

import numpy as np
from scipy import sparse

from rlkit.core.checks import distribution, number, real_array, whole_number
from rlkit.games.markov import MarkovGame
from rlkit.mdp.worlds import Cell, add

ROWS, COLUMNS = 4, 5
ACTIONS = ("N", "S", "E", "W", "stand")
STEPS: tuple[Cell, ...] = ((-1, 0), (1, 0), (0, 1), (0, -1), (0, 0))
GOAL_ROWS = (1, 2)
"""The goals are as high as the two middle rows: A's goal, where A scores, is on the left, B's on the right."""
KICK_OFF: tuple[Cell, Cell] = ((1, 3), (2, 1))
"""Where A and B stand at first."""
A, B = 0, 1
CELLS = tuple(product(range(ROWS), range(COLUMNS)))
POSITIONS = tuple((a, b, owner) for a in CELLS for b in CELLS if a != b for owner in (A, B))
WAYS = 4
"""So many things can follow upon a pair of moves: two orders, and two owners at a kick-off."""
_INDEX = {position: s for s, position in enumerate(POSITIONS)}
MIRRORED_ACTIONS = (1, 0, 3, 2, 4)
"""The action of the other player that looks the same when the board is turned by half a turn: N is S, and E is W."""


class Match(NamedTuple):
    """What comes of many games of soccer that may end in a draw.

    Attributes:
        decisive: how many games end with a goal.
        won: the share of these that A wins.
    """

    decisive: float
    won: float


def soccer(gamma: float = 0.9) -> MarkovGame:
    """Return soccer on four rows of five squares: 760 states, an agent for each side, A first.

    Both choose a move, N, S, E, W or stand, and a fair coin says who moves first. A move off the board leaves a player where
    it is. So does a move into the square where the other one stands, and then the ball is the other's, whoever had it.
    The player with the ball scores by walking off the board through its goal: A to the left, B to the right, from the
    two middle rows. A goal pays 1 to the one and -1 to the other, and leads to the kick-off, where a fair coin says who has
    the ball. The game goes on for ever; gamma takes the place of a last whistle.

    P is sparse: at most four states can follow upon a pair of moves.

    Args:
        gamma: the discount of one step, in [0, 1).

    Source: Littman (1994). The geometry is only in a figure there; it was read as others have read it.
    """
    to, goals = _tables()
    S, pairs = len(POSITIONS), to.size // WAYS
    P = sparse.csr_array((np.full(to.size, 1 / WAYS), (np.arange(to.size) // WAYS, to.ravel())), shape=(pairs, S))
    reward = goals.mean(axis=-1)
    R = np.stack([reward, -reward]).reshape(2, S, len(ACTIONS), len(ACTIONS))
    return MarkovGame(P, R, gamma, _kick_off(), None, tuple(map(_told, POSITIONS)), (ACTIONS, ACTIONS))


def state_of(a: Cell, b: Cell, owner: int) -> int:
    """Return the number of a state.

    Args:
        a, b: (row, column) of A and of B, from the top left, from 0.
        owner: who has the ball, 0 for A and 1 for B.

    Raises:
        ValueError: there is no such state.
    """
    try:
        return _INDEX[(a[0], a[1]), (b[0], b[1]), owner]
    except (KeyError, TypeError, IndexError):
        raise ValueError(
            f"there is no state with A in {a}, B in {b} and owner {owner}: two different cells of {ROWS} rows and "
            f"{COLUMNS} columns, and 0 or 1, were expected"
        ) from None


def position_of(s: int) -> tuple[Cell, Cell, int]:
    """Return (cell of A, cell of B, owner) of a state.

    Raises:
        ValueError: there is no such state.
    """
    s = whole_number("s", s, 0)
    if s >= len(POSITIONS):
        raise ValueError(f"s is {s}, but there are {len(POSITIONS)} states")
    return POSITIONS[s]


@lru_cache
def mirror() -> np.ndarray:
    """Return int[S]: for each state the one in which the players have changed sides, and the board is turned by half a turn."""
    turned = lambda cell: (ROWS - 1 - cell[0], COLUMNS - 1 - cell[1])  # noqa: E731 - used on the next line only
    mirrored = np.array([_INDEX[turned(b), turned(a), 1 - owner] for a, b, owner in POSITIONS])
    mirrored.setflags(write=False)
    return mirrored


def as_b(policy: Any) -> np.ndarray:
    """Return a policy of A as one of B, who plays the same game from the other side; or one of B as one of A.

    Args:
        policy: float[..., S, 5].

    Returns:
        float[..., S, 5]. Applied twice, it is the policy again.

    Raises:
        ValueError: an array of another shape.
    """
    policy = real_array("policy", policy)
    if policy.shape[-2:] != (len(POSITIONS), len(ACTIONS)):
        raise ValueError(f"policy has shape {policy.shape}, but [..., {len(POSITIONS)}, {len(ACTIONS)}] was expected")
    return policy[..., mirror(), :][..., list(MIRRORED_ACTIONS)]


def match(game: MarkovGame, policies: Sequence[Any], draw: float = 0.1, steps: int = 100_000) -> Match:
    """Return how many games of a long match are decided, and what share of them A wins, exactly, in the mean.

    In every step, before the moves, the game is called a draw with probability ``draw``, and the next one begins; this mimics
    the discount. Draws are not counted.

    Args:
        game: :func:`soccer`.
        policies: float[S, 5] of A and of B.
        draw: above 0.
        steps: how many steps the match has.

    Source: the evaluation of Littman (1994), computed by linear equations.
    """
    go_on, scores = _going_on(game, policies)
    kept = 1 - number("draw", draw, 1e-9, 1)
    # How often each state is visited in one game, on average.
    visits = np.linalg.solve(np.eye(game.n_states) - kept * go_on.T, game.start)
    goals = kept * scores @ visits
    games = whole_number("steps", steps, 1) / visits.sum()
    return Match(float(games * goals.sum()), float(goals[A] / goals.sum()) if goals.sum() else float("nan"))


def played_match(
    game: MarkovGame, policies: Sequence[Any], rng: np.random.Generator, draw: float = 0.1, steps: int = 100_000
) -> tuple[int, int]:
    """Play the match of :func:`match`, in a hundred games side by side; return how many A won and how many B won."""
    pi = _policies(game, policies)
    draw, copies = number("draw", draw, 0, 1), 100
    to, goals = _tables()
    cumulated = [p.cumsum(axis=1)[:, :-1] for p in pi]
    begin = np.flatnonzero(game.start)
    s, won = rng.choice(begin, copies), [0, 0]
    for _ in range(whole_number("steps", steps, copies) // copies):
        a, o = ((rows[s] <= rng.random((copies, 1))).sum(axis=1) for rows in cumulated)
        happens = s, a * len(ACTIONS) + o, rng.integers(WAYS, size=copies)
        drawn = rng.random(copies) < draw
        goal, s = np.where(drawn, 0, goals[happens]), np.where(drawn, rng.choice(begin, copies), to[happens])
        won[A] += int((goal > 0).sum())
        won[B] += int((goal < 0).sum())
    return won[A], won[B]


def _going_on(game: MarkovGame, policies: Sequence[Any]) -> tuple[np.ndarray, np.ndarray]:
    """Return P_pi without the steps that end in a goal, float[S, S], and the chances of a goal of A and of B, float[2, S]."""
    to, goals = _tables()
    both = np.einsum("sa,so->sao", *_policies(game, policies)).reshape(to.shape[0], -1, 1) / WAYS
    happens = np.broadcast_to(both, to.shape)
    on = np.zeros((game.n_states, game.n_states))
    s = np.broadcast_to(np.arange(game.n_states)[:, None, None], to.shape)
    np.add.at(on, (s[goals == 0], to[goals == 0]), happens[goals == 0])
    return on, np.stack([(both * (goals == goal)).sum(axis=(1, 2)) for goal in (1, -1)])


def played(s: int, a: int, o: int, rng: np.random.Generator) -> tuple[int, int]:
    """Play one step; return the next state and the goal: 1 if A has scored, -1 if B has, 0 for none.

    Args:
        s: the state.
        a, o: the moves of A and of B, from 0 to 4, in the order of ``ACTIONS``.
        rng: who moves first, and who has the ball at a kick-off.

    Raises:
        ValueError: there is no such state or move.
    """
    position_of(s)
    for name, move in (("a", a), ("o", o)):
        if whole_number(name, move, 0) >= len(ACTIONS):
            raise ValueError(f"{name} is {move}, but there are {len(ACTIONS)} moves")
    to, goals = _tables()
    way = int(rng.integers(WAYS))
    return int(to[s, a * len(ACTIONS) + o, way]), int(goals[s, a * len(ACTIONS) + o, way])


def _policies(game: MarkovGame, policies: Sequence[Any]) -> list[np.ndarray]:
    if game.n_states != len(POSITIONS) or game.n_actions != (len(ACTIONS), len(ACTIONS)):
        raise ValueError("game must be soccer()")
    if len(policies) != 2:
        raise ValueError(f"policies holds {len(policies)}, but one for A and one for B were expected")
    checked = [real_array(f"policies[{j}]", pi, (game.n_states, len(ACTIONS))) for j, pi in enumerate(policies)]
    for j, pi in enumerate(checked):
        distribution(f"policies[{j}]", pi)
    return checked


@lru_cache
def _tables() -> tuple[np.ndarray, np.ndarray]:
    """Return what can follow, four ways that are equally likely: the next state and the goal, int[S, 25, 4] each.

    The ways are: A first, and B first; each twice, since after a goal there are two states in which to kick off. The goal is 1
    where A has scored on the way, -1 where B has.
    """
    to, goals = np.zeros((2, len(POSITIONS), len(ACTIONS) ** 2, WAYS), int)
    begin = np.flatnonzero(_kick_off())
    for s, position in enumerate(POSITIONS):
        for k, moves in enumerate(product(STEPS, STEPS)):
            for i, order in enumerate(((A, B), (B, A))):
                after, goal = _after(position, moves, order)
                to[s, k, 2 * i : 2 * i + 2] = begin if goal else _INDEX[after]
                goals[s, k, 2 * i : 2 * i + 2] = goal
    to.setflags(write=False)
    goals.setflags(write=False)
    return to, goals


def _after(
    position: tuple[Cell, Cell, int], moves: Sequence[Cell], order: Sequence[int]
) -> tuple[tuple[Cell, Cell, int], int]:
    """Return the position after both moves, one after the other, and the goal: 1 for A's, -1 for B's, 0 for none."""
    cells, owner = [position[0], position[1]], position[2]
    for me in order:
        to = add(cells[me], moves[me])
        if me == owner and to[0] in GOAL_ROWS and to[1] == (-1, COLUMNS)[me]:
            return position, (1, -1)[me]
        if to == cells[1 - me]:
            owner = 1 - me
        elif to in CELLS:
            cells[me] = to
    return (cells[0], cells[1], owner), 0


def _kick_off() -> np.ndarray:
    start = np.zeros(len(POSITIONS))
    start[[_INDEX[(*KICK_OFF, owner)] for owner in (A, B)]] = 1 / 2
    return start


def _told(position: tuple[Cell, Cell, int]) -> str:
    a, b, owner = position
    return f"A {a[0]},{a[1]} B {b[0]},{b[1]} ball {'AB'[owner]}"
