"""The table of Markov models: who acts and who sees what, values over beliefs, and plans as trees."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Circle, FancyArrowPatch, FancyBboxPatch

from rlkit.core.checks import entry, first, number, real_array, whole_number
from rlkit.mdp.decentralised import tree_depth
from rlkit.mdp.partial import POMDP, AlphaVectors
from rlkit.show.picture import (
    BLUE,
    FAINT,
    GREEN,
    INK,
    LINE,
    RED,
    SERIES,
    Picture,
    canvas,
    in_style,
    picture,
    words,
)

_DASHES: tuple[Any, ...] = ("-", (0, (5, 2)), (0, (1, 1)), (0, (6, 2, 1, 2)))


@in_style
def markov_models() -> Picture:
    """Draw an MDP, a POMDP and a Dec-POMDP below each other: who acts, who sees what, and what is paid."""
    figure, ax = canvas(4.4, 6.6)
    for y, title in ((9.15, "MDP"), (5.95, "POMDP"), (2.75, "Dec-POMDP")):
        ax.text(0, y, title, weight="bold", size=12, va="center")
    _agent(ax, 7.8, "agent")
    _world(ax, 7.8, seen=True)
    _flow(ax, 7.8, "state s, reward r", RED)
    _agent(ax, 4.6, "agent\nbelief b(s)")
    _world(ax, 4.6, seen=False)
    _flow(ax, 4.6, "observation o, reward r", GREEN)
    _world(ax, 0.7, seen=False, height=2.6)
    for y, i, number_of in ((1.55, "¹", 1), (-0.15, "²", 2)):
        _agent(ax, y, f"agent {number_of}", height=0.9)
        _flow(ax, y, f"o{i}, reward r", GREEN, action=f"a{i}", gap=0.2)
    ax.text(0.85, 0.7, "do not see\neach other", ha="center", va="center", size=9, color=FAINT)
    ax.set(xlim=(-0.1, 6.35), ylim=(-0.85, 9.4))
    ax.axis("off")
    return picture(
        figure,
        "Three models. MDP: the agent sends an action to the world and receives the state and a reward. POMDP: the state is "
        "hidden in the world; the agent receives an observation and a reward, and keeps a belief over states. Dec-POMDP: two "
        "agents act on one world with a hidden state; each receives an observation of its own, both the same reward, and "
        "neither sees what the other sees or does.",
    )


@in_style
def belief_values(
    pomdp: POMDP,
    alpha: AlphaVectors,
    *,
    xlabel: str = "",
    ylim: tuple[float, float] | None = None,
    title: str = "",
    alt: str = "",
) -> Picture:
    """Draw the value of every belief over two states, the alpha-vectors that it is made of, and which action is best where.

    Args:
        pomdp: a world with two states.
        alpha: its alpha-vectors for some number of steps.
        xlabel: what the belief means (default: the belief in the first state).
        ylim: the ends of the axis of values (default: all that is drawn); what lies beyond is cut off.
        title: above the picture.
        alt: what the picture shows, in words (default: which action is best where).

    Raises:
        ValueError: a world with another number of states.
    """
    if pomdp.n_states != 2:
        raise ValueError(f"pomdp has {pomdp.n_states} states, but a line of beliefs needs two")
    figure, ax = canvas(5.2, 4.0)
    p = np.linspace(0, 1, 1001)
    values = np.outer(alpha.vectors[:, 0], p) + np.outer(alpha.vectors[:, 1], 1 - p)
    top = values.max(axis=0)
    best = values.argmax(axis=0)
    colour = [SERIES[a % len(SERIES)] for a in range(pomdp.n_actions)]
    for k, a in enumerate(alpha.actions):
        ax.plot([0, 1], values[k, [0, -1]], color=colour[a], lw=1, ls=_DASHES[a % len(_DASHES)], alpha=0.8)
    ax.plot(p, top, color=INK, lw=2.5)
    low, high = ylim or (min(top.min(), 0) - 8, top.max() + 2)
    ax.set(xlim=(0, 1), ylim=(low, high), ylabel="value", title=title)
    ax.set_xlabel(xlabel or f"belief: probability of {pomdp.states[0]}")
    ax.grid(alpha=0.5)
    ax.tick_params(colors=FAINT, labelcolor=INK)
    chosen = alpha.actions[best]
    edges = [0, *(np.flatnonzero(np.diff(chosen)) + 1), len(p)]
    told = []
    for begin, end in zip(edges[:-1], edges[1:], strict=True):
        a, left, right = chosen[begin], p[begin], p[min(end, len(p) - 1)]
        ax.fill_between([left, right], 0, 0.07, transform=ax.get_xaxis_transform(), color=colour[a], alpha=0.85, lw=0)
        told.append(f"{pomdp.actions[a]} from {left:.2f} to {right:.2f}")
    kinds = [Line2D([], [], color=INK, lw=2.5, label="value: the highest")]
    for a, name in enumerate(pomdp.actions):
        kinds.append(Line2D([], [], color=colour[a], lw=2, ls=_DASHES[a % len(_DASHES)], label=name))
    figure.legend(handles=kinds, loc="outside lower center", ncols=2)
    heading = f"{title}. " if title else ""
    return picture(figure, alt or f"{heading}{len(alpha.actions)} alpha-vectors; best is {words(told)}.")


@in_style
def policy_tree(
    tree: Any,
    actions: Sequence[str],
    observations: Sequence[str],
    *,
    title: str = "",
    alt: str = "",
) -> Picture:
    """Draw a policy tree: what to do first, and after each observation what to do then.

    Args:
        tree: int[nodes], level by level (see :mod:`rlkit.mdp.decentralised`); at most 15 nodes.
        actions, observations: their names.
        title: above the tree.
        alt: what the picture shows, in words (default: the actions, level by level).

    Raises:
        ValueError: a tree that is not full, or too large; an action without a name.
    """
    tree = real_array("tree", tree)
    Z = whole_number("the number of observations", len(observations), 1)
    depth = tree_depth(tree.size, Z)
    number("the number of nodes", tree.size, 1, 15)
    wrong = (tree != np.floor(tree)) | (tree < 0) | (tree >= len(actions))
    if wrong.any():
        where = first(wrong)
        raise ValueError(f"{entry('tree', where)} is {tree[where]:g}, but there are only {len(actions)} actions")
    leaves = Z ** (depth - 1)
    figure, ax = canvas(max(3.6, 1.3 * leaves), 0.55 + 0.95 * depth)
    told, n, above = [], 0, np.zeros(0)
    for level in range(depth):
        count = Z**level
        x = (np.arange(count) + 0.5) * leaves / count
        y = -float(level)
        for k in range(count):
            if level:
                at = above[k // Z]
                ax.plot([at, x[k]], [y + 0.78, y + 0.22], color=FAINT, lw=1.2, zorder=1)
                side = -1 if x[k] < at else 1  # beside its line, on the outer side
                place = {"ha": "right" if side < 0 else "left", "va": "center", "size": 9, "color": FAINT}
                ax.text(0.45 * at + 0.55 * x[k] + 0.06 * side, y + 0.52, observations[k % Z], **place)
            a = int(tree[n + k])
            ax.add_patch(_rounded(x[k], y, 0.78, 0.34, SERIES[a % len(SERIES)]))
            ax.text(x[k], y, actions[a], ha="center", va="center", size=10)
        names = [actions[int(a)] for a in tree[n : n + count]]
        told.append(f"step {level + 1}: {', '.join(names)}")
        n, above = n + count, x
    ax.set(xlim=(0, leaves), ylim=(-depth + 0.7, 0.3), title=title)
    ax.axis("off")
    heading = f"{title}. " if title else ""
    order = f", in the order {', '.join(observations)}" if depth > 1 else ""
    return picture(figure, alt or f"{heading}A policy tree{order}. {'; '.join(told)}.")


def _rounded(x: float, y: float, width: float, height: float, colour: str, pad: float = 0.05) -> FancyBboxPatch:
    style = f"round,pad={pad},rounding_size=0.12"
    return FancyBboxPatch((x - width / 2, y - height / 2), width, height, boxstyle=style, fc="none", ec=colour, lw=2)


def _agent(ax: Axes, y: float, label: str, height: float = 1.3) -> None:
    ax.add_patch(_rounded(0.85, y, 1.6, height, BLUE))
    ax.text(0.85, y, label, ha="center", va="center", size=11)


def _world(ax: Axes, y: float, *, seen: bool, height: float = 1.7) -> None:
    """Draw the world with its state: in a full circle where it is seen, else behind a dashed one."""
    ax.add_patch(_rounded(5.4, y, 1.6, height, RED))
    ax.text(5.4, y + 0.5 * height - 0.25, "world", ha="center", va="center", size=11)
    ring = {"ec": RED, "lw": 1.8} if seen else {"ec": FAINT, "lw": 1.8, "ls": (0, (3, 2))}
    ax.add_patch(Circle((5.4, y - 0.15), 0.36, fc="none" if seen else LINE, **ring))
    ax.text(5.4, y - 0.15, "s", ha="center", va="center", size=12)
    if not seen:
        ax.text(5.4, y - 0.7, "hidden", ha="center", va="center", size=9, color=FAINT)


def _flow(ax: Axes, y: float, back: str, colour: str, action: str = "action a", gap: float = 0.32) -> None:
    """Draw the arrow of the action to the right, and that of what comes back to the left."""
    style = {"arrowstyle": "-|>", "mutation_scale": 14, "lw": 1.8, "shrinkA": 0, "shrinkB": 0}
    ax.add_patch(FancyArrowPatch((1.8, y + gap), (4.5, y + gap), color=INK, **style))
    ax.add_patch(FancyArrowPatch((4.5, y - gap), (1.8, y - gap), color=colour, **style))
    ax.text(3.15, y + gap + 0.22, action, ha="center", va="center", size=11)
    ax.text(3.15, y - gap - 0.25, back, ha="center", va="center", size=11 if len(back) < 20 else 10, color=colour)
