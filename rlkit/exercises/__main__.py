"""The command line: list the exercises, write their stubs into the manuscripts, grade a class."""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path

from rlkit.exercises import all_exercises
from rlkit.exercises.grading import MARK, grade, grade_one, strangers
from rlkit.exercises.stubs import sync


def main() -> None:
    """Run one of the commands."""
    parser = argparse.ArgumentParser(prog="python -m rlkit.exercises", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("list", help="print every exercise with its points and mistakes")
    one = commands.add_parser("sync", help="write the stubs into the manuscripts")
    one.add_argument("folder", type=Path, nargs="?", default=Path("book/chapters"))
    many = commands.add_parser("grade", help="grade a class")
    many.add_argument("original", type=Path, help="the notebook as it was handed out")
    many.add_argument("submissions", type=Path, nargs="+", help="the notebooks that came back")
    many.add_argument(
        "--out", type=Path, required=True, help="folder for grades.csv, the histogram, the feedback pages"
    )
    many.add_argument("--jobs", type=int, default=2, help="submissions graded at the same time (default: 2)")
    worker = commands.add_parser("grade-one")
    worker.add_argument("original", type=Path)
    worker.add_argument("submission", type=Path)
    worker.add_argument("ids", nargs="+")
    args = parser.parse_args()

    if args.command == "list":
        for id, exercise in all_exercises().items():
            print(f"{id:28} {exercise.points} point(s)  {exercise.title}")
            for mistake in exercise.mistakes:
                print(f"{'':28} - {mistake.name}")
    elif args.command == "sync":
        for file in sync(args.folder):
            print(f"{file}: stubs rewritten")
    elif args.command == "grade":
        try:
            graded = grade(args.original, args.submissions, args.out, args.jobs)
        except ValueError as error:
            sys.exit(f"error: {error}")
        count = len(graded)
        print(f"{count} submission{'s' if count != 1 else ''} graded: {args.out / 'grades.csv'}")
        if others := strangers(graded):
            hold = "1 file holds" if len(others) == 1 else f"{len(others)} files hold"
            print(f"{hold} none of this chapter's exercises: is it another chapter's notebook? ({', '.join(others)})")
    else:
        # The true standard output, kept from whatever the submission does to sys.stdout.
        out = os.fdopen(os.dup(1), "w", encoding="utf-8")
        for record in grade_one(args.original, args.submission, args.ids):
            print(MARK + json.dumps(record), file=out, flush=True)
        os._exit(0)  # a thread that could not be stopped must not keep the process alive


if __name__ == "__main__":
    main()
