"""A memory of transitions: what DQN learns from."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from rlkit.core.checks import number, whole_number
from rlkit.core.types import Batch


class Replay:
    """A ring of the last steps of K copies with E worlds each, to draw transitions from at random.

    Rows are moments in time. A row holds what was seen and done at one moment in every world; what was seen next stands in the
    row after it, so nothing is kept twice. A transition over ``n_step`` steps adds up the rewards on its way, and stops early
    where the episode does.

    Args:
        capacity: how many steps to remember for each copy, over all its worlds.
        copies, worlds: K and E.
        n_step: how many steps a transition spans.
        gamma: the discount, in [0, 1].

    Raises:
        ValueError: an argument that does not fit; a capacity too small for one transition in each world.
    """

    def __init__(self, capacity: int, copies: int, worlds: int, *, n_step: int = 1, gamma: float = 0.99):
        self.copies, self.worlds = whole_number("copies", copies, 1), whole_number("worlds", worlds, 1)
        self.n_step, self.gamma = whole_number("n_step", n_step, 1), number("gamma", gamma, 0, 1)
        self.rows = whole_number("capacity", capacity, 1) // self.worlds
        if self.rows < self.n_step:
            raise ValueError(
                f"capacity is {capacity}, but {self.worlds} worlds and transitions of {self.n_step} steps need at least "
                f"{self.worlds * self.n_step}"
            )
        self.rows += 1  # the newest observation stands in a row of its own until its action is known
        self.added = 0
        self._drawable = np.zeros(self.copies, int)  # how many real steps each copy may begin a transition with
        self._columns: dict[str, np.ndarray] = {}
        self._k = np.arange(self.copies)[:, None]

    def __len__(self) -> int:
        """Return how many transitions there are to draw, in the copy that has the fewest."""
        return int(self._drawable.min())

    def add(
        self, obs: Any, action: Any, reward: Any, next_obs: Any, terminated: Any, truncated: Any, real: Any
    ) -> None:
        """Add one step of every world.

        Args:
            obs, next_obs: [K, E, ...]; ``next_obs`` must be the ``obs`` of the next call.
            action: int[K, E], or float[K, E, D].
            reward: [K, E].
            terminated, truncated: bool[K, E]: the episode ended; it was broken off.
            real: bool[K, E], False for the step in which a world only begins anew: it is never drawn.
        """
        here, after = self.added % self.rows, (self.added + 1) % self.rows
        step = {"action": action, "reward": reward, "terminated": terminated, "truncated": truncated, "real": real}
        if not self._columns:
            for name, value in {"obs": obs, **step}.items():
                value = np.asarray(value)
                if value.shape[:2] != (self.copies, self.worlds):
                    raise ValueError(
                        f"{name} has shape {value.shape}, but ({self.copies}, {self.worlds}, ...) was expected"
                    )
                self._columns[name] = np.zeros((self.rows, *value.shape), value.dtype)
            self._columns["reward"] = self._columns["reward"].astype(np.float32)
            self._columns["obs"][here] = obs
        if self.added >= self.rows - 1:  # the oldest step is about to lose what it begins with
            self._drawable -= self._columns["real"][after].sum(axis=1)
        for name, value in step.items():
            self._columns[name][here] = value
        self._columns["obs"][after] = next_obs
        self.added += 1
        if self.added >= self.n_step:
            self._drawable += self._columns["real"][(self.added - self.n_step) % self.rows].sum(axis=1)

    def sample(self, size: int, rng: np.random.Generator) -> Batch:
        """Return ``size`` transitions for each copy, drawn uniformly and independently.

        Args:
            size: how many, B.
            rng: where the draws come from.

        Raises:
            ValueError: nothing to draw from yet.
        """
        if not len(self):
            raise ValueError("the memory holds no transition of some copy yet: there is nothing to draw")
        t, e = self._places(size, rng)
        columns, k = self._columns, self._k
        obs, action = columns["obs"][t, k, e], columns["action"][t, k, e]
        reward, discount = np.zeros(t.shape, np.float32), np.ones(t.shape, np.float32)
        terminated, goes_on = np.zeros(t.shape, bool), np.ones(t.shape, bool)
        for _ in range(self.n_step):
            reward += discount * columns["reward"][t, k, e] * goes_on
            discount = np.where(goes_on, discount * np.float32(self.gamma), discount)
            terminated |= goes_on & columns["terminated"][t, k, e]
            ended = terminated | columns["truncated"][t, k, e]
            t = np.where(goes_on, (t + 1) % self.rows, t)
            goes_on &= ~ended
        next_obs = columns["obs"][t, k, e]
        return Batch(
            torch.from_numpy(obs).float(),
            torch.from_numpy(action).float() if action.dtype.kind == "f" else torch.from_numpy(action).long(),
            torch.from_numpy(reward),
            torch.from_numpy(next_obs).float(),
            torch.from_numpy(terminated),
            torch.from_numpy(discount),
        )

    def _places(self, size: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Return rows and worlds, int[K, size] each, at which real transitions begin; others are drawn again."""
        held = min(self.added, self.rows - 1)
        oldest, starts = self.added - held, held - self.n_step + 1
        real = self._columns["real"]
        t, e = np.zeros((self.copies, size), int), np.zeros((self.copies, size), int)
        wrong = np.ones(t.shape, bool)
        while (count := int(wrong.sum())) > 0:
            t[wrong] = (oldest + rng.integers(starts, size=count)) % self.rows
            e[wrong] = rng.integers(self.worlds, size=count)
            wrong = ~real[t, self._k, e]
        return t, e
