"""Adam in a few lines, for all copies at once.

PyTorch's first optimiser imports its compiler, which takes seconds that a notebook does not have.
"""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor

from rlkit.core.checks import real_array


class Adam:
    """Gradient descent with steps that are scaled by running moments of the gradient.

    Every number has moments of its own, so the copies in a stacked network do not disturb each other.

    Args:
        parameters: what is to be learned.
        lr: the step size.
        betas: how slowly the two running means forget.
        eps: keeps the quotient finite.

    Source: Kingma and Ba (2015), algorithm 1; the same numbers as torch.optim.Adam.
    """

    def __init__(
        self,
        parameters: Iterable[Tensor],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
    ):
        self.parameters = list(parameters)
        if not self.parameters:
            raise ValueError("parameters is empty: there is nothing to learn")
        lr = float(real_array("lr", lr, ()))
        if not lr > 0:
            raise ValueError(f"lr is {lr}, but a step size above 0 was expected")
        self.lr, self.betas, self.eps, self.t = lr, betas, eps, 0
        self._mean = [torch.zeros_like(p) for p in self.parameters]
        self._square = [torch.zeros_like(p) for p in self.parameters]

    @torch.no_grad()
    def step(self, loss: Tensor) -> None:
        """Take one step down the gradient of ``loss``, a single number."""
        gradient = torch.autograd.grad(loss, self.parameters)
        self.t += 1
        b1, b2 = self.betas
        torch._foreach_lerp_(self._mean, gradient, 1 - b1)
        torch._foreach_mul_(self._square, b2)
        torch._foreach_addcmul_(self._square, gradient, gradient, 1 - b2)
        size = torch._foreach_sqrt(self._square)
        torch._foreach_div_(size, (1 - b2**self.t) ** 0.5)
        torch._foreach_add_(size, self.eps)
        torch._foreach_addcdiv_(self.parameters, self._mean, size, -self.lr / (1 - b1**self.t))
