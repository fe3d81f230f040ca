"""Worlds to act in, many at once: Gymnasium's vector environments, arranged as copies by worlds."""

from rlkit.envs.classic import cartpole
from rlkit.envs.probes import Probe, probes
from rlkit.envs.tabular import TabularVectorEnv
from rlkit.envs.worlds import Step, Worlds

__all__ = ["Probe", "Step", "TabularVectorEnv", "Worlds", "cartpole", "probes"]
