"""What every deep learner's run writes down: losses, tests of the greedy policy, the best weights so far."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from rlkit.core.progress import progress
from rlkit.core.types import TrainResult
from rlkit.envs.worlds import Worlds
from rlkit.nets import frozen_copy

STRETCHES = 100
"""Over how many stretches of a run its losses are averaged."""

Test = Callable[[int], dict[str, np.ndarray]]


class Record:
    """The record of a run; use it as ``with Record(...) as record:`` and ``for t in record.steps(...)``.

    Interrupting the kernel ends the run, and what was learned until then is kept.

    Args:
        network: what is trained, with K copies.
        test: from the number of steps so far to columns float[K], "return" among them.
        test_every: how many steps of each copy lie between two tests; 0 for none.
    """

    def __init__(self, network: nn.Module, test: Test, test_every: int):
        self.network, self.best = network, copy.deepcopy(network)
        self.t = 0
        self._test, self._test_every = test, test_every
        self._tests: list[dict[str, Any]] = []
        self._snapshots: dict[int, nn.Module] = {}
        self._losses: list[tuple[int, Tensor]] = []

    def __enter__(self) -> Record:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        if kind is KeyboardInterrupt:
            print(f"Interrupted: what was learned in {self.t:,} steps is kept.")
        return kind is KeyboardInterrupt

    def steps(self, steps: int, worlds: int) -> Iterator[int]:
        """Yield how many steps each copy has made, after each step of its E worlds; tests fall between two steps."""
        due = self._test_every
        for t in progress(range(worlds, steps + 1, worlds), "training"):
            self.t = t
            yield t
            if self._test_every and t >= due:
                self._take_test()
                due += self._test_every

    def loss(self, value: Tensor) -> None:
        """Write down the loss of one update, float[K]."""
        self._losses.append((self.t, value.detach()))

    def _take_test(self) -> None:
        found = self._test(self.t)
        snapshot = frozen_copy(self.network)
        before = [test["return"] for test in self._tests]
        better = found["return"] > np.max(before, axis=0) if before else np.ones(len(found["return"]), bool)
        for kept, now in zip(self.best.parameters(), snapshot.parameters(), strict=True):
            kept.data[better] = now[better]
        self._tests.append({"step": self.t, **found})
        self._snapshots[self.t] = snapshot

    def result(self, worlds: Worlds, params: dict[str, Any]) -> TrainResult:
        """Return everything that was written down."""
        k = np.arange(worlds.copies)
        tests = [{"copy": k, **{n: np.broadcast_to(v, k.shape) for n, v in test.items()}} for test in self._tests]
        names = list(tests[0]) if tests else ["copy", "step", "return"]
        columns = {name: np.concatenate([test[name] for test in tests] or [np.zeros(0)]) for name in names}
        best = self.best if tests else copy.deepcopy(self.network)
        return TrainResult(self.network, best, self._snapshots, worlds.episodes(), columns, self._updates(k), params)

    def _updates(self, k: np.ndarray) -> dict[str, np.ndarray]:
        parts = [part for part in np.array_split(np.arange(len(self._losses)), STRETCHES) if len(part)]
        steps = [self._losses[part[-1]][0] for part in parts]
        means = [torch.stack([self._losses[i][1] for i in part]).mean(dim=0).numpy() for part in parts]
        return {
            "copy": np.tile(k, len(parts)),
            "step": np.repeat(np.array(steps, int), len(k)),
            "loss": np.concatenate(means) if means else np.zeros(0),
        }
