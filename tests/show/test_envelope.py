"""What a player is sure of, by its mixture: corners by hand, the value of the game at the top, and what is drawn and said."""

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rlkit.games import MatrixGame
from rlkit.games.classics import battle_of_the_sexes, matching_pennies, rock_paper_scissors
from rlkit.games.zero_sum import zero_sum
from rlkit.show.envelope import envelope, lower_envelope
from rlkit.show.picture import PALETTE
from tests.show.reading import points, texts


def against(A, names=("left", "right")):
    A = np.array(A, float)
    return MatrixGame([A, -A], [names, [f"o{k}" for k in range(A.shape[1])]], "kicks")


def test_corners_by_hand():
    # The columns pay 8 - 5 p, 4 + 5 p and 6 - p; the second is least up to 1/3, then the third up to 1/2, then the first.
    p, least = lower_envelope(against([[3, 9, 5], [8, 4, 6]]))
    assert p == pytest.approx([0, 1 / 3, 2 / 5, 1 / 2, 1])
    assert least == pytest.approx([4, 17 / 3, 28 / 5, 11 / 2, 3])


@given(st.integers(1, 5).flatmap(lambda n: st.lists(st.integers(-4, 4), min_size=2 * n, max_size=2 * n)))
@settings(max_examples=60, deadline=None)
def test_between_corners_it_is_straight_and_its_top_is_the_value(cells):
    A = np.reshape(cells, (2, -1)).astype(float)
    p, least = lower_envelope(against(A))
    assert p[0] == 0 and p[-1] == 1 and (np.diff(p) > 0).all()
    between = np.linspace(0, 1, 23)
    assert np.interp(between, p, least) == pytest.approx(
        (between[:, None] * A[0] + (1 - between[:, None]) * A[1]).min(axis=1)
    )
    assert least.max() == pytest.approx(zero_sum(A).value, abs=1e-9)


def test_a_line_for_each_action_of_the_other_and_a_dot_at_the_top():
    drawn = envelope(against([[3, 9, 5], [8, 4, 6]]))
    said = texts(drawn.svg)
    assert {"player 2: o0", "player 2: o1", "player 2: o2", "the least of them", "kicks"} <= set(said)
    assert "largest at p = 0.33: 5.67" in said
    assert "p, probability of left (else right)" in said
    assert drawn.alt == (
        "kicks: what player 1 is paid as its probability of left goes from 0 to 1, against o0 from 8.00 to 3.00, o1 from "
        "4.00 to 9.00 and o2 from 6.00 to 5.00. The least of them is largest, 5.67, at 0.33."
    )
    assert envelope(against([[1, 0], [0, 1]]), title="own", alt="words").alt == "words"
    assert "own" in texts(envelope(against([[1, 0], [0, 1]]), title="own").svg)


def test_the_lines_go_from_the_second_action_to_the_first():
    drawn = envelope(matching_pennies())
    blue, red = (
        points(re.findall(rf'd="([^"]*)"[^>]*stroke:var\(--rlk-{colour}\)', drawn.svg)[0]) for colour in ("blue", "red")
    )
    assert blue[0, 0] < blue[-1, 0] and blue[0, 1] > blue[-1, 1]  # upwards: y grows downwards in a picture
    assert red[0, 1] < red[-1, 1]
    assert blue[0, 1] == pytest.approx(red[-1, 1], abs=0.2)


def test_a_level_top_has_two_dots():
    flat = envelope(against([[2, 5, 1], [1, 9, 1]]))
    assert "largest at p = 0.00 to 1.00: 1.00" in texts(flat.svg)
    assert "at 0.00 to 1.00." in flat.alt
    assert "largest at p = 1.00: 2.00" in texts(envelope(against([[2, 5], [1, 9]])).svg)


def test_colours_follow_the_page():
    drawn = envelope(against([[3, 9, 5], [8, 4, 6]])).svg
    assert not set(re.findall(r"#[0-9a-f]{6}", drawn)) & {light for light, _ in PALETTE.values()}
    assert "var(--rlk-amber)" in drawn


@pytest.mark.parametrize(
    ("game", "message"),
    [
        (rock_paper_scissors(), r"shape \(3, 3\), but two players were expected, the first with two actions"),
        (MatrixGame(np.zeros((3, 2, 2, 2))), r"shape \(2, 2, 2\), but two players"),
        (battle_of_the_sexes(), "game is not zero-sum"),
    ],
)
def test_other_games_are_refused(game, message):
    with pytest.raises(ValueError, match=message):
        envelope(game)
