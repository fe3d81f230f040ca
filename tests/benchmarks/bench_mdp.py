"""Solving a known world: our times against quantecon's compiled solver and pymdptoolbox, on the same random worlds.

    python -m tests.benchmarks.bench_mdp

prints a Markdown table and writes it to results/mdp.md. Making the objects, and quantecon's compilation, are not timed.
The peers take turns run by run, so that a busy machine slows both down.
"""

import os

os.environ["OMP_NUM_THREADS"] = "1"  # before numpy is imported

import datetime
import importlib.metadata
import platform
import statistics
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from mdptoolbox.mdp import ValueIteration
from quantecon.markov import DiscreteDP
from scipy import sparse

from rlkit.mdp import TabularMDP, solve
from tests.benchmarks.page import publish

RESULT = Path(__file__).parent / "results" / "mdp.md"
ACTIONS, SUCCESSORS, GAMMA, TOL = 4, 10, 0.95, 1e-6
REPEATS = {1_000: 51, 10_000: 21, 100_000: 7}
ALLOWED = {1_000: 3, 10_000: 2, 100_000: 2}  # times quantecon's time
LEAST_GAIN = 100  # over pymdptoolbox's value iteration
LONGEST_IMPORT = 0.7  # seconds


def garnet(states: int) -> tuple[sparse.csr_array, np.ndarray]:
    """Return P [S * A, S] and R [S, A] of a random world (Garnet: random successors, Dirichlet probabilities)."""
    rng = np.random.default_rng(states)
    pairs = states * ACTIONS
    columns = rng.integers(states, size=pairs * SUCCESSORS)
    weights = rng.dirichlet(np.ones(SUCCESSORS), size=pairs).ravel()
    P = sparse.csr_array((weights, columns, np.arange(0, len(columns) + 1, SUCCESSORS)), shape=(pairs, states))
    P.sum_duplicates()
    return P, rng.normal(size=(states, ACTIONS))


def medians(repeats: int, *runs: Callable[[], Any]) -> list[float]:
    """Return the median seconds of each of several functions that take turns; the first turn is not counted."""
    seconds: list[list[float]] = [[] for _ in runs]
    for _ in range(repeats + 1):
        for log, run in zip(seconds, runs, strict=True):
            start = time.perf_counter()
            run()
            log.append(time.perf_counter() - start)
    return [statistics.median(log[1:]) for log in seconds]


def against_quantecon(states: int) -> list[str]:
    """Return one row of the table."""
    P, R = garnet(states)
    mdp = TabularMDP(P, R, GAMMA)
    s, a = np.divmod(np.arange(states * ACTIONS), ACTIONS)
    peer = DiscreteDP(R.ravel(), sparse.csr_matrix(P), GAMMA, s, a)
    ours = lambda: solve(mdp, "modified_policy_iteration", TOL)  # noqa: E731
    theirs = lambda: peer.solve(method="modified_policy_iteration", epsilon=TOL)  # noqa: E731
    difference = abs(ours().V - theirs().v).max()
    assert difference <= TOL, f"the two disagree by {difference}"
    a_median, b_median = medians(REPEATS[states], ours, theirs)
    ratio = a_median / b_median
    return [
        f"modified policy iteration, {states:,} states",
        f"{a_median * 1e3:.2f} ms",
        f"quantecon {b_median * 1e3:.2f} ms",
        f"{ratio:.2f} times its time",
        verdict(ratio <= ALLOWED[states], f"at most {ALLOWED[states]}"),
    ]


def against_pymdptoolbox(states: int = 10_000) -> list[list[str]]:
    """Return three rows of the table; the peer is made only once, as that takes half a minute.

    Its constructor bounds the number of sweeps, which is most of its work, so both are timed from the tables to the
    answer. The sweeps alone stop when all values change alike, and are quick: that is the third row.
    """
    P, R = garnet(states)
    matrices = [sparse.csr_matrix(P[a::ACTIONS]) for a in range(ACTIONS)]
    start = time.perf_counter()
    peer = ValueIteration(matrices, R, GAMMA, TOL)
    made = time.perf_counter()
    peer.run()
    swept = time.perf_counter() - made
    theirs = time.perf_counter() - start
    rows = []
    for method in "modified_policy_iteration", "value_iteration":

        def ours(method: str = method) -> Any:
            return solve(TabularMDP(P, R, GAMMA), method, TOL)

        # Its values are off by a constant: compare their differences.
        assert np.ptp(ours().V - np.array(peer.V)) <= 1e-4
        (seconds,) = medians(REPEATS[states] if method.startswith("mod") else 3, ours)
        gain = theirs / seconds
        target = verdict(gain >= LEAST_GAIN, f"at least {LEAST_GAIN}") if method.startswith("mod") else ""
        rows.append(
            [
                f"{method.replace('_', ' ')}, {states:,} states, from the tables to the answer",
                f"{seconds * 1e3:.1f} ms",
                f"pymdptoolbox, value iteration, {theirs:.1f} s",
                f"{gain:,.0f} times as fast",
                target,
            ]
        )
    mdp = TabularMDP(P, R, GAMMA)
    (alone,) = medians(REPEATS[states], lambda: solve(mdp, "modified_policy_iteration", TOL))
    rows.append(
        [
            f"modified policy iteration, {states:,} states, solving alone",
            f"{alone * 1e3:.1f} ms",
            f"pymdptoolbox, its sweeps alone, {swept * 1e3:.1f} ms",
            f"{alone / swept:.2f} times its time",
            "",
        ]
    )
    return rows


def importing() -> list[str]:
    """Return one row of the table: seconds to import rlkit.mdp in a fresh process, without starting Python."""
    code = "import time; t = time.perf_counter(); import {}; print(time.perf_counter() - t)"

    def seconds(module: str) -> float:
        return float(
            subprocess.run([sys.executable, "-c", code.format(module)], capture_output=True, check=True).stdout
        )

    seconds("rlkit.mdp")  # compiles it
    ours = statistics.median(seconds("rlkit.mdp") for _ in range(9))
    numpy = statistics.median(seconds("numpy, scipy.sparse.linalg, scipy.sparse.csgraph") for _ in range(9))
    return [
        "import rlkit.mdp",
        f"{ours:.2f} s",
        f"numpy and scipy.sparse alone {numpy:.2f} s",
        "",
        verdict(ours <= LONGEST_IMPORT, f"at most {LONGEST_IMPORT} s"),
    ]


def memory(transitions: int) -> list[str]:
    """Return one row of the table: bytes that a world holds, and the most that making and solving it takes."""
    P, R = garnet(transitions // (ACTIONS * SUCCESSORS))
    tracemalloc.start()
    mdp = TabularMDP(P, R, GAMMA)
    solve(mdp, "modified_policy_iteration", TOL)
    held, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return [
        f"memory, {transitions:,} transitions",
        f"{held / transitions:.0f} bytes each",
        "",
        f"while making and solving {peak / transitions:.0f}",
        "linear",
    ]


def verdict(met: bool, target: str) -> str:
    """Return a target and whether it was met."""
    return f"{target}: {'met' if met else 'MISSED'}"


def main() -> None:
    """Measure, print, and write the table."""
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in ("numpy", "scipy", "quantecon"))
    rows = [against_quantecon(states) for states in REPEATS]
    rows += against_pymdptoolbox()
    rows += [importing()]
    rows += [memory(10**k) for k in (4, 5, 6)]
    lines = [
        "# Solving known worlds: times and memory",
        "",
        f"Measured on {datetime.date.today()}: {os.cpu_count()} cores (one used), Python {platform.python_version()}, "
        f"{versions}.",
        f"Random worlds (Garnet) with {ACTIONS} actions and {SUCCESSORS} successors, gamma {GAMMA}, tolerance {TOL:g}; "
        "medians of several runs.",
        "Repeat with `python -m tests.benchmarks.bench_mdp`.",
        "",
        "| what | ours | peer | ratio | target |",
        "|---|---|---|---|---|",
        *("| " + " | ".join(row) + " |" for row in rows),
    ]
    publish(lines, RESULT)


if __name__ == "__main__":
    main()
