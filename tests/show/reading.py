"""What a picture says, read from its SVG."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

import numpy as np


def texts(svg: str) -> list[str]:
    """Return every text of an ``<svg>`` element, in order."""
    return [e.text for e in ET.fromstring(svg).iter() if e.tag.endswith("text") and e.text]


def points(d: str) -> np.ndarray:
    """Return the points of a path made of straight lines, from its attribute d: float[N, 2]."""
    return np.array(re.findall(r"[\d.]+", d), float).reshape(-1, 2)


def font_sizes(svg: str) -> list[float]:
    """Return the size of every text, in points."""
    return [float(size) for size in re.findall(r"font-size:([\d.]+)", svg)]
