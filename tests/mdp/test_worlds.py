"""The lecture's worlds and the standard book's, against published and hand-computed figures."""

import dataclasses
from itertools import islice

import numpy as np
import pytest

from rlkit.mdp import evaluate_policy, greedy, policy_evaluation, random_policy, solve
from rlkit.mdp.worlds import (
    BANK,
    KINGS,
    add,
    cliff,
    dyna_maze,
    grid_world,
    guarded_gate,
    minimum_time_to_goal,
    mitchell,
    rectangle,
    river,
    teleports,
    two_chests,
    windy,
)

NONE = -np.inf


def test_mitchell_values_are_the_books():
    # Mitchell (1997), chapter 13: V* = 90 100 0 / 81 90 100.
    world = mitchell()
    np.testing.assert_allclose(world.on_grid(solve(world).V), [[90, 100, 0], [81, 90, 100]], atol=1e-9, rtol=0)


def test_mitchell_q_values_are_the_books():
    up_right_down_left = [
        [NONE, 90, 72.9, NONE],
        [NONE, 100, 81, 81],
        [0, 0, 0, 0],
        [81, 81, NONE, NONE],
        [90, 90, NONE, 72.9],
        [100, NONE, NONE, 81],
    ]
    np.testing.assert_allclose(solve(mitchell()).Q, up_right_down_left, atol=1e-9, rtol=0)


def test_mitchell_best_moves_share_where_two_are_best():
    pi = greedy(solve(mitchell()).Q)
    assert pi[3].tolist() == [0.5, 0.5, 0, 0]
    assert pi[4].tolist() == [0.5, 0.5, 0, 0]
    assert pi[0].tolist() == [0, 1, 0, 0]


def test_minimum_time_is_the_distance_to_the_nearer_exit():
    world = minimum_time_to_goal()
    distance = [[min(r + c, 6 - r - c) for c in range(4)] for r in range(4)]
    np.testing.assert_allclose(world.on_grid(solve(world).V), np.negative(distance), atol=1e-9)


def test_random_walk_table_of_the_standard_book():
    # Sutton and Barto (2018), figure 4.1; the book truncates: it prints -1.7 for -1.75.
    world = minimum_time_to_goal()
    walk = random_policy(world)
    exact = [[0, -14, -20, -22], [-14, -18, -20, -20], [-20, -20, -18, -14], [-22, -20, -14, 0]]
    np.testing.assert_allclose(world.on_grid(evaluate_policy(world, walk)), exact, atol=1e-9)
    sweeps = [world.on_grid(V) for V in islice(policy_evaluation(world, walk), 10)]
    np.testing.assert_allclose(sweeps[0][0], [0, -1, -1, -1])
    np.testing.assert_allclose(sweeps[1][0], [0, -1.75, -2, -2])
    np.testing.assert_allclose(sweeps[2][0], [0, -2.4, -2.9, -3.0], atol=0.05)
    np.testing.assert_allclose(sweeps[9][:2, :], [[0, -6.1, -8.4, -9.0], [-6.1, -7.7, -8.4, -8.4]], atol=0.05)


def test_teleports_random_policy_is_figure_3_2():
    printed = [
        [3.3, 8.8, 4.4, 5.3, 1.5],
        [1.5, 3.0, 2.3, 1.9, 0.5],
        [0.1, 0.7, 0.7, 0.4, -0.4],
        [-1.0, -0.4, -0.4, -0.6, -1.2],
        [-1.9, -1.3, -1.2, -1.4, -2.0],
    ]
    world = teleports()
    V = world.on_grid(evaluate_policy(world, random_policy(world)))
    np.testing.assert_allclose(V, printed, atol=0.0501)


def test_teleports_optimal_values_are_figure_3_5():
    printed = [
        [22.0, 24.4, 22.0, 19.4, 17.5],
        [19.8, 22.0, 19.8, 17.8, 16.0],
        [17.8, 19.8, 17.8, 16.0, 14.4],
        [16.0, 17.8, 16.0, 14.4, 13.0],
        [14.4, 16.0, 14.4, 13.0, 11.7],
    ]
    world = teleports()
    np.testing.assert_allclose(world.on_grid(solve(world).V), printed, atol=0.0501)


def along_row(world, path_row, off_path):
    """The cliff policy that walks along one row and takes ``off_path`` (a move) in rows above it."""
    up, right, down = 0, 1, 2
    policy = np.full(world.n_states, right)
    for s, (row, column) in enumerate(world.cells):
        if row > path_row:
            policy[s] = up
        if row < path_row:
            policy[s] = off_path
        if column == 11:
            policy[s] = down
    return policy


def test_cliff_paths_and_what_they_cost_under_slips():
    # Sutton and Barto (2018), example 6.6, computed exactly; epsilon = 0.1.
    world = cliff()
    begin = world.state((3, 0))
    assert solve(world).V[begin] == pytest.approx(-13)
    right, down = 1, 2
    for path_row, cost in (2, 13), (1, 15), (0, 17):
        assert evaluate_policy(world, along_row(world, path_row, down))[begin] == pytest.approx(-cost)

    def soft(policy):
        return evaluate_policy(world, 0.9 * np.eye(4)[policy] + 0.1 / 4)[begin]

    assert soft(along_row(world, 2, down)) == pytest.approx(-51.8, abs=0.05)
    assert soft(along_row(world, 2, right)) == pytest.approx(-45.8, abs=0.05)
    slippery = dataclasses.replace(
        world,
        P=0.9 * world.P + 0.1 * world.P.mean(axis=1, keepdims=True),
        R=0.9 * world.expected_reward + 0.1 * world.expected_reward.mean(axis=1, keepdims=True),
    )
    assert solve(slippery).V[begin] == pytest.approx(-20.7, abs=0.05)


@pytest.mark.parametrize(("moves", "shortest"), [(None, 15), (KINGS, 7), (KINGS | {"stay": (0, 0)}, 7)])
def test_windy_shortest_paths(moves, shortest):
    world = windy() if moves is None else windy(moves)
    assert solve(world).V @ world.start == pytest.approx(-shortest)


def test_dyna_maze_takes_fourteen_moves():
    world = dyna_maze()
    assert solve(world).V @ world.start == pytest.approx(0.95**13)
    assert world.n_states == 47


def test_two_chests_flip_where_the_formula_says():
    for cell in (1, 2, 3):
        flip = (10 / 80) ** (1 / (7 - 2 * cell))
        assert solve(two_chests(gamma=flip - 1e-6)).policy[cell] == 0
        assert solve(two_chests(gamma=flip + 1e-6)).policy[cell] == 1


def test_three_reward_functions_give_three_behaviours():
    delayed, timed = river("delayed", gamma=0.99), river("time")
    cautious, hasty = solve(delayed), solve(timed)
    up, right = 0, 1
    assert cautious.policy[delayed.state((2, 0))] == up, "around the rock"
    assert hasty.policy[timed.state((2, 0))] == right, "along the water"
    assert all(cautious.policy[delayed.state((2, c))] == up for c in (1, 2, 3)), "pushing against the rock"
    assert cautious.V @ delayed.start == pytest.approx(0.899, abs=5e-4)
    assert hasty.V @ timed.start == pytest.approx(-6.241, abs=5e-4)
    assert solve(guarded_gate(gamma=0.95)).V[-2:].tolist() == [0, 0]


def test_river_without_slips_takes_four_moves():
    assert solve(river("time", slip=0)).V @ river("time").start == pytest.approx(-4)
    assert {cell for cell in river("time").cells} == set(BANK)


def test_river_probabilities_and_rewards_by_hand():
    # From (2, 1) a move to the right arrives with 0.8; up is rock (stay) with 0.1; down is water with 0.1.
    world = river("delayed", slip=0.2)
    s, right = world.state((2, 1)), world.actions.index("right")
    assert world.P[s, right, world.state((2, 2))] == pytest.approx(0.8)
    assert world.P[s, right, s] == pytest.approx(0.1)
    assert world.P[s, right, world.state((3, 1))] == pytest.approx(0.1)
    assert world.expected_reward[s, right] == pytest.approx(-0.1)
    timed = river("time", slip=0.2)
    s = timed.state((2, 1))
    assert timed.P[s, right, timed.state((2, 0))] == pytest.approx(0.1), "the river carries you home"


def test_outcomes_that_coincide_add_up():
    # At H with slip, up and a slip to the left: left of H is off the grid, so two outcomes mean "stay".
    world = river("time", slip=0.4)
    s = world.state((0, 0))
    up = world.actions.index("up")
    assert world.P[s, up, s] == pytest.approx(0.8)
    assert world.R[s, up, s] == pytest.approx(-1)


def test_guard_catches_by_meeting_and_by_crossing():
    # You at (2, 3) next to the guard at the gate (2, 4): stepping onto the gate meets the guard, whatever it does.
    world = guarded_gate()
    s = world.states.index("you (2, 3), guard (2, 4)")
    onto = world.actions.index("anticlockwise")
    assert world.P[s, onto, world.states.index("lost")] == pytest.approx(1)
    assert world.expected_reward[s, onto] == pytest.approx(-1)
    # The gate is free when the guard stands elsewhere; a guard two cells away cannot reach it in time.
    s = world.states.index("you (2, 3), guard (2, 1)")
    assert world.P[s, onto, world.states.index("won")] == pytest.approx(1)


@pytest.mark.parametrize("slip", [-0.1, 1.1, float("nan"), "wet"])
def test_slip_is_checked(slip):
    with pytest.raises(ValueError, match="slip"):
        river("time", slip=slip)


def test_unknown_task_is_refused():
    with pytest.raises(ValueError, match="task is 'money'"):
        river("money")


def test_on_grid_leaves_walls_empty():
    grid = river("time").on_grid(np.arange(12.0))
    assert np.isnan(grid[1, 1:4]).all()
    assert grid[2, 4] == 11


def test_a_world_of_ones_own():
    cells = rectangle(2, 2)

    def outcomes(cell, move):
        to = add(cell, move)
        to = to if to in cells else cell
        return [(1.0, to, float(to == (0, 1)))]

    square = grid_world(cells, outcomes, gamma=0.9, exits=[(0, 1)])
    np.testing.assert_allclose(square.on_grid(solve(square).V), [[1, 0], [0.9, 1]])
    with pytest.raises(ValueError, match=r"there is no state at \(5, 5\)"):
        square.state((5, 5))


@pytest.mark.parametrize("outcome", [(1.0, (9, 9), 0.0), ((0, 0), 1.0, 0.0), (1.0, (0, 0)), 0.5])
def test_outcomes_of_the_wrong_form_are_named(outcome):
    with pytest.raises(ValueError, match="probability, next cell, reward"):
        grid_world(rectangle(1, 2), lambda cell, move: [outcome], gamma=0.9)
