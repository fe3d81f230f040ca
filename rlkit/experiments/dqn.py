"""The long runs of chapter 3: DQN and its ablation on CartPole and on MinAtar's games, and one recorded game."""

from __future__ import annotations

from typing import Any

import numpy as np

from rlkit.experiments.runner import Experiment

CARTPOLE: dict[str, Any] = {
    "steps": 40_000,
    "worlds": 8,
    "gamma": 0.98,
    "lr": 1e-3,
    "batch": 64,
    "memory": 5_000,
    "warm_up": 1_000,
    "freeze": 50,
    "epsilon": [1.0, 0.05, 8_000],
    "n_step": 10,
}
MINATAR: dict[str, Any] = {
    "steps": 320_000,
    "worlds": 16,
    "gamma": 0.99,
    "lr": 5e-4,
    "batch": 64,
    "memory": 100_000,
    "warm_up": 2_000,
    "freeze": 100,
    "epsilon": [1.0, 0.02, 60_000],
    "n_step": 1,
}


def ablation(full: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the settings with both cures, with one of them, and with neither.

    Without replay the memory holds no more than the newest transition of each world. Without a frozen target, the network
    that the target is computed with is renewed after every update.
    """
    newest = {"memory": full["worlds"] * full["n_step"]}
    moving = {"freeze": 1}
    return {"both": full, "replay": full | moving, "target": full | newest, "neither": full | newest | moving}


def run_cartpole(settings: dict[str, Any], seeds: list[int]) -> dict[str, Any]:
    """Train on CartPole; test the greedy policy every 2,000 steps; confirm the best one on fresh episodes."""
    from rlkit.envs import cartpole
    from rlkit.learn.dqn import play, train_dqn
    from rlkit.nets import StackedMLP

    network = StackedMLP([4, 128, 128, 2], len(seeds), seeds[0])
    args = {"copies": len(seeds), "seed": seeds[0], "test_every": 2_000, "test_episodes": 100}
    result = train_dqn(cartpole, network, **settings, **args)
    confirmed = play(result.best, cartpole, copies=len(seeds), episodes=100, seed=1_000_000 + seeds[0])
    return columns(result, seeds) | {"confirmed": np.tile(confirmed["return"].mean(axis=1), 20)}


def run_minatar(settings: dict[str, Any], seeds: list[int]) -> dict[str, Any]:
    """Train on a game of MinAtar; test the greedy policy every 20,000 steps; play 100 games in the end."""
    from rlkit.envs import minatar
    from rlkit.learn.dqn import double_dqn_loss, dqn_loss, play, train_dqn
    from rlkit.nets import StackedConv

    settings = dict(settings)
    game = getattr(minatar, settings.pop("game"))
    loss = double_dqn_loss if settings.pop("double", False) else dqn_loss
    network = StackedConv((len(game.channels), 10, 10), 6, len(seeds), seeds[0])
    args = {"copies": len(seeds), "seed": seeds[0], "test_every": 20_000, "test_episodes": 20, "loss": loss}
    result = train_dqn(game, network, **settings, **args)
    final = play(result.policy, game, copies=len(seeds), episodes=100, seed=1_000_000 + seeds[0])
    tests = len(result.tests["step"]) // len(seeds)
    return columns(result, seeds) | {"final": np.tile(final["return"].mean(axis=1), tests)}


def columns(result: Any, seeds: list[int]) -> dict[str, Any]:
    """Return the tests of a run in long form, with the returns while learning beside them."""
    tests = result.tests
    _, learning = result.curve(len(tests["step"]) // len(seeds))
    names = ("step", "return", "discounted", "promise")
    return {
        "seed": np.array(seeds)[tests["copy"]],
        **{name: tests[name] for name in names},
        "learning": learning.T.ravel(),
    }


def run_game(settings: dict[str, Any], seeds: list[int]) -> dict[str, Any]:
    """Train on Breakout, and record one game of the greedy policy: each screen as hexadecimal digits of its bits."""
    from rlkit.envs import Worlds, minatar
    from rlkit.learn.dqn import act, train_dqn
    from rlkit.nets import StackedConv

    (seed,) = seeds
    settings = dict(settings)
    frames = settings.pop("frames")
    network = StackedConv((4, 10, 10), 6, 1, seed)
    result = train_dqn(minatar.Breakout, network, **settings, seed=seed)
    worlds, rng = Worlds(minatar.Breakout, 1, 1, seed), np.random.default_rng(seed)
    screens, rewards = [], []
    for _ in range(frames):
        screens.append(np.packbits(worlds.obs.astype(bool)).tobytes().hex())
        step = worlds.step(act(result.policy, worlds.obs, 0.0, rng))
        rewards.append(float(step.reward[0, 0]))
        if step.terminated.any():
            break
    return {"seed": [seed] * len(screens), "step": list(range(len(screens))), "screen": screens, "reward": rewards}


EXPERIMENTS = [
    Experiment("dqn.cartpole", 3, run_cartpole, ablation(CARTPOLE), list(range(10)), group=10),
    Experiment(
        "dqn.breakout",
        3,
        run_minatar,
        {
            name: {"game": "Breakout", **settings}
            for name, settings in (ablation(MINATAR) | {"double": MINATAR | {"double": True}}).items()
        },
        list(range(5)),
        group=5,
    ),
    Experiment(
        "dqn.games",
        3,
        run_minatar,
        {game: {"game": game, **MINATAR} for game in ("Asterix", "SpaceInvaders")},
        list(range(5)),
        group=5,
    ),
    Experiment("dqn.recorded_game", 3, run_game, {"game": {**MINATAR, "steps": 160_000, "frames": 60}}, [0]),
]
