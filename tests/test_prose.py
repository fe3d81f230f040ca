"""What the prose says is what the cells print: every decimal number, and one spelling in all the book."""

import re
from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal
from pathlib import Path

import pytest

from tools import notebooks
from tools.provenance import ROOT

MINUS = "\N{MINUS SIGN}"
NUMBER = re.compile(r"(?<![\w.])-?\d+\.\d+(?![\w.]*\d)")
PRINTED = re.compile(r"(?<![\w.])-?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")
URL = re.compile(r"https?://\S+|\]\([^)]*\)")
OPTION = re.compile(r"^\s*:[\w-]+:.*$")
# A line that cites somebody may quote their numbers: {cite}`key`, or a link to an entry of the bibliography.
CITING = re.compile(r"\{cite|\]\(#[a-z]+\d{4}[a-z]*\)")
AMERICAN = re.compile(
    r"\b(?:(?:mis)?behaviors?|neighbor(?:s|ing|hoods?)?|colors?|colored|favor(?:s|ed|ite|able)?|labor|"
    r"(?:optim|discret|general|special|normal|real|recogn|initial|summar|visual|minim|maxim|random|penal|factor)"
    r"iz(?:e|ed|es|ing|ations?)|analyz(?:e|ed|es|ing)|center(?:ed|s)?|gray|(?:model|label|travel)(?:ed|ing))\b",
    re.IGNORECASE,
)


def prose(markdown: str) -> list[tuple[int, str]]:
    """Return (line number, text) of the lines that are text to a reader: no front matter, code, options, addresses."""
    lines, fences, found = markdown.splitlines(), [], []
    front_matter = bool(lines) and lines[0] == "---"
    for number, line in enumerate(lines, start=1):
        if front_matter:
            front_matter = number == 1 or line != "---"
            continue
        if fence := re.match(r"\s*(`{3,}|~{3,}|:{3,})(.*)$", line):
            marks, label = fence[1], fence[2]
            if fences and not label.strip() and fences[-1][0] == marks:
                fences.pop()
            elif not (fences and fences[-1][1]):
                # inside a directive such as {note} stands prose; inside {code-cell} or ```python stands none
                verbatim = not re.match(r"\{(?!code|eval-rst|raw|literalinclude|math)", label)
                fences.append((marks, verbatim))
            continue
        if not (fences and fences[-1][1]) and not OPTION.match(line) and not line.startswith("%"):
            found.append((number, URL.sub(" ", re.sub(r"`[^`]*`", " ", line)).replace(MINUS, "-")))
    return found


def rounds_to(printed: str, said: str) -> bool:
    """Say whether ``said`` is ``printed``, rounded to as many places."""
    exact, place = Decimal(printed), Decimal(1).scaleb(Decimal(said).as_tuple().exponent)  # type: ignore[arg-type]
    if exact.adjusted() > 20:
        return False
    return Decimal(said) in {exact.quantize(place, rounding) for rounding in (ROUND_HALF_UP, ROUND_HALF_EVEN)}


def known_numbers(notebook: dict) -> set[str]:
    """Return every number that stands in the outputs of a notebook, pictures included, or in its code."""
    texts = []
    for cell in notebooks.code_cells(notebook):
        texts.append(cell["source"])
        for output in cell["outputs"]:
            for text in (output.get("text", ""), *output.get("data", {}).values()):
                texts.append("".join(text) if isinstance(text, list | str) else str(text))
    # of a picture only its words count: its coordinates would prove anything
    words = re.sub(r"<style[\s\S]*?</style>|<script[\s\S]*?</script>", " ", "\n".join(texts))
    words = " ".join([*re.findall(r'aria-label="([^"]*)"', words), re.sub(r"<[a-zA-Z/!][^>]*>", " ", words)])
    return set(PRINTED.findall(words.replace(MINUS, "-").replace("&#8722;", "-")))


def unbound(markdown: str, notebook: dict) -> list[str]:
    """Return a sentence for each decimal number of the prose that nothing in the notebook bears out."""
    known = known_numbers(notebook)
    return [
        f"line {number}: {said} is printed by no cell: {line.strip()[:90]}"
        for number, line in prose(markdown)
        if not CITING.search(markdown.splitlines()[number - 1])
        for said in NUMBER.findall(line)
        if not any(rounds_to(printed, said) for printed in known)
    ]


@pytest.mark.parametrize("path", sorted(notebooks.MANUSCRIPTS.glob("[0-9]*.md")), ids=lambda path: path.stem)
def test_every_decimal_number_is_printed_by_a_cell(path: Path) -> None:
    notebook = notebooks.load(notebooks.NOTEBOOKS / f"{path.stem}.ipynb")
    found = unbound(path.read_text("utf-8"), notebook)
    assert not found, "\n".join(found)


@pytest.mark.parametrize("path", sorted((ROOT / "book").rglob("*.md")), ids=lambda path: path.stem)
def test_spelling_is_british(path: Path) -> None:
    found = [
        f"line {number}: {word}" for number, line in prose(path.read_text("utf-8")) for word in AMERICAN.findall(line)
    ]
    assert not found, "\n".join(found)


NOTEBOOK = {
    "cells": [
        {"cell_type": "code", "source": "gamma = 0.9", "outputs": [{"text": ["V = 0.21834\n", "-1.5e-03 and 7"]}]},
        {"cell_type": "code", "source": "", "outputs": [{"data": {"text/html": '<path d="M 3.14"><b>−2.75</b>'}}]},
    ]
}


@pytest.mark.parametrize(
    ("text", "bad"),
    [
        ("It is 0.218, or 0.22.", []),
        ("It is 0.219.", ["0.219"]),
        ("$V = -0.0015$", []),
        (f"{MINUS}2.75 and 7.0", []),
        ("It is 3.14.", ["3.14"]),
        ("version 1.2.3, and gamma 0.9.", []),
        ("See [the page](https://x.org/5.55).", []),
        ("```{code-cell}\n5.55\n```", []),
        ("```{note}\n:name: a5.55\n5.55\n```", ["5.55"]),
        ("```{table} 5.55\n5.66\n```\n5.77", ["5.66", "5.77"]),
        ("---\nversion: 5.55\n---\n", []),
        ("They report 5.55 [Howard 1960](#howard1960dynamic).", []),
        ("They report 5.55 {cite}`howard`.", []),
    ],
)
def test_the_search_for_numbers(text: str, bad: list[str]) -> None:
    assert [sentence.split()[2] for sentence in unbound(text, NOTEBOOK)] == bad
