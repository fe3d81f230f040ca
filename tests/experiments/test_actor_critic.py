"""The stored runs of A2C and PPO, and the stored pilots: whose number is whose, what they were trained with, what they can."""

import os
import time
from functools import partial

import numpy as np
import pytest
import torch

from rlkit.envs import cartpole
from rlkit.experiments import actor_critic as runs
from rlkit.experiments import checkpoints, load
from rlkit.experiments.actor_critic import CARTPOLE, EXPERIMENTS, LANDER, run_cartpole, run_lander
from rlkit.experiments.checkpoints import load_policy, save
from rlkit.learn import actor_critic
from rlkit.learn.actor_critic import ppo_loss, train_a2c, train_ppo
from rlkit.learn.episodes import play
from rlkit.learn.reinforce import acting
from rlkit.nets import CategoricalPolicy

HOW = ("landed", "crashed", "flew away", "standing", "hovering")


class Arrived(Exception):
    """Raised in the place of what a test does not need to see run."""


def given(monkeypatch, run, settings, seeds, name="train_ppo"):
    """Return (make_env, policy, critic, settings) that a run would train with."""
    kept = []

    def train(*networks, **arguments):
        kept.append((*networks, arguments))
        raise Arrived

    monkeypatch.setattr(actor_critic, name, train)
    with pytest.raises(Arrived):
        run(settings, seeds)
    return kept[0]


@pytest.fixture
def elsewhere(monkeypatch, tmp_path):
    """Let policies be stored, and looked for, in an empty folder."""
    monkeypatch.setattr(checkpoints, "RESULTS", tmp_path)
    return tmp_path


# --- what is stored ---


@pytest.mark.parametrize("experiment", EXPERIMENTS, ids=lambda e: e.name)
def test_what_is_stored_is_what_is_declared(experiment):
    assert experiment.matches(load(experiment.name))
    for _, seeds in experiment.jobs():  # a group's networks are seeded from its first one on
        assert list(seeds) == list(range(seeds[0], seeds[0] + len(seeds)))


@pytest.mark.parametrize("name", CARTPOLE)
def test_every_seed_balances_the_pole(name):
    """475 in a test, and on fresh episodes with the best weights; ten seeds together in 12 seconds of processor time."""
    result = load("ppo.cartpole")
    passed = result.table("return", variant=name)[1] >= 475
    confirmed, cpu = (result.table(column, variant=name)[1][:, 0] for column in ("confirmed", "cpu"))
    assert passed.shape == (10, 20)
    assert passed.any(axis=1).all()
    assert (confirmed >= 475).all()
    assert cpu.max() <= 12
    if name == "PPO":
        assert (passed[:, :-2] & passed[:, 1:-1] & passed[:, 2:]).any(axis=1).all(), "three in a row"


def test_every_seed_lands_with_the_likeliest_actions_and_with_drawn_ones():
    """200 in the mean over 100 flights, and in at most 120 seconds of processor time a seed, with all of its tests."""
    result = load("ppo.lander")
    rows = {name: np.array(column) for name, column in result.columns.items()}
    last = (rows["step"] == LANDER["steps"]) & (rows["flights"] == 100)
    assert last.sum() == 10
    assert (rows["return"][last] >= 200).all()
    assert (rows["landed"][last] >= 90).all()
    assert result.cpu_seconds / 5 <= 120


def test_the_stored_pilots_still_land():
    """100 flights of each with the likeliest actions, in worlds that none of the runs has seen. (About 15 seconds.)"""
    pytest.importorskip(
        "Box2D", reason="the lander's physics is not installed: there is no wheel of it for this machine"
    )
    pilots = load_policy("ppo.lander")
    begun = time.process_time()
    found = runs.fly(acting(pilots), 5, 100, 77_000_000)
    assert (found["return"] >= 200).sum() >= 4, found["return"]
    assert (found["landed"] >= 90).sum() >= 4
    assert time.process_time() - begun < 60


def test_the_stored_pilots_are_small_and_no_program():
    file = checkpoints.RESULTS / "ppo.lander.npz"
    assert len(file.read_bytes()) < 300_000
    with np.load(file, allow_pickle=False) as weights:
        assert {weights[name].dtype for name in weights.files} == {np.dtype(np.float32)}


# --- storing a policy ---


def test_a_policy_comes_back_as_it_was(elsewhere):
    for sizes, copies in (([8, 5, 6, 4], 3), ([2, 3], 1)):
        policy = CategoricalPolicy(sizes, copies, 7)
        assert save("some.name", policy) == elsewhere / "some.name.npz"
        again = load_policy("some.name")
        obs = torch.randn(copies, 9, sizes[0], generator=torch.Generator().manual_seed(0))
        assert torch.equal(policy(obs).log_p, again(obs).log_p)
        assert [p.shape for p in policy.parameters()] == [p.shape for p in again.parameters()]


def test_the_same_weights_are_the_same_file(elsewhere):
    policy = CategoricalPolicy([8, 5, 4], 3, 7)
    one, other = (save(name, policy).read_bytes() for name in ("one", "other"))
    assert one == other


def test_a_file_is_replaced_whole_or_not_at_all(elsewhere, monkeypatch):
    before = save("some.name", CategoricalPolicy([8, 4], 1, 7)).read_bytes()

    def full(*_):
        raise OSError("no space left")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OSError, match="no space"):
        save("some.name", CategoricalPolicy([8, 4], 1, 8))
    assert (elsewhere / "some.name.npz").read_bytes() == before
    assert [file.name for file in elsewhere.iterdir()] == ["some.name.npz"], "nothing else is left"


def test_a_policy_that_is_not_there(elsewhere):
    with pytest.raises(ValueError, match=r"^no policy 'some' is stored: there are none$"):
        load_policy("some")
    save("other", CategoricalPolicy([8, 4], 1))
    with pytest.raises(ValueError, match=r"^no policy 'some' is stored: there are other$"):
        load_policy("some")


def test_a_file_that_would_run_a_program_is_refused(elsewhere):
    np.savez(elsewhere / "bad.npz", weight=np.array([{}], object), allow_pickle=True)
    with pytest.raises(ValueError, match="allow_pickle=False"):
        load_policy("bad")


# --- what the runs train with ---


def test_the_lander_is_trained_as_its_settings_say(monkeypatch):
    make_env, policy, critic, settings = given(monkeypatch, run_lander, LANDER, [3, 4])
    obs = torch.zeros(2, 4, 8)
    assert make_env.__name__ == "lunar_lander"
    assert policy(obs).log_p.shape == (2, 4, 4) and critic(obs).shape == (2, 4, 1)
    assert policy.network.layers[0].weight.shape == critic.layers[0].weight.shape == (2, 8, 64)
    assert (settings["copies"], settings["seed"]) == (2, 3)
    loss = settings["loss"]
    assert isinstance(loss, partial) and loss.func is ppo_loss and loss.keywords == {"entropy": LANDER["entropy"]}
    names = ("steps", "worlds", "length", "minibatch", "epochs", "gamma", "lam", "lr", "scale")
    assert {name: settings[name] for name in names} == {name: LANDER[name] for name in names}
    at_once = LANDER["worlds"] * LANDER["length"]
    assert LANDER["steps"] % at_once == settings["test_every"] % at_once == 0
    assert settings["test_every"] * 14 == LANDER["steps"]
    assert train_ppo.__kwdefaults__["normalise"]


def test_rows_of_the_lander_belong_to_their_seed_moment_and_way_of_acting(monkeypatch, elsewhere):
    """Flights that are replaced by numbers which say whose they are."""
    flown, learned = [], []

    def numbered(choose, copies, flights, seed):
        flown.append((choose, flights, seed))
        return {"return": 100.0 * len(flown) + np.arange(copies), **{name: np.arange(copies) for name in HOW}}

    monkeypatch.setattr(runs, "fly", numbered)
    monkeypatch.setattr(actor_critic, "train_ppo", lambda *a, **s: learned.append(train_ppo(*a, **s)) or learned[-1])
    short = {
        "steps": 14 * 120,
        "worlds": 3,
        "length": 40,
        "hidden": [8],
        "minibatch": 60,
        "epochs": 1,
        "checkpoint": "own",
    }
    kept = {name: np.array(column) for name, column in run_lander(LANDER | short, [7, 8, 9]).items()}
    assert [flights for _, flights, _ in flown] == [20] * 26 + [100] * 2
    assert len({seed for _, _, seed in flown}) == 14
    assert min(seed for _, _, seed in flown) > 1_000_000
    x, learning = learned[0].curve(14)
    obs = np.zeros((3, 500, 8), np.float32)
    drawn = [len(np.unique(choose(obs)[0])) > 1 for choose, _, _ in flown]  # the same state, 500 times
    assert drawn == [False, True] * 14
    log = learned[0].episodes
    for k, seed in enumerate((7, 8, 9)):
        for j, actions in enumerate(("likeliest", "drawn")):
            own = (kept["seed"] == seed) & (kept["actions"] == actions)
            np.testing.assert_array_equal(kept["step"][own], x)
            behind = [((log["copy"] == k) & (log["step"] <= n)).sum() for n in x]
            np.testing.assert_array_equal(kept["episode"][own], behind)
            np.testing.assert_array_equal(kept["learning"][own], learning[k])
            np.testing.assert_array_equal(kept["return"][own], 100 * (2 * np.arange(14) + j + 1) + k)
    assert len({tuple(kept["episode"][kept["seed"] == seed]) for seed in (7, 8, 9)}) == 3
    stored = load_policy("own")
    for a, b in zip(stored.parameters(), learned[0].policy.parameters(), strict=True):
        assert torch.equal(a, b), "the last weights"


def test_without_a_name_no_policy_is_stored(monkeypatch, elsewhere):
    monkeypatch.setattr(runs, "fly", lambda choose, copies, *_: {"return": np.zeros(copies)})
    short = {"steps": 14 * 6, "worlds": 2, "length": 3, "hidden": [8], "checkpoint": ""}
    run_lander(LANDER | short, [7])
    assert not list(elsewhere.iterdir())


@pytest.mark.parametrize(("name", "learner"), [("PPO", "train_ppo"), ("A2C", "train_a2c")])
def test_the_pole_is_balanced_by_the_learner_that_the_settings_name(monkeypatch, name, learner):
    make_env, policy, critic, settings = given(monkeypatch, run_cartpole, CARTPOLE[name], [3, 4], learner)
    obs = torch.zeros(2, 5, 4)
    assert make_env is cartpole
    assert policy(obs).log_p.shape == (2, 5, 2) and critic(obs).shape == (2, 5, 1)
    assert settings == {key: value for key, value in CARTPOLE[name].items() if key != "algorithm"} | {
        "copies": 2,
        "seed": 3,
    }
    at_once = settings["worlds"] * settings["length"]
    assert settings["steps"] % at_once == settings["steps"] // 20 % at_once == 0


def test_columns_of_cartpole_belong_to_their_seed(monkeypatch):
    learned, played = [], []
    monkeypatch.setattr(actor_critic, "train_a2c", lambda *a, **s: learned.append(train_a2c(*a, **s)) or learned[-1])

    def shorter(choose, *rest, **settings):
        played.append((choose, settings, play(choose, *rest, **settings | {"episodes": 3})))
        return played[-1][-1]

    monkeypatch.setattr("rlkit.learn.episodes.play", shorter)
    short = {"steps": 20 * 48, "worlds": 6, "length": 8}
    found = {name: np.array(column) for name, column in run_cartpole(CARTPOLE["A2C"] | short, [7, 8, 9]).items()}
    timed, result = learned
    assert not timed.snapshots and len(result.snapshots) == 20
    for a, b in zip(timed.policy.parameters(), result.policy.parameters(), strict=True):
        assert torch.equal(a, b), "tests change nothing"
    choose, settings, fresh = played[-1]
    assert settings["episodes"] == 100
    assert settings["seed"] == 1_000_007
    obs = np.random.default_rng(0).normal(size=(3, 50, 4))
    np.testing.assert_array_equal(choose(obs), acting(result.best)(obs))
    for k, seed in enumerate((7, 8, 9)):
        own = found["seed"] == seed
        np.testing.assert_array_equal(found["step"][own], result.tested()[0])
        np.testing.assert_array_equal(found["return"][own], result.tested()[1][k])
        np.testing.assert_array_equal(found["learning"][own], result.curve(20)[1][k])
        assert set(found["confirmed"][own]) == {fresh["return"][k].mean()}
    assert found["cpu"].min() == found["cpu"].max() > 0
