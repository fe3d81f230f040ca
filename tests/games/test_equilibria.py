"""Equilibria: the known ones, those of two other libraries, exact corners of degenerate games, and what never changes them."""

import itertools
import warnings
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rlkit.games import MatrixGame, classics
from rlkit.games.equilibria import (
    best_response,
    correlated,
    gains,
    nash_conv,
    pure_equilibria,
    support_enumeration,
)

nashpy = pytest.importorskip("nashpy")
quantecon = pytest.importorskip("quantecon.game_theory")
HALF, THIRD = [1 / 2, 1 / 2], [1 / 3, 1 / 3, 1 / 3]


def pure(*joint, sizes=(2, 2)):
    return tuple(np.eye(A)[a] for A, a in zip(sizes, joint, strict=True))


def same_set(some, others, tol=1e-9):
    """Whether two lists hold the same profiles, each once."""
    near = np.array(
        [[max(abs(np.subtract(p, q)).max() for p, q in zip(a, b, strict=True)) < tol for b in others] for a in some]
    )
    return len(some) == len(others) and (near.sum(axis=0) == 1).all() and (near.sum(axis=1) == 1).all()


# -- the table of known equilibria -----------------------------------------------------------------------------------

TWO_THIRDS = [2 / 3, 1 / 3]
STEEPER_HUNT = [[5, 0], [4, 2]]
KNOWN = [
    (classics.matching_pennies(), [(HALF, HALF)], [(0, 0)]),
    (classics.rock_paper_scissors(), [(THIRD, THIRD)], [(0, 0)]),
    (classics.prisoners_dilemma(), [pure(1, 1)], [(1, 1)]),
    (classics.stag_hunt(), [pure(0, 0), pure(1, 1), ([3 / 4, 1 / 4],) * 2], [(4, 4), (3, 3), (3, 3)]),
    (
        MatrixGame([STEEPER_HUNT, np.transpose(STEEPER_HUNT)]),
        [pure(0, 0), pure(1, 1), (TWO_THIRDS, TWO_THIRDS)],
        [(5, 5), (2, 2), (10 / 3, 10 / 3)],
    ),
    (
        classics.battle_of_the_sexes(),
        [pure(0, 0), pure(1, 1), (TWO_THIRDS, TWO_THIRDS[::-1])],
        [(2, 1), (1, 2), (2 / 3, 2 / 3)],
    ),
    (
        classics.chicken(),
        [pure(0, 1), pure(1, 0), (TWO_THIRDS, TWO_THIRDS)],
        [(2, 7), (7, 2), (14 / 3, 14 / 3)],
    ),
    (classics.shapley(), [(THIRD, THIRD)], [(1 / 3, 1 / 3)]),
    (classics.weighted_rock_paper_scissors(), [([1 / 4, 1 / 2, 1 / 4],) * 2], [(0, 0)]),
    # By hand: 16 = 11 p and 5 = ... : against (p, 0, 1 - p), a pays 11 p and c 5 (1 - p), so p = 5/16; b pays less there.
    (
        classics.climbing(),
        [pure(0, 0, sizes=(3, 3)), pure(1, 1, sizes=(3, 3)), ([5 / 16, 0, 11 / 16],) * 2],
        [(11, 11), (7, 7), (55 / 16, 55 / 16)],
    ),
]


@pytest.mark.parametrize(("game", "profiles", "values"), KNOWN, ids=lambda v: getattr(v, "name", ""))
def test_known_equilibria(game, profiles, values):
    found = support_enumeration(game)
    assert same_set(found, profiles)
    for profile, value in zip(profiles, values, strict=True):
        assert game.value(profile) == pytest.approx(np.array(value), abs=1e-9)
        assert nash_conv(game, profile) < 1e-9
    mixed = [sum((p > 0).sum() for p in profile) for profile in found]
    assert mixed == sorted(mixed)
    cells = [tuple(int(p.argmax()) for p in profile) for profile in found if all(p.max() == 1 for p in profile)]
    assert pure_equilibria(game) == cells == sorted(cells)


def test_grim_trigger_makes_cooperation_a_best_response_from_one_half_on():
    # For ever after one defection both defect: cooperate is worth 3 / (1 - g), and to defect 5 + g / (1 - g).
    for g, best in ((0.49, 1), (0.51, 0)):
        once = classics.prisoners_dilemma().payoffs[0]
        game = MatrixGame(np.array([[[once[0, 0] / (1 - g)], [once[1, 0] + g / (1 - g) * once[1, 1]]], [[0], [0]]]))
        assert best_response(game, 0, [HALF, [1]]).argmax() == best


# -- against others, and against exact arithmetic ----------------------------------------------------------------------


def test_500_random_games_have_the_equilibria_that_nashpy_and_quantecon_find():
    rng = np.random.default_rng(7)
    compared = {"quantecon": 0, "square": 0, "nashpy": 0, "of its support enumeration": 0}
    for number in range(500):
        m, n = rng.integers(1, 6, 2)
        A, B = rng.normal(size=(2, m, n))
        game = MatrixGame([A, B])
        found = support_enumeration(game)
        assert len(found) % 2 == 1  # Wilson 1971: almost every game has an odd number
        assert all(nash_conv(game, profile) < 1e-9 for profile in found)
        assert all(abs(p.sum() - 1) < 1e-12 and p.min() >= 0 for profile in found for p in profile)
        if min(m, n) == 1:  # one of the two has no choice: the other's best action, which the libraries refuse
            assert same_set(found, [pure(int(A[:, 0].argmax()), int(B[0].argmax()), sizes=(m, n))])
            continue
        theirs = quantecon.NormalFormGame([quantecon.Player(A), quantecon.Player(B.T.copy())])
        assert same_set(found, quantecon.vertex_enumeration(theirs), 1e-7)
        compared["quantecon"] += 1
        if m == n:
            assert same_set(found, quantecon.support_enumeration(theirs), 1e-7)
            compared["square"] += 1
        if number % 12 == 0:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                assert same_set(found, list(nashpy.Game(A, B).vertex_enumeration()), 1e-7)
                # Its support enumeration compares rounded numbers exactly, and so loses some: what it has, we have.
                some = list(nashpy.Game(A, B).support_enumeration(non_degenerate=True))
            assert all(sum(same_set([one], [ours], 1e-7) for ours in found) == 1 for one in some)
            compared["nashpy"] += 1
            compared["of its support enumeration"] += len(some)
    assert compared["quantecon"] > 280
    assert compared["square"] > 60
    assert compared["nashpy"] > 20
    assert compared["of its support enumeration"] > 20


def exactly(rows, right):
    """Solve linear equations in fractions; None where there is not exactly one solution."""
    rows = [[*map(Fraction, row), Fraction(b)] for row, b in zip(rows, right, strict=True)]
    n = len(rows)
    for k in range(n):
        pivot = next((r for r in range(k, n) if rows[r][k]), None)
        if pivot is None:
            return None
        rows[k], rows[pivot] = rows[pivot], rows[k]
        rows[k] = [v / rows[k][k] for v in rows[k]]
        for r in range(n):
            if r != k:
                rows[r] = [v - rows[r][k] * w for v, w in zip(rows[r], rows[k], strict=True)]
    return [row[-1] for row in rows]


def exact_corners(B):
    """All corners (x, v) of: x >= 0, x sums to 1, no column of B pays more than v; with what is tight there."""
    m, n = B.shape
    tight = [[int(i == k) for i in range(m)] + [0] for k in range(m)] + [[*map(int, B[:, j]), -1] for j in range(n)]
    corners = {}
    for chosen in itertools.combinations(range(m + n), m):
        z = exactly([tight[k] for k in chosen] + [[1] * m + [0]], [0] * m + [1])
        slack = None if z is None else [sum(a * b for a, b in zip(row, z, strict=True)) for row in tight]
        if slack is not None and min(slack[:m]) >= 0 and max(slack[m:]) <= 0:
            corners[tuple(z[:m])] = {k for k, s in enumerate(slack) if s == 0}
    return corners


def exact_equilibria(A, B):
    """All pairs of corners in which each action of each player is not played, or a best response."""
    m, n = A.shape
    xs = exact_corners(B)
    ys = {y: {(k + m) % (m + n) if k < n else k - n for k in tight} for y, tight in exact_corners(A.T).items()}
    every = set(range(m + n))
    return [
        (np.array(x, float), np.array(y, float))
        for (x, a), (y, b) in itertools.product(xs.items(), ys.items())
        if a | b == every
    ]


def integer_games(rng, count, most=4, high=2):
    for _ in range(count):
        m, n = rng.integers(1, most, 2)
        yield MatrixGame(rng.integers(0, high, (2, m, n)).astype(float))


def test_all_corners_of_degenerate_games_are_found_as_in_exact_arithmetic():
    many, rng = 0, np.random.default_rng(1)
    for game in integer_games(rng, 60, most=5):
        m, n = game.shape
        exact = exact_equilibria(*game.payoffs)
        assert same_set(support_enumeration(game), exact)
        # The same game with payoffs that are rounded: what was exactly singular is so no longer.
        rounded = 0.1 * game.payoffs + np.stack(
            [np.tile(rng.normal(size=n), (m, 1)), np.tile(rng.normal(size=(m, 1)), n)]
        )
        assert same_set(support_enumeration(MatrixGame(rounded)), exact, 1e-7)
        many += len(exact) % 2 == 0
    assert many > 15  # an even number of corners: these games are degenerate


def test_every_profile_of_a_degenerate_game_is_an_equilibrium():
    for game in integer_games(np.random.default_rng(2), 200, most=6, high=3):
        found = support_enumeration(game)
        assert found
        assert all(nash_conv(game, profile) < 1e-9 for profile in found)
        assert not any(same_set([a], [b], 1e-6) for a, b in itertools.combinations(found, 2))


def test_a_segment_of_equilibria_comes_as_its_two_ends():
    # To the row player both rows are the same; it may mix as it likes while the left column stays best: x(0) >= 1/3.
    game = MatrixGame([[[1, 0], [1, 0]], [[2, 0], [0, 1]]])
    expected = [pure(0, 0), pure(1, 1), ([1 / 3, 2 / 3], [1, 0]), ([1 / 3, 2 / 3], [0, 1])]
    assert same_set(support_enumeration(game), expected)
    for x0 in (1 / 3, 0.5, 0.9):
        assert nash_conv(game, ([x0, 1 - x0], [1, 0])) < 1e-12
    assert nash_conv(game, ([0.3, 0.7], [1, 0])) == pytest.approx(0.1)


def test_a_game_that_never_pays_has_all_its_corners():
    assert same_set(
        support_enumeration(MatrixGame(np.zeros((2, 2, 3)))),
        [pure(i, j, sizes=(2, 3)) for i in (0, 1) for j in (0, 1, 2)],
    )


def test_payoffs_that_only_rounding_tells_apart():
    # To the column player both columns are the same, and to the row player everything is.
    one, other = 0.3, 0.1 + 0.2
    same = [[one, other], [other, one]]
    corners = [pure(i, j) for i in (0, 1) for j in (0, 1)]
    assert same_set(support_enumeration(MatrixGame([np.zeros((2, 2)), same])), corners)
    worse = np.array([[*row, 0] for row in same])
    expected = [pure(i, j, sizes=(2, 3)) for i in (0, 1) for j in (0, 1)]
    assert same_set(support_enumeration(MatrixGame([np.full((2, 3), 7), worse])), expected)


def test_unequal_supports_are_found():
    # All rows pay the same in column 0, where both of the row player's ends need it: x is pure, y mixes.
    game = MatrixGame([[[1, 1], [0, 2]], [[1, 1], [3, 0]]])
    found = support_enumeration(game)
    assert same_set(found, exact_equilibria(*game.payoffs))
    assert any((x > 0).sum() != (y > 0).sum() for x, y in found)


def test_nearly_equal_payoffs_and_great_differences():
    # The mixed equilibrium of coordination with payoffs 1 and e is (e, 1) / (1 + e), for large and for small e.
    for e in (1e-6, 1e-3, 1e3, 1e6):
        game = MatrixGame([np.diag([1, e])] * 2)
        mixed = np.array([e, 1]) / (1 + e)
        assert same_set(support_enumeration(game), [pure(0, 0), pure(1, 1), (mixed, mixed)], 1e-12)
    # Each player has a unit of its own.
    game = MatrixGame([1e6 * classics.chicken().payoffs[0], 1e-6 * classics.chicken().payoffs[1]])
    assert same_set(support_enumeration(game), support_enumeration(classics.chicken()))
    assert pure_equilibria(game) == [(0, 1), (1, 0)]


def test_an_action_that_ruins_its_own_player_hides_nothing():
    A = np.zeros((4, 4))
    A[:3, :3] = classics.rock_paper_scissors().payoffs[0]
    A[3] = -1e7
    game = MatrixGame([A, A.T])  # the usual game is the same for both
    assert same_set(support_enumeration(game), [([*THIRD, 0], [*THIRD, 0])])


# -- what leaves the equilibria where they are -------------------------------------------------------------------------

SMALL_GAMES = st.tuples(st.integers(1, 4), st.integers(1, 3)).flatmap(
    lambda size: st.lists(st.integers(-3, 3), min_size=2 * size[0] * size[1], max_size=2 * size[0] * size[1]).map(
        lambda cells: np.reshape(cells, (2, *size)).astype(float)
    )
)


@given(SMALL_GAMES, st.randoms(use_true_random=False))
@settings(max_examples=50, deadline=None)
def test_renumbered_actions_and_exchanged_players(payoffs, chance):
    found = support_enumeration(MatrixGame(payoffs))
    assert found  # Nash 1950
    rows, columns = (chance.sample(range(A), A) for A in payoffs.shape[1:])
    renumbered = support_enumeration(MatrixGame(payoffs[:, rows][:, :, columns]))
    assert same_set(renumbered, [(x[rows], y[columns]) for x, y in found])
    exchanged = support_enumeration(MatrixGame(payoffs[::-1].transpose(0, 2, 1)))
    assert same_set(exchanged, [(y, x) for x, y in found])


@given(SMALL_GAMES, st.tuples(st.floats(0.01, 100), st.floats(0.01, 100)), st.integers(0, 10_000))
@settings(max_examples=50, deadline=None)
def test_other_units_and_what_one_is_paid_for_the_others_actions(payoffs, scale, seed):
    rng = np.random.default_rng(seed)
    changed = payoffs * np.reshape(scale, (2, 1, 1))
    # What the other one does may be paid for or fined as one likes: it changes no comparison of one's own actions.
    changed[0] += rng.normal(size=payoffs.shape[2])
    changed[1] += rng.normal(size=(payoffs.shape[1], 1))
    before, after = MatrixGame(payoffs), MatrixGame(changed)
    assert same_set(support_enumeration(after), support_enumeration(before), 1e-7)
    assert pure_equilibria(after) == pure_equilibria(before)


@given(SMALL_GAMES, st.integers(0, 10_000))
@settings(max_examples=50, deadline=None)
def test_gains_are_what_a_best_response_gains(payoffs, seed):
    game, rng = MatrixGame(payoffs), np.random.default_rng(seed)
    policies = [rng.dirichlet(np.ones(A)) for A in game.shape]
    gained = gains(game, policies)
    assert (gained >= 0).all()
    assert nash_conv(game, policies) == pytest.approx(gained.sum())
    for j in (0, 1):
        moved = list(policies)
        moved[j] = best_response(game, j, policies)
        assert game.value(moved)[j] - game.value(policies)[j] == pytest.approx(gained[j], abs=1e-12)
        assert gains(game, moved)[j] < 1e-12


def test_equally_good_actions_share():
    game = classics.battle_of_the_sexes()
    assert best_response(game, 0, [HALF, TWO_THIRDS[::-1]]) == pytest.approx(np.array(HALF))
    assert best_response(game, 0, [HALF, HALF]).tolist() == [1, 0]
    assert best_response(game, 1, [HALF, HALF]).tolist() == [0, 1]
    three = MatrixGame([[[2], [1], [2]], [[0], [0], [0]]])
    assert best_response(three, 0, [THIRD, [1]]).tolist() == [0.5, 0, 0.5]
    rounded = MatrixGame([[[0.1 + 0.2], [0.3], [0]], [[0], [0], [0]]])  # not the same number to a computer
    assert best_response(rounded, 0, [THIRD, [1]]).tolist() == [0.5, 0.5, 0]


def test_gains_by_hand():
    # At (0.8, 0.2) and (0.4, 0.6) pennies pay player 1 (0.8 - 0.2)(0.4 - 0.6) = -0.12; tails would pay 0.2. Player 2 has
    # 0.12, and would have 0.6 for tails.
    assert gains(classics.matching_pennies(), [[0.8, 0.2], [0.4, 0.6]]) == pytest.approx([0.32, 0.48])
    assert nash_conv(classics.prisoners_dilemma(), pure(0, 0)) == 4


# -- three and more players ----------------------------------------------------------------------------------------------


def expected_pay(game, policies):
    total = np.zeros(game.n_players)
    for joint in itertools.product(*map(range, game.shape)):
        total += np.prod([pi[a] for pi, a in zip(policies, joint, strict=True)]) * game.payoffs[(slice(None), *joint)]
    return total


@pytest.mark.parametrize("shape", [(2, 3, 2), (3, 3, 3), (2, 2, 2, 2), (4,)])
def test_gains_by_trying_every_move(shape):
    rng = np.random.default_rng(3)
    for _ in range(8):
        game = MatrixGame(rng.normal(size=(len(shape), *shape)))
        policies = [rng.dirichlet(np.ones(A)) for A in shape]
        now = expected_pay(game, policies)
        by_hand = []
        for i, A in enumerate(shape):
            moves = [[*policies[:i], np.eye(A)[a], *policies[i + 1 :]] for a in range(A)]
            by_hand.append(max(expected_pay(game, moved)[i] for moved in moves) - now[i])
        assert gains(game, policies) == pytest.approx(by_hand)
        assert nash_conv(game, policies) == pytest.approx(sum(by_hand))


@pytest.mark.parametrize("shape", [(3, 2, 2), (2, 2, 2, 2), (3, 4), (5,)])
def test_pure_equilibria_by_trying_every_move(shape):
    rng = np.random.default_rng(4)
    some = 0
    for _ in range(20):
        game = MatrixGame(rng.integers(0, 3, (len(shape), *shape)).astype(float))
        cells = [
            joint
            for joint in itertools.product(*map(range, shape))
            if all(
                game.payoffs[(i, *joint)] >= game.payoffs[(i, *joint[:i], a, *joint[i + 1 :])]
                for i, A in enumerate(shape)
                for a in range(A)
            )
        ]
        assert pure_equilibria(game) == cells
        some += len(cells)
    assert some > 20


def volunteers(b, c, n=3):
    """All n are paid b if anybody helps, and whoever helps (action 0) pays c: Diekmann 1985."""
    helps = np.array(list(itertools.product((1, 0), repeat=n))).reshape((2,) * n + (n,))
    return MatrixGame(np.moveaxis(b * helps.any(axis=-1, keepdims=True) - c * helps, -1, 0))


@pytest.mark.parametrize(("b", "c"), [(4, 1), (2, 1), (10, 7)])
def test_three_volunteers(b, c):
    # Whoever mixes must gain by helping just what it costs: b times the probability that no other helps. If all three mix,
    # the others stay away with sqrt(c / b) each; if one never helps, the other two stay away with c / b.
    some, few = (c / b) ** 0.5, c / b
    all_three = [(np.array([1 - some, some]),) * 3]
    one_helps = [tuple(np.eye(2)[int(i != k)] for i in range(3)) for k in range(3)]
    two = [tuple(np.array([0.0, 1.0]) if i == k else np.array([1 - few, few]) for i in range(3)) for k in range(3)]
    found = support_enumeration(volunteers(b, c))
    assert same_set(found, all_three + one_helps + two)
    again = support_enumeration(volunteers(b, c))
    assert np.array_equal(found, again)  # the same starts each time


def test_pennies_for_three_have_one_equilibrium():
    # Jordan 1993: 1 wants to be as 2, 2 as 3, and 3 unlike 1.
    a, b, c = np.indices((2, 2, 2))
    game = MatrixGame(np.array([a == b, b == c, c != a]).astype(float))
    assert pure_equilibria(game) == []
    assert same_set(support_enumeration(game), [(HALF,) * 3])


def test_equilibria_of_random_games_of_three_or_four():
    rng = np.random.default_rng(5)
    for shape in [(2, 2, 2)] * 8 + [(2, 3, 2)] * 3 + [(2, 2, 2, 2)]:
        game = MatrixGame(rng.normal(size=(len(shape), *shape)))
        found = support_enumeration(game)
        assert len(found) % 2 == 1
        assert all(nash_conv(game, profile) < 1e-9 for profile in found)
        pures = [tuple(int(p.argmax()) for p in profile) for profile in found if all(p.max() == 1 for p in profile)]
        assert pures == pure_equilibria(game)


def test_a_third_player_without_influence_changes_nothing():
    pennies = classics.matching_pennies().payoffs
    game = MatrixGame(np.stack([np.stack([table] * 2, axis=-1) for table in (*pennies, 0 * pennies[0])]))
    assert same_set(support_enumeration(game), [(HALF, HALF, [1, 0]), (HALF, HALF, [0, 1])])


def test_one_player_alone_takes_the_best():
    assert same_set(support_enumeration(MatrixGame([[1, 3, 2, 3]])), [([0, 1, 0, 0],), ([0, 0, 0, 1],)])


# -- correlated equilibria -------------------------------------------------------------------------------------------------


def gains_when_told(game, p):
    """What each player gains at most by doing one thing whenever it is told another."""
    most = 0.0
    for i in range(game.n_players):
        for told, instead in itertools.permutations(range(game.shape[i]), 2):
            here = np.moveaxis(p, i, 0)[told]
            u = np.moveaxis(game.payoffs[i], i, 0)
            most = max(most, float((here * (u[instead] - u[told])).sum()))
    return most


def test_a_traffic_light_for_chicken():
    p = correlated(classics.chicken())
    assert p == pytest.approx(np.array([[1 / 2, 1 / 4], [1 / 4, 0]]), abs=1e-9)
    assert (p * classics.chicken().payoffs).sum(axis=(1, 2)) == pytest.approx([5.25, 5.25], abs=1e-9)


@pytest.mark.parametrize("shape", [(2, 2), (3, 4), (1, 3), (2, 2, 2), (2, 3, 2)])
def test_correlated_equilibria_are_at_least_as_good_as_all_of_nash(shape):
    rng = np.random.default_rng(6)
    for number in range(10):
        payoffs = rng.integers(0, 9, (len(shape), *shape)) * 10.0 ** rng.integers(-3, 4)
        game = MatrixGame(payoffs)
        size = payoffs.max() or 1
        p = correlated(game)
        assert p.shape == shape
        assert p.min() >= 0
        assert p.sum() == pytest.approx(1)
        assert gains_when_told(game, p) < 1e-7 * size, number
        total = (p * game.payoffs).sum()
        nash = [game.value(profile).sum() for profile in support_enumeration(game)]
        assert total >= max(nash) - 1e-7 * size


def test_the_best_of_a_team_needs_no_lottery():
    p = correlated(classics.climbing())
    assert p[0, 0] == pytest.approx(1)
    assert correlated(MatrixGame([[[5.0]], [[1.0]]])).tolist() == [[1]]


# -- what is refused ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("function", [gains, nash_conv, lambda game, pi: best_response(game, 0, pi)])
@pytest.mark.parametrize(
    ("policies", "message"),
    [
        ([HALF, [0.5, 0.6]], r"policies\[1\] sums to 1.1, but probabilities must sum to 1"),
        ([HALF, [1.5, -0.5]], r"policies\[1, 1\]|policies\[1\]\[1\] is -0.5, but probabilities must not be negative"),
        ([HALF, THIRD], r"policies\[1\] has shape \(3,\), but \(2,\) was expected"),
        ([HALF, [np.nan, 1]], r"policies\[1\].*is nan, but it must be a finite number"),
        ([HALF], "policies holds 1, but the game has 2 players"),
    ],
)
def test_profiles_that_are_none(function, policies, message):
    with pytest.raises(ValueError, match=message):
        function(classics.matching_pennies(), policies)


def test_other_bad_input():
    with pytest.raises(ValueError, match="player is 2, but there are 2, numbered from 0"):
        best_response(classics.matching_pennies(), 2, [HALF, HALF])
    with pytest.raises(ValueError, match="13 and 12 actions, and more than 1,000,000 pairs of supports"):
        support_enumeration(MatrixGame(np.zeros((2, 13, 12))))
    with pytest.raises(ValueError, match=r"\(5, 5, 5\) actions, and more than 5,000 supports"):
        support_enumeration(MatrixGame(np.zeros((3, 5, 5, 5))))
