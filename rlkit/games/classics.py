"""The games that everybody plays: teams that miss each other, dilemmas, coins, hunts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from rlkit.core.checks import number
from rlkit.games.matrix import MatrixGame

ABC = ("a", "b", "c")


def climbing() -> MatrixGame:
    """Return the climbing game: both are paid 11 for (a, a), but whoever tries a alone may cost both 30.

    Source: Claus and Boutilier 1998.
    """
    return _team([[11, -30, 0], [-30, 7, 6], [0, 0, 5]], ABC, "climbing game")


def penalty(k: float = -100.0) -> MatrixGame:
    """Return the penalty game: (a, a) and (c, c) pay 10, but a and c together cost k, which is at most 0; (b, b) pays 2.

    Source: Claus and Boutilier 1998.

    Raises:
        ValueError: k is not a finite number of at most 0.
    """
    k = number("k", k, -np.inf, 0)
    return _team([[10, 0, k], [0, 2, 0], [k, 0, 10]], ABC, f"penalty game, k = {k:g}".replace("-", "\N{MINUS SIGN}"))


def partially_stochastic_climbing() -> MatrixGame:
    """Return the climbing game in which (b, b) pays 14 or nothing, equally likely.

    Source: Kapetanakis and Kudenko 2002.
    """
    tables = np.array([climbing().payoffs] * 2)
    tables[:, :, 1, 1] = [[14], [0]]
    return _drawn(tables, "partially stochastic climbing game")


def stochastic_climbing() -> MatrixGame:
    """Return the climbing game in which every cell pays one of two numbers, equally likely, with the same means.

    Source: Kapetanakis and Kudenko 2002.
    """
    first = [[10, 5, 8], [5, 14, 12], [5, 5, 7]]
    second = [[12, -65, -8], [-65, 0, 0], [-5, -5, 3]]
    return _drawn(np.array([[table, table] for table in (first, second)], dtype=float), "stochastic climbing game")


def coordination() -> MatrixGame:
    """Return the smallest team: 1 for both if they choose the same of two actions, otherwise nothing."""
    return _team([[1, 0], [0, 1]], ("a", "b"), "coordination game")


def prisoners_dilemma() -> MatrixGame:
    """Return the prisoner's dilemma, with the payoffs 3 and 1 for both, 5 for whoever alone defects, and 0 for the other."""
    return _symmetric([[3, 0], [5, 1]], ("cooperate", "defect"), "prisoner's dilemma")


def stag_hunt() -> MatrixGame:
    """Return the stag hunt: a stag, 4 for each, takes two; a hare, 3, takes nobody else."""
    return _symmetric([[4, 0], [3, 3]], ("stag", "hare"), "stag hunt")


def chicken() -> MatrixGame:
    """Return chicken: two drive at each other; whoever alone goes straight has 7, and if both do, both have nothing."""
    return _symmetric([[6, 2], [7, 0]], ("swerve", "straight"), "chicken")


def battle_of_the_sexes() -> MatrixGame:
    """Return the battle of the sexes: both would go together rather than alone, but each has a place of their own wish."""
    return MatrixGame([[[2, 0], [0, 1]], [[1, 0], [0, 2]]], ("concert", "match"), "battle of the sexes")


def matching_pennies() -> MatrixGame:
    """Return matching pennies: the first wins a coin if both show the same side, and the second if not."""
    return _zero_sum([[1, -1], [-1, 1]], ("heads", "tails"), "matching pennies")


def rock_paper_scissors() -> MatrixGame:
    """Return rock, paper, scissors: 1 for the winner, -1 for the loser."""
    return _zero_sum([[0, -1, 1], [1, 0, -1], [-1, 1, 0]], ("rock", "paper", "scissors"), "rock, paper, scissors")


def _team(payoffs: Any, actions: Sequence[str], name: str) -> MatrixGame:
    return MatrixGame([payoffs, payoffs], actions, name)


def _symmetric(payoffs: Any, actions: Sequence[str], name: str) -> MatrixGame:
    return MatrixGame([payoffs, np.transpose(payoffs)], actions, name)


def _zero_sum(payoffs: Any, actions: Sequence[str], name: str) -> MatrixGame:
    return MatrixGame([payoffs, np.negative(payoffs)], actions, name)


def _drawn(tables: np.ndarray, name: str) -> MatrixGame:
    return MatrixGame(tables.mean(axis=0), ABC, name, tables)
