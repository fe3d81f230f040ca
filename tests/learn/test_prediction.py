"""Prediction: what a policy is worth, on the random walk whose values are 1/6 to 5/6."""

import numpy as np
import pytest

from rlkit.learn.tabular import n_step_target, n_step_td, td_lambda, td_prediction, td_target
from rlkit.mdp import evaluate_policy, random_policy
from rlkit.mdp.worlds import grid_world, random_walk
from tests.learn.chance import allowed
from tests.learn.transcript import record
from tests.mdp.random_worlds import Recipe, random_world

WORLD = random_walk()
EVEN = random_policy(WORLD)
TRUTH = np.array([0, 1, 2, 3, 4, 5, 0]) / 6
LEARNERS = {
    "td": lambda world, policy, **walk: td_prediction(world, policy, **walk),
    "n = 1": lambda world, policy, **walk: n_step_td(world, policy, 1, **walk),
    "n = 4": lambda world, policy, **walk: n_step_td(world, policy, 4, **walk),
    "monte carlo": lambda world, policy, **walk: n_step_td(world, policy, None, limit=1000, **walk),
    "lambda = 0": lambda world, policy, **walk: td_lambda(world, policy, 0, **walk),
    "lambda = 0.8": lambda world, policy, **walk: td_lambda(world, policy, 0.8, **walk),
    "lambda = 1": lambda world, policy, **walk: td_lambda(world, policy, 1, **walk),
}
each_learner = pytest.mark.parametrize("learner", LEARNERS.values(), ids=LEARNERS.keys())


@each_learner
def test_the_mean_over_many_copies_is_the_value(learner):
    """50 copies, alpha = 0.04: the mean misses by what is left of V0 and order alpha, 0.01, and by chance, 1e-6."""
    learned = learner(WORLD, EVEN, alpha=0.04, V0=0.5, steps=1800, copies=50, seed=1)
    off = abs(learned.V.mean(axis=0) - TRUTH) - 0.01
    error = learned.V.std(axis=0, ddof=1) / np.sqrt(50)
    assert (off[1:-1] < allowed(5, 49) * error[1:-1]).all()
    assert error[1:-1].max() < 0.03, "the test would see nothing"
    assert (learned.V[:, [0, -1]] == 0.5).all(), "nobody acts in an exit"


@pytest.mark.parametrize("name", ["td", "lambda = 0.8"])
def test_smaller_steps_come_closer(name):
    """A copy's mean squared error falls to less than a third when alpha falls to a tenth.

    It has a relative standard error of about 10 % here, so that a third is more than 6 of them from the tenth or so that
    theory expects; error rate below 1e-6.
    """
    errors = []
    for alpha, steps in (0.2, 500), (0.02, 4000):
        V = LEARNERS[name](WORLD, EVEN, alpha=alpha, V0=0.5, steps=steps, copies=100, seed=2).V
        errors.append(((V - TRUTH)[:, 1:-1] ** 2).mean())
    assert errors[1] < errors[0] / 3


@pytest.mark.parametrize("seed", range(3))
def test_any_world_any_policy_any_discount(seed):
    """TD(0) on random worlds: the mean misses by order alpha, 0.03, and by chance, 1e-6."""
    rng = np.random.default_rng(seed)
    world = random_world(Recipe(states=6, actions=3, gamma=0.8, ends=1, missing=0.3, rewards="transition"), rng)
    policy = np.where(world.available, rng.dirichlet(np.ones(3), size=6), 0)
    policy /= policy.sum(axis=1, keepdims=True)
    learned = td_prediction(world, policy, alpha=0.03, steps=4000, copies=100, seed=seed)
    V = evaluate_policy(world, policy)
    assert np.ptp(V) > 0.5
    off, error = abs(learned.V.mean(axis=0) - V), learned.V.std(axis=0, ddof=1) / 10
    assert (off - 0.03 <= allowed(6, 99) * error).all()
    assert error.max() < 0.03, "the test would see nothing"


def test_a_policy_may_be_a_list_of_actions():
    right = td_prediction(WORLD, np.ones(7, int), alpha=1, steps=50)
    np.testing.assert_array_equal(right.V, [[0, 0, 0, 1, 1, 1, 0]])


# -- what coincides --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("setting", [{"steps": 500}, {"episodes": 20}, {"steps": 500, "limit": 4}])
def test_one_step_and_lambda_zero_are_td_exactly(setting):
    options = {"alpha": 0.3, "V0": 0.5, "copies": 5, "seed": 4} | setting
    td = td_prediction(WORLD, EVEN, **options)
    np.testing.assert_array_equal(n_step_td(WORLD, EVEN, 1, **options).V, td.V)
    np.testing.assert_array_equal(td_lambda(WORLD, EVEN, 0, **options).V, td.V)


def test_without_an_n_all_rewards_up_to_the_end_count():
    options = {"alpha": 0.3, "V0": 0.5, "copies": 5, "seed": 5, "episodes": 20, "limit": 1000}
    monte_carlo = n_step_td(WORLD, EVEN, None, **options)
    np.testing.assert_array_equal(n_step_td(WORLD, EVEN, 1000, **options).V, monte_carlo.V)
    longest = monte_carlo.log["length"].max()
    assert longest < 1000, "nothing was broken off here"
    np.testing.assert_array_equal(n_step_td(WORLD, EVEN, longest, **options).V, monte_carlo.V)
    assert (n_step_td(WORLD, EVEN, longest // 4, **options).V != monte_carlo.V).any()


def test_lambda_one_is_monte_carlo_when_steps_are_small():
    """On the same walks both differ by order alpha squared, and change by order alpha."""
    gaps, changes = [], []
    for alpha in 1e-3, 1e-4:
        options = {"alpha": alpha, "V0": 0.5, "copies": 20, "seed": 6, "episodes": 10, "limit": 1000}
        monte_carlo, traces = n_step_td(WORLD, EVEN, None, **options).V, td_lambda(WORLD, EVEN, 1, **options).V
        gaps.append(abs(monte_carlo - traces).max())
        changes.append(abs(monte_carlo - 0.5).max())
    assert gaps[0] < 0.1 * changes[0]
    assert gaps[1] < 0.01 * changes[1]
    assert changes[1] == pytest.approx(changes[0] / 10, rel=0.05)
    assert gaps[1] == pytest.approx(gaps[0] / 100, rel=0.2)


# -- two views of lambda -----------------------------------------------------------------------------------------------


def forward_view(episode, V, lam, gamma):
    """Return the change of V that an episode asks for: of each state towards the lambda-weighted mean of its targets.

    V is held still. An episode that was broken off goes on with the value of its last state.
    """
    change = np.zeros(len(V))
    rewards = np.array([step.r for step in episode])
    for t, step in enumerate(episode):
        targets = [
            n_step_target(rewards[t:end], V[episode[end - 1].to], episode[end - 1].terminated, gamma)
            for end in range(t + 1, len(episode) + 1)
        ]
        weights = [(1 - lam) * lam**i for i in range(len(targets) - 1)] + [lam ** (len(targets) - 1)]
        change[step.s] += np.dot(weights, targets) - V[step.s]
    return change


def backward_view(episode, V, lam, gamma):
    """Return the same change by passing each surprise back along an eligibility trace."""
    change, e = np.zeros(len(V)), np.zeros(len(V))
    for step in episode:
        e *= gamma * lam
        e[step.s] += 1
        change += e * (td_target(step.r, V[step.to], step.terminated, gamma) - V[step.s])
    return change


@pytest.mark.parametrize("lam", [0, 0.3, 0.9, 1])
@pytest.mark.parametrize("gamma", [1, 0.9, 0])
def test_looking_forward_and_looking_backward_are_the_same(lam, gamma):
    _, transcript = record(td_prediction, WORLD, EVEN, episodes=20, limit=12, seed=7)
    V = np.random.default_rng(8).normal(size=7)
    episodes = transcript.episodes(0)
    assert {episode[-1].terminated for episode in episodes} == {True, False}
    for episode in episodes:
        np.testing.assert_allclose(
            forward_view(episode, V, lam, gamma), backward_view(episode, V, lam, gamma), rtol=1e-12, atol=1e-12
        )


def corridor(gamma):
    """Seven cells in a row, entered one after the other, each move with a reward of its own; the last one is an exit."""
    cells = [(0, c) for c in range(8)]
    return grid_world(
        cells,
        lambda cell, move: [(1.0, (0, cell[1] + 1), float((-2) ** cell[1]))],
        gamma,
        exits=cells[-1:],
        start=cells[0],
        moves={"on": (0, 1)},
    )


@pytest.mark.parametrize("limit", [None, 4])
@pytest.mark.parametrize("lam", [0, 0.3, 0.9, 1])
@pytest.mark.parametrize("gamma", [1, 0.9])
def test_td_lambda_is_the_forward_view_where_no_state_comes_twice(lam, gamma, limit):
    world, V0 = corridor(gamma), np.random.default_rng(9).normal(size=8)
    learned, transcript = record(
        td_lambda, world, np.zeros(8, int), lam, alpha=0.5, V0=V0, episodes=1, limit=limit, seed=0
    )
    (episode,) = transcript.episodes(0)
    assert len(episode) == (limit or 7)
    expected = V0 + 0.5 * forward_view(episode, V0, lam, gamma)
    np.testing.assert_allclose(learned.V[0], expected, rtol=1e-12, atol=1e-12)


def test_n_steps_by_hand():
    """Four cells with rewards 1, -2, 4, -8, ...: V(s_0) moves towards r_0 + r_1 / 2 + V(s_2) / 4 before V(s_2) moves."""
    V0 = [8.0, 16, 32, 64, 128, 256, 512, 1024]
    learned = n_step_td(corridor(0.5), np.zeros(8, int), 2, alpha=0.5, V0=V0, steps=3, keep_every=1)
    np.testing.assert_array_equal(learned.history[1, 0], V0)
    np.testing.assert_array_equal(learned.history[2, 0, :3], [(8 + 1 - 1 + 8) / 2, 16, 32])
    np.testing.assert_array_equal(learned.history[3, 0, :3], [8, (16 - 2 + 2 + 16) / 2, 32])


def test_no_trace_is_left_when_an_episode_begins_anew():
    """With lambda = 1 a surprise of the second episode must not reach states that only the first one visited."""
    learned, transcript = record(td_lambda, WORLD, EVEN, 1, alpha=0.5, V0=0.5, episodes=2, seed=12, keep_every=1)
    first, second = transcript.episodes(0)
    only_first = {step.s for step in first} - {step.s for step in second}
    assert only_first, "another seed is needed"
    for s in only_first:
        assert learned.history[2, 0, s] == learned.history[1, 0, s]
