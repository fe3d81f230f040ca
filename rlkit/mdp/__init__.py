"""One agent in a known world: Markov decision processes, their Bellman equations, and exact solvers."""

from rlkit.mdp.advantages import gae_moments, policy_values
from rlkit.mdp.conversion import from_gymnasium, to_gymnasium
from rlkit.mdp.operators import (
    bellman_backup,
    evaluate_policy,
    greedy,
    policy_evaluation,
    policy_matrix,
    q_from_v,
    random_policy,
    under_policy,
    value_within,
)
from rlkit.mdp.policy_gradient import (
    Episodes,
    episodes,
    every_episode,
    policy_gradient,
    softmax,
    softmax_policy,
    visits,
)
from rlkit.mdp.sampling import Sampler
from rlkit.mdp.solvers import (
    METHODS,
    Solution,
    linear_programming,
    modified_policy_iteration,
    policy_iteration,
    solve,
    value_iteration,
)
from rlkit.mdp.tabular import TabularMDP

__all__ = [
    "METHODS",
    "Episodes",
    "Sampler",
    "Solution",
    "TabularMDP",
    "bellman_backup",
    "episodes",
    "evaluate_policy",
    "every_episode",
    "from_gymnasium",
    "gae_moments",
    "greedy",
    "linear_programming",
    "modified_policy_iteration",
    "policy_evaluation",
    "policy_gradient",
    "policy_iteration",
    "policy_matrix",
    "policy_values",
    "q_from_v",
    "random_policy",
    "softmax",
    "softmax_policy",
    "solve",
    "to_gymnasium",
    "under_policy",
    "value_within",
    "value_iteration",
    "visits",
]
