"""The Bellman equations, one function each.

``V`` is float[S], ``Q`` is float[S, A] with minus infinity where an action does not exist. A policy is int[S] (one
action a state) or float[S, A] (probabilities). Every function checks what it is given once, at the door.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from scipy import sparse
from scipy.sparse.linalg import splu

from rlkit.core.checks import brief, distribution, entry, first, number, real_array, whole_number
from rlkit.mdp.tabular import TabularMDP


def q_from_v(mdp: TabularMDP, V: Any) -> np.ndarray:
    """Return Q(s, a) = r(s, a) + gamma sum_s' P(s' | s, a) V(s').

    Args:
        mdp: the world.
        V: float[S].

    Returns:
        float[S, A]; minus infinity where an action does not exist.

    Source: the lecture, "The Q-Function": Q(s, a) := r(s, a) + gamma V*(delta(s, a)), with the mean over s' where the
    transition is not deterministic.
    """
    V = real_array("V", V, (mdp.n_states,))
    return mdp.reward_or_barred + mdp.gamma * mdp.expected_next(V)


def bellman_backup(mdp: TabularMDP, V: Any, policy: Any = None) -> np.ndarray:
    """Return one full sweep of the Bellman equation, float[S]: every state is updated from the old V.

    Args:
        mdp: the world.
        V: float[S].
        policy: int[S] or float[S, A]. Without one, the best action of each state is taken (the optimality equation).
    """
    Q = q_from_v(mdp, V)
    if policy is None:
        return Q.max(axis=1)
    pi = policy_matrix(mdp, policy)
    return (pi * np.where(pi > 0, Q, 0)).sum(axis=1)


def greedy(Q: Any) -> np.ndarray:
    """Return the greedy policy of Q: float[S, A], probability shared equally among the best actions of each state.

    Two actions count as equally good when they differ by less than a billionth of the largest value in Q (or of 1, if
    that is larger): what arithmetic in 64 bits cannot tell apart is a tie.

    Args:
        Q: float[S, A]; minus infinity marks an action that does not exist, and each state must have one that does.

    Source: the lecture, pi*(s) = argmax_a Q(s, a).
    """
    Q = real_array("Q", Q, finite=False)
    if Q.ndim != 2 or 0 in Q.shape:
        raise ValueError(f"Q has shape {Q.shape}, but [S, A] was expected")
    wrong = np.isnan(Q) | (Q == np.inf)
    if wrong.any():
        raise ValueError(f"{entry('Q', first(wrong))} is {Q[first(wrong)]}, but it must be a number or minus infinity")
    exists = Q > -np.inf
    if not exists.any(axis=1).all():
        raise ValueError(f"{entry('Q', first(~exists.any(axis=1)))} has no action: all its entries are minus infinity")
    slack = 1e-9 * max(1.0, abs(Q[exists]).max())
    best = exists & (Q >= Q.max(axis=1, keepdims=True) - slack)
    return best / best.sum(axis=1, keepdims=True)


def random_policy(mdp: TabularMDP) -> np.ndarray:
    """Return the policy that takes every existing action with equal probability, float[S, A]."""
    return mdp.available / mdp.available.sum(axis=1, keepdims=True)


def policy_matrix(mdp: TabularMDP, policy: Any) -> np.ndarray:
    """Return a policy as probabilities, float[S, A].

    Raises:
        ValueError: wrong shape, an action that does not exist, probabilities that do not sum to 1.
    """
    S, A = mdp.n_states, mdp.n_actions
    raw = real_array("policy", policy)
    if raw.shape == (S,):
        wrong = (raw != np.floor(raw)) | (raw < 0) | (raw >= A)
        if wrong.any():
            raise ValueError(f"{entry('policy', first(wrong))} is {raw[first(wrong)]:g}, but actions are 0 to {A - 1}")
        pi = np.eye(A)[raw.astype(int)]
    elif raw.shape == (S, A):
        distribution("policy", raw)
        pi = raw / raw.sum(axis=1, keepdims=True)  # it may have been off by 1e-9
    else:
        raise ValueError(f"policy has shape {raw.shape}, but {(S,)} or {(S, A)} was expected")
    wrong = (pi > 0) & ~mdp.available
    if wrong.any():
        s, a = first(wrong)
        raise ValueError(f"policy takes action {mdp.actions[a]} in state {mdp.states[s]}, where it does not exist")
    return pi


def under_policy(mdp: TabularMDP, policy: Any) -> tuple[Any, np.ndarray]:
    """Return what is left of the world when a policy acts in it: a Markov chain with rewards.

    Returns:
        P: float[S, S] (CSR if the world's P is sparse), r: float[S].
    """
    pi = policy_matrix(mdp, policy)
    r = (pi * mdp.expected_reward).sum(axis=1)
    if not sparse.issparse(mdp.rows):
        return np.einsum("sa,sat->st", pi, mdp.P), r
    S, A = pi.shape
    s, a = np.nonzero(pi)
    pick = sparse.csr_array((pi[s, a], (s, s * A + a)), shape=(S, S * A))
    return pick @ mdp.rows, r


def policy_evaluation(
    mdp: TabularMDP,
    policy: Any,
    V: Any = None,
    tol: float | None = None,
) -> Iterator[np.ndarray]:
    """Yield V after each sweep of iterative policy evaluation.

    1. V(s) := 0 for every state s
    2. repeat
    3.     for every state s:  V_new(s) := sum_a pi(a | s) [ r(s, a) + gamma sum_s' P(s' | s, a) V(s') ]
    4.     change := max_s |V_new(s) - V(s)|;  V := V_new
    5. until change <= tol (1 - gamma) / (2 gamma)

    Args:
        mdp: the world.
        policy: int[S] or float[S, A].
        V: float[S] to start from instead of zeros.
        tol: stop as in line 5, which puts V within tol / 2 of V^pi (gamma < 1). Without it, go on for ever.
    """
    P, r = under_policy(mdp, policy)
    V, tol = start_values(mdp, V), optional_tolerance(tol)  # (1)
    while True:  # (2)
        V_new = r + mdp.gamma * (P @ V)  # (3)
        change = abs(V_new - V).max()  # (4)
        V = V_new
        yield V
        if change <= change_allowed(mdp.gamma, tol, V):  # (5)
            return


def start_values(mdp: TabularMDP, V: Any) -> np.ndarray:
    """Return V as float[S], or zeros where there is none."""
    return np.zeros(mdp.n_states) if V is None else real_array("V", V, (mdp.n_states,))


def change_allowed(gamma: float, tol: float | None, V: np.ndarray) -> float:
    """Return the largest change in a sweep after which the new V is within tol / 2 of its fixed point.

    A sweep is a gamma-contraction, so the distance left is at most gamma / (1 - gamma) times the last change. With
    gamma = 1 no such bound exists and the change itself is compared with tol. Below the rounding of 64-bit numbers as
    large as V no sweep can promise anything: that floor is allowed too. Without a tol no change is small enough.
    """
    if tol is None:
        return -np.inf
    rounding = 4 * np.finfo(float).eps * abs(V).max()
    return max(tol * (1 - gamma) / (2 * gamma) if 0 < gamma < 1 else tol, rounding)


def evaluate_policy(mdp: TabularMDP, policy: Any, method: str = "direct", tol: float = 1e-8) -> np.ndarray:
    """Return V^pi, float[S]: the expected discounted sum of rewards when acting by ``policy`` from each state.

    Args:
        mdp: the world.
        policy: int[S] or float[S, A].
        method: "direct" solves the S linear equations V = r_pi + gamma P_pi V; "iterative" sweeps until the result is
            within tol / 2 (for gamma = 1: until a sweep changes nothing by more than tol, which bounds no error).
        tol: the accuracy of the iterative method, above 0.

    Raises:
        ValueError: with gamma = 1, if from some state the policy never ends (or, for the direct method, only after more
            than a billion steps on average, where rounding spoils the equations); and for a policy that is none.
    """
    if not isinstance(method, str) or method not in ("direct", "iterative"):
        raise ValueError(f"method is {brief(method)}, but 'direct' or 'iterative' was expected")
    pi = policy_matrix(mdp, policy)
    if mdp.gamma == 1:
        stuck = ~mdp.can_end(pi > 0)
        if stuck.any():
            name = mdp.states[first(stuck)[0]]
            raise ValueError(f"gamma is 1, but from state {name} this policy never ends: it has no value there")
    if method == "iterative":
        *_, V = policy_evaluation(mdp, pi, tol=tolerance(tol))
        return V
    P, r = under_policy(mdp, pi)
    on = np.flatnonzero(~mdp.terminal)
    V = np.zeros(mdp.n_states)
    if len(on) == 0:
        return V
    P = P[on][:, on] if sparse.issparse(P) else P[np.ix_(on, on)]
    V[on], steps = _solve_chain(P, mdp.gamma, r[on], np.ones(len(on)))
    late = ~((steps > 0) & (steps < 1e9))
    if mdp.gamma == 1 and late.any():
        name = mdp.states[on[first(late)[0]]]
        raise ValueError(
            f"gamma is 1, but from state {name} this policy ends only after more than a billion steps: "
            "64-bit numbers cannot tell its value"
        )
    return V


def _solve_chain(P: Any, gamma: float, *rewards: np.ndarray) -> np.ndarray:
    """Return the solution of V = r + gamma P V for each of several rewards r; NaN if the equations have none."""
    right = np.stack(rewards, axis=1)
    try:
        if sparse.issparse(P):
            return splu((sparse.eye_array(len(right)) - gamma * P).tocsc()).solve(right).T
        return np.linalg.solve(np.eye(len(right)) - gamma * P, right).T
    except (RuntimeError, np.linalg.LinAlgError):  # what scipy and numpy raise for a singular matrix
        return np.full_like(right.T, np.nan)


def optional_tolerance(tol: Any) -> float | None:
    """Return tol as a float above 0, or None where there is none."""
    return None if tol is None else tolerance(tol)


def tolerance(tol: Any) -> float:
    """Return tol as a float above 0, or raise ValueError."""
    tol = number("tol", tol, 0, np.inf)
    if tol == 0:
        raise ValueError("tol is 0, but it must be above 0")
    return tol


def value_within(mdp: TabularMDP, policy: Any, steps: int) -> np.ndarray:
    """Return what policies collect within a number of steps, float[..., S]: the value up to a time limit.

    Args:
        mdp: the world, with its discount.
        policy: float[..., S, A], one policy or many.
        steps: how many steps are made.

    Raises:
        ValueError: a policy of another shape, or with probability on an action that does not exist.
    """
    pi = real_array("policy", policy)
    if pi.shape[-2:] != mdp.available.shape:
        raise ValueError(f"policy has shape {pi.shape}, but [..., {mdp.n_states}, {mdp.n_actions}] was expected")
    distribution("policy", pi)
    if (pi * ~mdp.available).any():
        raise ValueError(f"{entry('policy', first(pi * ~mdp.available > 0))} belongs to an action that does not exist")
    S, A = mdp.available.shape
    r = (pi * mdp.expected_reward).sum(axis=-1)
    V = np.zeros(pi.shape[:-1])
    for _ in range(whole_number("steps", steps, 0)):
        Q = (mdp.rows @ V.reshape(-1, S).T).reshape(S, A, -1)  # for all policies at once
        V = r + mdp.gamma * (pi * np.moveaxis(Q, -1, 0).reshape(pi.shape)).sum(axis=-1)
    return V
