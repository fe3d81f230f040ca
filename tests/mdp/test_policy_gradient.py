"""The exact policy gradient: against finite differences of the exact value, and against sums over all trajectories."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse, stats

from rlkit.core.returns import reward_to_go, total_return
from rlkit.mdp import (
    TabularMDP,
    episodes,
    evaluate_policy,
    every_episode,
    policy_gradient,
    random_policy,
    softmax,
    softmax_policy,
    solve,
    value_within,
    visits,
)
from rlkit.mdp.worlds import lane, minimum_time_to_goal, mitchell, short_corridor
from tests.learn.chance import ERROR_RATE, allowed, deviations, p_value
from tests.mdp.estimates import by_rows, estimates
from tests.mdp.random_worlds import Recipe, random_recipe, random_world
from tests.mdp.test_sampling import Constant

BEST = 2 - 2**0.5  # of the short corridor, if its cells look alike


def J(mdp, theta, seen=None):
    return mdp.start @ evaluate_policy(mdp, softmax_policy(mdp, theta, seen))


def finite_differences(mdp, theta, seen=None, h=2e-3):
    """Central differences of J, with steps h and h / 2, extrapolated: the error is of the order h^4."""
    gradient = np.zeros_like(theta)
    for i in np.ndindex(theta.shape):
        step = np.zeros_like(theta)
        step[i] = h
        wide, narrow = (
            (J(mdp, theta + k * step, seen) - J(mdp, theta - k * step, seen)) / (2 * k * h) for k in (1, 0.5)
        )
        gradient[i] = (4 * narrow - wide) / 3
    return gradient


# -- softmax -----------------------------------------------------------------------------------------------------------


def test_softmax_by_hand():
    np.testing.assert_allclose(softmax([[0, np.log(3)], [5, 5]]), [[0.25, 0.75], [0.5, 0.5]], rtol=1e-15)
    np.testing.assert_allclose(softmax(np.log([1, 2, 3, 4])), [0.1, 0.2, 0.3, 0.4], rtol=1e-15)
    assert softmax([0, -np.inf, 0]).tolist() == [0.5, 0, 0.5]


@pytest.mark.parametrize("shift", [-1e300, -1000, 0, 1000, 1e300])
def test_softmax_knows_no_overflow(shift):
    np.testing.assert_array_equal(softmax([shift, shift]), [0.5, 0.5])
    np.testing.assert_array_equal(softmax([[1e308, -1e308]]), [[1, 0]])


def test_actions_that_do_not_exist_have_no_share():
    world = mitchell()
    theta = np.arange(24.0).reshape(6, 4) / 10
    pi = softmax_policy(world, theta)
    assert (pi[~world.available] == 0).all()
    np.testing.assert_allclose(pi.sum(axis=1), 1, rtol=1e-15)
    e = np.exp(theta[0, 1:3])
    np.testing.assert_allclose(pi[0], [0, *e / e.sum(), 0], rtol=1e-15)
    np.testing.assert_array_equal(softmax_policy(world, np.zeros((6, 4))), random_policy(world))


# -- the lane ----------------------------------------------------------------------------------------------------------


def test_the_lane_moves_as_described():
    road = lane()
    left, straight, right = range(3)
    assert road.actions == ("left", "straight", "right")
    assert road.start.tolist() == [0, 0, 0, 1, 0, 0, 0]
    assert road.P[3, straight].tolist() == [0, 0, 0.25, 0.5, 0.25, 0, 0]
    assert road.P[3, left].tolist() == [0, 0.25, 0.5, 0.25, 0, 0, 0]
    assert road.P[1, left].tolist() == [0.75, 0.25, 0, 0, 0, 0, 0]
    assert road.P[1, straight].tolist() == [0.25, 0.5, 0.25, 0, 0, 0, 0]
    assert road.P[5, right].tolist() == [0, 0, 0, 0, 0, 0.25, 0.75]
    np.testing.assert_array_equal(road.P[:, ::-1], road.P[::-1, :, ::-1])  # left and right are alike
    np.testing.assert_allclose(road.expected_reward, 1 - road.P[:, :, [0, 6]].sum(axis=2))
    assert np.flatnonzero(road.terminal).tolist() == [0, 6]
    assert lane(wind=0).P[3, straight, 3] == 1
    assert lane(wind=0.5).P[3, straight].tolist() == [0, 0, 0.5, 0, 0.5, 0, 0]


def test_what_the_lane_is_worth():
    # The best driver never leaves: 1 + 0.95 + ... = 20. At random: solved by hand, by the symmetry of the road.
    np.testing.assert_allclose(solve(lane()).V[1:6], 20, rtol=1e-8)
    endless = lane(gamma=1.0)
    assert evaluate_policy(endless, random_policy(endless))[3] == pytest.approx(101 / 13, rel=1e-12)


@pytest.mark.parametrize("wind", [0.0, 0.25, 0.4])
def test_a_road_that_ends_is_the_first_steps_of_one_that_does_not(wind):
    steps = 6
    road, endless = lane(wind, 0.9, steps), lane(wind, 0.9)
    theta = np.random.default_rng(0).normal(size=(7, 3))
    V = evaluate_policy(road, softmax_policy(road, theta, np.arange(road.n_states) % 7)).reshape(steps + 1, 7)
    for to_come in range(steps + 1):
        np.testing.assert_allclose(V[to_come], value_within(endless, softmax(theta), to_come), atol=1e-12)
    assert np.flatnonzero(road.start).tolist() == [7 * steps + 3]
    assert road.cells[7 * steps + 3] == (steps, 3)


# -- how often a policy is where ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(20))
def test_visits_add_up(seed):
    """eta = sum of gamma^t P(s_t = s), the value is sum of eta r, and sparse worlds say the same."""
    rng = np.random.default_rng(seed)
    world = random_world(random_recipe(rng, 0.8), rng)
    world = dataclasses.replace(world, start=rng.dirichlet(np.ones(world.n_states)))
    pi = softmax_policy(world, rng.normal(size=world.available.shape))
    rows = world.rows.toarray() if sparse.issparse(world.rows) else world.rows
    P = np.einsum("sa,sat->st", pi, rows.reshape(*pi.shape, -1))
    expected, now = np.zeros(world.n_states), np.array(world.start)
    for _ in range(200):  # 0.8^200 < 1e-19
        expected += now
        now = 0.8 * (now @ P)
    eta = visits(world, pi)
    np.testing.assert_allclose(eta, np.where(world.terminal, 0, expected), atol=1e-12)
    assert eta @ (pi * world.expected_reward).sum(axis=1) == pytest.approx(world.start @ evaluate_policy(world, pi))


def test_visits_without_discount():
    """Each reward is -1, so that the visits add up to minus the value; a world of nothing but ends has none."""
    for world, pi in (
        (short_corridor(), np.tile([1 - BEST, BEST], (4, 1))),
        (minimum_time_to_goal(), random_policy(minimum_time_to_goal())),
    ):
        assert visits(world, pi).sum() == pytest.approx(-(world.start @ evaluate_policy(world, pi)), rel=1e-12)
    ended = TabularMDP(np.ones((1, 2, 1)), np.zeros((1, 2)), 1.0, terminal=[1])
    assert visits(ended, [0]).tolist() == [0]
    assert policy_gradient(ended, [[1.0, 2.0]]).tolist() == [[0, 0]]


# -- the theorem against finite differences ---------------------------------------------------------------------------------


def close(mdp, theta, seen=None, tol=1e-8):
    exact, numeric = policy_gradient(mdp, theta, seen), finite_differences(mdp, theta, seen)
    np.testing.assert_allclose(exact, numeric, rtol=0, atol=tol * max(1, abs(exact).max()))
    return exact


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("gamma", [0.95, 1.0])
def test_the_theorem_on_the_lane(gamma, seed):
    theta = np.random.default_rng(seed).normal(size=(7, 3))
    gradient = close(lane(gamma=gamma), theta)
    assert abs(gradient[1:6]).min() > 1e-4  # there is something to compare
    np.testing.assert_array_equal(gradient[[0, 6]], 0)
    np.testing.assert_allclose(gradient.sum(axis=1), 0, atol=1e-12)  # a constant added to a row changes nothing


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("gamma", [0.9, 1.0])
def test_the_theorem_on_mitchells_six_cells(gamma, seed):
    world, theta = mitchell(gamma), np.random.default_rng(seed).normal(size=(6, 4))
    gradient = close(world, theta)
    assert (gradient[~world.available] == 0).all()
    if gamma == 1:  # every way is worth 100 then
        np.testing.assert_allclose(gradient, 0, atol=1e-11)
    else:
        assert abs(gradient[world.available & ~world.terminal[:, None]]).min() > 1e-3


@pytest.mark.parametrize("theta", [[[0.0, 0.0]], [[0.3, -1.0]], [[-2.0, 1.0]]])
def test_the_theorem_where_states_look_alike(theta):
    gradient = close(short_corridor(), np.array(theta), seen=[0, 0, 0, 0])
    p = softmax(theta)[0, 1]
    # v(p) = (2p - 4) / (p (1 - p)), differentiated; dp / dtheta_right = p (1 - p)
    slope = (2 * p * (1 - p) - (2 * p - 4) * (1 - 2 * p)) / (p * (1 - p))
    np.testing.assert_allclose(gradient, [[-slope, slope]], rtol=1e-9)


def test_the_corridor_is_best_at_two_minus_the_root_of_two():
    """Sutton and Barto (2018), example 13.1."""
    world, alike = short_corridor(), np.zeros(4)
    at = lambda p: np.log([[1 - p, p]])  # noqa: E731
    np.testing.assert_allclose(policy_gradient(world, at(BEST), alike), 0, atol=1e-10)
    assert policy_gradient(world, at(BEST - 0.01), alike)[0, 1] > 0.01
    assert policy_gradient(world, at(BEST + 0.01), alike)[0, 1] < -0.01
    assert J(world, at(BEST), alike) == pytest.approx(-11.657, abs=0.0005)
    assert J(world, at(0.95), alike) == pytest.approx(-44.21, abs=0.005)  # greedy right, epsilon 0.1
    assert J(world, at(0.05), alike) == pytest.approx(-82.11, abs=0.005)


@settings(max_examples=80, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), gamma=st.sampled_from([0.0, 0.5, 0.9, 0.99]), shared=st.booleans())
def test_the_theorem_on_random_worlds(seed, gamma, shared):
    rng = np.random.default_rng(seed)
    check_random(random_world(random_recipe(rng, gamma, most_states=6), rng), rng, shared)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), shared=st.booleans())
def test_the_theorem_on_random_worlds_without_discount(seed, shared):
    rng = np.random.default_rng(seed)
    recipe = Recipe(states=5, gamma=1.0, ends=1, missing=0.3, sparse=bool(rng.integers(2)), ending=True)
    check_random(random_world(recipe, rng), rng, shared)


def check_random(world, rng, shared):
    S, A = world.available.shape
    rows = int(rng.integers(1, S + 1)) if shared else S
    seen = rng.integers(rows, size=S) if shared else None
    theta = rng.normal(size=(rows, A))
    size = max(1, abs(evaluate_policy(world, softmax_policy(world, theta, seen))).max() * visits_of(world, theta, seen))
    exact, numeric = policy_gradient(world, theta, seen), finite_differences(world, theta, seen)
    np.testing.assert_allclose(exact, numeric, rtol=0, atol=1e-8 * size)


def visits_of(world, theta, seen):
    return visits(world, softmax_policy(world, theta, seen)).sum()


# -- the theorem against all trajectories -------------------------------------------------------------------------------------


def acyclic(seed):
    """A random world in which no state comes back, with missing actions, several starts, rewards on transitions."""
    rng = np.random.default_rng(seed)
    S, A = 5, 3
    P = np.triu(rng.dirichlet(np.ones(S), size=(A, S)), 1).swapaxes(0, 1)
    P[-1, :, -1] = 1
    P /= P.sum(axis=2, keepdims=True)
    R = rng.normal(size=(S, A, S))
    R[-1] = 0
    available = rng.random((S, A)) < 0.7
    available[np.arange(S), rng.integers(A, size=S)] = True
    start = np.array([0.5, 0.3, 0.1, 0, 0.1])
    k = rng.permutation(S)  # the end need not be the last state
    P, R = P[k][:, :, k], R[k][:, :, k]
    return TabularMDP(P, R, [0.8, 1.0][seed % 2], start[k], k == S - 1, available[k])


def small_worlds():
    rng = np.random.default_rng(7)
    for name, road in ("lane", lane(steps=3)), ("undiscounted lane", lane(0.3, 1.0, 3)):
        yield pytest.param(road, rng.normal(size=(7, 3)), np.arange(28) % 7, id=name)
        yield pytest.param(road, rng.normal(size=(2, 3)), np.arange(28) % 2, id=f"{name}, two rows")
    for seed in range(6):
        seen = np.array([0, 1, 2, 0, 1]) if seed % 3 else np.arange(5)
        yield pytest.param(acyclic(seed), rng.normal(size=(seen.max() + 1, 3)), seen, id=f"random {seed}")


@pytest.mark.parametrize(("world", "theta", "seen"), list(small_worlds()))
def test_the_mean_over_all_trajectories_is_the_gradient_with_any_credit(world, theta, seen):
    """Total return, reward to go, and reward to go minus any b(s): all have the mean that the theorem says."""
    pi, rng = softmax_policy(world, theta, seen), np.random.default_rng(0)
    play, probability = every_episode(world, pi)
    V, b = evaluate_policy(world, pi), rng.normal(size=world.n_states) * 10
    gamma = world.gamma
    weight = gamma ** np.arange(len(play.reward))[:, None]
    total, to_go = total_return(play.reward, gamma), reward_to_go(play.reward, gamma)
    gradient = policy_gradient(world, theta, seen)
    assert abs(gradient).max() > 1e-3
    for name, credit in {
        "total": total,
        "total minus a constant": total - 3.7,
        "to go": weight * to_go,
        "to go minus a constant": weight * (to_go + 12.3),
        "to go minus V": weight * (to_go - V[play.state]),
        "to go minus any b(s)": weight * (to_go - b[play.state]),
    }.items():
        mean = np.tensordot(probability, estimates(play, pi, credit), axes=1)
        np.testing.assert_allclose(by_rows(mean, seen, len(theta)), gradient, atol=1e-10, err_msg=name)


def test_a_baseline_that_knows_the_action_is_not_allowed():
    """What would go wrong, so that the test above means something; and a total return without the weight gamma^t."""
    road, seen, theta = lane(steps=3), np.arange(28) % 7, np.random.default_rng(1).normal(size=(7, 3))
    pi = softmax_policy(road, theta, seen)
    play, probability = every_episode(road, pi)
    weight, to_go = road.gamma ** np.arange(3)[:, None], reward_to_go(play.reward, road.gamma)
    for credit in weight * (to_go - play.action), to_go:
        mean = by_rows(np.tensordot(probability, estimates(play, pi, credit), axes=1), seen, 7)
        assert abs(mean - policy_gradient(road, theta, seen)).max() > 1e-3


# -- episodes ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("world", "theta", "seen"), list(small_worlds()))
def test_every_episode_is_there_once(world, theta, seen):
    pi = softmax_policy(world, theta, seen)
    play, probability = every_episode(world, pi)
    assert probability.sum() == pytest.approx(1, abs=1e-12)
    assert probability.min() > 0
    ways = world.terminal.astype(int)  # how many episodes begin in each state, counted from the back
    for _ in range(world.n_states):
        onward = (pi[:, :, None] * world.P > 0).sum(axis=1) @ ways
        ways = np.where(world.terminal, 1, onward)
    assert len(probability) == ways[world.start > 0].sum()
    if world.n_states == 5:  # each transition has a reward of its own there, by which episodes can be told apart
        assert len(np.unique(play.reward, axis=1).T) == len(probability)
    value = probability @ reward_to_go(play.reward, world.gamma)[0]
    assert value == pytest.approx(world.start @ evaluate_policy(world, pi), abs=1e-12)
    eta = np.zeros(world.n_states)
    weight = world.gamma ** np.arange(len(play.state))[:, None] * probability * play.real
    np.add.at(eta, play.state, weight)
    np.testing.assert_allclose(eta, visits(world, pi), atol=1e-12)


def test_every_episode_of_two_steps_by_hand():
    # 0 -> 1 or 2 (the end), 1 -> 2: three episodes, as action 1 does not exist in state 1.
    P = np.zeros((3, 2, 3))
    P[0, 0, 1] = P[1, 0, 2] = 1
    P[0, 1] = [0, 0.5, 0.5]
    P[2, :, 2] = 1
    world = TabularMDP(P, [[1, 2], [4, 9], [0, 0]], 1.0, [1, 0, 0], [0, 0, 1], [[1, 1], [1, 0], [1, 1]])
    play, probability = every_episode(world, [[0.8, 0.2], [1, 0], [0.5, 0.5]])
    np.testing.assert_allclose(probability, [0.8, 0.1, 0.1])
    assert play.state.tolist() == [[0, 0, 0], [1, 1, 2]]
    assert play.action.tolist() == [[0, 1, 1], [0, 0, 0]]
    assert play.reward.tolist() == [[1, 2, 2], [4, 4, 0]]
    assert play.real.tolist() == [[1, 1, 1], [1, 1, 0]]


def as_keys(play):
    """Each episode as one number, so that equal ones can be counted."""
    keys = np.zeros(play.state.shape[1], np.int64)
    for row in zip(play.state, play.action, play.real, strict=True):
        keys = keys * 1000 + (row[0] * 6 + row[1] * 2 + row[2] + 1)
    return keys


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_episodes_are_drawn_as_often_as_they_are_probable(seed):
    world = acyclic(seed)
    pi = softmax_policy(world, np.random.default_rng(seed).normal(size=(5, 3)))
    every, probability = every_episode(world, pi)
    drawn = episodes(world, pi, 50_000, np.random.default_rng(11))
    keys, place = np.unique(as_keys(every), return_inverse=True)
    expected = np.bincount(place, probability)
    got = as_keys(drawn)
    assert np.isin(got, keys).all()
    assert p_value(np.bincount(np.searchsorted(keys, got), minlength=len(keys)), expected) > ERROR_RATE


def test_the_smallest_and_the_largest_draw_take_no_action_of_probability_zero():
    pi = np.array([[0, *[0.1] * 10, 0]])
    assert pi.cumsum()[-1] < 1  # rounding leaves a gap below 1, into which a draw can fall
    world = TabularMDP(np.ones((1, 12, 1)), np.zeros((1, 12)), 0.5, available=pi > 0)
    for draw, action in (0.0, 1), (1 - 2**-53, 10):
        assert (episodes(world, pi, 3, Constant(draw), limit=2).action == action).all()


def test_episodes_are_padded_and_pay_what_the_world_pays():
    road = lane()
    play = episodes(road, random_policy(road), 2000, np.random.default_rng(0))
    T = len(play.real)
    assert play.state.shape == play.action.shape == play.reward.shape == play.real.shape == (T, 2000)
    length = play.real.sum(axis=0)
    np.testing.assert_array_equal(play.real, np.arange(T)[:, None] < length)
    assert length.max() == T
    assert (play.state[0] == 3).all()
    assert (road.terminal[play.state] == ~play.real).all()
    assert (play.reward[~play.real] == 0).all()
    assert (play.action[~play.real] == 0).all()
    np.testing.assert_array_equal(play.reward.sum(axis=0), length - 1)  # every step but the last
    later = play.state[1:]
    np.testing.assert_array_equal(later[~play.real[1:]], np.broadcast_to(later[-1], later.shape)[~play.real[1:]])


def test_the_mean_return_of_episodes_is_the_value():
    for world in (lane(), mitchell(), short_corridor(), lane(steps=4)):
        pi = random_policy(world)
        play = episodes(world, pi, 20_000, np.random.default_rng(3))
        returns = reward_to_go(play.reward, world.gamma)[0]
        assert abs(deviations(returns, world.start @ evaluate_policy(world, pi))) < allowed(4)
        length = play.real.sum(axis=0)
        undiscounted = dataclasses.replace(world, gamma=1.0)
        assert abs(deviations(length, visits(undiscounted, pi).sum())) < allowed(4)


def test_episodes_with_a_limit():
    endless = np.tile([0.0, 1.0, 0.0], (7, 1))
    play = episodes(lane(wind=0), endless, 5, np.random.default_rng(0), limit=9)
    assert play.real.shape == (9, 5)
    assert play.real.all()
    long = episodes(lane(), random_policy(lane()), 500, np.random.default_rng(0))
    short = episodes(lane(), random_policy(lane()), 500, np.random.default_rng(0), limit=4)
    for column, cut in zip(long, short, strict=True):
        np.testing.assert_array_equal(column[:4], cut)


def test_episodes_that_begin_where_they_end():
    ended = TabularMDP(np.ones((1, 2, 1)), np.zeros((1, 2)), 0.9, terminal=[1])
    assert episodes(ended, [0], 3, np.random.default_rng(0)).state.shape == (0, 3)
    assert every_episode(ended, [0])[0].state.shape == (0, 1)


def test_the_same_seed_gives_the_same_episodes():
    one, same, other = (episodes(lane(), random_policy(lane()), 50, np.random.default_rng(k)) for k in (4, 4, 5))
    for a, b in zip(one, same, strict=True):
        np.testing.assert_array_equal(a, b)
    assert one.state.shape != other.state.shape or (one.state != other.state).any()


def test_rewards_are_drawn_with_their_noise():
    noisy = dataclasses.replace(lane(), reward_std=np.full((7, 3), 2.0))
    play = episodes(noisy, random_policy(noisy), 3000, np.random.default_rng(6))
    stayed = np.roll(play.real, -1, axis=0) & play.real
    noise = play.reward[play.real] - stayed[play.real]
    assert stats.kstest(noise[: len(noise) // 2] / 2, "norm").pvalue > ERROR_RATE
    assert (play.reward[~play.real] == 0).all()


@pytest.mark.parametrize(("world", "theta", "seen"), list(small_worlds()))
def test_drawn_estimates_agree_with_the_theorem(world, theta, seen):
    """Within 4 standard errors, the usual word for it, would fail by chance too often here: see tests/learn/chance.py."""
    pi = softmax_policy(world, theta, seen)
    play = episodes(world, pi, 20_000, np.random.default_rng(8))
    weight = world.gamma ** np.arange(len(play.reward))[:, None]
    drawn = by_rows(estimates(play, pi, weight * reward_to_go(play.reward, world.gamma)), seen, len(theta))
    gradient = policy_gradient(world, theta, seen)
    on = abs(gradient) > 1e-12  # elsewhere there is nothing to choose
    assert (abs(deviations(drawn, gradient)[on]) < allowed(on.sum())).all()
    np.testing.assert_allclose(drawn[:, ~on], 0, atol=1e-9)


# -- at the door --------------------------------------------------------------------------------------------------------------

ZEROS, SIX = np.zeros((7, 3)), np.zeros((6, 4))
RNG = np.random.default_rng(0)
BAD = {
    "a row too few": (lambda: policy_gradient(lane(), np.zeros((6, 3))), r"theta has shape \(6, 3\), but \(7, 3\) was"),
    "an action too many": (
        lambda: policy_gradient(lane(), np.zeros((1, 4)), np.zeros(7)),
        r"theta has shape \(1, 4\), but \[O, 3\]",
    ),
    "theta is NaN": (lambda: policy_gradient(lane(), ZEROS * np.nan), r"theta\[0, 0\] is nan, but it must be a finite"),
    "a row that is not there": (
        lambda: softmax_policy(lane(), ZEROS, [0, 1, 2, 3, 4, 5, 7]),
        r"seen\[6\] is 7, but theta has the rows 0 to 6",
    ),
    "half a row": (
        lambda: softmax_policy(lane(), ZEROS, [0.5] * 7),
        r"seen\[0\] is 0.5, but theta has the rows 0 to 6",
    ),
    "a negative row": (lambda: softmax_policy(lane(), ZEROS, [-1] * 7), r"seen\[0\] is -1, but theta has the rows"),
    "too few see": (lambda: softmax_policy(lane(), ZEROS, [0, 1]), r"seen has shape \(2,\), but \(7,\) was expected"),
    "softmax of NaN": (lambda: softmax([[0, 1], [0, np.nan]]), r"the largest entry of theta\[1\] is nan, but"),
    "softmax of infinity": (lambda: softmax([0, np.inf]), "the largest entry of theta is inf, but it must be"),
    "softmax of nothing": (lambda: softmax([[]]), r"theta has shape \(1, 0\), but \[..., A\] was expected"),
    "softmax of a number": (lambda: softmax(3), r"theta has shape \(\), but \[..., A\] was expected"),
    "softmax of no action": (lambda: softmax([-np.inf, -np.inf]), "the largest entry of theta is -inf, but it must"),
    "never ends": (
        lambda: visits(short_corridor(), [0, 0, 0, 0]),
        r"gamma is 1, but from state \(0, 0\) this policy never ends",
    ),
    "never ends, by underflow": (
        lambda: policy_gradient(short_corridor(), [[1000.0, -1000.0]], [0] * 4),
        r"gamma is 1, but from state \(0, 0\) this policy never ends",
    ),
    "no such policy": (lambda: visits(mitchell(), [0] * 6), "policy takes action up in state"),
    "plays for ever": (
        lambda: episodes(lane(wind=0), [1] * 7, 5, RNG),
        r"from state \(0, 1\) this policy never ends: say after how many steps to break off, limit=...",
    ),
    "no episodes": (lambda: episodes(lane(), [1] * 7, 0, RNG), "copies is 0, but"),
    "no generator": (lambda: episodes(lane(), random_policy(lane()), 5, 3), "rng is 3, but a numpy.random.Generator"),
    "no limit": (lambda: episodes(lane(), [1] * 7, 5, RNG, limit=0), "limit is 0, but a whole number of at least 1"),
    "for ever": (lambda: every_episode(short_corridor(), [0] * 4), "some state can come back, so that an episode can"),
    "too many to list": (
        lambda: every_episode(lane(steps=9), random_policy(lane(steps=9))),
        "there are more than 1,000,000 episodes: too many to list",
    ),
    "too much wind": (lambda: lane(wind=0.6), r"wind is 0.6, but it must lie in \[0, 0.5\]"),
    "no road": (lambda: lane(steps=0), "steps is 0, but a whole number of at least 1"),
}


@pytest.mark.parametrize(("misuse", "message"), BAD.values(), ids=BAD.keys())
def test_misuse(misuse, message):
    with pytest.raises(ValueError, match=f"^{message}"):
        misuse()


def test_nothing_that_is_given_is_changed():
    theta, seen = np.zeros((7, 3)), np.arange(7)
    policy_gradient(lane(), theta, seen)
    assert (theta == 0).all()
    assert (seen == np.arange(7)).all()
