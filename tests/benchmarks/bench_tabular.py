"""Q-learning on FrozenLake 8x8: many copies at once against a plain Python loop on Gymnasium's own environment.

    python -m tests.benchmarks.bench_tabular

prints a Markdown table and writes it to results/tabular.md. The two take turns, in processor time, so that a busy machine slows
both down; then comes the whole run that is promised, 100 copies of 100,000 steps.
"""

import os

os.environ["OMP_NUM_THREADS"] = "1"  # before numpy is imported

import datetime
import importlib.metadata
import platform
import statistics
import time
from pathlib import Path

import gymnasium
import numpy as np

from rlkit.learn.tabular import q_learning
from rlkit.mdp import from_gymnasium
from tests.benchmarks.page import publish

RESULT = Path(__file__).parent / "results" / "tabular.md"
WORLD, GAMMA, ALPHA, EPSILON, LIMIT = "FrozenLake8x8-v1", 0.99, 0.1, 0.1, 200
COPIES, STEPS = 100, 100_000
TURNS, PEER_STEPS, OUR_STEPS = 15, 10_000, 2_000
LEAST_GAIN = 25  # times the updates per second of the plain loop


def plain_loop(steps: int) -> np.ndarray:
    """Return Q after that many steps of one agent, as people write it."""
    env = gymnasium.make(WORLD)
    rng = np.random.default_rng(0)
    Q = np.zeros((env.observation_space.n, env.action_space.n))
    s, _ = env.reset(seed=0)
    for _ in range(steps):
        a = int(rng.integers(4)) if rng.random() < EPSILON else int(Q[s].argmax())
        s_next, r, terminated, truncated, _ = env.step(a)
        Q[s, a] += ALPHA * (r + GAMMA * Q[s_next].max() * (not terminated) - Q[s, a])
        s = env.reset()[0] if terminated or truncated else s_next
    return Q


def seconds_each(run: object, updates: int) -> float:
    """Return processor seconds for one update."""
    start = time.process_time()
    run()  # type: ignore[operator]
    return (time.process_time() - start) / updates


def main() -> None:
    """Measure, print, and write the table."""
    world = from_gymnasium(gymnasium.make(WORLD), GAMMA)

    def ours(copies: int, steps: int) -> np.ndarray:
        return q_learning(world, alpha=ALPHA, explore=EPSILON, copies=copies, steps=steps, limit=LIMIT, seed=1).Q

    plain_loop(100), ours(COPIES, 100)  # nothing is compiled, but caches are cold
    peer, mine = [], []
    for _ in range(TURNS):
        peer.append(seconds_each(lambda: plain_loop(PEER_STEPS), PEER_STEPS))
        mine.append(seconds_each(lambda: ours(COPIES, OUR_STEPS), COPIES * OUR_STEPS))
    gains = [p / m for p, m in zip(peer, mine, strict=True)]
    gain, plain = statistics.median(gains), statistics.median(peer)
    rows = [
        [
            f"{COPIES} copies, in turns",
            f"{1 / statistics.median(mine) / 1e6:.2f}",
            f"{1 / plain / 1e6:.3f}",
            f"{gain:.1f} ({min(gains):.1f} to {max(gains):.1f})",
            f"at least {LEAST_GAIN}: {'met' if gain >= LEAST_GAIN else 'MISSED'}",
        ]
    ]
    whole = seconds_each(lambda: ours(COPIES, STEPS), COPIES * STEPS)
    rows.append(
        [
            f"{COPIES} copies of {STEPS:,} steps, {whole * COPIES * STEPS:.1f} s",
            f"{1 / whole / 1e6:.2f}",
            f"{1 / plain / 1e6:.3f}",
            f"{plain / whole:.1f}",
            "",
        ]
    )
    for copies in 1, 10, 1000:
        each = seconds_each(lambda copies=copies: ours(copies, OUR_STEPS), copies * OUR_STEPS)  # type: ignore[misc]
        rows.append([f"{copies} copies", f"{1 / each / 1e6:.3f}", f"{1 / plain / 1e6:.3f}", f"{plain / each:.1f}", ""])
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in ("numpy", "gymnasium"))
    lines = [
        "# Q-learning with a table: many copies at once",
        "",
        f"Measured on {datetime.date.today()}: {os.cpu_count()} cores (one used), Python {platform.python_version()}, "
        f"{versions}.",
        f"{WORLD}, alpha {ALPHA}, epsilon {EPSILON}; millions of updates per second of processor time; the peer is a plain "
        "Python loop on",
        f"Gymnasium's environment with a numpy table. In turns: the median of {TURNS} ratios, and their range.",
        "Repeat with `python -m tests.benchmarks.bench_tabular`.",
        "",
        "| what | ours | plain loop | times as fast | target |",
        "|---|---|---|---|---|",
        *("| " + " | ".join(row) + " |" for row in rows),
    ]
    publish(lines, RESULT)
    if gain < LEAST_GAIN:
        raise SystemExit(f"{gain:.1f} times as fast, but at least {LEAST_GAIN} was promised")


if __name__ == "__main__":
    main()
