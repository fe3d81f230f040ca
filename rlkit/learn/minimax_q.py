"""Minimax-Q: a Q-learner in a zero-sum Markov game, to whom a state is worth what it can be sure of there.

Q-learning is the same loop with a smaller table, in which all actions of the opponent look alike: the game of a state has one
column then, and its value is the maximum.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from rlkit.core.checks import brief, number, whole_number
from rlkit.games.markov import MarkovGame, super_agent
from rlkit.games.shapley import check_zero_sum
from rlkit.games.zero_sum import zero_sum_batch
from rlkit.mdp import Sampler

OPPONENTS = ("random", "itself")
LITTMAN: dict[str, dict[str, Any]] = {
    "MR": {"opponent": "random", "sees": True},
    "MM": {"opponent": "itself", "sees": True},
    "QR": {"opponent": "random", "sees": False},
    "QQ": {"opponent": "itself", "sees": False},
}
"""The four learners of Littman (1994): minimax-Q and Q-learning, each against random moves and against one of its kind."""


def minimax_target(r: Any, V_next: Any, terminated: Any, gamma: float) -> Any:
    """Return r + gamma V(s'), and r alone where the episode ended.

    Args:
        r, V_next: float[...], the reward, and what the next state is worth.
        terminated: bool[...].
        gamma: the discount.

    Source: the lecture, "First MARL Algorithm: Minimax-Q".
    """
    return r + gamma * (1 - np.asarray(terminated)) * V_next


class Table:
    """What L learners hold of a game, each by itself, and how they act.

    Args:
        learners: L.
        states, actions, seen: S, A, and how many actions of the opponent the table tells apart, O.

    Attributes:
        Q: float[L, S, A, O]; V: float[L, S]; pi: float[L, S, A].
    """

    def __init__(self, learners: int, states: int, actions: int, seen: int):
        self.Q = np.ones((learners, states, actions, seen))
        self.V = np.ones((learners, states))
        self.pi = np.full((learners, states, actions), 1 / actions)

    def act(self, who: np.ndarray, s: np.ndarray, explore: float, u: np.ndarray) -> np.ndarray:
        """Return int[K], an action in each of K worlds.

        Args:
            who, s: int[K], which learner plays there, and the state.
            explore: the probability of an action at random.
            u: float[2, K], random numbers in [0, 1).
        """
        by_pi = (self.pi[who, s].cumsum(axis=1)[:, :-1] <= u[1][:, None]).sum(axis=1)
        return np.where(u[0] < explore, (u[1] * self.pi.shape[2]).astype(int), by_pi)

    def pull(self, who: np.ndarray, s: np.ndarray, a: np.ndarray, o: np.ndarray, y: np.ndarray, alpha: float) -> None:
        """Set Q(s, a, o) to (1 - alpha) Q(s, a, o) + alpha y, for K targets; in one entry one after the other."""
        seen = o if self.Q.shape[3] > 1 else np.zeros_like(o)
        entry = np.ravel_multi_index((who, s, a, seen), self.Q.shape)
        order = entry.argsort(kind="stable")
        sorted_entry = entry[order]
        first = np.flatnonzero(np.r_[True, sorted_entry[1:] != sorted_entry[:-1]])
        count = np.diff(np.r_[first, len(entry)])
        # n pulls leave (1 - alpha)^n of what was there, and alpha (1 - alpha)^m of a target after which m more came.
        after = np.repeat(first + count, count) - 1 - np.arange(len(entry))
        pulls = np.add.reduceat(alpha * (1 - alpha) ** after * y[order], first)
        at, flat = sorted_entry[first], self.Q.reshape(-1)
        flat[at] = (1 - alpha) ** count * flat[at] + pulls

    def solve(self, who: np.ndarray, s: np.ndarray) -> None:
        """Set pi and V to the solution of the game Q(s, ., .), for all of these states that differ."""
        S = self.V.shape[1]
        who, s = np.divmod(np.unique(who * S + s), S)
        solved = zero_sum_batch(self.Q[who, s])
        self.pi[who, s], self.V[who, s] = solved.x, solved.value


@dataclass(frozen=True, eq=False)
class MinimaxLearned:
    """What L learners have learned.

    Attributes:
        tables: agent 0's, and agent 1's if it learned too: Q: float[L, S, A, O] (of a Q-learner O is 1), V: float[L, S] and pi:
            float[L, S, A], in which A are an agent's own actions and V is what *it* will be paid.
        at: int[T], so many steps of each learner had been made when the following were kept, from 0 on.
        V: float[T, L, S]; pi: float[T, L, S, A]: of agent 0, then.
    """

    tables: tuple[Table, ...]
    at: np.ndarray
    V: np.ndarray
    pi: np.ndarray


def minimax_q(
    game: MarkovGame,
    opponent: str = "random",
    *,
    sees: bool = True,
    steps: int = 1_000_000,
    seeds: Sequence[int] = (0,),
    worlds: int = 1,
    explore: float = 0.2,
    last_alpha: float = 0.01,
    every: int | None = None,
) -> MinimaxLearned:
    """Learn to play a zero-sum game as agent 0, by minimax-Q; one learner for each seed, side by side.

    ::

        1. Q(s, a, o) := 1, V(s) := 1 and pi_s(a) := 1 / |A| for all s, a and o;  alpha := 1
        2. observe the current state s
        3. do forever:
        4.     with probability explor select an action a at random, otherwise by pi_s; execute it
        5.     receive the reward r; observe the opponent's action o and the new state s'
        6.     Q(s, a, o) := (1 - alpha) Q(s, a, o) + alpha (r + gamma V(s'))
        7.     pi_s := the pi that makes min_o sum_a Q(s, a, o) pi(a) largest
        8.     V(s) := min_o sum_a Q(s, a, o) pi_s(a)
        9.     alpha := alpha decay;  s := s', or the start of a new episode

    A learner may live in several worlds. It makes one step in each of them, with the same tables and the same alpha, and then
    learns from all: in one entry of Q the targets of several worlds are taken one after the other, in the order of the worlds,
    and pi and V are found once for each state that was left. ``steps`` counts the steps in all worlds together, and alpha
    falls as much in them as it would in one world. With one world it is the paper's algorithm to the letter.

    Agent 1 is another learner, with tables, rewards and exploration of its own; or it moves at random.

    Args:
        game: zero-sum, of two agents, with gamma < 1. As a reward comes R(s, a, o), which is a mean where chance decides.
        opponent: "random", or "itself", one of the same kind.
        sees: whether the tables tell the opponent's actions apart. Without that the learners are Q-learners. Of equally good
            actions they take the first; in a state that they have never left they act at random.
        steps: of each learner, in all its worlds together; a multiple of ``worlds``.
        seeds: L numbers. The learner of a seed is the same whatever others there are.
        worlds: of each learner.
        explore: explor, in [0, 1].
        last_alpha: to which alpha falls in the end, from 1e-9 to 1: decay is last_alpha^(1 / steps).
        every: after so many steps the tables are kept, a multiple of ``worlds`` (default: only at the end).

    Raises:
        ValueError: another game, an opponent that is none, or numbers that are none.

    Source: Littman (1994).
    """
    check_zero_sum(game)
    streams, ticks, keep = _runs(opponent, seeds, steps, worlds, every)
    explore, last_alpha = number("explore", explore, 0, 1), number("last_alpha", last_alpha, 1e-9, 1)
    L, S, (A, O) = len(streams), game.n_states, game.n_actions  # noqa: E741 - O is to the opponent what A is to us
    draw = lambda n: np.concatenate([rng.random((n, worlds)) for rng in streams], axis=1)  # noqa: E731 - short
    world, who = Sampler(super_agent(game), 1, np.random.default_rng(0)), np.repeat(np.arange(L), worlds)
    tables = (Table(L, S, A, O if sees else 1), Table(L, S, O, A if sees else 1))  # (1)
    learners = tables if opponent == "itself" else tables[:1]
    kept = [(0, tables[0].V.copy(), tables[0].pi.copy())]
    alpha, decay = 1.0, last_alpha ** (1 / ticks) if ticks else 1.0
    s = _start(game, draw(1)[0])  # (2)
    for t in range(1, ticks + 1):  # (3)
        u = draw(6)
        a = tables[0].act(who, s, explore, u[:2])  # (4)
        o = tables[1].act(who, s, explore, u[2:4])
        _, s_next, terminated = world.draw((s * A + a) * O + o, u[4])
        r = game.R[0, s, a, o]  # (5)
        for me, mine, theirs, sign in zip(learners, (a, o), (o, a), (1, -1), strict=False):
            y = minimax_target(sign * r, me.V[who, s_next], terminated, game.gamma)
            me.pull(who, s, mine, theirs, y, alpha)  # (6)
            me.solve(who, s)  # (7, 8)
        alpha *= decay  # (9)
        s = np.where(terminated, _start(game, u[5]), s_next)
        if t % keep == 0 or t == ticks:
            kept.append((t * worlds, tables[0].V.copy(), tables[0].pi.copy()))
    return MinimaxLearned(learners, *(np.array(column) for column in zip(*kept, strict=True)))


def _runs(
    opponent: str, seeds: Sequence[int], steps: int, worlds: int, every: int | None
) -> tuple[list[np.random.Generator], int, int]:
    """Return a stream of random numbers for each seed, how many steps each world makes, and after how many tables are kept."""
    if opponent not in OPPONENTS:
        raise ValueError(f"opponent is {brief(opponent)}, but one of {', '.join(OPPONENTS)} was expected")
    if not len(seeds):
        raise ValueError("seeds is empty: every learner needs one")
    worlds, steps = whole_number("worlds", worlds, 1), whole_number("steps", steps, 0)
    every = max(steps, worlds) if every is None else whole_number("every", every, 1)
    for name, value in (("steps", steps), ("every", every)):
        if value % worlds:
            raise ValueError(f"{name} is {value}, but a multiple of worlds, {worlds}, was expected")
    return [np.random.default_rng(seed) for seed in seeds], steps // worlds, every // worlds


def _start(game: MarkovGame, u: np.ndarray) -> np.ndarray:
    """Return int[K], states in which episodes begin, from random numbers in [0, 1)."""
    total = np.cumsum(game.start)
    return np.minimum(total.searchsorted(u * total[-1], side="right"), game.n_states - 1)
