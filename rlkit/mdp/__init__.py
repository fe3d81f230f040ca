"""Known worlds: Markov decision processes, their Bellman equations and exact solvers; and worlds that are seen in part."""

from rlkit.mdp.advantages import gae_moments, policy_values
from rlkit.mdp.conversion import from_gymnasium, to_gymnasium
from rlkit.mdp.decentralised import (
    DecPOMDP,
    best_trees,
    dec_tiger,
    numbered_tree,
    pair_values,
    pooled,
    value_of_trees,
)
from rlkit.mdp.hidden import HMM, filter_step, forward_filter, stationary
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
from rlkit.mdp.partial import (
    POMDP,
    AlphaVectors,
    alpha_vectors,
    belief_update,
    looking_first,
    observation_probabilities,
    tiger,
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
    "HMM",
    "METHODS",
    "POMDP",
    "AlphaVectors",
    "DecPOMDP",
    "Episodes",
    "Sampler",
    "Solution",
    "TabularMDP",
    "alpha_vectors",
    "belief_update",
    "bellman_backup",
    "best_trees",
    "dec_tiger",
    "episodes",
    "evaluate_policy",
    "every_episode",
    "filter_step",
    "forward_filter",
    "from_gymnasium",
    "gae_moments",
    "greedy",
    "linear_programming",
    "looking_first",
    "modified_policy_iteration",
    "numbered_tree",
    "observation_probabilities",
    "pair_values",
    "policy_evaluation",
    "policy_gradient",
    "policy_iteration",
    "policy_matrix",
    "policy_values",
    "pooled",
    "q_from_v",
    "random_policy",
    "softmax",
    "softmax_policy",
    "solve",
    "stationary",
    "tiger",
    "to_gymnasium",
    "under_policy",
    "value_iteration",
    "value_of_trees",
    "value_within",
    "visits",
]
