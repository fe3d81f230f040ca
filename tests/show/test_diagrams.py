"""Diagrams: every word is there, in the picture and for those who cannot see it."""

import re

from rlkit import show
from tests.show.reading import texts


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
