"""Exercises of chapter 6, deep Q-learning for many agents: what an agent sees, how it chooses, and a planted bug."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from itertools import combinations
from typing import Any

import numpy as np

from rlkit.exercises.exercise import Case, Exercise
from rlkit.exercises.judging import ANOTHER_VALUE, difference, is_finite_number
from rlkit.exercises.quizzes import Question, Quiz

PLANES = ("the background", "the opponents", "the allies", "oneself")


def what_is_wrong_with_planes(exercise: Exercise, case: Case, got: Any) -> str | None:
    """Judge planes, float[..., 4, W, H]; name the first plane and the first cell that hold another number."""
    right = exercise.solution(*case.args)
    said = difference(got, right, exercise.rtol, exercise.atol)
    if said == ANOTHER_VALUE and got is not None:
        given = np.asarray(got, dtype=float)
        *agent, plane, x, y = (int(k) for k in np.argwhere(~np.isclose(given, right))[0])
        whose = f"Of what agent {agent[0]} sees, in" if agent else "In"
        at = (*agent, plane, x, y)
        return (
            f"{whose} the plane of {PLANES[plane]}, number {plane}, the cell ({x}, {y}) should hold {right[at]:g}, but "
            f"holds {given[at]:g}."
        )
    if said is None and not isinstance(got, np.ndarray):
        return f"The numbers are right, but they come as {type(got).__name__}. A numpy array was asked for."
    return said


def drawn(
    positions: np.ndarray,
    me: int,
    pursuers: int,
    obstacles: np.ndarray,
    *,
    plane: Callable[[int, int, int], Any] | None = None,
    background: Callable[[np.ndarray], Any] | None = None,
    put: Callable[[np.ndarray, int, int], Any] | None = None,
    caught: bool = False,
) -> np.ndarray:
    """Return the four planes of one agent, some parts of which may be wrong.

    Args:
        positions, me, pursuers, obstacles: as for the exercise.
        plane: (j, me, pursuers) -> the planes in which agent j is drawn, one or several.
        background: of the obstacles, what is drawn in plane 0.
        put: (plane, x, y), draws one agent.
        caught: whether agents that were caught are drawn too.
    """
    planes = np.zeros((4, *obstacles.shape))
    planes[0] = background(obstacles) if background else obstacles
    for j, (x, y) in enumerate(positions):
        if x >= 0 or caught:
            for k in np.atleast_1d((plane or channel)(j, me, pursuers)):
                if put:
                    put(planes[k], x, y)
                else:
                    planes[k, x, y] += 1
    return planes


def channel(j: int, me: int, pursuers: int) -> int:
    """Return in which plane of agent ``me`` agent j is drawn."""
    return 3 if j == me else 2 if (j < pursuers) == (me < pursuers) else 1


def faulty_planes(exercise: Exercise, sentence: str, name: str, **parts: Any) -> None:
    """List a mistake in drawing one agent's planes."""

    def faulty(positions: Any, me: Any, pursuers: Any, obstacles: Any) -> Any:
        return drawn(positions, me, pursuers, obstacles, **parts)

    faulty.__name__ = name
    exercise.mistake(sentence)(faulty)


# -- 1. the four channels ------------------------------------------------------------------------------------------

channels = Exercise(
    "madqn.channels",
    title="Four planes",
    name="my_channels",
    hints=[
        "Begin with zeros, `np.zeros((4, *obstacles.shape))`, and draw the obstacles into plane 0.",
        "Go through all agents. One that was caught is passed over. Of the others ask: is it me? Is it of my kind?",
        "Two agents are of one kind where `(j < pursuers) == (me < pursuers)`. It works for pursuers and for evaders.",
        "`for j, (x, y) in enumerate(positions): if x >= 0: planes[3 if j == me else 2 if (j < pursuers) == (me < pursuers) "
        "else 1, x, y] += 1`",
    ],
    insight="Two agents or twenty: the picture keeps its size, and so does the network. What is lost is who is who.",
)
channels.judge(partial(what_is_wrong_with_planes, channels))


@channels.reference
def my_channels(positions, me, pursuers, obstacles):
    """Return what agent number `me` is shown of the grid.

    positions: int[N, 2], the cell (x, y) of each agent; (-1, -1): caught
    me: int, the agent that is to choose
    pursuers: int, agents 0 to pursuers - 1 pursue, the others evade
    obstacles: bool[W, H], where nobody can be
    Returns float[4, W, H]: obstacles; how many opponents stand in each
    cell; how many allies, without oneself; oneself. Who was caught is in
    none of them.
    """
    planes = np.zeros((4, *obstacles.shape))
    planes[0] = obstacles
    for j, (x, y) in enumerate(positions):
        if x < 0:
            continue
        ally = (j < pursuers) == (me < pursuers)
        planes[3 if j == me else 2 if ally else 1, x, y] += 1
    return planes


@channels.also_right
def channels_with_add_at(positions, me, pursuers, obstacles):
    N, there = len(positions), positions[:, 0] >= 0
    own = np.arange(N) == me
    kind = (np.arange(N) < pursuers) == (me < pursuers)
    planes = [obstacles.astype(float)]
    for who in (~kind, kind & ~own, own):
        plane = np.zeros(obstacles.shape)
        x, y = positions[who & there].T
        np.add.at(plane, (x, y), 1)
        planes.append(plane)
    return np.stack(planes)


@channels.also_right
def channels_by_subtraction(positions, me, pursuers, obstacles):
    where = np.zeros((len(positions), *obstacles.shape), dtype=np.float32)
    for j, (x, y) in enumerate(positions):
        if x != -1:
            where[j, x, y] = 1
    kinds = where[:pursuers].sum(axis=0), where[pursuers:].sum(axis=0)
    mine, theirs = kinds if me < pursuers else kinds[::-1]
    return np.array([obstacles, theirs, mine - where[me], where[me]])


@channels.cases
def grids_to_draw(rng: np.random.Generator) -> Iterator[Case]:
    walls = np.zeros((3, 3), bool)
    walls[1, 1] = True
    four = np.array([[0, 1], [2, 0], [1, 2], [2, 2]])
    why = "the evaders, agents 2 and 3, stand in (1, 2) and (2, 2), the ally in (2, 0), agent 0 in (0, 1)"
    yield Case("a pursuer's picture", (four, 0, 2, walls), why)
    why = "for agent 1 the ally stands in (0, 1), and itself in (2, 0)"
    yield Case("the other pursuer's", (four, 1, 2, walls), why)
    why = "for an evader the pursuers are the opponents, in (0, 1) and (2, 0); its ally is agent 2, in (1, 2)"
    yield Case("an evader's picture", (four, 3, 2, walls), why)
    crowd = np.array([[0, 2], [0, 2], [0, 2], [1, 0], [1, 0]])
    why = (
        "two allies stand where agent 1 stands, so (0, 2) holds 2 in plane 2 and 1 in plane 3; (1, 0) holds 2 opponents"
    )
    yield Case("many on one cell", (crowd, 1, 3, walls), why)
    why = "agent 2 was caught and is nowhere: one opponent in (0, 0), one ally in (2, 1)"
    yield Case("one was caught", (np.array([[2, 1], [1, 0], [-1, -1], [0, 0]]), 1, 2, walls), why)
    why = "agent 1, an evader, was caught itself: nobody in plane 3, and the pursuer in (0, 0) as an opponent"
    yield Case("caught oneself", (np.array([[0, 0], [-1, -1]]), 1, 1, walls), why)
    why = "one against one: plane 2 is empty"
    yield Case("one against one", (np.array([[1, 0], [0, 2]]), 0, 1, walls), why)
    long = np.zeros((2, 4), bool)
    long[0, 3] = True
    why = "x goes from 0 to 1 and y from 0 to 3: agent 0 in (1, 3), the ally in (0, 2), the evader in (1, 0)"
    yield Case("a grid that is not square", (np.array([[1, 3], [0, 2], [1, 0]]), 0, 2, long), why)
    for k in range(1, 3):
        positions = rng.integers(5, size=(7, 2))
        positions[rng.integers(3, 7)] = -1
        yield Case(f"a random grid {k}", (positions, int(rng.integers(3)), 3, rng.random((5, 5)) < 0.2))


faulty_planes(
    channels,
    "You count yourself among your allies. You have a plane of your own, the last one: `j != me`.",
    "channels_self_among_allies",
    plane=lambda j, me, n: [2, 3] if j == me else channel(j, me, n),
)
faulty_planes(
    channels,
    "Opponents and allies are swapped: opponents are in plane 1, allies in plane 2.",
    "channels_opponents_and_allies_swapped",
    plane=lambda j, me, n: [0, 2, 1, 3][channel(j, me, n)],
)
faulty_planes(
    channels,
    "Allies and oneself are swapped: allies are in plane 2, oneself in plane 3.",
    "channels_allies_and_self_swapped",
    plane=lambda j, me, n: [0, 1, 3, 2][channel(j, me, n)],
)
faulty_planes(
    channels,
    "Opponents and oneself are swapped: opponents are in plane 1, oneself in plane 3.",
    "channels_opponents_and_self_swapped",
    plane=lambda j, me, n: [0, 3, 2, 1][channel(j, me, n)],
)
faulty_planes(
    channels,
    "The planes go in a circle: yours are background, oneself, opponents, allies; asked for are background, opponents, "
    "allies, oneself.",
    "channels_self_first",
    plane=lambda j, me, n: [0, 2, 3, 1][channel(j, me, n)],
)
faulty_planes(
    channels,
    "Your planes are in another order: background, allies, oneself, opponents. Asked for are background, opponents, "
    "allies, oneself.",
    "channels_opponents_last",
    plane=lambda j, me, n: [0, 3, 1, 2][channel(j, me, n)],
)
faulty_planes(
    channels,
    "To you the evaders are always the opponents. For an evader they are the allies: it depends on `me`.",
    "channels_always_a_pursuers_view",
    plane=lambda j, me, n: 3 if j == me else 2 if j < n else 1,
)
faulty_planes(
    channels,
    "To you all others are opponents. Those of one's own kind are allies.",
    "channels_all_others_are_opponents",
    plane=lambda j, me, n: 3 if j == me else 1,
)
faulty_planes(
    channels,
    "To you all others are allies. Those of the other kind are opponents.",
    "channels_all_others_are_allies",
    plane=lambda j, me, n: 3 if j == me else 2,
)
faulty_planes(
    channels,
    "You do not draw yourself: plane 3 is empty, and the agent would not know where it is.",
    "channels_without_self",
    plane=lambda j, me, n: [] if j == me else channel(j, me, n),
)
faulty_planes(
    channels,
    "You draw agent 0 as oneself, whoever is to choose. Oneself is agent `me`.",
    "channels_self_is_agent_0",
    plane=lambda j, me, n: 3 if j == 0 else channel(j, -1 if j == me else me, n),
)
faulty_planes(
    channels,
    "Agent number `pursuers` is an evader already: `j < pursuers`, not `<=`.",
    "channels_one_pursuer_too_many",
    plane=lambda j, me, n: channel(j, me, n + 1),
)
faulty_planes(
    channels,
    "The last pursuer counts as an evader: agents 0 to pursuers - 1 pursue, `j < pursuers`.",
    "channels_one_pursuer_too_few",
    plane=lambda j, me, n: channel(j, me, n - 1),
)


def _marks(plane: np.ndarray, x: int, y: int) -> None:
    plane[x, y] = 1


def _marks_by_row(plane: np.ndarray, x: int, y: int) -> None:
    plane[y, x] += 1


def _marks_from_the_bottom(plane: np.ndarray, x: int, y: int) -> None:
    plane[x, plane.shape[1] - 1 - y] += 1


faulty_planes(
    channels,
    "Where several stand on one cell, yours is 1. Count them: `+= 1` for each, or `np.add.at` for many at once; `plane[x, y] "
    "+= 1` with arrays counts a cell only once.",
    "channels_marked_not_counted",
    put=_marks,
)
faulty_planes(
    channels,
    "x and y are swapped: a plane is float[W, H], so it is `planes[k, x, y]`.",
    "channels_x_and_y_swapped",
    put=_marks_by_row,
)
faulty_planes(
    channels,
    "You turned the grid upside down. Cell (x, y) is `planes[k, x, y]`.",
    "channels_upside_down",
    put=_marks_from_the_bottom,
)
faulty_planes(
    channels,
    "You draw those who were caught: to numpy, the cell (-1, -1) is the last one, in the corner. Pass over them.",
    "channels_caught_in_the_corner",
    caught=True,
)
faulty_planes(
    channels,
    "The obstacles are missing: plane 0 is empty.",
    "channels_without_obstacles",
    background=np.zeros_like,
)
faulty_planes(
    channels,
    "Plane 0 is the wrong way round: it holds 1 where an obstacle is, and 0 where one can stand.",
    "channels_free_cells",
    background=np.logical_not,
)


def list_combined_planes() -> None:
    """List what often goes wrong together in drawing the planes: two, three or four of these at once."""
    sentences = {
        "self_among_allies": "You count yourself among your allies.",
        "a_pursuers_view": "To you the evaders are always the opponents, for an evader too.",
        "not_counted": "Where several stand on one cell, yours is 1: count them.",
        "caught_in_the_corner": "Those who were caught are drawn in the corner: the cell (-1, -1) is the last one.",
    }
    words = {2: "Two", 3: "Three", 4: "Four"}
    for size, word in words.items():
        for names in combinations(sentences, size):

            def plane(j: int, me: int, n: int, names: tuple[str, ...] = names) -> list[int]:
                view = 0 if "a_pursuers_view" in names else me
                k = 2 if (j < n) == (view < n) else 1
                return [k] if j != me else [k, 3] if "self_among_allies" in names else [3]

            parts: dict[str, Any] = {"plane": plane, "caught": "caught_in_the_corner" in names}
            if "not_counted" in names:
                parts["put"] = _marks
            said = " And: ".join(sentences[name] for name in names)
            faulty_planes(channels, f"{word} things. {said}", f"channels_{'_and_'.join(names)}", **parts)


list_combined_planes()


SEES_ON = (
    "Who was caught itself still sees where the others are: for a caught `me` only plane 3 is empty. Its own position decides "
    "nothing but its own mark."
)


@channels.mistake(SEES_ON)
def channels_caught_sees_nothing(positions, me, pursuers, obstacles):
    return my_channels(positions, me, pursuers, obstacles) * (positions[me, 0] >= 0)


@channels.mistake(f"{SEES_ON} Obstacles are not all that it sees.")
def channels_caught_sees_obstacles_alone(positions, me, pursuers, obstacles):
    planes = my_channels(positions, me, pursuers, obstacles)
    planes[1:] *= positions[me, 0] >= 0
    return planes


@channels.mistake(
    "Two things. x and y are swapped: a plane is float[W, H], so it is `planes[k, x, y]`. And those who were caught are drawn in "
    "the corner: the cell (-1, -1) is the last one."
)
def channels_x_and_y_swapped_and_caught_in_the_corner(positions, me, pursuers, obstacles):
    return drawn(positions, me, pursuers, obstacles, put=_marks_by_row, caught=True)


@channels.mistake("Agents in column 0 are missing. Who was caught has x = -1: pass over `x < 0`, and not `x <= 0`.")
def channels_without_column_0(positions, me, pursuers, obstacles):
    return drawn(np.where(positions[:, :1] <= 0, -1, positions), me, pursuers, obstacles)


@channels.mistake("Who comes after a caught agent is missing: `break` ends the loop. `continue` passes over one.")
def channels_up_to_the_first_caught(positions, me, pursuers, obstacles):
    gone = np.logical_or.accumulate(positions[:, :1] < 0)
    return drawn(np.where(gone, -1, positions), me, pursuers, obstacles)


@channels.mistake("You return inside the loop, after the first agent. `return` stands under `for`, at its left.")
def channels_of_the_first_agent(positions, me, pursuers, obstacles):
    first = np.where(np.arange(len(positions))[:, None] == 0, positions, -1)
    return drawn(first, me, pursuers, obstacles)


@channels.mistake(
    "Who stands where you stand is taken for yourself. Yourself is agent number `me`, whoever else is there."
)
def channels_self_by_place(positions, me, pursuers, obstacles):
    def plane(j, me, n):
        return 3 if (positions[j] == positions[me]).all() else channel(j, me, n)

    return drawn(positions, me, pursuers, obstacles, plane=plane)


@channels.mistake("Those who were caught are drawn in the cell (0, 0). They are nowhere: pass over them.")
def channels_caught_in_the_first_cell(positions, me, pursuers, obstacles):
    return drawn(np.maximum(positions, 0), me, pursuers, obstacles)


@channels.mistake("Your planes are float[H, W]. x comes first: float[W, H], as `obstacles`.")
def channels_turned(positions, me, pursuers, obstacles):
    return my_channels(positions, me, pursuers, obstacles).transpose(0, 2, 1)


@channels.mistake("The planes are your last axis. They come first: float[4, W, H], `np.stack([...])` without an axis.")
def channels_last(positions, me, pursuers, obstacles):
    return np.moveaxis(my_channels(positions, me, pursuers, obstacles), 0, -1)


@channels.mistake("The planes are added up into one picture. Keep them apart: float[4, W, H].")
def channels_added_up(positions, me, pursuers, obstacles):
    return my_channels(positions, me, pursuers, obstacles).sum(axis=0)


@channels.mistake("Your counts are divided by how many there are. Plain counts are asked for.")
def channels_as_shares(positions, me, pursuers, obstacles):
    planes = my_channels(positions, me, pursuers, obstacles)
    planes[1:] /= np.maximum(planes[1:].sum(axis=(1, 2), keepdims=True), 1)
    return planes


# -- 2. softmax ----------------------------------------------------------------------------------------------------

softly = Exercise(
    "madqn.softmax",
    title="A policy with a temperature",
    name="my_softmax",
    hints=[
        "Three steps: divide Q by the temperature, take `np.exp`, and divide each row by its sum.",
        "exp(1000) is too large for a computer. Whatever is added to all actions of a row changes nothing in the end: "
        "what could be subtracted, so that no exponent is above 0?",
        "The largest of each row: `Q - Q.max(axis=-1, keepdims=True)`. Its exponent becomes 0, and all others are below.",
        "`p = np.exp((Q - Q.max(axis=-1, keepdims=True)) / temperature)`, `return p / p.sum(axis=-1, keepdims=True)`",
    ],
    insight="Only differences between Q-values count, measured in temperatures. Two allies with the same picture have the "
    "same probabilities, and yet may draw different actions.",
)


@softly.judge
def what_is_wrong_with_probabilities(case: Case, got: Any) -> str | None:
    """Judge probabilities, float[..., A]: finite, summing to 1, right, an array."""
    right = my_softmax(*case.args)
    said = difference(got, right, softly.rtol, softly.atol)
    if said == ANOTHER_VALUE and got is not None:
        given = np.asarray(got, dtype=float)
        if not np.isfinite(given).all():
            return "Something is nan or inf here: exponents that are too large, or a division of 0 by 0."
        totals = np.atleast_1d(given.sum(axis=-1))
        if not np.allclose(totals, 1):
            return f"The probabilities of each row must sum to 1. Yours sum to {totals[~np.isclose(totals, 1)][0]:.4g}."
        at = tuple(np.argwhere(~np.isclose(given, right, softly.rtol, softly.atol))[0])
        return f"p[{', '.join(map(str, at))}] should be {right[at]:.4g}, but is {given[at]:.4g}."
    if said is None and not isinstance(got, np.ndarray):
        return f"The numbers are right, but they come as {type(got).__name__}. A numpy array was asked for."
    return said


@softly.reference
def my_softmax(Q, temperature):
    """Return the probabilities of the actions, in proportion to exp(Q / T).

    Q: float[..., A], the values of the actions, also very large ones
    temperature: float, T, above 0
    Returns float[..., A]; each row sums to 1.
    """
    p = np.exp((Q - Q.max(axis=-1, keepdims=True)) / temperature)
    return p / p.sum(axis=-1, keepdims=True)


@softly.also_right
def softmax_by_logarithms(Q, temperature):
    z = np.asarray(Q) / temperature
    return np.exp(z - np.logaddexp.reduce(z, axis=-1, keepdims=True))


@softly.also_right
def softmax_by_differences(Q, temperature):
    return 1 / np.exp((Q[..., None, :] - Q[..., :, None]) / temperature).sum(axis=-1)


@softly.also_right
def softmax_by_loops(Q, temperature):
    p = np.zeros(Q.shape)
    for k in np.ndindex(Q.shape[:-1]):
        w = [np.exp((q - max(Q[k])) / temperature) for q in Q[k]]
        p[k] = np.array(w) / sum(w)
    return p


@softly.cases
def values_to_choose_by(rng: np.random.Generator) -> Iterator[Case]:
    log = np.log
    why = "exp gives 1, 3 and 4; their sum is 8: 1/8, 3/8 and 4/8"
    yield Case("temperature 1", (log([1.0, 3.0, 4.0]), 1.0), why)
    why = "ln 9 divided by 2 is ln 3, so the weights are 1 and 3: 1/4 and 3/4"
    yield Case("a higher temperature", (log([1.0, 9.0]), 2.0), why)
    why = "ln 2 divided by 0.5 is ln 4, so the weights are 1 and 4: 1/5 and 4/5"
    yield Case("a lower temperature", (log([1.0, 2.0]), 0.5), why)
    why = "each row by itself: 1/4 and 3/4; 1/5 and 4/5"
    yield Case("two agents", (log([[1.0, 3.0], [2.0, 8.0]]), 1.0), why)
    why = "all are equal: 1/5 each, though exp(2000) is too large for a computer"
    yield Case("large values", (np.full(5, 1000.0), 0.5), why)
    why = "the difference is 1000 temperatures: 1 and 0, as exactly as a computer can say"
    yield Case("far apart", (np.array([500.0, -500.0]), 1.0), why)
    why = "all are equal: 1/2 each, though exp(-1000) is 0 for a computer"
    yield Case("large losses", (np.full(2, -1000.0), 1.0), why)
    why = "each row by itself: 1/4 and 3/4; 1/2 and 1/2; 4/5 and 1/5"
    yield Case("three agents", (log([[1.0, 3.0], [5.0, 5.0], [4.0, 1.0]]), 1.0), why)
    why = "each row by itself: 1/2 and 1/2; 1 and 0; 1 and 0; 1/2 and 1/2"
    large = np.array([[800.0, 800.0], [900.0, -900.0], [1000.0, 800.0], [-900.0, -900.0]])
    yield Case("large and small", (large, 1.0), why)
    why = "10 temperatures between neighbours: the last has nearly all, and exp(-10) / (1 + exp(-10)) is left for the first"
    yield Case("nearly greedy", (np.array([1.0, 2.0]), 0.1), why)
    for k, size in enumerate([(4,), (3, 5), (2, 3, 4)], start=1):
        yield Case(f"random values {k}", (rng.normal(size=size).round(2), 0.5))


def shares(weights: np.ndarray) -> np.ndarray:
    """Return weights divided by their sum along the last axis."""
    return weights / weights.sum(axis=-1, keepdims=True)


def above_the_worst(Q: np.ndarray) -> np.ndarray:
    """Return Q less the largest of each row."""
    return Q - Q.max(axis=-1, keepdims=True)


OVERFLOW = (
    "Right for small values. exp(1000) is too large for a computer, and exp(-1000) too small: subtract the largest value of "
    "each row first, which changes no probability."
)


@softly.mistake(OVERFLOW)
def softmax_overflows(Q, temperature):
    return shares(np.exp(Q / temperature))


@softly.mistake(
    "You subtract the largest of *all* rows. A row that is far below it becomes 0/0: take the largest of each row, "
    "`Q.max(axis=-1, keepdims=True)`."
)
def softmax_one_maximum_for_all(Q, temperature):
    return shares(np.exp((Q - Q.max()) / temperature))


@softly.mistake(
    "You subtract the *smallest* of each row. So the exponents are above 0, and may still be too large: subtract the largest."
)
def softmax_less_the_smallest(Q, temperature):
    return shares(np.exp((Q - Q.min(axis=-1, keepdims=True)) / temperature))


@softly.mistake("You subtract the mean of each row. The largest may still be far above it: subtract the largest.")
def softmax_less_the_mean(Q, temperature):
    return shares(np.exp((Q - Q.mean(axis=-1, keepdims=True)) / temperature))


@softly.mistake(
    "You subtract the largest of each *column*, so that actions are moved by different amounts. Take it of each row: `axis=-1`."
)
def softmax_less_the_columns_maximum(Q, temperature):
    return shares(np.exp((Q - Q.max(axis=0)) / temperature))


@softly.mistake(
    "One row comes out right. For many, `max(axis=-1)` loses its axis, and the numbers are lined up with the actions: "
    "`keepdims=True`."
)
def softmax_maximum_without_its_axis(Q, temperature):
    return shares(np.exp((Q - Q.max(axis=-1)) / temperature))


@softly.mistake(
    "The exponents are cut off where exp gets too large, and differences with them. Subtract the largest of each row instead."
)
def softmax_cut_off(Q, temperature):
    return shares(np.exp(np.clip(Q / temperature, -700, 700)))


@softly.mistake("You divide by the largest value. Differences are what counts: *subtract* the largest.")
def softmax_divided_by_the_largest(Q, temperature):
    return shares(np.exp(Q / Q.max(axis=-1, keepdims=True) / temperature))


@softly.mistake("The temperature has no effect in yours. It divides Q *before* exp: after it, it cancels.")
def softmax_without_temperature(Q, temperature):
    return shares(np.exp(above_the_worst(Q)))


@softly.mistake("You multiply by the temperature. A high one makes actions more alike: divide by it.")
def softmax_times_temperature(Q, temperature):
    return shares(np.exp(above_the_worst(Q) * temperature))


@softly.mistake(
    "Only Q is divided by the temperature, and not the maximum, so that exponents may still be too large. Divide the "
    "difference: `(Q - Q.max(axis=-1, keepdims=True)) / temperature`."
)
def softmax_maximum_not_cooled(Q, temperature):
    return shares(np.exp(Q / temperature - Q.max(axis=-1, keepdims=True)))


@softly.mistake("The weights are right, but not divided by their sum. Each row has to sum to 1.")
def softmax_weights(Q, temperature):
    return np.exp(above_the_worst(Q) / temperature)


@softly.mistake("The sum is over all rows. Each agent's probabilities sum to 1: `sum(axis=-1, keepdims=True)`.")
def softmax_sum_over_everything(Q, temperature):
    p = np.exp(above_the_worst(Q) / temperature)
    return p / p.sum()


@softly.mistake("The sum is over the agents. The actions are on the last axis: `sum(axis=-1, keepdims=True)`.")
def softmax_sum_over_agents(Q, temperature):
    p = np.exp(above_the_worst(Q) / temperature)
    return p / p.sum(axis=0)


@softly.mistake(
    "One row comes out right. For many, `sum(axis=-1)` loses its axis, and the sums are lined up with the actions: "
    "`keepdims=True`."
)
def softmax_sum_without_its_axis(Q, temperature):
    p = np.exp(above_the_worst(Q) / temperature)
    return p / p.sum(axis=-1)


@softly.mistake("You divide by the largest weight. Probabilities sum to 1: divide by the sum.")
def softmax_over_the_largest_weight(Q, temperature):
    p = np.exp(Q / temperature)
    return p / p.max(axis=-1, keepdims=True)


@softly.mistake("The best action becomes the least likely: the sign of the exponent is turned around.")
def softmax_turned(Q, temperature):
    return shares(np.exp((Q.min(axis=-1, keepdims=True) - Q) / temperature))


@softly.mistake("All on the best action: that is greedy, and two allies in one cell would never part.")
def softmax_greedy(Q, temperature):
    return np.eye(Q.shape[-1])[Q.argmax(axis=-1)]


@softly.mistake("All actions are equally likely in yours. Better ones should be likelier: exp(Q / T).")
def softmax_uniform(Q, temperature):
    return np.full(Q.shape, 1 / Q.shape[-1])


@softly.mistake("You forgot exp: in proportion to Q itself, negative values would get negative probabilities.")
def softmax_without_exp(Q, temperature):
    return shares(Q / temperature)


@softly.mistake("You return logarithms of probabilities. Leave out the last `log`, or take `exp` of it.")
def softmax_logarithms(Q, temperature):
    return np.log(shares(np.exp(above_the_worst(Q) / temperature)))


@softly.mistake("You return the best *action*. The probability of each of them was asked for.")
def softmax_action(Q, temperature):
    return Q.argmax(axis=-1)


@softly.mistake(
    "You divide by the mean, so that each row sums to the number of actions. It has to sum to 1: divide by the sum."
)
def softmax_over_the_mean(Q, temperature):
    p = np.exp(above_the_worst(Q) / temperature)
    return p / p.mean(axis=-1, keepdims=True)


_BESIDES = "And exp(1000) is too large for a computer: subtract the largest value of each row first."


@softly.mistake(f"Two things. The temperature has no effect in yours: it divides Q *before* exp. {_BESIDES}")
def softmax_without_temperature_overflows(Q, temperature):
    return shares(np.exp(Q))


@softly.mistake(f"Two things. You multiply by the temperature: divide by it. {_BESIDES}")
def softmax_times_temperature_overflows(Q, temperature):
    return shares(np.exp(Q * temperature))


@softly.mistake(f"Two things. The weights are not divided by their sum: each row has to sum to 1. {_BESIDES}")
def softmax_weights_overflow(Q, temperature):
    return np.exp(Q / temperature)


@softly.mistake(f"Two things. The sum is over all rows: `sum(axis=-1, keepdims=True)`. {_BESIDES}")
def softmax_sum_over_everything_overflows(Q, temperature):
    p = np.exp(Q / temperature)
    return p / p.sum()


@softly.mistake(f"Two things. The sum is over the agents: `sum(axis=-1, keepdims=True)`. {_BESIDES}")
def softmax_sum_over_agents_overflows(Q, temperature):
    p = np.exp(Q / temperature)
    return p / p.sum(axis=0)


@softly.mistake(f"Two things. For many rows the sum needs its axis: `sum(axis=-1, keepdims=True)`. {_BESIDES}")
def softmax_sum_without_its_axis_overflows(Q, temperature):
    p = np.exp(Q / temperature)
    return p / p.sum(axis=-1)


@softly.mistake(
    f"Two things. The sign of the exponent is turned around: the best action is the least likely. {_BESIDES}"
)
def softmax_turned_overflows(Q, temperature):
    return shares(np.exp(-Q / temperature))


@softly.mistake(
    "Two things. The sum is over all rows, and so is the maximum. Both are taken of each row: `axis=-1, keepdims=True`."
)
def softmax_everything_over_everything(Q, temperature):
    p = np.exp((Q - Q.max()) / temperature)
    return p / p.sum()


# -- 3. a prediction -----------------------------------------------------------------------------------------------

parting = Exercise(
    "madqn.predict_part",
    title="Will they part?",
    name="my_chance",
    value=True,
    hints=[
        "First the probabilities: ln 4 and four zeros are the exponents, so the weights are 4, 1, 1, 1, 1.",
        "They sum to 8. The best action has 1/2, each other one 1/8.",
        "They stay together if both draw the same action: both the first, or both the second, and so on: Σ p².",
        "`my_chance = 1 - (1/4 + 4/64)`, which is 11/16",
    ],
    insight="Chance breaks the tie, about two times in three here, at a price: each of them does the best only half of the "
    "time. A lower temperature costs less, and keeps them together longer.",
)


@parting.reference
def my_chance():
    return 0.6875


_WITHOUT_T = np.exp(0.2 * np.log([4, 1, 1, 1, 1]))
_WITHOUT_T /= _WITHOUT_T.sum()

CHANCES = {
    "stay_together": (0.3125, "5/16 is how likely they stay *together*: Σ p². That they part is the rest."),
    "never": (0.0, "With argmax they would never part. Here each draws by itself, with the softmax's probabilities."),
    "always": (1.0, "They may draw the same action by chance. How likely is that?"),
    "uniform": (0.8, "4/5 would be right if all actions were equally likely. The best one has weight 4, the others 1."),
    "without_temperature": (
        float(1 - (_WITHOUT_T**2).sum()),
        "You forgot to divide by the temperature: Q/τ is 0.277/0.2, which is ln 4.",
    ),
    "one_takes_the_best": (
        0.5,
        "1/2 is how likely it is that exactly one of the two takes the best action. They may also part without it, by two "
        "different ones of the others.",
    ),
    "both_take_the_best": (
        0.25,
        "1/4 is how likely it is that both take the best action. They may also both take another one; and to part is the "
        "opposite.",
    ),
    "not_both_the_best": (
        0.75,
        "3/4 is how likely it is that they do not *both take the best*. They also stay together if both draw the same of the "
        "others.",
    ),
    "pairs_once": (
        0.34375,
        "You counted each pair of actions once. Either of the two may take the first of the pair: twice as much.",
    ),
    "both_the_same_other": (
        0.0625,
        "1/16 is how likely it is that both draw the same of the four others. Both may also take the best; and to part is the "
        "opposite.",
    ),
    "other_actions": (
        0.1875,
        "3/16 is how likely it is that they part by two of the four *others*. One of them may also take the best action.",
    ),
    "not_the_same_other": (
        0.9375,
        "15/16 leaves out that both may take the best action: that is 1/4 more to stay together.",
    ),
}
"""What else one might answer, and what to say then."""


@parting.judge
def what_is_wrong_with_a_chance(case: Case, got: Any) -> str | None:
    """Accept two or three digits; name what a number is the probability of, where it is one."""
    if not is_finite_number(got):
        said = difference(got, my_chance(), parting.rtol, parting.atol)
        return "One number from 0 to 1 is asked for." if said in (None, ANOTHER_VALUE) else said
    value = float(got)
    if abs(value - my_chance()) <= 0.01:
        return None
    if not 0 <= value <= 1:
        return "A probability lies between 0 and 1, and this is none. (68 % would be 0.68.)"
    near, said = min(CHANCES.values(), key=lambda pair: abs(value - pair[0]))
    if abs(value - near) <= 0.005:
        return said
    return "What are the five probabilities? They sum to 1. And how likely is it that both draw the same action?"


for _name, (_chance, _sentence) in CHANCES.items():

    def _answers(chance: float = _chance) -> float:
        return chance

    _answers.__name__ = f"chance_{_name}"
    parting.mistake(_sentence)(_answers)


# -- 4. find the planted bug ---------------------------------------------------------------------------------------

bug = Exercise(
    "madqn.planted_bug",
    title="Find the planted bug",
    name="my_observations",
    hints=[
        "One against one is right, and so is the first of each kind. What does agent 1 see of itself?",
        "Take two pursuers on different cells and print planes 2 and 3 of agent 1. Who stands where?",
        "`kind[0]` is the first agent of one's kind. For agent 0 that is itself, and for agent 1 it is not.",
        "`if j == i:` in place of `if j == kind[0]:`",
    ],
    insight="The one that trained was the first of its kind, and saw the world as it is. Its copies were given the picture "
    "of somebody else: look at what *each* agent sees, and not at the loss.",
)
bug.judge(partial(what_is_wrong_with_planes, bug))


@bug.planted
def my_observations(positions, pursuers, obstacles):
    """Return the four planes of every agent, float[N, 4, W, H].

    positions: int[N, 2], the cell (x, y) of each agent; (-1, -1): caught
    pursuers: int, agents 0 to pursuers - 1 pursue, the others evade
    obstacles: bool[W, H]
    Planes: obstacles, opponents, allies without oneself, oneself.
    """
    N = len(positions)
    planes = np.zeros((N, 4, *obstacles.shape))
    planes[:, 0] = obstacles
    for i in range(N):
        kind = range(pursuers) if i < pursuers else range(pursuers, N)
        for j, (x, y) in enumerate(positions):
            if x < 0:
                continue
            if j == kind[0]:
                planes[i, 3, x, y] += 1
            elif j in kind:
                planes[i, 2, x, y] += 1
            else:
                planes[i, 1, x, y] += 1
    return planes


@bug.reference
def my_observations_mended(positions, pursuers, obstacles):
    """Return the four planes of every agent, float[N, 4, W, H].

    positions: int[N, 2], the cell (x, y) of each agent; (-1, -1): caught
    pursuers: int, agents 0 to pursuers - 1 pursue, the others evade
    obstacles: bool[W, H]
    Planes: obstacles, opponents, allies without oneself, oneself.
    """
    N = len(positions)
    planes = np.zeros((N, 4, *obstacles.shape))
    planes[:, 0] = obstacles
    for i in range(N):
        kind = range(pursuers) if i < pursuers else range(pursuers, N)
        for j, (x, y) in enumerate(positions):
            if x < 0:
                continue
            if j == i:
                planes[i, 3, x, y] += 1
            elif j in kind:
                planes[i, 2, x, y] += 1
            else:
                planes[i, 1, x, y] += 1
    return planes


@bug.also_right
def observations_one_by_one(positions, pursuers, obstacles):
    return np.array([my_channels(positions, i, pursuers, obstacles) for i in range(len(positions))])


@bug.also_right
def observations_by_products(positions, pursuers, obstacles):
    N = len(positions)
    where = np.zeros((N, *obstacles.shape))
    there = positions[:, 0] >= 0
    where[np.flatnonzero(there), positions[there, 0], positions[there, 1]] = 1
    kind = np.arange(N) < pursuers
    own, ally = np.eye(N), (kind[:, None] == kind) & ~np.eye(N, dtype=bool)
    planes = [np.einsum("ij,jxy->ixy", who, where) for who in (kind[:, None] != kind, ally, own)]
    return np.stack([np.broadcast_to(obstacles, where.shape), *planes], axis=1)


@bug.cases
def worlds_to_observe(rng: np.random.Generator) -> Iterator[Case]:
    walls = np.zeros((3, 3), bool)
    walls[1, 1] = True
    why = "agent 0 sees itself in (0, 1) and an opponent in (2, 2); for agent 1 it is the other way round"
    yield Case("one against one", (np.array([[0, 1], [2, 2]]), 1, walls), why)
    why = "agent 1 sees itself in (2, 0), and in (0, 1) an ally; agent 3 itself in (1, 2) and an ally in (2, 2)"
    yield Case("two against two", (np.array([[0, 1], [2, 0], [2, 2], [1, 2]]), 2, walls), why)
    why = "agent 2 sees itself in (0, 0), and two allies in (1, 0); the others in (1, 0) see one ally there and one in (0, 0)"
    yield Case("two of three on one cell", (np.array([[1, 0], [1, 0], [0, 0], [2, 1]]), 3, walls), why)
    why = "agent 2 was caught: nobody sees it, and what it sees itself has no plane 3"
    yield Case("one was caught", (np.array([[0, 0], [0, 2], [-1, -1], [2, 1]]), 2, walls), why)
    why = "agents 1 to 3 evade: each of them sees one opponent, in (0, 0), two allies, and itself"
    args = (np.array([[0, 0], [2, 0], [0, 2], [2, 2]]), 1, np.zeros((3, 4), bool))
    yield Case("one against three", args, why)
    for k in range(1, 3):
        positions = rng.integers(4, size=(5, 2))
        yield Case(f"a random world {k}", (positions, 3, rng.random((4, 4)) < 0.2))


def observed(positions: Any, pursuers: int, obstacles: np.ndarray, plane: Any, **parts: Any) -> np.ndarray:
    """Return the planes of all agents, where ``plane(j, i, first, end)`` says in which planes of agent i agent j is drawn."""
    N = len(positions)

    def of(i: int) -> Callable[[int, int, int], Any]:
        first, end = (0, pursuers) if i < pursuers else (pursuers, N)
        return lambda j, me, n: plane(j, me, first, end)

    return np.array([drawn(positions, i, pursuers, obstacles, plane=of(i), **parts) for i in range(N)])


def faulty_observations(sentence: str, name: str, plane: Any = None, **parts: Any) -> None:
    """List another fault of the function that is to be mended."""
    right = lambda j, i, first, end: 3 if j == i else 2 if first <= j < end else 1  # noqa: E731 - one of many alike

    def faulty(positions: Any, pursuers: Any, obstacles: Any) -> Any:
        return observed(positions, pursuers, obstacles, plane or right, **parts)

    faulty.__name__ = name
    bug.mistake(sentence)(faulty)


faulty_observations(
    "It still does what it did: for the second of a kind, plane 3 shows the first. What is agent i itself?",
    "observations_as_before",
    lambda j, i, first, end: 3 if j == first else 2 if first <= j < end else 1,
)
faulty_observations(
    "Plane 3 is right now, but agent i is among its own allies too: it should be `elif`, so that it is drawn once.",
    "observations_self_among_allies",
    lambda j, i, first, end: [3, 2] if j == i else 2 if first <= j < end else 1,
)
faulty_observations(
    "Plane 3 is right now, but the first of a kind is nobody's ally. Only oneself is left out of plane 2.",
    "observations_first_is_no_ally",
    lambda j, i, first, end: 3 if j == i else [] if j == first else 2 if first <= j < end else 1,
)
faulty_observations(
    "Plane 3 is right now, but plane 2 is what it was: agent i among its own allies, and the first not.",
    "observations_allies_as_before",
    lambda j, i, first, end: (
        ([3] if j == i else []) + ([2] if first <= j < end and j != first else []) + ([] if first <= j < end else [1])
    ),
)
faulty_observations(
    "Plane 2 is right now, but plane 3 still shows the first of the kind.",
    "observations_self_as_before",
    lambda j, i, first, end: (
        ([3] if j == first else []) + ([2] if first <= j < end and j != i else []) + ([] if first <= j < end else [1])
    ),
)
faulty_observations(
    "Now agent 0 is oneself to all, to the evaders too. Oneself is agent i.",
    "observations_self_is_agent_0",
    lambda j, i, first, end: 3 if j == 0 else 2 if first <= j < end else 1,
)
faulty_observations(
    "Now the *last* of a kind is oneself to all of it. Oneself is agent i.",
    "observations_self_is_the_last",
    lambda j, i, first, end: 3 if j == end - 1 else 2 if first <= j < end else 1,
)
faulty_observations(
    "The pursuers are mended, and the evaders are not: for the second of them plane 3 still shows the first.",
    "observations_pursuers_mended",
    lambda j, i, first, end: 3 if j == (i if not first else first) else 2 if first <= j < end else 1,
)
faulty_observations(
    "The evaders are mended, and the pursuers are not: for the second of them plane 3 still shows the first.",
    "observations_evaders_mended",
    lambda j, i, first, end: 3 if j == (i if first else first) else 2 if first <= j < end else 1,
)
faulty_observations(
    "Now all of one's kind are drawn as oneself, and nobody as an ally. Oneself is agent i alone.",
    "observations_all_are_self",
    lambda j, i, first, end: 3 if first <= j < end else 1,
)
faulty_observations(
    "Now nobody is an ally. Those of one's kind, other than i, are in plane 2.",
    "observations_without_allies",
    lambda j, i, first, end: 3 if j == i else [] if first <= j < end else 1,
)
faulty_observations(
    "Now allies are taken for opponents. Those of one's kind are in plane 2.",
    "observations_allies_are_opponents",
    lambda j, i, first, end: 3 if j == i else 1,
)
faulty_observations(
    "Oneself is right now, but opponents and allies have changed places.",
    "observations_opponents_and_allies_swapped",
    lambda j, i, first, end: 3 if j == i else 1 if first <= j < end else 2,
)
faulty_observations(
    "Now planes 2 and 3 are swapped for all: allies are in plane 2, oneself is in plane 3.",
    "observations_allies_and_self_swapped",
    lambda j, i, first, end: 2 if j == i else 3 if first <= j < end else 1,
)
faulty_observations(
    "Now oneself is drawn for the first of a kind only. Each agent has a plane 3.",
    "observations_self_of_the_first_alone",
    lambda j, i, first, end: (3 if i == first else []) if j == i else 2 if first <= j < end else 1,
)
faulty_observations(
    "Now oneself is not drawn at all: plane 3 is empty.",
    "observations_without_self",
    lambda j, i, first, end: [] if j == i else 2 if first <= j < end else 1,
)
faulty_observations(
    "The bug is found, but the check `x < 0` is gone: those who were caught are drawn in the corner.",
    "observations_caught_in_the_corner",
    caught=True,
)
faulty_observations(
    "The bug is found, but where several stand on one cell, yours is 1. Count them: `+= 1`.",
    "observations_marked_not_counted",
    put=_marks,
)
faulty_observations(
    "The bug is found, but x and y have changed places.",
    "observations_x_and_y_swapped",
    put=_marks_by_row,
)


faulty_observations(
    "Now `i`, the agent that looks, is asked for the first of its kind, and all others are drawn as itself. It is agent j "
    "that is drawn: is it i?",
    "observations_asks_who_looks",
    lambda j, i, first, end: 3 if i == first else 2 if first <= j < end else 1,
)


faulty_observations(
    "`kind[i % len(kind)]` counts from the wrong place: agent i is at `kind[i - kind[0]]`, which is i itself. Ask `j == i`.",
    "observations_kind_by_remainder",
    lambda j, i, first, end: 3 if j == first + i % (end - first) else 2 if first <= j < end else 1,
)
faulty_observations(
    "`kind[i]` is agent i for the pursuers alone: the numbers of the evaders do not begin at 0. Ask `j == i`.",
    "observations_kind_by_number_where_there_is_one",
    lambda j, i, first, end: 3 if i < end - first and j == first + i else 2 if first <= j < end else 1,
)
faulty_observations(
    "Now the agent *before* i is drawn as i. Oneself is agent i: `j == i`.",
    "observations_self_is_the_one_before",
    lambda j, i, first, end: 3 if j == i - 1 else 2 if first <= j < end else 1,
)
faulty_observations(
    "`i in kind` always holds, so everybody is drawn as oneself. It is agent j that is drawn: is it i?",
    "observations_all_are_oneself",
    lambda j, i, first, end: 3,
)
faulty_observations(
    "Plane 3 is right now, but the first of a kind is an opponent to the others. Of one's kind, all are in plane 2: `j in kind`.",
    "observations_first_is_an_opponent",
    lambda j, i, first, end: 3 if j == i else 2 if first < j < end else 1,
)
faulty_observations(
    "Plane 3 is right now, but all others are allies to you. Those of the other kind are in plane 1.",
    "observations_all_others_are_allies",
    lambda j, i, first, end: 3 if j == i else 2,
)


@bug.mistake("Who stands where agent i stands is taken for agent i. Compare their numbers, and not their places.")
def observations_self_by_place(positions, pursuers, obstacles):
    def plane(j, i, first, end):
        return 3 if (positions[j] == positions[i]).all() else 2 if first <= j < end else 1

    return observed(positions, pursuers, obstacles, plane)


@bug.mistake("The bug is found, but agents in column 0 are missing: who was caught has x = -1, so `x < 0`.")
def observations_without_column_0(positions, pursuers, obstacles):
    return my_observations_mended(np.where(positions[:, :1] <= 0, -1, positions), pursuers, obstacles)


@bug.mistake(
    "The bug is found, but who comes after a caught agent is missing: `continue` passes over one, `break` ends the loop."
)
def observations_up_to_the_first_caught(positions, pursuers, obstacles):
    gone = np.logical_or.accumulate(positions[:, :1] < 0)
    return my_observations_mended(np.where(gone, -1, positions), pursuers, obstacles)


@bug.mistake("The bug is found, but only agent 0 sees obstacles, in all its planes: it is `planes[:, 0] = obstacles`.")
def observations_obstacles_of_agent_0(positions, pursuers, obstacles):
    planes = my_observations_mended(positions, pursuers, obstacles)
    planes[:, 0] = 0
    planes[0] += obstacles
    return planes


@bug.mistake("You return the picture of one agent. All of them are asked for: float[N, 4, W, H].")
def observations_of_one(positions, pursuers, obstacles):
    return my_channels(positions, 0, pursuers, obstacles)


@bug.mistake("Now all agents are given the picture of agent 0. Each has its own.")
def observations_of_agent_0_for_all(positions, pursuers, obstacles):
    return np.stack([my_channels(positions, 0, pursuers, obstacles)] * len(positions))


@bug.mistake(
    "You return in the middle of the loop, after the first agent: the planes of the others are still empty. `return planes` "
    "stands at the left, under `for i`."
)
def observations_returned_early(positions, pursuers, obstacles):
    planes = np.zeros((len(positions), 4, *obstacles.shape))
    planes[:, 0] = obstacles
    planes[0] = my_channels(positions, 0, pursuers, obstacles)
    return planes


# -- the quiz ------------------------------------------------------------------------------------------------------

quiz = Quiz(
    Question(
        "Why is an agent shown four planes, and not a list of where everybody is?",
        (
            (
                "Planes are shorter: four numbers for each cell are fewer than two for each agent.",
                False,
                "Four planes of 10 × 10 are 400 numbers, and the places of four agents are 8.",
            ),
            (
                "Planes keep their size, however many agents there are.",
                True,
                "A third pursuer makes one more 1 in a plane, and the list would need two more inputs, which no network "
                "trained for two has. The price: who is who cannot be seen.",
            ),
            (
                "Planes hide from an agent what it should not know.",
                False,
                "They show where everybody is, friend and foe. To hide something, one would leave it out of the planes.",
            ),
        ),
    ),
    Question(
        "One agent learns, and all others keep their policies until the round is over. What does that buy?",
        (
            (
                "The world stands still for a round: what the agent learns on is an MDP again.",
                True,
                "The others act, but by fixed rules, so they are a part of the world, and chapter 3's DQN may be used as it "
                "is. After the round it is another MDP.",
            ),
            (
                "In the end all of them play an equilibrium.",
                False,
                "There is no such guarantee: they may go round in a circle, each answering what the others did last.",
            ),
            (
                "The others learn too, by watching.",
                False,
                "They learn nothing during the round. After it, those of the same kind are given the policy.",
            ),
        ),
    ),
    Question(
        "Two pursuers with one network stand on one cell, and act by argmax. What happens next?",
        (
            (
                "They part, because each sees itself in the self plane, and the other among the allies.",
                False,
                "Both see one ally and themselves, all in the same cell: the two pictures are equal, number by number.",
            ),
            (
                "They part as soon as the network has been trained for longer.",
                False,
                "However well it is trained, it is a function: for one input there is one output.",
            ),
            (
                "They do the same in every step, and go on as one as long as they act by argmax.",
                True,
                "The same input, the same network, the same action; a step later the same again. Drawn from a softmax, the "
                "actions may differ.",
            ),
        ),
    ),
    Question(
        "The temperature of the softmax is raised. What becomes of a trained team?",
        (
            (
                "It parts sooner, and each of its members does the best less often.",
                True,
                "Both grow with the temperature. How much is right depends on how far the Q-values are apart: only their "
                "differences in temperatures count.",
            ),
            (
                "It learns faster, because it explores more.",
                False,
                "It is trained already. During training one may explore in other ways.",
            ),
            (
                "Nothing, as long as the order of the Q-values is the same.",
                False,
                "For argmax, that would be so. Probabilities depend on the differences.",
            ),
        ),
    ),
    Question(
        "The pursuers caught nine evaders of ten. Now the evaders have trained for a round, and it is five of ten. Have the "
        "pursuers become worse?",
        (
            (
                "Yes: their network has forgotten something.",
                False,
                "It has not changed in that round: all but the agent that learned kept their policies.",
            ),
            (
                "No: the score of a hunt is about both sides. Judge them by opponents who stay the same.",
                True,
                "The same pursuers, measured by the old evaders, catch nine of ten as before. A curve of scores against a "
                "partner who learns is no learning curve.",
            ),
            (
                "One cannot know: the score is noise until both have converged.",
                False,
                "Enough games make it as exact as one likes. What it means is the question, and not its noise.",
            ),
        ),
    ),
)
