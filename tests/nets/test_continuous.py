"""Networks for actions that are numbers; networks that follow others, or share layers with them."""

import pytest
import torch

from rlkit.nets import Adam, Critic, Critics, DeterministicPolicy, StackedMLP, frozen_copy, sharing, soft_update


def inputs(copies, batch=4, n=3, D=2, seed=0):
    chance = torch.Generator().manual_seed(seed)
    return torch.randn(copies, batch, n, generator=chance), torch.randn(copies, batch, D, generator=chance)


# --- what they compute ---


def test_an_actor_is_a_network_squeezed_between_its_bounds():
    actor, plain = DeterministicPolicy([3, 5, 2], 2, seed=7, bound=1.5), StackedMLP([3, 5, 2], 2, seed=7)
    obs, _ = inputs(2)
    torch.testing.assert_close(actor(obs), 1.5 * torch.tanh(plain(obs)))
    assert actor(1e4 * obs).abs().max().item() == 1.5
    assert frozen_copy(actor).bound == 1.5


def test_a_critic_is_a_network_of_what_is_seen_and_done():
    critic, plain = Critic([5, 6, 1], 2, seed=7), StackedMLP([5, 6, 1], 2, seed=7)
    obs, action = inputs(2)
    assert critic(obs, action).shape == (2, 4)
    torch.testing.assert_close(critic(obs, action), plain(torch.cat([obs, action], dim=-1))[..., 0])


def test_several_critics_are_critics_that_begin_apart():
    critics, obs, action = Critics([5, 6, 1], 2, seed=7, count=3), *inputs(2)
    Q = critics(obs, action)
    assert Q.shape == (3, 2, 4)
    for i, judged in enumerate(Q):
        torch.testing.assert_close(judged, Critic([5, 6, 1], 2, seed=7 + 1000 * i)(obs, action))
    assert len({round(q.item(), 6) for q in Q.flatten()}) == Q.numel(), "two of them, or two copies, say the same"


@pytest.mark.parametrize("make", [DeterministicPolicy, Critic, Critics])
def test_copies_begin_and_learn_as_if_alone(make):
    """Copy 1 of seed 7 is a network alone of seed 8, and stays it in three steps of Adam."""
    sizes = [3, 6, 2] if make is DeterministicPolicy else [5, 6, 1]
    together, alone = make(sizes, 2, 7), make(sizes, 1, 8)
    given = inputs(2)[:1] if make is DeterministicPolicy else inputs(2)
    optimiser, its = Adam(together.parameters(), 1e-2), Adam(alone.parameters(), 1e-2)
    for _ in range(3):
        optimiser.step((together(*given) ** 2).sum())
        its.step((alone(*(x[1:] for x in given)) ** 2).sum())
    for a, b in zip(together.parameters(), alone.parameters(), strict=True):
        torch.testing.assert_close(a[1:], b)


# --- following ---


def test_a_follower_goes_a_share_of_the_way():
    """Worked by hand: from 1 towards 5 by a quarter of the way, 2, 2.75, ..., and in the end it is there."""
    network, target = Critic([1, 1], 2), frozen_copy(Critic([1, 1], 2))
    with torch.no_grad():
        for leader, follower in zip(network.parameters(), target.parameters(), strict=True):
            leader.fill_(5.0), follower.fill_(1.0)
    for expected in (2.0, 2.75, 3.3125):
        soft_update(target, network, 0.25)
        assert {x for p in target.parameters() for x in p.flatten().tolist()} == {expected}
        assert {x for p in network.parameters() for x in p.flatten().tolist()} == {5.0}
    assert not any(p.requires_grad for p in target.parameters())
    for _ in range(100):
        soft_update(target, network, 0.25)
    assert all(torch.allclose(a, b) for a, b in zip(target.parameters(), network.parameters(), strict=True))


@pytest.mark.parametrize(("tau", "expected"), [(0.0, 50), (1.0, 7)])
def test_not_at_all_or_all_at_once(tau, expected):
    target, network = Critics([2, 3, 1], 2, 50), Critics([2, 3, 1], 2, 7)
    soft_update(target, network, tau)
    pairs = zip(target.parameters(), Critics([2, 3, 1], 2, expected).parameters(), strict=True)
    assert all(torch.equal(a, b) for a, b in pairs)


# --- sharing ---


def test_shared_layers_are_the_very_same():
    network = StackedMLP([3, 8, 6, 2], 2, seed=7)
    other = sharing(network, 1, seed=9)
    obs, _ = inputs(2)
    assert other(obs).shape == (2, 4, 1)
    ours, theirs = list(network.parameters()), list(other.parameters())
    assert [a is b for a, b in zip(ours, theirs, strict=True)] == [True] * 4 + [False] * 2
    for a, b in zip(theirs[4:], StackedMLP([6, 1], 2, seed=9).parameters(), strict=True):
        assert torch.equal(a, b)
    before = network(obs)
    Adam(other.parameters(), 0.1).step(other(obs).sum())
    assert not torch.allclose(before, network(obs)), "what one learns, the other has not learned"


# --- the door ---

WRONG = {
    "no bound": (lambda: DeterministicPolicy([1, 1], bound=0), "bound is 0"),
    "a bound that is no number": (lambda: DeterministicPolicy([1, 1], bound=float("nan")), "bound"),
    "two values": (lambda: Critic([2, 2]), "sizes ends with 2"),
    "two values each": (lambda: Critics([2, 2]), "sizes ends with 2"),
    "no critics": (lambda: Critics([2, 1], count=0), "count"),
    "half a seed": (lambda: Critics([2, 1], seed=0.5), "seed"),
    "one size": (lambda: Critic([1]), "at least inputs and outputs"),
    "no sizes": (lambda: DeterministicPolicy([]), "at least inputs and outputs"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_does_not_fit_is_refused(case):
    make, message = WRONG[case]
    with pytest.raises(ValueError, match=message):
        make()
