"""Actor-critic methods on the policy: QAC with tables, A2C, PPO, and A3C in processes of its own."""

from rlkit.learn.actor_critic.a2c import Rollout, a2c_loss, train_a2c
from rlkit.learn.actor_critic.ppo import clipped, ppo_loss, train_ppo
from rlkit.learn.actor_critic.qac import Taught, qac

__all__ = ["Rollout", "Taught", "a2c_loss", "clipped", "ppo_loss", "qac", "train_a2c", "train_ppo"]
