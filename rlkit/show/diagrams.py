"""Diagrams that are not data."""

from __future__ import annotations

from matplotlib.axes import Axes
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

from rlkit.show.picture import BLUE, FAINT, INK, RED, Picture, canvas, in_style, picture


@in_style
def agent_environment_loop() -> Picture:
    """Draw the loop of agent and environment: action one way, next state and reward the other."""
    figure, ax = canvas(5.2, 2.2)
    _box(ax, 0.6, 1.0, "agent", BLUE)
    _box(ax, 4.4, 1.0, "environment", RED)
    style = {"arrowstyle": "-|>", "mutation_scale": 16, "lw": 2, "color": INK}
    ax.add_patch(FancyArrowPatch((1.0, 1.45), (3.9, 1.45), connectionstyle="arc3,rad=-0.25", **style))
    ax.add_patch(FancyArrowPatch((3.9, 0.55), (1.0, 0.55), connectionstyle="arc3,rad=-0.25", **style))
    ax.text(2.45, 2.0, "action a", ha="center", weight="bold")
    ax.text(2.45, -0.02, "next state s′, reward r", ha="center", va="center", weight="bold")
    ax.text(2.45, 1.0, "once every time step", ha="center", va="center", color=FAINT, size=10)
    ax.set(xlim=(-0.4, 5.4), ylim=(-0.3, 2.3), aspect="equal")
    ax.axis("off")
    return picture(
        figure,
        "The loop of reinforcement learning: the agent sends an action to the environment; the environment answers "
        "with the next state and a reward; this repeats at every time step.",
    )


def _box(ax: Axes, x: float, y: float, label: str, colour: str) -> None:
    size = {"width": 1.5, "height": 0.7, "boxstyle": "round,pad=0.05,rounding_size=0.12"}
    ax.add_patch(FancyBboxPatch((x - 0.75, y - 0.35), fc="none", ec=colour, lw=2, **size))
    ax.text(x, y, label, ha="center", va="center", size=12)
