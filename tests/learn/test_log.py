"""The log of episodes, against counting by hand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rlkit.learn.tabular import q_learning
from rlkit.learn.tabular.log import BLOCK, EpisodeLog
from rlkit.mdp.worlds import cliff, random_walk
from tests.learn.transcript import record

COLUMNS = ("copy", "episode", "step", "length", "return")


def rows(log):
    """Return a log as a sorted list of rows."""
    assert tuple(log) == COLUMNS
    return sorted(zip(*(log[name].tolist() for name in COLUMNS), strict=True))


def counted(rewards, ended, most=None):
    """Return the same by counting: rewards and ended are lists of [T][K]."""
    found = []
    for k in range(len(rewards[0]) if len(rewards) else 0):
        episode, length, total = 0, 0, 0.0
        for t, (r, end) in enumerate(zip(rewards, ended, strict=True), start=1):
            length, total = length + 1, total + r[k]
            if end[k]:
                if most is None or episode < most:
                    found.append((k, episode, t, length, total))
                episode, length, total = episode + 1, 0, 0.0
    return found


def kept(rewards, ended, most=None):
    log = EpisodeLog(len(rewards[0]))
    for r, end in zip(rewards, ended, strict=True):
        log.add(np.array(r, float), np.array(end, bool))
    return log.columns(most)


@pytest.mark.parametrize("steps", [1, BLOCK - 1, BLOCK, BLOCK + 1, 2 * BLOCK, 3 * BLOCK + 17])
@pytest.mark.parametrize("chance", [0.003, 0.2, 1])
def test_against_counting(steps, chance):
    rng = np.random.default_rng(steps)
    rewards, ended = rng.integers(-9, 10, size=(steps, 5)), rng.random((steps, 5)) < chance
    ended[:, 1] = False  # one that never ends
    log = kept(rewards, ended)
    assert rows(log) == counted(rewards, ended)
    assert rows(kept(rewards, ended, 3)) == counted(rewards, ended, 3)
    assert log["length"].dtype.kind == "i" and log["return"].dtype.kind == "f"


def test_returns_of_any_rewards():
    rng = np.random.default_rng(0)
    rewards, ended = 1e3 * rng.normal(size=(700, 3)), rng.random((700, 3)) < 0.02
    np.testing.assert_allclose(rows(kept(rewards, ended)), counted(rewards, ended), rtol=1e-9, atol=1e-8)


@settings(max_examples=30)
@given(
    st.lists(st.tuples(st.integers(-3, 3), st.booleans()), min_size=1, max_size=40), st.sampled_from([0, BLOCK - 20])
)
def test_any_sequence(steps, before):
    rewards = [[1, 0]] * before + [[r, r] for r, _ in steps]
    ended = [[False, True]] * before + [[end, not end] for _, end in steps]
    assert rows(kept(rewards, ended)) == counted(rewards, ended)


def test_a_log_without_steps_is_empty():
    log = EpisodeLog(2).columns(None)
    assert rows(log) == []


def test_nothing_that_was_added_is_seen_to_change():
    log = EpisodeLog(1)
    r, ended = np.zeros(1), np.zeros(1, bool)
    for t in range(4):
        r[:], ended[:] = t, t == 3
        log.add(r.copy(), ended.copy())
    assert rows(log.columns(None)) == [(0, 0, 4, 4, 6.0)]


@pytest.mark.parametrize("setting", [{"steps": 600}, {"episodes": 30}, {"steps": 600, "limit": 40}])
def test_a_learners_log(setting):
    learned, transcript = record(q_learning, cliff(), explore=0.5, copies=3, seed=1, **setting)
    rewards = [[step.r for step in steps] for steps in transcript.steps()]
    ended = [[step.ended for step in steps] for steps in transcript.steps()]
    assert rows(learned.log) == counted(rewards, ended, setting.get("episodes"))
    assert learned.steps == len(rewards)
    if "episodes" in setting:
        assert np.bincount(learned.log["copy"]).tolist() == [30, 30, 30]


def test_per_episode_is_a_table_of_copies_and_episodes():
    learned = q_learning(random_walk(), explore=1.0, copies=4, steps=300, seed=2)
    table = learned.per_episode("length")
    counts = np.bincount(learned.log["copy"], minlength=4)
    assert table.shape == (4, counts.min())
    assert len(set(counts)) > 1, "the copies should differ here"
    for name in COLUMNS[2:]:
        for k, episode, step, length, total in rows(learned.log):
            if episode < counts.min():
                value = {"step": step, "length": length, "return": total}[name]
                assert learned.per_episode(name)[k, episode] == value


def test_per_episode_where_somebody_has_finished_none():
    learned = q_learning(random_walk(19), explore=1.0, copies=4, steps=12, seed=0)
    assert learned.per_episode("length").shape == (4, 0)
