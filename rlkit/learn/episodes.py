"""Whole episodes in many worlds at once: to count what a policy gets, or to learn from."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from rlkit.envs.worlds import MakeEnv, Step, Worlds

Choose = Callable[[np.ndarray], np.ndarray]
"""From what every world shows, [K, E, ...], to everybody's action."""


class Episodes(NamedTuple):
    """One episode of each of K copies by E worlds, step after step, until the longest has ended.

    Attributes:
        obs, action, reward: [T, K, E, ...]; after the end of an episode the reward is 0, and the others mean nothing.
        real: bool[T, K, E], whether the episode was still going on.
        terminated: bool[K, E], False where the episode was broken off.
    """

    obs: np.ndarray
    action: np.ndarray
    reward: np.ndarray
    real: np.ndarray
    terminated: np.ndarray


def run_episodes(
    worlds: Worlds, choose: Choose, limit: int = 10_000, options: dict[str, Any] | None = None
) -> Episodes:
    """Begin an episode in every world, and run each to its end.

    Worlds step together until the longest episode has ended; what happens in a world after the end of its episode is
    not recorded.

    Args:
        worlds: where to act.
        choose: the policy.
        limit: after so many steps an episode is broken off.
        options: how to begin, for an environment that takes such wishes.
    """
    worlds.begin(options=options)
    steps: list[tuple[np.ndarray, ...]] = []
    going = np.ones((worlds.copies, worlds.worlds), bool)
    terminated = np.zeros_like(going)
    while going.any() and len(steps) < limit:
        step = worlds.step(choose(worlds.obs))
        steps.append((step.obs, step.action, np.where(going, step.reward, 0.0), going))
        terminated |= going & step.terminated
        going = going & ~step.terminated & ~step.truncated
    obs, action, reward, real = (np.stack(column) for column in zip(*steps, strict=True))
    return Episodes(obs, action, reward, real, terminated)


def run_steps(worlds: Worlds, choose: Choose, length: int) -> Step:
    """Take so many steps in every world, whether episodes end on the way or not.

    Args:
        worlds: where to act; a later call goes on where this one stopped.
        choose: the policy.
        length: how many steps, T.

    Returns:
        The steps, with time first: [T, K, E, ...].
    """
    steps = [worlds.step(choose(worlds.obs)) for _ in range(length)]
    return Step(*(np.stack(column) for column in zip(*steps, strict=True)))


def play(
    choose: Choose,
    make_env: MakeEnv,
    *,
    copies: int,
    episodes: int = 100,
    gamma: float = 1.0,
    seed: int = 0,
    limit: int = 20_000,
) -> dict[str, np.ndarray]:
    """Play whole episodes, the first one of each of so many fresh worlds.

    Args:
        choose: the policy.
        make_env: from a number of worlds to a vector environment.
        copies: how many, K.
        episodes: how many for each copy.
        gamma: the discount of "discounted".
        seed: of the worlds.
        limit: after so many steps an episode counts as it stands; a greedy policy may go round in circles for ever.

    Returns:
        [K, episodes, ...] each: "return", the sum of the rewards; "discounted", their discounted sum; "length", in steps;
        "terminated", whether it ended by itself; "first" and "last", what was seen at the beginning and at the end.
    """
    worlds = Worlds(make_env, copies, episodes, seed)
    first, last, terminated = worlds.obs, worlds.obs.copy(), np.zeros((copies, episodes), bool)
    total, discounted, length = np.zeros((3, copies, episodes))
    going, weight = np.ones((copies, episodes), bool), 1.0
    for _ in range(limit):
        if not going.any():
            break
        step = worlds.step(choose(worlds.obs))
        reward = np.where(going, step.reward, 0.0)
        total, discounted, length = total + reward, discounted + weight * reward, length + going
        weight *= gamma
        last[going] = step.next_obs[going]
        terminated |= going & step.terminated
        going = going & ~step.terminated & ~step.truncated
    return {
        "return": total,
        "discounted": discounted,
        "length": length,
        "terminated": terminated,
        "first": first,
        "last": last,
    }


def examiner(
    choose: Choose, make_env: MakeEnv, params: dict[str, Any], limit: int = 20_000
) -> Callable[[int], dict[str, np.ndarray]]:
    """Return a test of a policy: means over episodes, float[K], in worlds that it has not met, and others each time.

    Args:
        choose: the policy, as it is when the test is taken.
        make_env: from a number of worlds to a vector environment.
        params: the arguments of the run: its "seed", "copies" and "test_episodes".
        limit: as for :func:`play`.
    """

    def test(n: int) -> dict[str, np.ndarray]:
        seed = 1_000_003 * (params["seed"] + 1) + n
        copies, count = params["copies"], params["test_episodes"]
        found = play(choose, make_env, copies=copies, episodes=count, seed=seed, limit=limit)
        return {"return": found["return"].mean(axis=1), "length": found["length"].mean(axis=1)}

    return test
