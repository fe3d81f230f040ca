"""Zero-sum games: thousands at once by numpy, against scipy's linear program and quantecon's compiled minmax, one at a time.

    python -m tests.benchmarks.bench_games

prints a Markdown table and writes it to results/games.md. All three solve the same games and return the value and both players'
policies. They take turns, in processor time, so that a busy machine slows all of them down.
"""

import os

os.environ["OMP_NUM_THREADS"] = "1"  # before numpy is imported

import datetime
import importlib.metadata
import platform
import statistics
import textwrap
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from quantecon.optimize.minmax import minmax

from rlkit.games.soccer import soccer
from rlkit.games.zero_sum import zero_sum, zero_sum_batch
from rlkit.learn.minimax_q import LITTMAN, minimax_q
from tests.benchmarks.page import publish

RESULT = Path(__file__).parent / "results" / "games.md"
TURNS, LINPROG_GAMES = 11, 20
BATCHES = ((1024, (3, 3)), (1024, (5, 5)), (128, (3, 3)), (1, (3, 3)))
STEPS, LEARNERS, WORLDS = 20_000, 8, 200
LEAST = {"linprog": 1000, "quantecon": 3, "step": 100}  # the first two at 1,024 games of 3 x 3


def seconds(run: Callable[[], Any], count: int, again: int = 1) -> float:
    """Return processor seconds for each of ``count`` games or steps."""
    start = time.process_time()
    for _ in range(again):
        run()
    return (time.process_time() - start) / (again * count)


def ratio(slow: list[float], fast: list[float]) -> tuple[float, str]:
    """Return the median of the ratios turn by turn, and that with its range in words."""
    gains = [s / f for s, f in zip(slow, fast, strict=True)]
    return statistics.median(gains), f"{statistics.median(gains):,.1f} ({min(gains):,.1f} to {max(gains):,.1f})"


def compare(games: np.ndarray) -> tuple[list[float], list[float], list[float]]:
    """Return seconds a game, turn by turn: of ours, of linprog, of quantecon."""
    few = games[:LINPROG_GAMES]
    again = max(1, 4096 // len(games))
    assert np.allclose(zero_sum_batch(games).value, [minmax(game)[0] for game in games], atol=1e-8)
    ours, linprog, theirs = [], [], []
    for _ in range(TURNS):
        ours.append(seconds(lambda: zero_sum_batch(games), len(games), again))
        linprog.append(seconds(lambda: [zero_sum(game) for game in few], len(few)))
        theirs.append(seconds(lambda: [minmax(game) for game in games], len(games), again))
    return ours, linprog, theirs


def asked(gain: float, least: float) -> str:
    return f"at least {least:,}: {'met' if gain >= least else 'MISSED'}"


def main() -> None:
    """Measure, print, and write the table."""
    rng = np.random.default_rng(0)
    rows, missed = [], []
    for batch, shape in BATCHES:
        ours, linprog, theirs = compare(rng.normal(size=(batch, *shape)))
        (by_linprog, told), (by_quantecon, told_too) = ratio(linprog, ours), ratio(theirs, ours)
        said = ""
        if (batch, shape) == BATCHES[0]:
            said = f"{asked(by_linprog, LEAST['linprog'])}; {asked(by_quantecon, LEAST['quantecon'])}"
        micro = [f"{statistics.median(x) * 1e6:,.2f}" for x in (ours, linprog, theirs)]
        rows.append([f"{batch:,} games of {shape[0]} x {shape[1]}", *micro, told, told_too, said])
        missed += ["MISSED"] if "MISSED" in said else []
    game, few = soccer(), rng.normal(size=(LINPROG_GAMES, 5, 5))
    for name, learners in (("MM", LEARNERS), ("MR", 1)):
        ours, linprog = [], []
        for _ in range(TURNS // 2):
            run = lambda: minimax_q(game, **LITTMAN[name], steps=STEPS, seeds=range(learners), worlds=WORLDS)  # noqa: B023, E731
            ours.append(seconds(run, STEPS * learners))
            linprog.append(seconds(lambda: [zero_sum(g) for g in few], len(few)))
        gain, told = ratio(linprog, ours)
        micro = [f"{statistics.median(x) * 1e6:,.2f}" for x in (ours, linprog)]
        what = f"a step of minimax-Q in soccer, {name}, {learners} {'learners' if learners > 1 else 'learner'}"
        rows.append([what, *micro, "", told, "", asked(gain, LEAST["step"])])
        missed += ["MISSED"] if gain < LEAST["step"] else []
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in ("numpy", "scipy", "quantecon"))
    about = (
        f"Measured on {datetime.date.today()}: {os.cpu_count()} cores (one used), {platform.machine()}, Python "
        f"{platform.python_version()}, {versions}. Payoffs are drawn from a normal distribution; ours is `zero_sum_batch`, "
        "linprog is `zero_sum` (scipy's HiGHS), quantecon is its compiled `minmax`; all return the value and both policies. "
        f"Microseconds of processor time for each game, or each step: medians of {TURNS} turns, with the range of the ratios "
        f"of a turn. A step of minimax-Q is all that a learner does, acting included, in {WORLDS} worlds, over its first "
        f"{STEPS:,} steps, which are the slowest; it stands against one linear program of a 5 x 5 game, and in MM it solves "
        "two, as both sides learn."
    )
    lines = [
        "# Zero-sum games: many at once",
        "",
        *textwrap.wrap(about, 130, break_on_hyphens=False),
        "Repeat with `python -m tests.benchmarks.bench_games`.",
        "",
        "| what | ours | linprog | quantecon | times as fast as linprog | as quantecon | target |",
        "|---|---|---|---|---|---|---|",
        *("| " + " | ".join(row) + " |" for row in rows),
    ]
    publish(lines, RESULT)
    if missed:
        raise SystemExit("a target was missed")


if __name__ == "__main__":
    main()
