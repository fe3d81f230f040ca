"""Games of MinAtar (Young and Tian 2019) in batch: many worlds of one game, stepped together by numpy."""

from rlkit.envs.minatar.asterix import Asterix
from rlkit.envs.minatar.base import MinAtarEnv
from rlkit.envs.minatar.breakout import Breakout
from rlkit.envs.minatar.space_invaders import SpaceInvaders

__all__ = ["Asterix", "Breakout", "MinAtarEnv", "SpaceInvaders"]
