"""Exercises of chapter 6, many learners: beliefs, independent and joint-action learners, a reward of one's own."""

# ruff: noqa: E741 - O is the letter that every text on hidden states uses

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np

from rlkit.exercises.exercise import Case, Exercise
from rlkit.exercises.judging import ANOTHER_VALUE, close, difference, fresh
from rlkit.exercises.quizzes import Question, Quiz


def shares(weights: np.ndarray) -> np.ndarray:
    """Return weights divided by their sum along the last axis."""
    return weights / weights.sum(axis=-1, keepdims=True)


def what_is_wrong_with_an_array(exercise: Exercise, of_beliefs: bool, case: Case, got: Any) -> str | None:
    """Judge an array, and name its first wrong entry; of beliefs, what they sum to comes before any entry."""
    right = exercise.solution(*fresh(case.args))
    said = difference(got, right, exercise.rtol, exercise.atol)
    if said == ANOTHER_VALUE and got is not None:
        given = np.asarray(got, dtype=float)
        if not np.isfinite(given).all():
            return "Something is not finite here, nan or inf. Is there a division by 0?"
        totals = np.atleast_1d(given.sum(axis=-1))
        if of_beliefs and not np.allclose(totals, 1, atol=1e-6):
            wrong = totals[~np.isclose(totals, 1, atol=1e-6)][0]
            return f"A belief is made of probabilities and sums to 1. Yours sums to {wrong:.4g}."
        at = tuple(np.argwhere(~np.isclose(given, right, exercise.rtol, exercise.atol))[0])
        return f"At [{', '.join(map(str, at))}] there should be {right[at]:.4g}, but there is {given[at]:.4g}."
    if said is None and not isinstance(got, np.ndarray):
        return f"The numbers are right, but they come as {type(got).__name__}. A numpy array was asked for."
    return said


def judge_arrays(exercise: Exercise, *, of_beliefs: bool = False) -> None:
    """Let an exercise ask for an array, of beliefs or of anything."""
    exercise.judge(partial(what_is_wrong_with_an_array, exercise, of_beliefs))


def combined(*sentences: str) -> str:
    """Return one sentence, or several as a count and a list."""
    said = [sentence for sentence in sentences if sentence]
    count = {2: "Two things. ", 3: "Three things. "}.get(len(said), "")
    return count + " And ".join(said)


# -- 1. the filter of a hidden Markov model ------------------------------------------------------------------------

filtering = Exercise(
    "marl.filter_step",
    title="Predict, then correct",
    name="my_filter_step",
    hints=[
        "Two questions, one after the other. Where is the world after the step? And how likely is o in each of these "
        "states?",
        "The first is a matrix product: Σ_s b(s) P(s'|s) is `b @ P`, for one belief and for many.",
        "The second is a column of O, one number for each state: `O[:, o]`. Multiply, and divide by the sum of the row.",
        "`new = (b @ P) * O[:, o]`, `return new / new.sum(axis=-1, keepdims=True)`",
    ],
    insight="What came before the step is in b, what was seen is in one column of O: the whole past fits into S numbers.",
)
judge_arrays(filtering, of_beliefs=True)


@filtering.reference
def my_filter_step(b, P, O, o):
    """Return the belief after one step of the world, and then a look at it.

    b: float[..., S], the belief before; many beliefs stand in rows
    P: float[S, S], P[s, s_next]
    O: float[S, n_obs], O[s, o] is how likely o is, seen in state s
    o: int, what was seen after the step, by all of them
    Returns float[..., S], a new array; each belief sums to 1.
    """
    new = (b @ P) * O[:, o]
    return new / new.sum(axis=-1, keepdims=True)


@filtering.also_right
def filter_by_a_diagonal(b, P, O, o):
    new = b @ P @ np.diag(O[:, o])
    return (new.T / new.T.sum(axis=0)).T


@filtering.also_right
def filter_by_loops(b, P, O, o):
    S = len(P)
    new = np.zeros(np.shape(b))
    for k in np.ndindex(new.shape[:-1]):
        for t in range(S):
            new[k][t] = O[t, o] * sum(b[k][s] * P[s, t] for s in range(S))
        new[k] /= new[k].sum()
    return new


@filtering.cases
def looks_at_a_hidden_state(rng: np.random.Generator) -> Iterator[Case]:
    P, O = np.array([[0.8, 0.2], [0.4, 0.6]]), np.array([[0.9, 0.1], [0.4, 0.6]])
    why = (
        "predict: 0.5 · 0.8 + 0.5 · 0.4 = 0.6, and 0.4. Correct by the second column of O: 0.6 · 0.1 = 0.06 and "
        "0.4 · 0.6 = 0.24. Their sum is 0.3: (0.2, 0.8)"
    )
    yield Case("a machine that makes a noise", (np.array([0.5, 0.5]), P, O, 1), why)
    why = "predict: (0.8, 0.2). Correct: 0.8 · 0.1 = 0.08 and 0.2 · 0.6 = 0.12. Their sum is 0.2: (0.4, 0.6)"
    yield Case("sure of the state before", (np.array([1.0, 0.0]), P, O, 1), why)
    why = "predict: (0.6, 0.4), as above. Only the second state shows this: 0.6 · 0 = 0 and 0.4 · 0.5 = 0.2: (0, 1)"
    args: tuple[Any, ...] = (np.array([0.5, 0.5]), P, np.array([[1.0, 0.0], [0.5, 0.5]]), 1)
    yield Case("one state cannot look like that", args, why)
    why = "the first row as in the first situation, (0.2, 0.8), and the second as in the second, (0.4, 0.6)"
    yield Case("two beliefs in rows", (np.array([[0.5, 0.5], [1.0, 0.0]]), P, O, 1), why)
    ring = np.array([[0.0, 1.0, 0.0], [0.0, 0.0, 1.0], [1.0, 0.0, 0.0]])
    why = (
        "each share moves one place on: (0.25, 0.5, 0.25). Correct: 0.25 · 0.8, 0.5 · 0.4 and 0.25 · 0.4 are 0.2, 0.2 "
        "and 0.1: (0.4, 0.4, 0.2)"
    )
    seen = np.array([[0.8, 0.2], [0.4, 0.6], [0.4, 0.6]])
    yield Case("three places on a ring", (np.array([0.5, 0.25, 0.25]), ring, seen, 0), why)
    for k, rows in enumerate([(), (2,), (3, 2)], start=1):
        b, P, O = (shares(rng.uniform(0.1, 1, size)) for size in [(*rows, 4), (4, 4), (4, 3)])
        yield Case(f"random beliefs {k}", (b, P, O, int(rng.integers(3))))


PREDICTIONS: dict[str, tuple[str, Callable[..., Any]]] = {
    "": ("", lambda b, P: b @ P),
    "without_prediction": (
        "You do not predict. Between two looks the world has moved on: first `b @ P`.",
        lambda b, P: b,
    ),
    "with_p_turned": (
        "P is used the wrong way round. What arrives in s' is Σ_s b(s) P[s, s'], a sum along the *first* axis of P: `b @ P`.",
        lambda b, P: b @ P.T,
    ),
    "with_p_in_front": (
        "`P @ b` is the wrong way round. What arrives in s' is Σ_s b(s) P[s, s'], a sum along the *first* axis of P: `b @ P`.",
        lambda b, P: P @ b,
    ),
    "by_columns": (
        "`P.T @ b` is right for one belief. Where many stand in rows, it takes each column for a belief: `b @ P` does for all.",
        lambda b, P: P.T @ b,
    ),
}
DIVISIONS: dict[str, tuple[str, Callable[..., Any]]] = {
    "": ("", shares),
    "without_normalising": (
        "You forgot the last step: divide by the sum, so that the probabilities add up to 1.",
        lambda new: new,
    ),
    "normalised_together": (
        "You divide by the sum of everything. Each belief sums to 1 by itself: `sum(axis=-1, keepdims=True)`.",
        lambda new: new / new.sum(),
    ),
    "sum_without_its_axis": (
        "For many beliefs, `sum(axis=-1)` loses its axis, and the sums are lined up with the states: `keepdims=True`.",
        lambda new: new / new.sum(axis=-1),
    ),
}
TOO_EARLY = "You correct first, and then predict. The world moves first: o belongs to the state *after* the step."


def list_filters() -> None:
    """List what may go wrong in predicting, in the order and in dividing, alone and together."""
    for prediction, (said, predict) in PREDICTIONS.items():
        for early in (False, True):
            for division, (why, divide) in DIVISIONS.items():
                if (early and prediction == "without_prediction") or not (prediction or early or division):
                    continue  # what is not predicted has no order; and the last is right

                def faulty(b, P, O, o, predict=predict, divide=divide, early=early):
                    return divide(predict(b * O[:, o], P) if early else predict(b, P) * O[:, o])

                names = ["filter", "corrects_first" if early else "", prediction, division]
                faulty.__name__ = "_".join(name for name in names if name)
                filtering.mistake(combined(TOO_EARLY if early else "", said, why))(faulty)


list_filters()


@filtering.mistake("You do not correct: this is the prediction alone. What was seen has to count, by `O[:, o]`.")
def filter_without_correction(b, P, O, o):
    return b @ P


@filtering.mistake(
    "`O[o]` is a row: all that the state number o may look like. How likely o is in each state is a column: `O[:, o]`."
)
def filter_by_a_row_of_o(b, P, O, o):
    return shares((b @ P) * O[o])


@filtering.mistake("You sum over the beliefs. Each of them sums to 1 by itself: `sum(axis=-1, keepdims=True)`.")
def filter_normalised_down_the_columns(b, P, O, o):
    new = (b @ P) * O[:, o]
    return new / new.sum(axis=0)


@filtering.mistake("You divide by the largest. Probabilities add up to 1: divide by the sum.")
def filter_divided_by_the_largest(b, P, O, o):
    new = (b @ P) * O[:, o]
    return new / new.max(axis=-1, keepdims=True)


@filtering.mistake("No softmax: these are probabilities already, up to a factor. Divide them by their sum.")
def filter_softmax(b, P, O, o):
    return shares(np.exp((b @ P) * O[:, o]))


@filtering.mistake("You add what was seen to the prediction. Both have to hold: the probabilities are multiplied.")
def filter_adds(b, P, O, o):
    return shares((b @ P) + O[:, o])


@filtering.mistake("You keep only the likeliest state. The others may still be true, and a belief remembers them.")
def filter_likeliest_alone(b, P, O, o):
    new = (b @ P) * O[:, o]
    return np.eye(len(P))[new.argmax(axis=-1)]


@filtering.mistake(
    "You take the best way into each state. There are several, and their probabilities are added: `b @ P`."
)
def filter_best_way_in(b, P, O, o):
    return shares((b[..., None] * P).max(axis=-2) * O[:, o])


@filtering.mistake("What you return does not depend on the belief: b has to be moved on by `b @ P` first.")
def filter_forgets_the_belief(b, P, O, o):
    return np.broadcast_to(shares(O[:, o]), np.shape(b)).copy()


@filtering.mistake("You multiply by the old belief once more. It counts once, in the prediction: `b @ P`.")
def filter_old_belief_twice(b, P, O, o):
    return shares((b @ P) * O[:, o] * b)


@filtering.mistake("You predict from the likeliest state alone. The others count too, by their probabilities: `b @ P`.")
def filter_from_the_likeliest(b, P, O, o):
    return shares(P[b.argmax(axis=-1)] * O[:, o])


@filtering.mistake("You predict twice. One step of the world lies between the two beliefs.")
def filter_predicts_twice(b, P, O, o):
    return shares((b @ P @ P) * O[:, o])


@filtering.mistake("The first observation is taken for the one that was made. Which it was, `o` says.")
def filter_by_the_first_observation(b, P, O, o):
    return shares((b @ P) * O[:, 0])


@filtering.mistake(
    "This is how likely each *observation* is. The belief is about states: multiply by the column `O[:, o]`."
)
def filter_of_observations(b, P, O, o):
    return b @ P @ O


@filtering.mistake(
    "This is how likely o was, what you should divide by. The belief is an array, with one number for each state."
)
def filter_likelihood(b, P, O, o):
    return (b @ P @ O)[..., o]


@filtering.mistake("You sum P without the belief, as if every state were equally likely: `b @ P`.")
def filter_from_anywhere(b, P, O, o):
    return np.broadcast_to(shares(P.sum(axis=0) * O[:, o]), np.shape(b)).copy()


# -- 2. the belief of an agent that acts ---------------------------------------------------------------------------

believing = Exercise(
    "marl.belief_update",
    title="A belief that acts",
    name="my_belief_update",
    hints=[
        "It is the filter of the last exercise. The action only says which of the matrices are used.",
        "P has the state first: `P[:, a]` is the matrix float[S, S] of the action. O has the action first.",
        "Of O, three things are known: the action, the observation, and that it is about the state *after*: `O[a, :, o]`.",
        "`new = (b @ P[:, a]) * O[a, :, o]`, `return new / new.sum()`",
    ],
    insight="Acting on the belief turns a POMDP into an MDP again, whose states are beliefs. There are many of them.",
)
judge_arrays(believing, of_beliefs=True)


@believing.reference
def my_belief_update(b, a, o, P, O):
    """Return the belief after the action a, whose step was followed by o.

    b: float[S], the belief before
    a, o: int, what was done, and what was then observed
    P: float[S, A, S], P[s, a, s_next]
    O: float[A, S, n_obs], O[a, s_next, o]
    Returns float[S], a new array that sums to 1.
    """
    new = (b @ P[:, a]) * O[a, :, o]
    return new / new.sum()


@believing.also_right
def belief_by_einsum(b, a, o, P, O):
    joint = np.einsum("s,st,t->t", b, P[:, a, :], O[a, :, o])
    return joint / np.sum(joint)


@believing.also_right
def belief_by_loops(b, a, o, P, O):
    new = np.zeros(len(b))
    for t in range(len(b)):
        for s in range(len(b)):
            new[t] += b[s] * P[s, a, t] * O[a, t, o]
    return new / sum(new)


TIGER_P = np.stack([np.eye(2), np.full((2, 2), 0.5), np.full((2, 2), 0.5)], axis=1)
TIGER_O = np.array([[[0.85, 0.15], [0.15, 0.85]], [[0.5, 0.5], [0.5, 0.5]], [[0.5, 0.5], [0.5, 0.5]]])


@believing.cases
def beliefs_to_update(rng: np.random.Generator) -> Iterator[Case]:
    P = np.array([[[0.8, 0.2], [1.0, 0.0]], [[0.4, 0.6], [0.75, 0.25]]])
    O = np.array([[[0.9, 0.1], [0.4, 0.6]], [[0.25, 0.75], [1.0, 0.0]]])
    why = (
        "predict with the second action: 0.2 · 1 + 0.8 · 0.75 = 0.8, and 0.2. Correct by `O[1, :, 0]`: 0.8 · 0.25 = "
        "0.2 and 0.2 · 1 = 0.2. So (0.5, 0.5)"
    )
    yield Case("a machine is repaired", (np.array([0.2, 0.8]), 1, 0, P, O), why)
    why = (
        "predict with the first action: 0.2 · 0.8 + 0.8 · 0.4 = 0.48, and 0.52. Correct: 0.48 · 0.9 = 0.432 and "
        "0.52 · 0.4 = 0.208, in all 0.64: (0.675, 0.325)"
    )
    yield Case("a machine works on", (np.array([0.2, 0.8]), 0, 0, P, O), why)
    why = "to listen moves nothing. 0.5 · 0.85 and 0.5 · 0.15, divided by their sum 0.5: (0.85, 0.15)"
    yield Case("the tiger, one growl on the left", (np.array([0.5, 0.5]), 0, 0, TIGER_P, TIGER_O), why)
    why = "0.85 · 0.15 and 0.15 · 0.85 are alike: the two growls cancel, (0.5, 0.5)"
    yield Case("and then one on the right", (np.array([0.85, 0.15]), 0, 1, TIGER_P, TIGER_O), why)
    why = "behind a door that was opened the tiger is placed anew: (0.5, 0.5), whatever is heard"
    yield Case("a door is opened", (np.array([0.96, 0.04]), 2, 1, TIGER_P, TIGER_O), why)
    left = np.array([[1.0, 0.0, 0.0], [0.8, 0.2, 0.0], [0.0, 0.8, 0.2]])
    right = np.array([[0.2, 0.8, 0.0], [0.0, 0.2, 0.8], [0.0, 0.0, 1.0]])
    wall = np.array([[0.1, 0.9], [0.9, 0.1], [0.1, 0.9]])
    why = (
        "to the right: 0.5 · 0.2 = 0.1, then 0.5 · 0.8 + 0.5 · 0.2 = 0.5, and 0.5 · 0.8 = 0.4. A wall is seen: 0.09, "
        "0.05 and 0.36, in all 0.5: (0.18, 0.1, 0.72)"
    )
    args = (np.array([0.5, 0.5, 0.0]), 1, 1, np.stack([left, right], axis=1), np.stack([wall, wall]))
    yield Case("a corridor with a wall at both ends", args, why)
    why = (
        "to the left: 0.5 · 1 + 0.5 · 0.8 = 0.9, then 0.5 · 0.2 = 0.1, and nothing. No wall is seen: 0.9 · 0.1 = 0.09 and "
        "0.1 · 0.9 = 0.09, so (0.5, 0.5, 0). What is impossible stays at 0"
    )
    yield Case("back again", (np.array([0.5, 0.5, 0.0]), 0, 0, *args[3:]), why)
    for k in range(1, 4):
        sizes: list[tuple[int, ...]] = [(4,), (4, 3, 4), (3, 4, 2)]
        b, P, O = (shares(rng.uniform(0.1, 1, size)) for size in sizes)
        yield Case(f"a random belief {k}", (b, int(rng.integers(3)), int(rng.integers(2)), P, O))


@believing.mistake(
    "You do not predict: the belief is only corrected. What was done may have changed the state: first `b @ P[:, a]`."
)
def belief_without_prediction(b, a, o, P, O):
    return shares(b * O[a, :, o])


@believing.mistake("You do not correct: this is the prediction alone. What was observed has to count: `O[a, :, o]`.")
def belief_without_correction(b, a, o, P, O):
    return b @ P[:, a]


@believing.mistake("You forgot the last step: divide by the sum, so that the probabilities add up to 1.")
def belief_without_normalising(b, a, o, P, O):
    return (b @ P[:, a]) * O[a, :, o]


@believing.mistake(
    "You correct first, and then predict. First the action, then the observation: o belongs to the state *after*."
)
def belief_corrects_first(b, a, o, P, O):
    return shares(b * O[a, :, o]) @ P[:, a]


@believing.mistake(
    "P is the wrong way round: you sum over s'. What arrives in s' is Σ_s b(s) P[s, a, s'], `b @ P[:, a]`."
)
def belief_with_p_turned(b, a, o, P, O):
    return shares((P[:, a] @ b) * O[a, :, o])


@believing.mistake(
    "`P[a]` is about the state number a, with all actions. The state comes first, then the action: `P[:, a]`."
)
def belief_state_for_action(b, a, o, P, O):
    return shares((b @ P[a]) * O[a, :, o])


@believing.mistake(
    "`P[:, :, a]` are the ways into the state number a. The action is the axis in the middle: `P[:, a]`."
)
def belief_next_state_for_action(b, a, o, P, O):
    return shares((b @ P[:, :, a]) * O[a, :, o])


@believing.mistake(
    "`O[a, o]` is what the state number o may look like. How likely o is in each state is a column: `O[a, :, o]`."
)
def belief_by_a_row_of_o(b, a, o, P, O):
    return shares((b @ P[:, a]) * O[a, o])


@believing.mistake("In O the action comes first, and then the state: `O[a, :, o]`, not `O[:, a, o]`.")
def belief_by_the_first_axis_of_o(b, a, o, P, O):
    return shares((b @ P[:, a]) * O[:, a, o])


@believing.mistake("You predict with the first action, whichever was taken. It is `P[:, a]`.")
def belief_predicts_by_the_first_action(b, a, o, P, O):
    return shares((b @ P[:, 0]) * O[a, :, o])


@believing.mistake("You correct with the first action, whichever was taken. It is `O[a, :, o]`.")
def belief_corrects_by_the_first_action(b, a, o, P, O):
    return shares((b @ P[:, a]) * O[0, :, o])


@believing.mistake("You use the matrices of the first action, whichever was taken.")
def belief_of_the_first_action(b, a, o, P, O):
    return shares((b @ P[:, 0]) * O[0, :, o])


@believing.mistake("You average P over the actions. The agent knows what it did: `P[:, a]`.")
def belief_averages_the_actions(b, a, o, P, O):
    return shares((b @ P.mean(axis=1)) * O[a, :, o])


@believing.mistake("You keep only the likeliest state. The others may still be true, and a belief remembers them.")
def belief_likeliest_alone(b, a, o, P, O):
    return np.eye(len(b))[((b @ P[:, a]) * O[a, :, o]).argmax()]


@believing.mistake("What you return does not depend on the belief: b has to be moved on by `b @ P[:, a]` first.")
def belief_forgotten(b, a, o, P, O):
    return shares(O[a, :, o])


@believing.mistake("This is P(o | b, a), what you should divide by: how likely the observation was. Divide by it.")
def belief_of_the_observation(b, a, o, P, O):
    return ((b @ P[:, a]) * O[a, :, o]).sum()


@believing.mistake("a and o have changed places: `P[:, a]`, and `O[a, :, o]`.")
def belief_action_for_observation(b, a, o, P, O):
    return shares((b @ P[:, o]) * O[o, :, a])


@believing.mistake("This is how likely each *observation* is. The belief is about states: multiply by `O[a, :, o]`.")
def belief_of_observations(b, a, o, P, O):
    return b @ P[:, a] @ O[a]


@believing.mistake("You sum P without the belief, as if every state were equally likely: `b @ P[:, a]`.")
def belief_from_anywhere(b, a, o, P, O):
    return shares(P[:, a].sum(axis=0) * O[a, :, o])


@believing.mistake("You add what was observed to the prediction. Both have to hold: the probabilities are multiplied.")
def belief_adds(b, a, o, P, O):
    return shares((b @ P[:, a]) + O[a, :, o])


@believing.mistake("You divide by the largest. Probabilities add up to 1: divide by the sum.")
def belief_divided_by_the_largest(b, a, o, P, O):
    new = (b @ P[:, a]) * O[a, :, o]
    return new / new.max()


@believing.mistake(
    "You divide by the sum of `O[a, :, o]`. It is the *product*, prediction times observation, that has to sum to 1."
)
def belief_divided_by_the_column(b, a, o, P, O):
    return (b @ P[:, a]) * shares(O[a, :, o])


@believing.mistake("You take the best way into each state. There are several, and their probabilities are added.")
def belief_best_way_in(b, a, o, P, O):
    return shares((b[:, None] * P[:, a]).max(axis=0) * O[a, :, o])


@believing.mistake("No softmax: these are probabilities already, up to a factor. Divide them by their sum.")
def belief_softmax(b, a, o, P, O):
    return shares(np.exp((b @ P[:, a]) * O[a, :, o]))


@believing.mistake(
    "Two things. You do not predict, though what was done may have changed the state. And the result is not divided by "
    "its sum."
)
def belief_without_prediction_or_normalising(b, a, o, P, O):
    return b * O[a, :, o]


@believing.mistake(
    "Two things. You correct first, though o belongs to the state *after* the step. And the result is not divided by its sum."
)
def belief_corrects_first_without_normalising(b, a, o, P, O):
    return (b * O[a, :, o]) @ P[:, a]


@believing.mistake(
    "Two things. P is the wrong way round, it is `b @ P[:, a]`. And the result is not divided by its sum."
)
def belief_with_p_turned_without_normalising(b, a, o, P, O):
    return (P[:, a] @ b) * O[a, :, o]


# -- 3. a prediction -----------------------------------------------------------------------------------------------

where_they_end = Exercise(
    "marl.predict_climbing",
    title="Where will they end?",
    name="my_pair",
    value=True,
    hints=[
        "In the beginning both try everything. To whom the other is a coin with three sides, each row is worth its mean.",
        "The means of the rows are -19/3, -17/3 and 5/3. And those of the columns?",
        "Both begin to prefer c. Once the other hardly plays anything else, b beats c by 1. What does one -30 do to that "
        "lead, and how often is b tried again when ε is 0.01?",
        '`my_pair = ("c", "c")`',
    ],
    insight="They meet where mistakes of the other cost least, and not where both would be best off. Nobody erred: each "
    "learned what its actions were worth beside a partner that was still trying things out.",
)


@where_they_end.reference
def my_pair():
    return ("c", "c")


SAID_OF_PAIRS = {
    "aa": "That is the best cell. But while the other still tries everything, a pays 11, -30 or 0, a loss of more than 6 on "
    "average. What do both think of a, when exploration fades?",
    "bb": "There they would end if they went on climbing, from (c, c) over (b, c). But the first keeps b only until the other "
    "next explores a: one -30 puts c ahead again, and it takes many rare tries to win b back. The second never has a steady b "
    "to answer.",
    "bc": "Nearly one in ten are there at any time, for 6 is more than 5. But with b preferred, one exploring a of the other "
    "puts c ahead again, and it takes many rare tries to win that back. So most are found elsewhere.",
    "cb": "That pays 0. If the second plays b, the first has something better than c.",
    "ab": "That pays -30, the worst of all. Both would learn to leave it.",
    "ba": "That pays -30, and no cell is worse. Both would learn to leave it.",
    "ac": "That pays 0. If the second plays c, the first has something better than a.",
    "ca": "That pays 0. If the first plays c, the second has something better than a.",
}
"""What to say to a prediction that they end in a cell of the climbing game."""


def as_pair(value: Any) -> str | None:
    """Return an answer as two letters: from letters, from their numbers, or from a text that has two of them."""
    if isinstance(value, str):
        alone = re.findall(r"\b[abc]\b", value.lower())
        value = alone if len(alone) == 2 else [letter for letter in value.lower() if letter.isalnum()]
    if not isinstance(value, (tuple, list, np.ndarray)) or len(value) != 2:
        return None
    names = {"a": "a", "b": "b", "c": "c", "0": "a", "1": "b", "2": "c"}
    first, second = (names.get(str(v).strip().lower()) for v in value)
    return None if first is None or second is None else first + second


@where_they_end.judge
def what_is_wrong_with_a_pair(case: Case, got: Any) -> str | None:
    """Accept the pair as letters or as numbers from 0, in any usual form."""
    pair = as_pair(got)
    if pair is None:
        return 'Two actions are asked for, first that of the row and then that of the column, as in ("a", "b").'
    return SAID_OF_PAIRS.get(pair)


for _pair, _sentence in SAID_OF_PAIRS.items():

    def _predicts(row: str = _pair[0], column: str = _pair[1]) -> tuple[str, str]:
        return row, column

    _predicts.__name__ = f"predicts_{_pair}"
    where_they_end.mistake(_sentence)(_predicts)


# -- 4. hysteretic Q-learning --------------------------------------------------------------------------------------

patient = Exercise(
    "marl.hysteretic",
    title="Quick to praise, slow to blame",
    name="my_hysteretic",
    hints=[
        "What counts as good news? Compare the reward with what this run thought of its action: δ = r - Q(a).",
        "`Q[np.arange(len(Q)), a]` picks one entry of each row, that of the action taken.",
        "Each run has a step size of its own: `np.where(delta > 0, alpha, beta)`. Work on `Q.copy()`.",
        "`i = np.arange(len(Q))`, `delta = r - Q[i, a]`, `new = Q.copy()`, "
        "`new[i, a] += np.where(delta > 0, alpha, beta) * delta`, `return new`",
    ],
    insight="A partner that is still exploring makes good actions look bad. Whoever forgives that can wait for the "
    "partner to learn. In a world that is really random, the same forgiveness is wishful thinking.",
)
judge_arrays(patient)


@patient.reference
def my_hysteretic(Q, a, r, alpha, beta):
    """Return Q after one step of hysteretic Q-learning, many runs at once.

    Q: float[runs, A], each run's own table
    a: int[runs], r: float[runs]: what each run did, and what it was paid
    alpha: float, the step size upwards; beta: float, downwards
    Returns float[runs, A], a new table: Q stays as it is.
    """
    i = np.arange(len(Q))
    delta = r - Q[i, a]
    new = Q.copy()
    new[i, a] += np.where(delta > 0, alpha, beta) * delta
    return new


@patient.also_right
def hysteretic_by_loops(Q, a, r, alpha, beta):
    new = np.array(Q, dtype=float)
    for k in range(len(Q)):
        delta = r[k] - Q[k, a[k]]
        if delta >= 0:
            new[k, a[k]] += alpha * delta
        else:
            new[k, a[k]] += beta * delta
    return new


@patient.also_right
def hysteretic_by_one_hot(Q, a, r, alpha, beta):
    taken = np.eye(Q.shape[1])[a]
    delta = (r[:, None] - Q) * taken
    return Q + alpha * np.maximum(delta, 0) + beta * np.minimum(delta, 0)


@patient.cases
def steps_of_many_runs(rng: np.random.Generator) -> Iterator[Case]:
    Q = np.array([[4.0, 2.0], [4.0, 2.0]])
    why = (
        "first run: 8 is 4 more than it thought, so 4 + 0.5 · 4 = 6. Second run: 0 is 4 less, so 4 + 0.125 · (-4) = 3.5"
    )
    yield Case("good news and bad news", (Q, np.array([0, 0]), np.array([8.0, 0.0]), 0.5, 0.125), why)
    why = "0 is 4 less than 4, and 2 is 4 less than 6: 4 + 0.125 · (-4) = 3.5 and 6 + 0.125 · (-4) = 5.5"
    args: tuple[Any, ...] = (np.array([[4.0, 2.0], [2.0, 6.0]]), np.array([0, 1]), np.array([0.0, 2.0]), 0.5, 0.125)
    yield Case("bad news for both", args, why)
    Q = np.array([[6.0, -8.0, 0.0], [1.0, -8.0, 3.0], [5.0, 5.0, 7.0]])
    why = (
        "2 is less than 6: 6 + 0.25 · (-4) = 5. -4 is a loss, but better than -8: -8 + 0.5 · 4 = -6. And 7 is what "
        "was thought: nothing moves"
    )
    args = (Q, np.array([0, 1, 2]), np.array([2.0, -4.0, 7.0]), 0.5, 0.25)
    yield Case("a gain that disappoints, a loss that pleases", args, why)
    why = "beta is 0, so nothing goes down: the first stays 4, the second goes to 2 + 1 · (5 - 2) = 5"
    args = (np.array([[4.0, 2.0], [4.0, 2.0]]), np.array([0, 1]), np.array([-30.0, 5.0]), 1.0, 0.0)
    yield Case("no blame at all", args, why)
    why = "0 + 0.5 · 10 = 5, for the last action alone"
    yield Case("one run", (np.zeros((1, 3)), np.array([2]), np.array([10.0]), 0.5, 0.1), why)
    why = (
        "the best action is worth 9, the one taken 1. 5 is better than 1: 1 + 0.5 · 4 = 3. In the second run -2 is "
        "worse than 0: 0 + 0.25 · (-2) = -0.5"
    )
    args = (np.array([[9.0, 1.0], [-6.0, 0.0]]), np.array([1, 1]), np.array([5.0, -2.0]), 0.5, 0.25)
    yield Case("not the best action", args, why)
    for k in range(1, 3):
        Q, a, r = rng.normal(size=(5, 3)).round(2), rng.integers(3, size=5), rng.normal(size=5).round(2)
        yield Case(f"random runs {k}", (Q, a, r, 0.3, 0.05))


def moved(Q, a, step):
    """Return a copy of Q, float[runs, A], with something added to the entries of the actions taken."""
    new = Q.copy()
    new[np.arange(len(Q)), a] += step
    return new


def errors(Q, a, r):
    """Return by how much each reward was better than what its run had thought."""
    return r - Q[np.arange(len(Q)), a]


def rates(up, alpha, beta):
    """Return alpha where something goes up, else beta."""
    return np.where(up, alpha, beta)


@patient.mistake("You use alpha upwards and downwards: plain Q-learning. Bad news counts less: `beta` where δ < 0.")
def hysteretic_plain(Q, a, r, alpha, beta):
    return moved(Q, a, alpha * errors(Q, a, r))


@patient.mistake("You use beta upwards and downwards. Good news counts more: `alpha` where δ > 0.")
def hysteretic_always_beta(Q, a, r, alpha, beta):
    return moved(Q, a, beta * errors(Q, a, r))


@patient.mistake("The two step sizes are swapped: alpha is for good news, δ > 0, and beta for bad news.")
def hysteretic_swapped(Q, a, r, alpha, beta):
    d = errors(Q, a, r)
    return moved(Q, a, rates(d < 0, alpha, beta) * d)


@patient.mistake("Nothing of yours ever goes down. Bad news counts less, but it counts: `beta` where δ < 0.")
def hysteretic_optimistic(Q, a, r, alpha, beta):
    return moved(Q, a, alpha * np.maximum(errors(Q, a, r), 0))


@patient.mistake(
    "Where the news is bad, your value *rises*: δ is negative there, and beta times δ is to be added as it is."
)
def hysteretic_always_up(Q, a, r, alpha, beta):
    d = errors(Q, a, r)
    return moved(Q, a, rates(d > 0, alpha, beta) * np.abs(d))


@patient.mistake(
    "You go by the sign of the *reward*. A reward of 2 is bad news for whoever expected 6: it is the sign of r - Q(a)."
)
def hysteretic_by_the_reward(Q, a, r, alpha, beta):
    return moved(Q, a, rates(r >= 0, alpha, beta) * errors(Q, a, r))


@patient.mistake(
    "You go by the sign of the *reward*: where it is above 0, by alpha. A reward of 2 is bad news for whoever expected 6. It is "
    "the sign of r - Q(a)."
)
def hysteretic_by_a_positive_reward(Q, a, r, alpha, beta):
    return moved(Q, a, rates(r > 0, alpha, beta) * errors(Q, a, r))


ROWS = "`Q[a]` picks whole *rows*, those numbered by a. Each run wants one entry of its own row: `Q[np.arange(len(Q)), a]`."


@patient.mistake(ROWS)
def hysteretic_rows_for_entries(Q, a, r, alpha, beta):
    new, d = Q.copy(), r - Q[a]
    new[a] += rates(d > 0, alpha, beta) * d
    return new


@patient.mistake(f"{ROWS} Then `r` needs no axis more.")
def hysteretic_rows_with_a_column_of_rewards(Q, a, r, alpha, beta):
    new, d = Q.copy(), r[:, None] - Q[a]
    new[a] += rates(d > 0, alpha, beta) * d
    return new


@patient.mistake("In your loop `Q[a[k]]` is a whole *row*, that of another run. Run k wants one entry: `Q[k, a[k]]`.")
def hysteretic_rows_in_a_loop(Q, a, r, alpha, beta):
    new = Q.copy()
    for k in range(len(Q)):
        d = r[k] - Q[a[k]]
        new[a[k]] += rates(d > 0, alpha, beta) * d
    return new


@patient.mistake(f"What you write is in the right place, but what you compare with is not. {ROWS}")
def hysteretic_compared_with_rows(Q, a, r, alpha, beta):
    d = r - Q[a]
    return moved(Q, a, (rates(d > 0, alpha, beta) * d)[np.arange(len(Q)), a])


@patient.mistake("Your δ is right, but `new[a] += ...` writes into whole *rows*: `new[np.arange(len(Q)), a]`.")
def hysteretic_written_into_rows(Q, a, r, alpha, beta):
    new, d = Q.copy(), errors(Q, a, r)
    new[a] += rates(d > 0, alpha, beta) * d
    return new


@patient.mistake("You go by the sign of Q. Whether the news is good depends on r - Q(a).")
def hysteretic_by_the_value(Q, a, r, alpha, beta):
    return moved(Q, a, rates(Q[np.arange(len(Q)), a] > 0, alpha, beta) * errors(Q, a, r))


@patient.mistake(
    "You compare the reward with the *best* value of the run. It is compared with that of the action taken: `Q[i, a]`."
)
def hysteretic_against_the_best(Q, a, r, alpha, beta):
    d = r - Q.max(axis=-1)
    return moved(Q, a, rates(d > 0, alpha, beta) * d)


@patient.mistake(
    "You add the best value of the run to the reward. In a matrix game nothing comes after: the reward alone is the target."
)
def hysteretic_with_a_future(Q, a, r, alpha, beta):
    d = r + Q.max(axis=-1) - Q[np.arange(len(Q)), a]
    return moved(Q, a, rates(d > 0, alpha, beta) * d)


@patient.mistake(
    "You take the mean of all news and decide for all runs at once. Each run decides by itself: `np.where`."
)
def hysteretic_by_the_mean(Q, a, r, alpha, beta):
    d = errors(Q, a, r)
    return moved(Q, a, (alpha if d.mean() > 0 else beta) * d)


@patient.mistake("If one run has bad news, you use beta for all. Each run decides by itself: `np.where`.")
def hysteretic_all_or_none(Q, a, r, alpha, beta):
    d = errors(Q, a, r)
    return moved(Q, a, (alpha if (d >= 0).all() else beta) * d)


@patient.mistake("If one run has good news, you use alpha for all. Each run decides by itself: `np.where`.")
def hysteretic_any(Q, a, r, alpha, beta):
    d = errors(Q, a, r)
    return moved(Q, a, (alpha if (d > 0).any() else beta) * d)


@patient.mistake(
    "`Q[:, a]` takes the actions of all runs in every row. Each row wants its own: `Q[np.arange(len(Q)), a]`."
)
def hysteretic_every_action_in_every_row(Q, a, r, alpha, beta):
    new = Q.copy()
    d = r - Q[:, a]
    new[:, a] += rates(d > 0, alpha, beta) * d
    return new


@patient.mistake(
    "Your δ is right, but `new[:, a] += ...` writes into every row. Each row wants its own: `new[np.arange(len(Q)), a]`."
)
def hysteretic_written_into_every_row(Q, a, r, alpha, beta):
    new = Q.copy()
    d = errors(Q, a, r)
    new[:, a] += rates(d > 0, alpha, beta) * d
    return new


@patient.mistake("You move all actions of a run. Only the one that was taken has been paid: `new[i, a]`.")
def hysteretic_moves_all_actions(Q, a, r, alpha, beta):
    d = errors(Q, a, r)
    return Q + (rates(d > 0, alpha, beta) * d)[:, None]


@patient.mistake(
    "You move all actions of a run towards the reward. Only the one that was taken has been paid: `new[i, a]`."
)
def hysteretic_all_actions_to_the_reward(Q, a, r, alpha, beta):
    d = r[:, None] - Q
    return Q + rates(d > 0, alpha, beta) * d


@patient.mistake("You return only the entries that moved. The whole table was asked for, with the others as they were.")
def hysteretic_entries_alone(Q, a, r, alpha, beta):
    d = errors(Q, a, r)
    return Q[np.arange(len(Q)), a] + rates(d > 0, alpha, beta) * d


@patient.mistake("You return the step alone. It is added to the old table, and the new table was asked for.")
def hysteretic_step_alone(Q, a, r, alpha, beta):
    d = errors(Q, a, r)
    return rates(d > 0, alpha, beta) * d


@patient.mistake("The table that you return is the old one. Is the step written into the copy that you return?")
def hysteretic_nothing_moves(Q, a, r, alpha, beta):
    return Q.copy()


@patient.mistake("All other entries are 0 in yours. They stay as they were: begin with `Q.copy()`.")
def hysteretic_others_are_lost(Q, a, r, alpha, beta):
    d = errors(Q, a, r)
    return moved(Q, a, rates(d > 0, alpha, beta) * d) * np.eye(Q.shape[1])[a]


@patient.mistake("You add the step size itself. It says which part of δ to go: times δ.")
def hysteretic_adds_the_rate(Q, a, r, alpha, beta):
    return moved(Q, a, rates(errors(Q, a, r) > 0, alpha, beta))


@patient.mistake("`np.take(Q, a)` looks in the first row only. Each row wants its own: `Q[np.arange(len(Q)), a]`.")
def hysteretic_takes_the_first_row(Q, a, r, alpha, beta):
    d = r - np.take(Q, a)
    return moved(Q, a, rates(d > 0, alpha, beta) * d)


@patient.mistake(
    "Whether the news is good you judge by the *best* value of the run. It is that of the action taken that counts."
)
def hysteretic_judged_by_the_best(Q, a, r, alpha, beta):
    return moved(Q, a, rates(r > Q.max(axis=-1), alpha, beta) * errors(Q, a, r))


@patient.mistake("You return δ. It says how good the news was; the table after the step was asked for.")
def hysteretic_delta(Q, a, r, alpha, beta):
    return errors(Q, a, r)


@patient.mistake("The sign is turned around: δ is r - Q(a), and it is added.")
def hysteretic_away(Q, a, r, alpha, beta):
    d = errors(Q, a, r)
    return moved(Q, a, -rates(d > 0, alpha, beta) * d)


@patient.mistake(
    "The sign is turned around, Q(a) - r is added, so that good news is also taken for bad. δ is r - Q(a), and is added."
)
def hysteretic_delta_turned(Q, a, r, alpha, beta):
    d = -errors(Q, a, r)
    return moved(Q, a, rates(d > 0, alpha, beta) * d)


@patient.mistake("You move by the reward, whatever was thought before: so Q grows for ever. Move by r - Q(a).")
def hysteretic_adds_the_reward(Q, a, r, alpha, beta):
    return moved(Q, a, rates(errors(Q, a, r) > 0, alpha, beta) * r)


@patient.mistake("The old value is lost: you write the step in its place. It is added: `+=`.")
def hysteretic_step_in_place_of_the_value(Q, a, r, alpha, beta):
    new, d = Q.copy(), errors(Q, a, r)
    new[np.arange(len(Q)), a] = rates(d > 0, alpha, beta) * d
    return new


@patient.mistake(
    "You write the reward in place of the old value. Only a part of the way is made: alpha or beta times δ."
)
def hysteretic_overwritten(Q, a, r, alpha, beta):
    return moved(Q, a, errors(Q, a, r))


@patient.mistake("Downwards you multiply alpha and beta. Beta is the step size there, alone.")
def hysteretic_alpha_times_beta(Q, a, r, alpha, beta):
    d = errors(Q, a, r)
    return moved(Q, a, rates(d > 0, alpha, alpha * beta) * d)


@patient.mistake("Upwards you go the whole way. The step size there is alpha.")
def hysteretic_all_the_way_up(Q, a, r, alpha, beta):
    d = errors(Q, a, r)
    return moved(Q, a, rates(d > 0, 1.0, beta) * d)


@patient.mistake("You add alpha and beta downwards, or take both steps. Where the news is bad, it is beta alone.")
def hysteretic_both_steps_down(Q, a, r, alpha, beta):
    d = errors(Q, a, r)
    return moved(Q, a, rates(d > 0, alpha, alpha + beta) * d)


@patient.mistake(
    "All of this happens in the first run's row. Each run has a table of its own: `Q[np.arange(len(Q)), a]`."
)
def hysteretic_first_row_alone(Q, a, r, alpha, beta):
    new = Q.copy()
    for k in range(len(Q)):
        d = r[k] - new[0, a[k]]
        new[0, a[k]] += (alpha if d > 0 else beta) * d
    return new


@patient.mistake("Only the first run learns. All of them take a step.")
def hysteretic_first_run_alone(Q, a, r, alpha, beta):
    new, d = Q.copy(), errors(Q, a, r)
    new[0] = moved(Q, a, rates(d > 0, alpha, beta) * d)[0]
    return new


@patient.mistake("Only the last run learns. Is the copy made inside the loop, anew for each run? Make it once, before.")
def hysteretic_last_run_alone(Q, a, r, alpha, beta):
    new, d = Q.copy(), errors(Q, a, r)
    new[-1] = moved(Q, a, rates(d > 0, alpha, beta) * d)[-1]
    return new


@patient.mistake("The first run does not learn: runs are counted from 0.")
def hysteretic_without_the_first_run(Q, a, r, alpha, beta):
    new = moved(Q, a, rates(errors(Q, a, r) > 0, alpha, beta) * errors(Q, a, r))
    new[0] = Q[0]
    return new


@patient.mistake(
    "Downwards the weights are swapped: `(1 - beta) * Q + beta * r`. A small beta stays near the old value."
)
def hysteretic_weights_swapped_downwards(Q, a, r, alpha, beta):
    d = errors(Q, a, r)
    return moved(Q, a, rates(d > 0, alpha, 1 - beta) * d)


@patient.mistake(
    "What comes behind the point is cut off: the copy holds whole numbers. It needs the numbers of Q, `Q.copy()`."
)
def hysteretic_in_whole_numbers(Q, a, r, alpha, beta):
    d, new = errors(Q, a, r), Q.astype(int)
    new[np.arange(len(Q)), a] = new[np.arange(len(Q)), a] + rates(d > 0, alpha, beta) * d
    return new


@patient.mistake("The *best* action of each run moves. It is the one that was taken, `a`, that has been paid.")
def hysteretic_moves_the_best(Q, a, r, alpha, beta):
    best = Q.argmax(axis=-1)
    d = errors(Q, best, r)
    return moved(Q, best, rates(d > 0, alpha, beta) * d)


# -- 5. the values of a joint-action learner -----------------------------------------------------------------------

expecting = Exercise(
    "marl.joint_values",
    title="What is my action worth?",
    name="my_joint_values",
    hints=[
        "For each action of yours there is a row: what it is worth with each action of the partner. Weight the row by "
        "how likely these are.",
        "The partner's actions are on the last axis of both. So the belief is laid over each row of Q.",
        "With more axes in front, the belief lacks the axis of your actions: `belief[..., None, :]`.",
        "`return (Q * belief[..., None, :]).sum(axis=-1)`",
    ],
    insight="One table for the game, one belief about the partner: what is worth what no longer changes when the partner "
    "does. What to do still does.",
)
judge_arrays(expecting)


@expecting.reference
def my_joint_values(Q, belief):
    """Return what each own action is worth against what the partner may do.

    Q: float[..., A1, A2], the value of each pair, own action first
    belief: float[..., A2], how likely each action of the partner is
    Returns float[..., A1]; any number of axes may stand in front, or none.
    """
    return (Q * belief[..., None, :]).sum(axis=-1)


@expecting.also_right
def joint_values_by_a_product(Q, belief):
    return (Q @ belief[..., None])[..., 0]


@expecting.also_right
def joint_values_by_einsum(Q, belief):
    return np.einsum("...ij,...j->...i", Q, belief)


@expecting.also_right
def joint_values_by_loops(Q, belief):
    values = np.zeros(Q.shape[:-1])
    for k in np.ndindex(values.shape):
        values[k] = sum(q * p for q, p in zip(Q[k], belief[k[:-1]], strict=True))
    return values


@expecting.cases
def games_to_value(rng: np.random.Generator) -> Iterator[Case]:
    array = np.array
    why = "first row: 0.25 · 8 + 0.75 · 4 = 5; second row: 0.25 · 0 + 0.75 · 12 = 9"
    yield Case("two actions each", (array([[8.0, 4.0], [0.0, 12.0]]), array([0.25, 0.75])), why)
    Q = array([[11.0, -30.0, 0.0], [-30.0, 7.0, 6.0], [0.0, 0.0, 5.0]])
    why = "0.5 · 11 - 0.2 · 30 = -0.5; -0.5 · 30 + 0.2 · 7 + 0.3 · 6 = -11.8; 0.3 · 5 = 1.5"
    yield Case("the climbing game", (Q, array([0.5, 0.2, 0.3])), why)
    why = "the partner surely plays its second action: the second column, -30, 7 and 0"
    yield Case("a partner without doubt", (Q, array([0.0, 1.0, 0.0])), why)
    why = "0.5 · 2 + 0.25 · 4 - 0.25 · 8 = 0, and 0.5 · 6 + 0.25 · 4 + 0.25 · 4 = 5"
    yield Case("the partner has more actions", (array([[2.0, 4, -8], [6, 4, 4]]), array([0.5, 0.25, 0.25])), why)
    games = array([[[8.0, 4.0], [0.0, 12.0]], [[2.0, 6.0], [10.0, -2.0]]])
    why = "the first game as above: 5 and 9. In the second, half and half: (2 + 6)/2 = 4 and (10 - 2)/2 = 4"
    yield Case("two games side by side", (games, array([[0.25, 0.75], [0.5, 0.5]])), why)
    for k, size in enumerate([(3, 2), (4, 2, 3), (2, 3, 3, 2)], start=1):
        Q, belief = rng.normal(size=size).round(2), rng.dirichlet(np.ones(size[-1]), size=size[:-2])
        yield Case(f"random games {k}", (Q, belief))


def over_rows(Q, belief):
    """Return Q times the belief, laid over each row."""
    return Q * belief[..., None, :]


@expecting.mistake(
    "You sum over your own actions. It is the partner's that you do not know: the last axis of Q, `sum(axis=-1)`."
)
def joint_over_own_actions(Q, belief):
    return (Q * belief[..., : Q.shape[-2], None]).sum(axis=-2)


@expecting.mistake(
    "The belief lies on the rows, as if it were about your own actions. It belongs to the columns: `belief[..., None, :]`."
)
def joint_belief_on_the_rows(Q, belief):
    return (Q * belief[..., : Q.shape[-2], None]).sum(axis=-1)


@expecting.mistake(
    "You weight the columns and then sum down them, over your own actions. Sum along each row: `sum(axis=-1)`."
)
def joint_summed_down(Q, belief):
    return over_rows(Q, belief).sum(axis=-2)


@expecting.mistake(
    "One game comes out right. For many, `Q * belief` lines the games up with your actions: `belief[..., None, :]`."
)
def joint_without_an_axis(Q, belief):
    return (Q * belief).sum(axis=-1)


@expecting.mistake(
    "One game comes out right. For many, `Q @ belief` takes the beliefs together for a matrix: `belief[..., None]` makes "
    "a column of each."
)
def joint_matrix_product(Q, belief):
    return Q @ belief


@expecting.mistake(
    "You take the best that could happen in each row. The partner may do something else: weight by the belief."
)
def joint_optimistic(Q, belief):
    return Q.max(axis=-1)


@expecting.mistake(
    "You take the worst that could happen in each row. The partner is no enemy here: weight by the belief."
)
def joint_pessimistic(Q, belief):
    return Q.min(axis=-1)


@expecting.mistake(
    "You take the plain mean of each row, as if the partner drew its action at random. Weight by the belief."
)
def joint_mean(Q, belief):
    return Q.mean(axis=-1)


@expecting.mistake("You take the sum of each row. Weight it by the belief first.")
def joint_sum(Q, belief):
    return Q.sum(axis=-1)


@expecting.mistake("You look at the partner's likeliest action alone. The others count too, by how likely they are.")
def joint_likeliest(Q, belief):
    at = belief.argmax(axis=-1)[..., None, None]
    return np.take_along_axis(Q, np.broadcast_to(at, (*Q.shape[:-1], 1)), axis=-1)[..., 0]


@expecting.mistake("You weight the entries, but do not add them up. Sum along the partner's actions: `sum(axis=-1)`.")
def joint_not_summed(Q, belief):
    return over_rows(Q, belief)


@expecting.mistake("You divide by the number of actions too. The weights sum to 1 already: `sum`, not `mean`.")
def joint_mean_of_weighted(Q, belief):
    return over_rows(Q, belief).mean(axis=-1)


@expecting.mistake("You return the best *action*. What each of them is worth was asked for.")
def joint_best_action(Q, belief):
    return over_rows(Q, belief).sum(axis=-1).argmax(axis=-1)


@expecting.mistake("You return the best value only. There should be one for each action of yours.")
def joint_best_value(Q, belief):
    return over_rows(Q, belief).sum(axis=-1).max(axis=-1)


@expecting.mistake("You sum over everything. One number for each action of yours is wanted: `sum(axis=-1)`.")
def joint_one_number(Q, belief):
    return over_rows(Q, belief).sum()


@expecting.mistake(
    "You sum over everything. One number for each action of yours is wanted: `belief[..., None, :]`, `sum(axis=-1)`."
)
def joint_one_number_without_an_axis(Q, belief):
    return (Q * belief).sum()


@expecting.mistake(
    "One game comes out right, where axis 1 is the last. With more axes in front it is another: `sum(axis=-1)`."
)
def joint_axis_1(Q, belief):
    return over_rows(Q, belief).sum(axis=1)


@expecting.mistake(
    "One game comes out right. For many, axis 1 is not that of the partner, and `Q * belief` lines the games up with your "
    "actions: `belief[..., None, :]`, `sum(axis=-1)`."
)
def joint_axis_1_without_an_axis(Q, belief):
    return (Q * belief).sum(axis=1)


@expecting.mistake(
    "You look at the partner's likeliest action alone, and at the same one in all games. Weight the rows by the belief."
)
def joint_likeliest_of_all(Q, belief):
    return Q[..., belief.argmax()]


@expecting.mistake("You take the largest *weighted* entry of each row. They are added up: `sum(axis=-1)`.")
def joint_largest_weighted(Q, belief):
    return over_rows(Q, belief).max(axis=-1)


@expecting.mistake("The belief is made of probabilities already: no softmax.")
def joint_softmax_of_the_belief(Q, belief):
    return over_rows(Q, shares(np.exp(belief))).sum(axis=-1)


@expecting.mistake("The first belief is used for all games. Each has its own.")
def joint_first_belief_for_all(Q, belief):
    return Q @ belief.reshape(-1, belief.shape[-1])[0]


@expecting.mistake(
    "Your loop over games multiplies from the wrong side: in game k it is `Q[k] @ belief[k]`, the belief over the partner's "
    "actions, on the last axis of Q."
)
def joint_loop_from_the_left(Q, belief):
    return Q @ belief if Q.ndim == 2 else np.array([p @ q for q, p in zip(Q, belief, strict=True)])


@expecting.mistake(
    "One game comes out right. Of many you return the last alone: is the result of each game kept, in an array float[..., A1]?"
)
def joint_of_the_last_game(Q, belief):
    return Q @ belief if Q.ndim == 2 else [q @ p for q, p in zip(Q, belief, strict=True)][-1]


@expecting.mistake(
    "One game comes out right. Of many you return the first alone: `return` stands after the loop, not in it."
)
def joint_of_the_first_game(Q, belief):
    return Q @ belief if Q.ndim == 2 else Q[0] @ belief[0]


@expecting.mistake("You add up the games. Each has values of its own, in an array float[..., A1].")
def joint_games_added_up(Q, belief):
    return Q @ belief if Q.ndim == 2 else sum(q @ p for q, p in zip(Q, belief, strict=True))


@expecting.mistake("You weight by 1 minus the belief: as if the partner did what it is *not* likely to do.")
def joint_by_the_opposite(Q, belief):
    return over_rows(Q, 1 - belief).sum(axis=-1)


@expecting.mistake("You divide by the belief. What is likely has to count more: multiply.")
def joint_divided(Q, belief):
    return (Q / belief[..., None, :]).sum(axis=-1)


# -- 6. a joint-action learner on an empty page --------------------------------------------------------------------

jal = Exercise(
    "marl.blank_jal",
    title="A joint-action learner on an empty page",
    name="my_jal",
    hints=[
        "Three things are kept: a table for all pairs of actions, a count of what the partner has done, and the list of "
        "answers. Go through the record once, in order.",
        "In each step first learn: the entry of the pair moves by alpha towards the reward, and the partner's action is "
        "counted. Then ask: `Q @ (counts / counts.sum())` are the values of your actions.",
        "`values.argmax()` is the best answer, and the lowest one where several are equally good. Append it.",
        "`for (mine, theirs), r in zip(actions, rewards): Q[mine, theirs] += alpha * (r - Q[mine, theirs]); "
        "counts[theirs] += 1; best.append((Q @ counts / counts.sum()).argmax())`",
    ],
    insight="It learns the game as one would from a book, and the partner as from a diary. The first cannot go out of "
    "date; the second can, since the partner learns too.",
    points=2,
)


@jal.reference
def my_jal(actions, rewards, alpha, n_actions):
    """Return what a joint-action learner makes of a record of a matrix game.

    actions: int[T, 2], what was played: column 0 own, column 1 the partner's
    rewards: float[T], what was paid to the learner; T is at least 1
    alpha: float, the step size
    n_actions: (A1, A2), how many actions each of the two has
    Returns Q, frequencies, best:
    Q: float[A1, A2], from 0, each step moves the entry of its pair
    frequencies: float[A2], how often the partner chose each, over T
    best: int[T], the best own action after every step, by Q and the
    frequencies of that moment, the lowest where several are equally good
    """
    # BEGIN SOLUTION
    Q, counts = np.zeros(n_actions), np.zeros(n_actions[1])
    best = []
    for t, (mine, theirs) in enumerate(actions):
        Q[mine, theirs] += alpha * (rewards[t] - Q[mine, theirs])
        counts[theirs] += 1
        best.append((Q @ counts).argmax())
    return Q, counts / len(actions), np.array(best)
    # END SOLUTION


@jal.also_right
def jal_by_means(actions, rewards, alpha, n_actions):
    (A1, A2), T = n_actions, len(rewards)
    Q, frequencies, best = np.zeros((A1, A2)), np.zeros(A2), np.zeros(T, int)
    for t in range(T):
        i, j = actions[t]
        Q[i, j] = (1 - alpha) * Q[i, j] + alpha * rewards[t]
        frequencies += (np.arange(A2) == j) / (t + 1) - frequencies / (t + 1)
        best[t] = np.argmax((Q * frequencies).sum(axis=1))
    return Q, frequencies, best


@jal.also_right
def jal_in_plain_python(actions, rewards, alpha, n_actions):
    A1, A2 = n_actions
    Q, best, seen = [[0.0] * A2 for _ in range(A1)], [], []
    for (i, j), r in zip(actions.tolist(), rewards.tolist(), strict=True):
        Q[i][j] += alpha * (r - Q[i][j])
        seen.append(j)
        p = [seen.count(k) / len(seen) for k in range(A2)]
        values = [sum(q * w for q, w in zip(row, p, strict=True)) for row in Q]
        best.append(values.index(max(values)))
    return Q, p, best


@jal.cases
def records_of_games(rng: np.random.Generator) -> Iterator[Case]:
    array = np.array
    actions, rewards = array([[0, 0], [1, 1], [1, 1], [0, 1]]), array([8.0, 4.0, 8.0, -4.0])
    why = (
        "Q[0, 0] becomes 4; Q[1, 1] becomes 2 and then 5; Q[0, 1] becomes -2. The partner: 1/4 and 3/4. The values are "
        "(4, 0), (2, 1), (4/3, 10/3) and (-1/2, 15/4), so that the best answers are 0, 0, 1, 1"
    )
    yield Case("four steps", (actions, rewards, 0.5, (2, 2)), why)
    why = "Q[1, 0] becomes 0.5 · 6 = 3, the partner has always played 0, and the best answer is 1"
    yield Case("one step", (array([[1, 0]]), array([6.0]), 0.5, (2, 2)), why)
    why = (
        "after the first step the values are 0, -2 and 0, after the second -1, -1 and 0, after the third -4/3, -2/3 and 0: "
        "answers 0, 2, 2. Of the tied ones, the first counts"
    )
    args: tuple[Any, ...] = (array([[1, 0], [0, 1], [0, 1]]), array([-4.0, -4.0, -2.0]), 0.5, (3, 2))
    yield Case("what was never tried is worth 0", args, why)
    why = (
        "three times 10 with the partner's 0, so Q[0, 0] = 5, 7.5, 8.75. Then the partner plays 1 twice: Q[0, 1] = -10, "
        "-15. The values of 0 are 5, 7.5, 8.75, 0.75 · 8.75 - 0.25 · 10 = 4.0625 and 0.6 · 8.75 - 0.4 · 15 = -0.75. The "
        "others are worth 0, so the last answer is 1"
    )
    args = (array([[0, 0], [0, 0], [0, 0], [0, 1], [0, 1]]), array([10.0, 10, 10, -20, -20]), 0.5, (2, 2))
    yield Case("a partner that changes", args, why)
    why = (
        "Q[0, 0] = 6 and Q[1, 2] = 8; the partner 3/4, 0, 1/4. Action 1 has been paid more, and is better against what "
        "the partner did last. By all that it did 0 is, 3/4 · 6 = 4.5 to 1/4 · 8 = 2"
    )
    args = (array([[0, 0], [0, 0], [0, 0], [1, 2]]), array([6.0, 6.0, 6.0, 8.0]), 1.0, (2, 3))
    yield Case("once something else", args, why)
    climbing = array([[11.0, -30, 0], [-30, 7, 6], [0, 0, 5]])
    for k in range(1, 3):
        actions = rng.integers(3, size=(30, 2))
        rewards = climbing[actions[:, 0], actions[:, 1]] + rng.normal(size=30).round(2)
        yield Case(f"a random record {k}", (actions, rewards, 0.3, (3, 3)))


PARTS = ("Q", "the frequencies", "the best answers")


@jal.judge
def what_is_wrong_with_a_learner(case: Case, got: Any) -> str | None:
    """Judge the three parts one after the other, and name the first entry that is another one."""
    right = my_jal(*case.args)
    if not isinstance(got, (tuple, list)) or len(got) != 3:
        return "Three things are asked for, `return Q, frequencies, best`, in this order."
    wrong = [name for name, mine, theirs in zip(PARTS, got, right, strict=True) if not close(mine, theirs, 1e-6, 1e-8)]
    if not wrong:
        return None
    if all(any(close(mine, theirs, 1e-6, 1e-8) for mine in got) for theirs in right):
        return "All three are right, but in another order: `return Q, frequencies, best`."
    k = PARTS.index(wrong[0])
    before = f"Right so far: {' and '.join(PARTS[:k])}. " if k else ""
    said = str(difference(got[k], right[k], 1e-6, 1e-8))
    if said == ANOTHER_VALUE:
        given = np.asarray(got[k], dtype=float)
        at = tuple(np.argwhere(~np.isclose(given, right[k], 1e-6, 1e-8))[0])
        letter, place = ("Q", "frequencies", "best")[k], ", ".join(map(str, at))
        return f"{before}{letter}[{place}] should be {right[k][at]:.4g}, but is {given[at]:.4g}."
    return f"{before}Of {PARTS[k]}: {said[0].lower()}{said[1:]}"


def learner(
    learn: Callable[..., Any] | None = None,
    count: Callable[..., Any] | None = None,
    answer: Callable[..., Any] | None = None,
    *,
    give: Callable[..., Any] | None = None,
    start: float = 0.0,
) -> Callable[..., Any]:
    """Return a joint-action learner, some parts of which are replaced.

    Args:
        learn: (Q, mine, theirs, r, alpha, n) -> the new entry of Q, where n is how often the pair was played.
        count: (counts, mine, theirs, alpha), edits the counts.
        answer: (Q, counts, mine, theirs) -> the best answer.
        give: (Q, counts, best) -> what is returned.
        start: what the counts begin with.
    """

    def play(actions: Any, rewards: Any, alpha: float, n_actions: tuple[int, int]) -> Any:
        Q, counts, N, best = np.zeros(n_actions), np.full(n_actions[1], start), np.zeros(n_actions), []
        for (i, j), r in zip(actions, rewards, strict=True):
            N[i, j] += 1
            Q[i, j] = learn(Q, i, j, r, alpha, N[i, j]) if learn else Q[i, j] + alpha * (r - Q[i, j])
            if count:
                count(counts, i, j, alpha)
            else:
                counts[j] += 1
            best.append(answer(Q, counts, i, j) if answer else (Q @ counts).argmax())
        return give(Q, counts, np.array(best)) if give else (Q, counts / counts.sum(), np.array(best))

    return play


def faulty_learner(sentence: str, name: str, **parts: Any) -> None:
    """List a mistake of the joint-action learner, in which some parts are replaced."""
    play = learner(**parts)

    def faulty(actions: Any, rewards: Any, alpha: Any, n_actions: Any) -> Any:
        return play(actions, rewards, alpha, n_actions)

    faulty.__name__ = name
    jal.mistake(sentence)(faulty)


@jal.mistake(
    "You answer before you have learned from the step. First learn, then ask: `best` is by what is known *after* each step."
)
def jal_answers_before_it_learns(actions, rewards, alpha, n_actions):
    Q, frequencies, best = my_jal(actions, rewards, alpha, n_actions)
    return Q, frequencies, np.concatenate([[0], best[:-1]])


@jal.mistake(
    "Your answers are all by the table and the frequencies of the end. Answer after each step, inside the loop."
)
def jal_answers_from_the_end(actions, rewards, alpha, n_actions):
    Q, frequencies, _ = my_jal(actions, rewards, alpha, n_actions)
    return Q, frequencies, np.full(len(rewards), (Q @ frequencies).argmax())


@jal.mistake("You give one answer, that of the end. One after each step is asked for: int[T].")
def jal_one_answer(actions, rewards, alpha, n_actions):
    Q, frequencies, best = my_jal(actions, rewards, alpha, n_actions)
    return Q, frequencies, best[-1]


@jal.mistake("The columns are swapped: column 0 holds your own actions, and column 1 the partner's.")
def jal_columns_swapped(actions, rewards, alpha, n_actions):
    return my_jal(actions[:, ::-1], rewards, alpha, n_actions)


@jal.mistake("You count your own actions. The frequencies are the partner's: column 1.")
def jal_counts_its_own(actions, rewards, alpha, n_actions):
    Q, best = np.zeros(n_actions), []
    counts = np.zeros(max(n_actions))
    for (i, j), r in zip(actions, rewards, strict=True):
        Q[i, j] += alpha * (r - Q[i, j])
        counts[i] += 1
        best.append((Q @ counts[: n_actions[1]]).argmax())
    counts = counts[: n_actions[1]]
    return Q, counts / counts.sum(), np.array(best)


@jal.mistake(
    "Your table is over your own actions only: an independent learner. A joint-action learner has Q[own, partner's]."
)
def jal_independent(actions, rewards, alpha, n_actions):
    Q, counts, best = np.zeros(n_actions[0]), np.zeros(n_actions[1]), []
    for (i, j), r in zip(actions, rewards, strict=True):
        Q[i] += alpha * (r - Q[i])
        counts[j] += 1
        best.append(Q.argmax())
    return Q, counts / counts.sum(), np.array(best)


@jal.mistake("The frequencies are right, but given after every step. Those of the end are asked for: float[A2].")
def jal_frequencies_of_every_step(actions, rewards, alpha, n_actions):
    Q, _, best = my_jal(actions, rewards, alpha, n_actions)
    counts = np.eye(n_actions[1])[actions[:, 1]].cumsum(axis=0)
    return Q, counts / counts.sum(axis=1, keepdims=True), best


@jal.mistake("You return inside the loop, after the first step. `return` stands under `for`, at its left.")
def jal_returned_early(actions, rewards, alpha, n_actions):
    return my_jal(actions[:1], rewards[:1], alpha, n_actions)


@jal.mistake("The first step of the record is missing: begin at 0.")
def jal_without_the_first_step(actions, rewards, alpha, n_actions):
    first = np.zeros(n_actions), np.zeros(n_actions[1]), np.zeros(0)
    return my_jal(actions[1:], rewards[1:], alpha, n_actions) if len(actions) > 1 else first


@jal.mistake("Your actions are numbered from 1. They begin at 0, as in the record.")
def jal_numbered_from_one(actions, rewards, alpha, n_actions):
    Q, frequencies, best = my_jal(actions, rewards, alpha, n_actions)
    return Q, frequencies, best + 1


@jal.mistake("Your table is Q[partner's, own]. Own actions are the rows: Q[own, partner's].")
def jal_table_turned(actions, rewards, alpha, n_actions):
    Q, frequencies, best = my_jal(actions, rewards, alpha, n_actions)
    return Q.T, frequencies, best


@jal.mistake("You return what the learner *did*. What would have been best, by what it knew then, was asked for.")
def jal_what_was_played(actions, rewards, alpha, n_actions):
    Q, frequencies, _ = my_jal(actions, rewards, alpha, n_actions)
    return Q, frequencies, actions[:, 0]


@jal.mistake(
    "The frequencies are laid on the rows of Q, on your own actions. The partner's are its columns: `Q @ frequencies`."
)
def jal_frequencies_on_the_rows(actions, rewards, alpha, n_actions):
    return learned_with(actions, rewards, alpha, n_actions, turned=False, own=False, left=True)


@jal.mistake("You answer before the partner's action is counted. First learn, all of it, and then ask.")
def jal_answers_before_it_counts(actions, rewards, alpha, n_actions):
    Q, counts, best = np.zeros(n_actions), np.zeros(n_actions[1]), []
    for (i, j), r in zip(actions, rewards, strict=True):
        Q[i, j] += alpha * (r - Q[i, j])
        best.append((Q @ counts).argmax())
        counts[j] += 1
    return Q, counts / counts.sum(), np.array(best)


@jal.mistake("You move a whole row, whatever the partner did. One pair was played: `Q[mine, theirs]`.")
def jal_moves_the_row(actions, rewards, alpha, n_actions):
    Q, counts, best = np.zeros(n_actions), np.zeros(n_actions[1]), []
    for (i, j), r in zip(actions, rewards, strict=True):
        Q[i] += alpha * (r - Q[i])
        counts[j] += 1
        best.append((Q @ counts).argmax())
    return Q, counts / counts.sum(), np.array(best)


@jal.mistake("You return Q alone. Three things are asked for: `return Q, frequencies, best`.")
def jal_table_alone(actions, rewards, alpha, n_actions):
    return my_jal(actions, rewards, alpha, n_actions)[0]


@jal.mistake(
    "Your belief depends on what you played yourself. Both move at once: the partner's frequencies are over *all* steps."
)
def jal_conditional_belief(actions, rewards, alpha, n_actions):
    Q, N, best = np.zeros(n_actions), np.zeros(n_actions), []
    for (i, j), r in zip(actions, rewards, strict=True):
        Q[i, j] += alpha * (r - Q[i, j])
        N[i, j] += 1
        best.append(((Q * N).sum(axis=1) / np.maximum(N.sum(axis=1), 1)).argmax())
    return Q, N.sum(axis=0) / N.sum(), np.array(best)


@jal.mistake(
    "Two things. Your table is Q[partner's, own]: own actions are the rows. And you count your own actions: the frequencies are "
    "the partner's, column 1."
)
def jal_the_partners_learner(actions, rewards, alpha, n_actions):
    return my_jal(actions[:, ::-1], rewards, alpha, n_actions[::-1])


@jal.mistake(
    "Two things. Your table is Q[partner's, own]: own actions are the rows. And the frequencies lie on your own actions: it is "
    "`Q @ frequencies`, with Q[own, partner's]."
)
def jal_table_turned_and_weighted_so(actions, rewards, alpha, n_actions):
    return learned_with(actions, rewards, alpha, n_actions, turned=True, own=False, left=False)


@jal.mistake(
    "You write `Q[theirs, mine]` and then ask for `Q @ frequencies`, which takes the rows for your own actions. They are: write "
    "`Q[mine, theirs]`."
)
def jal_table_turned_and_weighted_so_in_the_shape_asked_for(actions, rewards, alpha, n_actions):
    return learned_with(actions, rewards, alpha, n_actions, turned=True, own=False, as_asked=True, left=False)


@jal.mistake(
    "Two things. You count your own actions: the frequencies are the partner's, column 1. And they are laid on the rows of Q: "
    "the values of your actions are `Q @ frequencies`."
)
def jal_own_counts_on_the_rows(actions, rewards, alpha, n_actions):
    return learned_with(actions, rewards, alpha, n_actions, turned=False, own=True, left=True)


@jal.mistake(
    "Two things. Your table is Q[partner's, own]: own actions are the rows. And the frequencies are of your own actions: count "
    "the partner's, column 1, and weight by `Q @ frequencies`."
)
def jal_table_turned_and_own_counts(actions, rewards, alpha, n_actions):
    return learned_with(actions, rewards, alpha, n_actions, turned=True, own=True, left=True)


@jal.mistake(
    "Two things. You write `Q[theirs, mine]`: own actions are the rows, `Q[mine, theirs]`. And you count your own actions: the "
    "frequencies are the partner's, column 1."
)
def jal_table_turned_and_own_counts_in_the_shape_asked_for(actions, rewards, alpha, n_actions):
    return learned_with(actions, rewards, alpha, n_actions, turned=True, own=True, as_asked=True, left=True)


def learned_with(actions, rewards, alpha, n_actions, *, turned: bool, own: bool, left: bool, as_asked=False):
    """Return a learner's Q, frequencies and answers: Q[partner's, own], counts of its own, `frequencies @ Q`."""
    shape = n_actions[::-1] if turned and not as_asked else n_actions
    Q, counts, best = np.zeros(shape), np.zeros(n_actions[0 if own else 1]), []
    for (i, j), r in zip(actions, rewards, strict=True):
        pair = (j, i) if turned else (i, j)
        Q[pair] += alpha * (r - Q[pair])
        counts[i if own else j] += 1
        best.append((counts @ Q if left else Q @ counts).argmax())
    return Q, counts / counts.sum(), np.array(best)


faulty_learner(
    "You return how *often* each action was played. Frequencies are shares: divide by their sum.",
    "jal_counts_for_frequencies",
    give=lambda Q, counts, best: (Q, counts, best),
)
faulty_learner(
    "Your counts begin at 1. A learner that has to act before it has seen anything may begin so; here the shares of what "
    "was really played are asked for: begin at 0.",
    "jal_counts_from_one",
    start=1.0,
)


def _forgets(counts: np.ndarray, mine: int, theirs: int, alpha: float) -> None:
    counts *= 1 - alpha
    counts[theirs] += alpha


faulty_learner(
    "Your frequencies forget: old steps count less, by alpha. Here all steps count alike: count, and divide.",
    "jal_forgetful_frequencies",
    count=_forgets,
)
faulty_learner(
    "You answer as if the partner would do what you *hope*: the largest entry of the table. Weight each row by the frequencies.",
    "jal_optimistic",
    answer=lambda Q, counts, i, j: Q.max(axis=1).argmax(),
)
faulty_learner(
    "You answer for the worst case. The partner is no enemy here: weight each row by the frequencies.",
    "jal_pessimistic",
    answer=lambda Q, counts, i, j: Q.min(axis=1).argmax(),
)
faulty_learner(
    "You answer to what the partner did *last*. Its whole past counts, by the frequencies.",
    "jal_answers_the_last_action",
    answer=lambda Q, counts, i, j: Q[:, j].argmax(),
)
faulty_learner(
    "You answer to the partner's most frequent action alone. The others count too, by their frequencies.",
    "jal_answers_the_most_frequent",
    answer=lambda Q, counts, i, j: Q[:, counts.argmax()].argmax(),
)
faulty_learner(
    "You answer to a partner that draws at random: the rows are to be weighted by the frequencies.",
    "jal_answers_a_random_partner",
    answer=lambda Q, counts, i, j: Q.mean(axis=1).argmax(),
)
faulty_learner(
    "Of equally good answers you take the last. The lowest is asked for, which `argmax` gives.",
    "jal_last_of_the_tied",
    answer=lambda Q, counts, i, j: len(Q) - 1 - (Q @ counts)[::-1].argmax(),
)
faulty_learner(
    "You give what the best answer is *worth*. Which action it is was asked for: `argmax`.",
    "jal_value_of_the_answer",
    answer=lambda Q, counts, i, j: (Q @ counts / counts.sum()).max(),
)
faulty_learner(
    "You answer by the worst of the values: `argmin` instead of `argmax`.",
    "jal_worst_answer",
    answer=lambda Q, counts, i, j: (Q @ counts).argmin(),
)
faulty_learner(
    "Your answer is the partner's best action, a column. Your own are the rows: `(Q @ frequencies).argmax()`.",
    "jal_answers_with_a_column",
    answer=lambda Q, counts, i, j: (Q * counts).sum(axis=0).argmax(),
)
faulty_learner(
    "The step size is 1/n, so that Q is a mean. It should be alpha, every time.",
    "jal_means",
    learn=lambda Q, i, j, r, alpha, n: Q[i, j] + (r - Q[i, j]) / n,
)
faulty_learner(
    "Q holds the last reward of each pair. Each step makes only a part of the way: alpha times r - Q.",
    "jal_last_reward",
    learn=lambda Q, i, j, r, alpha, n: r,
)
faulty_learner(
    "You add alpha times the reward, whatever was known before, so that Q grows for ever. Move by r - Q.",
    "jal_adds_rewards",
    learn=lambda Q, i, j, r, alpha, n: Q[i, j] + alpha * r,
)
faulty_learner(
    "You add the best entry to the reward. In a matrix game nothing comes after: the reward alone is the target.",
    "jal_with_a_future",
    learn=lambda Q, i, j, r, alpha, n: Q[i, j] + alpha * (r + Q.max() - Q[i, j]),
)
faulty_learner(
    "The old value is lost: you write alpha times the error in its place. It is added: `+=`.",
    "jal_step_for_value",
    learn=lambda Q, i, j, r, alpha, n: alpha * (r - Q[i, j]),
)
faulty_learner(
    "Q moves away from the reward. Add alpha times r - Q, not Q - r.",
    "jal_moves_away",
    learn=lambda Q, i, j, r, alpha, n: Q[i, j] - alpha * (r - Q[i, j]),
)


# -- 7. difference rewards -----------------------------------------------------------------------------------------

differences = Exercise(
    "marl.difference_reward",
    title="What would they have done without you?",
    name="my_difference_rewards",
    hints=[
        "Ask for each agent: what would the team be worth if this one were not there, and all others did the same?",
        "`np.delete(z, i)` is a copy of z without agent i. What the team would be worth then is `G(np.delete(z, i))`.",
        "Once for each i, and always from the whole team: `G(z) - G(np.delete(z, i))`.",
        "`return np.array([G(z) - G(np.delete(z, i)) for i in range(len(z))])`",
    ],
    insight="What you cannot change is taken away. What is left moves with the team's reward whenever you do, and "
    "hardly with anybody else.",
)
judge_arrays(differences)


@differences.reference
def my_difference_rewards(G, z):
    """Return D^i = G(z) - G(z without agent i), for every agent.

    G: callable, the team's reward of an array of choices of any length
    z: int[N], what each of the N agents has chosen
    Returns float[N]; z stays as it is.
    """
    return np.array([G(z) - G(np.delete(z, i)) for i in range(len(z))])


@differences.also_right
def differences_by_slices(G, z):
    D = np.zeros(len(z))
    for i in range(len(z)):
        D[i] = G(z) - G(np.concatenate([z[:i], z[i + 1 :]]))
    return D


@differences.also_right
def differences_by_masks(G, z):
    agents = np.arange(len(z))
    return G(z) - np.array([G(z[agents != i]) for i in agents])


@differences.also_right
def differences_by_lists(G, z):
    z = list(z)
    return np.array([float(G(z)) - float(G(z[:i] + z[i + 1 :])) for i in range(len(z))])


def covered(z: Any) -> float:
    """Return how many different places are searched by at least one of a team."""
    return float(len(np.unique(z)))


def crowded(z: Any) -> float:
    """Return what bars are worth to all their guests: x guests of one bar make x (4 - x) / 2."""
    x = np.unique(z, return_counts=True)[1]
    return float((x * (4 - x)).sum()) / 2


def lifted(z: Any) -> float:
    """Return what a team lifts: 10 for every place at which at least two pull."""
    x = np.unique(z, return_counts=True)[1]
    return 10.0 * float((x >= 2).sum())


def treasure(z: Any) -> float:
    """Return the worth of what is found: place k holds k + 1, and nothing is found twice."""
    return float((np.unique(np.asarray(z, dtype=int)) + 1).sum())


@differences.cases
def teams_to_be_judged(rng: np.random.Generator) -> Iterator[Case]:
    def case(label: str, G: Callable[[Any], float], z: list[int], why: str = "") -> Case:
        call = f"from rlkit.exercises.marl import {G.__name__} as G\nmy_difference_rewards(G, np.array({z}))"
        return Case(label, (G, np.array(z)), why, call)

    why = (
        "two places are searched. Without the first agent it is still two, and without the second: 0 and 0. Without the "
        "third it would be one: 1"
    )
    yield case("how many places are searched", covered, [0, 0, 1], why)
    why = (
        "3 guests make 3 · 1 / 2 = 1.5 and 1 makes 1 · 3 / 2 = 1.5, in all 3. Without one of the three, 2 · 2 / 2 + 1.5 = 3.5: "
        "-0.5 for each of them. Without the one, 1.5 are left: 3 - 1.5 = 1.5"
    )
    yield case("a crowded bar", crowded, [2, 2, 0, 2], why)
    why = "two pull at one place: 10. Without either it would be 0, so 10 for both. The third pulls alone: 0"
    yield case("two have to pull together", lifted, [1, 1, 0], why)
    why = "three pull, and two would do: nobody is missed, 0 for all"
    yield case("one too many", lifted, [0, 0, 0], why)
    why = "found are 4 and 1, in all 5. Without the first, 1: 5 - 1 = 4; without the second, 4: 5 - 4 = 1"
    yield case("treasure", treasure, [3, 0], why)
    why = "found are 1, 3 and 2, in all 6; 1 is found by two, so neither is missed: 0, 3, 0 and 2"
    yield case("more treasure", treasure, [0, 2, 0, 1], why)
    why = "there is nobody else: 1.5 - 0 = 1.5"
    yield case("alone", crowded, [1], why)
    for k, G in enumerate([crowded, treasure], start=1):
        yield case(f"a random team {k}", G, rng.integers(4, size=8).tolist())


@differences.mistake("Everybody gets the team's reward. Take away what the team would have had without the agent.")
def difference_team_reward(G, z):
    return np.full(len(z), G(z))


@differences.mistake(
    "Everybody gets an equal share. What did *this* agent add? Take away the team's reward without it."
)
def difference_equal_share(G, z):
    return np.full(len(z), G(z) / len(z))


@differences.mistake("This is the team's reward without the agent. The difference to that with it was asked for.")
def difference_without_the_whole(G, z):
    return np.array([G(np.delete(z, i)) for i in range(len(z))])


@differences.mistake("The sign is turned around: with the agent, *minus* without it.")
def difference_turned(G, z):
    return -my_difference_rewards(G, z)


@differences.mistake(
    "This is what the agent would get alone in the world. What does it add to the others: G(z) - G(without i)?"
)
def difference_alone(G, z):
    return np.array([G(z[i : i + 1]) for i in range(len(z))])


@differences.mistake(
    "You take away what the agent would be worth *alone*. Take away what the others are worth without it."
)
def difference_to_alone(G, z):
    return np.array([G(z) - G(z[i : i + 1]) for i in range(len(z))])


@differences.mistake(
    "You do not leave the agent out, you send it to place 0, where it may be in the way. Without it, z is shorter: "
    "`np.delete(z, i)`."
)
def difference_sent_to_zero(G, z):
    def elsewhere(i):
        other = z.copy()
        other[i] = 0
        return other

    return np.array([G(z) - G(elsewhere(i)) for i in range(len(z))])


@differences.mistake(
    "You send the agent to a place -1, which for G is a place like others. Without it, z is shorter: `np.delete(z, i)`."
)
def difference_sent_to_minus_one(G, z):
    def elsewhere(i):
        other = z.copy()
        other[i] = -1
        return other

    return np.array([G(z) - G(elsewhere(i)) for i in range(len(z))])


@differences.mistake(
    "You leave out all who chose the same as the agent. One is missing at a time: `np.delete(z, i)`, not `z[z != z[i]]`."
)
def difference_without_all_alike(G, z):
    return np.array([G(z) - G(z[z != z[i]]) for i in range(len(z))])


@differences.mistake(
    "The agents leave one after the other and do not come back. Each is missing from the *whole* team: begin from z every time."
)
def difference_one_after_the_other(G, z):
    return np.array([G(z) - G(z[i + 1 :]) for i in range(len(z))])


@differences.mistake(
    "This is what each adds to those who stand *before* it. All others are there, also those who come later in z."
)
def difference_in_order_of_arrival(G, z):
    return np.array([G(z[: i + 1]) - G(z[:i]) for i in range(len(z))])


@differences.mistake(
    "This is what each adds to those who come *after* it in z. All others are there: leave out one, from the whole of z."
)
def difference_in_order_of_leaving(G, z):
    return np.array([G(z[i:]) - G(z[i + 1 :]) for i in range(len(z))])


@differences.mistake("You leave out all who follow in z, and not only agent i: behind it comes `z[i + 1 :]`.")
def difference_without_who_follows(G, z):
    return np.array([G(z) - G(z[:i]) for i in range(len(z))])


@differences.mistake("You double the agent instead of leaving it out. The question is what would be without it.")
def difference_of_a_second(G, z):
    return np.array([G(np.append(z, z[i])) - G(z) for i in range(len(z))])


@differences.mistake(
    "This is one difference, with the last agent left out. Each of them gets its own: go through all i."
)
def difference_of_the_last(G, z):
    return G(z) - G(z[:-1])


@differences.mistake(
    "This is one difference, with the first agent left out. Each of them gets its own: go through all i."
)
def difference_of_the_first(G, z):
    return G(z) - G(z[1:])


@differences.mistake("You give all agents the difference of the first. Each of them gets its own: leave out agent i.")
def difference_of_the_first_for_all(G, z):
    return np.full(len(z), G(z) - G(z[1:]))


@differences.mistake(
    "Yours are all 0. Is the team without the agent the same array as z? `w = z` is no copy: what is done to w is done to z."
)
def difference_nothing(G, z):
    return np.zeros(len(z))


@differences.mistake(
    "What comes behind the point is cut off: `np.zeros_like(z)` holds whole numbers. `np.zeros(len(z))` does not."
)
def difference_in_whole_numbers(G, z):
    return my_difference_rewards(G, z).astype(int)


@differences.mistake("You add them all up. One number for each agent is asked for.")
def difference_sum(G, z):
    return my_difference_rewards(G, z).sum()


@differences.mistake(
    "Yours is by place: `np.delete(z, z[i])` leaves out the agent whose *number* is z[i]. Leave out agent i: "
    "`np.delete(z, i)`."
)
def difference_by_place(G, z):
    return np.array([G(z) - G(np.delete(z, z[i] % len(z))) for i in range(len(z))])


@differences.mistake("You divide by the number of agents. What an agent adds is all its own: no mean.")
def difference_shared(G, z):
    return my_difference_rewards(G, z) / len(z)


@differences.mistake("You leave out losses. An agent that is in the way shall be told: D may be negative.")
def difference_never_negative(G, z):
    return np.maximum(my_difference_rewards(G, z), 0)


@differences.mistake("You leave out the next agent, not this one: `np.delete(z, i)`.")
def difference_of_the_next(G, z):
    return np.array([G(z) - G(np.delete(z, (i + 1) % len(z))) for i in range(len(z))])


@differences.mistake("You add the two. What the others can do without the agent is taken away: G(z) minus.")
def difference_added(G, z):
    return np.array([G(z) + G(np.delete(z, i)) for i in range(len(z))])


# -- the quiz ------------------------------------------------------------------------------------------------------

quiz = Quiz(
    Question(
        "Q-learning finds the best values in an MDP. Two Q-learners meet in one world. What of the proof is lost for each?",
        (
            (
                "The rewards are noisy now, and the proof needs rewards without noise.",
                False,
                "Noise is allowed, as long as it is always the same noise. Step sizes that shrink average it out.",
            ),
            (
                "What follows an action depends on what the other does, and the other changes: the world is not stationary.",
                True,
                "While the other stands still, it is a part of the world, and all is well. But both learn at once, so "
                "that the MDP which each of them solves is another one from day to day.",
            ),
            (
                "Nothing, if both visit every state and take every action again and again.",
                False,
                "That is needed, but not enough: the mean of what was seen is a mean over partners that are gone.",
            ),
        ),
    ),
    Question(
        "Two robots carry a table. Each sees what its own camera shows, they are paid together, and they cannot talk on the "
        "way. Which model is this?",
        (
            (
                "A POMDP, whose action is what both of them do, and whose observation is what both cameras show.",
                False,
                "That would be *one* agent with two bodies: it could choose one robot's move by the other's camera.",
            ),
            (
                "A Markov game, since there are two agents and one state.",
                False,
                "In a Markov game all see the state. Here each sees an own part of it, and not what the other sees.",
            ),
            (
                "A Dec-POMDP.",
                True,
                "Several agents, one reward, and each acts on what it has observed itself. If they were paid "
                "differently, it would be a partially observable stochastic game.",
            ),
        ),
    ),
    Question(
        "An optimistic learner never lowers a value. It always finds the best cell of the climbing game, and fails when the "
        "payoffs are drawn at random. Why?",
        (
            (
                "It takes luck for skill: one lucky draw, and the value stays there for good.",
                True,
                "Where payoffs are fixed, a low one can only be the partner's doing, and may be forgotten. Where they are "
                "drawn, it may be the action's own fault. From one payoff nobody can tell the two apart.",
            ),
            (
                "With noise it needs smaller steps; with those it would get there, only later.",
                False,
                "Small steps average up and down. Steps that only go up end at the largest draw, however small they are.",
            ),
            (
                "Noise keeps it exploring, so that the partner never sees what it prefers.",
                False,
                "How much it explores is set by ε, with noise or without. What it prefers is the fault.",
            ),
        ),
    ),
    Question(
        "Two joint-action learners know the climbing game's table nearly by heart. Still they never meet in its best cell. How "
        "can that be?",
        (
            (
                "Their tables are wrong in the best cell, where both have been too rarely.",
                False,
                "While both explore, every cell is seen often, and each has its own entry, which the partner's learning "
                "cannot spoil.",
            ),
            (
                "Each answers what the other *has done*, and beside one that tried everything, a loses more than 6 on average.",
                True,
                "The model of the game says what is possible, the model of the partner what to expect. Both count right, "
                "so both leave a; and once nobody plays a, to play it alone costs 30 or pays 0.",
            ),
            (
                "Each looks for the largest entry of its table, and the other does not.",
                False,
                "If both did that, they would meet in the best cell at once. Each weights its table by a belief instead.",
            ),
        ),
    ),
    Question(
        "A hundred agents are paid G(z), what the team makes. Now agent i is paid D^i = G(z) - G(z without i). What has changed?",
        (
            (
                "G is shared out: the hundred rewards add up to G, and each gets what it has earned.",
                False,
                "They need not add up to G. Where two do one's work, neither is missed, and both get 0.",
            ),
            (
                "Agents become selfish: to raise its own D, one may lower G.",
                False,
                "What is taken away does not depend on what i does. Whatever raises D^i raises G by as much.",
            ),
            (
                "What i can do for G stays, and most of what the ninety-nine others do to its reward is gone.",
                True,
                "The same direction, and less noise: so it is seen sooner which of one's actions help.",
            ),
        ),
    ),
)
