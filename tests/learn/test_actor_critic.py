"""A2C and PPO: their losses by hand, their rollouts against plain Python, updates against PyTorch's optimiser, the probes."""

import functools
from unittest import mock

import numpy as np
import pytest
import torch
from torch import nn

from rlkit.core.returns import gae
from rlkit.envs import TabularVectorEnv, Worlds, cartpole, probes
from rlkit.envs.worlds import Step
from rlkit.learn.actor_critic import Rollout, a2c, a2c_loss, clipped, ppo, ppo_loss, train_a2c, train_ppo
from rlkit.learn.actor_critic.a2c import judged
from rlkit.learn.actor_critic.ppo import parts
from rlkit.learn.episodes import play, run_steps
from rlkit.learn.reinforce import acting
from rlkit.mdp import TabularMDP
from rlkit.nets import Adam, CategoricalPolicy, GaussianPolicy, StackedMLP, frozen_copy, sharing
from tests.envs.toys import Scripted
from tests.learn.test_reinforce import Targets, Told, distribution

LEARNERS = {"A2C": (train_a2c, a2c), "PPO": (train_ppo, ppo)}
SMALL = {
    "A2C": {"steps": 160, "copies": 2, "worlds": 4, "length": 8, "gamma": 0.9},
    "PPO": {"steps": 160, "copies": 2, "worlds": 4, "length": 8, "gamma": 0.9, "epochs": 2, "minibatch": 12},
}
both = pytest.mark.parametrize("name", LEARNERS)


def same(one, other):
    return all(torch.equal(a, b) for a, b in zip(one.parameters(), other.parameters(), strict=True))


def trainable(network):
    copy = frozen_copy(network)
    for parameter in copy.parameters():
        parameter.requires_grad_(True)
    return copy


def build(world, copies=2, seed=3):
    """Return a policy and a critic for CartPole or Targets."""
    sizes, policy = ([4, 8], CategoricalPolicy) if world is cartpole else ([1, 8], GaussianPolicy)
    return policy([*sizes, 2], copies, seed), StackedMLP([*sizes, 1], copies, seed + 9)


class Fixed(nn.Module):
    """A critic that says the same of every state: its only weight."""

    def __init__(self, value):
        super().__init__()
        self.value = nn.Parameter(torch.tensor(value, dtype=torch.float64))

    def forward(self, obs):
        return self.value.expand(*obs.shape[:2], 1)


# --- the losses, on numbers worked by hand ---


def two_steps(advantage, target, log_prob=(0.0, 0.0)):
    """Return a rollout of one copy: action 0, then action 1."""
    row = lambda *x: torch.tensor([x], dtype=torch.float64)  # noqa: E731
    return Rollout(
        torch.zeros(1, 2, 1),
        torch.tensor([[0, 1]]),
        row(*log_prob),
        row(*advantage),
        row(*target),
        torch.ones(1, 2, dtype=bool),
    )


def slopes(loss, policy, critic, *arguments, **options):
    """Return the gradients of the summed loss by the logits and by the critic's value."""
    found = torch.autograd.grad(loss(policy, critic, *arguments, **options).sum(), [policy.logits, critic.value])
    return [x.tolist() for x in found]


def test_the_loss_of_a2c_by_hand():
    """pi = (1/4, 3/4), V = 1. Step 0: A = 2, target 4: 2 log 4 + 9/2. Step 1: A = -1, target 0: log(3/4) + 1/2."""
    policy, critic, run = Told([0.0, np.log(3)]), Fixed(1.0), two_steps([2, -1], [4, 0])
    assert a2c_loss(policy, critic, run).tolist() == [
        [pytest.approx(2 * np.log(4) + 4.5), pytest.approx(np.log(3 / 4) + 0.5)]
    ]
    by_logits, by_value = slopes(a2c_loss, policy, critic, run)
    assert by_logits == pytest.approx([-2 * 0.75 - 0.25, 2 * 0.75 + 0.25]), "-A (1[a] - pi), for both steps"
    assert by_value == pytest.approx((1 - 4) + (1 - 0)), "V - target, and nothing of the actor's"


@pytest.mark.parametrize("loss", [a2c_loss, ppo_loss])
def test_the_entropy_is_paid_for_by_hand(loss):
    """Where there is no advantage and the critic is right, only -c H is left; H = 1/4 log 4 + 3/4 log(4/3)."""
    policy, critic, run = Told([0.0, np.log(3)]), Fixed(1.0), two_steps([0, 0], [1, 1])
    H = 0.25 * np.log(4) + 0.75 * np.log(4 / 3)
    assert loss(policy, critic, run, entropy=0.5).tolist() == [[pytest.approx(-0.5 * H)] * 2]
    (first, second), _ = slopes(loss, policy, critic, run, entropy=0.5)
    assert first < 0 < second, "going down it makes the two more alike"
    assert slopes(loss, policy, critic, run) == [[0, 0], 0]


@pytest.mark.parametrize(
    ("ratio", "A", "loss", "slope"),
    [
        (1.0, 2.0, -2.0, -2.0),
        (1.1, 2.0, -2.2, -2.2),  # likelier, and good: still worth something
        (1.3, 2.0, -2.4, 0.0),  # enough of it
        (0.5, 2.0, -1.0, -1.0),  # good, but less likely than before: it may come back from anywhere
        (0.9, -2.0, 1.8, 1.8),
        (0.5, -2.0, 1.6, 0.0),  # bad, and rare enough
        (1.5, -2.0, 3.0, 3.0),  # bad, and likelier than before: it may come back
    ],
)
def test_the_clip_by_hand(ratio, A, loss, slope):
    """-min(rho A, rho' A) with rho' in [0.8, 1.2]; the slope by log pi is -rho A, or 0 where the cut-off one is the smaller."""
    log_prob = torch.tensor(np.log(ratio) - 1.0, requires_grad=True)
    found = clipped(log_prob, torch.tensor(-1.0, dtype=torch.float64), torch.tensor(A, dtype=torch.float64), 0.2)
    assert found.item() == pytest.approx(loss)
    assert torch.autograd.grad(found, log_prob)[0].item() == pytest.approx(slope)


def test_the_loss_of_ppo_by_hand():
    """pi = (1/4, 3/4) was (1/2, 1/2): rho = 1/2 with A = -2, cut off: 1.6; rho = 3/2 with A = 1, cut off: -1.2; V as above."""
    policy, critic = Told([0.0, np.log(3)]), Fixed(1.0)
    run = two_steps([-2, 1], [4, 0], [np.log(0.5)] * 2)
    assert ppo_loss(policy, critic, run).tolist() == [[pytest.approx(1.6 + 4.5), pytest.approx(-1.2 + 0.5)]]
    assert slopes(ppo_loss, policy, critic, run)[0] == [0, 0]
    wide = ppo_loss(policy, critic, run, clip=0.6).tolist()
    assert wide == [[pytest.approx(1 + 4.5), pytest.approx(-1.5 + 0.5)]], "nothing to cut off"
    assert slopes(ppo_loss, policy, critic, run, clip=0.6)[1] == pytest.approx(-3 + 1)


# --- against PyTorch's distributions, copy by copy ---


def some_rollout(world, copies=2, N=40, seed=0):
    rng = np.random.default_rng(seed)
    inputs = 4 if world is cartpole else 1
    action = rng.integers(2, size=(copies, N)) if world is cartpole else rng.normal(size=(copies, N, 2))
    obs, (log_prob, A, target) = rng.normal(size=(copies, N, inputs)), rng.normal(size=(3, copies, N))
    columns = obs, action, 0.3 * log_prob - 0.7, A, target, rng.random((copies, N)) < 0.8
    return Rollout(*(torch.from_numpy(x) for x in columns))


def plain_loss(name, policy, critic, run, k, entropy, clip=0.2):
    """Return the losses of copy k, float[N], with PyTorch's own distributions and a condition for each of PPO's cases."""
    pi = distribution(policy, run.obs[k], k)
    log_prob, A = pi.log_prob(run.action[k]), run.advantage[k]
    if name == "A2C":
        actor = -log_prob * A
    else:
        ratio = torch.exp(log_prob - run.log_prob[k])
        far = torch.where(A > 0, ratio > 1 + clip, ratio < 1 - clip)
        actor = -torch.where(far, torch.where(A > 0, 1 + clip, 1 - clip), ratio) * A
    V = critic(run.obs[k].expand(len(run.obs), -1, -1))[k, :, 0]
    return actor + (run.target[k] - V) ** 2 / 2 - entropy * pi.entropy()


@both
@pytest.mark.parametrize("world", [cartpole, Targets])
@pytest.mark.parametrize("entropy", [0.0, 0.3])
def test_losses_and_gradients_are_those_of_pytorchs_distributions(name, world, entropy):
    policy, critic = (network.double() for network in build(world))
    run, loss = some_rollout(world), {"A2C": a2c_loss, "PPO": ppo_loss}[name]
    found = loss(policy, critic, run, entropy=entropy)
    expected = torch.stack([plain_loss(name, policy, critic, run, k, entropy) for k in range(2)])
    torch.testing.assert_close(found, expected)
    weights = [*policy.parameters(), *critic.parameters()]
    for one, other in zip(*(torch.autograd.grad(x.sum(), weights) for x in (found, expected)), strict=True):
        torch.testing.assert_close(one, other)
    if name == "PPO":
        assert 0.1 < (expected != plain_loss_unclipped(policy, critic, run, entropy)).double().mean() < 0.9


def plain_loss_unclipped(policy, critic, run, entropy):
    return torch.stack([plain_loss("PPO", policy, critic, run, k, entropy, clip=np.inf) for k in range(2)])


@pytest.mark.parametrize("world", [cartpole, Targets])
def test_before_the_first_step_ppo_has_ratio_1_and_the_gradient_of_a2c(world):
    policy, critic = build(world)
    found, told = [], SMALL["PPO"] | {"steps": 32, "epochs": 1}

    def spy(policy, critic, run):
        weights = [*policy.parameters(), *critic.parameters()]
        ratio = (policy(run.obs).log_prob(run.action) - run.log_prob).exp()
        slopes = [torch.autograd.grad(f(policy, critic, run).sum(), weights) for f in (a2c_loss, ppo_loss)]
        found.append((ratio.detach(), *slopes))
        return ppo_loss(policy, critic, run)

    train_ppo(world, policy, critic, **told, loss=spy)
    (ratio, one, other), *later = found
    torch.testing.assert_close(ratio, torch.ones_like(ratio), rtol=1e-5, atol=1e-5)
    for a, b in zip(one, other, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-5)
    assert len(later) == 2, "32 steps in minibatches of 12"
    assert all((ratio - 1).abs().max() > 1e-4 for ratio, _, _ in later)


# --- rollouts ---

SCRIPTS = [
    [(3, "truncated"), (2, "terminated")],
    [(4, "terminated"), (1, "truncated")],
    [(5, "both"), (3, "truncated")],
    [(99, "terminated")],
]
"""Four worlds that show (world, episode, step): each tells where it is, so that nothing can be taken for something else."""


def scripted(n):
    return Scripted(n, [SCRIPTS[w % 4] for w in range(n)])


class Plain(nn.Module):
    """A critic that can be worked out by hand: 100 world + 10 episode + step, for K copies."""

    def __init__(self, copies):
        super().__init__()
        self.weight = nn.Parameter(torch.tensor([100.0, 10.0, 1.0]).reshape(1, 3, 1).repeat(copies, 1, 1))

    def forward(self, obs):
        return obs @ self.weight


def by_hand(rounds, length, gamma, lam, scale):
    """Return what is to be known of each real step of four worlds in plain Python: {(world, episode, step): (A, target)}.

    ``rounds`` rollouts of so many steps; at the end of a rollout an episode goes on with the critic's word.
    """
    V = lambda w, i, t: 100 * w + 10 * i + t  # noqa: E731
    known = {}
    for w, script in enumerate(SCRIPTS):
        rows, i, t = [], 0, 0
        while len(rows) < rounds * length:  # (episode, step, how it ends), and None where it begins anew
            n, end = script[i % len(script)]
            rows.append((i, t, end if t + 1 == n else "on"))
            t += 1
            if t == n:
                rows.append(None)
                i, t = i + 1, 0
        for first in range(0, rounds * length, length):
            later = 0.0
            for row in reversed(rows[first : first + length]):
                if row is None:
                    later = 0.0
                    continue
                i, t, end = row
                if end != "on":
                    later = 0.0
                future = 0 if end in ("terminated", "both") else gamma * V(w, i, t + 1)
                later = scale * (10 * w + t + 1) + future - V(w, i, t) + gamma * lam * later
                known[w, i, t] = (later, later + V(w, i, t))
    return known


@pytest.mark.parametrize("lam", [0.0, 0.7, 1.0])
def test_a_rollout_is_what_plain_python_makes_of_it(lam):
    """Two copies of two worlds, three rollouts of seven steps: ends of each kind inside, at the border and beyond it."""
    world, policy, critic = Worlds(scripted, 2, 2, 0), CategoricalPolicy([3, 4], 2), Plain(2)
    params = {"gamma": 0.5, "lam": lam, "scale": 0.1, "advantages": gae, "normalise": False}
    chance, found, unreal = torch.Generator().manual_seed(0), {}, 0
    for _ in range(3):
        run = judged(run_steps(world, acting(policy, chance), 7), policy, critic, params)
        assert [x.shape for x in run] == [(2, 14, 3), *[(2, 14)] * 5]
        assert not any(x.requires_grad for x in run)
        torch.testing.assert_close(run.log_prob, policy(run.obs).log_prob(run.action).detach())
        unreal += (~run.real).sum().item()
        for k in range(2):
            for obs, A, target, real in zip(run.obs[k], run.advantage[k], run.target[k], run.real[k], strict=True):
                if real:
                    w, i, t = obs.int().tolist()
                    assert w // 2 == k, "copy 0 has the worlds 0 and 1"
                    found[w, i, t] = (A.item(), target.item())
    expected = by_hand(3, 7, 0.5, lam, 0.1)
    assert found.keys() == expected.keys()
    assert unreal + len(found) == 4 * 21
    for place, (A, target) in expected.items():
        assert found[place] == (pytest.approx(A, abs=1e-3), pytest.approx(target, abs=1e-3))


def test_normalised_advantages_are_those_of_each_copys_real_steps():
    world, policy, critic = Worlds(scripted, 2, 2, 0), CategoricalPolicy([3, 4], 2), Plain(2)
    step = run_steps(world, acting(policy, torch.Generator().manual_seed(0)), 9)
    params = {"gamma": 0.5, "lam": 0.7, "scale": 1.0, "advantages": gae}
    plain, normal = (judged(step, policy, critic, params | {"normalise": n}) for n in (False, True))
    for k in range(2):
        real = plain.real[k]
        A = plain.advantage[k][real]
        torch.testing.assert_close(normal.advantage[k][real], (A - A.mean()) / A.std(correction=0))
    torch.testing.assert_close(normal.target, plain.target)


def test_every_epoch_has_each_step_once():
    run = Rollout(*(torch.arange(2 * 11).reshape(2, 11) + 100 * i for i in range(6)))
    found = list(parts(run, 3, 4, torch.Generator().manual_seed(0)))
    assert [len(part.obs[0]) for part in found] == [4, 4, 3] * 3
    orders = [torch.cat([part.obs for part in found[i : i + 3]], dim=1) for i in (0, 3, 6)]
    for order in orders:
        assert torch.equal(order.sort(dim=1).values, run.obs)
        assert not torch.equal(order[0], order[1] - 11), "the copies' orders have nothing to do with each other"
    assert not torch.equal(orders[0], orders[1]) and not torch.equal(orders[1], orders[2])
    for part in found:
        for i, column in enumerate(part):
            assert torch.equal(column, part.obs + 100 * i), "all columns in the same order"


# --- whole updates, against PyTorch's optimiser ---


def recorded(learn, world, policy, critic, **told):
    """Run a learner, and return its result and (policy, critic, rollout) of each call of the loss."""
    calls, (train, _) = [], LEARNERS[learn]
    loss = {"A2C": a2c_loss, "PPO": ppo_loss}[learn]

    def spy(policy, critic, run):
        calls.append(run)
        return loss(policy, critic, run)

    return train(world, policy, critic, **{**SMALL[learn], **told, "loss": spy}), calls


def matches_by_hand(name, world, **told):
    """Do all of a run's updates again, copy by copy, with PyTorch's optimiser; return whether weights and losses agree."""
    policy, critic = build(world)
    networks = trainable(policy), trainable(critic)
    found, runs = recorded(name, world, policy, critic, lr=0.01, **told)
    assert len(runs) == (5 if name == "A2C" else 5 * 2 * 3)
    weights = [p for network in networks for p in network.parameters()]
    optimiser, losses = torch.optim.Adam(weights, 0.01), []
    for i, run in enumerate(runs):
        if name == "PPO":  # after each round of six minibatches the steps get smaller
            optimiser.param_groups[0]["lr"] = 0.01 * (1 - 32 * (i // 6) / 161)
        optimiser.zero_grad()
        each = [plain_loss(name, *networks, run, k, 0.0)[run.real[k]].mean() for k in range(2)]
        sum(each).backward()
        optimiser.step()
        losses.append([x.item() for x in each])
    pairs = zip((*policy.parameters(), *critic.parameters()), weights, strict=True)
    close = all(torch.allclose(a, b, rtol=1e-3, atol=1e-4) for a, b in pairs)
    noted = losses if name == "A2C" else losses[5::6]
    return close and found.updates["loss"] == pytest.approx(np.ravel(noted), rel=1e-3, abs=1e-4)


@both
@pytest.mark.parametrize("world", [cartpole, Targets])
def test_an_update_is_what_pytorchs_optimiser_makes_of_the_rollout(name, world):
    assert matches_by_hand(name, world)


@both
def test_copies_learn_together_what_they_learn_alone(name):
    """From the same steps in the same order, played back to each copy. The real steps of the others are no part of them."""
    train, module = LEARNERS[name]
    steps, orders, make_parts = [], [], parts

    def write_steps(*arguments):
        steps.append(run_steps(*arguments))
        return steps[-1]

    def write_parts(*arguments):
        orders.append(list(make_parts(*arguments)))
        return orders[-1]

    policy, critic = build(cartpole, 3)
    told = SMALL[name] | {"copies": 3, "steps": 960, "normalise": True}
    patch = {"parts": write_parts} if name == "PPO" else {}
    with mock.patch.multiple(module, run_steps=write_steps, **patch):
        train(cartpole, policy, critic, **told)
    assert not all(step.real.all() for step in steps), "episodes end on the way"
    for k in range(3):
        left, ordered = iter(steps), iter(orders)
        own = lambda *_, left=left, k=k: Step(*(x[:, k : k + 1] for x in next(left)))  # noqa: E731
        cut = lambda *_, ordered=ordered, k=k: [Rollout(*(x[k : k + 1] for x in part)) for part in next(ordered)]  # noqa: E731
        alone, its = build(cartpole, 1, 3 + k)
        with mock.patch.multiple(module, run_steps=own, **({"parts": cut} if name == "PPO" else {})):
            train(cartpole, alone, its, **told | {"copies": 1})
        for stacked, single in ((policy, alone), (critic, its)):
            for a, b in zip(stacked.parameters(), single.parameters(), strict=True):
                torch.testing.assert_close(a[k : k + 1], b, rtol=1e-3, atol=1e-4)


@both
def test_each_copy_descends_its_own_mean_loss(name):
    """Their sum is what is descended: in a mean over copies, each would take part in the size of the others' steps."""
    descended, (_, module) = [], LEARNERS[name]

    class Spy(Adam):
        def step(self, loss):
            descended.append(loss.item())
            super().step(loss)

    policy, critic = build(cartpole)
    with mock.patch.object(module, "Adam", Spy):
        found, _ = recorded(name, cartpole, policy, critic, **({"epochs": 1, "minibatch": 99} if name == "PPO" else {}))
    assert descended == pytest.approx(found.updates["loss"].reshape(5, 2).sum(axis=1))


@both
def test_shared_layers_are_trained_once_by_both(name):
    """The optimiser has each weight once; the first layer moves by the gradient of both losses."""
    policy = CategoricalPolicy([4, 8, 2], 2, 3)
    critic = sharing(policy.network, 1, 12)
    assert len(a2c.both(policy, critic)) == 4 + 2
    again = trainable(policy)
    found, runs = recorded(
        name, cartpole, policy, critic, steps=32, lr=0.01, **({} if name == "A2C" else {"epochs": 1, "minibatch": 99})
    )
    (run,) = runs
    mine = sharing(again.network, 1, 12)
    weights = a2c.both(again, mine)
    optimiser = torch.optim.Adam(weights, 0.01)
    each = [plain_loss(name, again, mine, run, k, 0.0)[run.real[k]].mean() for k in range(2)]
    sum(each).backward()
    optimiser.step()
    for a, b in zip(a2c.both(policy, critic), weights, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-3, atol=1e-4)


# --- whole runs, against exact values ---

PROBE = {
    "A2C": {"steps": 4_000, "worlds": 8, "length": 4, "gamma": 0.5, "lr": 0.02, "lam": 0.9},
    "PPO": {
        "steps": 3_072,
        "worlds": 8,
        "length": 16,
        "gamma": 0.5,
        "lr": 0.02,
        "lam": 0.9,
        "epochs": 4,
        "minibatch": 64,
    },
}


def probe_is_solved(name, probe, seed, **change):
    """Return whether in all copies the best action is nearly always taken, and the critic near V of the policy."""
    K, sizes = 4, [1, 16]
    policy, critic = CategoricalPolicy([*sizes, probe.mdp.n_actions], K, seed), StackedMLP([*sizes, 1], K, seed + K)
    LEARNERS[name][0](probe.make, policy, critic, copies=K, seed=seed, **{**PROBE[name], **change})
    seen = torch.tensor(probe.observations[probe.acting], dtype=torch.float32).expand(K, -1, -1)
    pi, V = policy(seen).probs.detach().numpy(), critic(seen).squeeze(-1).detach().numpy()
    error = abs(V - (pi * probe.Q).sum(axis=-1)).max()
    best = np.take_along_axis(pi, np.broadcast_to(probe.Q.argmax(axis=-1)[None, :, None], (K, len(probe.Q), 1)), -1)
    return bool(best.min() > 0.9 and error < (0.02 if probe.mdp.n_actions == 1 else 0.1))


def loop():
    """Return one state that pays 1 and leads to itself for ever."""
    return TabularMDP(np.ones((1, 1, 1)), np.ones((1, 1)), 0.5)


def goes_on(name, **change):
    """Return whether what is broken off after 5 steps is still worth 1 / (1 - gamma) = 2, and not less."""
    critic = StackedMLP([1, 1], 2, 0)
    make = lambda n: TabularVectorEnv(n, loop(), limit=5)  # noqa: E731
    LEARNERS[name][0](make, CategoricalPolicy([1, 1], 2), critic, copies=2, **{**PROBE[name], "lr": 0.05, **change})
    return abs(critic(torch.ones(2, 1, 1)) - 2).max().item() < 0.01


@functools.cache
def solved(name, fault=None, seed=0):
    """Return of the five probes, and of the loop that is broken off, which a learner with this fault solves."""
    change = FAULTS[fault][0] if fault else {}
    change = {key: value[name] if isinstance(value, dict) else value for key, value in change.items()}
    results = [*(probe_is_solved(name, probe, seed, **change) for probe in probes()), goes_on(name, **change)]
    return "".join(".X"[not found] for found in results)


@both
@pytest.mark.parametrize("seed", [0, 100])
def test_it_solves_the_probes_and_what_is_broken_off_goes_on(name, seed):
    assert solved(name, seed=seed) == "......"


@both
@pytest.mark.parametrize("lam", [0.0, 0.5, 1.0])
def test_it_solves_them_whatever_lambda_is(name, lam):
    assert all(probe_is_solved(name, probes()[i], 0, lam=lam) for i in (2, 4))


@both
def test_it_learns_to_name_numbers(name):
    """The best action where x is seen is (x, 0.3); every deviation costs, so the scatter shrinks."""
    policy, critic = GaussianPolicy([1, 16, 2], 4), StackedMLP([1, 16, 1], 4, 9)
    told = {"copies": 4, "gamma": 0.0, "normalise": True, "worlds": 16, "steps": 12_800}
    more = {"lr": 0.01, "length": 4} if name == "A2C" else {"lr": 0.01, "length": 16, "epochs": 4, "minibatch": 64}
    LEARNERS[name][0](Targets, policy, critic, **told, **more)
    x = torch.linspace(-0.9, 0.9, 7).reshape(1, 7, 1).expand(4, -1, -1)
    best = torch.cat([x, torch.full_like(x, 0.3)], dim=-1)
    assert (policy(x).mode() - best).abs().mean() < 0.1
    assert policy.log_std.max() < -1


@both
def test_the_pole_is_balanced_for_far_longer_than_by_chance(name):
    """Whoever acts at random lasts for about 22 steps."""
    policy, critic = CategoricalPolicy([4, 32, 2], 4), StackedMLP([4, 32, 1], 4, 9)
    more = {"lr": 5e-3, "length": 16, "steps": 24_576} if name == "A2C" else {"lr": 5e-3, "length": 64, "steps": 12_288}
    found = LEARNERS[name][0](cartpole, policy, critic, copies=4, worlds=8, gamma=0.98, scale=0.05, **more)
    _, curve = found.curve(6)
    assert curve[:, 0].mean() < 60
    assert (curve[:, -1] > 80).all()


# --- planted faults ---


def blind(loss):
    return lambda policy, critic, run: loss(policy, critic, run._replace(obs=torch.zeros_like(run.obs)))


def sign(loss):
    return lambda policy, critic, run: loss(policy, critic, run._replace(advantage=-run.advantage))


def other_action(loss):
    def wrong(policy, critic, run):
        return loss(policy, critic, run._replace(action=(run.action + 1) % policy(run.obs).probs.shape[-1]))

    return wrong


def each(fault):
    return {"A2C": fault(a2c_loss), "PPO": fault(ppo_loss)}


def terminal(reward, V, V_next, terminated, truncated, gamma, lam):
    return gae(reward, V, V_next, terminated | truncated, truncated, gamma, lam)


def endless(reward, V, V_next, terminated, truncated, gamma, lam):
    return gae(reward, V, V_next, np.zeros_like(terminated), terminated | truncated, gamma, lam)


def on_and_on(reward, V, V_next, terminated, truncated, gamma, lam):
    nothing = np.zeros_like(terminated)
    return gae(reward, V, np.where(terminated, 0, V_next), nothing, nothing, gamma, lam)


def no_critic_next(reward, V, V_next, terminated, truncated, gamma, lam):
    return gae(reward, V, 0 * V_next, terminated, truncated, gamma, lam)


# Which a fault breaks of the probes (the constant reward, what is seen, later, the action, both) and the loop.
FAULTS = {
    "the minus sign is forgotten": ({"loss": each(sign)}, "...XX."),
    "the networks see nothing": ({"loss": each(blind)}, ".XX.XX"),
    "the probability of another action": ({"loss": each(other_action)}, "...XX."),
    "broken off taken for ended": ({"advantages": terminal}, ".....X"),
    "no word of the critic on what follows": ({"advantages": no_critic_next}, "..X..X"),
    "the end goes on with the critic's word": ({"advantages": endless}, "XXXXX."),
    "credit from the episode after": ({"advantages": on_and_on}, "XXXXXX"),
}


@both
@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_breaks_these_worlds_and_no_others(name, fault):
    assert solved(name, fault) == FAULTS[fault][1]


# --- what a run leaves behind ---


def run(name, world=cartpole, seed=0, **change):
    policy, critic = build(world)
    return LEARNERS[name][0](world, policy, critic, **{**SMALL[name], "seed": seed, **change})


@both
@pytest.mark.parametrize("world", [cartpole, Targets])
def test_a_seed_says_all_and_copies_differ(name, world):
    state = torch.get_rng_state()
    one, two, other = (run(name, world, seed, test_every=64, test_episodes=3) for seed in (1, 1, 2))
    assert torch.equal(state, torch.get_rng_state())
    assert same(one.policy, two.policy) and same(one.best, two.best)
    for columns, others in zip(
        (one.episodes, one.tests, one.updates), (two.episodes, two.tests, two.updates), strict=True
    ):
        assert all(np.array_equal(columns[key], others[key]) for key in columns)
    assert not same(one.policy, other.policy)
    returns = [one.episodes["return"][one.episodes["copy"] == k].tolist() for k in range(2)]
    assert returns[0] != returns[1]


@both
def test_tests_are_of_the_likeliest_actions_in_fresh_worlds_and_change_nothing(name):
    made = []

    def make(n):
        made.append((n, cartpole(n)))
        return made[-1][1]

    found = run(name, test_every=64, test_episodes=3)
    policy, critic = build(cartpole)
    LEARNERS[name][0](make, policy, critic, **SMALL[name], test_every=64, test_episodes=3)
    assert [n for n, _ in made] == [8, 6, 6], "training, and then two tests"
    seeds = [env.unwrapped.np_random_seed for _, env in made]
    x, y = found.tested()
    assert x.tolist() == sorted(found.snapshots) == [64, 128]
    for i, n in enumerate((64, 128)):
        again = play(acting(found.snapshots[n]), cartpole, copies=2, episodes=3, seed=seeds[i + 1])
        assert y[:, i].tolist() == pytest.approx(again["return"].mean(axis=1))
    assert same(found.policy, run(name).policy)


@both
def test_rewards_are_reported_as_they_were_paid(name):
    """Scaled ones are learned from: as if all were so much smaller, and not otherwise."""
    found, plain = run(name, scale=1e-3), run(name)
    for result in (found, plain):
        assert (result.episodes["return"] == result.episodes["length"]).all(), "CartPole pays 1 a step"
    assert not same(found.policy, plain.policy)
    assert found.updates["loss"][0] < plain.updates["loss"][0]


@both
def test_what_is_left_after_the_last_round_is_not_made(name):
    found = run(name, steps=191)
    assert found.updates["step"].tolist() == [32, 32, 64, 64, 96, 96, 128, 128, 160, 160]
    assert found.unit == "step" and found.params["steps"] == 191
    assert found.episodes["step"].max() <= 160


def test_the_step_size_falls_to_nothing():
    sizes = []

    class Spy(Adam):
        def step(self, loss):
            sizes.append(self.lr)
            super().step(loss)

    with mock.patch.object(ppo, "Adam", Spy):
        run("PPO", lr=0.1, epochs=1, minibatch=99)
    assert sizes == pytest.approx([0.1 * (1 - t / 161) for t in (0, 32, 64, 96, 128)])


# --- interrupting ---


def interrupted(name, after, error=KeyboardInterrupt):
    count, loss = [], {"A2C": a2c_loss, "PPO": ppo_loss}[name]

    def failing(*arguments):
        count.append(0)
        if len(count) > after:
            raise error
        return loss(*arguments)

    return failing


@both
def test_an_interrupted_run_keeps_what_was_learned(name, capsys):
    """The first update of the fourth round never comes: what three made is there, as in a run of three."""
    after = 3 if name == "A2C" else 18
    found = run(name, loss=interrupted(name, after), test_every=64, test_episodes=2)
    assert found.updates["step"].tolist() == [32, 32, 64, 64, 96, 96]
    assert found.tests["step"].tolist() == [64, 64]
    assert capsys.readouterr().out == "Interrupted: what was learned in 128 steps is kept.\n"
    if name == "A2C":  # PPO's step sizes depend on how long the run was to be
        assert same(found.policy, run(name, steps=96).policy)
    assert found.curve(5)[1].shape == (2, 5)


@both
def test_other_errors_are_not_swallowed(name):
    with pytest.raises(ZeroDivisionError):
        run(name, loss=interrupted(name, 3, ZeroDivisionError))


# --- the door ---

DOOR = [
    ({"steps": 0}, "steps is 0, but a whole number of at least 1 was expected"),
    (
        {"steps": 31},
        "4 worlds and a length of 8 make 32 steps a round, but there are only 31: nothing would be learned",
    ),
    ({"steps": 1e3}, r"steps is 1000\.0, but an int was expected"),
    ({"copies": 3}, r"policy\.network\.layers\.0\.weight has shape \(2, 4, 8\), but copies is 3: its first axis .+"),
    ({"worlds": 0}, "worlds is 0, but a whole number of at least 1 was expected"),
    ({"length": 2.5}, r"length is 2\.5, but a whole number of at least 1 was expected"),
    ({"seed": -1}, "seed is -1, but a whole number of at least 0 was expected"),
    ({"gamma": 1.1}, r"gamma is 1\.1, but it must lie in \[0, 1\]"),
    ({"lam": -0.1}, r"lam is -0\.1, but it must lie in \[0, 1\]"),
    ({"lr": 0}, r"lr is 0\.0, but a step size above 0 was expected"),
    ({"scale": 0}, "scale is 0, but a number above 0 was expected"),
    ({"test_every": -5}, "test_every is -5, but a whole number of at least 0 was expected"),
    ({"test_episodes": 0}, "test_episodes is 0, but a whole number of at least 1 was expected"),
]


@both
@pytest.mark.parametrize(("change", "message"), DOOR)
def test_settings_that_do_not_fit_are_refused_in_one_sentence(name, change, message):
    with pytest.raises(ValueError, match=f"^{message}$"):
        run(name, **change)


@pytest.mark.parametrize("change", [{"epochs": 0}, {"minibatch": 0}, {"minibatch": 1.5}])
def test_so_are_ppos_own(change):
    (key, value) = next(iter(change.items()))
    with pytest.raises(ValueError, match=f"^{key} is {value}, but a whole number of at least 1 was expected$"):
        run("PPO", **change)


@both
@pytest.mark.parametrize(
    ("world", "policy", "critic", "message"),
    [
        (
            cartpole,
            CategoricalPolicy([4, 3], 2),
            StackedMLP([4, 1], 2),
            r"policy gives a Categorical of shape \(2, 4, 3\)",
        ),
        (Targets, CategoricalPolicy([1, 2], 2), StackedMLP([1, 1], 2), "policy gives a Categorical of shape"),
        (cartpole, StackedMLP([4, 2], 2), StackedMLP([4, 1], 2), "policy gives a Tensor, but a distribution"),
        (cartpole, CategoricalPolicy([4, 2], 2), StackedMLP([4, 2], 2), r"critic gives \(2, 4, 2\) .+\(2, 4, 1\) was"),
        (cartpole, CategoricalPolicy([4, 2], 2), StackedMLP([5, 1], 2), "critic does not take observations"),
        (cartpole, CategoricalPolicy([4, 2], 2), StackedMLP([4, 1], 3), r"critic\.layers\.0\.weight has shape"),
    ],
)
def test_networks_that_do_not_fit_are_refused(name, world, policy, critic, message):
    with pytest.raises(ValueError, match=f"^{message}"):
        LEARNERS[name][0](world, policy, critic, **SMALL[name])


@pytest.mark.parametrize("name", ["A2C", "PPO"])
def test_rounds_of_one_step_in_which_a_world_may_only_begin_anew_teach_nothing_and_spoil_nothing(name):
    probe = probes()[0]  # one step to an episode, so that every other round holds no real step
    policy, critic = CategoricalPolicy([1, 1], 1), StackedMLP([1, 1], 1)
    more = {"minibatch": 1, "epochs": 1} if name == "PPO" else {}
    learn = {"A2C": train_a2c, "PPO": train_ppo}[name]
    run = learn(probe.make, policy, critic, steps=20, worlds=1, length=1, **more)
    assert np.isfinite(run.updates["loss"]).all()
    assert all(torch.isfinite(w).all() for w in [*policy.parameters(), *critic.parameters()])
