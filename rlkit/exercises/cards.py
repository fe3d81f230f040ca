"""What a learner sees: cards in plain HTML, the same every time, that fold without a script, a style sheet or a kernel.

JupyterLab takes scripts and style sheets out of notebooks that it does not trust. These cards need neither.
"""

from __future__ import annotations

import html
import inspect
import re
from typing import Any

import numpy as np

from rlkit.exercises.exercise import Exercise
from rlkit.exercises.judging import Verdict

_MARK = {"passed": "✓", "your turn": "✎", "the book's own": "✎"}
_HEAD = {
    "passed": "Passed",
    "your turn": "Your turn",
    "not yet": "Not yet",
    "no return": "Not yet",
    "changed": "Not yet",
    "the book's own": "The book's own",
    "out of time": "Stopped",
    "stopped": "Stopped",
}


class Card:
    """Something to show: HTML for a notebook or a page, text for a terminal."""

    def __init__(self, body: str, text: str):
        self.body, self.text = body, text

    def _repr_html_(self) -> str:
        edge = "border-left: 0.25rem solid currentColor; padding: 0.25rem 0 0.25rem 1rem; margin: 0.5rem 0"
        return f'<div class="rlk-card" style="{edge}">{self.body}</div>'

    def __repr__(self) -> str:
        return self.text


def verdict_card(verdict: Verdict) -> Card:
    """Return the card for a verdict: what was found, the counterexample, and the ladder of hints."""
    exercise = verdict.exercise
    head = _HEAD.get(verdict.status, "Not yet")
    if verdict.situations and not exercise.value:
        right = sum(ok for _, ok in verdict.situations)
        head += f": right in {right} of {len(verdict.situations)} situations"
    parts = [f"<p><strong>{_MARK.get(verdict.status, '✗')} {head}.</strong> {prose(verdict.text)}</p>"]
    if verdict.line:
        number, source = verdict.line
        parts.append(f"<p>In line {number} of your cell: <code>{html.escape(source)}</code></p>")
    if verdict.case is not None and verdict.case.args:
        parts.append(_counterexample(verdict))
    if verdict.situations and not exercise.value:
        ticks = "".join(f"<li>{'✓' if ok else '✗'} {prose(label)}</li>" for label, ok in verdict.situations)
        parts.append(f"<details><summary>All situations</summary><ul>{ticks}</ul></details>")
    if verdict.printed:
        parts.append(_fold("What your code printed while it was tried", code(verdict.printed)))
    if verdict.passed:
        parts.append(_fold("Compare with the book's solution", code(exercise.solution_text())))
    else:
        parts.append(_ladder(exercise))
    text = f"{exercise.id}: {head}. {plain(verdict.text)}"
    if verdict.line:
        text += f" (line {verdict.line[0]}: {verdict.line[1]})"
    return Card("".join(parts), text)


def _ladder(exercise: Exercise) -> str:
    hints = "".join(_fold(f"Hint {k}", f"<p>{prose(hint)}</p>") for k, hint in enumerate(exercise.hints, start=1))
    return hints + _fold("Show the solution", code(exercise.solution_text()))


def _counterexample(verdict: Verdict) -> str:
    case = verdict.case
    assert case is not None
    rows = f"<p>In the situation “{prose(case.label)}”:</p>{code(case.call or call(verdict.exercise, case.args))}"
    if verdict.situations:
        wanted, given = (literal(x, indent=10) for x in (verdict.expected, verdict.got))
        if wanted == given:
            wanted, given = (literal(x, indent=10, digits=12) for x in (verdict.expected, verdict.got))
        rows += code(f"expected  {wanted}\nyours     {given}")
    if case.why:
        rows += f"<p>By hand: {prose(case.why)}</p>"
    return rows


def call(exercise: Exercise, args: tuple[Any, ...]) -> str:
    """Return a call as code that can be pasted; of several arguments, arrays and the like get lines of their own."""
    lines, passed = [], []
    for name, value in zip(inspect.signature(exercise.solution).parameters, args, strict=False):
        large = isinstance(value, np.ndarray) or any(
            hasattr(value, mark) for mark in ("detach", "_asdict", "parameters")
        )
        if len(args) > 1 and large:
            lines.append(f"{name} = {literal(value, indent=len(name) + 3)}")
            passed.append(name)
        else:
            passed.append(literal(value))
    return "\n".join([*lines, f"{exercise.name}({', '.join(passed)})"])


def literal(value: Any, *, indent: int = 0, digits: int = 6) -> str:
    """Return a value as code that can be pasted, shortened where it is long.

    Args:
        value: anything.
        indent: how far from the margin it will begin, for arrays of several lines.
        digits: how many to print after the point of an array's numbers.
    """
    array, maker = value, "np.array"
    if hasattr(value, "detach"):
        array, maker = value.detach().cpu().numpy(), "torch.tensor"
    if isinstance(array, np.ndarray):
        begin = " " * indent + f"{maker}("
        numbers = np.array2string(
            array, separator=", ", precision=digits, suppress_small=True, threshold=2000, prefix=begin
        ).replace("\n\n", "\n")
        text = f"{maker}({numbers})".replace("inf", "np.inf").replace("nan", "np.nan")
    elif isinstance(value, dict):
        items = [(f"{key!r}: ", v) for key, v in value.items()]
        text = _lines("{", items, "}", indent, digits)
    elif isinstance(value, tuple) and hasattr(value, "_asdict"):
        items = [(f"{key}=", v) for key, v in value._asdict().items()]
        text = _lines(f"{type(value).__name__}(", items, ")", indent, digits)
    elif isinstance(value, (np.floating, float)):
        text = f"{float(value):.{digits + 2}g}"
    elif isinstance(value, (tuple, list)):
        inner = ", ".join(literal(x, digits=digits) for x in value)
        text = f"[{inner}]" if isinstance(value, list) else f"({inner},)" if len(value) == 1 else f"({inner})"
    else:
        try:
            text = re.sub(r" at 0x[0-9a-f]+", "", repr(value))
        except Exception:  # a learner's own class may have a __repr__ that fails
            text = f"<{type(value).__name__}>"
    return text if len(text) <= 1500 else text[:1500] + " ..."


def _lines(begin: str, items: list[tuple[str, Any]], end: str, indent: int, digits: int) -> str:
    """Return what has names inside as code, with a line for each."""
    indent += len(begin)
    texts = [name + literal(value, indent=indent + len(name), digits=digits) for name, value in items]
    return begin + f",\n{' ' * indent}".join(texts) + end


_CODE = re.compile(r"(`[^`]+`)")
_STRESSED = re.compile(r"(?<![\w*])\*([^\W\d](?:[\w ]*\w)?)\*(?![\w*])")  # *so*, and neither a * b nor **


def prose(text: str) -> str:
    """Return a sentence as HTML; what stands between backticks becomes code, and a word between asterisks is stressed."""
    parts = _CODE.split(html.escape(text, quote=False))
    parts[1::2] = [f"<code>{part[1:-1]}</code>" for part in parts[1::2]]
    parts[::2] = [_STRESSED.sub(r"<em>\1</em>", part) for part in parts[::2]]
    return "".join(parts)


def plain(text: str) -> str:
    """Return a sentence for a terminal, without the asterisks around a stressed word."""
    parts = _CODE.split(text)
    parts[::2] = [_STRESSED.sub(r"\1", part) for part in parts[::2]]
    return "".join(parts)


def code(text: str) -> str:
    """Return lines of code as HTML."""
    return f"<pre>{html.escape(text, quote=False)}</pre>"


def _fold(title: str, body: str) -> str:
    return f"<details><summary>{title}</summary>{body}</details>"
