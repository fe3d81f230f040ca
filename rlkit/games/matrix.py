"""A matrix game: every player chooses an action, all at once, and each is paid for what all have chosen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from rlkit.core.checks import brief, distribution, entry, first, real_array, whole_number


@dataclass(frozen=True, eq=False)
class MatrixGame:
    """A game of one move for n players, of whom player i has A_i actions, numbered from 0.

    The arrays are copied and can be read only, so that what was checked once stays true.

    Args:
        payoffs: float[n, A_1, ..., A_n], payoffs[i, a_1, ..., a_n] = what player i is paid, on average, when player 1
            chooses a_1, and so on. Players, too, are numbered from 0.
        actions: names: one sequence for all, or one for each player (default: the numbers). Kept as one for each player.
        name: of the game, for figures.
        draws: float[m, n, A_1, ..., A_n], m equally likely tables of payoffs, of which one is drawn at each play; their
            mean is ``payoffs`` (default: the payoffs leave nothing to chance).

    Raises:
        ValueError: one sentence that names the faulty argument or entry.
    """

    payoffs: Any
    actions: Any = ()
    name: str = ""
    draws: Any = None

    def __post_init__(self) -> None:
        keep = lambda name, value: object.__setattr__(self, name, value)  # noqa: E731 - the dataclass is frozen
        payoffs = real_array("payoffs", self.payoffs)
        if payoffs.ndim < 2 or payoffs.ndim != len(payoffs) + 1 or not payoffs.size:
            raise ValueError(
                f"payoffs has shape {payoffs.shape}, but (n, A_1, ..., A_n) was expected: n players, then an axis for each"
            )
        keep("payoffs", _kept(payoffs))
        keep("actions", _names(self.actions, self.shape))
        if self.draws is not None:
            draws = real_array("draws", self.draws)
            if draws.ndim != payoffs.ndim + 1 or draws.shape[1:] != payoffs.shape or not len(draws):
                raise ValueError(f"draws has shape {draws.shape}, but (m, {str(payoffs.shape)[1:]} was expected")
            wrong = ~np.isclose(draws.mean(axis=0), payoffs, rtol=1e-9, atol=1e-9)
            if wrong.any():
                where = first(wrong)
                raise ValueError(
                    f"{entry('payoffs', where)} is {payoffs[where]:g}, but the mean of the draws there is "
                    f"{draws.mean(axis=0)[where]:g}"
                )
            keep("draws", _kept(draws))

    @property
    def n_players(self) -> int:
        """The number of players, n."""
        return len(self.payoffs)

    @property
    def shape(self) -> tuple[int, ...]:
        """The numbers of actions, (A_1, ..., A_n)."""
        return tuple(self.payoffs.shape[1:])

    @property
    def common(self) -> bool:
        """Whether all players are always paid the same: a team."""
        tables = self.payoffs if self.draws is None else np.moveaxis(self.draws, 1, 0)
        return bool((tables == tables[0]).all())

    def pay(self, joint: Any, rng: np.random.Generator | None = None) -> np.ndarray:
        """Play, as often as ``joint`` has rows.

        Args:
            joint: int[..., n], an action of each player.
            rng: draws the tables; only a game with ``draws`` needs it.

        Returns:
            float[..., n], what each player is paid.

        Raises:
            ValueError: an action that does not exist, or no ``rng`` where payoffs are drawn.
        """
        joint = np.asarray(joint)
        if joint.dtype.kind not in "iu" or joint.ndim == 0 or joint.shape[-1] != self.n_players:
            raise ValueError(f"joint must be int[..., {self.n_players}], an action of each player, not {brief(joint)}")
        bad = (joint < 0) | (joint >= self.shape)
        if bad.any():
            where = first(bad)
            raise ValueError(
                f"{entry('joint', where)} is {joint[where]}, but player {where[-1]} has {self.shape[where[-1]]} actions"
            )
        cell = tuple(np.moveaxis(joint, -1, 0))
        if self.draws is None:
            return np.moveaxis(self.payoffs[(slice(None), *cell)], 0, -1)
        if rng is None:
            raise ValueError("the payoffs of this game are drawn: give it an rng")
        table = rng.integers(len(self.draws), size=joint.shape[:-1])
        return self.draws[(table[..., None], np.arange(self.n_players), *(a[..., None] for a in cell))]

    def action_values(self, player: int, policies: Sequence[Any]) -> np.ndarray:
        """Return what each action of one player is worth while the others keep to their policies.

        Args:
            player: which, from 0.
            policies: for each player float[A_i], probabilities; that of ``player`` itself does not matter.

        Returns:
            float[A_player].

        Raises:
            ValueError: no such player, or policies that are none.
        """
        player = self._player(player)
        values = self.payoffs[player]
        for other, pi in reversed(list(enumerate(self._policies(policies)))):
            if other != player:
                # Axes behind this one are gone already, but for the player's own, which stays the last.
                values = np.tensordot(values, pi, axes=(other, 0))
        return values

    def value(self, policies: Sequence[Any]) -> np.ndarray:
        """Return what each player is paid on average: float[n], for policies as in :meth:`action_values`."""
        pi = self._policies(policies)
        return np.array([self.action_values(i, pi) @ pi[i] for i in range(self.n_players)])

    def _player(self, player: Any) -> int:
        i = whole_number("player", player, 0)
        if i >= self.n_players:
            raise ValueError(f"player is {i}, but there are {self.n_players}, numbered from 0")
        return i

    def _policies(self, policies: Sequence[Any]) -> list[np.ndarray]:
        if len(policies) != self.n_players:
            raise ValueError(f"policies holds {len(policies)}, but the game has {self.n_players} players")
        checked = [
            real_array(f"policies[{i}]", pi, (A,)) for i, (pi, A) in enumerate(zip(policies, self.shape, strict=True))
        ]
        for i, pi in enumerate(checked):
            distribution(f"policies[{i}]", pi)
        return checked


def _kept(array: np.ndarray) -> np.ndarray:
    array = array.copy()
    array.flags.writeable = False
    return array


def _names(actions: Any, shape: tuple[int, ...]) -> tuple[tuple[str, ...], ...]:
    """Return a tuple of names for each player."""
    if not len(actions):
        return tuple(tuple(map(str, range(A))) for A in shape)
    rows = [actions] * len(shape) if all(isinstance(name, str) for name in actions) else list(actions)
    if len(rows) != len(shape):
        raise ValueError(f"actions holds the names of {len(rows)} players, but the game has {len(shape)}")
    for i, (row, A) in enumerate(zip(rows, shape, strict=True)):
        if len(row) != A or not all(isinstance(name, str) for name in row):
            raise ValueError(f"actions of player {i} must be {A} names, not {brief(tuple(row))}")
    return tuple(tuple(row) for row in rows)
