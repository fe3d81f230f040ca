"""Markov games: several agents in one world, whose state is known, and what the world is for one of them, or for all as one.

P[s, a_1, ..., a_n, s'] is the probability of the next state, R[i, s, a_1, ..., a_n] what agent i is paid. With one agent this
is a Markov decision process, with one state a matrix game. Where most transitions never happen, P may be a sparse matrix.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
from scipy import sparse

from rlkit.core.checks import brief, distribution, mask_array, number, real_array, whole_number
from rlkit.mdp.tabular import LARGEST_DISCOUNT, TabularMDP, _kept, _names, _scaled, _sparse_table

_AGENTS = "abcdefgh"


@dataclass(frozen=True, eq=False)
class MarkovGame:
    """A Markov game (also called stochastic game) with n agents, of whom all choose at once, in every state.

    The arrays are copied and can be read only. Every action exists in every state.

    Args:
        P: float[S, A_1, ..., A_n, S], P[s, a_1, ..., a_n, s'] = probability of moving to s'. Rows must sum to 1 within 1e-9 and
            are scaled to do so exactly. Or a scipy.sparse matrix [S * A_1 * ... * A_n, S], whose rows are the pairs of a state
            and a joint action in C order.
        R: float[n, S, A_1, ..., A_n], what each agent is paid, on average, for a joint action.
        gamma: the discount, in [0, 1 - 1e-8] or 1.
        start: float[S], where episodes begin (default: any state that is not terminal, all equally likely).
        terminal: bool[S] (default: none). A terminal state leads back to itself and pays nobody.
        state_names: S names (default: the numbers).
        action_names: a tuple of names for each agent (default: the numbers).

    Raises:
        ValueError: one sentence that names the faulty entry.
    """

    P: Any
    R: Any
    gamma: float
    start: Any = None
    terminal: Any = None
    state_names: Any = ()
    action_names: Any = ()

    def __post_init__(self) -> None:
        keep = lambda name, value: object.__setattr__(self, name, value)  # noqa: E731 - the dataclass is frozen
        gamma = number("gamma", self.gamma, 0, 1)
        if LARGEST_DISCOUNT < gamma < 1:
            raise ValueError(f"gamma is {gamma}, nearer to 1 than 64-bit numbers allow: use 1, or 1 - 1e-8 at most")
        keep("gamma", gamma)
        P, R = (_sparse if sparse.issparse(self.P) else _dense)(self.P, self.R)
        keep("P", P)
        keep("R", R)
        S, n = R.shape[1], R.shape[0]
        terminal = np.zeros(S, bool) if self.terminal is None else mask_array("terminal", self.terminal, (S,))
        keep("terminal", _kept(terminal))
        for s in np.flatnonzero(terminal):
            if (self.P[s, ..., s] != 1).any() if self.dense else (self._rows(int(s))[:, [s]].toarray() != 1).any():
                raise ValueError(
                    f"state {s} is terminal, but not every joint action leads back to it with probability 1"
                )
            if self.R[:, s].any():
                raise ValueError(f"state {s} is terminal, but R pays somebody there")
        begin = terminal if terminal.all() else ~terminal
        start = begin / begin.sum() if self.start is None else real_array("start", self.start, (S,))
        distribution("start", start)
        keep("start", _kept(start))
        keep("state_names", _names("state_names", self.state_names, S))
        listed = self.action_names or ((),) * n
        if not isinstance(listed, tuple | list) or len(listed) != n:
            raise ValueError(f"action_names is {brief(listed)}, but names for each of {n} agents were expected")
        named = zip(listed, self.n_actions, strict=True)
        keep("action_names", tuple(_names(f"action_names[{i}]", *pair) for i, pair in enumerate(named)))

    @property
    def n_agents(self) -> int:
        """The number of agents, n."""
        return int(self.R.shape[0])

    @property
    def n_states(self) -> int:
        """The number of states, S."""
        return int(self.R.shape[1])

    @property
    def n_actions(self) -> tuple[int, ...]:
        """The number of actions of each agent, (A_1, ..., A_n)."""
        return tuple(self.R.shape[2:])

    @property
    def dense(self) -> bool:
        """Whether P is an array, and no sparse matrix."""
        return not sparse.issparse(self.P)

    @property
    def rows(self) -> Any:
        """P as a matrix [S * A_1 * ... * A_n, S]: a view of the array, or the sparse matrix itself."""
        return self.P.reshape(-1, self.n_states) if self.dense else self.P

    def expected_next(self, V: Any) -> np.ndarray:
        """Return the sum over s' of P[s, a, s'] V[..., s'] for every state and joint action.

        Args:
            V: float[..., S], such as one row for each agent.

        Returns:
            float[..., S, A_1, ..., A_n].
        """
        V = real_array("V", V)
        if V.ndim == 0 or V.shape[-1] != self.n_states:
            raise ValueError(f"V has shape {V.shape}, but [..., {self.n_states}] was expected")
        flat = self.rows @ V.reshape(-1, self.n_states).T
        return np.ascontiguousarray(flat.T).reshape(*V.shape[:-1], *self.R.shape[1:])

    def _rows(self, s: int) -> Any:
        """Return the rows of P of state s."""
        joint = self.R[0, 0].size
        return self.rows[s * joint : (s + 1) * joint]


def super_agent(game: MarkovGame) -> TabularMDP:
    """Return the world of one agent who chooses for all.

    Its actions are the joint actions in C order: action k is ``np.unravel_index(k, game.n_actions)``. It is paid the reward
    that all agents share, where all are always paid the same; otherwise the sum of what they are paid.

    Args:
        game: with n agents.

    Returns:
        TabularMDP with S states and A_1 ... A_n actions.
    """
    S = game.n_states
    shared = bool((game.R == game.R[0]).all())
    R = game.R[0] if shared else game.R.sum(axis=0)
    names = tuple(", ".join(joint) for joint in product(*game.action_names))
    P = game.P.reshape(S, -1, S) if game.dense else game.P
    return TabularMDP(
        P, R.reshape(S, -1), game.gamma, game.start, game.terminal, states=game.state_names, actions=names
    )


def seen_by(game: MarkovGame, i: int, policies: Sequence[Any]) -> TabularMDP:
    """Return the world that agent i lives in while all others act by fixed policies.

    The others become part of the world: P(s' | s, a^i) is the mean of P(s' | s, a^1, ..., a^n) over what they choose, and so is
    the reward of agent i.

    Args:
        game: with n agents.
        i: the agent, from 0.
        policies: one for each agent, ``policies[j]``: float[S, A_j]; the entry of agent i itself is not looked at, and may be
            None.

    Returns:
        TabularMDP with S states and A_i actions.

    Raises:
        ValueError: there is no such agent, or a policy that is none.
    """
    P, R = marginals(game, i, policies)
    if R.ndim != 2:
        raise ValueError("policies holds more than one policy for an agent: marginals(...) takes many at once")
    names = game.action_names[i]
    return TabularMDP(P, R, game.gamma, game.start, game.terminal, states=game.state_names, actions=names)


def marginals(game: MarkovGame, i: int, policies: Sequence[Any]) -> tuple[np.ndarray, np.ndarray]:
    """Return the tables of :func:`seen_by`, for many policies at once.

    Args:
        game, i: as for :func:`seen_by`.
        policies: ``policies[j]``: float[..., S, A_j], with the same leading axes.

    Returns:
        P: float[..., S, A_i, S], or a sparse matrix [S * A_i, S] where the game's is sparse; R: float[..., S, A_i].

    Raises:
        ValueError: as for :func:`seen_by`; leading axes where P is sparse.
    """
    i = whole_number("i", i, 0)
    if i >= game.n_agents:
        raise ValueError(f"i is {i}, but there are only {game.n_agents} agents")
    checked = _policies(game, policies, but=i)
    me = _AGENTS[i]
    R = _mean(game.R[i], "y", f"y{me}", checked)
    return (_mean(game.P, "yz", f"y{me}z", checked) if game.dense else _mean_of_rows(game, checked, i)), R


def joint_policy_values(game: MarkovGame, policies: Sequence[Any]) -> np.ndarray:
    """Return V^i for every agent i while all act by ``policies``, exactly.

    Args:
        game: with gamma < 1, or one in which these policies end.
        policies: ``policies[j]``: float[..., S, A_j], with the same leading axes.

    Returns:
        float[..., n, S].

    Raises:
        ValueError: a policy that is none; with gamma = 1, policies under which some state has no value.
    """
    P, r = _chain(game, policies)
    on = np.flatnonzero(~game.terminal)
    V = np.zeros(r.shape)
    left = np.eye(len(on)) - game.gamma * P[..., on[:, None], on]
    try:
        V[..., on] = np.swapaxes(np.linalg.solve(left, np.swapaxes(r[..., on], -1, -2)), -1, -2)
    except np.linalg.LinAlgError:
        raise ValueError("gamma is 1, but these policies never end from some state: it has no value there") from None
    return V


def long_run(game: MarkovGame, policies: Sequence[Any]) -> np.ndarray:
    """Return what each agent is paid per step in the long run while all act by ``policies``, exactly.

    That is the mean of the rewards over the stationary distribution d of the states, the solution of d = d P_pi.

    Args:
        game: any; its discount and its start play no part.
        policies: ``policies[j]``: float[..., S, A_j], with the same leading axes.

    Returns:
        float[..., n].

    Raises:
        ValueError: a policy that is none, or policies under which the long run depends on where the game starts.
    """
    P, r = _chain(game, policies)
    S = game.n_states
    left = np.concatenate([np.swapaxes(np.eye(S) - P, -1, -2), np.ones((*P.shape[:-2], 1, S))], axis=-2)
    if (np.linalg.matrix_rank(left, tol=1e-9) < S).any():
        raise ValueError("the long run under these policies depends on the state in which the game starts")
    d = np.linalg.pinv(left)[..., -1]
    return (r @ d[..., None])[..., 0]


def drift(game: MarkovGame, i: int, before: Sequence[Any], after: Sequence[Any]) -> tuple[np.ndarray, np.ndarray]:
    """Return by how much agent i's world changed because the others have changed their policies.

    Args:
        game, i: as for :func:`seen_by`.
        before, after: policies of all agents, float[..., S, A_j] each.

    Returns:
        float[..., S, A_i]: the total variation between the two P(. | s, a), half the sum of all absolute changes;
        float[..., S, A_i]: the absolute change of r(s, a).
    """
    (P, R), (P_after, R_after) = (marginals(game, i, policies) for policies in (before, after))
    return np.asarray(abs(P_after - P).sum(axis=-1)).reshape(R.shape) / 2, abs(R_after - R)


def _chain(game: MarkovGame, policies: Sequence[Any]) -> tuple[np.ndarray, np.ndarray]:
    """Return P_pi, float[..., S, S], and r_pi, float[..., n, S]."""
    checked = _policies(game, policies)
    P = _mean(game.P, "yz", "yz", checked) if game.dense else _mean_of_rows(game, checked).toarray()
    return P, np.stack([_mean(R, "y", "y", checked) for R in game.R], axis=-2)


def _mean(table: np.ndarray, ends: str, keep: str, policies: dict[int, np.ndarray]) -> np.ndarray:
    """Return the mean of a table over what agents do, by einsum: y and z are states, a, b, ... the actions of agents."""
    actions = _AGENTS[: table.ndim - len(ends)]
    terms = [ends[0] + actions + ends[1:], *(f"...y{_AGENTS[j]}" for j in policies)]
    return np.einsum(f"{','.join(terms)}->...{keep}", table, *policies.values(), optimize=True)


def _mean_of_rows(game: MarkovGame, policies: dict[int, np.ndarray], me: int | None = None) -> Any:
    """Return the mean of a sparse P over what agents do, as [S * A_me, S], or [S, S] if nobody is left out."""
    if any(pi.ndim != 2 for pi in policies.values()):
        raise ValueError("policies has leading axes: a game with a sparse P takes one policy for each agent")
    actions = _AGENTS[: game.n_agents]
    terms = ",".join(f"y{_AGENTS[j]}" for j in policies)
    ones = np.ones(game.n_actions)
    weight = np.einsum(f"{actions},{terms}->y{actions}", ones, *policies.values()) if policies else ones[None]
    weight = np.broadcast_to(weight, game.R.shape[1:])
    S, joint = game.n_states, ones.size
    own = np.zeros(1, int) if me is None else np.indices(game.n_actions)[me].ravel()
    size = 1 if me is None else game.n_actions[me]
    to = (np.arange(S)[:, None] * size + np.broadcast_to(own, joint)).ravel()
    mean = sparse.csr_array((weight.ravel(), (to, np.arange(S * joint))), shape=(S * size, S * joint))
    return mean @ game.P


def _dense(P: Any, R: Any) -> tuple[np.ndarray, np.ndarray]:
    P = real_array("P", P)
    if not 3 <= P.ndim <= 2 + len(_AGENTS) or 0 in P.shape or P.shape[0] != P.shape[-1]:
        raise ValueError(f"P has shape {P.shape}, but [S, A_1, ..., A_n, S] was expected, with at most 8 agents")
    distribution("P", P, "transition probabilities")
    R = real_array("R", R, (P.ndim - 2, *P.shape[:-1]))
    return _kept(P / P.sum(axis=-1, keepdims=True)), _kept(R)


def _sparse(P: Any, R: Any) -> tuple[Any, np.ndarray]:
    R = real_array("R", R)
    if not 3 <= R.ndim <= 2 + len(_AGENTS) or 0 in R.shape or R.ndim != 2 + len(R):
        raise ValueError(f"R has shape {R.shape}, but [n, S, A_1, ..., A_n] was expected, with at most 8 agents")
    S, joint = R.shape[1], R[0, 0].size
    if P.shape != (S * joint, S):
        raise ValueError(
            f"P is sparse with shape {P.shape}, but {(S * joint, S)} was expected, [S * A_1 * ... * A_n, S]"
        )
    return _scaled(_sparse_table("P", P), np.ones((S, joint), bool)), _kept(R)


def _policies(game: MarkovGame, policies: Sequence[Any], but: int | None = None) -> dict[int, np.ndarray]:
    """Return the policies of all agents but one, checked, by agent."""
    if not isinstance(policies, Sequence | np.ndarray) or len(policies) != game.n_agents:
        raise ValueError(
            f"policies is {brief(policies)}, but one policy for each of {game.n_agents} agents was expected"
        )
    checked = {}
    for j, size in enumerate(game.n_actions):
        if j == but:
            continue
        pi = real_array(f"policies[{j}]", policies[j])
        if pi.shape[-2:] != (game.n_states, size):
            raise ValueError(f"policies[{j}] has shape {pi.shape}, but [..., {game.n_states}, {size}] was expected")
        distribution(f"policies[{j}]", pi)
        checked[j] = pi
    return checked
