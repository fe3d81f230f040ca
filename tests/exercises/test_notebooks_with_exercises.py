"""The notebooks with their exercises: stubs in step; untouched, solved, and filled with nonsense.

Only the cells that an exercise needs are run (setup, exercise, exercise-check), so that a notebook takes a second.
"""

import ast
import json

import pytest

from rlkit.exercises import all_exercises, check
from rlkit.exercises.cards import Card
from rlkit.exercises.exercise import PLACEHOLDER
from rlkit.exercises.grading import exercise_ids
from rlkit.exercises.stubs import pages, with_stubs
from tools.notebooks import MANUSCRIPTS, NOTEBOOKS

PAGES = {file: rest for file, *rest in pages(MANUSCRIPTS) if "exercise-check" in file.read_text("utf-8")}
each_page = pytest.mark.parametrize("manuscript", PAGES, ids=lambda f: f.stem)


def cells(manuscript):
    notebook = json.loads((NOTEBOOKS / f"{manuscript.stem}.ipynb").read_text("utf-8"))
    wanted = {"setup", "exercise", "exercise-check"}
    for cell in notebook["cells"]:
        tags = set(cell["metadata"].get("tags", []))
        if cell["cell_type"] == "code" and tags & wanted:
            yield tags, "".join(cell["source"])


def run(source, scope):
    """Run a cell and return the value of its last line, as a notebook does."""
    body = ast.parse(source).body
    last = ast.Expression(body.pop().value) if isinstance(body[-1], ast.Expr) else None
    exec(compile(ast.Module(body, []), "<cell>", "exec"), scope)
    return eval(compile(last, "<cell>", "eval"), scope) if last else None


def verdicts(manuscript, answer):
    """Run the chapter with each stub replaced by ``answer(exercise, stub)``, and return the cards of the checks."""
    exercises = iter([all_exercises()[id] for id in exercise_ids(NOTEBOOKS / f"{manuscript.stem}.ipynb")])
    scope, cards = {}, []
    for tags, source in cells(manuscript):
        if "exercise" in tags:
            source = answer(next(exercises), source)
        value = run(source, scope)
        if "exercise-check" in tags:
            assert isinstance(value, Card)
            cards.append(value.text)
    return cards


@each_page
def test_stubs_are_in_step(manuscript):
    text = manuscript.read_text("utf-8")
    assert with_stubs(text, *PAGES[manuscript]) == text, "run `python -m rlkit.exercises sync`"


@pytest.mark.parametrize("number", sorted({number for number, _ in PAGES.values()}))
def test_there_are_six_to_twelve_exercises_in_a_chapter_and_three_on_each_page(number):
    found = [
        exercise_ids(NOTEBOOKS / f"{page.stem}.ipynb") for page, (chapter, _) in PAGES.items() if chapter == number
    ]
    assert 6 <= sum(map(len, found)) <= 12
    assert all(len(ids) >= 3 for ids in found)


@each_page
def test_all_exercises_of_a_module_stand_on_one_page(manuscript):
    ids = exercise_ids(NOTEBOOKS / f"{manuscript.stem}.ipynb")
    assert set(ids) == set(all_exercises(*{id.split(".")[0] for id in ids}))


@each_page
def test_untouched_every_check_says_your_turn(manuscript):
    assert all(": Your turn" in text for text in verdicts(manuscript, lambda exercise, stub: stub))


@each_page
def test_solved_every_check_passes(manuscript):
    assert all(": Passed" in text for text in verdicts(manuscript, lambda exercise, stub: exercise.solution_text()))


def nonsense(exercise, stub):
    if exercise.value:
        return f"{exercise.name} = 'nonsense'"
    if exercise.of_class:
        return stub.replace(PLACEHOLDER, "return undefined + 1")
    head = next(line for line in stub.splitlines() if line.startswith("def "))
    return f"{head}\n    return undefined + 1"


@each_page
def test_nonsense_stops_no_cell(manuscript):
    cards = verdicts(manuscript, nonsense)
    assert all("Stopped" in text or "Not yet" in text for text in cards)


def test_a_check_of_an_unknown_exercise_names_the_known_ones():
    with pytest.raises(ValueError, match="do you mean mdps"):
        check("mdps.unknown", 1)
