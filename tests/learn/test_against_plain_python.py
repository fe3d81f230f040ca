"""Every learner against a slow one in plain Python that is shown the very same experience: equal tables, to 1e-12."""

import numpy as np
import pytest

from rlkit.learn.tabular import (
    backward_q_learning,
    boltzmann,
    double_q_learning,
    dyna_q,
    expected_sarsa,
    n_step_td,
    prioritised_sweeping,
    q_learning,
    replay_q_learning,
    sarsa,
    td_lambda,
    td_prediction,
)
from rlkit.mdp import random_policy
from tests.learn import plain
from tests.learn.transcript import record
from tests.mdp.random_worlds import Recipe, random_world

COPIES, EPSILON, LIMIT = 3, 0.4, 7

# One for each kind of world: several starts, missing actions, a terminal state, long and short episodes.
WORLDS = [
    random_world(
        Recipe(states=6, actions=3, gamma=gamma, ends=ends, missing=0.3, rewards="transition", successors=successors),
        np.random.default_rng(seed),
    )
    for seed, gamma, ends, successors in ((0, 0.9, 1, 3), (1, 0.5, 2, 2), (2, 0.95, 1, 1))
]
SETTINGS = {
    "steps": {"steps": 150},
    "steps with a limit": {"steps": 150, "limit": LIMIT},
    "episodes": {"episodes": 12, "limit": LIMIT},
    "one step each": {"episodes": 20, "limit": 1},
}


def falling(n):
    return 1 / (1 + 0.3 * n)


def equal(table, expected):
    np.testing.assert_allclose(table, expected, rtol=1e-12, atol=1e-12)


@pytest.fixture(params=range(len(WORLDS)))
def world(request):
    return WORLDS[request.param]


@pytest.fixture(params=SETTINGS.values(), ids=SETTINGS.keys())
def setting(request):
    return request.param


def agents(world, setting, alpha=0.3, first=0.0, copies=COPIES):
    return plain.Agents(world, copies, alpha, setting.get("episodes"), first)


def run(learner, world, setting, alpha=0.3, explore=EPSILON, **more):
    return record(learner, world, alpha=alpha, explore=explore, copies=COPIES, seed=5, **setting, **more)


def test_q_learning(world, setting):
    learned, transcript = run(q_learning, world, setting)
    equal(learned.Q, plain.q_learning(transcript, agents(world, setting)))


def test_sarsa(world, setting):
    learned, transcript = run(sarsa, world, setting)
    equal(learned.Q, plain.sarsa(transcript, agents(world, setting)))


def test_expected_sarsa(world, setting):
    learned, transcript = run(expected_sarsa, world, setting)
    equal(learned.Q, plain.expected_sarsa(transcript, agents(world, setting), EPSILON))


def test_double_q_learning(world, setting):
    learned, transcript = run(double_q_learning, world, setting)
    equal(learned.Q, plain.double_q_learning(transcript, agents(world, setting)))


def test_double_q_learning_tosses_a_fair_coin_for_every_copy_and_step():
    """1,800 tosses: 0.06 is 5 standard deviations of the share of heads, error rate below 1e-6."""
    _, transcript = run(double_q_learning, WORLDS[0], {"steps": 600})
    tosses = np.array([numbers for kind, numbers in transcript.events if kind == "coin"])
    assert tosses.shape == (600, COPIES)
    assert len(np.unique(tosses)) == tosses.size
    assert abs((tosses < 0.5).mean() - 0.5) < 0.06


def test_dyna_q(world, setting):
    learned, transcript = run(dyna_q, world, setting, planning=3)
    equal(learned.Q, plain.dyna_q(transcript, agents(world, setting)))


@pytest.mark.parametrize("capacity", [10, 1000])
def test_replay_q_learning(world, setting, capacity):
    learned, transcript = run(replay_q_learning, world, setting, replays=2, capacity=capacity)
    equal(learned.Q, plain.replay_q_learning(transcript, agents(world, setting), capacity))


def test_backward_q_learning(world, setting):
    if "limit" not in setting:
        setting = setting | {"limit": 50}
    learned, transcript = run(backward_q_learning, world, setting)
    equal(learned.Q, plain.backward_q_learning(transcript, agents(world, setting)))


@pytest.mark.parametrize("planning", [1, 5])
def test_prioritised_sweeping(world, setting, planning):
    (learned, updates), transcript = record(
        prioritised_sweeping, world, planning=planning, threshold=0.01, explore=EPSILON, seed=5, **setting
    )
    expected = plain.prioritised_sweeping(transcript, agents(world, setting, copies=1), planning, 0.01)
    equal(learned.Q, expected[0])
    assert updates == expected[1] > 0


def test_without_planning_or_replays_it_is_q_learning(world, setting):
    alone, _ = run(q_learning, world, setting)
    equal(run(dyna_q, world, setting, planning=0)[0].Q, alone.Q)
    equal(run(replay_q_learning, world, setting, replays=0)[0].Q, alone.Q)


# -- step sizes, first values, and other targets -----------------------------------------------------------------------

LEARNERS = {
    q_learning: plain.q_learning,
    sarsa: plain.sarsa,
    double_q_learning: plain.double_q_learning,
    backward_q_learning: plain.backward_q_learning,
    dyna_q: plain.dyna_q,
}


@pytest.mark.parametrize("learner", LEARNERS, ids=lambda learner: learner.__name__)
def test_step_sizes_that_fall_with_the_visits_and_tables_that_begin_anywhere(learner):
    world, setting = WORLDS[0], SETTINGS["episodes"]
    first = np.random.default_rng(7).normal(size=world.available.shape)
    learned, transcript = run(learner, world, setting, falling, Q0=first)
    equal(learned.Q, LEARNERS[learner](transcript, agents(world, setting, falling, first)))
    equal(learned.history[0], np.tile(np.where(world.available, first, -np.inf), (COPIES, 1, 1)))


@pytest.mark.parametrize("learner", LEARNERS, ids=lambda learner: learner.__name__)
def test_exploring_by_a_function(learner):
    world, setting = WORLDS[1], SETTINGS["steps with a limit"]
    learned, transcript = run(learner, world, setting, explore=lambda Q, w: boltzmann(Q, 0.5))
    equal(learned.Q, LEARNERS[learner](transcript, agents(world, setting)))


def test_a_step_size_of_one_over_n_gives_the_mean_of_all_targets():
    world = WORLDS[2]
    seen = []
    learned, transcript = record(
        q_learning, world, alpha=lambda n: 1 / n, steps=200, target=lambda r, *_: seen.append(r) or r, explore=1.0
    )
    (steps,) = transcript.copies()
    assert [step.r for step in steps] == np.ravel(seen).tolist()
    for s, a in zip(*world.available.nonzero(), strict=True):
        rewards = [step.r for step in steps if (step.s, step.a) == (s, a)]
        assert learned.Q[0, s, a] == pytest.approx(np.mean(rewards) if rewards else 0)


def test_a_target_of_ones_own_is_used_everywhere():
    # Whoever learns nothing but the reward ends with it, whatever the update looks like.
    world = WORLDS[2]  # deterministic: a reward for each pair
    tries = {
        q_learning: lambda r, Q, end, gamma: r,
        sarsa: lambda r, Q, a, end, gamma: r,
        expected_sarsa: lambda r, Q, pi, end, gamma: r,
        double_q_learning: lambda r, Q, other, end, gamma: r,
        backward_q_learning: lambda r, Q, end, gamma: r,
        replay_q_learning: lambda r, Q, end, gamma: r,
        dyna_q: lambda r, Q, end, gamma: r,
    }
    for learner, target in tries.items():
        learned = learner(world, alpha=1, explore=1.0, target=target, steps=700, limit=20)
        reached = world.available & ~world.terminal[:, None]
        equal(learned.Q[0][reached], world.expected_reward[reached])


# -- prediction --------------------------------------------------------------------------------------------------------


def predict(learner, world, setting, *args, **more):
    return record(learner, world, random_policy(world), *args, alpha=0.3, copies=COPIES, seed=5, **setting, **more)


FIRST = [0.5, -1.0, 2.0, 0.0, 1.0, 3.0]


def test_td_prediction(world, setting):
    learned, transcript = predict(td_prediction, world, setting, V0=FIRST)
    one_step = plain.n_step_td(1, 0.3, world.gamma, FIRST)
    equal(learned.V, plain.each_copy(transcript, setting.get("episodes"), one_step))


@pytest.mark.parametrize("n", [1, 3, 10])
def test_n_step_td(world, setting, n):
    learned, transcript = predict(n_step_td, world, setting, n, V0=FIRST)
    expected = plain.n_step_td(n, 0.3, world.gamma, FIRST)
    equal(learned.V, plain.each_copy(transcript, setting.get("episodes"), expected))


def test_monte_carlo(world, setting):
    setting = {"limit": 50} | setting
    learned, transcript = predict(n_step_td, world, setting, None, V0=FIRST)
    expected = plain.n_step_td(setting["limit"], 0.3, world.gamma, FIRST)
    equal(learned.V, plain.each_copy(transcript, setting.get("episodes"), expected))


@pytest.mark.parametrize("lam", [0, 0.5, 1])
def test_td_lambda(world, setting, lam):
    learned, transcript = predict(td_lambda, world, setting, lam, V0=FIRST)
    expected = plain.td_lambda(lam, 0.3, world.gamma, FIRST)
    equal(learned.V, plain.each_copy(transcript, setting.get("episodes"), expected))
