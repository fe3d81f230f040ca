"""REINFORCE: the car and CartPole, ten seeds at once; what stacking gains; beside it Stable-Baselines3's A2C; the car's world.

    python -m tests.benchmarks.bench_reinforce

prints Markdown tables and writes them to results/reinforce.md. All times are processor time. What is compared takes turns, so
that a busy machine slows both down. It fails where the car or CartPole does not do what is asked of it.
"""

import os

os.environ["OMP_NUM_THREADS"] = "1"  # before numpy and torch are imported
os.environ["RLKIT_PROGRESS"] = "off"  # Stable-Baselines3 draws no bar either

import statistics
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import torch
from stable_baselines3 import A2C
from stable_baselines3.common.env_util import make_vec_env

from rlkit.envs import HELD_OUT_ROADS, Driving, make_roads
from rlkit.experiments.driving import CAR, CARTPOLE, VARIANTS, drive_all, run_car, run_cartpole
from tests.benchmarks.page import publish
from tests.benchmarks.timing import (
    Promises,
    Run,
    Tests,
    Watch,
    compare,
    measured_on,
    peer_run,
    plain_cartpole,
    table,
    written,
)

RESULT = Path(__file__).parent / "results" / "reinforce.md"
SEEDS = 10  # trained together
CAR_FIRST, CARTPOLE_FIRST = (
    (0, 100),
    (0, 100, 110, 120),
)  # the first group is the stored experiment's, the others are fresh
CAR_SECONDS, CARTPOLE_SECONDS = 60, 10  # asked: at most, for all ten
ENOUGH_SEEDS, ROADS, TIMES_RANDOM = (
    9,
    0.9,
    8,
)  # asked: in 9 of 10 seeds 90 % of the roads, and so many times the random metres
TEST_EPISODES, SOLVED, IN_A_ROW = 100, 475, 3
PEER_SEEDS, PEER_STEPS, PEER_TEST_EVERY = (0, 1, 2, 3), 500_000, 2_000
ZOO: dict[str, Any] = {"policy": "MlpPolicy", "ent_coef": 0.0}  # RL Baselines3 Zoo, hyperparams/a2c.yml, CartPole-v1
PEER_WORLDS = 8  # and it trains for 5e5 steps
WORLDS = {1: 1_000, 40: 500, 160: 200, 320: 100}  # of the driving world, with how many of its steps in a turn
TURNS = 9


def cartpole_run(seeds: range, settings: dict[str, Any] = CARTPOLE) -> Run:
    """Do the experiment of chapter 4: the tests, and the fresh episodes in its end, are off the clock."""
    watch, K = Watch(), len(seeds)
    with mock.patch("rlkit.learn.episodes.play", watch.play):
        found = run_cartpole(settings, list(seeds))
    name = f"ours, {K} seeds together" if K > 1 else "ours, one seed alone"
    return watch.run(name, seeds, found["step"].reshape(-1, K).T)


def theirs(seed: int, steps: int = PEER_STEPS) -> Run:
    """Train Stable-Baselines3's A2C until it has passed, at most for so many steps."""
    env = make_vec_env("CartPole-v1", n_envs=PEER_WORLDS, seed=seed)
    watch = Watch()
    tests = Tests(watch, plain_cartpole, seed, every=PEER_TEST_EVERY, enough=SOLVED, in_a_row=IN_A_ROW)
    return peer_run("Stable-Baselines3, A2C", A2C(env=env, seed=seed, device="cpu", **ZOO), steps, seed, watch, tests)


@dataclass
class Drives:
    """What ten drivers do on the held-out roads, and the processor seconds of all ten, tests and these drives included."""

    name: str
    seeds: range
    finished: np.ndarray  # float[K], the share of the roads
    distance: np.ndarray  # float[K], metres
    seconds: float


def car_run(name: str, seeds: range) -> Drives:
    """Do the experiment of chapter 4."""
    start = time.process_time()
    found = run_car(VARIANTS[name], list(seeds))
    K, seconds = len(seeds), time.process_time() - start
    return Drives(name, seeds, found["finished"][:K], found["distance"][:K], seconds)


def at_random(steering: int | None) -> float:
    """Return how many metres a driver comes whose every action is uniformly random: a mean over the held-out roads."""
    rng, roads = np.random.default_rng(0), make_roads(HELD_OUT_ROADS)
    shape = SEEDS, len(roads)
    if steering is None:
        found, _ = drive_all(lambda _: rng.uniform(-1, 1, (*shape, 1)), roads, None, SEEDS)
    else:
        found, _ = drive_all(lambda _: rng.integers(steering, size=shape), roads, steering, SEEDS)
    return float(found.mean())


def parts(seeds: int, turns: int) -> list[list[range]]:
    """Return seeds to be trained alone, dealt out to turns."""
    return [[range(int(k), int(k) + 1) for k in part] for part in np.array_split(np.arange(seeds), turns)]


def world_speeds() -> list[list[str]]:
    """Return the rows of the driving world: thousands of steps in a second."""
    worlds = {n: Driving(n) for n in WORLDS}
    actions = {n: np.random.default_rng(0).uniform(-1, 1, (steps, n, 1)) for n, steps in WORLDS.items()}

    def drive(n: int) -> float:
        start = time.process_time()
        for action in actions[n]:
            worlds[n].step(action)
        return 1e-3 * WORLDS[n] * n / (time.process_time() - start)

    for n, env in worlds.items():
        env.reset(seed=0)
        drive(n)  # caches are cold, and all episodes begin at once
    turns = [{n: drive(n) for n in WORLDS} for _ in range(TURNS)]
    return [
        [
            str(n),
            f"{statistics.median(turn[n] for turn in turns):.1f}",
            f"{min(turn[n] for turn in turns):.1f} to {max(turn[n] for turn in turns):.1f}",
            f"{statistics.median(turn[n] / turn[1] for turn in turns):.0f}",
        ]
        for n in WORLDS
    ]


def introduction() -> list[str]:
    """Return what stands above the tables."""
    return [
        "# REINFORCE: a car and CartPole, ten seeds at once",
        "",
        measured_on(),
        "Seconds are of processor time. The settings are chapter 4's, and were found by trial, some of the trials on the seeds "
        "0 to 9;",
        "seeds from 100 on were not used for that. What is compared takes turns.",
        "Repeat with `python -m tests.benchmarks.bench_reinforce`.",
    ]


def car_section(groups: list[Drives], promises: Promises) -> list[str]:
    """Return the tables of the car."""
    rows = []
    for run in groups:
        random = at_random(VARIANTS[run.name]["steering"])
        times = run.distance / random
        far = int((times >= TIMES_RANDOM).sum())
        where = f"the car, {run.name}, seeds {run.seeds[0]} to {run.seeds[-1]}"
        good = int((run.finished >= ROADS).sum())
        rows.append(
            [
                run.name,
                f"{run.seeds[0]} to {run.seeds[-1]}",
                f"{run.seconds:.1f}",
                promises.at_most(f"{where}: seconds", run.seconds, CAR_SECONDS),
                f"{good} of {SEEDS} (worst {100 * run.finished.min():.0f} %)",
                promises.at_least(f"{where}: seeds with {100 * ROADS:.0f} % of the roads", good, ENOUGH_SEEDS),
                f"{run.distance.mean():.1f}; {random:.1f}; {times.mean():.1f}, worst {times.min():.1f}",
                f"{far} of {SEEDS}",
                promises.at_least(f"{where}: seeds with {TIMES_RANDOM} times the random metres", far, ENOUGH_SEEDS),
            ]
        )
    head = (
        "steering | seeds | s, all ten | asked | seeds that finish 90 % of the roads | asked"
        " | metres; a random driver's; times as far | seeds that come 8 times as far | asked"
    )
    return [
        "",
        "## The car",
        "",
        f"{SEEDS} seeds together, {CAR['episodes']} drives each on 64 training roads; the seconds are those of everything: "
        "training, 20 tests of",
        f"8 drives, and {len(HELD_OUT_ROADS)} drives on held-out roads, by which it is judged (likeliest action, one drive on "
        "each road). The random",
        f"driver draws every action uniformly; it drives {SEEDS} times on each of the same roads.",
        "",
        *table(head.split(" | "), rows),
    ]


def cartpole_section(groups: list[Run], promises: Promises) -> list[str]:
    """Return the table of CartPole."""
    rows = []
    for run in groups:
        where = f"CartPole, seeds {run.seeds[0]} to {run.seeds[-1]}"
        (first, _), (third, _) = run.reached(SOLVED), run.reached(SOLVED, IN_A_ROW)
        seconds, once = SEEDS * run.whole, int(np.isfinite(first).sum())
        rows.append(
            [
                f"{run.seeds[0]} to {run.seeds[-1]}",
                f"{seconds:.1f}",
                promises.at_most(f"{where}: seconds", seconds, CARTPOLE_SECONDS),
                f"{once} of {SEEDS}",
                promises.at_least(f"{where}: seeds that reach {SOLVED}", once, ENOUGH_SEEDS),
                f"{np.isfinite(third).sum()} of {SEEDS}",
                f"{(run.scores[:, -1] >= SOLVED).sum()} of {SEEDS}",
                written(float(np.median(first)), ",.0f"),
                written(float(np.median(third)), ",.0f"),
            ]
        )
    head = (
        "seeds | s, all ten | asked | reach 475 once | asked | three times in a row | at the last test"
        " | median steps, once | three in a row"
    )
    return [
        "",
        "## CartPole-v1",
        "",
        f"{SEEDS} seeds together, {CARTPOLE['episodes']} episodes each; after every 16 of them a test of {TEST_EPISODES} "
        f"episodes with the likeliest actions,",
        f"passed with a mean of at least {SOLVED}. The time of the tests is not counted. Steps are those of one seed.",
        "",
        *table(head.split(" | "), rows),
    ]


def stacking_section(rows: list[tuple[str, list[float], list[float], str]]) -> list[str]:
    """Return the table of what ten copies in one network gain."""
    cells = []
    for name, together, alone, note in rows:
        one, ten = sum(alone), statistics.median(together)
        gains = f"{one / ten:.1f} ({one / max(together):.1f} to {one / min(together):.1f})"
        cells.append([name, f"{one:.1f}", f"{ten:.1f}", gains, note])
    head = "task | ten runs of one seed, s | one run of ten seeds, s | times as fast | other"
    return [
        "",
        "## Ten copies together, or ten runs",
        "",
        "The seeds 0 to 9 in ten runs of one copy each, all seconds added up, against groups of ten copies in one run, with the "
        "same settings, in",
        "turns: the median of the groups, and the range of ratios. A copy that runs alone draws other chance than in a group, so "
        "it also takes",
        "another number of steps; for CartPole the ratio of seconds to a step stands beside. The car as above, with tests and "
        "held-out roads.",
        "",
        *table(head.split(" | "), cells),
    ]


def peer_section(turns: list[tuple[Run, Run]], alone: list[Run]) -> list[str]:
    """Return the tables that compare with Stable-Baselines3."""
    wholes = [peer.whole for _, peer in turns]
    summary = []
    for title, n in (("first test passed", 1), ("third test in a row passed", IN_A_ROW)):
        mine, peer = ([run.reached(SOLVED, n)[1] for run in side] for side in zip(*turns, strict=True))
        summary.append(compare(title, mine, peer, wholes)[1])
        lonely = np.concatenate([run.reached(SOLVED, n)[1] for run in alone])
        row = compare(f"{title}, our seeds alone", [lonely] * len(turns), peer, wholes)[1]
        row[1] = f"{written(float(np.median(lonely)), '.2f')} ({np.isfinite(lonely).sum()} of {len(lonely)})"
        summary.append(row)
    charged = [np.where(np.isfinite(run.reached(SOLVED, IN_A_ROW)[1]), run.whole, np.inf) for run, _ in turns]
    third = [run.reached(SOLVED, IN_A_ROW)[1] for _, run in turns]
    summary.append(compare("third in a row, ours charged with the whole run", charged, third, wholes)[1])
    rows = []
    for run in [run for turn in turns for run in turn] + alone:
        (first, first_s), (last, last_s) = run.reached(SOLVED), run.reached(SOLVED, IN_A_ROW)
        for k, seed in enumerate(run.seeds):
            values = (first[k], ",.0f"), (last[k], ",.0f"), (first_s[k], ".2f"), (last_s[k], ".2f")
            rows.append([run.name, str(seed), *(written(*value) for value in values), f"{run.whole:.2f}"])
    return [
        "",
        "## Beside Stable-Baselines3's A2C",
        "",
        "**Not the same algorithm.** A2C learns from pieces of 5 steps and bootstraps; REINFORCE waits for the end of every "
        "episode. Stable-Baselines3",
        f"has no REINFORCE; A2C is the nearest that it has, with its zoo's settings ({PEER_WORLDS} worlds, 64 x 64 units, no "
        "bonus for entropy; raw",
        "observations), taken as published. Ours (32 units, scaled observations) were chosen by trial on this task. So the "
        "ratio says what a reader",
        "waits for, and not which algorithm is better.",
        f"Theirs is tested after every {PEER_TEST_EVERY:,} steps, and stopped when it has passed {IN_A_ROW} times in a row, or "
        f"after {PEER_STEPS:,} steps; ours, after every 16",
        "episodes: some thousand steps, so it is often known later. Tests are as above, and their time counts for neither.",
        f"Seconds for each seed: medians, and how many seeds got there; of {SEEDS} that learn together, each is charged with "
        "one part in "
        f"{SEEDS} of",
        "what all have spent by then. The range of ratios is over the turns, each one seed of theirs against the median of ten "
        "of ours.",
        "",
        *table(["until", "ours, s", "Stable-Baselines3, s", "times as fast"], summary),
        "",
        "Every seed, in the order in which they ran (those alone were spread over the turns):",
        "",
        *table("learner | seed | steps, first | steps, third | s, first | s, third | s, whole run".split(" | "), rows),
    ]


def main() -> None:
    """Measure, print, and write the tables."""
    torch.set_num_threads(1)
    (
        cartpole_run(range(1_000, 1_002), CARTPOLE | {"episodes": 40}),
        theirs(1_000, PEER_TEST_EVERY),
    )  # imports, cold caches

    groups, alone, peers = [], [], []
    for first, single, seed in zip(CARTPOLE_FIRST, parts(SEEDS, len(CARTPOLE_FIRST)), PEER_SEEDS, strict=True):
        groups.append(cartpole_run(range(first, first + SEEDS)))
        peers.append(theirs(seed))
        alone += [cartpole_run(seeds) for seeds in single]
    cars, lonely = [], []
    for first, single in zip(CAR_FIRST, parts(SEEDS, len(CAR_FIRST)), strict=True):
        cars += [car_run(name, range(first, first + SEEDS)) for name in ("Gaussian", "five angles")]
        lonely += [car_run("Gaussian", seeds) for seeds in single]

    promises = Promises()
    alone_cost = sum(run.whole for run in alone) / sum(run.steps[:, -1].sum() for run in alone)
    cost = statistics.median(SEEDS * run.whole / run.steps[:, -1].sum() for run in groups)
    together = [run.seconds for run in cars if run.name == "Gaussian"]
    stacking = [
        (
            "CartPole",
            [SEEDS * run.whole for run in groups],
            [run.whole for run in alone],
            f"{alone_cost / cost:.1f} times as fast a step",
        ),
        ("the car, Gaussian", together, [run.seconds for run in lonely], ""),
    ]
    lines = [
        *introduction(),
        *car_section(cars, promises),
        *cartpole_section(groups, promises),
        *stacking_section(stacking),
        *peer_section(list(zip(groups, peers, strict=True)), alone),
        "",
        "## The world of the car",
        "",
        f"Thousands of steps in a second, all worlds together, random steering, observations and new episodes included: the "
        f"median of {TURNS} turns.",
        "",
        *table(["worlds", "1,000 steps/s", "range", "times one world"], world_speeds()),
    ]
    publish(lines, RESULT)
    if promises.missed:
        raise SystemExit("\n".join(promises.missed))


if __name__ == "__main__":
    main()
