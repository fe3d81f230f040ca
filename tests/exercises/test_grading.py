"""Grading a class in which everything goes wrong that can."""

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from rlkit.exercises import all_exercises
from rlkit.exercises.grading import definitions, exercise_ids, grade
from tools.provenance import ROOT

ORIGINAL = ROOT / "notebooks" / "01_mdps.ipynb"
EXERCISES = {id: e for id, e in all_exercises().items() if id.startswith("mdps.")}


def cell(source, *tags):
    return {
        "cell_type": "code",
        "metadata": {"tags": list(tags)},
        "source": source,
        "outputs": [],
        "execution_count": None,
    }


def notebook(file, answers, before=(), after=()):
    """Write a submission: the original with each stub replaced by ``answers[id]``, and cells put around it."""
    original = json.loads(ORIGINAL.read_text("utf-8"))
    ids, cells = iter(exercise_ids(ORIGINAL)), []
    for c in original["cells"]:
        if "exercise" in c["metadata"].get("tags", []):
            c = cell(answers.get(next(ids), "".join(c["source"])))
        cells.append(c)
    original["cells"] = [cell(s) for s in before] + cells + [cell(s) for s in after]
    file.write_text(json.dumps(original), encoding="utf-8")
    return file


def solved():
    return {id: "import numpy as np\n" + e.solution_text() for id, e in EXERCISES.items()}


def broken(id, body):
    """All right but one, whose body is ``body``."""
    head = next(line for line in EXERCISES[id].stub().splitlines() if line.startswith("def "))
    return solved() | {id: f"{head}\n    {body}"}


LAST = "mdps.planted_bug"
SHAPING = "mdps.shaping"


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    folder = tmp_path_factory.mktemp("class")
    wrong = solved() | {
        "mdps.bellman_backup": "def best_sweep(P, R, gamma, V):\n    return (R + P @ V).max(axis=1)",
        "mdps.return_by_hand": "my_return = 14",
    }
    again = "def shaped_reward(r, s, s_next, potential, terminal, gamma):\n    return r"
    catches = "while True:\n        try: sum(range(1000))\n        except BaseException: pass"
    writes = "import os; open(os.path.expanduser('~/was_here'), 'w').write('x'); return r"
    files = [
        notebook(folder / "right.ipynb", solved()),
        notebook(folder / "wrong.ipynb", wrong),
        notebook(folder / "empty.ipynb", {}),
        notebook(
            folder / "loop_outside.ipynb", solved(), before=["while True:\n    pass", "x = [i for i in iter(int, 1)]"]
        ),
        notebook(folder / "loop_inside.ipynb", broken(SHAPING, "while True: pass")),
        notebook(folder / "loop_that_catches.ipynb", broken("mdps.greedy_policy", catches)),
        notebook(folder / "crash.ipynb", broken(SHAPING, "import ctypes; ctypes.string_at(0)")),
        notebook(folder / "exits.ipynb", broken(SHAPING, "import os; os._exit(0)")),
        notebook(folder / "syntax.ipynb", solved() | {SHAPING: "def shaped_reward(r, s:\n    return"}),
        notebook(folder / "twice.ipynb", solved(), after=[again]),
        notebook(folder / "my homework (final) v2.ipynb", solved()),
        folder / "other.ipynb",
        folder / "letter.ipynb",
        notebook(folder / "writes.ipynb", broken(SHAPING, writes)),
    ]
    (folder / "other.ipynb").write_text(json.dumps({"cells": [cell("1 + 1")], "nbformat": 4}), encoding="utf-8")
    (folder / "letter.ipynb").write_text("Dear examiner, my computer is broken.", encoding="utf-8")
    home = folder / "home"
    home.mkdir()
    old = os.environ.get("HOME")
    os.environ["HOME"] = str(home)
    try:
        grade(ORIGINAL, files, folder / "out", jobs=2)
    finally:
        os.environ["HOME"] = old or ""
    with (folder / "out" / "grades.csv").open(newline="", encoding="utf-8") as handle:
        rows = {row["submission"]: row for row in csv.DictReader(handle)}
    return rows, folder


def others_passed(row, *but):
    return all(row[id] == "passed" for id in EXERCISES if id not in but)


def test_everybody_gets_a_row_and_a_page(graded):
    rows, folder = graded
    assert len(rows) == 14
    assert all((folder / "out" / f"{name}.html").exists() for name in rows)


@pytest.mark.parametrize("name", ["right", "loop_outside", "my homework (final) v2"])
def test_right_answers_get_all_points(graded, name):
    row = graded[0][name]
    assert others_passed(row)
    assert int(row["points"]) == sum(e.points for e in EXERCISES.values())


def test_mistakes_are_named(graded):
    row = graded[0]["wrong"]
    assert row["mdps.bellman_backup"] == "backup_without_gamma"
    assert row["mdps.return_by_hand"] == "return_not_discounted"
    assert others_passed(row, "mdps.bellman_backup", "mdps.return_by_hand")


def test_an_empty_notebook_gets_no_points_and_no_blame(graded):
    row = graded[0]["empty"]
    assert row["points"] == "0"
    assert {row[id] for id in EXERCISES} == {"your turn"}


@pytest.mark.parametrize(
    ("name", "outcome"),
    [("loop_inside", "out of time"), ("crash", "crashed"), ("exits", "crashed"), ("syntax", "not handed in")],
)
def test_an_accident_costs_one_exercise_only(graded, name, outcome):
    row = graded[0][name]
    assert row[SHAPING] == outcome
    assert others_passed(row, SHAPING)


def test_a_loop_that_cannot_be_stopped_does_not_slow_down_the_rest(graded):
    row = graded[0]["loop_that_catches"]
    assert row["mdps.greedy_policy"] == "out of time"
    assert others_passed(row, "mdps.greedy_policy")


def test_the_last_of_two_definitions_counts(graded):
    row = graded[0]["twice"]
    assert row[SHAPING] not in ("passed", "not handed in")
    assert others_passed(row, SHAPING)


def test_a_notebook_without_the_exercises_and_a_file_that_is_none(graded):
    rows = graded[0]
    assert {rows["other"][id] for id in EXERCISES} == {"not handed in"}
    assert {rows["letter"][id] for id in EXERCISES} == {"no notebook"}


def test_nothing_is_written_into_the_graders_home(graded):
    rows, folder = graded
    assert rows["writes"][SHAPING] != "crashed", "it may write, into a home of its own"
    assert list((folder / "home").iterdir()) == []


def test_the_histogram_counts_everybody(graded):
    _, folder = graded
    with (folder / "out" / "misconceptions.csv").open(newline="", encoding="utf-8") as handle:
        rows = list(csv.DictReader(handle))
    assert sum(int(r["learners"]) for r in rows if r["exercise"] == SHAPING) == 14
    assert {"exercise": "mdps.bellman_backup", "outcome": "backup_without_gamma", "learners": "1"} in rows
    picture = (folder / "out" / "misconceptions.svg").read_text(encoding="utf-8")
    assert "backup_without_gamma" in picture


def test_the_feedback_page_says_what_the_card_says(graded):
    _, folder = graded
    page = (folder / "out" / "wrong.html").read_text(encoding="utf-8")
    assert "You forgot gamma" in page


def test_the_command_line(tmp_path):
    submission = notebook(tmp_path / "one.ipynb", solved())
    command = [
        sys.executable,
        "-m",
        "rlkit.exercises",
        "grade",
        str(ORIGINAL),
        str(submission),
        "--out",
        str(tmp_path / "o"),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "1 submissions graded" in done.stdout
    wrong = subprocess.run(
        [*command[:4], str(tmp_path / "none.ipynb"), *command[5:]], capture_output=True, text=True, check=False
    )
    assert wrong.returncode == 1
    assert "error: none.ipynb is not a notebook" in wrong.stderr


def test_only_definitions_are_taken():
    source = "\n".join(
        ["import math", "x = 3", "y = math.sqrt(2)", "print('no')", "@staticmethod", "def f():", "    pass"]
        + ["%matplotlib inline", "answer = x + 1"]
    )
    taken = [code.strip() for _, code in definitions([source, "def broken(:"], {"answer"})]
    assert taken == ["import math", "x = 3", "@staticmethod\ndef f():\n    pass", "answer = x + 1"]


def test_two_files_of_one_name_get_a_row_each(tmp_path):
    for folder in "a", "b":
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "x.ipynb").write_text("no notebook", encoding="utf-8")
    graded = grade(ORIGINAL, [Path(tmp_path / f / "x.ipynb") for f in "ab"], tmp_path / "out")
    assert set(graded) == {"x", "x-2"}
