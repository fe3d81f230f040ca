"""Single moments of games: every pixel that is set is drawn, once, in its plane's colour; the pole leans the right way."""

import re

import numpy as np
import pytest

from rlkit import show
from rlkit.show.picture import PALETTE
from tests.show.reading import font_sizes, points, texts

CHANNELS = ["paddle", "ball", "trail", "brick"]


def breakout():
    """A moment of a game: paddle at the bottom, ball with its trail, bricks in three rows but for two."""
    obs = np.zeros((4, 10, 10), bool)
    obs[0, 9, 4] = obs[1, 6, 3] = obs[2, 5, 2] = obs[3, 1:4] = True
    obs[3, 3, 4:6] = False
    return obs


def svgs(picture):
    return re.findall(r"<svg.*?</svg>", picture.svg, re.DOTALL)


def squares(svg, fill):
    """Return the corners of every square of this colour: float[N, 4, 2]."""
    paths = re.findall(rf'd="([^"]*)"[^>]*style="fill:var\(--rlk-{fill}\)', svg)
    found = [points(part)[:4] for d in paths for part in d.split("M")[1:]]
    return np.array(found).reshape(-1, 4, 2)


def test_every_set_pixel_is_drawn_once_in_its_colour():
    svg = show.planes(breakout(), CHANNELS).svg
    drawn = [len(squares(svg, colour)) for colour in ("blue", "red", "green", "purple")]
    assert drawn == [2, 2, 2, 29], "one square more than pixels, beside the name"


def test_a_pixel_stands_where_it_is_in_the_array():
    pixel = 0.24 * 72
    paddle, beside = squares(show.planes(breakout(), CHANNELS).svg, "blue").mean(axis=1)
    (ball, _) = squares(show.planes(breakout(), CHANNELS).svg, "red").mean(axis=1)
    assert (paddle - ball) / pixel == pytest.approx([1, 3], abs=0.02), "x follows columns, y follows rows downwards"
    assert beside[0] > paddle[0] + 5 * pixel


def test_squares_within_squares_where_planes_share_a_pixel():
    obs = np.zeros((3, 4, 4), bool)
    obs[0, 1, 1] = obs[1, 1, 1] = obs[2, 1, 1] = obs[2, 3, 3] = True
    svg = show.planes(obs, ["a", "b", "c"]).svg
    outer, middle = squares(svg, "blue")[0], squares(svg, "red")[0]
    inner, alone = squares(svg, "green")[1], squares(svg, "green")[0]
    sides = [np.ptp(square[:, 0]) for square in (outer, middle, inner, alone)]
    assert sides[0] > 1.4 * sides[1] > 1.4 * 1.4 * sides[2]
    assert sides[3] == pytest.approx(sides[0], abs=0.2), "alone in its pixel, it fills it"
    assert 0.9 < sides[0] / (0.24 * 72) < 1
    assert outer.mean(axis=0) == pytest.approx(inner.mean(axis=0), abs=0.2)


def test_planes_beyond_the_colours_are_hollow():
    obs = np.zeros((8, 3, 3), bool)
    obs[7, 0, 0] = True
    svg = show.planes(obs, [f"plane {c}" for c in range(8)]).svg
    assert len(re.findall(r'style="fill:none;stroke:var\(--rlk-blue\)', svg)) == 2


def test_names_title_and_words_are_there():
    picture = show.planes(breakout(), CHANNELS, title="step 12, return 3")
    assert texts(picture.svg) == [*CHANNELS, "step 12, return 3"]
    assert picture.alt.startswith("step 12, return 3. paddle: row 9, column 4; ball: row 6, column 3;")
    assert "brick: 28 pixels in rows 1 to 3, columns 0 to 9" in picture.alt
    assert "ball: nothing" in show.planes(np.zeros((4, 10, 10)), CHANNELS).alt


@pytest.mark.parametrize("draw", [show.planes, show.planes_apart])
def test_the_same_planes_give_the_same_bytes_few_enough_for_a_player(draw):
    obs = np.random.default_rng(0).random((10, 10, 10)) < 0.15
    names = [f"plane {c}" for c in range(10)]
    assert draw(obs, names).svg == draw(obs.astype(int), names).svg
    assert len(draw(obs, names).svg.encode()) < 16_000
    assert len(draw(breakout(), CHANNELS).svg.encode()) < 6_000
    assert not [light for light, _ in PALETTE.values() if light in draw(obs, names).svg]


def test_planes_apart_are_a_picture_each():
    picture = show.planes_apart(breakout(), CHANNELS)
    assert [texts(svg) for svg in svgs(picture)] == [[name] for name in CHANNELS]
    assert [len(squares(svg, "ink")) for svg in svgs(picture)] == [1, 1, 1, 28]
    assert "trail: row 5, column 2; brick: 28 pixels" in picture.alt


def test_no_text_is_too_small():
    pictures = [show.planes(breakout(), CHANNELS, "t"), show.planes_apart(breakout(), CHANNELS), show.cartpole([0] * 4)]
    sizes = [size for p in pictures for size in font_sizes(p.svg)]
    assert len(sizes) == 12 and min(sizes) >= 8


@pytest.mark.parametrize("draw", [show.planes, show.planes_apart])
def test_wrong_planes_are_refused(draw):
    with pytest.raises(ValueError, match=r"obs has shape \(10, 10, 4\), but \(4, rows, columns\) was expected"):
        draw(np.zeros((10, 10, 4)), CHANNELS)
    with pytest.raises(ValueError, match=r"obs has shape \(1, 10\), but \(1, rows"):
        draw(np.zeros((1, 10)), ["a"])
    with pytest.raises(ValueError, match=r"obs\[0, 2, 1\] is 0.5, but it must be True or False"):
        draw(np.eye(3)[None] + 0.5 * (np.arange(9) == 7).reshape(1, 3, 3), ["a"])
    with pytest.raises(ValueError, match="channels is empty"):
        draw(np.zeros((0, 3, 3)), [])


def pole(picture):
    """Return (foot, tip) of the pole, in metres: the track is 4.8 m long."""
    line = lambda colour: points(re.search(rf'd="([^"]*)"[^>]*stroke:var\(--rlk-{colour}\)', picture.svg)[1])  # noqa: E731
    left, right = line("faint")
    metre = (right[0] - left[0]) / 4.8
    return [((x - left[0]) / metre - 2.4, (left[1] - y) / metre) for x, y in line("red")]


@pytest.mark.parametrize(("x", "angle"), [(0.0, 0.0), (1.0, 0.2), (-2.0, -0.15)])
def test_the_pole_stands_on_the_cart_and_leans_to_the_right_when_its_angle_is_positive(x, angle):
    foot, tip = pole(show.cartpole([x, 0, angle, 0]))
    assert foot == pytest.approx((x, 0.28), abs=0.01)
    assert np.subtract(tip, foot) == pytest.approx((np.sin(angle), np.cos(angle)), abs=0.01)


def test_a_cart_is_told_in_words_and_small():
    picture = show.cartpole(np.float32([0.5, -0.3, np.radians(6), -0.4]), title="step 12")
    assert picture.alt == (
        "step 12. The cart is at 0.50 m and moves at −0.30 m/s; its pole leans by 6.0 degrees and turns at −23 degrees "
        "a second"
    )
    assert {"step 12", "−2.4 m", "0", "2.4 m"} == set(texts(picture.svg))
    assert len(picture.svg.encode()) < 3_000
    assert picture.svg == show.cartpole(np.float32([0.5, -0.3, np.radians(6), -0.4]), title="step 12").svg


def test_a_wrong_state_is_refused():
    with pytest.raises(ValueError, match=r"state has shape \(3,\), but \(4,\) was expected"):
        show.cartpole([0, 0, 0])
    with pytest.raises(ValueError, match=r"state\[2\] is nan"):
        show.cartpole([0, 0, np.nan, 0])
