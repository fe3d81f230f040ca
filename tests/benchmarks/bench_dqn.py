"""DQN on CartPole-v1: ten copies in one process against Stable-Baselines3's DQN, in processor time until it is solved.

    python -m tests.benchmarks.bench_dqn

prints Markdown tables and writes them to results/dqn.md. Both sides stand the same test, 100 greedy episodes after every 2,000
steps, and its time counts for neither. They take turns, in processor time, so that a busy machine slows both down.
"""

import os

os.environ["OMP_NUM_THREADS"] = "1"  # before numpy and torch are imported
os.environ["RLKIT_PROGRESS"] = "off"  # Stable-Baselines3 draws no bar either

from pathlib import Path
from typing import Any
from unittest import mock

import gymnasium
import numpy as np
import torch
from stable_baselines3 import DQN

from rlkit.envs import cartpole
from rlkit.experiments.dqn import CARTPOLE
from rlkit.learn.dqn import play, train_dqn
from rlkit.nets import StackedMLP
from tests.benchmarks.page import publish
from tests.benchmarks.timing import Run, Tests, Watch, compare, measured_on, peer_run, plain_cartpole, table, written

RESULT = Path(__file__).parent / "results" / "dqn.md"
TEST_EVERY, TEST_EPISODES, SOLVED, IN_A_ROW = 2_000, 100, 475, 3
COPIES, FIRST_SEEDS = 10, (0, 100, 200)  # our turns: ten seeds each
PEER_SEEDS, PEER_STEPS = (0, 1, 2), 50_000
LEAST_GAIN = 6  # times as fast: at most one sixth of its time
ZOO: dict[str, Any] = {  # RL Baselines3 Zoo, hyperparams/dqn.yml, CartPole-v1; it trains for 5e4 steps
    "policy": "MlpPolicy",
    "learning_rate": 2.3e-3,
    "batch_size": 64,
    "buffer_size": 100_000,
    "learning_starts": 1_000,
    "gamma": 0.99,
    "target_update_interval": 10,
    "train_freq": 256,
    "gradient_steps": 128,
    "exploration_fraction": 0.16,
    "exploration_final_eps": 0.04,
    "policy_kwargs": {"net_arch": [256, 256]},
}


def ours(seed: int, copies: int, steps: int = CARTPOLE["steps"]) -> Run:
    """Train with the settings of chapter 3; all copies go on to the end."""
    watch, seeds = Watch(play), range(seed, seed + copies)
    tests = {"test_every": TEST_EVERY, "test_episodes": TEST_EPISODES}
    with mock.patch("rlkit.learn.dqn.play", watch.play):
        network = StackedMLP([4, 128, 128, 2], copies, seed)
        train_dqn(cartpole, network, **{**CARTPOLE, "steps": steps}, copies=copies, seed=seed, **tests)
    name = f"ours, {copies} seeds together" if copies > 1 else "ours, one seed alone"
    return watch.run(name, seeds, np.arange(TEST_EVERY, steps + 1, TEST_EVERY))


def theirs(seed: int, steps: int = PEER_STEPS) -> Run:
    """Train Stable-Baselines3's DQN until it has passed, at most for so many steps."""
    watch = Watch()
    model = DQN(env=gymnasium.make("CartPole-v1"), seed=seed, device="cpu", **ZOO)
    tests = Tests(
        watch, plain_cartpole, seed, every=TEST_EVERY, episodes=TEST_EPISODES, enough=SOLVED, in_a_row=IN_A_ROW
    )
    return peer_run("Stable-Baselines3", model, steps, seed, watch, tests)


def introduction() -> list[str]:
    """Return what stands above the tables."""
    our_updates, their_updates = 1_000 // CARTPOLE["worlds"], 1_000 * ZOO["gradient_steps"] // ZOO["train_freq"]
    return [
        "# DQN on CartPole-v1: ten seeds at once",
        "",
        measured_on(),
        f"Both are tested after every {TEST_EVERY:,} steps with {TEST_EPISODES} greedy episodes; a test is passed with a mean "
        f"return of at least {SOLVED};",
        f"the time of tests is not counted. Ours: chapter 3's settings, {COPIES} seeds together, {CARTPOLE['steps']:,} steps "
        "each; a seed is charged with",
        f"one part in {COPIES} of what all have spent by then, and they go on together until the end. Stable-Baselines3: its "
        f"zoo's settings, {PEER_STEPS:,}",
        f"steps, stopped when it has passed {IN_A_ROW} times in a row; a seed that never does is counted with all that it "
        "spent, one of ours as infinite.",
        "Seconds of processor time for each seed: medians, and how many seeds got there. The two take turns; the range of "
        "ratios is over the",
        "turns, each one seed of theirs against the median of ten of ours.",
        "The two differ in their settings, not only in their machinery: in 1,000 steps ours makes "
        f"{our_updates} updates of each network, theirs {their_updates} of a",
        "larger one. Theirs are taken as published; ours were chosen by trial on this task.",
        "Repeat with `python -m tests.benchmarks.bench_dqn`.",
    ]


def main() -> None:
    """Measure, print, and write the tables."""
    torch.set_num_threads(1)
    ours(1_000, COPIES, TEST_EVERY), theirs(1_000, TEST_EVERY)  # imports and cold caches
    turns = [(ours(a, COPIES), theirs(b)) for a, b in zip(FIRST_SEEDS, PEER_SEEDS, strict=True)]
    alone = ours(0, 1)

    wholes = [peer.whole for _, peer in turns]
    touched, solved = ([(a.reached(SOLVED, n)[1], b.reached(SOLVED, n)[1]) for a, b in turns] for n in (1, IN_A_ROW))
    _, touch = compare("first test passed", [a for a, _ in touched], [b for _, b in touched], wholes)
    gain, row = compare("third test in a row passed", [a for a, _ in solved], [b for _, b in solved], wholes)
    charged = [np.where(np.isfinite(a), mine.whole, np.inf) for (a, _), (mine, _) in zip(solved, turns, strict=True)]
    _, whole = compare("the same, ours charged with the whole run", charged, [b for _, b in solved], wholes)
    verdict = f"at least {LEAST_GAIN}: {'met' if gain >= LEAST_GAIN else 'MISSED'}"
    summary = [[*touch, ""], [*row, verdict], [*whole, ""]]

    rows = []
    for run in [run for turn in turns for run in turn] + [alone]:
        (first, first_s), (third, third_s) = run.reached(SOLVED), run.reached(SOLVED, IN_A_ROW)
        steps = run.steps[0, -1]  # the last test is at the end
        cost = f"{1e3 * run.whole / steps:.3f}"
        for k, seed in enumerate(run.seeds):
            times = [
                written(x[k], form)
                for x, form in ((first, ",.0f"), (third, ",.0f"), (first_s, ".2f"), (third_s, ".2f"))
            ]
            rows.append([run.name, str(seed), *times, f"{run.whole:.2f}", f"{steps:,}", cost])

    head = "learner | seed | steps, first | steps, third | s, first | s, third | s, whole run | its steps | s per 1,000"
    lines = [
        *introduction(),
        "",
        *table(["until", "ours, s", "Stable-Baselines3, s", "times as fast", "target"], summary),
        "",
        "Every seed, in the order in which they ran:",
        "",
        *table(head.split(" | "), rows),
    ]
    publish(lines, RESULT)
    if gain < LEAST_GAIN:
        raise SystemExit(f"{gain:.1f} times as fast to the third test in a row, but at least {LEAST_GAIN} was promised")


if __name__ == "__main__":
    main()
