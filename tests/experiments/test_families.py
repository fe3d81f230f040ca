"""The figure of the families: every cell is trained by its own algorithm in its own world, and what is stored belongs to it."""

import numpy as np
import pytest

from rlkit.experiments import load
from rlkit.experiments.families import EXPERIMENTS, eleven_torques, run_family

SMALL = {
    "DQN": {"steps": 64, "worlds": 4, "warm_up": 16, "batch": 4, "memory": 64, "freeze": 5, "epsilon": [1.0, 0.1, 50]},
    "REINFORCE": {"episodes": 2, "batch": 2},
    "A2C": {"steps": 64, "worlds": 4, "length": 8},
    "PPO": {"steps": 64, "worlds": 4, "length": 8, "minibatch": 16, "epochs": 1},
    "DDPG": {"steps": 520},
    "TD3": {"steps": 520},
}
(FAMILIES,) = EXPERIMENTS


@pytest.mark.parametrize("variant", list(FAMILIES.variants))
def test_each_cell_is_trained_and_played_in_its_world(variant):
    algorithm, world = variant.split(", ")
    found = run_family(SMALL[algorithm] | {"algorithm": algorithm, "world": world}, [3, 4])
    assert found["seed"] == [3, 4]
    low, high = {"CartPole": (8, 500), "Pendulum": (-1900, -100)}[world]
    assert ((found["return"] >= low) & (found["return"] <= high)).all()
    assert found["return"][0] != found["return"][1]
    steps = 400 if variant == "REINFORCE, Pendulum" else SMALL[algorithm].get("steps", found["steps"][0])
    np.testing.assert_array_equal(found["steps"], steps)


def test_eleven_torques_reach_from_end_to_end():
    env = eleven_torques(2)
    env.reset(seed=0)
    assert env.single_action_space.n == 11
    assert (env.unwrapped.envs[0].action_space.low, env.unwrapped.envs[0].action_space.high) == (-2, 2)


def test_what_is_stored_is_of_these_settings():
    assert FAMILIES.matches(load("families"))
