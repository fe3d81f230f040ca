"""Grading a class in which everything goes wrong that can."""

import csv
import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path
from xml.etree import ElementTree

import pytest

from rlkit.exercises import all_exercises
from rlkit.exercises.grading import (
    _distinct_names,
    _mistakes,
    _picture,
    definitions,
    exercise_ids,
    grade,
    grade_one,
    headings,
    strangers,
)
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
    [("loop_inside", "out of time"), ("crash", "crashed"), ("exits", "crashed"), ("syntax", "syntax error")],
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
    assert [r["exercise"] for r in rows] == sorted((r["exercise"] for r in rows), key=exercise_ids(ORIGINAL).index)
    (one,) = (r for r in rows if r["outcome"] == "backup_without_gamma")
    (mistake,) = (m for m in EXERCISES["mdps.bellman_backup"].mistakes if m.name == "backup_without_gamma")
    assert one == {
        "exercise": "mdps.bellman_backup",
        "outcome": "backup_without_gamma",
        "learners": "1",
        "title": "1.5 One sweep",
        "sentence": mistake.sentence,
    }
    assert {r["sentence"] for r in rows if r["outcome"] == "passed"} == {""}
    picture = (folder / "out" / "misconceptions.svg").read_text(encoding="utf-8")
    assert "backup_without_gamma" in picture


def test_the_feedback_page_says_what_the_card_says(graded):
    _, folder = graded
    page = (folder / "out" / "wrong.html").read_text(encoding="utf-8")
    assert "You forgot gamma" in page
    assert "<h2>1.5 One sweep</h2>" in page


def test_a_syntax_error_is_shown_with_its_line(graded):
    _, folder = graded
    page = (folder / "out" / "syntax.html").read_text(encoding="utf-8")
    assert "syntax error in the cell with <code>shaped_reward</code>" in page
    assert "Python says: '(' was never closed." in page
    assert "In line 1 of the cell: <code>def shaped_reward(r, s:</code>" in page


def test_the_feedback_page_of_somebody_who_did_not_try(graded):
    _, folder = graded
    page = (folder / "out" / "empty.html").read_text(encoding="utf-8")
    assert page.count("Not tried.") == len(EXERCISES)
    assert "Fill in the cell above" not in page


def test_backticks_are_code_where_nothing_was_handed_in(graded):
    _, folder = graded
    page = (folder / "out" / "other.html").read_text(encoding="utf-8")
    assert "There is no <code>shaped_reward</code> in the notebook." in page


BACKUP = "mdps.bellman_backup"
FLIP = "mdps.where_it_flips"


@pytest.mark.parametrize(
    ("id", "cells", "outcome", "line"),
    [
        (FLIP, ["my_gamma = 0,63)"], "syntax error", "my_gamma = 0,63)"),
        (
            FLIP,
            ["my_gamma = ...", "my_gamma = (1 / 4"],
            "syntax error",
            "my_gamma = (1 / 4",
        ),  # the stub counts as nothing
        (FLIP, ["my_gamma == (1 / 4"], "not handed in", ""),
        (FLIP, ["not_my_gamma = (1 / 4"], "not handed in", ""),
        (FLIP, ["my_gamma = 0.5\nmy_gamma?"], "one", ""),
        (FLIP, ["note = {[]: 1}\nmy_gamma = (\n    5\n    % 3\n)"], "one", ""),
        (BACKUP, ["# mine\ndef best_sweep P, R:\n    return R"], "syntax error", "def best_sweep P, R:"),
        (BACKUP, ["def best_sweep(P, R, gamma, V):\nreturn R"], "syntax error", "return R"),
        (BACKUP, ["x = 1\n\ndef best_sweep(P, R, gamma, V):\n    break"], "syntax error", "break"),
        (BACKUP, ["def best_sweep(P, R, gamma, V):\n    return " + "-" * 99_999 + "R"], "syntax error", ""),
    ],
)
def test_what_cannot_be_read_is_a_syntax_error(tmp_path, id, cells, outcome, line):
    file = tmp_path / "x.ipynb"
    file.write_text(json.dumps({"cells": [cell(c) for c in cells]}), encoding="utf-8")
    record = list(grade_one(ORIGINAL, file, [id]))[-1]
    if outcome == "one":
        assert record["outcome"] not in ("not handed in", "syntax error", "your turn")
    else:
        assert record["outcome"] == outcome
    assert record["points"] == 0
    assert f"<code>{line}</code>" in record["feedback"] or not line


def test_a_broken_cell_does_no_harm_to_an_answer_that_stands_elsewhere(tmp_path):
    file = tmp_path / "x.ipynb"
    cells = [cell("import numpy as np\n" + EXERCISES[BACKUP].solution_text()), cell("def best_sweep(P, R:")]
    file.write_text(json.dumps({"cells": cells}), encoding="utf-8")
    assert list(grade_one(ORIGINAL, file, [BACKUP]))[-1]["outcome"] == "passed"


def test_headings_have_the_books_numbers(tmp_path):
    assert list(headings(ORIGINAL).values())[:2] == ["1.1 A return by hand", "1.2 The discounted return"]
    assert list(headings(ORIGINAL)) == exercise_ids(ORIGINAL)
    # Homework: the other checks are taken out, and the file has another name.
    content = json.loads(ORIGINAL.read_text("utf-8"))
    kept = [c for c in content["cells"] if "check(" not in "".join(c["source"]) or BACKUP in "".join(c["source"])]
    homework = tmp_path / "homework.ipynb"
    homework.write_text(json.dumps(content | {"cells": kept}), encoding="utf-8")
    assert headings(homework) == {BACKUP: "1.5 One sweep"}
    # Without a number in the cell: the chapter of the file's name, and the order.
    bare = tmp_path / "07_mine.ipynb"
    checks = [cell(f'check("{id}", x)') for id in (BACKUP, SHAPING)]
    bare.write_text(json.dumps({"cells": checks}), encoding="utf-8")
    assert headings(bare) == {BACKUP: "7.1 One sweep", SHAPING: "7.2 A bonus that does no harm"}
    shutil.copy(bare, tmp_path / "mine.ipynb")
    assert headings(tmp_path / "mine.ipynb")[BACKUP] == "One sweep"


def test_the_histogram_tells_mistakes_from_what_was_not_tried():
    counts = {"passed": 3, "your turn": 2, "not handed in": 1, "syntax error": 1, "backup_without_gamma": 4}
    histogram = Counter({(BACKUP, outcome): n for outcome, n in counts.items()})
    picture = ElementTree.fromstring(_picture(histogram, {BACKUP: "1.5 One sweep"}))
    space = "{http://www.w3.org/2000/svg}"
    head, *labels = ("".join(t.itertext()) for t in picture.iter(f"{space}text"))
    assert head == "1.5 One sweep: 3 of 11 passed"
    colours = dict(zip(labels[::2], (r.get("fill") for r in picture.iter(f"{space}rect")), strict=True))
    assert list(colours) == ["backup_without_gamma", "passed", "your turn", "not handed in", "syntax error"]
    assert colours["your turn"] == colours["not handed in"]
    assert colours["backup_without_gamma"] == colours["syntax error"]
    assert len(set(colours.values())) == 3


def test_the_longest_name_of_a_mistake_fits_the_histogram():
    name = max((m.name for e in all_exercises().values() for m in e.mistakes), key=len)
    picture = ElementTree.fromstring(_picture(Counter({(BACKUP, name): 1}), {BACKUP: "1.5 One sweep"}))
    label = next(t for t in picture.iter("{http://www.w3.org/2000/svg}text") if t.text == name)
    assert float(label.get("x")) >= 7 * len(name)


def test_the_table_of_mistakes_is_the_books_order_and_frequent_first():
    titles = {SHAPING: "1.9 A", BACKUP: "1.5 B"}
    histogram = Counter({(BACKUP, "passed"): 1, (BACKUP, "your turn"): 2, (SHAPING, "passed"): 3})
    rows = [row[:4] for row in _mistakes(histogram, titles)]
    assert rows[0] == ("exercise", "outcome", "learners", "title")
    assert rows[1:] == [
        (SHAPING, "passed", "3", "1.9 A"), (BACKUP, "your turn", "2", "1.5 B"), (BACKUP, "passed", "1", "1.5 B"),
    ]  # fmt: skip


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
    assert "1 submission graded" in done.stdout
    assert "none of this chapter's exercises" not in done.stdout
    (tmp_path / "other.ipynb").write_text(json.dumps({"cells": [cell("my_target = 1")]}), encoding="utf-8")
    other = subprocess.run(
        [*command[:5], str(tmp_path / "other.ipynb"), *command[6:]], capture_output=True, text=True, check=False
    )
    assert "1 file holds none of this chapter's exercises: is it another chapter's notebook? (other)" in other.stdout
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


def test_files_of_one_name_get_a_row_each_named_after_their_folders(tmp_path):
    for folder in "anna", "bert":
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "x.ipynb").write_text("no notebook", encoding="utf-8")
    graded = grade(ORIGINAL, [tmp_path / f / "x.ipynb" for f in ("anna", "bert")], tmp_path / "out")
    assert set(graded) == {"anna-x", "bert-x"}
    assert (tmp_path / "out" / "bert-x.html").exists()
    assert strangers(graded) == [], "a file that is no notebook is told apart from another chapter's"


@pytest.mark.parametrize(
    ("files", "names"),
    [
        (["anna/x.ipynb", "anna/y.ipynb"], ["x", "y"]),
        (["anna/x.ipynb", "bert/x.ipynb", "bert/y.ipynb"], ["anna-x", "bert-x", "y"]),
        (["1/anna/x.ipynb", "2/anna/x.ipynb", "3/anna/x.ipynb"], ["anna-x", "anna-x-2", "anna-x-3"]),
        (["anna/x.ipynb", "bert/x.ipynb", "all/anna-x.ipynb"], ["anna-x", "bert-x", "anna-x-2"]),
        (["anna/X.ipynb", "Anna/x.ipynb"], ["anna-X", "Anna-x-2"]),
    ],
)
def test_names_of_rows_and_pages_differ(files, names):
    assert _distinct_names([Path(file) for file in files]) == names


def test_files_that_hold_none_of_the_exercises_are_found(graded, tmp_path):
    _, folder = graded
    files = [folder / "other.ipynb", folder / "letter.ipynb", folder / "empty.ipynb"]
    assert strangers(grade(ORIGINAL, files, tmp_path / "out", jobs=2)) == ["other"]


def test_a_class_is_graded_like_a_function(tmp_path):
    replay = all_exercises()["dqn.replay"]
    original = tmp_path / "03_original.ipynb"
    cells = [cell(replay.stub(), "exercise"), cell('check("dqn.replay", MyReplay)', "exercise-check")]
    original.write_text(json.dumps({"cells": cells}), encoding="utf-8")
    right, mistake = "import numpy as np\n" + replay.solution_text(), replay.stub().replace("raise", "return [].pop #")
    for source, outcome in [
        (right, "passed"),
        (right.replace("            self.kept[self.next] = transition", "            pass"), "RefusesNews"),
        (replay.stub(), "your turn"),
        (mistake.replace("):", ""), "syntax error"),
        ("MyOtherReplay = 3", "not handed in"),
    ]:
        file = tmp_path / "submission.ipynb"
        file.write_text(json.dumps({"cells": [cell(source)]}), encoding="utf-8")
        assert list(grade_one(original, file, ["dqn.replay"]))[-1]["outcome"] == outcome


def test_our_own_setup_may_take_its_time(tmp_path, monkeypatch):
    monkeypatch.setattr("rlkit.exercises.grading.DEFINITION_SECONDS", 0.2)
    (tmp_path / "slow_to_load.py").write_text("import time\ntime.sleep(0.5)\nr = 4.0", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    original = tmp_path / "original.ipynb"
    cells = [cell("from slow_to_load import r", "setup"), cell('check("mdps.return_by_hand", my_return)')]
    original.write_text(json.dumps({"cells": cells}), encoding="utf-8")
    file = tmp_path / "submission.ipynb"
    file.write_text(json.dumps({"cells": [cell("my_return = r")]}), encoding="utf-8")
    assert list(grade_one(original, file, ["mdps.return_by_hand"]))[-1]["outcome"] == "passed"
