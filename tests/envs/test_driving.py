"""The self-driving car: roads, motion and rays against exact geometry, and Gymnasium's contract."""

from __future__ import annotations

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from gymnasium.vector import AutoresetMode
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import brentq

from rlkit.envs import HELD_OUT_ROADS, TRAINING_ROADS, Driving, DrivingEnv, Road, Worlds, make_road, make_roads
from rlkit.envs.driving import FULL_LOCK, LOOK_AHEAD, RAY_ANGLES, RAY_RANGE, WHEELBASE
from rlkit.envs.roads import MARGIN, SHARPEST, WIDTH
from tests.learn.chance import ERROR_RATE, allowed, p_value

TRAINING, HELD_OUT = make_roads(TRAINING_ROADS), make_roads(HELD_OUT_ROADS)
STRAIGHT = Road.along(np.zeros(100))
BENDS = Road.along(np.concatenate([np.full(15, 1 / SHARPEST), np.full(30, -1 / SHARPEST), np.full(15, 1 / SHARPEST)]))
both_sets = pytest.mark.parametrize("roads", [TRAINING, HELD_OUT], ids=["training", "held out"])
both_kinds = pytest.mark.parametrize("steering", [None, 5], ids=["angle", "five"])


def at_random(env, rng):
    """Return uniformly random actions for a Driving."""
    if env.angles is None:
        return rng.uniform(-1, 1, (env.num_envs, 1))
    return rng.integers(len(env.angles), size=env.num_envs)


def driver(obs, steering=None):
    """Return the actions of a driver who sees only what ``obs`` shows: half a bend ahead, and towards the middle."""
    right, left, bend = obs[:, 0] * RAY_RANGE, obs[:, 6] * RAY_RANGE, obs[:, 8] / SHARPEST
    angle = np.arctan(WHEELBASE * (0.4 * bend + 0.05 * (left - right) / 2)) + 0.5 * (obs[:, 4] - obs[:, 2])
    action = np.clip(angle / FULL_LOCK, -1, 1)
    return action[:, None] if steering is None else np.rint((1 - action) / 2 * (steering - 1)).astype(int)


def first_episodes(env, choose, seed=0, options=None):
    """Return of each car's first episode: metres, whether it has finished, and steps."""
    obs, _ = env.reset(seed=seed, options=options)
    metres, finished, steps = np.zeros(env.num_envs), np.zeros(env.num_envs, bool), np.zeros(env.num_envs, int)
    under_way = np.ones(env.num_envs, bool)
    while under_way.any():
        obs, _, terminated, truncated, info = env.step(choose(obs))
        metres[under_way], finished[under_way] = env.travelled[under_way], info["finished"][under_way]
        steps[under_way] += 1
        under_way &= ~(terminated | truncated)
    return metres, finished, steps


# --- roads ---


@both_sets
def test_roads_are_as_they_should_be(roads):
    for road in roads:
        assert road.length == 300
        assert np.array_equal(road.distance, np.arange(-MARGIN, 300 + MARGIN + 1))
        begin = road.distance <= 10
        assert np.array_equal(road.centre[begin], np.column_stack([road.distance[begin], np.zeros(begin.sum())]))
        assert road.curvature[road.distance > 300].tolist() == [0] * MARGIN
        assert abs(road.curvature).max() <= 1 / SHARPEST
        assert abs(np.diff(road.curvature)).max() < 0.02, "no jump: the sharpest bend has 0.07"
        assert np.rad2deg(abs(road.heading).max()) < 75
        np.testing.assert_allclose(np.hypot(*np.diff(road.centre, axis=0).T), 1, atol=1e-12)
        side = np.column_stack([-np.sin(road.heading), np.cos(road.heading)])
        np.testing.assert_allclose(road.left - road.centre, 3 * side, atol=1e-12)
        np.testing.assert_allclose(road.right - road.centre, -3 * side, atol=1e-12)
        assert WIDTH == 6


@both_sets
def test_roads_do_not_meet_themselves(roads):
    """Both edges lead on along x without end, one above the other; and the quads between are convex."""
    for road in [*roads, BENDS]:
        assert (np.diff(road.left[:, 0]) > 0).all()
        assert (np.diff(road.right[:, 0]) > 0).all()
        x = np.linspace(-20, road.centre[-1, 0] - 10, 2000)
        assert (np.interp(x, *road.left.T) - np.interp(x, *road.right.T) > 5.9).all()
        corners = np.array([road.right[:-1], road.right[1:], road.left[1:], road.left[:-1]])
        sides = np.roll(corners, -1, axis=0) - corners
        following = np.roll(sides, -1, axis=0)
        assert (sides[..., 0] * following[..., 1] - sides[..., 1] * following[..., 0] > 0).all()


def test_a_seed_says_which_road_and_it_is_made_once():
    assert make_road(3) is make_roads([3])[0]
    again = make_road.__wrapped__(3)
    assert again is not make_road(3)
    assert np.array_equal(again.centre, make_road(3).centre)
    assert len(TRAINING_ROADS) == len(TRAINING) == 64
    assert len(HELD_OUT_ROADS) == len(HELD_OUT) == 100
    assert len({road.curvature.tobytes() for road in TRAINING + HELD_OUT}) == 164, "no road is there twice"
    with pytest.raises(ValueError, match="read-only"):
        make_road(3).centre[0] = 0


@given(radius=st.floats(SHARPEST, 500), metres=st.integers(1, 15), way=st.sampled_from([-1, 1]))
def test_a_road_of_constant_curvature_is_a_polygon_around_a_point(radius, metres, way):
    """Pieces of 1 m that turn by the angle a each are the sides of a polygon with the radius 1 / (2 sin(a / 2))."""
    angle = way / radius
    road = Road.along(np.full(metres, angle))
    inner = slice(MARGIN + 1, MARGIN + 1 + metres)  # where it turns
    to_point = way * np.column_stack([-np.sin(road.heading), np.cos(road.heading)])[inner]
    r = 1 / (2 * np.sin(abs(angle) / 2))
    point = road.centre[inner] + r * to_point
    np.testing.assert_allclose(point, np.broadcast_to(point[0], point.shape), atol=1e-8)
    np.testing.assert_allclose(np.hypot(*(road.left[inner] - point[0]).T), r - 3 * way, atol=1e-8)
    np.testing.assert_allclose(np.hypot(*(road.right[inner] - point[0]).T), r + 3 * way, atol=1e-8)
    assert road.heading[-1] == pytest.approx(metres * angle)


@both_sets
def test_every_road_needs_steering(roads):
    """Straight ahead, from the middle of the road: nobody gets further than a fifth of the way."""
    env = Driving(len(roads), roads)
    options = {"road": np.arange(len(roads)), "offset": 0, "angle": 0, "speed": 10}
    metres, finished, _ = first_episodes(env, lambda obs: np.zeros((len(obs), 1)), options=options)
    assert not finished.any()
    assert (metres > 10).all(), "the first ten metres are straight"
    assert (metres < 60).all()


# --- motion ---


@settings(max_examples=50)
@given(action=st.floats(-1, 1).filter(lambda a: abs(a) > 1e-3), speed=st.floats(8, 12), angle=st.floats(-0.5, 0.5))
def test_constant_steering_is_a_circle(action, speed, angle):
    """Its radius is wheelbase / tan(angle), to 1e-9 of it; the car points along it, and covers speed times time."""
    env = Driving(1, [STRAIGHT])
    env.reset(seed=0, options={"offset": 0, "angle": angle, "speed": speed})
    radius = WHEELBASE / np.tan(FULL_LOCK * action)
    centre = env.position[0] + radius * np.array([-np.sin(angle), np.cos(angle)])
    over, t = False, 0
    while not over:
        _, _, terminated, truncated, _ = env.step([[action]])
        over, t = terminated[0] or truncated[0], t + 1
        heading = angle + speed * t * 0.1 / radius
        here = centre + radius * np.array([np.sin(heading), -np.cos(heading)])
        np.testing.assert_allclose(env.position[0], here, rtol=0, atol=1e-9 * max(1, abs(radius)))
        assert env.heading[0] == pytest.approx(heading, abs=1e-12)
        assert env.steering_angle[0] == FULL_LOCK * action
        assert env.speed[0] == speed


@pytest.mark.parametrize("way", [-1, 1])
def test_a_road_that_bends_like_the_car_is_followed_to_the_end_of_the_bend(way):
    """A road around a point, and a car that circles around the same point, so that its offset does not change."""
    radius = 1 / (2 * np.sin(1 / 20 / 2))  # of the polygon
    road = Road.along(way * np.full(26, 1 / 20))
    inside = radius * np.cos(1 / 40)  # the middle of the first side touches the circle
    env = Driving(1, [road])
    env.reset(seed=0, options={"offset": 0, "angle": 0, "speed": 10})
    env.position = np.array([[0.5, 0.0]])  # the middle of the first side
    action = way * np.arctan(WHEELBASE / inside) / FULL_LOCK
    for _ in range(25):
        _, _, terminated, _, _ = env.step([[action]])
        assert not terminated[0]
        assert abs(env.offset[0]) < radius - inside + 1e-9
    assert env.travelled[0] == pytest.approx(0.5 + 25 / inside * 20, abs=0.01)


def test_straight_is_straight():
    env = Driving(3, [STRAIGHT])
    env.reset(seed=0, options={"offset": [-1, 0, 1], "angle": 0, "speed": [8, 10, 12]})
    for t in range(1, 80):
        _, reward, terminated, _, _ = env.step(np.zeros((3, 1)))
        np.testing.assert_allclose(env.position[:, 0], env.speed * 0.1 * t, atol=1e-12)
        assert env.position[:, 1].tolist() == env.offset.tolist() == [-1, 0, 1]
        assert env.heading.tolist() == [0, 0, 0]
        np.testing.assert_allclose(reward, [0.8, 1.0, 1.2], atol=1e-12)
        assert not terminated.any()


# --- the place on the road ---


def place(road, p):
    """Return metres along the centre line and metres from it, found by a search along the road."""
    normal = np.column_stack([-np.sin(road.heading), np.cos(road.heading)])

    def between(table, s):
        return np.array([np.interp(s, road.distance, column) for column in table.T])

    def ahead(s):
        away, n = p - between(road.centre, s), between(normal, s)
        return away[0] * n[1] - away[1] * n[0]

    near = road.distance[np.hypot(*(road.centre - p).T).argmin()]
    s = brentq(ahead, near - 3, near + 3, xtol=1e-13)
    n = between(normal, s)
    return s, (p - between(road.centre, s)) @ n / (n @ n)


def inside(road, p):
    """Return whether p lies in the polygon of both edges: a line to the right of it crosses them an odd number of times."""
    polygon = np.concatenate([road.left, road.right[::-1]])
    (x0, y0), (x1, y1) = polygon.T, np.roll(polygon, -1, axis=0).T
    spans = (y0 > p[1]) != (y1 > p[1])
    with np.errstate(divide="ignore", invalid="ignore"):
        crossing = x0 + (p[1] - y0) / (y1 - y0) * (x1 - x0)
    return (spans & (crossing > p[0])).sum() % 2 == 1


@pytest.mark.parametrize("roads", [TRAINING, [BENDS]], ids=["training", "the sharpest bends"])
def test_progress_and_offset_are_those_of_the_road_as_it_is_drawn(roads):
    """Against a search along the centre line, and against a point in a polygon."""
    env, rng, left = Driving(40, roads), np.random.default_rng(0), 0
    obs, _ = env.reset(seed=0)
    for _ in range(150):
        obs, _, terminated, _, _ = env.step(np.clip(driver(obs) + rng.normal(0, 2, (40, 1)), -1, 1))
        for i in range(40):
            s, offset = place(roads[env.road[i]], env.position[i])
            assert env.travelled[i] == pytest.approx(min(s, roads[env.road[i]].length), abs=1e-9)
            assert env.offset[i] == pytest.approx(offset, abs=1e-9)
            on_road = inside(roads[env.road[i]], env.position[i])
            assert on_road == (abs(env.offset[i]) <= 3)
            if not on_road:
                assert terminated[i] and not env.finished[i]
                left += 1
    assert left > 50


@pytest.mark.parametrize("way", [-1, 1])
@pytest.mark.parametrize("beyond", [-1e-9, 1e-9])
def test_the_road_ends_at_its_edge(way, beyond):
    angle = 0.3
    env = Driving(1, [STRAIGHT])
    env.reset(seed=0, options={"offset": way * (3 - np.sin(angle) + beyond), "angle": way * angle, "speed": 10})
    obs, reward, terminated, truncated, info = env.step([[0.0]])
    assert terminated[0] == (beyond > 0)
    assert not truncated[0] and not info["finished"][0] and not env.finished[0]
    assert reward[0] == pytest.approx(np.cos(angle)), "the step that leaves the road pays its progress as well"
    assert (env.rays[0] == 0).all() == (beyond > 0)
    assert (obs[0, :7] == 0).all() == (beyond > 0)


# --- rays ---


def ray(road, position, angle):
    """Return how far it is to the nearest piece of an edge: each is intersected, one by one."""
    far, d = RAY_RANGE, np.array([np.cos(angle), np.sin(angle)])
    for edge in road.left, road.right:
        a, b = edge[:-1] - position, np.diff(edge, axis=0)
        with np.errstate(divide="ignore", invalid="ignore"):
            along = (a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]) / (d[0] * b[:, 1] - d[1] * b[:, 0])
            share = (a[:, 0] * d[1] - a[:, 1] * d[0]) / (d[0] * b[:, 1] - d[1] * b[:, 0])
        far = min([far, *along[(along >= 0) & (share >= 0) & (share <= 1)]])
    return far


def check_rays(env):
    """Compare every ray of every car on its road; one that touches an edge may miss it, by a turn of 1e-5."""
    for i in np.flatnonzero(abs(env.offset) <= WIDTH / 2):
        for k, angle in enumerate(env.heading[i] + RAY_ANGLES):
            road, here, found = env.roads[env.road[i]], env.position[i], env.rays[i, k]
            exact = ray(road, here, angle)
            if abs(found - exact) > 2e-4:
                about = ray(road, here, angle - 1e-5), ray(road, here, angle + 1e-5)
                assert min(about) - 2e-4 < found < max(about) + 2e-4


@both_sets
def test_rays_are_those_of_the_edges_as_they_are_drawn(roads):
    env, rng = Driving(30, roads), np.random.default_rng(1)
    obs, _ = env.reset(seed=2)
    for _ in range(60):
        check_rays(env)
        obs = env.step(np.clip(driver(obs) + rng.normal(0, 0.7, (30, 1)), -1, 1))[0]


def test_rays_that_look_back_and_around_the_sharpest_bends():
    """Cars at any angle that a driver may get into, anywhere on the road."""
    env, rng, most = Driving(50, [BENDS]), np.random.default_rng(0), 0.0
    for way in np.repeat([-1, 1], 6):
        obs, _ = env.reset(seed=int(rng.integers(1000)), options={"offset": -2.9 * way, "angle": 0.9 * way})
        for _ in range(6):
            env.step(np.full((50, 1), way * rng.uniform(0.3, 1)))
            check_rays(env)
            most = max(most, abs(env.heading[abs(env.offset) < 3]).max(initial=0))
    assert most > np.deg2rad(95)
    for _ in range(60):
        obs = env.step(np.clip(driver(obs) + rng.normal(0, 0.5, (50, 1)), -1, 1))[0]
        check_rays(env)


@given(offset=st.floats(-2.99, 2.99), angle=st.floats(-1, 1))
def test_rays_on_a_straight_road_by_hand(offset, angle):
    """Half the width, less the offset, by the sine of the angle between the ray and the road."""
    env = Driving(1, [STRAIGHT])
    env.reset(seed=0, options={"offset": offset, "angle": angle})
    sine = np.sin(angle + RAY_ANGLES)
    with np.errstate(divide="ignore", over="ignore"):
        by_hand = np.where(sine > 0, 3 - offset, 3 + offset) / abs(sine)
    np.testing.assert_allclose(env.rays[0], np.minimum(by_hand, RAY_RANGE), rtol=1e-4)


# --- what is seen ---


def test_an_observation_is_rays_speed_and_the_bends_ahead():
    env, rng = Driving(20, TRAINING), np.random.default_rng(0)
    obs, _ = env.reset(seed=0, options={"speed": np.linspace(8, 12, 20)})
    np.testing.assert_allclose(obs[:, 7], np.linspace(-1, 1, 20), atol=1e-6)
    for _ in range(60):
        assert obs.dtype == np.float32 and obs.shape == (20, 11)
        assert env.observation_space.contains(obs)
        assert np.array_equal(obs[:, :7], env.rays / np.float32(20))
        np.testing.assert_allclose(obs[:, 7], (env.speed - 10) / 2, atol=1e-6)
        for i in range(20):
            road = env.roads[env.road[i]]
            ahead = np.interp(env.travelled[i] + np.array([6, 12, 20]), road.distance, road.curvature)
            np.testing.assert_allclose(obs[i, 8:], 14 * ahead, atol=1e-6)
        obs = env.step(np.clip(driver(obs) + rng.normal(0, 0.3, (20, 1)), -1, 1))[0]
    assert LOOK_AHEAD == (6, 12, 20)


def test_left_is_left():
    """To the left of the middle the right rays are longer; a road that bends left has a positive curvature."""
    env = Driving(2, [BENDS], steering=3)
    obs, _ = env.reset(seed=0, options={"offset": [1, -1], "angle": 0})
    assert (obs[0, 0] > obs[0, 6]) and (obs[1, 0] < obs[1, 6])
    assert (obs[:, 8] > 0.99).all() and (obs[:, 10] < -0.99).all()
    env.step([0, 2])
    assert env.heading[0] > 0 > env.heading[1], "action 0 is to the left"


@both_kinds
def test_what_was_seen_does_not_change_later(steering):
    env, rng = Driving(8, steering=steering), np.random.default_rng(0)
    public = ("road", "position", "heading", "speed", "steering_angle", "travelled", "offset", "finished", "rays")
    kept = []
    obs, info = env.reset(seed=0)
    for _ in range(40):
        seen = [obs, info["finished"], *(getattr(env, name) for name in public)]
        kept += [(array, array.copy()) for array in seen]
        obs, reward, terminated, truncated, info = env.step(at_random(env, rng))
        kept += [(array, array.copy()) for array in (reward, terminated, truncated)]
    assert all(np.array_equal(array, copy) for array, copy in kept)
    terminated[:] = truncated[:] = info["finished"][:] = True
    assert not env.finished.any()
    env.step(at_random(env, rng))
    assert not env.finished.any()


# --- episodes ---


@both_kinds
def test_progress_sums_to_the_distance_and_episodes_begin_anew(steering):
    env, rng = Driving(30, steering=steering, limit=12), np.random.default_rng(0)
    env.reset(seed=0)
    total, age, over, ends = np.zeros(30), np.zeros(30, int), np.zeros(30, bool), [0, 0]
    for _ in range(200):
        _, reward, terminated, truncated, info = env.step(at_random(env, rng))
        assert not reward[over].any() and not (terminated | truncated)[over].any(), "this step only begins an episode"
        assert not env.travelled[over].any() and not env.steering_angle[over].any()
        assert not env.position[over, 0].any() and np.array_equal(env.position[over, 1], env.offset[over])
        assert (abs(env.offset[over]) <= 1).all() and (abs(env.heading[over]) <= 0.15).all()
        total, age = np.where(over, 0, total + reward), np.where(over, 0, age + 1)
        np.testing.assert_allclose(total, env.travelled, atol=1e-9)
        assert np.array_equal(terminated, abs(env.offset) > 3)
        assert np.array_equal(truncated, (age == 12) & ~terminated)
        assert not info["finished"].any()
        over = terminated | truncated
        ends[0] += terminated.sum()
        ends[1] += truncated.sum()
    assert min(ends) > 20


def test_the_finish_ends_an_episode_and_no_metre_behind_it_counts():
    env = Driving(2, [Road.along(np.zeros(12))])
    env.reset(seed=0, options={"speed": [9, 12], "offset": 0, "angle": 0})
    paid, ends = np.zeros(2), []
    for t in range(1, 15):
        _, reward, terminated, truncated, info = env.step(np.zeros((2, 1)))
        paid += reward
        assert np.array_equal(terminated, info["finished"]) and np.array_equal(terminated, env.finished)
        assert not truncated.any()
        ends += [(t, i) for i in np.flatnonzero(terminated)]
        if t == 10:
            assert paid[1] == pytest.approx(12) and env.travelled[1] == 12
            assert env.position[1, 0] == pytest.approx(12)
    assert ends in ([(10, 1), (14, 0)], [(11, 1), (14, 0)]), "12 m are ten steps of 1.2 m, up to rounding"
    assert env.travelled[0] == 12 and env.position[0, 0] == pytest.approx(12.6)
    _, _, _, _, info = env.step(np.zeros((2, 1)))
    assert not info["finished"].any() and not env.finished.any()


def test_nobody_finishes_beside_the_road_or_after_the_limit():
    env = Driving(2, [Road.along(np.zeros(1))], limit=1)
    env.reset(seed=0, options={"speed": 12, "offset": [2.9, 0], "angle": [0.5, 0.0]})
    _, reward, terminated, truncated, info = env.step(np.zeros((2, 1)))
    assert terminated.tolist() == [True, True] and not truncated.any(), "what has ended was not broken off"
    assert info["finished"].tolist() == [False, True]
    assert reward.tolist() == [1, 1]


def test_nobody_can_turn_around():
    """Whatever is done at the start, the most that can be lost is two metres: so there is always a road to be seen."""
    env, rng = Driving(200, [STRAIGHT, BENDS]), np.random.default_rng(0)
    for _ in range(30):
        way = np.where(rng.random(200) < 0.5, -1, 1)
        env.reset(
            seed=int(rng.integers(1000)), options={"offset": -3 * way, "angle": way, "speed": rng.uniform(8, 12, 200)}
        )
        over, lock = np.zeros(200, bool), rng.integers(-1, 8, 200)
        for t in range(30):
            action = np.where(t <= lock, way, rng.choice([-1, 0, 1], 200))
            _, _, terminated, _, _ = env.step(action[:, None])
            assert (env.travelled[~over] > -2).all()
            over |= terminated
        assert over.mean() > 0.5


# --- chance ---


def run(env, actions, seed=None, cars=slice(None)):
    """Return everything that ``cars`` showed, in one list of arrays."""
    obs, info = env.reset(seed=seed)
    told = [obs[cars], info["finished"][cars]]
    for action in actions:
        obs, reward, terminated, truncated, info = env.step(action)
        told += [x[cars] for x in (obs, reward, terminated, truncated, info["finished"], env.position, env.road)]
    return told


def same(one, other):
    return len(one) == len(other) and all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


@both_kinds
def test_a_seed_says_all_and_without_one_chance_goes_on(steering):
    rng = np.random.default_rng(0)
    env, twin = Driving(6, steering=steering), Driving(6, steering=steering)
    actions = [at_random(env, rng) for _ in range(60)]
    assert same(run(env, actions, 1), run(twin, actions, 1))
    assert same(run(env, actions), run(twin, actions)), "both go on alike"
    assert not same(run(env, actions), run(twin, actions, 1))
    assert not same(run(env, actions, 2), run(twin, actions, 1))
    assert not same(run(Driving(6, steering=steering), actions), run(Driving(6, steering=steering), actions))


@both_kinds
def test_cars_do_not_depend_on_their_neighbours(steering):
    """Neither on what they do nor on how many there are; episodes end and begin at other times meanwhile."""
    rng, env = np.random.default_rng(0), Driving(8, steering=steering)
    actions = np.array([at_random(env, rng) for _ in range(100)])
    alone = run(env, actions, 5, cars=slice(3))
    other = actions.copy()
    other[:, 3:] = [at_random(env, rng)[3:] for _ in range(100)]
    assert same(alone, run(env, other, 5, cars=slice(3)))
    assert same(alone, run(Driving(3, steering=steering), actions[:, :3], 5))
    assert sum(terminated.sum() for terminated in alone[4::7]) > 10


@both_kinds
def test_a_batch_is_many_single_worlds(steering):
    """The same roads, speeds and starts, and the same actions: everything agrees to the last bit."""
    rng, env = np.random.default_rng(0), Driving(7, steering=steering, limit=15)
    for seed in range(4):
        obs, _ = env.reset(seed=seed)
        begun = {"road": env.road, "speed": env.speed, "offset": env.offset, "angle": env.heading}
        singles = [DrivingEnv(steering=steering, limit=15) for _ in range(7)]
        for i, single in enumerate(singles):
            first, info = single.reset(options={name: value[i] for name, value in begun.items()})
            assert np.array_equal(first, obs[i]) and info == {"finished": False}
        over = np.zeros(7, bool)
        while not over.all():
            action = at_random(env, rng)
            obs, reward, terminated, truncated, info = env.step(action)
            for i in np.flatnonzero(~over):
                told = singles[i].step(action[i])
                assert np.array_equal(told[0], obs[i])
                assert told[1:] == (reward[i], terminated[i], truncated[i], {"finished": info["finished"][i]})
                assert np.array_equal(singles[i].world.position[0], env.position[i])
            over |= terminated | truncated


def test_a_single_world_is_the_first_of_a_batch_of_the_same_seed():
    env, single = Driving(5), DrivingEnv()
    for seed in (0, 7):
        assert np.array_equal(env.reset(seed=seed)[0][0], single.reset(seed=seed)[0])
    assert np.array_equal(env.reset()[0][0], single.reset()[0])


def test_starts_are_uniform():
    """Chi-square of 6400 starts over roads, speeds, offsets and angles; no two of them go together. Error rate 1e-6 each."""
    env = Driving(6400)
    env.reset(seed=0)
    assert p_value(np.bincount(env.road, minlength=64), np.full(64, 1 / 64)) > ERROR_RATE
    columns = [env.road]
    for values, low, high in ((env.speed, 8, 12), (env.offset, -1, 1), (env.heading, -0.15, 0.15)):
        assert low <= values.min() and values.max() <= high
        assert p_value(np.histogram(values, 10, (low, high))[0], np.full(10, 0.1)) > ERROR_RATE
        columns.append(values)
    pairs = np.corrcoef(columns)[np.triu_indices(4, 1)]
    assert abs(pairs).max() < allowed(6) / np.sqrt(6400)
    assert len(np.unique(env.speed)) == 6400


def test_options_hold_for_one_episode_and_shift_no_chance():
    env, twin = Driving(4, limit=1), Driving(4, limit=1)
    env.reset(seed=0, options={"road": 5, "speed": [8, 9, 10, 11], "offset": 0.5, "angle": -0.1})
    twin.reset(seed=0)
    assert env.road.tolist() == [5] * 4 and env.speed.tolist() == [8, 9, 10, 11]
    assert env.offset.tolist() == [0.5] * 4 and env.heading.tolist() == [-0.1] * 4
    assert not np.array_equal(env.speed, twin.speed)
    for _ in range(2):
        env.step(np.zeros((4, 1)))
        twin.step(np.zeros((4, 1)))
    assert np.array_equal(env.speed, twin.speed) and np.array_equal(env.road, twin.road)
    env.reset(options={"speed": 8})
    assert len(set(env.road)) > 1, "the rest is left to chance"


# --- the task ---


@both_kinds
@both_sets
def test_the_road_is_fifteen_times_as_long_as_a_random_policy_gets(roads, steering):
    rng, env = np.random.default_rng(0), Driving(2000, roads, steering)
    metres, finished, _ = first_episodes(env, lambda obs: at_random(env, rng))
    assert not finished.any()
    assert 15 * (metres.mean() + allowed() * metres.std() / np.sqrt(2000)) < min(road.length for road in roads)


@both_kinds
@both_sets
def test_what_is_seen_is_enough_to_drive_every_road(roads, steering):
    env = Driving(5 * len(roads), roads, steering)
    options = {"road": np.arange(env.num_envs) % len(roads), "speed": np.repeat([8, 9, 10, 11, 12], len(roads))}
    metres, finished, steps = first_episodes(env, lambda obs: driver(obs, steering), options=options)
    assert finished.mean() >= 0.99
    assert (metres[finished] == 300).all()
    assert steps.max() < 0.85 * env.limit, "the limit lies far above what the slowest car needs"


# --- Gymnasium's contract ---


@both_kinds
def test_it_keeps_to_gymnasiums_contract(steering):
    env = Driving(7, steering=steering)
    assert env.metadata["autoreset_mode"] == AutoresetMode.NEXT_STEP
    assert isinstance(env, gymnasium.vector.VectorEnv)
    assert env.observation_space.shape == (7, 11)
    assert env.action_space.shape == ((7, 1) if steering is None else (7,))
    env.reset(seed=0)
    env.action_space.seed(0)
    for _ in range(30):
        obs, reward, terminated, truncated, info = env.step(env.action_space.sample())
        assert env.observation_space.contains(obs)
        assert reward.shape == terminated.shape == truncated.shape == info["finished"].shape == (7,)
        assert reward.dtype == np.float64
        assert terminated.dtype == truncated.dtype == info["finished"].dtype == bool
    env.close()


@pytest.mark.filterwarnings("error")
@both_kinds
def test_the_single_world_passes_gymnasiums_check(steering):
    check_env(DrivingEnv(steering=steering), skip_render_check=True)


@both_kinds
def test_gymnasiums_wrappers_and_our_worlds_run_on_it(steering):
    rng = np.random.default_rng(0)
    wrapped = gymnasium.wrappers.vector.RecordEpisodeStatistics(Driving(3, steering=steering, limit=2))
    wrapped.reset(seed=0)
    found = [wrapped.step(at_random(wrapped.unwrapped, rng))[4] for _ in range(2)]
    assert found[1]["episode"]["l"].tolist() == [2, 2, 2]
    worlds = Worlds(lambda n: Driving(n, steering=steering), copies=2, worlds=3, seed=0)
    assert worlds.n_actions == (0 if steering is None else 5)
    for _ in range(40):
        action = at_random(worlds.env, rng)
        worlds.step((3 * action).reshape(2, 3, 1) if steering is None else action.reshape(2, 3))
    assert len(worlds.episodes()["return"]) > 5


def test_the_five_angles_are_evenly_spaced_from_left_to_right():
    env = Driving(5, [STRAIGHT], steering=5)
    env.reset(seed=0)
    env.step(np.arange(5))
    np.testing.assert_allclose(env.steering_angle, [0.5, 0.25, 0, -0.25, -0.5], atol=1e-15)
    env = Driving(3, [STRAIGHT])
    env.reset(seed=0)
    env.step([[-1], [0.5], [1]])
    assert env.steering_angle.tolist() == [-0.5, 0.25, 0.5]


# --- the door ---


def begun(**arguments):
    env = Driving(2, **arguments)
    env.reset(seed=0)
    return env


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: Driving(0), "num_envs is 0, but a whole number of at least 1"),
        (lambda: Driving(1, limit=0), "limit is 0, but a whole number of at least 1"),
        (lambda: Driving(1, steering=1), "steering is 1, but a whole number of at least 2"),
        (lambda: Driving(1, roads=[]), r"roads is \[\], but one or more of rlkit.envs.Road"),
        (lambda: Driving(1, roads=[3]), r"roads is \[3\], but one or more of rlkit.envs.Road"),
        (lambda: Driving(1, roads=3), "roads is 3, but one or more of rlkit.envs.Road"),
        (lambda: begun().step(np.zeros(2)), r"actions has shape \(2,\), but \(2, 1\) was expected"),
        (lambda: begun().step([[0], [np.nan]]), r"actions\[1, 0\] is nan, but it must be a finite number"),
        (lambda: begun().step([[0], [-1.5]]), r"actions\[1, 0\] is -1.5, but it must lie in \[-1, 1\]"),
        (lambda: begun(steering=5).step([0.0, 1.0]), r"actions must be int\[2\], not float64\[2\]"),
        (lambda: begun(steering=5).step([[0], [1]]), r"actions must be int\[2\], not int64\[2, 1\]"),
        (lambda: begun(steering=5).step([0, 5]), r"actions\[1\] is 5, but 0 to 4 was expected"),
        (lambda: begun(steering=5).step([-1, 0]), r"actions\[0\] is -1, but 0 to 4 was expected"),
        (lambda: begun().reset(options={"wind": 1}), "options has 'wind', but only angle, offset, road, speed"),
        (lambda: begun().reset(options={"speed": [8, 13]}), "speed is 13, but a number from 8 to 12 was expected"),
        (lambda: begun().reset(options={"speed": [8, 9, 10]}), r"speed has shape \(3,\), but one number for each car"),
        (lambda: begun().reset(options={"road": 64}), "road is 64, but a whole number from 0 to 63 was expected"),
        (lambda: begun().reset(options={"road": 0.5}), "road is 0.5, but a whole number from 0 to 63 was expected"),
        (lambda: begun().reset(options={"offset": -3.5}), "offset is -3.5, but a number from -3 to 3 was expected"),
        (lambda: begun().reset(options={"angle": 1.5}), "angle is 1.5, but a number from -1 to 1 was expected"),
        (lambda: make_road(-1), "seed is -1, but a whole number of at least 0 was expected"),
        (lambda: Road.along([]), r"curvature has shape \(0,\), but one number for each metre"),
        (lambda: Road.along(np.zeros((2, 2))), r"curvature has shape \(2, 2\), but one number for each metre"),
        (lambda: Road.along([0, -0.08]), r"curvature reaches -0.08, but no more than 1/14"),
        (lambda: Road.along(np.full(20, 0.07)), "curvature turns the road by more than 75 degrees"),
    ],
)
def test_what_does_not_fit_is_refused_in_one_sentence(call, message):
    with pytest.raises(ValueError, match=message) as caught:
        call()
    assert "\n" not in str(caught.value)


def test_a_refused_reset_changes_nothing():
    env, twin = begun(), begun()
    with pytest.raises(ValueError, match="speed"):
        env.reset(options={"speed": 100})
    assert np.array_equal(env.reset()[0], twin.reset()[0])


def test_a_step_needs_a_reset():
    with pytest.raises(gymnasium.error.ResetNeeded):
        Driving(1).step([[0.0]])
    single = DrivingEnv(limit=1)
    with pytest.raises(gymnasium.error.ResetNeeded):
        single.step([0.0])
    single.reset(seed=0)
    assert single.step([0.0])[3]
    with pytest.raises(gymnasium.error.ResetNeeded):
        single.step([0.0])


def test_the_finish_is_the_cross_section_at_the_road_s_length():
    road = make_road(3)
    assert road.distance[road.finish] == road.length == 300
