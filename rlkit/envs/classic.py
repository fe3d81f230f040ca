"""Gymnasium's classic worlds, made ready for a network."""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
from gymnasium.spaces import Box, Discrete
from gymnasium.vector import VectorEnv
from gymnasium.wrappers.vector import TransformAction, TransformObservation

from rlkit.core.checks import whole_number


def cartpole(num_envs: int) -> VectorEnv:
    """Return CartPole-v1, natively vectorised, with its four numbers brought to about the size of 1.

    The observation is (position, velocity, angle, angular velocity) divided by (1.2, 1.5, 0.125, 1.5): within the limits of
    an episode, 2.4 and 12 degrees, position and angle then lie within 2, and no number is drowned by the others.

    Args:
        num_envs: how many worlds.
    """
    env = gymnasium.make_vec("CartPole-v1", num_envs=num_envs, vectorization_mode="vector_entry_point")
    scale = CARTPOLE_SCALE
    one = Box(-np.inf, np.inf, (4,), np.float32)
    return TransformObservation(env, lambda obs: obs / scale, single_observation_space=one)


CARTPOLE_SCALE: Any = np.array([1.2, 1.5, 0.125, 1.5], np.float32)
"""What :func:`cartpole` divides (position, velocity, angle, angular velocity) by."""


def pendulum(num_envs: int, torques: int | None = None, *, limit: int = 200) -> VectorEnv:
    """Return Pendulum-v1, one world after the other, with its angular velocity brought to about the size of the rest.

    The observation is (cos, sin, angular velocity / 4), where the velocity is at most 8. No episode ever terminates: each is
    broken off after 200 steps.

    Args:
        num_envs: how many worlds.
        torques: how many torques there are to choose from, evenly spaced from -2 to 2 (default: any number in between).
        limit: after how many steps an episode is broken off.
    """
    limit = whole_number("limit", limit, 1)
    env = gymnasium.make_vec("Pendulum-v1", num_envs=num_envs, vectorization_mode="sync", max_episode_steps=limit)
    one = Box(-np.array([1, 1, 2], np.float32), np.array([1, 1, 2], np.float32))
    env = TransformObservation(env, lambda obs: obs / PENDULUM_SCALE, single_observation_space=one)
    if torques is None:
        return env
    levels = np.linspace(-2, 2, whole_number("torques", torques, 2), dtype=np.float32)
    return TransformAction(env, lambda action: levels[action][:, None], single_action_space=Discrete(len(levels)))


PENDULUM_SCALE: Any = np.array([1, 1, 4], np.float32)
"""What :func:`pendulum` divides (cos, sin, angular velocity) by."""


def lunar_lander(num_envs: int) -> VectorEnv:
    """Return LunarLander-v3, one world after the other: an episode ends after 1,000 frames at the latest.

    Nothing is drawn: with a render mode, Gymnasium has the physics engine move every puff of exhaust as a body of its own,
    and flights that fire their engines take several times as long. The physics engine also takes most of the time here.

    Args:
        num_envs: how many worlds.
    """
    return gymnasium.make_vec("LunarLander-v3", num_envs=num_envs, vectorization_mode="sync", render_mode=None)
