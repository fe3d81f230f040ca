"""Figures to play with, in three places: live in JupyterLab, in the published page, and on a page without a network.

An explorable has one drawing function and a few parameters. Its page form holds every frame and a few lines of script;
its live form, in a running notebook, calls the function for each position of its controls.
"""

from __future__ import annotations

import hashlib
import html
import itertools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from rlkit.show.picture import STYLE, Picture

MOST_FRAMES = 64
MOST_BYTES = 1_000_000

_PLAYER_STYLE = (
    "<style>.rlk-player{max-width:100%}.rlk-controls{display:flex;flex-wrap:wrap;gap:.4rem 1rem;align-items:center}"
    ".rlk-controls label{display:flex;gap:.5rem;align-items:center;margin:0}"
    ".rlk-controls output{min-width:3em;font-variant-numeric:tabular-nums}"
    ".rlk-controls select,.rlk-controls button{font:inherit;color:inherit;background:transparent;padding:.15rem .6rem;"
    "border:1px solid currentColor;border-radius:.3rem}.rlk-controls option{color:#1f2328;background:#fff}"
    ".rlk-controls input[type=range]{accent-color:#0072b2}</style>"
)

_SCRIPT = """<script>(function(){
var box=document.getElementById("%(id)s");if(!box||box.rlk)return;box.rlk=true;
var inputs=Array.from(box.querySelectorAll("[data-axis]")),frames=box.querySelectorAll(".rlk-frame"),
button=box.querySelector(".rlk-play"),timer=null;
function draw(){var key=inputs.map(function(i){return i.value}).join("-");
frames.forEach(function(f){f.hidden=f.dataset.key!==key});
inputs.forEach(function(i){var o=i.parentNode.querySelector("output");
if(o){o.textContent=JSON.parse(i.dataset.labels)[i.value];i.setAttribute("aria-valuetext",o.textContent)}})}
function stop(){clearInterval(timer);timer=null;button.textContent="▶ play"}
inputs.forEach(function(i){i.addEventListener("input",function(){if(timer)stop();draw()})});
if(button)button.addEventListener("click",function(){if(timer){stop();return}
var s=inputs[inputs.length-1];if(+s.value>=+s.max)s.value=0;draw();button.textContent="❚❚ pause";
timer=setInterval(function(){s.value=+s.value+1;draw();if(+s.value>=+s.max)stop()},%(interval)d)});
draw()})()</script>"""


class Explorable:
    """What :func:`explore` and :func:`animate` return; a notebook shows it live, a page shows its frames.

    Attributes:
        html: the page form: controls, all frames, a script; complete in itself.
    """

    def __init__(
        self,
        draw: Callable[..., Picture],
        axes: Mapping[str, Mapping[str, Any]],
        live: Mapping[str, Mapping[str, Any]] | None,
        begin: Mapping[str, int],
        interval: int,
    ):
        self.draw, self.axes, self.live, self.begin, self.interval = draw, axes, live, begin, interval
        self.html = self._page_form()

    def _page_form(self) -> str:
        count = 1
        for options in self.axes.values():
            count *= len(options)
        if count > MOST_FRAMES:
            raise ValueError(f"{count} frames are too many for a page: at most {MOST_FRAMES}")
        first = tuple(self.begin.get(name, 0) for name in self.axes)
        frames = []
        for place in itertools.product(*(range(len(options)) for options in self.axes.values())):
            chosen = {
                name: list(options.values())[i] for (name, options), i in zip(self.axes.items(), place, strict=True)
            }
            hidden = "" if place == first else " hidden"
            key = "-".join(map(str, place))
            frames.append(f'<div class="rlk-frame rlk" data-key="{key}"{hidden}>{self.draw(**chosen).svg}</div>')
        body = "".join(frames)
        own = "rlk-" + hashlib.sha256(body.encode()).hexdigest()[:12]
        controls = "".join(
            _control(name, options, i, last=k == len(first) - 1)
            for k, ((name, options), i) in enumerate(zip(self.axes.items(), first, strict=True))
        )
        script = _SCRIPT % {"id": own, "interval": self.interval}
        page = (
            f'{STYLE}{_PLAYER_STYLE}<div class="rlk-player" id="{own}"><div class="rlk-controls">{controls}</div>'
            f"{body}</div>{script}"
        )
        if len(page.encode()) > MOST_BYTES:
            raise ValueError(f"{len(page.encode()):,} bytes are too many for a page: at most {MOST_BYTES:,}")
        return page

    def widget(self) -> Any:
        """Return the live form: ipywidgets controls that call the drawing function."""
        import ipywidgets  # only a running notebook needs it

        options = {name: (self.live or {}).get(name, self.axes[name]) for name in self.axes}
        controls = {}
        for name, choices in options.items():
            begin = list(self.axes[name].values())[self.begin.get(name, 0)]
            pairs = list(choices.items())
            value = begin if any(v is begin or v == begin for v in choices.values()) else pairs[0][1]
            kind = ipywidgets.SelectionSlider if _is_slider(choices) else ipywidgets.Dropdown
            controls[name] = kind(options=pairs, value=value, description=name)
        screen = ipywidgets.HTML()

        def draw(_: Any = None) -> None:
            screen.value = self.draw(**{name: c.value for name, c in controls.items()})._repr_html_()

        for control in controls.values():
            control.observe(draw, names="value")
        draw()
        rows = list(controls.values())
        if isinstance(rows[-1], ipywidgets.SelectionSlider) and len(rows[-1].options) > 2:
            play = ipywidgets.Play(value=rows[-1].index, max=len(rows[-1].options) - 1, interval=self.interval)
            ipywidgets.jslink((play, "value"), (rows[-1], "index"))
            rows[-1] = ipywidgets.HBox([rows[-1], play])
        return ipywidgets.VBox([*rows, screen])

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        bundle = {"text/html": self.html, "text/plain": repr(self)}
        if self.live is not None:
            bundle = {**self.widget()._repr_mimebundle_(), **bundle}
        return bundle

    def __repr__(self) -> str:
        return f"<Explorable over {', '.join(self.axes)}>"


def explore(
    draw: Callable[..., Picture],
    *,
    begin: Mapping[str, int] | None = None,
    live: Mapping[str, Any] | None = None,
    **axes: Any,
) -> Explorable:
    """Return a figure with a control for each parameter.

    Args:
        draw: ``draw(**parameters) -> Picture``.
        begin: for each parameter, the index of the value to begin with (default: 0).
        live: for some parameters, finer or more values for the live form.
        axes: for each parameter its values: a sequence gives a slider, a dict {label: value} a menu of presets. A page
            holds the frames of all their combinations.

    Raises:
        ValueError: more than 64 frames, or more than a megabyte of them.
    """
    if not axes or not all(len(options) for options in axes.values()):
        raise ValueError("explore needs at least one parameter, and each parameter at least one value")
    return Explorable(
        draw,
        {name: _labelled(options) for name, options in axes.items()},
        {name: _labelled(options) for name, options in (live or {}).items()},
        begin or {},
        interval=600,
    )


def animate(frames: Sequence[Picture], *, name: str = "step", begin: int = 0, interval: int = 500) -> Explorable:
    """Return a player for pictures that follow each other.

    Args:
        frames: at most 64 pictures.
        name: what is counted.
        begin: the picture to show at first.
        interval: milliseconds for each picture.
    """
    if not frames:
        raise ValueError("frames is empty: there is nothing to play")
    numbers = {str(i): i for i in range(len(frames))}
    return Explorable(lambda **at: frames[at[name]], {name: numbers}, None, {name: begin}, interval)


class _Menu(dict[str, Any]):
    """Presets with names, chosen from a menu and not by a slider."""


def _labelled(options: Any) -> Mapping[str, Any]:
    if isinstance(options, Mapping):
        return _Menu(options)
    return {f"{v:g}" if isinstance(v, float) else str(v): v for v in options}


def _is_slider(options: Mapping[str, Any]) -> bool:
    return not isinstance(options, _Menu)


def _control(name: str, options: Mapping[str, Any], begin: int, last: bool) -> str:
    name = html.escape(name)
    if not _is_slider(options):
        choices = "".join(
            f'<option value="{i}"{" selected" if i == begin else ""}>{html.escape(label)}</option>'
            for i, label in enumerate(options)
        )
        return f'<label>{name} <select data-axis="{name}">{choices}</select></label>'
    labels = html.escape("[" + ",".join(f'"{label}"' for label in options) + "]")
    play = '<button type="button" class="rlk-play">▶ play</button>' if last and len(options) > 2 else ""
    return (
        f'<label>{name} <input type="range" data-axis="{name}" data-labels="{labels}" min="0" max="{len(options) - 1}" '
        f'value="{begin}" autocomplete="off"><output>{html.escape(list(options)[begin])}</output></label>{play}'
    )
