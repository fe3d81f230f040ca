"""One agent that does not see the state: POMDPs, beliefs, and exact values as the largest of a few lines.

The value of a belief is the largest of finitely many linear functions of it. Each is an alpha-vector, float[S]: what one plan
(a policy tree) is worth in each state. Value iteration makes longer plans of shorter ones, and drops those that are best nowhere.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import product
from typing import Any

import numpy as np

from rlkit.core.checks import distribution, number, real_array, whole_number
from rlkit.mdp.hidden import belief, corrected, index_below, start_belief
from rlkit.mdp.tabular import _kept, _names


@dataclass(frozen=True, eq=False)
class POMDP:
    """A partially observable Markov decision process: an MDP whose state is seen only through observations.

    The arrays are copied and can be read only.

    Args:
        P: float[S, A, S], P[s, a, s'] = the probability of moving to s'.
        O: float[A, S, Z], O[a, s', o] = the probability of observing o after a has led to s'.
        R: float[S, A], the expected reward of a in s.
        gamma: the discount, in [0, 1]; 1 for plans of finite length.
        start: float[S], the belief at the beginning (default: all states are equally likely).
        states, actions, observations: names, for messages and figures.

    Raises:
        ValueError: one sentence that names the faulty entry.
    """

    P: Any
    O: Any  # noqa: E741 - the letter that every text on hidden states uses
    R: Any
    gamma: float = 1.0
    start: Any = None
    states: tuple[str, ...] = ()
    actions: tuple[str, ...] = ()
    observations: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        P, O = real_array("P", self.P), real_array("O", self.O)  # noqa: E741
        if P.ndim != 3 or P.shape[0] != P.shape[2] or not P.size:
            raise ValueError(f"P has shape {P.shape}, but [S, A, S] was expected")
        S, A, _ = P.shape
        if O.ndim != 3 or O.shape[:2] != (A, S) or not O.size:
            raise ValueError(f"O has shape {O.shape}, but [{A}, {S}, observations] was expected")
        distribution("O", O)
        keep_world(self, P, O, A, O.shape[2])

    @property
    def n_states(self) -> int:
        """The number of states, S."""
        return int(self.P.shape[0])

    @property
    def n_actions(self) -> int:
        """The number of actions, A."""
        return int(self.P.shape[1])

    @property
    def n_observations(self) -> int:
        """The number of observations, Z."""
        return int(self.O.shape[2])


def keep_world(world: Any, P: np.ndarray, O: np.ndarray, actions: int, observations: int) -> None:  # noqa: E741
    """Check what is left to check of a frozen world, a POMDP or a DecPOMDP, and keep all of it, to be read only.

    Args:
        world: the dataclass.
        P, O: its arrays, of the right shapes; the rows of O are checked.
        actions, observations: how many names they have.
    """
    S = len(P)
    distribution("P", P)
    kept = {
        "P": _kept(P),
        "O": _kept(O),
        "R": _kept(real_array("R", world.R, P.shape[:-1])),
        "gamma": number("gamma", world.gamma, 0, 1),
        "start": start_belief(world.start, S),
        "states": _names("states", world.states, S),
        "actions": _names("actions", world.actions, actions),
        "observations": _names("observations", world.observations, observations),
    }
    for name, value in kept.items():
        object.__setattr__(world, name, value)  # the dataclass is frozen


def belief_update(pomdp: POMDP, b: Any, a: int, o: int) -> np.ndarray:
    """Return the belief after action a and observation o, float[S].

    1. predict:  c(s') := sum_s P(s' | s, a) b(s) for every s'
    2. how likely was o?  p := sum_s' O(o | s', a) c(s')
    3. correct:  b'(s') := O(o | s', a) c(s') / p for every s'

    Args:
        pomdp: the world.
        b: float[S], the belief before.
        a, o: what was done, and what was then observed.

    Raises:
        ValueError: b is no belief, a or o do not exist, or o is ruled out by the model (p is 0).

    Source: Kaelbling, Littman and Cassandra (1998), section 3.3.
    """
    b = belief(b, pomdp.n_states)
    a, o = index_below("a", a, pomdp.n_actions), index_below("o", o, pomdp.n_observations)
    c = b @ pomdp.P[:, a]  # (1)
    p = pomdp.O[a, :, o] @ c  # (2)
    b_next = corrected(pomdp.O[a, :, o] * c, p, f"observation {pomdp.observations[o]}")  # (3)
    return b_next


def observation_probabilities(pomdp: POMDP, b: Any, a: int) -> np.ndarray:
    """Return how likely each observation is when a is done under belief b, float[Z]."""
    b = belief(b, pomdp.n_states)
    a = index_below("a", a, pomdp.n_actions)
    return b @ pomdp.P[:, a] @ pomdp.O[a]


# -- exact values ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class AlphaVectors:
    """What is best with a given number of steps to go, for every belief.

    Attributes:
        vectors: float[N, S], the worth of N plans in each state; each is the best one somewhere.
        actions: int[N], what each plan begins with.
        after: int[N, Z], which vector of one horizon less each plan goes on with after each observation (-1 at the end).
        shorter: the vectors with one step less to go, to which ``after`` refers; None where no step follows.
    """

    vectors: np.ndarray
    actions: np.ndarray
    after: np.ndarray
    shorter: AlphaVectors | None = field(repr=False)

    def best(self, b: Any) -> int:
        """Return which of the vectors is largest at belief b (the first one, where several are)."""
        values = self.vectors @ belief(b, self.vectors.shape[1])
        return int(np.flatnonzero(values >= values.max() - 1e-9)[0])

    def value(self, b: Any) -> float:
        """Return the value of belief b."""
        return float((self.vectors @ belief(b, self.vectors.shape[1])).max())

    def action(self, b: Any) -> int:
        """Return a best action at belief b."""
        return int(self.actions[self.best(b)])

    def tree(self, b: Any) -> np.ndarray:
        """Return a best plan for belief b as a policy tree (see :mod:`rlkit.mdp.decentralised`), int[nodes]."""
        level: list[tuple[AlphaVectors, int]] = [(self, self.best(b))]
        actions: list[int] = []
        while level:
            actions += [int(alpha.actions[k]) for alpha, k in level]
            level = [(a.shorter, int(j)) for a, k in level if a.shorter is not None for j in a.after[k]]
        return np.array(actions)


def alpha_vectors(pomdp: POMDP, tol: float | None = None) -> Iterator[AlphaVectors]:
    """Yield the alpha-vectors for 1, 2, 3, ... steps to go: value iteration over beliefs.

    1. with 0 steps to go there is one plan, to do nothing, worth 0 in every state
    2. repeat
    3.     project:  for every a, o and old vector v, g(s) := sum_s' P(s' | s, a) O(o | s', a) v(s');  prune
    4.     add:  for every a, the sums over o of one g each, one observation after the other; prune after each
    5.     w(s) := r(s, a) + gamma (sum)(s);  the new vectors are the w of all actions, pruned
    6. until no belief's value has changed by more than tol (1 - gamma) / (2 gamma)

    To prune is to drop every vector that is the largest at no belief, which a linear program per vector finds out.

    Args:
        pomdp: the world.
        tol: stop as in line 6, which puts every value within tol / 2 of the best with no end of steps (gamma < 1). Without it,
            go on for ever.

    Raises:
        ValueError: tol is not above 0, or gamma is 1 and there is a tol.

    Source: Smallwood and Sondik (1973); the order of lines 3 to 5 is incremental pruning, Cassandra, Littman and Zhang (1997).
    """
    if tol is not None:
        tol = number("tol", tol, 0, np.inf)
        if pomdp.gamma == 1 or tol == 0:
            raise ValueError(
                f"tol is {tol:g} and gamma {pomdp.gamma:g}, but a tol above 0 and gamma below 1 were expected"
            )
    S, A, Z = pomdp.n_states, pomdp.n_actions, pomdp.n_observations
    alpha, old = None, np.zeros((1, S))  # (1)
    while True:  # (2)
        vectors, actions, after = [], [], []
        for a in range(A):
            total, plans = np.zeros((1, S)), np.zeros((1, 0), int)
            for o in range(Z):
                g = old @ (pomdp.P[:, a] * pomdp.O[a, :, o]).T  # (3)
                kept = prune(g)
                sums = (total[:, None] + g[kept]).reshape(-1, S)  # (4)
                pairs = np.array([[*p, k] for p, k in product(plans, kept)])
                kept = prune(sums)
                total, plans = sums[kept], pairs[kept]
            vectors.append(pomdp.R[:, a] + pomdp.gamma * total)  # (5)
            actions.append(np.full(len(total), a))
            after.append(plans)
        w = np.concatenate(vectors)
        kept = prune(w)
        nothing = alpha is None
        follow = np.full((len(kept), Z), -1) if nothing else np.concatenate(after)[kept]
        alpha = AlphaVectors(_kept(w[kept]), _kept(np.concatenate(actions)[kept]), _kept(follow), alpha)
        yield alpha
        if tol is not None and 2 * pomdp.gamma * largest_change(old, alpha.vectors) <= tol * (1 - pomdp.gamma):  # (6)
            return
        old = alpha.vectors


def prune(vectors: np.ndarray, tol: float = 1e-9) -> np.ndarray:
    """Return which vectors are needed for the largest value at every belief, int[N'], in increasing order.

    Of vectors that are equal, or equally good to within tol, one stays. ``vectors`` is float[N, S].

    With two states beliefs lie on a line, and sorting takes the place of linear programs.

    Source: White (1991), who gives the method to Lark.
    """
    if vectors.shape[1] == 2:
        return np.sort(_upper_lines(vectors, tol)[0])
    kept: list[int] = []
    for s in range(vectors.shape[1]):  # what is best in a corner is needed; among equals, what is best near it
        best = np.flatnonzero(vectors[:, s] >= vectors[:, s].max() - tol)
        k = int(best[np.argmax(vectors[best].sum(axis=1))])
        if k not in kept:
            kept.append(k)
    open_ones = [k for k in range(len(vectors)) if k not in kept]
    while open_ones:
        k = open_ones[0]
        gain, b = margin(vectors[k], vectors[kept])
        if gain <= tol:
            open_ones.pop(0)
            continue
        values = vectors[open_ones] @ b
        best = np.flatnonzero(values >= values.max() - tol)
        winner = open_ones[int(best[np.argmax(vectors[open_ones][best].sum(axis=1))])]
        kept.append(winner)
        open_ones.remove(winner)
    return np.sort(kept)


def margin(v: np.ndarray, others: np.ndarray) -> tuple[float, np.ndarray]:
    """Return by how much v is above all others where it is above them most, and the belief there, float[S].

    Args:
        v: float[S].
        others: float[N, S], at least one.
    """
    gaps = v - others
    if len(v) == 2:
        p = _upper_lines(-gaps, 0)[1]
        smallest = (p[:, None] * gaps[:, 0] + (1 - p[:, None]) * gaps[:, 1]).min(axis=1)
        k = smallest.argmax()
        return float(smallest[k]), np.array([p[k], 1 - p[k]])
    from scipy.optimize import linprog  # takes a while to import, and only these lines need it

    # Maximise d over beliefs b with (v - w) b >= d for every other vector w.
    S, size = len(v), abs(gaps).max() or 1.0  # the solver's tolerances are absolute: give it numbers of size 1
    found = linprog(
        np.r_[np.zeros(S), -1],
        A_ub=np.c_[-gaps / size, np.ones(len(gaps))],
        b_ub=np.zeros(len(gaps)),
        A_eq=np.r_[np.ones(S), 0][None],
        b_eq=[1],
        bounds=[(0, None)] * S + [(None, None)],
    )
    b = np.maximum(found.x[:S], 0)
    b = b / b.sum()
    return float((gaps @ b).min()), b


def _upper_lines(vectors: np.ndarray, tol: float) -> tuple[np.ndarray, np.ndarray]:
    """Return which of the lines v[1] + (v[0] - v[1]) p are the highest somewhere in 0 <= p <= 1, and where that changes.

    Returns:
        index: int[M], from the line that is highest at p = 0 to the one at p = 1; places: float[M + 1], from 0 to 1.
    """
    end, height = vectors.T  # the values at p = 1 and p = 0
    slope = end - height
    index: list[int] = []
    places: list[float] = []
    for k in np.lexsort((height, slope)).tolist():  # a steeper line can be the highest only further to the right
        if index and end[k] <= end[index[-1]] + tol:
            continue
        while index and height[k] + slope[k] * places[-1] >= height[index[-1]] + slope[index[-1]] * places[-1] - tol:
            index.pop()  # where its stretch begins, it is overtaken already
            places.pop()
        places.append((height[index[-1]] - height[k]) / (slope[k] - slope[index[-1]]) if index else 0.0)
        index.append(k)
    return np.array(index), np.array([*places, 1.0])


def largest_change(old: np.ndarray, new: np.ndarray) -> float:
    """Return the largest distance between two sets of vectors' values at one belief."""
    up = max(margin(v, old)[0] for v in new)
    return max(up, *(margin(v, new)[0] for v in old))


# -- what it is worth to look first ----------------------------------------------------------------------------------


def looking_first(pomdp: POMDP, beliefs: Any, look: int, times: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Return what it is worth to act at once, and to look before, as functions of the belief.

    The game ends with the first action that is not ``look``.

    Args:
        pomdp: the world.
        beliefs: float[..., S].
        look: the action that only looks.
        times: how often one may look before one has to act, at least once.

    Returns:
        now, first: float[...] each: the value of the best other action at once, and of looking once and then doing what is
        best: acting, or looking again while looks are left.

    Raises:
        ValueError: beliefs are none, look does not exist, times is below 1, or there is no other action.
    """
    beliefs = real_array("beliefs", beliefs)
    if not beliefs.ndim or beliefs.shape[-1] != pomdp.n_states:
        raise ValueError(f"beliefs has shape {beliefs.shape}, but [..., {pomdp.n_states}] was expected")
    distribution("beliefs", beliefs)
    look, times = index_below("look", look, pomdp.n_actions), whole_number("times", times, 1)
    if pomdp.n_actions == 1:
        raise ValueError("the only action is to look: there is nothing to look for")
    others = np.delete(pomdp.R, look, axis=1)
    step = pomdp.P[:, look, :, None] * pomdp.O[look]  # float[S, S', Z]: the next state and its observation

    def values(b: np.ndarray, left: int) -> tuple[np.ndarray, np.ndarray]:
        now = (b @ others).max(axis=-1)
        if not left:
            return now, now
        # Not divided by the probability of o: values are linear in b, so the sum over o needs no weights.
        joint = np.einsum("...s,sto->...ot", b, step)
        act, again = values(joint, left - 1)
        return now, b @ pomdp.R[:, look] + pomdp.gamma * np.maximum(act, again).sum(axis=-1)

    return values(beliefs, times)


# -- the tiger -------------------------------------------------------------------------------------------------------


def tiger(gamma: float = 1.0) -> POMDP:
    """Two doors: a tiger waits behind one of them, and a treasure lies behind the other.

    Listening costs 1, and the growl seems to come from the right side with probability 0.85. Opening the treasure's door
    pays 10, the tiger's costs 100; then tiger and treasure are placed anew, and what is heard says nothing.

    Source: Kaelbling, Littman and Cassandra (1998), section 5.1.
    """
    P = np.full((2, 3, 2), 0.5)
    P[:, 0] = np.eye(2)
    O = np.full((3, 2, 2), 0.5)  # noqa: E741
    O[0] = [[0.85, 0.15], [0.15, 0.85]]
    R = np.array([[-1, -100, 10], [-1, 10, -100]])
    sides = ("tiger left", "tiger right")
    return POMDP(P, O, R, gamma, None, sides, ("listen", "open left", "open right"), ("hear left", "hear right"))
