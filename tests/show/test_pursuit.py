"""Pictures of the chase: everybody is drawn, where it stands, and told in words."""

import re

import numpy as np
import pytest

from rlkit import show
from rlkit.envs.pursuit import Pursuit, yard
from rlkit.envs.pursuit_exact import best_pursuer, playing


def shapes(svg):
    """Count the filled diamonds and the hollow circles of a picture: paths by their stroke."""
    return len(re.findall(r"var\(--rlk-blue\)", svg)), len(re.findall(r"var\(--rlk-red\)", svg))


def test_everybody_on_the_map_is_drawn_and_told():
    cells = [[1, 1], [4, 5], [-1, -1], [9, 9]]
    picture = show.chase(cells, yard(), 2, "step 3")
    assert picture.alt == "step 3. pursuers at (1, 1), (4, 5); evaders at nowhere, caught, (9, 9)"
    assert shapes(picture.svg) == (2, 1)


def test_two_on_one_cell_are_both_seen():
    apart, together = (show.chase([[1, 1], place, [8, 8]], yard(), 2) for place in ([1, 2], [1, 1]))
    assert shapes(apart.svg) == shapes(together.svg) == (2, 1)
    blue = re.findall(r'd="(M[^"]*)"[^>]*var\(--rlk-blue\)', together.svg)
    assert len(set(blue)) == len(blue) == 2, "one would hide the other"


def test_a_capture_flashes_where_it_happened():
    """One more red shape, under the pursuer that stands there, and no evader."""
    cells, caught = [[4, 5], [-1, -1]], [[4, 5], [-1, -1]]
    before, after = (show.chase(cells, yard(), 1, "step 3", caught=flash) for flash in (None, caught))
    assert shapes(before.svg) == (1, 0) and shapes(after.svg) == (1, 1)
    assert after.alt == "step 3. pursuers at (4, 5); evaders at nowhere, caught; captures at (4, 5)"
    quiet = show.chase(cells, yard(), 1, "step 3", caught=[[-1, -1]])
    assert (quiet.svg, quiet.alt) == (before.svg, before.alt)


def test_planes_say_where_and_how_many():
    world = Pursuit(1, obstacles=yard())
    obs = world.reset(0, np.array([[1, 1], [4, 5], [8, 4], [8, 4]]))[0, 0]
    picture = show.four_planes(obs)
    told = picture.alt
    assert "opponents: (8, 4) 2 times" in told and "allies: (4, 5)" in told and "self: (1, 1)" in told
    assert "background: (2, 2), (2, 3)" in told
    assert re.findall(r">(\d)<", picture.svg) == ["2"], "a number only where there is more than one"


def test_a_recorded_episode_is_small():
    """25 steps on the yard, two against two: at most 200 KB in a notebook."""
    world, rng, frames = Pursuit(1, obstacles=yard(), limit=1000), np.random.default_rng(0), []
    world.reset(3)
    for t in range(25):
        frames.append(show.chase(world.cells[0], yard(), 2, f"step {t}", caught=world.caught[0]))
        world.step(rng.integers(5, size=(1, 4)))
    assert len(set(frame.svg for frame in frames)) == 25
    assert len(show.animate(frames).html.encode()) < 200_000


class Escape:
    """A game to steer: one evader, whose moves are given, on 4 x 1 cells, and the best pursuer of a strolling one."""

    def __init__(self):
        self.obstacles = np.zeros((4, 1), bool)
        self.choose, self.rng = playing(best_pursuer(self.obstacles)[1]), np.random.default_rng(0)

    def reset(self, seed):
        self.world, self.t = Pursuit(1, size=(4, 1), pursuers=1, evaders=1), 0
        self.obs = self.world.reset(seed, [[0, 0], [2, 0]])
        return self

    def step(self, action):
        moves = [[*self.choose(self.obs[:, 0], self.rng), action]]
        self.obs, _, ended, cut = self.world.step(np.array(moves))
        self.t += 1
        return self, bool(ended[0] or cut[0])

    def draw(self):
        return show.chase(self.world.cells[0], self.obstacles, 1, f"step {self.t}", caught=self.world.caught[0])


def test_you_can_be_the_evader():
    """The pursuer comes from cell 0. You run from 2 to the wall at 3, stay there, and it has you in the third step."""
    game = Escape()
    cockpit = show.steer(
        game.reset,
        game.step,
        Escape.draw,
        controls={"stay": 0, "up": 1, "right": 2, "down": 3, "left": 4},
        keys="xwdsa",
        page=show.animate([game.reset(0).draw()] * 2),
        score=lambda game: game.t,
        unit="steps",
        place="yard",
    ).cockpit()
    cockpit.typed.value = "d"
    told = []
    for _ in range(4):
        cockpit.clock.value += 1
        told.append(game.world.cells[0, :, 0].tolist())
    assert told == [[1, 3], [2, 3], [3, -1], [3, -1]], "and after the end nothing moves"
    assert game.t == 3 and "you: 3 steps" in cockpit.text.value
    assert shapes(cockpit.screen.value) == (1, 1), "the pursuer, and the star of the capture"


def test_numbers_stand_in_their_cells():
    picture = show.cell_numbers([[1.0, np.nan], [2.25, 0.0]], "times", digits=1)
    assert picture.alt == "times. – 0.0; 1.0 2.2", "the top row first"
    assert re.findall(r">([\d.]+)<", picture.svg) == ["1.0", "2.2", "0.0"]


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (lambda: show.chase([1, 2], yard(), 1), r"cells has shape \(2,\)"),
        (lambda: show.chase([[1, 2]], [False], 1), r"obstacles has shape \(1,\)"),
        (lambda: show.chase([[10, 0]], yard(), 1), r"cells has \(10, 0\), which is no cell of the map of 10 x 10"),
        (lambda: show.chase([[0.5, 0]], yard(), 1), r"cells has \(0.5, 0\), which is no cell"),
        (lambda: show.chase([[-1, 3]], yard(), 1), r"cells has \(-1, 3\), which is no cell"),
        (lambda: show.chase([[2, 3]], yard(), 1), r"cells has \(2, 3\), where an obstacle stands"),
        (lambda: show.chase([[1, 0]], yard(), 2), "pursuers is 2, but cells has only 1 agents"),
        (lambda: show.chase([[1, 0]], yard(), 1, caught=[[0, 10]]), r"caught has \(0, 10\), which is no cell"),
        (lambda: show.chase([[1, 0]], yard(), 1, caught=[[2, 2]]), r"caught has \(2, 2\), where an obstacle stands"),
        (lambda: show.chase([[1, 0]], yard(), 1, caught=[1, 2]), "cells of the map"),
        (lambda: show.four_planes(np.zeros((3, 4, 4))), r"but \(4, W, H\)"),
        (lambda: show.cell_numbers([[-1.0]]), "from 0 on"),
    ],
)
def test_bad_input_is_named(call, told):
    with pytest.raises(ValueError, match=told):
        call()
