"""What an author writes: an exercise with its solution, its situations, and the mistakes that people make.

The typical mistakes are the heart of it. Each is a wrong solution with one kind sentence. A learner's answer that behaves
like it in every situation gets that sentence; and the tests prove that each mistake is caught, and named as itself.
"""

from __future__ import annotations

import inspect
import re
import textwrap
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np

Function = TypeVar("Function", bound=Callable[..., Any])

PLACEHOLDER = 'raise NotImplementedError("your code here")'


@dataclass(frozen=True)
class Case:
    """One situation in which an answer is tried.

    Attributes:
        label: what is special about it, in a few words.
        args: the positional arguments; every try gets fresh copies.
        why: how to find the right answer by hand; empty for random situations.
        call: code with which a learner can see it for themselves (default: the call with these arguments).
    """

    label: str
    args: tuple[Any, ...] = ()
    why: str = ""
    call: str = ""


@dataclass(frozen=True)
class Mistake:
    """A wrong solution that people write.

    Attributes:
        name: the function's name, which grades use.
        sentence: what to tell its author, kindly.
        function: the wrong solution.
    """

    name: str
    sentence: str
    function: Callable[..., Any]


class Exercise:
    """An exercise; its parts are added by the decorators below.

    Args:
        id: ``"chapter.name"``, where chapter is the module in which it stands.
        title: as in the chapter.
        name: of the function, the class or the variable that the learner defines.
        hints: 2 to 4, each a little more; the last one ends at code.
        insight: one sentence to take away, shown on a pass.
        value: whether the answer is a value instead of a function; the reference then takes no arguments.
        rtol, atol: how far numbers may be off.
        time_limit: seconds for all situations together.
        points: what a pass is worth in a grade.
    """

    def __init__(
        self,
        id: str,
        *,
        title: str,
        name: str,
        hints: list[str],
        insight: str,
        value: bool = False,
        rtol: float = 1e-6,
        atol: float = 1e-8,
        time_limit: float = 5.0,
        points: int = 1,
    ):
        self.id, self.title, self.name, self.hints, self.insight = id, title, name, hints, insight
        self.value, self.rtol, self.atol, self.time_limit, self.points = value, rtol, atol, time_limit, points
        self.solution: Callable[..., Any]
        self.make_cases: Callable[[np.random.Generator], Iterator[Case]] = lambda rng: iter([Case("your answer")])
        self.observe: Callable[..., Any] | None = None
        self.verdict_on: Callable[[Case, Any], str | None] | None = None
        self.alternatives: list[Callable[..., Any]] = []
        self.mistakes: list[Mistake] = []
        self.faulty: Callable[..., Any] | None = None

    def reference(self, function: Function) -> Function:
        """Mark the solution, a function or a class.

        Lines between ``# BEGIN SOLUTION`` and ``# END SOLUTION`` are what the stub leaves out; a class marks them in each
        of its methods.
        """
        self.solution = function
        return function

    def cases(self, function: Callable[[np.random.Generator], Iterator[Case]]) -> Callable[..., Iterator[Case]]:
        """Mark the generator of situations: those worked by hand first, random ones after."""
        self.make_cases = function
        return function

    def trial(self, function: Function) -> Function:
        """Mark ``(answer, *args) -> what is judged``, where that is not simply what the answer returns.

        A class is used in it, a gradient taken, a network looked at after it was changed. It should return as it is what it
        cannot read, and None where the answer returned None.
        """
        self.observe = function
        return function

    def judge(self, function: Callable[[Case, Any], str | None]) -> Callable[[Case, Any], str | None]:
        """Mark a judge ``(case, got) -> None | sentence``, for answers that are not unique."""
        self.verdict_on = function
        return function

    def also_right(self, function: Function) -> Function:
        """Mark another correct solution."""
        self.alternatives.append(function)
        return function

    def mistake(self, sentence: str) -> Callable[[Function], Function]:
        """Mark a wrong solution, and say the sentence that its author should read."""

        def add(function: Function) -> Function:
            self.mistakes.append(Mistake(function.__name__, sentence, function))
            return function

        return add

    def planted(self, function: Function) -> Function:
        """Mark the faulty function that the learner is given to mend; it becomes the stub."""
        self.faulty = function
        return function

    @property
    def of_class(self) -> bool:
        """Whether a class is asked for."""
        return inspect.isclass(self.solution)

    def outcome(self, answer: Callable[..., Any], args: tuple[Any, ...]) -> Any:
        """Return what is judged of an answer: what it returns, or what the trial observes."""
        return answer(*args) if self.observe is None else self.observe(answer, *args)

    def stub(self) -> str:
        """Return the text that stands in the learner's cell before any work is done."""
        if self.value:
            return f"{self.name} = ..."
        if self.faulty is not None:
            return self._source_of(self.faulty)
        source = self._source_of(self.solution)
        marked = re.compile(r"^( *)# BEGIN SOLUTION\n.*?^ *# END SOLUTION$", re.DOTALL | re.MULTILINE)
        if marked.search(source):
            return marked.sub(rf"\1{PLACEHOLDER}", source)
        head = source[: source.index('"""', source.index('"""') + 3) + 3]
        return f"{head}\n    {PLACEHOLDER}"

    def solution_text(self) -> str:
        """Return the solution as it is shown to a learner who asks for it."""
        if self.value:
            return f"{self.name} = {self.solution()!r}"
        lines = self._source_of(self.solution).splitlines()
        return "\n".join(line for line in lines if line.strip() not in ("# BEGIN SOLUTION", "# END SOLUTION"))

    def _source_of(self, function: Callable[..., Any]) -> str:
        """Return a function's or a class's source without decorators, under the name that the learner uses."""
        source = textwrap.dedent(inspect.getsource(function)).rstrip()
        head = re.compile(r"\A.*?^(def|class) \w+", re.DOTALL | re.MULTILINE)
        return head.sub(rf"\1 {self.name}", source, count=1)
