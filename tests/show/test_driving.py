"""The road from above: the car stands, points and steers as told, its rays end where they should, drives end in their marks."""

import re

import numpy as np
import pytest

from rlkit import show
from rlkit.envs.driving import RAY_ANGLES, Driving
from rlkit.envs.roads import MARGIN, Road, make_road
from rlkit.show.picture import PALETTE
from tests.show.reading import font_sizes, points, texts

METRE = 5.6 * 72 / 60
X = np.arange(-30.0, 131.0)
LEFT, RIGHT = np.column_stack([X, np.full(161, 3.0)]), np.column_stack([X, np.full(161, -3.0)])
ROAD = make_road(1000)


def paths(svg, style):
    """Return the points of every path whose style begins like this: a list of float[N, 2]."""
    return [points(d) for d in re.findall(rf'd="([^"]*)"[^>]*style="{style}', svg)]


def filled(svg, colour):
    return paths(svg, rf"fill:var\(--rlk-{colour}\)")


def stroked(svg, colour, width=""):
    """Return the lines of this colour; one point is the width that SVG does not say."""
    return paths(
        svg, rf"fill:none;stroke:var\(--rlk-{colour}\)" + (rf";stroke-width:{width}[;\"]" if width else '[;"]')
    )


def metres(drawn, title=0.0):
    """Return points of a picture as seen from the car: metres to the right and up."""
    return (drawn - np.array([18 * METRE, 20 * METRE + 72 * title])) / (METRE, -METRE)


def turned(vector, angle):
    return np.array([(np.cos(angle), -np.sin(angle)), (np.sin(angle), np.cos(angle))]) @ vector


@pytest.mark.parametrize("heading", [0.0, 0.4, -1.2])
@pytest.mark.parametrize("place", [(0.0, 0.0), (55.5, -1.5)])
def test_the_car_stands_at_its_place_and_points_where_it_heads(place, heading):
    svg = show.car(LEFT, RIGHT, place, heading).svg
    body = metres(filled(svg, "blue")[0])[:6]
    assert body.mean(axis=0) == pytest.approx(turned((1.9, 0), heading), abs=0.05), "the rear axle is at its place"
    tail, nose = (body[0] + body[5]) / 2, (body[2] + body[3]) / 2
    assert nose - tail == pytest.approx(turned((4.4, 0), heading), abs=0.05)
    upper, lower = (metres(edge)[:, 1] for edge in stroked(svg, "faint", "1.5")[:2])
    assert upper == pytest.approx(3 - place[1], abs=0.03), "the road lies where the car sees it"
    assert lower == pytest.approx(-3 - place[1], abs=0.03)


@pytest.mark.parametrize("steering", [0.3, -0.5])
def test_only_the_front_wheels_turn(steering):
    rear, front = (show.car(LEFT, RIGHT, (0, 0), 0.2, angle).svg for angle in (0.0, steering))
    axes = [np.subtract(w[1], w[0]) for w in np.split(metres(filled(front, "ink")[0]), 4)]
    angles = [np.arctan2(a[1], a[0]) for a in axes]
    assert angles == pytest.approx([0.2, 0.2, 0.2 + steering, 0.2 + steering], abs=0.1)
    assert filled(rear, "ink")[0] == pytest.approx(filled(show.car(LEFT, RIGHT, (0, 0), 0.2).svg, "ink")[0])


def test_rays_of_the_environment_end_on_the_edges_that_are_drawn():
    road = Road.along(np.zeros(60))
    env = Driving(1, [road])
    env.reset(seed=0, options={"speed": 8.0, "offset": 1.0, "angle": 0.6})
    rays = np.column_stack([RAY_ANGLES, env.rays[0]])
    svg = show.car(road.left, road.right, env.position[0], env.heading[0], rays=rays).svg
    ends = metres(stroked(svg, "amber")[0]).reshape(-1, 2, 2)[:, 1] + (0, 1)
    assert len(ends) == 7
    assert ends[:2, 1] == pytest.approx(-3, abs=0.03), "the first rays look to the right"
    assert ends[3:, 1] == pytest.approx(3, abs=0.03)
    assert ends[:, 0] == pytest.approx(rays[:, 1] * np.cos(0.6 + rays[:, 0]), abs=0.05)


def test_the_trail_is_drawn_as_far_as_it_can_be_seen():
    trail = np.column_stack([np.linspace(-2000, 100, 4201), np.zeros(4201)])
    svg = show.car(LEFT, RIGHT, (100, 0), 0, trail=trail).svg
    (line,) = stroked(svg, "blue", "2")
    seen = metres(line)
    assert seen[:, 0].max() == pytest.approx(0, abs=0.03)
    assert seen[:, 0].min() == pytest.approx(-18, abs=0.5)
    assert len(svg.encode()) < 8_000


def test_off_the_road_there_is_a_star_and_it_is_told():
    inside, outside = (show.car(LEFT, RIGHT, (10, 3.2), 0.3, -0.1, off=off, title="t") for off in (False, True))
    assert "var(--rlk-red)" in outside.svg and "var(--rlk-red)" not in inside.svg
    assert outside.alt == (
        "t. The car has left the road, 3.2 m to the left of its middle; it points 17° to the left of the road; its wheels "
        "are turned 6° to the right"
    )
    assert show.car(LEFT, RIGHT, (0, 0), 0).alt == (
        "The car is on the road, in its middle; it points along the road; its wheels point straight ahead"
    )


def test_the_title_moves_nothing_out_of_the_picture():
    svg = show.car(LEFT, RIGHT, (0, 0), 0, title="step 3").svg
    assert {"step 3", "10 m"} == set(texts(svg))
    body = metres(filled(svg, "blue")[0], title=0.3)
    assert body.mean(axis=0)[1] == pytest.approx(0, abs=0.05)


def test_the_whole_road_shows_where_the_car_is():
    for share in (0.0, 0.5, 1.0):
        k = MARGIN + int(share * ROAD.length)
        svg = show.car(ROAD.left, ROAD.right, ROAD.centre[k], 0).svg
        # markers are placed by <use>: of these there is one, the place of the car
        (x,) = [float(v) for v in re.findall(r'<use [^>]*x="([\d.]+)"', svg)]
        strip = stroked(svg, "line", r"[\d.]+")[-1]
        assert x == pytest.approx(np.interp(k, [0, len(ROAD.left) - 1], [strip[0, 0], strip[-1, 0]]), abs=25)
        assert np.hypot(*(strip - [x, strip[abs(strip[:, 0] - x).argmin(), 1]]).T).min() < 8


def test_a_drive_of_64_pictures_fits_a_page():
    env, frames, trail = Driving(1, [ROAD]), [], []
    env.reset(seed=0)
    for _ in range(64):
        trail.append(env.position[0])
        rays = np.column_stack([RAY_ANGLES, env.rays[0]])
        place = ROAD.centre[len(trail) * 4 + 30]
        frames.append(
            show.car(ROAD.left, ROAD.right, place, 0, 0.1, rays=rays, trail=ROAD.centre, finish=330, title="t")
        )
    assert max(len(frame.svg.encode()) for frame in frames) < 12_000
    assert len(show.animate(frames).html.encode()) < 750_000


def test_drives_say_how_far_each_came():
    trails = {"before": ROAD.centre[30:60], "later": ROAD.centre[30:200] + (0, 0.4), "after": ROAD.centre[30:340]}
    picture = show.drives(ROAD.left, ROAD.right, trails, finish=330, title="One road")
    assert texts(picture.svg) == ["before: 29 m", "later: 169 m", "after: 300 m", "One road"]
    assert picture.alt == "One road. before: 29 m, later: 169 m and after: 300 m."
    assert "after: 309 m" in show.drives(ROAD.left, ROAD.right, trails).alt, "without a finish nothing ends there"


def test_each_drive_has_its_colour_and_ends_in_its_mark():
    trails = {"short": ROAD.centre[30:60], "long": ROAD.centre[30:300]}
    svg = show.drives(ROAD.left, ROAD.right, trails).svg
    short, long = (max(stroked(svg, colour, "2"), key=len) for colour in ("blue", "red"))
    assert np.ptp(long[:, 0]) > 5 * np.ptp(short[:, 0])
    assert svg.index("--rlk-red") < svg.index("--rlk-blue"), "the longer one lies below"
    marks = np.array(re.findall(r'<use [^>]*x="([\d.]+)" y="([\d.]+)"', svg), float)
    for end in (short[-1], long[-1]):
        assert np.hypot(*(marks - end).T).min() < 0.3


@pytest.mark.parametrize("shape", ["car", "drives"])
def test_pictures_are_the_same_every_time_in_the_colours_of_the_page_and_legible(shape):
    def draw():
        if shape == "car":
            rays = np.column_stack([RAY_ANGLES, np.full(7, 5.0)])
            return show.car(ROAD.left, ROAD.right, ROAD.centre[90], 0.1, rays=rays, off=True, finish=90, title="t")
        return show.drives(ROAD.left, ROAD.right, {"a": ROAD.centre}, finish=330, title="t")

    svg = draw().svg
    assert svg == draw().svg
    assert not [light for light, _ in PALETTE.values() if light in svg]
    assert min(font_sizes(svg)) >= 9


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"left": LEFT[:1]}, r"left has shape \(1, 2\), but two cross-sections"),
        ({"left": X}, r"left has shape \(161,\), but \(N, 2\) was expected"),
        ({"right": RIGHT[1:]}, r"right has shape \(160, 2\), but \(161, 2\) was expected"),
        ({"position": (0, np.nan)}, r"position\[1\] is nan"),
        ({"heading": np.inf}, "heading is inf"),
        ({"steering": [0.1]}, r"steering has shape \(1,\)"),
        ({"rays": np.zeros(7)}, r"rays has shape \(7,\), but \(N, 2\)"),
        ({"trail": np.zeros((3, 3))}, r"trail has shape \(3, 3\)"),
        ({"finish": 161}, r"finish is 161.0, but it must lie in \[0, 160\]"),
        ({"finish": -1}, "finish is -1, but a whole number"),
    ],
)
def test_what_is_no_drive_is_refused(change, message):
    given = {"left": LEFT, "right": RIGHT, "position": (0, 0), "heading": 0.0} | change
    with pytest.raises(ValueError, match=message):
        show.car(**given)


def test_no_trails_are_refused():
    with pytest.raises(ValueError, match="trails is empty"):
        show.drives(LEFT, RIGHT, {})
    with pytest.raises(ValueError, match=r"trails\['a'\] is empty"):
        show.drives(LEFT, RIGHT, {"a": np.zeros((0, 2))})
