"""CartPole and Pendulum, made ready for a network: Gymnasium's own, with other units."""

import gymnasium
import numpy as np
import pytest
from gymnasium.spaces import Box, Discrete

from rlkit.envs import Worlds, cartpole, pendulum
from rlkit.envs.classic import CARTPOLE_SCALE, PENDULUM_SCALE


def test_it_is_cartpole_in_other_units():
    ours = cartpole(3)
    theirs = gymnasium.make_vec("CartPole-v1", num_envs=3, vectorization_mode="vector_entry_point")
    rng = np.random.default_rng(0)
    seen, raw = ours.reset(seed=4)[0], theirs.reset(seed=4)[0]
    for _ in range(60):
        assert seen.dtype == np.float32
        assert np.array_equal(seen, raw / CARTPOLE_SCALE)
        assert ours.observation_space.contains(seen)
        action = rng.integers(2, size=3)
        (seen, *rest, _), (raw, *others, _) = ours.step(action), theirs.step(action)
        assert all(np.array_equal(a, b) for a, b in zip(rest, others, strict=True))


def test_all_four_numbers_are_about_as_large():
    """In 300 random steps of 64 worlds each lies mostly within 1, and within the limits of an episode all the time."""
    world, rng = Worlds(cartpole, 8, 8, seed=0), np.random.default_rng(0)
    seen = np.array([world.step(rng.integers(2, size=(8, 8))).next_obs for _ in range(300)]).reshape(-1, 4)
    spread = np.abs(seen).mean(axis=0)
    assert ((spread > 0.05) & (spread < 1)).all()
    assert CARTPOLE_SCALE.tolist() == [np.float32(x) for x in (1.2, 1.5, 0.125, 1.5)]


def test_its_episodes_last_at_most_500_steps():
    """A controller that pushes towards where the pole falls keeps it up to the end: truncated, not terminated."""
    world = Worlds(cartpole, 1, 4, seed=0)
    for _ in range(500):
        position, velocity, angle, spin = np.moveaxis(world.obs * CARTPOLE_SCALE, -1, 0)
        step = world.step((0.05 * position + 0.1 * velocity + angle + 0.3 * spin > 0).astype(int))
    assert step.truncated.all()
    assert not step.terminated.any()
    assert world.episodes()["return"].tolist() == [500.0] * 4


@pytest.mark.parametrize("torques", [None, 2, 11])
def test_it_is_pendulum_in_other_units(torques):
    """Step by step for more than an episode, so that it begins anew; a number of a torque is that torque."""
    ours, theirs = pendulum(3, torques), gymnasium.make_vec("Pendulum-v1", num_envs=3, vectorization_mode="sync")
    rng = np.random.default_rng(0)
    seen, raw = ours.reset(seed=4)[0], theirs.reset(seed=4)[0]
    for t in range(1, 206):
        assert seen.dtype == np.float32
        assert np.array_equal(seen, raw / PENDULUM_SCALE)
        assert ours.observation_space.contains(seen)
        action = rng.integers(torques, size=3) if torques else rng.uniform(-2, 2, (3, 1)).astype(np.float32)
        torque = np.float32(-2 + 4 * action[:, None] / (torques - 1)) if torques else action
        (seen, *rest, _), (raw, *others, _) = ours.step(action), theirs.step(torque)
        assert all(np.array_equal(a, b) for a, b in zip(rest, others, strict=True))
        assert rest[2].all() == (t == 200)  # broken off, and never terminated
        assert not rest[1].any()
    assert PENDULUM_SCALE.tolist() == [1, 1, 4]


def test_its_actions_are_a_number_or_the_number_of_a_torque():
    assert pendulum(2).single_action_space == Box(-2, 2, (1,), np.float32)
    assert pendulum(2, 11).single_action_space == Discrete(11)
    for wrong in (1, 0, 2.5):
        with pytest.raises(ValueError, match="torques"):
            pendulum(2, wrong)


def test_its_time_limit_may_be_another():
    world = Worlds(lambda n: pendulum(n, limit=7), 1, 2, seed=0)
    for _ in range(16):
        world.step(np.zeros((1, 2, 1)))
    assert world.episodes()["length"].tolist() == [7] * 4
    with pytest.raises(ValueError, match="limit"):
        pendulum(2, limit=0)
