"""PPO: the same steps used several times, and no reason to go further than a little way from the policy that took them."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from torch import Tensor, nn

from rlkit.core.checks import whole_number
from rlkit.core.returns import gae
from rlkit.core.types import TrainResult
from rlkit.envs.worlds import MakeEnv, Worlds
from rlkit.learn.actor_critic.a2c import Advantages, Rollout, both, check_settings, judged
from rlkit.learn.episodes import examiner, run_steps
from rlkit.learn.record import Record
from rlkit.learn.reinforce import acting, mean_over
from rlkit.learn.settings import check_policy, check_value
from rlkit.nets import Adam


def clipped(log_prob: Tensor, log_prob_old: Tensor, advantage: Tensor, clip: float) -> Tensor:
    """Return -min(rho A, rho' A) for rho = pi(a|s) / pi_old(a|s), and rho' = rho cut off at 1 - clip and 1 + clip: float[...].

    Args:
        log_prob, log_prob_old: float[...], the log-probability of an action now, and when it was taken.
        advantage: float[...].
        clip: how far the ratio is worth moving.

    Source: Schulman, Wolski, Dhariwal, Radford and Klimov (2017), equation 7.
    """
    ratio = (log_prob - log_prob_old).exp()
    return -torch.min(ratio * advantage, ratio.clamp(1 - clip, 1 + clip) * advantage)


def ppo_loss(policy: nn.Module, critic: nn.Module, run: Rollout, entropy: float = 0.0, clip: float = 0.2) -> Tensor:
    """Return -min(rho A, rho' A) + 1/2 (target - V(s))^2 of every step, less ``entropy`` times the entropy of pi: float[K, N].

    Args:
        policy, critic, run, entropy: as for :func:`~rlkit.learn.actor_critic.a2c_loss`.
        clip: as for :func:`clipped`.
    """
    pi = policy(run.obs)
    actor = clipped(pi.log_prob(run.action), run.log_prob, run.advantage, clip)
    V = critic(run.obs).squeeze(-1)
    return actor + 0.5 * (run.target - V) ** 2 - entropy * pi.entropy()


def train_ppo(
    make_env: MakeEnv,
    policy: nn.Module,
    critic: nn.Module,
    *,
    steps: int,
    copies: int = 1,
    worlds: int = 8,
    length: int = 128,
    epochs: int = 6,
    minibatch: int = 256,
    seed: int = 0,
    gamma: float = 0.99,
    lam: float = 0.95,
    lr: float = 1e-3,
    scale: float = 1.0,
    normalise: bool = True,
    advantages: Advantages = gae,
    loss: Callable[[nn.Module, nn.Module, Rollout], Tensor] = ppo_loss,
    test_every: int = 0,
    test_episodes: int = 20,
) -> TrainResult:
    """Learn a policy and a critic together, and use every step more than once.

    1. initialise the policy pi and the critic V with random weights
    2. do forever: take steps in every world, by a ~ pi(.|s); write down log pi(a|s)
    3.     delta_t := r_t + gamma V(s_{t+1}) - V(s_t), without V(s_{t+1}) where the episode has terminated
    4.     A_t := delta_t + gamma lam A_{t+1}, within an episode; the critic's target is V(s_t) + A_t
    5.     several times over: divide the steps by chance into minibatches
    6.         for each: one step of gradient descent on the mean of
               -min(rho_t A_t, rho'_t A_t) + 1/2 (target_t - V(s_t))^2
    7.     take smaller steps next time, down to none at the end

    Args:
        make_env, policy, critic, steps, copies, worlds, seed, gamma, lam, scale, normalise, advantages: as for
            :func:`~rlkit.learn.actor_critic.train_a2c`.
        length: how many steps in each world are collected before they are learned from.
        epochs: how many times over they are used.
        minibatch: how many steps there are in a minibatch; the last of each round may have fewer.
        lr: step size of Adam at the beginning.
        loss: line 6, ``(policy, critic, rollout)`` to float[K, N].
        test_every, test_episodes: as for :func:`~rlkit.learn.actor_critic.train_a2c`.

    Returns:
        TrainResult. Interrupting the kernel ends the run; what was learned until then is kept.

    Source: Schulman et al. (2017), algorithm 1.
    """
    params = dict(locals())  # the arguments, before there is anything else
    check_settings(params)
    whole_number("epochs", epochs, 1), whole_number("minibatch", minibatch, 1)
    chance = torch.Generator().manual_seed(seed)
    world = Worlds(make_env, copies, worlds, seed)  # (1)
    check_policy(policy, world)
    check_value("critic", critic, world)
    optimiser = Adam(both(policy, critic), lr)
    with Record(policy, examiner(acting(policy), make_env, params), test_every) as record:
        for t in record.count(steps, worlds * length):
            step = run_steps(world, acting(policy, chance), length)  # (2)
            run = judged(step, policy, critic, params)  # (3, 4)
            for part in parts(run, epochs, minibatch, chance):  # (5)
                error = mean_over(part.real, loss(policy, critic, part))
                optimiser.step(error.sum())  # (6)
            record.note(loss=error)
            optimiser.lr = lr * (1 - t / (steps + 1))  # (7)
    return record.result(world.episodes(), params)


def parts(run: Rollout, epochs: int, minibatch: int, chance: torch.Generator) -> Iterator[Rollout]:
    """Yield the steps in minibatches, all of them in each epoch, in another order each time.

    Args:
        run: the steps, K copies with N each.
        epochs, minibatch: how many times over; how many steps of each copy at once.
        chance: where the order comes from.
    """
    K, N = run.real.shape
    k = torch.arange(K)[:, None]
    for _ in range(epochs):
        order = torch.rand((K, N), generator=chance).argsort(dim=1)
        for n in order.split(minibatch, dim=1):
            yield Rollout(*(column[k, n] for column in run))
