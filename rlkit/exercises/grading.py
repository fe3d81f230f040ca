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
import re
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from rlkit.exercises.cards import prose, verdict_card
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


def headings(original: Path) -> dict[str, str]:
    """Return "2.1 The Q-learning target" for the id of each exercise that a notebook checks.

    The number is the one that stands in the exercise's own cell, so it stays right where other exercises were taken out.
    Where there is none, it is made of the chapter in the file's name and of the order; and without that, only the title
    is left.
    """
    exercises, chapter = all_exercises(), re.match(r"\d+", original.name)
    found: dict[str, str] = {}
    ids, number = exercise_ids(original), ""
    for source, tags in code_cells(original):
        if "exercise" in tags:
            said = re.match(r"\W*Exercise (\d+\.\d+)", source)
            number = said[1] if said else ""
        for id in ids:
            if f'check("{id}"' in source and id not in found:
                by_order = f"{int(chapter[0])}.{len(found) + 1}" if chapter else ""
                found[id] = f"{number or by_order} {exercises[id].title}".lstrip()
                number = ""
    return found


@dataclass(frozen=True)
class Broken:
    """Code in a submission that Python cannot read.

    Attributes:
        source: the cell.
        message: Python's own.
        line: (line number, text), where known.
    """

    source: str
    message: str
    line: tuple[int, str] | None

    def defines(self, name: str) -> bool:
        """Whether somebody meant to define ``name`` here."""
        pattern = rf"^\s*(?:(?:def|class)\s+{name}\b|{name}\s*(?::[^=\n]*)?=(?!=))"
        return re.search(pattern, self.source, re.MULTILINE) is not None


_UNREADABLE = (SyntaxError, ValueError, RecursionError, MemoryError)
"""What Python says to code that it cannot read: besides errors of syntax, null characters and brackets without end."""


def _broken(source: str, error: BaseException) -> Broken:
    if not isinstance(error, SyntaxError):
        return Broken(source, str(error) or type(error).__name__, None)
    lines, number = source.splitlines(), error.lineno or 0
    return Broken(source, error.msg, (number, lines[number - 1].strip()) if 0 < number <= len(lines) else None)


def _read(source: str) -> tuple[str, list[ast.stmt]] | Broken:
    """Return a cell as plain Python, and its statements."""
    try:
        return source, ast.parse(source).body
    except _UNREADABLE:
        pass
    # Lines that only a notebook understands: %matplotlib inline, !ls, my_function?
    notebooks_own = re.compile(r"\s*[%!?]|\s*[\w.]+\?{1,2}\s*$")
    plain = "\n".join("" if notebooks_own.match(line) else line for line in source.splitlines())
    try:
        return plain, ast.parse(plain).body
    except _UNREADABLE as error:
        return _broken(plain, error)


def definitions(sources: Sequence[str], names: set[str]) -> Iterator[tuple[str, str]]:
    """Yield (label, code) for every definition in the cells, in order.

    Imports, functions, classes, assignments of literals, and assignments to ``names`` (the answers to value exercises)
    count. A cell with a syntax error is left out, whole.
    """
    for number, source in enumerate(sources, start=1):
        cell = _read(source)
        if isinstance(cell, Broken):
            continue
        plain, nodes = cell
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
    except (TypeError, *_UNREADABLE):
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
    broken = [cell for cell in map(_read, sources) if isinstance(cell, Broken)]
    ours = [(label, code, START_SECONDS) for label, code in definitions(setup, set())]  # they may load torch
    theirs = [(label, code, DEFINITION_SECONDS) for label, code in definitions(sources, names)]
    for label, code, seconds in [*ours, *theirs]:
        linecache.cache[label] = (len(code), None, code.splitlines(keepends=True), label)
        try:
            program = compile(code, label, "exec")
        except _UNREADABLE as error:  # a break outside a loop, say, which is noticed only now
            broken.append(_broken(code, error))
            continue
        try:
            run(lambda program=program: exec(program, scope), seconds)  # type: ignore[misc]
        except (Exception, OutOfTime, SystemExit, KeyboardInterrupt):
            continue  # what it would have defined is missing; the exercises that need it will say so
    for id in ids:
        yield {"begin": id}
        exercise = exercises[id]
        verdict = evaluate(exercise, scope[exercise.name]) if exercise.name in scope else None
        if verdict is None or verdict.status == "your turn":
            attempts = [cell for cell in broken if cell.defines(exercise.name)]
            if attempts:
                yield _syntax_error(exercise, attempts[-1])
                continue
        if verdict is None:
            yield _record(exercise, "not handed in", f"There is no `{exercise.name}` in the notebook.")
            continue
        if verdict.status == "your turn":
            verdict = replace(verdict, text="Not tried.")
        points = exercise.points if verdict.passed else 0
        yield {"id": id, "outcome": verdict.outcome, "points": points, "feedback": verdict_card(verdict)._repr_html_()}
        if verdict.runs_on:
            yield {"restart": id}  # in this process everything after it would be slow
            return


def _record(exercise: Exercise, outcome: str, text: str) -> dict[str, Any]:
    """Return the record of an exercise that could not be judged."""
    return {"id": exercise.id, "outcome": outcome, "points": 0, "feedback": f"<p>{prose(text)}</p>"}


def _syntax_error(exercise: Exercise, cell: Broken) -> dict[str, Any]:
    text = (
        f"There is a syntax error in the cell with `{exercise.name}`, so nothing in that cell could be run. "
        f"Python says: {cell.message}{'' if cell.message.endswith(('.', '?')) else '.'}"
    )
    record = _record(exercise, "syntax error", text)
    if cell.line:
        number, source = cell.line
        record["feedback"] += f"<p>In line {number} of the cell: <code>{html.escape(source, quote=False)}</code></p>"
    return record


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
            grades.append(Grade(**_record(exercises[broken], "crashed", text)))
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
        the grades of each submission, by its file's name without the ending; where several files have that name, by the
        name of their folder as well.
    """
    titles = headings(original)
    ids = list(titles)
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
    _write(out / "misconceptions.csv", _mistakes(histogram, titles))
    _replace(out / "misconceptions.svg", _picture(histogram, titles))
    for stem, grades in graded.items():
        _replace(out / f"{stem}.html", _page(stem, grades, titles))
    return graded


def strangers(graded: dict[str, list[Grade]]) -> list[str]:
    """Return the submissions in which none of the exercises was found."""
    return [stem for stem, grades in graded.items() if all(g.outcome == "not handed in" for g in grades)]


def _distinct_names(files: Sequence[Path]) -> list[str]:
    """Return a name for each file: its stem, else its folder and its stem, else these and a number.

    Names that differ by capitals only would be one page on some disks, so they count as equal.
    """
    stems = Counter(file.stem.casefold() for file in files)
    wanted = [f.stem if stems[f.stem.casefold()] == 1 else f"{f.resolve().parent.name}-{f.stem}" for f in files]
    taken: set[str] = set()
    names = []
    for name in wanted:
        number, distinct = 1, name
        while distinct.casefold() in taken:
            number += 1
            distinct = f"{name}-{number}"
        taken.add(distinct.casefold())
        names.append(distinct)
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
    return "'" + cell if cell.startswith(("=", "+", "-", "@")) else cell


def _replace(file: Path, text: str) -> None:
    part = file.with_suffix(file.suffix + ".part")
    part.write_text(text, encoding="utf-8")
    os.replace(part, file)


def _mistakes(histogram: Counter[tuple[str, str]], titles: dict[str, str]) -> list[tuple[str, ...]]:
    """Return the rows of the table of mistakes: the book's order, and for each exercise the most frequent first."""
    exercises = all_exercises()
    rows: list[tuple[str, ...]] = [("exercise", "outcome", "learners", "title", "sentence")]
    for id, title in titles.items():
        sentences = {mistake.name: mistake.sentence for mistake in exercises[id].mistakes}
        rows += [(id, o, str(n), title, sentences.get(o, "")) for o, n in _outcomes(histogram, id)]
    return rows


def _outcomes(histogram: Counter[tuple[str, str]], id: str) -> list[tuple[str, int]]:
    found = [(outcome, n) for (i, outcome), n in histogram.items() if i == id]
    return sorted(found, key=lambda pair: (-pair[1], pair[0]))


_COLOURS = {"passed": "#007f5f"} | dict.fromkeys(("your turn", "not handed in", "no notebook"), "#8a8a8a")
_MISTAKE = "#bc4b00"


def _picture(histogram: Counter[tuple[str, str]], titles: dict[str, str]) -> str:
    """Return bars, as SVG: for each exercise how many passed and what it came to, the most frequent first."""
    most = max([1, *histogram.values()])
    left = 20 + 7.5 * max([len(outcome) for _, outcome in histogram] + [20])  # no font's letters are known here
    y, body = 18, []
    for id, title in titles.items():
        outcomes = _outcomes(histogram, id)
        passed = f"{histogram[id, 'passed']} of {sum(n for _, n in outcomes)}"
        body.append(f'<text x="4" y="{y}"><tspan font-weight="bold">{_escape(title)}</tspan>: {passed} passed</text>')
        for outcome, n in outcomes:
            y += 24
            wide, colour = 340 * n / most, _COLOURS.get(outcome, _MISTAKE)
            body.append(f'<text x="{left:g}" y="{y}" text-anchor="end">{_escape(outcome)}</text>')
            body.append(f'<rect x="{left + 8:g}" y="{y - 13}" width="{wide:.1f}" height="16" fill="{colour}"/>')
            body.append(f'<text x="{left + 14 + wide:.1f}" y="{y}">{n}</text>')
        y += 34
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{left + 400:g}" height="{y}" role="img" font-family="sans-serif" '
        f'font-size="13" aria-label="How many learners made which mistake">{"".join(body)}</svg>\n'
    )


def _escape(text: str) -> str:
    return html.escape(text.replace("`", ""), quote=False)


def _page(stem: str, grades: list[Grade], titles: dict[str, str]) -> str:
    exercises = all_exercises()
    parts = "".join(f"<h2>{prose(titles[g.id])}</h2>{g.feedback}" for g in grades)
    total = sum(exercises[g.id].points for g in grades)
    return (
        '<!DOCTYPE html><html lang="en-GB"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>Feedback for {html.escape(stem)}</title><body style='font-family:sans-serif;max-width:45rem;margin:2rem auto;"
        f"padding:0 1rem'><h1>{html.escape(stem)}: {sum(g.points for g in grades)} of {total} points</h1>{parts}</body></html>\n"
    )
