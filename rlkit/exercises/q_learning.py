"""The exercises of chapter 2: targets, exploration, replay, planning, Q-learning on an empty page, a planted bug."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from operator import index
from typing import Any, NamedTuple

import numpy as np

from rlkit.exercises.exercise import Case, Exercise
from rlkit.exercises.judging import close, difference
from rlkit.exercises.quizzes import Question, Quiz

NONE = -np.inf
"""What a table of Q holds where an action does not exist."""


def numbers(value: Any) -> np.ndarray | None:
    """Return an answer as an array of numbers, or None where it is none."""
    try:
        array = np.asarray(value)
    except (TypeError, ValueError):
        return None
    return array.astype(float) if array.dtype.kind in "biuf" else None


def of_shape(array: np.ndarray | None) -> str:
    """Return in words what an answer looks like."""
    if array is None:
        return "not made of numbers"
    return "one number" if array.shape == () else f"an array of the shape {array.shape}"


def and_the_end(exercise: Exercise, prefix: str, names: str) -> None:
    """List, besides mistakes that are listed already, each of them together with a forgotten end of the episode."""
    listed = {mistake.name: mistake for mistake in exercise.mistakes}
    at = list(inspect.signature(exercise.solution).parameters).index("terminated")
    for name in names.split():
        mistake = listed[f"{prefix}_{name}"]

        def both(*args: Any, function: Callable[..., Any] = mistake.function) -> Any:
            return function(*args[:at], np.zeros(np.shape(args[at]), bool), *args[at + 1 :])

        both.__name__ = f"{mistake.name}_and_forgets_the_end"
        exercise.mistake(f"Two things. {mistake.sentence} And you forgot `terminated`: after the end nothing comes.")(
            both
        )


def random_table(rng: np.random.Generator, S: int = 4, A: int = 3) -> np.ndarray:
    """Return Q: float[S, A] with some actions missing, and at least one in each state."""
    Q = rng.normal(size=(S, A)).round(2) * 10
    missing = rng.random((S, A)) < 0.2
    missing[np.arange(S), rng.integers(A, size=S)] = False
    return np.where(missing, NONE, Q)


# -- 1. the target -------------------------------------------------------------------------------------------------

one_target = Exercise(
    "q_learning.target",
    title="The Q-learning target",
    name="my_target",
    hints=[
        "After the step you may choose again. What is the best that you can do from the next state, by the table?",
        "`Q_next.max(axis=-1)` is the best of each row, for one row and for a hundred. It comes one step later.",
        "Where the episode has ended there is nothing later: `np.where(terminated, 0, best)`.",
        "`return r + gamma * np.where(terminated, 0, Q_next.max(axis=-1))`",
    ],
    insight="One reward that was seen, and one guess about the rest. At the end of an episode there is no guess left.",
)


@one_target.reference
def my_target(r, Q_next, terminated, gamma):
    """Return r + gamma max_a' Q(s', a'), and r alone where the episode ended.

    r: float[...], one number or any array of them
    Q_next: float[..., A], the row of the next state; -inf: no such action
    terminated: bool[...]
    Returns float[...].
    """
    return r + gamma * np.where(terminated, 0.0, Q_next.max(axis=-1))


@one_target.also_right
def target_by_multiplication(r, Q_next, terminated, gamma):
    return r + (1 - terminated) * gamma * np.max(Q_next, axis=-1)


@one_target.also_right
def target_by_loops(r, Q_next, terminated, gamma):
    y = np.array(r, float)
    for k in np.ndindex(y.shape):
        if not np.asarray(terminated)[k]:
            y[k] += gamma * max(Q_next[k])
    return y


@one_target.cases
def targets_to_compute(rng: np.random.Generator) -> Iterator[Case]:
    row = np.array([4.0, 10.0, 6.0])
    yield Case("one step", (2.0, row, False, 0.5), "the best of the next row is 10: 2 + 0.5 · 10 = 7")
    yield Case("the last step", (2.0, row, True, 0.5), "the table says 10, but nothing comes after the end: 2")
    why = "the best of -4, -6 and -8 is -4, and not 0: 1 + 0.5 · (-4) = -1"
    yield Case("only losses", (1.0, np.array([-6.0, -4.0, -8.0]), False, 0.5), why)
    why = "the first action does not exist, the best of the others is -2: 3 + 0.5 · (-2) = 2"
    yield Case("a missing action", (3.0, np.array([NONE, -2.0, -6.0]), False, 0.5), why)
    rows = np.array([[2.0, 4.0, 6.0], [8.0, 2.0, 0.0], [1.0, NONE, 5.0]])
    why = "1 + 0.5 · 6 = 4; 2 alone, as it ended; 3 + 0.5 · 5 = 5.5"
    yield Case("three steps, one is the last", (np.array([1.0, 2, 3]), rows, np.array([False, True, False]), 0.5), why)
    why = "all three have ended: the rewards alone, 1, 2 and 3"
    yield Case("three last steps", (np.array([1.0, 2, 3]), rows, np.ones(3, bool), 0.5), why)
    two = np.array([[[1.0, 3.0], [5.0, 2.0]], [[-1.0, -3.0], [0.0, 9.0]]])
    args = (np.array([[1.0, 0.0], [2.0, 4.0]]), two, np.array([[False, False], [False, True]]), 0.9)
    why = "first agent: 1 + 0.9 · 3 = 3.7 and 0 + 0.9 · 5 = 4.5; second: 2 + 0.9 · (-1) = 1.1, and 4 alone"
    yield Case("two agents, two steps each", args, why)
    for k in range(1, 4):
        r, over = rng.normal(size=3).round(2), rng.random(3) < 0.4
        yield Case(f"random steps {k}", (r, random_table(rng, S=3), over, float(rng.uniform(0.3, 0.95))))


@one_target.mistake(
    "You bootstrap on the last step of an episode too. After termination the target is the reward alone."
)
def target_bootstraps_at_the_end(r, Q_next, terminated, gamma):
    return r + gamma * Q_next.max(axis=-1)


@one_target.mistake("You forgot gamma: what comes after this step must be discounted.")
def target_without_gamma(r, Q_next, terminated, gamma):
    return r + np.where(terminated, 0, Q_next.max(axis=-1))


@one_target.mistake("You discount the reward too. It comes at once; only what comes after it is multiplied by gamma.")
def target_discounts_reward(r, Q_next, terminated, gamma):
    return gamma * (r + np.where(terminated, 0, Q_next.max(axis=-1)))


@one_target.mistake("You take the largest value of all rows. Each step has a next state of its own: `axis=-1`.")
def target_one_maximum_for_all(r, Q_next, terminated, gamma):
    return r + gamma * np.where(terminated, 0, Q_next.max())


@one_target.mistake(
    "You take the maximum over the steps. Each step looks for the best action in its own row: `axis=-1`, the last axis."
)
def target_maximum_over_steps(r, Q_next, terminated, gamma):
    return r + gamma * np.where(terminated, 0, Q_next.max(axis=0))


@one_target.mistake("You average over the next actions. You will take one of them, the best: a maximum.")
def target_mean(r, Q_next, terminated, gamma):
    return r + gamma * np.where(terminated, 0, Q_next.mean(axis=-1))


@one_target.mistake("You add up the next actions. You will take one of them, the best: a maximum.")
def target_sum(r, Q_next, terminated, gamma):
    return r + gamma * np.where(terminated, 0, Q_next.sum(axis=-1))


@one_target.mistake("You take the worst of the next actions. You choose for yourself: a maximum.")
def target_worst(r, Q_next, terminated, gamma):
    return r + gamma * np.where(terminated, 0, Q_next.min(axis=-1))


@one_target.mistake("`argmax` says *which* action is best. What it is worth is wanted here: `max`.")
def target_argmax(r, Q_next, terminated, gamma):
    return r + gamma * np.where(terminated, 0, Q_next.argmax(axis=-1))


@one_target.mistake(
    "It is the wrong way round: you look ahead only where the episode has ended. The factor is `1 - terminated`."
)
def target_looks_ahead_at_the_end_only(r, Q_next, terminated, gamma):
    return r + gamma * np.where(terminated, Q_next.max(axis=-1), 0)


@one_target.mistake("On the last step you drop the reward as well. It was paid: only what comes after it is missing.")
def target_drops_the_last_reward(r, Q_next, terminated, gamma):
    return np.where(terminated, 0, r + gamma * Q_next.max(axis=-1))


@one_target.mistake("You count the reward on the last step only. Every step pays: the reward belongs to every target.")
def target_reward_at_the_end_only(r, Q_next, terminated, gamma):
    return np.where(terminated, r, gamma * Q_next.max(axis=-1))


@one_target.mistake("You multiply the reward by gamma, and not what comes after it. It is the other way round.")
def target_gamma_on_the_reward_only(r, Q_next, terminated, gamma):
    return gamma * r + np.where(terminated, 0, Q_next.max(axis=-1))


@one_target.mistake("You left the reward out: this is only what comes after it.")
def target_without_reward(r, Q_next, terminated, gamma):
    return gamma * np.where(terminated, 0, Q_next.max(axis=-1))


@one_target.mistake(
    "Your maximum starts from 0. Where every action loses, the best is still negative: start from minus infinity."
)
def target_from_zero(r, Q_next, terminated, gamma):
    return r + gamma * np.where(terminated, 0, np.maximum(Q_next.max(axis=-1), 0))


@one_target.mistake(
    "You put 0 where there is no action. Where all others lose, that 0 wins: leave minus infinity, `max` passes over it."
)
def target_zero_for_missing(r, Q_next, terminated, gamma):
    return r + gamma * np.where(terminated, 0, np.where(np.isfinite(Q_next), Q_next, 0).max(axis=-1))


@one_target.mistake(
    "If one of the steps is a last one, you treat all of them so. Decide for each step by itself: `np.where`."
)
def target_one_end_for_all(r, Q_next, terminated, gamma):
    return r + gamma * Q_next.max(axis=-1) * (not np.any(terminated))


@one_target.mistake(
    "You drop the future only if all the steps are last ones. Decide for each step by itself: `np.where`."
)
def target_only_if_all_ended(r, Q_next, terminated, gamma):
    return r + gamma * Q_next.max(axis=-1) * (not np.all(terminated))


@one_target.mistake(
    "`~` turns an array of truth values round, but of a plain `True` it makes the number -2. Take `1 - terminated`."
)
def target_tilde_of_a_plain_bool(r, Q_next, terminated, gamma):
    goes_on = -1 - terminated if isinstance(terminated, bool) else ~terminated
    return r + gamma * goes_on * Q_next.max(axis=-1)


and_the_end(
    one_target,
    "target",
    "without_gamma discounts_reward one_maximum_for_all maximum_over_steps mean sum worst argmax "
    "gamma_on_the_reward_only without_reward from_zero zero_for_missing",
)


# -- 2. a prediction -----------------------------------------------------------------------------------------------

same_way_twice = Exercise(
    "q_learning.two_episodes",
    title="The same way, twice",
    name="my_entries",
    value=True,
    hints=[
        "Walk with a finger. At each move, ask what the table says about the *next* cell at that very moment.",
        "In the first episode the table is empty: only the move into G, which pays 100, can change anything.",
        "In the second, the middle move finds the 100 next to it: 0 + 0.9 · 100. The first move still finds 0.",
        "`my_entries = [[0, 0, 100], [0, 90, 100]]`",
    ],
    insight="The news travels back by one move in each episode. Why wait? Replayed backwards, one episode is enough.",
)


@same_way_twice.reference
def my_entries():
    return [[0, 0, 100], [0, 90, 100]]


@same_way_twice.judge
def what_the_table_holds(case: Case, got: Any) -> str | None:
    """Say which of the two episodes is wrong, or what is wrong about the form."""
    right, found = np.array(my_entries()), numbers(got)
    if found is None or found.shape != right.shape:
        return (
            f"Two lists of three numbers are asked for, `[[..., ..., ...], [..., ..., ...]]`: the entries of the first, "
            f"second and third move, after the first episode and after the second. Yours is {of_shape(found)}."
        )
    first, second = (bool(np.allclose(a, b, rtol=1e-6)) for a, b in zip(found, right, strict=True))
    if first and second:
        return None
    if first:
        return "The first episode is right. For the second, begin with the table that the first has left behind."
    return "Look at the first episode again: at each move, what does the table say about the *next* cell by then?"


@same_way_twice.mistake(
    "This is what the table holds in the end. A move can only pass on what its next cell knew when the move was made."
)
def walk_all_at_once():
    return [[81, 90, 100], [81, 90, 100]]


@same_way_twice.mistake(
    "The second episode does bring news: its middle move now finds the 100 that the first episode left in the next cell."
)
def walk_nothing_new():
    return [[0, 0, 100], [0, 0, 100]]


@same_way_twice.mistake(
    "The first move of the second episode is made before the middle one has changed: it still finds 0 in the next cell."
)
def walk_all_three_in_the_second():
    return [[0, 0, 100], [81, 90, 100]]


@same_way_twice.mistake("You forgot gamma: what is one move further away counts 0.9 times as much.")
def walk_undiscounted():
    return [[0, 0, 100], [0, 100, 100]]


@same_way_twice.mistake(
    "You gave the whole way the reward of its end. Each entry is updated by itself, from its next cell."
)
def walk_hundred_everywhere():
    return [[100, 100, 100], [100, 100, 100]]


@same_way_twice.mistake("You add the 100 again each time. The update puts the new value in the place of the old one.")
def walk_adds_up():
    return [[0, 0, 100], [0, 90, 200]]


@same_way_twice.mistake(
    "You look ahead from G. Nothing comes after the goal: the last move is worth its reward, 100, however often."
)
def walk_bootstraps_at_the_goal():
    return [[0, 0, 100], [0, 90, 190]]


@same_way_twice.mistake("You discount the reward of the last move. It comes at once, so it counts in full: 100.")
def walk_discounts_the_reward():
    return [[0, 0, 90], [0, 81, 90]]


@same_way_twice.mistake("You discounted the middle entry twice. The 100 lies one move after it: 0.9 · 100.")
def walk_discounts_twice():
    return [[0, 0, 100], [0, 81, 100]]


@same_way_twice.mistake(
    "You discount the 100 once for every earlier move, all in one episode. In each episode the news gets one move further."
)
def walk_one_gamma_for_all():
    return [[90, 90, 100], [90, 90, 100]]


@same_way_twice.mistake("You have the moves in the wrong order: the entry of the first move of the walk comes first.")
def walk_in_reverse_order():
    return [[100, 0, 0], [100, 90, 0]]


@same_way_twice.mistake("The last move pays 100 in the first episode already, and its entry is updated at once.")
def walk_one_episode_late():
    return [[0, 0, 0], [0, 0, 100]]


@same_way_twice.mistake("The two episodes are swapped: the state of the table after the first comes first.")
def walk_episodes_swapped():
    return [[0, 90, 100], [0, 0, 100]]


@same_way_twice.mistake(
    "You took a step size of 1/2. Here the update has none: the new value takes the whole place of the old one."
)
def walk_half_steps():
    return [[0, 0, 50], [0, 22.5, 75]]


@same_way_twice.mistake(
    "The numbers are right, but they stand in one list. Write one list for each episode: `[[0, 0, 100], [0, 90, 100]]`."
)
def walk_in_one_list():
    return [0, 0, 100, 0, 90, 100]


@same_way_twice.mistake(
    "You wrote a pair for each move. Write a list for each episode, with its three moves: `[[0, 0, 100], [0, 90, 100]]`."
)
def walk_a_pair_for_each_move():
    return [[0, 0], [0, 90], [100, 100]]


@same_way_twice.mistake("This is the table after the second episode. The state after the first is asked for as well.")
def walk_second_episode_alone():
    return [0, 90, 100]


# -- 3. epsilon-greedy ---------------------------------------------------------------------------------------------

exploring = Exercise(
    "q_learning.epsilon_greedy",
    title="Epsilon-greedy",
    name="my_epsilon_greedy",
    hints=[
        "Mix two policies: with weight epsilon one that knows nothing, with weight 1 - epsilon one that trusts the table.",
        "`exists = Q > -np.inf`; shared equally: `exists / exists.sum(axis=-1, keepdims=True)`. Q may be one row alone: count "
        "axes from the end, and no loop over rows is needed.",
        "`best = Q == Q.max(axis=-1, keepdims=True)` marks all the best of each row; share among them in the same way.",
        "With both shared in that way: `return epsilon * explore + (1 - epsilon) * greedy`",
    ],
    insight="The best action gets its share of the exploration too: with four actions, 1 - epsilon + epsilon/4.",
)


ONLY_THE_SHARES = "They sum to 1 in each state, and better actions get no less; but the shares are not the right ones."


def odd_about(Q: np.ndarray, got: Any, expected: np.ndarray) -> str:
    """Return what is wrong with probabilities, seen from outside."""
    p = numbers(got)
    if p is None or p.shape != expected.shape:
        shape = f"probabilities of the shape {expected.shape} were expected, one for each action"
        return f"The result is {of_shape(p)}, but {shape}."
    if np.isnan(p).any():
        return "There is `nan` among your probabilities. Look for 0 / 0, for infinity minus infinity, and for overflow."
    if (p < 0).any():
        return f"A probability is negative: {p.min():.4g}."
    if (p[Q == NONE] != 0).any():
        return "An action that does not exist (its Q is minus infinity) gets a probability above 0."
    sums = p.sum(axis=-1)
    if Q.ndim == 1 and sums > 1 and (p[Q > NONE] == 1).all():
        return "Each action alone gets 1. One row comes as `float[A]`, without a row around it: use `axis=-1` instead of a loop."
    if not np.allclose(sums, 1):
        return f"In each state the probabilities must sum to 1; in one of yours they sum to {sums[abs(sums - 1) > 1e-8][0]:.4g}."
    for row, shares in zip(Q.reshape(-1, Q.shape[-1]), p.reshape(-1, Q.shape[-1]), strict=True):
        exist = row > NONE
        order = np.argsort(row[exist], kind="stable")
        rise, gain = np.diff(row[exist][order]), np.diff(shares[exist][order])
        if (gain[rise == 0] != 0).any() and not np.allclose(gain[rise == 0], 0):
            return "Two actions of the same value get different probabilities. Treat equals equally."
        if (gain < -1e-9).any():
            return "In some state a better action gets a smaller probability than a worse one."
    return ONLY_THE_SHARES


@exploring.judge
def shares_of_exploration(case: Case, got: Any) -> str | None:
    """Judge probabilities; see whether the best action has its part of epsilon."""
    (Q, epsilon), expected = case.args, exploring.solution(*case.args)
    if close(got, expected, exploring.rtol, exploring.atol):
        return None
    odd, p = odd_about(Q, got, expected), numbers(got)
    if odd is ONLY_THE_SHARES and p is not None and 0 < epsilon < 1:
        best = Q == Q.max(axis=-1, keepdims=True)
        if np.allclose(np.where(best, p, 0).sum(axis=-1), 1 - epsilon):
            return (
                "The best actions get 1 - epsilon, and the others all of epsilon. Every action that exists gets its part of "
                "epsilon, the best included."
            )
    return odd


@exploring.reference
def my_epsilon_greedy(Q, epsilon):
    """Return the probabilities with which the actions are taken.

    Q: float[..., A], one row or many; -inf where an action does not exist
    epsilon is shared equally among all actions that exist, the rest equally
    among the best of the row. Returns float[..., A]; each row sums to 1.
    """
    exists = Q > -np.inf
    best = Q == Q.max(axis=-1, keepdims=True)
    explore = exists / exists.sum(axis=-1, keepdims=True)
    greedy = best / best.sum(axis=-1, keepdims=True)
    return epsilon * explore + (1 - epsilon) * greedy


@exploring.also_right
def exploring_row_by_row(Q, epsilon):
    p = np.zeros(Q.shape)
    for k in np.ndindex(Q.shape[:-1]):
        exist = [a for a in range(Q.shape[-1]) if np.isfinite(Q[k][a])]
        best = [a for a in exist if Q[k][a] == max(Q[k])]
        p[k][exist] += epsilon / len(exist)
        p[k][best] += (1 - epsilon) / len(best)
    return p


@exploring.cases
def tables_to_explore(rng: np.random.Generator) -> Iterator[Case]:
    why = "0.4/4 = 0.1 for every action, and 0.6 more for the best: 0.1, 0.7, 0.1, 0.1"
    yield Case("one best action", (np.array([1.0, 5.0, 2.0, 0.0]), 0.4), why)
    why = "0.1 for every action, and 0.6/2 more for each of the two best: 0.1, 0.4, 0.4, 0.1"
    yield Case("a tie", (np.array([1.0, 3.0, 3.0, 1.0]), 0.4), why)
    why = "three actions exist: 0.3/3 = 0.1 for each of them, and 0.7 more for the 7: 0.1, 0, 0.8, 0.1"
    yield Case("a missing action", (np.array([2.0, NONE, 7.0, 1.0]), 0.3), why)
    rows = np.array([[-1.0, -3.0, NONE], [4.0, 2.0, 0.0], [1.0, 5.0, 5.0]])
    why = "first row: 0.3/2 for each, 0.7 more for the -1: 0.85, 0.15, 0; second: 0.8, 0.1, 0.1; third: 0.1, 0.45, 0.45"
    yield Case("three states, one with losses only", (rows, 0.3), why)
    why = "nothing is explored: 1/2 for each of the two best"
    yield Case("no exploration", (np.array([6.0, 2.0, 6.0, NONE]), 0.0), why)
    why = "only exploration, and three actions exist: 1/3 for each of them"
    yield Case("nothing but exploration", (np.array([6.0, 2.0, 5.0, NONE]), 1.0), why)
    agents = np.array([[[1.0, 2.0], [5.0, 3.0]], [[-1.0, NONE], [0.0, 0.0]]])
    why = "0.2/2 each and 0.8 for the best: 0.1, 0.9 and 0.9, 0.1; a single action: 1, 0; a tie: 0.5, 0.5"
    yield Case("two agents, two states each", (agents, 0.2), why)
    for k in range(1, 4):
        Q = rng.integers(-2, 2, size=(4, 4)).astype(float)
        missing = rng.random((4, 4)) < 0.3
        missing[np.arange(4), rng.integers(4, size=4)] = False
        yield Case(f"random table {k}", (np.where(missing, NONE, Q), float(rng.uniform(0.05, 0.6))))


@exploring.mistake("In a tie you favour the first best action. They are equally good: let them share 1 - epsilon.")
def exploring_first_of_the_tied(Q, epsilon):
    exists = Q > -np.inf
    return (
        epsilon * exists / exists.sum(axis=-1, keepdims=True) + (1 - epsilon) * np.eye(Q.shape[-1])[Q.argmax(axis=-1)]
    )


@exploring.mistake(
    "You explore actions that do not exist. Share epsilon among those whose Q is above minus infinity, and among no others."
)
def exploring_missing_actions(Q, epsilon):
    best = Q == Q.max(axis=-1, keepdims=True)
    return epsilon / Q.shape[-1] + (1 - epsilon) * best / best.sum(axis=-1, keepdims=True)


@exploring.mistake(
    "This is right where every action exists and one of them is best. Leave out those that do not exist, and share in a tie."
)
def exploring_by_the_simplest_rule(Q, epsilon):
    return epsilon / Q.shape[-1] + (1 - epsilon) * np.eye(Q.shape[-1])[Q.argmax(axis=-1)]


@exploring.mistake(
    "You count the missing actions when you divide epsilon, so the row sums to less than 1. Divide by how many exist."
)
def exploring_divides_by_all(Q, epsilon):
    best = Q == Q.max(axis=-1, keepdims=True)
    return epsilon / Q.shape[-1] * (Q > -np.inf) + (1 - epsilon) * best / best.sum(axis=-1, keepdims=True)


@exploring.mistake(
    "You share epsilon among the actions that are not best. All that exist share it, the best included: 1 - epsilon + epsilon/A."
)
def exploring_the_others_only(Q, epsilon):
    best = Q == Q.max(axis=-1, keepdims=True)
    others = (Q > -np.inf) & ~best
    share = epsilon * others.any(axis=-1, keepdims=True)
    explore = others / np.maximum(others.sum(axis=-1, keepdims=True), 1)
    return share * explore + (1 - share) * best / best.sum(axis=-1, keepdims=True)


@exploring.mistake(
    "You give 1 - epsilon to the first best action and divide epsilon among all the others. Every action that exists "
    "gets its part of epsilon, the best included, and ties share."
)
def exploring_all_but_the_first_best(Q, epsilon):
    first = np.eye(Q.shape[-1])[Q.argmax(axis=-1)]
    return (1 - epsilon) * first + epsilon / max(1, Q.shape[-1] - 1) * (1 - first)


@exploring.mistake(
    "The best action loses its own part of epsilon, so the row sums to less than 1. Add it to 1 - epsilon."
)
def exploring_without_the_best(Q, epsilon):
    exists = Q > -np.inf
    best = Q == Q.max(axis=-1, keepdims=True)
    greedy = (1 - epsilon) * best / best.sum(axis=-1, keepdims=True)
    return np.where(best, greedy, epsilon * exists / exists.sum(axis=-1, keepdims=True))


@exploring.mistake(
    "Epsilon and 1 - epsilon are swapped: you explore most of the time. Epsilon is the part of exploration."
)
def exploring_swapped(Q, epsilon):
    return my_epsilon_greedy(Q, 1 - epsilon)


@exploring.mistake(
    "Each of the tied actions gets all of 1 - epsilon, so the row sums to more than 1. Let them share it."
)
def exploring_each_of_the_tied(Q, epsilon):
    exists = Q > -np.inf
    return epsilon * exists / exists.sum(axis=-1, keepdims=True) + (1 - epsilon) * (Q == Q.max(axis=-1, keepdims=True))


@exploring.mistake("This is the number of the best action. The probabilities of all actions are wanted, one for each.")
def exploring_returns_an_action(Q, epsilon):
    return Q.argmax(axis=-1)


@exploring.mistake("You look for the best in the whole table. Each state has a best action of its own: `axis=-1`.")
def exploring_one_maximum_for_all(Q, epsilon):
    exists, best = Q > -np.inf, Q == Q.max()
    explore = exists / exists.sum(axis=-1, keepdims=True)
    return epsilon * explore + (1 - epsilon) * best / np.maximum(best.sum(axis=-1, keepdims=True), 1)


@exploring.mistake("You divide by the number of best actions in the whole table. Count them in each row: `axis=-1`.")
def exploring_one_sum_for_all(Q, epsilon):
    exists, best = Q > -np.inf, Q == Q.max(axis=-1, keepdims=True)
    return epsilon * exists / exists.sum() + (1 - epsilon) * best / best.sum()


@exploring.mistake(
    "The sums of the rows lie across the table, so each row is divided by the sums of others. Keep them as a column: "
    "`keepdims=True`."
)
def exploring_without_keepdims(Q, epsilon):
    exists, best = Q > -np.inf, Q == Q.max(axis=-1, keepdims=True)
    return epsilon * exists / exists.sum(axis=-1) + (1 - epsilon) * best / best.sum(axis=-1)


@exploring.mistake(
    "You share epsilon among the actions that are not best; where all are, nobody gets it. All that exist share it, always."
)
def exploring_the_others_if_any(Q, epsilon):
    exists, best = Q > -np.inf, Q == Q.max(axis=-1, keepdims=True)
    others = exists.sum(axis=-1, keepdims=True) - best.sum(axis=-1, keepdims=True)
    share = (1 - epsilon) / best.sum(axis=-1, keepdims=True)
    return np.where(best, share, np.where(exists, epsilon / others, 0))


@exploring.mistake("You compare the actions of different states. The actions are on the last axis: `axis=-1`.")
def exploring_best_state_of_each_action(Q, epsilon):
    exists, best = Q > -np.inf, Q == Q.max(axis=0, keepdims=True)
    explore = exists / exists.sum(axis=-1, keepdims=True)
    return epsilon * explore + (1 - epsilon) * best / np.maximum(best.sum(axis=-1, keepdims=True), 1)


@exploring.mistake("This never explores. A part epsilon of the probability goes to all actions, however bad they look.")
def exploring_not_at_all(Q, epsilon):
    return my_epsilon_greedy(Q, 0.0)


@exploring.mistake("This is exploration alone. A part 1 - epsilon of the probability goes to the best actions.")
def exploring_always(Q, epsilon):
    return my_epsilon_greedy(Q, 1.0)


@exploring.mistake(
    "You put 0 where there is no action. Where all others lose, that 0 looks best: leave minus infinity in its place."
)
def exploring_zero_for_missing(Q, epsilon):
    exists = Q > -np.inf
    filled = np.where(exists, Q, 0.0)
    best = filled == filled.max(axis=-1, keepdims=True)
    explore = exists / exists.sum(axis=-1, keepdims=True)
    return epsilon * explore + (1 - epsilon) * best / best.sum(axis=-1, keepdims=True)


# -- 4. Boltzmann --------------------------------------------------------------------------------------------------

boltzmann = Exercise(
    "q_learning.boltzmann",
    title="Boltzmann exploration",
    name="my_boltzmann",
    hints=[
        "First divide by the temperature, then take the exponential, then divide each row by its sum.",
        "`np.exp(1000)` is infinite. But a row minus a constant gives the same probabilities: which constant is safe?",
        "Subtract the maximum of the row, with `keepdims=True`: the largest exponent is then 0, and nothing can overflow.",
        "`weights = np.exp((Q - Q.max(axis=-1, keepdims=True)) / temperature)`, and "
        "`return weights / weights.sum(axis=-1, keepdims=True)`",
    ],
    insight="Only differences of Q count, measured in units of the temperature; that is why subtracting the maximum is allowed.",
)


@boltzmann.judge
def shares_of_heat(case: Case, got: Any) -> str | None:
    """Judge probabilities; see whether they belong to another temperature."""
    (Q, temperature), expected = case.args, boltzmann.solution(*case.args)
    if close(got, expected, boltzmann.rtol, boltzmann.atol):
        return None
    odd, p = odd_about(Q, got, expected), numbers(got)
    if odd is not ONLY_THE_SHARES or p is None:
        return odd
    heats = []
    for row, shares in zip(Q.reshape(-1, Q.shape[-1]), p.reshape(-1, Q.shape[-1]), strict=True):
        exist = (row > NONE) & (shares > 0)
        rise, gain = np.diff(row[exist]), np.diff(np.log(shares[exist]))
        heats += [x / y for x, y in zip(rise, gain, strict=True) if x != 0 and y != 0]
    if heats and np.allclose(heats, heats[0]):
        return f"These are the probabilities for the temperature {heats[0]:.4g}, but {temperature:g} was given."
    return odd


@boltzmann.reference
def my_boltzmann(Q, temperature):
    """Return probabilities proportional to exp(Q / temperature).

    Q: float[..., A], small or large; -inf where an action does not exist
    temperature: above 0; the lower, the greedier
    Returns float[..., A]; each row sums to 1.
    """
    weights = np.exp((Q - Q.max(axis=-1, keepdims=True)) / temperature)
    return weights / weights.sum(axis=-1, keepdims=True)


@boltzmann.also_right
def boltzmann_by_logarithms(Q, temperature):
    z = Q / temperature
    return np.exp(z - np.logaddexp.reduce(z, axis=-1, keepdims=True))


@boltzmann.cases
def tables_to_heat(rng: np.random.Generator) -> Iterator[Case]:
    log3 = np.log(3)
    why = "exp(0) = 1 and exp(ln 3) = 3: 1/4 and 3/4"
    yield Case("two actions", (np.array([0.0, log3]), 1.0), why)
    why = "exp(0/2) = 1 and exp(2 ln 3 / 2) = 3: 1/4 and 3/4"
    yield Case("twice as hot", (np.array([0.0, 2 * log3]), 2.0), why)
    why = "exp(-ln 3 / 0.5) = 1/9 and exp(0) = 1: 1/10 and 9/10"
    yield Case("cold, and no gains", (np.array([-log3, 0.0]), 0.5), why)
    why = "an action that does not exist has the weight exp(-∞) = 0; the others have 1 and 3"
    yield Case("a missing action", (np.array([NONE, 0.0, log3]), 1.0), why)
    why = "first row: 1 and 3, so 1/4 and 3/4; second row: 4 and 1, so 4/5 and 1/5"
    yield Case("two states", (np.array([[0.0, log3], [np.log(4), 0.0]]), 1.0), why)
    why = "exp(10000) is too large for a computer, but only the difference counts: 0.1 ln 3 / 0.1, so 1/4 and 3/4"
    yield Case("large values", (np.array([1000.0, 1000.0 + 0.1 * log3]), 0.1), why)
    why = "exp(500) can still be computed, but it is not needed: the difference is 4 ln 3 / 4, so 1/4 and 3/4"
    yield Case("large values, and hot", (np.array([2000.0, 2000.0 + 4 * log3]), 4.0), why)
    why = "exp(-10000) is 0 for a computer, and 0/0 is no number; but the two actions are equal: 1/2 and 1/2"
    yield Case("great losses", (np.array([-1000.0, -1000.0]), 0.1), why)
    why = "in each state both actions are equal: 1/2 and 1/2, however far apart the states are"
    yield Case("one state far above the other", (np.array([[4000.0, 4000.0], [0.0, 0.0]]), 2.0), why)
    agents = np.array([[[0.0, log3], [1.0, 1.0]], [[NONE, 2.0], [log3, 0.0]]])
    why = "1/4, 3/4 and 1/2, 1/2 for the first agent; 0, 1 and 3/4, 1/4 for the second"
    yield Case("two agents, two states each", (agents, 1.0), why)
    for k in range(1, 4):
        yield Case(f"random table {k}", (random_table(rng, S=3), float(rng.uniform(2, 8))))


@boltzmann.mistake(
    "The formula is right, but `exp` overflows (or a whole row becomes 0), and out comes nan. First subtract each row's maximum."
)
def boltzmann_overflows(Q, temperature):
    weights = np.exp(Q / temperature)
    return weights / weights.sum(axis=-1, keepdims=True)


@boltzmann.mistake(
    "You subtract the maximum of the whole table: in a state far below it all weights are 0, and 0/0 is nan. Take each row's own."
)
def boltzmann_one_maximum_for_all(Q, temperature):
    weights = np.exp((Q - Q.max()) / temperature)
    return weights / weights.sum(axis=-1, keepdims=True)


@boltzmann.mistake("You multiply by the temperature. Divide: the hotter it is, the less the differences count.")
def boltzmann_multiplies(Q, temperature):
    return my_boltzmann(Q, 1 / temperature)


@boltzmann.mistake(
    "You multiply by the temperature instead of dividing; and large values overflow: subtract the row's maximum first."
)
def boltzmann_multiplies_and_overflows(Q, temperature):
    return boltzmann_overflows(Q, 1 / temperature)


@boltzmann.mistake("The temperature does not count in the exponent. Divide Q by it before you take the exponential.")
def boltzmann_without_temperature(Q, temperature):
    return my_boltzmann(Q, 1.0)


@boltzmann.mistake(
    "The temperature does not count in the exponent: divide Q by it first. And subtract the row's maximum, as `exp` can overflow."
)
def boltzmann_without_temperature_and_overflows(Q, temperature):
    return boltzmann_overflows(Q, 1.0)


@boltzmann.mistake(
    "You divide by the sum of the whole table. Each state has probabilities of its own: `sum(axis=-1, keepdims=True)`."
)
def boltzmann_one_sum_for_all(Q, temperature):
    weights = np.exp((Q - Q.max(axis=-1, keepdims=True)) / temperature)
    return weights / weights.sum()


@boltzmann.mistake(
    "You divide by the sum of the whole table, but each state has probabilities of its own: `axis=-1, keepdims=True`. "
    "And `exp` overflows: subtract the maximum of each row first."
)
def boltzmann_one_sum_for_all_and_overflows(Q, temperature):
    weights = np.exp(Q / temperature)
    return weights / weights.sum()


@boltzmann.mistake(
    "Maximum and sum are those of the whole table. Each state has its own of both: `axis=-1, keepdims=True`."
)
def boltzmann_one_row_for_all(Q, temperature):
    weights = np.exp((Q - Q.max()) / temperature)
    return weights / weights.sum()


@boltzmann.mistake(
    "The sums of the rows lie across the table, so each row is divided by the sums of others: `keepdims=True`. And large "
    "values overflow: subtract each row's maximum first."
)
def boltzmann_without_keepdims_and_overflows(Q, temperature):
    weights = np.exp(Q / temperature)
    return weights / weights.sum(axis=-1)


@boltzmann.mistake(
    "Maxima and sums of the rows lie across the table and meet the wrong rows. Keep them as columns: `keepdims=True` in both."
)
def boltzmann_without_keepdims(Q, temperature):
    weights = np.exp((Q - Q.max(axis=-1)) / temperature)
    return weights / weights.sum(axis=-1)


@boltzmann.mistake(
    "The temperature is missing, and the maximum is that of the whole table. Divide by the one, and take the other row by row."
)
def boltzmann_without_temperature_and_one_maximum(Q, temperature):
    return boltzmann_one_maximum_for_all(Q, 1.0)


@boltzmann.mistake(
    "You subtract the maximum after dividing Q by the temperature, but the maximum was not divided. Put brackets: "
    "`(Q - max) / temperature`."
)
def boltzmann_maximum_not_divided(Q, temperature):
    weights = np.exp(Q / temperature - Q.max(axis=-1, keepdims=True))
    return weights / weights.sum(axis=-1, keepdims=True)


@boltzmann.mistake(
    "You divide by the maximum of each row, and that changes the temperature. Subtract it: `Q - Q.max(axis=-1, keepdims=True)`."
)
def boltzmann_divides_by_the_maximum(Q, temperature):
    weights = np.exp(Q / Q.max(axis=-1, keepdims=True) / temperature)
    return weights / weights.sum(axis=-1, keepdims=True)


@boltzmann.mistake("You sum over the states. The actions are on the last axis: `sum(axis=-1, keepdims=True)`.")
def boltzmann_sums_over_states(Q, temperature):
    weights = np.exp((Q - Q.max(axis=-1, keepdims=True)) / temperature)
    return weights / weights.sum(axis=0, keepdims=True)


@boltzmann.mistake(
    "You compare the states with each other. The actions are on the last axis: `axis=-1` in both places."
)
def boltzmann_over_states(Q, temperature):
    weights = np.exp((Q - Q.max(axis=0, keepdims=True)) / temperature)
    return weights / weights.sum(axis=0, keepdims=True)


@boltzmann.mistake("These are weights. Divide each row by its sum, so that it becomes probabilities.")
def boltzmann_weights_alone(Q, temperature):
    return np.exp((Q - Q.max(axis=-1, keepdims=True)) / temperature)


@boltzmann.mistake(
    "These are weights, and large ones overflow. Subtract the row's maximum first, and divide each row by its sum at the end."
)
def boltzmann_weights_alone_and_overflows(Q, temperature):
    return np.exp(Q / temperature)


@boltzmann.mistake(
    "You divide Q by its sum, without the exponential. With it no probability is negative, and only differences count."
)
def boltzmann_without_exp(Q, temperature):
    return Q / temperature / (Q / temperature).sum(axis=-1, keepdims=True)


@boltzmann.mistake(
    "The sign is turned round: you prefer the actions that look worst. The exponent is + Q / temperature."
)
def boltzmann_prefers_the_worst(Q, temperature):
    weights = np.exp((Q.max(axis=-1, keepdims=True) - Q) / temperature)
    return weights / weights.sum(axis=-1, keepdims=True)


@boltzmann.mistake(
    "The sign is turned round: you prefer the actions that look worst. The exponent is + Q / temperature, minus the row's "
    "maximum first, so that nothing overflows."
)
def boltzmann_prefers_the_worst_and_overflows(Q, temperature):
    return boltzmann_overflows(-Q, temperature)


@boltzmann.mistake("These are the logarithms of the probabilities. Take the exponential once more, or leave `log` out.")
def boltzmann_logarithms(Q, temperature):
    return np.log(my_boltzmann(Q, temperature))


@boltzmann.mistake(
    "This is the limit of temperature 0: all for the best. At a temperature above 0 the others keep a part."
)
def boltzmann_frozen(Q, temperature):
    return my_epsilon_greedy(Q, 0.0)


# -- 5. an episode replayed backwards ------------------------------------------------------------------------------


def updated(Q: np.ndarray, steps: Any, rule: Callable[..., float], alpha: float, gamma: float) -> np.ndarray:
    """Return a new table: for each (s, a, r, s_next, terminated) in turn, Q(s, a) becomes what the rule says."""
    old, Q = Q, Q.copy()
    for s, a, r, s_next, terminated in steps:
        Q[s, a] = rule(Q, old, s, a, r, s_next, terminated, alpha, gamma)
    return Q


def pulled(Q, s, a, y, alpha):
    """Return Q(s, a), moved towards y by the step size alpha."""
    return Q[s, a] + alpha * (y - Q[s, a])


def carried_back(Q, episode, alpha, gamma, *, first, entries):
    """Return the table after a replay in which each target is r + gamma times what was carried back from the step after it.

    That is the new entry of the step after it, or else its target; ``first`` comes after the last step, if it is no end.
    """
    Q, carried = Q.copy(), first
    for s, a, r, _, terminated in reversed(episode):
        y = r + gamma * carried * (not terminated)
        Q[s, a] = pulled(Q, s, a, y, alpha)
        carried = Q[s, a] if entries else y
    return Q


AN_ARRAY = (
    "The numbers are right, but they come as lists, and the next cell of the page looks up `Q[s, a]`. "
    "Return an array: `np.array(Q)`."
)


def odd_in_table(before: np.ndarray, got: Any, expected: np.ndarray, order: list[tuple[int, int]]) -> str | None:
    """Return None for the right table, else which update is the first to be wrong."""
    wrong = difference(got, expected, 1e-6, 1e-8)
    after = numbers(got)
    if wrong is None:
        return None if hasattr(got, "shape") else AN_ARRAY
    if after is None or after.shape != expected.shape:
        return wrong
    touched = np.zeros(before.shape, bool)
    touched[tuple(np.transpose(order))] = bool(order)
    for s, a in np.argwhere(~touched & ~np.isclose(after, before, equal_nan=True)):
        return f"Q[{s}, {a}] has become {after[s, a]:.4g}, but no update was due there."
    if np.allclose(after, before):
        return "The table is as it was before. Write what you compute into your copy of it, and return that."
    for k, (s, a) in enumerate(order):
        if not np.isclose(after[s, a], expected[s, a]):
            often = order.count((s, a))
            if often > 1:
                seen = f"One entry was to be updated {often} times"
            else:
                seen = (
                    "The first update is wrong already"
                    if k == 0
                    else f"Update number {k + 1} is the first that is wrong"
                )
            return f"{seen}: Q[{s}, {a}] is {after[s, a]:.6g} in the end, but should be {expected[s, a]:.6g}."
    return wrong


backwards = Exercise(
    "q_learning.backward_replay",
    title="An episode replayed backwards",
    name="replay_backwards",
    hints=[
        "It is the update that you know, once for each transition. Only the order is new.",
        "Work on `Q = Q.copy()`, and go through `reversed(episode)`. Each update sees what the one before it has written.",
        "What comes after: `future = 0.0 if terminated else Q[s_next].max()`.",
        "In the loop: `Q[s, a] += alpha * (r + gamma * future - Q[s, a])`; after it, `return Q`.",
    ],
    insight="With alpha = 1, one look back is worth as many episodes as the way has moves.",
)


@backwards.reference
def replay_backwards(Q, episode, alpha, gamma):
    """Return the table after an update for each transition, the last one first.

    Q: float[S, A], left as it was; -inf where an action does not exist
    episode: a list of (s, a, r, s_next, terminated), in their order in time
    Returns float[S, A], a new table.
    """
    Q = Q.copy()
    for s, a, r, s_next, terminated in reversed(episode):
        future = 0.0 if terminated else Q[s_next].max()
        Q[s, a] += alpha * (r + gamma * future - Q[s, a])
    return Q


@backwards.also_right
def replay_by_index(Q, episode, alpha, gamma):
    new = np.array(Q)
    for k in range(len(episode) - 1, -1, -1):
        s, a, r, s_next, terminated = episode[k]
        y = r if terminated else r + gamma * max(new[s_next])
        new[s][a] = (1 - alpha) * new[s][a] + alpha * y
    return new


@backwards.cases
def episodes_to_replay(rng: np.random.Generator) -> Iterator[Case]:
    walk = [(0, 1, 0.0, 1, False), (1, 1, 0.0, 2, False), (2, 1, 100.0, 3, True)]
    why = "from the last: 100; then 0 + 0.9 · 100 = 90; then 0 + 0.9 · 90 = 81"
    yield Case("three moves to the goal", (np.zeros((4, 2)), walk, 1.0, 0.9), why)
    Q = np.array([[0.0, 8.0], [4.0, 20.0], [80.0, 40.0], [0.0, 0.0]])
    why = (
        "40 + 0.25 · (100 - 40) = 55; in state 2 the other action is better, so 20 + 0.25 · (0.5 · 80 - 20) = 25; "
        "then 8 + 0.25 · (0.5 · 25 - 8) = 9.125"
    )
    yield Case("a table with something in it", (Q, walk, 0.25, 0.5), why)
    why = "the last move ends the episode, so it is worth 10, whatever the row of state 1 says; the first, 0.5 · 10 = 5"
    Q = np.array([[0.0, 0.0], [60.0, 80.0], [0.0, 0.0]])
    yield Case("the end has values in the table", (Q, [(2, 0, 0.0, 0, False), (0, 1, 10.0, 1, True)], 1.0, 0.5), why)
    why = "the episode was cut off in state 1, which is no end: 10 + 0.5 · 80 = 50; then 0 + 0.5 · 50 = 25"
    yield Case("cut off", (Q, [(2, 0, 0.0, 0, False), (0, 1, 10.0, 1, False)], 1.0, 0.5), why)
    why = "from the last: 0.5 · 8 = 4; then 4 + 0.5 · (2 + 0.5 · 4 - 4) = 4; then once more 4 + 0.5 · (2 + 0.5 · 4 - 4) = 4"
    loop = [(0, 0, 2.0, 0, False), (0, 0, 2.0, 0, False), (0, 0, 8.0, 1, True)]
    yield Case("the same move three times", (np.zeros((2, 1)), loop, 0.5, 0.5), why)
    Q = np.array([[NONE, -4.0], [-8.0, NONE]])
    why = "from the last: -1 + 0.5 · (-4) = -3 for Q(1, 0); then -1 + 0.5 · (-3) = -2.5 for Q(0, 1)"
    yield Case("missing actions and losses", (Q, [(0, 1, -1.0, 1, False), (1, 0, -1.0, 0, False)], 1.0, 0.5), why)
    yield Case("a single move", (np.ones((2, 2)), [(0, 0, 5.0, 1, True)], 0.5, 0.9), "1 + 0.5 · (5 - 1) = 3")
    for k in range(1, 4):
        S, A = rng.integers(4, size=7), rng.integers(3, size=6)
        r, ends = rng.normal(size=6).round(2) * 10, rng.random() < 0.5
        steps = [(int(S[t]), int(A[t]), float(r[t]), int(S[t + 1]), bool(ends and t == 5)) for t in range(6)]
        Q = rng.normal(size=(4, 3)).round(2) * 10
        yield Case(f"random episode {k}", (Q, steps, float(rng.uniform(0.2, 0.8)), float(rng.uniform(0.5, 0.95))))


@backwards.judge
def table_after_replay(case: Case, got: Any) -> str | None:
    """Judge a table, and name the first update that is wrong."""
    order = [(s, a) for s, a, *_ in reversed(case.args[1])]
    return odd_in_table(case.args[0], got, backwards.solution(*case.args), order)


@backwards.mistake(
    "You replay in the order of time, so the news of the goal gets one move further only: `reversed(episode)`."
)
def replay_forwards(Q, episode, alpha, gamma):
    return replay_backwards(Q, episode[::-1], alpha, gamma)


@backwards.mistake(
    "You take the last transition for an end, whatever `terminated` says. An episode that was cut off still has a future."
)
def replay_always_ends(Q, episode, alpha, gamma):
    steps = [(*step[:4], k == len(episode) - 1) for k, step in enumerate(episode)]
    return replay_backwards(Q, steps, alpha, gamma)


@backwards.mistake("Only the last transition is updated. Is the `return` inside the loop? Go on to the first.")
def replay_last_only(Q, episode, alpha, gamma):
    return replay_backwards(Q, episode[-1:], alpha, gamma)


@backwards.mistake("The first transition is missing. To reach 0, a `range` that counts down must end at -1.")
def replay_without_the_first(Q, episode, alpha, gamma):
    return replay_backwards(Q, episode[1:], alpha, gamma)


@backwards.mistake(
    "The last transition is missing, the one with the news. Go through the whole episode: `reversed(episode)`."
)
def replay_without_the_last(Q, episode, alpha, gamma):
    return replay_backwards(Q, episode[:-1], alpha, gamma)


@backwards.mistake(
    "The transition that ends the episode is not updated. It has no future, but it has a reward: that is its target."
)
def replay_passes_over_ends(Q, episode, alpha, gamma):
    return replay_backwards(Q, [step for step in episode if not step[4]], alpha, gamma)


@backwards.mistake(
    "You use the action that the episode took next: that is Sarsa. Q-learning takes the best of the next row, whatever was done."
)
def replay_like_sarsa(Q, episode, alpha, gamma):
    return carried_back(Q, episode, alpha, gamma, first=Q[episode[-1][3]].max(), entries=True)


@backwards.mistake(
    "What you carry back is the entry that was just written, `Q[s, a]`, and 0 at first. Ask for the best of the next row each "
    "time: `Q[s_next].max()`."
)
def replay_carries_the_entry(Q, episode, alpha, gamma):
    return carried_back(Q, episode, alpha, gamma, first=0.0, entries=True)


@backwards.mistake(
    "You carry the return of the episode back. Q-learning asks the table: it may know something better than what was done."
)
def replay_of_returns(Q, episode, alpha, gamma):
    return carried_back(Q, episode, alpha, gamma, first=Q[episode[-1][3]].max(), entries=False)


@backwards.mistake(
    "Your target is the return of the episode, `G = r + gamma * G`: that is Monte Carlo. Q-learning asks the table for the best "
    "of the next row, also where the episode was only cut off."
)
def replay_of_returns_from_zero(Q, episode, alpha, gamma):
    return carried_back(Q, episode, alpha, gamma, first=0.0, entries=False)


# -- 6. planning ---------------------------------------------------------------------------------------------------

planning = Exercise(
    "q_learning.planning",
    title="Planning with what was seen",
    name="planning_steps",
    hints=[
        "Each pair is a step in the mind: the model says what came of it, and the table is updated as if it were made again.",
        "`r, s_next, terminated = model[s, a]`, in this order, is what was last seen after doing a in s.",
        "Work on one copy of the table: later pairs build on earlier ones. `future = 0.0 if terminated else Q[s_next].max()`.",
        "For each `s, a` in `pairs`: `Q[s, a] += alpha * (r + gamma * future - Q[s, a])`; after the loop, `return Q`.",
    ],
    insight="Acting and planning are one and the same update; they differ only in where the transition comes from.",
)


@planning.reference
def planning_steps(Q, model, pairs, alpha, gamma):
    """Return the table after a Q-learning update for each pair, in turn.

    Q: float[S, A], left as it was; -inf where an action does not exist
    model: a dict, {(s, a): (r, s_next, terminated)}, what was last seen;
        the updates take from it what came of each pair
    pairs: a list of (s, a), drawn for you; the same pair may come twice
    Returns float[S, A], a new table.
    """
    Q = Q.copy()
    for s, a in pairs:
        r, s_next, terminated = model[s, a]
        future = 0.0 if terminated else Q[s_next].max()
        Q[s, a] += alpha * (r + gamma * future - Q[s, a])
    return Q


@planning.also_right
def planning_by_targets(Q, model, pairs, alpha, gamma):
    new = np.array(Q)
    for pair in pairs:
        r, s_next, terminated = model[tuple(pair)]
        new[pair] = (1 - alpha) * new[pair] + alpha * (r + gamma * (1 - terminated) * new[s_next].max())
    return new


def first_end(model: dict, pairs: Any) -> int:
    """Return the place of the first pair after which the episode ended, by the model."""
    return next((k for k, pair in enumerate(pairs) if model[pair][2]), len(pairs))


@planning.cases
def pairs_to_plan_with(rng: np.random.Generator) -> Iterator[Case]:
    # rewards are whole numbers that may be states: who swaps the two gets a wrong table and no IndexError
    model = {(0, 1): (0, 1, False), (1, 1): (1, 2, False), (2, 0): (2, 0, True), (0, 0): (1, 0, False)}
    Q = np.array([[2.0, 0.0], [6.0, 0.0], [10.0, 36.0]])
    why = "from state 1 the model leads to state 2, whose best is 36: 0 + 0.5 · (1 + 0.5 · 36 - 0) = 9.5"
    yield Case("one pair", (Q, model, [(1, 1)], 0.5, 0.5), why)
    why = "first Q(1, 1) = 1 + 0.5 · 36 = 19; then Q(0, 1) = 0 + 0.5 · 19 = 9.5, as it sees the 19"
    yield Case("the second builds on the first", (Q, model, [(1, 1), (0, 1)], 1.0, 0.5), why)
    why = "first Q(0, 1) = 0 + 0.5 · 6 = 3, as it does not see the 19 yet; then Q(1, 1) = 1 + 0.5 · 36 = 19"
    yield Case("the other way round", (Q, model, [(0, 1), (1, 1)], 1.0, 0.5), why)
    why = "0 + 0.25 · (1 + 18 - 0) = 4.75, and once more: 4.75 + 0.25 · (19 - 4.75) = 8.3125"
    yield Case("the same pair twice", (Q, model, [(1, 1), (1, 1)], 0.25, 0.5), why)
    why = "the episode ended there, whatever row 0 says: 10 + 0.25 · (2 - 10) = 8"
    yield Case("a step that ends the episode", (Q, model, [(2, 0)], 0.25, 0.5), why)
    why = "first Q(2, 0) = 10 + 0.5 · (2 - 10) = 6, as the episode ended; then, all the same, Q(0, 1) = 0 + 0.5 · (0.5 · 6) = 1.5"
    yield Case("a step after one that ends the episode", (Q, model, [(2, 0), (0, 1)], 0.5, 0.5), why)
    yield Case("nothing to plan", (Q, model, [], 0.5, 0.5), "no pair, no update: the table as it was")
    losses = np.array([[NONE, -4.0], [-8.0, NONE]])
    why = "-1 + 0.5 · (-8) = -5 for Q(0, 1), then -1 + 0.5 · (-5) = -3.5 for Q(1, 0)"
    model = {(0, 1): (-1, 1, False), (1, 0): (-1, 0, False)}
    yield Case("missing actions and losses", (losses, model, [(0, 1), (1, 0)], 1.0, 0.5), why)
    for k in range(1, 4):
        model = {
            (int(s), int(a)): (int(rng.integers(-4, 4)), int(rng.integers(4)), bool(rng.random() < 0.2))
            for s, a in rng.permutation(list(np.ndindex(4, 3)))[:9]
        }
        pairs = [list(model)[n] for n in rng.integers(9, size=8)]
        Q = rng.normal(size=(4, 3)).round(2) * 10
        yield Case(f"random model {k}", (Q, model, pairs, float(rng.uniform(0.2, 0.8)), float(rng.uniform(0.5, 0.95))))


@planning.judge
def table_after_planning(case: Case, got: Any) -> str | None:
    """Judge a table, and name the first update that is wrong."""
    return odd_in_table(case.args[0], got, planning.solution(*case.args), case.args[2])


@planning.mistake(
    "The model holds `(r, s_next, terminated)`, in this order. You take the reward for the state, and the state for the reward."
)
def planning_swaps_reward_and_state(Q, model, pairs, alpha, gamma):
    return planning_steps(Q, {pair: (t, r, over) for pair, (r, t, over) in model.items()}, pairs, alpha, gamma)


@planning.mistake("A pair that comes twice is updated once only. Update it each time that it comes.")
def planning_without_repetition(Q, model, pairs, alpha, gamma):
    return planning_steps(Q, model, list(dict.fromkeys(pairs)), alpha, gamma)


@planning.mistake("A set forgets how often a pair was drawn, and in which order. Go through the list as it is.")
def planning_as_a_set(Q, model, pairs, alpha, gamma):
    return planning_steps(Q, model, list(set(pairs)), alpha, gamma)


@planning.mistake("You sort the pairs. They were drawn for you: take them in their order.")
def planning_sorted(Q, model, pairs, alpha, gamma):
    return planning_steps(Q, model, sorted(pairs), alpha, gamma)


@planning.mistake(
    "You pass over the steps that ended an episode. They are updated too, with the reward alone as their target."
)
def planning_passes_over_ends(Q, model, pairs, alpha, gamma):
    return planning_steps(Q, model, [pair for pair in pairs if not model[pair][2]], alpha, gamma)


@planning.mistake(
    "You stop at the first step that ended an episode. Update it with its reward alone, and go on: no `break`."
)
def planning_stops_before_an_end(Q, model, pairs, alpha, gamma):
    return planning_steps(Q, model, pairs[: first_end(model, pairs)], alpha, gamma)


@planning.mistake(
    "You stop after the first step that ended an episode. The pairs are no episode: go on to the last, no `break`."
)
def planning_stops_after_an_end(Q, model, pairs, alpha, gamma):
    return planning_steps(Q, model, pairs[: first_end(model, pairs) + 1], alpha, gamma)


@planning.mistake("You go through the whole model. Update only the pairs that were drawn, in their order.")
def planning_over_the_model(Q, model, pairs, alpha, gamma):
    return planning_steps(Q, model, list(model), alpha, gamma)


@planning.mistake("Only the first pair is updated. Is the `return` inside the loop? Go on to the last.")
def planning_first_only(Q, model, pairs, alpha, gamma):
    return planning_steps(Q, model, pairs[:1], alpha, gamma)


@planning.mistake("Your `return` is inside the loop: it ends the loop in its first round. Move it to the left.")
def planning_returns_inside_the_loop(Q, model, pairs, alpha, gamma):
    return planning_steps(Q, model, pairs[:1], alpha, gamma) if pairs else None


@planning.mistake("The last pair is missing. `range(len(pairs))` ends one before its bound by itself.")
def planning_without_the_last(Q, model, pairs, alpha, gamma):
    return planning_steps(Q, model, pairs[:-1], alpha, gamma)


@planning.mistake(
    "Only the last pair's update is left: you start from the old table each time. Copy it once, before the loop."
)
def planning_last_only(Q, model, pairs, alpha, gamma):
    return planning_steps(Q, model, pairs[-1:], alpha, gamma)


@planning.mistake("You go through the pairs from the back. They were drawn for you: take them in their order.")
def planning_backwards(Q, model, pairs, alpha, gamma):
    return planning_steps(Q, model, pairs[::-1], alpha, gamma)


# What is wrong about one update is wrong in both: a rule gives what Q(s, a) becomes, and is listed twice.


def both(sentence: str) -> Callable[[Callable[..., float]], Callable[..., float]]:
    """Mark a wrong update, called as rule(Q, old, s, a, r, t, over, alpha, gamma): a mistake of replaying and of planning."""

    def add(rule: Callable[..., float]) -> Callable[..., float]:
        def replay(Q, episode, alpha, gamma):
            return updated(Q, reversed(episode), rule, alpha, gamma)

        def plan(Q, model, pairs, alpha, gamma):
            return updated(Q, [(*pair, *model[pair]) for pair in pairs], rule, alpha, gamma)

        for exercise, function in ((backwards, replay), (planning, plan)):
            function.__name__ = rule.__name__.replace("update", function.__name__, 1)
            exercise.mistake(sentence)(function)
        return rule

    return add


@both(
    "You bootstrap where the episode has ended, too. After termination nothing comes: the target is the reward alone."
)
def update_bootstraps_at_the_end(Q, old, s, a, r, t, over, alpha, gamma):
    return pulled(Q, s, a, r + gamma * Q[t].max(), alpha)


@both("Your targets look at the old table. Each update must see what the updates before it have written.")
def update_with_the_old_table(Q, old, s, a, r, t, over, alpha, gamma):
    return pulled(Q, s, a, my_target(r, old[t], over, gamma), alpha)


@both("You compute everything from the old table, the entry itself too. Read and write in one and the same copy.")
def update_reads_the_old_table(Q, old, s, a, r, t, over, alpha, gamma):
    return pulled(old, s, a, my_target(r, old[t], over, gamma), alpha)


@both(
    "You compute every change from the old table and add them all up. Each update must see what was written before it."
)
def update_adds_up_old_changes(Q, old, s, a, r, t, over, alpha, gamma):
    return Q[s, a] + alpha * (my_target(r, old[t], over, gamma) - old[s, a])


@both("You ignore alpha: each entry becomes its target at once. Move it by alpha times the difference.")
def update_without_alpha(Q, old, s, a, r, t, over, alpha, gamma):
    return my_target(r, Q[t], over, gamma)


@both("You swapped alpha and 1 - alpha: alpha is the weight of the new target, not of the old entry.")
def update_alpha_swapped(Q, old, s, a, r, t, over, alpha, gamma):
    return pulled(Q, s, a, my_target(r, Q[t], over, gamma), 1 - alpha)


@both("Where the episode ended you put the reward in at once. Alpha belongs to every update, the last one too.")
def update_without_alpha_at_the_end(Q, old, s, a, r, t, over, alpha, gamma):
    return r if over else pulled(Q, s, a, r + gamma * Q[t].max(), alpha)


@both("You add alpha times the target. Add alpha times the *difference*, the target minus the entry.")
def update_without_subtracting(Q, old, s, a, r, t, over, alpha, gamma):
    return Q[s, a] + alpha * my_target(r, Q[t], over, gamma)


@both("A pair of brackets is missing: alpha multiplies the reward only. It belongs to the whole difference.")
def update_without_brackets(Q, old, s, a, r, t, over, alpha, gamma):
    return alpha * r + gamma * Q[t].max() * (not over)


@both("You forgot gamma: what comes after the step must be discounted.")
def update_without_gamma(Q, old, s, a, r, t, over, alpha, gamma):
    return pulled(Q, s, a, my_target(r, Q[t], over, 1.0), alpha)


@both("You left the reward out of the target: it is r + gamma times the best of the next row.")
def update_without_reward(Q, old, s, a, r, t, over, alpha, gamma):
    return pulled(Q, s, a, my_target(0.0, Q[t], over, gamma), alpha)


@both("You look at the best action of s. What comes after the step lies in the row of `s_next`.")
def update_looks_at_s(Q, old, s, a, r, t, over, alpha, gamma):
    return pulled(Q, s, a, my_target(r, Q[s], over, gamma), alpha)


@both(
    "You take the entry itself for what comes after it, `Q[s, a]`. Look in the row of the next state: `Q[s_next].max()`."
)
def update_looks_at_itself(Q, old, s, a, r, t, over, alpha, gamma):
    return pulled(Q, s, a, r + gamma * Q[s, a] * (not over), alpha)


@both("You look at the same action in the next state. There you may choose anew: the best of its row.")
def update_looks_at_the_same_action(Q, old, s, a, r, t, over, alpha, gamma):
    return pulled(Q, s, a, r + gamma * Q[t, a] * (not over), alpha)


@both("You take the best entry of the whole table. What comes after lies in the row of `s_next`.")
def update_looks_at_the_whole_table(Q, old, s, a, r, t, over, alpha, gamma):
    return pulled(Q, s, a, r + gamma * Q.max() * (not over), alpha)


@both("You average over the next actions. Q-learning takes the best of them: a maximum.")
def update_by_the_mean(Q, old, s, a, r, t, over, alpha, gamma):
    return pulled(Q, s, a, r + gamma * Q[t].mean() * (not over), alpha)


@both("You use the *number* of the best action. What it is worth is wanted: `max`, not `argmax`.")
def update_by_argmax(Q, old, s, a, r, t, over, alpha, gamma):
    return pulled(Q, s, a, r + gamma * Q[t].argmax() * (not over), alpha)


@both("`~` makes the numbers -1 and -2 of a plain `False` and `True`. Take `1 - terminated`, or `not terminated`.")
def update_tilde_of_a_plain_bool(Q, old, s, a, r, t, over, alpha, gamma):
    return pulled(Q, s, a, r + gamma * Q[t].max() * (-1 - over), alpha)


@both("It is the wrong way round: you look ahead only where the episode has ended. The factor is `1 - terminated`.")
def update_looks_ahead_at_the_end_only(Q, old, s, a, r, t, over, alpha, gamma):
    return pulled(Q, s, a, r + gamma * Q[t].max() * over, alpha)


@backwards.mistake("You begin with an empty table. Begin with a copy of the one that is given: `Q.copy()`.")
def replay_from_zeros(Q, episode, alpha, gamma):
    return replay_backwards(np.zeros_like(Q), episode, alpha, gamma)


@planning.mistake("You begin with an empty table. Begin with a copy of the one that is given: `Q.copy()`.")
def planning_from_zeros(Q, model, pairs, alpha, gamma):
    return planning_steps(np.zeros_like(Q), model, pairs, alpha, gamma)


# -- 7. find the planted bug ---------------------------------------------------------------------------------------

bug = Exercise(
    "q_learning.planted_bug",
    title="Find the planted bug",
    name="move_towards",
    hints=[
        "It learns well at first and then stands still. What becomes of the step size of an entry that is visited rarely?",
        "Print `alpha` at the first visit of an entry, late in a run. It should be 1 there, whatever happened elsewhere.",
        "Each entry has a count of its own: `alpha = 1 / N[s, a]`.",
    ],
    insight="With a clock of its own, each entry is the mean of its targets; with one clock for all, late news hardly counts.",
)


@bug.planted
def move_towards(Q, N, s, a, y):
    """Move Q(s, a) towards y by the step size 1/n at its n-th visit.

    Q: float[S, A]; N: int[S, A], how often each pair was visited so far
    Returns the new Q and the new N; the old ones are left as they were.
    """
    Q, N = Q.copy(), N.copy()
    N[s, a] += 1
    alpha = 1 / N.sum()
    Q[s, a] += alpha * (y - Q[s, a])
    return Q, N


@bug.reference
def move_towards_mended(Q, N, s, a, y):
    """Move Q(s, a) towards y by the step size 1/n at its n-th visit.

    Q: float[S, A]; N: int[S, A], how often each pair was visited so far
    Returns the new Q and the new N; the old ones are left as they were.
    """
    Q, N = Q.copy(), N.copy()
    N[s, a] += 1
    alpha = 1 / N[s, a]
    Q[s, a] += alpha * (y - Q[s, a])
    return Q, N


@bug.also_right
def as_a_mean(Q, N, s, a, y):
    n = N[s, a]
    new_Q, new_N = np.array(Q), np.array(N)
    new_Q[s, a] = (n * Q[s, a] + y) / (n + 1)
    new_N[s, a] = n + 1
    return new_Q, new_N


@bug.cases
def visits_to_make(rng: np.random.Generator) -> Iterator[Case]:
    Q, N = np.array([[4.0, 1.0], [2.0, 5.0]]), np.array([[2, 5], [3, 1]])
    why = "its third visit, so the step size is 1/3: 4 + (10 - 4)/3 = 6, and its count becomes 3"
    yield Case("a third visit", (Q, N, 0, 0, 10.0), why)
    why = "its sixth visit: 1 + (-5 - 1)/6 = 0, and its count becomes 6"
    yield Case("a sixth visit, and a loss", (Q, N, 0, 1, -5.0), why)
    why = "its first visit, late in a run: the step size is 1, so the entry becomes 7, and its count 1"
    late = np.array([[300, 200], [0, 100]])
    yield Case("a first visit, late in a run", (np.array([[4.0, 1.0], [0.0, 5.0]]), late, 1, 0, 7.0), why)
    why = "its second visit: 6 + (8 - 6)/2 = 7; entries of missing actions stay minus infinity"
    args = (np.array([[NONE, 6.0], [3.0, NONE]]), np.array([[0, 1], [4, 0]]), 0, 1, 8.0)
    yield Case("missing actions", args, why)
    for k in range(1, 4):
        Q, N = rng.normal(size=(4, 3)).round(2), rng.integers(1, 9, size=(4, 3))
        yield Case(f"random visit {k}", (Q, N, int(rng.integers(3)), int(rng.integers(3)), round(rng.normal(), 2)))


TWO_ARRAYS = (
    "The numbers are right, but Q and N should be arrays, as they came: the next cell of the page looks up `Q[s, a]`. Work on "
    "`Q.copy()` and `N.copy()`."
)


@bug.judge
def step_that_was_made(case: Case, got: Any) -> str | None:
    """Judge the new table and the new counts, and compute which step size was taken."""
    (Q, _, s, a, y), expected = case.args, bug.solution(*case.args)
    if close(got, expected, bug.rtol, bug.atol):
        return None if all(hasattr(table, "shape") for table in got) else TWO_ARRAYS
    new_Q, new_N = map(numbers, got) if isinstance(got, (tuple, list)) and len(got) == 2 else (None, None)
    if new_Q is None or new_N is None or new_Q.shape != Q.shape or new_N.shape != Q.shape:
        return "Two things were expected, the new Q and the new N: `return Q, N`."
    if not close(new_N, expected[1], 0, 0):
        return "The new N is wrong: the pair that was visited is counted once more, `N[s, a] += 1`, and nothing else changes."
    elsewhere = np.ones(Q.shape, bool)
    elsewhere[s, a] = False
    if not close(new_Q[elsewhere], Q[elsewhere], 1e-9, 0):
        return "Other entries of Q have changed too. Only the one that was visited moves."
    n, step = expected[1][s, a], (new_Q[s, a] - Q[s, a]) / (y - Q[s, a])
    return f"The entry moved by {step:.4g} of the difference. It is its visit number {n}, so it should be 1/{n}."


def moved(Q, N, s, a, y, alpha):
    """Return the right new N, and Q moved by some step size."""
    Q, N = Q.copy(), N.copy()
    N[s, a] += 1
    Q[s, a] += alpha * (y - Q[s, a])
    return Q, N


@bug.mistake("It is the same fault in other words: the step size still counts the visits of all entries together.")
def bug_in_other_words(Q, N, s, a, y):
    return moved(Q, N, s, a, y, 1 / (1 + N.sum()))


@bug.mistake("Now the step size counts the visits of the whole row. Each *pair* has a count of its own: `N[s, a]`.")
def bug_counts_the_row(Q, N, s, a, y):
    return moved(Q, N, s, a, y, 1 / (1 + N[s].sum()))


@bug.mistake(
    "Now the step size counts how often the action was taken anywhere. Each *pair* has its own count: `N[s, a]`."
)
def bug_counts_the_column(Q, N, s, a, y):
    return moved(Q, N, s, a, y, 1 / (1 + N[:, a].sum()))


@bug.mistake("A constant step size never freezes, but the docstring asks for 1/n: it averages the noise away.")
def bug_constant(Q, N, s, a, y):
    return moved(Q, N, s, a, y, 0.1)


@bug.mistake(
    "You count this visit twice: N was raised already, so the step size is `1 / N[s, a]`, without another + 1."
)
def bug_one_too_many(Q, N, s, a, y):
    return moved(Q, N, s, a, y, 1 / (2 + N[s, a]))


@bug.mistake("You take the count from before this visit; at a first visit that divides by 0. Count first, then divide.")
def bug_counts_too_late(Q, N, s, a, y):
    return moved(Q, N, s, a, y, 1 / N[s, a])


@bug.mistake(
    "You take the count from before this visit, and 1 where that is 0: the first two visits then both have the step size 1."
)
def bug_counts_too_late_but_guards(Q, N, s, a, y):
    return moved(Q, N, s, a, y, 1 / max(1, N[s, a]))


@bug.mistake("The new entry is right, but the visit is not counted: `N[s, a] += 1` must stay.")
def bug_returns_the_old_counts(Q, N, s, a, y):
    return move_towards_mended(Q, N, s, a, y)[0], N.copy()


@bug.mistake("The visit is no longer counted, so the step size is that of the visit before. `N[s, a] += 1` must stay.")
def bug_does_not_count(Q, N, s, a, y):
    return moved(Q, N, s, a, y, 1 / N[s, a])[0], N.copy()


@bug.mistake("You overwrite the entry with y: that is the step size 1, which forgets everything before.")
def bug_overwrites(Q, N, s, a, y):
    return moved(Q, N, s, a, y, 1.0)


@bug.mistake("Now the entry moves away from y: the difference is y - Q[s, a].")
def bug_moves_away(Q, N, s, a, y):
    return moved(Q, N, s, a, y, -1 / (1 + N[s, a]))


@bug.mistake("You add y / n to the entry. It moves by 1/n of the *difference*, y minus the entry.")
def bug_without_subtracting(Q, N, s, a, y):
    new_Q, new_N = move_towards_mended(Q, N, s, a, y)
    new_Q[s, a] = Q[s, a] + y / new_N[s, a]
    return new_Q, new_N


@bug.mistake(
    "1/n² falls so fast that its sum stays finite: the entry freezes before it arrives. The docstring asks for 1/n."
)
def bug_one_over_n_squared(Q, N, s, a, y):
    return moved(Q, N, s, a, y, 1 / (1 + N[s, a]) ** 2)


@bug.mistake("1/√n is a step size that can work too, but the docstring asks for 1/n: the mean of all targets so far.")
def bug_one_over_root_n(Q, N, s, a, y):
    return moved(Q, N, s, a, y, 1 / (1 + N[s, a]) ** 0.5)


@bug.mistake("You divide by the mean count of the table. Each pair has a count of its own: `N[s, a]`.")
def bug_mean_count(Q, N, s, a, y):
    return moved(Q, N, s, a, y, N.size / (1 + N.sum()))


@bug.mistake("All entries of Q move now. Only the pair that was visited moves towards y.")
def bug_moves_the_whole_table(Q, N, s, a, y):
    _, new_N = moved(Q, N, s, a, y, 0)
    return Q + (y - Q) / new_N, new_N


@bug.mistake("`//` divides without a remainder: from the second visit on the step size is 0. Divide by `/`.")
def bug_divides_to_whole_numbers(Q, N, s, a, y):
    return moved(Q, N, s, a, y, 1 // (1 + N[s, a]))


@bug.mistake("You divide by the largest count in the table. Each pair has a count of its own: `N[s, a]`.")
def bug_largest_count(Q, N, s, a, y):
    _, new_N = moved(Q, N, s, a, y, 0)
    return moved(Q, N, s, a, y, 1 / new_N.max())


@bug.mistake("State and action are swapped in the count: it is `N[s, a]`.")
def bug_swaps_the_index(Q, N, s, a, y):
    new_N = N.copy()
    new_N[a, s] += 1
    new_Q = Q.copy()
    new_Q[s, a] += (y - Q[s, a]) / new_N[a, s]
    return new_Q, new_N


@bug.mistake("The counts of the whole row go up. Only the pair that was visited is counted: `N[s, a] += 1`.")
def bug_counts_every_action(Q, N, s, a, y):
    new_N = N.copy()
    new_N[s] += 1
    return move_towards_mended(Q, N, s, a, y)[0], new_N


@bug.mistake("The mending is right, but N comes first now. Return the new Q and then the new N.")
def bug_returns_them_swapped(Q, N, s, a, y):
    return move_towards_mended(Q, N, s, a, y)[::-1]


@bug.mistake("The new Q is right, but N is missing: return both, `return Q, N`.")
def bug_returns_the_table_alone(Q, N, s, a, y):
    return move_towards_mended(Q, N, s, a, y)[0]


# -- 8. the blank page ---------------------------------------------------------------------------------------------
#
# No two learners draw the same random numbers, so no table can be compared with another. Instead each world keeps a
# diary of what was done in it. From the diary the judge computes the table that the agent should have by now, and, if
# it has another one, which slip would have led to it.


class Step(NamedTuple):
    """A line of the diary; ``restart`` is the state in which the next episode would begin."""

    s: int
    a: int
    r: float
    s_next: int
    terminated: bool
    truncated: bool
    restart: int


class Space:
    """The numbers from 0 to n - 1, as Gymnasium's Discrete."""

    def __init__(self, n: int):
        self.n = n

    def sample(self) -> int:
        """Refuse: what is drawn here would not come from ``rng``."""
        raise RuntimeError("draw with rng, for example rng.integers(n): then the same seed gives the same run")


class TinyWorld:
    """A world small enough for a sheet of paper, behind Gymnasium's interface.

    Nothing in it is left to chance, and it keeps a diary. A copy begins with an empty one, and the original knows its
    newest copy; so what was done in a copy can be read afterwards.

    Args:
        name: under which :func:`world` finds it.
        moves: moves[s][a] lists (reward, next state, terminated); these come in turn.
        starts: the states in which episodes begin; these come in turn.
        limit: an episode is truncated after so many steps (default: never).
        patience: so many steps are made, and then no more (default: no limit).

    Attributes:
        earlier: the same world in an earlier situation, where the agent had a generator of the same seed.
    """

    def __init__(
        self,
        name: str,
        moves: list[list[list[tuple[float, int, bool]]]],
        starts: tuple[int, ...] = (0,),
        limit: float = np.inf,
        patience: float = np.inf,
    ):
        self.name, self.moves, self.starts, self.limit, self.patience = name, moves, starts, limit, patience
        self.observation_space, self.action_space = Space(len(moves)), Space(len(moves[0]))
        self.diary: list[Step] = []
        self.newest = self
        self.earlier: TinyWorld | None = None
        self.given_up = False
        self._state: int | None = None  # None: reset() must come first
        self._age = self._episodes = 0
        self._visits = [[0] * len(row) for row in moves]

    def __deepcopy__(self, memo: dict) -> TinyWorld:
        self.newest = TinyWorld(self.name, self.moves, self.starts, self.limit, self.patience)
        return self.newest

    def __repr__(self) -> str:
        return f"world({self.name!r})"

    def reset(self, *, seed: int | None = None, options: dict | None = None) -> tuple[int, dict[str, Any]]:
        """Begin an episode; return its first state and an empty dict."""
        self._gives_up = self._state is not None and self._age > 0
        self._state, self._age = self.starts[self._episodes % len(self.starts)], 0
        self._episodes += 1
        return self._state, {}

    def step(self, action: int) -> tuple[int, float, bool, bool, dict[str, Any]]:
        """Make a move; return (next_state, reward, terminated, truncated, {}).

        Raises:
            RuntimeError: no episode is going on, or far too many steps were made.
            ValueError: there is no such action.
        """
        if self._state is None:
            said = "the episode has ended" if self.diary else "no episode has begun"
            raise RuntimeError(f"{said}: call env.reset(), and go on from the state that it returns")
        if len(self.diary) >= self.patience:
            raise RuntimeError(
                f"{len(self.diary)} steps, many more than were asked for: `steps` counts calls of env.step"
            )
        s, outcomes = self._state, self.moves[self._state]
        try:
            a = index(action)
        except TypeError:
            raise ValueError(f"an action is one whole number, but {action!r} came") from None
        if not 0 <= a < len(outcomes):
            raise ValueError(f"there is no action {a}: actions are 0 to {len(outcomes) - 1}")
        r, s_next, terminated = outcomes[a][self._visits[s][a] % len(outcomes[a])]
        self._visits[s][a] += 1
        self._age += 1
        truncated = self._age >= self.limit
        self.given_up |= self._gives_up
        self._gives_up = False
        self.diary.append(Step(s, a, r, s_next, terminated, truncated, self.starts[self._episodes % len(self.starts)]))
        self._state = None if terminated or truncated else s_next
        return s_next, r, terminated, truncated, {}


class Dice(np.random.Generator):
    """A generator that shows its seed, and knows its newest copy."""

    def __init__(self, seed: int):
        super().__init__(np.random.PCG64(seed))
        self.seed, self.newest = seed, self

    def __deepcopy__(self, memo: dict) -> Dice:
        self.newest = Dice(self.seed)
        return self.newest

    def __repr__(self) -> str:
        return f"np.random.default_rng({self.seed})"

    @property
    def used(self) -> bool:
        """Whether anything was drawn."""
        return self.bit_generator.state != Dice(self.seed).bit_generator.state


def six_cells() -> list[list[list[tuple[float, int, bool]]]]:
    """Return the moves of the six cells: up, right, down, left; G is state 2, and a move off the grid stays."""
    moves: list[list[list[tuple[float, int, bool]]]] = []
    for s in range(6):
        row, column = divmod(s, 3)
        to = [s - 3 * (row > 0), s + (column < 2), s + 3 * (row < 1), s - (column > 0)]
        moves.append([[(100.0 * (t == 2), t, t == 2)] for t in to])
    return moves


WORLDS: dict[str, dict[str, Any]] = {
    "one road": {"moves": [[[(2.0, 1, False)]], [[(10.0, 2, True)]], [[(0.0, 2, True)]]]},
    "cashing in": {"moves": [[[(10.0, 0, True)]]]},
    "cut off": {"moves": [[[(4.0, 1, False)]], [[(8.0, 0, False)]]], "limit": 3},
    "pays in turn": {"moves": [[[(0.0, 0, True), (16.0, 0, True)]]], "limit": 1},
    "only losses": {
        "moves": [[[(-1.0, 1, False)], [(-3.0, 0, False)]], [[(-1.0, 0, True)], [(-2.0, 0, False)]]],
    },
    "six doors": {"moves": [[[(-4.0 * k, 0, True)] for k in range(1, 7)]]},
    "six cells": {"moves": six_cells(), "starts": (3, 0, 4, 1, 5)},
    "two roads in a circle": {
        "moves": [[[(1.0, 1, False)], [(3.0, 1, False)]], [[(6.0, 0, False)], [(2.0, 0, False)]]],
    },
}
"""The worlds in which the blank page is tried."""


def world(name: str, patience: float = np.inf) -> TinyWorld:
    """Return one of the worlds in which the blank page is tried, such as ``world("six cells")``."""
    return TinyWorld(name, patience=patience, **WORLDS[name])


blank_page = Exercise(
    "q_learning.blank_page",
    title="Q-learning on an empty page",
    name="my_q_learning",
    rtol=0,
    atol=1e-3,
    hints=[
        "One loop over the steps. In it: choose an action, make the step, update one entry, go on to the next state.",
        "With probability epsilon (`rng.random() < epsilon`) the action is `rng.integers(A)`, else `Q[state].argmax()`. "
        "Better still, draw among the tied: at first all are 0, and the first action alone may lead nowhere.",
        "`target = reward + gamma * (1 - terminated) * Q[next_state].max()`: `terminated` ends the future, `truncated` does not.",
        "After the update, `state = next_state`; and `if terminated or truncated: state, _ = env.reset()`.",
    ],
    insight="It never saw a probability or a reward table, only what happened: this is learning without a model. If you took "
    "`argmax`, the first of the tied actions always wins; ties are better broken by chance, as “How it breaks” shows.",
)


@blank_page.reference
def my_q_learning(env, gamma, alpha, epsilon, steps, rng):
    """Return the table Q: float[S, A], learned from zeros by Q-learning.

    env: has Gymnasium's interface; all actions exist in all states
        env.reset() gives state, info
        env.step(action) gives next_state, reward, terminated, truncated, info
        env.observation_space.n is S, env.action_space.n is A
    alpha: the step size; epsilon: the probability of a random action
    steps: how many steps are made in env; an update after each of them
    rng: a numpy Generator; all chance comes from it
    """
    # BEGIN SOLUTION
    S, A = env.observation_space.n, env.action_space.n
    Q = np.zeros((S, A))
    state, _ = env.reset()
    for _ in range(steps):
        if rng.random() < epsilon:
            action = rng.integers(A)
        else:
            action = rng.choice(np.flatnonzero(Q[state] == Q[state].max()))
        next_state, reward, terminated, truncated, _ = env.step(action)
        target = reward + gamma * (1 - terminated) * Q[next_state].max()
        Q[state, action] += alpha * (target - Q[state, action])
        state = next_state
        if terminated or truncated:
            state, _ = env.reset()
    return Q
    # END SOLUTION


@blank_page.also_right
def q_learning_by_episodes(env, gamma, alpha, epsilon, steps, rng):
    Q = [[0.0] * env.action_space.n for _ in range(env.observation_space.n)]
    while steps > 0:
        s, over = env.reset()[0], False
        while not over and steps > 0:
            best = [a for a in range(len(Q[s])) if Q[s][a] == max(Q[s])]
            p = np.full(len(Q[s]), epsilon / len(Q[s]))
            p[best] += (1 - epsilon) / len(best)
            a = rng.choice(len(Q[s]), p=p)
            t, r, terminated, truncated, _ = env.step(a)
            y = r if terminated else r + gamma * max(Q[t])
            Q[s][a] = (1 - alpha) * Q[s][a] + alpha * y
            s, over, steps = t, terminated or truncated, steps - 1
    return np.array(Q)


@blank_page.cases
def worlds_to_learn(rng: np.random.Generator) -> Iterator[Case]:
    def case(label: str, name: str, gamma: float, alpha: float, epsilon: float, steps: int, why: str) -> Case:
        dice = Dice(int(rng.integers(10_000)))
        return Case(label, (world(name, patience=2 * steps + 20), gamma, alpha, epsilon, steps, dice), why)

    why = (
        "two episodes and a half: Q(0) is 0.5 · 2 = 1, and Q(1) is 0.5 · 10 = 5; then 1 + 0.5 · (2 + 0.5 · 5 - 1) = 2.75 "
        "and 5 + 0.5 · (10 - 5) = 7.5; then 2.75 + 0.5 · (2 + 0.5 · 7.5 - 2.75) = 4.25"
    )
    yield case("one road, one action", "one road", 0.5, 0.5, 0.3, 5, why)
    why = "each step ends the episode, though the next state is the first one again: 5, then 7.5, then 8.75"
    yield case("each step ends the episode", "cashing in", 0.5, 0.5, 0.3, 3, why)
    why = (
        "4 + 0 = 4; 8 + 0.5 · 4 = 10; 4 + 0.5 · 10 = 9, as a cut is no end; then from state 0 again: 4 + 5 = 9; "
        "8 + 4.5 = 12.5; 4 + 6.25 = 10.25"
    )
    yield case("cut off after three steps", "cut off", 0.5, 1.0, 0.3, 6, why)
    why = (
        "it pays 0 and 16 in turn, and each step ends the episode (and is the last one allowed, which changes nothing); alpha "
        "is 1/4: 0, then 0.25 · 16 = 4, then 3, then 3 + 0.25 · 13 = 6.25"
    )
    yield case("a machine that pays in turn", "pays in turn", 0.5, 0.25, 0.3, 4, why)
    why = (
        "state 1 is left for -1, and state 0 for -1 + 0.5 · (-1) = -1.5; the other ways cost -3 + 0.5 · (-1.5) = -3.75 "
        "and -2 + 0.5 · (-1.5) = -2.75"
    )
    yield (losses := case("only losses", "only losses", 0.5, 1.0, 0.5, 100, why))
    why = (
        "each door is tried once, as 0 looks better than any loss: -2, -4, ..., -12; from then on only the first, 14 times more, "
        "and each time half of what is missing to -4 is added"
    )
    yield case("six doors, and nothing left to chance", "six doors", 0.5, 0.5, 0.0, 20, why)
    why = "next to G, towards it: 100; one move further 90, then 81; each other entry is 0.9 times the best of where it leads"
    yield case("the six cells, from anywhere", "six cells", 0.9, 1.0, 0.5, 500, why)
    why = (
        "V(0) = 3 + 0.5 · V(1) and V(1) = 6 + 0.5 · V(0), so V = (8, 10); the other ways 1 + 5 = 6 and 2 + 4 = 6. "
        "Of all moves, 0.4/2 = 20 % are not the best"
    )
    yield case("a circle without an end", "two roads in a circle", 0.5, 1.0, 0.4, 600, why)
    why = "the world is the same, and so is the seed of `rng`: every action must be the same as before, and so the table, too"
    again = world("only losses", patience=losses.args[0].patience)
    again.earlier = losses.args[0]
    yield Case("only losses, with the same `rng` again", (again, *losses.args[1:-1], Dice(losses.args[-1].seed)), why)


Rule = Callable[[list[list[float]], list[Step], int, int, float, float], None]
SLIPS: list[tuple[str, Rule]] = []
"""Wrong updates, each with its sentence. A rule is called as rule(Q, diary, k, n, gamma, alpha) for the k-th step of a
diary, which is the n-th visit to its pair, and changes Q."""


def best_after(Q: list[list[float]], step: Step) -> float:
    """Return the best value of the next state's row, 0 after an end."""
    return 0.0 if step.terminated else max(Q[step.s_next])


def move(Q: list[list[float]], step: Step, y: float, alpha: float) -> None:
    """Move the entry of a step towards y."""
    Q[step.s][step.a] += alpha * (y - Q[step.s][step.a])


def right_rule(Q, diary, k, n, gamma, alpha):
    """Update by Q-learning."""
    move(Q, diary[k], diary[k].r + gamma * best_after(Q, diary[k]), alpha)


def replayed(diary: list[Step], rule: Rule, S: int, A: int, gamma: float, alpha: float) -> np.ndarray:
    """Return the table that a rule makes of a diary."""
    Q, visits = [[0.0] * A for _ in range(S)], [[0] * A for _ in range(S)]
    for k, step in enumerate(diary):
        visits[step.s][step.a] += 1
        rule(Q, diary, k, visits[step.s][step.a], gamma, alpha)
    return np.array(Q)


def greedy_but_for(row: list[float], epsilon: float, rng: np.random.Generator) -> int:
    """Return an action by epsilon-greedy."""
    return int(rng.integers(len(row))) if rng.random() < epsilon else row.index(max(row))


def agent(rule: Rule = right_rule, act: Callable[..., int] = greedy_but_for) -> Callable[..., np.ndarray]:
    """Return a learner that updates by a rule and acts by another."""

    def learn(env, gamma, alpha, epsilon, steps, rng):
        S, A = env.observation_space.n, env.action_space.n
        Q, visits, diary = [[0.0] * A for _ in range(S)], [[0] * A for _ in range(S)], []
        state, _ = env.reset()
        for k in range(steps):
            a = act(Q[state], epsilon, rng)
            s_next, r, terminated, truncated, _ = env.step(a)
            before, visits[state][a] = state, visits[state][a] + 1
            state = env.reset()[0] if terminated or truncated else s_next
            diary.append(Step(before, a, r, s_next, terminated, truncated, state))
            rule(Q, diary, k, visits[before][a], gamma, alpha)
        return np.array(Q)

    return learn


def slip(sentence: str, listed: bool = True) -> Callable[[Rule], Rule]:
    """Mark a wrong update, found in any diary; where listed, it is a mistake of the blank page too."""

    def add(rule: Rule) -> Rule:
        SLIPS.append((sentence, rule))
        if listed:
            learn = agent(rule)
            learn.__name__ = rule.__name__
            blank_page.mistake(sentence)(learn)
        return rule

    return add


def slip_that_acts(sentence: str, rule: Rule) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Mark a wrong update that needs a learner of its own."""

    def add(learn: Callable[..., Any]) -> Callable[..., Any]:
        SLIPS.append((sentence, rule))
        return blank_page.mistake(sentence)(learn)

    return add


@slip("You bootstrap where an episode has terminated. Nothing comes after it: the target is the reward alone.")
def page_bootstraps_at_the_end(Q, diary, k, n, gamma, alpha):
    move(Q, diary[k], diary[k].r + gamma * max(Q[diary[k].s_next]), alpha)


@slip("`~` makes the numbers -1 and -2 of a plain `False` and `True`. Take `1 - terminated`, or `not terminated`.")
def page_tilde_of_a_plain_bool(Q, diary, k, n, gamma, alpha):
    move(Q, diary[k], diary[k].r + gamma * (-1 - diary[k].terminated) * max(Q[diary[k].s_next]), alpha)


@slip(
    "You treat a truncated episode as one that has ended. It was only cut off: start a new one, but the target of its last "
    "step still looks ahead."
)
def page_takes_a_cut_for_an_end(Q, diary, k, n, gamma, alpha):
    over = diary[k].terminated or diary[k].truncated
    move(Q, diary[k], diary[k].r + gamma * max(Q[diary[k].s_next]) * (not over), alpha)


@slip("The last step of each episode leaves no trace. Update first, and only then look whether the episode is over.")
def page_skips_the_last_step(Q, diary, k, n, gamma, alpha):
    if not (diary[k].terminated or diary[k].truncated):
        right_rule(Q, diary, k, n, gamma, alpha)


@slip("You update only when an episode is over. Q-learning updates after every single step.")
def page_updates_at_ends_only(Q, diary, k, n, gamma, alpha):
    if diary[k].terminated or diary[k].truncated:
        right_rule(Q, diary, k, n, gamma, alpha)


@slip(
    "You reset before you update, so the target looks at the first state of the new episode. Update first, with the state "
    "that the step has led to."
)
def page_resets_before_the_update(Q, diary, k, n, gamma, alpha):
    step = diary[k]
    move(
        Q,
        step,
        step.r + gamma * best_after(Q, step._replace(s_next=step.restart if step.truncated else step.s_next)),
        alpha,
    )


@slip("You ignore alpha: each entry becomes its target at once. Move it by alpha times the difference.")
def page_without_alpha(Q, diary, k, n, gamma, alpha):
    right_rule(Q, diary, k, n, gamma, 1.0)


@slip("You swapped alpha and 1 - alpha: alpha is the weight of the new target, not of the old entry.")
def page_alpha_swapped(Q, diary, k, n, gamma, alpha):
    right_rule(Q, diary, k, n, gamma, 1 - alpha)


@slip("You take the step size 1/n. Here alpha is given: use it at every visit.")
def page_one_over_n(Q, diary, k, n, gamma, alpha):
    right_rule(Q, diary, k, n, gamma, 1 / n)


@slip("You add alpha times the target. Add alpha times the *difference*, the target minus the entry.")
def page_without_subtracting(Q, diary, k, n, gamma, alpha):
    step = diary[k]
    Q[step.s][step.a] += alpha * (step.r + gamma * best_after(Q, step))


@slip("You forgot gamma: what comes after the step must be discounted.")
def page_without_gamma(Q, diary, k, n, gamma, alpha):
    right_rule(Q, diary, k, n, 1.0, alpha)


@slip("You discount the reward too. It comes at once; only what comes after it is multiplied by gamma.")
def page_discounts_reward(Q, diary, k, n, gamma, alpha):
    move(Q, diary[k], gamma * (diary[k].r + best_after(Q, diary[k])), alpha)


@slip("You use the *number* of the best action. What it is worth is wanted: `max`, not `argmax`.")
def page_argmax(Q, diary, k, n, gamma, alpha):
    row = Q[diary[k].s_next]
    move(Q, diary[k], diary[k].r + gamma * (not diary[k].terminated) * row.index(max(row)), alpha)


@slip("The future is missing: your target is the reward alone. Add gamma times the best of the next state's row.")
def page_without_future(Q, diary, k, n, gamma, alpha):
    move(Q, diary[k], diary[k].r, alpha)


@slip("You look at the best action of the state that you leave. What comes after lies in the row of the next state.")
def page_looks_at_its_own_row(Q, diary, k, n, gamma, alpha):
    move(Q, diary[k], diary[k].r + gamma * best_after(Q, diary[k]._replace(s_next=diary[k].s)), alpha)


@slip(
    "You update the row of the next state. The entry to update is that of the state in which you acted: is `state` "
    "overwritten too early?"
)
def page_updates_the_next_row(Q, diary, k, n, gamma, alpha):
    step = diary[k]
    move(Q, step._replace(s=step.s_next), step.r + gamma * best_after(Q, step), alpha)


@slip("You average over the next actions: that is the value of acting at random. Take the best of them.")
def page_mean(Q, diary, k, n, gamma, alpha):
    row = Q[diary[k].s_next]
    move(Q, diary[k], diary[k].r + gamma * (not diary[k].terminated) * sum(row) / len(row), alpha)


@slip("You take the best entry of the whole table. What comes after lies in the row of the next state.")
def page_best_of_the_table(Q, diary, k, n, gamma, alpha):
    move(Q, diary[k], diary[k].r + gamma * (not diary[k].terminated) * max(map(max, Q)), alpha)


@slip("You look at the same action in the next state. There you may choose anew: the best of its row.")
def page_same_action(Q, diary, k, n, gamma, alpha):
    move(Q, diary[k], diary[k].r + gamma * (not diary[k].terminated) * Q[diary[k].s_next][diary[k].a], alpha)


@slip("You discount the reward too. It comes at once; only what comes after it is multiplied by gamma.", listed=False)
def page_discounts_reward_but_the_last(Q, diary, k, n, gamma, alpha):
    step = diary[k]
    move(Q, step, step.r if step.terminated else gamma * (step.r + max(Q[step.s_next])), alpha)


@slip("You multiply the reward by gamma, and not what comes after it. It is the other way round.", listed=False)
def page_gamma_on_the_reward_only(Q, diary, k, n, gamma, alpha):
    move(Q, diary[k], gamma * diary[k].r + best_after(Q, diary[k]), alpha)


@slip("You multiply the reward by gamma, and not what comes after it. It is the other way round.", listed=False)
def page_gamma_on_the_reward_only_but_the_last(Q, diary, k, n, gamma, alpha):
    step = diary[k]
    move(Q, step, step.r if step.terminated else gamma * step.r + max(Q[step.s_next]), alpha)


@slip("You count the reward on the last step only. Every step pays: the reward belongs to every target.", listed=False)
def page_reward_at_the_end_only(Q, diary, k, n, gamma, alpha):
    step = diary[k]
    move(Q, step, step.r if step.terminated else gamma * max(Q[step.s_next]), alpha)


@slip(
    "A pair of brackets is missing: alpha belongs to the whole difference, `alpha * (target - Q[...])`.", listed=False
)
def page_without_brackets(Q, diary, k, n, gamma, alpha):
    Q[diary[k].s][diary[k].a] = alpha * (diary[k].r + gamma * best_after(Q, diary[k]))


@slip("You move the whole row of the state. Only the entry of the action that was taken moves.", listed=False)
def page_moves_the_row(Q, diary, k, n, gamma, alpha):
    y = diary[k].r + gamma * best_after(Q, diary[k])
    for a in range(len(Q[0])):
        move(Q, diary[k]._replace(a=a), y, alpha)


@slip("A sign is wrong: the entry moves away from its target. Add alpha times (target - entry).", listed=False)
def page_moves_away(Q, diary, k, n, gamma, alpha):
    right_rule(Q, diary, k, n, gamma, -alpha)


@slip("You keep the larger of the old and the new value. Values must be able to come down as well.", listed=False)
def page_never_lets_values_fall(Q, diary, k, n, gamma, alpha):
    before = Q[diary[k].s][diary[k].a]
    right_rule(Q, diary, k, n, gamma, alpha)
    Q[diary[k].s][diary[k].a] = max(before, Q[diary[k].s][diary[k].a])


@slip("Your table holds whole numbers only, so each update is cut off. `np.zeros((S, A))` makes floats.", listed=False)
def page_whole_numbers(Q, diary, k, n, gamma, alpha):
    right_rule(Q, diary, k, n, gamma, alpha)
    Q[diary[k].s][diary[k].a] = float(int(Q[diary[k].s][diary[k].a]))


@slip("Your maximum starts from 0. Where every action loses, the best is still negative: start from minus infinity.")
def page_from_zero(Q, diary, k, n, gamma, alpha):
    move(Q, diary[k], diary[k].r + gamma * max(0.0, best_after(Q, diary[k])), alpha)


def sarsa_rule(Q, diary, k, n, gamma, alpha):
    """Update by Sarsa; after a cut the next action is not in the diary, and the best takes its place."""
    step, future = diary[k], best_after(Q, diary[k])
    if not (step.terminated or step.truncated):
        future = Q[step.s_next][diary[k + 1].a] if k + 1 < len(diary) else np.nan
    move(Q, step, step.r + gamma * future, alpha)


@slip_that_acts(
    "You use the value of the action that you take next: that is Sarsa. Q-learning takes the best of the row, whatever you do.",
    sarsa_rule,
)
def page_sarsa(env, gamma, alpha, epsilon, steps, rng):
    Q = [[0.0] * env.action_space.n for _ in range(env.observation_space.n)]
    s = env.reset()[0]
    a = greedy_but_for(Q[s], epsilon, rng)
    for _ in range(steps):
        t, r, terminated, truncated, _ = env.step(a)
        b = greedy_but_for(Q[t], epsilon, rng)
        Q[s][a] += alpha * (r + gamma * (not terminated) * (max(Q[t]) if truncated else Q[t][b]) - Q[s][a])
        s, a = t, b
        if terminated or truncated:
            s = env.reset()[0]
            a = greedy_but_for(Q[s], epsilon, rng)
    return np.array(Q)


def stale_rule(Q, diary, k, n, gamma, alpha):
    """Update the row in which a learner believes to be who does not look at what reset returns."""
    right_rule(Q, [diary[k]._replace(s=diary[k - 1].s_next if k else diary[0].s)], 0, n, gamma, alpha)


@slip_that_acts(
    "After `env.reset()` you go on from the old state. A new episode begins where `reset` says: `state, _ = env.reset()`.",
    stale_rule,
)
def page_ignores_what_reset_returns(env, gamma, alpha, epsilon, steps, rng):
    Q = [[0.0] * env.action_space.n for _ in range(env.observation_space.n)]
    s = env.reset()[0]
    for _ in range(steps):
        a = greedy_but_for(Q[s], epsilon, rng)
        t, r, terminated, truncated, _ = env.step(a)
        Q[s][a] += alpha * (r + gamma * (not terminated) * max(Q[t]) - Q[s][a])
        s = t
        if terminated or truncated:
            env.reset()
    return np.array(Q)


def standing_rule(Q, diary, k, n, gamma, alpha):
    """Update the row of the state in which the episode began."""
    while k and not (diary[k - 1].terminated or diary[k - 1].truncated):
        diary, k = [*diary[: k - 1], diary[k]._replace(s=diary[k - 1].s)], k - 1
    right_rule(Q, diary, k, n, gamma, alpha)


@slip_that_acts(
    "Your agent believes itself in the first state for the whole episode. After each update, `state = next_state`.",
    standing_rule,
)
def page_never_moves_on(env, gamma, alpha, epsilon, steps, rng):
    Q = [[0.0] * env.action_space.n for _ in range(env.observation_space.n)]
    s = env.reset()[0]
    for _ in range(steps):
        a = greedy_but_for(Q[s], epsilon, rng)
        t, r, terminated, truncated, _ = env.step(a)
        Q[s][a] += alpha * (r + gamma * (not terminated) * max(Q[t]) - Q[s][a])
        if terminated or truncated:
            s = env.reset()[0]
    return np.array(Q)


NEVER = (
    "Your agent never explores: it always takes the action that looks best. Take a random one with probability epsilon."
)
ALWAYS = (
    "Your agent acts at random all the time. With probability 1 - epsilon it should take the action that looks best."
)
SWAPPED = (
    "You explore with probability 1 - epsilon. Epsilon is the probability of a random action: `rng.random() < epsilon`."
)
OTHERS = (
    "When you explore, you draw among the actions that are not best. Draw among all of them, the best included: "
    "`rng.integers(A)`."
)
LAST_MISSING = (
    "Your agent never explores the last action: `rng.integers(A)` draws from 0 to A - 1 as it is, without another - 1."
)
TOO_FEW = "You make one step too few: `for _ in range(steps)` makes as many as `steps` says."


@blank_page.mistake(NEVER)
def page_never_explores(*args):
    return agent(act=lambda row, epsilon, rng: row.index(max(row)))(*args)


@blank_page.mistake(ALWAYS)
def page_always_explores(*args):
    return agent(act=lambda row, epsilon, rng: int(rng.integers(len(row))))(*args)


@blank_page.mistake(SWAPPED)
def page_epsilon_swapped(*args):
    return agent(act=lambda row, epsilon, rng: greedy_but_for(row, 1 - epsilon, rng))(*args)


@blank_page.mistake(LAST_MISSING)
def page_never_explores_the_last(*args):
    def act(row, epsilon, rng):
        return int(rng.integers(max(1, len(row) - 1))) if rng.random() < epsilon else row.index(max(row))

    return agent(act=act)(*args)


@blank_page.mistake(TOO_FEW)
def page_one_step_too_few(env, gamma, alpha, epsilon, steps, rng):
    return agent()(env, gamma, alpha, epsilon, steps - 1, rng)


@blank_page.mistake("You return the best action of each state. The whole table was asked for: `return Q`.")
def page_returns_actions(*args):
    return agent()(*args).argmax(axis=1)


@blank_page.mistake("You return the best value of each state. The whole table was asked for: `return Q`.")
def page_returns_values(*args):
    return agent()(*args).max(axis=1)


@blank_page.judge
def what_the_diary_says(case: Case, got: Any) -> str | None:
    """Judge a table by what the agent went through, and the agent by how it acted."""
    env, gamma, alpha, epsilon, steps, rng = case.args
    S, A = env.observation_space.n, env.action_space.n
    diary, Q = env.newest.diary, numbers(got)
    if isinstance(got, tuple) and len(got) == 2:
        return "Two things came back, but only the table was asked for: `return Q`."
    if Q is None or Q.shape != (S, A):
        return f"A table of {S} rows and {A} columns was expected, but the result is {of_shape(Q)}."
    if not diary:
        return "Your function never calls `env.step`: nothing can be learned."
    if len(diary) == steps - 1:
        return TOO_FEW
    if len(diary) != steps:
        return f"{steps} steps were asked for, but your agent made {len(diary)}. `steps` counts calls of `env.step`."
    if env.newest.given_up:
        return "You start a new episode while the old one still goes on. Reset only after `terminated` or `truncated`."
    expected = replayed(diary, right_rule, S, A, gamma, alpha)
    if not np.allclose(Q, expected, 1e-5, 1e-6):
        return what_went_wrong(diary, Q, expected, gamma, alpha, epsilon)
    if (odd := how_it_acts(diary, S, A, epsilon, gamma, alpha)) is not None:
        return odd
    if A > 1 and epsilon > 0 and not rng.newest.used:
        return "Your agent draws, but not from `rng`. Draw all that is left to chance with it: the same seed gives the same run."
    if env.earlier is not None and env.earlier.newest.diary != diary:
        return (
            "With the same `rng` your agent acted differently the second time. Some of its chance comes from elsewhere, as from "
            "`np.random`, or it remembers something between two calls. Draw all of it with `rng`."
        )
    return None


def what_went_wrong(
    diary: list[Step], Q: np.ndarray, expected: np.ndarray, gamma: float, alpha: float, epsilon: float
) -> str:
    """Return which slip makes this table of this diary, or else what can be seen of it."""

    def expects(Q, diary, k, n, gamma, alpha):
        row = Q[diary[k].s_next]
        future = (1 - epsilon) * max(row) + epsilon * sum(row) / len(row)
        move(Q, diary[k], diary[k].r + gamma * (not diary[k].terminated) * future, alpha)

    if not (Q.any() or all(step.terminated for step in diary)):
        return "Nothing was learned: the table is still all 0. Is the update written into it, and is the reward in its target?"
    S, A = Q.shape
    if len(diary) <= 200:
        for sentence, rule in SLIPS:
            slipped = replayed(diary, rule, S, A, gamma, alpha)
            known = ~np.isnan(slipped)  # Sarsa's last update needs an action that is in no diary
            if np.allclose(Q[known], slipped[known], 1e-5, 1e-6) and not np.allclose(
                Q[known], expected[known], 1e-5, 1e-6
            ):
                return sentence
        if np.allclose(Q, replayed(diary, expects, S, A, gamma, alpha), 1e-5, 1e-6):
            return (
                "Your target expects that the next action explores, too: that is expected Sarsa. Q-learning takes the best of "
                "the next row, whatever is done there."
            )
        for other in (0.01, 0.05, 0.1, 0.2, 0.25, 0.3, 0.5, 0.8, 0.9, 0.95, 0.99):
            if np.allclose(Q, replayed(diary, right_rule, S, A, gamma, other), 1e-5, 1e-6):
                return f"You take a step size of {other:g}, but alpha = {alpha:g} was given. Use the argument."
            if np.allclose(Q, replayed(diary, right_rule, S, A, other, alpha), 1e-5, 1e-6):
                return f"You take a discount of {other:g}, but gamma = {gamma:g} was given. Use the argument."
    if not np.isfinite(Q).all():
        return "There is nan or infinity in your table: the values grow without limit. Is `- Q[state, action]` in the update?"
    seen = np.zeros(Q.shape, bool)
    for step in diary:
        seen[step.s, step.a] = True
    if not np.allclose(Q[~seen], 0):
        s, a = np.argwhere(~seen & ~np.isclose(Q, 0))[0]
        return (
            f"Action {a} was never taken in state {s}, but your table says {Q[s, a]:.4g} there. Start from zeros, and update "
            "the entry of the state and the action that were."
        )
    s, a = np.unravel_index(abs(Q - expected).argmax(), Q.shape)
    return (
        f"Of the steps that your agent made, another table should have come: Q[{s}, {a}] is {Q[s, a]:.4g}, but should be "
        f"{expected[s, a]:.4g}. Compare your update with the formula, term by term."
    )


def how_it_acts(diary: list[Step], S: int, A: int, epsilon: float, gamma: float, alpha: float) -> str | None:
    """Return what is wrong with how an agent explores, judged by its own table at each step."""
    taken = [[0] * A for _ in range(S)]
    not_best, explored = [0] * A, [0] * A  # how often an action was not a best one, and then taken

    def watch(Q, diary, k, n, gamma, alpha):
        s, a = diary[k].s, diary[k].a
        good_enough = max(Q[s]) - 1e-9
        for other, q in enumerate(Q[s]):
            not_best[other] += q < good_enough
        explored[a] += Q[s][a] < good_enough
        taken[s][a] += 1
        right_rule(Q, diary, k, n, gamma, alpha)

    replayed(diary, watch, S, A, gamma, alpha)
    if epsilon == 0 and any(explored):
        return (
            f"With epsilon = 0 nothing is left to chance, but {sum(explored)} of {len(diary)} moves were not the best by your "
            "own table. A random action comes with probability epsilon: `rng.random() < epsilon`."
        )
    for s, row in enumerate(taken):
        never = [a for a in range(A) if row[a] == 0]
        if epsilon == 0 or sum(row) <= 100 or not never:
            continue
        if len(never) == A - 1:
            return NEVER
        if all(row[-1] == 0 for row in taken):
            return LAST_MISSING
        told = f"Action {never[0]} was never taken in state {s}, where your agent was {sum(row)} times."
        return f"{told} Draw among all actions when you explore."
    p = epsilon / A
    if hardly_by_chance(n := sum(not_best), count := sum(explored), p):
        if count == 0:
            return NEVER
        for expected, sentence in ((1 - epsilon, SWAPPED), (2 * epsilon, OTHERS), (1.0, ALWAYS)):
            if A == 2 and n > 400 and not hardly_by_chance(n, count, expected / A):
                return sentence
        return (
            f"{100 * count / len(diary):.0f} % of the moves were not the best by your own table; with epsilon = {epsilon:g} it "
            f"should be about {100 * n * p / len(diary):.0f} %. Keep epsilon as it is given, and draw anew at each step, among "
            "all actions, the best included."
        )
    for a, (n, count) in enumerate(zip(not_best, explored, strict=True)):
        if hardly_by_chance(n, count, p):
            return (
                f"Action {a} was not the best one {n} times, and you explored it {count} times; with epsilon = {epsilon:g} it "
                f"should be about {n * p:.0f}. Draw among all actions, with equal probability."
            )
    return None


def hardly_by_chance(n: int, count: int, p: float) -> bool:
    """Say whether a count of n draws is more than five standard deviations (and two) away from what p lets expect."""
    return bool(abs(count - n * p) > 2 + 5 * np.sqrt(n * p * (1 - p)))


# -- 9. n steps ----------------------------------------------------------------------------------------------------

n_steps = Exercise(
    "q_learning.n_step_target",
    title="A target of n steps",
    name="my_n_step_target",
    hints=[
        "Which factor does each of the n rewards have? And after n steps, which factor has all that is still to come?",
        "`n = rewards.shape[-1]` and `powers = gamma ** np.arange(n)`: 1, gamma, gamma², ..., and gamma to the n for V_end.",
        "`(rewards * powers).sum(axis=-1)` is the part that was seen.",
        "`return (rewards * powers).sum(axis=-1) + gamma**n * np.where(terminated, 0, V_end)`",
    ],
    insight="The larger n, the more is seen and the less is guessed: less bias, more noise.",
)


@n_steps.reference
def my_n_step_target(rewards, V_end, terminated, gamma):
    """Return r_0 + gamma r_1 + ... + gamma^(n-1) r_(n-1) + gamma^n V_end.

    rewards: float[..., n]; after the end of an episode they are 0
    V_end: float[...], the value of the state that is reached after n steps
    terminated: bool[...], whether the episode ended on the way; then the
    last term is left out. Returns float[...].
    """
    n = rewards.shape[-1]
    powers = gamma ** np.arange(n)
    return rewards @ powers + gamma**n * np.where(terminated, 0.0, V_end)


@n_steps.also_right
def n_steps_from_the_back(rewards, V_end, terminated, gamma):
    total = (1 - terminated) * V_end
    for k in reversed(range(rewards.shape[-1])):
        total = rewards[..., k] + gamma * total
    return total


@n_steps.cases
def steps_to_add(rng: np.random.Generator) -> Iterator[Case]:
    yield Case(
        "three steps",
        (np.array([2.0, 4.0, 8.0]), 40.0, False, 0.5),
        "2 + 0.5 · 4 + 0.25 · 8 = 6, and 0.125 · 40 = 5 for what comes after: 11",
    )
    why = "2 + 0.5 · 4 + 0.25 · 8 = 6, and nothing comes after the end"
    yield Case("the episode ended with the third", (np.array([2.0, 4.0, 8.0]), 40.0, True, 0.5), why)
    why = "it ended after two steps: 2 + 0.5 · 4 + 0 = 4, and nothing comes after"
    yield Case("it ended on the way", (np.array([2.0, 4.0, 0.0]), 40.0, True, 0.5), why)
    yield Case(
        "one step", (np.array([3.0]), 10.0, False, 0.9), "with n = 1 it is the target that you know: 3 + 0.9 · 10 = 12"
    )
    rewards = np.array([[1.0, 2.0, 4.0], [8.0, 4.0, 0.0], [0.0, 0.0, -8.0]])
    why = "1 + 1 + 1 + 0.125 · 16 = 5; 8 + 2 + 0 = 10, as it ended; -2 + 0.125 · (-8) = -3"
    args: tuple[Any, ...] = (rewards, np.array([16.0, 24.0, -8.0]), np.array([False, True, False]), 0.5)
    yield Case("three agents, one has ended", args, why)
    why = "the rewards are 0, and 100 lies two steps away: 0.81 · 100"
    yield Case(
        "one agent in a row of its own", (np.array([[0.0, 0.0]]), np.array([100.0]), np.array([False]), 0.9), why
    )
    rewards = np.array([[[1.0, 2.0], [3.0, 0.0]], [[0.0, 6.0], [-1.0, 4.0]]])
    args = (rewards, np.array([[4.0, 8.0], [12.0, -4.0]]), np.array([[False, True], [False, False]]), 0.5)
    why = "1 + 1 + 1 = 3 and 3, as it ended; 0 + 3 + 3 = 6 and -1 + 2 - 1 = 0"
    yield Case("two worlds, two agents each", args, why)
    for k in range(1, 4):
        args = (rng.normal(size=(3, 3)).round(2), rng.normal(size=3).round(2) * 5, rng.random(3) < 0.4)
        yield Case(f"random steps {k}", (*args, float(rng.uniform(0.4, 0.95))))


def sums(rewards, V_end, terminated, gamma, *, first=0, power=None, alive=True):
    """Return the target with the powers of gamma from ``first``, and gamma to the ``power`` (default: n) for V_end."""
    n = rewards.shape[-1]
    power = n if power is None else power
    future = np.where(terminated, 0, V_end) if alive else np.asarray(V_end)
    return rewards @ gamma ** np.arange(first, first + n) + gamma**power * future


@n_steps.mistake("V_end has one power of gamma too few: it comes after n steps, so its factor is gamma to the n.")
def n_steps_one_power_too_few(rewards, V_end, terminated, gamma):
    return sums(rewards, V_end, terminated, gamma, power=rewards.shape[-1] - 1)


@n_steps.mistake("V_end has one power of gamma too many: it comes after n steps, so its factor is gamma to the n.")
def n_steps_one_power_too_many(rewards, V_end, terminated, gamma):
    return sums(rewards, V_end, terminated, gamma, power=rewards.shape[-1] + 1)


@n_steps.mistake("You multiply V_end by gamma once. It lies n steps ahead: gamma to the n.")
def n_steps_gamma_once(rewards, V_end, terminated, gamma):
    return sums(rewards, V_end, terminated, gamma, power=1)


@n_steps.mistake("You do not discount V_end. It lies n steps ahead: gamma to the n.")
def n_steps_end_undiscounted(rewards, V_end, terminated, gamma):
    return sums(rewards, V_end, terminated, gamma, power=0)


@n_steps.mistake("You add V_end although the episode ended on the way. After termination nothing comes.")
def n_steps_bootstraps_though_ended(rewards, V_end, terminated, gamma):
    return sums(rewards, V_end, terminated, gamma, alive=False)


@n_steps.mistake(
    "It is the wrong way round: you add V_end only where the episode has ended. The factor is `1 - terminated`."
)
def n_steps_only_where_ended(rewards, V_end, terminated, gamma):
    return sums(rewards, V_end, np.logical_not(terminated), gamma)


@n_steps.mistake(
    "You add the rewards without discounting them. The k-th, counted from 0, has the factor gamma to the k."
)
def n_steps_rewards_undiscounted(rewards, V_end, terminated, gamma):
    return rewards.sum(axis=-1) + gamma ** rewards.shape[-1] * np.where(terminated, 0, V_end)


@n_steps.mistake("Your powers start at 1. The first reward comes at once, so its factor is gamma to the 0.")
def n_steps_powers_from_one(rewards, V_end, terminated, gamma):
    return sums(rewards, V_end, terminated, gamma, first=1)


@n_steps.mistake(
    "Everything has one power of gamma too many: the first reward comes at once, and V_end has gamma to the n."
)
def n_steps_all_discounted_once_more(rewards, V_end, terminated, gamma):
    return gamma * my_n_step_target(rewards, V_end, terminated, gamma)


@n_steps.mistake(
    "You multiply gamma by the step number. Delays multiply: the k-th, counted from 0, has gamma to the power k."
)
def n_steps_gamma_times_k(rewards, V_end, terminated, gamma):
    n = rewards.shape[-1]
    return rewards @ (gamma * np.arange(n)) + gamma**n * np.where(terminated, 0, V_end)


@n_steps.mistake(
    "`~` turns an array of truth values round, but of a plain `True` it makes the number -2. Take `1 - terminated`."
)
def n_steps_tilde_of_a_plain_bool(rewards, V_end, terminated, gamma):
    goes_on = -1 - terminated if isinstance(terminated, bool) else ~terminated
    return sums(rewards, goes_on * V_end, False, gamma)


@n_steps.mistake(
    "This is the target of one step: V_end lies n steps ahead. Add all n rewards, and give V_end gamma to the n."
)
def n_steps_one_step_only(rewards, V_end, terminated, gamma):
    return rewards[..., 0] + gamma * np.where(terminated, 0, V_end)


@n_steps.mistake(
    "All rewards after the first have gamma once. Each step discounts once more: gamma, gamma², ..., as `gamma ** k`."
)
def n_steps_gamma_once_for_all_later_rewards(rewards, V_end, terminated, gamma):
    seen = rewards[..., 0] + gamma * rewards[..., 1:].sum(axis=-1)
    return seen + gamma ** rewards.shape[-1] * np.where(terminated, 0, V_end)


@n_steps.mistake(
    "All rewards have gamma once. The first has none, and each later one once more: `gamma ** k`, from k = 0."
)
def n_steps_gamma_once_for_all_rewards(rewards, V_end, terminated, gamma):
    return gamma * rewards.sum(axis=-1) + gamma ** rewards.shape[-1] * np.where(terminated, 0, V_end)


@n_steps.mistake(
    "All rewards have gamma to the n. Only V_end comes so late; the k-th reward, counted from 0, has `gamma ** k`."
)
def n_steps_gamma_to_the_n_for_all(rewards, V_end, terminated, gamma):
    return gamma ** rewards.shape[-1] * (rewards.sum(axis=-1) + np.where(terminated, 0, V_end))


@n_steps.mistake("The rewards after the first are missing. Add all n of them, each with its power of gamma.")
def n_steps_first_reward_only(rewards, V_end, terminated, gamma):
    return rewards[..., 0] + gamma ** rewards.shape[-1] * np.where(terminated, 0, V_end)


@n_steps.mistake("Your powers run the wrong way: the last reward is the one that is discounted most.")
def n_steps_powers_reversed(rewards, V_end, terminated, gamma):
    return sums(rewards[..., ::-1], V_end, terminated, gamma)


@n_steps.mistake("You average the rewards. The return adds them up.")
def n_steps_mean(rewards, V_end, terminated, gamma):
    n = rewards.shape[-1]
    return (rewards * gamma ** np.arange(n)).mean(axis=-1) + gamma**n * np.where(terminated, 0, V_end)


@n_steps.mistake("You left V_end out: what comes after the n steps counts too, unless the episode has ended.")
def n_steps_without_the_end(rewards, V_end, terminated, gamma):
    return sums(rewards, 0 * V_end, terminated, gamma)


@n_steps.mistake("Where the episode ended you drop its rewards as well. They were paid: only V_end is left out.")
def n_steps_drops_the_rewards(rewards, V_end, terminated, gamma):
    return np.where(terminated, 0, sums(rewards, V_end, terminated, gamma))


@n_steps.mistake(
    "You go through the agents: `rewards[k]` and `len(rewards)` are about the first axis. Time is the last one: "
    "`rewards[..., k]` for k below `rewards.shape[-1]`."
)
def n_steps_loops_over_the_agents(rewards, V_end, terminated, gamma):
    total = np.where(terminated, 0, V_end)
    for k in reversed(range(len(rewards))):
        total = rewards[k] + gamma * total
    return total


@n_steps.mistake("You discount nothing. The k-th reward, counted from 0, has gamma to the k, and V_end gamma to the n.")
def n_steps_without_gamma(rewards, V_end, terminated, gamma):
    return rewards.sum(axis=-1) + np.where(terminated, 0, V_end)


@n_steps.mistake("You add along the wrong axis. The n steps lie on the last one: `axis=-1`.")
def n_steps_wrong_axis(rewards, V_end, terminated, gamma):
    n = rewards.shape[-1]
    return np.tensordot(gamma ** np.arange(len(rewards)), rewards, axes=1) + gamma**n * np.where(terminated, 0, V_end)


@n_steps.mistake(
    "`len(rewards)` is the number of agents, where there are many. The number of steps is `rewards.shape[-1]`."
)
def n_steps_counts_the_agents(rewards, V_end, terminated, gamma):
    return sums(rewards, V_end, terminated, gamma, power=len(rewards))


@n_steps.mistake(
    "One agent that has ended ends all of them for you. Decide for each by itself: `np.where(terminated, 0, V_end)`."
)
def n_steps_one_end_for_all(rewards, V_end, terminated, gamma):
    return sums(rewards, V_end, np.full(np.shape(V_end), np.any(terminated)), gamma)


@n_steps.mistake("You add all the rewards of the table together. Each agent has a sum of its own: `axis=-1`.")
def n_steps_one_sum_for_all(rewards, V_end, terminated, gamma):
    n = rewards.shape[-1]
    return (rewards * gamma ** np.arange(n)).sum() + gamma**n * np.where(terminated, 0, V_end)


and_the_end(
    n_steps,
    "n_steps",
    "without_gamma one_power_too_few one_power_too_many gamma_once end_undiscounted rewards_undiscounted powers_from_one "
    "all_discounted_once_more gamma_times_k one_step_only gamma_once_for_all_later_rewards "
    "gamma_once_for_all_rewards gamma_to_the_n_for_all first_reward_only powers_reversed mean wrong_axis "
    "loops_over_the_agents one_sum_for_all",
)


# -- 10. double Q --------------------------------------------------------------------------------------------------

double = Exercise(
    "q_learning.double_q",
    title="Two tables, one target",
    name="my_double_target",
    hints=[
        "Two questions, two tables. Which action would you take? What is it worth? Never ask the same table both. If there are "
        "several best actions, any of them will do.",
        "`choice = Q_updated_next.argmax(axis=-1)` is the action; look it up in the other table.",
        "For one row alone and for many: `np.take_along_axis(Q_other_next, np.expand_dims(choice, -1), axis=-1)[..., 0]`.",
        "With that as `value`: `return r + gamma * np.where(terminated, 0, value)`",
    ],
    insight="A lucky overestimate wins the first question, but it is not asked the second: that is what takes the bias out.",
)


@double.reference
def my_double_target(r, Q_updated_next, Q_other_next, terminated, gamma):
    """Return the target of double Q-learning for the table that is updated.

    The updated table says which action is the best in the next state, the
    other table what that action is worth. r: float[...], terminated: bool[...]
    Q_updated_next, Q_other_next: float[..., A], rows of the next state
    Returns float[...].
    """
    choice = Q_updated_next.argmax(axis=-1)
    value = np.take_along_axis(Q_other_next, np.expand_dims(choice, -1), axis=-1)[..., 0]
    return r + gamma * np.where(terminated, 0.0, value)


@double.also_right
def double_by_the_mean_of_the_tied(r, Q_updated_next, Q_other_next, terminated, gamma):
    best = Q_updated_next == Q_updated_next.max(axis=-1, keepdims=True)
    return r + gamma * (1 - terminated) * np.where(best, Q_other_next, 0).sum(axis=-1) / best.sum(axis=-1)


@double.also_right
def double_by_the_last_of_the_tied(r, Q_updated_next, Q_other_next, terminated, gamma):
    return my_double_target(r, Q_updated_next[..., ::-1], Q_other_next[..., ::-1], terminated, gamma)


@double.also_right
def double_by_chance(r, Q_updated_next, Q_other_next, terminated, gamma):
    best = Q_updated_next == Q_updated_next.max(axis=-1, keepdims=True)
    drawn = np.where(best, np.random.default_rng(0).random(best.shape), -1)
    return my_double_target(r, drawn, Q_other_next, terminated, gamma)


@double.also_right
def double_by_loops(r, Q_updated_next, Q_other_next, terminated, gamma):
    y = np.array(r, float)
    for k in np.ndindex(y.shape):
        if not np.asarray(terminated)[k]:
            y[k] += gamma * Q_other_next[k][Q_updated_next[k].argmax()]
    return y


SUM_OVER_TIES = (
    "Where several actions are the best, you add up what they are worth. Take one of them, such as the first: `argmax`."
)
BEST_OF_TIED = (
    "Among tied actions you take the best by the other table: then it chooses too, and the bias is back. Let the tie be broken "
    "without asking it: the first of them, or one by chance."
)
WORST_OF_TIED = (
    "Among tied actions you take the worst by the other table: then it chooses too. Let the tie be broken without asking it: "
    "the first of them, or one by chance."
)
COIN = (
    "Here the roles are swapped. Do you toss a coin? Whoever calls this has tossed it already: `Q_updated_next` always chooses, "
    "and `Q_other_next` values."
)


@double.judge
def worth_of_a_best_action(case: Case, got: Any) -> str | None:
    """Judge a target: any of the tied actions will do, and their mean, but not their best or worst by the other table."""
    (r, choosing, valuing, terminated, gamma), expected = case.args, double.solution(*case.args)
    wrong, y = difference(got, expected, double.rtol, double.atol), numbers(got)
    if y is None or y.shape != np.shape(expected):
        return wrong
    tied = choosing == choosing.max(axis=-1, keepdims=True)

    def near(value: np.ndarray) -> np.ndarray:
        return np.isclose(y, r + gamma * np.where(terminated, 0.0, value))

    best, worst = near(np.where(tied, valuing, NONE).max(axis=-1)), near(np.where(tied, valuing, np.inf).min(axis=-1))
    fits = near(np.where(tied, valuing, 0).sum(axis=-1) / tied.sum(axis=-1))
    for a in range(tied.shape[-1]):
        fits |= tied[..., a] & near(valuing[..., a])
    if fits.all():
        many = y.size > 1 and not (best & worst).all()
        return BEST_OF_TIED if many and best.all() else WORST_OF_TIED if many and worst.all() else None
    return COIN if (fits | near(chosen(valuing, choosing))).all() else wrong


@double.cases
def pairs_of_tables(rng: np.random.Generator) -> Iterator[Case]:
    one, other = np.array([1.0, 6.0, 3.0]), np.array([10.0, 2.0, 8.0])
    why = "the updated table chooses the action with the 6; the other table says that it is worth 2: 1 + 0.5 · 2 = 2"
    yield Case("they disagree", (1.0, one, other, False, 0.5), why)
    why = "the updated table chooses the first action, worth 6 by the other: 1 + 0.5 · 6 = 4"
    yield Case(
        "the other is more hopeful", (1.0, np.array([4.0, 1.0, 2.0]), np.array([6.0, 3.0, 9.0]), False, 0.5), why
    )
    yield Case("the last step", (1.0, one, other, True, 0.5), "nothing comes after the end: 1")
    why = "the updated table chooses the last action, worth -9 by the other: 2 + 0.5 · (-9) = -2.5"
    args: tuple[Any, ...] = (2.0, np.array([NONE, -4.0, -3.0]), np.array([NONE, -2.0, -9.0]), False, 0.5)
    yield Case("losses, and a missing action", args, why)
    ones = np.array([[1.0, 6.0, 3.0], [5.0, 2.0, 0.0], [0.0, 1.0, 9.0]])
    others = np.array([[10.0, 2.0, 8.0], [7.0, 9.0, 1.0], [4.0, 6.0, 5.0]])
    why = "the choices are 1, 0 and 2: 1 + 0.5 · 2 = 2; 2 alone, as it ended; 3 + 0.5 · 5 = 5.5"
    args = (np.array([1.0, 2.0, 3.0]), ones, others, np.array([False, True, False]), 0.5)
    yield Case("three steps, one is the last", args, why)
    ones = np.array([[[1.0, 3.0], [5.0, 2.0]], [[-1.0, -3.0], [0.0, 9.0]]])
    others = np.array([[[7.0, 2.0], [4.0, 6.0]], [[-8.0, -2.0], [1.0, 3.0]]])
    args = (np.array([[1.0, 0.0], [2.0, 4.0]]), ones, others, np.array([[False, False], [False, True]]), 0.5)
    why = "first agent: 1 + 0.5 · 2 = 2 and 0 + 0.5 · 4 = 2; second: 2 + 0.5 · (-8) = -2, and 4 alone"
    yield Case("two agents, two steps each", args, why)
    why = "either of the two actions with the 6 is best; the other table says 2 or 8 of them: 1 + 0.5 · 2 = 2 or 1 + 0.5 · 8 = 5"
    yield Case("a tie", (1.0, np.array([6.0, 6.0, 1.0]), np.array([2.0, 8.0, 12.0]), False, 0.5), why)
    why = (
        "all six actions are equal, and by the other table 0, 2, ..., 10, in another order for each row. Any choice is good, "
        "from 0 to 0.5 · 10 = 5, and so is the mean, 0.5 · 5 = 2.5; but who always has the 0 or always the 10 lets the other "
        "table choose"
    )
    others = 2.0 * (np.add.outer(np.arange(6), np.arange(6)) % 6)
    yield Case("many ties", (np.zeros(6), np.full((6, 6), 4.0), others, np.zeros(6, bool), 0.5), why)
    for k in range(1, 4):
        one, other = rng.normal(size=(2, 3, 3)).round(3) * 5
        args = (rng.normal(size=3).round(2), one, other, rng.random(3) < 0.3, float(rng.uniform(0.4, 0.95)))
        yield Case(f"random steps {k}", args)


def chosen(Q_choosing, Q_valuing):
    """Return what one table says of the action that another would take."""
    return np.take_along_axis(Q_valuing, np.expand_dims(Q_choosing.argmax(axis=-1), -1), axis=-1)[..., 0]


@double.mistake(
    "This is plain Q-learning with the updated table. It chooses the action; the other table says what it is worth."
)
def double_updated_alone(r, Q_updated_next, Q_other_next, terminated, gamma):
    return r + gamma * np.where(terminated, 0, Q_updated_next.max(axis=-1))


@double.mistake("This is plain Q-learning with the other table. Let the updated table choose: its `argmax`.")
def double_other_alone(r, Q_updated_next, Q_other_next, terminated, gamma):
    return r + gamma * np.where(terminated, 0, Q_other_next.max(axis=-1))


@double.mistake(
    "The roles are swapped: the table that is updated chooses, and the other one says what the action is worth."
)
def double_roles_swapped(r, Q_updated_next, Q_other_next, terminated, gamma):
    return r + gamma * np.where(terminated, 0, chosen(Q_other_next, Q_updated_next))


@double.mistake("You take the smaller of the two maxima. Here one table chooses and the other one values: no minimum.")
def double_smaller_maximum(r, Q_updated_next, Q_other_next, terminated, gamma):
    smaller = np.minimum(Q_updated_next.max(axis=-1), Q_other_next.max(axis=-1))
    return r + gamma * np.where(terminated, 0, smaller)


@double.mistake(
    "You take the larger of the two maxima: that makes the bias worse. One table chooses, and the other one values."
)
def double_larger_maximum(r, Q_updated_next, Q_other_next, terminated, gamma):
    larger = np.maximum(Q_updated_next.max(axis=-1), Q_other_next.max(axis=-1))
    return r + gamma * np.where(terminated, 0, larger)


@double.mistake(
    "Of the chosen action you take the smaller of its two values. The value is the other table's, smaller or not."
)
def double_smaller_entry(r, Q_updated_next, Q_other_next, terminated, gamma):
    smaller = np.minimum(chosen(Q_updated_next, Q_other_next), Q_updated_next.max(axis=-1))
    return r + gamma * np.where(terminated, 0, smaller)


@double.mistake(
    "You take the smaller entry for every action, and the best of these. Let one table choose and the other one value."
)
def double_best_of_the_smaller(r, Q_updated_next, Q_other_next, terminated, gamma):
    return r + gamma * np.where(terminated, 0, np.minimum(Q_updated_next, Q_other_next).max(axis=-1))


@double.mistake("You take the maximum of the mean table. Then the same numbers choose and value, and the bias is back.")
def double_mean_table(r, Q_updated_next, Q_other_next, terminated, gamma):
    return r + gamma * np.where(terminated, 0, ((Q_updated_next + Q_other_next) / 2).max(axis=-1))


@double.mistake(
    "You take the mean of the two maxima: each of them is too hopeful. One table chooses, and the other one values."
)
def double_mean_of_the_maxima(r, Q_updated_next, Q_other_next, terminated, gamma):
    mean = (Q_updated_next.max(axis=-1) + Q_other_next.max(axis=-1)) / 2
    return r + gamma * np.where(terminated, 0, mean)


@double.mistake(
    "You let both tables together choose. The table that is updated chooses alone; the other one only values."
)
def double_both_choose(r, Q_updated_next, Q_other_next, terminated, gamma):
    return r + gamma * np.where(terminated, 0, chosen(Q_updated_next + Q_other_next, Q_other_next))


@double.mistake("You bootstrap on the last step of an episode too. After termination the target is the reward alone.")
def double_bootstraps_at_the_end(r, Q_updated_next, Q_other_next, terminated, gamma):
    return r + gamma * chosen(Q_updated_next, Q_other_next)


@double.mistake(
    "It is the wrong way round: you look ahead only where the episode has ended. The factor is `1 - terminated`."
)
def double_looks_ahead_at_the_end_only(r, Q_updated_next, Q_other_next, terminated, gamma):
    return r + gamma * np.where(terminated, chosen(Q_updated_next, Q_other_next), 0)


@double.mistake("On the last step you drop the reward as well. It was paid: only what comes after it is missing.")
def double_drops_the_last_reward(r, Q_updated_next, Q_other_next, terminated, gamma):
    return np.where(terminated, 0, r + gamma * chosen(Q_updated_next, Q_other_next))


@double.mistake("You forgot gamma: what comes after this step must be discounted.")
def double_without_gamma(r, Q_updated_next, Q_other_next, terminated, gamma):
    return r + np.where(terminated, 0, chosen(Q_updated_next, Q_other_next))


@double.mistake("You discount the reward too. It comes at once; only what comes after it is multiplied by gamma.")
def double_discounts_reward(r, Q_updated_next, Q_other_next, terminated, gamma):
    return gamma * (r + np.where(terminated, 0, chosen(Q_updated_next, Q_other_next)))


@double.mistake("You add the *number* of the chosen action. Look it up in the other table: what is it worth there?")
def double_action_as_value(r, Q_updated_next, Q_other_next, terminated, gamma):
    return r + gamma * np.where(terminated, 0, Q_updated_next.argmax(axis=-1))


@double.mistake(
    "`Q_other_next[..., choice]` takes every choice in every row. Each row wants its own: `np.take_along_axis`."
)
def double_every_choice_in_every_row(r, Q_updated_next, Q_other_next, terminated, gamma):
    return r + gamma * np.where(terminated, 0, Q_other_next[..., Q_updated_next.argmax(axis=-1)])


@double.mistake(
    "`Q_other_next[choice]` takes whole rows. You want one entry of each row: `np.take_along_axis`, along the last axis."
)
def double_takes_rows(r, Q_updated_next, Q_other_next, terminated, gamma):
    value = Q_other_next[Q_updated_next.argmax(axis=-1)]
    return r + gamma * np.where(terminated, 0, value)


@double.mistake("`np.take` without an axis looks in the first row only. Each row wants its own: `np.take_along_axis`.")
def double_first_row_for_all(r, Q_updated_next, Q_other_next, terminated, gamma):
    return r + gamma * np.where(terminated, 0, np.take(Q_other_next, Q_updated_next.argmax(axis=-1)))


@double.mistake("You look for the maximum over the steps. The actions are on the last axis: `argmax(axis=-1)`.")
def double_over_steps(r, Q_updated_next, Q_other_next, terminated, gamma):
    choice = np.expand_dims(Q_updated_next.argmax(axis=0), 0)
    return r + gamma * np.where(terminated, 0, np.take_along_axis(Q_other_next, choice, axis=0)[0])


@double.mistake(
    "`argmax` without an axis is one action for all rows. Each row has a choice of its own: `argmax(axis=-1)`."
)
def double_one_choice_for_all(r, Q_updated_next, Q_other_next, terminated, gamma):
    return r + gamma * np.where(terminated, 0, Q_other_next.reshape(-1)[Q_updated_next.argmax()])


@double.mistake(SUM_OVER_TIES)
def double_sum_over_ties(r, Q_updated_next, Q_other_next, terminated, gamma):
    best = Q_updated_next == Q_updated_next.max(axis=-1, keepdims=True)
    return r + gamma * np.where(terminated, 0, np.where(best, Q_other_next, 0).sum(axis=-1))


@double.mistake(BEST_OF_TIED)
def double_best_of_the_tied(r, Q_updated_next, Q_other_next, terminated, gamma):
    best = Q_updated_next == Q_updated_next.max(axis=-1, keepdims=True)
    return r + gamma * np.where(terminated, 0, np.where(best, Q_other_next, NONE).max(axis=-1))


@double.mistake(WORST_OF_TIED)
def double_worst_of_the_tied(r, Q_updated_next, Q_other_next, terminated, gamma):
    best = Q_updated_next == Q_updated_next.max(axis=-1, keepdims=True)
    return r + gamma * np.where(terminated, 0, np.where(best, Q_other_next, np.inf).min(axis=-1))


and_the_end(
    double,
    "double",
    "updated_alone other_alone roles_swapped smaller_maximum larger_maximum smaller_entry best_of_the_smaller "
    "mean_table mean_of_the_maxima both_choose without_gamma discounts_reward action_as_value "
    "first_row_for_all over_steps one_choice_for_all sum_over_ties best_of_the_tied",
)


# -- the quiz ------------------------------------------------------------------------------------------------------

quiz = Quiz(
    Question(
        "Value iteration needs P and r. Why can Q-learning do without them?",
        (
            (
                "It first estimates P and r from what it has seen so far, and then solves the model that it has built.",
                False,
                "That would be learning a model; Q-learning keeps nothing but the table Q.",
            ),
            (
                "Each step in the world is a sample of r and s', and the updates average over samples where they differ.",
                True,
                "The world draws s' with the right probabilities by itself, and max over a needs only the row of Q. Without "
                "chance one sample tells all; with chance, small step sizes do the averaging.",
            ),
            (
                "It does so in deterministic worlds only: each action has one outcome there, and there is nothing to average.",
                False,
                "With step sizes that shrink as they should it converges in noisy worlds too.",
            ),
        ),
    ),
    Question(
        "On the cliff, with ε fixed at 0.1, Q-learning and Sarsa have both learned for a while. Which falls less often, and why?",
        (
            (
                "Q-learning, because it learns the values of the best policy.",
                False,
                "The best policy walks along the edge, and from there a random move falls now and then.",
            ),
            (
                "Both fall equally often, because both act by ε-greedy, with the same ε, and so explore alike.",
                False,
                "They explore alike, but their tables differ, and so do the paths that look best to them.",
            ),
            (
                "Sarsa, because its targets contain its own random moves, and make the edge look bad.",
                True,
                "Sarsa is on-policy and learns what it does, Q-learning off-policy and learns what would be best.",
            ),
        ),
    ),
    Question(
        "Step sizes 1/n satisfy the conditions of Robbins and Monro, a constant one does not. What follows where there is noise?",
        (
            (
                "With 1/n the noise averages out; with a constant step the entries go on trembling.",
                True,
                "The sum of 1/n is infinite, so it gets anywhere; the sum of 1/n² is finite, so the noise dies out.",
            ),
            (
                "With 1/n learning stops too early, wherever it began; only a constant step reaches the right values.",
                False,
                "The sum of 1/n is infinite, so the entries can still move as far as they need to.",
            ),
            (
                "Nothing: both reach the same values, the constant step only sooner.",
                False,
                "The squares of a constant step do not sum to anything finite, and the last noise always keeps its weight.",
            ),
        ),
    ),
    Question(
        "Why does it help to replay an episode backwards?",
        (
            (
                "Each update already sees the new value of the state that follows it.",
                True,
                "So the news of the goal travels back along the whole path at once, instead of one step an episode.",
            ),
            (
                "The last steps of the episode are updated more often than when it is replayed forwards.",
                False,
                "Each step is updated once, forwards or backwards; only the order is new.",
            ),
            (
                "It makes the updates on-policy.",
                False,
                "The target is still the best of the next row, whatever was done.",
            ),
        ),
    ),
    Question(
        "All actions of a state are worth 0, with noise. Why is max Q too large there, and what can double Q-learning do?",
        (
            (
                "The tables begin at 0; double Q-learning begins with two different tables.",
                False,
                "The bias comes from the noise, and is there wherever the tables begin.",
            ),
            (
                "The maximum picks the luckiest entry; a second table, with other noise, says what it is worth.",
                True,
                "Luck in one table is no luck in the other, so choosing by one and valuing by the other takes the excess away.",
            ),
            (
                "Noise makes all entries too large; double Q-learning takes the mean of two tables, which halves the error.",
                False,
                "Each entry alone is right on average, only their maximum is not; and the maximum of a mean is biased too.",
            ),
        ),
    ),
)
