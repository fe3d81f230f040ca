"""Returns: what a sequence of rewards is worth."""

from __future__ import annotations

from typing import Any

import numpy as np

from rlkit.core.checks import number, real_array


def discounted_return(rewards: Any, gamma: float) -> float:
    """Return r_0 + gamma r_1 + gamma^2 r_2 + ...

    Computed from the back, by R_t = r_t + gamma R_{t+1}: no power is ever taken.

    Args:
        rewards: float[T], the rewards in the order in which they came; an empty sequence is worth 0.
        gamma: the discount, in [0, 1].

    Raises:
        ValueError: if rewards is not a flat list of finite numbers or gamma lies outside [0, 1].

    Source: the lecture's goal, "maximize r_0 + gamma r_1 + gamma^2 r_2 + ...".
    """
    r, gamma = _sequence(rewards), number("gamma", gamma, 0, 1)
    total = 0.0
    for reward in reversed(r):
        total = reward + gamma * total
    return total


def reward_to_go(reward: np.ndarray, gamma: float) -> np.ndarray:
    """Return R_t = r_t + gamma R_{t+1}, float[T, ...]: what came after each action, its own reward included.

    Args:
        reward: float[T, ...], time first; 0 after the end of an episode.
        gamma: the discount.
    """
    returns = np.zeros(reward.shape)
    to_come = np.zeros(reward.shape[1:])
    for t in reversed(range(len(reward))):
        to_come = reward[t] + gamma * to_come
        returns[t] = to_come
    return returns


def total_return(reward: np.ndarray, gamma: float) -> np.ndarray:
    """Return R_0 at every t, float[T, ...]: each action is given the return of its whole episode.

    Args:
        reward, gamma: as for :func:`reward_to_go`.
    """
    return np.broadcast_to(reward_to_go(reward, gamma)[:1], reward.shape)


def td_error(reward: Any, V: Any, V_next: Any, terminated: Any, gamma: float) -> np.ndarray:
    """Return delta = r + gamma V(s') - V(s), float[...]; where an episode has terminated, nothing follows: r - V(s).

    Args:
        reward, V, V_next: float[...].
        terminated: bool[...]. Not where an episode was only broken off: it still has a future.
        gamma: the discount.

    Source: the lecture, "Actor-Critic Methods"; Sutton and Barto (2018), equation 6.5.
    """
    error: np.ndarray = reward + gamma * np.where(terminated, 0.0, V_next) - V
    return error


def gae(
    reward: np.ndarray,
    V: np.ndarray,
    V_next: np.ndarray,
    terminated: np.ndarray,
    truncated: np.ndarray,
    gamma: float,
    lam: float,
) -> np.ndarray:
    """Return the generalised advantage estimate, A_t = delta_t + gamma lam A_{t+1}, float[T, ...].

    Nothing is added from beyond the end of an episode, however it ended, nor from beyond the last row: what follows there is
    in the V_next of delta_t alone, and where the episode has terminated, not even there.

    Args:
        reward: float[T, ...], time first.
        V, V_next: float[T, ...], what the critic says of each state and of the one that followed it, which is not the next
            row's where an episode was broken off.
        terminated, truncated: bool[T, ...], whether the episode ended with this step; whether it was broken off after it.
        gamma: the discount.
        lam: 0 for delta alone, 1 for all that was paid, and V_next at the end.

    Source: Schulman, Moritz, Levine, Jordan and Abbeel (2016), equation 16.
    """
    delta = td_error(reward, V, V_next, terminated, gamma)
    ended = np.logical_or(terminated, truncated)
    advantage = np.zeros(delta.shape)
    later = np.zeros(delta.shape[1:])
    for t in reversed(range(len(delta))):
        later = delta[t] + gamma * lam * np.where(ended[t], 0.0, later)
        advantage[t] = later
    return advantage


def _sequence(rewards: Any) -> list[float]:
    r = real_array("rewards", rewards)
    if r.ndim != 1:
        raise ValueError(f"rewards has shape {r.shape}, but one flat sequence was expected")
    return [float(x) for x in r]
