"""Play it yourself: a world under the hands of a learner, against what a policy reached in the same place."""

from __future__ import annotations

import html
from collections.abc import Callable, Mapping
from typing import Any, Literal

from rlkit.core.checks import brief, real_array, whole_number
from rlkit.show.picture import Picture
from rlkit.show.player import Explorable

TICKS = 1_000_000
"""The most steps of one sitting: a day and a half."""


class Steered:
    """What :func:`steer` returns: in a running notebook a game to play, in a page a recorded one.

    Attributes:
        html: the page form.
    """

    def __init__(self, page: Explorable, cockpit: Callable[[], Cockpit]):
        self.html, self.cockpit = page.html, cockpit

    def widget(self) -> Any:
        """Return the live form, made of ipywidgets."""
        return self.cockpit().box

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        return {**self.widget()._repr_mimebundle_(), "text/html": self.html, "text/plain": repr(self)}

    def __repr__(self) -> str:
        return "<Steered: a game to play in JupyterLab>"


class Cockpit:
    """The live form of a game: its controls, what they do, and how the game stands.

    Attributes:
        lever: a slider, or buttons of which one is pressed: what says the action.
        typed: a box for keys that press the buttons, or None. JupyterLab takes every key for itself, but for what is typed
            into a box.
        start: the button that starts and pauses the clock.
        clock: counts while it is playing; every count is a step of the world.
        again, new: the buttons that begin anew, in the same place and in the next one.
        screen, text: the picture, and what has been reached.
        box: all of them.
    """

    def __init__(
        self,
        reset: Callable[[int], Any],
        step: Callable[[Any], tuple[Any, bool]],
        draw: Callable[[Any], Picture],
        controls: tuple[str, float, float] | Mapping[str, Any],
        keys: str,
        score: Callable[[Any], float],
        unit: str,
        rivals: Mapping[str, Callable[[int], float]],
        place: str,
        seed: int,
        interval: int,
    ):
        import ipywidgets  # only a running notebook needs it

        self._reset, self._step, self._draw, self._score = reset, step, draw, score
        self._unit, self._rivals, self._place, self._seed = unit, rivals, place, seed
        self._best: dict[int, float] = {}  # by seed
        self._theirs: dict[int, str] = {}
        self._keys = keys
        self.typed: Any = None
        if isinstance(controls, Mapping):
            labels = [f"{label} ({key})" for label, key in zip(controls, keys, strict=True)] if keys else list(controls)
            options = list(zip(labels, controls.values(), strict=True))
            self.lever = ipywidgets.ToggleButtons(options=options, style={"button_width": "auto"})
            self._rest: dict[str, Any] = {"index": 0}
            self._how = "press a button to begin"
            if keys:
                self.typed = ipywidgets.Text(placeholder=f"for the keys {' '.join(keys)}, click here")
                self.typed.observe(self._type, names="value")
        else:
            low, high = (float(end) for end in controls[1:])
            size = {"height": "260px", "width": "3em"}
            self.lever = ipywidgets.FloatSlider(min=low, max=high, step=(high - low) / 20, readout=False, layout=size)
            self.lever.orientation = "vertical"
            self._rest = {"value": (low + high) / 2}
            self._how = "move the slider to begin; once you have clicked it, the arrow keys move it, too"
        self.start = ipywidgets.ToggleButton(description="start", icon="play", button_style="primary")
        self.clock = ipywidgets.Play(max=TICKS, interval=interval, layout={"display": "none"})
        self.again = ipywidgets.Button(description=f"same {place} again", icon="repeat", layout={"width": "auto"})
        self.new = ipywidgets.Button(description=f"new {place}", icon="forward")
        self.screen, self.text = ipywidgets.HTML(), ipywidgets.HTML()
        self.lever.observe(self._touch, names="value")
        self.start.observe(self._toggle, names="value")
        self.clock.observe(self._tick, names="value")
        self.again.on_click(lambda _: self._begin(self._seed))
        self.new.on_click(lambda _: self._begin(self._seed + 1))
        buttons = ipywidgets.HBox([self.start, self.again, self.new, self.clock])
        row = ipywidgets.VBox if isinstance(controls, Mapping) else ipywidgets.HBox
        levers = [self.lever] if self.typed is None else [self.lever, self.typed]
        self.box = ipywidgets.VBox([buttons, self.text, row([*levers, self.screen])])
        self._begin(seed)

    def _begin(self, seed: int) -> None:
        self.start.value = False
        self._seed, self._over, self._waiting = seed, False, False
        for name, value in self._rest.items():
            setattr(self.lever, name, value)
        self._waiting = True
        self._show(self._reset(seed))

    def _touch(self, _: Any) -> None:
        """Start with the first touch of the lever: whoever has to press a button first comes too late to the first bend."""
        if self._waiting:
            self.start.value = True

    def _type(self, change: Any) -> None:
        if not change["new"]:
            return
        key = change["new"][-1]
        self.typed.value = ""  # so that the next key is all there is, wherever the cursor stands
        if key in self._keys:
            self.lever.index = self._keys.index(key)
            self._touch(change)

    def _toggle(self, change: Any) -> None:
        running = change["new"]
        if running and self._over:
            self._begin(self._seed)
            self.start.value = True
            return
        self.start.description, self.start.icon = ("pause", "pause") if running else ("start", "play")
        self.clock.playing = running
        self._waiting = self._waiting and not running

    def _tick(self, _: Any) -> None:
        if not self.start.value:  # a count that was under way when the clock was stopped
            return
        state, self._over = self._step(self.lever.value)
        self._show(state)
        if self._over:
            self.start.value = False

    def _show(self, state: Any) -> None:
        self.screen.value = self._draw(state)._repr_html_()
        mine = self._score(state)
        told = [f"<b>you: {self._told(mine)}</b>"]
        if self._waiting:
            told.append(self._how)
        if self._over:
            seed = self._seed
            if seed in self._best:
                told.append(f"your best before: {self._told(self._best[seed])}")
            self._best[seed] = max(mine, self._best.get(seed, mine))
            if seed not in self._theirs:
                theirs = [f"{html.escape(name)}: {self._told(rival(seed))}" for name, rival in self._rivals.items()]
                self._theirs[seed] = " · ".join(theirs)
            told += [self._theirs[seed], f"on the same {self._place}"] if self._rivals else []
        self.text.value = " · ".join(told)

    def _told(self, score: float) -> str:
        return f"{score:.0f} {html.escape(self._unit)}".replace("-", "−").strip()


def steer(
    reset: Callable[[int], Any],
    step: Callable[[Any], tuple[Any, bool]],
    draw: Callable[[Any], Picture],
    *,
    controls: tuple[Literal["slider"], float, float] | Mapping[str, Any],
    keys: str = "",
    page: Explorable,
    score: Callable[[Any], float],
    unit: str = "",
    rivals: Mapping[str, Callable[[int], float]] | None = None,
    place: str = "road",
    seed: int = 0,
    interval: int = 120,
) -> Steered:
    """Return a game that a learner plays in JupyterLab, while a page without a kernel shows a recorded one.

    The first touch of the controls starts a clock. It steps the world once in every interval, with the action that the
    controls say at that moment. When the game is over, what the rivals reached in the same place is told.

    Args:
        reset: ``reset(seed) -> state``: begins the game in the place with this number.
        step: ``step(action) -> (state, over)``.
        draw: ``draw(state) -> Picture``; it should take less than half an interval.
        controls: ("slider", low, high) for an action that is a number, low at the bottom of an upright slider; or
            {label: action} for a button each, which stays pressed, the first from the beginning, until another one is.
        keys: a letter for each button, such as "sawd": typed into a box, it presses the button.
        page: what the page shows instead, made by :func:`animate`.
        score: ``score(state) -> float``, what has been reached so far.
        unit: of the score.
        rivals: by name, ``rival(seed) -> float``: the score of a policy in the place with this number. It is called when a
            game there is over for the first time.
        place: what a number is: a road, a moon.
        seed: the number of the first place; a new one has the next number.
        interval: milliseconds from step to step.

    Raises:
        ValueError: controls of another kind, keys that are not one for each button, an interval below 20, or a negative
            seed.
    """
    if isinstance(controls, Mapping):
        if not controls:
            raise ValueError("controls is empty: there is nothing to press")
    elif not isinstance(controls, tuple) or len(controls) != 3 or controls[0] != "slider":
        raise ValueError(f"controls is {brief(controls)}, but ('slider', low, high) or a dict of actions was expected")
    else:
        low, high = real_array("controls", controls[1:], (2,))
        if low >= high:
            raise ValueError(f"controls goes from {low:g} to {high:g}, but the first number must be the lower one")
    if keys and not (isinstance(controls, Mapping) and len(set(keys)) == len(keys) == len(controls)):
        raise ValueError(f"keys is {brief(keys)}, but a key of its own for each button was expected")
    interval, seed = whole_number("interval", interval, 20), whole_number("seed", seed, 0)
    return Steered(
        page,
        lambda: Cockpit(reset, step, draw, controls, keys, score, unit, rivals or {}, place, seed, interval),
    )
