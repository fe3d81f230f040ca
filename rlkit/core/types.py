"""What passes between worlds, memories, networks and learners."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from rlkit.core.checks import whole_number


class Batch(NamedTuple):
    """Transitions to learn from, as torch tensors: K copies with B transitions each.

    There is no ``done``. Only ``terminated`` says that nothing follows; an episode that was broken off still has a future.

    Attributes:
        obs, next_obs: float[K, B, ...].
        action: int[K, B], or float[K, B, D].
        reward: float[K, B]; of a transition over m steps, r_0 + gamma r_1 + ... + gamma^(m-1) r_(m-1).
        terminated: bool[K, B], whether the episode ended with this transition.
        discount: float[K, B], gamma^m: what the value of ``next_obs`` is multiplied by.
    """

    obs: Any
    action: Any
    reward: Any
    next_obs: Any
    terminated: Any
    discount: Any


@dataclass(frozen=True)
class TrainResult:
    """What a training run leaves behind.

    Attributes:
        policy: the trained network, all copies.
        best: for each copy the weights of its best test, where there were tests; else the same as ``policy``.
        snapshots: the network as it was at each test, by the number of steps (or episodes) of each copy until then.
        episodes: columns "copy", "step", "length", "return", an entry for each finished episode; "step" counts what the copy
            had done in all its worlds by then. Where the run is counted in episodes, there is "episode" as well.
        tests: columns "copy", "step" (or "episode"), "return" and others, an entry for each test of the greedy policy.
        updates: columns "copy", "step" (or "episode"), "loss" and others: means over stretches of updates.
        params: the arguments of the run.
        unit: "step" or "episode", what the run is counted in.
    """

    policy: Any
    best: Any
    snapshots: dict[int, Any]
    episodes: dict[str, np.ndarray]
    tests: dict[str, np.ndarray]
    updates: dict[str, np.ndarray]
    params: dict[str, Any] = field(repr=False)
    unit: str = "step"

    def tested(self, name: str = "return") -> tuple[np.ndarray, np.ndarray]:
        """Return x: float[T], the steps (or episodes) at which there were tests, and y: float[K, T], a column of them.

        Args:
            name: of the column.

        Raises:
            ValueError: there is no such column.
        """
        if name not in self.tests:
            raise ValueError(f"there is no column {name!r} of the tests; there are {', '.join(self.tests)}")
        copies = int(self.params["copies"])
        return self.tests[self.unit][::copies].astype(float), self.tests[name].reshape(-1, copies).T

    def curve(self, points: int = 50) -> tuple[np.ndarray, np.ndarray]:
        """Return the returns of episodes while learning, averaged over stretches of steps (or episodes).

        Args:
            points: how many stretches.

        Returns:
            x: float[points], the steps (or episodes) at which the stretches end; y: float[K, points], the mean return of
            the episodes that ended in each stretch. Where none has ended, the last mean is carried on; NaN for a copy that has
            finished no episode at all.
        """
        points = whole_number("points", points, 1)
        copies, whole = int(self.params["copies"]), int(self.params[f"{self.unit}s"])
        place = (self.episodes[self.unit] * points - 1) // whole
        total, count = np.zeros((2, copies, points))
        np.add.at(total, (self.episodes["copy"], place), self.episodes["return"])
        np.add.at(count, (self.episodes["copy"], place), 1)
        last = np.maximum.accumulate(np.where(count > 0, np.arange(points), -1), axis=1)
        first = (count > 0).argmax(axis=1)[:, None]  # before the first episode has ended, its return is all there is
        filled = np.where(last < 0, first, last)
        mean = np.where((count > 0).any(axis=1, keepdims=True), total / np.maximum(count, 1), np.nan)
        return whole * np.arange(1, points + 1) / points, np.take_along_axis(mean, filled, axis=1)
