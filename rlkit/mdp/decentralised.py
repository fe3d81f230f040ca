"""Two agents with one reward, each of which sees only its own observations: Dec-POMDPs, solved by enumeration.

What an agent does is a *policy tree*: an action, then for each observation a subtree with one step less. A tree of depth T is
held as int[nodes], level by level: node 0 is the root, and the nodes 1 + Z n, ..., Z + Z n follow node n, one for each of Z
observations. With two observations a tree of depth 3 has 1 + 2 + 4 = 7 nodes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from rlkit.core.checks import brief, distribution, entry, first, real_array, whole_number
from rlkit.mdp.hidden import index_below
from rlkit.mdp.partial import POMDP, keep_world

MOST_PAIRS, MOST_NODES = 20_000_000, 500
"""As many pairs of trees are enumerated, and no more; and no tree has more nodes."""


@dataclass(frozen=True, eq=False)
class DecPOMDP:
    """A decentralised POMDP of two agents, who share the reward and nothing else.

    The arrays are copied and can be read only.

    Args:
        P: float[S, A1, A2, S], P[s, a1, a2, s'] = the probability of moving to s'.
        O: float[A1, A2, S, Z1, Z2], O[a1, a2, s', o1, o2] = the probability that agent 1 observes o1 and agent 2 observes o2
            after their actions have led to s'.
        R: float[S, A1, A2], the expected reward of the team.
        gamma: the discount, in [0, 1].
        start: float[S], the belief of both at the beginning (default: all states are equally likely).
        states, actions, observations: names, for messages and figures; those of actions and observations are the same for both
            agents (default: numbers).

    Raises:
        ValueError: one sentence that names the faulty entry.
    """

    P: Any
    O: Any  # noqa: E741 - the letter that every text on hidden states uses
    R: Any
    gamma: float = 1.0
    start: Any = None
    states: tuple[str, ...] = ()
    actions: tuple[str, ...] = ()
    observations: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        P, O = real_array("P", self.P), real_array("O", self.O)  # noqa: E741
        if P.ndim != 4 or P.shape[0] != P.shape[3] or not P.size:
            raise ValueError(f"P has shape {P.shape}, but [S, A1, A2, S] was expected")
        S, A1, A2, _ = P.shape
        if O.ndim != 5 or O.shape[:3] != (A1, A2, S) or not O.size:
            raise ValueError(f"O has shape {O.shape}, but [{A1}, {A2}, {S}, Z1, Z2] was expected")
        distribution("O", O.reshape(A1, A2, S, -1))
        keep_world(self, P, O, max(A1, A2), max(O.shape[3:]))

    @property
    def n_states(self) -> int:
        """The number of states, S."""
        return int(self.P.shape[0])

    @property
    def n_actions(self) -> tuple[int, int]:
        """The numbers of actions of both agents, (A1, A2)."""
        return int(self.P.shape[1]), int(self.P.shape[2])

    @property
    def n_observations(self) -> tuple[int, int]:
        """The numbers of observations of both agents, (Z1, Z2)."""
        return int(self.O.shape[3]), int(self.O.shape[4])


def pooled(dec: DecPOMDP) -> POMDP:
    """Return the same world for one agent that has both bodies, and hears what both hear.

    Action a1 * A2 + a2 stands for the pair (a1, a2), and so do observations. Its value is a bound that no pair of agents can
    pass.
    """
    S, (A1, A2), (Z1, Z2) = dec.n_states, dec.n_actions, dec.n_observations
    return POMDP(
        dec.P.reshape(S, A1 * A2, S),
        dec.O.reshape(A1 * A2, S, Z1 * Z2),
        dec.R.reshape(S, A1 * A2),
        dec.gamma,
        dec.start,
        dec.states,
        tuple(f"{a}, {b}" for a in dec.actions[:A1] for b in dec.actions[:A2]),
        tuple(f"{o}, {p}" for o in dec.observations[:Z1] for p in dec.observations[:Z2]),
    )


def tree_depth(nodes: int, observations: int) -> int:
    """Return the depth of a tree with so many nodes.

    Args:
        nodes, observations: how many, at least 1 each.

    Raises:
        ValueError: no full tree has as many nodes.
    """
    nodes, observations = whole_number("nodes", nodes, 1), whole_number("observations", observations, 1)
    if observations == 1:
        return nodes
    size, level, depth = 0, 1, 0
    while size < nodes:
        size, level, depth = size + level, level * observations, depth + 1
    if size != nodes:
        raise ValueError(f"a tree has {nodes} nodes, but with {observations} observations no full tree has as many")
    return depth


def value_of_trees(dec: DecPOMDP, tree1: Any, tree2: Any) -> Any:
    """Return the expected return of a pair of policy trees, exactly.

    1. m(s, n, k) := start(s) at both roots n and k
    2. for every level of the trees:
    3.     value := value + gamma^t sum_{s, n, k} m(s, n, k) r(s, a1, a2), with the actions a1, a2 of the nodes n and k
    4.     send the mass m on: to the next state s', and from n and k to what follows them after o1 and o2

    Args:
        dec: the world.
        tree1, tree2: int[nodes] each, or int[..., nodes] for many pairs at once; of equal depth.

    Returns:
        A number, or float[...].

    Raises:
        ValueError: trees of different depth, no full trees, an action that does not exist, or not as many trees of one agent
            as of the other.
    """
    _is_dec(dec)
    trees = [_tree(f"tree{i + 1}", t, dec.n_actions[i]) for i, t in enumerate((tree1, tree2))]
    Z1, Z2 = dec.n_observations
    depths = {tree_depth(t.shape[-1], Z) for t, Z in zip(trees, (Z1, Z2), strict=True)}
    if len(depths) > 1:
        raise ValueError(f"the trees have depths {sorted(depths)}, but they must be equally deep")
    try:
        shape = np.broadcast_shapes(*(t.shape[:-1] for t in trees))
    except ValueError:
        raise ValueError(
            f"tree1 and tree2 have shapes {trees[0].shape} and {trees[1].shape}: they make no pairs"
        ) from None
    one, two = (np.broadcast_to(t, (*shape, t.shape[-1])) for t in trees)
    value, at1, at2 = np.zeros(shape), 0, 0
    m = np.broadcast_to(dec.start, (*shape, 1, 1, dec.n_states))  # (1)
    for t in range(depths.pop()):  # (2)
        N1, N2 = m.shape[-3:-1]
        a1, a2 = one[..., at1 : at1 + N1, None], two[..., None, at2 : at2 + N2]
        r = np.moveaxis(dec.R, 0, -1)[a1, a2]  # float[..., N1, N2, S]
        value = value + dec.gamma**t * (m * r).sum(axis=(-3, -2, -1))  # (3)
        moved = np.einsum("...s,...st->...t", m, np.moveaxis(dec.P, 0, 2)[a1, a2])
        m = np.einsum("...nkt,...nktop->...nokpt", moved, dec.O[a1, a2])  # (4)
        m = m.reshape(*shape, N1 * Z1, N2 * Z2, dec.n_states)
        at1, at2 = at1 + N1, at2 + N2
    return value if shape else float(value)


def pair_values(dec: DecPOMDP, horizon: int) -> np.ndarray:
    """Return the expected return of every pair of policy trees of the given depth, float[N1, N2].

    1. with 1 step to go:  V(s, x, y) := r(s, x, y): a tree is an action
    2. repeat until the trees are as deep as they should be:
    3.     for every pair of actions:  W(s, o1, o2, x, y) := sum_s' P(s' | s, a1, a2) O(o1, o2 | s', a1, a2) V(s', x, y)
    4.     for all ways to hang a subtree x below each o1, and y below each o2:
    5.         V(s, tree, tree) := r(s, a1, a2) + gamma sum_{o1, o2} W(s, o1, o2, x of o1, y of o2)

    :func:`numbered_tree` says which tree has which number. In the last round s is not needed one by one: the belief at the
    beginning takes its mean.

    Raises:
        ValueError: horizon is below 1, or there are more than MOST_PAIRS pairs, or MOST_NODES nodes of a tree.

    Source: the rounds are those of Hansen, Bernstein and Zilberstein (2004), without pruning.
    """
    _is_dec(dec)
    horizon = whole_number("horizon", horizon, 1)
    (A1, A2), (Z1, Z2) = dec.n_actions, dec.n_observations
    nodes = [tree_nodes("horizon", horizon, Z) for Z in (Z1, Z2)]
    if nodes[0] * np.log(A1) + nodes[1] * np.log(A2) > np.log(MOST_PAIRS) + 1e-9:
        raise ValueError(f"horizon is {horizon}: more than {MOST_PAIRS:,} pairs of trees are too many to enumerate")
    mean = lambda array: np.einsum("s,s...->...", dec.start, array)[None]  # noqa: E731 - as if there were one state
    if horizon == 1:
        return mean(dec.R)[0]
    V = dec.R  # (1)
    for left in range(horizon - 1, 0, -1):  # (2)
        N1, N2 = V.shape[1:]
        blocks = []
        for a1 in range(A1):
            for a2 in range(A2):
                W = np.einsum("st,top,txy->sopxy", dec.P[:, a1, a2], dec.O[a1, a2], V)  # (3)
                r = dec.R[:, a1, a2]
                if left == 1:
                    W, r = mean(W), mean(r)
                S = len(r)
                total = r.reshape(S, *[1] * (Z1 + Z2))
                for o1 in range(Z1):  # (4)
                    for o2 in range(Z2):
                        axes = [1] * (Z1 + Z2)
                        axes[o1], axes[Z1 + o2] = N1, N2
                        total = total + dec.gamma * W[:, o1, o2].reshape(S, *axes)  # (5)
                blocks.append(total.reshape(S, N1**Z1, N2**Z2))
        S = len(blocks[0])
        table = np.stack(blocks, axis=1).reshape(S, A1, A2, N1**Z1, N2**Z2)
        V = table.swapaxes(2, 3).reshape(S, A1 * N1**Z1, A2 * N2**Z2)
    return V[0]


def numbered_tree(k: int, depth: int, actions: int, observations: int) -> np.ndarray:
    """Return the policy tree with number k among all of this depth, int[nodes]: a row or column of :func:`pair_values`.

    The action of the root counts most, then the number of the subtree after observation 0, and so on.

    Raises:
        ValueError: there is no tree with this number, or it would have more than MOST_NODES nodes.
    """
    depth, actions = whole_number("depth", depth, 1), whole_number("actions", actions, 1)
    tree_nodes("depth", depth, observations)
    k = index_below("k", k, _count(actions, observations, depth))
    levels: list[list[int]] = [[] for _ in range(depth)]

    def unfold(k: int, depth: int) -> None:
        below = _count(actions, observations, depth - 1) if depth > 1 else 1
        a, rest = divmod(k, below**observations if depth > 1 else 1)
        levels[-depth].append(a)
        if depth > 1:
            for o in range(observations):
                unfold(rest // below ** (observations - 1 - o) % below, depth - 1)

    unfold(k, depth)
    return np.array([a for level in levels for a in level])


def best_trees(dec: DecPOMDP, horizon: int) -> tuple[float, np.ndarray, np.ndarray]:
    """Return the largest expected return, and a pair of policy trees that has it (the first one, where several have).

    Raises:
        ValueError: as :func:`pair_values`.
    """
    values = pair_values(dec, horizon)
    pair = np.unravel_index(np.flatnonzero(values >= values.max() - 1e-9)[0], values.shape)
    sizes = zip(pair, dec.n_actions, dec.n_observations, strict=True)
    one, two = (numbered_tree(int(k), horizon, A, Z) for k, A, Z in sizes)
    return float(values[pair]), one, two


def dec_tiger(gamma: float = 1.0) -> DecPOMDP:
    """Two agents in front of the tiger's doors, each with its own ears.

    If both listen, each hears the growl from the right side with probability 0.85, independently, and it costs the team 2. If
    anybody opens, tiger and treasure are placed anew, and what both hear says nothing. Opening the treasure's door together
    pays 20, alone 9 (10, less 1 for the other's listening); the tiger's costs 50 together and 101 alone; two different doors
    cost 100.

    Source: Nair, Tambe, Yokoo, Pynadath and Marsella (2003).
    """
    listen, left, right = range(3)
    P = np.full((2, 3, 3, 2), 0.5)
    P[:, listen, listen] = np.eye(2)
    hear = np.array([[0.85, 0.15], [0.15, 0.85]])
    O = np.full((3, 3, 2, 2, 2), 0.25)  # noqa: E741
    O[listen, listen] = np.einsum("so,sp->sop", hear, hear)
    R = np.empty((2, 3, 3))
    R[:, listen, listen] = -2
    R[:, left, right] = R[:, right, left] = -100
    for tiger, (bad, good) in enumerate(((left, right), (right, left))):
        R[tiger, bad, bad], R[tiger, good, good] = -50, 20
        R[tiger, bad, listen] = R[tiger, listen, bad] = -101
        R[tiger, good, listen] = R[tiger, listen, good] = 9
    sides = ("tiger left", "tiger right")
    return DecPOMDP(P, O, R, gamma, None, sides, ("listen", "open left", "open right"), ("hear left", "hear right"))


def tree_nodes(name: str, depth: int, observations: int) -> int:
    """Return how many nodes a tree of this depth has, or raise ValueError if more than MOST_NODES; ``name`` is the depth's."""
    nodes, level, observations = 0, 1, whole_number("observations", observations, 1)
    for _ in range(depth):
        nodes, level = nodes + level, level * observations
        if nodes > MOST_NODES:
            raise ValueError(f"{name} is {depth}: trees with more than {MOST_NODES:,} nodes are too large")
    return nodes


def _count(actions: int, observations: int, depth: int) -> int:
    """Return how many policy trees there are of this depth."""
    return actions ** sum(observations**t for t in range(depth))


def _is_dec(dec: Any) -> None:
    if not isinstance(dec, DecPOMDP):
        raise ValueError(f"dec is {brief(dec)}, but a DecPOMDP was expected")


def _tree(name: str, value: Any, actions: int) -> np.ndarray:
    tree = real_array(name, value)
    if not tree.ndim:
        raise ValueError(f"{name} is {value}, but int[nodes] was expected")
    wrong = (tree != np.floor(tree)) | (tree < 0) | (tree >= actions)
    if wrong.any():
        where = first(wrong)
        raise ValueError(
            f"{entry(name, where)} is {tree[where]:g}, but an action is a whole number from 0 to {actions - 1}"
        )
    return tree.astype(int)
