"""Maps of a function: blue above 0, red below, and the line between them where the function is 0."""

import re

import numpy as np
import pytest

from rlkit import show
from rlkit.show.picture import PALETTE
from tests.show.reading import font_sizes, points, texts

X, Y = np.linspace(-12, 12, 21), np.linspace(-2, 2, 17)
WORDS = ("push left is better", "push right is better")


def draw(Z, x=X, y=Y, **options):
    return show.heatmap(x, y, Z, xlabel="angle", ylabel="speed", labels=WORDS, **options)


def plane(a, b, c):
    return a * X / 12 + b * Y[:, None] / 2 + c


def zero_line(svg):
    """Return the points of the line where the function is 0, in units of the axes: from 0 to 1, upwards."""
    corners = points(re.findall(r'd="([^"]*)" style="fill:none"', svg)[-1])  # the frame of the axes of the map
    low, high = corners.min(axis=0), corners.max(axis=0)
    lines = re.findall(r'd="([^"]*)"[^>]*style="fill:none;stroke:var\(--rlk-ink\);stroke-width:1.5"', svg)
    x, y = ((points(lines[0]) - low) / (high - low)).T
    return x, 1 - y


def filled(svg, colour):
    """Return the opacities of the layers of this colour on the map."""
    return [float(a) for a in re.findall(rf"fill:var\(--rlk-{colour}\);fill-opacity:([\d.]+)", svg)]


@pytest.mark.parametrize(("a", "b", "c"), [(1, 0, 0), (1, 0, -0.5), (0, 1, 0.5), (1, 1, 0), (2, -1, 0.3)])
def test_the_line_is_where_a_plane_is_zero(a, b, c):
    x, y = zero_line(draw(plane(a, b, c)).svg)
    assert a * (2 * x - 1) + b * (2 * y - 1) + c == pytest.approx(0, abs=0.01)
    assert max(np.ptp(x), np.ptp(y)) > 0.6, "the line goes through the map"


def test_a_step_of_depth_is_added_with_every_quarter():
    svg = draw(plane(1, 0, 0)).svg
    for colour in ("red", "blue"):
        through = np.cumprod(1 - np.array(filled(svg, colour)))
        assert 1 - through == pytest.approx([0.1375, 0.275, 0.4125, 0.55], abs=1e-4)


def test_blue_is_above_zero_and_lies_right_when_the_function_grows_to_the_right():
    svg = draw(plane(1, 0, 0)).svg
    side = lambda colour: points(  # noqa: E731
        re.search(rf'd="([^"]*)"[^>]*fill:var\(--rlk-{colour}\);fill-opacity', svg)[1]
    )[:, 0]
    assert side("red").max() == pytest.approx(side("blue").min(), abs=0.2)
    assert side("blue").max() > side("blue").min() + 100


def test_top_compares_pictures():
    assert len(filled(draw(plane(1, 0, 0), top=2).svg, "blue")) == 2
    assert len(filled(draw(plane(1, 0, 0) * 9, top=2).svg, "blue")) == 4
    assert {"−2", "2"} <= set(texts(draw(plane(1, 0, 0), top=2).svg))


def test_words_say_what_the_colours_mean():
    picture = draw(plane(1, 0, 0), title="T")
    assert {*WORDS, "angle", "speed", "T", "−1", "0", "1"} <= set(texts(picture.svg))
    assert picture.alt == (
        "T. push left is better in 48 % of the map, most at angle −12 and speed −2, where it is −1. "
        "push right is better in 48 % of the map, most at angle 12 and speed −2, where it is 1."
    )


def test_one_sign_has_one_colour_and_no_line():
    svg = draw(np.full((17, 21), 3.0)).svg
    assert (len(filled(svg, "blue")), len(filled(svg, "red"))) == (4, 0)
    nothing = draw(np.zeros((17, 21)))
    assert not filled(nothing.svg, "blue") + filled(nothing.svg, "red")
    assert "push left is better in 0 % of the map." in nothing.alt
    for picture in (svg, nothing.svg):
        assert len(re.findall(r"stroke:var\(--rlk-ink\);stroke-width:1.5", picture)) == 1, "only in the scale"


def test_a_map_is_small_the_same_every_time_and_in_the_colours_of_the_page():
    Z = 12 * np.tanh(3 * plane(1, 1, 0.1) + 0.3 * np.sin(X))
    svg = draw(Z, title="T").svg
    assert svg == draw(Z, title="T").svg
    assert len(svg.encode()) < 20_000
    assert not [light for light, _ in PALETTE.values() if light in svg]
    assert "nan" not in svg and "inf" not in svg
    assert min(font_sizes(svg)) >= 8


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"Z": np.zeros((21, 17))}, r"Z has shape \(21, 17\), but \(17, 21\) was expected"),
        ({"Z": np.where(plane(1, 0, 0) > 0.9, np.nan, 1)}, r"Z\[0, 20\] is nan"),
        ({"x": X[::-1]}, r"x\[1\] is 10.8, but it must be greater than the point before it"),
        ({"y": [1]}, r"y has shape \(1,\), but at least two points"),
        ({"labels": ("one",)}, "labels has 1 entries, but two were expected"),
        ({"top": -1}, "top is -1.0, but it must lie in"),
    ],
)
def test_what_cannot_be_drawn_is_refused(change, message):
    given = {"x": X, "y": Y, "Z": plane(1, 0, 0), "labels": WORDS, **change}
    with pytest.raises(ValueError, match=message):
        show.heatmap(**given, xlabel="angle", ylabel="speed")
