"""One pursuer against one evader that moves at random: how long it takes, exactly, from every pair of cells."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from scipy import sparse
from scipy.sparse import csgraph
from scipy.sparse.linalg import spsolve

from rlkit.core.checks import distribution, first, real_array
from rlkit.envs.pursuit import MOVES, Choose, successors


def capture_times(obstacles: np.ndarray, over: Callable[..., Any] = np.min) -> Iterator[np.ndarray]:
    """Yield how long the best pursuer needs within one more step, sweep by sweep: value iteration.

    ::

        1. V(p, e) := 0, for every cell p of the pursuer and e of the evader
        2. do forever:
        3.     V(p, e) := 1 + min over a of the mean over the evader's five moves of V(p', e'), or 0 if that was a capture

    Args:
        obstacles: bool[W, H].
        over: what stands for the pursuer's choice in line 3: ``np.mean`` for one that moves at random.

    Yields:
        float[cells, cells], V[p, e] in steps, cells numbered x * H + y. It rises to the expected time. Where p = e, and under
        obstacles, it means nothing.
    """
    here, there, goes_on = _pairs(obstacles)
    V = np.zeros(here.shape[:2])  # (1)
    while True:  # (2)
        yield V
        later = goes_on * V[here, there]  # (3)
        V = 1 + over(later.mean(axis=3), axis=2)


def best_pursuer(obstacles: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the expected time to the capture, float[cells, cells], and a best action for each pair, int[cells, cells].

    Sweeps go on until the last changes no time by more than 1e-9: that finds the actions. Their times are then solved for.

    Args:
        obstacles: bool[W, H], on which every free cell can be reached from every other.

    Raises:
        ValueError: a map that falls into parts: from some pairs there is no capture.
    """
    _refuse_parts(obstacles)
    met = starts(obstacles)  # elsewhere, as in the middle of a large obstacle, sweeps may rise for ever
    sweeps = capture_times(obstacles)
    V = next(sweeps)
    for after in sweeps:
        if abs(after - V)[met].max(initial=0) <= 1e-9:
            break
        V = after
    here, there, goes_on = _pairs(obstacles)
    policy = (goes_on * after[here, there]).mean(axis=3).argmin(axis=2)
    return time_of(obstacles, policy), policy


def time_of(obstacles: np.ndarray, policy: Any = None) -> np.ndarray:
    """Return the expected time to the capture, float[cells, cells], of a pursuer with this policy: linear equations.

    Args:
        obstacles: bool[W, H], on which every free cell can be reached from every other.
        policy: float[cells, cells, 5], probabilities for each pair of cells; or int[cells, cells]; or None for a pursuer that
            moves at random.

    Returns:
        In steps; 0 where no episode can begin: on the evader's cell, and under obstacles.

    Raises:
        ValueError: a policy that is not one, a map that falls into parts, a policy that from some pair never captures.
    """
    _refuse_parts(obstacles)
    here, there, goes_on = _pairs(obstacles)
    n, moves = len(here), len(MOVES)
    if policy is None:
        policy = np.full((n, n, moves), 1 / moves)
    elif np.ndim(policy) == 2:
        table = real_array("policy", policy, (n, n))
        if not np.isin(table, range(moves)).all():
            raise ValueError("policy has an action outside 0 to 4: stay, up, right, down, left")
        policy = np.eye(moves)[table.astype(int)]
    pi = real_array("policy", policy, (n, n, moves))
    distribution("policy", pi)
    weight = (pi[..., None] * goes_on / moves).reshape(n * n, -1)
    columns = (here * n + there).reshape(n * n, -1)
    rows = np.repeat(np.arange(n * n), columns.shape[1])
    stays = sparse.csr_array((weight.ravel(), (rows, columns.ravel())), shape=(n * n, n * n))
    met = starts(obstacles).ravel()  # only these pairs have a time
    inside = stays[met][:, met]
    N = inside.shape[0]
    ends = (inside.sum(axis=1) < 1 - 1e-12).astype(float)
    # Backwards along all steps, from the capture (the last node): every pair must be found.
    back = sparse.block_array([[inside.T, sparse.csr_array((N, 1))], [sparse.csr_array(ends[None]), None]]).tocsr()
    if len(csgraph.breadth_first_order(back, N, return_predecessors=False)) <= N:
        raise ValueError("the policy never captures the evader from some pair of cells: its time would not exist")
    V = np.zeros(n * n)
    V[met] = spsolve(sparse.eye_array(N, format="csc") - inside.tocsc(), np.ones(N))
    return V.reshape(n, n)


def starts(obstacles: np.ndarray) -> np.ndarray:
    """Return which pairs of cells an episode may begin with, bool[cells, cells]: two different free ones."""
    free = ~obstacles.ravel()
    return free[:, None] & free & ~np.eye(len(free), dtype=bool)


def playing(policy: np.ndarray) -> Choose:
    """Return the pursuer that reads its own cell and the evader's from the planes, and acts by a table int[cells, cells]."""

    def choose(obs: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        flat = obs.reshape(len(obs), 4, -1)
        return policy[flat[:, 3].argmax(axis=1), flat[:, 1].argmax(axis=1)]

    return choose


def _pairs(obstacles: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the cells after the moves of both, int[n, n, 5, 5] each, and where that was no capture, bool[n, n, 5, 5]."""
    after = successors(obstacles)
    n, moves = after.shape
    p, e, mine, its = np.ix_(np.arange(n), np.arange(n), np.arange(moves), np.arange(moves))
    here, there = np.broadcast_arrays(after[p, mine], after[e, its])
    return here, there, ~((here == there) | ((here == e) & (there == p)))


def _refuse_parts(obstacles: np.ndarray) -> None:
    if obstacles.ndim != 2 or obstacles.dtype != bool or obstacles.all():
        raise ValueError(
            f"obstacles is {obstacles.dtype}{list(obstacles.shape)}, but bool[W, H] with free cells was expected"
        )
    after, free = successors(obstacles), ~obstacles.ravel()
    n = len(after)
    ways = np.repeat(free, after.shape[1])  # from free cells only: nobody walks out of an obstacle
    rows = np.repeat(np.arange(n), after.shape[1])
    graph = sparse.csr_array((ways.astype(float), (rows, after.ravel())), shape=(n, n))
    graph.eliminate_zeros()
    _, part = csgraph.connected_components(graph, directed=False)
    if (part[free] != part[first(free)[0]]).any():
        raise ValueError("the map falls into parts: between some free cells there is no way, and so no capture")
