"""The experiments of chapter 5 on Pendulum: their own pendulum is Gymnasium's, and what the stored runs have learned."""

import gymnasium
import numpy as np
import pytest
import torch

from rlkit.core import mean_interval
from rlkit.envs import Worlds, pendulum
from rlkit.experiments import load
from rlkit.experiments.ddpg import (
    BROKEN,
    DDPG,
    EXPERIMENTS,
    PENDULUM,
    TD3,
    pendulum_with,
    promised_and_got,
    run_pendulum,
    starts,
    swing,
)
from rlkit.learn import ddpg
from rlkit.learn.ddpg import Agent, acting
from rlkit.nets import Critics, DeterministicPolicy

SHORT = {"steps": 1000, "batch": 4, "warm_up": 490}


@pytest.mark.parametrize("first", [False, True])
def test_a_swing_is_gymnasiums(first):
    """120 steps of six worlds, from states that are set; with the policy's first torque, or one that is given (beyond 2 too)."""
    actor, rng = DeterministicPolicy([3, 8, 1], 2, 0, bound=2.0), np.random.default_rng(0)
    with torch.no_grad():
        actor.network.layers[-1].weight *= 20  # so that torques are large, and the rod turns over
    angle, velocity = rng.uniform(-7, 7, (2, 3)), rng.uniform(-8, 8, (2, 3))
    torque = np.array([[-2.0, 0.5, 9.0], [1.0, 0.0, -0.3]]) if first else None
    paid = swing(acting(actor), angle, velocity, torque, steps=120)
    world = gymnasium.make("Pendulum-v1").unwrapped
    for k, i in np.ndindex(2, 3):
        world.reset(seed=0)
        world.state = np.array([angle[k, i], velocity[k, i]])
        obs, found = world._get_obs(), []
        for t in range(120):
            given = np.tile(obs / [1, 1, 4], (2, 1, 1))
            action = torque[k, i] if first and t == 0 else acting(actor)(given)[k, 0, 0]
            obs, reward, *_ = world.step(np.array([action]))
            found.append(reward)
        np.testing.assert_allclose(paid[:, k, i], found, rtol=1e-3, atol=1e-3)
    assert abs(np.diff(paid, axis=0)).max() > 1


def test_starts_are_those_of_pendulum():
    """Smallest, mean and largest of 20 000 angles and velocities; a hundredth is more than five standard errors."""
    angle, velocity = starts(2, 10_000, np.random.default_rng(0))
    cos, sin, speed = np.moveaxis(Worlds(pendulum, 2, 2000, 0).obs, -1, 0)
    for ours, theirs, most in ((angle, np.arctan2(sin, cos), np.pi), (velocity, 4 * speed, 1.0)):
        assert ours.shape == (2, 10_000)
        for x in (ours / most, theirs / most):
            assert x.min() == pytest.approx(-1, abs=0.01)
            assert x.max() == pytest.approx(1, abs=0.01)
            assert np.quantile(x, [0.25, 0.5, 0.75]).tolist() == pytest.approx([-0.5, 0, 0.5], abs=0.06)


@pytest.mark.parametrize("terminal", [False, True])
def test_what_is_broken_off_may_be_said_to_have_ended(terminal):
    world, ends = Worlds(lambda n: pendulum_with(n, 4, terminal), 1, 2, 0), []
    for _ in range(9):
        step = world.step(np.zeros((1, 2, 1)))
        ends.append((step.terminated.all(), step.truncated.all()))
    expected = (terminal, not terminal)
    assert ends == [expected if t in (3, 8) else (False, False) for t in range(9)]
    assert world.episodes()["length"].tolist() == [4] * 4


def test_what_is_promised_and_what_is_got_worked_out():
    """An actor that never pushes, and critics that promise 3 and 5, of which the first is asked: 30 at a scale of 0.1."""
    actor, critic = DeterministicPolicy([3, 1], 2, bound=2.0), Critics([4, 1], 2)
    with torch.no_grad():
        for p in (*actor.parameters(), *critic.parameters()):
            p.zero_()
        for i, promise in enumerate((3.0, 5.0)):
            critic.critics[i].network.layers[0].bias.fill_(promise)
    agent = Agent(actor, critic, actor, critic, None, None, torch.Generator())
    total, promised, got = promised_and_got(agent, {"gamma": 0.9, "scale": 0.1}, 5, np.random.default_rng(3))
    paid = swing(lambda obs: np.zeros((2, 5, 1)), *starts(2, 5, np.random.default_rng(3)), steps=400)
    assert promised.tolist() == pytest.approx([30, 30])
    np.testing.assert_allclose(total, paid[:200].sum(axis=0).mean(axis=1))
    np.testing.assert_allclose(got, sum(0.9**t * paid[t] for t in range(400)).mean(axis=1))


def test_rows_say_whose_they_are(monkeypatch):
    kept, real = [], ddpg.train_ddpg

    def train(make_env, actor, critic, **settings):
        kept.append((actor, settings))
        return real(make_env, actor, critic, **settings)

    monkeypatch.setattr(ddpg, "train_ddpg", train)
    found = run_pendulum(DDPG | SHORT, [4, 5])
    assert found["seed"].tolist() == [4, 5, 4, 5]
    assert found["step"].tolist() == [500, 500, 1000, 1000]
    assert {len(column) for column in found.values()} == {4}
    assert found["end"][:2].tolist() == found["end"][2:].tolist()
    assert len(set(found["return"])) == 4
    (actor, settings), *_ = kept
    paid = swing(acting(actor), *starts(2, 500, np.random.default_rng(0))).sum(axis=0)
    error = np.sqrt((paid.var(axis=1) / 100) + paid.var(axis=1) / 500)
    assert (abs(found["end"][:2] - paid.mean(axis=1)) < 5 * error).all()
    assert settings["seed"] == 4
    assert settings["copies"] == 2


@pytest.mark.parametrize("name", [*PENDULUM, *BROKEN])
def test_each_variant_reaches_the_learner(name, monkeypatch):
    """What the learner and its update are given is what the settings say."""
    settings, kept = (PENDULUM | BROKEN)[name], {}

    def train(make_env, actor, critic, *, update, noise, **rest):
        kept.update(rest, critics=len(critic.critics), noise=noise, **update_settings(update))
        kept.update(make_env.keywords)
        assert make_env.func is pendulum_with
        raise ZeroDivisionError

    def update_settings(update):
        learn = next(c.cell_contents for c in update.__closure__ if hasattr(c.cell_contents, "keywords"))
        assert learn.func is ddpg.td3_update
        return learn.keywords

    monkeypatch.setattr(ddpg, "train_ddpg", train)
    with pytest.raises(ZeroDivisionError):
        run_pendulum(settings, [0])
    assert (kept["limit"], kept["terminal"]) == (settings.get("limit", 200), settings.get("terminal", False))
    noise = kept.pop("noise")
    kinds = {"Gaussian": ("GaussianNoise", 0.1), "none": ("GaussianNoise", 0.0)}
    assert (type(noise).__name__, noise.std) == kinds.get(settings["noise"], ("OrnsteinUhlenbeck", 0.1))
    for setting in settings.keys() - {"noise", "limit", "terminal"}:
        assert kept[setting] == settings[setting], setting


# --- what is stored ---


def test_what_is_stored_is_of_these_settings():
    assert all(experiment.matches(load(experiment.name)) for experiment in EXPERIMENTS)
    assert sum(load(experiment.name).cpu_seconds for experiment in EXPERIMENTS) < 15 * 60


@pytest.mark.parametrize("name", ["DDPG", "TD3"])
def test_nine_of_ten_swing_it_up(name):
    """A mean of -170 over 100 fresh episodes of the last actor, which nobody has chosen."""
    end = load("ddpg.pendulum").table("end", variant=name)[1][:, 0]
    assert (end >= -170).sum() >= 9
    assert {"DDPG": DDPG, "TD3": TD3}[name]["steps"] <= 20_000


def test_what_the_chapter_says_of_the_broken_ones():
    broken = load("ddpg.broken")
    end = {name: broken.table("end", variant=name)[1][:, 0] for name in broken.settings}
    reached = {name: int((values >= -170).sum()) for name, values in end.items()}
    assert reached["no target networks"] == reached["hardly a memory"] == reached["50 steps, terminated"] == 0
    assert reached["slow critic"] <= 3
    assert min(reached["hasty critic"], reached["rewards not scaled"], reached["50 steps"]) >= 9
    assert mean_interval(end["50 steps, terminated"])[2] < mean_interval(end["50 steps"])[1]
