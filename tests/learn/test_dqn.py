"""Deep Q-networks: numbers worked by hand, one update in plain numpy, whole runs against exact values."""

import numpy as np
import pytest
import torch

from rlkit.core.types import Batch
from rlkit.envs import TabularVectorEnv, Worlds, cartpole, probes
from rlkit.learn.dqn import act, double_dqn_loss, double_dqn_target, dqn_loss, dqn_target, play, train_dqn
from rlkit.mdp import TabularMDP, solve
from rlkit.mdp.worlds import mitchell
from rlkit.nets import Adam, StackedMLP, frozen_copy
from tests.envs.toys import Scripted
from tests.learn.chance import ERROR_RATE, allowed, p_value

SMALL = {"steps": 400, "copies": 2, "worlds": 4, "warm_up": 40, "freeze": 7, "memory": 200, "epsilon": (1, 0.1, 200)}


def same(one, other):
    return all(torch.equal(a, b) for a, b in zip(one.parameters(), other.parameters(), strict=True))


def constant(values, inputs, copies=1):
    """Return a network that says the same of every state: float[A]."""
    q = StackedMLP([inputs, len(values)], copies)
    with torch.no_grad():
        q.layers[0].weight[:] = 0
        q.layers[0].bias[:] = torch.tensor(values, dtype=torch.float32)
    return q


def loop(reward=1.0, actions=1):
    """Return one state that leads to itself for ever."""
    return TabularMDP(np.ones((1, actions, 1)), np.full((1, actions), reward), 0.5)


# --- the equations, on numbers worked by hand ---


def test_the_target_worked_by_hand():
    Q_next = torch.tensor([[1.0, 4.0], [-3.0, -2.0], [9.0, 9.0]])
    reward, terminated = torch.tensor([1.0, 2.0, 3.0]), torch.tensor([False, False, True])
    assert dqn_target(reward, Q_next, terminated, 0.5).tolist() == [3.0, 1.0, 3.0]
    assert dqn_target(reward, Q_next, terminated, torch.tensor([1.0, 0.25, 0.5])).tolist() == [5.0, 1.5, 3.0]


def test_the_double_target_worked_by_hand():
    """The network that learns chooses action 0, 1, 0; the frozen one says that they are worth 10, -1, 9."""
    Q_next = torch.tensor([[4.0, 1.0], [-3.0, -2.0], [9.0, 8.0]])
    Q_frozen_next = torch.tensor([[10.0, 20.0], [5.0, -1.0], [9.0, 7.0]])
    reward, terminated = torch.tensor([1.0, 2.0, 3.0]), torch.tensor([False, False, True])
    assert double_dqn_target(reward, Q_next, Q_frozen_next, terminated, 0.5).tolist() == [6.0, 1.5, 3.0]
    assert torch.equal(
        double_dqn_target(reward, Q_next, Q_next, terminated, 0.5), dqn_target(reward, Q_next, terminated, 0.5)
    )


def test_what_follows_the_end_is_not_looked_at():
    """Not even if it is not a number: a network may say anything of a state in which nothing is ever done."""
    wild = torch.tensor([[float("nan"), float("inf")]])
    one, end = torch.ones(1), torch.tensor([True])
    assert dqn_target(one, wild, end, 0.9).tolist() == [1.0]
    assert double_dqn_target(one, wild, wild, end, 0.9).tolist() == [1.0]


# --- the loss ---


def numpy_network(weights, x):
    for i, (W, b) in enumerate(weights):
        x = np.maximum(x, 0) if i else x
        x = x @ W + b
    return x


def numpy_loss(weights, frozen, batch, k, double):
    """Return the mean loss of copy k, one transition after the other."""
    total = 0.0
    for obs, action, reward, next_obs, terminated, discount in zip(*(column[k] for column in batch), strict=True):
        y = reward
        if not terminated:
            judged = numpy_network(frozen, next_obs)
            best = numpy_network(double or frozen, next_obs).argmax()
            y = y + discount * judged[best]
        total += (y - numpy_network(weights, obs)[action]) ** 2
    return total / len(batch[1][k])


def some_batch(rng, copies=3, size=6, inputs=2, actions=3):
    floats = [rng.normal(size=(copies, size, *shape)) for shape in ((inputs,), (), (inputs,))]
    flags, discount = rng.random((copies, size)) < 0.4, rng.choice([0.9, 0.81], size=(copies, size))
    obs, reward, next_obs = floats
    return Batch(obs, rng.integers(actions, size=(copies, size)), reward, next_obs, flags, discount)


@pytest.mark.parametrize("loss", [dqn_loss, double_dqn_loss])
def test_loss_and_gradient_are_those_of_plain_numpy(loss):
    """Gradients by central differences in float64; in double DQN the chooser's weights take no part in them."""
    rng = np.random.default_rng(0)
    q, q_frozen = (StackedMLP([2, 4, 3], 3, seed).double() for seed in (0, 50))
    batch = some_batch(rng)
    errors = loss(q, q_frozen, Batch(*(torch.from_numpy(column) for column in batch)))
    assert errors.shape == (3, 6)
    found = torch.autograd.grad(errors.mean(dim=1).sum(), list(q.parameters()))
    assert all(p.grad is None for p in q_frozen.parameters())
    for k in range(3):
        weights, frozen = (
            [
                (layer.weight[k].detach().numpy().copy(), layer.bias[k, 0].detach().numpy().copy())
                for layer in net.layers
            ]
            for net in (q, q_frozen)
        )
        chooser = [(W.copy(), b.copy()) for W, b in weights] if loss is double_dqn_loss else None
        assert errors[k].mean().item() == pytest.approx(numpy_loss(weights, frozen, batch, k, chooser))
        gradients = iter(found)
        for part in (part for pair in weights for part in pair):
            own = next(gradients)[k].numpy().reshape(part.shape)
            for place in np.ndindex(part.shape):
                values = []
                for step in (1e-6, -2e-6):
                    part[place] += step
                    values.append(numpy_loss(weights, frozen, batch, k, chooser))
                part[place] += 1e-6
                assert own[place] == pytest.approx((values[0] - values[1]) / 2e-6, abs=1e-6)


@pytest.mark.parametrize("loss", [dqn_loss, double_dqn_loss])
def test_the_gradient_goes_through_the_value_of_the_action_taken_only(loss):
    """Even if both networks are one and the same: its values of the next state count as numbers. -2 (y - Q) at (s, a)."""

    class Table(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.Q = torch.nn.Parameter(torch.tensor([[[1.0, 2.0], [3.0, 5.0]]]))

        def forward(self, obs):
            return obs @ self.Q

    table = Table()
    state = torch.eye(2)[None]
    one = torch.tensor([[0.5]])
    batch = Batch(state[:, :1], torch.tensor([[0]]), one, state[:, 1:], torch.tensor([[False]]), one)
    error = loss(table, table, batch)
    assert error.tolist() == [[4.0]]  # y = 0.5 + 0.5 * 5 = 3, and Q = 1
    assert torch.autograd.grad(error.sum(), [table.Q])[0].tolist() == [[[-4.0, 0.0], [0.0, 0.0]]]


# --- acting ---


def test_without_exploring_an_action_is_greedy():
    q, rng = StackedMLP([3, 8, 5], 4, 0), np.random.default_rng(0)
    obs = rng.normal(size=(4, 100, 3))
    action = act(q, obs, 0.0, rng)
    Q = q(torch.from_numpy(obs).float()).detach().numpy()
    assert action.shape == (4, 100)
    assert action.dtype.kind == "i"
    assert np.array_equal(action, Q.argmax(axis=-1))
    assert len(np.unique(action)) > 1


@pytest.mark.parametrize("epsilon", [1.0, 0.3])
def test_exploring_is_uniform_and_independent_of_copy_and_world(epsilon):
    """Chi-square over actions of 40 000 worlds, and over pairs of copies; error rate 1e-6 each."""
    q = constant([0, 1, 0, 0], inputs=1, copies=2)
    action = act(q, np.zeros((2, 20_000, 1)), epsilon, np.random.default_rng(0))
    probabilities = np.full(4, epsilon / 4) + (1 - epsilon) * np.eye(4)[1]
    assert p_value(np.bincount(action.ravel(), minlength=4), probabilities) > ERROR_RATE
    pairs = np.bincount(4 * action[0] + action[1], minlength=16)
    assert p_value(pairs, np.outer(probabilities, probabilities).ravel()) > ERROR_RATE


# --- playing ---


def test_playing_returns_what_the_world_pays():
    """Two steps, the second pays 1; each copy's network promises what it was made to promise."""
    later, q = probes(0.5)[2], constant([0.75], inputs=1, copies=2)
    with torch.no_grad():
        q.layers[0].bias[1] = -3.0
    found = play(q, later.make, copies=2, episodes=5, gamma=0.5)
    assert found["return"].tolist() == [[1.0] * 5] * 2
    assert found["discounted"].tolist() == [[0.5] * 5] * 2
    assert found["promise"].tolist() == [[0.75] * 5, [-3.0] * 5]


def test_only_the_first_episode_of_each_world_counts():
    """Four episodes of lengths 1, 2, 3 and 7, broken off or ended, and step t of world w pays 10 w + t."""
    ends = ["terminated", "truncated", "both", "truncated"]
    scripts = [[(length, end)] for length, end in zip([1, 2, 3, 7], ends, strict=True)]
    found = play(constant([1, 0], 3), lambda n: Scripted(n, scripts), copies=1, episodes=4, gamma=0.5)
    paid = [[10 * w + t for t in range(1, n + 1)] for w, n in enumerate([1, 2, 3, 7])]
    assert found["return"].tolist() == [[sum(row) for row in paid]]
    assert found["discounted"].tolist() == [[sum(r * 0.5**t for t, r in enumerate(row)) for row in paid]]


def test_an_episode_without_an_end_counts_as_far_as_it_was_played():
    """One state that pays 1 for ever: 7 steps, and 1 + 1/2 + ... + 1/64."""
    found = play(constant([0], 1), lambda n: TabularVectorEnv(n, loop()), copies=1, episodes=2, gamma=0.5, limit=7)
    assert found["return"].tolist() == [[7.0, 7.0]]
    assert found["discounted"].tolist() == [[127 / 64] * 2]


def test_each_copy_plays_its_own_policy():
    q = constant([0, 0], inputs=1, copies=2)
    with torch.no_grad():
        q.layers[0].bias[:] = torch.tensor([[[1.0, 0.0]], [[0.0, 1.0]]])
    found = play(q, probes()[3].make, copies=2, episodes=3)
    assert found["return"].tolist() == [[1.0] * 3, [-1.0] * 3]


def test_chance_in_the_world_and_chance_in_the_policy_are_not_the_same_chance():
    """Only the random half of the actions is ever 1, and it pays in one of two next states: in 1 of 8 episodes.

    Drew both from one stream of numbers, exploring would come with the first of the two states. Error rate 1e-6.
    """
    P = np.zeros((3, 2, 3))
    P[0, :, 1:] = 0.5
    P[1, :, 1] = P[2, :, 2] = 1
    R = np.zeros((3, 2, 3))
    R[0, 1, 1] = 1
    mdp = TabularMDP(P, R, 0.9, [1, 0, 0], [0, 1, 1])
    found = play(constant([1, 0], 3), lambda n: TabularVectorEnv(n, mdp), copies=1, episodes=5000, epsilon=0.5)
    assert abs(found["return"].mean() - 1 / 8) < allowed() * np.sqrt(1 / 8 * 7 / 8 / 5000)


def test_playing_with_a_seed_is_repeatable_and_leaves_the_network_alone():
    q = StackedMLP([4, 8, 2], 2, 0)
    before = frozen_copy(q)
    one, two, other = (play(q, cartpole, copies=2, episodes=6, epsilon=0.3, seed=seed) for seed in (1, 1, 2))
    assert all(np.array_equal(one[name], two[name]) for name in one)
    assert not np.array_equal(one["return"], other["return"])
    assert same(q, before)


# --- whole runs ---


@pytest.mark.parametrize("loss", [dqn_loss, double_dqn_loss])
def test_mitchells_six_cells_are_learned_exactly(loss):
    """Every action that exists, in every copy; the lecture's 90, 100, 81, 72.9."""
    mdp = mitchell()
    q = StackedMLP([6, 32, 4], 3, 0)
    learn = {
        "steps": 6000,
        "worlds": 4,
        "lr": 1e-2,
        "batch": 32,
        "warm_up": 200,
        "freeze": 20,
        "memory": 4000,
        "gamma": 0.9,
    }
    train_dqn(
        lambda n: TabularVectorEnv(n, mdp, limit=20),
        q,
        copies=3,
        epsilon=(1, 0.5, 2000),
        loss=loss,
        **learn,
    )
    exists = mdp.available & ~mdp.terminal[:, None]
    Q = q(torch.eye(6).expand(3, -1, -1)).detach().numpy()
    assert abs(Q - solve(mdp).Q)[:, exists].max() < 0.2


@pytest.mark.parametrize("n_step", [1, 3, 8])
def test_what_was_broken_off_goes_on(n_step):
    """One state that pays 1 a step for ever is worth 1 / (1 - gamma) = 2, though its episodes are broken off after 5."""
    q = StackedMLP([1, 1], 2, 0)
    learn = {**SMALL, "steps": 1600, "gamma": 0.5, "lr": 0.05, "freeze": 10, "n_step": n_step}
    result = train_dqn(lambda n: TabularVectorEnv(n, loop(), limit=5), q, **learn)
    assert q(torch.ones(2, 1, 1)).flatten().tolist() == pytest.approx([2.0] * 2, abs=1e-3)
    assert set(result.episodes["length"]) == {5}
    assert set(result.episodes["return"]) == {5.0}


@pytest.mark.parametrize("n_step", [1, 2, 3])
def test_what_has_ended_does_not_go_on(n_step):
    """Two steps, then the end: worth gamma and 1, however many steps a target looks ahead."""
    later, q = probes(0.5)[2], StackedMLP([1, 16, 1], 2, 0)
    train_dqn(later.make, q, **{**SMALL, "steps": 2000, "gamma": 0.5, "lr": 1e-2, "n_step": n_step})
    Q = q(torch.tensor([[[-1.0], [1.0]]] * 2)).flatten().tolist()
    assert Q == pytest.approx([0.5, 1.0] * 2, abs=1e-3)


def test_the_run_is_its_batches_fed_to_pytorchs_adam():
    """All that a run did is done again from its batches: another optimiser, another loop, the copies one by one."""
    q = StackedMLP([4, 8, 2], 2, 3)
    again, frozen = frozen_copy(q), frozen_copy(q)
    for parameter in again.parameters():
        parameter.requires_grad_(True)
    batches = []

    def spy(q, q_frozen, batch):
        batches.append(batch)
        return dqn_loss(q, q_frozen, batch)

    result = train_dqn(cartpole, q, **SMALL, lr=1e-2, gamma=0.9, batch=16, loss=spy)
    optimiser = torch.optim.Adam(again.parameters(), 1e-2)
    losses = []
    for i, batch in enumerate(batches, start=1):
        optimiser.zero_grad()
        losses.append([])
        for k in range(2):
            Q = again(batch.obs)[k, torch.arange(16), batch.action[k]]
            future = frozen(batch.next_obs)[k].max(dim=1).values
            y = batch.reward[k] + 0.9 * future * (1 - batch.terminated[k].float())
            error = ((Q - y) ** 2).mean()
            losses[-1].append(error.item())
            error.backward(retain_graph=True)
        optimiser.step()
        if i % 7 == 0:
            frozen.load_state_dict(again.state_dict())
    for a, b in zip(q.parameters(), again.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-3, atol=1e-4)
    assert len(batches) == len([t for t in range(4, 401, 4) if t >= 40]) == 91
    assert result.updates["step"][::2].tolist() == list(range(40, 401, 4))
    assert result.updates["copy"].tolist() == [0, 1] * 91
    assert result.updates["loss"].reshape(91, 2) == pytest.approx(np.array(losses), rel=1e-2, abs=1e-4)


def test_each_copy_descends_its_own_mean_error(monkeypatch):
    """Their sum is what is descended: in a mean over copies, each would take part in the size of the others' steps."""
    descended, errors = [], []

    class Spy(Adam):
        def step(self, loss):
            descended.append(loss.item())
            super().step(loss)

    def spy(q, q_frozen, batch):
        errors.append(dqn_loss(q, q_frozen, batch))
        return errors[-1]

    monkeypatch.setattr("rlkit.learn.dqn.Adam", Spy)
    train_dqn(cartpole, StackedMLP([4, 8, 2], 2, 0), **SMALL, loss=spy)
    assert descended == pytest.approx([error.mean(dim=1).sum().item() for error in errors])


def test_the_frozen_network_stands_still_for_c_updates():
    seen = []

    def spy(q, q_frozen, batch):
        seen.append((frozen_copy(q), frozen_copy(q_frozen)))
        assert not any(p.requires_grad for p in q_frozen.parameters())
        return dqn_loss(q, q_frozen, batch)

    train_dqn(cartpole, StackedMLP([4, 8, 2], 2, 0), **SMALL, loss=spy)
    for i, (q, frozen) in enumerate(seen):
        assert same(frozen, seen[i - i % 7][0]), "w' is w as it was after the last multiple of C updates"
        assert same(q, frozen) == (i % 7 == 0)


def test_what_is_learned_from_is_what_happened():
    """Every transition that a loss sees is one of the world's script, and no step that only begins an episode is."""
    scripts = [[(1, "terminated"), (3, "truncated")]] * 8
    seen = set()

    def spy(q, q_frozen, batch):
        rows = zip(*(column.flatten(0, 1).tolist() for column in batch), strict=True)
        seen.update((*obs, reward, *after, over) for obs, _, reward, after, over, _ in rows)
        assert set(batch.discount.flatten().tolist()) == {np.float32(0.9).item()}
        return dqn_loss(q, q_frozen, batch)

    train_dqn(lambda n: Scripted(n, scripts), StackedMLP([3, 4, 4], 2, 0), **SMALL, gamma=0.9, loss=spy)
    for w, episode, t, reward, w2, episode2, t2, over in seen:
        length, end = scripts[0][int(episode) % 2]
        assert (w2, episode2, t2, reward) == (w, episode, t + 1, 10 * w + t + 1)
        assert over == (end == "terminated" and t2 == length)
        assert t2 <= length
    assert {row[0] for row in seen} == set(range(8))


def test_actions_become_greedy_on_schedule():
    """Of 4 actions, after as many steps of a copy as the schedule takes, all are greedy; before it, many are not."""
    made = []

    def make(n):
        made.append(Scripted(n, [[(9, "truncated")]] * n))
        return made[0]

    q = constant([0, 0, 1, 0], inputs=3, copies=2)
    flat = lambda q, q_frozen, batch: 0 * q(batch.obs).sum(dim=-1)  # noqa: E731 - nothing is learned
    train_dqn(make, q, **{**SMALL, "epsilon": (1, 0, 240)}, loss=flat)
    greedy = (np.array(made[0].seen) == 2).mean(axis=1)
    assert len(greedy) == 100
    assert (greedy[59:] == 1).all()
    assert (greedy[:20] < 1).mean() > 0.9
    assert greedy[:20].mean() < 0.6


@pytest.mark.parametrize(("memory", "worlds"), [(1, 1), (4, 4)])
def test_it_runs_without_a_memory(memory, worlds):
    """With room for one step of each world there is nothing to learn from while all of them begin anew."""
    constant_reward, q = probes(0.5)[0], StackedMLP([1, 16, 1], 1, 0)
    learn = {"steps": 400 * worlds, "worlds": worlds, "memory": memory, "warm_up": 10, "freeze": 10, "lr": 1e-2}
    result = train_dqn(constant_reward.make, q, gamma=0.5, epsilon=(1, 0.1, 100), **learn)
    assert q(torch.zeros(1, 1, 1)).item() == pytest.approx(1, abs=1e-3)
    assert len(result.episodes["copy"]) == 200 * worlds


def test_a_seed_says_all_and_copies_differ():
    def run(seed):
        q = StackedMLP([4, 8, 2], 2, 0)
        return train_dqn(cartpole, q, **SMALL, seed=seed, test_every=200, test_episodes=3)

    before = torch.get_rng_state()
    one, two, other = run(1), run(1), run(2)
    assert torch.equal(before, torch.get_rng_state())
    assert same(one.policy, two.policy)
    assert same(one.best, two.best)
    for columns, others in zip(
        (one.episodes, one.tests, one.updates), (two.episodes, two.tests, two.updates), strict=True
    ):
        assert all(np.array_equal(columns[name], others[name]) for name in columns)
    assert not same(one.policy, other.policy)
    returns = [one.episodes["return"][one.episodes["copy"] == k].tolist() for k in range(2)]
    assert returns[0] != returns[1]


def test_copies_that_begin_alike_still_see_different_worlds():
    q = StackedMLP([4, 8, 2], 2, 0)
    with torch.no_grad():
        for parameter in q.parameters():
            parameter[1] = parameter[0]
    train_dqn(cartpole, q, **SMALL)
    assert all(not torch.equal(p[0], p[1]) for p in q.parameters())


def test_the_network_that_was_given_is_the_one_that_is_trained():
    q = StackedMLP([4, 8, 2], 2, 0)
    result = train_dqn(cartpole, q, **SMALL)
    assert result.policy is q
    assert not same(q, StackedMLP([4, 8, 2], 2, 0))
    assert same(result.best, q)
    assert result.best is not q
    assert result.params["network"] is q
    assert result.params["steps"] == 400
    assert "rng" not in result.params
    assert {name: len(column) for name, column in result.tests.items()} == {"copy": 0, "step": 0, "return": 0}


def test_the_log_is_that_of_the_worlds():
    """One state, 5 steps an episode and one to begin anew: in 100 steps of a world 16 episodes end, at 5, 11, 17, ..."""
    result = train_dqn(lambda n: TabularVectorEnv(n, loop(), limit=5), StackedMLP([1, 1], 2, 0), **SMALL)
    assert np.unique(result.episodes["step"]).tolist() == [4 * t for t in range(5, 101, 6)]
    assert np.bincount(result.episodes["copy"]).tolist() == [64, 64]
    x, y = result.curve(4)
    assert x.tolist() == [100, 200, 300, 400]
    assert y.tolist() == [[5.0] * 4] * 2


# --- tests of the greedy policy ---


def test_tests_are_episodes_of_the_greedy_policy_in_fresh_worlds():
    made = []

    def make(n):
        made.append((n, cartpole(n)))
        return made[-1][1]

    q = StackedMLP([4, 8, 2], 2, 0)
    result = train_dqn(make, q, **SMALL, test_every=150, test_episodes=3)
    assert [n for n, _ in made] == [8, 6, 6], "training, and then two tests"
    assert result.tests["step"].tolist() == [152, 152, 300, 300]
    assert result.tests["copy"].tolist() == [0, 1, 0, 1]
    assert set(result.tests) == {"copy", "step", "return", "discounted", "promise"}
    seeds = [env.unwrapped.np_random_seed for _, env in made]
    assert len(set(seeds)) == 3
    found = play(result.snapshots[300], cartpole, copies=2, episodes=3, gamma=0.99, seed=seeds[2])
    for name, values in found.items():
        assert result.tests[name][2:] == pytest.approx(values.mean(axis=1))


def test_testing_does_not_change_what_is_learned():
    one, other = StackedMLP([4, 8, 2], 2, 0), StackedMLP([4, 8, 2], 2, 0)
    train_dqn(cartpole, one, **SMALL)
    train_dqn(cartpole, other, **SMALL, test_every=40, test_episodes=2)
    assert same(one, other)


# --- interrupting ---


def interrupted(after, error=KeyboardInterrupt):
    count = []

    def loss(q, q_frozen, batch):
        count.append(0)
        if len(count) > after:
            raise error
        return dqn_loss(q, q_frozen, batch)

    return loss


def test_an_interrupted_run_keeps_what_was_learned(capsys):
    """The eleventh update never comes: 10 updates, as in a run of so many steps; the warm-up ends at step 40."""
    q, short = StackedMLP([4, 8, 2], 2, 0), StackedMLP([4, 8, 2], 2, 0)
    result = train_dqn(cartpole, q, **SMALL, loss=interrupted(10), test_every=60, test_episodes=2)
    train_dqn(cartpole, short, **{**SMALL, "steps": 76})
    assert same(q, short)
    assert result.policy is q
    assert result.updates["step"][::2].tolist() == list(range(40, 77, 4))
    assert result.tests["step"].tolist() == [60, 60]
    assert capsys.readouterr().out == "Interrupted: what was learned in 80 steps is kept.\n"
    assert result.curve(10)[1].shape == (2, 10)


def test_a_run_interrupted_at_once_still_has_a_result(capsys):
    q = StackedMLP([4, 8, 2], 2, 0)
    result = train_dqn(cartpole, q, **SMALL, loss=interrupted(0))
    assert same(q, StackedMLP([4, 8, 2], 2, 0))
    assert len(result.updates["loss"]) == 0
    assert "40 steps" in capsys.readouterr().out


def test_tests_come_as_a_table_with_a_row_for_each_copy():
    result = train_dqn(cartpole, StackedMLP([4, 8, 2], 2, 0), **SMALL, test_every=100, test_episodes=3)
    x, y = result.tested("promise")
    assert x.tolist() == [100, 200, 300, 400] and y.shape == (2, 4)
    for copy, step, promise in zip(*(result.tests[n] for n in ("copy", "step", "promise")), strict=True):
        assert y[copy, x.tolist().index(step)] == promise
    with pytest.raises(ValueError, match="^there is no column 'loss' of the tests; there are copy, step, return"):
        result.tested("loss")


def test_other_errors_are_not_swallowed():
    with pytest.raises(ZeroDivisionError):
        train_dqn(cartpole, StackedMLP([4, 8, 2], 2, 0), **SMALL, loss=interrupted(3, ZeroDivisionError))


# --- the door ---


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"steps": 0}, "steps is 0, but a whole number of at least 1 was expected"),
        ({"steps": 1e3}, r"steps is 1000\.0, but an int was expected"),
        ({"copies": 3}, r"network.layers.0.weight has shape \(2, 4, 8\), but copies is 3: its first axis must be that"),
        ({"n_step": 101}, "n_step is 101, but each world makes only 100 steps"),
        ({"copies": 0}, "copies is 0, but a whole number of at least 1 was expected"),
        ({"worlds": 0}, "worlds is 0, but a whole number of at least 1 was expected"),
        ({"worlds": 2.5}, r"worlds is 2\.5, but a whole number of at least 1 was expected"),
        ({"seed": -1}, "seed is -1, but a whole number of at least 0 was expected"),
        ({"gamma": 1.1}, r"gamma is 1\.1, but it must lie in \[0, 1\]"),
        ({"lr": 0}, r"lr is 0\.0, but a step size above 0 was expected"),
        ({"lr": None}, "lr must be an array of real numbers, not None"),
        ({"batch": 0}, "batch is 0, but a whole number of at least 1 was expected"),
        ({"batch": 8.0}, r"batch is 8\.0, but an int was expected"),
        ({"memory": 3}, "capacity is 3, but 4 worlds and transitions of 1 steps need at least 4"),
        ({"warm_up": 401}, "warm_up is 401, but only 400 steps are made: nothing would be learned"),
        ({"warm_up": 401, "steps": 403}, "warm_up is 401, but only 400 steps are made: nothing would be learned"),
        ({"steps": 3, "warm_up": 1}, "warm_up is 1, but only 0 steps are made: nothing would be learned"),
        ({"freeze": 0}, "freeze is 0, but a whole number of at least 1 was expected"),
        ({"epsilon": 0.1}, r"epsilon is 0\.1, but \(start, end, over how many steps\) was expected"),
        ({"epsilon": (1, 0.1)}, r"epsilon is \(1, 0\.1\), but \(start, end, over how many steps\) was expected"),
        ({"epsilon": (1, -0.1, 5)}, r"epsilon\[1\] is -0\.1, but it must lie in \[0, 1\]"),
        ({"epsilon": (2, 0.1, 5)}, r"epsilon\[0\] is 2\.0, but it must lie in \[0, 1\]"),
        ({"epsilon": (1, 0.1, 0)}, r"over is 0\.0, but a way of at least one step was expected"),
        ({"n_step": 0}, "n_step is 0, but a whole number of at least 1 was expected"),
        ({"test_every": -5}, "test_every is -5, but a whole number of at least 0 was expected"),
        ({"test_episodes": 0}, "test_episodes is 0, but a whole number of at least 1 was expected"),
    ],
)
def test_settings_that_do_not_fit_are_refused_in_one_sentence(change, message):
    q = StackedMLP([4, 8, 2], 2, 0)
    with pytest.raises(ValueError, match=f"^{message}$"):
        train_dqn(cartpole, q, **{**SMALL, **change})
    assert same(q, StackedMLP([4, 8, 2], 2, 0))


@pytest.mark.parametrize(
    ("sizes", "message"),
    [
        ([4, 8, 1], r"network gives \(2, 4, 1\) for one step of the worlds, but \(2, 4, 2\) was expected, \[K, E, A\]"),
        ([4, 8, 3], r"network gives \(2, 4, 3\) for one step of the worlds, but \(2, 4, 2\) was expected, \[K, E, A\]"),
        ([5, 8, 2], r"network does not take observations of shape \(2, 4, 4\), \[K, E, \.\.\.\]: .+"),
    ],
)
def test_a_network_that_does_not_fit_the_world_is_refused(sizes, message):
    with pytest.raises(ValueError, match=f"^{message}$"):
        train_dqn(cartpole, StackedMLP(sizes, 2, 0), **SMALL)


def test_one_network_cannot_pass_as_two_copies():
    with pytest.raises(
        ValueError, match=r"^network.weight has shape \(2, 4\), but copies is 2: its first axis must be that$"
    ):
        train_dqn(cartpole, torch.nn.Linear(4, 2), **SMALL)
    with pytest.raises(ValueError, match="^network has no weights: there is nothing to learn$"):
        train_dqn(cartpole, torch.nn.ReLU(), **SMALL)


def test_a_warm_up_as_long_as_the_run_leaves_one_update():
    result = train_dqn(cartpole, StackedMLP([4, 8, 2], 2, 0), **{**SMALL, "warm_up": 400})
    assert result.updates["step"].tolist() == [400, 400]


def test_worlds_of_the_run_and_of_a_plain_one_are_the_same():
    """The seed of a run is the seed of its worlds: a figure may show how they began."""
    first = []
    spy = lambda q, q_frozen, batch: first.append(batch) or dqn_loss(q, q_frozen, batch)  # noqa: E731
    train_dqn(cartpole, StackedMLP([4, 8, 2], 2, 0), **{**SMALL, "warm_up": 4}, seed=9, loss=spy)
    begun = Worlds(cartpole, 2, 4, 9).obs
    for k in range(2):
        assert {tuple(row) for row in first[0].obs[k].tolist()} <= {tuple(row) for row in begun[k].tolist()}
