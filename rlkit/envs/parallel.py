"""The pursuit behind PettingZoo's interface: one world, with a name for each agent."""

from __future__ import annotations

from typing import Any

import numpy as np
from gymnasium.spaces import Box, Discrete
from pettingzoo import ParallelEnv

from rlkit.envs.pursuit import MOVES, Pursuit


class ParallelPursuit(ParallelEnv[str, np.ndarray, int]):
    """One world of :class:`~rlkit.envs.pursuit.Pursuit` as a PettingZoo ``ParallelEnv``.

    The agents are ``pursuer_0``, ``pursuer_1``, and so on, and ``evader_0``. A caught evader is terminated, and is not asked any
    more; when all are caught the pursuers are terminated too, and after ``limit`` steps whoever is left is truncated.

    Args:
        world: the arguments of :class:`~rlkit.envs.pursuit.Pursuit`, but for ``n``.
    """

    metadata: dict[str, Any] = {"name": "rlkit_pursuit_v0", "render_modes": []}

    def __init__(self, **world: Any):
        self.render_mode = None
        self.world = Pursuit(1, **world)
        kinds = (("pursuer", self.world.pursuers), ("evader", self.world.evaders))
        self.possible_agents = [f"{kind}_{i}" for kind, many in kinds for i in range(many)]
        self.agents: list[str] = []
        seen, moves = Box(0, np.inf, (4, *self.world.size), np.float32), Discrete(len(MOVES))
        self.observation_spaces = {
            name: Box(seen.low, seen.high, seen.shape, np.float32) for name in self.possible_agents
        }
        self.action_spaces = {name: Discrete(int(moves.n)) for name in self.possible_agents}

    def observation_space(self, agent: str) -> Box:
        """Return what an agent may see: float32[4, W, H]."""
        return self.observation_spaces[agent]

    def action_space(self, agent: str) -> Discrete:
        """Return what an agent may do: 0 to 4, stay, up, right, down, left."""
        return self.action_spaces[agent]

    def reset(
        self, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[str, np.ndarray], dict[str, dict[str, Any]]]:
        """Begin an episode; ``options={"cells": ...}`` says where, as in :meth:`Pursuit.reset`."""
        obs = self.world.reset(seed, (options or {}).get("cells"))[0]
        self.agents = list(self.possible_agents)
        return dict(zip(self.agents, obs, strict=True)), {name: {} for name in self.agents}

    def step(
        self, actions: dict[str, int]
    ) -> tuple[dict[str, np.ndarray], dict[str, float], dict[str, bool], dict[str, bool], dict[str, dict[str, Any]]]:
        """Move everybody who is on the map.

        Args:
            actions: 0 to 4 for each name in ``agents``.

        Raises:
            ValueError: an agent without an action, an action outside 0 to 4, or an episode that is over.
        """
        if not self.agents:
            raise ValueError("the episode is over: reset the world before its next step")
        if missing := [name for name in self.agents if name not in actions]:
            raise ValueError(f"actions has none for {', '.join(missing)}")
        moves = np.array([[actions.get(name, 0) for name in self.possible_agents]])
        obs, reward, terminated, truncated = self.world.step(moves)
        free = dict(zip(self.possible_agents, self.world.free[0], strict=True))
        place = {name: i for i, name in enumerate(self.possible_agents)}
        asked = self.agents
        gone = {name: bool(terminated[0]) or not free[name] for name in asked}
        cut = {name: bool(truncated[0]) and not gone[name] for name in asked}
        self.agents = [name for name in asked if not (gone[name] or cut[name])]
        return (
            {name: obs[0, place[name]] for name in asked},
            {name: float(reward[0, place[name]]) for name in asked},
            gone,
            cut,
            {name: {} for name in asked},
        )
