"""Learning in a matrix game that is played again and again: fictitious play, regret matching, the replicator.

Every learner keeps the same sums, of what each of its actions would have been paid against what the others did, and makes
another choice of them: the largest (fictitious play), in proportion to what lies above its own payoffs (regret matching), by
their softmax (the replicator, in steps without size; multiplicative weights, in steps of a given size).

Learners that play are generators of joint actions, one for each round, for one game or for many side by side.
``np.array(list(islice(learner, T)))`` is what all did in T rounds, int[T, ..., n], and the functions at the end judge it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from rlkit.core.checks import brief, distribution, entry, first, number, real_array, whole_number
from rlkit.games.equilibria import nash_conv
from rlkit.games.matrix import MatrixGame

TIED = 1e-10
"""Actions count as equally good if their average payoffs differ by less than so much of the largest payoff."""

Policies = tuple[np.ndarray, ...]


def fictitious_play(game: MatrixGame, start: Any, rng: np.random.Generator | None = None) -> Iterator[np.ndarray]:
    """Yield what all players do in each round of fictitious play, for ever.

    ::

        1. in round 1 all play a stated joint action; G^j(a) := 0 for every player j and each of its actions a
        2. after every round, for every player j:
        3.     for each of its actions a:  G^j(a) := G^j(a) + u^j(a, what the others played)
        4.     in the next round, play argmax_a G^j(a)

    G^j(a) / t is what action a is paid, on average, by the mixture of what the others have played so far, so that each
    player answers that mixture with a best response. With three or more players, it is the mixture of their *joint* actions.

    Args:
        game: of any number of players; payoffs that are drawn count by their means.
        start: int[n], the first joint action; or int[..., n], one for each of many games side by side.
        rng: draws among actions that are equally good (default: the one with the lowest number).

    Yields:
        int[..., n], the joint action, beginning with ``start``.

    Raises:
        ValueError: at the first round, a start that is no joint action.

    Source: Brown (1951).
    """
    joint = _joint_actions(game, "start", start)  # (1)
    tables = _tables(game)
    G = [np.zeros((*joint.shape[:-1], A)) for A in game.shape]
    tolerance = [TIED * abs(table).max() for table in tables]
    t = 0
    while True:  # (2)
        yield joint
        t += 1
        paid = _would_pay(tables, joint)
        joint = np.empty_like(joint)
        for j, sums in enumerate(G):
            sums += paid[j]  # (3)
            best = sums >= sums.max(axis=-1, keepdims=True) - t * tolerance[j]  # (4)
            if rng is not None:
                best = best * (1 - rng.random(best.shape))
            joint[..., j] = best.argmax(axis=-1)


def regret_matching(
    game: MatrixGame, rng: np.random.Generator, runs: int | tuple[int, ...] = ()
) -> Iterator[np.ndarray]:
    """Yield what all players do in each round of regret matching, for ever.

    The regret of an action is by how much more it would have been paid in all rounds, had it been played in each of them
    against what the others did. A player draws its next action in proportion to what is positive of its regrets; if no
    regret is positive, all actions are equally likely. The actions are drawn, and the regrets are those of what was drawn.

    Whatever the others do, the average regret of an action is, in the mean over what is drawn, at most
    (max u^j - min u^j) sqrt((A_j - 1) / t). The frequencies of the joint actions come to coarse correlated equilibria, which
    are the correlated ones where everybody has two actions.

    Args:
        game: of any number of players; payoffs that are drawn count by their means.
        rng: draws the actions.
        runs: how many games are played side by side (default: one, without an axis).

    Yields:
        int[..., n], the joint action.

    Source: Hart and Mas-Colell (2000); this is the form without conditions of their paper of 2001, in which an action is
        compared with all rounds and not only with those in which another was played.
    """
    tables = _tables(game)
    shape = runs if isinstance(runs, tuple) else (whole_number("runs", runs, 1),)
    regret = [np.zeros((*shape, A)) for A in game.shape]
    while True:
        weights = [np.maximum(r, 0) for r in regret]
        totals = [w.cumsum(axis=-1) for w in (np.where(w.any(axis=-1, keepdims=True), w, 1.0) for w in weights)]
        drawn = [rng.random((*shape, 1)) * total[..., -1:] for total in totals]
        joint = np.stack([(x >= total).sum(axis=-1) for x, total in zip(drawn, totals, strict=True)], axis=-1)
        yield joint
        for j, paid in enumerate(_would_pay(tables, joint)):
            regret[j] += paid - np.take_along_axis(paid, joint[..., j, None], axis=-1)


def replicator(game: MatrixGame, start: Sequence[Any], dt: float) -> Iterator[Policies]:
    """Yield the policies that follow the replicator's equation, every ``dt`` of its time, for ever.

    The share of an action grows at the rate by which it is paid more than the average:
    d pi^j(a) / dt = pi^j(a) [u^j(a, pi^-j) - u^j(pi)]. This is what the softmax of sums does whose rates are u^j(a, pi^-j),
    and in the sums it is followed, by the fourth-order method of Runge and Kutta.

    Args:
        game: of any number of players.
        start: for each player float[..., A_j], with the same leading axes; what is 0 remains 0.
        dt: the time between two yields, above 0. Steps of more than about 1 / (largest payoff) are coarse.

    Yields:
        for each player float[..., A_j], beginning with the start.

    Raises:
        ValueError: at the first one, policies that are none, or a dt that is not above 0.

    Source: Taylor and Jonker (1978); Hofbauer and Sigmund (1998) for several populations.
    """
    z, dt = _logarithms(game, start), _above_zero("dt", dt)
    while True:
        yield _softmax(z)
        k1 = _rates(game, z)
        k2 = _rates(game, _moved(z, k1, dt / 2))
        k3 = _rates(game, _moved(z, k2, dt / 2))
        k4 = _rates(game, _moved(z, k3, dt))
        z = [x + dt / 6 * (a + 2 * b + 2 * c + d) for x, a, b, c, d in zip(z, k1, k2, k3, k4, strict=True)]


def multiplicative_weights(
    game: MatrixGame, start: Sequence[Any], step: float, optimism: float = 0.0
) -> Iterator[Policies]:
    """Yield the policies of players whose weights are multiplied by exp(step u^j(a, pi^-j)) in each round, for ever.

    All know what each action is paid, on average, by the others' present policies, and move at once.

    Args:
        game: of any number of players.
        start: for each player float[..., A_j], with the same leading axes.
        step: the step size, above 0.
        optimism: u(t) + optimism (u(t) - u(t - 1)) is used in place of u(t): 1 expects the last change to go on.

    Yields:
        for each player float[..., A_j], beginning with the start.

    Raises:
        ValueError: at the first one, policies that are none, or a step that is not above 0.

    Source: Freund and Schapire (1999); Daskalakis and Panageas (2019) for optimism = 1.
    """
    z, step = _logarithms(game, start), _above_zero("step", step)
    optimism = number("optimism", optimism, 0, np.inf)
    last = _rates(game, z)
    while True:
        yield _softmax(z)
        u = _rates(game, z)
        z = _moved(z, [new + optimism * (new - old) for new, old in zip(u, last, strict=True)], step)
        last = u


# -- what was played ------------------------------------------------------------------------------------------------


def averages(game: MatrixGame, actions: Any) -> Policies:
    """Return how often each player has played each of its actions, after every round.

    Args:
        game: with n players.
        actions: int[T, ..., n], what all did in T rounds.

    Returns:
        for each player float[T, ..., A_j].

    Raises:
        ValueError: an action that does not exist.
    """
    actions = _joint_actions(game, "actions", actions)
    t = np.arange(1, len(actions) + 1).reshape(-1, *[1] * (actions.ndim - 1))
    return tuple(np.cumsum(np.eye(A)[actions[..., j]], axis=0) / t for j, A in enumerate(game.shape))


def exploitability_of_averages(game: MatrixGame, actions: Any, at: Any) -> np.ndarray:
    """Return :func:`~rlkit.games.equilibria.nash_conv` of the :func:`averages` after some numbers of rounds.

    Args:
        game, actions: as for :func:`averages`.
        at: int[K], numbers of rounds, each from 1 to T.

    Returns:
        float[K, ...].

    Raises:
        ValueError: an action that does not exist, or a number of rounds that was not played.
    """
    after = averages(game, actions)
    T, runs = len(after[0]), after[0].shape[1:-1]
    rounds = [whole_number(f"at[{k}]", t, 1) for k, t in enumerate(np.atleast_1d(at))]
    if max(rounds) > T:
        raise ValueError(f"at holds {max(rounds)}, but only {T} rounds were played")
    gaps = np.empty((len(rounds), *runs))
    for k, *run in np.ndindex(gaps.shape):
        gaps[(k, *run)] = nash_conv(game, [pi[(rounds[k] - 1, *run)] for pi in after])
    return gaps


def average_regrets(game: MatrixGame, actions: Any) -> Policies:
    """Return by how much more a round each action would have been paid than what was played, after every round.

    Args:
        game, actions: as for :func:`averages`.

    Returns:
        for each player float[T, ..., A_j].
    """
    actions = _joint_actions(game, "actions", actions)
    t = np.arange(1, len(actions) + 1).reshape(-1, *[1] * (actions.ndim - 1))
    paid = _would_pay(_tables(game), actions)
    played = [np.take_along_axis(p, actions[..., j, None], axis=-1) for j, p in enumerate(paid)]
    return tuple(np.cumsum(p - own, axis=0) / t for p, own in zip(paid, played, strict=True))


def joint_frequencies(game: MatrixGame, actions: Any) -> np.ndarray:
    """Return how often each joint action was played.

    Args:
        game: with n players.
        actions: int[T, n], what all did in T rounds of one game.

    Returns:
        float[A_1, ..., A_n], which sums to 1.

    Raises:
        ValueError: an action that does not exist, or more axes.
    """
    actions = _joint_actions(game, "actions", actions)
    if actions.ndim != 2 or not len(actions):
        raise ValueError(
            f"actions has shape {actions.shape}, but (T, {game.n_players}) was expected: rounds of one game"
        )
    counts = np.zeros(game.shape)
    np.add.at(counts, tuple(actions.T), 1)
    return counts / len(actions)


def run_lengths(actions: Any) -> np.ndarray:
    """Return for how many rounds in a row each joint action was kept, in order; the last run may not be at its end.

    Args:
        actions: int[T, n] of one game, or int[T] of one player.

    Returns:
        int[K], which sums to T.

    Raises:
        ValueError: no rounds, or more axes.
    """
    actions = np.asarray(actions)
    if actions.ndim not in (1, 2) or not len(actions):
        raise ValueError(f"actions has shape {actions.shape}, but the rounds of one game were expected, (T, n) or (T,)")
    moved = actions[1:] != actions[:-1]
    if moved.ndim == 2:
        moved = moved.any(axis=1)
    return np.diff(np.flatnonzero(np.concatenate([[True], moved, [True]])))


# -- what they share ------------------------------------------------------------------------------------------------


def _tables(game: MatrixGame) -> list[np.ndarray]:
    """Return the payoffs of each player with its own axis last: float[A of the others in order, A_j]."""
    return [np.ascontiguousarray(np.moveaxis(game.payoffs[j], j, -1)) for j in range(game.n_players)]


def _would_pay(tables: list[np.ndarray], joint: np.ndarray) -> list[np.ndarray]:
    """Return what each action would be paid against what the others do: for each player float[..., A_j]."""
    if len(tables) == 1:  # nobody else: the payoffs are the same in every round
        return [np.broadcast_to(tables[0], (*joint.shape[:-1], len(tables[0])))]
    columns = [joint[..., k] for k in range(len(tables))]
    return [table[(*columns[:j], *columns[j + 1 :])] for j, table in enumerate(tables)]


_AXES = "abcdefghijklm"


def _rates(game: MatrixGame, z: list[np.ndarray]) -> list[np.ndarray]:
    """Return what each action is paid by the others' policies, which are the softmax of z: for each player float[..., A_j]."""
    policies, axes = _softmax(z), _AXES[: game.n_players]
    rates = []
    for j in range(game.n_players):
        others = [k for k in range(game.n_players) if k != j]
        inputs = ",".join([axes, *(f"...{axes[k]}" for k in others)])
        rates.append(np.einsum(f"{inputs}->...{axes[j]}", game.payoffs[j], *(policies[k] for k in others)))
    return rates


def _moved(z: list[np.ndarray], rates: list[np.ndarray], step: float) -> list[np.ndarray]:
    return [x + step * rate for x, rate in zip(z, rates, strict=True)]


def _softmax(z: list[np.ndarray]) -> Policies:
    weights = [np.exp(x - x.max(axis=-1, keepdims=True)) for x in z]
    return tuple(w / w.sum(axis=-1, keepdims=True) for w in weights)


def _logarithms(game: MatrixGame, start: Sequence[Any]) -> list[np.ndarray]:
    if len(start) != game.n_players:
        raise ValueError(f"start holds {len(start)}, but the game has {game.n_players} players")
    policies = [real_array(f"start[{j}]", pi) for j, pi in enumerate(start)]
    for j, (pi, A) in enumerate(zip(policies, game.shape, strict=True)):
        if pi.shape != (*policies[0].shape[:-1], A):
            raise ValueError(f"start[{j}] has shape {pi.shape}, but {(*policies[0].shape[:-1], A)} was expected")
        distribution(f"start[{j}]", pi)
    with np.errstate(divide="ignore"):  # an action that nobody plays stays at minus infinity
        return [np.log(pi) for pi in policies]


def _above_zero(name: str, value: Any) -> float:
    x = number(name, value, 0, np.finfo(float).max)
    if x == 0:
        raise ValueError(f"{name} is 0, but it must be above 0")
    return x


def _joint_actions(game: MatrixGame, name: str, value: Any) -> np.ndarray:
    joint = np.asarray(value)
    if joint.dtype.kind not in "iu" or joint.ndim == 0 or joint.shape[-1] != game.n_players:
        raise ValueError(f"{name} must be int[..., {game.n_players}], an action of each player, not {brief(value)}")
    bad = (joint < 0) | (joint >= game.shape)
    if bad.any():
        at = first(bad)
        raise ValueError(f"{entry(name, at)} is {joint[at]}, but player {at[-1]} has {game.shape[at[-1]]} actions")
    return joint
