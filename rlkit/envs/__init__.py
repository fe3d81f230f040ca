"""Worlds to act in, many at once: Gymnasium's vector environments, arranged as copies by worlds."""

from rlkit.envs.classic import cartpole, lunar_lander, pendulum
from rlkit.envs.driving import Driving, DrivingEnv
from rlkit.envs.lander import LANDER_ENDINGS, lander_endings, lander_terms
from rlkit.envs.probes import Probe, probes
from rlkit.envs.roads import HELD_OUT_ROADS, TRAINING_ROADS, Road, make_road, make_roads
from rlkit.envs.tabular import TabularVectorEnv
from rlkit.envs.worlds import Step, Worlds

__all__ = [
    "HELD_OUT_ROADS",
    "LANDER_ENDINGS",
    "TRAINING_ROADS",
    "Driving",
    "DrivingEnv",
    "Probe",
    "Road",
    "Step",
    "TabularVectorEnv",
    "Worlds",
    "cartpole",
    "lander_endings",
    "lander_terms",
    "lunar_lander",
    "make_road",
    "make_roads",
    "pendulum",
    "probes",
]
