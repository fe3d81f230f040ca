"""gamma = 1: the best among the policies that end, by all four methods, against every policy tried in fractions."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

from rlkit.mdp import METHODS, TabularMDP, evaluate_policy, policy_iteration, q_from_v, solve, value_iteration
from rlkit.mdp.undiscounted import ending_greedy, polish, sweep_to_the_end
from tests.mdp.oracle import CirclingPays, ExactWorld
from tests.mdp.random_worlds import REWARDS, Recipe, random_world

WORLDS = 120
AROUND = ((-1, 0), (0, 1), (1, 0), (0, -1))


def maze(S, A, moves, rewards, terminal, form="dense"):
    """Return a world with gamma = 1; ``moves[s, a]`` lists (probability, next state)."""
    P, R = np.zeros((S, A, S)), np.zeros((S, A))
    for (s, a), outcomes in moves.items():
        for p, to in outcomes:
            P[s, a, to] += p
        R[s, a] = rewards.get((s, a), 0)
    available = P.sum(axis=2) > 0
    table = sparse.csr_array(P.reshape(S * A, S)) if form == "sparse" else P
    return TabularMDP(table, R, 1, terminal=np.isin(np.arange(S), terminal), available=available)


def ending_world(seed):
    """Return a small world in which some policy ends; loops of reward 0 and of both signs abound."""
    rng = np.random.default_rng(seed)
    recipe = Recipe(
        states=int(rng.integers(3, 5)),
        actions=int(rng.integers(2, 4)),
        gamma=1.0,
        ties=True,
        ends=1,
        missing=float(rng.choice([0, 0.4])),
        sparse=bool(rng.integers(2)),
        rewards=str(rng.choice(REWARDS)),
        successors=int(rng.choice([1, 1, 2])),
        ending=True,
    )
    mdp = random_world(recipe, rng)
    # Half of the worlds cost something on average; otherwise most of them would have a loop that pays.
    if recipe.rewards != "state-action" or rng.integers(2):
        return mdp
    R = np.where(mdp.terminal[:, None], 0, np.minimum(mdp.R, 0))
    return TabularMDP(mdp.P, R, 1, terminal=mdp.terminal, available=mdp.available)


def has_tempting_loop(world, V):
    """Return whether some policy that never ends looks optimal: its actions attain the maximum everywhere."""
    best = [[a for a in world.actions[s] if world.backup(V, s, a) == V[s]] for s in range(world.S)]
    return any(
        all(set(chosen) <= set(best[s]) for s, chosen in enumerate(policy))
        and not all(world.ends_from(world.under(policy)[0]))
        for policy in world.deterministic_policies()
    )


def test_against_every_policy_that_ends():
    seen = {"optimum": 0, "circling pays": 0, "zero loop": 0}
    for seed in range(WORLDS):
        mdp = ending_world(seed)
        world = ExactWorld(mdp)
        try:
            fractions = world.brute_force()
        except CirclingPays:
            seen["circling pays"] += 1
            for method in METHODS:
                with pytest.raises(ValueError, match="circling for ever is worth more than any number"):
                    solve(mdp, method)
            continue
        seen["optimum"] += 1
        seen["zero loop"] += has_tempting_loop(world, fractions)
        best = np.array([float(v) for v in fractions])
        for method in METHODS:
            answer = solve(mdp, method)
            np.testing.assert_allclose(answer.V, best, rtol=0, atol=1e-10, err_msg=f"{seed} {method}")
            np.testing.assert_allclose(evaluate_policy(mdp, answer.policy), best, rtol=0, atol=1e-10)
            assert answer.residual < 1e-10
    assert min(seen.values()) >= 10, f"too few worlds of some kind: {seen}"


def test_the_oracle_agrees_with_itself():
    for seed in range(60):
        world = ExactWorld(ending_world(seed))
        try:
            assert world.brute_force() == world.optimum()[0]
        except CirclingPays:
            with pytest.raises(CirclingPays):
                world.optimum()


# -- loops, one kind at a time ------------------------------------------------------------------------------------------

FORMS = pytest.mark.parametrize("form", ["dense", "sparse"])
EVERY_METHOD = pytest.mark.parametrize("method", METHODS)


@FORMS
@EVERY_METHOD
def test_waiting_for_nothing_is_not_better_than_a_costly_end(form, method):
    # V = 0 would satisfy the Bellman equation, but no policy that ends is worth it.
    mdp = maze(2, 2, {(0, 0): [(1, 0)], (0, 1): [(1, 1)], (1, 0): [(1, 1)]}, {(0, 1): -3}, [1], form)
    answer = solve(mdp, method)
    np.testing.assert_array_equal(answer.V, [-3, 0])
    assert answer.policy[0] == 1


@FORMS
@EVERY_METHOD
@pytest.mark.parametrize("there_and_back", [(0, 0), (5, -5), (-5, 5), (0.1 + 0.2, -0.3), (1e-3, -1)])
def test_a_loop_that_pays_nothing_on_average_is_left(form, method, there_and_back):
    # 0 <-> 1, and each can leave to state 2: from 0 for 1, from 1 for 2.
    moves = {(0, 0): [(1, 1)], (1, 0): [(1, 0)], (0, 1): [(1, 2)], (1, 1): [(1, 2)], (2, 0): [(1, 2)]}
    there, back = there_and_back
    mdp = maze(3, 2, moves, {(0, 0): there, (1, 0): back, (0, 1): 1, (1, 1): 2}, [2], form)
    answer = solve(mdp, method)
    np.testing.assert_allclose(answer.V, [max(1, there + 2), max(2, back + 1), 0], atol=1e-12)
    np.testing.assert_allclose(evaluate_policy(mdp, answer.policy), answer.V, atol=1e-12)


@FORMS
@EVERY_METHOD
@pytest.mark.parametrize("gain", [3, 1e-3, 1e-6])
def test_a_loop_that_pays_is_refused(form, method, gain):
    moves = {(0, 0): [(1, 1)], (1, 0): [(1, 0)], (0, 1): [(1, 2)], (1, 1): [(1, 2)], (2, 0): [(1, 2)]}
    mdp = maze(3, 2, moves, {(0, 0): 5 + gain, (1, 0): -5, (0, 1): 1}, [2], form)
    with pytest.raises(ValueError, match="circling for ever is worth more than any number"):
        solve(mdp, method)


@FORMS
@EVERY_METHOD
def test_a_chancy_loop_that_pays_is_refused_and_one_that_does_not_is_left(form, method):
    # From 0: action 0 wanders among 0, 1 and 2, with rewards whose mean in the long run is `mean`; action 1 ends.
    third = [(1 / 3, 0), (1 / 3, 1), (1 / 3, 2)]
    moves = {(0, 0): third, (1, 0): third, (2, 0): third, (0, 1): [(1, 3)], (3, 0): [(1, 3)]}
    for mean in 0.1, 0, -0.1:
        mdp = maze(4, 2, moves, {(0, 0): 6 + 3 * mean, (1, 0): -2, (2, 0): -4}, [3], form)
        if mean > 0:
            with pytest.raises(ValueError, match="circling for ever is worth more than any number"):
                solve(mdp, method)
            continue
        # Best: leave from 0. From 1 and 2, wander until 0 comes up: V = r + (V(0) + V(1) + V(2)) / 3.
        np.testing.assert_allclose(solve(mdp, method).V, [0, -8, -10, 0], atol=1e-12)


@EVERY_METHOD
def test_a_loop_that_pays_is_refused_even_in_a_corner_of_a_good_world(method):
    # 0 -> 1 -> end is all that matters from the start; 2 stays for a reward of 1 or ends.
    moves = {(0, 0): [(1, 1)], (1, 0): [(1, 3)], (2, 0): [(1, 2)], (2, 1): [(1, 3)], (3, 0): [(1, 3)]}
    rewards = {(0, 0): -1, (1, 0): -1, (2, 0): 1}
    with pytest.raises(ValueError, match="circling for ever is worth more than any number") as error:
        solve(maze(4, 2, moves, rewards, [3]), method)
    assert method == "linear_programming" or str(error.value).endswith("(from state 2)")


@EVERY_METHOD
def test_a_loop_with_a_leak_may_pay(method):
    # Each round pays 1 and ends with probability 1/5: worth 5. Leaving at once is worth 4.
    moves = {(0, 0): [(0.8, 0), (0.2, 1)], (0, 1): [(1, 1)], (1, 0): [(1, 1)]}
    answer = solve(maze(2, 2, moves, {(0, 0): 1, (0, 1): 4}, [1]), method)
    np.testing.assert_allclose(answer.V, [5, 0], atol=1e-12)
    assert answer.policy[0] == 0


# -- worlds in which rounding matters -----------------------------------------------------------------------------------


@EVERY_METHOD
@pytest.mark.parametrize("length", [10, 60, 400])
def test_a_combination_lock(method, length):
    # Action 1 goes on, action 0 back to the start: chance alone would need 2^length steps to open it.
    moves = {(s, 0): [(1, 0)] for s in range(length)} | {(s, 1): [(1, s + 1)] for s in range(length)}
    moves |= {(length, 0): [(1, length)]}
    costs = {(s, a): -1 for s, a in product(range(length), (0, 1))}
    answer = solve(maze(length + 1, 2, moves, costs, [length], "sparse"), method)
    np.testing.assert_allclose(answer.V, -np.arange(length, -1, -1.0))
    assert (answer.policy[:-1] == 1).all()


@EVERY_METHOD
@pytest.mark.parametrize("way_out", [1e-2, 1e-4, 1e-6])
def test_a_slow_world_is_solved_as_fast_as_a_quick_one(method, way_out):
    # Plain sweeps would need some 10 / way_out of them.
    moves = {(0, a): [(1 - (a + 1) * way_out, 0), ((a + 1) * way_out, 1)] for a in (0, 1)} | {(1, 0): [(1, 1)]}
    answer = solve(maze(2, 2, moves, {(0, 0): -1, (0, 1): -1}, [1]), method)
    np.testing.assert_allclose(answer.V, [-0.5 / way_out, 0], rtol=1e-9)
    assert answer.iterations < 100


@EVERY_METHOD
def test_actions_whose_difference_shows_only_in_the_long_run(method):
    # Action 1 ends by a hundred-thousandth more often: per step that is worth 1e-5, in all it is worth 10.
    rate = 1e-6
    moves = {(0, 0): [(1 - rate, 0), (rate, 1)], (1, 0): [(1, 1)]}
    moves |= {(0, 1): [(1 - rate * (1 + 1e-5), 0), (rate * (1 + 1e-5), 1)]}
    answer = solve(maze(2, 2, moves, {(0, 0): -1, (0, 1): -1}, [1]), method)
    assert answer.policy[0] == 1
    np.testing.assert_allclose(answer.V[0], -1e6 / (1 + 1e-5), rtol=1e-9)


@EVERY_METHOD
@pytest.mark.parametrize("seed", range(25))
def test_worlds_full_of_ties(method, seed):
    # Rewards phi(s) - phi(s') make every loop worth nothing and every way to the end worth phi(s) - phi(end), but for
    # costs here and there; in 64 bits the sums miss that by rounding, and some ways out are very seldom.
    rng = np.random.default_rng(seed)
    S, A = int(rng.integers(2, 30)), int(rng.integers(1, 5))
    P = np.zeros((S, A, S))
    for s, a in product(range(S), range(A)):
        to = rng.choice(S, size=min(S, int(rng.integers(1, 4))), replace=False)
        P[s, a, to] = 1 / len(to)
    seldom = rng.choice([0.25, 1e-2, 1e-4, 1e-6], size=S)
    out = rng.integers(A, size=S)
    P[np.arange(S), out] *= 1 - seldom[:, None]
    P[np.arange(S), out, 0] += seldom
    P[0], P[0, :, 0] = 0, 1
    phi = rng.choice([0.1, 0.2, 0.3, 0.7], size=S) * rng.integers(1, 9, size=S) * rng.choice([1, 100, 1e-6])
    cost = (rng.random((S, A)) < rng.choice([0, 0.5])) * rng.choice([1, 0.1, 1e-3], size=(S, A))
    R = phi[:, None] - P @ phi - cost
    R[0] = 0
    table = sparse.csr_array(P.reshape(S * A, S)) if seed % 2 else P
    mdp = TabularMDP(table, R, 1, terminal=np.arange(S) == 0)
    answer = solve(mdp, method)
    size = max(abs(answer.V).max(), abs(R).max())
    # No cost at all: every policy that ends is worth the same. Otherwise all four methods must say the same.
    expected = phi - phi[0] if not cost.any() else solve(mdp, "policy_iteration").V
    np.testing.assert_allclose(answer.V, expected, rtol=0, atol=1e-8 * size)
    np.testing.assert_allclose(evaluate_policy(mdp, answer.policy), answer.V, rtol=0, atol=1e-8 * size)


@pytest.mark.parametrize("size", [10, 15])
def test_a_slippery_grid(size):
    # One in five moves goes to the side; the exit is a corner. (A simplex method alone is lost in this one at 15.)
    cells = np.arange(size * size)
    row, column = divmod(cells, size)
    to = [np.clip(row + r, 0, size - 1) * size + np.clip(column + c, 0, size - 1) for r, c in AROUND]
    P = np.zeros((len(cells), 4, len(cells)))
    for a in range(4):
        for turn, p in (0, 0.8), (1, 0.1), (3, 0.1):
            np.add.at(P, (cells, a, to[(a + turn) % 4]), p)
    P[0], P[0, :, 0] = 0, 1
    R = -np.ones((len(cells), 4))
    R[0] = 0
    mdp = TabularMDP(sparse.csr_array(P.reshape(-1, len(cells))), R, 1, terminal=cells == 0)
    answers = [solve(mdp, method).V for method in METHODS]
    for V in answers:
        np.testing.assert_allclose(V, answers[0], rtol=0, atol=1e-9)
        np.testing.assert_allclose(V.reshape(size, size), V.reshape(size, size).T, atol=1e-9)
    assert solve(mdp, "value_iteration").iterations > 1, "policy iteration must not do the work of the sweeps"


# -- the parts ----------------------------------------------------------------------------------------------------------


def test_ending_greedy_prefers_the_best_action_to_the_one_that_ends():
    mdp = maze(2, 2, {(0, 0): [(1, 0)], (0, 1): [(1, 1)], (1, 0): [(1, 1)]}, {}, [1])
    for ending, chosen in (1 - 1e-3, 0), (1 - 1e-15, 1), (1 - 1e-10, 1), (1, 1), (1 + 1e-3, 1):
        assert ending_greedy(mdp, np.array([[1, ending], [0, -np.inf]]))[0] == chosen


def test_ending_greedy_takes_the_likeliest_of_equally_good_ways_out():
    # From 0: straight out with one chance in a million, or by way of 1, from where it is one step.
    moves = {(0, 0): [(1 - 1e-6, 0), (1e-6, 2)], (0, 1): [(1, 1)], (1, 0): [(1, 2)], (2, 0): [(1, 2)]}
    mdp = maze(3, 2, moves, {}, [2])
    np.testing.assert_array_equal(ending_greedy(mdp, q_from_v(mdp, np.zeros(3))), [1, 0, 0])


@given(st.integers(0, 2**32 - 1), st.sampled_from([0.0, 1.0, 1e6]))
def test_polish_leads_from_any_values_to_the_optimum(seed, size):
    mdp = ending_world(seed)
    try:
        best = [float(v) for v in ExactWorld(mdp).optimum()[0]]
    except CirclingPays:
        return
    V = np.random.default_rng(seed).normal(0, size, mdp.n_states)
    np.testing.assert_allclose(polish(mdp, V), best, rtol=0, atol=1e-10)


def test_sweeps_are_counted():
    for seed in range(20):
        yielded = []

        def counted(mdp, V, yielded=yielded):
            for V_new in value_iteration(mdp, V):
                yielded.append(V_new)
                yield V_new

        try:
            V, count = sweep_to_the_end(ending_world(seed), counted)
        except ValueError:
            continue
        assert count == len(yielded)
        np.testing.assert_allclose(V, solve(ending_world(seed), "policy_iteration").V, atol=1e-10)


def test_sweeps_that_never_settle_are_given_up():
    mdp = maze(2, 2, {(0, 0): [(1, 0)], (0, 1): [(1, 1)], (1, 0): [(1, 1)]}, {(0, 1): -1}, [1])
    yielded = []

    def useless(mdp, V):
        while True:
            yielded.append(1)
            yield np.array([5.0, 0.0])  # as long as state 0 seems to be worth 5, it is not left

    with pytest.raises(ValueError, match="the values do not settle: give the world a discount below 1"):
        sweep_to_the_end(mdp, useless)
    assert len(yielded) == 2**16


def test_policy_iteration_gets_better_in_every_round():
    for seed in range(60):
        try:
            values = [V for _, V in policy_iteration(ending_world(seed))]
        except ValueError:
            continue
        for before, after in zip(values, values[1:], strict=False):
            assert (after >= before - 1e-10).all()
            assert (after > before).any()


def test_policy_iteration_refuses_a_policy_that_never_ends():
    mdp = maze(2, 2, {(0, 0): [(1, 0)], (0, 1): [(1, 1)], (1, 0): [(1, 1)]}, {}, [1])
    with pytest.raises(ValueError, match="from state 0 this policy never ends"):
        next(policy_iteration(mdp, [0, 0]))


@EVERY_METHOD
def test_a_world_in_which_no_policy_ends_soon_enough_is_refused(method):
    moves = {(0, 0): [(1 - 1e-11, 0), (1e-11, 1)], (1, 0): [(1, 1)]}
    with pytest.raises(ValueError, match="more than a billion steps|could not be solved"):
        solve(maze(2, 1, moves, {(0, 0): -1}, [1]), method)
