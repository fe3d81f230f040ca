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
        # One running sum over all transitions, in which row i fills [i, i + 1): a draw for row i is one binary search for
        # i plus a random number. That is kept below 1 by what rounding can add, so that no draw falls into the next row.
        rows = sparse.csr_array(mdp.rows)
        self._next = rows.indices.astype(int)
        filled = np.flatnonzero(np.diff(rows.indptr))
        count = np.diff(rows.indptr)[filled]
        total = np.cumsum(rows.data)
        before = np.r_[0.0, total][rows.indptr[filled]]
        self._cumulative = total + np.repeat(filled - before, count)
        self._cumulative[rows.indptr[filled + 1] - 1] = filled + 1
        self._below_one = 1 - 4 * np.spacing(float(len(rows.indptr)))
        self._start = np.cumsum(mdp.start)
        sure = np.flatnonzero(mdp.start)
        self._only_start = np.repeat(sure, self.copies) if len(sure) == 1 else None
        if mdp.R.ndim == 2 and not sparse.issparse(mdp.R):
            self._reward = np.repeat(mdp.expected_reward.ravel(), np.diff(rows.indptr))
        else:
            pair, to = rows.nonzero()
            self._reward = (mdp.R if sparse.issparse(mdp.R) else mdp.R.reshape(-1, mdp.n_states))[pair, to]
        self._terminal = np.asarray(mdp.terminal)
        self._std = None if mdp.reward_std is None else np.where(mdp.terminal[:, None], 0, mdp.reward_std).ravel()
        self.state = np.zeros(self.copies, int)
        self.reset()

    def reset(self, which: Any = None) -> np.ndarray:
        """Send copies back to the start and return all states, int[K].

        Args:
            which: bool[K], the copies to send back (default: all). Usually what :meth:`step` said has ended.
        """
        which = np.ones(self.copies, bool) if which is None else mask_array("which", which, (self.copies,))
        self.state[which] = self.draw_start(int(which.sum()))
        return self.state.copy()

    def draw_start(self, count: int) -> np.ndarray:
        """Return int[count], states in which episodes begin."""
        if self._only_start is not None:
            return self._only_start[:count]
        draw = self.rng.random(count) * self._start[-1]
        return np.minimum(self._start.searchsorted(draw, side="right"), self.mdp.n_states - 1)

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
        reward, self.state, terminated = self.draw(pair, self.rng.random(self.copies))
        return reward, self.state.copy(), terminated

    def draw(self, pair: np.ndarray, uniform: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return what an action leads to, without moving anybody and without checks: the core of every step.

        Args:
            pair: int[K], each state * A + action.
            uniform: float[K], a random number in [0, 1) for each.

        Returns:
            reward: float[K]; next state: int[K]; terminated: bool[K].
        """
        # take() is a third faster than indexing, and this is where learners with a table spend their time.
        transition = self._cumulative.searchsorted(pair + uniform * self._below_one, side="right")
        reward = self._reward.take(transition)
        if self._std is not None:
            reward = self.rng.normal(reward, self._std.take(pair))
        state = self._next.take(transition)
        return reward, state, self._terminal.take(state)
