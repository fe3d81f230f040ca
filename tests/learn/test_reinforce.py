"""REINFORCE: its parts by hand, updates against PyTorch's optimiser, runs against exact values, planted faults."""

import functools

import numpy as np
import pytest
import torch
from gymnasium.spaces import Box
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space
from hypothesis import given
from hypothesis import strategies as st

from rlkit.core.returns import reward_to_go, total_return
from rlkit.envs import Driving, TabularVectorEnv, Worlds, cartpole, make_roads, probes
from rlkit.learn import reinforce
from rlkit.learn.episodes import Episodes, play, run_episodes
from rlkit.learn.reinforce import acting, mean_over, packed, policy_loss, standardise, train_reinforce
from rlkit.mdp import solve
from rlkit.mdp.worlds import mitchell, short_corridor
from rlkit.nets import Adam, Categorical, CategoricalPolicy, GaussianPolicy, StackedMLP, frozen_copy
from tests.envs.toys import Scripted

SMALL = {"episodes": 20, "copies": 2, "batch": 4, "gamma": 0.9, "limit": 30}


class Targets(VectorEnv):
    """Three steps; each shows x in [-1, 1], and pays minus the squared distance of the action from (x, 0.3)."""

    metadata = {"render_modes": [], "autoreset_mode": AutoresetMode.NEXT_STEP}

    def __init__(self, num_envs):
        self.num_envs = num_envs
        self.single_observation_space = Box(-1, 1, (1,), np.float32)
        self.single_action_space = Box(-2, 2, (2,), np.float32)
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.t = 0
        return self._show(), {}

    def _show(self):
        self.x = self.np_random.uniform(-1, 1, (self.num_envs, 1)).astype(np.float32)
        return self.x

    def step(self, actions):
        reward = -((actions - np.hstack([self.x, np.full_like(self.x, 0.3)])) ** 2).sum(axis=1)
        begins = self.t == 3
        self.t = 0 if begins else self.t + 1
        over = np.full(self.num_envs, self.t == 3)
        return self._show(), 0 * reward if begins else reward, over, np.zeros_like(over), {}


def same(one, other):
    return all(torch.equal(a, b) for a, b in zip(one.parameters(), other.parameters(), strict=True))


def trainable(network):
    copy = frozen_copy(network)
    for parameter in copy.parameters():
        parameter.requires_grad_(True)
    return copy


# --- the equations, on numbers worked by hand ---


class Told(torch.nn.Module):
    """A policy that is one distribution: its parameters are the logits, the same in every state."""

    def __init__(self, logits):
        super().__init__()
        self.logits = torch.nn.Parameter(torch.tensor(logits, dtype=torch.float64))

    def forward(self, obs):
        return Categorical(self.logits.expand(*obs.shape[:2], -1))


def gradient(loss, policy, *arguments, **options):
    return torch.autograd.grad(loss(policy, *arguments, **options).sum(), list(policy.parameters()))[0]


def test_the_loss_worked_by_hand():
    """pi = (1/4, 3/4): -A log pi(a); its gradient for the logits is -A (1[a] - pi)."""
    policy = Told([0.0, np.log(3)])
    obs, action = torch.zeros(1, 2, 1), torch.tensor([[0, 1]])
    A = torch.tensor([[2.0, -1.0]], dtype=torch.float64)
    found = policy_loss(policy, obs, action, A)
    assert found.tolist() == [[pytest.approx(2 * np.log(4)), pytest.approx(-np.log(4 / 3))]]
    assert gradient(policy_loss, policy, obs, action, A).tolist() == pytest.approx([-2 * 0.75 - 0.25, 2 * 0.75 + 0.25])


def test_the_entropy_is_paid_for_by_hand():
    """Of a loss with no advantage only -c H is left; H = 1/4 log 4 + 3/4 log(4/3)."""
    policy = Told([0.0, np.log(3)])
    nothing = torch.zeros(1, 1, 1), torch.tensor([[0]]), torch.zeros(1, 1)
    H = 0.25 * np.log(4) + 0.75 * np.log(4 / 3)
    assert policy_loss(policy, *nothing, entropy=0.5).item() == pytest.approx(-0.5 * H)
    slope = gradient(policy_loss, policy, *nothing, entropy=0.5)
    assert slope[0] < 0 < slope[1], "going down it makes the two more alike"
    assert gradient(policy_loss, policy, *nothing).tolist() == [0, 0]


def no_gradient_through_the_advantage(loss):
    """Return whether the gradient is the same if the advantage comes out of the very same weights."""
    policy = Told([0.0, 1.0])
    obs, action = torch.zeros(1, 2, 1), torch.tensor([[0, 1]])
    A = policy.logits * torch.tensor([[2.0, -3.0]])
    one, other = (gradient(loss, policy, obs, action, advantage) for advantage in (A, A.detach()))
    return torch.equal(one, other)


def test_no_gradient_flows_through_the_advantage():
    assert no_gradient_through_the_advantage(policy_loss)


def test_means_are_those_of_the_real_steps_of_each_copy():
    real = torch.tensor([[True, True, False], [True, True, True]])
    value = torch.tensor([[1.0, 3.0, torch.inf], [3.0, 6.0, 9.0]])
    assert mean_over(real, value).tolist() == [2.0, 6.0]


def test_to_standardise_by_hand():
    """Copy 0 has 1 and 3, so -1 and 1; copy 1 has 0, 0, 6, of mean 2 and variance 8; in copy 2 all are alike."""
    real = torch.tensor([[True, False, True], [True] * 3, [True, True, False]])
    A = torch.tensor([[1.0, 99.0, 3.0], [0.0, 0.0, 6.0], [5.0, 5.0, -2.0]])
    found = standardise(A, real)
    assert found.tolist() == [
        pytest.approx([-1, 0, 1]),
        pytest.approx([-2 / 8**0.5, -2 / 8**0.5, 4 / 8**0.5]),
        [0.0, 0.0, 0.0],
    ]


# --- all steps of all episodes, in one row for each copy ---


def some_episodes(lengths, rng):
    """Return episodes of these lengths, int[K, E], and some return of each step; all in it is different."""
    K, E = lengths.shape
    T = lengths.max()
    real = np.arange(T)[:, None, None] < lengths
    obs, R = (rng.normal(size=(T, K, E, *shape)) for shape in ((2,), ()))
    action = rng.integers(5, size=(T, K, E))
    return Episodes(obs, action, np.where(real, 1.0, 0.0), real, np.ones((K, E), bool)), R


@given(
    st.tuples(st.integers(1, 3), st.integers(1, 4)).flatmap(
        lambda shape: st.lists(
            st.lists(st.integers(1, 6), min_size=shape[1], max_size=shape[1]), min_size=shape[0], max_size=shape[0]
        )
    ),
    st.integers(0, 99),
)
def test_the_rows_of_a_copy_are_its_real_steps(lengths, seed):
    """Against plain Python. Their order is of no importance to a mean, but all four must be in the same one."""
    lengths = np.array(lengths)
    run, R = some_episodes(lengths, np.random.default_rng(seed))
    obs, action, returns, real = packed(run, R)
    N = lengths.sum(axis=1).max()
    assert obs.shape == (len(lengths), N, 2)
    assert action.shape == returns.shape == real.shape == (len(lengths), N)
    assert (obs.dtype, action.dtype, returns.dtype, real.dtype) == (
        torch.float32,
        torch.int64,
        torch.float32,
        torch.bool,
    )
    for k, row in enumerate(lengths):
        expected = [
            (*run.obs[t, k, e].astype(np.float32), run.action[t, k, e], np.float32(R[t, k, e]))
            for e, length in enumerate(row)
            for t in range(length)
        ]
        assert real[k].tolist() == [True] * row.sum() + [False] * (N - row.sum())
        found = zip(obs[k].tolist(), action[k].tolist(), returns[k].tolist(), strict=True)
        found = [(*o, a, r) for (o, a, r), step in zip(found, real[k], strict=True) if step]
        assert sorted(found) == sorted(expected)


def test_actions_of_several_numbers_keep_their_axis():
    run, R = some_episodes(np.array([[2, 3]]), np.random.default_rng(0))
    run = run._replace(action=run.obs.astype(np.float32))
    obs, action, _, _ = packed(run, R)
    assert action.shape == (1, 5, 2)
    assert torch.equal(action, obs)


# --- updates, against a plain computation ---


def build(world, copies=2, seed=3):
    """Return a world, a policy and a baseline that fit together."""
    if world is cartpole:
        return CategoricalPolicy([4, 8, 2], copies, seed), StackedMLP([4, 8, 1], copies, seed + 9)
    return GaussianPolicy([1, 8, 2], copies, seed), StackedMLP([1, 8, 1], copies, seed + 9)


def distribution(policy, obs, k):
    """Return PyTorch's own distribution for what copy k sees, float[n, D]."""
    out = policy.network(obs.expand(len(list(policy.parameters())[0]), -1, -1))[k]
    if isinstance(policy, CategoricalPolicy):
        return torch.distributions.Categorical(logits=out)
    return torch.distributions.Independent(torch.distributions.Normal(out, policy.log_std[k].exp()), 1)


def by_hand(policy, baseline, runs, *, gamma, lr, fit, normalise):
    """Learn from recorded episodes, one after the other, with PyTorch's optimiser; return the losses."""
    optimiser = torch.optim.Adam(policy.parameters(), lr)
    fitter = torch.optim.Adam(baseline.parameters(), lr) if baseline else None
    losses = []
    for run in runs:
        T, K, E = run.real.shape
        data = []
        for k in range(K):
            obs, action, R = [], [], []
            for e in range(E):
                to_come = 0.0
                for t in reversed(range(int(run.real[:, k, e].sum()))):
                    to_come = run.reward[t, k, e] + gamma * to_come
                    obs.append(run.obs[t, k, e]), action.append(run.action[t, k, e]), R.append(to_come)
            data.append([torch.from_numpy(np.array(x)) for x in (obs, action, np.array(R, np.float32))])
        value = lambda k: baseline(data[k][0].expand(K, -1, -1))[k, :, 0]  # noqa: E731, B023
        row, total = [], 0.0
        for k, (obs, action, R) in enumerate(data):
            A = R - value(k).detach() if baseline else R
            if normalise:
                A = (A - A.mean()) / A.std(correction=0)
            loss = -(distribution(policy, obs, k).log_prob(action) * A).mean()
            row.append(loss.item())
            total = total + loss
        optimiser.zero_grad()
        total.backward()
        optimiser.step()
        losses.append(row)
        for _ in range(fit if baseline else 0):
            fitter.zero_grad()
            sum(((data[k][2] - value(k)) ** 2).mean() for k in range(K)).backward()
            fitter.step()
    return losses


def recorded(monkeypatch):
    """Have the episodes of the next runs written down."""
    runs = []

    def spy(*arguments):
        runs.append(run_episodes(*arguments))
        return runs[-1]

    monkeypatch.setattr(reinforce, "run_episodes", spy)
    return runs


def matches_by_hand(monkeypatch, world, with_baseline, normalise, **change):
    """Run five updates, and return whether policy, baseline and losses are those computed by hand."""
    runs = recorded(monkeypatch)
    policy, baseline = build(world)
    again, baseline_again = trainable(policy), trainable(baseline) if with_baseline else None
    told = {"gamma": 0.9, "lr": 0.01, "fit": 2, "normalise": normalise}
    found = train_reinforce(world, policy, **{**SMALL, **told}, baseline=baseline if with_baseline else None, **change)
    losses = by_hand(again, baseline_again, runs, **told)
    assert len(runs) == 5
    pairs = list(zip(policy.parameters(), again.parameters(), strict=True))
    if with_baseline:
        pairs += zip(baseline.parameters(), baseline_again.parameters(), strict=True)
    close = all(torch.allclose(a, b, rtol=1e-3, atol=1e-4) for a, b in pairs)
    return close and found.updates["loss"] == pytest.approx(np.array(losses).ravel(), rel=1e-3, abs=1e-4)


@pytest.mark.parametrize("world", [cartpole, Targets])
@pytest.mark.parametrize(("with_baseline", "normalise"), [(False, False), (True, False), (True, True)])
def test_an_update_is_what_pytorchs_optimiser_makes_of_the_episodes(monkeypatch, world, with_baseline, normalise):
    assert matches_by_hand(monkeypatch, world, with_baseline, normalise)


def test_each_copy_descends_its_own_mean_loss(monkeypatch):
    """Their sum is what is descended: in a mean over copies, each would take part in the size of the others' steps."""
    descended, losses = [], []

    class Spy(Adam):
        def step(self, loss):
            descended.append(loss.item())
            super().step(loss)

    def spy(real, value):
        losses.append(mean_over(real, value))
        return losses[-1]

    monkeypatch.setattr(reinforce, "Adam", Spy)
    monkeypatch.setattr(reinforce, "mean_over", spy)
    policy, baseline = build(cartpole)
    train_reinforce(cartpole, policy, **SMALL, baseline=baseline)
    assert len(losses) == 5 * (1 + 3), "of the policy, and of the baseline in three steps"
    assert all(loss.shape == (2,) for loss in losses)
    assert descended == pytest.approx([loss.sum().item() for loss in losses])


@pytest.mark.parametrize("world", [cartpole, Targets])
def test_copies_learn_together_what_they_learn_alone(monkeypatch, world):
    """From the same episodes, played back to each copy: the longer ones of the others are no part of them."""
    runs = recorded(monkeypatch)
    policy, baseline = build(world, 3)
    learn = {**SMALL, "copies": 3, "normalise": True}
    train_reinforce(world, policy, **learn, baseline=baseline)
    for k in range(3):
        left = iter(runs)
        own = lambda *_, left=left, k=k: mine(next(left), k)  # noqa: E731
        monkeypatch.setattr(reinforce, "run_episodes", own)
        alone, its = build(world, 1, 3 + k)
        train_reinforce(world, alone, **{**learn, "copies": 1}, baseline=its)
        for stacked, single in ((policy, alone), (baseline, its)):
            for a, b in zip(stacked.parameters(), single.parameters(), strict=True):
                torch.testing.assert_close(a[k : k + 1], b, rtol=1e-3, atol=1e-4)


def mine(run, k):
    """Return the episodes of copy k alone, only as long as they are."""
    T = run.real[:, k].any(axis=1).sum()
    steps = [x[:T, k : k + 1] for x in (run.obs, run.action, run.reward, run.real)]
    return Episodes(*steps, run.terminated[k : k + 1])


# --- whole runs, against exact values ---

GOOD = {"loss": policy_loss, "credit": reward_to_go}


def probe_is_solved(probe, seed, **learn):
    """Return whether in all copies the likeliest action is the best, and the baseline near V of the policy."""
    K, sizes = 4, [1, 16]
    policy, baseline = CategoricalPolicy([*sizes, probe.mdp.n_actions], K, seed), StackedMLP([*sizes, 1], K, seed + K)
    told = {"episodes": 1280, "batch": 32, "gamma": 0.5, "lr": 0.04, **learn}
    train_reinforce(probe.make, policy, copies=K, seed=seed, baseline=baseline, **told)
    seen = torch.tensor(probe.observations[probe.acting], dtype=torch.float32).expand(K, -1, -1)
    pi, V = policy(seen).probs.detach().numpy(), baseline(seen).squeeze(-1).detach().numpy()
    error = abs(V - (pi * probe.Q).sum(axis=-1)).max()
    best = (pi.argmax(axis=-1) == probe.Q.argmax(axis=-1)).all()
    return bool(best and error < (0.01 if probe.mdp.n_actions == 1 else 0.25))


def mitchell_is_solved(seed, **learn):
    """Return whether the greedy policy is optimal in all of 20 copies, in each of the cells, which they see."""
    mdp = mitchell()
    policy, baseline = CategoricalPolicy([6, 4], 20, seed), StackedMLP([6, 1], 20, seed + 20)
    told = {"episodes": 960, "batch": 32, "gamma": mdp.gamma, "lr": 0.15, "normalise": True, **learn}
    make = lambda n: TabularVectorEnv(n, mdp, limit=20)  # noqa: E731
    train_reinforce(make, policy, copies=20, seed=seed, baseline=baseline, **told)
    action = policy(torch.eye(6).expand(20, -1, -1)).mode().numpy()
    Q = solve(mdp).Q
    chosen = Q[np.arange(6), action]
    return bool((chosen >= Q.max(axis=1) - 1e-6)[:, ~mdp.terminal].all())


@functools.cache
def solved(fault, seed=0):
    """Return of the five probes and Mitchell's cells, whether a learner with this fault solves them."""
    learn = FAULTS[fault][0] if fault else GOOD
    return "".join(
        ".X"[not found]
        for found in [*(probe_is_solved(probe, seed, **learn) for probe in probes()), mitchell_is_solved(seed, **learn)]
    )


@pytest.mark.parametrize("seed", [0, 100])
def test_it_solves_the_probes_and_mitchells_six_cells(seed):
    assert solved(None, seed) == "......"


def test_where_all_cells_look_alike_it_learns_to_act_at_random():
    """The best probability of "right" is 2 - sqrt(2) = 0.586, and worth -11.66: half of the time it is about there."""
    K, corridor = 20, short_corridor()
    policy = CategoricalPolicy([1, 2], K)
    make = lambda n: TabularVectorEnv(n, corridor, np.ones((4, 1)))  # noqa: E731
    found = train_reinforce(make, policy, copies=K, episodes=800, batch=16, gamma=1.0, lr=0.02, normalise=True)
    right = policy(torch.ones(K, 1, 1)).probs[:, 0, 1]
    assert right.mean().item() == pytest.approx(2 - 2**0.5, abs=0.04)
    assert 0.4 < right.min() and right.max() < 0.75
    late = found.episodes["return"][found.episodes["episode"] > 400]
    assert -13.5 < late.mean() < -11.2
    assert (found.episodes["length"] == -found.episodes["return"]).all()


def test_it_learns_to_name_numbers():
    """The best action where x is seen is (x, 0.3); every deviation costs, so the scatter shrinks."""
    policy, baseline = GaussianPolicy([1, 16, 2], 4), StackedMLP([1, 16, 1], 4, 9)
    train_reinforce(
        Targets, policy, copies=4, episodes=1600, batch=16, gamma=0.0, lr=0.02, baseline=baseline, normalise=True
    )
    x = torch.linspace(-0.9, 0.9, 7).reshape(1, 7, 1).expand(4, -1, -1)
    best = torch.cat([x, torch.full_like(x, 0.3)], dim=-1)
    assert (policy(x).mode() - best).abs().mean() < 0.1
    assert policy.log_std.max() < -1


def test_cartpole_is_balanced_for_far_longer_than_by_chance():
    """In 160 episodes, each of 200 steps at most; whoever acts at random lasts for about 22."""
    policy, baseline = CategoricalPolicy([4, 32, 2], 4), StackedMLP([4, 32, 1], 4, 9)
    learn = {"episodes": 160, "batch": 8, "lr": 0.02, "limit": 200, "normalise": True}
    found = train_reinforce(cartpole, policy, copies=4, baseline=baseline, **learn)
    begun, ended = (found.episodes["return"][part].mean() for part in (slice(64), slice(-96, None)))
    assert begun < 40
    assert ended > 100


def test_the_car_stays_on_the_road_for_longer_than_before():
    """Roads of 300 to 400 metres, ten seconds at most; at first it leaves them after about 16 metres."""
    roads = make_roads(range(4))
    make = lambda n: Driving(n, roads, limit=100)  # noqa: E731
    policy, baseline = GaussianPolicy([11, 16, 1], 3), StackedMLP([11, 16, 1], 3, 9)
    drive = lambda: play(acting(policy), make, copies=3, episodes=20, seed=99)["return"].mean()  # noqa: E731
    before = drive()
    train_reinforce(make, policy, copies=3, episodes=128, batch=8, lr=0.02, baseline=baseline, normalise=True)
    assert before < 30
    assert drive() > 50


# --- planted faults ---


def sign(policy, obs, action, A):
    return -policy_loss(policy, obs, action, A)


def blind(policy, obs, action, A):
    return policy_loss(policy, torch.zeros_like(obs), action, A)


def others(policy, obs, action, A):
    """With the probability of the action beside the one that was taken."""
    pi = policy(obs)
    return -pi.log_prob((action + 1) % pi.probs.shape[-1]) * A


def before(reward, gamma):
    """The credit of an action is what was paid until then."""
    return np.cumsum(reward, axis=0)


# Which a fault breaks of the probes (the constant reward, what is seen, later, the action, both) and Mitchell's cells.
FAULTS = {
    "the minus sign is forgotten": ({"loss": sign}, "...XXX"),
    "the policy sees nothing": ({"loss": blind}, "....XX"),
    "the probability of another action": ({"loss": others}, "...XXX"),
    "credit for what came before": ({"credit": before}, "..X..X"),
    "gamma is ignored": ({"credit": lambda reward, gamma: reward_to_go(reward, 1.0)}, "..X..X"),
    "the reward of the step alone": ({"credit": lambda reward, gamma: reward}, "..X..X"),
    # the policy learns from it, but the baseline learns what the whole episode is worth in every state:
    "credit for the whole episode": ({"credit": total_return}, "..X..."),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_breaks_these_worlds_and_no_others(fault):
    assert solved(fault) == FAULTS[fault][1]


def test_each_world_is_broken_by_a_fault():
    assert {i for _, broken in FAULTS.values() for i, mark in enumerate(broken) if mark == "X"} == {2, 3, 4, 5}


def attached(policy, obs, action, A):
    return -policy(obs).log_prob(action) * A


def test_a_gradient_through_the_advantage_is_found_where_one_would_flow():
    """In no whole run: there the baseline's value comes without a gradient."""
    assert not no_gradient_through_the_advantage(attached)


def over_steps_that_are_not_real(real, value):
    return value.mean(dim=1)


def over_copies(real, value):
    return torch.where(real, value, 0.0).sum(dim=0) / real.sum(dim=0)


def over_all(real, value):
    return torch.where(real, value, 0.0).sum(dim=1) / real.sum()


@pytest.mark.parametrize("mean", [over_steps_that_are_not_real, over_copies, over_all])
def test_a_mean_over_the_wrong_steps_is_found_by_the_update_by_hand(monkeypatch, mean):
    monkeypatch.setattr(reinforce, "mean_over", mean)
    assert not matches_by_hand(monkeypatch, cartpole, True, False)


@pytest.mark.parametrize("loss", [sign, blind, others])
def test_faulty_losses_are_found_by_the_update_by_hand_too(monkeypatch, loss):
    assert not matches_by_hand(monkeypatch, cartpole, True, False, loss=loss)


@pytest.mark.parametrize("credit", [before, total_return])
def test_faulty_credit_is_found_by_the_update_by_hand_too(monkeypatch, credit):
    assert not matches_by_hand(monkeypatch, cartpole, True, False, credit=credit)


# --- acting ---


def test_without_chance_the_likeliest_action_is_taken():
    for policy in (CategoricalPolicy([3, 8, 5], 2), GaussianPolicy([3, 8, 2], 2)):
        obs = np.random.default_rng(0).normal(size=(2, 6, 3))
        action = acting(policy)(obs)
        assert np.array_equal(action, policy(torch.from_numpy(obs).float()).mode().detach().numpy())
        one, two, other = (acting(policy, torch.Generator().manual_seed(seed))(obs) for seed in (1, 1, 2))
        assert np.array_equal(one, two)
        assert not np.array_equal(one, other)
        assert not np.array_equal(one, action)
        assert one.shape == action.shape


# --- what a run leaves behind ---


def run(world=cartpole, seed=0, **change):
    policy, baseline = build(world)
    return train_reinforce(world, policy, **{**SMALL, "baseline": baseline, "seed": seed, **change})


@pytest.mark.parametrize("world", [cartpole, Targets])
def test_a_seed_says_all_and_copies_differ(world):
    state = torch.get_rng_state()
    one, two, other = (run(world, seed, test_every=8, test_episodes=3) for seed in (1, 1, 2))
    assert torch.equal(state, torch.get_rng_state())
    assert same(one.policy, two.policy)
    assert same(one.best, two.best)
    for columns, others in zip(
        (one.episodes, one.tests, one.updates), (two.episodes, two.tests, two.updates), strict=True
    ):
        assert all(np.array_equal(columns[name], others[name]) for name in columns)
    assert not same(one.policy, other.policy)
    returns = [one.episodes["return"][one.episodes["copy"] == k].tolist() for k in range(2)]
    assert returns[0] != returns[1]


def test_the_seed_of_a_run_is_that_of_its_worlds(monkeypatch):
    """So that a run can be watched from the outside: its policy of the beginning meets the same first episodes."""
    runs, policy = recorded(monkeypatch), build(cartpole)[0]
    run(seed=9)
    worlds, chance = Worlds(cartpole, 2, 4, 9), torch.Generator().manual_seed(9)
    again = run_episodes(worlds, acting(policy, chance), 30)
    assert np.array_equal(runs[0].obs, again.obs)
    assert np.array_equal(runs[0].action, again.action)


def test_the_log_is_what_happened(monkeypatch):
    runs = recorded(monkeypatch)
    found = run()
    log = {name: column.reshape(5, 2, 4) for name, column in found.episodes.items()}  # update, copy, world
    assert list(log) == ["copy", "episode", "step", "length", "return"]
    steps = np.zeros(2)
    for i, episodes in enumerate(runs):
        for k in range(2):
            lengths = [int(episodes.real[:, k, e].sum()) for e in range(4)]
            steps[k] += sum(lengths)
            assert log["length"][i, k].tolist() == lengths
            assert log["return"][i, k].tolist() == [episodes.reward[:, k, e].sum() for e in range(4)]
            assert set(log["step"][i, k]) == {steps[k]}, "of the copy, in all its worlds"
            assert set(log["copy"][i, k]) == {k}
            assert set(log["episode"][i, k]) == {4 * (i + 1)}
    assert found.updates["episode"].tolist() == [n for n in (4, 8, 12, 16, 20) for _ in range(2)]
    assert found.updates["copy"].tolist() == [0, 1] * 5
    assert found.unit == "episode"
    assert found.params["batch"] == 4
    assert found.params["lr"] == 1e-2


def test_its_curve_is_drawn_over_episodes():
    found = run()
    x, y = found.curve(5)
    assert x.tolist() == [4, 8, 12, 16, 20]
    for k in range(2):
        mine = found.episodes["return"][found.episodes["copy"] == k].reshape(5, 4)
        assert y[k].tolist() == pytest.approx(mine.mean(axis=1))
    x, y = found.curve(1)
    assert x.tolist() == [20]
    assert y.mean() == pytest.approx(found.episodes["return"].mean())


def test_episodes_that_do_not_fill_a_batch_are_not_run():
    found = run(episodes=23)
    assert found.episodes["episode"].max() == 20
    assert len(found.episodes["copy"]) == 40


def test_tests_are_of_the_likeliest_actions_in_fresh_worlds():
    made = []

    def make(n):
        made.append((n, cartpole(n)))
        return made[-1][1]

    policy, baseline = build(cartpole)
    found = train_reinforce(make, policy, **SMALL, baseline=baseline, test_every=8, test_episodes=3)
    assert [n for n, _ in made] == [8, 6, 6], "training, and then two tests"
    assert set(found.tests) == {"copy", "episode", "return", "length"}
    x, y = found.tested()
    assert x.tolist() == [8, 16]
    assert sorted(found.snapshots) == [8, 16]
    seeds = [env.unwrapped.np_random_seed for _, env in made]
    assert len(set(seeds)) == 3
    for i, n in enumerate((8, 16)):
        again = play(acting(found.snapshots[n]), cartpole, copies=2, episodes=3, seed=seeds[i + 1], limit=30)
        assert y[:, i].tolist() == pytest.approx(again["return"].mean(axis=1))
        assert found.tested("length")[1][:, i].tolist() == pytest.approx(again["length"].mean(axis=1))
    better = y.argmax(axis=1)
    for k, i in enumerate(better):
        for kept, then in zip(found.best.parameters(), found.snapshots[(8, 16)[i]].parameters(), strict=True):
            assert torch.equal(kept[k], then[k])


def test_testing_does_not_change_what_is_learned():
    assert same(run().policy, run(test_every=4, test_episodes=2).policy)


def test_what_was_broken_off_counts_as_it_stands():
    """Episodes without an end, of 5 steps that pay 10 w + 1, 2, ...: nothing that was not seen is added."""
    make = lambda n: Scripted(n, [[(99, "terminated")]] * n)  # noqa: E731
    seen = []

    def spy(policy, obs, action, A):
        seen.append((obs, A))
        return policy_loss(policy, obs, action, A)

    policy = CategoricalPolicy([3, 4, 4], 2)
    found = train_reinforce(make, policy, **{**SMALL, "limit": 5, "gamma": 0.5}, loss=spy)
    assert set(found.episodes["length"]) == {5}
    for obs, A in seen:
        assert A.shape == (2, 20)
        for (w, _, t), R in zip(obs.reshape(-1, 3).tolist(), A.flatten().tolist(), strict=True):
            assert R == pytest.approx(sum(0.5**i * (10 * w + t + 1 + i) for i in range(5 - int(t))))


# --- interrupting ---


def interrupted(after, error=KeyboardInterrupt):
    count = []

    def loss(*arguments):
        count.append(0)
        if len(count) > after:
            raise error
        return policy_loss(*arguments)

    return loss


def test_an_interrupted_run_keeps_what_was_learned(capsys):
    """The fourth update never comes: three of four episodes each, as in a run of 12."""
    found, short = run(loss=interrupted(3), test_every=8, test_episodes=2), run(episodes=12)
    assert same(found.policy, short.policy)
    assert found.updates["episode"].tolist() == [4, 4, 8, 8, 12, 12]
    assert found.tests["episode"].tolist() == [8, 8]
    assert found.episodes["episode"].max() == 16, "the episodes of the fourth were run"
    assert capsys.readouterr().out == "Interrupted: what was learned in 16 episodes is kept.\n"
    assert found.curve(10)[1].shape == (2, 10)


def test_a_run_interrupted_at_once_still_has_a_result(capsys):
    found = run(loss=interrupted(0))
    assert same(found.policy, build(cartpole)[0])
    assert len(found.updates["loss"]) == 0
    assert "4 episodes" in capsys.readouterr().out


def test_interrupted_before_the_first_episode_has_ended_it_has_an_empty_log(monkeypatch, capsys):
    def stop(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(reinforce, "run_episodes", stop)
    found = run()
    assert {name: len(column) for name, column in found.episodes.items()} == dict.fromkeys(found.episodes, 0)
    assert np.isnan(found.curve(3)[1]).all()
    assert "Interrupted" in capsys.readouterr().out


def test_other_errors_are_not_swallowed():
    with pytest.raises(ZeroDivisionError):
        run(loss=interrupted(3, ZeroDivisionError))


# --- the door ---


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"episodes": 0}, "episodes is 0, but a whole number of at least 1 was expected"),
        ({"episodes": 1e3}, r"episodes is 1000\.0, but an int was expected"),
        ({"copies": 0}, "copies is 0, but a whole number of at least 1 was expected"),
        (
            {"copies": 3},
            r"policy\.network\.layers\.0\.weight has shape \(2, 4, 8\), but copies is 3: its first axis .+",
        ),
        ({"batch": 0}, "batch is 0, but a whole number of at least 1 was expected"),
        ({"batch": 4.0}, r"batch is 4\.0, but an int was expected"),
        ({"batch": 2.5}, r"batch is 2\.5, but a whole number of at least 1 was expected"),
        ({"batch": 21}, "batch is 21, but there are only 20 episodes"),
        ({"seed": -1}, "seed is -1, but a whole number of at least 0 was expected"),
        ({"gamma": 1.1}, r"gamma is 1\.1, but it must lie in \[0, 1\]"),
        ({"gamma": None}, "gamma must be an array of real numbers, not None"),
        ({"lr": 0}, r"lr is 0\.0, but a step size above 0 was expected"),
        ({"fit": 0}, "fit is 0, but a whole number of at least 1 was expected"),
        ({"limit": 0}, "limit is 0, but a whole number of at least 1 was expected"),
        ({"test_every": -5}, "test_every is -5, but a whole number of at least 0 was expected"),
        ({"test_episodes": 0}, "test_episodes is 0, but a whole number of at least 1 was expected"),
        (
            {"baseline": StackedMLP([4, 1], 3)},
            r"baseline\.layers\.0\.weight has shape \(3, 4, 1\), but copies is 2: .+",
        ),
        ({"baseline": torch.nn.ReLU()}, "baseline has no weights: there is nothing to learn"),
    ],
)
def test_settings_that_do_not_fit_are_refused_in_one_sentence(change, message):
    policy = build(cartpole)[0]
    with pytest.raises(ValueError, match=f"^{message}$"):
        train_reinforce(cartpole, policy, **{**SMALL, **change})
    assert same(policy, build(cartpole)[0])


EXPECTED = r"\(2, 4, 2\) was expected"


@pytest.mark.parametrize(
    ("world", "policy", "message"),
    [
        (
            cartpole,
            CategoricalPolicy([4, 8, 3], 2),
            r"policy gives a Categorical of shape \(2, 4, 3\), but the actions are Discrete\(2\): " + EXPECTED,
        ),
        (
            cartpole,
            CategoricalPolicy([4, 1], 2),
            r"policy gives a Categorical of shape \(2, 4, 1\), but the actions are Discrete\(2\): " + EXPECTED,
        ),
        (
            cartpole,
            GaussianPolicy([4, 2], 2),
            r"policy gives a Gaussian of shape \(2, 4, 2\), but the actions are Discrete\(2\): " + EXPECTED,
        ),
        (
            Targets,
            GaussianPolicy([1, 3], 2),
            r"policy gives a Gaussian of shape \(2, 4, 3\), but the actions are Box\(.+\): " + EXPECTED,
        ),
        (
            Targets,
            CategoricalPolicy([1, 2], 2),
            r"policy gives a Categorical of shape \(2, 4, 2\), but the actions are Box\(.+\): " + EXPECTED,
        ),
        (
            cartpole,
            CategoricalPolicy([5, 2], 2),
            r"policy does not take observations of shape \(2, 4, 4\), \[K, E, \.\.\.\]: .+",
        ),
        (
            cartpole,
            torch.nn.Linear(4, 2),
            r"policy\.weight has shape \(2, 4\), but copies is 2: its first axis must be that",
        ),
        (cartpole, torch.nn.ReLU(), "policy has no weights: there is nothing to learn"),
    ],
)
def test_a_policy_that_does_not_fit_the_world_is_refused(world, policy, message):
    with pytest.raises(ValueError, match=f"^{message}$"):
        train_reinforce(world, policy, **SMALL)
