"""Learning in games: by hand, against other ways to compute the same, and what theorems say of it."""

import itertools
import re
from itertools import islice

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from quantecon.game_theory import FictitiousPlay, NormalFormGame, Player
from scipy.integrate import solve_ivp
from scipy.stats import chisquare

from rlkit.games import MatrixGame
from rlkit.games.classics import (
    battle_of_the_sexes,
    chicken,
    matching_pennies,
    prisoners_dilemma,
    rock_paper_scissors,
    shapley,
    stag_hunt,
)
from rlkit.games.dynamics import (
    average_regrets,
    averages,
    exploitability_of_averages,
    fictitious_play,
    joint_frequencies,
    multiplicative_weights,
    regret_matching,
    replicator,
    run_lengths,
)
from rlkit.games.equilibria import nash_conv

SHAPLEY = shapley()
ALONE = MatrixGame([[0, 1, 3]])
"""One player, who learns about a fixed world."""
CHANCE = 1e-6
"""A test that draws fails a correct program with at most this probability."""


def first_rounds(learner, T):
    return np.array(list(islice(learner, T)))


def random_game(seed, shape, whole=False):
    rng = np.random.default_rng(seed)
    size = (len(shape), *shape)
    return MatrixGame(rng.integers(-3, 4, size) if whole else rng.normal(size=size))


def interior(rng, shape):
    return tuple(rng.dirichlet(np.full(A, 3.0)) for A in shape)


# -- fictitious play ------------------------------------------------------------------------------------------------


def test_matching_pennies_by_hand():
    # Sums of player 1 after each round: (1, -1), (0, 0), (-1, 1), (-2, 2), (-3, 3); of player 2: (-1, 1), (-2, 2), (-3, 3),
    # (-2, 2), (-1, 1).
    played = first_rounds(fictitious_play(matching_pennies(), (0, 0)), 6)
    assert played.tolist() == [[0, 0], [0, 1], [0, 1], [1, 1], [1, 1], [1, 1]]
    one, two = averages(matching_pennies(), played)
    assert one[3] == pytest.approx([3 / 4, 1 / 4])
    assert two[3] == pytest.approx([1 / 4, 3 / 4])
    # Against these player 1 would earn 1/2 by tails, player 2 1/2 by tails; now they earn -1/4 and 1/4.
    assert exploitability_of_averages(matching_pennies(), played, [1, 4]) == pytest.approx([2, 3 / 4 + 1 / 4])


@pytest.mark.parametrize(
    ("game", "gaps"),
    [(matching_pennies(), (0.044, 0.014, 0.0045)), (rock_paper_scissors(), (0.042, 0.0134, 0.0042))],
    ids=lambda value: getattr(value, "name", ""),
)
def test_averages_converge_in_zero_sum_games_like_one_over_the_root_of_t(game, gaps):
    # The measured numbers of the course's fact sheet: the sum of both players' gains, from (0, 0), ties by first index.
    played = first_rounds(fictitious_play(game, (0, 0)), 100_000)
    assert exploitability_of_averages(game, played, [1000, 10_000, 100_000]) == pytest.approx(gaps, rel=0.012)


def test_shapleys_game_cycles_ever_more_slowly():
    played = first_rounds(fictitious_play(SHAPLEY, (0, 1)), 100_000)
    lengths = run_lengths(played)[:-1]  # the last one is not at its end
    ratio = lengths[1:] / lengths[:-1]
    assert len(lengths) == 25
    assert ((ratio[10:] > 1.45) & (ratio[10:] < 1.49)).all()
    root = np.roots([1, -1, 0, -1]).real.max()  # of x^3 = x^2 + 1
    assert ratio[-1] == pytest.approx(root, abs=1e-4)
    for policy in averages(SHAPLEY, played):
        assert (np.ptp(policy[10_000:], axis=0) >= 0.3).all()
    assert not (played[:, 0] == played[:, 1]).any()
    paid = SHAPLEY.pay(played).mean(axis=0)
    assert paid == pytest.approx([0.457, 0.543], abs=5e-4)
    assert paid.sum() == pytest.approx(1)
    assert exploitability_of_averages(SHAPLEY, played, [1000, 10_000, 100_000]).min() > 0.2


def test_shapleys_game_from_the_diagonal_stays_there():
    played = first_rounds(fictitious_play(SHAPLEY, (0, 0)), 300)
    assert (played[:, 0] == played[:, 1]).all()


@given(st.integers(0, 10**6), st.integers(1, 4), st.integers(1, 4))
@settings(max_examples=25, deadline=None)
def test_two_players_answer_the_others_mixture(seed, rows, columns):
    game = random_game(seed, (rows, columns), whole=True)
    start = (seed % rows, seed % columns)
    played = first_rounds(fictitious_play(game, start), 40)
    assert played[0].tolist() == list(start)
    for t in range(1, 40):
        mixtures = [np.bincount(played[:t, j], minlength=A) / t for j, A in enumerate(game.shape)]
        for j in (0, 1):
            worth = game.action_values(j, mixtures).round(9)
            assert played[t, j] == worth.argmax()


def test_three_players_answer_what_the_others_did_together():
    game = random_game(5, (2, 3, 2))
    played = first_rounds(fictitious_play(game, (1, 2, 0)), 60)
    for t in range(1, 60):
        for j in range(3):
            sums = [
                sum(game.payoffs[(j, *row[:j], a, *row[j + 1 :])] for row in played[:t].tolist())
                for a in range(game.shape[j])
            ]
            assert played[t, j] == np.argmax(sums)


@pytest.mark.parametrize("shape", [(2, 2), (3, 3), (4, 2)])
def test_the_same_as_quantecon(shape):
    game = random_game(11, shape)
    theirs = FictitiousPlay(NormalFormGame([Player(game.payoffs[0]), Player(game.payoffs[1].T)]))
    path = theirs.time_series(500, init_actions=(1, 0))
    played = first_rounds(fictitious_play(game, (1, 0)), 500)
    for ours, other in zip(averages(game, played), path, strict=True):
        np.testing.assert_allclose(ours, other, atol=1e-12)


def test_many_games_side_by_side_are_each_alone():
    game = rock_paper_scissors()
    starts = list(np.ndindex(3, 3))
    together = first_rounds(fictitious_play(game, starts), 200)
    gaps = exploitability_of_averages(game, together, [7, 200])
    for k, start in enumerate(starts):
        alone = first_rounds(fictitious_play(game, start), 200)
        np.testing.assert_array_equal(together[:, k], alone)
        np.testing.assert_allclose(gaps[:, k], exploitability_of_averages(game, alone, [7, 200]))


def test_ties_are_ties_where_payoffs_have_decimals():
    tenth = MatrixGame(0.1 * rock_paper_scissors().payoffs)
    one, ten = (first_rounds(fictitious_play(game, (0, 0)), 5000) for game in (rock_paper_scissors(), tenth))
    np.testing.assert_array_equal(one, ten)


def test_ties_by_chance_are_uniform_and_by_default_the_first():
    game = MatrixGame([[[0, 0, 0, -1]] * 2] * 2)
    starts = np.zeros((6000, 2), int)
    second = list(islice(fictitious_play(game, starts, np.random.default_rng(0)), 2))[1]
    counts = np.bincount(second[:, 1], minlength=4)
    assert chisquare(np.bincount(second[:, 0])).pvalue > CHANCE
    # Player 2's last action pays both -1 less: never tied for the best.
    assert counts[3] == 0
    assert chisquare(counts[:3]).pvalue > CHANCE
    assert not first_rounds(fictitious_play(game, (0, 0)), 5).any()


def test_who_may_choose_alone_finds_the_best_action():
    assert first_rounds(fictitious_play(ALONE, [0]), 4)[:, 0].tolist() == [0, 2, 2, 2]
    assert first_rounds(fictitious_play(prisoners_dilemma(), (0, 0)), 4).tolist() == [[0, 0], *[[1, 1]] * 3]


# -- regret matching ------------------------------------------------------------------------------------------------


def test_regret_matching_plays_in_proportion_to_positive_regrets():
    # Alone against the payoffs 0, 1, 3. After action 0 the regrets are (0, 1, 3); after 1 (-1, 0, 2); after 2 (-3, -2, 0).
    played = first_rounds(regret_matching(ALONE, np.random.default_rng(1), 30_000), 2)[..., 0]
    assert chisquare(np.bincount(played[0])).pvalue > CHANCE
    after = [np.bincount(played[1][played[0] == a], minlength=3) for a in range(3)]
    assert after[0][0] == 0
    assert chisquare(after[0][1:], after[0].sum() * np.array([1 / 4, 3 / 4])).pvalue > CHANCE
    assert after[1][:2].tolist() == [0, 0]
    assert chisquare(after[2]).pvalue > CHANCE  # nothing positive: all alike


@pytest.mark.parametrize(
    "game", [rock_paper_scissors(), SHAPLEY, random_game(3, (3, 2, 4))], ids=["rps", "shapley", "3"]
)
def test_average_regret_falls_as_promised(game):
    # In the mean over what is drawn, the sum of squares of positive regrets is at most range^2 (A - 1) t. Its own spread is
    # of the order of its mean, so that the mean of 200 runs would have to lie many standard errors too high.
    t = np.array([10, 100, 1000])
    played = first_rounds(regret_matching(game, np.random.default_rng(2), 200), 1000)
    for j, regret in enumerate(average_regrets(game, played)):
        size = np.ptp(game.payoffs[j])
        square = (np.maximum(regret[t - 1], 0) ** 2).sum(axis=-1).mean(axis=1)
        assert (square <= size**2 * (game.shape[j] - 1) / t).all()
        worst = regret[t - 1].max(axis=-1).mean(axis=1)
        assert (worst <= size * np.sqrt(game.shape[j] / t)).all()
        assert worst[2] < 0.35 * worst[0]


@pytest.mark.parametrize("make", [chicken, battle_of_the_sexes, stag_hunt, matching_pennies, prisoners_dilemma])
def test_with_two_actions_joint_play_comes_to_a_correlated_equilibrium(make):
    game = make()
    played = first_rounds(regret_matching(game, np.random.default_rng(4)), 10_000)
    p = joint_frequencies(game, played)
    rows = [(p[a] * (game.payoffs[0, 1 - a] - game.payoffs[0, a])).sum() for a in (0, 1)]
    columns = [(p[:, b] * (game.payoffs[1][:, 1 - b] - game.payoffs[1][:, b])).sum() for b in (0, 1)]
    # What would be gained by doing b whenever a was played is the regret of b.
    assert [rows[::-1], columns[::-1]] == [pytest.approx(r[-1]) for r in average_regrets(game, played)]
    assert max(*rows, *columns) < 10 * np.ptp(game.payoffs) / np.sqrt(len(played))


@given(st.integers(0, 10**6))
@settings(max_examples=15, deadline=None)
def test_in_a_zero_sum_game_regrets_and_exploitability_are_the_same(seed):
    A = np.random.default_rng(seed).normal(size=(3, 2))
    game = MatrixGame([A, -A])
    played = first_rounds(regret_matching(game, np.random.default_rng(seed)), 50)
    total = sum(regret[-1].max() for regret in average_regrets(game, played))
    assert exploitability_of_averages(game, played, 50) == pytest.approx([total])


def test_runs_may_have_any_axes_and_the_seed_decides():
    game = rock_paper_scissors()
    draw = lambda runs, seed: first_rounds(regret_matching(game, np.random.default_rng(seed), runs), 5)  # noqa: E731
    assert draw((), 0).shape == (5, 2)
    assert draw(4, 0).shape == (5, 4, 2)
    assert draw((2, 3), 0).shape == (5, 2, 3, 2)
    np.testing.assert_array_equal(draw(40, 7), draw(40, 7))
    assert (draw(40, 7) != draw(40, 8)).any()


# -- replicator and multiplicative weights --------------------------------------------------------------------------


def test_rock_paper_scissors_turns_with_a_constant_product():
    path = first_rounds(replicator(rock_paper_scissors(), [[0.5, 0.3, 0.2]] * 2, 0.01), 3001)[:, 0]
    product = path.prod(axis=1)
    assert product == pytest.approx(np.full(3001, 0.03), rel=1e-10)
    assert (path.max(axis=0) > 0.5).all()  # it does go round
    assert path.mean(axis=0) == pytest.approx(np.full(3, 1 / 3), abs=0.02)


@given(st.integers(0, 10**6))
@settings(max_examples=20, deadline=None)
def test_a_zero_sum_game_keeps_the_distance_to_a_mixed_equilibrium(seed):
    # sum_j pi*^j . log pi^j moves with the rate sum_j u^j(pi*^j, pi^-j) - u^j(pi) = 0. Payoffs are made for a given equilibrium:
    # A y and A^T x are constant there.
    rng = np.random.default_rng(seed)
    x, y = interior(rng, (3, 4))
    A = rng.normal(size=(3, 4))
    A = A - np.outer(A @ y, np.ones(4))
    A = A - np.outer(np.ones(3), x @ A)
    game = MatrixGame([A, -A])
    assert nash_conv(game, [x, y]) == pytest.approx(0, abs=1e-12)
    path = list(islice(replicator(game, interior(rng, (3, 4)), 0.02), 100))
    kept = [x @ np.log(one) + y @ np.log(other) for one, other in path]
    assert np.ptp(kept) < 1e-7


@pytest.mark.parametrize("shape", [(2, 2), (3, 4), (2, 3, 2)])
def test_the_replicators_equation_by_another_solver(shape):
    game, start = random_game(17, shape), interior(np.random.default_rng(1), shape)
    ends = np.cumsum(shape)[:-1]

    def velocity(_, flat):
        policies = np.split(flat, ends)
        parts = []
        for j, pi in enumerate(policies):
            u = np.array([0.0] * shape[j])
            for joint in itertools.product(*map(range, shape)):
                others = np.prod([policies[k][joint[k]] for k in range(len(shape)) if k != j])
                u[joint[j]] += others * game.payoffs[(j, *joint)]
            parts.append(pi * (u - pi @ u))
        return np.concatenate(parts)

    theirs = solve_ivp(velocity, (0, 2), np.concatenate(start), rtol=1e-10, atol=1e-12).y[:, -1]
    *_, ours = islice(replicator(game, start, 0.05), 41)
    assert np.concatenate(ours) == pytest.approx(theirs, abs=2e-7)


def test_equilibria_rest_and_what_is_0_stays_0():
    for game, point in (
        (matching_pennies(), ([0.5, 0.5], [0.5, 0.5])),
        (battle_of_the_sexes(), ([2 / 3, 1 / 3], [1 / 3, 2 / 3])),
        (chicken(), ([1, 0], [0, 1])),
    ):
        *_, last = islice(replicator(game, point, 0.1), 20)
        np.testing.assert_allclose(last, point, atol=1e-12)
    *_, last = islice(replicator(rock_paper_scissors(), [[0.5, 0.5, 0], [0.2, 0.8, 0]], 0.1), 500)
    assert last[0][2] == 0
    assert last[0] == pytest.approx([0, 1, 0], abs=1e-6)  # paper beats rock


def test_many_starts_side_by_side():
    game, rng = random_game(2, (2, 3)), np.random.default_rng(0)
    starts = [interior(rng, (2, 3)) for _ in range(4)]
    stacked = [np.stack(own) for own in zip(*starts, strict=True)]
    for learner in (replicator, multiplicative_weights):
        *_, together = islice(learner(game, stacked, 0.1), 30)
        for k, start in enumerate(starts):
            *_, alone = islice(learner(game, start, 0.1), 30)
            for a, b in zip(together, alone, strict=True):
                np.testing.assert_allclose(a[k], b)


def test_one_multiplication_by_hand():
    # Against (1/4, 3/4) heads pays player 1 -1/2 and tails 1/2; player 2 finds (1/2, 1/2), and nothing to gain.
    start = ([0.5, 0.5], [0.25, 0.75])
    _, (one, two) = islice(multiplicative_weights(matching_pennies(), start, 2.0), 2)
    assert one == pytest.approx(np.array([np.exp(-1), np.e]) / (np.exp(-1) + np.e))
    assert two == pytest.approx([0.25, 0.75])


def test_small_steps_are_the_replicator():
    start = ([0.6, 0.3, 0.1], [0.2, 0.3, 0.5])
    *_, fine = islice(multiplicative_weights(SHAPLEY, start, 1e-3), 1001)
    *_, exact = islice(replicator(SHAPLEY, start, 0.1), 11)
    assert np.array(fine) == pytest.approx(np.array(exact), abs=1e-3)


def test_steps_of_a_size_spiral_outwards_and_optimism_turns_inwards():
    start = ([0.4, 0.3, 0.3], [0.3, 0.3, 0.4])
    rps = rock_paper_scissors()
    plain = list(islice(multiplicative_weights(rps, start, 0.3), 1001))
    hopeful = list(islice(multiplicative_weights(rps, start, 0.3, optimism=1), 1001))
    nearest = [min(pi.min() for pi in plain[t]) for t in (0, 100, 300)]
    assert nearest[0] > 2 * nearest[1] > 20 * nearest[2]
    assert nash_conv(rps, hopeful[-1]) < 1e-4 < 1 < nash_conv(rps, plain[-1])


# -- what was played ------------------------------------------------------------------------------------------------


@given(st.lists(st.integers(0, 2), min_size=1, max_size=40))
def test_run_lengths_are_those_of_groups(actions):
    assert run_lengths(actions).tolist() == [len(list(group)) for _, group in itertools.groupby(actions)]


def test_a_run_ends_when_anybody_moves():
    assert run_lengths([[0, 1], [0, 1], [0, 2], [1, 2], [1, 2]]).tolist() == [2, 1, 2]


def test_averages_frequencies_and_regrets_by_hand():
    played = np.array([[0, 1], [0, 2], [2, 2], [0, 1]])
    one, two = averages(SHAPLEY, played)
    assert one.tolist() == [[1, 0, 0], [1, 0, 0], [2 / 3, 0, 1 / 3], [0.75, 0, 0.25]]
    assert two[-1].tolist() == [0, 0.5, 0.5]
    expected = np.zeros((3, 3))
    expected[0, 1], expected[0, 2], expected[2, 2] = 0.5, 0.25, 0.25
    np.testing.assert_array_equal(joint_frequencies(SHAPLEY, played), expected)
    # Player 1 was paid 1, 0, 0, 1; always action 0 pays 2 in all, action 1 2 as well, action 2 nothing.
    assert average_regrets(SHAPLEY, played)[0][-1] == pytest.approx([0, 0, -0.5])
    # Player 2 was paid 0, 1, 0, 0; against 0, 0, 2, 0 action 0 pays 0, action 1 1, action 2 3.
    assert average_regrets(SHAPLEY, played)[1][-1] == pytest.approx([-0.25, 0, 0.5])


def _next(learner):
    return lambda: next(learner)


RPS = rock_paper_scissors()
SURE = [[1.0, 0, 0]] * 2


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (_next(fictitious_play(RPS, (0, 3))), "start[1] is 3, but player 1 has 3 actions"),
        (_next(fictitious_play(RPS, (0, 0, 0))), "start must be int[..., 2]"),
        (_next(fictitious_play(RPS, (0.0, 1.0))), "start must be int[..., 2]"),
        (_next(regret_matching(RPS, np.random.default_rng(), 0)), "runs is 0"),
        (_next(replicator(RPS, [[1.0, 0, 0]], 0.1)), "start holds 1, but the game has 2 players"),
        (_next(replicator(RPS, [[1.0, 0, 0], [1.0, 0]], 0.1)), "start[1] has shape (2,), but (3,) was expected"),
        (_next(replicator(RPS, [[0.5, 0, 0], [1.0, 0, 0]], 0.1)), "start[0] sums to 0.5"),
        (_next(replicator(RPS, SURE, 0)), "dt is 0, but it must be above 0"),
        (_next(multiplicative_weights(RPS, SURE, -1)), "step is -1.0"),
        (_next(multiplicative_weights(RPS, SURE, 1, np.nan)), "optimism is nan"),
        (lambda: averages(RPS, [[0, -1]]), "actions[0, 1] is -1"),
        (lambda: exploitability_of_averages(RPS, [[0, 0]], 2), "at holds 2, but only 1 rounds were played"),
        (lambda: exploitability_of_averages(RPS, [[0, 0]], [0]), "at[0] is 0"),
        (lambda: joint_frequencies(RPS, [[[0, 0]]]), "actions has shape (1, 1, 2), but (T, 2) was expected"),
        (lambda: run_lengths([]), "actions has shape (0,)"),
    ],
)
def test_the_door(call, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        call()
