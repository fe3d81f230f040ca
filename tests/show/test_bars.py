"""Bars: in the order given, with their numbers, blue where they reach the reference, on an axis that holds them all."""

import csv
import re

import numpy as np
import pytest

from rlkit import show
from tests.show.reading import font_sizes, points, texts
from tools.provenance import ROOT


def drawn(picture):
    """Return (colour, left, right, height) of every bar, from top to bottom, in points."""
    found = []
    for d, colour in re.findall(r'd="([^"]*)"[^>]*style="fill:var\(--rlk-(blue|red)\)"', picture.svg):
        x, y = points(d).T
        found.append((colour, x.min(), x.max(), y.mean()))
    return sorted(found, key=lambda bar: bar[3])


def atari():
    with open(ROOT / "rlkit/experiments/results/atari_dqn_2015.csv") as file:
        return {row["game"]: float(row["human_normalised_percent"]) for row in csv.DictReader(file)}


def test_bars_keep_their_order_and_are_as_long_as_their_values():
    picture = show.bars({"a": 1, "b": 4, "c": 2}, xlabel="x", reference={"goal": 2})
    bars = drawn(picture)
    assert picture.alt.endswith("2 of 3 reach goal.")
    assert [bar[0] for bar in bars] == ["red", "blue", "blue"]
    lengths = np.array([right - left for _, left, right, _ in bars])
    assert lengths / lengths[0] == pytest.approx([1, 4, 2], rel=0.01)


def test_labels_numbers_and_words_are_there():
    picture = show.bars({"one": 1.25, "two": -3}, xlabel="score", title="T", reference={"zero": 0}, digits=1)
    assert {"one", "two", "1.2", "−3.0", "score", "T", "zero"} <= set(texts(picture.svg))
    assert picture.alt == "T: one 1.2; two −3.0; 1 of 2 reach zero."


def test_without_a_reference_all_bars_are_blue():
    picture = show.bars({"a": -1, "b": 1}, xlabel="x")
    assert [bar[0] for bar in drawn(picture)] == ["blue", "blue"]
    assert picture.alt == "x: a −1; b 1."


def test_an_interval_is_a_line_from_end_to_end():
    picture = show.bars({"a": (4, 2, 5), "b": 4}, xlabel="x")
    lines = re.findall(r'd="([^"]*)"[^>]*style="fill:none;stroke:var\(--rlk-ink\);stroke-width:1.5"', picture.svg)
    assert len(lines) == 1
    x = points(lines[0])[:, 0]
    _, left, right, _ = drawn(picture)[0]
    assert (x - left) / (right - left) == pytest.approx([0.5, 1.25], abs=0.01)


def test_the_published_atari_figure_fits_on_a_phone():
    games = dict(sorted(atari().items(), key=lambda row: -row[1]))
    draw = lambda: show.bars(games, xlabel="% of a human", reference={"75 % of a human": 75}, log=True)  # noqa: E731
    picture = draw()
    bars = drawn(picture)
    assert [bar[0] for bar in bars] == ["blue"] * 29 + ["red"] * 20
    assert "29 of 49 reach 75 % of a human" in picture.alt
    assert set(games) <= set(texts(picture.svg))
    lengths = np.array([right - left for _, left, right, _ in bars])
    assert (np.diff(lengths) <= 0).all() and lengths[-1] == 0
    small = np.array(list(games.values())) <= 100  # 100 is the power of ten above the median: linear up to there
    assert lengths[small] == pytest.approx(np.array(list(games.values()))[small] * lengths[small][0] / 97.5, abs=0.2)
    assert lengths[0] < 2.8 * lengths[small][0], "2539 is not 26 times as long as 98"
    assert min(font_sizes(picture.svg)) >= 8
    width, height = (int(size) for size in re.search(r' width="(\d+)" height="(\d+)"', picture.svg).groups())
    assert width <= 420 and height <= 1020
    assert picture.svg == draw().svg
    assert len(picture.svg.encode()) < 25_000


def test_the_line_of_the_reference_leaves_the_numbers_out():
    # The number of a bar that ends just before the line would be crossed by it.
    line = lambda values: re.search(  # noqa: E731
        r'd="([^"]*)"[^>]*stroke-dasharray:1[^>]*stroke:var\(--rlk-ink\)',
        show.bars(values, xlabel="x", reference={"r": 9}).svg,
    )[1]
    assert line({"a": 10, "b": 10, "c": 10, "d": 0}).count("M") == 1
    assert line({"a": 10, "b": 8.8, "c": 10, "d": 0}).count("M") == 2


def test_zeros_can_be_drawn_on_a_logarithmic_axis():
    assert len(drawn(show.bars({"a": 0, "b": 0, "c": 5}, xlabel="x", log=True))) == 3


@pytest.mark.parametrize(
    ("values", "options", "message"),
    [
        ({}, {}, "values is empty"),
        ({"a": [1, 2]}, {}, r"a has shape \(2,\), but a number or \(number, low, high\)"),
        ({"a": (3, 1, 2)}, {}, r"a is 3, but it must lie in its interval \[1, 2\]"),
        ({"a": np.nan}, {}, "a is nan, but it must be a finite number"),
        ({"a": "b"}, {}, "a must be an array of real numbers"),
        ({"a": 1}, {"reference": {"r": 1, "s": 2}}, "reference has 2 lines"),
    ],
)
def test_what_cannot_be_drawn_is_refused(values, options, message):
    with pytest.raises(ValueError, match=message):
        show.bars(values, xlabel="x", **options)
