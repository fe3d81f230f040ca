"""K copies of E worlds each, stepped together; the one place that knows how episodes begin anew."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from gymnasium.spaces import Box, Discrete, Space
from gymnasium.vector import AutoresetMode, VectorEnv

from rlkit.core.checks import brief, whole_number

MakeEnv = Callable[[int], VectorEnv]


class Step(NamedTuple):
    """One step of every world.

    Attributes:
        obs, action, reward, next_obs: [K, E, ...]; where an episode has ended, ``next_obs`` is what it ended with.
        terminated: bool[K, E], nothing follows.
        truncated: bool[K, E], the episode was broken off; what follows was not seen.
        real: bool[K, E]. False where the world only began a new episode: the action was not taken, and there is nothing to learn.
    """

    obs: np.ndarray
    action: np.ndarray
    reward: np.ndarray
    next_obs: np.ndarray
    terminated: np.ndarray
    truncated: np.ndarray
    real: np.ndarray


class Worlds:
    """A Gymnasium vector environment as an array of copies by worlds, with a log of its episodes.

    When an episode has ended, Gymnasium's vector environments spend the next step on beginning a new one (their NEXT_STEP
    mode): the action of that step is ignored. So the last observation of an episode is always seen, and the step that leads
    from it to the first observation of the next is marked: ``real`` is False.

    Args:
        make_env: from the number of worlds to a vector environment, such as
            ``lambda n: gymnasium.make_vec("CartPole-v1", num_envs=n)``. Its actions are whole numbers (Discrete, from 0) or
            D numbers with bounds (Box).
        copies: how many, K.
        worlds: how many for each copy, E.
        seed: a whole number.

    Attributes:
        obs: [K, E, ...], what every world shows now.
        actions: the space of the actions of one world.
        n_actions: how many actions there are; 0 where they are numbers from a Box.

    Raises:
        ValueError: an argument that does not fit, an environment of another mode or with other actions.
    """

    def __init__(self, make_env: MakeEnv, copies: int, worlds: int, seed: int):
        self.copies, self.worlds = whole_number("copies", copies, 1), whole_number("worlds", worlds, 1)
        self.env = make_env(self.copies * self.worlds)
        mode = self.env.metadata.get("autoreset_mode")
        if mode != AutoresetMode.NEXT_STEP:
            raise ValueError(
                f"make_env gives an environment of the mode {mode}, but AutoresetMode.NEXT_STEP was expected"
            )
        self.actions = self.env.single_action_space
        if not _numbered(self.actions) and not _bounded(self.actions):
            raise ValueError(
                f"make_env gives an environment with {brief(self.actions)}, but Discrete actions from 0, or a flat Box with "
                "bounds, were expected"
            )
        if not isinstance(self.env.single_observation_space, Box):
            seen = brief(self.env.single_observation_space)
            raise ValueError(
                f"make_env gives an environment that shows {seen}, but a Box, an array of numbers, was expected"
            )
        self.n_actions = int(self.actions.n) if isinstance(self.actions, Discrete) else 0
        self._t = 0
        self._finished: list[tuple[np.ndarray, ...]] = []
        self.begin(whole_number("seed", seed, 0))

    def begin(self, seed: int | None = None, options: dict[str, Any] | None = None) -> None:
        """Begin an episode in every world; those under way are forgotten.

        Args:
            seed: of all chance from now on (default: chance goes on where it was).
            options: for the environment's own ``reset``.
        """
        obs, _ = self.env.reset(seed=seed, options=options)
        shape = (self.copies, self.worlds)
        self.obs = self._shaped(obs).copy()
        self._beginning = np.zeros(shape, bool)  # whose next step only begins an episode
        self._length, self._return = np.zeros(shape, int), np.zeros(shape)

    def _shaped(self, x: np.ndarray) -> np.ndarray:
        return np.asarray(x).reshape(self.copies, self.worlds, *np.shape(x)[1:])

    def step(self, action: np.ndarray) -> Step:
        """Take everybody's action: int[K, E], or float[K, E, D], of which the nearest one within the bounds is taken."""
        before, real = self.obs, ~self._beginning
        taken = np.asarray(action).reshape(-1, *self.actions.shape)
        if isinstance(self.actions, Box):
            taken = np.clip(taken, self.actions.low, self.actions.high, dtype=self.actions.dtype)
        found = self.env.step(taken)[:4]
        # some environments reuse their arrays, and a step must not change once it has been made
        self.obs, reward, terminated, truncated = (self._shaped(x).copy() for x in found)
        if not np.isfinite(reward).all():
            raise ValueError(
                f"the environment pays {reward[~np.isfinite(reward)][0]}, but a reward must be a finite number"
            )
        self._beginning = terminated | truncated
        self._t += 1
        self._length += real
        self._return += np.where(real, reward, 0.0)  # beginning an episode is no part of it
        if self._beginning.any():
            copy, world = np.nonzero(self._beginning)
            step = np.full(len(copy), self._t * self.worlds)
            self._finished.append((copy, step, self._length[copy, world], self._return[copy, world]))
            self._length[copy, world], self._return[copy, world] = 0, 0.0
        return Step(before, action, reward, self.obs, terminated, truncated, real)

    def episodes(self) -> dict[str, np.ndarray]:
        """Return the finished episodes in long form: "copy", "step" (of the copy, over its worlds), "length", "return"."""
        names, empty = ("copy", "step", "length", "return"), tuple(np.zeros(0, t) for t in (int, int, int, float))
        return {
            n: np.concatenate(parts) for n, parts in zip(names, zip(empty, *self._finished, strict=True), strict=True)
        }


def _numbered(space: Space[Any]) -> bool:
    return isinstance(space, Discrete) and space.start == 0


def _bounded(space: Space[Any]) -> bool:
    return isinstance(space, Box) and len(space.shape) == 1 and space.is_bounded()
