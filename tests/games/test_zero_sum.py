"""Zero-sum games: values by hand, HiGHS and the batched simplex against each other, and what has to hold for every game."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from rlkit.games import zero_sum as module
from rlkit.games.classics import matching_pennies, rock_paper_scissors
from rlkit.games.zero_sum import Minimax, zero_sum, zero_sum_batch

# Games with their value and, where it is the only one, both policies.
KNOWN = {
    "pennies": (matching_pennies().payoffs[0], 0, [1 / 2, 1 / 2], [1 / 2, 1 / 2]),
    "scissors": (rock_paper_scissors().payoffs[0], 0, [1 / 3] * 3, [1 / 3] * 3),
    # Two-finger Morra: 2 x - 3 (1 - x) = -3 x + 4 (1 - x) at x = 7/12.
    "two fingers": ([[2, -3], [-3, 4]], -1 / 12, [7 / 12, 5 / 12], [7 / 12, 5 / 12]),
    # A = -A', so that the value is 0, and x A = 0.
    "heavy rock": ([[0, -1, 2], [1, 0, -1], [-2, 1, 0]], 0, [1 / 4, 1 / 2, 1 / 4], [1 / 4, 1 / 2, 1 / 4]),
    # The lower of 3 x, 2 - x, 4 - 4 x and 4 x + 1 is highest where 3 x = 2 - x.
    "rectangular": ([[3, 1, 0, 5], [0, 2, 4, 1]], 3 / 2, [1 / 2, 1 / 2], [1 / 4, 3 / 4, 0, 0]),
    "saddle point": ([[3, 2, 4], [1, 0, 9]], 2, [1, 0], [0, 1, 0]),
    "constant": (np.full((3, 4), 7.5), 7.5, None, None),
    "one row": ([[3, -1, 2]], -1, [1], [0, 1, 0]),
    "one column": ([[3], [5], [2]], 5, [0, 1, 0], [1]),
    "one cell": ([[-2]], -2, [1], [1]),
}


def sure(A, solved):
    """Return what x is sure to be paid, and what y is sure not to pay more than, float[...] each."""
    A = np.asarray(A, float)
    return (
        np.einsum("...ao,...a->...o", A, solved.x).min(axis=-1),
        np.einsum("...ao,...o->...a", A, solved.y).max(axis=-1),
    )


def check(A, solved, tol=1e-8):
    """Fail unless both policies are probabilities, and each is sure of the value."""
    for p in (solved.x, solved.y):
        assert (p >= 0).all()
        np.testing.assert_allclose(p.sum(axis=-1), 1, atol=1e-12)
    low, high = sure(A, solved)
    np.testing.assert_allclose(low, solved.value, rtol=0, atol=tol)
    np.testing.assert_allclose(high, solved.value, rtol=0, atol=tol)


def many(count, shape, kind, rng):
    """Return float[count, *shape], games of a kind."""
    if kind == "normal":
        return rng.normal(size=(count, *shape))
    if kind == "whole":  # ties everywhere, and saddle points
        return rng.integers(-2, 3, (count, *shape)).astype(float)
    if kind == "two payoffs":  # as degenerate as can be
        return rng.integers(0, 2, (count, *shape)).astype(float)
    if kind == "alike":  # rows and columns that stand there twice
        A = rng.normal(size=(count, *shape))
        A[:, -1], A[:, :, -1] = A[:, 0], A[:, :, 0]
        return A
    return 1e6 + rng.normal(size=(count, *shape))  # far from 0


@pytest.mark.parametrize("name", KNOWN)
@pytest.mark.parametrize("solver", [zero_sum, zero_sum_batch])
def test_games_by_hand(name, solver):
    A, value, x, y = KNOWN[name]
    solved = solver(np.array(A, float))
    check(A, solved, 1e-9)
    for found, known in zip(solved, (value, x, y), strict=True):
        if known is not None:
            np.testing.assert_allclose(found, known, atol=1e-9)


KINDS = ("normal", "whole", "two payoffs", "alike", "far")
SHAPES = (
    (1, 1),
    (1, 5),
    (5, 1),
    (2, 2),
    (2, 3),
    (3, 2),
    (3, 3),
    (2, 8),
    (8, 2),
    (4, 4),
    (5, 3),
    (5, 5),
    (6, 7),
    (8, 8),
)


@pytest.mark.parametrize("kind", KINDS)
def test_ten_thousand_games_are_solved(kind):
    """10,500 in all; if both policies are sure of the same number, it is the value: nobody needs to be asked."""
    rng = np.random.default_rng(7)
    for shape in SHAPES:
        A = many(150, shape, kind, rng)
        check(A, zero_sum_batch(A), 1e-8)


def test_both_solvers_agree_on_the_value():
    rng = np.random.default_rng(8)
    for kind in KINDS:
        for shape in SHAPES:
            A = many(3, shape, kind, rng)
            one = [zero_sum(game) for game in A]
            # Of payoffs around a million HiGHS gets a millionth wrong now and then; its tolerance is relative.
            np.testing.assert_allclose(
                zero_sum_batch(A).value, [s.value for s in one], rtol=0, atol=1e-5 if kind == "far" else 1e-8
            )
            check(
                A,
                Minimax(*(np.array([getattr(s, part) for s in one]) for part in Minimax._fields)),
                1e-5 if kind == "far" else 1e-6,
            )


def test_an_independent_solver_agrees():
    """quantecon's compiled minmax."""
    minmax = pytest.importorskip("quantecon.optimize.minmax").minmax
    rng = np.random.default_rng(9)
    for shape in ((3, 3), (4, 6), (7, 5)):
        A = many(100, shape, "normal", rng)
        np.testing.assert_allclose(zero_sum_batch(A).value, [minmax(game)[0] for game in A], atol=1e-8)


def test_a_game_alone_is_what_it_is_among_others():
    A = many(300, (4, 5), "whole", np.random.default_rng(3))
    together = zero_sum_batch(A)
    for k in range(0, 300, 17):
        for one, all_of_them in zip(zero_sum_batch(A[k]), together, strict=True):
            np.testing.assert_array_equal(one, all_of_them[k])


def test_leading_axes_are_kept():
    A = np.random.default_rng(0).normal(size=(2, 3, 4, 5))
    solved = zero_sum_batch(A)
    assert solved.value.shape == (2, 3) and solved.x.shape == (2, 3, 4) and solved.y.shape == (2, 3, 5)
    assert zero_sum_batch(A[0, 0]).value.shape == ()


def test_of_equal_saddle_points_the_first_counts():
    solved = zero_sum_batch(np.ones((2, 3)))
    assert solved.x.tolist() == [1, 0] and solved.y.tolist() == [1, 0, 0]


def test_smallest_numbers_first_is_enough_and_never_goes_round(monkeypatch):
    """Bland's rule alone, from the first step on, on the games with the most ties."""
    real = range
    # In the first steps, up to 5 (m + n), the largest gain is taken: begin counting behind them.
    monkeypatch.setattr(module, "range", lambda n: real(10**6, 10**6 + n), raising=False)
    rng = np.random.default_rng(5)
    for shape in ((3, 3), (5, 5), (8, 8), (4, 7)):
        for kind in ("two payoffs", "whole", "normal"):
            A = many(200, shape, kind, rng)
            check(A, zero_sum_batch(A), 1e-8)


def test_going_round_would_be_told(monkeypatch):
    monkeypatch.setattr(module, "range", lambda n: (0,), raising=False)
    with pytest.raises(ArithmeticError, match="1 of the games could not be solved"):
        zero_sum_batch(rock_paper_scissors().payoffs[0])


GAMES = st.tuples(st.integers(1, 6), st.integers(1, 6)).flatmap(
    lambda shape: st.one_of(
        arrays(float, shape, elements=st.integers(-3, 3).map(float)),
        arrays(float, shape, elements=st.floats(-100, 100, allow_subnormal=False)),
    )
)


@settings(max_examples=150, deadline=None)
@given(A=GAMES, data=st.data())
def test_what_holds_for_every_game(A, data):
    solved = zero_sum_batch(A)
    check(A, solved, 1e-7)
    v = solved.value
    turned = zero_sum_batch(-A.T)  # the players change places
    np.testing.assert_allclose(turned.value, -v, atol=1e-7)
    low, high = sure(A, Minimax(-turned.value, turned.y, turned.x))
    np.testing.assert_allclose([low, high], v, atol=1e-7)
    shift, scale = data.draw(st.floats(-50, 50)), data.draw(st.floats(0.01, 100))
    np.testing.assert_allclose(zero_sum_batch(scale * A + shift).value, scale * v + shift, atol=1e-5)
    rows = data.draw(st.permutations(range(A.shape[0])))
    columns = data.draw(st.permutations(range(A.shape[1])))
    mixed = zero_sum_batch(A[rows][:, columns])
    np.testing.assert_allclose(mixed.value, v, atol=1e-7)
    more = np.r_[A, A[:1] - 1]  # a row that is worse than another changes nothing
    np.testing.assert_allclose(zero_sum_batch(more).value, v, atol=1e-7)


@pytest.mark.parametrize("solver", [zero_sum, zero_sum_batch])
@pytest.mark.parametrize(
    ("A", "said"),
    [
        ([[1, np.nan]], r"A\[0, 1\] is nan"),
        ([[1, np.inf]], r"A\[0, 1\] is inf"),
        ([1, 2], r"A has shape \(2,\)"),
        (np.zeros((0, 3)), r"at least one action for each"),
        (np.zeros((3, 0)), r"at least one action for each"),
        ("scissors", "A must be an array of real numbers"),
    ],
)
def test_bad_input(solver, A, said):
    with pytest.raises(ValueError, match=said):
        solver(A)


def test_one_game_at_a_time():
    with pytest.raises(ValueError, match="zero_sum_batch takes many games"):
        zero_sum(np.zeros((2, 2, 2)))
