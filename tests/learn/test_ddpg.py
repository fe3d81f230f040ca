"""DDPG and TD3: numbers worked by hand, updates in plain PyTorch, probes, whole runs."""

import re
from functools import partial

import numpy as np
import pytest
import torch
from gymnasium.spaces import Box
from gymnasium.vector import AutoresetMode, VectorEnv, VectorWrapper
from gymnasium.vector.utils import batch_space
from torch import nn

from rlkit.core.types import Batch
from rlkit.envs import cartpole, pendulum
from rlkit.learn.ddpg import (
    Agent,
    GaussianNoise,
    OrnsteinUhlenbeck,
    acting,
    actor_loss,
    ddpg_target,
    ddpg_update,
    td3_update,
    train_ddpg,
)
from rlkit.nets import Adam, Critic, Critics, DeterministicPolicy, frozen_copy
from tests.learn.chance import ERROR_RATE, allowed, p_value

SMALL = {"steps": 60, "warm_up": 20, "batch": 8, "memory": 100}


def some_batch(seed, copies=2, size=7, inputs=3, actions=2, bound=1.5):
    rng = np.random.default_rng(seed)
    obs, next_obs = rng.normal(size=(2, copies, size, inputs))
    action, reward = rng.uniform(-bound, bound, (copies, size, actions)), rng.normal(size=(copies, size))
    ended, discount = rng.random((copies, size)) < 0.4, rng.choice([0.9, 0.81], size=(copies, size))
    return Batch(*map(torch.from_numpy, (obs, action, reward, next_obs, ended, discount)))


def some_agent(critics=0, copies=2, seed=0, inputs=3, actions=2, lr=1e-2):
    """In float64, so that sums in another order agree; the targets begin elsewhere."""
    actor = DeterministicPolicy([inputs, 5, actions], copies, seed, bound=1.5).double()
    sizes = [inputs + actions, 5, 1]
    critic = (
        Critics(sizes, copies, 50 + seed, count=critics) if critics else Critic(sizes, copies, 50 + seed)
    ).double()
    other = DeterministicPolicy([inputs, 5, actions], copies, 90 + seed, bound=1.5).double()
    elsewhere = (
        Critics(sizes, copies, 70 + seed, count=critics) if critics else Critic(sizes, copies, 70 + seed)
    ).double()
    targets, optimisers = (
        map(frozen_copy, (other, elsewhere)),
        (Adam(actor.parameters(), lr), Adam(critic.parameters(), 2 * lr)),
    )
    return Agent(actor, critic, *targets, *optimisers, torch.Generator().manual_seed(seed))


def weights(*networks):
    return [p.detach().clone() for network in networks for p in network.parameters()]


# --- the equations ---


class Twice(nn.Module):
    def forward(self, obs):
        return 2 * obs


class Sum(nn.Module):
    def forward(self, obs, action):
        return (obs + 10 * action).sum(dim=-1)


def test_the_target_worked_by_hand():
    """mu'(s') = 2 s' and Q'(s', a) = s' + 10 a: 21 s'. What follows the end is not looked at, whatever it is."""
    next_obs = torch.tensor([[[1.0], [-1.0], [float("nan")]]])
    reward, ended = torch.tensor([[1.0, 2.0, 3.0]]), torch.tensor([[False, False, True]])
    batch = Batch(None, None, reward, next_obs, ended, torch.tensor([[0.5, 0.1, 0.5]]))
    torch.testing.assert_close(ddpg_target(Twice(), Sum(), batch), torch.tensor([[11.5, -0.1, 3.0]]))


def test_no_gradient_goes_through_the_target():
    agent = some_agent()
    assert not ddpg_target(agent.actor, agent.critic, some_batch(0)).requires_grad


def test_the_actors_gradient_is_the_chain_rule():
    """-dQ/da dmu/dtheta, with both factors by central differences; copy by copy, since nothing is shared."""
    agent, obs = some_agent(), some_batch(1).obs
    loss = actor_loss(agent.actor, agent.critic, obs)
    assert loss.shape == (2, 7)
    torch.testing.assert_close(loss, -agent.critic(obs, agent.actor(obs)))
    found = torch.autograd.grad(loss.sum(), list(agent.actor.parameters()))
    h, D = 1e-5, 2
    with torch.no_grad():
        action = agent.actor(obs)
        slopes = []
        for d in range(D):
            nudge = h * torch.eye(D, dtype=torch.float64)[d]
            slopes.append((agent.critic(obs, action + nudge) - agent.critic(obs, action - nudge)) / (2 * h))
        dQ_da = torch.stack(slopes, dim=-1)
        for parameter, gradient in zip(agent.actor.parameters(), found, strict=True):
            for place in np.ndindex(tuple(parameter.shape)):
                parameter[place] += h
                above = agent.actor(obs)
                parameter[place] -= 2 * h
                below = agent.actor(obs)
                parameter[place] += h
                by_rule = -(dQ_da * (above - below) / (2 * h)).sum()
                assert gradient[place].item() == pytest.approx(by_rule.item(), abs=1e-6)


# --- updates, in plain PyTorch ---


def plain(stacked, k):
    """Return copy k of a stacked network as PyTorch's own layers."""
    layers = []
    for layer in stacked.layers:
        inputs, outputs = layer.weight.shape[1:]
        linear = nn.Linear(inputs, outputs).double()
        linear.weight.data = layer.weight[k].detach().T.clone()
        linear.bias.data = layer.bias[k, 0].detach().clone()
        layers += [linear, nn.ReLU()]
    return nn.Sequential(*layers[:-1])


class Plain:
    """One copy, after the papers: Lillicrap et al. (2016) where ``td3`` is False, else Fujimoto et al. (2018)."""

    def __init__(self, agent, k, lr, td3):
        self.k, self.td3, self.t = k, td3, 0
        critics = agent.critic.critics if td3 else [agent.critic]
        target_critics = agent.critic_target.critics if td3 else [agent.critic_target]
        self.net, self.target = plain(agent.actor.network, k), plain(agent.actor_target.network, k)
        self.critics, self.critic_targets = ([plain(c.network, k) for c in cs] for cs in (critics, target_critics))
        self.actor_adam = torch.optim.Adam(self.net.parameters(), lr)
        self.critic_adam = torch.optim.Adam([p for c in self.critics for p in c.parameters()], 2 * lr)

    def update(self, batch, noise, tau):
        s, a, r, s_next, ended, discount = (column[self.k] for column in batch)
        self.t += 1
        with torch.no_grad():
            a_next = 1.5 * torch.tanh(self.target(s_next))
            if self.td3:
                a_next = torch.clip(a_next + torch.clip(1.5 * 0.2 * noise[self.k], -1.5 * 0.5, 1.5 * 0.5), -1.5, 1.5)
            judged = [q(torch.cat([s_next, a_next], 1))[:, 0] for q in self.critic_targets]
            future = torch.minimum(*judged) if self.td3 else judged[0]
            y = r + discount * future * (1 - ended.double())
        loss = sum(nn.functional.mse_loss(q(torch.cat([s, a], 1))[:, 0], y) for q in self.critics)
        self.critic_adam.zero_grad()
        loss.backward()
        self.critic_adam.step()
        if not self.td3 or self.t % 2 == 0:
            self.actor_adam.zero_grad()
            (-self.critics[0](torch.cat([s, 1.5 * torch.tanh(self.net(s))], 1)).mean()).backward()
            self.actor_adam.step()
            pairs = [(self.target, self.net), *zip(self.critic_targets, self.critics, strict=True)]
            for target, network in pairs:
                for w_target, w in zip(target.parameters(), network.parameters(), strict=True):
                    w_target.data = tau * w.data + (1 - tau) * w_target.data
        return loss.item()


def assert_same(stacked, k, network):
    expected = plain(stacked, k)
    for a, b in zip(expected.parameters(), network.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("td3", [False, True])
def test_updates_are_those_of_plain_pytorch(td3):
    """Five updates, weight for weight, for networks and targets; the copies one by one, so they do not disturb each other."""
    agent, update = some_agent(critics=2 if td3 else 0), td3_update if td3 else ddpg_update
    alone = [Plain(agent, k, 1e-2, td3) for k in range(2)]
    chance = torch.Generator().manual_seed(0)
    for i in range(5):
        batch = some_batch(i)
        noise = torch.empty_like(batch.action).normal_(generator=chance)
        error = update(agent, batch, tau=0.3)
        assert error.tolist() == pytest.approx([one.update(batch, noise, 0.3) for one in alone])
    for k, one in enumerate(alone):
        assert_same(agent.actor.network, k, one.net)
        assert_same(agent.actor_target.network, k, one.target)
        for networks, theirs in ((agent.critic, one.critics), (agent.critic_target, one.critic_targets)):
            for critic, its in zip(networks.critics if td3 else [networks], theirs, strict=True):
                assert_same(critic.network, k, its)


def test_without_its_three_repairs_td3_is_ddpg():
    one, other = some_agent(critics=1), some_agent()
    for here, there in ((one.critic, other.critic), (one.critic_target, other.critic_target)):
        assert all(map(torch.equal, weights(here), weights(there)))
    for i in range(4):
        errors = td3_update(one, some_batch(i), delay=1, smooth=0.0), ddpg_update(other, some_batch(i))
        torch.testing.assert_close(*errors)
    for here, there in ((one.actor, other.actor), (one.critic_target, other.critic_target)):
        for a, b in zip(weights(here), weights(there), strict=True):
            torch.testing.assert_close(a, b)


def test_the_actors_step_leaves_the_critic_alone():
    """A critic that is taught by the actor's loss would say that all is well; its own optimiser is the only one to touch it."""
    agent, batch = some_agent(), some_batch(0)
    before, optimiser = weights(agent.critic), agent.critic_optimiser
    agent.critic_optimiser = type("None", (), {"step": lambda self, loss: None})()
    was = weights(agent.actor)
    ddpg_update(agent, batch)
    assert all(map(torch.equal, before, weights(agent.critic)))
    assert not any(map(torch.equal, was, weights(agent.actor)))
    assert all(p.grad is None for p in agent.critic.parameters())
    assert optimiser.t == 0


def test_the_noise_of_the_targets_action_is_cut_off_and_stays_within_the_bounds():
    """Q'(s', a) = s' + 10 a sees mu'(s') = 2 s' = 0.5 pushed by at most 0.5 of the bound 1.5, and never beyond 1.5."""
    seen = []

    class Spy(nn.Module):
        def forward(self, obs, action):
            seen.append(action.clone())
            return torch.stack([Sum()(obs, action)] * 2)

    agent = some_agent(critics=2, actions=1, inputs=1)
    agent.actor_target, agent.critic_target = Twice(), Spy()
    batch = some_batch(0, size=4000, actions=1, inputs=1)
    agent.critic_optimiser.t = 1  # so that this update is the first of two, and no target follows
    for start, low, high in ((0.25, -0.25, 1.25), (0.7, 0.65, 1.5)):
        agent.critic_optimiser.t = 2
        td3_update(agent, batch._replace(next_obs=torch.full_like(batch.next_obs, start)), smooth=0.4)
        action = seen.pop()
        assert action.min().item() == pytest.approx(low)
        assert action.max().item() == pytest.approx(high)
        assert ((action > low + 1e-9) & (action < high - 1e-9)).double().mean() > 0.3


# --- noise ---


def test_gaussian_noise_is_drawn_anew():
    """Mean, deviation and correlation from step to step of 40 000 draws; error rate 1e-6."""
    noise, rng = GaussianNoise(0.3), np.random.default_rng(0)
    x = np.array([noise((2, 10, 2), np.zeros((2, 10), bool), rng) for _ in range(1000)]) / 0.3
    assert x.shape == (1000, 2, 10, 2)
    limit = allowed(3) / np.sqrt(x.size)
    assert abs(x.mean()) < limit
    assert abs((x**2).mean() - 1) < limit * np.sqrt(2)
    assert abs((x[1:] * x[:-1]).mean()) < limit * 1.001


@pytest.mark.parametrize("rate", [0.15, 0.6, 1.0])
def test_drifting_noise_is_as_large_as_it_says_and_remembers_as_much(rate):
    """In 4 000 chains, 60 steps on: mean 0, deviation ``std``, correlation (1 - rate)^m over m steps; error rate 1e-6."""
    noise, rng = OrnsteinUhlenbeck(0.3, rate), np.random.default_rng(0)
    here = np.zeros((4, 1000), bool)
    x = np.array([noise((4, 1000, 1), here, rng) for _ in range(64)])[60:] / 0.3
    limit = allowed(9) / np.sqrt(4000)
    assert abs(x[0].mean()) < limit
    assert abs((x[0] ** 2).mean() - 1) < limit * np.sqrt(2)
    for m in (1, 2, 3):
        kept = (1 - rate) ** m
        assert abs((x[m] * x[0]).mean() - kept) < limit * np.sqrt(1 + kept**2)


def test_drifting_noise_begins_each_episode_anew():
    noise, rng, begins = OrnsteinUhlenbeck(1.0), np.random.default_rng(0), np.ones((1, 3), bool)
    assert not noise((1, 3, 2), begins, rng).any()
    assert noise((1, 3, 2), ~begins, rng).all()
    begins[0, 1:] = False
    there = noise((1, 3, 2), begins, rng)
    assert not there[0, 0].any()
    assert there[0, 1:].all()
    assert noise((2, 1, 1), np.ones((2, 1), bool), rng).shape == (2, 1, 1)  # another run, other worlds


def test_the_noise_hears_where_episodes_begin():
    """An episode of 5 steps and one step to begin anew: its first action is chosen after that one."""
    heard = []

    def noise(shape, begins, rng):
        heard.append(begins[0, 0])
        return np.zeros(shape)

    make = partial(pendulum, limit=5)
    train_ddpg(make, *networks(1), **SMALL | {"steps": 20}, noise=noise)
    assert np.flatnonzero(heard).tolist() == [0, 6, 12, 18]


@pytest.mark.parametrize("make", [GaussianNoise, OrnsteinUhlenbeck])
def test_noise_that_makes_no_sense_is_refused(make):
    with pytest.raises(ValueError, match="std"):
        make(-0.1)
    with pytest.raises(ValueError, match="rate"):
        OrnsteinUhlenbeck(0.1, 1.5)


# --- the run ---


def networks(copies=2, critics=0, hidden=8, seed=0):
    actor = DeterministicPolicy([3, hidden, 1], copies, seed, bound=2.0)
    critic = Critics([4, hidden, 1], copies, seed, count=critics) if critics else Critic([4, hidden, 1], copies, seed)
    return actor, critic


class Spied(VectorWrapper):
    """Pendulum that remembers what was shown before each step, and what was done then."""

    def __init__(self, num_envs, seen, done):
        super().__init__(pendulum(num_envs))
        self.seen, self.done = seen, done

    def reset(self, **wishes):
        self.obs, info = super().reset(**wishes)
        return self.obs, info

    def step(self, actions):
        self.seen.append(self.obs.copy()), self.done.append(actions.copy())
        self.obs, *rest = super().step(actions)
        return self.obs, *rest


def test_the_first_actions_are_random_over_the_whole_range_and_the_next_ones_the_actors():
    """Chi-square over 20 parts of the range; error rate 1e-6."""
    seen, done = [], []
    actor, critic = networks(20)
    settings = {"steps": 120, "warm_up": 100, "copies": 20, "batch": 4}

    def noise(shape, begins, rng):
        return np.full(shape, 0.25)  # of the largest torque, 2

    def stay(agent, batch, tau):
        return torch.zeros(20)

    train_ddpg(lambda n: Spied(n, seen, done), actor, critic, **settings, update=stay, noise=noise)
    done = np.array(done)
    counts = np.histogram(done[:100], bins=20, range=(-2, 2))[0]
    assert counts.sum() == 100 * 20
    assert p_value(counts, np.full(20, 1 / 20)) > ERROR_RATE
    mu = acting(actor)(np.array(seen[100:]).swapaxes(0, 1))
    np.testing.assert_allclose(done[100:].swapaxes(0, 1), mu + 0.5, rtol=1e-5, atol=1e-6)


def test_actions_stay_within_the_bounds_and_what_was_done_is_remembered():
    seen, done, batches = [], [], []

    def update(agent, batch, tau):
        batches.append(batch)
        return torch.zeros(2)

    train_ddpg(lambda n: Spied(n, seen, done), *networks(), copies=2, **SMALL, noise=GaussianNoise(5.0), update=update)
    done = np.array(done)
    assert abs(done).max() == 2
    assert (abs(done[20:]) == 2).mean() > 0.5
    drawn = np.concatenate([b.action.numpy().ravel() for b in batches])
    assert set(drawn.tolist()) <= set(done.astype(np.float32).ravel().tolist())


def test_what_is_learned_from_is_scaled_and_what_is_reported_is_not():
    seen = []

    def update(agent, batch, tau):
        seen.append(batch)
        return torch.zeros(2)

    results = []
    for scale in (1.0, 0.5):
        results.append(
            train_ddpg(partial(pendulum, limit=10), *networks(), copies=2, **SMALL, scale=scale, update=update)
        )
    first, second = seen[: len(seen) // 2], seen[len(seen) // 2 :]
    for a, b in zip(first, second, strict=True):
        torch.testing.assert_close(0.5 * a.reward, b.reward)
        assert torch.all(a.discount == np.float32(0.98))
        assert not a.terminated.any()  # broken off is not terminated
    assert np.array_equal(results[0].episodes["return"], results[1].episodes["return"])
    assert results[0].updates["step"][::2].tolist() == list(range(20, 61))


@pytest.mark.parametrize(("update", "critics"), [(ddpg_update, 0), (td3_update, 2)])
def test_a_seed_says_all_and_the_targets_start_as_copies(update, critics):
    targets = []

    def spy(agent, batch, tau):
        if not targets:
            assert (agent.actor_optimiser.lr, agent.critic_optimiser.lr) == (1e-3, 2e-3)
            targets.append(
                [
                    torch.equal(a, b)
                    for a, b in zip(
                        weights(agent.actor, agent.critic),
                        weights(agent.actor_target, agent.critic_target),
                        strict=True,
                    )
                ]
            )
            assert not any(
                p.requires_grad for p in [*agent.actor_target.parameters(), *agent.critic_target.parameters()]
            )
        return update(agent, batch, tau)

    runs = []
    for seed in (0, 0, 1):
        actor, critic = networks(critics=critics)
        begun = weights(actor, critic)
        train_ddpg(pendulum, actor, critic, copies=2, seed=seed, update=spy, lr_critic=2e-3, **SMALL)
        assert not any(map(torch.equal, begun, weights(actor, critic))), "not everything learned"
        runs.append(weights(actor, critic))
    assert all(targets[0])
    assert all(map(torch.equal, runs[0], runs[1]))
    assert not any(map(torch.equal, runs[0], runs[2]))


def test_interrupting_keeps_what_was_learned(capsys):
    count = 0

    def update(agent, batch, tau):
        nonlocal count
        count += 1
        if count == 11:
            raise KeyboardInterrupt
        return ddpg_update(agent, batch, tau)

    actor, critic = networks()
    result = train_ddpg(pendulum, actor, critic, copies=2, update=update, **SMALL)
    assert capsys.readouterr().out == "Interrupted: what was learned in 30 steps is kept.\n"
    assert result.policy is actor
    assert result.updates["step"][::2].tolist() == list(range(20, 30))


# --- probes ---


class Probes(VectorEnv):
    """The five worlds of :mod:`rlkit.envs.probes` side by side, as many of each, with an action between -1 and 1.

    Each shows one number, and 3 when it is over: constant reward (0, pays 1); value from what is seen (-1 or 1, pays that); a
    reward that comes later (-1, then 1, pays 0 and 1); action matters (0, pays -(a - 1/2)^2); state and action matter (-1 or
    1, pays -(a - s/2)^2).
    """

    metadata = {"autoreset_mode": AutoresetMode.NEXT_STEP}

    def __init__(self, num_envs):
        self.num_envs, self.which = num_envs, np.arange(num_envs) * 5 // num_envs
        self.single_observation_space = Box(-5, 5, (1,), np.float32)
        self.single_action_space = Box(-1, 1, (1,), np.float32)
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)

    def start(self):
        either = self.np_random.choice([-1.0, 1.0], self.num_envs)
        return np.choose(self.which, [0.0, either, -1.0, 0.0, either])

    def shown(self):
        return self.s[:, None].astype(np.float32)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.s, self.over = self.start(), np.zeros(self.num_envs, bool)
        return self.shown(), {}

    def step(self, actions):
        s, a, begins = self.s, actions[:, 0], self.over
        pays = np.choose(self.which, [1.0, s, s > 0, -((a - 0.5) ** 2), -((a - s / 2) ** 2)])
        goes_on = (self.which == 2) & (s < 0)
        self.over = ~begins & ~goes_on
        self.s = np.where(begins, self.start(), np.where(goes_on, 1.0, 3.0))
        return self.shown(), np.where(begins, 0.0, pays), self.over, np.zeros_like(begins), {}


TRUTH = [{0: (1, None)}, {-1: (-1, None), 1: (1, None)}, {-1: (0.5, None), 1: (1, None)}, {0: (0, 0.5)}]
TRUTH += [{-1: (0, -0.5), 1: (0, 0.5)}]


@pytest.mark.parametrize(("update", "critics"), [(ddpg_update, 0), (td3_update, 2)])
def test_it_solves_the_probes(update, critics):
    """Each of five copies has a probe of its own, and knows its Q(s, mu(s)), and mu(s) where it matters."""
    actor = DeterministicPolicy([1, 32, 1], 5, 0)
    critic = Critics([2, 32, 32, 1], 5, 50, count=2) if critics else Critic([2, 32, 32, 1], 5, 50)
    learn = {"steps": 4000, "worlds": 4, "warm_up": 1000, "batch": 64, "gamma": 0.5, "tau": 0.1}
    train_ddpg(Probes, actor, critic, copies=5, lr=5e-3, lr_critic=5e-3, update=update, **learn)
    for k, states in enumerate(TRUTH):
        for state, (value, mu) in states.items():
            obs = torch.full((5, 1, 1), float(state))
            with torch.no_grad():
                action = actor(obs)
                judged = critic(obs, action)[..., k, 0].numpy()
            assert judged == pytest.approx(np.full(judged.shape, value), abs=0.05)
            if mu is not None:
                assert action[k].item() == pytest.approx(mu, abs=0.1)


# --- the door ---

WRONG = {
    "actions without numbers": ({"make_env": cartpole}, "Discrete(2)"),
    "another bound": ({"actor": DeterministicPolicy([3, 4, 1], 2, bound=1.0)}, "actor.bound is 1.0"),
    "two actions": ({"actor": DeterministicPolicy([3, 4, 2], 2, bound=2.0)}, "actor gives (2, 1, 2)"),
    "other observations": ({"actor": DeterministicPolicy([5, 4, 1], 2, bound=2.0)}, "actor does not take observations"),
    "a critic of states": ({"critic": Critic([3, 4, 1], 2)}, "critic does not take observations"),
    "other copies": ({"copies": 3}, "copies is 3"),
    "no steps": ({"steps": 0}, "steps is 0"),
    "all warm-up": ({"warm_up": 61}, "nothing would be learned"),
    "half a batch": ({"batch": 0.5}, "batch"),
    "a discount above 1": ({"gamma": 1.5}, "gamma"),
    "a target that runs ahead": ({"tau": 1.5}, "tau"),
    "no rewards": ({"scale": 0}, "scale is 0"),
    "no step size": ({"lr_critic": 0}, "lr_critic is 0"),
    "memory too small": ({"memory": 1, "worlds": 2}, "capacity is 1"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_does_not_fit_is_refused_in_one_sentence(case):
    change, message = WRONG[case]
    actor, critic = networks()
    given = {"make_env": pendulum, "actor": actor, "critic": critic, "copies": 2, **SMALL} | change
    with pytest.raises(ValueError, match=re.escape(message)):
        train_ddpg(**given)


@pytest.mark.parametrize(("low", "high"), [([-1], [2]), ([-1, -2], [1, 2])])
def test_a_box_with_other_bounds_is_refused(low, high):
    def make(n):
        env = pendulum(n)
        env.single_action_space = Box(np.float32(low), np.float32(high))
        return env

    with pytest.raises(ValueError, match="between -bound and bound"):
        train_ddpg(make, *networks(), copies=2, **SMALL)
