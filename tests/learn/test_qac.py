"""QAC: by hand, against a plain loop for one agent after the other, and against the exact values of its actor."""

import dataclasses
import re
from math import exp
from unittest import mock

import numpy as np
import pytest

from rlkit.envs.probes import probes
from rlkit.learn.actor_critic.qac import grad_ln_pi, qac
from rlkit.learn.tabular import Walk
from rlkit.mdp import policy_values, random_policy, softmax, softmax_policy, solve
from rlkit.mdp.worlds import lane, mitchell
from tests.learn.chance import ERROR_RATE, allowed, p_value
from tests.mdp.random_worlds import Recipe, random_world

UP, RIGHT, DOWN, LEFT = range(4)


def recorded(*args, **kwargs):
    """Return what qac returns, and what it did: ("draw", [action of each copy]) and ("step", [(r, s', terminated, at])."""
    events, draw, step, move_on = [], Walk.draw, Walk.step, Walk.move_on

    def writing_draw(w, weights):
        a = draw(w, weights)
        events.append(("draw", a.tolist()))
        return a

    def writing_step(w, a):
        s = w.state - w.k * w.S
        r, to, terminated = step(w, a)
        columns = s, a, r, to - w.k * w.S, terminated
        events.append(("step", list(zip(*(column.tolist() for column in columns), strict=True))))
        return r, to, terminated

    def writing_move_on(w):
        rows = move_on(w)
        events.append(("at", (rows - w.k * w.S).tolist()))
        return rows

    with mock.patch.multiple(Walk, draw=writing_draw, step=writing_step, move_on=writing_move_on):
        return qac(*args, **kwargs), events


def plain(mdp, events, copy, alpha_theta, alpha_w, theta, Q):
    """The slide once more, for one agent, with lists of numbers: return theta and Q as they are after this experience."""
    theta, Q, exists = theta.tolist(), Q.tolist(), mdp.available.tolist()
    events = iter(events)

    def event(kind):
        told, what = next(events)
        assert told == kind
        return what

    def pi(s, b):
        return exp(theta[s][b]) / sum(exp(t) for t, e in zip(theta[s], exists[s], strict=True) if e)

    a = event("draw")[copy]
    while True:
        try:
            steps = event("step")
        except StopIteration:
            return theta, Q
        s, done, r, to, terminated = steps[copy]
        assert done == a, "another action was taken than the one that was drawn"
        a_next = event("draw")[copy]
        step = [alpha_theta * Q[s][a] * ((b == a) - pi(s, b)) if exists[s][b] else 0 for b in range(mdp.n_actions)]
        delta = r + (0 if terminated else mdp.gamma * Q[to][a_next]) - Q[s][a]
        theta[s] = [t + up for t, up in zip(theta[s], step, strict=True)]
        Q[s][a] += alpha_w * delta
        event("at")
        if any(end for *_, end in steps):  # somebody needs a first action, and only they take it
            fresh = event("draw")[copy]
            a_next = fresh if terminated else a_next
        a = a_next


# -- by hand -----------------------------------------------------------------------------------------------------------


def test_three_steps_by_hand():
    """Down, up, right, from the cell above the middle: the policy is even, the critic full of errors."""
    world = dataclasses.replace(mitchell(), start=np.eye(6)[1])
    Q0 = np.zeros((6, 4))
    Q0[1, [RIGHT, DOWN, LEFT]], Q0[4, UP] = (30, 50, 40), 60
    script = [np.array([a]) for a in (DOWN, UP, RIGHT, LEFT, DOWN)]  # the last one begins a new episode
    with mock.patch.object(Walk, "draw", side_effect=script):
        run = qac(world, steps=3, alpha_theta=0.01, alpha_w=0.1, Q0=Q0, keep_every=1)
    start, first, second, third = run.history[:, 0]
    assert start[1].tolist() == [-np.inf, 30, 50, 40]
    assert run.at.tolist() == [0, 1, 2, 3]
    # 1: 0 + 0.9 * 60 - 50 = 4;  2: 0 + 0.9 * 30 - 60 = -33;  3: 100 - 30 = 70, whatever is drawn next
    np.testing.assert_allclose(first[1], [-np.inf, 30, 50.4, 40], rtol=1e-14)
    np.testing.assert_allclose(second[4], [56.7, 0, -np.inf, 0], rtol=1e-14)
    np.testing.assert_allclose(third[1], [-np.inf, 37, 50.4, 40], rtol=1e-14)
    np.testing.assert_array_equal(third[[0, 2, 3, 5]], start[[0, 2, 3, 5]])
    theta = run.theta_history[:, 0]
    np.testing.assert_allclose(theta[1, 1], [-np.inf, -1 / 6, 1 / 3, -1 / 6], rtol=1e-14)
    np.testing.assert_allclose(theta[2, 4], [0.4, -0.2, -np.inf, -0.2], rtol=1e-14)
    pi = np.exp([-1 / 6, 1 / 3, -1 / 6]) / np.exp([-1 / 6, 1 / 3, -1 / 6]).sum()
    np.testing.assert_allclose(theta[3, 1, 1:], theta[1, 1, 1:] + 0.3 * (np.array([1, 0, 0]) - pi), rtol=1e-14)
    np.testing.assert_array_equal(run.theta, theta[3][None])
    assert run.log["length"].tolist() == [3]
    assert run.log["return"].tolist() == [100]


def test_the_score_by_hand():
    np.testing.assert_allclose(
        grad_ln_pi(np.log([[1, 3], [1, 1]]), np.array([0, 1])), [[0.75, -0.75], [-0.5, 0.5]], rtol=1e-14
    )


# -- against the plain loop --------------------------------------------------------------------------------------------

WORLDS = [
    random_world(
        Recipe(states=6, actions=3, gamma=gamma, ends=ends, missing=0.3, rewards="transition", successors=successors),
        np.random.default_rng(seed),
    )
    for seed, gamma, ends, successors in ((0, 0.9, 1, 3), (1, 0.5, 2, 2), (2, 0.95, 1, 1), (3, 0.9, 0, 3))
]
WORLDS += [mitchell(), lane(), dataclasses.replace(lane(), reward_std=np.ones((7, 3)))]


@pytest.mark.parametrize("world", WORLDS)
def test_every_copy_does_what_the_slide_says(world):
    K, rng = 3, np.random.default_rng(9)
    alpha_theta, alpha_w = np.array([0.2, 0.0, 1.0]), np.array([0.5, 1.0, 0.1])
    theta0, Q0 = rng.normal(size=(2, K, *world.available.shape))
    run, events = recorded(
        world, steps=150, copies=K, seed=3, alpha_theta=alpha_theta, alpha_w=alpha_w, theta0=theta0, Q0=Q0
    )
    assert sum(kind == "step" for kind, _ in events) == 150
    on = world.available
    for k in range(K):
        theta, Q = plain(world, events, k, alpha_theta[k], alpha_w[k], theta0[k], Q0[k])
        np.testing.assert_allclose(run.theta[k][on], np.array(theta)[on], rtol=1e-11, atol=1e-11)
        np.testing.assert_allclose(run.Q[k][on], np.array(Q)[on], rtol=1e-11, atol=1e-11)
        assert (run.theta[k][~on] == -np.inf).all()
        assert (run.Q[k][~on] == -np.inf).all()
        moved = abs(np.array(theta) - theta0[k]).max() > 0
        assert moved == (alpha_theta[k] > 0)


def test_actions_are_drawn_from_the_actor():
    """With both rates 0 nothing changes, and what is done in each state is what pi says; error rate 1e-6 for all."""
    world, theta = lane(), np.random.default_rng(0).normal(size=(7, 3))
    _, events = recorded(world, steps=4000, copies=5, seed=1, alpha_theta=0, alpha_w=0, theta0=theta)
    done = np.array([(s, a) for kind, what in events if kind == "step" for s, a, *_ in what])
    pi = softmax(theta)
    for s in range(1, 6):
        counts = np.bincount(done[done[:, 0] == s, 1], minlength=3)
        assert counts.sum() > 500
        assert p_value(counts, pi[s]) > ERROR_RATE / 5


# -- copies --------------------------------------------------------------------------------------------------------------


def test_copies_do_not_disturb_each_other():
    """Copy 1 is the same whatever rates and tables the others have.

    Where an episode ends, whoever begins a new one takes random numbers that others would have had. In this world none ends.
    """
    endless = WORLDS[3]
    Q0 = np.random.default_rng(1).normal(size=(3, *endless.available.shape))
    one, other = (
        qac(
            endless,
            steps=300,
            copies=3,
            seed=4,
            alpha_theta=[first, 0.2, last],
            alpha_w=[last, 0.3, first],
            Q0=np.r_[x * Q0[:1], Q0[1:]],
            keep_every=50,
        )
        for first, last, x in ((0.0, 1.0, 1.0), (0.5, 0.1, -3.0))
    )
    np.testing.assert_array_equal(one.theta_history[:, 1], other.theta_history[:, 1])
    np.testing.assert_array_equal(one.history[:, 1], other.history[:, 1])
    assert (one.Q[0] != other.Q[0]).any()
    assert (one.Q[2] != other.Q[2]).any()


def test_what_is_kept():
    world, Q0 = mitchell(), np.random.default_rng(0).uniform(0, 100, (3, 6, 4))
    run = qac(world, steps=320, copies=3, seed=4, Q0=Q0, keep_every=50)
    assert run.steps == 320
    assert run.at.tolist() == [0, 50, 100, 150, 200, 250, 300]
    assert run.theta_history.shape == run.history.shape == (7, 3, 6, 4)
    shorter = qac(world, steps=150, copies=3, seed=4, Q0=Q0)
    np.testing.assert_array_equal(run.history[3], shorter.Q)
    np.testing.assert_array_equal(run.theta_history[3], shorter.theta)
    np.testing.assert_array_equal(shorter.history[:, :, world.available], [Q0[:, world.available]])
    np.testing.assert_array_equal(run.policy, softmax(run.theta))
    np.testing.assert_array_equal(run.policy_history[3], shorter.policy)
    np.testing.assert_array_equal(run.policy_history[0, 0], random_policy(world))
    assert set(run.log["return"]) == {100}


def test_the_same_seed_gives_the_same_run():
    runs = [
        qac(mitchell(), steps=200, copies=2, seed=seed, alpha_theta=0.01) for seed in (1, np.random.default_rng(1), 2)
    ]
    np.testing.assert_array_equal(runs[0].theta, runs[1].theta)
    assert (runs[0].theta[runs[0].theta > -np.inf] != runs[2].theta[runs[2].theta > -np.inf]).any()
    assert (runs[0].Q[0] != runs[0].Q[1]).any(), "two copies of one run are two runs"
    assert runs[0].history.shape == (1, 2, 6, 4)


# -- what is learned ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("world", "alpha_w", "left"),
    [
        (lane(), lambda n: n**-0.7, 0.05),
        (lane(), 0.02, 0.1),
        (mitchell(), lambda n: n**-0.7, 0.5),
        (WORLDS[0], lambda n: n**-0.7, 0.05),
        (WORLDS[3], lambda n: n**-0.7, 0.05),
    ],
    ids=["lane", "lane, small steps", "mitchell", "random", "random, endless"],
)
def test_the_critic_of_a_frozen_actor_converges_to_its_exact_values(world, alpha_w, left):
    """50 copies: their mean misses Q^pi by what is left of the beginning, ``left``, and by chance, 1e-6 for all pairs."""
    start = np.where(world.terminal, 0.0, 1.0) / (~world.terminal).sum()
    world = dataclasses.replace(world, gamma=0.8, start=start)
    theta = np.random.default_rng(5).normal(size=world.available.shape) / 2
    run = qac(world, steps=12_000, copies=50, seed=6, alpha_theta=0, alpha_w=alpha_w, theta0=theta, Q0=1)
    pi = softmax_policy(world, theta)
    np.testing.assert_allclose(run.policy, np.broadcast_to(pi, run.Q.shape))
    _, Q = policy_values(world, pi)
    use = world.available & ~world.terminal[:, None]
    learned = run.Q[:, use]
    off, spread = abs(learned.mean(axis=0) - Q[use]), learned.std(axis=0, ddof=1) / np.sqrt(50)
    bound = left + allowed(use.sum(), 49) * spread
    assert (off < bound).all()
    assert bound.max() < abs(Q[use] - solve(world).Q[use]).max() / 5, "the best policy's values might pass too"


@pytest.mark.parametrize("probe", probes(), ids=lambda probe: probe.name)
def test_probes(probe):
    """All of 20 copies: the best action is nearly certain, and what it is worth known to 0.01."""
    run = qac(probe.mdp, steps=5000, copies=20, seed=0, alpha_theta=0.1, alpha_w=0.1)
    best = probe.Q == probe.Q.max(axis=1, keepdims=True)
    assert ((run.policy[:, probe.acting] * best).sum(axis=2) > 0.9).all()
    assert (abs(run.Q[:, probe.acting] - probe.Q)[:, best] < 0.01).all()


def test_mitchell_is_solved_from_a_critic_that_is_all_wrong():
    """The chapter's run: 20 of 20 come within 5 % of the best, and the critic knows what its actor is worth."""
    world = mitchell()
    Q0 = np.random.default_rng(0).uniform(0, 100, (20, 6, 4))
    run = qac(world, steps=4000, copies=20, alpha_theta=0.001, alpha_w=0.1, Q0=Q0)
    V, Q = policy_values(world, run.policy)
    assert (V @ world.start > 0.95 * world.start @ solve(world).V).all()
    on = world.available & ~world.terminal[:, None]
    miss = (run.policy * np.where(on, run.Q - np.where(on, Q, 0), 0)).sum(axis=2)
    assert abs(miss @ world.start).max() < 2


# -- at the door -------------------------------------------------------------------------------------------------------

BAD = {
    "no world": ({"mdp": "maze"}, "mdp is 'maze', but a TabularMDP was expected"),
    "no steps": ({"steps": 0}, "steps is 0, but a whole number of at least 1"),
    "no copies": ({"copies": 0}, "copies is 0, but a whole number of at least 1"),
    "half a copy": ({"copies": 1.5}, "copies is 1.5, but"),
    "keeps nothing": ({"keep_every": 0}, "keep_every is 0, but a whole number of at least 1"),
    "seed": ({"seed": -1}, "seed is -1, but a whole number of at least 0 or a numpy"),
    "backwards": ({"alpha_theta": -0.1}, "alpha_theta is -0.1, but it must lie in [0, inf]"),
    "one is backwards": ({"alpha_theta": [0.1, -1]}, "alpha_theta[1] is -1, but it must lie in [0, inf]"),
    "actor in words": ({"alpha_theta": "fast"}, "alpha_theta must be an array of real numbers"),
    "actor is NaN": ({"alpha_theta": np.nan}, "alpha_theta is nan, but it must be a finite number"),
    "too fast": ({"alpha_w": 1.5}, "alpha_w is 1.5, but it must lie in [0, 1]"),
    "too few rates": (
        {"alpha_w": [0.1] * 3},
        "alpha_w has shape (3,), but a number or (2,) was expected, one for each",
    ),
    "theta0": ({"theta0": np.zeros((4, 6))}, "theta0 has shape (4, 6), but a number, (6, 4) or (2, 6, 4) was expected"),
    "theta0 of three": ({"theta0": np.zeros((3, 6, 4))}, "theta0 has shape (3, 6, 4), but a number"),
    "Q0": ({"Q0": np.zeros(6)}, "Q0 has shape (6,), but a number, (6, 4) or (2, 6, 4) was expected"),
    "Q0 is infinite": ({"Q0": np.inf}, "Q0[0, 0, 1] is inf, but it must be a finite number"),
    "Q0 in words": ({"Q0": "zero"}, "Q0 must be an array of real numbers"),
}


@pytest.mark.parametrize(("change", "message"), BAD.values(), ids=BAD.keys())
def test_misuse(change, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}") as caught:
        qac(**({"mdp": mitchell(), "steps": 5, "copies": 2} | change))
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 200


def test_what_was_learned_may_be_gone_on_with():
    one = qac(mitchell(), steps=50, copies=2)
    two = qac(mitchell(), steps=50, copies=2, theta0=one.theta, Q0=one.Q)
    np.testing.assert_array_equal(two.history[0], one.Q)
    np.testing.assert_array_equal(two.theta_history[0], one.theta)
