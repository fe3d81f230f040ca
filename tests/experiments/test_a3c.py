"""The runs of A3C: whose rows are whose, and what the log of updates must add up to."""

import numpy as np
import pytest

from rlkit.experiments import a3c, load
from rlkit.experiments.a3c import CARTPOLE, EXPERIMENTS, run_cartpole, run_speed, run_updates
from rlkit.learn.actor_critic import a2c

SHORT = CARTPOLE | {"steps": 400, "hidden": [8]}


def test_a_row_is_a_test_of_its_seed(monkeypatch):
    learned = []
    real = a2c.train_a2c
    monkeypatch.setattr(a2c, "train_a2c", lambda *args, **rest: learned.append(real(*args, **rest)) or learned[-1])
    kept = {name: np.array(column) for name, column in run_cartpole(SHORT | {"worlds": 1}, [3, 4]).items()}
    assert len(learned) == 2
    for seed, result in zip((3, 4), learned, strict=True):
        own = kept["seed"] == seed
        assert result.params["seed"] == seed
        assert (result.params["lr"], result.params["scale"], result.params["test_episodes"]) == (0.001, 0.02, 20)
        assert kept["step"][own].tolist() == list(range(20, 401, 20))
        np.testing.assert_array_equal(kept["return"][own], result.tested()[1][0])
        np.testing.assert_array_equal(kept["learning"][own], result.curve(20)[1][0])


def test_what_is_timed(monkeypatch):
    asked = []
    real = a3c.train
    monkeypatch.setattr(a3c, "train", lambda settings, seed, **rest: asked.append(settings) or real(settings, seed))
    found = run_speed(SHORT | {"workers": [1], "worlds": [1, 4], "repeats": 2}, [0])
    assert list(zip(found["method"], found["number"], found["repeat"], strict=True)) == [
        (method, number, repeat) for repeat in range(2) for method, number in (("A3C", 1), ("A2C", 1), ("A2C", 4))
    ]
    assert ["workers" in settings for settings in asked] == [False] + [True, False, False] * 2
    seconds, cpu, starting = (np.array(found[name]) for name in ("seconds", "cpu", "starting"))
    assert (seconds > 0).all()
    assert (cpu > 0).all()
    assert (cpu <= seconds + 0.05).all()
    assert [s > 0.2 for s in starting] == [method == "A3C" for method in found["method"]]


def test_a_row_is_an_update():
    found = {name: np.array(column) for name, column in run_updates(SHORT | {"workers": [1]}, [0]).items()}
    assert set(found) == {"seed", "workers", "worker", "begin", "end", "staleness"}
    assert len(found["seed"]) == 20
    assert set(found["workers"]) == {1}
    assert (np.diff(found["begin"]) > 0).all()


@pytest.mark.parametrize("experiment", EXPERIMENTS, ids=lambda e: e.name)
def test_what_is_stored_is_what_is_declared(experiment):
    assert experiment.matches(load(experiment.name))


def test_stored_updates_overlap_and_staleness_adds_up():
    """While one worker is at work, each other pushes as often as it does, so that the mean is all others but one: W - 1."""
    log = load("a3c.updates").columns
    for workers in (2, 4):
        own = {name: column[log["workers"] == workers] for name, column in log.items() if name != "variant"}
        assert len(own["staleness"]) == 960
        assert set(own["worker"]) == set(range(workers))
        assert 0.5 * (workers - 1) < own["staleness"].mean() <= workers - 1
        mine, others = (own["worker"] == 0), (own["worker"] != 0)
        begins, ends = own["begin"][mine][:, None], own["end"][mine][:, None]
        assert ((begins < own["end"][others]) & (own["begin"][others] < ends)).any(axis=1).mean() > 0.5
