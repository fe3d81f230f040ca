"""Actors and critics as pictures: arrows point uphill, nothing is pushed where it is clipped, bars stand where work was."""

import re

import numpy as np
import pytest

from rlkit import show
from rlkit.show.picture import PALETTE
from tests.show.reading import font_sizes, points, texts

ACTIONS = np.linspace(-2, 2, 41)
HILL = -3 - (ACTIONS - 1) ** 2
DASHED = r"fill:none;stroke-dasharray:4.5,3;stroke-dashoffset:0;stroke:var\(--rlk-ink\)"


def svgs(picture):
    return re.findall(r"<svg.*?</svg>", picture.svg, re.DOTALL)


def paths(svg, style):
    """Return the points of every path whose style begins like this."""
    return [points(d) for d in re.findall(rf'd="([^"]*)"[^>]*style="{style}', svg)]


def line(svg, style):
    """Return the path with the most points; that of the legend has two."""
    return max(paths(svg, style), key=len)


def arrows(svg):
    """Return (where it begins, how long it is) of the arrows below a curve, in points; to the right is positive."""
    found = []
    for colour in ("blue", "red"):
        for p in paths(svg, rf'fill:var\(--rlk-{colour}\)"'):
            tip = p[abs(p[:, 1] - p[:, 1].mean()).argmin(), 0]
            begin = p[:, 0].max() if tip < p[:, 0].mean() else p[:, 0].min()
            found.append((begin, tip - begin))
    return found


def stand(svg):
    """Return the x of the short line below a curve: where the actor is."""
    (mark,) = (p for p in paths(svg, r"fill:none;stroke:var\(--rlk-ink\);stroke-width:1.5") if np.ptp(p[:, 0]) < 0.1)
    return mark[0, 0]


def place(svg, wide, low, high):
    """Return the x of the amber mark on the curve, in units of an axis from ``low`` to ``high``."""
    (x, *_) = re.findall(r'<use [^>]*x="([\d.]+)"[^>]*style="fill:var\(--rlk-amber\)', svg)
    return low + (float(x) - 0.85 * 72) / ((wide - 0.95) * 72) * (high - low)


def critic(at=-0.5, **options):
    return show.action_value(ACTIONS, HILL, at, -2 * (at - 1), **options)


@pytest.mark.parametrize("at", [-2.0, -0.5, 0.9, 1.5, 2.0])
def test_the_arrow_begins_at_the_action_and_points_uphill(at):
    svg = critic(at).svg
    ((begin, length),) = arrows(svg)
    assert begin == pytest.approx(stand(svg), abs=0.1)
    assert np.sign(length) == np.sign(1 - at)
    assert place(svg, 5.2, -2 - 4 / 6, 2 + 4 / 6) == pytest.approx(at, abs=0.01)


def test_the_arrow_is_as_long_as_the_slope_is_large():
    lengths = [arrows(critic(at, top=6).svg)[0][1] for at in (-2.0, -0.5, 2.0)]
    inch = (5.2 - 0.95) * 72 / 8  # the axis shows a sixth more at both ends, and the longest arrow is a sixth
    assert lengths == pytest.approx([inch, inch / 2, -inch / 3], abs=0.3)
    assert arrows(critic(-0.5).svg)[0][1] == pytest.approx(inch, abs=0.3), "alone, it has the longest one"
    assert arrows(critic(1.0).svg) == [], "at the top nothing is pushed"


def test_the_line_through_the_mark_has_the_slope():
    svg = critic(-0.5).svg
    curve = line(svg, r"fill:none;stroke:var\(--rlk-blue\)")
    x = np.interp(np.linspace(0, 1, 41), [0, 1], curve[[0, -1], 0])
    assert curve[:, 0] == pytest.approx(x, abs=0.1)
    up = (HILL[0] - HILL[20]) / (curve[0, 1] - curve[20, 1])  # values in a point downwards
    along = 4 / (curve[-1, 0] - curve[0, 0])
    tangent = max(paths(svg, r"fill:none;stroke:var\(--rlk-amber\)"), key=lambda p: np.ptp(p[:, 0]))
    (dx, dy) = tangent[1] - tangent[0]
    assert dy * up / (dx * along) == pytest.approx(3.0, rel=0.02)


def test_the_exact_curve_is_dashed_and_in_the_legend():
    exact = -2 - (ACTIONS + 1) ** 2
    svg = critic(exact=exact, title="t").svg
    dashed = line(svg, DASHED)
    assert ACTIONS[dashed[:, 1].argmin()] == pytest.approx(-1)
    assert {"the critic", "exact", "the actor's action", "t", "∂Q / ∂a", "+3.00"} <= set(texts(svg))
    assert "exact" not in texts(critic().svg)


def test_a_critic_is_told_in_words():
    exact = -2 - (ACTIONS + 1) ** 2
    assert critic(exact=exact, title="step 3").alt == (
        "step 3. The critic gives the actor's action −0.50 the value −5.25; it likes 1.00 best; in truth −1.00 is best; "
        "the slope +3.00 pushes the action up."
    )
    assert critic(2.0).alt.endswith("the slope −2.00 pushes the action down.")
    assert critic(1.0).alt.endswith("the slope 0.00 pushes the action nowhere.")


RATIOS = [
    (1.0, 1.0, 1.0, 1.0),
    (1.0, 1.3, 1.2, 0.0),
    (1.0, 0.5, 0.5, 1.0),
    (1.0, 1.2, 1.2, 1.0),
    (-1.0, 1.3, -1.3, -1.0),
    (-1.0, 0.5, -0.8, 0.0),
    (-3.0, 1.9, -5.7, -3.0),
]


@pytest.mark.parametrize(("advantage", "ratio", "value", "slope"), RATIOS)
def test_where_the_objective_is_clipped_nothing_pushes(advantage, ratio, value, slope):
    picture = show.ppo_clip(ratio, advantage)
    assert f"is {value:.2f}; its slope {slope:+.2f}".replace("-", "−").replace("+0.00", "0.00") in picture.alt
    found = arrows(picture.svg)
    assert [np.sign(length) for _, length in found] == ([np.sign(slope)] if slope else [])
    assert place(picture.svg, 4.5, -0.3, 2.3) == pytest.approx(ratio, abs=0.01)


@pytest.mark.parametrize(("advantage", "corner"), [(1.0, 1.3), (-2.0, 0.7)])
def test_the_clipped_line_is_flat_beyond_its_corner_and_the_other_goes_on(advantage, corner):
    svg = show.ppo_clip(1.0, advantage, 0.3).svg
    curve, straight = line(svg, r"fill:none;stroke:var\(--rlk-blue\)"), paths(svg, DASHED)
    straight = max(straight, key=lambda p: np.ptp(p[:, 0]))
    low, unit = straight[0], 2 / (straight[1, 0] - straight[0, 0])
    x, y = ((curve - low) * (unit, 2 * advantage / (straight[1, 1] - straight[0, 1]))).T
    assert np.interp([0, corner, 2], x, y) == pytest.approx(
        [0, corner, corner] if advantage > 0 else [corner * advantage, corner * advantage, 2 * advantage], abs=0.03
    )
    assert "1 ± 0.3" in texts(svg)


def test_ppo_is_told_in_words():
    assert show.ppo_clip(1.5, 2.0, 0.1, title="A > 0").alt == (
        "A > 0. An action with advantage +2.00: at the ratio 1.50 the objective, clipped above 1.10, is 2.20; "
        "its slope 0.00 pushes the ratio nowhere."
    )
    assert "clipped below 0.80" in show.ppo_clip(1.0, -1.0).alt


def test_nothing_jumps_in_a_player():
    for frames in (
        [show.ppo_clip(r, 1.0, title="t").svg for r in (0.1, 1.0, 1.9)],
        [critic(at, top=6, title="t").svg for at in (-2.0, 1.0, 2.0)],
    ):
        assert len({re.search(r'viewBox="[^"]*"', svg)[0] for svg in frames}) == 1
        lines = [line(svg, r"fill:none;stroke:var\(--rlk-blue\)") for svg in frames]
        assert np.ptp(lines, axis=0) == pytest.approx(0)


WORK = {"worker 1": [(0, 1), (1, 2.5), (2.5, 4)], "worker 2": [(0.5, 2), (3, 4)]}
STALE = {"worker 1": [0, 12, 1], "worker 2": [1, 0]}


def bars(svg, colour):
    """Return left, right and middle of the bars in this colour, in the order in which they are drawn: float[N, 3]."""
    found = []
    for d in re.findall(rf'd="([^"]*)"[^>]*style="fill:var\(--rlk-{colour}\);fill-opacity:0.35', svg):
        for part in d.split("M")[1:]:
            p = points(part)
            found.append((p[:, 0].min(), p[:, 0].max(), p[:, 1].mean()))
    return np.array(found)


def test_a_bar_stands_where_the_work_was():
    drawn = bars(show.timeline(WORK).svg, "blue")
    second = (drawn[:, 1].max() - drawn[:, 0].min()) / 4
    assert (drawn[:, :2] - drawn[0, 0]) / second == pytest.approx(
        np.array(WORK["worker 1"] + WORK["worker 2"]), abs=0.02
    )
    assert len(set(drawn[:3, 2])) == 1 and drawn[3, 2] > drawn[0, 2], "a row for each, the first above"


def test_what_others_changed_meanwhile_is_red_and_numbered():
    svg = show.timeline(WORK, stale=STALE).svg
    assert len(bars(svg, "blue")) == 2 + 1, "one in the legend"
    red = bars(svg, "red")[:3]
    numbers = re.findall(r'x="([\d.]+)"[^>]*>(12|1)</text>', svg)
    inside = [text for x, text in numbers if (abs(float(x) - red[:, :2].mean(axis=1)) < 1).any()]
    assert inside == ["12", "1", "1"]
    many = {"a": [(k / 100, (k + 1) / 100) for k in range(100)]}
    assert "7" not in texts(show.timeline(many, stale={"a": [7] * 100}).svg), "no room for it"


def test_a_window_shows_what_lies_within_it():
    picture = show.timeline(WORK, xlim=(2.1, 3.5), stale=STALE)
    assert len(bars(picture.svg, "blue")) + len(bars(picture.svg, "red")) == 3 + 2
    assert picture.alt == (
        "Updates, from 2.1 to 3.5 seconds: worker 1 2, 2 of them stale; worker 2 1, 0 of them stale; at most 2 at once."
    )


def test_how_many_are_at_work_at_once_is_told():
    assert (
        show.timeline(WORK, title="Who").alt == "Who, from 0 to 4 seconds: worker 1 3; worker 2 2; at most 2 at once."
    )
    turns = {"a": [(0, 1), (2, 3)], "b": [(1, 2), (3, 4)]}
    assert show.timeline(turns).alt.endswith("at most 1 at once.")
    assert "b 0" in show.timeline({"a": [(0, 1)], "b": []}).alt


RESULTS = {
    "values": {"DQN": {"CartPole": [480.0, 500, 490], "Pendulum": "needs a list of actions"}},
    "actors": {
        "PPO": {"CartPole": [500.0, 500, 500], "Pendulum": [-200.0, -180, -190]},
        "DDPG": {"CartPole": "needs a slope", "Pendulum": [-150.0, -160, -155]},
    },
}


def test_a_panel_for_each_world_and_a_row_for_each_algorithm_of_each_family():
    cart, pendulum = svgs(show.families(RESULTS, xlabel="return", reference={"CartPole": {"solved": 475}}))
    names = ["values", "DQN", "actors", "PPO", "DDPG"]
    for svg, reason, world in ((cart, "needs a slope", "CartPole"), (pendulum, "needs a list of actions", "Pendulum")):
        said = texts(svg)
        assert [text for text in said if text in names] == names
        assert {reason, world, "return"} <= set(said)
    assert "solved" in texts(cart) and "solved" not in texts(pendulum)
    height = {text: float(y) for y, text in re.findall(r' y="([\d.]+)"[^>]*>([^<]*)</text>', pendulum)}
    assert height["needs a list of actions"] == pytest.approx(height["DQN"], abs=2)
    assert re.search(r'<text style="[^"]*fill:var\(--rlk-red\)[^"]*"[^>]*>actors<', cart)
    assert re.search(r'<text style="[^"]*fill:var\(--rlk-faint\)[^"]*"[^>]*>needs a slope<', cart)


def test_a_dot_stands_at_the_mean_in_the_row_of_its_algorithm_and_in_the_colour_of_its_family():
    _, pendulum = svgs(show.families(RESULTS, xlabel="return"))
    dots = re.findall(r'<use [^>]*x="([\d.]+)" y="([\d.]+)"[^>]*style="fill:var\(--rlk-(red|blue)\)', pendulum)
    assert [colour for _, _, colour in dots] == ["red", "red"]
    (ppo, high, _), (ddpg, low, _) = dots
    assert float(ppo) < float(ddpg) and float(high) < float(low)
    spans = paths(pendulum, r"fill:none;stroke:var\(--rlk-red\)")
    unit = (float(ddpg) - float(ppo)) / 35
    half = 4.303 * np.array([10, 5]) / np.sqrt(3)  # Student's t with two degrees of freedom
    assert [np.ptp(s[:, 0]) / unit / 2 for s in spans] == pytest.approx(half, rel=0.03)


def test_a_reference_does_not_run_through_words():
    cart, _ = svgs(show.families(RESULTS, xlabel="return", reference={"CartPole": {"solved": 475}}))
    dotted = paths(cart, r"fill:none;stroke-dasharray:1,[^;]*;stroke-dashoffset:0;stroke:var\(--rlk-ink\)")
    assert len(dotted) == 4, "two families, DQN and PPO"
    height = {text: float(y) for y, text in re.findall(r' y="([\d.]+)"[^>]*>([^<]*)</text>', cart)}
    assert max(p[:, 1].max() for p in dotted) < height["needs a slope"] - 3


def test_families_are_told_in_words():
    cart, pendulum = show.families(RESULTS, xlabel="return", reference={"CartPole": {"solved": 475}}).alt.split(" | ")
    assert cart == "CartPole, return: DQN 490 (465 to 515); PPO 500 (500 to 500); DDPG needs a slope; solved 475."
    assert pendulum == (
        "Pendulum, return: DQN needs a list of actions; PPO −190 (−215 to −165); DDPG −155 (−167 to −143)."
    )


def test_pictures_are_small_the_same_every_time_in_the_colours_of_the_page_and_legible():
    many = {f"worker {w}": [(k + w / 9, k + 1 + w / 9) for k in range(15)] for w in range(4)}
    for draw in (
        lambda: critic(exact=HILL - 1, title="t"),
        lambda: show.ppo_clip(1.1, 1.0, title="t"),
        lambda: show.timeline(many, stale={name: [2] * 15 for name in many}, title="t"),
        lambda: show.families(RESULTS, xlabel="return"),
    ):
        svg = draw().svg
        assert svg == draw().svg
        assert len(svg.encode()) < 12_000
        assert not [light for light, _ in PALETTE.values() if light in svg]
        assert min(font_sizes(svg)) >= 9


CRITIC = {"actions": ACTIONS, "Q": HILL, "at": 0, "slope": 1.0}
CLIP = {"ratio": 1.0, "advantage": 1.0}
ROWS = {"rows": {"a": [(0, 1)]}}
FAMILY = {"results": RESULTS, "xlabel": "return"}


@pytest.mark.parametrize(
    ("draw", "given", "change", "message"),
    [
        (show.action_value, CRITIC, {"actions": ACTIONS[::-1]}, r"actions\[1\] is 1.9, but it must be greater"),
        (show.action_value, CRITIC, {"Q": HILL[1:]}, r"Q has shape \(40,\), but \(41,\)"),
        (show.action_value, CRITIC, {"exact": HILL[1:]}, r"exact has shape \(40,\)"),
        (show.action_value, CRITIC, {"at": 3}, r"at is 3.0, but it must lie in \[-2, 2\]"),
        (show.action_value, CRITIC, {"slope": np.nan}, "slope is nan"),
        (show.action_value, CRITIC, {"top": -1}, "top is -1.0"),
        (show.ppo_clip, CLIP, {"ratio": 2.5}, r"ratio is 2.5, but it must lie in \[0, 2\]"),
        (show.ppo_clip, CLIP, {"advantage": 0}, "advantage is 0, but"),
        (show.ppo_clip, CLIP, {"advantage": np.inf}, "advantage is inf"),
        (show.ppo_clip, CLIP, {"clip": -0.1}, "clip is -0.1"),
        (show.timeline, ROWS, {"rows": {}}, "rows is empty"),
        (show.timeline, ROWS, {"rows": {"a": []}}, "rows have no bars"),
        (show.timeline, ROWS, {"rows": {"a": [1, 2]}}, r"rows\['a'\] has shape \(2,\), but \(N, 2\)"),
        (show.timeline, ROWS, {"rows": {"a": [(0, 1), (2, 1)]}}, r"rows\['a'\]\[1\] goes from 2 to 1"),
        (show.timeline, ROWS, {"stale": {}}, "stale says nothing about a"),
        (show.timeline, ROWS, {"stale": {"a": [1, 2]}}, r"stale\['a'\] has shape \(2,\), but \(1,\)"),
        (show.timeline, ROWS, {"stale": {"a": [0.5]}}, r"stale\['a'\]\[0\] is 0.5, but a whole number"),
        (show.timeline, ROWS, {"xlim": (1, 1)}, "from 1 to 1, but it must end after it begins"),
        (show.families, FAMILY, {"results": {}}, "results is empty"),
        (show.families, FAMILY, {"results": {"f": {"a": {}}}}, "results is empty"),
        (
            show.families,
            FAMILY,
            {"results": {"f": {"a": {"x": "no"}, "b": {"y": "no"}}}},
            "b has results in y, but a in x",
        ),
        (show.families, FAMILY, {"results": {"f": {"a": {"x": [1.0]}}}}, "an interval needs at least two runs"),
    ],
)
def test_what_cannot_be_drawn_is_refused(draw, given, change, message):
    with pytest.raises(ValueError, match=message):
        draw(**(given | change))
