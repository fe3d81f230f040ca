"""Figures that are the same in a page and in JupyterLab: grids, curves, players, source listings.

The only room that imports matplotlib, ipywidgets or IPython. Every function returns an object that a notebook displays;
nothing is drawn behind your back.
"""

from rlkit.show.code import Listing, diff, source
from rlkit.show.curves import curves, intervals
from rlkit.show.diagrams import agent_environment_loop
from rlkit.show.grids import action_values, grid, values
from rlkit.show.picture import Picture, picture, side_by_side
from rlkit.show.player import Explorable, animate, explore

__all__ = [
    "Explorable",
    "Listing",
    "Picture",
    "action_values",
    "agent_environment_loop",
    "animate",
    "curves",
    "diff",
    "explore",
    "grid",
    "intervals",
    "picture",
    "side_by_side",
    "source",
    "values",
]
