"""The worlds that chapters 2 and 3 learn in, and the value up to a time limit, against figures and plain enumeration."""

import dataclasses
from itertools import product

import gymnasium
import numpy as np
import pytest

from rlkit.mdp import (
    Sampler,
    bellman_backup,
    evaluate_policy,
    from_gymnasium,
    policy_matrix,
    random_policy,
    solve,
    value_within,
)
from rlkit.mdp.worlds import baird_star, mitchell, noisy_bets, random_walk, short_corridor
from tests.mdp.random_worlds import REWARDS, Recipe, random_world

# -- the random walk -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("n", [1, 3, 5, 19])
def test_random_walk_values_are_the_chances_of_the_right_exit(n):
    world = random_walk(n)
    V = evaluate_policy(world, random_policy(world))
    np.testing.assert_allclose(V[1:-1], np.arange(1, n + 1) / (n + 1), atol=1e-12)
    assert V[0] == V[-1] == 0
    assert world.start.argmax() == (n + 1) // 2 and world.start.max() == 1
    assert world.n_states == n + 2


def test_random_walk_of_figure_7_2():
    # Sutton and Barto (2018), example 7.1: 19 cells, the left exit pays -1; the values are -0.9, ..., 0.9.
    world = random_walk(19, left=-1)
    np.testing.assert_allclose(evaluate_policy(world, random_policy(world))[1:-1], np.arange(-9, 10) / 10, atol=1e-12)


def test_random_walk_by_hand():
    world = random_walk(3, left=-2, gamma=0.5)
    left, right = 0, 1
    assert world.actions == ("left", "right")
    assert world.terminal.tolist() == [True, False, False, False, True]
    for s in 1, 2, 3:
        assert world.P[s, left, s - 1] == 1 and world.P[s, right, s + 1] == 1
    assert world.expected_reward[1:-1].tolist() == [[-2, 0], [0, 0], [0, 1]]
    np.testing.assert_allclose(solve(world).V, [0, 0.25, 0.5, 1, 0])
    assert world.marks == {0: "-2", 2: "S", 4: "1"}


@pytest.mark.parametrize(
    ("n", "message"),
    [
        (4, "n is 4, but it must be odd"),
        (0, "n is 0, but a whole number of at least 1"),
        (2.5, "n is 2.5"),
        ("x", "n must"),
    ],
)
def test_random_walk_refuses(n, message):
    with pytest.raises(ValueError, match=f"^{message}"):
        random_walk(n)


# -- noisy bets ----------------------------------------------------------------------------------------------------------


def test_noisy_bets_by_hand():
    world = noisy_bets(10)
    A, B, end = range(3)
    left, right = 0, 1
    assert world.states == ("A", "B", "end")
    assert world.gamma == 1 and world.start.tolist() == [1, 0, 0]
    assert world.available[A].tolist() == [True, True] + 8 * [False]
    assert world.available[B].all()
    assert world.P[A, left, B] == world.P[A, right, end] == 1
    assert (world.P[B, :, end] == 1).all()
    assert (world.expected_reward[B] == -0.1).all() and (world.reward_std[B] == 1).all()
    assert (world.expected_reward[A] == 0).all() and (world.reward_std[A] == 0).all()
    np.testing.assert_allclose(solve(world).Q[A, :2], [-0.1, 0])
    assert solve(world).policy[A] == right


def test_noisy_bets_with_other_numbers():
    world = noisy_bets(3, mean=0.5, std=2)
    assert solve(world).V.tolist() == [0.5, 0.5, 0]
    assert world.reward_std[1].tolist() == [2, 2, 2]


def test_bets_are_noisy_when_they_are_made():
    """Means and standard deviations of 20,000 bets, and of steps without noise; 5 standard errors, error rate 1e-6."""
    sampler = Sampler(noisy_bets(2), 20_000, np.random.default_rng(0))
    reward, state, terminated = sampler.step(np.zeros(20_000))
    assert (reward == 0).all() and (state == 1).all() and not terminated.any()
    reward, state, terminated = sampler.step(np.arange(20_000) % 2)
    assert (state == 2).all() and terminated.all()
    assert abs(reward.mean() + 0.1) < 5 / np.sqrt(20_000)
    assert abs(reward.std() - 1) < 5 / np.sqrt(40_000)


@pytest.mark.parametrize(
    ("bets", "message"), [(1, "bets is 1, but a whole number of at least 2"), (2.5, "bets is 2.5")]
)
def test_noisy_bets_refuses(bets, message):
    with pytest.raises(ValueError, match=f"^{message}"):
        noisy_bets(bets)


# -- the value up to a time limit ------------------------------------------------------------------------------------------


def enumerated(world, pi, steps):
    """Return float[S], the mean discounted sum of rewards over all trajectories, each listed with its probability."""
    P = world.P if isinstance(world.P, np.ndarray) else world.P.toarray().reshape(*world.available.shape, -1)
    S, A = world.available.shape

    def collected(s, left):
        if left == 0:
            return 0.0
        total = 0.0
        for a, to in product(range(A), range(S)):
            if pi[s, a] * P[s, a, to] > 0:
                later = collected(to, left - 1)
                total += pi[s, a] * P[s, a, to] * (world.expected_reward[s, a] + world.gamma * later)
        return total

    return np.array([collected(s, steps) for s in range(S)])


@pytest.mark.parametrize("rewards", REWARDS)
@pytest.mark.parametrize("is_sparse", [False, True])
@pytest.mark.parametrize("steps", [0, 1, 2, 4])
def test_value_within_enumerates_trajectories(steps, is_sparse, rewards):
    recipe = Recipe(states=3, actions=2, gamma=0.9, ends=1, missing=0.3, sparse=is_sparse, rewards=rewards)
    world = random_world(recipe, np.random.default_rng(steps))
    pi = random_policy(world)
    np.testing.assert_allclose(value_within(world, pi, steps), enumerated(world, pi, steps), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("seed", range(5))
def test_value_within_is_repeated_backing_up(seed):
    rng = np.random.default_rng(seed)
    world = random_world(Recipe(states=7, actions=3, gamma=0.95, ends=1, missing=0.3, sparse=seed % 2 == 0), rng)
    pi = world.available * rng.random(world.available.shape)
    pi /= pi.sum(axis=1, keepdims=True)
    V = np.zeros(7)
    for steps in range(6):
        np.testing.assert_allclose(value_within(world, pi, steps), V, rtol=1e-12, atol=1e-12)
        V = bellman_backup(world, V, pi)
    np.testing.assert_allclose(value_within(world, pi, 800), evaluate_policy(world, pi), atol=1e-9)


@pytest.mark.parametrize("shape", [(), (1,), (5,), (2, 3)])
@pytest.mark.parametrize("is_sparse", [False, True])
def test_value_within_takes_many_policies_at_once(shape, is_sparse):
    rng = np.random.default_rng(0)
    world = random_world(Recipe(states=4, actions=3, gamma=0.9, ends=1, missing=0.3, sparse=is_sparse), rng)
    pi = world.available * rng.random((*shape, 4, 3))
    pi /= pi.sum(axis=-1, keepdims=True)
    V = value_within(world, pi, 6)
    assert V.shape == (*shape, 4)
    for index in np.ndindex(shape):
        np.testing.assert_allclose(V[index], value_within(world, pi[index], 6), rtol=1e-12, atol=1e-12)


def test_frozen_lake_within_its_hundred_steps():
    # The stationary policy that is best without a limit reaches the goal within 100 steps in 74 of 100 episodes.
    lake = from_gymnasium(gymnasium.make("FrozenLake-v1"), 1.0)
    best = solve(lake)
    assert value_within(lake, policy_matrix(lake, best.policy), 100) @ lake.start == pytest.approx(0.7402, abs=5e-5)
    assert value_within(lake, policy_matrix(lake, best.policy), 3000) @ lake.start == pytest.approx(best.V @ lake.start)


def test_the_way_takes_its_time():
    world = mitchell()
    best = policy_matrix(world, solve(world).policy)
    assert value_within(world, best, 2)[3] == 0
    assert value_within(world, best, 3)[3] == pytest.approx(81)


@pytest.mark.parametrize(
    ("policy", "steps", "message"),
    [
        (np.full((6, 3), 1 / 3), 5, r"policy has shape \(6, 3\), but \[..., 6, 4\] was expected"),
        (np.zeros(6), 5, r"policy has shape \(6,\)"),
        (np.full((6, 4), 0.25), 5, r"policy\[0, 0\] belongs to an action that does not exist"),
        (np.full((2, 6, 4), 0.3), 5, r"policy\[0, 0\] sums to 1.2"),
        (random_policy(mitchell()), -1, "steps is -1, but a whole number of at least 0"),
        (random_policy(mitchell()), 0.5, "steps is 0.5"),
        ("up", 5, "policy must be an array of real numbers"),
    ],
)
def test_value_within_refuses(policy, steps, message):
    with pytest.raises(ValueError, match=f"^{message}"):
        value_within(mitchell(), policy, steps)


# -- environments as tables, to act in ---------------------------------------------------------------------------------------


def test_acting_in_a_converted_environment_pays_what_the_environment_pays():
    """FrozenLake pays 1 for arriving: never a third for an attempt that slips."""
    lake = from_gymnasium(gymnasium.make("FrozenLake-v1"), 0.99)
    sampler = Sampler(dataclasses.replace(lake, start=np.eye(16)[14]), 3000, np.random.default_rng(1))
    reward, state, terminated = sampler.step(np.full(3000, 2))
    np.testing.assert_array_equal(reward, state == 15)
    np.testing.assert_array_equal(terminated, state == 15)
    assert set(state) == {10, 14, 15}
    assert lake.expected_reward[14, 2] == pytest.approx(1 / 3)


@pytest.mark.parametrize(
    "name", ["FrozenLake-v1", "FrozenLake8x8-v1", "CliffWalking-v1", "CliffWalkingSlippery-v1", "Taxi-v4"]
)
def test_every_transition_pays_what_its_table_lists(name):
    env = gymnasium.make(name).unwrapped
    world = from_gymnasium(env, 0.9)
    R = world.R.toarray().reshape(*world.available.shape, -1)
    for s, a in np.ndindex(world.available.shape):
        if not world.terminal[s]:
            listed: dict[int, list[tuple[float, float]]] = {}
            for p, to, r, _ in env.P[s][a]:
                listed.setdefault(to, []).append((p, r))
            for to, outcomes in listed.items():
                total = sum(p for p, _ in outcomes)
                assert R[s, a, to] == pytest.approx(sum(p * r for p, r in outcomes) / total)
    assert (R[world.terminal] == 0).all()


# -- the worlds of chapter 3 --------------------------------------------------------------------------------------------------


def in_the_dark(p: float) -> np.ndarray:
    """The policy of the short corridor that cannot tell its cells apart: right with probability p."""
    return np.tile([1 - p, p], (4, 1))


def test_the_short_corridor_moves_as_in_the_book():
    world = short_corridor()
    moves = {(s, a): int(world.P[s, a].argmax()) for s in range(3) for a in range(2)}
    assert moves == {(0, 0): 0, (0, 1): 1, (1, 0): 2, (1, 1): 0, (2, 0): 1, (2, 1): 3}
    assert (world.P.max(axis=2) == 1).all()
    assert (world.expected_reward[:3] == -1).all()
    np.testing.assert_array_equal(world.start, [1, 0, 0, 0])
    assert solve(world).V.tolist() == [-3, -2, -1, 0]


@pytest.mark.parametrize("p", [0.05, 0.3, 0.5, 0.5858, 0.95])
def test_the_short_corridor_in_the_dark(p):
    """Sutton and Barto (2018), example 13.1: v(p) = (2p - 4) / (p (1 - p)), from the three Bellman equations."""
    assert evaluate_policy(short_corridor(), in_the_dark(p))[0] == pytest.approx((2 * p - 4) / (p * (1 - p)), rel=1e-9)


def test_the_published_values_of_the_short_corridor():
    world, best = short_corridor(), 2 - 2**0.5
    assert evaluate_policy(world, in_the_dark(0.95))[0] == pytest.approx(-44.21, abs=0.005)  # greedy right, epsilon 0.1
    assert evaluate_policy(world, in_the_dark(0.05))[0] == pytest.approx(-82.11, abs=0.005)  # greedy left
    assert evaluate_policy(world, in_the_dark(best))[0] == pytest.approx(-11.657, abs=0.0005)
    for near in (best - 0.01, best + 0.01):
        assert evaluate_policy(world, in_the_dark(near))[0] < evaluate_policy(world, in_the_dark(best))[0]


@pytest.mark.parametrize("action", [0, 1])
def test_who_does_the_same_everywhere_never_leaves_the_short_corridor(action):
    with pytest.raises(ValueError, match="never ends"):
        evaluate_policy(short_corridor(), np.full(4, action))


def baird_update(X: np.ndarray, d: np.ndarray, gamma: float, alpha: float = 0.01) -> np.ndarray:
    """The matrix of the expected semi-gradient update of the values, for the policy that always goes to the centre."""
    to_centre = np.zeros((7, 7))
    to_centre[:, 6] = 1
    return np.eye(7) + alpha * X @ X.T @ np.diag(d) @ (gamma * to_centre - np.eye(7))


def test_bairds_star_has_the_features_and_moves_of_the_book():
    """Sutton and Barto (2018), figure 11.1."""
    world, X = baird_star()
    w = np.array([1.0, 1, 1, 1, 1, 1, 10, 1])
    np.testing.assert_array_equal(X @ w, [3, 3, 3, 3, 3, 3, 12])
    assert np.linalg.matrix_rank(X) == 7
    np.testing.assert_allclose(world.P[:, 0], np.tile([1 / 6] * 6 + [0], (7, 1)))
    np.testing.assert_array_equal(world.P[:, 1], np.tile(np.eye(7)[6], (7, 1)))
    assert world.gamma == 0.99
    np.testing.assert_array_equal(solve(world).V, np.zeros(7))


def test_bairds_star_diverges_only_with_all_three():
    _, X = baird_star()
    even, centre = np.full(7, 1 / 7), np.eye(7)[6]
    radius = lambda M: abs(np.linalg.eigvals(M)).max()  # noqa: E731
    assert radius(baird_update(X, even, 0.99)) > 1.002
    assert radius(baird_update(np.eye(7), even, 0.99)) < 1
    assert radius(baird_update(X, even, 0.0)) < 1
    assert abs(baird_update(X, centre, 0.99)[6, 6]) < 1  # on-policy only the centre is visited
