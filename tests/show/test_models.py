"""Pictures of models: who sees what, where which action is best, and plans as trees."""

from itertools import islice

import numpy as np
import pytest

from rlkit import show
from rlkit.mdp import POMDP, alpha_vectors, dec_tiger, tiger
from tests.show.reading import font_sizes, texts


def test_the_three_models():
    picture = show.markov_models()
    said = texts(picture.svg)
    for word in ("MDP", "POMDP", "Dec-POMDP", "state s, reward r", "observation o, reward r", "agent 1", "agent 2"):
        assert word in said
    assert said.count("world") == said.count("s") == 3
    assert said.count("hidden") == 2, "the state is hidden in the POMDP and in the Dec-POMDP"
    assert {"a¹", "a²", "o¹, reward r", "o², reward r"} <= set(said)
    assert min(font_sizes(picture.svg)) >= 9
    assert picture.svg == show.markov_models().svg and "#0072b2" not in picture.svg


def test_where_which_action_is_best():
    world = tiger()
    one, *_, five = islice(alpha_vectors(world), 5)
    alt = show.belief_values(world, one, title="1 step").alt
    assert alt == (
        "1 step. 3 alpha-vectors; best is open left from 0.00 to 0.10, listen from 0.10 to 0.90 and "
        "open right from 0.90 to 1.00."
    )  # listening pays -1, opening 10 - 110 p: equal at p = 0.1
    picture = show.belief_values(world, five, ylim=(-30, 20))
    assert "belief: probability of tiger left" in texts(picture.svg)
    assert "listen from 0.02 to 0.98" in picture.alt
    assert all(f"var(--rlk-{name})" in picture.svg for name in ("blue", "red", "green"))
    blind = POMDP(np.ones((1, 1, 1)), np.ones((1, 1, 1)), [[1.0]])
    with pytest.raises(ValueError, match="pomdp has 1 states"):
        show.belief_values(blind, one)


def test_a_tree_says_what_follows_what():
    dec = dec_tiger()
    picture = show.policy_tree([0, 0, 0, 2, 0, 0, 1], dec.actions, dec.observations, title="Both")
    assert picture.alt == (
        "Both. A policy tree, in the order hear left, hear right. step 1: listen; step 2: listen, listen; "
        "step 3: open right, listen, listen, open left."
    )
    said = texts(picture.svg)
    assert said.count("listen") == 5 and said.count("hear left") == 3
    with pytest.raises(ValueError, match="a tree has 4 nodes"):
        show.policy_tree([0] * 4, dec.actions, dec.observations)
    with pytest.raises(ValueError, match=r"tree\[0\] is 3, but there are only 3 actions"):
        show.policy_tree([3], dec.actions, dec.observations)
