"""All pursuers at once, and as one super-agent: whose picture, whose move, whose reward."""

from functools import partial

import numpy as np
import pytest

from rlkit.envs.pursuit import Pursuit
from rlkit.envs.wirings import Everyone, SuperAgent
from rlkit.envs.worlds import Worlds
from rlkit.learn.dqn import generator


def world(n, pursuers=3):
    return Pursuit(n, size=(6, 5), pursuers=pursuers, evaders=2, limit=12)


def still(obs, rng):
    return np.zeros(len(obs), int)


@pytest.mark.parametrize("teams", [1, 4])
def test_every_seat_has_its_own_picture_and_its_own_move(teams):
    """Seat (team, agent, world) is agent number `agent` of world (team, world): against the world, stepped by hand."""
    env, plain = Everyone(24, world, teams, still), world(8)
    rng = np.random.default_rng(0)
    shown, _ = env.reset(seed=5)
    obs = plain.reset(5)
    for _ in range(40):  # over the ends of episodes
        seats = shown.reshape(teams, 3, 8 // teams, *shown.shape[1:])
        for team, agent, w in np.ndindex(seats.shape[:3]):
            np.testing.assert_array_equal(seats[team, agent, w], obs[team * (8 // teams) + w, agent])
        action = rng.integers(5, size=24)
        moves = np.zeros((8, 5), int)
        for team, agent, w in np.ndindex(seats.shape[:3]):
            moves[team * (8 // teams) + w, agent] = action.reshape(seats.shape[:3])[team, agent, w]
        shown, reward, terminated, truncated, _ = env.step(action)
        obs, paid, over, cut = plain.step(moves)
        for found, expected in ((reward, paid[:, :3]), (terminated, over[:, None]), (truncated, cut[:, None])):
            expected = np.broadcast_to(expected, (8, 3)).reshape(teams, 8 // teams, 3).swapaxes(1, 2)
            np.testing.assert_array_equal(found.reshape(expected.shape), expected)


def test_the_super_agent_moves_all_and_is_paid_once():
    env, plain = SuperAgent(6, world, still), world(6)
    assert env.single_action_space.n == 125
    rng, (shown, _) = np.random.default_rng(1), env.reset(seed=3)
    obs = plain.reset(3)
    for _ in range(40):
        assert shown.shape == (6, 5, 6, 5)
        np.testing.assert_array_equal(shown[:, :2], obs[:, 0, :2])
        for agent in range(3):
            np.testing.assert_array_equal(shown[:, 2 + agent], obs[:, agent, 3])
        moves = rng.integers(5, size=(6, 3))
        shown, reward, terminated, truncated, _ = env.step(moves @ [25, 5, 1])
        obs, paid, over, cut = plain.step(np.concatenate([moves, np.zeros((6, 2), int)], axis=1))
        for found, expected in ((reward, paid[:, 0]), (terminated, over), (truncated, cut)):
            np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("make", [partial(Everyone, make_world=world, teams=2), partial(SuperAgent, make_world=world)])
def test_they_fit_into_worlds(make):
    worlds = Worlds(make, 2, 6, seed=0)
    rng = np.random.default_rng(0)
    for _ in range(30):
        step = worlds.step(rng.integers(worlds.n_actions, size=(2, 6)))
    assert (worlds.episodes()["length"] <= 12).all() and len(worlds.episodes()["length"])
    assert (step.reward[~step.real] == 0).all()


@pytest.mark.parametrize("make", [Everyone, SuperAgent])
def test_evaders_draw_from_another_source_than_the_world_and_the_learner(make):
    drawn = []
    env = make(6, world, evaders=lambda obs, rng: drawn.append(rng.random(50)) or still(obs, rng))
    for seed in (5, 5, 6):
        env.reset(seed=seed)
        env.step(np.zeros(6, int))
    one, again, other = drawn
    assert (one == again).all() and not (one == other).any()
    for source in (np.random.default_rng(5), generator(5)):
        assert not np.isin(one, source.random(5000)).any()


@pytest.mark.parametrize("make", [Everyone, SuperAgent])
@pytest.mark.parametrize(
    ("actions", "sentence"),
    [
        (np.zeros(6), r"actions is float64\[6\], but whole numbers \[6\] were expected"),
        (np.zeros(3, int), r"actions is int64\[3\], but whole numbers \[6\]"),
        (np.full(6, 125), "actions has one outside 0 to "),
    ],
)
def test_actions_that_do_not_fit_are_refused(make, actions, sentence):
    env = make(6, world)
    with pytest.raises(ValueError, match="reset the environment before its first step"):
        env.step(np.zeros(6, int))
    env.reset(seed=0)
    with pytest.raises(ValueError, match=sentence):
        env.step(actions)


def test_seats_that_cannot_be_filled_are_refused():
    with pytest.raises(ValueError, match="2 teams of 3"):
        Everyone(8, world, teams=2)
