"""Exercises of chapter 7, games of one move: best responses, equilibria, the minimax program, fictitious play."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any

import numpy as np
from scipy.optimize import linprog

from rlkit.exercises.exercise import Case, Exercise
from rlkit.exercises.judging import ANOTHER_VALUE, close, difference
from rlkit.exercises.quizzes import Question, Quiz

NEAR = 1e-6
"""How far a payoff or a probability may be off."""


def no_policy(name: str, got: Any, A: int) -> str | None:
    """Return None where something is a mixture of A actions, else a sentence that says why it is none."""
    said = difference(got, np.zeros(A), 0, 1e300)
    if said not in (None, ANOTHER_VALUE):
        return f"Of {name.rstrip(',')}: {said[0].lower()}{said[1:]}"
    p = np.asarray(got, dtype=float)
    if not np.isfinite(p).all():
        found = "nan" if np.isnan(p).any() else "inf"
        return f"There is {found} in {name.rstrip(',')}. Is something divided by 0?"
    if p.min() < -NEAR:
        return f"A probability is negative in {name.rstrip(',')}: {p.min():.4g}."
    if abs(p.sum() - 1) > NEAR:
        return f"The probabilities of {name} add up to {p.sum():.4g}, and not to 1."
    return None


# -- 1. a best response --------------------------------------------------------------------------------------------

answering = Exercise(
    "games.best_response",
    title="A best response",
    name="my_best_response",
    hints=[
        "What is each of your actions paid, on average, if the other one draws by y? Write it down for one row of A.",
        "For all rows at once it is `A @ y`, one number for each row.",
        "Somewhere it is largest. To do that with probability 1 is a best response: zeros, and a 1 at `(A @ y).argmax()`.",
        "`x = np.zeros(len(A))`, `x[(A @ y).argmax()] = 1`, `return x`",
    ],
    insight="Against a policy that is known, some pure action is always a best response. One mixes so as not to be known.",
)


@answering.reference
def my_best_response(A, y):
    """Return a mixture of the row player that is paid most against y.

    A: float[A1, A2], what the row player is paid
    y: float[A2], the probabilities with which the column player chooses
    Returns float[A1], probabilities; any best response will do.
    """
    return np.eye(len(A))[(A @ y).argmax()]


@answering.also_right
def response_shared_among_the_best(A, y):
    paid = np.einsum("ab,b->a", A, y)
    best = paid > paid.max() - 1e-9
    return best / best.sum()


@answering.also_right
def response_by_loops(A, y):
    paid = [sum(u * q for u, q in zip(row, y, strict=True)) for row in A.tolist()]
    return [1.0 if a == paid.index(max(paid)) else 0.0 for a in range(len(paid))]


@answering.also_right
def response_by_a_program(A, y):
    return linprog(-(A @ y), A_eq=np.ones((1, len(A))), b_eq=[1]).x


@answering.cases
def mixtures_to_answer(rng: np.random.Generator) -> Iterator[Case]:
    array = np.array
    why = "the rows are paid 0.25 · 4 + 0.75 · 1 = 1.75 and 0.25 · 2 + 0.75 · 2 = 2: the second"
    yield Case("a risk, and something sure", (array([[4.0, 1.0], [2.0, 2.0]]), array([0.25, 0.75])), why)
    why = "the other one surely plays the last: 1, 5 and 4, so the second"
    args = (array([[9.0, 0.0, 1.0], [0.0, 0.0, 5.0], [3.0, 2.0, 4.0]]), array([0.0, 0.0, 1.0]))
    yield Case("a pure policy", args, why)
    why = "0.5 · 2 + 0.5 · 0 = 1 in both rows: each is a best response, and so is each mixture of the two"
    yield Case("both are equally good", (array([[2.0, 0.0], [0.0, 2.0]]), array([0.5, 0.5])), why)
    why = (
        "the rows are paid 0.4 · 0 + 0.6 · 4 = 2.4, 0.4 · 6 + 0.6 · 1 = 3 and 2: the second. (If both columns were equally "
        "likely, 2, 3.5 and 2)"
    )
    yield Case("three rows, two columns", (array([[0.0, 4.0], [6.0, 1.0], [2.0, 2.0]]), array([0.4, 0.6])), why)
    why = (
        "all numbers are losses: -0.5 · 9 - 0.5 · 1 = -5, and -0.25 · 4 - 0.25 · 4 - 0.5 · 3 = -3.5. The smaller loss is "
        "the second"
    )
    args = (array([[-9.0, -9.0, -1.0], [-4.0, -4.0, -3.0]]), array([0.25, 0.25, 0.5]))
    yield Case("only losses, three columns", args, why)
    why = "0.6 · 10 + 0.4 · (-10) = 2, 0.6 · 0 + 0.4 · 8 = 3.2 and 0.6 · 3 + 0.4 · 3 = 3: the second"
    args = (array([[10.0, -10.0], [0.0, 8.0], [3.0, 3.0]]), array([0.6, 0.4]))
    yield Case("the likelier column is not all", args, why)
    for k, size in enumerate([(3, 3), (4, 2), (2, 5)], start=1):
        yield Case(f"a random game {k}", (rng.normal(size=size).round(2), rng.dirichlet(np.ones(size[1]))))


@answering.judge
def what_is_wrong_with_a_response(case: Case, got: Any) -> str | None:
    """Judge a response by what it is paid: there may be many that are best."""
    A, y = case.args
    if (said := no_policy("your mixture", got, len(A))) is not None:
        return said
    paid, best = float(np.asarray(got, dtype=float) @ A @ y), float((A @ y).max())
    if paid >= best - NEAR:
        return None
    return f"Yours is paid {paid:.4g} here. Another mixture is paid {best - paid:.2g} more."


def faulty_response(sentence: str, name: str, judge_of_rows: Callable[[Any, Any], Any]) -> None:
    """List a response that takes the row for the best for which another number is largest."""

    def faulty(A: Any, y: Any) -> Any:
        return np.eye(len(A))[np.argmax(judge_of_rows(A, y))]

    faulty.__name__ = f"response_{name}"
    answering.mistake(sentence)(faulty)


faulty_response(
    "You look for the smallest payoff. A holds what the row player *gets*: `argmax`.", "argmin", lambda A, y: -(A @ y)
)
faulty_response(
    "You answer the likeliest column alone. The others count too, by their probabilities: `A @ y`.",
    "to_the_likeliest",
    lambda A, y: A[:, np.argmax(y)],
)
faulty_response(
    "Your answer does not depend on y: you take all columns for equally likely. Weight them: `A @ y`.",
    "to_uniform",
    lambda A, y: A.mean(axis=1),
)
faulty_response(
    "You hope for the largest entry of the table. The other one has a policy of its own: weight each row by y, `A @ y`.",
    "optimistic",
    lambda A, y: A.max(axis=1),
)
faulty_response(
    "You prepare for the worst, whatever y is. Here the other one's policy is known: weight each row by y, `A @ y`.",
    "pessimistic",
    lambda A, y: A.min(axis=1),
)
faulty_response(
    "You look for the largest number without its sign. A large loss is no gain: leave out the `abs`.",
    "without_sign",
    lambda A, y: abs(A @ y),
)


@answering.mistake(
    "You sum over the wrong axis. The columns of A are the other one's actions, so that each *row* is weighted by y: `A @ "
    "y`."
)
def response_transposed(A, y):
    return np.eye(len(A))[(y @ A).argmax()]


@answering.mistake("You return the number of the best action. A mixture is asked for: zeros, and a 1 at that place.")
def response_index(A, y):
    return (A @ y).argmax()


@answering.mistake("You return what each action is paid. A mixture is asked for: a 1 where that is largest, and zeros.")
def response_payoffs(A, y):
    return A @ y


@answering.mistake("You return what the best action is paid. Which one it is was asked for, as a mixture.")
def response_value(A, y):
    return (A @ y).max()


@answering.mistake("You play by softmax. It plays worse actions too; a best response plays none of them.")
def response_softmax(A, y):
    paid = A @ y
    weights = np.exp(paid - paid.max())
    return weights / weights.sum()


@answering.mistake(
    "You draw in proportion to the payoffs. Worse actions are then played too; a best response plays none."
)
def response_in_proportion(A, y):
    return A @ y / (A @ y).sum()


@answering.mistake(
    "You make negative payoffs 0, and draw in proportion to the rest. Worse actions are then played too, and where all are "
    "losses nothing is left. What counts is which payoff is *largest*."
)
def response_in_proportion_to_gains(A, y):
    gains = np.maximum(A @ y, 0)
    return gains / gains.sum()


@answering.mistake("All actions are equally likely in yours. Only the best ones may be played at all.")
def response_uniform(A, y):
    return np.full(len(A), 1 / len(A))


@answering.mistake("Where several actions are equally good, you give each of them a 1. Divide by their sum.")
def response_ones_for_all_that_tie(A, y):
    paid = A @ y
    return (paid > paid.max() - 1e-9).astype(float)


@answering.mistake(
    "You copy the other one's policy. Yours is to be the best answer to it: `A @ y`, and a 1 where that is largest."
)
def response_copies(A, y):
    return y.copy()


@answering.mistake("The 1 stands at the beginning of your array, whatever is best. Where is `A @ y` largest?")
def response_first(A, y):
    return np.eye(len(A))[0]


@answering.mistake("The 1 stands at the end of your array, whatever is best. Where is `A @ y` largest?")
def response_last(A, y):
    return np.eye(len(A))[-1]


# -- 2. a prediction -----------------------------------------------------------------------------------------------

which = Exercise(
    "games.predict_nash",
    title="Which of them are equilibria?",
    name="my_equilibria",
    value=True,
    hints=[
        "Take each profile by itself, and ask each player by itself: the other one stays. Would I rather do something else?",
        "For a cell: is the first number the largest of its *column*, and the second the largest of its *row*?",
        "In d the column player draws x and y with 2/5 and 3/5. So u is paid 2/5 · 3 = 6/5, v 3/5 · 2 = 6/5, and w? Then "
        "the same for the columns: 3/5 · 2 + 2/5 · 1 = 8/5, and so on.",
        '`my_equilibria = ["a", "d"]`',
    ],
    insight="To test a profile, hold all but one fixed. What all of them could gain together plays no part: "
    "(w, z) pays both more than the equilibrium d, and still one of them would leave it.",
)


@which.reference
def my_equilibria():
    return ["a", "d"]


SAID_OF_LETTERS = {
    "a": "You leave out a. In column x no row pays more than 3, and in row u no column pays more than 2: nobody wants to "
    "move. That other cells pay more is no reason, since nobody gets there alone.",
    "b": "b is no equilibrium, though no cell pays more in sum: in column z the row player moves to v, for 5 in "
    "place of 4.",
    "c": "c is none: the row player has its best there, but in row v the column player moves to y, for 4 in place of 3. "
    "Both numbers of the cell have to be tested.",
    "d": "You leave out d. Against (2/5, 3/5, 0), u and v are paid 6/5 and w 1; against (3/5, 2/5, 0), x and y are paid 8/5 "
    "and z 6/5. Nobody gains by another action, and so by no mixture.",
}


def as_letters(value: Any) -> str | None:
    """Return an answer as sorted letters, from a list, a set or a text; None where it is none."""
    if isinstance(value, str):
        alone = re.findall(r"\b[abcd]\b", value.lower())
        value = alone or list(re.sub(r"[\W_]", "", value.lower()))
    if not isinstance(value, (list, tuple, set, frozenset, np.ndarray)):
        return None
    letters = {str(v).strip().lower() for v in value}
    return "".join(sorted(letters)) if letters <= set("abcd") else None


def said_of_letters(letters: str) -> str:
    """Return what to say to these letters: on each that is wrong or missing."""
    wrong = [said for letter, said in SAID_OF_LETTERS.items() if (letter in letters) != (letter in "ad")]
    if len(wrong) == 4:
        return "It is the other way round, all of it: you name those that are none. Nobody may gain by moving alone."
    return " ".join(wrong)


@which.judge
def what_is_wrong_with_letters(case: Case, got: Any) -> str | None:
    """Accept the letters in any usual form and order."""
    letters = as_letters(got)
    if letters is None:
        return 'Letters from a to d are asked for, as in ["a", "b"]; [] if none of the profiles is an equilibrium.'
    return said_of_letters(letters) or None


for _number in range(16):
    _chosen = [letter for bit, letter in enumerate("abcd") if _number >> bit & 1]
    if _chosen != my_equilibria():

        def _chooses(letters: tuple[str, ...] = tuple(_chosen)) -> list[str]:
            return list(letters)

        _chooses.__name__ = "chooses_" + ("".join(_chosen) or "none")
        which.mistake(said_of_letters("".join(_chosen)))(_chooses)


# -- 3. the minimax program ----------------------------------------------------------------------------------------

minimax = Exercise(
    "games.minimax",
    title="The minimax program",
    name="my_minimax",
    hints=[
        "The unknowns are x and v, in one array: m probabilities, and v behind them. What is to be as large as possible is "
        "the last of them, and `linprog` makes things small: its c is zeros and a -1.",
        "For each column j: v - Σ_a x(a) A[a, j] ≤ 0. In one matrix with n rows: `np.hstack([-A.T, np.ones((n, 1))])`.",
        "The probabilities sum to 1, an equation without v: `A_eq=[[1] * m + [0]]`, `b_eq=[1]`.",
        "`linprog(c, A_ub=..., b_ub=np.zeros(n), A_eq=..., b_eq=[1], bounds=[(0, None)] * m + [(None, None)])`: v may be "
        "negative, which has to be said. Then `return result.x[:m], result.x[m]`.",
    ],
    insight="A maximum over infinitely many mixtures, each judged by its worst case, is one program of m + 1 numbers. Its dual "
    "is the other player's program: that both have the same value is the minimax theorem.",
    points=2,
)


@minimax.reference
def my_minimax(A):
    """Return what the row player of a zero-sum game can be sure of, and how.

    A: float[m, n], what the column player pays the row player
    Returns x, v:
    x: float[m], a mixture whose worst case is as good as possible
    v: float, what x is paid in the worst case: the value of the game
    """
    m, n = A.shape
    result = linprog(
        -np.eye(m + 1)[m],
        A_ub=np.hstack([-A.T, np.ones((n, 1))]),
        b_ub=np.zeros(n),
        A_eq=[[1] * m + [0]],
        b_eq=[1],
        bounds=[(0, None)] * m + [(None, None)],
    )
    return result.x[:m], result.x[m]


NO_SOLUTION = "linprog found no solution"
OTHER_WIDTH = "linprog was given matrices of another width"


@minimax.trial
def solved_if_it_can_be(answer: Callable[..., Any], A: Any) -> Any:
    """Return what an answer returns, or a text: `linprog` could not read its program, or found none and it went on with None."""
    try:
        return answer(A)
    except ValueError as error:
        if "Invalid input for linprog" in str(error) and "must be equal to the size of c" in str(error):
            return OTHER_WIDTH
        raise
    except TypeError as error:
        if "NoneType" in str(error):
            return NO_SOLUTION
        raise


@minimax.also_right
def minimax_by_the_dual(A):
    m, n = A.shape
    other = linprog(
        np.append(np.zeros(n), 1),
        A_ub=np.column_stack([A, -np.ones(m)]),
        b_ub=np.zeros(m),
        A_eq=[[1] * n + [0]],
        b_eq=[1],
        bounds=[(0, None)] * n + [(None, None)],
    )
    return -other.ineqlin.marginals, other.fun


@minimax.also_right
def minimax_of_payoffs_above_zero(A):
    shift = A.min() - 1
    z = linprog(np.ones(len(A)), A_ub=-(A - shift).T, b_ub=-np.ones(A.shape[1])).x
    return z / z.sum(), 1 / z.sum() + shift


@minimax.also_right
def minimax_with_two_parts_of_v(A):
    m, n = A.shape
    columns = [[-u for u in A[:, j]] + [1, -1] for j in range(n)]
    result = linprog([0] * m + [-1, 1], A_ub=columns, b_ub=[0] * n, A_eq=[[1] * m + [0, 0]], b_eq=[1])
    return list(result.x[:m]), -result.fun


@minimax.cases
def games_to_solve(rng: np.random.Generator) -> Iterator[Case]:
    array = np.array
    why = "p · 3 + (1 - p) · 0 = p · (-1) + (1 - p) · 1 gives p = 1/5, and 3/5 in both columns"
    yield Case("nobody is sure", (array([[3.0, -1.0], [0.0, 1.0]]),), why)
    why = "p · (-4) + (1 - p) · (-1) = p · 0 + (1 - p) · (-2) gives p = 1/5 and -8/5: the row player always loses something"
    yield Case("a value below 0", (array([[-4.0, 0.0], [-1.0, -2.0]]),), why)
    why = "2 is the smallest of its row and the largest of its column, a saddle point: x = (1, 0) and v = 2"
    yield Case("a saddle point", (array([[2.0, 5.0], [1.0, 9.0]]),), why)
    why = "rock beats scissors for 2: with (1/4, 1/2, 1/4) every column pays 0, by 1/2 - 1/2, -1/4 + 1/4 and 1/2 - 1/2"
    yield Case("weighted rock, paper, scissors", (array([[0.0, -1.0, 2.0], [1.0, 0.0, -1.0], [-2.0, 1.0, 0.0]]),), why)
    why = (
        "with (p, 1 - p), the columns pay 4p - 2, 1 - p, 3 - 4p and 6 - 4p. At 4p - 2 = 3 - 4p, p = 5/8, these two are 1/2, "
        "but the second pays 3/8. So it is 4p - 2 = 1 - p: p = 3/5, v = 2/5, and the others pay more"
    )
    yield Case("two rows, four columns", (array([[2.0, 0.0, -1.0, 2.0], [-2.0, 1.0, 3.0, 6.0]]),), why)
    why = "the third row is worse than the second, the last worse than the first: the first two make it 1/2, 1/2 and v = -2"
    yield Case("four rows, two columns", (array([[-1.0, -3.0], [-3.0, -1.0], [-5.0, -4.0], [-2.5, -4.0]]),), why)
    why = "the first two rows are alike, so that only their sum is known, 1/2, and many mixtures are right: v = 0"
    yield Case("two rows that are alike", (array([[1.0, -1.0], [1.0, -1.0], [-1.0, 1.0]]),), why)
    for k, size in enumerate([(3, 4), (4, 3)], start=1):
        yield Case(f"a random game {k}", (rng.normal(size=size).round(2),))


@lru_cache(maxsize=64)
def value_of(rows: tuple[tuple[float, ...], ...]) -> float:
    """Return the value of a zero-sum game; the same few games are judged again and again."""
    return float(my_minimax(np.array(rows))[1])


WIDTH = (
    "`linprog` refuses your program: A_ub and A_eq need a column for each entry of c. z holds m + 1 numbers, x and behind it "
    "v. So v has a column too: of ones in A_ub, `np.hstack([-A.T, np.ones((n, 1))])`, of zeros in A_eq."
)
BELOW = "The value of this game is negative. Does your program allow a negative v? Look at `bounds`."


@minimax.judge
def what_is_wrong_with_a_solution(case: Case, got: Any) -> str | None:
    """Judge v by the value of the game, and x by its worst case: optimal mixtures need not be unique."""
    (A,) = case.args
    value = value_of(tuple(map(tuple, A.tolist())))
    if isinstance(got, str) and got == NO_SOLUTION:
        return (
            "Your program has no solution: `linprog` gives None for x. Print `result.message`: unbounded means that v may "
            "grow without end, infeasible that nothing fulfils all conditions."
        )
    if isinstance(got, str) and got == OTHER_WIDTH:
        return WIDTH
    if not isinstance(got, (tuple, list)) or len(got) != 2:
        return "Two things are asked for, `return x, v`, in this order."
    x, v = got
    if (said := no_policy("your x", x, len(A))) is not None:
        return said
    worst = float((np.asarray(x, dtype=float) @ A).min())
    clipped = value < -NEAR and np.shape(v) == () and v is not None and abs(float(v)) < NEAR
    if worst < value - NEAR:
        said_of_x = (
            f"Your x is paid {worst:.4g} in the worst case. Another mixture is sure of {value - worst:.2g} more."
        )
        return f"{said_of_x} {BELOW}" if clipped else said_of_x
    said = difference(v, value, NEAR, NEAR)
    if said is None:
        return None
    given = np.asarray(v, dtype=float)
    if given.shape:
        return f"Your x is right. Of v: {said[0].lower()}{said[1:]}"
    text = f"Your x is right: in the worst case it is paid {value:.4g}. But your v is {float(given):.4g}."
    if clipped:
        return f"{text} {BELOW}"
    if any(abs(given - value - added) < NEAR for added in (1 - A.min(), abs(A).max(), 1 + abs(A).max())):
        return f"{text} Did you add {given - value:.4g} to all payoffs? Then take it from v again."
    return text


@lru_cache(maxsize=1024)
def solved(
    rows: tuple[tuple[float, ...], ...], sign: float, bounds: Any, inequality: float, sums_to_one: bool, v_in_sum: float
) -> Any:
    """Return z = (x, v) of a program, or None; the tests solve the same few programs again and again."""
    A = np.array(rows)
    m, n = A.shape
    return linprog(
        np.append(np.zeros(m), sign),
        A_ub=inequality * np.hstack([-A.T, np.ones((n, 1))]),
        b_ub=np.zeros(n),
        A_eq=[[1] * m + [v_in_sum]] if sums_to_one else None,
        b_eq=[1] if sums_to_one else None,
        bounds=[(0, None)] * m + [(None, None)] if isinstance(bounds, str) else bounds,
    ).x


def program(
    A: np.ndarray,
    *,
    sign: float = -1.0,
    bounds: Any = "right",
    inequality: float = 1.0,
    sums_to_one: bool = True,
    v_in_sum: float = 0.0,
) -> tuple[Any, Any]:
    """Return x and v of the minimax program, some parts of which are other ones."""
    z = solved(tuple(map(tuple, A.tolist())), sign, bounds, inequality, sums_to_one, v_in_sum)
    return z[: len(A)].copy(), z[len(A)]


def faulty_program(sentence: str, name: str, **parts: Any) -> None:
    """List a program of which one part is another one."""

    def faulty(A: Any) -> Any:
        return program(A, **parts)

    faulty.__name__ = f"minimax_{name}"
    minimax.mistake(sentence)(faulty)


faulty_program(
    "Your v cannot be negative: without `bounds`, `linprog` takes every unknown to be 0 or more. So a game with a value "
    "below 0 has no solution. Give v `(None, None)`.",
    "v_from_zero",
    bounds=(0, None),
)
faulty_program(
    "Your probabilities may be negative: `(None, None)` is for v alone. Each x(a) needs `(0, None)`.",
    "x_unbounded",
    bounds=(None, None),
)
faulty_program(
    "Your program is unbounded: v may go on without end. `linprog` makes things small, so the last entry of c is -1; and "
    "the inequality says that v is *at most* what each column pays, v - Σ_a x(a) A[a, j] ≤ 0.",
    "unbounded",
    sign=1.0,
)
faulty_program(
    "You make v as small as possible, and by `linprog`'s default bounds that is 0. It minimises, so the last entry of c is "
    "-1; and v needs the bounds `(None, None)`.",
    "minimises_from_zero",
    sign=1.0,
    bounds=(0, None),
)
faulty_program(
    "Your x need not sum to 1: the equation is missing, `A_eq=[[1] * m + [0]]`, `b_eq=[1]`.",
    "no_sum",
    sums_to_one=False,
)
faulty_program(
    "Your equation counts v among the probabilities: x sums to 1, without v. Its last coefficient is 0.",
    "v_in_the_sum",
    v_in_sum=1.0,
)
faulty_program(
    "Sign and inequality are both turned round: your x makes the *largest* column as small as possible, as if the row "
    "player paid.",
    "pays",
    sign=1.0,
    inequality=-1.0,
)


@minimax.mistake(WIDTH)
def minimax_without_a_column_for_v(A):
    m, n = A.shape
    z = linprog(np.append(np.zeros(m), -1), A_ub=-A.T, b_ub=np.zeros(n), A_eq=[[1] * m], b_eq=[1]).x
    return z[:m], z[m]


@minimax.mistake(
    "Where `linprog` finds nothing, you return something else. But this program has a solution in every game, if v may be "
    "negative: without `bounds` every unknown is 0 or more. Give v `(None, None)`."
)
def minimax_uniform_where_none_is_found(A):
    try:
        return program(A, bounds=(0, None))
    except TypeError:
        return np.full(len(A), 1 / len(A)), 0.0


@minimax.mistake(
    "Your x is right, but v is the value of `A - A.min()`. What was taken from all payoffs has to come back: v + A.min()."
)
def minimax_shift_not_taken_back(A):
    x, v = program(A)
    return x, v - A.min()


@minimax.mistake(
    "v stands first in your z, but is read as the last: with z = (v, x), v is `z[0]`, and x is all that comes after it."
)
def minimax_v_first_read_last(A):
    z = np.append(*program(A)[::-1])
    return z[: len(A)], z[len(A)]


@minimax.mistake("v stands last in your z, but is read as the first: with z = (x, v), x is `z[:m]`, and v is `z[m]`.")
def minimax_v_last_read_first(A):
    z = np.append(*program(A))
    return z[1:], z[0]


@minimax.mistake(
    "You solve the game of `A.T`: rows and columns have changed places. There is an inequality for each *column* j, "
    "v ≤ Σ_a x(a) A[a, j], so the matrix has -A.T in it."
)
def minimax_transposed(A):
    return program(A.T)


@minimax.mistake(
    "Your A_ub has -A where -A.T belongs: an inequality for each *column* j, with one coefficient A[a, j] for each x(a)."
)
def minimax_of_the_wrong_axis(A):
    m = len(A)
    bounds = [(0, None)] * m + [(None, None)]
    inequalities = np.hstack([-A, np.ones((m, 1))])
    z = linprog(-np.eye(m + 1)[m], A_ub=inequalities, b_ub=np.zeros(m), A_eq=[[1] * m + [0]], b_eq=[1], bounds=bounds).x
    return z[:m], z[m]


@minimax.mistake("Your v is right, but the mixture is the column player's. Ask for the row player's, float[m].")
def minimax_of_the_column_player(A):
    y, v = program(-A.T)
    return y, -v


@minimax.mistake("Your x is right, but v has the wrong sign: `linprog` minimised -v, so `result.fun` is -v.")
def minimax_sign_of_v(A):
    x, v = program(A)
    return x, -v


@minimax.mistake("Your v is among the probabilities: `result.x` holds all unknowns. x is its first m entries.")
def minimax_v_left_in_x(A):
    x, v = program(A)
    return np.append(x, v), v


@minimax.mistake("You return the mixture alone. Two things are asked for: `return x, v`.")
def minimax_x_alone(A):
    return program(A)[0]


@minimax.mistake("Both are right, but in another order: `return x, v`.")
def minimax_order(A):
    x, v = program(A)
    return v, x


@minimax.mistake(
    "You choose the best of the *pure* actions, each judged by its worst case. A mixture is often sure of more."
)
def minimax_pure(A):
    return np.eye(len(A))[A.min(axis=1).argmax()], A.min(axis=1).max()


@minimax.mistake(
    "You play the row with the largest entry. The column player will not choose that column: v is about the worst case."
)
def minimax_optimistic(A):
    return np.eye(len(A))[A.max(axis=1).argmax()], A.max()


@minimax.mistake("All rows are equally likely in yours. That is a mixture, but its worst case is not the best one.")
def minimax_uniform(A):
    x = np.full(len(A), 1 / len(A))
    return x, (x @ A).min()


@minimax.mistake(
    "You make all columns pay the same. At an optimum, the column player may have columns that pay it less than others, and "
    "does not use them: v is *at most* what each pays."
)
def minimax_by_equations(A):
    m, n = A.shape
    left = np.block([[A.T, -np.ones((n, 1))], [np.ones((1, m)), np.zeros((1, 1))]])
    found = np.linalg.lstsq(left, np.append(np.zeros(n), 1), rcond=None)[0]
    return found[:m], found[m]


@minimax.mistake(
    "Your x is right, but v is what it is paid in the *best* case. The column player sees to the worst: min."
)
def minimax_best_case(A):
    x, _ = program(A)
    return x, (x @ A).max()


@minimax.mistake(
    "Your x is right, but v is a mean over the columns, as if they were equally likely. The column player sees to the "
    "worst: min."
)
def minimax_mean_case(A):
    x, _ = program(A)
    return x, (x @ A).mean()


# -- 4. all equilibria of a game of 2 x 2 --------------------------------------------------------------------------

enumerating = Exercise(
    "games.two_by_two",
    title="All equilibria of a small game",
    name="my_two_by_two",
    hints=[
        "First the four cells: `A[i, j] == A[:, j].max()` says that the row player stays, `B[i, j] == B[i].max()` that the "
        "column player does.",
        "Then the mixture. Who mixes must find both actions equally good, and what makes them so is the *other* one's "
        "mixture: x is found from B, and y from A.",
        "p · B[0, 0] + (1 - p) · B[1, 0] = p · B[0, 1] + (1 - p) · B[1, 1]. With b0 = B[0, 0] - B[0, 1] and b1 = B[1, 1] - "
        "B[1, 0] it is p · b0 = (1 - p) · b1. When is p between 0 and 1? And if b0 + b1 is 0, there is no such p.",
        "`if b0 * b1 > 0 and a0 * a1 > 0:`, with a0 = A[0, 0] - A[1, 0] and a1 = A[1, 1] - A[0, 1], `p = b1 / (b0 + b1)`, "
        "`q = a1 / (a0 + a1)`, `found.append((np.array([p, 1 - p]), np.array([q, 1 - q])))`",
    ],
    insight="Your probabilities are set by the other one's payoffs. Raise what you are paid, and it is the other one who plays "
    "differently.",
    points=2,
)


@enumerating.reference
def my_two_by_two(A, B):
    """Return all Nash equilibria of a game of two players, two actions each.

    A, B: float[2, 2], what the row and the column player are paid; no player
    is ever paid the same by two actions against the same action of the other
    Returns a list of pairs (x, y), in any order; x: float[2] are the row
    player's probabilities, y: float[2] the column player's
    """
    found = []
    for i, j in np.ndindex(A.shape):
        if A[i, j] == A[:, j].max() and B[i, j] == B[i].max():
            found.append((np.eye(2)[i], np.eye(2)[j]))
    a0, a1 = A[0, 0] - A[1, 0], A[1, 1] - A[0, 1]
    b0, b1 = B[0, 0] - B[0, 1], B[1, 1] - B[1, 0]
    if np.sign(a0) == np.sign(a1) and np.sign(b0) == np.sign(b1):
        p, q = b1 / (b0 + b1), a1 / (a0 + a1)
        found.append((np.array([p, 1 - p]), np.array([q, 1 - q])))
    return found


def as_profiles(got: Any) -> np.ndarray | None:
    """Return a list of pairs of mixtures as float[k, 2, 2], or None where it is none."""
    if isinstance(got, (list, tuple, np.ndarray)) and not len(got):
        return np.zeros((0, 2, 2))
    try:
        profiles = np.array(got, dtype=float)
    except (TypeError, ValueError):
        return None
    return profiles if profiles.ndim == 3 and profiles.shape[1:] == (2, 2) else None


@enumerating.trial
def profiles_in_order(answer: Callable[..., Any], A: Any, B: Any) -> Any:
    """Return the profiles sorted: first those in which the first actions are likeliest."""
    got = answer(A, B)
    profiles = as_profiles(got)
    if profiles is None or not np.isfinite(profiles).all():
        return got
    return sorted(([tuple(x), tuple(y)] for x, y in profiles.round(12) + 0.0), reverse=True)


@enumerating.also_right
def equilibria_by_supports(A, B):
    found = []
    for rows in ([0], [1], [0, 1]):
        columns = rows if len(rows) == 2 else None
        for support in [columns] if columns else ([0], [1]):
            k = len(rows)
            x, y = np.zeros(2), np.zeros(2)
            ones = np.append(np.zeros(k), 1)
            border = lambda M, k=k: np.block([[M, -np.ones((k, 1))], [np.ones((1, k)), np.zeros((1, 1))]])  # noqa: E731
            left_y, left_x = border(A[np.ix_(rows, support)]), border(B[np.ix_(rows, support)].T)
            if min(abs(np.linalg.det(left_x)), abs(np.linalg.det(left_y))) < 1e-12:
                continue
            y[support], x[rows] = np.linalg.solve(left_y, ones)[:k], np.linalg.solve(left_x, ones)[:k]
            stays = (A @ y).max() <= x @ A @ y + 1e-9 and (x @ B).max() <= x @ B @ y + 1e-9
            if stays and min(x.min(), y.min()) > -1e-12:
                found.append((x, y))
    return found


@enumerating.also_right
def equilibria_from_the_last(A, B):
    found = []
    with np.errstate(all="ignore"):
        p = (B[1, 1] - B[1, 0]) / (B[0, 0] - B[0, 1] - B[1, 0] + B[1, 1])
        q = (A[1, 1] - A[0, 1]) / (A[0, 0] - A[0, 1] - A[1, 0] + A[1, 1])
    if 0 < p < 1 and 0 < q < 1:
        found.append([[p, 1 - p], [q, 1 - q]])
    for i in (1, 0):
        for j in (1, 0):
            if A[i, j] > A[1 - i, j] and B[i, j] > B[i, 1 - j]:
                found.append([[1 - i, i], [1 - j, j]])
    return found


@enumerating.cases
def small_games(rng: np.random.Generator) -> Iterator[Case]:
    array = np.array
    why = (
        "(0, 0) and (1, 1) are pure ones. p · 1 = (1 - p) · 3 makes the column player indifferent, p = 3/4; q · 4 = (1 - q) "
        "· 1 the row player, q = 1/5"
    )
    yield Case("each has a favourite", (array([[4.0, 0.0], [0.0, 1.0]]), array([[1.0, 0.0], [0.0, 3.0]])), why)
    why = (
        "in no cell do both stay. The column player is indifferent at -p = -4 (1 - p), so that p = 4/5; the row player at "
        "3q - 1 + q = 1 - q, so that q = 2/5"
    )
    yield Case("only a mixed one", (array([[3.0, -1.0], [0.0, 1.0]]), array([[-1.0, 0.0], [1.0, -3.0]])), why)
    why = (
        "defecting, the second action, is better whatever the other does: (1, 1) alone. The equations would have p = q = "
        "1 / (-3 + 1) = -1/2, which is no probability"
    )
    yield Case("a dilemma", (array([[3.0, 0.0], [6.0, 1.0]]), array([[3.0, 6.0], [0.0, 1.0]])), why)
    why = (
        "the row player's second action is better by 2 in both columns, and then the column player wants the first: (1, 0). "
        "No q makes both rows worth the same: its denominator is 3 - 0 - 5 + 2 = 0"
    )
    yield Case(
        "better by as much in both columns", (array([[3.0, 0.0], [5.0, 2.0]]), array([[1.0, 4.0], [6.0, 2.0]])), why
    )
    why = "(0, 1) and (1, 0): one yields. 6p + 2 (1 - p) = 8p gives p = 1/2 from B, and 6q + 2 (1 - q) = 7q gives q = 2/3 from A"
    yield Case("who yields", (array([[6.0, 2.0], [7.0, 0.0]]), array([[6.0, 8.0], [2.0, 0.0]])), why)
    why = (
        "the row player always takes the first, and the column player then the second: (0, 1) alone, though B would let x "
        "mix by p = 1/3: q would be -1 / (5 - 1) = -1/4"
    )
    yield Case("one of them would mix", (array([[6.0, 4.0], [1.0, 3.0]]), array([[0.0, 2.0], [3.0, 2.0]])), why)
    why = (
        "the column player always takes the first, and the row player then the second: (1, 0) alone, though A would let y "
        "mix by q = 1/4: p would be -1 / (6 - 1) = -1/5"
    )
    yield Case("the other one would mix", (array([[0.0, 3.0], [3.0, 2.0]]), array([[7.0, 1.0], [6.0, 5.0]])), why)
    why = (
        "the column player always takes the second, and the row player then, too: (1, 1) alone. A would let y mix by q = "
        "1/4, but p would be 3 / (-1 + 3) = 3/2"
    )
    yield Case("p would be above 1", (array([[3.0, 0.0], [0.0, 1.0]]), array([[1.0, 2.0], [0.0, 3.0]])), why)
    why = (
        "the row player always takes the second, and the column player then the first: (1, 0) alone. B would let x mix by p "
        "= 1/4, but q would be 3 / (-1 + 3) = 3/2"
    )
    yield Case("q would be above 1", (array([[1.0, 0.0], [2.0, 3.0]]), array([[0.0, 3.0], [2.0, 1.0]])), why)
    yield Case("a random game of two favourites", random_game(rng, 1, 1))
    yield Case("a random chase", random_game(rng, 1, -1))
    yield Case("a random game with a best action", random_game(rng, 0, 1))


def random_game(rng: np.random.Generator, row: int, column: int) -> tuple[np.ndarray, np.ndarray]:
    """Return A and B: a player with 1 wants to do as the other does, with -1 the opposite, with 0 always the first action."""
    A, B = rng.normal(size=(2, 2, 2)).round(2)
    for M, likes in ((A, row), (B.T, column)):  # own actions in rows
        gains = rng.uniform(0.5, 3, 2).round(2)
        M[0] = M[1] + (gains * (likes, -likes) if likes else gains)
    return A, B


def gains_of(A: np.ndarray, B: np.ndarray, x: np.ndarray, y: np.ndarray) -> tuple[float, float]:
    """Return what the row and the column player would gain by moving alone."""
    return float((A @ y).max() - x @ A @ y), float((x @ B).max() - x @ B @ y)


@enumerating.judge
def what_is_wrong_with_equilibria(case: Case, got: Any) -> str | None:
    """Test each profile by itself, and then count them."""
    A, B = case.args
    profiles = as_profiles(got)
    if profiles is None:
        return "A list of pairs is asked for, and each pair is x, y: two arrays float[2], also where an equilibrium is pure."
    for k, (x, y) in enumerate(profiles):
        said = no_policy(f"x, in pair {k},", x, 2) or no_policy(f"y, in pair {k},", y, 2)
        if said is not None:
            return said
        by_row, by_column = gains_of(A, B, x, y)
        shown = f"x = ({x[0]:.4g}, {x[1]:.4g}), y = ({y[0]:.4g}, {y[1]:.4g})"
        if 0 < x[0] < 1 and 0 < y[0] < 1 and max(by_row, by_column) > NEAR:
            if by_row > NEAR:
                (one, two), who, z, letter = A @ y, "row player's actions", "y", "q"
            else:
                (one, two), who, z, letter = x @ B, "column player's actions", "x", "p"
            return (
                f"{shown} is no equilibrium. Against {z} the {who} are worth {one:.4g} and {two:.4g}; who mixes needs them to "
                f"be equal. So {letter} is another one."
            )
        if by_row > NEAR:
            return f"{shown} is no equilibrium: the row player would gain {by_row:.4g} by another action."
        if by_column > NEAR:
            return f"{shown} is no equilibrium: the column player would gain {by_column:.4g} by another action."
    apart = {tuple(profile.round(6).ravel() + 0.0) for profile in profiles}
    if len(apart) < len(profiles):
        return "All of them are equilibria, but one is in your list twice."
    wanted = my_two_by_two(A, B)
    for x, y in wanted:
        if not any(close(profile, (x, y), 0, 1e-4) for profile in profiles):
            found = f"You find {len(profiles)}, and this game has {len(wanted)}."
            kind = "A mixed one" if 0 < x[0] < 1 else f"The pure one in the cell ({x.argmax()}, {y.argmax()})"
            return f"{found} {kind} is missing."
    return None


def mixed_anyway(A: Any, B: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return what the equations of the mixed equilibrium say, whether or not these are probabilities."""
    p = (B[1, 1] - B[1, 0]) / (B[0, 0] - B[0, 1] - B[1, 0] + B[1, 1])
    q = (A[1, 1] - A[0, 1]) / (A[0, 0] - A[0, 1] - A[1, 0] + A[1, 1])
    return np.array([p, 1 - p]), np.array([q, 1 - q])


def pure_ones(rows_stay: Any, columns_stay: Any) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return the cells in which both stay."""
    return [(np.eye(2)[i], np.eye(2)[j]) for i, j in np.argwhere(rows_stay & columns_stay)]


def right_pure_ones(A: Any, B: Any) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return the pure equilibria."""
    return pure_ones(A == A.max(axis=0), B == B.max(axis=1, keepdims=True))


def between(pair: tuple[np.ndarray, np.ndarray]) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return a pair in a list if it is truly mixed, else nothing."""
    return [pair] if all(0 < z[0] < 1 for z in pair) else []


@enumerating.mistake(
    "You mix by your *own* payoffs, or x and y have changed places. The row player's p makes the *column* player "
    "indifferent, so it is found from B; q is found from A."
)
def equilibria_mixed_by_own_payoffs(A, B):
    a0, a1, b0, b1 = A[0, 0] - A[1, 0], A[1, 1] - A[0, 1], B[0, 0] - B[0, 1], B[1, 1] - B[1, 0]
    x, y = np.array([a1, a0]) / (a0 + a1), np.array([b1, b0]) / (b0 + b1)
    return right_pure_ones(A, B) + between((x, y))


def mixed_by(p: float, q: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the pair of mixtures with these probabilities of the first actions."""
    return np.array([p, 1 - p]), np.array([q, 1 - q])


@enumerating.mistake(
    "Your p is found from A, and your q from B. Each makes the *other* player indifferent: p solves the equation with B in "
    "it, q that with A."
)
def equilibria_mixed_by_own_equations(A, B):
    p = (A[1, 1] - A[1, 0]) / (A[0, 0] - A[0, 1] - A[1, 0] + A[1, 1])
    q = (B[1, 1] - B[0, 1]) / (B[0, 0] - B[0, 1] - B[1, 0] + B[1, 1])
    return right_pure_ones(A, B) + between(mixed_by(p, q))


@enumerating.mistake(
    "Your q is found from A by the same formula as p from B. But y chooses the *column*: what row 0 is paid is q · A[0, 0] + "
    "(1 - q) · A[0, 1], and so in the formula A[0, 1] and A[1, 0] change places."
)
def equilibria_q_by_the_formula_of_p(A, B):
    q = (A[1, 1] - A[1, 0]) / (A[0, 0] - A[0, 1] - A[1, 0] + A[1, 1])
    return right_pure_ones(A, B) + between(mixed_by(mixed_anyway(A, B)[0][0], q))


@enumerating.mistake("In each of your pairs x and y have changed places: the row player's mixture comes first.")
def equilibria_y_before_x(A, B):
    return [(y, x) for x, y in my_two_by_two(A, B)]


@enumerating.mistake(
    "Each of your x is turned round, p and 1 - p: what is likely for the row player's action 0 stands at place 0."
)
def equilibria_x_reversed(A, B):
    return [(x[::-1], y) for x, y in my_two_by_two(A, B)]


@enumerating.mistake(
    "Each of your y is turned round, q and 1 - q: what is likely for the column player's action 0 stands at place 0."
)
def equilibria_y_reversed(A, B):
    return [(x, y[::-1]) for x, y in my_two_by_two(A, B)]


@enumerating.mistake("In the mixed one p and 1 - p have changed places, though q is right: x = (p, 1 - p).")
def equilibria_p_reversed(A, B):
    return right_pure_ones(A, B) + [(x[::-1], y) for x, y in between(mixed_anyway(A, B))]


@enumerating.mistake("In the mixed one q and 1 - q have changed places, though p is right: y = (q, 1 - q).")
def equilibria_q_reversed(A, B):
    return right_pure_ones(A, B) + [(x, y[::-1]) for x, y in between(mixed_anyway(A, B))]


@enumerating.mistake(
    "You force p and q between 0 and 1. Where they are not, the equations have no solution in mixtures, and nothing is to be "
    "added: test them in place of `np.clip`."
)
def equilibria_clipped(A, B):
    p, q = (np.clip(z[0], 0, 1) for z in mixed_anyway(A, B))
    return [*right_pure_ones(A, B), mixed_by(p, q)]


def faulty_test(sentence: str, name: str, holds: Callable[[float, float], Any]) -> None:
    """List a solution that tests p and q in another way."""

    def faulty(A: Any, B: Any) -> Any:
        pair = mixed_anyway(A, B)
        return right_pure_ones(A, B) + ([pair] if holds(pair[0][0], pair[1][0]) else [])

    faulty.__name__ = f"equilibria_{name}"
    enumerating.mistake(sentence)(faulty)


faulty_test(
    "Your test lets negative numbers through, since it goes by `abs`. A probability is between 0 and 1: `0 < p < 1 and 0 < q "
    "< 1`.",
    "test_of_abs",
    lambda p, q: abs(p) < 1 and abs(q) < 1,
)
faulty_test(
    "You test only whether p and q are below 1. They have to be above 0 as well.",
    "test_of_the_upper_bound",
    lambda p, q: p < 1 and q < 1,
)
faulty_test(
    "You test only whether p and q are above 0. They have to be below 1 as well, and a denominator of 0 makes them inf.",
    "test_of_the_lower_bound",
    lambda p, q: p > 0 and q > 0,
)
faulty_test(
    "It is enough for you if *one* of p and q is a probability. Both have to be: `and`.",
    "test_of_either",
    lambda p, q: 0 < p < 1 or 0 < q < 1,
)
faulty_test(
    "You test p and q together, by their sum. A negative one and one above 0 pass it, too: test each by itself.",
    "test_of_the_sum",
    lambda p, q: 0 < p + q < 2,
)
faulty_test(
    "You leave the mixed one out only where a denominator is 0. Elsewhere p and q may still be below 0 or above 1.",
    "test_of_finiteness",
    lambda p, q: np.isfinite(p) and np.isfinite(q),
)


@enumerating.mistake(
    "You look for a mixed one only where two cells are equilibria. A game in which no cell is one has a mixed one, too."
)
def equilibria_mixed_only_with_two_pure(A, B):
    pure = right_pure_ones(A, B)
    return pure + (between(mixed_anyway(A, B)) if len(pure) == 2 else [])


@enumerating.mistake(
    "B is used the wrong way round, in all of it. Its rows are the actions of the *row* player too: B[i, j] is paid where "
    "the row player does i."
)
def equilibria_of_b_transposed(A, B):
    return my_two_by_two(A, B.T)


@enumerating.mistake(
    "Your p is found from B transposed, by the formula that is right for q and A. x chooses the *row*: column 0 is paid p · "
    "B[0, 0] + (1 - p) · B[1, 0]."
)
def equilibria_mixed_by_b_transposed(A, B):
    return right_pure_ones(A, B) + between(mixed_anyway(A, B.T))


@enumerating.mistake(
    "The mixed one is always in your list, even where p or q is no probability. It is an equilibrium only if both are "
    "between 0 and 1."
)
def equilibria_mixed_without_a_test(A, B):
    return [*right_pure_ones(A, B), mixed_anyway(A, B)]


@enumerating.mistake(
    "You test only whether p is a probability. If q is none, nobody makes the row player indifferent: both have to be."
)
def equilibria_test_of_p_alone(A, B):
    x, y = mixed_anyway(A, B)
    return right_pure_ones(A, B) + ([(x, y)] if 0 < x[0] < 1 else [])


@enumerating.mistake(
    "You test only whether q is a probability. If p is none, nobody makes the column player indifferent: both have to be."
)
def equilibria_test_of_q_alone(A, B):
    x, y = mixed_anyway(A, B)
    return right_pure_ones(A, B) + ([(x, y)] if 0 < y[0] < 1 else [])


@enumerating.mistake("The pure ones are right, but the mixed one is missing.")
def equilibria_pure_alone(A, B):
    return right_pure_ones(A, B)


@enumerating.mistake("The mixed one is right, but the pure ones are missing: go through the four cells as well.")
def equilibria_mixed_alone(A, B):
    return between(mixed_anyway(A, B))


@enumerating.mistake(
    "You look for a mixed one only where no cell is an equilibrium. A game may have both: here one with three."
)
def equilibria_mixed_only_if_none_is_pure(A, B):
    return right_pure_ones(A, B) or between(mixed_anyway(A, B))


@enumerating.mistake("You return the first one that you find. All of them are asked for: append it, and go on.")
def equilibria_first_alone(A, B):
    return my_two_by_two(A, B)[:1]


@enumerating.mistake(
    "The axes of the pure test are swapped. The row player moves up and down, in a *column* of A, `A[:, j]`; the column "
    "player in a *row* of B, `B[i]`."
)
def equilibria_axes_swapped(A, B):
    pure = pure_ones(A == A.max(axis=1, keepdims=True), B == B.max(axis=0))
    return pure + between(mixed_anyway(A, B))


@enumerating.mistake(
    "Only the row player is asked whether it stays. In an equilibrium the column player stays as well."
)
def equilibria_row_player_alone(A, B):
    return pure_ones(A == A.max(axis=0), np.full((2, 2), True)) + between(mixed_anyway(A, B))


@enumerating.mistake(
    "Only the column player is asked whether it stays. In an equilibrium the row player stays as well."
)
def equilibria_column_player_alone(A, B):
    return pure_ones(np.full((2, 2), True), B == B.max(axis=1, keepdims=True)) + between(mixed_anyway(A, B))


@enumerating.mistake("You call a cell an equilibrium where *either* stays. Both have to.")
def equilibria_either_stays(A, B):
    stays = (A == A.max(axis=0)) | (B == B.max(axis=1, keepdims=True))
    return pure_ones(stays, stays) + between(mixed_anyway(A, B))


@enumerating.mistake(
    "p and 1 - p have changed places, and q and 1 - q: p is how likely action 0 is, the first of the two."
)
def equilibria_mixtures_reversed(A, B):
    return right_pure_ones(A, B) + [(x[::-1], y[::-1]) for x, y in between(mixed_anyway(A, B))]


@enumerating.mistake("You play the game as if it were zero-sum: the column player has payoffs of its own, B.")
def equilibria_as_if_zero_sum(A, B):
    return my_two_by_two(A, -A)


@enumerating.mistake(
    "You compute what is lost where what is paid was given: both want their payoffs large, max and not min."
)
def equilibria_of_costs(A, B):
    return my_two_by_two(-A, -B)


@enumerating.mistake("You return numbers of actions for pure ones. A pure policy is a mixture too: `np.eye(2)[i]`.")
def equilibria_pure_by_number(A, B):
    return [(int(x[1]), int(y[1])) for x, y in right_pure_ones(A, B)] + between(mixed_anyway(A, B))


@enumerating.mistake("Your mixed one has p and q alone. All probabilities are asked for: (p, 1 - p) and (q, 1 - q).")
def equilibria_mixed_by_p_and_q(A, B):
    return right_pure_ones(A, B) + [(x[0], y[0]) for x, y in between(mixed_anyway(A, B))]


@enumerating.mistake("You return what both are paid. The mixtures were asked for.")
def equilibria_payoffs(A, B):
    return [(x @ A @ y, x @ B @ y) for x, y in my_two_by_two(A, B)]


@enumerating.mistake(
    "You keep the equilibrium that pays most in sum. The others are equilibria too: no player leaves them alone."
)
def equilibria_best_alone(A, B):
    return [max(my_two_by_two(A, B), key=lambda pair: pair[0] @ (A + B) @ pair[1])]


# -- 5. fictitious play --------------------------------------------------------------------------------------------

playing = Exercise(
    "games.fictitious_play",
    title="Fictitious play",
    name="my_fictitious_play",
    hints=[
        "Keep two counts, of the row player's actions and of the column player's. Each round adds one to both.",
        "The row player answers what the *column* player has played: `A @ y_counts`. What is best by the shares is best by "
        "the counts, and counts are exact: shares are rounded, which may break a tie.",
        "The column player has B: `x_counts @ B`, one number for each column. Both answer the same past, so count first, "
        "and answer after that.",
        "`i, j = first`, and in every round `x[i] += 1; y[j] += 1; i, j = (A @ y).argmax(), (x @ B).argmax()`; then "
        "`return x / rounds, y / rounds`",
    ],
    insight="Nobody computes an equilibrium, and in a zero-sum game the averages come to one nevertheless. What is *played* goes "
    "round and round.",
)


@playing.reference
def my_fictitious_play(A, B, first, rounds):
    """Return how often each action was played in fictitious play, in shares.

    A, B: float[A1, A2], what the row and the column player are paid
    first: (i, j), the actions of round 1
    rounds: int, how many rounds are played, round 1 counted
    After each round both choose a best response to the shares of all that
    the other one has played so far; the lowest number where several are best
    Returns x: float[A1], y: float[A2], shares over all the rounds.
    """
    x, y = np.zeros(A.shape[0]), np.zeros(A.shape[1])
    i, j = first
    for _ in range(rounds):
        x[i] += 1
        y[j] += 1
        i, j = (A @ y).argmax(), (x @ B).argmax()
    return x / rounds, y / rounds


@playing.also_right
def play_by_averages(A, B, first, rounds):
    x, y = np.eye(len(A))[first[0]], np.eye(A.shape[1])[first[1]]
    for t in range(2, rounds + 1):
        answers = np.eye(len(A))[np.argmax(A @ y)], np.eye(len(y))[np.argmax(B.T @ x)]
        x, y = x + (answers[0] - x) / t, y + (answers[1] - y) / t
    return x, y


@playing.also_right
def play_by_sums_of_payoffs(A, B, first, rounds):
    (i, j), U, W = first, np.zeros(len(A)), np.zeros(A.shape[1])
    played: list[tuple[int, int]] = []
    while len(played) < rounds:
        played.append((i, j))
        U, W = U + A[:, j], W + B[i]
        i, j = int(np.argmax(U)), int(np.argmax(W))
    rows, columns = zip(*played, strict=True)
    return [rows.count(a) / rounds for a in range(len(U))], [columns.count(b) / rounds for b in range(len(W))]


@playing.cases
def games_to_play(rng: np.random.Generator) -> Iterator[Case]:
    array = np.array
    A, B = array([[3.0, 0.0], [0.0, 2.0]]), array([[1.0, 0.0], [0.0, 4.0]])
    why = (
        "round 1: (0, 1). The row player answers column 1 by 1, and the column player row 0 by 0: (1, 0). Then each has "
        "played each once: 3/2 to 1 for row 0, and 1/2 to 2 for column 1: (0, 1). Then the counts are (2, 1) and (1, 2): 3 "
        "to 4, and 2 to 4, so (1, 1). In four rounds: x = (1/2, 1/2), y = (1/4, 3/4)"
    )
    yield Case("four rounds", (A, B, (0, 1), 4), why)
    why = (
        "the sums of the rows are (2, 3), (4, 6), (5, 6), those of the columns (2, 1), (5, 6), (8, 11): from (0, 0) to (1, "
        "0), then (1, 1), twice. x = (1/4, 3/4), y = (1/2, 1/2)"
    )
    other = array([[2.0, 1.0], [3.0, 0.0]]), array([[2.0, 1.0], [3.0, 5.0]])
    yield Case("payoffs that are no mirror image", (*other, (0, 0), 4), why)
    yield Case("one round", (A, B, (1, 0), 1), "nothing but the first joint action: x = (0, 1), y = (1, 0)")
    why = (
        "round 1: (2, 0). Against column 0 the rows are paid 1, 4 and 0, so 1; against row 2 the columns are paid 5 and 0, "
        "so 0. In round 2 it is (1, 0). Now the rows are paid 2, 8 and 0, so 1; the columns 5 + 0 and 0 + 3, so 0. In round "
        "3 it is (1, 0): x = (0, 2/3, 1/3) and y = (1, 0)"
    )
    args: tuple[Any, ...] = (
        array([[1.0, 3.0], [4.0, 0.0], [0.0, 2.0]]),
        array([[0.0, 9.0], [0.0, 3.0], [5.0, 0.0]]),
        (2, 0),
        3,
    )
    yield Case("three rows, two columns", args, why)
    why = (
        "after (0, 0), row 0 stays, and the column player goes to 1: (0, 1). By then both rows have been paid 1 - 1 = 0, so "
        "the lower one, 0; the columns -2 and 2, so 1. And (0, 1) once more: x = (1, 0), y = (1/3, 2/3)"
    )
    # In these four games every tie comes after round 2, when shares are exact: whether an answer keeps counts, shares or a
    # running mean, rounding breaks none of them.
    pennies = array([[1.0, -1.0], [-1.0, 1.0]])
    yield Case("matching pennies, with a tie", (pennies, -pennies, (0, 0), 3), why)
    why = (
        "row 1 is paid 1 against column 1 and stays, while the column player goes to 0: (1, 0). By then both rows have been "
        "paid -1 + 1 = 0, so the lower one, 0, though 1 was played last; the columns 2 and -2, so 0. And (0, 0): x = (1/3, "
        "2/3), y = (2/3, 1/3)"
    )
    yield Case("a tie, while the second row is played", (pennies, -pennies, (1, 1), 3), why)
    why = (
        "against column 1 row 1 is better, and against row 0 column 1: (1, 1). By then both columns have been paid 0, so the "
        "lower one, 0, though 1 was played last; the rows -2 and 2, so 1. And (1, 0): x = (1/3, 2/3), y = (1/3, 2/3)"
    )
    yield Case("a tie, while the second column is played", (pennies, -pennies, (0, 1), 3), why)
    why = (
        "from (1, 0): the rows' sums are (1, -1), (2, -2), (3, -3), (2, -2), so always row 0. The columns' are (1, -1), "
        "then (0, 0), a tie, so 0, then (-1, 1) and (-2, 2), so 1. The rounds: (1, 0), (0, 0), (0, 0), (0, 1), (0, 1): x = "
        "(4/5, 1/5), y = (3/5, 2/5)"
    )
    yield Case("matching pennies, five rounds", (pennies, -pennies, (1, 0), 5), why)
    why = (
        "both are paid alike, 4 in (0, 0) and 3 in (1, 1). From (0, 1) they go to (1, 0), and then to (0, 0), by 4 to 3, "
        "where both stay: x = (5/6, 1/6), y = (5/6, 1/6)"
    )
    team = array([[4.0, 0.0], [0.0, 3.0]])
    yield Case("a team that misses each other", (team, team.copy(), (0, 1), 6), why)
    for k, size in enumerate([(3, 3), (4, 2), (2, 4)], start=1):
        A, B = rng.normal(size=(2, *size)).round(3)
        first = tuple(int(rng.integers(n)) for n in size)
        yield Case(f"a random game {k}", (A, B, first, 40))


@playing.judge
def what_is_wrong_with_shares(case: Case, got: Any) -> str | None:
    """Judge the two arrays, one after the other, and say what was counted too often."""
    A, B, first, rounds = case.args
    right = my_fictitious_play(A, B, first, rounds)
    if not isinstance(got, (tuple, list)) or len(got) != 2:
        return "Two arrays are asked for, `return x, y`, in this order."
    for name, mine, theirs in zip(("x", "y"), got, right, strict=True):
        said = no_policy(name, mine, len(theirs))
        if said is not None:
            counted = rounds * np.asarray(mine, dtype=float) if np.shape(mine) == theirs.shape else np.full(1, np.nan)
            if counted.min() >= 0 and close(counted, counted.round(), 0, 1e-6) and 0 < counted.sum():
                return f"{said} You count {counted.sum():.0f} rounds, and there are {rounds}."
            return said
    if close(got, right, 1e-6, 1e-8):
        return None
    for played in (rounds - 1, rounds + 1):
        if played and close(got, my_fictitious_play(A, B, first, played), 1e-6, 1e-8):
            return (
                f"These are the shares of {played} rounds, but {rounds} are asked for. `first` is round 1, and counts."
            )
    for name, mine, theirs in zip(("x", "y"), got, right, strict=True):
        if not close(mine, theirs, 1e-6, 1e-8):
            k = int(np.argmax(~np.isclose(np.asarray(mine, dtype=float), theirs, 1e-6, 1e-8)))
            times = f"{theirs[k] * rounds:.0f} of {rounds} rounds"
            return f"{name}[{k}] should be {theirs[k]:.4g}, as the action was played in {times}, but is {float(mine[k]):.4g}."
    return None


def player(
    row: Callable[..., Any] | None = None,
    column: Callable[..., Any] | None = None,
    give: Callable[..., Any] | None = None,
    *,
    start: float = 0.0,
    more: int = 0,
    in_turn: bool = False,
) -> Callable[..., Any]:
    """Return fictitious play, some parts of which are other ones.

    Args:
        row, column: (A, B, x, y, i, j) -> the next action, where x and y are counts, and i and j were played last.
        give: (x, y, i, j, rounds) -> what is returned; i and j would be next.
        start: what counts begin with.
        more: rounds that are played beyond those asked for.
        in_turn: whether the column player already sees the row player's new action.
    """
    row = row or (lambda A, B, x, y, i, j: (A @ y).argmax())
    column = column or (lambda A, B, x, y, i, j: (x @ B).argmax())

    def play(A: Any, B: Any, first: Any, rounds: int) -> Any:
        x, y = np.full(A.shape[0], start), np.full(A.shape[1], start)
        i, j = first
        for _ in range(rounds + more):
            x[i] += 1
            y[j] += 1
            seen = x.copy()
            new = row(A, B, x, y, i, j)
            if in_turn:
                seen[new] += 1
            i, j = new, column(A, B, seen, y, i, j)
        if give:
            return give(x, y, i, j, rounds)
        return x / x.sum(), y / y.sum()

    return play


def faulty_play(sentence: str, name: str, **parts: Any) -> None:
    """List a mistake of fictitious play, in which some parts are other ones."""
    play = player(**parts)

    def faulty(A: Any, B: Any, first: Any, rounds: Any) -> Any:
        return play(A, B, first, rounds)

    faulty.__name__ = f"play_{name}"
    playing.mistake(sentence)(faulty)


faulty_play(
    "The column player already sees what the row player does in this round. Both move at once: compute both answers, and "
    "then count.",
    "in_turn",
    in_turn=True,
)
faulty_play(
    "You answer what the other one did *last*. All that it has played is to be answered, by how often it was played.",
    "to_the_last_action",
    row=lambda A, B, x, y, i, j: A[:, j].argmax(),
    column=lambda A, B, x, y, i, j: B[i].argmax(),
)


@playing.mistake("Round 1 is not in your shares, though it was played: count `first` like all others.")
def play_without_the_first(A, B, first, rounds):
    x, y = my_fictitious_play(A, B, first, rounds + 1)
    own = np.eye(len(x))[first[0]], np.eye(len(y))[first[1]]
    return (x * (rounds + 1) - own[0]) / rounds, (y * (rounds + 1) - own[1]) / rounds


faulty_play(
    "B is used the wrong way round: its rows are the row player's actions too. Each *column* is paid `x @ B`.",
    "b_transposed",
    column=lambda A, B, x, y, i, j: (B @ x).argmax() if B.shape[0] == B.shape[1] else (x @ B).argmax(),
)
faulty_play(
    "A is used the wrong way round: its columns are the column player's actions. Each *row* is paid `A @ y`.",
    "a_transposed",
    row=lambda A, B, x, y, i, j: (y @ A).argmax() if A.shape[0] == A.shape[1] else (A @ y).argmax(),
)
faulty_play(
    "The column player takes the smallest of `x @ B`. B holds what it is *paid*: argmax, for both.",
    "column_argmin",
    column=lambda A, B, x, y, i, j: (x @ B).argmin(),
)
faulty_play(
    "The column player goes by A. What it is paid stands in B.",
    "column_by_a",
    column=lambda A, B, x, y, i, j: (x @ A).argmax(),
)
faulty_play(
    "The column player goes by -A, as if the game were zero-sum. What it is paid stands in B.",
    "column_by_minus_a",
    column=lambda A, B, x, y, i, j: (x @ -A).argmax(),
)
faulty_play("You play one round too many: `first` is round 1, and counts.", "one_round_more", more=1)
faulty_play(
    "You play one round too few: `first` is round 1, and after it come `rounds - 1`.", "one_round_less", more=-1
)
faulty_play(
    "A and B have changed places: the row player is paid by A, `A @ y`, the column player by B, `x @ B`.",
    "a_and_b_swapped",
    row=lambda A, B, x, y, i, j: (B @ y).argmax(),
    column=lambda A, B, x, y, i, j: (x @ A).argmax(),
)
faulty_play(
    "Your column player never moves away from `first`. After every round *both* choose anew.",
    "column_never_moves",
    column=lambda A, B, x, y, i, j: j,
)
faulty_play(
    "Your row player never moves away from `first`. After every round *both* choose anew.",
    "row_never_moves",
    row=lambda A, B, x, y, i, j: i,
)


@playing.mistake("`first` is not used: your round 1 is (0, 0) in every game. Begin with `i, j = first`.")
def play_from_the_first_actions(A, B, first, rounds):
    return my_fictitious_play(A, B, (0, 0), rounds)


@playing.mistake(
    "`first` is read the wrong way round: it is (i, j), the row player's action and then the column player's."
)
def play_first_swapped(A, B, first, rounds):
    return my_fictitious_play(A, B, first[::-1], rounds)


@playing.mistake(
    "In your running mean the second round replaces the first. After t rounds the next one weighs 1/(t + 1), not 1/t."
)
def play_by_averages_without_the_first(A, B, first, rounds):
    x, y = np.eye(len(A))[first[0]], np.eye(A.shape[1])[first[1]]
    for t in range(1, rounds):
        answers = np.eye(len(A))[np.argmax(A @ y)], np.eye(len(y))[np.argmax(x @ B)]
        x, y = x + (answers[0] - x) / t, y + (answers[1] - y) / t
    return x, y


faulty_play(
    "You answer shares that `//` has rounded down to 0. Divide by `/`, or answer the counts.",
    "shares_rounded_down",
    row=lambda A, B, x, y, i, j: (A @ (y // y.sum())).argmax(),
    column=lambda A, B, x, y, i, j: (x // x.sum() @ B).argmax(),
)
faulty_play(
    "What you return was rounded down to 0 by `//`. Divide by `/`.",
    "returns_shares_rounded_down",
    give=lambda x, y, i, j, rounds: (x // rounds, y // rounds),
)
faulty_play(
    "You return how *often* each action was played. Shares are asked for: divide by the rounds.",
    "counts",
    give=lambda x, y, i, j, rounds: (x, y),
)
faulty_play(
    "On a tie you stay with what was played last. Of equally good answers the one with the lowest number is asked for, which "
    "`argmax` gives.",
    "stays_on_a_tie",
    row=lambda A, B, x, y, i, j: i if (A @ y)[i] == (A @ y).max() else (A @ y).argmax(),
    column=lambda A, B, x, y, i, j: j if (x @ B)[j] == (x @ B).max() else (x @ B).argmax(),
)
faulty_play(
    "Of equally good answers you take another one than the first. The lowest number is asked for, which `argmax` gives.",
    "last_of_the_tied",
    row=lambda A, B, x, y, i, j: len(x) - 1 - (A @ y)[::-1].argmax(),
    column=lambda A, B, x, y, i, j: len(y) - 1 - (x @ B)[::-1].argmax(),
)
faulty_play(
    "Your counts begin at 1, as if each action had been played once before round 1. Begin at 0: only what was played "
    "counts.",
    "counts_from_one",
    start=1.0,
)
faulty_play(
    "You return the answers to the end of it. How often each action was *played* was asked for, in shares.",
    "answers_of_the_end",
    give=lambda x, y, i, j, rounds: (np.eye(len(x))[i], np.eye(len(y))[j]),
)
faulty_play(
    "You answer the other one's most frequent action alone. Its other actions count too, by their shares.",
    "to_the_most_frequent",
    row=lambda A, B, x, y, i, j: A[:, y.argmax()].argmax(),
    column=lambda A, B, x, y, i, j: B[x.argmax()].argmax(),
)
faulty_play(
    "Your players hope for their largest payoff, whatever the other one has done: weight by the counts, `A @ y` and `x @ "
    "B`.",
    "optimistic",
    row=lambda A, B, x, y, i, j: A.max(axis=1).argmax(),
    column=lambda A, B, x, y, i, j: B.max(axis=0).argmax(),
)
faulty_play(
    "Nobody answers: both go on with `first`. After every round both choose anew.",
    "first_for_ever",
    row=lambda A, B, x, y, i, j: i,
    column=lambda A, B, x, y, i, j: j,
)


@playing.mistake("x and y have changed places in what you return: the row player's shares come first.")
def play_order(A, B, first, rounds):
    x, y = my_fictitious_play(A, B, first, rounds)
    return y, x


@playing.mistake(
    "Each answers its *own* past. The row player weights its rows by what the column player did, `A @ y`, the column player "
    "its columns by what the row player did, `x @ B`."
)
def play_to_the_own_past(A, B, first, rounds):
    x, y, (i, j) = np.zeros(A.shape[0]), np.zeros(A.shape[1]), first
    for _ in range(rounds):
        x[i] += 1
        y[j] += 1
        if A.shape[0] == A.shape[1]:
            i, j = (A @ x).argmax(), (y @ B).argmax()
        else:  # the shapes do not fit, and one notices
            i, j = (A @ y).argmax(), (x @ B).argmax()
    return x / rounds, y / rounds


@playing.mistake(
    "Each answers its *own* past, by the other axis of its table. The row player's rows are weighted by what the column player "
    "did, `A @ y`, the column player's columns by what the row player did, `x @ B`."
)
def play_to_the_own_past_by_the_other_axis(A, B, first, rounds):
    return player(row=lambda A, B, x, y, i, j: (x @ A).argmax(), column=lambda A, B, x, y, i, j: (B @ y).argmax())(
        A, B, first, rounds
    )


@playing.mistake("You return what was played in the last round. The shares of *all* rounds are asked for.")
def play_of_the_last_round(A, B, first, rounds):
    x, y = (np.rint(z * rounds) for z in my_fictitious_play(A, B, first, rounds))
    before = [np.rint(z * (rounds - 1)) for z in my_fictitious_play(A, B, first, rounds - 1)] if rounds > 1 else (0, 0)
    return x - before[0], y - before[1]


@playing.mistake("You return the row player's shares alone. Both are asked for: `return x, y`.")
def play_of_the_row_player(A, B, first, rounds):
    return my_fictitious_play(A, B, first, rounds)[0]


# -- the quiz ------------------------------------------------------------------------------------------------------

quiz = Quiz(
    Question(
        "In a Nash equilibrium of two players, what can a player gain by moving alone?",
        (
            (
                "Nothing, by whatever mixture.",
                True,
                "That is the definition. It is enough to try pure actions: a mixture is paid a mean of what they are paid, "
                "and no mean is above the largest.",
            ),
            (
                "Nothing by a pure action, but perhaps something by a mixture.",
                False,
                "A mixture is paid a mean of what its actions are paid. If none of them gains, the mean does not.",
            ),
            (
                "Nothing, and both together cannot gain either.",
                False,
                "Together they often could: two who defect would both be paid more if both cooperated. The definition moves "
                "one at a time.",
            ),
        ),
    ),
    Question(
        "Both players mix in an equilibrium. Now the row player is paid more for its first action, in both columns, and the "
        "game still has a mixed equilibrium. What is different in it?",
        (
            (
                "The row player plays its first action more often.",
                False,
                "Its probabilities make the *column* player indifferent, and the payoffs of the column player are what they "
                "were.",
            ),
            (
                "The column player's mixture: it has to make the row player indifferent again.",
                True,
                "One's own payoffs set what the *other* does. That is what two equations say: x is found from B, y from A.",
            ),
            (
                "Both mixtures.",
                False,
                "x is found from B alone, and B has not changed.",
            ),
        ),
    ),
    Question(
        "A zero-sum game has two optimal mixtures for the row player, x and x'. Must it fear to choose the wrong one of "
        "them?",
        (
            (
                "No: each of them is paid the value at least, whatever the other one does.",
                True,
                "And no mixture is sure of more. In zero-sum games there is nothing to agree on: any optimal x goes with "
                "any optimal y.",
            ),
            (
                "Yes: it depends on which of its own the other one has chosen.",
                False,
                "So it is in general-sum games, where two may miss each other. Here each optimal mixture is sure of v by "
                "itself.",
            ),
            (
                "That cannot be: the optimal mixture is unique.",
                False,
                "The *value* is unique. Where two rows are alike, only the sum of their probabilities is known.",
            ),
        ),
    ),
    Question(
        "In your minimax program v has the default bounds of `linprog`. When do you notice?",
        (
            (
                "In the first game: it is never right.",
                False,
                "The default says that v is 0 or more. Where the value of the game is that, nothing changes.",
            ),
            (
                "In a game whose value is below 0: then nothing fulfils all conditions, and x is None.",
                True,
                "So try a game that the row player loses. Matching pennies and rock, paper, scissors, with value 0, would "
                "not have shown it.",
            ),
            (
                "Never: one can add a constant to all payoffs.",
                False,
                "One could, and take it away from v at the end: that is another cure. Left alone, the program has no "
                "solution in some games.",
            ),
        ),
    ),
    Question(
        "Two play rock, paper, scissors by fictitious play, for a very long time. What comes to the equilibrium?",
        (
            (
                "What they play: in the end each draws one of three with equal probability.",
                False,
                "They never draw at all. Each round has a best answer, which is played, and kept for longer and longer "
                "runs.",
            ),
            (
                "Nothing: they go round in a circle for ever.",
                False,
                "What they *play* does. The shares of what was played are another matter.",
            ),
            (
                "The shares of all that they have played; what they play goes on in circles.",
                True,
                "In zero-sum games the averages converge. In others even they need not: Shapley's game is the example.",
            ),
        ),
    ),
)
