"""Every algorithm so far on CartPole and on Pendulum, as far as its actions allow."""

from __future__ import annotations

from typing import Any

import numpy as np

from rlkit.experiments import ddpg, dqn
from rlkit.experiments.runner import Experiment

ON_POLICY: dict[str, Any] = {"steps": 204_800, "worlds": 8, "gamma": 0.95, "lam": 0.95, "lr": 1e-3, "scale": 0.1}

VARIANTS: dict[str, dict[str, Any]] = {
    "DQN, CartPole": dqn.CARTPOLE,
    "DQN, Pendulum": {
        "steps": 20_000,
        "worlds": 4,
        "gamma": 0.98,
        "lr": 1e-3,
        "batch": 64,
        "memory": 20_000,
        "warm_up": 1_000,
        "freeze": 50,
        "epsilon": [1.0, 0.05, 5_000],
    },
    "REINFORCE, CartPole": {"episodes": 400, "batch": 8, "lr": 0.02, "normalise": True},
    "REINFORCE, Pendulum": {"episodes": 1_024, "batch": 16, "lr": 0.01, "normalise": True, "gamma": 0.95},
    "A2C, CartPole": {"steps": 100_000, "worlds": 16, "length": 16, "lr": 3e-3, "scale": 0.05},
    "A2C, Pendulum": ON_POLICY | {"length": 16},
    "PPO, CartPole": {
        "steps": 49_152,
        "worlds": 8,
        "length": 64,
        "minibatch": 256,
        "epochs": 8,
        "lr": 3e-3,
        "gamma": 0.98,
        "scale": 0.1,
    },
    "PPO, Pendulum": ON_POLICY | {"length": 128, "minibatch": 128, "epochs": 10},
    "DDPG, Pendulum": {"steps": 6_000},
    "TD3, Pendulum": {"steps": 6_000},
}
"""By algorithm and world. DQN's Pendulum has 11 torques. DDPG and TD3 have the settings of the runs that concern them."""


def run_family(settings: dict[str, Any], seeds: list[int]) -> dict[str, Any]:
    """Train; then play 100 fresh episodes with the last weights and without chance. A row is a seed.

    "steps" are those that each seed was trained with, in the mean where a run is counted in episodes.
    """
    from rlkit.envs import cartpole, pendulum
    from rlkit.learn.episodes import play

    settings = dict(settings)
    algorithm, world = settings.pop("algorithm"), settings.pop("world")
    make_env: Any = {"CartPole": cartpole, "Pendulum": pendulum}[world]
    if algorithm == "DQN" and world == "Pendulum":
        make_env = eleven_torques
    result, choose = trained(algorithm, make_env, world, settings, seeds)
    played = play(choose, make_env, copies=len(seeds), episodes=100, seed=1_000_000 + seeds[0])
    steps = result.episodes["length"].sum() / len(seeds) if result.unit == "episode" else settings["steps"]
    return {"seed": seeds, "return": played["return"].mean(axis=1), "steps": np.full(len(seeds), steps)}


def eleven_torques(num_envs: int) -> Any:
    """Return Pendulum-v1 with 11 torques to choose from."""
    from rlkit.envs import pendulum

    return pendulum(num_envs, torques=11)


def trained(algorithm: str, make_env: Any, world: str, settings: dict[str, Any], seeds: list[int]) -> tuple[Any, Any]:
    """Train one policy for each seed; return the run, and the policy without chance, from observations to actions."""
    from rlkit.learn import dqn as value_based
    from rlkit.learn.actor_critic import train_a2c, train_ppo
    from rlkit.learn.ddpg import acting as named
    from rlkit.learn.ddpg import ddpg_update, td3_update, train_ddpg
    from rlkit.learn.reinforce import acting, train_reinforce
    from rlkit.nets import CategoricalPolicy, Critic, Critics, DeterministicPolicy, GaussianPolicy, StackedMLP

    K, seed, seen = len(seeds), seeds[0], {"CartPole": 4, "Pendulum": 3}[world]
    args: dict[str, Any] = {"copies": K, "seed": seed, **settings}
    if algorithm == "DQN":
        network = StackedMLP([seen, 128, 128, {"CartPole": 2, "Pendulum": 11}[world]], K, seed)
        run = value_based.train_dqn(make_env, network, **args)
        return run, lambda obs: value_based.act(run.policy, obs, 0.0, np.random.default_rng(0))
    if algorithm in ("DDPG", "TD3"):
        twins = algorithm == "TD3"
        critic = (Critics if twins else Critic)([4, 64, 64, 1], K, 100 + seed)
        run = train_ddpg(
            make_env,
            DeterministicPolicy([3, 64, 64, 1], K, seed, bound=2.0),
            critic,
            update=td3_update if twins else ddpg_update,
            **{name: ddpg.DDPG[name] for name in ("gamma", "lr", "lr_critic", "batch", "warm_up", "tau", "scale")},
            **args,
        )
        return run, named(run.policy)
    kind = CategoricalPolicy if world == "CartPole" else GaussianPolicy
    hidden = [32] if algorithm == "REINFORCE" else [64, 64]
    more: dict[str, Any] = {} if world == "CartPole" else {"log_std": 0.0}
    policy: Any = kind([seen, *hidden, 2 if world == "CartPole" else 1], K, seed, **more)
    value = StackedMLP([seen, *hidden, 1], K, 1_000 + seed)
    if algorithm == "REINFORCE":
        run = train_reinforce(make_env, policy, baseline=value, **args)
    else:
        run = {"A2C": train_a2c, "PPO": train_ppo}[algorithm](make_env, policy, value, **args)
    return run, acting(run.policy)


EXPERIMENTS = [
    Experiment(
        "families",
        5,
        run_family,
        {
            name: settings | dict(zip(("algorithm", "world"), name.split(", "), strict=True))
            for name, settings in VARIANTS.items()
        },
        list(range(10)),
        group=10,
    )
]
