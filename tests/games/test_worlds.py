"""The keeper's world: what is worked on paper on the page, and its rules. (Doors and repeated games: test_markov.)"""

import numpy as np
import pytest

from rlkit.games.markov import MarkovGame
from rlkit.games.shapley import (
    check_zero_sum,
    exploitability,
    joint_action_values,
    shapley_value_iteration,
    solve_zero_sum,
)
from rlkit.games.worlds import WATCHED, keeper

UP, RIGHT, DOWN, LEFT = range(4)
TOP, BOTTOM = range(2)
CELLS = {"(0, 0)": 0, "(0, 1)": 1, "(1, 0)": 2, "(1, 1)": 3, "(1, 2)": 4}
MIDDLE = CELLS["(1, 1)"]


def follows(game, cell, a, o):
    """Return where a robot is after its move, and what it is paid."""
    s = CELLS[cell]
    (to,) = np.flatnonzero(game.P[s, a, o])
    assert game.P[s, a, o, to] == 1
    return game.state_names[to], game.R[0, s, a, o]


@pytest.mark.parametrize(
    ("cell", "a", "watched", "to", "paid"),
    [
        ("(1, 1)", UP, TOP, "over", 0),
        ("(1, 1)", UP, BOTTOM, "(0, 1)", 0),
        ("(1, 1)", RIGHT, TOP, "(1, 2)", 0),
        ("(1, 1)", RIGHT, BOTTOM, "over", 0),
        ("(1, 1)", LEFT, TOP, "(1, 0)", 0),
        ("(1, 1)", DOWN, BOTTOM, "(1, 1)", 0),
        ("(0, 0)", RIGHT, TOP, "over", 0),
        ("(0, 0)", RIGHT, BOTTOM, "(0, 1)", 0),
        ("(0, 0)", UP, TOP, "(0, 0)", 0),
        ("(1, 0)", UP, TOP, "(0, 0)", 0),
        ("(0, 1)", RIGHT, TOP, "over", 100),
        ("(0, 1)", RIGHT, BOTTOM, "over", 100),
        ("(1, 2)", UP, TOP, "over", 60),
        ("(1, 2)", UP, BOTTOM, "over", 60),
        # Who is in a watched cell already and pushes against the wall is not caught: it does not step into it.
        ("(0, 1)", UP, TOP, "(0, 1)", 0),
        ("(1, 2)", RIGHT, BOTTOM, "(1, 2)", 0),
    ],
)
def test_the_rules(cell, a, watched, to, paid):
    assert follows(keeper(), cell, a, watched) == (to, paid)


def test_the_world_is_zero_sum_and_small():
    game = keeper()
    check_zero_sum(game)
    assert game.n_states == 6 and game.n_actions == (4, 2) and game.gamma == 0.9 and keeper(0.5).gamma == 0.5
    assert game.action_names == (("up", "right", "down", "left"), ("top", "bottom")) and tuple(WATCHED) == (
        "top",
        "bottom",
    )
    assert dict(zip(game.state_names, range(6), strict=True)) == CELLS | {"over": 5}
    assert game.start.tolist() == [0, 0, 1, 0, 0, 0] and game.terminal.tolist() == [False] * 5 + [True]


def test_it_is_solved_as_on_paper():
    """In the middle: up 0 or 90, right 54 or 0. So p = 54 / 144 = 3/8 and V = 90 * 3/8 = 33.75; the rest has saddle points."""
    game = keeper()
    V, x, y = solve_zero_sum(game)
    assert V == pytest.approx([0.81 * 33.75, 100, 0.9 * 33.75, 33.75, 60, 0], abs=1e-8)
    assert x[MIDDLE] == pytest.approx([3 / 8, 5 / 8, 0, 0]) and y[MIDDLE] == pytest.approx([5 / 8, 3 / 8])
    Q = joint_action_values(game, np.stack([V, -V]))
    assert Q[0, MIDDLE, [UP, RIGHT]].ravel() == pytest.approx([0, 90, 54, 0], abs=1e-8)
    pure = np.delete(np.arange(5), MIDDLE)
    assert (x[pure].max(axis=1) == 1).all() and (y[pure].max(axis=1) == 1).all(), "no other state needs a die"
    assert x[[0, 1, 2, 4]].argmax(axis=1).tolist() == [DOWN, RIGHT, RIGHT, UP] and y[0].tolist() == [1, 0]
    assert exploitability(game, [x, y]).max() < 1e-9


def test_the_sweeps_that_the_page_prints():
    sweeps = list(shapley_value_iteration(keeper()))
    expected = [
        [0, 100, 0, 0, 60, 0],
        [0, 100, 0, 33.75, 60, 0],
        [0, 100, 30.375, 33.75, 60, 0],
        [27.3375, 100, 30.375, 33.75, 60, 0],
        [27.3375, 100, 30.375, 33.75, 60, 0],
    ]
    np.testing.assert_allclose(sweeps, expected, atol=1e-9)


def test_with_a_richer_goal_the_robot_goes_there_less_often():
    """Exercise 7.10: with 180 in place of 100, p = 54 / (54 + 162) = 1/4."""
    game = keeper()
    R = np.where(abs(game.R) == 100, 1.8 * game.R, game.R)
    V, x, y = solve_zero_sum(MarkovGame(game.P, R, game.gamma, game.start, game.terminal))
    assert x[MIDDLE, UP] == pytest.approx(1 / 4) and y[MIDDLE, TOP] == pytest.approx(3 / 4)
    assert V[MIDDLE] == pytest.approx(40.5)
