"""Learners in a Markov game: line by line against plain Python, and against the exact worlds that each of them sees."""

import re

import numpy as np
import pytest

from rlkit.games.classics import prisoners_dilemma
from rlkit.games.markov import MarkovGame, joint_policy_values, marginals, seen_by, super_agent
from rlkit.games.worlds import door, door_state, repeated
from rlkit.learn.markov_games import Fixed, QLearner, learn_together, own_estimates
from rlkit.learn.opponents import TIT_FOR_TAT, memory_one
from rlkit.mdp import solve

EVEN = np.full((26, 4), 0.25)


def test_each_table_follows_the_update_rule():
    """The log of two learners is replayed in plain Python: the same tables must come out."""
    game = door()
    agents = [QLearner(0.3, 0.5), QLearner(0.7, 0.2)]
    *_, last = learn_together(game, agents, steps=400, copies=3, every=400, seed=4)
    for i, agent in enumerate(agents):
        Q = np.zeros((3, 26, 4))
        for s, a, r, s_next in zip(last.s, last.a[:, i], last.r[:, i], last.s_next, strict=True):
            for k in range(3):
                after = 0 if s_next[k] == 25 else 0.9 * Q[k, s_next[k]].max()
                Q[k, s[k], a[k]] += agent.alpha * (r[k] + after - Q[k, s[k], a[k]])
        np.testing.assert_allclose(agent.Q, Q, atol=1e-12)
        assert Q.max() > 50


def test_nothing_follows_the_end_even_where_it_looks_like_another_state():
    """One row for all states, the end included: what comes after the end must still count as 0."""
    agent = QLearner(0.5, 0.5, view=[0] * 26)
    *_, last = learn_together(door(), [agent, QLearner(0.5, 0.5)], steps=300, copies=1, every=300, seed=2)
    Q = np.zeros(4)
    for a, r, s_next in zip(last.a[:, 0, 0], last.r[:, 0, 0], last.s_next[:, 0], strict=True):
        Q[a] += 0.5 * (r + (0 if s_next == 25 else 0.9 * Q.max()) - Q[a])
    assert (last.s_next == 25).any()
    np.testing.assert_allclose(agent.Q[0, 7], Q, atol=1e-12)


def test_what_happens_is_what_the_game_says():
    game = door()
    *_, last = learn_together(game, [QLearner(epsilon=1), QLearner(epsilon=1)], steps=300, copies=4, seed=1)
    moments = list(learn_together(game, [QLearner(epsilon=1), Fixed(EVEN)], steps=300, copies=4, every=50, seed=1))
    assert [m.step for m in moments] == list(range(0, 301, 50)) and last.step == 300
    for m in moments[1:]:
        assert (game.P[m.s, m.a[:, 0], m.a[:, 1], m.s_next] > 0).all()
        np.testing.assert_array_equal(m.r.swapaxes(0, 1), game.R[:, m.s, m.a[:, 0], m.a[:, 1]])
        goes_on = m.s_next[:-1] != 25
        assert (m.s[1:][goes_on] == m.s_next[:-1][goes_on]).all() and (m.s != 25).all()


def test_the_same_seed_gives_the_same_run():
    runs = [list(learn_together(door(), [QLearner(), QLearner()], steps=50, copies=2, seed=s))[-1].a for s in (1, 1, 2)]
    assert (runs[0] == runs[1]).all() and (runs[0] != runs[2]).any()


def test_estimates_converge_to_the_world_of_a_frozen_partner():
    """Within 5 standard errors of a share of independent trials: a false alarm in fewer than 1 of 100,000 seeds each."""
    game, s, rng = door(), door_state((0, 1), (0, 1)), np.random.default_rng(5)
    partner = rng.dirichlet(np.ones(4), 26)
    P, R = marginals(game, 0, [None, partner])
    moments = list(
        learn_together(game, [QLearner(epsilon=1), Fixed(partner)], steps=3000, copies=20, every=500, seed=6)
    )
    tries = sum(((m.s == s) & (m.a[:, 0] == 1)).sum() for m in moments)
    share, paid = own_estimates(moments, 0, s, 1, 25, pool=20)
    p = P[s, 1, 25]
    assert tries > 200 and np.isnan(share[0, 0])
    assert abs(share[0, -1] - p) < 5 * np.sqrt(p * (1 - p) / tries)
    assert paid[0, -1] == pytest.approx(100 * share[0, -1]) and R[s, 1] == pytest.approx(100 * p)


def test_a_learner_beside_a_frozen_partner_finds_the_best_answer():
    """The partner leaves nothing to chance, so that a step of 1 is right: the greedy policy must be worth V* exactly."""
    game = door()
    partner = np.eye(4)[solve(super_agent(game)).policy % 4]
    best = solve(seen_by(game, 0, [None, partner])).V
    *_, last = learn_together(game, [QLearner(1.0, 0.5), Fixed(partner)], steps=4000, copies=8, every=4000, seed=7)
    V = joint_policy_values(game, last.greedy)[:, 0]
    np.testing.assert_allclose(V, np.tile(best, (8, 1)), atol=1e-9)


def test_a_fixed_agent_changes_when_it_is_told_to():
    pd = repeated(prisoners_dilemma().payoffs, 0.9)
    cooperate, defect = np.eye(2)[[0] * 4], np.eye(2)[[1] * 4]
    *_, last = learn_together(pd, [QLearner(), Fixed(cooperate, defect, at=7)], steps=12, copies=2, every=12)
    assert (last.a[:7, 1] == 0).all() and (last.a[7:, 1] == 1).all() and (last.policies[1] == defect).all()


def test_who_sees_nothing_defects_against_tit_for_tat_and_who_sees_the_round_cooperates():
    """100 games each. The bounds lie more than 10 standard errors of the mean from what these learners reach."""
    pd = repeated(prisoners_dilemma().payoffs, 0.9)
    shares = {}
    for name, view in {"nothing": [0, 0, 0, 0], "the round": None}.items():
        agents = [QLearner(0.2, 0.1, view), Fixed(memory_one(TIT_FOR_TAT))]
        *_, last = learn_together(pd, agents, steps=8000, copies=100, every=1000, seed=8)
        shares[name] = (last.a[:, 0] == 0).mean()
    assert shares["nothing"] < 0.35 and shares["the round"] > 0.8


def test_views_are_rows_of_the_table():
    pd = repeated(prisoners_dilemma().payoffs, 0.9)
    agent = QLearner(view=[0, 1, 0, 1])
    list(learn_together(pd, [agent, QLearner()], steps=100, copies=2))
    assert agent.table.shape == (2, 2, 2) and (agent.Q[:, 0] == agent.Q[:, 2]).all()


def test_three_agents_play_too():
    rng = np.random.default_rng(9)
    game = MarkovGame(rng.dirichlet(np.ones(3), (3, 2, 3, 2)), rng.normal(size=(3, 3, 2, 3, 2)), 0.9)
    *_, last = learn_together(game, [QLearner(), QLearner(), QLearner()], steps=20, copies=4)
    assert last.a.shape == (20, 3, 4) and last.a[:, 1].max() <= 2


def test_bad_input_is_refused():
    with pytest.raises(ValueError, match="the game has 2 agents"):
        next(learn_together(door(), [QLearner()], steps=1))
    with pytest.raises(ValueError, match="alpha"):
        QLearner(alpha=2)
    with pytest.raises(ValueError, match="view"):
        next(learn_together(door(), [QLearner(view=[0.5] * 26), QLearner()], steps=1))
    for large in (26, 10**12):  # a table with so many rows would fill the memory
        with pytest.raises(
            ValueError, match=rf"view holds {re.escape(f'{large:g}')}, but 26 states look like no more than 0 to 25"
        ):
            next(learn_together(door(), [QLearner(view=[0] * 25 + [large]), QLearner()], steps=1))
    one = QLearner()
    with pytest.raises(ValueError, match=r"agents\[0\] and agents\[1\] are one and the same object"):
        next(learn_together(door(), [one, one], steps=1))
    with pytest.raises(ValueError, match="policy has shape"):
        next(learn_together(door(), [QLearner(), Fixed(np.ones((2, 2)) / 2)], steps=1))
    moments = list(learn_together(door(), [QLearner(), QLearner()], steps=1, copies=3))
    with pytest.raises(ValueError, match="does not divide"):
        own_estimates(moments, 0, 0, 0, 0, pool=2)
