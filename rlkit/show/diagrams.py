"""Diagrams that are not data."""

from __future__ import annotations

from matplotlib.axes import Axes
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

from rlkit.show.picture import BLUE, FAINT, INK, RED, Picture, canvas, in_style, picture, side_by_side, words


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


@in_style
def two_q_networks() -> Picture:
    """Draw the two shapes of a Q-network: one number for a state and an action, or a number for every action at once."""
    drawings = (
        (["state s", "action a"], ["Q(s, a)"], "one pass for each action"),
        (["state s"], ["Q(s, a₁)", "Q(s, a₂)", "Q(s, a₃)"], "one pass for all actions"),
    )
    drawn = []
    for inputs, outputs, note in drawings:
        figure, ax = canvas(3.4, 1.7)
        _box(ax, 2.05, 1.0, "network", BLUE, height=1.1)
        style = {"arrowstyle": "-|>", "mutation_scale": 14, "lw": 1.5, "color": INK, "shrinkA": 0, "shrinkB": 0}
        for labels, side in ((inputs, -1), (outputs, 1)):
            for k, label in enumerate(labels):
                y = 1.0 - 0.45 * (k - (len(labels) - 1) / 2)
                near, far = (1.25, 0.85) if side < 0 else (2.85, 3.25)
                ax.add_patch(FancyArrowPatch((min(near, far), y), (max(near, far), y), **style))
                at = {"x": far + side * 0.08, "ha": "right" if side < 0 else "left"}
                ax.text(y=y, s=label, va="center_baseline", **at)
        ax.text(2.05, 0.12, note, ha="center", va="center", color=FAINT, size=10)
        ax.set(xlim=(-0.05, 4.15), ylim=(-0.05, 1.7), aspect="equal")
        ax.axis("off")
        alt = f"A network, {note}: {words(inputs)} in, {words(outputs)} out."
        drawn.append(picture(figure, alt))
    return side_by_side(*drawn)


def _box(ax: Axes, x: float, y: float, label: str, colour: str, height: float = 0.7) -> None:
    size = {"width": 1.5, "height": height, "boxstyle": "round,pad=0.05,rounding_size=0.12"}
    ax.add_patch(FancyBboxPatch((x - 0.75, y - height / 2), fc="none", ec=colour, lw=2, **size))
    ax.text(x, y, label, ha="center", va="center", size=12)
