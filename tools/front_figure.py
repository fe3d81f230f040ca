"""Write the figure that moves on the front page: value iteration spreading through a maze.

    python -m tools.front_figure

The front page is plain Markdown without a kernel, so its figure is kept as a file; a test compares the file with what the
package draws now.
"""

from __future__ import annotations

import os
from itertools import islice
from pathlib import Path

import numpy as np

from rlkit import show
from rlkit.mdp import greedy, q_from_v, value_iteration
from rlkit.mdp.worlds import dyna_maze

FILE = Path(__file__).resolve().parents[1] / "book" / "_static" / "front_figure.html"


def front_figure() -> str:
    """Return the player's HTML."""
    world = dyna_maze()
    frames = []
    for sweep, V in enumerate([np.zeros(world.n_states), *islice(value_iteration(world), 16)]):
        Q = q_from_v(world, V)
        known = (np.ptp(Q, axis=1) > 0)[:, None]
        frames.append(show.grid(world, colour=V, policy=greedy(Q) * known, title=f"sweep {sweep}", top=1))
    return show.animate(frames, name="sweep", begin=8, interval=400).html + "\n"


def main() -> None:
    """Write the file, unless it is up to date."""
    page = front_figure()
    if not FILE.exists() or FILE.read_text(encoding="utf-8") != page:
        part = FILE.with_suffix(".part")
        part.write_text(page, encoding="utf-8")
        os.replace(part, FILE)


if __name__ == "__main__":
    main()
