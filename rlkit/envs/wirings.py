"""The pursuers of one world, wired up as learners in other ways than one at a time: all at once, or as one super-agent."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from gymnasium.spaces import Box, Discrete
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space

from rlkit.core.checks import whole_number
from rlkit.envs.pursuit import MOVES, Choose, Pursuit, at_random, own_chance, whole_actions

MakeWorld = Callable[[int], Pursuit]


class _Wired(VectorEnv):
    """What both wirings share: the evaders move by a fixed policy, and Gymnasium's bookkeeping."""

    metadata: dict[str, Any] = {"render_modes": [], "autoreset_mode": AutoresetMode.NEXT_STEP}

    def __init__(self, n: int, world: Pursuit, planes: int, actions: int, evaders: Choose):
        self.num_envs, self.world, self.evaders = n, world, evaders
        self._obs: np.ndarray | None = None
        self.single_observation_space = Box(0, np.inf, (planes, *world.size), np.float32)
        self.single_action_space = Discrete(actions)
        self.observation_space = batch_space(self.single_observation_space, n)
        self.action_space = batch_space(self.single_action_space, n)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[np.ndarray, dict]:
        """Begin an episode in every world."""
        super().reset(seed=seed, options=options)
        if seed is not None:
            self._np_random = own_chance(seed)
        self._obs = self.world.reset(seed)
        return self._shown(self._obs), {}

    def step(self, actions: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, dict[str, Any]]:
        """Move everybody.

        Args:
            actions: int[n].

        Raises:
            ValueError: actions of another shape or range, or no ``reset`` before.
        """
        if self._obs is None:
            raise ValueError("reset the environment before its first step")
        actions = whole_actions(actions, (self.num_envs,), int(self.single_action_space.n))
        fleeing = self._obs[:, self.world.pursuers :]
        n, many = fleeing.shape[:2]
        away = self.evaders(fleeing.reshape(n * many, *fleeing.shape[2:]), self.np_random).reshape(n, many)
        everybody = np.concatenate([self._moves(actions), away], axis=1)
        self._obs, reward, terminated, truncated = self.world.step(everybody)
        paid, over, cut = self._dealt(reward, terminated, truncated)
        return self._shown(self._obs), paid, over, cut, {}

    def _shown(self, obs: np.ndarray) -> np.ndarray:
        raise NotImplementedError

    def _moves(self, actions: np.ndarray) -> np.ndarray:
        raise NotImplementedError

    def _dealt(self, reward: np.ndarray, terminated: np.ndarray, truncated: np.ndarray) -> list[np.ndarray]:
        raise NotImplementedError


class Everyone(_Wired):
    """All pursuers of each world sit in the environment, side by side, each with its own planes, actions and rewards.

    The n seats stand in the order [teams, agents, worlds of a team]. So chapter 3's learner, with as many copies as there are
    teams, teaches one network that all agents share; with as many copies as there are agents in all teams, a network each.
    Nobody holds still meanwhile.

    Args:
        n: how many seats: teams x agents x worlds of a team.
        make_world: from a number of worlds to a :class:`~rlkit.envs.pursuit.Pursuit`.
        teams: how many teams learn side by side, the seeds of an experiment.
        evaders: their policy (default: every move is uniformly random).

    Raises:
        ValueError: n seats are not whole teams.
    """

    def __init__(self, n: int, make_world: MakeWorld, teams: int = 1, evaders: Choose = at_random):
        agents = make_world(1).pursuers
        if whole_number("n", n, 1) % (whole_number("teams", teams, 1) * agents):
            raise ValueError(f"n is {n}, but {teams} teams of {agents} were expected to fill the seats evenly")
        self.shape = (teams, agents, n // (teams * agents))
        super().__init__(n, make_world(n // agents), 4, len(MOVES), evaders)

    def _shown(self, obs: np.ndarray) -> np.ndarray:
        return self._seats(obs[:, : self.world.pursuers])

    def _seats(self, x: np.ndarray) -> np.ndarray:
        """Bring [teams * worlds, agents, ...] into the order of the seats."""
        teams, agents, worlds = self.shape
        return x.reshape(teams, worlds, agents, *x.shape[2:]).swapaxes(1, 2).reshape(self.num_envs, *x.shape[2:])

    def _moves(self, actions: np.ndarray) -> np.ndarray:
        return actions.reshape(self.shape).swapaxes(1, 2).reshape(-1, self.shape[1])

    def _dealt(self, reward: np.ndarray, terminated: np.ndarray, truncated: np.ndarray) -> list[np.ndarray]:
        many = self.world.pursuers
        ends = (np.repeat(flag[:, None], many, axis=1) for flag in (terminated, truncated))
        return [self._seats(x) for x in (reward[:, :many], *ends)]


class SuperAgent(_Wired):
    """All pursuers of a world as one agent: it sees a plane for each of them, and an action is a move for each.

    Joint actions are numbered in C order: with two pursuers, 5 times the first one's move plus the second one's. The reward
    is the one that the pursuers share.

    Args:
        n: how many worlds.
        make_world: from a number of worlds to a :class:`~rlkit.envs.pursuit.Pursuit`.
        evaders: their policy (default: every move is uniformly random).
    """

    def __init__(self, n: int, make_world: MakeWorld, evaders: Choose = at_random):
        world = make_world(n)
        super().__init__(n, world, 2 + world.pursuers, len(MOVES) ** world.pursuers, evaders)

    def _shown(self, obs: np.ndarray) -> np.ndarray:
        own = obs[:, : self.world.pursuers, 3]
        return np.concatenate([obs[:, 0, :2], own], axis=1)

    def _moves(self, actions: np.ndarray) -> np.ndarray:
        return np.stack(np.unravel_index(actions, (len(MOVES),) * self.world.pursuers), axis=1)

    def _dealt(self, reward: np.ndarray, terminated: np.ndarray, truncated: np.ndarray) -> list[np.ndarray]:
        return [reward[:, 0], terminated, truncated]
