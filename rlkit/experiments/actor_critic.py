"""The long runs of chapter 5 with policies that leave something to chance: A2C and PPO, sound and broken, and the families."""

from __future__ import annotations

from typing import Any

import numpy as np

from rlkit.experiments.policy_gradients import fly
from rlkit.experiments.runner import Experiment

LANDER: dict[str, Any] = {
    "steps": 802_816,
    "hidden": [64, 64],
    "worlds": 32,
    "length": 128,
    "minibatch": 512,
    "epochs": 6,
    "gamma": 0.995,
    "lam": 0.97,
    "lr": 1e-3,
    "entropy": 0.01,
    "scale": 0.02,
    "checkpoint": "ppo.lander",
}
"""PPO on Lunar Lander; 196 rounds of 4,096 steps. The weights of its end are stored under the name of ``checkpoint``."""


def run_lander(settings: dict[str, Any], seeds: list[int]) -> dict[str, Any]:
    """Train on Lunar Lander; fly with the weights of 14 moments, with the likeliest actions and with drawn ones.

    The last of these flights are 100 for each seed, the others 20. "episode" is how many flights were behind each seed.
    """
    from functools import partial

    import torch

    from rlkit.envs import lunar_lander
    from rlkit.experiments.checkpoints import save
    from rlkit.learn.actor_critic import ppo_loss, train_ppo
    from rlkit.learn.reinforce import acting
    from rlkit.nets import CategoricalPolicy, StackedMLP

    settings, copies, seed, points = dict(settings), len(seeds), seeds[0], 14
    hidden, checkpoint = settings.pop("hidden"), settings.pop("checkpoint")
    result = train_ppo(
        lunar_lander,
        CategoricalPolicy([8, *hidden, 4], copies, seed),
        StackedMLP([8, *hidden, 1], copies, 1_000 + seed),
        copies=copies,
        seed=seed,
        loss=partial(ppo_loss, entropy=settings.pop("entropy")),
        test_every=settings["steps"] // points,
        test_episodes=1,  # what counts are the flights that follow
        **settings,
    )
    if checkpoint:
        save(checkpoint, result.policy)
    _, learning = result.curve(points)
    rows: list[dict[str, Any]] = []
    for i, (n, policy) in enumerate(result.snapshots.items()):
        behind = np.bincount(result.episodes["copy"][result.episodes["step"] <= n], minlength=copies)
        flights = 100 if i == points - 1 else 20
        for actions in ("likeliest", "drawn"):
            at = 1_000_000 + 1_000 * seed + i
            chance = torch.Generator().manual_seed(at) if actions == "drawn" else None
            found = fly(acting(policy, chance), copies, flights, at)
            for k, own in enumerate(seeds):
                measured = {name: values[k] for name, values in found.items()}
                row = {"seed": own, "step": n, "episode": behind[k], "actions": actions, "flights": flights}
                rows.append(row | {"learning": learning[k, i]} | measured)
    return {name: [row[name] for row in rows] for name in rows[0]}


CARTPOLE: dict[str, dict[str, Any]] = {
    "PPO": {
        "algorithm": "PPO",
        "steps": 30_720,
        "worlds": 8,
        "length": 64,
        "minibatch": 256,
        "epochs": 8,
        "gamma": 0.98,
        "lam": 0.95,
        "lr": 3e-3,
        "scale": 0.1,
    },
    "A2C": {
        "algorithm": "A2C",
        "steps": 102_400,
        "worlds": 16,
        "length": 16,
        "gamma": 0.99,
        "lam": 1.0,
        "lr": 3e-3,
        "scale": 0.05,
    },
}
"""What PPO and A2C learn CartPole with, both with networks of two hidden layers of 64."""


def run_cartpole(settings: dict[str, Any], seeds: list[int]) -> dict[str, Any]:
    """Train on CartPole; test without chance at 20 moments; confirm the best weights on fresh episodes.

    "cpu" is the processor time of all these seeds together, in seconds, without that of the tests.
    """
    from time import process_time

    from rlkit.envs import cartpole
    from rlkit.learn.actor_critic import train_a2c, train_ppo
    from rlkit.learn.episodes import play
    from rlkit.learn.reinforce import acting
    from rlkit.nets import CategoricalPolicy, StackedMLP

    settings, copies, seed, points = dict(settings), len(seeds), seeds[0], 20
    train = {"A2C": train_a2c, "PPO": train_ppo}[settings.pop("algorithm")]

    def learn(**tests: Any) -> tuple[Any, float]:
        policy = CategoricalPolicy([4, 64, 64, 2], copies, seed)
        critic = StackedMLP([4, 64, 64, 1], copies, 1_000 + seed)
        start = process_time()
        result = train(cartpole, policy, critic, copies=copies, seed=seed, **settings, **tests)
        return result, process_time() - start

    _, cpu = learn()  # once without tests, which change nothing of what is learned, for the time
    result, _ = learn(test_every=settings["steps"] // points, test_episodes=100)
    fresh = play(acting(result.best), cartpole, copies=copies, episodes=100, seed=1_000_000 + seed)
    _, learning = result.curve(points)
    return {
        "seed": np.tile(seeds, points),
        "step": result.tests["step"],
        "return": result.tests["return"],
        "learning": learning.T.ravel(),
        "confirmed": np.tile(fresh["return"].mean(axis=1), points),
        "cpu": np.full(copies * points, cpu),
    }


EXPERIMENTS = [
    Experiment("ppo.lander", 5, run_lander, {"PPO": LANDER}, list(range(5)), group=5),
    Experiment("ppo.cartpole", 5, run_cartpole, CARTPOLE, list(range(10)), group=10),
]
