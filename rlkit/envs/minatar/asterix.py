"""Asterix: collect gold, avoid enemies, both of which cross the screen sideways."""

from __future__ import annotations

import numpy as np

from rlkit.envs.minatar.base import SIZE, MinAtarEnv, moves

ACROSS, DOWNWARDS = moves(left=-1, right=1), moves(up=-1, down=1)
LANES = SIZE - 2  # all rows but the uppermost and the lowest
NOWHERE = -1  # the column of what is in an empty lane
LEVEL_STEPS, LAST_LEVEL = 102, 9
SPAWN, MOVE = 10, 5  # steps between two arrivals, and between two moves, at level 0


class Asterix(MinAtarEnv):
    """Collect gold, worth 1 each, and keep away from the enemies: to touch one ends the episode.

    The player moves by one cell in any of four directions, within the eight lanes, rows 1 to 8. Each lane holds one enemy or
    one piece of gold at most. Whatever is in a lane crosses it sideways, one cell at every 5th step, and is gone beyond the
    edge. At every 10th step something arrives: at the left or right edge with equal chance, gold with probability 1/3, in one
    of the free lanes, all equally likely; nothing if no lane is free.

    Within a step comes first the arrival, then the player's move, then the moves in the lanes; the player meets what is in its
    cell after each of the two.

    With ``ramping`` the game has levels: it rises by one level every 102 steps, up to level 9. At each level the next arrival
    comes one step sooner, and at each second one the lanes move one step sooner, so that both happen at every step in the end.

    An episode begins with the player in row 5, column 5, and empty lanes.

    Channels: the player, enemies, the cell behind each enemy or piece of gold (which shows where it goes), gold. For the
    other arguments see :class:`MinAtarEnv`.
    """

    channels = ("player", "enemy", "trail", "gold")
    n_draws = 4  # rows 1 to 3: the side of an arrival, whether it is gold, its lane

    def __init__(self, num_envs: int, sticky: float = 0.1, ramping: bool = True):
        super().__init__(num_envs, sticky, ramping)
        n = self.num_envs
        self._numbers = np.zeros((5, n), int)
        self._x, self._y, self._clock, self._spawn, self._move = self._numbers
        self._column = np.zeros((n, LANES), np.int8)  # of what is in the lane
        self._speed = np.zeros((n, LANES), np.int8)  # -1 or 1, and 0 in an empty lane
        self._gold = np.zeros((n, LANES), bool)

    def _begin(self, where: np.ndarray, draws: np.ndarray) -> None:
        for name, value in zip(self._numbers, (5, 5, 0, SPAWN, MOVE), strict=True):
            name[where] = value
        self._column[where], self._speed[where] = NOWHERE, 0

    def _play(self, action: np.ndarray, draws: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        level = np.minimum(self._clock // LEVEL_STEPS, LAST_LEVEL) if self.ramping else 0
        self._clock += 1

        due = self._spawn == 0
        if due.any():
            self._arrive(np.flatnonzero(due), draws)
        self._spawn[:] = np.where(due, SPAWN - level, self._spawn) - 1

        np.clip(self._x + ACROSS[action], 0, SIZE - 1, out=self._x)
        np.clip(self._y + DOWNWARDS[action], 1, LANES, out=self._y)
        gain, end = self._meet()

        due = self._move == 0
        if due.any():
            self._column += self._speed * due[:, None]
            self._clear((self._column < 0) | (self._column == SIZE))
            more, hit = self._meet()
            gain, end = gain | more, end | hit
        self._move[:] = np.where(due, MOVE - level // 2, self._move) - 1
        return gain.astype(float), end

    def _arrive(self, world: np.ndarray, draws: np.ndarray) -> None:
        """Let something arrive in each of the worlds of these numbers that has a free lane."""
        free = self._speed[world] == 0
        rank = free.cumsum(axis=1)  # of each free lane among the free ones, from 1
        wanted = (draws[3][world] * rank[:, -1]).astype(int) + 1
        lane = np.argmax(rank == wanted[:, None], axis=1)
        some = rank[:, -1] > 0
        world, lane = world[some], lane[some]
        from_left = draws[1][world] < 0.5
        self._column[world, lane] = np.where(from_left, 0, SIZE - 1)
        self._speed[world, lane] = np.where(from_left, 1, -1)
        self._gold[world, lane] = draws[2][world] < 1 / 3

    def _meet(self) -> tuple[np.ndarray, np.ndarray]:
        """Take the gold where the player stands; return the masks of worlds with gold there, and with an enemy."""
        at = self._worlds, self._y - 1
        met = self._column[at] == self._x
        gold = met & self._gold[at]
        taken = np.flatnonzero(gold)
        self._clear((taken, self._y[taken] - 1))
        return gold, met & ~gold

    def _clear(self, where: np.ndarray | tuple[np.ndarray, np.ndarray]) -> None:
        """Empty the lanes of an index into [worlds, lanes]."""
        self._column[where], self._speed[where] = NOWHERE, 0

    def _observe(self) -> np.ndarray:
        obs = np.zeros((self.num_envs, 4, SIZE, SIZE), bool)
        obs[self._worlds, 0, self._y, self._x] = True
        world, lane = self._speed.nonzero()
        column, gold = self._column[world, lane], self._gold[world, lane]
        obs[world, np.where(gold, 3, 1), lane + 1, column] = True
        behind = column - self._speed[world, lane]
        seen = (behind >= 0) & (behind < SIZE)
        obs[world[seen], 2, lane[seen] + 1, behind[seen]] = True
        return obs
