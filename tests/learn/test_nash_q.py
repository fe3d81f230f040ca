"""Nash-Q: stage games against two other libraries' equilibria, updates by hand, and exact values wherever there are some."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rlkit.games.classics import (
    battle_of_the_sexes,
    chicken,
    climbing,
    matching_pennies,
    prisoners_dilemma,
    rock_paper_scissors,
    stag_hunt,
)
from rlkit.games.equilibria import nash_conv, support_enumeration
from rlkit.games.grid_games import grid_game_1, grid_game_2, start_equilibria
from rlkit.games.markov import MarkovGame, joint_policy_values, marginals, super_agent
from rlkit.games.matrix import MatrixGame
from rlkit.games.shapley import exploitability, joint_action_values, solve_zero_sum
from rlkit.games.stage import RULES, Stage, has_global_optimum, has_saddle_point, nash_value_iteration, stage_nash
from rlkit.games.worlds import repeated
from rlkit.learn.nash_q import friend_or_foe, independent_q, nash_q, nash_target, random_play
from rlkit.mdp import TabularMDP, solve
from tests.learn.chance import p_value

CLASSICS = [matching_pennies(), rock_paper_scissors(), battle_of_the_sexes(), chicken(), stag_hunt()]


def worst_gain(Q, stage):
    ours, theirs = np.einsum("nab,nb->na", Q[:, 0], stage.y), np.einsum("nab,na->nb", Q[:, 1], stage.x)
    gain = np.stack([ours.max(axis=1), theirs.max(axis=1)], axis=1) - stage.value
    paid = np.stack([(ours * stage.x).sum(axis=1), (theirs * stage.y).sum(axis=1)], axis=1)
    np.testing.assert_allclose(paid, stage.value, atol=1e-9)
    return gain.max()


def small_game(R, seed=0, states=4, gamma=0.8):
    """Return a deterministic game with two actions each: every joint action leads somewhere, and never ends."""
    rng = np.random.default_rng(seed)
    P = np.eye(states)[rng.integers(states, size=(states, 2, 2))]
    return MarkovGame(P, R(rng.normal(size=(2, states, 2, 2))), gamma)


zero_sum = lambda R: np.stack([R[0], -R[0]])  # noqa: E731
team = lambda R: np.stack([R[0], R[0]])  # noqa: E731


# -- stage games -----------------------------------------------------------------------------------------------------------


@given(
    st.integers(1, 5),
    st.integers(1, 5),
    st.integers(0, 2**32 - 1),
    st.sampled_from([None, 1, 2, 5]),
    st.sampled_from(RULES),
)
@settings(max_examples=60, deadline=None)
def test_every_answer_is_an_equilibrium(rows, columns, seed, integers, rule):
    """Degenerate games too: with payoffs of 0 and 1, or -1 to 1, most of them are."""
    rng = np.random.default_rng(seed)
    shape = (40, 2, rows, columns)
    Q = rng.normal(size=shape) if integers is None else rng.integers(-integers, integers + 1, size=shape).astype(float)
    stage = stage_nash(Q, rule, 1)
    assert worst_gain(Q, stage) < 1e-8
    assert min(stage.x.min(), stage.y.min()) >= 0
    np.testing.assert_allclose([stage.x.sum(axis=1), stage.y.sum(axis=1)], 1)


def test_rules_against_all_equilibria_of_random_games():
    """The candidates are the equilibria with the smallest supports, in the order of actions; the rule takes one of them."""
    Q = np.random.default_rng(0).normal(size=(150, 2, 3, 4))
    ours = {rule: stage_nash(Q, rule, 1) for rule in RULES}
    mixed = 0
    for n, payoffs in enumerate(Q):
        game = MatrixGame(payoffs)
        every = support_enumeration(game)
        size = min((pi[0] > 1e-9).sum() for pi in every)
        order = lambda pi: [tuple(np.flatnonzero(p > 1e-9)) for p in pi]  # noqa: E731
        found = sorted((pi for pi in every if (pi[0] > 1e-9).sum() == size), key=order)
        values = np.array([game.value(pi) for pi in found])
        expected = {
            "first": 0,
            "second": min(1, len(found) - 1),
            "best": values.sum(axis=1).argmax(),
            "own": values[:, 1].argmax(),
        }
        mixed += size > 1
        for rule, k in expected.items():
            np.testing.assert_allclose(ours[rule].x[n], found[k][0], atol=1e-7)
            np.testing.assert_allclose(ours[rule].y[n], found[k][1], atol=1e-7)
            np.testing.assert_allclose(ours[rule].value[n], values[k], atol=1e-7)
    assert 20 < mixed < 130


def test_another_library_knows_them_too():
    """By its vertices: its support enumeration loses equilibria of ordinary games to a tolerance of 1e-16."""
    nashpy = pytest.importorskip("nashpy")
    Q = np.random.default_rng(1).normal(size=(25, 2, 3, 3))
    stage = stage_nash(Q)
    for n, (A, B) in enumerate(Q):
        theirs = [np.concatenate(e) for e in nashpy.Game(A, B).vertex_enumeration()]
        assert min(abs(e - np.r_[stage.x[n], stage.y[n]]).max() for e in theirs) < 1e-8


def test_classic_games_by_hand():
    value = lambda game, rule, agent=0: stage_nash(game.payoffs[None], rule, agent).value[0].tolist()  # noqa: E731
    assert value(battle_of_the_sexes(), "first") == [2, 1] and value(battle_of_the_sexes(), "second") == [1, 2]
    assert value(battle_of_the_sexes(), "best") == [2, 1], "both are worth 3 together: the first"
    assert value(battle_of_the_sexes(), "own", 0) == [2, 1] and value(battle_of_the_sexes(), "own", 1) == [1, 2]
    assert value(stag_hunt(), "second") == [3, 3] and value(stag_hunt(), "best") == [4, 4]
    assert value(matching_pennies(), "second") == [0, 0]
    np.testing.assert_allclose(stage_nash(rock_paper_scissors().payoffs[None]).x, 1 / 3)


def test_supports_may_be_unequal():
    """No pure equilibrium, and row 1 is best only while the columns are mixed: one row, two columns."""
    A, B = [[1, 1], [2, -9], [-9, 2]], [[0, 0], [0, 1], [1, 0]]
    stage = stage_nash([[A, B]])
    np.testing.assert_allclose(stage.x, [[1, 0, 0]], atol=1e-12)
    np.testing.assert_allclose(stage.y, [[10 / 11, 1 / 11]])
    assert worst_gain(np.array([[A, B]], float), stage) < 1e-12


def test_what_differs_by_rounding_is_a_tie():
    Q = np.zeros((1, 2, 2, 2))
    Q[0, :, 0, 0], Q[0, 0, 1, 0], Q[0, :, 1, 1] = 1, 1 + 1e-12, 1
    assert stage_nash(Q).x.tolist() == [[1, 0]], "the first row is as good as the second"
    Q[0, 0, 1, 0] = 1 + 1e-6
    assert stage_nash(Q).x.tolist() == [[0, 1]]


def test_each_game_may_have_its_own_rule():
    Q = np.stack([battle_of_the_sexes().payoffs] * 4)
    stage = stage_nash(Q, ["first", "second", "own", "own"], [0, 0, 1, 0])
    assert stage.value.tolist() == [[2, 1], [1, 2], [1, 2], [2, 1]]


def test_optima_and_saddle_points_by_hand():
    both = lambda game: (has_global_optimum(game.payoffs), has_saddle_point(game.payoffs))  # noqa: E731
    assert both(stag_hunt()) == (True, True), "a hare takes nobody else"
    assert both(climbing()) == (True, False) and both(prisoners_dilemma()) == (False, True)
    assert both(matching_pennies()) == (False, True), "a saddle point may be mixed"
    assert both(battle_of_the_sexes()) == (False, False) and both(chicken()) == (False, False)
    assert both(MatrixGame(np.ones((2, 2, 3)))) == (True, True)


def test_a_zero_sum_game_always_has_a_saddle_point():
    rng = np.random.default_rng(2)
    for shape in ((2, 3), (4, 2), (3, 3)):
        A = rng.normal(size=shape)
        assert has_saddle_point([A, -A]) and has_saddle_point([5 + 2 * A, 1 - A])
        assert has_global_optimum([A, A]) and not has_global_optimum([A, -A])


# -- one update, line by line ----------------------------------------------------------------------------------------------


def test_a_target_by_hand():
    Q_next = np.stack([battle_of_the_sexes().payoffs] * 3)
    r, over = np.array([[1.0, 0], [1, 0], [1, 0]]), np.array([False, True, False])
    np.testing.assert_allclose(nash_target(r, Q_next, over, 0.5), [[2, 0.5], [1, 0], [2, 0.5]])
    np.testing.assert_allclose(nash_target(r, Q_next, over, 0.5, "second"), [[1.5, 1], [1, 0], [1.5, 1]])


@pytest.mark.parametrize("power", [1.0, 0.5])
def test_tables_follow_the_update_rule(power):
    """The play of three trials is replayed in plain Python, with equilibria from another function: the same tables."""
    game = grid_game_2()
    seeds, steps = (5, 6, 9), 500
    learned = nash_q(game, ("first", "own"), steps=steps, seeds=seeds, power=power)
    assert learned.learners == (("first", 0), ("own", 0), ("own", 1)) and learned.visits.sum() == 3 * steps
    for which, (rule, agent) in enumerate(learned.learners):
        Q, n = np.zeros((3, 2, 57, 4, 4)), np.zeros((3, 57, 4, 4))
        for s, a, r, s_next, over in random_play(game, seeds, steps):
            for k in range(3):
                n[k, s[k], a[0, k], a[1, k]] += 1
                value = stage_nash(Q[k][None, :, s_next[k]], rule, agent).value[0]
                alpha = 1 / n[k, s[k], a[0, k], a[1, k]] ** power
                for j in (0, 1):
                    y = r[j, k] + (0 if over[k] else 0.99 * value[j])
                    old = Q[k, j, s[k], a[0, k], a[1, k]]
                    Q[k, j, s[k], a[0, k], a[1, k]] = (1 - alpha) * old + alpha * y
        np.testing.assert_allclose(learned.Q[which], Q, atol=1e-9)
        assert (n == learned.visits).all() and Q.max() > 90


def test_a_trial_does_not_depend_on_the_others():
    together = nash_q(grid_game_1(), RULES, steps=800, seeds=range(4), power=0.8, every=400)
    for rule in RULES:
        alone = nash_q(grid_game_1(), (rule,), steps=800, seeds=[2], power=0.8, every=400)
        for i, (_, agent) in enumerate(alone.learners):
            at = together.learner(rule, agent)
            np.testing.assert_allclose(alone.Q[i, 0], together.Q[at, 2], atol=1e-12)
            np.testing.assert_allclose(alone.values[:, i, 0], together.values[:, at, 2], atol=1e-12)
    assert (together.Q[:, 0] != together.Q[:, 1]).any() and together.at.tolist() == [0, 400, 800]
    ours, theirs = together.policies("first", "second")
    assert (ours == together.policies("first")[0]).all() and (theirs == together.policies("second")[1]).all()


def test_play_is_random_and_follows_the_game():
    """Chi-square, at an error rate of 1 in a million for each of two tests: joint actions, and what a barrier lets through."""
    game = grid_game_2()
    joint, through = np.zeros((4, 4)), np.zeros(4)
    begin, last = int(game.start.argmax()), None
    for s, a, r, s_next, over in random_play(game, range(40), 700):
        np.add.at(joint, tuple(a), 1)
        assert (game.P[s, a[0], a[1], s_next] > 0).all() and (r == game.R[:, s, a[0], a[1]]).all()
        assert (over == game.terminal[s_next]).all()
        if last is not None:
            assert (s == np.where(last[1], begin, last[0])).all(), "an episode goes on, or begins anew"
        last = s_next, over
        for to in s_next[(s == begin) & (a == 0).all(axis=0)]:
            through[np.flatnonzero(game.P[begin, 0, 0]).tolist().index(to)] += 1
    assert p_value(joint.ravel(), np.full(16, 1 / 16)) > 1e-6
    assert through.sum() > 100 and p_value(through, np.full(4, 0.25)) > 1e-6


# -- exact answers ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("game", CLASSICS, ids=lambda game: game.name)
def test_a_matrix_game_played_for_ever(game):
    """One state: with a step of 1 the values are those of the equilibrium, for ever, v / (1 - gamma)."""
    markov = MarkovGame(np.ones((1, *game.shape, 1)), game.payoffs[:, None], 0.5)
    learned = nash_q(markov, ("first", "second"), steps=400, seeds=[3], power=0)
    for i, rule in enumerate(("first", "second")):
        exact = stage_nash(game.payoffs[None], rule).value[0] / (1 - 0.5)
        np.testing.assert_allclose(learned.values[0, i, 0], 0)
        V = stage_nash(learned.Q[i, :, :, 0], rule).value[0]
        np.testing.assert_allclose(V, exact, atol=1e-9)
    policies = [pi[0, 0] for pi in learned.policies("first")]
    assert nash_conv(game, policies) < 1e-9


def test_a_zero_sum_game_is_minimax_q():
    """Whatever the rule, a zero-sum game has one value: with a step of 1 in a deterministic game, Shapley's, exactly."""
    game = small_game(zero_sum, seed=3)
    exact = solve_zero_sum(game, 1e-12).V
    learned = nash_q(game, RULES, steps=2500, seeds=[0], power=0)
    assert (stage_nash(joint_action_values(game, [exact, -exact]).swapaxes(0, 1)).x.max(axis=1) < 1).any(), "some mix"
    for (rule, agent), Q in zip(learned.learners, learned.Q, strict=True):
        for trial in Q:
            V = stage_nash(trial.swapaxes(0, 1), rule, agent).value
            np.testing.assert_allclose(V, np.stack([exact, -exact], axis=1), atol=1e-8)
    (foe, _), (x, y) = friend_or_foe(game, ("foe", "foe"), steps=2500, seeds=[0], power=0)
    np.testing.assert_allclose(foe[0], learned.Q[0, 0, 0], atol=1e-8)
    np.testing.assert_allclose(exploitability(game, [x[0], y[0]]), 0, atol=1e-7)


def test_a_team_finds_the_best_for_all():
    game = small_game(team, seed=5)
    best = solve(super_agent(game)).V
    learned = nash_q(game, ("best", "own"), steps=2500, seeds=[0], power=0)
    for i in range(3):
        V = stage_nash(learned.Q[i, 0].swapaxes(0, 1), "best").value
        np.testing.assert_allclose(V, np.stack([best, best], axis=1), atol=1e-8)
    (friend, other), policies = friend_or_foe(game, steps=2500, seeds=[0], power=0)
    np.testing.assert_allclose(friend[0].max(axis=(1, 2)), best, atol=1e-8)
    np.testing.assert_allclose(friend, other, atol=1e-8)
    np.testing.assert_allclose(joint_policy_values(game, [pi[0] for pi in policies])[0], best, atol=1e-7)


def test_friends_and_foes_by_hand():
    """A friend hopes for the best cell, a foe secures the best row (or column): in a game of one move that ends."""
    P = np.zeros((2, 2, 2, 2))
    P[..., 1] = 1
    R = np.zeros((2, 2, 2, 2))
    R[:, 0] = [[[5, 0], [3, 2]], [[0, 4], [1, 2]]]
    game = MarkovGame(P, R, 0.9, [1, 0], [False, True])
    (Q, _), (x, y) = friend_or_foe(game, ("friend", "foe"), steps=200, power=0)
    np.testing.assert_allclose(Q[0, 0], R[0, 0])
    assert x[0, 0].tolist() == [1, 0], "the row with the 5"
    np.testing.assert_allclose(y[0, 0], [0, 1], atol=1e-9)  # 2 whatever happens


def test_grid_game_1_with_the_game_known():
    *_, (V, stage) = [found for found, _ in zip(nash_value_iteration(grid_game_1()), range(10), strict=False)]
    np.testing.assert_allclose(V, start_equilibria(grid_game_1())[0].V, atol=1e-9)
    assert isinstance(stage, Stage)


def test_grid_game_1_is_learned():
    """Exact rewards, no chance: with a step of 1 the best equilibria are there after a while, in every trial."""
    learned = nash_q(grid_game_1(), ("best",), steps=10_000, seeds=range(4), power=0, every=5000)
    np.testing.assert_allclose(learned.values[-1, 0], 97.0299, atol=1e-6)
    V = joint_policy_values(grid_game_1(), learned.policies("best"))
    np.testing.assert_allclose(V @ grid_game_1().start, 97.0299, atol=1e-6)


def test_independent_learners_learn_the_world_with_a_random_partner():
    """With alpha = 1/n, Q must come near the optimal values of the MDP in which the other acts at random.

    The mean over 40 trials may miss by no more than 1 in 100 of the largest value, at every action that is tried often.
    """
    game = repeated(battle_of_the_sexes().payoffs, 0.5)
    Q = independent_q(game, steps=4000, seeds=range(40), power=0.8)
    for i in (0, 1):
        P, R = marginals(game, i, [np.full((4, 2), 0.5)] * 2)
        exact = solve(TabularMDP(P, R, game.gamma))
        expected = R + game.gamma * P @ exact.V
        np.testing.assert_allclose(Q[i].mean(axis=0), expected, atol=0.03)


def test_independent_tables_line_by_line():
    game = grid_game_1()
    tables = independent_q(game, steps=500, seeds=(1, 8), power=0.7)
    for i in (0, 1):
        Q, n = np.zeros((2, 58, 4)), np.zeros((2, 58, 4))
        for s, a, r, s_next, over in random_play(game, (1, 8), 500):
            for k in range(2):
                n[k, s[k], a[i, k]] += 1
                y = r[i, k] + (0 if over[k] else 0.99 * Q[k, s_next[k]].max())
                Q[k, s[k], a[i, k]] += (y - Q[k, s[k], a[i, k]]) / n[k, s[k], a[i, k]] ** 0.7
        np.testing.assert_allclose(tables[i], Q, atol=1e-9)


# -- at the door -----------------------------------------------------------------------------------------------------------

THREE = MarkovGame(np.ones((1, 2, 2, 2, 1)), np.zeros((3, 1, 2, 2, 2)), 0.5)


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: stage_nash(np.full((1, 2, 2, 2), np.nan)), r"Q\[0, 0, 0, 0\] is nan"),
        (lambda: stage_nash(np.zeros((2, 2, 2))), "Q has shape"),
        (lambda: stage_nash(np.zeros((1, 2, 2, 0))), "Q has shape"),
        (lambda: stage_nash(np.zeros((1, 2, 2, 2)), "third"), "'third' is no rule"),
        (lambda: stage_nash(np.zeros((1, 2, 2, 2)), "own", 2), "agent is 2"),
        (lambda: stage_nash(np.zeros((3, 2, 2, 2)), ["first"]), "3 games, but 1 rules"),
        (lambda: nash_q(THREE, steps=1), "3 agents"),
        (lambda: nash_q(grid_game_1(), "first", steps=1), "a list of different rules"),
        (lambda: nash_q(grid_game_1(), ("last",), steps=1), "'last' is no rule"),
        (lambda: nash_q(grid_game_1(), ("first", "first"), steps=1), "a list of different rules"),
        (lambda: nash_q(grid_game_1(), steps=1, seeds=()), "seeds is empty"),
        (lambda: nash_q(grid_game_1(), steps=-1), "steps is -1"),
        (lambda: nash_q(grid_game_1(), steps=1, power=2), "power is 2"),
        (lambda: nash_q(grid_game_1(), steps=1).policies("best"), "nobody learned by the rule 'best'"),
        (lambda: independent_q(grid_game_1(), steps=1, power=-1), "power is -1"),
        (lambda: friend_or_foe(THREE, steps=1), "3 agents"),
        (lambda: friend_or_foe(grid_game_1(), ("friend", "enemy"), steps=1), "'friend' or 'foe'"),
    ],
)
def test_at_the_door(call, sentence):
    with pytest.raises(ValueError, match=sentence):
        call()
