"""The self-driving car: a car that keeps its speed is to be steered along a winding road, by what its rays see.

A kinematic bicycle: the middle of the rear axle moves where the car points, and with the steering angle d it runs on a circle of
the radius ``WHEELBASE / tan(d)``. No wheel slips, at any speed.
After the self-driving example of Alexander Amini's lecture on reinforcement learning (MIT 6.S191).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import gymnasium
import numpy as np
from gymnasium.error import ResetNeeded
from gymnasium.spaces import Box, Discrete
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space

from rlkit.core.checks import brief, entry, first, real_array, whole_number
from rlkit.envs.roads import MARGIN, SHARPEST, TRAINING_ROADS, WIDTH, Road, make_roads

DT = 0.1
"""Seconds in one step."""
WHEELBASE = 2.5
"""From the rear axle to the front axle, in metres."""
FULL_LOCK = 0.5
"""The largest steering angle, in radians: the car then runs on a circle with a radius of 4.6 m."""
SPEEDS = (8.0, 12.0)
"""The lowest and the highest speed, in metres per second."""
RAY_ANGLES = np.deg2rad([-90, -60, -30, 0, 30, 60, 90])
"""Where the rays point, in radians from straight ahead to the left."""
RAY_RANGE = 20.0
"""How far a ray reaches, in metres."""
LOOK_AHEAD = (6, 12, 20)
"""How many metres ahead the curvature of the road is seen."""

_STARTS = {"speed": SPEEDS, "offset": (-1.0, 1.0), "angle": (-0.15, 0.15)}
# A ray of 20 m within the road passes the most cross-sections along the inner edge of the sharpest bend.
_WINDOW = int(np.ceil(RAY_RANGE / (1 - WIDTH / 2 / SHARPEST))) + 2
_COS, _SIN = np.array([np.cos(RAY_ANGLES), np.sin(RAY_ANGLES)], np.float32)[:, :, None]


class Driving(VectorEnv):
    """``num_envs`` cars, each on a road of its own, stepped together.

    An episode draws a road, a speed that is kept, and a start a little beside the middle and a little askew. Each step
    lasts 0.1 s and pays the progress along the centre line, in metres. The episode terminates when the reference point, the
    middle of the rear axle, has left the road, or has reached its finish; it is truncated after ``limit`` steps. Then
    it restarts in Gymnasium's mode NEXT_STEP. The chance of each car is its own: what others do does not change it, and
    a smaller batch of the same seed has the same first cars.

    What a car sees is float32[11]: seven rays from the reference point to the edge of the road, from right to left, divided by
    their range of 20 m; the speed, from -1 (8 m/s) to 1 (12 m/s); the curvature of the road 6, 12 and 20 m ahead, from -1
    (the sharpest bend to the right, a radius of 14 m) to 1.

    Args:
        num_envs: how many cars.
        roads: what to drive on (default: ``make_roads(TRAINING_ROADS)``).
        steering: None: an action is float[1] from -1 (full lock to the right) to 1 (to the left). A whole number n of at
            least 2: an action is one of n angles, evenly spaced, from 0 (full lock to the left) to n - 1 (to the right).
        limit: the most steps of an episode. The longest way at the lowest speed takes fewer than 500.

    Attributes:
        road: int[N], which of ``roads``.
        position: float[N, 2], the reference point in metres.
        heading: float[N], in radians from the x axis to the left.
        speed: float[N], in metres per second.
        steering_angle: float[N], of the last step, in radians, positive to the left.
        travelled: float[N], the progress of the episode in metres along the centre line.
        offset: float[N], metres from the centre line, positive to the left.
        finished: bool[N], whether the car has reached the finish.
        rays: float32[N, 7], the distances to the edge in metres; 0 where the car has left the road.

    Raises:
        ValueError: an argument, an action or an option of ``reset`` that makes no sense.
        gymnasium.error.ResetNeeded: ``step`` before the first ``reset``.
    """

    metadata: dict[str, Any] = {"render_modes": [], "autoreset_mode": AutoresetMode.NEXT_STEP}

    def __init__(
        self, num_envs: int, roads: Iterable[Road] | None = None, steering: int | None = None, limit: int = 500
    ):
        self.num_envs, self.limit = whole_number("num_envs", num_envs, 1), whole_number("limit", limit, 1)
        roads = make_roads(TRAINING_ROADS) if roads is None else roads
        self.roads = tuple(roads) if isinstance(roads, Iterable) else ()
        if not self.roads or not all(isinstance(road, Road) for road in self.roads):
            raise ValueError(f"roads is {brief(roads)}, but one or more of rlkit.envs.Road were expected")
        self.angles = None  # float[n], the angles to choose from, in radians
        self.single_action_space = Box(-1, 1, (1,), np.float32)
        if steering is not None:
            self.angles = np.linspace(FULL_LOCK, -FULL_LOCK, whole_number("steering", steering, 2))
            self.single_action_space = Discrete(len(self.angles))
        low = np.array([0] * len(RAY_ANGLES) + [-1] * (1 + len(LOOK_AHEAD)), np.float32)
        self.single_observation_space = Box(low, np.ones_like(low))
        self.observation_space = batch_space(self.single_observation_space, self.num_envs)
        self.action_space = batch_space(self.single_action_space, self.num_envs)
        self._cars = np.arange(self.num_envs)
        self._streams: list[np.random.Generator] = []
        # All roads one behind the other. A quad lies between a cross-section and the next; it has the number of the first.
        self._first = np.cumsum([0] + [len(road.distance) for road in self.roads[:-1]]) + MARGIN
        self._length = np.array([road.length for road in self.roads], float)
        self._centre, self._left, self._right = (
            np.concatenate([getattr(road, name) for road in self.roads]) for name in ("centre", "left", "right")
        )
        self._curvature = np.concatenate([road.curvature for road in self.roads])
        self._normal = (self._left - self._right) / WIDTH
        edges = np.stack([self._left.T, self._right.T])
        self._windows = np.lib.stride_tricks.sliding_window_view(edges, _WINDOW, axis=-1)  # [edge, xy, quad, window]

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        """Begin an episode in every world.

        Args:
            seed: of all chance from now on (default: chance goes on where it was).
            options: what is not to be left to chance in these episodes, one value or one for each car: "road" (its place in
                ``roads``), "speed" (m/s), "offset" (metres to the left of the middle), "angle" (radians to the left of the road).

        Returns:
            The observation, float32[N, 11], and {"finished": bool[N]}.
        """
        told = self._checked_options(options or {})
        super().reset(seed=seed)
        if seed is not None or not self._streams:
            self._streams = self.np_random.spawn(self.num_envs)
        N = self.num_envs
        self.road, self._quad, self._age = np.zeros(N, int), np.zeros(N, int), np.zeros(N, int)
        self.position, self._along = np.zeros((N, 2)), np.zeros(N)
        self.heading, self.speed, self.steering_angle = np.zeros(N), np.zeros(N), np.zeros(N)
        self.offset, self.travelled = np.zeros(N), np.zeros(N)
        self._over, self.finished = np.zeros(N, bool), np.zeros(N, bool)
        self._begin(self._cars, told)
        self.rays = self._measure()
        return self._observe(), {"finished": self.finished.copy()}

    def step(self, actions: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, dict[str, Any]]:
        """Steer every car, by float[N, 1] or int[N] as ``steering`` says; where an episode has ended, begin a new one.

        Returns:
            The observation, float32[N, 11], the reward, float[N], terminated and truncated, bool[N], and
            {"finished": bool[N]}.
        """
        if not self._streams:
            raise ResetNeeded("call reset() before the first step()")
        self.steering_angle = self._checked_angle(actions)
        over, before = self._over, self.travelled
        turn = np.tan(self.steering_angle) / WHEELBASE * self.speed * DT
        # an arc of the angle `turn`: its chord lies half way between the old heading and the new
        chord, way = self.speed * DT * np.sinc(turn / (2 * np.pi)), self.heading + turn / 2
        self.position = self.position + (chord * np.array([np.cos(way), np.sin(way)])).T
        self.heading = self.heading + turn
        self._locate()
        length = self._length[self.road]
        self.travelled = np.minimum(self._quad - self._first[self.road] + self._along, length)
        outside = abs(self.offset) > WIDTH / 2
        self.finished = ~outside & ~over & (self.travelled == length)
        terminated = (outside | self.finished) & ~over
        self._age = self._age + 1
        truncated = (self._age >= self.limit) & ~terminated & ~over
        reward = self.travelled - before
        if over.any():
            reward[over] = 0
            self._begin(np.flatnonzero(over), {})
            outside[over] = False
        self._over = terminated | truncated
        self.rays = self._measure()
        self.rays[outside] = 0
        return self._observe(), reward, terminated, truncated, {"finished": self.finished.copy()}

    def _begin(self, cars: np.ndarray, told: dict[str, np.ndarray]) -> None:
        """Begin an episode for ``cars``, int[M], with what is ``told`` and chance for the rest."""
        draws = np.array([self._streams[i].random(1 + len(_STARTS)) for i in cars])
        start = {name: low + (high - low) * draws[:, k] for k, (name, (low, high)) in enumerate(_STARTS.items(), 1)}
        start |= {"road": (draws[:, 0] * len(self.roads)).astype(int)} | told
        self.road, self.speed = self.road.copy(), self.speed.copy()  # whoever looks at them may keep what was seen
        self.road[cars], self.speed[cars] = start["road"], start["speed"]
        self.heading[cars], self.offset[cars] = start["angle"], start["offset"]
        self.position[cars] = np.column_stack([np.zeros(len(cars)), start["offset"]])  # every road begins along x
        self._quad[cars], self._along[cars] = self._first[start["road"]], 0.0
        self.travelled[cars], self.steering_angle[cars], self._age[cars] = 0.0, 0.0, 0

    def _locate(self) -> None:
        """Find every car's quad, and where in it: p = c(t) + offset n(t), with centre c and normal n between cross-sections.

        So a car is on the road exactly as long as it is between the edges as they are drawn.
        """
        # No step is longer than two metres of the centre line: four cross-sections say in which of five quads the car is.
        near = self._quad[:, None] + np.arange(-1, 3)
        away, normal = self.position[:, None] - self._centre[near], self._normal[near]
        past = _cross(away, normal) >= 0
        quad = self._quad = self._quad - 2 + past.sum(axis=1)
        p, d = self.position - self._centre[quad], self._centre[quad + 1] - self._centre[quad]
        n = self._normal[quad]
        m = self._normal[quad + 1] - n
        a, b, c = _cross(d, m), _cross(d, n) - _cross(p, m), _cross(p, n)  # a t^2 + b t = c
        t = self._along = 2 * c / (b + np.sqrt(b * b + 4 * a * c))
        here, normal = p - t[:, None] * d, n + t[:, None] * m
        self.offset = (here * normal).sum(axis=1) / (normal * normal).sum(axis=1)

    def _measure(self) -> np.ndarray:
        """Return float32[N, 7], how far the rays of every car go."""
        x, y = self.position.T
        cos, sin = np.cos(self.heading), np.sin(self.heading)
        distance, behind = _leave(_turned(self._windows[:, :, self._quad], x, y, cos, sin), _COS, _SIN)
        if behind.any():
            # seen backwards, the last cross-section is the first, and the left edge the right one
            ray, car = np.nonzero(behind)
            window = self._windows[:, :, self._quad[car] + 2 - _WINDOW][::-1, :, :, ::-1]
            seen = _turned(window, x[car], y[car], cos[car], sin[car])
            distance[ray, car] = _leave(seen, _COS[ray].T, _SIN[ray].T)[0]
        return distance.T.copy()

    def _observe(self) -> np.ndarray:
        R = len(RAY_ANGLES)
        seen = np.empty((self.num_envs, R + 1 + len(LOOK_AHEAD)), np.float32)
        seen[:, :R] = self.rays / RAY_RANGE
        seen[:, R] = (self.speed - SPEEDS[0]) * 2 / (SPEEDS[1] - SPEEDS[0]) - 1
        at = self._quad[:, None] + np.array(LOOK_AHEAD)
        t = self._along[:, None]
        seen[:, R + 1 :] = SHARPEST * ((1 - t) * self._curvature[at] + t * self._curvature[at + 1])
        return seen

    def _checked_angle(self, actions: Any) -> np.ndarray:
        """Return the steering angles, float[N], or say in one sentence what is wrong with ``actions``."""
        action = np.asarray(actions)
        if self.angles is not None:
            if action.shape != (self.num_envs,) or action.dtype.kind not in "iu":
                raise ValueError(f"actions must be int[{self.num_envs}], not {action.dtype}{list(action.shape)}")
            if action.min() < 0 or action.max() >= len(self.angles):
                where = first((action < 0) | (action >= len(self.angles)))
                raise ValueError(
                    f"{entry('actions', where)} is {action[where]}, but 0 to {len(self.angles) - 1} was expected"
                )
            return self.angles[action]
        action = real_array("actions", actions, (self.num_envs, 1))
        if abs(action).max() > 1:
            where = first(abs(action) > 1)
            raise ValueError(f"{entry('actions', where)} is {action[where]:g}, but it must lie in [-1, 1]")
        return FULL_LOCK * action[:, 0]

    def _checked_options(self, options: dict[str, Any]) -> dict[str, np.ndarray]:
        """Return one value for each car for what ``options`` name."""
        bounds = _STARTS | {"road": (0, len(self.roads) - 1), "offset": (-WIDTH / 2, WIDTH / 2), "angle": (-1.0, 1.0)}
        told = {}
        for name, value in options.items():
            if name not in bounds:
                raise ValueError(f"options has {name!r}, but only {', '.join(sorted(bounds))} were expected")
            array = real_array(name, value)
            if array.shape not in ((), (self.num_envs,)):
                raise ValueError(f"{name} has shape {array.shape}, but one number for each car was expected")
            low, high = bounds[name]
            wrong = (array < low) | (array > high) | (name == "road") & (array % 1 != 0)
            if wrong.any():
                kind = "a whole number from" if name == "road" else "a number from"
                raise ValueError(f"{name} is {array[wrong].flat[0]:g}, but {kind} {low:g} to {high:g} was expected")
            told[name] = np.broadcast_to(array, self.num_envs).astype(int if name == "road" else float)
        return told


class DrivingEnv(gymnasium.Env):
    """One car, as a Gymnasium environment: the first of a :class:`Driving` with the same arguments and the same seed.

    Args:
        roads, steering, limit: as in :class:`Driving`.

    Attributes:
        world: the :class:`Driving` of one car behind it.
    """

    metadata: dict[str, Any] = {"render_modes": []}

    def __init__(self, roads: Iterable[Road] | None = None, steering: int | None = None, limit: int = 500):
        self.world = Driving(1, roads, steering, limit)
        self.observation_space = self.world.single_observation_space
        self.action_space = self.world.single_action_space
        self._running = False

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        """Begin an episode; ``options`` are those of :meth:`Driving.reset`."""
        super().reset(seed=seed)
        obs, info = self.world.reset(seed=seed, options=options)
        self._running = True
        return obs[0], {"finished": bool(info["finished"][0])}

    def step(self, action: Any) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        """Steer, by float[1] or an int as ``steering`` says."""
        if not self._running:
            raise ResetNeeded("call reset() before step(), and after the end of an episode")
        obs, reward, terminated, truncated, info = self.world.step(np.asarray(action)[None])
        self._running = not (terminated[0] or truncated[0])
        return (
            obs[0],
            float(reward[0]),
            bool(terminated[0]),
            bool(truncated[0]),
            {"finished": bool(info["finished"][0])},
        )


def _cross(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return a_x b_y - a_y b_x, float[...], of vectors float[..., 2]."""
    product: np.ndarray = a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0]
    return product


def _turned(edges: np.ndarray, x: np.ndarray, y: np.ndarray, cos: np.ndarray, sin: np.ndarray) -> np.ndarray:
    """Return ``edges``, float[2, 2, N, W], as seen from (x, y) in the direction (cos, sin), each float[N]: x ahead, y left."""
    # what is near needs no double precision
    east, north = (edges - np.array([x, y])[:, :, None]).astype(np.float32).swapaxes(0, 1)
    cos, sin = cos.astype(np.float32)[:, None], sin.astype(np.float32)[:, None]
    return np.stack([cos * east + sin * north, cos * north - sin * east], axis=1)


def _leave(edges: np.ndarray, cos: np.ndarray, sin: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Follow R rays of each of N cars from the origin through the quads of its road until they leave it.

    A quad is convex and a ray is straight. So the ray passes to the next quad exactly if the left end of the cross-section
    between them lies to its left and the right end to its right. The first cross-section that it does not pass ends the
    quad in which it leaves: through the edge that there changes sides.

    Args:
        edges: float32[2, 2, N, W], left and right edge, x and y, at W cross-sections; the car is in the first quad.
        cos, sin: float32[R, 1] or float32[1, N], the directions of the rays.

    Returns:
        float32[R, N], how far it is, at most RAY_RANGE; bool[R, N], whether the ray leaves the first quad backwards instead.
    """
    W = edges.shape[-1]
    aside = cos[..., None] * edges[:, 1, None]  # how far to the left of the ray the edges lie, [2, R, N, W]
    aside -= sin[..., None] * edges[:, 0, None]
    passes = (aside[0] > 0) & (aside[1] < 0)
    passes[..., 0] = True
    end = passes.argmin(axis=-1)
    endless = end == 0  # it passes all cross-sections that are there
    R, N = end.shape
    ends = np.maximum(end - 1, 0) + np.array([0, 1])[:, None, None]  # of the quad in which it leaves, [2, R, N]
    at = ends + W * np.arange(R * N).reshape(R, N)
    l0, l1, r0, r1 = aside.take(np.concatenate([at, at + W * R * N]))
    by_left, by_right = (l0 > 0) & (l1 <= 0), (r0 < 0) & (r1 >= 0)
    leaves = by_left | by_right
    begin = np.where(by_left, l0, r0)
    change = begin - np.where(by_left, l1, r1)
    share = np.divide(begin, change, out=np.zeros_like(begin), where=leaves)  # of the edge's metre
    at = ends + W * np.arange(N) + np.where(by_left, 0, 2 * W * N)
    near, far = cos * edges.take(at) + sin * edges.take(at + W * N)
    distance = np.where(endless, np.float32(RAY_RANGE), (near + share * (far - near)).clip(0, RAY_RANGE))
    return distance, ~(leaves | endless)
