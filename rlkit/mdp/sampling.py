"""Acting in a world whose tables are known: many copies of it at once, one array operation a step."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import sparse

from rlkit.core.checks import brief, mask_array, real_array, whole_number
from rlkit.mdp.tabular import TabularMDP


class Sampler:
    """K independent copies of a world, stepped together.

    Args:
        mdp: the world.
        copies: K, how many.
        rng: the source of all randomness.

    Attributes:
        state: int[K], where each copy is now.

    Raises:
        ValueError: copies is not a whole number of at least 1, or rng is not a numpy.random.Generator.
    """

    def __init__(self, mdp: TabularMDP, copies: int, rng: np.random.Generator):
        self.mdp, self.copies, self.rng = mdp, whole_number("copies", copies, 1), rng
        if not isinstance(rng, np.random.Generator):
            raise ValueError(f"rng is {brief(rng)}, but a numpy.random.Generator was expected")
        # One running sum over all transitions in row order: a draw for any row is one binary search in it.
        rows = sparse.csr_array(mdp.rows)
        self._next, self._row = rows.indices, rows.indptr
        self._cumulative = np.cumsum(rows.data)
        self._start = np.cumsum(mdp.start)
        if mdp.R.ndim == 2 and not sparse.issparse(mdp.R):
            self._reward = np.repeat(mdp.expected_reward.ravel(), np.diff(rows.indptr))
        else:
            pair, to = rows.nonzero()
            self._reward = (mdp.R if sparse.issparse(mdp.R) else mdp.R.reshape(-1, mdp.n_states))[pair, to]
        self.state = np.zeros(self.copies, int)
        self.reset()

    def reset(self, which: Any = None) -> np.ndarray:
        """Send copies back to the start and return all states, int[K].

        Args:
            which: bool[K], the copies to send back (default: all). Usually what :meth:`step` said has ended.
        """
        which = np.ones(self.copies, bool) if which is None else mask_array("which", which, (self.copies,))
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
        action = real_array("action", action, (self.copies,))
        wrong = (action != np.floor(action)) | (action < 0) | (action >= self.mdp.n_actions)
        if not wrong.any():
            action = action.astype(int)
            wrong = ~self.mdp.available[self.state, action]
        if wrong.any():
            k = int(np.flatnonzero(wrong)[0])
            name = self.mdp.states[self.state[k]]
            raise ValueError(f"action[{k}] is {action[k]:g}, which does not exist in state {name}")
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
