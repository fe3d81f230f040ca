"""Populations: what two policies earn together, by hand and by play; seats that are paired rightly; what is stored."""

import numpy as np
import pytest

from rlkit.experiments import load
from rlkit.experiments.populations import (
    ACTIONS,
    EXPERIMENTS,
    ROUNDS,
    TRAINING,
    Seats,
    chosen,
    meet,
    run_populations,
    tables,
)

S = ACTIONS**2 + 1
(POPULATIONS,) = EXPERIMENTS


def always(action):
    return np.tile(np.eye(ACTIONS)[action], (S, 1))


def copying():
    """Return the policy that does what the partner did last, and begins at random."""
    states = np.arange(ACTIONS**2) % ACTIONS
    return np.concatenate([np.full((1, ACTIONS), 1 / ACTIONS), np.eye(ACTIONS)[states]])


def test_meetings_by_hand():
    assert meet(always(1), always(1)) == 1
    assert meet(always(1), always(2)) == 0
    # right at once with probability 1/4, and in all seven rounds after the first
    assert meet(copying(), always(3)) == pytest.approx((1 / 4 + 7) / 8)
    assert meet(always(3), copying()) == pytest.approx((1 / 4 + 7) / 8)
    # two who copy each other change places for ever, unless they began alike
    assert meet(copying(), copying()) == pytest.approx(1 / 4)


def random_tables(seed, *leading):
    return np.random.default_rng(seed).dirichlet(np.ones(ACTIONS), size=(*leading, S))


def test_who_meets_whom_is_symmetric_and_broadcasts():
    pi, rho = random_tables(0, 3), random_tables(1, 2)
    cross = meet(pi[:, None], rho[None])
    assert cross.shape == (3, 2)
    np.testing.assert_allclose(cross.T, meet(rho[:, None], pi[None]))
    assert cross[2, 1] == pytest.approx(float(meet(pi[2], rho[1])))


def played(env, choose, games, rng):
    """Play, and return the mean reward per round of every seat."""
    obs, _ = env.reset(seed=0)
    total = np.zeros(env.num_envs)
    for _ in range(games):
        for t in range(ROUNDS):
            obs, reward, terminated, truncated, _ = env.step(choose(obs, rng))
            total += reward
            assert terminated.all() == (t == ROUNDS - 1) and not truncated.any()
        obs, reward, terminated, _, _ = env.step(np.zeros(env.num_envs, int))
        assert not obs.any() and not reward.any() and not terminated.any()
    return total / games / ROUNDS


def state(obs):
    mine, theirs = obs[:, :ACTIONS], obs[:, ACTIONS:]
    return np.where(obs.any(axis=1), 1 + ACTIONS * mine.argmax(axis=1) + theirs.argmax(axis=1), 0)


def drawing(pi):
    def choose(obs, rng):
        return (rng.random((len(obs), 1)) > pi[state(obs)].cumsum(axis=1)[:, :-1]).sum(axis=1)

    return choose


def test_frozen_partners_earn_what_is_computed():
    pi, store = random_tables(5), random_tables(6, 2, 3)
    got = played(Seats(2000, partners=store), drawing(pi), 20, np.random.default_rng(0)).reshape(2, 1000).mean(axis=1)
    # 20,000 games of 8 rounds: a standard error of a game's mean reward is at most 0.5 / sqrt(20,000) = 0.0036
    np.testing.assert_allclose(got, meet(pi, store).mean(axis=1), atol=0.014)


def test_a_frozen_partner_sees_the_game_from_its_own_seat():
    env = Seats(3, partners=copying()[None, None])
    env.reset(seed=0)
    obs, *_ = env.step(np.array([0, 1, 2]))
    for mine in ([3, 3, 0], [1, 0, 2], [2, 2, 2]):
        before = obs[:, :ACTIONS].argmax(axis=1)
        obs, reward, *_ = env.step(np.array(mine))
        np.testing.assert_array_equal(obs[:, ACTIONS:].argmax(axis=1), before)  # it does what this seat did last
        np.testing.assert_array_equal(reward, np.array(mine) == before)


def test_paired_seats_earn_what_is_computed():
    pi = random_tables(7)
    got = played(Seats(2000, among=8), drawing(pi), 20, np.random.default_rng(0)).mean()
    assert got == pytest.approx(float(meet(pi, pi)), abs=0.014)


def test_pairs_are_mutual_within_their_group_and_drawn_anew():
    env, met = Seats(24, among=8), set()
    for seed in range(60):
        env.reset(seed=seed)
        seats = np.arange(24)
        np.testing.assert_array_equal(env.opposite[env.opposite], seats)
        assert (env.opposite != seats).all() and (env.opposite // 8 == seats // 8).all()
        met |= set(zip(seats.tolist(), env.opposite.tolist(), strict=True))
    assert len(met) == 3 * 8 * 7


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"num_envs": 6, "among": 4}, "6 seats cannot be paired within groups of 4"),
        ({"num_envs": 6, "among": 3}, "within groups of 3"),
        ({"num_envs": 3, "partners": np.ones((2, 1, S, ACTIONS))}, "3 seats cannot be shared by 2 learners"),
        ({"num_envs": 4, "partners": np.ones((2, S, ACTIONS))}, "partners has shape"),
    ],
)
def test_seats_that_do_not_fit_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        Seats(**arguments)


def test_a_network_becomes_the_table_of_what_it_says():
    import torch

    from rlkit.nets import CategoricalPolicy

    policy = CategoricalPolicy([2 * ACTIONS, 5, ACTIONS], 2, seed=0)
    obs = np.zeros((2, 1, 2 * ACTIONS), np.float32)
    obs[:, 0, 2] = obs[:, 0, ACTIONS + 1] = 1  # own action 2, the partner's 1
    with torch.no_grad():
        expected = torch.softmax(policy.network(torch.from_numpy(obs)), dim=-1)[:, 0].numpy()
    assert state(obs[:, 0]).tolist() == [10, 10]
    np.testing.assert_allclose(tables(policy)[:, 10], expected, atol=1e-6)


def test_partners_are_chosen_by_their_conventions():
    store = np.stack([always(k % ACTIONS) for k in range(20)])
    store[:, 1:] = random_tables(8, 20)[:, 1:]  # so that no two of them are the same
    for seed in (2, 7):
        alike = chosen(store, 5, "alike", seed)
        assert set(alike[:, 0].argmax(axis=1)) == {seed % ACTIONS} and len(np.unique(alike[:, 1], axis=0)) == 5
    mixed = chosen(store, 8, "mixed", 0)
    assert np.bincount(mixed[:, 0].argmax(axis=1)).tolist() == [2] * ACTIONS
    assert len(np.unique(mixed[:, 1], axis=0)) == 8
    with pytest.raises(ValueError, match="5 agents begin with action 1, but 6 are needed"):
        chosen(store, 6, "alike", 1)


@pytest.mark.parametrize(("kind", "size"), [("together", 1), ("together", 2), ("frozen", 2)])
def test_each_kind_is_trained_and_meets_whom_it_should(kind, size):
    found = run_populations(TRAINING | {"kind": kind, "size": size, "steps": 720}, [3, 4])
    assert list(zip(found["seed"], found["with"], found["partner"], strict=True)) == [
        (3, "own", -1), (3, "strangers", -1), (3, "alike", 4), (4, "own", -1), (4, "strangers", -1), (4, "alike", 3)
    ]  # fmt: skip
    assert all(0 < reward < 1 for reward in found["reward"])
    assert found["reward"][2] == pytest.approx(found["reward"][5])  # one meeting, from both sides


def test_what_is_stored_is_of_these_settings():
    result = load("populations")
    assert POPULATIONS.matches(result)
    met = np.array(result.columns["with"])
    variant = np.array(result.columns["variant"])

    def mean(name, whom):
        return result.columns["reward"][(variant == name) & (met == whom)].mean()

    # what the page says of it
    assert mean("self-play", "own") > 0.99 and mean("self-play", "strangers") < 0.3
    assert mean("8 who learn together", "own") > 0.99 and mean("8 who learn together", "strangers") < 0.3
    assert 0.85 < mean("16 frozen", "strangers") < (1 / ACTIONS + ROUNDS - 1) / ROUNDS
    assert mean("16 frozen", "alike") < 0.3
    assert mean("16 frozen, alike", "strangers") < 0.3 and mean("4 frozen, all different", "strangers") > 0.8
