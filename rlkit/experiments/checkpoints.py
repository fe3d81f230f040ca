"""Trained policies that are stored with the book: small files of weights, next to the results of the runs that made them."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from rlkit.core.checks import brief
from rlkit.experiments.runner import RESULTS

if TYPE_CHECKING:
    from torch import Tensor, nn

    from rlkit.nets import CategoricalPolicy


def save(name: str, policy: nn.Module) -> Path:
    """Store the weights of a policy, all copies, and return the file. It is replaced at once: nobody finds half of it.

    Args:
        name: of the experiment that made it, such as "ppo.lander".
        policy: the policy.
    """
    path = Path(str(RESULTS)) / f"{name}.npz"
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    weights = io.BytesIO()
    np.savez_compressed(weights, **{key: value.numpy() for key, value in policy.state_dict().items()})
    try:
        temporary.write_bytes(weights.getvalue())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
    return path


def load_weights(name: str) -> dict[str, Tensor]:
    """Return the weights of a stored policy by their names in its network.

    Args:
        name: of the experiment that made it.

    Raises:
        ValueError: none of that name is stored.
    """
    import torch

    known = sorted(file.name.removesuffix(".npz") for file in RESULTS.iterdir() if file.name.endswith(".npz"))
    if name not in known:
        raise ValueError(f"no policy {brief(name)} is stored: there are {', '.join(known) or 'none'}")
    with np.load(io.BytesIO((RESULTS / f"{name}.npz").read_bytes()), allow_pickle=False) as file:
        return {key: torch.from_numpy(file[key]) for key in file.files}


def load_policy(name: str) -> CategoricalPolicy:
    """Return a stored policy, a network with a copy for each seed that it was trained with.

    Args:
        name: of the experiment that made it.

    Raises:
        ValueError: none of that name is stored.
    """
    from rlkit.nets import CategoricalPolicy

    weights = load_weights(name)
    layers = [value.shape for key, value in weights.items() if key.endswith("weight")]  # [K, inputs, outputs] each
    policy = CategoricalPolicy([*(inputs for _, inputs, _ in layers), layers[-1][2]], layers[0][0])
    policy.load_state_dict(weights)
    return policy
