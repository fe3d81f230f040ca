"""Learners with a history each: against what one agent can know exactly, and against plain Python."""

from functools import partial

import numpy as np
import pytest

from rlkit.core.schedules import linear_schedule
from rlkit.learn.dec import greedy_tree, learn_trees
from rlkit.learn.independent import q_rule
from rlkit.mdp import DecPOMDP, best_trees, dec_tiger, tiger, value_of_trees


def falling(episode, over=3000):
    return float(linear_schedule(episode, 1, 0.05, over))


def test_alone_it_learns_the_best_tree_of_the_tiger():
    """The second agent has nothing to do: Q-learning over histories then converges to the POMDP's optimum, 2.72."""
    world = tiger()
    dec = DecPOMDP(world.P[:, :, None], world.O[:, None, :, :, None], world.R[:, :, None])
    best, tree, _ = best_trees(dec, 3)
    learned = learn_trees(
        dec, 3, rule=partial(q_rule, alpha=0.01), epsilon=lambda k: 1.0, episodes=12000, runs=20, seed=1
    )
    assert learned.values.max() <= best + 1e-9
    # Every run should find it; one in twenty may still mistake luck for skill.
    assert (learned.values[-1] > best - 1e-9).sum() >= 19
    assert (learned.trees[0] == tree).all(axis=1).sum() >= 19


def test_every_value_is_that_of_the_trees_and_below_the_optimum():
    dec = dec_tiger()
    learned = learn_trees(
        dec, 3, rule=partial(q_rule, alpha=0.1), epsilon=falling, episodes=400, runs=50, keep_every=150
    )
    assert learned.at.tolist() == [0, 150, 300, 400]
    assert learned.values.shape == (4, 50)
    assert (learned.values[0] == -6).all()  # tables of zeros: the first action, which is to listen
    assert (learned.values <= best_trees(dec, 3)[0] + 1e-9).all()
    np.testing.assert_allclose(learned.values[-1], value_of_trees(dec, *learned.trees))


def test_one_run_against_plain_python():
    """Dictionaries of histories, one step after the other, on the same random numbers."""
    dec, horizon, episodes, alpha = dec_tiger(0.9), 3, 300, 0.2
    learned = learn_trees(
        dec, horizon, rule=partial(q_rule, alpha=alpha), epsilon=lambda k: 0.5, episodes=episodes, runs=1, seed=7
    )
    rng, Q = np.random.default_rng(7), [{}, {}]
    drawn = lambda p, u: int(np.searchsorted(np.cumsum(p)[:-1], u, side="right"))  # noqa: E731
    row = lambda i, h: Q[i].setdefault(h, [0.0, 0.0, 0.0])  # noqa: E731
    for _ in range(episodes):
        u = rng.random((horizon, 7, 1))[..., 0]
        s, h = drawn(dec.start, u[0, 0]), [(), ()]
        for t in range(horizon):
            greedy = [int(np.argmax(row(i, h[i]))) for i in (0, 1)]
            a = [int(u[t, 3 + i] * 3) if u[t, 1 + i] < 0.5 else greedy[i] for i in (0, 1)]
            r, s_next = dec.R[s, a[0], a[1]], drawn(dec.P[s, a[0], a[1]], u[t, 5])
            o = divmod(drawn(dec.O[a[0], a[1], s_next].ravel(), u[t, 6]), 2)
            for i in (0, 1):
                after = (*h[i], a[i], o[i])
                y = r + (0.9 * max(row(i, after)) if t + 1 < horizon else 0)
                row(i, h[i])[a[i]] += alpha * (y - row(i, h[i])[a[i]])
                h[i] = after
            s = s_next
    for i in (0, 1):
        tree, level = [], [()]
        for _ in range(horizon):
            acts = [int(np.argmax(row(i, h))) for h in level]
            tree += acts
            level = [(*h, a, o) for h, a in zip(level, acts, strict=True) for o in (0, 1)]
        assert learned.trees[i][0].tolist() == tree


def test_a_greedy_tree_follows_its_own_actions():
    Q = np.zeros((1, 7, 3))
    Q[0, 0, 2] = 1  # first: action 2; its histories are then 1 + 2 * 2 + o = 5 and 6
    Q[0, 5, 1], Q[0, 6, 2], Q[0, 1, 2] = 1, 1, 9
    assert greedy_tree(Q, 2, 2).tolist() == [[2, 1, 2]]


def test_what_is_refused():
    options = {"rule": partial(q_rule, alpha=0.1), "epsilon": falling, "episodes": 10, "runs": 2}
    with pytest.raises(ValueError, match="a DecPOMDP was expected"):
        learn_trees(tiger(), 2, **options)
    with pytest.raises(ValueError, match=r"epsilon\(episode\) is 2.0"):
        learn_trees(dec_tiger(), 2, **options | {"epsilon": lambda k: 2})
    with pytest.raises(ValueError, match="horizon is 0"):
        learn_trees(dec_tiger(), 0, **options)
    with pytest.raises(ValueError, match="epsilon is 0.1, but a function of the episode was expected"):
        learn_trees(dec_tiger(), 2, **options | {"epsilon": 0.1})
    with pytest.raises(ValueError, match="does not hold finite numbers only"):
        learn_trees(dec_tiger(), 2, **options | {"rule": lambda Q, a, r: Q * np.nan})
    for horizon in (11, 10**9):
        with pytest.raises(
            ValueError, match=f"horizon is {horizon}: with 2 runs that makes more than 50,000,000 values"
        ):
            learn_trees(dec_tiger(), horizon, **options)
