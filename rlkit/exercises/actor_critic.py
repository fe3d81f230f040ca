"""Exercises of chapter 5, on policies that draw: TD error, QAC's actor, GAE, A2C's loss, PPO's clip, a prediction."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache, partial
from typing import Any

import numpy as np

from rlkit.exercises.dqn import NO_GRADIENT, detached, random_tensor, torch
from rlkit.exercises.exercise import Case, Exercise
from rlkit.exercises.judging import ANOTHER_VALUE, close, difference, fresh, is_finite_number
from rlkit.exercises.policy_gradients import LOGITS, small_policy
from rlkit.exercises.quizzes import Question, Quiz
from rlkit.mdp import softmax


def what_is_wrong_with_an_array(exercise: Exercise, letter: str, backwards: bool, case: Case, got: Any) -> str | None:
    """Judge the numbers, and whether they are an array; name the first entry that is another one."""
    right = exercise.outcome(exercise.solution, fresh(case.args))
    said = difference(got, right, exercise.rtol, exercise.atol)
    if said == ANOTHER_VALUE and got is not None:
        given = np.asarray(got, dtype=float)
        wrong = [tuple(at) for at in np.argwhere(~np.isclose(given, right, exercise.rtol, exercise.atol))]
        at = wrong[-1] if backwards else wrong[0]
        seen = f"Seen from the end, {letter}" if backwards else letter
        place = ", ".join(map(str, at))
        return f"{seen}[{place}] is the first that is another: it should be {right[at]:.4g}, but is {given[at]:.4g}."
    if said is None and not isinstance(got, np.ndarray):
        return f"The numbers are right, but they come as {type(got).__name__}. A numpy array was asked for."
    return said


def judge_arrays(exercise: Exercise, letter: str, *, backwards: bool = False) -> None:
    """Let an exercise ask for an array.

    Args:
        exercise: which one.
        letter: what the array is called.
        backwards: whether it is made from the end, so that the last wrong entry is the first that was made.
    """
    exercise.judge(partial(what_is_wrong_with_an_array, exercise, letter, backwards))


def flags(*places: bool | int) -> np.ndarray:
    """Return truth values, written as 0 and 1."""
    return np.array(places, dtype=bool)


# -- 1. QAC's actor ------------------------------------------------------------------------------------------------

actor = Exercise(
    "actor_critic.qac_actor",
    title="The actor's step",
    name="my_actor_step",
    hints=[
        "Chapter 4 had the score of a softmax: 1 for the action taken and 0 for the others, minus the probabilities "
        "of all.",
        "Only the row of state s takes part: of the other rows π(·|s) does not depend.",
        "The whole row moves, by `alpha * Q[s, a]` times the score. `softmax(theta[s])` are the probabilities.",
        "`score = -softmax(theta[s])`, `score[a] += 1`, `new = theta.copy()`, `new[s] += alpha * Q[s, a] * score`, "
        "`return new`",
    ],
    insight="This is REINFORCE's step with one change: where the return stood, which comes at the end of the "
    "episode, there stands what the critic says now.",
    rtol=1e-5,
    atol=1e-6,
)


@actor.reference
def my_actor_step(theta, Q, s, a, alpha):
    """Return theta after the step theta + alpha Q(s, a) grad ln pi(a|s).

    theta: float[S, A], pi(.|s) = softmax(theta[s])
    Q: float[S, A], what the critic says
    s, a: int, the state and the action that was taken in it
    alpha: float, the actor's step size
    Returns float[S, A], a new table: theta stays as it is.
    """
    score = -softmax(theta[s])
    score[a] += 1
    new = theta.copy()
    new[s] += alpha * Q[s, a] * score
    return new


@actor.also_right
def actor_by_one_hot(theta, Q, s, a, alpha):
    pi = np.exp(theta[s]) / np.exp(theta[s]).sum()
    step = np.zeros_like(theta)
    step[s] = np.eye(theta.shape[1])[a] - pi
    return theta + alpha * Q[s, a] * step


@actor.also_right
def actor_with_loops(theta, Q, s, a, alpha):
    new, total = theta.copy(), sum(np.exp(theta[s, c]) for c in range(theta.shape[1]))
    for c in range(theta.shape[1]):
        pi = np.exp(theta[s, c]) / total
        new[s, c] = theta[s, c] + alpha * Q[s, a] * ((1 - pi) if c == a else -pi)
    return new


@actor.also_right
def actor_by_autograd(theta, Q, s, a, alpha):
    weight = torch.tensor(theta, requires_grad=True)
    torch.log_softmax(weight, dim=-1)[s, a].backward()
    return theta + alpha * Q[s, a] * weight.grad.numpy()


@actor.cases
def steps_of_an_actor(rng: np.random.Generator) -> Iterator[Case]:
    array = np.array
    alike, Q = np.zeros((2, 2)), array([[4.0, -2.0], [10.0, 20.0]])
    why = (
        "both actions have the probability 1/2, so the score is (1/2, -1/2); times 0.5 · 4: (1, -1). The other row "
        "stays"
    )
    yield Case("two actions alike", (alike, Q, 0, 0, 0.5), why)
    why = (
        "Q(s, a) is -2: the score (-1/2, 1/2) times 0.5 · (-2) is (0.5, -0.5), so the action that was taken becomes "
        "rarer"
    )
    yield Case("a negative value", (alike, Q, 0, 1, 0.5), why)
    theta = np.log([[1.0, 2.0, 5.0], [3.0, 3.0, 2.0], [6.0, 1.0, 1.0]])
    Q = array([[8.0, -8.0, 4.0], [1.0, 16.0, 2.0], [0.0, -4.0, 8.0]])
    why = (
        "π is 3/8, 3/8 and 2/8 there; the score of the second action (-3/8, 5/8, -2/8); times 0.5 · 16 it is (-3, 5, "
        "-2), which is added to row 1"
    )
    yield Case("three actions", (theta, Q, 1, 1, 0.5), why)
    why = "π is 6/8, 1/8 and 1/8; the score of the last is (-6/8, -1/8, 7/8); times 0.25 · 8: (-1.5, -0.25, 1.75)"
    yield Case("the last state", (theta, Q, 2, 2, 0.25), why)
    why = "Q(s, a) is 0, so nothing moves, though other actions have other values"
    yield Case("a value of zero", (theta, Q, 2, 0, 0.25), why)
    why = "π is 1/8, 2/8 and 5/8, and the likeliest was not taken: (-1/8, 6/8, -5/8) times 1 · (-8) is (1, -6, 5)"
    yield Case("a rare action with a low value", (theta, Q, 0, 1, 1.0), why)
    for k in range(1, 3):
        theta, Q = rng.normal(size=(2, 4, 3)).round(2)
        yield Case(f"a random table {k}", (theta, 3 * Q, int(rng.integers(4)), int(rng.integers(3)), 0.3))


@actor.judge
def what_is_wrong_with_a_step(case: Case, got: Any) -> str | None:
    """Judge the table, and say in which row it is another one."""
    theta, Q, s, a, _ = case.args
    right = my_actor_step(*fresh(case.args))
    said = difference(got, right, actor.rtol, actor.atol)
    if said == ANOTHER_VALUE and got is not None:
        given = np.asarray(got, dtype=float)
        if not np.isfinite(given).all():
            return "Something is not finite here, nan or inf, though all of the new table should be."
        others = np.arange(len(theta)) != s
        if not close(given[others], theta[others], actor.rtol, actor.atol):
            return f"Only row {s} may move: π(·|s) depends on no other. Yours moves others too."
        by, wanted = given[s] - theta[s], right[s] - theta[s]
        c = int(np.argmax(~np.isclose(given[s], right[s], actor.rtol, actor.atol)))
        taken = "the action that was taken" if c == a else "an action that was not taken"
        place = f"theta[{s}, {c}], of {taken},"
        return f"{place} should move by {wanted[c]:.4g}, but moves by {by[c]:.4g}. Q(s, a) is {Q[s, a]:g}."
    if said is None and not isinstance(got, np.ndarray):
        return f"The numbers are right, but they come as {type(got).__name__}. A numpy array was asked for."
    return said


def moved(theta, s, row):
    """Return a copy of theta with something added to row s."""
    new = theta.copy()
    new[s] += row
    return new


def score_of(theta, s, a):
    """Return the score of an action, float[A], and the probabilities of all."""
    pi = np.exp(theta[s]) / np.exp(theta[s]).sum()
    return np.eye(len(pi))[a] - pi, pi


@actor.mistake("The sign is turned around: this step makes good actions rarer. Uphill: `theta + ...`.")
def actor_downhill(theta, Q, s, a, alpha):
    return moved(theta, s, -alpha * Q[s, a] * score_of(theta, s, a)[0])


@actor.mistake(
    "Only the entry of the action that was taken moves. The whole row has a gradient: each of the others goes down by "
    "its probability, times α Q(s, a)."
)
def actor_moves_one_entry(theta, Q, s, a, alpha):
    score, _ = score_of(theta, s, a)
    return moved(theta, s, alpha * Q[s, a] * score * (np.arange(len(score)) == a))


@actor.mistake(
    "You move the entry of the action by α Q(s, a), as if ln π(a|s) were theta[s, a]. The sum under the softmax is "
    "missing: the score is that 1, minus the probabilities of all."
)
def actor_without_probabilities(theta, Q, s, a, alpha):
    score, pi = score_of(theta, s, a)
    return moved(theta, s, alpha * Q[s, a] * (score + pi))


@actor.mistake("The 1 for the action that was taken is missing: the score is 1 - π(a|s) there, and -π(·|s) elsewhere.")
def actor_without_the_one(theta, Q, s, a, alpha):
    return moved(theta, s, -alpha * Q[s, a] * score_of(theta, s, a)[1])


@actor.mistake("You add the probabilities. The score is 1 for the action that was taken, *minus* the probabilities.")
def actor_plus_probabilities(theta, Q, s, a, alpha):
    score, pi = score_of(theta, s, a)
    return moved(theta, s, alpha * Q[s, a] * (score + 2 * pi))


@actor.mistake(
    "You move every entry up by 1 minus its probability. The 1 belongs to the action that was taken only; the others "
    "go down."
)
def actor_one_for_all(theta, Q, s, a, alpha):
    return moved(theta, s, alpha * Q[s, a] * (1 - score_of(theta, s, a)[1]))


@actor.mistake(
    "This is the gradient of π(a|s), not of its logarithm: a factor π(a|s) too much. Without the logarithm, rare "
    "actions would be neglected twice."
)
def actor_gradient_of_pi(theta, Q, s, a, alpha):
    score, pi = score_of(theta, s, a)
    return moved(theta, s, alpha * Q[s, a] * pi[a] * score)


@actor.mistake("You divide by π(a|s): ∇ ln π is ∇π/π, and the score 1{c = a} - π(c) has that in it already.")
def actor_divided_by_pi(theta, Q, s, a, alpha):
    score, pi = score_of(theta, s, a)
    return moved(theta, s, alpha * Q[s, a] * score / pi[a])


@actor.mistake(
    "1/π(a|s) is the derivative of the logarithm by the *probability*. The weights are theta, and by them it is 1{c = "
    "a} - π(c)."
)
def actor_by_the_probability(theta, Q, s, a, alpha):
    score, pi = score_of(theta, s, a)
    return moved(theta, s, alpha * Q[s, a] * (score + pi) / pi[a])


@actor.mistake("You multiply by ln π(a|s) itself. Its *gradient* by theta[s] was asked for: 1{c = a} - π(c).")
def actor_log_pi_itself(theta, Q, s, a, alpha):
    score, pi = score_of(theta, s, a)
    return moved(theta, s, alpha * Q[s, a] * np.log(pi[a]) * (score + pi))


@actor.mistake(
    "This is the mean of the step over all actions, with the value of each. It has less noise, but it is another "
    "algorithm: here only the action that was taken counts."
)
def actor_expected(theta, Q, s, a, alpha):
    pi = score_of(theta, s, a)[1]
    return moved(theta, s, alpha * pi * (Q[s] - pi @ Q[s]))


@actor.mistake("You give each entry its own value, `Q[s]`. The whole row gets that of the action taken: `Q[s, a]`.")
def actor_row_of_q(theta, Q, s, a, alpha):
    return moved(theta, s, alpha * Q[s] * score_of(theta, s, a)[0])


@actor.mistake(
    "You take the mean over the actions off first, so this is the advantage. A good idea, and the next section's; the "
    "slide's step has Q(s, a) alone."
)
def actor_advantage(theta, Q, s, a, alpha):
    score, pi = score_of(theta, s, a)
    return moved(theta, s, alpha * (Q[s, a] - pi @ Q[s]) * score)


@actor.mistake("You take the plain mean of the row off first. The slide's step has Q(s, a) alone.")
def actor_less_the_mean(theta, Q, s, a, alpha):
    return moved(theta, s, alpha * (Q[s, a] - Q[s].mean()) * score_of(theta, s, a)[0])


@actor.mistake("You take the largest value of the state off first. The slide's step has Q(s, a) alone.")
def actor_less_the_best(theta, Q, s, a, alpha):
    return moved(theta, s, alpha * (Q[s, a] - Q[s].max()) * score_of(theta, s, a)[0])


@actor.mistake("You take the value of the *best* action. What was taken is judged by its own: `Q[s, a]`.")
def actor_best_value(theta, Q, s, a, alpha):
    return moved(theta, s, alpha * Q[s].max() * score_of(theta, s, a)[0])


@actor.mistake(
    "You take the value of the state, the mean over the actions. The action is judged by its own: `Q[s, a]`."
)
def actor_value_of_the_state(theta, Q, s, a, alpha):
    score, pi = score_of(theta, s, a)
    return moved(theta, s, alpha * (pi @ Q[s]) * score)


@actor.mistake(
    "You make the action with the largest value likelier. The one to be judged is that which was taken: `a`."
)
def actor_greedy(theta, Q, s, a, alpha):
    return my_actor_step(theta, Q, s, int(Q[s].argmax()), alpha)


@actor.mistake("You make the likeliest action likelier still. The one to be judged is that which was taken: `a`.")
def actor_of_the_mode(theta, Q, s, a, alpha):
    return my_actor_step(theta, Q, s, int(theta[s].argmax()), alpha)


@actor.mistake("Q(s, a) is left out, so that whatever is done becomes likelier. The critic has to be asked.")
def actor_without_q(theta, Q, s, a, alpha):
    return moved(theta, s, alpha * score_of(theta, s, a)[0])


@actor.mistake("You forgot the step size.")
def actor_without_alpha(theta, Q, s, a, alpha):
    return moved(theta, s, Q[s, a] * score_of(theta, s, a)[0])


@actor.mistake("A negative value counts as 0 here. It counts as it is, and makes the action rarer.")
def actor_of_successes(theta, Q, s, a, alpha):
    return moved(theta, s, alpha * max(Q[s, a], 0.0) * score_of(theta, s, a)[0])


@actor.mistake("You take the size of the value. A negative one has to make the action rarer: keep its sign.")
def actor_of_the_size(theta, Q, s, a, alpha):
    return moved(theta, s, alpha * abs(Q[s, a]) * score_of(theta, s, a)[0])


@actor.mistake("All rows move. Only in state s was something done, and π(·|s) depends on row s alone.")
def actor_moves_all_rows(theta, Q, s, a, alpha):
    pi = np.exp(theta) / np.exp(theta).sum(axis=1, keepdims=True)
    return theta + alpha * Q[s, a] * (np.eye(theta.shape[1])[a] - pi)


@actor.mistake("The 1 stands at (s, a), but the probabilities are taken off in all rows. Only row s has a gradient.")
def actor_probabilities_in_all_rows(theta, Q, s, a, alpha):
    step = -np.exp(theta) / np.exp(theta).sum(axis=1, keepdims=True)
    step[s, a] += 1
    return theta + alpha * Q[s, a] * step


@actor.mistake("You move row s by the score in row 0. In `softmax(theta)` every row is a policy: take `[s]`.")
def actor_score_of_the_first_row(theta, Q, s, a, alpha):
    return moved(theta, s, alpha * Q[s, a] * score_of(theta, 0, a)[0])


@actor.mistake("Your softmax is over the states. Each *row* is a policy: `softmax(theta[s])`.")
def actor_softmax_over_states(theta, Q, s, a, alpha):
    pi = (np.exp(theta) / np.exp(theta).sum(axis=0))[s]
    return moved(theta, s, alpha * Q[s, a] * (np.eye(len(pi))[a] - pi))


@actor.mistake("Your softmax is over the whole table. Each row is a policy: `softmax(theta[s])`.")
def actor_softmax_over_all(theta, Q, s, a, alpha):
    pi = np.exp(theta[s]) / np.exp(theta).sum()
    return moved(theta, s, alpha * Q[s, a] * (np.eye(len(pi))[a] - pi))


@actor.mistake("You take theta itself for the probabilities. They are `softmax(theta[s])`.")
def actor_theta_for_pi(theta, Q, s, a, alpha):
    return moved(theta, s, alpha * Q[s, a] * (np.eye(theta.shape[1])[a] - theta[s]))


@actor.mistake("This is the step alone. The new table was asked for: theta plus the step.")
def actor_step_alone(theta, Q, s, a, alpha):
    return my_actor_step(theta, Q, s, a, alpha) - theta


@actor.mistake("This is row s alone. The whole new table was asked for.")
def actor_row_alone(theta, Q, s, a, alpha):
    return my_actor_step(theta, Q, s, a, alpha)[s]


@actor.mistake("You return the new policy. The weights were asked for: theta, before the softmax.")
def actor_returns_the_policy(theta, Q, s, a, alpha):
    return softmax(my_actor_step(theta, Q, s, a, alpha))


@actor.mistake(
    "You add the step to the probabilities. The weights are theta: of them the probabilities are made anew at each "
    "step."
)
def actor_moves_the_policy(theta, Q, s, a, alpha):
    score, pi = score_of(theta, s, a)
    new = theta.copy()
    new[s] = pi + alpha * Q[s, a] * score
    return new


@actor.mistake("The step is divided by the number of actions. It is no mean: α Q(s, a) times the score.")
def actor_mean_over_actions(theta, Q, s, a, alpha):
    return moved(theta, s, alpha * Q[s, a] * score_of(theta, s, a)[0] / theta.shape[1])


@actor.mistake(
    "The probabilities are made anew after each entry has moved, so they change on the way. Make them once, of the "
    "old row."
)
def actor_probabilities_on_the_way(theta, Q, s, a, alpha):
    new = theta.copy()
    for c in range(theta.shape[1]):
        new[s, c] += alpha * Q[s, a] * score_of(new, s, a)[0][c]
    return new


@actor.mistake("Nothing has moved: this is theta as it was. Is the step added to the table that you return?")
def actor_stands_still(theta, Q, s, a, alpha):
    return theta.copy()


# -- 2. the TD error -----------------------------------------------------------------------------------------------

one_step = Exercise(
    "actor_critic.td_error",
    title="The TD error",
    name="my_td_error",
    hints=[
        "What was expected is V(s). What came is the reward, and a promise: γ V(s'). The error is what came, less "
        "what was expected.",
        "Only where the world itself ended is there no future. Where a clock cut it off, the future is still there, "
        "and `V_next` knows what it is worth.",
        "So `truncated` is not needed at all: `np.where(terminated, 0.0, V_next)`.",
        "`return reward + gamma * np.where(terminated, 0.0, V_next) - V`",
    ],
    insight="One step, and the critic can say whether it went better than expected: δ is an estimate of the "
    "advantage. And `truncated` changed nothing: a clock on the wall is no part of the world.",
    rtol=1e-5,  # float32 will do
    atol=1e-6,
)


@one_step.reference
def my_td_error(reward, V, V_next, terminated, truncated, gamma):
    """Return delta = r + gamma V(s') - V(s) of each step.

    reward, V, V_next: float[...], arrays; V_next is the critic's value of
    the observation that came next, also where the episode ended with it
    terminated, truncated: bool[...], the world ended; a clock cut it off
    gamma: float
    Returns float[...], a new array.
    """
    future = np.where(terminated, 0.0, V_next)
    return reward + gamma * future - V


@one_step.also_right
def td_error_with_a_factor(reward, V, V_next, terminated, truncated, gamma):
    return reward + gamma * V_next * (1 - terminated) - V


@one_step.also_right
def td_error_by_a_mask(reward, V, V_next, terminated, truncated, gamma):
    delta = np.array(reward - V)
    delta[~terminated] += gamma * V_next[~terminated]
    return delta


@one_step.also_right
def td_error_in_a_loop(reward, V, V_next, terminated, truncated, gamma):
    delta = np.zeros(reward.shape)
    for i in np.ndindex(reward.shape):
        delta[i] = reward[i] - V[i]
        if truncated[i] and not terminated[i]:
            delta[i] += gamma * V_next[i]
        elif not terminated[i]:
            delta[i] += gamma * V_next[i]
    return delta


@one_step.cases
def errors_to_compute(rng: np.random.Generator) -> Iterator[Case]:
    array, no = np.array, flags(0)
    why = "1 + 0.5 · 6 - 2 = 2: better than expected"
    yield Case("a step that goes on", (array([1.0]), array([2.0]), array([6.0]), no, no, 0.5), why)
    why = "the world ended, so nothing comes after the reward, whatever the critic says: 1 - 2 = -1"
    yield Case("terminated", (array([1.0]), array([2.0]), array([6.0]), flags(1), no, 0.5), why)
    why = "only the clock ended it, so the future counts: 1 + 0.5 · 6 - 2 = 2"
    yield Case("truncated", (array([1.0]), array([2.0]), array([6.0]), no, flags(1), 0.5), why)
    why = "it ended with the very step at which the clock ran out. Ended is ended: 1 - 2 = -1"
    yield Case("both at once", (array([1.0]), array([2.0]), array([6.0]), flags(1), flags(1), 0.5), why)
    row = array([1.0, -2.0, 3.0, 0.5]), array([2.0, -4.0, 1.0, -3.0]), array([-5.0, 1.0, 8.0, -2.0])
    why = (
        "1 + 0.9 · (-5) - 2 = -5.5; terminated: -2 + 4 = 2; truncated: 3 + 0.9 · 8 - 1 = 9.2; 0.5 + 0.9 · (-2) + 3 = "
        "1.7"
    )
    yield Case("four steps", (*row, flags(0, 1, 0, 0), flags(0, 0, 1, 0), 0.9), why)
    why = "1 - 5 - 2 = -6; terminated: 2; truncated: 3 + 8 - 1 = 10; 0.5 - 2 + 3 = 1.5"
    yield Case("without a discount", (*row, flags(0, 1, 0, 0), flags(0, 0, 1, 0), 1.0), why)
    two = [x.reshape(2, 2) for x in (*row, flags(0, 1, 0, 0), flags(0, 0, 1, 0))]
    yield Case("two rows", (*two, 0.9), "as four steps, two in each row: -5.5 and 2, 9.2 and 1.7")
    for k in range(1, 3):
        numbers = rng.normal(size=(3, 5, 2)).round(2)
        ends = rng.random((2, 5, 2)) < 0.3
        yield Case(f"random steps {k}", (*numbers, *ends, float(rng.uniform(0.5, 0.95))))


judge_arrays(one_step, "delta")


@one_step.mistake(
    "You take the future away from a truncated step too. A clock cut it off, but the world went on: only `terminated` "
    "says that nothing follows."
)
def td_error_done(reward, V, V_next, terminated, truncated, gamma):
    return reward + gamma * V_next * ~(terminated | truncated) - V


@one_step.mistake(
    "You take the wrong end: a *truncated* step still has a future, a *terminated* one has none. Here it is the other "
    "way round."
)
def td_error_truncated_for_terminated(reward, V, V_next, terminated, truncated, gamma):
    return reward + gamma * V_next * ~truncated - V


@one_step.mistake("After the end of an episode nothing comes. Where `terminated` is True, V(s') counts as 0.")
def td_error_without_a_mask(reward, V, V_next, terminated, truncated, gamma):
    return reward + gamma * V_next - V


@one_step.mistake(
    "Where both are True you keep the future. That the clock ran out as well changes nothing: the world has ended."
)
def td_error_truncated_wins(reward, V, V_next, terminated, truncated, gamma):
    return reward + gamma * V_next * (~terminated | truncated) - V


@one_step.mistake("The mask is turned around: a future is left only where the episode has ended.")
def td_error_with_a_mask_turned_around(reward, V, V_next, terminated, truncated, gamma):
    return reward + gamma * V_next * terminated - V


@one_step.mistake("You forgot gamma: V(s') lies one step ahead, so it is discounted.")
def td_error_without_gamma(reward, V, V_next, terminated, truncated, gamma):
    return reward + V_next * ~terminated - V


@one_step.mistake("You discount V(s), which lies in the present. Gamma belongs to V(s').")
def td_error_gamma_at_the_present(reward, V, V_next, terminated, truncated, gamma):
    return reward + V_next * ~terminated - gamma * V


@one_step.mistake("You discount V(s) as well as V(s'). Gamma belongs to V(s') alone.")
def td_error_gamma_at_both(reward, V, V_next, terminated, truncated, gamma):
    return reward + gamma * (V_next * ~terminated - V)


@one_step.mistake("You discount the reward as well. It was paid for this step: gamma belongs to V(s') alone.")
def td_error_discounted_reward(reward, V, V_next, terminated, truncated, gamma):
    return gamma * (reward + V_next * ~terminated) - V


@one_step.mistake("You discount V(s') twice. It lies one step ahead, so gamma once.")
def td_error_gamma_squared(reward, V, V_next, terminated, truncated, gamma):
    return reward + gamma**2 * V_next * ~terminated - V


@one_step.mistake(
    "The sign is turned around: it is what came, *less* what was expected. Above 0 means better than expected."
)
def td_error_turned_around(reward, V, V_next, terminated, truncated, gamma):
    return V - my_td_error(reward, 0 * V, V_next, terminated, truncated, gamma)


@one_step.mistake("This is the target, r + γ V(s'). How far is it from V(s)? Take V(s) away.")
def td_error_the_target(reward, V, V_next, terminated, truncated, gamma):
    return reward + gamma * V_next * ~terminated


@one_step.mistake("You add V(s). It was expected, so it is taken away.")
def td_error_plus_the_present(reward, V, V_next, terminated, truncated, gamma):
    return reward + gamma * V_next * ~terminated + V


@one_step.mistake("You take the future away. It is added to the reward: r + γ V(s'), and then less V(s).")
def td_error_less_the_future(reward, V, V_next, terminated, truncated, gamma):
    return reward - gamma * V_next * ~terminated - V


@one_step.mistake("You use V(s) twice. The promise is the value of where the step led: `V_next`.")
def td_error_v_for_v_next(reward, V, V_next, terminated, truncated, gamma):
    return reward + gamma * V * ~terminated - V


@one_step.mistake("V and V_next have changed places. The future is `V_next`, and what was expected is `V`.")
def td_error_swapped(reward, V, V_next, terminated, truncated, gamma):
    return reward + gamma * V * ~terminated - V_next


@one_step.mistake("`V_next` is taken away, whole: what was expected is `V`.")
def td_error_less_v_next(reward, V, V_next, terminated, truncated, gamma):
    return reward + gamma * V_next * ~terminated - V_next


@one_step.mistake("You forgot the reward.")
def td_error_without_reward(reward, V, V_next, terminated, truncated, gamma):
    return gamma * V_next * ~terminated - V


@one_step.mistake("The reward is taken away. It came, so it is added.")
def td_error_less_the_reward(reward, V, V_next, terminated, truncated, gamma):
    return gamma * V_next * ~terminated - V - reward


@one_step.mistake(
    "Where the episode ended your error is 0. There is no future there, but there is a reward, and something was "
    "expected: r - V(s)."
)
def td_error_zero_at_the_end(reward, V, V_next, terminated, truncated, gamma):
    return (reward + gamma * V_next - V) * ~terminated


@one_step.mistake("Where the episode ended the reward is lost. It was paid: only V(s') is 0 there.")
def td_error_end_without_reward(reward, V, V_next, terminated, truncated, gamma):
    return (reward + gamma * V_next) * ~terminated - V


@one_step.mistake("Where the episode ended you leave V(s) out. It was expected there as well: r - V(s).")
def td_error_end_without_expectation(reward, V, V_next, terminated, truncated, gamma):
    return reward + (gamma * V_next - V) * ~terminated


@one_step.mistake(
    "A truncated step has an error of 0 here. Its next observation was seen, so nothing keeps it from being judged "
    "like any other."
)
def td_error_zero_where_truncated(reward, V, V_next, terminated, truncated, gamma):
    return my_td_error(reward, V, V_next, terminated, truncated, gamma) * ~truncated


@one_step.mistake(
    "Where it was cut off you take V(s) in place of V(s'). The next observation was seen: `V_next` is its value, "
    "there too."
)
def td_error_stays_where_truncated(reward, V, V_next, terminated, truncated, gamma):
    return my_td_error(reward, V, np.where(truncated, V, V_next), terminated, truncated, gamma)


@one_step.mistake("Where it was cut off gamma is missing. V(s') lies one step ahead there as everywhere.")
def td_error_truncated_without_gamma(reward, V, V_next, terminated, truncated, gamma):
    return my_td_error(reward, V, np.where(truncated, V_next / gamma, V_next), terminated, truncated, gamma)


@one_step.mistake("Truncated steps have their future twice. Once is enough: they are like any step that goes on.")
def td_error_truncated_twice(reward, V, V_next, terminated, truncated, gamma):
    return reward + gamma * V_next * (1.0 * ~terminated + truncated) - V


@one_step.mistake("You square the error. Its sign matters: better or worse than expected.")
def td_error_squared(reward, V, V_next, terminated, truncated, gamma):
    return my_td_error(reward, V, V_next, terminated, truncated, gamma) ** 2


@one_step.mistake("You take the size of the error. Its sign matters: better or worse than expected.")
def td_error_size(reward, V, V_next, terminated, truncated, gamma):
    return abs(my_td_error(reward, V, V_next, terminated, truncated, gamma))


@one_step.mistake("You return one number, the mean. Each step has an error of its own.")
def td_error_mean(reward, V, V_next, terminated, truncated, gamma):
    return my_td_error(reward, V, V_next, terminated, truncated, gamma).mean()


@one_step.mistake("You return one number, the sum. Each step has an error of its own.")
def td_error_sum(reward, V, V_next, terminated, truncated, gamma):
    return my_td_error(reward, V, V_next, terminated, truncated, gamma).sum()


@one_step.mistake(
    "You shift V to get at the values of what came next. What is next in the array may be another episode: use "
    "`V_next`."
)
def td_error_shifted(reward, V, V_next, terminated, truncated, gamma):
    return my_td_error(reward, V, np.concatenate([V[1:], V_next[-1:]]), terminated, truncated, gamma)


@one_step.mistake(
    "Where one of the steps has terminated, none has a future any more. Each step decides for itself: `np.where`."
)
def td_error_one_for_all(reward, V, V_next, terminated, truncated, gamma):
    return reward + gamma * V_next * (not terminated.any()) - V


# -- 3. GAE --------------------------------------------------------------------------------------------------------

many_steps = Exercise(
    "actor_critic.gae",
    title="GAE, with episodes that end and that are cut off",
    name="my_gae",
    hints=[
        "First all the TD errors, as in the exercise before. Then begin at the end: at the last step A is δ.",
        "A_t = δ_t + γ λ A_{t+1}, backwards. Two flags, and two questions: may I look at V(s')? May I go on to "
        "A_{t+1}?",
        "V(s') counts unless the step *terminated*. A_{t+1} counts unless the episode is over, by *either*: what "
        "stands next in the array is another episode.",
        "`goes_on = ~(terminated | truncated)`, and in `for t in reversed(range(len(reward)))`: "
        "`later = delta[t] + gamma * lam * goes_on[t] * later` and `A[t] = later`",
    ],
    insight="Two masks for two questions. After a cut the future still has a value, and only the critic knows it: "
    "V(s') stays. But the next row is another episode: the sum stops.",
    rtol=1e-5,
    atol=1e-6,
)


@many_steps.reference
def my_gae(reward, V, V_next, terminated, truncated, gamma, lam):
    """Return A_t = delta_t + gamma lam A_{t+1} of each step.

    reward, V, V_next: float[T, ...], arrays, time first; V_next is the
    critic's value of the observation that came next, also at an episode's
    last step and at step T - 1
    terminated, truncated: bool[T, ...], an episode's last step: the world
    ended; a clock cut it off. In the next row another episode goes on
    gamma, lam: floats
    Returns float[T, ...], a new array.
    """
    delta = reward + gamma * np.where(terminated, 0.0, V_next) - V
    goes_on = ~(terminated | truncated)
    A, later = np.zeros_like(delta), 0.0
    for t in reversed(range(len(reward))):
        later = delta[t] + gamma * lam * goes_on[t] * later
        A[t] = later
    return A


@many_steps.also_right
def gae_by_its_definition(reward, V, V_next, terminated, truncated, gamma, lam):
    A = np.zeros(reward.shape)
    for world in np.ndindex(reward.shape[1:]):
        for t in range(len(reward)):
            weight = 1.0
            for k in range(t, len(reward)):
                at = (k, *world)
                A[(t, *world)] += weight * (reward[at] + gamma * V_next[at] * (not terminated[at]) - V[at])
                if terminated[at] or truncated[at]:
                    break
                weight *= gamma * lam
    return A


@many_steps.also_right
def gae_by_returns(reward, V, V_next, terminated, truncated, gamma, lam):
    done = np.logical_or(terminated, truncated)
    future = np.where(terminated, 0, V_next)
    target, later = np.empty(reward.shape, dtype=np.float32), future[-1]
    for t in range(len(reward) - 1, -1, -1):
        mixed = np.where(done[t], future[t], (1 - lam) * future[t] + lam * later)
        target[t] = later = reward[t] + gamma * mixed
    return target - V


@many_steps.also_right
def gae_with_values_of_the_next_row(reward, V, V_next, terminated, truncated, gamma, lam):
    A, later = np.zeros(reward.shape), np.zeros(reward.shape[1:])
    for t in reversed(range(len(reward))):
        done = terminated[t] | truncated[t]
        following = np.where(done, V_next[t], V[t + 1]) if t + 1 < len(V) else V_next[t]
        later = np.where(done, 0.0, later)
        later = reward[t] + gamma * (1 - terminated[t]) * following - V[t] + gamma * lam * later
        A[t] = later
    return A


def rollouts(rng: np.random.Generator, *shape: int) -> tuple[Any, ...]:
    """Return reward, V, V_next, terminated and truncated, [shape] each.

    Within an episode V_next is what V is in the next row.
    """
    reward, V, V_next = rng.normal(size=(3, *shape)).round(2)
    terminated, truncated = rng.random((2, *shape)) < 0.25
    V_next[:-1] = np.where((terminated | truncated)[:-1], V_next[:-1], V[1:])
    return reward, V, V_next, terminated, truncated


@many_steps.cases
def rollouts_to_judge(rng: np.random.Generator) -> Iterator[Case]:
    array = np.array
    four = array([1.0, 2.0, 3.0, 1.0]), array([2.0, 5.0, 4.0, 5.0]), array([5.0, 10.0, 5.0, 10.0])
    never, second, last = flags(0, 0, 0, 0), flags(0, 1, 0, 0), flags(0, 0, 0, 1)
    why = "one step, which goes on: 1 + 0.8 · 5 - 2 = 3"
    yield Case("one step", (*(x[:1] for x in (*four, never, never)), 0.8, 0.5), why)
    V_next = array([5.0, 10.0])
    why = (
        "δ is 1 + 0.8 · 5 - 2 = 3 and 2 + 0.8 · 10 - 5 = 5; γλ = 0.4: A is 5 at the end, and before it 3 + 0.4 · 5 = 5"
    )
    two = array([1.0, 2.0]), array([2.0, 5.0]), V_next, flags(0, 0), flags(0, 0)
    yield Case("two steps", (*two, 0.8, 0.5), why)
    why = (
        "δ is 3, then 2 - 5 = -3 without a future, then 3 and 4. From the end: 4; 3 + 0.4 · 4 = 4.6; -3, as nothing "
        "comes after it; 3 + 0.4 · (-3) = 1.8"
    )
    yield Case("terminated on the way", (*four, second, never, 0.8, 0.5), why)
    why = (
        "δ is 3, then 2 + 0.8 · 10 - 5 = 5, as the future is still there, then 3 and 4. From the end: 4; 4.6; 5, as "
        "the next row is another episode; 3 + 0.4 · 5 = 5"
    )
    yield Case("truncated on the way", (*four, never, second, 0.8, 0.5), why)
    why = "ended, and cut off at the same step: ended is ended, so as in “terminated on the way”: 1.8, -3, 4.6 and 4"
    yield Case("both at once", (*four, second, second, 0.8, 0.5), why)
    V = array([2.0, 5.0, 10.0, 5.0])
    three = four[0], V, array([5.0, 10.0, 5.0, 10.0])
    why = (
        "δ is 3, 2 + 8 - 5 = 5, 3 + 4 - 10 = -3 and 1 - 5 = -4. From the end: -4; -3 - 1.6 = -4.6; 5 - 1.84 = 3.16; "
        "4.264"
    )
    yield Case("terminated at the end", (*three, last, never, 0.8, 0.5), why)
    why = "the last δ is 1 + 0.8 · 10 - 5 = 4: 4; -3 + 1.6 = -1.4; 5 - 0.56 = 4.44; 3 + 1.776 = 4.776"
    yield Case("truncated at the end", (*three, never, last, 0.8, 0.5), why)
    why = "λ = 0: nothing but the TD errors, 3, 5, 3 and 4"
    yield Case("lambda is 0", (*four, never, second, 0.8, 0.0), why)
    why = "λ = 1, so γλ = 0.8. δ is 3, 5, 3 and 4; from the end: 4; 3 + 0.8 · 4 = 6.2; 5; 3 + 0.8 · 5 = 7"
    yield Case("lambda is 1", (*four, never, second, 0.8, 1.0), why)
    why = (
        "γ = 1, so γλ = 0.5. δ is 1 + 5 - 2 = 4, 2 - 5 = -3, 3 + 5 - 4 = 4 and 1 + 10 - 5 = 6; from the end: 6, 7, "
        "-3, 2.5"
    )
    yield Case("without a discount", (*four, second, never, 1.0, 0.5), why)
    side = [np.stack([x, x], axis=1) for x in four]
    ends = np.stack([second, never], axis=1), np.stack([never, second], axis=1)
    why = (
        "the first world as “terminated on the way”, 1.8, -3, 4.6, 4; the second as “truncated on the way”, 5, 5, "
        "4.6, 4"
    )
    yield Case("two worlds side by side", (*side, *ends, 0.8, 0.5), why)
    side[1][2, 0], side[2][1, 0] = 10.0, 10.0
    ends = np.stack([last, never], axis=1), np.stack([never, second], axis=1)
    why = (
        "the first as “terminated at the end”, 4.264, 3.16, -4.6, -4; the second as “truncated on the way”, 5, 5, "
        "4.6, 4"
    )
    yield Case("two worlds that end at different times", (*side, *ends, 0.8, 0.5), why)
    for k in range(1, 3):
        yield Case(f"a random rollout {k}", (*rollouts(rng, 7), 0.9, 0.7))
    yield Case("a random rollout of two copies with three worlds each", (*rollouts(rng, 6, 2, 3), 0.9, 0.6))


judge_arrays(many_steps, "A", backwards=True)


def swept(delta, factor, *, begin=0.0):
    """Return A_t = delta_t + factor_t A_{t+1}, backwards in time."""
    A, later = np.zeros_like(delta), begin
    for t in reversed(range(len(delta))):
        A[t] = later = delta[t] + factor[t] * later
    return A


def parts_of_gae(reward, V, V_next, terminated, truncated, gamma):
    """Return the TD errors, and where an episode goes on."""
    return my_td_error(reward, V, V_next, terminated, truncated, gamma), ~(terminated | truncated)


@many_steps.mistake(
    "At a truncated step your sum runs on, into the next episode. V(s') stays there, but A_{t+1} is somebody else's: "
    "stop the sum where the episode is over, by either flag."
)
def gae_runs_over_a_cut(reward, V, V_next, terminated, truncated, gamma, lam):
    delta, _ = parts_of_gae(reward, V, V_next, terminated, truncated, gamma)
    return swept(delta, gamma * lam * ~terminated)


@many_steps.mistake(
    "You take a truncated step for a terminated one: its V(s') is gone. The clock ended it, not the world, so δ keeps "
    "its future; only the sum stops."
)
def gae_done(reward, V, V_next, terminated, truncated, gamma, lam):
    delta, goes_on = parts_of_gae(reward, V, V_next, terminated | truncated, truncated, gamma)
    return swept(delta, gamma * lam * goes_on)


@many_steps.mistake(
    "V(s') is masked, but the sum runs on from episode to episode. Where `terminated` or `truncated` is True, nothing "
    "of A_{t+1} belongs to this episode."
)
def gae_never_stops(reward, V, V_next, terminated, truncated, gamma, lam):
    delta, goes_on = parts_of_gae(reward, V, V_next, terminated, truncated, gamma)
    return swept(delta, gamma * lam * np.ones(goes_on.shape))


@many_steps.mistake(
    "V(s') is masked at both kinds of end, and the sum at none. It is the other way round at a cut: V(s') stays, and "
    "the sum stops."
)
def gae_masks_only_the_values(reward, V, V_next, terminated, truncated, gamma, lam):
    delta, goes_on = parts_of_gae(reward, V, V_next, terminated | truncated, truncated, gamma)
    return swept(delta, gamma * lam * np.ones(goes_on.shape))


@many_steps.mistake(
    "The two masks have changed places: at a cut V(s') stays and the sum stops. Yours takes V(s') away, and lets the "
    "sum run on."
)
def gae_masks_swapped(reward, V, V_next, terminated, truncated, gamma, lam):
    delta, _ = parts_of_gae(reward, V, V_next, terminated | truncated, truncated, gamma)
    return swept(delta, gamma * lam * ~terminated)


@many_steps.mistake("Your sum stops where an episode was cut off, but runs on where it terminated. Stop it at both.")
def gae_runs_over_an_end(reward, V, V_next, terminated, truncated, gamma, lam):
    delta, _ = parts_of_gae(reward, V, V_next, terminated, truncated, gamma)
    return swept(delta, gamma * lam * ~truncated)


@many_steps.mistake("The sum stops at the ends, but in δ you look beyond a terminated step: V(s') counts as 0 there.")
def gae_looks_beyond_the_end(reward, V, V_next, terminated, truncated, gamma, lam):
    delta, _ = parts_of_gae(reward, V, V_next, terminated & False, truncated, gamma)
    return swept(delta, gamma * lam * ~(terminated | truncated))


@many_steps.mistake(
    "In δ you look beyond a terminated step, where V(s') counts as 0; and your sum stops there, but not where an episode was "
    "cut off. Stop it at both."
)
def gae_stops_at_ends_and_looks_beyond(reward, V, V_next, terminated, truncated, gamma, lam):
    delta, _ = parts_of_gae(reward, V, V_next, terminated & False, truncated, gamma)
    return swept(delta, gamma * lam * ~terminated)


@many_steps.mistake(
    "`terminated` has no effect in yours. Where it is True, V(s') counts as 0 in δ, and the sum stops, as it does at a cut."
)
def gae_knows_no_end(reward, V, V_next, terminated, truncated, gamma, lam):
    delta, _ = parts_of_gae(reward, V, V_next, terminated & False, truncated, gamma)
    return swept(delta, gamma * lam * ~truncated)


@many_steps.mistake("There is no mask at all: neither does the sum stop, nor is V(s') 0 where the world ended.")
def gae_without_masks(reward, V, V_next, terminated, truncated, gamma, lam):
    delta, goes_on = parts_of_gae(reward, V, V_next, terminated & False, truncated, gamma)
    return swept(delta, gamma * lam * np.ones(goes_on.shape))


@many_steps.mistake(
    "In δ you look beyond a terminated step, and at a cut you do not: the wrong way round. V(s') is 0 where "
    "*terminated* is True."
)
def gae_wrong_flag_in_delta(reward, V, V_next, terminated, truncated, gamma, lam):
    delta, _ = parts_of_gae(reward, V, V_next, truncated, truncated, gamma)
    return swept(delta, gamma * lam * ~(terminated | truncated))


@many_steps.mistake(
    "Where a step is both terminated and truncated you keep V(s'). The world has ended there, whatever the clock says."
)
def gae_truncated_wins(reward, V, V_next, terminated, truncated, gamma, lam):
    delta, goes_on = parts_of_gae(reward, V, V_next, terminated & ~truncated, truncated, gamma)
    return swept(delta, gamma * lam * goes_on)


@many_steps.mistake(
    "For V(s') you take V of the next row. After a cut that is the first state of *another* episode: use `V_next`, "
    "which is the value of what was really seen."
)
def gae_value_of_the_next_row(reward, V, V_next, terminated, truncated, gamma, lam):
    delta, goes_on = parts_of_gae(reward, V, np.concatenate([V[1:], V_next[-1:]]), terminated, truncated, gamma)
    return swept(delta, gamma * lam * goes_on)


@many_steps.mistake(
    "For V(s') you take V of the next row, and after the last row nothing. The rollout ends there, but the episode "
    "does not: `V_next` knows what follows, at every step."
)
def gae_value_of_the_next_row_or_nothing(reward, V, V_next, terminated, truncated, gamma, lam):
    delta, goes_on = parts_of_gae(reward, V, np.concatenate([V[1:], 0 * V[-1:]]), terminated, truncated, gamma)
    return swept(delta, gamma * lam * goes_on)


@many_steps.mistake(
    "At the last row V(s') is missing. There the rollout ends, but not the episode, unless it terminated: `V_next` "
    "counts there too."
)
def gae_last_row_without_a_future(reward, V, V_next, terminated, truncated, gamma, lam):
    last = np.arange(len(V)).reshape(-1, *[1] * (V.ndim - 1)) == len(V) - 1
    return my_gae(reward, V, np.where(last, 0.0, V_next), terminated, truncated, gamma, lam)


@many_steps.mistake(
    "Your sum begins with `V_next` of the last row, which δ has in it already. After the last row it begins with 0."
)
def gae_bootstraps_twice(reward, V, V_next, terminated, truncated, gamma, lam):
    delta, goes_on = parts_of_gae(reward, V, V_next, terminated, truncated, gamma)
    return swept(delta, gamma * lam * goes_on, begin=V_next[-1])


@many_steps.mistake("λ is missing: the sum fades by γ λ a step, not by γ.")
def gae_without_lam(reward, V, V_next, terminated, truncated, gamma, lam):
    return my_gae(reward, V, V_next, terminated, truncated, gamma, 1.0)


@many_steps.mistake("In the sum γ is missing: it fades by γ λ a step, not by λ.")
def gae_sum_without_gamma(reward, V, V_next, terminated, truncated, gamma, lam):
    delta, goes_on = parts_of_gae(reward, V, V_next, terminated, truncated, gamma)
    return swept(delta, lam * goes_on)


@many_steps.mistake("In δ γ is missing: V(s') lies one step ahead, so it is discounted.")
def gae_delta_without_gamma(reward, V, V_next, terminated, truncated, gamma, lam):
    delta, goes_on = parts_of_gae(reward, V, V_next, terminated, truncated, 1.0)
    return swept(delta, gamma * lam * goes_on)


@many_steps.mistake("γ is missing everywhere: in δ, and in the sum.")
def gae_without_gamma(reward, V, V_next, terminated, truncated, gamma, lam):
    return my_gae(reward, V, V_next, terminated, truncated, 1.0, lam)


@many_steps.mistake("In δ V(s') is multiplied by λ too. The TD error has γ alone; λ belongs to the sum.")
def gae_lam_in_delta(reward, V, V_next, terminated, truncated, gamma, lam):
    delta, goes_on = parts_of_gae(reward, V, V_next, terminated, truncated, gamma * lam)
    return swept(delta, gamma * lam * goes_on)


@many_steps.mistake(
    "In δ stands λ where γ should stand. (Have the two changed places? In γλ nobody would notice it, in δ it matters.)"
)
def gae_lam_for_gamma_in_delta(reward, V, V_next, terminated, truncated, gamma, lam):
    delta, goes_on = parts_of_gae(reward, V, V_next, terminated, truncated, lam)
    return swept(delta, gamma * lam * goes_on)


@many_steps.mistake(
    "The sum fades by γ (1 - λ). λ is upside down: 0 leaves the TD error alone, 1 lets all that comes count."
)
def gae_lam_upside_down(reward, V, V_next, terminated, truncated, gamma, lam):
    return my_gae(reward, V, V_next, terminated, truncated, gamma, 1 - lam)


@many_steps.mistake("You multiply by 1 - λ. The mean over n-step advantages has it, but in the sum of δ it is gone.")
def gae_weighted_mean(reward, V, V_next, terminated, truncated, gamma, lam):
    return (1 - lam) * my_gae(reward, V, V_next, terminated, truncated, gamma, lam)


@many_steps.mistake("Time runs forwards: each step gets the errors *before* it. Begin at the last row: `reversed`.")
def gae_forwards(reward, V, V_next, terminated, truncated, gamma, lam):
    delta, goes_on = parts_of_gae(reward, V, V_next, terminated, truncated, gamma)
    return swept(delta[::-1], gamma * lam * goes_on[::-1])[::-1].copy()


@many_steps.mistake(
    "Time runs forwards: each step gets the errors *before* it, of its episode. What comes after is its doing: begin "
    "at the last row."
)
def gae_forwards_within_episodes(reward, V, V_next, terminated, truncated, gamma, lam):
    delta, goes_on = parts_of_gae(reward, V, V_next, terminated, truncated, gamma)
    before = np.concatenate([goes_on[:1], goes_on[:-1]])
    return swept(delta[::-1], gamma * lam * before[::-1])[::-1].copy()


@many_steps.mistake(
    "You look at the flag of the row after: at `t + 1`. Whether step t was the last of its episode says the flag at "
    "`t`. (Or do you set the sum to 0 after A[t] is written? That has to come before.)"
)
def gae_flag_of_the_row_after(reward, V, V_next, terminated, truncated, gamma, lam):
    delta, goes_on = parts_of_gae(reward, V, V_next, terminated, truncated, gamma)
    return swept(delta, gamma * lam * np.concatenate([goes_on[1:], goes_on[:1] | True]))


@many_steps.mistake(
    "You look at the flag of the row before. Whether step t was the last of its episode says the flag at `t`."
)
def gae_flag_of_the_row_before(reward, V, V_next, terminated, truncated, gamma, lam):
    delta, goes_on = parts_of_gae(reward, V, V_next, terminated, truncated, gamma)
    return swept(delta, gamma * lam * np.concatenate([goes_on[:1] | True, goes_on[:-1]]))


@many_steps.mistake("The mask is turned around: your sum goes on only where an episode is over.")
def gae_mask_turned_around(reward, V, V_next, terminated, truncated, gamma, lam):
    delta, goes_on = parts_of_gae(reward, V, V_next, terminated, truncated, gamma)
    return swept(delta, gamma * lam * ~goes_on)


@many_steps.mistake(
    "The last step of an episode has an advantage of 0 here. Its own δ counts; only what comes after does not."
)
def gae_zero_at_the_end(reward, V, V_next, terminated, truncated, gamma, lam):
    delta, goes_on = parts_of_gae(reward, V, V_next, terminated, truncated, gamma)
    return swept(delta * goes_on, gamma * lam * goes_on)


@many_steps.mistake(
    "When one world is over you forget the sum of *all* worlds. Each has its own flag: multiply by it, entry by entry."
)
def gae_stops_all_worlds(reward, V, V_next, terminated, truncated, gamma, lam):
    delta, goes_on = parts_of_gae(reward, V, V_next, terminated, truncated, gamma)
    return swept(delta, gamma * lam * goes_on.reshape(len(delta), -1).all(axis=1))


@many_steps.mistake("These are the TD errors alone, as if λ were 0. What comes later counts too, γλ a step.")
def gae_of_one_step(reward, V, V_next, terminated, truncated, gamma, lam):
    return my_gae(reward, V, V_next, terminated, truncated, gamma, 0.0)


@many_steps.mistake("You look only one step ahead: δ_t + γ λ δ_{t+1}. It goes on: A_{t+1} in place of δ_{t+1}.")
def gae_one_step_ahead(reward, V, V_next, terminated, truncated, gamma, lam):
    delta, goes_on = parts_of_gae(reward, V, V_next, terminated, truncated, gamma)
    return delta + gamma * lam * goes_on * np.concatenate([delta[1:], 0 * delta[-1:]])


@many_steps.mistake("You return A + V, the target of the critic. The advantage was asked for: leave V away.")
def gae_returns_the_target(reward, V, V_next, terminated, truncated, gamma, lam):
    return my_gae(reward, V, V_next, terminated, truncated, gamma, lam) + V


@many_steps.mistake("V(s) is missing in δ: what was expected has to be taken away.")
def gae_without_what_was_expected(reward, V, V_next, terminated, truncated, gamma, lam):
    delta, goes_on = parts_of_gae(reward, V, V_next, terminated, truncated, gamma)
    return swept(delta + V, gamma * lam * goes_on)


@many_steps.mistake("V(s) is missing in δ where the world ended. It was expected there as well: r - V(s).")
def gae_end_without_expectation(reward, V, V_next, terminated, truncated, gamma, lam):
    delta, goes_on = parts_of_gae(reward, V, V_next, terminated, truncated, gamma)
    return swept(delta + V * terminated, gamma * lam * goes_on)


@many_steps.mistake("In δ you use V(s) twice. The promise is the value of where the step led: `V_next`.")
def gae_v_for_v_next(reward, V, V_next, terminated, truncated, gamma, lam):
    return my_gae(reward, V, V, terminated, truncated, gamma, lam)


@many_steps.mistake("The sign is turned around: what came less what was expected. Above 0 means better than expected.")
def gae_turned_around(reward, V, V_next, terminated, truncated, gamma, lam):
    return -my_gae(reward, V, V_next, terminated, truncated, gamma, lam)


@many_steps.mistake("You take A_{t+1} away. What comes later is added: δ_t + γ λ A_{t+1}.")
def gae_less_what_comes(reward, V, V_next, terminated, truncated, gamma, lam):
    return my_gae(reward, V, V_next, terminated, truncated, gamma, -lam)


@many_steps.mistake("You write A[t] before the error of step t is added: first add, then write.")
def gae_written_too_early(reward, V, V_next, terminated, truncated, gamma, lam):
    delta, goes_on = parts_of_gae(reward, V, V_next, terminated, truncated, gamma)
    return gamma * lam * goes_on * np.concatenate([swept(delta, gamma * lam * goes_on)[1:], 0 * delta[-1:]])


@many_steps.mistake("The last row is left 0: your loop begins one row too early. At the last row A is δ.")
def gae_last_row_left_out(reward, V, V_next, terminated, truncated, gamma, lam):
    delta, goes_on = parts_of_gae(reward, V, V_next, terminated, truncated, gamma)
    delta[-1] = 0
    return swept(delta, gamma * lam * goes_on)


@many_steps.mistake("The first row is left 0: your loop ends one row too early, before t = 0.")
def gae_first_row_left_out(reward, V, V_next, terminated, truncated, gamma, lam):
    A = my_gae(reward, V, V_next, terminated, truncated, gamma, lam)
    A[:1] = 0
    return A


@many_steps.mistake("Your result begins with the last step: turn it around.")
def gae_from_the_end(reward, V, V_next, terminated, truncated, gamma, lam):
    return my_gae(reward, V, V_next, terminated, truncated, gamma, lam)[::-1].copy()


@many_steps.mistake(
    "You normalise the advantages, over time. Whether that is done is for the caller to decide; here they come as "
    "they are."
)
def gae_normalised(reward, V, V_next, terminated, truncated, gamma, lam):
    A = my_gae(reward, V, V_next, terminated, truncated, gamma, lam)
    return (A - A.mean(axis=0)) / (A.std(axis=0) + 1e-8)


@many_steps.mistake(
    "You normalise the advantages, over all worlds. Whether that is done is for the caller to decide; here they come "
    "as they are."
)
def gae_normalised_over_all(reward, V, V_next, terminated, truncated, gamma, lam):
    A = my_gae(reward, V, V_next, terminated, truncated, gamma, lam)
    return (A - A.mean()) / (A.std() + 1e-8)


@many_steps.mistake("You return one number for each world. Every step has an advantage of its own.")
def gae_of_the_first_step(reward, V, V_next, terminated, truncated, gamma, lam):
    return my_gae(reward, V, V_next, terminated, truncated, gamma, lam)[0]


@many_steps.mistake(
    "Your loop goes over the last axis. Time is the first: `reward[t]` is a row, one number for each world."
)
def gae_over_the_last_axis(reward, V, V_next, terminated, truncated, gamma, lam):
    arrays = reward, V, V_next, terminated, truncated
    reward, V, V_next, terminated, truncated = (np.moveaxis(x, -1, 0) for x in arrays)
    return np.moveaxis(my_gae(reward, V, V_next, terminated, truncated, gamma, lam), 0, -1)


@many_steps.mistake("Your loop stops at the first end that it meets. `break` leaves it; set the sum to 0 and go on.")
def gae_breaks_off(reward, V, V_next, terminated, truncated, gamma, lam):
    A = my_gae(reward, V, V_next, terminated, truncated, gamma, lam)
    over = (terminated | truncated).reshape(len(A), -1).any(axis=1)
    if over.any():
        A[: np.flatnonzero(over)[-1] + 1] = 0
    return A


@many_steps.mistake(
    "A cut is nothing to you: for V(s') you take V of the next row, and the sum runs on as well. But the next row is "
    "another episode: `V_next` is what was really seen, and the sum stops."
)
def gae_glues_episodes_together(reward, V, V_next, terminated, truncated, gamma, lam):
    delta, _ = parts_of_gae(reward, V, np.concatenate([V[1:], V_next[-1:]]), terminated, truncated, gamma)
    return swept(delta, gamma * lam * ~terminated)


@many_steps.mistake("Your sum stops only where *both* flags are True. One is enough: `|` in place of `&`.")
def gae_stops_at_both_only(reward, V, V_next, terminated, truncated, gamma, lam):
    delta, _ = parts_of_gae(reward, V, V_next, terminated, truncated, gamma)
    return swept(delta, gamma * lam * ~(terminated & truncated))


@many_steps.mistake("In δ the reward is lost where the world ended. It was paid: only V(s') is 0 there.")
def gae_end_without_reward(reward, V, V_next, terminated, truncated, gamma, lam):
    delta, goes_on = parts_of_gae(reward, V, V_next, terminated, truncated, gamma)
    return swept(delta - reward * terminated, gamma * lam * goes_on)


# -- 4. a prediction -----------------------------------------------------------------------------------------------

how_far_off = Exercise(
    "actor_critic.prediction",
    title="What λ does to the critic's error",
    name="my_error",
    value=True,
    rtol=0.0,
    atol=0.001,
    hints=[
        "V̂(s₁) stands in two of the δ: in δ₀ as what is promised, and in δ₁ as what was expected. Write both down.",
        "δ₀ = r₀ + γ V̂(s₁) - V̂(s₀) is 0.9 · 10 too large; δ₁ = r₁ + γ V̂(s₂) - V̂(s₁) is 10 too *small*. All other "
        "δ are right.",
        "In A₀ = δ₀ + γλ δ₁ + ..., δ₁ has the weight γλ = 0.72.",
        "`my_error = 0.9 * 10 - 0.72 * 10`, which is 1.8",
    ],
    insight="In general γ (1 - λ) e: each error of the critic comes twice, with opposite signs, and λ decides how "
    "much of the second is there to undo the first. With λ = 1 nothing is left. (An error at s₀ itself stays, "
    "whatever λ; but it is the same for every action, and so only a baseline.)",
)


@how_far_off.reference
def my_error():
    return 1.8


@how_far_off.judge
def what_an_error_says(case: Case, got: Any) -> str | None:
    """Judge a number, and say what to work out for another one."""
    if not is_finite_number(got):
        said = difference(got, my_error(), 0, 0)
        return "One number is asked for." if said in (None, ANOTHER_VALUE) else said
    error = float(got)
    if abs(error - my_error()) <= how_far_off.atol:
        return None
    if abs(error - my_error()) < 0.1:
        return "Near. By hand it is an exact number, with one digit behind the point."
    if error > 9:
        return "Even with λ = 0 it is only 9. In which of the δ does V̂(s₁) come in a second time, and with which sign?"
    return "V̂(s₁) stands in two of the δ. By how much is each of them off, and with which weight is it in A₀?"


@how_far_off.mistake(
    "That is the error of δ₀, and with λ = 0 it is all there is. With λ above 0 δ₁ counts as well, and V̂(s₁) stands "
    "in it a second time, with a minus."
)
def error_of_delta_0():
    return 9


@how_far_off.mistake("δ₁ is not 10 too large, but too *small*: V̂(s₁) is what was expected there, and is taken away.")
def error_added():
    return 16.2


@how_far_off.mistake(
    "That is what δ₁ takes off again (or the error of δ₀ times λ, but λ is no weight of δ₀: that one is 1). What is "
    "left of the 9?"
)
def error_of_the_second_part():
    return 7.2


@how_far_off.mistake("That is the error of δ₁ in A₀, by itself. To it comes that of δ₀, γ · 10 = 9.")
def error_of_delta_1():
    return -7.2


@how_far_off.mistake("In δ₀ the value of s₁ is discounted: the promise is 0.9 · 10 too large, and not 10.")
def error_10():
    return 10


@how_far_off.mistake(
    "You took 10 · (1 - λ). Both parts have a γ too: in δ₀ in front of V̂(s₁), and in the weight γλ of δ₁."
)
def error_without_gamma():
    return 2


@how_far_off.mistake("In δ₀ γ is missing: the promise of s₁ is discounted. So it is 0.9 · 10, less 0.72 · 10.")
def error_of_delta_0_without_gamma():
    return 2.8


@how_far_off.mistake("The weight of δ₁ in A₀ is γλ = 0.72, and not λ alone.")
def error_with_lam_as_weight():
    return 1


@how_far_off.mistake("The weight of δ₁ in A₀ is γλ = 0.72, and not γ alone; and with λ = 1 it would be right.")
def error_as_with_lam_1():
    return 0


@how_far_off.mistake(
    "In δ₁ it is V̂(s₁) without γ that is taken away: 10, and not 9. Gamma comes once, in the weight γλ."
)
def error_with_gamma_twice():
    return 2.52


@how_far_off.mistake("γ comes once too often: the error is γ (1 - λ) · 10.")
def error_with_gamma_squared():
    return 1.62


@how_far_off.mistake(
    "You have the sign of the whole turned around: the promise is too large, and more of it is left than is taken off."
)
def error_with_a_minus():
    return -1.8


@how_far_off.mistake("That is by which factor the error of A₀ grows smaller. By how much is A₀ too large?")
def error_as_a_factor():
    return 5


@how_far_off.mistake("That is the share of the 9 that is left. By how much is A₀ too large?")
def error_as_a_share():
    return 0.2


@how_far_off.mistake(
    "That is 9 / (1 - γλ), as if every δ were 9 too large. Only δ₀ is; δ₁ is 10 too small, and all others are right."
)
def error_in_every_delta():
    return 32.142857


@how_far_off.mistake("That is an error of -10 at s₀, where the critic is right. It is wrong at s₁.")
def error_at_the_start():
    return -10


@how_far_off.mistake("That would be so with λ = 0.9. Here γ is 0.9, and λ is 0.8.")
def error_with_another_lam():
    return 0.9


@how_far_off.mistake("γ and λ have changed places: γ is 0.9, and λ is 0.8.")
def error_with_gamma_for_lam():
    return 0.8


@how_far_off.mistake(
    "10 λ is in neither of the two: δ₀ has γ · 10 too much, and δ₁, with its weight γλ, takes off again."
)
def error_ten_lam():
    return 8


# -- 5. A2C's loss -------------------------------------------------------------------------------------------------

both_losses = Exercise(
    "actor_critic.a2c_loss",
    title="A2C's loss",
    name="my_a2c_loss",
    hints=[
        "The actor's part is the loss of chapter 4: -log π(a|s) A, with "
        "`policy(rollout.obs).log_prob(rollout.action)`.",
        "The critic gives float[K, N, 1], the targets are float[K, N]. Between the two torch would make [.., N, N] "
        "of them, without a word: take the last axis away first, `critic(rollout.obs).squeeze(-1)`.",
        "The critic's part is half of the square of target - V(s). And a policy is *paid* for its entropy, so of a "
        "loss it is taken away.",
        "`pi = policy(rollout.obs)`, `V = critic(rollout.obs).squeeze(-1)` and `return -pi.log_prob(rollout.action) "
        "* rollout.advantage + 0.5 * (rollout.target - V)**2 - entropy * pi.entropy()`",
    ],
    insight="Three terms, added, and yet the actor learns only from the first and the last, and the critic only from "
    "the middle: the advantage is a number from before. If the two share layers, these are pulled by both.",
    rtol=1e-5,
    atol=1e-5,
)


@both_losses.reference
def my_a2c_loss(policy, critic, rollout, entropy):
    """Return -log pi(a|s) A + 1/2 (target - V(s))^2 - entropy H(pi(.|s)).

    policy: obs float[K, N, ...] -> a head: .log_prob(action), .entropy()
    critic: obs float[K, N, ...] -> V(s), float[K, N, 1]
    rollout: has .obs, .action, .advantage and .target, [K, N, ...] each;
    advantage and target are numbers from before, without a gradient
    (.log_prob and .real are there too; this loss does without them)
    entropy: float, what a unit of entropy is worth
    Returns float[K, N], one for each step, with gradients by both networks.
    """
    # BEGIN SOLUTION
    pi = policy(rollout.obs)
    V = critic(rollout.obs).squeeze(-1)
    actor = -pi.log_prob(rollout.action) * rollout.advantage
    return actor + 0.5 * (rollout.target - V) ** 2 - entropy * pi.entropy()
    # END SOLUTION


@both_losses.also_right
def a2c_loss_with_everything_detached(policy, critic, rollout, entropy):
    head, value = policy(rollout.obs), critic(rollout.obs)[..., 0]
    actor = (head.log_prob(rollout.action) * rollout.advantage.detach() + entropy * head.entropy()).neg()
    return actor + (value - rollout.target.detach()).pow(2) / 2


@both_losses.also_right
def a2c_loss_by_torch_functions(policy, critic, rollout, entropy):
    V = critic(rollout.obs).reshape(rollout.target.shape)
    mse = torch.nn.functional.mse_loss(V, rollout.target, reduction="none")
    loss = 0.5 * mse - policy(rollout.obs).log_prob(rollout.action) * rollout.advantage
    return loss - entropy * policy(rollout.obs).entropy() if entropy else loss


@both_losses.also_right
def a2c_loss_without_squeeze(policy, critic, rollout, entropy):
    pi = policy(rollout.obs)
    error = rollout.target.unsqueeze(-1) - critic(rollout.obs)
    return 0.5 * error.square().sum(-1) - rollout.advantage * pi.log_prob(rollout.action) - entropy * pi.entropy()


@cache
def _critic() -> Any:
    class Critic(torch.nn.Module):
        def __init__(self, table: Any):
            super().__init__()
            self.table = torch.nn.Parameter(torch.as_tensor(table, dtype=torch.float32))

        def forward(self, obs: Any) -> Any:
            return obs @ self.table

        def __repr__(self) -> str:
            return f"small_critic({np.round(self.table.tolist(), 4).tolist()})"

    return Critic


def small_critic(table: Any) -> Any:
    """Return the smallest critic there is, K copies of it: V(s) = obs @ table, float[K, N, 1].

    For an observation with a single 1, at place s, it says what stands in row s.

    Args:
        table: float[K, S, 1].
    """
    return _critic()(table)


def rollout_of(
    policy: Any,
    states: list[list[int]],
    action: Any,
    advantage: list[list[float]],
    target: list[list[float]],
    real: list[list[bool]] | None = None,
) -> Any:
    """Return steps among three states, each observed as a row with a single 1.

    Args:
        policy: who acted.
        states, action, advantage, target, real: [K][N]; actions may be numbers, [K][N][D]. Without ``real``
            all steps are.
    """
    from rlkit.learn.actor_critic.a2c import Rollout

    obs, action = torch.eye(3)[torch.tensor(states)], torch.tensor(action)
    goals = torch.tensor(target)
    counts = torch.ones(goals.shape, dtype=torch.bool) if real is None else torch.tensor(real)
    return Rollout(obs, action, policy(obs).log_prob(action).detach(), torch.tensor(advantage), goals, counts)


VALUES = [[[1.0], [2.0], [4.0]], [[3.0], [0.0], [-1.0]]]  # of two copies, in three states
LOG_2, LOG_4 = float(np.log(2)), float(np.log(4))


@both_losses.cases
def a2c_losses_to_compute(rng: np.random.Generator) -> Iterator[Case]:
    one, both, V_one, V_both = (
        small_policy(LOGITS[:1]),
        small_policy(LOGITS),
        small_critic(VALUES[:1]),
        small_critic(VALUES),
    )
    why = (
        "π(a|s) = 3/4, so the actor's part is 0.2877 · 2 = 0.5754; V(s) = 1, and half of (3 - 1)² is 2: in all "
        "2.5754. As one step of one copy: [[2.5754]]"
    )
    yield Case(
        "one step, better than expected", (one, V_one, rollout_of(one, [[0]], [[1]], [[2.0]], [[3.0]]), 0.0), why
    )
    why = "π(a|s) = 1/4: 1.3863 · (-2) = -2.7726; V(s) = 1, and half of (-1 - 1)² is 2: -0.7726"
    yield Case(
        "one step, worse than expected", (one, V_one, rollout_of(one, [[0]], [[0]], [[-2.0]], [[-1.0]]), 0.0), why
    )
    why = "2.5754 as at first, less 0.5 times the entropy of (1/4, 3/4), which is 0.5623: 2.2942"
    yield Case("with entropy", (one, V_one, rollout_of(one, [[0]], [[1]], [[2.0]], [[3.0]]), 0.5), why)
    three = rollout_of(one, [[0, 1, 2]], [[1, 1, 0]], [[2.0, -1.0, 4.0]], [[3.0, 1.0, 8.0]])
    why = (
        "π = 3/4, 1/5 and 1/2: 0.2877 · 2, 1.6094 · (-1) and 0.6931 · 4; V = 1, 2 and 4, so half of 2², 1² and 4² is "
        "added: 2.5754, -1.1094 and 10.7726"
    )
    yield Case("one copy, three steps", (one, V_one, three, 0.0), why)
    states, action = [[0, 1, 2], [0, 1, 2]], [[1, 1, 0], [1, 0, 0]]
    advantage, target = [[2.0, -1.0, 4.0], [1.0, 0.0, -3.0]], [[3.0, 1.0, 8.0], [4.0, 0.0, -4.0]]
    many = rollout_of(both, states, action, advantage, target)
    why = (
        "the first copy as before; the second: π = 1/10, 1/8 and 2/5, so 2.3026 · 1, 0 and 0.9163 · (-3), and V = 3, "
        "0 and -1, so half of 1², 0 and 3² is added: 2.8026, 0 and 1.7511"
    )
    yield Case("two copies, three steps each", (both, V_both, many, 0.0), why)
    why = (
        "as before, and from each half of its own entropy is taken away. The entropies are 0.5623, 0.5004 and 0.6931; "
        "0.3251, 0.3768 and 0.6730"
    )
    yield Case("two copies, with entropy", (both, V_both, many, 0.5), why)
    why = "2.5754 and 2.8026, as [[2.5754], [2.8026]]"
    short = rollout_of(both, [[0], [0]], [[1], [1]], [[2.0], [1.0]], [[3.0], [4.0]])
    yield Case("two copies, one step each", (both, V_both, short, 0.0), why)
    why = (
        "advantages of 2 and -1 were normalised to 1 and -1 for the actor: 0.2877 · 1 and 1.6094 · (-1); the targets "
        "are still 1 + 2 and 2 - 1: half of 2² and half of 1². In all 2.2877 and -1.1094"
    )
    brought = rollout_of(one, [[0, 1]], [[1, 1]], [[1.0, -1.0]], [[3.0, 1.0]])
    yield Case("advantages that were normalised", (one, V_one, brought, 0.0), why)
    why = (
        "the second step was none, as the world only began anew. To leave it out is for the caller, who knows it from "
        "`real`: 2.5754, -1.1094 and 10.7726 as before, less half of the entropies, 0.5623, 0.5004 and 0.6931"
    )
    unreal = three._replace(real=torch.tensor([[True, False, True]]))
    yield Case("a step that is not real", (one, V_one, unreal, 0.5), why)
    why = (
        "the steps were made by an older policy, that of “two copies”, first; since then π(a|s) has become 1/2, and "
        "V(s) 2: 0.6931 · 2 and half of (3 - 2)² are 1.8863. The policy that is to learn is the one that is given"
    )
    newer = small_policy(np.zeros((1, 3, 2))), small_critic([[[2.0], [0.0], [0.0]]])
    yield Case("steps of an older policy", (*newer, rollout_of(one, [[0]], [[1]], [[2.0]], [[3.0]]), 0.0), why)
    normal = small_policy([[[1.0, 0.0], [0.0, 0.0], [2.0, 1.0]]], [[[LOG_2, LOG_4]]])
    why = (
        "numbers in place of buttons: σ = 2 and 4, (a - μ)/σ is 1 and -2, 1 and 0, so log π = -6.4173 and -4.4173; "
        "times -2 and 1, 12.8346 and -4.4173; V = 1 and 2, and half of 2² and 1² is added; the entropy is log 2 + log "
        "4 + log(2πe) = 4.9173, and half of it is taken away"
    )
    pushes = rollout_of(normal, [[0, 1]], [[[3.0, -8.0], [2.0, 0.0]]], [[2.0, -1.0]], [[3.0, 1.0]])
    yield Case("a Gaussian policy", (normal, V_one, pushes, 0.5), why)
    why = (
        "π = 3/4 and 4/5: 0.2877 · 40 = 11.5073 and 0.2231 · (-30) = -6.6943; half of 40² and 30² is added. Nothing "
        "is cut off or rounded, however large"
    )
    large = rollout_of(one, [[0, 1]], [[1, 0]], [[40.0, -30.0]], [[41.0, -28.0]])
    yield Case("large advantages", (one, V_one, large, 0.0), why)
    for k, bonus in (1, 0.0), (2, 0.3):
        policy, critic = small_policy(random_tensor(rng, 2, 3, 4)), small_critic(random_tensor(rng, 2, 3, 1))
        states, action = rng.integers(3, size=(2, 5)).tolist(), rng.integers(4, size=(2, 5)).tolist()
        A, y = rng.normal(size=(2, 2, 5)).round(2).tolist()
        yield Case(f"random steps {k}", (policy, critic, rollout_of(policy, states, action, A, y), bonus))
    policy, critic = small_policy(random_tensor(rng, 3, 3, 2)), small_critic(random_tensor(rng, 3, 3, 1))
    states, action = rng.integers(3, size=(3, 3)).tolist(), rng.integers(2, size=(3, 3)).tolist()
    A, y = rng.normal(size=(2, 3, 3)).round(2).tolist()
    yield Case("as many copies as steps", (policy, critic, rollout_of(policy, states, action, A, y), 0.2))


@both_losses.trial
def a2c_loss_and_gradients(loss_of, policy, critic, rollout, entropy):
    """Return the loss, and the gradients of its sum by the weights of both networks."""
    watched = {f"policy.{name}": w for name, w in policy.named_parameters()}
    watched |= {f"critic.{name}": w for name, w in critic.named_parameters()}
    before = [w.detach().clone() for w in watched.values()]
    loss = loss_of(policy, critic, rollout, entropy)
    if loss is None:
        return None
    moved = not all(map(torch.equal, before, watched.values()))
    done = any(w.grad is not None for w in watched.values())
    gradients: Any = [None] * len(watched)
    if getattr(loss, "requires_grad", False):
        gradients = torch.autograd.grad(loss.sum(), list(watched.values()), allow_unused=True)
    seen = {f"gradient by {n}": NO_GRADIENT if g is None else g for n, g in zip(watched, gradients, strict=True)}
    return {"loss": detached(loss), **seen, "backward was called": done, "weights were changed": moved}


@both_losses.judge
def what_is_wrong_with_two_losses(case: Case, got: Any) -> str | None:
    """Judge the numbers first, and then where the gradients go."""
    expected = both_losses.outcome(my_a2c_loss, fresh(case.args))
    K, N = case.args[2].target.shape
    said = difference(got["loss"], expected["loss"], both_losses.rtol, both_losses.atol)
    if said is not None:
        wanted = (
            f"For each step, float[{K}, {N}], the actor's part, the critic's part and the entropy's were asked for."
        )
        return f"{said} {wanted}"
    if not isinstance(got["loss"], torch.Tensor):
        return (
            f"The numbers are right, but they come as {type(got['loss']).__name__}. A gradient is taken of them: stay "
            "with torch."
        )
    if got["backward was called"]:
        return "The loss is right, but `backward()` is the caller's affair: gradients add up, and would count twice."
    if got["weights were changed"]:
        return "The loss is right, but you change weights. Only the loss was asked for: the caller takes the step."
    for name, right in expected.items():
        given, of = got[name], "critic" if "critic" in name else "policy"
        if hasattr(right, "detach") and not hasattr(given, "detach"):
            return (
                f"The numbers are right, but no gradient reaches the {of}, so it never learns. Is something detached?"
            )
        if hasattr(right, "detach") and not close(given, right, both_losses.rtol, both_losses.atol):
            return (
                f"The numbers are right, but the gradient by the weights of the {of} is another one. Advantage and "
                "target are numbers from before: nothing flows through them, and everything through log π, V(s) and "
                "the entropy."
            )
    return None


def parts_of_a2c(policy, critic, rollout):
    """Return log pi(a|s), V(s) and the entropy of every step, float[K, N] each."""
    pi = policy(rollout.obs)
    return pi.log_prob(rollout.action), critic(rollout.obs).squeeze(-1), pi.entropy()


def added(actor, critic, bonus):
    """Return the sum of the three terms, the first and the last with a minus."""
    return -actor + critic - bonus


@both_losses.mistake(
    "The critic's output is [K, N, 1], the target [K, N]: their difference is a table in which *every* target meets "
    "every value, [.., N, N]. No error is raised, and the mean of it teaches the critic the mean. "
    "`critic(rollout.obs).squeeze(-1)` first."
)
def a2c_without_squeeze(policy, critic, rollout, entropy):
    log_p, _, H = parts_of_a2c(policy, critic, rollout)
    return added(log_p * rollout.advantage, 0.5 * (rollout.target - critic(rollout.obs)) ** 2, entropy * H)


@both_losses.mistake(
    "The critic's output is [K, N, 1], the target [K, N]: so every target meets every value, and the mean that you "
    "take of that teaches the critic nothing but the mean. `critic(rollout.obs).squeeze(-1)` first."
)
def a2c_mean_over_all_pairs(policy, critic, rollout, entropy):
    log_p, V, H = parts_of_a2c(policy, critic, rollout)
    pairs = (rollout.target.unsqueeze(-2) - V.unsqueeze(-1)) ** 2
    return added(log_p * rollout.advantage, 0.5 * pairs.mean(-1), entropy * H)


@both_losses.mistake(
    "Every action is weighted with *everybody's* advantage: one of log π and A has an axis of its own, so that all pairs are "
    "made, [K, N, N], and then averaged. Both are float[K, N]: step by step."
)
def a2c_weighs_with_all_advantages(policy, critic, rollout, entropy):
    log_p, V, H = parts_of_a2c(policy, critic, rollout)
    pairs = log_p.unsqueeze(-1) * rollout.advantage.unsqueeze(-2)
    return added(pairs.mean(-1), 0.5 * (rollout.target - V) ** 2, entropy * H)


@both_losses.mistake(
    "`squeeze()` takes away *all* axes of length 1, even that of a single copy or step: `squeeze(-1)`."
)
def a2c_squeezes_all(policy, critic, rollout, entropy):
    log_p, _, H = parts_of_a2c(policy, critic, rollout)
    V = critic(rollout.obs).squeeze()
    return added(log_p * rollout.advantage, 0.5 * (rollout.target - V) ** 2, entropy * H)


@both_losses.mistake("The result has an axis too many: every part has to be float[K, N], that of the critic too.")
def a2c_with_an_axis_more(policy, critic, rollout, entropy):
    return my_a2c_loss(policy, critic, rollout, entropy).unsqueeze(-1)


@both_losses.mistake(
    "You make the advantage anew, as target - V(s), and leave its gradient on. So the *actor's* loss flows into the "
    "critic, and moves V(s) to wherever that loss is small. `rollout.advantage` is a number."
)
def a2c_advantage_with_gradient(policy, critic, rollout, entropy):
    log_p, V, H = parts_of_a2c(policy, critic, rollout)
    return added(log_p * (rollout.target - V), 0.5 * (rollout.target - V) ** 2, entropy * H)


@both_losses.mistake(
    "You make the advantage anew, as target - V(s). It stands in the rollout already, and it may have been "
    "normalised: use `rollout.advantage`."
)
def a2c_advantage_made_anew(policy, critic, rollout, entropy):
    log_p, V, H = parts_of_a2c(policy, critic, rollout)
    return added(log_p * (rollout.target - V).detach(), 0.5 * (rollout.target - V) ** 2, entropy * H)


@both_losses.mistake(
    "You make the target anew, as V(s) + A, with its gradient: then V(s) is gone from target - V(s), and the critic "
    "learns nothing. `rollout.target` is a number from before."
)
def a2c_target_with_gradient(policy, critic, rollout, entropy):
    log_p, V, H = parts_of_a2c(policy, critic, rollout)
    return added(log_p * rollout.advantage, 0.5 * (V + rollout.advantage - V) ** 2, entropy * H)


@both_losses.mistake(
    "You make the target anew, as V(s) + A: that moves on with every step of the critic, and with normalised "
    "advantages it is another number. `rollout.target` stands still."
)
def a2c_target_made_anew(policy, critic, rollout, entropy):
    log_p, V, H = parts_of_a2c(policy, critic, rollout)
    return added(log_p * rollout.advantage, 0.5 * (V.detach() + rollout.advantage - V) ** 2, entropy * H)


@both_losses.mistake(
    "The half in front of the square is missing: the critic would learn twice as fast as was asked for."
)
def a2c_without_the_half(policy, critic, rollout, entropy):
    log_p, V, H = parts_of_a2c(policy, critic, rollout)
    return added(log_p * rollout.advantage, (rollout.target - V) ** 2, entropy * H)


@both_losses.mistake("The half is for the critic's square alone. Yours stands before the actor's part as well.")
def a2c_half_of_both(policy, critic, rollout, entropy):
    log_p, V, H = parts_of_a2c(policy, critic, rollout)
    return added(0.5 * log_p * rollout.advantage, 0.5 * (rollout.target - V) ** 2, entropy * H)


@both_losses.mistake("The whole is divided by 2. The half is for the critic's square alone.")
def a2c_half_of_all(policy, critic, rollout, entropy):
    return 0.5 * my_a2c_loss(policy, critic, rollout, entropy)


@both_losses.mistake(
    "The sign of the actor's part is turned around: an optimiser goes *downhill*, so it is minus log π(a|s) A."
)
def a2c_actor_uphill(policy, critic, rollout, entropy):
    log_p, V, H = parts_of_a2c(policy, critic, rollout)
    return added(-log_p * rollout.advantage, 0.5 * (rollout.target - V) ** 2, entropy * H)


@both_losses.mistake("The critic's square is taken away, so its error would be made *large*. Add it.")
def a2c_critic_uphill(policy, critic, rollout, entropy):
    log_p, V, H = parts_of_a2c(policy, critic, rollout)
    return added(log_p * rollout.advantage, -0.5 * (rollout.target - V) ** 2, entropy * H)


@both_losses.mistake("The whole sign is turned around: this is what should be made large. An optimiser goes downhill.")
def a2c_all_uphill(policy, critic, rollout, entropy):
    return -my_a2c_loss(policy, critic, rollout, entropy)


@both_losses.mistake(
    "You add the entropy, so the policy would be punished for being undecided. It is paid for it: of a loss it is "
    "taken *away*."
)
def a2c_entropy_added(policy, critic, rollout, entropy):
    log_p, V, H = parts_of_a2c(policy, critic, rollout)
    return added(log_p * rollout.advantage, 0.5 * (rollout.target - V) ** 2, -entropy * H)


@both_losses.mistake("The entropy is missing: take `entropy * policy(rollout.obs).entropy()` away.")
def a2c_without_entropy(policy, critic, rollout, entropy):
    return my_a2c_loss(policy, critic, rollout, 0.0)


@both_losses.mistake("You take the entropy away, whole. It is multiplied by `entropy` first.")
def a2c_with_all_of_the_entropy(policy, critic, rollout, entropy):
    return my_a2c_loss(policy, critic, rollout, 1.0)


@both_losses.mistake(
    "You take the number `entropy` away, but not the entropy of the policy: `entropy * policy(rollout.obs).entropy()`."
)
def a2c_less_the_number(policy, critic, rollout, entropy):
    return my_a2c_loss(policy, critic, rollout, 0.0) - entropy


@both_losses.mistake("The entropy is averaged over the steps. Each step has its own.")
def a2c_mean_entropy(policy, critic, rollout, entropy):
    log_p, V, H = parts_of_a2c(policy, critic, rollout)
    return added(log_p * rollout.advantage, 0.5 * (rollout.target - V) ** 2, entropy * H.mean(-1, keepdim=True))


@both_losses.mistake(
    "The entropy is averaged over all steps of all copies. Each step has its own, and copies share nothing."
)
def a2c_entropy_of_all(policy, critic, rollout, entropy):
    log_p, V, H = parts_of_a2c(policy, critic, rollout)
    return added(log_p * rollout.advantage, 0.5 * (rollout.target - V) ** 2, entropy * H.mean())


@both_losses.mistake(
    "-log π(a|s) is the entropy on average only. `policy(rollout.obs).entropy()` is the mean over all actions, "
    "without any chance."
)
def a2c_entropy_of_one_action(policy, critic, rollout, entropy):
    log_p, V, _ = parts_of_a2c(policy, critic, rollout)
    return added(log_p * rollout.advantage, 0.5 * (rollout.target - V) ** 2, -entropy * log_p)


@both_losses.mistake("The entropy has no gradient here, so nothing is paid for it: do not detach it.")
def a2c_entropy_detached(policy, critic, rollout, entropy):
    log_p, V, H = parts_of_a2c(policy, critic, rollout)
    return added(log_p * rollout.advantage, 0.5 * (rollout.target - V) ** 2, entropy * H.detach())


@both_losses.mistake(
    "`rollout.log_prob` is a number from before, without a gradient: the actor would never learn. Ask the policy: "
    "`policy(rollout.obs).log_prob(rollout.action)`."
)
def a2c_old_log_prob(policy, critic, rollout, entropy):
    _, V, H = parts_of_a2c(policy, critic, rollout)
    return added(rollout.log_prob * rollout.advantage, 0.5 * (rollout.target - V) ** 2, entropy * H)


@both_losses.mistake(
    "This is the ratio of new to old probability, times -A. PPO makes much of it, further down; A2C has log π(a|s)."
)
def a2c_of_the_ratio(policy, critic, rollout, entropy):
    log_p, V, H = parts_of_a2c(policy, critic, rollout)
    ratio = (log_p - rollout.log_prob).exp()
    return added(ratio * rollout.advantage, 0.5 * (rollout.target - V) ** 2, entropy * H)


@both_losses.mistake("You take the probability. The *logarithm* of it makes up for rare actions being seen rarely.")
def a2c_of_the_probability(policy, critic, rollout, entropy):
    log_p, V, H = parts_of_a2c(policy, critic, rollout)
    return added(log_p.exp() * rollout.advantage, 0.5 * (rollout.target - V) ** 2, entropy * H)


@both_losses.mistake(
    "You take the likeliest action. The advantage belongs to the one that was taken: `rollout.action`."
)
def a2c_of_the_mode(policy, critic, rollout, entropy):
    return my_a2c_loss(policy, critic, rollout._replace(action=policy(rollout.obs).mode()), entropy)


@both_losses.mistake("You draw a new action. The advantage belongs to the one that was taken: `rollout.action`.")
def a2c_of_a_new_action(policy, critic, rollout, entropy):
    action = policy(rollout.obs).sample(torch.Generator())
    return my_a2c_loss(policy, critic, rollout._replace(action=action), entropy)


@both_losses.mistake("You left the advantage out: so every action would be made likelier, whatever came of it.")
def a2c_without_advantage(policy, critic, rollout, entropy):
    return my_a2c_loss(policy, critic, rollout._replace(advantage=torch.ones_like(rollout.advantage)), entropy)


@both_losses.mistake(
    "The score is multiplied by the target. So it would be by the return without a baseline: the advantage has V(s) "
    "taken off."
)
def a2c_target_for_advantage(policy, critic, rollout, entropy):
    return my_a2c_loss(policy, critic, rollout._replace(advantage=rollout.target), entropy)


@both_losses.mistake(
    "Your critic learns the advantage. What it should say is the value of the state: `rollout.target`."
)
def a2c_advantage_for_target(policy, critic, rollout, entropy):
    return my_a2c_loss(policy, critic, rollout._replace(target=rollout.advantage), entropy)


@both_losses.mistake("The square of the advantage teaches the critic nothing: V(s) has to be in it. (target - V(s))².")
def a2c_square_of_the_advantage(policy, critic, rollout, entropy):
    log_p, _, H = parts_of_a2c(policy, critic, rollout)
    return added(log_p * rollout.advantage, 0.5 * rollout.advantage**2, entropy * H)


@both_losses.mistake(
    "The critic has no gradient here, so it would never learn. Detach the advantage, if you like, and not V(s) in its "
    "own loss."
)
def a2c_critic_detached(policy, critic, rollout, entropy):
    log_p, V, H = parts_of_a2c(policy, critic, rollout)
    return added(log_p * rollout.advantage, 0.5 * (rollout.target - V.detach()) ** 2, entropy * H)


@both_losses.mistake(
    "log π(a|s) has no gradient here, so the actor learns nothing from its advantages. Do not detach it."
)
def a2c_actor_detached(policy, critic, rollout, entropy):
    log_p, V, H = parts_of_a2c(policy, critic, rollout)
    return added(log_p.detach() * rollout.advantage, 0.5 * (rollout.target - V) ** 2, entropy * H)


@both_losses.mistake("The numbers are right, but no gradient is left at all, so nothing would be learned.")
def a2c_without_gradient(policy, critic, rollout, entropy):
    return my_a2c_loss(policy, critic, rollout, entropy).detach()


@both_losses.mistake("The critic's part is missing: who would teach it? Add half of (target - V(s))².")
def a2c_actor_alone(policy, critic, rollout, entropy):
    log_p, _, H = parts_of_a2c(policy, critic, rollout)
    return added(log_p * rollout.advantage, 0.0, entropy * H)


@both_losses.mistake("The actor's part is missing: this teaches the critic alone. Add -log π(a|s) A.")
def a2c_critic_alone(policy, critic, rollout, entropy):
    _, V, H = parts_of_a2c(policy, critic, rollout)
    return added(0.0, 0.5 * (rollout.target - V) ** 2, entropy * H)


@both_losses.mistake("You take the size of the critic's error. Its square was asked for, and half of it.")
def a2c_absolute_error(policy, critic, rollout, entropy):
    log_p, V, H = parts_of_a2c(policy, critic, rollout)
    return added(log_p * rollout.advantage, (rollout.target - V).abs(), entropy * H)


@both_losses.mistake(
    "The critic's error is not squared: this would push V(s) without end, and always in one direction."
)
def a2c_error_not_squared(policy, critic, rollout, entropy):
    log_p, V, H = parts_of_a2c(policy, critic, rollout)
    return added(log_p * rollout.advantage, 0.5 * (rollout.target - V), entropy * H)


@both_losses.mistake(
    "This is the Huber loss for the critic. It is milder with large errors, but here half of the square was asked for."
)
def a2c_huber(policy, critic, rollout, entropy):
    log_p, V, H = parts_of_a2c(policy, critic, rollout)
    huber = torch.nn.functional.smooth_l1_loss(V, rollout.target, reduction="none")
    return added(log_p * rollout.advantage, huber, entropy * H)


@both_losses.mistake(
    '`mse_loss` takes the mean over all steps by itself, so each step gets the errors of all. `reduction="none"`, or '
    "square by hand."
)
def a2c_mean_square(policy, critic, rollout, entropy):
    log_p, V, H = parts_of_a2c(policy, critic, rollout)
    return added(log_p * rollout.advantage, 0.5 * ((rollout.target - V) ** 2).mean(), entropy * H)


@both_losses.mistake("You return one number, the mean. Leave that to the caller, and return float[K, N].")
def a2c_mean_of_all(policy, critic, rollout, entropy):
    return my_a2c_loss(policy, critic, rollout, entropy).mean()


@both_losses.mistake("You return one number, the sum. Leave that to the caller, and return float[K, N].")
def a2c_sum_of_all(policy, critic, rollout, entropy):
    return my_a2c_loss(policy, critic, rollout, entropy).sum()


@both_losses.mistake("You average over the steps. Leave that to the caller, and return float[K, N].")
def a2c_mean_of_each_copy(policy, critic, rollout, entropy):
    return my_a2c_loss(policy, critic, rollout, entropy).mean(-1)


@both_losses.mistake("You return the parts by themselves. They are added, for each step.")
def a2c_in_parts(policy, critic, rollout, entropy):
    log_p, V, H = parts_of_a2c(policy, critic, rollout)
    return -log_p * rollout.advantage, 0.5 * (rollout.target - V) ** 2, -entropy * H


@both_losses.mistake(
    "You leave out the steps that are not real. The caller does that, who takes the mean over those that are: here "
    "every step counts."
)
def a2c_masked(policy, critic, rollout, entropy):
    return my_a2c_loss(policy, critic, rollout, entropy) * rollout.real


@both_losses.mistake(
    "You normalise the advantages. Whether that is done is for the caller to decide: they come as they are to be used."
)
def a2c_normalised(policy, critic, rollout, entropy):
    A = rollout.advantage - rollout.advantage.mean(-1, keepdim=True)
    A = A / ((A**2).mean(-1, keepdim=True).sqrt() + 1e-8)
    return my_a2c_loss(policy, critic, rollout._replace(advantage=A), entropy)


@both_losses.mistake(
    "You normalise the advantages, and over all copies. Copies share nothing, and the caller has done it where it is "
    "to be done."
)
def a2c_normalised_over_all(policy, critic, rollout, entropy):
    A = rollout.advantage - rollout.advantage.mean()
    return my_a2c_loss(policy, critic, rollout._replace(advantage=A / ((A**2).mean().sqrt() + 1e-8)), entropy)


@both_losses.mistake(
    "You cut large advantages off. They are weights, however large: what is to become of them is for the caller."
)
def a2c_clamped(policy, critic, rollout, entropy):
    return my_a2c_loss(policy, critic, rollout._replace(advantage=rollout.advantage.clamp(-10, 10)), entropy)


@both_losses.mistake(
    "The loss is right, but you call `backward()`. That is the caller's affair: gradients add up, and count twice."
)
def a2c_calls_backward(policy, critic, rollout, entropy):
    loss = my_a2c_loss(policy, critic, rollout, entropy)
    loss.sum().backward(retain_graph=True)
    return loss


@both_losses.mistake(
    "The loss is right, but you take the step as well, and change the weights. Only the loss was asked for."
)
def a2c_takes_the_step(policy, critic, rollout, entropy):
    loss = my_a2c_loss(policy, critic, rollout, entropy)
    weights = [*policy.parameters(), *critic.parameters()]
    gradients = torch.autograd.grad(loss.sum(), weights, retain_graph=True)
    with torch.no_grad():
        for w, g in zip(weights, gradients, strict=True):
            w.data -= 0.1 * g
    return loss


# -- 6. PPO's clip -------------------------------------------------------------------------------------------------

clip_it = Exercise(
    "actor_critic.ppo_clip",
    title="PPO's clip",
    name="my_clipped",
    hints=[
        "The ratio π/π_old from two logarithms: `ratio = (log_p - log_p_old).exp()`. Never by way of the "
        "probabilities, which may be too small for a float32.",
        "Cut the ratio off, and not the product: `ratio.clamp(1 - clip, 1 + clip)`. Multiply both, the ratio and "
        "what was cut off, by the advantage.",
        "The smaller of the two, step by step, `torch.min(one, other)`: so a step is never promised more than it had "
        "without the cut. And an optimiser goes downhill.",
        "`return -torch.min(ratio * advantage, ratio.clamp(1 - clip, 1 + clip) * advantage)`",
    ],
    insight="The gradient is 0 only where the policy has already gone further than the clip *in the direction the "
    "advantage asks for*. If it went the wrong way, nothing is cut off: it is called back with full force.",
    rtol=1e-5,
    atol=1e-5,
)


@clip_it.reference
def my_clipped(log_p, log_p_old, advantage, clip):
    """Return -min(ratio A, clamp(ratio, 1 - clip, 1 + clip) A) of each step.

    log_p: float[...], a tensor: log pi(a|s) of the policy that learns
    log_p_old: float[...], a tensor: the same when the action was taken
    advantage: float[...], a tensor
    clip: float
    Returns float[...], to be made small, with a gradient by log_p.
    """
    ratio = torch.exp(log_p - log_p_old)
    limited = ratio.clamp(1 - clip, 1 + clip)
    return -torch.min(ratio * advantage, limited * advantage)


@clip_it.also_right
def clipped_by_the_larger_loss(log_p, log_p_old, advantage, clip):
    ratio = (log_p - log_p_old.detach()).exp()
    return torch.maximum(-advantage * ratio, -advantage * ratio.clip(1 - clip, 1 + clip))


@clip_it.also_right
def clipped_by_a_bound(log_p, log_p_old, advantage, clip):
    bound = torch.where(advantage > 0, (1 + clip) * advantage, (1 - clip) * advantage)
    return torch.minimum((log_p - log_p_old).exp() * advantage, bound).neg()


@clip_it.also_right
def clipped_by_cases(log_p, log_p_old, advantage, clip):
    ratio = (log_p - log_p_old).exp()
    over, under = (advantage > 0) & (ratio > 1 + clip), (advantage < 0) & (ratio < 1 - clip)
    cut = torch.where(over, 1 + clip, torch.where(under, 1 - clip, ratio))
    return -cut * advantage


@clip_it.also_right
def clipped_on_one_side(log_p, log_p_old, advantage, clip):
    ratio = (log_p - log_p_old).exp()
    limited = torch.where(advantage >= 0, ratio.clamp(max=1 + clip), ratio.clamp(min=1 - clip))
    return -(limited * advantage)


@clip_it.cases
def ratios_to_clip(rng: np.random.Generator) -> Iterator[Case]:
    tensor = torch.tensor

    def logs(*p: float) -> Any:
        return tensor(p).log()

    why = "the ratio is 0.5/0.5 = 1, and within the clip: -1 · 2; the gradient by log_p is minus ratio times A, -2"
    yield Case("nothing has changed", (logs(0.5), logs(0.5), tensor([2.0]), 0.2), why)
    why = "the ratio is 0.44/0.4 = 1.1, within the clip: -1.1 · 2 = -2.2, and the gradient too"
    yield Case("a little likelier", (logs(0.44), logs(0.4), tensor([2.0]), 0.2), why)
    why = (
        "the ratio is 1.5, cut off at 1.2. 1.5 · 2 = 3, 1.2 · 2 = 2.4; the smaller is 2.4: -2.4, and no gradient: far "
        "enough"
    )
    yield Case("A above 0, much likelier", (logs(0.6), logs(0.4), tensor([2.0]), 0.2), why)
    why = (
        "the ratio is 0.5, cut off at 0.8. 0.5 · 2 = 1, 0.8 · 2 = 1.6; the smaller is 1: -1, and its gradient, -1, "
        "makes the action likelier again. It went the wrong way, so nothing is cut off"
    )
    yield Case("A above 0, much rarer", (logs(0.2), logs(0.4), tensor([2.0]), 0.2), why)
    why = (
        "the ratio is 0.5, cut off at 0.8. 0.5 · (-2) = -1, 0.8 · (-2) = -1.6; the smaller is -1.6: 1.6, and no "
        "gradient: far enough"
    )
    yield Case("A below 0, much rarer", (logs(0.2), logs(0.4), tensor([-2.0]), 0.2), why)
    why = (
        "the ratio is 1.5, cut off at 1.2. 1.5 · (-2) = -3, 1.2 · (-2) = -2.4; the smaller is -3: 3, and its "
        "gradient, 3, makes the action rarer again. It went the wrong way, so nothing is cut off"
    )
    yield Case("A below 0, much likelier", (logs(0.6), logs(0.4), tensor([-2.0]), 0.2), why)
    why = (
        "the ratios are 1.5, 0.5, 0.5, 1.5, 1.1 and 0.9, cut off at 0.7 and 1.3; the smaller of ratio times A and of "
        "what was cut off times A is 2.6, 1, -1.4, -3, 4.4 and -3.6; and of each minus"
    )
    now, old = logs(0.6, 0.2, 0.2, 0.6, 0.44, 0.36), logs(0.4, 0.4, 0.4, 0.4, 0.4, 0.4)
    A = tensor([2.0, 2.0, -2.0, -2.0, 4.0, -4.0])
    yield Case("all six at once, a wider clip", (now, old, A, 0.3), why)
    table = [x.reshape(2, 3) for x in (now, old, A)]
    yield Case("two copies, three steps each", (*table, 0.3), "the same six, three in each row")
    why = (
        "the ratio is exp(-200 + 200.5) = 1.6487, and exp(-200 - (-199.5)) = 0.6065: cut off at 1.2 and, as A is "
        "below 0, at 0.8: -1.2 · 3 and 0.8 · 3. The probabilities themselves are 0 for a float32"
    )
    far = tensor([-200.0, -200.0]), tensor([-200.5, -199.5]), tensor([3.0, -3.0])
    yield Case("as good as impossible", (*far, 0.2), why)
    why = (
        "log_p is above 0, as a density may be: the ratio is exp(1.1 - 1) = 1.1052, so -1.1052 · 10 and the same as "
        "gradient"
    )
    yield Case("a density above 1", (tensor([1.1]), tensor([1.0]), tensor([10.0]), 0.2), why)
    why = (
        "the ratios are 6 and 1/8, far from 1, but on the wrong side: A asks for a rarer action, and for a likelier "
        "one. So nothing is cut off: -6 · (-2) = 12 and -2/8 = -0.25, and the gradients too"
    )
    yield Case("far the wrong way", (logs(0.6, 0.05), logs(0.1, 0.4), tensor([-2.0, 2.0]), 0.2), why)
    why = "an advantage of 0 asks for nothing: 0, without a gradient"
    yield Case("neither better nor worse", (logs(0.6, 0.2), logs(0.4, 0.4), tensor([0.0, 0.0]), 0.2), why)
    for k in range(1, 3):
        old = random_tensor(rng, 2, 12) - 2
        yield Case(f"random steps {k}", (old + random_tensor(rng, 2, 12) / 2, old, 2 * random_tensor(rng, 2, 12), 0.25))


@clip_it.trial
def clipped_and_gradient(answer, log_p, log_p_old, advantage, clip):
    """Return what is to be made small, and the gradient of its sum by log_p."""
    leaf = torch.zeros_like(log_p, requires_grad=True)
    log_p.add_(leaf)  # in place: it is seen later whether the answer changed it
    loss = answer(log_p, log_p_old, advantage, clip)
    if loss is None:
        return None
    gradient = None
    if getattr(loss, "requires_grad", False):
        (gradient,) = torch.autograd.grad(loss.sum(), [leaf], allow_unused=True)
    return {"loss": detached(loss), "gradient by log_p": NO_GRADIENT if gradient is None else gradient}


@clip_it.judge
def what_is_wrong_with_a_clip(case: Case, got: Any) -> str | None:
    """Judge the numbers first, and name the step; then the gradient."""
    log_p, log_p_old, advantage, clip = case.args
    expected = clip_it.outcome(my_clipped, fresh(case.args))
    said = difference(got["loss"], expected["loss"], clip_it.rtol, clip_it.atol)
    if said is not None and said != ANOTHER_VALUE:
        return said
    for name in expected if said is None else ("loss",):
        if not hasattr(got[name], "detach") and name != "loss":
            return "The numbers are right, but no gradient reaches `log_p`. Is something detached?"
        given, right = (np.ravel(np.asarray(x[name], dtype=float)) for x in (got, expected))
        wrong = np.flatnonzero(~np.isclose(given, right, clip_it.rtol, clip_it.atol))
        if len(wrong):
            k = wrong[0]
            ratio, A = float((log_p - log_p_old).exp().ravel()[k]), float(advantage.ravel()[k])
            what = "it should be" if name == "loss" else "the numbers are right, but the gradient by log_p should be"
            where = f"Where the ratio is {ratio:.3g} and A is {A:.3g}, with a clip of {clip:g},"
            return f"{where} {what} {right[k]:.5g}, not {given[k]:.5g}."
    if not isinstance(got["loss"], torch.Tensor):
        kind = type(got["loss"]).__name__
        return f"The numbers are right, but they come as {kind}. A gradient is taken of them: stay with torch."
    return None


def ratio_of(log_p, log_p_old):
    """Return new over old probability."""
    return (log_p - log_p_old).exp()


def smaller(ratio, limited, advantage):
    """Return minus the smaller of two products."""
    return -torch.min(ratio * advantage, limited * advantage)


@clip_it.mistake(
    "You take the *larger* of the two. It would hold back a policy that went the wrong way, and spur on one that went "
    "too far. The smaller; or, of the two losses with their minus, the larger."
)
def clipped_larger(log_p, log_p_old, advantage, clip):
    ratio = ratio_of(log_p, log_p_old)
    return -torch.max(ratio * advantage, ratio.clamp(1 - clip, 1 + clip) * advantage)


@clip_it.mistake(
    "You cut the ratio off whatever the sign of A: without the `min`, a policy that has gone the *wrong* way has no "
    "gradient any more, and nothing calls it back."
)
def clipped_without_min(log_p, log_p_old, advantage, clip):
    return -ratio_of(log_p, log_p_old).clamp(1 - clip, 1 + clip) * advantage


@clip_it.mistake(
    "Nothing is cut off: this is the ratio times A. With several steps on the same data the policy would run away."
)
def clipped_not_at_all(log_p, log_p_old, advantage, clip):
    return -ratio_of(log_p, log_p_old) * advantage


@clip_it.mistake("The sign is turned around: this is what should be made *large*. An optimiser goes downhill.")
def clipped_uphill(log_p, log_p_old, advantage, clip):
    return -my_clipped(log_p, log_p_old, advantage, clip)


@clip_it.mistake("The ratio is upside down: new over old, exp(log_p - log_p_old).")
def clipped_upside_down(log_p, log_p_old, advantage, clip):
    ratio = ratio_of(log_p_old, log_p)
    return smaller(ratio, ratio.clamp(1 - clip, 1 + clip), advantage)


@clip_it.mistake(
    "This is the *difference* of the logarithms. exp of it is the ratio, which is 1 where nothing has changed."
)
def clipped_log_ratio_for_ratio(log_p, log_p_old, advantage, clip):
    ratio = log_p - log_p_old
    return smaller(ratio, ratio.clamp(1 - clip, 1 + clip), advantage)


@clip_it.mistake("You divide the logarithms. The ratio is of the probabilities: exp(log_p - log_p_old).")
def clipped_quotient_of_logs(log_p, log_p_old, advantage, clip):
    ratio = log_p / log_p_old
    return smaller(ratio, ratio.clamp(1 - clip, 1 + clip), advantage)


@clip_it.mistake(
    "You take the difference of the probabilities. The ratio was asked for, which is 1 where nothing has changed."
)
def clipped_difference_of_probabilities(log_p, log_p_old, advantage, clip):
    ratio = log_p.exp() - log_p_old.exp()
    return smaller(ratio, ratio.clamp(1 - clip, 1 + clip), advantage)


@clip_it.mistake(
    "You divide two probabilities, and both may be rounded to 0. Subtract the logarithms first: exp(log_p - log_p_old)."
)
def clipped_quotient_of_rounded_zeros(log_p, log_p_old, advantage, clip):
    ratio = log_p.exp() / log_p_old.exp()
    return smaller(ratio, ratio.clamp(1 - clip, 1 + clip), advantage)


@clip_it.mistake(
    "A small number under the fraction keeps it from being 0/0, and makes another ratio of it. Subtract the "
    "logarithms first: exp(log_p - log_p_old)."
)
def clipped_with_a_small_number(log_p, log_p_old, advantage, clip):
    ratio = log_p.exp() / (log_p_old.exp() + 1e-8)
    return smaller(ratio, ratio.clamp(1 - clip, 1 + clip), advantage)


@clip_it.mistake("This is log π A, the actor's loss of A2C. PPO has the ratio in its place, cut off.")
def clipped_a2c(log_p, log_p_old, advantage, clip):
    return -log_p * advantage


@clip_it.mistake("`log_p` is taken for the ratio. The ratio is exp(log_p - log_p_old).")
def clipped_log_p_for_ratio(log_p, log_p_old, advantage, clip):
    return smaller(log_p, log_p.clamp(1 - clip, 1 + clip), advantage)


@clip_it.mistake("The old policy is missing: exp(log_p) is a probability, and no ratio. exp(log_p - log_p_old).")
def clipped_probability_for_ratio(log_p, log_p_old, advantage, clip):
    return smaller(log_p.exp(), log_p.exp().clamp(1 - clip, 1 + clip), advantage)


@clip_it.mistake(
    "You cut the *logarithm* of the ratio off, at -clip and clip. That is nearly, but not quite 1 - clip and 1 + "
    "clip: first exp, then `clamp`."
)
def clipped_logarithm(log_p, log_p_old, advantage, clip):
    difference = log_p - log_p_old
    return smaller(difference.exp(), difference.clamp(-clip, clip).exp(), advantage)


@clip_it.mistake(
    "The ratio is cut off at -clip and clip. It is 1 where nothing has changed, so at 1 - clip and 1 + clip."
)
def clipped_around_zero(log_p, log_p_old, advantage, clip):
    ratio = ratio_of(log_p, log_p_old)
    return smaller(ratio, ratio.clamp(-clip, clip), advantage)


@clip_it.mistake("The ratio is cut off at 1/(1 + clip) below. It should be 1 - clip.")
def clipped_at_the_inverse(log_p, log_p_old, advantage, clip):
    ratio = ratio_of(log_p, log_p_old)
    return smaller(ratio, ratio.clamp(1 / (1 + clip), 1 + clip), advantage)


@clip_it.mistake("The ratio is cut off above only. Below, at 1 - clip, it is what counts where A is negative.")
def clipped_above_only(log_p, log_p_old, advantage, clip):
    ratio = ratio_of(log_p, log_p_old)
    return smaller(ratio, ratio.clamp(max=1 + clip), advantage)


@clip_it.mistake("The ratio is cut off below only. Above, at 1 + clip, it is what counts where A is positive.")
def clipped_below_only(log_p, log_p_old, advantage, clip):
    ratio = ratio_of(log_p, log_p_old)
    return smaller(ratio, ratio.clamp(min=1 - clip), advantage)


@clip_it.mistake(
    "You take the smaller *ratio*, and multiply it by A then. Where A is negative, the smaller ratio makes the larger "
    "product: multiply both first, and then compare."
)
def clipped_smaller_ratio(log_p, log_p_old, advantage, clip):
    ratio = ratio_of(log_p, log_p_old)
    return -torch.min(ratio, ratio.clamp(1 - clip, 1 + clip)) * advantage


@clip_it.mistake("The product, ratio times A, is cut off. It is the ratio that is cut off, and then multiplied.")
def clipped_product(log_p, log_p_old, advantage, clip):
    product = ratio_of(log_p, log_p_old) * advantage
    return -torch.min(product, product.clamp(1 - clip, 1 + clip))


@clip_it.mistake("The *advantage* is cut off at 1 - clip and 1 + clip. The ratio is what has to stay near 1.")
def clipped_advantage(log_p, log_p_old, advantage, clip):
    ratio = ratio_of(log_p, log_p_old)
    return -torch.min(ratio * advantage, ratio * advantage.clamp(1 - clip, 1 + clip))


@clip_it.mistake("The *advantage* is cut off, at -clip and clip. The ratio is what has to stay near 1.")
def clipped_advantage_around_zero(log_p, log_p_old, advantage, clip):
    return -ratio_of(log_p, log_p_old) * advantage.clamp(-clip, clip)


@clip_it.mistake(
    "Where the ratio is outside, yours is 0, whatever the sign of A: a policy that has gone the wrong way is then "
    "never called back."
)
def clipped_to_nothing_outside(log_p, log_p_old, advantage, clip):
    ratio = ratio_of(log_p, log_p_old)
    inside = (ratio >= 1 - clip) & (ratio <= 1 + clip)
    return -torch.where(inside, ratio * advantage, torch.zeros_like(ratio))


@clip_it.mistake(
    "Where nothing is left to gain, yours is 0. The gradient there is right, but the value is that of the ratio where "
    "it was cut off, times -A."
)
def clipped_to_nothing_where_far_enough(log_p, log_p_old, advantage, clip):
    ratio = ratio_of(log_p, log_p_old)
    enough = ((advantage > 0) & (ratio > 1 + clip)) | ((advantage < 0) & (ratio < 1 - clip))
    return -torch.where(enough, torch.zeros_like(ratio), ratio * advantage)


@clip_it.mistake("You take the size of A. A negative one has to make the action rarer: keep its sign.")
def clipped_size(log_p, log_p_old, advantage, clip):
    return my_clipped(log_p, log_p_old, advantage.abs(), clip)


@clip_it.mistake("You left the advantage out: so every action would be made likelier, whatever came of it.")
def clipped_without_advantage(log_p, log_p_old, advantage, clip):
    return my_clipped(log_p, log_p_old, torch.ones_like(advantage), clip)


@clip_it.mistake(
    "Your ratio is of the policy to itself, always 1: there is nothing to be cut off. The old one is `log_p_old`."
)
def clipped_ratio_to_itself(log_p, log_p_old, advantage, clip):
    return my_clipped(log_p, log_p.detach(), advantage, clip)


@clip_it.mistake("Your ratio is always 1, and without a gradient: log_p less log_p. The old one is `log_p_old`.")
def clipped_ratio_of_nothing(log_p, log_p_old, advantage, clip):
    return my_clipped(log_p, log_p, advantage, clip)


@clip_it.mistake(
    "The numbers are right, but no gradient reaches `log_p`, so nothing would be learned. It is the old one that is "
    "fixed."
)
def clipped_without_gradient(log_p, log_p_old, advantage, clip):
    return my_clipped(log_p.detach(), log_p_old, advantage, clip)


@clip_it.mistake(
    "The numbers are right, but what is cut off keeps its gradient: a policy that has gone far enough is still pushed "
    "on. The gradient has to go through `clamp`, which stops it."
)
def clipped_straight_through(log_p, log_p_old, advantage, clip):
    ratio = ratio_of(log_p, log_p_old)
    limited = ratio + (ratio.clamp(1 - clip, 1 + clip) - ratio).detach()
    return smaller(ratio, limited, advantage)


@clip_it.mistake("You return one number, the mean. Leave that to the caller, and return one for each step.")
def clipped_mean(log_p, log_p_old, advantage, clip):
    return my_clipped(log_p, log_p_old, advantage, clip).mean()


@clip_it.mistake("You return one number, the sum. Leave that to the caller, and return one for each step.")
def clipped_sum(log_p, log_p_old, advantage, clip):
    return my_clipped(log_p, log_p_old, advantage, clip).sum()


@clip_it.mistake(
    "You average both products first, and take the smaller mean then. The smaller one is taken step by step."
)
def clipped_smaller_mean(log_p, log_p_old, advantage, clip):
    ratio = ratio_of(log_p, log_p_old)
    return -torch.min((ratio * advantage).mean(), (ratio.clamp(1 - clip, 1 + clip) * advantage).mean())


@clip_it.mistake(
    "You normalise the advantages. Whether that is done is for the caller to decide: they come as they are to be used."
)
def clipped_normalised(log_p, log_p_old, advantage, clip):
    A = advantage - advantage.mean()
    return my_clipped(log_p, log_p_old, A / ((A**2).mean().sqrt() + 1e-8), clip)


@clip_it.mistake("Both products are added. Only the smaller one counts.")
def clipped_both_added(log_p, log_p_old, advantage, clip):
    ratio = ratio_of(log_p, log_p_old)
    return -(ratio * advantage + ratio.clamp(1 - clip, 1 + clip) * advantage)


@clip_it.mistake("Your clip is 0.2, whatever was given. 0.2 is usual, but the last argument says what it is: `clip`.")
def clipped_at_the_usual(log_p, log_p_old, advantage, clip):
    return my_clipped(log_p, log_p_old, advantage, 0.2)


@clip_it.mistake(
    "Where A is negative and the ratio large you cut off a second time. Some do (it is called a dual clip), but here "
    "the way back is never cut off."
)
def clipped_twice(log_p, log_p_old, advantage, clip):
    objective = -my_clipped(log_p, log_p_old, advantage, clip)
    return -torch.where(advantage < 0, torch.max(objective, 3 * advantage), objective)


# -- the quiz ------------------------------------------------------------------------------------------------------

quiz = Quiz(
    Question(
        "The slide's actor-critic, two learning rates. The critic's is a hundredth of what it should be. What happens?",
        (
            (
                "Both learn, only later: the actor cannot be faster than what teaches it.",
                False,
                "It can, and that is the trouble. The actor takes every word of the critic for true, as fast as its own "
                "rate allows.",
            ),
            (
                "The actor gets noisier, because the critic's estimates jump.",
                False,
                "A slow critic does not jump. One that is too *fast* does, and the actor's small steps average that.",
            ),
            (
                "The actor seeks what the critic's first numbers praise, and can end worse than it began.",
                True,
                "A critic that lags is wrong in the same direction for hundreds of steps, and no mean takes that away. "
                "Noise makes an actor slow; bias leads it astray.",
            ),
        ),
    ),
    Question(
        "The actor learns from A = r + γ V(s') - V(s), and the critic has not learned much yet. What is to be said "
        "of A?",
        (
            (
                "On average it is right, as REINFORCE's is; it only has more noise, because the critic is bad.",
                False,
                "It has *less* noise: one reward is drawn, and not a whole episode of them. But V(s') is an opinion, "
                "and where it is wrong A is wrong on average too.",
            ),
            (
                "It is biased. A larger λ has less of the bias, and more noise.",
                True,
                "With λ = 1 and episodes that end V(s) is only a baseline, and baselines are 0 on average. The less "
                "you believe the critic, the more you wait for what really comes, with all its chance.",
            ),
            (
                "It is biased, and a larger λ makes it worse, because then the errors of many steps are added.",
                False,
                "They are, but each value comes twice, with opposite signs, and with λ = 1 all of them cancel but "
                "that of s itself.",
            ),
        ),
    ),
    Question(
        "A step of a rollout is the last one before the time limit. Which parts of GAE does that change?",
        (
            (
                "Its δ and the sum: nothing follows, so V(s') counts as 0, and the sum stops.",
                False,
                "That is for a *terminated* step. Here something would have followed; only nobody saw it.",
            ),
            (
                "Only the sum, which stops there. In δ the critic is asked about s', as ever.",
                True,
                "The step after it in the rollout belongs to another episode, so its δ must not be added. But V(s') is the "
                "only word that there is about what would have come.",
            ),
            (
                "Nothing: it is a step like any other.",
                False,
                "The sum would then run on into an episode that has nothing to do with it.",
            ),
        ),
    ),
    Question(
        "PPO, clip 0.2. An action with A = -3 has become 1.5 times as likely since it was taken. What does its loss "
        "do in the next step?",
        (
            (
                "Nothing: 1.5 is beyond 1.2, so the ratio is cut off, and what is cut off has no gradient.",
                False,
                "It is cut off only where that makes the objective *smaller*: -3 · 1.5 is less than -3 · 1.2, so the "
                "ratio itself counts.",
            ),
            (
                "It makes the action rarer, with full force: this ratio is not cut off.",
                True,
                "It went the wrong way, perhaps pulled along by other actions. The clip ends the reward for going "
                "on, and never the way back.",
            ),
            (
                "It makes the action rarer, but with a gradient that is cut off at 1.2 in place of 1.5.",
                False,
                "What is cut off has no gradient at all: it is either the whole ratio or nothing.",
            ),
        ),
    ),
    Question(
        "A3C with four workers, and A2C with four worlds. What does A3C have that A2C has not?",
        (
            (
                "Gradients that belong to weights of some moments ago, and numbers that do not repeat.",
                True,
                "While a worker takes its steps and computes, the others write. On average three updates lie in between, and "
                "the operating system decides which.",
            ),
            (
                "An advantage function with less bias, because each worker has its own critic.",
                False,
                "The critic's weights are shared like the actor's. What each worker has of its own is a copy, and that is old.",
            ),
            (
                "A replay memory for each worker.",
                False,
                "Neither has one. Workers in different situations take its place, and so do worlds in different situations.",
            ),
        ),
    ),
)
