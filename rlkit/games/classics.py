"""The games that everybody plays: teams that miss each other, dilemmas, coins, hunts, a little poker."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import permutations, product
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


def weighted_rock_paper_scissors() -> MatrixGame:
    """Return rock, paper, scissors in which rock wins 2 from scissors, and paper and scissors win 1 as usual."""
    payoffs = [[0, -1, 2], [1, 0, -1], [-2, 1, 0]]
    return _zero_sum(payoffs, ("rock", "paper", "scissors"), "weighted rock, paper, scissors")


def shapley() -> MatrixGame:
    """Return Shapley's game, in which one player is paid 1 or nobody is, and the averages of fictitious play never settle.

    Source: Shapley 1964; here the actions are numbered so that on the diagonal nobody is paid.
    """
    A = [[0, 1, 0], [0, 0, 1], [1, 0, 0]]
    return MatrixGame([A, np.transpose(A)], ABC, "Shapley's game")


def kuhn_poker() -> MatrixGame:
    """Return Kuhn's poker as a game of one move: each player chooses beforehand what it will do with each card.

    Of a jack, a queen and a king each player holds one, and has put 1 into the pot. The first checks or bets 1. After a
    bet the second folds or calls; after a check it checks too, or bets, and then the first folds or calls. If nobody folds,
    the higher card takes the pot. An action of the first player has a letter for each card: f, check and fold to a bet; c,
    check and call; b, bet. One of the second has two: k or b, check or bet after a check, and f or c, fold or call a bet.

    Source: Kuhn 1950.
    """
    first, second = ("f", "c", "b"), ("kf", "kc", "bf", "bc")
    plans = [list(product(range(len(letters)), repeat=3)) for letters in (first, second)]
    A = np.zeros((len(plans[0]), len(plans[1])))
    for card, other in permutations(range(3), 2):
        win = np.sign(card - other)
        pays = np.array([[win, win, -1, -1], [win, win, 2 * win, 2 * win], [1, 2 * win, 1, 2 * win]])
        A += pays[np.ix_([plan[card] for plan in plans[0]], [plan[other] for plan in plans[1]])] / 6
    names = [
        [" ".join(letters[a] for a in plan) for plan in own]
        for letters, own in zip((first, second), plans, strict=True)
    ]
    return MatrixGame([A, -A], names, "Kuhn's poker")


def _team(payoffs: Any, actions: Sequence[str], name: str) -> MatrixGame:
    return MatrixGame([payoffs, payoffs], actions, name)


def _symmetric(payoffs: Any, actions: Sequence[str], name: str) -> MatrixGame:
    return MatrixGame([payoffs, np.transpose(payoffs)], actions, name)


def _zero_sum(payoffs: Any, actions: Sequence[str], name: str) -> MatrixGame:
    return MatrixGame([payoffs, np.negative(payoffs)], actions, name)


def _drawn(tables: np.ndarray, name: str) -> MatrixGame:
    return MatrixGame(tables.mean(axis=0), ABC, name, tables)
