"""Figures that are the same in a page and in JupyterLab: grids, curves, players, source listings.

The only room that imports matplotlib, ipywidgets or IPython. Every function returns an object that a notebook displays;
nothing is drawn behind your back.
"""

from rlkit.show.bars import bars
from rlkit.show.code import Listing, diff, source
from rlkit.show.curves import curves, intervals
from rlkit.show.diagrams import agent_environment_loop, two_q_networks
from rlkit.show.games import cartpole, planes, planes_apart
from rlkit.show.grids import action_values, grid, values
from rlkit.show.maps import heatmap
from rlkit.show.picture import Picture, picture, side_by_side
from rlkit.show.player import Explorable, animate, explore

__all__ = [
    "Explorable",
    "Listing",
    "Picture",
    "action_values",
    "agent_environment_loop",
    "animate",
    "bars",
    "cartpole",
    "curves",
    "diff",
    "explore",
    "grid",
    "heatmap",
    "intervals",
    "picture",
    "planes",
    "planes_apart",
    "side_by_side",
    "source",
    "two_q_networks",
    "values",
]
