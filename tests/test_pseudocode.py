"""The numbered lines of an algorithm are the same in the box on the page, in the docstring, and in the code."""

import ast
import inspect
import io
import re
import tokenize
from collections.abc import Iterator

import pytest

from tools import notebooks, provenance

LINE = re.compile(r"^ *(\d+)\. ", re.MULTILINE)  # in a docstring they may stand in a literal block
COMMENT = re.compile(r"# \((\d+(?:, \d+)*)\)")
BOX = re.compile(
    r"^(?P<fence>`{3,}|:{3,})\{prf:algorithm\}(?P<title>.*)$(?P<body>[\s\S]*?)^(?P=fence)\s*$", re.MULTILINE
)
CODE = re.compile(r"^% code: (\S+)$", re.MULTILINE)


def numbers(text: str) -> list[int]:
    return [int(number) for number in LINE.findall(text)]


def algorithms() -> Iterator[tuple[str, str, str]]:
    """Yield (name, docstring, source) of each function of the package whose docstring holds numbered lines."""
    for path in sorted((provenance.ROOT / "rlkit").rglob("*.py")):
        source = path.read_text("utf-8")
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.FunctionDef):
                docstring = inspect.cleandoc(ast.get_docstring(node) or "")
                if numbers(docstring):
                    yield node.name, docstring, ast.get_source_segment(source, node) or ""


def boxes() -> Iterator[tuple[str, str, str]]:
    """Yield (chapter: title, name of the function, body) of each algorithm box that names its function."""
    for path in sorted(notebooks.MANUSCRIPTS.glob("*.md")):
        for box in BOX.finditer(path.read_text("utf-8")):
            if code := CODE.search(box["body"]):
                yield f"{path.stem}: {box['title'].strip()}", code[1], box["body"]


def commented(source: str) -> set[int]:
    tokens = tokenize.generate_tokens(io.StringIO(inspect.cleandoc(source)).readline)
    found = (COMMENT.match(token.string) for token in tokens if token.type == tokenize.COMMENT)
    return {int(number) for match in found if match for number in match[1].split(", ")}


@pytest.mark.parametrize(("name", "docstring", "source"), [pytest.param(*a, id=a[0]) for a in algorithms()])
def test_each_numbered_line_is_marked_in_the_code(name: str, docstring: str, source: str) -> None:
    expected = numbers(docstring)
    assert expected == list(range(1, len(expected) + 1)), "the lines must be numbered from 1 without gaps"
    assert commented(source) == set(expected)


@pytest.mark.parametrize(("title", "function", "body"), [pytest.param(*b, id=b[0]) for b in boxes()])
def test_each_box_has_the_lines_of_its_function(title: str, function: str, body: str) -> None:
    source = provenance.shown_source(function)
    docstring = inspect.cleandoc(ast.get_docstring(ast.parse(source).body[0]) or "")  # type: ignore[arg-type]
    assert numbers(body) == numbers(docstring)
    assert numbers(body), "a box without numbered lines"


def test_the_search_for_comments() -> None:
    assert commented('x = 1  # (1)\ny = "# (9)"  # (2, 3) because\n# see (4)\n') == {1, 2, 3}
