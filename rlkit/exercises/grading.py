"""Grading a class: each submission in a process of its own, and nothing that one does can stop the run.

The contract is the exercise's id and the name of the function. From a submission only definitions are taken (imports,
functions, classes, constants, and the answers to value exercises), wherever they stand; nothing else in it is run. So a
renamed file, a copied cell or an endless loop between the exercises does no harm.

The worker process (``python -m rlkit.exercises grade-one``) writes a line for each exercise as soon as it is decided.
When the process dies or hangs, the exercise that it had begun gets the blame, and a new process goes on with the next.
"""

from __future__ import annotations

import ast
import csv
import html
import json
import linecache
import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rlkit.exercises.cards import verdict_card
from rlkit.exercises.exercise import Exercise
from rlkit.exercises.judging import evaluate
from rlkit.exercises.learner import all_exercises
from rlkit.exercises.worker import OutOfTime, run

DEFINITION_SECONDS = 5.0
START_SECONDS = 30.0


@dataclass(frozen=True)
class Grade:
    """What one submission got for one exercise.

    Attributes:
        id: of the exercise.
        outcome: "passed", the name of a mistake, or why there is no verdict.
        points: earned.
        feedback: HTML.
    """

    id: str
    outcome: str
    points: int
    feedback: str


# -- reading notebooks -----------------------------------------------------------------------------------------------


def code_cells(file: Path) -> list[tuple[str, list[str]]]:
    """Return (source, tags) of the code cells of a notebook file.

    Raises:
        ValueError: if the file is no notebook.
    """
    try:
        cells = json.loads(file.read_text(encoding="utf-8"))["cells"]
        return [
            ("".join(cell["source"]), list(cell.get("metadata", {}).get("tags", [])))
            for cell in cells
            if cell["cell_type"] == "code"
        ]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{file.name} is not a notebook ({type(error).__name__})") from None


def exercise_ids(original: Path) -> list[str]:
    """Return the ids of the exercises that a notebook checks, in order."""
    known, found = all_exercises(), []
    for source, _ in code_cells(original):
        for id in known:
            if f'check("{id}"' in source and id not in found:
                found.append(id)
    if not found:
        raise ValueError(f"{original.name} checks no exercise: nothing can be graded")
    return found


def definitions(sources: Sequence[str], names: set[str]) -> Iterator[tuple[str, str]]:
    """Yield (label, code) for every definition in the cells, in order.

    Imports, functions, classes, assignments of literals, and assignments to ``names`` (the answers to value exercises)
    count. A cell with a syntax error is left out, whole.
    """
    for number, source in enumerate(sources, start=1):
        plain = "\n".join("" if line.lstrip().startswith(("%", "!", "?")) else line for line in source.splitlines())
        try:
            nodes = ast.parse(plain).body
        except (SyntaxError, ValueError):
            continue
        for node in nodes:
            if _defines(node, names):
                # Blank lines in front keep the line numbers of the cell.
                text = ast.get_source_segment(plain, node) or ""
                decorated = getattr(node, "decorator_list", [])
                if decorated:
                    first = decorated[0].lineno
                    text = "\n".join(plain.splitlines()[first - 1 : node.end_lineno])
                    yield f"<cell {number}>", "\n" * (first - 1) + text
                else:
                    yield f"<cell {number}>", "\n" * (node.lineno - 1) + text


def _defines(node: ast.stmt, names: set[str]) -> bool:
    if isinstance(node, (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.ClassDef)):
        return True
    if not isinstance(node, ast.Assign):
        return False
    targets = {t.id for t in node.targets if isinstance(t, ast.Name)}
    if targets & names or isinstance(node.value, ast.Lambda):
        return True
    try:
        ast.literal_eval(node.value)
    except ValueError:
        return False
    return True


# -- one submission, in a process of its own --------------------------------------------------------------------------


def grade_one(original: Path, submission: Path, ids: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Yield one record before and one after each exercise: what has begun, and what was decided."""
    exercises = all_exercises()
    scope: dict[str, Any] = {"__name__": "__submission__"}
    names = {exercises[id].name for id in ids}
    setup = [source for source, tags in code_cells(original) if "setup" in tags]
    sources = [source for source, _ in code_cells(submission)]
    for label, code in [*definitions(setup, set()), *definitions(sources, names)]:
        linecache.cache[label] = (len(code), None, code.splitlines(keepends=True), label)
        try:
            run(lambda code=code, label=label: exec(compile(code, label, "exec"), scope), DEFINITION_SECONDS)  # type: ignore[misc]
        except (Exception, OutOfTime, SystemExit, KeyboardInterrupt):
            continue  # what it would have defined is missing; the exercises that need it will say so
    for id in ids:
        yield {"begin": id}
        exercise = exercises[id]
        if exercise.name not in scope:
            yield _record(exercise, "not handed in", 0, f"There is no `{exercise.name}` in the notebook.")
            continue
        verdict = evaluate(exercise, scope[exercise.name])
        points = exercise.points if verdict.passed else 0
        yield {"id": id, "outcome": verdict.outcome, "points": points, "feedback": verdict_card(verdict)._repr_html_()}
        if verdict.runs_on:
            yield {"restart": id}  # in this process everything after it would be slow
            return


def _record(exercise: Exercise, outcome: str, points: int, text: str) -> dict[str, Any]:
    return {"id": exercise.id, "outcome": outcome, "points": points, "feedback": f"<p>{html.escape(text)}</p>"}


def _grade_submission(original: Path, submission: Path, ids: list[str]) -> list[Grade]:
    """Grade one submission in as many processes as it kills."""
    exercises = all_exercises()
    try:
        code_cells(submission)
    except ValueError as error:
        return [Grade(id, "no notebook", 0, f"<p>{html.escape(str(error))}</p>") for id in ids]
    left, grades = list(ids), []
    while left:
        limit = START_SECONDS + sum(exercises[id].time_limit for id in left)
        begun, restart = None, False
        for record in _records(original, submission, left, limit):
            if "begin" in record:
                begun = record["begin"]
            elif "restart" in record:
                restart = True
            else:
                grades.append(Grade(**record))
                left.remove(record["id"])
                begun = None
        if left and not restart:
            broken = begun or left[0]
            text = "The process ended or hung while this was being run, so there is no verdict."
            grades.append(Grade(**_record(exercises[broken], "crashed", 0, text)))
            left.remove(broken)
    return grades


def _records(original: Path, submission: Path, ids: list[str], limit: float) -> list[dict[str, Any]]:
    command = [sys.executable, "-m", "rlkit.exercises", "grade-one", str(original), str(submission), *ids]
    with tempfile.TemporaryDirectory() as home, tempfile.TemporaryFile("w+") as out:
        # A submission may write wherever it runs: it gets a folder of its own, as home and as working folder.
        environment = os.environ | {"HOME": home, "USERPROFILE": home, "RLKIT_PROGRESS": "off", "OMP_NUM_THREADS": "1"}
        try:
            subprocess.run(
                command, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.DEVNULL, timeout=limit, cwd=home,
                env=environment, check=False,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            pass
        out.seek(0)
        return [json.loads(line[len(MARK) :]) for line in out if line.startswith(MARK) and line.endswith("\n")]


MARK = "rlkit-record "
"""Begins each line that the worker means for us; a submission may print lines of its own."""


# -- a class -----------------------------------------------------------------------------------------------------------


def grade(original: Path, submissions: Sequence[Path], out: Path, jobs: int = 1) -> dict[str, list[Grade]]:
    """Grade all submissions and write grades.csv, misconceptions.csv, misconceptions.svg and a page for each learner.

    Args:
        original: the notebook as it was handed out.
        submissions: the notebooks that came back.
        out: a folder, made if it is missing.
        jobs: how many at a time.

    Returns:
        the grades of each submission, by its file's name without the ending.
    """
    ids = exercise_ids(original)
    out.mkdir(parents=True, exist_ok=True)
    stems = _distinct_names(submissions)
    graded: dict[str, list[Grade]] = {}
    with ThreadPoolExecutor(max_workers=jobs) as pool:
        work = [pool.submit(_grade_submission, original.resolve(), s.resolve(), ids) for s in submissions]
        for number, (stem, future) in enumerate(zip(stems, work, strict=True), start=1):
            graded[stem] = future.result()
            print(f"\r{number} of {len(work)} graded", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    _write(out / "grades.csv", _table(graded, ids))
    histogram = Counter((g.id, g.outcome) for grades in graded.values() for g in grades)
    rows = [("exercise", "outcome", "learners"), *((id, o, str(n)) for (id, o), n in sorted(histogram.items()))]
    _write(out / "misconceptions.csv", rows)
    _replace(out / "misconceptions.svg", _picture(histogram, ids))
    for stem, grades in graded.items():
        _replace(out / f"{stem}.html", _page(stem, grades))
    return graded


def _distinct_names(files: Sequence[Path]) -> list[str]:
    counts: Counter[str] = Counter()
    names = []
    for file in files:
        counts[file.stem] += 1
        names.append(file.stem if counts[file.stem] == 1 else f"{file.stem}-{counts[file.stem]}")
    return names


def _table(graded: dict[str, list[Grade]], ids: list[str]) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = [("submission", "points", *ids)]
    for stem, grades in graded.items():
        by_id = {g.id: g for g in grades}
        rows.append((stem, str(sum(g.points for g in grades)), *(by_id[id].outcome for id in ids)))
    return rows


def _write(file: Path, rows: Sequence[tuple[str, ...]]) -> None:
    part = file.with_suffix(file.suffix + ".part")
    with part.open("w", newline="", encoding="utf-8") as handle:
        csv.writer(handle).writerows([_harmless(cell) for cell in row] for row in rows)
    os.replace(part, file)


def _harmless(cell: str) -> str:
    """A cell that begins like a formula would be run by a spreadsheet: file names are the learners' own."""
    return "'" + cell if cell[:1] in "=+-@" else cell


def _replace(file: Path, text: str) -> None:
    part = file.with_suffix(file.suffix + ".part")
    part.write_text(text, encoding="utf-8")
    os.replace(part, file)


def _picture(histogram: Counter[tuple[str, str]], ids: list[str]) -> str:
    """Return bars, as SVG: for each exercise what it came to, the most frequent first."""
    rows: list[tuple[str, int]] = []
    for id in ids:
        rows.append((id, -1))
        rows += [(outcome, n) for (i, outcome), n in histogram.most_common() if i == id]
    most, body = max([n for _, n in rows] + [1]), []
    for k, (label, n) in enumerate(rows):
        y = 24 * k + 18
        text = html.escape(label)
        if n < 0:
            body.append(f'<text x="4" y="{y}" font-weight="bold">{text}</text>')
            continue
        colour = "#007f5f" if label == "passed" else "#bc4b00"
        body.append(f'<text x="244" y="{y}" text-anchor="end">{text}</text>')
        body.append(f'<rect x="252" y="{y - 13}" width="{340 * n / most:.1f}" height="16" fill="{colour}"/>')
        body.append(f'<text x="{258 + 340 * n / most:.1f}" y="{y}">{n}</text>')
    height = 24 * len(rows) + 10
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="640" height="{height}" role="img" font-family="sans-serif" '
        f'font-size="13" aria-label="How many learners made which mistake">{"".join(body)}</svg>\n'
    )


def _page(stem: str, grades: list[Grade]) -> str:
    exercises = all_exercises()
    parts = "".join(f"<h2>{html.escape(exercises[g.id].title)}</h2>{g.feedback}" for g in grades)
    total = sum(exercises[g.id].points for g in grades)
    return (
        '<!DOCTYPE html><html lang="en-GB"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>Feedback for {html.escape(stem)}</title><body style='font-family:sans-serif;max-width:45rem;margin:2rem auto;"
        f"padding:0 1rem'><h1>{html.escape(stem)}: {sum(g.points for g in grades)} of {total} points</h1>{parts}</body></html>\n"
    )
