"""Pictures: the same bytes every time, valid, described in words, in the page's colours, with every text they were given."""

import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest

from rlkit import show
from rlkit.mdp import TabularMDP, greedy, solve
from rlkit.mdp.worlds import cliff, mitchell, river
from rlkit.show.picture import PALETTE, canvas, in_style


def texts(picture):
    return [e.text for e in ET.fromstring(picture.svg).iter() if e.tag.endswith("text") and e.text]


def six():
    world = mitchell()
    return world, solve(world)


def test_the_same_drawing_gives_the_same_bytes():
    world, best = six()
    draw = lambda: show.values(world, best.V, greedy(best.Q), title="V*")._repr_html_()  # noqa: E731
    assert draw() == draw()


def test_values_are_written_into_their_cells():
    world, best = six()
    assert sorted(texts(show.values(world, best.V))) == sorted(["90", "100", "G", "81", "90", "100"])


def test_text_is_never_shortened():
    world, best = six()
    title = "V(S) = 0.054597: from 12.3456 to 7.891; done"
    assert title in texts(show.values(world, best.V, title=title))


def test_a_picture_is_described_in_words():
    world, best = six()
    picture = show.values(world, best.V, greedy(best.Q))
    assert "81 up or right" in picture.alt
    assert "row 1: 90 right, 100 right, G" in picture.alt
    svg = ET.fromstring(picture.svg)
    assert svg.get("role") == "img"
    assert svg.get("aria-label") == picture.alt


def test_a_description_is_demanded():
    with pytest.raises(ValueError, match="alt is empty"):
        show.picture(canvas()[0], alt=" ")


def test_colours_are_variables_of_the_page():
    world, best = six()
    svg = show.values(world, best.V, greedy(best.Q), title="V*").svg
    assert "var(--rlk-blue)" in svg
    assert not [light for light, _ in PALETTE.values() if light in svg]
    assert "#000000" not in svg


@pytest.mark.parametrize("name", PALETTE)
def test_the_palette_can_be_read_on_light_and_dark_pages(name):
    # WCAG 2: text and thin lines need a contrast of 3 as large text and graphics; "line" is decoration.
    def luminance(colour):
        channel = np.array([int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)])
        linear = np.where(channel <= 0.04045, channel / 12.92, ((channel + 0.055) / 1.055) ** 2.4)
        return linear @ [0.2126, 0.7152, 0.0722]

    if name == "line":
        return
    for colour, page in zip(PALETTE[name], ("#ffffff", "#121212"), strict=True):
        high, low = sorted((luminance(colour), luminance(page)), reverse=True)
        assert (high + 0.05) / (low + 0.05) >= 4.5, f"{name} on {page}"


def test_negative_values_are_red_and_zero_has_no_colour():
    world = river("time")
    V = np.zeros(world.n_states)
    assert not re.search(r"fill-opacity:0\.[1-9]", show.values(world, V).svg)
    assert "fill:var(--rlk-red);fill-opacity:0.55" in show.values(world, V - 3).svg


def test_action_values_leave_out_what_does_not_exist():
    world, best = six()
    drawn = texts(show.action_values(world, best.Q, digits=1))
    assert len([t for t in drawn if t != "G"]) == world.available[~world.terminal].sum() == 12
    assert "72.9" in drawn


def test_a_policy_row_of_zeros_draws_no_arrow():
    world, best = six()
    pi = greedy(best.Q)
    arrows = lambda p: p.svg.count('style="fill:var(--rlk-ink)"')  # noqa: E731
    everywhere = arrows(show.grid(world, policy=pi))
    pi[0] = 0
    assert arrows(show.grid(world, policy=pi)) == everywhere - 1


def test_a_picture_of_a_large_world_and_a_path_can_be_drawn():
    world = cliff()
    path = [world.state((3, 0)), world.state((2, 0)), world.state((2, 1))]
    assert "<path" in show.grid(world, path=path, at=path[-1], title="a walk").svg


def test_wrong_values_are_refused():
    world, _ = six()
    with pytest.raises(ValueError, match=r"V has shape \(5,\)"):
        show.values(world, np.zeros(5))


def test_curves_show_mean_and_interval():
    runs = np.array([[0.0, 1.0, 2.0], [2.0, 3.0, 4.0], [1.0, 2.0, 3.0]])
    picture = show.curves({"learned": runs, "exact": [1, 2, 3]}, xlabel="step", ylabel="return", reference={"best": 3})
    assert picture.alt == "return against step: learned from 1 to 3 and exact from 1 to 3."
    assert {"learned", "exact", "best", "step", "return"} <= set(texts(picture))
    band = re.findall(r"fill-opacity:0.2", picture.svg)
    assert len(band) == 1, "an interval for the runs, none for what is exact"


def test_side_by_side_keeps_every_picture_and_its_words():
    world, best = six()
    a, b = show.values(world, best.V, title="a"), show.values(world, best.V, title="b")
    both = show.side_by_side(a, b)
    assert both.svg.count("<svg") == 2
    assert a.alt in both.alt and b.alt in both.alt


def test_drawing_does_not_touch_the_readers_settings():
    import matplotlib as mpl

    before = dict(mpl.rcParams)
    show.agent_environment_loop()
    in_style(lambda: canvas())()
    assert dict(mpl.rcParams) == before


def test_only_grids_can_be_drawn():
    world, best = six()
    plain = TabularMDP(world.P, world.R, 0.9, available=world.available)
    with pytest.raises(ValueError, match="a GridWorld can be drawn"):
        show.values(plain, best.V)


def test_a_text_in_an_exit_is_shown_beside_its_mark():
    world, _ = six()
    drawn = texts(show.grid(world, text=["", "", "guard", "", "", ""]))
    assert "guard" in drawn and "G" in drawn


def test_an_update_is_framed_and_pointed_at():
    world, best = six()
    plain = show.action_values(world, best.Q, best=False)
    shown = show.action_values(world, best.Q, best=False, changed=(4, 0), looked=1)
    assert shown.svg.count(PALETTE["red"][0]) + shown.svg.count("--rlk-red") > plain.svg.count("--rlk-red")
    assert "just written: (1, 1) up" in shown.alt
    assert "just written" not in plain.alt


def test_intervals_show_the_mean_of_every_kind():
    rows = {"one": {"steps": [1.0, 3.0], "updates": [10.0, 30.0]}, "two": {"steps": [4.0, 6.0], "updates": [7.0, 7.0]}}
    drawn = show.intervals(rows, xlabel="cost", title="T", log=True)
    assert {"one", "two", "steps", "updates", "cost", "T"} <= set(texts(drawn))
    assert drawn.alt == "T: one: steps 2, one: updates 20, two: steps 5 and two: updates 7."
    with pytest.raises(ValueError, match="at least two runs"):
        show.intervals({"one": {"steps": [1.0]}}, xlabel="cost")
