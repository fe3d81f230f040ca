"""Values of Markov games: of all agents under a joint policy, of the best answer to it, and of zero-sum games, exactly."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from rlkit.core.checks import real_array, whole_number
from rlkit.games.markov import MarkovGame, joint_policy_values, seen_by
from rlkit.games.zero_sum import zero_sum_batch
from rlkit.mdp import solve
from rlkit.mdp.operators import change_allowed, optional_tolerance


class ZeroSumSolution(NamedTuple):
    """What two players of a zero-sum Markov game can be sure of.

    Attributes:
        V: float[S], the value of every state, for agent 0; agent 1 has -V.
        x: float[S, A_1], a policy of agent 0 that is paid at least V, whatever agent 1 does.
        y: float[S, A_2], a policy of agent 1 that pays at most V.
    """

    V: np.ndarray
    x: np.ndarray
    y: np.ndarray


def joint_action_values(game: MarkovGame, V: Any) -> np.ndarray:
    """Return Q^j(s, a) = r^j(s, a) + gamma E[V^j(s')] for every agent, state and joint action.

    Args:
        game: with n agents.
        V: float[n, S], what each state is worth to each agent, such as the result of
            :func:`~rlkit.games.joint_policy_values`.

    Returns:
        float[n, S, A_1, ..., A_n]: in every state, a matrix game: the stage game.

    Raises:
        ValueError: V of another shape.

    Source: the lecture, "MARL Formulation".
    """
    V = real_array("V", V, (game.n_agents, game.n_states))
    return game.R + game.gamma * game.expected_next(V)


def shapley_value_iteration(game: MarkovGame, tol: float | None = 1e-10) -> Iterator[np.ndarray]:
    """Yield V of agent 0 after each sweep: value iteration with the value of a matrix game in the place of the maximum.

    1. V(s) := 0 for every state s
    2. repeat
    3.     Q(s, a, o) := r(s, a, o) + gamma sum_s' P(s' | s, a, o) V(s'), for every s, a and o
    4.     V_new(s) := max_pi min_o sum_a Q(s, a, o) pi(a), the value of the matrix game Q(s, ., .)
    5.     change := max_s |V_new(s) - V(s)|;  V := V_new
    6. until change <= tol (1 - gamma) / (2 gamma)

    Args:
        game: of two agents, zero-sum, with gamma < 1.
        tol: stop as in line 6, which puts V within tol / 2 of the value. With None, go on for ever.

    Raises:
        ValueError: another kind of game.

    Source: Shapley (1953).
    """
    check_zero_sum(game)
    tol = optional_tolerance(tol)
    V = np.zeros(game.n_states)  # (1)
    while True:  # (2)
        Q = game.R[0] + game.gamma * game.expected_next(V)  # (3)
        V_new = zero_sum_batch(Q).value  # (4)
        change = abs(V_new - V).max()  # (5)
        V = V_new
        yield V
        if change <= change_allowed(game.gamma, tol, V):  # (6)
            return


def solve_zero_sum(game: MarkovGame, tol: float = 1e-10) -> ZeroSumSolution:
    """Solve a zero-sum Markov game: its value in every state, and a policy for both.

    Args:
        game: as for :func:`shapley_value_iteration`.
        tol: V is within tol / 2 of the value.

    Raises:
        ValueError: another kind of game.
    """
    for V in shapley_value_iteration(game, tol):  # noqa: B007 - the last V is wanted
        pass
    _, x, y = zero_sum_batch(game.R[0] + game.gamma * game.expected_next(V))
    return ZeroSumSolution(V, x, y)


def markov_best_response(game: MarkovGame, j: int, policies: Sequence[Any]) -> tuple[np.ndarray, np.ndarray]:
    """Return a best answer of agent j while all others keep to their policies, and what it is worth.

    The others are a part of the world then: what is left is a Markov decision process, which value iteration solves.

    Args:
        game: with gamma < 1.
        j: the agent, from 0.
        policies: for each agent float[S, A_i]; that of agent j is not looked at, and may be None.

    Returns:
        V: float[S], and a policy: float[S, A_j], which leaves nothing to chance.

    Raises:
        ValueError: there is no such agent, or a policy that is none.
    """
    found = solve(seen_by(game, j, policies), "policy_iteration")
    return found.V, np.eye(game.n_actions[j])[found.policy]


def exploitability(game: MarkovGame, policies: Sequence[Any]) -> np.ndarray:
    """Return what each agent would gain by its best answer, from the start: 0 for all at a Nash equilibrium.

    Args:
        game, policies: as for :func:`~rlkit.games.joint_policy_values`, one policy for each agent.

    Returns:
        float[n].
    """
    V = joint_policy_values(game, policies)
    best = np.stack([markov_best_response(game, j, policies)[0] for j in range(game.n_agents)])
    return np.maximum(best - V, 0) @ game.start


def worst_case(game: MarkovGame, j: int, policy: Any) -> float:
    """Return what agent j's policy is worth at the start against the opponent that is the worst for it.

    Args:
        game: of two agents, zero-sum.
        j: 0 or 1.
        policy: float[S, A_j].

    Raises:
        ValueError: another kind of game, or a policy that is none.
    """
    check_zero_sum(game)
    j = whole_number("j", j, 0)
    if j > 1:
        raise ValueError(f"j is {j}, but there are two agents, 0 and 1")
    V, _ = markov_best_response(game, 1 - j, [policy, policy])
    return float(-V @ game.start)


def check_zero_sum(game: MarkovGame) -> None:
    """Refuse a game that is not zero-sum, of two, and discounted.

    Raises:
        ValueError: one sentence that says which.
    """
    if game.n_agents != 2:
        raise ValueError(f"the game has {game.n_agents} agents, but a zero-sum game of two was expected")
    if abs(game.R.sum(axis=0)).max() > 1e-9:
        raise ValueError("the game is not zero-sum: somewhere the rewards of both agents do not sum to 0")
    if game.gamma == 1:
        raise ValueError("gamma is 1, but a discount below 1 was expected")
