"""Littman's soccer from above: the board, both goals, both players and the ball; recorded games, and one to play."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from matplotlib.patches import Circle, Rectangle

from rlkit.core.checks import distribution, real_array, whole_number
from rlkit.games.soccer import ACTIONS, COLUMNS, GOAL_ROWS, KICK_OFF, ROWS, STEPS, played, position_of, state_of
from rlkit.mdp.worlds import Cell
from rlkit.show.picture import AMBER, BLUE, FAINT, LINE, RED, Picture, in_style, picture
from rlkit.show.player import MOST_FRAMES, Explorable, animate
from rlkit.show.steering import Steered, steer

CELL = 0.46
"""The side of a square in inches."""
SHAPE = (2 * ROWS * COLUMNS * (ROWS * COLUMNS - 1), len(ACTIONS))
"""Of a policy."""
SELDOM = 5e-4
"""A move that is less likely is not drawn."""
KEYS = {"stand": "x", "north": "w", "west": "a", "south": "s", "east": "d"}
"""What a person presses, in the order of the buttons."""


@in_style
def pitch(s: int, title: str = "", *, arrows: str = "", chances: Sequence[Any] = (), alt: str = "") -> Picture:
    """Draw a state of soccer: A is blue and scores on the left, B is red and scores on the right; a dot is the ball.

    Args:
        s: the state, as :func:`rlkit.games.soccer.state_of` numbers them.
        title: above the board.
        arrows: letters of moves of the player with the ball, of N, S, E and W, drawn as arrows: ``"SW"`` for two.
        chances: float[5] for A and float[5] for B, how likely each makes which move; drawn as arrows with numbers.
        alt: what the picture shows, in words (default: the title, and where everybody is).

    Raises:
        ValueError: there is no such state, another letter, or chances that are none.
    """
    *cells, owner = position_of(s)
    wrong = set(arrows) - set("NSEW")
    if wrong:
        raise ValueError(f"arrows is {arrows!r}, but letters of N, S, E and W were expected")
    head, goal, edge = 0.3 if title else 0.0, 0.35, 0.02
    size = ((COLUMNS + 2 * goal) * CELL + 2 * edge, ROWS * CELL + 2 * edge + head)
    figure = Figure(figsize=size)
    ax = figure.add_axes((0, 0, 1, 1 - head / size[1]))
    margin = edge / CELL
    ax.set(xlim=(-goal - margin, COLUMNS + goal + margin), ylim=(ROWS + margin, -margin))
    ax.axis("off")
    for x, colour in ((-goal, BLUE), (COLUMNS, RED)):  # each goal in the colour of the player who scores there
        ax.add_patch(Rectangle((x, GOAL_ROWS[0]), goal, len(GOAL_ROWS), fc=colour, alpha=0.25, lw=0))
    for row in range(1, ROWS):
        ax.plot([0, COLUMNS], [row, row], color=LINE, lw=0.5)
    for column in range(1, COLUMNS):
        ax.plot([column, column], [0, ROWS], color=LINE, lw=0.5)
    ax.add_patch(Rectangle((0, 0), COLUMNS, ROWS, fc="none", ec=FAINT, lw=1))
    for (row, column), name, colour in zip(cells, "AB", (BLUE, RED), strict=True):
        # The letter has the page's colour: white would be hard to read on the paler discs of a dark page.
        ax.add_patch(Circle((column + 0.5, row + 0.5), 0.31, fc=to_rgba(colour, 0.25), ec=colour, lw=2.2, zorder=3))
        ax.text(column + 0.5, row + 0.52, name, ha="center", va="center", size=11, zorder=4)
    row, column = cells[owner]
    ax.add_patch(Circle((column + 0.8, row + 0.24), 0.13, fc=AMBER, lw=0, zorder=5))
    for letter in arrows:
        dy, dx = {"N": (-1, 0), "S": (1, 0), "E": (0, 1), "W": (0, -1)}[letter]
        begin, end = ((column + 0.5 + k * dx, row + 0.5 + k * dy) for k in (0.4, 0.95))
        ax.annotate("", end, begin, arrowprops={"arrowstyle": "-|>", "color": AMBER, "lw": 1.6}, zorder=6)
    chances = [real_array(f"chances[{j}]", p, (len(ACTIONS),)) for j, p in enumerate(chances)]
    if len(chances) not in (0, 2):
        raise ValueError(f"chances holds {len(chances)}, but one for A and one for B were expected")
    told = []
    for j, p in enumerate(chances):
        distribution(f"chances[{j}]", p)
        _mixture(ax, cells[j], p, (-1, 1)[j] if j == owner else 0, (BLUE, RED)[j])
        told.append(
            f"{'AB'[j]} moves " + ", ".join(f"{name} {q:.3f}" for name, q in zip(ACTIONS, p, strict=True) if q > SELDOM)
        )
    if title:
        ax.set_title(title, size=12, pad=6)
    where = " and ".join(f"{n} in row {r + 1}, column {c + 1}" for n, (r, c) in zip("AB", cells, strict=True))
    moves = f"; arrows: {', '.join(arrows)}" if arrows else ""
    there = "; ".join([f"{where}; {'AB'[owner]} has the ball{moves}", *told])
    return picture(figure, alt or ". ".join(filter(None, [title, there])))


def _mixture(ax: Axes, cell: Cell, p: np.ndarray, scores: int, colour: str) -> None:
    """Draw what a player may do: an arrow for each move, a ring for staying, the thicker the likelier, with its chance.

    A move off the board is drawn as what it is, staying, but for one into the goal, in the direction ``scores``.
    """
    (row, column), stays, going = cell, 0.0, []
    for (dy, dx), q in zip(STEPS, p, strict=True):
        on_board = 0 <= row + dy < ROWS and 0 <= column + dx < COLUMNS
        if (dy, dx) != (0, 0) and (on_board or (dx == scores and row in GOAL_ROWS)):
            going.append((dx, dy, q))
        else:
            stays += q
    x, y = column + 0.5, row + 0.5
    if stays > SELDOM:
        ax.add_patch(Circle((x, y), 0.4, fc="none", ec=colour, lw=0.8 + 2.4 * stays, zorder=2))
        ax.text(x - 0.46, y - 0.36, f"{stays:.2f}", ha="center", va="center", size=8, zorder=7)
    for dx, dy, q in going:
        if q > SELDOM:
            begin, end = ((x + k * dx, y + k * dy) for k in (0.36, 0.92))
            style = {"arrowstyle": "-|>", "color": colour, "lw": 0.8 + 2.4 * q, "shrinkA": 0, "shrinkB": 0}
            ax.annotate("", end, begin, arrowprops=style, zorder=6, annotation_clip=False)
            at = x + 0.74 * dx + 0.4 * abs(dy), y + 0.74 * dy - 0.24 * abs(dx)
            ax.text(*at, f"{q:.2f}", ha="center", va="center", size=8, zorder=7)


def soccer_film(
    policies: Sequence[Any], seed: int = 0, steps: int = 40, names: Sequence[str] = "AB", interval: int = 600
) -> Explorable:
    """Return a player for a recorded game, with its score.

    Args:
        policies: float[S, 5] of A and of B.
        seed: of all coins and moves.
        steps: how many, at most 63.
        names: of A and B, for the titles.
        interval: milliseconds for each step.

    Raises:
        ValueError: policies that are none.
    """
    one, other = (_policy(f"policies[{j}]", policy) for j, policy in enumerate(policies))
    if whole_number("steps", steps, 1) >= MOST_FRAMES:
        raise ValueError(f"steps is {steps}, but a film has at most {MOST_FRAMES - 1}")
    game = Kickabout(one, steps, names)
    return animate([game.reset(seed).draw(), *(game.draw() for _ in _steps(game, other, seed))], interval=interval)


class Kickabout:
    """A game of soccer in which A plays by a policy, and B's moves are given.

    Attributes:
        s: the state.
        goals: of A and of B.
        t: how many steps have been played.
        last: what happened in the last step, in a word or two.
    """

    def __init__(self, policy: Any, steps: int, names: Sequence[str] = "AB"):
        self._policy = _policy("policy", policy)
        self._steps, self._names = whole_number("steps", steps, 1), tuple(names)

    def reset(self, seed: int) -> Kickabout:
        """Begin at a kick-off; the seed says whose, and what A draws."""
        self._rng = np.random.default_rng(seed)
        self.s = state_of(*KICK_OFF, int(self._rng.integers(2)))
        self.t, self.goals, self.last = 0, [0, 0], "kick-off"
        return self

    def step(self, o: int) -> tuple[Kickabout, bool]:
        """Play one step, and say whether it was the last."""
        owner = position_of(self.s)[2]
        a = int(self._rng.choice(len(ACTIONS), p=self._policy[self.s]))
        self.s, goal = played(self.s, a, o, self._rng)
        self.goals[0] += goal > 0
        self.goals[1] += goal < 0
        now = position_of(self.s)[2]
        lost = f"{self._names[owner]} lost the ball" if now != owner else ""
        self.last = f"goal for {self._names[goal < 0]}" if goal else lost
        self.t += 1
        return self, self.t == self._steps

    def draw(self) -> Picture:
        """Return the pitch, with the score above it."""
        (one, other), (a, b) = self._names, self.goals
        return pitch(self.s, " · ".join(filter(None, [f"{one} {a} : {b} {other}", self.last])))


def _steps(game: Kickabout, policy: np.ndarray, seed: int) -> Iterator[Kickabout]:
    """Yield the game after each step, while B plays by a policy."""
    rng, over = np.random.default_rng([seed, 1]), False
    while not over:
        _, over = game.step(int(rng.choice(len(ACTIONS), p=policy[game.s])))
        yield game


def _policy(name: str, policy: Any) -> np.ndarray:
    checked = real_array(name, policy, SHAPE)
    distribution(name, checked)
    return checked


def play_soccer(
    policy: Any,
    rivals: Mapping[str, Any],
    page: Explorable,
    *,
    steps: int = 50,
    seed: int = 0,
    interval: int = 700,
) -> Steered:
    """Return a game of soccer that a person plays as B, against a policy; a page shows a recorded one.

    Both move at once, in every step, as the button says that is pressed at that moment.

    Args:
        policy: float[S, 5], of A.
        rivals: by name policies of B, float[S, 5]; how they did in the same match is told at the end.
        page: what a page shows, such as a :func:`soccer_film`.
        steps: after how many the whistle blows.
        seed: the number of the first match.
        interval: milliseconds from step to step.

    Raises:
        ValueError: a policy that is none.
    """
    game, other = Kickabout(policy, steps, ("A", "you")), Kickabout(policy, steps)
    checked = {name: _policy(f"rivals[{name!r}]", rival) for name, rival in rivals.items()}

    def ahead(game: Kickabout) -> float:
        return game.goals[1] - game.goals[0]

    def reached(rival: np.ndarray, seed: int) -> float:
        *_, end = _steps(other.reset(seed), rival, seed)
        return ahead(end)

    moves = {name: ACTIONS.index(name if name == "stand" else name[0].upper()) for name in KEYS}
    return steer(
        game.reset,
        game.step,
        Kickabout.draw,
        controls=moves,
        keys="".join(KEYS.values()),
        page=page,
        score=ahead,
        unit="ahead",
        rivals={name: partial(reached, rival) for name, rival in checked.items()},
        place="match",
        seed=seed,
        interval=interval,
    )
