"""Markov games behind PettingZoo's interface: PettingZoo's own tests, and the tables, step by step and in frequencies."""

import re

import numpy as np
import pytest
from pettingzoo.test import parallel_api_test, parallel_seed_test
from scipy import sparse
from scipy.stats import chisquare

from rlkit.envs.markov_parallel import ParallelMarkovGame
from rlkit.games import MarkovGame
from rlkit.games.worlds import door, door_state, repeated

CHANCE = 1e-6
"""All tests that draw, together, fail a correct program with at most this probability."""


def chancy(gamma=0.9):
    """Three states and an end, agents with 2, 3 and 2 actions, and several next states for most joint actions."""
    rng = np.random.default_rng(0)
    P = rng.dirichlet(np.ones(4), (4, 2, 3, 2)) * (rng.random((4, 2, 3, 2, 4)) < 0.7)
    P[..., 0] += 0.05
    P /= P.sum(axis=-1, keepdims=True)
    R = rng.normal(size=(3, 4, 2, 3, 2))
    P[3], R[:, 3] = np.eye(4)[3], 0
    return MarkovGame(P, R, gamma, [0.5, 0.3, 0.2, 0], [False, False, False, True])


def with_sparse_rows(game):
    """The same game, with its transitions as sparse rows in C order of (s, a_1, ..., a_n)."""
    P = sparse.csr_array(game.P.reshape(-1, game.n_states))
    return MarkovGame(P, game.R, game.gamma, game.start, game.terminal, game.state_names, game.action_names)


def acted(world, joint):
    return world.step(dict(zip(world.possible_agents, map(int, joint), strict=True)))


@pytest.mark.parametrize("make", [door, chancy, lambda: repeated([[[3, 0], [5, 1]], [[3, 5], [0, 1]]], 0.9)])
@pytest.mark.parametrize("form", [lambda game: game, with_sparse_rows], ids=["dense", "sparse"])
def test_pettingzoos_own_tests(make, form):
    game = form(make())
    parallel_api_test(ParallelMarkovGame(game, max_steps=50), num_cycles=200)
    parallel_seed_test(lambda: ParallelMarkovGame(game, max_steps=50), num_cycles=100)


@pytest.mark.parametrize("form", [lambda game: game, with_sparse_rows], ids=["dense", "sparse"])
def test_next_states_come_as_often_as_the_table_says(form):
    game = chancy()
    world, many = ParallelMarkovGame(form(game)), 400
    world.reset(seed=1)
    places = [(s, *joint) for s in range(3) for joint in np.ndindex(2, 3, 2)]
    for s, *joint in places:
        counts = np.zeros(4)
        for _ in range(many):
            world.reset(options={"state": s})
            seen, reward, gone, cut, _ = acted(world, joint)
            (after,) = set(seen.values())
            counts[after] += 1
            assert list(reward.values()) == game.R[(slice(None), s, *joint)].tolist()
            assert set(gone.values()) == {after == 3}
            assert not any(cut.values())
        p = game.P[(s, *joint)]
        assert not counts[p == 0].any()
        if (p > 0).sum() > 1:
            assert chisquare(counts[p > 0], many * p[p > 0]).pvalue > CHANCE / (2 * len(places) + 1)


def test_episodes_begin_where_the_game_says():
    game = chancy()
    world = ParallelMarkovGame(game)
    counts = np.zeros(4)
    for k in range(3000):
        seen, _ = world.reset(seed=5 if k == 0 else None)
        counts[seen["agent_0"]] += 1
    assert counts[3] == 0
    assert chisquare(counts[:3], 3000 * game.start[:3]).pvalue > CHANCE / 73


def test_the_door_step_by_step():
    game = door()
    world = ParallelMarkovGame(game)
    start = door_state((0, 1), (1, 2))
    seen, _ = world.reset(options={"state": start})
    assert seen == {"agent_0": start, "agent_1": start}
    right, up = game.action_names[0].index("right"), game.action_names[0].index("up")
    seen, reward, gone, _, _ = acted(world, (right, right))  # only one pushes: nobody gets in
    assert seen["agent_0"] == start
    assert reward == {"agent_0": 0.0, "agent_1": 0.0}
    assert not any(gone.values())
    seen, reward, gone, cut, _ = acted(world, (right, up))
    assert reward == {"agent_0": 100.0, "agent_1": 100.0}
    assert seen["agent_1"] == game.n_states - 1
    assert gone == {"agent_0": True, "agent_1": True}
    assert world.agents == []
    assert not any(cut.values())
    with pytest.raises(ValueError, match="the episode is over"):
        acted(world, (right, up))


def test_an_episode_is_cut_at_its_limit_but_not_one_that_ends_there():
    game = door()
    world = ParallelMarkovGame(game, max_steps=2)
    world.reset(options={"state": door_state((0, 0), (0, 0))})
    up, right = (game.action_names[0].index(name) for name in ("up", "right"))
    _, _, _, cut, _ = acted(world, (up, up))
    assert not any(cut.values())
    _, _, gone, cut, _ = acted(world, (up, up))
    assert not any(gone.values())
    assert cut == {"agent_0": True, "agent_1": True}
    assert world.agents == []
    world.reset(options={"state": door_state((0, 0), (0, 1))})
    acted(world, (right, up))
    _, _, gone, cut, _ = acted(world, (right, right))
    assert all(gone.values())
    assert not any(cut.values())
    world.reset(options={"state": door_state((0, 0), (0, 0))})
    assert [acted(world, (up, up))[3]["agent_0"] for _ in range(2)] == [False, True]  # every episode counts anew


def test_the_seed_decides():
    worlds = [ParallelMarkovGame(chancy()) for _ in range(3)]
    rows = []
    for world, seed in zip(worlds, (3, 3, 4), strict=True):
        states = [world.reset(seed=seed)[0]["agent_0"]]
        for _ in range(60):
            if not world.agents:
                states.append(world.reset()[0]["agent_0"])
            states.append(acted(world, (0, 1, 0))[0]["agent_0"])
        rows.append(states)
    assert rows[0] == rows[1] != rows[2]


def test_spaces():
    world = ParallelMarkovGame(chancy())
    assert [world.action_space(name).n for name in world.possible_agents] == [2, 3, 2]
    assert {world.observation_space(name).n for name in world.possible_agents} == {4}


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda w: ParallelMarkovGame(w.game, 0), "max_steps is 0, but a whole number of at least 1 was expected"),
        (lambda w: w.reset(options={"state": 26}), "state is 26, but there are 26, numbered from 0"),
        (lambda w: w.step({"agent_0": 0}), "actions has none for agent_1"),
        (lambda w: w.step({"agent_0": 0, "agent_1": 4}), "actions['agent_1'] is 4, but agent_1 has the actions 0 to 3"),
        (lambda w: w.step({"agent_0": 0.5, "agent_1": 0}), "actions['agent_0'] is 0.5"),
    ],
)
def test_bad_input(call, message):
    world = ParallelMarkovGame(door())
    world.reset(seed=0)
    with pytest.raises(ValueError, match=re.escape(message)):
        call(world)
