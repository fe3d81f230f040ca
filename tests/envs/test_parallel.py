"""The pursuit behind PettingZoo's interface: PettingZoo's own tests, and step by step the same as the batch."""

import numpy as np
import pytest
from pettingzoo.test import parallel_api_test, parallel_seed_test

from rlkit.envs.parallel import ParallelPursuit
from rlkit.envs.pursuit import Pursuit, yard

SMALL = {"size": (4, 4), "limit": 20}


def test_pettingzoos_own_tests():
    parallel_api_test(ParallelPursuit(**SMALL), num_cycles=300)
    parallel_seed_test(lambda: ParallelPursuit(**SMALL))


@pytest.mark.parametrize("seed", range(5))
def test_step_by_step_it_is_the_batched_world(seed):
    args = {"obstacles": yard(), "limit": 60, "pursuers": 3}
    one, batch = ParallelPursuit(**args), Pursuit(1, **args)
    seen, _ = one.reset(seed)
    obs = batch.reset(seed)
    rng, paid = np.random.default_rng(seed), []
    while one.agents:
        for i, name in enumerate(one.possible_agents):
            if name in seen:
                np.testing.assert_array_equal(seen[name], obs[0, i])
        moves = rng.integers(5, size=batch.agents)
        asked = list(one.agents)
        seen, reward, gone, cut, _ = one.step(dict(zip(one.possible_agents, map(int, moves), strict=True)))
        obs, r, terminated, truncated = batch.step(moves[None])
        assert list(reward) == asked
        for name in asked:
            i = one.possible_agents.index(name)
            assert reward[name] == r[0, i]
            assert gone[name] == (terminated[0] or not batch.free[0, i])
            assert cut[name] == (truncated[0] and not gone[name])
        paid.append(r)
    assert terminated[0] or truncated[0]


def test_a_caught_evader_is_not_asked_any_more():
    world = ParallelPursuit(size=(3, 1), pursuers=1, evaders=1)
    world.reset(0, options={"cells": np.array([[0, 0], [2, 0]])})
    stay, right, left = 0, 2, 4
    world.step({"pursuer_0": right, "evader_0": stay})
    assert world.agents == ["pursuer_0", "evader_0"]
    _, reward, gone, cut, _ = world.step({"pursuer_0": right, "evader_0": left})
    assert gone == {"pursuer_0": True, "evader_0": True} and not any(cut.values())
    assert reward == {"pursuer_0": 0.99, "evader_0": -1.0}
    with pytest.raises(ValueError, match="the episode is over"):
        world.step({"pursuer_0": 0})


def test_who_is_caught_in_the_last_step_is_not_cut_off():
    world = ParallelPursuit(size=(3, 1), pursuers=1, evaders=2, limit=1)
    world.reset(0, options={"cells": np.array([[0, 0], [1, 0], [2, 0]])})
    _, _, gone, cut, _ = world.step({"pursuer_0": 2, "evader_0": 0, "evader_1": 0})
    assert gone == {"pursuer_0": False, "evader_0": True, "evader_1": False}
    assert cut == {"pursuer_0": True, "evader_0": False, "evader_1": True} and world.agents == []


def test_nobody_may_be_forgotten():
    world = ParallelPursuit(**SMALL)
    world.reset(0)
    with pytest.raises(ValueError, match="actions has none for pursuer_1"):
        world.step({"pursuer_0": 0, "evader_0": 0, "evader_1": 0})
