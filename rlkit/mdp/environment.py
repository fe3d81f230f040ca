"""A tabular world behind Gymnasium's interface."""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
from gymnasium.spaces import Discrete

from rlkit.mdp.sampling import Sampler
from rlkit.mdp.tabular import TabularMDP


class ExistingActions(Discrete):
    """A Discrete space whose sample() draws among the actions that exist in the environment's current state."""

    def __init__(self, env: TabularEnv):
        self._env = env
        super().__init__(env.mdp.n_actions)

    def sample(self, mask: Any = None, probability: Any = None) -> np.int64:
        """Draw an action; a mask or probabilities, where given, are used instead of the state's own mask."""
        if mask is None and probability is None:
            mask = self._env.action_mask
        return super().sample(mask=mask, probability=probability)


class TabularEnv(gymnasium.Env[int, int]):
    """One copy of a :class:`~rlkit.mdp.TabularMDP`; made by :func:`~rlkit.mdp.to_gymnasium`."""

    metadata: dict[str, Any] = {"render_modes": []}

    def __init__(self, mdp: TabularMDP):
        self.mdp = mdp
        self._world: Sampler | None = None
        self.observation_space = Discrete(mdp.n_states)
        self.action_space = ExistingActions(self)

    @property
    def action_mask(self) -> np.ndarray | None:
        """int8[A], 1 where the action exists in the current state; None before the first reset."""
        return None if self._world is None else self.mdp.available[self._world.state[0]].astype(np.int8)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[int, dict[str, Any]]:
        """Begin an episode; the state is drawn from the world's start distribution."""
        super().reset(seed=seed)
        if self._world is None:
            self._world = Sampler(self.mdp, 1, self.np_random)
        else:
            self._world.rng = self.np_random  # a seed makes a new one
            self._world.reset()
        return int(self._world.state[0]), {"action_mask": self.action_mask}

    def step(self, action: int) -> tuple[int, float, bool, bool, dict[str, Any]]:
        """Take one action; the reward is drawn, not expected."""
        if self._world is None:
            raise gymnasium.error.ResetNeeded("call reset() before the first step()")
        reward, state, terminated = self._world.step([action])
        return int(state[0]), float(reward[0]), bool(terminated[0]), False, {"action_mask": self.action_mask}
