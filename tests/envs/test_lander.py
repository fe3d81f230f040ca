"""Lunar Lander: Gymnasium's own, its reward term by term, and how its flights end."""

import subprocess
import sys

import gymnasium
import numpy as np
import pytest

from rlkit.envs import LANDER_ENDINGS, Worlds, lander_endings, lander_terms, lunar_lander

pytest.importorskip("Box2D", reason="the lander's physics is not installed: there is no wheel of it for this machine")
from gymnasium.envs.box2d.lunar_lander import LunarLander, heuristic

AWAKE = [0.1, 0.2, 0.0, -0.1, 0.0, 0.0, 0.0, 0.0]
ASLEEP = [0.1, 0.0, 0.0, 0.0, 0.3, 0.0, 1.0, 0.0]


def unrounded(env):
    """What the world shows, before it is made a float32."""
    p, v = env.lander.position, env.lander.linearVelocity
    legs = [float(leg.ground_contact) for leg in env.legs]
    y = (p.y - (env.helipad_y + 18 / 30)) / (400 / 30 / 2)
    turned = [env.lander.angle, 20 * env.lander.angularVelocity / 50]
    return [(p.x - 10) / 10, y, v.x * 10 / 50, v.y * (400 / 30 / 2) / 50, *turned, *legs]


def fly(env, seed, policy):
    """One flight: obs, its unrounded numbers, action, terminated, reward, and why it ended, told by the world itself."""
    rng = np.random.default_rng(seed)
    seen = [env.reset(seed=seed)[0]]
    world, rows = env.unwrapped, []
    exact = [unrounded(world)]
    while True:
        action = int(rng.integers(4)) if policy == "random" else heuristic(env, seen[-1])
        obs, reward, terminated, truncated, _ = env.step(action)
        seen.append(obs)
        exact.append(unrounded(world))
        rows.append((action, terminated, reward))
        if terminated or truncated:
            break
    how = "ran out of time" if truncated else "landed" if not world.lander.awake else "crashed"
    how = "flew away" if how == "crashed" and not world.game_over else how
    return np.array(seen), np.array(exact), *map(np.array, zip(*rows, strict=True)), how


@pytest.fixture(scope="module")
def flights():
    env = gymnasium.make("LunarLander-v3")
    return {policy: [fly(env, seed, policy) for seed in range(50)] for policy in ("random", "heuristic")}


@pytest.mark.parametrize("policy", ["random", "heuristic"])
def test_the_terms_add_up_to_the_reward_of_every_frame(flights, policy):
    """To the last digit from unrounded numbers; a float32 of about 1, times 100, leaves some 0.00002 of rounding."""
    for seen, exact, action, terminated, reward, _ in flights[policy]:
        for x, tolerance in ((exact, 1e-9), (seen, 4e-5)):
            terms = lander_terms(x[:-1], action, x[1:], terminated)
            np.testing.assert_allclose(sum(terms.values()), reward, rtol=0, atol=tolerance)


def test_each_term_by_itself():
    obs = np.zeros((6, 8))
    after = obs.copy()
    obs[0, :2], after[0, :2] = (0.3, 0.4), (0.0, 0.2)  # 0.5 from the pad, then 0.2
    after[1, 2:4] = (-0.3, 0.4)  # from rest to a speed of 0.5
    obs[2, 4], after[2, 4] = 0.1, -0.2  # tilted by 0.1, then by 0.2 the other way
    obs[3, 6:], after[3, 6:] = (1, 0), (1, 1)
    after[4, 3] = after[5, 3] = 1.0
    terms = lander_terms(obs, [0, 1, 2, 3, 2, 0], after, [0, 0, 0, 0, 1, 0])
    assert list(terms) == ["distance", "speed", "angle", "legs", "main", "side", "end"]
    paid = np.array(list(terms.values()))
    expected = np.zeros((7, 6))
    expected[0, 0], expected[1, 1], expected[2, 2], expected[3, 3] = 30, -50, -10, 10
    expected[4, 2] = -0.3
    expected[5, [1, 3]] = -0.03
    expected[6, 4] = -100  # with the last frame nothing else is paid, not even for its fuel
    expected[1, 5] = -100
    np.testing.assert_allclose(paid, expected, atol=1e-12)


def test_the_end_of_a_flight_is_read_off_from_what_it_ends_with(flights):
    seen, real = set(), set()
    for flown in flights.values():
        for obs, _, _, terminated, reward, how in flown:
            assert LANDER_ENDINGS[lander_endings(obs[-1], terminated[-1])] == how
            assert (reward[-1] == 100) == (how == "landed")
            seen.add(how)
            real.add(reward[-1] in (100, -100))
    assert seen == set(LANDER_ENDINGS)
    assert real == {True, False}


def test_a_lander_at_rest_has_landed_wherever_it_is():
    beside, away = [1.2, *ASLEEP[1:]], [-1.0, *AWAKE[1:]]
    turning = [*ASLEEP[:5], 0.2, 1.0, 0.0]  # at rest for a moment, but not asleep
    ends = lander_endings([[ASLEEP, beside], [AWAKE, away], [turning, AWAKE]], np.ones((3, 2)))
    assert ends.tolist() == [[0, 0], [1, 2], [1, 1]]
    assert lander_endings(ASLEEP, False) == 3


def test_it_is_gymnasiums_lander_and_draws_nothing():
    """The same flights as of single landers, over the end of an episode, with nothing drawn or slowed down by exhaust."""
    ours = lunar_lander(3)
    singles = [LunarLander() for _ in range(3)]
    obs, _ = ours.reset(seed=5)
    assert np.array_equal(obs, [env.reset(seed=5 + i)[0] for i, env in enumerate(singles)])
    rng, ended, beginnings = np.random.default_rng(0), np.zeros(3, bool), 0
    for _ in range(250):
        action = rng.integers(4, size=3)
        found = ours.step(action)[:4]
        for i, env in enumerate(singles):
            # an episode begins where the last one ended, and that action is not taken
            expected = (env.reset()[0], 0.0, False, False) if ended[i] else env.step(action[i])[:4]
            for got, one in zip(found, expected, strict=True):
                assert np.array_equal(got[i], one)
        beginnings += ended.sum()
        ended = found[2]
    assert beginnings > 3
    assert not any(env.unwrapped.particles for env in ours.envs)
    assert ours.render_mode is None


def test_its_flights_end_after_a_thousand_frames():
    """Whoever hovers is broken off. What holds the height: the main engine, as long as the lander sinks."""
    worlds = Worlds(lunar_lander, 1, 4, seed=0)
    for _ in range(1000):
        x, _, vx, vy, angle, spin = np.moveaxis(worlds.obs[..., :6], -1, 0)
        tilt = np.clip(0.5 * x + vx, -0.4, 0.4) - angle - 2 * spin
        step = worlds.step(np.select([vy < -0.02, tilt < -0.1, tilt > 0.1], [2, 3, 1], 0))
    (long,) = np.unique(worlds.episodes()["length"][worlds.episodes()["length"] > 500])
    assert long == 1000
    assert step.truncated.any()
    assert not (step.truncated & step.terminated).any()


def test_a_fresh_process_prints_nothing():
    code = "from rlkit.envs import lunar_lander; env = lunar_lander(2); env.reset(seed=0); env.step([2, 3])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == done.stderr == ""


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"obs": np.zeros((2, 7))}, r"obs has shape \(2, 7\), but \(\.\.\., 8\) was expected"),
        ({"next_obs": np.zeros((3, 8))}, r"next_obs has shape \(3, 8\), but \(2, 8\) was expected"),
        ({"action": [0, 4]}, "action is 4, but 0, 1, 2 or 3 was expected"),
        ({"action": [0]}, r"action has shape \(1,\), but \(2,\) was expected"),
        ({"terminated": [0, 2]}, r"terminated\[1\] is 2, but it must be True or False"),
    ],
)
def test_what_does_not_fit_is_refused(change, message):
    args = {"obs": np.zeros((2, 8)), "action": [0, 1], "next_obs": np.zeros((2, 8)), "terminated": [0, 0]}
    with pytest.raises(ValueError, match=message):
        lander_terms(**(args | change))
    with pytest.raises(ValueError, match=r"last has shape \(8, 2\), but \(\.\.\., 8\) was expected"):
        lander_endings(np.zeros((8, 2)), np.zeros(8))
