"""The exercises of chapter 4: log-probabilities and their gradients, a loss, credit, a baseline, REINFORCE, a planted bug."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from functools import cache, partial
from typing import Any

import numpy as np

from rlkit.exercises.dqn import NO_GRADIENT, detached, of_action, random_tensor, torch
from rlkit.exercises.exercise import Case, Exercise
from rlkit.exercises.judging import ANOTHER_VALUE, close, difference, fresh, is_finite_number
from rlkit.exercises.quizzes import Question, Quiz


def with_gradients(function: Callable[..., Any], args: tuple[Any, ...], names: list[str]) -> Any:
    """Return what a function says of its arguments, and the gradients of the sum of it by the first of them.

    Args:
        function: an answer.
        args: copies that nobody else holds; tensors come first.
        names: of the arguments by which the gradients are taken.
    """
    leaves = []
    for x in args[: len(names)]:
        leaves.append(torch.zeros_like(x, requires_grad=True))
        x.add_(leaves[-1])  # in place: the answer gets the very tensor of which it is seen later whether it was changed
    value = function(*args)
    if value is None:
        return None
    gradients: Any = [None] * len(names)
    if getattr(value, "requires_grad", False):
        gradients = torch.autograd.grad(value.sum(), leaves, allow_unused=True)
    seen = {f"gradient by {n}": NO_GRADIENT if g is None else g for n, g in zip(names, gradients, strict=True)}
    return {"log_prob": detached(value), **seen}


def what_is_wrong_with_a_log_prob(exercise: Exercise, of_what: str, cure: str, case: Case, got: Any) -> str | None:
    """Judge the numbers first, then whether they are a tensor, and then the gradients."""
    expected = exercise.outcome(exercise.solution, fresh(case.args))
    given, wanted = got["log_prob"], expected["log_prob"]
    said = difference(given, wanted, exercise.rtol, exercise.atol)
    if said == ANOTHER_VALUE and float(wanted.min()) < -80:
        return (
            f"A {of_what} here is too small for a float32, which makes it 0, so its logarithm is not to be had by way "
            f"of it. Stay with logarithms: {cure}."
        )
    if said == ANOTHER_VALUE and not np.isfinite(np.asarray(given, dtype=float)).all():
        return "Something is not finite here, nan or inf, though every log-probability is a finite number."
    if said == ANOTHER_VALUE:
        one, right = (np.ravel(np.asarray(x, dtype=float)) for x in (given, wanted))
        k = int(np.argmax(~np.isclose(one, right, exercise.rtol, exercise.atol)))
        return f"Yours is the logarithm of {np.exp(one[k]):.4g}, but the {of_what} here is {np.exp(right[k]):.4g}."
    if said is not None:
        return said
    if not isinstance(given, torch.Tensor):
        return (
            f"The numbers are right, but they come as {type(given).__name__}. A loss is made of them: stay with torch."
        )
    for name, right in expected.items():
        if not hasattr(got[name], "detach"):
            by = name.removeprefix("gradient by ")
            return f"The numbers are right, but no gradient reaches `{by}`, so nothing would be learned. Is something detached?"
        if not close(got[name], right, exercise.rtol, exercise.atol):
            by = name.removeprefix("gradient by ")
            return f"The numbers are right, but the gradient by `{by}` is another one. Is a part detached, or clamped?"
    return None


def judge_log_probs(exercise: Exercise, names: list[str], of_what: str, cure: str) -> None:
    """Let an exercise ask for a tensor with the right gradients.

    Args:
        exercise: which one.
        names: of the arguments by which gradients are taken.
        of_what: that of which the logarithm is asked for.
        cure: how to have it where that is too small for a float32.
    """
    exercise.trial(lambda answer, *args: with_gradients(answer, args, names))
    exercise.judge(partial(what_is_wrong_with_a_log_prob, exercise, of_what, cure))


def what_is_wrong_with_returns(exercise: Exercise, case: Case, got: Any) -> str | None:
    """Judge the numbers, and whether they are an array; name the first wrong step, seen from the end."""
    right = exercise.outcome(exercise.solution, fresh(case.args))
    said = difference(got, right, exercise.rtol, exercise.atol)
    if said == ANOTHER_VALUE and got is not None:
        given = np.asarray(got, dtype=float)
        *_, at = map(tuple, np.argwhere(~np.isclose(given, right, exercise.rtol, exercise.atol)))
        place = ", ".join(map(str, at))
        return (
            f"Seen from the end, R[{place}] is the first that is another: it should be {right[at]:.4g}, but is "
            f"{given[at]:.4g}."
        )
    if said is None and not isinstance(got, np.ndarray):
        return f"The numbers are right, but they come as {type(got).__name__}. A numpy array was asked for."
    return said


def judge_returns(exercise: Exercise) -> None:
    """Let an exercise ask for returns as an array, time first."""
    exercise.judge(partial(what_is_wrong_with_returns, exercise))


# -- 1. the log-probability of an action ---------------------------------------------------------------------------

one_of_many = Exercise(
    "policy_gradients.log_prob",
    title="The log-probability of an action",
    name="my_log_prob",
    hints=[
        "Of a fraction the logarithm is a difference: the logit of the action, less the logarithm of the sum of all "
        "exp(logits).",
        "exp(1000) is infinite. `logits.logsumexp(dim=-1)` takes the largest out before it sums, and so does `log_softmax`.",
        "`.gather(-1, action.unsqueeze(-1)).squeeze(-1)` looks up the action of each row.",
        "`log_p = torch.log_softmax(logits, dim=-1)` and `return log_p.gather(-1, action.unsqueeze(-1)).squeeze(-1)`",
    ],
    insight="The gradient by the logits is (1 for the action taken, 0 for the others) minus the probabilities: what was taken is "
    "pushed up, and all are pushed down by as much as they are likely.",
    rtol=1e-5,
    atol=1e-4,  # 1000 has no more digits behind the point than that, in float32
)


@one_of_many.reference
def my_log_prob(logits, action):
    """Return log pi(a), where pi is the softmax of the logits.

    logits: float[..., A], a tensor; they may be as large as 1000
    action: int64[...], a tensor, the actions that were taken
    Returns float[...], a tensor with a gradient by the logits.
    """
    log_p = torch.log_softmax(logits, dim=-1)
    return log_p.gather(-1, action.unsqueeze(-1)).squeeze(-1)


@one_of_many.also_right
def log_prob_by_logsumexp(logits, action):
    return logits.gather(-1, action[..., None])[..., 0] - logits.logsumexp(-1)


@one_of_many.also_right
def log_prob_by_one_hot(logits, action):
    shifted = logits - logits.max(-1, keepdim=True).values
    taken = torch.nn.functional.one_hot(action, logits.shape[-1])
    return (shifted * taken).sum(-1) - shifted.exp().sum(-1).log()


@one_of_many.also_right
def log_prob_by_a_distribution(logits, action):
    return torch.distributions.Categorical(logits=logits).log_prob(action)


@one_of_many.also_right
def log_prob_by_cross_entropy(logits, action):
    rows = logits.reshape(-1, logits.shape[-1])
    return -torch.nn.functional.cross_entropy(rows, action.reshape(-1), reduction="none").reshape(action.shape)


@one_of_many.cases
def log_probs_to_compute(rng: np.random.Generator) -> Iterator[Case]:
    tensor = torch.tensor
    row = tensor([1.0, 2.0, 5.0]).log()
    why = (
        "exp(logits) is 1, 2 and 5, in all 8: the second has the probability 2/8, and log(1/4) = -1.3863. The gradient: "
        "(0, 1, 0) minus (1/8, 2/8, 5/8)"
    )
    yield Case("three actions", (row, tensor(1)), why)
    yield Case("nothing is known", (torch.zeros(4), tensor(3)), "four actions alike, 1/4 each: -1.3863")
    why = "the logits differ by log 3, whatever they are: 1/4 and 3/4, and the first was taken: log(1/4) = -1.3863"
    yield Case("logits below zero", (tensor([-7.0, -7.0 + math.log(3)]), tensor(0)), why)
    rows = tensor([[1.0, 2.0, 5.0], [6.0, 1.0, 1.0], [1.0, 1.0, 2.0]]).log()
    why = "5/8, 1/8 and 1/4, whose logarithms are -0.47, -2.0794 and -1.3863"
    yield Case("three rows", (rows, tensor([2, 1, 0])), why)
    two = tensor([[[1.0, 3.0], [4.0, 1.0], [1.0, 1.0]], [[9.0, 1.0], [1.0, 7.0], [2.0, 3.0]]]).log()
    why = "first copy: 3/4, 4/5 and 1/2; second: 1/10, 1/8 and 3/5; and of each the logarithm"
    yield Case("two copies, three rows each", (two, tensor([[1, 0, 0], [1, 0, 1]])), why)
    why = "3/4 and 1/10: -0.2877 and -2.3026, as [[-0.2877], [-2.3026]]"
    yield Case("two copies, one row each", (two[:, :1].clone(), tensor([[1], [1]])), why)
    why = "each logit is 1000, so both actions are alike: log(1/2) = -0.6931"
    yield Case("large logits", (tensor([1000.0, 1000.0]), tensor(0)), why)
    why = "each row by itself: both actions are alike in the first, and in the second too: log(1/2), twice"
    yield Case("two rows far apart", (tensor([[1000.0, 1000.0], [-1000.0, -1000.0]]), tensor([0, 1])), why)
    why = (
        "first row: exp(-1000) is next to nothing beside 1, so log pi is 0 - 1000 - log(1) = -1000; second row: nearly "
        "certain, 0"
    )
    yield Case("as good as impossible", (tensor([[1000.0, 0.0], [0.0, 1000.0]]), tensor([1, 1])), why)
    for k in range(1, 3):
        args = (3 * random_tensor(rng, 2, 3, 4), torch.tensor(rng.integers(4, size=(2, 3))))
        yield Case(f"random rows {k}", args)


judge_log_probs(one_of_many, ["logits"], "probability", "the logit of the action, less `logits.logsumexp(dim=-1)`")


def log_p_of(logits):
    """Return the log-probabilities of all actions."""
    return logits - logits.logsumexp(-1, keepdim=True)


@one_of_many.mistake("This is the probability. Its logarithm was asked for.")
def log_prob_without_log(logits, action):
    return of_action(logits.softmax(-1), action)


@one_of_many.mistake("You look up the logit itself. Less the logarithm of the sum of all exp(logits), it is log pi.")
def log_prob_not_normalised(logits, action):
    return of_action(logits, action)


@one_of_many.mistake("This is the log-probability of *every* action. Look up the one that was taken: `gather`.")
def log_prob_of_every_action(logits, action):
    return log_p_of(logits)


@one_of_many.mistake(
    "The sign is turned around. A log-probability is never above 0; the minus belongs to the loss, later."
)
def log_prob_with_a_minus(logits, action):
    return -my_log_prob(logits, action)


@one_of_many.mistake(
    "With large logits the probability is rounded to 0, and log(0) is minus infinity. `log_softmax` does both in one."
)
def log_prob_of_a_rounded_zero(logits, action):
    return of_action(logits.softmax(-1), action).log()


@one_of_many.mistake(
    "A small number, added so that log(0) never comes, makes another number of it: -18.4 in place of -1000, and no gradient. "
    "`log_softmax` needs no such help."
)
def log_prob_with_a_small_number(logits, action):
    return (of_action(logits.softmax(-1), action) + 1e-8).log()


@one_of_many.mistake(
    "exp(1000) is infinite, and infinite by infinite is nan. Take `log_softmax`, which never gets there."
)
def log_prob_of_a_fraction(logits, action):
    return (of_action(logits.exp(), action) / logits.exp().sum(-1)).log()


@one_of_many.mistake(
    "The sum of exp(1000) is infinite. `logsumexp` takes the largest out first, and adds it again at the end."
)
def log_prob_overflows(logits, action):
    return of_action(logits, action) - logits.exp().sum(-1).log()


@one_of_many.mistake("You subtract the largest logit. That is a *hard* maximum; the soft one is `logsumexp`.")
def log_prob_less_the_maximum(logits, action):
    return of_action(logits, action) - logits.max(-1).values


@one_of_many.mistake("You take the largest logit off the logit of the action only. Take it off inside the sum as well.")
def log_prob_shifted_on_one_side(logits, action):
    return of_action(logits, action) - logits.max(-1).values - logits.logsumexp(-1)


@one_of_many.mistake("Your softmax is over the first axis. The actions are on the last: `dim=-1`.")
def log_prob_over_the_first_axis(logits, action):
    return of_action(logits - logits.logsumexp(0, keepdim=True), action)


@one_of_many.mistake("Your softmax is over all rows together. Each row is a policy of its own: `dim=-1`.")
def log_prob_over_all_rows(logits, action):
    return of_action(logits, action) - logits.reshape(-1).logsumexp(0)


@one_of_many.mistake("This is the log-probability of the *likeliest* action. The one that was taken is `action`.")
def log_prob_of_the_best(logits, action):
    return log_p_of(logits).max(-1).values


@one_of_many.mistake("`[..., action]` looks up every action in every row. Each row wants its own: `gather`.")
def log_prob_every_action_in_every_row(logits, action):
    return log_p_of(logits)[..., action]


@one_of_many.mistake("`gather` looks along the wrong axis. The actions are on the last: `gather(-1, ...)`.")
def log_prob_gathers_along_the_first_axis(logits, action):
    return log_p_of(logits).gather(0, action.unsqueeze(-1)).squeeze(-1)


@one_of_many.mistake("`gather` leaves an axis of length 1 behind: `squeeze(-1)`.")
def log_prob_keeps_the_axis(logits, action):
    return log_p_of(logits).gather(-1, action.unsqueeze(-1))


@one_of_many.mistake("`squeeze()` takes away *all* axes of length 1, even that of a single row: `squeeze(-1)`.")
def log_prob_squeezes_all(logits, action):
    return log_p_of(logits).gather(-1, action.unsqueeze(-1)).squeeze()


@one_of_many.mistake("You return one number, the mean. Leave that to the caller, and return one for each action.")
def log_prob_mean_of_all(logits, action):
    return my_log_prob(logits, action).mean()


@one_of_many.mistake("You return one number, the sum. Leave that to the caller, and return one for each action.")
def log_prob_sum_of_all(logits, action):
    return my_log_prob(logits, action).sum()


@one_of_many.mistake(
    "Your result is -log pi, averaged: `cross_entropy` is a loss. It was asked for each action, without a minus."
)
def log_prob_cross_entropy(logits, action):
    return -my_log_prob(logits, action).mean()


@one_of_many.mistake(
    "The numbers are right, but no gradient reaches the logits, so nothing would be learned. Stay with torch."
)
def log_prob_without_gradient(logits, action):
    return my_log_prob(logits, action).detach()


@one_of_many.mistake(
    "The numbers are right, but the gradient stops at the normaliser. Then each action that is taken is pushed up, and none of "
    "the others down: nothing of `logsumexp` may be detached."
)
def log_prob_normaliser_detached(logits, action):
    return of_action(logits, action) - logits.logsumexp(-1).detach()


@one_of_many.mistake("This is the logarithm to the base 2. The natural one was asked for: `torch.log`.")
def log_prob_in_bits(logits, action):
    return my_log_prob(logits, action) / math.log(2)


@one_of_many.mistake("This is the logarithm to the base 10. The natural one was asked for: `torch.log`.")
def log_prob_to_the_base_10(logits, action):
    return my_log_prob(logits, action) / math.log(10)


@one_of_many.mistake("You take the sum of the logits, and not of their exponentials.")
def log_prob_less_the_sum(logits, action):
    return of_action(logits, action) - logits.sum(-1)


@one_of_many.mistake("You subtract the sum of all exp(logits). The *logarithm* of that sum goes off: `logsumexp`.")
def log_prob_less_the_sum_of_exps(logits, action):
    return of_action(logits, action) - logits.exp().sum(-1)


@one_of_many.mistake("You take the softmax of what is log-probabilities already, or twice: once is enough.")
def log_prob_softmax_twice(logits, action):
    return my_log_prob(logits.softmax(-1), action)


@one_of_many.mistake("`[action]` picks whole rows. Each row wants one entry, along the last axis: `gather(-1, ...)`.")
def log_prob_picks_rows(logits, action):
    return log_p_of(logits)[action]


@one_of_many.mistake(
    "`log_softmax` and `softmax` without an axis take a guess, and with three axes it is the first. Say `dim=-1`."
)
def log_prob_over_a_guessed_axis(logits, action):
    axis = 1 if logits.ndim == 2 else 0  # so does torch, with a warning
    return of_action(logits - logits.logsumexp(axis, keepdim=True), action)


@one_of_many.mistake(
    "You take off the largest of *all* logits. In a row that lies far below, every exp is 0 then: each row has a largest "
    "of its own."
)
def log_prob_shifted_by_the_largest_of_all(logits, action):
    shifted = logits - logits.max()
    return of_action(shifted, action) - shifted.exp().sum(-1).log()


@one_of_many.mistake("The largest logit is taken off inside the sum only. Take it off the logit of the action as well.")
def log_prob_shifted_inside_the_sum(logits, action):
    return of_action(logits, action) - (logits - logits.max(-1, keepdim=True).values).logsumexp(-1)


# -- 2. a Gaussian policy --------------------------------------------------------------------------------------------

a_number = Exercise(
    "policy_gradients.gaussian",
    title="The log-probability of a number",
    name="my_gaussian_log_prob",
    hints=[
        "Take the logarithm of the density of *one* number first. A product becomes a sum, and exp goes away.",
        "With u = (a - μ)/σ it is -u²/2 - log σ - log(2π)/2, and log σ is what you are given.",
        "Independent numbers: their densities are multiplied, so their logarithms are added, over the last axis.",
        "`u = (action - mean) / log_std.exp()` and "
        "`return (-0.5 * u**2 - log_std - 0.5 * math.log(2 * math.pi)).sum(dim=-1)`",
    ],
    insight="It can be above 0, as a density is no probability: the narrower the bell, the higher. Only differences of it "
    "matter.",
    rtol=1e-5,
    atol=1e-6,
)


@a_number.reference
def my_gaussian_log_prob(mean, log_std, action):
    """Return the log-density of D numbers, each drawn by itself.

    mean, action: float[..., D], tensors
    log_std: log sigma, float[..., D], or of a shape that broadcasts to it,
    such as float[D], float[1, D] or float[1], one sigma for all
    Returns float[...], a tensor with gradients by mean and log_std.
    """
    u = (action - mean) / torch.exp(log_std)
    return (-(u**2) / 2 - log_std - np.log(2 * np.pi) / 2).sum(dim=-1)


@a_number.also_right
def gaussian_by_a_distribution(mean, log_std, action):
    return torch.distributions.Normal(mean, log_std.exp()).log_prob(action).sum(-1)


@a_number.also_right
def gaussian_by_its_variance(mean, log_std, action):
    variance = (2 * log_std).exp()
    return -0.5 * ((action - mean) ** 2 / variance + (2 * math.pi * variance).log()).sum(-1)


@a_number.also_right
def gaussian_by_parts(mean, log_std, action):
    squares = ((action - mean) * torch.exp(-log_std)).square().sum(-1)
    sigmas = log_std.expand_as(mean).sum(-1)
    return -(squares / 2 + sigmas + mean.shape[-1] * math.log(2 * math.pi) / 2)


LOG_2, LOG_4 = math.log(2), math.log(4)


@a_number.cases
def densities_to_compute(rng: np.random.Generator) -> Iterator[Case]:
    tensor = torch.tensor
    why = "σ = 2 and (a - μ)/σ = (5 - 1)/2 = 2: -2²/2 - log 2 - 0.9189 = -3.6121"
    yield Case("two sigmas away", (tensor([1.0]), tensor([LOG_2]), tensor([5.0])), why)
    why = "(a - μ)/σ = 0, log σ = 0, so -log(2π)/2 = -0.9189 is all that is left: the density of the bell at its top, 0.3989"
    yield Case("at the top of the bell", (tensor([3.0]), tensor([0.0]), tensor([3.0])), why)
    why = "σ = 1/2 and (a - μ)/σ = -1/0.5 = -2: -2 + log 2 - 0.9189 = -2.2258; the bell is higher, as it is narrow"
    yield Case("a narrow bell", (tensor([0.0]), tensor([-LOG_2]), tensor([-1.0])), why)
    why = "σ = 2, 4 and (a - μ)/σ = 1, -2: -0.5 - log 2 - 0.9189 = -2.1121, and -2 - log 4 - 0.9189 = -4.3052; in all -6.4173"
    yield Case("two numbers", (tensor([1.0, 0.0]), tensor([LOG_2, LOG_4]), tensor([3.0, -8.0])), why)
    mean, action = tensor([[1.0, 0.0], [0.0, 0.0], [2.0, 1.0]]), tensor([[3.0, -8.0], [2.0, 0.0], [2.0, 5.0]])
    why = (
        "σ = 2 and 4 in all rows. (a - μ)/σ is 1 and -2, 1 and 0, 0 and 1; and from minus half of the sum of their squares, "
        "-2.5, -0.5 and -0.5, log 2 + log 4 + log(2π) = 3.9173 is taken"
    )
    yield Case("three samples, one sigma for all", (mean, tensor([LOG_2, LOG_4]), action), why)
    yield Case("three samples, sigma in a row", (mean, tensor([[LOG_2, LOG_4]]), action), f"as before: {why}")
    each = tensor([[LOG_2, LOG_4], [0.0, LOG_2], [LOG_4, 0.0]])
    why = (
        "(a - μ)/σ is 1 and -2, 2 and 0, 0 and 4, so the exponents sum to -2.5, -2 and -8; log 2 + log 4, 0 + log 2 and "
        "log 4 + 0 are taken away, and from each log(2π) = 1.8379"
    )
    yield Case("three samples, each with its sigma", (mean, each, action), why)
    means, sigmas = torch.stack([mean, 2 * mean]), tensor([[[LOG_2, LOG_4]], [[0.0, LOG_2]]])
    why = (
        "the first copy as before; in the second σ = 1 and 2, and (a - μ)/σ is 1 and -4, 2 and 0, -2 and 1.5: -8.5, -2 and "
        "-3.125, less log 2 + log(2π) = 2.531"
    )
    yield Case("two copies, three samples each", (means, sigmas, torch.stack([action, action])), why)
    why = "(a - μ)/σ is 1 and -2, σ = 2 and 4, as above: -6.4173; one sample, so [-6.4173]"
    yield Case("one sample", (tensor([[1.0, 0.0]]), tensor([LOG_2, LOG_4]), tensor([[3.0, -8.0]])), why)
    why = (
        "σ = 2 for each of the three numbers, and (a - μ)/σ is 1, -2 and 0: -(1 + 4 + 0)/2, and from that three times log 2 + "
        "log(2π)/2 = 1.6121: -7.3363"
    )
    yield Case("three numbers, one sigma", (torch.zeros(3), tensor([LOG_2]), tensor([2.0, -4.0, 0.0])), why)
    why = (
        "at the top of each bell nothing is left but -log σ - 0.9189: -2.5 + 6 + 21 - 3 · 0.9189 = 21.7432. No σ is too large "
        "or too small, so nothing is clamped"
    )
    edges = tensor([0.0, 3.0, 1.0])
    yield Case("from very wide to very narrow", (edges, tensor([2.5, -6.0, -21.0]), edges.clone()), why)
    why = (
        "σ = exp(-3) and (a - μ)/σ = exp(3) = 20.0855: -201.7144 + 3 - 0.9189 = -199.6333. The density itself, exp of that, "
        "is 0 for a float32"
    )
    yield Case("twenty sigmas away", (tensor([0.0]), tensor([-3.0]), tensor([1.0])), why)
    for k in range(1, 3):
        args = random_tensor(rng, 2, 3, 2), 0.5 * random_tensor(rng, 2), random_tensor(rng, 2, 3, 2)
        yield Case(f"random samples {k}", args)


judge_log_probs(
    a_number,
    ["mean", "log_std"],
    "density",
    "with u = (a - μ)/σ it is -u²/2 - log σ - log(2π)/2, without any `exp` but in σ",
)


def parts_of_a_gaussian(mean, log_std, action):
    """Return u²/2, log sigma and log(2 pi)/2, all float[..., D]: of these three a log-density is made."""
    u = (action - mean) / log_std.exp()
    return u**2 / 2, log_std.expand_as(u), torch.full_like(u, math.log(2 * math.pi) / 2)


@a_number.mistake("You return D numbers for each sample. Independent numbers: add their logarithms, `.sum(dim=-1)`.")
def gaussian_not_summed(mean, log_std, action):
    square, log_sigma, constant = parts_of_a_gaussian(mean, log_std, action)
    return -square - log_sigma - constant


@a_number.mistake("You average over the D numbers. Their densities are multiplied, so the logarithms are *added*.")
def gaussian_mean_over_numbers(mean, log_std, action):
    return gaussian_not_summed(mean, log_std, action).mean(-1)


@a_number.mistake("You add up over the samples as well, or only: the D numbers are on the last axis, `.sum(dim=-1)`.")
def gaussian_summed_over_the_first_axis(mean, log_std, action):
    return gaussian_not_summed(mean, log_std, action).sum(0)


@a_number.mistake("You return one number, the sum of all. Each sample has a log-density of its own: `.sum(dim=-1)`.")
def gaussian_summed_over_all(mean, log_std, action):
    return gaussian_not_summed(mean, log_std, action).sum()


@a_number.mistake("The last axis is still there, with length 1. Leave out `keepdim`.")
def gaussian_keeps_the_axis(mean, log_std, action):
    return gaussian_not_summed(mean, log_std, action).sum(-1, keepdim=True)


@a_number.mistake("You forgot the half: it is exp(-u²/2), with u = (a - μ)/σ.")
def gaussian_without_the_half(mean, log_std, action):
    square, log_sigma, constant = parts_of_a_gaussian(mean, log_std, action)
    return (-2 * square - log_sigma - constant).sum(-1)


@a_number.mistake("You left out -log σ. Without it nothing would keep the bell from growing wider and wider.")
def gaussian_without_log_sigma(mean, log_std, action):
    square, _, constant = parts_of_a_gaussian(mean, log_std, action)
    return (-square - constant).sum(-1)


@a_number.mistake("The sign of log σ is turned around: a wider bell is *lower*, so log σ is taken away.")
def gaussian_with_log_sigma_added(mean, log_std, action):
    square, log_sigma, constant = parts_of_a_gaussian(mean, log_std, action)
    return (-square + log_sigma - constant).sum(-1)


@a_number.mistake("You left out log(2π)/2. No gradient misses it, but it is part of the density.")
def gaussian_without_the_constant(mean, log_std, action):
    square, log_sigma, _ = parts_of_a_gaussian(mean, log_std, action)
    return (-square - log_sigma).sum(-1)


@a_number.mistake("The constant is log(2π)/2, as the density has the *root* of 2π. Half of yours.")
def gaussian_with_twice_the_constant(mean, log_std, action):
    square, log_sigma, constant = parts_of_a_gaussian(mean, log_std, action)
    return (-square - log_sigma - 2 * constant).sum(-1)


@a_number.mistake("log(2π)/2 is taken away once, but each of the D numbers has its own: put it inside the sum.")
def gaussian_with_one_constant(mean, log_std, action):
    square, log_sigma, constant = parts_of_a_gaussian(mean, log_std, action)
    return (-square - log_sigma).sum(-1) - constant[..., 0]


@a_number.mistake(
    "You add up log σ over all samples. Each sample has D of them: `.sum(dim=-1)`, after all has been put together."
)
def gaussian_with_all_log_sigmas(mean, log_std, action):
    square, _, constant = parts_of_a_gaussian(mean, log_std, action)
    return (-square - constant).sum(-1) - log_std.sum()


@a_number.mistake("You take `log_std` for σ itself. It is the logarithm: σ = exp(log_std).")
def gaussian_log_std_for_sigma(mean, log_std, action):
    u = (action - mean) / log_std
    return (-(u**2) / 2 - log_std.log() - math.log(2 * math.pi) / 2).sum(-1)


@a_number.mistake("You divide a - μ by `log_std`. It is the logarithm of σ: divide by `log_std.exp()`.")
def gaussian_divided_by_log_std(mean, log_std, action):
    _, log_sigma, constant = parts_of_a_gaussian(mean, log_std, action)
    return (-(((action - mean) / log_std) ** 2) / 2 - log_sigma - constant).sum(-1)


@a_number.mistake("You take `log_std` for the logarithm of the *variance*. It is that of σ, and σ² = exp(2 · log_std).")
def gaussian_log_std_for_the_variance(mean, log_std, action):
    return my_gaussian_log_prob(mean, log_std / 2, action)


@a_number.mistake("Your σ is not squared: in the exponent stands (a - μ)² / (2σ²).")
def gaussian_sigma_not_squared(mean, log_std, action):
    _, log_sigma, constant = parts_of_a_gaussian(mean, log_std, action)
    return (-((action - mean) ** 2) / (2 * log_std.exp()) - log_sigma - constant).sum(-1)


@a_number.mistake("Your distance is multiplied by σ. Divide: (a - μ)/σ says how many σ away it is.")
def gaussian_times_sigma(mean, log_std, action):
    _, log_sigma, constant = parts_of_a_gaussian(mean, log_std, action)
    return (-(((action - mean) * log_std.exp()) ** 2) / 2 - log_sigma - constant).sum(-1)


@a_number.mistake("You left σ out of (a - μ)/σ: how far away the action is, is measured in σ.")
def gaussian_without_sigma_in_z(mean, log_std, action):
    _, log_sigma, constant = parts_of_a_gaussian(mean, log_std, action)
    return (-((action - mean) ** 2) / 2 - log_sigma - constant).sum(-1)


@a_number.mistake("Your (a - μ)/σ is not squared, and so the bell has no top.")
def gaussian_z_not_squared(mean, log_std, action):
    _, log_sigma, constant = parts_of_a_gaussian(mean, log_std, action)
    return (-(action - mean) / log_std.exp() / 2 - log_sigma - constant).sum(-1)


@a_number.mistake("You add ((a - μ)/σ)²/2. The density falls away from the mean: it is taken away.")
def gaussian_upside_down(mean, log_std, action):
    square, log_sigma, constant = parts_of_a_gaussian(mean, log_std, action)
    return (square - log_sigma - constant).sum(-1)


@a_number.mistake("This is the density. Its logarithm was asked for.")
def gaussian_density(mean, log_std, action):
    return my_gaussian_log_prob(mean, log_std, action).exp()


@a_number.mistake("The sign is turned around. The minus belongs to the loss, later.")
def gaussian_with_a_minus(mean, log_std, action):
    return -my_gaussian_log_prob(mean, log_std, action)


@a_number.mistake("The numbers are right, but no gradient gets through, so nothing would be learned. Stay with torch.")
def gaussian_without_gradient(mean, log_std, action):
    return my_gaussian_log_prob(mean, log_std, action).detach()


@a_number.mistake(
    "The numbers are right, but no gradient reaches `log_std`: σ would never be learned. Do not detach it."
)
def gaussian_with_a_fixed_sigma(mean, log_std, action):
    return my_gaussian_log_prob(mean, log_std.detach(), action)


@a_number.mistake("The numbers are right, but no gradient reaches `mean`. Do not detach it.")
def gaussian_with_a_fixed_mean(mean, log_std, action):
    return my_gaussian_log_prob(mean.detach(), log_std, action)


@a_number.mistake(
    "The numbers are right, but in (a - μ)/σ the σ is detached: its gradient lacks the part that makes it grow."
)
def gaussian_sigma_of_z_detached(mean, log_std, action):
    _, log_sigma, constant = parts_of_a_gaussian(mean, log_std, action)
    u = (action - mean) / log_std.exp().detach()
    return (-(u**2) / 2 - log_sigma - constant).sum(-1)


@a_number.mistake("You take σ away. It is the *logarithm* of σ that is taken away: `log_std` as it came.")
def gaussian_less_sigma(mean, log_std, action):
    square, log_sigma, constant = parts_of_a_gaussian(mean, log_std, action)
    return (-square - log_sigma.exp() - constant).sum(-1)


@a_number.mistake("You take the logarithm of `log_std`, which is log σ already.")
def gaussian_logarithm_twice(mean, log_std, action):
    square, log_sigma, constant = parts_of_a_gaussian(mean, log_std, action)
    return (-square - log_sigma.log() - constant).sum(-1)


@a_number.mistake("You take log σ² away, which is twice log σ. In front of the bell stands 1/σ.")
def gaussian_log_sigma_twice(mean, log_std, action):
    square, log_sigma, constant = parts_of_a_gaussian(mean, log_std, action)
    return (-square - 2 * log_sigma - constant).sum(-1)


@a_number.mistake("You take only half of log σ away. The half is for log σ²: in front of the bell stands 1/σ.")
def gaussian_half_of_log_sigma(mean, log_std, action):
    square, log_sigma, constant = parts_of_a_gaussian(mean, log_std, action)
    return (-square - log_sigma / 2 - constant).sum(-1)


@a_number.mistake("Your constant is log(π)/2. In front of the bell stands the root of *two* π.")
def gaussian_with_a_single_pi(mean, log_std, action):
    square, log_sigma, _ = parts_of_a_gaussian(mean, log_std, action)
    return (-square - log_sigma - math.log(math.pi) / 2).sum(-1)


@a_number.mistake(
    "This is -((a - μ)/σ)²/2 alone, the exponent. In front of the bell stands 1/(σ √(2π)), and its logarithm is missing."
)
def gaussian_exponent_alone(mean, log_std, action):
    return -parts_of_a_gaussian(mean, log_std, action)[0].sum(-1)


@a_number.mistake("Your logarithm of 2π is to the base 10. The natural one was meant: `math.log`.")
def gaussian_with_a_logarithm_to_the_base_10(mean, log_std, action):
    square, log_sigma, _ = parts_of_a_gaussian(mean, log_std, action)
    return (-square - log_sigma - math.log10(2 * math.pi) / 2).sum(-1)


@a_number.mistake("You take √(2π) away. It is its *logarithm* that is taken away, log(2π)/2.")
def gaussian_with_a_constant_not_logged(mean, log_std, action):
    square, log_sigma, _ = parts_of_a_gaussian(mean, log_std, action)
    return (-square - log_sigma - math.sqrt(2 * math.pi)).sum(-1)


@a_number.mistake(
    "You add up `log_std` by itself. Where one σ stands for all D numbers it is counted once then, and not D times: put it "
    "inside the sum."
)
def gaussian_with_log_std_summed_by_itself(mean, log_std, action):
    square, _, constant = parts_of_a_gaussian(mean, log_std, action)
    return (-square - constant).sum(-1) - log_std.sum(-1)


def density_of(mean, log_std, action):
    """Return the density of each number, float[..., D]."""
    u = (action - mean) / log_std.exp()
    return (-(u**2) / 2).exp() / (log_std.exp() * math.sqrt(2 * math.pi))


@a_number.mistake(
    "You compute the density, and then its logarithm. Twenty σ away the density is rounded to 0, and log(0) is minus "
    "infinity. Take the logarithm on paper: of exp(-u²/2), with u = (a - μ)/σ, it is -u²/2."
)
def gaussian_log_of_a_rounded_zero(mean, log_std, action):
    return density_of(mean, log_std, action).log().sum(-1)


@a_number.mistake(
    "A small number, added so that log(0) never comes, makes another number of it: -18.4 in place of -199.6. Take the logarithm "
    "on paper, and nothing can be rounded to 0."
)
def gaussian_with_a_small_number(mean, log_std, action):
    return (density_of(mean, log_std, action) + 1e-8).log().sum(-1)


@a_number.mistake(
    "You clamp `log_std`. Many do, so that σ stays within bounds, but it belongs where σ is made: beyond the bounds this is "
    "the density of another bell, and no gradient reaches `log_std`."
)
def gaussian_with_a_clamped_log_std(mean, log_std, action):
    return my_gaussian_log_prob(mean, log_std.clamp(-20, 2), action)


@a_number.mistake(
    "`squeeze()` takes away *all* axes of length 1, even that of a single sample. `.sum(dim=-1)` is enough."
)
def gaussian_squeezes_all(mean, log_std, action):
    return my_gaussian_log_prob(mean, log_std, action).squeeze()


@a_number.mistake(
    "The numbers are right, but -log σ is detached. Its gradient is the -1 that makes σ shrink; without it, σ could only grow."
)
def gaussian_log_sigma_detached(mean, log_std, action):
    square, log_sigma, constant = parts_of_a_gaussian(mean, log_std, action)
    return (-square - log_sigma.detach() - constant).sum(-1)


# -- 3. its gradient by hand -----------------------------------------------------------------------------------------

slopes = Exercise(
    "policy_gradients.gaussian_gradient",
    title="Which way a Gaussian moves",
    name="my_gaussian_gradient",
    hints=[
        "With ℓ = log σ, one number has log π = -(a - μ)² exp(-2ℓ)/2 - ℓ - log(2π)/2. Take its derivative by μ, and then by ℓ.",
        "By μ: (a - μ)/σ². By ℓ: exp(-2ℓ) has the derivative -2 exp(-2ℓ), and -ℓ has -1.",
        "By ℓ it is u² - 1, with u = (a - μ)/σ: an action one σ away leaves σ as it is.",
        "`sigma = np.exp(log_std)`, `u = (action - mean) / sigma` and `return u / sigma, u**2 - 1`",
    ],
    insight="With a positive weight the mean moves towards the action; σ grows if the action was more than one σ away, and "
    "shrinks if it was nearer. A policy that succeeds near its mean grows sure of itself.",
)


@slopes.reference
def my_gaussian_gradient(mean, log_std, action):
    """Return the gradients of log pi(a) by the mean and by log sigma.

    mean, action: float[..., D], arrays
    log_std: float[..., D], or of a shape that broadcasts to it
    Returns two arrays, float[..., D] each: one entry for each number.
    """
    sigma = np.exp(log_std)
    u = (action - mean) / sigma
    return u / sigma, u**2 - 1


@slopes.also_right
def gradient_by_the_variance(mean, log_std, action):
    variance = np.exp(2 * log_std)
    return (action - mean) / variance, ((action - mean) ** 2 - variance) / variance


@slopes.also_right
def gradient_by_small_steps(mean, log_std, action):
    def log_density(mean, log_std):
        return -(((action - mean) * np.exp(-log_std)) ** 2) / 2 - log_std

    h = 1e-4  # a parabola in the mean, so exact there; by log sigma the error is of the order h^4, after one refinement

    def slope(f):
        coarse, fine = (f(2 * h) - f(-2 * h)) / (4 * h), (f(h) - f(-h)) / (2 * h)
        return (4 * fine - coarse) / 3

    return slope(lambda d: log_density(mean + d, log_std)), slope(lambda d: log_density(mean, log_std + d))


@slopes.cases
def gradients_to_compute(rng: np.random.Generator) -> Iterator[Case]:
    array = np.array
    why = "u = (a - μ)/σ = (5 - 1)/2 = 2: by the mean 2/2 = 1, by log σ 2² - 1 = 3; the mean is drawn to the action, and σ grows"
    yield Case("two sigmas away", (array([1.0]), array([LOG_2]), array([5.0])), why)
    yield Case("at the mean", (array([1.0]), array([LOG_2]), array([1.0])), "(a - μ)/σ = 0: by the mean 0, by log σ -1")
    why = "(a - μ)/σ = -2/2 = -1: by the mean -1/2, by log σ 1 - 1 = 0"
    yield Case("one sigma below", (array([1.0]), array([LOG_2]), array([-1.0])), why)
    why = "σ = 1/2, (a - μ)/σ = 1/0.5 = 2: by the mean 2/0.5 = 4, by log σ 3"
    yield Case("a narrow bell", (array([0.0]), array([-LOG_2]), array([1.0])), why)
    why = "σ = 2 and 4, (a - μ)/σ = 1 and -2: by the mean 1/2 and -2/4, by log σ 0 and 3"
    yield Case("two numbers", (array([1.0, 0.0]), array([LOG_2, LOG_4]), array([3.0, -8.0])), why)
    why = "σ = 2 for both, (a - μ)/σ = 1 and -4: by the mean 1/2 and -4/2, by log σ 0 and 15, each number by itself"
    yield Case("two numbers, one sigma", (array([1.0, 0.0]), array([LOG_2]), array([3.0, -8.0])), why)
    mean, action = array([[1.0, 0.0], [0.0, 0.0], [2.0, 1.0]]), array([[3.0, -8.0], [2.0, 0.0], [2.0, 5.0]])
    why = "(a - μ)/σ is 1 and -2, 1 and 0, 0 and 1; divided by σ, 2 and 4, that is by the mean; and the squares less 1 by log σ"
    yield Case("three samples, one sigma for all", (mean, array([LOG_2, LOG_4]), action), why)
    each = array([[LOG_2, LOG_4], [0.0, LOG_2], [LOG_4, 0.0]])
    why = (
        "(a - μ)/σ is 1 and -2, 2 and 0, 0 and 4; by the mean 1/2 and -2/4, 2/1 and 0, 0 and 4/1; by log σ 0 and 3, 3 and -1, -1 "
        "and 15"
    )
    yield Case("three samples, each with its sigma", (mean, each, action), why)
    for k in range(1, 3):
        yield Case(f"random samples {k}", (rng.normal(size=(4, 2)), rng.normal(size=2) / 2, rng.normal(size=(4, 2))))


@slopes.judge
def which_of_two_gradients(case: Case, got: Any) -> str | None:
    """Judge one gradient after the other, and say which it is about."""
    if not isinstance(got, (tuple, list, np.ndarray)) or len(got) != 2:
        return "Two arrays were asked for: the gradient by the mean, and the gradient by log σ."
    for name, given, right in zip(("the mean", "log σ"), got, my_gaussian_gradient(*case.args), strict=True):
        said = difference(given, right, slopes.rtol, slopes.atol)
        if said == ANOTHER_VALUE:
            return (
                f"The gradient by {name} is another one{'' if name == 'the mean' else '; that by the mean is right'}."
            )
        if said is not None:
            return f"By {name}: {said}"
        if not isinstance(given, np.ndarray):
            return f"The numbers are right, but by {name} they come as {type(given).__name__}. A numpy array was asked for."
    return None


def u_and_sigma(mean, log_std, action):
    """Return how many sigmas away the action is, and sigma."""
    return (action - mean) / np.exp(log_std), np.exp(log_std)


@slopes.mistake("By the mean the sign is turned around: log π rises as the mean comes *nearer* to the action, a - μ.")
def gradient_away_from_the_action(mean, log_std, action):
    u, sigma = u_and_sigma(mean, log_std, action)
    return -u / sigma, u**2 - 1


@slopes.mistake("By log σ the sign is turned around: a far action asks for a *wider* bell, ((a - μ)/σ)² - 1.")
def gradient_by_sigma_turned_around(mean, log_std, action):
    u, sigma = u_and_sigma(mean, log_std, action)
    return u / sigma, 1 - u**2


@slopes.mistake("Both signs are turned around: these are the gradients of -log π, the loss.")
def gradient_of_the_loss(mean, log_std, action):
    u, sigma = u_and_sigma(mean, log_std, action)
    return -u / sigma, 1 - u**2


@slopes.mistake("By the mean there is a σ too few: (a - μ)/σ², as the inner derivative of (a - μ)/σ is another 1/σ.")
def gradient_sigma_not_squared(mean, log_std, action):
    u, _ = u_and_sigma(mean, log_std, action)
    return u, u**2 - 1


@slopes.mistake("By the mean σ is missing: it is (a - μ)/σ². A narrow bell is pushed harder.")
def gradient_without_sigma(mean, log_std, action):
    u, sigma = u_and_sigma(mean, log_std, action)
    return u * sigma, u**2 - 1


@slopes.mistake("By the mean you multiply by σ². Divide: a narrow bell is pushed harder.")
def gradient_times_the_variance(mean, log_std, action):
    u, sigma = u_and_sigma(mean, log_std, action)
    return u * sigma**3, u**2 - 1


@slopes.mistake("Your second gradient is by σ. By log σ there is a factor σ more, dσ/d log σ = σ: ((a - μ)/σ)² - 1.")
def gradient_by_sigma_itself(mean, log_std, action):
    u, sigma = u_and_sigma(mean, log_std, action)
    return u / sigma, (u**2 - 1) / sigma


@slopes.mistake("Your second gradient is by the variance, σ². It was asked for by log σ: ((a - μ)/σ)² - 1.")
def gradient_by_the_variance_itself(mean, log_std, action):
    u, sigma = u_and_sigma(mean, log_std, action)
    return u / sigma, (u**2 - 1) / (2 * sigma**2)


@slopes.mistake(
    "Your second gradient is by the logarithm of the *variance*. By log σ it is twice that: ((a - μ)/σ)² - 1."
)
def gradient_by_the_log_of_the_variance(mean, log_std, action):
    u, sigma = u_and_sigma(mean, log_std, action)
    return u / sigma, (u**2 - 1) / 2


@slopes.mistake("By log σ the -1 is missing, which comes from -log σ: without it, σ could only grow.")
def gradient_without_the_one(mean, log_std, action):
    u, sigma = u_and_sigma(mean, log_std, action)
    return u / sigma, u**2


@slopes.mistake("By log σ it is ((a - μ)/σ)² *minus* 1: in log π stands minus log σ.")
def gradient_plus_one(mean, log_std, action):
    u, sigma = u_and_sigma(mean, log_std, action)
    return u / sigma, u**2 + 1


@slopes.mistake("By log σ you have (a - μ)/σ - 1. It is ((a - μ)/σ)² - 1: on both sides of the mean alike.")
def gradient_z_not_squared(mean, log_std, action):
    u, sigma = u_and_sigma(mean, log_std, action)
    return u / sigma, u - 1


@slopes.mistake(
    "By log σ a factor 2 got lost: exp(-2 log σ) has the derivative -2 exp(-2 log σ). It is ((a - μ)/σ)² - 1."
)
def gradient_half_of_the_square(mean, log_std, action):
    u, sigma = u_and_sigma(mean, log_std, action)
    return u / sigma, u**2 / 2 - 1


@slopes.mistake("By log σ you left σ out: it is ((a - μ)/σ)² - 1.")
def gradient_of_log_std_without_sigma(mean, log_std, action):
    u, sigma = u_and_sigma(mean, log_std, action)
    return u / sigma, (u * sigma) ** 2 - 1


@slopes.mistake("By log σ you took (a - μ)²/σ, with a σ that is not squared: it is ((a - μ)/σ)² - 1.")
def gradient_of_log_std_sigma_not_squared(mean, log_std, action):
    u, sigma = u_and_sigma(mean, log_std, action)
    return u / sigma, u**2 * sigma - 1


@slopes.mistake("The two are swapped: first by the mean, then by log σ.")
def gradient_swapped(mean, log_std, action):
    u, sigma = u_and_sigma(mean, log_std, action)
    return u**2 - 1, u / sigma


@slopes.mistake("By the mean there is a factor 2 too much: the half in front of the square takes it away.")
def gradient_twice_by_the_mean(mean, log_std, action):
    u, sigma = u_and_sigma(mean, log_std, action)
    return 2 * u / sigma, u**2 - 1


@slopes.mistake("You take `log_std` for σ. It is the logarithm: σ = np.exp(log_std).")
def gradient_log_std_for_sigma(mean, log_std, action):
    u = (action - mean) / log_std
    return u / log_std, u**2 - 1


@slopes.mistake("You take `log_std` for the logarithm of the variance. It is that of σ: σ² = np.exp(2 * log_std).")
def gradient_log_std_for_the_variance(mean, log_std, action):
    u, variance = (action - mean) / np.exp(log_std / 2), np.exp(log_std)
    return u / np.sqrt(variance), u**2 - 1


@slopes.mistake("You add up over the D numbers. Each number has a mean and a σ of its own, so each has its gradients.")
def gradient_summed_over_numbers(mean, log_std, action):
    u, sigma = u_and_sigma(mean, log_std, action)
    return (u / sigma).sum(-1), (u**2 - 1).sum(-1)


@slopes.mistake("You add up over the samples. Each sample has its own weight, its return, so keep them apart.")
def gradient_summed_over_samples(mean, log_std, action):
    u, sigma = u_and_sigma(mean, log_std, action)
    return (u / sigma).sum(0), (u**2 - 1).sum(0)


@slopes.mistake(
    "These are the gradients of the *density*, π times those of log π. That of the logarithm was asked for."
)
def gradient_of_the_density(mean, log_std, action):
    u, sigma = u_and_sigma(mean, log_std, action)
    density = np.exp(-(u**2) / 2) / (sigma * np.sqrt(2 * np.pi))
    return density * u / sigma, density * (u**2 - 1)


@slopes.mistake("You average over the samples. Each sample has its own weight, its return, so keep them apart.")
def gradient_mean_over_samples(mean, log_std, action):
    u, sigma = u_and_sigma(mean, log_std, action)
    return (u / sigma).mean(0), (u**2 - 1).mean(0)


@slopes.mistake("By log σ you have a factor 2 too much at the square: the half in front of the square takes it away.")
def gradient_twice_the_square(mean, log_std, action):
    u, sigma = u_and_sigma(mean, log_std, action)
    return u / sigma, 2 * u**2 - 1


@slopes.mistake("By the mean only half of it is there: the square gives a factor 2, which takes the half away.")
def gradient_half_by_the_mean(mean, log_std, action):
    u, sigma = u_and_sigma(mean, log_std, action)
    return u / sigma / 2, u**2 - 1


@slopes.mistake(
    "By log σ the first part is the derivative by σ, and the second that by log σ. By log σ both: ((a - μ)/σ)² - 1."
)
def gradient_of_two_minds(mean, log_std, action):
    u, sigma = u_and_sigma(mean, log_std, action)
    return u / sigma, u**2 / sigma - 1


@slopes.mistake(
    "By log σ it is the gradient of all samples together, of the shape of `log_std`. One for each sample was asked for."
)
def gradient_of_the_shape_of_log_std(mean, log_std, action):
    u, sigma = u_and_sigma(mean, log_std, action)
    return u / sigma, (u**2 - 1).reshape(-1, *log_std.shape).sum(0)


@slopes.mistake(
    "By log σ the sign of the square is turned around: minus a half times minus 2 is plus. It is ((a - μ)/σ)² - 1."
)
def gradient_square_with_a_minus(mean, log_std, action):
    u, sigma = u_and_sigma(mean, log_std, action)
    return u / sigma, -(u**2) - 1


@slopes.mistake("By log σ you take σ away. The derivative of -log σ by log σ is -1: ((a - μ)/σ)² - 1.")
def gradient_less_sigma(mean, log_std, action):
    u, sigma = u_and_sigma(mean, log_std, action)
    return u / sigma, u**2 - sigma


@slopes.mistake("By log σ you take 1/σ away. That is the derivative of log σ by σ; by log σ it is 1: ((a - μ)/σ)² - 1.")
def gradient_less_one_by_sigma(mean, log_std, action):
    u, sigma = u_and_sigma(mean, log_std, action)
    return u / sigma, u**2 - 1 / sigma


@slopes.mistake("By log σ you take log σ itself away. Its derivative is 1: ((a - μ)/σ)² - 1.")
def gradient_less_log_sigma(mean, log_std, action):
    u, sigma = u_and_sigma(mean, log_std, action)
    return u / sigma, u**2 - log_std


@slopes.mistake("By log σ you have |a - μ|/σ - 1. It has to be squared: ((a - μ)/σ)² - 1.")
def gradient_of_the_size(mean, log_std, action):
    u, sigma = u_and_sigma(mean, log_std, action)
    return u / sigma, abs(u) - 1


@slopes.mistake("By log σ you take D away, the number of numbers. Each number has a σ of its own, and takes 1 away.")
def gradient_less_the_number_of_numbers(mean, log_std, action):
    u, sigma = u_and_sigma(mean, log_std, action)
    return u / sigma, u**2 - mean.shape[-1]


# -- 4. the loss -----------------------------------------------------------------------------------------------------

one_loss = Exercise(
    "policy_gradients.loss",
    title="A loss whose gradient is the policy gradient",
    name="my_loss",
    hints=[
        "An optimiser goes downhill, and you want to go uphill along log π(a|s) · A. What has to be done to the sign?",
        "`policy(obs)` is a head; `policy(obs).log_prob(action)` is log π(a|s), one number for each step.",
        "The advantage is a weight, a mere number: `advantage.detach()`.",
        "`return -policy(obs).log_prob(action) * advantage.detach()`",
    ],
    insight="The same line for buttons and for steering wheels: only the head knows which. And its value means nothing: only its "
    "gradient is made to fit.",
    rtol=1e-5,
    atol=1e-6,
)


@one_loss.reference
def my_loss(policy, obs, action, advantage):
    """Return -log pi(a|s) A for each step, with a gradient by the policy.

    policy: obs float[K, N, ...] -> a head, with .log_prob(action)
    action: int64[K, N], or float[K, N, D] for numbers
    advantage: float[K, N], how much better than expected each step was;
    a mere weight: no gradient flows through it, wherever it comes from
    Returns float[K, N], one for each step.
    """
    # BEGIN SOLUTION
    log_prob = policy(obs).log_prob(action)
    return -log_prob * advantage.detach()
    # END SOLUTION


@one_loss.also_right
def loss_with_no_grad(policy, obs, action, advantage):
    with torch.no_grad():
        weight = -advantage
    return weight * policy(obs).log_prob(action)


@one_loss.also_right
def loss_in_one_line(policy, obs, action, advantage):
    return torch.neg(policy(obs).log_prob(action).mul(advantage.data))


@cache
def _policy() -> Any:
    from rlkit.nets.heads import Categorical, Gaussian

    class Policy(torch.nn.Module):
        def __init__(self, table: Any, log_std: Any):
            super().__init__()
            self.table = torch.nn.Parameter(torch.as_tensor(table, dtype=torch.float32))
            self.log_std: Any = None
            if log_std is not None:
                self.log_std = torch.nn.Parameter(torch.as_tensor(log_std, dtype=torch.float32))

        def forward(self, obs: Any) -> Any:
            out = obs.clone() @ self.table  # of a copy: who changes obs afterwards is told so, and not by autograd
            return Categorical(out) if self.log_std is None else Gaussian(out, self.log_std)

        def __repr__(self) -> str:
            parts = [self.table] if self.log_std is None else [self.table, self.log_std]
            return f"small_policy({', '.join(str(np.round(part.tolist(), 4).tolist()) for part in parts)})"

    return Policy


def small_policy(table: Any, log_std: Any = None) -> Any:
    """Return the smallest policy there is, K copies of it: logits, or means, are obs @ table.

    For an observation with a single 1, at place s, it reads row s.

    Args:
        table: float[K, S, A] for logits, or float[K, S, D] for means.
        log_std: float[K, 1, D] makes it a Gaussian policy; None leaves it a categorical one.
    """
    return _policy()(table, log_std)


LOGITS = np.log(
    [[[1.0, 3.0], [4.0, 1.0], [1.0, 1.0]], [[9.0, 1.0], [1.0, 7.0], [2.0, 3.0]]]
)  # of two copies, in three states


@one_loss.cases
def losses_to_compute(rng: np.random.Generator) -> Iterator[Case]:
    tensor, rows = torch.tensor, torch.eye(3)
    one, both = small_policy(LOGITS[:1]), small_policy(LOGITS)
    why = (
        "π(a|s) = 3/4: -log(3/4) · 2 = 0.5754. Its gradient by the first row of logits is -2 · ((0, 1) - (1/4, 3/4)) = "
        "(0.5, -0.5), so a step against it makes the action likelier"
    )
    yield Case("one step, better than expected", (one, rows[tensor([[0]])], tensor([[1]]), tensor([[2.0]])), why)
    why = "π(a|s) = 1/4: -log(1/4) · (-2) = -2.7726; its gradient, 2 · ((1, 0) - (1/4, 3/4)), makes the action less likely"
    yield Case("one step, worse than expected", (one, rows[tensor([[0]])], tensor([[0]]), tensor([[-2.0]])), why)
    action, advantage = tensor([[1, 1, 0], [1, 0, 0]]), tensor([[2.0, -1.0, 4.0], [1.0, 0.0, -3.0]])
    why = (
        "first copy: π = 3/4, 1/5 and 1/2, so 0.2877 · 2, 1.6094 · (-1) and 0.6931 · 4; second: π = 1/10, 1/8 and 2/5, so "
        "2.3026 · 1, 0 and 0.9163 · (-3)"
    )
    obs = rows[tensor([[0, 1, 2], [0, 1, 2]])]
    yield Case("two copies, three steps each", (both, obs, action, advantage), why)
    why = "π = 3/4 and 1/10: 0.2877 · 2 and 2.3026 · 1, as [[0.5754], [2.3026]]"
    yield Case("two copies, one step each", (both, obs[:, :1], action[:, :1], advantage[:, :1]), why)
    normal = small_policy([[[1.0, 0.0], [0.0, 0.0], [2.0, 1.0]]], [[[LOG_2, LOG_4]]])
    why = (
        "numbers in place of buttons: σ = 2 and 4, (a - μ)/σ is 1 and -2, 1 and 0, and log π is -6.4173 and -4.4173; times "
        "-2 and times 1: 12.8346 and -4.4173"
    )
    action = tensor([[[3.0, -8.0], [2.0, 0.0]]])
    yield Case("a Gaussian policy", (normal, rows[tensor([[0, 1]])], action, tensor([[2.0, -1.0]])), why)
    narrow = small_policy([[[1.0]]], [[[-LOG_4]]])
    why = "σ = 1/4, at the mean: the density is 4 · 0.3989 = 1.5958, above 1, so log π = 0.4674, above 0: the loss is -0.4674 · 2"
    yield Case("a narrow bell", (narrow, torch.ones(1, 1, 1), tensor([[[1.0]]]), tensor([[2.0]])), why)
    why = "π = 3/4 and 4/5: 0.2877 · 40 = 11.5073 and 0.2231 · (-30) = -6.6943; an advantage is used as it comes, however large"
    obs = rows[tensor([[0, 1]])]
    yield Case("large advantages", (one, obs, tensor([[1, 0]]), tensor([[40.0, -30.0]])), why)
    why = "the logits are 200 apart, so log π(a|s) = -200, and 200 · 3 = 600; π itself, exp(-200), is 0 for a float32"
    far = small_policy([[[0.0, 200.0]]])
    yield Case("an action next to impossible", (far, torch.ones(1, 1, 1), tensor([[0]]), tensor([[3.0]])), why)
    why = "as in the first situation, 0.5754: the advantage comes from a network, but here it is a number, 2"
    weight = tensor([[2.0]], requires_grad=True)
    yield Case("an advantage that has a gradient", (one, rows[tensor([[0]])], tensor([[1]]), weight), why)
    for k in range(1, 3):
        network = small_policy(random_tensor(rng, 2, 4, 3))
        args = random_tensor(rng, 2, 3, 4), torch.tensor(rng.integers(3, size=(2, 3))), random_tensor(rng, 2, 3)
        yield Case(f"random steps {k}", (network, *args))
    network = small_policy(random_tensor(rng, 2, 4, 2), random_tensor(rng, 2, 1, 2) / 2)
    args = random_tensor(rng, 2, 3, 4), random_tensor(rng, 2, 3, 2), random_tensor(rng, 2, 3)
    yield Case("random steps with numbers", (network, *args))


@one_loss.trial
def loss_and_gradients(loss_of, policy, obs, action, advantage):
    """Return the loss, and the gradients of its sum by the weights of the policy and by the advantage."""
    watched = {name: w for name, w in policy.named_parameters()}
    if advantage.requires_grad:
        watched["advantage"] = advantage
    loss = loss_of(policy, obs, action, advantage)
    if loss is None:
        return None
    if "advantage" in watched and not advantage.requires_grad:
        return {"loss": detached(loss), "advantage": "cut off"}
    done = any(w.grad is not None for w in policy.parameters())
    gradients: Any = [None] * len(watched)
    if getattr(loss, "requires_grad", False):
        gradients = torch.autograd.grad(loss.sum(), list(watched.values()), allow_unused=True)
    seen = {name: NO_GRADIENT if g is None else g for name, g in zip(watched, gradients, strict=True)}
    return {
        "loss": detached(loss),
        **{f"gradient by {name}": g for name, g in seen.items()},
        "backward was called": done,
    }


@one_loss.judge
def what_is_wrong_with_a_loss(case: Case, got: Any) -> str | None:
    """Judge the numbers first, and then where the gradient goes."""
    expected = one_loss.outcome(my_loss, fresh(case.args))
    K, N = case.args[3].shape
    said = difference(got["loss"], expected["loss"], 1e-5, 1e-6)
    if said is not None:
        return f"{said} For each step, float[{K}, {N}], -log pi(a|s) times its advantage was asked for."
    if "advantage" in got:
        return "`detach_()`, with the underscore, cuts off the caller's own tensor. `advantage.detach()` leaves it as it is."
    if not isinstance(got["loss"], torch.Tensor):
        return (
            f"The numbers are right, but they come as {type(got['loss']).__name__}. A gradient is taken of them: stay "
            "with torch."
        )
    if got["backward was called"]:
        return "The loss is right, but `backward()` is the caller's affair: gradients add up, so the step would be too long."
    for name, right in expected.items():
        given = got[name]
        if name == "gradient by advantage" and hasattr(given, "detach"):
            return "The numbers are right, but a gradient flows through the advantage too. Take `advantage.detach()`."
        if hasattr(right, "detach") and not hasattr(given, "detach"):
            return (
                "The numbers are right, but no gradient reaches the policy, so nothing would be learned. Detach only the "
                "advantage."
            )
        if hasattr(right, "detach") and not close(given, right, 1e-5, 1e-6):
            return (
                "The numbers are right, but the gradient is another one: it should flow through log pi(a|s), and nothing "
                "else."
            )
    return None


@one_loss.mistake("The sign is turned around. An optimiser goes *downhill*, so the loss is minus log pi(a|s) A.")
def loss_uphill(policy, obs, action, advantage):
    return -my_loss(policy, obs, action, advantage)


@one_loss.mistake(
    "The numbers are right, but a gradient flows through the advantage too. Then the network that it comes from would be "
    "pulled to wherever this loss is small: `advantage.detach()`."
)
def loss_through_the_advantage(policy, obs, action, advantage):
    return -policy(obs).log_prob(action) * advantage


@one_loss.mistake(
    "The numbers are right, but no gradient reaches the policy, so nothing would be learned. Detach only the advantage."
)
def loss_without_gradient(policy, obs, action, advantage):
    return my_loss(policy, obs, action, advantage).detach()


@one_loss.mistake("The gradient stops at log pi instead of at the advantage: detach the other one.")
def loss_detached_on_the_wrong_side(policy, obs, action, advantage):
    return -policy(obs).log_prob(action).detach() * advantage


@one_loss.mistake("You left the advantage out: so every action would be made likelier, whatever came of it.")
def loss_without_advantage(policy, obs, action, advantage):
    return -policy(obs).log_prob(action)


@one_loss.mistake("You take the probability. The *logarithm* of it makes up for rare actions being seen rarely.")
def loss_of_the_probability(policy, obs, action, advantage):
    return -policy(obs).log_prob(action).exp() * advantage.detach()


@one_loss.mistake(
    "This is the ratio of new to old probability, times -A. Its gradient is right, and chapter 5 makes much of it; here log pi "
    "was asked for."
)
def loss_of_the_ratio(policy, obs, action, advantage):
    log_prob = policy(obs).log_prob(action)
    return -(log_prob - log_prob.detach()).exp() * advantage.detach()


@one_loss.mistake("You take the likeliest action. The advantage belongs to the one that was taken: `action`.")
def loss_of_the_mode(policy, obs, action, advantage):
    head = policy(obs)
    return -head.log_prob(head.mode()) * advantage.detach()


@one_loss.mistake("You draw a new action. The advantage belongs to the one that was taken: `action`.")
def loss_of_a_new_action(policy, obs, action, advantage):
    head = policy(obs)
    return -head.log_prob(head.sample(torch.Generator())) * advantage.detach()


@one_loss.mistake("You return one number, the mean. Leave that to the caller, and return float[K, N].")
def loss_mean_of_all(policy, obs, action, advantage):
    return my_loss(policy, obs, action, advantage).mean()


@one_loss.mistake("You return one number, the sum. Leave that to the caller, and return float[K, N].")
def loss_sum_of_all(policy, obs, action, advantage):
    return my_loss(policy, obs, action, advantage).sum()


@one_loss.mistake("You average over the steps. Leave that to the caller, and return float[K, N].")
def loss_mean_of_each_copy(policy, obs, action, advantage):
    return my_loss(policy, obs, action, advantage).mean(-1)


@one_loss.mistake("You add up the steps. Leave that to the caller, and return float[K, N].")
def loss_sum_of_each_copy(policy, obs, action, advantage):
    return my_loss(policy, obs, action, advantage).sum(-1)


@one_loss.mistake("An axis of length 1 makes every step meet every advantage. Neither of the two needs `unsqueeze`.")
def loss_all_with_all(policy, obs, action, advantage):
    return -policy(obs).log_prob(action).unsqueeze(-1) * advantage.detach().unsqueeze(-2)


@one_loss.mistake("You take the size of the advantage. A negative one has to push the action *down*: keep its sign.")
def loss_of_the_size(policy, obs, action, advantage):
    return my_loss(policy, obs, action, advantage.abs())


@one_loss.mistake("You leave out what went worse than expected. It counts too, and pushes the action down.")
def loss_of_successes_only(policy, obs, action, advantage):
    return my_loss(policy, obs, action, advantage.clamp(min=0))


@one_loss.mistake(
    "You subtract the mean of the advantages. A baseline was the caller's affair, and is in them already."
)
def loss_with_centred_advantages(policy, obs, action, advantage):
    return my_loss(policy, obs, action, advantage - advantage.mean(-1, keepdim=True))


@one_loss.mistake("You square the advantage, and so lose its sign.")
def loss_with_squared_advantages(policy, obs, action, advantage):
    return my_loss(policy, obs, action, advantage**2)


@one_loss.mistake("You square log pi, as if it were an error. The policy gradient is of log pi itself.")
def loss_squared(policy, obs, action, advantage):
    return policy(obs).log_prob(action) ** 2 * advantage.detach()


@one_loss.mistake("You subtract the advantage from log pi, as from a target. It is a weight: multiply.")
def loss_like_a_regression(policy, obs, action, advantage):
    return (advantage.detach() - policy(obs).log_prob(action)) ** 2


@one_loss.mistake("You add log pi and the advantage. The advantage is a weight: multiply.")
def loss_added(policy, obs, action, advantage):
    return -(policy(obs).log_prob(action) + advantage.detach())


@one_loss.mistake(
    "You take the entropy, which knows nothing of the action. log pi(a|s) of what was taken is `.log_prob(action)`."
)
def loss_of_the_entropy(policy, obs, action, advantage):
    return policy(obs).entropy() * advantage.detach()


def normalised(x):
    """Return x with mean 0 and standard deviation 1 along its last axis; nan for a single one, as of torch's `std`."""
    centred = x - x.mean(-1, keepdim=True)
    variance = (centred**2).sum(-1, keepdim=True) / torch.tensor(x.shape[-1] - 1.0)
    return centred / (variance.sqrt() + 1e-8)


@one_loss.mistake(
    "You normalise the advantages over all copies. Whether, is for the caller to decide, and copies share nothing."
)
def loss_normalised_over_all(policy, obs, action, advantage):
    return my_loss(policy, obs, action, normalised(advantage.reshape(-1)).reshape(advantage.shape))


@one_loss.mistake("You normalise the advantages. That is for the caller to decide: they come as they are to be used.")
def loss_normalised(policy, obs, action, advantage):
    return my_loss(policy, obs, action, normalised(advantage))


@one_loss.mistake("There is an entropy in your loss. It can help, but was not asked for here.")
def loss_with_entropy(policy, obs, action, advantage):
    return my_loss(policy, obs, action, advantage) - 0.01 * policy(obs).entropy()


@one_loss.mistake(
    "The loss is right, but you call `backward()`. That is the caller's affair: gradients add up, and count twice."
)
def loss_calls_backward(policy, obs, action, advantage):
    loss = my_loss(policy, obs, action, advantage)
    loss.sum().backward(retain_graph=True)
    return loss


@one_loss.mistake(
    "You clamp the advantages. They are weights, however large: what is to become of them is for the caller."
)
def loss_with_clamped_advantages(policy, obs, action, advantage):
    return my_loss(policy, obs, action, advantage.clamp(-10, 10))


@one_loss.mistake("You keep only the sign of the advantage. How much better it went counts too: multiply by all of it.")
def loss_of_the_sign(policy, obs, action, advantage):
    return my_loss(policy, obs, action, advantage.sign())


@one_loss.mistake(
    "You go from log π to π and back. A probability that is too small for a float32 becomes 0, and its logarithm minus "
    "infinity: leave `.log_prob(action)` as it is."
)
def loss_by_way_of_the_probability(policy, obs, action, advantage):
    return -policy(obs).log_prob(action).exp().log() * advantage.detach()


@one_loss.mistake(
    "You average log π over the steps *before* you multiply: then each advantage meets what all did, and not its own action. "
    "With advantages whose mean is 0 nothing would be left to learn."
)
def loss_with_the_mean_log_prob(policy, obs, action, advantage):
    return -policy(obs).log_prob(action).mean(1, keepdim=True) * advantage.detach()


@one_loss.mistake(
    "You average the advantages over the steps before you multiply: each action has its own, and with the mean all get the same."
)
def loss_with_the_mean_advantage(policy, obs, action, advantage):
    return -policy(obs).log_prob(action) * advantage.detach().mean(1, keepdim=True)


@one_loss.mistake(
    "You average both over the steps, and multiply then. Each log π meets its own advantage, and no mean is asked for."
)
def loss_of_two_means(policy, obs, action, advantage):
    mean = advantage.mean(1, keepdim=True).expand_as(advantage)
    return -policy(obs).log_prob(action).mean(1, keepdim=True) * mean


@one_loss.mistake("You divide by the number of steps. Leave the mean to the caller: -log pi(a|s) A for each step.")
def loss_divided_by_the_steps(policy, obs, action, advantage):
    return my_loss(policy, obs, action, advantage) / advantage.shape[-1]


@one_loss.mistake(
    "You divide by the number of all steps of all copies. Leave the mean to the caller: -log pi(a|s) A for each."
)
def loss_divided_by_all(policy, obs, action, advantage):
    return my_loss(policy, obs, action, advantage) / advantage.numel()


@one_loss.mistake(
    "You subtract the mean of all advantages, over all copies. A baseline is in them already, and copies share nothing."
)
def loss_centred_over_all(policy, obs, action, advantage):
    return my_loss(policy, obs, action, advantage - advantage.mean())


@one_loss.mistake("`squeeze` takes axes of length 1 away. float[K, N] was asked for, even with one copy or one step.")
def loss_squeezed(policy, obs, action, advantage):
    return my_loss(policy, obs, action, advantage).squeeze()


# -- 5. reward to go -------------------------------------------------------------------------------------------------

to_go = Exercise(
    "policy_gradients.to_go",
    title="Reward to go",
    name="my_reward_to_go",
    hints=[
        "Begin at the end: there the return is the last reward. What is it one step earlier?",
        "R_t = r_t + γ R_{t+1}, from the last step to the first: `for t in reversed(range(len(reward)))`.",
        "Time is the first axis, so `reward[t]` is one number or many, and all go through the same two lines.",
        "`R = np.zeros_like(reward, dtype=float)`, `total = 0`, and in the loop `total = reward[t] + gamma * total` and "
        "`R[t] = total`",
    ],
    insight="What lay before an action cannot be its merit. Leaving it out changes no expectation, and takes much noise away.",
    rtol=1e-5,  # float32 will do
    atol=1e-6,
)


@to_go.reference
def my_reward_to_go(reward, gamma):
    """Return R_t = r_t + gamma r_{t+1} + gamma^2 r_{t+2} + ... for each t.

    reward: float[T, ...] or int, time first; 0 after the end of an episode
    gamma: float
    Returns float[T, ...], a new array: reward stays as it is.
    """
    R = np.zeros_like(reward, dtype=float)
    total = 0
    for t in reversed(range(len(reward))):
        total = reward[t] + gamma * total
        R[t] = total
    return R


@to_go.also_right
def to_go_in_a_copy(reward, gamma):
    R = reward.astype(float)
    for t in range(len(R) - 2, -1, -1):
        R[t] += gamma * R[t + 1]
    return R


@to_go.also_right
def to_go_by_a_matrix(reward, gamma):
    steps = np.arange(len(reward)) - np.arange(len(reward))[:, None]
    return np.tensordot(np.where(steps >= 0, gamma ** np.maximum(steps, 0.0), 0.0), reward, axes=1)


@to_go.also_right
def to_go_from_a_list(reward, gamma):
    backwards: list[Any] = []
    for r in reward[::-1]:
        backwards.append(r + gamma * backwards[-1] if backwards else r)
    return np.array(backwards[::-1])


@to_go.cases
def rewards_to_sum(rng: np.random.Generator) -> Iterator[Case]:
    array = np.array
    why = "from the end: 4; 2 + 0.5 · 4 = 4; 1 + 0.5 · 4 = 3"
    yield Case("three steps", (array([1.0, 2.0, 4.0]), 0.5), why)
    yield Case("a reward at the end", (array([0.0, 0.0, 8.0]), 0.5), "8; 0.5 · 8 = 4; 0.5 · 4 = 2")
    yield Case("a reward at the beginning", (array([6.0, 0.0, 0.0]), 0.5), "nothing comes after it: 6, 0, 0")
    yield Case("without a discount", (array([1.0, -2.0, 4.0, 1.0]), 1.0), "from the end: 1; 5; 3; 4")
    yield Case("only now counts", (array([1.0, -2.0, 4.0]), 0.0), "with γ = 0 it is the reward: 1, -2, 4")
    yield Case("a single step", (array([3.0]), 0.5), "the reward alone: 3")
    why = "first column, from the end: 4, 4, 3; second, whose episode ended after two steps: 0, 6, 2 + 0.5 · 6 = 5"
    yield Case("two episodes side by side", (array([[1.0, 2.0], [2.0, 6.0], [4.0, 0.0]]), 0.5), why)
    square = array([[1.0, 2.0, 0.0], [2.0, 6.0, 0.0], [4.0, 0.0, 8.0]])
    yield Case("as many episodes as steps", (square, 0.5), "down the columns, from the end: 4, 4, 3; 0, 6, 5; 8, 4, 2")
    copies = array([[[1.0, 0.0], [8.0, 4.0]], [[2.0, 4.0], [0.0, 0.0]]])
    why = "the last step as it is; the first: 1 + 0.5 · 2 = 2, 0 + 0.5 · 4 = 2, 8 and 4"
    yield Case("two steps, two copies, two episodes", (copies, 0.5), why)
    why = "each step pays 1, so R_t is the number of steps from t on: 150, 149, ..., 1"
    yield Case("a long episode", (np.ones(150), 1.0), why, "my_reward_to_go(np.ones(150), 1.0)")
    why = "the rewards are whole numbers, the returns are not: 3; 2 + 0.5 · 3 = 3.5; 1 + 0.5 · 3.5 = 2.75"
    yield Case("whole rewards", (array([1, 2, 3]), 0.5), why)
    for k in range(1, 3):
        yield Case(f"random rewards {k}", (rng.normal(size=(5, 2, 3)), float(rng.uniform(0.4, 0.99))))


judge_returns(to_go)


@to_go.mistake(
    "Every step has the return of the whole episode. Step t gets what comes *from t on*. (If you collect arrays in a "
    "list: are they all the same one?)"
)
def to_go_total(reward, gamma):
    return np.broadcast_to(my_reward_to_go(reward, gamma)[0], reward.shape).copy()


@to_go.mistake("You sum from the front: what lay before a step. It should be what comes from this step on.")
def to_go_forwards(reward, gamma):
    return my_reward_to_go(reward[::-1], gamma)[::-1].copy()


@to_go.mistake(
    "You sum up to each step, with later rewards worth less. Step t gets what comes from t on, and its own r_t in full."
)
def to_go_discounted_so_far(reward, gamma):
    powers = gamma ** np.arange(len(reward), dtype=float)
    return np.cumsum((powers * reward.T).T, axis=0)


@to_go.mistake("You forgot gamma: each step into the future takes a factor of it.")
def to_go_without_gamma(reward, gamma):
    return my_reward_to_go(reward, 1.0)


@to_go.mistake("The reward of the step itself is missing: R_t begins with r_t.")
def to_go_without_its_own_reward(reward, gamma):
    R = my_reward_to_go(reward, gamma)
    return gamma * np.concatenate([R[1:], np.zeros_like(R[:1])])


@to_go.mistake("Your R_t begins with the *next* reward. It begins with r_t, which came for the action at t.")
def to_go_from_the_next_step(reward, gamma):
    R = my_reward_to_go(reward, gamma)
    return np.concatenate([R[1:], np.zeros_like(R[:1])])


@to_go.mistake("You discount the reward of the step itself too. It comes at once: only what follows takes a gamma.")
def to_go_discounts_its_own_reward(reward, gamma):
    return gamma * my_reward_to_go(reward, gamma)


@to_go.mistake(
    "You discount from the start of the episode, γ^t. Each step counts from itself: its own reward is worth all of it."
)
def to_go_discounted_from_the_start(reward, gamma):
    powers = gamma ** np.arange(len(reward), dtype=float)
    return (powers * my_reward_to_go(reward, gamma).T).T


@to_go.mistake("You look only one step ahead. Take R_{t+1}, the whole of the future, instead of r_{t+1}.")
def to_go_one_step_ahead(reward, gamma):
    return reward + gamma * np.concatenate([reward[1:], np.zeros_like(reward[:1])])


@to_go.mistake("You sum along the last axis. Time is the first.")
def to_go_along_the_last_axis(reward, gamma):
    return np.moveaxis(my_reward_to_go(np.moveaxis(reward, -1, 0), gamma), 0, -1).copy()


@to_go.mistake("All episodes share one sum. Each column is an episode of its own: add up along time only.")
def to_go_one_sum_for_all(reward, gamma):
    totals = reward.reshape(len(reward), -1).sum(axis=1)
    return np.broadcast_to(my_reward_to_go(totals, gamma).reshape(-1, *[1] * (reward.ndim - 1)), reward.shape).copy()


@to_go.mistake("The last step is left out: `range` has to reach it, and its return is its reward.")
def to_go_without_the_last_step(reward, gamma):
    R = np.concatenate([my_reward_to_go(reward[:-1], gamma), np.zeros_like(reward[:1])])
    return R


@to_go.mistake(
    "The first step is left out: `range` stops *before* its second number, so from the end it is `range(..., -1, -1)`."
)
def to_go_without_the_first_step(reward, gamma):
    R = my_reward_to_go(reward, gamma)
    R[0] = 0
    return R


@to_go.mistake("You forgot to turn the result around: it still begins with the last step.")
def to_go_backwards(reward, gamma):
    return my_reward_to_go(reward, gamma)[::-1].copy()


@to_go.mistake("You return the first of the returns only. One for each step was asked for.")
def to_go_first_only(reward, gamma):
    return my_reward_to_go(reward, gamma)[0]


@to_go.mistake(
    "At the last step `R[t + 1]` is not there, and `R[t - 1]`, or `%`, looks at the other end: after it comes 0."
)
def to_go_around_the_corner(reward, gamma):
    R = reward.astype(float)
    for t in reversed(range(len(R))):
        R[t] += gamma * R[(t + 1) % len(R)]
    return R


@to_go.mistake(
    "You subtract the mean of the returns. That is a baseline, which comes later: the bare returns were asked for."
)
def to_go_centred(reward, gamma):
    R = my_reward_to_go(reward, gamma)
    return R - R.mean(axis=0)


@to_go.mistake("You divide by the number of steps, which makes a mean of it. A sum was asked for.")
def to_go_mean(reward, gamma):
    return my_reward_to_go(reward, gamma) / len(reward)


@to_go.mistake("You return the rewards as they are. R_t is what comes from t on, all of it.")
def to_go_reward_alone(reward, gamma):
    return reward.copy()


@to_go.mistake(
    "With `range(..., 0, -1)` the first step keeps its 0: `range` stops before its second number, so that has to be -1."
)
def to_go_stops_before_the_first_step(reward, gamma):
    R = my_reward_to_go(reward, gamma)
    if len(R) > 1:  # a single step is the last one too, which was filled in before the loop
        R[0] = 0
    return R


@to_go.mistake("You go from the front, when `R[t + 1]` is not there yet. Begin at the end: `reversed(range(...))`.")
def to_go_from_the_front(reward, gamma):
    R = np.zeros_like(reward, dtype=float)
    R[-1] = reward[-1]
    for t in range(len(reward) - 1):
        R[t] = reward[t] + gamma * R[t + 1]
    return R


@to_go.mistake(
    "You multiply by γ^t, sum, and divide by γ^t again. With γ = 0 that is 0/0, and γ^t gets very small: go from the end."
)
def to_go_divides_by_powers(reward, gamma):
    powers = (gamma ** np.arange(len(reward), dtype=float)).reshape(-1, *[1] * (reward.ndim - 1))
    return np.cumsum((powers * reward)[::-1], axis=0)[::-1] / powers


@to_go.mistake(
    "You discount each reward once, and add them up. Each step into the future takes a factor of gamma *more*."
)
def to_go_discounted_once(reward, gamma):
    return gamma * my_reward_to_go(reward, 1.0)


@to_go.mistake("`total += reward[t] + gamma * total` counts the total twice: `=` instead of `+=`.")
def to_go_added_twice(reward, gamma):
    return my_reward_to_go(reward, 1 + gamma)


@to_go.mistake(
    "`np.cumsum` without an axis runs through all the numbers. Time is the first axis: `axis=0`, and gamma is missing."
)
def to_go_flattened(reward, gamma):
    return np.cumsum(reward[::-1])[::-1].copy()


@to_go.mistake(
    "You normalise the returns. That is a matter of its own, which comes later: the bare returns were asked for."
)
def to_go_normalised(reward, gamma):
    R = my_reward_to_go(reward, gamma)
    return (R - R.mean()) / (R.std() + 1e-8)


@to_go.mistake(
    "Where the rewards are whole numbers, `np.zeros_like(reward)`, a copy, or `reward` itself, which is not yours to change, "
    "holds whole numbers only, and what stands behind the point is lost: `np.zeros_like(reward, dtype=float)`."
)
def to_go_in_whole_numbers(reward, gamma):
    R, total = np.zeros_like(reward), 0.0
    for t in reversed(range(len(reward))):
        total = reward[t] + gamma * total
        R[t] = total
    return R


@to_go.mistake(
    "You add up what was paid up to each step, and without gamma. It should be what comes from this step on."
)
def to_go_so_far_without_gamma(reward, gamma):
    return np.cumsum(reward, axis=0)


@to_go.mistake(
    "Where the reward is 0 your return is 0 too, and the sum begins anew. A step may pay nothing and still lead to something: "
    "after the end all rewards are 0, and so is their sum, by itself."
)
def to_go_zero_where_nothing_is_paid(reward, gamma):
    R = np.zeros(reward.shape)
    total = np.zeros(reward.shape[1:])
    for t in reversed(range(len(reward))):
        total = np.where(reward[t] == 0, 0, reward[t] + gamma * total)
        R[t] = total
    return R


@to_go.mistake("`np.roll` brings the first return round to the end. After the last step comes 0.")
def to_go_rolled(reward, gamma):
    return reward + gamma * np.roll(my_reward_to_go(reward, gamma), -1, axis=0)


@to_go.mistake("You multiply by 1 - γ, which makes a mean with weights of it. The sum was asked for.")
def to_go_weighted_mean(reward, gamma):
    return (1 - gamma) * my_reward_to_go(reward, gamma)


# -- 6. a prediction: the variance ----------------------------------------------------------------------------------

variance = Exercise(
    "policy_gradients.variance",
    title="What ten more do to the variance",
    name="my_factor",
    value=True,
    rtol=0.0,
    atol=0.01,
    hints=[
        "ĝ can take two values, each half of the time: -r₀/2 and r₁/2. Write them down, before and after.",
        "Before: 0 and 1/2. After: -5 and 5.5. The mean is 1/4 both times. How far from it are the two values?",
        "Both are equally far from the mean, so the variance is the square of that distance: (1/4)², and then (5.25)².",
        "`my_factor = (5.25 / 0.25) ** 2`, which is 441",
    ],
    insight="The variance is ((r₀ + r₁)/4)². So it can be made smaller too, and how: take 1/2 away from both rewards, and it is "
    "0. Each pull then tells the gradient exactly.",
)


@variance.reference
def my_factor():
    return 441


@variance.judge
def what_a_factor_says(case: Case, got: Any) -> str | None:
    """Judge a factor, and say what to work out for another one."""
    if not is_finite_number(got):
        said = difference(got, my_factor(), 0, 0)
        return "One number is asked for." if said in (None, ANOTHER_VALUE) else said
    if abs(float(got) - my_factor()) <= variance.atol:
        return None
    if abs(float(got) - my_factor()) < 1:
        return "Near. By hand it is an exact number: ĝ has two values, and each is met half of the time."
    return "Write down the two values of ĝ, before and after. How far from their mean is each of them?"


@variance.mistake(
    "The variance of the *rewards* does not change. But ĝ is the reward times +1/2 for one arm, and -1/2 for the other: "
    "what was added drives the two apart."
)
def factor_of_the_rewards():
    return 1


@variance.mistake("Ten was added, not multiplied, and a variance is a mean of squares. Write down both values of ĝ.")
def factor_ten():
    return 10


@variance.mistake(
    "The larger reward grows from 1 to 11, but a variance is a mean of squared distances. Write down both values of ĝ."
)
def factor_eleven():
    return 11


@variance.mistake("That is by how much the standard deviation grows, from 1/4 to 5.25. The variance is its square.")
def factor_of_the_deviation():
    return 21


@variance.mistake("That would be so if both rewards were multiplied by 10. They were raised by 10.")
def factor_hundred():
    return 100


@variance.mistake(
    "11² is right for one arm's ĝ, about 0. What counts is the distance from the mean, and the other arm's ĝ moves too."
)
def factor_of_one_arm():
    return 121


@variance.mistake("You left the rewards 0 and 1 out: ĝ is -5 and 5.5, not -5 and 5.")
def factor_without_the_rewards():
    return 400


@variance.mistake("You divided by the mean of ĝ, 1/4. Divide by the variance before, 1/16.")
def factor_by_the_mean():
    return 110.25


@variance.mistake("This is the variance after. By what factor has it grown? Before it was 1/16.")
def factor_new_variance():
    return 27.5625


@variance.mistake("This is by how much more the variance is. The factor was asked for, a quotient.")
def factor_difference():
    return 27.5


@variance.mistake(
    "These are means of squares. A variance is the mean square *less the square of the mean*, which is 1/16."
)
def factor_of_the_mean_squares():
    return 221


@variance.mistake(
    "You divide the variance after by the mean of ĝ² before, 1/8. Take the square of the mean off there too: 1/8 - 1/16 is 1/16."
)
def factor_of_a_variance_by_a_mean_square():
    return 220.5


@variance.mistake(
    "You add 5² = 25 to the variance, as if what was added were noise of its own. But both parts rise and fall with the arm: "
    "write down both values of ĝ."
)
def factor_of_two_noises():
    return 401


@variance.mistake("You have it upside down: the variance grows.")
def factor_upside_down():
    return 1 / 441


@variance.mistake("It grows *by* 440 times what it was, so *to* 441 times. The factor was asked for.")
def factor_one_less():
    return 440


@variance.mistake("This is the standard deviation after. The factor by which the variance grows was asked for.")
def factor_new_deviation():
    return 5.25


# -- 7. the best baseline ---------------------------------------------------------------------------------------------

best_constant = Exercise(
    "policy_gradients.baseline",
    title="The best constant baseline",
    name="my_best_baseline",
    hints=[
        "The mean of (R - b) g does not depend on b, so its variance is least where the mean of |g|² (R - b)² is.",
        "It is a parabola in b. Its derivative is -2 times the mean of |g|² (R - b): where is that 0?",
        "A mean of R with the weights |g|², where |g|² is the sum of the squares of a row of `score`.",
        "`weight = (score**2).sum(axis=-1)` and `return (weight * R).sum() / weight.sum()`",
    ],
    insight="Nearly the mean of R, but not quite: rare actions have large scores, and the returns that came with them count "
    "more. Everybody takes the mean all the same, or better, V(s), which knows the state.",
)


@best_constant.reference
def my_best_baseline(score, R):
    """Return the constant b with which (R - b) * score varies least.

    score: float[N, P], grad log pi of each sample, whose expectation is 0
    R: float[N], the return of each sample
    Returns a float, the b where the mean of |score|^2 (R - b)^2 is smallest.
    """
    weight = np.linalg.norm(score, axis=1) ** 2
    return (weight * R).sum() / weight.sum()


@best_constant.also_right
def baseline_by_a_weighted_mean(score, R):
    return float(np.average(R, weights=(score**2).sum(axis=-1)))


@best_constant.also_right
def baseline_by_least_squares(score, R):
    return np.linalg.lstsq(score.reshape(-1, 1), (score * R[:, None]).reshape(-1), rcond=None)[0][0]


@best_constant.also_right
def baseline_by_einsum(score, R):
    return np.einsum("np,np,n->", score, score, R) / np.einsum("np,np->", score, score)


@best_constant.cases
def samples_to_weigh(rng: np.random.Generator) -> Iterator[Case]:
    array = np.array
    why = "the weights are 1 and 9: (10 + 9 · 5)/10 = 5.5"
    yield Case("one parameter", (array([[1.0], [-3.0]]), array([10.0, 5.0])), why)
    why = "the weights are all 1/4, so it is the mean: (0 + 1)/2 = 1/2; with it, nothing varies any more"
    yield Case("the two arms", (array([[-0.5], [0.5]]), array([0.0, 1.0])), why)
    why = "the weights are 4 and 0, as the second has no score: (4 · 3 + 0)/4 = 3"
    yield Case("a score of zero", (array([[2.0], [0.0]]), array([3.0, 100.0])), why)
    score = array([[1.0, 2.0], [-2.0, 1.0], [0.0, -1.0]])
    why = "|g|² is 1 + 4 = 5, 4 + 1 = 5 and 1: (5 · 2 + 5 · 6 + 1 · 15)/11 = 5"
    yield Case("two parameters", (score, array([2.0, 6.0, 15.0])), why)
    why = "|g|² is 25, 1 and 4: (25 · 4 + 1 · (-8) + 4 · (-2))/30 = 84/30 = 2.8"
    yield Case("returns below zero", (array([[3.0, -4.0], [-1.0, 0.0], [0.0, 2.0]]), array([4.0, -8.0, -2.0])), why)
    why = "whatever the weights, a weighted mean of 7 is 7"
    yield Case("all returns alike", (score, array([7.0, 7.0, 7.0])), why)
    for k in range(1, 3):
        yield Case(f"random samples {k}", (rng.normal(size=(6, 3)), rng.normal(2, 3, size=6)))


@best_constant.judge
def how_much_it_varies(case: Case, got: Any) -> str | None:
    """Judge a baseline, and say by how much another one is worse."""
    score, R = case.args
    b = my_best_baseline(score, R)
    said = difference(got, b, best_constant.rtol, best_constant.atol)
    if said != ANOTHER_VALUE:
        return said
    if not is_finite_number(got):
        return "This is no finite number. Is something divided by 0?"
    given, least = (float(((score * (R - x)[:, None]) ** 2).sum(axis=1).mean()) for x in (float(got), b))
    if abs(float(got) - b) < 0.01 * (1 + abs(b)):
        return (
            "Nearly, but not exactly. There is a formula for it: set the derivative of the mean of |g|² (R - b)² to 0."
        )
    return f"With your b the mean of |g|² (R - b)² is {given:.4g}; the best b makes it {least:.4g}."


def weighted(weight, R):
    """Return a weighted mean of R."""
    return (weight * R).sum() / weight.sum()


@best_constant.mistake("This is the plain mean of R. A sample with a large score weighs more: |g|² times.")
def baseline_plain_mean(score, R):
    return R.mean()


@best_constant.mistake("This is the median of R. The parabola's lowest point is a weighted *mean*.")
def baseline_median(score, R):
    return np.median(R)


@best_constant.mistake("Your weights are |g|. In the variance each sample counts with the *square*, |g|².")
def baseline_weights_not_squared(score, R):
    return weighted(np.linalg.norm(score, axis=1), R)


@best_constant.mistake("Your weights are |g|⁴: |g|² is once the sum of the squares.")
def baseline_weights_squared_twice(score, R):
    return weighted((score**2).sum(axis=1) ** 2, R)


@best_constant.mistake("|g|² is the sum of the squares of a row, not the square of its sum.")
def baseline_square_of_the_sum(score, R):
    return weighted(score.sum(axis=1) ** 2, R)


@best_constant.mistake("Your weights are sums of |g|, without a square: |g|² is the sum of the squares of a row.")
def baseline_weights_of_sizes(score, R):
    return weighted(abs(score).sum(axis=1), R)


@best_constant.mistake("You weigh by the score itself, whose sign cancels. Its square was asked for, |g|².")
def baseline_weights_with_signs(score, R):
    return weighted(score.sum(axis=1), R)


@best_constant.mistake(
    "You return one number for each parameter. That would be better still; here one constant for all was asked for."
)
def baseline_for_each_parameter(score, R):
    return (score**2 * R[:, None]).sum(axis=0) / (score**2).sum(axis=0)


@best_constant.mistake(
    "You average the best baselines of the parameters. Add up over the parameters *before* you divide."
)
def baseline_mean_over_parameters(score, R):
    return ((score**2 * R[:, None]).sum(axis=0) / (score**2).sum(axis=0)).mean()


@best_constant.mistake("R is missing: this is the mean of |g|². It is the mean of |g|² R, divided by that.")
def baseline_without_returns(score, R):
    return (score**2).sum(axis=1).mean()


@best_constant.mistake("You divide by the number of samples. Divide by the sum of the weights, |g|².")
def baseline_not_normalised(score, R):
    return ((score**2).sum(axis=1) * R).mean()


@best_constant.mistake("You forgot to divide by the sum of the weights, |g|².")
def baseline_sum(score, R):
    return ((score**2).sum(axis=1) * R).sum()


@best_constant.mistake("Your fraction is upside down: the mean of |g|² R goes above.")
def baseline_upside_down(score, R):
    return 1 / my_best_baseline(score, R)


@best_constant.mistake("You divide by |g|². Large scores are what makes it vary, so they weigh *more*.")
def baseline_weights_inverted(score, R):
    return weighted(1 / (score**2).sum(axis=1), R)


@best_constant.mistake("R is squared on top: in the derivative of |g|² (R - b)² it stands without a square.")
def baseline_with_squared_returns(score, R):
    return weighted((score**2).sum(axis=1), R**2)


@best_constant.mistake("This is the largest return. What varies least is between the smallest and the largest.")
def baseline_maximum(score, R):
    return R.max()


@best_constant.mistake("This is the smallest return. What varies least is between the smallest and the largest.")
def baseline_minimum(score, R):
    return R.min()


@best_constant.mistake("The sign is turned around: (R - b), so b itself is taken away.")
def baseline_with_a_minus(score, R):
    return -my_best_baseline(score, R)


@best_constant.mistake("A baseline of 0 is none at all.")
def baseline_zero(score, R):
    return 0.0


@best_constant.mistake(
    "This is half of it. The derivative of a square has a factor 2, but on both sides of the equation."
)
def baseline_half(score, R):
    return my_best_baseline(score, R) / 2


@best_constant.mistake(
    "You make the variance about the mean of the *sample* smallest. The expectation of the score is known, it is 0; so that of "
    "(R - b) g does not depend on b, and the mean of |g|² (R - b)² is all that counts."
)
def baseline_of_the_sample_variance(score, R):
    centred = score - score.mean(axis=0)
    return (centred * (score * R[:, None])).sum() / (centred * score).sum()


@best_constant.mistake(
    "This is the sum of R. Divide by the sum of the weights, and let |g|² be one number for each sample."
)
def baseline_sum_of_returns(score, R):
    return R.sum()


@best_constant.mistake("This is half way between the smallest and the largest return. A weighted *mean* was asked for.")
def baseline_half_way(score, R):
    return (R.min() + R.max()) / 2


@best_constant.mistake("Your weights are the largest square of each row. |g|² is the sum of the squares.")
def baseline_weights_of_the_largest(score, R):
    return weighted((score**2).max(axis=1), R)


# -- 8. an empty page -------------------------------------------------------------------------------------------------

blank_page = Exercise(
    "policy_gradients.reinforce",
    title="REINFORCE on an empty page",
    name="my_reinforce",
    hints=[
        "For each episode: pi from theta, a row at a time; play; then from the last step to the first, R and the two "
        "parts of the gradient.",
        "The gradient of log pi(a|s) by row s of theta is (1 for a, 0 for the others) - pi[s]; by all other rows it is 0.",
        "`pi = np.exp(theta - theta.max(axis=1, keepdims=True))` and `pi = pi / pi.sum(axis=1, keepdims=True)`, once for each "
        "episode, before it is played.",
        "`theta = theta.copy()` first; in the loop, for t from the end: `R = r[t] + gamma * R`, `theta[s[t]] -= alpha * "
        "R * pi[s[t]]` and `theta[s[t], a[t]] += alpha * R`; after the loop `return theta`",
    ],
    insight="That is the whole algorithm, and it asked nothing of the world but episodes: no model, no Q, no maximum.",
    points=2,
)


@blank_page.reference
def my_reinforce(play, theta, episodes, alpha, gamma, rng):
    """Learn a policy from whole episodes, and return its new theta.

    play: play(pi, rng) runs one episode with pi: float[S, A], and returns
    (states int[T], actions int[T], rewards float[T])
    theta: float[S, A], of any size; pi(a|s) is the softmax of row s
    For so many episodes: play, R_t = r_t + gamma R_{t+1}, and theta moves by
    alpha times the sum over t of R_t grad log pi(a_t|s_t), all with the pi
    that was played. Returns float[S, A], a new array: theta stays as it is.
    """
    # BEGIN SOLUTION
    theta = theta.copy()
    for _ in range(episodes):
        pi = np.exp(theta - theta.max(axis=1, keepdims=True))
        pi /= pi.sum(axis=1, keepdims=True)
        states, actions, rewards = play(pi, rng)
        R = 0
        for t in reversed(range(len(rewards))):
            R = rewards[t] + gamma * R
            theta[states[t]] -= alpha * R * pi[states[t]]
            theta[states[t], actions[t]] += alpha * R
    return theta
    # END SOLUTION


def softmax(theta):
    """Return pi: float[S, A]."""
    return np.exp(theta - np.logaddexp.reduce(theta, axis=1, keepdims=True))


def scores(theta, pi, states, actions):
    """Return the gradients of log pi(a_t|s_t) by all of theta: float[T, S, A]."""
    gradient = np.zeros((len(states), *theta.shape))
    steps = np.arange(len(states))
    gradient[steps, states] = -pi[states]
    gradient[steps, states, actions] += 1
    return gradient


def learn(change, play, theta, episodes, alpha, gamma, rng, policy=softmax):
    """Return theta after so many episodes, each of which adds ``change(theta, pi, states, actions, rewards, gamma)``."""
    theta = np.array(theta, dtype=float)
    for _ in range(episodes):
        pi = policy(theta)
        theta = theta + alpha * change(theta, pi, *play(pi, rng), gamma)
    return theta


def weighted_scores(weight):
    """Return a change: the sum of the gradients of log pi with the weights ``weight(rewards, gamma)``, float[T]."""

    def change(theta, pi, states, actions, rewards, gamma):
        return np.tensordot(weight(rewards, gamma), scores(theta, pi, states, actions), axes=1)

    return change


@blank_page.also_right
def reinforce_all_steps_at_once(play, theta, episodes, alpha, gamma, rng):
    return learn(weighted_scores(my_reward_to_go), play, theta, episodes, alpha, gamma, rng)


@blank_page.also_right
def reinforce_by_counting(play, theta, episodes, alpha, gamma, rng):
    theta = theta * 1.0
    for _ in range(episodes):
        pi = np.exp(theta - theta.max(1)[:, None])
        pi = pi / pi.sum(1)[:, None]
        states, actions, rewards = play(pi, rng)
        R = my_reward_to_go(rewards, gamma)
        taken, there = np.zeros_like(theta), np.zeros(len(theta))
        np.add.at(taken, (states, actions), R)
        np.add.at(there, states, R)
        theta = theta + alpha * (taken - there[:, None] * pi)
    return theta


class Script:
    """A world without chance: what happens in its episodes is written down.

    Args:
        episodes: a list of (states, actions, rewards); after the last of them, it is played again and again.
    """

    def __init__(self, *episodes: tuple[list[int], list[int], list[float]]):
        self.episodes, self.played = episodes, 0

    def __call__(self, pi: Any, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return the next episode, whatever pi is."""
        states, actions, rewards = self.episodes[min(self.played, len(self.episodes) - 1)]
        self.played += 1
        return np.array(states), np.array(actions), np.array(rewards, dtype=float)


class Arms:
    """Slot machines in a row: in each state a pull, then the next state; so an episode has as many steps as there are states.

    Args:
        rewards: float[S, A], what each arm pays.
    """

    def __init__(self, rewards: Any):
        self.rewards = np.array(rewards, dtype=float)

    def __call__(self, pi: Any, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Pull an arm of each machine, by pi."""
        states = np.arange(len(self.rewards))
        drawn = rng.random(
            len(states)
        )  # the arm is the first at which the probabilities so far are more than the number
        actions = np.array([int((np.cumsum(pi[s]) > u).argmax()) for s, u in zip(states, drawn, strict=True)])
        return states, actions, self.rewards[states, actions]


@blank_page.cases
def episodes_to_learn_from(rng: np.random.Generator) -> Iterator[Case]:
    def case(label: str, episodes: list[Any], theta: Any, alpha: float, gamma: float, why: str) -> Case:
        texts = [f"np.array({s}), np.array({a}), np.array({np.round(r, 6).tolist()})" for s, a, r in episodes]
        call = "episodes = iter([" + ",\n                 ".join(f"({text})" for text in texts) + "])\n"
        call += f"theta = np.array({np.round(theta, 6).tolist()})\n"
        call += f"my_reinforce(lambda pi, rng: next(episodes), theta, {len(episodes)}, {alpha}, {gamma},\n"
        call += "             np.random.default_rng(0))"
        args = (Script(*episodes), np.array(theta), len(episodes), alpha, gamma, np.random.default_rng(0))
        return Case(label, args, why, call)

    why = "pi is (1/2, 1/2), R = 3, and the gradient (0, 1) - (1/2, 1/2): theta moves by 0.5 · 3 · (-1/2, 1/2) = (-0.75, 0.75)"
    yield case("one episode of one step", [([0], [1], [3.0])], [[0.0, 0.0]], 0.5, 1.0, why)
    why = (
        "R, from the end: 4, 2 + 0.5 · 4 = 4, 1 + 0.5 · 4 = 3. pi is 1/2 everywhere, and each state was met once: 3 · "
        "(1/2, -1/2), 4 · (-1/2, 1/2), 4 · (1/2, -1/2)"
    )
    yield case("one episode of three steps", [([0, 1, 2], [0, 1, 0], [1.0, 2.0, 4.0])], np.zeros((3, 2)), 1.0, 0.5, why)
    why = (
        "pi is (1/2, 1/2) for all of the episode. R = 3.5, 3 and 4 with γ = 0.5, and the three gradients are (1/2, -1/2), "
        "(1/2, -1/2) and (-1/2, 1/2): together (1.25, -1.25), and state 1 was never met"
    )
    yield case("the same state again", [([0, 0, 0], [0, 0, 1], [2.0, 1.0, 4.0])], np.zeros((2, 2)), 1.0, 0.5, why)
    why = (
        "pi is (1/8, 2/8, 5/8) in state 0 and (1/4, 1/4, 1/2) in state 1. R = -2 + 0.5 · 8 = 2 and 8: 2 · ((0, 0, 1) - pi) = "
        "(-0.25, -0.5, 0.75), and 8 · ((1, 0, 0) - pi) = (6, -2, -4); half of it is added to theta"
    )
    theta = np.log([[1.0, 2.0, 5.0], [1.0, 1.0, 2.0]])
    yield case("three actions", [([0, 1], [2, 0], [-2.0, 8.0])], theta, 0.5, 0.5, why)
    why = (
        "after the first episode theta is (-log(3)/2, log(3)/2), so pi is (1/4, 3/4) in the second: 4 · ((1, 0) - (1/4, "
        "3/4)) = (3, -3) is added: (2.4507, -2.4507)"
    )
    yield case("two episodes", [([0], [1], [math.log(3)]), ([0], [0], [4.0])], [[0.0, 0.0]], 1.0, 1.0, why)
    why = (
        "the first episode: R = 2, state 0 moves by 2 · (1/2, -1/2) = (1, -1). The second, which never meets it: R, from "
        "the end, 4 and 0 + 0.5 · 4 = 2, so state 1 moves by 2 · (-1/2, 1/2), and state 2 by 4 · (1/2, -1/2)"
    )
    two = [([0], [0], [2.0]), ([1, 2], [1, 0], [0.0, 4.0])]
    yield case("two episodes, one longer", two, np.zeros((3, 2)), 1.0, 0.5, why)
    why = (
        "only differences matter: in state 0 pi is (1/4, 3/4), so 3 · ((1, 0) - (1/4, 3/4)) = (2.25, -2.25) is added. In "
        "state 1, never met, it is (0, 1) to all digits"
    )
    large = [[1000.0, 1000.0 + math.log(3)], [0.0, 2000.0]]
    yield case("a large theta", [([0], [0], [3.0])], large, 1.0, 1.0, why)
    why = (
        "rng gives 0.637, 0.270, 0.041 and 0.017, one for each pull. The first is above 1/2: arm 1, which pays 2 log 3, "
        "and with α = 1 theta becomes (-log 3, log 3), so pi is (1/10, 9/10). The second is above 1/10: arm 1 again, "
        "which adds 2 log 3 · (-0.1, 0.1). Now pi is (0.067, 0.933), and the third is below 0.067: arm 0, which pays "
        "nothing; and so is the fourth"
    )
    call = (
        "def play(pi, rng):\n    arm = int(rng.random() > pi[0, 0])\n    return np.array([0]), np.array([arm]), "
        "np.array([[0, 2 * np.log(3)][arm]])\n\n"
        "my_reinforce(play, np.zeros((1, 2)), 4, 1.0, 1.0, np.random.default_rng(0))"
    )
    args = (Arms([[0.0, 2 * math.log(3)]]), np.zeros((1, 2)), 4, 1.0, 1.0, np.random.default_rng(0))
    yield Case("a machine with two arms", args, why, call)
    for k in range(1, 3):
        world = Arms(rng.normal(size=(3, 2)).round(1))
        chance = np.random.default_rng(int(rng.integers(1000)))
        yield Case(
            f"random machines {k}", (world, rng.normal(size=(3, 2)), 20, 0.1, float(rng.uniform(0.5, 1)), chance)
        )


@blank_page.trial
def learn_and_watch(reinforce, play, theta, episodes, alpha, gamma, rng):
    """Return the new theta, and the policies that were played."""
    played, given = [], []

    def watched(pi, rng):
        played.append(np.array(pi, dtype=float))
        given.append(rng)
        return play(pi, rng)

    watched.__qualname__ = "play"  # so it is called in an error message
    new = reinforce(watched, theta, episodes, alpha, gamma, rng)
    return None if new is None else {"theta": new, "played": played, "with rng": all(g is rng for g in given)}


@blank_page.judge
def what_is_wrong_with_a_reinforce(case: Case, got: Any) -> str | None:
    """Say the first thing that is not as it should be."""
    expected = blank_page.outcome(my_reinforce, fresh(case.args))
    given, wanted = got["played"], expected["played"]
    if len(given) != len(wanted):
        times = f"{len(given)} time{'s' * (len(given) != 1)}"
        return f"There should be {len(wanted)} episode{'s' * (len(wanted) != 1)}, but `play` was called {times}."
    if not got["with rng"]:
        return (
            "`play` got another generator than `rng`. All chance should come from that, so that a run can be repeated."
        )
    wrong = next((k for k in range(len(wanted)) if not close(given[k], wanted[k], 1e-6, 1e-8)), None)
    if wrong == 0:
        return "`play` did not get pi, the softmax of each row of theta, in the first episode."
    if wrong is None:
        said = difference(got["theta"], expected["theta"], 1e-6, 1e-8)
        if said == ANOTHER_VALUE:
            return (
                "`play` got the right pi, but the theta that comes out is another one. Is an update wrong, or the last "
                "one missing?"
            )
        if said is None and not isinstance(got["theta"], np.ndarray):
            return (
                f"The numbers are right, but they come as {type(got['theta']).__name__}. A numpy array was asked for."
            )
        return said
    return (
        f"In episode {wrong + 1} `play` got another pi than it should. Is the update after episode {wrong} right, and pi "
        "renewed?"
    )


def by_weights(weight):
    """Return an answer whose steps have other weights than their returns."""

    def answer(play, theta, episodes, alpha, gamma, rng):
        return learn(weighted_scores(weight), play, theta, episodes, alpha, gamma, rng)

    answer.__name__ = weight.__name__
    return answer


@blank_page.mistake(
    "The sign is turned around: theta runs away from what was rewarded. It goes *uphill* here, without a loss."
)
def reinforce_downhill(play, theta, episodes, alpha, gamma, rng):
    return my_reinforce(play, theta, episodes, -alpha, gamma, rng)


@blank_page.mistake("Every step gets the return of the whole episode. That of step t is R_t, from t on.")
@by_weights
def reinforce_total_return(rewards, gamma):
    return to_go_total(rewards, gamma)


@blank_page.mistake(
    "Your weights are single rewards. What follows an action is its merit too: R_t = r_t + gamma R_{t+1}."
)
@by_weights
def reinforce_reward_alone(rewards, gamma):
    return rewards


@blank_page.mistake("You forgot gamma in the returns.")
@by_weights
def reinforce_without_gamma(rewards, gamma):
    return to_go_without_gamma(rewards, gamma)


@blank_page.mistake("Your returns run forwards: they hold what lay *before* a step. Begin with the last one.")
@by_weights
def reinforce_forwards(rewards, gamma):
    return to_go_forwards(rewards, gamma)


@blank_page.mistake("Your returns lack the reward of the step itself: R_t begins with r_t.")
@by_weights
def reinforce_without_its_own_reward(rewards, gamma):
    return to_go_without_its_own_reward(rewards, gamma)


@blank_page.mistake("Your returns discount the reward of the step itself too. Only what follows takes a gamma.")
@by_weights
def reinforce_discounts_its_own_reward(rewards, gamma):
    return to_go_discounts_its_own_reward(rewards, gamma)


@blank_page.mistake(
    "There is a factor γ^t too many: R_t counts from its own step. (Theory has that factor; hardly anybody uses it.)"
)
@by_weights
def reinforce_discounted_from_the_start(rewards, gamma):
    return to_go_discounted_from_the_start(rewards, gamma)


@blank_page.mistake("You subtract the mean of the returns, a baseline. Here the bare returns were asked for.")
@by_weights
def reinforce_centred(rewards, gamma):
    return to_go_centred(rewards, gamma)


@blank_page.mistake("You average over the steps of an episode. The sum over t was asked for.")
@by_weights
def reinforce_mean_over_steps(rewards, gamma):
    return to_go_mean(rewards, gamma)


@blank_page.mistake(
    "Only the last step of each episode has an effect. The update belongs inside the loop over the steps."
)
@by_weights
def reinforce_last_step_only(rewards, gamma):
    return np.where(np.arange(len(rewards)) == len(rewards) - 1, rewards, 0)


@blank_page.mistake(
    "Only the first step of each episode has an effect. The update belongs inside the loop over the steps."
)
@by_weights
def reinforce_first_step_only(rewards, gamma):
    return np.where(np.arange(len(rewards)) == 0, my_reward_to_go(rewards, gamma), 0)


@blank_page.mistake("The last step of each episode is left out. Its return is its reward.")
@by_weights
def reinforce_without_the_last_step(rewards, gamma):
    return to_go_without_the_last_step(rewards, gamma)


@blank_page.mistake("The first step of each episode is left out: from the end, `range` has to reach 0.")
@by_weights
def reinforce_without_the_first_step(rewards, gamma):
    return to_go_without_the_first_step(rewards, gamma)


def by_change(change):
    """Return an answer that changes theta in another way after each episode."""

    def answer(play, theta, episodes, alpha, gamma, rng):
        return learn(change, play, theta, episodes, alpha, gamma, rng)

    answer.__name__ = change.__name__
    return answer


@blank_page.mistake("The gradient lacks “- pi”: the action that was taken goes up, but the others do not go down.")
@by_change
def reinforce_without_minus_pi(theta, pi, states, actions, rewards, gamma):
    return weighted_scores(my_reward_to_go)(theta, 0 * pi, states, actions, rewards, gamma)


@blank_page.mistake("You move only the action that was taken, by 1 - pi. The others have a gradient too: -pi(c|s).")
@by_change
def reinforce_chosen_action_only(theta, pi, states, actions, rewards, gamma):
    change = np.zeros_like(theta)
    np.add.at(change, (states, actions), my_reward_to_go(rewards, gamma) * (1 - pi[states, actions]))
    return change


@blank_page.mistake("This is the gradient of pi. That of *log* pi has no factor pi(a|s) in front.")
@by_change
def reinforce_gradient_of_pi(theta, pi, states, actions, rewards, gamma):
    R = my_reward_to_go(rewards, gamma) * pi[states, actions]
    return np.tensordot(R, scores(theta, pi, states, actions), axes=1)


@blank_page.mistake("You divide by pi(a|s) on top. (1 for a, 0 for the others) - pi is the gradient of log pi already.")
@by_change
def reinforce_divided_by_pi(theta, pi, states, actions, rewards, gamma):
    R = my_reward_to_go(rewards, gamma) / pi[states, actions]
    return np.tensordot(R, scores(theta, pi, states, actions), axes=1)


@blank_page.mistake(
    "A state that comes twice in an episode counts only once. `theta[states] += ...` writes each place once, the last wins: go "
    "through the steps in a loop, or take `np.add.at`."
)
@by_change
def reinforce_repeated_states_once(theta, pi, states, actions, rewards, gamma):
    R, change = my_reward_to_go(rewards, gamma), np.zeros_like(theta)
    change[states] -= R[:, None] * pi[states]
    change[states, actions] += R
    return change


@blank_page.mistake(
    "A state that comes twice in an episode counts only once: `theta[states] += ...`, with an array of whole gradients, writes "
    "each row once, and the last wins. Go through the steps in a loop."
)
@by_change
def reinforce_repeated_rows_once(theta, pi, states, actions, rewards, gamma):
    change, gradient = np.zeros_like(theta), scores(theta, pi, states, actions)
    change[states] += my_reward_to_go(rewards, gamma)[:, None] * gradient[np.arange(len(states)), states]
    return change


@blank_page.mistake(
    "“- pi” goes to all states. The gradient of log pi(a|s) is 0 in every row of theta but that of s: `theta[s] -= ...`."
)
@by_change
def reinforce_all_rows(theta, pi, states, actions, rewards, gamma):
    R, change = my_reward_to_go(rewards, gamma), np.zeros_like(theta)
    np.add.at(change, (states, actions), R)
    return change - R.sum() * pi


@blank_page.mistake(
    "pi is computed anew within an episode. All its steps were played with one pi: renew it afterwards."
)
def reinforce_recomputes_pi(play, theta, episodes, alpha, gamma, rng):
    theta = np.array(theta, dtype=float)
    for _ in range(episodes):
        states, actions, rewards = play(softmax(theta), rng)
        for s, a, R in reversed(list(zip(states, actions, my_reward_to_go(rewards, gamma), strict=True))):
            change = -softmax(theta)[s]
            change[a] += 1
            theta[s] += alpha * R * change
    return theta


@blank_page.mistake(
    "pi is computed anew within an episode, from the first step to the last. All its steps were played with one pi."
)
def reinforce_recomputes_pi_forwards(play, theta, episodes, alpha, gamma, rng):
    theta = np.array(theta, dtype=float)
    for _ in range(episodes):
        states, actions, rewards = play(softmax(theta), rng)
        for s, a, R in zip(states, actions, my_reward_to_go(rewards, gamma), strict=True):
            change = -softmax(theta)[s]
            change[a] += 1
            theta[s] += alpha * R * change
    return theta


@blank_page.mistake(
    "pi is never renewed: all episodes are played with that of the first theta. Compute it inside the loop."
)
def reinforce_first_pi_for_ever(play, theta, episodes, alpha, gamma, rng):
    first = softmax(theta)
    return learn(weighted_scores(my_reward_to_go), play, theta, episodes, alpha, gamma, rng, policy=lambda theta: first)


@blank_page.mistake("Only one episode is played. Is there a `return` inside the loop? It belongs after it.")
def reinforce_one_episode(play, theta, episodes, alpha, gamma, rng):
    return my_reinforce(play, theta, 1, alpha, gamma, rng)


@blank_page.mistake("One episode too few is played: `range(episodes)` has as many as it should.")
def reinforce_one_episode_short(play, theta, episodes, alpha, gamma, rng):
    return my_reinforce(play, theta, episodes - 1, alpha, gamma, rng)


@blank_page.mistake("You start from zeros. `theta` is what to start from: `theta.copy()`.")
def reinforce_from_zeros(play, theta, episodes, alpha, gamma, rng):
    return my_reinforce(play, np.zeros_like(theta), episodes, alpha, gamma, rng)


@blank_page.mistake("`alpha` is missing: theta moves by the whole gradient.")
def reinforce_without_alpha(play, theta, episodes, alpha, gamma, rng):
    return my_reinforce(play, theta, episodes, 1.0, gamma, rng)


@blank_page.mistake("R is carried over from one episode into the next. Set it to 0 before you go through the steps.")
def reinforce_carries_over(play, theta, episodes, alpha, gamma, rng):
    theta, R = np.array(theta, dtype=float), 0.0
    for _ in range(episodes):
        pi = softmax(theta)
        states, actions, rewards = play(pi, rng)
        for t in reversed(range(len(rewards))):
            R = rewards[t] + gamma * R
            theta[states[t]] -= alpha * R * pi[states[t]]
            theta[states[t], actions[t]] += alpha * R
    return theta


@blank_page.mistake("You return theta as it came. Is the new one kept, and returned?")
def reinforce_unchanged(play, theta, episodes, alpha, gamma, rng):
    my_reinforce(play, theta, episodes, alpha, gamma, rng)
    return theta.copy()


@blank_page.mistake("You return pi. theta was asked for.")
def reinforce_returns_pi(play, theta, episodes, alpha, gamma, rng):
    return softmax(my_reinforce(play, theta, episodes, alpha, gamma, rng))


@blank_page.mistake("You return by how much theta changes. The new theta was asked for.")
def reinforce_returns_the_change(play, theta, episodes, alpha, gamma, rng):
    return my_reinforce(play, theta, episodes, alpha, gamma, rng) - theta


def by_policy(policy):
    """Return an answer that makes pi from theta in another way."""

    def answer(play, theta, episodes, alpha, gamma, rng):
        return learn(weighted_scores(my_reward_to_go), play, theta, episodes, alpha, gamma, rng, policy)

    answer.__name__ = policy.__name__
    return answer


@blank_page.mistake("Your softmax is over the states. Each *row* of theta is a policy: `axis=1`, with `keepdims=True`.")
@by_policy
def reinforce_softmax_over_states(theta):
    return softmax(theta.T).T


@blank_page.mistake(
    "Your softmax is over the whole table. Each row of theta is a policy: `axis=1`, with `keepdims=True`."
)
@by_policy
def reinforce_softmax_over_all(theta):
    return softmax(theta.reshape(1, -1)).reshape(theta.shape)


@blank_page.mistake(
    "exp(2000) is infinite, and infinite by infinite is nan. Take the largest of the row off first: softmax does not mind."
)
@by_policy
def reinforce_overflows(theta):
    return np.exp(theta) / np.exp(theta).sum(axis=1, keepdims=True)


@blank_page.mistake("pi is not normalised: divide exp(theta) by its sum over the row.")
@by_policy
def reinforce_not_normalised(theta):
    return np.exp(theta - theta.max(axis=1, keepdims=True))


@blank_page.mistake(
    "Your pi takes the largest of the row for certain. It is the *softmax*: nothing would be tried otherwise."
)
@by_policy
def reinforce_greedy(theta):
    return np.eye(theta.shape[1])[theta.argmax(axis=1)]


@blank_page.mistake("Your pi is fair whatever theta says. It is the softmax of each row.")
@by_policy
def reinforce_uniform(theta):
    return np.full(theta.shape, 1 / theta.shape[1])


@blank_page.mistake("`play` gets theta. It wants pi, the softmax of each row.")
def reinforce_plays_theta(play, theta, episodes, alpha, gamma, rng):
    theta = np.array(theta, dtype=float)
    for _ in range(episodes):
        pi = softmax(theta)
        states, actions, rewards = play(theta, rng)
        R = my_reward_to_go(rewards, gamma)
        theta = theta + alpha * np.tensordot(R, scores(theta, pi, states, actions), axes=1)
    return theta


@blank_page.mistake("Each episode is played with a new generator, and so with the same chance. Hand on `rng`.")
def reinforce_new_chance_each_time(play, theta, episodes, alpha, gamma, rng):
    return my_reinforce(lambda pi, _: play(pi, np.random.default_rng(0)), theta, episodes, alpha, gamma, rng)


@blank_page.mistake("You make a generator of your own, and play all episodes with that. Hand on `rng`.")
def reinforce_with_its_own_chance(play, theta, episodes, alpha, gamma, rng):
    own = np.random.default_rng(1)
    return my_reinforce(lambda pi, _: play(pi, own), theta, episodes, alpha, gamma, rng)


@blank_page.mistake(
    "The last episode is played, but nothing is learned from it: the update comes before `play`, or is left out at the end."
)
def reinforce_without_the_last_update(play, theta, episodes, alpha, gamma, rng):
    theta = my_reinforce(play, theta, episodes - 1, alpha, gamma, rng)
    play(softmax(theta), rng)
    return theta


@blank_page.mistake(
    "You take the largest of the *whole* table off. In a row that lies far below, every exp is 0 then: take that of each row."
)
@by_policy
def reinforce_shifts_by_the_largest_of_all(theta):
    exps = np.exp(theta - theta.max())
    return exps / exps.sum(axis=1, keepdims=True)


@blank_page.mistake("pi of the other actions is added. Of the action taken it is 1 - pi, of all the others *minus* pi.")
@by_change
def reinforce_others_go_up(theta, pi, states, actions, rewards, gamma):
    gradient = abs(scores(theta, pi, states, actions))
    return np.tensordot(my_reward_to_go(rewards, gamma), gradient, axes=1)


@blank_page.mistake("1/pi(a|s) is the gradient of log pi by *pi*. By theta it is (1 for a, 0 for the others) - pi.")
@by_change
def reinforce_gradient_by_pi(theta, pi, states, actions, rewards, gamma):
    change = np.zeros_like(theta)
    np.add.at(change, (states, actions), my_reward_to_go(rewards, gamma) / pi[states, actions])
    return change


@blank_page.mistake(
    "pi of the action taken is subtracted twice: 1 - pi holds it, and so does “- pi” for the whole row."
)
@by_change
def reinforce_minus_pi_twice(theta, pi, states, actions, rewards, gamma):
    gradient, steps = scores(theta, pi, states, actions), np.arange(len(states))
    gradient[steps, states, actions] -= pi[states, actions]
    return np.tensordot(my_reward_to_go(rewards, gamma), gradient, axes=1)


@blank_page.mistake("“- pi” has no R: both parts of the gradient are multiplied by it.")
@by_change
def reinforce_minus_pi_without_return(theta, pi, states, actions, rewards, gamma):
    change = np.zeros_like(theta)
    np.add.at(change, (states, actions), my_reward_to_go(rewards, gamma))
    np.add.at(change, states, -pi[states])
    return change


@blank_page.mistake("You move theta by R log pi. It moves by R times the *gradient* of log pi.")
@by_change
def reinforce_log_pi_itself(theta, pi, states, actions, rewards, gamma):
    change = np.zeros_like(theta)
    np.add.at(change, (states, actions), my_reward_to_go(rewards, gamma) * np.log(pi[states, actions]))
    return change


@blank_page.mistake(
    "Your returns begin with the *next* reward: the update comes before `R = r + gamma * R`. R_t begins with r_t."
)
@by_weights
def reinforce_from_the_next_step(rewards, gamma):
    return to_go_from_the_next_step(rewards, gamma)


@blank_page.mistake(
    "You normalise the returns of each episode. That is a matter of its own: here the bare returns were asked for."
)
@by_weights
def reinforce_normalised(rewards, gamma):
    return to_go_normalised(rewards, gamma)


@blank_page.mistake(
    "`d = pi[s[t]]` is no copy but a piece of pi, and `d[a[t]] -= 1` changes pi itself: when the state comes again in the "
    "episode, its pi is spoilt. `pi[s[t]].copy()`."
)
def reinforce_spoils_pi(play, theta, episodes, alpha, gamma, rng):
    theta = np.array(theta, dtype=float)
    for _ in range(episodes):
        pi = softmax(theta)
        states, actions, rewards = play(pi, rng)
        for s, a, R in reversed(list(zip(states, actions, my_reward_to_go(rewards, gamma), strict=True))):
            minus_score = pi[s]
            minus_score[a] -= 1
            theta[s] -= alpha * R * minus_score
    return theta


@blank_page.mistake(
    "`d = pi[s[t]]` is no copy but a piece of pi, and `d *= -1` changes pi itself: when the state comes again in the episode, "
    "its pi is spoilt. `-pi[s[t]]` is a new array."
)
def reinforce_turns_pi_around(play, theta, episodes, alpha, gamma, rng):
    theta = np.array(theta, dtype=float)
    for _ in range(episodes):
        pi = softmax(theta)
        states, actions, rewards = play(pi, rng)
        for s, a, R in reversed(list(zip(states, actions, my_reward_to_go(rewards, gamma), strict=True))):
            score = pi[s]
            score *= -1
            score[a] += 1
            theta[s] += alpha * R * score
    return theta


@blank_page.mistake(
    "`theta += alpha * R * (one_hot - pi)` moves every row of theta. The gradient of log pi(a|s) is 0 in every row but that of "
    "s: `theta[s[t]] += ...`, with pi[s[t]]."
)
@by_change
def reinforce_every_row_as_if_met(theta, pi, states, actions, rewards, gamma):
    one_hot = np.eye(theta.shape[1])[actions]
    return np.tensordot(my_reward_to_go(rewards, gamma), one_hot[:, None] - pi, axes=1)


@blank_page.mistake(
    "The gradient lacks “- pi”, and an action that comes twice in an episode counts only once: `theta[s, a] += ...` with arrays "
    "writes each place once."
)
@by_change
def reinforce_without_minus_pi_once(theta, pi, states, actions, rewards, gamma):
    change = np.zeros_like(theta)
    change[states, actions] += my_reward_to_go(rewards, gamma)
    return change


def first_visits(places):
    """Return bool[T]: whether each place is there for the first time."""
    return np.array([place not in places[:t] for t, place in enumerate(places)])


@blank_page.mistake(
    "Only the first visit of a state in an episode counts with you. Each step has its gradient: the sum is over all t."
)
@by_change
def reinforce_first_visit_of_a_state(theta, pi, states, actions, rewards, gamma):
    R = my_reward_to_go(rewards, gamma) * first_visits(states.tolist())
    return np.tensordot(R, scores(theta, pi, states, actions), axes=1)


@blank_page.mistake(
    "Of a state with an action only the first time counts with you. Each step has its gradient: the sum is over all t."
)
@by_change
def reinforce_first_visit_of_a_pair(theta, pi, states, actions, rewards, gamma):
    R = my_reward_to_go(rewards, gamma) * first_visits(list(zip(states.tolist(), actions.tolist(), strict=True)))
    return np.tensordot(R, scores(theta, pi, states, actions), axes=1)


@blank_page.mistake(
    "The last step of each episode moves nothing, though the returns before it are right. The loop has to reach it: its return "
    "is its reward."
)
@by_weights
def reinforce_skips_the_last_step(rewards, gamma):
    return np.where(np.arange(len(rewards)) < len(rewards) - 1, my_reward_to_go(rewards, gamma), 0)


# -- 9. find the planted bug ------------------------------------------------------------------------------------------

bug = Exercise(
    "policy_gradients.bug",
    title="Find the planted bug",
    name="my_returns",
    hints=[
        "Take two episodes of two steps each, all rewards 1, γ = 1, and go through the loop with a pencil. Which step gets "
        "whose credit?",
        "R_t needs R_{t+1}, so the loop has to begin at the end: `reversed(range(len(reward)))`. Then take the pencil once more: "
        "what does the last step of the first episode get?",
        "From the end, of an episode the loop meets the *last* step first. There the sum has to be forgotten *before* the reward "
        "is added, and not after R[t] has been written.",
        "`for t in reversed(range(len(reward))):`, and in the loop `if ended[t]: total = 0.0` first, then `total = reward[t] + "
        "gamma * total` and `R[t] = total`",
    ],
    insight="`reversed` alone brings the curve back, and still leaves a fault that no curve shows: the last push, after which "
    "the pole fell, would be praised for the whole next episode. Wrong credit makes no error message; a pencil finds it.",
    rtol=1e-5,  # float32 will do
    atol=1e-6,
)


@bug.planted
def my_returns(reward, ended, gamma):
    """Return R_t = r_t + gamma R_{t+1} for each step, within its episode.

    reward: float[T] or int, several episodes one after the other
    ended: bool[T], True at the last step of each episode; the very last
    episode may have been cut off, with no True at its end
    gamma: float. Returns float[T].
    """
    R = np.zeros_like(reward, dtype=float)
    total = 0.0
    for t in range(len(reward)):
        total = reward[t] + gamma * total
        R[t] = total
        if ended[t]:
            total = 0.0
    return R


@bug.reference
def my_returns_mended(reward, ended, gamma):
    """Return R_t = r_t + gamma R_{t+1} for each step, within its episode.

    reward: float[T] or int, several episodes one after the other
    ended: bool[T], True at the last step of each episode; the very last
    episode may have been cut off, with no True at its end
    gamma: float. Returns float[T].
    """
    R = np.zeros_like(reward, dtype=float)
    total = 0.0
    for t in reversed(range(len(reward))):
        if ended[t]:
            total = 0.0
        total = reward[t] + gamma * total
        R[t] = total
    return R


@bug.also_right
def returns_with_a_mask(reward, ended, gamma):
    R, total = np.zeros(len(reward)), 0.0
    for t in range(len(reward) - 1, -1, -1):
        R[t] = total = reward[t] + gamma * (1 - ended[t]) * total
    return R


@bug.also_right
def returns_of_each_piece(reward, ended, gamma):
    pieces = np.split(reward, np.flatnonzero(ended) + 1)
    return np.concatenate([my_reward_to_go(piece, gamma) for piece in pieces])


@bug.also_right
def returns_looking_at_the_step_before(reward, ended, gamma):
    R, total = np.zeros(len(reward)), 0.0
    for t in reversed(range(len(reward))):
        R[t] = total = reward[t] + gamma * total
        if t > 0 and ended[t - 1]:
            total = 0.0
    return R


@bug.cases
def episodes_in_a_row(rng: np.random.Generator) -> Iterator[Case]:
    def case(label: str, rewards: list[float], ended: list[int], gamma: float, why: str) -> Case:
        return Case(label, (np.array(rewards), np.array(ended, dtype=bool), gamma), why)

    why = "each episode for itself, from its end: 1 and 1 + 1 = 2. So 2, 1, and again 2, 1"
    yield case("two episodes of two steps", [1.0, 1.0, 1.0, 1.0], [0, 1, 0, 1], 1.0, why)
    why = "the first episode, from its end: 4, 2 + 0.5 · 4 = 4, 1 + 0.5 · 4 = 3; the second: 8 and 6 + 0.5 · 8 = 10"
    yield case("two episodes, with a discount", [1.0, 2.0, 4.0, 6.0, 8.0], [0, 0, 1, 0, 1], 0.5, why)
    yield case("a single episode", [0.0, 0.0, 8.0], [0, 0, 1], 0.5, "8; 4; 2")
    why = "every step is an episode of its own: the rewards as they are"
    yield case("episodes of one step", [3.0, -1.0, 5.0], [1, 1, 1], 0.5, why)
    why = (
        "the second episode was cut off after two steps: 4, and 2 + 0.5 · 4 = 4; the first, from its end: 6, and 1 + 0.5 "
        "· 6 = 4"
    )
    yield case("the last one is cut off", [1.0, 6.0, 2.0, 4.0], [0, 1, 0, 0], 0.5, why)
    why = "with γ = 0 each return is the reward"
    yield case("only now counts", [1.0, 2.0, 4.0, 6.0], [0, 1, 0, 1], 0.0, why)
    why = "2 - 4 = -2 and -4; 1; 3 - 5 + 7 = 5, -5 + 7 = 2 and 7"
    yield case("three episodes, without a discount", [2.0, -4.0, 1.0, 3.0, -5.0, 7.0], [0, 1, 1, 0, 0, 1], 1.0, why)
    why = "whole rewards, but 2 and 1 + 0.5 · 2 = 2; 3 and 2 + 0.5 · 3 = 3.5"
    whole = np.array([1, 2, 2, 3]), np.array([False, True, False, True]), 0.5
    yield Case("whole rewards", whole, why)
    for k in range(1, 3):
        yield Case(f"random episodes {k}", (rng.normal(size=9), rng.random(9) < 0.35, float(rng.uniform(0.5, 0.95))))


judge_returns(bug)


def pieces_of(reward, ended):
    """Return the rewards of each episode by themselves; the last piece may be empty."""
    return np.split(reward, np.flatnonzero(ended) + 1)


@bug.mistake(
    "The bug is still there: each step holds what was paid *before* it, and its own reward. Which way does time have to run, so "
    "that it holds what comes after?"
)
def returns_still_forwards(reward, ended, gamma):
    return np.concatenate([my_reward_to_go(piece[::-1], gamma)[::-1] for piece in pieces_of(reward, ended)])


@bug.mistake(
    "Now time runs the right way, but the running sum is forgotten after the last step has been written, not before: the "
    "last step of each episode takes the whole next one's credit. No curve shows this one: go through two short episodes with "
    "a pencil."
)
def returns_forget_too_late(reward, ended, gamma):
    R, total = np.zeros(len(reward)), 0.0
    for t in reversed(range(len(reward))):
        R[t] = reward[t] + gamma * total
        total = 0.0 if ended[t] else R[t]
    return R


@bug.mistake(
    "Time runs the right way, but now nothing is forgotten at all: each episode is credited with all that came after it."
)
def returns_never_forgets(reward, ended, gamma):
    return my_reward_to_go(reward, gamma)


@bug.mistake(
    "Time runs the right way, and the new reset is right, but the old one is still there: the steps before the last miss its "
    "reward."
)
def returns_forgets_twice(reward, ended, gamma):
    R, total = np.zeros(len(reward)), 0.0
    for t in reversed(range(len(reward))):
        R[t] = reward[t] + gamma * total * (not ended[t])
        total = 0.0 if ended[t] else R[t]
    return R


@bug.mistake(
    "Time runs the right way now, and the steps before have the last reward; but the last step itself is still credited with "
    "the next episode."
)
def returns_keeps_the_last_reward(reward, ended, gamma):
    R, total = np.zeros(len(reward)), 0.0
    for t in reversed(range(len(reward))):
        R[t] = reward[t] + gamma * total
        total = reward[t] if ended[t] else R[t]
    return R


@bug.mistake(
    "The last step of each episode has no return now. Its reward was paid: only what comes after it is not its own."
)
def returns_drops_the_last_reward(reward, ended, gamma):
    return my_returns_mended(reward * ~ended, ended, gamma)


@bug.mistake(
    "You forget one step too early: the *first* step of each episode loses its future. Look at `ended[t]`, not at "
    "`ended[t - 1]`."
)
def returns_forgets_at_the_first_step(reward, ended, gamma):
    return my_returns_mended(reward, np.concatenate([[False], ended[:-1]]), gamma)


@bug.mistake("You forget wherever an episode does *not* end. The condition is turned around.")
def returns_forgets_in_between(reward, ended, gamma):
    return my_returns_mended(reward, ~ended, gamma)


@bug.mistake("The episodes are kept apart now, but gamma has gone.")
def returns_without_gamma(reward, ended, gamma):
    return my_returns_mended(reward, ended, 1.0)


@bug.mistake("The episodes are kept apart now, but the reward of the step itself is discounted too.")
def returns_discount_their_own_reward(reward, ended, gamma):
    return gamma * my_returns_mended(reward, ended, gamma)


@bug.mistake("Every step has the return of its whole episode now. It should have what comes from itself on.")
def returns_total(reward, ended, gamma):
    pieces = [piece for piece in pieces_of(reward, ended) if len(piece)]
    return np.concatenate([np.full(len(piece), my_reward_to_go(piece, gamma)[0]) for piece in pieces])


@bug.mistake("These are the rewards alone: the sum is forgotten at each step, and not only where an episode ends.")
def returns_reward_alone(reward, ended, gamma):
    return reward.copy()


@bug.mistake("Only the last episode has returns. Where an episode ends the sum begins anew, and the loop goes on.")
def returns_of_the_last_episode(reward, ended, gamma):
    R = my_returns_mended(reward, ended, gamma)
    for t in np.flatnonzero(ended[:-1]):
        R[: t + 1] = 0
    return R


@bug.mistake("Each episode is discounted from its start, γ^t. Each step counts from itself.")
def returns_discounted_from_the_start(reward, ended, gamma):
    return np.concatenate([to_go_discounted_from_the_start(piece, gamma) for piece in pieces_of(reward, ended)])


@bug.mistake(
    "The last step looks into the next episode still, though only one step far: what comes after `ended[t]` is 0."
)
def returns_look_one_step_too_far(reward, ended, gamma):
    R = my_returns_mended(reward, ended, gamma)
    return R + gamma * ended * np.concatenate([reward[1:], [0.0]])


@bug.mistake("You look only one step ahead. Within an episode all rewards that follow count.")
def returns_one_step_ahead(reward, ended, gamma):
    return reward + gamma * ~ended * np.concatenate([reward[1:], [0.0]])


@bug.mistake(
    "Still forwards, and now the sum is forgotten before the last step is counted. This order is right for a loop that begins at "
    "the end: turn time around too."
)
def returns_forwards_and_too_early(reward, ended, gamma):
    R, total = np.zeros(len(reward)), 0.0
    for t in range(len(reward)):
        R[t] = total = reward[t] + gamma * (0.0 if ended[t] else total)
    return R


@bug.mistake(
    "At a last step the sum is left as it was, and the reward is lost. There it is the reward alone: 0 first, then as always."
)
def returns_skip_the_last_step(reward, ended, gamma):
    R, total = np.zeros(len(reward)), 0.0
    for t in reversed(range(len(reward))):
        R[t] = total = total if ended[t] else reward[t] + gamma * total
    return R


@bug.mistake("The episodes are kept apart now, but the result still begins with the last step: turn it around.")
def returns_backwards(reward, ended, gamma):
    return my_returns_mended(reward, ended, gamma)[::-1].copy()


@bug.mistake("An episode that was cut off at the end is missing. It has returns too: as many as it has steps.")
def returns_of_complete_episodes(reward, ended, gamma):
    return my_returns_mended(reward, ended, gamma)[: int(np.flatnonzero(ended)[-1]) + 1]


@bug.mistake("Your R[t] is written before the reward of step t is added.")
def returns_without_their_own_reward(reward, ended, gamma):
    R, total = np.zeros(len(reward)), 0.0
    for t in reversed(range(len(reward))):
        R[t] = total
        total = reward[t] + gamma * (0.0 if ended[t] else total)
    return R


@bug.mistake("You set `gamma` to 0, and it stays 0 for all the steps before. Forget `total` instead.")
def returns_lose_gamma(reward, ended, gamma):
    last = np.flatnonzero(ended)[-1]
    R = my_returns_mended(reward, ended, gamma)
    return np.where(np.arange(len(R)) <= last, reward, R)


@bug.mistake("The loop stops at the first end that it meets. `break` leaves it; set `total` to 0 and go on.")
def returns_break_off(reward, ended, gamma):
    last = np.flatnonzero(ended)[-1]
    R = my_returns_mended(reward, ended, gamma)
    return np.where(np.arange(len(R)) <= last, 0.0, R)


@bug.mistake(
    "Still forwards, and now nothing is forgotten: each step holds all that was paid before it, of other episodes too."
)
def returns_forwards_never_forget(reward, ended, gamma):
    return my_reward_to_go(reward[::-1], gamma)[::-1].copy()


@bug.mistake(
    "You turn `reward` around, but not `ended`, so the sum is forgotten at the wrong steps. Leave both, and go through the steps "
    "with `reversed`."
)
def returns_turned_without_their_ends(reward, ended, gamma):
    return returns_still_forwards(reward[::-1], ended, gamma)[::-1].copy()


@bug.mistake(
    "An episode that was cut off at the end has only zeros. It has returns too: those of the rewards that came."
)
def returns_of_an_end_only(reward, ended, gamma):
    whole = np.flatnonzero(ended)[-1] + 1
    return np.concatenate([my_returns_mended(reward[:whole], ended[:whole], gamma), np.zeros(len(reward) - whole)])


@bug.mistake(
    "The sum is forgotten at the right step, but R[t] is written before the reward of step t is added: first add, then write."
)
def returns_written_before_their_reward(reward, ended, gamma):
    R, total = np.zeros(len(reward)), 0.0
    for t in reversed(range(len(reward))):
        R[t] = total = 0.0 if ended[t] else total
        total = reward[t] + gamma * total
    return R


@bug.mistake(
    "At a last step you `continue`, so its reward is lost, and the sum of the next episode is kept. 0 first, then as always."
)
def returns_continue_at_the_end(reward, ended, gamma):
    R, total = np.zeros(len(reward)), 0.0
    for t in reversed(range(len(reward))):
        if not ended[t]:
            R[t] = total = reward[t] + gamma * total
    return R


@bug.mistake(
    "At a last step the reward counts twice: set `total` to 0 there, and not to the reward, which is added next."
)
def returns_count_the_last_reward_twice(reward, ended, gamma):
    return my_returns_mended(reward * (1 + gamma * ended), ended, gamma)


@bug.mistake(
    "Where the rewards are whole numbers, your R holds whole numbers only, and what stands behind the point is lost: leave it "
    "an array of its own, with `dtype=float`."
)
def returns_in_whole_numbers(reward, ended, gamma):
    return my_returns_mended(reward, ended, gamma).astype(reward.dtype)


# -- the quiz ------------------------------------------------------------------------------------------------------

quiz = Quiz(
    Question(
        "While REINFORCE was running, its loss, the mean of -log π(a|s) · A, fell from 0.8 to 0.1. What does that say?",
        (
            (
                "The policy is better now: what an optimiser makes smaller is what was to be made smaller.",
                False,
                "Each loss is made for one gradient, with one batch of one policy. The next batch has other actions and "
                "other A.",
            ),
            (
                "Next to nothing. How well it does is seen from the returns.",
                True,
                "A policy that is nearly certain has a loss near 0, whether it does well or badly. Only the gradient is "
                "made to fit.",
            ),
            (
                "The policy is surer of itself now, so it is time to explore more.",
                False,
                "That may be, but smaller advantages make a smaller loss too. The entropy tells the two apart.",
            ),
        ),
    ),
    Question(
        "Why may a baseline b(s) be taken off every return, without a change of the expected gradient?",
        (
            (
                "Because on average it is equal to the return, so that what is too much here is too little there.",
                False,
                "It holds for every b(s), even one that is far off: then only the variance gets worse.",
            ),
            (
                "Because returns are large, and a baseline is small beside them, so that it hardly matters.",
                False,
                "It changes nothing at all in the expectation, however large it is; and it matters a lot, for the variance.",
            ),
            (
                "Because the expectation of ∇ log π(a|s) over the actions is 0.",
                True,
                "The probabilities add up to 1 whatever θ is, so their gradients add up to 0; and b(s) does not depend "
                "on the action.",
            ),
        ),
    ),
    Question(
        "A Gaussian policy gets the same return, 10, whatever it does, and there is no baseline. What becomes of σ on average?",
        (
            (
                "Nothing: on average it stays as it is, and only noise is added to it.",
                True,
                "The gradient by log σ is ((a - μ)/σ)² - 1, whose mean is 0. With the baseline 10 the noise goes as well.",
            ),
            (
                "It shrinks: two of three actions are less than one σ away, and each of them is rewarded.",
                False,
                "Those further away are fewer, but each widens the bell by more: the mean of ((a - μ)/σ)² is 1.",
            ),
            (
                "It grows: every action is made likelier, also the far ones, and only a wider bell can do that.",
                False,
                "What goes up at one place comes down at another, as the area is always 1. On average all is balanced.",
            ),
        ),
    ),
    Question(
        "Why can a policy gradient find the best policy in the corridor whose cells look alike, and DQN cannot?",
        (
            (
                "It does not bootstrap, and whole episodes tell it in which of the cells it stands.",
                False,
                "It sees as little as DQN does, and acts in all cells alike. That it does not bootstrap helps, but not "
                "with this.",
            ),
            (
                "Its output is a probability, and the best policy there is a coin. An arg max is none.",
                True,
                "The return is a smooth function of p with its maximum at 0.586, and there the gradient leads.",
            ),
            (
                "It explores without end, because its policy is never quite certain.",
                False,
                "A policy gradient can become as certain as it likes. And ε-greedy explores without end, yet with the "
                "wrong coin.",
            ),
        ),
    ),
    Question(
        "You have kept the last 10 000 episodes, played by older policies. May REINFORCE learn from them, as DQN does "
        "from its memory?",
        (
            (
                "Yes, as long as they are shuffled, so that neighbours in time do not come together.",
                False,
                "Shuffling cures dependence, but not that these are the actions of somebody else.",
            ),
            (
                "Yes: log π(a|s) is computed with the present weights, and so all is up to date.",
                False,
                "log π is, but how often each action was tried, and what followed it, are still those of the old policy.",
            ),
            (
                "Not as they are: the gradient is an expectation over what the *present* policy does.",
                True,
                "Old actions come too often or too rarely. They would have to be weighted by the ratio of new to old "
                "probability.",
            ),
        ),
    ),
)
