"""Between our tables and Gymnasium's environments, both ways."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse

from rlkit.core.checks import brief
from rlkit.mdp.tabular import TabularMDP

if TYPE_CHECKING:
    import gymnasium


def from_gymnasium(env: gymnasium.Env, gamma: float) -> TabularMDP:
    """Return the world of a Gymnasium environment that carries its own table (FrozenLake, Taxi, CliffWalking).

    Such an environment has ``P[s][a] = [(probability, next state, reward, terminated), ...]``. A state that is entered
    with ``terminated`` becomes terminal here: it absorbs with reward 0, whatever its row in the table says. This mends
    CliffWalking, whose goal has rows that lead out of it again (they are never used while acting, but a solver would
    walk along them), and Taxi, where the same holds for the four states of a delivered passenger. Time limits are not
    part of the table and are dropped.

    Args:
        env: the environment, wrapped or not.
        gamma: the discount; environments have none.

    Raises:
        ValueError: no table, or a state that is entered both with and without ``terminated``.
    """
    bare = getattr(env, "unwrapped", env)
    table = getattr(bare, "P", None)
    if not isinstance(table, dict):
        raise ValueError(f"{brief(env)} has no transition table P: only environments such as FrozenLake carry one")
    S, A = len(table), len(table[0])
    flat = [(s, a, *t) for s in range(S) for a in range(A) for t in table[s][a]]
    s, a, p, to, r, end = (np.array(column) for column in zip(*flat, strict=True))
    s, a, to, end = s.astype(int), a.astype(int), to.astype(int), end.astype(bool)
    start = np.asarray(getattr(bare, "initial_state_distrib", np.full(S, 1 / S)), float)

    terminal = np.zeros(S, bool)
    terminal[to[end]] = True
    reached = _reached(S, s[~end & (p > 0)], to[~end & (p > 0)], start > 0)
    both = terminal[to] & ~end & reached[s] & ~terminal[s] & (p > 0)
    if both.any():
        raise ValueError(f"state {to[both][0]} is entered both with and without the episode ending: no table fits that")

    go = ~terminal[s]
    ends = np.flatnonzero(terminal)
    row = np.concatenate([s[go] * A + a[go], (ends[:, None] * A + np.arange(A)).ravel()])
    column = np.concatenate([to[go], np.repeat(ends, A)])
    weight = np.concatenate([p[go], np.ones(len(ends) * A)])
    P = sparse.coo_array((weight, (row, column)), shape=(S * A, S)).tocsr()
    # The reward of (s, a, s'), so that acting pays what the environment pays: the mean, where s' is listed more than once.
    R = sparse.coo_array((np.concatenate([(p * r)[go], np.zeros(len(ends) * A)]), (row, column)), shape=P.shape).tocsr()
    R.data = np.divide(R.data, P.data, out=np.zeros(len(P.data)), where=P.data > 0)
    return TabularMDP(P, R, gamma, start=start / start.sum(), terminal=terminal)


def _reached(S: int, tail: np.ndarray, head: np.ndarray, start: np.ndarray) -> np.ndarray:
    """bool[S]: what can be reached along the given edges from the states in ``start``."""
    graph = sparse.csr_array((np.ones(len(tail)), (tail, head)), shape=(S, S))
    found = start.copy()
    while True:
        wider = found | (graph.T @ found.astype(float) > 0)
        if (wider == found).all():
            return found
        found = wider


def to_gymnasium(mdp: TabularMDP) -> Any:
    """Return a world as a Gymnasium environment with Discrete observations and actions.

    ``info["action_mask"]`` marks the actions that exist in the current state, and ``env.action_space.sample()`` draws
    among them. Taking another one is a ValueError. The environment never truncates: wrap it in Gymnasium's TimeLimit.
    """
    from rlkit.mdp.environment import TabularEnv  # imports gymnasium, which solving a world does not need

    return TabularEnv(mdp)
