"""Learning with a table: Q-learning, its relatives, and what makes them converge sooner. numpy only."""

from rlkit.learn.tabular.control import double_q_learning, expected_sarsa, q_learning, sarsa
from rlkit.learn.tabular.memory import backward_q_learning, dyna_q, prioritised_sweeping, replay_q_learning
from rlkit.learn.tabular.prediction import n_step_td, td_lambda, td_prediction
from rlkit.learn.tabular.rules import (
    boltzmann,
    count_bonus,
    double_target,
    epsilon_greedy,
    expected_sarsa_target,
    n_step_target,
    q_target,
    sarsa_target,
    td_target,
)
from rlkit.learn.tabular.walk import Learned, Walk

__all__ = [
    "Learned",
    "Walk",
    "backward_q_learning",
    "boltzmann",
    "count_bonus",
    "double_q_learning",
    "double_target",
    "dyna_q",
    "epsilon_greedy",
    "expected_sarsa",
    "expected_sarsa_target",
    "n_step_target",
    "n_step_td",
    "prioritised_sweeping",
    "q_learning",
    "q_target",
    "replay_q_learning",
    "sarsa",
    "sarsa_target",
    "td_lambda",
    "td_prediction",
    "td_target",
]
