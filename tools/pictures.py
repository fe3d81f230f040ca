"""Are two outputs of a cell the same to the eye? Then the old bytes stay, and a re-run changes no file in vain."""

from __future__ import annotations

import base64
import io
import re
from typing import Any

import numpy as np
from nbval.plugin import get_sanitize_patterns
from PIL import Image

from tools.provenance import ROOT

SVG = re.compile(r"<svg[\s\S]*?</svg>")
INLINE_PNG = re.compile(r"data:image/png;base64,([A-Za-z0-9+/=]+)")
HASHED_ID = re.compile(r"\b[a-z-]*[0-9a-f]{8,}\b")
NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:e[-+]?\d+)?")
PIXEL_TOLERANCE = 8  # of 255
COORDINATE_TOLERANCE = 1e-3  # of the number, or of one unit where that is more
SANITIZERS = ROOT / "tests" / "nbval_sanitize.cfg"


def sanitize(text: str) -> str:
    """Return the text as nbval compares it."""
    for pattern, replacement in get_sanitize_patterns(SANITIZERS.read_text("utf-8")):
        text = re.sub(pattern, replacement, text)
    return text


def same_png(old: str, new: str) -> bool:
    """Say whether two PNGs, in base64, differ by less than an eye sees."""
    a, b = (np.asarray(Image.open(io.BytesIO(base64.b64decode(png))).convert("RGBA"), dtype=int) for png in (old, new))
    return a.shape == b.shape and bool(abs(a - b).max(initial=0) <= PIXEL_TOLERANCE)


def same_svg(old: str, new: str) -> bool:
    """Say whether two SVGs have the same text and, within tags, the same numbers up to a thousandth."""
    return _parts(old) == _parts(new) and all(
        len(a) == len(b) and np.allclose(a, b, rtol=COORDINATE_TOLERANCE, atol=COORDINATE_TOLERANCE)
        for a, b in zip(_numbers(old), _numbers(new), strict=True)
    )


def _tags(svg: str) -> list[str]:
    return re.findall(r"<[^>]*>", HASHED_ID.sub("ID", svg))


def _parts(svg: str) -> list[str]:
    """Return everything but the numbers within tags: the numbers between tags are words that a reader reads."""
    words = re.split(r"<[^>]*>", HASHED_ID.sub("ID", svg))
    return words + [NUMBER.sub("#", tag) for tag in _tags(svg)]


def _numbers(svg: str) -> list[np.ndarray]:
    return [np.array(NUMBER.findall(tag), dtype=float) for tag in _tags(svg)]


def same_output(old: Any, new: Any) -> bool:
    """Say whether two outputs of a cell are equal for nbval and look the same."""
    if old.output_type != new.output_type or old.get("name") != new.get("name"):
        return False
    if old.output_type == "stream":
        return sanitize(old.text) == sanitize(new.text)
    if old.output_type == "error" or old.data.keys() != new.data.keys() or old.metadata != new.metadata:
        return False
    return all(_same_data(kind, old.data[kind], new.data[kind]) for kind in old.data)


def _same_data(kind: str, old: Any, new: Any) -> bool:
    if old == new or not (isinstance(old, str) and isinstance(new, str)):
        return bool(old == new)
    if kind == "image/png":
        return same_png(old, new)
    if sanitize(old) != sanitize(new):
        return False
    pairs = [
        (SVG.findall(old), SVG.findall(new), same_svg),
        (INLINE_PNG.findall(old), INLINE_PNG.findall(new), same_png),
    ]
    return all(len(a) == len(b) and all(map(same, a, b)) for a, b, same in pairs)
