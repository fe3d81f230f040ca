"""Stacked networks: K copies at once are K networks alone, and each is what PyTorch's own layers would be."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from rlkit.nets import Adam, StackedConv, StackedMLP, frozen_copy
from tests.learn.chance import ERROR_RATE, p_value

few = settings(max_examples=30)
seeds = st.integers(0, 1000)
widths = st.lists(st.integers(1, 6), min_size=2, max_size=4)
planes = st.tuples(st.integers(1, 3), st.integers(3, 6), st.integers(3, 6))


def mlp(sizes, copies, seed):
    """Return the network, and how one observation looks; in float64, so that sums in another order agree."""
    return StackedMLP(sizes, copies, seed).double(), (sizes[0],)


def conv(shape, copies, seed):
    return StackedConv(shape, 3, copies, seed, filters=2, hidden=4).double(), shape


def data(shape, copies, seed, batch=5):
    rng = np.random.default_rng(seed)
    x = torch.from_numpy(rng.normal(size=(copies, batch, *shape)))
    return x, torch.from_numpy(rng.normal(size=(copies, batch, 1)))


def losses(network, x, y):
    return ((network(x) - y) ** 2).mean(dim=(1, 2))


# --- K copies are K networks ---


def assert_copies_learn_as_if_alone(build, what, copies, seed):
    together, shape = build(what, copies, seed)
    x, y = data(shape, copies, seed)
    alone = [build(what, 1, seed + k)[0] for k in range(copies)]
    begin = together(x)
    optimiser = Adam(together.parameters(), lr=0.01)
    for _ in range(5):
        optimiser.step(losses(together, x, y).sum())
    for k, network in enumerate(alone):
        own = slice(k, k + 1)
        torch.testing.assert_close(begin[own], network(x[own]))
        its = Adam(network.parameters(), lr=0.01)
        for _ in range(5):
            its.step(losses(network, x[own], y[own]).sum())
        for stacked, single in zip(together.parameters(), network.parameters(), strict=True):
            torch.testing.assert_close(stacked[own], single)
        torch.testing.assert_close(together(x)[own], network(x[own]))
    assert not torch.allclose(begin, together(x)), "nothing was learned, so nothing was compared"


@few
@given(sizes=widths, copies=st.integers(1, 4), seed=seeds)
def test_mlps_learn_together_what_they_learn_alone(sizes, copies, seed):
    assert_copies_learn_as_if_alone(mlp, sizes, copies, seed)


@few
@given(shape=planes, copies=st.integers(1, 3), seed=seeds)
def test_convolutions_learn_together_what_they_learn_alone(shape, copies, seed):
    assert_copies_learn_as_if_alone(conv, shape, copies, seed)


@pytest.mark.parametrize(("build", "what"), [(mlp, [3, 8, 2]), (conv, (2, 4, 5))])
def test_the_gradient_of_a_copy_does_not_depend_on_the_others(build, what):
    network, shape = build(what, 4, 0)
    x, y = data(shape, 4, 0)
    other = x.clone()
    other[2] += 1
    one, two = (torch.autograd.grad(losses(network, z, y).sum(), list(network.parameters())) for z in (x, other))
    rest = [0, 1, 3]
    assert all(torch.equal(a[rest], b[rest]) for a, b in zip(one, two, strict=True))
    assert any(not torch.equal(a[2], b[2]) for a, b in zip(one, two, strict=True))


# --- against PyTorch's own layers ---


@few
@given(sizes=widths, seed=seeds)
def test_an_mlp_is_a_chain_of_linear_layers(sizes, seed):
    network, shape = mlp(sizes, 3, seed)
    x, _ = data(shape, 3, seed)
    for k in range(3):
        h = x[k]
        for i, layer in enumerate(network.layers):
            linear = torch.nn.Linear(layer.weight.shape[1], layer.weight.shape[2]).double()
            linear.weight.data, linear.bias.data = layer.weight[k].T.detach(), layer.bias[k, 0].detach()
            h = linear(torch.relu(h) if i else h)
        torch.testing.assert_close(network(x)[k], h)


@few
@given(shape=planes, seed=seeds)
def test_a_convolution_is_conv2d(shape, seed):
    network, _ = conv(shape, 2, seed)
    x, _ = data(shape, 2, seed)
    for k in range(2):
        filters = network.filter.weight[k].T.reshape(-1, shape[0], 3, 3)
        h = torch.nn.functional.conv2d(x[k], filters, network.filter.bias[k, 0]).relu()
        h = h.permute(0, 2, 3, 1).flatten(1)  # place after place, each with all of its filters
        h = torch.relu(h @ network.hidden.weight[k] + network.hidden.bias[k])
        torch.testing.assert_close(network(x)[k], h @ network.output.weight[k] + network.output.bias[k])


def test_the_convolution_reads_observations_that_are_views():
    network, shape = conv((2, 4, 5), 2, 0)
    x, _ = data(shape, 2, 0)
    turned = x.transpose(2, 4).contiguous().transpose(2, 4)
    assert not turned.is_contiguous()
    torch.testing.assert_close(network(turned), network(x))


def test_it_has_as_many_numbers_as_the_network_that_it_is_modelled_on():
    """Young and Tian's network for Breakout's 4 planes: 4*9*16 + 16, 1024*128 + 128, 128*3 + 3."""
    network = StackedConv((4, 10, 10), 3)
    assert sum(p.numel() for p in network.parameters()) == 592 + 131_200 + 387


# --- how they begin ---


@pytest.mark.parametrize("inputs", [1, 4, 100])
def test_first_weights_are_uniform_within_pytorchs_bound(inputs):
    """Chi-square over ten equal parts of 8000 or more weights; error rate 1e-6."""
    layer = StackedMLP([inputs, 2000], copies=4, seed=3).layers[0]
    bound = 1 / math.sqrt(inputs)
    for part in (layer.weight, layer.bias):
        assert part.abs().max() <= bound
        counts, _ = np.histogram(part.detach().numpy(), bins=10, range=(-bound, bound))
        assert p_value(counts, np.full(10, 0.1)) > ERROR_RATE
    linear = torch.nn.Linear(inputs, 2000)
    assert linear.weight.abs().max() <= bound
    assert linear.bias.abs().max() <= bound


@pytest.mark.parametrize(
    "build", [lambda seed: StackedMLP([3, 5, 2], 3, seed), lambda seed: conv((1, 4, 4), 3, seed)[0]]
)
def test_a_seed_says_all_and_no_global_generator_is_touched(build):
    before = torch.get_rng_state()
    one, same, next_one = build(7), build(7), build(8)
    assert torch.equal(before, torch.get_rng_state())
    for a, b, c in zip(one.parameters(), same.parameters(), next_one.parameters(), strict=True):
        assert torch.equal(a, b)
        assert torch.equal(a[1:], c[:-1]), "copy k of seed s is copy 0 of seed s + k"
        assert not torch.equal(a[0], a[1])


# --- frozen copies ---


def test_a_frozen_copy_stands_still_and_takes_no_gradient():
    network = StackedMLP([3, 4, 2], 2, 0)
    frozen = frozen_copy(network)
    x = data((3,), 2, 0)[0].float()
    before = frozen(x)
    assert torch.equal(before, network(x))
    assert not before.requires_grad
    Adam(network.parameters(), 0.1).step(network(x).sum())
    assert torch.equal(frozen(x), before)
    assert not torch.equal(network(x), before)
    assert all(p.requires_grad for p in network.parameters())
    frozen.load_state_dict(network.state_dict())
    assert torch.equal(frozen(x), network(x))


# --- the door ---


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: StackedMLP([3]), r"sizes is \[3\], but at least inputs and outputs were expected"),
        (lambda: StackedMLP([]), r"sizes is \[\], but at least inputs and outputs were expected"),
        (lambda: StackedMLP([3, 0]), r"sizes\[1\] is 0, but a whole number of at least 1 was expected"),
        (lambda: StackedMLP([3, 2.5, 1]), r"sizes\[1\] is 2\.5, but a whole number"),
        (lambda: StackedMLP([3, 1], copies=0), "copies is 0, but a whole number of at least 1"),
        (lambda: StackedMLP([3, 1], seed=-1), "seed is -1, but a whole number of at least 0"),
        (lambda: StackedConv((4, 10), 2), r"shape is \(4, 10\), but \(channels, height, width\)"),
        (lambda: StackedConv((4, 2, 10), 2), r"shape is \(4, 2, 10\), but \(channels, height, width\)"),
        (lambda: StackedConv((0, 3, 3), 2), "shape is 0, but a whole number of at least 1"),
        (lambda: StackedConv((1, 3, 3), 0), "outputs is 0, but a whole number of at least 1"),
        (lambda: StackedConv((1, 3, 3), 1, filters=0), "filters is 0, but a whole number of at least 1"),
        (lambda: StackedConv((1, 3, 3), 1, hidden=0), "hidden is 0, but a whole number of at least 1"),
        (lambda: StackedConv((1, 3, 3), 1, copies=-2), "copies is -2, but a whole number of at least 1"),
    ],
)
def test_what_does_not_fit_is_refused_in_one_sentence(call, message):
    with pytest.raises(ValueError, match=f"^{message}"):
        call()
