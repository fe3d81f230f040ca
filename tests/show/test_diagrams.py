"""Diagrams: every word is there, in the picture and for those who cannot see it."""

import re

import numpy as np

from rlkit import show
from tests.show.reading import points, texts


def test_two_shapes_of_a_network():
    picture = show.two_q_networks()
    pair, vector = re.findall(r"<svg.*?</svg>", picture.svg, re.DOTALL)
    assert texts(pair) == ["network", "state s", "action a", "Q(s, a)", "one pass for each action"]
    assert texts(vector) == ["network", "state s", "Q(s, a₁)", "Q(s, a₂)", "Q(s, a₃)", "one pass for all actions"]
    assert picture.alt == (
        "A network, one pass for each action: state s and action a in, Q(s, a) out. | "
        "A network, one pass for all actions: state s in, Q(s, a₁), Q(s, a₂) and Q(s, a₃) out."
    )
    assert picture.svg == show.two_q_networks().svg
    assert "var(--rlk-blue)" in picture.svg and "#0072b2" not in picture.svg


def arrows(svg, style):
    """Return where every straight or bent line with this style begins and ends: float[N, 2, 2]."""
    drawn = [points(d.replace("Q", "L")) for d in re.findall(rf'd="([^"]*)"[^>]*style="{style}', svg)]
    return np.array([p[[0, -1]] for p in drawn])


LESSON = r"fill:none;stroke-dasharray:[^;]*;stroke-dashoffset:0;stroke:var\(--rlk-amber\)"


def where(svg, label):
    """Return the place of a text."""
    ((x, y),) = re.findall(rf'x="([\d.]+)" y="([\d.]+)"[^>]*>{re.escape(label)}</text>', svg)
    return float(x), float(y)


def test_actor_and_critic_both_learn_from_the_td_error():
    picture = show.actor_and_critic()
    said = texts(picture.svg)
    assert {"world", "critic V(s)", "actor π(a | s)", "δ = r + γ V(s′) − V(s)", "s, s′", "r", "s", "a"} <= set(said)
    assert said.count("learns") == 2
    error, up, down = (where(picture.svg, t)[1] for t in ("δ = r + γ V(s′) − V(s)", "critic V(s)", "actor π(a | s)"))
    ends = arrows(picture.svg, LESSON)[:, :, 1]
    assert len(ends) == 2
    assert all(abs(begin - error) < abs(end - error) for begin, end in ends), "they lead away from the error"
    assert up < ends[:, 1].min() < error < ends[:, 1].max() < down, "one to the critic, one to the actor"
    assert "from which critic and actor both learn" in picture.alt
    assert picture.svg == show.actor_and_critic().svg and "#0072b2" not in picture.svg


def test_the_slope_goes_from_the_critic_back_to_the_actor():
    picture = show.ddpg_diagram()
    said = " ".join(texts(picture.svg))
    for word in (
        "memory",
        "target actor μ′(s′)",
        "target critic Q′(s′, a′)",
        "actor μ(s)",
        "critic Q(s, a)",
        "∂Q / ∂a",
    ):
        assert word in said
    assert said.count("τ") == 2
    level = [e for e in arrows(picture.svg, LESSON) if abs(e[0, 1] - e[1, 1]) < 1]
    ((begin, end),) = level
    slope = where(picture.svg, "∂Q / ∂a")
    assert end[0] < slope[0] < begin[0] and abs(begin[1] - slope[1]) < 30
    assert "learns from the slope ∂Q / ∂a" in picture.alt
    assert picture.svg == show.ddpg_diagram().svg and "#0072b2" not in picture.svg
