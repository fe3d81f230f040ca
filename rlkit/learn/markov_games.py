"""Several learners in one Markov game, each with a table of its own; many copies of the game in one batch.

A learner here is anything with three methods: ``begin`` prepares it, ``rows`` says with which probabilities it acts in given
states, and ``learn`` tells it what has happened. :func:`learn_together` lets such learners, one for each agent, play.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any, Protocol

import numpy as np

from rlkit.core.checks import brief, distribution, number, real_array, whole_number
from rlkit.games.markov import MarkovGame, super_agent
from rlkit.learn.tabular.rules import epsilon_greedy, q_target
from rlkit.mdp import Sampler


class Learner(Protocol):
    """What :func:`learn_together` asks of an agent."""

    def begin(self, game: MarkovGame, seat: int, copies: int) -> None:
        """Get ready to be agent ``seat`` of K = ``copies`` games."""

    def rows(self, s: np.ndarray) -> np.ndarray:
        """Return the probabilities of its actions, float[K, A], in the states s: int[K]."""

    def learn(self, s: np.ndarray, a: np.ndarray, r: np.ndarray, s_next: np.ndarray, terminated: np.ndarray) -> None:
        """Learn from a step: states int[K], the actions of all agents int[n, K], its own rewards float[K]."""


class QLearner:
    """Q-learning with a table of one's own actions: to it, the other agents are part of the world.

    Args:
        alpha: the step size, in [0, 1].
        epsilon: the probability of an action at random, in [0, 1].
        view: int[S], the number of what it sees in each state, below S; the table has a row for each such number (default: it
            sees the state).

    Attributes:
        Q: float[K, S, A], the table, as a function of the state.
        policy: float[K, S, A], how it acts.
        greedy: float[K, S, A], how it would act without exploring; equally good actions share.
    """

    def __init__(self, alpha: float = 0.1, epsilon: float = 0.1, view: Any = None):
        self.alpha, self.epsilon = number("alpha", alpha, 0, 1), number("epsilon", epsilon, 0, 1)
        self._view = view

    def begin(self, game: MarkovGame, seat: int, copies: int) -> None:
        """Set the table to 0."""
        self.view = view_array(self._view, game.n_states)
        self.table = np.zeros((copies, self.view.max() + 1, game.n_actions[seat]))
        self.seat, self.gamma, self._k = seat, game.gamma, np.arange(copies)

    @property
    def Q(self) -> np.ndarray:  # noqa: D102 - said above
        return self.table[:, self.view]

    @property
    def policy(self) -> np.ndarray:  # noqa: D102
        return epsilon_greedy(self.Q, self.epsilon)

    @property
    def greedy(self) -> np.ndarray:  # noqa: D102
        return epsilon_greedy(self.Q, 0)

    def rows(self, s: np.ndarray) -> np.ndarray:
        """Return epsilon-greedy probabilities, float[K, A]."""
        return epsilon_greedy(self.table[self._k, self.view[s]], self.epsilon)

    def learn(self, s: np.ndarray, a: np.ndarray, r: np.ndarray, s_next: np.ndarray, terminated: np.ndarray) -> None:
        """Pull Q(o, a^i) towards r^i + gamma max_b Q(o', b), where o and o' are what it sees."""
        at = self._k, self.view[s], a[self.seat]
        y = q_target(r, self.table[self._k, self.view[s_next]], terminated, self.gamma)
        self.table[at] += self.alpha * (y - self.table[at])


class Fixed:
    """An agent that does not learn: it acts by one policy, or by one policy and later by another.

    Args:
        policy: float[S, A].
        then, at: float[S, A], the policy from step ``at`` on (default: it never changes).
    """

    def __init__(self, policy: Any, then: Any = None, at: int = 0):
        self._policies, self._at = (policy, policy if then is None else then), whole_number("at", at, 0)

    def begin(self, game: MarkovGame, seat: int, copies: int) -> None:
        """Check the policies and begin with the first one."""
        shape = game.n_states, game.n_actions[seat]
        self._both = [real_array("policy", policy, shape) for policy in self._policies]
        for policy in self._both:
            distribution("policy", policy)
        self._copies, self._t = copies, 0

    @property
    def policy(self) -> np.ndarray:
        """float[K, S, A], how it acts now."""
        now = self._both[self._t >= self._at]
        return np.broadcast_to(now, (self._copies, *now.shape))

    greedy = policy

    def rows(self, s: np.ndarray) -> np.ndarray:
        """Return its probabilities, float[K, A]."""
        return self._both[self._t >= self._at][s]

    def learn(self, s: np.ndarray, a: np.ndarray, r: np.ndarray, s_next: np.ndarray, terminated: np.ndarray) -> None:
        """Count the step."""
        self._t += 1


@dataclass(frozen=True, eq=False)
class Moment:
    """Where K games stand, and what has happened in them since the moment before.

    Attributes:
        step: how many steps every game has made.
        policies, greedy: for each agent float[K, S, A_i], how it acts, and how it would without exploring; None for agents
            that do not tell.
        s, s_next: int[T, K]; a: int[T, n, K]; r: float[T, n, K]: the T steps since the moment before.
    """

    step: int
    policies: tuple[Any, ...]
    greedy: tuple[Any, ...]
    s: np.ndarray
    a: np.ndarray
    r: np.ndarray
    s_next: np.ndarray


def learn_together(
    game: MarkovGame, agents: Sequence[Any], *, steps: int, copies: int = 1, every: int = 100, seed: int = 0
) -> Iterator[Moment]:
    """Let agents act and learn at the same time, each by itself, and yield a :class:`Moment` at the start and every so often.

    With a :class:`QLearner` for each agent this is independent Q-learning::

        1. Q^i(s, a^i) := 0 for every agent i
        2. observe the current state s
        3. do forever:
        4.     every agent i selects an action a^i by its own Q^i; execute all of them at once
        5.     every agent i receives its reward r^i; observe the new state s'
        6.     every agent i: Q^i(s, a^i) := Q^i(s, a^i) + alpha [ r^i + gamma max_b Q^i(s', b) - Q^i(s, a^i) ]
        7.     s := s', or the start of a new episode

    Args:
        game: with n agents.
        agents: n learners; they keep what they have learned.
        steps: how many steps each game makes.
        copies: K, how many games, with learners of their own.
        every: steps between two moments.
        seed: of all randomness.

    Raises:
        ValueError: another number of agents than the game has, one agent twice, or numbers that are none.

    Source: Tan (1993), "independent agents".
    """
    if not isinstance(agents, Sequence) or len(agents) != game.n_agents:
        raise ValueError(f"agents is {brief(agents)}, but the game has {game.n_agents} agents")
    for i, j in combinations(range(len(agents)), 2):
        if agents[i] is agents[j]:
            raise ValueError(
                f"agents[{i}] and agents[{j}] are one and the same object, but each needs a table of its own"
            )
    steps, every = whole_number("steps", steps, 0), whole_number("every", every, 1)
    rng = np.random.default_rng(seed)
    world = Sampler(super_agent(game), copies, rng)
    for i, agent in enumerate(agents):
        agent.begin(game, i, world.copies)  # (1)
    s = world.state.copy()  # (2)
    log: list[tuple[np.ndarray, ...]] = []
    yield _moment(0, game, agents, log, world.copies)
    for t in range(1, steps + 1):  # (3)
        draws = rng.random((game.n_agents + 1, world.copies))
        a = np.stack([_drawn(agent.rows(s), u) for agent, u in zip(agents, draws, strict=False)])  # (4)
        joint = np.ravel_multi_index(tuple(a), game.n_actions)
        _, s_next, terminated = world.draw(s * world.mdp.n_actions + joint, draws[-1])
        r = game.R[(slice(None), s, *a)]  # (5)
        for i, agent in enumerate(agents):
            agent.learn(s, a, r[i], s_next, terminated)  # (6)
        log.append((s, a, r, s_next))
        s = s_next
        if terminated.any():
            s = s_next.copy()
            s[terminated] = world.draw_start(int(terminated.sum()))  # (7)
        if t % every == 0 or t == steps:
            yield _moment(t, game, agents, log, world.copies)
            log = []


def own_estimates(
    moments: Sequence[Moment], i: int, s: int, a: int, s_next: int, pool: int = 1
) -> tuple[np.ndarray, np.ndarray]:
    """Return what agent i itself has counted, moment by moment, as if its world stood still.

    Args:
        moments: of :func:`learn_together`, with K games.
        i: the agent.
        s, a: a state, and an action of agent i in it.
        s_next: a next state.
        pool: so many games are counted together. A learner tries less often what has failed, so that early failures of a
            single game keep their weight: the mean over games is too low, the share of a pool much less so.

    Returns:
        float[K / pool, M]: the share of the times it did a in s after which s_next followed;
        float[K / pool, M]: the mean of the rewards that it received there. NaN before the first time.

    Raises:
        ValueError: pool does not divide the number of games.
    """
    K, pool = moments[0].s.shape[1], whole_number("pool", pool, 1)
    if K % pool:
        raise ValueError(f"pool is {pool}, which does not divide {K} games")
    count, hits, paid = np.zeros((3, len(moments), K // pool))
    for m, moment in enumerate(moments):
        there = (moment.s == s) & (moment.a[:, i] == a)
        for total, what in ((count, there), (hits, there & (moment.s_next == s_next)), (paid, there * moment.r[:, i])):
            total[m] = what.sum(axis=0).reshape(-1, pool).sum(axis=1)
    seen = count.cumsum(axis=0).T
    seen[seen == 0] = np.nan
    return hits.cumsum(axis=0).T / seen, paid.cumsum(axis=0).T / seen


def view_array(view: Any, states: int) -> np.ndarray:
    """Return what is seen in each state as int[S], numbers below S: by default, the state."""
    if view is None:
        return np.arange(states)
    view = real_array("view", view, (states,))
    if (view != np.floor(view)).any() or view.min() < 0:
        raise ValueError("view must hold whole numbers of at least 0: the number of what is seen in each state")
    if view.max() >= states:
        raise ValueError(f"view holds {view.max():g}, but {states} states look like no more than 0 to {states - 1}")
    return view.astype(int)


def _drawn(rows: np.ndarray, u: np.ndarray) -> np.ndarray:
    """Return one draw from each row of probabilities."""
    return (rows.cumsum(axis=1)[:, :-1] <= u[:, None]).sum(axis=1)


def _moment(t: int, game: MarkovGame, agents: Sequence[Any], log: list[tuple[np.ndarray, ...]], copies: int) -> Moment:
    policies, greedy = (tuple(getattr(agent, name, None) for agent in agents) for name in ("policy", "greedy"))
    if log:
        return Moment(t, policies, greedy, *(np.array(column) for column in zip(*log, strict=True)))
    n, none = game.n_agents, np.zeros((0, copies), int)
    return Moment(t, policies, greedy, none, np.zeros((0, n, copies), int), np.zeros((0, n, copies)), none)
