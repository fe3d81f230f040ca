"""The lecture's worlds, and the standard book's, as grids of cells.

Each world is one short function: where the cells are, and what a move does in a cell. :func:`grid_world` makes the tables.
A cell is (row, column), counted from the top left; a state's number is the cell's place in reading order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np

from rlkit.core.checks import number, whole_number
from rlkit.mdp.tabular import TabularMDP

Cell = tuple[int, int]
Outcome = tuple[float, Cell, float]
"""One thing that a move can lead to: (probability, next cell, reward)."""

COMPASS = {"up": (-1, 0), "right": (0, 1), "down": (1, 0), "left": (0, -1)}
"""The four moves, as (change of row, change of column)."""

KINGS = COMPASS | {"up right": (-1, 1), "down right": (1, 1), "down left": (1, -1), "up left": (-1, -1)}
"""The eight moves of a king in chess."""


@dataclass(frozen=True, eq=False)
class GridWorld(TabularMDP):
    """A world whose states are cells of a grid: a TabularMDP that knows how to be drawn.

    Attributes:
        cells: the (row, column) of each state.
        shape: (rows, columns) of the grid that contains them; places without a state are walls (or water).
        moves: the (row, column) step of each action, for arrows.
        marks: a letter to write into a cell, by state.
    """

    cells: tuple[Cell, ...] = ()
    shape: tuple[int, int] = (0, 0)
    moves: tuple[Cell, ...] = ()
    marks: Mapping[int, str] = field(default_factory=dict)

    def state(self, cell: Cell) -> int:
        """Return the number of the state at ``cell``.

        Raises:
            ValueError: if there is no state.
        """
        if cell not in self.cells:
            raise ValueError(f"there is no state at {cell}: it is a wall, or outside the grid")
        return self.cells.index(cell)

    def on_grid(self, values: np.ndarray) -> np.ndarray:
        """Return float[S] laid out as float[rows, columns], NaN where there is no state."""
        grid = np.full(self.shape, np.nan)
        grid[tuple(np.transpose(self.cells))] = values
        return grid


def grid_world(
    cells: Iterable[Cell],
    outcomes: Callable[[Cell, Cell], list[Outcome] | None],
    gamma: float,
    *,
    exits: Iterable[Cell] = (),
    start: Cell | None = None,
    moves: Mapping[str, Cell] = COMPASS,
    marks: Mapping[Cell, str] | None = None,
) -> GridWorld:
    """Make the tables of a grid.

    Args:
        cells: all (row, column) that are states.
        outcomes: ``outcomes(cell, move)`` lists what the move leads to, or is None where the move does not exist.
        gamma: the discount.
        exits: terminal cells; they absorb, and ``outcomes`` is not asked about them.
        start: where episodes begin (default: any cell that is no exit).
        moves: the actions, by name.
        marks: letters to write into cells when the world is drawn.

    Raises:
        ValueError: an outcome that is not (probability, next cell, reward), or a world that TabularMDP refuses.

    Example:
        A square of four cells, one of them an exit that pays 1; moves off the grid leave you where you are::

            cells = rectangle(2, 2)

            def outcomes(cell, move):
                to = add(cell, move)
                to = to if to in cells else cell
                return [(1.0, to, float(to == (0, 1)))]

            square = grid_world(cells, outcomes, gamma=0.9, exits=[(0, 1)])
    """
    cells, exits = sorted(cells), set(exits)
    index = {cell: s for s, cell in enumerate(cells)}
    S, A = len(cells), len(moves)
    P, R, available = np.zeros((S, A, S)), np.zeros((S, A, S)), np.ones((S, A), bool)
    for s, cell in enumerate(cells):
        for a, move in enumerate(moves.values()):
            listed = [(1.0, cell, 0.0)] if cell in exits else outcomes(cell, move)
            available[s, a] = listed is not None
            for outcome in listed or ():
                p, to, reward = _checked(outcome, index, cell)
                # Two outcomes may lead to the same cell: probabilities add up, and the reward is their mean.
                total = P[s, a, index[to]] + p
                if total > 0:
                    R[s, a, index[to]] += (reward - R[s, a, index[to]]) * p / total
                P[s, a, index[to]] = total
    return GridWorld(
        P,
        R,
        gamma,
        start=None if start is None else np.eye(S)[index[start]],
        terminal=np.array([cell in exits for cell in cells]),
        available=available,
        states=tuple(str(cell) for cell in cells),
        actions=tuple(moves),
        cells=tuple(cells),
        shape=(1 + max(row for row, _ in cells), 1 + max(column for _, column in cells)),
        moves=tuple(moves.values()),
        marks={index[cell]: mark for cell, mark in (marks or {}).items()},
    )


def _checked(outcome: Outcome, index: Mapping[Cell, int], cell: Cell) -> Outcome:
    try:
        p, to, reward = outcome
        known = to in index
    except (TypeError, ValueError):
        known = False
    if not known:
        raise ValueError(
            f"outcomes({cell}, ...) lists {outcome!r}, but (probability, next cell, reward) was expected, "
            "with a next cell that is among the cells"
        )
    return float(p), to, float(reward)


def add(cell: Cell, move: Cell) -> Cell:
    """Return the cell that lies one move further."""
    return cell[0] + move[0], cell[1] + move[1]


def slipping(move: Cell, slip: float) -> list[tuple[float, Cell]]:
    """Return what becomes of a move on slippery ground: itself, or with probability slip a move to either side."""
    row, column = move
    sides = [(-column, row), (column, -row)]
    return [(1 - slip, move)] + ([(slip / 2, side) for side in sides] if slip else [])


def rectangle(rows: int, columns: int) -> list[Cell]:
    """Return all cells of a grid without walls."""
    return [(row, column) for row in range(rows) for column in range(columns)]


# -- the lecture's worlds --------------------------------------------------------------------------------------------


def mitchell(gamma: float = 0.9) -> GridWorld:
    """The lecture's MDP example: two rows of three cells, the goal at the top right.

    Entering the goal pays 100, every other move 0. Moves off the grid do not exist.

    Source: the lecture; the world is Mitchell's (1997, chapter 13).
    """
    cells = rectangle(2, 3)
    goal = (0, 2)

    def outcomes(cell: Cell, move: Cell) -> list[Outcome] | None:
        to = add(cell, move)
        return [(1.0, to, 100.0 if to == goal else 0.0)] if to in cells else None

    return grid_world(cells, outcomes, gamma, exits=[goal], marks={goal: "G"})


def minimum_time_to_goal(gamma: float = 1.0) -> GridWorld:
    """Minimum time to goal: a 4 x 4 grid with two exits in opposite corners, reward -1 for every move.

    Moves off the grid leave you where you are, and cost 1 too. Without a discount V* is minus the number of moves to the
    nearer exit.

    Source: the lecture names the task; the world is that of Sutton and Barto (2018), example 4.1.
    """
    cells = rectangle(4, 4)

    def outcomes(cell: Cell, move: Cell) -> list[Outcome]:
        to = add(cell, move)
        return [(1.0, to if to in cells else cell, -1.0)]

    exits = [(0, 0), (3, 3)]
    return grid_world(cells, outcomes, gamma, exits=exits, marks=dict.fromkeys(exits, "G"))


# -- one world, three reward functions -------------------------------------------------------------------------------

BANK = [(0, c) for c in range(5)] + [(1, 0), (1, 4)] + [(2, c) for c in range(5)]
"""Twelve cells around a rock: a path along the top, a path along the bottom, and below that a river (row 3)."""
_HOME, _GATE = (2, 0), (2, 4)


def river(task: str, slip: float = 0.2, gamma: float = 1.0) -> GridWorld:
    """Walk from H to the gate G along a slippery river bank, for one of two reward functions.

    A move goes astray with probability ``slip``, half of it to either side. Moves into the rock leave you where you are.

    Args:
        task: "delayed": the gate pays 1, the river -1 and ends the walk, everything else 0 (pure delayed reward and
            avoidance). "time": every move costs 1, the river carries you back to H (minimum time to goal).
        slip: in [0, 1].
        gamma: the discount.
    """
    if task not in ("delayed", "time"):
        raise ValueError(f"task is {task!r}, but 'delayed' or 'time' was expected")
    slip = number("slip", slip, 0, 1)
    water = [(3, c) for c in range(5)]
    delayed = task == "delayed"

    def outcomes(cell: Cell, move: Cell) -> list[Outcome]:
        listed: list[Outcome] = []
        for p, way in slipping(move, slip):
            to = add(cell, way)
            if to in water:
                listed.append((p, to, -1.0) if delayed else (p, _HOME, -1.0))
            else:
                to = to if to in BANK else cell
                listed.append((p, to, float(to == _GATE) if delayed else -1.0))
        return listed

    exits = [_GATE, *(water if delayed else [])]
    marks = {_HOME: "H", _GATE: "G"} | (dict.fromkeys(water, "~") if delayed else {})
    return grid_world(BANK + (water if delayed else []), outcomes, gamma, exits=exits, start=_HOME, marks=marks)


def guarded_gate(alert: float = 0.5, gamma: float = 1.0) -> TabularMDP:
    """The river bank as a game: a guard waits at the gate, and with probability ``alert`` steps towards you after you.

    Reaching the gate while the guard is not on it pays 1, meeting the guard -1, everything else 0. The ground does not
    slip. The guard takes the shorter way around the rock (clockwise, where both are as long). It follows a fixed rule and
    so is part of the world, which is what makes this a Markov decision process. An opponent who chooses is the subject of
    chapter 7.

    A state is the pair (your cell, the guard's cell), plus two at the end: won and lost.
    """
    alert = number("alert", alert, 0, 1)
    ring = [(0, 0), (0, 1), (0, 2), (0, 3), (0, 4), (1, 4), (2, 4), (2, 3), (2, 2), (2, 1), (2, 0), (1, 0)]
    n, home, gate = len(ring), ring.index(_HOME), ring.index(_GATE)
    pairs = [(me, guard) for me in range(n) for guard in range(n) if me != guard]
    index = {pair: s for s, pair in enumerate(pairs)}
    won, lost = len(pairs), len(pairs) + 1
    P, R = np.zeros((lost + 1, 3, lost + 1)), np.zeros((lost + 1, 3))
    for (me, guard), s in index.items():
        for a, turn in enumerate((0, 1, -1)):
            here = (me + turn) % n
            towards = 1 if (here - guard) % n <= n / 2 else -1
            for p, there in ((1 - alert, guard), (alert, (guard + towards) % n)):
                crossed = here == guard and there == me
                if here == there or crossed or here == guard:
                    to = lost
                else:
                    to = won if here == gate else index[here, there]
                P[s, a, to] += p
            R[s, a] = P[s, a, won] - P[s, a, lost]
    P[[won, lost], :, [won, lost]] = 1
    terminal = np.arange(lost + 1) >= won
    start = np.eye(lost + 1)[index[home, gate]]
    names = tuple(f"you {ring[me]}, guard {ring[guard]}" for me, guard in pairs) + ("won", "lost")
    return TabularMDP(P, R, gamma, start, terminal, states=names, actions=("wait", "clockwise", "anticlockwise"))


def two_chests(near: float = 10.0, far: float = 80.0, gamma: float = 0.9) -> GridWorld:
    """A corridor of eight cells with a small chest at its left end and a large one at its right end.

    Opening a chest (entering its cell) pays ``near`` or ``far`` and ends the walk; other moves pay 0. From the third cell the
    near chest is 2 moves away and the far one 5, so the best way flips where gamma^3 = near / far.
    """
    last = 7
    cells = [(0, c) for c in range(last + 1)]

    def outcomes(cell: Cell, move: Cell) -> list[Outcome]:
        to = add(cell, move)
        return [(1.0, to, near if to == cells[0] else far if to == cells[last] else 0.0)]

    moves = {name: COMPASS[name] for name in ("left", "right")}
    marks = {cells[0]: f"{near:g}", cells[2]: "S", cells[last]: f"{far:g}"}
    return grid_world(cells, outcomes, gamma, exits=[cells[0], cells[last]], start=cells[2], moves=moves, marks=marks)


# -- the standard book's worlds --------------------------------------------------------------------------------------


def teleports(gamma: float = 0.9) -> GridWorld:
    """Sutton and Barto's 5 x 5 grid: every move from A leads to A' and pays 10, from B to B' and pays 5.

    Moves off the grid leave you where you are and pay -1; all others pay 0. Nothing ends.

    Source: Sutton and Barto (2018), examples 3.5 and 3.8.
    """
    cells = rectangle(5, 5)
    jumps = {(0, 1): ((4, 1), 10.0), (0, 3): ((2, 3), 5.0)}

    def outcomes(cell: Cell, move: Cell) -> list[Outcome]:
        if cell in jumps:
            return [(1.0, *jumps[cell])]
        to = add(cell, move)
        return [(1.0, to, 0.0) if to in cells else (1.0, cell, -1.0)]

    return grid_world(cells, outcomes, gamma, marks={(0, 1): "A", (4, 1): "A′", (0, 3): "B", (2, 3): "B′"})


def cliff(gamma: float = 1.0) -> GridWorld:
    """A 4 x 12 grid with a cliff along its lower edge, between the start and the goal; every move costs 1.

    Stepping off the cliff costs 100 and leads back to the start; the episode goes on. Moves off the grid leave you where
    you are.

    Source: Sutton and Barto (2018), example 6.6.
    """
    edge = [(3, c) for c in range(1, 11)]
    start, goal = (3, 0), (3, 11)
    cells = [cell for cell in rectangle(4, 12) if cell not in edge]

    def outcomes(cell: Cell, move: Cell) -> list[Outcome]:
        to = add(cell, move)
        if to in edge:
            return [(1.0, start, -100.0)]
        return [(1.0, to if to in cells else cell, -1.0)]

    return grid_world(cells, outcomes, gamma, exits=[goal], start=start, marks={start: "S", goal: "G"})


def windy(moves: Mapping[str, Cell] = COMPASS, gamma: float = 1.0) -> GridWorld:
    """A 7 x 10 grid in which a wind blows upwards, by as many cells as the column that you leave says; every move costs 1.

    Args:
        moves: COMPASS; or KINGS; or ``KINGS | {"stay": (0, 0)}``.
        gamma: the discount.

    Source: Sutton and Barto (2018), example 6.5 and exercise 6.9.
    """
    wind = (0, 0, 0, 1, 1, 1, 2, 2, 1, 0)
    start, goal = (3, 0), (3, 7)

    def outcomes(cell: Cell, move: Cell) -> list[Outcome]:
        row, column = add(cell, move)
        row -= wind[cell[1]]
        return [(1.0, (min(max(row, 0), 6), min(max(column, 0), 9)), -1.0)]

    marks = {start: "S", goal: "G"}
    return grid_world(rectangle(7, 10), outcomes, gamma, exits=[goal], start=start, moves=moves, marks=marks)


def dyna_maze(gamma: float = 0.95, slip: float = 0.0) -> GridWorld:
    """A 6 x 9 maze with three walls; entering the goal at the top right pays 1, everything else 0.

    Moves into walls or off the grid leave you where you are. The shortest way from the start takes 14 moves.

    Args:
        gamma: the discount.
        slip: probability that a move goes astray to one side (the book's maze: 0).

    Source: Sutton and Barto (2018), example 8.1.
    """
    slip = number("slip", slip, 0, 1)
    walls = [(1, 2), (2, 2), (3, 2), (4, 5), (0, 7), (1, 7), (2, 7)]
    start, goal = (2, 0), (0, 8)
    cells = [cell for cell in rectangle(6, 9) if cell not in walls]

    def outcomes(cell: Cell, move: Cell) -> list[Outcome]:
        listed: list[Outcome] = []
        for p, way in slipping(move, slip):
            to = add(cell, way)
            to = to if to in cells else cell
            listed.append((p, to, float(to == goal)))
        return listed

    return grid_world(cells, outcomes, gamma, exits=[goal], start=start, marks={start: "S", goal: "G"})


def random_walk(n: int = 5, left: float = 0.0, gamma: float = 1.0) -> GridWorld:
    """A row of n cells between two exits; entering the right one pays 1, the left one ``left``, everything else 0.

    Under the random policy, with ``left`` = 0, the k-th of n cells is worth k / (n + 1).

    Args:
        n: an odd number, so that there is a middle cell to start from.
        left: what the left exit pays.
        gamma: the discount.

    Source: Sutton and Barto (2018), examples 6.2 (n = 5) and 7.1 (n = 19, left = -1).
    """
    n = whole_number("n", n, 1)
    if n % 2 == 0:
        raise ValueError(f"n is {n}, but it must be odd: the walk starts in the middle")
    cells = [(0, c) for c in range(n + 2)]

    def outcomes(cell: Cell, move: Cell) -> list[Outcome]:
        to = add(cell, move)
        return [(1.0, to, 1.0 if to == cells[-1] else left if to == cells[0] else 0.0)]

    moves = {name: COMPASS[name] for name in ("left", "right")}
    start = cells[(n + 1) // 2]
    marks = {cells[0]: f"{left:g}", start: "S", cells[-1]: "1"}
    return grid_world(cells, outcomes, gamma, exits=[cells[0], cells[-1]], start=start, moves=moves, marks=marks)


def noisy_bets(bets: int = 10, mean: float = -0.1, std: float = 1.0) -> TabularMDP:
    """A world that fools a maximum: from A, right ends with 0; left leads to B, where every bet ends with a noisy loss.

    From A, left and right both pay 0. In B there are ``bets`` actions, and each pays a normal reward with the same mean.
    Going left is worth ``mean``, so the best way is right.

    Args:
        bets: how many actions there are in B, at least 2.
        mean, std: of their rewards.

    Source: Sutton and Barto (2018), example 6.7.
    """
    A, B, end = range(3)
    bets = whole_number("bets", bets, 2)
    P, R, noise = np.zeros((3, bets, 3)), np.zeros((3, bets)), np.zeros((3, bets))
    available = np.ones((3, bets), bool)
    available[A, 2:] = False
    P[A, 0, B] = P[A, 1, end] = 1
    P[[B, end], :, end] = 1
    R[B], noise[B] = mean, std
    return TabularMDP(
        P, R, 1.0, np.eye(3)[A], np.eye(3, dtype=bool)[end], available, reward_std=noise, states=("A", "B", "end")
    )


def short_corridor(gamma: float = 1.0) -> GridWorld:
    """Three cells in a row and the exit to the right of them; in the middle one, left and right are swapped. Every move costs 1.

    Whoever sees the cells has an easy task. Whoever cannot tell them apart must do the same thing in all three: with the
    probability p of "right", the start is worth (2p - 4) / (p (1 - p)), which is best at p = 2 - sqrt(2).

    Args:
        gamma: the discount.

    Source: Sutton and Barto (2018), example 13.1.
    """
    cells = [(0, c) for c in range(4)]

    def outcomes(cell: Cell, move: Cell) -> list[Outcome]:
        row, step = move if cell != cells[1] else (move[0], -move[1])
        to = add(cell, (row, step))
        return [(1.0, to if to in cells else cell, -1.0)]

    moves = {name: COMPASS[name] for name in ("left", "right")}
    marks = {cells[0]: "S", cells[1]: "⇄", cells[3]: "G"}
    return grid_world(cells, outcomes, gamma, exits=[cells[3]], start=cells[0], moves=moves, marks=marks)


def lane(wind: float = 0.25, gamma: float = 0.95, steps: int | None = None) -> GridWorld:
    """The smallest road to drive on: five places side by side, and gusts of wind.

    In every step the car goes ahead, and the driver steers one place to the left, straight, or one to the right. Then a gust
    may push it one place further to either side. The step pays 1 if the car is still on the road after it; the step that
    leaves the road pays 0 and ends the drive. Episodes begin in the middle.

    A state is a place: 1 to 5 are the road, 0 and 6 the grass on its two sides. Who steers towards the middle from the outer
    places never leaves the road.

    Args:
        wind: the probability of a gust to the left, and of one to the right: in [0, 0.5].
        gamma: the discount.
        steps: with a number, the road is that long, and its end ends the drive too. A state is then a place in one of the
            rows 0 (the end of the road) to ``steps`` (the start): number 7 * row + place.
    """
    wind = number("wind", wind, 0, 0.5)
    length = 0 if steps is None else whole_number("steps", steps, 1)
    cells, grass = rectangle(length + 1, 7), (0, 6)

    def outcomes(cell: Cell, move: Cell) -> list[Outcome]:
        listed: list[Outcome] = []
        for p, gust in (1 - 2 * wind, 0), (wind, -1), (wind, 1):
            row, place = add(cell, move)
            to = (max(row, 0), min(max(place + gust, 0), 6))
            listed.append((p, to, float(to[1] not in grass)))
        return listed

    exits = [cell for cell in cells if cell[1] in grass or (length and cell[0] == 0)]
    moves = {"left": (-1, -1), "straight": (-1, 0), "right": (-1, 1)}
    start = (length, 3)
    marks = {start: "S"} | {cell: "×" for cell in cells if cell[1] in grass}
    return grid_world(cells, outcomes, gamma, exits=exits, start=start, moves=moves, marks=marks)


def baird_star(gamma: float = 0.99) -> tuple[TabularMDP, np.ndarray]:
    """Return a world without rewards in which learning with a linear function runs away to infinity, and its features.

    Six outer states and a centre. "out" leads to one of the outer states, all equally likely; "centre" leads to the centre.
    Nothing is ever paid, so every policy is worth 0 everywhere. The estimate of outer state i is 2 w_i + w_7, that of the
    centre w_6 + 2 w_7 (counted from 0): weights of 0 are right.

    Args:
        gamma: the discount, below 1.

    Returns:
        The world, state 6 is the centre; and its features, float[7, 8].

    Source: Baird (1995), in the form of Sutton and Barto (2018), section 11.2.
    """
    P = np.zeros((7, 2, 7))
    P[:, 0, :6], P[:, 1, 6] = 1 / 6, 1
    features = np.hstack([2 * np.eye(7), np.ones((7, 1))])
    features[6, 6:] = 1, 2
    names = (*(f"outer {i}" for i in range(6)), "centre")
    return TabularMDP(P, np.zeros((7, 2)), gamma, states=names, actions=("out", "centre")), features
