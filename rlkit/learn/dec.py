"""Two learners that share a reward and see nothing of each other: Q-learning over what an agent itself has done and heard.

A *history* of agent i is the sequence of its own actions and observations so far. Histories are numbered level by level, as the
nodes of a policy tree are: after action a and observation o, history n becomes 1 + A Z n + Z a + o.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from rlkit.core.checks import brief, number, whole_number
from rlkit.learn.independent import Rule, function_of, learned
from rlkit.mdp.decentralised import DecPOMDP, value_of_trees

MOST_VALUES = 50_000_000
"""So many values the tables of an agent may hold, and no more."""


@dataclass(frozen=True, eq=False)
class LearnedTrees:
    """What pairs of learners have come to.

    Attributes:
        trees: int[runs, nodes] for each of the two agents: the policy trees that are greedy in their tables at the end.
        values: float[T, runs], the exact worth of the greedy pair at T moments.
        at: int[T], how many episodes every pair had played at these moments.
    """

    trees: tuple[np.ndarray, np.ndarray]
    values: np.ndarray
    at: np.ndarray


def learn_trees(
    dec: DecPOMDP,
    horizon: int,
    *,
    rule: Rule,
    epsilon: Callable[[int], float],
    episodes: int,
    runs: int,
    seed: int | np.random.Generator = 0,
    keep_every: int | None = None,
) -> LearnedTrees:
    """Let two agents learn side by side, each by Q-learning over its own histories, in many runs at once.

    1. Q_i(h, a) := 0 for both agents i, every history h and action a; for every episode:
    2.     s from the belief at the beginning; both histories h_i are empty; for every step:
    3.         each agent: a_i := a random action with probability epsilon, else argmax_a Q_i(h_i, a)
    4.         the world: the reward r for both, the next state s', and an observation o_i for each
    5.         each agent: y := r + gamma max_a Q_i(h_i a_i o_i, a), or r in the last step;  move Q_i(h_i, a_i) towards y
    6.         h_i := h_i a_i o_i;  s := s'

    Args:
        dec: the world.
        horizon: the steps of an episode.
        rule: how a row of values moves towards its target, such as ``partial(q_rule, alpha=0.1)``.
        epsilon: ``epsilon(episode)`` is the probability of a random action, in [0, 1].
        episodes: how many every pair plays.
        runs: how many pairs, which share nothing.
        seed: a whole number, or a numpy.random.Generator: all randomness.
        keep_every: evaluate the greedy trees after every so many episodes too (default: only at the beginning and the end).

    Raises:
        ValueError: at the door, for any argument that does not fit; a rule that returns no finite numbers; tables with more
            than MOST_VALUES values.
    """
    if not isinstance(dec, DecPOMDP):
        raise ValueError(f"dec is {brief(dec)}, but a DecPOMDP was expected")
    horizon, runs = whole_number("horizon", horizon, 1), whole_number("runs", runs, 1)
    episodes = whole_number("episodes", episodes, 1)
    function_of("the episode", epsilon=epsilon)
    every = episodes if keep_every is None else whole_number("keep_every", keep_every, 1)
    rng, rows = np.random.default_rng(seed), np.arange(runs)
    A, Z = dec.n_actions, dec.n_observations
    sizes = [_histories(horizon, runs, A[i], Z[i]) for i in (0, 1)]
    Q = [np.zeros((runs, sizes[i], A[i])) for i in (0, 1)]  # (1)
    start, next_state = dec.start.cumsum(), dec.P.cumsum(axis=-1)
    heard = dec.O.reshape(*dec.O.shape[:3], -1).cumsum(axis=-1)
    at, values = [0], [value_of_trees(dec, *(greedy_tree(Q[i], horizon, Z[i]) for i in (0, 1)))]
    for episode in range(episodes):
        share = number("epsilon(episode)", epsilon(episode), 0, 1)
        u = rng.random((horizon, 7, runs))
        s, h = _drawn(start, u[0, 0]), [np.zeros(runs, int)] * 2  # (2)
        for t in range(horizon):
            a = []
            for i in (0, 1):  # (3)
                best = Q[i][rows, h[i]].argmax(axis=1)
                a.append(np.where(u[t, 1 + i] < share, (u[t, 3 + i] * A[i]).astype(int), best))
            r, s_next = dec.R[s, *a], _drawn(next_state[s, *a], u[t, 5])  # (4)
            o = np.divmod(_drawn(heard[*a, s_next], u[t, 6]), Z[1])
            for i in (0, 1):
                after, y = 1 + Z[i] * (A[i] * h[i] + a[i]) + o[i], r
                if t + 1 < horizon:
                    y = r + dec.gamma * Q[i][rows, after].max(axis=1)
                Q[i][rows, h[i]] = learned(rule, Q[i][rows, h[i]], a[i], y)  # (5)
                h[i] = after  # (6)
            s = s_next
        if (episode + 1) % every == 0 or episode + 1 == episodes:
            at.append(episode + 1)
            values.append(value_of_trees(dec, *(greedy_tree(Q[i], horizon, Z[i]) for i in (0, 1))))
    one, two = (greedy_tree(Q[i], horizon, Z[i]) for i in (0, 1))
    return LearnedTrees((one, two), np.array(values), np.array(at))


def greedy_tree(Q: np.ndarray, horizon: int, observations: int) -> np.ndarray:
    """Return what agents with these tables do when they no longer explore, int[runs, nodes].

    Args:
        Q: float[runs, histories, A], a table for each run.
        horizon: the depth of the trees.
        observations: how many there are, Z.
    """
    runs, _, A = Q.shape
    rows, level, actions = np.arange(runs)[:, None], np.zeros((runs, 1), int), []
    for _ in range(horizon):
        a = Q[rows, level].argmax(axis=2)
        actions.append(a)
        after = 1 + observations * (A * level + a)
        level = (after[..., None] + np.arange(observations)).reshape(runs, -1)
    return np.concatenate(actions, axis=1)


def _histories(horizon: int, runs: int, A: int, Z: int) -> int:
    """Return how many histories an agent can have before its last action, or raise ValueError if they are too many."""
    size, level = 0, 1
    for _ in range(horizon):
        size, level = size + level, level * A * Z
        if runs * size * A > MOST_VALUES:
            raise ValueError(
                f"horizon is {horizon}: with {runs} runs that makes more than {MOST_VALUES:,} values to learn"
            )
    return size


def _drawn(cumulative: np.ndarray, u: np.ndarray) -> np.ndarray:
    """Return one draw for each u in [0, 1) from distributions whose cumulative sums are given, int[runs]."""
    return (cumulative[..., :-1] <= u[:, None]).sum(axis=-1)
