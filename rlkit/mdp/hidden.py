"""Worlds in which nobody acts: Markov chains, and chains that are seen only through a noisy sensor.

A belief b is a distribution over states, float[S]: how likely each is, after all that has been seen.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from rlkit.core.checks import brief, distribution, real_array, whole_number
from rlkit.mdp.tabular import _kept, _names


def stationary(P: Any) -> np.ndarray:
    """Return the stationary distribution of a Markov chain: the share of time that it spends in each state, float[S].

    It is the only distribution p with p P = p.

    Args:
        P: float[S, S], P[s, s'] = the probability that s' follows s.

    Raises:
        ValueError: P is no transition matrix, or the chain has two parts that it never leaves, so that there is more than one
            such distribution.
    """
    from scipy.sparse.csgraph import connected_components

    P = real_array("P", P)
    if P.ndim != 2 or P.shape[0] != P.shape[1] or not P.size:
        raise ValueError(f"P has shape {P.shape}, but [S, S] was expected")
    distribution("P", P)
    count, part = connected_components(P > 0, connection="strong")
    crosses = (P > 0) & (part[:, None] != part)
    closed = np.setdiff1d(np.arange(count), part[crosses.any(axis=1)])
    if len(closed) > 1:
        a, b = (int(np.flatnonzero(part == k)[0]) for k in closed[:2])
        raise ValueError(
            f"P never leads from state {a} to state {b} or back: there is more than one distribution that stays"
        )
    inside = part == closed[0]
    n = inside.sum()
    # p (P - I) = 0 has one equation too many; the sum of p takes the place of the last.
    A = (P[np.ix_(inside, inside)] - np.eye(n)).T
    A[-1] = 1
    p = np.zeros(len(P))
    p[inside] = np.linalg.solve(A, np.eye(n)[-1])
    return p


@dataclass(frozen=True, eq=False)
class HMM:
    """A hidden Markov model: a chain that moves by itself, and an observation of every state that it comes to.

    The arrays are copied and can be read only. A step is a move and then an observation, so that ``start`` is the belief
    *before* the first move, when nothing has been seen.

    Args:
        P: float[S, S], P[s, s'] = the probability that s' follows s.
        O: float[S, Z], O[s', o] = the probability of observing o in s'.
        start: float[S], the belief at the beginning (default: all states are equally likely).
        states, observations: names, for messages and figures.

    Raises:
        ValueError: one sentence that names the faulty entry.
    """

    P: Any
    O: Any  # noqa: E741 - the letter that every text on hidden states uses
    start: Any = None
    states: tuple[str, ...] = ()
    observations: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        keep = lambda name, value: object.__setattr__(self, name, value)  # noqa: E731 - the dataclass is frozen
        P, O = real_array("P", self.P), real_array("O", self.O)  # noqa: E741
        if P.ndim != 2 or P.shape[0] != P.shape[1] or not P.size:
            raise ValueError(f"P has shape {P.shape}, but [S, S] was expected")
        if O.ndim != 2 or O.shape[0] != P.shape[0] or not O.size:
            raise ValueError(f"O has shape {O.shape}, but [{P.shape[0]}, observations] was expected")
        distribution("P", P)
        distribution("O", O)
        S, Z = O.shape
        keep("P", _kept(P))
        keep("O", _kept(O))
        keep("start", start_belief(self.start, S))
        keep("states", _names("states", self.states, S))
        keep("observations", _names("observations", self.observations, Z))

    @property
    def n_states(self) -> int:
        """The number of states, S."""
        return int(self.O.shape[0])

    @property
    def n_observations(self) -> int:
        """The number of observations, Z."""
        return int(self.O.shape[1])


def filter_step(hmm: HMM, b: Any, o: int) -> tuple[np.ndarray, float]:
    """Return the belief after one more step of the chain, and how likely its observation was.

    1. predict:  c(s') := sum_s P(s' | s) b(s) for every s'
    2. how likely was o?  p := sum_s' O(o | s') c(s')
    3. correct:  b'(s') := O(o | s') c(s') / p for every s'

    Args:
        hmm: the model.
        b: float[S], the belief before the step.
        o: what was observed after it.

    Returns:
        b': float[S], and p, the probability of o given all that was observed before.

    Raises:
        ValueError: b is no belief, o no observation, or one that the model rules out (p is 0).

    Source: Rabiner (1989), the forward procedure, scaled in every step.
    """
    b = belief(b, hmm.n_states)
    o = index_below("o", o, hmm.n_observations)
    c = b @ hmm.P  # (1)
    p = hmm.O[:, o] @ c  # (2)
    b_next = corrected(hmm.O[:, o] * c, p, f"observation {hmm.observations[o]}")  # (3)
    return b_next, float(p)


def forward_filter(hmm: HMM, observations: Iterable[int], b: Any = None) -> Iterator[tuple[np.ndarray, float]]:
    """Yield what :func:`filter_step` returns, after each of the observations.

    The product of all the probabilities that it yields is the probability of the whole sequence.

    Args:
        hmm: the model.
        observations: the numbers of what is observed, one after each move.
        b: float[S], the belief to begin with (default: ``hmm.start``).
    """
    b = hmm.start if b is None else b
    for o in observations:
        b, p = filter_step(hmm, b, o)
        yield b, p


# -- checks that the models of hidden states share ---------------------------------------------------------------------


def belief(b: Any, states: int) -> np.ndarray:
    """Return b as float[S], or raise ValueError where it is no distribution over the states."""
    b = real_array("b", b, (states,))
    distribution("b", b)
    return b


def start_belief(start: Any, states: int) -> np.ndarray:
    """Return the belief at the beginning, float[S], read-only; without one, all states are equally likely."""
    if start is None:
        start = np.full(states, 1 / states)
    start = real_array("start", start, (states,))
    distribution("start", start)
    return _kept(start)


def index_below(name: str, value: Any, count: int) -> int:
    """Return a number from 0 to count - 1, or raise ValueError."""
    i = whole_number(name, value, 0)
    if i >= count:
        raise ValueError(f"{name} is {brief(value)}, but there are only {count}, numbered from 0")
    return i


def corrected(joint: np.ndarray, p: float, what: str) -> np.ndarray:
    """Return Bayes' rule, joint / p, or raise ValueError where p is 0."""
    if p <= 0:
        raise ValueError(f"{what} has probability 0 under this belief: the model rules it out")
    return joint / p
