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
from rlkit.nets import frozen_copy

STRETCHES = 100
"""Over how many stretches of a run its losses are averaged."""

Test = Callable[[int], dict[str, np.ndarray]]


class Record:
    """The record of a run; use it as ``with Record(...) as record:`` and ``for t in record.count(...)``.

    Interrupting the kernel ends the run, and what was learned until then is kept.

    Args:
        network: what is trained, with K copies.
        test: from the count so far to columns float[K], "return" among them.
        test_every: how many steps (or episodes) of each copy lie between two tests; 0 for none.
        unit: what is counted, "step" or "episode".
    """

    def __init__(self, network: nn.Module, test: Test, test_every: int, unit: str = "step"):
        self.network, self.best = network, copy.deepcopy(network)
        self.unit, self.t = unit, 0
        self._test, self._test_every = test, test_every
        self._tests: list[dict[str, Any]] = []
        self._snapshots: dict[int, nn.Module] = {}
        self._notes: list[tuple[int, dict[str, Tensor]]] = []

    def __enter__(self) -> Record:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        if kind is KeyboardInterrupt:
            print(f"Interrupted: what was learned in {self.t:,} {self.unit}s is kept.")
        return kind is KeyboardInterrupt

    def count(self, total: int, at_once: int) -> Iterator[int]:
        """Yield how many steps (or episodes) each copy has behind it, so many more each time; tests fall in between."""
        due = self._test_every
        for t in progress(range(at_once, total + 1, at_once), "training"):
            self.t = t
            yield t
            if self._test_every and t >= due:
                self._take_test()
                due += self._test_every

    def note(self, **values: Tensor) -> None:
        """Write down numbers of one update, float[K] each; the same ones each time."""
        self._notes.append((self.t, {name: value.detach() for name, value in values.items()}))

    def _take_test(self) -> None:
        found = self._test(self.t)
        snapshot = frozen_copy(self.network)
        before = [test["return"] for test in self._tests]
        better = found["return"] > np.max(before, axis=0) if before else np.ones(len(found["return"]), bool)
        for kept, now in zip(self.best.parameters(), snapshot.parameters(), strict=True):
            kept.data[better] = now[better]
        self._tests.append({self.unit: self.t, **found})
        self._snapshots[self.t] = snapshot

    def result(self, episodes: dict[str, np.ndarray], params: dict[str, Any]) -> TrainResult:
        """Return everything that was written down.

        Args:
            episodes: the episodes while learning, in long form.
            params: the arguments of the run.
        """
        k = np.arange(params["copies"])
        tests = [{"copy": k, **{n: np.broadcast_to(v, k.shape) for n, v in test.items()}} for test in self._tests]
        names = list(tests[0]) if tests else ["copy", self.unit, "return"]
        columns = {name: np.concatenate([test[name] for test in tests] or [np.zeros(0)]) for name in names}
        best = self.best if tests else copy.deepcopy(self.network)
        updates = self._updates(k)
        return TrainResult(self.network, best, self._snapshots, episodes, columns, updates, params, self.unit)

    def _updates(self, k: np.ndarray) -> dict[str, np.ndarray]:
        parts = [part for part in np.array_split(np.arange(len(self._notes)), STRETCHES) if len(part)]
        at = [self._notes[part[-1]][0] for part in parts]
        columns = {"copy": np.tile(k, len(parts)), self.unit: np.repeat(np.array(at, int), len(k))}
        for name in self._notes[0][1] if self._notes else ["loss"]:
            means = [torch.stack([self._notes[i][1][name] for i in part]).mean(dim=0).numpy() for part in parts]
            columns[name] = np.concatenate(means) if means else np.zeros(0)
        return columns
