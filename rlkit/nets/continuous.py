"""Networks for actions that are numbers: one that names an action, and some that say what an action is worth."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from rlkit.core.checks import real_array, whole_number
from rlkit.nets.stacked import StackedMLP


class DeterministicPolicy(nn.Module):
    """K policies that leave nothing to chance: mu(s) = bound tanh(network(s)).

    Args:
        sizes: the widths: numbers seen, hidden layers, D.
        copies, seed: as for :class:`~rlkit.nets.StackedMLP`.
        bound: actions lie between -bound and bound.
    """

    def __init__(self, sizes: Sequence[int], copies: int = 1, seed: int = 0, *, bound: float = 1.0):
        super().__init__()
        self.bound = float(real_array("bound", bound, ()))
        if not self.bound > 0:
            raise ValueError(f"bound is {bound}, but a number above 0 was expected")
        self.network = StackedMLP(sizes, copies, seed)

    def forward(self, obs: Tensor) -> Tensor:
        """Map float[K, B, inputs] to actions, float[K, B, D]."""
        return self.bound * torch.tanh(self.network(obs))


class Critic(nn.Module):
    """K critics Q(s, a) of states and actions that are numbers.

    Args:
        sizes: the widths: numbers seen and numbers done together, hidden layers, 1.
        copies, seed: as for :class:`~rlkit.nets.StackedMLP`.
    """

    def __init__(self, sizes: Sequence[int], copies: int = 1, seed: int = 0):
        super().__init__()
        if len(sizes) and sizes[-1] != 1:
            raise ValueError(f"sizes ends with {sizes[-1]}, but a critic gives 1 number")
        self.network = StackedMLP(sizes, copies, seed)

    def forward(self, obs: Tensor, action: Tensor) -> Tensor:
        """Map float[K, B, n] and float[K, B, D] to float[K, B]."""
        return self.network(torch.cat([obs, action], dim=-1)).squeeze(-1)


class Critics(nn.Module):
    """Several critics side by side, which begin with weights of their own: what TD3 takes the smallest of.

    Args:
        sizes, copies: as for :class:`Critic`.
        seed: the first critic's; the next ones have seeds that are further on by 1,000 each.
        count: how many.
    """

    def __init__(self, sizes: Sequence[int], copies: int = 1, seed: int = 0, *, count: int = 2):
        super().__init__()
        count, seed = whole_number("count", count, 1), whole_number("seed", seed, 0)
        self.critics = nn.ModuleList(Critic(sizes, copies, seed + 1_000 * i) for i in range(count))

    def forward(self, obs: Tensor, action: Tensor) -> Tensor:
        """Map float[K, B, n] and float[K, B, D] to float[count, K, B]."""
        return torch.stack([critic(obs, action) for critic in self.critics])
