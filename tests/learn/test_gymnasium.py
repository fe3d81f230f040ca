"""One seed each in Gymnasium's environments: the same functions, the same results as with tables."""

from collections import Counter

import gymnasium
import numpy as np
import pytest
from gymnasium.wrappers import TimeLimit

from rlkit.learn.tabular import (
    backward_q_learning,
    double_q_learning,
    dyna_q,
    expected_sarsa,
    n_step_td,
    prioritised_sweeping,
    q_learning,
    replay_q_learning,
    sarsa,
    td_lambda,
    td_prediction,
)
from rlkit.mdp import TabularMDP, evaluate_policy, from_gymnasium, solve, to_gymnasium
from rlkit.mdp.worlds import mitchell
from tests.mdp.random_worlds import Recipe, random_world


def even(env):
    """The random policy, among the actions that exist in a world of ours."""
    world = getattr(env.unwrapped, "mdp", None)
    exists = np.ones((env.observation_space.n, env.action_space.n)) if world is None else world.available
    return exists / exists.sum(axis=1, keepdims=True)


LEARNERS = {
    "q_learning": q_learning,
    "sarsa": sarsa,
    "expected_sarsa": expected_sarsa,
    "double_q_learning": double_q_learning,
    "dyna_q": dyna_q,
    "replay_q_learning": replay_q_learning,
    "backward_q_learning": lambda env, **walk: backward_q_learning(env, limit=40, **walk),
    "prioritised_sweeping": lambda env, **walk: prioritised_sweeping(env, **walk)[0],
    "td_prediction": lambda env, **walk: td_prediction(env, even(env), **walk),
    "n_step_td": lambda env, **walk: n_step_td(env, even(env), 3, **walk),
    "monte_carlo": lambda env, **walk: n_step_td(env, even(env), None, limit=40, **walk),
    "td_lambda": lambda env, **walk: td_lambda(env, even(env), 0.5, **walk),
}
ENVIRONMENTS = {
    "FrozenLake": gymnasium.make("FrozenLake-v1"),
    "CliffWalking": gymnasium.make("CliffWalking-v1"),
    "Taxi": gymnasium.make("Taxi-v4"),
    "mitchell": to_gymnasium(mitchell()),
}


class Watch(gymnasium.Wrapper):
    """Writes down seeds, and that nobody takes an action that does not exist; needs no more than the action mask."""

    def __init__(self, env):
        super().__init__(env)
        self.seeds, self.taken, self.mask = [], Counter(), None

    def reset(self, *, seed=None, options=None):
        self.seeds.append(seed)
        s, info = self.env.reset(seed=seed, options=options)
        self.mask = info.get("action_mask")
        return s, info

    def step(self, a):
        assert isinstance(a, int)
        self.taken["existing" if self.mask is None or self.mask[a] else "missing"] += 1
        s, r, terminated, truncated, info = self.env.step(a)
        self.mask = info.get("action_mask")
        return s, r, terminated, truncated, info


@pytest.mark.parametrize("env", ENVIRONMENTS.values(), ids=ENVIRONMENTS.keys())
@pytest.mark.parametrize("name", LEARNERS)
def test_every_learner_in_every_environment(name, env):
    results = []
    for seed in 1, 1, 2:
        watch = Watch(env)
        learned = LEARNERS[name](watch, steps=150, gamma=0.9, seed=seed)
        S, A = int(env.observation_space.n), int(env.action_space.n)
        prediction = name in ("td_prediction", "n_step_td", "monte_carlo", "td_lambda")
        assert learned.table.shape == ((1, S) if prediction else (1, S, A))
        assert not np.isnan(learned.table).any() and (learned.table < np.inf).all()
        assert isinstance(watch.seeds[0], int) and set(watch.seeds[1:]) <= {None}, "seeded once"
        if not (prediction and watch.mask is not None):  # a policy may name what does not exist
            assert watch.taken == {"existing": 150}
        results.append((learned.table, learned.log["step"], learned.log["return"], watch.seeds[0]))
    first, again, other = results
    for a, b in zip(first, again, strict=True):
        np.testing.assert_array_equal(a, b)
    assert first[3] != other[3]
    assert any(np.shape(a) != np.shape(b) or (a != b).any() for a, b in zip(first[:3], other[:3], strict=True))


@pytest.mark.parametrize("learner", [q_learning, sarsa, expected_sarsa, double_q_learning, dyna_q, replay_q_learning])
def test_a_masked_action_is_never_taken_and_never_counted_on(learner):
    """Taxi pays -1 or -10 while values begin at 0: whoever looks at a masked entry finds it best."""
    env = Watch(ENVIRONMENTS["Taxi"])
    learned = learner(env, alpha=0.5, explore=0.3, steps=800, gamma=0.9, seed=3)
    assert env.taken == {"existing": 800}
    Q = learned.Q[0]
    visited = (Q == -np.inf).any(axis=1)
    assert visited.sum() > 50
    for s in np.flatnonzero(visited):
        mask = env.unwrapped.action_mask(s)
        np.testing.assert_array_equal(Q[s] > -np.inf, mask.astype(bool))
    assert np.isfinite(Q[~visited]).all()


# -- the optimum, where the world is deterministic ---------------------------------------------------------------------


def greedy_return(env, Q, most=200):
    """Return the sum of rewards of one greedy episode."""
    s, _ = env.reset(seed=0)
    total = 0.0
    for _ in range(most):
        s, r, terminated, truncated, _ = env.step(int(Q[s].argmax()))
        total += r
        if terminated or truncated:
            return total
    return None


def test_frozen_lake_that_does_not_slip():
    env = gymnasium.make("FrozenLake-v1", is_slippery=False)
    learned = q_learning(env, alpha=1, explore=1.0, steps=8000, gamma=0.9, seed=4)
    best = solve(from_gymnasium(env, 0.9))
    reached = np.isin(np.arange(16), [5, 7, 11, 12, 15], invert=True)
    np.testing.assert_allclose(learned.Q[0][reached], best.Q[reached], atol=1e-9)
    assert learned.Q[0, 0].max() == pytest.approx(0.9**5)
    assert greedy_return(env, learned.Q[0]) == 1


def test_cliff_walking():
    env = gymnasium.make("CliffWalking-v1")
    learned = q_learning(env, alpha=1, explore=0.2, steps=8000, gamma=1.0, seed=5)
    assert greedy_return(env, learned.Q[0]) == -13
    best = solve(from_gymnasium(env, 1.0))
    assert learned.Q[0, 36].max() == pytest.approx(-13)
    assert (learned.Q[0] >= best.Q - 1e-9).all(), "costs are never overestimated when tables begin at 0"


def test_taxi():
    """The greedy policy is worth as much as the best one, from most starts."""
    env = ENVIRONMENTS["Taxi"]
    world = from_gymnasium(env, 0.9)
    learned = q_learning(env, alpha=1, explore=0.1, steps=15_000, gamma=0.9, seed=6)
    best = solve(world).V
    start = world.start > 0
    got = evaluate_policy(world, learned.Q[0].argmax(axis=1))
    assert (abs(got - best)[start] < 1e-6).mean() > 0.7


def test_mitchell_behind_gymnasium_is_mitchell():
    learned = q_learning(to_gymnasium(mitchell()), alpha=1, explore=1.0, steps=2000, gamma=0.9, seed=7)
    exists = mitchell().available
    np.testing.assert_allclose(learned.Q[0][exists], solve(mitchell()).Q[exists], atol=1e-12)
    shown = learned.Q[0][~exists]
    assert (shown == -np.inf).all()


def test_a_world_of_chance_behind_gymnasium_has_the_same_limit():
    """alpha = n^-0.8, 6,000 steps, one seed each: both within 0.2 of Q*, where values differ by more than 1.5.

    Fifty seeds have largest errors of 0.045 on average, with a standard deviation of 0.02; 0.2 is 7 of them away.
    """
    recipe = Recipe(states=4, actions=2, gamma=0.5, ends=1, missing=0.3, rewards="transition", successors=2)
    world = random_world(recipe, np.random.default_rng(6))
    best, exists = solve(world).Q, world.available
    assert np.ptp(best[exists]) > 1.5
    for where, gamma in (to_gymnasium(world), 0.5), (world, None):
        learned = q_learning(where, alpha=lambda n: n**-0.8, explore=1.0, steps=6000, gamma=gamma, seed=8)
        assert abs(learned.Q[0][exists] - best[exists]).max() < 0.2


# -- limits ------------------------------------------------------------------------------------------------------------------

LOOP = TabularMDP(np.ones((1, 2, 1)), [[1.0, 0.0]], 0.9)
"""One state, rewards 1 and 0, no end: worth 10."""


@pytest.mark.parametrize("name", LEARNERS)
def test_a_time_limit_is_no_end(name):
    env = TimeLimit(to_gymnasium(LOOP), 3)
    control = name not in ("td_prediction", "n_step_td", "monte_carlo", "td_lambda")
    options = {"explore": 0.0} if control else {"alpha": 0.03}
    if control and name != "prioritised_sweeping":
        options["alpha"] = 1
    learned = LEARNERS[name](env, steps=600, gamma=0.9, seed=9, **options)
    assert set(learned.log["length"]) == {3}
    assert learned.table.max() == pytest.approx(10 if control else 5, rel=0.01 if control else 0.4)


def test_the_shorter_limit_counts():
    for own, limit in (3, 7), (7, 3):
        learned = q_learning(TimeLimit(to_gymnasium(LOOP), own), steps=50, gamma=0.9, limit=limit)
        assert set(learned.log["length"]) == {3}


def test_frozen_lakes_own_limit_is_kept():
    lake = gymnasium.make("FrozenLake-v1", max_episode_steps=5)
    learned = q_learning(lake, explore=1.0, steps=300, gamma=0.9)
    assert learned.log["length"].max() == 5


def test_the_log_is_that_of_the_environment():
    env = gymnasium.wrappers.RecordEpisodeStatistics(gymnasium.make("CliffWalking-v1", max_episode_steps=60), 10_000)
    learned = sarsa(env, explore=0.3, steps=2000, gamma=1.0)
    assert learned.log["length"].tolist() == list(env.length_queue)
    assert learned.log["return"].tolist() == pytest.approx(list(env.return_queue))
    np.testing.assert_array_equal(learned.log["step"], np.cumsum(learned.log["length"]))
