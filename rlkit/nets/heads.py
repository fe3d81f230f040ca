"""Policies: networks whose outputs are the numbers of a distribution over actions.

A head is that distribution: something to draw actions from, and to ask for the log-probability of one.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from rlkit.core.checks import real_array
from rlkit.nets.stacked import StackedMLP


class Categorical:
    """A distribution over A actions with probabilities softmax(logits).

    Args:
        logits: float[..., A].
    """

    def __init__(self, logits: Tensor):
        self.log_p = logits - logits.logsumexp(dim=-1, keepdim=True)

    @property
    def probs(self) -> Tensor:
        """float[..., A], the probability of each action."""
        return self.log_p.exp()

    def sample(self, generator: torch.Generator) -> Tensor:
        """Draw an action from each distribution, int64[...]."""
        exponential = torch.empty_like(self.log_p).exponential_(generator=generator)
        return (self.log_p - exponential.log()).argmax(dim=-1)  # the first of A alarms, each with the rate of its p

    def mode(self) -> Tensor:
        """Return the likeliest action, int64[...]."""
        return self.log_p.argmax(dim=-1)

    def log_prob(self, action: Tensor) -> Tensor:
        """Return log pi(action), float[...].

        Args:
            action: int64[...].
        """
        return self.log_p.gather(-1, action.unsqueeze(-1)).squeeze(-1)

    def entropy(self) -> Tensor:
        """Return -sum_a pi(a) log pi(a), float[...]: log A where all are alike, 0 where nothing is left to chance."""
        return -(self.probs * self.log_p).sum(dim=-1)


class Gaussian:
    """A normal distribution over D numbers, each independent of the others.

    Args:
        mean: float[..., D].
        log_std: float[..., D] or of a shape that broadcasts to it: the logarithm of the standard deviation.
    """

    def __init__(self, mean: Tensor, log_std: Tensor):
        self.mean, self.log_std = mean, log_std.expand_as(mean)

    def sample(self, generator: torch.Generator) -> Tensor:
        """Draw an action from each distribution, float[..., D]."""
        noise = torch.empty_like(self.mean).normal_(generator=generator)
        return self.mean + self.log_std.exp() * noise

    def mode(self) -> Tensor:
        """Return the action with the largest density, float[..., D]."""
        return self.mean

    def log_prob(self, action: Tensor) -> Tensor:
        """Return the logarithm of the density at ``action``, float[...].

        Args:
            action: float[..., D].
        """
        z = (action - self.mean) / self.log_std.exp()
        return (-0.5 * z**2 - self.log_std - 0.5 * math.log(2 * math.pi)).sum(dim=-1)

    def entropy(self) -> Tensor:
        """Return the differential entropy, float[...]; unlike that of a Categorical, it can be negative."""
        return (self.log_std + 0.5 * math.log(2 * math.pi * math.e)).sum(dim=-1)


class SquashedGaussian(Gaussian):
    """The distribution of tanh(x) for a normal x: actions within (-1, 1).

    Where x is pressed together, its density rises: log pi(tanh(x)) = log N(x) - log(1 - tanh(x)^2).
    """

    def sample(self, generator: torch.Generator) -> Tensor:
        """Draw an action from each distribution, float[..., D] within (-1, 1)."""
        return super().sample(generator).tanh()

    def mode(self) -> Tensor:
        """Return tanh(mean), float[..., D]: the median of each number (the density may be largest elsewhere)."""
        return self.mean.tanh()

    def log_prob(self, action: Tensor) -> Tensor:
        """Return the logarithm of the density at ``action``, float[...].

        Args:
            action: float[..., D] within [-1, 1]; closer to the ends than a float32 can tell counts as that close.
        """
        inside = action.clamp(-1 + 1e-6, 1 - 1e-6)
        return super().log_prob(inside.atanh()) - ((1 - inside) * (1 + inside)).log().sum(dim=-1)

    def entropy(self) -> Tensor:
        """Refuse: the entropy of a squashed Gaussian has no closed form.

        Raises:
            NotImplementedError: always.
        """
        raise NotImplementedError("the entropy of a squashed Gaussian has no closed form: estimate it from samples")


class CategoricalPolicy(nn.Module):
    """K policies over numbered actions: networks whose outputs are logits.

    Args:
        sizes: the widths: numbers seen, hidden layers, actions.
        copies, seed: as for :class:`~rlkit.nets.StackedMLP`.
    """

    def __init__(self, sizes: Sequence[int], copies: int = 1, seed: int = 0):
        super().__init__()
        self.network = StackedMLP(sizes, copies, seed)

    def forward(self, obs: Tensor) -> Categorical:
        """Map float[K, B, inputs] to K times B distributions."""
        return Categorical(self.network(obs))


class GaussianPolicy(nn.Module):
    """K policies over D numbers: networks whose outputs are means, and a log_std of their own, the same in every state.

    Args:
        sizes: the widths: numbers seen, hidden layers, D.
        copies, seed: as for :class:`~rlkit.nets.StackedMLP`.
        log_std: what the logarithms of the standard deviations begin with.
    """

    def __init__(self, sizes: Sequence[int], copies: int = 1, seed: int = 0, *, log_std: float = -0.5):
        super().__init__()
        begin = float(real_array("log_std", log_std, ()))
        self.network = StackedMLP(sizes, copies, seed)
        *_, bias = self.network.parameters()
        self.log_std = nn.Parameter(torch.full_like(bias, begin))  # [K, 1, D]

    def forward(self, obs: Tensor) -> Gaussian:
        """Map float[K, B, inputs] to K times B distributions."""
        return Gaussian(self.network(obs), self.log_std)
