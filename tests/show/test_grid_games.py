"""The picture of a grid game: paths, goals and barriers are where they should be, collisions are crossed out, in words too."""

import re

import numpy as np
import pytest

from rlkit.games.grid_games import GOALS_1, GOALS_2, STARTS, cells_along
from rlkit.show.grid_games import grid_game
from tests.show.reading import font_sizes, points, texts

PEACEFUL = [
    cells_along(STARTS[0], ("right", "right", "up", "up")),
    cells_along(STARTS[1], ("up", "up", "left", "left")),
]
COLLIDING = [
    cells_along(STARTS[0], ("right", "up", "right", "up")),
    cells_along(STARTS[1], ("left", "up", "up", "left")),
]


def lines(svg, colour):
    """Return the points of every line of a colour, in its order: float[N, 2] each."""
    found = re.findall(rf'd="([^"]*)"[^>]*style="[^"]*stroke:var\(--rlk-{colour}\)[^"]*"', svg)
    return [points(d) for d in found if "C" not in d and "z" not in d]


def test_paths_go_through_their_cells():
    svg = grid_game(STARTS, GOALS_1, PEACEFUL).svg
    (one,), (other,) = lines(svg, "blue"), lines(svg, "red")
    cell = 0.72 * 72
    for path, cells in ((one, PEACEFUL[0]), (other, PEACEFUL[1])):
        steps = np.diff(path[1:], axis=0) / cell
        expected = np.diff(np.array(cells), axis=0)[:, ::-1]
        np.testing.assert_allclose(steps, expected, atol=0.02)
    assert one[0, 0] < one[1, 0] and other[0, 1] > other[1, 1], "agent 1 sets out to the right, agent 2 up"
    np.testing.assert_allclose(other[1] - one[3], 0.22 * cell, atol=0.2, err_msg="beside each other in a shared cell")


def test_goals_and_starts_are_named():
    assert texts(grid_game(STARTS, GOALS_1).svg) == ["goal 1", "goal 2", "1", "2"]
    assert texts(grid_game(STARTS, GOALS_2, title="two").svg)[:4] == ["goal", "1", "2", "two"]
    assert min(font_sizes(grid_game(STARTS, GOALS_1, title="one").svg)) >= 10


def test_only_the_first_meeting_is_crossed_out():
    assert len(lines(grid_game(STARTS, GOALS_1, PEACEFUL).svg, "ink")) == 0
    cross = lines(grid_game(STARTS, GOALS_1, COLLIDING).svg, "ink")
    assert len(cross) == 2 and np.ptp(np.concatenate(cross)[:, 0]) == pytest.approx(0.6 * 0.72 * 72, abs=0.3)
    together = [[(2, 1), (1, 1), (0, 1)], [(1, 2), (0, 2), (0, 1)]]
    assert "meet" not in grid_game(STARTS, GOALS_2, together).alt, "the goal of both takes both"


def test_barriers_are_drawn_and_told():
    plain, with_barriers = (grid_game(STARTS, GOALS_2, barriers=b) for b in ((), STARTS))
    assert len(lines(with_barriers.svg, "ink")) == len(lines(plain.svg, "ink")) + 2
    assert "A barrier above row 3, column 1 and row 3, column 3" in with_barriers.alt


def test_what_it_says_in_words():
    alt = grid_game(STARTS, GOALS_1, COLLIDING, title="Grid game 1").alt
    assert alt.startswith("Grid game 1. Agent 1 begins at row 3, column 1 and wants to row 1, column 3")
    assert alt.endswith("They meet first at row 3, column 2")
    assert grid_game(STARTS, GOALS_1, alt="as I say").alt == "as I say"


def test_no_colour_is_lost_on_a_dark_page():
    assert not re.findall(r"(?:fill|stroke):#[0-9a-f]{6}", grid_game(STARTS, GOALS_1, COLLIDING, STARTS, title="x").svg)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ((STARTS[:1], GOALS_1), "starts is"),
        ((STARTS, GOALS_1, [[]]), "paths is"),
        ((STARTS, [(0, 3), (0, 0)]), r"the cell \(0, 3\) is outside"),
        ((STARTS, GOALS_1, [[(3, 0)], []]), r"the cell \(3, 0\) is outside"),
    ],
)
def test_at_the_door(arguments, sentence):
    with pytest.raises(ValueError, match=sentence):
        grid_game(*arguments)
