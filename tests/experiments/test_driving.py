"""The experiments of chapter 4: whose number is whose, what each variant changes, and what the stored runs have learned."""

from functools import partial

import numpy as np
import pytest
import torch

from rlkit.core.returns import reward_to_go, total_return
from rlkit.envs import HELD_OUT_ROADS, TRAINING_ROADS, Driving, DrivingEnv, Road, make_roads
from rlkit.experiments import driving, load
from rlkit.experiments.driving import CAR, CARTPOLE, EXPERIMENTS, VARIANTS, drive_all, run_car, run_cartpole
from rlkit.learn import episodes, reinforce
from rlkit.learn.reinforce import acting, policy_loss
from rlkit.nets import Categorical, Gaussian
from tests.envs.test_driving import driver

HELD_OUT = make_roads(HELD_OUT_ROADS)
SEEDS = [7, 8, 9]
both_kinds = pytest.mark.parametrize("steering", [None, 5], ids=["angle", "five"])


class Arrived(Exception):
    """Raised in the place of what a test does not need to see run."""


@pytest.fixture
def trained(monkeypatch):
    """Let the runs train for real, and keep what they trained with: (make_env, policy, settings, result)."""
    kept, real = [], reinforce.train_reinforce

    def train(make_env, policy, **settings):
        kept.append((make_env, policy, settings, real(make_env, policy, **settings)))
        return kept[-1][-1]

    monkeypatch.setattr(reinforce, "train_reinforce", train)
    return kept


def given(monkeypatch, run, settings, seeds):
    """Return (make_env, policy, settings) that a run would train with."""
    kept = []

    def train(make_env, policy, **arguments):
        kept.append((make_env, policy, arguments))
        raise Arrived

    monkeypatch.setattr(reinforce, "train_reinforce", train)
    with pytest.raises(Arrived):
        run(settings, seeds)
    return kept[0]


def rows(found, column, seed):
    return found[column][found["seed"] == seed]


def weights(network):
    return max(network.parameters(), key=torch.numel)


# --- whose number is whose ---


@both_kinds
def test_columns_of_the_car_belong_to_their_seed_and_episode(trained, monkeypatch, steering):
    driven, drive = [], driving.drive_all

    def shorter(choose, roads, *rest):
        assert roads == HELD_OUT
        distance, _ = drive(choose, roads[:3], *rest)
        driven.append((distance, np.tri(3, dtype=bool)))  # so early nobody has finished one
        return driven[-1]

    monkeypatch.setattr(driving, "drive_all", shorter)
    # twenty tests, one after each update
    found = run_car(CAR | {"steering": steering, "episodes": 20, "batch": 1}, SEEDS)
    ((make_env, _, settings, result),), ((distance, finished),) = trained, driven
    assert settings["seed"] == SEEDS[0] and settings["copies"] == len(SEEDS)
    assert len({len(column) for column in found.values()}) == 1
    x, tested = result.tested("return")
    _, learning = result.curve(20)
    obs, _ = make_env(len(SEEDS) * 64).reset(seed=1_000_000 + SEEDS[0])  # the first sights of 64 drives for each copy
    obs = torch.from_numpy(obs).reshape(len(SEEDS), 64, 11)
    with torch.no_grad():
        entropy = [snapshot(obs).entropy() for snapshot in result.snapshots.values()]
    assert list(x) == list(result.snapshots) == list(range(1, 21))
    for k, seed in enumerate(SEEDS):
        np.testing.assert_array_equal(rows(found, "episode", seed), x)
        np.testing.assert_array_equal(rows(found, "return", seed), tested[k])
        np.testing.assert_array_equal(rows(found, "learning", seed), learning[k])
        np.testing.assert_allclose(rows(found, "entropy", seed), [e[k].mean() for e in entropy], rtol=1e-5)
        assert set(rows(found, "distance", seed)) == {distance[k].mean()}
        assert set(rows(found, "finished", seed)) == {finished[k].mean()}
    for column in ("distance", "entropy"):
        assert len({tuple(rows(found, column, seed)) for seed in SEEDS}) == len(SEEDS), "else nobody can be mistaken"


def test_columns_of_cartpole_belong_to_their_seed_and_episode(trained, monkeypatch):
    played, real = {}, episodes.play

    def play(*args, seed=0, **rest):
        found = real(*args, seed=seed, **(rest | {"episodes": 2, "limit": 30}))
        if seed == 1_000_000 + SEEDS[0]:
            found["return"] += np.arange(3)[:, None]  # all of them are 30
            played.update(found, choose=args[0])
        return found

    monkeypatch.setattr(episodes, "play", play)
    found = run_cartpole(CARTPOLE | {"episodes": 120}, SEEDS)
    ((_, _, settings, result),) = trained
    assert len({len(column) for column in found.values()}) == 1
    x, tested = result.tested("return")
    _, learning = result.curve(7)
    log = result.episodes
    assert list(x) == [16, 32, 48, 64, 80, 96, 112]
    for k, seed in enumerate(SEEDS):
        np.testing.assert_array_equal(rows(found, "episode", seed), x)
        np.testing.assert_array_equal(rows(found, "return", seed), tested[k])
        np.testing.assert_array_equal(rows(found, "learning", seed), learning[k])
        own = log["copy"] == k
        steps = [log["length"][own & (log["episode"] <= n)].sum() for n in x]
        np.testing.assert_array_equal(rows(found, "step", seed), steps)
        assert set(rows(found, "confirmed", seed)) == {played["return"][k].mean()}
    assert len({tuple(found["step"][found["seed"] == seed]) for seed in SEEDS}) == len(SEEDS)
    obs = np.random.default_rng(0).normal(size=(3, 200, 4)).astype(np.float32)
    chosen = played["choose"](obs)
    np.testing.assert_array_equal(chosen, acting(result.best)(obs))
    assert settings["seed"] == SEEDS[0] and settings["copies"] == len(SEEDS)


# --- driving on given roads ---


@both_kinds
def test_to_drive_on_all_roads_is_to_drive_on_each_alone(steering):
    """Two copies on roads of unequal length against one car after the other, begun as those were; the second never steers."""
    roads, K = (*HELD_OUT[:2], Road.along(np.zeros(20)), HELD_OUT[2]), 2

    def choose(obs):
        action = np.stack([driver(seen, steering) for seen in obs])
        action[1] = 0 if steering is None else 2
        return action

    distance, finished = drive_all(choose, roads, steering, K)

    batch = Driving(K * len(roads), roads, steering)
    batch.reset(seed=0)
    batch.reset(options={"road": np.tile(np.arange(len(roads)), K)})
    alone = DrivingEnv(roads, steering)
    metres, arrived = np.zeros((K, len(roads))), np.zeros((K, len(roads)), bool)
    for k in range(K):
        for i in range(len(roads)):
            car = k * len(roads) + i
            start = {name: getattr(batch, name)[car] for name in ("speed", "offset")} | {"angle": batch.heading[car]}
            obs, _ = alone.reset(seed=1, options={"road": i, **start})
            over = False
            while not over:
                everybody = np.broadcast_to(obs, (K, 1, 11)).copy()
                obs, reward, terminated, truncated, info = alone.step(choose(everybody)[k, 0])
                metres[k, i] += reward
                over = terminated or truncated
            arrived[k, i] = info["finished"]
    np.testing.assert_allclose(distance, metres, atol=1e-6)
    np.testing.assert_array_equal(finished, arrived)
    assert finished[0].all() and not finished[1, [0, 1, 3]].any() and len(set(distance[1])) == 4


def test_the_last_metre_counts():
    """Straight on along a straight road: it is finished by whoever begins without an angle that leads off it."""
    roads = (Road.along(np.zeros(30)), Road.along(np.zeros(5)))
    distance, finished = drive_all(lambda obs: np.zeros((50, 2, 1)), roads, None, 50)
    np.testing.assert_allclose(distance[finished], np.broadcast_to([30, 5], distance.shape)[finished])
    assert (distance[~finished] < np.broadcast_to([30, 5], distance.shape)[~finished] - 0.01).all()
    assert finished[:, 1].all() and 0.2 < finished[:, 0].mean() < 0.95


# --- what a variant changes ---


def test_each_variant_changes_what_its_name_says():
    changes = {
        name: {key: value for key, value in variant.items() if key not in CAR or CAR[key] != value}
        for name, variant in VARIANTS.items()
    }
    assert changes == {
        "Gaussian": {},
        "five angles": {"steering": 5},
        "not normalised": {"normalise": False},
        "no baseline": {"normalise": False, "baseline": False},
        "total return": {"credit": "total"},
        "ten times the step": {"lr": 10 * CAR["lr"]},
        "hasty": {"steering": 5, "lr": 5 * CAR["lr"]},
        "hasty, paid": {"steering": 5, "lr": 5 * CAR["lr"], "entropy": 0.05},
    }
    assert all(CAR.keys() <= variant.keys() for variant in VARIANTS.values())


@pytest.mark.parametrize("name", VARIANTS)
def test_the_car_is_trained_as_the_variant_says(monkeypatch, name):
    variant = VARIANTS[name]
    make_env, policy, settings = given(monkeypatch, run_car, variant, SEEDS)
    env = make_env(2)
    assert env.roads == make_roads(TRAINING_ROADS)
    obs = torch.zeros(len(SEEDS), 4, 11)
    if variant["steering"]:
        assert len(env.angles) == 5 and isinstance(policy(obs), Categorical) and policy(obs).log_p.shape == (3, 4, 5)
    else:
        assert env.angles is None and isinstance(policy(obs), Gaussian) and policy(obs).mean.shape == (3, 4, 1)
    assert settings["credit"] is (total_return if name == "total return" else reward_to_go)
    if name == "no baseline":
        assert settings["baseline"] is None
    else:
        assert settings["baseline"](obs).shape == (3, 4, 1)
    for key in ("episodes", "batch", "lr", "normalise"):
        assert settings[key] == variant[key]
    loss = settings["loss"]
    assert isinstance(loss, partial) and loss.func is policy_loss
    assert loss.keywords == {"entropy": 0.05 if name == "hasty, paid" else 0.0}


def test_a_bonus_for_entropy_reaches_the_loss(monkeypatch):
    """Without any advantage, the loss is what is paid for the entropy."""
    obs, action, nothing = torch.zeros(1, 2, 11), torch.zeros(1, 2, dtype=torch.int64), torch.zeros(1, 2)
    for name, paid in (("hasty", 0.0), ("hasty, paid", 0.05)):
        _, policy, settings = given(monkeypatch, run_car, VARIANTS[name], [0])
        expected = -paid * policy(obs).entropy()
        found = settings["loss"](policy, obs, action, nothing)
        np.testing.assert_allclose(found.detach(), expected.detach(), rtol=1e-5, atol=1e-8)


def test_cartpole_with_a_baseline_and_without(monkeypatch):
    baseline, plain = EXPERIMENTS[1].variants.values()
    assert baseline == CARTPOLE and plain == CARTPOLE | {"baseline": False, "normalise": False}
    for variant in (baseline, plain):
        make_env, policy, settings = given(monkeypatch, run_cartpole, variant, SEEDS)
        obs = torch.zeros(len(SEEDS), 4, 4)
        assert make_env(2).spec.id == "CartPole-v1" and policy(obs).log_p.shape == (3, 4, 2)
        assert (settings["baseline"] is not None) == settings["normalise"] == (variant is baseline)
        for key in ("episodes", "batch", "lr"):
            assert settings[key] == CARTPOLE[key]
        if settings["baseline"]:
            assert settings["baseline"](obs).shape == (3, 4, 1)


def test_a_group_begins_with_its_first_seed(monkeypatch):
    """Other seeds, other networks; and the policy and the baseline of one seed do not begin alike."""
    for run, settings in ((run_car, CAR), (run_cartpole, CARTPOLE)):
        networks = [given(monkeypatch, run, settings, [seed]) for seed in (0, 0, 1)]
        first, again, other = ([weights(n) for n in (p, s["baseline"])] for _, p, s in networks)
        for one, same, different in zip(first, again, other, strict=True):
            assert torch.equal(one, same) and not torch.equal(one, different)
        assert not torch.equal(*first)


# --- what is stored ---


@pytest.mark.parametrize("experiment", EXPERIMENTS, ids=lambda e: e.name)
def test_what_is_stored_is_what_is_declared(experiment):
    assert experiment.matches(load(experiment.name))
    for _, seeds in experiment.jobs():  # a group's networks are seeded from its first one on
        assert list(seeds) == list(range(seeds[0], seeds[0] + len(seeds)))


@pytest.mark.parametrize("variant", ["Gaussian", "five angles"])
def test_nine_seeds_in_ten_drive_on_roads_that_they_have_not_seen(variant):
    """At least 90 % of them to the end; and eight times as far as a driver whose every action is uniformly random."""
    result, rng = load("reinforce.car"), np.random.default_rng(0)
    finished, distance = (result.table(name, "episode", variant)[1][:, -1] for name in ("finished", "distance"))
    assert len(finished) == 30
    assert (finished >= 0.9).sum() >= 27
    assert (finished[:10] >= 0.9).sum() >= 9
    if variant == "Gaussian":
        lost, _ = drive_all(lambda obs: rng.uniform(-1, 1, (1, len(HELD_OUT), 1)), HELD_OUT)
    else:
        lost, _ = drive_all(lambda obs: rng.integers(5, size=(1, len(HELD_OUT))), HELD_OUT, 5)
    assert 5 < lost.mean() < 30
    assert (distance >= 8 * lost.mean()).sum() >= 27


def test_nine_seeds_in_ten_balance_the_pole():
    """475 in a test, three times in a row, at the last test, and on fresh episodes with the best weights."""
    result = load("reinforce.cartpole")
    passed = result.table("return", "episode", "baseline")[1] >= 475
    confirmed = result.table("confirmed", "episode", "baseline")[1][:, 0] >= 475
    three = (passed[:, :-2] & passed[:, 1:-1] & passed[:, 2:]).any(axis=1)
    for reached in (passed.any(axis=1), three, passed[:, -1], confirmed):
        assert len(reached) == 30 and reached.sum() >= 27
