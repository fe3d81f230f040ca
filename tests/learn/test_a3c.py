"""A3C: its push against Adam, one worker against A2C, two at the same time, and how processes end."""

import contextlib
import functools
import multiprocessing
import os
import signal
import subprocess
import sys
import textwrap
import time
import types
from pathlib import Path

import numpy as np
import pytest
import torch

from rlkit.envs import cartpole, probes
from rlkit.learn.actor_critic.a2c import a2c_loss, both, train_a2c
from rlkit.learn.actor_critic.a3c import Crew, Shared, load, push, train_a3c
from rlkit.nets import Adam, CategoricalPolicy, StackedMLP, sharing

ROOT = Path(__file__).resolve().parents[2]
POSIX = pytest.mark.skipif(os.name == "nt", reason="sends a signal to a group of processes")


def build(seed=0, copies=1):
    return CategoricalPolicy([4, 8, 2], copies, seed), StackedMLP([4, 8, 1], copies, seed + 1)


def same(one, other):
    return all(torch.equal(a, b) for a, b in zip(one.parameters(), other.parameters(), strict=True))


def equal_columns(one, other, names):
    return all(np.array_equal(one[name], other[name]) for name in names)


@pytest.fixture(autouse=True)
def nobody_is_left():
    before = {child.pid for child in multiprocessing.active_children()}  # another test's pool may still be waiting
    yield
    assert [child for child in multiprocessing.active_children() if child.pid not in before] == []


# --- the parts ---


def test_a_push_is_a_step_of_adam():
    """Bit for bit, also where most gradients are 0 and some are large: there its steps are longest."""
    chance = torch.Generator().manual_seed(0)
    weights = [torch.randn(20, 5, generator=chance).requires_grad_()]
    theta, mean, square = torch.stack([weights[0].detach().flatten(), torch.zeros(100), torch.zeros(100)])
    adam = Adam(weights, 0.1)
    for number in range(1, 200):
        slope = torch.randn(20, 5, generator=chance).exp() * (
            torch.rand(20, 5, generator=chance) < 0.02 * (number % 10)
        )
        adam.step((weights[0] * slope).sum())
        push(theta, mean, square, slope.flatten(), 0.1, number)
        assert torch.equal(theta, weights[0].flatten())


@pytest.mark.parametrize("number", [2, 1_000])
def test_a_push_amid_another_is_no_leap(number):
    """The other has changed the mean, and not yet the square."""
    theta, mean, square, g = torch.zeros(4, 3)
    mean[:] = torch.tensor([0.1, -0.001, 0.0])
    push(theta, mean, square, g, 0.01, number)
    assert theta.tolist() == pytest.approx([-0.1, 0.1, 0.0], rel=1e-5)


PARAMS = {"worlds": 2, "length": 5, "steps": 63, "test_every": 25, "workers": 1}


def test_what_all_processes_see():
    policy, critic = build()
    weights = both(policy, critic)
    shared = Shared(weights, PARAMS)
    assert torch.equal(shared.theta, torch.cat([p.flatten() for p in weights]))
    assert shared.due == [30, 50], "the first rounds that end at or after 25 and 50, as in Record.count"
    assert shared.claim() == (10, 0)
    assert shared.count_update() == 1
    assert shared.claim() == (20, 1)
    assert shared.claim() == (30, 1)
    assert not shared.finished(30)
    shared.theta[:] = 3.0
    shared.finish((30, 1))
    shared.theta[:] = 4.0
    assert shared.finished(30)
    assert not shared.finished(20)
    load(weights, shared.kept[0])
    assert all((p == 3).all() for p in weights)
    assert [shared.claim() for _ in range(4)] == [(40, 1), (50, 1), (60, 1), None], "3 steps are no round"


def test_who_stops_the_others_leaves_nothing_to_claim():
    shared = Shared(both(*build()), PARAMS)
    shared.stop()
    assert shared.claim() is None


# --- one worker ---


def test_one_worker_is_a2c():
    """Weight for weight, episode for episode, test for test; and layers that are shared are changed once."""
    found = []
    for train in (train_a2c, train_a3c):
        policy, _ = build(4)
        critic = sharing(policy.network, 1, seed=9)
        settings = {"steps": 610, "worlds": 3, "length": 10, "seed": 5, "lam": 0.9, "lr": 0.01, "scale": 0.1}
        if train is train_a3c:
            settings["workers"] = 1
        run = train(cartpole, policy, critic, **settings, gamma=0.95, test_every=200, test_episodes=3)
        found.append((run, critic))
    (a2c, critic), (a3c, other) = found
    assert same(a2c.policy, a3c.policy)
    assert same(critic, other)
    assert same(a2c.best, a3c.best)
    assert equal_columns(a2c.episodes, a3c.episodes, a2c.episodes)
    assert equal_columns(a2c.tests, a3c.tests, a2c.tests)
    assert list(a2c.snapshots) == list(a3c.snapshots) == a3c.tests["step"].tolist()
    assert all(same(a2c.snapshots[t], a3c.snapshots[t]) for t in a2c.snapshots)
    np.testing.assert_allclose(a2c.updates["loss"], a3c.updates["loss"], rtol=1e-6)
    assert set(a3c.updates["staleness"]) == {0}
    assert a3c.params["workers"] == 1


# --- several workers ---


@pytest.fixture(scope="module")
def together():
    policy, critic = build()
    return train_a3c(cartpole, policy, critic, steps=2_400, workers=2, length=10, test_every=600, test_episodes=2)


def test_workers_work_at_the_same_time(together):
    """Not in turns: many updates begin before, and end after, the moment at which one of the other worker begins."""
    log = together.updates
    begin, end = ([log[name][log["worker"] == w] for w in range(2)] for name in ("begin", "end"))
    assert min(len(b) for b in begin) > 40
    for w in range(2):
        order = np.argsort(begin[w])
        assert (begin[w] < end[w]).all()
        assert (end[w][order][:-1] <= begin[w][order][1:]).all(), "one after the other within a worker"
    overlaps = (begin[0][:, None] < end[1]) & (begin[1] < end[0][:, None])
    assert overlaps.any(axis=1).mean() > 0.1  # nearly all where two processors are free
    assert overlaps.any(axis=0).mean() > 0.1


def test_every_step_is_taken_once_and_staleness_is_what_it_says(together):
    log = together.updates
    assert log["step"].tolist() == list(range(10, 2_401, 10))
    assert set(log["copy"]) == {0}
    assert (log["staleness"] >= 0).all()
    assert (log["staleness"] > 0).any()
    for w in range(2):
        mine, others = ({name: log[name][own] for name in log} for own in (log["worker"] == w, log["worker"] != w))
        # how near it comes to the bound is up to the machine: on a busy one the workers take turns
        assert 0 < mine["staleness"].sum() <= len(others["end"]), "each update of others is counted once at most"
        overlaps = (mine["begin"][:, None] < others["end"]) & (others["begin"] < mine["end"][:, None])
        # a round is claimed a moment before its begin is written down
        assert (mine["staleness"] <= overlaps.sum(axis=1) + 1).all()
    assert (log["cpu"] > 0).all()
    assert np.isfinite(log["loss"]).all()


def test_the_log_of_episodes_is_that_of_all_workers(together):
    found = together.episodes
    assert set(found["worker"]) == {0, 1}
    assert (np.diff(found["step"]) >= 0).all()
    assert (found["return"] == found["length"]).all()
    claimed = {w: together.updates["step"][together.updates["worker"] == w] for w in range(2)}
    for w, step in zip(found["worker"], found["step"], strict=True):
        assert np.any((claimed[w] - 10 < step) & (step <= claimed[w])), "within steps that this worker took"
    for w in range(2):  # steps are the lengths of its episodes, and one between two of them to begin anew
        length = found["length"][found["worker"] == w]
        assert length.sum() + len(length) - 1 <= 10 * len(claimed[w])
    assert together.curve(4)[1].shape == (1, 4)
    assert together.tests["step"].tolist() == [600, 1_200, 1_800, 2_400]
    assert not same(together.snapshots[600], together.snapshots[1_200])


def falling(policy, critic, run):
    """A loss that is the sum of all weights: its gradient is 1, and so each step of Adam is lr."""
    return sum(p.sum() for p in both(policy, critic)).expand(run.real.shape)


def test_the_updates_of_all_workers_arrive_in_the_same_weights():
    """100 updates by two workers make all weights smaller by 100 steps, but for the few that overwrite each other."""
    (policy, critic), before = build(), both(*build())
    found = train_a3c(cartpole, policy, critic, steps=1_000, workers=2, length=10, lr=0.001, loss=falling)
    assert np.bincount(found.updates["worker"]).min() > 10
    for now, then in zip(both(policy, critic), before, strict=True):
        assert (then - now).min() > 0.095
        assert (then - now).max() < 0.105


def make_probe(num_envs, place):
    return probes()[place].make(num_envs)


@pytest.mark.parametrize("place", [2, 4])
def test_probes_are_solved(place):
    """A reward that comes later; state and action together."""
    probe = probes()[place]
    actions = probe.mdp.R.shape[1]
    policy, critic = CategoricalPolicy([1, 16, actions]), StackedMLP([1, 16, 1], seed=1)
    loss = functools.partial(a2c_loss, entropy=0.01)
    make = functools.partial(make_probe, place=place)
    train_a3c(make, policy, critic, steps=6_000, worlds=8, length=4, gamma=0.5, lr=0.02, loss=loss)
    obs = torch.from_numpy(probe.observations[probe.acting]).float()[None]
    right = policy(obs).probs[0].gather(1, torch.from_numpy(probe.Q.argmax(axis=1))[:, None])
    assert right.min() > 0.9
    np.testing.assert_allclose(critic(obs)[0, :, 0].detach(), probe.Q.max(axis=1), atol=0.15)


# --- what goes wrong ---


def failing(policy, critic, run):
    raise ZeroDivisionError("nothing to divide by")


def leaving(policy, critic, run):
    os._exit(3)


def test_a_failure_in_a_worker_reaches_the_parent_as_one_sentence():
    place = r"\(test_a3c\.py, line \d+\)"
    with pytest.raises(RuntimeError, match=rf"^worker \d failed: ZeroDivisionError: nothing to divide by {place}$"):
        train_a3c(cartpole, *build(), steps=1_000_000, loss=failing)


def test_a_worker_that_dies_is_missed():
    with pytest.raises(RuntimeError, match=r"^worker \d ended with exit code 3 before its work was done$"):
        train_a3c(cartpole, *build(), steps=1_000_000, workers=1, loss=leaving)


def test_what_other_processes_do_not_see_is_refused(monkeypatch):
    """As a function of a notebook: it can be named, but not be found."""
    only_here = types.ModuleType("only_here")
    exec("def make(n):\n    from rlkit.envs import cartpole\n    return cartpole(n)", vars(only_here))
    monkeypatch.setitem(sys.modules, "only_here", only_here)
    sentence = r"^a worker does not find what it needs \(No module named 'only_here'\): what make_env, .+ notebook$"
    with pytest.raises(ValueError, match=sentence):
        train_a3c(only_here.make, *build(), steps=1_000, workers=1)


class Local(StackedMLP):
    def __reduce__(self):
        raise TypeError("no")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"workers": 0}, "workers is 0, but a whole number of at least 1 was expected"),
        ({"workers": 1.5}, r"workers is 1\.5, but a whole number of at least 1 was expected"),
        ({"workers": 2.0}, r"workers is 2\.0, but an int was expected"),
        ({"length": 1}, "length is 1, but a whole number of at least 2 was expected"),
        ({"steps": 0}, "steps is 0, but a whole number of at least 1 was expected"),
        ({"gamma": 1.5}, r"gamma is 1\.5, but it must lie in \[0, 1\]"),
        ({"lr": 0}, r"lr is 0, but a step size above 0 was expected"),
        (
            {"critic": StackedMLP([4, 2])},
            r"critic gives \(1, 1, 2\) for one step of the worlds, but \(1, 1, 1\) was expected",
        ),
        (
            {"policy": build(copies=2)[0]},
            r"policy\.network.+ has shape \(2, 4, 8\), but copies is 1: its first axis .+",
        ),
        ({"make_env": lambda n: cartpole(n)}, "make_env is .+, which cannot be sent to another process: a function .+"),
        ({"loss": lambda *run: a2c_loss(*run)}, "loss is .+, which cannot be sent to another process: .+"),
        ({"critic": Local([4, 1])}, "critic is .+, which cannot be sent to another process: .+"),
    ],
)
def test_what_does_not_fit_is_refused_in_one_sentence(change, message, monkeypatch):
    monkeypatch.setattr(Crew, "start", lambda _: pytest.fail("a process would have been started"))
    policy, critic = build()
    with pytest.raises(ValueError, match=f"^{message}$"):
        train_a3c(**{"make_env": cartpole, "policy": policy, "critic": critic, "steps": 1_000, **change})


# --- interrupts, in processes of their own ---

SCRIPT = """
    import sys
    from pathlib import Path
    from rlkit.envs import cartpole
    from rlkit.learn.actor_critic.a2c import a2c_loss
    from rlkit.learn.actor_critic.a3c import train_a3c
    from rlkit.nets import CategoricalPolicy, StackedMLP

    def make(n):
        with open("made", "a") as file:
            file.write("x")
        return cartpole(n)

    def loss(*arguments):
        with open("updates", "a") as file:
            file.write("x")
        return a2c_loss(*arguments)

    if __name__ == "__main__":
        policy, critic = CategoricalPolicy([4, 8, 2]), StackedMLP([4, 8, 1], seed=1)
        run = train_a3c(make, policy, critic, steps=10**6, loss=loss, lr=0.01)
        print(len(run.updates["step"]), len(set(run.updates["worker"])), len(run.episodes["step"]) > 0)
        moved = max(abs(a - b).max().item() for a, b in zip(policy.parameters(), CategoricalPolicy([4, 8, 2]).parameters()))
        print("moved" if moved > 0.01 else "as it was")
"""


@pytest.fixture
def groups():
    """The groups of processes that a test starts: whatever is left of them afterwards is ended."""
    started = []
    yield started
    for group in started:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(group, signal.SIGKILL)


def begin(tmp_path, groups, waits_for, size):
    """Start the script in a group of its own, and wait until a file of its has so many letters."""
    (tmp_path / "script.py").write_text(textwrap.dedent(SCRIPT))
    environment = os.environ | {"PYTHONPATH": str(ROOT), "RLKIT_PROGRESS": "off"}
    process = subprocess.Popen(
        [sys.executable, "script.py"],
        cwd=tmp_path,
        env=environment,
        text=True,
        start_new_session=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # it is ignored in a background job
    )
    groups.append(process.pid)
    file, late = tmp_path / waits_for, time.monotonic() + 60
    while not (file.exists() and len(file.read_text()) >= size):
        assert process.poll() is None and time.monotonic() < late
        time.sleep(0.01)
    return process


def nobody_in(group):
    """Return whether a group of processes is empty before 20 seconds are over."""
    late = time.monotonic() + 20
    while time.monotonic() < late:
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.05)
    return False


@POSIX
def test_control_c_ends_all_and_keeps_what_was_learned(tmp_path, groups):
    process = begin(tmp_path, groups, "updates", 60)
    os.killpg(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert nobody_in(process.pid)
    assert err == ""
    assert process.returncode == 0
    said, counted, moved = out.splitlines()
    updates = len((tmp_path / "updates").read_text())
    assert said == f"Interrupted: what was learned in {20 * updates:,} steps is kept."
    assert counted == f"{updates} 2 True"
    assert moved == "moved"


@POSIX
def test_control_c_while_workers_are_starting(tmp_path, groups):
    process = begin(tmp_path, groups, "made", 1)  # the parent's own world: now it starts the workers
    time.sleep(0.8)  # in the middle of what they import
    os.killpg(process.pid, signal.SIGINT)
    began = time.monotonic()
    out, err = process.communicate(timeout=60)
    assert nobody_in(process.pid)
    assert err == ""
    assert out.splitlines() == ["Interrupted: what was learned in 0 steps is kept.", "0 0 False", "as it was"]
    assert time.monotonic() - began < 5, "who has not begun is not waited for"


@POSIX
def test_workers_end_when_their_parent_has_died(tmp_path, groups):
    process = begin(tmp_path, groups, "updates", 60)
    process.kill()
    process.communicate(timeout=60)
    assert nobody_in(process.pid)
