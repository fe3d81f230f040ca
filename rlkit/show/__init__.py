"""Figures that are the same in a page and in JupyterLab: grids, curves, players, source listings.

The only room that imports matplotlib, ipywidgets or IPython. Every function returns an object that a notebook displays;
nothing is drawn behind your back.
"""

from rlkit.show.bars import bars
from rlkit.show.code import Listing, diff, source
from rlkit.show.curves import curves, intervals
from rlkit.show.diagrams import agent_environment_loop, two_q_networks
from rlkit.show.driving import car, drives
from rlkit.show.games import cartpole, planes, planes_apart
from rlkit.show.grids import action_values, grid, values
from rlkit.show.lander import lander, stacked_terms
from rlkit.show.maps import heatmap
from rlkit.show.picture import Picture, picture, side_by_side
from rlkit.show.player import Explorable, animate, explore
from rlkit.show.policies import gaussian_step, policy_step, two_action_spaces
from rlkit.show.steering import Steered, steer

__all__ = [
    "Explorable",
    "Listing",
    "Picture",
    "Steered",
    "action_values",
    "agent_environment_loop",
    "animate",
    "bars",
    "car",
    "cartpole",
    "curves",
    "diff",
    "drives",
    "explore",
    "gaussian_step",
    "grid",
    "heatmap",
    "intervals",
    "lander",
    "picture",
    "planes",
    "planes_apart",
    "policy_step",
    "side_by_side",
    "source",
    "stacked_terms",
    "steer",
    "two_action_spaces",
    "two_q_networks",
    "values",
]
