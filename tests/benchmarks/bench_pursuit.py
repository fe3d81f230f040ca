"""Pursuers and evaders: many worlds stepped together by numpy, against PettingZoo's pursuit (SISL), one world in Python.

    python -m tests.benchmarks.bench_pursuit

prints a Markdown table and writes it to results/pursuit.md. Both have the same map, the same numbers of agents and the same
limit; everybody acts at random, with actions drawn beforehand (PettingZoo draws those of its evaders itself), and both make the
observations at every step and begin a new episode after an end. The two take turns, in processor time, so that a busy machine
slows both down.
"""

import os

os.environ["OMP_NUM_THREADS"] = "1"  # before numpy is imported
os.environ["PYGAME_HIDE_SUPPORT_PROMPT"] = "1"  # PettingZoo's world imports pygame, even where nothing is drawn

import datetime
import importlib.metadata
import platform
import statistics
import textwrap
import time
from pathlib import Path

import numpy as np
from pettingzoo.sisl import pursuit_v5

from rlkit.envs.pursuit import MOVES, Pursuit
from tests.benchmarks.page import publish

RESULT = Path(__file__).parent / "results" / "pursuit.md"
LIMIT, TURNS = 500, 15
SETTINGS = (((10, 10), 2, 2), ((16, 16), 8, 30))  # size, pursuers, evaders; the second is PettingZoo's default
PEER_STEPS = (600, 60)  # in a turn, for each setting
STEPS = {256: (60, 6), 1: (600, 60)}  # of ours in a turn, for each number of worlds
LEAST_GAIN = {((10, 10), 256): 100}  # times PettingZoo's steps of the world per second


class Theirs:
    """One world of PettingZoo."""

    def __init__(self, size: tuple[int, int], pursuers: int, evaders: int, steps: int):
        self._world = pursuit_v5.parallel_env(
            x_size=size[0],
            y_size=size[1],
            n_pursuers=pursuers,
            n_evaders=evaders,
            max_cycles=LIMIT,
            render_mode=None,
        )
        self._world.reset(seed=0)
        drawn = np.random.default_rng(0).integers(len(MOVES), size=(steps, pursuers)).tolist()
        self._actions = [dict(zip(self._world.possible_agents, row, strict=True)) for row in drawn]

    @property
    def obstacles(self) -> np.ndarray:
        """Its map: bool[W, H]."""
        found: np.ndarray = self._world.unwrapped.env.map_matrix == -1
        return found

    def play(self) -> float:
        """Return processor seconds for one step."""
        world, start = self._world, time.process_time()
        for action in self._actions:
            world.step(action)
            if not world.agents:
                world.reset()
        return (time.process_time() - start) / len(self._actions)


class Ours:
    """A batch of worlds."""

    def __init__(self, worlds: int, obstacles: np.ndarray, pursuers: int, evaders: int, steps: int):
        self._world = Pursuit(
            worlds, size=obstacles.shape, pursuers=pursuers, evaders=evaders, obstacles=obstacles, limit=LIMIT
        )
        self._world.reset(seed=0)
        self._actions = np.random.default_rng(0).integers(len(MOVES), size=(steps, worlds, pursuers + evaders))

    def play(self) -> float:
        """Return processor seconds for one step of one world."""
        world, start = self._world, time.process_time()
        for action in self._actions:
            world.step(action)
        return (time.process_time() - start) / (len(self._actions) * world.n)


def wrap(text: str) -> list[str]:
    """Return a paragraph as lines."""
    return textwrap.wrap(text, 130, break_on_hyphens=False)


def main() -> None:
    """Measure, print, and write the table."""
    rows, missed = [], []
    for i, (size, pursuers, evaders) in enumerate(SETTINGS):
        theirs = Theirs(size, pursuers, evaders, PEER_STEPS[i])
        ours = {n: Ours(n, theirs.obstacles, pursuers, evaders, steps[i]) for n, steps in STEPS.items()}
        theirs.play(), [batch.play() for batch in ours.values()]  # caches are cold, and all episodes begin at once
        turns = [(theirs.play(), {n: batch.play() for n, batch in ours.items()}) for _ in range(TURNS)]
        peer = statistics.median(turn[0] for turn in turns)
        for n in STEPS:
            mine = statistics.median(turn[1][n] for turn in turns)
            gains = [turn[0] / turn[1][n] for turn in turns]
            gain, least = statistics.median(gains), LEAST_GAIN.get((size, n))
            what = f"{size[0]} x {size[1]}, {pursuers} against {evaders}"
            rows.append(
                [
                    what,
                    f"{n}",
                    f"{1 / mine:,.0f}",
                    f"{1 / peer:,.0f}",
                    f"{gain:.1f} ({min(gains):.1f} to {max(gains):.1f})",
                    f"at least {least}: {'met' if gain >= least else 'MISSED'}" if least else "",
                ]
            )
            if least and gain < least:
                missed.append(f"{what}, {n} worlds: {gain:.1f} times as fast, but at least {least} was promised")
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in ("numpy", "gymnasium", "pettingzoo"))
    lines = [
        "# Pursuers and evaders: many worlds at once",
        "",
        *wrap(
            f"Measured on {datetime.date.today()}: {os.cpu_count()} cores (one used), Python {platform.python_version()}, "
            f"{versions}. Everybody moves at random, on the same map (PettingZoo's, a block in the middle) and with the same "
            f"limit of {LIMIT} steps. Steps of the world, of all its agents at once, per second of processor time, "
            "observations and new episodes included; PettingZoo's `pursuit_v5` (its `parallel_env`, nothing drawn) plays one "
            f"world. In turns: the median of {TURNS} ratios, and their range."
        ),
        "Repeat with `python -m tests.benchmarks.bench_pursuit`.",
        "",
        "| map, pursuers against evaders | worlds | ours | PettingZoo | times as fast | target |",
        "|---|---|---|---|---|---|",
        *("| " + " | ".join(row) + " |" for row in rows),
        "",
        *wrap(
            "The two are not the same game. We show the whole map, four planes of it, to every agent, evaders included; "
            "PettingZoo shows three planes of the 7 x 7 cells around it to each pursuer, and its evaders see nothing: they "
            "move at random by a rule of the world. We catch an evader when a pursuer comes onto its cell or changes places "
            "with it; PettingZoo when pursuers stand on all free cells around it, four in the open, so that two pursuers catch "
            "only in a corner, and its episodes last longer. In ours all move at once; in PettingZoo one after the other, each "
            "time with the rewards of all, and its `parallel_env` is a wrapper around that. Its pursuers are also paid for "
            "touching an evader."
        ),
    ]
    publish(lines, RESULT)
    if missed:
        raise SystemExit("\n".join(missed))


if __name__ == "__main__":
    main()
