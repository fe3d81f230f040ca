"""Many learners, one payoff: Q-learning in games of one move, each for itself, with a model of the other, or as one.

Every function plays thousands of games side by side, each with learners of its own. A rule, which says how a table of
values learns from a reward, is an argument: hysteretic and optimistic learners are independent learners with another rule.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from rlkit.core.checks import brief, first, number, real_array, whole_number
from rlkit.games import MatrixGame
from rlkit.learn.tabular.rules import boltzmann

Rule = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]
Schedule = Callable[[int], float]

# -- rules: how a row of values learns from one reward, elementwise over runs --------------------------------------------


def q_rule(Q: np.ndarray, a: np.ndarray, r: np.ndarray, alpha: float) -> np.ndarray:
    """Return Q after Q(a) := Q(a) + alpha [r - Q(a)]: Q-learning where nothing comes next.

    Args:
        Q: float[runs, A], a row for each run.
        a: int[runs], the actions that were taken.
        r: float[runs], what each of them was paid.
        alpha: the step size.

    Returns:
        float[runs, A], a new table.

    Source: Claus and Boutilier (1998).
    """
    Q, rows = Q.copy(), np.arange(len(Q))
    delta = r - Q[rows, a]
    Q[rows, a] += alpha * delta
    return Q


def hysteretic_rule(Q: np.ndarray, a: np.ndarray, r: np.ndarray, alpha: float, beta: float) -> np.ndarray:
    """Return Q after a step of alpha where the reward is as good as Q(a) or better, and of a smaller beta where it is worse.

    Args:
        Q, a, r: as for :func:`q_rule`.
        alpha: the step size upwards.
        beta: the step size downwards; beta = alpha is Q-learning, beta = 0 forgets every disappointment.

    Source: Matignon, Laurent and Le Fort-Piat (2007).
    """
    Q, rows = Q.copy(), np.arange(len(Q))
    delta = r - Q[rows, a]
    Q[rows, a] += np.where(delta >= 0, alpha, beta) * delta
    return Q


def optimistic_rule(Q: np.ndarray, a: np.ndarray, r: np.ndarray) -> np.ndarray:
    """Return Q after Q(a) := max(Q(a), r): an action is worth the best that it was ever paid.

    Tables must begin at or below the lowest reward. Q, a, r: as for :func:`q_rule`.

    Source: Lauer and Riedmiller (2000), distributed Q-learning.
    """
    Q, rows = Q.copy(), np.arange(len(Q))
    Q[rows, a] = np.maximum(Q[rows, a], r)
    return Q


def joint_values(Q: Any, belief: Any) -> np.ndarray:
    """Return what each own action is worth, if the other acts as believed: sum over a2 of Q(a1, a2) belief(a2).

    Args:
        Q: float[..., A1, A2], the value of each pair; one's own action comes first.
        belief: float[..., A2], probabilities of the other's actions.

    Returns:
        float[..., A1].

    Source: Claus and Boutilier (1998).
    """
    return np.einsum("...ab,...b->...a", Q, belief)


# -- schedules of exploration ----------------------------------------------------------------------------------------------


def fading_epsilon(t: int) -> float:
    """Return epsilon in step t: max(0.01, 0.998^t)."""
    return max(0.01, 0.998**t)


def fading_temperature(t: int) -> float:
    """Return the temperature in step t: max(0.05, 20 * 0.997^t)."""
    return max(0.05, 20 * 0.997**t)


# -- learners --------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Played:
    """What learners have become in every run of a game.

    Attributes:
        Q: their tables. Of independent learners float[runs, A_i] for each player i; of joint-action learners float[runs,
            A_i, A_other] for each; of one learner over joint actions a single float[runs, A_1, ..., A_n].
        greedy: int[runs, n], what they do at the end, when they do not explore.
        shape: (A_1, ..., A_n).
        at: int[T], the steps at which policies were kept.
        policies: for each player float[T, runs, A_i], its policy at these steps, exploration included.
    """

    Q: tuple[np.ndarray, ...]
    greedy: np.ndarray
    shape: tuple[int, ...]
    at: np.ndarray
    policies: tuple[np.ndarray, ...]

    @property
    def counts(self) -> np.ndarray:
        """int[A_1, ..., A_n]: in how many runs the learners end in each joint action."""
        cell = np.ravel_multi_index(tuple(self.greedy.T), self.shape)
        return np.bincount(cell, minlength=int(np.prod(self.shape))).reshape(self.shape)


def independent_learners(
    game: MatrixGame,
    rule: Rule,
    *,
    steps: int = 5000,
    runs: int = 1,
    epsilon: Schedule = fading_epsilon,
    temperature: Schedule | None = None,
    Q0: Any = 0.0,
    seed: int | np.random.Generator = 0,
    keep_every: int | None = None,
) -> Played:
    """Let every player learn the values of its own actions, as if it were alone.

    ::

        1. Q^i(a) := Q0, for each player i and each of its own actions a
        2. in every step, for each player i:
        3.     choose a^i by Q^i: epsilon-greedily, or with probabilities proportional to exp(Q^i / T)
        4.     receive r^i, which depends on what all have chosen
        5.     Q^i := rule(Q^i, a^i, r^i), whatever the others did

    A greedy learner keeps its action until another one is worth more; if several then are, it draws one of them.

    Args:
        game: what is played.
        rule: ``(Q: float[runs, A], a: int[runs], r: float[runs]) -> float[runs, A]``, such as
            ``partial(q_rule, alpha=0.1)``.
        steps: how often each run plays the game.
        runs: how many, each with learners of its own.
        epsilon: the probability of an action at random, as a function of the step.
        temperature: T as a function of the step, for Boltzmann exploration; then epsilon is not used.
        Q0: where the tables begin: a number, or for each player float[A_i].
        seed: a whole number, or a numpy.random.Generator: all randomness of the run.
        keep_every: keep the policies at every so many steps, from the beginning on (default: never).

    Raises:
        ValueError: at the door, for any argument that does not fit; a rule that returns another shape, or no finite numbers.

    Source: Claus and Boutilier (1998), independent learners.
    """
    play = _Play(game, steps, runs, epsilon, temperature, seed, keep_every)
    Q = play.tables(Q0)  # (1)
    for _ in play:  # (2)
        a = play.choose(Q)  # (3)
        r = play.pay(a)  # (4)
        Q = [learned(rule, Q[i], a[i], r[i]) for i in range(game.n_players)]  # (5)
    return play.played(Q, Q)


def joint_action_learners(
    game: MatrixGame,
    rule: Rule,
    *,
    steps: int = 5000,
    runs: int = 1,
    epsilon: Schedule = fading_epsilon,
    temperature: Schedule | None = None,
    seed: int | np.random.Generator = 0,
    keep_every: int | None = None,
) -> Played:
    """Let two players learn the values of joint actions, and answer what the other has done so far.

    ::

        1. Q^i(a, a') := 0 and n^i(a') := 1, for each player i, its actions a and the other's actions a'
        2. in every step, for each player i:
        3.     pi^-i := n^i / sum of n^i, and V^i(a) := sum over a' of Q^i(a, a') pi^-i(a')
        4.     choose a^i by V^i, epsilon-greedily, or with probabilities proportional to exp(V^i / T)
        5.     receive r^i, and see the other's action a^-i
        6.     Q^i := rule(Q^i, (a^i, a^-i), r^i), and n^i(a^-i) := n^i(a^-i) + 1

    The belief is the share of all plays so far in which the other chose b; one play of each is counted in advance.

    Args:
        game: of two players.
        rule: as for :func:`independent_learners`; here a row of Q holds all pairs, its own action first.
        steps, runs, epsilon, temperature, seed, keep_every: as for :func:`independent_learners`.

    Raises:
        ValueError: at the door, for any argument that does not fit.

    Source: Claus and Boutilier (1998), joint-action learners.
    """
    play = _Play(game, steps, runs, epsilon, temperature, seed, keep_every)
    if game.n_players != 2:
        raise ValueError(f"the game has {game.n_players} players, but a joint-action learner here has one partner")
    own = [game.shape, game.shape[::-1]]
    Q = [np.zeros((play.runs, *shape)) for shape in own]  # (1)
    n = [np.ones((play.runs, A)) for _, A in own]
    V = [q.mean(axis=-1) for q in Q]
    for t in play:  # (2)
        V = [joint_values(Q[i], n[i] / (own[i][1] + t)) for i in (0, 1)]  # (3)
        a = play.choose(V)  # (4)
        r = play.pay(a)  # (5)
        for i in (0, 1):
            b = a[1 - i]
            pair = a[i] * own[i][1] + b
            Q[i] = learned(rule, Q[i].reshape(play.runs, -1), pair, r[i]).reshape(Q[i].shape)  # (6)
            n[i][play.rows, b] += 1
    return play.played(Q, V)


def one_learner(
    game: MatrixGame,
    rule: Rule,
    *,
    steps: int = 5000,
    runs: int = 1,
    epsilon: Schedule = fading_epsilon,
    temperature: Schedule | None = None,
    seed: int | np.random.Generator = 0,
) -> Played:
    """Let one learner choose for a whole team: Q-learning whose actions are the joint actions.

    Args:
        game: a team: all players are paid the same.
        rule: as for :func:`independent_learners`; here a row of Q holds all joint actions.
        steps, runs, epsilon, temperature, seed: as for :func:`independent_learners`.

    Raises:
        ValueError: a game that is not a team's, or any other argument that does not fit.
    """
    if not game.common:
        raise ValueError("one learner needs one reward, but the players of this game are paid differently")
    tables = None if game.draws is None else game.draws[:, :1].reshape(len(game.draws), 1, -1)
    single = MatrixGame(game.payoffs[:1].reshape(1, -1), draws=tables)
    run = independent_learners(
        single, rule, steps=steps, runs=runs, epsilon=epsilon, temperature=temperature, seed=seed
    )
    greedy = np.column_stack(np.unravel_index(run.greedy[:, 0], game.shape))
    return Played((run.Q[0].reshape(-1, *game.shape),), greedy, game.shape, run.at, ())


def share_interval(count: int, runs: int, level: float = 0.95) -> tuple[float, float, float]:
    """Return a share and the ends of its Wilson interval, which keeps its meaning near 0 and 1.

    Args:
        count: in how many runs something happened, at most ``runs``.
        runs: of how many, at least 1.
        level: the coverage, strictly between 0 and 1.

    Source: Wilson (1927).
    """
    from scipy.special import ndtri  # only this function needs it

    runs = whole_number("runs", runs, 1)
    p = number("count", whole_number("count", count, 0), 0, runs) / runs
    level = number("level", level, 0, 1)
    if level in (0, 1):
        raise ValueError(f"level is {level:g}, but it must lie strictly between 0 and 1")
    z2 = float(ndtri((1 + level) / 2)) ** 2 / runs
    middle, half = p + z2 / 2, np.sqrt(z2 * p * (1 - p) + z2**2 / 4)
    # At 0 and at 1 the share is an end of its interval: rounding must not push it out.
    return p, min(p, float(middle - half) / (1 + z2)), max(p, float(middle + half) / (1 + z2))


# -- what the learners share -----------------------------------------------------------------------------------------------


class _Play:
    """The clock, the choices and the payments of many runs side by side; checks what all learners are given."""

    def __init__(
        self,
        game: MatrixGame,
        steps: int,
        runs: int,
        epsilon: Schedule,
        temperature: Schedule | None,
        seed: int | np.random.Generator,
        keep_every: int | None,
    ):
        self.steps, self.runs = whole_number("steps", steps, 1), whole_number("runs", runs, 1)
        self.every = None if keep_every is None else whole_number("keep_every", keep_every, 1)
        function_of("the step", epsilon=epsilon, **({} if temperature is None else {"temperature": temperature}))
        self.rng = np.random.default_rng(seed)
        self.rows = np.arange(self.runs)
        times = range(self.steps + 1)
        self.epsilon = [number(f"epsilon({t})", epsilon(t), 0, 1) for t in times] if temperature is None else None
        self.temperature = None if temperature is None else [float(temperature(t)) for t in times]
        if self.temperature is not None and not (np.array(self.temperature) > 0).all():
            t = first(~(np.array(self.temperature) > 0))[0]
            raise ValueError(f"temperature({t}) is {self.temperature[t]:g}, but it must be above 0")
        self.shape, self.n = game.shape, game.n_players
        self._strides = np.cumprod((1, *self.shape[:0:-1]))[::-1]
        self._tables = (game.payoffs[None] if game.draws is None else game.draws).reshape(
            -1, self.n, game.payoffs[0].size
        )
        self.best = [self.rng.integers(A, size=self.runs) for A in self.shape]
        self.t = 0
        self._kept: list[list[np.ndarray]] = []

    def __iter__(self) -> Any:
        for t in range(self.steps):
            self.t = t
            yield t
        self.t = self.steps

    def tables(self, Q0: Any) -> list[np.ndarray]:
        """Return the first tables, float[runs, A_i]."""
        rows = [np.full(A, number("Q0", Q0, -np.inf, np.inf)) for A in self.shape] if np.ndim(Q0) == 0 else Q0
        if len(rows) != self.n:
            raise ValueError(f"Q0 holds {len(rows)} tables, but the game has {self.n} players")
        rows = [real_array(f"Q0[{i}]", row, (A,)) for i, (row, A) in enumerate(zip(rows, self.shape, strict=True))]
        return [np.tile(row, (self.runs, 1)) for row in rows]

    def choose(self, Q: list[np.ndarray]) -> list[np.ndarray]:
        """Return int[runs] for each player, by the values of its actions."""
        if self.temperature is None:
            self._renew(Q)
        if self.every is not None and self.t % self.every == 0:
            self._kept.append([self._policy(i, q) for i, q in enumerate(Q)])
        if self.temperature is not None:
            return [self._boltzmann(q) for q in Q]
        return [self._epsilon_greedy(i, A) for i, A in enumerate(self.shape)]

    def pay(self, a: list[np.ndarray]) -> np.ndarray:
        """Return float[n, runs], what each player is paid."""
        cell = sum(x * stride for x, stride in zip(a, self._strides, strict=True))
        if len(self._tables) == 1:
            return self._tables[0][:, cell]
        return self._tables[self.rng.integers(len(self._tables), size=self.runs), :, cell].T

    def played(self, Q: list[np.ndarray], values: list[np.ndarray]) -> Played:
        """Return the learners at the end."""
        self._renew(values)
        if self.every is not None and self.t % self.every == 0:
            self._kept.append([self._policy(i, v) for i, v in enumerate(values)])
        at = np.arange(len(self._kept)) * (self.every or 1)
        policies = tuple(np.array(player) for player in zip(*self._kept, strict=True))
        return Played(tuple(Q), np.column_stack(self.best), self.shape, at, policies)

    def _renew(self, Q: list[np.ndarray]) -> None:
        """Keep every greedy action until another is worth more; of several that are worth most, draw one."""
        for best, q in zip(self.best, Q, strict=True):
            changed = np.flatnonzero(q[self.rows, q.argmax(axis=-1)] > q[self.rows, best])
            if len(changed):
                top = q[changed]
                ties = top == top.max(axis=-1, keepdims=True)
                best[changed] = (ties * (1 - self.rng.random(ties.shape))).argmax(axis=-1)

    def _epsilon_greedy(self, i: int, A: int) -> np.ndarray:
        u, epsilon, a = self.rng.random(self.runs), self.epsilon[self.t], self.best[i].copy()  # type: ignore[index]
        explores = np.flatnonzero(u < epsilon)
        a[explores] = u[explores] / epsilon * A  # given that u is below epsilon, u / epsilon is uniform again
        return a

    def _boltzmann(self, q: np.ndarray) -> np.ndarray:
        q = np.ascontiguousarray(q.T)  # actions first: sums over the runs are then over neighbours
        weight = np.exp((q - q.max(axis=0)) / self.temperature[self.t])  # type: ignore[index]
        left = self.rng.random(self.runs) * weight.sum(axis=0)
        a = np.zeros(self.runs, int)
        for w in weight[:-1]:
            left -= w
            a += left >= 0  # once below zero, it stays there
        return a

    def _policy(self, i: int, q: np.ndarray) -> np.ndarray:
        if self.temperature is not None:
            return boltzmann(q, self.temperature[self.t])
        epsilon, A = self.epsilon[self.t], self.shape[i]  # type: ignore[index]
        return epsilon / A + (1 - epsilon) * np.eye(A)[self.best[i]]


def learned(rule: Rule, Q: np.ndarray, a: np.ndarray, r: np.ndarray) -> np.ndarray:
    """Return what a rule makes of a table, float[runs, A], or raise ValueError where that is no table."""
    new = np.asarray(rule(Q, a, r))
    if new.shape != Q.shape:
        raise ValueError(f"rule returned an array of shape {new.shape}, but the table has shape {Q.shape}")
    if new.dtype.kind not in "biuf" or not np.isfinite(new).all():
        raise ValueError("rule returned a table that does not hold finite numbers only")
    return new


def function_of(what: str, **arguments: Any) -> None:
    """Refuse arguments, by name, that cannot be called: such as a number in the place of a schedule."""
    for name, value in arguments.items():
        if not callable(value):
            raise ValueError(f"{name} is {brief(value)}, but a function of {what} was expected")
