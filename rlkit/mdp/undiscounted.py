"""What gamma = 1 needs: policies that end, worlds in which circling pays, and a proof of optimality.

Without a discount a sweep contracts nothing, so three things that gamma < 1 gives for nothing must be seen to.

* *Which value?* The best over all policies that end. Sweeps that begin at the value of some policy that ends rise to
  it: T^k V^pi is the value of acting well for k steps and by pi afterwards, which is again a policy that ends.
* *Is it finite?* Not where some closed loop pays on average. Then the greedy policy of a late V stays in such a loop.
* *When to stop?* A small change proves nothing. But a policy that ends, evaluated exactly, whose values no single
  action improves, is optimal.

Source: Bertsekas and Tsitsiklis (1991), for the theory; the stopping test is policy iteration's own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice

import numpy as np
from scipy import sparse
from scipy.sparse import csgraph
from scipy.sparse.linalg import spsolve

from rlkit.mdp.operators import evaluate_policy, q_from_v, random_policy, under_policy
from rlkit.mdp.tabular import TabularMDP

CIRCLING_PAYS = "gamma is 1 and some loop pays on average, so that circling for ever is worth more than any number"


def noise(mdp: TabularMDP, V: np.ndarray) -> float:
    """Return how much better an action must look before it counts as better and not as rounding.

    With gamma = 1 a tie that is taken for an improvement can close a loop, so the allowance is generous there.
    """
    return (1e-13 if mdp.gamma == 1 else 1e-14) * max(1e-300, abs(V).max(), abs(mdp.expected_reward).max())


def first_policy(mdp: TabularMDP) -> np.ndarray:
    """Return a policy to begin with, float[S, A]: every action equally likely.

    With gamma = 1 this may take too long to end (think of a combination lock); the shortest way out is taken then.
    """
    pi = random_policy(mdp)
    if mdp.gamma == 1:
        try:
            evaluate_policy(mdp, pi)
        except ValueError:
            pi = np.eye(mdp.n_actions)[ending_greedy(mdp, np.where(mdp.available, 0, -np.inf))]
    return pi


def refuse_endless(mdp: TabularMDP, pi: np.ndarray) -> None:
    """Raise ValueError if a policy made by strict improvements no longer ends: it then stays in a loop that pays."""
    stuck = ~mdp.can_end(pi > 0)
    if stuck.any():
        state = mdp.states[int(np.flatnonzero(stuck)[0])]
        raise ValueError(f"{CIRCLING_PAYS} (from state {state})")


def ending_greedy(mdp: TabularMDP, Q: np.ndarray) -> np.ndarray:
    """Return int[S]: in each state a best action of Q, and among equally good ones one that leads to an end.

    Equally good is what rounding may have told apart; more of it is allowed for only where that is needed to reach an
    end. Where nothing reaches one, the first best action is returned.
    """
    size = max(abs(Q[mdp.available]).max(), abs(mdp.expected_reward).max())
    action = Q.argmax(axis=1)
    done = mdp.terminal.copy()
    for slack in (1e-14 * size, 1e-12 * size, 1e-9 * size):
        best = mdp.available & (Q >= Q.max(axis=1, keepdims=True) - slack)
        while True:  # go backwards from the ends, the likeliest moves first
            chance = np.where(best & ~done[:, None], mdp.expected_next(done.astype(float)), 0)
            if not chance.any():
                break
            new = chance.max(axis=1) >= chance.max() / 2
            action[new] = chance[new].argmax(axis=1)
            done |= new
    return action


def polish(mdp: TabularMDP, V: np.ndarray) -> np.ndarray:
    """Return the exact value of the greedy policy of V, improved until no action improves it."""
    from rlkit.mdp.solvers import policy_iteration  # solvers imports this module

    Q = q_from_v(mdp, V)
    policy: np.ndarray | None = Q.argmax(axis=1)
    if mdp.gamma == 1:
        policy = ending_greedy(mdp, Q)
        if not mdp.can_end(np.eye(mdp.n_actions, dtype=bool)[policy]).all():
            policy = None  # V was too far off to be of use
    *_, (_, V) = policy_iteration(mdp, policy)
    return V


def sweep_to_the_end(mdp: TabularMDP, sweep: Callable[..., Iterator[np.ndarray]]) -> tuple[np.ndarray, int]:
    """Run ``sweep`` from the value of a policy that ends until its greedy policy is optimal.

    This is tried after 1, 2, 4, 8, ... sweeps: seldom, yet never late by more than half. A policy that is not good
    enough gives the sweeps its exact value to go on from. One that a single action can improve only in the ninth digit
    is left to policy iteration: rounding keeps the sweeps from telling such actions apart.

    Returns:
        V: float[S], exact; and the number of sweeps.

    Raises:
        ValueError: if circling pays, or if the values do not settle.
    """
    V, count = evaluate_policy(mdp, first_policy(mdp)), 0
    while count < 2**16:
        for swept in islice(sweep(mdp, V), max(1, count)):
            V, count = swept, count + 1
        _refuse_paying_loop(mdp, V)
        try:
            V = evaluate_policy(mdp, ending_greedy(mdp, q_from_v(mdp, V)))
        except ValueError:  # it never ends: the sweeps have further to go
            continue
        if (q_from_v(mdp, V).max(axis=1) - V).max() <= 1e4 * noise(mdp, V):
            return polish(mdp, V), count
    raise ValueError("gamma is 1 and the values do not settle: give the world a discount below 1")


def _refuse_paying_loop(mdp: TabularMDP, V: np.ndarray) -> None:
    """Raise ValueError if the greedy policy of V stays in a closed set of states with a positive mean reward."""
    policy = q_from_v(mdp, V).argmax(axis=1)
    stuck = np.flatnonzero(~mdp.can_end(np.eye(mdp.n_actions, dtype=bool)[policy]))
    if len(stuck) == 0:
        return
    P, r = under_policy(mdp, policy)
    P = sparse.csr_array(P)[stuck][:, stuck]
    count, label = csgraph.connected_components(P, connection="strong")
    for k in range(count):
        members = np.flatnonzero(label == k)
        inside = P[members][:, members]
        if abs(inside.sum(axis=1) - 1).max() > 1e-9:
            continue  # not closed: left sooner or later
        # The stationary distribution d of the loop: d = d P, with entries that sum to 1.
        equations = (sparse.eye_array(len(members)) - inside.T).tolil()
        equations[0] = 1
        d = spsolve(equations.tocsc(), np.eye(1, len(members))[0])
        if d @ r[stuck[members]] > noise(mdp, V):
            raise ValueError(f"{CIRCLING_PAYS} (from state {mdp.states[stuck[members[0]]]})")
