"""The pendulum leans where its angle says, and the arrow goes the way in which the torque pushes."""

import re

import gymnasium
import numpy as np
import pytest

from rlkit import show
from rlkit.show.picture import PALETTE
from tests.show.reading import points, texts

SCALE = 1.05 * 72


def drawn(svg, style):
    """Return the points of the only path whose style begins like this: from the pivot, to the right and up, in rods."""
    (d,) = re.findall(rf'd="([^"]*)"[^>]*style="{style}', svg)
    return points(d) / (SCALE, -SCALE) + (-1.25, 1.25)


def rod(svg):
    pivot, tip = drawn(svg, r"fill:none;stroke:var\(--rlk-red\)")
    assert pivot == pytest.approx([0, 0], abs=0.01)
    return tip


def bent(line):
    """Return by how many radians points go around the pivot, counter-clockwise, from the first to the last."""
    angle = np.unwrap(np.arctan2(-line[:, 0], line[:, 1]))
    return angle[-1] - angle[0]


@pytest.mark.parametrize("angle", [0.0, 0.5, -2.0, np.pi, 7.0])
def test_upright_is_0_and_a_positive_angle_leans_to_the_left(angle):
    for state in ([angle, 0], [np.cos(angle), np.sin(angle), 0]):
        assert rod(show.pendulum(state).svg) == pytest.approx([-np.sin(angle), np.cos(angle)], abs=0.01)


def head(svg):
    """Return the tip of the arrowhead, which is the middle one of its three corners."""
    return drawn(svg, r"fill:var\(--rlk-amber\)")[1]


@pytest.mark.parametrize("torque", [2.0, 0.3, -1.0, -2.0])
def test_the_arrow_goes_around_the_pivot_from_the_rod_and_as_far_as_the_torque_is_large(torque):
    svg = show.pendulum([2.0, 0], torque).svg
    way = bent(np.array([rod(svg), head(svg)]))
    assert way - np.sign(torque) * 0.12 == pytest.approx(torque * np.pi / 4, abs=0.03)


def test_the_arrow_points_where_the_world_turns_and_the_way_behind_the_tip_is_where_it_came_from():
    """One step of Gymnasium's Pendulum from rest, without weight: only the torque turns it."""
    env = gymnasium.make("Pendulum-v1", g=0.0).unwrapped
    for torque in (-2.0, 1.5):
        env.reset(seed=0)
        env.state = np.array([1.2, 0.0])
        before = env._get_obs()
        after = env.step(np.array([torque]))[0]
        assert np.sign(after[2]) == np.sign(torque)
        svg = show.pendulum(before, torque).svg
        tips = np.array([rod(svg), rod(show.pendulum(after).svg)])
        assert bent(tips) * bent(np.array([rod(svg), head(svg)])) > 0
        trail = drawn(show.pendulum(after).svg, r"fill:none;[^\"]*stroke:var\(--rlk-blue\)")
        assert trail[-1] == pytest.approx(tips[1], abs=0.01)
        assert bent(trail) == pytest.approx(0.1 * after[2], abs=0.02)


def test_the_torque_is_cut_off_as_in_the_world_and_what_is_0_is_not_drawn():
    assert show.pendulum([1, 0], 5.0).svg == show.pendulum([1, 0], 2.0).svg
    svg = show.pendulum([1, 0]).svg
    assert "amber" not in svg and "blue" not in svg


def test_a_pendulum_is_told_in_words():
    state = np.float32([np.cos(0.5), np.sin(0.5), -1.0])
    picture = show.pendulum(state, -1.5, title="step 12")
    assert picture.alt == (
        "step 12. The pendulum leans by 29 degrees to the left; its velocity is 57 degrees a second clockwise, the torque "
        "1.50 N m clockwise"
    )
    assert texts(picture.svg) == ["step 12"]
    assert show.pendulum([0, 0]).alt == (
        "The pendulum is upright; its velocity is 0 degrees a second, the torque 0.00 N m"
    )
    assert show.pendulum([np.pi, 1], 1).alt == (
        "The pendulum hangs straight down; its velocity is 57 degrees a second counter-clockwise, the torque "
        "1.00 N m counter-clockwise"
    )
    assert show.pendulum([-1, 0], alt="mine").alt == "mine"


def test_forty_frames_are_small_of_one_size_and_in_the_colours_of_the_page():
    frames = [show.pendulum([a, a], np.sin(a), title="t") for a in np.linspace(-3, 3, 40)]
    assert max(len(p.svg.encode()) for p in frames) < 3_000
    assert len({re.search(r'viewBox="[^"]*"', p.svg)[0] for p in frames}) == 1
    assert not [light for light, _ in PALETTE.values() if light in frames[0].svg]
    assert frames[0].svg == show.pendulum([-3, -3], np.sin(-3), title="t").svg


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"state": [0, 0, 0, 0]}, r"state has shape \(4,\), but \(2,\) or \(3,\) was expected"),
        ({"state": [1, 1, 0]}, "state has cosine 1 and sine 1, but no angle has both"),
        ({"state": [0, np.inf]}, r"state\[1\] is inf"),
        ({"state": [0, 0], "torque": [1.0]}, r"torque has shape \(1,\)"),
        ({"state": [0, 0], "torque": np.nan}, "torque is nan"),
    ],
)
def test_what_is_no_pendulum_is_refused(given, message):
    with pytest.raises(ValueError, match=message):
        show.pendulum(**given)
