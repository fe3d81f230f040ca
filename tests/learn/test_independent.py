"""Learners of matrix games: rules by hand, a run against plain Python, and shares of runs with a stated error rate."""

import re
from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from rlkit.games import MatrixGame
from rlkit.games import classics as games
from rlkit.learn.independent import (
    fading_epsilon,
    fading_temperature,
    hysteretic_rule,
    independent_learners,
    joint_action_learners,
    joint_values,
    one_learner,
    optimistic_rule,
    q_rule,
    share_interval,
)
from tests.learn.chance import ERROR_RATE, p_value

Q_RULE = partial(q_rule, alpha=0.1)
HYSTERETIC = partial(hysteretic_rule, alpha=0.1, beta=0.01)
TABLE = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
ACTIONS, REWARDS = np.array([0, 1, 1]), np.array([3.0, 0.0, 6.0])


# --- rules ---


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        (partial(q_rule, alpha=0.5), [[2, 2], [3, 2], [5, 6]]),
        (partial(hysteretic_rule, alpha=0.5, beta=0.25), [[2, 2], [3, 3], [5, 6]]),
        (optimistic_rule, [[3, 2], [3, 4], [5, 6]]),
    ],
)
def test_rules_by_hand(rule, expected):
    before = TABLE.copy()
    assert rule(TABLE, ACTIONS, REWARDS).tolist() == expected
    assert (before == TABLE).all()


def test_rules_that_become_each_other():
    same = hysteretic_rule(TABLE, ACTIONS, REWARDS, 0.3, 0.3)
    assert same.tolist() == q_rule(TABLE, ACTIONS, REWARDS, 0.3).tolist()
    hopeful = hysteretic_rule(TABLE, ACTIONS, REWARDS, 1.0, 0.0)
    assert hopeful.tolist() == optimistic_rule(TABLE, ACTIONS, REWARDS).tolist()


def test_joint_values_by_hand_and_over_leading_axes():
    climbing = games.climbing().payoffs[0]
    assert joint_values(climbing, [0.5, 0.25, 0.25]) == pytest.approx([-2, -11.75, 1.25])
    rng = np.random.default_rng(0)
    Q, belief = rng.normal(size=(4, 2, 3)), rng.dirichlet(np.ones(3), size=4)
    expected = [[sum(Q[k, a, b] * belief[k, b] for b in range(3)) for a in range(2)] for k in range(4)]
    assert joint_values(Q, belief) == pytest.approx(np.array(expected))


def test_schedules():
    assert (fading_epsilon(0), fading_epsilon(100), fading_epsilon(5000)) == (1, 0.998**100, 0.01)
    assert (fading_temperature(0), fading_temperature(5000)) == (20, 0.05)


# --- the loop ---


def test_a_run_against_plain_python():
    """The actions of a run, replayed one at a time, give the same tables."""
    game, seen = games.battle_of_the_sexes(), []

    def spy(Q, a, r):
        seen.append((a.copy(), r.copy()))
        return q_rule(Q, a, r, 0.2)

    run = independent_learners(game, spy, steps=50, runs=3, Q0=[[1, 2], [3, 4]])
    for k in range(3):
        Q = [[1.0, 2.0], [3.0, 4.0]]
        for first, second in zip(seen[::2], seen[1::2], strict=True):
            a = int(first[0][k]), int(second[0][k])
            for i, (_, r) in enumerate((first, second)):
                assert r[k] == game.payoffs[i, a[0], a[1]]
                Q[i][a[i]] += 0.2 * (r[k] - Q[i][a[i]])
        assert np.array([q[k] for q in run.Q]) == pytest.approx(np.array(Q))


def test_a_joint_action_learner_against_plain_python():
    game, seen = MatrixGame(np.random.default_rng(0).normal(size=(2, 2, 3))), []

    def spy(Q, a, r):
        seen.append(a.copy())
        return q_rule(Q, a, r, 0.2)

    run = joint_action_learners(game, spy, steps=200, runs=2, epsilon=lambda t: 0.3)
    for k in range(2):
        Q, n = [np.zeros((2, 3)), np.zeros((3, 2))], [np.ones(3), np.ones(2)]
        for one, two in zip(seen[::2], seen[1::2], strict=True):
            a1, a2 = divmod(int(one[k]), 3)
            assert divmod(int(two[k]), 2) == (a2, a1)  # each has its own action first
            before = [Q[i] @ n[i] / n[i].sum() for i in (0, 1)]
            Q[0][a1, a2] += 0.2 * (game.payoffs[0, a1, a2] - Q[0][a1, a2])
            Q[1][a2, a1] += 0.2 * (game.payoffs[1, a1, a2] - Q[1][a2, a1])
            n[0][a2] += 1
            n[1][a1] += 1
        assert run.Q[0][k] == pytest.approx(Q[0])
        assert run.Q[1][k] == pytest.approx(Q[1])
        # What it does at the end is best by what it believed before the last step.
        assert [before[i][run.greedy[k, i]] for i in (0, 1)] == pytest.approx([v.max() for v in before])


def chosen(**options):
    """Return the actions of player 1 in one step of many runs: int[20000]."""
    seen = []

    def spy(Q, a, r):
        seen.append(a)
        return Q

    game = MatrixGame(np.zeros((2, 3, 3)))
    independent_learners(game, spy, steps=1, runs=20_000, seed=1, Q0=[[0.0, 1.0, 2.0], [0, 0, 0]], **options)
    return np.bincount(seen[0], minlength=3), np.bincount(seen[1], minlength=3)


@pytest.mark.parametrize("epsilon", [0.0, 0.3, 1.0])
def test_epsilon_greedy_choices_and_ties(epsilon):
    certain, tied = chosen(epsilon=lambda t: epsilon)
    assert p_value(certain, [epsilon / 3, epsilon / 3, 1 - 2 * epsilon / 3]) > ERROR_RATE
    assert p_value(tied, [1 / 3] * 3) > ERROR_RATE


@pytest.mark.parametrize("temperature", [0.01, 1.0, 100.0])
def test_boltzmann_choices(temperature):
    certain, tied = chosen(temperature=lambda t: temperature)
    weight = np.exp((np.arange(3) - 2) / temperature)
    assert p_value(certain, weight / weight.sum()) > ERROR_RATE
    assert p_value(tied, [1 / 3] * 3) > ERROR_RATE


def test_the_same_seed_gives_the_same_run():
    one, two, other = (
        independent_learners(games.stochastic_climbing(), Q_RULE, steps=100, runs=5, seed=s) for s in (3, 3, 4)
    )
    assert (one.Q[0] == two.Q[0]).all()
    assert (one.Q[0] != other.Q[0]).any()


def test_policies_are_kept():
    run = independent_learners(
        games.climbing(), Q_RULE, steps=25, runs=4, keep_every=10, temperature=lambda t: 2.0, Q0=[[2, 0, 0], [0, 0, 0]]
    )
    assert run.at.tolist() == [0, 10, 20]
    assert [pi.shape for pi in run.policies] == [(3, 4, 3)] * 2
    e = np.exp(1)
    assert run.policies[0][0] == pytest.approx(np.tile([e / (e + 2), 1 / (e + 2), 1 / (e + 2)], (4, 1)))
    greedy = independent_learners(games.climbing(), Q_RULE, steps=20, runs=4, keep_every=20, epsilon=lambda t: 0.3)
    assert (greedy.policies[1][-1].argmax(axis=-1) == greedy.greedy[:, 1]).all()
    assert greedy.policies[1][-1].max(axis=-1) == pytest.approx(0.8)
    assert len(greedy.at) == 2


def test_three_players_with_different_numbers_of_actions():
    best = np.zeros((2, 3, 4))
    best[1, 2, 3] = 1
    game = MatrixGame([best] * 3)
    for learn in (independent_learners, one_learner):
        run = learn(game, optimistic_rule, steps=2000, runs=20, epsilon=lambda t: 0.5)
        assert run.counts[1, 2, 3] == 20
    assert run.Q[0].shape == (20, 2, 3, 4)


# --- who finds the best cell: shares of runs, as in section "Two learners, one payoff" ---


def successes(learn, rule, game, runs, **options):
    run = learn(game, rule, runs=runs, seed=7, **options)
    return int(run.counts[game.payoffs[0] == game.payoffs[0].max()].sum())


def plausible(count, runs, low, high):
    """Whether a share somewhere in [low, high] explains the count, at the error rate."""
    share = min(max(count / runs, low), high)
    return stats.binomtest(count, runs, share).pvalue > ERROR_RATE


@pytest.mark.parametrize(
    ("rule", "game", "options", "low", "high"),
    [
        (Q_RULE, games.climbing(), {}, 0, 0.01),
        (Q_RULE, games.climbing(), {"temperature": fading_temperature}, 0.10, 0.16),
        (Q_RULE, games.penalty(-100), {"temperature": fading_temperature}, 0.87, 0.93),
        (HYSTERETIC, games.climbing(), {}, 0.84, 0.92),
        (HYSTERETIC, games.partially_stochastic_climbing(), {}, 0.56, 0.66),
    ],
)
def test_shares_of_independent_learners(rule, game, options, low, high):
    """The bounds are those of separate simulations of the same learners, with their tolerances."""
    assert plausible(successes(independent_learners, rule, game, 400, **options), 400, low, high)


@pytest.mark.parametrize("game", [games.climbing(), games.penalty(-100)], ids=lambda game: game.name)
def test_optimists_never_fail_where_payoffs_are_certain(game):
    run = independent_learners(game, optimistic_rule, runs=200, Q0=-100.0)
    assert successes(independent_learners, optimistic_rule, game, 200, Q0=-100.0) == 200
    both = [np.where(np.eye(3)[run.greedy[:, i]] == 1, run.Q[i], 0).sum(axis=-1) for i in (0, 1)]
    assert (both[0] == game.payoffs.max()).all()
    assert (both[1] == game.payoffs.max()).all()


def test_the_coin_deceives_every_optimist():
    run = independent_learners(games.partially_stochastic_climbing(), optimistic_rule, runs=200, Q0=-30.0)
    assert run.counts[1, 1] == 200
    assert (run.Q[0][:, 1] == 14).all()


def test_a_joint_action_learner_knows_the_table_and_still_misses_the_best_cell():
    game = games.climbing()
    run = joint_action_learners(game, Q_RULE, runs=100)
    assert run.counts[0, 0] == 0
    assert run.Q[0].mean(axis=0) == pytest.approx(game.payoffs[0], abs=4)  # rare pairs were tried a dozen times
    longer = joint_action_learners(game, Q_RULE, runs=20, steps=50_000)
    assert longer.counts[1, 1] == 20


def test_one_learner_for_both_has_nobody_to_miss():
    assert successes(one_learner, Q_RULE, games.penalty(-100), 100) == 100
    assert successes(one_learner, Q_RULE, games.partially_stochastic_climbing(), 100) == 100


# --- intervals and the door ---


@settings(max_examples=50, deadline=None)
@given(st.integers(1, 5000), st.floats(0, 1))
def test_wilson_against_scipy(runs, share):
    count = round(share * runs)
    p, low, high = share_interval(count, runs)
    expected = stats.binomtest(count, runs).proportion_ci(0.95, method="wilson")
    assert p == count / runs
    assert (low, high) == pytest.approx((expected.low, expected.high), abs=1e-9)
    assert low <= p <= high


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: independent_learners(games.climbing(), Q_RULE, steps=0), "steps is 0"),
        (lambda: independent_learners(games.climbing(), Q_RULE, runs=0), "runs is 0"),
        (lambda: independent_learners(games.climbing(), Q_RULE, keep_every=0), "keep_every is 0"),
        (lambda: independent_learners(games.climbing(), Q_RULE, epsilon=lambda t: t), "epsilon(2) is 2"),
        (lambda: independent_learners(games.climbing(), Q_RULE, temperature=lambda t: 3 - t), "temperature(3) is 0"),
        (lambda: independent_learners(games.climbing(), Q_RULE, Q0=[[0, 0, 0]]), "Q0 holds 1 tables"),
        (lambda: independent_learners(games.climbing(), Q_RULE, Q0=[[0, 0], [0, 0]]), "Q0[0] has shape (2,)"),
        (lambda: independent_learners(games.climbing(), lambda Q, a, r: r), "rule returned an array of shape (1,)"),
        (
            lambda: independent_learners(games.climbing(), lambda Q, a, r: Q * np.nan),
            "does not hold finite numbers only",
        ),
        (
            lambda: joint_action_learners(games.climbing(), lambda Q, a, r: Q + np.inf),
            "does not hold finite numbers only",
        ),
        (lambda: independent_learners(games.climbing(), lambda Q, a, r: Q + 1j), "does not hold finite numbers only"),
        (
            lambda: independent_learners(games.climbing(), Q_RULE, epsilon=0.1),
            "epsilon is 0.1, but a function of the step",
        ),
        (
            lambda: joint_action_learners(games.climbing(), Q_RULE, temperature=2),
            "temperature is 2, but a function of the step",
        ),
        (lambda: one_learner(games.climbing(), Q_RULE, epsilon=None), "epsilon is None, but a function of the step"),
        (lambda: one_learner(games.matching_pennies(), Q_RULE), "one learner needs one reward"),
        (lambda: joint_action_learners(MatrixGame(np.zeros((1, 2))), Q_RULE), "the game has 1 players"),
        (lambda: share_interval(3, 2), "count is 3"),
        (lambda: share_interval(1, 2, 1.0), "level is 1"),
    ],
)
def test_the_door(call, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        call()
