"""The axes: every record stands in the package and on its page, and the page's table is made from the records."""

import importlib
import re

import pytest

from rlkit import show
from rlkit.show.axes import ALGORITHMS, MOTIVES, NUMBERS, PURPOSES, WHERE, Algorithm, table
from tests.show.reading import font_sizes, texts
from tools import notebooks

PAGE = notebooks.MANUSCRIPTS / "06_marl.md"
MARKERS = re.compile(r"<!-- axes: begin -->\n(.*?)\n<!-- axes: end -->", re.DOTALL)
WRITTEN = [a for a in ALGORITHMS if a.label]


def ident(algorithm: Algorithm) -> str:
    return algorithm.name


def test_the_pages_table_is_that_of_the_records():
    (written,) = MARKERS.findall(PAGE.read_text("utf-8"))
    assert written.strip() == table()


@pytest.mark.parametrize("algorithm", [a for a in ALGORITHMS if a.function], ids=ident)
def test_the_function_exists_and_is_public(algorithm):
    place, name = algorithm.function.rsplit(".", 1)
    module = importlib.import_module(place)
    assert callable(getattr(module, name)) and not name.startswith("_")
    assert name in getattr(module, "__all__", [name])


@pytest.mark.parametrize("algorithm", WRITTEN, ids=ident)
def test_the_section_is_on_the_page(algorithm):
    assert f"({algorithm.label})=" in (notebooks.MANUSCRIPTS / f"{algorithm.page}.md").read_text("utf-8")


def test_what_is_to_come_has_no_link_and_what_is_written_has_one():
    pages = {path.stem for path in notebooks.MANUSCRIPTS.glob("*.md")}
    for a in ALGORITHMS:
        assert bool(a.label) == (a.page in pages), (
            f"{a.name}: its page {a.page} is {'' if a.page in pages else 'not '}there"
        )
        assert bool(a.label) == bool(a.function)


def test_every_record_stands_somewhere_on_every_axis():
    assert len({a.name for a in ALGORITHMS}) == len(ALGORITHMS)
    for a in ALGORITHMS:
        assert a.agents in NUMBERS and a.purpose in PURPOSES
        alone = a.agents == "one"
        assert (a.motive, a.training, a.execution) == ("", "", "") if alone else a.motive in MOTIVES
        assert alone or {a.training, a.execution} <= set(WHERE)
    for values, of in ((NUMBERS, "agents"), (MOTIVES, "motive"), (WHERE, "training"), (PURPOSES, "purpose")):
        assert set(values) <= {getattr(a, of) for a in ALGORITHMS}, "an axis with an end where nothing stands"


def test_a_table_by_hand():
    rows = table(
        (
            Algorithm("A", "01_a", "sec-a", "f", "", "", "prescriptive", "", "one"),
            Algorithm("B", "08_b", "", "", "centralised", "decentralised", "descriptive", "neither", "two"),
        )
    ).splitlines()
    assert rows[2:] == [
        "| [A](#sec-a) | – | – | should do | – | one |",
        "| B (chapter 8) | centralised | decentralised | will do | neither | two |",
    ]
    assert {row.count("|") for row in rows} == {7}


def test_every_name_is_in_the_picture_and_in_its_words():
    picture = show.axes()
    assert {a.name for a in ALGORITHMS} <= set(texts(picture.svg))
    for a in ALGORITHMS:
        assert a.name + ("" if a.label else " (to come)") in picture.alt
    assert min(font_sizes(picture.svg)) >= 9
    width = int(re.search(r' width="(\d+)"', picture.svg)[1])
    assert width <= 540
    assert picture.svg == show.axes().svg
