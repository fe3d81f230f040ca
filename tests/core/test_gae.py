"""TD errors and generalised advantages: by hand, and against their definition, written out as sums over all steps ahead."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from rlkit.core.returns import gae, reward_to_go, td_error

NO = np.zeros(3, bool)


def numbers(shape):
    return arrays.arrays(float, shape, elements=st.floats(-10, 10, width=32))


@st.composite
def rollouts(draw):
    """Draw (reward, V, V_next, terminated, truncated) of T steps: V_next is the next row's V, but where an episode ends."""
    T = draw(st.integers(1, 9))
    reward, V, last = draw(numbers(T)), draw(numbers(T)), draw(numbers(T))
    how = np.array(
        draw(st.lists(st.sampled_from(["on", "on", "terminated", "truncated", "both"]), min_size=T, max_size=T))
    )
    terminated, truncated = np.isin(how, ["terminated", "both"]), np.isin(how, ["truncated", "both"])
    V_next = np.where(how == "on", np.append(V[1:], last[-1]), last)
    return reward, V, V_next, terminated, truncated


shares = st.floats(0, 1)

# --- by hand ---


def test_a_td_error_by_hand():
    """2 + 0.5 * 4 - 1 = 3; after the end of the world only 2 - 1 = 1."""
    assert td_error(2, 1, 4, False, 0.5) == 3
    assert td_error(2, 1, 4, True, 0.5) == 1
    assert td_error([2.0, 2.0], [1.0, 1.0], [4.0, np.inf], [False, True], 0.5).tolist() == [3, 1]


def test_three_steps_by_hand():
    """gamma = lambda = 1/2, so each TD error counts a quarter of the one before it.

    The rewards are 1, 2, 3 and V = 4, 6, 8, then 10: the TD errors are 1 + 3 - 4 = 0, 2 + 4 - 6 = 0 and 3 + 5 - 8 = 0.
    With a last V of 2 instead, the last is -4, the one before it 0 - 4/4 = -1, and the first -1/4.
    """
    r, V = np.array([1.0, 2.0, 3.0]), np.array([4.0, 6.0, 8.0])
    assert gae(r, V, np.array([6.0, 8.0, 10.0]), NO, NO, 0.5, 0.5).tolist() == [0, 0, 0]
    assert gae(r, V, np.array([6.0, 8.0, 2.0]), NO, NO, 0.5, 0.5).tolist() == [-0.25, -1, -4]


@pytest.mark.parametrize(("how", "middle"), [("terminated", 2 - 6), ("truncated", 2 + 0.5 * 20 - 6), ("both", 2 - 6)])
def test_an_end_in_the_middle_by_hand(how, middle):
    """Step 1 ends an episode, and what was seen then is worth 20. The first step's TD error is 0, so it has a quarter of it."""
    here = np.array([False, True, False])
    ends = [here if how in (kind, "both") else NO for kind in ("terminated", "truncated")]
    found = gae(np.array([1.0, 2.0, 3.0]), np.array([4.0, 6.0, 8.0]), np.array([6.0, 20.0, 2.0]), *ends, 0.5, 0.5)
    assert found.tolist() == [middle / 4, middle, -4]


# --- against the definition ---


def steps_ahead(rollout, t):
    """Return how many steps the episode of step t still has in the rollout, its own one included."""
    *_, terminated, truncated = rollout
    ends = [u for u in range(t, len(terminated)) if terminated[u] or truncated[u]]
    return (ends[0] if ends else len(terminated) - 1) - t + 1


def advantage_over(rollout, t, n, gamma):
    """Return r_t + ... + gamma^(n-1) r_(t+n-1) + gamma^n V(s_(t+n)) - V(s_t), with nothing after the end of the world."""
    reward, V, V_next, terminated, _ = rollout
    paid = sum(gamma**i * reward[t + i] for i in range(n))
    return paid + (0 if terminated[t + n - 1] else gamma**n * V_next[t + n - 1]) - V[t]


@given(rollouts(), shares, shares)
def test_it_is_the_mean_of_all_n_step_advantages(rollout, gamma, lam):
    """Weights (1 - lambda) lambda^(n-1), as in the paper; the longest that the rollout allows has what is left of 1."""
    found = gae(*rollout, gamma, lam)
    for t in range(len(found)):
        N = steps_ahead(rollout, t)
        weights = [(1 - lam) * lam ** (n - 1) for n in range(1, N)]
        weights.append(1 - sum(weights))
        expected = sum(w * advantage_over(rollout, t, n, gamma) for n, w in enumerate(weights, start=1))
        assert found[t] == pytest.approx(expected, rel=1e-9, abs=1e-9)


@given(rollouts(), st.data(), shares, shares)
def test_it_is_the_discounted_sum_of_td_errors(rollout, data, gamma, lam):
    """Also where V_next has nothing to do with the next row's V, as in the row in which a world begins anew."""
    reward, V, _, terminated, truncated = rollout
    V_next = data.draw(numbers(len(V)))
    found = gae(reward, V, V_next, terminated, truncated, gamma, lam)
    for t in range(len(found)):
        ahead = range(t, t + steps_ahead(rollout, t))
        deltas = {u: reward[u] + (0 if terminated[u] else gamma * V_next[u]) - V[u] for u in ahead}
        assert found[t] == pytest.approx(sum((gamma * lam) ** (u - t) * deltas[u] for u in ahead), rel=1e-9, abs=1e-9)


# --- what follows from it ---


@given(rollouts(), shares)
def test_lambda_0_is_the_td_error_alone(rollout, gamma):
    *rest, _ = rollout
    np.testing.assert_array_equal(gae(*rollout, gamma, 0.0), td_error(*rest, gamma))


@given(rollouts(), shares)
def test_lambda_1_and_no_opinion_is_the_reward_to_go_of_each_episode(rollout, gamma):
    reward, V, _, terminated, truncated = rollout
    found = gae(reward, 0 * V, 0 * V, terminated, truncated, gamma, 1.0)
    ends = np.flatnonzero(terminated | truncated) + 1
    expected = np.concatenate([reward_to_go(part, gamma) for part in np.split(reward, ends)])
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-9)


@given(rollouts(), shares, shares)
def test_with_the_exact_values_of_what_happened_there_is_no_advantage(rollout, gamma, lam):
    """Where V(s) is just what then came, whatever lambda is."""
    reward, V, V_next, terminated, truncated = rollout
    V = V.copy()
    for t in reversed(range(len(V))):
        if t < len(V) - 1 and not (terminated[t] or truncated[t]):
            V_next[t] = V[t + 1]
        V[t] = reward[t] + (0 if terminated[t] else gamma * V_next[t])
    np.testing.assert_allclose(gae(reward, V, V_next, terminated, truncated, gamma, lam), 0, atol=1e-9)


@given(st.lists(rollouts(), min_size=2, max_size=4), shares, shares)
def test_worlds_side_by_side_do_not_disturb_each_other(several, gamma, lam):
    T = min(len(rollout[0]) for rollout in several)
    together = gae(
        *(np.stack([column[:T] for column in columns], axis=1) for columns in zip(*several, strict=True)), gamma, lam
    )
    for e, rollout in enumerate(several):
        np.testing.assert_array_equal(together[:, e], gae(*(column[:T] for column in rollout), gamma, lam))


def test_what_is_given_stays_as_it_is():
    rng = np.random.default_rng(0)
    given = (*rng.normal(size=(3, 5, 2)), *(rng.random((2, 5, 2)) < 0.3))
    before = [x.copy() for x in given]
    gae(*given, 0.9, 0.8)
    assert all(np.array_equal(a, b) for a, b in zip(given, before, strict=True))
