"""Policies with parameters in a known world: how good they are, in which direction they get better, and episodes of them.

A policy is a softmax over a table of preferences theta: float[O, A], pi(a | s) = exp theta[o, a] / sum_b exp theta[o, b], where
o = seen[s] is what the agent sees of the state. Without ``seen`` it sees the state itself. Only actions that exist in
the state share in the probability.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from scipy import sparse
from scipy.sparse.linalg import spsolve

from rlkit.core.checks import entry, first, real_array, whole_number
from rlkit.mdp.operators import evaluate_policy, policy_matrix, q_from_v, under_policy
from rlkit.mdp.sampling import Sampler
from rlkit.mdp.tabular import TabularMDP

MOST_EPISODES = 10**6
"""How many episodes :func:`every_episode` lists at most."""


def softmax(theta: Any) -> np.ndarray:
    """Return probabilities in proportion to exp(theta), over the last axis.

    Args:
        theta: float[..., A]; minus infinity gets probability 0. Only differences matter, and none is too large.

    Raises:
        ValueError: an entry that is NaN or plus infinity, or a row in which all are minus infinity.
    """
    theta = real_array("theta", theta, finite=False)
    if theta.ndim == 0 or theta.shape[-1] == 0:
        raise ValueError(f"theta has shape {theta.shape}, but [..., A] was expected, with at least one action")
    largest = theta.max(axis=-1, keepdims=True)
    wrong = ~np.isfinite(largest)
    if wrong.any():
        name = entry("theta", first(wrong)[:-1]) if theta.ndim > 1 else "theta"
        raise ValueError(f"the largest entry of {name} is {largest[first(wrong)]}, but it must be a finite number")
    with np.errstate(over="ignore"):  # a difference of minus infinity has probability 0, which is right
        weight = np.exp(theta - largest)
    return weight / weight.sum(axis=-1, keepdims=True)


def softmax_policy(mdp: TabularMDP, theta: Any, seen: Any = None) -> np.ndarray:
    """Return pi(a | s), float[S, A]: the softmax of the row of theta that the state reads, over the actions that exist.

    Args:
        mdp: the world.
        theta: float[O, A].
        seen: int[S], the row that each state reads: what the agent sees of it (default: S rows, each state its own).

    Raises:
        ValueError: theta of another shape or with an entry that is not finite; a row that does not exist.
    """
    theta, seen = _parameters(mdp, theta, seen)
    return softmax(np.where(mdp.available, theta[seen], -np.inf))


def visits(mdp: TabularMDP, policy: Any) -> np.ndarray:
    """Return eta(s) = sum over t of gamma^t P(s_t = s), float[S]: how often a policy is expected to act in each state.

    Later visits count for less, by the discount. A terminal state counts as 0: nobody acts there any more. The sum over all
    states is the expected (discounted) length of an episode.

    Args:
        mdp: the world.
        policy: int[S] or float[S, A].

    Raises:
        ValueError: with gamma = 1, if from some state the policy never ends.

    Source: Sutton and Barto (2018), section 9.2.
    """
    pi = policy_matrix(mdp, policy)
    if mdp.gamma == 1:
        evaluate_policy(mdp, pi)  # refuses a policy that never ends
    on = np.flatnonzero(~mdp.terminal)
    eta = np.zeros(mdp.n_states)
    if len(on) == 0:
        return eta
    P, _ = under_policy(mdp, pi)
    # eta(s') = start(s') + gamma sum_s eta(s) P_pi(s, s')
    if sparse.issparse(P):
        eta[on] = spsolve(sparse.eye_array(len(on), format="csc") - mdp.gamma * P[on][:, on].T.tocsc(), mdp.start[on])
    else:
        eta[on] = np.linalg.solve(np.eye(len(on)) - mdp.gamma * P[np.ix_(on, on)].T, mdp.start[on])
    return eta


def policy_gradient(mdp: TabularMDP, theta: Any, seen: Any = None) -> np.ndarray:
    """Return the gradient of J(theta) = sum_s start(s) V^pi(s) for a softmax policy, exactly, float[O, A].

    The policy gradient theorem, with eta(s) from :func:`visits`, and with what a softmax makes of it::

        dJ / dtheta = sum_s eta(s) sum_a  dpi(a | s) / dtheta  Q(s, a)
        dJ / dtheta[o, a] = sum over the states s that read row o of  eta(s) pi(a | s) (Q(s, a) - V(s))

    Args:
        mdp: the world.
        theta: float[O, A].
        seen: int[S], the row that each state reads (default: S rows, each state its own).

    Raises:
        ValueError: as :func:`softmax_policy`; with gamma = 1, if from some state the policy never ends.

    Source: Sutton, McAllester, Singh and Mansour (2000), theorem 1; Sutton and Barto (2018), section 13.2.
    """
    theta, seen = _parameters(mdp, theta, seen)
    pi = softmax_policy(mdp, theta, seen)
    V = evaluate_policy(mdp, pi)
    advantage = np.where(pi > 0, q_from_v(mdp, V) - V[:, None], 0)  # Q is minus infinity where an action does not exist
    gradient = np.zeros_like(theta)
    np.add.at(gradient, seen, visits(mdp, pi)[:, None] * pi * advantage)
    return gradient


class Episodes(NamedTuple):
    """n episodes side by side, time first; T is the number of steps of the longest.

    Attributes:
        state: int[T, n], the state before each step; after the end of an episode, the one in which it ended.
        action: int[T, n]; 0 after the end.
        reward: float[T, n]; 0 after the end.
        real: bool[T, n], whether the episode was still going on, so that the step was made.
    """

    state: np.ndarray
    action: np.ndarray
    reward: np.ndarray
    real: np.ndarray


def episodes(mdp: TabularMDP, policy: Any, n: int, rng: np.random.Generator, limit: int | None = None) -> Episodes:
    """Let a policy play n independent episodes, all at once, from the world's start to the end.

    Args:
        mdp: the world.
        policy: int[S] or float[S, A].
        n: how many.
        rng: the source of all randomness.
        limit: an episode is broken off after so many steps (default: never, and then the policy must end from every state).

    Raises:
        ValueError: no limit, though from some state the policy never ends.
    """
    pi = policy_matrix(mdp, policy)
    sampler = Sampler(mdp, n, rng)
    if limit is not None:
        limit = whole_number("limit", limit, 1)
    elif not mdp.can_end(pi > 0).all():
        name = mdp.states[first(~mdp.can_end(pi > 0))[0]]
        raise ValueError(f"from state {name} this policy never ends: say after how many steps to break off, limit=...")
    running = pi.cumsum(axis=1)
    running /= running[:, -1:]  # exactly 1 from the last possible action on, so that no draw lies beyond it
    state, going = sampler.state.copy(), np.flatnonzero(~mdp.terminal[sampler.state])
    log: list[tuple[np.ndarray, ...]] = []
    while len(going) and len(log) != limit:
        action, reward, real = np.zeros(sampler.copies, int), np.zeros(sampler.copies), np.zeros(sampler.copies, bool)
        before, here = state.copy(), state[going]
        action[going] = (running[here] <= rng.random((len(going), 1))).sum(axis=1)
        pair = here * mdp.n_actions + action[going]
        reward[going], state[going], terminated = sampler.draw(pair, rng.random(len(going)))
        real[going] = True
        log.append((before, action, reward, real))
        going = going[~terminated]
    if not log:  # every episode began where it ends
        return Episodes(*(np.zeros((0, sampler.copies), kind) for kind in (int, int, float, bool)))
    return Episodes(*(np.array(column) for column in zip(*log, strict=True)))


def every_episode(mdp: TabularMDP, policy: Any) -> tuple[Episodes, np.ndarray]:
    """Return all the episodes that a policy can play in a small world that ends for sure, and their probabilities, float[n].

    What a mean over many drawn episodes comes near to, a sum over these weighted by their probabilities is exactly. Noise on
    rewards (``reward_std``) is left out: each reward is its mean.

    Args:
        mdp: a world in which no state can come back, so that every episode ends within S steps.
        policy: int[S] or float[S, A].

    Raises:
        ValueError: an episode can go on for ever, or there are more than a million.
    """
    pi = policy_matrix(mdp, policy)
    rows = sparse.csr_array(mdp.rows)
    pair, to = rows.nonzero()
    if mdp.R.ndim == 2 and not sparse.issparse(mdp.R):
        reward = mdp.expected_reward.ravel()[pair]
    else:
        reward = (mdp.R if sparse.issparse(mdp.R) else mdp.R.reshape(-1, mdp.n_states))[pair, to]
    chance = pi.ravel()[pair] * rows.data
    lists = [np.flatnonzero((pair // mdp.n_actions == s) & (chance > 0)) for s in range(mdp.n_states)]

    state = np.flatnonzero(mdp.start)
    probability, log = (
        mdp.start[state],
        Episodes(*(np.zeros((0, len(state)), kind) for kind in (int, int, float, bool))),
    )
    while (real := ~mdp.terminal[state]).any():
        if len(log.state) == mdp.n_states:
            raise ValueError("some state can come back, so that an episode can go on for ever: they cannot be listed")
        # Every episode so far becomes one for each thing that can happen next; what has ended stays one.
        nexts = [lists[s] if on else np.array([-1]) for s, on in zip(state, real, strict=True)]
        old, new = np.repeat(np.arange(len(state)), [len(x) for x in nexts]), np.concatenate(nexts)
        if len(old) > MOST_EPISODES:
            raise ValueError(f"there are more than {MOST_EPISODES:,} episodes: too many to list")
        real, state, probability = real[old], state[old], probability[old] * np.where(new < 0, 1, chance[new])
        row = (state, real * (pair[new] % mdp.n_actions), real * reward[new], real)
        log = Episodes(*(np.vstack([column[:, old], last]) for column, last in zip(log, row, strict=True)))
        state = np.where(real, to[new], state)
    return log, probability


def _parameters(mdp: TabularMDP, theta: Any, seen: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return theta as float[O, A] and seen as int[S], or say what is wrong with them."""
    S, A = mdp.available.shape
    theta = real_array("theta", theta)
    if seen is None:
        if theta.shape != (S, A):
            raise ValueError(f"theta has shape {theta.shape}, but {(S, A)} was expected: a row for each state")
        return theta, np.arange(S)
    if theta.ndim != 2 or theta.shape[1] != A:
        raise ValueError(f"theta has shape {theta.shape}, but [O, {A}] was expected")
    row = real_array("seen", seen, (S,))
    wrong = (row != np.floor(row)) | (row < 0) | (row >= len(theta))
    if wrong.any():
        raise ValueError(
            f"{entry('seen', first(wrong))} is {row[first(wrong)]:g}, but theta has the rows 0 to {len(theta) - 1}"
        )
    return theta, row.astype(int)
