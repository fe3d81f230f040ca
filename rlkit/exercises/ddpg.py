"""The exercises of chapter 5 on DDPG: its target, the actor's loss, a soft update, all of it on an empty page, a planted bug."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import numpy as np

from rlkit.core.types import Batch
from rlkit.exercises.cards import literal
from rlkit.exercises.dqn import NO_GRADIENT, detached, random_tensor, torch
from rlkit.exercises.exercise import Case, Exercise
from rlkit.exercises.judging import close, copy_of, difference, fresh
from rlkit.exercises.quizzes import Question, Quiz

# -- networks and agents that can be followed with a pencil --------------------------------------------------------


@cache
def _networks() -> tuple[Any, Any]:
    def weights(numbers: Any) -> Any:
        return torch.nn.Parameter(torch.as_tensor(numbers, dtype=torch.float32))

    def shown(weights: Any) -> str:
        return str(np.round(weights.tolist(), 4).tolist())

    class Actor(torch.nn.Module):
        def __init__(self, table: Any):
            super().__init__()
            self.table = weights(table)

        def forward(self, obs: Any) -> Any:
            return obs @ self.table

        def __repr__(self) -> str:
            return f"small_actor({shown(self.table)})"

    class Critic(torch.nn.Module):
        def __init__(self, value: Any, best: Any):
            super().__init__()
            self.value, self.best = weights(value), weights(best)

        def forward(self, obs: Any, action: Any) -> Any:
            if obs.shape[-1] != self.value.shape[-1]:
                seen = f"obs has {obs.shape[-1]} numbers, but {self.value.shape[-1]} were expected"
                raise ValueError(f"{seen}: a critic is asked with (obs, action), in this order")
            height = (obs @ self.value.unsqueeze(-1)).squeeze(-1)
            return height - (action - obs @ self.best).square().sum(dim=-1)

        def __repr__(self) -> str:
            return f"hill_critic({shown(self.value)}, {shown(self.best)})"

    return Actor, Critic


def small_actor(table: Any) -> Any:
    """Return the smallest deterministic policy there is, K copies of it: mu(s) = obs @ table.

    For an observation with a single 1, at place s, it reads row s.

    Args:
        table: float[K, S, D].
    """
    return _networks()[0](table)


def hill_critic(value: Any, best: Any) -> Any:
    """Return a critic, K copies of it, that sees a hill over the actions: Q(s, a) = value[s] - (a - best[s])^2.

    Of an action of D numbers all D squares are taken away. dQ/da is -2 (a - best[s]), and points to the top.

    Args:
        value: float[K, S], how high the hill is.
        best: float[K, S, D], where its top is.
    """
    return _networks()[1](value, best)


class Descent:
    """Plain gradient descent with a method ``step(loss)``, like :class:`rlkit.nets.Adam`, but so that sizes can be seen."""

    def __init__(self, parameters: Any, lr: float):
        self.parameters, self.lr = list(parameters), lr

    def step(self, loss: Any) -> None:
        """Take one step down the gradient of a loss, one number."""
        gradients = torch.autograd.grad(loss, self.parameters, allow_unused=True)
        if any(gradient is None for gradient in gradients):
            raise RuntimeError(
                "the loss does not depend on the weights that this optimiser moves: the critic's comes from Q(s, a), the actor's "
                "from Q(s, mu(s)), and neither may be detached"
            )
        with torch.no_grad():
            for w, gradient in zip(self.parameters, gradients, strict=True):
                w -= self.lr * gradient


def small_agent(actor: Any, critic: Any, actor_target: Any, critic_target: Any, lr: float) -> Any:
    """Return all that learns in DDPG, with plain gradient descent; the weights of the targets have no gradient.

    Args:
        actor, critic, actor_target, critic_target: networks.
        lr: the step size of both optimisers.
    """
    from rlkit.learn.ddpg import Agent

    for target in (actor_target, critic_target):
        target.requires_grad_(False)
    of_actor: Any = Descent(actor.parameters(), lr)
    of_critic: Any = Descent(critic.parameters(), lr)
    return Agent(actor, critic, actor_target, critic_target, of_actor, of_critic, torch.Generator())


def steps(
    state: list[list[int]],
    action: Any,
    reward: list[list[float]],
    next_state: list[list[int]],
    terminated: list[list[int]],
    discount: list[list[float]],
) -> Batch:
    """Return a batch for K copies among three states, each observed as a row with a single 1; all lists are [K][B].

    The actions are [K][B], single numbers, or [K][B][D].
    """
    rows, action = torch.eye(3), torch.tensor(action)
    return Batch(
        obs=rows[torch.tensor(state)],
        action=action if action.ndim == 3 else action.unsqueeze(-1),
        reward=torch.tensor(reward),
        next_obs=rows[torch.tensor(next_state)],
        terminated=torch.tensor(terminated, dtype=torch.bool),
        discount=torch.tensor(discount),
    )


def random_steps(rng: np.random.Generator) -> Batch:
    """Return a batch for two copies with four transitions each: four features, and actions of two numbers."""
    return Batch(
        obs=random_tensor(rng, 2, 4, 4),
        action=random_tensor(rng, 2, 4, 2),
        reward=random_tensor(rng, 2, 4),
        next_obs=random_tensor(rng, 2, 4, 4),
        terminated=torch.tensor(rng.random((2, 4)) < 0.3),
        discount=torch.tensor(rng.choice([0.9, 0.81], size=(2, 4)), dtype=torch.float32),
    )


def random_networks(rng: np.random.Generator) -> tuple[Any, Any]:
    """Return an actor and a critic for :func:`random_steps`."""
    return small_actor(random_tensor(rng, 2, 4, 2)), hill_critic(random_tensor(rng, 2, 4), random_tensor(rng, 2, 4, 2))


def deep_networks(seed: int) -> tuple[Any, Any]:
    """Return an actor and a critic with a hidden layer each, for :func:`random_steps`."""
    from rlkit.nets import Critic, DeterministicPolicy

    return DeterministicPolicy([4, 8, 2], 2, seed, bound=2.0), Critic([6, 8, 1], 2, seed + 50)


def weights_of(network: Any) -> dict[str, Any]:
    """Return the weights of a network by name, as they are now."""
    return {name: detached(w) for name, w in network.named_parameters()}


def no_gradient_in(network: Any) -> str:
    """Say whether the weights of a network have stayed mere numbers."""
    return "none" if not any(w.requires_grad for w in network.parameters()) else "hangs on the weights"


# -- 1. the target -------------------------------------------------------------------------------------------------

one_target = Exercise(
    "ddpg.target",
    title="DDPG's target",
    name="my_ddpg_target",
    hints=[
        "DQN's target had max over a' of Q'(s', a'). Over all numbers nobody can look up a maximum; the target actor is asked "
        "instead for the action that it thinks best in s'.",
        "Two networks, both asked about s', one after the other: first μ' for the action, then Q' for what that is worth.",
        "`critic_target(batch.next_obs, actor_target(batch.next_obs))`, inside `with torch.no_grad():`; and 0 in place of it "
        "where `batch.terminated` says so.",
        "`with torch.no_grad():` and in it `Q = critic_target(batch.next_obs, actor_target(batch.next_obs))` and `return "
        "batch.reward + batch.discount * torch.where(batch.terminated, 0.0, Q)`",
    ],
    insight="The maximum of DQN has become a network: μ' says which action, Q' what it is worth. So y can be no better than the "
    "actor is, and that is the price for actions that are numbers.",
    rtol=1e-5,
    atol=1e-5,
)


@one_target.reference
def my_ddpg_target(actor_target, critic_target, batch):
    """Return y = r + discount Q'(s', mu'(s')), and r alone after the end.

    actor_target: mu', obs float[K, B, ...] -> action float[K, B, D]
    critic_target: Q', (obs, action) -> float[K, B]
    batch.obs, batch.next_obs: float[K, B, ...], s and s'
    batch.action: float[K, B, D]; batch.reward: float[K, B]
    batch.terminated: bool[K, B]; batch.discount: float[K, B]
    Returns float[K, B], a tensor without a gradient.
    """
    # BEGIN SOLUTION
    with torch.no_grad():
        action = actor_target(batch.next_obs)
        Q = critic_target(batch.next_obs, action)
        return batch.reward + batch.discount * torch.where(batch.terminated, 0.0, Q)
    # END SOLUTION


@one_target.also_right
def target_with_a_mask(actor_target, critic_target, batch):
    Q = critic_target(batch.next_obs, actor_target(batch.next_obs)).detach()
    return batch.reward + ~batch.terminated * batch.discount * Q


@one_target.also_right
def target_by_filling(actor_target, critic_target, batch):
    with torch.no_grad():
        future = batch.discount * critic_target(batch.next_obs, actor_target(batch.next_obs))
    future[batch.terminated] = 0
    return future + batch.reward


@one_target.also_right
def target_by_multiplication(actor_target, critic_target, batch):
    y = batch.reward + batch.discount * (1 - batch.terminated.float()) * critic_target(
        batch.next_obs, actor_target(batch.next_obs)
    )
    return y.detach()


MU_TARGET = [[[1.0], [2.0], [0.0]], [[2.0], [0.0], [1.0]]]  # of two copies, in three states
Q_TARGET = [[4.0, 8.0, 6.0], [2.0, 6.0, 10.0]], [[[0.0], [1.0], [3.0]], [[1.0], [2.0], [0.0]]]


def first_copy(two: tuple[Any, Any]) -> Any:
    """Return the critic of the first copy alone."""
    return hill_critic(two[0][:1], two[1][:1])


@one_target.cases
def targets_to_compute(rng: np.random.Generator) -> Iterator[Case]:
    one, both = small_actor(MU_TARGET[:1]), small_actor(MU_TARGET)
    Q_one, Q_both = first_copy(Q_TARGET), hill_critic(*Q_TARGET)
    why = "in s', the second state, μ' does 2, and Q' says 8 - (2 - 1)² = 7 of it: 2 + 0.5 · 7 = 5.5"
    yield Case("one transition", (one, Q_one, steps([[0]], [[4.0]], [[2.0]], [[1]], [[0]], [[0.5]])), why)
    last = steps([[2]], [[1.0]], [[3.0]], [[0]], [[1]], [[0.5]])
    yield Case("the last transition of an episode", (one, Q_one, last), "nothing comes after the end: 3")
    three = steps(
        [[0, 1, 2], [0, 1, 2]],
        [[4.0, 0.0, 1.0], [1.0, 3.0, 0.0]],
        [[2.0, 0.0, 7.0], [-1.0, 2.0, 4.0]],
        [[1, 2, 0], [1, 2, 0]],
        [[0, 0, 1], [0, 0, 0]],
        [[0.5, 0.25, 0.5], [0.5, 0.5, 0.25]],
    )
    why = (
        "first copy: 5.5 as before; μ' = 0, Q' = 6 - 3² = -3, so 0 + 0.25 · (-3) = -0.75; 7 alone. Second: μ' = 0, 1 and 2, "
        "Q' = 6 - 2² = 2, 10 - 1² = 9 and 2 - 1² = 1, so -1 + 0.5 · 2 = 0, 2 + 0.5 · 9 = 6.5 and 4 + 0.25 · 1 = 4.25"
    )
    yield Case("two copies, three transitions each", (both, Q_both, three), why)
    each = steps([[0], [0]], [[4.0], [1.0]], [[2.0], [-1.0]], [[1], [1]], [[0], [0]], [[0.5], [0.5]])
    yield Case("two copies, one transition each", (both, Q_both, each), "5.5 and 0 as before, as [[5.5], [0]]")
    actor = small_actor([[[1.0, 2.0], [0.0, 0.0], [3.0, 1.0]]])
    critic = hill_critic([[5.0, 8.0, 10.0]], [[[0.0, 0.0], [1.0, 1.0], [1.0, 3.0]]])
    pair = steps([[0]], [[[1.0, 0.0]]], [[1.0]], [[2]], [[0]], [[0.5]])
    why = "in the third state μ' does (3, 1), and Q' is 10 - (3 - 1)² - (1 - 3)² = 2: 1 + 0.5 · 2 = 2"
    yield Case("an action of two numbers", (actor, critic, pair), why)
    for k in range(1, 3):
        yield Case(f"random transitions {k}", (*random_networks(rng), random_steps(rng)))


@one_target.trial
def value_and_whether_it_has_a_gradient(target, actor_target, critic_target, batch):
    """Return y, and whether it is a mere number."""
    y = target(actor_target, critic_target, batch)
    if y is None:
        return None
    return {"y": copy_of(detached(y)), "gradient": "through y" if getattr(y, "requires_grad", False) else "none"}


@one_target.judge
def what_is_wrong_with_a_target(case: Case, got: Any) -> str | None:
    """Judge the numbers first, then whether they are a tensor without a gradient."""
    expected = one_target.outcome(my_ddpg_target, fresh(case.args))
    said = difference(got["y"], expected["y"], 1e-5, 1e-5)
    if said is not None:
        K, B = case.args[2].reward.shape
        return f"{said} For each transition, float[{K}, {B}], y = r + discount Q'(s', μ'(s')) was asked for."
    if not isinstance(got["y"], torch.Tensor):
        return f"The numbers are right, but they come as {type(got['y']).__name__}. A loss is made of them: stay with torch."
    if got["gradient"] != "none":
        return THROUGH_Y
    return None


THROUGH_Y = (
    "The numbers are right, but y still hangs on the weights of the target networks. It is something to aim at, and should "
    "be a mere number: compute it inside `with torch.no_grad():`."
)


def next_value(actor_target, critic_target, batch):
    """Return Q'(s', mu'(s')) without a gradient."""
    with torch.no_grad():
        return critic_target(batch.next_obs, actor_target(batch.next_obs))


def y_of(batch, Q):
    """Return the target where Q is what comes next."""
    return (batch.reward + batch.discount * ~batch.terminated * Q).detach()


@one_target.mistake(
    "The target's action is chosen for `batch.obs`, the state that was left. μ' should say what to do in `batch.next_obs`."
)
def target_action_for_the_old_state(actor_target, critic_target, batch):
    return y_of(batch, critic_target(batch.next_obs, actor_target(batch.obs)))


@one_target.mistake(
    "You take the action of the memory. It was done in s, and long ago; what follows from s' on is by μ', the target actor."
)
def target_of_the_stored_action(actor_target, critic_target, batch):
    return y_of(batch, critic_target(batch.next_obs, batch.action))


@one_target.mistake("μ' is asked about s', but Q' about s. What comes next begins in s': `batch.next_obs` for both.")
def target_judged_in_the_old_state(actor_target, critic_target, batch):
    return y_of(batch, critic_target(batch.obs, actor_target(batch.next_obs)))


@one_target.mistake("Both networks are asked about `batch.obs`, the state that was left. Take `batch.next_obs`.")
def target_of_the_old_state(actor_target, critic_target, batch):
    return y_of(batch, critic_target(batch.obs, actor_target(batch.obs)))


@one_target.mistake(
    "This is Q'(s, a) of the transition itself, and so it leads back to itself. What comes next is Q'(s', μ'(s'))."
)
def target_of_the_transition_itself(actor_target, critic_target, batch):
    return y_of(batch, critic_target(batch.obs, batch.action))


@one_target.mistake("You bootstrap after the end. Where `batch.terminated` says so, y is the reward alone.")
def target_bootstraps_at_the_end(actor_target, critic_target, batch):
    return batch.reward + batch.discount * next_value(actor_target, critic_target, batch)


@one_target.mistake("You forgot the discount: it is `batch.discount`, one for each transition.")
def target_without_discount(actor_target, critic_target, batch):
    return batch.reward + ~batch.terminated * next_value(actor_target, critic_target, batch)


@one_target.mistake("Your discount is always 0.99. Each transition has its own: `batch.discount`.")
def target_with_a_discount_of_its_own(actor_target, critic_target, batch):
    return batch.reward + 0.99 * ~batch.terminated * next_value(actor_target, critic_target, batch)


@one_target.mistake("You discount the reward too. Only what comes after it is multiplied by the discount.")
def target_discounts_the_reward(actor_target, critic_target, batch):
    return batch.discount * (batch.reward + ~batch.terminated * next_value(actor_target, critic_target, batch))


@one_target.mistake("On the last step you drop the reward as well. It was paid: only what follows is missing.")
def target_drops_the_last_reward(actor_target, critic_target, batch):
    return ~batch.terminated * (batch.reward + batch.discount * next_value(actor_target, critic_target, batch))


@one_target.mistake(
    "The mask stands at the wrong place: the last reward is dropped, and what comes after the end is counted. Mask Q', not r."
)
def target_masks_the_reward(actor_target, critic_target, batch):
    return batch.reward * ~batch.terminated + batch.discount * next_value(actor_target, critic_target, batch)


@one_target.mistake("You look ahead only where the episode has ended. The condition is turned around.")
def target_looks_ahead_at_the_end_only(actor_target, critic_target, batch):
    return batch.reward + batch.discount * batch.terminated * next_value(actor_target, critic_target, batch)


@one_target.mistake("If one transition is a last one, you treat all so. Decide for each by itself: `torch.where`.")
def target_one_end_for_all(actor_target, critic_target, batch):
    Q = next_value(actor_target, critic_target, batch)
    return batch.reward + batch.discount * Q * (not batch.terminated.any())


@one_target.mistake("You left the reward out: this is only what comes after it.")
def target_without_reward(actor_target, critic_target, batch):
    return batch.discount * ~batch.terminated * next_value(actor_target, critic_target, batch)


@one_target.mistake("This is the reward alone. What comes after it is missing: discount · Q'(s', μ'(s')).")
def target_reward_alone(actor_target, critic_target, batch):
    return batch.reward.clone()


@one_target.mistake("What comes next is taken away from the reward. It is added.")
def target_with_a_minus(actor_target, critic_target, batch):
    return batch.reward - batch.discount * ~batch.terminated * next_value(actor_target, critic_target, batch)


@one_target.mistake("This is what comes next, Q'(s', μ'(s')), and no target yet: r + discount times it.")
def target_the_next_value(actor_target, critic_target, batch):
    return next_value(actor_target, critic_target, batch)


@one_target.mistake(THROUGH_Y)
def target_with_a_gradient(actor_target, critic_target, batch):
    Q = critic_target(batch.next_obs, actor_target(batch.next_obs))
    return batch.reward + batch.discount * ~batch.terminated * Q


@one_target.mistake(
    "The critic gives float[K, B] already. With one more axis every reward meets every Q': leave out `unsqueeze`."
)
def target_with_an_axis_too_many(actor_target, critic_target, batch):
    Q = next_value(actor_target, critic_target, batch).unsqueeze(-1)
    return batch.reward + batch.discount * torch.where(batch.terminated, 0.0, Q)


@one_target.mistake(
    "`squeeze()` takes away *all* axes of length 1, even that of a single transition. There is none to remove."
)
def target_squeezes_all(actor_target, critic_target, batch):
    return my_ddpg_target(actor_target, critic_target, batch).squeeze()


@one_target.mistake("You return one number, the mean. Leave that to the caller, and return float[K, B].")
def target_mean_of_all(actor_target, critic_target, batch):
    return my_ddpg_target(actor_target, critic_target, batch).mean()


@one_target.mistake("You average over the transitions. Each has a target of its own: float[K, B].")
def target_mean_of_each_copy(actor_target, critic_target, batch):
    return my_ddpg_target(actor_target, critic_target, batch).mean(-1)


@one_target.mistake(
    "You average what comes next over the transitions. Each begins in a state of its own, and has a Q' of its own."
)
def target_mean_of_what_is_next(actor_target, critic_target, batch):
    return y_of(batch, next_value(actor_target, critic_target, batch).mean(-1, keepdim=True))


@one_target.mistake(
    "You cut the action off at 1. How large an action may be is the actor's own affair: take what μ' says as it is."
)
def target_clamps_the_action(actor_target, critic_target, batch):
    return y_of(batch, critic_target(batch.next_obs, actor_target(batch.next_obs).clamp(-1, 1)))


@one_target.mistake(
    "You put a tanh around the action. If the actor has bounds, it has put them there by itself: take what μ' says as it is."
)
def target_squashes_the_action(actor_target, critic_target, batch):
    return y_of(batch, critic_target(batch.next_obs, actor_target(batch.next_obs).tanh()))


# -- 2. the actor's loss -------------------------------------------------------------------------------------------

one_loss = Exercise(
    "ddpg.actor_loss",
    title="The actor's loss",
    name="my_actor_loss",
    hints=[
        "The actor should do what the critic thinks much of. A loss is made smaller, so what is to become large gets a minus.",
        "No action of the memory is needed: ask the actor what it would do in s *now*, and the critic what that is worth.",
        "Hand the action on as it comes. `detach`, `no_grad`, `.item()` or numpy in between would cut the way by which the "
        "gradient reaches the actor.",
        "`return -critic(obs, actor(obs))`",
    ],
    insight="One line. Autograd makes the slide's formula of it, ∇_a Q · ∇_θ μ: the critic says in which direction a better "
    "action lies, and the actor's weights follow.",
    rtol=1e-5,
    atol=1e-5,
)


@one_loss.reference
def my_actor_loss(actor, critic, obs):
    """Return -Q(s, mu(s)), with a gradient by the actor's weights.

    actor: mu, obs float[K, B, ...] -> action float[K, B, D]
    critic: Q, (obs, action) -> float[K, B]
    obs: float[K, B, ...]
    The gradient goes through the action. That it meets the critic's weights
    too does no harm: whoever calls this moves only those of the actor.
    Returns float[K, B], a tensor; actor and critic stay as they are.
    """
    return -critic(obs, actor(obs))


@one_loss.also_right
def loss_by_neg(actor, critic, obs):
    action = actor(obs)
    return critic(obs, action).neg()


@one_loss.also_right
def loss_with_a_frozen_copy(actor, critic, obs):
    frozen = copy.deepcopy(critic)
    for w in frozen.parameters():
        w.requires_grad_(False)
    return 0 - frozen(obs.detach(), actor(obs))


@one_loss.also_right
def loss_with_the_critic_frozen_for_a_while(actor, critic, obs):
    critic.requires_grad_(False)
    loss = -critic(obs, actor(obs))
    critic.requires_grad_(True)
    return loss


MU = [[[1.0], [2.0], [0.0]], [[2.0], [0.0], [1.0]]]
Q = [[7.0, 8.0, 6.0], [2.0, 6.0, 10.0]], [[[3.0], [2.0], [-1.0]], [[1.0], [2.0], [0.0]]]


@one_loss.cases
def losses_to_compute(rng: np.random.Generator) -> Iterator[Case]:
    rows, tensor = torch.eye(3), torch.tensor
    one, both, Q_one, Q_both = small_actor(MU[:1]), small_actor(MU), first_copy(Q), hill_critic(*Q)
    why = (
        "μ does 1, and Q = 7 - (1 - 3)² = 3, so the loss is -3. A larger action is better: dQ/da = -2 (1 - 3) = 4, so the "
        "gradient of the loss by the first row of the actor is -4"
    )
    yield Case("one state", (one, Q_one, rows[tensor([[0]])]), why)
    why = "μ does 2, and there is the top of the hill: the loss is -8, and the gradient 0, for there is nothing to mend"
    yield Case("the action is the best already", (one, Q_one, rows[tensor([[1]])]), why)
    obs = rows[tensor([[0, 1, 2], [0, 1, 2]])]
    why = (
        "first copy: Q = 7 - 4, 8 - 0 and 6 - 1, and 2 (μ - best) = -4, 0 and 2; second: Q = 2 - 1, 6 - 4 and 10 - 1, and "
        "2 (μ - best) = 2, -4 and 2. The loss is -Q"
    )
    yield Case("two copies, three states each", (both, Q_both, obs), why)
    why = "-3 and -2, as [[-3], [-2]], with gradients -4 and -4"
    yield Case("two copies, one state each", (both, Q_both, rows[tensor([[0], [1]])]), why)
    actor = small_actor([[[1.0, 2.0], [0.0, 0.0], [3.0, 1.0]]])
    critic = hill_critic([[9.0, 8.0, 10.0]], [[[3.0, 1.0], [1.0, 1.0], [1.0, 3.0]]])
    why = "μ does (1, 2), and Q = 9 - (1 - 3)² - (2 - 1)² = 4: -4, with the gradient 2 ((1, 2) - (3, 1)) = (-4, 2)"
    yield Case("an action of two numbers", (actor, critic, rows[tensor([[0]])]), why)
    yield Case("random states", (*random_networks(rng), random_tensor(rng, 2, 4, 4)))
    seed, obs = int(rng.integers(1000)), random_tensor(rng, 2, 4, 4)
    call = f"actor, critic = deep_networks({seed})\nobs = {literal(obs, indent=6)}\nmy_actor_loss(actor, critic, obs)"
    yield Case("networks with a hidden layer", (*deep_networks(seed), obs), call=call)


@one_loss.trial
def loss_and_gradient(loss_of, actor, critic, obs):
    """Return the loss, the gradient of its sum by the actor's weights, and what became of the networks."""
    before = [weights_of(network) for network in (actor, critic)]
    # copies are kept for the gradient, so that an answer that writes into obs afterwards is told of that, and not of autograd
    with torch.autograd.graph.saved_tensors_hooks(lambda kept: kept.detach().clone(), lambda kept: kept):
        loss = loss_of(actor, critic, obs)
    if loss is None:
        return None
    watched = dict(actor.named_parameters())
    called = any(w.grad is not None for network in (actor, critic) for w in network.parameters())
    gradients: Any = [None] * len(watched)
    if getattr(loss, "requires_grad", False):
        gradients = torch.autograd.grad(loss.sum(), list(watched.values()), allow_unused=True)
    seen = {name: NO_GRADIENT if g is None else g for name, g in zip(watched, gradients, strict=True)}
    return {
        "loss": copy_of(detached(loss)),
        **{f"gradient by {name}": g for name, g in seen.items()},
        "backward was called": called,
        "the critic can learn": all(w.requires_grad for w in critic.parameters()),
        "networks as they were": close([weights_of(network) for network in (actor, critic)], before, 0, 0),
    }


@one_loss.judge
def what_is_wrong_with_a_loss(case: Case, got: Any) -> str | None:
    """Judge the numbers first, and then where the gradient goes."""
    expected = one_loss.outcome(my_actor_loss, fresh(case.args))
    said = difference(got["loss"], expected["loss"], 1e-5, 1e-5)
    if said is not None:
        K, B = case.args[2].shape[:2]
        return f"{said} For each state, float[{K}, {B}], -Q(s, μ(s)) was asked for."
    if not isinstance(got["loss"], torch.Tensor):
        return f"The numbers are right, but they come as {type(got['loss']).__name__}. Autograd needs a tensor: stay with torch."
    wrong = [name for name, right in expected.items() if not close(got[name], right, 1e-5, 1e-5)]
    if any(name.startswith("gradient") and not hasattr(got[name], "detach") for name in wrong):
        return CUT_OFF
    if any(name.startswith("gradient") for name in wrong):
        return (
            "The numbers are right, but the gradient by the actor's weights is another one: it should come through the "
            "action, and all of it."
        )
    said_of = {
        "backward was called": "The loss is right, but `backward` is called as well. Leave that to the caller.",
        "the critic can learn": FROZEN_FOR_GOOD,
        "networks as they were": "The loss is right, but the weights of a network have moved. Leave that to the caller.",
    }
    return next((said_of[name] for name in wrong), None)


CUT_OFF = (
    "The numbers are right, but no gradient reaches the actor, so it would never learn. Is the action detached, or something "
    "computed under `no_grad`? The gradient comes back through the critic, and then through the action."
)
FROZEN_FOR_GOOD = (
    "The loss is right, but the critic's weights have lost their gradient, and it could never learn again. Leave them: "
    "whoever calls this moves only the actor's."
)


@one_loss.mistake(CUT_OFF)
def loss_of_a_detached_action(actor, critic, obs):
    return -critic(obs, actor(obs).detach())


@one_loss.mistake("The sign is turned around: a step down this loss makes Q *smaller*. It should grow: -Q(s, μ(s)).")
def loss_without_the_minus(actor, critic, obs):
    return critic(obs, actor(obs))


@one_loss.mistake("You return one number, the mean. Leave that to the caller, and return float[K, B].")
def loss_mean_of_all(actor, critic, obs):
    return my_actor_loss(actor, critic, obs).mean()


@one_loss.mistake("You return one number, the sum. Leave that to the caller, and return float[K, B].")
def loss_sum_of_all(actor, critic, obs):
    return my_actor_loss(actor, critic, obs).sum()


@one_loss.mistake("You average over the states. Leave that to the caller, and return float[K, B].")
def loss_mean_of_each_copy(actor, critic, obs):
    return my_actor_loss(actor, critic, obs).mean(-1)


@one_loss.mistake("You add up the states. Leave that to the caller, and return float[K, B].")
def loss_sum_of_each_copy(actor, critic, obs):
    return my_actor_loss(actor, critic, obs).sum(-1)


@one_loss.mistake(
    "You average over the copies, which share nothing. Return float[K, B], one for each state of each copy."
)
def loss_mean_over_the_copies(actor, critic, obs):
    return my_actor_loss(actor, critic, obs).mean(0)


@one_loss.mistake(
    "A step down this loss brings Q to 0, from above as well as from below. It should grow without a goal: -Q(s, μ(s))."
)
def loss_squared(actor, critic, obs):
    return critic(obs, actor(obs)) ** 2


@one_loss.mistake(
    "Its gradient is right: ∇_a Q times μ, the slide's formula as a loss. But its value means nothing, and -Q(s, μ(s)) was "
    "asked for: autograd finds ∇_a Q by itself."
)
def loss_by_the_chain_rule(actor, critic, obs):
    action = actor(obs)
    there = action.detach().requires_grad_()
    (slope,) = torch.autograd.grad(critic(obs, there).sum(), there)
    return -(slope * action).sum(-1)


@one_loss.mistake(
    "Q as a weight of the action is no loss for a policy that is certain. There is no log π here: the gradient comes *through* "
    "the critic, from -Q(s, μ(s))."
)
def loss_weighted_by_q(actor, critic, obs):
    action = actor(obs)
    return -critic(obs, action).detach() * action.sum(-1)


@one_loss.mistake(
    "You cut the action off at 1, and beyond it no gradient comes back. The actor knows its bounds: hand on what it says."
)
def loss_clamps_the_action(actor, critic, obs):
    return -critic(obs, actor(obs).clamp(-1, 1))


@one_loss.mistake(
    "You put a tanh around the action. If the actor has bounds, it has put them there by itself: hand on what it says."
)
def loss_squashes_the_action(actor, critic, obs):
    return -critic(obs, actor(obs).tanh())


@one_loss.mistake(
    "`squeeze()` takes away *all* axes of length 1, even that of a single state. There is none to remove."
)
def loss_squeezes_all(actor, critic, obs):
    return my_actor_loss(actor, critic, obs).squeeze()


@one_loss.mistake("There is an axis too many: the critic gives float[K, B] already.")
def loss_with_an_axis_too_many(actor, critic, obs):
    return my_actor_loss(actor, critic, obs).unsqueeze(-1)


@one_loss.mistake(FROZEN_FOR_GOOD)
def loss_freezes_the_critic(actor, critic, obs):
    critic.requires_grad_(False)
    return -critic(obs, actor(obs))


@one_loss.mistake("This is what the critic thinks of doing nothing, a = 0. Ask it about what the actor does.")
def loss_of_doing_nothing(actor, critic, obs):
    return -critic(obs, 0 * actor(obs))


@one_loss.mistake("You punish large actions as well. That can be wanted, but here -Q(s, μ(s)) alone was asked for.")
def loss_with_a_fine_on_large_actions(actor, critic, obs):
    action = actor(obs)
    return -critic(obs, action) + action.square().mean(-1)


@one_loss.mistake("This is half of it: a matter of taste, but here all of -Q(s, μ(s)) was asked for.")
def loss_halved(actor, critic, obs):
    return my_actor_loss(actor, critic, obs) / 2


# -- 3. the targets follow -----------------------------------------------------------------------------------------

follow = Exercise(
    "ddpg.soft_update",
    title="A target that follows slowly",
    name="my_soft_update",
    hints=[
        "τ is small, such as 0.005: of the new weights a little, of the target's own nearly all.",
        "`w = ...` in a loop gives a name to a new tensor, and the network keeps its old one. What changes a tensor in place: "
        "`w.copy_(...)`, `w += ...`, `w.lerp_(...)`.",
        "Go through the weights of both at once, inside `with torch.no_grad():`, so that no step is remembered: "
        "`for slow, w in zip(target.parameters(), network.parameters()):`",
        "`with torch.no_grad():`, then the loop, and in it `slow.copy_(tau * w + (1 - tau) * slow)`; after it `return target`",
    ],
    insight="Chapter 3's target stood still for a hundred updates, and then jumped. This one moves at each by half a per cent of "
    "what is left, so it lags behind by about 1/τ = 200 updates, and never jumps.",
    rtol=1e-5,
    atol=1e-6,
)


@follow.reference
def my_soft_update(target, network, tau):
    """Move every weight of target: tau w + (1 - tau) w', in place.

    target: the network that follows, with weights w'
    network: the one that learns, with weights w; it stays as it is
    (both are torch modules, with the same weights in the same order)
    tau: float in [0, 1]
    Nothing of it may be remembered for a gradient, and afterwards the two
    must not share a tensor. Returns target, the very same.
    """
    # BEGIN SOLUTION
    fast = dict(network.named_parameters())
    with torch.no_grad():
        for name, slow in target.named_parameters():
            slow.copy_(tau * fast[name] + (1 - tau) * slow)
    return target
    # END SOLUTION


def pairs(target, network):
    """Return the weights of two networks, two by two."""
    return list(zip(target.parameters(), network.parameters(), strict=True))


@follow.also_right
def follow_by_lerp(target, network, tau):
    with torch.no_grad():
        for slow, w in pairs(target, network):
            slow.lerp_(w, tau)
    return target


@follow.also_right
def follow_by_data(target, network, tau):
    for slow, w in pairs(target, network):
        slow.data = tau * w.data + (1.0 - tau) * slow.data
    return target


@follow.also_right
def follow_by_adding(target, network, tau):
    for slow, w in pairs(target, network):
        slow.data.add_(tau * (w.data - slow.data))
    return target


@follow.also_right
def follow_by_state(target, network, tau):
    new, old = network.state_dict(), target.state_dict()
    target.load_state_dict({name: tau * new[name] + (1 - tau) * old[name] for name in old})
    return target


@follow.also_right
def follow_in_two_steps(target, network, tau):
    with torch.no_grad():
        for slow, w in pairs(target, network):
            slow *= 1 - tau
            slow += tau * w
    return target


@follow.cases
def networks_to_follow(rng: np.random.Generator) -> Iterator[Case]:
    def frozen(network: Any) -> Any:
        return network.requires_grad_(False)

    why = "a quarter of the way from 4 to 8, from 0 to 2 and from -2 to 6: 5, 0.5 and 0; then network grows by 1, and again"
    slow, fast = small_actor([[[4.0], [0.0], [-2.0]]]), small_actor([[[8.0], [2.0], [6.0]]])
    yield Case("one table", (frozen(slow), fast, 0.25), why)
    slow, fast = (
        hill_critic([[0.0, 8.0, 4.0]], [[[1.0], [2.0], [4.0]]]),
        hill_critic([[8.0, 0.0, 4.0]], [[[5.0], [-2.0], [0.0]]]),
    )
    why = "an eighth of the way, in both tables: 0 + 1, 8 - 1, 4; and 1 + 0.5, 2 - 0.5, 4 - 0.5"
    yield Case("a network with two tables", (frozen(slow), fast, 0.125), why)
    slow, fast = small_actor([[[4.0], [0.0], [-2.0]]]), small_actor([[[8.0], [2.0], [6.0]]])
    yield Case("a target whose weights could have a gradient", (slow, fast, 0.25), "5, 0.5 and 0, as before")
    why = "all the way: 8, 2 and 6. When network moves on by 1, the target still has 8, 2 and 6"
    yield Case("tau = 1", (frozen(copy.deepcopy(slow)), copy.deepcopy(fast), 1.0), why)
    yield Case("tau = 0", (frozen(copy.deepcopy(slow)), copy.deepcopy(fast), 0.0), "nothing moves: 4, 0 and -2")
    slow, fast = small_actor([[[4.0], [0.0]], [[1.0], [3.0]]]), small_actor([[[8.0], [2.0]], [[1.0], [-1.0]]])
    yield Case("two copies", (frozen(slow), fast, 0.75), "three quarters of the way: 7 and 1.5; 1 and 0")
    first, second = int(rng.integers(1000)), int(rng.integers(1000))
    call = (
        f"target, network = deep_networks({first})[0], deep_networks({second})[0]\nmy_soft_update(target, network, 0.1)"
    )
    args = frozen(deep_networks(first)[0]), deep_networks(second)[0], 0.1
    yield Case("networks with a hidden layer", args, call=call)


@follow.trial
def follow_twice(soft_update, target, network, tau):
    """Return the weights after a step, after the network has moved on by 1, and after another step."""
    could = any(w.requires_grad for w in target.parameters())
    same = soft_update(target, network, tau)
    if same is None:
        return None
    seen = {
        "returned": "target" if same is target else name_of(same, network),
        "target": weights_of(target),
        "network": weights_of(network),
        "network can learn": all(w.requires_grad for w in network.parameters()),
    }
    hangs = any(not w.is_leaf or (w.requires_grad and not could) for w in target.parameters())
    for w in network.parameters():
        w.data += 1
    seen["target, after network moved on"] = weights_of(target)
    soft_update(target, network, tau)
    return {**seen, "target after two": weights_of(target), "gradient": "remembered" if hangs else "none"}


def name_of(value: Any, network: Any) -> str:
    """Say what was returned in place of the target."""
    return "network" if value is network else f"another {type(value).__name__}"


@follow.judge
def what_is_wrong_with_a_step(case: Case, got: Any) -> str | None:
    """Say the first thing that is not as it should be."""
    expected = follow.outcome(my_soft_update, fresh(case.args))
    wrong = next((key for key, right in expected.items() if not close(got[key], right, 1e-5, 1e-6)), None)
    before = weights_of(case.args[0])
    if not close(got["target"], expected["target"], 1e-5, 1e-6):
        if close(got["target"], before, 0, 0) and not close(got["network"], expected["network"], 0, 0):
            return "target has not moved, but network has. It is the other way round: the target follows, and network stays."
        if close(got["target"], before, 0, 0):
            return (
                "The weights of target have not changed. `w = ...` in a loop only gives a name to a new tensor; in place it is "
                "`w.copy_(...)` or `w += ...`."
            )
        stood = [n for n, w in before.items() if close(got["target"][n], w, 0, 0)]
        if stood and len(before) > 1:
            return f"Only a part of target has moved: {' and '.join(stood)} stayed. Go through all of its weights."
        return "target has moved, but to other weights than tau · w + (1 - tau) · w'."
    if wrong is None:
        return None
    if wrong == "returned":
        return f"target has moved as it should, but {got['returned']} was returned. Return target itself."
    return {
        "network": "target has moved as it should, but network has changed as well. It should stay as it is.",
        "network can learn": "target has moved as it should, but the weights of network have lost their gradient: it could never "
        "learn again.",
        "target, after network moved on": SHARED,
        "target after two": "The first step is right, but not the second. Is something left over from the first?",
        "gradient": REMEMBERED,
    }[wrong]


SHARED = (
    "The numbers are right, but target and network now share a tensor: where network goes, target goes too, at once. Copy the "
    "numbers, `w.copy_(...)`, and not the tensor."
)
REMEMBERED = (
    "The numbers are right, but the weights of target now hang on those of network: each step is remembered, for a gradient "
    "that nobody takes, and memory fills up. Put the loop inside `with torch.no_grad():`."
)


@follow.mistake(
    "tau stands on the wrong side: the target is nearly the network itself. Of the *new* weights it takes tau, and tau is small."
)
def follow_with_tau_on_the_wrong_side(target, network, tau):
    return my_soft_update(target, network, 1 - tau)


@follow.mistake("This is a hard copy, whatever tau is: the target jumps. It should go a share tau of the way.")
def follow_by_a_hard_copy(target, network, tau):
    return my_soft_update(target, network, 1.0)


@follow.mistake(
    "The target jumps, whatever tau is, and then shares its tensors with network: where that goes, it goes too. Take tau · w + "
    "(1 - tau) · w', and copy the numbers."
)
def follow_by_sharing(target, network, tau):
    for slow, w in pairs(target, network):
        slow.data = w.data
    return target


@follow.mistake(
    "The weights of target have not changed. Is `w = ...` in your loop? That makes a new tensor, and the network keeps its own; "
    "in place it is `w.copy_(...)`, `w += ...`."
)
def follow_without_a_step(target, network, tau):
    return target


@follow.mistake("You move network towards target. It is the other way round: the target follows, and network stays.")
def follow_the_wrong_way_round(target, network, tau):
    my_soft_update(network, target, tau)
    return target


@follow.mistake("The new weights are right, but network gets them, and target stays. It is target that should change.")
def follow_in_the_network(target, network, tau):
    my_soft_update(network, target, 1 - tau)
    return target


@follow.mistake("You let both move, each towards the other. Only the target follows, and network stays as it is.")
def follow_each_other(target, network, tau):
    old = copy.deepcopy(target)
    my_soft_update(target, network, tau)
    my_soft_update(network, old, tau)
    return target


@follow.mistake("network changes as well: is `*=` used on its weights? Only those of target should move.")
def follow_and_scale_the_network(target, network, tau):
    my_soft_update(target, network, tau)
    for w in network.parameters():
        w.data *= tau
    return target


@follow.mistake("Only the first of the weights move. A `return` inside the loop ends it: put it after the loop.")
def follow_with_the_first_weights(target, network, tau):
    slow, w = pairs(target, network)[0]
    slow.data.lerp_(w.data, tau)
    return target


@follow.mistake("Only the last of the weights move. Is the step outside of the loop? Every tensor has to follow.")
def follow_with_the_last_weights(target, network, tau):
    slow, w = pairs(target, network)[-1]
    slow.data.lerp_(w.data, tau)
    return target


@follow.mistake("You add tau · w to all of the old weights. Of these only the share 1 - tau is kept.")
def follow_without_forgetting(target, network, tau):
    for slow, w in pairs(target, network):
        slow.data += tau * w.data
    return target


@follow.mistake("The old weights are lost: this is tau · w alone. (1 - tau) · w' has to be added.")
def follow_forgetting_all(target, network, tau):
    for slow, w in pairs(target, network):
        slow.data.copy_(tau * w.data)
    return target


@follow.mistake("The target goes *away* from network: the step is tau · (w - w'), not the other way round.")
def follow_away(target, network, tau):
    return my_soft_update(target, network, -tau)


@follow.mistake("You take the mean of the two, whatever tau is. The share of the new weights is tau.")
def follow_half_way(target, network, tau):
    return my_soft_update(target, network, 0.5)


@follow.mistake("Your tau is always 0.005. Take the argument `tau`.")
def follow_with_a_tau_of_its_own(target, network, tau):
    return my_soft_update(target, network, 0.005)


@follow.mistake(
    "Two steps are made in place of one. Does the loop stand in another loop, or is the step written twice?"
)
def follow_two_steps_at_once(target, network, tau):
    return my_soft_update(my_soft_update(target, network, tau), network, tau)


@follow.mistake(REMEMBERED)
def follow_and_remember(target, network, tau):
    for slow, w in pairs(target, network):
        slow += tau * (w - slow)
    return target


@follow.mistake(
    "You return a new network, and target itself has not moved. Whoever holds it, as the agent does, would never notice."
)
def follow_with_a_new_network(target, network, tau):
    return my_soft_update(copy.deepcopy(target), network, tau)


@follow.mistake("The step is right, but network is returned. Return target.")
def follow_and_return_the_network(target, network, tau):
    my_soft_update(target, network, tau)
    return network


@follow.mistake(
    "The step is right, but then the weights of network have no gradient any more, and it could never learn again."
)
def follow_and_freeze_the_network(target, network, tau):
    network.requires_grad_(False)
    return my_soft_update(target, network, tau)


# -- 4. an empty page ----------------------------------------------------------------------------------------------

blank_page = Exercise(
    "ddpg.update",
    title="DDPG's update on an empty page",
    name="my_ddpg_update",
    hints=[
        "Four lines of the slide: y, by the two target networks; the critic's step; the actor's step; both targets follow. You "
        "have written three of them.",
        "The copies must not share a step: mean over the transitions, `.mean(dim=1)`, which leaves float[K], and then the *sum* "
        "over the copies: `agent.critic_optimiser.step(error.sum())`.",
        "Then the actor, by the critic as it is now: `loss = my_actor_loss(agent.actor, agent.critic, batch.obs)` and "
        "`agent.actor_optimiser.step(loss.mean(dim=1).sum())`.",
        "`y = my_ddpg_target(agent.actor_target, agent.critic_target, batch)`, `error = ((y - agent.critic(batch.obs, "
        "batch.action)) ** 2).mean(dim=1)`, the two steps, `my_soft_update(agent.critic_target, agent.critic, tau)` and the same "
        "for the actor, and `return error.detach()`",
    ],
    insight="This is the whole inner loop of Algorithm 1. What is left is to act with noise, to remember, and to draw.",
    rtol=1e-4,
    atol=1e-5,
    time_limit=10,
    points=2,
)


@blank_page.reference
def my_ddpg_update(agent, batch, tau):
    """Make one update of Algorithm 1: critic, actor and both targets.

    agent.actor, agent.critic: mu and Q, for K copies
    agent.actor_target, agent.critic_target: mu' and Q'
    agent.actor_optimiser, agent.critic_optimiser: optimiser.step(loss) makes
    one step down the gradient of a loss, one number; nothing else is needed
    batch: as for my_ddpg_target, B transitions for each copy; tau: float
    In this order: y; a step of the critic on the mean of (y - Q(s, a))^2; a
    step of the actor on the mean of -Q(s, mu(s)), with the new Q; then Q'
    and mu' follow by tau. Losses: means over B, summed over the copies.
    Returns float[K], the mean of (y - Q(s, a))^2 before the critic's step,
    a tensor without a gradient.
    """
    # BEGIN SOLUTION
    with torch.no_grad():
        Q = agent.critic_target(batch.next_obs, agent.actor_target(batch.next_obs))
        y = batch.reward + batch.discount * torch.where(batch.terminated, 0.0, Q)
    error = ((y - agent.critic(batch.obs, batch.action)) ** 2).mean(dim=1)
    agent.critic_optimiser.step(error.sum())
    promised = agent.critic(batch.obs, agent.actor(batch.obs)).mean(dim=1)
    agent.actor_optimiser.step(-promised.sum())
    for target, network in (agent.critic_target, agent.critic), (agent.actor_target, agent.actor):
        fast = network.state_dict()
        for name, slow in target.state_dict().items():
            slow.copy_(tau * fast[name] + (1 - tau) * slow)
    return error.detach()
    # END SOLUTION


def aim(agent, batch):
    """Return y of an agent."""
    return my_ddpg_target(agent.actor_target, agent.critic_target, batch)


def critic_step(agent, batch, y, times=1.0):
    """Move the critic, and return its error before: float[K]."""
    error = ((y - agent.critic(batch.obs, batch.action)) ** 2).mean(-1)
    agent.critic_optimiser.step(times * error.sum())
    return error.detach()


def actor_step(agent, obs, times=1.0):
    """Move the actor."""
    agent.actor_optimiser.step(times * my_actor_loss(agent.actor, agent.critic, obs).mean(-1).sum())


def targets_follow(agent, tau):
    """Move both targets."""
    my_soft_update(agent.critic_target, agent.critic, tau)
    my_soft_update(agent.actor_target, agent.actor, tau)


@blank_page.also_right
def update_by_the_exercises_before(agent, batch, tau):
    error = critic_step(agent, batch, aim(agent, batch))
    actor_step(agent, batch.obs)
    targets_follow(agent, tau)
    return error


@blank_page.also_right
def update_by_the_package(agent, batch, tau):
    from rlkit.learn.ddpg import ddpg_update

    return ddpg_update(agent, batch, tau)


@blank_page.also_right
def update_with_torch_functions(agent, batch, tau):
    y = batch.reward + ~batch.terminated * batch.discount * agent.critic_target(
        batch.next_obs, agent.actor_target(batch.next_obs)
    )
    per_copy = torch.nn.functional.mse_loss(agent.critic(batch.obs, batch.action), y, reduction="none").mean(1)
    agent.critic_optimiser.step(per_copy.sum())
    agent.critic.requires_grad_(False)
    agent.actor_optimiser.step(-agent.critic(batch.obs, agent.actor(batch.obs)).sum() / batch.reward.shape[1])
    agent.critic.requires_grad_(True)
    for slow, w in (*pairs(agent.actor_target, agent.actor), *pairs(agent.critic_target, agent.critic)):
        slow.data.mul_(1 - tau).add_(w.data, alpha=tau)
    return per_copy.detach().clone()


ACTORS = [[[1.0], [0.0], [4.0]], [[2.0], [1.0], [0.0]]]
CRITICS = [[3.0, 1.0, 5.0], [1.0, 4.0, 2.0]], [[[1.0], [1.0], [2.0]], [[1.0], [0.0], [1.0]]]
ACTOR_TARGETS = [[[0.0], [2.0], [1.0]], [[1.0], [1.0], [2.0]]]
CRITIC_TARGETS = [[2.0, 6.0, 4.0], [4.0, 8.0, 0.0]], [[[0.0], [0.0], [1.0]], [[2.0], [3.0], [1.0]]]


def agent_of(copies: int, lr: float) -> Any:
    """Return a small agent that begins with the tables above, of the first copy or of both."""
    value, best = (table[:copies] for table in CRITICS)
    value_target, best_target = (table[:copies] for table in CRITIC_TARGETS)
    return small_agent(
        small_actor(ACTORS[:copies]),
        hill_critic(value, best),
        small_actor(ACTOR_TARGETS[:copies]),
        hill_critic(value_target, best_target),
        lr,
    )


def in_code(agent: Any, batch: Batch, call: str) -> str:
    """Return code that makes an agent and a batch, and then calls."""
    parts = agent.actor, agent.critic, agent.actor_target, agent.critic_target
    made = ",\n    ".join(f"{name}={part!r}" for name, part in zip(NETWORKS, parts, strict=True))
    return f"agent = small_agent(\n    {made},\n    lr={agent.actor_optimiser.lr})\nbatch = {literal(batch, indent=8)}\n{call}"


NETWORKS = ("actor", "critic", "actor_target", "critic_target")


@blank_page.cases
def updates_to_make(rng: np.random.Generator) -> Iterator[Case]:
    def case(label: str, copies: int, batch: Batch, lr: float, tau: float, why: str) -> Case:
        agent = agent_of(copies, lr)
        call = (
            f"my_ddpg_update(agent, batch, {tau})\nagent.critic, agent.actor, agent.critic_target, agent.actor_target"
        )
        return Case(label, (agent, batch, tau), why, in_code(agent, batch, call))

    one = steps([[0]], [[2.0]], [[2.0]], [[1]], [[0]], [[0.5]])
    why = (
        "μ' does 2 in s', and Q' = 6 - 2² = 2, so y = 2 + 0.5 · 2 = 3; Q(s, a) = 3 - 1² = 2: the error is 1. The critic's "
        "step: value[0] = 3 + 0.25 · 2 = 3.5, and best[0] = 1 + 0.25 · 4 = 2. The actor's, by this new critic: dQ/da = "
        "-2 (1 - 2) = 2, and 1 + 0.25 · 2 = 1.5. Then every weight of the targets goes half of the way: value'[0] = (2 + "
        "3.5)/2 = 2.75, best'[0] = 1, μ'(s) = 0.75, and so on. In the second update y = 2 + 0.5 · (3.5 - 0.5²) = 3.625 and "
        "Q(s, a) = 3.5"
    )
    yield case("one transition, updated twice", 1, one, 0.25, 0.5, why)
    two = steps([[0, 2]], [[2.0, 3.0]], [[2.0, 6.0]], [[1, 0]], [[0, 1]], [[0.5, 0.5]])
    why = (
        "y = 3 as before, and 6 alone, as it ended; Q(s, a) = 2 and 5 - 1² = 4: the error is (1 + 4)/2 = 2.5. The mean halves "
        "each gradient: value[0] = 3 + 0.5 · 1, value[2] = 5 + 0.5 · 2, best[0] = 1 + 0.5 · 2 and best[2] = 2 + 0.5 · 4. The "
        "actor: dQ/da = 2 and 0, so 1 + 0.5 · 1 = 1.5, and 4 stays. The targets go a quarter of the way"
    )
    yield case("two transitions, one is the last", 1, two, 0.5, 0.25, why)
    both = steps(
        [[0, 2], [0, 1]],
        [[2.0, 3.0], [0.0, 2.0]],
        [[2.0, 6.0], [-1.0, 2.0]],
        [[1, 0], [1, 2]],
        [[0, 1], [0, 0]],
        [[0.5, 0.5], [0.5, 0.5]],
    )
    why = (
        "the first copy as before, as if it were alone: 2.5. Second: μ' = 1 and 2, Q' = 8 - 2² = 4 and 0 - 1² = -1, y = 1 and "
        "1.5; Q(s, a) = 1 - 1² = 0 and 4 - 2² = 0, the error (1 + 2.25)/2 = 1.625. value[0] = 1 + 0.5 · 1 and value[1] = 4 + "
        "0.5 · 1.5"
    )
    yield case("two copies, two transitions each", 2, both, 0.5, 0.25, why)
    each = steps([[0], [0]], [[2.0], [0.0]], [[2.0], [-1.0]], [[1], [1]], [[0], [0]], [[0.5], [0.25]])
    why = (
        "the first copy as at first, 1; the second: y = -1 + 0.25 · 4 = 0 and Q(s, a) = 0, the error 0, and its critic stays. "
        "Its actor moves all the same: dQ/da = -2 (2 - 1) = -2, and 2 - 0.25 · 2 = 1.5"
    )
    yield case("two copies, one transition each", 2, each, 0.25, 0.5, why)
    batch = random_steps(rng)
    agent = small_agent(*random_networks(rng), *random_networks(rng), 0.05)
    call = "my_ddpg_update(agent, batch, 0.1)\nagent.critic, agent.actor, agent.critic_target, agent.actor_target"
    yield Case("random transitions", (agent, batch, 0.1), call=in_code(agent, batch, call))
    first, second = int(rng.integers(1000)), int(rng.integers(1000))
    agent = small_agent(*deep_networks(first), *deep_networks(second), 0.05)
    call = (
        f"agent = small_agent(*deep_networks({first}), *deep_networks({second}), lr=0.05)\n"
        f"batch = {literal(batch, indent=8)}\nmy_ddpg_update(agent, batch, 0.1)"
    )
    yield Case("networks with a hidden layer", (agent, batch, 0.1), call=call)


@blank_page.trial
def update_twice(update, agent, batch, tau):
    """Return the errors of two updates in a row, as they came, and all weights after each of them."""
    seen: dict[str, Any] = {}
    for when in ("", " after two"):
        error = copy_of(update(agent, batch, tau))
        if error is None:
            return None
        seen[f"error{when}"] = error
        for name in ("critic", "actor", "critic_target", "actor_target"):
            seen[f"{name}{when}"] = weights_of(getattr(agent, name))
    hang = any(no_gradient_in(target) != "none" for target in (agent.critic_target, agent.actor_target))
    return {**seen, "gradient of the targets": "remembered" if hang else "none"}


@blank_page.judge
def what_is_wrong_with_an_update(case: Case, got: Any) -> str | None:
    """Say the first thing that is not as it should be, in the order of the slide."""
    expected = blank_page.outcome(my_ddpg_update, fresh(case.args))
    agent, batch, _ = case.args
    wrong = next((key for key, right in expected.items() if not close(got[key], right, 1e-4, 1e-5)), None)
    K = len(batch.reward)
    if wrong is None and not isinstance(got["error"], torch.Tensor):
        kind = type(got["error"]).__name__
        return f"All steps are right, but the error comes as {kind}. Whoever trains writes it down: return a tensor, float[{K}]."
    if wrong is None and got["error"].requires_grad:
        return "All steps are right, but the error still hangs on its graph: return `error.detach()`."
    if wrong is None:
        return None
    if wrong == "gradient of the targets":
        return REMEMBERED_BY_TARGETS
    part, _, later = wrong.partition(" ")
    if part == "error" and not later:
        said = difference(got[wrong], expected[wrong], 1e-4, 1e-5)
        return f"{said} For each copy, float[{K}], the mean of (y - Q(s, a))² before the critic's step was asked for."
    if later:
        return "The first update is right, but not the second. Is something left over from the first, or left out in the second?"
    before = weights_of(getattr(agent, part))
    stood = close(got[part], before, 0, 0)
    return {
        "critic": "The error is right, but the critic has not moved." * stood
        or "The error is right, but the critic's weights are others than one step on it gives.",
        "actor": "The critic is right, but the actor has not moved." * stood
        or "The critic is right, but the actor's weights are others than a step on the mean of -Q(s, μ(s)) gives, by the critic "
        "as it is *after* its own step.",
        "critic_target": "Critic and actor are right, but Q' has not moved. It follows the critic by tau." * stood
        or "Critic and actor are right, but Q' has other weights than tau · w + (1 - tau) · w', after both steps.",
        "actor_target": "All but μ' is right; it has not moved. It follows the actor by tau." * stood
        or "All but μ' is right. It has other weights than tau · w + (1 - tau) · w', after both steps.",
    }[part]


REMEMBERED_BY_TARGETS = (
    "The numbers are right, but the weights of the targets now hang on those of the networks: each update is remembered, for a "
    "gradient that nobody takes. Let them follow inside `with torch.no_grad():`."
)


@blank_page.mistake(
    "The targets never move. At the end of each update Q' follows the critic, and μ' the actor, by tau."
)
def update_without_the_targets(agent, batch, tau):
    error = critic_step(agent, batch, aim(agent, batch))
    actor_step(agent, batch.obs)
    return error


@blank_page.mistake("Q' follows the critic, but μ' does not follow the actor. There are two targets.")
def update_without_the_target_of_the_actor(agent, batch, tau):
    error = update_without_the_targets(agent, batch, tau)
    my_soft_update(agent.critic_target, agent.critic, tau)
    return error


@blank_page.mistake("μ' follows the actor, but Q' does not follow the critic. There are two targets.")
def update_without_the_target_of_the_critic(agent, batch, tau):
    error = update_without_the_targets(agent, batch, tau)
    my_soft_update(agent.actor_target, agent.actor, tau)
    return error


@blank_page.mistake("The targets move before y is computed. They follow at the end, after both steps.")
def update_moves_the_targets_first(agent, batch, tau):
    targets_follow(agent, tau)
    return update_without_the_targets(agent, batch, tau)


@blank_page.mistake(
    "The targets move after y, but before the two steps, and so follow the old weights. They come last."
)
def update_moves_the_targets_before_the_steps(agent, batch, tau):
    y = aim(agent, batch)
    targets_follow(agent, tau)
    error = critic_step(agent, batch, y)
    actor_step(agent, batch.obs)
    return error


@blank_page.mistake("The targets move between the two steps, so μ' follows the old actor. They come last.")
def update_moves_the_targets_in_between(agent, batch, tau):
    error = critic_step(agent, batch, aim(agent, batch))
    targets_follow(agent, tau)
    actor_step(agent, batch.obs)
    return error


@blank_page.mistake(
    "The actor moves before the critic, so it learns from the old one. On the slide the critic comes first."
)
def update_of_the_actor_first(agent, batch, tau):
    y = aim(agent, batch)
    actor_step(agent, batch.obs)
    error = critic_step(agent, batch, y)
    targets_follow(agent, tau)
    return error


@blank_page.mistake(
    "y comes from the networks that learn, and moves with every step. Take `actor_target` and `critic_target`."
)
def update_with_y_of_the_networks(agent, batch, tau):
    error = critic_step(agent, batch, my_ddpg_target(agent.actor, agent.critic, batch))
    actor_step(agent, batch.obs)
    targets_follow(agent, tau)
    return error


@blank_page.mistake("In y, Q is that of the critic that learns. Both come from the targets: `agent.critic_target`.")
def update_with_y_of_the_critic(agent, batch, tau):
    error = critic_step(agent, batch, my_ddpg_target(agent.actor_target, agent.critic, batch))
    actor_step(agent, batch.obs)
    targets_follow(agent, tau)
    return error


@blank_page.mistake(
    "In y, the action is that of the actor that learns. Both come from the targets: `agent.actor_target`."
)
def update_with_y_of_the_actor(agent, batch, tau):
    error = critic_step(agent, batch, my_ddpg_target(agent.actor, agent.critic_target, batch))
    actor_step(agent, batch.obs)
    targets_follow(agent, tau)
    return error


@blank_page.mistake(
    "Two things in y: it comes from the networks that learn, and a gradient flows through it. Take the targets, under "
    "`torch.no_grad()`."
)
def update_through_y(agent, batch, tau):
    Q = agent.critic(batch.next_obs, agent.actor(batch.next_obs))
    error = critic_step(agent, batch, batch.reward + batch.discount * ~batch.terminated * Q)
    actor_step(agent, batch.obs)
    targets_follow(agent, tau)
    return error


@blank_page.mistake("The actor learns from Q', the critic's target. It should learn from the critic itself.")
def update_of_the_actor_by_the_target(agent, batch, tau):
    error = critic_step(agent, batch, aim(agent, batch))
    agent.actor_optimiser.step(my_actor_loss(agent.actor, agent.critic_target, batch.obs).mean(-1).sum())
    targets_follow(agent, tau)
    return error


@blank_page.mistake("The actor learns what to do in s'. Its step is made with `batch.obs`.")
def update_of_the_actor_in_the_next_state(agent, batch, tau):
    error = critic_step(agent, batch, aim(agent, batch))
    actor_step(agent, batch.next_obs)
    targets_follow(agent, tau)
    return error


@blank_page.mistake("The actor's step makes Q *smaller*. The loss that is stepped down is -Q(s, μ(s)).")
def update_of_the_actor_downhill(agent, batch, tau):
    return stepped(agent, batch, tau, actor=-1.0)


@blank_page.mistake("The critic goes uphill: its error grows. The optimiser steps down by itself, without a minus.")
def update_of_the_critic_uphill(agent, batch, tau):
    return stepped(agent, batch, tau, critic=-1.0)


def stepped(agent, batch, tau, critic=1.0, actor=1.0):
    """Make an update with steps that are larger or smaller than they should be, and return the error."""
    error = critic_step(agent, batch, aim(agent, batch), critic)
    actor_step(agent, batch.obs, actor)
    targets_follow(agent, tau)
    return error


@blank_page.mistake(
    "The critic moves by the actor's loss as well: what it says of μ(s) is raised, whether it is true or not. That step is for "
    "`actor_optimiser` alone."
)
def update_of_the_critic_by_the_actors_loss(agent, batch, tau):
    error = critic_step(agent, batch, aim(agent, batch))
    loss = my_actor_loss(agent.actor, agent.critic, batch.obs).mean(-1).sum()
    weights = list(agent.critic.parameters())
    gradients = torch.autograd.grad(loss, weights, retain_graph=True)
    agent.actor_optimiser.step(loss)
    for w, gradient in zip(weights, gradients, strict=True):
        w.data -= agent.critic_optimiser.lr * gradient
    targets_follow(agent, tau)
    return error


@blank_page.mistake(
    "Both losses average over the copies too, so each copy moves less the more there are (Adam would hide it). Mean over the "
    "transitions, then the sum over the copies."
)
def update_mean_over_the_copies(agent, batch, tau):
    share = 1 / len(batch.reward)
    return stepped(agent, batch, tau, share, share)


@blank_page.mistake(
    "The critic's loss averages over the copies too, so each copy's critic moves less the more there are. Add the copies up."
)
def update_mean_over_the_critics(agent, batch, tau):
    return stepped(agent, batch, tau, critic=1 / len(batch.reward))


@blank_page.mistake(
    "The actor's loss averages over the copies too, so each copy's actor moves less the more there are. Add the copies up."
)
def update_mean_over_the_actors(agent, batch, tau):
    return stepped(agent, batch, tau, actor=1 / len(batch.reward))


@blank_page.mistake(
    "Both steps are made on sums over the transitions, so they grow with the batch. Take the mean over the transitions."
)
def update_sum_over_the_batch(agent, batch, tau):
    B = batch.reward.shape[1]
    return stepped(agent, batch, tau, B, B)


@blank_page.mistake(
    "One mean is taken over copies and transitions, so each copy moves less the more there are (Adam would hide it), and "
    "one number is returned. `mean(dim=1)` leaves float[K]; the optimisers get the *sum* of that."
)
def update_with_one_mean_for_all(agent, batch, tau):
    return update_mean_over_the_copies(agent, batch, tau).mean()


@blank_page.mistake(
    "The errors are added up where their mean was asked for: the critic's step, and what is returned, grow with B."
)
def update_with_a_sum_of_errors(agent, batch, tau):
    return update_of_the_critic_by_a_sum(agent, batch, tau) * batch.reward.shape[1]


@blank_page.mistake("The critic's step is made on a sum over the transitions. Take their mean.")
def update_of_the_critic_by_a_sum(agent, batch, tau):
    return stepped(agent, batch, tau, critic=batch.reward.shape[1])


@blank_page.mistake("The actor's step is made on a sum over the transitions. Take their mean.")
def update_of_the_actor_by_a_sum(agent, batch, tau):
    return stepped(agent, batch, tau, actor=batch.reward.shape[1])


@blank_page.mistake("The critic's step is half of it: is there a factor 1/2 in front of the square?")
def update_of_half_a_square(agent, batch, tau):
    return stepped(agent, batch, tau, critic=0.5)


@blank_page.mistake(
    "The critic's step is half of it, and so is the error that you return: the whole square was asked for, without 1/2."
)
def update_with_half_a_square(agent, batch, tau):
    return stepped(agent, batch, tau, critic=0.5) / 2


@blank_page.mistake("The error and the critic are right, but the actor's step is missing.")
def update_without_the_actor(agent, batch, tau):
    error = critic_step(agent, batch, aim(agent, batch))
    targets_follow(agent, tau)
    return error


@blank_page.mistake("The critic's step is missing. An error is computed, and then nothing follows from it.")
def update_without_the_critic(agent, batch, tau):
    error = ((aim(agent, batch) - agent.critic(batch.obs, batch.action)) ** 2).mean(-1).detach()
    actor_step(agent, batch.obs)
    targets_follow(agent, tau)
    return error


@blank_page.mistake("Nothing moves. The error is right; now the two steps, and the targets.")
def update_that_moves_nothing(agent, batch, tau):
    return ((aim(agent, batch) - agent.critic(batch.obs, batch.action)) ** 2).mean(-1).detach()


@blank_page.mistake(
    "The actor should move at *every* update, and so should the targets. To let them wait for every second one is TD3's."
)
def update_with_a_delay(agent, batch, tau):
    agent.critic_optimiser.made = getattr(agent.critic_optimiser, "made", 0) + 1
    error = critic_step(agent, batch, aim(agent, batch))
    if agent.critic_optimiser.made % 2 == 0:
        actor_step(agent, batch.obs)
        targets_follow(agent, tau)
    return error


@blank_page.mistake(
    "The critic is moved towards r + Q' of what *the actor* would do in s. Its Q(s, a) is of `batch.action`."
)
def update_of_what_the_actor_would_do(agent, batch, tau):
    with torch.no_grad():
        now = agent.actor(batch.obs)
    error = critic_step(agent, batch._replace(action=now), aim(agent, batch))
    actor_step(agent, batch.obs)
    targets_follow(agent, tau)
    return error


@blank_page.mistake("The critic's Q(s, a) is looked up in s'. The action was done in `batch.obs`.")
def update_of_the_next_state(agent, batch, tau):
    error = critic_step(agent, batch._replace(obs=batch.next_obs), aim(agent, batch))
    actor_step(agent, batch.obs)
    targets_follow(agent, tau)
    return error


@blank_page.mistake("The critic learns from the size of the error. Its square was asked for.")
def update_on_the_absolute_error(agent, batch, tau):
    error = (aim(agent, batch) - agent.critic(batch.obs, batch.action)).abs().mean(-1)
    agent.critic_optimiser.step(error.sum())
    actor_step(agent, batch.obs)
    targets_follow(agent, tau)
    return error.detach()


@blank_page.mistake(
    "The mean is squared, and not the errors: too much here hides too little there. Square each, then take the mean."
)
def update_on_the_square_of_the_mean(agent, batch, tau):
    error = (aim(agent, batch) - agent.critic(batch.obs, batch.action)).mean(-1) ** 2
    agent.critic_optimiser.step(error.sum())
    actor_step(agent, batch.obs)
    targets_follow(agent, tau)
    return error.detach()


@blank_page.mistake(
    "tau stands on the wrong side: the targets become nearly the networks themselves. They take tau of the new."
)
def update_with_tau_on_the_wrong_side(agent, batch, tau):
    return my_ddpg_update(agent, batch, 1 - tau)


@blank_page.mistake("The targets are copied whole. They should follow by tau: tau · w + (1 - tau) · w'.")
def update_with_hard_copies(agent, batch, tau):
    return my_ddpg_update(agent, batch, 1.0)


@blank_page.mistake("Your tau is always 0.005. Take the argument `tau`.")
def update_with_a_tau_of_its_own(agent, batch, tau):
    return my_ddpg_update(agent, batch, 0.005)


@blank_page.mistake("The networks follow their targets: the arguments are swapped. The targets are what moves.")
def update_follows_the_wrong_way_round(agent, batch, tau):
    error = update_without_the_targets(agent, batch, tau)
    my_soft_update(agent.critic, agent.critic_target, tau)
    my_soft_update(agent.actor, agent.actor_target, tau)
    return error


@blank_page.mistake(REMEMBERED_BY_TARGETS)
def update_remembers(agent, batch, tau):
    error = update_without_the_targets(agent, batch, tau)
    follow_and_remember(agent.critic_target, agent.critic, tau)
    follow_and_remember(agent.actor_target, agent.actor, tau)
    return error


@blank_page.mistake("All steps are right, but the error of *each* copy was asked for, float[K].")
def update_returns_one_number(agent, batch, tau):
    return my_ddpg_update(agent, batch, tau).mean()


@blank_page.mistake(
    "All steps are right, but you return the sum over the copies. That of *each* copy was asked for, float[K]."
)
def update_returns_the_sum(agent, batch, tau):
    return my_ddpg_update(agent, batch, tau).sum()


@blank_page.mistake(
    "All steps are right, but the error of each *transition* is returned. Its mean was asked for, float[K]."
)
def update_returns_every_error(agent, batch, tau):
    errors = ((aim(agent, batch) - agent.critic(batch.obs, batch.action)) ** 2).detach()
    my_ddpg_update(agent, batch, tau)
    return errors


@blank_page.mistake("All steps are right, but you return the error after the critic's step. Return the one before.")
def update_returns_the_error_after(agent, batch, tau):
    y = aim(agent, batch)
    my_ddpg_update(agent, batch, tau)
    return ((y - agent.critic(batch.obs, batch.action)) ** 2).mean(-1).detach()


@blank_page.mistake("All steps are right, but you return the actor's loss. The critic's error was asked for.")
def update_returns_the_actors_loss(agent, batch, tau):
    error = critic_step(agent, batch, aim(agent, batch))
    loss = my_actor_loss(agent.actor, agent.critic, batch.obs).mean(-1)
    agent.actor_optimiser.step(loss.sum())
    targets_follow(agent, tau)
    return loss.detach() + 0 * error


@blank_page.mistake("All steps are right, but you return the root of the error. The mean of the squares was asked for.")
def update_returns_the_root(agent, batch, tau):
    return my_ddpg_update(agent, batch, tau).sqrt()


def update_by(target: Callable[..., Any]) -> Callable[..., Any]:
    """Return an update with another y than it should have."""

    def update(agent, batch, tau):
        error = critic_step(agent, batch, target(agent.actor_target, agent.critic_target, batch))
        actor_step(agent, batch.obs)
        targets_follow(agent, tau)
        return error

    update.__name__ = target.__name__.replace("target", "update", 1)
    return update


IN_A_TARGET = {
    target_action_for_the_old_state,
    target_of_the_stored_action,
    target_of_the_old_state,
    target_bootstraps_at_the_end,
    target_without_discount,
    target_discounts_the_reward,
    target_drops_the_last_reward,
    target_looks_ahead_at_the_end_only,
    target_one_end_for_all,
    target_reward_alone,
}
for (
    wrong
) in one_target.mistakes:  # what goes wrong with a target goes wrong here as well, and is called by the same name
    if wrong.function in IN_A_TARGET:
        blank_page.mistake(f"The fault is in y. {wrong.sentence}")(update_by(wrong.function))


# -- 5. find the planted bug ---------------------------------------------------------------------------------------

bug = Exercise(
    "ddpg.bug",
    title="Find the planted bug",
    name="my_critic_loss",
    hints=[
        "What question has so easy an answer that the error falls to nothing? Compare what the critic promises with the reward "
        "of one single step.",
        "The critic learns the reward of the next step, and nothing after it. What multiplies the future in y, and when is it 1?",
        "`alive` should be 1 where there *is* a future, and it is 1 where the episode terminated. Then take a pencil, and put "
        "s or s' to each network: y = r + discount Q'(s', μ'(s')).",
        "`alive = 1 - batch.terminated.float()` and `action = agent.actor_target(batch.next_obs)`",
    ],
    insight="The error was hundreds of times smaller because the question had become easy: what does this one step pay? A small "
    "loss says that the critic agrees with its target, and not that the target is right. The second fault no curve shows: on "
    "Pendulum s' looks nearly like s.",
    rtol=1e-5,
    atol=1e-5,
)


@bug.planted
def my_critic_loss(agent, batch):
    """Return (y - Q(s, a))^2 of each transition, as in Algorithm 1.

    agent: its networks are actor, critic, actor_target and critic_target
    batch: obs, action, reward, next_obs, terminated, discount: [K, B, ...]
    y = r + discount Q'(s', mu'(s')), and r alone after the end
    Returns float[K, B], with a gradient by the weights of agent.critic.
    """
    with torch.no_grad():
        alive = batch.terminated.float()
        action = agent.actor_target(batch.obs)
        future = agent.critic_target(batch.next_obs, action)
        y = batch.reward + batch.discount * alive * future
    return (y - agent.critic(batch.obs, batch.action)) ** 2


@bug.reference
def my_critic_loss_mended(agent, batch):
    """Return (y - Q(s, a))^2 of each transition, as in Algorithm 1.

    agent: its networks are actor, critic, actor_target and critic_target
    batch: obs, action, reward, next_obs, terminated, discount: [K, B, ...]
    y = r + discount Q'(s', mu'(s')), and r alone after the end
    Returns float[K, B], with a gradient by the weights of agent.critic.
    """
    with torch.no_grad():
        alive = 1 - batch.terminated.float()
        action = agent.actor_target(batch.next_obs)
        future = agent.critic_target(batch.next_obs, action)
        y = batch.reward + batch.discount * alive * future
    return (y - agent.critic(batch.obs, batch.action)) ** 2


@bug.also_right
def critic_loss_by_the_exercise_before(agent, batch):
    return (agent.critic(batch.obs, batch.action) - aim(agent, batch)).square()


@bug.also_right
def critic_loss_with_where(agent, batch):
    future = agent.critic_target(batch.next_obs, agent.actor_target(batch.next_obs)).detach()
    y = torch.where(batch.terminated, batch.reward, batch.reward + batch.discount * future)
    return torch.nn.functional.mse_loss(agent.critic(batch.obs, batch.action), y, reduction="none")


@bug.cases
def critic_losses_to_compute(rng: np.random.Generator) -> Iterator[Case]:
    def case(label: str, copies: int, batch: Batch, why: str) -> Case:
        agent = agent_of(copies, 0.25)
        return Case(label, (agent, batch), why, in_code(agent, batch, "my_critic_loss(agent, batch)"))

    one = steps([[0]], [[2.0]], [[2.0]], [[1]], [[0]], [[0.5]])
    why = "in s' μ' does 2, and Q' = 6 - 2² = 2, so y = 2 + 0.5 · 2 = 3; Q(s, a) = 3 - 1² = 2: (3 - 2)² = 1"
    yield case("one transition", 1, one, why)
    last = steps([[2]], [[3.0]], [[6.0]], [[0]], [[1]], [[0.5]])
    why = "y = 6 alone, as it ended, and Q(s, a) = 5 - 1² = 4: (6 - 4)² = 4"
    yield case("the last transition of an episode", 1, last, why)
    both = steps(
        [[0, 2, 1], [0, 1, 2]],
        [[2.0, 3.0, 2.0], [0.0, 2.0, 3.0]],
        [[2.0, 6.0, 1.0], [-1.0, 2.0, 4.0]],
        [[1, 0, 2], [1, 2, 0]],
        [[0, 1, 0], [0, 0, 1]],
        [[0.5, 0.5, 0.25], [0.5, 0.5, 0.5]],
    )
    why = (
        "first copy: 1 and 4 as before; μ' = 1, Q' = 4 - 0 = 4, y = 1 + 0.25 · 4 = 2, Q(s, a) = 1 - 1² = 0: 4. Second: y = -1 + "
        "0.5 · 4 = 1, 2 + 0.5 · (-1) = 1.5 and 4 alone; Q(s, a) = 0, 0 and 2 - 2² = -2: 1, 2.25 and 36"
    )
    yield case("two copies, three transitions each", 2, both, why)
    each = steps([[0], [0]], [[2.0], [0.0]], [[2.0], [-1.0]], [[1], [1]], [[0], [0]], [[0.5], [0.5]])
    yield case("two copies, one transition each", 2, each, "1 and 1, as [[1], [1]]")
    batch = random_steps(rng)
    agent = small_agent(*random_networks(rng), *random_networks(rng), 0.05)
    call = in_code(agent, batch, "my_critic_loss(agent, batch)")
    yield Case("random transitions", (agent, batch), call=call)


@bug.trial
def critic_loss_and_gradient(loss_of, agent, batch):
    """Return the loss, and the gradient of its sum by the critic's weights."""
    loss = loss_of(agent, batch)
    if loss is None:
        return None
    watched = dict(agent.critic.named_parameters())
    gradients: Any = [None] * len(watched)
    if getattr(loss, "requires_grad", False):
        gradients = torch.autograd.grad(loss.sum(), list(watched.values()), allow_unused=True)
    seen = {f"gradient by {n}": NO_GRADIENT if g is None else g for n, g in zip(watched, gradients, strict=True)}
    return {"loss": copy_of(detached(loss)), **seen}


@bug.judge
def what_is_wrong_with_a_critic_loss(case: Case, got: Any) -> str | None:
    """Judge the numbers first, and then the gradient."""
    expected = bug.outcome(my_critic_loss_mended, fresh(case.args))
    said = difference(got["loss"], expected["loss"], 1e-5, 1e-5)
    if said is not None:
        K, B = case.args[1].reward.shape
        return f"{said} For each transition, float[{K}, {B}], (y - Q(s, a))² was asked for."
    wrong = [name for name, right in expected.items() if not close(got[name], right, 1e-5, 1e-5)]
    if any(not hasattr(got[name], "detach") for name in wrong):
        return "The numbers are right, but no gradient reaches the critic any more. Only y belongs under `no_grad`."
    if wrong:
        return "The numbers are right, but the gradient is another one: it should flow through Q(s, a), and through nothing else."
    return None


def squares(agent, batch, y):
    """Return (y - Q(s, a))^2."""
    return (y.detach() - agent.critic(batch.obs, batch.action)) ** 2


def with_action_for(agent, batch, obs):
    """Return Q'(s', mu'(obs))."""
    return agent.critic_target(batch.next_obs, agent.actor_target(obs))


@bug.mistake(
    "Nothing is mended yet: of every step that goes on y is the reward alone. What does `alive` say, and of which state is the "
    "action?"
)
def critic_loss_as_planted(agent, batch):
    Q = with_action_for(agent, batch, batch.obs)
    return squares(agent, batch, batch.reward + batch.discount * batch.terminated * Q)


@bug.mistake(
    "`alive` is right now, and the curve would be good again. One fault is left that no curve shows, as on Pendulum s' looks "
    "nearly like s: for which state should μ' choose?"
)
def critic_loss_with_the_old_action(agent, batch):
    return squares(agent, batch, y_of(batch, with_action_for(agent, batch, batch.obs)))


@bug.mistake(
    "The action is for s' now, and that was a fault. But the one that the curve shows is still there: what does `alive` say of "
    "a step that goes on?"
)
def critic_loss_with_alive_turned_around(agent, batch):
    Q = with_action_for(agent, batch, batch.next_obs)
    return squares(agent, batch, batch.reward + batch.discount * batch.terminated * Q)


@bug.mistake(
    "Without the mask the curve would be good again, for on Pendulum nothing ever terminates. In a world that ends it would be "
    "wrong: after the end y is the reward alone."
)
def critic_loss_without_a_mask(agent, batch):
    return squares(agent, batch, batch.reward + batch.discount * with_action_for(agent, batch, batch.next_obs))


@bug.mistake(
    "Without the mask the curve would be good again, for on Pendulum nothing terminates, and s' looks nearly like s. But after "
    "an end y is the reward alone; and for which state should μ' choose?"
)
def critic_loss_without_a_mask_for_the_old_state(agent, batch):
    return squares(agent, batch, batch.reward + batch.discount * with_action_for(agent, batch, batch.obs))


@bug.mistake("The target is right now, but the error has lost its square.")
def critic_loss_not_squared(agent, batch):
    return aim(agent, batch) - agent.critic(batch.obs, batch.action)


@bug.mistake("The target is right now, but one number is left, the mean. Return float[K, B], as before.")
def critic_loss_mean_of_all(agent, batch):
    return squares(agent, batch, aim(agent, batch)).mean()


@bug.mistake("The target is right now, but the transitions are averaged. Return float[K, B], as before.")
def critic_loss_mean_of_each_copy(agent, batch):
    return squares(agent, batch, aim(agent, batch)).mean(-1)


@bug.mistake("The target is right now, but no gradient reaches the critic any more. Only y belongs under `no_grad`.")
def critic_loss_without_gradient(agent, batch):
    return squares(agent, batch, aim(agent, batch)).detach()


@bug.mistake("y comes from the networks that learn now. It was right that it came from the targets.")
def critic_loss_of_the_networks(agent, batch):
    return squares(agent, batch, my_ddpg_target(agent.actor, agent.critic, batch))


@bug.mistake(
    "The action is of the actor that learns now. That it came from `actor_target` was right; only the state was not."
)
def critic_loss_of_the_actor(agent, batch):
    return squares(agent, batch, my_ddpg_target(agent.actor, agent.critic_target, batch))


@bug.mistake("Q' is of the critic that learns now. That it came from `critic_target` was right.")
def critic_loss_of_the_critic(agent, batch):
    return squares(agent, batch, my_ddpg_target(agent.actor_target, agent.critic, batch))


@bug.mistake("`alive` is 0 and -1 now, so the future is taken away. It should be 1 and 0: `1 - ...`.")
def critic_loss_alive_with_a_minus(agent, batch):
    Q = with_action_for(agent, batch, batch.next_obs)
    return squares(agent, batch, batch.reward - batch.discount * batch.terminated * Q)


@bug.mistake("Q(s, a) is of what the actor would do now. It was right that it is of the action of the memory.")
def critic_loss_of_what_the_actor_would_do(agent, batch):
    return squares(agent, batch._replace(action=agent.actor(batch.obs).detach()), aim(agent, batch))


def critic_loss_by(target: Callable[..., Any]) -> Callable[..., Any]:
    """Return a critic's loss with another y than it should have."""

    def loss(agent, batch):
        return squares(agent, batch, target(agent.actor_target, agent.critic_target, batch))

    loss.__name__ = target.__name__.replace("target", "critic_loss", 1)
    return loss


ALSO_WHEN_MENDING = IN_A_TARGET - {  # these three have sentences of their own here
    target_action_for_the_old_state,
    target_bootstraps_at_the_end,
    target_looks_ahead_at_the_end_only,
}
for wrong in one_target.mistakes:
    if wrong.function in ALSO_WHEN_MENDING:
        bug.mistake(f"Another fault has come in. {wrong.sentence}")(critic_loss_by(wrong.function))

quiz = Quiz(
    Question(
        "DDPG's critic is exactly right about Q(s, a) at the action that the actor names, and flat around it. What does the "
        "actor learn?",
        (
            (
                "That its action is right: the critic agrees with it.",
                False,
                "The critic may say that the action is worth very little. What it does not say is which way to go.",
            ),
            (
                "Nothing: it is taught by the slope, and there is none.",
                True,
                "The actor's gradient is ∇a Q times ∇θ μ. A critic that has only ever seen one action in a state cannot know "
                "the slope there, which is why the actions are made noisy.",
            ),
            (
                "The same as with any other critic of that value: what counts is Q(s, μ(s)).",
                False,
                "The loss is −Q(s, μ(s)), but its *gradient* asks how Q changes with the action.",
            ),
        ),
    ),
    Question(
        "CartPole, two buttons, and a memory full of steps that older policies took. Which of DQN, A2C and DDPG can "
        "learn from it as they are?",
        (
            (
                "DQN and DDPG: both are off-policy, and the memory is where they learn from anyway.",
                False,
                "DDPG may use the memory, but not the buttons: its actor climbs the slope of Q(s, a) along a, and "
                "between two buttons there is none.",
            ),
            (
                "All three: A2C only has to compute log π(a|s) anew, with its present weights.",
                False,
                "The gradient is a mean over what the *present* policy does. Old actions come too often or too "
                "rarely, and their advantages are those of another policy.",
            ),
            (
                "Only DQN.",
                True,
                "A2C needs steps of its own policy. DDPG needs actions that are numbers. DQN's target asks for the "
                "best next action, whoever acted: off-policy, and a list of actions is just what it wants.",
            ),
        ),
    ),
    Question(
        "A swing-up never ends, pays at best 0 and at worst -16 a step, and is cut off after 200 steps. A learner "
        "takes the cut for an end. What does its critic learn?",
        (
            (
                "Values that are too high, near 0: any state may be the last one, after which nothing is to be paid.",
                True,
                "The state does not show the clock. Some of the steps say “here it ended”, so to be cut off looks "
                "like a rescue, and everywhere a little of it is believed.",
            ),
            (
                "Nothing wrong: one step in 200 is too few to matter for a mean.",
                False,
                "Its error is not that of one reward, but of the whole future, tens of steps' worth; and "
                "bootstrapping hands it on to all states before.",
            ),
            (
                "Values that are too low, because the episode ended before the pole stood.",
                False,
                "To end is *good* where every step costs. With rewards above 0, as in CartPole, the values would "
                "indeed be too low.",
            ),
        ),
    ),
    Question(
        "With τ = 1 the target networks are the networks themselves. What happened to DDPG then, and why?",
        (
            (
                "It learned faster, because the targets were no longer out of date.",
                False,
                "On the pendulum it learned nothing at all.",
            ),
            (
                "It learned nothing: the actor climbs the critic, and the critic learns what it says itself at the top.",
                True,
                "Each error upwards is found by the actor, enters the target, and is learned. A target that follows slowly "
                "breaks the circle long enough for rewards to be heard.",
            ),
            (
                "Little: that is DQN without a frozen network, which survives on small tasks.",
                False,
                "DQN does. But its maximum is over a list; DDPG's actor searches everywhere, with a gradient, for places "
                "where the critic errs upwards.",
            ),
        ),
    ),
    Question(
        "Why do DDPG's critics tend to say too much, and what does TD3's smaller of two critics do about it?",
        (
            (
                "The target network lags behind. The smaller of two is nearer to the older one, and so more stable.",
                False,
                "Lagging makes values late, and not too large. Both of TD3's critics have target networks that lag "
                "alike.",
            ),
            (
                "The actor looks for actions where the critic errs upwards. Two critics seldom err upwards in the "
                "same place.",
                True,
                "To climb a noisy mountain is to be drawn to its errors, as with the maximum of chapter 2. The "
                "smaller of two may say too little, but nobody is drawn there.",
            ),
            (
                "Exploration noise makes actions look better than they are. With two critics the noise is averaged.",
                False,
                "Noise in actions is for trying things, and the target has none of it in DDPG. And the smaller of "
                "two is no average.",
            ),
        ),
    ),
)
