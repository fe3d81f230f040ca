"""Quizzes: questions whose every answer is explained, in plain folds."""

from __future__ import annotations

from dataclasses import dataclass

from rlkit.exercises.cards import Card, prose


@dataclass(frozen=True)
class Question:
    """A question with its answers.

    Attributes:
        text: the question.
        answers: (answer, whether it is right, why); exactly one is right.
    """

    text: str
    answers: tuple[tuple[str, bool, str], ...]

    def __post_init__(self) -> None:
        if sum(right for _, right, _ in self.answers) != 1:
            raise ValueError(f"exactly one answer must be right: {self.text}")


class Quiz:
    """Questions about a chapter."""

    def __init__(self, *questions: Question):
        self.questions = questions

    def card(self) -> Card:
        """Return the quiz as a card: open an answer to read why it is right or wrong."""
        items = []
        for question in self.questions:
            folds = "".join(
                f"<details><summary>{prose(answer)}</summary><p>{'✓ Right.' if right else '✗ No.'} {prose(why)}</p></details>"
                for answer, right, why in question.answers
            )
            items.append(f"<li><p>{prose(question.text)}</p>{folds}</li>")
        return Card(f"<ol>{''.join(items)}</ol>", f"A quiz of {len(self.questions)} questions")
