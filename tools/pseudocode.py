"""A Sphinx extension: the numbered lines of pseudocode in a docstring stand in the API page as they were typed."""

from __future__ import annotations

from typing import Any


def keep_as_typed(app: Any, what: str, name: str, obj: Any, options: Any, lines: list[str]) -> None:
    """Make each block that starts with ``1. `` a literal block: it is no list, and ``|x|`` in it no substitution."""
    kept: list[str] = []
    inside = False
    for before, line in zip(["", *lines], lines, strict=False):
        if not before and line.startswith("1. "):
            kept += ["::", ""]
            inside = True
        elif not line:
            inside = False
        kept.append(f"    {line}" if inside else line)
    lines[:] = kept


def setup(app: Any) -> dict[str, Any]:
    """Register the extension."""
    app.connect("autodoc-process-docstring", keep_as_typed, priority=400)  # before napoleon's 500
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
