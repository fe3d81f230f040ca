"""check, working, quiz and progress, as a notebook calls them."""

import json
import os
import re
import subprocess
import sys

import pytest

from rlkit.exercises import Question, Quiz, all_exercises, check, progress, quiz, working
from rlkit.exercises.learner import CHAPTERS
from rlkit.exercises.stubs import pages, with_stubs
from tools.provenance import ROOT

BY_HAND = all_exercises()["mdps.return_by_hand"]


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("RLKIT_PROGRESS", str(tmp_path / "progress.json"))
    return tmp_path / "progress.json"


def test_progress_is_remembered_and_a_pass_is_kept(home):
    check("mdps.return_by_hand", 4.0)
    check("mdps.return_by_hand", 14.0)
    check("mdps.where_it_flips", 0.25)
    assert json.loads(home.read_text()) == {"mdps.return_by_hand": True, "mdps.where_it_flips": False}
    assert f"1 of {len(all_exercises())} exercises passed" in repr(progress())
    assert f"1 of {len(all_exercises('mdps'))} exercises of this chapter passed" in repr(progress("mdps"))
    assert "0 of" in repr(progress("dqn", "ddpg"))


@pytest.mark.parametrize("content", ["", "not json", "[1, 2]", '{"mdps.return_by_hand": '])
def test_a_broken_progress_file_does_no_harm(home, content):
    home.write_text(content)
    progress()
    check("mdps.return_by_hand", 4.0)
    assert json.loads(home.read_text()) == {"mdps.return_by_hand": True}


def test_a_progress_file_that_cannot_be_written_does_no_harm(tmp_path, monkeypatch):
    monkeypatch.setenv("RLKIT_PROGRESS", str(tmp_path / "no" / "such" / "folder.json"))
    assert "Passed" in repr(check("mdps.return_by_hand", 4.0))


def test_an_untouched_stub_leaves_no_trace(home):
    check("mdps.return_by_hand", ...)
    assert not home.exists()


def test_working_gives_yours_if_it_passes_else_the_books(capsys):
    mine = lambda rewards, gamma: sum(gamma**k * r for k, r in enumerate(rewards))  # noqa: E731
    assert working("mdps.discounted_return", mine) is mine
    book = working("mdps.discounted_return", lambda rewards, gamma: 0.0)
    assert book([0, 0, 100], 0.9) == pytest.approx(81)
    assert working("mdps.return_by_hand", ...) == 4.0
    said = capsys.readouterr().out.splitlines()
    assert said[0] == "total_return: yours."
    assert said[1] == "total_return: the book's, until yours passes."


def test_working_gives_a_class_too(capsys):
    book = all_exercises()["dqn.replay"].solution
    mine = type("MyReplay", (), {k: v for k, v in vars(book).items() if k not in ("__dict__", "__weakref__")})
    assert working("dqn.replay", mine) is mine
    assert working("dqn.replay", type("MyReplay", (book,), {"__len__": lambda self: 7})) is book
    assert capsys.readouterr().out.splitlines() == ["MyReplay: yours.", "MyReplay: the book's, until yours passes."]


def test_a_quiz_explains_every_answer():
    card = quiz("mdps")
    assert card._repr_html_().count("<details>") == card._repr_html_().count("Right.") + card._repr_html_().count("No.")
    assert card._repr_html_().count("✓ Right.") == 5
    with pytest.raises(ValueError, match="no quiz 'nothing'"):
        quiz("nothing")


def test_a_question_has_one_right_answer():
    with pytest.raises(ValueError, match="exactly one"):
        Quiz(Question("?", (("a", True, "."), ("b", True, "."))))


def test_cards_need_no_script_and_no_style_sheet():
    html = check("mdps.return_by_hand", 14.0)._repr_html_()
    assert "<script" not in html and "<style" not in html
    assert "Hint 1" in html and "Show the solution" in html


def test_a_stub_that_was_never_run_gives_a_sentence():
    code = (
        "from IPython.core.interactiveshell import InteractiveShell as S; s = S.instance();"
        "s.run_cell('from rlkit.exercises import check');"
        "s.run_cell('check(\"mdps.discounted_return\", total_return)');"
        "s.run_cell('something_else')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "total_return does not exist yet: run the cell above" in done.stdout
    assert "name 'something_else' is not defined" in done.stdout
    assert "name 'total_return'" not in done.stdout


def test_importing_the_exercises_loads_neither_torch_nor_matplotlib():
    code = (
        "import sys, rlkit.exercises as e; e.all_exercises(); e.progress(); e.quiz('dqn'); e.check('dqn.epsilon');"
        "e.check('mdps.discounted_return', lambda rewards, gamma: 0.0); e.check('dqn.corridor', 0.5);"
        "print([m for m in ('torch', 'matplotlib', 'ipywidgets', 'gymnasium') if m in sys.modules])"
    )
    quiet = os.environ | {"RLKIT_PROGRESS": "off"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=quiet)
    assert done.stdout.strip() == "[]"


def test_exercises_stand_in_the_order_of_the_pages():
    manuscripts = pages(ROOT / "book" / "chapters")
    asked = [
        id for file, _, _ in manuscripts for id in re.findall(r'^check\("([\w.]+)"', file.read_text("utf-8"), re.M)
    ]
    assert asked == list(all_exercises())


def test_a_check_imports_the_exercises_of_its_own_chapter_only():
    code = (
        "import sys, rlkit.exercises as e; e.check('mdps.return_by_hand', 4.0); e.quiz('mdps'); e.progress('mdps');"
        f"print([name for name in {CHAPTERS} if f'rlkit.exercises.{{name}}' in sys.modules])"
    )
    quiet = os.environ | {"RLKIT_PROGRESS": "off"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=quiet)
    assert done.stdout.strip() == "['mdps']"


def test_no_chapters_exercises_are_left_out():
    texts = {file.stem: file.read_text("utf-8") for file in (ROOT / "rlkit" / "exercises").glob("*.py")}
    assert {name for name, text in texts.items() if "= Exercise(\n" in text} == set(CHAPTERS)


def test_printed_text_is_shown_and_told_from_a_returned_value():
    def prints(rewards, gamma):
        print("the total is", sum(rewards))

    card = check("mdps.discounted_return", prints)
    assert "printing shows a value" in card.text
    assert "the total is 14" in card.body

    def talks_without_end(rewards, gamma):
        print("x" * 100_000)
        return 0.0

    assert len(check("mdps.discounted_return", talks_without_end).body) < 10_000


def test_a_chapter_that_nobody_knows_is_named():
    with pytest.raises(ValueError, match=rf"bandits.* is none of {', '.join(CHAPTERS)} .*learner\.py"):
        check("bandits.average", lambda: None)


@pytest.mark.parametrize("tags", ["[exercise, hide-input]", "[exercises]"])
def test_a_check_without_a_cell_for_an_answer_is_told(tags):
    good = "```{code-cell} ipython3\n:tags: [exercise]\n\n```\n\n```{code-cell} ipython3\n:tags: [exercise-check]\n\n"
    good += 'check("mdps.return_by_hand", my_return)\n```\n'
    assert "# ✎ Exercise 7.1: A return by hand\nmy_return = ...\n```" in with_stubs(good, 7), "an empty cell is filled"
    assert with_stubs(with_stubs(good, 7), 7) == with_stubs(good, 7)
    assert "Exercise 7.4:" in with_stubs(good, 7, before=3), "a chapter's second page goes on counting"
    with pytest.raises(ValueError, match="chapter 7 has 1 checks, but 0 cells"):
        with_stubs(good.replace("[exercise]", tags), 7)
