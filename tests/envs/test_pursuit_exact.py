"""Exact times of capture: against cells worked by hand, a recursion in plain Python, and games that are played."""

from fractions import Fraction
from itertools import islice

import numpy as np
import pytest

from rlkit.envs.pursuit import Pursuit, at_random, yard
from rlkit.envs.pursuit_exact import _pairs, best_pursuer, capture_times, playing, starts, time_of

OPEN = np.zeros((8, 8), bool)
MOVES = [(0, 0), (0, 1), (1, 0), (0, -1), (-1, 0)]


def test_two_cells_by_hand():
    """In a corridor of two cells the evader is missed only if it comes to us while we stay, which is a capture too: it cannot
    get away from a pursuer that moves, who meets it there or changes places with it."""
    two = np.zeros((2, 1), bool)
    V, policy = best_pursuer(two)
    assert V[0, 1] == V[1, 0] == 1
    assert policy[0, 1] == 2 and policy[1, 0] == 4, "right, and left"
    # At random both stay apart only where neither moves towards the other: (4/5)^2 of the pairs of moves.
    assert time_of(two)[0, 1] == pytest.approx(1 / (1 - 0.8**2), abs=1e-12)


def test_the_corner_of_the_six_cells_by_hand():
    """Beside the corner: four of five moves are a capture; after the fifth the pursuer stands in it, with the evader above."""
    V, policy = best_pursuer(np.zeros((3, 2), bool))
    cell = lambda x, y: 2 * x + y  # noqa: E731
    p, e = cell(1, 0), cell(0, 0)
    assert policy[p, e] == 4
    assert V[p, e] == pytest.approx(1 + V[cell(0, 0), cell(0, 1)] / 5, abs=1e-9)


def slow_times(obstacles, sweeps):
    """The same recursion over dictionaries of cells, with the rules written out again."""
    free = [tuple(c) for c in np.argwhere(~obstacles)]

    def go(c, m):
        to = (c[0] + m[0], c[1] + m[1])
        return to if to in free else c

    V = {(p, e): 0.0 for p in free for e in free}
    for _ in range(sweeps):
        after = {}
        for p, e in V:
            times = []
            for mine in MOVES:
                total = 0.0
                for its in MOVES:
                    to, at = go(p, mine), go(e, its)
                    caught = to == at or (to == e and at == p)
                    total += 0.0 if caught else V[to, at] / 5
                times.append(1 + total)
            after[p, e] = min(times)
        V = after
    return V


@pytest.mark.parametrize("size", [(3, 2), (2, 2), (4, 1)])
def test_small_maps_in_fractions(size):
    """The times of the policy by elimination in fractions, and no action anywhere with a smaller one: then it is a best one."""
    V, policy = best_pursuer(np.zeros(size, bool))
    cells = [(x, y) for x in range(size[0]) for y in range(size[1])]
    pairs = [(p, e) for p in cells for e in cells if p != e]

    def go(c, m):
        to = (c[0] + m[0], c[1] + m[1])
        return to if to in cells else c

    def still_apart(p, e, mine):
        ways = [(go(p, mine), go(e, its)) for its in MOVES]
        return [(to, at) for to, at in ways if to != at and (to, at) != (e, p)]

    rows = []  # of (I - P) V = 1, the last column
    for i, (p, e) in enumerate(pairs):
        row = [Fraction(i == j) for j in range(len(pairs))] + [Fraction(1)]
        for pair in still_apart(p, e, MOVES[policy[cells.index(p), cells.index(e)]]):
            row[pairs.index(pair)] -= Fraction(1, 5)
        rows.append(row)
    for i in range(len(rows)):
        rows[i] = [x / rows[i][i] for x in rows[i]]
        for j in range(len(rows)):
            if j != i and rows[j][i]:
                rows[j] = [x - rows[j][i] * y for x, y in zip(rows[j], rows[i], strict=True)]
    exact = {pair: row[-1] for pair, row in zip(pairs, rows, strict=True)}
    for (p, e), time in exact.items():
        assert V[cells.index(p), cells.index(e)] == pytest.approx(float(time), abs=1e-12)
        assert time == min(1 + sum(exact[pair] for pair in still_apart(p, e, mine)) / 5 for mine in MOVES)


@pytest.mark.parametrize("obstacles", [OPEN, yard(), np.zeros((11, 9), bool)], ids=["open", "yard", "11 x 9"])
def test_one_more_sweep_changes_nothing(obstacles):
    """Bellman's equation holds to 1e-12. No time is above 25, so that V is within 1e-10 of the optimum."""
    V, _ = best_pursuer(obstacles)
    here, there, goes_on = _pairs(obstacles)
    again = 1 + (goes_on * V[here, there]).mean(axis=3).min(axis=2)
    assert V.max() < 25 and abs(again - V)[starts(obstacles)].max() < 1e-12


def test_sweeps_of_a_random_pursuer_rise_to_its_exact_times():
    small = yard(4, 5)
    V = next(islice(capture_times(small, np.mean), 1000, None))
    np.testing.assert_allclose(V[starts(small)], time_of(small)[starts(small)], atol=1e-6)


@pytest.mark.parametrize("seed", range(3))
def test_sweeps_equal_a_plain_recursion(seed):
    rng = np.random.default_rng(seed)
    obstacles = rng.random((3, 4)) < 0.25
    V = next(islice(capture_times(obstacles), 6, None))
    slow = slow_times(obstacles, 6)
    for (p, e), v in slow.items():
        if p != e:
            assert V[p[0] * 4 + p[1], e[0] * 4 + e[1]] == pytest.approx(v, abs=1e-12)


def test_the_best_policy_has_the_best_time_and_nobody_a_better_one():
    V, policy = best_pursuer(OPEN)
    on = starts(OPEN)
    assert abs(time_of(OPEN, policy) - V)[on].max() < 1e-7
    rng = np.random.default_rng(0)
    changed = np.where(rng.random(policy.shape) < 0.1, rng.integers(5, size=policy.shape), policy)
    mixed = 0.5 * np.eye(5)[changed] + 0.5 * np.eye(5)[policy]
    assert (time_of(OPEN, mixed) >= V - 1e-7)[on].all()
    assert time_of(OPEN, mixed)[on].mean() > V[on].mean()


@pytest.mark.parametrize(
    ("obstacles", "best"),
    [(OPEN, True), (yard(), True), (yard(4, 5), False)],
    ids=["open", "yard", "small yard, at random"],
)
def test_games_take_as_long_as_computed(obstacles, best):
    """10,000 games each; within 4 standard errors, error rate 6e-5 each."""
    V, policy = best_pursuer(obstacles) if best else (time_of(obstacles), None)
    n, rng = 10_000, np.random.default_rng(1)
    world = Pursuit(n, size=obstacles.shape, pursuers=1, evaders=1, obstacles=obstacles, limit=10_000)
    obs, choose = world.reset(0), playing(policy) if best else at_random
    time, going = np.zeros(n), np.ones(n, bool)
    while going.any():
        obs, _, ended, _ = world.step(np.stack([choose(obs[:, 0], rng), at_random(obs[:, 1], rng)], axis=1))
        time += going
        going &= ~ended
    assert abs(time.mean() - V[starts(obstacles)].mean()) < 4 * time.std() / np.sqrt(n)


def test_the_inside_of_an_obstacle_is_no_part_of_the_map():
    """In the middle of a block of 3 x 3 an evader could never be caught; but nobody stands there, and sweeps come to an end."""
    around = np.zeros((5, 5), bool)
    around[1:4, 1:4] = True
    V, policy = best_pursuer(around)
    on = starts(around)
    assert on.sum() == 16 * 15 and abs(time_of(around, policy) - V)[on].max() < 1e-7


def test_a_map_with_one_free_cell_has_no_pairs():
    one = np.array([[False, True]])
    assert not starts(one).any() and best_pursuer(one)[0].shape == time_of(one).shape == (2, 2)


def test_what_has_no_time_is_refused():
    apart = np.zeros((3, 1), bool)
    apart[1] = True
    for call in (best_pursuer, time_of):
        with pytest.raises(ValueError, match="falls into parts"):
            call(apart)
    for no_map in (np.ones((2, 2), bool), np.zeros((2, 2)), np.zeros(4, bool)):
        with pytest.raises(ValueError, match="with free cells was expected"):
            best_pursuer(no_map)


def test_a_pursuer_that_waits_is_found_and_one_that_runs_away_is_not():
    """On 2 x 2 cells, 0 and 1 at the left and 2 and 3 at the right, everybody walks in a ring of four."""
    ring, up, right, down, left = np.zeros((2, 2), bool), 1, 2, 3, 4
    # Who waits is found: from beside it V = 1 + (3 V + W) / 5, from the corner across W = 1 + (2 V + 3 W) / 5.
    waits = time_of(ring, np.zeros((4, 4), int))
    assert waits[0, 1] == pytest.approx(7.5, abs=1e-12) and waits[0, 3] == pytest.approx(10, abs=1e-12)
    # Who runs from an evader beside it, and waits for one across, is never met.
    away = np.zeros((4, 4), int)
    away[0, 1], away[0, 2], away[1, 0], away[1, 3] = right, up, right, down
    away[2, 0], away[2, 3], away[3, 1], away[3, 2] = up, left, down, left
    with pytest.raises(ValueError, match="never captures"):
        time_of(ring, away)


@pytest.mark.parametrize(
    ("policy", "told"),
    [
        (np.zeros((2, 2), int), r"policy has shape \(2, 2\), but \(3, 3\) was expected"),
        (np.full((3, 3), 5), "policy has an action outside 0 to 4"),
        (np.full((3, 3), -1), "policy has an action outside 0 to 4"),
        (np.full((3, 3, 5), 0.25), r"policy\[0, 0\] sums to 1.25, but probabilities must sum to 1"),
        (np.tile([1.5, -0.5, 0, 0, 0], (3, 3, 1)), r"policy\[0, 0, 1\] is -0.5, but probabilities"),
    ],
)
def test_what_is_no_policy_is_refused(policy, told):
    with pytest.raises(ValueError, match=told):
        time_of(np.zeros((3, 1), bool), policy)
