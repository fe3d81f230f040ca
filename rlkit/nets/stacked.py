"""Networks with a leading axis of copies: the seeds of an experiment, or the agents of a team.

K small networks cost little more than one when each layer is one batched matrix product. The copies share nothing: a loss
that is summed over them gives each the gradient that it would have alone.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence
from typing import TypeVar

import torch
from torch import Tensor, nn

from rlkit.core.checks import whole_number

Network = TypeVar("Network", bound=nn.Module)


class StackedLinear(nn.Module):
    """K linear layers: copy k maps x[k] to x[k] @ weight[k] + bias[k].

    Weights and biases begin uniform in [-1/sqrt(inputs), 1/sqrt(inputs)], PyTorch's own rule for a linear layer. Copy k draws
    its own from ``generators[k]``, so that it begins as it would alone.

    Args:
        inputs, outputs: how many.
        generators: one torch.Generator for each copy.
    """

    def __init__(self, inputs: int, outputs: int, generators: Sequence[torch.Generator]):
        super().__init__()
        bound = 1 / math.sqrt(inputs)
        draws = [torch.rand(inputs + 1, outputs, generator=g) * 2 * bound - bound for g in generators]
        both = torch.stack(draws)
        self.weight = nn.Parameter(both[:, :-1].clone())
        self.bias = nn.Parameter(both[:, -1:].clone())

    def forward(self, x: Tensor) -> Tensor:
        """Map float[K, B, inputs] to float[K, B, outputs]."""
        return torch.baddbmm(self.bias, x, self.weight)


class StackedMLP(nn.Module):
    """K multilayer perceptrons with ReLU between their layers.

    Args:
        sizes: the widths: inputs, hidden layers, outputs.
        copies: how many, K.
        seed: copy k begins as a network of one copy with the seed ``seed + k``.

    Raises:
        ValueError: fewer than two sizes, or a size, copies or seed that is no whole number.
    """

    def __init__(self, sizes: Sequence[int], copies: int = 1, seed: int = 0):
        super().__init__()
        if len(sizes) < 2:
            raise ValueError(f"sizes is {list(sizes)}, but at least inputs and outputs were expected")
        sizes = [whole_number(f"sizes[{i}]", size, 1) for i, size in enumerate(sizes)]
        generators = _generators(copies, seed)
        self.layers = nn.ModuleList(StackedLinear(n, m, generators) for n, m in zip(sizes, sizes[1:], strict=False))

    def forward(self, x: Tensor) -> Tensor:
        """Map float[K, B, inputs] to float[K, B, outputs]."""
        *hidden, last = self.layers
        for layer in hidden:
            x = torch.relu(layer(x))
        return last(x)


class StackedConv(nn.Module):
    """K small convolutional networks: 3x3 filters over the planes, then one hidden layer, both with ReLU.

    The shape of the network in Young and Tian (2019), who use 16 filters and 128 units. A filter is a linear layer on every
    3x3 patch of the planes, so a convolution is a matrix product like all others here.

    Args:
        shape: (C, H, W) of one observation.
        outputs: how many numbers each copy gives.
        copies, seed: as for :class:`StackedMLP`.
        filters: how many.
        hidden: units of the hidden layer.

    Raises:
        ValueError: planes smaller than a filter, or an argument that is no whole number.
    """

    def __init__(
        self,
        shape: Sequence[int],
        outputs: int,
        copies: int = 1,
        seed: int = 0,
        *,
        filters: int = 16,
        hidden: int = 128,
    ):
        super().__init__()
        if len(shape) != 3 or min(shape[1:]) < 3:
            raise ValueError(f"shape is {tuple(shape)}, but (channels, height, width) of at least 3x3 was expected")
        channels, height, width = (whole_number("shape", n, 1) for n in shape)
        filters, hidden = whole_number("filters", filters, 1), whole_number("hidden", hidden, 1)
        outputs = whole_number("outputs", outputs, 1)
        generators = _generators(copies, seed)
        self.place: Tensor
        self.patches = (height - 2) * (width - 2)
        # where the numbers of each patch stand in a flat observation, patch after patch
        place = torch.arange(channels * height * width).reshape(channels, height, width)
        place = place.unfold(1, 3, 1).unfold(2, 3, 1).permute(1, 2, 0, 3, 4).flatten()
        self.register_buffer("place", place, persistent=False)
        self.filter = StackedLinear(9 * channels, filters, generators)
        self.hidden = StackedLinear(self.patches * filters, hidden, generators)
        self.output = StackedLinear(hidden, outputs, generators)

    def forward(self, x: Tensor) -> Tensor:
        """Map float[K, B, C, H, W] to float[K, B, outputs]."""
        copies, batch = x.shape[:2]
        patches = x.reshape(copies * batch, -1).index_select(1, self.place)
        patches = patches.reshape(copies, batch * self.patches, -1)
        features = torch.relu(self.filter(patches)).reshape(copies, batch, -1)
        return self.output(torch.relu(self.hidden(features)))


def frozen_copy(network: Network) -> Network:
    """Return a copy of a network whose weights take no part in any gradient."""
    frozen = copy.deepcopy(network)
    for parameter in frozen.parameters():
        parameter.requires_grad_(False)
    return frozen


@torch.no_grad()
def soft_update(target: nn.Module, network: nn.Module, tau: float) -> None:
    """Move every weight of ``target`` a step towards that of ``network``: w' := tau w + (1 - tau) w'.

    Args:
        target: the network that follows; it is changed in place.
        network: the one that it follows.
        tau: how far, in [0, 1]; 1 makes it the same.

    Source: Lillicrap et al. (2016), algorithm 1.
    """
    torch._foreach_lerp_(list(target.parameters()), list(network.parameters()), tau)


def sharing(network: StackedMLP, outputs: int, seed: int = 0) -> StackedMLP:
    """Return a network with the very same hidden layers, not copies of them, and a last layer of its own.

    Args:
        network: whose layers are shared.
        outputs: how many numbers the new network gives.
        seed: of the new layer, as for :class:`StackedMLP`.
    """
    *hidden, last = network.layers
    copies, width, _ = next(last.parameters()).shape
    other = StackedMLP([width, outputs], copies, seed)
    other.layers = nn.ModuleList([*hidden, *other.layers])
    return other


def _generators(copies: int, seed: int) -> list[torch.Generator]:
    copies, seed = whole_number("copies", copies, 1), whole_number("seed", seed, 0)
    return [torch.Generator().manual_seed(seed + k) for k in range(copies)]
