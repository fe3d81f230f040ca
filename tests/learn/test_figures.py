"""The standard book's figures: cliff, Dyna maze, maximisation bias. What can be computed is computed, the rest is repeated."""

import dataclasses

import numpy as np
import pytest

from rlkit.core.stats import mean_interval
from rlkit.learn.tabular import double_q_learning, dyna_q, expected_sarsa, prioritised_sweeping, q_learning, sarsa
from rlkit.mdp import evaluate_policy, solve
from rlkit.mdp.worlds import cliff, dyna_maze, noisy_bets

# -- the cliff: what paths cost when every action is replaced by a random one with probability 0.1 --------------------

CLIFF, EPSILON = cliff(), 0.1
UP, RIGHT, DOWN = 0, 1, 2


def along(row, off_path=RIGHT):
    """The policy that goes up from the start to a row, along it to the right, and down; above the row it does ``off_path``."""
    policy = np.full(CLIFF.n_states, RIGHT)
    for s, (r, c) in enumerate(CLIFF.cells):
        policy[s] = DOWN if c == 11 else UP if r > row else off_path if r < row else RIGHT
    return policy


def value(policy, epsilon=0.0):
    soft = (1 - epsilon) * np.eye(4)[policy] + epsilon / 4
    return evaluate_policy(CLIFF, soft) @ CLIFF.start


@pytest.mark.parametrize(
    ("policy", "greedy", "soft"),
    [
        (along(2, DOWN), -13, -51.8),
        (along(2), -13, -45.8),
        (along(1, DOWN), -15, -21.1),
        (along(1), -15, -20.8),
        (along(0), -17, -22.3),
    ],
    ids=["edge, straight back", "edge, keeping the row", "row 2, straight back", "row 2, keeping the row", "top row"],
)
def test_what_paths_cost(policy, greedy, soft):
    assert value(policy) == pytest.approx(greedy)
    assert value(policy, EPSILON) == pytest.approx(soft, abs=0.05)


def softened(world, epsilon):
    """The world in which every action is replaced by a random one with probability epsilon."""
    P, r = world.P, world.expected_reward
    return dataclasses.replace(
        world,
        P=(1 - epsilon) * P + epsilon * P.mean(axis=1, keepdims=True),
        R=(1 - epsilon) * r + epsilon * r.mean(axis=1, keepdims=True),
    )


def test_the_best_soft_policy():
    best = solve(softened(CLIFF, EPSILON))
    assert best.V @ CLIFF.start == pytest.approx(-20.7, abs=0.05)
    assert value(best.policy, EPSILON) == pytest.approx(best.V @ CLIFF.start)


CLIFF_RUN = {"alpha": 0.5, "explore": EPSILON, "episodes": 500, "copies": 50, "seed": 1}


def mean_return(learner):
    """Return the mean and the interval of the return per episode over the last 100 of 500, over 50 seeds."""
    return mean_interval(learner(CLIFF, **CLIFF_RUN).per_episode("return")[:, -100:].mean(axis=1), 1 - 1e-6)


def test_q_learning_falls_off_the_cliff_and_sarsa_does_not():
    """Published: about -50 and -25. The intervals, of error rate 1e-6, do not meet.

    The means have standard errors of 1.0 and 0.7 and lie 9 and 7 of them within the bands; error rate below 1e-11.
    """
    q_mean, _, q_high = mean_return(q_learning)
    s_mean, s_low, _ = mean_return(sarsa)
    assert -60 < q_mean < -40
    assert -32 < s_mean < -20
    assert q_high < s_low


def test_expected_sarsa_comes_close_to_the_best_soft_policy():
    """Its target has no noise, so that alpha = 0.5 does not shake it; interval of error rate 1e-6."""
    mean, low, high = mean_return(expected_sarsa)
    assert -23 < low < high < -18.5


def test_greedy_paths_after_learning():
    """With random exploration and alpha = 1 Q-learning finds the edge: 13 moves, in all of 10 copies."""
    learned = q_learning(CLIFF, alpha=1, explore=0.5, episodes=120, copies=10, seed=2)
    assert [value(Q.argmax(axis=1)) for Q in learned.Q] == pytest.approx([-13] * 10)


# -- Dyna in the maze ----------------------------------------------------------------------------------------------------

MAZE, SEEDS = dyna_maze(), 30
SHORT = 20
"""An episode counts as short with at most 20 steps: the best 14, and 6 for what a random move in ten costs."""


def episodes_needed(learner, episodes, copies=SEEDS, **options):
    """Return int[copies], which episode is the first short one (from 1)."""
    learned = learner(MAZE, alpha=0.1, explore=0.1, episodes=episodes, copies=copies, seed=7, **options)
    short = learned.per_episode("length") <= SHORT
    assert short.any(axis=1).all(), "more episodes are needed"
    return short.argmax(axis=1) + 1


def test_the_maze_takes_fourteen_moves():
    assert solve(MAZE).V @ MAZE.start == pytest.approx(0.95**13)


def test_planning_saves_experience():
    """0, 5 and 50 planning steps need about 25, 5 and 3 episodes (published); 30 seeds, 99.9 % intervals do not meet.

    The means are 17 and 9 standard errors apart; error rate below 1e-6.
    """
    needed = [episodes_needed(dyna_q, episodes, planning=n) for n, episodes in ((0, 60), (5, 15), (50, 6))]
    (m0, low0, _), (m5, low5, high5), (m50, _, high50) = (mean_interval(n, 0.999) for n in needed)
    assert high50 < low5 and high5 < low0
    assert 17 < m0 < 30
    assert 3.5 < m5 < 7
    assert 2 < m50 < 4
    assert min(map(min, needed)) > 1, "nobody can plan before the goal has been seen"


def test_planning_where_it_matters_needs_fewer_updates():
    """Prioritised sweeping finds the way as soon as Dyna with 50 planning steps, by a hundredth of its updates."""
    lengths, updates = [], []
    for seed in range(10):
        learned, count = prioritised_sweeping(MAZE, planning=5, episodes=6, seed=seed)
        lengths.append(learned.log["length"])
        updates.append(count)
    assert np.median(lengths, axis=0)[3:].max() <= SHORT
    assert max(updates) < 500


# -- maximisation bias -----------------------------------------------------------------------------------------------------


def share_going_left(learner):
    """Return float[100], the share of 1,000 runs that go left in each episode."""
    world = noisy_bets(10)
    learned = learner(world, alpha=0.1, explore=0.1, episodes=100, copies=1000, seed=4)
    return (learned.per_episode("length") == 2).mean(axis=0)


def test_q_learning_is_fooled_by_a_maximum_and_double_q_learning_is_not():
    """The best share is 0.05. With 1,000 runs the standard errors are 0.016 and 0.009; error rate 0.002 on a new seed."""
    single, double = share_going_left(q_learning), share_going_left(double_q_learning)
    assert single[0] == pytest.approx(0.5, abs=0.08)
    assert double[0] == pytest.approx(0.5, abs=0.08)
    assert single[99] == pytest.approx(0.45, abs=0.05)
    assert double[99] == pytest.approx(0.09, abs=0.03)
    assert single.max() > 0.9
    assert double.max() < 0.6
