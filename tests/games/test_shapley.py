"""Values of Markov games: Shapley's iteration against value iteration, linear programs and brute force; best answers."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from rlkit.games.classics import matching_pennies, prisoners_dilemma, rock_paper_scissors
from rlkit.games.markov import MarkovGame, joint_policy_values
from rlkit.games.shapley import (
    exploitability,
    joint_action_values,
    markov_best_response,
    shapley_value_iteration,
    solve_zero_sum,
    worst_case,
)
from rlkit.games.worlds import door, keeper, repeated
from rlkit.games.zero_sum import zero_sum
from rlkit.mdp import TabularMDP, value_iteration

seeds = st.integers(0, 2**32 - 1)


def zero_sum_game(seed, gamma=None, S=None, sizes=None, dense=True):
    rng = np.random.default_rng(seed)
    S, gamma = S or rng.integers(1, 5), rng.uniform(0, 0.95) if gamma is None else gamma
    sizes = sizes or tuple(rng.integers(1, 4, 2))
    P, R = rng.dirichlet(np.full(S, 0.5), (S, *sizes)), rng.normal(size=(S, *sizes))
    if not dense:
        P = sparse.csr_array(P.reshape(-1, S))
    return MarkovGame(P, np.stack([R, -R]), gamma, rng.dirichlet(np.ones(S)))


def random_policies(rng, game):
    return [rng.dirichlet(np.ones(A), game.n_states) for A in game.n_actions]


# -- the lecture's two equations -----------------------------------------------------------------------------------------


@settings(max_examples=30, deadline=None)
@given(seeds, st.integers(1, 3), st.integers(1, 4), st.booleans())
def test_q_of_every_agent_is_what_its_equation_says(seed, n, S, is_sparse):
    rng = np.random.default_rng(seed)
    sizes = tuple(rng.integers(1, 4, n))
    P, R = rng.dirichlet(np.ones(S), (S, *sizes)), rng.normal(size=(n, S, *sizes))
    game = MarkovGame(sparse.csr_array(P.reshape(-1, S)) if is_sparse else P, R, 0.8)
    V = rng.normal(size=(n, S))
    Q = joint_action_values(game, V)
    for j, s, *a in product(range(n), range(S), *map(range, sizes)):
        expected = R[(j, s, *a)] + 0.8 * sum(P[(s, *a, t)] * V[j, t] for t in range(S))
        assert Q[(j, s, *a)] == pytest.approx(expected, abs=1e-12)


@settings(max_examples=30, deadline=None)
@given(seeds, st.integers(1, 3))
def test_v_is_the_mean_of_q_over_what_all_do(seed, n):
    rng = np.random.default_rng(seed)
    S, sizes = 3, tuple(rng.integers(1, 4, n))
    game = MarkovGame(rng.dirichlet(np.ones(S), (S, *sizes)), rng.normal(size=(n, S, *sizes)), 0.9)
    policies = random_policies(rng, game)
    V = joint_policy_values(game, policies)
    Q = joint_action_values(game, V)
    for s in range(S):
        joint = np.ones(())
        for pi in policies:
            joint = np.multiply.outer(joint, pi[s])
        np.testing.assert_allclose((Q[:, s] * joint).reshape(n, -1).sum(axis=1), V[:, s], atol=1e-9)


# -- zero-sum games ------------------------------------------------------------------------------------------------------


def test_with_one_action_for_the_opponent_it_is_value_iteration():
    """Sweep by sweep the same numbers; and with one action for agent 0, those of an agent who wants the least."""
    for seed in range(8):
        rng = np.random.default_rng(seed)
        P, R = rng.dirichlet(np.full(4, 0.5), (4, 3)), rng.normal(size=(4, 3))
        alone = list(value_iteration(TabularMDP(P, R, 0.8), tol=1e-8))
        first = MarkovGame(P[:, :, None], np.stack([R, -R])[..., None], 0.8)
        second = MarkovGame(P[:, None], np.stack([-R, R])[:, :, None], 0.8)
        for game, sign in ((first, 1), (second, -1)):
            together = list(shapley_value_iteration(game, tol=1e-8))
            assert len(together) == len(alone) > 5
            np.testing.assert_allclose(together, sign * np.array(alone), atol=1e-12)


def test_a_state_that_leads_to_itself_is_the_matrix_game_over_and_over():
    """Then V = v / (1 - gamma): 0 for rock, paper, scissors; by hand 1/3 for [[1, 0], [0, 1/2]]."""
    for payoffs, v in (
        (rock_paper_scissors().payoffs[0], 0),
        (matching_pennies().payoffs[0], 0),
        ([[1, 0], [0, 0.5]], 1 / 3),
    ):
        R = np.array(payoffs, float)[None]
        game = MarkovGame(np.ones((*R.shape, 1)), np.stack([R, -R]), 0.75)
        V, x, _ = solve_zero_sum(game)
        assert V == pytest.approx([4 * v], abs=1e-9)
        assert x[0] == pytest.approx([1 / 3, 2 / 3] if v else np.full(len(R[0]), 1 / len(R[0])), abs=1e-9)


@settings(max_examples=40, deadline=None)
@given(seeds, st.booleans())
def test_neither_can_gain_by_another_policy(seed, dense):
    game = zero_sum_game(seed, dense=dense)
    V, x, y = solve_zero_sum(game)
    assert exploitability(game, [x, y]).max() < 1e-6
    assert worst_case(game, 0, x) == pytest.approx(V @ game.start, abs=1e-6)
    assert worst_case(game, 1, y) == pytest.approx(-V @ game.start, abs=1e-6)
    np.testing.assert_allclose(joint_policy_values(game, [x, y]), [V, -V], atol=1e-6)


@settings(max_examples=20, deadline=None)
@given(seeds)
def test_v_is_the_value_of_its_stage_games(seed):
    """In each state the linear program of HiGHS, which this solver does not use, finds V again: V is the fixed point."""
    game = zero_sum_game(seed)
    V = solve_zero_sum(game).V
    for s, Q in enumerate(joint_action_values(game, np.stack([V, -V]))[0]):
        assert zero_sum(Q).value == pytest.approx(V[s], abs=1e-7)


@settings(max_examples=25, deadline=None)
@given(seeds)
def test_in_exchanged_seats_the_value_is_the_negative(seed):
    game = zero_sum_game(seed)
    other = MarkovGame(game.P.swapaxes(1, 2), game.R[::-1].swapaxes(2, 3), game.gamma)
    np.testing.assert_allclose(solve_zero_sum(other).V, -solve_zero_sum(game).V, atol=1e-8)


@settings(max_examples=25, deadline=None)
@given(seeds, st.floats(-5, 5), st.floats(0.1, 10))
def test_rewards_shifted_and_scaled_shift_and_scale_the_value(seed, c, k):
    game = zero_sum_game(seed)
    R = k * game.R[0] + c
    other = MarkovGame(game.P, np.stack([R, -R]), game.gamma)
    expected = k * solve_zero_sum(game).V + c / (1 - game.gamma)
    np.testing.assert_allclose(solve_zero_sum(other).V, expected, atol=1e-7)


@settings(max_examples=20, deadline=None)
@given(seeds, st.sampled_from([1e-1, 1e-3, 1e-6]))
def test_it_stops_as_near_as_was_asked_and_contracts_by_gamma(seed, tol):
    game = zero_sum_game(seed, gamma=0.7)
    V = solve_zero_sum(game).V
    sweeps = np.array(list(shapley_value_iteration(game, tol)))
    assert abs(sweeps[-1] - V).max() <= tol / 2 + 1e-9
    change = abs(np.diff(sweeps, axis=0)).max(axis=1)
    assert (change[1:] <= 0.7 * change[:-1] + 1e-12).all()
    assert change[-1] <= tol * 0.3 / 1.4 < change[-2], "and at the first sweep that is near enough"


def test_shapley_iteration_goes_on_without_a_tol():
    endless = shapley_value_iteration(zero_sum_game(0), None)
    assert len([next(endless) for _ in range(1000)]) == 1000


def test_a_game_by_hand_whose_value_is_no_fraction():
    """Equal coins end the game and pay 2 for heads, 1 for tails; different ones pay nothing, and it is played again.

    With gamma = 1/2 and w = v / 2 the stage game is [[2, w], [w, 1]], so v = (2 - w^2) / (3 - 2 w): 3 v^2 / 4 - 3 v + 2 = 0, and
    v = 2 - 2 / sqrt(3), since w must be below 1.
    """
    P, R = np.zeros((2, 2, 2, 2)), np.zeros((2, 2, 2))
    P[0, [0, 1], [0, 1], 1] = P[0, [0, 1], [1, 0], 0] = 1
    P[1, ..., 1] = 1
    R[0] = np.diag([2, 1])
    V, x, y = solve_zero_sum(MarkovGame(P, np.stack([R, -R]), 0.5, None, [False, True]))
    v = 2 - 2 / np.sqrt(3)
    assert V == pytest.approx([v, 0], abs=1e-9)
    heads = (1 - v / 2) / (3 - v)
    assert x[0] == pytest.approx([heads, 1 - heads], abs=1e-9) and y[0] == pytest.approx(x[0], abs=1e-9)


# -- best answers --------------------------------------------------------------------------------------------------------


@settings(max_examples=15, deadline=None)
@given(seeds, st.integers(1, 3))
def test_the_best_answer_is_the_best_of_all_pure_ones(seed, n):
    """Of all deterministic policies of one agent, in every state, by brute force; and the gain is measured from the start."""
    rng = np.random.default_rng(seed)
    S, sizes = 3, tuple(rng.integers(1, 4, n))
    P, R = rng.dirichlet(np.ones(S), (S, *sizes)), rng.normal(size=(n, S, *sizes))
    game = MarkovGame(P, R, 0.8, rng.dirichlet(np.ones(S)))
    policies = random_policies(rng, game)
    gains = exploitability(game, policies)
    before = joint_policy_values(game, policies)
    for j in range(n):
        V, best = markov_best_response(game, j, [None if i == j else pi for i, pi in enumerate(policies)])
        pure = [np.eye(sizes[j])[list(choice)] for choice in product(range(sizes[j]), repeat=S)]
        tried = [joint_policy_values(game, [*policies[:j], pi, *policies[j + 1 :]])[j] for pi in pure]
        np.testing.assert_allclose(V, np.max(tried, axis=0), atol=1e-8)
        np.testing.assert_allclose(
            joint_policy_values(game, [*policies[:j], best, *policies[j + 1 :]])[j], V, atol=1e-8
        )
        assert gains[j] == pytest.approx((V - before[j]) @ game.start, abs=1e-8)


def test_defecting_always_is_an_equilibrium_of_the_repeated_dilemma_and_cooperating_is_not():
    game = repeated(prisoners_dilemma().payoffs, 0.9)
    for action, gain in ((1, 0), (0, (5 - 3) / (1 - 0.9))):
        always = np.tile(np.eye(2)[action], (4, 1))
        assert exploitability(game, [always, always]) == pytest.approx([gain, gain], abs=1e-7)


@settings(max_examples=25, deadline=None)
@given(seeds)
def test_the_worst_case_is_not_above_the_value_and_is_reached(seed):
    game = zero_sum_game(seed)
    rng, V = np.random.default_rng(seed), solve_zero_sum(game).V
    pi, rho = random_policies(rng, game)
    for j, policy in ((0, pi), (1, rho)):
        worst = worst_case(game, j, policy)
        assert worst <= (-1) ** j * V @ game.start + 1e-7
        pair = [pi, rho]
        pair[j] = policy
        assert worst <= joint_policy_values(game, pair)[j] @ game.start + 1e-9
        _, answer = markov_best_response(game, 1 - j, [policy, policy])
        pair[1 - j] = answer
        assert worst == pytest.approx(joint_policy_values(game, pair)[j] @ game.start, abs=1e-7)


def test_a_best_answer_in_the_keepers_world():
    """Against a robot that always goes up, the keeper watches the top; if it goes right in the middle, below."""
    game = keeper()
    up = np.tile(np.eye(4)[0], (6, 1))
    middle = game.state_names.index("(1, 1)")
    V, answer = markov_best_response(game, 1, [up, None])
    assert answer[middle].tolist() == [1, 0] and V[middle] == 0
    up[middle] = np.eye(4)[1]
    V, answer = markov_best_response(game, 1, [up, None])
    assert V[middle] == 0
    assert answer[middle].tolist() == [0, 1]


# -- at the door ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "of", [lambda g: next(shapley_value_iteration(g)), solve_zero_sum, lambda g: worst_case(g, 0, None)]
)
def test_a_game_that_is_not_zero_sum_is_refused(of):
    with pytest.raises(ValueError, match="not zero-sum: somewhere the rewards of both agents do not sum to 0"):
        of(door())
    with pytest.raises(ValueError, match="the game has 3 agents, but a zero-sum game of two"):
        of(MarkovGame(np.ones((1, 1, 1, 1, 1)), np.zeros((3, 1, 1, 1, 1)), 0.9))
    with pytest.raises(ValueError, match="gamma is 1"):
        of(MarkovGame(np.ones((1, 1, 1, 1)), np.zeros((2, 1, 1, 1)), 1))


def test_bad_values_and_agents_are_refused():
    game = keeper()
    x, y = np.full((6, 4), 0.25), np.full((6, 2), 0.5)
    with pytest.raises(ValueError, match=r"V has shape \(6,\), but \(2, 6\) was expected"):
        joint_action_values(game, np.zeros(6))
    with pytest.raises(ValueError, match=r"V\[0, 0\] is nan"):
        joint_action_values(game, np.full((2, 6), np.nan))
    with pytest.raises(ValueError, match="j is 2, but there are two agents"):
        worst_case(game, 2, x)
    with pytest.raises(ValueError, match=r"policies\[1\] has shape"):
        worst_case(game, 1, x)
    with pytest.raises(ValueError, match="only 2 agents"):
        markov_best_response(game, 2, [x, y])
    with pytest.raises(ValueError, match="tol"):
        next(shapley_value_iteration(game, 0))
    with pytest.raises(ValueError, match=r"policies\[0\]\[0\] sums to 2"):
        exploitability(game, [2 * x, y])
