"""What the benchmarks of deep learners share: a clock that stands still during tests, runs to compare, tables."""

from __future__ import annotations

import datetime
import importlib.metadata
import os
import platform
import statistics
import textwrap
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import gymnasium
import numpy as np
from gymnasium.vector import VectorEnv
from stable_baselines3.common.callbacks import BaseCallback

from rlkit.learn.episodes import play


@dataclass
class Run:
    """The tests of K copies that learned together: for each copy its equal share of the processor seconds."""

    name: str
    seeds: range
    scores: np.ndarray  # float[K, tests]
    steps: np.ndarray  # int[K, tests], of each copy until each test
    seconds: np.ndarray  # float[tests], of training until each test, for each copy
    whole: float  # of the whole training, for each copy

    def reached(self, enough: float, in_a_row: int = 1) -> tuple[np.ndarray, np.ndarray]:
        """Return steps and seconds until that many tests in a row were passed, float[K] each; infinite if they never were."""
        passed, tests = self.scores >= enough, self.scores.shape[1]
        rows = np.array([passed[:, i : i + in_a_row].all(axis=1) for i in range(tests - in_a_row + 1)]).T
        if not rows.size:
            return np.full(len(passed), np.inf), np.full(len(passed), np.inf)
        last = rows.argmax(axis=1) + in_a_row - 1
        ever = rows.any(axis=1)
        steps = self.steps[np.arange(len(last)), last]
        return np.where(ever, steps, np.inf), np.where(ever, self.seconds[last], np.inf)


class Watch:
    """Counts the processor time of a training, and stands still while what was learned is tested.

    Args:
        take: the test, such as :func:`rlkit.learn.episodes.play`.
    """

    def __init__(self, take: Callable[..., dict[str, np.ndarray]] = play) -> None:
        self.scores: list[np.ndarray] = []
        self.seconds: list[float] = []
        self._take = take
        self._start = time.process_time()

    def read(self) -> float:
        return time.process_time() - self._start

    def play(self, choose: Any, make_env: Any, **args: Any) -> dict[str, np.ndarray]:
        """Take a test off the clock."""
        self.seconds.append(self.read())
        found = self._take(choose, make_env, **args)
        self.scores.append(found["return"].mean(axis=1))
        self._start = time.process_time() - self.seconds[-1]
        return found

    def run(self, name: str, seeds: range, steps: Any) -> Run:
        """Return what was measured; call it when the training has ended.

        Args:
            name: who learned.
            seeds: of the copies.
            steps: of each copy until each test: int[tests] or int[K, tests]. What was played after the last of them was
                no test, and is left out.
        """
        K, whole, steps = len(seeds), self.read(), np.asarray(steps)
        tests = steps.shape[-1]
        scores = np.reshape(self.scores[:tests], (tests, K)).T
        return Run(
            name, seeds, scores, np.broadcast_to(steps, (K, tests)), np.array(self.seconds[:tests]) / K, whole / K
        )


class Tests(BaseCallback):
    """Tests the likeliest actions of a learner of Stable-Baselines3 as ours are tested, off the clock.

    Args:
        watch: the clock.
        make_env: from a number of worlds to a vector environment, in which it is tested.
        seed: of the training.
        every, episodes: after every so many steps, with so many episodes.
        enough, in_a_row: the training ends once so many tests in a row have been passed (default: it goes on to its end).
    """

    def __init__(
        self,
        watch: Watch,
        make_env: Callable[[int], VectorEnv],
        seed: int,
        *,
        every: int,
        episodes: int = 100,
        enough: float = np.inf,
        in_a_row: int = 1,
    ):
        super().__init__()
        self._watch, self._make_env, self._seed = watch, make_env, seed
        self._every, self._episodes, self._enough, self._in_a_row = every, episodes, enough, in_a_row
        self.steps: list[int] = []

    def _on_step(self) -> bool:
        if self.num_timesteps % self._every:
            return True
        self.steps.append(self.num_timesteps)
        seed = 1_000_003 * (self._seed + 1) + self.num_timesteps

        def choose(obs: np.ndarray) -> np.ndarray:
            action: np.ndarray = self.model.predict(obs[0], deterministic=True)[0][None]
            return action

        self._watch.play(choose, self._make_env, copies=1, episodes=self._episodes, seed=seed)
        last = self._watch.scores[-self._in_a_row :]
        return len(last) < self._in_a_row or min(score[0] for score in last) < self._enough


def peer_run(name: str, model: Any, steps: int, seed: int, watch: Watch, tests: Tests) -> Run:
    """Train a learner of Stable-Baselines3; making it counts, too, from when the watch was made."""
    model.learn(steps, callback=tests)
    return watch.run(name, range(seed, seed + 1), tests.steps)


def plain_cartpole(num_envs: int) -> VectorEnv:
    return gymnasium.make_vec("CartPole-v1", num_envs=num_envs, vectorization_mode="vector_entry_point")


def written(value: float, form: str) -> str:
    return format(value, form) if np.isfinite(value) else "never"


def compare(
    title: str, mine: list[np.ndarray], peer: list[np.ndarray], peer_whole: list[float]
) -> tuple[float, list[str]]:
    """Return how many times as fast our median seed is, and the row of the summary.

    Of ours, a seed that never gets there is counted as infinite. Of theirs, it is counted with what it spent in vain: it would
    have needed more, and we cannot say how much. The range is over the runs of theirs, each against the run of ours of the
    same turn; where there are fewer turns of ours, they come round again.
    """
    spent = [float(np.where(np.isfinite(x), x, whole)[0]) for x, whole in zip(peer, peer_whole, strict=True)]
    gains = [one / float(np.median(mine[i % len(mine)])) for i, one in enumerate(spent)]
    everybody, them = np.concatenate(mine), np.concatenate(peer)
    median, peer_median = float(np.median(everybody)), statistics.median(spent)
    gain = peer_median / median
    row = [
        title,
        f"{written(median, '.2f')} ({np.isfinite(everybody).sum()} of {len(everybody)})",
        f"{peer_median:.2f} ({np.isfinite(them).sum()} of {len(them)})",
        f"{gain:.1f} ({min(gains):.1f} to {max(gains):.1f})",
    ]
    return gain, row


def table(head: list[str], rows: list[list[str]]) -> list[str]:
    lines = ["| " + " | ".join(row) + " |" for row in [head, *rows]]
    return [lines[0], "|---" * len(head) + "|", *lines[1:]]


def wrap(text: str) -> list[str]:
    """Return a paragraph as lines."""
    return textwrap.wrap(text, 130, break_on_hyphens=False)


def measured_on() -> str:
    """Return a sentence on the day, the machine and the versions."""
    packages = "numpy", "torch", "gymnasium", "stable-baselines3"
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in packages)
    return (
        f"Measured on {datetime.date.today()}: {os.cpu_count()} cores (one used), {platform.machine()}, "
        f"Python {platform.python_version()}, {versions}."
    )


class Promises:
    """What was asked, and whether it was met."""

    def __init__(self) -> None:
        self.missed: list[str] = []

    def at_most(self, what: str, value: float, most: float) -> str:
        return self._say(what, value, value <= most, f"at most {most:g}")

    def at_least(self, what: str, value: float, least: float) -> str:
        return self._say(what, value, value >= least, f"at least {least:g}")

    def _say(self, what: str, value: float, met: bool, asked: str) -> str:
        if not met:
            self.missed.append(f"{what}: {value:.3g}, but {asked} was promised")
        return f"{asked}: {'met' if met else 'MISSED'}"
