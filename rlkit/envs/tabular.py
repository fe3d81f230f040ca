"""A world of tables behind Gymnasium's vector interface, seen through observations."""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
from gymnasium.spaces import Box, Discrete
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space

from rlkit.core.checks import real_array, whole_number
from rlkit.mdp import Sampler, TabularMDP


class TabularVectorEnv(VectorEnv):
    """Many copies of a :class:`~rlkit.mdp.TabularMDP`; what is seen of a state is a row of ``observations``.

    A network needs as many outputs in every state, so all actions can be chosen everywhere: one that does not exist leaves
    the world where it is, and pays 0.

    Args:
        num_envs: how many.
        mdp: the world.
        observations: float[S, D], what each state looks like (default: a 1 at its own place, among zeros). States with
            equal rows cannot be told apart.
        limit: an episode of that many steps is broken off (default: none is).

    Raises:
        ValueError: an argument that does not fit.
    """

    metadata: dict[str, Any] = {"render_modes": [], "autoreset_mode": AutoresetMode.NEXT_STEP}

    def __init__(self, num_envs: int, mdp: TabularMDP, observations: Any = None, limit: int | None = None):
        self.num_envs, self.mdp = whole_number("num_envs", num_envs, 1), mdp
        self.limit = None if limit is None else whole_number("limit", limit, 1)
        rows = np.eye(mdp.n_states) if observations is None else real_array("observations", observations)
        if rows.ndim != 2 or len(rows) != mdp.n_states:
            raise ValueError(
                f"observations has shape {rows.shape}, but a row for each of {mdp.n_states} states was expected"
            )
        self.observations = rows.astype(np.float32)
        self.single_observation_space = Box(-np.inf, np.inf, rows.shape[1:], np.float32)
        self.single_action_space = Discrete(mdp.n_actions)
        self.observation_space = batch_space(self.single_observation_space, self.num_envs)
        self.action_space = batch_space(self.single_action_space, self.num_envs)
        self._world: Sampler | None = None

    def reset(self, *, seed: Any = None, options: dict[str, Any] | None = None) -> tuple[np.ndarray, dict[str, Any]]:
        """Begin an episode everywhere; the states are drawn from the world's start distribution."""
        super().reset(seed=seed)
        self._world = Sampler(self.mdp, self.num_envs, self.np_random)
        self._ended = np.zeros(self.num_envs, bool)
        self._age = np.zeros(self.num_envs, int)
        return self.observations[self._world.state], {}

    def step(self, actions: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, dict[str, Any]]:
        """Take one action in every copy, int[num_envs]; where an episode has ended, begin a new one instead."""
        if self._world is None:
            raise gymnasium.error.ResetNeeded("call reset() before the first step()")
        world, state = self._world, self._world.state.copy()
        exists = self.mdp.available[state, actions] & ~self._ended
        known = np.where(exists, actions, self.mdp.available[state].argmax(axis=-1))  # an action must be named to step
        reward, to, terminated = world.step(known)
        reward = np.where(exists, reward, 0.0)
        world.state = np.where(exists, to, state)
        terminated &= exists
        if self._ended.any():
            world.reset(self._ended)
        self._age = np.where(self._ended, 0, self._age + 1)
        truncated = ~terminated & (self._age == self.limit) if self.limit else np.zeros(self.num_envs, bool)
        self._ended = terminated | truncated
        return self.observations[world.state], reward, terminated, truncated, {}
