"""Exercises of chapter 7, Markov games: minimax-Q, Nash-Q, a planted bug, a mixture on six cells."""

# ruff: noqa: E741 - O is the number of actions that the opponent has, as A is that of one's own

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any

import numpy as np

from rlkit.exercises.exercise import Case, Exercise
from rlkit.exercises.games import gains_of, no_policy
from rlkit.exercises.judging import ANOTHER_VALUE, close, difference, fresh, is_finite_number
from rlkit.exercises.quizzes import Question, Quiz
from rlkit.games.zero_sum import zero_sum_batch


class Helper:
    """A function that is handed to an answer, shown by its name alone."""

    def __init__(self, function: Callable[..., Any]):
        self.function = function

    def __call__(self, *args: Any) -> Any:
        """Return what the function returns."""
        return self.function(*args)

    def __repr__(self) -> str:
        return str(self.function.__name__)


class Dice(np.random.Generator):
    """A generator that shows its seed; a copy begins anew."""

    def __init__(self, seed: int):
        super().__init__(np.random.PCG64(seed))
        self.seed = seed

    def __deepcopy__(self, memo: dict) -> Dice:
        return Dice(self.seed)

    def __repr__(self) -> str:
        return f"np.random.default_rng({self.seed})"


@Helper
def solve(A: Any) -> tuple[np.ndarray, float]:
    """Return x, v of a zero-sum game: fast where the row player has two actions, as in nearly all that is asked here.

    The least of the columns is a concave function of p, made of straight lines: it is largest at an end or where two cross.
    """
    rows = np.asarray(A, dtype=float).tolist()
    if len(rows) != 2:  # somebody has turned it, which may be right
        found = zero_sum_batch(rows)
        return found.x, float(found.value)
    if len(rows[0]) == 2:
        (a, b), (c, d) = rows
        if (v := max(min(a, b), min(c, d))) < min(max(a, c), max(b, d)):
            p = (d - c) / (a - b - c + d)
            return np.array([p, 1 - p]), p * a + (1 - p) * c
        return np.array([1.0, 0.0] if v == min(a, b) else [0.0, 1.0]), v
    lines = list(zip(*rows, strict=True))
    places = [0.0, 1.0]
    for i, (t, b) in enumerate(lines):
        for u, c in lines[:i]:
            slope = t - b - u + c
            if slope and 0 < (p := (c - b) / slope) < 1:
                places.append(p)
    v, p = max((min([b + p * (t - b) for t, b in lines]), p) for p in places)
    return np.array([p, 1 - p]), v


@Helper
def equilibrium(A: Any, B: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return the first pure equilibrium of a game in reading order, or else the mixed one, for two actions each."""
    return my_stage_game(np.asarray(A), np.asarray(B))


def with_one_number_a_place(answer: Callable[..., Any], *args: Any) -> Any:
    """Return what an answer returns; where an entry is given an array, say what solve returns."""
    try:
        return answer(*args)
    except ValueError as error:
        if "setting an array element with a sequence" not in str(error):
            raise
        text = "an entry is one number, and here it is given several. `solve` gives two things, x and v: `V[s] = solve(Q[s])[1]`"
        raise ValueError(text).with_traceback(error.__traceback__) from None


def numbers_or_sentence(name: str, got: Any, right: Any) -> str | None:
    """Return None where an array is right, else a sentence that names its first wrong entry."""
    said = difference(got, right, 1e-6, 1e-8)
    if said is None:
        return None
    if said == ANOTHER_VALUE and got is not None:
        given = np.asarray(got, dtype=float)
        if not given.shape:
            return f"{name} should be {float(right):.4g}, but is {float(given):.4g}."
        at = tuple(np.argwhere(~np.isclose(given, right, 1e-6, 1e-8))[0])
        return f"{name}[{', '.join(map(str, at))}] should be {right[at]:.4g}, but is {given[at]:.4g}."
    return f"Of {name}: {said[0].lower()}{said[1:]}"


# -- 1. a prediction -----------------------------------------------------------------------------------------------

mixing = Exercise(
    "nash_q.predict_mix",
    title="A richer goal",
    name="my_chance",
    value=True,
    hints=[
        "Only the bottom middle counts. Where does *up* lead, and *right*, and what are these cells worth, a step later?",
        "Up is worth 0 if the keeper watches the top, else 0.9 · 180 = 162. Right is worth 0 if it watches below, else 0.9 "
        "· 60 = 54. (To wait is worth less than to try.)",
        "The keeper must find both equally bad: if the robot goes up with p, watching the top costs it (1 - p) · 54, and "
        "watching below p · 162.",
        "`my_chance = 54 / (54 + 162)`, which is 1/4",
    ],
    insight="It goes there *less* often than before, 1/4 in place of 3/8: the keeper watches the richer way more. What the robot "
    "gains by the richer goal, it gains on the other way.",
)


@mixing.reference
def my_chance():
    return 0.25


CHANCES = {
    "as_before": (
        0.375,
        "3/8 is the answer as long as the top pays 100. With 180 the keeper has more to fear there, and watches it more.",
    ),
    "of_the_keeper": (
        0.75,
        "3/4 is how likely the *keeper* watches the top. It is found from the robot's payoffs; the robot's own mixture "
        "makes the keeper indifferent, (1 - p) · 54 = p · 162. (Or you have changed the sides: more often to the richer one?)",
    ),
    "of_the_keeper_before": (
        0.625,
        "5/8 is how likely the *keeper* watches the top, as long as that pays 100. The robot's own mixture is asked for, "
        "with 180.",
    ),
    "half": (0.5, "With 1/2 the keeper is not indifferent: it would always watch the top, where it loses more."),
    "always": (1.0, "A robot that always goes up is always caught: the keeper need only know it."),
    "never": (0.0, "A robot that never goes up is always caught on the other way: the keeper need only know it."),
    "with_the_top_discounted": (
        60 / (60 + 162),
        "In yours the top counts a step later, 162, and the cell below at once, 60. Both are entered a step later.",
    ),
    "with_the_other_discounted": (
        54 / (54 + 180),
        "In yours the cell below counts a step later, 54, and the top at once, 180. Both are entered a step later.",
    ),
}
"""What else one might answer, and what to say then."""


@mixing.judge
def what_is_wrong_with_a_chance(case: Case, got: Any) -> str | None:
    """Accept two or three digits; name what a number is the probability of, where it is one."""
    if not is_finite_number(got):
        said = difference(got, my_chance(), mixing.rtol, mixing.atol)
        return "One number from 0 to 1 is asked for." if said in (None, ANOTHER_VALUE) else said
    value = float(got)
    if abs(value - my_chance()) <= 0.004:
        return None
    if abs(value - 40.5) < 0.1:
        return "40.5 is what the cell is worth now. How likely the robot goes up was asked for."
    if not 0 <= value <= 1:
        return "A probability lies between 0 and 1, and this is none. (40 % would be 0.4.)"
    near, said = min(CHANCES.values(), key=lambda pair: abs(value - pair[0]))
    if abs(value - near) <= 0.005:
        return said
    watched_top, watched_below = (1 - value) * 54, value * 162
    better = "the top" if watched_top < watched_below else "below"
    return (
        f"With p = {value:.3g}, watching the top costs the keeper {watched_top:.3g} on average, and watching below "
        f"{watched_below:.3g}: it would always watch {better}. For which p are the two equal?"
    )


for _name, (_chance, _sentence) in CHANCES.items():

    def _answers(chance: float = _chance) -> float:
        return chance

    _answers.__name__ = f"chance_{_name}"
    mixing.mistake(_sentence)(_answers)


# -- 2. one step of minimax-Q --------------------------------------------------------------------------------------

updating = Exercise(
    "nash_q.minimax_target",
    title="One step of minimax-Q",
    name="my_minimax_update",
    hints=[
        "It is the update of Q-learning, with V(s') in the place of the maximum. One entry moves: that of s and of what "
        "*both* have done.",
        "`Q = Q.copy()`, and then `Q[s, a, o] += alpha * (r + gamma * V[s_next] - Q[s, a, o])`.",
        "Now the game of state s is another one, so V(s) has to be found anew, from the *new* table.",
        "`V = V.copy()`, `V[s] = solve(Q[s])[1]`, `return Q, V`",
    ],
    insight="One line differs from Q-learning: where that takes a maximum, this solves a game. What the opponent did "
    "says which entry moves; what it *might* do is in V.",
)


@updating.reference
def my_minimax_update(Q, V, step, alpha, gamma, solve):
    """Return Q and V after one step of minimax-Q, as new arrays.

    Q: float[S, A, O], V: float[S], as they were before the step
    step: (s, a, o, r, s_next), state, own action, the opponent's action,
    reward, next state
    alpha: float, the step size; gamma: float, the discount
    solve: solve(M) gives x, v: the optimal mixture of the rows of the
    zero-sum game M, and its value
    Returns Q, V: one entry of Q has moved, and V[s] fits the new Q.
    """
    s, a, o, r, s_next = step
    Q, V = Q.copy(), V.copy()
    Q[s, a, o] += alpha * (r + gamma * V[s_next] - Q[s, a, o])
    V[s] = solve(Q[s])[1]
    return Q, V


@updating.also_right
def update_by_two_shares(Q, V, step, alpha, gamma, solve):
    s, a, o, r, s_next = step
    here = np.zeros(Q.shape)
    here[s, a, o] = alpha
    Q = (1 - here) * Q + here * (r + gamma * V[s_next])
    return Q, np.where(np.arange(len(V)) == s, solve(Q[s])[1], V)


@updating.also_right
def update_by_the_worst_column(Q, V, step, alpha, gamma, solve):
    Q, V, (s, a, o, r, t) = Q.tolist(), V.tolist(), step
    Q[s][a][o] = Q[s][a][o] * (1 - alpha) + alpha * (r + gamma * V[t])
    x, _ = solve(np.array(Q[s]))
    V[s] = min(sum(p * row[b] for p, row in zip(x, Q[s], strict=True)) for b in range(len(Q[s][0])))
    return Q, V


updating.trial(with_one_number_a_place)


@updating.cases
def steps_of_minimax_q(rng: np.random.Generator) -> Iterator[Case]:
    array = np.array
    Q = array([[[2.0, 0.0], [0.0, 2.0]], [[6.0, 4.0], [1.0, 3.0]], [[0.0, 0.0], [8.0, 8.0]]])
    V = array([1.0, 4.0, 8.0])
    why = (
        "the target is 2 + 0.5 · 4 = 4, and Q(0, 0, 1) goes half of the way from 0: 2. The game of state 0 is now (2, 2) "
        "over (0, 2): its first row is sure of 2, so V(0) = 2"
    )
    yield Case("to a saddle point", (Q, V, (0, 0, 1, 2.0, 1), 0.5, 0.5, solve), why)
    why = (
        "the target is 2 + 0.5 · 8 = 6, so that Q(0, 1, 1) goes from 2 to 4. Now (2, 0) over (0, 4): 2p = 4 (1 - p) gives p "
        "= 2/3, and V(0) = 4/3"
    )
    yield Case("still nobody is sure", (Q, V, (0, 1, 1, 2.0, 2), 0.5, 0.5, solve), why)
    why = (
        "the target is -3 + 0.5 · 1 = -2.5, and with a whole step Q(1, 0, 0) is just that. Now (-2.5, 4) over (1, 3): 1 is "
        "the smallest of its row and the largest of its column, so V(1) = 1"
    )
    yield Case("a loss", (Q, V, (1, 0, 0, -3.0, 0), 1.0, 0.5, solve), why)
    why = (
        "s' is s here. The target is 0 + 0.5 · 4 = 2, with the *old* V(1); Q(1, 1, 1) goes from 3 by a quarter: 2.75. The "
        "first row is sure of 4 as before, so V(1) = 4"
    )
    yield Case("back in the same state", (Q, V, (1, 1, 1, 0.0, 1), 0.25, 0.5, solve), why)
    why = (
        "the target is -6 + 0.5 · 4 = -4, so that Q(1, 0, 1) goes from 4 to 0. Now (6, 0) over (1, 3): 6p + 1 - p = 3 - 3p "
        "gives p = 1/4, and V(1) = 9/4. (The old V(1) was 4)"
    )
    yield Case("the best row has become worse", (Q, V, (1, 0, 1, -6.0, 1), 0.5, 0.5, solve), why)
    three = array([[[3.0, -1.0, 2.0], [0.0, 1.0, 2.0]], [[0.0, 1.0, 0.0], [0.0, 0.0, 0.0]]])
    why = (
        "the target is 1 + 0.8 · 2.5 = 3, and Q(0, 0, 2) goes a tenth of the way from 2: 2.1. The first two columns decide: "
        "3p = -p + 1 - p gives p = 1/5, and V(0) = 3/5"
    )
    yield Case("three actions of the opponent", (three, array([0.6, 2.5]), (0, 0, 2, 1.0, 1), 0.1, 0.8, solve), why)
    for k in range(1, 3):
        Q = rng.normal(size=(3, 2, 3)).round(2)
        step = (int(rng.integers(3)), int(rng.integers(2)), int(rng.integers(3)), 1.5, int(rng.integers(3)))
        yield Case(f"a random step {k}", (Q, rng.normal(size=3).round(2), step, 0.7, 0.9, solve))


@updating.judge
def what_is_wrong_with_an_update(case: Case, got: Any) -> str | None:
    """Judge Q, and then V."""
    right = my_minimax_update(*fresh(case.args))
    if not isinstance(got, (tuple, list)) or len(got) != 2:
        return "Two arrays are asked for, `return Q, V`, in this order."
    for name, mine, theirs in zip("QV", got, right, strict=True):
        if (said := numbers_or_sentence(name, mine, theirs)) is not None:
            return said if name == "Q" else f"Q is right. {said}"
    return None


def updater(
    target: Callable[..., Any] | None = None,
    value: Callable[..., Any] | None = None,
    entry: Callable[..., Any] | None = None,
    move: Callable[..., Any] | None = None,
) -> Callable[..., Any]:
    """Return minimax-Q's step, some parts of which are other ones.

    Args:
        target: (Q, V, s, a, o, r, s_next, gamma, solve) -> what the entry is pulled towards.
        value: (Q, V, old Q, s, s_next, solve) -> V, where V is a copy that may be changed.
        entry: (s, a, o) -> an index of Q.
        move: (old, target, alpha) -> the new entry.
    """

    def update(Q: Any, V: Any, step: Any, alpha: float, gamma: float, solve: Any) -> Any:
        s, a, o, r, s_next = step
        old, Q, V = Q, Q.copy(), V.copy()
        y = target(Q, V, s, a, o, r, s_next, gamma, solve) if target else r + gamma * V[s_next]
        at = entry(s, a, o) if entry else (s, a, o)
        Q[at] = move(Q[at], y, alpha) if move else Q[at] + alpha * (y - Q[at])
        if value:
            return Q, value(Q, V, old, s, s_next, solve)
        V[s] = solve(Q[s])[1]
        return Q, V

    return update


def faulty_update(sentence: str, name: str, **parts: Any) -> None:
    """List a mistake of minimax-Q's step, in which some parts are other ones."""
    update = updater(**parts)

    def faulty(Q: Any, V: Any, step: Any, alpha: Any, gamma: Any, solve: Any) -> Any:
        return update(Q, V, step, alpha, gamma, solve)

    faulty.__name__ = f"update_{name}"
    updating.mistake(sentence)(faulty)


def put(V: Any, s: Any, v: Any) -> Any:
    """Return V after V[s] = v."""
    V[s] = v
    return V


faulty_update(
    "Your target has the maximum of Q(s', ·, ·), as if the opponent would do what you wish. It is V(s'), the value of that "
    "game.",
    "target_of_the_maximum",
    target=lambda Q, V, s, a, o, r, t, gamma, solve: r + gamma * Q[t].max(),
)
faulty_update(
    "Q is right, but V(s) is the largest entry, as if the opponent would do what you wish. It is the value of the game: "
    "`solve(Q[s])[1]`.",
    "value_by_max",
    value=lambda Q, V, old, s, t, solve: put(V, s, Q[s].max()),
)
faulty_update(
    "Q is right, but V(s) is what the best *pure* action is sure of. A mixture is often sure of more: `solve(Q[s])[1]`.",
    "value_of_pure_actions",
    value=lambda Q, V, old, s, t, solve: put(V, s, Q[s].min(axis=1).max()),
)
faulty_update(
    "Q is right, but in V(s) the opponent chooses first, and you know what it chose. Both move at once: `solve(Q[s])[1]`.",
    "value_if_the_opponent_is_seen",
    value=lambda Q, V, old, s, t, solve: put(V, s, Q[s].max(axis=0).min()),
)
faulty_update(
    "Q is right, but in V(s) *you* do your worst: the minimum is over the opponent's actions. `solve(Q[s])[1]` does it all.",
    "value_min_over_own_actions",
    value=lambda Q, V, old, s, t, solve: put(V, s, Q[s].min(axis=0).max()),
)
faulty_update(
    "Q is right, but V(s) takes the opponent's actions for equally likely. It is no die: `solve(Q[s])[1]`.",
    "value_of_a_random_opponent",
    value=lambda Q, V, old, s, t, solve: put(V, s, Q[s].mean(axis=1).max()),
)
faulty_update(
    "Your target has V(s). What comes next is s': `V[s_next]`.",
    "target_of_this_state",
    target=lambda Q, V, s, a, o, r, t, gamma, solve: r + gamma * V[s],
)
faulty_update(
    "Your target is the reward alone. What comes next counts as well: `gamma * V[s_next]`.",
    "without_a_future",
    target=lambda Q, V, s, a, o, r, t, gamma, solve: r,
)
faulty_update(
    "The discount is missing: `gamma * V[s_next]`.",
    "without_gamma",
    target=lambda Q, V, s, a, o, r, t, gamma, solve: r + V[t],
)
faulty_update(
    "You discount the reward too. It is paid now: only `V[s_next]` is later.",
    "reward_discounted",
    target=lambda Q, V, s, a, o, r, t, gamma, solve: gamma * (r + V[t]),
)
faulty_update(
    "Your target has what *this* pair is worth in s'. There both choose anew: `V[s_next]`.",
    "target_of_the_same_pair",
    target=lambda Q, V, s, a, o, r, t, gamma, solve: r + gamma * Q[t, a, o],
)
faulty_update(
    "Your target solves the game of s' by its table. V(s') is asked for as it stands in V; solve the game of s, after the "
    "step.",
    "target_solved_anew",
    target=lambda Q, V, s, a, o, r, t, gamma, solve: r + gamma * solve(Q[t])[1],
)
faulty_update(
    "Q is right, but V(s) is that of the *old* table. First move the entry, then solve.",
    "value_of_the_old_table",
    value=lambda Q, V, old, s, t, solve: put(V, s, solve(old[s])[1]),
)
faulty_update(
    "Q is right, but V is what it was. The game of s has changed: `V[s] = solve(Q[s])[1]`.",
    "value_not_renewed",
    value=lambda Q, V, old, s, t, solve: V,
)
faulty_update(
    "Q is right, but you renew V(s'). It is the game of s that has changed.",
    "value_of_the_next_state",
    value=lambda Q, V, old, s, t, solve: put(V, t, solve(Q[t])[1]),
)
faulty_update(
    "Q is right, but you renew V everywhere. Only the game of s has changed.",
    "value_everywhere",
    value=lambda Q, V, old, s, t, solve: np.array([solve(M)[1] for M in Q]),
)
faulty_update(
    "Q is right, but you solve the game of `Q[s].T`, in which the opponent is the row player. The rows are your own "
    "actions.",
    "value_transposed",
    value=lambda Q, V, old, s, t, solve: put(V, s, solve(Q[s].T)[1]),
)
faulty_update(
    "Q is right, but V(s) is the opponent's value, with the other sign. `solve(Q[s])` has yours.",
    "value_with_another_sign",
    value=lambda Q, V, old, s, t, solve: put(V, s, -solve(Q[s])[1]),
)
faulty_update(
    "a and o have changed places: your own action is the second axis of Q, the opponent's the third.",
    "actions_swapped",
    entry=lambda s, a, o: (s, min(o, 1), a),
)
faulty_update(
    "You move a whole row. The opponent did one thing: `Q[s, a, o]`.",
    "moves_the_row",
    entry=lambda s, a, o: (s, a),
)
faulty_update(
    "You put the target in the place of the entry. It goes only a part of the way: alpha times the difference.",
    "whole_steps",
    move=lambda old, y, alpha: y,
)
faulty_update(
    "You add alpha times the target, whatever was known before. Move by target - Q.",
    "adds_the_target",
    move=lambda old, y, alpha: old + alpha * y,
)
faulty_update(
    "The entry moves away from the target: add alpha times target - Q, not Q - target.",
    "moves_away",
    move=lambda old, y, alpha: old - alpha * (y - old),
)
faulty_update(
    "alpha and 1 - alpha have changed places: (1 - alpha) of the old, alpha of the new.",
    "shares_swapped",
    move=lambda old, y, alpha: alpha * old + (1 - alpha) * y,
)


faulty_update(
    "The reward has another sign: r is what *you* are paid, `r + gamma * V[s_next]`.",
    "minus_the_reward",
    target=lambda Q, V, s, a, o, r, t, gamma, solve: -r + gamma * V[t],
)
faulty_update(
    "The old entry is forgotten: a part of 1 - alpha of it stays.",
    "forgets_the_old_entry",
    move=lambda old, y, alpha: alpha * y,
)
faulty_update(
    "What follows is taken from the old entry, `Q[s, a, o]`. It is the value of the next state: `gamma * V[s_next]`.",
    "target_of_the_old_entry",
    target=lambda Q, V, s, a, o, r, t, gamma, solve: r + gamma * Q[s, a, o],
)
faulty_update(
    "Q is right, but V(s) is what your mixture is paid where the opponent does it a favour. The least counts, "
    "`(x @ Q[s]).min()`, which is `solve(Q[s])[1]`.",
    "value_of_the_best_column",
    value=lambda Q, V, old, s, t, solve: put(V, s, (solve(Q[s])[0] @ Q[s]).max()),
)
faulty_update(
    "Q is right, but V(s) is what your mixture is paid by an opponent that draws at random. The least counts, "
    "`(x @ Q[s]).min()`, which is `solve(Q[s])[1]`.",
    "value_against_a_random_opponent",
    value=lambda Q, V, old, s, t, solve: put(V, s, (solve(Q[s])[0] @ Q[s]).mean()),
)
faulty_update(
    "Q is right, but in V(s) each row is taken for its largest entry, and then the least of them. That is neither's game: "
    "`solve(Q[s])[1]`.",
    "value_least_of_the_best",
    value=lambda Q, V, old, s, t, solve: put(V, s, Q[s].max(axis=1).min()),
)
faulty_update(
    "Q is right, but V(s) is the mean of the table, as if both drew at random. It is the value of the game: `solve(Q[s])[1]`.",
    "value_mean_of_all",
    value=lambda Q, V, old, s, t, solve: put(V, s, Q[s].mean()),
)


@updating.mistake(
    "Q is right, but V(s) is your best answer to what the opponent *has* done. Next time it may do something else: "
    "`solve(Q[s])[1]`."
)
def update_value_of_the_column(Q, V, step, alpha, gamma, solve):
    new, W = my_minimax_update(Q, V, step, alpha, gamma, solve)
    W[step[0]] = new[step[0], :, step[2]].max()
    return new, W


@updating.mistake(
    "V moves only a part of the way. It is no estimate with a step size of its own, but the value of the new game."
)
def update_value_by_alpha(Q, V, step, alpha, gamma, solve):
    new, W = my_minimax_update(Q, V, step, alpha, gamma, solve)
    return new, V + alpha * (W - V)


@updating.mistake("You return Q alone. Both are asked for: `return Q, V`.")
def update_table_alone(Q, V, step, alpha, gamma, solve):
    return my_minimax_update(Q, V, step, alpha, gamma, solve)[0]


@updating.mistake("Both are right, but in another order: `return Q, V`.")
def update_order(Q, V, step, alpha, gamma, solve):
    return my_minimax_update(Q, V, step, alpha, gamma, solve)[::-1]


@updating.mistake("V(s) is given what `solve` returns first, the mixture. Its value is the second: `solve(Q[s])[1]`.")
def update_probability_for_value(Q, V, step, alpha, gamma, solve):
    new, W = my_minimax_update(Q, V, step, alpha, gamma, solve)
    W[step[0]] = solve(new[step[0]])[0][0]
    return new, W


# -- 3. minimax-Q on an empty page ---------------------------------------------------------------------------------

blank_page = Exercise(
    "nash_q.minimax_q",
    title="Minimax-Q on an empty page",
    name="my_minimax_q",
    hints=[
        "One loop over the steps, as in Q-learning: choose, see what happens, move one entry, go on. Begin with tables of "
        "zeros.",
        "Both act at random: `a, o = rng.integers(A), rng.integers(O)`. What follows is `r, s_next = world(s, a, o)`.",
        "In step t, of 0 to steps - 1, the step size is `0.01 ** (t / steps)`. The update is that of the last exercise.",
        "`Q[s, a, o] += alpha * (r + gamma * V[s_next] - Q[s, a, o])`, `pi[s], V[s] = solve(Q[s])`, `s = s_next`",
    ],
    insight="It played at random against an opponent that played at random, and has learned to play against the best one. Whom "
    "it met decided what it saw, and not what it is prepared for.",
    points=2,
)


@blank_page.reference
def my_minimax_q(world, shape, gamma, steps, solve, rng):
    """Return Q, V and pi, learned by minimax-Q while both act at random.

    world: world(s, a, o) makes a step and gives r, s_next: what the agent is
    paid (and its opponent pays), and the next state, which may be drawn
    shape: (S, A, O), how many states there are, own actions, the opponent's
    gamma: float, the discount; the game never ends, and begins in state 0
    steps: int; the step size goes down from 1 to 0.01, by 0.01 ** (t / steps)
    solve: solve(M) gives x, v: the optimal mixture of the rows of the
    zero-sum game M, and its value
    rng: a numpy Generator, which draws both players' actions
    Returns Q: float[S, A, O], V: float[S], pi: float[S, A], the policy.
    """
    # BEGIN SOLUTION
    S, A, O = shape
    Q, V, pi = np.zeros(shape), np.zeros(S), np.zeros((S, A))
    s = 0
    for t in range(steps):
        a, o = rng.integers(A), rng.integers(O)
        r, s_next = world(s, a, o)
        alpha = 0.01 ** (t / steps)
        Q[s, a, o] += alpha * (r + gamma * V[s_next] - Q[s, a, o])
        pi[s], V[s] = solve(Q[s])
        s = s_next
    return Q, V, pi
    # END SOLUTION


@blank_page.also_right
def minimax_q_without_a_table_of_values(world, shape, gamma, steps, solve, rng):
    S, A, O = shape
    Q, s, alpha = np.ones(shape), 0, 1.0
    for joint in rng.integers(A * O, size=steps):
        a, o = divmod(joint, O)
        r, t = world(s, a, o)
        Q[s, a, o] = (1 - alpha) * Q[s, a, o] + alpha * (r + gamma * solve(Q[t])[1])
        s, alpha = t, alpha * 0.01 ** (1 / steps)
    found = [solve(M) for M in Q]
    return Q, [v for _, v in found], np.array([x for x, _ in found])


@blank_page.also_right
def minimax_q_that_also_plays(world, shape, gamma, steps, solve, rng):
    S, A, O = shape
    Q, V, pi, s = np.ones(shape), np.ones(S), np.full((S, A), 1 / A), 0
    for t in range(steps):
        a = rng.integers(A) if rng.random() < 0.8 else rng.choice(A, p=pi[s])
        o = rng.integers(O)
        r, new = world(s, a, o)
        Q[s, a, o] += 10 ** (-2 * t / steps) * (r + gamma * V[new] - Q[s, a, o])
        x, V[s] = solve(Q[s])
        pi[s] = np.maximum(x, 0) / np.maximum(x, 0).sum()
        s = new
    return Q, V, pi


class World:
    """A Markov game that makes steps, and draws them by dice of its own; a copy begins anew."""

    def __init__(self, P: np.ndarray, R: np.ndarray, seed: int):
        self.P, self.R, self.seed = P, R, seed
        self.pays, self.ways, self.dice = R.tolist(), P.cumsum(axis=-1).tolist(), np.random.default_rng(seed)

    def __call__(self, s: int, a: int, o: int) -> tuple[float, int]:
        """Return what is paid, and the next state."""
        return self.pays[s][a][o], bisect_right(self.ways[s][a][o], self.dice.random() * (1 - 1e-12))

    def __deepcopy__(self, memo: dict) -> World:
        return World(self.P, self.R, self.seed)

    def __repr__(self) -> str:
        return "world"


def leads(S: int, to: Any) -> np.ndarray:
    """Return P of a world in which the pair (a, o) leads from s to ``to[s][a][o]`` for certain."""
    return np.eye(S)[np.array(to)]


blank_page.trial(with_one_number_a_place)


@blank_page.cases
def games_to_learn(rng: np.random.Generator) -> Iterator[Case]:
    def case(label: str, P: Any, R: Any, steps: int, why: str = "", gamma: float = 0.5) -> Case:
        world = World(P, np.array(R), int(rng.integers(10_000)))
        return Case(label, (world, world.R.shape, gamma, steps, solve, Dice(int(rng.integers(10_000)))), why)

    why = "the discount is 0, so that Q is R. 4p = p + 2 (1 - p) gives p = 2/5, and V = 8/5 by (2/5, 3/5)"
    yield case("a matrix game", leads(1, np.zeros((1, 2, 2), int)), [[[4.0, 1.0], [0.0, 2.0]]], 150, why, gamma=0.0)
    why = (
        "the same with a third column, which pays you 5: the opponent keeps away from it, so that a round is worth 8/5 as "
        "before, by (2/5, 3/5). V = 8/5 + 0.5 V = 16/5, and each entry of Q is its reward and 8/5 more"
    )
    R = [[[4.0, 1.0, 5.0], [0.0, 2.0, 5.0]]]
    yield case("what the opponent avoids", leads(1, np.zeros((1, 2, 3), int)), R, 400, why)
    why = (
        "in state 0 one wins 1 by (1/2, 1/2), in state 1 one loses 1. V(0) = 1 + 0.5 V(1) and V(1) = -1 + 0.5 V(0): 2/3 and "
        "-2/3"
    )
    there, back = np.ones((1, 2, 2), int), np.zeros((1, 2, 2), int)
    R = [[[2.0, 0.0], [0.0, 2.0]], [[0.0, -2.0], [-2.0, 0.0]]]
    yield case("for and against", leads(2, np.concatenate([there, back])), R, 300, why)
    why = (
        "whoever does as the opponent does comes to state 1, and is paid 2 there. V(1) = 2 + 0.5 V(0), and the game of "
        "state 0 is 0.5 V(1) if both do the same, else 0.5 V(0): by (1/2, 1/2) it is V(0) = 0.25 V(0) + 0.25 V(1). So 4/5 "
        "and 12/5"
    )
    R = [[[0.0, 0.0], [0.0, 0.0]], [[2.0, 2.0], [2.0, 2.0]]]
    yield case("to be caught", leads(2, [[[1, 0], [0, 1]], [[0, 0], [0, 0]]]), R, 400, why)
    why = (
        "the opponent has three actions. They pay 4p - 2, 1 - p and 3 - 4p, and the least is largest at p = 3/5: 2/5 a "
        "round, V = 4/5. Each entry of Q is its reward and 2/5 more"
    )
    R = [[[2.0, 0.0, -1.0], [-2.0, 1.0, 3.0]]]
    yield case("three actions against two", leads(1, np.zeros((1, 2, 3), int)), R, 250, why)
    why = (
        "a coin leads from state 0 to state 1, which pays 2, or to state 2, which pays 0; from both it is back to state 0. "
        "V(1) = 2 + 0.5 V(0), V(2) = 0.5 V(0), V(0) = 0.25 (V(1) + V(2)): 2/3, 7/3 and 1/3, as nearly as can be learned"
    )
    P = np.zeros((3, 2, 1, 3))
    P[0, :, :, 1:], P[1:, :, :, 0] = 0.5, 1
    yield case("a coin", P, np.array([0.0, 2.0, 0.0])[:, None, None] * np.ones((3, 2, 1)), 500, why)
    to = rng.integers(2, size=(2, 2, 2))
    to[:, 0, 0] = [1, 0]
    yield case("a random game", leads(2, to), rng.uniform(-1, 1, size=(2, 2, 2)).round(1), 500)


@lru_cache(maxsize=64)
def shapley(P: bytes, R: bytes, shape: tuple[int, int, int], gamma: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the exact Q and V of a zero-sum Markov game; the same few games are judged again and again."""
    moves, pays = np.frombuffer(P).reshape(*shape, shape[0]), np.frombuffer(R).reshape(shape)
    V = np.zeros(shape[0])
    for _ in range(40):
        Q = pays + gamma * moves @ V
        V = np.array([solve(M)[1] for M in Q])
    return Q, V


ROUGHLY = 0.3
"""How far what was learned may be off. In 400 seeds the solution was off by 0.25 at most."""

NEARLY = 0.05
"""How far V and pi may be off from what one's own Q says: nothing is drawn there."""

WRONG_VALUES: tuple[tuple[Callable[[np.ndarray], Any], str], ...] = (
    (
        lambda M: 0.0,
        "V is never renewed. After each step: `pi[s], V[s] = solve(Q[s])`.",
    ),
    (
        np.max,
        "V is the largest entry of a state's table, as if the opponent would do what you wish. It is the value of the game: "
        "`solve(Q[s])[1]`.",
    ),
    (
        lambda M: M.min(axis=1).max(),
        "V is what the best *pure* action is sure of. A mixture is often sure of more: `solve(Q[s])[1]`.",
    ),
    (
        lambda M: M.max(axis=0).min(),
        "In V the opponent chooses first, and you know what it chose. Both move at once: `solve(Q[s])[1]`.",
    ),
    (
        lambda M: M.min(axis=0).max(),
        "In V *you* do your worst: the minimum is over the opponent's actions. `solve(Q[s])[1]` does it all.",
    ),
    (
        lambda M: M.mean(axis=1).max(),
        "V takes the opponent's actions for equally likely. It is no die: `solve(Q[s])[1]`.",
    ),
    (
        lambda M: (solve(M)[0] @ M).mean(),
        "pi is right, but V is what it is paid by an opponent that draws at random. Against the worst one it is less: "
        "`solve(Q[s])[1]`.",
    ),
    (
        lambda M: (solve(M)[0] @ M).max(),
        "pi is right, but V is what it is paid where the opponent does it a favour. It is the least that counts: "
        "`solve(Q[s])[1]`.",
    ),
    (
        np.mean,
        "V is the mean of a state's table, as if both drew at random. It is the value of the game: `solve(Q[s])[1]`.",
    ),
    (
        lambda M: solve(M.T)[1],
        "You solve the game of `Q[s].T`, in which the opponent is the row player. The rows are your own actions.",
    ),
    (lambda M: -solve(M)[1], "V is the opponent's value, with the other sign. `solve(Q[s])` has yours."),
)
"""What V might be in the place of a game's value, and what to say then."""


def wrong_value(Q: np.ndarray, V: np.ndarray) -> str | None:
    """Return None where V holds the values of the games in one's own Q, else what it holds."""
    own = np.array([solve(M)[1] for M in Q])
    if np.allclose(V, own, 0, NEARLY):
        return None
    for value, said in WRONG_VALUES:
        if np.allclose(V, [value(M) for M in Q], 0, 0.01):
            return said
    s = int(np.argmax(~np.isclose(V, own, 0, NEARLY)))
    return f"V does not fit Q: the game of your own Q[{s}] is worth {own[s]:.3g}, and V[{s}] is {V[s]:.3g}."


def wrong_table(Q: np.ndarray, P: np.ndarray, R: np.ndarray, gamma: float, right: np.ndarray) -> str:
    """Return what a table that is far from the right one might come from, or nothing."""
    S, A, O = R.shape

    def found(pays: np.ndarray, moves: np.ndarray) -> np.ndarray:
        return shapley(moves.tobytes(), pays.tobytes(), (S, A, O), gamma)[0]

    def near(other: np.ndarray) -> bool:
        return np.allclose(Q, other, 0, ROUGHLY) and not np.allclose(right, other, 0, 0.1)

    if A == O and near(right.transpose(0, 2, 1)):
        return "a and o have changed places: your own action is the second axis of Q, the opponent's the third."
    if near(found(-R, P)):
        return "The reward has another sign: world gives what *you* are paid, r + gamma * V[s_next]."
    if abs(Q).max() > abs(R).max() / (1 - gamma) + 3 * ROUGHLY:
        return "That is more than can be had, even by the largest reward for ever. Is `gamma * V[s_next]` discounted?"
    if S > 1 and near(found(R, np.broadcast_to(np.eye(S)[:, None, None], P.shape).copy())):
        return "Your target has V(s). What comes next is s': `V[s_next]`."
    if near(R):
        return "These are the rewards alone. What comes next counts as well: `gamma * V[s_next]`."
    for s in range(1, S):
        if not np.ptp(Q[s]) and np.ptp(right[s]):
            return f"Nothing has moved in state {s}. Do you ever come there? After the update comes `s = s_next`."
    off = abs(Q - right) > ROUGHLY
    if not off.all() and len(set(Q[off])) == 1 and float(Q[off][0]) in (0.0, 1.0):
        return "It has stayed as it was. Do you ever try that pair? Both act at random, each for itself."
    part = Q[right != 0] / right[right != 0]
    if part.min() > 0 and part.max() < 1:
        return "All entries have gone a part of the way. Is the step size too small in the beginning? It goes from 1 to 0.01."
    if 0 < P[P > 0].min() < 1:
        return (
            "A coin decides here what comes next, and its throws have to be averaged: is your step size 1 in the beginning and "
            "small in the end?"
        )
    return "Is the step size 1 in the beginning, and does it go down to 0.01 by `0.01 ** (t / steps)`?"


def wrong_mixture(s: int, x: np.ndarray, M: np.ndarray, value: float) -> str | None:
    """Return None where x is sure of the value of the game M, else what it may be in its place."""
    if (said := no_policy(f"pi[{s}]", x, len(x))) is not None:
        return said
    if (worst := float((x @ M).min())) >= value - 2 * NEARLY:
        return None
    text = f"Q and V are right, but pi[{s}] is worth {worst:.3g} in the worst case, and {value:.3g} can be had."
    if x.max() == 1:
        return (
            f"{text} It is one action for certain, which the opponent can know; pi is the mixture that `solve` returns."
        )
    if not np.ptp(x):
        return (
            f"{text} It draws all actions alike: is pi[{s}] ever renewed? After each step: `pi[s], V[s] = solve(Q[s])`."
        )
    if M.shape[0] == M.shape[1] and np.allclose(x, solve(-M.T)[0], 0, NEARLY):
        return f"{text} It is the mixture of the opponent. Yours is what `solve(Q[s])` returns first."
    return text


@blank_page.judge
def what_is_wrong_with_a_learner(case: Case, got: Any) -> str | None:
    """Judge Q roughly, by the exact values, as a few hundred steps were made; and V and pi by Q."""
    P, R, gamma = case.args[0].P, case.args[0].R, case.args[2]
    Q, V = shapley(P.tobytes(), R.tobytes(), R.shape, gamma)
    if not isinstance(got, (tuple, list)) or len(got) != 3:
        return "Three things are asked for, `return Q, V, pi`, in this order."
    for name, mine, right in (("Q", got[0], Q), ("V", got[1], V)):
        if (said := difference(mine, right, 0, 1e300)) is not None:
            return f"Of {name}: {said[0].lower()}{said[1:]}"
    learned, values, pi = (np.asarray(z, dtype=float) for z in got)
    if not (np.isfinite(learned).all() and np.isfinite(values).all()):
        return "There is nan or inf in Q or V."
    if (said := wrong_value(learned, values)) is not None:
        return said
    for name, mine, right in (("Q", learned, Q), ("V", values, V)):
        if np.allclose(mine, right, 0, ROUGHLY):
            continue
        at = tuple(np.argwhere(~(abs(mine - right) <= ROUGHLY))[0])
        said = f"{name}[{', '.join(map(str, at))}] should come near {right[at]:.3g}, but is {mine[at]:.3g}."
        if np.asarray(got[0]).dtype.kind in "iu":
            return f"{said} Your Q holds whole numbers only, and cuts off the rest: `np.zeros(shape)` has others too."
        return f"{said} {wrong_table(learned, P, R, gamma, Q)}".rstrip()
    if pi.shape != R.shape[:2]:
        return f"Of pi: it has the shape {pi.shape}, but {R.shape[:2]} was expected, a mixture for each state."
    return next((said for s, x in enumerate(pi) if (said := wrong_mixture(s, x, learned[s], values[s]))), None)


def maximin_learner(
    value: Callable[..., Any] | None = None,
    target: Callable[..., Any] | None = None,
    alpha: Callable[..., Any] | None = None,
    act: Callable[..., Any] | None = None,
    follow: Callable[..., Any] | None = None,
    entry: Callable[..., Any] | None = None,
    give: Callable[..., Any] | None = None,
) -> Callable[..., Any]:
    """Return minimax-Q, some parts of which are other ones.

    Args:
        value: (M, solve) -> x, v of one state.
        target: (r, gamma, V, s, s_next) -> what the entry is pulled towards.
        alpha: (t, steps) -> the step size.
        act: (pi, s, A, rng) -> the own action.
        follow: (s, s_next) -> the state in which the next step begins.
        entry: (s, a, o) -> an index of Q.
        give: (Q, V, pi) -> what is returned.
    """

    def learn(world: Any, shape: Any, gamma: float, steps: int, solve: Any, rng: Any) -> Any:
        S, A, O = shape
        Q, V, pi, s = np.zeros((S, A, O)), np.zeros(S), np.full((S, A), 1 / A), 0
        for t in range(steps):
            a = act(pi, s, A, rng) if act else rng.integers(A)
            o = rng.integers(O)
            r, s_next = world(s, a, o)
            y = target(r, gamma, V, s, s_next) if target else r + gamma * V[s_next]
            at = entry(s, a, o) if entry else (s, a, o)
            Q[at] += (alpha(t, steps) if alpha else 0.01 ** (t / steps)) * (y - Q[at])
            pi[s], V[s] = value(Q[s], solve) if value else solve(Q[s])
            s = follow(s, s_next) if follow else s_next
        return give(Q, V, pi) if give else (Q, V, pi)

    return learn


def faulty_learner(sentence: str, name: str, **parts: Any) -> None:
    """List a mistake of minimax-Q, in which some parts are other ones."""
    learn = maximin_learner(**parts)

    def faulty(world: Any, shape: Any, gamma: Any, steps: Any, solve: Any, rng: Any) -> Any:
        return learn(world, shape, gamma, steps, solve, rng)

    faulty.__name__ = f"minimax_q_{name}"
    blank_page.mistake(sentence)(faulty)


def best_row(M: Any, worth: Any) -> tuple[np.ndarray, Any]:
    """Return the pure policy of the row that is worth most, and what it is worth."""
    return np.eye(len(M))[np.argmax(worth)], np.max(worth)


faulty_learner(
    "V is the largest entry of a state's table, as if the opponent would do what you wish. It is the value of a game: "
    "`solve(Q[s])`.",
    "maximum",
    value=lambda M, solve: best_row(M, M.max(axis=1)),
)
faulty_learner(
    "V is what the best *pure* action is sure of. A mixture is often sure of more: `solve(Q[s])`.",
    "pure",
    value=lambda M, solve: best_row(M, M.min(axis=1)),
)
faulty_learner(
    "V takes the opponent's actions for equally likely. So it played while you learned, and need not go on so: "
    "`solve(Q[s])`.",
    "random_opponent",
    value=lambda M, solve: best_row(M, M.mean(axis=1)),
)
faulty_learner(
    "pi is right, but V is what it is paid by an opponent that draws at random. So it played while you learned, and need not "
    "go on so: the least counts, `solve(Q[s])[1]`.",
    "paid_by_a_random_opponent",
    value=lambda M, solve: ((x := solve(M)[0]), (x @ M).mean()),
)
faulty_learner(
    "V is the mean of a state's table, as if both drew at random. It is the value of the game: `solve(Q[s])[1]`.",
    "mean_of_all",
    value=lambda M, solve: (solve(M)[0], M.mean()),
)
faulty_learner(
    "The reward has another sign: world gives what *you* are paid, and `r + gamma * V[s_next]` is the target.",
    "minus_the_reward",
    target=lambda r, gamma, V, s, t: -r + gamma * V[t],
)
faulty_learner(
    "The step size is 0.01 all the time, so that Q has gone only a part of the way. It begins at 1: `0.01 ** (t / steps)`.",
    "small_steps",
    alpha=lambda t, steps: 0.01,
)
faulty_learner(
    "a and o have changed places: your own action is the second axis of Q, the opponent's the third.",
    "actions_swapped",
    entry=lambda s, a, o: (s, min(o, 1), a),
)
faulty_learner(
    "V is never renewed, so that Q holds the rewards alone. After each step: `pi[s], V[s] = solve(Q[s])`.",
    "values_not_renewed",
    value=lambda M, solve: (solve(M)[0], 0.0),
)
faulty_learner(
    "Your policy is never renewed: you return the one with which it played while it learned. After each step: "
    "`pi[s], V[s] = solve(Q[s])`.",
    "policy_not_renewed",
    value=lambda M, solve: (np.full(len(M), 1 / len(M)), solve(M)[1]),
)
faulty_learner(
    "You solve the game of `Q[s].T`, in which the opponent is the row player. The rows are your own actions.",
    "transposed",
    value=lambda M, solve: (solve(M)[0], solve(M.T)[1]),
)
faulty_learner(
    "Your target has V(s). What comes next is s': `V[s_next]`.",
    "target_of_this_state",
    target=lambda r, gamma, V, s, t: r + gamma * V[s],
)
faulty_learner(
    "The discount is missing: `gamma * V[s_next]`. Without it, V grows for as long as the game goes on.",
    "without_gamma",
    target=lambda r, gamma, V, s, t: r + V[t],
)
faulty_learner(
    "The step size stays 1. Where nothing is left to chance that is well; with a coin, V follows each throw of it. Let it "
    "go down, `0.01 ** (t / steps)`.",
    "whole_steps",
    alpha=lambda t, steps: 1.0,
)
faulty_learner(
    "The step size is 1/(t + 1), which is small before most entries have been seen. It was to go down by `0.01 ** (t / "
    "steps)`.",
    "one_over_t",
    alpha=lambda t, steps: 1 / (t + 1),
)
faulty_learner(
    "You never leave state 0: after the update comes `s = s_next`.",
    "stays",
    follow=lambda s, t: 0,
)
faulty_learner(
    "You move a whole row, whatever the opponent did. One pair was played: `Q[s, a, o]`.",
    "moves_the_row",
    entry=lambda s, a, o: (s, a),
)
faulty_learner(
    "You always play your best action so far, so that others are never tried. While it learns, both act at random.",
    "does_not_explore",
    act=lambda pi, s, A, rng: pi[s].argmax(),
)
faulty_learner(
    "You play the likeliest action for certain, which the opponent can know. pi is the mixture that `solve` returns.",
    "deterministic",
    give=lambda Q, V, pi: (Q, V, np.eye(pi.shape[1])[pi.argmax(axis=1)]),
)


# -- 4. the target of Nash-Q ---------------------------------------------------------------------------------------

both = Exercise(
    "nash_q.nash_target",
    title="Nash-Q's target, for both",
    name="my_nash_target",
    hints=[
        "First find out what will be played in s': `x, y = equilibrium(Q_next[0], Q_next[1])`, one equilibrium, from both "
        "tables.",
        "What is agent j paid there? Σ_a Σ_b x(a) Q^j(a, b) y(b), that is `x @ Q_next[j] @ y`: the same x and y for both, "
        "and a table for each.",
        "After the end nothing follows: where `terminated`, the target is r alone.",
        '`return r + gamma * np.einsum("a,jab,b->j", x, Q_next, y)`',
    ],
    insight="Each agent needs the other's table to know what the other will do. And both must have the *same* equilibrium in "
    "mind: that is where Nash-Q is delicate.",
)


@both.reference
def my_nash_target(r, Q_next, terminated, gamma, equilibrium):
    """Return what Nash-Q's two tables are pulled towards, after one step.

    r: float[2], what both were paid
    Q_next: float[2, A1, A2], the tables of both agents in the next state
    terminated: bool, whether the episode has ended
    gamma: float, the discount
    equilibrium: equilibrium(A, B) gives x, y: one equilibrium of the game in
    which the row player is paid A and the column player B
    Returns float[2], the targets of both agents.
    """
    if terminated:
        return r.copy()
    x, y = equilibrium(Q_next[0], Q_next[1])
    return r + gamma * np.einsum("a,jab,b->j", x, Q_next, y)


@both.also_right
def targets_one_by_one(r, Q_next, terminated, gamma, equilibrium):
    A, B = Q_next
    x, y = equilibrium(A, B)
    return [r[j] + gamma * (1 - terminated) * (x @ M @ y) for j, M in enumerate((A, B))]


@both.also_right
def targets_by_joint_probabilities(r, Q_next, terminated, gamma, equilibrium):
    joint = np.outer(*equilibrium(*Q_next))
    return r + (0 if terminated else gamma) * (Q_next * joint).sum(axis=(1, 2))


@both.cases
def next_states(rng: np.random.Generator) -> Iterator[Case]:
    array = np.array
    favourite = array([[[4.0, 0.0], [0.0, 1.0]], [[1.0, 0.0], [0.0, 3.0]]])
    why = "the first pure equilibrium is (0, 0), which is worth 4 and 1: (1 + 0.5 · 4, 2 + 0.5 · 1) = (3, 2.5)"
    yield Case("a pure one", (array([1.0, 2.0]), favourite, False, 0.5, equilibrium), why)
    dilemma = array([[[6.0, 0.0], [8.0, 2.0]], [[6.0, 10.0], [1.0, 3.0]]])
    why = (
        "the second action is better for both, whatever the other does: (1, 1), worth 2 and 3. So (0.5 · 2, 0.5 · 3) = (1, "
        "1.5), though (0, 0) is worth 6 to each of them"
    )
    yield Case("a dilemma", (array([0.0, 0.0]), dilemma, False, 0.5, equilibrium), why)
    chase = array([[[4.0, 1.0], [0.0, 2.0]], [[0.0, 3.0], [2.0, 0.0]]])
    why = (
        "no cell is one. 2 (1 - p) = 3p gives p = 2/5 from the second table, 4q + 1 - q = 2 (1 - q) gives q = 1/5 from the "
        "first. There the first is worth 8/5, the second 6/5: (-1 + 0.5 · 8/5, 1 + 0.5 · 6/5) = (-0.2, 1.6)"
    )
    yield Case("a mixed one", (array([-1.0, 1.0]), chase, False, 0.5, equilibrium), why)
    why = "nothing follows: the targets are what was paid, (100, -1), whatever the tables say"
    yield Case("the end", (array([100.0, -1.0]), favourite, True, 0.5, equilibrium), why)
    rows = array([[[2.0, 5.0, 4.0], [1.0, 6.0, 3.0]], [[0.0, 1.0, 3.0], [4.0, 2.0, 5.0]]])
    why = (
        "of two rows and three columns (0, 2) is one: 4 is the largest of its column, and 3 of its row. (2 + 0.25 · 4, 0.25 "
        "· 3) = (3, 0.75)"
    )
    yield Case("three actions against two", (array([2.0, 0.0]), rows, False, 0.25, equilibrium), why)
    for k in range(1, 3):
        Q = chase + rng.uniform(-0.4, 0.4, size=(2, 2, 2)).round(2)
        yield Case(f"a random chase {k}", (rng.normal(size=2).round(2), Q, False, 0.9, equilibrium))
    yield Case("a random end", (rng.normal(size=2).round(2), chase, True, 0.9, equilibrium))


@both.judge
def what_is_wrong_with_targets(case: Case, got: Any) -> str | None:
    """Name the first wrong target."""
    right = my_nash_target(*fresh(case.args))
    said = difference(got, right, both.rtol, both.atol)
    if said == ANOTHER_VALUE and got is not None:
        given = np.asarray(got, dtype=float)
        j = int(np.argmax(~np.isclose(given, right, both.rtol, both.atol)))
        return f"The target of agent {j + 1} should be {right[j]:.4g}, but is {given[j]:.4g}."
    return said


def faulty_targets(sentence: str, name: str, values: Callable[..., Any]) -> None:
    """List a mistake in what s' is worth: values(Q_next, x, y) gives it for both agents."""

    def faulty(r: Any, Q_next: Any, terminated: Any, gamma: Any, equilibrium: Any) -> Any:
        if terminated:
            return r.copy()
        return r + gamma * np.array(values(Q_next, *equilibrium(*Q_next)), dtype=float)

    faulty.__name__ = f"targets_{name}"
    both.mistake(sentence)(faulty)


faulty_targets(
    "Each agent gets the largest entry of its own table, as if the other would see to it. They are paid where the "
    "equilibrium is: `x @ Q_next[j] @ y`.",
    "of_own_maximum",
    lambda Q, x, y: Q.max(axis=(1, 2)),
)
faulty_targets(
    "You take the cell that is best for both in sum. Somebody may gain by leaving it: take the equilibrium.",
    "of_the_best_sum",
    lambda Q, x, y: Q[(slice(None), *np.unravel_index(Q.sum(axis=0).argmax(), Q.shape[1:]))],
)
faulty_targets(
    "Both get what agent 1 is paid. Each has a table of its own.",
    "of_the_first_table",
    lambda Q, x, y: [x @ Q[0] @ y] * 2,
)
faulty_targets(
    "Agent 2 gets the opposite of agent 1, as if the game were zero-sum. It has a table of its own, `Q_next[1]`.",
    "as_if_zero_sum",
    lambda Q, x, y: [x @ Q[0] @ y, -(x @ Q[0] @ y)],
)
faulty_targets(
    "The tables have changed places: agent 1 is paid by `Q_next[0]`, agent 2 by `Q_next[1]`.",
    "of_swapped_tables",
    lambda Q, x, y: [x @ Q[1] @ y, x @ Q[0] @ y],
)
faulty_targets(
    "All pairs of actions are equally likely in yours. In s' they play the equilibrium: weight by x and y.",
    "of_random_play",
    lambda Q, x, y: Q.mean(axis=(1, 2)),
)
faulty_targets(
    "You take the likeliest action of each. Where the equilibrium is mixed, the others count too, by x and y.",
    "of_the_likeliest",
    lambda Q, x, y: Q[:, x.argmax(), y.argmax()],
)
faulty_targets(
    "Each agent gets what it is *sure* of. The other does not play against it, but for itself: take the equilibrium.",
    "of_the_worst_case",
    lambda Q, x, y: [Q[0].min(axis=1).max(), Q[1].min(axis=0).max()],
)
faulty_targets(
    "Each agent answers an other that draws at random. In s' both play the equilibrium: `x @ Q_next[j] @ y`.",
    "answering_random_play",
    lambda Q, x, y: [Q[0].mean(axis=1).max(), Q[1].mean(axis=0).max()],
)


@both.mistake(
    "x and y have changed places: x belongs to the rows, agent 1's actions, y to the columns. `x @ Q_next[j] @ y`."
)
def targets_x_and_y_swapped(r, Q_next, terminated, gamma, equilibrium):
    if terminated:
        return r.copy()
    x, y = equilibrium(*Q_next)
    return r + gamma * np.array([y @ M @ x for M in Q_next])


@both.mistake("Agent 2's table is transposed. In both tables the rows are agent 1's actions.")
def targets_second_table_transposed(r, Q_next, terminated, gamma, equilibrium):
    if terminated:
        return r.copy()
    x, y = equilibrium(*Q_next)
    return r + gamma * np.array([x @ Q_next[0] @ y, x @ Q_next[1].T @ y])


@both.mistake(
    "You find the equilibrium of `Q_next[0]` and `Q_next[0]`, as if both were paid alike. The second table is the other's."
)
def targets_equilibrium_of_one_table(r, Q_next, terminated, gamma, equilibrium):
    if terminated:
        return r.copy()
    x, y = equilibrium(Q_next[0], Q_next[0])
    return r + gamma * np.array([x @ M @ y for M in Q_next])


@both.mistake(
    "You find the equilibrium of a zero-sum game, `Q_next[0]` and `-Q_next[0]`. The second table is the other's."
)
def targets_equilibrium_of_a_zero_sum_game(r, Q_next, terminated, gamma, equilibrium):
    if terminated:
        return r.copy()
    x, y = equilibrium(Q_next[0], -Q_next[0])
    return r + gamma * np.array([x @ M @ y for M in Q_next])


@both.mistake(
    "The tables are handed over in the wrong order: `equilibrium(Q_next[0], Q_next[1])`, the row player's first."
)
def targets_tables_in_the_wrong_order(r, Q_next, terminated, gamma, equilibrium):
    if terminated:
        return r.copy()
    x, y = equilibrium(Q_next[1], Q_next[0])
    return r + gamma * np.array([x @ M @ y for M in Q_next])


@both.mistake(
    "You hand over `Q_next[1].T`, and `equilibrium` wants both tables as they are: the rows are the row player's actions in B "
    "too."
)
def targets_equilibrium_of_a_transposed_table(r, Q_next, terminated, gamma, equilibrium):
    if terminated:
        return r.copy()
    x, y = equilibrium(Q_next[0], Q_next[1].T)
    return r + gamma * np.array([x @ M @ y for M in Q_next])


@both.mistake(
    "Agent 2 finds an equilibrium of its own, with the tables in another order. There is one game and one equilibrium, "
    "`equilibrium(Q_next[0], Q_next[1])`, for both."
)
def targets_of_two_equilibria(r, Q_next, terminated, gamma, equilibrium):
    if terminated:
        return r.copy()
    x, y = equilibrium(*Q_next)
    mine, other = equilibrium(Q_next[1], Q_next[0])
    return r + gamma * np.array([x @ Q_next[0] @ y, mine @ Q_next[1] @ other])


@both.mistake("The rewards have changed places: agent 1 is paid `r[0]`, agent 2 `r[1]`.")
def targets_with_swapped_rewards(r, Q_next, terminated, gamma, equilibrium):
    return my_nash_target(r[::-1], Q_next, terminated, gamma, equilibrium)


@both.mistake("You add up the rewards of both. Each agent gets its own: `r[j]`.")
def targets_with_summed_rewards(r, Q_next, terminated, gamma, equilibrium):
    return my_nash_target(np.full(2, r.sum()), Q_next, terminated, gamma, equilibrium)


@both.mistake("The reward is missing where something follows: r, and then gamma times what follows.")
def targets_with_a_reward_at_the_end_alone(r, Q_next, terminated, gamma, equilibrium):
    return my_nash_target(r if terminated else 0 * r, Q_next, terminated, gamma, equilibrium)


@both.mistake("After the end something still follows in yours. Where `terminated`, the target is r alone.")
def targets_beyond_the_end(r, Q_next, terminated, gamma, equilibrium):
    return my_nash_target(r, Q_next, False, gamma, equilibrium)


@both.mistake("It is the other way round: something follows unless the episode has ended.")
def targets_only_at_the_end(r, Q_next, terminated, gamma, equilibrium):
    return my_nash_target(r, Q_next, not terminated, gamma, equilibrium)


@both.mistake("At the end you return 0. The last reward still counts: only what follows is missing.")
def targets_zero_at_the_end(r, Q_next, terminated, gamma, equilibrium):
    return np.zeros(2) if terminated else my_nash_target(r, Q_next, False, gamma, equilibrium)


@both.mistake("The discount is missing: what follows counts gamma times.")
def targets_without_gamma(r, Q_next, terminated, gamma, equilibrium):
    return my_nash_target(r, Q_next, terminated, 1.0, equilibrium)


@both.mistake("The reward is missing: r, and then gamma times what follows.")
def targets_without_the_reward(r, Q_next, terminated, gamma, equilibrium):
    return my_nash_target(r, Q_next, terminated, gamma, equilibrium) - r


@both.mistake("You discount the rewards too. They are paid now: only what follows is later.")
def targets_with_the_reward_discounted(r, Q_next, terminated, gamma, equilibrium):
    if terminated:
        return r.copy()
    return my_nash_target(r * gamma, Q_next, False, gamma, equilibrium)


@both.mistake("You return agent 1's target alone. Both are asked for, float[2].")
def targets_of_the_first_agent(r, Q_next, terminated, gamma, equilibrium):
    return my_nash_target(r, Q_next, terminated, gamma, equilibrium)[0]


@both.mistake("What follows is added up over both agents. Each has its own: one number for each, float[2].")
def targets_of_the_sum(r, Q_next, terminated, gamma, equilibrium):
    own = my_nash_target(np.zeros(2), Q_next, terminated, gamma, equilibrium)
    return r + own.sum()


# -- 5. find the planted bug ---------------------------------------------------------------------------------------

bug = Exercise(
    "nash_q.find_the_bug",
    title="Find the planted bug",
    name="my_stage_game",
    hints=[
        "Five of the six classic games have a pure equilibrium: it is found, and the last lines never run. In the sixth, "
        "matching pennies, B is the same with rows and columns exchanged. So look at the last lines, and at rows and columns.",
        "`against(M)` takes a table whose *rows* are the actions of the one who is to be made indifferent. Whose actions "
        "are the rows of A, and whose the rows of B?",
        "Take A = [[3, -1], [0, 1]] and B = -A. By hand p · 3 = -p + 1 - p gives p = 1/5. What does `against(B)` say, and "
        "what `against(B.T)`?",
        "`return against(B.T), against(A)`",
    ],
    insight="Two things had hidden it. Five of the six games have a pure equilibrium, so that the faulty line never ran; in "
    "matching pennies it ran, but there B = B.T. In the others p came out as 1.60 or below 0: no probability. Test on games "
    "that reach the line and are not symmetric, and by `nash_conv`.",
)


@bug.planted
def my_stage_game_as_given(A, B):
    """Return an equilibrium x, y of a stage game: float[A1], float[A2].

    A, B: float[A1, A2], what the row and the column player are paid
    The first pure one in reading order, if there is one; if there is none,
    the mixed one of a game of 2 x 2.
    """
    for i, j in np.ndindex(A.shape):
        if A[i, j] == A[:, j].max() and B[i, j] == B[i].max():
            return np.eye(A.shape[0])[i], np.eye(A.shape[1])[j]

    def against(M):  # M[own, other]: whose rows are equally good against this
        p = (M[1, 1] - M[0, 1]) / (M[0, 0] - M[0, 1] - M[1, 0] + M[1, 1])
        return np.array([p, 1 - p])

    return against(B), against(A)


@bug.reference
def my_stage_game(A, B):
    """Return an equilibrium x, y of a stage game: float[A1], float[A2].

    A, B: float[A1, A2], what the row and the column player are paid
    The first pure one in reading order, if there is one; if there is none,
    the mixed one of a game of 2 x 2.
    """
    for i, j in np.ndindex(A.shape):
        if A[i, j] == A[:, j].max() and B[i, j] == B[i].max():
            return np.eye(A.shape[0])[i], np.eye(A.shape[1])[j]

    def against(M):  # M[own, other]: whose rows are equally good against this
        p = (M[1, 1] - M[0, 1]) / (M[0, 0] - M[0, 1] - M[1, 0] + M[1, 1])
        return np.array([p, 1 - p])

    return against(B.T), against(A)


def first_pure(A: Any, B: Any) -> tuple[np.ndarray, np.ndarray] | None:
    """Return the first pure equilibrium in reading order, or None."""
    cells = np.argwhere((A == A.max(axis=0)) & (B == B.max(axis=1, keepdims=True)))
    return (np.eye(A.shape[0])[cells[0, 0]], np.eye(A.shape[1])[cells[0, 1]]) if len(cells) else None


def against(M: Any) -> np.ndarray:
    """Return the mixture of the other one against which the rows of M are equally good."""
    p = (M[1, 1] - M[0, 1]) / (M[0, 0] - M[0, 1] - M[1, 0] + M[1, 1])
    return np.array([p, 1 - p])


@bug.also_right
def stage_game_with_an_indifferent_column_player(A, B):
    if (pure := first_pure(A, B)) is not None:
        return pure
    p = (B[1, 1] - B[1, 0]) / (B[0, 0] - B[0, 1] - B[1, 0] + B[1, 1])
    return np.array([p, 1 - p]), against(A)


@bug.also_right
def stage_game_by_equations(A, B):
    if (pure := first_pure(A, B)) is not None:
        return pure
    x = np.linalg.solve([B[:, 0] - B[:, 1], [1, 1]], [0, 1])
    y = np.linalg.solve([A[0] - A[1], [1, 1]], [0, 1])
    return x, y


@bug.cases
def stage_games(rng: np.random.Generator) -> Iterator[Case]:
    array = np.array
    pennies = array([[1.0, -1.0], [-1.0, 1.0]])
    yield Case("matching pennies", (pennies, -pennies), "1/2 and 1/2, for both")
    why = "(1, 1): the second action is better for both, whatever the other does"
    yield Case("a dilemma", (array([[3.0, 0.0], [5.0, 1.0]]), array([[3.0, 5.0], [0.0, 1.0]])), why)
    A = array([[3.0, -1.0], [0.0, 1.0]])
    why = (
        "the column player pays 3p or -p + 1 - p, so that p = 1/5; the row player is paid 3q - 1 + q or 1 - q, so that q = "
        "2/5"
    )
    yield Case("nobody is sure", (A, -A), why)
    why = "p · 1 + (1 - p) · 2 = p · 4 + (1 - p) · 0 gives p = 2/5 from B; q · 5 = q · 2 + (1 - q) · 3 gives q = 1/2 from A"
    yield Case("a guard and a thief", (array([[5.0, 0.0], [2.0, 3.0]]), array([[1.0, 4.0], [2.0, 0.0]])), why)
    why = (
        "p + 4 (1 - p) = 8 (1 - p) gives p = 4/5 from B; q · 0 + (1 - q) · 2 = q · 6 + (1 - q) · 1 gives q = 1/7 from A"
    )
    yield Case("payoffs that differ much", (array([[0.0, 2.0], [6.0, 1.0]]), array([[1.0, 0.0], [4.0, 8.0]])), why)
    why = "in (0, 2) both stay: 4 is the largest of its column, and 3 of its row"
    rows = array([[[2.0, 5.0, 4.0], [1.0, 6.0, 3.0]], [[0.0, 1.0, 3.0], [4.0, 2.0, 5.0]]])
    yield Case("three actions against two", (rows[0], rows[1]), why)
    why = "both (0, 1) and (1, 0) are pure equilibria, and the first of them is asked for"
    yield Case("two pure ones", (array([[1.0, 3.0], [2.0, 0.0]]), array([[0.0, 4.0], [3.0, 1.0]])), why)
    for k in range(1, 3):
        A = array([[4.0, 0.0], [1.0, 2.0]]) + rng.uniform(-0.4, 0.4, size=(2, 2)).round(2)
        B = array([[0.0, 3.0], [5.0, 4.0]]) + rng.uniform(-0.4, 0.4, size=(2, 2)).round(2)
        yield Case(f"a random chase {k}", (A, B))


@bug.judge
def what_is_wrong_with_a_stage_game(case: Case, got: Any) -> str | None:
    """Judge x and y, and say what somebody would gain."""
    A, B = case.args
    right = my_stage_game(A, B)
    if close(got, right, bug.rtol, bug.atol):
        return None
    if not isinstance(got, (tuple, list)) or len(got) != 2:
        return "Two mixtures are asked for, `return x, y`, in this order."
    said = no_policy("x", got[0], A.shape[0]) or no_policy("y", got[1], A.shape[1])
    readable = said is None or not said.startswith("Of ")
    by_row, by_column = gains_of(A, B, *(np.asarray(z, dtype=float) for z in got)) if readable else (0, 0)
    if readable and first_pure(A, B) is not None and (said is not None or max(by_row, by_column) > 1e-6):
        i, j = (int(z.argmax()) for z in right)
        return (
            f"This game has a pure equilibrium, in the cell ({i}, {j}), and you have missed it. Is the test of the pure ones as "
            "it was? There was nothing wrong with it."
        )
    if said is not None:
        return said
    if max(by_row, by_column) <= 1e-6:
        return "That is an equilibrium, but another one than was asked for: the first pure one in reading order."
    row, column = (f"{gain:.4g}" if gain > 1e-6 else "nothing" for gain in (by_row, by_column))
    return f"That is no equilibrium: by moving alone the row player would gain {row}, the column player {column}."


def faulty_stage_game(
    sentence: str, name: str, mixed: Callable[..., Any], pure: Callable[..., Any] = first_pure
) -> None:
    """List another fault of the function that is to be mended."""

    def faulty(A: Any, B: Any) -> Any:
        found = pure(A, B)
        return mixed(A, B) if found is None else found

    faulty.__name__ = f"stage_game_{name}"
    bug.mistake(sentence)(faulty)


def clipped(p: np.ndarray) -> np.ndarray:
    """Return a mixture whose entries are forced into [0, 1]."""
    return np.clip(p, 0, 1)


def pure_by_b_transposed(A: Any, B: Any) -> Any:
    """Return the first cell in which both stay, if B is read with rows and columns exchanged."""
    if A.shape[0] != A.shape[1]:
        return first_pure(A, B)
    return first_pure(A, B.T)


faulty_stage_game(
    "It still does what it did: `against(B)` takes the rows of B for the column player's actions.",
    "as_before",
    lambda A, B: (against(B), against(A)),
)
faulty_stage_game(
    "That mends x and spoils y: A is turned now as well. Its rows are the row player's own actions already. Both mixtures go "
    "through `against`, so leave that as it was, and turn B alone.",
    "both_turned",
    lambda A, B: (against(B.T), against(A.T)),
)
faulty_stage_game(
    "Now A is turned, and B is as it was. It is the column player's table whose rows are the *other* one's actions.",
    "the_other_turned",
    lambda A, B: (against(B), against(A.T)),
)
faulty_stage_game(
    "Now x is found from A, and y from B. What makes somebody indifferent is the *other* one's mixture: x comes from B.",
    "swapped",
    lambda A, B: (against(A), against(B)),
)
faulty_stage_game(
    "`B.T` is right, but x and y have changed places: the row player's mixture comes first, and is found from B.",
    "turned_and_swapped",
    lambda A, B: (against(A), against(B.T)),
)
faulty_stage_game(
    "Now both mixtures are found from A. The row player's comes from B, and the column player's from A.",
    "from_a_alone",
    lambda A, B: (against(A.T), against(A)),
)
faulty_stage_game(
    "You hide the symptom: what is no probability is cut off at 0 and 1. Why does it come out so? Look at `against(B)`.",
    "clipped",
    lambda A, B: (clipped(against(B)), clipped(against(A))),
)
faulty_stage_game(
    "x is right, but y is now (1 - q, q): its first entry is how likely column 0 is.",
    "y_reversed",
    lambda A, B: (against(B.T), against(A)[::-1]),
)
faulty_stage_game(
    "x is (1 - p, p) in yours: its first entry is how likely row 0 is.",
    "x_reversed",
    lambda A, B: (against(B.T)[::-1], against(A)),
)
faulty_stage_game(
    "The mixed one is right now, but B is turned in the test of the pure ones too, where it was right: `B[i].max()`.",
    "pure_test_turned",
    lambda A, B: (against(B.T), against(A)),
    pure_by_b_transposed,
)
faulty_stage_game(
    "B is turned in the test of the pure ones, which was right, and the mixed one is as it was. The bug is in the last "
    "line.",
    "pure_test_turned_instead",
    lambda A, B: (against(B), against(A)),
    pure_by_b_transposed,
)
faulty_stage_game(
    "You have found a cure by giving both 1/2. That is right for matching pennies alone.",
    "half_and_half",
    lambda A, B: (np.full(2, 0.5), np.full(2, 0.5)),
)
faulty_stage_game(
    "`B.T` is right, but of several pure equilibria you return the last. The first in reading order was asked for, as "
    "before.",
    "last_pure",
    lambda A, B: (against(B.T), against(A)),
    lambda A, B: None if (pure := first_pure(A[::-1, ::-1], B[::-1, ::-1])) is None else tuple(z[::-1] for z in pure),
)


# -- the quiz ------------------------------------------------------------------------------------------------------

quiz = Quiz(
    Question(
        "Minimax-Q has trained against an opponent that draws its actions at random. What has it learned?",
        (
            (
                "To beat opponents that draw at random.",
                False,
                "A best response to that one would pay more against it, and would be Q-learning's. V(s) does not ask what "
                "the opponent *has* done.",
            ),
            (
                "What it can be sure of against any opponent, where all pairs of actions have been seen often enough.",
                True,
                "The opponent only says which entries are seen. In V(s) it is taken for the worst that there could be.",
            ),
            (
                "Nothing that is of use: the opponent has to be as good as itself.",
                False,
                "Any opponent will do that tries everything. One that plays well may even show too little.",
            ),
        ),
    ),
    Question(
        "Q-learning wins 99 games of 100 against a random opponent, and minimax-Q 95. Which of them would you send to a "
        "tournament?",
        (
            (
                "Q-learning: it has won more.",
                False,
                "It has won against one opponent. In a state in which one has to mix, whoever knows what it does wins every "
                "time.",
            ),
            (
                "Minimax-Q, if opponents can find out how one plays.",
                True,
                "A share of wins is about that opponent alone. How much the worst one can take is the exploitability, and "
                "that of a deterministic policy is high here.",
            ),
            (
                "It does not matter: both have converged.",
                False,
                "To different things: one to a best response, the other to an equilibrium.",
            ),
        ),
    ),
    Question(
        "Why must V(s) in minimax-Q be found by a linear program, and not by the best row, each judged by its worst column?",
        (
            (
                "Because the best mixture may be sure of more than any single row.",
                True,
                "In matching pennies each row has -1 in its worst column, and the mixture 1/2, 1/2 is sure of 0.",
            ),
            (
                "Because that is faster.",
                False,
                "It is much slower. That is why soccer's games are solved in thousands at once.",
            ),
            (
                "Because the rows of Q are not exact before it has converged.",
                False,
                "The best row would be wrong for the exact table too.",
            ),
        ),
    ),
    Question(
        "In Nash-Q, each agent keeps a table for the *other* agent as well. What for?",
        (
            (
                "To find out what the other will do in the next state: the equilibrium of a game needs both tables.",
                True,
                "In zero-sum games the other's table is minus one's own, and minimax-Q needs only one. In general the other "
                "wants something else.",
            ),
            (
                "To imitate it where it is better.",
                False,
                "It is no model to follow. What it wants says what it will do.",
            ),
            (
                "To average the two, so that there is less noise.",
                False,
                "The two tables hold different payoffs: there is nothing to average.",
            ),
        ),
    ),
    Question(
        "A stage game has two equilibria. One agent always takes the first for the value of the next state, the other the "
        "second. What do they learn?",
        (
            (
                "The same as if they agreed: both are equilibria.",
                False,
                "Each counts on what it would be paid if the other came to its equilibrium too. The other goes elsewhere.",
            ),
            (
                "Values of joint policies that nobody plays.",
                True,
                "And where they meet, each plays its part of another equilibrium, and the two parts need not fit together.",
            ),
            (
                "A mean of the two equilibria.",
                False,
                "Each of them learns one and the same every time: nothing is averaged.",
            ),
        ),
    ),
)
