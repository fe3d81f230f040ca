"""The exercises of chapter 3: targets and losses as tensors, a replay memory, DQN's update on an empty page, a planted bug."""

from __future__ import annotations

import importlib
from collections import deque
from collections.abc import Iterator
from functools import cache, partial
from typing import Any

import numpy as np

from rlkit.core.types import Batch
from rlkit.exercises.exercise import Case, Exercise
from rlkit.exercises.judging import ANOTHER_VALUE, close, copy_of, difference, fresh, is_finite_number
from rlkit.exercises.quizzes import Question, Quiz


class _LoadedWhenUsed:
    """torch, but loaded only when something of it is asked for: chapters 1 and 2 do without it."""

    def __getattr__(self, name: str) -> Any:
        return getattr(importlib.import_module("torch"), name)


torch: Any = _LoadedWhenUsed()


@cache
def _network() -> Any:
    class Network(torch.nn.Module):
        def __init__(self, **parts: Any):
            super().__init__()
            for name, part in parts.items():
                self.register_parameter(name, torch.nn.Parameter(torch.as_tensor(part, dtype=torch.float32)))
            self.deep = len(parts) > 1

        def forward(self, obs: Any) -> Any:
            return obs @ self.hidden @ self.table + self.bias if self.deep else obs @ self.table

        def __repr__(self) -> str:
            parts = [self.table, self.hidden, self.bias] if self.deep else [self.table]
            return f"q_network({', '.join(str(np.round(part.tolist(), 4).tolist()) for part in parts)})"

    return Network


def q_network(table: Any, hidden: Any = None, bias: Any = None) -> Any:
    """Return the smallest network there is, K copies of it: Q(s, a) = obs @ table, and the table is what it learns.

    For an observation with a single 1, at place s, it reads row s. With a hidden layer and a bias, which are given both or
    neither, it is Q(s, a) = obs @ hidden @ table + bias.

    Args:
        table: float[K, S, A], or float[K, H, A] behind a hidden layer.
        hidden: float[K, S, H].
        bias: float[K, 1, A].
    """
    return _network()(table=table) if hidden is None else _network()(hidden=hidden, table=table, bias=bias)


def transitions(
    state: list[list[int]],
    action: list[list[int]],
    reward: list[list[float]],
    next_state: list[list[int]],
    terminated: list[list[bool]],
    discount: list[list[float]],
) -> Batch:
    """Return a batch for K copies among three states, each observed as a row with a single 1; all lists are [K][B]."""
    rows = torch.eye(3)
    return Batch(
        obs=rows[torch.tensor(state)],
        action=torch.tensor(action),
        reward=torch.tensor(reward),
        next_obs=rows[torch.tensor(next_state)],
        terminated=torch.tensor(terminated),
        discount=torch.tensor(discount),
    )


def random_tensor(rng: np.random.Generator, *shape: int) -> Any:
    """Return float32[shape] of normal numbers with two digits."""
    return torch.tensor(rng.normal(size=shape).round(2), dtype=torch.float32)


def random_batch(rng: np.random.Generator) -> Batch:
    """Return a batch for two copies with three transitions each, with four features and three actions."""
    return Batch(
        obs=random_tensor(rng, 2, 3, 4),
        action=torch.tensor(rng.integers(3, size=(2, 3))),
        reward=random_tensor(rng, 2, 3),
        next_obs=random_tensor(rng, 2, 3, 4),
        terminated=torch.tensor(rng.random((2, 3)) < 0.3),
        discount=torch.tensor(rng.choice([0.9, 0.81], size=(2, 3)), dtype=torch.float32),
    )


def right_and_a_tensor(exercise: Exercise, case: Case, got: Any) -> str | None:
    """Judge the numbers, and whether they are a tensor: others would stop a later cell of the page."""
    said = difference(got, exercise.outcome(exercise.solution, fresh(case.args)), exercise.rtol, exercise.atol)
    if said is None and not isinstance(got, torch.Tensor):
        return f"The numbers are right, but they come as {type(got).__name__}. The network needs a tensor: stay with torch."
    return said


def judge_tensors(exercise: Exercise) -> None:
    """Let an exercise ask for a tensor."""
    exercise.judge(partial(right_and_a_tensor, exercise))


def detached(value: Any) -> Any:
    """Return a tensor without its graph, and anything else as it is."""
    return value.detach().clone() if hasattr(value, "detach") else value


# -- 1. the target -------------------------------------------------------------------------------------------------

one_target = Exercise(
    "dqn.target",
    title="The target, as tensors",
    name="my_target",
    hints=[
        "It is the target of chapter 2, for many transitions at once. Which axis of `Q_next` holds the actions?",
        "`Q_next.max(dim=-1)` gives two things, the values and where they are: `.values` is the first.",
        "After the end nothing comes: `torch.where(terminated, 0.0, best)`.",
        "`return reward + gamma * torch.where(terminated, 0.0, Q_next.max(dim=-1).values)`",
    ],
    insight="The formula of chapter 2, letter by letter. New is only where the row of the next state comes from: a network.",
    rtol=1e-5,
    atol=1e-6,
)


@one_target.reference
def my_target(reward, Q_next, terminated, gamma):
    """Return r + gamma max_a' Q(s', a'), and r alone where the episode ended.

    reward: float[...], a tensor; terminated: bool[...], a tensor
    Q_next: float[..., A], what the frozen network says of the next state
    gamma: a number, or float[...] with one for each transition
    Returns float[...], a tensor.
    """
    best = Q_next.max(dim=-1).values
    return reward + gamma * torch.where(terminated, 0.0, best)


@one_target.also_right
def target_by_multiplication(reward, Q_next, terminated, gamma):
    return reward + gamma * (1 - terminated.float()) * Q_next.amax(-1)


@one_target.also_right
def target_with_a_mask(reward, Q_next, terminated, gamma):
    best, _ = torch.max(Q_next, dim=-1)
    return (reward + ~terminated * best * gamma).detach()


@one_target.cases
def targets_to_compute(rng: np.random.Generator) -> Iterator[Case]:
    tensor = torch.tensor
    row = tensor([4.0, 10.0, 6.0])
    yield Case("one step", (tensor(2.0), row, tensor(False), 0.5), "the best of the next row is 10: 2 + 0.5 · 10 = 7")
    yield Case("the last step", (tensor(2.0), row, tensor(True), 0.5), "nothing comes after the end: 2")
    why = "the best of -4, -6 and -8 is -4: 1 + 0.5 · (-4) = -1"
    yield Case("only losses", (tensor(1.0), tensor([-6.0, -4.0, -8.0]), tensor(False), 0.5), why)
    rows = tensor([[2.0, 4.0, 6.0], [8.0, 2.0, 0.0], [1.0, -3.0, 5.0]])
    why = "1 + 0.5 · 6 = 4; 2 alone, as it ended; 3 + 0.5 · 5 = 5.5"
    args = (tensor([1.0, 2.0, 3.0]), rows, tensor([False, True, False]), 0.5)
    yield Case("three transitions, one is the last", args, why)
    two = tensor([[[1.0, 3.0], [6.0, 2.0]], [[-1.0, -3.0], [0.0, 9.0]]])
    args = (tensor([[1.0, 0.0], [2.0, 4.0]]), two, tensor([[False, False], [False, True]]), 0.5)
    why = "first copy: 1 + 0.5 · 3 = 2.5 and 0 + 0.5 · 6 = 3; second: 2 + 0.5 · (-1) = 1.5, and 4 alone"
    yield Case("two copies, two transitions each", args, why)
    rows, gammas = tensor([[8.0, 4.0], [8.0, 16.0], [6.0, 2.0]]), tensor([0.5, 0.25, 0.5])
    args = (tensor([1.0, 2.0, 3.0]), rows, tensor([False, False, True]), gammas)
    why = "the second spans two steps, so its gamma is 0.5²: 1 + 0.5 · 8 = 5; 2 + 0.25 · 16 = 6; 3 alone"
    yield Case("a gamma for each transition", args, why)
    for k in range(1, 4):
        over, gamma = torch.tensor(rng.random((2, 3)) < 0.4), float(rng.uniform(0.3, 0.95))
        yield Case(f"random transitions {k}", (random_tensor(rng, 2, 3), random_tensor(rng, 2, 3, 4), over, gamma))


@one_target.mistake("You bootstrap on the last step too. After termination the target is the reward alone.")
def target_bootstraps_at_the_end(reward, Q_next, terminated, gamma):
    return reward + gamma * Q_next.amax(-1)


@one_target.mistake("You forgot gamma: what comes after this step must be discounted.")
def target_without_gamma(reward, Q_next, terminated, gamma):
    return reward + ~terminated * Q_next.amax(-1)


@one_target.mistake("You discount the reward too. Only what comes after it is multiplied by gamma.")
def target_discounts_reward(reward, Q_next, terminated, gamma):
    return gamma * (reward + ~terminated * Q_next.amax(-1))


@one_target.mistake("Your maximum is over the first axis. The actions are on the last: `dim=-1`.")
def target_maximum_over_the_first_axis(reward, Q_next, terminated, gamma):
    return reward + gamma * ~terminated * Q_next.amax(0)


@one_target.mistake("You take the largest value of the whole tensor. Each row has a best of its own: `dim=-1`.")
def target_one_maximum_for_all(reward, Q_next, terminated, gamma):
    return reward + gamma * ~terminated * Q_next.max()


@one_target.mistake("You average over the next actions. The agent will take one of them, the best: a maximum.")
def target_mean(reward, Q_next, terminated, gamma):
    return reward + gamma * ~terminated * Q_next.mean(-1)


@one_target.mistake("You take the *smallest* value of the row. The agent will take the best action: `.max`.")
def target_minimum(reward, Q_next, terminated, gamma):
    return reward + gamma * ~terminated * Q_next.amin(-1)


@one_target.mistake("You add up the next actions. The agent will take one of them, the best: a maximum.")
def target_sum(reward, Q_next, terminated, gamma):
    return reward + gamma * ~terminated * Q_next.sum(-1)


@one_target.mistake("This says *which* action is best. What it is worth is wanted: `.max(dim=-1).values`.")
def target_argmax(reward, Q_next, terminated, gamma):
    return reward + gamma * ~terminated * Q_next.argmax(-1)


@one_target.mistake("You look ahead only where the episode has ended. The factor is `~terminated`.")
def target_looks_ahead_at_the_end_only(reward, Q_next, terminated, gamma):
    return reward + gamma * terminated * Q_next.amax(-1)


@one_target.mistake("On the last step you drop the reward as well. It was paid: only what follows is missing.")
def target_drops_the_last_reward(reward, Q_next, terminated, gamma):
    return ~terminated * (reward + gamma * Q_next.amax(-1))


@one_target.mistake("You left the reward out: this is only what comes after it.")
def target_without_reward(reward, Q_next, terminated, gamma):
    return gamma * ~terminated * Q_next.amax(-1)


@one_target.mistake("The maximum leaves an axis of length 1, so all meet all: leave out `keepdim` or `unsqueeze`.")
def target_keeps_the_axis(reward, Q_next, terminated, gamma):
    return reward + gamma * ~terminated * Q_next.amax(-1, keepdim=True)


@one_target.mistake("If one transition is a last one, you treat all so. Decide for each by itself: `torch.where`.")
def target_one_end_for_all(reward, Q_next, terminated, gamma):
    return reward + gamma * Q_next.amax(-1) * (not terminated.any())


judge_tensors(one_target)


# -- 2. the loss ---------------------------------------------------------------------------------------------------

one_loss = Exercise(
    "dqn.loss",
    title="The loss, and where its gradient goes",
    name="my_loss",
    hints=[
        "Two networks: `q_frozen` says what the next state is worth, `q` is to be moved. Write y first, then Q(s, a).",
        "No gradient may flow through y: compute it inside `with torch.no_grad():`.",
        "`q(batch.obs)` is [K, B, A]. The action that was taken picks one entry of each row: "
        "`.gather(-1, batch.action.unsqueeze(-1)).squeeze(-1)`.",
        "`best = q_frozen(batch.next_obs).max(dim=-1).values`, `y = batch.reward + batch.discount * "
        "torch.where(batch.terminated, 0.0, best)`, and at the end `return (y - Q) ** 2`",
    ],
    insight="The target is a number that was written down, not something to be moved: only Q(s, a) gives way. That makes it a "
    "*semi*-gradient.",
    rtol=1e-5,
    atol=1e-6,
)


@one_loss.reference
def my_loss(q, q_frozen, batch):
    """Return (y - Q(s, a))^2 for each transition, with a gradient by Q(s, a).

    q, q_frozen: networks, obs float[K, B, ...] -> float[K, B, A]
    batch.obs, batch.next_obs: float[K, B, ...]; batch.action: int64[K, B]
    batch.reward: float[K, B]; batch.terminated: bool[K, B]
    batch.discount: float[K, B], the gamma of each transition
    y = r + discount max Q_frozen(s', a'), and r alone after the end; no
    gradient flows through y. Returns float[K, B], one for each transition.
    """
    # BEGIN SOLUTION
    with torch.no_grad():
        best = q_frozen(batch.next_obs).max(dim=-1).values
        future = torch.where(batch.terminated, 0.0, best)
        y = batch.reward + batch.discount * future
    Q = q(batch.obs).gather(-1, batch.action.unsqueeze(-1)).squeeze(-1)
    return (y - Q) ** 2
    # END SOLUTION


@one_loss.also_right
def loss_with_detach(q, q_frozen, batch):
    best = q_frozen(batch.next_obs).amax(-1)
    y = batch.reward + batch.discount * ~batch.terminated * best
    Q = q(batch.obs)
    taken = torch.nn.functional.one_hot(batch.action, Q.shape[-1])
    return torch.nn.functional.mse_loss((Q * taken).sum(-1), y.detach(), reduction="none")


@one_loss.also_right
def loss_by_indices(q, q_frozen, batch):
    K, B = batch.action.shape
    Q = q(batch.obs)[torch.arange(K)[:, None], torch.arange(B), batch.action]
    return (Q - target_of(q_frozen, batch)).square()


def target_of(q_frozen, batch):
    """Return y: float[K, B], without a gradient."""
    with torch.no_grad():
        return batch.reward + batch.discount * ~batch.terminated * q_frozen(batch.next_obs).amax(-1)


def of_action(Q, action):
    """Return the entry of the action of each row of Q: float[..., A]."""
    return Q.gather(-1, action.unsqueeze(-1)).squeeze(-1)


Q_ONE, FROZEN_ONE = [[1.0, 3.0], [5.0, 2.0], [0.0, 4.0]], [[2.0, 0.0], [6.0, 1.0], [3.0, 8.0]]
Q_TWO, FROZEN_TWO = [[2.0, 1.0], [0.0, 6.0], [3.0, 5.0]], [[4.0, 1.0], [0.0, 2.0], [6.0, 5.0]]


def one_each() -> Batch:
    """Return a batch for two copies with one transition each: two axes, of which a bare `squeeze()` takes one away."""
    return transitions([[0], [0]], [[0], [0]], [[2.0], [-1.0]], [[1], [1]], [[False], [False]], [[0.5], [0.5]])


@one_loss.cases
def losses_to_compute(rng: np.random.Generator) -> Iterator[Case]:
    q, frozen = q_network([Q_ONE]), q_network([FROZEN_ONE])
    step = transitions([[0]], [[0]], [[2.0]], [[1]], [[False]], [[0.5]])
    why = (
        "y = 2 + 0.5 · 6 = 5, by the second row of q_frozen; Q(s, a) = 1, the first of the first row of q: "
        "(5 - 1)² = 16, with the gradient -2 · (5 - 1) = -8 there and 0 elsewhere"
    )
    yield Case("one transition", (q, frozen, step), why)
    last = transitions([[2]], [[0]], [[3.0]], [[1]], [[True]], [[0.5]])
    why = "y = 3 alone, as it ended, and Q(s, a) = 0: (3 - 0)² = 9, with the gradient -2 · 3 = -6"
    yield Case("the last transition of an episode", (q, frozen, last), why)
    why = (
        "y = 2 + 0.5 · 5 = 4.5, and it stays a mere number although the same network gave it: (4.5 - 1)² = 12.25, with the "
        "gradient -7 at Q(s, a), and 0 at the row of the next state"
    )
    yield Case("q is its own frozen network", (q, q, step), why)
    batch = transitions(
        [[0, 1, 2], [0, 1, 1]],
        [[1, 1, 1], [0, 0, 1]],
        [[1.0, 0.0, 7.0], [-1.0, 2.0, 4.0]],
        [[2, 0, 0], [1, 2, 0]],
        [[False, False, True], [False, False, False]],
        [[0.5, 0.25, 0.5], [0.5, 0.5, 0.25]],
    )
    why = (
        "first copy: y = 1 + 0.5 · 8 = 5, 0 + 0.25 · 2 = 0.5 and 7 alone, Q = 3, 2 and 4, errors 2, -1.5 and 3; second: y = "
        "-1 + 0.5 · 2 = 0, 2 + 0.5 · 6 = 5 and 4 + 0.25 · 4 = 5, Q = 2, 0 and 6, errors -2, 5 and -1"
    )
    yield Case(
        "two copies, three transitions each",
        (q_network([Q_ONE, Q_TWO]), q_network([FROZEN_ONE, FROZEN_TWO]), batch),
        why,
    )
    why = "y = 2 + 0.5 · 6 = 5 and Q = 1: 16; second copy: y = -1 + 0.5 · 2 = 0 and Q = 2: 4, as [[16], [4]]"
    both = q_network([Q_ONE, Q_TWO]), q_network([FROZEN_ONE, FROZEN_TWO])
    yield Case("two copies, one transition each", (*both, one_each()), why)
    for k in range(1, 3):
        both = q_network(random_tensor(rng, 2, 4, 3)), q_network(random_tensor(rng, 2, 4, 3))
        yield Case(f"random transitions {k}", (*both, random_batch(rng)))


NO_GRADIENT = "no gradient"


@one_loss.trial
def value_and_gradient(loss_of, q, q_frozen, batch):
    """Return the loss, and the gradient of its sum by the weights of q."""
    loss = loss_of(q, q_frozen, batch)
    if loss is None:
        return None
    gradient: Any = None
    if getattr(loss, "requires_grad", False):
        (gradient,) = torch.autograd.grad(loss.sum(), list(q.parameters()), allow_unused=True)
    return {"loss": detached(loss), "gradient": NO_GRADIENT if gradient is None else gradient}


@one_loss.judge
def what_is_wrong_with_a_loss(case: Case, got: Any) -> str | None:
    """Judge the numbers first, and then where the gradient goes."""
    expected = one_loss.outcome(my_loss, fresh(case.args))
    said = difference(got["loss"], expected["loss"], 1e-5, 1e-6)
    if said is not None:
        K, B = case.args[2].action.shape
        return f"{said} For each transition, float[{K}, {B}], the square of y - Q(s, a) was asked for."
    if not hasattr(got["gradient"], "detach"):
        return (
            "The numbers are right, but no gradient reaches the weights of q, so nothing would be learned. Only y may be under "
            "`no_grad`, and Q(s, a) comes from q."
        )
    if not close(got["gradient"], expected["gradient"], 1e-5, 1e-6):
        return "The numbers are right, but the gradient is another one: it should flow through Q(s, a), and through nothing else."
    return None


@one_loss.mistake("A gradient flows through the target too. Compute it inside `with torch.no_grad():`.")
def loss_through_the_target(q, q_frozen, batch):
    y = batch.reward + batch.discount * ~batch.terminated * q_frozen(batch.next_obs).amax(-1)
    return (y - of_action(q(batch.obs), batch.action)) ** 2


@one_loss.mistake("Your target comes from `q`, which moves with every step. Take `q_frozen`, which stands still.")
def loss_target_from_q(q, q_frozen, batch):
    return (target_of(q, batch) - of_action(q(batch.obs), batch.action)) ** 2


@one_loss.mistake(
    "Two things. Your target comes from `q` instead of `q_frozen`. And a gradient flows through it: put it under "
    "`torch.no_grad()`."
)
def loss_target_from_q_and_through_it(q, q_frozen, batch):
    return loss_through_the_target(q, q, batch)


@one_loss.mistake("Your Q(s, a) comes from `q_frozen`. The network that is to be moved is `q`.")
def loss_of_the_frozen_network(q, q_frozen, batch):
    return (target_of(q_frozen, batch) - of_action(q_frozen(batch.obs), batch.action)) ** 2


@one_loss.mistake(
    "The numbers are right, but the gradient is stopped on both sides, so nothing would be learned. Only y belongs under "
    "`no_grad` or `detach`."
)
def loss_without_gradient(q, q_frozen, batch):
    return my_loss(q, q_frozen, batch).detach()


@one_loss.mistake("You move the *best* action. The reward was paid for the one that was taken: `batch.action`.")
def loss_of_the_best_action(q, q_frozen, batch):
    return (target_of(q_frozen, batch) - q(batch.obs).amax(-1)) ** 2


@one_loss.mistake("Your target looks at `batch.obs`, the state that was left. Take `batch.next_obs`.")
def loss_looks_at_its_own_state(q, q_frozen, batch):
    return my_loss(q, q_frozen, batch._replace(next_obs=batch.obs))


@one_loss.mistake("You bootstrap after the end. Where `batch.terminated` says so, y is the reward alone.")
def loss_bootstraps_at_the_end(q, q_frozen, batch):
    return my_loss(q, q_frozen, batch._replace(terminated=batch.terminated & False))


@one_loss.mistake("You forgot gamma: it is `batch.discount`, one for each transition.")
def loss_without_discount(q, q_frozen, batch):
    return my_loss(q, q_frozen, batch._replace(discount=torch.ones_like(batch.discount)))


@one_loss.mistake("This is the error itself. Its square was asked for.")
def loss_not_squared(q, q_frozen, batch):
    return target_of(q_frozen, batch) - of_action(q(batch.obs), batch.action)


@one_loss.mistake("This is half of the squared error: a matter of taste, but here the whole square was asked for.")
def loss_halved(q, q_frozen, batch):
    return my_loss(q, q_frozen, batch) / 2


@one_loss.mistake("You return one number, the mean. Leave that to the caller, and return float[K, B].")
def loss_mean_of_all(q, q_frozen, batch):
    return my_loss(q, q_frozen, batch).mean()


@one_loss.mistake("`[..., batch.action]` looks up all actions in every row. Each row wants its own: `gather`.")
def loss_every_action_in_every_row(q, q_frozen, batch):
    return (target_of(q_frozen, batch) - q(batch.obs)[..., batch.action]) ** 2


@one_loss.mistake("`gather` leaves an axis of length 1, and the difference then meets all with all: `squeeze(-1)`.")
def loss_keeps_the_axis(q, q_frozen, batch):
    return (target_of(q_frozen, batch) - q(batch.obs).gather(-1, batch.action.unsqueeze(-1))) ** 2


@one_loss.mistake("`gather` looks along the wrong axis. The actions are on the last one: `gather(-1, ...)`.")
def loss_gathers_along_the_batch(q, q_frozen, batch):
    Q = q(batch.obs).gather(1, batch.action.unsqueeze(-1)).squeeze(-1)
    return (target_of(q_frozen, batch) - Q) ** 2


@one_loss.mistake("`squeeze()` takes away *all* axes of length 1, even that of a single transition: `squeeze(-1)`.")
def loss_squeezes_all(q, q_frozen, batch):
    return (target_of(q_frozen, batch) - q(batch.obs).gather(-1, batch.action.unsqueeze(-1)).squeeze()) ** 2


@one_loss.mistake("Your Q(s, a) is that of `batch.next_obs`. The action was taken in `batch.obs`.")
def loss_of_the_next_state(q, q_frozen, batch):
    return (target_of(q_frozen, batch) - of_action(q(batch.next_obs), batch.action)) ** 2


@one_loss.mistake("This is the size of the error. Its square was asked for.")
def loss_absolute(q, q_frozen, batch):
    return abs(loss_not_squared(q, q_frozen, batch))


@one_loss.mistake("Your gamma is always 0.99. Each transition has its own: `batch.discount`.")
def loss_with_a_gamma_of_its_own(q, q_frozen, batch):
    return my_loss(q, q_frozen, batch._replace(discount=torch.full_like(batch.discount, 0.99)))


@one_loss.mistake(
    "Your target takes one maximum for all transitions. Each has a best of its own: `max(dim=-1).values`."
)
def loss_one_maximum_for_all(q, q_frozen, batch):
    y = batch.reward + batch.discount * ~batch.terminated * q_frozen(batch.next_obs).max()
    return (y.detach() - of_action(q(batch.obs), batch.action)) ** 2


@one_loss.mistake(
    "Your target's maximum is over the transitions. The actions are on the last axis: `max(dim=-1).values`."
)
def loss_maximum_over_the_batch(q, q_frozen, batch):
    y = batch.reward + batch.discount * ~batch.terminated * q_frozen(batch.next_obs).amax(1)
    return (y.detach() - of_action(q(batch.obs), batch.action)) ** 2


@one_loss.mistake("You average over the transitions. Leave that to the caller, and return float[K, B].")
def loss_mean_of_each_copy(q, q_frozen, batch):
    return my_loss(q, q_frozen, batch).mean(-1)


@one_loss.mistake("You return one number, the sum. Leave that to the caller, and return float[K, B].")
def loss_sum_of_all(q, q_frozen, batch):
    return my_loss(q, q_frozen, batch).sum()


def loss_by(target):
    """Return a loss with another target than it should have."""

    def loss(q, q_frozen, batch):
        with torch.no_grad():
            y = target(batch.reward, q_frozen(batch.next_obs), batch.terminated, batch.discount)
        return (y - of_action(q(batch.obs), batch.action)) ** 2

    loss.__name__ = target.__name__.replace("target", "loss", 1)
    return loss


for (
    wrong
) in one_target.mistakes:  # what goes wrong with a target goes wrong here as well, and is called by the same name
    if wrong.function in (
        target_minimum,
        target_sum,
        target_mean,
        target_argmax,
        target_discounts_reward,
        target_looks_ahead_at_the_end_only,
        target_drops_the_last_reward,
        target_without_reward,
        target_one_end_for_all,
    ):
        one_loss.mistake(wrong.sentence)(loss_by(wrong.function))


# -- 3. exploring less and less --------------------------------------------------------------------------------------

less_and_less = Exercise(
    "dqn.epsilon",
    title="Exploring less and less",
    name="my_epsilon",
    hints=[
        "Which share of the way has been made? It is `step / over`, but never more than 1.",
        "`np.clip(step / over, 0, 1)` is that share, for one step and for an array of them.",
        "`return start + np.clip(step / over, 0, 1) * (end - start)`",
    ],
    insight="A straight line and then a floor: nothing is left to tune but its two ends and its length.",
)


@less_and_less.reference
def my_epsilon(step, start, end, over):
    """Return epsilon: start at step 0, in a straight line to end at step over.

    step: int[...], one number or an array of them, from 0
    start, end: float; over: int, how many steps the way takes
    After step over it stays at end. Returns float[...].
    """
    share = np.clip(step / over, 0, 1)
    return start + share * (end - start)


@less_and_less.also_right
def epsilon_by_interpolation(step, start, end, over):
    return np.interp(step, [0, over], [start, end])


@less_and_less.also_right
def epsilon_by_parts(step, start, end, over):
    return np.where(np.asarray(step) < over, (start * (over - step) + end * step) / over, end)


@less_and_less.cases
def schedules_to_compute(rng: np.random.Generator) -> Iterator[Case]:
    yield Case("the first step", (0, 1.0, 0.2, 100), "no way has been made yet: 1")
    yield Case("half of the way", (50, 1.0, 0.2, 100), "half way between 1 and 0.2: 0.6")
    yield Case(
        "a quarter of the way", (25, 0.9, 0.1, 100), "a quarter of the way from 0.9 down to 0.1: 0.9 - 0.2 = 0.7"
    )
    yield Case("the end of the way", (100, 1.0, 0.2, 100), "all of the way has been made: 0.2")
    yield Case("long after", (250, 1.0, 0.2, 100), "it stays at 0.2")
    why = "1, then 1 - 0.2 = 0.8, 0.6, 0.4 and 0.2, and there it stays"
    yield Case("many steps at once", (np.array([0, 10, 20, 30, 40, 50]), 1.0, 0.2, 40), why)
    why = "four equal steps of 0.2, so the last step before the end is at 0.4, and the end, 0.2, comes at step 4"
    yield Case("every single step", (np.arange(6), 1.0, 0.2, 4), why)
    why = "the same line, upwards: 0.4, in the middle 0.7, then 1, and there it stays"
    yield Case("a line that rises", (np.array([0, 10, 20, 30]), 0.4, 1.0, 20), why)
    for k in range(1, 3):
        args = (rng.integers(0, 150, size=4), float(rng.uniform(0.6, 1)), float(rng.uniform(0.02, 0.3)), 100)
        yield Case(f"random steps {k}", args)


@less_and_less.judge
def where_it_leaves_the_line(case: Case, got: Any) -> str | None:
    """Name the first step at which epsilon is another one."""
    step, start, end, over = case.args
    right = my_epsilon(*case.args)
    if close(got, right, less_and_less.rtol, less_and_less.atol):
        return None
    said = difference(got, right, less_and_less.rtol, less_and_less.atol)
    if said != ANOTHER_VALUE or got is None:
        return said
    steps, given, wanted = (np.ravel(np.asarray(x, dtype=float)) for x in (step, got, right))
    k = int(np.argmax(~np.isclose(given, wanted, less_and_less.rtol, less_and_less.atol)))
    where = "the first" if steps[k] == 0 else f"of {over} on the way" if steps[k] < over else f"and the way has {over}"
    return f"From {start:.4g} to {end:.4g}: at step {steps[k]:g}, {where}, it should be {wanted[k]:.4g}, but is {given[k]:.4g}."


def line(share, start, end):
    """Return what a share of the way from start to end makes."""
    return start + share * (end - start)


@less_and_less.mistake("It goes on falling after the end of the way, below 0. Clip the share of the way at 1.")
def epsilon_never_stops(step, start, end, over):
    return line(step / over, start, end)


@less_and_less.mistake("Your line goes to 0. It should go to `end`: start + share · (end - start).")
def epsilon_falls_to_zero(step, start, end, over):
    return start * (1 - np.clip(step / over, 0, 1))


@less_and_less.mistake("Your line runs towards 0, and `end` catches it too early. It should get there at step `over`.")
def epsilon_too_steep(step, start, end, over):
    return np.maximum(end, start * (1 - step / over))


@less_and_less.mistake("A maximum with `end` is right for falling lines only. Clip the share of the way instead.")
def epsilon_cannot_rise(step, start, end, over):
    return np.maximum(end, line(step / over, start, end))


@less_and_less.mistake("`start` and `end` are swapped: at step 0 it should be `start`.")
def epsilon_swapped(step, start, end, over):
    return line(np.clip(step / over, 0, 1), end, start)


@less_and_less.mistake("It falls by a constant factor. A straight line was asked for: a constant amount.")
def epsilon_exponential(step, start, end, over):
    return start * (end / start) ** np.clip(step / over, 0, 1)


@less_and_less.mistake("The way ends one step too early. It takes `over` steps, from step 0 to step `over`.")
def epsilon_one_step_short(step, start, end, over):
    return line(np.clip(step / (over - 1), 0, 1), start, end)


@less_and_less.mistake("It jumps at step `over`. `//` cuts off what comes after the point: divide by `/`.")
def epsilon_jumps(step, start, end, over):
    return line(np.clip(step // over, 0, 1), start, end)


@less_and_less.mistake("This is the share of the way that is left. Epsilon is start + share · (end - start).")
def epsilon_is_the_share(step, start, end, over):
    return 1 - np.clip(step / over, 0, 1)


@less_and_less.mistake(
    "After `over` it begins again from `start`. It should stay at `end`: clip the share, without `%`."
)
def epsilon_begins_again(step, start, end, over):
    return line(step % over / over, start, end)


@less_and_less.mistake("`np.clip(..., end, start)` is right for falling lines only. Clip the share of the way: 0 to 1.")
def epsilon_clipped_upside_down(step, start, end, over):
    return np.clip(line(step / over, start, end), end, start)


@less_and_less.mistake("You count one step too many: at step 0 no way has been made yet, so without `+ 1`.")
def epsilon_a_step_ahead(step, start, end, over):
    return line(np.clip((step + 1) / over, 0, 1), start, end)


@less_and_less.mistake("You are at `end` one step before the time. Only from step `over` on should it be there.")
def epsilon_ends_early(step, start, end, over):
    return np.where(np.asarray(step) >= over - 1, end, line(step / over, start, end))


@less_and_less.mistake("It falls more and more slowly, as `exp` does. A straight line was asked for.")
def epsilon_decays(step, start, end, over):
    return end + (start - end) * np.exp(-step / over)


@less_and_less.mistake("Your line falls by 1 / over at each step, wherever it goes. The slope is (end - start) / over.")
def epsilon_slope_of_one(step, start, end, over):
    return np.maximum(end, start - step / over)


# -- 4. a memory -----------------------------------------------------------------------------------------------------

memory = Exercise(
    "dqn.replay",
    title="A replay memory",
    name="MyReplay",
    hints=[
        "A list of at most `capacity` places, and the number of the place that is written next. Where does it stand when "
        "the list is full?",
        "`collections.deque(maxlen=capacity)` drops the oldest by itself. With a list: "
        "`self.next = (self.next + 1) % self.capacity`.",
        "`rng.integers(len(self.kept), size=n)` are n places, drawn independently; look them up.",
        "`self.kept = deque(maxlen=capacity)` in `__init__`, `self.kept.append(transition)` in `add`, and in `sample` "
        "`return [self.kept[k] for k in rng.integers(len(self.kept), size=n)]`",
    ],
    insight="A few lines, and neighbours in time are strangers in the batch; and each step is learned from many times.",
)


@memory.reference
class MyReplay:
    """Keep the newest transitions, at most `capacity`, and draw from them."""

    def __init__(self, capacity):
        """capacity: int, how many transitions there is room for."""
        # BEGIN SOLUTION
        self.capacity = capacity
        self.kept = []
        self.next = 0
        # END SOLUTION

    def add(self, transition):
        """Keep a transition; where all is full, the oldest one goes."""
        # BEGIN SOLUTION
        if len(self.kept) < self.capacity:
            self.kept.append(transition)
        else:
            self.kept[self.next] = transition
        self.next = (self.next + 1) % self.capacity
        # END SOLUTION

    def sample(self, n, rng):
        """Return a list of n transitions, each drawn from all that are kept.

        All are equally likely, at each draw anew: one may come twice.
        rng: np.random.Generator, from which all chance comes
        """
        # BEGIN SOLUTION
        return [self.kept[k] for k in rng.integers(len(self.kept), size=n)]
        # END SOLUTION

    def __len__(self):
        """Return how many transitions are kept."""
        # BEGIN SOLUTION
        return len(self.kept)
        # END SOLUTION


@memory.also_right
class Deque(MyReplay):
    def __init__(self, capacity):
        self.kept: Any = deque(maxlen=capacity)

    def add(self, transition):
        self.kept.append(transition)

    def sample(self, n, rng):
        return [self.kept[int(rng.random() * len(self.kept))] for _ in range(n)]

    def __len__(self):
        return len(self.kept)


@memory.also_right
class Slots(MyReplay):
    def __init__(self, capacity):
        self.slots, self.count = np.empty(capacity, object), 0

    def add(self, transition):
        self.slots[self.count % len(self.slots)] = transition
        self.count += 1

    def sample(self, n, rng):
        return list(rng.choice(self.slots[: len(self)], size=n))

    def __len__(self):
        return min(self.count, len(self.slots))


DRAWS = 240


@memory.cases
def memories_to_fill(rng: np.random.Generator) -> Iterator[Case]:
    def case(label: str, capacity: int, letters: str, why: str = "") -> Case:
        call = f"memory = MyReplay({capacity})\nfor letter in {letters!r}:\n    memory.add(letter)\n"
        call += "len(memory), memory.sample(7, np.random.default_rng(0))"
        return Case(label, (capacity, list(letters)), why, call)

    both = "each draw can give each of them, so {} ordered pairs of two draws are possible, all equally likely"
    yield case("not full yet", 4, "abc", f"all three are kept; {both.format('3 · 3 = 9')}")
    yield case("one too many", 3, "abcd", f"d takes the place of a, the oldest: b, c and d; {both.format('9')}")
    yield case("two too many", 3, "abcde", f"d takes the place of a, and e of b: c, d and e; {both.format('9')}")
    yield case("more than two rounds", 2, "abcdefg", f"the newest two are kept, f and g; {both.format('4')}")
    yield case("a single place", 1, "abc", "only the newest is kept, c, and a sample of 7 has it 7 times")
    why = "one that is equal to another is kept too: four places are filled, two with a and two with b"
    yield case("the same ones again", 4, "abab", why)
    with_arrays = [(letter, np.arange(2.0)) for letter in "abcd"]
    call = "memory = MyReplay(3)\nfor letter in 'abcd':\n    memory.add((letter, np.arange(2.0)))\n"
    call += "len(memory), memory.sample(7, np.random.default_rng(0))"
    why = "each transition is a letter and an array, and comes back as it went in: those of b, c and d are kept"
    yield Case("transitions with arrays", (3, with_arrays), why, call)
    yield case("random sizes", int(rng.integers(2, 4)), "abcdefgh"[: int(rng.integers(2, 9))])


def name_of(drawn):
    """Return a letter as it is, that of a transition with an array, and something else in a word."""
    if isinstance(drawn, tuple) and len(drawn) == 2 and isinstance(drawn[1], np.ndarray):
        return str(drawn[0])
    return str(drawn) if isinstance(drawn, (str, int, np.integer, type(None))) else type(drawn).__name__


@memory.trial
def fill_and_draw(Replay, capacity, letters):
    """Return what can be seen of a memory that is filled with letters, and drawn from very often.

    How an answer draws is its own affair, so single samples are not compared: only what can be drawn at all, which pairs of
    two draws there are, and whether all letters are about equally frequent (within 5.5 standard deviations).
    """
    filled, other, lengths = Replay(capacity), Replay(capacity), []
    for letter in letters:
        filled.add(letter)
        lengths.append(len(filled))
    rng = np.random.default_rng(5)
    many = filled.sample(7, rng)
    if not isinstance(many, (list, tuple, np.ndarray)) or len(many) != 7:
        return many
    pairs = [list(map(name_of, filled.sample(2, rng))) for _ in range(DRAWS)]
    drawn = [name for pair in pairs for name in pair]
    names = sorted(set(drawn))
    p = 1 / len(names)
    bound = 5.5 * np.sqrt(len(drawn) * p * (1 - p))
    # so many that two samples that have nothing to do with each other are never the same by chance
    first, second = (list(map(name_of, filled.sample(50, np.random.default_rng(1)))) for _ in range(2))
    return {
        "length of another": len(other),
        "lengths": lengths,
        "drawn": names,
        "pairs": " ".join(sorted({"".join(pair) for pair in pairs})),
        "evenly": all(abs(drawn.count(name) - len(drawn) * p) <= bound for name in names),
        "same rng, same sample": first == second,
        "length after it": len(filled),
    }


@memory.judge
def what_is_wrong_with_a_memory(case: Case, got: Any) -> str | None:
    """Say the first thing that is not as it should be."""
    expected = memory.outcome(MyReplay, fresh(case.args))
    if not isinstance(got, dict):
        return "`sample(7, rng)` should return a list of 7 transitions."
    kept = set(expected["drawn"])
    never = sorted(kept - set(got["drawn"]))
    if close(got["lengths"], expected["lengths"], 0, 0) and set(got["drawn"]) <= kept and never:
        if " " not in got["pairs"] and " " in expected["pairs"]:
            return f"Each sample of two was the same, {got['pairs']}. Draw anew each time, by chance, and with `rng`."
        return f"Never drawn, though it should be kept: {', '.join(never)}. `rng.integers(m)` draws from 0 to m - 1, as it is."
    said = {
        "length of another": "A second memory, to which nothing was added, has the length {0}: do all memories share one "
        "list? Make it in `__init__`, as `self. ...`.",
        "lengths": "`len` should be {1} after each `add`, but is {0}.",
        "drawn": "In many draws these transitions came up: {0}. It should have been {1}.",
        "pairs": "As pairs of two draws came up: {0}. It should have been: {1}. Draw each independently.",
        "evenly": "Some transitions are drawn more often than others. All that are kept should be equally likely.",
        "same rng, same sample": "The same `rng` gave two different samples. Draw all that is left to chance with `rng`.",
        "length after it": "After the draws `len` is {0}, but should still be {1}: drawing takes nothing away.",
    }
    return next(
        (said[key].format(got[key], right) for key, right in expected.items() if not close(got[key], right, 0, 0)), None
    )


@memory.mistake("Your memory grows for ever. When `capacity` transitions are kept, the oldest has to go.")
class GrowsForEver(MyReplay):
    def add(self, transition):
        self.kept.append(transition)


@memory.mistake("When your memory is full it takes in nothing new. The oldest should go, to make room.")
class RefusesNews(MyReplay):
    def add(self, transition):
        if len(self.kept) < self.capacity:
            self.kept.append(transition)


@memory.mistake("When your memory is full, the newest is overwritten. The oldest is the one to go.")
class OverwritesTheNewest(MyReplay):
    def add(self, transition):
        if len(self.kept) == self.capacity:
            self.kept.pop()
        self.kept.append(transition)


@memory.mistake("You overwrite the same place again and again. After each `add` the next one is due.")
class OverwritesOnePlace(MyReplay):
    def add(self, transition):
        if len(self.kept) < self.capacity:
            self.kept.append(transition)
        else:
            self.kept[0] = transition


@memory.mistake("One transition too many is kept: there is room for `capacity` of them.")
class OneTooMany(MyReplay):
    def __init__(self, capacity):
        super().__init__(capacity + 1)


@memory.mistake("You draw from places that were never filled. Draw among `len(self)` places.")
class DrawsEmptyPlaces(MyReplay):
    def sample(self, n, rng):
        places = self.kept + [None] * (self.capacity - len(self.kept))
        return [places[k] for k in rng.integers(self.capacity, size=n)]


@memory.mistake("The last of your places is never drawn: `rng.integers(m)` draws from 0 to m - 1 as it is.")
class NeverTheLast(MyReplay):
    def sample(self, n, rng):
        return [self.kept[k] for k in rng.integers(max(1, len(self.kept) - 1), size=n)]


@memory.mistake("You return the newest n, which are neighbours in time. Draw them by chance, from all.")
class TheNewest(MyReplay):
    def sample(self, n, rng):
        return [self.kept[self.next - 1 - k % len(self.kept)] for k in range(n)]


@memory.mistake("You draw where to begin, and take what follows: neighbours in time. Draw each by itself.")
class Neighbours(MyReplay):
    def sample(self, n, rng):
        begin = int(rng.integers(len(self.kept)))
        return [self.kept[(begin + k) % len(self.kept)] for k in range(n)]


@memory.mistake("You draw one transition and repeat it n times. Draw n times.")
class OneOfThemRepeated(MyReplay):
    def sample(self, n, rng):
        return [self.kept[int(rng.integers(len(self.kept)))]] * n


@memory.mistake("No transition comes twice in a small sample. Draw each from all that are kept.")
class WithoutReplacement(MyReplay):
    def sample(self, n, rng):
        order = [k for _ in range(n) for k in rng.permutation(len(self.kept))]
        return [self.kept[k] for k in order[:n]]


@memory.mistake("Your sample ends when all have been drawn. Draw each from all that are kept, with replacement.")
class NoMoreThanAreKept(MyReplay):
    def sample(self, n, rng):
        return [self.kept[k] for k in rng.permutation(len(self.kept))[:n]]


@memory.mistake("You return places, that is numbers. The transitions that lie there were asked for.")
class ReturnsPlaces(MyReplay):
    def sample(self, n, rng):
        return [int(k) for k in rng.integers(len(self.kept), size=n)]


@memory.mistake("All your samples are the same: is there a new generator in each call? Draw with `rng`.")
class TheSameEachTime(MyReplay):
    def sample(self, n, rng):
        return super().sample(n, np.random.default_rng(0))


@memory.mistake("With the same `rng` your samples differ. All chance should come from it, for runs to be repeated.")
class ChanceOfItsOwn(MyReplay):
    def sample(self, n, rng):
        return super().sample(n, np.random.default_rng())


@memory.mistake("`len` says how much room there is. It should say how many transitions are kept.")
class LengthIsTheCapacity(MyReplay):
    def __len__(self):
        return self.capacity


@memory.mistake("A transition that is equal to one that is kept is left out. It happened again: keep it again.")
class KeepsEachOnce(MyReplay):
    def add(self, transition):
        if transition not in self.kept:
            super().add(transition)


@memory.mistake("`extend` takes a transition apart, and keeps its parts. `append` keeps it whole.")
class TakesApart(Deque):
    def add(self, transition):
        self.kept.extend(transition)


# -- 5. a prediction: which cure is worth more --------------------------------------------------------------------------

cure = Exercise(
    "dqn.cure",
    title="Which cure is worth more?",
    name="my_order",
    value=True,
    hints=[
        "Replay is against batches of neighbours in time, the frozen network against a target that runs away.",
        "Without a memory each step is learned from once, and only in company of its neighbours. Which loss is greater?",
        "`my_order = ['both', 'replay', 'target', 'neither']`",
    ],
    insight="On Atari's Breakout replay does most of the work, and the two together more than either. It is one game: take away "
    "that both are needed there, and not the numbers.",
)


@cure.reference
def my_order():
    return ["both", "replay", "target", "neither"]


@cure.judge
def what_the_order_is(case: Case, got: Any) -> str | None:
    """Judge an order, or say what is wrong about its form."""
    right = my_order()
    if not isinstance(got, (list, tuple)) or sorted(map(str, got)) != sorted(right):
        return "A list of the four words is asked for, each of them once, the best first: 'both', 'replay', 'target', 'neither'."
    if list(got) == right:
        return None
    if got[0] != "both":
        return "Each cure answers an ailment of its own. Which variant has the fewest ailments left?"
    return "The best is right. Of the two cures alone, which is the stronger, and can a cure alone be worse than none?"


@cure.mistake("This is the order from the worst to the best. The best comes first.")
def order_reversed():
    return ["neither", "target", "replay", "both"]


@cure.mistake(
    "Most people think so: the runaway target sounds worse. But without a memory a batch is a few neighbours in time, and each "
    "step is used once; in the published table replay alone gets far further than a frozen network alone."
)
def order_target_before_replay():
    return ["both", "target", "replay", "neither"]


@cure.mistake(
    "Does a frozen network do harm where there is replay? In the published run on Breakout both are better than replay alone."
)
def order_replay_alone_is_best():
    return ["replay", "both", "target", "neither"]


@cure.mistake("Does replay do harm where there is a frozen network? It breaks up neighbours in time.")
def order_target_alone_is_best():
    return ["target", "both", "replay", "neither"]


@cure.mistake("In the published run a frozen network alone is better than nothing, though far less good than replay.")
def order_target_is_worse_than_none():
    return ["both", "replay", "neither", "target"]


@cure.mistake("Replay alone is not worse than nothing. It is the stronger of the two cures, by far.")
def order_replay_is_worse_than_none():
    return ["both", "target", "neither", "replay"]


# -- 6. one network chooses, the other values --------------------------------------------------------------------------

double = Exercise(
    "dqn.double",
    title="The target of double DQN",
    name="my_double_target",
    hints=[
        "Two questions, asked of two networks: *which* action is best, and what is it worth?",
        "The network that learns chooses: `choice = Q_next.argmax(dim=-1, keepdim=True)`.",
        "The frozen one says what the choice is worth: `Q_frozen_next.gather(-1, choice).squeeze(-1)`.",
        "`return reward + gamma * torch.where(terminated, 0.0, value)`, with "
        "`value = Q_frozen_next.gather(-1, Q_next.argmax(dim=-1, keepdim=True)).squeeze(-1)`",
    ],
    insight="No third network is needed: the frozen one is different enough to take most of the luck out of the maximum.",
    rtol=1e-5,
    atol=1e-6,
)


@double.reference
def my_double_target(reward, Q_next, Q_frozen_next, terminated, gamma):
    """Return r + gamma Q_frozen(s', b) with b = argmax_a' Q(s', a').

    reward: float[...]; terminated: bool[...], then the reward alone
    Q_next: float[..., A], what the network that learns says of the next state
    Q_frozen_next: float[..., A], what the frozen network says of it
    gamma: a number, or float[...]. Returns float[...].
    """
    choice = Q_next.argmax(dim=-1, keepdim=True)
    value = Q_frozen_next.gather(-1, choice).squeeze(-1)
    return reward + gamma * torch.where(terminated, 0.0, value)


@double.also_right
def double_by_one_hot(reward, Q_next, Q_frozen_next, terminated, gamma):
    chosen = torch.nn.functional.one_hot(Q_next.argmax(-1), Q_next.shape[-1])
    return reward + gamma * ~terminated * (chosen * Q_frozen_next).sum(-1)


@double.also_right
def double_along_the_axis(reward, Q_next, Q_frozen_next, terminated, gamma):
    value = torch.take_along_dim(Q_frozen_next, Q_next.max(-1, keepdim=True).indices, dim=-1)[..., 0]
    return reward + gamma * value * (1 - terminated.float())


@double.cases
def double_targets_to_compute(rng: np.random.Generator) -> Iterator[Case]:
    tensor = torch.tensor
    one, other = tensor([1.0, 5.0, 2.0]), tensor([6.0, 3.0, 9.0])
    why = "Q_next likes the second action best; the frozen network says 3 of it: 1 + 0.5 · 3 = 2.5"
    yield Case("two opinions", (tensor(1.0), one, other, tensor(False), 0.5), why)
    yield Case("the last step", (tensor(1.0), one, other, tensor(True), 0.5), "nothing comes after the end: 1")
    ones = tensor([[1.0, 6.0, 3.0], [5.0, 2.0, 0.0], [0.0, 1.0, 9.0]])
    others = tensor([[10.0, 2.0, 8.0], [7.0, 9.0, 1.0], [4.0, 6.0, 5.0]])
    why = "the choices are 1, 0 and 2: 1 + 0.5 · 2 = 2; 2 alone, as it ended; 3 + 0.5 · 5 = 5.5"
    args = (tensor([1.0, 2.0, 3.0]), ones, others, tensor([False, True, False]), 0.5)
    yield Case("three transitions, one is the last", args, why)
    ones = tensor([[[1.0, 3.0], [5.0, 2.0]], [[-1.0, -3.0], [0.0, 9.0]]])
    others = tensor([[[7.0, 2.0], [4.0, 6.0]], [[-8.0, -2.0], [1.0, 3.0]]])
    args = (tensor([[1.0, 0.0], [2.0, 4.0]]), ones, others, tensor([[False, False], [False, True]]), 0.5)
    why = "first copy: 1 + 0.5 · 2 = 2 and 0 + 0.5 · 4 = 2; second: 2 + 0.5 · (-8) = -2, and 4 alone"
    yield Case("two copies, two transitions each", args, why)
    args = (tensor([1.0, 2.0]), ones[0], others[0], tensor([False, False]), tensor([0.5, 0.25]))
    why = "the second spans two steps, so its gamma is 0.5²: 1 + 0.5 · 2 = 2, and 2 + 0.25 · 4 = 3"
    yield Case("a gamma for each transition", args, why)
    args = (tensor([[1.0], [2.0]]), ones[:, :1], others[:, :1], tensor([[False], [False]]), 0.5)
    yield Case("two copies, one transition each", args, "1 + 0.5 · 2 = 2 and 2 + 0.5 · (-8) = -2, as [[2], [-2]]")
    for k in range(1, 4):
        one, other = random_tensor(rng, 2, 3, 4), random_tensor(rng, 2, 3, 4)
        over = torch.tensor(rng.random((2, 3)) < 0.3)
        yield Case(
            f"random transitions {k}", (random_tensor(rng, 2, 3), one, other, over, float(rng.uniform(0.4, 0.95)))
        )


def chosen_by(Q_choosing, Q_valuing):
    """Return what one network says of the action that another would take."""
    return of_action(Q_valuing, Q_choosing.argmax(-1))


@double.mistake("The network that learns chooses *and* values here. Let the frozen one value the choice.")
def double_learning_alone(reward, Q_next, Q_frozen_next, terminated, gamma):
    return reward + gamma * ~terminated * Q_next.amax(-1)


@double.mistake("This is plain DQN: the frozen network chooses *and* values. Let `Q_next` choose.")
def double_frozen_alone(reward, Q_next, Q_frozen_next, terminated, gamma):
    return reward + gamma * ~terminated * Q_frozen_next.amax(-1)


@double.mistake("The roles are swapped: `Q_next` chooses, and `Q_frozen_next` says what the choice is worth.")
def double_roles_swapped(reward, Q_next, Q_frozen_next, terminated, gamma):
    return reward + gamma * ~terminated * chosen_by(Q_frozen_next, Q_next)


@double.mistake("You take the smaller of two maxima. One network chooses and the other values: no minimum.")
def double_smaller_maximum(reward, Q_next, Q_frozen_next, terminated, gamma):
    return reward + gamma * ~terminated * torch.minimum(Q_next.amax(-1), Q_frozen_next.amax(-1))


@double.mistake("You bootstrap on the last step too. After termination the target is the reward alone.")
def double_bootstraps_at_the_end(reward, Q_next, Q_frozen_next, terminated, gamma):
    return reward + gamma * chosen_by(Q_next, Q_frozen_next)


@double.mistake("You forgot gamma: what comes after this step must be discounted.")
def double_without_gamma(reward, Q_next, Q_frozen_next, terminated, gamma):
    return reward + ~terminated * chosen_by(Q_next, Q_frozen_next)


@double.mistake("You add the *number* of the chosen action. Look up its worth in `Q_frozen_next`.")
def double_action_as_value(reward, Q_next, Q_frozen_next, terminated, gamma):
    return reward + gamma * ~terminated * Q_next.argmax(-1)


@double.mistake("`[..., choice]` takes every choice in every row. Each row wants its own: `gather`.")
def double_every_choice_in_every_row(reward, Q_next, Q_frozen_next, terminated, gamma):
    return reward + gamma * ~terminated * Q_frozen_next[..., Q_next.argmax(-1)]


@double.mistake("`gather` looks along the wrong axis. The actions are on the last: `gather(-1, choice)`.")
def double_gathers_along_the_first_axis(reward, Q_next, Q_frozen_next, terminated, gamma):
    return reward + gamma * ~terminated * Q_frozen_next.gather(0, Q_next.argmax(-1, keepdim=True)).squeeze(-1)


@double.mistake("`argmax` without an axis is one action for all rows. Each has its own: `argmax(dim=-1)`.")
def double_one_choice_for_all(reward, Q_next, Q_frozen_next, terminated, gamma):
    return reward + gamma * ~terminated * Q_frozen_next.reshape(-1)[Q_next.argmax()]


@double.mistake("`gather` leaves an axis of length 1, and the sum then meets all with all: `squeeze(-1)`.")
def double_keeps_the_axis(reward, Q_next, Q_frozen_next, terminated, gamma):
    return reward + gamma * ~terminated * Q_frozen_next.gather(-1, Q_next.argmax(-1, keepdim=True))


@double.mistake("`squeeze()` takes away *all* axes of length 1, even that of a single transition: `squeeze(-1)`.")
def double_squeezes_all(reward, Q_next, Q_frozen_next, terminated, gamma):
    value = Q_frozen_next.gather(-1, Q_next.argmax(-1, keepdim=True)).squeeze()
    return reward + gamma * torch.where(terminated, 0.0, value)


@double.mistake("You left the reward out: this is only what comes after it.")
def double_without_reward(reward, Q_next, Q_frozen_next, terminated, gamma):
    return gamma * ~terminated * chosen_by(Q_next, Q_frozen_next)


@double.mistake("Your network chooses its *worst* action: `argmin` should be `argmax`.")
def double_chooses_the_worst(reward, Q_next, Q_frozen_next, terminated, gamma):
    return reward + gamma * ~terminated * chosen_by(-Q_next, Q_frozen_next)


@double.mistake("You look ahead only where the episode has ended. The factor is `~terminated`.")
def double_looks_ahead_at_the_end_only(reward, Q_next, Q_frozen_next, terminated, gamma):
    return reward + gamma * terminated * chosen_by(Q_next, Q_frozen_next)


judge_tensors(double)


# -- 7. find the planted bug -------------------------------------------------------------------------------------------

bug = Exercise(
    "dqn.planted_bug",
    title="Find the planted bug",
    name="my_td_error",
    hints=[
        "The network says the same everywhere, the mean of the targets. Which targets does each Q(s, a) meet?",
        "Print `chosen.shape` and `y.shape`, and then `(y - chosen).shape`, for three transitions.",
        "`gather` leaves an axis of length 1 behind, and the difference fills it: [B] minus [B, 1] is [B, B].",
        "`chosen = Q.gather(-1, action.unsqueeze(-1)).squeeze(-1)`",
    ],
    insight="Broadcasting raises no error, and the loss stays at the variance of the targets. Write down the shapes, and check "
    "them: `assert chosen.shape == y.shape`.",
    rtol=1e-5,
    atol=1e-6,
)


@bug.planted
def my_td_error(Q, action, y):
    """Return y - Q(s, a) for each transition.

    Q: float[..., A]; action: int64[...]; y: float[...], the targets
    Returns float[...].
    """
    chosen = Q.gather(-1, action.unsqueeze(-1))
    return y - chosen


@bug.reference
def my_td_error_mended(Q, action, y):
    """Return y - Q(s, a) for each transition.

    Q: float[..., A]; action: int64[...]; y: float[...], the targets
    Returns float[...].
    """
    chosen = Q.gather(-1, action.unsqueeze(-1)).squeeze(-1)
    return y - chosen


@bug.also_right
def error_by_one_hot(Q, action, y):
    return y - (Q * torch.nn.functional.one_hot(action, Q.shape[-1])).sum(dim=-1)


@bug.also_right
def error_with_two_new_axes(Q, action, y):
    return (y.unsqueeze(-1) - Q.take_along_dim(action[..., None], dim=-1))[..., 0]


@bug.cases
def errors_to_compute(rng: np.random.Generator) -> Iterator[Case]:
    tensor = torch.tensor

    def of_network(Q):  # what a network says has a gradient, which should not be lost
        return torch.as_tensor(Q).requires_grad_()

    Q = of_network([[1.0, 4.0], [2.0, 0.0], [6.0, 3.0]])
    why = "Q(s, a) is 4, 2 and 6: 5 - 4 = 1, 1 - 2 = -1 and 8 - 6 = 2, three numbers"
    yield Case("three transitions", (Q, tensor([1, 0, 0]), tensor([5.0, 1.0, 8.0])), why)
    yield Case("a single one", (of_network([[3.0, 7.0]]), tensor([0]), tensor([4.0])), "4 - 3 = 1, in a row of one")
    yield Case("no axis but that of the actions", (of_network([2.0, 5.0]), tensor(1), tensor(7.0)), "7 - 5 = 2")
    two = of_network([[[1.0, 4.0], [2.0, 0.0], [6.0, 3.0]], [[0.0, 9.0], [5.0, 1.0], [8.0, 2.0]]])
    args = (two, tensor([[1, 0, 1], [0, 0, 1]]), tensor([[6.0, 2.0, 1.0], [-1.0, 9.0, 4.0]]))
    why = "first copy: 6 - 4, 2 - 2 and 1 - 3; second: -1 - 0, 9 - 5 and 4 - 2"
    yield Case("two copies, three transitions each", args, why)
    args = (two[:, :1], tensor([[0], [1]]), tensor([[3.0], [4.0]]))
    yield Case("two copies, one transition each", args, "3 - 1 = 2 and 4 - 9 = -5, one for each copy")
    for k in range(1, 3):
        args = (of_network(random_tensor(rng, 4, 3)), torch.tensor(rng.integers(3, size=4)), random_tensor(rng, 4))
        yield Case(f"random transitions {k}", args)


@bug.mistake("The bug is still there: three transitions, nine numbers. Which axis does `gather` leave behind?")
def error_still_a_table(Q, action, y):
    return y - Q.gather(-1, action.unsqueeze(-1))


@bug.mistake("Each number is a mean over all targets now. Meet each Q(s, a) with its own y alone.")
def error_mean_of_the_table(Q, action, y):
    return (y - Q.gather(-1, action.unsqueeze(-1))).mean(-1)


@bug.mistake("It is right up to an axis of length 1. Take it from Q(s, a), instead of giving one to y.")
def error_keeps_the_axis(Q, action, y):
    return y.unsqueeze(-1) - Q.gather(-1, action.unsqueeze(-1))


@bug.mistake("`squeeze()` takes away *all* axes of length 1, even that of a single transition: `squeeze(-1)`.")
def error_squeezes_all(Q, action, y):
    return y - Q.gather(-1, action.unsqueeze(-1)).squeeze()


@bug.mistake("The shape is right now, but the sign has changed: y - Q(s, a) was asked for.")
def error_with_the_other_sign(Q, action, y):
    return of_action(Q, action) - y


@bug.mistake("The shape is right now, but Q(s, a) belongs to the action that was taken, not to the best.")
def error_of_the_best_action(Q, action, y):
    return y - Q.amax(-1)


@bug.mistake("The shape is right now, but this is the square. The error itself was asked for.")
def error_squared(Q, action, y):
    return (y - of_action(Q, action)) ** 2


@bug.mistake("The shape is right now, but the sign is lost: leave out `abs`.")
def error_absolute(Q, action, y):
    return abs(y - of_action(Q, action))


@bug.judge
def an_error_with_a_gradient(case: Case, got: Any) -> str | None:
    """Judge the numbers first, then whether they are a tensor, and whether the network could learn from it."""
    said = right_and_a_tensor(bug, case, got)
    if said is None and not got.requires_grad:
        return (
            "The numbers are right, but no gradient reaches Q any more, so nothing would be learned. Take `detach` or `no_grad` "
            "away from Q(s, a)."
        )
    return said


# -- 8. an empty page --------------------------------------------------------------------------------------------------

blank_page = Exercise(
    "dqn.blank_page",
    title="DQN's update on an empty page",
    name="my_dqn_update",
    hints=[
        "Four steps: y under `no_grad`; Q(s, a) of the actions taken; the loss and its gradient; the weights move against it.",
        "The copies must not share a step: mean over the transitions, then the *sum* over the copies, "
        "`loss = ((y - Q) ** 2).mean(dim=-1)` and `loss.sum().backward()`.",
        "Gradients add up from call to call: `q.zero_grad()` before `backward()`. Then, inside `with torch.no_grad():`, "
        "`w -= lr * w.grad` for each `w` in `q.parameters()`.",
        "`q.zero_grad()`, `loss.sum().backward()`, then `with torch.no_grad():` and `for w in q.parameters(): w -= lr * w.grad`, "
        "and at the end `return loss.detach()`; y and Q as in your `my_loss`",
    ],
    insight="This is all of DQN's learning. What is left is a loop that acts, a memory, and a copy of q now and then.",
    rtol=1e-5,
    atol=1e-6,
    time_limit=20,  # the first use of torch.optim loads much else
    points=2,
)


@blank_page.reference
def my_dqn_update(q, q_frozen, batch, lr):
    """Move the weights of q by one plain gradient step, and return the loss.

    q, q_frozen, batch: as for my_loss, for K copies with B transitions each
    The loss of a copy is the mean of its squared errors (y - Q(s, a))^2, and
    the sum over the copies is differentiated: w becomes w - lr * gradient.
    Changes q in place, and nothing else.
    Returns float[K], the loss of each copy before the step.
    """
    # BEGIN SOLUTION
    with torch.no_grad():
        best = q_frozen(batch.next_obs).max(dim=-1).values
        future = torch.where(batch.terminated, 0.0, best)
        y = batch.reward + batch.discount * future
    Q = q(batch.obs).gather(-1, batch.action.unsqueeze(-1)).squeeze(-1)
    loss = ((y - Q) ** 2).mean(dim=-1)
    q.zero_grad()
    loss.sum().backward()
    with torch.no_grad():
        for w in q.parameters():
            w -= lr * w.grad
    return loss.detach()
    # END SOLUTION


@blank_page.also_right
def update_by_an_optimiser(q, q_frozen, batch, lr):
    optimiser = torch.optim.SGD(q.parameters(), lr)
    loss = my_loss(q, q_frozen, batch).mean(1)
    optimiser.zero_grad()
    loss.sum().backward()
    optimiser.step()
    return loss.detach()


@blank_page.also_right
def update_by_autograd(q, q_frozen, batch, lr):
    loss = my_loss(q, q_frozen, batch).mean(1)
    weights = list(q.parameters())
    for w, gradient in zip(weights, torch.autograd.grad(loss.sum(), weights), strict=True):
        w.data = w.data - lr * gradient
    return loss.detach()


@blank_page.cases
def updates_to_make(rng: np.random.Generator) -> Iterator[Case]:
    q, frozen = q_network([Q_ONE]), q_network([FROZEN_ONE])
    step = transitions([[0]], [[0]], [[2.0]], [[1]], [[False]], [[0.5]])
    why = (
        "y = 2 + 0.5 · 6 = 5 and Q(s, a) = 1: the loss is 16, its gradient -8, and Q(s, a) becomes 1 + 0.25 · 8 = 3. The second "
        "update: loss 4, gradient -4, 3 + 1 = 4"
    )
    yield Case("one transition, updated twice", (q, frozen, step, 0.25), why)
    ended = transitions([[0, 2]], [[0, 1]], [[2.0, 6.0]], [[1, 0]], [[False, True]], [[0.5, 0.5]])
    why = (
        "y = 5 and 6, Q = 1 and 4, the loss (16 + 4)/2 = 10; the mean halves both gradients, -4 and -2: 1 + 2 = 3 and 4 + 1 = 5. "
        "The second update: loss (4 + 1)/2 = 2.5, then 4 and 5.5"
    )
    yield Case("two transitions, one is the last", (q, frozen, ended, 0.5), why)
    batch = transitions(
        [[0, 2], [0, 1]],
        [[0, 1], [0, 0]],
        [[2.0, 6.0], [-1.0, 2.0]],
        [[1, 0], [1, 2]],
        [[False, True], [False, False]],
        [[0.5, 0.5], [0.5, 0.5]],
    )
    why = (
        "the first copy as before, 10. Second: y = -1 + 0.5 · 2 = 0 and 2 + 0.5 · 6 = 5, Q = 2 and 0, the loss 29/2 = 14.5; "
        "2 - 1 = 1 and 0 + 2.5 = 2.5. Each copy moves as if it were alone"
    )
    both = q_network([Q_ONE, Q_TWO]), q_network([FROZEN_ONE, FROZEN_TWO])
    yield Case("two copies, two transitions each", (*both, batch, 0.5), why)
    why = "as alone: 16, and 1 + 0.25 · 8 = 3; second copy: y = -1 + 0.5 · 2 = 0, Q = 2, the loss 4, the gradient 4, 2 - 1 = 1"
    yield Case("two copies, one transition each", (*both, one_each(), 0.25), why)
    why = (
        "y = 1 + 0.5 · 6 = 4 and Q(s, a) = 1 · 1 + 1 · 0 + 1 = 2: the loss is 4, its gradient by Q(s, a) -4, and lr · 4 = 0.5. "
        "The bias becomes 1 + 0.5; the first column of the table, by the hidden row (1, 1), is (1.5, 0.5); the hidden row, by "
        "the column (1, 0), is (1.5, 1)"
    )
    deep = q_network([[[1.0, 0.0], [0.0, -1.0]]], [[[1.0, 1.0], [2.0, 0.0], [0.0, 3.0]]], [[[1.0, 0.0]]])
    one = transitions([[0]], [[0]], [[1.0]], [[1]], [[False]], [[0.5]])
    yield Case("a network with a hidden layer and a bias", (deep, frozen, one, 0.125), why)
    why = (
        "y = 2 + 0.5 · 5 = 4.5 is a mere number: the loss is 3.5² = 12.25, and Q(s, a) becomes 1 + 0.25 · 7 = 2.75. The row of "
        "the next state stays as it is"
    )
    yield Case("q is its own frozen network", (q, q, step, 0.25), why)
    for k in range(1, 3):
        both = q_network(random_tensor(rng, 2, 4, 3)), q_network(random_tensor(rng, 2, 4, 3))
        yield Case(f"random transitions {k}", (*both, random_batch(rng), 0.1))


def weights_of(network):
    """Return the weights of a q_network as they are now: its table, or a dict with that and the others by name."""
    weights = {name: detached(w) for name, w in network.named_parameters()}
    return weights if len(weights) > 1 else weights["table"]


@blank_page.trial
def update_twice(update, q, q_frozen, batch, lr):
    """Return the losses of two updates in a row, as they came, and the weights after each of them."""
    first = copy_of(update(q, q_frozen, batch, lr))
    if first is None:
        return None
    after_one, second = weights_of(q), copy_of(update(q, q_frozen, batch, lr))
    seen = {"loss": first, "weights": after_one, "second loss": second, "weights after two": weights_of(q)}
    return seen if q_frozen is q else {**seen, "weights of q_frozen": weights_of(q_frozen)}


@blank_page.judge
def what_is_wrong_with_an_update(case: Case, got: Any) -> str | None:
    """Say the first thing that is not as it should be."""
    expected = blank_page.outcome(my_dqn_update, fresh(case.args))
    wrong = next((key for key, right in expected.items() if not close(got[key], right, 1e-5, 1e-6)), None)
    K = case.args[2].action.shape[0]
    if wrong is None and not isinstance(got["loss"], torch.Tensor):
        kind = type(got["loss"]).__name__
        return f"The step is right, but the loss comes as {kind}. A later cell stacks the losses: return a tensor, float[{K}]."
    if wrong is None and got["loss"].requires_grad:
        return "The step is right, but the loss still hangs on its graph, and a later cell could not read it: `loss.detach()`."
    if wrong is None:
        return None
    if "loss" in wrong:
        said = difference(got[wrong], expected[wrong], 1e-5, 1e-6)
        which = "" if wrong == "loss" else "After the first update all is right, but then the loss is wrong. "
        return f"{which}{said} For each copy, float[{K}], the mean squared error was asked for."
    if wrong == "weights of q_frozen":
        return "The weights of q are right, but those of q_frozen have changed too. It should stand still."
    before = weights_of(case.args[0])
    if close(got["weights"], before, 0, 0):
        return "The loss is right, but the weights of q have not changed. Are they changed in place?"
    if wrong == "weights" and isinstance(before, dict):
        stood = [name for name, w in before.items() if close(got["weights"][name], w, 0, 0)]
        if stood:
            return (
                f"Only a part of the network moves: {' and '.join(stood)} stayed. Go through all of `q.parameters()`."
            )
    if wrong == "weights":
        return "The loss is right, but q has other weights after the step: w - lr · gradient was asked for."
    return "The first update is right, but not the second. Is something left over from the first, such as a gradient?"


def descend(q, loss, lr):
    """Make the step of an update whose loss is given, a number."""
    weights = list(q.parameters())
    for w, gradient in zip(weights, torch.autograd.grad(loss, weights), strict=True):
        w.data -= lr * gradient


@blank_page.mistake("You go uphill. The weights move *against* the gradient: `w -= lr * w.grad`.")
def update_uphill(q, q_frozen, batch, lr):
    return my_dqn_update(q, q_frozen, batch, -lr)


@blank_page.mistake("The second step still has the first gradient in it: `q.zero_grad()` before `backward()`.")
def update_adds_gradients_up(q, q_frozen, batch, lr):
    loss = my_loss(q, q_frozen, batch).mean(-1)
    loss.sum().backward()
    for w in q.parameters():
        w.data -= lr * w.grad
    return loss


@blank_page.mistake("The step has no `lr`: the weights move by the whole gradient.")
def update_without_lr(q, q_frozen, batch, lr):
    return my_dqn_update(q, q_frozen, batch, 1.0)


@blank_page.mistake(
    "The network has not changed. Is a step made at all? Does `zero_grad` stand between `backward()` and the step, and not "
    "before both? And `w = w - ...` makes a new tensor: in place it is `w -= ...`."
)
def update_that_changes_nothing(q, q_frozen, batch, lr):
    return my_loss(q, q_frozen, batch).mean(-1)


@blank_page.mistake("You add up the transitions, so the step grows with the batch. Take `mean(dim=-1)`.")
def update_sum_over_the_batch(q, q_frozen, batch, lr):
    loss = my_loss(q, q_frozen, batch).sum(-1)
    descend(q, loss.sum(), lr)
    return loss


@blank_page.mistake("You average over the copies too, so each moves less the more there are. Add them up.")
def update_mean_over_the_copies(q, q_frozen, batch, lr):
    return my_dqn_update(q, q_frozen, batch, lr / batch.action.shape[0])


@blank_page.mistake("The step is right, but the loss of *each* copy was asked for, float[K].")
def update_returns_one_number(q, q_frozen, batch, lr):
    return my_dqn_update(q, q_frozen, batch, lr).mean()


@blank_page.mistake("The step is right, but you return the loss after it. Return the one before.")
def update_returns_the_loss_after(q, q_frozen, batch, lr):
    my_dqn_update(q, q_frozen, batch, lr)
    return my_loss(q, q_frozen, batch).mean(-1)


@blank_page.mistake("You copy q into q_frozen at each step: then it is not frozen. That is for the loop outside.")
def update_copies_at_once(q, q_frozen, batch, lr):
    loss = my_dqn_update(q, q_frozen, batch, lr)
    q_frozen.load_state_dict(q.state_dict())
    return loss


@blank_page.mistake("Your loss is right, but the step is half of it: the derivative of a square has a factor 2.")
def update_without_the_factor_2(q, q_frozen, batch, lr):
    return my_dqn_update(q, q_frozen, batch, lr / 2)


@blank_page.mistake("Only the first of the weights move. A `return` inside the loop ends it: put it after the loop.")
def update_of_the_first_weights(q, q_frozen, batch, lr):
    loss = my_loss(q, q_frozen, batch).mean(-1)
    first = next(q.parameters())
    first.data -= lr * torch.autograd.grad(loss.sum(), first)[0]
    return loss


def update_by(loss_of):
    """Return an update with another loss than it should have."""

    def update(q, q_frozen, batch, lr):
        loss = loss_of(q, q_frozen, batch).mean(-1)
        descend(q, loss.sum(), lr)
        return loss

    update.__name__ = loss_of.__name__.replace("loss", "update", 1)
    return update


NOT_IN_AN_UPDATE = {
    loss_without_gradient,
    loss_of_the_frozen_network,
    loss_mean_of_all,
    loss_mean_of_each_copy,
    loss_sum_of_all,
}
for wrong in one_loss.mistakes:  # what goes wrong with a loss goes wrong here as well, and is called by the same name
    if wrong.function not in NOT_IN_AN_UPDATE:
        blank_page.mistake(wrong.sentence)(update_by(wrong.function))


# -- 9. a corridor in which three states look alike ----------------------------------------------------------------------

corridor = Exercise(
    "dqn.corridor",
    title="When states look alike",
    name="my_p",
    value=True,
    rtol=0.0,
    atol=0.006,
    hints=[
        "Let p be the probability of *right*. Write one equation for the value of each of the three states, from the left.",
        "v₁ = -1 + (1 - p) v₁ + p v₂; v₂ = -1 + p v₁ + (1 - p) v₃, as moves are swapped there; v₃ = -1 + (1 - p) v₂.",
        "So v₁ = (2p - 4)/(p (1 - p)). Where is it largest? Plot it, or set its derivative to 0: p² - 4p + 2 = 0.",
        "`my_p = 2 - 2**0.5`, which is 0.586",
    ],
    insight="The best policy is a coin, and not even a fair one. No arg max of any Q can say that; a network whose output is a "
    "probability can, and the next chapters are about such networks.",
)


@corridor.reference
def my_p():
    return 0.5858


@corridor.judge
def what_a_coin_brings(case: Case, got: Any) -> str | None:
    """Judge a probability by itself, and say what another one brings."""
    if not is_finite_number(got):
        return "One number is asked for, the probability of *right*."
    p = float(got)
    if abs(p - my_p()) <= corridor.atol:
        return None
    if not 0 <= p <= 1:
        return "A probability lies between 0 and 1."
    value = f"{(2 * p - 4) / (p * (1 - p)):.2f}" if 0 < p < 1 else "minus infinity"
    if value == "-11.66":
        return (
            f"Very near: p = {p:g} is worth hardly less than the best p, of which the first two decimals are asked for."
        )
    return (
        f"With p = {p:g} the start is worth {value}; the best p makes it -11.66. What makes it large, and what small?"
    )


@corridor.mistake(
    "A fair coin brings -12, which is nearly the best. But *right* is the right move in two of the three states: a little more."
)
def coin_fair():
    return 0.5


@corridor.mistake("Always *right* never arrives: the second state sends you back to the first, for ever.")
def coin_always_right():
    return 1.0


@corridor.mistake("Always *left* never leaves the first state.")
def coin_always_left():
    return 0.0


@corridor.mistake(
    "So acts a greedy agent that likes *right* best, with ε = 0.1: the start is worth -44.2. ε is there for exploring, and far "
    "too small to be the coin that is needed."
)
def coin_greedy_right():
    return 0.95


@corridor.mistake("So acts a greedy agent that likes *left* best, with ε = 0.1: the start is worth -82.1.")
def coin_greedy_left():
    return 0.05


@corridor.mistake("This is the probability of *left*. That of *right* was asked for.")
def coin_for_left():
    return 0.4142


@corridor.mistake(
    "In two of three states *right* is the right move, but they are not visited equally often, nor do mistakes cost the same. "
    "Solve for the value of the start."
)
def coin_two_thirds():
    return 0.6667


@corridor.mistake("This is the other root of p² - 4p + 2 = 0. A probability lies between 0 and 1.")
def coin_other_root():
    return 3.4142


# -- the quiz ------------------------------------------------------------------------------------------------------

quiz = Quiz(
    Question(
        "DQN's network takes the state and has one output for each action. Why not take state and action, with one output?",
        (
            (
                "One pass gives the values of all actions, and the maximum needs all of them.",
                True,
                "With the action among the inputs, each maximum would take as many passes as there are actions.",
            ),
            (
                "Each output then has weights of its own, so that what is learned about one action cannot disturb another.",
                False,
                "All layers but the last are shared: a step for one action moves the others as well.",
            ),
            (
                "A network with a single output cannot represent Q exactly, however many hidden units it has.",
                False,
                "It can represent Q just as well; it is only slower to use.",
            ),
        ),
    ),
    Question(
        "What is the frozen network for?",
        (
            (
                "It is the best network so far, kept in case that learning spoils the present one.",
                False,
                "It is an older copy, no better. Nobody compares the two.",
            ),
            (
                "It explores, while the other network learns from what it finds.",
                False,
                "The network that learns acts as well. The frozen one is only asked for targets.",
            ),
            (
                "It holds the targets still for a while; else each step would move them too.",
                True,
                "With shared weights, a step that raises Q(s, a) often raises Q(s', a') as well, and so the target runs ahead.",
            ),
        ),
    ),
    Question(
        "Which three things, together, can make the values grow without end?",
        (
            (
                "Bootstrapping, approximating, and learning off-policy.",
                True,
                "The deadly triad. Without one of the three, running away can be avoided; with all three there is no guarantee.",
            ),
            (
                "Large rewards, a discount factor near 1, and an epsilon that falls too fast for the size of the problem.",
                False,
                "With a table, a discount below 1 and shrinking steps the values stay bounded, whatever rewards and epsilon.",
            ),
            (
                "Replay, a frozen network, and a maximum in the target.",
                False,
                "The first two are cures, and Q-learning with a table has the maximum and converges.",
            ),
        ),
    ),
    Question(
        "CartPole is cut off after 500 steps, with the pole still up. What is the target of the last transition?",
        (
            (
                "The reward alone, as for every other last step of an episode, because no further reward was seen.",
                False,
                "Then a pole that stands would be worth as little as one that falls. It was cut off, not ended.",
            ),
            (
                "Reward plus discounted maximum: truncated is not terminated.",
                True,
                "The clock is not part of the world. Only where the world itself ends does nothing follow.",
            ),
            (
                "There is none: transitions that were cut off have to be left out of the memory.",
                False,
                "They can be used like any other, as the next observation is known.",
            ),
        ),
    ),
    Question(
        "“On 29 of 49 games DQN reached more than 75 % of the human score.” What does that say?",
        (
            (
                "That DQN played better than the human tester in more than half of the games.",
                False,
                "75 % of the human score is less than the human score, and in some of the 29 it was not beaten.",
            ),
            (
                "That on average, over all 49 games, it reached about three quarters of the human score.",
                False,
                "It is a count of games, no average: one very good game cannot make up for a bad one here.",
            ),
            (
                "That on 20 games it stayed at or below three quarters of it.",
                True,
                "A threshold hides how far below: on Montezuma's Revenge it was at 0 %. Look for the whole list.",
            ),
        ),
    ),
)
