"""Teams: what each agent is paid for, an agent that does nothing, crowds without end, and messages that are too few.

Every function plays many runs side by side, each with learners of its own. numpy only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any, NamedTuple

import numpy as np

from rlkit.core.checks import brief, number, real_array, whole_number
from rlkit.learn.independent import q_rule
from rlkit.mdp import softmax

REWARDS = ("own", "shared", "difference")
Pay = Callable[[np.ndarray], np.ndarray]

# -- what an agent is paid for -----------------------------------------------------------------------------------------


def difference_reward(G: Callable[[np.ndarray], float], z: Any) -> np.ndarray:
    """Return D_i = G(z) - G(z without agent i) for each agent, float[n]: what the team would miss.

    What the others do is in both terms, and goes away. What agent i can change is only in the first. So whatever raises
    D_i raises G by the same amount.

    Args:
        G: the team's reward, a function of the actions of those who take part: of int[n], and of int[n - 1].
        z: int[n], the action of each agent.

    Raises:
        ValueError: z has no agent, or more than one axis.

    Source: Wolpert and Tumer (2001), the wonderful life utility.
    """
    z = np.asarray(z)
    if z.ndim != 1 or not len(z):
        raise ValueError(f"z has shape {z.shape}, but one action for each of at least one agent was expected")
    return np.array([G(z) - G(np.delete(z, i)) for i in range(len(z))], float)


@dataclass(frozen=True)
class Bar:
    """Some nights, each the better the more agents come, up to a capacity, and then the worse.

    With x agents, a night is worth x exp(-x / capacity) to the team, and exp(-x / capacity) to each of them.

    Attributes:
        nights: how many, K.
        capacity: c, above 0: the number of agents that makes a night worth most.

    Raises:
        ValueError: no night, or a capacity that is not above 0.

    Source: Wolpert and Tumer (2001).
    """

    nights: int
    capacity: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "nights", whole_number("nights", self.nights, 1))
        object.__setattr__(self, "capacity", _above_0("capacity", self.capacity))

    def worth(self, x: Any) -> np.ndarray:
        """Return what nights with x agents are worth, float[...]."""
        worth: np.ndarray = x * np.exp(-np.asarray(x) / self.capacity)
        return worth

    def counts(self, z: np.ndarray) -> np.ndarray:
        """Return how many come to each night, int[..., K], of the nights that were chosen, int[..., n]."""
        counts: np.ndarray = (z[..., None] == np.arange(self.nights)).sum(axis=-2)
        return counts

    def total(self, z: np.ndarray) -> np.ndarray:
        """Return G, float[...]: what all nights together are worth."""
        total: np.ndarray = self.worth(self.counts(z)).sum(axis=-1)
        return total

    def best(self, agents: int) -> tuple[float, np.ndarray]:
        """Return the largest G that so many agents can reach, and how many then come to each night, exactly.

        Night after night: the best of m agents on k nights is the best split between night k and the k - 1 before it.

        Args:
            agents: n, at least 1.
        """
        n = whole_number("agents", agents, 1)
        best, splits = np.r_[0.0, np.full(n, -np.inf)], []
        for _ in range(self.nights):
            # row m: x agents on this night, m - x on those before
            left = np.arange(n + 1)[:, None] - np.arange(n + 1)
            value = np.where(left >= 0, best[left] + self.worth(np.arange(n + 1)), -np.inf)
            splits.append(value.argmax(axis=1))
            best = value.max(axis=1)
        counts, m = [], n
        for split in reversed(splits):
            counts.append(split[m])
            m -= split[m]
        return float(best[n]), np.array(counts)

    def pay(self, reward: str) -> Pay:
        """Return what each agent is paid, as a function from the nights chosen, int[..., n], to float[..., n].

        Args:
            reward: "own" (what the night gave to this agent), "shared" (G), or "difference" (G without this agent taken
                away from G; all other nights cancel).

        Raises:
            ValueError: another word.
        """
        _known(reward)

        def paid(z: np.ndarray) -> np.ndarray:
            if reward == "shared":
                return np.broadcast_to(self.total(z)[..., None], z.shape)
            x = np.take_along_axis(self.counts(z), z, axis=-1)
            return self.worth(x) / x if reward == "own" else self.worth(x) - self.worth(x - 1)

        return paid


def helpers(worth: Any, reward: str) -> Pay:
    """Return what agents are paid who rest (0) or help (1), as a function from int[..., n] to float[..., n].

    The help of agent i is worth worth[i] to the team, whatever the others do; so D_i is worth[i] or 0.

    Args:
        worth: float[n].
        reward: "own" and "difference" (here they are the same), or "shared".

    Raises:
        ValueError: another word.
    """
    _known(reward)
    worth = real_array("worth", worth)

    def paid(z: np.ndarray) -> np.ndarray:
        own: np.ndarray = z * worth
        return own if reward != "shared" else np.broadcast_to(own.sum(axis=-1, keepdims=True), z.shape)

    return paid


class Round(NamedTuple):
    """What a team did in one round, and how it will choose in the next.

    Attributes:
        z: int[runs, n], the actions.
        table: float[runs, n, A], what has been learned: values, or probabilities.
    """

    z: np.ndarray
    table: np.ndarray


def team_q_learning(
    pay: Pay,
    agents: int,
    actions: int,
    *,
    runs: int,
    steps: int,
    rng: np.random.Generator,
    alpha: float = 0.1,
    epsilon: float = 0.3,
) -> Iterator[Round]:
    """Yield every round of agents who learn each a value for each action, from what each is paid.

    ::

        1. Q_i(a) := almost 0 (a little noise breaks ties), for each agent i and action a
        2. in round t: each agent takes an action with the largest Q_i, or with probability epsilon_t any action
        3. each is paid r_i for what all did together
        4. Q_i(a_i) := Q_i(a_i) + alpha [r_i - Q_i(a_i)]

    epsilon_t falls in a straight line, and is 0 in the last sixth of the rounds.

    Args:
        pay: from actions, int[runs, n], to rewards, float[runs, n].
        agents, actions: how many, n and A.
        runs, steps: how many teams learn side by side, and for how many rounds.
        rng: of all chance.
        alpha: the step size.
        epsilon: how much is explored at first.

    Raises:
        ValueError: a number outside its bounds.
    """
    n, A, runs, steps = _sizes(agents=agents, actions=actions, runs=runs, steps=steps)
    alpha, epsilon = number("alpha", alpha, 0, 1), number("epsilon", epsilon, 0, 1)
    Q = rng.normal(0, 1e-6, (runs, n, A))  # (1)
    for t in range(steps):
        exploring = rng.random((runs, n)) < epsilon * max(0, 1 - t / (steps * 5 / 6))
        z = np.where(exploring, rng.integers(A, size=(runs, n)), Q.argmax(axis=-1))  # (2)
        r = pay(z)  # (3)
        Q = q_rule(Q.reshape(-1, A), z.ravel(), r.ravel(), alpha).reshape(runs, n, A)  # (4)
        yield Round(z, Q)


def team_reinforce(
    pay: Pay,
    agents: int,
    actions: int,
    *,
    runs: int,
    steps: int,
    rng: np.random.Generator,
    alpha: float = 0.1,
    baseline: float = 0.0,
) -> Iterator[Round]:
    """Yield every round of agents who learn each a policy by REINFORCE, from what each is paid.

    ::

        1. theta_i(a) := 0 and b_i := 0, for each agent i and action a
        2. in round t: each agent draws a_i from the softmax of theta_i, and is paid r_i
        3. theta_i := theta_i + alpha [r_i - b_i] grad log pi_i(a_i)
        4. b_i := b_i + beta [r_i - b_i]

    Args:
        pay, agents, actions, runs, steps, rng, alpha: as for :func:`team_q_learning`. Tables are probabilities.
        baseline: beta, how fast the baseline follows the rewards; 0 for none.

    Raises:
        ValueError: a number outside its bounds.
    """
    n, A, runs, steps = _sizes(agents=agents, actions=actions, runs=runs, steps=steps)
    alpha, baseline = number("alpha", alpha, 0, np.inf), number("baseline", baseline, 0, 1)
    theta, b = np.zeros((runs, n, A)), np.zeros((runs, n))  # (1)
    for _ in range(steps):
        pi = softmax(theta)
        z = _draw(pi, rng)  # (2)
        r = pay(z)
        theta += alpha * (r - b)[..., None] * (np.eye(A)[z] - pi)  # (3)
        b = b + baseline * (r - b)  # (4)
        yield Round(z, pi)


# -- infinitely many agents --------------------------------------------------------------------------------------------


def mean_field(cost: Callable[[np.ndarray], np.ndarray], places: int, temperature: float) -> np.ndarray:
    """Return the shares of an endless crowd that its own answer does not change: mu = softmax(-cost(mu) / temperature).

    Each agent chooses a place by the cost that the crowd makes there, and is itself too small to matter. Where costs grow
    with the crowd there is exactly one such mu; it is found by steps, smaller and smaller, towards the answer.

    Args:
        cost: from shares, float[K], to the cost of each place, float[K]; no cost may fall as its share grows.
        places: how many, K.
        temperature: how little a difference in cost counts, above 0.

    Returns:
        mu: float[K], to 12 digits.

    Raises:
        ValueError: no place, a temperature that is not positive, or steps that do not come to rest.
    """
    mu = np.full(whole_number("places", places, 1), 1 / places)
    temperature = _above_0("temperature", temperature)
    step, error = 0.5, np.inf
    for _ in range(10_000):
        away = softmax(-cost(mu) / temperature) - mu
        if abs(away).max() < 1e-13:
            return mu
        if abs(away).max() > error:
            step = max(step / 2, 1e-3)  # it went too far
        error = abs(away).max()
        mu = mu + step * away
    raise ValueError(f"the crowd did not come to rest: it is still {error:.2g} away from its own answer")


def crowd(
    cost: Callable[[np.ndarray], np.ndarray],
    places: int,
    temperature: float,
    agents: int,
    *,
    steps: int,
    rng: np.random.Generator,
    renew: float = 0.1,
) -> np.ndarray:
    """Return the shares of a crowd of N agents in every round, float[steps, K].

    In each round an agent thinks again with probability ``renew``, and draws a place from softmax(-cost(shares) /
    temperature); else it stays. Only how many are where is kept. At first all are spread evenly at random.

    Args:
        cost, places, temperature: as for :func:`mean_field`.
        agents: how many, N.
        steps: how many rounds.
        rng: of all chance.
        renew: the probability of thinking again.

    Raises:
        ValueError: a number outside its bounds.
    """
    N, K, steps = _sizes(agents=agents, places=places, steps=steps)
    temperature, renew = _above_0("temperature", temperature), number("renew", renew, 0, 1)
    counts, shares = rng.multinomial(N, np.full(K, 1 / K)), np.empty((steps, K))
    for t in range(len(shares)):
        shares[t] = counts / N
        leave = rng.binomial(counts, renew)
        counts = counts - leave + rng.multinomial(leave.sum(), softmax(-cost(shares[t]) / temperature))
    return shares


# -- fewer messages than things to say ---------------------------------------------------------------------------------


def best_signals(goals: int, messages: int) -> float:
    """Return the largest probability that a receiver acts on the goal that only the sender saw, over all pairs of maps.

    The goals are equally likely; the sender maps each to a message, and the receiver each message to a goal.

    Args:
        goals, messages: k and m; all m^k k^m pairs are tried, which must be few.

    Raises:
        ValueError: none of either, or more than ten million pairs.
    """
    k, m = _sizes(goals=goals, messages=messages)
    if k * np.log(m) + m * np.log(k) > np.log(10_000_000) + 1e-9:
        raise ValueError(
            f"{k} goals and {m} messages make more than ten million pairs of maps, too many to try them all"
        )
    senders, receivers = np.array([*product(range(m), repeat=k)]), np.array([*product(range(k), repeat=m)])
    return float(max((receivers[:, sender] == np.arange(k)).mean(axis=1).max() for sender in senders))


def learn_signals(
    goals: int,
    messages: int,
    *,
    runs: int,
    steps: int,
    rng: np.random.Generator,
    alpha: float = 0.1,
    epsilon: float = 0.1,
) -> np.ndarray:
    """Return how often pairs of learners understand each other in the end, float[runs]: a share of the k goals.

    The sender has a Q-value for each goal and message, the receiver for each message and action; both are paid 1 where the
    action is the goal. Both learn by :func:`~rlkit.learn.independent.q_rule` and explore with a constant epsilon.

    Args:
        goals, messages: k and m.
        runs, steps: how many pairs learn side by side, and for how many rounds.
        rng: of all chance.
        alpha, epsilon: step size, and probability of a random choice.

    Raises:
        ValueError: a number outside its bounds.
    """
    k, m, runs, steps = _sizes(goals=goals, messages=messages, runs=runs, steps=steps)
    alpha, epsilon = number("alpha", alpha, 0, 1), number("epsilon", epsilon, 0, 1)
    sender, receiver = rng.normal(0, 1e-6, (runs, k, m)), rng.normal(0, 1e-6, (runs, m, k))
    at = np.arange(runs)

    def chosen(Q: np.ndarray) -> np.ndarray:
        return np.where(rng.random(runs) < epsilon, rng.integers(Q.shape[1], size=runs), Q.argmax(axis=1))

    for _ in range(steps):
        goal = rng.integers(k, size=runs)
        said = chosen(sender[at, goal])
        done = chosen(receiver[at, said])
        r = (done == goal).astype(float)
        sender[at, goal] = q_rule(sender[at, goal], said, r, alpha)
        receiver[at, said] = q_rule(receiver[at, said], done, r, alpha)
    says, does = sender.argmax(axis=2), receiver.argmax(axis=2)
    understood: np.ndarray = (np.take_along_axis(does, says, axis=1) == np.arange(k)).mean(axis=1)
    return understood


def _draw(pi: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return one draw from each row of probabilities."""
    drawn: np.ndarray = (rng.random((*pi.shape[:-1], 1)) > pi.cumsum(axis=-1)[..., :-1]).sum(axis=-1)
    return drawn


def _sizes(**sizes: Any) -> list[int]:
    """Return whole numbers of at least 1, or raise ValueError."""
    return [whole_number(name, value, 1) for name, value in sizes.items()]


def _above_0(name: str, value: Any) -> float:
    if not (x := number(name, value, 0, np.inf)):
        raise ValueError(f"{name} is 0, but a number above 0 was expected")
    return x


def _known(reward: str) -> None:
    if reward not in REWARDS:
        raise ValueError(f"reward must be one of {', '.join(REWARDS)}, not {brief(reward)}")
