"""The equations of learning with a table, one function each; all work elementwise over any leading axes.

The last axis of a row of Q is the action; minus infinity marks an action that does not exist. These functions are
called in every step of every learner, so they check nothing; the learners check what they are given once.
"""

from __future__ import annotations

from typing import Any

import numpy as np

# -- targets: what Q(s, a), or V(s), is pulled towards ---------------------------------------------------------------


def q_target(r: Any, Q_next: np.ndarray, terminated: Any, gamma: float) -> np.ndarray:
    """Return r + gamma max_a' Q(s', a'), and r alone where the episode ended.

    Args:
        r: float[...], the reward.
        Q_next: float[..., A], the row of the next state.
        terminated: bool[...].
        gamma: the discount.

    Source: the lecture, "Q-Learning for Deterministic Worlds", line 4.
    """
    return r + gamma * (1 - terminated) * Q_next.max(axis=-1)


def sarsa_target(r: Any, Q_next: np.ndarray, a_next: Any, terminated: Any, gamma: float) -> np.ndarray:
    """Return r + gamma Q(s', a'), where a' (int[...]) is the action that is taken next."""
    chosen = np.take_along_axis(Q_next, np.asarray(a_next)[..., None], axis=-1)[..., 0]
    return r + gamma * (1 - terminated) * chosen


def expected_sarsa_target(r: Any, Q_next: np.ndarray, pi_next: np.ndarray, terminated: Any, gamma: float) -> np.ndarray:
    """Return r + gamma sum_a' pi(a' | s') Q(s', a'), for probabilities pi_next: float[..., A]."""
    mean = (pi_next * np.where(pi_next > 0, Q_next, 0)).sum(axis=-1)
    return r + gamma * (1 - terminated) * mean


def double_target(
    r: Any, Q_updated_next: np.ndarray, Q_other_next: np.ndarray, terminated: Any, gamma: float
) -> np.ndarray:
    """Return double Q-learning's target: the table to be updated names the best action, the other says what it is worth.

    Source: van Hasselt (2010).
    """
    best = Q_updated_next.argmax(axis=-1)
    return sarsa_target(r, Q_other_next, best, terminated, gamma)


def td_target(r: Any, V_next: np.ndarray, terminated: Any, gamma: float) -> np.ndarray:
    """Return r + gamma V(s'), and r alone where the episode ended."""
    return r + gamma * (1 - terminated) * V_next


def n_step_target(rewards: np.ndarray, V_end: np.ndarray, terminated: Any, gamma: float) -> np.ndarray:
    """Return r_0 + gamma r_1 + ... + gamma^(n-1) r_(n-1) + gamma^n V_end, without V_end where the episode ended.

    Args:
        rewards: float[..., n], with 0 after an episode's end.
        V_end: float[...], the value of the state that was reached after n steps.
        terminated: bool[...], whether the episode ended on the way.
        gamma: the discount.
    """
    n = rewards.shape[-1]
    return rewards @ gamma ** np.arange(n) + gamma**n * (1 - terminated) * V_end


# -- exploration: probabilities of actions -----------------------------------------------------------------------------


def epsilon_greedy(Q: np.ndarray, epsilon: Any) -> np.ndarray:
    """Return probabilities: epsilon shared by all actions that exist, and the rest by the best ones.

    Args:
        Q: float[..., A].
        epsilon: in [0, 1]; one number, or float[...].

    Returns:
        float[..., A].
    """
    epsilon = np.asarray(epsilon)[..., None]
    exists = Q > -np.inf
    best = Q == Q.max(axis=-1, keepdims=True)
    share = exists / exists.sum(axis=-1, keepdims=True)
    return epsilon * share + (1 - epsilon) * best / best.sum(axis=-1, keepdims=True)


def boltzmann(Q: np.ndarray, temperature: Any) -> np.ndarray:
    """Return probabilities proportional to exp(Q / temperature).

    The largest value of each row is subtracted first, which changes no probability and keeps exp from overflowing.

    Args:
        Q: float[..., A].
        temperature: above 0; one number, or float[...].

    Returns:
        float[..., A].
    """
    weight = np.exp((Q - Q.max(axis=-1, keepdims=True)) / np.asarray(temperature)[..., None])
    return weight / weight.sum(axis=-1, keepdims=True)


def count_bonus(Q: np.ndarray, n: np.ndarray, bonus: float) -> np.ndarray:
    """Return the greedy policy of Q + bonus / sqrt(n + 1): what was tried seldom looks better than it is known to be.

    Args:
        Q: float[..., A].
        n: int[..., A], how often each action has been tried in the state.
        bonus: in units of Q; 0 is greedy.

    Returns:
        float[..., A]; ties share.
    """
    return epsilon_greedy(Q + bonus / np.sqrt(n + 1), 0)
