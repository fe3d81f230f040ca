"""What the MinAtar games share: their spaces, sticky actions, and a batch of worlds that restart by themselves."""

from __future__ import annotations

from typing import Any

import numpy as np
from gymnasium.error import ResetNeeded
from gymnasium.spaces import Box, Discrete
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space

from rlkit.core.checks import brief, number, whole_number

SIZE = 10  # the screen is 10 x 10
NOOP, LEFT, UP, RIGHT, DOWN, FIRE = range(6)


def moves(**steps: int) -> np.ndarray:
    """Return int[6], how far each action goes: ``moves(left=-1, right=1)``."""
    return np.array([steps.get(name, 0) for name in ("noop", "left", "up", "right", "down", "fire")])


class MinAtarEnv(VectorEnv):
    """A batch of ``num_envs`` worlds of one MinAtar game, all stepped by the same few array operations.

    An observation is bool[num_envs, channels, 10, 10], one plane of the screen for each name in ``channels``, rows from the top
    down. All games have the actions 0 no-op, 1 left, 2 up, 3 right, 4 down, 5 fire; the ones that a game does not use do
    nothing. With probability ``sticky`` a world repeats the action it last carried out; the first of an episode may repeat
    the last of the episode before.

    Episodes end by termination only, and restart in Gymnasium's mode NEXT_STEP: the step after an end ignores the action and
    returns the first observation of the new episode, with reward 0.

    Args:
        num_envs: the number of worlds, at least 1.
        sticky: the probability of a sticky action, 0.1 in the paper.
        ramping: whether the game gets harder as it goes on; Breakout does not.

    Raises:
        ValueError: an argument, an action or an option of ``reset`` that makes no sense.
        gymnasium.error.ResetNeeded: ``step`` before the first ``reset``.

    A game fills in ``channels`` and ``n_draws``, and the methods ``_begin``, ``_play`` and ``_observe``.

    Source: Young and Tian (2019), "MinAtar: An Atari-Inspired Testbed for Thorough and Reproducible Reinforcement Learning
    Experiments". The rules are the paper's; its details agree step by step with version 1.0.15 of the authors' package.
    """

    metadata = {"autoreset_mode": AutoresetMode.NEXT_STEP}
    channels: tuple[str, ...] = ()
    n_draws = 1

    def __init__(self, num_envs: int, sticky: float = 0.1, ramping: bool = False):
        self.num_envs = whole_number("num_envs", num_envs, 1)
        self.sticky = number("sticky", sticky, 0, 1)
        if not isinstance(ramping, bool):
            raise ValueError(f"ramping is {brief(ramping)}, but it must be True or False")
        self.ramping = ramping
        self.single_observation_space = Box(0, 1, (len(self.channels), SIZE, SIZE), bool)
        self.observation_space = batch_space(self.single_observation_space, self.num_envs)
        self.single_action_space = Discrete(6)
        self.action_space = batch_space(self.single_action_space, self.num_envs)
        self._worlds = np.arange(self.num_envs)
        self._last_action: np.ndarray | None = None  # int[num_envs]
        self._over = np.zeros(self.num_envs, bool)

    def uniform(self) -> np.ndarray:
        """Return float[n_draws, num_envs], uniform in [0, 1): all the chance of one step; row 0 is for sticky actions."""
        return self.np_random.random((self.n_draws, self.num_envs))

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        """Begin a new episode in every world, and return the observation and an empty dictionary."""
        if options:
            raise ValueError(f"options is {brief(options)}, but these games have none: leave it None")
        super().reset(seed=seed)
        self._last_action = np.full(self.num_envs, NOOP)
        self._over = np.zeros(self.num_envs, bool)
        self._begin(np.ones(self.num_envs, bool), self.uniform())
        return self._observe(), {}

    def step(self, actions: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, dict[str, Any]]:
        """Step every world by ``actions``, int[num_envs].

        Returns:
            The observation bool[num_envs, channels, 10, 10], reward float[num_envs], terminated and truncated
            bool[num_envs], and an empty dictionary. The arrays are the caller's to keep.
        """
        if self._last_action is None:
            raise ResetNeeded("step() was called before reset()")
        action, over, draws = self._checked(actions), self._over, self.uniform()
        action = np.where((draws[0] < self.sticky) | over, self._last_action, action)
        self._last_action = action
        reward, terminated = self._play(action, draws)
        if over.any():
            self._begin(over, draws)
            reward[over], terminated[over] = 0, False
        self._over = terminated.copy()
        return self._observe(), reward, terminated, np.zeros(self.num_envs, bool), {}

    def _checked(self, actions: Any) -> np.ndarray:
        """Return ``actions`` as an array, or say in one sentence what is wrong with them."""
        action = np.asarray(actions)
        if action.shape != (self.num_envs,) or action.dtype.kind not in "iu":
            raise ValueError(f"actions must be int[{self.num_envs}], not {action.dtype}{list(action.shape)}")
        if action.min() < NOOP or action.max() > FIRE:
            wrong = int(np.argmax((action < NOOP) | (action > FIRE)))
            raise ValueError(f"actions[{wrong}] is {action[wrong]}, but the actions are 0 to {FIRE}")
        return action

    def _begin(self, where: np.ndarray, draws: np.ndarray) -> None:
        """Begin a new episode in the worlds of the mask ``where``, bool[num_envs]."""
        raise NotImplementedError

    def _play(self, action: np.ndarray, draws: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Step all worlds and return reward float[num_envs] and terminated bool[num_envs].

        Worlds whose episode is over are stepped as well, and what comes of it is thrown away.
        """
        raise NotImplementedError

    def _observe(self) -> np.ndarray:
        """Return bool[num_envs, channels, 10, 10], in memory that nobody else holds."""
        raise NotImplementedError
