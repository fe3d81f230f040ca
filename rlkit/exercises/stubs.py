"""Keeping the stubs in the manuscripts in step with the exercises.

A manuscript has, for each exercise, a cell tagged ``exercise`` and after it a cell tagged ``exercise-check`` with
``check("chapter.name", answer)``. ``sync`` rewrites the former from the exercise that the latter names.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from pathlib import Path

from rlkit.exercises.learner import CHAPTERS, get

_PAIR = re.compile(
    r"(?P<open>```\{code-cell\}[^\n]*\n:tags: \[exercise\]\n\n)(?P<stub>(?:(?!```)[^\n]*\n)*)(?P<close>```\n)"
    r"(?P<between>(?:(?!```\{code-cell\}).)*?```\{code-cell\}[^\n]*\n:tags: \[exercise-check\]\n\n"
    r'check\("(?P<id>[\w.]+)")',
    re.DOTALL,
)


def with_stubs(manuscript: str, chapter: int, before: int = 0) -> str:
    """Return a manuscript with every stub as its exercise says, numbered in order.

    Args:
        manuscript: the text.
        chapter: its number, for "Exercise 1.3".
        before: how many exercises the chapter's earlier pages have.

    Raises:
        ValueError: if a check names an exercise that does not exist, or has no cell for an answer before it.
    """
    count = 0

    def fill(pair: re.Match[str]) -> str:
        nonlocal count
        count += 1
        exercise = get(pair["id"])
        head = f"# ✎ Exercise {chapter}.{before + count}: {exercise.title}"
        return f"{pair['open']}{head}\n{exercise.stub()}\n{pair['close']}{pair['between']}"

    filled = _PAIR.sub(fill, manuscript)
    checks = len(re.findall(r'^check\("', manuscript, re.MULTILINE))
    if count != checks:
        raise ValueError(
            f"chapter {chapter} has {checks} checks, but {count} cells for answers: before each check there must be a cell "
            "with the line ':tags: [exercise]', exactly so, and an empty line after it"
        )
    return filled


def pages(chapters: Path) -> list[tuple[Path, int, int]]:
    """Return (manuscript, chapter, exercises on the chapter's earlier pages) for a folder, in the order of the book.

    The pages of one chapter are in the order of their exercises in ``learner.CHAPTERS``.
    """
    asked = {
        file: re.findall(r'^check\("(\w+)\.', file.read_text(encoding="utf-8"), re.MULTILINE)
        for file in chapters.glob("[0-9][0-9]_*.md")
    }

    def place(file: Path) -> tuple[int, list[int], str]:
        return int(file.name[:2]), [CHAPTERS.index(name) for name in asked[file][:1] if name in CHAPTERS], file.name

    counts: Counter[int] = Counter()
    found = []
    for file in sorted(asked, key=place):
        chapter = int(file.name[:2])
        found.append((file, chapter, counts[chapter]))
        counts[chapter] += len(asked[file])
    return found


def sync(chapters: Path) -> list[Path]:
    """Rewrite the stubs of all manuscripts in a folder, and return the files that changed."""
    changed = []
    for file, chapter, earlier in pages(chapters):
        before = file.read_text(encoding="utf-8")
        after = with_stubs(before, chapter, earlier)
        if after != before:
            part = file.with_suffix(".part")
            part.write_text(after, encoding="utf-8")
            os.replace(part, file)
            changed.append(file)
    return changed
