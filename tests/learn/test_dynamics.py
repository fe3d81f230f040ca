"""Paths on the square: known motions, slopes by finite differences, and learners that play beside their expectation."""

import re

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from rlkit.games import classics as games
from rlkit.learn.dynamics import (
    boltzmann_field,
    first_action_advantage,
    gradient_field,
    learning_path,
    sampled_path,
    wolf_field,
)

SQUARES = [
    games.matching_pennies(),
    games.stag_hunt(),
    games.prisoners_dilemma(),
    games.battle_of_the_sexes(),
    games.chicken(),
    games.coordination(),
]


@pytest.mark.parametrize("game", SQUARES, ids=lambda game: game.name)
def test_the_advantage_is_the_slope_of_the_payoff(game):
    rng, h = np.random.default_rng(0), 1e-3
    for x, y in rng.uniform(0.1, 0.9, (5, 2)):
        value = lambda x, y: game.value([[x, 1 - x], [y, 1 - y]])  # noqa: E731
        slope = [(value(x + h, y) - value(x - h, y))[0] / (2 * h), (value(x, y + h) - value(x, y - h))[1] / (2 * h)]
        assert first_action_advantage(game, [x, y]) == pytest.approx(slope, abs=1e-8)


def test_gradient_ascent_circles_the_middle_of_matching_pennies():
    """Singh, Kearns and Mansour 2000: with imaginary eigenvalues the distance from the centre is a constant of motion."""
    path = learning_path(gradient_field(games.matching_pennies()), [0.8, 0.5], time=10)
    assert np.hypot(*(path - 0.5).T) == pytest.approx(np.full(1001, 0.3), abs=1e-7)
    turn = np.unwrap(np.arctan2(*(path - 0.5).T[::-1]))
    assert turn[-1] - turn[0] == pytest.approx(-40, abs=1e-5)  # x' = 4 (y - 1/2), y' = -4 (x - 1/2)


def test_win_or_learn_fast_comes_to_rest_and_its_share_of_the_way_is_known():
    """Bowling and Veloso 2002: a quarter of a turn is part of an ellipse, and shrinks the distance by sqrt(slow)."""
    game, start = games.matching_pennies(), [0.8, 0.5]
    path = learning_path(wolf_field(game, [0.5, 0.5], slow=0.25), start, time=4, step=0.001)
    rest = path - 0.5
    crossing = np.flatnonzero((rest[1:-1, 1] > 0) & (rest[2:, 1] <= 0) & (rest[1:-1, 0] > 0)) + 2
    assert rest[crossing[0], 0] == pytest.approx(0.3 * 0.25**2, abs=1e-4)
    same = learning_path(wolf_field(game, [0.5, 0.5], slow=1), start, time=4)
    assert same == pytest.approx(learning_path(gradient_field(game), start, time=4))


@pytest.mark.parametrize("game", SQUARES, ids=lambda game: game.name)
def test_boltzmann_paths_are_those_of_two_pairs_of_values(game):
    """The law of the policies, against the four values that move to their means, by another solver."""
    T, start = 0.3, np.array([0.7, 0.35])

    def values_move(_, Q):
        pi = [np.exp(q / T) / np.exp(q / T).sum() for q in (Q[:2], Q[2:])]
        return np.r_[game.action_values(0, pi) - Q[:2], game.action_values(1, pi) - Q[2:]]

    Q0 = np.concatenate([[T * np.log(p / (1 - p)), 0] for p in start])
    exact = solve_ivp(values_move, (0, 3), Q0, rtol=1e-10, atol=1e-12).y[:, -1]
    expected = [1 / (1 + np.exp(-(q[0] - q[1]) / T)) for q in (exact[:2], exact[2:])]
    assert learning_path(boltzmann_field(game, T), start, time=3)[-1] == pytest.approx(expected, abs=1e-6)


def test_doubt_takes_the_stag_away_and_gradients_reach_it():
    start = [0.9, 0.7]
    assert learning_path(gradient_field(games.stag_hunt()), start, time=8)[-1] == pytest.approx([1, 1])
    field = boltzmann_field(games.stag_hunt(), 0.3)
    assert learning_path(field, start, time=8)[-1] == pytest.approx([0, 0], abs=0.01)
    # No point of rest near the stag: on the diagonal, where both are alike, everything moves away from it.
    p = np.linspace(0.5, 0.999, 500)
    assert (field(np.stack([p, p], axis=-1)) < 0).all()
    assert (boltzmann_field(games.stag_hunt(), 0.1)(np.stack([p, p], axis=-1)) > 0).any()


@pytest.mark.parametrize("game", SQUARES, ids=lambda game: game.name)
def test_gradient_paths_end_where_they_should(game):
    pure = {
        "stag hunt": [0, 0],
        "prisoner's dilemma": [0, 0],
        "battle of the sexes": [0, 0],
        "chicken": [0, 1],
        "coordination game": [0, 0],
    }
    path = learning_path(gradient_field(game), [0.3, 0.6], time=8)
    assert ((path >= 0) & (path <= 1)).all()
    if game.name in pure:
        assert path[-1].tolist() == pure[game.name]


def test_two_that_play_go_where_their_expectation_goes():
    game, start, T = games.battle_of_the_sexes(), [0.3, 0.6], 0.3
    end = learning_path(boltzmann_field(game, T), start, time=30)[-1]
    paths = [sampled_path(game, start, T, seed=s) for s in range(10)]
    assert all(path.shape == (101, 2) for path in paths)
    assert np.array([path[0] for path in paths]) == pytest.approx(np.tile(start, (10, 1)))
    # Chance takes one pair in ten to the other corner: the typical one counts.
    assert np.median([path[-1] for path in paths], axis=0) == pytest.approx(end, abs=0.05)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: first_action_advantage(games.climbing(), [0.5, 0.5]), "the game has the shape (3, 3)"),
        (lambda: wolf_field(games.chicken(), [2, 0]), "equilibrium[0] is 2"),
        (lambda: wolf_field(games.chicken(), [0, 0], slow=2), "slow is 2"),
        (lambda: boltzmann_field(games.chicken(), 0), "temperature is 0"),
        (lambda: learning_path(gradient_field(games.chicken()), [0, -1], time=1), "start[1] is -1"),
        (lambda: learning_path(gradient_field(games.chicken()), [0, 1], time=0), "time is 0"),
        (lambda: learning_path(gradient_field(games.chicken()), [0, 1], time=1, step=0), "step 0"),
        (lambda: sampled_path(games.chicken(), [0, 1], 1.0), "start is (0, 1)"),
        (lambda: sampled_path(games.climbing(), [0.5, 0.5], 1.0), "the game has the shape (3, 3)"),
    ],
)
def test_the_door(call, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        call()
