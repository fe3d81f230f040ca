"""The runs of chapter 4 that are drawn beside the live ones: the car with its variants, and CartPole, by REINFORCE."""

from __future__ import annotations

from typing import Any

import numpy as np

from rlkit.experiments.runner import Experiment

CAR: dict[str, Any] = {"steering": None, "episodes": 400, "batch": 8, "lr": 0.02, "baseline": True, "normalise": True}
CARTPOLE: dict[str, Any] = {"episodes": 400, "batch": 8, "lr": 0.02, "baseline": True, "normalise": True}

VARIANTS: dict[str, dict[str, Any]] = {
    "Gaussian": CAR,
    "five angles": CAR | {"steering": 5},
    "not normalised": CAR | {"normalise": False},
    "no baseline": CAR | {"normalise": False, "baseline": False},
    "total return": CAR | {"credit": "total"},
    "ten times the step": CAR | {"lr": 0.2},
    "hasty": CAR | {"steering": 5, "lr": 0.1},
    "hasty, paid": CAR | {"steering": 5, "lr": 0.1, "entropy": 0.05},
}
"""What each run of the car changes. "hasty" takes five times the step; "paid" gives a bonus for entropy."""


def run_car(settings: dict[str, Any], seeds: list[int]) -> dict[str, Any]:
    """Train the car on the training roads; in the end, drive once on each held-out road, without chance in the steering."""
    from functools import partial

    import torch

    from rlkit.core.returns import reward_to_go, total_return
    from rlkit.envs import HELD_OUT_ROADS, TRAINING_ROADS, Driving, Worlds, make_roads
    from rlkit.learn.reinforce import acting, policy_loss, train_reinforce
    from rlkit.nets import CategoricalPolicy, GaussianPolicy, StackedMLP

    settings, copies, points = dict(settings), len(seeds), 20
    steering = settings.pop("steering")
    settings["credit"] = total_return if settings.pop("credit", "") == "total" else reward_to_go
    settings["loss"] = partial(policy_loss, entropy=settings.pop("entropy", 0.0))
    settings["baseline"] = StackedMLP([11, 32, 1], copies, 1_000 + seeds[0]) if settings["baseline"] else None
    if steering:
        policy: Any = CategoricalPolicy([11, 32, steering], copies, seeds[0])
    else:
        policy = GaussianPolicy([11, 32, 1], copies, seeds[0])

    def training(n: int) -> Driving:
        return Driving(n, make_roads(TRAINING_ROADS), steering)

    every = settings["episodes"] // points
    result = train_reinforce(
        training, policy, copies=copies, seed=seeds[0], test_every=every, test_episodes=8, **settings
    )
    distance, finished = drive_all(acting(policy), make_roads(HELD_OUT_ROADS), steering, copies)
    seen = torch.from_numpy(Worlds(training, copies, 64, 1_000_000 + seeds[0]).obs).float()
    with torch.no_grad():
        entropy = np.stack([p(seen).entropy().mean(dim=1).numpy() for p in result.snapshots.values()])
    _, learning = result.curve(points)
    return {
        "seed": np.tile(seeds, points),
        "episode": result.tests["episode"],
        "return": result.tests["return"],
        "learning": learning.T.ravel(),
        "entropy": entropy.ravel(),
        "distance": np.tile(distance.mean(axis=1), points),
        "finished": np.tile(finished.mean(axis=1), points),
    }


def drive_all(choose: Any, roads: Any, steering: int | None = None, copies: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Drive once on each road; return how far each drive came, in metres, and whether to the end: [K, roads] each.

    Args:
        choose: the policy, from observations [K, roads, ...] to actions.
        roads: what to drive on.
        steering: as for :class:`~rlkit.envs.Driving`.
        copies: how many, K.
    """
    from rlkit.envs import Driving, Worlds
    from rlkit.learn.episodes import run_episodes

    worlds = Worlds(lambda n: Driving(n, roads, steering), copies, len(roads), 0)
    run = run_episodes(worlds, choose, options={"road": np.tile(np.arange(len(roads)), copies)})
    distance = run.reward.sum(axis=0)
    return distance, distance > np.array([road.length for road in roads]) - 1e-6


def run_cartpole(settings: dict[str, Any], seeds: list[int]) -> dict[str, Any]:
    """Train on CartPole; test without chance every 16 episodes; confirm the best weights on fresh episodes."""
    from rlkit.envs import cartpole
    from rlkit.learn.episodes import play
    from rlkit.learn.reinforce import acting, train_reinforce
    from rlkit.nets import CategoricalPolicy, StackedMLP

    copies = len(seeds)
    baseline = StackedMLP([4, 32, 1], copies, 1_000 + seeds[0]) if settings["baseline"] else None
    policy = CategoricalPolicy([4, 32, 2], copies, seeds[0])
    args = {"copies": copies, "seed": seeds[0], "test_every": 16, "test_episodes": 100, "baseline": baseline}
    result = train_reinforce(cartpole, policy, **settings | args)
    fresh = play(acting(result.best), cartpole, copies=copies, episodes=100, seed=1_000_000 + seeds[0])
    tests, episodes = list(result.snapshots), result.episodes
    _, learning = result.curve(len(tests))
    return {
        "seed": np.tile(seeds, len(tests)),
        "episode": result.tests["episode"],
        "step": np.concatenate([episodes["step"][episodes["episode"] == n][:: settings["batch"]] for n in tests]),
        "return": result.tests["return"],
        "learning": learning.T.ravel(),
        "confirmed": np.tile(fresh["return"].mean(axis=1), len(tests)),
    }


EXPERIMENTS = [
    Experiment("reinforce.car", 4, run_car, VARIANTS, list(range(30)), group=10),
    Experiment(
        "reinforce.cartpole",
        4,
        run_cartpole,
        {"baseline": CARTPOLE, "no baseline": CARTPOLE | {"baseline": False, "normalise": False}},
        list(range(30)),
        group=10,
    ),
]
