"""Learning what a policy is worth, from the experience that it gathers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from rlkit.core.checks import distribution, entry, first, number, real_array, whole_number
from rlkit.learn.tabular.rules import n_step_target, td_target
from rlkit.learn.tabular.walk import Learned, Walk
from rlkit.mdp import TabularMDP, policy_matrix

Target = Callable[..., np.ndarray]


def td_prediction(
    world: Any, policy: Any, *, alpha: Any = 0.1, V0: Any = 0.0, target: Target = td_target, **walk: Any
) -> Learned:
    """Learn V^pi from one step to the next: TD(0).

    1. V(s) := V0 for all s
    2. observe the current state s
    3. do forever:
    4.     draw a from pi(a | s), and execute it
    5.     receive r, and observe s'
    6.     V(s) := V(s) + alpha [ r + gamma V(s') - V(s) ]
    7.     s := s', or the start of a new episode

    Args:
        world: a TabularMDP, or a Gymnasium environment with Discrete spaces.
        policy: int[S] or float[S, A].
        alpha: a number; TD(0) with a constant step size hovers around V^pi.
        V0: where the table begins, a number or float[S].
        target: ``(r, V_next, terminated, gamma)``, elementwise over K copies.
        walk: see :class:`Walk`.

    Source: Sutton (1988); Sutton and Barto (2018), section 6.1.
    """
    with Walk(world, number("alpha", alpha, 0, 1), 0.0, **walk) as w:
        pi = _rows_of(policy, world, w)
        V = w.v_table(V0)  # (1)
        s = w.state  # (2)
        for _ in w:  # (3)
            a = w.draw(pi[s])  # (4)
            r, s_next, terminated = w.step(a)  # (5)
            y = target(r, V[s_next], terminated, w.gamma)
            V[s] += w.rate(s) * (y - V[s])  # (6)
            s = w.move_on()  # (7)
    return w.learned()


def n_step_td(
    world: Any,
    policy: Any,
    n: int | None,
    *,
    alpha: Any = 0.1,
    V0: Any = 0.0,
    target: Target = n_step_target,
    **walk: Any,
) -> Learned:
    """Learn V^pi from what happens within n steps; n = 1 is TD(0), and without an n this is Monte Carlo.

    1. V(s) := V0 for all s
    2. do forever:
    3.     take a step with pi, and remember its state and its reward
    4.     once n steps have passed since a state s:
    5.         V(s) := V(s) + alpha [ r_0 + gamma r_1 + ... + gamma^n V(s_n) - V(s) ]
    6.     if the episode has ended, do so for the states of its last n - 1 steps, with the rewards that there were

    Args:
        world, policy, alpha, V0, walk: as for :func:`td_prediction`.
        n: how many rewards enter a target; None for all up to the end of the episode, which needs a ``limit``.
        target: ``(rewards, V_end, terminated, gamma)`` with rewards float[K, n].

    Source: Sutton and Barto (2018), section 7.1.
    """
    if n is None and walk.get("limit") is None:
        raise ValueError(
            "without an n every episode is awaited to its end: say limit=..., the longest that it may take"
        )
    with Walk(world, number("alpha", alpha, 0, 1), 0.0, **walk) as w:
        pi = _rows_of(policy, world, w)
        V = w.v_table(V0)  # (1)
        s = w.state
        n = whole_number("n", w.limit if n is None else n, 1)
        states, rewards = np.zeros((n, w.K), int), np.zeros((n, w.K))  # step t stands in row t % n
        waiting = np.zeros(w.K, int)  # how many remembered states have not been updated
        for t in w:  # (2)
            states[t % n] = s
            rewards[t % n], s_next, terminated = w.step(w.draw(pi[s]))  # (3)
            waiting += 1
            oldest = n if waiting.max() == n else waiting[w.ended].max(initial=0)
            for m in range(oldest, 0 if w.ended.any() else n - 1, -1):  # m steps ago, oldest first
                due = np.flatnonzero((w.ended & (waiting >= m)) | ((m == n) & (waiting == n)))  # (4, 6)
                ago = (t - np.arange(m - 1, -1, -1)) % n
                y = target(rewards[ago[:, None], due].T, V[s_next[due]], terminated[due], w.gamma)
                old = states[ago[0], due]
                V[old] += w.rate(old) * (y - V[old])  # (5)
            waiting = np.where(w.ended, 0, np.minimum(waiting, n - 1))
            s = w.move_on()
    return w.learned()


def td_lambda(world: Any, policy: Any, lam: float, *, alpha: Any = 0.1, V0: Any = 0.0, **walk: Any) -> Learned:
    """Learn V^pi with eligibility traces: every surprise is passed back along the whole episode, fading by gamma lambda.

    1. V(s) := V0 for all s, and e(s) := 0
    2. observe the current state s
    3. do forever:
    4.     take a step with pi; receive r, and observe s'
    5.     e := gamma lambda e, then e(s) := e(s) + 1
    6.     delta := r + gamma V(s') - V(s)
    7.     V := V + alpha delta e, for all states at once
    8.     s := s', or the start of a new episode, with e := 0

    Args:
        world, policy, alpha, V0, walk: as for :func:`td_prediction`.
        lam: lambda, in [0, 1]; 0 is TD(0).

    Source: Sutton (1988); Sutton and Barto (2018), section 12.2.
    """
    lam = number("lam", lam, 0, 1)
    with Walk(world, number("alpha", alpha, 0, 1), 0.0, **walk) as w:
        pi = _rows_of(policy, world, w)
        V = w.v_table(V0)
        e = np.zeros(V.shape)  # (1)
        s = w.state  # (2)
        for _ in w:  # (3)
            r, s_next, terminated = w.step(w.draw(pi[s]))  # (4)
            e *= w.gamma * lam
            e[s] += 1  # (5)
            delta = td_target(r, V[s_next], terminated, w.gamma) - V[s]  # (6)
            V += np.repeat(w.rate(s) * delta, w.S) * e  # (7)
            e.reshape(w.K, w.S)[w.ended] = 0
            s = w.move_on()  # (8)
    return w.learned()


def _rows_of(policy: Any, world: Any, w: Walk) -> np.ndarray:
    """Return a policy's probabilities for the rows of everybody's table, float[K * S, A]."""
    if isinstance(world, TabularMDP):
        return np.tile(policy_matrix(world, policy), (w.K, 1))
    pi = real_array("policy", policy)
    if pi.shape == (w.S,):
        wrong = ~np.isin(pi, np.arange(w.A))
        if wrong.any():
            raise ValueError(f"{entry('policy', first(wrong))} is {pi[wrong][0]:g}, but actions are 0 to {w.A - 1}")
        pi = np.eye(w.A)[pi.astype(int)]
    if pi.shape != (w.S, w.A):
        raise ValueError(f"policy has shape {pi.shape}, but {(w.S,)} or {(w.S, w.A)} was expected")
    distribution("policy", pi)
    return pi
