"""The built pages: all there, linked without dead ends, and needing nothing from another host."""

import functools
import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from bs4 import BeautifulSoup

from rlkit.exercises import stubs
from tools import notebooks
from tools.browser import HTML, pages
from tools.provenance import ROOT

FOREIGN = re.compile(r"^(?:https?:)?//")
FOREIGN_IN_CSS = re.compile(r"""(?:url\(\s*['"]?|@import\s+['"])((?:https?:)?//[^'")\s]+)""")
LOADING = {"src", "srcset", "poster", "data"}  # attributes through which a page fetches something
LECTURE_ROWS = 41


@pytest.fixture(scope="module", autouse=True)
def built() -> None:
    assert (HTML / "index.html").is_file(), "the pages are not built: run `make book`"


@functools.cache
def soup(path: Path) -> BeautifulSoup:
    return BeautifulSoup(path.read_text("utf-8"), "html.parser")


@functools.cache
def anchors(path: Path) -> set[str]:
    return {tag[key] for key in ("id", "name") for tag in soup(path).find_all(attrs={key: True})}


def html_pages() -> list[Path]:
    return sorted(path for path in HTML.rglob("*.html") if "_static" not in path.parts)


def dead_links(path: Path) -> list[str]:
    """Return the links of a page that lead to no file, or to no place in it."""
    dead = []
    for link in soup(path).find_all("a", href=True):
        parts = urlsplit(link["href"])
        if parts.scheme or parts.netloc or link["href"] == "#":
            continue
        target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
        if not target.is_file():
            dead.append(link["href"])
        elif parts.fragment and target.suffix == ".html" and unquote(parts.fragment) not in anchors(target):
            dead.append(link["href"])
    return dead


def test_the_contents_name_what_is_written_and_nothing_else() -> None:
    listed = [name for name in pages() if name.startswith("notebooks/")]
    written = stubs.pages(
        notebooks.MANUSCRIPTS
    )  # in the order of the book: two pages of a chapter are not in that of their names
    assert listed == [f"notebooks/{file.stem}" for file, _, _ in written]
    assert set(listed) == {f"notebooks/{path.stem}" for path in notebooks.NOTEBOOKS.glob("*.ipynb")}
    missing = [name for name in pages() if not any((ROOT / f"{name}{end}").is_file() for end in (".md", ".ipynb"))]
    assert missing == []


@pytest.mark.parametrize("name", pages())
def test_every_page_of_the_contents_is_built(name: str) -> None:
    article = soup(HTML / f"{name}.html").find("article", class_="bd-article")
    assert article is not None
    assert article.find("h1") is not None


def test_nothing_is_fetched_from_another_host() -> None:
    found = {}
    for path in html_pages():
        fetched = [tag[key] for key in LOADING for tag in soup(path).find_all(attrs={key: True})]
        fetched += [tag["href"] for tag in soup(path).find_all("link", href=True)]
        styles = [tag.get_text() for tag in soup(path).find_all("style")]
        styles += [tag["style"] for tag in soup(path).find_all(style=True)]
        foreign = [url for url in fetched if FOREIGN.match(url)]
        foreign += [url for style in styles for url in FOREIGN_IN_CSS.findall(style)]
        if foreign:
            found[str(path.relative_to(HTML))] = foreign
    for path in HTML.rglob("*.css"):
        if foreign := FOREIGN_IN_CSS.findall(path.read_text("utf-8")):
            found[str(path.relative_to(HTML))] = foreign
    assert found == {}


def test_links_and_anchors_lead_somewhere() -> None:
    found = {str(path.relative_to(HTML)): dead for path in html_pages() if (dead := dead_links(path))}
    assert found == {}


def test_the_lecture_map_is_complete_and_honest() -> None:
    page = HTML / "book" / "lecture_map.html"
    rows = [list(row.find_all("td")) for row in soup(page).find_all("tr")]
    numbered = {int(cells[0].get_text()): cells for cells in rows if cells and cells[0].get_text().strip().isdigit()}
    assert sorted(numbered) == list(range(1, LECTURE_ROWS + 1))
    for number, cells in numbered.items():
        text = " ".join(cell.get_text(" ") for cell in cells)
        assert cells[0].parent.find("a", href=True) or "not written yet" in text, f"row {number} leads nowhere"
        for test in re.findall(r"tests/[\w/]+\.py", text):
            assert (ROOT / test).is_file(), f"row {number} names {test}, which does not exist"
    assert dead_links(page) == []
