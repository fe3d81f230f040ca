"""Policies as pictures: probabilities are lengths and areas, and arrows and bars say where a step moves them."""

import re

import numpy as np
import pytest

from rlkit import show
from rlkit.show.picture import PALETTE
from tests.show.reading import font_sizes, points, texts

ANGLES = np.radians([30, 15, 0, -15, -30])
METRE = 3.1 * 72 / 23
CAR = np.array([11.5, 20]) * METRE + (0, 0.3 * 72)
DASHED = r"fill:none;stroke-dasharray:4.5,3;stroke-dashoffset:0;stroke:var\(--rlk-ink\)"
NAMES = ["left", "straight", "right"]


def svgs(picture):
    return re.findall(r"<svg.*?</svg>", picture.svg, re.DOTALL)


def paths(svg, style):
    """Return the points of every path whose style begins like this."""
    return [points(d) for d in re.findall(rf'd="([^"]*)"[^>]*style="{style}', svg)]


def polar(drawn):
    """Return how far points are from the car in metres, and their angle from straight ahead to the left."""
    x, y = ((drawn - CAR) / (METRE, -METRE)).T
    return np.hypot(x, y), np.arctan2(-x, y)


def fan(mean, std):
    (outline,) = paths(svgs(show.two_action_spaces(ANGLES, [0.2] * 5, mean, std))[1], r"fill:var\(--rlk-red\)")
    return polar(outline)


def test_a_bar_for_each_direction_as_long_as_it_is_probable():
    pi = np.array([0.1, 0.4, 0.25, 0.05, 0.2])
    few, _ = svgs(show.two_action_spaces(ANGLES, pi, 0, 0.2))
    bars = paths(few, r"fill:none;stroke:var\(--rlk-red\)")
    assert len(bars) == 5
    (near, far), angle = np.array([polar(bar)[0] for bar in bars]).T, [polar(bar)[1][1] for bar in bars]
    assert far - near == pytest.approx(13 * pi, abs=0.05)
    assert angle == pytest.approx(ANGLES, abs=0.03)
    assert texts(few) == ["10 %", "40 %", "25 %", "5 %", "20 %", "a choice of directions"]


@pytest.mark.parametrize(("mean", "std"), [(0.0, 0.1), (0.2, 0.1), (-0.3, 0.3), (0.1, 0.05)])
def test_the_fan_is_longest_at_the_mean_and_keeps_its_area(mean, std):
    far, angle = fan(mean, std)
    assert angle[far.argmax()] == pytest.approx(mean, abs=0.03)
    half = len(far) // 2
    assert far[half:] == pytest.approx(4.0, abs=0.06)
    area = -np.trapezoid((far[:half] ** 2 - 16) / 2, -angle[:half])
    assert area == pytest.approx((17**2 - 4**2) / 2 * 0.05 * np.sqrt(2 * np.pi), rel=0.02)
    within = abs(angle[:half] - mean) < std
    share = np.trapezoid((far[:half] ** 2 - 16)[within] / 2, angle[:half][within]) / area
    assert share == pytest.approx(0.68, abs=0.06)


def test_two_action_spaces_are_told_in_words():
    picture = show.two_action_spaces(ANGLES, [0, 0, 1, 0, 0], np.radians(-7), np.radians(12))
    assert "100 % for 0°, 0 % for 15° right" in picture.alt
    assert picture.alt.endswith("mean 7° right, standard deviation 12°")
    assert "any angle: mean 7° right, std 12°" in texts(svgs(picture)[1])


def softmax(z):
    e = np.exp(z - z.max())
    return e / e.sum()


def step(good, logits=(0.2, 0.5, -0.3), action=0, **options):
    """Draw one step of size 1 on the policy's logits, when the sampled action was this good."""
    z = np.array(logits)
    change = good * (np.eye(len(z))[action] - softmax(z))
    return show.policy_step(softmax(z), softmax(z + change), action, change, NAMES, **options)


def bars(svg):
    """Return the heights of the bars before and after the step, in units of probability."""
    unit = 2.0 * 72 / 1.1
    before, after = (
        [np.ptp(p[:, 1]) / unit for p in paths(svg, style) if np.ptp(p[:, 0]) > 30]  # those of the legend are narrower
        for style in (DASHED, r"fill:var\(--rlk-(?:blue|red|faint)\);opacity:0.4")
    )
    assert len(before) == len(after) == 3
    return before, after


def arrows(svg, horizontal=False):
    """Return (colour, signed length in points) of every arrow: up, or to the right, is positive."""
    found = []
    for d, colour in re.findall(r'd="([^"]*)"[^>]*style="fill:var\(--rlk-(blue|red)\)"', svg):
        p = points(d)
        across, along = (1, 0) if horizontal else (0, 1)
        size = np.ptp(p[:, along])
        tip = p[abs(p[:, across] - p[:, across].mean()).argmin(), along]
        middle = (p[:, along].max() + p[:, along].min()) / 2
        found.append((colour, float(np.sign(tip - middle) * size * (1 if horizontal else -1))))
    return found


@pytest.mark.parametrize("good", [2.0, -2.0])
def test_a_good_action_rises_and_the_others_fall_and_a_bad_one_the_other_way_round(good):
    before, after = bars(step(good, top=2.0).svg)
    assert before == pytest.approx(softmax(np.array([0.2, 0.5, -0.3])), abs=0.01)
    z = np.array([0.2, 0.5, -0.3])
    change = good * (np.eye(3)[0] - softmax(z))
    assert after == pytest.approx(softmax(z + change), abs=0.01)
    found = arrows(step(good, top=2.0).svg)
    assert [colour for colour, _ in found] == (["blue", "red", "red"] if good > 0 else ["red", "blue", "blue"])
    unit = 0.95 * 72 / 2.2
    assert [length for _, length in found] == pytest.approx(change / 2.0 * unit, abs=0.4)


def test_a_reward_as_large_as_the_baseline_moves_nothing():
    svg = step(0.0).svg
    before, after = bars(svg)
    assert before == pytest.approx(after, abs=0.01)
    assert arrows(svg) == []
    assert texts(svg).count("0.00") == 3


def test_the_sampled_action_is_marked():
    for action, name in enumerate(NAMES):
        svg = step(1.0, action=action).svg
        (x,) = re.findall(rf'<text[^>]*x="([\d.]+)"[^>]*>{name}<', svg)
        dots = re.findall(r'<use [^>]*x="([\d.]+)"[^>]*style="fill:var\(--rlk-amber\)', svg)
        assert float(dots[0]) == pytest.approx(float(x), abs=1)
        assert len(dots) == 2, "the other one is in the legend"


def test_a_step_is_told_in_words():
    alt = step(1.0, logits=(0, 0, 0), action=2, title="R − b = 1").alt
    assert alt == (
        "R − b = 1. right was sampled. left 33 → 21 %, its logit −0.33; straight 33 → 21 %, its logit −0.33; "
        "right 33 → 58 %, its logit +0.67."
    )


def gaussian(good, action, mean=0.1, std=0.4, lr=0.05, **options):
    change = good * np.array([(action - mean) / std**2, (action - mean) ** 2 / std**2 - 1])
    after = mean + lr * change[0], std * np.exp(lr * change[1])
    return show.gaussian_step((mean, std), after, action, change, **options)


@pytest.mark.parametrize(
    ("good", "action", "signs"),
    [(2, 0.9, (1, -1, 1)), (-2, 0.9, (-1, 1, -1)), (2, 0.2, (1, 1, -1)), (2, -0.9, (-1, -1, 1))],
)
def test_arrows_show_where_the_mean_goes_and_whether_the_density_widens(good, action, signs):
    """The arrows: of the mean, and at its two sides a std away, outwards where the density widens."""
    found = arrows(gaussian(good, action).svg, horizontal=True)
    assert tuple(np.sign([length for _, length in found])) == signs


def test_a_gaussian_is_drawn_before_and_after():
    svg = gaussian(2, 0.6, xlim=(-1.5, 1.5), title="t").svg
    area = max(paths(svg, r"fill:var\(--rlk-blue\);opacity:0.4"), key=len)
    line = max(paths(svg, DASHED), key=len)
    left, inch = 0.85 * 72, (5.2 - 0.95) * 72 / 3
    x = lambda p: (p[p[:, 1].argmin(), 0] - left) / inch - 1.5  # noqa: E731
    assert x(line) == pytest.approx(0.1, abs=0.03)
    assert x(area) == pytest.approx(0.1 + 0.05 * 2 * 0.5 / 0.16, abs=0.03)
    (stem,) = paths(svg, r"fill:none;stroke:var\(--rlk-amber\)")
    assert (stem[:, 0] - left) / inch - 1.5 == pytest.approx(0.6, abs=0.01)


def test_a_gaussian_that_is_not_pushed_stays_and_is_told():
    picture = gaussian(0, 0.6)
    assert arrows(picture.svg, horizontal=True) == []
    assert picture.alt == (
        "0.60 was sampled. Mean 0.10 → 0.10, pushed by 0.00; std 0.40 → 0.40, its logarithm pushed by 0.00."
    )


def test_nothing_jumps_in_a_player():
    drawn = [gaussian(good, 0.6, title="t").svg for good in (-9, 0, 9)]
    assert len({re.search(r'viewBox="[^"]*"', svg)[0] for svg in drawn}) == 1
    marks = [paths(svg, r"fill:none;stroke:var\(--rlk-ink\);stroke-width:1.5") for svg in drawn]
    assert np.shape(marks) == (3, 3, 2, 2), "of the mean and of both sides"
    assert np.ptp(marks, axis=0) == pytest.approx(0)


def test_pictures_are_small_the_same_every_time_in_the_colours_of_the_page_and_legible():
    for draw in (
        lambda: step(1.0, title="t"),
        lambda: gaussian(1.0, 0.6, title="t"),
        lambda: show.two_action_spaces(ANGLES, [0.2] * 5, 0.1, 0.2),
    ):
        svg = draw().svg
        assert svg == draw().svg
        assert len(svg.encode()) < 13_000
        assert not [light for light, _ in PALETTE.values() if light in svg]
        assert min(font_sizes(svg)) >= 9


SPACES = {"angles": ANGLES, "probabilities": [0.2] * 5, "mean": 0.0, "std": 0.1}
STEP = {"before": [0.5, 0.5], "after": [0.6, 0.4], "action": 0, "change": [0.1, -0.1], "labels": ["a", "b"]}
GAUSSIAN = {"before": (0, 1), "after": (0, 1), "action": 0.0, "change": (0, 0)}


@pytest.mark.parametrize(
    ("draw", "given", "change", "message"),
    [
        (show.two_action_spaces, SPACES, {"angles": 0.1}, r"angles has shape \(\)"),
        (show.two_action_spaces, SPACES, {"angles": [0, 2, 0, 0, 0]}, r"angles\[1\] is 2, but it must lie"),
        (show.two_action_spaces, SPACES, {"probabilities": [0.5, 0.5]}, r"probabilities has shape \(2,\)"),
        (show.two_action_spaces, SPACES, {"probabilities": [0.3] * 5}, "probabilities sums to 1.5"),
        (show.two_action_spaces, SPACES, {"std": 0}, "std is 0.0, but it must lie"),
        (show.two_action_spaces, SPACES, {"mean": 3}, "mean is 3.0, but it must lie"),
        (show.policy_step, STEP, {"before": [1.0]}, r"before has shape \(1,\), but \(2,\)"),
        (show.policy_step, STEP, {"after": [0.6, 0.6]}, "after sums to 1.2"),
        (show.policy_step, STEP, {"action": 2}, r"action is 2.0, but it must lie in \[0, 1\]"),
        (show.policy_step, STEP, {"change": [0, np.nan]}, r"change\[1\] is nan"),
        (show.policy_step, STEP, {"labels": []}, "labels is empty"),
        (show.policy_step, STEP, {"top": -1}, "top is -1.0"),
        (show.gaussian_step, GAUSSIAN, {"before": (0, 0)}, r"before\[1\] is 0, but a std must be positive"),
        (show.gaussian_step, GAUSSIAN, {"after": (0, 1, 2)}, r"after has shape \(3,\)"),
        (show.gaussian_step, GAUSSIAN, {"action": np.inf}, "action is inf"),
        (show.gaussian_step, GAUSSIAN, {"xlim": (1, 0)}, "xlim goes from 1 to 0"),
    ],
)
def test_what_is_no_policy_is_refused(draw, given, change, message):
    with pytest.raises(ValueError, match=message):
        draw(**(given | change))
