"""Tables of payoffs, and the square of two policies."""

import re

import numpy as np
import pytest

from rlkit import show
from rlkit.games import MatrixGame, classics
from rlkit.show.picture import PALETTE
from tests.show.reading import points, texts

PATH = np.array([[0.1, 0.2], [0.5, 0.2], [0.5, 0.9]])
RIGHT = lambda point: np.stack([np.ones(point.shape[:-1]), np.zeros(point.shape[:-1])], axis=-1)  # noqa: E731


def strokes(svg, colour, start=r'd="'):
    return [points(d) for d in re.findall(rf'{start}([^"]*)"[^>]*style="fill:none;stroke:var\(--rlk-{colour}\)', svg)]


def test_a_team_has_one_number_in_a_cell():
    drawn = show.payoffs(classics.climbing(), [(0, 0), (1, 1)])
    assert texts(drawn.svg) == [*"abcabc", "11", "−30", "0", "−30", "7", "6", "0", "0", "5", "climbing game"]
    assert "(a, b) pays −30" in drawn.alt
    assert "Framed: (a, a) and (b, b)." in drawn.alt
    assert drawn.svg.count("stroke:var(--rlk-amber)") == 2


def test_two_players_have_two_numbers_in_a_cell():
    drawn = show.payoffs(classics.chicken(), title="who yields")
    assert texts(drawn.svg)[4:] == ["6", "6", "2", "7", "7", "2", "0", "0", "who yields"]
    assert "(swerve, straight) pays 2 and 7" in drawn.alt


def test_what_may_be_drawn_is_named():
    assert "14 or 0" in texts(show.payoffs(classics.partially_stochastic_climbing()).svg)


def test_a_path_lies_where_it_should():
    drawn = show.square({"two": PATH}, actions=("heads", "tails"), equilibria=[(0.5, 0.5)])
    (line,) = [p for p in strokes(drawn.svg, "blue") if len(p) == 3]
    side = 217.4  # of the square in points; the picture's y points down
    moved = np.diff(line, axis=0)
    assert moved == pytest.approx(np.array([[0.4, 0], [0, -0.7]]) * side, rel=0.03, abs=0.1)
    assert drawn.alt.endswith("two goes from (0.10, 0.20) to (0.50, 0.90). Equilibria at (0.50, 0.50).")
    assert "player 1: probability of heads" in texts(drawn.svg)
    assert "player 2: probability of tails" in texts(drawn.svg)


def test_arrows_point_where_the_field_points():
    drawn = show.square({"two": PATH}, field=RIGHT)
    arrows = max(strokes(drawn.svg, "faint"), key=len)
    assert len(arrows) == 36 * 5 + 1  # matplotlib ends a line with gaps by its last point again
    shafts = arrows[:-1].reshape(36, 5, 2)[:, :2]
    assert (shafts[:, 1, 0] > shafts[:, 0, 0] + 10).all()
    assert shafts[:, 1, 1] == pytest.approx(shafts[:, 0, 1], abs=0.11)


def test_a_field_that_rests_has_no_arrows_and_long_paths_stay_small():
    still = show.square({"two": PATH}, field=lambda point: 0 * point)
    assert still.svg == show.square({"two": PATH}).svg
    t = np.linspace(0, 6, 5000)
    circle = 0.5 + 0.3 * np.stack([np.cos(t), np.sin(t)], axis=-1)
    assert len(show.square({"circle": circle}, field=RIGHT).svg) < 9000


def test_only_colours_of_the_palette():
    svg = (
        show.square({"one": PATH, "two": PATH}, field=RIGHT, equilibria=[(0, 1)]).svg
        + show.payoffs(classics.chicken()).svg
    )
    used = set(re.findall(r"(?:fill|stroke):([^;\"]+)", svg)) - {"none"}
    assert used <= {f"var(--rlk-{name})" for name in PALETTE}


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: show.payoffs(MatrixGame(np.zeros((3, 1, 1, 1)))), "the game has 3 players"),
        (lambda: show.payoffs(classics.chicken(), [(0, 2)]), "marked holds (0, 2)"),
        (lambda: show.square({"p": [0.5, 0.5]}), "p has shape (2,)"),
        (lambda: show.square({"p": [[0.5, 1.5]]}), "p[0, 1] is 1.5"),
        (lambda: show.square({"p": PATH}, equilibria=[(0, -1)]), "equilibria[0, 1] is -1"),
    ],
)
def test_the_door(call, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        call()
