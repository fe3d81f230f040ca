"""Diagrams that are not data."""

from __future__ import annotations

from matplotlib.axes import Axes
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

from rlkit.show.picture import (
    AMBER,
    BLUE,
    FAINT,
    GREEN,
    INK,
    RED,
    Picture,
    canvas,
    in_style,
    picture,
    side_by_side,
    words,
)


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


@in_style
def actor_and_critic() -> Picture:
    """Draw the loop of actor, critic and world: what is passed on, and what each of the two learns from."""
    figure, ax = canvas(5.6, 3.5)
    _box(ax, 0.75, 1.6, "world", RED)
    _box(ax, 4.4, 2.8, "critic V(s)", GREEN)
    _box(ax, 4.4, 0.4, "actor π(a | s)", BLUE)
    ax.text(4.4, 1.6, "δ = r + γ V(s′) − V(s)", ha="center", va="center", size=12)
    _arrow(ax, (1.25, 2.0), (3.6, 2.8), "s, s′", (2.1, 2.75), bend=-0.12)
    _arrow(ax, (1.6, 1.6), (3.35, 1.6), "r", (2.5, 1.75))
    _arrow(ax, (1.6, 1.3), (3.6, 0.6), "s", (2.75, 1.08))
    _arrow(ax, (3.6, 0.25), (0.75, 1.2), "a", (1.5, 0.3), bend=-0.3)
    _arrow(ax, (4.15, 2.4), (4.15, 1.8), "V(s), V(s′)", (4.05, 2.1), side="right")
    _arrow(ax, (4.65, 1.8), (4.65, 2.4), "learns", (4.75, 2.1), side="left", lesson=True)
    _arrow(ax, (4.65, 1.4), (4.65, 0.8), "learns", (4.75, 1.1), side="left", lesson=True)
    ax.set(xlim=(-0.1, 5.65), ylim=(-0.15, 3.25), aspect="equal")
    ax.axis("off")
    return picture(
        figure,
        "Actor and critic: the world sends the state s to the actor, which answers with an action a; the states s and s′ go "
        "to the critic, which values them; with the reward r they make the TD error δ = r + γ V(s′) − V(s), from which "
        "critic and actor both learn.",
    )


@in_style
def ddpg_diagram() -> Picture:
    """Draw the four networks of DDPG and its memory: what is passed on, who learns from what, and what follows slowly."""
    figure, ax = canvas(5.7, 3.7)
    _box(ax, 0.75, 1.9, "memory", RED)
    _box(ax, 2.85, 3.4, "target actor\nμ′(s′)", BLUE)
    _box(ax, 5.3, 3.4, "target critic\nQ′(s′, a′)", GREEN)
    _box(ax, 2.85, 0.4, "actor\nμ(s)", BLUE)
    _box(ax, 5.3, 0.4, "critic\nQ(s, a)", GREEN)
    ax.text(5.3, 1.9, "y = r + γ Q′(s′, a′)\nerror y − Q(s, a)", ha="center", va="center", size=11)
    _arrow(ax, (0.75, 2.35), (2.0, 3.4), "s′", (1.0, 3.05), bend=-0.25)
    _arrow(ax, (0.75, 1.45), (2.0, 0.4), "s", (1.0, 0.75), bend=0.25)
    _arrow(ax, (1.6, 1.9), (4.35, 1.9), "s, a, r", (2.15, 2.06))
    _arrow(ax, (3.7, 3.4), (4.45, 3.4), "a′ = μ′(s′)", (4.08, 3.95))
    _arrow(ax, (5.3, 2.95), (5.3, 2.3), "Q′", (5.2, 2.65), side="right")
    _arrow(ax, (3.7, 0.6), (4.45, 0.6), "a = μ(s)", (4.08, 0.95))
    _arrow(ax, (4.45, 0.2), (3.7, 0.2), "∂Q / ∂a", (4.08, -0.12), lesson=True)
    _arrow(ax, (5.1, 0.85), (5.1, 1.55), "Q", (5.0, 1.2), side="right")
    _arrow(ax, (5.5, 1.55), (5.5, 0.85), "learns", (5.6, 1.2), side="left", lesson=True)
    slow = {"arrowstyle": "-|>", "mutation_scale": 14, "lw": 1.5, "ls": ":", "color": FAINT}
    for begin, end, bend in (((2.85, 0.8), (2.85, 3.0), 0.0), ((6.1, 0.5), (6.1, 3.3), 0.22)):
        ax.add_patch(FancyArrowPatch(begin, end, connectionstyle=f"arc3,rad={bend}", **slow))
    for x in (2.95, 6.5):
        ax.text(x, 1.35, "τ", va="center", color=FAINT, size=11)
    ax.set(xlim=(-0.1, 6.7), ylim=(-0.3, 4.05), aspect="equal")
    ax.axis("off")
    return picture(
        figure,
        "DDPG: from the memory, the next state s′ goes to the target actor, its action a′ = μ′(s′) to the target critic, whose "
        "value makes the target y = r + γ Q′(s′, a′); the critic learns from the error y − Q(s, a). The actor gives the "
        "critic its action a = μ(s), and learns from the slope ∂Q / ∂a that comes back. Both targets follow slowly, by τ.",
    )


def _arrow(
    ax: Axes,
    begin: tuple[float, float],
    end: tuple[float, float],
    label: str,
    at: tuple[float, float],
    *,
    side: str = "center",
    bend: float = 0.0,
    lesson: bool = False,
) -> None:
    """Draw an arrow with its name; what is learned from is dashed."""
    colour, dashes = (AMBER, (0, (3, 2))) if lesson else (INK, "-")
    style = {"arrowstyle": "-|>", "mutation_scale": 14, "lw": 1.8, "shrinkA": 0, "shrinkB": 0}
    line = FancyArrowPatch(begin, end, connectionstyle=f"arc3,rad={bend}", ls=dashes, color=colour, **style)
    ax.add_patch(line)
    ax.text(*at, label, ha=side, va="center", color=colour, size=11)


def _box(ax: Axes, x: float, y: float, label: str, colour: str, height: float = 0.7) -> None:
    size = {"width": 1.5, "height": height, "boxstyle": "round,pad=0.05,rounding_size=0.12"}
    ax.add_patch(FancyBboxPatch((x - 0.75, y - height / 2), fc="none", ec=colour, lw=2, **size))
    ax.text(x, y, label, ha="center", va="center", size=12)
