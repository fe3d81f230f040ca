"""The Bellman equations: by hand, by their laws, and against fractions."""

from fractions import Fraction
from itertools import islice

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

from rlkit.mdp import (
    TabularMDP,
    bellman_backup,
    evaluate_policy,
    greedy,
    policy_evaluation,
    policy_matrix,
    q_from_v,
    random_policy,
    solve,
    under_policy,
)
from rlkit.mdp.operators import change_allowed
from tests.mdp.oracle import ExactWorld
from tests.mdp.random_worlds import Recipe, random_recipe, random_world

GAMMAS = (0.0, 0.3, 0.9, 0.99)
NONE = -np.inf
SEED = st.integers(0, 2**32 - 1)

# From state 0, action 0 stays and pays 1; action 1 moves on and pays 2, or 6 on the one time in four that it stays.
# State 1 only stays (action 0), and pays -1. State 2 is terminal.
P = [[[1, 0, 0], [0.25, 0.5, 0.25]], [[0, 1, 0], [0, 0, 0]], [[0, 0, 1], [0, 0, 1]]]
R = [[[1, 0, 0], [6, 2, 2]], [[0, -1, 0], [0, 0, 0]], [[0, 0, 0], [0, 0, 0]]]
HAND = {"gamma": 0.5, "terminal": [0, 0, 1], "available": [[1, 1], [1, 0], [1, 1]]}


@pytest.fixture(params=["dense", "sparse"])
def hand(request):
    return TabularMDP(sparse.csr_array(np.reshape(P, (6, 3))) if request.param == "sparse" else P, R, **HAND)


def drawn(seed, gamma=None):
    """Return a random world, a random policy for it, and the generator that drew them."""
    rng = np.random.default_rng(seed)
    mdp = random_world(random_recipe(rng, float(rng.choice(GAMMAS)) if gamma is None else gamma), rng)
    pi = rng.exponential(size=mdp.available.shape) * mdp.available
    return mdp, pi / pi.sum(axis=1, keepdims=True), rng


# -- by hand ------------------------------------------------------------------------------------------------------------


def test_q_from_v_by_hand(hand):
    Q = q_from_v(hand, [8, 4, 0])
    np.testing.assert_allclose(Q, [[1 + 4, 3 + 0.5 * (2 + 2)], [-1 + 2, NONE], [0, 0]])


def test_bellman_backup_by_hand(hand):
    V = [8, 4, 0]
    np.testing.assert_allclose(bellman_backup(hand, V), [5, 1, 0])
    np.testing.assert_allclose(bellman_backup(hand, V, [1, 0, 0]), [5, 1, 0])
    np.testing.assert_allclose(bellman_backup(hand, [0, 4, 0], [0, 0, 1]), [1, 1, 0])
    mixed = [[0.25, 0.75], [1, 0], [0, 1]]
    np.testing.assert_allclose(bellman_backup(hand, [0, 4, 0], mixed), [0.25 * 1 + 0.75 * 4, 1, 0])


def test_under_policy_by_hand(hand):
    chain, r = under_policy(hand, [[0.5, 0.5], [1, 0], [1, 0]])
    assert sparse.issparse(chain) == sparse.issparse(hand.P)
    chain = chain.toarray() if sparse.issparse(chain) else chain
    np.testing.assert_allclose(chain, [[0.625, 0.25, 0.125], [0, 1, 0], [0, 0, 1]])
    np.testing.assert_allclose(r, [2, -1, 0])


def test_policy_evaluation_sweeps_by_hand(hand):
    first, second, third = islice(policy_evaluation(hand, [0, 0, 0]), 3)
    np.testing.assert_allclose([first, second, third], [[1, -1, 0], [1.5, -1.5, 0], [1.75, -1.75, 0]])
    (from_two,) = islice(policy_evaluation(hand, [0, 0, 0], V=[2, 2, 0]), 1)
    np.testing.assert_allclose(from_two, [2, 0, 0])


def test_evaluate_policy_by_hand(hand):
    # V(1) = -1 + V(1) / 2 = -2.  Always action 1: V(0) = 3 + (V(0) / 4 + V(1) / 2) / 2 = 2.5 * 8 / 7.
    for method in "direct", "iterative":
        np.testing.assert_allclose(evaluate_policy(hand, [0, 0, 0], method), [2, -2, 0], atol=1e-8)
        np.testing.assert_allclose(evaluate_policy(hand, [1, 0, 0], method), [20 / 7, -2, 0], atol=1e-8)


def test_greedy_by_hand():
    Q = [[1, 3, 2], [NONE, 5, 5 - 1e-12], [-7, NONE, NONE], [0, 1e-8, 0]]
    np.testing.assert_array_equal(greedy(Q), [[0, 1, 0], [0, 0.5, 0.5], [1, 0, 0], [0, 1, 0]])
    np.testing.assert_array_equal(greedy([[1e9, 1e9 + 0.5], [0, 0.5]]), [[0.5, 0.5], [0.5, 0.5]])


# -- their laws ---------------------------------------------------------------------------------------------------------


@given(SEED)
def test_the_operator_is_a_contraction(seed):
    mdp, pi, rng = drawn(seed)
    U, V = rng.normal(0, 10, size=(2, mdp.n_states))
    for policy in None, pi:
        shrunk = abs(bellman_backup(mdp, U, policy) - bellman_backup(mdp, V, policy)).max()
        assert shrunk <= mdp.gamma * abs(U - V).max() + 1e-12


@given(SEED)
def test_the_operator_is_monotone(seed):
    mdp, pi, rng = drawn(seed)
    V = rng.normal(0, 10, size=mdp.n_states)
    higher = V + rng.exponential(size=mdp.n_states)
    for policy in None, pi:
        assert (bellman_backup(mdp, higher, policy) >= bellman_backup(mdp, V, policy) - 1e-12).all()


@given(SEED, st.floats(-100, 100))
def test_a_constant_passes_through_the_operator_times_gamma(seed, constant):
    mdp, pi, rng = drawn(seed)
    V = rng.normal(0, 10, size=mdp.n_states)
    for policy in None, pi:
        shifted = bellman_backup(mdp, V + constant, policy)
        np.testing.assert_allclose(shifted, bellman_backup(mdp, V, policy) + mdp.gamma * constant, atol=1e-11)


@given(SEED)
def test_the_optimality_operator_is_the_best_of_the_policies(seed):
    mdp, pi, rng = drawn(seed)
    V = rng.normal(size=mdp.n_states)
    best = bellman_backup(mdp, V)
    np.testing.assert_allclose(best, bellman_backup(mdp, V, greedy(q_from_v(mdp, V))), atol=1e-8)
    assert (best >= bellman_backup(mdp, V, pi) - 1e-12).all()


@given(SEED)
def test_values_satisfy_their_equation(seed):
    mdp, pi, _ = drawn(seed)
    V = evaluate_policy(mdp, pi)
    np.testing.assert_allclose(bellman_backup(mdp, V, pi), V, atol=1e-11)
    Q = q_from_v(mdp, V)
    np.testing.assert_allclose((pi * np.where(pi > 0, Q, 0)).sum(axis=1), V, atol=1e-11)
    assert (np.isneginf(Q) == ~mdp.available).all()
    assert (V[mdp.terminal] == 0).all()


@given(SEED)
def test_acting_greedily_on_a_policys_values_is_no_worse(seed):
    mdp, pi, _ = drawn(seed)
    V = evaluate_policy(mdp, pi)
    improved = evaluate_policy(mdp, greedy(q_from_v(mdp, V)))
    assert (improved >= V - 1e-9 * (1 + abs(V).max()) / (1 - mdp.gamma)).all()


@given(SEED)
def test_greedy_policies_of_optimal_values_are_optimal(seed):
    mdp, _, _ = drawn(seed)
    answer = solve(mdp, "policy_iteration")
    policy = greedy(answer.Q)
    np.testing.assert_allclose(evaluate_policy(mdp, policy), answer.V, atol=1e-6)
    assert (policy[np.arange(mdp.n_states), answer.policy] > 0).all()


@pytest.mark.parametrize("seed", range(40))
def test_values_of_policies_agree_with_fractions(seed):
    mdp, pi, _ = drawn(seed)
    world = ExactWorld(mdp)
    mixed = [{a: Fraction(float(pi[s, a])) for a in world.actions[s]} for s in range(mdp.n_states)]
    mixed = [{a: w / sum(weights.values()) for a, w in weights.items()} for weights in mixed]
    exact = np.array([float(v) for v in world.value(mixed)])
    np.testing.assert_allclose(evaluate_policy(mdp, pi), exact, atol=1e-11 * (1 + abs(exact).max()))
    for tol in 1e-2, 1e-6:
        swept = evaluate_policy(mdp, pi, "iterative", tol)
        assert abs(swept - exact).max() <= tol / 2


@pytest.mark.parametrize("seed", range(30))
def test_undiscounted_values_agree_with_fractions(seed):
    rng = np.random.default_rng(seed)
    recipe = Recipe(6, 3, 1.0, ties=bool(seed % 2), ends=1, missing=0.3, sparse=bool(seed % 3), ending=True)
    mdp = random_world(recipe, rng)
    world = ExactWorld(mdp)
    uniform = [{a: Fraction(1, len(actions)) for a in actions} for actions in world.actions]
    exact = np.array([float(v) for v in world.value(uniform)])
    np.testing.assert_allclose(evaluate_policy(mdp, random_policy(mdp)), exact, atol=1e-11 * (1 + abs(exact).max()))
    swept = evaluate_policy(mdp, random_policy(mdp), "iterative", 1e-12)
    np.testing.assert_allclose(swept, exact, atol=1e-8)


def test_change_allowed():
    # What is left to go is at most gamma / (1 - gamma) times the last change; that must be tol / 2.
    assert change_allowed(0.9, 1e-3, np.zeros(1)) * 0.9 / 0.1 == pytest.approx(5e-4)
    assert change_allowed(1, 1e-3, np.zeros(1)) == 1e-3
    assert 1e-10 < change_allowed(0.9, 1e-30, np.array([0.0, -1e6])) < 1e-8, "rounding of numbers of a million"


@pytest.mark.parametrize("gamma", [0, 0.5, 0.99])
@pytest.mark.parametrize("tol", [1e-300, 1e-12])
def test_sweeps_end_even_if_no_sweep_can_be_that_exact(gamma, tol):
    rng = np.random.default_rng(0)
    mdp = TabularMDP(rng.dirichlet(np.ones(50), size=(50, 2)), rng.normal(0, 1e6, size=(50, 2)), gamma)
    swept = evaluate_policy(mdp, random_policy(mdp), "iterative", tol)
    np.testing.assert_allclose(swept, evaluate_policy(mdp, random_policy(mdp)), rtol=1e-11)


def test_policy_evaluation_is_lazy_and_goes_on_for_ever(hand):
    sweeps = policy_evaluation(hand, [1, 0, 0])
    last = [V for _, V in zip(range(500), sweeps, strict=False)][-1]
    np.testing.assert_allclose(next(sweeps), last)


def test_policy_matrix():
    mdp = TabularMDP(P, R, **HAND)
    np.testing.assert_array_equal(policy_matrix(mdp, [1, 0, 1]), [[0, 1], [1, 0], [0, 1]])
    np.testing.assert_array_equal(policy_matrix(mdp, [1.0, False, np.int8(1)]), [[0, 1], [1, 0], [0, 1]])
    pi = [[0.5, 0.5], [1, 0], [0.3, 0.7]]
    np.testing.assert_array_equal(policy_matrix(mdp, pi), pi)
    slightly_off = np.array(pi) * (1 + 5e-10)
    np.testing.assert_allclose(policy_matrix(mdp, slightly_off), pi, rtol=1e-15)


# -- bad input ----------------------------------------------------------------------------------------------------------

BAD_POLICIES = {
    "length": ([0, 0], r"policy has shape \(2,\), but \(3,\) or \(3, 2\) was expected"),
    "transposed": (np.full((2, 3), 0.5), r"policy has shape \(2, 3\)"),
    "one number": (0, r"policy has shape \(\)"),
    "no such action": ([0, 0, 2], r"policy\[2\] is 2, but actions are 0 to 1"),
    "negative action": ([0, 0, -1], r"policy\[2\] is -1, but actions are 0 to 1"),
    "fractional action": ([0.5, 0, 0], r"policy\[0\] is 0.5, but actions are 0 to 1"),
    "action that does not exist": ([0, 1, 0], "policy takes action 1 in state 1, where it does not exist"),
    "chance of one that does not exist": ([[1, 0], [0.9, 0.1], [1, 0]], "policy takes action 1 in state 1, where"),
    "sum": ([[1, 0], [1, 0], [0.5, 0.4]], r"policy\[2\] sums to 0.9, but probabilities must sum to 1"),
    "negative": ([[1, 0], [1, 0], [1.5, -0.5]], r"policy\[2, 1\] is -0.5, but probabilities must not be negative"),
    "nan": ([0, np.nan, 0], r"policy\[1\] is nan"),
    "text": (["up", "up", "up"], "policy must be an array of real numbers"),
    "ragged": ([[1], [1, 0], [1]], "policy must be an array of real numbers"),
    "complex": ([0j, 0, 0], "policy must be an array of real numbers"),
    "none": (None, "policy must be an array of real numbers"),
}


@pytest.mark.parametrize(("policy", "message"), BAD_POLICIES.values(), ids=BAD_POLICIES.keys())
def test_bad_policies(hand, policy, message):
    for use in policy_matrix, under_policy, evaluate_policy, lambda mdp, pi: next(policy_evaluation(mdp, pi)):
        with pytest.raises(ValueError, match=f"^{message}"):
            use(hand, policy)


@pytest.mark.parametrize(
    ("V", "message"),
    [
        ([0, 0], r"V has shape \(2,\), but \(3,\) was expected"),
        ([0, 0, np.nan], r"V\[2\] is nan"),
        ([0, np.inf, 0], r"V\[1\] is inf"),
        ("V", "V must be an array of real numbers"),
    ],
)
def test_bad_values(hand, V, message):
    for use in q_from_v, bellman_backup, lambda mdp, V: next(policy_evaluation(mdp, [0, 0, 0], V)):
        with pytest.raises(ValueError, match=f"^{message}"):
            use(hand, V)


@pytest.mark.parametrize(
    ("Q", "message"),
    [
        ([1, 2], r"Q has shape \(2,\), but \[S, A\] was expected"),
        (np.zeros((0, 2)), r"Q has shape \(0, 2\)"),
        (np.zeros((2, 0)), r"Q has shape \(2, 0\)"),
        ([[1, 2], [np.nan, 3]], r"Q\[1, 0\] is nan, but it must be a number or minus infinity"),
        ([[1, np.inf]], r"Q\[0, 1\] is inf"),
        ([[1, 2], [NONE, NONE]], r"Q\[1\] has no action: all its entries are minus infinity"),
        ([[1j]], "Q must be an array of real numbers"),
    ],
)
def test_bad_q(Q, message):
    with pytest.raises(ValueError, match=f"^{message}"):
        greedy(Q)


BAD_TOLERANCES = {
    "zero": (0, "tol is 0, but it must be above 0"),
    "negative": (-1e-3, "tol is -0.001"),
    "nan": (np.nan, "tol is nan"),
    "inf": (np.inf, "tol is inf"),
    "text": ("small", "tol must be an array of real numbers, not 'small'"),
    "array": ([1e-3], r"tol has shape \(1,\)"),
}


@pytest.mark.parametrize(("tol", "message"), BAD_TOLERANCES.values(), ids=BAD_TOLERANCES.keys())
def test_bad_tolerances(hand, tol, message):
    with pytest.raises(ValueError, match=f"^{message}"):
        evaluate_policy(hand, [0, 0, 0], "iterative", tol)
    with pytest.raises(ValueError, match=f"^{message}"):
        next(policy_evaluation(hand, [0, 0, 0], tol=tol))


def test_bad_method(hand):
    with pytest.raises(ValueError, match="^method is 'exact', but 'direct' or 'iterative' was expected$"):
        evaluate_policy(hand, [0, 0, 0], "exact")


def test_a_policy_that_never_ends_has_no_undiscounted_value():
    # Action 0 of each state leads to the next one, action 1 stays.
    P = np.stack([np.eye(3)[[1, 2, 2]], np.eye(3)], axis=1)
    for form in P, sparse.csr_array(P.reshape(6, 3)):
        mdp = TabularMDP(form, [[-1, 0], [-1, 0], [0, 0]], 1, terminal=[0, 0, 1], states=["a", "b", "c"])
        np.testing.assert_allclose(evaluate_policy(mdp, [0, 0, 0]), [-2, -1, 0])
        np.testing.assert_allclose(evaluate_policy(mdp, [0, 0, 0], "iterative"), [-2, -1, 0])
        for method in "direct", "iterative":
            with pytest.raises(ValueError, match="from state a this policy never ends: it has no value there"):
                evaluate_policy(mdp, [0, 1, 0], method)
            with pytest.raises(ValueError, match="from state a this policy never ends"):
                evaluate_policy(mdp, [[0, 1], [0.5, 0.5], [1, 0]], method)


@pytest.mark.parametrize("way_out", [1e-10, 1e-13, 1e-17, 1e-300])
def test_a_policy_that_hardly_ends_is_refused_and_not_guessed(way_out):
    P = np.array([[[1 - way_out, way_out]], [[0, 1]]])
    for form in P, sparse.csr_array(P.reshape(2, 2)):
        mdp = TabularMDP(form, [[-1], [0]], 1, terminal=[0, 1])
        with pytest.raises(ValueError, match="from state 0 this policy ends only after more than a billion steps"):
            evaluate_policy(mdp, [0, 0])


@pytest.mark.parametrize("seed", range(12))
def test_equations_that_rounding_turns_round_are_refused(seed):
    # A way out of 1e-17 is lost in sums of about 1: the solution of such equations may come out with the wrong sign.
    rng = np.random.default_rng(seed)
    inside = rng.integers(1, 100, size=(4, 4)).astype(float)
    P = np.zeros((5, 1, 5))
    P[:4, 0, :4] = inside / inside.sum(axis=1, keepdims=True)
    P[:4, 0, 4] = 1e-17
    P[4, 0, 4] = 1
    for form in P, sparse.csr_array(P.reshape(5, 5)):
        mdp = TabularMDP(form, -np.ones((5, 1)) * (np.arange(5) < 4)[:, None], 1, terminal=np.arange(5) == 4)
        with pytest.raises(ValueError, match="only after more than a billion steps"):
            evaluate_policy(mdp, np.zeros(5))


def test_everything_terminal():
    mdp = TabularMDP(np.eye(2)[:, None], np.zeros((2, 1)), 1, terminal=[1, 1])
    np.testing.assert_array_equal(evaluate_policy(mdp, [0, 0]), [0, 0])
