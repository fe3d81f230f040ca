"""Nash-Q: every agent learns the values of all agents, and takes as the value of a state what an equilibrium there is worth.

Its relatives stand beside it, on the same random play: friend-or-foe Q-learning, and Q-learners each for itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from rlkit.core.checks import brief, number, whole_number
from rlkit.games.markov import MarkovGame, super_agent
from rlkit.games.stage import RULES, Stage, stage_nash
from rlkit.games.zero_sum import zero_sum_batch
from rlkit.learn.tabular.rules import q_target
from rlkit.mdp import Sampler

_BLOCK = 1000


def nash_target(
    r: Any, Q_next: Any, terminated: Any, gamma: float, rule: str | Sequence[str] = "first", agent: Any = 0
) -> np.ndarray:
    """Return r^j + gamma Nash Q^j(s') for both agents j, and r^j alone where the episode ended.

    Args:
        r: float[N, 2], the rewards of both agents.
        Q_next: float[N, 2, A_1, A_2], the stage games of the next states.
        terminated: bool[N].
        gamma: the discount.
        rule, agent: as for :func:`stage_nash`.

    Returns:
        float[N, 2].

    Source: Hu and Wellman (2003).
    """
    _, _, nash_value = stage_nash(Q_next, rule, agent)
    return r + gamma * (1 - np.asarray(terminated))[:, None] * nash_value


@dataclass(frozen=True, eq=False)
class NashLearned:
    """What Nash-Q has learned in K trials, by one rule or by several.

    Attributes:
        learners: L pairs (rule, agent): whose tables these are. Only "own" depends on the agent; other rules have one entry.
        Q: float[L, K, 2, S, A_1, A_2], what each of them holds of both agents' values.
        visits: int[K, S, A_1, A_2], how often each joint action was taken.
        episodes: int[K], how many episodes each trial has finished.
        at: int[T], the steps at which values were kept.
        values: float[T, L, K, 2], what the start is worth then to both agents: Nash Q^1 and Nash Q^2 by these tables.
    """

    learners: tuple[tuple[str, int], ...]
    Q: np.ndarray
    visits: np.ndarray
    episodes: np.ndarray
    at: np.ndarray
    values: np.ndarray

    def policies(self, *rules: str) -> tuple[np.ndarray, np.ndarray]:
        """Return how both agents act when they explore no longer: each plays its part of the equilibrium that its rule selects.

        Args:
            rules: of agent 1 and of agent 2, or one for both.

        Returns:
            float[K, S, A_1], float[K, S, A_2].
        """
        one, other = rules * 2 if len(rules) == 1 else rules
        return self._stage(one, 0).x, self._stage(other, 1).y

    def learner(self, rule: str, agent: int = 0) -> int:
        """Return where in ``learners`` an agent with a rule is.

        Raises:
            ValueError: nobody learned by this rule.
        """
        for i, (name, whose) in enumerate(self.learners):
            if name == rule and (rule != "own" or whose == agent):
                return i
        raise ValueError(f"nobody learned by the rule {brief(rule)}, but by {', '.join(n for n, _ in self.learners)}")

    def _stage(self, rule: str, agent: int) -> Stage:
        Q = self.Q[self.learner(rule, agent)]
        K, _, S, *sizes = Q.shape
        stage = stage_nash(Q.swapaxes(1, 2).reshape(K * S, 2, *sizes), rule, agent)
        return Stage(*(part.reshape(K, S, -1) for part in stage))


def nash_q(
    game: MarkovGame,
    rules: Sequence[str] = ("first",),
    *,
    steps: int,
    seeds: Sequence[int] = (0,),
    power: float = 1.0,
    every: int = 1000,
) -> NashLearned:
    """Learn by Nash-Q while all act at random, in K trials side by side.

    ::

        1. every agent keeps tables for all agents j, itself included: Q^j(s, a^1, ..., a^n) := 0
        2. observe the current state s
        3. do forever:
        4.     every agent i selects an action a^i at random; execute all of them at once
        5.     every agent observes all rewards r^1, ..., r^n, and the new state s'
        6.     alpha := 1 / (how often this joint action a has been taken in s)^omega
        7.     pi^1, ..., pi^n := the equilibrium of the stage game (Q^1(s'), ..., Q^n(s')) that the agent's rule selects
        8.     y^j := r^j + gamma Nash Q^j(s'), for all j: Nash Q^j(s') is what pi^1, ..., pi^n pay agent j there
        9.     Q^j(s, a) := (1 - alpha) Q^j(s, a) + alpha y^j, for all j
        10.    s := s', or the start of a new episode

    All agents see the same, and what they see does not depend on what they have learned: so two agents with the same rule
    hold the same tables (unless it is "own"), and several rules can be learned from the same play.

    Args:
        game: of two agents.
        rules: one or more of RULES; see :func:`stage_nash`. Each is learned by tables of its own.
        steps: of each trial.
        seeds: K numbers; the trial of a seed is the same whatever others there are.
        power: omega in [0, 1]; with 1, all samples have the same weight, however little was known when they came.
        every: steps between two values of the start that are kept.

    Raises:
        ValueError: a game of more than two agents, a rule that is none, or numbers that are none.

    Source: Hu and Wellman (2003).
    """
    _two(game)
    if isinstance(rules, str) or not len(rules) or len(set(rules)) < len(rules):
        raise ValueError(f"rules is {brief(rules)}, but a list of different rules was expected")
    for name in rules:
        if name not in RULES:
            raise ValueError(f"{brief(name)} is no rule; there are {', '.join(RULES)}")
    learners = tuple((name, whose) for name in rules for whose in ((0, 1) if name == "own" else (0,)))
    power, every = number("power", power, 0, 1), whole_number("every", every, 1)
    play = random_play(game, seeds, steps)
    L, K = len(learners), len(seeds)
    i, k = np.ogrid[:L, :K]
    rule, agent = (tuple(np.repeat(column, K).tolist()) for column in zip(*learners, strict=True))
    Q = np.zeros((L, K, 2, game.n_states, *game.n_actions))  # (1)
    visits, episodes = np.zeros((K, game.n_states, *game.n_actions), int), np.zeros(K, int)
    at, values = [0], [_at_start(game, Q, learners)]
    for t, (s, a, r, s_next, terminated) in enumerate(play, start=1):  # (2, 3, 4, 5, 10)
        visits[k[0], s, *a] += 1
        alpha = visits[k[0], s, *a][:, None] ** -power  # (6)
        stage = Q[i, k, :, s_next].reshape(L * K, 2, *game.n_actions)
        y = nash_target(np.tile(r.T, (L, 1)), stage, np.tile(terminated, L), game.gamma, rule, agent)  # (7, 8)
        Q[i, k, :, s, *a] = (1 - alpha) * Q[i, k, :, s, *a] + alpha * y.reshape(L, K, 2)  # (9)
        episodes += terminated
        if t % every == 0:
            at.append(t)
            values.append(_at_start(game, Q, learners))
    return NashLearned(learners, Q, visits, episodes, np.array(at), np.array(values))


def independent_q(
    game: MarkovGame, *, steps: int, seeds: Sequence[int] = (0,), power: float = 1.0
) -> tuple[np.ndarray, ...]:
    """Learn by Q-learning, each agent for itself, from the play from which :func:`nash_q` learns.

    An agent's table has a row for each state and an entry for each of its *own* actions. What the other does, which is to act
    at random, is to it a part of the world.

    Args:
        game: with n agents.
        steps, seeds, power: as for :func:`nash_q`; here visits are those of the agent's own action in the state.

    Returns:
        For each agent Q^i: float[K, S, A_i].

    Raises:
        ValueError: numbers that are none.

    Source: Watkins (1989), each for itself as in Tan (1993).
    """
    power, play, k = number("power", power, 0, 1), random_play(game, seeds, steps), np.arange(len(seeds))
    tables = tuple(np.zeros((len(seeds), game.n_states, A)) for A in game.n_actions)
    visits = [np.zeros(Q.shape, int) for Q in tables]
    for s, a, r, s_next, terminated in play:
        for i, (Q, n) in enumerate(zip(tables, visits, strict=True)):
            here = k, s, a[i]
            n[here] += 1
            Q[here] += n[here] ** -power * (q_target(r[i], Q[k, s_next], terminated, game.gamma) - Q[here])
    return tables


def friend_or_foe(
    game: MarkovGame, kinds: Sequence[str] = ("friend", "friend"), *, steps: int, seeds: Any = (0,), power: float = 1.0
) -> tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """Learn as Nash-Q does, but be told what the other is: a friend, who wants what you want, or a foe, who wants the opposite.

    Then nobody needs the other's table: against a friend a state is worth max_a Q^i(s, a), the best joint action;
    against a foe it is worth the value of the zero-sum game Q^i(s, .), which is minimax-Q.

    Args:
        game: of two agents.
        kinds: what each agent takes the other for, "friend" or "foe".
        steps, seeds, power: as for :func:`nash_q`.

    Returns:
        Q^i: float[K, S, A_1, A_2] of each agent, and its policy: float[K, S, A_i].

    Raises:
        ValueError: a game of more than two agents, a kind that is none, or numbers that are none.

    Source: Littman (2001).
    """
    _two(game)
    if isinstance(kinds, str) or len(kinds) != 2 or not {"friend", "foe"}.issuperset(kinds):
        raise ValueError(f"kinds is {brief(kinds)}, but 'friend' or 'foe' for each of 2 agents was expected")
    power, play, k = number("power", power, 0, 1), random_play(game, seeds, steps), np.arange(len(seeds))
    tables = tuple(np.zeros((len(seeds), game.n_states, *game.n_actions)) for _ in kinds)
    visits = np.zeros(tables[0].shape, int)
    for s, a, r, s_next, terminated in play:
        here = k, s, *a
        visits[here] += 1
        for i, (Q, kind) in enumerate(zip(tables, kinds, strict=True)):
            value, _ = _believed(Q[k, s_next], kind, i)
            Q[here] += visits[here] ** -power * (r[i] + game.gamma * (1 - terminated) * value - Q[here])
    policies = tuple(_believed(Q, kind, i)[1] for i, (Q, kind) in enumerate(zip(tables, kinds, strict=True)))
    return tables, policies  # type: ignore[return-value]


def _believed(Q: np.ndarray, kind: str, i: int) -> tuple[np.ndarray, np.ndarray]:
    """Return what states are worth to agent i, float[...], and its policy, float[..., A_i], from Q^i: float[..., A_1, A_2]."""
    mine = Q if i == 0 else Q.swapaxes(-1, -2)
    if kind == "foe":
        value, x, _ = zero_sum_batch(mine)
        return value, x
    best = mine.max(axis=-1)
    return best.max(axis=-1), np.eye(best.shape[-1])[best.argmax(axis=-1)]


def random_play(game: MarkovGame, seeds: Sequence[int], steps: int) -> Iterator[tuple[np.ndarray, ...]]:
    """Let all agents act at random, and return an iterator over the steps of K trials, side by side.

    Args:
        game: with n agents.
        seeds: K numbers: each trial draws from a stream of its own.
        steps: how many.

    Returns:
        One tuple a step: s: int[K]; a: int[n, K]; r: float[n, K]; the next state int[K]; terminated bool[K].

    Raises:
        ValueError: no seeds, or a number of steps that is none.
    """
    if not len(seeds):
        raise ValueError("seeds is empty: every trial needs one")
    streams, steps = [np.random.default_rng(seed) for seed in seeds], whole_number("steps", steps, 0)
    return _steps(game, streams, steps)


def _steps(game: MarkovGame, streams: list[np.random.Generator], steps: int) -> Iterator[tuple[np.ndarray, ...]]:
    world = Sampler(super_agent(game), len(streams), streams[0])
    A, begin = world.mdp.n_actions, np.cumsum(game.start)
    state = lambda u: np.minimum(begin.searchsorted(u * begin[-1], side="right"), game.n_states - 1)  # noqa: E731
    s = state(np.array([rng.random() for rng in streams]))
    for t in range(steps):
        if t % _BLOCK == 0:
            draws = np.stack([rng.random((_BLOCK, 3)) for rng in streams], axis=-1)
        act, move, again = draws[t % _BLOCK]
        joint = (act * A).astype(int)
        a = np.array(np.unravel_index(joint, game.n_actions))
        _, s_next, terminated = world.draw(s * A + joint, move)
        yield s, a, game.R[(slice(None), s, *a)], s_next, terminated
        s = np.where(terminated, state(again), s_next)


def _at_start(game: MarkovGame, Q: np.ndarray, learners: Sequence[tuple[str, int]]) -> np.ndarray:
    """Return what the start is worth to both agents, by each learner's tables: float[L, K, 2]."""
    begin = np.flatnonzero(game.start)
    values = []
    for tables, (rule, agent) in zip(Q, learners, strict=True):
        K, _, _, *sizes = tables.shape
        stage = stage_nash(tables[:, :, begin].swapaxes(1, 2).reshape(-1, 2, *sizes), rule, agent)
        values.append(np.einsum("ksj,s->kj", stage.value.reshape(K, len(begin), 2), game.start[begin]))
    return np.array(values)


def _two(game: MarkovGame) -> None:
    if game.n_agents != 2:
        raise ValueError(f"the game has {game.n_agents} agents, but stage games of 2 are solved here")
