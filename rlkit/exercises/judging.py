"""Deciding what to say about an answer. Pure: the same exercise and answer give the same verdict, and nothing is shown."""

from __future__ import annotations

import copy
import inspect
import io
import linecache
import math
import re
import traceback
from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np

from rlkit.exercises.exercise import PLACEHOLDER, Case, Exercise, Mistake
from rlkit.exercises.worker import OutOfTime, run

SEED = 20231124
MOST_PRINTED = 1000
"""Characters of printed text that a card shows."""


@dataclass(frozen=True)
class Verdict:
    """What was found.

    Attributes:
        exercise: which one.
        status: "passed", "your turn", "not yet", "stopped", "out of time", "placeholder", "no return", "no function",
            "arguments", "changed" (right, but its arguments were edited in place) or "the book's own".
        text: one or two sentences for the learner.
        situations: (label, whether the answer was right there), for a wrong answer.
        mistake: the listed mistake that behaves the same in every situation, if there is one.
        case, got, expected: the first situation that failed, for a wrong answer.
        line: (line number, text) in the learner's own code, where known.
        runs_on: whether the answer's endless loop could not be stopped.
        printed: the beginning of what the answer printed while it was tried.
    """

    exercise: Exercise
    status: str
    text: str
    situations: tuple[tuple[str, bool], ...] = ()
    mistake: Mistake | None = None
    case: Case | None = None
    got: Any = None
    expected: Any = None
    line: tuple[int, str] | None = None
    runs_on: bool = False
    printed: str = ""

    @property
    def passed(self) -> bool:
        """Whether the answer is right."""
        return self.status == "passed"

    @property
    def outcome(self) -> str:
        """One word or two for a table of grades: the name of the mistake where it is known."""
        return self.mistake.name if self.mistake else self.status

    def require(self) -> None:
        """Do nothing for a pass.

        Raises:
            AssertionError: with the verdict's text, for everything else.
        """
        if not self.passed:
            raise AssertionError(f"{self.exercise.id}: {self.text}")


@dataclass(frozen=True)
class _Try:
    """What an answer did in one situation."""

    value: Any = None
    error: BaseException | None = None
    changed: bool = False


def evaluate(exercise: Exercise, answer: Any, *, seed: int = SEED, until_first_failure: bool = False) -> Verdict:
    """Return the verdict on an answer.

    Args:
        exercise: what was asked.
        answer: a function, or a value for an exercise that asks for one.
        seed: of the random situations.
        until_first_failure: stop there; the verdict then names no mistake.
    """
    if answer is exercise.solution:
        return Verdict(exercise, "the book's own", "This is the book's own function. Write yours, then check that.")
    if answer is None or answer is Ellipsis:
        return _your_turn(exercise)
    printed = io.StringIO()
    if exercise.value:
        return _evaluate(exercise, lambda: answer, seed, until_first_failure, printed)
    kind = "class" if exercise.of_class else "function"
    if not callable(answer) or isinstance(answer, type) != exercise.of_class:
        text = f"A {kind} was expected, but this is {_short(answer)}. Pass the {kind} itself, without calling it."
        return Verdict(exercise, "no function", text)
    if (wrong := _wrong_arguments(exercise, answer)) is not None:
        return Verdict(exercise, "arguments", wrong)
    if _is_stub(exercise, answer):
        return _your_turn(exercise)
    verdict = _evaluate(exercise, answer, seed, until_first_failure, printed)
    return replace(verdict, printed=printed.getvalue()[:MOST_PRINTED])


def _evaluate(
    exercise: Exercise, answer: Callable[..., Any], seed: int, until_first_failure: bool, printed: io.StringIO
) -> Verdict:
    cases = list(exercise.make_cases(np.random.default_rng(seed)))
    tries: list[_Try] = []
    rights: list[bool] = []
    says: list[str | None] = []

    def work() -> None:
        for case in cases:
            tries.append(_attempt(exercise, answer, case))
            if tries[-1].error is not None:
                return
            says.append(_what_is_wrong(exercise, case, tries[-1].value))
            rights.append(says[-1] is None)
            if until_first_failure and not rights[-1]:
                return

    stop = None
    try:
        run(work, exercise.time_limit, printed)
    except OutOfTime as late:
        stop = _out_of_time(exercise, answer, cases[min(len(rights), len(cases) - 1)], late)
    else:
        if (error := tries[-1].error) is not None:
            stop = _stopped(exercise, answer, cases[len(rights)], error)
    judged = tries[: len(rights)]
    if all(rights):
        return stop or _all_right(exercise, cases, judged)
    k = rights.index(False)
    expected = exercise.outcome(exercise.solution, fresh(cases[k].args))
    situations = tuple((case.label, right) for case, right in zip(cases, rights, strict=False))
    at = {"situations": situations, "case": cases[k], "got": judged[k].value, "expected": expected}
    if stop and stop.case:
        at |= {"situations": (*situations, (stop.case.label, False)), "line": stop.line, "runs_on": stop.runs_on}
    if judged[k].value is None and expected is not None:
        text = "Your function returned None. Is there a `return`?"
        if any(t.value is not None for t in judged):
            text = "In this situation your function returned None: there is a path through it without a `return`."
        if printed.getvalue():
            text += " It prints something; printing shows a value, and only `return` hands it over."
        return Verdict(exercise, "no return", text, **at)
    mistake = None if until_first_failure else _recognise(exercise, cases, judged)
    text = mistake.sentence if mistake else str(says[k])
    if stop and stop.case:  # what was wrong before comes first
        text += f" And then, in the situation “{stop.case.label}”: {stop.text}"
    return Verdict(exercise, "not yet", text, mistake=mistake, **at)


def _attempt(exercise: Exercise, answer: Callable[..., Any], case: Case) -> _Try:
    args = fresh(case.args)
    try:
        with np.errstate(all="ignore"):
            value = exercise.outcome(answer, args)
    except Exception as error:
        return _Try(error=error)
    except (SystemExit, KeyboardInterrupt) as error:
        return _Try(error=error)
    return _Try(copy_of(value), changed=not all(map(same, args, case.args)))


def _all_right(exercise: Exercise, cases: list[Case], tries: list[_Try]) -> Verdict:
    changed = next((case for case, t in zip(cases, tries, strict=True) if t.changed), None)
    if changed is None:
        return Verdict(exercise, "passed", exercise.insight)
    text = (
        "The answers are right, but your function changed its arguments in place. Whoever calls it would find other "
        "arrays than they passed. Work on a copy."
    )
    return Verdict(exercise, "changed", text, case=changed)


def _out_of_time(exercise: Exercise, answer: Callable[..., Any], case: Case, late: OutOfTime) -> Verdict:
    line = next((_line(name, number) for name, number in late.frames if _is_learners(name, answer)), None)
    text = f"Stopped after {exercise.time_limit:g} seconds: this looks like an endless loop, or very slow code."
    if not late.stopped:
        text += (
            " It could not be stopped: it either waits in one long call or catches every exception. "
            "If the next cells hang, restart the kernel."
        )
    return Verdict(exercise, "out of time", text, line=line, case=case, runs_on=not late.stopped)


_ANY_AXES = (
    "`Q[torch.arange(n), action]` is for one axis of transitions. Any number of axes may stand before that of the actions, even "
    "none: `gather(-1, ...)` does for all."
)
_SAID_OF_ERRORS = {
    "torch.return_types.max": "With an axis, `max` gives two things, the values and where they are: take `.values`.",
    "can't multiply sequence by non-int": (
        "A list or a tuple cannot be multiplied by a number. A tensor's `max` along an axis is a tuple too: take `.values`."
    ),
    "the `-` operator, with a bool tensor": "Of truth values the opposite is `~terminated`; or use `torch.where`.",
    "of Tensor with more than one value is ambiguous": (
        "Each entry decides for itself: `torch.where` instead of `if`, `torch.minimum` instead of `min`, `~` instead of `not`."
    ),
    "with more than one element is ambiguous": (
        "Each entry decides for itself: `np.where` or `np.clip` instead of `if`, `.max(axis=-1)` instead of `max`."
    ),
    "has no attribute 'log_prob'": "Ask the head, which the policy gives for what is seen: `policy(obs).log_prob(action)`.",
    "not enough values to unpack": "Behind the axes that are named there may be more, or none: do not unpack the shape.",
    "too many values to unpack": "Behind the axes that are named there may be more, or none: do not unpack the shape.",
    "Index tensor must have the same number of dimensions": (
        "`gather` needs an index with as many axes as the tensor: `action.unsqueeze(-1)`, and afterwards `squeeze(-1)`."
    ),
    "a leaf Variable that requires grad is being used": "Change weights inside `with torch.no_grad():`.",
    "does not require grad and does not have a grad_fn": (
        "The loss does not depend on weights any more: is a part under `torch.no_grad()` or `detach()` that should not be?"
    ),
    "has no attribute 'zero_grad'": (
        "These optimisers do it all in one: `optimiser.step(loss)` takes the gradient of a loss and makes the step. Leave "
        "`zero_grad` and `backward` out."
    ),
    "modified by an inplace operation": (
        "Something that this loss was computed with has changed since. Is the actor's loss computed before the critic's step? "
        "Compute it after that step."
    ),
    "appears to not have been used in the graph": (
        "The loss does not depend on the weights that are to be moved. Does the actor's loss take μ(s), or the action of the "
        "memory?"
    ),
    "Dimension out of range": "The actions are on the last axis, however many stand before it: `dim=-1`.",
    "cannot be converted to Scalar": "`.item()` is for a single number. Here there are many: stay with tensors.",
    "only integer tensors of a single element can be converted to an index": (
        "Is a tensor multiplied by a tuple? `max` along an axis gives two things, the values and where they are: take `.values`."
    ),
    "only one element tensors can be converted": "`float` is for a single number. Here there are many: stay with tensors.",
    "len() of a 0-d tensor": _ANY_AXES,
    "too many indices for tensor of dimension": _ANY_AXES,
    "shape mismatch: indexing tensors": _ANY_AXES,
    "Can't call numpy() on Tensor that requires grad": "What comes from a network has a gradient: stay with torch.",
    "Trying to backward through the graph a second time": (
        "After `backward()` the graph of a loss is gone. Is it called twice, or in a function that should only return the loss?"
    ),
    "grad can be implicitly created only for scalar": "A gradient is taken of one number: `loss.sum().backward()`.",
    "and 'NoneType'": (
        "Something is None here. If it is `w.grad`: it is None before `backward()`, after `zero_grad()`, and where the loss "
        "does not depend on w. First `zero_grad()`, then `backward()`, then the step."
    ),
    "a larger sample than population": "Drawn without replacement, nothing comes twice. One may: `rng.integers(m, size=n)`.",
    "Sample larger than population": "Drawn without replacement, nothing comes twice. One may: `rng.integers(m, size=n)`.",
    "assignment index out of range": (
        "The list has no place of that number. Is it long enough? If it is a ring, the first place comes again after the last: "
        "`place = (place + 1) % capacity`."
    ),
    "index out of range": "The m places of a list are numbered from 0 to m - 1, and m is its `len` at this moment.",
    "inhomogeneous shape": (
        "numpy makes an array of a list first, and here it cannot. Draw places, `rng.integers(len(kept), size=n)`, and look "
        "them up in the list."
    ),
    "setting an array element with a sequence": (
        "A place for one number is given many. Has your array all the axes that it needs, as of `np.zeros(reward.shape)`?"
    ),
    "Expected target size": (
        "`cross_entropy` and `nll_loss` take the *second* axis for that of the actions. Here it is the last: bring everything to "
        "rows first, `logits.reshape(-1, A)` and `action.reshape(-1)`, or look up with `gather(-1, ...)`."
    ),
    "satisfy the constraint GreaterThan(lower_bound=0.0)": (
        "A spread has to be above 0. What is given is its logarithm: `log_std.exp()`."
    ),
    "play() missing 1 required positional argument: 'rng'": "All chance comes from the generator: `play(pi, rng)`.",
}
"""What to say when an error's text contains one of these."""


def _stopped(exercise: Exercise, answer: Callable[..., Any], case: Case, error: BaseException) -> Verdict:
    own = [f for f in traceback.extract_tb(error.__traceback__) if _is_learners(f.filename, answer)]
    line = _line(own[-1].filename, own[-1].lineno or 0) if own else None
    if isinstance(error, NotImplementedError) and "your code here" in str(error):
        text = f"Your code is there, but the line `{PLACEHOLDER}` still stands in it. Remove it."
        return Verdict(exercise, "placeholder", text, line=line, case=case)
    name = type(error).__name__
    try:
        text = f"Your code stopped with {name}: {error}"
    except Exception:  # its own __str__ may fail
        text = f"Your code stopped with {name}"
    said = next((sentence for part, sentence in _SAID_OF_ERRORS.items() if part in text), None)
    if said:
        text = f"{text.rstrip('.')}. {said}"
    return Verdict(exercise, "stopped", text, line=line, case=case)


def _recognise(exercise: Exercise, cases: list[Case], tries: list[_Try]) -> Mistake | None:
    """Return the listed mistake that does the same as the answer in every situation that it was tried in.

    Where none does exactly the same, one will do that is the same to within a thousandth, if the right answer is further
    off: an answer may be wrong and, besides, not quite exact.
    """

    def alike(function: Callable[..., Any], rtol: float) -> bool:
        for case, own in zip(cases, tries, strict=False):
            theirs = _attempt(exercise, function, case)
            if theirs.error is not None or not close(theirs.value, own.value, rtol, exercise.atol):
                return False
        return True

    exact = max(exercise.rtol, 1e-9)  # numbers that grow without end are never equal to the last digit
    near = 1e-3
    if alike(exercise.solution, exact):
        return None  # the numbers are right as far as they go, and only their form is not
    for mistake in exercise.mistakes:
        if alike(mistake.function, exact):
            return mistake
    if alike(exercise.solution, near):
        return None
    return next((mistake for mistake in exercise.mistakes if alike(mistake.function, near)), None)


def _what_is_wrong(exercise: Exercise, case: Case, got: Any) -> str | None:
    if exercise.verdict_on is not None:
        try:
            return exercise.verdict_on(case, got)
        except Exception:
            return "What your function returned could not be read as what was asked for. Compare it with the docstring."
    return difference(got, exercise.outcome(exercise.solution, fresh(case.args)), exercise.rtol, exercise.atol)


def _your_turn(exercise: Exercise) -> Verdict:
    return Verdict(exercise, "your turn", "Fill in the cell above, run it, then run this one again.")


def _wrong_arguments(exercise: Exercise, answer: Callable[..., Any]) -> str | None:
    if not exercise.of_class:
        return _arguments_differ("Your function", answer, exercise.solution)
    for name, method in vars(exercise.solution).items():
        if inspect.isfunction(method):
            theirs = getattr(answer, name, None)
            if name not in dir(answer) or (name == "__init__" and theirs is object.__init__):
                return f"Your class has no method `{name}`."
            if (wrong := _arguments_differ(f"The method `{name}`", theirs, method)) is not None:
                return wrong
    return None


def _arguments_differ(subject: str, answer: Any, solution: Callable[..., Any]) -> str | None:
    wanted = inspect.signature(solution)
    try:
        given = inspect.signature(answer)
    except (TypeError, ValueError):
        return None  # a compiled function; the tries will tell
    try:
        given.bind(*[None] * len(wanted.parameters))
    except TypeError:
        names = ", ".join(wanted.parameters)
        return f"{subject} is called with the arguments ({names}), but it takes ({', '.join(given.parameters)})."
    return None


def _codes(answer: Any) -> list[Any]:
    """Return the compiled code of a function, or of each method of a class, in order."""
    functions = vars(answer).values() if isinstance(answer, type) else [answer]
    return [f.__code__ for f in functions if hasattr(f, "__code__")]


def _is_stub(exercise: Exercise, answer: Callable[..., Any]) -> bool:
    """Whether an answer is the stub, untouched: the same instructions and constants, whatever its file."""
    codes = _codes(answer)
    if not codes:
        return False
    scope: dict[str, Any] = {}
    exec(compile(exercise.stub(), "<stub>", "exec"), scope)
    stub = [_essence(code) for code in _codes(scope[exercise.name])]
    only_placeholders = all(c.co_names == ("NotImplementedError",) and "your code here" in c.co_consts for c in codes)
    return only_placeholders or list(map(_essence, codes)) == stub


def _essence(code: Any) -> tuple[Any, ...]:
    constants = tuple(_essence(c) if hasattr(c, "co_code") else repr(c) for c in code.co_consts)
    return code.co_code, code.co_names, code.co_varnames, constants


def _is_learners(filename: str, answer: Callable[..., Any]) -> bool:
    return any(filename == code.co_filename for code in _codes(answer))


def _line(filename: str, number: int) -> tuple[int, str]:
    return number, linecache.getline(filename, number).strip()


# -- comparing ---------------------------------------------------------------------------------------------------------

ANOTHER_VALUE = "The value is another one."


def difference(got: Any, expected: Any, rtol: float, atol: float) -> str | None:
    """Return None where two results agree, else a sentence: on their shapes, where these differ, or ANOTHER_VALUE."""
    if close(got, expected, rtol, atol):
        return None
    if got is None or (given := _shape(got)) == (wanted := _shape(expected)):
        return ANOTHER_VALUE
    without = ""
    if wanted == "one number" and isinstance(got, (list, tuple, np.ndarray)):
        without = ", without brackets or commas"
    elif wanted == "one number" and isinstance(got, str):
        without = ", without quotation marks"
    return f"The result is {given}, but {wanted} was expected{without}."


def fresh(args: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return deep copies of arguments; torch tensors keep their place in a graph, and one object stays one."""
    memo: dict[int, Any] = {}
    return tuple(copy_of(a, memo) for a in args)


def copy_of(value: Any, memo: dict[int, Any] | None = None) -> Any:
    """Return a copy that shares nothing with the original, as far as that can be had.

    Args:
        value: anything.
        memo: what was copied before: an object that is in it is not copied again.
    """
    if hasattr(value, "clone") and type(value).__module__.startswith("torch"):
        return value.clone()
    if type(value) in (tuple, list):
        return type(value)(copy_of(v, memo) for v in value)
    try:
        return copy.deepcopy(value, memo)
    except Exception:
        return value  # a generator, a random state in use: cannot be copied, and need not be


def same(a: Any, b: Any) -> bool:
    """Whether two arguments still hold the same content."""
    if isinstance(b, (tuple, list, dict)):
        return close(a, b, 0, 0)
    return _numbers(b) is None or close(a, b, 0, 0)  # a world or a function has no content to edit; a generator is used


def close(got: Any, expected: Any, rtol: float, atol: float) -> bool:
    """Whether two results agree: numbers within tolerance, of the same shape, in the same containers."""
    if isinstance(expected, dict):
        return (
            isinstance(got, dict)
            and got.keys() == expected.keys()
            and all(close(got[k], v, rtol, atol) for k, v in expected.items())
        )
    if isinstance(expected, (str, bytes)) or expected is None:
        return bool(type(got) is type(expected) and got == expected)
    a, b = _numbers(got), _numbers(expected)
    if a is None or b is None:
        if isinstance(got, (list, tuple)) and isinstance(expected, (list, tuple)):
            return len(got) == len(expected) and all(
                close(x, y, rtol, atol) for x, y in zip(got, expected, strict=True)
            )
        return got is expected
    if a.shape != b.shape:
        return False
    if rtol == atol == 0:
        return bool(np.array_equal(a, b, equal_nan=True))
    return bool(np.allclose(a, b, rtol=rtol, atol=atol, equal_nan=True))


def _numbers(value: Any) -> np.ndarray | None:
    """Return a value as a real array, or None where it is none."""
    if hasattr(value, "detach"):
        value = value.detach().cpu().numpy()
    if isinstance(value, (Fraction, Decimal)):
        value = float(value)
    try:
        array = np.asarray(value)
    except Exception:
        return None
    return array.astype(float) if array.dtype.kind in "biuf" else None


def _shape(value: Any) -> str:
    if isinstance(value, tuple):
        return f"a tuple of {len(value)}"
    if isinstance(value, str):
        return "a text"
    numbers = _numbers(value)
    if numbers is None:
        return f"no number but of the type {type(value).__name__}"
    return "one number" if numbers.shape == () else f"an array of the shape {numbers.shape}"


def _short(value: Any) -> str:
    text = re.sub(r" at 0x[0-9a-f]+", "", repr(value))
    return text if len(text) <= 60 else f"{type(value).__name__} {text[:50]}..."


def is_finite_number(value: Any) -> bool:
    """Whether a value is one finite real number."""
    numbers = _numbers(value)
    return numbers is not None and numbers.shape == () and math.isfinite(float(numbers))
