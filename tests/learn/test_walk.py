"""Walking: that actions come as often as they should, that walks obey the world, and who learns when."""

import dataclasses
from itertools import pairwise

import numpy as np
import pytest

from rlkit.learn.tabular import (
    Walk,
    backward_q_learning,
    boltzmann,
    count_bonus,
    double_q_learning,
    dyna_q,
    epsilon_greedy,
    expected_sarsa,
    n_step_td,
    prioritised_sweeping,
    q_learning,
    q_target,
    replay_q_learning,
    sarsa,
    td_lambda,
    td_prediction,
    td_target,
)
from rlkit.mdp import TabularMDP, random_policy
from rlkit.mdp.worlds import mitchell, noisy_bets, random_walk
from tests.learn.chance import ERROR_RATE, allowed, p_value
from tests.learn.transcript import record
from tests.mdp.random_worlds import Recipe, random_world

NONE = -np.inf
CONTROL = [
    q_learning,
    sarsa,
    expected_sarsa,
    double_q_learning,
    dyna_q,
    replay_q_learning,
    backward_q_learning,
    lambda world, **walk: prioritised_sweeping(world, **walk)[0],
]
PREDICTION = [
    lambda world, **walk: td_prediction(world, random_policy(world), **walk),
    lambda world, **walk: n_step_td(world, random_policy(world), 3, **walk),
    lambda world, **walk: n_step_td(world, random_policy(world), None, **walk),
    lambda world, **walk: td_lambda(world, random_policy(world), 0.5, **walk),
]
NAMES = "q_learning sarsa expected_sarsa double dyna replay backward sweeping td n_step monte_carlo lambda".split()
ALL = [pytest.param(learner, id=name) for learner, name in zip(CONTROL + PREDICTION, NAMES, strict=True)]
MANY = [param for param in ALL if param.id != "sweeping"]  # those that take copies


def alone(actions, missing=(), **changes):
    """A world of one state that ends at once, in which all actions but the missing ones exist."""
    P = np.zeros((2, actions, 2))
    P[:, :, 1] = 1
    available = np.ones((2, actions), bool)
    available[0, list(missing)] = False
    arguments = {"R": np.zeros((2, actions)), "terminal": [0, 1], "available": available, "start": [1, 0]} | changes
    return TabularMDP(P, gamma=0.9, **arguments)


def loop(gamma=0.9):
    """One state, two actions that pay 1 and 0, and no end: the values are 1 / (1 - gamma) and gamma / (1 - gamma)."""
    return TabularMDP(np.ones((1, 2, 1)), [[1.0, 0.0]], gamma)


# -- choosing ----------------------------------------------------------------------------------------------------------

COPIES, TIMES = 400, 100
ROWS = {
    "one best": ([1.0, 3, 2, 0], ()),
    "ties": ([3.0, 3, 2, 3], ()),
    "all equal": ([0.0, 0, 0, 0], ()),
    "missing": ([1.0, NONE, 2, 0], (1,)),
    "missing and ties": ([2.0, NONE, 2, NONE, 2, 1], (1, 3)),
    "below zero": ([-5.0, -7, NONE, -5], (2,)),
    "one action": ([NONE, 1.0, NONE], (0, 2)),
    "large and small": ([1e300, 1e-300, -1e300, 1e300], ()),
}


def choosing(Q, missing=(), explore=0.0, seed=1, times=TIMES):
    """Return int[times, K], what is chosen when the rows of the table are Q: float[K, A]."""
    w = Walk(alone(Q.shape[1], missing), 0.1, explore, steps=1, copies=len(Q), seed=seed)
    return np.array([w.choose(Q) for _ in range(times)])


def counts_of(actions, size):
    return np.bincount(np.ravel(actions), minlength=size)


@pytest.mark.parametrize(("row", "missing"), ROWS.values(), ids=ROWS.keys())
def test_choose_is_epsilon_greedy(row, missing):
    """Chi-square on 40,000 draws; 32 tests of error rate 1e-6 / 32 each."""
    for epsilon in 0, 0.05, 0.5, 1:
        counts = counts_of(choosing(np.tile(row, (COPIES, 1)), missing, epsilon), len(row))
        assert p_value(counts, epsilon_greedy(np.array(row), epsilon)) > ERROR_RATE / 32


def test_choose_treats_each_copy_by_its_own_row():
    """Chi-square, four tests of error rate 1e-6 / 4."""
    Q = np.eye(4)[np.arange(COPIES) % 4]
    assert (choosing(Q) == np.arange(COPIES) % 4).all()
    a = choosing(Q, explore=0.2)
    for best in range(4):
        assert p_value(counts_of(a[:, best::4], 4), epsilon_greedy(np.eye(4)[best], 0.2)) > ERROR_RATE / 4


def test_one_choice_says_nothing_about_the_next_one_or_the_next_copy():
    """Chi-square on pairs of choices of the same copies, and of neighbours; error rate 1e-6 each."""
    row = np.array([1.0, 1, 0])
    a = choosing(np.tile(row, (COPIES, 1)), explore=0.4, seed=3)
    p = epsilon_greedy(row, 0.4)
    for one, other in (a[:-1:2], a[1::2]), (a[:, :-1:2], a[:, 1::2]):
        assert p_value(counts_of(3 * one + other, 9), np.outer(p, p).ravel()) > ERROR_RATE


def test_choices_stay_right_when_the_stock_of_random_numbers_is_renewed():
    """Chi-square on 1,200 choices of 50 copies, a stock being 256 steps; error rate 1e-6."""
    row = np.array([2.0, 2, 1, 0])
    a = choosing(np.tile(row, (50, 1)), explore=0.3, seed=4, times=1200)
    assert p_value(counts_of(a, 4), epsilon_greedy(row, 0.3)) > ERROR_RATE
    assert len(np.unique(a, axis=0)) == 1200, "the same choices of all copies should not come again"


@pytest.mark.parametrize("weights", [[1.0, 0, 3, 4], [0.0, 0, 1, 0], [1e-12, 1, 1e-12, 1], [0.1, 0.2, 0.3, 0.4]])
def test_draw_follows_the_weights(weights):
    """Chi-square on 40,000 draws; 4 tests of error rate 1e-6 / 4."""
    w = Walk(alone(4), steps=1, copies=COPIES, seed=5)
    counts = counts_of([w.draw(np.tile(weights, (COPIES, 1))) for _ in range(TIMES)], 4)
    assert p_value(counts, np.array(weights) / sum(weights)) > ERROR_RATE / 4


def test_a_function_chooses_by_its_probabilities():
    """Chi-square on 20,000 draws of each of three rows; error rate 1e-6 / 3."""
    Q = np.tile([[1.0, 2, NONE], [0, 0, NONE], [5, -5, NONE]], (200, 1))
    a = choosing(Q, [2], lambda Q, w: boltzmann(Q, 1.0), seed=6)
    for i in range(3):
        assert p_value(counts_of(a[:, i::3], 3), boltzmann(Q[i], 1.0)) > ERROR_RATE / 3


def test_exploration_may_depend_on_the_walk():
    """A bonus for what was seldom tried takes each action of a world that pays nothing equally often, up to one."""

    def seldom(Q, w):
        return count_bonus(Q, w.visits()[w.state], 1.0)

    _, transcript = record(q_learning, alone(5), explore=seldom, steps=53, copies=3, seed=7)
    for steps in transcript.copies():
        counts = np.bincount([step.a for step in steps], minlength=5)
        assert sorted(counts) == [10, 10, 11, 11, 11]


def test_visits_are_counted_from_the_first_step():
    seen = []

    def alpha(n):
        seen.append(n.copy())
        return 1 / n

    q_learning(alone(1), alpha=alpha, steps=4, copies=2)
    np.testing.assert_array_equal(seen, [[1, 1], [2, 2], [3, 3], [4, 4]])
    with pytest.raises(ValueError, match="counted only where alpha or explore is a function"):
        Walk(alone(1), 0.1, 0.1, steps=1).visits()


def test_a_run_that_learned_q_has_no_v_and_the_other_way_round():
    q, v = q_learning(mitchell(), steps=5), td_prediction(mitchell(), random_policy(mitchell()), steps=5)
    assert q.Q is q.table and v.V is v.table
    with pytest.raises(AttributeError, match="learned Q, not V"):
        q.V  # noqa: B018
    with pytest.raises(AttributeError, match="learned V, not Q"):
        v.Q  # noqa: B018


# -- walks obey the world ------------------------------------------------------------------------------------------------


def check_walk(world, transcript, limit):
    """Check every step of every copy against the tables; return how many began a new episode."""
    began = 0
    for steps in transcript.copies():
        assert world.start[steps[0].s] > 0
        length = 0
        for step in steps:
            length += 1
            assert world.available[step.s, step.a]
            assert world.P[step.s, step.a, step.to] > 0
            assert step.r == world.R[step.s, step.a, step.to]
            assert step.terminated == world.terminal[step.to]
            assert step.ended == (step.terminated or length == limit)
            length = 0 if step.ended else length
        for step, following in pairwise(steps):
            began += step.ended
            assert world.start[following.s] > 0 if step.ended else following.s == step.to
    return began


@pytest.mark.parametrize("limit", [None, 1, 5])
@pytest.mark.parametrize("learner", MANY)
def test_every_walk_obeys_the_world(learner, limit):
    recipe = Recipe(states=8, actions=3, ends=1, missing=0.3, rewards="transition", successors=3)
    world = random_world(recipe, np.random.default_rng(0))
    start = np.where(np.arange(8) % 2 == 1, 0, world.start)
    world = dataclasses.replace(world, start=start / start.sum())
    if limit is None and learner in (backward_q_learning, PREDICTION[2]):
        limit = 150
    _, transcript = record(learner, world, steps=150, copies=3, limit=limit, seed=8)
    assert check_walk(world, transcript, limit) > 10


def test_transitions_starts_and_rewards_come_as_often_as_they_should():
    """Chi-square for all pairs and for the start, on 80,000 steps; error rate 1e-6 in all."""
    recipe = Recipe(states=4, actions=2, ends=1, rewards="transition", successors=3)
    world = random_world(recipe, np.random.default_rng(1))
    world = dataclasses.replace(world, start=[0.6 if s == np.argmin(world.terminal) else 0.4 / 3 for s in range(4)])
    _, transcript = record(q_learning, world, explore=1.0, steps=400, copies=200, limit=10, seed=9)
    to, actions, starts = np.zeros((4, 2, 4)), np.zeros((4, 2)), np.zeros(4)
    for steps in transcript.copies():
        starts[steps[0].s] += 1
        for step, following in pairwise(steps):
            to[step.s, step.a, step.to] += 1
            actions[step.s, step.a] += 1
            starts[following.s] += step.ended
    level = ERROR_RATE / 13
    assert p_value(starts, world.start) > level
    for s in range(4):
        assert p_value(actions[s], [0.5, 0.5]) > level
        for a in range(2):
            assert p_value(to[s, a], world.P[s, a]) > level


# -- limits --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("limit", [1, 3])
@pytest.mark.parametrize("learner", ALL)
def test_an_episode_that_was_broken_off_still_counts_on_what_would_follow(learner, limit):
    """The loop is worth 10 (5 under the random policy); who takes a limit for an end finds 3 at most."""
    options = {} if learner is CONTROL[-1] else {"alpha": 1 if learner in CONTROL else 0.03}
    if learner in CONTROL:
        options["explore"] = 0.0
    learned = learner(loop(), steps=600, limit=limit, **options)
    assert set(learned.log["length"]) == {limit}
    if learner in CONTROL:
        assert learned.Q.max() == pytest.approx(10, rel=0.001)
    else:
        assert learned.V == pytest.approx(5, abs=1.5)


def test_a_limit_is_counted_anew_in_every_episode():
    learned = q_learning(random_walk(), explore=1.0, limit=12, steps=500, copies=5, seed=10)
    assert learned.log["length"].max() == 12
    ended_early = learned.log["length"] < 12
    assert 0 < ended_early.sum() < len(ended_early)
    no_limit = q_learning(random_walk(), explore=1.0, steps=500, copies=5, seed=10)
    assert no_limit.log["length"].max() > 12


# -- who learns when -------------------------------------------------------------------------------------------------------

# One start and no noise: a copy's random numbers do not depend on when others end.
LONG_AND_SHORT = random_walk()


@pytest.mark.parametrize("learner", [p for p in MANY if p.id != "sarsa"])
def test_who_has_finished_learns_no_more(learner):
    """The same seed without a number of episodes: each copy's table is the one from the step at which it finished."""
    options = {"copies": 4, "seed": 11, "limit": 60}
    learned = learner(LONG_AND_SHORT, episodes=3, keep_every=1, **options)
    finish = learned.per_episode("step")[:, -1]
    assert learned.steps == finish.max()
    assert len(set(finish)) > 1, "the copies should differ here"
    going_on = learner(LONG_AND_SHORT, steps=learned.steps, keep_every=1, **options)
    for k, step in enumerate(finish):
        np.testing.assert_array_equal(learned.table[k], going_on.history[step, k])
    assert (going_on.table != learned.table).any(), "whoever goes on learns more"


@pytest.mark.parametrize("learner", ALL)
def test_who_has_finished_keeps_its_table(learner):
    options = {} if learner is CONTROL[-1] else {"copies": 5}
    learned = learner(mitchell(), episodes=4, keep_every=4, seed=12, limit=50, **options)
    np.testing.assert_array_equal(learned.history[-1], learned.table)
    assert (np.bincount(learned.log["copy"]) == 4).all()


@pytest.mark.parametrize("learner", [p for p in ALL if p.id != "sarsa"])
def test_with_episodes_the_table_is_kept_right_after_the_last_update_of_each_due_episode(learner):
    options = {"seed": 13, "limit": 60} | ({} if learner is CONTROL[-1] else {"copies": 4})
    learned = learner(LONG_AND_SHORT, episodes=5, keep_every=2, **options)
    assert learned.history.shape == (3, *learned.table.shape)
    every_step = learner(LONG_AND_SHORT, steps=learned.steps, keep_every=1, **options).history
    at = learned.per_episode("step")
    np.testing.assert_array_equal(learned.history[0], every_step[0])
    for place, episode in (1, 1), (2, 3):
        for k in range(len(learned.table)):
            np.testing.assert_array_equal(learned.history[place, k], every_step[at[k, episode], k])


@pytest.mark.parametrize("learner", ALL)
def test_with_steps_the_table_is_kept_after_every_so_many(learner):
    options = {"seed": 14, "limit": 9} | ({} if learner is CONTROL[-1] else {"copies": 3})
    learned = learner(random_walk(), steps=65, keep_every=20, **options)
    assert learned.history.shape == (4, *learned.table.shape)
    assert (learned.history[0] == 0).all()
    for place in 1, 2, 3:
        shorter = learner(random_walk(), steps=20 * place, keep_every=20, **options)
        np.testing.assert_array_equal(learned.history[place], shorter.table)
        np.testing.assert_array_equal(shorter.history[-1], shorter.table)
    if learner is not CONTROL[-1]:  # which knows this world by then
        assert (learned.history[-1] != learned.table).any()


@pytest.mark.parametrize("setting", [{"steps": 30}, {"episodes": 3}])
def test_without_keep_every_only_the_beginning_is_kept(setting):
    learned = q_learning(mitchell(), Q0=7, copies=2, **setting)
    assert learned.history.shape == (1, 2, 6, 4)
    np.testing.assert_array_equal(learned.history[0], np.where(mitchell().available, 7, [[[NONE] * 4] * 6] * 2))


def test_what_was_kept_does_not_change_later():
    learned = q_learning(mitchell(), alpha=1, explore=1.0, steps=200, keep_every=1, seed=15)
    changes = [(a != b).sum() for a, b in pairwise(learned.history)]
    assert set(changes) == {0, 1}, "a step changes at most one entry"


# -- interruptions -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("learner", ALL)
def test_an_interruption_keeps_what_was_learned(learner):
    """The kernel is interrupted inside the 41st step: what stays is the table of 40 steps."""
    step = Walk.step
    options = {"seed": 16, "limit": 9} | ({} if learner is CONTROL[-1] else {"copies": 2})

    def interrupted(w, a):
        if w.t == 40:
            raise KeyboardInterrupt
        return step(w, a)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Walk, "step", interrupted)
        learned = learner(random_walk(), steps=1000, keep_every=10, **options)
    whole = learner(random_walk(), steps=40, keep_every=10, **options)
    assert learned.steps == 40
    np.testing.assert_array_equal(learned.table, whole.table)
    np.testing.assert_array_equal(learned.history, whole.history)
    for name in whole.log:
        np.testing.assert_array_equal(learned.log[name], whole.log[name])


def stopping(target, after, error):
    """Return the target, which raises an error when it is called once more than ``after`` times."""
    calls = []

    def wrapped(*args):
        calls.append(args)
        if len(calls) > after:
            raise error
        return target(*args)

    return wrapped


def test_an_interruption_inside_the_target(capsys):
    """The 31st step was made, and is in the log, but was not learned from."""
    learned = q_learning(mitchell(), steps=100, target=stopping(q_target, 30, KeyboardInterrupt), seed=17, copies=3)
    np.testing.assert_array_equal(learned.table, q_learning(mitchell(), steps=30, seed=17, copies=3).table)
    assert learned.steps == 31
    assert "31 steps is kept" in capsys.readouterr().out
    walk = random_policy(random_walk())
    target = stopping(td_target, 30, KeyboardInterrupt)
    learned = td_prediction(random_walk(), walk, target=target, episodes=100, seed=17)
    np.testing.assert_array_equal(learned.V, td_prediction(random_walk(), walk, steps=30, seed=17).V)


def test_other_errors_are_not_swallowed():
    with pytest.raises(ZeroDivisionError):
        q_learning(mitchell(), steps=100, target=stopping(q_target, 30, ZeroDivisionError))
    with pytest.raises(SystemExit):
        q_learning(mitchell(), steps=100, target=stopping(q_target, 30, SystemExit))


# -- seeds and independence ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("learner", ALL)
def test_the_same_seed_gives_the_same_result_and_another_seed_another(learner):
    options = {"steps": 100, "limit": 20, "keep_every": 25}
    world = dataclasses.replace(noisy_bets(), start=[0.5, 0.5, 0])
    first, again, other = (learner(world, seed=seed, **options) for seed in (18, 18, 19))
    for a, b in (
        (first.table, again.table),
        (first.history, again.history),
        *zip(first.log.values(), again.log.values(), strict=True),
    ):
        np.testing.assert_array_equal(a, b)
    assert (first.table != other.table).any()


def test_a_generator_is_used_up():
    rng = np.random.default_rng(20)
    first, second = (q_learning(mitchell(), steps=200, seed=rng) for _ in range(2))
    assert (first.table != second.table).any()
    fresh = q_learning(mitchell(), steps=200, seed=np.random.default_rng(20))
    np.testing.assert_array_equal(fresh.table, first.table)
    np.testing.assert_array_equal(fresh.table, q_learning(mitchell(), steps=200, seed=20).table)


def one_step_world():
    """Episodes of one step whose return depends on a start, an action, a transition and a noise: each a fair coin."""
    P, R = np.zeros((5, 2, 5)), np.zeros((5, 2, 5))
    P[:2, :, 2:4] = 0.5
    P[2:, :, 4] = 1
    for s in 0, 1:
        R[s, :, 2:4] = [[s, s + 1], [s + 1, s + 2]]
    P[2:4], R[2:4] = 0, 0
    P[2, :, 2] = P[3, :, 3] = 1
    return TabularMDP(P, R, 0.9, [0.5, 0.5, 0, 0, 0], [0, 0, 1, 1, 1], reward_std=np.full((5, 2), 0.5))


@pytest.mark.parametrize("learner", MANY)
def test_copies_are_independent(learner):
    """For K independent copies the variance of their mean is 1/K of theirs; error rate 1e-6 per learner, by chi-square.

    The ratio times the degrees of freedom is chi-square for normal returns; sums of coins have lighter tails.
    Neighbours must not be correlated either: z-test over all pairs of neighbours.
    """
    from scipy import stats

    K, E = 60, 300
    options = {"explore": 1.0} if learner in CONTROL else {}
    learned = learner(one_step_world(), episodes=E, copies=K, limit=5, seed=21, **options)
    returns = learned.per_episode("return")
    assert returns.std() == pytest.approx(1, abs=0.05)
    ratio = (E - 1) * K * returns.mean(axis=0).var(ddof=1) / returns.var()
    assert stats.chi2.isf(1 - ERROR_RATE / 2, E - 1) < ratio < stats.chi2.isf(ERROR_RATE / 2, E - 1)
    standard = (returns - returns.mean()) / returns.std()
    for a, b in (standard[:-1], standard[1:]), (standard[:, :-1], standard[:, 1:]):  # copies, and episodes of one copy
        assert abs((a * b).sum() / np.sqrt(a.size)) < allowed()


def test_a_copy_does_not_care_how_many_others_there_are():
    """The mean return of the first copies is the same whether 5 or 100 walk: two-sample z-test, error rate 1e-6."""
    few = q_learning(random_walk(), explore=1.0, episodes=400, copies=5, seed=22).per_episode("length").ravel()
    many = q_learning(random_walk(), explore=1.0, episodes=20, copies=100, seed=23).per_episode("length").ravel()
    error = np.sqrt(few.var() / len(few) + many.var() / len(many))
    assert abs(few.mean() - many.mean()) < allowed() * error
    assert abs(np.r_[few, many].mean() - 9) < allowed() * error  # 3 x 3 steps from the middle of five
