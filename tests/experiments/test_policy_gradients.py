"""The lander's runs: whose flight is whose, how it ended, and what a recorded flight must tell."""

import numpy as np
import pytest

from rlkit.core.returns import reward_to_go
from rlkit.envs import lander_terms
from rlkit.experiments import load, policy_gradients
from rlkit.experiments.policy_gradients import EXPERIMENTS, LANDER, STATE, fly, heights, run_flight, run_lander
from rlkit.learn import episodes, reinforce

pytest.importorskip("Box2D", reason="the lander's physics is not installed: there is no wheel of it for this machine")
from gymnasium.envs.box2d.lunar_lander import LunarLander

SHORT = LANDER | {"episodes": 40, "batch": 2, "hidden": [8], "limit": 60}
HOW = ("landed", "crashed", "flew away", "standing", "hovering")


class Arrived(Exception):
    """Raised in the place of what a test does not need to see run."""


def test_what_is_learned_from_is_scaled_and_nothing_that_is_reported(monkeypatch):
    given = {}

    def train(make_env, policy, **settings):
        given.update(settings, outputs=policy.network.layers[-1].weight.shape)
        raise Arrived

    monkeypatch.setattr(reinforce, "train_reinforce", train)
    with pytest.raises(Arrived):
        run_lander(LANDER, [3, 4])
    assert given["copies"] == 2
    assert given["seed"] == 3
    assert given["outputs"] == (2, 64, 4)
    assert given["test_every"] * 20 == given["episodes"]
    assert given["episodes"] % given["batch"] == given["test_every"] % given["batch"] == 0
    reward = np.arange(6.0).reshape(3, 2)
    np.testing.assert_allclose(given["credit"](reward, 0.5), LANDER["scale"] * reward_to_go(reward, 0.5))
    assert {name: given[name] for name in ("gamma", "lr", "batch", "normalise", "fit", "limit")} == {
        name: LANDER[name] for name in ("gamma", "lr", "batch", "normalise", "fit", "limit")
    }


def test_rows_belong_to_their_seed_moment_and_way_of_acting(monkeypatch):
    """Flights that are replaced by numbers which say whose they are."""
    flown = []

    def numbered(choose, copies, flights, seed):
        flown.append((choose, flights, seed))
        return {"return": 100.0 * len(flown) + np.arange(copies), **{name: np.arange(copies) for name in HOW}}

    monkeypatch.setattr(policy_gradients, "fly", numbered)
    learned, real = [], reinforce.train_reinforce
    monkeypatch.setattr(reinforce, "train_reinforce", lambda *a, **s: learned.append(real(*a, **s)) or learned[-1])
    kept = {name: np.array(column) for name, column in run_lander(SHORT, [7, 8, 9]).items()}
    assert len(flown) == 40
    assert [flights for _, flights, _ in flown] == [20] * 38 + [100] * 2
    assert len({seed for _, _, seed in flown}) == 20
    assert min(seed for _, _, seed in flown) > 1_000_000
    x, learning = learned[0].curve(20)
    obs = np.zeros((3, 500, 8), np.float32)
    drawn = [len(np.unique(choose(obs)[0])) > 1 for choose, _, _ in flown]  # the same state, 500 times
    assert drawn == [False, True] * 20
    for k, seed in enumerate((7, 8, 9)):
        for j, actions in enumerate(("likeliest", "drawn")):
            own = (kept["seed"] == seed) & (kept["actions"] == actions)
            np.testing.assert_array_equal(kept["episode"][own], x)
            np.testing.assert_array_equal(kept["learning"][own], learning[k])
            np.testing.assert_array_equal(kept["return"][own], 100 * (2 * np.arange(20) + j + 1) + k)
            np.testing.assert_array_equal(kept["flights"][own], [20] * 19 + [100])


def test_flights_are_counted_by_how_they_ended(monkeypatch):
    """Standing at the pad, at rest, still falling, beyond the edge, hovering: one copy with all, and one without."""
    last = np.zeros((2, 6, 8))
    last[0, :, 2] = 0.3
    last[0, 1, 2] = 0.0  # asleep
    last[0, 3, 0] = -1.01
    last[0, 4:, 1] = 0.5
    terminated = np.array([[0, 1, 1, 1, 0, 0], [1] * 6])
    asked = {}

    def play(choose, make_env, **settings):
        asked.update(settings)
        value = np.arange(12.0).reshape(2, 6)
        return {"last": last, "terminated": terminated, "return": value, "length": 10 * value}

    monkeypatch.setattr(episodes, "play", play)
    found = fly(None, 2, 6, 5)
    assert asked == {"copies": 2, "episodes": 6, "seed": 5}
    assert [found[name].tolist() for name in HOW] == [[1, 6], [1, 0], [1, 0], [1, 0], [2, 0]]
    assert found["return"].tolist() == [2.5, 8.5]
    assert found["length"].tolist() == [25, 85]


@pytest.fixture(scope="module")
def flight():
    found = run_flight(SHORT | {"frames": 300}, [3])
    return {name: np.asarray(column) for name, column in found.items()}


def test_a_recorded_flight_flies_again(flight):
    """The same actions, in a world of its own with that seed, give the same frames."""
    world = LunarLander()
    obs, _ = world.reset(seed=1_000_003)
    shown = np.stack([flight[name] for name in STATE], axis=1)
    rows = len(flight["seed"])
    assert rows > 30
    for t in range(rows - 1):
        assert np.array_equal(shown[t], obs)
        obs, reward, terminated, _, _ = world.step(flight["action"][t])
        assert reward == flight["reward"][t]
        assert terminated == flight["terminated"][t] == (t == rows - 2)
    assert np.array_equal(shown[-1], obs)
    assert not flight["reward"][-1] and not flight["terminated"][-1]


def test_a_recorded_flight_is_what_its_reward_says(flight):
    shown = np.stack([flight[name] for name in STATE], axis=1)
    terms = lander_terms(shown[:-1], flight["action"][:-1], shown[1:], flight["terminated"][:-1])
    np.testing.assert_allclose(sum(terms.values()), flight["reward"][:-1], atol=1e-4)


def test_a_flight_is_broken_off_after_so_many_frames():
    found = run_flight(SHORT | {"frames": 20}, [3])
    assert len(found["seed"]) == 21
    assert not any(found["terminated"])


def test_the_ground_is_flat_at_the_pad_and_where_the_moon_is(flight):
    world = LunarLander()
    world.reset(seed=1_000_003)
    x, y = heights(world)
    np.testing.assert_allclose(x, np.linspace(-1, 1, 11))
    # smoothed by 0.33 three times, not by a third: the pad is 0.01 of its height lower than what is called its height
    np.testing.assert_allclose(y[4:7], -0.01 * world.helipad_y / (20 / 3))
    edges = [f.shape.vertices for f in world.moon.fixtures]
    corners = {(round(px / 10 - 1, 5), round((py - world.helipad_y) / (20 / 3), 5)) for e in edges for px, py in e}
    assert {(round(a, 5), round(b, 5)) for a, b in zip(x, y, strict=True)} <= corners
    places = np.linspace(-1, 1, len(flight["ground"]))
    np.testing.assert_allclose(flight["ground"], np.interp(places, x, y))
    assert np.ptp(y) > 0.3


@pytest.mark.parametrize("experiment", EXPERIMENTS, ids=lambda e: e.name)
def test_what_is_stored_is_what_is_declared(experiment):
    assert experiment.matches(load(experiment.name))
    for _, seeds in experiment.jobs():  # a group's networks are seeded from its first one on
        assert list(seeds) == list(range(seeds[0], seeds[0] + len(seeds)))
