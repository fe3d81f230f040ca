"""Probes: five worlds so small that their values are known.

Each asks one thing of a learner. Solve them in this order: one that fails a probe has no business in a larger world, where
the same fault would only be slower to find. Not every fault fails one: no probe has chance in its moves, or a choice after
a choice.
After Andy Jones, "Debugging Reinforcement Learning Systems" (2021).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from rlkit.envs.tabular import TabularVectorEnv
from rlkit.mdp import TabularMDP, solve


@dataclass(frozen=True)
class Probe:
    """A small world with its exact answer.

    Attributes:
        name: what it is called.
        needs: what must be right for a learner to solve it.
        mdp: the world.
        observations: float[S, D], what its states look like.
    """

    name: str
    needs: str
    mdp: TabularMDP
    observations: np.ndarray

    def make(self, num_envs: int) -> TabularVectorEnv:
        """Return so many worlds, as a Gymnasium vector environment."""
        return TabularVectorEnv(num_envs, self.mdp, self.observations)

    @property
    def acting(self) -> np.ndarray:
        """bool[S], the states in which an action is taken: the others are the end."""
        return ~np.asarray(self.mdp.terminal)

    @property
    def Q(self) -> np.ndarray:
        """float[S', A], the exact values of the states in which an action is taken."""
        values: np.ndarray = solve(self.mdp).Q[self.acting]
        return values


def probes(gamma: float = 0.5) -> list[Probe]:
    """Return the five probes, from the easiest on.

    Args:
        gamma: the discount.
    """
    return [
        _one_step("constant reward", "the loss and the step of the optimiser", [[0.0]], [[1.0]], gamma),
        _one_step("value from what is seen", "the network to see the state", [[-1.0], [1.0]], [[-1.0], [1.0]], gamma),
        _two_steps(gamma),
        _one_step("action matters", "each reward to reach its own action", [[0.0]], [[1.0, -1.0]], gamma),
        _one_step(
            "state and action matter",
            "state and action together",
            [[-1.0], [1.0]],
            [[1.0, -1.0], [-1.0, 1.0]],
            gamma,
        ),
    ]


def _one_step(name: str, needs: str, seen: Any, R: Any, gamma: float) -> Probe:
    """Return a world whose episodes last one step; ``seen``: float[S, D], ``R``: float[S, A] of the states that act."""
    R = np.array(R)
    S, A = R.shape
    P = np.zeros((S + 1, A, S + 1))
    P[:, :, S] = 1
    terminal = np.arange(S + 1) == S
    start = np.where(terminal, 0, 1 / S)
    mdp = TabularMDP(P, np.vstack([R, np.zeros(A)]), gamma, start=start, terminal=terminal)
    return Probe(name, needs, mdp, np.vstack([seen, np.zeros_like(seen[:1])]))


def _two_steps(gamma: float) -> Probe:
    P = np.zeros((3, 1, 3))
    P[0, 0, 1] = P[1, 0, 2] = P[2, 0, 2] = 1
    mdp = TabularMDP(P, [[0.0], [1.0], [0.0]], gamma, start=[1, 0, 0], terminal=[False, False, True])
    return Probe("a reward that comes later", "the discount and the target", mdp, np.array([[-1.0], [1.0], [3.0]]))
