"""The probes: their exact values, learners that solve them, and which of them each planted fault breaks."""

import functools

import numpy as np
import pytest
import torch

from rlkit.envs import TabularVectorEnv, probes
from rlkit.learn.dqn import double_dqn_loss, dqn_loss, dqn_target, train_dqn
from rlkit.mdp import TabularMDP, solve
from rlkit.mdp.worlds import mitchell
from rlkit.nets import StackedMLP

COPIES, TOLERANCE = 4, 1e-3
NAMES = [probe.name for probe in probes()]


# --- what they are ---


@pytest.mark.parametrize("gamma", [0.0, 0.5, 0.9])
def test_their_values_are_what_one_can_say_without_computing(gamma):
    exact = [[[1]], [[-1], [1]], [[gamma], [1]], [[1, -1]], [[1, -1], [-1, 1]]]
    for probe, Q in zip(probes(gamma), exact, strict=True):
        assert probe.Q == pytest.approx(np.array(Q), abs=1e-8), probe.name
        assert probe.mdp.gamma == gamma


def test_their_worlds_do_what_their_tables_say():
    """Each action of each state is tried: its reward, and whether more follows."""
    for probe in probes():
        env = probe.make(60)
        obs, _ = env.reset(seed=0)
        seen = set()
        for t in range(12):
            action = np.arange(60) // 2 % env.single_action_space.n
            after, reward, terminated, truncated, _ = env.step(action)
            assert not truncated.any()
            if not begun_anew(t, probe):
                seen |= {
                    (*row, a, r, over) for row, a, r, over in zip(obs.tolist(), action, reward, terminated, strict=True)
                }
            obs = after
        assert seen == WORLDS[probe.name]


def begun_anew(t, probe):
    """Return whether step t only begins an episode: all episodes of a probe are equally long."""
    length = 2 if probe.name == NAMES[2] else 1
    return t % (length + 1) == length


# (observation, action, reward, terminated)
WORLDS = {
    NAMES[0]: {(0.0, 0, 1.0, True)},
    NAMES[1]: {(-1.0, 0, -1.0, True), (1.0, 0, 1.0, True)},
    NAMES[2]: {(-1.0, 0, 0.0, False), (1.0, 0, 1.0, True)},
    NAMES[3]: {(0.0, 0, 1.0, True), (0.0, 1, -1.0, True)},
    NAMES[4]: {(-1.0, 0, 1.0, True), (-1.0, 1, -1.0, True), (1.0, 0, -1.0, True), (1.0, 1, 1.0, True)},
}


# --- learners ---


@functools.cache
def passed(loss, seed=0, steps=2000):
    """Return of each probe whether all copies of a learner with this loss solve it; True, False, or None if only some do."""
    found = []
    for probe in probes():
        q = StackedMLP([1, 32, probe.mdp.n_actions], COPIES, seed)
        learn = {"gamma": 0.5, "lr": 1e-2, "warm_up": 50, "freeze": 20, "memory": 500, "epsilon": (1, 0.2, steps / 2)}
        train_dqn(probe.make, q, steps=steps, copies=COPIES, worlds=4, seed=seed, loss=loss, **learn)
        seen = torch.tensor(probe.observations[probe.acting], dtype=torch.float32).expand(COPIES, -1, -1)
        solved = (abs(q(seen).detach().numpy() - probe.Q) < TOLERANCE).all(axis=(1, 2))
        found.append(None if 0 < solved.sum() < COPIES else bool(solved.all()))
    return found


@pytest.mark.parametrize("seed", [0, 100, 200])
def test_dqn_solves_all(seed):
    assert passed(dqn_loss, seed) == [True] * 5


def test_double_dqn_solves_all():
    assert passed(double_dqn_loss) == [True] * 5


# --- planted faults ---


def taken(Q, action):
    return Q.gather(-1, action.unsqueeze(-1)).squeeze(-1)


def faulty(target=dqn_target, value=taken, eyes=lambda obs: obs, frozen=True):
    """Return a loss with one part exchanged."""

    def loss(q, q_frozen, batch):
        with torch.set_grad_enabled(not frozen):
            Q_next = (q_frozen if frozen else q)(eyes(batch.next_obs))
            y = target(batch.reward, Q_next, batch.terminated, batch.discount)
        return (y - value(q(eyes(batch.obs)), batch.action)) ** 2

    return loss


def smallest(reward, Q_next, terminated, gamma):
    return -dqn_target(-reward, -Q_next, terminated, gamma)


def as_if_none_ended(reward, Q_next, terminated, gamma):
    return dqn_target(reward, Q_next, torch.zeros_like(terminated), gamma)


# Which probes a fault breaks, in the order of NAMES: the constant reward, what is seen, later, the action, both.
FAULTS = {
    "gamma is ignored": (faulty(lambda r, Q, over, gamma: dqn_target(r, Q, over, 1.0)), "..X.."),
    "gamma on the reward too": (faulty(lambda r, Q, over, gamma: gamma * dqn_target(r, Q, over, 1.0)), "XXXXX"),
    "the future does not count": (faulty(lambda r, Q, over, gamma: r), "..X.."),
    "the future is subtracted": (faulty(lambda r, Q, over, gamma: dqn_target(r, Q, over, -gamma)), "..X.."),
    "bootstrapping through the end": (faulty(as_if_none_ended), "XXXXX"),
    "the value of the next action": (faulty(value=lambda Q, a: taken(Q, (a + 1) % Q.shape[-1])), "...XX"),
    "the value of all actions": (faulty(value=lambda Q, a: Q.mean(dim=-1)), "...XX"),
    "the network sees nothing": (faulty(eyes=torch.zeros_like), ".XX.X"),
    # In no probe is there a choice to be made in the next state, and in none does chance decide where an action leads:
    "the smallest value of the next state": (faulty(smallest), "....."),
    "a gradient through the target": (faulty(frozen=False), "....."),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_breaks_these_probes_and_no_others(fault):
    loss, broken = FAULTS[fault]
    assert passed(loss, steps=1600) == [mark == "." for mark in broken]


def test_each_probe_is_broken_by_a_fault():
    assert {i for _, broken in FAULTS.values() for i, mark in enumerate(broken) if mark == "X"} == set(range(5))


# --- the two faults that no probe finds, and worlds that find them ---


def error(mdp, loss):
    """Return by how much the worst copy misses the exact value of any action that exists."""
    q = StackedMLP([mdp.n_states, 32, mdp.n_actions], 2, 0)
    learn = {
        "steps": 6000,
        "worlds": 4,
        "batch": 32,
        "lr": 1e-2,
        "warm_up": 100,
        "freeze": 20,
        "epsilon": (1, 0.5, 2000),
    }
    train_dqn(lambda n: TabularVectorEnv(n, mdp, limit=20), q, copies=2, gamma=mdp.gamma, loss=loss, **learn)
    Q = q(torch.eye(mdp.n_states).expand(2, -1, -1)).detach().numpy()
    acting = mdp.available & ~mdp.terminal[:, None]
    return float(abs(Q - solve(mdp).Q)[:, acting].max())


def test_a_choice_in_the_next_state_finds_the_wrong_action():
    """In Mitchell's cells the values lie between 72.9 and 100."""
    assert error(mitchell(), dqn_loss) < 0.5
    assert error(mitchell(), FAULTS["the smallest value of the next state"][0]) > 10


def test_chance_finds_a_gradient_through_the_target():
    """From 0 to one of two states, which then pay 1 and -1: descending the whole error, they seem worth 1 / (1 + gamma^2).

    That is the minimum of gamma^2 v^2 + (1 - v)^2, with 0 valued at 0 and the two at v and -v: with gamma 0.9, 0.55.
    """
    P = np.zeros((4, 1, 4))
    P[0, 0, 1:3] = 0.5
    P[1:, 0, 3] = 1
    mdp = TabularMDP(P, [[0.0], [1.0], [-1.0], [0.0]], 0.9, [1, 0, 0, 0], [0, 0, 0, 1])
    assert error(mdp, dqn_loss) < 0.2
    assert 0.3 < error(mdp, FAULTS["a gradient through the target"][0]) < 0.6
