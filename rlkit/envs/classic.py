"""Gymnasium's classic worlds, made ready for a network."""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
from gymnasium.spaces import Box
from gymnasium.vector import VectorEnv
from gymnasium.wrappers.vector import TransformObservation


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


def lunar_lander(num_envs: int) -> VectorEnv:
    """Return LunarLander-v3, one world after the other: an episode ends after 1,000 frames at the latest.

    Nothing is drawn: with a render mode, Gymnasium has the physics engine move every puff of exhaust as a body of its own,
    and flights that fire their engines take several times as long. The physics engine also takes most of the time here.

    Args:
        num_envs: how many worlds.
    """
    return gymnasium.make_vec("LunarLander-v3", num_envs=num_envs, vectorization_mode="sync", render_mode=None)
