"""The road from above: a car with its rays and its trail, and how far several drives came."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch
from matplotlib.path import Path

from rlkit.core.checks import number, real_array, whole_number
from rlkit.show.picture import AMBER, BLUE, FAINT, INK, LINE, RED, SERIES, Picture, in_style, picture, words

WINDOW = (60.0, 40.0)
"""How much of the road is seen around the car, in metres: across and up."""
WIDE = 5.6
"""The width of a picture in inches."""
_AHEAD = 12.0  # metres by which the car stands left of the window's middle: the roads run to the right
_STRIP = 1.15  # height of the whole road below the window, in inches
# The car in metres, as seen from the middle of its rear axle: x ahead, y to the left. No line of it is finer than 20 cm.
_WHEELBASE, _TRACK = 2.5, 0.8
_BODY = np.array([(-0.9, -0.95), (3.1, -0.95), (3.5, -0.55), (3.5, 0.55), (3.1, 0.95), (-0.9, 0.95)])
_GLASS = np.array([(1.3, -0.75), (1.9, -0.65), (1.9, 0.65), (1.3, 0.75)])
_WHEEL = np.array([(-0.45, -0.2), (0.45, -0.2), (0.45, 0.2), (-0.45, 0.2)])
_MARKS = "osD^v"


@in_style
def car(
    left: Any,
    right: Any,
    position: Any,
    heading: float,
    steering: float = 0.0,
    *,
    rays: Any = None,
    trail: Any = None,
    finish: int | None = None,
    off: bool = False,
    title: str = "",
    alt: str = "",
) -> Picture:
    """Draw a car on its road: a window that follows it, and below it the whole road with the place of the car.

    Args:
        left, right: float[M, 2], the edges of the road at M cross-sections, in metres. The road should lead to the right.
        position: float[2], the middle of the rear axle, in metres.
        heading: where the car points, in radians from the x axis to the left.
        steering: the angle of its front wheels, in radians, positive to the left.
        rays: float[R, 2], for each ray its angle in radians from straight ahead to the left, and its length in metres.
        trail: float[T, 2], where the car has been, in metres.
        finish: the cross-section, from 0 to M - 1, at which the road is finished.
        off: whether the car has left the road; a star marks the place.
        title: above the picture.
        alt: what the picture shows, in words (default: the title, and where the car is and points).

    Raises:
        ValueError: arrays of other shapes, or numbers that are not finite.
    """
    left, right = _edges(left, right)
    place = real_array("position", position, (2,))
    heading, steering = (float(real_array(n, v, ())) for n, v in (("heading", heading), ("steering", steering)))
    rays = np.zeros((0, 2)) if rays is None else _rows("rays", rays)
    trail = np.zeros((0, 2)) if trail is None else _rows("trail", trail)
    finish = _finish(finish, left)
    across, up = WINDOW
    tall, head = WIDE * up / across, 0.3 * bool(title)
    figure = Figure(figsize=(WIDE, tall + head + _STRIP))
    rows = tall + head + _STRIP
    ax = figure.add_axes((0, _STRIP / rows, 1, tall / rows))
    ax.set(xlim=(place[0] + _AHEAD - across / 2, place[0] + _AHEAD + across / 2))
    ax.set(ylim=(place[1] - up / 2, place[1] + up / 2))
    ax.axis("off")
    if title:
        figure.text(0.5, 1 - head / 2 / rows, title, ha="center", va="center", size=12)
    draw_road(ax, left, right)
    _painted(ax, left, right, finish)
    ax.plot(*trail.T, color=BLUE, lw=2, solid_capstyle="round")
    if len(rays):
        ends = place + rays[:, 1:] * np.column_stack([np.cos(heading + rays[:, 0]), np.sin(heading + rays[:, 0])])
        _segments(ax, np.broadcast_to(place, ends.shape), ends, color=AMBER, lw=1)
        _segments(ax, ends, ends, color=AMBER, lw=5, capstyle="round")
    draw_car(ax, place, heading, steering)
    if off:
        ax.plot(*place, marker="*", ms=22, mfc=RED, mec=INK, mew=1, ls="", zorder=4)
    x, y = ax.get_xlim()[0] + 2, ax.get_ylim()[0] + 2.5
    _segments(ax, np.array([(x, y)]), np.array([(x + 10, y)]), color=FAINT, lw=2)
    ax.text(x + 11, y, "10 m", va="center", size=9, color=FAINT)
    strip = figure.add_axes((0, 0, 1, (_STRIP - 0.1) / rows))
    _whole(strip, left, right, WIDE, _STRIP - 0.1, finish)
    strip.plot(*place, marker="*" if off else "o", ms=12 if off else 8, mfc=RED if off else BLUE, mec=INK, ls="")
    return picture(figure, alt or ". ".join(filter(None, [title, _told(left, right, place, heading, steering, off)])))


@in_style
def drives(
    left: Any, right: Any, trails: Mapping[str, Any], *, finish: int | None = None, title: str = "", alt: str = ""
) -> Picture:
    """Draw one whole road, and on it the trails of several drives: each ends in a mark, and the legend says how far it came.

    Args:
        left, right, finish: the road, as for :func:`car`.
        trails: by label, float[T, 2], where the car was, in metres.
        title: above the picture.
        alt: what the picture shows, in words (default: the title, and how far each came).

    Raises:
        ValueError: no trail, an empty one, or arrays as in :func:`car`.
    """
    left, right = _edges(left, right)
    finish = _finish(finish, left)
    if not trails:
        raise ValueError("trails is empty: there is nothing to draw")
    ways = {label: _rows(f"trails[{label!r}]", trail) for label, trail in trails.items()}
    for label, way in ways.items():
        if not len(way):
            raise ValueError(f"trails[{label!r}] is empty, but one place at least was expected")
    goal = np.inf if finish is None else _along(left, right)[finish]
    came = {}
    for label, way in ways.items():
        begin, end = (_where(left, right, place)[0] for place in (way[0], way[-1]))
        came[label] = min(end, goal) - begin
    wide, head, row = 6.4, 0.3 * bool(title), 0.24
    low, high = np.minimum(left, right).min(axis=0), np.maximum(left, right).max(axis=0)
    tall = float(np.clip(wide * (high[1] - low[1] + 8) / (high[0] - low[0] + 8), 0.8, 4.5))
    rows = tall + head + row * len(ways) + 0.1
    figure = Figure(figsize=(wide, rows))
    if title:
        figure.text(0.5, 1 - head / 2 / rows, title, ha="center", va="center", size=12)
    ax = figure.add_axes((0, 1 - (tall + head) / rows, 1, tall / rows))
    _whole(ax, left, right, wide, tall, finish)
    look = {label: (SERIES[k % len(SERIES)], _MARKS[k % len(_MARKS)]) for k, label in enumerate(ways)}
    for label in sorted(ways, key=lambda name: -came[name]):  # the longest below the others
        colour, mark = look[label]
        ax.plot(*ways[label].T, color=colour, lw=2)
        ax.plot(*ways[label][-1], marker=mark, ms=9, mfc=colour, mec=INK, mew=1, ls="")
    key = figure.add_axes((0, 0, 1, row * len(ways) / rows))
    key.set(xlim=(0, wide), ylim=(len(ways) - 0.5, -0.5))
    key.axis("off")
    told = []
    for k, (label, (colour, mark)) in enumerate(look.items()):
        key.plot([0.1, 0.45], [k, k], color=colour, lw=2)
        key.plot(0.45, k, marker=mark, ms=9, mfc=colour, mec=INK, mew=1, ls="")
        told.append(f"{label}: {came[label]:.0f} m")
        key.text(0.65, k, told[-1], va="center_baseline", size=11)
    return picture(figure, alt or f"{title or 'Drives on one road, seen from above'}. {words(told)}.")


def _edges(left: Any, right: Any) -> tuple[np.ndarray, np.ndarray]:
    left = _rows("left", left)
    if len(left) < 2:
        raise ValueError(f"left has shape {left.shape}, but two cross-sections at least were expected")
    return left, real_array("right", right, left.shape)


def _rows(name: str, value: Any) -> np.ndarray:
    """Return ``value`` as float[N, 2]."""
    array = real_array(name, value)
    if array.ndim != 2 or array.shape[1] != 2:
        raise ValueError(f"{name} has shape {array.shape}, but (N, 2) was expected")
    return array


def _finish(finish: int | None, left: np.ndarray) -> int | None:
    return None if finish is None else int(number("finish", whole_number("finish", finish, 0), 0, len(left) - 1))


def _along(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Return float[M], the metres along the middle from the first cross-section to each."""
    return np.r_[0, np.hypot(*np.diff((left + right) / 2, axis=0).T).cumsum()]


def _where(left: np.ndarray, right: np.ndarray, place: np.ndarray) -> tuple[float, float, float]:
    """Return metres along the middle, metres from it to the left, and the direction of the road there in radians."""
    middle = (left + right) / 2
    k = ((middle - place) ** 2).sum(axis=1).argmin()
    across = (left[k] - right[k]) / np.hypot(*(left[k] - right[k]))
    away, ahead = place - middle[k], np.array([across[1], -across[0]])
    return float(_along(left, right)[k] + away @ ahead), float(away @ across), float(np.arctan2(ahead[1], ahead[0]))


def draw_road(ax: Axes, left: np.ndarray, right: np.ndarray) -> None:
    """Draw the pieces of the road that can be seen in ``ax``, which counts metres, without what is painted on it."""
    middle = (left + right) / 2
    window = np.array([ax.get_xlim(), ax.get_ylim()])
    half = np.hypot(*(left - right).T).max() / 2 + np.hypot(*np.diff(middle, axis=0).T).max()
    seen = (abs(middle - window.mean(axis=1)) < np.ptp(window, axis=1) / 2 + half).all(axis=1)
    seen = seen | np.r_[seen[1:], False] | np.r_[False, seen[:-1]]
    for run in np.split(np.arange(len(seen)), np.flatnonzero(np.diff(seen)) + 1):
        if seen[run[0]] and len(run) > 1:
            outline = np.concatenate([left[run], right[run][::-1]])
            ax.add_patch(PathPatch(Path(outline, closed=False), fc=LINE, alpha=0.4, lw=0))
            for edge in (left, right):
                ax.plot(*edge[run].T, color=FAINT, lw=1.5)


def _painted(ax: Axes, left: np.ndarray, right: np.ndarray, finish: int | None) -> None:
    """Draw the dashes along the middle of the road that can be seen in ``ax``, and the finish."""
    along = _along(left, right)
    start = np.arange(0, along[-1] - 2, 5.0)  # 2 m every 5 m: they stand still while the car passes
    ends = [np.column_stack([np.interp(start + more, along, xy) for xy in (left + right).T / 2]) for more in (0, 2)]
    window = np.array([ax.get_xlim(), ax.get_ylim()])
    seen = ((ends[0] > window[:, 0] - 2) & (ends[0] < window[:, 1] + 2)).all(axis=1)
    _segments(ax, ends[0][seen], ends[1][seen], color=FAINT, lw=1)
    if finish is not None:
        _segments(ax, left[[finish]], right[[finish]], color=INK, lw=4)


def _whole(ax: Axes, left: np.ndarray, right: np.ndarray, wide: float, tall: float, finish: int | None) -> None:
    """Draw the whole road as one thick line into axes of this size in inches, to scale."""
    both = np.concatenate([left, right])
    low, high = both.min(axis=0) - 4, both.max(axis=0) + 4
    scale = max((high[0] - low[0]) / wide, (high[1] - low[1]) / tall)  # metres in an inch
    for centre, size, put in zip((low + high) / 2, (wide, tall), (ax.set_xlim, ax.set_ylim), strict=True):
        put(centre - size * scale / 2, centre + size * scale / 2)
    ax.axis("off")
    middle, points = (left + right) / 2, 72 / scale * np.hypot(*(left - right).T).mean()
    fine = np.unique(np.r_[np.arange(0, len(middle), max(1, len(middle) // 72)), len(middle) - 1])
    ax.plot(*middle[fine].T, color=FAINT, lw=points + 1.5, solid_capstyle="butt")
    ax.plot(*middle[fine].T, color=LINE, lw=points, solid_capstyle="butt")
    if finish is not None:
        reach = (left[finish] - right[finish]) / 2
        _segments(ax, left[[finish]] + reach, right[[finish]] - reach, color=INK, lw=3)


def _segments(ax: Axes, begin: np.ndarray, end: np.ndarray, *, color: str, lw: float, capstyle: Any = "butt") -> None:
    """Draw N straight lines as one path: float[N, 2], float[N, 2]."""
    if len(begin):
        path = Path.make_compound_path(*(Path(np.array(ends)) for ends in zip(begin, end, strict=True)))
        ax.add_patch(PathPatch(path, fc="none", ec=color, lw=lw, capstyle=capstyle))


def draw_car(ax: Axes, place: np.ndarray, heading: float, steering: float) -> None:
    """Draw the car, with its place, heading and steering angle as in :func:`car`, into axes that count metres."""

    def turned(points: np.ndarray, angle: float) -> np.ndarray:
        turn = np.array([(np.cos(angle), np.sin(angle)), (-np.sin(angle), np.cos(angle))])
        return np.asarray(points @ turn)

    wheels = [turned(_WHEEL, steering * (x > 0)) + (x, y) for x in (0, _WHEELBASE) for y in (-_TRACK, _TRACK)]
    for shapes, colour in ((wheels, INK), ([_BODY], BLUE), (wheels[2:], INK), ([_GLASS], LINE)):
        paths = [Path(np.vstack([s, s[:1]]), closed=True) for s in (turned(s, heading) + place for s in shapes)]
        ax.add_patch(PathPatch(Path.make_compound_path(*paths), fc=colour, lw=0, zorder=3))


def _told(left: np.ndarray, right: np.ndarray, place: np.ndarray, heading: float, steering: float, off: bool) -> str:
    """Say in words where the car is."""
    _, aside, way = _where(left, right, place)
    lean = (heading - way + np.pi) % (2 * np.pi) - np.pi

    def side(value: float, unit: str, digits: int) -> str:
        text = f"{abs(value):.{digits}f}"
        return "" if float(text) == 0 else f"{text}{unit} to the {'left' if value > 0 else 'right'}"

    where = side(aside, " m", 1)
    points, turned = side(np.degrees(lean), "°", 0), side(np.degrees(steering), "°", 0)
    return (
        f"The car {'has left the road' if off else 'is on the road'}, {f'{where} of' if where else 'in'} its middle; "
        f"it points {f'{points} of' if points else 'along'} the road; its wheels "
        f"{f'are turned {turned}' if turned else 'point straight ahead'}"
    )
