"""Five ways to give credit in a policy gradient: what each estimate is on average, and how far single ones scatter.

On a road of four steps everything is exact: a sum over all episodes. On the lane without an end it is measured on drawn
episodes, at theta = 0 (every action equally likely). There ``ERROR_RATE`` holds, for all comparisons of a test together: so
seldom would a correct program fail, or a wrong order of two variances be taken for established.

The variance of an estimate is the sum of the variances of its entries, E|g|^2 - |E g|^2.
"""

import numpy as np
import pytest

from rlkit.core.returns import reward_to_go, total_return
from rlkit.mdp import TabularMDP, episodes, evaluate_policy, every_episode, policy_gradient, softmax, softmax_policy
from rlkit.mdp.worlds import lane
from tests.learn.chance import allowed, deviations
from tests.mdp.estimates import by_rows, estimates

ORDER = ("total", "to go", "to go - mean", "to go - V")
RANDOM, HALF_TAUGHT = np.zeros((7, 3)), np.zeros((7, 3))
HALF_TAUGHT[[1, 2], 2] = HALF_TAUGHT[3, 1] = HALF_TAUGHT[[4, 5], 0] = 1


def credits(mdp, pi, play):
    """What each action of some episodes is given, by name: float[T, n] each."""
    V, gamma = evaluate_policy(mdp, pi), mdp.gamma
    weight, to_go = gamma ** np.arange(len(play.reward))[:, None], reward_to_go(play.reward, gamma)
    return {
        "total": total_return(play.reward, gamma),
        "to go": weight * to_go,
        "to go - mean": weight * (to_go - mdp.start @ V),
        "to go - V": weight * (to_go - V[play.state]),
    }


def bandit(rewards):
    """One pull, and the end: each arm is an action."""
    P = np.zeros((2, len(rewards), 2))
    P[:, :, 1] = 1
    return TabularMDP(P, [rewards, [0] * len(rewards)], 1.0, [1, 0], [0, 1])


def spread(g, probability):
    """The variance of estimates g: float[n, ...], each with its probability."""
    g = g.reshape(len(g), -1)
    return probability @ (g**2).sum(axis=1) - ((probability @ g) ** 2).sum()


# -- exactly, on a road with an end -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("theta", [RANDOM, HALF_TAUGHT])
@pytest.mark.parametrize("steps", [2, 3, 4])
def test_each_step_away_from_the_total_return_lessens_the_variance(steps, theta):
    road, seen = lane(steps=steps), np.arange(7 * steps + 7) % 7
    pi = softmax_policy(road, theta, seen)
    play, probability = every_episode(road, pi)
    given = credits(road, pi, play)
    g = {name: by_rows(estimates(play, pi, given[name]), seen, 7) for name in ORDER}
    for name in ORDER:
        mean = np.tensordot(probability, g[name], axes=1)
        np.testing.assert_allclose(mean, policy_gradient(road, theta, seen), atol=1e-12, err_msg=name)
    variances = [spread(g[name], probability) for name in ORDER]
    assert (np.array(variances[:-1]) > 1.2 * np.array(variances[1:])).all(), variances


@pytest.mark.parametrize(
    ("world", "theta", "seen"),
    [
        pytest.param(lane(steps=4), RANDOM, np.arange(35) % 7, id="lane"),
        pytest.param(lane(steps=4), HALF_TAUGHT, np.arange(35) % 7, id="lane, half taught"),
        pytest.param(bandit([1.0, 2.0, 4.0]), np.array([[0.0, 1.0, -0.5], [0, 0, 0]]), np.arange(2), id="bandit"),
    ],
)
def test_the_best_constant_for_the_total_return(world, theta, seen):
    """Var(b) = Var(b*) + (b - b*)^2 E|Z|^2, with Z = sum of grad log pi and b* = E[|Z|^2 R] / E|Z|^2."""
    pi = softmax_policy(world, theta, seen)
    play, probability = every_episode(world, pi)
    total = total_return(play.reward, world.gamma)
    size = (by_rows(estimates(play, pi, np.ones_like(total)), seen, len(theta)) ** 2).sum(axis=(1, 2))
    best = (probability * size) @ total[0] / (probability @ size)

    def variance(b):
        return spread(by_rows(estimates(play, pi, total - b), seen, len(theta)), probability)

    for b in best + np.array([-3, -0.5, -0.01, 0.01, 0.5, 3]):
        assert variance(b) == pytest.approx(variance(best) + (b - best) ** 2 * (probability @ size), rel=1e-9)
        assert variance(b) > variance(best)
    mean = probability @ total[0]
    assert abs(best - mean) > 0.001  # the mean return is near it, and not the same
    assert variance(best) < variance(mean) < variance(0)


@pytest.mark.parametrize("p", [0.1, 0.5, 0.8])
def test_two_arms_have_a_baseline_without_any_variance(p):
    """b* = pi_2 r_1 + pi_1 r_2, with the probabilities swapped: then either pull gives the exact gradient."""
    world, theta = bandit([1.0, 2.0]), np.log([[1 - p, p], [0.5, 0.5]])
    pi = softmax(theta)
    play, _ = every_episode(world, pi)
    g = estimates(play, pi, play.reward - (p * 1 + (1 - p) * 2))
    np.testing.assert_allclose(g, [policy_gradient(world, theta)] * 2, atol=1e-15)


@pytest.mark.parametrize("seed", range(20))
def test_a_positive_reward_never_pushes_down_the_action_that_was_taken(seed):
    """Its preference rises and all others fall. So a low reward lowers the action's probability only against a baseline."""
    rng = np.random.default_rng(seed)
    theta = rng.normal(size=(2, 4))
    rewards = rng.exponential(size=4)
    world = bandit(rewards.tolist())
    pi = softmax(theta)
    play, _ = every_episode(world, pi)
    for baseline, rises in (0.0, [True] * 4), (np.median(rewards), rewards > np.median(rewards)):
        for arm, g in enumerate(estimates(play, pi, play.reward - baseline)):
            for alpha in 0.01, 1, 100:
                after = softmax(theta + alpha * g)[0, arm]
                assert after > pi[0, arm] if rises[arm] else after < pi[0, arm]


# -- drawn, on the lane -----------------------------------------------------------------------------------------------------

N, BATCHES = 40_000, 40


@pytest.fixture(scope="module")
def drawn():
    road, pi = lane(), softmax(RANDOM)
    play = episodes(road, pi, N, np.random.default_rng(0))
    return {name: estimates(play, pi, credit) for name, credit in credits(road, pi, play).items()}


def variances(g):
    """The variance within each of the batches, float[BATCHES]."""
    return g.reshape(BATCHES, -1, 21).var(axis=1, ddof=1).sum(axis=1)


def test_each_estimate_is_right_on_average(drawn):
    exact = policy_gradient(lane(), RANDOM)[1:6]
    for name, g in drawn.items():
        assert (abs(deviations(g[:, 1:6], exact)) < allowed(15 * len(ORDER))).all(), name
        np.testing.assert_array_equal(g[:, [0, 6]], 0)


def test_the_order_holds_for_drawn_episodes(drawn):
    """The same episodes for both of a pair, so that the batches differ by what the credit does."""
    for more, less in zip(ORDER[:-1], ORDER[1:], strict=True):
        difference = variances(drawn[more]) - variances(drawn[less])
        assert deviations(difference, 0) > allowed(len(ORDER) - 1, BATCHES - 1), (more, less)


def test_variances_of_batches_give_an_interval_for_the_exact_one():
    road, seen = lane(steps=4), np.arange(35) % 7
    pi = softmax_policy(road, HALF_TAUGHT, seen)
    every, probability = every_episode(road, pi)
    play = episodes(road, pi, N, np.random.default_rng(1))
    exact, measured = credits(road, pi, every), credits(road, pi, play)
    for name in ORDER:
        truth = spread(by_rows(estimates(every, pi, exact[name]), seen, 7), probability)
        got = variances(by_rows(estimates(play, pi, measured[name]), seen, 7))
        assert abs(deviations(got, truth)) < allowed(len(ORDER), BATCHES - 1), name


# -- normalised credit --------------------------------------------------------------------------------------------------------


def normalised(to_go, real, batch):
    """(R - mean) / std, over the real steps of so many episodes together; and those std, float[n / batch]."""
    T, n = to_go.shape
    R, on = to_go.reshape(T, -1, batch), real.reshape(T, -1, batch)
    mean = R.mean(axis=(0, 2), where=on, keepdims=True)
    std = R.std(axis=(0, 2), where=on, keepdims=True)
    return ((R - mean) / np.maximum(std, 1e-8)).reshape(T, n), std[0, :, 0]


def direction(mean, exact):
    """The cosine of the angle between two gradients."""
    return (mean * exact).sum() / np.linalg.norm(mean) / np.linalg.norm(exact)


def test_normalising_each_episode_by_itself_is_biased():
    """Exactly: the mean over all episodes of four steps points elsewhere, whatever its length."""
    road, seen = lane(steps=4), np.arange(35) % 7
    pi = softmax_policy(road, RANDOM, seen)
    play, probability = every_episode(road, pi)
    weight, to_go = road.gamma ** np.arange(4)[:, None], reward_to_go(play.reward, road.gamma)
    credit, _ = normalised(to_go, play.real, 1)
    mean = by_rows(np.tensordot(probability, estimates(play, pi, weight * credit), axes=1), seen, 7)
    exact = policy_gradient(road, RANDOM, seen)
    plain = by_rows(np.tensordot(probability, estimates(play, pi, weight * to_go), axes=1), seen, 7)
    assert direction(plain, exact) == pytest.approx(1, abs=1e-12)
    assert direction(mean, exact) < 0.99


def test_normalising_a_batch_keeps_the_direction_and_loses_the_length():
    """On the lane, 2500 batches of 16: within a few per cent the gradient, divided by the standard deviation of the returns."""
    road, pi, batch = lane(), softmax(RANDOM), 16
    play = episodes(road, pi, N, np.random.default_rng(2))
    weight, to_go = road.gamma ** np.arange(len(play.real))[:, None], reward_to_go(play.reward, road.gamma)
    exact = policy_gradient(road, RANDOM)
    found = {}
    for size in (1, batch):
        credit, std = normalised(to_go, play.real, size)
        mean = estimates(play, pi, weight * credit).mean(axis=0)
        found[size] = direction(mean, exact), std.mean() * (mean * exact).sum() / (exact**2).sum()
    assert found[batch][0] > 0.999
    assert 0.9 < found[batch][1] < 1  # shortened: the mean that is taken away is partly the episode's own
    assert found[1][0] < 0.996
    assert found[1][1] < 0.6
