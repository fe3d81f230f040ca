"""Slow, plain and exact: what the answers must be, worked out with fractions instead of floating-point numbers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import product

import numpy as np
from scipy import sparse

from rlkit.mdp import TabularMDP

Row = list[Fraction]


class CirclingPays(Exception):
    """With gamma = 1 a loop has a positive mean reward: no finite optimum exists."""


class ExactWorld:
    """A world's tables as fractions; rows of P are scaled to sum to 1 exactly."""

    def __init__(self, mdp: TabularMDP):
        S, A = mdp.n_states, mdp.n_actions
        P = mdp.P.toarray().reshape(S, A, S) if sparse.issparse(mdp.P) else mdp.P
        R = mdp.R.toarray().reshape(S, A, S) if sparse.issparse(mdp.R) else mdp.R
        self.S, self.gamma = S, Fraction(mdp.gamma)
        self.terminal = [bool(t) for t in mdp.terminal]
        self.actions = [[int(a) for a in np.flatnonzero(mdp.available[s])] for s in range(S)]
        self.P: dict[tuple[int, int], Row] = {}
        self.r: dict[tuple[int, int], Fraction] = {}
        for s in range(S):
            for a in self.actions[s]:
                weights = [Fraction(float(p)) for p in P[s, a]]
                self.P[s, a] = [w / sum(weights) for w in weights]
                if R.ndim == 2:
                    self.r[s, a] = Fraction(float(R[s, a]))
                else:
                    rewards = (Fraction(float(x)) for x in R[s, a])
                    self.r[s, a] = sum((p * x for p, x in zip(self.P[s, a], rewards, strict=True)), Fraction(0))
                if self.terminal[s]:
                    self.P[s, a], self.r[s, a] = [Fraction(int(t == s)) for t in range(S)], Fraction(0)

    def under(self, policy: Sequence[dict[int, Fraction]]) -> tuple[list[Row], Row]:
        """Return the transition matrix and the rewards of a policy, {action: probability} for each state."""
        P = [
            [sum((w * self.P[s, a][t] for a, w in policy[s].items()), Fraction(0)) for t in range(self.S)]
            for s in range(self.S)
        ]
        return P, [sum((w * self.r[s, a] for a, w in policy[s].items()), Fraction(0)) for s in range(self.S)]

    def ends_from(self, P: list[Row]) -> list[bool]:
        """Return from which states a terminal state can be reached."""
        ends = list(self.terminal)
        for _ in range(self.S):
            ends = [e or any(P[s][t] and ends[t] for t in range(self.S)) for s, e in enumerate(ends)]
        return ends

    def value(self, policy: Sequence[dict[int, Fraction]]) -> Row:
        """Return V^policy; with gamma = 1 the policy must end."""
        P, r = self.under(policy)
        on = [s for s in range(self.S) if not self.terminal[s]]
        matrix = [[Fraction(int(s == t)) - self.gamma * P[s][t] for t in on] for s in on]
        V = [Fraction(0)] * self.S
        for s, v in zip(on, solve_exactly(matrix, [r[s] for s in on]), strict=True):
            V[s] = v
        return V

    def steps(self, policy: Sequence[dict[int, Fraction]]) -> Fraction:
        """Return the largest expected (discounted) number of steps of a policy: what magnifies rounding errors."""
        P, _ = self.under(policy)
        on = [s for s in range(self.S) if not self.terminal[s]]
        matrix = [[Fraction(int(s == t)) - self.gamma * P[s][t] for t in on] for s in on]
        return max(solve_exactly(matrix, [Fraction(1)] * len(on)), default=Fraction(1))

    def backup(self, V: Row, s: int, a: int) -> Fraction:
        """Return r(s, a) + gamma sum_t P(t | s, a) V(t)."""
        return self.r[s, a] + self.gamma * sum((p * v for p, v in zip(self.P[s, a], V, strict=True)), Fraction(0))

    def optimum(self) -> tuple[Row, list[dict[int, Fraction]]]:
        """Return V* and an optimal policy by policy iteration, in which fractions leave no doubt about ties."""
        policy = [{a: Fraction(1, len(actions)) for a in actions} for actions in self.actions]
        while True:
            V = self.value(policy)
            better = False
            for s in range(self.S):
                best = max(self.actions[s], key=lambda a: self.backup(V, s, a))
                if self.backup(V, s, best) > V[s]:
                    policy[s], better = {best: Fraction(1)}, True
            if not better:
                return V, policy
            if self.gamma == 1 and not all(self.ends_from(self.under(policy)[0])):
                raise CirclingPays

    def deterministic_policies(self) -> Iterator[list[dict[int, Fraction]]]:
        """Yield every deterministic policy; what it does in a terminal state does not matter."""
        choices = [actions[:1] if end else actions for actions, end in zip(self.actions, self.terminal, strict=True)]
        for chosen in product(*choices):
            yield [{a: Fraction(1)} for a in chosen]

    def brute_force(self) -> Row:
        """Return, state by state, the best value of any deterministic policy that ends (any at all if gamma < 1).

        Raises:
            CirclingPays: gamma = 1, and some deterministic policy has a closed loop with a positive mean reward.
        """
        best: Row | None = None
        for policy in self.deterministic_policies():
            P, r = self.under(policy)
            ends = self.ends_from(P)
            if self.gamma < 1 or all(ends):
                V = self.value(policy)
                best = V if best is None else [max(pair) for pair in zip(best, V, strict=True)]
            else:
                for members in closed_classes(P, [s for s in range(self.S) if not ends[s]]):
                    if mean_reward(P, r, members) > 0:
                        raise CirclingPays
        assert best is not None, "gamma = 1, and no deterministic policy ends"
        return best


def closed_classes(P: list[Row], among: list[int]) -> list[list[int]]:
    """Return the sets of states that reach each other and nothing else."""
    reach = {s: {s} for s in among}
    for _ in among:
        reach = {s: seen.union(*({t for t, p in enumerate(P[u]) if p} for u in seen)) for s, seen in reach.items()}
    return [list(c) for c in {frozenset(reach[s]) for s in among if all(reach[t] == reach[s] for t in reach[s])}]


def mean_reward(P: list[Row], r: Row, members: list[int]) -> Fraction:
    """Return the mean reward of circling in a closed class: that under d = d P, sum d = 1."""
    n = len(members)
    equations = [[Fraction(int(i == j)) - P[members[i]][members[j]] for i in range(n)] for j in range(n)]
    equations[0] = [Fraction(1)] * n
    d = solve_exactly(equations, [Fraction(int(i == 0)) for i in range(n)])
    return sum((w * r[s] for w, s in zip(d, members, strict=True)), Fraction(0))


def solve_exactly(matrix: list[Row], right: Row) -> Row:
    """Return x with matrix x = right, by elimination."""
    n = len(right)
    rows = [[*row, b] for row, b in zip(matrix, right, strict=True)]
    for k in range(n):
        pivot = next(i for i in range(k, n) if rows[i][k])
        rows[k], rows[pivot] = rows[pivot], rows[k]
        rows[k] = [x / rows[k][k] for x in rows[k]]
        for i in range(n):
            if i != k and rows[i][k]:
                rows[i] = [x - rows[i][k] * y for x, y in zip(rows[i], rows[k], strict=True)]
    return [row[n] for row in rows]
