"""Figures that are the same in a page and in JupyterLab: grids, curves, players, source listings.

The only room that imports matplotlib, ipywidgets or IPython. Every function returns an object that a notebook displays;
nothing is drawn behind your back.
"""

from rlkit.show.actor_critic import action_value, families, ppo_clip, timeline
from rlkit.show.axes import axes
from rlkit.show.bars import bars
from rlkit.show.best_responses import best_responses
from rlkit.show.code import Listing, diff, source
from rlkit.show.curves import curves, intervals
from rlkit.show.diagrams import actor_and_critic, agent_environment_loop, ddpg_diagram, two_q_networks
from rlkit.show.driving import car, drives
from rlkit.show.envelope import envelope
from rlkit.show.games import cartpole, planes, planes_apart
from rlkit.show.grid_games import grid_game
from rlkit.show.grids import action_values, grid, values
from rlkit.show.lander import lander, stacked_terms
from rlkit.show.maps import heatmap
from rlkit.show.models import belief_values, markov_models, policy_tree
from rlkit.show.pendulum import pendulum
from rlkit.show.picture import Picture, picture, side_by_side
from rlkit.show.player import Explorable, animate, explore
from rlkit.show.policies import gaussian_step, policy_step, two_action_spaces
from rlkit.show.pursuit import cell_numbers, chase, four_planes
from rlkit.show.soccer import pitch, play_soccer, soccer_film
from rlkit.show.square import payoffs, square
from rlkit.show.steering import Steered, steer

__all__ = [
    "Explorable",
    "Listing",
    "Picture",
    "Steered",
    "action_value",
    "action_values",
    "actor_and_critic",
    "agent_environment_loop",
    "animate",
    "axes",
    "bars",
    "belief_values",
    "best_responses",
    "car",
    "cartpole",
    "cell_numbers",
    "chase",
    "curves",
    "ddpg_diagram",
    "diff",
    "drives",
    "envelope",
    "explore",
    "families",
    "four_planes",
    "gaussian_step",
    "grid",
    "grid_game",
    "heatmap",
    "intervals",
    "lander",
    "markov_models",
    "payoffs",
    "pendulum",
    "picture",
    "pitch",
    "planes",
    "planes_apart",
    "play_soccer",
    "policy_step",
    "policy_tree",
    "ppo_clip",
    "side_by_side",
    "soccer_film",
    "source",
    "square",
    "stacked_terms",
    "steer",
    "timeline",
    "two_action_spaces",
    "two_q_networks",
    "values",
]
