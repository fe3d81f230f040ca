"""Matrix games: the payoffs of the classics by hand, means by enumeration, and what is refused at the door."""

import itertools
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rlkit.games import MatrixGame, classics

EVERY = (
    classics.climbing,
    classics.penalty,
    classics.partially_stochastic_climbing,
    classics.stochastic_climbing,
    classics.coordination,
    classics.prisoners_dilemma,
    classics.stag_hunt,
    classics.chicken,
    classics.battle_of_the_sexes,
    classics.matching_pennies,
    classics.rock_paper_scissors,
)
THIRD = np.full(3, 1 / 3)


def best_cells(game):
    """The joint actions from which nobody gains by moving alone, by trying every move."""
    cells = set()
    for cell in itertools.product(*map(range, game.shape)):
        moves = [(i, (*cell[:i], b, *cell[i + 1 :])) for i in range(game.n_players) for b in range(game.shape[i])]
        if all(game.payoffs[(i, *cell)] >= game.payoffs[(i, *other)] for i, other in moves):
            cells.add(cell)
    return cells


@pytest.mark.parametrize(
    ("game", "cells"),
    [
        (classics.climbing(), {(0, 0), (1, 1)}),
        (classics.penalty(-100), {(0, 0), (1, 1), (2, 2)}),
        (classics.coordination(), {(0, 0), (1, 1)}),
        (classics.prisoners_dilemma(), {(1, 1)}),
        (classics.stag_hunt(), {(0, 0), (1, 1)}),
        (classics.chicken(), {(0, 1), (1, 0)}),
        (classics.battle_of_the_sexes(), {(0, 0), (1, 1)}),
        (classics.matching_pennies(), set()),
        (classics.rock_paper_scissors(), set()),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_pure_equilibria_of_the_classics(game, cells):
    assert best_cells(game) == cells


@pytest.mark.parametrize(
    ("game", "policies", "values"),
    [
        (classics.stag_hunt(), [[3 / 4, 1 / 4]] * 2, [3, 3]),
        (classics.chicken(), [[2 / 3, 1 / 3]] * 2, [14 / 3, 14 / 3]),
        (classics.battle_of_the_sexes(), [[2 / 3, 1 / 3], [1 / 3, 2 / 3]], [2 / 3, 2 / 3]),
        (classics.matching_pennies(), [[1 / 2, 1 / 2]] * 2, [0, 0]),
        (classics.rock_paper_scissors(), [THIRD, THIRD], [0, 0]),
    ],
)
def test_in_a_mixed_equilibrium_all_actions_are_worth_the_same(game, policies, values):
    assert game.value(policies) == pytest.approx(values)
    for i in (0, 1):
        assert game.action_values(i, policies) == pytest.approx(np.full(game.shape[i], values[i]))


def test_payoffs_of_single_cells():
    assert classics.prisoners_dilemma().payoffs[:, 0, 1].tolist() == [0, 5]  # the first alone cooperates
    assert classics.stag_hunt().payoffs[:, 0, 1].tolist() == [0, 3]
    assert classics.chicken().payoffs[:, 0, 1].tolist() == [2, 7]
    assert classics.battle_of_the_sexes().payoffs[:, 1, 1].tolist() == [1, 2]
    assert classics.matching_pennies().payoffs[:, 0, 0].tolist() == [1, -1]
    assert classics.rock_paper_scissors().payoffs[:, 1, 0].tolist() == [1, -1]  # paper beats rock
    assert classics.penalty(-7).payoffs[0].tolist() == [[10, 0, -7], [0, 2, 0], [-7, 0, 10]]


def test_against_a_partner_at_random_both_prefer_c_in_the_climbing_game_and_b_in_the_penalty_game():
    # (11 - 30 + 0) / 3 and so on, along the rows and down the columns
    game = classics.climbing()
    assert game.action_values(0, [THIRD, THIRD]) * 3 == pytest.approx([-19, -17, 5])
    assert game.action_values(1, [THIRD, THIRD]) * 3 == pytest.approx([-19, -23, 11])
    for i in (0, 1):
        assert classics.penalty(-100).action_values(i, [THIRD, THIRD]) * 3 == pytest.approx([-90, 2, -90])


@pytest.mark.parametrize("make", [classics.partially_stochastic_climbing, classics.stochastic_climbing])
def test_drawn_climbing_games_have_the_means_of_the_climbing_game(make):
    game = make()
    assert game.payoffs.tolist() == classics.climbing().payoffs.tolist()
    assert game.common


def test_draws_come_equally_often_and_the_same_for_both():
    rng = np.random.default_rng(0)
    paid = classics.stochastic_climbing().pay(np.full((20_000, 2), 1), rng)
    assert (paid[:, 0] == paid[:, 1]).all()
    assert set(np.unique(paid)) == {0, 14}
    assert (paid[:, 0] == 14).mean() == pytest.approx(0.5, abs=5 * 0.5 / np.sqrt(20_000))  # fails once in 1.7 million


@pytest.mark.parametrize("make", EVERY)
def test_who_is_a_team(make):
    game = make()
    teams = {"climbing", "penalty", "partially_stochastic_climbing", "stochastic_climbing", "coordination"}
    assert game.common is (make.__name__ in teams)
    assert all(len(names) == A for names, A in zip(game.actions, game.shape, strict=True))


def test_equal_means_are_no_team_if_the_draws_differ():
    draws = [[[[0.0]], [[2.0]]], [[[2.0]], [[0.0]]]]
    assert not MatrixGame([[[1.0]], [[1.0]]], draws=draws).common


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32), st.lists(st.integers(1, 3), min_size=1, max_size=4))
def test_means_against_enumeration(seed, shape):
    rng = np.random.default_rng(seed)
    n = len(shape)
    game = MatrixGame(rng.normal(size=(n, *shape)))
    pi = [rng.dirichlet(np.ones(A)) for A in shape]
    value, worth = np.zeros(n), [np.zeros(A) for A in shape]
    for cell in itertools.product(*map(range, shape)):
        p = np.prod([pi[i][a] for i, a in enumerate(cell)])
        value += p * game.payoffs[(slice(None), *cell)]
        for i, a in enumerate(cell):
            others = np.prod([pi[j][b] for j, b in enumerate(cell) if j != i])
            worth[i][a] += others * game.payoffs[(i, *cell)]
    assert game.value(pi) == pytest.approx(value)
    for i in range(n):
        assert game.action_values(i, pi) == pytest.approx(worth[i])
    joint = np.array(list(itertools.product(*map(range, shape))))
    assert game.pay(joint).tolist() == game.payoffs.reshape(n, -1).T.tolist()


def test_names_for_all_or_for_each():
    payoffs = np.zeros((2, 1, 2))
    assert MatrixGame(payoffs).actions == (("0",), ("0", "1"))
    assert MatrixGame(payoffs, (("go",), ("left", "right"))).actions == (("go",), ("left", "right"))
    assert MatrixGame(np.zeros((2, 2, 2)), ("l", "r")).actions == (("l", "r"), ("l", "r"))


def test_what_was_checked_stays_true():
    mine = np.zeros((2, 2, 2))
    game = MatrixGame(mine)
    mine[0, 0, 0] = 5
    assert game.payoffs[0, 0, 0] == 0
    with pytest.raises(ValueError, match="read-only"):
        game.payoffs[0, 0, 0] = 1


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: MatrixGame([1.0, 2.0]), "payoffs has shape (2,)"),
        (lambda: MatrixGame(np.zeros((3, 2, 2))), "payoffs has shape (3, 2, 2)"),
        (lambda: MatrixGame([[[np.nan]], [[0]]]), "payoffs[0, 0, 0] is nan"),
        (lambda: MatrixGame(np.zeros((2, 2, 2)), ("a",)), "actions of player 0 must be 2 names"),
        (lambda: MatrixGame(np.zeros((2, 2, 2)), (("a", "b"),)), "actions holds the names of 1 players"),
        (lambda: MatrixGame(np.zeros((2, 1, 1)), draws=np.ones((3, 2, 1, 1))), "the mean of the draws there is 1"),
        (lambda: MatrixGame(np.zeros((2, 1, 1)), draws=np.ones((2, 1, 1))), "(m, 2, 1, 1) was expected"),
        (lambda: classics.penalty(1), "k is 1"),
        (lambda: classics.penalty(-np.inf), "k is -inf"),
        (lambda: classics.climbing().pay([[0, 3]]), "joint[0, 1] is 3, but player 1 has 3 actions"),
        (lambda: classics.climbing().pay([[0, -1]]), "joint[0, 1] is -1"),
        (lambda: classics.climbing().pay([0.5, 1]), "joint must be int[..., 2]"),
        (lambda: classics.climbing().pay([0]), "joint must be int[..., 2]"),
        (lambda: classics.stochastic_climbing().pay([0, 0]), "the payoffs of this game are drawn"),
        (lambda: classics.climbing().action_values(2, [THIRD, THIRD]), "player is 2"),
        (lambda: classics.climbing().value([THIRD]), "policies holds 1"),
        (lambda: classics.climbing().value([THIRD, [1, 1, 1]]), "policies[1] sums to 3"),
    ],
)
def test_the_door(call, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        call()
