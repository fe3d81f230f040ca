"""The committed notebooks are those of their manuscripts, were run from top to bottom, and fit to be compared."""

import datetime
import inspect
import re
from pathlib import Path

import nbformat
import pytest
from bs4 import BeautifulSoup

from rlkit.mdp import solvers, tabular
from tools import lab, notebooks, pictures, provenance

NAMES = sorted(path.stem for path in notebooks.MANUSCRIPTS.glob("[0-9]*.md"))
EXEMPT_TAGS = {"nbval-ignore-output", "nbval-skip"}
MAX_LINES, MAX_WIDTH = 25, 80


def manuscript(name: str) -> str:
    return (notebooks.MANUSCRIPTS / f"{name}.md").read_text("utf-8")


def committed(name: str) -> nbformat.NotebookNode:
    return nbformat.read(notebooks.NOTEBOOKS / f"{name}.ipynb", as_version=4)


def html_outputs(notebook: nbformat.NotebookNode) -> list[tuple[int, str]]:
    return [
        (number, output["data"]["text/html"])
        for number, cell in enumerate(notebook.cells, start=1)
        for output in cell.get("outputs", [])
        if "text/html" in output.get("data", {})
    ]


def test_every_manuscript_has_its_notebook_and_no_other() -> None:
    assert NAMES
    assert sorted(path.stem for path in notebooks.NOTEBOOKS.glob("*.ipynb")) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_cells_are_those_of_the_manuscript(name: str) -> None:
    def content(notebook: nbformat.NotebookNode) -> list[tuple[object, ...]]:
        return [(cell.id, cell.cell_type, cell.source, cell.metadata) for cell in notebook.cells]

    assert content(committed(name)) == content(notebooks.convert(manuscript(name)))


@pytest.mark.parametrize("name", NAMES)
def test_is_up_to_date(name: str) -> None:
    assert notebooks.reasons(name) == [], "run `make notebooks`"


@pytest.mark.parametrize("name", NAMES)
def test_was_run_once_from_top_to_bottom(name: str) -> None:
    counts = [cell.execution_count for cell in notebooks.code_cells(committed(name))]
    assert counts == list(range(1, len(counts) + 1))


@pytest.mark.parametrize("name", NAMES)
def test_holds_nothing_that_must_not_be_committed(name: str) -> None:
    notebook = committed(name)
    assert notebooks.problems(notebook) == []
    assert notebook.metadata.keys() == {"kernelspec", "language_info", "rlkit"}
    assert notebooks.WIDGET_VIEW not in nbformat.writes(notebook)
    for cell in notebook.cells:
        assert "execution" not in cell.metadata, "the time of the run must not be recorded"


@pytest.mark.parametrize("name", NAMES)
def test_code_cells_are_short_and_narrow(name: str) -> None:
    for cell in notebooks.code_cells(committed(name)):
        lines = cell.source.splitlines()
        assert len(lines) <= MAX_LINES, f"{len(lines)} lines: {lines[0]}"
        assert [line for line in lines if len(line) > MAX_WIDTH] == []


@pytest.mark.parametrize("name", NAMES)
def test_few_cells_are_exempt_from_comparison_and_say_why(name: str) -> None:
    cells = notebooks.code_cells(committed(name))
    exempt = [cell for cell in cells if EXEMPT_TAGS & set(cell.metadata.get("tags", []))]
    assert len(exempt) <= len(cells) / 10
    for cell in exempt:
        assert re.search(r"^\s*#.*\w{3,}", cell.source, re.MULTILINE), f"no reason is given in: {cell.source}"
    assert "NBVAL" not in "".join(cell.source for cell in cells), "use tags: they are counted here"


@pytest.mark.parametrize("name", NAMES)
def test_every_figure_has_alternative_text(name: str) -> None:
    notebook = committed(name)
    for number, html in html_outputs(notebook):
        soup = BeautifulSoup(html, "html.parser")
        for svg in soup.find_all("svg"):
            if svg.find_parent(attrs={"aria-hidden": "true"}) is None and svg.get("aria-hidden") != "true":
                assert svg.get("role") == "img", f"cell {number}"
                assert str(svg.get("aria-label", "")).strip(), f"cell {number}"
        for image in soup.find_all("img"):
            assert str(image.get("alt", "")).strip(), f"cell {number}"
    for number, cell in enumerate(notebook.cells, start=1):
        assert "image/png" not in "".join(str(output.get("data", {}).keys()) for output in cell.get("outputs", [])), (
            f"cell {number} shows a bitmap, which has no alternative text: use rlkit.show"
        )
        if cell.cell_type == "markdown":
            assert "![](" not in cell.source, f"cell {number}"


# --- the tools ---


@pytest.mark.parametrize("name", NAMES)
def test_converting_twice_gives_the_same_bytes(name: str) -> None:
    first, second = (nbformat.writes(notebooks.convert(manuscript(name))) for _ in range(2))
    assert first == second
    nbformat.validate(notebooks.convert(manuscript(name)))


def test_equal_cells_get_different_ids() -> None:
    cell = {"cell_type": "code", "source": "x"}
    assert len(set(notebooks.cell_ids([cell, cell, cell | {"cell_type": "markdown"}]))) == 3


def test_hash_is_blind_to_words_but_not_to_constants() -> None:
    code = 'def f(x):\n    """Double it."""\n    return 2 * x  # twice\n'
    assert provenance.tree_hash(code) == provenance.tree_hash("def f(x):\n\n    return (2 * x)\n")
    assert provenance.tree_hash(code) != provenance.tree_hash(code.replace("2", "3"))
    assert provenance.tree_hash(code) != provenance.tree_hash(code.replace("x)", "x, /)", 1))
    assert provenance.tree_hash("{**a}") != provenance.tree_hash("{None: a}")


def test_hash_is_the_same_on_every_supported_python() -> None:
    """The expected value was computed on 3.11; it also holds on 3.12 and 3.13, where ast.dump writes other text."""
    body = "return f'{k!r:>{3}} π' if k else print(.5, ...)"
    code = f"class A(B):\n    def f(self, *, k: int = 0) -> None:\n        {body}\n"
    assert provenance.tree_hash(code) == "504250a5ad9c1f02999e4ef6a08f67a2c69c639c4ad07137ba652c2521e36dc3"


def test_lazy_and_indirect_imports_are_found() -> None:
    found = provenance.modules(["%matplotlib inline\n!ls", "def f():\n    from rlkit.mdp import solve"])
    assert {"rlkit", "rlkit.mdp", "rlkit.mdp.solvers", "rlkit.core.checks"} <= found.keys()
    assert all(name.split(".")[0] == "rlkit" for name in found)


def test_of_the_exercises_those_count_that_the_cells_name() -> None:
    cells = ["from rlkit.exercises import check", 'check("dqn.replay", f)\nmine = working(\n    "ddpg.update", g)']
    cells += ['quiz("mdps")', 'progress("q_learning", "mdps")']
    found = {name.removeprefix("rlkit.exercises.") for name in provenance.modules(cells)}
    assert {"dqn", "ddpg", "mdps", "q_learning"} <= found and not found & {"policy_gradients", "actor_critic"}


@pytest.mark.parametrize("thing", [solvers.value_iteration, solvers.Solution, tabular.TabularMDP.__post_init__])
def test_shown_source_is_what_python_shows(thing: object) -> None:
    name = f"{thing.__module__}.{thing.__qualname__}"  # type: ignore[attr-defined]
    assert provenance.shown_source(name) == inspect.getsource(thing)  # type: ignore[arg-type]


def test_shown_source_names_what_is_missing() -> None:
    with pytest.raises(ValueError, match="does not define gone"):
        provenance.shown_source("rlkit.mdp.solvers.gone")


def output(html: str) -> nbformat.NotebookNode:
    return nbformat.v4.new_output("display_data", {"text/html": html})


@pytest.mark.parametrize(
    ("old", "new", "same"),
    [
        ('<svg><path d="M 10.0001 5"/></svg>', '<svg><path d="M 10.0002 5"/></svg>', True),
        ('<svg><path d="M 10.0 5"/></svg>', '<svg><path d="M 10.5 5"/></svg>', False),
        ("<svg><text>0.9001</text></svg>", "<svg><text>0.9002</text></svg>", False),
        ('<svg id="m12345678ab"/></svg>', '<svg id="m87654321ff"/></svg>', True),
        ("<p>0.9001</p>", "<p>0.9002</p>", False),
        ("<svg></svg>", "<svg></svg><svg></svg>", False),
    ],
)
def test_old_pictures_stay_when_the_new_look_the_same(old: str, new: str, same: bool) -> None:
    before, after = (nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("x", id="a")]) for _ in range(2))
    before.cells[0].outputs, after.cells[0].outputs = [output(old)], [output(new)]
    notebooks.keep_unchanged(after, before)
    assert after.cells[0].outputs[0].data["text/html"] == (old if same else new)
    assert pictures.same_output(output(old), output(new)) is same


def test_cleaning_drops_widgets_and_merges_streams() -> None:
    cell = nbformat.v4.new_code_cell("x")
    stream = [nbformat.v4.new_output("stream", name="stdout", text=text) for text in "ab"]
    live = nbformat.v4.new_output("display_data", {notebooks.WIDGET_VIEW: {}, "text/html": "<p>"})
    cell.outputs = [*stream, live]
    notebook = nbformat.v4.new_notebook(
        cells=[cell], metadata={"widgets": {}, "language_info": {"name": "python", "version": "3.11.7"}}
    )
    notebooks.clean(notebook)
    assert notebook.metadata == notebooks.METADATA
    assert [output.get("text") for output in cell.outputs] == ["ab", None]
    assert cell.outputs[1].data == {"text/html": "<p>"}


@pytest.mark.parametrize(
    ("bad", "sentence"),
    [
        (nbformat.v4.new_output("stream", name="stderr", text="Warning!"), "writes to stderr: Warning!"),
        (nbformat.v4.new_output("error", ename="KeyError", evalue="'a'"), "ends in an error: KeyError: 'a'"),
        (output("<p>/tmp/ipykernel_123/1.py</p>"), "a path of the kernel"),
        (output("&lt;object at 0x7f1234567890&gt;"), "the address of an object"),
        (output("x" * notebooks.MAX_BYTES), "at most 2,000,000 are allowed"),
    ],
)
def test_what_must_not_be_committed_is_refused(bad: nbformat.NotebookNode, sentence: str) -> None:
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("x", outputs=[bad])])
    (problem,) = notebooks.problems(notebook)
    assert sentence in problem


# --- a learner's copies ---

MONDAY, TUESDAY = datetime.date(2026, 1, 5), datetime.date(2026, 1, 6)


@pytest.fixture
def book(tmp_path: Path) -> tuple[Path, Path]:
    """Return a chapter, 01.ipynb, and the folder in which it was copied on Monday."""
    originals, work = tmp_path / "notebooks", tmp_path / "my_work"
    originals.mkdir()
    (originals / "01.ipynb").write_text("first")
    lab.refresh(originals, work, MONDAY)
    assert (work / "01.ipynb").read_text() == "first"
    return originals / "01.ipynb", work


def texts(work: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in work.glob("*.ipynb")}


def test_an_edited_copy_is_never_overwritten(book: tuple[Path, Path]) -> None:
    original, work = book
    (work / "01.ipynb").write_text("mine")
    assert lab.refresh(original.parent, work, MONDAY) == ([], []), "nothing has changed in the book"
    original.write_text("second")
    said, fresh = lab.refresh(original.parent, work, TUESDAY)
    assert texts(work) == {"01.ipynb": "mine", "01.new-2026-01-06.ipynb": "second"}
    assert "Yours is edited and stays" in said[0]
    assert fresh == [work / "01.new-2026-01-06.ipynb"]
    assert lab.refresh(original.parent, work, TUESDAY) == ([], []), "it is not offered twice"


def test_a_second_change_on_one_day_overwrites_nothing(book: tuple[Path, Path]) -> None:
    original, work = book
    (work / "01.ipynb").write_text("mine")
    for text in ("second", "third"):
        original.write_text(text)
        lab.refresh(original.parent, work, TUESDAY)
    assert texts(work) == {
        "01.ipynb": "mine",
        "01.new-2026-01-06.ipynb": "second",
        "01.new-2026-01-06-2.ipynb": "third",
    }


def test_an_unedited_copy_follows_the_book(book: tuple[Path, Path]) -> None:
    original, work = book
    original.write_text("second")
    said, fresh = lab.refresh(original.parent, work, TUESDAY)
    assert texts(work) == {"01.ipynb": "second"}
    assert "You had not edited" in said[0]
    assert fresh == [work / "01.ipynb"]


def test_a_new_chapter_and_a_deleted_copy_appear(book: tuple[Path, Path]) -> None:
    original, work = book
    (work / "01.ipynb").unlink()
    original.with_name("02.ipynb").write_text("next")
    lab.refresh(original.parent, work, TUESDAY)
    assert texts(work) == {"01.ipynb": "first", "02.ipynb": "next"}


def test_a_lost_record_counts_as_edited(book: tuple[Path, Path]) -> None:
    original, work = book
    (work / lab.RECORD).unlink()
    original.write_text("second")
    lab.refresh(original.parent, work, TUESDAY)
    assert texts(work)["01.ipynb"] == "first"
