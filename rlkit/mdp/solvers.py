"""Solving a known world exactly: value iteration, policy iteration, what lies between them, and a linear program.

The iterative methods are generators that yield every iterate, so that a figure, a player and a test can all watch the
same run. :func:`solve` runs one to its end and checks the answer.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse

from rlkit.core.checks import brief, whole_number
from rlkit.mdp import undiscounted
from rlkit.mdp.operators import (
    change_allowed,
    evaluate_policy,
    optional_tolerance,
    policy_matrix,
    q_from_v,
    start_values,
    tolerance,
)
from rlkit.mdp.tabular import TabularMDP


@dataclass(frozen=True, eq=False)
class Solution:
    """What :func:`solve` found.

    Attributes:
        V: float[S], the optimal values.
        Q: float[S, A], minus infinity where an action does not exist.
        policy: int[S], one best action in each state (the first one; with gamma = 1, one that ends).
        iterations: sweeps of value iteration, rounds of (modified) policy iteration, steps of the linear program.
        residual: max over s of abs(max_a Q(s, a) - V(s)), by how much V misses the Bellman equation.
    """

    V: np.ndarray
    Q: np.ndarray
    policy: np.ndarray
    iterations: int
    residual: float


def value_iteration(
    mdp: TabularMDP,
    V: Any = None,
    tol: float | None = None,
) -> Iterator[np.ndarray]:
    """Yield V after each sweep of value iteration.

    1. V(s) := 0 for every state s
    2. repeat
    3.     for every state s:  V_new(s) := max_a [ r(s, a) + gamma sum_s' P(s' | s, a) V(s') ]
    4.     change := max_s |V_new(s) - V(s)|;  V := V_new
    5. until change <= tol (1 - gamma) / (2 gamma)

    Args:
        mdp: the world.
        V: float[S] to start from instead of zeros.
        tol: stop as in line 5, which puts V within tol / 2 of V* and makes the greedy policy tol-optimal (gamma < 1).
            Without it, go on for ever.

    Source: Bellman (1957); the stopping rule is Puterman (1994), section 6.3.
    """
    V, tol = start_values(mdp, V), optional_tolerance(tol)  # (1)
    while True:  # (2)
        V_new = q_from_v(mdp, V).max(axis=1)  # (3)
        change = abs(V_new - V).max()  # (4)
        V = V_new
        yield V
        if change <= change_allowed(mdp.gamma, tol, V):  # (5)
            return


def policy_iteration(
    mdp: TabularMDP,
    policy: Any = None,
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield (policy, V^policy) for each policy on the way to the best one.

    1. pi := any policy (here: every action equally likely); with gamma = 1, any policy that ends
    2. repeat
    3.     evaluate: solve V = r_pi + gamma P_pi V
    4.     improve: in each state where max_a Q(s, a) > V(s), let pi(s) := argmax_a Q(s, a)
    5. until nothing improved

    Actions change only where that is strictly better. With gamma = 1 this keeps a policy that ends from turning into
    one that circles among equally good states.

    Args:
        mdp: the world.
        policy: int[S] or float[S, A], where to start.

    Raises:
        ValueError: with gamma = 1, where circling pays, so that no optimal value exists.

    Source: Howard (1960).
    """
    first = undiscounted.first_policy(mdp) if policy is None else policy
    pi = policy_matrix(mdp, first)  # (1)
    V = evaluate_policy(mdp, pi)  # (3)
    yield pi, V
    while True:  # (2)
        Q = q_from_v(mdp, V)
        better = Q.max(axis=1) > V + undiscounted.noise(mdp, V)
        if not better.any():  # (5)
            return
        best = np.eye(mdp.n_actions)[Q.argmax(axis=1)]
        pi = np.where(better[:, None], best, pi)  # (4)
        if mdp.gamma == 1:
            undiscounted.refuse_endless(mdp, pi)
        V_new = evaluate_policy(mdp, pi)  # (3)
        if V_new.sum() <= V.sum():
            return  # what was left to gain was rounding
        V = V_new
        yield pi, V


def modified_policy_iteration(
    mdp: TabularMDP, V: Any = None, sweeps: int = 20, tol: float | None = None
) -> Iterator[np.ndarray]:
    """Yield V after each round of modified policy iteration.

    1. V(s) := 0 for every state s
    2. repeat
    3.     improve: pi(s) := argmax_a Q(s, a),  V_new(s) := max_a Q(s, a)
    4.     low, high := the smallest and the largest change V_new(s) - V(s)
    5.     until gamma / (1 - gamma) (high - low) <= tol; then V := V_new + gamma / (1 - gamma) (low + high) / 2
    6.     evaluate, roughly: ``sweeps`` times V_new := r_pi + gamma P_pi V_new;  V := V_new

    With sweeps = 0 this is value iteration, with endlessly many it is policy iteration. Line 5 rests on the bounds
    V_new + gamma / (1 - gamma) low <= V* <= V_new + gamma / (1 - gamma) high; their middle is within tol / 2 of V*.

    Args:
        mdp: the world.
        V: float[S] to start from instead of zeros.
        sweeps: how many sweeps of evaluation follow each improvement, at least 0.
        tol: stop as in line 5; with gamma = 1, where the bounds do not hold, stop once no value changes by more than
            tol. Without it, go on for ever.

    Source: Puterman and Shin (1978); the bounds are MacQueen's (1966).
    """
    sweeps = whole_number("sweeps", sweeps, 0)
    V, tol = start_values(mdp, V), optional_tolerance(tol)  # (1)
    while True:  # (2)
        Q = q_from_v(mdp, V)
        pi, V_new = Q.argmax(axis=1), Q.max(axis=1)  # (3)
        low, high = (V_new - V).min(), (V_new - V).max()  # (4)
        if tol is not None and _near_enough(mdp.gamma, low, high, tol, V_new):  # (5)
            yield V_new if mdp.gamma == 1 else _centre(mdp, V_new, low, high)
            return
        P, r = _rows_of(mdp, pi)
        for _ in range(sweeps):  # (6)
            V_new = r + mdp.gamma * (P @ V_new)
        V = V_new
        yield V


def _near_enough(gamma: float, low: float, high: float, tol: float, V: np.ndarray) -> bool:
    if gamma == 1:
        return bool(max(-low, high) <= change_allowed(gamma, tol, V))
    return bool(high - low <= max(tol * (1 - gamma) / (gamma or 1), 8 * np.finfo(float).eps * abs(V).max()))


def _centre(mdp: TabularMDP, V: np.ndarray, low: float, high: float) -> np.ndarray:
    return np.where(mdp.terminal, 0, V + mdp.gamma / (1 - mdp.gamma) * (low + high) / 2)


def _rows_of(mdp: TabularMDP, action: np.ndarray) -> tuple[Any, np.ndarray]:
    """Return P[s, action[s], :] and r[s, action[s]] by picking rows: what under_policy gives, without a product."""
    s = np.arange(mdp.n_states)
    return mdp.rows[s * mdp.n_actions + action], mdp.expected_reward[s, action]


def linear_programming(mdp: TabularMDP) -> np.ndarray:
    """Return V*, float[S], as the solution of a linear program.

        minimise    sum_s V(s)
        subject to  V(s) >= r(s, a) + gamma sum_s' P(s' | s, a) V(s')   for every s and every action a that exists

    V* is the smallest function that satisfies all these inequalities. The solver meets them to about 1e-7; the rest of
    the way is policy iteration from its answer, which is seldom more than one step.

    Raises:
        ValueError: with gamma = 1, where circling pays, so that no finite V satisfies the inequalities.

    Source: d'Epenoux (1963); solved by HiGHS through scipy.optimize.linprog.
    """
    return _linear_program(mdp)[0]


def _linear_program(mdp: TabularMDP) -> tuple[np.ndarray, int]:
    from scipy.optimize import linprog  # 0.2 s to import, and only this function needs it

    S, A = mdp.n_states, mdp.n_actions
    on = np.flatnonzero(~mdp.terminal)
    if len(on) == 0:
        return np.zeros(S), 0
    pairs = np.flatnonzero((mdp.available & ~mdp.terminal[:, None]).ravel())
    own = sparse.csr_array((np.ones(len(pairs)), (np.arange(len(pairs)), pairs // A)), shape=(len(pairs), S))
    left = (mdp.gamma * sparse.csr_array(mdp.rows)[pairs] - own).tocsc()[:, on]
    r = mdp.expected_reward.ravel()[pairs]
    size = abs(r).max() or 1.0  # the solver's tolerances are absolute: give it rewards of size 1
    for algorithm in "highs-ds", "highs-ipm":  # the first, a simplex method, now and then loses its way by rounding
        answer: Any = linprog(np.ones(len(on)), A_ub=left, b_ub=-r / size, bounds=(None, None), method=algorithm)
        if answer.status in (0, 2):  # solved, or proven to have no solution
            break
    if answer.status == 2 and mdp.gamma == 1:
        raise ValueError(undiscounted.CIRCLING_PAYS)
    if answer.x is None:
        raise ValueError(f"the linear program could not be solved: {answer.message}")
    V = np.zeros(S)
    V[on] = size * answer.x
    return undiscounted.polish(mdp, V), int(answer.nit)


METHODS = ("value_iteration", "policy_iteration", "modified_policy_iteration", "linear_programming")


def solve(mdp: TabularMDP, method: str = "value_iteration", tol: float = 1e-8) -> Solution:
    """Solve a known world: V*, Q* and a best policy.

    With gamma = 1 the best among the policies *that end* is meant, and the answer is exact: the sweeps stop only at a
    policy whose exact values no single change of action improves.

    Args:
        mdp: the world.
        method: "value_iteration", "policy_iteration", "modified_policy_iteration" or "linear_programming".
        tol: for gamma < 1, V is within tol / 2 of V* (as far as 64-bit numbers allow). Not used with gamma = 1.

    Raises:
        ValueError: an unknown method, a tol that is not above 0; with gamma = 1, a world in which circling pays.
    """
    if not isinstance(method, str) or method not in METHODS:
        raise ValueError(f"method is {brief(method)}, but one of {', '.join(METHODS)} was expected")
    tol = tolerance(tol)
    if method == "policy_iteration":
        for iterations, (_, V) in enumerate(policy_iteration(mdp), start=1):  # noqa: B007 - the last pair is wanted
            pass
    elif method == "linear_programming":
        V, iterations = _linear_program(mdp)
    else:
        sweep = value_iteration if method == "value_iteration" else modified_policy_iteration
        if mdp.gamma == 1:
            V, iterations = undiscounted.sweep_to_the_end(mdp, sweep)
        else:
            for iterations, V in enumerate(sweep(mdp, tol=tol), start=1):  # noqa: B007 - the last V is wanted
                pass
    Q = q_from_v(mdp, V)
    policy = Q.argmax(axis=1)
    if mdp.gamma == 1:
        policy = undiscounted.ending_greedy(mdp, Q)
    return Solution(V, Q, policy, iterations, float(abs(Q.max(axis=1) - V).max()))
