"""REINFORCE: run the policy to the end, then make likelier what was followed by more than was to be expected."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from rlkit.core.checks import number
from rlkit.core.returns import reward_to_go
from rlkit.core.types import TrainResult
from rlkit.envs.worlds import MakeEnv, Worlds
from rlkit.learn.episodes import Choose, Episodes, examiner, run_episodes
from rlkit.learn.record import Record
from rlkit.learn.settings import check_copies, check_policy, check_value, check_whole
from rlkit.nets import Adam

Credit = Callable[[np.ndarray, float], np.ndarray]

# -- one function for each equation ----------------------------------------------------------------------------------


def policy_loss(policy: nn.Module, obs: Tensor, action: Tensor, advantage: Tensor, entropy: float = 0.0) -> Tensor:
    """Return -log pi(a|s) A of every step, float[K, N], less ``entropy`` times the entropy of pi(.|s).

    No gradient flows through the advantage: it is a number that says how much the action deserves.

    Args:
        policy: from float[K, N, ...] to a head, such as :class:`~rlkit.nets.Categorical`.
        obs: what was seen, float[K, N, ...].
        action: what was done, int64[K, N] or float[K, N, D].
        advantage: A, float[K, N]; with the return R in its place it is the loss of the slides.
        entropy: how much a policy is paid for leaving something to chance.

    Source: the lecture, "Training Algorithm"; Williams (1992).
    """
    pi = policy(obs)
    loss = -pi.log_prob(action) * advantage.detach()
    return loss - entropy * pi.entropy() if entropy else loss


def standardise(advantage: Tensor, real: Tensor) -> Tensor:
    """Return the advantages with mean 0 and standard deviation 1 over the real steps of each copy, float[K, N].

    Args:
        advantage: float[K, N].
        real: bool[K, N], False where a copy has no step: nothing there counts, and 0 is returned.
    """
    exact = advantage.double()  # so that advantages that are all equal come out as 0, and not as magnified rounding
    steps = real.sum(dim=1, keepdim=True).clamp(min=1)  # of a copy without a real step all are 0
    centred = torch.where(real, exact - torch.where(real, exact, 0.0).sum(dim=1, keepdim=True) / steps, 0.0)
    std = (centred.square().sum(dim=1, keepdim=True) / steps).sqrt()
    return (centred / (std + 1e-8)).to(advantage.dtype)


# -- acting ----------------------------------------------------------------------------------------------------------


def acting(policy: nn.Module, chance: torch.Generator | None = None) -> Choose:
    """Return the policy as a function from observations [K, E, ...] to actions.

    Args:
        policy: the network.
        chance: what actions are drawn with (default: the likeliest one is taken).
    """

    @torch.no_grad()
    def choose(obs: np.ndarray) -> np.ndarray:
        pi = policy(torch.from_numpy(obs).float())
        action: np.ndarray = (pi.mode() if chance is None else pi.sample(chance)).numpy()
        return action

    return choose


# -- the algorithm ---------------------------------------------------------------------------------------------------


def train_reinforce(
    make_env: MakeEnv,
    policy: nn.Module,
    *,
    episodes: int,
    copies: int = 1,
    batch: int = 8,
    seed: int = 0,
    gamma: float = 0.99,
    lr: float = 1e-2,
    baseline: nn.Module | None = None,
    fit: int = 3,
    normalise: bool = False,
    credit: Credit = reward_to_go,
    loss: Callable[[nn.Module, Tensor, Tensor, Tensor], Tensor] = policy_loss,
    limit: int = 10_000,
    test_every: int = 0,
    test_episodes: int = 20,
) -> TrainResult:
    """Learn a policy from whole episodes.

    1. initialise the policy pi and the baseline b with random weights
    2. do forever: run the policy until termination, in a batch of episodes
    3.     record all states, actions, rewards
    4.     R_t := r_t + gamma R_{t+1} for every step; A_t := R_t - b(s_t)
    5.     decrease the probability of a_t where A_t < 0, increase it where A_t > 0: one step of gradient descent on the
           mean of -log pi(a_t|s_t) A_t
    6.     some steps of gradient descent on the mean of (R_t - b(s_t))^2

    The gradient of E[r_0 + gamma r_1 + ...] has a factor gamma^t at step t, which is left out here, as nearly everywhere:
    late steps would hardly learn.

    Args:
        make_env: from a number of worlds to a vector environment: see :class:`~rlkit.envs.Worlds`.
        policy: pi, with K copies; it is trained in place.
        episodes: how many for each copy; what is left of them after the last whole batch is not run.
        copies: how many independent runs, K.
        batch: episodes to an update, each in a world of its own.
        seed: of worlds and actions.
        gamma: the discount.
        lr: step size of Adam, for the policy and the baseline.
        baseline: b, a network with K copies and one output (default: b = 0).
        fit: steps of line 6 in each round.
        normalise: whether A is brought to mean 0 and standard deviation 1 in each batch.
        credit: the R of line 4, ``(reward: float[T, K, E], gamma)`` to float[T, K, E].
        loss: line 5, ``(policy, obs, action, advantage)`` to float[K, N].
        limit: after so many steps an episode is broken off, and counts as it stands.
        test_every: test the policy's likeliest actions after every so many episodes of each copy (default: never).
        test_episodes: how many episodes a test has, for each copy.

    Returns:
        TrainResult, counted in episodes. Interrupting the kernel ends the run; what was learned until then is kept.

    Source: the lecture, "Training Algorithm"; Williams (1992).
    """
    params = dict(locals())  # the arguments, before there is anything else
    check_settings(params)
    chance = torch.Generator().manual_seed(seed)
    worlds = Worlds(make_env, copies, batch, seed)  # (1)
    check_policy(policy, worlds)
    if baseline:
        check_value("baseline", baseline, worlds)
    optimiser = Adam(policy.parameters(), lr)
    fitter = Adam(baseline.parameters(), lr) if baseline else None
    log = Log(copies, batch)
    with Record(policy, examiner(acting(policy), make_env, params, limit), test_every, "episode") as record:
        for n in record.count(episodes, batch):
            run = run_episodes(worlds, acting(policy, chance), limit)  # (2)
            log.add(n, run)  # (3)
            obs, action, R, real = packed(run, credit(run.reward, gamma))  # (4)
            b = baseline(obs).squeeze(-1).detach() if baseline else 0.0
            A = standardise(R - b, real) if normalise else R - b
            error = mean_over(real, loss(policy, obs, action, A))  # (5)
            optimiser.step(error.sum())
            record.note(loss=error)
            if baseline and fitter:
                for _ in range(fit):  # (6)
                    fitter.step(mean_over(real, (R - baseline(obs).squeeze(-1)) ** 2).sum())
    return record.result(log.columns(), params)


# -- what the loop needs ---------------------------------------------------------------------------------------------


def packed(run: Episodes, R: np.ndarray) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return obs, action, R and real as tensors [K, N, ...]: the real steps of all episodes of a copy, in the order of time.

    N is the largest number of steps that a copy has. The others are filled up with what happened after the end of an
    episode; ``real`` is False there.

    Args:
        run: the episodes.
        R: the return of each step, float[T, K, E].
    """
    T, K, E = run.real.shape
    real = run.real.swapaxes(0, 1).reshape(K, T * E)
    kept = np.argsort(~real, axis=1, kind="stable")[:, : real.sum(axis=1).max()]

    def rows(x: np.ndarray) -> Tensor:
        flat = x.swapaxes(0, 1).reshape(K, T * E, *x.shape[3:])
        return torch.from_numpy(flat[np.arange(K)[:, None], kept])

    return rows(run.obs).float(), rows(run.action), rows(R).float(), rows(run.real)


def mean_over(real: Tensor, value: Tensor) -> Tensor:
    """Return the mean of each copy's real steps, float[K], of value: float[K, N]; 0 for a copy that has none."""
    return torch.where(real, value, 0.0).sum(dim=1) / real.sum(dim=1).clamp(min=1)


class Log:
    """The episodes while learning, in long form."""

    def __init__(self, copies: int, batch: int):
        self._k, self._e = np.repeat(np.arange(copies), batch), batch
        self._steps = np.zeros(copies, int)
        self._columns: dict[str, list[np.ndarray]] = {
            name: [np.zeros(0, kind)]
            for name, kind in (("copy", int), ("episode", int), ("step", int), ("length", int), ("return", float))
        }

    def add(self, n: int, run: Episodes) -> None:
        """Write down a batch, the last of n episodes of each copy."""
        self._steps += run.real.sum(axis=(0, 2))
        found = {
            "copy": self._k,
            "episode": np.full(len(self._k), n),
            "step": np.repeat(self._steps, self._e),
            "length": run.real.sum(axis=0).ravel(),
            "return": run.reward.sum(axis=0).ravel(),
        }
        for name, column in found.items():
            self._columns[name].append(column)

    def columns(self) -> dict[str, np.ndarray]:
        """Return all that was written down."""
        return {name: np.concatenate(parts) for name, parts in self._columns.items()}


def check_settings(params: dict[str, Any]) -> None:
    """Refuse at the door what would fail, or quietly learn nothing, later."""
    low = dict.fromkeys(("episodes", "copies", "batch", "fit", "limit", "test_episodes"), 1)
    check_whole(params, {**low, "seed": 0, "test_every": 0})
    number("gamma", params["gamma"], 0, 1)
    if params["batch"] > params["episodes"]:
        raise ValueError(f"batch is {params['batch']}, but there are only {params['episodes']} episodes")
    for name in ("policy", "baseline"):
        if params[name] is not None:
            check_copies(name, params[name], params["copies"])
