"""Writing down what a learner does, so that a slow learner can be shown the very same experience."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from unittest import mock

import numpy as np

from rlkit.learn.tabular import Walk


class Step(NamedTuple):
    """One step of one copy; the states are numbered within the world."""

    s: int
    a: int
    r: float
    to: int
    terminated: bool
    ended: bool


@dataclass
class Transcript:
    """What one run did, in its order: ("step", [Step of each copy]), ("choose", actions), or ("coin", numbers)."""

    events: list[tuple[str, Any]] = field(default_factory=list)

    def steps(self) -> Iterator[list[Step]]:
        """Yield the steps of all copies, step by step."""
        return (what for kind, what in self.events if kind == "step")

    def copies(self) -> list[list[Step]]:
        """Return the steps of each copy."""
        return [list(steps) for steps in zip(*self.steps(), strict=True)]

    def episodes(self, copy: int) -> list[list[Step]]:
        """Return the episodes of one copy; the last one may be unfinished."""
        episodes: list[list[Step]] = [[]]
        for step in self.copies()[copy]:
            episodes[-1].append(step)
            if step.ended:
                episodes.append([])
        return episodes if episodes[-1] else episodes[:-1]


def record(learner: Callable[..., Any], *args: Any, **kwargs: Any) -> tuple[Any, Transcript]:
    """Run a learner and return what it returns, and the transcript."""
    transcript = Transcript()
    step, choose, uniform = Walk.step, Walk.choose, Walk.uniform

    def writing_step(w: Walk, a: np.ndarray) -> Any:
        s = w.state.copy()
        r, to, terminated = step(w, a)
        rows = w.k * w.S
        columns = (s - rows, a, r, to - rows, terminated, w.ended)
        plain = [[int(x) for x in column] if i != 2 else [float(x) for x in column] for i, column in enumerate(columns)]
        transcript.events.append(
            ("step", [Step(*row[:4], bool(row[4]), bool(row[5])) for row in zip(*plain, strict=True)])
        )
        return r, to, terminated

    def writing_choose(w: Walk, Q: np.ndarray) -> np.ndarray:
        a = choose(w, Q)
        transcript.events.append(("choose", [int(x) for x in a]))
        return a

    def writing_uniform(w: Walk) -> np.ndarray:
        numbers = uniform(w)
        transcript.events.append(("coin", [float(x) for x in numbers]))
        return numbers

    with mock.patch.multiple(Walk, step=writing_step, choose=writing_choose, uniform=writing_uniform):
        return learner(*args, **kwargs), transcript
