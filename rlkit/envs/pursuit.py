"""Pursuers and evaders on a grid: everybody moves at once, and all worlds of a batch are stepped together."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from gymnasium.spaces import Box, Discrete
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space

from rlkit.core.checks import brief, number, whole_number

MOVES = np.array([[0, 0], [0, 1], [1, 0], [0, -1], [-1, 0]])  # stay, up, right, down, left, as (x, y)
KINDS = ("pursuers", "evaders")
CHANNELS = ("background", "opponents", "allies", "self")

Choose = Callable[[np.ndarray, np.random.Generator], np.ndarray]
"""A policy: from what n agents see, float32[n, 4, W, H], and a generator to their actions, int[n]."""


def successors(obstacles: np.ndarray) -> np.ndarray:
    """Return the cell after each action from each cell, int[W * H, 5]; cell (x, y) has the number x * H + y.

    A move off the map, or into an obstacle, leads nowhere.

    Args:
        obstacles: bool[W, H].
    """
    W, H = obstacles.shape
    old = np.argwhere(np.ones((W, H), bool))
    new = old[:, None] + MOVES
    inside = ((new >= 0) & (new < (W, H))).all(axis=2)
    new = np.where(inside[..., None], new, old[:, None])
    new = np.where(obstacles[new[..., 0], new[..., 1]][..., None], old[:, None], new)
    return new[..., 0] * H + new[..., 1]


class Pursuit:
    """n worlds in which some agents pursue, and the others evade.

    In each step all agents choose one of five actions: stay, up, right, down, left. Agents may share a cell. An evader is caught
    when, after the moves, a pursuer stands on its cell, or when the two have changed places; it then leaves the map. Each
    capture pays 1 to every pursuer and -1 to the caught evader, and each step costs every pursuer ``cost``. An episode is
    terminated when all evaders are caught, and truncated after ``limit`` steps; the step after that begins a new one, and its
    actions are ignored (Gymnasium's NEXT_STEP mode).

    Agents 0 to ``pursuers - 1`` are the pursuers, and the evaders come after them. They begin on different cells, drawn from all
    that are free.

    Args:
        n: how many worlds.
        size: (W, H), cells from left to right and from bottom to top.
        pursuers, evaders: how many, at least 1 each.
        obstacles: bool[W, H], True where nobody can stand (default: nowhere).
        limit: steps after which an episode is broken off.
        cost: of a step, for each pursuer.

    Raises:
        ValueError: an argument that does not fit, or fewer free cells than agents.

    Source: the task of Egorov (2016) as the lecture has it; the rules of capture, rewards and costs are ours.
    """

    def __init__(
        self,
        n: int,
        *,
        size: tuple[int, int] = (10, 10),
        pursuers: int = 2,
        evaders: int = 2,
        obstacles: Any = None,
        limit: int = 100,
        cost: float = 0.01,
    ):
        self.n, self.limit = whole_number("n", n, 1), whole_number("limit", limit, 1)
        self.pursuers, self.evaders = whole_number("pursuers", pursuers, 1), whole_number("evaders", evaders, 1)
        self.agents, self.cost = self.pursuers + self.evaders, number("cost", cost, 0, np.inf)
        if np.shape(size) != (2,):
            raise ValueError(f"size is {size!r}, but two numbers, (W, H), were expected")
        self.size = (whole_number("size[0]", size[0], 1), whole_number("size[1]", size[1], 1))
        self.obstacles = np.zeros(self.size, bool) if obstacles is None else np.array(obstacles)
        if self.obstacles.shape != self.size or self.obstacles.dtype != bool:
            raise ValueError(
                f"obstacles is {self.obstacles.dtype}{list(self.obstacles.shape)}, but bool{list(self.size)} was expected"
            )
        self._free = np.flatnonzero(~self.obstacles)
        if len(self._free) < self.agents:
            raise ValueError(f"the map has {len(self._free)} free cells, but {self.agents} agents need one each")
        self._after = successors(self.obstacles)
        self._is_pursuer = np.arange(self.agents) < self.pursuers
        self.rng: np.random.Generator | None = None

    # -- episodes ------------------------------------------------------------------------------------------------------

    def reset(self, seed: int | None = None, cells: Any = None) -> np.ndarray:
        """Begin an episode everywhere, and return what everybody sees.

        Args:
            seed: of all chance from now on (default: chance goes on where it was).
            cells: int[agents, 2] or int[n, agents, 2], where the agents stand, as (x, y) (default: drawn). Those of one kind may
                share one.

        Returns:
            float32[n, agents, 4, W, H]; see :meth:`observe`.

        Raises:
            ValueError: cells of another shape, off the map or under an obstacle, or a pursuer on an evader's cell.
        """
        numbered = None if cells is None else self._numbered(cells)
        if seed is not None or self.rng is None:
            self.rng = np.random.default_rng(seed)
        self._cell = np.zeros((self.n, self.agents), int)
        self._free_still = np.ones((self.n, self.agents), bool)
        self._caught = np.zeros((self.n, self.evaders), bool)  # in the last step
        self._age, self._ended = np.zeros(self.n, int), np.zeros(self.n, bool)
        if numbered is None:
            self._begin(np.ones(self.n, bool))
        else:
            self._cell[:] = numbered
        return self.observe()

    def _begin(self, which: np.ndarray) -> None:
        assert self.rng is not None
        order = self.rng.random((int(which.sum()), len(self._free))).argsort(axis=1)
        self._cell[which] = self._free[order[:, : self.agents]]
        self._free_still[which], self._age[which], self._ended[which] = True, 0, False

    def _numbered(self, cells: Any) -> np.ndarray:
        given = np.asarray(cells)
        one = (self.agents, 2)
        if given.shape not in (one, (self.n, *one)) or given.dtype.kind not in "iu":
            raise ValueError(f"cells is {given.dtype}{list(given.shape)}, but whole numbers {list(one)} were expected")
        outside = (given < 0).any() or (given >= self.size).any()
        if outside or self.obstacles[given[..., 0], given[..., 1]].any():
            raise ValueError("cells has one that is not on the map, or under an obstacle")
        numbered: np.ndarray = given[..., 0] * self.size[1] + given[..., 1]
        if (numbered[..., : self.pursuers, None] == numbered[..., None, self.pursuers :]).any():
            raise ValueError("cells has a pursuer on an evader's cell, but no episode begins with a capture")
        return numbered

    def _begun(self, what: str) -> None:
        if self.rng is None:
            raise ValueError(f"reset the world before {what}")

    @property
    def free(self) -> np.ndarray:
        """Who is on the map: bool[n, agents]; False for an evader that was caught."""
        self._begun("asking who is on the map")
        return self._free_still.copy()

    @property
    def cells(self) -> np.ndarray:
        """Where everybody stands: int[n, agents, 2], as (x, y); -1 for an evader that was caught."""
        self._begun("asking where everybody stands")
        xy = np.stack(np.divmod(self._cell, self.size[1]), axis=-1)
        return np.where(self._free_still[..., None], xy, -1)

    @property
    def caught(self) -> np.ndarray:
        """Where evaders were caught in the last step: int[n, evaders, 2], as (x, y); -1 for those who were not."""
        self._begun("asking who was caught")
        xy = np.stack(np.divmod(self._cell[:, self.pursuers :], self.size[1]), axis=-1)
        return np.where(self._caught[..., None], xy, -1)

    # -- steps ---------------------------------------------------------------------------------------------------------

    def step(self, actions: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Move everybody; where an episode has ended, begin a new one instead.

        Args:
            actions: int[n, agents], 0 to 4: stay, up, right, down, left. Those of caught evaders are ignored.

        Returns:
            What everybody sees, float32[n, agents, 4, W, H]; the rewards, float[n, agents]; terminated and truncated, bool[n].

        Raises:
            ValueError: actions of another shape or range, or no ``reset`` before.
        """
        self._begun("its first step")
        actions = whole_actions(actions, (self.n, self.agents))
        P, anew = self.pursuers, self._ended.copy()
        old = self._cell
        new = np.where(self._free_still & ~anew[:, None], self._after[old, actions], old)
        hunter, prey = new[:, :P, None], new[:, None, P:]
        met = hunter == prey
        swapped = (hunter == old[:, None, P:]) & (old[:, :P, None] == prey)
        caught = (met | swapped).any(axis=1) & self._free_still[:, P:] & ~anew[:, None]
        self._cell, self._caught = new, caught
        self._free_still[:, P:] &= ~caught
        self._age += 1
        reward = np.zeros((self.n, self.agents))
        reward[:, :P] = caught.sum(axis=1, keepdims=True) - self.cost
        reward[:, P:] -= caught
        reward[anew] = 0
        terminated = ~self._free_still[:, P:].any(axis=1) & ~anew
        truncated = (self._age >= self.limit) & ~terminated & ~anew
        self._ended = terminated | truncated
        if anew.any():
            self._begin(anew)
        return self.observe(), reward, terminated, truncated

    # -- what is seen --------------------------------------------------------------------------------------------------

    def observe(self) -> np.ndarray:
        """Return what each agent sees: float32[n, agents, 4, W, H].

        Channel 0 is the background: 1 at obstacles. Channel 1 counts the opponents on each cell, channel 2 the allies (without
        the agent itself), and channel 3 has a 1 where the agent stands. Caught evaders are nowhere, not even in channel 3 of
        their own. However many agents there are, the shape is the same.

        Raises:
            ValueError: no ``reset`` before.
        """
        self._begun("looking at it")
        n, many, cells = self.n, self.agents, self.obstacles.size
        world = np.arange(n)[:, None]
        there = self._free_still.astype(np.float32)
        counts = [
            np.bincount((world * cells + self._cell[:, kind]).ravel(), there[:, kind].ravel(), n * cells).reshape(
                n, cells
            )
            for kind in (self._is_pursuer, ~self._is_pursuer)
        ]
        planes = np.zeros((n, many, 4, cells), np.float32)
        planes[:, :, 0] = self.obstacles.ravel()
        P, (pursuing, evading) = self.pursuers, counts
        planes[:, :P, 1], planes[:, :P, 2] = evading[:, None], pursuing[:, None]
        planes[:, P:, 1], planes[:, P:, 2] = pursuing[:, None], evading[:, None]
        agent = np.arange(many)
        planes[world, agent, 2, self._cell] -= there
        planes[world, agent, 3, self._cell] = there
        return planes.reshape(n, many, 4, *self.size)


class Seat(VectorEnv):
    """The world as one agent has it, while all others act by frozen policies: a Gymnasium vector environment.

    What the others do has become a part of the world's chance, so that whatever learns alone can learn here. An evader that was
    caught sees the rest of the episode without taking part in it, and is paid nothing more.

    Args:
        world: its ``n`` is the number of environments.
        agent: whose seat it is.
        policies: for "pursuers" and "evaders" how the *others* of that kind choose. A kind that is not named moves at random,
            each of the five actions as likely as any other.

    Raises:
        ValueError: there is no such agent or kind, or a policy is none.
    """

    metadata: dict[str, Any] = {"render_modes": [], "autoreset_mode": AutoresetMode.NEXT_STEP}
    _seen: np.ndarray | None

    def __init__(self, world: Pursuit, agent: int = 0, policies: Mapping[str, Choose] | None = None):
        self.world, self.agent = world, whole_number("agent", agent, 0)
        if self.agent >= world.agents:
            raise ValueError(f"agent is {agent}, but the world has the agents 0 to {world.agents - 1}")
        self.policies = check_policies("policies", policies)
        self.num_envs, self._seen = world.n, None
        self.single_observation_space = Box(0, np.inf, (4, *world.size), np.float32)
        self.single_action_space = Discrete(len(MOVES))
        self.observation_space = batch_space(self.single_observation_space, self.num_envs)
        self.action_space = batch_space(self.single_action_space, self.num_envs)

    def reset(self, *, seed: Any = None, options: dict[str, Any] | None = None) -> tuple[np.ndarray, dict[str, Any]]:
        """Begin an episode everywhere; ``options={"cells": ...}`` says where, as in :meth:`Pursuit.reset`."""
        super().reset(seed=seed)
        if seed is not None:
            self._np_random = own_chance(seed)
        self._seen = seen = self.world.reset(seed, (options or {}).get("cells"))
        return seen[:, self.agent], {}

    def step(self, actions: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, dict[str, Any]]:
        """Take the agent's actions, int[n], and everybody else's.

        Raises:
            ValueError: actions of another shape or range, or no ``reset`` before.
        """
        if self._seen is None:
            raise ValueError("reset the seat before its first step")
        actions = whole_actions(actions, (self.num_envs,))
        everybody = np.zeros((self.num_envs, self.world.agents), int)
        for other in range(self.world.agents):
            choose = self.policies.get(KINDS[other >= self.world.pursuers], at_random)
            everybody[:, other] = actions if other == self.agent else choose(self._seen[:, other], self.np_random)
        self._seen, reward, terminated, truncated = self.world.step(everybody)
        return self._seen[:, self.agent], reward[:, self.agent], terminated, truncated, {}


def whole_actions(actions: Any, shape: tuple[int, ...], count: int = len(MOVES)) -> np.ndarray:
    """Return actions as int[shape], numbers below ``count``, or raise ValueError."""
    actions = np.asarray(actions)
    if actions.shape != shape or actions.dtype.kind not in "iu":
        raise ValueError(
            f"actions is {actions.dtype}{list(actions.shape)}, but whole numbers {list(shape)} were expected"
        )
    if ((actions < 0) | (actions >= count)).any():
        names = ": stay, up, right, down, left" if count == len(MOVES) else ""
        raise ValueError(f"actions has one outside 0 to {count - 1}{names}")
    return actions


def check_policies(name: str, policies: Any) -> dict[str, Choose]:
    """Return a copy of policies by kind, none for None, or raise ValueError where they are none."""
    policies = {} if policies is None else policies
    if not isinstance(policies, Mapping):
        raise ValueError(f"{name} is {brief(policies)}, but a dict of policies was expected")
    if unknown := policies.keys() - set(KINDS):
        raise ValueError(f"{name} has {sorted(map(str, unknown))}, but only pursuers and evaders were expected")
    for kind, choose in policies.items():
        if not callable(choose):
            raise ValueError(f"{name}[{kind!r}] is {brief(choose)}, but a function of (obs, rng) was expected")
    return dict(policies)


def own_chance(seed: int) -> np.random.Generator:
    """Return the source of the frozen policies' draws: the world draws from ``default_rng(seed)``, the learner from [seed, 1]."""
    return np.random.default_rng([seed, 3])


def at_random(obs: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Choose each of the five actions with the same probability: int[n], whatever is seen."""
    return rng.integers(len(MOVES), size=len(obs))


def yard(width: int = 10, height: int = 10) -> np.ndarray:
    """Return the obstacles of a map, bool[W, H]: blocks of 2 x 2, with two free cells between any two, and at the border."""
    x, y = (np.arange(whole_number(*side, 1)) % 4 // 2 == 1 for side in (("width", width), ("height", height)))
    return x[:, None] & y
