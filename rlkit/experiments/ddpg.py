"""The runs of chapter 5 that concern actions which are numbers: DDPG and TD3 on Pendulum, taken apart and broken."""

from __future__ import annotations

from typing import Any

import numpy as np

from rlkit.experiments.runner import Experiment

DDPG: dict[str, Any] = {
    "steps": 6_000,
    "lr": 2e-3,
    "lr_critic": 2e-3,
    "batch": 64,
    "warm_up": 500,
    "tau": 0.01,
    "scale": 0.1,
    "gamma": 0.98,
    "noise": "Gaussian",
    "critics": 1,
    "smooth": 0.0,
    "delay": 1,
}
"""One critic, no smoothing and no delay is DDPG; the other two values of each are TD3's."""

TWIN: dict[str, Any] = {"critics": 2}
SMOOTH: dict[str, Any] = {"smooth": 0.2}
DELAY: dict[str, Any] = {"delay": 2}
TD3 = DDPG | TWIN | SMOOTH | DELAY

PENDULUM: dict[str, dict[str, Any]] = {
    name: settings | {"steps": 10_000}
    for name, settings in {
        "DDPG": DDPG,
        "drifting noise": DDPG | {"noise": "Ornstein-Uhlenbeck"},
        "no noise": DDPG | {"noise": "none"},
        "DDPG + two critics": DDPG | TWIN,
        "DDPG + smoothing": DDPG | SMOOTH,
        "DDPG + delay": DDPG | DELAY,
        "TD3 - two critics": TD3 | {"critics": 1},
        "TD3 - smoothing": TD3 | {"smooth": 0.0},
        "TD3 - delay": TD3 | {"delay": 1},
        "TD3": TD3,
    }.items()
}
"""Each kind of noise; DDPG with each of TD3's repairs, and TD3 without each of them."""

BROKEN: dict[str, dict[str, Any]] = {
    "as it was": DDPG,
    "slow critic": DDPG | {"lr_critic": 2e-4},
    "hasty critic": DDPG | {"lr_critic": 2e-2},
    "no target networks": DDPG | {"tau": 1.0},
    "hardly a memory": DDPG | {"memory": 64},
    "rewards not scaled": DDPG | {"scale": 1.0},
    "broken off is terminated": DDPG | {"terminal": True},
    "50 steps": DDPG | {"limit": 50},
    "50 steps, terminated": DDPG | {"limit": 50, "terminal": True},
    "gamma 0.99": DDPG | {"gamma": 0.99},
    "gamma 0.99, terminated": DDPG | {"gamma": 0.99, "terminal": True},
    "gamma 0.99, 50 steps": DDPG | {"gamma": 0.99, "limit": 50},
    "gamma 0.99, 50 steps, terminated": DDPG | {"gamma": 0.99, "limit": 50, "terminal": True},
}
"""What is changed in "DDPG": step sizes ten times smaller and larger; and a time limit that is stored as the end of all."""


def run_pendulum(settings: dict[str, Any], seeds: list[int]) -> dict[str, Any]:
    """Train on Pendulum; every 500 steps, compare what the critic promises with what the actor gets from the same starts."""
    from functools import partial

    from rlkit.learn.ddpg import GaussianNoise, OrnsteinUhlenbeck, acting, td3_update, train_ddpg
    from rlkit.nets import Critics, DeterministicPolicy

    settings, copies, seed = dict(settings), len(seeds), seeds[0]
    make_env = partial(pendulum_with, limit=settings.pop("limit", 200), terminal=settings.pop("terminal", False))
    noise = {"Gaussian": GaussianNoise(0.1), "Ornstein-Uhlenbeck": OrnsteinUhlenbeck(0.1), "none": GaussianNoise(0.0)}
    settings["noise"] = noise[settings["noise"]]
    actor = DeterministicPolicy([3, 64, 64, 1], copies, seed, bound=2.0)
    critic = Critics([4, 64, 64, 1], copies, 100 + seed, count=settings.pop("critics"))
    learn = partial(td3_update, smooth=settings.pop("smooth"), delay=settings.pop("delay"))
    step, tests, chance = settings["warm_up"] - 1, [], np.random.default_rng(10_000 + seed)

    def update(agent: Any, batch: Any, tau: float) -> Any:
        nonlocal step
        error, step = learn(agent, batch, tau), step + 1
        if step % 500 == 0:
            tests.append([np.full(copies, step), *promised_and_got(agent, settings, 50, chance)])
        return error

    train_ddpg(make_env, actor, critic, copies=copies, seed=seed, update=update, **settings)
    end = swing(acting(actor), *starts(copies, 100, chance))[:200].sum(axis=0).mean(axis=-1)
    at, total, promised, got = (np.concatenate(column) for column in zip(*tests, strict=True))
    return {
        "seed": np.tile(seeds, len(tests)),
        "step": at,
        "return": total,
        "promised": promised,
        "got": got,
        "end": np.tile(end, len(tests)),
    }


def pendulum_with(num_envs: int, limit: int = 200, terminal: bool = False) -> Any:
    """Return :func:`rlkit.envs.pendulum` with another time limit, or with a lie about it.

    Args:
        num_envs: how many worlds.
        limit: after how many steps an episode is broken off.
        terminal: whether to say of an episode that is broken off that it has terminated.
    """
    from gymnasium.vector import VectorWrapper

    from rlkit.envs import pendulum

    class Lie(VectorWrapper):
        """What is broken off is said to have terminated."""

        def step(self, actions: Any) -> Any:
            obs, reward, terminated, truncated, info = self.env.step(actions)
            return obs, reward, terminated | truncated, np.zeros_like(truncated), info

    env = pendulum(num_envs, limit=limit)
    return Lie(env) if terminal else env


def starts(copies: int, count: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return angles and angular velocities as Pendulum-v1 draws them at the start of an episode: float[copies, count] each."""
    return rng.uniform(-np.pi, np.pi, (copies, count)), rng.uniform(-1, 1, (copies, count))


def swing(
    choose: Any, angle: np.ndarray, velocity: np.ndarray, first: np.ndarray | None = None, steps: int = 200
) -> np.ndarray:
    """Return the rewards of Pendulum-v1 from given states on: float[steps, K, B].

    Args:
        choose: the policy, from what :func:`rlkit.envs.pendulum` shows, float[K, B, 3], to float[K, B, 1].
        angle, velocity: float[K, B], in radians from upright, and per second.
        first: float[K, B], torques to begin with in place of the policy's (default: the policy's).
        steps: how many.
    """
    rewards = []
    for t in range(steps):
        obs = np.stack([np.cos(angle), np.sin(angle), velocity / 4], axis=-1).astype(np.float32)
        torque = choose(obs)[..., 0] if t or first is None else first
        torque = np.clip(torque, -2, 2)
        folded = (angle + np.pi) % (2 * np.pi) - np.pi
        rewards.append(-(folded**2 + 0.1 * velocity**2 + 0.001 * torque**2))
        velocity = np.clip(velocity + 0.05 * (15 * np.sin(angle) + 3 * torque), -8, 8)
        angle = angle + 0.05 * velocity
    return np.stack(rewards)


def promised_and_got(
    agent: Any, settings: dict[str, Any], count: int, rng: np.random.Generator
) -> tuple[Any, Any, Any]:
    """Return the return of 200 steps, Q(s, mu(s)), and the discounted return of 400 steps: means over starts, float[K] each.

    The last two are in the size of the rewards as Pendulum pays them.

    Args:
        agent: an :class:`~rlkit.learn.ddpg.Agent` whose critic is a :class:`~rlkit.nets.Critics`; its first critic is asked.
        settings: of the run: its "gamma" and "scale".
        count: from how many starts.
        rng: where they come from.
    """
    import torch

    from rlkit.learn.ddpg import acting

    copies = next(agent.actor.parameters()).shape[0]
    angle, velocity = starts(copies, count, rng)
    rewards = swing(acting(agent.actor), angle, velocity, steps=400)
    obs = torch.from_numpy(np.stack([np.cos(angle), np.sin(angle), velocity / 4], axis=-1)).float()
    with torch.no_grad():
        promised = agent.critic.critics[0](obs, agent.actor(obs)).mean(dim=-1).numpy() / settings["scale"]
    got = np.tensordot(settings["gamma"] ** np.arange(400), rewards, axes=1).mean(axis=-1)
    return rewards[:200].sum(axis=0).mean(axis=-1), promised, got


EXPERIMENTS = [
    Experiment("ddpg.pendulum", 5, run_pendulum, PENDULUM, list(range(10)), group=10),
    Experiment("ddpg.broken", 5, run_pendulum, BROKEN, list(range(10)), group=10),
]
