"""The games of MinAtar against the authors' package, step by step on the same draws, and against Gymnasium's contract."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import gymnasium
import minatar
import numpy as np
import pytest

from rlkit.envs.minatar import Asterix, Breakout, MinAtarEnv, SpaceInvaders
from tests.learn.chance import allowed

GAMES: dict[str, type[MinAtarEnv]] = {"breakout": Breakout, "asterix": Asterix, "space_invaders": SpaceInvaders}
PLANES = {Breakout: 4, Asterix: 4, SpaceInvaders: 6}
every_game = pytest.mark.parametrize("game", GAMES.values(), ids=GAMES)
every_name = pytest.mark.parametrize("name", GAMES)

# --- step by step like the package ---


class Script:
    """What the package takes for its generator: it hands out the draws of one step, in their order."""

    def __init__(self) -> None:
        self._draws: Iterator[float] = iter(())

    def load(self, draws: Iterable[float]) -> None:
        self._draws = iter(draws)

    def rand(self) -> float:
        return next(self._draws, 0.5)  # one draw too many is seen in what becomes of it

    def randint(self, high: int) -> int:
        return int(self.rand() * high)


class Peers:
    """Instances of the package's game with draws from outside, behind the arrays of a VectorEnv in the mode NEXT_STEP."""

    def __init__(self, name: str, worlds: int, sticky: float, ramping: bool):
        self.games = [minatar.Environment(name, sticky, difficulty_ramping=ramping) for _ in range(worlds)]
        self._scripts = [Script() for _ in range(worlds)]
        for game, script in zip(self.games, self._scripts, strict=True):
            game.random = game.env.random = script
        self._over = np.ones(worlds, bool)

    def observe(self) -> np.ndarray:
        return np.stack([game.state().transpose(2, 0, 1) for game in self.games])

    def reset(self, draws: np.ndarray) -> np.ndarray:
        self._over[:] = True
        return self.step(np.zeros(len(self.games), int), draws)[0]

    def step(self, actions: np.ndarray, draws: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        reward, terminated = np.zeros(len(self.games)), np.zeros(len(self.games), bool)
        for i, game in enumerate(self.games):
            self._scripts[i].load(draws[int(self._over[i]) :, i])  # no sticky action while it resets
            if self._over[i]:
                game.reset()
            else:
                reward[i], terminated[i] = game.act(int(actions[i]))
        self._over = terminated.copy()
        return self.observe(), reward, terminated


def recorded(game: type[MinAtarEnv]) -> type[MinAtarEnv]:
    """Return the game with the draws of its last step in ``drawn``."""

    class Recorded(game):  # type: ignore[misc, valid-type]
        def uniform(self) -> np.ndarray:
            self.drawn = super().uniform()
            return self.drawn

    return Recorded


Policy = Callable[[np.ndarray, np.random.Generator], int]


def at_random(obs: np.ndarray, rng: np.random.Generator) -> int:
    return int(rng.integers(6))


def cell(plane: np.ndarray) -> tuple[int, int]:
    row, column = divmod(int(plane.argmax()), 10)
    return row, column


def follow_the_ball(obs: np.ndarray, rng: np.random.Generator) -> int:
    paddle, (y, x), trail = cell(obs[0])[1], cell(obs[1]), cell(obs[2])[1]
    goal = x + (x - trail) * int(y == 8 and rng.random() < 0.5)  # sometimes the cell that turns the ball around
    return 1 if goal < paddle else 3 if goal > paddle else 0


def dodge_and_collect(obs: np.ndarray, rng: np.random.Generator) -> int:
    y, x = cell(obs[0])
    choices = []
    for action, (down, right) in enumerate([(0, 0), (0, -1), (-1, 0), (0, 1), (1, 0)]):
        row, column = min(max(y + down, 1), 8), min(max(x + right, 0), 9)
        near = obs[1, row, max(column - 2, 0) : column + 3].any()
        choices.append((near, not obs[3, row].any(), rng.random(), action))
    return min(choices)[-1]


def dodge_and_shoot(obs: np.ndarray, rng: np.random.Generator) -> int:
    """Aim at where the aliens will be; the lowest ones first, and those that will be at the edge next."""
    x, way = cell(obs[0])[1], 1 if obs[3].any() else -1
    columns = np.flatnonzero(obs[1].any(axis=0))
    lowest = 9 - obs[1, ::-1, columns].argmax(axis=1)
    worth = lowest / 5 + 1.5 * (columns * way == (columns * way).max())
    choices = []
    for action, right in (1, -1), (3, 1), (5, 0):
        column = min(max(x + right, 0), 9)
        bullet = obs[5, 6:9, column].any() or obs[1, 9, column]
        choices.append((bullet, (abs(columns + way - column) - worth).min(), rng.random(), action))
    return min(choices)[-1]


SKILLED: dict[str, Policy] = {
    "breakout": follow_the_ball,
    "asterix": dodge_and_collect,
    "space_invaders": dodge_and_shoot,
}


def follow(
    name: str,
    policy: Policy,
    steps: int,
    *,
    sticky: float = 0.1,
    ramping: bool = True,
    plant: Callable[..., None] = lambda *_: None,
) -> tuple[np.ndarray, np.ndarray]:
    """Play in 4 worlds and in 4 games of the package at once; return observations and terminated of all steps.

    They must agree on every observation, reward and termination. ``plant`` may change the state of both before each 5th step.
    """
    settings = {} if name == "breakout" else {"ramping": ramping}
    ours = recorded(GAMES[name])(4, sticky, **settings)
    peers, rng = Peers(name, 4, sticky, ramping), np.random.default_rng(7)
    obs, _ = ours.reset(seed=11)
    assert np.array_equal(obs, peers.reset(ours.drawn))
    seen, ends = [], []
    for t in range(steps):
        if t % 5 == 0:
            plant(ours, peers.games, rng)
        action = np.array([policy(world, rng) for world in obs])
        obs, reward, terminated, truncated, info = ours.step(action)
        obs_peer, reward_peer, terminated_peer = peers.step(action, ours.drawn)
        assert np.array_equal(obs, obs_peer), f"observation at step {t}"
        assert np.array_equal(reward, reward_peer), f"reward at step {t}"
        assert np.array_equal(terminated, terminated_peer), f"terminated at step {t}"
        assert not truncated.any() and info == {}
        seen.append(obs)
        ends.append(terminated)
    return np.stack(seen), np.stack(ends)


@every_name
def test_random_play_is_the_packages(name: str) -> None:
    _, ends = follow(name, at_random, 5_000)
    assert (ends.sum(axis=0) > 50).all()


@pytest.mark.parametrize("name", ["asterix", "space_invaders"])
def test_without_ramping_too(name: str) -> None:
    follow(name, SKILLED[name], 2_500, ramping=False)


def plant_a_ball_among_bricks(ours: Any, games: list[Any], rng: np.random.Generator) -> None:
    for i, game in enumerate(games):
        wall = np.zeros((10, 10))
        wall[1:4] = rng.random((3, 10)) < rng.random()
        x, y, way, pierces = int(rng.integers(10)), int(rng.integers(5)), int(rng.integers(4)), bool(rng.integers(2))
        game.env.brick_map, game.env.strike = wall, pierces
        game.env.ball_x, game.env.ball_y, game.env.ball_dir = x, y, way
        ours._bricks[i], ours._left[i], ours._pierces[i] = wall.ravel(), wall.sum(), pierces
        ours._x[i], ours._y[i], ours._dx[i], ours._dy[i] = x, y, (-1, 1, 1, -1)[way], (-1, -1, 1, 1)[way]


def plant_aliens_at_the_bottom(ours: Any, games: list[Any], rng: np.random.Generator) -> None:
    for i, game in enumerate(games):
        aliens = np.zeros((10, 10))
        aliens[8:] = rng.random((2, 10)) < 0.1
        aliens[rng.integers(7, 10), rng.integers(10)] = 1
        way, wait = int(rng.choice([-1, 1])), int(rng.integers(4))
        game.env.alien_map, game.env.alien_dir, game.env.alien_move_timer = aliens, way, wait
        ours._aliens[i], ours._left[i], ours._way[i], ours._move[i] = aliens.ravel(), aliens.sum(), way, wait


@pytest.mark.parametrize(
    ("name", "plant"), [("breakout", plant_a_ball_among_bricks), ("space_invaders", plant_aliens_at_the_bottom)]
)
def test_what_hardly_ever_comes_up_is_the_packages(name: str, plant: Callable[..., None]) -> None:
    """A ball that runs into one brick after another; aliens beside the cannon, and below the screen."""
    follow(name, at_random, 2_500, plant=plant)


# Chance hardly ever clears a wall or a wave, or lives until the last level.


def longest(marks: np.ndarray, ends: np.ndarray) -> int:
    """Return the largest number of marks, bool[T, E], within one episode."""
    most = 0
    for mark, end in zip(marks.T, ends.T, strict=True):
        most = max(most, *(int(part.sum()) for part in np.split(mark, np.flatnonzero(end) + 1)))
    return most


def test_a_wall_is_built_anew_as_in_the_package() -> None:
    seen, ends = follow("breakout", follow_the_ball, 2_500, sticky=0.02)
    bricks = seen[:, :, 3].sum(axis=(2, 3))
    renewed = (bricks[1:] == 30) & (bricks[:-1] == 0) & ~ends[:-1]
    assert renewed.sum() > 10


def test_all_levels_are_those_of_the_package() -> None:
    _, ends = follow("asterix", dodge_and_collect, 5_000, sticky=0)
    assert longest(np.ones_like(ends), ends) > 9 * 102 + 50


def test_new_waves_are_those_of_the_package() -> None:
    seen, ends = follow("space_invaders", dodge_and_shoot, 2_500, sticky=0)
    aliens = seen[:, :, 1].sum(axis=(2, 3))
    renewed = (aliens[1:] == 24) & (aliens[:-1] <= 2) & ~ends[:-1]
    assert longest(renewed, ends[1:]) > 7  # more than there are speeds
    assert seen[:, :, 1, 9].any()  # and they came down to the cannon


@every_name
def test_random_play_earns_what_it_earns_in_the_package(name: str) -> None:
    """Both with their own draws. The bound is one in a million, for three tests at once."""
    worlds, steps, rng = 64, 2_000, np.random.default_rng(3)
    actions = rng.integers(6, size=(steps, worlds))
    ours = GAMES[name](worlds)
    ours.reset(seed=5)
    played = [ours.step(a)[1:3] for a in actions]
    earned = returns(np.stack([r for r, _ in played]), np.stack([d for _, d in played]))

    game, steps_peer = minatar.Environment(name, sticky_action_prob=0.1), 60_000
    game.seed(5), game.reset()
    rewards, ends = np.zeros((steps_peer, 1)), np.zeros((steps_peer, 1), bool)
    for t, action in enumerate(rng.integers(6, size=steps_peer).tolist()):
        rewards[t], ends[t] = game.act(action)
        if ends[t]:
            game.reset()
    earned_peer = returns(rewards, ends)

    error = np.sqrt(earned.var() / len(earned) + earned_peer.var() / len(earned_peer))
    assert abs(earned.mean() - earned_peer.mean()) < allowed(3) * error
    assert error < 0.1  # so that the bound says something
    if name == "breakout":
        assert earned.mean() == pytest.approx(0.5, abs=0.05)


def returns(reward: np.ndarray, terminated: np.ndarray) -> np.ndarray:
    """Return the sums of rewards of all episodes that ended, from arrays [steps, worlds]."""
    found = []
    for r, d in zip(reward.T, terminated.T, strict=True):
        found.append(np.diff(np.cumsum(r)[d], prepend=0.0))
    return np.concatenate(found)


# --- Gymnasium's contract ---


@every_game
def test_spaces_and_shapes(game: type[MinAtarEnv]) -> None:
    env = game(5)
    assert isinstance(env, gymnasium.vector.VectorEnv) and env.num_envs == 5
    assert env.metadata["autoreset_mode"] == gymnasium.vector.AutoresetMode.NEXT_STEP
    assert len(set(game.channels)) == len(game.channels) == PLANES[game]
    assert env.single_observation_space.shape == (PLANES[game], 10, 10)
    assert env.single_action_space == gymnasium.spaces.Discrete(6)
    assert env.action_space == gymnasium.spaces.MultiDiscrete([6] * 5)
    obs, info = env.reset(seed=0)
    env.action_space.seed(0)
    for _ in range(100):
        assert obs.dtype == bool and obs.shape == (5, PLANES[game], 10, 10) and info == {}
        assert env.observation_space.contains(obs)
        assert all(env.single_observation_space.contains(world) for world in obs)
        obs, reward, terminated, truncated, info = env.step(env.action_space.sample())
        assert reward.dtype == float and terminated.dtype == truncated.dtype == bool
        assert reward.shape == terminated.shape == truncated.shape == (5,)


def play(env: MinAtarEnv, steps: int, seed: int | None, keep: Any = lambda x: x) -> list[np.ndarray]:
    """Return observations [T, E, ...], rewards and terminated [T, E] of random play."""
    rng = np.random.default_rng(1)
    env.reset(seed=seed)
    parts = [keep(env.step(rng.integers(6, size=env.num_envs))[:3]) for _ in range(steps)]
    return [np.stack(part) for part in zip(*parts, strict=True)]


@every_game
def test_the_step_after_an_end_begins_a_new_episode(game: type[MinAtarEnv]) -> None:
    env = game(16)
    firsts = {world.tobytes() for seed in range(5) for world in env.reset(seed=seed)[0]}
    assert len(firsts) == (2 if game is Breakout else 1)
    obs, reward, terminated = play(env, 500, 0)
    after = terminated[:-1]
    assert after.sum() > 30
    assert {world.tobytes() for world in obs[1:][after]} == firsts
    assert not reward[1:][after].any() and not terminated[1:][after].any()


@every_game
def test_the_step_after_an_end_ignores_the_action(game: type[MinAtarEnv]) -> None:
    one, other, rng = game(16), game(16), np.random.default_rng(1)
    one.reset(seed=0), other.reset(seed=0)
    over, ignored = np.zeros(16, bool), 0
    for _ in range(500):
        action = rng.integers(6, size=16)
        changed = np.where(over, rng.integers(6, size=16), action)
        results = one.step(action)[:3], other.step(changed)[:3]
        assert all(np.array_equal(a, b) for a, b in zip(*results, strict=True))
        ignored += (action != changed).sum()
        over = results[0][2]
    assert ignored > 30


@every_game
def test_the_same_seed_gives_the_same_run(game: type[MinAtarEnv]) -> None:
    env = game(4)
    first, again, other, on = play(env, 200, 3), play(env, 200, 3), play(env, 200, 4), play(env, 200, None)
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    assert not np.array_equal(first[0], other[0]) and not np.array_equal(other[0], on[0])


@every_game
def test_worlds_differ_by_their_draws(game: type[MinAtarEnv]) -> None:
    env = game(3)
    env.reset(seed=0)
    rng = np.random.default_rng(0)
    obs = np.stack([env.step(np.full(3, rng.integers(6)))[0] for _ in range(200)])
    assert not any(np.array_equal(obs[:, i], obs[:, j]) for i, j in ((0, 1), (0, 2), (1, 2)))


@every_game
def test_arrays_belong_to_the_caller(game: type[MinAtarEnv]) -> None:
    def spoil(parts: tuple[np.ndarray, ...]) -> list[np.ndarray]:
        kept = [part.copy() for part in parts]
        for part in parts:
            part[:] = 1
        return kept

    assert all(map(np.array_equal, play(game(4), 200, 0), play(game(4), 200, 0, spoil)))


@every_game
def test_sticky_is_a_probability(game: type[MinAtarEnv]) -> None:
    """With sticky 1 nothing but the no-op is ever done; with sticky 0 an action shows at once."""
    right = np.full(64, 3)
    stuck, free = game(64, 1.0), game(64, 0.0)
    place = stuck.reset(seed=0)[0][:, 0]
    assert np.array_equal(stuck.step(right)[0][:, 0], place)
    free.reset(seed=0)
    assert np.array_equal(free.step(right)[0][:, 0], np.roll(place, 1, axis=-1))


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (lambda: Breakout(0), "num_envs is 0, but a whole number of at least 1 was expected"),
        (lambda: Breakout(2, 1.5), r"sticky is 1.5, but it must lie in \[0, 1\]"),
        (lambda: Asterix(2, ramping="no"), "ramping is 'no', but it must be True or False"),
        (lambda: SpaceInvaders(2, ramping=None), "ramping is None, but it must be True or False"),
        (lambda: started().step([0]), r"actions must be int\[2\], not int64\[1\]"),
        (lambda: started().step([0.0, 1.0]), r"actions must be int\[2\], not float64\[2\]"),
        (lambda: started().step([0, 6]), r"actions\[1\] is 6, but the actions are 0 to 5"),
        (lambda: started().step([-1, 0]), r"actions\[0\] is -1, but the actions are 0 to 5"),
        (lambda: started().reset(options={"level": 3}), "options is {'level': 3}, but these games have none"),
    ],
)
def test_bad_arguments_get_a_sentence(bad: Callable[[], Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        bad()


def started() -> MinAtarEnv:
    env = Breakout(2)
    env.reset(seed=0)
    return env


def test_step_before_reset() -> None:
    with pytest.raises(gymnasium.error.ResetNeeded, match="before reset"):
        Breakout(2).step([0, 0])
