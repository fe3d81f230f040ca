"""Sampler: its frequencies against P, its rewards against R.

Each statistical test computes a p-value and fails below ERROR_RATE: on a new seed it would fail that seldom by chance.
The seeds are fixed, so it passes always or never.
"""

import numpy as np
import pytest
from scipy import sparse, stats

from rlkit.mdp import Sampler, TabularMDP, evaluate_policy, random_policy
from tests.mdp.random_worlds import REWARDS, Recipe, random_world

ERROR_RATE = 1e-6
COPIES = 40_000

# Three states, the last one terminal; probabilities of very different sizes, and zeros at both ends of a row.
P = np.array([[[0, 0.9, 0.1], [0.3, 0, 0.7]], [[0.001, 0.999, 0], [0, 1, 0]], [[0, 0, 1], [0, 0, 1]]])
R = np.arange(18.0).reshape(3, 2, 3) * (np.arange(3) < 2)[:, None, None]
START = [0.2, 0.7, 0.1]


def as_sparse(table):
    return sparse.csr_array(np.reshape(table, (-1, np.shape(table)[-1])))


def world(form="dense", rewards=R, **changes):
    return TabularMDP(as_sparse(P) if form == "sparse" else P, rewards, 0.9, START, [0, 0, 1], **changes)


def p_value(counts, probabilities):
    """Return the chi-square test's p-value; 0 if something came that cannot come.

    What is expected less than ten times is counted together: the test holds for larger numbers only.
    """
    counts, expected = np.asarray(counts, float), np.asarray(probabilities, float) * np.sum(counts)
    if counts[expected == 0].any():
        return 0.0
    order = np.argsort(-expected)
    counts, expected = counts[order], expected[order]
    large = max(1, int((expected >= 10).sum()) - 1)  # the smallest of the large ones takes the small ones in
    counts, expected = (np.append(x[:large], x[large:].sum()) for x in (counts, expected))
    return stats.chisquare(counts, expected).pvalue if expected[-1] > 0 else 1.0


@pytest.fixture(params=["dense", "sparse"])
def form(request):
    return request.param


def test_the_test_itself_notices_a_wrong_table():
    counts = np.random.default_rng(0).multinomial(COPIES, [0.5, 0.5])
    assert p_value(counts, [0.5, 0.5]) > ERROR_RATE > p_value(counts, [0.48, 0.52])
    assert p_value([1, 5], [0, 1]) == 0


def test_states_begin_as_start_says(form):
    sampler = Sampler(world(form), COPIES, np.random.default_rng(1))
    assert sampler.state.shape == (COPIES,)
    assert p_value(np.bincount(sampler.state, minlength=3), START) > ERROR_RATE
    again = sampler.reset()
    np.testing.assert_array_equal(again, sampler.state)
    assert p_value(np.bincount(again, minlength=3), START) > ERROR_RATE


@pytest.mark.parametrize("state", [0, 1, 2])
@pytest.mark.parametrize("action", [0, 1])
def test_next_states_come_as_often_as_p_says(form, state, action):
    sampler = Sampler(world(form), COPIES, np.random.default_rng(2))
    sampler.state[:] = state
    _, to, terminated = sampler.step(np.full(COPIES, action))
    assert p_value(np.bincount(to, minlength=3), P[state, action]) > ERROR_RATE
    np.testing.assert_array_equal(terminated, to == 2)
    np.testing.assert_array_equal(to, sampler.state)


@pytest.mark.parametrize("rewards", REWARDS)
@pytest.mark.parametrize("is_sparse", [False, True])
def test_every_row_of_random_worlds(rewards, is_sparse):
    recipe = Recipe(states=12, actions=3, ends=2, missing=0.3, successors=5, rewards=rewards, sparse=is_sparse)
    mdp = random_world(recipe, np.random.default_rng(3))
    rows = mdp.rows.toarray() if is_sparse else mdp.rows
    pairs = np.flatnonzero(mdp.available.ravel())
    draws = 3000
    sampler = Sampler(mdp, draws * len(pairs), np.random.default_rng(4))
    pair = np.repeat(pairs, draws)
    sampler.state[:] = pair // 3
    reward, to, _ = sampler.step(pair % 3)
    counts = np.zeros((36, 12))
    np.add.at(counts, (pair, to), 1)
    worst = min(p_value(counts[k], rows[k]) for k in pairs)
    assert worst > ERROR_RATE / len(pairs)  # Bonferroni: one test for each pair

    if rewards == "state-action":
        np.testing.assert_array_equal(reward, mdp.R.ravel()[pair])
    else:
        table = mdp.R.toarray() if sparse.issparse(mdp.R) else mdp.R.reshape(36, 12)
        np.testing.assert_array_equal(reward, table[pair, to])
        means = np.bincount(pair, reward, 36)[pairs] / draws
        spread = np.sqrt(np.bincount(pair, reward**2, 36)[pairs] / draws - means**2)
        errors = abs(means - mdp.expected_reward.ravel()[pairs])
        assert (errors <= 5.5 * spread / np.sqrt(draws) + 1e-12).all()


def test_stored_zeros_do_not_shift_rewards():
    table = sparse.csr_array(([0.0, 0.5, 0.5, 0.0, 1.0, 1.0], [0, 1, 2, 0, 1, 2], [0, 3, 5, 6]), shape=(3, 3))
    sampler = Sampler(TabularMDP(table, [[[7, 8, 9]], [[1, 2, 3]], [[4, 5, 6]]], 0.9), 900, np.random.default_rng(0))
    first = 7 - 6 * (sampler.state == 1) - 3 * (sampler.state == 2)
    reward, to, _ = sampler.step(np.zeros(900))
    np.testing.assert_array_equal(reward, first + to)


class Constant(np.random.Generator):
    """A generator that always draws the same number from [0, 1)."""

    def __init__(self, value):
        super().__init__(np.random.PCG64(0))
        self.value = value

    def random(self, size):
        return np.full(size, self.value)


def test_the_smallest_and_the_largest_draw_stay_in_their_row(form):
    # Deep in the running sum the largest draw rounds up to the border of the next row.
    mdp = world(form)
    pairs = np.arange(6)
    for draw, expected in (0.0, [1, 0, 0, 1, 2, 2]), (1 - 2**-53, [2, 2, 1, 1, 2, 2]):
        sampler = Sampler(mdp, 6, Constant(draw))
        np.testing.assert_array_equal(sampler.state, [0 if draw == 0 else 2] * 6)
        sampler.state[:] = pairs // 2
        _, to, _ = sampler.step(pairs % 2)
        np.testing.assert_array_equal(to, expected)


def test_reward_noise_has_its_mean_and_standard_deviation(form):
    std = np.array([[0.5, 2], [0, 1], [3, 3]])
    sampler = Sampler(world(form, reward_std=std), COPIES, np.random.default_rng(5))
    for state, action in (0, 0), (0, 1), (1, 0), (1, 1), (2, 0):
        sampler.state[:] = state
        reward, to, _ = sampler.step(np.full(COPIES, action))
        noise = reward - R[state, action, to]
        if state == 2 or std[state, action] == 0:
            np.testing.assert_array_equal(noise, 0)
        else:
            assert stats.kstest(noise / std[state, action], "norm").pvalue > ERROR_RATE


def test_terminal_copies_stay_until_they_are_reset(form):
    sampler = Sampler(world(form, reward_std=np.ones((3, 2))), 6, np.random.default_rng(6))
    sampler.state[:] = [2, 0, 2, 1, 2, 0]
    for _ in range(5):
        reward, to, terminated = sampler.step([0, 1, 1, 1, 0, 1])
        np.testing.assert_array_equal(to[[0, 2, 4]], 2)
        np.testing.assert_array_equal(reward[[0, 2, 4]], 0)
        assert terminated[[0, 2, 4]].all()


def test_reset_sends_back_only_those_that_it_is_told():
    made = TabularMDP(P, R, 0.9, [0, 1, 0], [0, 0, 1])
    sampler = Sampler(made, 4, np.random.default_rng(7))
    np.testing.assert_array_equal(sampler.state, [1, 1, 1, 1])
    sampler.state[:] = [0, 2, 0, 2]
    np.testing.assert_array_equal(sampler.reset([False, True, False, True]), [0, 1, 0, 1])
    np.testing.assert_array_equal(sampler.reset(np.zeros(4, bool)), [0, 1, 0, 1])
    np.testing.assert_array_equal(sampler.reset(), [1, 1, 1, 1])


def run(sampler, steps=50):
    log = [sampler.state.copy()]
    for t in range(steps):
        reward, to, terminated = sampler.step((np.arange(sampler.copies) + t) % 2)
        log += [reward, to, terminated, sampler.reset(terminated)]
    return np.concatenate([np.asarray(x, float) for x in log])


def test_the_same_seed_gives_the_same_numbers_dense_and_sparse_alike():
    noise = np.ones((3, 2))
    first = run(Sampler(world("dense", reward_std=noise), 7, np.random.default_rng(8)))
    np.testing.assert_array_equal(first, run(Sampler(world("dense", reward_std=noise), 7, np.random.default_rng(8))))
    np.testing.assert_array_equal(first, run(Sampler(world("sparse", reward_std=noise), 7, np.random.default_rng(8))))
    sparse_rewards = world("sparse", as_sparse(R), reward_std=noise)
    np.testing.assert_array_equal(first, run(Sampler(sparse_rewards, 7, np.random.default_rng(8))))
    assert (first != run(Sampler(world(reward_std=noise), 7, np.random.default_rng(9)))).any()


def test_copies_are_independent():
    sampler = Sampler(world(), COPIES, np.random.default_rng(10))
    sampler.state[:] = 0
    _, to, _ = sampler.step(np.zeros(COPIES))
    pairs = np.zeros((3, 3))
    np.add.at(pairs, (to[::2], to[1::2]), 1)
    assert p_value(pairs.ravel(), np.outer(P[0, 0], P[0, 0]).ravel()) > ERROR_RATE


def test_what_step_returns_is_not_overwritten_later():
    sampler = Sampler(world(), 100, np.random.default_rng(11))
    start = sampler.reset()
    before = start.copy()
    reward, to, _ = sampler.step(np.zeros(100))
    kept = reward.copy(), to.copy()
    sampler.step(np.ones(100))
    np.testing.assert_array_equal(start, before)
    np.testing.assert_array_equal((reward, to), kept)


def test_mean_discounted_return_is_the_value(form):
    std = np.array([[0.5, 2], [0, 1], [0, 0]])
    mdp = world(form, reward_std=std)
    pi = random_policy(mdp)
    rng = np.random.default_rng(12)
    sampler = Sampler(mdp, COPIES, rng)
    total, weight = np.zeros(COPIES), 1.0
    for _ in range(250):  # 0.9^250 < 1e-11
        reward, _, _ = sampler.step(rng.integers(2, size=COPIES))
        total += weight * reward
        weight *= mdp.gamma
    z = (total.mean() - evaluate_policy(mdp, pi) @ START) / (total.std() / np.sqrt(COPIES))
    assert abs(z) < stats.norm.isf(ERROR_RATE / 2)


BAD = {
    "no copies": (
        lambda: Sampler(world(), 0, np.random.default_rng()),
        "copies is 0, but a whole number of at least 1",
    ),
    "half a copy": (lambda: Sampler(world(), 1.5, np.random.default_rng()), "copies is 1.5, but a whole number"),
    "copies in words": (lambda: Sampler(world(), "two", np.random.default_rng()), "copies must be an array of real"),
    "a seed for rng": (lambda: Sampler(world(), 1, 7), "rng is 7, but a numpy.random.Generator was expected"),
    "no rng": (lambda: Sampler(world(), 1, None), "rng is None, but a numpy.random.Generator"),
    "too few actions": (lambda: stepped([0]), r"action has shape \(1,\), but \(2,\) was expected"),
    "one action for all": (lambda: stepped(0), r"action has shape \(\), but \(2,\) was expected"),
    "no such action": (lambda: stepped([0, 2]), r"action\[1\] is 2, which does not exist in state 1"),
    "negative action": (lambda: stepped([0, -1]), r"action\[1\] is -1, which does not exist in state 1"),
    "fractional action": (lambda: stepped([0.5, 0]), r"action\[0\] is 0.5, which does not exist in state 0"),
    "missing action": (lambda: stepped([1, 1]), r"action\[1\] is 1, which does not exist in state 1"),
    "nan": (lambda: stepped([np.nan, 0]), r"action\[0\] is nan"),
    "text": (lambda: stepped(["up", "up"]), "action must be an array of real numbers"),
    "short mask": (lambda: sampler_of_two().reset([True]), r"which has shape \(1,\), but \(2,\) was expected"),
    "indices for a mask": (lambda: sampler_of_two().reset([0, 7]), r"which\[1\] is 7, but it must be True or False"),
}


def sampler_of_two():
    sampler = Sampler(world(available=[[1, 1], [1, 0], [1, 1]]), 2, np.random.default_rng(0))
    sampler.state[:] = [0, 1]
    return sampler


def stepped(action):
    return sampler_of_two().step(action)


@pytest.mark.parametrize(("misuse", "message"), BAD.values(), ids=BAD.keys())
def test_misuse(misuse, message):
    with pytest.raises(ValueError, match=f"^{message}"):
        misuse()


def test_a_refused_step_changes_nothing():
    sampler = sampler_of_two()
    before = sampler.rng.bit_generator.state
    with pytest.raises(ValueError, match="does not exist"):
        sampler.step([0, 1])
    np.testing.assert_array_equal(sampler.state, [0, 1])
    assert sampler.rng.bit_generator.state == before
