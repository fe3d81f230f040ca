"""Nash equilibria of games of one move: best responses, what anybody would gain by moving alone, and all equilibria."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations, permutations, product
from math import comb, prod
from string import ascii_lowercase
from typing import Any

import numpy as np
from scipy.optimize import linprog

from rlkit.games.matrix import MatrixGame

CLOSE = 1e-10
"""Payoffs are taken for equal that differ by less than this share of the player's largest difference."""
APART = 1e-7
"""Policies that differ by less in every probability are taken for the same."""
MOST_SYSTEMS, MOST_SUPPORTS = 1_000_000, 5_000
"""More than so many linear systems (two players), or supports of all players (more), are not tried: it would take minutes."""
STARTS, STEPS = 16, 20
"""From so many points Newton's method looks for an equilibrium of three or more players, and takes so many steps."""


def best_response(game: MatrixGame, player: int, policies: Sequence[Any]) -> np.ndarray:
    """Return the best response of one player to the policies of the others; actions that are equally good share.

    Args:
        game: of n players.
        player: who answers, from 0.
        policies: for each player float[A_i]; that of ``player`` itself does not matter.

    Returns:
        float[A_player], probabilities.

    Raises:
        ValueError: no such player, or policies that are none.
    """
    values = game.action_values(player, policies)
    best = values >= values.max() - CLOSE * _spread(game)[player]
    return best / best.sum()


def gains(game: MatrixGame, policies: Sequence[Any]) -> np.ndarray:
    """Return what each player would gain by its best response, if all others stayed.

    Args:
        game: of n players.
        policies: for each player float[A_i].

    Returns:
        float[n], at least 0, in the unit of the payoffs.

    Raises:
        ValueError: policies that are none.
    """
    values = [game.action_values(i, policies) for i in range(game.n_players)]
    return np.array([max(v.max() - v @ np.asarray(pi), 0.0) for v, pi in zip(values, policies, strict=True)])


def nash_conv(game: MatrixGame, policies: Sequence[Any]) -> float:
    """Return the sum of all :func:`gains`: 0 at a Nash equilibrium, and nowhere else.

    Source: Lanctot et al. (2017), for the name.
    """
    return float(gains(game, policies).sum())


def pure_equilibria(game: MatrixGame) -> list[tuple[int, ...]]:
    """Return all joint actions from which no player gains by moving alone, in reading order.

    Args:
        game: of any number of players.
    """
    stays = np.ones(game.shape, bool)
    for i, u in enumerate(_scaled(game)):
        stays &= u >= u.max(axis=i, keepdims=True) - CLOSE
    return [tuple(int(a) for a in joint) for joint in np.argwhere(stays)]


def support_enumeration(game: MatrixGame) -> list[tuple[np.ndarray, ...]]:
    """Return the equilibria of a game, by trying all supports: sets of actions that a player might mix.

    For two players, with the payoffs A and B::

        1. for every set I of rows and every set J of as many columns:
        2.     find x on I that makes all columns of J pay the column player the same; keep it if it is a policy and no
               other column pays more
        3.     find y on J that makes all rows of I pay the row player the same; keep it likewise
        4. return every pair (x, y) of what was kept in which each plays best responses to the other, and nothing else

    In line 4 the two may come from different I and J, with unequal supports, so that degenerate games are solved, too.
    There, whole segments or faces of policies may be equilibria: what is returned are their corners, all of them, and all
    other equilibria are mixtures of these.

    With three or more players the equations of a support are not linear. Newton's method solves them from a few starts.
    All that is returned is an equilibrium, and every pure one is there. Others may be missed, and always are where
    equilibria of the same supports are not isolated.

    Args:
        game: of n players.

    Returns:
        a tuple of policies for each equilibrium, float[A_i] for each player; those with the fewest mixed actions first.

    Raises:
        ValueError: so many actions that it would take minutes.

    Source: Mangasarian (1964) and Dickhaut and Kaplan (1991) for two players; Porter, Nudelman and Shoham (2008) for more.
    """
    if game.n_players != 2:
        return _by_newton(game)
    A, B = _scaled(game)
    some_x, some_y = [], []
    for rows, columns in _pairs_of_supports(A.shape):  # (1)
        some_x.append(indifference(B, rows, columns))  # (2)
        some_y.append(indifference(A.T, columns, rows))  # (3)
    X, Y = _distinct(np.concatenate(some_x)), _distinct(np.concatenate(some_y))
    row_loses = (A @ Y.T).max(axis=0) - A @ Y.T > CLOSE  # bool[A1, y], where that row is no best response
    column_loses = (X @ B).max(axis=1, keepdims=True) - X @ B > CLOSE
    stable = np.argwhere(~((X > 0) @ row_loses | column_loses @ (Y > 0).T))  # (4)
    return _simple_first([(X[k].copy(), Y[m].copy()) for k, m in stable])


def indifference(B: np.ndarray, mine: np.ndarray, yours: np.ndarray) -> np.ndarray:
    """Return the policies on some actions that make as many of the other player's pay it the same, and no other more.

    Many supports are tried at once. Where no such policy exists, or more than one, none is returned.

    Args:
        B: float[A1, A2], what the other player is paid.
        mine: int[K, k], in each row the k actions that may be played.
        yours: int[K, k], in each row the k actions of the other that are to pay the same.

    Returns:
        float[found, A1], probabilities.
    """
    pays = B[mine[:, None, :], yours[:, :, None]]  # float[K, k of yours, k of mine]
    system = np.ones_like(pays)  # the first equation: probabilities sum to 1
    system[:, 1:] = _unit_rows(pays[:, 1:] - pays[:, :1])  # the others: as much as the first of yours
    solvable = abs(np.linalg.det(system)) > CLOSE
    mine, yours, right = mine[solvable], yours[solvable], np.eye(mine.shape[1])[:, :1]
    x = np.zeros((len(mine), len(B)))
    np.put_along_axis(x, mine, np.linalg.solve(system[solvable], right)[..., 0], axis=1)
    paid = x @ B
    same = np.take_along_axis(paid, yours[:, :1], axis=1)
    return _cleaned(x[(x > -CLOSE).all(axis=1) & (paid < same + CLOSE).all(axis=1)])


def correlated(game: MatrixGame) -> np.ndarray:
    """Return a correlated equilibrium in which all players together are paid most: a lottery over joint actions.

    Somebody whom all trust draws a joint action and tells each player its own part of it. To do as told must then be the
    best that anybody can do: a linear program over the probabilities of the joint actions.

    Args:
        game: of n players.

    Returns:
        float[A_1, ..., A_n], probabilities. Where several are best, one of them.

    Source: Aumann (1974, 1987).
    """
    moving = []
    for i, u in enumerate(_scaled(game)):
        own = np.moveaxis(u, i, 0)
        for told, instead in permutations(range(game.shape[i]), 2):
            gain = np.zeros_like(own)
            gain[told] = own[instead] - own[told]
            moving.append(np.moveaxis(gain, 0, i).ravel())
    none = {"A_ub": moving, "b_ub": np.zeros(len(moving))} if moving else {}
    total = game.payoffs.sum(axis=0).ravel()
    total = (total - total.min()) / (np.ptp(total) or 1.0)
    found = linprog(-total, **none, A_eq=np.ones((1, total.size)), b_eq=[1], method="highs")
    return _cleaned(found.x).reshape(game.shape)


def _pairs_of_supports(shape: tuple[int, ...]) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield, for each size k, all sets of k rows with all sets of k columns: int[K, k] and int[K, k]."""
    m, n = shape
    if comb(m + n, m) - 1 > MOST_SYSTEMS:
        raise ValueError(
            f"game has {m} and {n} actions, and more than {MOST_SYSTEMS:,} pairs of supports: too many to try"
        )
    for k in range(1, min(m, n) + 1):
        rows, columns = (np.array(list(combinations(range(A), k))) for A in (m, n))
        yield np.repeat(rows, len(columns), axis=0), np.tile(columns, (len(rows), 1))


def _by_newton(game: MatrixGame) -> list[tuple[np.ndarray, ...]]:
    """Return equilibria of a game that is not for two: the pure ones, and what Newton's method finds on all other supports."""
    if prod(2**A - 1 for A in game.shape) > MOST_SUPPORTS:
        raise ValueError(f"game has {game.shape} actions, and more than {MOST_SUPPORTS:,} supports: too many to try")
    u, rng = _scaled(game), np.random.default_rng(0)
    found = [tuple(np.eye(A)[a] for A, a in zip(game.shape, joint, strict=True)) for joint in pure_equilibria(game)]
    for supports in product(*([s for k in range(A) for s in combinations(range(A), k + 1)] for A in game.shape)):
        # Pure ones are known, and where one player alone mixes, that is not isolated.
        if sum(len(s) > 1 for s in supports) < 2 or _dominated(u, supports):
            continue
        for parts in _all_mixed(u[np.ix_(range(len(u)), *supports)], rng):
            profile = tuple(np.zeros(A) for A in game.shape)
            for policy, support, part in zip(profile, supports, parts, strict=True):
                policy[list(support)] = part
            stable = all(
                _pays(v, i, profile).max() - profile[i] @ _pays(v, i, profile) < CLOSE for i, v in enumerate(u)
            )
            if stable and not any(_alike(profile, other) for other in found):
                found.append(profile)
    return _simple_first(found)


def _dominated(u: np.ndarray, supports: Sequence[Sequence[int]]) -> bool:
    """Return whether a player would play an action that another one beats, whatever the others play of their supports."""
    for i, support in enumerate(supports):
        seen = u[i][np.ix_(*(range(u.shape[i + 1]) if k == i else s for k, s in enumerate(supports)))]
        values = np.moveaxis(seen, i, 0).reshape(u.shape[i + 1], -1)
        if (values[:, None] > values[list(support)] + CLOSE).all(axis=-1).any():
            return True
    return False


def _all_mixed(u: np.ndarray, rng: np.random.Generator) -> Iterator[list[np.ndarray]]:
    """Yield isolated policies that play every action, and for which all actions of a player are worth the same."""
    shape = u.shape[1:]
    cuts = np.cumsum(shape)[:-1]
    # In each single number the equations below are straight lines, so that a step of 1 gives the exact slope.
    steps = np.eye(sum(shape) + 1, sum(shape), -1)

    def wrong(z: np.ndarray) -> np.ndarray:
        policies = np.split(z, cuts, axis=-1)
        errors = []
        for i, pi in enumerate(policies):
            values = _pays(u[i], i, policies)
            errors += [pi.sum(axis=-1, keepdims=True) - 1, values[..., 1:] - values[..., :1]]
        return np.concatenate(errors, axis=-1)

    z = np.concatenate([rng.dirichlet(np.ones(A), STARTS) for A in shape], axis=1)
    for _ in range(STEPS):
        errors = wrong(z[:, None] + steps)
        slopes = (errors[:, 1:] - errors[:, :1]).swapaxes(1, 2)
        regular = abs(np.linalg.det(slopes)) > CLOSE
        move = np.linalg.solve(slopes[regular], errors[regular, 0, :, None])[..., 0]
        z = np.clip(z[regular] - move, -5, 5)
    for root in z[(abs(wrong(z)) < CLOSE).all(axis=1) & (z > CLOSE).all(axis=1)]:
        yield [_cleaned(pi) for pi in np.split(root, cuts)]


def _pays(u: np.ndarray, player: int, policies: Sequence[np.ndarray]) -> np.ndarray:
    """Return what each action of a player is worth, for float[..., A_i] that need not be probabilities: float[..., A_player]."""
    axes = ascii_lowercase[: u.ndim]
    others = [i for i in range(u.ndim) if i != player]
    spec = "".join(f",...{axes[i]}" for i in others)
    return np.einsum(f"{axes}{spec}->...{axes[player]}", u, *(policies[i] for i in others))


def _spread(game: MatrixGame) -> np.ndarray:
    """Return the difference between what each player is paid at most and at least, as a unit for its payoffs: float[n].

    Where payoffs differ by less than 1/10,000 of their size, that is the unit, since their differences are rounded; and 1 if
    they all are 0.
    """
    payoffs = game.payoffs.reshape(game.n_players, -1)
    unit = np.maximum(np.ptp(payoffs, axis=1), 1e-4 * abs(payoffs).max(axis=1))
    return np.where(unit > 0, unit, 1.0)


def _scaled(game: MatrixGame) -> np.ndarray:
    """Return the payoffs between 0 and 1 for each player. The equilibria are the same, and one tolerance fits all."""
    each = (-1,) + (1,) * game.n_players
    low = game.payoffs.reshape(game.n_players, -1).min(axis=1)
    return (game.payoffs - low.reshape(each)) / _spread(game).reshape(each)


def _unit_rows(rows: np.ndarray) -> np.ndarray:
    """Return equations whose largest coefficient is 1, and those whose coefficients are all 0 as they are."""
    size = abs(rows).max(axis=-1, keepdims=True)
    return rows / np.where(size > CLOSE, size, 1.0)


def _cleaned(p: np.ndarray) -> np.ndarray:
    """Return probabilities without what rounding has left: nothing below 0, no specks above it, and a sum of 1."""
    p = np.where(p < 1e-12, 0.0, p)
    return p / p.sum(axis=-1, keepdims=True)


def _distinct(policies: np.ndarray) -> np.ndarray:
    """Return float[K, A] without those rows that an earlier row equals."""
    near = abs(policies[:, None] - policies).max(axis=-1) < APART
    return policies[~np.tril(near, -1).any(axis=1)]


def _alike(one: Sequence[np.ndarray], other: Sequence[np.ndarray]) -> bool:
    return all(abs(p - q).max() < APART for p, q in zip(one, other, strict=True))


def _simple_first(profiles: list[tuple[np.ndarray, ...]]) -> list[tuple[np.ndarray, ...]]:
    return sorted(profiles, key=lambda profile: sum(int((p > 0).sum()) for p in profile))
