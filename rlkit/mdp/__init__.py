"""One agent in a known world: Markov decision processes, their Bellman equations, and exact solvers."""

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
    "Sampler",
    "Solution",
    "TabularMDP",
    "bellman_backup",
    "evaluate_policy",
    "from_gymnasium",
    "greedy",
    "linear_programming",
    "modified_policy_iteration",
    "policy_evaluation",
    "policy_iteration",
    "policy_matrix",
    "q_from_v",
    "random_policy",
    "solve",
    "to_gymnasium",
    "under_policy",
    "value_within",
    "value_iteration",
]
