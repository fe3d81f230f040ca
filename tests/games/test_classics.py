"""The classics that came with chapter 7: payoffs by hand, and what is known of them."""

import itertools

import numpy as np
import pytest

from rlkit.games import classics
from rlkit.games.equilibria import nash_conv
from rlkit.games.zero_sum import zero_sum


def test_rock_beats_scissors_for_two():
    A, B = classics.weighted_rock_paper_scissors().payoffs
    assert A.tolist() == [[0, -1, 2], [1, 0, -1], [-2, 1, 0]]
    assert (A == -B).all()
    assert (A == B.T).all()  # the same game for both
    assert classics.weighted_rock_paper_scissors().actions[1] == ("rock", "paper", "scissors")


def test_shapleys_game():
    game = classics.shapley()
    assert game.payoffs.tolist() == [[[0, 1, 0], [0, 0, 1], [1, 0, 0]], [[0, 0, 1], [1, 0, 0], [0, 1, 0]]]
    # Nobody is paid on the diagonal, and elsewhere exactly one player.
    assert (game.payoffs.sum(axis=0) == 1 - np.eye(3)).all()


def test_kuhn_poker_is_worth_minus_an_18th_to_the_first_player():
    game = classics.kuhn_poker()
    assert game.shape == (27, 64)
    assert zero_sum(game.payoffs[0]).value == pytest.approx(-1 / 18, abs=1e-9)
    assert (game.payoffs[0] == -game.payoffs[1]).all()


def test_kuhn_poker_of_two_who_do_anything_with_equal_probability():
    # The first bets half of the time, and otherwise folds or calls equally often: by card 1/4, 1/4, 1/2. Half of the sum of
    # both gains is 0.458, as OpenSpiel has it.
    card = np.array([1 / 4, 1 / 4, 1 / 2])
    first = np.einsum("a,b,c->abc", card, card, card).ravel()
    assert nash_conv(classics.kuhn_poker(), (first, np.full(64, 1 / 64))) / 2 == pytest.approx(0.4583, abs=1e-4)


def played(deal, first, second):
    """Play one deal of Kuhn's poker move by move: what the first player wins."""
    mine, yours = first[deal[0]], second[deal[1]]
    higher = 1 if deal[0] > deal[1] else -1
    if mine == "b":
        return 2 * higher if yours[1] == "c" else 1
    if yours[0] == "k":
        return higher
    return 2 * higher if mine == "c" else -1


def test_kuhn_poker_move_by_move():
    game = classics.kuhn_poker()
    rng = np.random.default_rng(0)
    for i, j in zip(rng.integers(27, size=60), rng.integers(64, size=60), strict=True):
        plans = game.actions[0][i].split(), game.actions[1][j].split()
        mean = np.mean([played(deal, *plans) for deal in itertools.permutations(range(3), 2)])
        assert game.payoffs[0, i, j] == pytest.approx(mean)
