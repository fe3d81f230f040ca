"""A2C: an actor that learns from what a critic says of every step, and a critic that learns from what came of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from rlkit.core.checks import number, real_array
from rlkit.core.returns import gae
from rlkit.core.types import TrainResult
from rlkit.envs.worlds import MakeEnv, Step, Worlds
from rlkit.learn.episodes import examiner, run_steps
from rlkit.learn.record import Record
from rlkit.learn.reinforce import acting, mean_over, standardise
from rlkit.learn.settings import check_copies, check_policy, check_value, check_whole
from rlkit.nets import Adam

Advantages = Callable[..., np.ndarray]


class Rollout(NamedTuple):
    """Steps to learn from, K copies with N each, as tensors without a gradient.

    Attributes:
        obs: float[K, N, ...].
        action: int64[K, N] or float[K, N, D].
        log_prob: float[K, N], log pi(a|s) of the policy that acted.
        advantage: float[K, N].
        target: float[K, N], what the critic should have said: its word for s, and the advantage.
        real: bool[K, N], False where a world only began anew: nothing there counts.
    """

    obs: Tensor
    action: Tensor
    log_prob: Tensor
    advantage: Tensor
    target: Tensor
    real: Tensor


def a2c_loss(policy: nn.Module, critic: nn.Module, run: Rollout, entropy: float = 0.0) -> Tensor:
    """Return -log pi(a|s) A + 1/2 (target - V(s))^2 of every step, less ``entropy`` times the entropy of pi: float[K, N].

    Args:
        policy: from float[K, N, ...] to a head, such as :class:`~rlkit.nets.Categorical`.
        critic: from float[K, N, ...] to float[K, N, 1].
        run: the steps.
        entropy: how much a policy is paid for leaving something to chance.

    Source: Mnih et al. (2016).
    """
    pi = policy(run.obs)
    actor = -pi.log_prob(run.action) * run.advantage
    V = critic(run.obs).squeeze(-1)
    return actor + 0.5 * (run.target - V) ** 2 - entropy * pi.entropy()


def train_a2c(
    make_env: MakeEnv,
    policy: nn.Module,
    critic: nn.Module,
    *,
    steps: int,
    copies: int = 1,
    worlds: int = 8,
    length: int = 16,
    seed: int = 0,
    gamma: float = 0.99,
    lam: float = 1.0,
    lr: float = 1e-3,
    scale: float = 1.0,
    normalise: bool = False,
    advantages: Advantages = gae,
    loss: Callable[[nn.Module, nn.Module, Rollout], Tensor] = a2c_loss,
    test_every: int = 0,
    test_episodes: int = 20,
) -> TrainResult:
    """Learn a policy and a critic together, from a few steps at a time.

    1. initialise the policy pi and the critic V with random weights
    2. do forever: take a few steps in every world, by a ~ pi(.|s)
    3.     delta_t := r_t + gamma V(s_{t+1}) - V(s_t), without V(s_{t+1}) where the episode has terminated
    4.     A_t := delta_t + gamma lam A_{t+1}, within an episode; the critic's target is V(s_t) + A_t
    5.     one step of gradient descent on the mean of -log pi(a_t|s_t) A_t + 1/2 (target_t - V(s_t))^2

    Args:
        make_env: from a number of worlds to a vector environment: see :class:`~rlkit.envs.Worlds`.
        policy: pi, with K copies; it is trained in place.
        critic: V, a network with K copies and one output; it may share layers with pi: see :func:`rlkit.nets.sharing`.
        steps: how many steps each copy makes, over all its worlds; what is left after the last whole round is not made.
        copies: how many independent runs, K.
        worlds: how many worlds each copy acts in at once, E.
        length: how many steps in each world lie between two updates.
        seed: of worlds and actions.
        gamma: the discount.
        lam: of line 4; 1 for all rewards of these few steps.
        lr: step size of Adam.
        scale: what rewards are multiplied by before anything is learned from them; those that are reported are not.
        normalise: whether A is brought to mean 0 and standard deviation 1 for the policy.
        advantages: lines 3 and 4, with the arguments of :func:`rlkit.core.gae`.
        loss: line 5, ``(policy, critic, rollout)`` to float[K, N].
        test_every: test the policy's likeliest actions after every so many steps of each copy (default: never).
        test_episodes: how many episodes a test has, for each copy.

    Returns:
        TrainResult. Interrupting the kernel ends the run; what was learned until then is kept.

    Source: Mnih et al. (2016), there with asynchronous workers; Schulman et al. (2016) for line 4.
    """
    params = dict(locals())  # the arguments, before there is anything else
    check_settings(params)
    chance = torch.Generator().manual_seed(seed)
    world = Worlds(make_env, copies, worlds, seed)  # (1)
    check_policy(policy, world)
    check_value("critic", critic, world)
    optimiser = Adam(both(policy, critic), lr)
    with Record(policy, examiner(acting(policy), make_env, params), test_every) as record:
        for _ in record.count(steps, worlds * length):
            step = run_steps(world, acting(policy, chance), length)  # (2)
            run = judged(step, policy, critic, params)  # (3, 4)
            error = mean_over(run.real, loss(policy, critic, run))
            optimiser.step(error.sum())  # (5)
            record.note(loss=error)
    return record.result(world.episodes(), params)


# -- what the loops need ---------------------------------------------------------------------------------------------


def both(policy: nn.Module, critic: nn.Module) -> list[nn.Parameter]:
    """Return the weights of both, each once, whether they share layers or not."""
    return list(dict.fromkeys([*policy.parameters(), *critic.parameters()]))


@torch.no_grad()
def judged(step: Step, policy: nn.Module, critic: nn.Module, params: dict[str, Any]) -> Rollout:
    """Return steps with what the critic makes of them.

    Args:
        step: the steps, [T, K, E, ...].
        policy, critic: the networks.
        params: the arguments of the run: its "gamma", "lam", "scale", "advantages" and "normalise".
    """
    T, K, E = step.reward.shape

    def rows(x: np.ndarray) -> Tensor:
        """Return [T, K, E, ...] as [K, T E, ...]."""
        return torch.from_numpy(np.ascontiguousarray(x.swapaxes(0, 1)).reshape(K, T * E, *x.shape[3:]))

    def worth(obs: Tensor) -> np.ndarray:
        """Return what the critic says, as float[T, K, E]."""
        V: np.ndarray = critic(obs).reshape(K, T, E).numpy().swapaxes(0, 1)
        return V

    obs, action, real = rows(step.obs).float(), rows(step.action), rows(step.real)
    reward, V, V_next = params["scale"] * step.reward, worth(obs), worth(rows(step.next_obs).float())
    A = params["advantages"](reward, V, V_next, step.terminated, step.truncated, params["gamma"], params["lam"])
    advantage, target = rows(A).float(), rows(V + A).float()
    if params["normalise"]:
        advantage = standardise(advantage, real)
    return Rollout(obs, action, policy(obs).log_prob(action), advantage, target, real)


def check_settings(params: dict[str, Any]) -> None:
    """Refuse at the door what would fail, or quietly learn nothing, later."""
    low = dict.fromkeys(("steps", "copies", "worlds", "length", "test_episodes"), 1)
    check_whole(params, {**low, "seed": 0, "test_every": 0})
    number("gamma", params["gamma"], 0, 1), number("lam", params["lam"], 0, 1)
    if not float(real_array("scale", params["scale"], ())) > 0:
        raise ValueError(f"scale is {params['scale']}, but a number above 0 was expected")
    if params["worlds"] * params["length"] > params["steps"]:
        raise ValueError(
            f"{params['worlds']} worlds and a length of {params['length']} make {params['worlds'] * params['length']} steps "
            f"a round, but there are only {params['steps']}: nothing would be learned"
        )
    for name in ("policy", "critic"):
        check_copies(name, params[name], params["copies"])
