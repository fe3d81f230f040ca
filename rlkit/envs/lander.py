"""What Lunar Lander pays for, and how its flights end, read off from what it shows."""

from __future__ import annotations

import numpy as np

from rlkit.core.checks import mask_array, real_array

LANDER_ENDINGS = ("landed", "crashed", "flew away", "ran out of time")
"""How a flight ends, in the order of the numbers that :func:`lander_endings` gives."""


def lander_endings(last: np.ndarray, terminated: np.ndarray) -> np.ndarray:
    """Return how flights ended, as indices into :data:`LANDER_ENDINGS`: int[...].

    A flight that has not terminated ran out of time. One that has, has landed if the physics engine has put the lander to
    sleep, which sets its velocities to exactly 0; otherwise it flew away if it has left the screen at the side, or else its
    body touched the moon. A lander that lies still beside the pad, has landed, too.

    Args:
        last: what the flights ended with, float[..., 8].
        terminated: whether they ended by themselves, bool[...].

    Raises:
        ValueError: another shape than that.

    Source: gymnasium/envs/box2d/lunar_lander.py, version 1.4.0.
    """
    last = _observations("last", last)
    terminated = mask_array("terminated", terminated, last.shape[:-1])
    asleep = (last[..., [2, 3, 5]] == 0).all(axis=-1)
    away = np.abs(last[..., 0]) >= 1
    return np.select([~terminated, asleep, away], [3, 0, 2], 1)


def lander_terms(
    obs: np.ndarray, action: np.ndarray, next_obs: np.ndarray, terminated: np.ndarray
) -> dict[str, np.ndarray]:
    """Return the reward of each frame of Lunar Lander, split into what it is paid for: float[...] for each term.

    The terms are the gains of one frame in -100 distance to the pad ("distance"), -100 speed ("speed"), ``-100 |angle|``
    ("angle") and 10 for each leg on the ground ("legs"), -0.30 for firing the main engine ("main") and -0.03 for firing a
    side engine ("side"). In the last frame of a flight that ends by itself none of them is paid: the reward is 100 for
    lying still and -100 otherwise ("end"). Their sum is the environment's reward, but for the rounding of what it shows:
    about 0.00002 in float32.

    Args:
        obs: what was seen before the frame, float[..., 8]: x, y, their velocities, angle, its velocity, two legs.
        action: 0 nothing, 1 left engine, 2 main engine, 3 right engine, int[...].
        next_obs: what was seen after it, float[..., 8].
        terminated: whether the flight ended with it by itself, bool[...].

    Raises:
        ValueError: another shape than that, or another action.

    Source: gymnasium/envs/box2d/lunar_lander.py, version 1.4.0.
    """
    before, after = _observations("obs", obs), _observations("next_obs", next_obs, np.shape(obs))
    action = real_array("action", action, before.shape[:-1])
    if not np.isin(action, range(4)).all():
        raise ValueError(f"action is {action[~np.isin(action, range(4))][0]:g}, but 0, 1, 2 or 3 was expected")
    terminated = mask_array("terminated", terminated, before.shape[:-1])
    terms = {
        "distance": -100 * (np.hypot(after[..., 0], after[..., 1]) - np.hypot(before[..., 0], before[..., 1])),
        "speed": -100 * (np.hypot(after[..., 2], after[..., 3]) - np.hypot(before[..., 2], before[..., 3])),
        "angle": -100 * (np.abs(after[..., 4]) - np.abs(before[..., 4])),
        "legs": 10 * (after[..., 6:].sum(axis=-1) - before[..., 6:].sum(axis=-1)),
        "main": -0.30 * (action == 2),
        "side": -0.03 * np.isin(action, (1, 3)),
    }
    terms = {name: np.where(terminated, 0.0, term) for name, term in terms.items()}
    landed = lander_endings(after, terminated) == LANDER_ENDINGS.index("landed")
    return {**terms, "end": np.where(terminated, np.where(landed, 100.0, -100.0), 0.0)}


def _observations(name: str, value: np.ndarray, shape: tuple[int, ...] | None = None) -> np.ndarray:
    """Return ``value`` as float[..., 8], of the given shape if there is one."""
    array = real_array(name, value, shape)
    if array.shape[-1:] != (8,):
        raise ValueError(f"{name} has shape {array.shape}, but (..., 8) was expected")
    return array
