"""Words that every other room uses: returns, intervals over seeds, checks of arguments."""

from rlkit.core.returns import discounted_return, gae, reward_to_go, td_error, total_return
from rlkit.core.stats import mean_interval

__all__ = ["discounted_return", "gae", "mean_interval", "reward_to_go", "td_error", "total_return"]
