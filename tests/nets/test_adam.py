"""Adam: the same numbers as PyTorch's, without its second of imports."""

import subprocess
import sys

import numpy as np
import pytest
import torch

from rlkit.nets import Adam, StackedMLP

SHAPES = [(3, 2, 4), (1,), (5, 1, 1), ()]


def parameters(seed):
    rng = np.random.default_rng(seed)
    return [torch.from_numpy(np.asarray(rng.normal(size=shape))).requires_grad_() for shape in SHAPES]


def loss_of(values, step):
    """Return a bent, noisy loss: gradients large and small, of both signs, another one at each step."""
    noise = np.random.default_rng(step).normal(size=len(values))
    return sum(((p - float(c)) ** 4).sum() + 1e-6 * torch.sin(30 * p).sum() for p, c in zip(values, noise, strict=True))


@pytest.mark.parametrize("lr", [1e-4, 1e-2, 0.3])
@pytest.mark.parametrize(("betas", "eps"), [((0.9, 0.999), 1e-8), ((0.5, 0.9), 1e-3), ((0.0, 0.5), 1e-8)])
def test_it_is_pytorchs_adam(lr, betas, eps):
    ours, theirs = parameters(0), parameters(0)
    optimiser, other = Adam(ours, lr, betas, eps), torch.optim.Adam(theirs, lr, betas, eps)
    for step in range(50):
        optimiser.step(loss_of(ours, step))
        other.zero_grad()
        loss_of(theirs, step).backward()
        other.step()
        for a, b in zip(ours, theirs, strict=True):
            torch.testing.assert_close(a, b, rtol=1e-9, atol=1e-12)
    assert all(not torch.equal(a, b) for a, b in zip(ours, parameters(0), strict=True))


def test_it_is_pytorchs_adam_in_single_precision_on_a_network():
    ours, theirs = StackedMLP([3, 16, 2], 4, 0), StackedMLP([3, 16, 2], 4, 0)
    optimiser, other = Adam(ours.parameters(), 1e-2), torch.optim.Adam(theirs.parameters(), 1e-2)
    rng = np.random.default_rng(0)
    for _ in range(50):
        x = torch.from_numpy(rng.normal(size=(4, 8, 3))).float()
        optimiser.step((ours(x) - x[..., :2] ** 2).square().mean())
        other.zero_grad()
        (theirs(x) - x[..., :2] ** 2).square().mean().backward()
        other.step()
    for a, b in zip(ours.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-5)


def test_the_first_step_has_the_size_of_lr():
    """Worked by hand: the moments, corrected, are g and g^2, so the step is lr g / (|g| + eps)."""
    w = torch.tensor([2.0, -3.0, 0.0], dtype=torch.float64, requires_grad=True)
    optimiser = Adam([w], lr=0.1)
    optimiser.step((w**2).sum())
    assert w.tolist() == pytest.approx([1.9, -2.9, 0.0], abs=1e-9)
    assert optimiser.t == 1


def test_it_leaves_no_gradient_behind_and_takes_an_iterator():
    w = torch.ones(2, requires_grad=True)
    Adam(iter([w])).step(w.sum())
    assert w.grad is None
    assert w.requires_grad
    assert w.tolist() == pytest.approx([0.999, 0.999])


def test_a_step_does_not_load_pytorchs_compiler():
    code = (
        "import sys, torch; from rlkit.nets import Adam, StackedMLP; q = StackedMLP([2, 3, 1], 2)\n"
        "Adam(q.parameters()).step(q(torch.zeros(2, 4, 2)).sum())\n"
        "print('torch._dynamo' in sys.modules)"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert found.strip() == "False"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([], 0.1), "parameters is empty: there is nothing to learn"),
        (([torch.zeros(1)], 0), "lr is 0.0, but a step size above 0 was expected"),
        (([torch.zeros(1)], -1e-3), "lr is -0.001, but a step size above 0 was expected"),
        (([torch.zeros(1)], float("nan")), "lr is nan, but it must be a finite number"),
        (([torch.zeros(1)], float("inf")), "lr is inf, but it must be a finite number"),
        (([torch.zeros(1)], "1e-3"), "lr must be an array of real numbers, not '1e-3'"),
    ],
)
def test_what_does_not_fit_is_refused_in_one_sentence(arguments, message):
    with pytest.raises(ValueError, match=f"^{message}$"):
        Adam(*arguments)
