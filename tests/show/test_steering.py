"""A game under the hands of a learner: what the controls say is done, once in every tick, and what was reached is told."""

import re

import pytest

from rlkit import show
from rlkit.show.picture import Picture


class Line:
    """A world for the test: a place on a line, and the end beyond 3."""

    def __init__(self):
        self.resets, self.steps, self.asked = [], [], []

    def reset(self, seed):
        self.resets.append(seed)
        self.at = 0.0
        return self.at

    def step(self, action):
        self.steps.append(action)
        self.at += action
        return self.at, self.at > 3

    def draw(self, state):
        return Picture(f"<svg>at {state:g}</svg>", "a place")

    def rival(self, seed):
        self.asked.append(seed)
        return 40.0 + seed


PAGE = show.animate([Picture("<svg>recorded</svg>", "recorded")] * 3)
BUTTONS = {"stay": 0.0, "walk": 1.0, "jump": 2.0, "fly <far>": 10.0}


def game(controls=("slider", -1.0, 1.0), **options):
    world = Line()
    rivals = {"the policy": world.rival}
    options = {"score": lambda state: 10 * state, "unit": "m", "rivals": rivals, "page": PAGE} | options
    return world, show.steer(world.reset, world.step, world.draw, controls=controls, **options)


def sitting(controls=("slider", -1.0, 1.0), **options):
    world, steered = game(controls, **options)
    return world, steered.cockpit()


def tick(cockpit, times=1):
    for _ in range(times):
        cockpit.clock.value += 1


def test_it_waits_at_the_beginning_and_says_how_to_begin():
    world, cockpit = sitting()
    assert world.resets == [0] and world.steps == []
    assert "<svg>at 0</svg>" in cockpit.screen.value
    assert cockpit.text.value == (
        "<b>you: 0 m</b> · move the slider to begin; once you have clicked it, the arrow keys move it, too"
    )
    assert not cockpit.clock.playing
    tick(cockpit)
    assert world.steps == [], "a tick of a clock that stands still is none"


def test_the_first_touch_starts_it_and_every_tick_is_one_step_with_what_the_slider_says():
    world, cockpit = sitting()
    cockpit.lever.value = 0.5
    assert cockpit.clock.playing and cockpit.start.value and cockpit.start.description == "pause"
    assert world.steps == [], "the clock steps, not the slider"
    tick(cockpit, 2)
    cockpit.lever.value = -0.1
    tick(cockpit)
    assert world.steps == [0.5, 0.5, -0.1]
    assert "<svg>at 0.9</svg>" in cockpit.screen.value
    assert cockpit.text.value == "<b>you: 9 m</b>"


def test_it_pauses_and_goes_on_and_the_slider_does_not_wake_it():
    world, cockpit = sitting()
    cockpit.start.value = True
    tick(cockpit)
    cockpit.start.value = False
    assert not cockpit.clock.playing and cockpit.start.description == "start"
    tick(cockpit)
    cockpit.lever.value = 0.7
    tick(cockpit)
    assert world.steps == [0.0]
    cockpit.start.value = True
    tick(cockpit)
    assert world.steps == [0.0, 0.7]


def test_when_it_is_over_it_stops_and_says_what_the_rival_reached():
    world, cockpit = sitting()
    cockpit.lever.value = 1.0
    tick(cockpit, 3)
    assert world.asked == [], "not before it is over"
    tick(cockpit, 3)
    assert world.steps == [1.0] * 4, "after the end there are no steps"
    assert not cockpit.clock.playing and not cockpit.start.value
    assert cockpit.text.value == "<b>you: 40 m</b> · the policy: 40 m · on the same road"


def test_the_same_place_again_remembers_the_best_and_asks_the_rival_once():
    world, cockpit = sitting(("slider", 0.0, 4.0))
    for action in (3.2, 4.0, 3.6):
        cockpit.again.click()
        assert cockpit.lever.value == 2.0 and not cockpit.clock.playing, "the lever is at rest, and starts nothing"
        cockpit.lever.value = action
        tick(cockpit)
    assert world.resets == [0] * 4 and world.asked == [0]
    assert cockpit.text.value == "<b>you: 36 m</b> · your best before: 40 m · the policy: 40 m · on the same road"


def test_start_after_the_end_begins_anew():
    world, cockpit = sitting(("slider", 0.0, 8.0))
    cockpit.start.value = True
    tick(cockpit)
    assert not cockpit.start.value
    cockpit.start.value = True
    assert world.resets == [0, 0] and cockpit.clock.playing
    tick(cockpit)
    assert world.steps == [4.0, 4.0] and not cockpit.clock.playing


def test_a_new_place_has_the_next_number_and_its_own_best():
    world, cockpit = sitting(("slider", 0.0, 8.0), seed=5, place="moon")
    assert cockpit.new.description == "new moon" and cockpit.again.description == "same moon again"
    cockpit.start.value = True
    tick(cockpit)
    cockpit.new.click()
    assert world.resets == [5, 6]
    assert "<svg>at 0</svg>" in cockpit.screen.value
    cockpit.start.value = True
    tick(cockpit)
    assert world.asked == [5, 6]
    assert cockpit.text.value == "<b>you: 40 m</b> · the policy: 46 m · on the same moon"


def test_buttons_say_the_action_that_is_held():
    world, cockpit = sitting(BUTTONS)
    assert cockpit.lever.value == 0.0
    assert cockpit.text.value.endswith("press a button to begin")
    cockpit.lever.label = "walk"
    tick(cockpit, 2)
    cockpit.lever.label = "stay"
    tick(cockpit)
    assert world.steps == [1.0, 1.0, 0.0]
    cockpit.again.click()
    assert cockpit.lever.label == "stay" and not cockpit.clock.playing


def test_a_typed_key_presses_its_button_and_the_first_one_starts_the_clock():
    world, cockpit = sitting(BUTTONS, keys="swjf")
    assert [label for label, _ in cockpit.lever.options] == ["stay (s)", "walk (w)", "jump (j)", "fly <far> (f)"]
    cockpit.typed.value = "s"
    assert cockpit.clock.playing and cockpit.typed.value == ""
    tick(cockpit)
    for typed in ("w", "x", "sj"):
        cockpit.typed.value = typed
        assert cockpit.typed.value == ""
        tick(cockpit)
    assert world.steps == [0.0, 1.0, 1.0, 2.0], "a key of no button changes nothing, and of two the last one counts"
    cockpit.start.value = False
    cockpit.typed.value = "w"
    assert not cockpit.clock.playing and cockpit.lever.value == 1.0
    cockpit.again.click()
    assert cockpit.lever.value == 0.0 and not cockpit.clock.playing
    row = cockpit.box.children[-1].children
    assert row == (cockpit.lever, cockpit.typed, cockpit.screen)
    assert sitting(BUTTONS)[1].typed is None


def test_without_rivals_and_with_a_negative_score():
    _, cockpit = sitting(BUTTONS, rivals=None, score=lambda state: -7.0, unit="<points>")
    assert cockpit.text.value.startswith("<b>you: −7 &lt;points&gt;</b>")
    cockpit.lever.label = "fly <far>"
    tick(cockpit)
    assert cockpit.text.value == "<b>you: −7 &lt;points&gt;</b>"


def test_a_notebook_gets_the_game_and_a_page_the_recorded_one():
    _, steered = game(interval=90)
    bundle = steered._repr_mimebundle_()
    assert bundle["text/html"] == PAGE.html and "recorded" in PAGE.html
    assert "application/vnd.jupyter.widget-view+json" in bundle
    assert re.fullmatch("<Steered: .*>", bundle["text/plain"])
    cockpit = steered.cockpit()
    assert cockpit.clock.interval == 90
    held = {id(w) for box in (cockpit.box, *cockpit.box.children) for w in getattr(box, "children", ())}
    for name in ("lever", "start", "clock", "again", "new", "screen", "text"):
        assert id(getattr(cockpit, name)) in held, f"{name} must be shown, and the clock be there to tick"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"controls": {}}, "controls is empty"),
        ({"controls": ("knob", 0, 1)}, r"controls is \('knob', 0, 1\), but \('slider', low, high\) or a dict"),
        ({"controls": ("slider", 0)}, "controls is"),
        ({"controls": ("slider", 1, -1)}, "controls goes from 1 to -1, but the first number must be the lower one"),
        ({"controls": BUTTONS, "keys": "swj"}, "keys is 'swj', but a key of its own for each button was expected"),
        ({"controls": BUTTONS, "keys": "swjj"}, "keys is 'swjj'"),
        ({"keys": "ud"}, "keys is 'ud'"),
        ({"interval": 5}, "interval is 5, but a whole number of at least 20"),
        ({"seed": -1}, "seed is -1"),
    ],
)
def test_what_cannot_be_played_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        game(**options)
