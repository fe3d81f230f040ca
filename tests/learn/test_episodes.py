"""Whole episodes: against worlds with a script, told again in plain Python."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rlkit.envs import Driving, TabularVectorEnv, Worlds, cartpole, make_roads, probes
from rlkit.learn.episodes import play, run_episodes
from rlkit.mdp import TabularMDP
from tests.envs.toys import Scripted

ends = st.sampled_from(["terminated", "truncated", "both"])
episode = st.tuples(st.integers(1, 5), ends)
scripts = st.lists(st.lists(episode, min_size=1, max_size=2), min_size=6, max_size=6)
copies = st.sampled_from([1, 2, 3, 6])
limits = st.sampled_from([1, 2, 3, 4, 99])


def told(script, limit):
    """Return of a world's first episode its length, and whether it ended by itself, as it must be told."""
    length, end = script[0]
    return min(length, limit), length <= limit and end != "truncated"


def numbered(obs):
    """Return other actions for each world and each step: (3 w + t) mod 4."""
    return ((3 * obs[..., 0] + obs[..., 2]) % 4).astype(int)


# --- to learn from ---


@settings(max_examples=60)
@given(scripts=scripts, copies=copies, limit=limits)
def test_every_step_of_the_first_episodes_is_there_and_no_other(scripts, copies, limit):
    worlds = Worlds(lambda n: Scripted(n, scripts), copies, 6 // copies, 0)
    run = run_episodes(worlds, numbered, limit)
    T = max(told(script, limit)[0] for script in scripts)
    shape = (T, copies, 6 // copies)
    assert run.obs.shape == (*shape, 3)
    assert run.action.shape == run.reward.shape == run.real.shape == shape
    assert run.real.dtype == bool
    for w, script in enumerate(scripts):
        place, (length, ended) = divmod(w, 6 // copies), told(script, limit)
        assert run.terminated[place] == ended
        for t in range(T):
            here = (t, *place)
            assert run.real[here] == (t < length)
            if t < length:
                assert run.obs[here].tolist() == [w, 0, t]
                assert run.action[here] == (3 * w + t) % 4
                assert run.reward[here] == 10 * w + t + 1
            else:
                assert run.reward[here] == 0, "nothing is paid after the end"


def test_each_run_begins_anew_in_every_world():
    """Though the shorter episodes of the run before had been followed by others, which were under way."""
    scripts = [[(2, "terminated")], [(5, "truncated")]]
    env = Scripted(2, scripts)
    worlds = Worlds(lambda n: env, 1, 2, seed=7)
    one, two = (run_episodes(worlds, numbered, 99) for _ in range(2))
    assert env.seeds == [7, None, None], "chance goes on where it was"
    for a, b in zip(one, two, strict=True):
        assert np.array_equal(a, b)
    assert two.real.sum(axis=0).tolist() == [[2, 5]]
    assert len(env.seen) == 10, "no step is taken after the longest episode's end"


def test_wishes_for_the_beginning_reach_the_world():
    """As often as episodes begin together; a car, for one, takes the speed that it is told."""
    worlds = Worlds(lambda n: Driving(n, make_roads([0])), 1, 3, seed=0)
    straight = lambda obs: np.zeros((*obs.shape[:2], 1))  # noqa: E731
    for speed, shown in ((9.0, -0.5), (11.5, 0.75)):
        run = run_episodes(worlds, straight, 2, options={"speed": speed, "offset": 0.0})
        assert run.obs[0, 0, :, 7].tolist() == [shown] * 3
    assert len(set(run_episodes(worlds, straight, 2).obs[0, 0, :, 7])) == 3, "and without any, chance decides"


def test_chance_goes_on_from_run_to_run():
    worlds = Worlds(cartpole, 1, 3, seed=0)
    zeros = lambda obs: np.zeros(obs.shape[:2], int)  # noqa: E731
    one, two = (run_episodes(worlds, zeros, 20) for _ in range(2))
    assert not np.array_equal(one.obs[0], two.obs[0])
    again = run_episodes(Worlds(cartpole, 1, 3, seed=0), zeros, 20)
    for a, b in zip(one, again, strict=True):
        assert np.array_equal(a, b)


def test_what_was_recorded_does_not_change_afterwards():
    """The scripted world writes on one array only, and so does this policy."""
    action = np.zeros((1, 2), int)
    worlds = Worlds(lambda n: Scripted(n, [[(3, "terminated")]] * 2), 1, 2, 0)
    run = run_episodes(worlds, lambda obs: action, 99)
    assert run.obs[:, 0, 0].tolist() == [[0, 0, 0], [0, 0, 1], [0, 0, 2]]
    worlds.step(action + 1)
    assert run.obs[:, 0, 1].tolist() == [[1, 0, 0], [1, 0, 1], [1, 0, 2]]


# --- to count ---


@settings(max_examples=60)
@given(scripts=scripts, copies=copies, limit=limits, gamma=st.sampled_from([0.0, 0.5, 1.0]))
def test_playing_counts_the_first_episode_of_each_world(scripts, copies, limit, gamma):
    make = lambda n: Scripted(n, scripts)  # noqa: E731
    found = play(numbered, make, copies=copies, episodes=6 // copies, gamma=gamma, limit=limit)
    for w, script in enumerate(scripts):
        place, (length, ended) = divmod(w, 6 // copies), told(script, limit)
        paid = [10 * w + t for t in range(1, length + 1)]
        assert found["return"][place] == sum(paid)
        assert found["discounted"][place] == sum(r * gamma**t for t, r in enumerate(paid))
        assert found["length"][place] == length
        assert found["terminated"][place] == ended
        assert found["first"][place].tolist() == [w, 0, 0]
        assert found["last"][place].tolist() == [w, 0, length]
    assert {name: x.shape for name, x in found.items()} == {
        **dict.fromkeys(("return", "discounted", "length", "terminated"), (copies, 6 // copies)),
        **dict.fromkeys(("first", "last"), (copies, 6 // copies, 3)),
    }


def test_playing_stops_with_the_longest_episode():
    made = []

    def make(n):
        made.append(Scripted(n, [[(2, "terminated")], [(4, "truncated")]]))
        return made[0]

    play(numbered, make, copies=2, episodes=1, seed=3)
    assert len(made[0].seen) == 4
    assert made[0].seeds[0] == 3


def test_an_episode_without_an_end_is_broken_off():
    """One state that pays 1 for ever: 7 steps, worth 1 + 1/2 + ... + 1/64."""
    loop = TabularMDP(np.ones((1, 1, 1)), [[1.0]], 0.5)
    zeros, make = lambda obs: np.zeros(obs.shape[:2], int), lambda n: TabularVectorEnv(n, loop)
    found = play(zeros, make, copies=1, episodes=2, gamma=0.5, limit=7)
    assert found["return"].tolist() == found["length"].tolist() == [[7.0, 7.0]]
    assert found["discounted"].tolist() == [[127 / 64] * 2]
    assert not found["terminated"].any()
    run = run_episodes(Worlds(make, 1, 2, 0), zeros, 7)
    assert run.real.all() and run.real.shape == (7, 1, 2) and not run.terminated.any()


def test_each_copy_is_asked_for_its_own_actions():
    """In "action matters", action 0 pays 1, and action 1 pays -1."""
    mine = lambda obs: np.broadcast_to([[0], [1]], obs.shape[:2])  # noqa: E731
    found = play(mine, probes()[3].make, copies=2, episodes=3)
    assert found["return"].tolist() == [[1.0] * 3, [-1.0] * 3]
    run = run_episodes(Worlds(probes()[3].make, 2, 3, 0), mine, 9)
    assert run.reward.tolist() == [[[1.0] * 3, [-1.0] * 3]]


@pytest.mark.parametrize("seed", [0, 5])
def test_the_same_seed_plays_the_same(seed):
    zeros = lambda obs: np.zeros(obs.shape[:2], int)  # noqa: E731
    one, two, other = (play(zeros, cartpole, copies=2, episodes=3, seed=s) for s in (seed, seed, seed + 1))
    assert all(np.array_equal(one[name], two[name]) for name in one)
    assert not np.array_equal(one["first"], other["first"])
