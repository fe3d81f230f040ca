"""Breakout: a ball, a paddle, and three rows of bricks."""

from __future__ import annotations

import numpy as np

from rlkit.envs.minatar.base import SIZE, MinAtarEnv, moves

PADDLE_MOVES = moves(left=-1, right=1)
WALL = np.zeros((SIZE, SIZE), bool)
WALL[1:4] = True


class Breakout(MinAtarEnv):
    """Keep the ball in play with the paddle; each brick it breaks is worth 1.

    The paddle is one cell in the lowest row and moves left or right, before the ball does. The ball moves by one cell along a
    diagonal, and is reflected by the left, right and upper edge. A brick that it runs into disappears and sends it back up or
    down; after that it passes bricks unharmed, until it has been in a free cell. In the lowest row the paddle sends the ball
    up if it stands below the cell that the ball comes from, or in the cell that it goes to; in the latter case the ball turns
    around sideways as well. Otherwise the episode ends. A wall without bricks is built anew when the ball comes down.

    An episode begins with the paddle in column 4 and the ball in row 3 at the left or right edge, falling inwards; the side is
    the only draw besides sticky actions.

    Channels: the paddle, the ball, where the ball was one step before, the bricks. For the arguments see
    :class:`MinAtarEnv`.
    """

    channels = ("paddle", "ball", "trail", "brick")
    n_draws = 2  # row 1: the side on which an episode begins

    def __init__(self, num_envs: int, sticky: float = 0.1):
        super().__init__(num_envs, sticky)
        n = self.num_envs
        self._numbers = np.zeros((7, n), int)
        self._paddle, self._x, self._y, self._dx, self._dy, self._trail, self._left = self._numbers
        self._pierces = np.zeros(n, bool)  # the ball was in a brick one step before
        self._bricks = np.zeros((n, SIZE * SIZE), bool)

    def _begin(self, where: np.ndarray, draws: np.ndarray) -> None:
        from_left = draws[1][where] < 0.5
        x, dx = np.where(from_left, 0, SIZE - 1), np.where(from_left, 1, -1)
        for name, value in zip(self._numbers, (4, x, 3, dx, 1, 3 * SIZE + x, WALL.sum()), strict=True):
            name[where] = value
        self._pierces[where] = False
        self._bricks[where] = WALL.ravel()

    def _play(self, action: np.ndarray, draws: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        paddle, x, y, dx, dy = self._paddle, self._x, self._y, self._dx, self._dy
        paddle += PADDLE_MOVES[action]
        np.clip(paddle, 0, SIZE - 1, out=paddle)
        self._trail[:] = SIZE * y + x

        x_new, y_new = x + dx, y + dy
        side = (x_new < 0) | (x_new == SIZE)
        x_new = np.where(side, x, x_new)
        brick = self._bricks[self._worlds, SIZE * y_new + x_new]  # above the screen y is -1: row 9, without bricks
        hit = brick & ~self._pierces
        self._bricks[self._worlds, SIZE * y_new + x_new] = brick & self._pierces
        self._pierces = brick
        self._left -= hit

        low = y_new == SIZE - 1
        edge = paddle == x_new
        lost = low & (paddle != x) & ~edge
        rebuilt = low & (self._left == 0)
        if rebuilt.any():
            self._bricks[rebuilt] = WALL.ravel()
            self._left[rebuilt] = WALL.sum()

        turned = (y_new < 0) | hit | low
        y[:] = np.where(turned & ~lost, y, y_new)
        x[:] = x_new
        np.negative(dy, out=dy, where=turned)  # a lost ball's too: a step that is thrown away stays on the screen
        np.negative(dx, out=dx, where=side | (low & edge))  # at a wall x_new is x: one turn
        return hit.astype(float), lost

    def _observe(self) -> np.ndarray:
        obs = np.zeros((self.num_envs, 4, SIZE * SIZE), bool)
        obs[self._worlds, 0, SIZE * (SIZE - 1) + self._paddle] = True
        obs[self._worlds, 1, SIZE * self._y + self._x] = True
        obs[self._worlds, 2, self._trail] = True
        obs[:, 3] = self._bricks
        return obs.reshape(self.num_envs, 4, SIZE, SIZE)
