"""Markov games: what one agent sees, what one brain for all could do, and the worlds, against brute force and by hand."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from rlkit.games.classics import prisoners_dilemma, rock_paper_scissors
from rlkit.games.markov import MarkovGame, drift, joint_policy_values, long_run, marginals, seen_by, super_agent
from rlkit.games.worlds import GOAL, ROOM, door, door_state, repeated
from rlkit.mdp import evaluate_policy, solve
from rlkit.mdp.hidden import stationary

UP, RIGHT, DOWN, LEFT = range(4)


def random_game(rng, n, S, gamma=0.9):
    sizes = rng.integers(1, 4, n)
    P = rng.dirichlet(np.full(S, 0.5), (S, *sizes))
    return MarkovGame(P, rng.normal(size=(n, S, *sizes)), gamma)


def random_policies(rng, game, lead=()):
    return [rng.dirichlet(np.ones(A), (*lead, game.n_states)) for A in game.n_actions]


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 3), st.integers(1, 4))
def test_what_one_agent_sees_is_the_mean_over_the_others(seed, n, S):
    rng = np.random.default_rng(seed)
    game = random_game(rng, n, S)
    policies = random_policies(rng, game)
    for i in range(n):
        P, R = np.zeros((S, game.n_actions[i], S)), np.zeros((S, game.n_actions[i]))
        for s, *a in product(range(S), *map(range, game.n_actions)):
            p = np.prod([policies[j][s, a[j]] for j in range(n) if j != i])
            P[s, a[i]] += p * game.P[(s, *a)]
            R[s, a[i]] += p * game.R[(i, s, *a)]
        world = seen_by(game, i, [None if j == i else pi for j, pi in enumerate(policies)])
        np.testing.assert_allclose(world.P, P, atol=1e-12)
        np.testing.assert_allclose(world.expected_reward, R, atol=1e-12)
        # The value of its own policy there is its value in the game.
        V = joint_policy_values(game, policies)[i]
        np.testing.assert_allclose(evaluate_policy(world, policies[i]), V, atol=1e-9)


def test_many_policies_at_once_are_each_by_itself():
    rng = np.random.default_rng(1)
    game = random_game(rng, 3, 4)
    many = random_policies(rng, game, (2, 5))
    P, R = marginals(game, 1, many)
    V, pay = joint_policy_values(game, many), long_run(game, many)
    for k in np.ndindex(2, 5):
        one = [pi[k] for pi in many]
        world = seen_by(game, 1, one)
        np.testing.assert_allclose(P[k], world.P, atol=1e-12)
        np.testing.assert_allclose(R[k], world.R, atol=1e-12)
        np.testing.assert_allclose(V[k], joint_policy_values(game, one), atol=1e-10)
        np.testing.assert_allclose(pay[k], long_run(game, one), atol=1e-10)


def test_long_run_is_the_mean_over_the_stationary_distribution():
    rng = np.random.default_rng(2)
    game = random_game(rng, 2, 5)
    one, other = random_policies(rng, game)
    P = np.einsum("sabt,sa,sb->st", game.P, one, other)
    r = np.einsum("isab,sa,sb->is", game.R, one, other)
    np.testing.assert_allclose(long_run(game, [one, other]), r @ stationary(P), atol=1e-12)


def test_long_run_that_depends_on_the_start_is_refused():
    pd = repeated(prisoners_dilemma().payoffs, 0.9)
    tit_for_tat = np.array([[1.0, 0], [0, 1], [1, 0], [0, 1]])
    with pytest.raises(ValueError, match="depends on the state in which the game starts"):
        long_run(pd, [tit_for_tat[[0, 2, 1, 3]], tit_for_tat])


def test_drift_is_zero_only_where_the_partner_stays_the_same():
    game = door()
    even, up = np.full((26, 4), 0.25), np.tile(np.eye(4)[UP], (26, 1))
    for part in drift(game, 0, [None, even], [None, even]):
        assert (part == 0).all()
    s = door_state((0, 1), (1, 2))  # the other stands below the goal: up is its push
    P, R = drift(game, 0, [None, even], [None, up])
    assert P[s, RIGHT] == 0.75 and R[s, RIGHT] == 75 and P[25].max() == 0


# -- a sparse P --------------------------------------------------------------------------------------------------------


def pair_of_games(seed, n):
    """Return one game twice, with a P that is an array and one that is sparse, both mostly zeros, and with a terminal state."""
    rng = np.random.default_rng(seed)
    S, sizes = int(rng.integers(2, 5)), tuple(rng.integers(1, 4, n))
    P = rng.dirichlet(np.full(S, 0.2), (S, *sizes)) * (rng.random((S, *sizes, S)) < 0.7)
    P[..., 0] += 1 - P.sum(axis=-1)
    R = rng.normal(size=(n, S, *sizes))
    P[-1], R[:, -1] = np.eye(S)[-1], 0
    start, terminal = rng.dirichlet(np.ones(S)), np.arange(S) == S - 1
    return [MarkovGame(table, R, 0.9, start, terminal) for table in (P, sparse.csr_matrix(P.reshape(-1, S)))]


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 3))
def test_a_sparse_game_is_the_dense_one(seed, n):
    dense, thin = pair_of_games(seed, n)
    rng = np.random.default_rng(seed)
    assert (thin.n_agents, thin.n_states, thin.n_actions) == (n, dense.n_states, dense.n_actions)
    assert dense.dense and not thin.dense and thin.P.shape == dense.rows.shape
    np.testing.assert_allclose(thin.rows.toarray(), dense.rows, atol=1e-12)
    V = rng.normal(size=(2, 3, dense.n_states))
    for values in (V, V[0, 0]):
        expected = np.einsum("...t,sxt->...sx", values, dense.P.reshape(dense.n_states, -1, dense.n_states))
        for game in (dense, thin):
            got = game.expected_next(values)
            assert got.shape == (*values.shape, *dense.n_actions)
            np.testing.assert_allclose(got.reshape(expected.shape), expected, atol=1e-12)
    policies, others = random_policies(rng, dense), random_policies(rng, dense)
    np.testing.assert_allclose(joint_policy_values(thin, policies), joint_policy_values(dense, policies), atol=1e-9)
    for i in range(n):
        (P, R), (P_thin, R_thin) = (marginals(game, i, policies) for game in (dense, thin))
        np.testing.assert_allclose(P_thin.toarray(), P.reshape(P_thin.shape), atol=1e-12)
        np.testing.assert_array_equal(R_thin, R)
        for one, other in zip(drift(dense, i, policies, others), drift(thin, i, policies, others), strict=True):
            assert one.shape == other.shape == (dense.n_states, dense.n_actions[i])
            np.testing.assert_allclose(one, other, atol=1e-12)
        world, thin_world = (seen_by(game, i, policies) for game in (dense, thin))
        assert sparse.issparse(thin_world.P)
        np.testing.assert_allclose(solve(thin_world).V, solve(world).V, atol=1e-7)
        assert thin_world.terminal.tolist() == dense.terminal.tolist()
    one, all_as_one = (super_agent(game) for game in (dense, thin))
    assert sparse.issparse(all_as_one.P) and all_as_one.actions == one.actions
    np.testing.assert_allclose(all_as_one.P.toarray(), one.P.reshape(all_as_one.P.shape), atol=1e-12)
    np.testing.assert_array_equal(all_as_one.expected_reward, one.expected_reward)


def test_the_long_run_of_a_sparse_game():
    rng = np.random.default_rng(6)
    game = random_game(rng, 2, 4)
    policies = random_policies(rng, game)
    thin = MarkovGame(sparse.csr_array(game.rows), game.R, 0.9)
    np.testing.assert_allclose(long_run(thin, policies), long_run(game, policies), atol=1e-9)


def test_a_sparse_p_is_copied_and_scaled_and_keeps_no_zeros():
    table = sparse.coo_matrix(([0.5, 0.5 + 5e-10, 1, 0], ([0, 0, 1, 1], [0, 1, 1, 0])), shape=(2, 2))
    game = MarkovGame(table, np.zeros((1, 2, 1)), 0.9)
    table.data[:] = 7
    assert game.P.nnz == 3 and abs(game.P.sum(axis=1) - 1).max() <= 1e-15
    with pytest.raises(ValueError, match="read-only"):
        game.P.data[0] = 1
    with pytest.raises(ValueError, match="read-only"):
        game.R[0] = 1


@pytest.mark.parametrize(
    ("P", "changes", "says"),
    [
        (np.full((12, 2), 0.5), {"R": np.zeros((2, 2, 3))}, r"R has shape \(2, 2, 3\), but \[n, S, A_1, ..., A_n\]"),
        (np.full((4, 2), 0.5), {}, r"P is sparse with shape \(4, 2\), but \(12, 2\) was expected, \[S \* A_1"),
        (np.full((12, 2), 0.4), {}, r"P\[0, 0\] sums to 0.8"),
        (np.tile([1.5, -0.5], (12, 1)), {}, r"P\[0, 0, 1\] is -0.5, but a transition probability"),
        (np.tile([np.nan, 1], (12, 1)), {}, "is nan, but a transition probability"),
        (np.full((12, 2), 0.5), {"R": np.full((2, 2, 2, 3), np.nan)}, r"R\[0, 0, 0, 0\] is nan"),
        (
            np.full((12, 2), 0.5),
            {"terminal": [True, False]},
            "state 0 is terminal, but not every joint action leads back",
        ),
    ],
)
def test_bad_sparse_games_are_refused(P, changes, says):
    with pytest.raises(ValueError, match=says):
        MarkovGame(**{"P": sparse.csr_array(P), "R": np.zeros((2, 2, 2, 3)), "gamma": 0.9} | changes)


def test_many_policies_at_once_need_a_dense_p_and_values_the_right_number_of_states():
    dense, thin = pair_of_games(5, 2)
    many = random_policies(np.random.default_rng(0), dense, (3,))
    assert joint_policy_values(dense, many).shape == (3, 2, dense.n_states)
    for asked in (lambda: marginals(thin, 0, many), lambda: joint_policy_values(thin, many)):
        with pytest.raises(ValueError, match="a game with a sparse P takes one policy for each agent"):
            asked()
    with pytest.raises(ValueError, match=r"V has shape \(9,\), but \[..., \d\] was expected"):
        thin.expected_next(np.zeros(9))
    with pytest.raises(ValueError, match=r"V has shape \(\)"):
        thin.expected_next(1.0)


# -- the door ------------------------------------------------------------------------------------------------------------


def moves(cell):
    return abs(cell[0] - GOAL[0]) + abs(cell[1] - GOAL[1])


def test_two_robots_need_as_many_steps_as_the_farther_one():
    best = solve(super_agent(door())).V
    for one, other in product([cell for cell in ROOM if cell != GOAL], repeat=2):
        steps = max(moves(one), moves(other))
        assert best[door_state(one, other)] == pytest.approx(100 * 0.9 ** (steps - 1), abs=1e-6)
    assert best[25] == 0


def test_one_robot_alone_never_earns():
    game = door()
    for lazy in UP, LEFT, DOWN:  # a partner that never pushes: not from below (up), or never from either side
        other = np.tile(np.eye(4)[lazy], (26, 1))
        if lazy == UP:
            other[[door_state(cell, (1, 2)) for cell in ROOM if cell != GOAL]] = np.eye(4)[DOWN]
        assert (solve(seen_by(game, 0, [None, other])).V == 0).all()
    alone = (game.R[0] > 0).nonzero()
    pushes = {((0, 1), RIGHT), ((1, 2), UP)}
    cells = [cell for cell in ROOM if cell != GOAL]
    found = {((cells[s // 5], a), (cells[s % 5], b)) for s, a, b in zip(*alone, strict=True)}
    assert found == set(product(pushes, pushes))


def test_who_pushes_alone_bounces_back():
    game = door()
    s = door_state((0, 1), (1, 2))
    assert game.P[s, RIGHT, DOWN, s] == 1 and game.R[0, s, RIGHT, DOWN] == 0
    assert game.P[s, RIGHT, UP, 25] == 1 and game.R[:, s, RIGHT, UP].tolist() == [100, 100]
    assert game.P[s, LEFT, UP, door_state((0, 0), (1, 2))] == 1


def test_the_robots_can_change_places():
    game = door()
    cells = [cell for cell in ROOM if cell != GOAL]
    swap = [*(door_state(other, one) for one, other in product(cells, repeat=2)), 25]
    np.testing.assert_array_equal(game.P, game.P.swapaxes(1, 2)[swap][..., swap])


# -- repeated games -----------------------------------------------------------------------------------------------------


def test_the_state_of_a_repeated_game_is_the_last_joint_action():
    game = repeated(rock_paper_scissors().payoffs, 0.9, ("R", "P", "S"))
    assert game.state_names[5] == "P, S" and game.start[0] == 1
    for s, a, b in np.ndindex(9, 3, 3):
        assert game.P[s, a, b, 3 * a + b] == 1
        assert game.R[:, s, a, b].tolist() == rock_paper_scissors().payoffs[:, a, b].tolist()


@pytest.mark.parametrize("gamma", [0.05, 0.2, 0.24, 0.26, 0.4, 0.6, 0.66, 0.67, 0.8, 0.95])
def test_the_best_answer_to_tit_for_tat_by_hand(gamma):
    """Payoffs 5, 3, 1, 0. Defecting for ever: 5 + g / (1 - g). In turns: 5 / (1 - g^2). Cooperating: 3 / (1 - g)."""
    game = repeated(prisoners_dilemma().payoffs, gamma)
    answers = {"D": 5 + gamma / (1 - gamma), "DC": 5 / (1 - gamma**2), "C": 3 / (1 - gamma)}
    best = max(answers, key=lambda name: answers[name])
    assert best == ("D" if gamma < 1 / 4 else "DC" if gamma < 2 / 3 else "C")  # where two of these are equal
    tit_for_tat = np.eye(2)[[0, 0, 1, 1]]  # plays what the first player did
    solution = solve(seen_by(game, 0, [None, tit_for_tat]))
    assert solution.V[0] == pytest.approx(answers[best], abs=1e-6)
    assert solution.policy[[0, 2]].tolist() == {"D": [1, 1], "DC": [1, 0], "C": [0, 0]}[best]


def test_the_super_agent_is_paid_what_is_shared_or_else_the_sum():
    shared, own = door(), repeated(prisoners_dilemma().payoffs, 0.5)
    assert super_agent(shared).expected_reward.max() == 100
    assert super_agent(own).expected_reward[0].tolist() == [6, 5, 5, 2]
    assert super_agent(shared).actions[UP * 4 + RIGHT] == "up, right"


# -- at the door --------------------------------------------------------------------------------------------------------

P, R = np.full((2, 2, 3, 2), 0.5), np.zeros((2, 2, 2, 3))


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"P": np.zeros((2, 2))}, "P has shape"),
        ({"P": P * 0.9}, r"P\[0, 0, 0\] sums to 0.9"),
        ({"R": R[:1]}, "R has shape"),
        ({"gamma": 1.1}, "gamma is 1.1"),
        ({"start": [1, 1]}, "start sums to 2"),
        ({"terminal": [1, 0]}, "state 0 is terminal"),
        ({"action_names": (("a", "b"),)}, "2 agents"),
        ({"action_names": (("a", "b"), ("a", "b"))}, r"action_names\[1\] has 2 names"),
        ({"state_names": "ab"}, "state_names"),
    ],
)
def test_bad_games_are_refused(changes, says):
    with pytest.raises(ValueError, match=says):
        MarkovGame(**{"P": P, "R": R, "gamma": 0.9} | changes)


def test_a_terminal_state_pays_nobody():
    game = door()
    R = game.R.copy()
    R[1, 25, 0, 0] = 1
    with pytest.raises(ValueError, match="R pays somebody"):
        MarkovGame(game.P, R, 0.9, None, game.terminal)


def test_bad_policies_are_refused():
    game = MarkovGame(P, R, 0.9)
    with pytest.raises(ValueError, match="one policy for each of 2 agents"):
        seen_by(game, 0, [None])
    with pytest.raises(ValueError, match=r"policies\[1\] has shape"):
        seen_by(game, 0, [None, np.ones((2, 2)) / 2])
    with pytest.raises(ValueError, match="only 2 agents"):
        seen_by(game, 2, [None, None])
    with pytest.raises(ValueError, match="no robot can stand"):
        door_state(GOAL, (0, 0))
    with pytest.raises(ValueError, match="payoffs has shape"):
        repeated(np.zeros((2, 3)), 0.9)
