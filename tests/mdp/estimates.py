"""What one episode says about the gradient: written once for the tests of the exact gradient, and those of its variance."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from rlkit.mdp import Episodes


def estimates(play: Episodes, pi: np.ndarray, credit: np.ndarray) -> np.ndarray:
    """Return for each episode the sum over t of credit_t grad log pi(a_t | s_t), float[n, S, A]: a row for each state."""
    n, (S, A) = play.state.shape[1], pi.shape
    given = np.zeros((n, S, A))
    np.add.at(given, (np.arange(n), play.state, play.action), play.real * credit)
    return given - pi * given.sum(axis=2, keepdims=True)


def by_rows(gradient: np.ndarray, seen: Sequence[int] | np.ndarray, rows: int) -> np.ndarray:
    """Add float[..., S, A] up to float[..., O, A]: a row for each thing that the agent sees."""
    summed = np.zeros((*gradient.shape[:-2], rows, gradient.shape[-1]))
    for s, o in enumerate(seen):
        summed[..., o, :] += gradient[..., s, :]
    return summed
