"""Parts for deep learners: networks with an axis of copies, policies, an optimiser for all copies at once, a memory."""

from rlkit.nets.adam import Adam
from rlkit.nets.continuous import Critic, Critics, DeterministicPolicy
from rlkit.nets.heads import Categorical, CategoricalPolicy, Gaussian, GaussianPolicy, SquashedGaussian
from rlkit.nets.replay import Replay
from rlkit.nets.stacked import StackedConv, StackedMLP, frozen_copy, sharing, soft_update

__all__ = [
    "Adam",
    "Categorical",
    "CategoricalPolicy",
    "Critic",
    "Critics",
    "DeterministicPolicy",
    "Gaussian",
    "GaussianPolicy",
    "Replay",
    "SquashedGaussian",
    "StackedConv",
    "StackedMLP",
    "frozen_copy",
    "sharing",
    "soft_update",
]
