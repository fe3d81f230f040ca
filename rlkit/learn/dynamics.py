"""Two learners of a game with two actions each, as a path on the unit square: the exact motion of their policies.

A point (x, y) says how likely each player is to take its first action. A field says with which velocity the point moves,
if both learn in steps so small, or from so many plays for each, that chance has no say. numpy only.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from rlkit.core.checks import entry, first, number, real_array
from rlkit.games import MatrixGame
from rlkit.learn.independent import independent_learners, q_rule

Field = Callable[[np.ndarray], np.ndarray]


def first_action_advantage(game: MatrixGame, point: Any) -> np.ndarray:
    """Return by how much the first action is worth more than the second, to each player: the slope of its payoff.

    Args:
        game: of two players with two actions each.
        point: float[..., 2], the probability of the first action of both.

    Returns:
        float[..., 2].

    Raises:
        ValueError: another kind of game.
    """
    if game.shape != (2, 2):
        raise ValueError(f"the game has the shape {game.shape}, but a square is for (2, 2)")
    (row, column), x = game.payoffs, np.asarray(point)[..., 0]
    y = np.asarray(point)[..., 1]
    by_row, by_column = row[0] - row[1], column[:, 0] - column[:, 1]
    return np.stack([y * by_row[0] + (1 - y) * by_row[1], x * by_column[0] + (1 - x) * by_column[1]], axis=-1)


def gradient_field(game: MatrixGame) -> Field:
    """Return the field of gradient ascent: each policy moves along the slope of its own payoff.

    On an edge of the square, what points outwards is left out.

    Source: Singh, Kearns and Mansour (2000), infinitesimal gradient ascent.
    """
    return lambda point: _inside(point, first_action_advantage(game, point))


def wolf_field(game: MatrixGame, equilibrium: Any, slow: float = 0.25) -> Field:
    """Return the field of gradient ascent with a variable rate, win or learn fast: 1 while losing, ``slow`` while winning.

    A player is winning if it is paid more than its policy of the equilibrium would be, against what the other does now.

    Args:
        game: of two players with two actions each.
        equilibrium: float[2], the probabilities of the first actions there.
        slow: the rate while winning, in [0, 1].

    Source: Bowling and Veloso (2002), WoLF-IGA.
    """
    at = _point("equilibrium", equilibrium)
    slow = number("slow", slow, 0, 1)

    def field(point: np.ndarray) -> np.ndarray:
        slope = first_action_advantage(game, point)
        # The payoff is linear in one's own policy, so that the difference of both payoffs is slope times distance.
        winning = slope * (point - at) > 0
        return _inside(point, np.where(winning, slow, 1.0) * slope)

    return field


def boltzmann_field(game: MatrixGame, temperature: float) -> Field:
    """Return the field of Boltzmann Q-learning whose step of an action is divided by how likely that action is.

    Then both values of a player move towards their means at the same rate, d Q(a) = E[r | a] - Q(a), and the policies
    obey a law of their own: dx = x (1 - x) [slope / T - ln(x / (1 - x))]. Q-learning without the division has the same
    points of rest, and another speed.

    Args:
        game: of two players with two actions each.
        temperature: T, above 0.

    Source: Tuyls, Verbeeck and Lenaerts (2003); Kaisers and Tuyls (2010) for the division.
    """
    temperature = number("temperature", temperature, 0, np.inf)
    if temperature == 0:
        raise ValueError("temperature is 0, but it must be above 0")

    def field(point: np.ndarray) -> np.ndarray:
        p = np.clip(point, 1e-12, 1 - 1e-12)  # at 0 and 1 the logarithm has no value, and x (1 - x) takes it away
        return p * (1 - p) * (first_action_advantage(game, p) / temperature - np.log(p / (1 - p)))

    return field


def learning_path(field: Field, start: Any, *, time: float, step: float = 0.01) -> np.ndarray:
    """Follow a field from a point, by the fourth-order method of Runge and Kutta.

    Args:
        field: float[..., 2] to float[..., 2], a velocity at every point.
        start: float[2], in the unit square.
        time: how long, above 0.
        step: the time between two points of the path.

    Returns:
        float[T, 2], T = 1 + time / step rounded; the first point is the start.

    Raises:
        ValueError: a start outside the square, times that are not positive, or more than a million points.
    """
    points = [_point("start", start)]
    time, h = number("time", time, 0, np.inf), number("step", step, 0, np.inf)
    if not (h > 0 and 0 < time / h <= 1e6):
        raise ValueError(f"time is {time:g} and step {h:g}, but between one and a million steps were expected")
    for _ in range(max(1, round(time / h))):
        p = points[-1]
        k1 = field(p)
        k2 = field(np.clip(p + h / 2 * k1, 0, 1))
        k3 = field(np.clip(p + h / 2 * k2, 0, 1))
        k4 = field(np.clip(p + h * k3, 0, 1))
        points.append(np.clip(p + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4), 0, 1))
    return np.array(points)


def sampled_path(
    game: MatrixGame,
    start: Any,
    temperature: float,
    *,
    alpha: float = 0.01,
    steps: int = 2000,
    keep_every: int = 20,
    seed: int | np.random.Generator = 0,
) -> np.ndarray:
    """Let two Boltzmann Q-learners play, and return the path of their policies.

    Their tables begin at the mean of what both actions are worth at the start, and as far apart as gives its policies.
    They learn only from what they do: beside :func:`boltzmann_field`, they also move at another speed.

    Args:
        game: of two players with two actions each.
        start: float[2], strictly within the square.
        temperature: above 0.
        alpha: the step size.
        steps: how often the game is played.
        keep_every: after how many steps there is a point of the path.
        seed: a whole number, or a numpy.random.Generator.

    Returns:
        float[T, 2], T = 1 + steps // keep_every.

    Raises:
        ValueError: at the door, for any argument that does not fit.
    """
    x, y = point = _point("start", start)
    first_action_advantage(game, point)  # refuses another kind of game
    if not ((point > 0) & (point < 1)).all():
        raise ValueError(f"start is ({x:g}, {y:g}), but a Boltzmann policy is never certain: keep within the square")
    apart = number("temperature", temperature, 0, np.inf) * np.log(point / (1 - point))
    both = [[x, 1 - x], [y, 1 - y]]
    Q0 = [game.action_values(i, both).mean() + apart[i] / 2 * np.array([1, -1]) for i in (0, 1)]
    rule = partial(q_rule, alpha=number("alpha", alpha, 0, 1))
    run = independent_learners(
        game, rule, steps=steps, temperature=lambda t: temperature, Q0=Q0, seed=seed, keep_every=keep_every
    )
    return np.stack([pi[:, 0, 0] for pi in run.policies], axis=-1)


def _inside(point: np.ndarray, velocity: np.ndarray) -> np.ndarray:
    """Return the velocity without what would leave the square."""
    out = ((point <= 0) & (velocity < 0)) | ((point >= 1) & (velocity > 0))
    return np.where(out, 0.0, velocity)


def _point(name: str, value: Any) -> np.ndarray:
    point = real_array(name, value, (2,))
    bad = (point < 0) | (point > 1)
    if bad.any():
        raise ValueError(f"{entry(name, first(bad))} is {point[first(bad)]:g}, but a probability was expected")
    return point.copy()
