"""Deep Q-learning for many agents on a grid: one learns, the others hold still, and then its policy is handed round."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from rlkit.core.checks import brief, distribution, number, real_array, whole_number
from rlkit.core.schedules import linear_schedule
from rlkit.core.types import TrainResult
from rlkit.envs.pursuit import KINDS, MOVES, Choose, Pursuit, Seat, check_policies, successors
from rlkit.learn.dqn import train_dqn
from rlkit.learn.settings import check_copies
from rlkit.nets import StackedMLP, frozen_copy

ACTIONS = len(MOVES)
MakeWorld = Callable[[int], Pursuit]

# -- two allies on one cell ------------------------------------------------------------------------------------------


def softmax_policy(Q: Any, temperature: float) -> np.ndarray:
    """Return the probabilities of actions, in proportion to exp(Q / temperature).

    Args:
        Q: float[..., A].
        temperature: above 0, in the unit of Q; or 0 for its limit, all on the first of the largest entries (argmax).

    Returns:
        float[..., A].

    Raises:
        ValueError: Q is not an array of finite numbers, one or more for each agent; the temperature is below 0.

    Source: the lecture, "MADQN: Dealing with Ambiguity"; Egorov (2016).
    """
    Q, temperature = real_array("Q", Q), number("temperature", temperature, 0, np.inf)
    _one_or_more("Q", Q)
    if not temperature:
        return np.eye(Q.shape[-1])[Q.argmax(axis=-1)]
    p = np.exp((Q - Q.max(axis=-1, keepdims=True)) / temperature)
    return p / p.sum(axis=-1, keepdims=True)


def parting(p: Any) -> np.ndarray:
    """Return the probability that two agents, who both draw from the same p, draw different actions: 1 - sum_a p_a^2.

    Args:
        p: float[..., A], probabilities.

    Returns:
        float[...].

    Raises:
        ValueError: p is no array of probabilities.
    """
    p = real_array("p", p)
    _one_or_more("p", p)
    distribution("p", p, tol=1e-6)  # so that float32 will do
    return 1 - (p**2).sum(axis=-1)


def _one_or_more(name: str, array: np.ndarray) -> None:
    if not array.ndim or not array.shape[-1]:
        raise ValueError(f"{name} has shape {array.shape}, but [..., A] was expected, with at least one action")


# -- one network for every map and every number of agents ------------------------------------------------------------


def centred(planes: Tensor, reach: int) -> Tensor:
    """Return what an agent sees around it: obstacles, opponents and allies in a window whose middle is its own cell.

    Beyond the map all is obstacle. Agents beyond the window are drawn at its edge, in the nearest cell of it, so that one
    sees which way they are, though not how far.

    Args:
        planes: float[..., 4, W, H], the four channels; the last one says where the agent itself is.
        reach: how many cells the window goes to each side.

    Returns:
        float[..., 3, D, D] with D = 2 reach + 1.
    """
    *lead, _, width, height = planes.shape
    x = planes.reshape(-1, 4, width, height)
    n, D = len(x), 2 * reach + 1
    me = x[:, 3].reshape(n, -1).argmax(dim=1)
    i, j = me // height, me % height
    window = x.new_zeros(n, 3, D, D)
    walls, span = nn.functional.pad(x[:, 0], (reach,) * 4, value=1.0), torch.arange(D)
    window[:, 0] = walls[torch.arange(n)[:, None, None], (i[:, None] + span)[:, :, None], (j[:, None] + span)[:, None]]
    which, channel, u, v = x[:, 1:3].nonzero(as_tuple=True)
    place = ((a - b[which]).clamp(-reach, reach) + reach for a, b in ((u, i), (v, j)))
    window.index_put_((which, channel + 1, *place), x[which, channel + 1, u, v], accumulate=True)
    return window.reshape(*lead, 3, D, D)


class GridQ(nn.Module):
    """K networks from the four planes to Q-values, for a map of any size with any number of agents.

    Their inputs are the window of :func:`centred`: its size does not depend on the map, and allies and opponents are counted
    on planes, not listed. What is learned at one place is known at all others.

    Args:
        reach: of the window.
        hidden: the widths of the hidden layers.
        copies, seed: as for :class:`~rlkit.nets.StackedMLP`.
    """

    def __init__(self, reach: int = 5, hidden: Sequence[int] = (64, 64), copies: int = 1, seed: int = 0):
        super().__init__()
        self.reach = whole_number("reach", reach, 1)
        self.mlp = StackedMLP([3 * (2 * self.reach + 1) ** 2, *hidden, ACTIONS], copies, seed)

    def forward(self, planes: Tensor) -> Tensor:
        """Map float[K, B, 4, W, H] to float[K, B, 5]; for who has left the map, and sees itself nowhere, to 0."""
        there = planes[:, :, 3].sum(dim=(-2, -1)).unsqueeze(-1)
        return there * self.mlp(centred(planes, self.reach).flatten(2))


class FlatQ(StackedMLP):
    """K multilayer perceptrons from the planes of one map, cell by cell: for that map, and that number of planes, only.

    Args:
        shape: (planes, W, H).
        outputs: how many actions.
        hidden: the widths of the hidden layers.
        copies, seed: as for :class:`~rlkit.nets.StackedMLP`.
    """

    def __init__(
        self, shape: Sequence[int], outputs: int, hidden: Sequence[int] = (64,), copies: int = 1, seed: int = 0
    ):
        super().__init__([int(np.prod(shape)), *hidden, outputs], copies, seed)

    def forward(self, planes: Tensor) -> Tensor:
        """Map float[K, B, planes, W, H] to float[K, B, outputs]."""
        return super().forward(planes.flatten(2))


def choosing(network: nn.Module, temperature: float) -> Choose:
    """Return the policy of a network that all agents of a kind follow: each draws from the softmax of its own Q-values.

    Args:
        network: float[K, B, 4, W, H] to float[K, B, 5]. The n agents that ask are dealt to its K copies in K equal blocks.
        temperature: as for :func:`softmax_policy`.
    """
    copies = next(network.parameters()).shape[0]

    @torch.no_grad()
    def choose(obs: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        Q = network(torch.from_numpy(obs).float().reshape(copies, -1, *obs.shape[1:])).reshape(len(obs), -1)
        return draw(softmax_policy(Q.numpy(), temperature), rng)

    return choose


def team_of(network: nn.Module, temperature: float, agents: int = 2) -> Choose:
    """Return the policy of a team in which every agent has a network of its own.

    Args:
        network: with K x agents copies, team after team.
        temperature: as for :func:`softmax_policy`.
        agents: how many a team has; those who ask come in the order [teams, worlds, agents].
    """
    teams, each = next(network.parameters()).shape[0] // agents, choosing(network, temperature)

    def choose(obs: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        own = obs.reshape(teams, -1, agents, *obs.shape[1:]).swapaxes(1, 2)
        return each(own.reshape(obs.shape), rng).reshape(teams, agents, -1).swapaxes(1, 2).ravel()

    return choose


class Muddled(nn.Module):
    """A network that is shown the wrong planes: a fault that is planted on purpose.

    Args:
        network: from the four planes to Q-values; its weights are the ones that are trained.
        order: which plane it is shown in the place of each; None for an empty one.
    """

    def __init__(self, network: nn.Module, order: Sequence[int | None]):
        super().__init__()
        self.network, self.order = network, tuple(order)

    def forward(self, planes: Tensor) -> Tensor:
        """Map float[K, B, 4, W, H] to float[K, B, 5]."""
        empty = torch.zeros_like(planes[:, :, 0])
        return self.network(torch.stack([empty if i is None else planes[:, :, i] for i in self.order], dim=2))


def chasing(obstacles: np.ndarray) -> Choose:
    """Return the pursuer that knows no allies: it takes a shortest path to the nearest evader, whatever the evader does next.

    Args:
        obstacles: bool[W, H].
    """
    to, after = distances(obstacles), successors(obstacles)

    def choose(obs: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        flat = obs.reshape(len(obs), 4, -1)
        me = flat[:, 3].argmax(axis=1)
        there = np.where(flat[:, 1] > 0, to[me], np.inf)  # [n, cells]
        nearest = there.argmin(axis=1)
        left = to[nearest[:, None], after[me]] + 1e-6 * rng.random((len(obs), ACTIONS))  # ties are broken at random
        return left.argmin(axis=1)

    return choose


def distances(obstacles: np.ndarray) -> np.ndarray:
    """Return the length of a shortest path between any two cells, float[W H, W H]; infinite where there is none."""
    after, n = successors(obstacles), obstacles.size
    to, reached = np.full((n, n), np.inf), np.asarray(np.eye(n, dtype=bool))  # reached[a, b]: from b to a
    for step in range(n):
        to[reached] = np.minimum(to[reached], step)
        wider = np.asarray(reached[:, after].any(axis=2))
        if (wider == reached).all():
            break
        reached = wider
    return to


def draw(p: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return one action for each row of probabilities, int[n] from float[n, A]."""
    below = p.cumsum(axis=1)
    return (rng.random((len(p), 1)) * below[:, -1:] >= below).sum(axis=1)


# -- the algorithm ---------------------------------------------------------------------------------------------------


def train_madqn(
    make_world: MakeWorld,
    networks: Mapping[str, nn.Module],
    *,
    turns: Sequence[str],
    steps: int,
    copies: int = 1,
    worlds: int = 32,
    seed: int = 0,
    temperature: float = 0.02,
    fixed: Mapping[str, Choose] | None = None,
    policy_of: Callable[[nn.Module, float], Choose] = choosing,
    epsilon: tuple[float, float, float] = (1.0, 0.05, 10_000),
    test_every: int = 0,
    test_episodes: int = 50,
    **dqn: Any,
) -> TrainResult:
    """Train a team, or two, one agent at a time.

    1. every kind of agent has one network Q; each agent of the kind draws its moves from softmax(Q / temperature)
    2. for each turn, of one kind:
    3.     fix the policies of all agents as they are now
    4.     one agent of the kind learns by DQN for so many steps; to it, all others are a part of the world
    5.     distribute: every agent of the kind gets the policy that it has learned

    Args:
        make_world: from a number of worlds to a :class:`~rlkit.envs.pursuit.Pursuit`.
        networks: by kind ("pursuers", "evaders"), with K copies each; they are trained in place.
        turns: whose turn it is, turn after turn.
        steps: how many steps each copy makes in a turn, over all its worlds.
        copies: how many independent runs, K: copy k of the pursuers meets copy k of the evaders.
        worlds: how many worlds each copy acts in at once, E.
        seed: of everything.
        temperature: of the softmax, in units of Q.
        fixed: by kind, what it acts by until its first turn is over. A kind that has no network, and is not given here, moves
            at random; one that has a network acts by that from the start.
        policy_of: how the policies that are handed out are made of a network.
        epsilon: exploration of the agent that learns: (start, end, over how many steps). A kind's next turn goes on where
            its last one stopped.
        test_every: after so many steps of each copy, test the team as it would be if line 5 came now; it must divide ``steps``.
            (Default: at the end of each turn.)
        test_episodes: how many episodes a test has, for each copy.
        **dqn: settings of :func:`~rlkit.learn.dqn.train_dqn`.

    Returns:
        TrainResult. ``policy`` holds the networks by kind; ``snapshots`` the same as it was handed out at the end of each
        turn, by the steps until then (at 0, before the first turn). ``tests`` has the columns "turn", "caught" (the share of
        the evaders), "all" (the share of episodes in which all were caught), "time" (until then; else the limit) and "return"
        (of a pursuer); ``episodes`` are those of the agents that learned, with their turn. ``best`` is ``policy``: where the
        opponents learn too, no test is the best for good. Interrupting the kernel ends the run; what was learned is kept.

    Raises:
        ValueError: a turn of a kind without a network, or settings that do not fit.

    Source: Egorov (2016); the lecture, "Train one agent at a time, and fix policies of all the other agents".
    """
    test_every = test_every or steps
    check_turns(networks, turns, steps, test_every, copies)
    check_rest(seed, test_episodes, temperature, fixed, epsilon)
    params = {**dict(locals()), "steps": steps * len(turns), "steps_of_a_turn": steps}
    learned, logs = dict.fromkeys(networks, 0), Logs()
    logs.snapshots[0] = {kind: frozen_copy(q) for kind, q in networks.items()}  # (1)
    for turn, kind in enumerate(turns):  # (2)
        policies = {other: policy_of(frozen_copy(q), temperature) for other, q in networks.items()}  # (3)
        policies |= {other: choose for other, choose in (fixed or {}).items() if not learned.get(other)}
        result = train_dqn(  # (4)
            partial(seat, make_world=make_world, kind=kind, policies=policies),
            networks[kind],
            steps=steps,
            copies=copies,
            worlds=worlds,
            seed=seed + 1_000 * turn,
            epsilon=going_on(epsilon, learned[kind]),
            test_every=test_every,
            test_episodes=1,
            **dqn,
        )
        learned[kind] += steps
        logs.add(turn, steps, result, {kind: frozen_copy(q) for kind, q in networks.items()})  # (5)
        for at, snapshot in result.snapshots.items():
            team = {**policies, kind: policy_of(snapshot, temperature)}
            found = play_team(make_world, team, copies=copies, episodes=test_episodes, seed=seed + 1_000_003 + at)
            logs.test(turn, turn * steps + at, found)
        if stopped(result, steps // worlds * worlds):
            break
    return logs.result(dict(networks), params)


def seat(n: int, make_world: MakeWorld, kind: str, policies: Mapping[str, Choose]) -> Seat:
    """Return n worlds as the first agent of a kind sees them, while all others act by the policies of their kinds."""
    world = make_world(n)
    first = 0 if kind == "pursuers" else world.pursuers
    return Seat(world, first, policies)


def going_on(epsilon: tuple[float, float, float], done: int) -> tuple[float, float, float]:
    """Return a schedule for the rest of the way, after so many steps of it."""
    start, end, over = epsilon
    return linear_schedule(done, start, end, over), end, max(over - done, 1)


def play_team(
    make_world: MakeWorld, policies: Mapping[str, Choose], *, copies: int = 1, episodes: int = 100, seed: int = 0
) -> dict[str, np.ndarray]:
    """Play one episode in each of so many fresh worlds, all agents by the policies of their kinds.

    Args:
        make_world: from a number of worlds to a :class:`~rlkit.envs.pursuit.Pursuit`.
        policies: by kind; a kind that is missing moves at random.
        copies, episodes: K, and how many for each.
        seed: of the worlds and of everybody's draws.

    Returns:
        float[K, episodes] each: "caught", the share of the evaders; "all", whether it was all of them; "time", the steps
        until then, or the limit; "return", the sum of the first pursuer's rewards.

    Raises:
        ValueError: a kind that does not exist, a policy that is none, or numbers that are not whole.
    """
    check_policies("policies", policies)
    copies, episodes = whole_number("copies", copies, 1), whole_number("episodes", episodes, 1)
    world, rng = make_world(copies * episodes), np.random.default_rng([seed, 2])
    obs, sides = world.reset(seed), {"pursuers": slice(0, world.pursuers), "evaders": slice(world.pursuers, None)}
    n, agents = obs.shape[:2]
    total, time, caught = np.zeros((3, n))
    going, all_of_them = np.ones(n, bool), np.zeros(n, bool)
    while going.any():
        actions = rng.integers(ACTIONS, size=(n, agents))
        for kind, choose in policies.items():
            mine = obs[:, sides[kind]]
            actions[:, sides[kind]] = choose(mine.reshape(-1, *mine.shape[2:]), rng).reshape(n, -1)
        obs, reward, terminated, truncated = world.step(actions)
        total, time = total + going * reward[:, 0], time + going
        caught += going * (reward[:, world.pursuers :] < 0).sum(axis=1)
        all_of_them |= going & terminated
        going = going & ~terminated & ~truncated
    found = {"caught": caught / world.evaders, "all": all_of_them, "time": time, "return": total}
    return {name: np.asarray(column, float).reshape(copies, episodes) for name, column in found.items()}


def stopped(result: TrainResult, steps: int) -> bool:
    """Say whether a run of ``train_dqn`` was interrupted: it makes an update after its last step."""
    return not len(result.updates["step"]) or int(result.updates["step"][-1]) < steps


class Logs:
    """What the turns leave behind, joined into one TrainResult."""

    def __init__(self) -> None:
        self.snapshots: dict[int, dict[str, nn.Module]] = {}
        self._parts: dict[str, list[dict[str, np.ndarray]]] = {"episodes": [], "updates": [], "tests": []}

    def add(self, turn: int, steps: int, result: TrainResult, networks: dict[str, nn.Module]) -> None:
        """Note one turn of so many steps, and what every kind acts by after it."""
        for name, log in (("episodes", result.episodes), ("updates", result.updates)):
            part = {**log, "step": log["step"] + turn * steps, "turn": np.full(len(log["step"]), turn)}
            self._parts[name].append(part)
        self.snapshots[(turn + 1) * steps] = networks

    def test(self, turn: int, at: int, found: dict[str, np.ndarray]) -> None:
        """Note a test of the team: float[K, episodes] each."""
        copies = len(found["return"])
        columns = {"copy": np.arange(copies), "step": np.full(copies, at), "turn": np.full(copies, turn)}
        self._parts["tests"].append(columns | {name: column.mean(axis=1) for name, column in found.items()})

    def result(self, networks: dict[str, nn.Module], params: dict[str, Any]) -> TrainResult:
        """Return everything that was noted."""
        logs = {
            name: {column: np.concatenate([part[column] for part in parts]) for column in parts[0]} if parts else {}
            for name, parts in self._parts.items()
        }
        return TrainResult(networks, networks, self.snapshots, logs["episodes"], logs["tests"], logs["updates"], params)


def check_turns(
    networks: Mapping[str, nn.Module], turns: Sequence[str], steps: int, test_every: int, copies: int
) -> None:
    """Refuse at the door what would fail turns later."""
    if not isinstance(networks, Mapping):
        raise ValueError(f"networks is {brief(networks)}, but a dict of networks by kind was expected")
    if not isinstance(turns, Sequence):
        raise ValueError(f"turns is {brief(turns)}, but a list of kinds was expected: whose turn it is")
    for kind in networks:
        if kind not in KINDS:
            raise ValueError(f"networks has the kind {brief(kind)}, but {' and '.join(KINDS)} are what there is")
        check_copies(f"networks[{kind!r}]", networks[kind], copies)
    if not len(turns):
        raise ValueError("turns is empty: nobody would learn")
    for turn, kind in enumerate(turns):
        if kind not in networks:
            raise ValueError(
                f"turns[{turn}] is {brief(kind)}, but only {', '.join(networks) or 'nobody'} has a network"
            )
    if whole_number("steps", steps, 1) % whole_number("test_every", test_every, 1):
        raise ValueError(f"test_every is {test_every}, but it must divide the {steps} steps of a turn")


def check_rest(seed: Any, test_episodes: Any, temperature: Any, fixed: Any, epsilon: Any) -> None:
    """Refuse at the door what does not depend on the turns."""
    whole_number("seed", seed, 0)
    whole_number("test_episodes", test_episodes, 1)
    number("temperature", temperature, 0, np.inf)
    check_policies("fixed", fixed)
    if np.shape(epsilon) != (3,):
        raise ValueError(f"epsilon is {brief(epsilon)}, but (start, end, over how many steps) was expected")
    start, end, over = real_array("epsilon", epsilon)
    number("epsilon[0]", start, 0, 1)
    number("epsilon[1]", end, 0, 1)
    if not over > 0:
        raise ValueError(f"epsilon[2] is {over:g}, but a way of at least one step was expected")
