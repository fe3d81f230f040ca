"""DDPG and TD3: an actor that names an action, and a critic that tells it in which direction a better one lies."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from gymnasium.spaces import Box
from torch import Tensor, nn

from rlkit.core.checks import brief, number, real_array
from rlkit.core.types import Batch, TrainResult
from rlkit.envs.worlds import MakeEnv, Worlds
from rlkit.learn.dqn import generator
from rlkit.learn.episodes import Choose, examiner
from rlkit.learn.record import Record
from rlkit.learn.settings import check_copies, check_whole, first_look
from rlkit.nets import Adam, Critic, Critics, DeterministicPolicy, Replay, frozen_copy, soft_update

# -- one function for each equation ----------------------------------------------------------------------------------


def ddpg_target(actor_target: nn.Module, critic_target: nn.Module, batch: Batch) -> Tensor:
    """Return y = r + gamma Q'(s', mu'(s')), and r alone where the episode has terminated: float[K, B], without a gradient.

    Args:
        actor_target: mu', from float[K, B, ...] to actions, float[K, B, D].
        critic_target: Q', from observations and actions to float[K, B].
        batch: the transitions.

    Source: Lillicrap et al. (2016), algorithm 1.
    """
    with torch.no_grad():
        Q_next = critic_target(batch.next_obs, actor_target(batch.next_obs))
        return batch.reward + batch.discount * torch.where(batch.terminated, 0.0, Q_next)


def actor_loss(actor: nn.Module, critic: nn.Module, obs: Tensor) -> Tensor:
    """Return -Q(s, mu(s)), float[K, B]; its gradient by the actor's weights is -dQ/da dmu/dtheta, by the chain rule.

    Args:
        actor: mu, from float[K, B, ...] to actions, float[K, B, D].
        critic: Q, from observations and actions to float[K, B].
        obs: float[K, B, ...].

    Source: Silver et al. (2014), theorem 1; Lillicrap et al. (2016), algorithm 1.
    """
    return -critic(obs, actor(obs))


# -- exploring -------------------------------------------------------------------------------------------------------


class GaussianNoise:
    """Noise that is drawn anew at every step.

    Args:
        std: its standard deviation, as a share of the largest action.
    """

    def __init__(self, std: float = 0.1):
        self.std = number("std", std, 0, math.inf)

    def __call__(self, shape: tuple[int, ...], begins: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Return noise, float[K, E, D].

        Args:
            shape: (K, E, D).
            begins: bool[K, E], where an episode begins.
            rng: where chance comes from.
        """
        return self.std * rng.normal(size=shape)


class OrnsteinUhlenbeck:
    """Noise that drifts: each step it keeps a share of what it was, so that it pushes the same way for a while.

    Its standard deviation in the long run is ``std``; every episode begins without noise.

    Args:
        std: as for :class:`GaussianNoise`.
        rate: the share that is lost in a step, in (0, 1].

    Source: Uhlenbeck and Ornstein (1930); Lillicrap et al. (2016), who take a rate of 0.15.
    """

    def __init__(self, std: float = 0.1, rate: float = 0.15):
        self.std, self.rate = number("std", std, 0, math.inf), number("rate", rate, 0, 1)
        self._noise = np.zeros(())

    def __call__(self, shape: tuple[int, ...], begins: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Return noise, float[K, E, D]; the arguments are those of :class:`GaussianNoise`."""
        if self._noise.shape != shape:
            self._noise = np.zeros(shape)
        kept = 1 - self.rate
        drift = kept * self._noise + self.std * math.sqrt(1 - kept**2) * rng.normal(size=shape)
        self._noise = np.where(begins[..., None], 0.0, drift)
        return self._noise


Noise = Callable[[tuple[int, ...], np.ndarray, np.random.Generator], np.ndarray]

# -- the algorithm ---------------------------------------------------------------------------------------------------


@dataclass
class Agent:
    """All that learns.

    Attributes:
        actor, critic: mu and Q, with K copies.
        actor_target, critic_target: mu' and Q', which follow them slowly.
        actor_optimiser, critic_optimiser: with ``.step(loss)``.
        chance: where random numbers of an update come from.
    """

    actor: DeterministicPolicy
    critic: Any
    actor_target: DeterministicPolicy
    critic_target: Any
    actor_optimiser: Adam
    critic_optimiser: Adam
    chance: torch.Generator


def ddpg_update(agent: Agent, batch: Batch, tau: float = 0.005) -> Tensor:
    """Learn from a minibatch; return the mean of (y - Q(s, a))^2 before it, float[K].

    1. y_i := r_i + gamma Q'(s_{i+1}, mu'(s_{i+1})), or r_i alone where the episode has terminated
    2. the critic: one step down the gradient of the mean of (y_i - Q(s_i, a_i))^2
    3. the actor: one step up the gradient of the mean of Q(s_i, mu(s_i)), which is dQ/da dmu/dtheta
    4. theta' := tau theta + (1 - tau) theta', for Q' and for mu'

    Args:
        agent: what learns; it is changed in place.
        batch: the transitions.
        tau: how far the targets follow.

    Source: Lillicrap et al. (2016), algorithm 1; the lecture, "Deep Deterministic Policy Gradient (DDPG)".
    """
    y = ddpg_target(agent.actor_target, agent.critic_target, batch)  # (1)
    error = ((y - agent.critic(batch.obs, batch.action)) ** 2).mean(dim=-1)
    agent.critic_optimiser.step(error.sum())  # (2)
    agent.actor_optimiser.step(actor_loss(agent.actor, agent.critic, batch.obs).mean(dim=-1).sum())  # (3)
    soft_update(agent.critic_target, agent.critic, tau)  # (4)
    soft_update(agent.actor_target, agent.actor, tau)
    return error.detach()


def td3_update(
    agent: Agent, batch: Batch, tau: float = 0.005, delay: int = 2, smooth: float = 0.2, clip: float = 0.5
) -> Tensor:
    """Learn from a minibatch with TD3's three repairs; return the mean squared error of the critics, float[K].

    1. the target's action: mu'(s_{i+1}) with some noise, that is cut off, so that no narrow peak of Q' is believed
    2. y_i := r_i + gamma times the smaller of Q'_1 and Q'_2
    3. both critics: one step down the gradient of the mean of (y_i - Q_j(s_i, a_i))^2
    4. only every ``delay`` updates: the actor's step, by Q_1, and the targets

    Args:
        agent: what learns; its critic is a :class:`~rlkit.nets.Critics`, and its actor has a ``bound``.
        batch: the transitions.
        tau: how far the targets follow.
        delay: how many updates of the critics there are to one of the actor.
        smooth: the standard deviation of the noise, as a share of the largest action.
        clip: where it is cut off, as a share of the largest action.

    Source: Fujimoto, van Hoof and Meger (2018), algorithm 1.
    """
    with torch.no_grad():
        action, bound = agent.actor_target(batch.next_obs), agent.actor.bound
        noise = smooth * torch.empty_like(action).normal_(generator=agent.chance)
        action = (action + bound * noise.clamp(-clip, clip)).clamp(-bound, bound)  # (1)
        Q_next = agent.critic_target(batch.next_obs, action).min(dim=0).values
        y = batch.reward + batch.discount * torch.where(batch.terminated, 0.0, Q_next)  # (2)
    error = ((y - agent.critic(batch.obs, batch.action)) ** 2).mean(dim=-1).sum(dim=0)
    agent.critic_optimiser.step(error.sum())  # (3)
    if agent.critic_optimiser.t % delay == 0:  # (4)
        agent.actor_optimiser.step(actor_loss(agent.actor, agent.critic.critics[0], batch.obs).mean(dim=-1).sum())
        soft_update(agent.critic_target, agent.critic, tau)
        soft_update(agent.actor_target, agent.actor, tau)
    return error.detach()


def acting(actor: nn.Module) -> Choose:
    """Return the actor as a function from observations [K, E, ...] to actions [K, E, D], without noise."""

    @torch.no_grad()
    def choose(obs: np.ndarray) -> np.ndarray:
        action: np.ndarray = actor(torch.from_numpy(obs).float()).numpy()
        return action

    return choose


def train_ddpg(
    make_env: MakeEnv,
    actor: DeterministicPolicy,
    critic: Critic | Critics,
    *,
    steps: int,
    copies: int = 1,
    worlds: int = 1,
    seed: int = 0,
    gamma: float = 0.98,
    lr: float = 1e-3,
    lr_critic: float = 1e-3,
    batch: int = 128,
    memory: int = 50_000,
    warm_up: int = 1_000,
    tau: float = 0.005,
    noise: Noise | None = None,
    scale: float = 1.0,
    update: Callable[[Agent, Batch, float], Tensor] = ddpg_update,
    test_every: int = 0,
    test_episodes: int = 20,
) -> TrainResult:
    """Learn to name the best action, from a memory.

    1. Q and mu have random weights
    2. the target networks begin with Q' := Q, mu' := mu
    3. the memory is empty
    4. at the beginning of each episode: the noise begins anew; observe s
    5. do forever: a := mu(s) + noise, within the bounds
    6.     execute a; observe r and s'
    7.     remember (s, a, r, s', terminated); s := s', or the start of a new episode
    8.     draw a minibatch of transitions from the memory
    9.     update the critic, the actor and the targets with it

    The first actions, until there are ``warm_up`` steps, are random, each as likely as any other.

    Args:
        make_env: from a number of worlds to a vector environment: see :class:`~rlkit.envs.Worlds`. Its actions are numbers
            between -bound and bound.
        actor: mu, a :class:`~rlkit.nets.DeterministicPolicy` with K copies; it is trained in place.
        critic: Q, with K copies; it is trained in place.
        steps: how many steps each copy makes, over all its worlds.
        copies: how many independent runs, K.
        worlds: how many worlds each copy acts in at once, E; an update follows every E steps.
        seed: of worlds, exploration and draws from the memory.
        gamma: the discount.
        lr, lr_critic: step sizes of Adam, for the actor and for the critic.
        batch: transitions in a minibatch.
        memory: how many steps each copy remembers.
        warm_up: steps before the first update.
        tau: how far the targets follow in each update.
        noise: of line 5, ``(shape, begins, rng)`` to float[K, E, D], as a share of the largest action (default:
            ``GaussianNoise(0.1)``).
        scale: what rewards are multiplied by before anything is learned from them; those that are reported are not.
        update: line 9, ``(agent, minibatch, tau)`` to the critic's mean squared error, float[K].
        test_every: test the actor without noise after every so many steps of each copy (default: never).
        test_episodes: how many episodes a test has, for each copy.

    Returns:
        TrainResult. Interrupting the kernel ends the run; what was learned until then is kept.

    Source: Lillicrap et al. (2016), algorithm 1; the lecture, "Deep Deterministic Policy Gradient (DDPG)".
    """
    params = dict(locals())  # the arguments, before there is anything else
    check_settings(params)
    rng, chance = generator(seed), torch.Generator().manual_seed(seed)
    noise = GaussianNoise() if noise is None else noise
    optimisers = Adam(actor.parameters(), lr), Adam(critic.parameters(), lr_critic)  # (1)
    agent = Agent(actor, critic, frozen_copy(actor), frozen_copy(critic), *optimisers, chance)  # (2)
    replay = Replay(memory, copies, worlds, gamma=gamma)  # (3)
    world = Worlds(make_env, copies, worlds, seed)
    bound = check_networks(actor, critic, world)
    shape, begins = (copies, worlds, *world.actions.shape), np.ones((copies, worlds), bool)
    choose = acting(actor)
    with Record(actor, examiner(choose, make_env, params), test_every) as record:
        for t in record.count(steps, worlds):
            push = bound * noise(shape, begins, rng)  # (4)
            action = choose(world.obs) + push if t > warm_up else rng.uniform(-bound, bound, shape)
            action = action.clip(-bound, bound).astype(np.float32)  # (5)
            step = world.step(action)  # (6)
            replay.add(*step._replace(reward=scale * step.reward))  # (7)
            begins = ~step.real  # the next observation is the first of an episode
            if t >= warm_up and len(replay):
                transitions = replay.sample(batch, rng)  # (8)
                record.note(loss=update(agent, transitions, tau))  # (9)
    return record.result(world.episodes(), params)


def check_settings(params: dict[str, Any]) -> None:
    """Refuse at the door what would fail, or quietly learn nothing, later."""
    low = dict.fromkeys(("steps", "copies", "worlds", "batch", "memory", "warm_up", "test_episodes"), 1)
    check_whole(params, {**low, "seed": 0, "test_every": 0})
    number("gamma", params["gamma"], 0, 1), number("tau", params["tau"], 0, 1)
    for name in ("lr", "lr_critic", "scale"):
        if not float(real_array(name, params[name], ())) > 0:
            raise ValueError(f"{name} is {params[name]}, but a number above 0 was expected")
    made = params["steps"] // params["worlds"] * params["worlds"]  # all worlds step together
    if params["warm_up"] > made:
        raise ValueError(f"warm_up is {params['warm_up']}, but only {made} steps are made: nothing would be learned")
    for name in ("actor", "critic"):
        check_copies(name, params[name], params["copies"])


def check_networks(actor: DeterministicPolicy, critic: Critic | Critics, world: Worlds) -> float:
    """Refuse networks that do not fit the world; return the largest action.

    Raises:
        ValueError: they do not, or the world's actions are no numbers between -bound and bound.
    """
    space = world.actions
    if not isinstance(space, Box) or not np.all(space.high == -space.low) or np.ptp(space.high) > 0:
        raise ValueError(
            f"make_env gives an environment with {brief(space)}, but numbers between -bound and bound were expected"
        )
    bound, expected = float(space.high.flat[0]), (world.copies, world.worlds, *space.shape)
    action = first_look("actor", actor, world)
    shape = tuple(getattr(action, "shape", ()))
    if shape != expected:
        raise ValueError(f"actor gives {shape} for one step of the worlds, but {expected} was expected, [K, E, D]")
    if actor.bound != bound:
        raise ValueError(f"actor.bound is {actor.bound}, but actions go from {-bound} to {bound}")
    Q = tuple(first_look("critic", lambda obs: critic(obs, action), world).shape)
    if Q[-2:] != expected[:2]:
        raise ValueError(f"critic gives {Q} for one step of the worlds, but {expected[:2]} was expected, [K, E]")
    return bound
