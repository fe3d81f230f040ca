"""Worlds with a script: what happens in them is written down before, whatever is done."""

from __future__ import annotations

import numpy as np
from gymnasium.spaces import Box, Discrete
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space


class Scripted(VectorEnv):
    """World w plays ``scripts[w]``: a list of (length, how it ends: "terminated", "truncated" or "both"), over and over.

    It shows (world, episode, step within it); a step pays 10 * world + step, counted from 1. It writes on one array only, which
    it hands out each time, as an environment may that does not care to copy.
    """

    metadata = {"render_modes": [], "autoreset_mode": AutoresetMode.NEXT_STEP}

    def __init__(self, num_envs, scripts):
        self.num_envs, self.scripts = num_envs, scripts
        self.single_observation_space = Box(-np.inf, np.inf, (3,), np.float32)
        self.single_action_space = Discrete(4)
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)
        self.seen, self.seeds = [], []

    def reset(self, *, seed=None, options=None):
        self.seeds.append(seed)
        self.obs = np.zeros((self.num_envs, 3), np.float32)
        self.obs[:, 0] = np.arange(self.num_envs)
        self.reward = np.zeros(self.num_envs)
        self.flags = np.zeros((2, self.num_envs), bool)
        return self.obs, {}

    def step(self, actions):
        self.seen.append(np.array(actions))
        for w in range(self.num_envs):
            script = self.scripts[w]
            if self.flags[:, w].any():
                self.obs[w, 1:] = self.obs[w, 1] + 1, 0
                self.reward[w], self.flags[:, w] = 0, False
                continue
            self.obs[w, 2] += 1
            length, end = script[int(self.obs[w, 1]) % len(script)]
            over = self.obs[w, 2] == length
            self.reward[w] = 10 * w + self.obs[w, 2]
            self.flags[:, w] = over & (end in ("terminated", "both")), over & (end in ("truncated", "both"))
        return self.obs, self.reward, *self.flags, {}
