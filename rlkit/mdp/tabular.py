"""A finite Markov decision process, held as arrays.

P holds the transition function (the lecture's delta, where it is deterministic), R the rewards, gamma the discount. The
sets of states and actions are the shapes of P: both are numbered from 0.

Actions that do not exist in a state are marked in ``available``. Every operator gives them the value minus infinity,
so that no maximum ever picks them.

A terminal state is one that absorbs: each of its actions leads back to it with reward 0. Its value is therefore 0
without a special case, and no Bellman equation in this package needs one.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from scipy import sparse
from scipy.sparse import csgraph

from rlkit.core.checks import brief, distribution, entry, first, mask_array, number, real_array

LARGEST_DISCOUNT = 1 - 1e-8
"""The largest discount below 1 that is accepted: beyond, 1 - gamma has too few digits left for values to be exact."""


@dataclass(frozen=True, eq=False)
class TabularMDP:
    """A Markov decision process with S states and A actions.

    The arrays are copied and can be read only, so that what was checked once stays true.

    Args:
        P: float[S, A, S], P[s, a, s'] = probability of moving to s'; or a scipy.sparse matrix [S * A, S] whose row
            s * A + a belongs to the pair (s, a). Rows must sum to 1 within 1e-9 and are scaled to do so exactly.
        R: float[S, A], the reward of (s, a); or float[S, A, S] (sparse: [S * A, S]), the reward of (s, a, s').
        gamma: the discount, in [0, 1 - 1e-8] or 1. With gamma = 1 some policy must end, from every state.
        start: float[S], where episodes begin (default: any state that is not terminal, all equally likely).
        terminal: bool[S] (default: none).
        available: bool[S, A], which actions exist (default: all). What numbers stand in P and R for other actions does
            not matter; P is given empty rows there.
        reward_std: float[S, A], the standard deviation of normal noise on sampled rewards (default: none). The
            operators and solvers use the expected reward.
        states, actions: names, for messages and figures.

    Raises:
        ValueError: one sentence that names the faulty entry.
    """

    P: Any
    R: Any
    gamma: float
    start: Any = None
    terminal: Any = None
    available: Any = None
    reward_std: Any = None
    states: tuple[str, ...] = ()
    actions: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        keep = lambda name, value: object.__setattr__(self, name, value)  # noqa: E731 - the dataclass is frozen
        gamma = number("gamma", self.gamma, 0, 1)
        if LARGEST_DISCOUNT < gamma < 1:
            raise ValueError(f"gamma is {gamma}, nearer to 1 than 64-bit numbers allow: use 1, or 1 - 1e-8 at most")
        keep("gamma", gamma)
        P, S, A = _transitions(self.P)
        available = np.ones((S, A), bool) if self.available is None else mask_array("available", self.available, (S, A))
        idle = available.sum(axis=1) == 0
        if idle.any():
            raise ValueError(f"{entry('available', first(idle))} has no action: each state needs one")
        keep("available", _kept(available))
        keep("P", _scaled(P, available))
        keep("R", _rewards(self.R, S, A))
        terminal = np.zeros(S, bool) if self.terminal is None else mask_array("terminal", self.terminal, (S,))
        keep("terminal", _kept(terminal))
        self._check_terminal()
        keep("start", _kept(self._start_distribution()))
        if self.reward_std is not None:
            std = real_array("reward_std", self.reward_std, (S, A))
            if (std < 0).any():
                raise ValueError(f"{entry('reward_std', first(std < 0))} is negative")
            keep("reward_std", _kept(std))
        keep("states", _names("states", self.states, S))
        keep("actions", _names("actions", self.actions, A))
        largest = abs(self.expected_reward).max()
        if largest > 1e100:
            raise ValueError(f"R has an entry of size {largest:g}: values would overflow")
        if self.gamma == 1:
            stuck = ~self.can_end(self.available)
            if stuck.any():
                name = self.states[first(stuck)[0]]
                raise ValueError(f"gamma is 1, but from state {name} no policy ends: its value would not exist")

    # -- sizes and views -------------------------------------------------------------------------------------------

    @property
    def n_states(self) -> int:
        """The number of states, S."""
        return int(self.available.shape[0])

    @property
    def n_actions(self) -> int:
        """The number of actions, A."""
        return int(self.available.shape[1])

    @cached_property
    def rows(self) -> Any:
        """P as a matrix [S * A, S]: a view of the dense array, or the sparse matrix itself."""
        return self.P if sparse.issparse(self.P) else self.P.reshape(-1, self.n_states)

    @cached_property
    def expected_reward(self) -> np.ndarray:
        """float[S, A]: r(s, a), the expected reward of taking a in s; 0 where the action does not exist."""
        if sparse.issparse(self.R):
            r = np.asarray(self.R.multiply(self.rows).sum(axis=1))
        elif self.R.ndim == 2:
            r = self.R
        elif sparse.issparse(self.rows):
            r = np.asarray(self.rows.multiply(self.R.reshape(-1, self.n_states)).sum(axis=1))
        else:
            r = np.einsum("sat,sat->sa", self.P, self.R)
        return _kept(np.where(self.available, r.reshape(self.available.shape), 0))

    @cached_property
    def reward_or_barred(self) -> np.ndarray:
        """float[S, A]: r(s, a), but minus infinity where the action does not exist, so that no maximum picks it."""
        return _kept(np.where(self.available, self.expected_reward, -np.inf))

    def expected_next(self, V: np.ndarray) -> np.ndarray:
        """float[S, A]: sum over s' of P[s, a, s'] V[s'], for V: float[S]."""
        return (self.rows @ V).reshape(self.available.shape)

    def can_end(self, allowed: np.ndarray) -> np.ndarray:
        """bool[S]: from which states the allowed actions (bool[S, A]) can lead to a terminal state."""
        S, A = self.available.shape
        rows = sparse.csr_array(self.rows)
        pair, to = rows.nonzero()
        use = allowed.ravel()[pair]
        # Search backwards from one extra node that points at every terminal state.
        ends = np.flatnonzero(self.terminal)
        tail = np.concatenate([to[use], np.full(len(ends), S)])
        head = np.concatenate([pair[use] // A, ends])
        graph = sparse.csr_array((np.ones(len(tail), np.int8), (tail, head)), shape=(S + 1, S + 1))
        found = np.zeros(S + 1, bool)
        found[csgraph.breadth_first_order(graph, S, return_predecessors=False)] = True
        return found[:S]

    # -- checks ----------------------------------------------------------------------------------------------------

    def _check_terminal(self) -> None:
        ends = np.flatnonzero(self.terminal)
        if len(ends) == 0:
            return
        pairs = (ends[:, None] * self.n_actions + np.arange(self.n_actions)).ravel()
        stay = np.asarray(self.rows[pairs, pairs // self.n_actions]).reshape(len(ends), self.n_actions)
        leaves = self.available[ends] & (stay != 1)
        if leaves.any():
            i, a = first(leaves)
            raise ValueError(
                f"{entry('P', (ends[i], a, ends[i]))} is {stay[i, a]:.10g}, but state {ends[i]} is terminal: "
                "its actions must lead back to it with probability 1"
            )
        pays = self.expected_reward[ends] != 0
        if pays.any():
            i, a = first(pays)
            raise ValueError(
                f"R of terminal state {ends[i]} under action {a} is {self.expected_reward[ends[i], a]:g}, "
                "but a terminal state must have reward 0"
            )

    def _start_distribution(self) -> np.ndarray:
        if self.start is None:
            begin = (~self.terminal if not self.terminal.all() else self.terminal).astype(float)
            return begin / begin.sum()
        start = real_array("start", self.start, (self.n_states,))
        distribution("start", start)
        return start


def _kept(array: np.ndarray) -> np.ndarray:
    """Return a copy that nobody can change: what was checked once stays true."""
    array = array.copy()
    array.setflags(write=False)
    return array


def _transitions(P: Any) -> tuple[Any, int, int]:
    """Return P as float array or CSR, and the numbers of states and actions; only its shape is checked."""
    if sparse.issparse(P):
        if P.ndim != 2 or 0 in P.shape or P.shape[0] % P.shape[1]:
            raise ValueError(f"P is sparse with shape {P.shape}, but [S * A, S] was expected")
        return _sparse_table("P", P), P.shape[1], P.shape[0] // P.shape[1]
    P = real_array("P", P, finite=False)
    if P.ndim != 3 or P.shape[0] != P.shape[2] or 0 in P.shape:
        raise ValueError(f"P has shape {P.shape}, but [S, A, S] was expected")
    return P, P.shape[0], P.shape[1]


def _scaled(P: Any, available: np.ndarray) -> Any:
    """Return P with rows that sum to 1 as nearly as they can, and with empty rows for actions that do not exist.

    A sparse P then stores no zeros: each stored entry is a transition that happens.

    Raises:
        ValueError: an entry that is no probability, or the row of an existing action that does not sum to 1.
    """
    S, A = available.shape
    entries = P.data if sparse.issparse(P) else P.ravel()
    bad = ~((entries >= 0) & (entries < np.inf))
    if bad.any():
        k = int(np.flatnonzero(bad)[0])
        where = _place(P, k, A) if sparse.issparse(P) else first(bad.reshape(P.shape))
        raise ValueError(f"{entry('P', where)} is {entries[k]:.6g}, but a transition probability must be a number >= 0")
    with np.errstate(over="ignore"):
        total = np.asarray(P.sum(axis=-1)).reshape(S, A)
    off = available & (abs(total - 1) > 1e-9)
    if off.any():
        where = first(off)
        raise ValueError(f"{entry('P', where)} sums to {total[where]:.10g}, but transition probabilities must sum to 1")
    if not sparse.issparse(P):
        P = np.divide(P, total[..., None], out=np.zeros_like(P), where=available[..., None])
        P.setflags(write=False)
        return P
    exists = np.repeat(available.ravel(), np.diff(P.indptr))
    P.data = np.where(exists, P.data / np.repeat(np.where(available, total, 1).ravel(), np.diff(P.indptr)), 0)
    P.eliminate_zeros()
    P.data.setflags(write=False)
    return P


def _rewards(R: Any, S: int, A: int) -> Any:
    """Return R as float[S, A], float[S, A, S] or CSR [S * A, S]."""
    if sparse.issparse(R):
        if R.shape != (S * A, S):
            raise ValueError(f"R is sparse with shape {R.shape}, but {(S * A, S)} was expected")
        table = _sparse_table("R", R)
        bad = ~np.isfinite(table.data)
        if bad.any():
            k = int(np.flatnonzero(bad)[0])
            raise ValueError(f"{entry('R', _place(table, k, A))} is {table.data[k]}, but it must be a finite number")
        table.data.setflags(write=False)
        return table
    R = real_array("R", R)
    if R.shape not in ((S, A), (S, A, S)):
        raise ValueError(f"R has shape {R.shape}, but {(S, A)} or {(S, A, S)} was expected")
    return _kept(R)


def _sparse_table(name: str, table: Any) -> Any:
    """Return a CSR copy in which each entry is stored once."""
    if table.dtype.kind not in "biuf":
        raise ValueError(f"{name} must be a matrix of real numbers, not of {table.dtype}")
    copy = sparse.csr_array(table, dtype=float, copy=True)
    copy.sum_duplicates()
    return copy


def _place(table: Any, k: int, A: int) -> tuple[int, int, int]:
    """Return (s, a, s') of the k-th stored entry of a CSR table [S * A, S]."""
    pair = int(np.searchsorted(table.indptr, k, side="right")) - 1
    return pair // A, pair % A, int(table.indices[k])


def _names(argument: str, names: Any, size: int) -> tuple[str, ...]:
    """Return one name for each state or action: those given, or else the numbers."""
    if not isinstance(names, tuple | list):
        raise ValueError(f"{argument} is {brief(names)}, but a tuple of names was expected")
    listed = tuple(str(name) for name in names) or tuple(str(i) for i in range(size))
    if len(listed) != size:
        raise ValueError(f"{argument} has {len(listed)} names, but there are {size}")
    return listed
