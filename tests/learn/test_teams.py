"""Teams: difference rewards by hand, optima by trying everything, crowds against their limit, and messages that are too few."""

from collections import Counter, deque
from itertools import combinations_with_replacement, product
from math import exp

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rlkit.core import mean_interval
from rlkit.learn.teams import (
    Bar,
    best_signals,
    crowd,
    difference_reward,
    helpers,
    learn_signals,
    mean_field,
    team_q_learning,
    team_reinforce,
)


def last(rounds):
    return deque(rounds, maxlen=1)[0]


def rng(seed=0):
    return np.random.default_rng(seed)


# -- rewards -----------------------------------------------------------------------------------------------------------


def test_a_difference_reward_by_hand():
    # Two at night 0 and one at night 1, and every night is worth the square of who comes: G = 4 + 1. Without one of the
    # two it is 1 + 1, without the third 4 + 0.
    def G(z):
        return sum(count**2 for count in Counter(np.asarray(z).tolist()).values())

    np.testing.assert_array_equal(difference_reward(G, [0, 1, 0]), [3, 1, 3])


def test_the_bar_by_hand():
    bar, z = Bar(3, 2.0), np.array([0, 0, 1])
    two, one = 2 * exp(-1), exp(-0.5)
    assert bar.total(z) == pytest.approx(two + one)
    assert bar.pay("own")(z) == pytest.approx([two / 2, two / 2, one])
    assert bar.pay("shared")(z) == pytest.approx([two + one] * 3)
    assert bar.pay("difference")(z) == pytest.approx([two - one, two - one, one])


joint = st.lists(st.integers(0, 3), min_size=1, max_size=9).map(np.array)
capacity = st.floats(0.3, 6)


@settings(max_examples=60, deadline=None)
@given(joint, capacity)
def test_own_shares_add_up_and_differences_are_those_of_the_definition(z, c):
    bar = Bar(4, c)
    assert bar.pay("own")(z).sum() == pytest.approx(bar.total(z))
    assert bar.pay("difference")(z) == pytest.approx(difference_reward(bar.total, z), abs=1e-12)


@settings(max_examples=60, deadline=None)
@given(joint, st.integers(0, 3), capacity, st.data())
def test_what_one_agent_changes_in_its_difference_reward_it_changes_in_G(z, other, c, data):
    bar, i = Bar(4, c), data.draw(st.integers(0, len(z) - 1))
    moved = z.copy()
    moved[i] = other
    D = bar.pay("difference")
    assert D(moved)[i] - D(z)[i] == pytest.approx(bar.total(moved) - bar.total(z), abs=1e-12)


@pytest.mark.parametrize("n", [1, 2, 5, 8])
@pytest.mark.parametrize("c", [0.4, 1.0, 2.5])
def test_the_optimum_is_that_of_trying_everything(n, c):
    bar = Bar(4, c)
    best, counts = bar.best(n)
    everything = max(bar.total(np.array(z)) for z in combinations_with_replacement(range(4), n))
    assert best == pytest.approx(everything)
    assert counts.sum() == n and bar.worth(counts).sum() == pytest.approx(best)


def test_helpers_are_paid_for_their_own_help_or_for_all_of_it():
    z = np.array([[1, 0], [1, 1], [0, 0]])
    np.testing.assert_array_equal(helpers([10, 1], "own")(z), [[10, 0], [10, 1], [0, 0]])
    np.testing.assert_array_equal(helpers([10, 1], "shared")(z), [[10, 10], [11, 11], [0, 0]])
    for row, D in zip(z, helpers([10, 1], "difference")(z), strict=True):
        # whoever is not there does not help
        np.testing.assert_array_equal(D, [row @ [10, 1] - np.delete(row, i) @ np.delete([10, 1], i) for i in (0, 1)])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: difference_reward(len, []), r"z has shape \(0,\)"),
        (lambda: difference_reward(len, [[1]]), r"z has shape \(1, 1\)"),
        (lambda: Bar(3, 1).pay("team"), "reward must be one of own, shared, difference, not 'team'"),
        (lambda: helpers([1], "none"), "reward must be one of"),
        (lambda: Bar(3, 1).best(0), "agents is 0"),
        (lambda: Bar(0, 1), "nights is 0"),
        (lambda: Bar(3, np.nan), "capacity is nan"),
        (lambda: Bar(3, -1), "capacity is -1"),
        (lambda: Bar(3, 0), "capacity is 0, but a number above 0 was expected"),
        (lambda: crowd(lambda mu: mu, 2, 0, 5, steps=3, rng=rng()), "temperature is 0, but a number above 0"),
        (lambda: crowd(lambda mu: mu, 2, -1, 5, steps=3, rng=rng()), "temperature is -1"),
        (lambda: crowd(lambda mu: mu, 2, 1, 5, steps=0, rng=rng()), "steps is 0"),
        (lambda: learn_signals(2, 2, runs=1, steps=1, rng=rng(), alpha=9), "alpha is 9"),
        (lambda: last(team_q_learning(np.ones_like, 2, 2, runs=1, steps=1, rng=rng(), alpha=2)), "alpha is 2"),
        (lambda: last(team_reinforce(np.ones_like, 0, 2, runs=1, steps=1, rng=rng())), "agents is 0"),
        (lambda: mean_field(lambda mu: mu, 2, 0), "temperature is 0"),
        (lambda: mean_field(lambda mu: np.array([mu[0] > 0.7, 0.5]), 2, 0.01), "did not come to rest"),
        (lambda: best_signals(9, 9), "too many to try"),
        (lambda: best_signals(10**9, 10**9), "too many to try"),
    ],
)
def test_what_does_not_fit_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


# -- teams that learn --------------------------------------------------------------------------------------------------


def test_each_agent_learns_only_from_its_own_pay():
    # One round by hand: whoever chose a has moved its value of a by alpha of the way to its reward, and nothing else.
    def pay(z):
        return np.broadcast_to([5.0, -7.0], z.shape)

    found = last(team_q_learning(pay, 2, 3, runs=4, steps=1, rng=rng(), alpha=0.2))
    moved = np.eye(3)[found.z] * np.array([1.0, -1.4])[:, None]
    np.testing.assert_allclose(found.table, moved, atol=1e-5)


def test_one_step_of_reinforce_by_hand():
    def pay(z):
        return np.full(z.shape, 2.0)

    rounds = team_reinforce(pay, 1, 2, runs=50, steps=2, rng=rng(), alpha=0.5)
    first, second = next(rounds), next(rounds)
    # theta of the action that was taken grows by 0.5 * 2 * (1 - 1/2), that of the other falls by as much
    raised = np.take_along_axis(second.table, first.z[..., None], axis=-1)
    assert {*first.z.ravel()} == {0, 1}
    np.testing.assert_allclose(raised, 1 / (1 + exp(-1)))


def test_a_baseline_takes_away_what_is_always_paid():
    def pay(z):
        return np.full(z.shape, 2.0)

    rounds = list(team_reinforce(pay, 1, 2, runs=9, steps=3, rng=rng(), baseline=1.0))
    np.testing.assert_allclose(rounds[2].table, rounds[1].table)
    assert (rounds[1].table != 0.5).all()


def reached(reward, agents, runs=30):
    bar = Bar(4, agents / 12)
    found = last(team_q_learning(bar.pay(reward), agents, 4, runs=runs, steps=1500, rng=rng(1)))
    return bar.total(found.table.argmax(axis=-1)) / bar.best(agents)[0]


def test_difference_rewards_reach_the_optimum_where_the_others_do_not():
    own, shared, difference = (reached(reward, 24) for reward in ("own", "shared", "difference"))
    _, low, high = mean_interval(shared, 0.999)
    assert own.max() < 0.55 and own.mean() < low and high < 1
    assert difference.min() > 0.999


def test_a_strong_partner_makes_a_weak_one_lazy_and_both_cures_work():
    def resting(worth, reward, **more):
        pair = last(team_reinforce(helpers(worth, reward), 2, 2, runs=300, steps=1500, rng=rng(2), **more))
        return (pair.table[:, :, 0] > 0.5).mean(axis=0)

    strong, weak = resting([10, 1], "shared")
    assert strong == 0
    assert 0.2 < weak < 0.4  # 0.29 at 400 runs: more than 3 standard errors of 0.026 on either side
    assert resting([10, 1], "shared", baseline=0.05)[1] < 0.02
    assert resting([10, 1], "difference")[1] == 0
    assert resting([1, 1], "shared").max() == 0


# -- crowds ------------------------------------------------------------------------------------------------------------


def roads(mu):
    return np.array([1 + 2 * mu[0], 1.5 + mu[1], 0.5 + 4 * mu[2]])


def test_two_roads_alike_share_the_crowd_and_a_fixed_cost_gives_the_logit():
    np.testing.assert_allclose(mean_field(lambda mu: mu, 2, 0.1), [0.5, 0.5])
    odds = mean_field(lambda mu: np.array([0.0, 1.0]), 2, 0.5)
    assert odds[0] / odds[1] == pytest.approx(exp(2))


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.floats(0, 3), min_size=3, max_size=3),
    st.lists(st.floats(0, 5), min_size=3, max_size=3),
    st.floats(0.05, 2),
)
def test_the_fixed_point_is_one(base, slope, temperature):
    def cost(mu):
        return np.array(base) + np.array(slope) * mu

    mu = mean_field(cost, 3, temperature)
    answer = np.exp(-(cost(mu) - cost(mu).min()) / temperature)
    np.testing.assert_allclose(answer / answer.sum(), mu, atol=1e-11)


def test_a_large_crowd_stays_near_the_fixed_point():
    mu = mean_field(roads, 3, 0.2)
    shares = crowd(roads, 3, 0.2, 100_000, steps=3000, rng=rng())[200:]
    np.testing.assert_allclose(shares.sum(axis=1), 1)
    np.testing.assert_allclose(shares.mean(axis=0), mu, atol=1e-3)


def test_without_congestion_a_crowd_is_multinomial():
    # Each agent draws from the same logit for itself, so the share of a place has variance mu (1 - mu) / N.
    mu = np.exp([0, -1]) / np.exp([0, -1]).sum()
    shares = crowd(lambda share: np.array([0.0, 1.0]), 2, 1.0, 50, steps=20_000, rng=rng(), renew=1.0)[1:]
    assert shares[:, 0].mean() == pytest.approx(mu[0], abs=5 * np.sqrt(mu.prod() / 50 / 20_000))
    assert shares[:, 0].var() == pytest.approx(mu.prod() / 50, rel=0.05)  # 5 standard errors of sqrt(2 / 20_000)


@pytest.mark.parametrize("renew", [0.1, 0.4])
def test_a_crowd_remembers_as_many_as_do_not_think_again(renew):
    # Without congestion, what is left of a deviation after one round is the part of those who stayed.
    shares = crowd(lambda share: np.zeros(2), 2, 1.0, 50, steps=20_000, rng=rng(), renew=renew)[100:, 0]
    # the standard error of the correlation is about sqrt((1 - 0.6^2) / 20,000) = 0.006 or less
    assert np.corrcoef(shares[1:], shares[:-1])[0, 1] == pytest.approx(1 - renew, abs=0.025)


def test_the_deviation_falls_like_one_over_the_root_of_the_crowd():
    mu, sizes = mean_field(roads, 3, 0.2), np.array([30, 300, 3000])
    off = [np.sqrt(((crowd(roads, 3, 0.2, N, steps=3000, rng=rng(N))[200:] - mu) ** 2).sum(1).mean()) for N in sizes]
    assert np.polyfit(np.log(sizes), np.log(off), 1)[0] == pytest.approx(-0.5, abs=0.06)


# -- messages ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("k", "m"), [(k, m) for k, m in product(range(1, 5), range(1, 6)) if m**k * k**m < 200_000])
def test_the_best_pair_of_maps_names_as_many_goals_as_there_are_messages(k, m):
    assert best_signals(k, m) == min(m, k) / k


def test_two_goals_and_two_messages_by_hand():
    # 16 pairs: 2 of the 4 senders tell the goals apart, and for each of them 1 of the 4 receivers understands both.
    scores = [
        np.mean([does[says[goal]] == goal for goal in (0, 1)])
        for says in product((0, 1), repeat=2)
        for does in product((0, 1), repeat=2)
    ]
    assert Counter(scores) == {1.0: 2, 0.5: 12, 0.0: 2} and best_signals(2, 2) == max(scores)


def test_learners_do_not_beat_the_best_maps_and_often_reach_them():
    for k, m in ((3, 2), (4, 3), (4, 4)):
        got = learn_signals(k, m, runs=200, steps=3000, rng=rng())
        assert got.max() == pytest.approx(best_signals(k, m))
        assert got.mean() > 0.9 * best_signals(k, m)


def test_before_anything_is_learned_maps_are_as_good_as_chance():
    # With alpha 0 nothing is learned at all.
    got = learn_signals(4, 4, runs=4000, steps=1, rng=rng(), alpha=0.0)
    assert got.mean() == pytest.approx(1 / 4, abs=0.015)
    assert {*np.unique(got)} <= {0, 0.25, 0.5, 0.75, 1}
