"""Between our tables and Gymnasium's environments: known optima, and Gymnasium's own checker."""

import warnings
from itertools import islice

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from scipy import stats

from rlkit.mdp import (
    METHODS,
    TabularMDP,
    evaluate_policy,
    from_gymnasium,
    random_policy,
    solve,
    to_gymnasium,
    under_policy,
    value_iteration,
)

ERROR_RATE = 1e-6  # how often a statistical test below would fail by chance on a new seed


def within(mdp, policy, steps):
    """Return the expected undiscounted return of a policy within a number of steps, from the start."""
    chain, r = under_policy(mdp, policy)
    V = np.zeros(mdp.n_states)
    for _ in range(steps):
        V = r + chain @ V
    return mdp.start @ V


# -- Gymnasium's worlds -------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def lake():
    return from_gymnasium(gymnasium.make("FrozenLake-v1", is_slippery=True), 1)


@pytest.mark.parametrize("method", METHODS)
def test_frozen_lake_undiscounted(lake, method):
    answer = solve(lake, method)
    assert mean_from_start(lake, answer.V) == pytest.approx(14 / 17, abs=1e-12)
    # The stationary policy that is best without a time limit, under Gymnasium's limit of 100 steps.
    assert within(lake, answer.policy, 100) == pytest.approx(0.7402, abs=5e-5)


def mean_from_start(mdp, V):
    return mdp.start @ V


def test_frozen_lake_with_a_policy_that_watches_the_clock(lake):
    *_, V = islice(value_iteration(lake), 100)
    assert mean_from_start(lake, V) == pytest.approx(0.7442, abs=5e-5)


def test_frozen_lake_tables(lake):
    assert lake.terminal.nonzero()[0].tolist() == [5, 7, 11, 12, 15]
    assert lake.start.tolist() == [1] + [0] * 15
    np.testing.assert_allclose(lake.rows.toarray()[0 * 4 + 1, [0, 1, 4]], 1 / 3)  # down, from the start: slips
    assert lake.expected_reward[14, 1] == pytest.approx(1 / 3)
    assert lake.expected_reward[15].tolist() == [0, 0, 0, 0]


def test_frozen_lake_without_ice():
    mdp = from_gymnasium(gymnasium.make("FrozenLake-v1", map_name="8x8", is_slippery=False), 0.9)
    assert mean_from_start(mdp, solve(mdp).V) == pytest.approx(0.9**13)


@pytest.mark.parametrize("method", METHODS)
def test_cliff_walking(method):
    mdp = from_gymnasium(gymnasium.make("CliffWalking-v1"), 1)
    answer = solve(mdp, method)
    assert mean_from_start(mdp, answer.V) == pytest.approx(-13)
    # Its table lets one walk on from the goal, 47; here the goal absorbs.
    assert mdp.terminal.nonzero()[0].tolist() == [47]
    assert answer.V[47] == 0
    np.testing.assert_array_equal(mdp.rows.toarray()[47 * 4 : 48 * 4], np.eye(48)[[47] * 4])


@pytest.mark.parametrize("method", METHODS)
def test_taxi(method):
    env = gymnasium.make("Taxi-v4")
    mdp = from_gymnasium(env, 1)
    # The four states of a passenger who has arrived, with the taxi there: 0 and its like in each corner.
    done = [env.unwrapped.encode(row, col, at, at) for at, (row, col) in enumerate([(0, 0), (0, 4), (4, 0), (4, 3)])]
    assert mdp.terminal.nonzero()[0].tolist() == sorted(done)
    answer = solve(mdp, method)
    assert (answer.V[done] == 0).all()
    # The nearest delivery: on the passenger's field, pick up (-1), drive, drop off (+20).
    assert answer.V[mdp.start > 0].max() == 20 - 1 - 4
    assert answer.V[mdp.start > 0].min() == 3
    assert mean_from_start(mdp, answer.V) == pytest.approx(7.93, abs=1e-12)


class Table(gymnasium.Env):
    """An environment of which only the table matters."""

    def __init__(self, P, **more):
        self.P = P
        vars(self).update(more)


def test_two_outcomes_to_the_same_state_add_up():
    P = {0: {0: [(0.5, 1, 2.0, True), (0.25, 1, 6.0, True), (0.25, 0, -1.0, False)]}, 1: {0: [(1.0, 0, 9.0, False)]}}
    mdp = from_gymnasium(Table(P), 0.9)
    np.testing.assert_allclose(mdp.rows.toarray(), [[0.25, 0.75], [0, 1]])
    np.testing.assert_allclose(mdp.expected_reward, [[0.5 * 2 + 0.25 * 6 - 0.25], [0]])
    np.testing.assert_allclose(mdp.start, [0.5, 0.5])


def test_start_is_taken_over_and_scaled():
    P = {0: {0: [(1.0, 1, 1.0, True)]}, 1: {0: [(1.0, 1, 0.0, True)]}}
    np.testing.assert_allclose(from_gymnasium(Table(P, initial_state_distrib=[3, 1]), 0.9).start, [0.75, 0.25])


def test_a_state_that_is_entered_both_ways_is_refused_if_it_can_be_reached():
    P = {0: {0: [(0.5, 1, 0.0, True), (0.5, 1, 0.0, False)]}, 1: {0: [(1.0, 0, 0.0, False)]}}
    with pytest.raises(ValueError, match="^state 1 is entered both with and without the episode ending"):
        from_gymnasium(Table(P), 0.9)
    # State 2 enters state 1 without an end, but nothing leads to state 2.
    P = {s: {0: [(1.0, 1, 1.0, s != 2)]} for s in range(3)}
    mdp = from_gymnasium(Table(P, initial_state_distrib=[1, 0, 0]), 0.9)
    assert mdp.terminal.tolist() == [False, True, False]
    with pytest.raises(ValueError, match="^state 1 is entered both"):
        from_gymnasium(Table(P, initial_state_distrib=[0.5, 0, 0.5]), 0.9)
    # An outcome of probability 0 enters nothing.
    P[0] = {0: [(1.0, 1, 1.0, True), (0.0, 1, 1.0, False)]}
    from_gymnasium(Table(P, initial_state_distrib=[1, 0, 0]), 0.9)


@pytest.mark.parametrize("env", ["CartPole-v1", None])
def test_an_environment_without_a_table_is_refused(env):
    with pytest.raises(ValueError, match="has no transition table P: only environments such as FrozenLake"):
        from_gymnasium(gymnasium.make(env) if env else "FrozenLake-v1", 1)


def test_from_gymnasium_checks_gamma():
    with pytest.raises(ValueError, match="^gamma is 2.0"):
        from_gymnasium(gymnasium.make("FrozenLake-v1"), 2)


# -- our worlds for Gymnasium -------------------------------------------------------------------------------------------

P = np.array([[[0.5, 0.5, 0], [0, 0.4, 0.6]], [[0.2, 0.3, 0.5], [0, 1, 0]], [[0, 0, 1], [0, 0, 1]]])
R = np.array([[1.0, 2], [-3, 0], [0, 0]])
ALL, SOME = np.ones((3, 2)), np.array([[1, 1], [1, 0], [0, 1]])


def world(available=ALL, **changes):
    return TabularMDP(P, R, 0.9, terminal=[0, 0, 1], available=available, **changes)


@pytest.mark.parametrize("available", [ALL, SOME], ids=["all actions", "missing actions"])
def test_gymnasiums_checker_is_content(available):
    # The checker draws an action first, then resets and takes it: it must exist where episodes begin.
    env = to_gymnasium(world(available, start=[1, 0, 0], reward_std=np.ones((3, 2))))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        # It wants to rebuild the environment from a registered name; ours is made from an object.
        warnings.filterwarnings("ignore", message=".*spec.*")
        for _ in range(10):
            check_env(env)


def episode(env, seed, steps=30):
    obs, info = env.reset(seed=seed)
    log = [(obs, info["action_mask"].tolist())]
    for _ in range(steps):
        obs, reward, terminated, truncated, info = env.step(int(np.flatnonzero(info["action_mask"])[-1]))
        log.append((obs, reward, terminated, truncated, info["action_mask"].tolist()))
        if terminated:
            obs, info = env.reset()
            log.append((obs, info["action_mask"].tolist()))
    return log


def test_the_same_seed_gives_the_same_episodes():
    env = to_gymnasium(world(SOME, reward_std=np.ones((3, 2))))
    first = episode(env, 3)
    assert episode(env, 3) == first
    assert episode(to_gymnasium(world(SOME, reward_std=np.ones((3, 2)))), 3) == first
    assert episode(env, 4) != first


def test_masks_and_samples_keep_to_what_exists():
    env = to_gymnasium(world(SOME))
    env.action_space.seed(0)
    _, info = env.reset(seed=0)
    seen = set()
    for _ in range(300):
        state = env.unwrapped._world.state[0]
        np.testing.assert_array_equal(info["action_mask"], SOME[state])
        assert info["action_mask"].dtype == np.int8
        action = env.action_space.sample()
        assert SOME[state, action]
        seen.add((int(state), int(action)))
        *_, terminated, _, info = env.step(action)
        if terminated:
            _, info = env.reset()
    assert seen == {(0, 0), (0, 1), (1, 0)}
    assert env.action_space.sample(mask=np.array([0, 1], np.int8)) == 1, "a mask that is given goes before"


def test_an_action_that_does_not_exist_is_refused():
    env = to_gymnasium(TabularMDP(P, R, 0.9, [0, 1, 0], [0, 0, 1], SOME))
    env.reset(seed=0)
    with pytest.raises(ValueError, match=r"^action\[0\] is 1, which does not exist in state 1$"):
        env.step(1)


def test_step_before_reset_is_refused():
    env = to_gymnasium(world())
    with pytest.raises(gymnasium.error.ResetNeeded):
        env.step(0)
    assert env.action_space.sample() in (0, 1)


def test_spaces():
    env = to_gymnasium(world())
    assert env.observation_space == gymnasium.spaces.Discrete(3)
    assert env.action_space.n == 2
    assert isinstance(env.unwrapped, gymnasium.Env)


def test_it_works_in_gymnasiums_vector_and_wrappers():
    limited = gymnasium.wrappers.TimeLimit(to_gymnasium(world()), 5)
    limited.reset(seed=0)
    ends = [limited.step(0)[2:4] for _ in range(5)][-1]
    assert any(ends)
    vector = gymnasium.vector.SyncVectorEnv([lambda: to_gymnasium(world())] * 3)
    obs, _ = vector.reset(seed=0)
    assert obs.shape == (3,)
    obs, reward, *_ = vector.step(np.zeros(3, int))
    assert reward.shape == (3,)


def test_monte_carlo_returns_agree_with_evaluate_policy():
    mdp = world(SOME, reward_std=np.full((3, 2), 0.5))
    env = to_gymnasium(mdp)
    env.action_space.seed(1)
    env.reset(seed=1)
    returns = []
    for _ in range(4000):
        env.reset()
        total, weight, terminated = 0.0, 1.0, False
        while not terminated:
            _, reward, terminated, _, _ = env.step(env.action_space.sample())
            total, weight = total + weight * reward, weight * mdp.gamma
        returns.append(total)
    expected = mdp.start @ evaluate_policy(mdp, random_policy(mdp))
    z = (np.mean(returns) - expected) / (np.std(returns) / np.sqrt(len(returns)))
    assert abs(z) < stats.norm.isf(ERROR_RATE / 2)


def test_there_and_back_again():
    # The environment of Gymnasium and ours, made from its table, walk the same chain.
    source = gymnasium.make("FrozenLake-v1", is_slippery=True)
    mdp = from_gymnasium(source, 1)
    policy = solve(mdp).policy
    env = gymnasium.wrappers.TimeLimit(to_gymnasium(mdp), 100)
    wins = 0
    obs, _ = env.reset(seed=0)
    for _ in range(600):
        over = False
        while not over:
            obs, _, terminated, truncated, _ = env.step(policy[obs])
            over = terminated or truncated
        wins += obs == 15
        obs, _ = env.reset()
    z = (wins / 600 - 0.7402) / np.sqrt(0.7402 * 0.2598 / 600)
    assert abs(z) < stats.norm.isf(ERROR_RATE / 2)
