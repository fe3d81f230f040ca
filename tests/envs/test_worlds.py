"""Copies by worlds: against worlds with a script, and against Gymnasium's CartPole stepped by hand."""

import gymnasium
import numpy as np
import pytest
from gymnasium.spaces import Box, MultiDiscrete
from gymnasium.vector import AutoresetMode
from gymnasium.vector.utils import batch_space
from hypothesis import given, settings
from hypothesis import strategies as st

from rlkit.envs import Worlds
from tests.envs.toys import Scripted

ends = st.sampled_from(["terminated", "truncated", "both"])


def told(script, world, steps):
    """Return what one world must say, in plain Python: rows (obs, reward, next_obs, terminated, truncated, real)."""
    rows, episode = [], 0
    while len(rows) < steps:
        length, end = script[episode % len(script)]
        for t in range(1, length + 1):
            last = t == length
            flags = last and end in ("terminated", "both"), last and end in ("truncated", "both")
            rows.append(((world, episode, t - 1), 10 * world + t, (world, episode, t), *flags, True))
        rows.append(((world, episode, length), 0, (world, episode + 1, 0), False, False, False))
        episode += 1
    return rows[:steps]


@settings(max_examples=60)
@given(
    scripts=st.lists(st.lists(st.tuples(st.integers(1, 4), ends), min_size=1, max_size=3), min_size=6, max_size=6),
    copies=st.sampled_from([1, 2, 3, 6]),
)
def test_everything_is_told_as_it_was_scripted(scripts, copies):
    steps, worlds = 14, 6 // copies
    env = Scripted(6, scripts)
    world = Worlds(lambda n: env, copies, worlds, seed=5)
    assert env.seeds == [5]
    assert world.n_actions == 4
    first, found, shown = world.obs, [], []
    for t in range(steps):
        action = (np.arange(6).reshape(copies, worlds) + t) % 4
        shown.append(world.obs)
        found.append(world.step(action))
        assert env.seen[-1].tolist() == action.ravel().tolist()
        assert found[-1].action is action
    assert first is found[0].obs
    log = []
    for w in range(6):
        k, e = divmod(w, worlds)
        length = total = 0
        for t, (obs, reward, next_obs, terminated, truncated, real) in enumerate(told(scripts[w], w, steps)):
            step = found[t]
            assert tuple(step.obs[k, e]) == obs == tuple(shown[t][k, e])
            assert tuple(step.next_obs[k, e]) == next_obs
            flags = (step.terminated, step.truncated, step.real)
            assert [bool(flag[k, e]) for flag in flags] == [terminated, truncated, real]
            assert step.reward[k, e] == reward
            length, total = length + real, total + reward
            if terminated or truncated:
                log.append((k, (t + 1) * worlds, length, total))
                length = total = 0
    episodes = world.episodes()
    assert list(episodes) == ["copy", "step", "length", "return"]
    assert sorted(zip(*(column.tolist() for column in episodes.values()), strict=True)) == sorted(log)
    assert (np.diff(episodes["step"]) >= 0).all(), "in the order in which they ended"


def test_before_an_episode_has_ended_the_log_is_empty():
    episodes = Worlds(lambda n: Scripted(n, [[(9, "terminated")]] * n), 2, 1, 0).episodes()
    assert {name: (column.shape, column.dtype.kind) for name, column in episodes.items()} == {
        "copy": ((0,), "i"),
        "step": ((0,), "i"),
        "length": ((0,), "i"),
        "return": ((0,), "f"),
    }


# --- Gymnasium's CartPole ---


def vectorised(limit):
    kwargs = {"vectorization_mode": "vector_entry_point", "max_episode_steps": limit}
    return lambda n: gymnasium.make_vec("CartPole-v1", num_envs=n, **kwargs)


def in_a_row(limit):
    return lambda n: gymnasium.make_vec("CartPole-v1", num_envs=n, vectorization_mode="sync", max_episode_steps=limit)


@pytest.mark.parametrize("make", [vectorised, in_a_row])
def test_cartpole_is_what_single_cartpoles_are(make):
    """Each episode is played again, from its first observation and with its actions, in an environment of its own."""
    limit, steps, rng = 15, 120, np.random.default_rng(0)
    world = Worlds(make(limit), 2, 3, seed=1)
    single = gymnasium.make("CartPole-v1", max_episode_steps=limit)
    played = [world.step(rng.integers(2, size=(2, 3))) for _ in range(steps)]
    count = {"terminated": 0, "truncated": 0}
    log = []
    for k in range(2):
        for e in range(3):
            begin, length = True, 0
            for t, step in enumerate(played):
                assert step.real[k, e] == (t == 0 or not (played[t - 1].terminated | played[t - 1].truncated)[k, e])
                if not step.real[k, e]:
                    assert step.reward[k, e] == 0
                    assert not (step.terminated | step.truncated)[k, e]
                    assert abs(step.next_obs[k, e]).max() <= 0.05, "an episode begins near the middle"
                    begin = True
                    continue
                if begin:
                    single.reset(seed=0)
                    single.unwrapped.state = step.obs[k, e].astype(float)
                    begin, length = False, 0
                seen, reward, terminated, truncated, _ = single.step(int(step.action[k, e]))
                length += 1
                assert step.next_obs[k, e] == pytest.approx(seen, abs=1e-4)
                assert step.reward[k, e] == reward == 1
                assert step.terminated[k, e] == terminated
                assert step.truncated[k, e] == truncated
                count["terminated"] += terminated
                count["truncated"] += truncated and not terminated
                if terminated or truncated:
                    log.append((k, 3 * (t + 1), length, float(length)))
    assert min(count.values()) >= 5, "both ends are seen"
    found = world.episodes()
    assert sorted(zip(*(column.tolist() for column in found.values()), strict=True)) == sorted(log)


def test_both_kinds_of_vectors_are_the_same_world():
    """Kept from falling for a short limit, they end together; then both begin anew in a step of its own."""
    one, other = Worlds(vectorised(3), 1, 2, 0), Worlds(in_a_row(3), 1, 2, 0)
    for t in range(9):
        a, b = (world.step(np.array([[t % 2, t % 2]])) for world in (one, other))
        for name in ("reward", "terminated", "truncated", "real"):
            assert np.array_equal(getattr(a, name), getattr(b, name)), (t, name)
        assert a.truncated.all() == (t % 4 == 2)
        assert a.real.all() == (t % 4 != 3)
        assert not a.terminated.any()


def test_a_seed_says_all():
    def run(seed):
        world, rng = Worlds(vectorised(500), 2, 2, seed), np.random.default_rng(0)
        return np.array([world.step(rng.integers(2, size=(2, 2))).next_obs for _ in range(40)])

    assert np.array_equal(run(3), run(3))
    assert not np.array_equal(run(3), run(4))
    assert not np.array_equal(run(3)[:, 0], run(3)[:, 1])


# --- beginning anew ---


def test_to_begin_forgets_the_episodes_under_way():
    """World 0 is about to begin its second episode, world 1 is within its first: neither is heard of again."""
    env = Scripted(2, [[(2, "terminated")], [(5, "terminated")]])
    world, action = Worlds(lambda n: env, 1, 2, seed=4), np.zeros((1, 2), int)
    for _ in range(2):
        step = world.step(action)
    assert step.terminated.tolist() == [[True, False]]
    world.begin()
    assert env.seeds == [4, None]
    assert world.obs.tolist() == [[[0, 0, 0], [1, 0, 0]]]
    step = world.step(action)
    assert step.real.all(), "no step is spent on beginning"
    assert step.reward.tolist() == [[1, 11]]
    for _ in range(4):
        world.step(action)
    episodes = {name: column.tolist() for name, column in world.episodes().items()}
    # world 0 after 2 steps, 2 more, and 1 that begins an episode with 2 more; world 1 after the 5 since then
    assert episodes == {
        "copy": [0, 0, 0, 0],
        "step": [4, 8, 14, 14],
        "length": [2, 2, 2, 5],
        "return": [3.0, 3.0, 3.0, 65.0],
    }
    world.begin(9)
    assert env.seeds == [4, None, 9]


@pytest.mark.parametrize("make", [vectorised, in_a_row])
def test_gymnasiums_worlds_begin_anew_where_they_are_told_to(make):
    """Even where an episode has just ended, and the next step would have been spent on beginning."""
    world, action = Worlds(make(3), 1, 2, seed=0), np.array([[0, 1]])
    first = world.obs
    for _ in range(3):
        step = world.step(action)
    assert step.truncated.all()
    world.begin()
    assert abs(world.obs).max() <= 0.05
    assert not np.array_equal(world.obs, first), "chance goes on"
    begun = world.obs
    step = world.step(action)
    assert step.real.all() and not np.array_equal(step.next_obs, begun)
    world.begin(0)
    assert np.array_equal(world.obs, first)


# --- actions that are numbers ---


class Steered(Scripted):
    """With two numbers for an action, the first from -1 to 1, the second from 0 to 3."""

    def __init__(self, num_envs):
        super().__init__(num_envs, [[(3, "terminated")]] * num_envs)
        self.single_action_space = Box(np.array([-1, 0], np.float32), np.array([1, 3], np.float32))
        self.action_space = batch_space(self.single_action_space, num_envs)


@pytest.mark.parametrize("kind", [np.float32, np.float64, int])
def test_actions_that_are_numbers_reach_the_world_clipped(kind):
    env = Steered(6)
    world = Worlds(lambda n: env, 3, 2, 0)
    assert world.n_actions == 0
    assert world.actions is env.single_action_space
    action = (np.arange(12).reshape(3, 2, 2) - 5).astype(kind)
    before = action.copy()
    step = world.step(action)
    assert step.action is action, "what was asked for is what is learned from"
    assert np.array_equal(action, before)
    taken = env.seen[0]
    assert taken.shape == (6, 2)
    assert taken.dtype == np.float32
    assert taken.tolist() == [[min(max(a, -1), 1), min(max(b, 0), 3)] for a, b in before.reshape(6, 2).tolist()]


def test_numbers_within_the_bounds_are_left_alone():
    env = Steered(2)
    action = np.array([[[0.25, 2.5]], [[-0.75, 0.125]]])
    Worlds(lambda n: env, 2, 1, 0).step(action)
    assert env.seen[0].tolist() == action.reshape(2, 2).tolist()


def test_gymnasiums_pendulum_takes_them():
    """Pushed beyond its bounds of -2 and 2, it moves as if pushed by 2."""
    make = lambda n: gymnasium.make_vec("Pendulum-v1", num_envs=n, vectorization_mode="sync")  # noqa: E731
    one, other = Worlds(make, 2, 2, 0), Worlds(make, 2, 2, 0)
    far, near = one.step(np.full((2, 2, 1), 50.0)), other.step(np.full((2, 2, 1), 2.0))
    assert np.array_equal(far.next_obs, near.next_obs)
    assert far.next_obs.shape == (2, 2, 3)
    assert far.reward.shape == (2, 2)


# --- the door ---


class Other(Scripted):
    """Like the one with a script, but with another mode or other actions."""

    def __init__(self, mode=AutoresetMode.NEXT_STEP, space=None):
        super().__init__(1, [[(1, "terminated")]])
        self.metadata = {"autoreset_mode": mode} if mode else {}
        self.single_action_space = space or self.single_action_space


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda n: Other(AutoresetMode.SAME_STEP),
            "make_env gives an environment of the mode AutoresetMode.SAME_STEP, but",
        ),
        (
            lambda n: Other(AutoresetMode.DISABLED),
            "make_env gives an environment of the mode AutoresetMode.DISABLED, but",
        ),
        (
            lambda n: Other(None),
            "make_env gives an environment of the mode None, but AutoresetMode.NEXT_STEP was expected",
        ),
        (
            lambda n: gymnasium.make_vec(
                "CartPole-v1", n, "sync", vector_kwargs={"autoreset_mode": AutoresetMode.SAME_STEP}
            ),
            "make_env gives an environment of the mode AutoresetMode.SAME_STEP, but",
        ),
        (
            lambda n: Other(space=Box(-np.inf, np.inf, (2,))),
            r"make_env gives an environment with Box.*, but Discrete actions from 0, or a flat Box with bounds,",
        ),
        (
            lambda n: Other(space=Box(np.array([-1, -np.inf], np.float32), np.array([1, 1], np.float32))),
            "make_env gives an environment with Box",
        ),
        (lambda n: Other(space=Box(-1, 1, (2, 2))), "make_env gives an environment with Box"),
        (lambda n: Other(space=gymnasium.spaces.Discrete(3, start=1)), "make_env gives an environment with Discrete"),
        (lambda n: Other(space=MultiDiscrete([2, 2])), "make_env gives an environment with MultiDiscrete"),
    ],
)
def test_other_environments_are_refused_in_one_sentence(make, message):
    with pytest.raises(ValueError, match=f"^{message}"):
        Worlds(make, 1, 1, 0)


@pytest.mark.parametrize(("arguments", "name"), [((0, 1, 0), "copies"), ((1, 0, 0), "worlds"), ((1, 1, -1), "seed")])
def test_sizes_and_seed_are_checked(arguments, name):
    with pytest.raises(ValueError, match=f"^{name} is (0|-1), but a whole number of at least"):
        Worlds(lambda n: Scripted(n, [[(1, "terminated")]] * n), *arguments)
