"""A Sphinx extension: small repairs of what Sphinx makes of our docstrings, citations and modules."""

from __future__ import annotations

from typing import Any


def keep_pseudocode(app: Any, what: str, name: str, obj: Any, options: Any, lines: list[str]) -> None:
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


def drop_false_roles(app: Any, page: str, template: str, context: dict[str, Any], doctree: Any) -> None:
    """Let a screen reader take the bibliography as it is: docutils calls it a list, but writes no list items."""
    if 'class="citation-list"' in context.get("body", ""):
        body = context["body"].replace('<div role="list" class="citation-list">', '<div class="citation-list">')
        context["body"] = body.replace(' role="doc-biblioentry"', "")


def drop_modules_without_page(app: Any) -> list[Any]:
    """Keep modules without source, such as ``builtins``, out of viewcode's index, which would link to no page."""
    known = getattr(app.env, "_viewcode_modules", {})
    for name in [name for name, entry in known.items() if not entry]:
        del known[name]
    return []


def setup(app: Any) -> dict[str, Any]:
    """Register the extension."""
    app.connect("autodoc-process-docstring", keep_pseudocode, priority=400)  # before napoleon's 500
    app.connect("html-page-context", drop_false_roles)
    app.connect("html-collect-pages", drop_modules_without_page, priority=400)  # before viewcode's 500
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
