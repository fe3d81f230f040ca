"""Stage games: in each state of a Markov game, agents face a matrix game; which of its equilibria do they mean?

Thousands of such games at once: a learner that takes the value of a state from an equilibrium solves one in every step.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from itertools import combinations
from typing import Any, NamedTuple

import numpy as np
from scipy.optimize import linprog

from rlkit.core.checks import brief, real_array
from rlkit.games.markov import MarkovGame
from rlkit.games.shapley import joint_action_values
from rlkit.games.zero_sum import zero_sum

RULES = ("first", "second", "best", "own")
"""How one of several equilibria is selected; see :func:`stage_nash`."""
TIE = 1e-9
"""Payoffs that differ by less are equal: what was learned twice by other sums differs in the last digits."""


class Stage(NamedTuple):
    """An equilibrium of each of N stage games.

    Attributes:
        x: float[N, A_1], y: float[N, A_2], the strategies of both agents.
        value: float[N, 2], what each of them is paid on average.
    """

    x: np.ndarray
    y: np.ndarray
    value: np.ndarray


def stage_nash(Q: Any, rule: str | Sequence[str] = "first", agent: int | Sequence[int] = 0) -> Stage:
    """Return an equilibrium of every stage game, selected by a rule.

    A pure equilibrium is looked for first. Only where there is none, pairs of supports are tried, of two actions for each
    agent, then of three, and so on, until some of a size are equilibria. Equilibria of the same size stand in
    the order of their actions, those of agent 1 first. Of these the rule selects:

    * "first": the first one;
    * "second": the second one, or the only one;
    * "best": the one that is worth most to both together, and among equals the first;
    * "own": the one that is worth most to ``agent``, and among equals the first.

    Payoffs that differ by less than 1e-9 count as equal.

    Args:
        Q: float[N, 2, A_1, A_2], what each joint action is worth to agent 1, and to agent 2.
        rule: one of RULES, or one for each of the N games.
        agent: whose rule it is, 0 or 1, or one for each game; only "own" asks.

    Raises:
        ValueError: another shape, or a rule that is none.

    Source: Hu and Wellman (2003), who test for a first, a second and a best equilibrium; the order is ours.
    """
    Q = real_array("Q", Q)
    if Q.ndim != 4 or Q.shape[1] != 2 or 0 in Q.shape:
        raise ValueError(f"Q has shape {Q.shape}, but [N, 2, A_1, A_2] was expected: the payoffs of two agents")
    N, _, A, B = Q.shape
    rules, agents = _each(rule, N), _each(agent, N)
    if not len(rules) == len(agents) == N:
        raise ValueError(
            f"there are {N} games, but {len(rules)} rules and {len(agents)} agents; one for all would do, too"
        )
    weight, rank = _numbers(rules, agents)
    # From here on games are the last axis: all of the work is then over neighbours in memory.
    Q = np.ascontiguousarray(np.moveaxis(Q, 0, -1))
    best1, best2 = (Q[j] >= Q[j].max(axis=j, keepdims=True) - TIE for j in (0, 1))
    pure, payoffs, n = (best1 & best2).reshape(A * B, N), Q.reshape(2, A * B, N), np.arange(N)
    e = _selected(pure, payoffs, weight, rank)
    x, y, value = np.eye(A)[e // B], np.eye(B)[e % B], payoffs[:, e, n].T
    left = np.flatnonzero(~pure.any(axis=0))
    for size in range(2, min(A, B) + 1):
        if not len(left):
            break
        found, px, py, payoffs = _mixed(Q[..., left], size)
        rows, columns = _pairs(A, B, size)
        m = np.flatnonzero(found.any(axis=0))
        e, at = _selected(found, payoffs, weight[:, left], rank[left])[m], left[m]
        x[at], y[at], value[at] = 0, 0, payoffs[:, e, m].T
        x[at[:, None], rows[e]], y[at[:, None], columns[e]] = px[:, e, m].T, py[:, e, m].T
        left = np.delete(left, m)
    return Stage(x, y, value)


def nash_value_iteration(game: MarkovGame, rule: str = "best", agent: int = 0) -> Iterator[tuple[np.ndarray, Stage]]:
    """Yield values sweep by sweep, with an equilibrium of the stage game in the place of the maximum.

    It need not converge: with another V other equilibria are there to be selected. Where it does, the stage games'
    equilibria together are an equilibrium of the Markov game, from every state.

    Args:
        game: of two agents.
        rule, agent: as for :func:`stage_nash`.

    Yields:
        V: float[2, S], and what the agents do: x: float[S, A_1], y: float[S, A_2], value: float[S, 2], which is V.
    """
    V = np.zeros((2, game.n_states))
    while True:
        stage = stage_nash(joint_action_values(game, V).swapaxes(0, 1), rule, agent)
        V = stage.value.T.copy()
        yield V, stage


def has_global_optimum(Q: Any) -> bool:
    """Return whether some joint action is the best there is for both agents, float[2, A_1, A_2].

    Source: Hu and Wellman (2003), one of two conditions on which Nash-Q is proven to converge.
    """
    Q = _one("Q", Q)
    return bool((Q >= Q.max(axis=(1, 2), keepdims=True) - TIE).all(axis=0).any())


def has_saddle_point(Q: Any) -> bool:
    """Return whether there is a saddle point: an equilibrium in which nobody is hurt if the other moves; float[2, A_1, A_2].

    In it, each agent is paid what it can secure alone, and plays what also keeps the other from more. So the strategies of
    agent 1 that will do, and those of agent 2, are the solutions of one set of linear inequalities each.

    Source: Hu and Wellman (2003), the other condition.
    """
    A, B = _one("Q", Q)
    secure = zero_sum(A).value, zero_sum(B.T).value
    # Of the tables, rows are what the other may do, columns one's own actions.
    for mine, theirs, own, other in ((A.T, B.T, *secure), (B, A, *secure[::-1])):
        bounds = np.r_[np.full(len(mine), -own), np.full(len(theirs), other)] + 1e-7
        n = mine.shape[1]
        if linprog(np.zeros(n), np.r_[-mine, theirs], bounds, np.ones((1, n)), [1], method="highs").status != 0:
            return False
    return True


def _one(name: str, Q: Any) -> np.ndarray:
    Q = real_array(name, Q)
    if Q.ndim != 3 or len(Q) != 2 or 0 in Q.shape:
        raise ValueError(f"{name} has shape {Q.shape}, but [2, A_1, A_2] was expected: the payoffs of two agents")
    return Q


@cache
def _numbers(rules: tuple[str, ...], agents: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Return rules as numbers: how much what each agent is paid counts, float[2, N], and which of the best it is, int[N]."""
    for rule, agent in zip(rules, agents, strict=True):
        if rule not in RULES:
            raise ValueError(f"{brief(rule)} is no rule; there are {', '.join(RULES)}")
        if agent not in (0, 1):
            raise ValueError(f"agent is {brief(agent)}, but there are 2, numbered from 0")
    weight = {"first": (0.0, 0.0), "second": (0.0, 0.0), "best": (1.0, 1.0)}
    own = ((1.0, 0.0), (0.0, 1.0))
    counts = np.array([weight.get(rule, own[agent]) for rule, agent in zip(rules, agents, strict=True)]).T
    return counts, 1 + (np.array(rules) == "second")


def _each(value: Any, N: int) -> tuple[Any, ...]:
    return (value,) * N if np.ndim(value) == 0 else tuple(value)


def _selected(found: np.ndarray, payoffs: np.ndarray, weight: np.ndarray, rank: np.ndarray) -> np.ndarray:
    """Return which of E candidates is selected, int[N], from found: bool[E, N] and what they pay: float[2, E, N]."""
    worth = np.where(found, weight[0] * payoffs[0] + weight[1] * payoffs[1], -np.inf)
    best = worth >= worth.max(axis=0) - TIE
    count = best.cumsum(axis=0)
    return (best & (count == np.minimum(rank, count[-1]))).argmax(axis=0)


def _mixed(Q: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Try all E pairs of supports of a size in M games: float[2, A, B, M].

    On its support, an agent's strategy makes the other's actions worth the same. Weights may be 0: with that, every game
    has an equilibrium among the pairs of all sizes, degenerate or not.

    Returns:
        Which are equilibria: bool[E, M]; the weights on both supports: float[size, E, M]; what they pay: float[2, E, M].
    """
    rows, columns = _pairs(*Q.shape[1:3], size)
    e = np.arange(len(rows))
    part = Q[:, rows[:, :, None], columns[:, None, :]]  # float[2, E, size, size, M]
    x, y = _indifferent(part[1].swapaxes(1, 2)), _indifferent(part[0])
    worth1 = sum(Q[0][:, columns[:, i]] * y[i] for i in range(size))
    worth2 = sum(Q[1][rows[:, i]].swapaxes(0, 1) * x[i] for i in range(size))
    value = np.stack([worth1[rows[:, 0], e], worth2[columns[:, 0], e]])
    gain = np.stack([worth1.max(axis=0), worth2.max(axis=0)]) - value
    return ((x >= 0) & (y >= 0)).all(axis=0) & (gain <= TIE).all(axis=0), x, y, value


def _indifferent(part: np.ndarray) -> np.ndarray:
    """Return the weights on the columns, float[size, E, M], that make all rows of float[E, size, size, M] worth the same.

    Where there is not one such answer, all weights are -1.
    """
    size = part.shape[1]
    difference = part[:, :-1] - part[:, 1:]
    if size == 2:  # by far the most frequent
        one, other = difference[:, 0, 0], difference[:, 0, 1]
        unique = one != other
        share = np.divide(other, other - one, out=np.full_like(one, -1.0), where=unique)
        weights = np.stack([share, np.where(unique, 1 - share, -1.0)])
    else:
        system = np.concatenate([difference, np.ones_like(part[:, :1])], axis=1).transpose(0, 3, 1, 2)
        unique = np.linalg.det(system) != 0
        system[~unique] = np.eye(size)
        weights = np.linalg.solve(system, np.eye(size)[:, -1:])[..., 0]
        weights[~unique] = -1
        weights = np.moveaxis(weights, -1, 0)
    weights[abs(weights) < 1e-12] = 0
    return weights


@cache
def _pairs(A: int, B: int, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Return all pairs of supports, int[E, size] for each agent, those of agent 1 in the outer order."""
    ours, theirs = (np.array(list(combinations(range(n), size))) for n in (A, B))
    return np.repeat(ours, len(theirs), axis=0), np.tile(theirs, (len(ours), 1))
