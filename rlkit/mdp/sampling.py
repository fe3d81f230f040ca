"""Acting in a world whose tables are known: many copies of it at once, one array operation a step."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import sparse

from rlkit.core.checks import real_array
from rlkit.mdp.tabular import TabularMDP


class Sampler:
    """K independent copies of a world, stepped together.

    Args:
        mdp: the world.
        copies: K, how many.
        rng: the source of all randomness.

    Attributes:
        state: int[K], where each copy is now.
    """

    def __init__(self, mdp: TabularMDP, copies: int, rng: np.random.Generator):
        if copies != int(copies) or copies < 1:
            raise ValueError(f"copies is {copies}, but a whole number of at least 1 was expected")
        self.mdp, self.copies, self.rng = mdp, int(copies), rng
        # One running sum over all transitions in row order: a draw for any row is one binary search in it.
        rows = sparse.csr_array(mdp.rows)
        self._next, self._row = rows.indices, rows.indptr
        self._cumulative = np.cumsum(rows.data)
        self._start = np.cumsum(mdp.start)
        per_transition = mdp.R.shape != mdp.available.shape
        if per_transition:
            R = mdp.R if sparse.issparse(mdp.R) else mdp.R.reshape(-1, mdp.n_states)
            pair, to = rows.nonzero()
            self._reward = np.asarray(sparse.csr_array(R)[pair, to]).ravel() if sparse.issparse(R) else R[pair, to]
        else:
            self._reward = np.repeat(mdp.expected_reward.ravel(), np.diff(rows.indptr))
        self.state = np.zeros(self.copies, int)
        self.reset()

    def reset(self, which: Any = None) -> np.ndarray:
        """Send copies back to the start and return all states, int[K].

        Args:
            which: bool[K], the copies to send back (default: all). Usually what :meth:`step` said has ended.
        """
        which = np.ones(self.copies, bool) if which is None else np.asarray(which, bool)
        draw = self.rng.random(int(which.sum())) * self._start[-1]
        self.state[which] = np.minimum(np.searchsorted(self._start, draw, side="right"), self.mdp.n_states - 1)
        return self.state.copy()

    def step(self, action: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Take one action in every copy.

        Args:
            action: int[K].

        Returns:
            reward: float[K]; next state: int[K]; terminated: bool[K]. A copy that has ended stays where it is, with
            reward 0, until it is reset.

        Raises:
            ValueError: an action that does not exist in its copy's state.
        """
        action = real_array("action", action, (self.copies,)).astype(int)
        wrong = (action < 0) | (action >= self.mdp.n_actions)
        if not wrong.any():
            wrong = ~self.mdp.available[self.state, action]
        if wrong.any():
            k = int(np.flatnonzero(wrong)[0])
            raise ValueError(f"action[{k}] is {action[k]}, which does not exist in state {self.mdp.states[self.state[k]]}")
        pair = self.state * self.mdp.n_actions + action
        first, last = self._row[pair], self._row[pair + 1] - 1
        before = np.where(first > 0, self._cumulative[first - 1], 0.0)
        draw = before + self.rng.random(self.copies) * (self._cumulative[last] - before)
        transition = np.clip(np.searchsorted(self._cumulative, draw, side="right"), first, last)
        reward = self._reward[transition]
        if self.mdp.reward_std is not None:
            std = np.where(self.mdp.terminal[self.state], 0, self.mdp.reward_std[self.state, action])
            reward = self.rng.normal(reward, std)
        self.state = self._next[transition].astype(int)
        return reward, self.state.copy(), self.mdp.terminal[self.state]
