"""The learners once more, for one agent after the other, in plain Python and without any of the package's equations.

Each is given a transcript of what the fast one did, and returns the table that this experience must lead to.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from math import inf
from typing import Any

import numpy as np

from rlkit.mdp import TabularMDP
from tests.learn.transcript import Step, Transcript


class Agents:
    """The tables of K agents, as lists of lists of numbers, and who is still learning."""

    def __init__(self, mdp: TabularMDP, copies: int, alpha: Any, episodes: int | None = None, first: Any = 0.0):
        self.gamma, self.alpha, self.episodes = mdp.gamma, alpha, episodes
        exists = mdp.available.tolist()
        first = np.broadcast_to(first, mdp.available.shape).tolist()
        self.Q = [
            [[q if e else -inf for q, e in zip(*rows, strict=True)] for rows in zip(first, exists, strict=True)]
            for _ in range(copies)
        ]
        self.visits: dict[tuple[int, int, int], int] = defaultdict(int)
        self.done = [0] * copies
        self.last: list[Step] = []

    def next_step(self, steps: list[Step]) -> None:
        """Begin a step: whose episode has ended before, has it counted."""
        for k, step in enumerate(self.last):
            self.done[k] += step.ended
        self.last = steps
        for k, step in enumerate(steps):
            self.visits[k, step.s, step.a] += 1

    def learning(self) -> list[tuple[int, Step]]:
        """Return (copy, its last step) for everybody who is still learning."""
        return [(k, step) for k, step in enumerate(self.last) if self.episodes is None or self.done[k] < self.episodes]

    def pull(self, table: Any, k: int, s: int, a: int, y: float) -> None:
        """Move an entry towards a target."""
        alpha = self.alpha(self.visits[k, s, a]) if callable(self.alpha) else self.alpha
        table[k][s][a] = table[k][s][a] + alpha * (y - table[k][s][a])

    def learn(self, k: int, step: Step) -> None:
        """Do what line 6 of Q-learning does."""
        future = 0 if step.terminated else self.gamma * max(self.Q[k][step.to])
        self.pull(self.Q, k, step.s, step.a, step.r + future)


def q_learning(transcript: Transcript, agents: Agents) -> Any:
    for steps in transcript.steps():
        agents.next_step(steps)
        for k, step in agents.learning():
            agents.learn(k, step)
    return agents.Q


def sarsa(transcript: Transcript, agents: Agents) -> Any:
    (_, expected), *events = transcript.events
    expected = list(expected)
    fresh = False
    for kind, what in events:
        if kind == "step":
            assert [step.a for step in what] == expected, "another action was taken than the one that was learned from"
            agents.next_step(what)
            fresh = True
        elif fresh:  # the next action, in the state that was reached
            for k, step in agents.learning():
                future = 0 if step.terminated else agents.gamma * agents.Q[k][step.to][what[k]]
                agents.pull(agents.Q, k, step.s, step.a, step.r + future)
            expected, fresh = list(what), False
        else:  # the first action of a new episode
            expected = [new if step.ended else old for new, old, step in zip(what, expected, agents.last, strict=True)]
    return agents.Q


def soft(row: list[float], epsilon: float) -> list[float]:
    """Return epsilon-greedy probabilities."""
    exist, best = sum(q > -inf for q in row), sum(q == max(row) for q in row)
    return [(epsilon / exist if q > -inf else 0) + ((1 - epsilon) / best if q == max(row) else 0) for q in row]


def expected_sarsa(transcript: Transcript, agents: Agents, epsilon: float) -> Any:
    for steps in transcript.steps():
        agents.next_step(steps)
        for k, step in agents.learning():
            row = agents.Q[k][step.to]
            mean = sum(p * q for p, q in zip(soft(row, epsilon), row, strict=True) if p)
            agents.pull(agents.Q, k, step.s, step.a, step.r + (0 if step.terminated else agents.gamma * mean))
    return agents.Q


def double_q_learning(transcript: Transcript, agents: Agents) -> Any:
    two = agents.Q, [[list(row) for row in table] for table in agents.Q]
    for kind, what in transcript.events:
        if kind == "step":
            agents.next_step(what)
        elif kind == "coin":
            for k, step in agents.learning():
                mine, other = two if what[k] < 0.5 else two[::-1]
                row = mine[k][step.to]
                future = 0 if step.terminated else agents.gamma * other[k][step.to][row.index(max(row))]
                agents.pull(mine, k, step.s, step.a, step.r + future)
    return (np.array(two[0]) + np.array(two[1])) / 2


def backward_q_learning(transcript: Transcript, agents: Agents) -> Any:
    episodes: list[list[Step]] = [[] for _ in agents.Q]
    for steps in transcript.steps():
        agents.next_step(steps)
        for k, step in enumerate(steps):
            episodes[k].append(step)
        for k, step in agents.learning():
            if step.ended:
                for old in reversed(episodes[k]):
                    agents.learn(k, old)
        for k, step in enumerate(steps):
            if step.ended:
                episodes[k] = []
    return agents.Q


def replay_q_learning(transcript: Transcript, agents: Agents, capacity: int) -> Any:
    memory: list[list[Step]] = []
    t = 0
    for kind, what in transcript.events:
        if kind == "step":
            agents.next_step(what)
            memory[t % capacity : t % capacity + 1] = [what]  # over the oldest, once the memory is full
            t += 1
            for k, step in agents.learning():
                agents.learn(k, step)
        elif kind == "coin":
            for k, _ in agents.learning():
                agents.learn(k, memory[int(what[k] * len(memory))][k])
    return agents.Q


def dyna_q(transcript: Transcript, agents: Agents) -> Any:
    models: list[dict[tuple[int, int], Step]] = [{} for _ in agents.Q]
    for kind, what in transcript.events:
        if kind == "step":
            agents.next_step(what)
            for k, step in agents.learning():
                agents.learn(k, step)
            for k, step in enumerate(what):
                models[k][step.s, step.a] = step  # a dict keeps the order of first insertion
        elif kind == "coin":
            for k, _ in agents.learning():
                known = list(models[k].values())
                agents.learn(k, known[int(what[k] * len(known))])
    return agents.Q


def prioritised_sweeping(transcript: Transcript, agents: Agents, planning: int, threshold: float) -> Any:
    model: dict[tuple[int, int], Step] = {}
    led_to: dict[int, set[tuple[int, int]]] = defaultdict(set)  # a set, as there: equal priorities stay in its order
    queue: dict[tuple[int, int], float] = {}
    updates = 0

    def target(pair: tuple[int, int]) -> float:
        step = model[pair]
        return step.r + (0 if step.terminated else agents.gamma * max(agents.Q[0][step.to]))

    def put(s: int, a: int) -> None:
        gap = abs(target((s, a)) - agents.Q[0][s][a])
        if gap > threshold:
            queue[s, a] = gap

    for (step,) in transcript.steps():
        model[step.s, step.a] = step
        led_to[step.to].add((step.s, step.a))
        put(step.s, step.a)
        for _ in range(planning):
            if queue:
                s, a = max(queue, key=lambda pair: queue[pair])
                del queue[s, a]
                agents.Q[0][s][a] = target((s, a))
                updates += 1
                for before in led_to[s]:
                    put(*before)
    return agents.Q, updates


# -- prediction ------------------------------------------------------------------------------------------------------


def each_copy(transcript: Transcript, episodes: int | None, learn: Callable[[list[list[Step]]], list[float]]) -> Any:
    """Return what a plain prediction of one copy makes of its episodes, for every copy."""
    return [learn(transcript.episodes(k)[:episodes]) for k in range(len(transcript.copies()))]


def n_step_td(n: int, alpha: float, gamma: float, first: list[float]) -> Callable[[list[list[Step]]], list[float]]:
    """Sutton and Barto's pseudocode (section 7.1), where an episode that was broken off goes on from its last state."""

    def learn(episodes: list[list[Step]]) -> list[float]:
        V = list(first)
        for steps in episodes:
            S = [step.s for step in steps] + [steps[-1].to]
            R = [0.0] + [step.r for step in steps]
            T = len(steps)
            last = T - 1 + n if steps[-1].ended else T  # an unfinished episode has no tail
            for t in range(last):
                tau = t - n + 1
                if tau >= 0:
                    end = min(tau + n, T)
                    G = sum(gamma ** (i - tau - 1) * R[i] for i in range(tau + 1, end + 1))
                    if not (end == T and steps[-1].terminated):
                        G += gamma ** (end - tau) * V[S[end]]
                    V[S[tau]] += alpha * (G - V[S[tau]])
        return V

    return learn


def td_lambda(lam: float, alpha: float, gamma: float, first: list[float]) -> Callable[[list[list[Step]]], list[float]]:
    """Sutton and Barto's pseudocode (section 12.2, a table instead of features)."""

    def learn(episodes: list[list[Step]]) -> list[float]:
        V = list(first)
        for steps in episodes:
            trace = [0.0] * len(V)
            for step in steps:
                trace = [gamma * lam * e for e in trace]
                trace[step.s] += 1
                surprise = step.r + (0 if step.terminated else gamma * V[step.to]) - V[step.s]
                V = [v + alpha * surprise * e for v, e in zip(V, trace, strict=True)]
        return V

    return learn
