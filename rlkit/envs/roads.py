"""Winding roads for the car of :mod:`rlkit.envs.driving`: seeded, and drawn from the bend to the edge."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from rlkit.core.checks import real_array, whole_number

WIDTH = 6.0
"""How wide every road is, in metres."""
SHARPEST = 14.0
"""The radius of the sharpest bend, in metres."""
STEEPEST = np.deg2rad(75)
"""How far a road may turn away from the x axis: one that always goes on along x cannot meet itself."""
MARGIN = 30
"""Metres of straight road before the start and behind the finish, so that there is something to see there."""
TRAINING_ROADS = range(64)
"""The seeds of the roads to learn on."""
HELD_OUT_ROADS = range(1000, 1100)
"""The seeds of the roads to be tested on."""

_LENGTH, _STRAIGHT = 300, 10


@dataclass(frozen=True, eq=False)
class Road:
    """A road: S cross-sections, one for each metre of the centre line, a chain of straight pieces of 1 m.

    It begins at the origin along the x axis; ``MARGIN`` cross-sections lie before the start, and as many behind the finish.

    Attributes:
        length: from the start to the finish, in metres.
        distance: float[S], metres along the centre line, 0 at the start.
        centre, left, right: float[S, 2], the middle and the edges, in metres; the edges are half of ``WIDTH`` away.
        heading: float[S], the direction of the road in radians, counted from the x axis to the left.
        curvature: float[S], radians per metre, positive to the left.
    """

    length: int
    distance: np.ndarray
    centre: np.ndarray
    left: np.ndarray
    right: np.ndarray
    heading: np.ndarray
    curvature: np.ndarray

    @property
    def finish(self) -> int:
        """Which cross-section is the finish."""
        return MARGIN + self.length

    @classmethod
    def along(cls, curvature: Any) -> Road:
        """Return the road that bends as told.

        Args:
            curvature: float[L], for each metre from the start: by how many radians the road turns left at its end.

        Raises:
            ValueError: no metre at all, a bend sharper than ``SHARPEST``, or a heading beyond ``STEEPEST``.
        """
        bend = real_array("curvature", curvature)
        if bend.ndim != 1 or not len(bend):
            raise ValueError(f"curvature has shape {bend.shape}, but one number for each metre was expected")
        if (abs(bend) > 1 / SHARPEST).any():
            worst = bend[abs(bend).argmax()]
            raise ValueError(
                f"curvature reaches {worst:g}, but no more than 1/{SHARPEST:g} was expected, a radius of 14 m"
            )
        if (abs(bend.cumsum()) > STEEPEST).any():
            raise ValueError("curvature turns the road by more than 75 degrees, but then it could meet itself")
        turn = np.concatenate([np.zeros(MARGIN + 1), bend, np.zeros(MARGIN)])  # at each cross-section
        ahead = turn.cumsum()  # the direction of the metre after each cross-section
        heading = ahead - turn / 2
        metre = np.column_stack([np.cos(ahead), np.sin(ahead)])[:-1]
        centre = np.concatenate([np.zeros((1, 2)), metre.cumsum(axis=0)]) - [MARGIN, 0]
        side = WIDTH / 2 * np.column_stack([-np.sin(heading), np.cos(heading)])
        distance = np.arange(len(turn)) - float(MARGIN)
        arrays = distance, centre, centre + side, centre - side, heading, turn
        for array in arrays:
            array.flags.writeable = False  # roads are shared
        return cls(len(bend), *arrays)


@cache
def make_road(seed: int) -> Road:
    """Return a winding road of 300 m: bend after bend, each to a new heading at least 30 degrees away.

    The first 10 m are straight, and so may be some metres between bends and up to 44 m before the finish. A bend of angle
    A and length l has the curvature (2 A / l) sin^2(pi s / l), so that it begins and ends gently; in its middle the radius
    is 14 to 25 m.

    Args:
        seed: a whole number, which says everything about the road.
    """
    rng = np.random.default_rng(whole_number("seed", seed, 0))
    pieces, metres, heading = [np.zeros(_STRAIGHT)], _STRAIGHT, 0.0
    while metres < _LENGTH - 30:
        to = rng.uniform(-70, 70)
        angle = np.deg2rad(to - heading)
        size = int(np.ceil(2 * abs(angle) * rng.uniform(SHARPEST, 25)))
        if abs(to - heading) < 30 or metres + size > _LENGTH:
            continue
        shape = np.sin(np.pi * (np.arange(size) + 0.5) / size) ** 2
        pieces += [angle * shape / shape.sum(), np.zeros(rng.integers(0, 15))]
        metres, heading = metres + len(pieces[-2]) + len(pieces[-1]), to
    return Road.along(np.concatenate([*pieces, np.zeros(30)])[:_LENGTH])


def make_roads(seeds: Iterable[int]) -> tuple[Road, ...]:
    """Return one road for each seed, such as ``TRAINING_ROADS`` or ``HELD_OUT_ROADS``; they are made only once."""
    return tuple(make_road(seed) for seed in seeds)
