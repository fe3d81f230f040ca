"""QAC: a table of what actions are worth teaches a table of which ones to take, from one step to the next."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from rlkit.core.checks import brief, entry, first, real_array, whole_number
from rlkit.learn.tabular import Learned, Walk
from rlkit.mdp import TabularMDP, softmax


@dataclass(frozen=True, eq=False)
class Taught(Learned):
    """What actors and critics have learned; ``Q`` and ``history`` are the critics'.

    Attributes:
        theta: float[K, S, A], the actors' preferences at the end; minus infinity where an action does not exist.
        theta_history: float[T, K, S, A], the preferences at the moments of ``history``.
        at: int[T], how many steps every copy had made at these moments.
    """

    theta: np.ndarray
    theta_history: np.ndarray
    at: np.ndarray

    @property
    def policy(self) -> np.ndarray:
        """float[K, S, A]: pi(a | s) at the end."""
        return softmax(self.theta)

    @property
    def policy_history(self) -> np.ndarray:
        """float[T, K, S, A]: pi(a | s) at the moments of ``history``."""
        return softmax(self.theta_history)


def qac(
    mdp: TabularMDP,
    *,
    steps: int,
    copies: int = 1,
    seed: int | np.random.Generator = 0,
    alpha_theta: Any = 0.01,
    alpha_w: Any = 0.1,
    theta0: Any = 0.0,
    Q0: Any = 0.0,
    keep_every: int | None = None,
) -> Taught:
    """Learn a policy by the values that are learned beside it: the on-policy action-value actor-critic.

    1. initialise s, theta and w; sample a from pi(a | s); do forever:
    2.     sample the reward r and the next state s'
    3.     sample the next action a' from pi(a' | s')
    4.     theta := theta + alpha_theta Q_w(s, a) grad ln pi(a | s)
    5.     delta := r + gamma Q_w(s', a') - Q_w(s, a);  w := w + alpha_w delta grad Q_w(s, a)
    6.     a := a', s := s', or the start of a new episode with a new action

    The actor is a softmax over a table theta. The critic is a table too, w = Q: its gradient is 1 at (s, a), and 0 elsewhere.
    Where the episode has ended nothing more comes, and Q_w(s', a') counts as 0. K actors, each with its critic, learn side by
    side and share nothing.

    Args:
        mdp: the world.
        steps: how many every copy makes.
        copies: how many, K.
        seed: a whole number, or a numpy.random.Generator: all randomness of the run.
        alpha_theta: the actor's step size, at least 0 (0 freezes it): a number, or float[K], one for each copy.
        alpha_w: the critic's step size, in [0, 1]: a number, or float[K]; or a function of how often (s, a) has been
            visited, this time included (int[K] to float[K]), such as ``lambda n: 1 / n``.
        theta0, Q0: where the tables begin: a number, float[S, A], or float[K, S, A].
        keep_every: keep both tables after every so many steps (default: only as they were at the beginning).

    Raises:
        ValueError: at the door, for any argument that does not fit.

    Source: the lecture, "Actor-Critic Methods"; Sutton, McAllester, Singh and Mansour (2000) for line 4, Rummery and
    Niranjan (1994) for line 5.
    """
    if not isinstance(mdp, TabularMDP):
        raise ValueError(f"mdp is {brief(mdp)}, but a TabularMDP was expected")
    K = whole_number("copies", copies, 1)
    every = None if keep_every is None else whole_number("keep_every", keep_every, 1)
    alpha_theta = _rates("alpha_theta", alpha_theta, K, np.inf)
    with Walk(mdp, _rate_of(alpha_w, K), steps=steps, copies=K, seed=seed) as w:
        theta, Q = _table("theta0", theta0, mdp, K), w.q_table()
        Q[np.arange(w.n_rows)[:, None], np.arange(w.A)] = _table("Q0", Q0, mdp, K)
        kept = [(0, theta.copy(), Q.values.copy())]
        s = w.state
        a = w.draw(softmax(theta[s]))  # (1)
        for _ in w:
            r, s_next, terminated = w.step(a)  # (2)
            a_next = w.draw(softmax(theta[s_next]))  # (3)
            theta[s] += (alpha_theta * Q[s, a])[:, None] * grad_ln_pi(theta[s], a)  # (4)
            delta = r + w.gamma * np.where(terminated, 0, Q[s_next, a_next]) - Q[s, a]
            Q[s, a] += w.rate(s, a) * delta  # (5)
            s, a = w.move_on(), a_next  # (6)
            if w.ended.any():
                a = np.where(w.ended, w.draw(softmax(theta[s])), a)
            if every and w.t % every == 0:
                kept.append((w.t, theta.copy(), Q.values.copy()))
    at, thetas, Qs = (np.array(column) for column in zip(*kept, strict=True))
    tables = (-1, K, w.S, w.A)
    return Taught(
        **vars(w.learned()) | {"history": Qs.reshape(tables)},
        theta=theta.reshape(tables[1:]),
        theta_history=thetas.reshape(tables),
        at=at,
    )


def grad_ln_pi(theta: np.ndarray, a: np.ndarray) -> np.ndarray:
    """Return the gradient of ln pi(a | s) by the preferences of s, float[K, A]: 1 for the action that was taken, less pi.

    Args:
        theta: float[K, A], the preferences of K agents in their states.
        a: int[K], what they did.
    """
    return (np.arange(theta.shape[-1]) == a[:, None]) - softmax(theta)


def _rates(name: str, value: Any, copies: int, high: float) -> np.ndarray:
    """Return a step size for each copy, float[K]."""
    rates = real_array(name, value)
    if rates.shape not in ((), (copies,)):
        raise ValueError(f"{name} has shape {rates.shape}, but a number or {(copies,)} was expected, one for each copy")
    wrong = (rates < 0) | (rates > high)
    if wrong.any():
        where = first(wrong)
        which = entry(name, where) if where else name
        raise ValueError(f"{which} is {rates[where]:g}, but it must lie in [0, {high:g}]")
    return np.broadcast_to(rates, copies)


def _rate_of(alpha_w: Any, copies: int) -> Any:
    """Return the critics' step size as a function of visits, as a Walk takes it."""
    if callable(alpha_w):
        return alpha_w
    rates = _rates("alpha_w", alpha_w, copies, 1)
    return lambda visits: rates


def _table(name: str, start: Any, mdp: TabularMDP, copies: int) -> np.ndarray:
    """Return tables that lie below each other, float[K * S, A]: minus infinity where an action does not exist."""
    shape = (copies, *mdp.available.shape)
    start = real_array(name, start, finite=False)
    if start.shape not in ((), shape[1:], shape):
        raise ValueError(f"{name} has shape {start.shape}, but a number, {shape[1:]} or {shape} was expected")
    table = np.where(mdp.available, np.broadcast_to(start, shape), -np.inf)
    wrong = mdp.available & ~np.isfinite(table)
    if wrong.any():
        raise ValueError(f"{entry(name, first(wrong))} is {table[first(wrong)]}, but it must be a finite number")
    return table.reshape(-1, shape[2])
