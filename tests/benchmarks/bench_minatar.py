"""The games of MinAtar: many worlds stepped together by numpy, against the authors' package, one world in Python.

    python -m tests.benchmarks.bench_minatar

prints a Markdown table and writes it to results/minatar.md. Both play at random, with actions drawn beforehand, and both make an
observation at every step and begin a new episode after an end. The two take turns, in processor time, so that a busy machine
slows both down.
"""

import os

os.environ["OMP_NUM_THREADS"] = "1"  # before numpy is imported

import datetime
import importlib.metadata
import platform
import statistics
import time
from pathlib import Path

import minatar
import numpy as np

from rlkit.envs.minatar import Asterix, Breakout, MinAtarEnv, SpaceInvaders
from tests.benchmarks.page import publish

RESULT = Path(__file__).parent / "results" / "minatar.md"
GAMES: dict[str, type[MinAtarEnv]] = {"breakout": Breakout, "asterix": Asterix, "space_invaders": SpaceInvaders}
STICKY, TURNS, PEER_STEPS = 0.1, 15, 2_000
STEPS = {256: 100, 32: 300, 1: 500}  # of our steps in a turn, for each number of worlds
LEAST_GAIN = {("breakout", 256): 3, ("space_invaders", 256): 8}  # times the package's steps per second


class Theirs:
    """One game of the package."""

    def __init__(self, name: str):
        self._game = minatar.Environment(name, sticky_action_prob=STICKY)
        self._game.seed(0)
        self._game.reset()
        self._actions = np.random.default_rng(0).integers(6, size=PEER_STEPS).tolist()

    def play(self) -> float:
        """Return processor seconds for one step."""
        game, start = self._game, time.process_time()
        for action in self._actions:
            _, terminated = game.act(action)
            if terminated:
                game.reset()
            game.state()
        return (time.process_time() - start) / PEER_STEPS


class Ours:
    """A batch of worlds of one game."""

    def __init__(self, name: str, worlds: int):
        self._env = GAMES[name](worlds, STICKY)
        self._env.reset(seed=0)
        self._actions = np.random.default_rng(0).integers(6, size=(STEPS[worlds], worlds))

    def play(self) -> float:
        """Return processor seconds for one step of one world."""
        env, start = self._env, time.process_time()
        for action in self._actions:
            env.step(action)
        return (time.process_time() - start) / self._actions.size


def main() -> None:
    """Measure, print, and write the table."""
    rows, missed = [], []
    for name in GAMES:
        theirs, ours = Theirs(name), {worlds: Ours(name, worlds) for worlds in STEPS}
        theirs.play(), [batch.play() for batch in ours.values()]  # caches are cold, and all episodes begin at once
        turns = [(theirs.play(), {worlds: batch.play() for worlds, batch in ours.items()}) for _ in range(TURNS)]
        peer = statistics.median(turn[0] for turn in turns)
        for worlds in STEPS:
            mine = statistics.median(turn[1][worlds] for turn in turns)
            gains = [turn[0] / turn[1][worlds] for turn in turns]
            gain, least = statistics.median(gains), LEAST_GAIN.get((name, worlds))
            rows.append(
                [
                    GAMES[name].__name__,
                    f"{worlds}",
                    f"{1e-3 / mine:,.0f}",
                    f"{1e-3 / peer:,.0f}",
                    f"{gain:.2f} ({min(gains):.2f} to {max(gains):.2f})",
                    f"at least {least}: {'met' if gain >= least else 'MISSED'}" if least else "",
                ]
            )
            if least and gain < least:
                missed.append(f"{name}, {worlds} worlds: {gain:.1f} times as fast, but at least {least} was promised")
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in ("numpy", "gymnasium", "MinAtar"))
    lines = [
        "# MinAtar: many worlds at once",
        "",
        f"Measured on {datetime.date.today()}: {os.cpu_count()} cores (one used), Python {platform.python_version()}, "
        f"{versions}.",
        f"Random play with sticky actions ({STICKY}); thousands of steps per second of processor time, observations and new "
        "episodes",
        f"included; the package plays one world. In turns: the median of {TURNS} ratios, and their range.",
        "Repeat with `python -m tests.benchmarks.bench_minatar`.",
        "",
        "| game | worlds | ours | package | times as fast | target |",
        "|---|---|---|---|---|---|",
        *("| " + " | ".join(row) + " |" for row in rows),
    ]
    publish(lines, RESULT)
    if missed:
        raise SystemExit("\n".join(missed))


if __name__ == "__main__":
    main()
