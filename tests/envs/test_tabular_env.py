"""A world of tables behind Gymnasium's vector interface: what happens in it is what the tables say."""

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import data_equivalence
from gymnasium.vector import AutoresetMode

from rlkit.envs import TabularVectorEnv
from rlkit.mdp import TabularMDP
from rlkit.mdp.worlds import guarded_gate, mitchell, noisy_bets
from tests.learn.chance import ERROR_RATE, allowed, p_value


def gamble(terminal=True):
    """Return four states, the last of which may be the end; action 1 does not exist in state 1, rewards depend on s'."""
    P = np.zeros((4, 2, 4))
    P[0, 0], P[0, 1] = [0.1, 0.2, 0.3, 0.4], [0, 0.5, 0.5, 0]
    P[1, 0], P[1, 1] = [0.6, 0, 0, 0.4], [1, 0, 0, 0]
    P[2, 0], P[2, 1] = [0, 0, 0.7, 0.3], [0.25, 0.25, 0.25, 0.25]
    P[3, :, 3] = 1
    R = np.arange(32.0).reshape(4, 2, 4) + 1
    R[3] = 0
    available = np.ones((4, 2), bool)
    available[1, 1] = False
    return TabularMDP(P, R, 0.9, [0.5, 0.25, 0.25, 0], np.array([0, 0, 0, 1]) * terminal, available)


def run(env, steps, seed=0, choose=None):
    """Return what happened, as arrays [T, N]: state, action, reward, next state, terminated, truncated, and real."""
    rng = np.random.default_rng([seed, 1])
    obs, info = env.reset(seed=seed)
    assert info == {}
    state, over, told = obs.argmax(axis=1), np.zeros(env.num_envs, bool), []
    for _ in range(steps):
        action = rng.integers(env.single_action_space.n, size=env.num_envs) if choose is None else choose(state)
        obs, reward, terminated, truncated, info = env.step(action)
        assert info == {}
        told.append((state, action, reward, obs.argmax(axis=1), terminated, truncated, ~over))
        state, over = obs.argmax(axis=1), terminated | truncated
    return [np.array(column) for column in zip(*told, strict=True)]


# --- the tables ---


def test_transitions_and_rewards_are_those_of_the_tables():
    """Chi-square for each of the five pairs and for the starts, over 200 000 steps; error rate 1e-6 each."""
    mdp = gamble()
    state, action, reward, to, terminated, truncated, real = run(TabularVectorEnv(500, mdp), 400)
    for s in range(3):
        for a in range(2):
            here = real & (state == s) & (action == a)
            assert here.sum() > 3000
            if mdp.available[s, a]:
                assert p_value(np.bincount(to[here], minlength=4), mdp.P[s, a]) > ERROR_RATE
                assert np.array_equal(reward[here], mdp.R[s, a][to[here]])
                assert np.array_equal(terminated[here], to[here] == 3)
            else:
                assert (to[here] == s).all(), "an action that does not exist leaves the world where it is"
                assert not reward[here].any()
                assert not terminated[here].any()
    assert not truncated.any()
    begun = np.concatenate([state[0], to[~real]])
    assert p_value(np.bincount(begun, minlength=4), mdp.start) > ERROR_RATE


def test_draws_are_independent_of_their_neighbours_and_of_the_past():
    """The next state of a world tells nothing of that of the next world, or of the next step; error rate 1e-6 each."""
    P = np.full((2, 1, 2), 0.5)
    _, _, _, to, *_ = run(TabularVectorEnv(200, TabularMDP(P, np.zeros((2, 1)), 0.9)), 400)
    for one, other in ((to[:, :-1], to[:, 1:]), (to[:-1], to[1:])):
        agree = (one == other).ravel()
        assert p_value(np.bincount(agree, minlength=2), [0.5, 0.5]) > ERROR_RATE


def test_a_step_in_which_an_episode_begins_pays_nothing_and_ignores_the_action():
    mdp = gamble()
    _, _, reward, to, terminated, truncated, real = run(TabularVectorEnv(50, mdp), 100)
    assert 100 < (~real).sum()
    assert not reward[~real].any()
    assert not (terminated | truncated)[~real].any()
    assert not (to[~real] == 3).any()
    assert np.array_equal(~real[1:], terminated[:-1])


def test_noise_on_rewards_has_the_mean_and_the_spread_of_the_tables():
    """Mean of 20 000 rewards of B within its bound at an error rate of 1e-6; their spread within 5 %."""
    state, _, reward, _, _, _, real = run(TabularVectorEnv(400, noisy_bets(3, mean=-0.1, std=2.0)), 200)
    paid = reward[real & (state == 1)]
    assert len(paid) > 5000
    assert abs(paid.mean() + 0.1) < allowed() * 2.0 / np.sqrt(len(paid))
    assert paid.std() == pytest.approx(2.0, rel=0.05)


# --- the limit ---


@pytest.mark.parametrize("limit", [1, 3])
def test_a_limit_breaks_episodes_off_but_does_not_terminate_them(limit):
    P = np.ones((1, 1, 1))
    env = TabularVectorEnv(2, TabularMDP(P, [[1.0]], 0.9), limit=limit)
    _, _, reward, _, terminated, truncated, real = run(env, 4 * (limit + 1))
    pattern = ([True] * limit + [False]) * 4
    assert real[:, 0].tolist() == pattern
    assert reward[:, 0].tolist() == [float(x) for x in pattern]
    assert truncated[:, 0].tolist() == ([False] * (limit - 1) + [True, False]) * 4
    assert not terminated.any()


def test_an_episode_that_ends_in_its_last_step_has_ended():
    """Two steps to the end, and a limit of two: nothing is broken off, and the count begins anew with each episode."""
    P = np.zeros((3, 1, 3))
    P[0, 0, 1] = P[1, 0, 2] = P[2, 0, 2] = 1
    mdp = TabularMDP(P, [[0.0], [1.0], [0.0]], 0.9, [1, 0, 0], [0, 0, 1])
    _, _, _, _, terminated, truncated, _ = run(TabularVectorEnv(1, mdp, limit=2), 9)
    assert terminated[:, 0].tolist() == [False, True, False] * 3
    assert not truncated.any()
    _, _, _, _, terminated, truncated, _ = run(TabularVectorEnv(1, mdp, limit=1), 4)
    assert truncated[:, 0].tolist() == [True, False] * 2
    assert not terminated.any()


def test_steps_that_change_nothing_count():
    world = mitchell()
    barred = ~world.available
    assert barred[~world.terminal].any(axis=1).all(), "each cell has a move that does not exist"
    env = TabularVectorEnv(1, world, limit=4)
    _, _, _, to, _, truncated, _ = run(env, 4, choose=lambda state: barred[state].argmax(axis=1))
    assert len(np.unique(to)) == 1
    assert truncated[:, 0].tolist() == [False, False, False, True]


# --- Gymnasium's contract ---


def test_it_keeps_to_gymnasiums_contract():
    env = TabularVectorEnv(7, guarded_gate(gamma=0.9), limit=6)
    assert env.metadata["autoreset_mode"] == AutoresetMode.NEXT_STEP
    assert env.observation_space.shape == (7, guarded_gate(gamma=0.9).n_states)
    assert env.action_space.shape == (7,)
    assert isinstance(env, gymnasium.vector.VectorEnv)
    one, other = env.reset(seed=3)[0], env.reset(seed=3)[0]
    assert data_equivalence(one, other, exact=True)
    env.action_space.seed(0)
    for _ in range(30):
        obs, reward, terminated, truncated, info = env.step(env.action_space.sample())
        assert env.observation_space.contains(obs)
        assert obs.dtype == np.float32
        assert reward.shape == terminated.shape == truncated.shape == (7,)
        assert reward.dtype == np.float64
        assert terminated.dtype == truncated.dtype == bool
        assert info == {}
    env.close()


def test_gymnasiums_own_wrappers_run_on_it():
    wrapped = gymnasium.wrappers.vector.RecordEpisodeStatistics(TabularVectorEnv(3, mitchell(), limit=2))
    wrapped.reset(seed=0)
    found = [wrapped.step(np.zeros(3, int))[4] for _ in range(2)]
    assert found[1]["episode"]["l"].tolist() == [2, 2, 2]


def test_a_seed_says_all_and_without_one_the_stream_goes_on():
    env, twin = (TabularVectorEnv(20, gamble()) for _ in range(2))
    one, two = run(env, 30, seed=1), run(twin, 30, seed=1)
    assert all(np.array_equal(a, b) for a, b in zip(one, two, strict=True))
    assert any(not np.array_equal(a, b) for a, b in zip(one, run(env, 30, seed=2), strict=True))
    first, again = env.reset(seed=1)[0], env.reset()[0]
    assert not np.array_equal(first, again)
    twin.reset(seed=1)
    assert np.array_equal(twin.reset()[0], again)


def test_a_reset_in_the_middle_begins_everywhere():
    env = TabularVectorEnv(4, mitchell(), limit=3)
    env.reset(seed=0)
    env.step(np.zeros(4, int))
    env.reset(seed=0)
    flags = [env.step(np.zeros(4, int))[3].all() for _ in range(3)]
    assert flags == [False, False, True]


def test_what_was_seen_does_not_change_later():
    env = TabularVectorEnv(5, gamble())
    seen = [env.reset(seed=0)[0]]
    kept = [seen[0].copy()]
    for _ in range(10):
        seen.append(env.step(np.zeros(5, int))[0])
        kept.append(seen[-1].copy())
    assert all(np.array_equal(a, b) for a, b in zip(seen, kept, strict=True))
    seen[-1][:] = 99
    assert not (env.step(np.zeros(5, int))[0] == 99).any()


# --- what is seen ---


def test_states_look_like_their_rows():
    rows = np.array([[0.5, 1], [2, 3], [2, 3], [-1, -1]])
    env, states = TabularVectorEnv(30, gamble(), rows), TabularVectorEnv(30, gamble())
    shown, state = env.reset(seed=0)[0], states.reset(seed=0)[0]
    assert env.single_observation_space.shape == (2,)
    for _ in range(10):
        assert np.array_equal(shown, rows[state.argmax(axis=1)].astype(np.float32))
        assert (state.sum(axis=1) == 1).all()
        action = np.arange(30) % 2
        shown, state = env.step(action)[0], states.step(action)[0]


# --- the door ---


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: TabularVectorEnv(0, gamble()), "num_envs is 0, but a whole number of at least 1"),
        (lambda: TabularVectorEnv(1, gamble(), limit=0), "limit is 0, but a whole number of at least 1"),
        (
            lambda: TabularVectorEnv(1, gamble(), np.eye(3)),
            r"observations has shape \(3, 3\), but a row for each of 4 states was expected",
        ),
        (lambda: TabularVectorEnv(1, gamble(), np.zeros(4)), r"observations has shape \(4,\), but a row for each of 4"),
        (lambda: TabularVectorEnv(1, gamble(), [["a"]] * 4), "observations must be an array of real numbers"),
        (lambda: TabularVectorEnv(1, gamble(), [[np.nan]] * 4), r"observations\[0, 0\] is nan"),
    ],
)
def test_what_does_not_fit_is_refused_in_one_sentence(call, message):
    with pytest.raises(ValueError, match=f"^{message}"):
        call()


def test_a_step_before_the_first_reset_is_refused():
    with pytest.raises(gymnasium.error.ResetNeeded, match="^call reset"):
        TabularVectorEnv(1, gamble()).step(np.zeros(1, int))
