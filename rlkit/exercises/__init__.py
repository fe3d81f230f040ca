"""Exercises that answer: each check says which mistake you made, and the checks themselves are proven.

In a notebook: ``check``, ``working``, ``quiz``, ``progress``. For authors: ``Exercise``, ``Case``. For graders:
``evaluate``, ``Verdict``, ``all_exercises``, and ``python -m rlkit.exercises``.
"""

from rlkit.exercises.exercise import Case, Exercise
from rlkit.exercises.judging import Verdict, evaluate
from rlkit.exercises.learner import all_exercises, check, explain_missing_names, progress, quiz, working
from rlkit.exercises.quizzes import Question, Quiz

__all__ = [
    "Case",
    "Exercise",
    "Question",
    "Quiz",
    "Verdict",
    "all_exercises",
    "check",
    "evaluate",
    "progress",
    "quiz",
    "working",
]

explain_missing_names()
