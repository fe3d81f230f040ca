"""Space Invaders: a cannon against a block of aliens that comes down."""

from __future__ import annotations

import numpy as np

from rlkit.envs.minatar.base import FIRE, SIZE, MinAtarEnv, moves

ACROSS = moves(left=-1, right=1)
CELLS, BOTTOM = SIZE * SIZE, SIZE * (SIZE - 1)  # cells of a screen, and the first one of its lowest row
RELOAD, SHOOT = 5, 10  # steps between two shots of the cannon, and of the aliens
SLOWEST, FASTEST = 12, 6  # steps between two moves of a whole wave, at first and in the end
WAVE = np.zeros((SIZE, SIZE), bool)
WAVE[:4, 2:8] = True
_SCREEN = np.arange(CELLS).reshape(SIZE, SIZE)
# For a move to the left, downwards, and to the right: int[3, 100], the cell from which each cell is filled.
SOURCE = np.array([np.roll(_SCREEN, step, axis).ravel() for step, axis in ((-1, 1), (1, 0), (1, 1))])
# int[10, 10]: the column that shoots at the cannon is the one with the smallest entry in the row of the cannon's column.
RANK = np.array([[2 * abs(x - cannon) + (x > cannon) for x in range(SIZE)] for cannon in range(SIZE)])


class SpaceInvaders(MinAtarEnv):
    """Shoot the aliens, worth 1 each; the episode ends when a bullet or an alien touches the cannon.

    The cannon stands in the lowest row and moves left or right, or fires, at every 5th step at the earliest. Bullets fly one
    cell per step, those of the cannon upwards, those of the aliens downwards, and pass through each other. The aliens move as
    a block, one cell to the left or to the right; when an alien is at the edge ahead, all turn around and go down by one
    instead. They move at every 12th step, or at every n-th when only n < 12 of them are left; each 10th step the lowest one of
    the column next to the cannon's shoots (of two equally near columns the left one). The episode also ends when the aliens
    would go down beyond the lowest row. When the last alien is shot, a new wave appears at once in the place of the first.

    Within a step comes first the cannon, then all bullets, then the aliens' move, their shot, and last the hits.

    With ``ramping`` each new wave moves one step sooner, down to every 6th step.

    An episode begins with the cannon in column 5, and 4 x 6 aliens in columns 2 to 7 of the uppermost rows, moving left. There
    is no chance but sticky actions.

    Channels: the cannon, the aliens, those that are moving left, those that are moving right, bullets of the cannon, bullets of
    the aliens. For the other arguments see :class:`MinAtarEnv`.
    """

    channels = ("cannon", "alien", "alien_left", "alien_right", "friendly_bullet", "enemy_bullet")

    def __init__(self, num_envs: int, sticky: float = 0.1, ramping: bool = True):
        super().__init__(num_envs, sticky, ramping)
        n = self.num_envs
        self._numbers = np.zeros((7, n), int)
        self._cannon, self._way, self._left, self._pace, self._reload, self._move, self._shoot = self._numbers
        self._aliens, self._up, self._down = (np.zeros((n, CELLS), bool) for _ in range(3))  # bullets by their way

    def _begin(self, where: np.ndarray, draws: np.ndarray) -> None:
        for name, value in zip(self._numbers, (5, -1, WAVE.sum(), SLOWEST, 0, SLOWEST, SHOOT), strict=True):
            name[where] = value
        self._aliens[where], self._up[where], self._down[where] = WAVE.ravel(), False, False

    def _play(self, action: np.ndarray, draws: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        fires = (action == FIRE) & (self._reload == 0)
        np.clip(self._cannon + ACROSS[action], 0, SIZE - 1, out=self._cannon)
        cannon = self._worlds, BOTTOM + self._cannon
        self._up[cannon] = fires  # no bullet is there yet: each flies on before the step is over
        self._reload[:] = np.where(fires, RELOAD, self._reload)

        self._up[:, :BOTTOM], self._up[:, BOTTOM:] = self._up[:, SIZE:], False
        self._down[:, SIZE:], self._down[:, :SIZE] = self._down[:, :BOTTOM], False
        end = self._down[cannon] | self._aliens[cannon]

        due = np.flatnonzero(self._move == 0)
        if due.size:
            end[due] |= self._advance(due)
            end |= self._aliens[cannon]
        due = np.flatnonzero(self._shoot == 0)
        if due.size:
            self._return_fire(due)

        hit = self._aliens & self._up
        self._aliens ^= hit
        self._up ^= hit
        hits = np.bincount(np.flatnonzero(hit) // CELLS, minlength=self.num_envs)
        self._left -= hits
        self._reload -= self._reload > 0
        self._move -= 1
        self._shoot -= 1
        cleared = np.flatnonzero(self._left == 0)
        if cleared.size:
            self._aliens[cleared], self._left[cleared] = WAVE.ravel(), WAVE.sum()
            if self.ramping:
                self._pace[cleared] = np.maximum(self._pace[cleared] - 1, FASTEST)
        return hits.astype(float), end

    def _advance(self, world: np.ndarray) -> np.ndarray:
        """Move the aliens of the worlds of these numbers; return where they went down beyond the lowest row."""
        aliens, way = self._aliens[world], self._way[world]
        rows = aliens.reshape(-1, SIZE, SIZE)
        turns = np.where(way < 0, rows[:, :, 0].any(axis=1), rows[:, :, -1].any(axis=1))
        self._way[world] = np.where(turns, -way, way)
        self._move[world] = np.minimum(self._left[world], self._pace[world])
        self._aliens[world] = aliens[np.arange(world.size)[:, None], SOURCE[np.where(turns, 1, way + 1)]]
        return turns & aliens[:, BOTTOM:].any(axis=1)

    def _return_fire(self, world: np.ndarray) -> None:
        """Let the lowest alien of the column next to the cannon shoot, in the worlds of these numbers."""
        rows = self._aliens[world].reshape(-1, SIZE, SIZE)
        column = np.where(rows.any(axis=1), RANK[self._cannon[world]], 2 * SIZE).argmin(axis=1)
        row = SIZE - 1 - rows[np.arange(world.size), ::-1, column].argmax(axis=1)
        self._down[world, SIZE * row + column] = True
        self._shoot[world] = SHOOT

    def _observe(self) -> np.ndarray:
        obs = np.zeros((self.num_envs, 6, CELLS), bool)
        obs[self._worlds, 0, BOTTOM + self._cannon] = True
        obs[:, 1] = self._aliens
        obs[:, 2] = self._aliens & (self._way < 0)[:, None]
        obs[:, 3] = self._aliens & (self._way > 0)[:, None]
        obs[:, 4] = self._up
        obs[:, 5] = self._down
        return obs.reshape(self.num_envs, 6, SIZE, SIZE)
