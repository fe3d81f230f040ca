"""The grid games: rules by hand, every exact value of the chapter, and equilibria that no deviation improves on."""

from dataclasses import replace
from itertools import islice, product

import numpy as np
import pytest

from rlkit.games.grid_games import (
    ACTIONS,
    CELLS,
    GOALS_1,
    STARTS,
    Equilibrium,
    cells_along,
    grid_game_1,
    grid_game_2,
    grid_state,
    largest_gain,
    shortest_pairs,
    start_equilibria,
)
from rlkit.games.markov import joint_policy_values
from rlkit.games.shapley import exploitability, joint_action_values
from rlkit.games.stage import nash_value_iteration

UP, RIGHT, DOWN, LEFT = range(4)
ONE, TWO = grid_game_1(), grid_game_2()


def after(game, one, other, a, b):
    """Return {name of the next state: probability}, and what both are paid."""
    s = grid_state(game, one, other)
    to = game.P[s, a, b]
    return {game.state_names[k]: to[k] for k in np.flatnonzero(to)}, game.R[:, s, a, b].tolist()


def test_the_states():
    assert ONE.n_states == 58 and TWO.n_states == 57
    for game in (ONE, TWO):
        assert game.state_names[int(game.start.argmax())] == "(2, 0), (2, 2)" and game.start.max() == 1
        assert game.terminal.sum() == 1 and game.gamma == 0.99 and game.action_names == (ACTIONS, ACTIONS)


def test_moves_by_hand():
    assert after(ONE, (2, 0), (2, 2), UP, UP) == ({"(1, 0), (1, 2)": 1}, [0, 0])
    assert after(ONE, (2, 0), (2, 2), RIGHT, LEFT) == ({"(2, 0), (2, 2)": 1}, [-1, -1]), "both want to the same cell"
    assert after(ONE, (2, 0), (2, 2), LEFT, UP) == ({"(2, 0), (1, 2)": 1}, [0, 0]), "off the grid is no move"
    assert after(ONE, (2, 0), (2, 1), LEFT, LEFT) == ({"(2, 0), (2, 1)": 1}, [-1, -1]), "into one who stays"
    assert after(ONE, (1, 0), (1, 1), RIGHT, LEFT) == ({"(1, 1), (1, 0)": 1}, [0, 0]), "they change places"
    assert after(ONE, (1, 0), (1, 1), RIGHT, UP) == ({"(1, 1), (0, 1)": 1}, [0, 0]), "into a cell that is left"


def test_goals_by_hand():
    assert after(ONE, (1, 2), (1, 0), UP, UP) == ({"end": 1}, [100, 100])
    assert after(ONE, (1, 2), (1, 0), UP, DOWN) == ({"end": 1}, [100, 0]), "the episode ends for both"
    assert after(ONE, (1, 2), (0, 1), UP, RIGHT) == ({"(1, 2), (0, 1)": 1}, [-1, -1]), (
        "one's goal is a cell to the other"
    )
    assert after(TWO, (0, 0), (0, 2), RIGHT, LEFT) == ({"end": 1}, [100, 100]), "a goal of both takes both"
    assert after(TWO, (0, 0), (0, 2), RIGHT, UP) == ({"end": 1}, [100, 0])


def test_barriers_by_hand():
    both = {"(2, 0), (2, 2)": 0.25, "(1, 0), (2, 2)": 0.25, "(2, 0), (1, 2)": 0.25, "(1, 0), (1, 2)": 0.25}
    assert after(TWO, (2, 0), (2, 2), UP, UP) == (both, [0, 0])
    assert after(TWO, (2, 0), (2, 2), RIGHT, UP) == ({"(2, 1), (2, 2)": 0.5, "(2, 1), (1, 2)": 0.5}, [0, 0])
    assert after(TWO, (2, 2), (1, 1), UP, UP) == ({"end": 1}, [0, 100])
    # who fails stands still, and the other runs into it
    assert after(TWO, (2, 0), (2, 1), UP, LEFT) == ({"(2, 0), (2, 1)": 0.5, "(1, 0), (2, 0)": 0.5}, [-0.5, -0.5])


def test_mirrored_games_are_the_same():
    """Seen in a mirror, agent 1 is agent 2: states, moves and rewards of both change places."""
    turned = [UP, LEFT, DOWN, RIGHT]
    for game in (ONE, TWO):
        flip = lambda cell: (cell[0], 2 - cell[1])  # noqa: E731
        mirror = np.arange(game.n_states)
        for one, other in product(CELLS, CELLS):
            if f"{one}, {other}" in game.state_names:
                mirror[grid_state(game, one, other)] = grid_state(game, flip(other), flip(one))
        again = game.P[mirror][:, turned][:, :, turned][..., mirror].swapaxes(1, 2)
        np.testing.assert_array_equal(again, game.P)
        paid = game.R[::-1][:, mirror][:, :, turned][..., turned].swapaxes(2, 3)
        np.testing.assert_array_equal(paid, game.R)


def test_thirty_six_pairs_of_shortest_ways():
    pairs = shortest_pairs()
    assert len(pairs) == len(set(pairs)) == 36
    assert sum(not collide for *_, collide in pairs) == 10
    for one, other, collide in pairs:
        assert cells_along(STARTS[0], one)[-1] == GOALS_1[0] and cells_along(STARTS[1], other)[-1] == GOALS_1[1]
        s, total = int(ONE.start.argmax()), np.zeros(2)
        for t, (a, b) in enumerate(zip(one, other, strict=True)):
            here = (s, ACTIONS.index(a), ACTIONS.index(b))
            total += 0.99**t * ONE.R[(slice(None), *here)]
            s = int(ONE.P[here].argmax())
        assert (total > 97.02).all() == (not collide), (
            "played by the rules, who does not collide is there in four steps"
        )


def test_grid_game_1_is_worth_97_03():
    found = start_equilibria(ONE)
    s = int(ONE.start.argmax())
    assert [(e.policies[0][s].argmax(), e.policies[1][s].argmax()) for e in found] == [
        (UP, UP),
        (UP, LEFT),
        (RIGHT, UP),
    ]
    for e in found:
        np.testing.assert_allclose(e.V[:, s], 100 * 0.99**3, atol=1e-9)
        assert e.V[0, s] == pytest.approx(97.03, abs=0.005)
        np.testing.assert_allclose(exploitability(ONE, e.policies), 0, atol=1e-9)


def test_grid_game_2_has_three_equilibria():
    found = start_equilibria(TWO)
    s = int(TWO.start.argmax())
    values = np.array([e.V[:, s] for e in found])
    np.testing.assert_allclose(values[:2], [[49.005, 98.01], [98.01, 49.005]], atol=1e-9)
    np.testing.assert_allclose(values[2], 49.37, atol=0.005)
    assert len(found) == 3
    x, y = (pi[s] for pi in found[2].policies)
    assert x[RIGHT] == pytest.approx(0.9702, abs=5e-5) and x[RIGHT] == pytest.approx(y[LEFT], abs=1e-9)
    assert x[UP] + x[RIGHT] == pytest.approx(1)
    for e in found:
        assert largest_gain(TWO, e) < 1e-9
        np.testing.assert_allclose(joint_policy_values(TWO, e.policies), e.V, atol=1e-9)


def test_the_stage_game_of_grid_game_2():
    """The numbers of the fact sheet, in all three equilibria: only two cells depend on which one it is."""
    s = int(TWO.start.argmax())
    for e in start_equilibria(TWO):
        Q, V = joint_action_values(TWO, e.V)[:, s], e.V[:, s]
        np.testing.assert_allclose(Q[:, RIGHT, UP], [98.01, 49.005], atol=1e-9)
        np.testing.assert_allclose(Q[:, UP, LEFT], [49.005, 98.01], atol=1e-9)
        np.testing.assert_allclose(Q[:, RIGHT, LEFT], -1 + 0.99 * V, atol=1e-9)
        np.testing.assert_allclose(Q[:, UP, UP], 49.005 + 0.2475 * V, atol=1e-9)
    pure = joint_action_values(TWO, start_equilibria(TWO)[1].V)[:, s]
    np.testing.assert_allclose(pure[:, UP, UP], [73.26, 61.13], atol=0.005)
    np.testing.assert_allclose(pure[:, RIGHT, LEFT], [96.03, 47.51], atol=0.006)


def test_waiting_is_never_better_at_the_start():
    """Moves off the grid are moves here that the original has not: each is worse than some move that it has, or no better."""
    for game in (ONE, TWO):
        s = int(game.start.argmax())
        for e in start_equilibria(game):
            Q = joint_action_values(game, e.V)[:, s]
            ours, theirs = Q[0] @ e.policies[1][s], e.policies[0][s] @ Q[1]
            assert ours[[DOWN, LEFT]].max() < ours.max() - 0.4 and theirs[[DOWN, RIGHT]].max() < theirs.max() - 0.4


def test_a_spiteful_tie_is_an_equilibrium_too():
    """Of two shortest ways agent 2 takes the one in agent 1's way, at no cost to itself: worth (0, 97.03), from every state."""
    R = ONE.R.copy()
    R[1] -= 0.01 * np.maximum(ONE.R[0], 0)
    *_, (_, stage) = islice(nash_value_iteration(replace(ONE, R=R), "own", agent=1), 200)
    e = start_equilibria(ONE)[0]._replace(policies=(stage.x, stage.y), V=joint_policy_values(ONE, (stage.x, stage.y)))
    assert largest_gain(ONE, e) < 1e-9
    np.testing.assert_allclose(e.V @ ONE.start, [0, 97.0299], atol=1e-9)


def test_giving_way_to_whoever_is_through_is_an_equilibrium_too():
    """Both try the barrier; who would go through the middle instead finds the other there, if that one is through."""
    s = int(TWO.start.argmax())
    x, y = (pi.copy() for pi in start_equilibria(TWO)[0].policies)
    move = np.eye(4)
    x[s], y[s] = move[UP], move[UP]
    there, mirrored = grid_state(TWO, (2, 1), (1, 2)), grid_state(TWO, (1, 0), (2, 1))
    x[there], y[there] = move[DOWN], move[LEFT]
    x[mirrored], y[mirrored] = move[RIGHT], move[DOWN]
    e = Equilibrium(joint_policy_values(TWO, (x, y)), (x, y))
    assert largest_gain(TWO, e) < 1e-9
    np.testing.assert_allclose(e.V[:, s], 49.005 / (1 - 0.2475), atol=1e-9)
    assert e.V[0, s] == pytest.approx(65.12, abs=0.005)


def test_what_is_no_equilibrium_gains():
    e = start_equilibria(TWO)[2]
    x = e.policies[0].copy()
    s = int(TWO.start.argmax())
    x[s] = [0.04, 0.96, 0, 0]
    worse = e._replace(policies=(x, e.policies[1]), V=joint_policy_values(TWO, (x, e.policies[1])))
    assert largest_gain(TWO, worse) > 0.1


@pytest.mark.parametrize(("one", "other"), [((0, 0), (0, 0)), ((0, 2), (1, 1)), ((3, 0), (0, 0))])
def test_there_is_no_such_state(one, other):
    with pytest.raises(ValueError, match="there is no state"):
        grid_state(ONE, one, other)
