"""What a walk goes through: K copies of a world of tables, or one Gymnasium environment, behind the same few methods."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from rlkit.core.checks import brief
from rlkit.mdp import Sampler, TabularMDP


class Tables:
    """K copies of a TabularMDP, stepped by array operations, without the checks that only a person's input needs."""

    def __init__(self, mdp: TabularMDP, copies: int, rng: np.random.Generator):
        self._sampler = Sampler(mdp, copies, rng)
        self.forbid: Any = None  # here every action that does not exist is known from the beginning
        self.S, self.A = mdp.n_states, mdp.n_actions
        self.exists = mdp.available
        self.some_missing = not mdp.available.all()

    def start(self, count: int) -> np.ndarray:
        """Return int[count], states in which episodes begin."""
        return self._sampler.draw_start(count)

    def step(self, s: np.ndarray, a: np.ndarray, uniform: Iterator[np.ndarray]) -> tuple[Any, ...]:
        """Return reward, next state, terminated, and truncated (None: these worlds never truncate)."""
        return *self._sampler.draw(s * self.A + a, next(uniform)), None


class Environment:
    """One Gymnasium environment, behind arrays of length 1."""

    def __init__(self, env: Any, rng: np.random.Generator):
        spaces = [getattr(env, name, None) for name in ("observation_space", "action_space")]
        # Other spaces may have an n or a start, but only Discrete has both.
        sizes = [getattr(space, "n", 0) if np.array_equal(getattr(space, "start", -1), 0) else 0 for space in spaces]
        if 0 in sizes:
            raise ValueError(
                f"{brief(env)} has no Discrete observations and actions from 0 on: a table cannot be indexed by it"
            )
        self.S, self.A = (int(n) for n in sizes)
        self.exists = np.ones((self.S, self.A), bool)
        self.some_missing = False
        self._env = env
        self.forbid: Callable[[slice, np.ndarray], None] | None = None
        self._seed: int | None = int(rng.integers(2**31))

    def start(self, count: int) -> np.ndarray:
        """Begin an episode and return int[1], its first state."""
        s, info = self._env.reset(seed=self._seed)
        self._seed = None  # seeded once, as Gymnasium advises
        self._mask(int(s), info)
        return np.array([int(s)])

    def step(self, s: np.ndarray, a: np.ndarray, uniform: Iterator[np.ndarray]) -> tuple[Any, ...]:
        """Return reward, next state, terminated and truncated."""
        to, r, terminated, truncated, info = self._env.step(int(a[0]))
        self._mask(int(to), info)
        return np.array([float(r)]), np.array([int(to)]), np.array([bool(terminated)]), np.array([bool(truncated)])

    def _mask(self, s: int, info: dict[str, Any]) -> None:
        if info.get("action_mask") is not None:
            exists = np.asarray(info["action_mask"], bool)
            if exists.any() and not exists.all():
                self.exists[s], self.some_missing = exists, True
                if self.forbid is not None:
                    self.forbid(slice(s, None, self.S), ~exists)  # a learner may have several tables
