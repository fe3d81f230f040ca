"""TabularMDP: what it accepts, what it makes of it, and the sentence with which it refuses the rest."""

import dataclasses
import pickle

import numpy as np
import pytest
from scipy import sparse

from rlkit.mdp import TabularMDP, random_policy, solve
from tests.mdp.random_worlds import REWARDS, Recipe, random_world, tables

# Three states; the last one is terminal. Action 1 does not exist in state 1.
P = np.array([[[0.5, 0.5, 0], [0, 0, 1]], [[0.2, 0.3, 0.5], [0, 0, 0]], [[0, 0, 1], [0, 0, 1]]])
R = np.array([[1.0, 2], [3, 0], [0, 0]])
PER_TRANSITION = np.array([[[2.0, 0, 9], [9, 9, 2]], [[5, 5, 1], [9, 9, 9]], [[9, 9, 0], [9, 9, 0]]])
BASE = {"gamma": 0.9, "terminal": [0, 0, 1], "available": [[1, 1], [1, 0], [1, 1]]}


def world(P=P, R=R, **changes):
    return TabularMDP(P, R, **{**BASE, **changes})


def as_rows(table):
    return sparse.csr_matrix(np.reshape(table, (-1, 3)))


def changed(table, index, value):
    table = np.array(table, float)
    table[index] = value
    return table


# -- what it makes of its arguments -------------------------------------------------------------------------------------


def test_expected_reward_of_every_form():
    expected = [[1, 2], [3, 0], [0, 0]]
    for transitions in P, as_rows(P):
        for rewards in R, PER_TRANSITION, as_rows(PER_TRANSITION):
            got = world(transitions, rewards).expected_reward
            assert type(got) is np.ndarray
            np.testing.assert_allclose(got, expected, atol=1e-15)


@pytest.mark.parametrize("kind", [sparse.csr_array, sparse.csc_matrix, sparse.coo_array, sparse.lil_matrix])
def test_every_sparse_format_is_accepted(kind):
    made = world(kind(P.reshape(6, 3)), kind(PER_TRANSITION.reshape(6, 3)))
    np.testing.assert_allclose(made.P.toarray().reshape(P.shape), P)
    np.testing.assert_allclose(made.expected_reward, R)


def test_one_state_one_action_in_every_form():
    # The shapes [S, A] and [S * A, S] are the same here.
    for transitions in [[[1]]], sparse.csr_array([[1.0]]):
        for rewards in [[3]], [[[3]]], sparse.csr_array([[3.0]]):
            np.testing.assert_array_equal(TabularMDP(transitions, rewards, 0.5).expected_reward, [[3]])


def test_sparse_entries_that_are_stored_twice_add_up():
    # Row 0 holds 0.25 and 0.75 - 0.5 + 0.5, row 1 holds 0.5 + 0.5 and a zero.
    columns = [0, 1, 1, 1, 1, 1, 0]
    table = sparse.csr_array(([0.25, 0.75, -0.5, 0.5, 0.5, 0.5, 0.0], columns, [0, 4, 7]), shape=(2, 2))
    made = TabularMDP(table, table, 0.5, terminal=[0, 0])
    np.testing.assert_array_equal(made.P.toarray(), [[0.25, 0.75], [0, 1]])
    assert made.P.nnz == 3, "a zero or the half of an entry is stored"
    np.testing.assert_array_equal(made.expected_reward, [[0.25**2 + 0.75**2], [1]])
    halves = sparse.csr_array(([0.5, 0.5, 0.5, 0.5], [0, 0, 1, 1], [0, 2, 4]), shape=(2, 2))
    assert TabularMDP(halves, np.zeros((2, 1)), 1, terminal=[1, 1]).terminal.all()


def test_expected_next():
    V = np.array([10.0, 20, 40])
    for transitions in P, as_rows(P):
        np.testing.assert_allclose(world(transitions).expected_next(V), [[15, 40], [28, 0], [40, 40]])


def test_rows_are_scaled_to_sum_to_one():
    off = P * (1 + 4e-10)
    for transitions in off, as_rows(off):
        made = world(transitions)
        np.testing.assert_allclose(np.asarray(made.rows.sum(axis=1)).ravel(), [1, 1, 1, 0, 1, 1], rtol=0, atol=2e-16)


def test_rows_of_actions_that_do_not_exist_do_not_matter():
    plain = solve(world())
    for rest in (7, 0.5, 1e300):
        transitions = changed(P, (1, 1), rest)
        for form in transitions, as_rows(transitions):
            made = world(form, changed(R, (1, 1), 1e308))
            np.testing.assert_array_equal(made.rows[[3]] @ np.ones(3), [0])
            assert made.expected_reward[1, 1] == 0
            np.testing.assert_array_equal(solve(made).V, plain.V)


def test_sizes_and_defaults():
    made = TabularMDP(P[:, :1], R[:, :1], 0.5)
    assert (made.n_states, made.n_actions, made.gamma) == (3, 1, 0.5)
    assert not made.terminal.any()
    assert made.available.all()
    assert made.reward_std is None
    np.testing.assert_allclose(made.start, [1 / 3] * 3)
    assert made.states == ("0", "1", "2")
    assert made.actions == ("0",)


def test_default_start_avoids_terminal_states():
    np.testing.assert_allclose(world().start, [0.5, 0.5, 0])
    np.testing.assert_allclose(TabularMDP([[[1]]], [[0]], 0.5, terminal=[True]).start, [1])


def test_names():
    made = world(states=["a", "b", 3], actions=("stay", "go"))
    assert made.states == ("a", "b", "3")
    assert made.actions == ("stay", "go")


def test_it_keeps_copies_that_cannot_be_changed():
    given = {"P": P.copy(), "R": R.copy(), "start": np.array([1.0, 0, 0]), "reward_std": np.ones((3, 2))}
    given |= {"terminal": np.array([False, False, True]), "available": np.array([[1, 1], [1, 0], [1, 1]], bool)}
    made = TabularMDP(gamma=0.9, **given)
    for name, array in given.items():
        before = getattr(made, name).copy()
        array[...] = 0
        np.testing.assert_array_equal(getattr(made, name), before)
        with pytest.raises(ValueError, match="read-only"):
            getattr(made, name)[...] = 1
    with pytest.raises(ValueError, match="read-only"):
        made.expected_reward[0, 0] = 1
    with pytest.raises(dataclasses.FrozenInstanceError):
        made.gamma = 1


def test_it_leaves_a_sparse_matrix_as_it_was():
    given = sparse.csr_array(([0.5, 0.5, 1.0], [1, 1, 0], [0, 2, 3]), shape=(2, 2))
    made = TabularMDP(given, given, 0.5)
    assert given.nnz == 3
    given.data[:] = 7
    np.testing.assert_array_equal(made.P.toarray(), [[0, 1], [1, 0]])
    np.testing.assert_array_equal(made.R.toarray(), [[0, 1], [1, 0]])


def test_replace_and_pickle():
    made = world(as_rows(P), PER_TRANSITION, reward_std=np.ones((3, 2)))
    slower = dataclasses.replace(made, gamma=0.5)
    np.testing.assert_allclose(solve(slower).V, solve(world(gamma=0.5)).V)
    again = pickle.loads(pickle.dumps(made))
    np.testing.assert_array_equal(solve(again).V, solve(made).V)


@pytest.mark.parametrize("rewards", REWARDS)
@pytest.mark.parametrize("is_sparse", [False, True])
def test_every_form_of_the_same_random_world_solves_alike(rewards, is_sparse):
    recipe = Recipe(states=8, ends=2, missing=0.4, rewards=rewards)
    given = tables(recipe, np.random.default_rng(5))
    dense = TabularMDP(**given)
    if is_sparse:
        given["P"] = sparse.coo_array(given["P"].reshape(24, 8))
    np.testing.assert_allclose(solve(TabularMDP(**given)).V, solve(dense).V, rtol=1e-12)


def test_can_end():
    # 0 -> 1 -> 2 (terminal) by action 0; action 1 stays. State 3 leads nowhere.
    stay, go = np.eye(4), np.eye(4)[[1, 2, 2, 3]]
    made = TabularMDP(np.stack([go, stay], axis=1), np.zeros((4, 2)), 0.9, terminal=[0, 0, 1, 0])
    both, only_go, only_stay = np.ones((4, 2), bool), np.tile([True, False], (4, 1)), np.tile([False, True], (4, 1))
    np.testing.assert_array_equal(made.can_end(both), [1, 1, 1, 0])
    np.testing.assert_array_equal(made.can_end(only_go), [1, 1, 1, 0])
    np.testing.assert_array_equal(made.can_end(only_stay), [0, 0, 1, 0])
    only_go[0] = [False, True]
    np.testing.assert_array_equal(made.can_end(only_go), [0, 1, 1, 0])


def test_can_end_with_many_actions_to_the_same_state():
    # 256 edges between the same two states: a count of them in 8 bits would be 0.
    P = np.zeros((2, 256, 2))
    P[:, :, 1] = 1
    assert TabularMDP(P, np.zeros((2, 256)), 1, terminal=[0, 1]).can_end(np.ones((2, 256), bool)).all()


@pytest.mark.parametrize("seed", range(20))
def test_can_end_is_what_walking_far_enough_finds(seed):
    rng = np.random.default_rng(seed)
    made = random_world(Recipe(states=9, actions=2, ends=1, ties=True, successors=1, sparse=bool(seed % 2)), rng)
    chain = made.rows.toarray() if sparse.issparse(made.rows) else made.rows
    allowed = rng.random((9, 2)) < 0.7
    step = (chain.reshape(9, 2, 9) * allowed[:, :, None]).sum(axis=1) + np.eye(9)
    reached = np.linalg.matrix_power(step, 9)[:, made.terminal].sum(axis=1) > 0
    np.testing.assert_array_equal(made.can_end(allowed), reached)


# -- what it refuses ----------------------------------------------------------------------------------------------------

IDLE = [[1, 1], [0, 0], [1, 1]]
TRAP = np.array([[[0, 1.0, 0]], [[0, 1, 0]], [[0, 0, 1]]])
BAD = {
    # transitions
    "row sum": (
        {"P": changed(P, (0, 1, 2), 0.9)},
        r"P\[0, 1\] sums to 0.9, but transition probabilities must sum to 1",
    ),
    "row sum, slightly": ({"P": changed(P, (0, 1, 2), 1 - 2e-9)}, r"P\[0, 1\] sums to 0.999999998,"),
    "row sum, above": ({"P": changed(P, (1, 0, 2), 0.6)}, r"P\[1, 0\] sums to 1.1,"),
    "row of zeros": ({"P": changed(P, (0, 1, 2), 0)}, r"P\[0, 1\] sums to 0,"),
    "row sum overflows": ({"P": changed(P, (0, 1), 1e308)}, r"P\[0, 1\] sums to inf,"),
    "negative": ({"P": changed(P, (0, 0), [-0.5, 1.5, 0])}, r"P\[0, 0, 0\] is -0.5, but a transition probability must"),
    "nan": ({"P": changed(P, (1, 0, 1), np.nan)}, r"P\[1, 0, 1\] is nan"),
    "inf": ({"P": changed(P, (1, 0, 1), np.inf)}, r"P\[1, 0, 1\] is inf"),
    "nan where no action is": ({"P": changed(P, (1, 1, 2), np.nan)}, r"P\[1, 1, 2\] is nan"),
    "flat": ({"P": P.ravel()}, r"P has shape \(18,\), but \[S, A, S\] was expected"),
    "two axes": ({"P": P[0]}, r"P has shape \(2, 3\)"),
    "not square": ({"P": P[:2]}, r"P has shape \(2, 2, 3\)"),
    "empty": ({"P": np.zeros((0, 0, 0))}, r"P has shape \(0, 0, 0\)"),
    "no actions": ({"P": np.zeros((3, 0, 3))}, r"P has shape \(3, 0, 3\)"),
    "complex": ({"P": P + 0j}, "P must be an array of real numbers"),
    "text": ({"P": "P"}, "P must be an array of real numbers"),
    "objects": ({"P": P.astype(object)}, "P must be an array of real numbers"),
    "ragged": ({"P": [[[1]], [[1, 0]]]}, "P must be an array of real numbers"),
    "none": ({"P": None}, "P must be an array of real numbers"),
    # sparse transitions
    "sparse row sum": ({"P": as_rows(changed(P, (0, 1, 2), 0.9))}, r"P\[0, 1\] sums to 0.9,"),
    "sparse negative": ({"P": as_rows(changed(P, (1, 0), [-0.1, 0.6, 0.5]))}, r"P\[1, 0, 0\] is -0.1,"),
    "sparse nan": ({"P": as_rows(changed(P, (2, 1, 1), np.nan))}, r"P\[2, 1, 1\] is nan"),
    "sparse inf": ({"P": as_rows(changed(P, (2, 1, 1), np.inf))}, r"P\[2, 1, 1\] is inf"),
    "sparse, S * A no multiple of S": ({"P": as_rows(P)[:5]}, r"P is sparse with shape \(5, 3\), but \[S \* A, S\]"),
    "sparse, no rows": ({"P": sparse.csr_array((0, 3))}, r"P is sparse with shape \(0, 3\)"),
    "sparse, no columns": ({"P": sparse.csr_array((3, 0))}, r"P is sparse with shape \(3, 0\)"),
    "sparse, one axis": ({"P": sparse.coo_array(np.ones(3))}, r"P is sparse with shape \(3,\)"),
    "sparse complex": ({"P": as_rows(P).astype(complex)}, "P must be a matrix of real numbers, not of complex128"),
    # rewards
    "R shape": ({"R": R.T}, r"R has shape \(2, 3\), but \(3, 2\) or \(3, 2, 3\) was expected"),
    "R per state": ({"R": np.zeros(3)}, r"R has shape \(3,\)"),
    "R nan": ({"R": changed(R, (0, 1), np.nan)}, r"R\[0, 1\] is nan, but it must be a finite number"),
    "R inf": ({"R": changed(PER_TRANSITION, (0, 1, 1), -np.inf)}, r"R\[0, 1, 1\] is -inf"),
    "R complex": ({"R": R * 1j}, "R must be an array of real numbers"),
    "R text": ({"R": R.astype(str)}, "R must be an array of real numbers"),
    "R ragged": ({"R": [[1, 2], [3], [0, 0]]}, "R must be an array of real numbers"),
    "R huge": ({"R": changed(R, (0, 1), 1e101)}, r"R has an entry of size 1e\+101: values would overflow"),
    "R sparse shape": ({"R": sparse.csr_array(R)}, r"R is sparse with shape \(3, 2\), but \(6, 3\) was expected"),
    "R sparse nan": ({"R": as_rows(changed(PER_TRANSITION, (1, 0, 2), np.nan))}, r"R\[1, 0, 2\] is nan"),
    "R sparse complex": ({"R": as_rows(PER_TRANSITION) * 1j}, "R must be a matrix of real numbers, not of complex128"),
    # gamma
    "gamma above 1": ({"gamma": 1.01}, r"gamma is 1.01, but it must lie in \[0, 1\]"),
    "gamma below 0": ({"gamma": -0.1}, r"gamma is -0.1"),
    "gamma nan": ({"gamma": np.nan}, "gamma is nan"),
    "gamma text": ({"gamma": "0.9"}, "gamma must be an array of real numbers, not '0.9'"),
    "gamma array": ({"gamma": [0.9]}, r"gamma has shape \(1,\), but \(\) was expected"),
    "gamma none": ({"gamma": None}, "gamma must be an array of real numbers, not None"),
    "gamma complex": ({"gamma": 0.9 + 0j}, "gamma must be an array of real numbers"),
    "gamma too near to 1": ({"gamma": 1 - 1e-12}, "gamma is 0.999999999999, nearer to 1 than 64-bit numbers allow"),
    # terminal states
    "terminal leaves": (
        {"terminal": [0, 1, 1]},
        r"P\[1, 0, 1\] is 0.3, but state 1 is terminal: its actions must lead",
    ),
    "sparse terminal leaves": (
        {"P": as_rows(P), "terminal": [1, 0, 1]},
        r"P\[0, 0, 0\] is 0.5, but state 0 is terminal",
    ),
    "terminal leaves, slightly": (
        {"P": changed(P, (2, 1), [1e-10, 0, 1 - 1e-10])},
        r"P\[2, 1, 2\] is 0.9999999999, but state 2 is terminal",
    ),
    "terminal pays": ({"R": changed(R, (2, 1), 1e-9)}, "R of terminal state 2 under action 1 is 1e-09, but a terminal"),
    "terminal shape": ({"terminal": [1]}, r"terminal has shape \(1,\), but \(3,\) was expected"),
    "terminal by number": ({"terminal": [0, 0, 2]}, r"terminal\[2\] is 2, but it must be True or False"),
    "terminal nan": ({"terminal": [0, 0, np.nan]}, r"terminal\[2\] is nan"),
    # available actions
    "no action": ({"available": IDLE}, r"available\[1\] has no action: each state needs one"),
    "available shape": ({"available": [1, 1, 1]}, r"available has shape \(3,\), but \(3, 2\) was expected"),
    "available fraction": ({"available": np.full((3, 2), 0.5)}, r"available\[0, 0\] is 0.5"),
    "available without a row": ({"available": np.ones((3, 2))}, r"P\[1, 1\] sums to 0,"),
    # start
    "start shape": ({"start": [1, 0]}, r"start has shape \(2,\), but \(3,\) was expected"),
    "start sum": ({"start": [0.5, 0.4, 0]}, "start sums to 0.9, but probabilities must sum to 1"),
    "start negative": ({"start": [-0.5, 1.5, 0]}, r"start\[0\] is -0.5"),
    "start nan": ({"start": [np.nan, 1, 0]}, r"start\[0\] is nan"),
    "start by number": ({"start": 0}, r"start has shape \(\)"),
    # the rest
    "std negative": ({"reward_std": changed(R, (1, 0), -1)}, r"reward_std\[1, 0\] is negative"),
    "std shape": ({"reward_std": 1.0}, r"reward_std has shape \(\), but \(3, 2\) was expected"),
    "std nan": ({"reward_std": np.full((3, 2), np.nan)}, r"reward_std\[0, 0\] is nan"),
    "too few names": ({"states": ["a"]}, "states has 1 names, but there are 3"),
    "too many names": ({"actions": "abc".split("b") + ["d"]}, "actions has 3 names, but there are 2"),
    "names in one word": ({"actions": "ab"}, "actions is 'ab', but a tuple of names was expected"),
    "names as a number": ({"states": 3}, "states is 3, but a tuple of names was expected"),
    # gamma = 1
    "no end": (
        {"gamma": 1, "terminal": None},
        "gamma is 1, but from state 0 no policy ends: its value would not exist",
    ),
}


@pytest.mark.parametrize(("changes", "message"), BAD.values(), ids=BAD.keys())
def test_bad_input_gets_one_clear_sentence(changes, message):
    with pytest.raises(ValueError, match=f"^{message}") as error:
        world(**changes)
    assert "\n" not in str(error.value)


def test_without_a_discount_every_state_must_have_a_way_to_an_end():
    arguments = {"R": np.zeros((3, 1)), "terminal": [0, 0, 1], "states": ["hall", "cellar", "garden"]}
    with pytest.raises(ValueError, match="from state hall no policy ends"):
        TabularMDP(TRAP, gamma=1, **arguments)
    with pytest.raises(ValueError, match="from state hall no policy ends"):
        TabularMDP(sparse.csr_array(TRAP.reshape(3, 3)), gamma=1, **arguments)
    out = changed(TRAP, (1, 0), [0.5, 0.25, 0.25])
    TabularMDP(out, gamma=1, **arguments)
    # A way out by an action that does not exist is none.
    two = np.stack([TRAP[:, 0], out[:, 0]], axis=1)
    available = [[1, 1], [1, 0], [1, 1]]
    with pytest.raises(ValueError, match="from state hall no policy ends"):
        TabularMDP(two, gamma=1, available=available, **{**arguments, "R": np.zeros((3, 2))})


def test_many_terminal_states_need_little_memory():
    # Comparing every terminal state with every other one would take 80 GB here.
    S = 100_000
    made = TabularMDP(sparse.eye_array(S, format="csr"), np.zeros((S, 1)), 1, terminal=np.ones(S, bool))
    assert made.P.nnz == S


def test_random_policy_takes_only_what_exists():
    np.testing.assert_allclose(random_policy(world()), [[0.5, 0.5], [1, 0], [0.5, 0.5]])
