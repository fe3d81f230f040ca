"""The long runs of chapter 4: how far REINFORCE gets with the lunar lander, and one recorded flight."""

from __future__ import annotations

from typing import Any

import numpy as np

from rlkit.experiments.runner import Experiment

LANDER: dict[str, Any] = {
    "episodes": 4_800,
    "hidden": [64, 64],
    "batch": 16,
    "gamma": 0.99,
    "lr": 0.005,
    "fit": 5,
    "normalise": True,
    "scale": 0.02,
    "limit": 600,
}
"""REINFORCE with a learned baseline. ``scale`` multiplies the returns that are learned from, and none that is reported."""


def run_lander(settings: dict[str, Any], seeds: list[int]) -> dict[str, Any]:
    """Train on Lunar Lander; fly with the weights of 20 moments, with the likeliest actions and with drawn ones.

    The last of these flights are 100 for each seed, the others 20.
    """
    import torch

    from rlkit.learn.reinforce import acting

    result, points = train_lander(settings, seeds, 20), 20
    _, learning = result.curve(points)
    rows: list[dict[str, Any]] = []
    for i, (n, policy) in enumerate(result.snapshots.items()):
        flights = 100 if i == points - 1 else 20
        for actions in ("likeliest", "drawn"):
            seed = 1_000_000 + 1_000 * seeds[0] + i
            chance = torch.Generator().manual_seed(seed) if actions == "drawn" else None
            found = fly(acting(policy, chance), len(seeds), flights, seed)
            for k, own in enumerate(seeds):
                measured = {name: values[k] for name, values in found.items()}
                row = {"seed": own, "episode": n, "actions": actions, "flights": flights}
                rows.append(row | {"learning": learning[k, i]} | measured)
    return {name: [row[name] for row in rows] for name in rows[0]}


def train_lander(settings: dict[str, Any], seeds: list[int], points: int) -> Any:
    """Train a policy for each seed, and keep the weights of so many moments, the last one among them."""
    from rlkit.core.returns import reward_to_go
    from rlkit.envs import lunar_lander
    from rlkit.learn.reinforce import train_reinforce
    from rlkit.nets import CategoricalPolicy, StackedMLP

    settings, copies = dict(settings), len(seeds)
    hidden, scale = settings.pop("hidden"), settings.pop("scale")
    return train_reinforce(
        lunar_lander,
        CategoricalPolicy([8, *hidden, 4], copies, seeds[0]),
        copies=copies,
        seed=seeds[0],
        baseline=StackedMLP([8, *hidden, 1], copies, 1_000 + seeds[0]),
        credit=lambda reward, gamma: scale * reward_to_go(reward, gamma),
        test_every=settings["episodes"] // points,
        test_episodes=1,  # what counts are the flights that follow
        **settings,
    )


def fly(choose: Any, copies: int, flights: int, seed: int) -> dict[str, np.ndarray]:
    """Fly until every flight has ended, and say how: means and numbers of flights, [K] each.

    Args:
        choose: the policy, from observations [K, flights, 8] to actions.
        copies: how many, K.
        flights: how many for each copy.
        seed: of the worlds.

    Returns:
        "return" and "length", means; how many flights "landed", "crashed", "flew away", and of those that ran out of time,
        how many were "standing", less than 0.1 above the height of the pad, and how many "hovering".
    """
    from rlkit.envs import LANDER_ENDINGS, lander_endings, lunar_lander
    from rlkit.learn.episodes import play

    found = play(choose, lunar_lander, copies=copies, episodes=flights, seed=seed)
    end, height = lander_endings(found["last"], found["terminated"]), found["last"][..., 1]
    how = {name: end == i for i, name in enumerate(LANDER_ENDINGS)}
    late = how.pop("ran out of time")
    how |= {"standing": late & (height < 0.1), "hovering": late & (height >= 0.1)}
    means = {name: found[name].mean(axis=1) for name in ("return", "length")}
    return means | {name: which.sum(axis=1) for name, which in how.items()}


STATE = ("x", "y", "vx", "vy", "angle", "spin", "right leg", "left leg")
"""What the lander shows, in this order."""


def run_flight(settings: dict[str, Any], seeds: list[int]) -> dict[str, Any]:
    """Train one policy, and record its first flight afterwards, frame by frame, with the likeliest actions.

    A row is what was seen, what was done then, and what it paid. The last row is what the flight ended with, or was broken
    off with after so many ``frames``: its action is 0 and pays nothing. "ground" is the height of the moon, in units of y,
    at places evenly spaced from x = -1 to 1, one for each row.
    """
    from rlkit.envs import Worlds, lunar_lander
    from rlkit.learn.reinforce import acting

    (seed,) = seeds
    settings = dict(settings)
    frames = settings.pop("frames")
    result = train_lander(settings, seeds, 1)
    worlds, choose = Worlds(lunar_lander, 1, 1, 1_000_000 + seed), acting(result.policy)
    ground = heights(worlds.env.envs[0].unwrapped)
    seen, actions, rewards = [worlds.obs[0, 0]], [], []
    for _ in range(frames):
        step = worlds.step(choose(worlds.obs))
        seen.append(step.next_obs[0, 0])
        actions.append(int(step.action[0, 0]))
        rewards.append(float(step.reward[0, 0]))
        if step.terminated.any() or step.truncated.any():
            break
    rows = len(seen)
    return {
        "seed": [seed] * rows,
        **dict(zip(STATE, np.array(seen).T, strict=True)),
        "action": [*actions, 0],
        "reward": [*rewards, 0.0],
        "terminated": [*[False] * (rows - 2), bool(step.terminated.any()), False],
        "ground": np.interp(np.linspace(-1, 1, rows), *ground),
    }


def heights(world: Any) -> np.ndarray:
    """Return x and y of the corners of a lander's moon, float[2, 11], in the units of what is shown; y = 0 is the pad's.

    Args:
        world: Gymnasium's LunarLander, after a reset.
    """
    corners = [world.sky_polys[0][0], *(polygon[1] for polygon in world.sky_polys)]
    x, y = np.array(corners).T
    return np.array([x / 10 - 1, (y - world.helipad_y) / (20 / 3)])


EXPERIMENTS = [
    Experiment("reinforce.lander", 4, run_lander, {"baseline": LANDER}, list(range(5)), group=5),
    Experiment("reinforce.flight", 4, run_flight, {"flight": LANDER | {"frames": 399}}, [4]),
]
