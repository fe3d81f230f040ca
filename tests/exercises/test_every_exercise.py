"""What must hold for every exercise on disk, collected automatically."""

import inspect
import itertools
import re
import subprocess
import sys
import textwrap
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rlkit.exercises import all_exercises, evaluate
from rlkit.exercises.cards import verdict_card
from rlkit.exercises.judging import _numbers, close
from tests.exercises.small_changes import small_changes

EXERCISES = all_exercises()
FUNCTIONS = {id: e for id, e in EXERCISES.items() if not e.value}
each = pytest.mark.parametrize("exercise", EXERCISES.values(), ids=EXERCISES)
each_function = pytest.mark.parametrize("exercise", FUNCTIONS.values(), ids=FUNCTIONS)

# Small changes of a reference that no input can tell from it, each with the reason.
LATER = "stops later, so the answer is more exact than was asked for"
HARMLESS = {
    "mdps.value_iteration": {
        ".zeros -> .ones": "sweeps find V* from any start",
        "change <= tol * (1 - gamma) / (2 * gamma) -> change < tol * (1 - gamma) / (2 * gamma)": LATER,
        "2 * gamma -> 2 / gamma": LATER,
        "2 * gamma -> 2 + gamma": LATER,
        "2 * gamma -> 2": LATER,
        "2 -> 3": LATER,
    },
    "q_learning.double_q": {
        "0 -> -1": "one value is looked up in each row: the first is the last",
    },
    "q_learning.blank_page": {
        "rng.random() < epsilon -> rng.random() <= epsilon": "a drawn number is never exactly epsilon",
    },
    "dqn.epsilon": {
        "0 -> -1": "steps are counted from 0, so no share of the way is below it",
    },
    "dqn.blank_page": {
        "-1 -> 1": "losses have two axes, copies and transitions: axis 1 is the last",
    },
    "marl.hysteretic": {
        "delta > 0 -> delta >= 0": "where delta is 0 nothing moves, by either step size",
    },
    "nash_q.minimax_q": {
        ".zeros -> .ones": "what a table begins with is forgotten, as the first steps are whole ones",
        "0 -> -1": "every state is visited many times, wherever the game begins",
    },
    "actor_critic.ppo_clip": {
        "torch.min(ratio * advantage, limited * advantage) -> torch.min(limited * advantage, ratio * advantage)": (
            "the smaller of two is the same in either order"
        ),
    },
}


def answer_of(exercise, function):
    return function() if exercise.value else function


def run_stub(exercise, text=None):
    scope = {"np": np, "Book": exercise.solution}
    exec(compile(text or exercise.stub(), f"<cell of {exercise.id}>", "exec"), scope)
    return scope[exercise.name]


def typed_in(function, name):
    """Return a copy of a function or a class as a learner would have typed it: another object, under the exercise's name."""
    if inspect.isclass(function):
        return type(name, (), {k: v for k, v in vars(function).items() if k not in ("__dict__", "__weakref__")})
    copied = type(function)(function.__code__, function.__globals__, name, function.__defaults__, function.__closure__)
    copied.__doc__ = function.__doc__
    return copied


@each
@pytest.mark.parametrize("seed", range(5))
def test_the_reference_passes(exercise, seed):
    answer = exercise.solution() if exercise.value else typed_in(exercise.solution, exercise.name)
    verdict = evaluate(exercise, answer, seed=seed)
    assert verdict.passed, verdict.text


@each
def test_every_other_correct_solution_passes(exercise):
    for function in exercise.alternatives:
        verdict = evaluate(exercise, answer_of(exercise, function))
        assert verdict.passed, f"{function.__name__}: {verdict.text}"


@each_function
def test_there_is_another_correct_solution(exercise):
    assert exercise.alternatives, "a check that knows one solution only has not been tried on another"


@each
def test_there_are_three_mistakes_and_two_to_four_hints(exercise):
    assert len(exercise.mistakes) >= 3
    assert 2 <= len(exercise.hints) <= 4
    assert "`" in exercise.hints[-1], "the last hint ends at code"
    assert exercise.insight and exercise.title


@each
def test_each_mistake_fails_on_a_hand_worked_case_and_is_named(exercise):
    for mistake in exercise.mistakes:
        verdict = evaluate(exercise, answer_of(exercise, mistake.function))
        assert verdict.mistake is mistake, f"{mistake.name} was taken for {verdict.outcome}"
        if verdict.text != mistake.sentence:  # it may stop with an error after that
            assert verdict.text.startswith(f"{mistake.sentence} And then, in the situation ")
        if not exercise.value:
            by_hand = {case.label for case in exercise.make_cases(np.random.default_rng(0)) if case.why}
            failed = {label for label, right in verdict.situations if not right}
            assert failed & by_hand, f"{mistake.name} fails only in random situations"
            assert verdict.case.why, "the counterexample is one worked by hand"


@each
def test_no_two_mistakes_are_alike(exercise):
    names = [m.name for m in exercise.mistakes]
    assert len(set(names)) == len(names)
    for a, b in itertools.combinations(exercise.mistakes, 2):
        assert a.sentence != b.sentence


@each
def test_the_untouched_stub_is_your_turn(exercise):
    assert evaluate(exercise, run_stub(exercise)).status == "your turn"
    assert evaluate(exercise, None).status == "your turn"
    assert evaluate(exercise, ...).status == "your turn"


@each_function
def test_the_books_own_function_is_no_pass(exercise):
    assert evaluate(exercise, exercise.solution).status == "the book's own"


@each_function
def test_a_leftover_placeholder_is_said(exercise):
    if exercise.faulty is not None:
        pytest.skip("the stub of a planted bug has no placeholder")
    text = re.sub(
        r"^( +)(?=raise NotImplementedError)", r"\1almost = float(1)\n\1", exercise.stub(), flags=re.MULTILINE
    )
    assert evaluate(exercise, run_stub(exercise, text)).status == "placeholder"


def _with_body(exercise, body):
    """Return an answer's code with another body: of the function, or of the class's method that returns most."""
    if exercise.of_class:
        method, *_ = [
            m for m in vars(exercise.solution).values() if inspect.isfunction(m) and "Return" in str(m.__doc__)
        ]
        head, deep = f"class {exercise.name}(Book):\n    def {method.__name__}", 8
    else:
        method, head, deep = exercise.solution, f"def {exercise.name}", 4
    names = ", ".join(inspect.signature(method).parameters)
    return f"{head}({names}):\n" + textwrap.indent(body, " " * deep)


@each_function
@pytest.mark.parametrize(
    ("body", "status"),
    [
        ("pass", "no return"),
        ("return undefined_name", "stopped"),
        ("return 'text'", "not yet"),
        ("return np.zeros((7, 7, 7))", "not yet"),
        ("while True:\n    pass", "out of time"),
        ("raise SystemExit", "stopped"),
    ],
)
def test_typical_accidents_get_their_own_verdict(exercise, body, status, monkeypatch):
    monkeypatch.setattr(exercise, "time_limit", 0.3)
    verdict = evaluate(exercise, run_stub(exercise, _with_body(exercise, body)))
    assert verdict.status == status
    assert verdict_card(verdict)._repr_html_()


def test_a_loop_that_catches_everything_is_told_apart():
    # In a process of its own: it cannot be stopped, and would slow down all tests after it.
    code = (
        "from rlkit.exercises import all_exercises, evaluate\n"
        "def total_return(rewards, gamma):\n"
        "    while True:\n"
        "        try:\n"
        "            sum(range(1000))\n"
        "        except BaseException:\n"
        "            pass\n"
        "exercise = all_exercises()['mdps.discounted_return']\n"
        "exercise.time_limit = 0.3\n"
        "verdict = evaluate(exercise, total_return)\n"
        "print(verdict.status, verdict.runs_on, 'restart' in verdict.text, flush=True)\n"
        "import os; os._exit(0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    status, runs_on, says_so = done.stdout.rsplit(maxsplit=2)
    assert status == "out of time"
    assert runs_on == says_so


@each_function
def test_wrong_arguments_are_said(exercise):
    verdict = evaluate(exercise, type("Empty", (), {}) if exercise.of_class else lambda: None)
    assert verdict.status == "arguments"
    assert evaluate(exercise, 3).status == "no function"
    assert evaluate(exercise, (lambda: None) if exercise.of_class else int).status == "no function"


@each_function
def test_the_line_of_an_error_is_the_learners(exercise):
    code = _with_body(exercise, "x = 1\nreturn x / 0\n")
    verdict = evaluate(exercise, run_stub(exercise, code))
    assert verdict.status == "stopped"
    assert verdict.line[0] == len(code.splitlines())


@each_function
def test_a_right_answer_that_changes_its_arguments_is_told(exercise):
    case = next(iter(exercise.make_cases(np.random.default_rng(0))))
    at = [k for k, a in enumerate(case.args) if hasattr(a, "shape") and "float" in str(a.dtype)]
    if not at:
        pytest.skip("no argument can be changed in place")

    def careless(*args):
        result = exercise.solution(*args)
        args[at[0]][...] = -7
        return result

    assert evaluate(exercise, careless).status == "changed"


@each
def test_a_check_takes_less_than_three_seconds(exercise):
    begin = time.process_time()
    evaluate(exercise, exercise.solution() if exercise.value else typed_in(exercise.solution, exercise.name))
    assert time.process_time() - begin < 3


@each
def test_the_card_is_the_same_every_time(exercise):
    for mistake in exercise.mistakes[:5]:
        answer = answer_of(exercise, mistake.function)
        first, second = (verdict_card(evaluate(exercise, answer))._repr_html_() for _ in range(2))
        assert first == second
        assert "0x" not in first


SURVIVORS: dict[str, list[str]] = {}
COUNTS = {"changed": 0, "noticed": 0}


@each_function
def test_small_changes_of_the_reference_are_noticed(exercise, monkeypatch):
    monkeypatch.setattr(exercise, "time_limit", 0.3)
    harmless = HARMLESS.get(exercise.id, {})
    unnoticed = []
    for description, changed in small_changes(exercise.solution):
        COUNTS["changed"] += 1
        if evaluate(exercise, changed, until_first_failure=True).passed:
            if description.split(": ", 1)[1] not in harmless:
                unnoticed.append(description)
        else:
            COUNTS["noticed"] += 1
    assert unnoticed == []


def test_the_rate_of_noticed_changes(capsys):
    if not COUNTS["changed"]:
        pytest.skip("runs after the tests of the single exercises")
    with capsys.disabled():
        listed = sum(map(len, HARMLESS.values()))
        print(f"\nsmall changes of references: {COUNTS['noticed']} of {COUNTS['changed']} noticed, {listed} harmless")
    assert COUNTS["noticed"] / (COUNTS["changed"] - listed) >= 0.97


@each_function
@settings(max_examples=30)
@given(seed=st.integers(0, 2**32 - 1), kind=st.sampled_from(["constant", "noise", "scaled", "first argument"]))
def test_a_random_function_never_passes(exercise, seed, kind):
    if exercise.of_class:
        pytest.skip("a class has no single answer to replace")
    rng = np.random.default_rng(seed)

    def random_answer(*args):
        right = exercise.solution(*args)
        parts = right if isinstance(right, tuple) else (right,)
        wrong, first = [], _numbers(args[0])
        first = np.ones(1) if first is None or not first.size else first.ravel()
        for part in parts:
            x = _numbers(part)
            change = {
                "constant": np.full(x.shape, rng.normal()),
                "noise": x + rng.normal(size=x.shape),
                "scaled": x * rng.uniform(1.5, 3) + rng.uniform(0.1, 1),
                "first argument": np.resize(first, x.shape) + 0.5,
            }[kind]
            wrong.append(change)
        return tuple(wrong) if isinstance(right, tuple) else wrong[0]

    verdict = evaluate(exercise, random_answer)
    assert not verdict.passed
    assert verdict.case is not None


def test_close_compares_what_it_should():
    assert close([1, 2.0], np.array([1, 2]), 1e-6, 1e-8)
    assert not close([1, 2, 3], np.array([1, 2]), 1, 1)
    assert not close("1", 1, 1, 1)
    assert not close(1, None, 1, 1)
    assert close({"a": 1}, {"a": 1.0}, 0, 0)
    assert not close({"a": 1}, {"b": 1}, 0, 0)
    assert close((1, "x"), (1, "x"), 0, 0)
    assert not close(float("nan"), 1.0, 1, 1)
