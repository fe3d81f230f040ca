"""The runs behind chapter 5's A3C: workers that do not wait for each other, against A2C with as many worlds in one process."""

from __future__ import annotations

import time
from typing import Any

from rlkit.experiments.runner import Experiment

CARTPOLE: dict[str, Any] = {
    "steps": 64_000,
    "hidden": [64],
    "length": 20,
    "gamma": 0.99,
    "lr": 0.001,
    "entropy": 0.01,
    "scale": 0.02,
}
"""The same for both; ``scale`` multiplies the rewards that are learned from, and none that is reported."""


def run_cartpole(settings: dict[str, Any], seeds: list[int]) -> dict[str, Any]:
    """Train; a row is one of 20 tests of 20 episodes, with the mean return of the drawn actions since the one before."""
    rows: list[dict[str, Any]] = []
    for seed in seeds:
        result = train(settings, seed, test_every=settings["steps"] // 20, test_episodes=20)
        x, learning = result.curve(20)
        tested = result.tested()[1]
        for i, step in enumerate(x):
            rows.append({"seed": seed, "step": int(step), "return": tested[0, i], "learning": learning[0, i]})
    return {name: [row[name] for row in rows] for name in rows[0]}


def run_speed(settings: dict[str, Any], seeds: list[int]) -> dict[str, Any]:
    """Time both methods, one run after the other with nothing beside it, without tests.

    "seconds" are on the clock, from the first step to the last update; "cpu" are the processor's, of all processes together;
    "starting" is how long it took until the workers were there.
    """
    settings = dict(settings)
    methods = {"A3C": settings.pop("workers"), "A2C": settings.pop("worlds")}
    repeats, rows = settings.pop("repeats"), []
    train(settings | {"worlds": 1, "steps": 1_000}, 0)  # imports what is missing
    for repeat in range(repeats):
        for method, numbers in methods.items():
            for number in numbers:
                begin, cpu = time.monotonic(), time.process_time()
                result = train(settings | {"workers" if method == "A3C" else "worlds": number}, seeds[0] + repeat)
                wall = seconds = time.monotonic() - begin
                spent = time.process_time() - cpu
                if method == "A3C":
                    seconds, spent = result.updates["end"].max(), result.updates["cpu"].sum()
                row = {
                    "seed": seeds[0],
                    "method": method,
                    "number": number,
                    "repeat": repeat,
                    "steps": settings["steps"],
                }
                rows.append(row | {"seconds": seconds, "cpu": spent, "starting": wall - seconds})
    return {name: [row[name] for row in rows] for name in rows[0]}


def run_updates(settings: dict[str, Any], seeds: list[int]) -> dict[str, Any]:
    """Train with several numbers of workers, one run after the other; a row is one update, in the order of its steps."""
    settings = dict(settings)
    columns: dict[str, list] = {name: [] for name in ("seed", "workers", "worker", "begin", "end", "staleness")}
    for workers in settings.pop("workers"):
        updates = train(settings | {"workers": workers}, seeds[0]).updates
        updates |= {name: [value] * len(updates["step"]) for name, value in (("seed", seeds[0]), ("workers", workers))}
        for name, column in columns.items():
            column.extend(updates[name])
    return columns


def train(settings: dict[str, Any], seed: int, **tests: Any) -> Any:
    """Train one policy on CartPole: by A3C where the settings have "workers", else by A2C."""
    from functools import partial

    from rlkit.envs import cartpole
    from rlkit.learn.actor_critic.a2c import a2c_loss, train_a2c
    from rlkit.learn.actor_critic.a3c import train_a3c
    from rlkit.nets import CategoricalPolicy, StackedMLP

    settings = dict(settings)
    hidden, loss = settings.pop("hidden"), partial(a2c_loss, entropy=settings.pop("entropy"))
    policy, critic = CategoricalPolicy([4, *hidden, 2], 1, seed), StackedMLP([4, *hidden, 1], 1, 1_000 + seed)
    learner = train_a3c if "workers" in settings else train_a2c
    return learner(cartpole, policy, critic, seed=seed, loss=loss, **settings, **tests)


SHORT = CARTPOLE | {"steps": 19_200}
EXPERIMENTS = [
    Experiment(
        "a3c.cartpole",
        5,
        run_cartpole,
        {f"A3C, {n} worker{'s'[: n - 1]}": CARTPOLE | {"workers": n} for n in (1, 2, 4)}
        | {f"A2C, {n} worlds": CARTPOLE | {"worlds": n} for n in (2, 4)},
        list(range(5)),
    ),
    Experiment(
        "a3c.speed", 5, run_speed, {"both": SHORT | {"workers": [1, 2, 4], "worlds": [1, 2, 4, 16], "repeats": 3}}, [0]
    ),
    Experiment("a3c.updates", 5, run_updates, {"A3C": SHORT | {"workers": [2, 4]}}, [0]),
]
