"""Chapter 2's small worlds, and the value up to a time limit."""

import itertools

import gymnasium
import numpy as np
import pytest

from rlkit.mdp import (
    Sampler,
    bellman_backup,
    evaluate_policy,
    from_gymnasium,
    greedy,
    random_policy,
    solve,
    value_within,
)
from rlkit.mdp.worlds import mitchell, noisy_bets, random_walk


@pytest.mark.parametrize("n", [1, 5, 19])
def test_a_random_walk_is_worth_its_share_of_the_way(n):
    walk = random_walk(n)
    V = evaluate_policy(walk, random_policy(walk))
    np.testing.assert_allclose(V[1:-1], np.arange(1, n + 1) / (n + 1), atol=1e-12)
    assert walk.start.argmax() == (n + 1) // 2


def test_a_door_that_costs():
    """The standard book's 19 cells: values from -0.9 to 0.9 in equal steps."""
    walk = random_walk(19, left=-1.0)
    np.testing.assert_allclose(evaluate_policy(walk, random_policy(walk))[1:-1], np.arange(-9, 10) / 10, atol=1e-12)


@pytest.mark.parametrize("n", [0, 4, 2.5])
def test_a_walk_has_a_middle(n):
    with pytest.raises(ValueError, match="n is"):
        random_walk(n)


def test_going_left_loses_what_a_bet_loses():
    world = noisy_bets(10, mean=-0.1)
    best = solve(world)
    np.testing.assert_allclose(best.Q[0, :2], [-0.1, 0], atol=1e-12)
    np.testing.assert_allclose(best.Q[1], -0.1, atol=1e-12)
    assert not world.available[0, 2:].any()
    sampler = Sampler(world, 4000, np.random.default_rng(0))
    sampler.step(np.zeros(4000, int))
    reward, _, ended = sampler.step(np.full(4000, 7))
    assert ended.all()
    assert abs(reward.mean() + 0.1) < 5 / np.sqrt(4000)  # five standard errors
    assert abs(reward.std() - 1) < 5 / np.sqrt(8000)
    with pytest.raises(ValueError, match="bets is 1"):
        noisy_bets(1)


# -- value_within ------------------------------------------------------------------------------------------------------


def lake(gamma=1.0):
    return from_gymnasium(gymnasium.make("FrozenLake-v1"), gamma)


def test_frozen_lake_within_its_hundred_steps():
    """0.7402 for the stationary policy that is best without a limit, where it gets 14/17."""
    world, best = lake(), solve(lake())
    assert best.V @ world.start == pytest.approx(14 / 17, abs=1e-9)
    assert value_within(world, np.eye(4)[best.policy], 100) @ world.start == pytest.approx(0.7402, abs=5e-5)


def test_many_policies_at_once_equal_repeated_sweeps():
    world, rng = lake(0.9), np.random.default_rng(1)
    policies = rng.dirichlet(np.ones(4), size=(2, 3, 16))
    together = value_within(world, policies, 7)
    assert together.shape == (2, 3, 16)
    for place in itertools.product(range(2), range(3)):
        V = np.zeros(16)
        for _ in range(7):
            V = bellman_backup(world, V, policies[place])
        np.testing.assert_allclose(together[place], V, atol=1e-12)


def test_no_step_is_worth_nothing_and_many_are_worth_everything():
    six = mitchell()
    pi = greedy(solve(six).Q)
    np.testing.assert_array_equal(value_within(six, pi, 0), np.zeros(6))
    np.testing.assert_allclose(value_within(six, pi, 3), solve(six).V, atol=1e-12)


def test_the_door_of_value_within():
    six = mitchell()
    with pytest.raises(ValueError, match="shape"):
        value_within(six, np.ones((6, 3)), 5)
    with pytest.raises(ValueError, match="does not exist"):
        value_within(six, np.full((6, 4), 0.25), 5)
    with pytest.raises(ValueError, match="sums to"):
        value_within(six, random_policy(six) * 0.5, 5)
    with pytest.raises(ValueError, match="steps is"):
        value_within(six, random_policy(six), -1)
