"""Parts for deep learners: networks with an axis of copies, an optimiser for all copies at once, a memory to replay from."""

from rlkit.nets.adam import Adam
from rlkit.nets.replay import Replay
from rlkit.nets.stacked import StackedConv, StackedMLP, frozen_copy

__all__ = ["Adam", "Replay", "StackedConv", "StackedMLP", "frozen_copy"]
