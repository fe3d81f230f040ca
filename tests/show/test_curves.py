"""Curves, beyond one or two of them: told apart, named, and cut off where they diverge."""

import re
import xml.etree.ElementTree as ET

import numpy as np

from rlkit import show


def lines(picture):
    """Return colour and dashes of every curve; the legend's short lines repeat them."""
    found = re.findall(r'style="fill:none;(?:stroke-dasharray:([\d.,]+);[^"]*?)?stroke:var\(--rlk-(\w+)\)', picture.svg)
    return {(colour, dashes) for dashes, colour in found if colour not in ("line", "faint")}


def test_six_curves_differ_and_are_named_below_the_axes():
    series = {f"curve {k}": np.arange(100.0) * k for k in range(6)}
    picture = show.curves(series, xlabel="step", ylabel="return")
    assert len(lines(picture)) == 6
    places = {
        e.text: float(e.get("y")) for e in ET.fromstring(picture.svg).iter() if e.tag.endswith("text") and e.get("y")
    }
    assert all(places[label] > places["step"] for label in series)


def test_ylim_ends_the_axis():
    ticks = lambda **options: {  # noqa: E731
        e.text
        for e in ET.fromstring(show.curves({"a": 2.0 ** np.arange(50)}, xlabel="x", ylabel="y", **options).svg).iter()
    }
    assert "100" in ticks(ylim=(0, 100))
    assert "100" not in ticks()
