"""The four ways of solving a world: what they promise, kept to it by exact answers."""

import inspect
from itertools import islice, pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rlkit.mdp import (
    METHODS,
    TabularMDP,
    bellman_backup,
    evaluate_policy,
    linear_programming,
    modified_policy_iteration,
    policy_iteration,
    q_from_v,
    random_policy,
    solve,
    value_iteration,
)
from rlkit.mdp.solvers import _near_enough
from tests.mdp.oracle import ExactWorld
from tests.mdp.random_worlds import Recipe, random_recipe, random_world

SEED = st.integers(0, 2**32 - 1)
SWEEPS = {"value_iteration": value_iteration, "modified_policy_iteration": modified_policy_iteration}
DISCOUNTS = (0.0, 0.01, 0.5, 0.9, 0.99)


def drawn(seed, gammas=DISCOUNTS, most_states=8):
    rng = np.random.default_rng(seed)
    return random_world(random_recipe(rng, float(rng.choice(gammas)), most_states), rng)


def exact_values(mdp):
    return np.array([float(v) for v in ExactWorld(mdp).optimum()[0]])


def chooser(gamma=0.5):
    """One state: stay and get 1, or leave with 4. Then V* = max(1 / (1 - gamma), 4)."""
    return TabularMDP([[[1, 0], [0, 1]], [[0, 1], [0, 1]]], [[1, 4], [0, 0]], gamma, terminal=[0, 1])


# -- by hand ------------------------------------------------------------------------------------------------------------


def test_value_iteration_by_hand():
    sweeps = [V[0] for V in islice(value_iteration(chooser(0.9)), 6)]
    np.testing.assert_allclose(sweeps, [4, 4.6, 5.14, 5.626, 6.0634, 6.45706])
    (from_ten,) = islice(value_iteration(chooser(0.5), V=[10, 0]), 1)
    np.testing.assert_allclose(from_ten, [6, 0])


def test_policy_iteration_by_hand():
    (half, V_half), (stay, V_stay) = policy_iteration(chooser(0.9))
    np.testing.assert_allclose(half, [[0.5, 0.5], [0.5, 0.5]])
    np.testing.assert_allclose(V_half, [2.5 / 0.55, 0])
    np.testing.assert_allclose(stay, [[1, 0], [0.5, 0.5]])
    np.testing.assert_allclose(V_stay, [10, 0])
    (only,) = policy_iteration(chooser(0.5), [1, 0])
    np.testing.assert_allclose(only[1], [4, 0])


def test_modified_policy_iteration_by_hand():
    # V = 0: leaving looks best, 4; two sweeps of it change nothing. From 4: staying looks best, 1 + 3.6, and so on.
    first, second = islice(modified_policy_iteration(chooser(0.9), sweeps=2), 2)
    np.testing.assert_allclose(first, [4, 0])
    np.testing.assert_allclose(second, [1 + 0.9 * (1 + 0.9 * (1 + 0.9 * 4)), 0])


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(("gamma", "V", "stay"), [(0.5, 4, 2 + 1), (0.9, 10, 10), (0.0, 4, 1), (0.75, 4, 4)])
def test_by_hand(method, gamma, V, stay):
    answer = solve(chooser(gamma), method)
    np.testing.assert_allclose(answer.V, [V, 0], atol=1e-8)
    np.testing.assert_allclose(answer.Q, [[stay, 4], [0, 0]], atol=1e-8)
    if gamma != 0.75:  # where both are as good
        assert answer.policy[0] == (stay < 4)


def test_no_sweeps_of_evaluation_is_value_iteration():
    mdp = drawn(3, [0.9])
    pairs = zip(modified_policy_iteration(mdp, sweeps=0), value_iteration(mdp), strict=False)
    for modified, plain in islice(pairs, 20):
        np.testing.assert_allclose(modified, plain, rtol=1e-14, atol=1e-14)


def test_many_sweeps_of_evaluation_are_policy_iteration():
    mdp = drawn(11, [0.5])
    values = [V for _, V in policy_iteration(mdp, q_from_v(mdp, np.zeros(mdp.n_states)).argmax(axis=1))]
    pairs = zip(modified_policy_iteration(mdp, sweeps=100), values, strict=False)
    for modified, exact in pairs:
        np.testing.assert_allclose(modified, exact, atol=1e-12)


# -- what tol promises --------------------------------------------------------------------------------------------------


@given(SEED, st.sampled_from([0.05, 0.5, 0.9, 0.99]), st.sampled_from([10.0, 1.0, 1e-2, 1e-4]))
def test_a_stopped_run_is_within_half_of_tol_and_its_policy_within_tol(seed, gamma, tol):
    mdp = drawn(seed, [gamma], most_states=5)
    best = exact_values(mdp)
    for sweep in SWEEPS.values():
        *_, V = sweep(mdp, tol=tol)
        assert abs(V - best).max() <= tol / 2 + 1e-12
        policy = q_from_v(mdp, V).argmax(axis=1)
        assert (best - evaluate_policy(mdp, policy)).max() <= tol + 1e-12


@pytest.mark.parametrize("gamma", [0.1, 0.5, 0.9, 0.99])
def test_value_iteration_stops_as_soon_as_its_rule_allows(gamma):
    # One state that pays 1: after k sweeps the change is gamma^(k - 1), and the error gamma^k / (1 - gamma).
    mdp, tol = TabularMDP([[[1]]], [[1]], gamma), 1e-3
    *_, before, last = value_iteration(mdp, tol=tol)
    error = 1 / (1 - gamma) - np.array([before[0], last[0]])
    assert error[1] <= tol / 2 < error[0]


def test_modified_policy_iteration_stops_as_soon_as_its_bounds_allow():
    zero = np.zeros(1)
    for gamma in 0.1, 0.5, 0.99:
        allowed = 1e-3 * (1 - gamma) / gamma  # then the bounds are 1e-3 apart
        assert _near_enough(gamma, -0.4 * allowed, 0.59 * allowed, 1e-3, zero)
        assert not _near_enough(gamma, -0.4 * allowed, 0.61 * allowed, 1e-3, zero)
    assert _near_enough(1, -9e-4, 9e-4, 1e-3, zero)
    assert not _near_enough(1, -11e-4, 0, 1e-3, zero)
    assert not _near_enough(1, 0, 11e-4, 1e-3, zero)
    assert _near_enough(0.9, 0, 1e-10, 1e-300, np.array([1e6])), "the rounding of numbers of a million"
    assert not _near_enough(0.9, 0, 1e-8, 1e-300, np.array([1e6]))


def test_modified_policy_iteration_stops_by_its_bounds_and_takes_their_middle():
    # A constant change everywhere is the same as having the answer: the bounds meet after one improvement.
    mdp = TabularMDP(np.full((3, 2, 3), 1 / 3), np.full((3, 2), 5.0), 0.9)
    (only,) = modified_policy_iteration(mdp, tol=1e-9)
    np.testing.assert_allclose(only, [50, 50, 50], rtol=1e-14)


@pytest.mark.parametrize("method", METHODS)
def test_a_smaller_tol_gives_a_nearer_answer(method):
    mdp = drawn(7, [0.9])
    best = exact_values(mdp)
    for tol in 1e-1, 1e-5, 1e-9:
        assert abs(solve(mdp, method, tol).V - best).max() <= tol / 2
    assert abs(solve(mdp, method).V - best).max() <= 5e-9


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("size", [1e-250, 1e-9, 1e9, 1e90])
def test_rewards_of_any_size(method, size):
    plain = drawn(7, [0.9])
    scaled = TabularMDP(plain.P, plain.R * size, 0.9, terminal=plain.terminal, available=plain.available)
    answer = solve(scaled, method, 1e-9 * size)
    np.testing.assert_allclose(answer.V / size, exact_values(plain), atol=1e-9)


@pytest.mark.parametrize("method", METHODS)
def test_a_tol_below_rounding_still_ends(method):
    rng = np.random.default_rng(1)
    mdp = TabularMDP(rng.dirichlet(np.ones(60), size=(60, 3)), rng.normal(0, 1e5, size=(60, 3)), 0.99)
    np.testing.assert_allclose(solve(mdp, method, 1e-300).V, solve(mdp, "policy_iteration").V, rtol=1e-11)


# -- what a solution says about itself ----------------------------------------------------------------------------------


@given(SEED, st.sampled_from(METHODS))
def test_a_solution_is_consistent(seed, method):
    mdp = drawn(seed)
    answer = solve(mdp, method)
    np.testing.assert_array_equal(answer.Q, q_from_v(mdp, answer.V))
    assert answer.residual == abs(bellman_backup(mdp, answer.V) - answer.V).max()
    assert answer.policy.shape == answer.V.shape
    assert answer.policy.dtype.kind == "i"
    assert mdp.available[np.arange(mdp.n_states), answer.policy].all()
    np.testing.assert_array_equal(answer.policy, answer.Q.argmax(axis=1))
    assert (answer.V[mdp.terminal] == 0).all()


@pytest.mark.parametrize("seed", range(10))
def test_iterations_are_the_number_of_iterates(seed):
    mdp = drawn(seed)
    for name, sweep in SWEEPS.items():
        assert solve(mdp, name, 1e-4).iterations == len(list(sweep(mdp, tol=1e-4)))
    assert solve(mdp, "policy_iteration").iterations == len(list(policy_iteration(mdp)))
    assert solve(mdp, "linear_programming").iterations >= 0


def test_the_linear_program_counts_its_steps():
    # It needs at least one for each state.
    mdp = random_world(Recipe(states=30), np.random.default_rng(0))
    assert solve(mdp, "linear_programming").iterations >= 30


@pytest.mark.parametrize("generator", [value_iteration, modified_policy_iteration, policy_iteration])
def test_iterates_come_one_by_one(generator):
    class Counting(TabularMDP):
        backups = 0

        def expected_next(self, V):
            object.__setattr__(self, "backups", self.backups + 1)
            return super().expected_next(V)

    rng = np.random.default_rng(0)
    mdp = Counting(rng.dirichlet(np.ones(30), size=(30, 4)), rng.normal(size=(30, 4)), 0.9)
    run = generator(mdp)
    assert inspect.isgenerator(run)
    assert mdp.backups == 0
    next(run)
    assert mdp.backups <= 1
    next(run)
    assert mdp.backups <= 2


def test_without_tol_the_sweeps_go_on_for_ever():
    for sweep in SWEEPS.values():
        run = sweep(chooser(0.5))
        last = [V for _, V in zip(range(300), run, strict=False)][-1]
        np.testing.assert_allclose(next(run), last)


def test_iterates_are_not_overwritten():
    for generator in (*SWEEPS.values(), lambda mdp: (V for _, V in policy_iteration(mdp))):
        kept, copies = [], []
        for V in islice(generator(drawn(5, [0.9])), 5):
            kept.append(V)
            copies.append(V.copy())
        np.testing.assert_array_equal(kept, copies)


# -- theorems -----------------------------------------------------------------------------------------------------------


@given(SEED)
def test_policy_iteration_never_gets_worse_and_every_round_is_exact(seed):
    mdp = drawn(seed)
    rounds = list(policy_iteration(mdp))
    np.testing.assert_array_equal(rounds[0][0], random_policy(mdp))
    for policy, V in rounds:
        np.testing.assert_allclose(V, evaluate_policy(mdp, policy), rtol=1e-12, atol=1e-12)
    for (_, before), (_, after) in pairwise(rounds):
        assert (after >= before - 1e-12 * (1 + abs(before).max()) / (1 - mdp.gamma)).all()
        assert (after > before).any()


def test_policy_iteration_ends_even_if_it_takes_rounding_for_improvement(monkeypatch):
    # With an allowance below 0, every state seems to have a better action for ever.
    monkeypatch.setattr("rlkit.mdp.undiscounted.noise", lambda mdp, V: -1.0)
    mdp = drawn(2, [0.9])
    rounds = list(islice(policy_iteration(mdp), 50))
    assert len(rounds) < 50
    np.testing.assert_allclose(rounds[-1][1], exact_values(mdp), atol=1e-10)


@given(SEED)
def test_value_iteration_from_below_rises_to_the_optimum(seed):
    mdp = drawn(seed, [0.5, 0.9])
    V = np.where(mdp.terminal, 0, -abs(mdp.expected_reward).max() / (1 - mdp.gamma))
    best = solve(mdp, "policy_iteration").V
    for V_new in islice(value_iteration(mdp, V), 30):
        assert (V_new >= V - 1e-12).all()
        assert (V_new <= best + 1e-10).all()
        V = V_new


@given(SEED)
def test_each_sweep_brings_value_iteration_nearer_by_gamma(seed):
    mdp = drawn(seed, [0.5, 0.9])
    best = exact_values(mdp)
    error = abs(best).max()
    for V in islice(value_iteration(mdp), 20):
        assert abs(V - best).max() <= mdp.gamma * error + 1e-12
        error = abs(V - best).max()


@given(SEED)
def test_the_linear_programs_answer_is_the_smallest_that_satisfies_its_inequalities(seed):
    mdp = drawn(seed)
    V = linear_programming(mdp)
    slack = V[:, None] - q_from_v(mdp, V)
    assert (slack >= -1e-11 * (1 + abs(V).max())).all()
    assert (slack.min(axis=1) <= 1e-11 * (1 + abs(V).max())).all(), "some inequality of each state must be tight"


@pytest.mark.parametrize("seed", range(20))
def test_the_linear_program_itself_is_right(monkeypatch, seed):
    # Policy iteration, which goes the rest of the way, would hide a wrong program.
    monkeypatch.setattr("rlkit.mdp.undiscounted.polish", lambda mdp, V: V)
    mdp = drawn(seed)
    best = exact_values(mdp)
    np.testing.assert_allclose(linear_programming(mdp), best, rtol=0, atol=1e-5 * (1 + abs(best).max()))


@pytest.mark.parametrize("method", METHODS)
def test_no_policy_is_better(method):
    for seed in range(8):
        mdp = drawn(seed, [0.7], most_states=4)
        np.testing.assert_allclose(
            solve(mdp, method).V, [float(v) for v in ExactWorld(mdp).brute_force()], rtol=0, atol=5e-9
        )


def test_starting_elsewhere_leads_to_the_same_optimum():
    mdp = drawn(21, [0.9])
    rng = np.random.default_rng(0)
    best = exact_values(mdp)
    V = np.where(mdp.terminal, 0, rng.normal(0, 100, size=mdp.n_states))
    for sweep in SWEEPS.values():
        *_, last = sweep(mdp, V, tol=1e-6)
        np.testing.assert_allclose(last, best, atol=5e-7)
    worst = np.where(mdp.available, q_from_v(mdp, -best), np.inf).argmin(axis=1)
    *_, (_, last) = policy_iteration(mdp, worst)
    np.testing.assert_allclose(last, best, atol=1e-10)


@pytest.mark.parametrize("method", METHODS)
def test_everything_terminal(method):
    answer = solve(TabularMDP(np.eye(2)[:, None], np.zeros((2, 1)), 0.9, terminal=[1, 1]), method)
    np.testing.assert_array_equal(answer.V, [0, 0])
    assert answer.residual == 0


# -- bad input ----------------------------------------------------------------------------------------------------------

BAD_TOLERANCES = [0, -1, np.nan, np.inf, "1e-8", [1e-8], None, 1j]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("tol", BAD_TOLERANCES, ids=str)
def test_solve_refuses_a_bad_tol(method, tol):
    with pytest.raises(ValueError, match="^tol "):
        solve(chooser(), method, tol)


@pytest.mark.parametrize("generator", SWEEPS.values())
@pytest.mark.parametrize("tol", [tol for tol in BAD_TOLERANCES if tol is not None], ids=str)
def test_generators_refuse_a_bad_tol(generator, tol):
    with pytest.raises(ValueError, match="^tol "):
        next(generator(chooser(), tol=tol))


@pytest.mark.parametrize("method", ["newton", "", None, 3])
def test_solve_refuses_an_unknown_method(method):
    with pytest.raises(
        ValueError, match="^method is .*, but one of value_iteration, policy_iteration, modified_policy"
    ):
        solve(chooser(), method)


@pytest.mark.parametrize("sweeps", [-1, 1.5, np.nan, np.inf, "many", None, [3]], ids=str)
def test_bad_sweeps(sweeps):
    with pytest.raises(ValueError, match="^sweeps "):
        next(modified_policy_iteration(chooser(), sweeps=sweeps))


@pytest.mark.parametrize("generator", SWEEPS.values())
def test_bad_values_to_start_from(generator):
    with pytest.raises(ValueError, match=r"^V has shape \(3,\), but \(2,\) was expected$"):
        next(generator(chooser(), [0, 0, 0]))
    with pytest.raises(ValueError, match=r"^V\[1\] is nan"):
        next(generator(chooser(), [0, np.nan]))


def test_bad_policy_to_start_from():
    with pytest.raises(ValueError, match=r"^policy\[0\] is 2, but actions are 0 to 1$"):
        next(policy_iteration(chooser(), [2, 0]))


@pytest.mark.parametrize("generator", [value_iteration, policy_iteration, modified_policy_iteration])
def test_the_numbered_lines_of_the_docstring_are_marked_in_the_code(generator):
    source = inspect.getsource(generator)
    described = {int(line.split(".")[0]) for line in generator.__doc__.splitlines() if line.strip()[:1].isdigit()}
    marked = {int(part.split(")")[0]) for part in source.split("# (")[1:]}
    assert marked == described
