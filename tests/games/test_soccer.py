"""Littman's soccer: the rules move by move, the exact solution against its published numbers, and matches against simulation."""

import numpy as np
import pytest
from scipy.optimize import linprog
from scipy.stats import binom

from rlkit.games.shapley import exploitability, markov_best_response, solve_zero_sum, worst_case
from rlkit.games.soccer import (
    ACTIONS,
    COLUMNS,
    KICK_OFF,
    POSITIONS,
    ROWS,
    as_b,
    match,
    mirror,
    played,
    played_match,
    position_of,
    soccer,
    state_of,
)
from rlkit.games.worlds import keeper

N, S, E, W, STAND = range(5)
A, B = 0, 1


@pytest.fixture(scope="module")
def game():
    return soccer()


@pytest.fixture(scope="module")
def solution(game):
    return solve_zero_sum(game)


@pytest.fixture(scope="module")
def players(game, solution):
    """A's policies: minimax, at random, and the best answer to the latter, which the fact sheet calls ideal QR."""
    random = np.full((760, 5), 1 / 5)
    _, ideal = markov_best_response(game, A, [None, random])
    return {"minimax": solution.x, "random": random, "ideal QR": ideal}


def outcomes(game, position, a, o):
    """Return what can follow, {(cell of A, cell of B, owner): probability}, and what A is paid on average."""
    s = state_of(*position)
    row = game.P[[s * 25 + a * 5 + o]].tocoo()
    return {position_of(t): p for t, p in zip(row.coords[1], row.data, strict=True)}, game.R[A, s, a, o]


KICK_OFFS = {(*KICK_OFF, A): 0.5, (*KICK_OFF, B): 0.5}


# -- the rules -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("position", "a", "o", "follows", "paid"),
    [
        # Free moves, in four directions, and standing.
        (((1, 3), (2, 1), A), N, S, {((0, 3), (3, 1), A): 1}, 0),
        (((1, 3), (2, 1), B), E, W, {((1, 4), (2, 0), B): 1}, 0),
        (((1, 3), (2, 1), A), STAND, STAND, {((1, 3), (2, 1), A): 1}, 0),
        # Off the board, at each edge. A player without the ball does not walk into the goal either.
        (((0, 3), (3, 1), A), N, S, {((0, 3), (3, 1), A): 1}, 0),
        (((1, 0), (2, 4), B), W, STAND, {((1, 0), (2, 4), B): 1}, 0),
        # With the ball, off the board beside the goal.
        (((0, 0), (2, 4), A), W, STAND, {((0, 0), (2, 4), A): 1}, 0),
        (((3, 0), (2, 4), A), W, STAND, {((3, 0), (2, 4), A): 1}, 0),
        # Into the standing one: the ball is the other's, whoever had it.
        (((1, 2), (1, 1), A), W, STAND, {((1, 2), (1, 1), B): 1}, 0),
        (((1, 2), (1, 1), B), W, STAND, {((1, 2), (1, 1), B): 1}, 0),
        (((1, 2), (1, 1), A), STAND, E, {((1, 2), (1, 1), A): 1}, 0),
        (((1, 2), (1, 1), B), STAND, E, {((1, 2), (1, 1), A): 1}, 0),
        # Into each other: the first loses the ball to the second, and then the second to the first.
        (((1, 2), (1, 1), A), W, E, {((1, 2), (1, 1), A): 0.5, ((1, 2), (1, 1), B): 0.5}, 0),
        # Both into the same square: the first is there, the second runs into it.
        (((1, 2), (1, 0), A), W, E, {((1, 1), (1, 0), A): 0.5, ((1, 2), (1, 1), B): 0.5}, 0),
        (((1, 2), (1, 0), B), W, E, {((1, 1), (1, 0), A): 0.5, ((1, 2), (1, 1), B): 0.5}, 0),
        # After the other one, who leaves: only if it goes first.
        (((1, 2), (1, 1), A), W, W, {((1, 1), (1, 0), A): 0.5, ((1, 2), (1, 0), B): 0.5}, 0),
        # Goals, from both middle rows, and for whom.
        (((1, 0), (2, 4), A), W, STAND, KICK_OFFS, 1),
        (((2, 0), (1, 4), A), W, STAND, KICK_OFFS, 1),
        (((1, 0), (2, 4), B), STAND, E, KICK_OFFS, -1),
        (((1, 0), (1, 4), B), STAND, E, KICK_OFFS, -1),
        # No own goals.
        (((1, 4), (2, 2), A), E, STAND, {((1, 4), (2, 2), A): 1}, 0),
        (((1, 4), (2, 0), B), STAND, W, {((1, 4), (2, 0), B): 1}, 0),
        # Who moves first decides: A bumps into the edge, and then B into A; or B loses the ball first, and A scores with it.
        (((1, 0), (1, 1), B), W, W, {((1, 0), (1, 1), A): 0.5} | {k: 0.25 for k in KICK_OFFS}, 0.5),
        # The same on the other side: A runs into B first, and B scores; or B goes nowhere without the ball, and then has it.
        (((1, 3), (1, 4), A), E, E, {((1, 3), (1, 4), B): 0.5} | {k: 0.25 for k in KICK_OFFS}, -0.5),
    ],
)
def test_the_rules_move_by_move(game, position, a, o, follows, paid):
    found, reward = outcomes(game, position, a, o)
    assert found == pytest.approx(follows) and reward == paid
    assert game.R[B, state_of(*position), a, o] == -paid


def test_the_board_and_the_kick_off(game):
    assert (game.n_states, game.n_actions, ROWS, COLUMNS) == (760, (5, 5), 4, 5) == (20 * 19 * 2, (5, 5), 4, 5)
    assert game.P.shape == (19_000, 760) and not game.dense and not game.terminal.any()
    assert {position_of(s): p for s, p in enumerate(game.start) if p} == KICK_OFFS
    assert KICK_OFF == ((1, 3), (2, 1)), "row 2, column 4 and row 3, column 2"
    assert game.action_names == (ACTIONS, ACTIONS) and game.gamma == 0.9
    assert [state_of(*position_of(s)) for s in range(760)] == list(range(760))
    assert len(set(game.state_names)) == 760 and game.state_names[state_of((1, 3), (2, 1), B)] == "A 1,3 B 2,1 ball B"


def test_half_a_turn_of_the_board_changes_the_players(game):
    """P and R are the same when both players, the board and every move are turned; and it is the state again when done twice."""
    turned = mirror()
    np.testing.assert_array_equal(turned[turned], np.arange(760))
    assert turned[state_of((1, 2), (1, 1), A)] == state_of((2, 3), (2, 2), B)
    moves = np.array([S, N, W, E, STAND])
    s, a, o = (index.ravel() for index in np.indices((760, 5, 5)))
    other = game.P[turned[s] * 25 + moves[o] * 5 + moves[a]][:, turned]
    assert abs(other - game.P).max() == 0
    np.testing.assert_array_equal(game.R[A][turned[s], moves[o], moves[a]], game.R[B][s, a, o])


def test_a_policy_of_a_from_the_other_side(game, players):
    rng = np.random.default_rng(1)
    pi, rho = rng.dirichlet(np.ones(5), (2, 760))
    np.testing.assert_array_equal(as_b(as_b(pi)), pi)
    np.testing.assert_array_equal(as_b(np.stack([pi, rho])), [as_b(pi), as_b(rho)])
    assert as_b(pi)[state_of((2, 3), (2, 2), B), N] == pi[state_of((1, 2), (1, 1), A), S]
    one, other = match(game, [pi, rho]), match(game, [as_b(rho), as_b(pi)])
    assert other == pytest.approx((one.decisive, 1 - one.won))
    assert worst_case(game, B, as_b(players["ideal QR"])) == pytest.approx(worst_case(game, A, players["ideal QR"]))


# -- the exact solution --------------------------------------------------------------------------------------------------


def test_the_value_of_the_ball_at_kick_off(game, solution):
    kick_off = [state_of(*KICK_OFF, owner) for owner in (A, B)]
    assert solution.V[kick_off] == pytest.approx([0.2185, -0.2185], abs=1e-4)
    assert solution.V @ game.start == pytest.approx(0, abs=1e-9)
    np.testing.assert_allclose(solution.V[mirror()], -solution.V, atol=1e-9)


def stage_games(game, V):
    return game.R[A] + 0.9 * game.expected_next(V)


def test_56_states_have_no_saddle_point(game, solution):
    Q = stage_games(game, solution.V)
    mixed = Q.min(axis=2).max(axis=1) < Q.max(axis=1).min(axis=1) - 1e-9
    assert mixed.sum() == 56
    pure = [(pi == 1).any(axis=1) for pi in (solution.x, solution.y)]
    np.testing.assert_array_equal(pure, [~mixed, ~mixed])
    # Always the one without the ball stands in the middle rows; the other one may be anywhere.
    without = {position[1 - position[2]][0] for position, needs in zip(POSITIONS, mixed, strict=True) if needs}
    with_ball = {position[position[2]][0] for position, needs in zip(POSITIONS, mixed, strict=True) if needs}
    assert without == {1, 2} and with_ball == {0, 1, 2, 3}
    assert not mixed[np.flatnonzero(game.start)].any(), "kick-off itself is pure"


@pytest.mark.parametrize(
    ("a", "b", "aside", "stand", "value"), [((1, 2), (1, 1), 0.651, 0.349, 0.243), ((1, 1), (1, 0), 0.5, 0.5, 0.315)]
)
def test_round_the_one_in_the_way_or_stand(solution, a, b, aside, stand, value):
    for rows, move in (((1, 1), S), ((2, 2), N)):  # in either middle row, towards the other one
        s = state_of((rows[0], a[1]), (rows[1], b[1]), A)
        expected = np.zeros(5)
        expected[[move, STAND]] = aside, stand
        np.testing.assert_allclose(solution.x[s], expected, atol=6e-4)
        assert solution.V[s] == pytest.approx(value, abs=6e-4)


def test_in_front_of_the_goal_it_is_matching_pennies(solution):
    """Same row again: 0.9 V. Another row: W, what the free run is worth. So V = (0.9 V + W) / 2, and V = W / 1.1."""
    s = state_of((1, 1), (1, 0), A)
    free = 0.9 * solution.V[state_of((2, 1), (1, 0), A)]
    assert solution.V[s] == pytest.approx(free / 1.1, abs=1e-9)
    assert free == pytest.approx(0.9 * solution.V[state_of((1, 1), (2, 0), A)], abs=1e-9)


def test_every_stage_game_has_the_value_that_a_linear_program_finds(game, solution):
    """V is the fixed point: in 40 states, 20 of which need mixing, the stage game's value by HiGHS is V again."""
    Q = stage_games(game, solution.V)
    mixed = np.flatnonzero(solution.x.max(axis=1) < 1)
    for s in np.r_[mixed[::3], np.arange(0, 760, 37)]:
        found = linprog(
            [0] * 5 + [-1], np.c_[-Q[s].T, np.ones(5)], np.zeros(5), [[1] * 5 + [0]], [1], [(0, 1)] * 5 + [(-9, 9)]
        )
        assert -found.fun == pytest.approx(solution.V[s], abs=1e-8)


def test_neither_can_gain(game, solution):
    assert exploitability(game, [solution.x, solution.y]).max() < 1e-6


@pytest.mark.parametrize(("name", "value"), [("minimax", 0.0), ("random", -1.119), ("ideal QR", -0.811)])
def test_the_worst_case(game, players, name, value):
    assert worst_case(game, A, players[name]) == pytest.approx(value, abs=6e-4)
    assert worst_case(game, B, as_b(players[name])) == pytest.approx(value, abs=6e-4)


# Minimax policies are not unique (a state may have many saddle points), and what they win depends on which it is, but not
# what they are sure of: so the rows that they are in have a wider margin, of issue and paper: 0.3 % and 150 games.
@pytest.mark.parametrize(
    ("one", "other", "games", "won", "margins"),
    [
        ("random", "random", 357, 50.0, (0.6, 1e-6)),
        ("ideal QR", "random", 10217, 99.27, (0.6, 0.006)),
        ("ideal QR", "its best response", 15750, 26.8, (0.6, 0.06)),
        ("minimax", "random", 6404, 98.97, (150, 0.3)),
        ("minimax", "minimax", 4813, 50.0, (150, 1e-6)),
        ("minimax", "its best response", 5001, 49.98, (150, 0.05)),
        ("ideal QR", "minimax", 10279, 22.7, (150, 0.3)),
    ],
)
def test_the_exact_table(game, players, one, other, games, won, margins):
    if other == "its best response":
        _, rho = markov_best_response(game, B, [players[one], None])
    else:
        rho = as_b(players[other])
    found = match(game, [players[one], rho])
    assert found.decisive == pytest.approx(games, abs=margins[0])
    assert 100 * found.won == pytest.approx(won, abs=margins[1])


# -- matches -------------------------------------------------------------------------------------------------------------


def test_a_match_of_one_player_who_runs_straight_by_hand(game):
    """A, with the ball in (1, 3), needs four steps W; B stands at (2, 1) for ever. If B has the ball, nothing happens.

    With draws of 0.1: a game of A's ball is decided with probability 0.9^4, and takes 1 + 0.9 + 0.81 + 0.729 steps on average;
    one of B's ball takes ten.
    """
    run, stand = np.tile(np.eye(5)[W], (760, 1)), np.tile(np.eye(5)[STAND], (760, 1))
    steps = (3.439 + 10) / 2
    assert match(game, [run, stand]) == pytest.approx((100_000 / steps * 0.9**4 / 2, 1.0))
    assert match(game, [run, stand], draw=0.5, steps=10) == pytest.approx((10 / 1.9375 * 0.5**4 / 2, 1.0))
    assert np.isnan(match(game, [stand, stand]).won) and match(game, [stand, stand]).decisive == 0


@pytest.mark.parametrize("seed", range(3))
def test_the_match_that_is_played_is_the_match_that_is_computed(game, seed):
    """For policies drawn at random, but with a taste for running to the goal. Each check fails one time in a million at most.

    The length of a game spreads by less than its mean. So the variance of the number of goals is below (1/2 + p)^2 a game, if p
    is the share of games with a goal: less than 4 times its mean, if p is above 0.1. Given their number, A's are binomial.
    """
    rng = np.random.default_rng(seed)
    steps = 200_000
    policies = [0.5 * np.eye(5)[np.full(760, move)] + 0.5 * rng.dirichlet(np.ones(5), 760) for move in (W, E)]
    exact = match(game, policies, steps=steps)
    won = played_match(game, policies, rng, steps=steps)
    assert abs(sum(won) - exact.decisive) < 4.9 * np.sqrt(4 * exact.decisive)
    low, high = binom.interval(1 - 1e-6, sum(won), exact.won)
    assert low <= won[0] <= high


def test_what_is_played_follows_p(game):
    """5,000 plays of a pair of moves; every share is within 4.9 standard deviations, which fails one time in 100,000 at most."""
    rng, s = np.random.default_rng(3), state_of((1, 0), (1, 1), B)
    seen = [played(s, W, E, rng) for _ in range(5_000)]
    goals = {goal for _, goal in seen}
    counts = np.bincount([after for after, _ in seen], minlength=760) / 5_000
    p = game.P[[s * 25 + W * 5 + E]].toarray()[0]
    assert (abs(counts - p) <= 4.9 * np.sqrt(p * (1 - p) / 5_000)).all() and goals == {0}
    with_ball = state_of((1, 0), (1, 1), A)
    seen = [played(with_ball, W, W, rng) for _ in range(5_000)]
    scored = np.mean([goal for _, goal in seen])
    assert abs(scored - game.R[A, with_ball, W, W]) <= 4.9 * 0.5 / np.sqrt(5_000)
    for after, goal in seen:
        assert (after in np.flatnonzero(game.start)) == (goal == 1)
        assert goal or position_of(after) == ((1, 0), (1, 1), A) or position_of(after) == ((1, 0), (1, 1), B)


# -- at the door ---------------------------------------------------------------------------------------------------------


def test_what_is_no_soccer_is_refused(game):
    random = np.full((760, 5), 1 / 5)
    for a, b, owner in (
        ((1, 1), (1, 1), A),
        ((4, 0), (0, 0), A),
        ((0, 0), (0, 1), 2),
        (3, (0, 0), A),
        (None, None, None),
    ):
        with pytest.raises(ValueError, match="there is no state with A in"):
            state_of(a, b, owner)
    with pytest.raises(ValueError, match="s is 760, but there are 760 states"):
        position_of(760)
    with pytest.raises(ValueError, match="game must be soccer"):
        match(keeper(), [random, random])
    with pytest.raises(ValueError, match=r"policies\[1\] has shape"):
        match(game, [random, random[:, :4]])
    broken = np.array(random)
    broken[3] = 0
    with pytest.raises(ValueError, match=r"policies\[0\]\[3\] sums to 0"):
        played_match(game, [broken, random], np.random.default_rng(0))
    with pytest.raises(ValueError, match="one for A and one for B"):
        match(game, [random])
    with pytest.raises(ValueError, match="draw is 0"):
        match(game, [random, random], draw=0)
    with pytest.raises(ValueError, match=r"policy has shape \(5,\)"):
        as_b(np.ones(5) / 5)
    for s, a, o in ((760, 0, 0), (-1, 0, 0), (0, 5, 0), (0, 0, 5), (0, -1, 0)):
        with pytest.raises(ValueError, match="^(s|a|o) is "):
            played(s, a, o, np.random.default_rng(0))
