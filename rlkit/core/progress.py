"""A bar for work that takes a while."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any


def progress(items: Iterable[Any], label: str = "") -> Any:
    """Return the items, with a bar on stderr, or in the notebook, that tells how many have been taken.

    With RLKIT_PROGRESS=off in the environment, as in tests and where the book's notebooks are made, there is no bar.

    Args:
        items: what is gone through.
        label: what stands before the bar.
    """
    from tqdm.auto import tqdm  # only what takes long needs it

    off = os.environ.get("RLKIT_PROGRESS", "").lower() == "off"
    return tqdm(items, desc=label or None, disable=off, leave=False, mininterval=0.5)
