"""The pendulum at one moment: where it hangs, how fast it turns, and how hard it is pushed."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from rlkit.core.checks import number, real_array
from rlkit.show.grids import number as printed
from rlkit.show.picture import AMBER, BLUE, FAINT, INK, LINE, RED, Picture, in_style, picture

MOST = 2.0
"""The largest torque of Gymnasium's Pendulum, in N m."""
_SWEPT, _BENT = 0.1, np.pi / 4  # seconds of the way behind the tip; radians of an arrow for a torque of 1
_NEAR, _ASIDE = 0.6, 0.12  # where the arrow begins: from the pivot, and in radians from the middle of the rod


@in_style
def pendulum(state: Any, torque: float = 0.0, title: str = "", alt: str = "") -> Picture:
    """Draw the pendulum on its pivot; where it should stand is dotted.

    The arrow begins at the rod and points where the torque pushes, a quarter of a turn for the largest. Behind the tip lies
    the way that it comes in a tenth of a second at this speed.

    Args:
        state: (angle, angular velocity), or what Gymnasium's Pendulum shows: (cos angle, sin angle, angular velocity). The
            angle is 0 upright, and positive to the left: counter-clockwise, in rad and rad/s.
        torque: what pushes it counter-clockwise, in N m. As in the world, what is beyond -2 and 2 is cut off.
        title: above the picture.
        alt: what the picture shows, in words (default: the title and the state; angles in degrees).

    Raises:
        ValueError: not two or three finite numbers, or a cosine and a sine that are not of one angle.
    """
    given = real_array("state", state)
    if given.shape not in ((2,), (3,)):
        raise ValueError(f"state has shape {given.shape}, but (2,) or (3,) was expected")
    if given.size == 3 and abs(np.hypot(*given[:2]) - 1) > 0.01:
        raise ValueError(f"state has cosine {given[0]:g} and sine {given[1]:g}, but no angle has both")
    angle, speed = (np.arctan2(given[1], given[0]), given[2]) if given.size == 3 else given
    angle = (angle + np.pi) % (2 * np.pi) - np.pi
    torque = float(np.clip(number("torque", torque, -np.inf, np.inf), -MOST, MOST))
    half, scale, head = 1.25, 1.05, 0.3 * bool(title)
    side = 2 * half * scale
    figure = Figure(figsize=(side, side + head))
    if title:
        figure.text(0.5, 1 - head / 2 / (side + head), title, ha="center", va="center", size=12)
    ax = figure.add_axes((0, 0, 1, side / (side + head)))
    ax.set(xlim=(-half, half), ylim=(-half, half))
    ax.axis("off")
    ax.plot(*_turned(np.linspace(0, 2 * np.pi, 41)), color=LINE, lw=1)
    ax.plot([0, 0], [0, 1.2], color=FAINT, lw=1.5, ls=":")
    if speed:
        ax.plot(*_turned(np.linspace(angle - _SWEPT * speed, angle, 9)), color=BLUE, lw=6, alpha=0.5)
    ax.plot(*_turned(np.array([angle]), [0, 1]), color=RED, lw=9, solid_capstyle="round")
    ax.plot(0, 0, "o", color=INK, ms=6)
    if torque:
        _arrow(ax, angle, _BENT * torque)
    told = (
        f"The pendulum {_leaning(angle)}; its velocity is {_way(np.degrees(speed), 0, 'degrees a second')}, "
        f"the torque {_way(torque, 2, 'N m')}"
    )
    return picture(figure, alt or ". ".join(filter(None, [title, told])))


def _turned(angle: np.ndarray, radius: Any = 1.0) -> np.ndarray:
    """Return the points at these angles from upright, counter-clockwise: float[2, N]."""
    return np.array([-np.sin(angle), np.cos(angle)]) * radius


def _arrow(ax: Axes, angle: float, bend: float) -> None:
    """Draw an arrow around the pivot from the rod, which is at ``angle``: ``bend`` radians long."""
    way, long = np.sign(bend), min(0.3, abs(bend))
    begin = angle + way * _ASIDE
    tip, wide = begin + bend, long / 2
    base = tip - way * long
    if long < abs(bend):
        ax.plot(*_turned(np.linspace(begin, base, 13), _NEAR), color=AMBER, lw=4)
    ax.fill(*_turned(np.array([base, tip, base]), [_NEAR - wide, _NEAR, _NEAR + wide]), color=AMBER, lw=0)


def _leaning(angle: float) -> str:
    degrees = abs(np.degrees(angle))
    if degrees < 0.5:
        return "is upright"
    if degrees > 179.5:
        return "hangs straight down"
    return f"leans by {degrees:.0f} degrees to the {'left' if angle > 0 else 'right'}"


def _way(value: float, digits: int, unit: str) -> str:
    size = printed(abs(value), digits)
    way = " counter-clockwise" if value > 0 else " clockwise"
    return f"{size} {unit}{way if float(size) else ''}"
