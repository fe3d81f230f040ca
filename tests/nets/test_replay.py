"""The memory, against one in plain Python that keeps whole episodes and knows nothing of rings."""

from dataclasses import dataclass, field

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from rlkit.nets import Replay
from tests.learn.chance import ERROR_RATE, p_value

ZERO = np.zeros((1, 1))


@dataclass
class Life:
    """One world: episodes of random lengths, told step by step, and remembered as episodes.

    No two observations are alike, so that a transition is known by where it begins.
    """

    rng: np.random.Generator
    number: int
    now: float = field(init=False)
    episodes: list[list[tuple]] = field(default_factory=lambda: [[]])
    time: int = 0
    begins: bool = False

    def __post_init__(self):
        self.now = self.fresh()

    def fresh(self):
        self.number += 1
        return float(self.number)

    def step(self):
        """Return obs, action, reward, next_obs, terminated, truncated, real: what a vector environment would say."""
        obs, self.now = self.now, self.fresh()
        action, end = int(self.rng.integers(3)), self.rng.random()
        self.time += 1
        if self.begins:  # the action goes nowhere: only a new episode begins
            self.begins = False
            self.episodes.append([])
            return obs, action, 0.0, self.now, False, False, False
        terminated, truncated = bool(end < 0.2), bool(0.15 < end < 0.35)  # at times both
        reward = float(np.float32(self.rng.normal()))
        self.episodes[-1].append((self.time, obs, action, reward, self.now, terminated))
        self.begins = terminated or truncated
        return obs, action, reward, self.now, terminated, truncated, True

    def transitions(self, n_step, gamma, remembered):
        """Return what a memory of the last so many steps can give: {obs: (action, reward, next_obs, terminated, m)}.

        A transition is complete once n steps have passed, whether or not its episode lasted as long.
        """
        found = {}
        for episode in self.episodes:
            for i, (time, obs, action, *_) in enumerate(episode):
                if time <= self.time - remembered or time + n_step - 1 > self.time:
                    continue
                way = episode[i : i + n_step]
                reward = sum(gamma**j * step[3] for j, step in enumerate(way))
                found[obs] = (action, reward, way[-1][4], way[-1][5], len(way))
        return found


def lives(copies, worlds, seed):
    return [
        [Life(np.random.default_rng([seed, k, e]), 10_000 * (worlds * k + e)) for e in range(worlds)]
        for k in range(copies)
    ]


def tell(replay, everybody):
    """Add one step of every world; an observation is shown as two numbers."""
    told = np.array([[life.step() for life in row] for row in everybody])  # [K, E, 7]
    obs, action, reward, next_obs, terminated, truncated, real = np.moveaxis(told, -1, 0)
    two = np.array([1.0, -2.0])
    flags = (flag.astype(bool) for flag in (terminated, truncated, real))
    replay.add(obs[..., None] * two, action.astype(int), reward, next_obs[..., None] * two, *flags)


def drawn(replay, size, rng):
    """Return for each copy what was drawn, as {obs: (action, reward, next_obs, terminated, discount)}; and the starts."""
    batch = replay.sample(size, rng)
    assert batch.obs.shape == batch.next_obs.shape == (replay.copies, size, 2)
    assert all(x.shape == (replay.copies, size) for x in (batch.action, batch.reward, batch.terminated, batch.discount))
    assert [str(x.dtype).removeprefix("torch.") for x in batch] == [
        "float32",
        "int64",
        *["float32"] * 2,
        "bool",
        "float32",
    ]
    for seen in (batch.obs, batch.next_obs):
        assert (seen[..., 1] == -2 * seen[..., 0]).all()
    columns = (batch.action, batch.reward, batch.next_obs[..., 0], batch.terminated, batch.discount)
    starts = batch.obs[..., 0].tolist()
    rows = zip(starts, *(column.tolist() for column in columns), strict=True)
    return [{obs: values for obs, *values in zip(*row, strict=True)} for row in rows], starts


@settings(max_examples=80)
@given(
    copies=st.integers(1, 3),
    worlds=st.integers(1, 3),
    n_step=st.integers(1, 5),
    rows=st.integers(1, 12),
    spare=st.integers(0, 2),
    gamma=st.sampled_from([0.0, 0.5, 0.9, 1.0]),
    steps=st.integers(1, 40),
    seed=st.integers(0, 10_000),
)
def test_what_went_in_comes_out(copies, worlds, n_step, rows, spare, gamma, steps, seed):
    """All that the oracle has is drawn, and nothing else. One of M transitions is missed with M exp(-25): below 1e-9."""
    rows = max(rows, n_step)
    replay = Replay(rows * worlds + min(spare, worlds - 1), copies, worlds, n_step=n_step, gamma=gamma)
    everybody, rng = lives(copies, worlds, seed), np.random.default_rng(seed)
    for step in range(steps):
        tell(replay, everybody)
        if step < steps - 1 and rng.random() < 0.7:
            continue
        expected = [{} for _ in range(copies)]
        for k, row in enumerate(everybody):
            for life in row:
                expected[k] |= life.transitions(n_step, gamma, rows)
        assert len(replay) == min(len(one) for one in expected)
        if not len(replay):
            with pytest.raises(ValueError, match="^the memory holds no transition of some copy yet"):
                replay.sample(1, rng)
            continue
        found, _ = drawn(replay, 25 * max(len(one) for one in expected), rng)
        for one, other in zip(found, expected, strict=True):
            assert set(one) == set(other)
            for obs, (action, reward, next_obs, terminated, m) in other.items():
                assert one[obs] == [
                    action,
                    pytest.approx(reward, abs=1e-5),
                    next_obs,
                    terminated,
                    pytest.approx(gamma**m),
                ]


@pytest.mark.parametrize("n_step", [1, 3])
def test_draws_are_uniform_and_independent(n_step):
    """Chi-square over the transitions of each copy, over pairs of copies, over neighbours in a batch; rate 1e-6 each."""
    replay, everybody = Replay(60, 2, 3, n_step=n_step), lives(2, 3, 1)
    for _ in range(70):
        tell(replay, everybody)
    expected = [{} for _ in everybody]
    for k, row in enumerate(everybody):
        for life in row:
            expected[k] |= life.transitions(n_step, 0.99, 20)
    _, starts = drawn(replay, 40_000, np.random.default_rng(0))
    for k, row in enumerate(starts):
        counts = np.unique(row, return_counts=True)[1]
        assert len(counts) == len(expected[k]) > 30
        assert p_value(counts, np.full(len(counts), 1 / len(counts))) > ERROR_RATE
    groups = [np.unique(row, return_inverse=True)[1] % 8 for row in starts]
    for one, other in ((groups[0], groups[1]), (groups[0][:-1], groups[0][1:]), (groups[1][::2], groups[1][1::2])):
        table = np.zeros((8, 8))
        np.add.at(table, (one, other), 1)
        assert stats.chi2_contingency(table).pvalue > ERROR_RATE


def test_a_seed_says_all():
    replay, everybody = Replay(30, 2, 3), lives(2, 3, 1)
    for _ in range(12):
        tell(replay, everybody)
    one, same, other = (drawn(replay, 20, np.random.default_rng(seed))[1] for seed in (4, 4, 5))
    assert one == same != other
    assert one[0] != one[1]


# --- worked by hand ---


def add(replay, obs, reward, next_obs, *, terminated=False, truncated=False, real=True):
    flags = (np.array([[flag]]) for flag in (terminated, truncated, real))
    replay.add(np.array([[[obs]]]), np.array([[0]]), np.array([[reward]]), np.array([[[next_obs]]]), *flags)


@pytest.mark.parametrize("ends", ["terminated", "truncated"])
def test_a_transition_of_three_steps_stops_where_the_episode_does(ends):
    """Rewards 1, 2, 4 and gamma 1/2; the next episode pays 100 and must not be seen."""
    replay = Replay(10, 1, 1, n_step=3, gamma=0.5)
    add(replay, 0.0, 1.0, 1.0)
    add(replay, 1.0, 2.0, 2.0)
    add(replay, 2.0, 4.0, 3.0, **{ends: True})
    add(replay, 3.0, 0.0, 50.0, real=False)
    add(replay, 50.0, 100.0, 51.0)
    found = drawn_alone(replay)
    over = ends == "terminated"
    assert found == {
        0.0: (1 + 0.5 * 2 + 0.25 * 4, 3.0, over, 0.125),
        1.0: (2 + 0.5 * 4, 3.0, over, 0.25),
        2.0: (4.0, 3.0, over, 0.5),
    }


def drawn_alone(replay):
    batch = replay.sample(200, np.random.default_rng(0))
    columns = (batch.obs[..., 0], batch.reward, batch.next_obs[..., 0], batch.terminated, batch.discount)
    return {obs: tuple(values) for obs, *values in zip(*(column[0].tolist() for column in columns), strict=True)}


def test_a_memory_of_one_step_gives_the_last_one_back():
    """What DQN without a memory is: and it holds nothing while a new episode only begins."""
    replay = Replay(1, 1, 1, gamma=0.5)
    assert len(replay) == 0
    for i in range(5):
        add(replay, float(i), 10.0 * i, i + 1.0, terminated=i == 4)
        assert len(replay) == 1
        assert drawn_alone(replay) == {float(i): (10.0 * i, i + 1.0, i == 4, 0.5)}
    add(replay, 5.0, 0.0, 6.0, real=False)
    assert len(replay) == 0
    add(replay, 6.0, 1.0, 7.0)
    assert drawn_alone(replay) == {6.0: (1.0, 7.0, False, 0.5)}


def test_observations_keep_their_type_until_they_are_drawn():
    """Pictures of bytes take a quarter of the room of floats."""
    replay = Replay(4, 1, 1)
    picture = np.full((1, 1, 2, 3), 200, np.uint8)
    replay.add(picture, ZERO.astype(int), ZERO, picture + 55, ZERO > 0, ZERO > 0, ZERO == 0)
    batch = replay.sample(2, np.random.default_rng(0))
    assert replay._columns["obs"].dtype == np.uint8
    assert batch.obs.shape == (1, 2, 2, 3)
    assert set(batch.obs.flatten().tolist()) == {200.0}
    assert set(batch.next_obs.flatten().tolist()) == {255.0}


def test_actions_that_are_numbers_come_out_as_they_went_in():
    """Two numbers each, of two copies with three worlds: every draw has the action that belongs to its observation."""
    replay, rng = Replay(30, 2, 3), np.random.default_rng(0)
    no, yes = np.zeros((2, 3), bool), np.ones((2, 3), bool)
    kept, obs = {}, np.arange(6.0).reshape(2, 3)
    for _ in range(8):
        action = rng.normal(size=(2, 3, 2)).astype(np.float32)
        kept |= dict(zip(obs.ravel(), action.reshape(6, 2).tolist(), strict=True))
        replay.add(obs, action, obs, obs + 6, no, no, yes)
        obs = obs + 6
    batch = replay.sample(50, rng)
    assert batch.action.shape == (2, 50, 2)
    assert batch.action.dtype == batch.obs.dtype == batch.reward.dtype
    for seen, action in zip(batch.obs.flatten().tolist(), batch.action.reshape(-1, 2).tolist(), strict=True):
        assert action == kept[seen]


def test_what_was_drawn_does_not_change_when_more_is_added():
    replay = Replay(1, 1, 1)
    add(replay, 0.0, 1.0, 2.0)
    batch = replay.sample(3, np.random.default_rng(0))
    add(replay, 2.0, 3.0, 4.0)
    assert batch.obs.flatten().tolist() == [0.0] * 3
    assert batch.next_obs.flatten().tolist() == [2.0] * 3


# --- the door ---


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: Replay(0, 1, 1), "capacity is 0, but a whole number of at least 1"),
        (lambda: Replay(7, 1, 8), "capacity is 7, but 8 worlds and transitions of 1 steps need at least 8"),
        (
            lambda: Replay(23, 1, 8, n_step=3),
            "capacity is 23, but 8 worlds and transitions of 3 steps need at least 24",
        ),
        (lambda: Replay(9, 0, 1), "copies is 0, but a whole number of at least 1"),
        (lambda: Replay(9, 1, 0), "worlds is 0, but a whole number of at least 1"),
        (lambda: Replay(9, 1, 1, n_step=0), "n_step is 0, but a whole number of at least 1"),
        (lambda: Replay(9, 1, 1, gamma=1.5), r"gamma is 1\.5, but it must lie in \[0, 1\]"),
        (
            lambda: Replay(9, 1, 1).sample(1, np.random.default_rng(0)),
            "the memory holds no transition of some copy yet",
        ),
        (lambda: add(Replay(9, 2, 1), 0.0, 1.0, 1.0), r"obs has shape \(1, 1, 1\), but \(2, 1, \.\.\.\) was expected"),
        (
            lambda: Replay(9, 1, 1).add(ZERO, [0], ZERO, ZERO, ZERO > 0, ZERO > 0, ZERO == 0),
            r"action has shape \(1,\), but \(1, 1, \.\.\.\) was expected",
        ),
    ],
)
def test_what_does_not_fit_is_refused_in_one_sentence(call, message):
    with pytest.raises(ValueError, match=f"^{message}"):
        call()


def test_exactly_enough_is_enough():
    assert len(Replay(24, 1, 8, n_step=3)) == 0
