"""The lander stands where its numbers say, its flames push it where the physics does, and terms add up to the reward."""

import re

import gymnasium
import numpy as np
import pytest

from rlkit import show
from rlkit.show.picture import PALETTE
from tests.show.reading import font_sizes, points, texts

METRE = 5.2 * 72 / 21


def paths(svg, style):
    """Return the points of every path whose style begins like this."""
    return [points(d) for d in re.findall(rf'd="([^"]*)"[^>]*style="{style}', svg)]


def metres(drawn):
    """Return points of a picture without a title in metres: from the middle to the right, and above the pad."""
    return drawn / (METRE, -METRE) + (-10.5, 11.6)


def shape(svg, colour):
    """Return the middle of the largest filled shape of this colour, in metres."""
    drawn = metres(max(paths(svg, rf"fill:var\(--rlk-{colour}\)[;\"]"), key=np.ptp))
    return (drawn.max(axis=0) + drawn.min(axis=0)) / 2


def legs(svg, colour):
    return np.concatenate(
        [metres(p) for p in paths(svg, rf"fill:none;stroke:var\(--rlk-{colour}\);stroke-width:3;stroke-linecap:round")]
    )


@pytest.mark.parametrize(("x", "y"), [(0.0, 1.4), (-0.5, 0.7), (0.9, 0.1)])
def test_the_lander_is_where_its_numbers_say(x, y):
    svg = show.lander([x, y, 0, 0, 0, 0, 0, 0]).svg
    assert shape(svg, "blue") == pytest.approx((10 * x, 20 / 3 * y + 0.9 + 1.5 * 0.125), abs=0.05)


def test_it_stands_on_the_pad_between_flags_and_its_legs_say_which_of_them_touch():
    svg = show.lander([0, 0, 0, 0, 0, 0, 1, 0]).svg
    right, left = legs(svg, "green"), legs(svg, "ink")
    assert right[:, 0].min() > 0 > left[:, 0].max(), "the first leg is the one on the right"
    assert right[:, 1].min() == pytest.approx(0, abs=0.05)
    flags = [metres(p)[:, 0].min() for p in paths(svg, r"fill:var\(--rlk-red\)")]
    assert flags == pytest.approx([-2, 2], abs=0.05)
    pad = metres(paths(svg, r"fill:none;stroke:var\(--rlk-ink\);stroke-width:3\"")[0])
    assert pad.ravel() == pytest.approx([-2, 0, 2, 0], abs=0.05)


def test_a_positive_angle_leans_to_the_left():
    upright, leaning = (legs(show.lander([0, 1, 0, 0, angle, 0, 0, 0]).svg, "ink") for angle in (0.0, 0.5))
    turn = np.array([(np.cos(0.5), -np.sin(0.5)), (np.sin(0.5), np.cos(0.5))])
    middle = (0, 20 / 3 + 0.9)
    assert leaning == pytest.approx((upright - middle) @ turn.T + middle, abs=0.05)
    assert leaning[leaning[:, 1].argmin(), 0] < 0, "the left foot is the lower one"


@pytest.mark.parametrize("action", [1, 2, 3])
def test_a_flame_points_away_from_where_the_physics_pushes(action):
    pytest.importorskip(
        "Box2D", reason="the lander's physics is not installed: there is no wheel of it for this machine"
    )
    env, pushed = gymnasium.make("LunarLander-v3"), []
    for seed in range(8):
        begun, _ = env.reset(seed=seed)
        idle = begun
        for _ in range(4):
            idle = env.step(0)[0]
        env.reset(seed=seed)
        for _ in range(4):
            begun = env.step(action)[0]
        pushed.append(begun[2:4] - idle[2:4])
    env.close()
    push = np.mean(pushed, axis=0)
    svg = show.lander([0, 1, 0, 0, 0, 0, 0, 0], action).svg
    way = shape(svg, "amber") - shape(svg, "blue")
    axis = 1 if action == 2 else 0
    assert way[axis] * push[axis] < 0
    assert abs(way[axis]) > 0.7


def test_without_an_engine_there_is_no_flame():
    assert "amber" not in show.lander([0, 1, 0, 0, 0, 0, 0, 0], 0).svg


def test_the_trail_ends_in_the_lander():
    trail = np.column_stack([np.linspace(0.5, 0.1, 60), np.linspace(1.4, 0.6, 60)])
    svg = show.lander([0.1, 0.6, 0, 0, 0, 0, 0, 0], 0, trail).svg
    line = metres(paths(svg, r"fill:none;stroke-dasharray:[^;]*;stroke-dashoffset:0;stroke:var\(--rlk-faint\)")[0])
    assert line[0] == pytest.approx((5, 20 / 3 * 1.4 + 0.9), abs=0.05)
    assert line[-1] == pytest.approx((1, 4.9), abs=0.05)


def test_a_flight_is_told_in_words_and_small():
    trail = np.random.default_rng(0).uniform(0, 1, (300, 2))
    picture = show.lander(np.float32([0.1, 0.5, -0.2, -0.4, 0.2, 0, 0, 1]), 2, trail, title="frame 3")
    assert picture.alt == (
        "frame 3. The lander is at x 0.10, y 0.50 and moves at −0.20, −0.40; it leans by 11°; main engine fires; "
        "left leg on the ground"
    )
    assert show.lander([0, 0, 0, 0, 0, 0, 1, 1]).alt.endswith("no engine is on; right and left legs on the ground")
    assert texts(picture.svg) == ["frame 3"]
    assert len(picture.svg.encode()) < 8_000
    assert not [light for light, _ in PALETTE.values() if light in picture.svg]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"state": np.zeros(7)}, r"state has shape \(7,\), but \(8,\) was expected"),
        ({"state": [0, np.nan, 0, 0, 0, 0, 0, 0]}, r"state\[1\] is nan"),
        ({"action": 4}, r"action is 4.0, but it must lie in \[0, 3\]"),
        ({"trail": np.zeros(8)}, r"trail has shape \(8,\), but \(T, 2\) was expected"),
    ],
)
def test_what_is_no_lander_is_refused(change, message):
    with pytest.raises(ValueError, match=message):
        show.lander(**({"state": np.zeros(8)} | change))


T = 50
TERMS = {
    "way": np.linspace(-1, 2, T),
    "engine": np.where(np.arange(T) % 2, -0.5, 0),
    "end": 100.0 * (np.arange(T) == T - 1),
}


def heights(svg):
    """Return the curves below the stacks: their changes from end to end, in points upwards."""
    found = {}
    for colour in ("blue", "red", "green", "ink"):
        lines = [p for p in paths(svg, rf"fill:none;stroke:var\(--rlk-{colour}\);stroke-width:[\d.]+") if len(p) > 5]
        found[colour] = lines[0][0, 1] - lines[0][-1, 1]
    return found


def test_the_sums_of_the_terms_add_up():
    drawn = heights(show.stacked_terms(TERMS).svg)
    begins = sum(term[0] for term in TERMS.values())
    unit = drawn["ink"] / (sum(map(np.sum, TERMS.values())) - begins)
    for colour, term in zip(("blue", "red", "green"), TERMS.values(), strict=True):
        assert drawn[colour] / unit == pytest.approx(term.sum() - term[0], abs=1.0)


def test_a_step_far_larger_than_the_others_is_cut_and_told():
    assert "102" in texts(show.stacked_terms(TERMS).svg), "2 - 0.5 + 100"
    assert "−98" in texts(show.stacked_terms(TERMS | {"end": -TERMS["end"]}).svg)
    peak = np.where(np.arange(T) == 9, 4.1, 2.0)
    said = texts(show.stacked_terms({"way": peak}).svg)
    assert said[said.index("reward") + 1] == "0", "twice as large is not far larger: what follows are the ticks below"


def stack(svg, colour):
    return np.concatenate(paths(svg, rf"fill:var\(--rlk-{colour}\);opacity"))


def test_what_pays_lies_above_zero_and_what_costs_below_and_they_are_stacked():
    svg = show.stacked_terms({"a": np.full(9, 2.0), "b": np.full(9, 1.0), "c": np.full(9, -1.5)}).svg
    a, b, c = (stack(svg, colour)[:, 1] for colour in ("blue", "red", "green"))
    unit = np.ptp(a) / 2
    assert b.max() == pytest.approx(a.min(), abs=0.15)
    assert np.ptp(b) / unit == pytest.approx(1, abs=0.02)
    assert c.min() == pytest.approx(a.max(), abs=0.15)
    assert np.ptp(c) / unit == pytest.approx(1.5, abs=0.02)


def test_terms_are_named_told_small_and_in_the_colours_of_the_page():
    rng = np.random.default_rng(0)
    many = {f"term {k}": rng.normal(size=300) * (rng.random(300) < 0.5) for k in range(7)}
    picture = show.stacked_terms(many, title="One flight")
    assert {*many, "all together", "One flight", "frame", "reward", "sum of reward"} <= set(texts(picture.svg))
    assert len(picture.svg.encode()) < 120_000
    assert not [light for light, _ in PALETTE.values() if light in picture.svg]
    assert "nan" not in picture.svg
    assert min(font_sizes(picture.svg)) >= 9
    assert show.stacked_terms(TERMS).alt == (
        "What reward is made of. Sums over 50 steps: way 25.0, engine −12.5, end 100.0; all together 112.5."
    )
    assert show.stacked_terms({"a": np.zeros(3)}).alt.endswith("a 0.0; all together 0.0.")


@pytest.mark.parametrize(
    ("terms", "message"),
    [
        ({}, "terms is empty"),
        ({"a": [1.0, 2], "b": [1.0]}, r"terms\['b'\] has shape \(1,\), but \(2,\) was expected"),
        ({"a": []}, "terms have no steps"),
        ({"a": [1.0, np.nan]}, r"terms\['a'\]\[1\] is nan"),
        ({"a": [[1.0]]}, r"terms\['a'\] has shape \(1, 1\), but \(1,\) was expected"),
    ],
)
def test_what_are_no_terms_is_refused(terms, message):
    with pytest.raises(ValueError, match=message):
        show.stacked_terms(terms)
