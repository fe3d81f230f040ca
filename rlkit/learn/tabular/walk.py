"""Many agents walking at once: what every learner with a table shares, so that its loop holds only what it is about.

K agents act in K copies of one world. Their tables are stacked below each other, so that agent k's state s is row
``k * S + s`` of one long table. A learner's loop therefore reads like the slide, ``Q[s, a]``, where s and a are arrays of
K numbers; and with K = 1 it is the slide.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import Any

import numpy as np

from rlkit.core.checks import brief, entry, first, number, real_array, whole_number
from rlkit.learn.tabular.copies import Environment, Tables
from rlkit.learn.tabular.log import BLOCK, EpisodeLog
from rlkit.mdp import TabularMDP


@dataclass(frozen=True, eq=False)
class Learned:
    """What a run has learned.

    Attributes:
        table: float[K, S, A] (Q) or float[K, S] (V); minus infinity where an action does not exist.
        log: columns of equal length, one entry for each finished episode: "copy", "episode" (from 0), "step" (how many steps
            that copy had made at its end), "length" (in steps) and "return" (the plain sum of rewards).
        history: the table, as it was at the beginning and after every ``keep_every``: float[T, K, S, ...].
        steps: how many steps every copy made.
    """

    table: np.ndarray
    log: dict[str, np.ndarray]
    history: np.ndarray
    steps: int

    @property
    def Q(self) -> np.ndarray:
        """float[K, S, A]: the table, of a run that learned Q."""
        if self.table.ndim != 3:
            raise AttributeError("this run learned V, not Q")
        return self.table

    @property
    def V(self) -> np.ndarray:
        """float[K, S]: the table, of a run that learned V."""
        if self.table.ndim != 2:
            raise AttributeError("this run learned Q, not V; V is Q.max(axis=-1)")
        return self.table

    def per_episode(self, column: str) -> np.ndarray:
        """Return float[K, E]: a column of the log for every copy's first E episodes, as many as all have finished."""
        copies = self.table.shape[0]
        counts = np.bincount(self.log["copy"], minlength=copies)
        use = self.log["episode"] < counts.min()
        order = np.lexsort((self.log["episode"][use], self.log["copy"][use]))
        return self.log[column][use][order].reshape(copies, counts.min())


class Table:
    """A Q-table of many rows: ``Q[s]`` are rows, float[k, A], and ``Q[s, a]`` entries, for index arrays of k numbers.

    It is kept with the actions first. A maximum over the few actions of many rows is then several times as fast. Where an
    entry stands is worked out once for the same two index arrays, so these must not be changed in place.

    Args:
        values: float[N, A].
    """

    def __init__(self, values: np.ndarray):
        self._by_action = np.ascontiguousarray(values.T)
        self._flat = self._by_action.reshape(-1)
        self._n = len(values)
        self._last: tuple[Any, Any, Any] = None, None, None

    def __getitem__(self, key: Any) -> np.ndarray:
        if isinstance(key, tuple):
            return self._flat.take(self._place(*key))
        return self._by_action.take(key, axis=1).T

    def __setitem__(self, key: tuple[Any, Any], value: Any) -> None:
        self._flat[self._place(*key)] = value

    def _place(self, s: Any, a: Any) -> Any:
        """Return where entries stand; an update asks three times for the same ones."""
        last_s, last_a, place = self._last
        if s is not last_s or a is not last_a:
            place = a * self._n + s
            self._last = s, a, place
        return place

    def forbid(self, rows: slice, actions: np.ndarray) -> None:
        """Give actions (bool[A]) the value minus infinity in some rows."""
        self._by_action[actions, rows] = -np.inf

    @property
    def values(self) -> np.ndarray:
        """float[N, A], a view."""
        return self._by_action.T


class Walk:
    """K agents in K copies of a world, for so many steps or episodes.

    Use it as ``with Walk(...) as w:`` and ``for _ in w:``; each round is one step of every agent. Interrupting the kernel
    ends the walk, and what was learned until then is kept.

    Args:
        world: a TabularMDP; or a Gymnasium environment with Discrete spaces, for a single copy. Where an environment's info
            has an "action_mask", actions outside it are never taken.
        alpha: the step size: a number in (0, 1]; or a function of how often (s, a) has been visited, this time included
            (int[...] to float[...]), such as ``lambda n: 1 / n``.
        explore: epsilon in [0, 1], for epsilon-greedy actions; or a function ``(Q, walk)`` from rows float[K, A] and this walk
            to probabilities float[K, A].
        steps: how many steps every copy makes; or
        episodes: how many episodes. A copy that has finished its own learns no more while it waits for the others.
        copies: how many, K.
        seed: a whole number, or a numpy.random.Generator: all randomness of the run.
        limit: an episode of that many steps is broken off (truncated, not terminated).
        gamma: the discount, for an environment; a TabularMDP brings its own.
        keep_every: keep the table after every so many steps (with ``episodes``: episodes of each copy).

    Attributes:
        k, K: the numbers 0 to K - 1, and K.
        n_rows: K * S.
        gamma: the discount.
        t: how many steps have been made.
        terminated: bool[K], whether the last step ended an episode.
        ended: bool[K], whether it was ended, or broken off.

    Raises:
        ValueError: at the door, for any argument that does not fit.
    """

    def __init__(
        self,
        world: Any,
        alpha: Any = 0.1,
        explore: Any = 0.0,
        *,
        steps: int | None = None,
        episodes: int | None = None,
        copies: int = 1,
        seed: int | np.random.Generator = 0,
        limit: int | None = None,
        gamma: float | None = None,
        keep_every: int | None = None,
    ):
        if (steps is None) == (episodes is None):
            raise ValueError("say how long to learn: either steps=... or episodes=...")
        self.alpha = alpha if callable(alpha) else number("alpha", alpha, 0, 1)
        if self.alpha == 0:
            raise ValueError("alpha is 0: nothing would be learned")
        self.explore = explore if callable(explore) else number("explore", explore, 0, 1)
        self.steps = None if steps is None else whole_number("steps", steps, 1)
        self.episodes = None if episodes is None else whole_number("episodes", episodes, 1)
        self.K = whole_number("copies", copies, 1)
        self.limit = None if limit is None else whole_number("limit", limit, 1)
        self.keep_every = None if keep_every is None else whole_number("keep_every", keep_every, 1)
        self.rng = seed if isinstance(seed, np.random.Generator) else _generator(seed)
        self.world: Tables | Environment
        if isinstance(world, TabularMDP):
            if gamma is not None:
                raise ValueError("gamma is part of this world: change it there")
            self.world, self.gamma = Tables(world, self.K, self.rng), world.gamma
        else:
            if gamma is None:
                raise ValueError("an environment has no discount of its own: say gamma=...")
            if self.K != 1:
                raise ValueError(f"copies is {self.K}, but an environment is one world: use a TabularMDP for more")
            self.world, self.gamma = Environment(world, self.rng), number("gamma", gamma, 0, 1)
        self.S, self.A = self.world.S, self.world.A
        self.n_rows = self.K * self.S
        self.k = np.arange(self.K)
        self.t = 0
        self.terminated = self.ended = np.zeros(self.K, bool)
        self._first_row = self.k * self.S
        self._at = self.world.start(self.K)  # as the world counts them
        self._state = self._first_row + self._at
        self._deadline = np.full(self.K, self.limit or 0)
        self._next_deadline = self.limit  # no earlier one exists, so only then they are looked at
        self._finished = np.zeros(self.K, int)
        self._learning: np.ndarray | None = None  # a mask, once some copies have finished and others have not
        self._table: Table | np.ndarray | None = None
        self._visits: np.ndarray | None = None
        if callable(alpha) or callable(explore):  # only these ask for them
            self._visits = np.zeros((self.n_rows, self.A), int)
        self._history: list[np.ndarray] = []
        self._uniform = _slabs(lambda: self.rng.random((BLOCK, self.K)))
        self._exploring = _slabs(lambda: self.rng.random((BLOCK, self.K)) < self.explore)
        self._last_bits = (1 << (self.A - 1).bit_length()) - 1
        self._tickets = _slabs(self._many_tickets)
        self._lots = _slabs(self._many_lots)
        self._log = EpisodeLog(self.K)

    # -- what a learner's loop uses --------------------------------------------------------------------------------

    def q_table(self, Q0: Any = 0.0, tables: int = 1) -> Table:
        """Return a Q-table for all copies: filled with ``Q0``, minus infinity where no action exists.

        Args:
            Q0: a number, or float[S, A].
            tables: how many each copy has; the second one's rows begin ``n_rows`` further down.
        """
        exists = self.world.exists
        one = np.where(exists, _first_values("Q0", Q0, exists), -np.inf)
        self._table = Table(np.tile(one, (tables * self.K, 1)))
        self.world.forbid = self._table.forbid
        self._keep()
        return self._table

    def v_table(self, V0: Any = 0.0) -> np.ndarray:
        """Return a V-table for all copies, float[K * S], filled with ``V0``: a number, or float[S]."""
        self._table = np.tile(_first_values("V0", V0, np.ones(self.S, bool)), self.K)
        self._keep()
        return self._table

    def __enter__(self) -> Walk:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        if kind is KeyboardInterrupt:
            print(f"Interrupted: what was learned in {self.t:,} steps is kept.")
        return kind is KeyboardInterrupt

    def __iter__(self) -> Iterator[int]:
        while self.t < self.steps if self.steps is not None else self._finished.min() < (self.episodes or 0):
            yield self.t

    @property
    def state(self) -> np.ndarray:
        """int[K], where everybody is, as rows of the table."""
        return self._state

    def choose(self, Q: np.ndarray) -> np.ndarray:
        """Return an action for everybody, int[K], by ``explore`` and the rows of their states, Q: float[K, A]."""
        explore = self.explore
        if callable(explore):
            return self.draw(explore(Q, self))
        # The same distribution as epsilon_greedy, drawn in two stages, because that is quicker: who explores allows every
        # action that exists, who does not allows the best ones; the largest ticket of an allowed action wins. With the
        # actions first, it is quicker again.
        Q = Q.T
        allowed = Q == Q.max(axis=0)
        if explore:
            allowed |= next(self._exploring)
            if self.world.some_missing:
                allowed &= Q > -np.inf
        return (allowed * next(self._tickets)).max(axis=0).astype(int) & self._last_bits

    def draw(self, weights: np.ndarray) -> np.ndarray:
        """Return an action for everybody, int[K], with chances proportional to ``weights``: float[K, A]."""
        return (weights * next(self._lots)).argmax(axis=-1)

    def uniform(self) -> np.ndarray:
        """Return float[K], uniform in [0, 1)."""
        return next(self._uniform)

    def step(self, a: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Take everybody's action: reward float[K], next state int[K] (rows), terminated bool[K]."""
        s = self._state
        r, self._at, self.terminated, truncated = self.world.step(self._at, a, self._uniform)
        self.t += 1
        self.ended = self.terminated if truncated is None else self.terminated | truncated
        if self.t == self._next_deadline:
            self.ended = self.ended | (self._deadline == self.t)
            self._next_deadline = np.where(self.ended, self.t + (self.limit or 0), self._deadline).min()
        self._log.add(r, self.ended)
        if self._visits is not None:
            self._visits[s, a] += 1
        self._state = self._first_row + self._at
        return r, self._state, self.terminated

    def rate(self, s: np.ndarray, a: Any = None) -> Any:
        """Return the step size for entries that are about to be updated; 0 in a copy that has finished its episodes.

        Args:
            s, a: the entries, int[...] each (rows and actions).
        """
        alpha = self.alpha(self.visits()[s, a]) if callable(self.alpha) else self.alpha
        return alpha if self._learning is None else alpha * self._learning[s // self.S]

    def visits(self) -> np.ndarray:
        """Return int[K * S, A], how often each action has been taken.

        Raises:
            ValueError: neither alpha nor explore is a function; nobody counts then.
        """
        if self._visits is None:
            raise ValueError("visits are counted only where alpha or explore is a function")
        return self._visits

    def move_on(self) -> np.ndarray:
        """End the round: begin a new episode where one has ended, and return everybody's state, int[K] (rows)."""
        who = self.ended.nonzero()[0]
        if len(who):
            if self.limit is not None:
                self._deadline[who] = self.t + self.limit
            if self.episodes is not None:
                self._count_episodes()
            self._at[who] = self.world.start(len(who))
            self._state = self._first_row + self._at  # a new array: the learner still holds the old one
        if self.keep_every and self.episodes is None and self.t % self.keep_every == 0:
            self._keep()
        return self._state

    def learned(self) -> Learned:
        """Return what was learned: the table (the mean, where a copy has several) and the log."""
        assert self._table is not None, "a table comes first"
        return Learned(self._snapshot(), self._log.columns(self.episodes), self._all_kept(), self.t)

    # -- the rest ----------------------------------------------------------------------------------------------------

    def _many_tickets(self) -> np.ndarray:
        """Return a random number for each action of everybody, with the action in its last bits: the largest names it."""
        tickets = self.rng.integers(2**32, size=(BLOCK, self.A, self.K), dtype=np.uint32)
        tickets &= 2**32 - 1 - self._last_bits
        tickets |= np.arange(self.A, dtype=np.uint32)[:, None]
        return tickets

    def _many_lots(self) -> np.ndarray:
        """Return lots to be multiplied by weights: with 1/E, E exponential, the largest product is the draw."""
        return 1 / np.maximum(self.rng.standard_exponential((BLOCK, self.K, self.A)), 1e-300)

    def _count_episodes(self) -> None:
        assert self.episodes is not None
        self._finished += self.ended
        if self.keep_every:
            due = np.flatnonzero(
                self.ended & (self._finished % self.keep_every == 0) & (self._finished <= self.episodes)
            )
            if len(due):
                now = self._snapshot()
            for k in due:
                place = self._finished[k] // self.keep_every
                if place == len(self._history):
                    self._history.append(self._history[-1].copy())
                self._history[place][k] = now[k]
        if (self._finished >= self.episodes).any():
            self._learning = self._finished < self.episodes

    def _snapshot(self) -> np.ndarray:
        assert self._table is not None
        if isinstance(self._table, Table):
            return self._table.values.reshape(-1, self.K, self.S, self.A).mean(axis=0)
        return self._table.reshape(self.K, self.S).copy()

    def _keep(self) -> None:
        self._history.append(self._snapshot())

    def _all_kept(self) -> np.ndarray:
        return np.stack(self._history)


def _generator(seed: Any) -> np.random.Generator:
    try:
        return np.random.default_rng(whole_number("seed", seed, 0))
    except ValueError:
        raise ValueError(
            f"seed is {brief(seed)}, but a whole number of at least 0 or a numpy.random.Generator was expected"
        ) from None


def _first_values(name: str, value: Any, exists: np.ndarray) -> np.ndarray:
    """Return what a table begins with, in the shape of ``exists``; only what does not exist may be infinite."""
    start = real_array(name, value, finite=False)
    if start.shape not in ((), exists.shape):
        raise ValueError(f"{name} has shape {start.shape}, but a number or {exists.shape} was expected")
    start = np.broadcast_to(start, exists.shape)
    wrong = exists & ~np.isfinite(start)
    if wrong.any():
        raise ValueError(f"{entry(name, first(wrong))} is {start[wrong][0]}, but it must be a finite number")
    return start


def _slabs(draw: Callable[[], np.ndarray]) -> Iterator[np.ndarray]:
    while True:
        yield from draw()
