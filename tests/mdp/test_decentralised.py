"""Dec-POMDPs: pairs of policy trees against histories walked one by one, and Dec-Tiger's published optima."""

from itertools import islice, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rlkit.mdp import (
    DecPOMDP,
    alpha_vectors,
    best_trees,
    dec_tiger,
    decentralised,
    numbered_tree,
    pair_values,
    pooled,
    tiger,
    value_of_trees,
)
from rlkit.mdp.decentralised import tree_depth


def random_dec(rng, S=2, A=(2, 2), Z=(2, 2), gamma=0.9):
    P = rng.dirichlet(np.ones(S), size=(S, *A))
    sensor = rng.dirichlet(np.ones(Z[0] * Z[1]), size=(*A, S)).reshape(*A, S, *Z)
    return DecPOMDP(P, sensor, rng.normal(size=(S, *A)), gamma, rng.dirichlet(np.ones(S)))


def walked(dec, one, two, depth):
    """Return the worth of a pair of trees: walk through every sequence of states and observations."""
    Z1, Z2 = dec.n_observations

    def go(s, n, k, left):
        a1, a2 = one[n], two[k]
        total = dec.R[s, a1, a2]
        if left > 1:
            for s_next, o1, o2 in product(range(dec.n_states), range(Z1), range(Z2)):
                p = dec.P[s, a1, a2, s_next] * dec.O[a1, a2, s_next, o1, o2]
                if p:
                    total += dec.gamma * p * go(s_next, 1 + Z1 * n + o1, 1 + Z2 * k + o2, left - 1)
        return total

    return sum(dec.start[s] * go(s, 0, 0, depth) for s in range(dec.n_states))


@settings(max_examples=25, deadline=None)
@given(
    st.integers(0, 2**32 - 1),
    st.tuples(*[st.integers(1, 3)] * 2),
    st.tuples(*[st.integers(1, 3)] * 2),
    st.integers(1, 3),
    st.integers(1, 3),
)
def test_pairs_of_trees_against_a_walk(seed, A, Z, S, depth):
    """Agents with different numbers of actions and observations, so that no two axes can be confused."""
    rng = np.random.default_rng(seed)
    dec = random_dec(rng, S, A, Z)
    nodes = [sum(z**t for t in range(depth)) for z in Z]
    many = [rng.integers(a, size=(4, n)) for a, n in zip(A, nodes, strict=True)]
    one_by_one = [walked(dec, x, y, depth) for x, y in zip(*many, strict=True)]
    np.testing.assert_allclose(value_of_trees(dec, *many), one_by_one, atol=1e-12)
    assert value_of_trees(dec, many[0][0], many[1][0]) == pytest.approx(one_by_one[0])


@pytest.mark.parametrize(("A", "Z", "depth"), [((2, 3), (2, 1), 2), ((2, 2), (1, 2), 3), ((3, 2), (2, 3), 2)])
def test_the_enumeration_numbers_its_trees(A, Z, depth):
    dec = random_dec(np.random.default_rng(depth), S=3, A=A, Z=Z)
    table = pair_values(dec, depth)
    trees = [np.array([numbered_tree(k, depth, A[i], Z[i]) for k in range(table.shape[i])]) for i in (0, 1)]
    assert all(len(np.unique(t, axis=0)) == len(t) for t in trees)
    exact = value_of_trees(dec, trees[0][:, None], trees[1][None])
    np.testing.assert_allclose(table, exact, atol=1e-12)


def test_dec_tiger_for_two_steps_is_four_listens():
    """-4.0, Nair et al. (2003), from all 27 x 27 pairs, each walked through; the only best pair never opens."""
    dec = dec_tiger()
    trees = [numbered_tree(k, 2, 3, 2) for k in range(27)]
    by_hand = np.array([[walked(dec, x, y, 2) for y in trees] for x in trees])
    np.testing.assert_allclose(pair_values(dec, 2), by_hand, atol=1e-12)
    assert by_hand.max() == pytest.approx(-4)
    assert (by_hand > -4 - 1e-9).sum() == 1
    value, one, two = best_trees(dec, 2)
    assert (round(value, 9), one.tolist(), two.tolist()) == (-4, [0, 0, 0], [0, 0, 0])


def test_dec_tiger_for_three_steps():
    """5.190812, published by the MASPlan benchmark page (first solved by Szer, Charpillet and Zilberstein 2005)."""
    dec = dec_tiger()
    value, one, two = best_trees(dec, 3)
    assert value == pytest.approx(5.190812, abs=1e-6)
    assert one.tolist() == two.tolist() == [0, 0, 0, 2, 0, 0, 1]
    assert walked(dec, one, two, 3) == pytest.approx(value)
    # The same by hand: both open together where all four growls agree, one opens alone, or the two open different doors.
    p, q = 0.85**2, 0.15**2
    mixed = 1 - p - q
    by_hand = -4 + p * p * 20 + q * q * -50 + 2 * p * q * -100 + 2 * p * mixed * 9 + 2 * q * mixed * -101 - 2 * mixed**2
    assert value == pytest.approx(by_hand)


def test_three_steps_between_two_bounds():
    """A sample of pairs agrees with the walk, and pooled ears are an upper bound."""
    dec = dec_tiger()
    table = pair_values(dec, 3)
    rng = np.random.default_rng(0)
    for i, j in rng.integers(3**7, size=(60, 2)):
        walk = walked(dec, numbered_tree(i, 3, 3, 2), numbered_tree(j, 3, 3, 2), 3)
        assert table[i, j] == pytest.approx(walk, abs=1e-9)
    bounds = [alpha.value(dec.start) for alpha in islice(alpha_vectors(pooled(dec)), 3)]
    best = [pair_values(dec, horizon).max() for horizon in (1, 2, 3)]
    assert bounds[0] == best[0] == -2
    assert best[1] < bounds[1] == pytest.approx(-2 + 0.745 * (20 - 70 * 0.15**2 / 0.745) - 2 * 0.255)
    assert best[2] < bounds[2]


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_pooled_ears_never_hurt(seed):
    dec = random_dec(np.random.default_rng(seed))
    *_, alpha = islice(alpha_vectors(pooled(dec)), 2)
    assert alpha.value(dec.start) >= pair_values(dec, 2).max() - 1e-9


def test_a_second_agent_who_only_watches():
    """With one action and one observation the second agent does not matter: what is left is the tiger's POMDP."""
    world = tiger()
    dec = DecPOMDP(world.P[:, :, None], world.O[:, None, :, :, None], world.R[:, :, None])
    for horizon, alpha in zip((1, 2, 3), alpha_vectors(world), strict=False):
        value, one, _ = best_trees(dec, horizon)
        assert value == pytest.approx(alpha.value([0.5, 0.5]))
        if horizon == 3:
            assert one.tolist() == alpha.tree([0.5, 0.5]).tolist()


def test_the_size_of_trees():
    assert [tree_depth(n, 2) for n in (1, 3, 7, 15)] == [1, 2, 3, 4]
    assert [tree_depth(n, 1) for n in (1, 2, 3)] == [1, 2, 3]
    with pytest.raises(ValueError, match="a tree has 5 nodes, but with 2 observations no full tree has as many"):
        tree_depth(5, 2)
    assert tree_depth(10**12, 1) == 10**12
    for nodes, observations, told in ((3, 0, "observations is 0"), (0, 2, "nodes is 0"), (1.5, 2, "nodes is 1.5")):
        with pytest.raises(ValueError, match=told):
            tree_depth(nodes, observations)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"P": np.eye(2)}, r"P has shape \(2, 2\), but \[S, A1, A2, S\] was expected"),
        ({"P": np.full((2, 3, 3, 2), 0.4)}, r"P\[0, 0, 0\] sums to 0.8"),
        ({"O": np.full((3, 3, 2, 4), 0.25)}, r"O has shape \(3, 3, 2, 4\), but \[3, 3, 2, Z1, Z2\] was expected"),
        ({"O": np.full((3, 3, 2, 2, 2), 0.3)}, r"O\[0, 0, 0\] sums to 1.2"),
        ({"R": np.zeros((2, 3))}, r"R has shape \(2, 3\)"),
    ],
)
def test_worlds_that_are_refused(change, message):
    good = {name: getattr(dec_tiger(), name) for name in ("P", "O", "R")}
    with pytest.raises(ValueError, match=message):
        DecPOMDP(**good | change)


def test_questions_that_are_refused():
    dec = dec_tiger()
    with pytest.raises(ValueError, match="pairs of trees are too many"):
        pair_values(dec, 4)
    with pytest.raises(ValueError, match=r"the trees have depths \[1, 2\]"):
        value_of_trees(dec, [0], [0, 0, 0])
    with pytest.raises(ValueError, match=r"tree2\[0\] is 3, but an action is a whole number from 0 to 2"):
        value_of_trees(dec, [0], [3])
    with pytest.raises(ValueError, match="k is 27, but there are only 27"):
        numbered_tree(27, 2, 3, 2)
    with pytest.raises(ValueError, match=r"tree1 and tree2 have shapes \(2, 1\) and \(3, 1\): they make no pairs"):
        value_of_trees(dec, np.zeros((2, 1)), np.zeros((3, 1)))
    with pytest.raises(ValueError, match="dec is 3, but a DecPOMDP was expected"):
        value_of_trees(3, [0], [0])
    with pytest.raises(ValueError, match="but a DecPOMDP was expected"):
        pair_values(tiger(), 2)


@pytest.mark.parametrize("horizon", [9, 60, 10**12])
def test_horizons_that_would_never_end_are_refused(horizon):
    """Within a moment: without a bound, 3^(2^60 - 1) trees would be counted, and nodes without end be listed."""
    idle = DecPOMDP(
        np.ones((1, 1, 1, 1)), np.full((1, 1, 1, 2, 2), 0.25), np.zeros((1, 1, 1))
    )  # one tree of each depth
    for ask in (
        lambda: best_trees(dec_tiger(), horizon),
        lambda: pair_values(dec_tiger(), horizon),
        lambda: best_trees(idle, horizon),
        lambda: numbered_tree(0, horizon, 3, 2),
    ):
        with pytest.raises(ValueError, match="trees with more than 500 nodes are too large"):
            ask()
    assert len(best_trees(idle, 8)[1]) == 255


def test_the_bound_on_pairs_is_exact(monkeypatch):
    """Dec-Tiger has 27 x 27 = 729 pairs for two steps."""
    monkeypatch.setattr(decentralised, "MOST_PAIRS", 729)
    assert pair_values(dec_tiger(), 2).shape == (27, 27)
    monkeypatch.setattr(decentralised, "MOST_PAIRS", 728)
    with pytest.raises(ValueError, match="horizon is 2: more than 728 pairs of trees are too many"):
        pair_values(dec_tiger(), 2)
