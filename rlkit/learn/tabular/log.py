"""Keeping a log of episodes while many copies walk."""

from __future__ import annotations

import numpy as np

BLOCK = 256
"""Steps that are summed up at once, and for which random numbers are drawn at once."""


class EpisodeLog:
    """Rewards and ends of all copies, summed up to episodes a block at a time."""

    def __init__(self, copies: int):
        self._r: list[np.ndarray] = []
        self._ended: list[np.ndarray] = []
        self._t = 0
        self._sum, self._begin, self._count = np.zeros(copies), np.zeros(copies, int), np.zeros(copies, int)
        self._rows: list[tuple[np.ndarray, ...]] = []

    def add(self, r: np.ndarray, ended: np.ndarray) -> None:
        """Add one step of every copy: float[K] and bool[K], which must not change afterwards."""
        self._r.append(r)
        self._ended.append(ended)
        if len(self._r) == BLOCK:
            self._close()

    def _close(self) -> None:
        """Turn the block into finished episodes; what is unfinished is carried over."""
        total = self._sum + np.cumsum(self._r, axis=0)
        copy, at = np.nonzero(np.array(self._ended).T)  # in order of copies, then of time
        if len(copy):
            same = np.r_[False, copy[1:] == copy[:-1]]
            here, end = total[at, copy], self._t + at + 1
            before = np.where(same, np.r_[0, here[:-1]], 0)
            begin = np.where(same, np.r_[0, end[:-1]], self._begin[copy])
            first = np.flatnonzero(~same)
            rank = np.arange(len(copy)) - np.repeat(first, np.diff(np.r_[first, len(copy)]))
            self._rows.append((copy, self._count[copy] + rank, end, end - begin, here - before))
            last = np.r_[first[1:], len(copy)] - 1
            total[-1, copy[last]] -= here[last]
            self._begin[copy[last]] = end[last]
            self._count[copy[last]] += rank[last] + 1
        self._sum = total[-1].copy()
        self._t += len(self._r)
        self._r, self._ended = [], []

    def columns(self, most: int | None) -> dict[str, np.ndarray]:
        """Return the log in long form, of each copy's first ``most`` episodes (default: all)."""
        if self._r:
            self._close()
        names = ("copy", "episode", "step", "length", "return")
        empty = tuple(np.zeros(0, int if name != "return" else float) for name in names)
        columns = [np.concatenate(parts) for parts in zip(empty, *self._rows, strict=True)]
        use = slice(None) if most is None else columns[1] < most
        return {name: column[use] for name, column in zip(names, columns, strict=True)}
