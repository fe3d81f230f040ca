"""What stands in a notebook: check, working, quiz, progress."""

from __future__ import annotations

import difflib
import importlib
import json
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

from rlkit.core.checks import brief
from rlkit.exercises.cards import Card, prose, verdict_card
from rlkit.exercises.exercise import Exercise
from rlkit.exercises.judging import evaluate
from rlkit.exercises.quizzes import Quiz

# The modules that hold exercises, in the order of the book; a new chapter adds its own here. Each is imported when it is
# asked for, so that a page waits for its own exercises only, and depends on no others (tools/provenance.py knows which).
CHAPTERS = ("mdps", "q_learning", "dqn", "policy_gradients", "actor_critic", "ddpg", "marl", "madqn", "games", "nash_q")


def chapter(name: str) -> Any:
    """Return the module of that name that holds exercises.

    Raises:
        ValueError: there is none.
    """
    if name not in CHAPTERS:
        raise ValueError(f"{brief(name)} is none of {', '.join(CHAPTERS)} (see CHAPTERS in rlkit/exercises/learner.py)")
    return importlib.import_module(f"rlkit.exercises.{name}")


def all_exercises(*names: str) -> dict[str, Exercise]:
    """Return every exercise of the book, or of these modules, by its id, in the order of the pages."""
    found = [v for name in names or CHAPTERS for v in vars(chapter(name)).values() if isinstance(v, Exercise)]
    return {exercise.id: exercise for exercise in found}


def get(id: str) -> Exercise:
    """Return one exercise.

    Raises:
        ValueError: if there is none of that id.
    """
    name = str(id).partition(".")[0]
    try:
        exercises = all_exercises(name)
    except ValueError as error:
        raise ValueError(f"there is no exercise {brief(id)}: {error}") from None
    if not isinstance(id, str) or id not in exercises:
        near = difflib.get_close_matches(str(id), exercises, n=3, cutoff=0.3) or list(exercises)
        raise ValueError(f"there is no exercise {brief(id)}; do you mean {', '.join(near)}?")
    return exercises[id]


def check(id: str, answer: Any = None) -> Card:
    """Check an answer and return a card that says what was found.

    Args:
        id: of the exercise.
        answer: your function, or your value.
    """
    verdict = evaluate(get(id), answer)
    if verdict.status not in ("your turn", "the book's own"):
        record(id, verdict.passed)
    return verdict_card(verdict)


def working(id: str, answer: Any) -> Any:
    """Return your function if it passes its check, else the book's, and say in one line which.

    Later cells use it, so that the page goes on whatever you wrote, and runs on your own code once it works.
    """
    exercise = get(id)
    verdict = evaluate(exercise, answer)
    if verdict.passed:
        print(f"{exercise.name}: yours.")
        return answer
    print(f"{exercise.name}: the book's, until yours passes.")
    return exercise.solution() if exercise.value else exercise.solution


def quiz(id: str) -> Card:
    """Return a quiz: each answer is a fold that says why it is right or wrong.

    Args:
        id: of the chapter, such as "mdps".
    """
    questions = getattr(chapter(id), "quiz", None) if id in CHAPTERS else None
    if not isinstance(questions, Quiz):
        raise ValueError(f"there is no quiz {id!r}")
    return questions.card()


# -- progress ----------------------------------------------------------------------------------------------------------


def _file() -> Path | None:
    where = os.environ.get("RLKIT_PROGRESS", "")
    if where.lower() == "off":
        return None
    return Path(where) if where else Path.home() / ".rlkit_progress.json"


def _load() -> dict[str, bool]:
    file = _file()
    if file is None:
        return {}
    try:
        data = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return {str(k): bool(v) for k, v in data.items()} if isinstance(data, dict) else {}


def record(id: str, passed: bool) -> None:
    """Remember that an exercise was tried, and whether it has ever been passed; never raises."""
    file = _file()
    if file is None:
        return
    with suppress(OSError, RuntimeError):
        done = _load()
        done[id] = passed or done.get(id, False)
        part = file.with_name(f"{file.name}.{os.getpid()}.part")
        part.write_text(json.dumps(done, indent=1, sort_keys=True), encoding="utf-8")
        os.replace(part, file)


def progress(*names: str) -> Card:
    """Return how far you are: a bar and a table.

    Args:
        names: the modules whose exercises count, such as "mdps" (all of the book, unless said).
    """
    done = _load()
    exercises = all_exercises(*names)
    passed = [id for id in exercises if done.get(id)]
    share = len(passed) / max(1, len(exercises))
    bar = "█" * round(20 * share) + "░" * (20 - round(20 * share))
    state = {True: "✓ passed", False: "✗ tried", None: ""}
    rows = "".join(
        f"<tr><td>{prose(e.title)}</td><td><code>{id}</code></td><td>{state[done.get(id)]}</td></tr>"
        for id, e in exercises.items()
    )
    head = f"{bar} {len(passed)} of {len(exercises)} exercises{' of this chapter' if names else ''} passed"
    return Card(
        f"<p><strong>{head}</strong></p><details><summary>All exercises</summary><table>{rows}</table></details>", head
    )


# -- a stub that was never run -----------------------------------------------------------------------------------------


def explain_missing_names() -> None:
    """In a notebook, answer a NameError for an exercise's own name by a sentence: the cell above was not run."""
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    if shell is None:
        return

    def handler(shell: Any, kind: type, error: NameError, trace: Any, tb_offset: int | None = None) -> None:
        names = {exercise.name for exercise in all_exercises().values()}
        if getattr(error, "name", None) in names:
            print(f"{error.name} does not exist yet: run the cell above, in which it is defined, and then this one.")
        else:
            shell.showtraceback((kind, error, trace), tb_offset=tb_offset)

    shell.set_custom_exc((NameError,), handler)
