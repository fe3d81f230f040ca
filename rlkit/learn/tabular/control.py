"""Learning what to do: Q-learning and the learners that differ from it by their target."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from rlkit.learn.tabular.rules import double_target, epsilon_greedy, expected_sarsa_target, q_target, sarsa_target
from rlkit.learn.tabular.walk import Learned, Walk

Target = Callable[..., np.ndarray]


def q_learning(
    world: Any, *, alpha: Any = 0.1, explore: Any = 0.1, Q0: Any = 0.0, target: Target = q_target, **walk: Any
) -> Learned:
    """Learn Q* from experience, whatever policy gathers it.

    1. Q(s, a) := Q0 for all s, a
    2. observe the current state s
    3. do forever:
    4.     select an action a, and execute it
    5.     receive the reward r, and observe the new state s'
    6.     Q(s, a) := Q(s, a) + alpha [ r + gamma max_a' Q(s', a') - Q(s, a) ]
    7.     s := s', or the start of a new episode

    With alpha = 1 line 6 is the slide's, Q(s, a) := r + gamma max_a' Q(s', a').

    Args:
        world: a TabularMDP, or a Gymnasium environment with Discrete spaces.
        alpha: the step size, a number or a function of the number of visits: see :class:`Walk`.
        explore: epsilon, or a function from rows of Q to probabilities: see :class:`Walk`.
        Q0: where the table begins, a number or float[S, A].
        target: what line 6 pulls Q(s, a) towards, ``(r, Q_next, terminated, gamma)``, elementwise over K copies.
        walk: how long (``steps`` or ``episodes``), ``copies``, ``seed``, ``limit``, ``gamma``, ``keep_every``: see
            :class:`Walk`.

    Source: Watkins (1989); the lecture, "Q-Learning for Deterministic Worlds".
    """
    with Walk(world, alpha, explore, **walk) as w:
        Q = w.q_table(Q0)  # (1)
        s = w.state  # (2)
        for _ in w:  # (3)
            a = w.choose(Q[s])  # (4)
            r, s_next, terminated = w.step(a)  # (5)
            y = target(r, Q[s_next], terminated, w.gamma)
            Q[s, a] += w.rate(s, a) * (y - Q[s, a])  # (6)
            s = w.move_on()  # (7)
    return w.learned()


def sarsa(
    world: Any, *, alpha: Any = 0.1, explore: Any = 0.1, Q0: Any = 0.0, target: Target = sarsa_target, **walk: Any
) -> Learned:
    """Learn the Q-function of the policy that gathers the experience, while it improves.

    1. Q(s, a) := Q0 for all s, a
    2. observe s, and select an action a
    3. do forever:
    4.     execute a; receive r, and observe s'
    5.     select the next action a'
    6.     Q(s, a) := Q(s, a) + alpha [ r + gamma Q(s', a') - Q(s, a) ]
    7.     s := s', a := a', or the start of a new episode with a new action

    Args:
        world, alpha, explore, Q0, walk: as for :func:`q_learning`.
        target: ``(r, Q_next, a_next, terminated, gamma)``.

    Source: Rummery and Niranjan (1994); Sutton and Barto (2018), section 6.4.
    """
    with Walk(world, alpha, explore, **walk) as w:
        Q = w.q_table(Q0)  # (1)
        s = w.state
        a = w.choose(Q[s])  # (2)
        for _ in w:  # (3)
            r, s_next, terminated = w.step(a)  # (4)
            a_next = w.choose(Q[s_next])  # (5)
            y = target(r, Q[s_next], a_next, terminated, w.gamma)
            Q[s, a] += w.rate(s, a) * (y - Q[s, a])  # (6)
            s, a = w.move_on(), a_next  # (7)
            if w.ended.any():
                a = np.where(w.ended, w.choose(Q[s]), a)
    return w.learned()


def expected_sarsa(
    world: Any,
    *,
    alpha: Any = 0.1,
    explore: Any = 0.1,
    Q0: Any = 0.0,
    target: Target = expected_sarsa_target,
    **walk: Any,
) -> Learned:
    """Learn as Sarsa does, with the mean over the next action in place of the one that was drawn.

    1. Q(s, a) := Q0 for all s, a
    2. observe the current state s
    3. do forever:
    4.     select an action a, and execute it
    5.     receive r, and observe s'
    6.     Q(s, a) := Q(s, a) + alpha [ r + gamma sum_a' pi(a' | s') Q(s', a') - Q(s, a) ]
    7.     s := s', or the start of a new episode

    Args:
        world, alpha, explore, Q0, walk: as for :func:`q_learning`; pi is what ``explore`` says.
        target: ``(r, Q_next, pi_next, terminated, gamma)``.

    Source: van Seijen et al. (2009); Sutton and Barto (2018), section 6.6.
    """
    with Walk(world, alpha, explore, **walk) as w:
        pi = explore if callable(explore) else lambda rows, _: epsilon_greedy(rows, explore)
        Q = w.q_table(Q0)  # (1)
        s = w.state  # (2)
        for _ in w:  # (3)
            a = w.choose(Q[s])  # (4)
            r, s_next, terminated = w.step(a)  # (5)
            y = target(r, Q[s_next], pi(Q[s_next], w), terminated, w.gamma)
            Q[s, a] += w.rate(s, a) * (y - Q[s, a])  # (6)
            s = w.move_on()  # (7)
    return w.learned()


def double_q_learning(
    world: Any, *, alpha: Any = 0.1, explore: Any = 0.1, Q0: Any = 0.0, target: Target = double_target, **walk: Any
) -> Learned:
    """Learn two tables, each of which judges what the other one finds best.

    1. Q1(s, a) := Q2(s, a) := Q0 for all s, a
    2. observe the current state s
    3. do forever:
    4.     select an action a by Q1 + Q2, and execute it
    5.     receive r, and observe s'
    6.     toss a coin: update Q1 by Q2, or Q2 by Q1
    7.     Q1(s, a) := Q1(s, a) + alpha [ r + gamma Q2(s', argmax_a' Q1(s', a')) - Q1(s, a) ]
    8.     s := s', or the start of a new episode

    Args:
        world, alpha, explore, Q0, walk: as for :func:`q_learning`; ``explore`` is given the mean of both tables.
        target: ``(r, Q_updated_next, Q_other_next, terminated, gamma)``. A step size that depends on visits counts those of
            both tables together.

    Returns:
        Learned; its table is the mean of the two.

    Source: van Hasselt (2010).
    """
    with Walk(world, alpha, explore, **walk) as w:
        Q = w.q_table(Q0, tables=2)  # (1) Q2 stands below Q1
        n = w.n_rows
        s = w.state  # (2)
        for _ in w:  # (3)
            a = w.choose((Q[s] + Q[s + n]) / 2)  # (4)
            r, s_next, terminated = w.step(a)  # (5)
            mine = np.where(w.uniform() < 0.5, 0, n)  # (6)
            y = target(r, Q[s_next + mine], Q[s_next + (n - mine)], terminated, w.gamma)
            Q[s + mine, a] += w.rate(s, a) * (y - Q[s + mine, a])  # (7)
            s = w.move_on()  # (8)
    return w.learned()
