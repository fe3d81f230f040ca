"""Writing down what a benchmark has measured."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable
from pathlib import Path


def publish(lines: Iterable[str], path: Path) -> None:
    """Print a page, and put it in the place of the old one, all or nothing."""
    text = "\n".join(lines) + "\n"
    print(text)
    path.parent.mkdir(exist_ok=True)
    with tempfile.NamedTemporaryFile("w", dir=path.parent, delete=False) as file:
        file.write(text)
    os.chmod(file.name, 0o644)
    os.replace(file.name, path)
