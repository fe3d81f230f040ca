"""A Markov game behind PettingZoo's interface: everybody sees the number of the state, and all move at once."""

from __future__ import annotations

from typing import Any

import numpy as np
from gymnasium.spaces import Discrete
from pettingzoo import ParallelEnv
from scipy import sparse

from rlkit.core.checks import whole_number
from rlkit.games.markov import MarkovGame


class ParallelMarkovGame(ParallelEnv[str, int, int]):
    """A :class:`~rlkit.games.MarkovGame` as a PettingZoo ``ParallelEnv``.

    The agents are ``agent_0``, ``agent_1``, and so on. All are terminated when a terminal state is entered, and truncated
    after ``max_steps`` steps, if that is not the same step. Rewards are the game's means, exactly.

    Args:
        game: with dense or sparse transitions.
        max_steps: the length of an episode at most (default: no limit; a game without terminal states then goes on for ever).

    Raises:
        ValueError: max_steps is not a whole number above 0.
    """

    metadata: dict[str, Any] = {"name": "rlkit_markov_game_v0", "render_modes": []}

    def __init__(self, game: MarkovGame, max_steps: int | None = None):
        self.render_mode = None
        self.game = game
        self.max_steps = None if max_steps is None else whole_number("max_steps", max_steps, 1)
        self.possible_agents = [f"agent_{i}" for i in range(game.n_agents)]
        self.agents: list[str] = []
        self.observation_spaces = {name: Discrete(game.n_states) for name in self.possible_agents}
        self.action_spaces = {name: Discrete(A) for name, A in zip(self.possible_agents, game.n_actions, strict=True)}
        self._rows = None if game.dense else sparse.csr_array(game.P)
        self.rng = np.random.default_rng()
        self.state_number, self.steps = 0, 0

    def observation_space(self, agent: str) -> Discrete:
        """Return what an agent may see: the number of the state."""
        return self.observation_spaces[agent]

    def action_space(self, agent: str) -> Discrete:
        """Return what an agent may do: the numbers of its actions, in every state the same."""
        return self.action_spaces[agent]

    def reset(
        self, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[str, int], dict[str, dict[str, Any]]]:
        """Begin an episode in a state that is drawn from ``game.start``; ``options={"state": s}`` says in which.

        Raises:
            ValueError: a state that does not exist.
        """
        if seed is not None:
            self.rng = np.random.default_rng(seed)
        given = (options or {}).get("state")
        if given is None:
            self.state_number = self._draw(np.arange(self.game.n_states), self.game.start)
        else:
            self.state_number = whole_number("state", given, 0)
            if self.state_number >= self.game.n_states:
                raise ValueError(f"state is {given}, but there are {self.game.n_states}, numbered from 0")
        self.steps = 0
        self.agents = list(self.possible_agents)
        return self._seen(), {name: {} for name in self.agents}

    def step(
        self, actions: dict[str, int]
    ) -> tuple[dict[str, int], dict[str, float], dict[str, bool], dict[str, bool], dict[str, dict[str, Any]]]:
        """Let all agents act at once.

        Args:
            actions: the number of an action for each name in ``agents``.

        Raises:
            ValueError: an agent without an action, an action that does not exist, or an episode that is over.
        """
        if not self.agents:
            raise ValueError("the episode is over: reset the world before its next step")
        if missing := [name for name in self.agents if name not in actions]:
            raise ValueError(f"actions has none for {', '.join(missing)}")
        for name in self.agents:
            if not self.action_spaces[name].contains(actions[name]):
                count = self.action_spaces[name].n
                raise ValueError(f"actions[{name!r}] is {actions[name]!r}, but {name} has the actions 0 to {count - 1}")
        place = (self.state_number, *(int(actions[name]) for name in self.agents))
        reward = self.game.R[(slice(None), *place)]
        self.state_number = self._draw(*self._next(place))
        self.steps += 1
        over = bool(self.game.terminal[self.state_number])
        cut = self.steps == self.max_steps and not over
        asked, seen = self.agents, self._seen()
        if over or cut:
            self.agents = []
        return (
            seen,
            {name: float(r) for name, r in zip(asked, reward, strict=True)},
            dict.fromkeys(asked, over),
            dict.fromkeys(asked, cut),
            {name: {} for name in asked},
        )

    def _seen(self) -> dict[str, int]:
        return dict.fromkeys(self.agents, self.state_number)

    def _next(self, place: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
        """Return the states that may follow, and their probabilities."""
        if self._rows is None:
            row = self.game.P[place]
            return np.flatnonzero(row), row[row > 0]
        k = np.ravel_multi_index(place, (self.game.n_states, *self.game.n_actions))
        part = slice(self._rows.indptr[k], self._rows.indptr[k + 1])
        return self._rows.indices[part], self._rows.data[part]

    def _draw(self, states: np.ndarray, p: np.ndarray) -> int:
        return int(self.rng.choice(states, p=p))
