"""Exact advantages, and the mean and spread of GAE(lambda): against all episodes, against drawn ones, and by hand."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rlkit.mdp import (
    Sampler,
    TabularMDP,
    evaluate_policy,
    every_episode,
    gae_moments,
    policy_gradient,
    policy_values,
    q_from_v,
    random_policy,
    softmax_policy,
    under_policy,
    visits,
)
from rlkit.mdp.worlds import lane, minimum_time_to_goal, mitchell
from tests.learn.chance import allowed
from tests.mdp.random_worlds import random_recipe, random_world

LAMBDAS = 0.0, 0.3, 0.8, 1.0


def gae_of(play, V, gamma, lam):
    """A_t = sum over k of (gamma lam)^k delta_{t+k}, by the definition, float[T, n]; the last state counts as the end."""
    T, n = play.reward.shape
    A = np.zeros((T, n))
    for e in range(n):
        length = int(play.real[:, e].sum())
        at = [V[s] for s in play.state[:length, e]] + [0.0]
        delta = [play.reward[t, e] + gamma * at[t + 1] - at[t] for t in range(length)]
        for t in range(length):
            A[t, e] = sum((gamma * lam) ** k * delta[t + k] for k in range(length - t))
    return A


def policy_of(world, seed):
    return softmax_policy(world, np.random.default_rng(seed).normal(size=world.available.shape))


# -- values of many policies -------------------------------------------------------------------------------------------


@given(st.integers(0, 2**32 - 1), st.sampled_from([0.0, 0.5, 0.95]))
@settings(max_examples=60, deadline=None)
def test_many_policies_have_the_values_that_each_has(seed, gamma):
    rng = np.random.default_rng(seed)
    world = random_world(random_recipe(rng, gamma, 6), rng)
    policies = np.array([[policy_of(world, 6 * seed + 3 * i + j) for j in range(3)] for i in range(2)])
    V, Q = policy_values(world, policies)
    assert V.shape == (2, 3, world.n_states)
    for i in np.ndindex(2, 3):
        one = evaluate_policy(world, policies[i])
        np.testing.assert_allclose(V[i], one, rtol=1e-9, atol=1e-9)
        np.testing.assert_allclose(Q[i], q_from_v(world, one), rtol=1e-9, atol=1e-9)
    alone, Q_alone = policy_values(world, policies[1, 2])
    np.testing.assert_allclose(alone, V[1, 2], rtol=1e-12, atol=1e-12)
    assert Q_alone.shape == world.available.shape
    assert (V[..., world.terminal] == 0).all()


def test_values_without_a_discount():
    world = minimum_time_to_goal()
    policies = np.array([random_policy(world), policy_of(world, 0)])
    V, Q = policy_values(world, policies)
    np.testing.assert_allclose(V, [evaluate_policy(world, pi) for pi in policies], rtol=1e-12)
    assert V[0].min() == pytest.approx(-22)  # the standard book's number
    assert (Q[1, ~world.terminal] < 0).all()


# -- GAE ---------------------------------------------------------------------------------------------------------------


def test_one_step_by_hand():
    """One state, one throw: 1 or 3, and the end; and a chain of two with noise on the second reward."""
    coin = TabularMDP(
        [[[0, 0.5, 0.5]], [[0, 1, 0]], [[0, 0, 1]]],
        [[[0, 1, 3]], [[0, 0, 0]], [[0, 0, 0]]],
        0.9,
        terminal=[0, 1, 1],
    )
    for lam in LAMBDAS:
        mean, std = gae_moments(coin, [0, 0, 0], [0.5, 7, 7], lam)  # what is said of an end does not matter
        np.testing.assert_allclose(mean.ravel(), [1.5, 0, 0], atol=1e-15)
        np.testing.assert_allclose(std.ravel(), [1, 0, 0], atol=1e-15)
    chain = TabularMDP(
        [[[0, 1, 0]], [[0, 0, 1]], [[0, 0, 1]]], [[1], [2], [0]], 0.5, terminal=[0, 0, 1], reward_std=[[0], [3], [5]]
    )
    mean, std = gae_moments(chain, [0, 0, 0], [10, 4, 0], 0.5)
    # delta_1 = 2 - 4 = -2;  delta_0 = 1 + 0.5 * 4 - 10 = -7, and a quarter of delta_1
    np.testing.assert_allclose(mean.ravel(), [-7.5, -2, 0], atol=1e-14)
    np.testing.assert_allclose(std.ravel(), [0.75, 3, 0], atol=1e-14)


@pytest.mark.parametrize("lam", LAMBDAS)
@pytest.mark.parametrize("seed", [0, 1])
def test_every_episode_of_the_lane(lam, seed):
    """All four-step drives, weighted by their probabilities: the mean and the spread of a brute-force GAE are the same."""
    world = lane(steps=4, gamma=0.9)
    pi, V = policy_of(world, seed), np.random.default_rng(seed + 9).normal(size=world.n_states) * 3
    mean, std = gae_moments(world, pi, V, lam)
    play, chance = every_episode(world, pi)
    A = gae_of(play, V, world.gamma, lam)
    pair = (play.state * 3 + play.action)[play.real]
    weight = np.broadcast_to(chance, A.shape)[play.real]
    total, first, second = (np.bincount(pair, weight * A[play.real] ** k, minlength=mean.size) for k in (0, 1, 2))
    met = total > 1e-9
    assert met.sum() > 40
    first, second = first[met] / total[met], second[met] / total[met]
    np.testing.assert_allclose(mean.ravel()[met], first, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(std.ravel()[met] ** 2, second - first**2, rtol=1e-7, atol=1e-9)


@given(st.integers(0, 2**32 - 1), st.sampled_from([0.0, 0.5, 0.9]))
@settings(max_examples=100, deadline=None)
def test_the_two_ends_and_the_formula_between(seed, gamma):
    """lambda = 0: r + gamma E V(s') - V(s). lambda = 1: Q^pi - V. Between: an error of the weight 1 - lambda."""
    rng = np.random.default_rng(seed)
    world = random_world(random_recipe(rng, gamma, 8), rng)
    on, S = world.available, world.n_states
    pi, V = policy_of(world, seed), np.where(world.terminal, 0, rng.normal(size=S) * 5)
    V_pi, Q_pi = policy_values(world, pi)
    close = {"rtol": 1e-9, "atol": 1e-9}
    zero, one = (gae_moments(world, pi, V, lam)[0] for lam in (0, 1))
    np.testing.assert_allclose(zero[on], (q_from_v(world, V) - V[:, None])[on], **close)
    np.testing.assert_allclose(one[on], (Q_pi - V[:, None])[on], **close)
    lam = rng.random()
    P, _ = under_policy(world, pi)
    P = P.toarray() if hasattr(P, "toarray") else P
    far = np.linalg.solve(np.eye(S) - gamma * lam * P, V - V_pi)
    mean, std = gae_moments(world, pi, V, lam)
    formula = Q_pi - V[:, None] + gamma * (1 - lam) * world.expected_next(far)
    np.testing.assert_allclose(mean[on], formula[on], **close)
    assert (mean[~on] == -np.inf).all()
    assert (std >= 0).all()
    assert (std[~on] == 0).all()
    for lam in LAMBDAS:  # the right critic is right for every lambda
        np.testing.assert_allclose(gae_moments(world, pi, V_pi, lam)[0][on], (Q_pi - V_pi[:, None])[on], **close)


@pytest.mark.parametrize("lam", LAMBDAS)
@pytest.mark.parametrize("seed", range(4))
def test_drawn_rollouts(lam, seed):
    """5,000 rollouts from each pair of a random world with noisy rewards: mean and variance, error rate 1e-6 for all."""
    rng = np.random.default_rng(seed)
    world = random_world(random_recipe(rng, 0.7, 4), rng)
    std = np.where(world.terminal[:, None], 0, rng.random(world.available.shape))
    world = dataclasses.replace(world, reward_std=std)
    pi, V = policy_of(world, seed), np.where(world.terminal, 0, rng.normal(size=world.n_states) * 3)
    mean, std = gae_moments(world, pi, V, lam)
    pairs = np.argwhere(world.available & ~world.terminal[:, None])
    n, limit = 5_000, 1 if lam == 0 else 40  # 0.7^40 is nothing
    for s, a in pairs:
        A = drawn_gae(world, pi, V, lam, np.full(n, s), np.full(n, a), limit, rng)
        error = max(std[s, a], 1e-9) / np.sqrt(n)
        assert abs(A.mean() - mean[s, a]) < allowed(2 * len(pairs)) * error
        square = (A - mean[s, a]) ** 2
        assert abs(square.mean() - std[s, a] ** 2) < allowed(2 * len(pairs)) * square.std() / np.sqrt(n) + 1e-9


def drawn_gae(world, pi, V, lam, s, a, limit, rng):
    """One estimate from each of many rollouts that begin in s with a, step by step, float[n]."""
    sampler = Sampler(world, len(s), rng)
    A, fade, going = np.zeros(len(s)), np.ones(len(s)), np.ones(len(s))
    for _ in range(limit):
        r, to, terminated = sampler.draw(s * world.n_actions + a, rng.random(len(s)))
        A += fade * going * (r + world.gamma * np.where(terminated, 0, V[to]) - V[s])
        going, fade, s = going * ~terminated, fade * world.gamma * lam, to
        a = (pi[s].cumsum(axis=1) < rng.random((len(s), 1)) * (1 - 1e-12)).sum(axis=1)
    return A


def test_lambda_one_gives_the_policy_gradient_whatever_the_critic_says():
    """And lambda = 0 does not, unless the critic is right or wrong by the same everywhere that one can get to."""
    world, rng = lane(), np.random.default_rng(3)
    theta = rng.normal(size=(7, 3))
    pi, exact, V = softmax_policy(world, theta), policy_gradient(world, theta), rng.normal(size=7) * 5

    def gradient(V, lam):
        mean, _ = gae_moments(world, pi, V, lam)
        return visits(world, pi)[:, None] * pi * (mean - (pi * mean).sum(axis=1, keepdims=True))

    np.testing.assert_allclose(gradient(V, 1), exact, atol=1e-9)
    np.testing.assert_allclose(gradient(policy_values(world, pi)[0], 0), exact, atol=1e-9)
    assert abs(gradient(V, 0) - exact).max() > 0.1


def test_the_critic_leaves_the_spread_of_the_return_as_it_is():
    """With lambda = 1 the estimate is the return minus V(s), a constant."""
    world = lane()
    pi = random_policy(world)
    spreads = [gae_moments(world, pi, V, 1)[1] for V in (np.zeros(7), np.arange(7.0), policy_values(world, pi)[0])]
    np.testing.assert_allclose(spreads[1], spreads[0], rtol=1e-9)
    np.testing.assert_allclose(spreads[2], spreads[0], rtol=1e-9)


def test_without_a_discount():
    world = minimum_time_to_goal()
    pi, V = random_policy(world), np.random.default_rng(0).normal(size=16)
    V[world.terminal] = 0
    mean, std = gae_moments(world, pi, V, 1)
    np.testing.assert_allclose(mean, policy_values(world, pi)[1] - V[:, None], rtol=1e-9, atol=1e-9)
    assert std.max() > 18
    assert (std >= 0).all()


def test_a_world_without_chance_has_no_spread():
    world = mitchell()
    right_right_or_up = [1, 1, 0, 0, 0, 0]
    _, std = gae_moments(world, right_right_or_up, np.arange(6.0), 0.9)
    assert np.isfinite(std).all()
    np.testing.assert_allclose(std, 0, atol=1e-7)


@pytest.mark.parametrize("seed", [669, 1050, 1113])
def test_rounding_leaves_no_variance_below_zero(seed):
    """Worlds in which the equations give a variance of minus 1e-17 or so somewhere."""
    rng = np.random.default_rng(seed)
    world = random_world(random_recipe(rng, 0.9, 8), rng)
    one_each = [rng.choice(np.flatnonzero(exists)) for exists in world.available]
    _, std = gae_moments(world, one_each, rng.normal(size=world.n_states), 1)
    assert np.isfinite(std).all()


# -- at the door -------------------------------------------------------------------------------------------------------

EVEN, ZEROS = random_policy(lane()), np.zeros(7)
BAD = {
    "lam": (lambda: gae_moments(lane(), EVEN, ZEROS, 1.5), r"lam is 1.5, but it must lie in \[0, 1\]"),
    "V": (lambda: gae_moments(lane(), EVEN, np.zeros(6), 0.5), r"V has shape \(6,\), but \(7,\) was expected"),
    "V is NaN": (lambda: gae_moments(lane(), EVEN, ZEROS * np.nan, 0.5), r"V\[0\] is nan, but it must be a finite"),
    "policy": (lambda: gae_moments(lane(), [3] * 7, ZEROS, 0.5), r"policy\[0\] is 3, but actions are 0 to 2"),
    "never ends": (
        lambda: gae_moments(lane(wind=0, gamma=1.0), [1] * 7, ZEROS, 1),
        r"gamma is 1, but from state \(0, 1\) this policy never ends",
    ),
    "shape": (lambda: policy_values(lane(), np.zeros((3, 3))), r"policies has shape \(3, 3\), but \[..., 7, 3\] was"),
    "numbers": (lambda: policy_values(lane(), [1] * 7), r"policies has shape \(7,\), but \[..., 7, 3\] was expected"),
    "no policy": (lambda: policy_values(lane(), [EVEN, EVEN * 0.9]), r"policies\[1, 0\] sums to 0.9, but probabil"),
    "missing": (
        lambda: policy_values(mitchell(), np.full((2, 6, 4), 0.25)),
        r"policies\[0, 0, 0\] belongs to an action that does not exist",
    ),
    "never ends either": (
        lambda: policy_values(lane(wind=0, gamma=1.0), np.eye(3)[[[1] * 7]]),
        r"gamma is 1, but from state \(0, 1\) this policy never ends",
    ),
}


@pytest.mark.parametrize(("misuse", "message"), BAD.values(), ids=BAD.keys())
def test_misuse(misuse, message):
    with pytest.raises(ValueError, match=f"^{message}"):
        misuse()


def test_an_endless_world_without_a_discount_has_advantages_for_every_lambda_below_one():
    assert np.isfinite(gae_moments(lane(wind=0, gamma=1.0), [1] * 7, ZEROS, 0.9)[1]).all()


def test_nothing_that_is_given_is_changed():
    pi, V = random_policy(lane()), np.arange(7.0)
    gae_moments(lane(), pi, V, 0.5)
    policy_values(lane(), pi)
    np.testing.assert_array_equal(pi, random_policy(lane()))
    np.testing.assert_array_equal(V, np.arange(7.0))
