"""POMDPs: beliefs by Bayes' rule, and values against brute force over policy trees and over a grid of beliefs."""

from itertools import islice, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from rlkit.mdp import POMDP, alpha_vectors, belief_update, looking_first, observation_probabilities, tiger
from rlkit.mdp.partial import margin, prune


def random_pomdp(rng, S, A, Z, gamma=0.9):
    P, sensor = rng.dirichlet(np.ones(S), size=(S, A)), rng.dirichlet(np.ones(Z), size=(A, S))
    return POMDP(P, sensor, rng.integers(-3, 4, size=(S, A)), gamma, rng.dirichlet(np.ones(S)))


def every_tree(A, Z, depth):
    """Yield every policy tree: (action, [subtree for each observation])."""
    if depth == 1:
        yield from ((a, []) for a in range(A))
        return
    below = list(every_tree(A, Z, depth - 1))
    yield from ((a, subs) for a in range(A) for subs in product(below, repeat=Z))


def worth(pomdp, tree, s):
    """Return the expected return of a tree in state s, by walking through all that can happen."""
    a, subs = tree
    total = pomdp.R[s, a]
    for s_next, o in product(range(pomdp.n_states), range(len(subs))):
        p = pomdp.P[s, a, s_next] * pomdp.O[a, s_next, o]
        total += pomdp.gamma * p * worth(pomdp, subs[o], s_next) if p else 0
    return total


# -- beliefs ---------------------------------------------------------------------------------------------------------


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 4), st.integers(1, 3), st.integers(1, 3))
def test_the_belief_is_bayes_rule_over_all_that_can_have_happened(seed, S, A, Z):
    rng = np.random.default_rng(seed)
    pomdp = random_pomdp(rng, S, A, Z)
    doing, seen = rng.integers(A, size=3), rng.integers(Z, size=3)
    b, probability = pomdp.start, 1.0
    for a, o in zip(doing, seen, strict=True):
        probability *= observation_probabilities(pomdp, b, a)[o]
        b = belief_update(pomdp, b, a, o)
    weight = np.zeros(S)
    for path in product(range(S), repeat=4):
        p = pomdp.start[path[0]]
        for t in range(3):
            p *= pomdp.P[path[t], doing[t], path[t + 1]] * pomdp.O[doing[t], path[t + 1], seen[t]]
        weight[path[-1]] += p
    np.testing.assert_allclose(b, weight / weight.sum(), atol=1e-12)
    assert probability == pytest.approx(weight.sum(), rel=1e-10)


def test_hearing_the_tiger():
    world = tiger()
    once = belief_update(world, world.start, 0, 0)
    twice = belief_update(world, once, 0, 0)
    np.testing.assert_allclose(once, [0.85, 0.15], atol=1e-12)
    np.testing.assert_allclose(twice[0], 0.85**2 / (0.85**2 + 0.15**2), atol=1e-12)  # 0.9698
    np.testing.assert_allclose(belief_update(world, once, 0, 1), [0.5, 0.5], atol=1e-12)
    for a, o in product((1, 2), (0, 1)):
        np.testing.assert_allclose(belief_update(world, twice, a, o), [0.5, 0.5], atol=1e-12)


# -- values ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("gamma", [1.0, 0.75])
def test_the_tiger_against_every_policy_tree(gamma):
    world = tiger(gamma)
    p = np.linspace(0, 1, 51)
    beliefs = np.c_[p, 1 - p]
    for depth, alpha in zip((1, 2, 3), alpha_vectors(world), strict=False):
        all_trees = np.array([[worth(world, tree, s) for s in (0, 1)] for tree in every_tree(3, 2, depth)])
        np.testing.assert_allclose([alpha.value(b) for b in beliefs], (beliefs @ all_trees.T).max(axis=1), atol=1e-9)


@settings(max_examples=12, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(2, 4), st.integers(2, 3))
def test_random_worlds_against_every_policy_tree(seed, S, Z):
    """With three or more states this is the way through the linear programs."""
    rng = np.random.default_rng(seed)
    pomdp = random_pomdp(rng, S, 2, Z)
    *_, alpha = islice(alpha_vectors(pomdp), 2)
    all_trees = np.array([[worth(pomdp, tree, s) for s in range(S)] for tree in every_tree(2, Z, 2)])
    beliefs = np.r_[np.eye(S), rng.dirichlet(np.ones(S), size=60)]
    np.testing.assert_allclose([alpha.value(b) for b in beliefs], (beliefs @ all_trees.T).max(axis=1), atol=1e-6)
    assert len(alpha.vectors) <= len(all_trees)


def on_a_grid(world, steps, cells=20_000):
    """Return values on a grid of beliefs, by recursion with linear interpolation: never below the truth (convexity)."""
    p = np.linspace(0, 1, cells + 1)
    V = np.zeros(cells + 1)
    for _ in range(steps):
        Q = np.empty((world.n_actions, cells + 1))
        for a in range(world.n_actions):
            to = np.c_[p, 1 - p] @ world.P[:, a]
            Q[a] = np.c_[p, 1 - p] @ world.R[:, a]
            for o in range(world.n_observations):
                joint = to * world.O[a, :, o]
                likely = joint.sum(axis=1)
                Q[a] += world.gamma * likely * np.interp(joint[:, 0] / likely, p, V)
        V = Q.max(axis=0)
    return p, V


def test_ten_steps_against_a_grid():
    p, V = on_a_grid(tiger(), 10)
    *_, alpha = islice(alpha_vectors(tiger()), 10)
    exact = (np.c_[p, 1 - p] @ alpha.vectors.T).max(axis=1)
    assert (V >= exact - 1e-9).all()
    np.testing.assert_allclose(V, exact, atol=2e-3)


def test_the_discounted_tiger():
    """The value 19.37 at the belief 1/2 for gamma = 0.95, here from a grid of beliefs and from the alpha-vectors."""
    *_, alpha = alpha_vectors(tiger(0.95), tol=1e-3)
    p, V = on_a_grid(tiger(0.95), 320, cells=2000)
    assert alpha.value([0.5, 0.5]) == pytest.approx(V[1000], abs=5e-3)
    assert alpha.value([0.5, 0.5]) == pytest.approx(19.37, abs=5e-3)
    np.testing.assert_allclose((np.c_[p, 1 - p] @ alpha.vectors.T).max(axis=1), V, atol=2e-2)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 25))
def test_lines_are_pruned_as_by_linear_programs(seed, N):
    """Two states take a short way; the third state here, which nobody believes in, forces the long one."""
    rng = np.random.default_rng(seed)
    lines = rng.integers(-4, 5, size=(N, 2)).astype(float)
    p = np.linspace(0, 1, 4001)[:, None]
    all_values = p * lines[:, 0] + (1 - p) * lines[:, 1]
    short = prune(lines)
    np.testing.assert_allclose(all_values[:, short].max(axis=1), all_values.max(axis=1), atol=1e-9)
    padded = np.c_[lines, np.full(N, -99.0)]
    np.testing.assert_allclose(np.unique(lines[short], axis=0), np.unique(lines[prune(padded)], axis=0))
    assert len(short) == len(np.unique(lines[short], axis=0))
    v = rng.integers(-4, 5, size=2).astype(float)
    gap, b = margin(v, lines)
    assert gap == pytest.approx(((v - lines) @ b).min())
    best = linprog(
        [0, 0, -1], np.c_[lines - v, np.ones(N)], np.zeros(N), [[1, 1, 0]], [1], [(0, 1)] * 2 + [(None, None)]
    )
    assert gap == pytest.approx(-best.fun, abs=1e-7)


def test_no_vector_can_be_spared():
    for alpha in islice(alpha_vectors(tiger()), 6):
        for k in range(len(alpha.vectors)):
            assert margin(alpha.vectors[k], np.delete(alpha.vectors, k, axis=0))[0] > 0


def test_a_plan_is_worth_what_its_vector_says():
    world = tiger()
    one, _, alpha = islice(alpha_vectors(world), 3)
    assert [one.action(b) for b in ([0.95, 0.05], [0.5, 0.5], [0.05, 0.95])] == [2, 0, 1]
    assert one.tree([0.5, 0.5]).tolist() == [0]
    tree = alpha.tree([0.5, 0.5])
    assert tree.tolist() == [0, 0, 0, 2, 0, 0, 1]  # listen twice; open where nothing was heard, if both times agree
    nested = (0, [(0, [(2, []), (0, [])]), (0, [(0, []), (1, [])])])
    np.testing.assert_allclose([worth(world, nested, s) for s in (0, 1)], alpha.vectors[alpha.best([0.5, 0.5])])


def test_stopping():
    """Within tol / 2 of the best: where the state is seen, that is known exactly."""
    P = np.array([[[0.0, 1], [1, 0]], [[0.5, 0.5], [0, 1]]])
    R, seen = np.array([[1.0, 0], [0, 2]]), np.broadcast_to(np.eye(2), (2, 2, 2))
    *_, alpha = alpha_vectors(POMDP(P, seen, R, 0.8), tol=1e-6)
    V = np.zeros(2)
    for _ in range(200):
        V = (R + 0.8 * P @ V).max(axis=1)
    np.testing.assert_allclose([alpha.value(b) for b in np.eye(2)], V, atol=5e-7)
    with pytest.raises(ValueError, match="tol is 0.1 and gamma 1"):
        next(alpha_vectors(tiger(), tol=0.1))


# -- looking first -----------------------------------------------------------------------------------------------------


def test_looking_first_by_hand():
    now, first = looking_first(tiger(), [[0.5, 0.5], [0.85, 0.15], [1, 0]], look=0)
    np.testing.assert_allclose(now, [-45, -6.5, 10])
    # From 0.85: with 0.745 the same side again, which makes 0.9698, else back to 0.5.
    same, sure = 0.85**2 + 0.15**2, 0.85**2 / (0.85**2 + 0.15**2)
    np.testing.assert_allclose(
        first, [-7.5, -1 + same * (10 * sure - 100 * (1 - sure)) - 45 * (1 - same), 9], atol=1e-9
    )


def test_many_looks_are_a_race_to_three_more_of_one_side():
    """Without a limit the best is to open once one side is some number ahead: by hand, a random walk with an end."""

    def worth_of(ahead):
        """Return the value at belief 1/2 of opening once one side is so many growls ahead."""
        odds = 0.85 ** np.arange(ahead + 1) / 0.15 ** np.arange(ahead + 1)
        sure = odds / (1 + odds)  # of the side that is k ahead
        further = sure * 0.85 + (1 - sure) * 0.15
        # v(0) = -1 + v(1),  v(k) = -1 + further(k) v(k + 1) + (1 - further(k)) v(k - 1)
        M, c = np.eye(ahead + 1), np.full(ahead + 1, -1.0)
        M[0, 1] = -1
        for k in range(1, ahead):
            M[k, k + 1], M[k, k - 1] = -further[k], further[k] - 1
        c[-1] = 10 * sure[-1] - 100 * (1 - sure[-1])
        return np.linalg.solve(M, c)[0]

    best = max(worth_of(k) for k in range(1, 6))
    assert best == worth_of(3)
    values = [float(looking_first(tiger(), [0.5, 0.5], look=0, times=n)[1]) for n in (9, 15)]
    assert values[0] < values[1] <= best
    assert values[1] == pytest.approx(best, abs=0.05)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(0, 1))
def test_another_look_never_hurts(seed, p):
    values = [looking_first(tiger(), [p, 1 - p], look=0, times=n) for n in (1, 2, 3, 4)]
    assert np.diff([first for _, first in values]).min() >= -1e-12
    assert len({float(now) for now, _ in values}) == 1


# -- the door ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"P": np.eye(2)}, r"P has shape \(2, 2\), but \[S, A, S\] was expected"),
        ({"P": np.full((2, 3, 2), 0.4)}, r"P\[0, 0\] sums to 0.8"),
        ({"O": np.full((2, 2, 2), 0.5)}, r"O has shape \(2, 2, 2\), but \[3, 2, observations\] was expected"),
        ({"O": np.full((3, 2, 2), 0.6)}, r"O\[0, 0\] sums to 1.2"),
        ({"R": np.zeros((2, 2))}, r"R has shape \(2, 2\)"),
        ({"gamma": 1.5}, "gamma is 1.5"),
        ({"start": [0.7, 0.2]}, "start sums to 0.9"),
        ({"actions": ("listen",)}, "actions has 1 names, but there are 3"),
    ],
)
def test_worlds_that_are_refused(change, message):
    good = {name: getattr(tiger(), name) for name in ("P", "O", "R")}
    with pytest.raises(ValueError, match=message):
        POMDP(**good | change)


def test_questions_that_are_refused():
    world = tiger()
    with pytest.raises(ValueError, match="a is 3, but there are only 3"):
        belief_update(world, [0.5, 0.5], 3, 0)
    with pytest.raises(ValueError, match=r"b has shape \(3,\)"):
        belief_update(world, [0.5, 0.5, 0], 0, 0)
    deaf = POMDP(world.P, np.broadcast_to([1.0, 0], (3, 2, 2)), world.R)
    with pytest.raises(ValueError, match="observation 1 has probability 0"):
        belief_update(deaf, [0.5, 0.5], 0, 1)
    with pytest.raises(ValueError, match=r"beliefs has shape \(3,\), but \[..., 2\] was expected"):
        looking_first(world, [1, 0, 0], look=0)
