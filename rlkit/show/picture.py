"""From a matplotlib figure to a picture that follows the page: light or dark, wide or narrow, with a text alternative.

A picture is inline SVG. Its colours are CSS variables, so that one drawing serves light and dark pages; its text is text,
in a font of the page; it shrinks with the column.
"""

from __future__ import annotations

import hashlib
import html
import io
import re
from collections.abc import Sequence
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

# One palette for light and dark pages, after Okabe and Ito's colours, which colour-blind readers tell apart.
# name: (in the figure and on a light page, on a dark page)
PALETTE = {
    "ink": ("#1f2328", "#e6edf3"),
    "faint": ("#6e7781", "#9aa4af"),
    "line": ("#c9d1d9", "#444c56"),
    "blue": ("#0072b2", "#56b4e9"),
    "red": ("#bc4b00", "#ff8b4d"),
    "green": ("#007f5f", "#2fc79b"),
    "purple": ("#a8488a", "#e08fc0"),
    "amber": ("#9a6700", "#e6b030"),
}
INK, FAINT, LINE, BLUE, RED, GREEN, PURPLE, AMBER = (light for light, _ in PALETTE.values())
SERIES = (BLUE, RED, GREEN, PURPLE, AMBER)
"""Colours of curves, in the order in which they are used."""


def _variables(column: int) -> str:
    return "".join(f"--rlk-{name}:{colours[column]};" for name, colours in PALETTE.items())


STYLE = (
    "<style>"
    f".rlk{{{_variables(0)}}}"
    f"html[data-theme=dark] .rlk,[data-jp-theme-light=false] .rlk{{{_variables(1)}}}"
    ".rlk{display:flex;flex-wrap:wrap;gap:.5rem 1.5rem;align-items:flex-start;margin:.5rem 0}"
    ".rlk[hidden]{display:none}"
    ".rlk text{fill:var(--rlk-ink);font-family:system-ui,sans-serif}"
    ".rlk svg{max-width:100%;height:auto;flex:0 1 auto;overflow:visible}"
    "</style>"
)

RC = {
    "svg.fonttype": "none",
    "svg.hashsalt": "rlkit",
    "font.size": 11,
    "axes.titlesize": 12,
    "axes.labelsize": 11,
    "axes.edgecolor": FAINT,
    "axes.labelcolor": INK,
    "axes.titlecolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "text.color": INK,
    "xtick.color": FAINT,
    "ytick.color": FAINT,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "grid.color": LINE,
    "legend.frameon": False,
    "legend.labelcolor": INK,
    "lines.linewidth": 2,
    "axes.unicode_minus": True,
}


in_style = mpl.rc_context(RC)
"""Decorates a function that draws: matplotlib reads its defaults when a text or a line is made."""


class Picture:
    """A finished picture.

    Attributes:
        svg: the ``<svg>`` element, self-contained and the same for the same drawing.
        alt: what it shows, in words, for readers who cannot see it.
    """

    def __init__(self, svg: str, alt: str):
        self.svg, self.alt = svg, alt

    def _repr_html_(self) -> str:
        return f'{STYLE}<div class="rlk">{self.svg}</div>'

    def __repr__(self) -> str:
        return f"<Picture: {self.alt}>"


def side_by_side(*pictures: Picture) -> Picture:
    """Return pictures beside each other. Where the page is narrow they shrink a little, and then stand below each other."""

    def flexible(width: re.Match[str]) -> str:
        return f'{width[0]} style="flex:1 1 {0.7 * int(width[1]):.0f}px;min-width:0;max-width:min(100%,{width[1]}px)"'

    row = [re.sub(r'width="(\d+)"', flexible, p.svg, count=1) for p in pictures]
    return Picture("".join(row), " | ".join(p.alt for p in pictures))


def canvas(width: float = 5.2, height: float = 3.2) -> tuple[Figure, Axes]:
    """Return a figure of the given size in inches, and its axes, in the book's style.

    Drawing functions, which are decorated with :data:`in_style`, use it instead of pyplot, which keeps every figure.
    """
    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, figure.add_subplot()


@in_style
def picture(figure: Figure, alt: str) -> Picture:
    """Return a matplotlib figure as a :class:`Picture`.

    Args:
        figure: drawn in the colours of PALETTE wherever it should follow the page.
        alt: what it shows, in words.
    """
    if not alt.strip():
        raise ValueError("alt is empty: say in words what the figure shows")
    file = io.StringIO()
    nothing: dict[str, Any] = dict.fromkeys(("Date", "Creator", "Format", "Type"))
    figure.savefig(file, format="svg", transparent=True, metadata=nothing)
    return Picture(_tidy(file.getvalue(), alt), alt)


def _tidy(svg: str, alt: str) -> str:
    """Make matplotlib's SVG file an element of a page: no header, page colours, the page's font, ids of its own."""
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>|<!--.*?-->", "", svg, flags=re.DOTALL)
    svg = re.sub(r'<style type="text/css">.*?</style>', "", svg, flags=re.DOTALL)
    used = set(re.findall(r'(?:url\(#|href="#)([^")]+)', svg))
    svg = re.sub(r' id="([^"]+)"', lambda m: m[0] if m[1] in used else "", svg)
    for name, (light, _) in PALETTE.items():
        svg = svg.replace(light, f"var(--rlk-{name})")
    # Most of the rest is spelling, and a player holds sixty pictures: say nothing twice, and round to a tenth of a point.
    svg = re.sub(r'(?<=style=")[^"]*', _short_style, svg)
    svg = re.sub(r'(<text style="[^"]*?);?fill:var\(--rlk-ink\)', r"\1", svg)
    svg = re.sub(r'(?<= [dxy]=")[^"]*', _short_numbers, svg)
    svg = re.sub(r"\s*\n\s*", "\n", svg).replace("<defs>\n</defs>\n", "")
    svg = re.sub(r' transform="rotate\(-?0 [^"]*\)"', "", svg)
    while (shorter := re.sub(r"<g>\n(<[^g/][^<]*?/>\n|<text[^<]*</text>\n)</g>\n", r"\1", svg)) != svg:
        svg = shorter
    width, height = re.findall(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', svg)[0]
    own = "r" + hashlib.sha256(svg.encode()).hexdigest()[:8]
    for name in used:
        svg = svg.replace(f'id="{name}"', f'id="{own}{name}"').replace(f"#{name}", f"#{own}{name}")
    opening = (
        f'<svg role="img" aria-label="{html.escape(alt)}" viewBox="0 0 {width} {height}" '
        f'width="{float(width) * 4 / 3:.0f}" height="{float(height) * 4 / 3:.0f}" '
        'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink">'
    )
    return opening + svg[svg.index(">") + 1 :].strip()


def _short_style(style: re.Match[str]) -> str:
    unsaid = ("font-family", "stroke-linejoin: miter", "text-anchor: start")  # by the style sheet, or by default
    kept = [part for part in re.split(r";\s*", style[0]) if part and not part.startswith(unsaid)]
    return ";".join(part.replace(": ", ":") for part in kept)


def _short_numbers(numbers: re.Match[str]) -> str:
    rounded = re.sub(r"\d+\.\d+", lambda n: f"{float(n[0]):.1f}".removesuffix(".0"), numbers[0])
    return re.sub(r"\s*([A-Za-z])\s*", r"\1", rounded)


def words(values: Sequence[str]) -> str:
    """Return a list as words: ``a, b and c``."""
    return " and ".join(filter(None, [", ".join(values[:-1]), *values[-1:]]))
