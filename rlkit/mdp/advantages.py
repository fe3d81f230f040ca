"""Advantages in a known world: the exact ones, and what GAE(lambda) makes of them when the critic is wrong."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import sparse

from rlkit.core.checks import distribution, entry, first, number, real_array
from rlkit.mdp.operators import evaluate_policy, policy_matrix
from rlkit.mdp.tabular import TabularMDP


def policy_values(mdp: TabularMDP, policies: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return V^pi, float[..., S], and Q^pi, float[..., S, A], of one policy or of many at once, exactly.

    Q is minus infinity where an action does not exist. The advantage of an action is Q^pi(s, a) - V^pi(s).

    Args:
        mdp: a world small enough for a system of S equations for each policy to be held as a dense array.
        policies: float[..., S, A].

    Raises:
        ValueError: policies of another shape, that are none, or with probability on an action that does not exist; with
            gamma = 1, one that never ends from some state.
    """
    S, A = mdp.available.shape
    pi = real_array("policies", policies)
    if pi.shape[-2:] != (S, A):
        raise ValueError(f"policies has shape {pi.shape}, but [..., {S}, {A}] was expected")
    distribution("policies", pi)
    if (pi * ~mdp.available).any():
        where = entry("policies", first(pi * ~mdp.available > 0))
        raise ValueError(f"{where} belongs to an action that does not exist")
    if mdp.gamma == 1:  # it takes care to tell which policies have no value
        V = np.array([evaluate_policy(mdp, one) for one in pi.reshape(-1, S, A)])
    else:
        r = (pi * mdp.expected_reward).sum(axis=-1)
        P = np.einsum("...sa,sat->...st", pi, _dense(mdp.rows, (S, A, S)))
        V = np.linalg.solve(np.eye(S) - mdp.gamma * P, r[..., None])
    V = np.where(mdp.terminal, 0, V.reshape(pi.shape[:-1]))  # not only as nearly 0 as rounding leaves it
    Q_flat = (mdp.rows @ V.reshape(-1, S).T).T
    return V, mdp.reward_or_barred + mdp.gamma * Q_flat.reshape(pi.shape)


def gae_moments(mdp: TabularMDP, policy: Any, V: Any, lam: float) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and standard deviation of GAE(lambda) for each action in each state, float[S, A] twice, exactly.

    With delta = r + gamma V(s') - V(s) and the critic V, right or wrong, the estimate is A = delta + gamma lambda A', where
    A' is that of the next step, and 0 once the episode has ended. So for a step from s with a, averages over s', a', ...::

        mean(s, a) = E[ delta + gamma lambda mean(s') ],   mean(s) = sum_a pi(a|s) mean(s, a)
        var(s, a) = Var[ delta + gamma lambda mean(s') ] + (gamma lambda)^2 E[ var(s') ],
        var(s) = sum_a pi(a|s) ( var(s, a) + (mean(s, a) - mean(s))^2 )

    which are S linear equations for the means, and S more for the variances. With D = V - V^pi, the error of the critic, and
    P the policy's transitions::

        mean(s, a) = Q^pi(s, a) - V(s) + gamma (1 - lambda) sum_s' P(s'|s, a) [ (1 - gamma lambda P)^-1 D ](s') .

    The first part, Q^pi - V, is off by the same number for all actions of a state, which no policy gradient notices. The
    second is what misleads it; its weight is 1 - lambda.

    Args:
        mdp: the world; small, as for :func:`policy_values`. Noise on its rewards counts.
        policy: int[S] or float[S, A]; the episode runs on until the world ends it.
        V: float[S], what the critic says; at a terminal state it counts as 0.
        lam: lambda, in [0, 1].

    Returns:
        mean, std. Of a terminal state both are 0; of an action that does not exist, minus infinity and 0.

    Raises:
        ValueError: arguments that do not fit; with gamma lambda = 1, if from some state the policy never ends.

    Source: Schulman, Moritz, Levine, Jordan and Abbeel (2016), equation 16; for the variance, Sobel (1982) does so for
    returns.
    """
    (S, A), lam = mdp.available.shape, number("lam", lam, 0, 1)
    pi, V = policy_matrix(mdp, policy), np.where(mdp.terminal, 0, real_array("V", V, (S,)))
    if mdp.gamma * lam == 1:
        evaluate_policy(mdp, pi)  # refuses a policy that never ends
    pi[mdp.terminal] = 0  # nobody acts there: the estimate of what follows is 0
    P, R = _dense(mdp.rows, (S, A, S)), _dense(mdp.R, (S, A, S))
    P_pi = np.einsum("sa,sat->st", pi, P)
    fade = mdp.gamma * lam

    def averaged(x: np.ndarray) -> np.ndarray:
        """Return E[x | s, a], float[S, A], of x: float[S, A, S]."""
        return np.einsum("sat,sat->sa", P, x)

    delta = R + mdp.gamma * V - V[:, None, None]
    mean_s = np.linalg.solve(np.eye(S) - fade * P_pi, (pi * averaged(delta)).sum(axis=1))
    one_step = delta + fade * mean_s
    mean = averaged(one_step)

    noise = 0 if mdp.reward_std is None else np.where(mdp.terminal[:, None], 0, mdp.reward_std) ** 2
    one_step_var = averaged((one_step - mean[..., None]) ** 2) + noise
    spread = (pi * (one_step_var + (mean - mean_s[:, None]) ** 2)).sum(axis=1)
    var_s = np.linalg.solve(np.eye(S) - fade**2 * P_pi, spread)
    var = one_step_var + fade**2 * mdp.expected_next(var_s)
    return np.where(mdp.available, mean, -np.inf), np.sqrt(np.maximum(var, 0))  # rounding may leave a little below 0


def _dense(table: Any, shape: tuple[int, int, int]) -> np.ndarray:
    """Return rewards or transitions as float[S, A, S], however they are stored."""
    if sparse.issparse(table):
        table = table.toarray()
    return np.broadcast_to(table[..., None], shape) if table.shape == shape[:2] else np.reshape(table, shape)
