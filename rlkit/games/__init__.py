"""Several agents in a known world: what each of them is paid for what all of them do."""

from rlkit.games.markov import (
    MarkovGame,
    drift,
    joint_policy_values,
    long_run,
    marginals,
    seen_by,
    super_agent,
)
from rlkit.games.matrix import MatrixGame

__all__ = [
    "MarkovGame",
    "MatrixGame",
    "drift",
    "joint_policy_values",
    "long_run",
    "marginals",
    "seen_by",
    "super_agent",
]
