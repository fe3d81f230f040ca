"""Many agents on a grid: softmax by hand, allies on one cell, one network for all maps, who learns while who holds still."""

from functools import partial

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from rlkit.envs.pursuit import Pursuit, at_random, yard
from rlkit.learn import madqn
from rlkit.learn.madqn import (
    FlatQ,
    GridQ,
    Muddled,
    centred,
    chasing,
    choosing,
    distances,
    draw,
    going_on,
    parting,
    play_team,
    softmax_policy,
    team_of,
    train_madqn,
)
from tests.learn.chance import ERROR_RATE, allowed, deviations, p_value

QUICK = {
    "worlds": 8,
    "warm_up": 80,
    "memory": 2_000,
    "batch": 32,
    "freeze": 20,
    "epsilon": (1, 0.1, 800),
    "gamma": 0.9,
    "test_episodes": 4,
}


def weights(network):
    return {name: value.clone() for name, value in network.state_dict().items()}


def same(one, other):
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def planes(me, opponents, allies, size, obstacles=()):
    """Return float[1, 1, 4, W, H]."""
    x = torch.zeros(1, 1, 4, *size)
    for channel, cells in enumerate((obstacles, opponents, allies, [me])):
        for u, v in cells:
            x[0, 0, channel, u, v] += 1
    return x


# --- softmax, and two allies on one cell ---


def test_softmax_by_hand():
    """exp(Q / T) in the proportions 4 : 1 : 1 : 1 : 1 at T = 0.2, and 2 : 1 : 1 : 1 : 1 at T = 0.4."""
    Q = 0.2 * np.log([4.0, 1, 1, 1, 1])
    np.testing.assert_allclose(softmax_policy(Q, 0.2), np.array([4, 1, 1, 1, 1]) / 8)
    np.testing.assert_allclose(softmax_policy(np.stack([Q, Q + 7]), 0.4), np.tile([2, 1, 1, 1, 1], (2, 1)) / 6)
    assert softmax_policy([3.0, 5, 5], 0).tolist() == [0, 1, 0]
    assert parting([0.5, 0.5]) == 0.5
    assert parting(np.array([4, 1, 1, 1, 1]) / 8) == pytest.approx(1 - 20 / 64)


@given(
    st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=6),
    st.floats(1e-3, 1e3),
    st.floats(-1e6, 1e6),
)
def test_softmax_is_a_distribution_in_the_order_of_Q(Q, temperature, shift):
    p = softmax_policy(Q, temperature)
    assert p.sum() == pytest.approx(1) and (p >= 0).all()
    order = np.argsort(Q)
    assert (np.diff(p[order]) >= 0).all()
    whole = np.round(Q)  # adding a whole number to whole numbers is exact
    np.testing.assert_allclose(softmax_policy(whole + round(shift), temperature), softmax_policy(whole, temperature))


@pytest.mark.parametrize(
    ("Q", "temperature", "said"),
    [
        ([np.nan, 1], 1, "Q"),
        ([0.0, 1], -1, "temperature"),
        (3, 0, r"Q has shape \(\)"),
        (np.zeros((2, 0)), 1, "Q has shape"),
    ],
)
def test_what_is_no_softmax_is_refused(Q, temperature, said):
    with pytest.raises(ValueError, match=said):
        softmax_policy(Q, temperature)


@pytest.mark.parametrize(
    ("p", "said"),
    [
        ([3, 4], "p sums to 7"),
        ([1.5, -0.5], r"p\[1\] is -0.5"),
        (1.0, r"p has shape \(\)"),
        ([[0.5, 0.5], [1, 1]], r"p\[1\] sums to 2"),
    ],
)
def test_what_is_no_distribution_is_refused(p, said):
    with pytest.raises(ValueError, match=said):
        parting(p)
    assert parting(np.array([0.1, 0.2, 0.7], np.float32)) == pytest.approx(0.46)


def test_draws_have_their_probabilities():
    """Chi-square on 40,000 draws, one of five actions impossible; a correct program fails once in 10^6 seeds."""
    p = np.array([0.5, 0.25, 0.0, 0.2, 0.05])
    drawn = draw(np.tile(p, (40_000, 1)), np.random.default_rng(0))
    assert p_value(np.bincount(drawn, minlength=5), p) > ERROR_RATE


def on_one_cell(n, evader=(4, 0)):
    """Return what two pursuers on one cell see, in n worlds: float32[n, 2, 4, W, H]."""
    world = Pursuit(n, size=(5, 5), pursuers=2, evaders=1)
    return world.reset(seed=0, cells=np.array([[2, 2], [2, 2], evader]))[:, :2]


def test_two_allies_on_one_cell_are_one_by_argmax():
    """Their tensors are identical, so are their actions, and so is everything that follows: for ever."""
    world, q = Pursuit(20, size=(5, 5), pursuers=2, evaders=1, limit=1000), GridQ(2, (8,), seed=3)
    obs = world.reset(seed=0, cells=np.array([[2, 2], [2, 2], [4, 0]]))
    choose, rng = choosing(q, 0), np.random.default_rng(1)
    for _ in range(60):
        np.testing.assert_array_equal(obs[:, 0], obs[:, 1])
        actions = np.stack([choose(obs[:, 0], rng), choose(obs[:, 1], rng), at_random(obs[:, 2], rng)], axis=1)
        np.testing.assert_array_equal(actions[:, 0], actions[:, 1])
        obs, _, terminated, truncated = world.step(actions)
        if (terminated | truncated).any():
            break
        np.testing.assert_array_equal(world.cells[:, 0], world.cells[:, 1])


@pytest.mark.parametrize("temperature", [0.02, 0.1, 1.0])
def test_softmax_parts_them_as_often_as_predicted(temperature):
    """A chi-square test on 20,000 pairs, parted or not; a correct program fails once in 10^6 seeds."""
    obs, q = on_one_cell(20_000), GridQ(2, (8,), seed=3)
    with torch.no_grad():
        predicted = parting(softmax_policy(q(torch.from_numpy(obs[None, :1, 0])).numpy()[0, 0], temperature))
    choose, rng = choosing(q, temperature), np.random.default_rng(5)
    parted = (choose(obs[:, 0], rng) != choose(obs[:, 1], rng)).sum()
    assert p_value([parted, 20_000 - parted], [predicted, 1 - predicted]) > ERROR_RATE
    assert 0.05 < predicted < 0.81


# --- one network for every map and every number of agents ---


def slow_window(x, reach):
    """Return centred(x) of one agent by loops over cells: [3, D, D]."""
    _, W, H = x.shape
    (i,), (j,) = np.nonzero(x[3])
    D = 2 * reach + 1
    window = np.zeros((3, D, D))
    for a in range(D):
        for b in range(D):
            u, v = i + a - reach, j + b - reach
            window[0, a, b] = x[0, u, v] if 0 <= u < W and 0 <= v < H else 1
    for c in (1, 2):
        for u in range(W):
            for v in range(H):
                a, b = (min(max(d, -reach), reach) + reach for d in (u - i, v - j))
                window[c, a, b] += x[c, u, v]
    return window


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 5), st.integers(3, 8), st.integers(3, 8))
def test_the_window_is_that_of_a_loop_over_cells(seed, reach, W, H):
    obstacles = np.random.default_rng(seed).random((W, H)) < 0.2
    obstacles.flat[:5] = False
    obs = Pursuit(2, size=(W, H), pursuers=3, evaders=2, obstacles=obstacles).reset(seed)
    found = centred(torch.from_numpy(obs), reach).numpy()
    assert found.shape == (2, 5, 3, 2 * reach + 1, 2 * reach + 1)
    for n in range(2):
        for agent in range(5):
            np.testing.assert_array_equal(found[n, agent], slow_window(obs[n, agent], reach))


def test_the_same_Q_wherever_the_world_is():
    """The same situation in the middle of open maps of other sizes, and elsewhere on them."""
    q = GridQ(2, (16,), copies=1, seed=0)
    situation = {"me": (0, 0), "opponents": [(1, 2), (4, -1)], "allies": [(-2, 0)]}
    found = []
    for size, at in (((12, 12), (4, 5)), ((12, 12), (6, 6)), ((20, 15), (10, 7))):
        moved = {
            name: [(u + at[0], v + at[1]) for u, v in cells] if isinstance(cells, list) else at
            for name, cells in situation.items()
        }
        found.append(q(planes(**moved, size=size)).detach())
    assert torch.equal(found[0], found[1]) and torch.equal(found[0], found[2])
    by_the_wall = q(planes((10, 5), [(11, 7), (11, 4)], [(8, 5)], (12, 12)))
    in_the_open = q(planes((10, 5), [(11, 7), (11, 4)], [(8, 5)], (15, 12)))
    assert not torch.equal(by_the_wall, in_the_open)  # a wall is seen


@pytest.mark.parametrize(("size", "pursuers", "evaders"), [((3, 4), 1, 1), ((14, 14), 4, 3), ((7, 21), 2, 9)])
def test_one_network_for_every_map_and_number(size, pursuers, evaders):
    q = GridQ(4, (8,), copies=2)
    found = play_team(
        partial(Pursuit, size=size, pursuers=pursuers, evaders=evaders, limit=6),
        dict.fromkeys(("pursuers", "evaders"), choosing(q, 0.1)),
        copies=2,
        episodes=3,
    )
    assert found["time"].shape == (2, 3) and (found["time"] <= 6).all()


def test_who_has_left_the_map_is_worth_nothing():
    world = Pursuit(1, size=(5, 5), pursuers=1, evaders=2)
    world.reset(seed=0, cells=np.array([[2, 2], [2, 3], [4, 4]]))
    obs, *_ = world.step(np.array([[1, 0, 0]]))
    Q = GridQ(2, (8,))(torch.from_numpy(obs))
    assert (Q[0, 1] == 0).all() and (Q[0, [0, 2]] != 0).any(dim=1).all()


# --- who plays whom ---


def test_copies_of_a_team_meet_in_blocks():
    """Copy k moves the k-th block of worlds: a network whose copy k always takes action k."""
    q = GridQ(1, (), copies=3)
    with torch.no_grad():
        q.mlp.layers[0].weight[:] = 0
        q.mlp.layers[0].bias[:, 0] = torch.eye(3, 5)
    obs = Pursuit(6, size=(4, 4), pursuers=2, evaders=1).reset(0)[:, :2].reshape(12, 4, 4, 4)
    assert choosing(q, 0)(obs, np.random.default_rng(0)).tolist() == [0] * 4 + [1] * 4 + [2] * 4


def test_each_agent_of_a_team_has_its_own_network():
    q = GridQ(1, (), copies=4)  # two teams of two: agents take the actions 0, 1 and 2, 3
    with torch.no_grad():
        q.mlp.layers[0].weight[:] = 0
        q.mlp.layers[0].bias[:, 0] = torch.eye(4, 5)
    obs = Pursuit(6, size=(4, 4), pursuers=2, evaders=1).reset(0)[:, :2].reshape(12, 4, 4, 4)
    assert team_of(q, 0)(obs, np.random.default_rng(0)).tolist() == [0, 1] * 3 + [2, 3] * 3


def test_each_of_a_team_looks_at_its_own_planes():
    q, rng = GridQ(2, (8,), copies=4, seed=1), np.random.default_rng(0)
    obs = Pursuit(6, size=(6, 6), pursuers=2, evaders=2).reset(0)[:, :2]  # two teams with three worlds each
    found = team_of(q, 0)(obs.reshape(12, *obs.shape[2:]), rng).reshape(2, 3, 2)
    for team in range(2):
        for agent in range(2):
            mine = torch.from_numpy(obs.reshape(2, 3, 2, *obs.shape[2:])[team, :, agent])
            expected = q(mine.expand(4, *mine.shape))[2 * team + agent].argmax(dim=1)
            assert found[team, :, agent].tolist() == expected.tolist()


@pytest.mark.parametrize(("kind", "agent"), [("pursuers", 0), ("evaders", 3)])
def test_the_first_of_a_kind_learns(kind, agent):
    assert madqn.seat(2, partial(tiny, pursuers=3), kind, {}).agent == agent


def test_a_muddled_network_sees_other_planes():
    x = torch.rand(2, 3, 4, 5, 5)
    q = FlatQ((4, 5, 5), 5, (8,), copies=2)
    assert torch.equal(Muddled(q, (0, 1, 2, 3))(x), q(x))
    assert torch.equal(Muddled(q, (0, 2, 1, 3))(x), q(x[:, :, [0, 2, 1, 3]]))
    assert torch.equal(Muddled(q, (0, 1, None, 3))(x), q(x * torch.tensor([1.0, 1, 0, 1])[:, None, None]))


def test_distances_are_those_of_scipy():
    from scipy.sparse.csgraph import shortest_path

    from rlkit.envs.pursuit import successors

    walls, after = yard(), successors(yard())
    graph = np.zeros((100, 100))
    graph[np.arange(100)[:, None], after] = 1
    free = ~walls.ravel()
    expected = shortest_path(graph, unweighted=True)
    np.testing.assert_array_equal(distances(walls)[free][:, free], expected[free][:, free])


def test_one_who_chases_an_evader_that_stands_still_takes_a_shortest_path():
    world = Pursuit(200, pursuers=1, evaders=1, obstacles=yard())
    obs, rng = world.reset(4), np.random.default_rng(0)
    cell = world.cells @ [10, 1]
    left = distances(yard())[cell[:, 0], cell[:, 1]]
    chase, over = chasing(yard()), np.zeros(200)
    for t in range(1, 30):
        obs, _, terminated, _ = world.step(np.stack([chase(obs[:, 0], rng), np.zeros(200, int)], axis=1))
        over[terminated & (over == 0)] = t
    np.testing.assert_array_equal(over, left)


def test_random_play_takes_as_long_as_it_should():
    """The exact expectation by backward induction; a correct program fails once in 10^6 seeds."""
    from rlkit.experiments.madqn import exact_times

    found = play_team(partial(Pursuit, size=(4, 4), pursuers=1, evaders=1, limit=30), {}, episodes=4000)["time"][0]
    assert abs(deviations(found, exact_times(np.zeros((4, 4), bool), 30)["random"])) < allowed()


# --- one learns, the others hold still ---


def tiny(n, pursuers=2, evaders=1):
    return Pursuit(n, size=(4, 4), pursuers=pursuers, evaders=evaders, limit=20)


def test_what_is_handed_out_is_what_was_learned_and_only_the_kind_whose_turn_it_is_changes():
    """In every turn the frozen policies are those of the last hand-over, bit for bit, before and after the turn."""
    nets = {"pursuers": GridQ(2, (8,), 2, 0), "evaders": GridQ(2, (8,), 2, 9)}
    frozen, real = [], madqn.choosing

    def policy_of(network, temperature):
        frozen.append((network, weights(network)))
        return real(network, temperature)

    run = train_madqn(
        tiny,
        nets,
        turns=["pursuers", "evaders", "evaders"],
        steps=240,
        copies=2,
        policy_of=policy_of,
        **QUICK,
    )
    handed = [run.snapshots[t] for t in (0, 240, 480, 720)]
    for before, after, kind in zip(handed, handed[1:], ("pursuers", "evaders", "evaders"), strict=False):
        other = "evaders" if kind == "pursuers" else "pursuers"
        assert same(weights(before[other]), weights(after[other]))
        assert not same(weights(before[kind]), weights(after[kind]))
    for turn in range(3):  # at the beginning of a turn one policy for each kind, at its end one for the test
        for (network, then), kind in zip(frozen[3 * turn : 3 * turn + 2], nets, strict=True):
            assert same(then, weights(handed[turn][kind])) and same(then, weights(network))
        assert same(frozen[3 * turn + 2][1], weights(handed[turn + 1][("pursuers", "evaders", "evaders")[turn]]))
    for kind, network in nets.items():
        assert run.policy[kind] is network and same(weights(network), weights(handed[3][kind]))


def test_fixed_policies_hold_until_the_first_turn_is_over(monkeypatch):
    asked, real = [], madqn.seat

    def seat(n, make_world, kind, policies):
        asked.append({other: choose is still for other, choose in policies.items()})
        return real(n, make_world, kind, policies)

    def still(obs, rng):
        return np.zeros(len(obs), int)

    monkeypatch.setattr(madqn, "seat", seat)
    nets = {"pursuers": GridQ(2, (8,), 1, 0), "evaders": GridQ(2, (8,), 1, 9)}
    turns, fixed = ["pursuers", "evaders", "pursuers"], dict.fromkeys(nets, still)
    train_madqn(tiny, nets, turns=turns, steps=160, fixed=fixed, **QUICK)
    training = [a for i, a in enumerate(asked) if i % 2 == 0]  # one for the worlds, one for the learner's own test
    assert training == [
        {"pursuers": True, "evaders": True},
        {"pursuers": False, "evaders": True},
        {"pursuers": False, "evaders": False},
    ]


def test_the_log_is_in_long_form_and_goes_on_from_turn_to_turn():
    run = train_madqn(
        tiny, {"pursuers": GridQ(2, (8,), 3)}, turns=["pursuers"] * 2, steps=320, copies=3, test_every=160, **QUICK
    )
    x, caught = run.tested("caught")
    assert x.tolist() == [160, 320, 480, 640] and caught.shape == (3, 4)
    assert run.tests["turn"].reshape(4, 3)[:, 0].tolist() == [0, 0, 1, 1]
    assert run.curve(4)[1].shape == (3, 4) and run.params["steps"] == 640
    assert run.updates["step"].max() == 640 and (np.diff(run.updates["step"]) >= 0).all()
    assert set(run.snapshots) == {0, 320, 640}
    assert (run.tests["time"] <= 20).all()


def test_exploration_goes_on_where_it_stopped():
    assert going_on((1.0, 0.0, 100), 0) == (1.0, 0.0, 100)
    assert going_on((1.0, 0.0, 100), 25) == (0.75, 0.0, 75)
    assert going_on((1.0, 0.1, 100), 400) == pytest.approx((0.1, 0.1, 1))


def test_an_interrupt_ends_all_turns_and_keeps_what_was_learned(monkeypatch, capsys):
    nets, calls = {"pursuers": GridQ(2, (8,))}, []
    real = madqn.train_dqn

    def interrupted(make_env, network, **rest):
        calls.append(1)

        def loss(q, q_frozen, batch):
            if len(calls) == 2 and rest["seed"] == 1_000:
                raise KeyboardInterrupt
            return madqn_loss(q, q_frozen, batch)

        return real(make_env, network, loss=loss, **rest)

    from rlkit.learn.dqn import dqn_loss as madqn_loss

    monkeypatch.setattr(madqn, "train_dqn", interrupted)
    run = train_madqn(tiny, nets, turns=["pursuers"] * 4, steps=160, **QUICK)
    assert len(calls) == 2 and "Interrupted" in capsys.readouterr().out
    assert same(weights(run.policy["pursuers"]), weights(run.snapshots[160]["pursuers"]))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"turns": []}, "nobody would learn"),
        ({"turns": ["evaders"]}, r"turns\[0\] is 'evaders'"),
        ({"test_every": 70}, "must divide"),
        ({"copies": 2}, "copies is 2"),
        ({"networks": {"wolves": GridQ(2, (8,))}}, "wolves"),
        ({"networks": 3}, "networks is 3, but a dict of networks by kind"),
        ({"turns": None}, "turns is None, but a list of kinds was expected"),
        ({"epsilon": None}, r"epsilon is None, but \(start, end, over how many steps\) was expected"),
        ({"epsilon": (1, 0.1, 0)}, r"epsilon\[2\] is 0, but a way of at least one step"),
        ({"epsilon": (2, 0.1, 9)}, r"epsilon\[0\] is 2"),
        ({"seed": "a"}, "seed must be an array of real numbers, not 'a'"),
        ({"test_episodes": 0}, "test_episodes is 0"),
        ({"temperature": -1}, "temperature is -1"),
        ({"fixed": {"evaders": 3}}, r"fixed\['evaders'\] is 3, but a function of \(obs, rng\) was expected"),
        ({"fixed": {"wolves": at_random}}, r"fixed has \['wolves'\], but only pursuers and evaders"),
    ],
)
def test_what_does_not_fit_is_refused(change, said):
    given = {"networks": {"pursuers": GridQ(2, (8,))}, "turns": ["pursuers"], "steps": 160, "copies": 1} | change
    with pytest.raises(ValueError, match=said):
        train_madqn(tiny, given.pop("networks"), **given)


@pytest.mark.parametrize(
    ("policies", "more", "said"),
    [
        ({"evaders": 3}, {}, r"policies\['evaders'\] is 3"),
        ({"wolves": at_random}, {}, r"policies has \['wolves'\]"),
        ({}, {"episodes": 0}, "episodes is 0"),
    ],
)
def test_games_that_cannot_be_played_are_refused(policies, more, said):
    with pytest.raises(ValueError, match=said):
        play_team(tiny, policies, **more)


def test_a_short_training_beats_random_by_far():
    """4 x 4 cells: less than half the time of a random pursuer, whose exact expectation is known, in each of four copies."""
    from rlkit.experiments.madqn import exact_times

    world = partial(Pursuit, size=(4, 4), pursuers=1, evaders=1, limit=60)
    q, quick = (
        GridQ(2, (32,), 4),
        QUICK | {"epsilon": (1, 0.05, 4_000), "worlds": 16, "batch": 64, "test_episodes": 200},
    )
    run = train_madqn(world, {"pursuers": q}, turns=["pursuers"], steps=12_800, copies=4, lr=2e-3, **quick)
    exact = exact_times(np.zeros((4, 4), bool), 60)
    time = run.tested("time")[1][:, -1]
    assert (time < 0.5 * exact["random"]).all()
    assert (time > 0.8 * exact["best"]).all()  # nobody is faster than the best


def test_the_stored_pursuers_catch_all():
    """400 fresh episodes of each seed, in other worlds than those of the stored run: at least 90 % in the mean."""
    from rlkit.experiments.madqn import LEARN, TEAM, arena, load_team

    q = load_team()
    copies = next(q.parameters()).shape[0]
    team = {"pursuers": choosing(q, LEARN["temperature"])}
    found = play_team(arena(TEAM), team, copies=copies, episodes=100, seed=77)
    assert found["all"].mean() >= 0.9
