"""CartPole, made ready for a network: Gymnasium's own, with other units."""

import gymnasium
import numpy as np

from rlkit.envs import Worlds, cartpole
from rlkit.envs.classic import CARTPOLE_SCALE


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
