"""Explorables: every frame is in the page, both forms draw the same, and what is too large is refused."""

import re
from itertools import islice

import numpy as np
import pytest

from rlkit import show
from rlkit.mdp import value_iteration
from rlkit.mdp.worlds import mitchell, river

GAMMAS, SWEEPS, PAYS = [0.5, 0.9], [0, 1, 5], {"time": "time", "delayed": "delayed"}


def draw(pays, gamma, sweep):
    world = river(pays, gamma=gamma)
    V = np.zeros(world.n_states)
    for swept in islice(value_iteration(world), sweep):
        V = swept
    return show.values(world, V, title=f"{pays} {gamma} {sweep}", digits=1)


@pytest.fixture(scope="module")
def figure():
    return show.explore(draw, pays=PAYS, gamma=GAMMAS, sweep=SWEEPS, live={"gamma": [0.4, 0.5, 0.6, 0.9]})


def frames(html):
    return {m[1]: (m[3], bool(m[2])) for m in re.finditer(r'data-key="([\d-]+)"( hidden)?>(<svg.*?</svg>)', html, re.S)}


def controls(figure):
    """The live form: menu, slider, (slider, play button), screen."""
    pays, gamma, last, screen = figure.widget().children
    return pays, gamma, last.children, screen


def test_the_page_holds_every_frame_and_shows_one(figure):
    held = frames(figure.html)
    assert len(held) == 12
    assert [key for key, (_, hidden) in held.items() if not hidden] == ["0-0-0"]
    for i, pays in enumerate(PAYS):
        for j, gamma in enumerate(GAMMAS):
            for k, sweep in enumerate(SWEEPS):
                assert held[f"{i}-{j}-{k}"][0] == draw(pays, gamma, sweep).svg


def test_both_forms_draw_the_same_at_the_presets(figure):
    held = frames(figure.html)
    pays, gamma, (sweep, _), screen = controls(figure)
    for i, a in enumerate(PAYS.values()):
        for j, b in enumerate(GAMMAS):
            for k, c in enumerate(SWEEPS):
                pays.value, gamma.value, sweep.value = a, b, c
                assert held[f"{i}-{j}-{k}"][0] in screen.value


def test_the_live_form_goes_finer(figure):
    _, gamma, _, screen = controls(figure)
    gamma.value = 0.6
    assert "0.6" in screen.value
    assert [value for _, value in gamma.options] == [0.4, 0.5, 0.6, 0.9]


def test_a_notebook_gets_both_forms_and_a_page_one(figure):
    bundle = figure._repr_mimebundle_()
    assert bundle["text/html"] == figure.html
    assert "application/vnd.jupyter.widget-view+json" in bundle


def test_the_page_form_is_the_same_every_time(figure):
    again = show.explore(draw, pays=PAYS, gamma=GAMMAS, sweep=SWEEPS)
    assert again.html == figure.html


def test_it_begins_where_it_is_told():
    begun = show.explore(draw, begin={"gamma": 1, "sweep": 2}, pays=PAYS, gamma=GAMMAS, sweep=SWEEPS)
    assert [key for key, (_, hidden) in frames(begun.html).items() if not hidden] == ["0-1-2"]
    _, gamma, (sweep, play), _ = controls(begun)
    assert play.value == 2
    assert (gamma.value, sweep.value) == (0.9, 5)


def test_presets_are_a_menu_and_values_a_slider(figure):
    assert figure.html.count("<select") == 1
    assert figure.html.count('type="range"') == 2
    assert figure.html.count("rlk-play") >= 1


def test_labels_are_escaped():
    world = mitchell()
    html = show.explore(lambda k: show.values(world, np.zeros(6)), k={'<b>"&': 1, "b": 2}).html
    assert "<b>" not in html


def test_too_much_is_refused():
    with pytest.raises(ValueError, match="65 frames"):
        show.animate([draw("time", 0.9, 1)] * 65)
    wide = show.side_by_side(*[draw("time", 0.9, 3)] * 40)
    with pytest.raises(ValueError, match="bytes are too many"):
        show.animate([wide] * 60)


@pytest.mark.parametrize("axes", [{}, {"gamma": []}])
def test_nothing_to_explore_is_refused(axes):
    with pytest.raises(ValueError, match="at least one"):
        show.explore(draw, **axes)


def test_nothing_to_play_is_refused():
    with pytest.raises(ValueError, match="frames is empty"):
        show.animate([])
