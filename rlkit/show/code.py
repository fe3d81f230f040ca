"""Listings of the package's own source, so that no chapter ever copies it."""

from __future__ import annotations

import ast
import difflib
import inspect
import re
import textwrap
from collections.abc import Callable
from typing import Any

WIDTH = 78
"""Characters that fit on a page."""


class Listing:
    """Source code for display, highlighted by whatever shows it.

    Attributes:
        text: the lines.
        language: "python" or "diff".
        shows: the qualified names of the functions; a notebook keeps them, so that it is known to be out of date when one
            of them changes.
    """

    def __init__(self, text: str, language: str, shows: list[str]):
        self.text, self.language, self.shows = text, language, shows

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> tuple[dict[str, str], dict[str, Any]]:
        data = {"text/markdown": f"```{self.language}\n{self.text}\n```", "text/plain": self.text}
        return data, {"rlkit_shows": self.shows}


def source(function: Callable[..., Any]) -> Listing:
    """Return the source of a function or class, with the first line of its docstring."""
    return Listing(_code(function), "python", [_name(function)])


def diff(old: Callable[..., Any], new: Callable[..., Any]) -> Listing:
    """Return the difference of two functions, line by line: what goes from ``old`` and what comes in ``new``."""
    # The numbers of the algorithms' lines would make equal lines look different.
    before, after = (re.sub(r" +# \(\d+(, \d+)*\).*", "", _code(f)).splitlines() for f in (old, new))
    lines = difflib.unified_diff(before, after, n=1000, lineterm="")
    kept = [line for line in lines if not line.startswith(("---", "+++", "@@"))]
    return Listing("\n".join(kept), "diff", [_name(old), _name(new)])


def _name(function: Callable[..., Any]) -> str:
    return f"{function.__module__}.{function.__qualname__}"


def _code(function: Callable[..., Any]) -> str:
    """Return the source with its docstring cut to the first line, and without the types in its header.

    The text around the listing says the rest; the types are for those who call the function from a program.
    """
    text = textwrap.dedent(inspect.getsource(function)).rstrip()
    lines = text.splitlines()
    node = ast.parse(text).body[0]
    if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and (doc := ast.get_docstring(node)):
        first, last = node.body[0].lineno, node.body[0].end_lineno
        indent = " " * node.body[0].col_offset
        lines[first - 1 : last] = [f'{indent}"""{doc.splitlines()[0]}"""']
    if isinstance(node, ast.FunctionDef):
        lines[node.lineno - 1 : node.body[0].lineno - 1] = _header(node)
    return "\n".join(lines)


def _header(node: ast.FunctionDef) -> list[str]:
    """Return the lines of ``def name(...):`` without annotations, folded to the width of a page."""
    for argument in ast.walk(node.args):
        if isinstance(argument, ast.arg):
            argument.annotation = None
    begin = f"def {node.name}("
    return textwrap.wrap(f"{begin}{ast.unparse(node.args)}):", WIDTH, subsequent_indent=" " * len(begin))
