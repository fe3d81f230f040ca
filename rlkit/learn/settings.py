"""The door of the deep learners: what would fail, or quietly learn nothing, later is refused before anything is made."""

from __future__ import annotations

from typing import Any

import numpy as np
from torch import nn

from rlkit.core.checks import whole_number


def check_whole(params: dict[str, Any], least: dict[str, int]) -> None:
    """Check that settings are whole numbers, each at least as large as ``least`` says, and of a whole type.

    Raises:
        ValueError: one is not.
    """
    for name, low in least.items():
        whole_number(name, params[name], low)
        if not isinstance(params[name], int | np.integer):
            raise ValueError(f"{name} is {params[name]}, but an int was expected")


def check_copies(name: str, network: nn.Module, copies: int) -> None:
    """Check that every weight of a network has a leading axis of copies: a flat layer would be shared by all, in silence.

    Raises:
        ValueError: one has not, or there are no weights.
    """
    shapes = {weight: tuple(p.shape) for weight, p in network.named_parameters()}
    for weight, shape in shapes.items():
        if len(shape) < 3 or shape[0] != copies:
            raise ValueError(f"{name}.{weight} has shape {shape}, but copies is {copies}: its first axis must be that")
    if not shapes:
        raise ValueError(f"{name} has no weights: there is nothing to learn")
