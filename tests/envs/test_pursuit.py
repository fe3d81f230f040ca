"""Pursuers and evaders: moves by hand, and the batch against a slow world in plain Python that knows nothing of arrays."""

import numpy as np
import pytest
from gymnasium.spaces import Box, Discrete
from gymnasium.vector import AutoresetMode
from hypothesis import given, settings
from hypothesis import strategies as st

from rlkit.envs import Worlds
from rlkit.envs.pursuit import Pursuit, Seat, at_random, successors, yard
from rlkit.learn.dqn import generator
from tests.learn.chance import ERROR_RATE, p_value

STAY, UP, RIGHT, DOWN, LEFT = range(5)


def placed(cells, *, n=1, **args):
    """Return a world, by default of 4 x 3 cells, one pursuer and one evader, that begins with everybody on these cells."""
    world = Pursuit(n, **{"size": (4, 3), "pursuers": 1, "evaders": 1, "cost": 0.25, **args})
    world.reset(0, np.array(cells))
    return world


def moved(world, *actions):
    """Take one step in a world of one, and return (cells, free, reward, terminated, truncated) as plain Python."""
    _, reward, terminated, truncated = world.step(np.array([actions]))
    cells = [tuple(map(int, cell)) for cell in world.cells[0]]
    return cells, world.free[0].tolist(), reward[0].tolist(), bool(terminated[0]), bool(truncated[0])


# --- moves by hand ---


@pytest.mark.parametrize(
    ("action", "there"), [(STAY, (1, 1)), (UP, (1, 2)), (RIGHT, (2, 1)), (DOWN, (1, 0)), (LEFT, (0, 1))]
)
def test_the_five_actions(action, there):
    cells, free, reward, terminated, truncated = moved(placed([[1, 1], [3, 2]]), action, STAY)
    assert cells == [there, (3, 2)]
    assert (free, reward, terminated, truncated) == ([True, True], [-0.25, 0], False, False)


@pytest.mark.parametrize(
    ("corner", "blocked"),
    [((0, 0), (DOWN, LEFT)), ((3, 0), (DOWN, RIGHT)), ((0, 2), (UP, LEFT)), ((3, 2), (UP, RIGHT))],
)
def test_nobody_leaves_the_map(corner, blocked):
    for action in blocked:
        assert moved(placed([[1, 1], corner]), STAY, action)[0] == [(1, 1), corner]
        assert moved(placed([corner, [1, 1]]), action, STAY)[0] == [corner, (1, 1)]


def test_nobody_enters_an_obstacle():
    obstacles = np.zeros((4, 3), bool)
    obstacles[1, 1] = True
    for start, action in (((0, 1), RIGHT), ((2, 1), LEFT), ((1, 0), UP), ((1, 2), DOWN)):
        for cells, actions in (([start, (3, 0)], (action, STAY)), ([(3, 0), start], (STAY, action))):
            assert moved(placed(cells, obstacles=obstacles), *actions)[0] == cells


def test_where_each_action_leads_on_a_map_of_two_by_two_with_one_obstacle():
    # the cells (0, 0), (0, 1), (1, 0) and (1, 1) are 0 to 3, and (1, 1) is an obstacle
    obstacles = np.array([[False, False], [False, True]])
    assert successors(obstacles)[:3].tolist() == [[0, 1, 2, 0, 0], [1, 1, 1, 0, 1], [2, 2, 2, 2, 0]]


@pytest.mark.parametrize(
    ("pursuer", "evader", "actions", "caught"),
    [
        ((0, 0), (1, 0), (RIGHT, STAY), True),  # it comes to the evader
        ((0, 0), (1, 0), (STAY, LEFT), True),  # the evader comes to it
        ((0, 0), (2, 0), (RIGHT, LEFT), True),  # they meet halfway
        ((0, 0), (1, 1), (UP, LEFT), True),  # they meet on a corner
        ((0, 0), (1, 0), (RIGHT, LEFT), True),  # they change places
        ((0, 0), (0, 1), (UP, DOWN), True),
        ((0, 0), (1, 0), (RIGHT, RIGHT), False),  # it follows, and the evader is gone
        ((0, 0), (1, 0), (RIGHT, UP), False),
        ((0, 0), (1, 0), (STAY, RIGHT), False),
        ((0, 0), (1, 0), (UP, LEFT), False),  # the evader comes, and it is gone
        ((2, 0), (3, 0), (RIGHT, RIGHT), True),  # the evader runs into the wall
    ],
)
def test_one_pursuer_and_one_evader(pursuer, evader, actions, caught):
    cells, free, reward, terminated, truncated = moved(placed([pursuer, evader]), *actions)
    assert free == [True, not caught]
    assert (cells[1] == (-1, -1)) == caught
    assert reward == ([0.75, -1] if caught else [-0.25, 0])
    assert (terminated, truncated) == (caught, False)


def test_those_who_pass_each_other_over_a_corner_have_not_changed_places():
    # the first pursuer goes to the old cell of the evader, which goes to the old cell of the second
    world = placed([[0, 0], [2, 0], [1, 0]], pursuers=2)
    assert moved(world, RIGHT, UP, RIGHT)[1:4] == ([True] * 3, [-0.25, -0.25, 0], False)
    # and an ally may change places with an ally, or an evader with an evader
    assert moved(placed([[0, 0], [1, 0], [3, 2]], pursuers=2), RIGHT, LEFT, STAY)[0] == [(1, 0), (0, 0), (3, 2)]
    assert moved(placed([[3, 2], [0, 0], [1, 0]], evaders=2), STAY, RIGHT, LEFT)[:2] == (
        [(3, 2), (1, 0), (0, 0)],
        [True] * 3,
    )


def test_two_pursuers_on_one_evader_count_once():
    # one comes onto its cell while it stays; the other, too, and then one by a swap and one from behind
    for cells, actions in (
        ([[0, 0], [2, 0], [1, 0]], (RIGHT, LEFT, STAY)),
        ([[0, 0], [2, 0], [1, 0]], (STAY, LEFT, LEFT)),
    ):
        _, free, reward, terminated, _ = moved(placed(cells, pursuers=2), *actions)
        assert (free, reward, terminated) == ([True, True, False], [0.75, 0.75, -1], True)


def test_one_pursuer_catches_two_evaders_on_one_cell():
    _, free, reward, terminated, _ = moved(placed([[0, 0], [1, 0], [1, 1]], evaders=2), RIGHT, STAY, DOWN)
    assert (free, reward, terminated) == ([True, False, False], [1.75, -1, -1], True)


def test_a_caught_evader_is_out_while_the_others_go_on():
    world = placed([[0, 0], [3, 2], [1, 0], [2, 1]], pursuers=2, evaders=2)
    cells, free, reward, terminated, truncated = moved(world, RIGHT, STAY, STAY, DOWN)
    assert cells == [(1, 0), (3, 2), (-1, -1), (2, 0)]
    assert (free, reward) == ([True, True, False, True], [0.75, 0.75, -1, 0])
    assert (terminated, truncated) == (False, False)
    # a pursuer on the cell where it was caught catches nobody; what it "does" is ignored, and it is paid nothing
    cells, free, reward, terminated, _ = moved(world, STAY, STAY, RIGHT, UP)
    assert cells == [(1, 0), (3, 2), (-1, -1), (2, 1)]
    assert (free, reward, terminated) == ([True, True, False, True], [-0.25, -0.25, 0, 0], False)
    # and the episode ends with the second
    assert moved(world, STAY, DOWN, LEFT, RIGHT)[1:4] == ([True, True, False, False], [0.75, 0.75, 0, -1], True)


# --- what is seen ---


def test_the_four_channels_by_hand():
    obstacles = np.zeros((3, 2), bool)
    obstacles[2, 1] = True
    args = {"size": (3, 2), "pursuers": 2, "evaders": 2, "obstacles": obstacles}
    cells = [[0, 0], [0, 0], [0, 1], [1, 0]]
    obs = Pursuit(1, **args).reset(0, cells)
    assert obs.shape == (1, 4, 4, 3, 2) and obs.dtype == np.float32
    background = [[0, 0], [0, 0], [0, 1]]  # a row for each x
    evaders, pursuers = [[0, 1], [1, 0], [0, 0]], [[2, 0], [0, 0], [0, 0]]
    first, second = [[0, 1], [0, 0], [0, 0]], [[0, 0], [1, 0], [0, 0]]
    here = [[1, 0], [0, 0], [0, 0]]
    for pursuer in (0, 1):
        assert obs[0, pursuer].tolist() == [background, evaders, here, here]
    assert obs[0, 2].tolist() == [background, pursuers, second, first]
    assert obs[0, 3].tolist() == [background, pursuers, first, second]
    # the first evader is caught: nowhere, and in nobody's eyes
    world = placed(cells, **args)
    obs = world.step(np.array([[UP, STAY, STAY, STAY]]))[0][0]
    nowhere = [[0, 0], [0, 0], [0, 0]]
    apart = [[1, 1], [0, 0], [0, 0]]
    assert obs[0].tolist() == [background, second, here, first]
    assert obs[1].tolist() == [background, second, first, here]
    assert obs[2].tolist() == [background, apart, second, nowhere]
    assert obs[3].tolist() == [background, apart, nowhere, second]


SPOTS = [[0, 0], [2, 1], [3, 3], [1, 2], [2, 3], [0, 3]]  # three of each kind


@pytest.mark.parametrize("order", [[0, 2, 1], [1, 2, 0], [2, 1, 0], [2, 0, 1]])
def test_who_is_who_among_the_others_is_not_seen(order):
    args = {"size": (4, 4), "pursuers": 3, "evaders": 3}
    before = Pursuit(1, **args).reset(0, SPOTS)[0]
    other = [*order, *(3 + np.array(order))]
    after = Pursuit(1, **args).reset(0, np.array(SPOTS)[other])[0]
    assert after.tolist() == before[other].tolist(), "each sees what the one on its cell saw before"


def test_allies_on_one_cell_see_the_same():
    spots = [[1, 1], [1, 1], [0, 0], [2, 2], [0, 2], [2, 2]]
    obs = Pursuit(1, size=(3, 3), pursuers=3, evaders=3).reset(0, spots)[0]
    assert (obs[0] == obs[1]).all() and (obs[3] == obs[5]).all()
    assert not (obs[0] == obs[2]).all() and not (obs[3] == obs[4]).all()


# --- the batch against plain Python ---


class Slow:
    """One world, agent by agent, with dictionaries; it is told where a new episode begins."""

    STEPS = {STAY: (0, 0), UP: (0, 1), RIGHT: (1, 0), DOWN: (0, -1), LEFT: (-1, 0)}

    def __init__(self, walls, size, pursuers, evaders, limit, cost):
        self.walls, self.size, self.limit, self.cost = walls, size, limit, cost
        self.pursuers, self.evaders = range(pursuers), range(pursuers, pursuers + evaders)
        self.over = False

    def begin(self, spots):
        self.at, self.age, self.over, self.lost = dict(enumerate(spots)), 0, False, {}

    def step(self, actions):
        """Return (rewards, terminated, truncated); where the episode was over, nothing happens but a new beginning."""
        pay = {agent: 0.0 for agent in (*self.pursuers, *self.evaders)}
        if self.over:
            return list(pay.values()), False, False
        before = dict(self.at)
        for agent, (x, y) in before.items():
            dx, dy = self.STEPS[actions[agent]]
            goal = x + dx, y + dy
            if goal not in self.walls and 0 <= goal[0] < self.size[0] and 0 <= goal[1] < self.size[1]:
                self.at[agent] = goal
        lost = {}  # evader: where
        for evader in self.evaders:
            for pursuer in self.pursuers:
                if evader not in before:
                    continue
                together = self.at[pursuer] == self.at[evader]
                swapped = self.at[pursuer] == before[evader] and self.at[evader] == before[pursuer]
                if together or swapped:
                    lost[evader] = self.at[evader]
        for evader in lost:
            del self.at[evader]
            pay[evader] = -1.0
        for pursuer in self.pursuers:
            pay[pursuer] = len(lost) - self.cost
        self.age, self.lost = self.age + 1, lost
        terminated = not any(evader in self.at for evader in self.evaders)
        truncated = not terminated and self.age >= self.limit
        self.over = terminated or truncated
        return list(pay.values()), terminated, truncated

    def sees(self, agent):
        W, H = self.size
        planes = [[[0] * H for _ in range(W)] for _ in range(4)]
        for x, y in self.walls:
            planes[0][x][y] = 1
        for other, (x, y) in self.at.items():
            ally = (other in self.pursuers) == (agent in self.pursuers)
            planes[3 if other == agent else 2 if ally else 1][x][y] += 1
        return planes


@st.composite
def worlds(draw):
    W, H = draw(st.integers(1, 4)), draw(st.integers(1, 4))
    pursuers, evaders = draw(st.integers(1, 3)), draw(st.integers(1, 3))
    every = [(x, y) for x in range(W) for y in range(H)]
    walls = draw(st.sets(st.sampled_from(every), max_size=max(0, min(5, len(every) - pursuers - evaders))))
    enough = len(every) - len(walls) >= pursuers + evaders
    return {
        "size": (W, H),
        "walls": walls,
        "pursuers": pursuers if enough else 1,
        "evaders": evaders if enough else 1,
        "limit": draw(st.integers(1, 8)),
        "cost": draw(st.sampled_from([0, 0.25])),
    }


@settings(max_examples=150, deadline=None)
@given(args=worlds().filter(lambda args: args["size"] != (1, 1)), n=st.integers(1, 4), seed=st.integers(0, 2**32))
def test_the_batch_is_so_many_worlds_of_plain_python(args, n, seed):
    rng, walls = np.random.default_rng(seed), args["walls"]
    obstacles = np.zeros(args["size"], bool)
    for cell in walls:
        obstacles[cell] = True
    batch = Pursuit(n, obstacles=obstacles, **{key: value for key, value in args.items() if key != "walls"})
    slow = [Slow(**args) for _ in range(n)]
    obs = batch.reset(seed)

    def begin(w):
        spots = [tuple(map(int, cell)) for cell in batch.cells[w]]
        assert len(set(spots)) == batch.agents and not set(spots) & walls and batch.free[w].all()
        slow[w].begin(spots)

    for w in range(n):
        begin(w)
    for _ in range(20):
        for w, world in enumerate(slow):
            assert obs[w].tolist() == [world.sees(agent) for agent in range(batch.agents)]
            assert [tuple(cell) for cell in batch.cells[w]] == [world.at.get(a, (-1, -1)) for a in range(batch.agents)]
            assert batch.free[w].tolist() == [a in world.at for a in range(batch.agents)]
            assert [tuple(cell) for cell in batch.caught[w]] == [world.lost.get(e, (-1, -1)) for e in world.evaders]
        actions = rng.integers(5, size=(n, batch.agents))
        obs, reward, terminated, truncated = batch.step(actions)
        for w, world in enumerate(slow):
            anew = world.over
            told = world.step(actions[w].tolist())
            assert (reward[w].tolist(), bool(terminated[w]), bool(truncated[w])) == told
            if anew:
                begin(w)


# --- episodes ---


def test_the_step_after_the_end_begins_anew_and_ignores_its_actions():
    def ended(actions):
        world = placed([[[0, 0], [1, 0]], [[0, 0], [3, 2]]], n=2)
        assert world.step(np.array([[RIGHT, STAY], [STAY, STAY]]))[2].tolist() == [True, False]
        return world, world.step(actions)

    one, (seen, reward, terminated, truncated) = ended(np.array([[UP, UP], [UP, STAY]]))
    two, (again, *_) = ended(np.array([[LEFT, DOWN], [UP, STAY]]))
    assert reward.tolist() == [[0, 0], [-0.25, 0]]
    assert not (terminated | truncated).any()
    assert (seen == again).all() and (one.cells == two.cells).all()
    assert one.free.all() and len(set(map(tuple, one.cells[0].tolist()))) == 2
    assert one.cells[1].tolist() == [[0, 1], [3, 2]], "the other world has moved"
    # the first action that counts is the one after that
    obs = one.step(np.zeros((2, 2), int))[0]
    assert (obs[0] == seen[0]).all()


def test_after_limit_steps_an_episode_is_broken_off():
    world = placed([[0, 0], [3, 2]], limit=3)
    told = [moved(world, STAY, STAY)[2:] for _ in range(8)]
    on, off, begun = ([-0.25, 0], False, False), ([-0.25, 0], False, True), ([0, 0], False, False)
    assert told[:4] == [on, on, off, begun]
    # nobody meets in an episode of those who stay: the second lasts three steps as well
    assert told[4:] == [on, on, off, begun]


def test_a_capture_in_the_last_step_is_an_end_and_not_a_break():
    world = placed([[0, 0], [2, 0]], limit=2)
    assert moved(world, STAY, STAY)[3:] == (False, False)
    assert moved(world, RIGHT, LEFT)[2:] == ([0.75, -1], True, False)


def test_all_ways_to_begin_are_equally_likely():
    # 2 x 2 cells with one obstacle: three agents on three cells, in 6 orders; and two on three, in 6 pairs
    obstacles = np.array([[False, False], [False, True]])
    n = 6000
    for seed, evaders in enumerate((2, 1)):
        world = Pursuit(n, size=(2, 2), pursuers=1, evaders=evaders, obstacles=obstacles, limit=1)
        world.reset(seed)
        # both by reset, and where the world begins anew by itself
        for _ in range(2):
            kinds, counts = np.unique(world.cells.reshape(n, -1), axis=0, return_counts=True)
            assert len(kinds) == 6
            assert p_value(counts, np.full(6, 1 / 6)) > ERROR_RATE
            world.step(np.zeros((n, 1 + evaders), int))
            world.step(np.zeros((n, 1 + evaders), int))


def test_the_seed_says_everything():
    def history(world, seed):
        rows = [world.reset(seed)]
        rng = np.random.default_rng(5)
        return np.stack(rows + [world.step(rng.integers(5, size=(3, 4)))[0] for _ in range(30)])

    world = Pursuit(3, size=(3, 3), limit=5)
    first = history(world, 1)
    assert (first == history(world, 1)).all() and (first == history(Pursuit(3, size=(3, 3), limit=5), 1)).all()
    assert not (first == history(world, 2)).all()
    later = []
    for _ in range(2):
        world.reset(1)
        later.append(world.reset())
    assert not (later[0] == first[0]).all(), "without a seed, chance goes on"
    assert (later[0] == later[1]).all(), "where it was"


def test_reset_with_cells():
    world = Pursuit(2, size=(4, 3), pursuers=1, evaders=1, limit=1)
    world.reset(0, [[1, 2], [3, 0]])
    assert world.cells.tolist() == [[[1, 2], [3, 0]]] * 2
    each = [[[0, 0], [1, 0]], [[2, 2], [2, 1]]]
    obs = world.reset(cells=each)
    assert world.cells.tolist() == each and (obs == world.observe()).all()
    # an episode under way, with somebody caught, is forgotten
    world.step(np.array([[RIGHT, STAY], [STAY, UP]]))
    assert not world.free[:, 1].any()
    assert world.caught.tolist() == [[[1, 0]], [[2, 2]]]
    with pytest.raises(ValueError, match="cells has one"):
        world.reset(1, [[0, 0], [4, 0]])
    assert not world.free[:, 1].any(), "where a beginning is refused, nothing has changed"
    world.reset(cells=each)
    assert (world.caught == -1).all()
    assert world.free.all() and world.cells.tolist() == each
    _, reward, terminated, _ = world.step(np.array([[RIGHT, STAY], [LEFT, STAY]]))
    assert terminated.tolist() == [True, False] and reward[0].tolist() == [0.99, -1]


def test_what_is_handed_out_is_not_the_world_itself():
    world = placed([[0, 0], [3, 2]])
    world.cells[:], world.free[:] = 0, False
    assert world.cells.tolist() == [[[0, 0], [3, 2]]] and world.free.all()
    before = world.observe()
    kept = before.copy()
    world.step(np.array([[RIGHT, DOWN]]))
    assert (before == kept).all()


# --- the seat of one agent ---


def towards(obs):
    """Choose the first action that leads to the first opponent's column, then to its row: by what is seen alone."""
    chosen = []
    for planes in obs:
        if not planes[3].any() or not planes[1].any():
            chosen.append(STAY)
            continue
        (x, y), (u, v) = np.argwhere(planes[3])[0], np.argwhere(planes[1])[0]
        chosen.append(RIGHT if u > x else LEFT if u < x else UP if v > y else DOWN if v < y else STAY)
    return np.array(chosen)


@pytest.mark.parametrize(("agent", "role"), [(0, "pursuers"), (1, "pursuers"), (2, "evaders"), (3, "evaders")])
def test_a_seat_is_the_world_with_the_others_frozen(agent, role):
    copies, worlds, seed = 2, 3, 7
    n, args = copies * worlds, {"size": (5, 4), "limit": 12, "cost": 0.25}
    asked = []

    def pursue(obs, rng):
        asked.append(("pursuers", obs.copy()))
        return towards(obs)

    def evade(obs, rng):
        asked.append(("evaders", obs.copy()))
        return (towards(obs) + 1) % 5

    choose = {"pursuers": pursue, "evaders": evade}
    seat = Worlds(lambda n: Seat(Pursuit(n, **args), agent, choose), copies, worlds, seed)
    assert seat.n_actions == 5 and seat.obs.shape == (2, 3, 4, 5, 4)
    twin, rng, ended, anew = Pursuit(n, **args), np.random.default_rng(0), 0, np.zeros(n, bool)
    seen = twin.reset(seed)
    for _ in range(60):
        assert (seat.obs.reshape(n, 4, 5, 4) == seen[:, agent]).all()
        own = rng.integers(5, size=(copies, worlds))
        everybody = np.stack([towards(seen[:, a]) + (a >= 2) for a in range(4)], axis=1) % 5
        everybody[:, agent] = own.ravel()
        asked.clear()
        found = seat.step(own)
        others = [a for a in range(4) if a != agent]
        assert [kind for kind, _ in asked] == [("pursuers", "evaders")[a >= 2] for a in others]
        for (_, planes), other in zip(asked, others, strict=True):
            assert (planes == seen[:, other]).all(), "everybody is asked about its own planes"
        seen, reward, terminated, truncated = twin.step(everybody)
        assert (found.reward.ravel() == reward[:, agent]).all()
        assert (found.terminated.ravel() == terminated).all() and (found.truncated.ravel() == truncated).all()
        assert (found.real.ravel() == ~anew).all()
        anew = terminated | truncated
        ended += anew.sum()
    assert ended >= 20 and len(seat.episodes()["length"]) == ended


def test_whoever_has_no_policy_moves_at_random():
    # nobody can be caught behind walls: a free cell in the middle of 3 x 3 for each of three others, of both kinds
    obstacles = np.zeros((13, 3), bool)
    obstacles[3::4] = True
    middles = np.array([[1, 1], [5, 1], [9, 1]])
    n = 5000
    for named, kinds in (({}, (1, 2)), ({"evaders": lambda obs, rng: np.full(len(obs), UP)}, (1,))):
        world = Pursuit(n, size=(13, 3), pursuers=2, evaders=1, obstacles=obstacles)
        seat = Seat(world, 0, named)
        seat.reset(seed=3, options={"cells": middles})
        seat.step(np.full(n, RIGHT))
        steps = world.cells - middles
        assert (steps[:, 0] == (1, 0)).all()
        for other in kinds:
            which, counts = np.unique(steps[:, other], axis=0, return_counts=True)
            assert len(which) == 5 and p_value(counts, np.full(5, 0.2)) > ERROR_RATE
        if named:
            assert (steps[:, 2] == (0, 1)).all()
    # and the two do not move alike
    seat = Seat(world, 0)
    seat.reset(seed=3, options={"cells": middles})
    seat.step(np.full(n, STAY))
    both = (world.cells - middles)[:, 1:].reshape(n, -1)
    assert p_value(np.unique(both, axis=0, return_counts=True)[1], np.full(25, 0.04)) > ERROR_RATE


def test_a_seat_is_repeated_by_its_seed():
    def history():
        seat = Seat(Pursuit(4, size=(4, 4), limit=6), 2)
        rows = [seat.reset(seed=9)[0]]
        return np.stack(rows + [seat.step(np.full(4, UP))[0] for _ in range(20)])

    assert (history() == history()).all()


def test_gymnasiums_contract_of_a_seat():
    seat = Seat(Pursuit(3, size=(4, 2), pursuers=2, evaders=3))
    assert seat.metadata["autoreset_mode"] == AutoresetMode.NEXT_STEP and seat.num_envs == 3
    assert seat.single_observation_space == Box(0, np.inf, (4, 4, 2), np.float32)
    assert seat.single_action_space == Discrete(5)
    obs, info = seat.reset(seed=0)
    assert obs in seat.observation_space and info == {}
    obs, reward, terminated, truncated, info = seat.step(seat.action_space.sample())
    assert obs in seat.observation_space and info == {}
    assert reward.shape == terminated.shape == truncated.shape == (3,)


def test_a_caught_evader_watches_the_rest_from_its_seat():
    world = Pursuit(1, size=(4, 3), pursuers=1, evaders=2, cost=0.25)
    stay = {"pursuers": lambda obs, rng: np.zeros(len(obs), int), "evaders": lambda obs, rng: np.full(len(obs), UP)}
    seat = Seat(world, 1, stay)
    seat.reset(seed=0, options={"cells": [[0, 0], [1, 0], [3, 0]]})
    told = [seat.step(np.array([action]))[:4] for action in (LEFT, RIGHT, RIGHT)]
    assert [float(reward[0]) for _, reward, *_ in told] == [-1, 0, 0]
    assert not any(flag[0] for _, _, *flags in told for flag in flags)
    for (obs, *_), height in zip(told, (1, 2, 2), strict=True):
        assert not obs[0, 3].any() and np.argwhere(obs[0, 2]).tolist() == [[3, height]]


def test_at_random():
    chosen = at_random(np.zeros((5000, 4, 2, 2)), np.random.default_rng(0))
    assert chosen.shape == (5000,) and p_value(np.bincount(chosen, minlength=5), np.full(5, 0.2)) > ERROR_RATE


# --- a map, and bad input ---


def test_the_yard():
    drawn = "..##..##\n..##..##\n........\n........\n..##..##\n..##..##\n........\n........".split("\n")
    assert yard(8, 8).T[::-1].tolist() == [[c == "#" for c in row] for row in drawn]
    assert yard().shape == (10, 10) and yard().sum() == 16
    assert not yard()[:2].any() and not yard()[-2:].any() and not yard()[:, -2:].any()
    assert yard(6, 3).shape == (6, 3) and np.argwhere(yard(6, 3)).tolist() == [[2, 2], [3, 2]]


@pytest.mark.parametrize(
    ("args", "sentence"),
    [
        ({"n": 0}, "n is 0, but a whole number of at least 1"),
        ({"limit": 0}, "limit is 0, but a whole number of at least 1"),
        ({"pursuers": 0}, "pursuers is 0, but a whole number of at least 1"),
        ({"evaders": 1.5}, "evaders is 1.5, but a whole number of at least 1"),
        ({"cost": -1}, r"cost is -1.0, but it must lie in \[0, inf\]"),
        ({"size": (2, 2, 2)}, r"size is \(2, 2, 2\), but two numbers, \(W, H\), were expected"),
        ({"size": (2, 0)}, r"size\[1\] is 0, but a whole number of at least 1"),
        ({"size": (0, 2)}, r"size\[0\] is 0, but a whole number of at least 1"),
        ({"obstacles": np.zeros((2, 3), bool)}, r"obstacles is bool\[2, 3\], but bool\[3, 2\] was expected"),
        ({"obstacles": np.zeros((3, 2))}, r"obstacles is float64\[3, 2\], but bool\[3, 2\] was expected"),
        ({"obstacles": np.arange(6).reshape(3, 2) > 2}, "the map has 3 free cells, but 4 agents need one each"),
    ],
)
def test_a_world_that_does_not_fit_is_refused(args, sentence):
    with pytest.raises(ValueError, match=sentence):
        Pursuit(**{"n": 1, "size": (3, 2), **args})


@pytest.mark.parametrize(
    ("actions", "sentence"),
    [
        (np.zeros(2, int), r"actions is int64\[2\], but whole numbers \[2, 2\] were expected"),
        (np.zeros((2, 3), int), r"actions is int64\[2, 3\], but whole numbers \[2, 2\] were expected"),
        (np.zeros((2, 2)), r"actions is float64\[2, 2\], but whole numbers \[2, 2\] were expected"),
        (np.full((2, 2), 5), "actions has one outside 0 to 4: stay, up, right, down, left"),
        (np.array([[0, 0], [0, -1]]), "actions has one outside 0 to 4"),
    ],
)
def test_actions_that_do_not_fit_are_refused(actions, sentence):
    world = Pursuit(2, size=(3, 2), pursuers=1, evaders=1)
    with pytest.raises(ValueError, match="reset the world before its first step"):
        world.step(np.zeros((2, 2), int))
    world.reset(0)
    before = world.cells
    with pytest.raises(ValueError, match=sentence):
        world.step(actions)
    assert (world.cells == before).all()


@pytest.mark.parametrize(
    ("cells", "sentence"),
    [
        (np.zeros((2, 2, 2), int), r"cells is int64\[2, 2, 2\], but whole numbers \[2, 2\] were expected"),
        ([[0, 0]], r"cells is int64\[1, 2\], but whole numbers \[2, 2\] were expected"),
        ([[0.5, 0], [1, 1]], r"cells is float64\[2, 2\], but whole numbers \[2, 2\] were expected"),
        ([[0, 0], [3, 0]], "cells has one that is not on the map, or under an obstacle"),
        ([[0, 0], [0, 2]], "cells has one that is not on the map"),
        ([[0, -1], [0, 0]], "cells has one that is not on the map"),
        ([[0, 0], [1, 1]], "or under an obstacle"),
        ([[1, 0], [1, 0]], "cells has a pursuer on an evader's cell, but no episode begins with a capture"),
        ([[[1, 0], [1, 0]]], "cells has a pursuer on an evader's cell"),
    ],
)
def test_cells_that_do_not_fit_are_refused(cells, sentence):
    obstacles = np.zeros((3, 2), bool)
    obstacles[1, 1] = True
    with pytest.raises(ValueError, match=sentence):
        Pursuit(1, size=(3, 2), pursuers=1, evaders=1, obstacles=obstacles).reset(0, cells)


@pytest.mark.parametrize("ask", [Pursuit.observe, *(lambda w, n=n: getattr(w, n) for n in ("cells", "free", "caught"))])
def test_before_a_reset_there_is_nothing_to_see(ask):
    world = Pursuit(1, size=(3, 2))
    with pytest.raises(ValueError, match="reset the world before"):
        ask(world)
    world.reset(0)
    ask(world)


@pytest.mark.parametrize(
    ("actions", "sentence"),
    [
        ([0.0, 1.0], r"actions is float64\[2\], but whole numbers \[2\] were expected"),
        ([0], r"actions is int64\[1\], but whole numbers \[2\] were expected"),
        ([0, 5], "actions has one outside 0 to 4: stay, up, right, down, left"),
        (None, r"actions is object\[\], but whole numbers \[2\]"),
    ],
)
def test_actions_that_do_not_fit_a_seat_are_refused(actions, sentence):
    seat = Seat(Pursuit(2, size=(3, 2)))
    with pytest.raises(ValueError, match="reset the seat before its first step"):
        seat.step(np.zeros(2, int))
    seat.reset(seed=0)
    with pytest.raises(ValueError, match=sentence):
        seat.step(actions)


def test_the_others_of_a_seat_draw_from_another_source_than_the_world_and_the_learner():
    """If they shared one, where somebody begins would tell how the others move; and so would what the learner explores."""
    drawn = []
    seat = Seat(
        Pursuit(50, size=(3, 2)), 0, {"evaders": lambda obs, rng: drawn.append(rng.random(50)) or obs[:, 0, 0, 0] > 2}
    )
    for seed in (5, 5, 6):
        seat.reset(seed=seed)
        seat.step(np.zeros(50, int))
    one, _, again, _, other, _ = drawn  # of the first of two evaders
    assert (one == again).all() and not (one == other).any()
    for source in (np.random.default_rng(5), generator(5)):
        assert not np.isin(one, source.random(5000)).any()


def test_a_seat_that_does_not_exist_is_refused():
    world = Pursuit(1, size=(3, 2))
    with pytest.raises(ValueError, match="agent is 4, but the world has the agents 0 to 3"):
        Seat(world, 4)
    with pytest.raises(ValueError, match="agent is -1, but a whole number of at least 0"):
        Seat(world, -1)
    with pytest.raises(ValueError, match=r"policies has \['hunters'\], but only pursuers and evaders were expected"):
        Seat(world, 0, {"hunters": at_random})
    with pytest.raises(ValueError, match=r"policies\['evaders'\] is 3, but a function of \(obs, rng\) was expected"):
        Seat(world, 0, {"evaders": 3})
    with pytest.raises(ValueError, match="policies is 3, but a dict of policies was expected"):
        Seat(world, 0, 3)
