"""The door of the deep learners: what would fail, or quietly learn nothing, later is refused before anything is made."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import nn

from rlkit.core.checks import whole_number
from rlkit.envs.worlds import Worlds
from rlkit.nets import Categorical


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


def check_policy(policy: nn.Module, worlds: Worlds) -> None:
    """Refuse a policy that does not fit the world: with too few outputs, some actions would silently never be taken.

    Raises:
        ValueError: it does not take what the worlds show, or gives no distribution over their actions.
    """
    pi = first_look("policy", policy, worlds)
    if not hasattr(pi, "log_prob"):
        raise ValueError(
            f"policy gives a {type(pi).__name__}, but a distribution such as rlkit.nets.Categorical was expected"
        )
    outputs = pi.log_p if isinstance(pi, Categorical) else pi.mean
    each = (worlds.copies, worlds.worlds)
    expected = (*each, worlds.n_actions) if worlds.n_actions else (*each, *worlds.actions.shape)
    if isinstance(pi, Categorical) != bool(worlds.n_actions) or tuple(outputs.shape) != expected:
        raise ValueError(
            f"policy gives a {type(pi).__name__} of shape {tuple(outputs.shape)}, but the actions are {worlds.actions}: "
            f"{expected} was expected"
        )


def check_value(name: str, network: nn.Module, worlds: Worlds) -> None:
    """Refuse a network that does not give one number for each world.

    Raises:
        ValueError: it does not, or it does not take what the worlds show.
    """
    shape = tuple(first_look(name, network, worlds).shape)
    expected = (worlds.copies, worlds.worlds, 1)
    if shape != expected:
        raise ValueError(f"{name} gives {shape} for one step of the worlds, but {expected} was expected")


def first_look(name: str, network: Callable[[torch.Tensor], Any], worlds: Worlds) -> Any:
    """Return what a network says of the first observations, or say in one sentence that it does not take them."""
    obs = torch.from_numpy(worlds.obs).float()
    try:
        with torch.no_grad():
            return network(obs)
    except RuntimeError as error:
        reason = str(error).splitlines()[0]
        raise ValueError(
            f"{name} does not take observations of shape {tuple(obs.shape)}, [K, E, ...]: {reason}"
        ) from error
