"""The experiments of chapter 3: what each variant changes, and which seed and step a stored number belongs to."""

import numpy as np
import pytest

from rlkit.envs import cartpole, minatar
from rlkit.experiments import load
from rlkit.experiments.dqn import CARTPOLE, EXPERIMENTS, MINATAR, ablation, columns, run_cartpole, run_game, run_minatar
from rlkit.learn import dqn
from rlkit.learn.dqn import train_dqn
from rlkit.nets import StackedMLP


def test_the_ablation_takes_away_one_cure_two_or_none():
    variants = ablation(CARTPOLE)
    assert variants["both"] == CARTPOLE
    assert variants["replay"] == {**CARTPOLE, "freeze": 1}
    assert variants["target"] == {**CARTPOLE, "memory": 80}  # 8 worlds, transitions of 10 steps: one for each world
    assert variants["neither"] == {**CARTPOLE, "freeze": 1, "memory": 80}
    assert ablation(MINATAR)["target"]["memory"] == 16


def test_columns_belong_to_their_seed_and_step():
    result = train_dqn(
        cartpole, StackedMLP([4, 8, 2], 3), copies=3, steps=1200, warm_up=400, test_every=400, test_episodes=2
    )
    found = columns(result, [7, 8, 9])
    x, learning = result.curve(3)
    for name in ("return", "discounted", "promise"):
        _, table = result.tested(name)
        for k, seed in enumerate((7, 8, 9)):
            np.testing.assert_array_equal(found[name][found["seed"] == seed], table[k])
    for k, seed in enumerate((7, 8, 9)):
        own = found["seed"] == seed
        np.testing.assert_array_equal(found["step"][own], x)
        np.testing.assert_array_equal(found["learning"][own], learning[k])


def test_what_is_confirmed_or_final_belongs_to_its_seed(monkeypatch):
    played = {}

    def play(q, make_env, *, copies, seed=0, **rest):
        found = real(q, make_env, copies=copies, seed=seed, **(rest | {"episodes": 2, "limit": 30}))
        if seed >= 1_000_000 and seed < 1_000_003:
            played.update(found)
        return found

    real = dqn.play
    monkeypatch.setattr(dqn, "play", play)
    found = run_cartpole(CARTPOLE, [0, 1])
    for k in (0, 1):
        assert set(found["confirmed"][found["seed"] == k]) == {played["return"][k].mean()}
    short = {"game": "Breakout", **MINATAR, "steps": 40_000, "warm_up": 39_000, "memory": 1000}
    found = run_minatar(short, [0, 1])
    for k in (0, 1):
        assert set(found["final"][found["seed"] == k]) == {played["return"][k].mean()}


def test_the_double_variant_is_double(monkeypatch):
    used = []
    monkeypatch.setattr(dqn, "train_dqn", lambda *args, loss, **rest: used.append(loss) or 1 / 0)
    for double in ({}, {"double": True}):
        with pytest.raises(ZeroDivisionError):
            run_minatar({"game": "Breakout", **MINATAR, **double}, [0])
    assert used == [dqn.dqn_loss, dqn.double_dqn_loss]


def test_a_recorded_game_is_a_game():
    found = run_game({**MINATAR, "steps": 3000, "memory": 1000, "frames": 12}, [3])
    screens = [
        np.unpackbits(np.frombuffer(bytes.fromhex(s), np.uint8))[:400].reshape(4, 10, 10) for s in found["screen"]
    ]
    assert len(screens) == len(found["reward"]) == len(found["step"])
    assert all(screen[minatar.Breakout.channels.index("ball")].sum() == 1 for screen in screens)
    assert all(screen[minatar.Breakout.channels.index("paddle")][9].sum() == 1 for screen in screens)


@pytest.mark.parametrize("experiment", EXPERIMENTS, ids=lambda e: e.name)
def test_what_is_stored_is_what_is_declared(experiment):
    assert experiment.matches(load(experiment.name))
    for _, seeds in experiment.jobs():  # a group's networks are seeded from its first one on
        assert list(seeds) == list(range(seeds[0], seeds[0] + len(seeds)))
