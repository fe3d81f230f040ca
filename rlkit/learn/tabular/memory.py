"""Using an experience more than once: backwards, from a memory, or from a model of the world that was learned."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from typing import Any

import numpy as np

from rlkit.core.checks import number, whole_number
from rlkit.learn.tabular.rules import q_target
from rlkit.learn.tabular.walk import Learned, Walk

Target = Callable[..., np.ndarray]


def backward_q_learning(
    world: Any, *, alpha: Any = 0.1, explore: Any = 0.1, Q0: Any = 0.0, target: Target = q_target, **walk: Any
) -> Learned:
    """Wait for the end of each episode, then update along it from the last step to the first.

    1. Q(s, a) := Q0 for all s, a
    2. do forever:
    3.     select an action, execute it, and remember (s, a, r, s')
    4.     if the episode has ended, for each of its steps, the last one first:
    5.         Q(s, a) := Q(s, a) + alpha [ r + gamma max_a' Q(s', a') - Q(s, a) ]

    Args:
        world, alpha, explore, Q0, target, walk: as for :func:`q_learning`; ``limit`` is needed, since an episode has to
            be remembered as a whole.

    Source: Lin (1992); the lecture, "Improving convergence: update sequences".
    """
    if walk.get("limit") is None:
        raise ValueError("an episode is remembered to its end: say limit=..., the longest that it may take")
    with Walk(world, alpha, explore, **walk) as w:
        Q = w.q_table(Q0)  # (1)
        s = w.state
        memory = Memory((w.limit or 0) * w.K)  # step t of copy k stands in place t * K + k
        length = np.zeros(w.K, int)
        for _ in w:  # (2)
            a = w.choose(Q[s])
            r, s_next, terminated = w.step(a)
            memory.put(length * w.K + w.k, s, a, r, s_next, terminated)  # (3)
            length += 1
            for back in range(1, 1 + length[w.ended].max(initial=0)):  # (4)
                k = np.flatnonzero(w.ended & (length >= back))
                old_s, old_a, old_r, old_next, end = memory.get((length[k] - back) * w.K + k)
                y = target(old_r, Q[old_next], end, w.gamma)
                Q[old_s, old_a] += w.rate(old_s, old_a) * (y - Q[old_s, old_a])  # (5)
            length[w.ended] = 0
            s = w.move_on()
    return w.learned()


def replay_q_learning(
    world: Any,
    *,
    replays: int = 5,
    capacity: int = 10_000,
    alpha: Any = 0.1,
    explore: Any = 0.1,
    Q0: Any = 0.0,
    target: Target = q_target,
    **walk: Any,
) -> Learned:
    """Remember every transition, and after each step learn again from some of them.

    1. Q(s, a) := Q0 for all s, a
    2. observe the current state s
    3. do forever:
    4.     select an action a, execute it, observe r and s', and remember (s, a, r, s')
    5.     Q(s, a) := Q(s, a) + alpha [ r + gamma max_a' Q(s', a') - Q(s, a) ]
    6.     repeat ``replays`` times: do line 5 for a remembered transition, each equally likely
    7.     s := s', or the start of a new episode

    Args:
        world, alpha, explore, Q0, target, walk: as for :func:`q_learning`.
        replays: old transitions learned from after each step.
        capacity: how many transitions are remembered; older ones are forgotten.

    Source: Lin (1992); the lecture, "Remember old state-action transitions and their immediate reward".
    """
    replays, capacity = whole_number("replays", replays, 0), whole_number("capacity", capacity, 1)
    with Walk(world, alpha, explore, **walk) as w:
        Q = w.q_table(Q0)  # (1)
        s = w.state  # (2)
        memory = Memory(capacity * w.K)  # step t of copy k stands in place t * K + k
        for t in w:  # (3)
            a = w.choose(Q[s])
            r, s_next, terminated = w.step(a)
            memory.put(t % capacity * w.K + w.k, s, a, r, s_next, terminated)  # (4)
            y = target(r, Q[s_next], terminated, w.gamma)
            Q[s, a] += w.rate(s, a) * (y - Q[s, a])  # (5)
            for _ in range(replays):  # (6)
                which = (w.uniform() * min(t + 1, capacity)).astype(int)
                old_s, old_a, old_r, old_next, end = memory.get(which * w.K + w.k)
                y = target(old_r, Q[old_next], end, w.gamma)
                Q[old_s, old_a] += w.rate(old_s, old_a) * (y - Q[old_s, old_a])
            s = w.move_on()  # (7)
    return w.learned()


def dyna_q(
    world: Any,
    *,
    planning: int = 5,
    alpha: Any = 0.1,
    explore: Any = 0.1,
    Q0: Any = 0.0,
    target: Target = q_target,
    **walk: Any,
) -> Learned:
    """Learn a model of the world as well, and after each step imagine some more steps with it.

    1. Q(s, a) := Q0 for all s, a; the model is empty
    2. observe the current state s
    3. do forever:
    4.     select an action a, execute it, and observe r and s'
    5.     Q(s, a) := Q(s, a) + alpha [ r + gamma max_a' Q(s', a') - Q(s, a) ]
    6.     model(s, a) := (r, s')
    7.     repeat ``planning`` times: draw (s, a) from those seen so far; do line 5 with (r, s') := model(s, a)
    8.     s := s', or the start of a new episode

    The model holds what happened last, so the world is taken to be deterministic.

    Args:
        world, alpha, explore, Q0, target, walk: as for :func:`q_learning`.
        planning: imagined steps after each real one.

    Source: Sutton (1990); Sutton and Barto (2018), section 8.2.
    """
    planning = whole_number("planning", planning, 0)
    with Walk(world, alpha, explore, **walk) as w:
        Q = w.q_table(Q0)  # (1)
        s = w.state  # (2)
        model = Memory(w.n_rows * w.A)  # (s, a) stands in place s * A + a
        known = np.zeros(w.n_rows * w.A, bool)
        seen = np.zeros((w.K, w.S * w.A), int)  # places, in the order of their first visit
        count = np.zeros(w.K, int)
        for _ in w:  # (3)
            a = w.choose(Q[s])
            r, s_next, terminated = w.step(a)  # (4)
            y = target(r, Q[s_next], terminated, w.gamma)
            Q[s, a] += w.rate(s, a) * (y - Q[s, a])  # (5)
            place = s * w.A + a
            model.put(place, s, a, r, s_next, terminated)  # (6)
            new = np.flatnonzero(~known[place])
            seen[new, count[new]] = place[new]
            known[place] = True
            count[new] += 1
            for _ in range(planning):  # (7)
                place = seen[w.k, (w.uniform() * count).astype(int)]
                old_s, old_a, old_r, old_next, end = model.get(place)
                y = target(old_r, Q[old_next], end, w.gamma)
                Q[old_s, old_a] += w.rate(old_s, old_a) * (y - Q[old_s, old_a])
            s = w.move_on()  # (8)
    return w.learned()


def prioritised_sweeping(
    world: Any, *, planning: int = 5, threshold: float = 1e-4, explore: Any = 0.1, Q0: Any = 0.0, **walk: Any
) -> tuple[Learned, int]:
    """Plan where it matters: the entry that would change most comes first, and then those that lead to it.

    1. Q(s, a) := Q0 for all s, a; model and queue are empty
    2. observe the current state s
    3. do forever:
    4.     select an action a, execute it, observe r and s'; model(s, a) := (r, s')
    5.     put (s, a) into the queue with priority p = |r + gamma max_a' Q(s', a') - Q(s, a)|, if p > threshold
    6.     repeat ``planning`` times, while the queue is not empty:
    7.         take the first (s, a); Q(s, a) := r + gamma max_a' Q(s', a'), with (r, s') := model(s, a)
    8.         for all (s", a") that the model leads to s: put them into the queue as in line 5
    9.     s := s', or the start of a new episode

    For one copy, in plain Python: a queue is no array. The world is taken to be deterministic.

    Args:
        world, explore, Q0, walk: as for :func:`q_learning`; ``copies`` must be 1.
        planning: entries updated after each real step.
        threshold: changes smaller than this are not worth the work.

    Returns:
        Learned, and how many entries were updated.

    Source: Moore and Atkeson (1993); Sutton and Barto (2018), section 8.4.
    """
    planning, threshold = whole_number("planning", planning, 0), number("threshold", threshold, 0, np.inf)
    if walk.get("copies", 1) != 1:
        raise ValueError(f"copies is {walk['copies']}, but prioritised sweeping runs one copy at a time")
    updates = 0
    with Walk(world, 1.0, explore, **walk) as w:
        Q = w.q_table(Q0)  # (1)
        s = w.state  # (2)
        model: dict[tuple[int, int], tuple[float, int, bool]] = {}
        leads_to: dict[int, set[tuple[int, int]]] = defaultdict(set)
        queue: dict[tuple[int, int], float] = {}

        def target(pair: tuple[int, int]) -> float:
            r, to, end = model[pair]
            return float(q_target(r, Q[to], end, w.gamma))

        def put(pair: tuple[int, int]) -> None:  # (5)
            priority = float(abs(target(pair) - Q[pair]))
            if priority > threshold:
                queue[pair] = priority  # in place of an older one: every pair waits only once

        for _ in w:  # (3)
            a = w.choose(Q[s])
            r, s_next, terminated = w.step(a)
            pair = int(s[0]), int(a[0])
            model[pair] = float(r[0]), int(s_next[0]), bool(terminated[0])  # (4)
            leads_to[int(s_next[0])].add(pair)
            put(pair)
            for _ in range(planning):  # (6)
                if not queue:
                    break
                pair = max(queue, key=queue.__getitem__)
                del queue[pair]
                Q[pair] = target(pair)  # (7)
                updates += 1
                for before in leads_to[pair[0]]:  # (8)
                    put(before)
            s = w.move_on()  # (9)
    return w.learned(), updates


class Memory:
    """Transitions (s, a, r, s', terminated), each in a numbered place.

    Args:
        places: how many there are.
    """

    def __init__(self, places: int):
        self._s, self._a, self._to = (np.zeros(places, int) for _ in range(3))
        self._r, self._end = np.zeros(places), np.zeros(places, bool)

    def put(self, at: np.ndarray, s: Any, a: Any, r: Any, s_next: Any, terminated: Any) -> None:
        """Write transitions to the places ``at``, int[...]."""
        self._s[at], self._a[at], self._r[at], self._to[at], self._end[at] = s, a, r, s_next, terminated

    def get(self, at: np.ndarray) -> tuple[np.ndarray, ...]:
        """Return the transitions at the places ``at``, int[...]."""
        return self._s.take(at), self._a.take(at), self._r.take(at), self._to.take(at), self._end.take(at)
