"""Models of another player, learned by watching, and the best response to a model.

The setting is a matrix game for two that is played again and again (:func:`rlkit.games.worlds.repeated`). The learner
is the first player; the state is the last joint action, number a B + o for the action a of its own and o of the other. A
model says what the other will do next: probabilities float[K, S, B], for K games at once.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from rlkit.core.checks import distribution, number, real_array
from rlkit.games.markov import MarkovGame
from rlkit.learn.markov_games import view_array
from rlkit.learn.tabular.rules import epsilon_greedy

TIT_FOR_TAT = (1, 0, 1, 0)
GRIM = (1, 0, 0, 0)
ALWAYS_COOPERATE = (1, 1, 1, 1)
ALWAYS_DEFECT = (0, 0, 0, 0)
AT_RANDOM = (0.5, 0.5, 0.5, 0.5)
"""Strategies for the repeated prisoner's dilemma: the probability of cooperating after CC, CD, DC and DD, one's own action
first."""


def memory_one(p: Any, seat: int = 1) -> np.ndarray:
    """Return a memory-one strategy as a policy, float[4, 2], of player ``seat`` (0 or 1) in a repeated 2 x 2 game.

    Args:
        p: float[4], the probability of action 0 after (0, 0), (0, 1), (1, 0), (1, 1), one's own action first.
        seat: the states of the game name the action of player 0 first, so player 1 reads them the other way around.

    Raises:
        ValueError: p is no four probabilities, or there is no such seat.
    """
    p = real_array("p", p, (4,))
    for value in p:
        number("p", value, 0, 1)
    if seat not in (0, 1):
        raise ValueError(f"seat is {seat!r}, but 0 or 1 was expected")
    p = p[[0, 2, 1, 3]] if seat == 1 else p
    return np.stack([p, 1 - p], axis=1)


def extortion(payoffs: Any, chi: float = 3.0, phi: float | None = None) -> np.ndarray:
    """Return an extortionate strategy, float[4], that makes s_X - P = chi (s_Y - P), whatever the other player does.

    s_X and s_Y are what the extortioner and the other are paid in the long run, and P what mutual defection pays. The
    strategy p solves p - (1, 1, 0, 0) = phi [ (S_X - P) - chi (S_Y - P) ], where S_X and S_Y are the payoffs after
    CC, CD, DC and DD.

    Args:
        payoffs: float[2, 2, 2], a symmetric prisoner's dilemma, action 0 to cooperate.
        chi: the factor, at least 1.
        phi: how hard it reacts, above 0 (default: the middle of what is possible).

    Raises:
        ValueError: payoffs are no symmetric prisoner's dilemma, or with this phi an entry would be no probability.

    Source: Press and Dyson (2012).
    """
    payoffs = real_array("payoffs", payoffs, (2, 2, 2))
    chi = number("chi", chi, 1, 1e6)
    mine, other = payoffs.reshape(2, 4)
    if (payoffs[1] != payoffs[0].T).any() or not mine[2] > mine[0] > mine[3] > mine[1]:
        raise ValueError("payoffs is no symmetric prisoner's dilemma with action 0 to cooperate")
    direction = (mine - mine[3]) - chi * (other - other[3])
    room = np.array([1, 1, 1, 1]) / np.maximum(abs(direction), 1e-300)
    largest = room.min()
    phi = largest / 2 if phi is None else number("phi", phi, 0, np.inf)
    p = np.array([1, 1, 0, 0]) + phi * direction
    if phi == 0 or (p < 0).any() or (p > 1).any():
        raise ValueError(f"phi is {phi:g}, but with chi = {chi:g} it must lie above 0 and not above {largest:.6g}")
    return p


class Counts:
    """How often the other player did what, as a model of it: one row of counts for each kind of situation.

    Args:
        view: int[S], the kind of each state, below S: all 0 for plain frequencies, 0, 1, ..., S - 1 for a memory of one round
            (the default).
        forget: what a count is multiplied by in each round, in (0, 1]: 1 never forgets, 0.95 looks back some 20 rounds.
    """

    def __init__(self, view: Any = None, forget: float = 1.0):
        self._view, self.forget = view, number("forget", forget, 1e-6, 1)

    def begin(self, states: int, actions: int, copies: int) -> None:
        """Start with a count of 1 for everything."""
        self.view = view_array(self._view, states)
        self.n = np.zeros((copies, self.view.max() + 1, actions))

    def predict(self) -> np.ndarray:
        """Return float[K, S, B]: the shares of the counts, each raised by 1."""
        n = self.n + 1
        return (n / n.sum(axis=-1, keepdims=True))[:, self.view]

    def watch(self, s: np.ndarray, o: np.ndarray) -> None:
        """Count that the other did o: int[K] in the states s: int[K]."""
        self.n *= self.forget
        self.n[np.arange(len(s)), self.view[s], o] += 1


class Types:
    """A belief about which of several known kinds of player the other is.

    Args:
        types: float[M, S, B], the policies of the M kinds, all equally likely at first.
        lapse: with this probability any kind acts at random instead, in (0, 1], so that no kind is ever ruled out.
        change: with this probability, in [0, 1], the other becomes any of the kinds from one round to the next.

    Attributes:
        b: float[K, M], the belief.
    """

    def __init__(self, types: Any, lapse: float = 0.05, change: float = 0.0):
        types = real_array("types", types)
        if types.ndim != 3:
            raise ValueError(f"types has shape {types.shape}, but [M, S, B] was expected")
        distribution("types", types)
        lapse = number("lapse", lapse, 1e-9, 1)
        self.types = (1 - lapse) * types + lapse / types.shape[-1]
        self.change = number("change", change, 0, 1)

    def begin(self, states: int, actions: int, copies: int) -> None:
        """Believe in all kinds alike."""
        M = len(self.types)
        if self.types.shape != (M, states, actions):
            raise ValueError(f"types has shape {self.types.shape}, but {(M, states, actions)} was expected")
        self._log_b = np.full((copies, M), -np.log(M))

    @property
    def b(self) -> np.ndarray:  # noqa: D102 - said above
        return np.exp(self._log_b)

    def predict(self) -> np.ndarray:
        """Return float[K, S, B]: the mean of the kinds' policies under the belief."""
        return np.einsum("km,msb->ksb", self.b, self.types)

    def watch(self, s: np.ndarray, o: np.ndarray) -> None:
        """Update the belief by Bayes' rule: the other did o: int[K] in the states s: int[K]."""
        # In logarithms: after some hundred rounds the belief in a wrong kind is too small for a number, and 0 is for ever.
        log_b = self._log_b + np.log(self.types[:, s, o].T)
        log_b -= np.logaddexp.reduce(log_b, axis=1, keepdims=True)
        if self.change:
            log_b = np.log((1 - self.change) * np.exp(log_b) + self.change / len(self.types))
        self._log_b = log_b


def best_response(model: Any, payoffs: Any, gamma: float, policy: Any = None) -> np.ndarray:
    """Return Q of the best response to models of the other player, float[K, S, A], exactly, for K games at once.

    Against a player who looks at the last round only, the repeated game is a Markov decision process; policy iteration
    solves it: r(s, a) = sum_o model(o | s) payoffs[a, o], and (a, o) is the next state.

    Args:
        model: float[K, S, B], what the other will do after each joint action; S = A B.
        payoffs: float[A, B], what the responder is paid.
        gamma: the discount, below 1.
        policy: int[K, S], where to start (default: the action that pays most at once).

    Raises:
        ValueError: shapes that do not fit, or a discount that is none.
    """
    model, payoffs, gamma = real_array("model", model), real_array("payoffs", payoffs), number("gamma", gamma, 0, 1)
    if payoffs.ndim != 2 or model.ndim != 3 or model.shape[1:] != (payoffs.size, payoffs.shape[1]):
        raise ValueError(
            f"model has shape {model.shape} and payoffs {payoffs.shape}: [K, A B, B] and [A, B] were expected"
        )
    if gamma == 1:
        raise ValueError("gamma is 1, but the game never ends: a discount below 1 was expected")
    (K, S, B), A = model.shape, len(payoffs)
    k, s = np.arange(K)[:, None], np.arange(S)
    r = model @ payoffs.T
    pi = r.argmax(axis=-1) if policy is None else policy
    for _ in range(100):
        P = np.zeros((K, S, A, B))
        P[k, s, pi] = model
        V = np.linalg.solve(np.eye(S) - gamma * P.reshape(K, S, S), r[k, s, pi][..., None])
        Q = r + gamma * np.einsum("ksb,kab->ksa", model, V.reshape(K, A, B))
        better = Q.max(axis=-1) > V[..., 0] + 1e-10 * (1 + abs(V[..., 0]))
        if not better.any():
            break
        pi = np.where(better, Q.argmax(axis=-1), pi)
    return Q


class ModelBased:
    """A player who keeps a model of the other, and in every round plays a best response to it.

    Args:
        model: :class:`Counts` or :class:`Types`.
        epsilon: the probability of an action at random.
    """

    def __init__(self, model: Counts | Types, epsilon: float = 0.0):
        self.model, self.epsilon = model, number("epsilon", epsilon, 0, 1)

    def begin(self, game: MarkovGame, seat: int, copies: int) -> None:
        """Get ready to be the first player of a repeated game for two.

        Raises:
            ValueError: another game, or another seat.
        """
        if seat != 0 or game.n_agents != 2 or game.n_states != np.prod(game.n_actions) or game.gamma == 1:
            raise ValueError("a ModelBased player is the first of two in a repeated game with gamma below 1")
        self.payoffs, self.gamma = game.R[0, 0], game.gamma
        self.model.begin(game.n_states, game.n_actions[1], copies)
        self._k = np.arange(copies)
        self.Q = best_response(self.model.predict(), self.payoffs, self.gamma)

    @property
    def policy(self) -> np.ndarray:
        """float[K, S, A], how it acts."""
        return epsilon_greedy(self.Q, self.epsilon)

    @property
    def greedy(self) -> np.ndarray:
        """float[K, S, A], how it would act without exploring."""
        return epsilon_greedy(self.Q, 0)

    def rows(self, s: np.ndarray) -> np.ndarray:
        """Return its probabilities, float[K, A]."""
        return epsilon_greedy(self.Q[self._k, s], self.epsilon)

    def learn(self, s: np.ndarray, a: np.ndarray, r: np.ndarray, s_next: np.ndarray, terminated: np.ndarray) -> None:
        """Watch what the other did, and respond anew."""
        self.model.watch(s, a[1])
        self.Q = best_response(self.model.predict(), self.payoffs, self.gamma, self.Q.argmax(axis=-1))
