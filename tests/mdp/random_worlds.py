"""Random worlds of every kind that TabularMDP accepts, for the tests of this folder."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
from scipy import sparse

from rlkit.mdp import TabularMDP

REWARDS = ("state-action", "transition", "sparse")


@dataclass
class Recipe:
    """What kind of world to draw.

    ``ties``: rewards are small integers and probabilities multiples of 1/4, so that actions are often equally good.
    ``ends``: how many terminal states. ``missing``: the share of actions that do not exist. ``rewards``: one of
    REWARDS. ``ending``: some policy ends from every state, so that gamma = 1 is allowed.
    """

    states: int = 6
    actions: int = 3
    gamma: float = 0.9
    ties: bool = False
    ends: int = 0
    missing: float = 0.0
    sparse: bool = False
    rewards: str = "state-action"
    successors: int = 3
    ending: bool = False


def tables(recipe: Recipe, rng: np.random.Generator) -> dict[str, Any]:
    """Return the arguments of TabularMDP for one random world of this kind."""
    S, A = recipe.states, recipe.actions
    P = np.zeros((S, A, S))
    for s, a in product(range(S), range(A)):
        to = rng.choice(S, size=min(S, recipe.successors), replace=False)
        if recipe.ties:
            np.add.at(P[s, a], rng.choice(to, size=4), 0.25)
        else:
            P[s, a, to] = rng.dirichlet(np.ones(len(to)))
    shape = (S, A) if recipe.rewards == "state-action" else (S, A, S)
    R = rng.integers(-2, 3, size=shape).astype(float) if recipe.ties else rng.normal(size=shape)

    terminal = np.zeros(S, bool)
    terminal[rng.choice(S, size=recipe.ends, replace=False)] = True
    available = rng.random((S, A)) >= recipe.missing
    available[np.arange(S), rng.integers(A, size=S)] = True
    if recipe.ending:
        for s in np.flatnonzero(~terminal):  # one existing action of each state gets a small way out
            a = rng.choice(np.flatnonzero(available[s]))
            P[s, a] *= 0.75
            P[s, a, rng.choice(np.flatnonzero(terminal))] += 0.25
    P[terminal], R[terminal] = 0, 0
    P[terminal, :, terminal] = 1
    # What stands in the rows of actions that do not exist must not matter.
    P[~available], R[~available] = 0.5, 99

    if recipe.sparse:
        P = sparse.csr_array(P.reshape(S * A, S))
    if recipe.rewards == "sparse":
        R = sparse.csr_array(R.reshape(S * A, S))
    return {"P": P, "R": R, "gamma": recipe.gamma, "terminal": terminal, "available": available}


def random_world(recipe: Recipe, rng: np.random.Generator) -> TabularMDP:
    """Return one random world of this kind."""
    return TabularMDP(**tables(recipe, rng))


def random_recipe(rng: np.random.Generator, gamma: float, most_states: int = 12) -> Recipe:
    """Return a random kind of world."""
    S = int(rng.integers(1, most_states + 1))
    return Recipe(
        states=S,
        actions=int(rng.integers(1, 5)),
        gamma=gamma,
        ties=bool(rng.integers(2)),
        ends=int(rng.integers(0, min(S, 3) + 1)),
        missing=float(rng.choice([0, 0.3, 0.7])),
        sparse=bool(rng.integers(2)),
        rewards=str(rng.choice(REWARDS)),
        successors=int(rng.integers(1, 5)),
    )
