"""Deep Q-networks: Q-learning with a network, a memory to replay from, and a target that stands still for a while."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from rlkit.core.checks import brief, number, real_array
from rlkit.core.schedules import linear_schedule
from rlkit.core.types import Batch, TrainResult
from rlkit.envs.worlds import MakeEnv, Worlds
from rlkit.learn.episodes import play as episodes_of
from rlkit.learn.record import Record
from rlkit.learn.settings import check_copies, check_whole
from rlkit.nets import Adam, Replay, frozen_copy

# -- one function for each equation ----------------------------------------------------------------------------------


def dqn_target(reward: Tensor, Q_next: Tensor, terminated: Tensor, gamma: Any) -> Tensor:
    """Return r + gamma max_a' Q(s', a'), and r alone where the episode ended.

    Args:
        reward: float[...].
        Q_next: float[..., A], what the frozen network says of the next state.
        terminated: bool[...].
        gamma: a number, or float[...] where the transitions span several steps.

    Source: Mnih et al. (2015), algorithm 1.
    """
    return reward + gamma * torch.where(terminated, 0.0, Q_next.max(dim=-1).values)


def double_dqn_target(reward: Tensor, Q_next: Tensor, Q_frozen_next: Tensor, terminated: Tensor, gamma: Any) -> Tensor:
    """Return r + gamma Q_frozen(s', argmax_a' Q(s', a')): one network chooses, the other one says what it is worth.

    Args:
        reward, terminated, gamma: as for :func:`dqn_target`.
        Q_next: float[..., A], what the network that learns says of the next state.
        Q_frozen_next: float[..., A], what the frozen network says of it.

    Source: van Hasselt, Guez and Silver (2016).
    """
    best = Q_next.argmax(dim=-1, keepdim=True)
    return reward + gamma * torch.where(terminated, 0.0, Q_frozen_next.gather(-1, best).squeeze(-1))


def dqn_loss(q: nn.Module, q_frozen: nn.Module, batch: Batch) -> Tensor:
    """Return (y - Q(s, a))^2 of every transition, float[K, B].

    No gradient flows through the target y.

    Args:
        q: the network that learns: float[K, B, ...] to float[K, B, A].
        q_frozen: the network that the target is computed with.
        batch: the transitions.
    """
    Q = q(batch.obs).gather(-1, batch.action.unsqueeze(-1)).squeeze(-1)
    with torch.no_grad():
        Q_next = q_frozen(batch.next_obs)
        y = dqn_target(batch.reward, Q_next, batch.terminated, batch.discount)
    return (y - Q) ** 2


def double_dqn_loss(q: nn.Module, q_frozen: nn.Module, batch: Batch) -> Tensor:
    """Return (y - Q(s, a))^2 of every transition, with the target of double DQN.

    Args:
        q, q_frozen, batch: as for :func:`dqn_loss`.
    """
    Q = q(batch.obs).gather(-1, batch.action.unsqueeze(-1)).squeeze(-1)
    with torch.no_grad():
        Q_next, worth = q(batch.next_obs), q_frozen(batch.next_obs)
        y = double_dqn_target(batch.reward, Q_next, worth, batch.terminated, batch.discount)
    return (y - Q) ** 2


# -- acting ----------------------------------------------------------------------------------------------------------


@torch.no_grad()
def act(q: nn.Module, obs: np.ndarray, epsilon: float, rng: np.random.Generator) -> np.ndarray:
    """Return an action for every world, int[K, E]: with probability epsilon any, else one with the largest Q.

    Args:
        q: the network.
        obs: [K, E, ...].
        epsilon: in [0, 1].
        rng: where chance comes from.
    """
    Q = q(torch.from_numpy(obs).float())
    explore = rng.random(obs.shape[:2]) < epsilon
    return np.where(explore, rng.integers(Q.shape[-1], size=obs.shape[:2]), Q.argmax(dim=-1).numpy())


def play(
    q: nn.Module,
    make_env: MakeEnv,
    *,
    copies: int,
    episodes: int = 100,
    epsilon: float = 0.0,
    gamma: float = 1.0,
    seed: int = 0,
    limit: int = 20_000,
) -> dict[str, np.ndarray]:
    """Play whole episodes, the first one of each of so many fresh worlds.

    Args:
        q: the network, with K copies.
        make_env: from a number of worlds to a vector environment.
        copies: how many, K.
        episodes: how many for each copy.
        epsilon: how often an action is random.
        gamma: the discount of "discounted".
        seed: of the worlds and of the random actions.
        limit: after so many steps an episode counts as it stands; a greedy policy may go round in circles for ever.

    Returns:
        float[K, episodes] each: "return", the sum of the rewards; "discounted", their discounted sum; "promise", what the
        network said of it at the start, max_a Q(s, a).
    """
    rng = generator(seed)
    played = episodes_of(
        lambda obs: act(q, obs, epsilon, rng),
        make_env,
        copies=copies,
        episodes=episodes,
        gamma=gamma,
        seed=seed,
        limit=limit,
    )
    with torch.no_grad():
        promise = q(torch.from_numpy(played["first"]).float()).max(dim=-1).values.numpy()
    return {"return": played["return"], "discounted": played["discounted"], "promise": promise}


# -- the algorithm ---------------------------------------------------------------------------------------------------


def train_dqn(
    make_env: MakeEnv,
    network: nn.Module,
    *,
    steps: int,
    copies: int = 1,
    worlds: int = 8,
    seed: int = 0,
    gamma: float = 0.99,
    lr: float = 1e-3,
    batch: int = 64,
    memory: int = 50_000,
    warm_up: int = 1_000,
    freeze: int = 100,
    epsilon: tuple[float, float, float] = (1.0, 0.05, 10_000),
    n_step: int = 1,
    loss: Callable[[nn.Module, nn.Module, Batch], Tensor] = dqn_loss,
    test_every: int = 0,
    test_episodes: int = 20,
) -> TrainResult:
    """Learn Q* with a network.

    1. Q has random weights w; the frozen network begins with w' := w; the memory is empty
    2. observe s
    3. do forever:
    4.     with probability epsilon a random action a, else argmax_a Q_w(s, a); execute it
    5.     receive r, observe s'; remember (s, a, r, s', terminated); s := s', or the start of a new episode
    6.     draw a minibatch of transitions from the memory
    7.     y := r + gamma max_a' Q_w'(s', a'), or r alone where the episode ended
    8.     one step of gradient descent on (y - Q_w(s, a))^2
    9.     every C updates: w' := w

    Args:
        make_env: from a number of worlds to a vector environment: see :class:`~rlkit.envs.Worlds`.
        network: Q, with K copies; it is trained in place.
        steps: how many steps each copy makes, over all its worlds.
        copies: how many independent runs, K.
        worlds: how many worlds each copy acts in at once, E; an update follows every E steps.
        seed: of worlds, exploration and draws from the memory.
        gamma: the discount.
        lr: step size of Adam.
        batch: transitions in a minibatch.
        memory: how many steps each copy remembers.
        warm_up: steps before the first update.
        freeze: C, how many updates the frozen network stands still.
        epsilon: (start, end, over how many steps of each copy).
        n_step: how many steps of real reward a target holds.
        loss: lines 7 and 8, ``(q, q_frozen, batch)`` to float[K, B].
        test_every: test the greedy policy after every so many steps of each copy (default: never).
        test_episodes: how many episodes a test has, for each copy.

    Returns:
        TrainResult. Interrupting the kernel ends the run; what was learned until then is kept.

    Source: Mnih et al. (2015), algorithm 1; the lecture, "Deep Q-Learning".
    """
    params = dict(locals())  # the arguments, before there is anything else
    check_settings(params)
    rng = generator(seed)
    q, q_frozen = network, frozen_copy(network)  # (1)
    optimiser = Adam(q.parameters(), lr)
    replay = Replay(memory, copies, worlds, n_step=n_step, gamma=gamma)
    world = Worlds(make_env, copies, worlds, seed)  # (2)
    check_outputs(q, world)
    with Record(q, tests(q, make_env, params), test_every) as record:
        for t in record.count(steps, worlds):  # (3)
            now = linear_schedule(t, *epsilon)
            step = world.step(act(q, world.obs, now, rng))  # (4)
            replay.add(*step)  # (5)
            if t >= warm_up and len(replay):
                transitions = replay.sample(batch, rng)  # (6)
                error = loss(q, q_frozen, transitions).mean(dim=1)  # (7)
                optimiser.step(error.sum())  # (8)
                record.note(loss=error)
                if optimiser.t % freeze == 0:  # (9)
                    q_frozen.load_state_dict(q.state_dict())
    return record.result(world.episodes(), params)


def tests(q: nn.Module, make_env: MakeEnv, params: dict[str, Any]) -> Callable[[int], dict[str, np.ndarray]]:
    """Return a test of the greedy policy: its means over episodes, float[K], in worlds that it has not met."""

    def test(t: int) -> dict[str, np.ndarray]:
        seed = 1_000_003 * (params["seed"] + 1) + t
        copies, episodes, gamma = params["copies"], params["test_episodes"], params["gamma"]
        found = play(q, make_env, copies=copies, episodes=episodes, gamma=gamma, seed=seed)
        return {name: values.mean(axis=1) for name, values in found.items()}

    return test


def generator(seed: int) -> np.random.Generator:
    """Return the learner's own source of chance: worlds draw from ``default_rng(seed)``, and must not share its numbers."""
    return np.random.default_rng([seed, 1])


def check_settings(params: dict[str, Any]) -> None:
    """Refuse at the door what would fail, or quietly learn nothing, later."""
    low = dict.fromkeys(("steps", "copies", "worlds", "batch", "warm_up", "freeze", "n_step", "test_episodes"), 1)
    check_whole(params, {**low, "seed": 0, "test_every": 0})
    number("gamma", params["gamma"], 0, 1)
    made = params["steps"] // params["worlds"] * params["worlds"]  # all worlds step together
    if params["warm_up"] > made:
        raise ValueError(f"warm_up is {params['warm_up']}, but only {made} steps are made: nothing would be learned")
    if np.shape(params["epsilon"]) != (3,):
        raise ValueError(f"epsilon is {params['epsilon']}, but (start, end, over how many steps) was expected")
    start, end, over = real_array("epsilon", params["epsilon"], (3,))
    number("epsilon[0]", start, 0, 1), number("epsilon[1]", end, 0, 1)
    linear_schedule(0, start, end, over)
    if params["n_step"] * params["worlds"] > made:
        raise ValueError(f"n_step is {params['n_step']}, but each world makes only {made // params['worlds']} steps")
    check_copies("network", params["network"], params["copies"])


def check_outputs(q: nn.Module, world: Worlds) -> None:
    """Refuse a network that does not fit the world: with too few outputs, some actions would silently never be taken."""
    if not world.n_actions:
        raise ValueError(
            f"make_env gives an environment with {brief(world.actions)}, but Discrete actions were expected"
        )
    obs = torch.from_numpy(world.obs).float()
    try:
        with torch.no_grad():
            shape = tuple(q(obs).shape)
    except RuntimeError as error:
        reason = str(error).splitlines()[0]
        raise ValueError(
            f"network does not take observations of shape {tuple(obs.shape)}, [K, E, ...]: {reason}"
        ) from error
    expected = (world.copies, world.worlds, world.n_actions)
    if shape != expected:
        raise ValueError(f"network gives {shape} for one step of the worlds, but {expected} was expected, [K, E, A]")
