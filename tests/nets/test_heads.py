"""Heads: densities against numerical integrals and PyTorch's own, draws against both, gradients by hand."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from rlkit.nets import Adam, Categorical, CategoricalPolicy, Gaussian, GaussianPolicy, SquashedGaussian
from tests.learn.chance import ERROR_RATE, allowed, p_value

few = settings(max_examples=40)
means = st.lists(st.floats(-2, 2), min_size=2, max_size=2)
log_stds = st.lists(st.floats(-2, 0), min_size=2, max_size=2)
rows = st.lists(st.floats(-1000, 1000), min_size=1, max_size=6)


def row(numbers):
    return torch.tensor(numbers, dtype=torch.float64)


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def line(low, high, points):
    """Return the middles of so many equal parts of an interval, and the length of one."""
    width = (high - low) / points
    return low + width * (torch.arange(points, dtype=torch.float64) + 0.5), width


def integral(head, grids):
    """Return the integrals of p and of -p log p over a grid for each number of the action."""
    middles, widths = zip(*grids, strict=True)
    action = torch.stack(torch.meshgrid(*middles, indexing="ij"), dim=-1)
    log_p = head.log_prob(action)
    p, volume = log_p.exp(), math.prod(widths)
    return (p.sum() * volume).item(), -(p * log_p).sum().item() * volume


# --- one of A actions ---


@given(rows, st.sampled_from([torch.float32, torch.float64]))
def test_probabilities_are_softmax_and_sum_to_one(logits, kind):
    head = Categorical(row(logits).to(kind))
    exact = np.exp(np.array(logits) - max(logits))
    assert head.probs.dtype == kind
    assert head.probs.sum().item() == pytest.approx(1, abs=5e-4 if kind is torch.float32 else 1e-9)
    assert head.probs.numpy() == pytest.approx(exact / exact.sum(), abs=5e-4 if kind is torch.float32 else 1e-9)


@given(rows)
def test_log_probabilities_and_entropy_are_pytorchs(logits):
    head, theirs = Categorical(row(logits)), torch.distributions.Categorical(logits=row(logits))
    action = torch.arange(len(logits))
    found = Categorical(row(logits).expand(len(logits), -1)).log_prob(action)
    torch.testing.assert_close(found, theirs.log_prob(action))
    torch.testing.assert_close(head.entropy(), theirs.entropy())
    assert -1e-9 <= head.entropy().item() <= math.log(len(logits)) + 1e-9


def test_extreme_logits_stay_numbers():
    """The unlikely action has the log-probability -2000, though its probability is 0 to every computer."""
    logits = torch.tensor([[1000.0, -1000.0], [-1000.0, 1000.0], [1000.0, 1000.0]], requires_grad=True)
    head = Categorical(logits)
    assert head.log_prob(torch.tensor([1, 0, 0])).tolist() == [-2000.0, -2000.0, pytest.approx(-math.log(2), abs=1e-4)]
    assert head.entropy().tolist() == pytest.approx([0, 0, math.log(2)], abs=1e-4)
    assert torch.isfinite(
        torch.autograd.grad((head.log_prob(torch.tensor([1, 0, 0])) + head.entropy()).sum(), logits)[0]
    ).all()


def test_entropy_of_a_categorical_by_hand():
    logits = torch.tensor([[0.0, 0.0, 0.0], [math.log(2), 0.0, 0.0]])
    half = 0.5 * math.log(2) + 2 * 0.25 * math.log(4)
    assert Categorical(logits).entropy().tolist() == pytest.approx([math.log(3), half])


def test_the_mode_is_the_likeliest_action():
    assert Categorical(torch.tensor([[0.0, 2.0, 1.0], [3.0, -1.0, 2.0]])).mode().tolist() == [1, 0]


@given(rows, st.data())
def test_gradients_of_a_categorical_are_those_by_hand(logits, data):
    """d log pi(a) / d logits = 1[a] - pi."""
    action = data.draw(st.integers(0, len(logits) - 1))
    x = row(logits).requires_grad_()
    head = Categorical(x)
    found = torch.autograd.grad(head.log_prob(torch.tensor(action)), x)[0]
    torch.testing.assert_close(found, torch.eye(len(logits), dtype=torch.float64)[action] - head.probs.detach())


def test_actions_come_as_often_as_they_should():
    """Chi-square of 40 000 draws from each of three distributions, and of pairs of two; error rate 1e-6 each."""
    logits = torch.tensor([[0.0, 1.0, -2.0], [1000.0, 1000.0, -1000.0], [0.5, 0.0, 0.3]])
    head = Categorical(logits.expand(40_000, 3, 3))
    action, probs = head.sample(generator()).numpy(), torch.softmax(logits.double(), dim=-1).numpy()
    assert action.shape == (40_000, 3)
    assert action.dtype == np.int64
    for i in range(3):
        assert p_value(np.bincount(action[:, i], minlength=3), probs[i]) > ERROR_RATE
    for i, j in ((0, 1), (0, 2)):
        pairs = np.bincount(3 * action[:, i] + action[:, j], minlength=9)
        assert p_value(pairs, np.outer(probs[i], probs[j]).ravel()) > ERROR_RATE
    after = np.bincount(3 * action[1:, 0] + action[:-1, 0], minlength=9)
    assert p_value(after, np.outer(probs[0], probs[0]).ravel()) > ERROR_RATE


# --- D numbers ---


@few
@given(means, log_stds, st.sampled_from([1, 2]))
def test_a_gaussian_integrates_to_one_and_to_its_entropy(mean, log_std, D):
    head = Gaussian(row(mean[:D]), row(log_std[:D]))
    wide = [10 * math.exp(s) for s in log_std[:D]]
    total, entropy = integral(head, [line(m - w, m + w, 200) for m, w in zip(mean, wide, strict=False)])
    assert total == pytest.approx(1, abs=1e-9)
    assert head.entropy().item() == pytest.approx(entropy, abs=1e-9)


@few
@given(st.lists(st.floats(-1, 1), min_size=2, max_size=2), log_stds, st.sampled_from([1, 2]))
def test_a_squashed_gaussian_integrates_to_one(mean, log_std, D):
    head = SquashedGaussian(row(mean[:D]), row(log_std[:D]) - 0.5)
    total, _ = integral(head, [line(-1, 1, 20_000 if D == 1 else 800)] * D)
    assert total == pytest.approx(1, abs=1e-4)


@given(means, log_stds, st.lists(st.floats(-4, 4), min_size=2, max_size=2))
def test_log_densities_and_entropy_are_pytorchs(mean, log_std, x):
    mu, s, x = row(mean), row(log_std), row(x)
    normal = torch.distributions.Independent(torch.distributions.Normal(mu, s.exp()), 1)
    squashed = torch.distributions.TransformedDistribution(normal, torch.distributions.TanhTransform())
    torch.testing.assert_close(Gaussian(mu, s).log_prob(x), normal.log_prob(x))
    torch.testing.assert_close(Gaussian(mu, s).entropy(), normal.entropy())
    close = {"rtol": 1e-5, "atol": 1e-5}
    torch.testing.assert_close(SquashedGaussian(mu, s).log_prob(x.tanh()), squashed.log_prob(x.tanh()), **close)


@pytest.mark.parametrize("x", [4.0, 6.0, 7.0, -7.0])
def test_near_the_ends_a_float32_is_as_exact_as_it_can_be(x):
    """1 - tanh(7)^2 is 3e-6: of a float32 action it is known to some hundredths, and so is its logarithm."""
    action = torch.tensor([x]).tanh()
    found = SquashedGaussian(torch.tensor([0.3]), torch.tensor([0.0])).log_prob(action).item()
    exact = action.double().item()
    there = stats.norm.logpdf(math.atanh(exact), 0.3) - math.log((1 - exact) * (1 + exact))
    assert found == pytest.approx(there, abs=0.05)


def test_at_the_ends_the_density_of_the_last_number_before_counts():
    """tanh(9) is 1 to a float32; such an action has a finite density, and gradients that are numbers."""
    mean = torch.zeros(2, 1, requires_grad=True)
    head = SquashedGaussian(mean, torch.zeros(1))
    at_end = head.log_prob(torch.tensor([[9.0], [-9.0]]).tanh())
    before = head.log_prob(torch.tensor([[1 - 1e-6], [-1 + 1e-6]]))
    assert at_end.tolist() == before.tolist()
    x = math.atanh(1 - 1e-6)
    assert at_end.tolist() == pytest.approx([stats.norm.logpdf(x) - math.log(2e-6)] * 2, abs=0.1)
    assert torch.autograd.grad(at_end.sum(), mean)[0].flatten().tolist() == pytest.approx([x, -x], abs=0.1)


def test_the_entropy_of_a_squashed_gaussian_is_refused():
    with pytest.raises(NotImplementedError, match="^the entropy of a squashed Gaussian has no closed form"):
        SquashedGaussian(torch.zeros(1), torch.zeros(1)).entropy()


def test_modes():
    mean = torch.tensor([[0.5, -2.0]])
    assert Gaussian(mean, torch.zeros(2)).mode().tolist() == mean.tolist()
    assert SquashedGaussian(mean, torch.zeros(2)).mode().tolist() == mean.tanh().tolist()


@given(means, log_stds, means)
def test_gradients_of_a_gaussian_are_those_by_hand(mean, log_std, action):
    """d log pi / d mean = (a - mu) / sigma^2 and d log pi / d log_std = z^2 - 1, with z = (a - mu) / sigma."""
    mu, s, a = row(mean).requires_grad_(), row(log_std).requires_grad_(), row(action)
    by_mean, by_log_std = torch.autograd.grad(Gaussian(mu, s).log_prob(a), [mu, s])
    z = (a - row(mean)) / row(log_std).exp()
    torch.testing.assert_close(by_mean, z / row(log_std).exp())
    torch.testing.assert_close(by_log_std, z**2 - 1)


@pytest.mark.parametrize("kind", [Gaussian, SquashedGaussian])
def test_draws_are_normal_and_independent(kind):
    """Kolmogorov-Smirnov for each number, before it is squashed, and their correlation; error rate 1e-6 each."""
    n, mean, log_std = 20_000, torch.tensor([0.5, -1.0]), torch.tensor([-1.0, -0.3])
    action = kind(mean.expand(n, 2), log_std).sample(generator())
    assert action.shape == (n, 2)
    x = (action if kind is Gaussian else action.double().atanh()).numpy()
    for i in range(2):
        assert stats.kstest(x[:, i], "norm", (mean[i].item(), math.exp(log_std[i]))).pvalue > ERROR_RATE
    for one, other in ((x[:, 0], x[:, 1]), (x[1:, 0], x[:-1, 0])):
        assert abs(np.corrcoef(one, other)[0, 1]) < allowed() / math.sqrt(n)


def test_draws_of_a_squashed_gaussian_have_the_density_that_it_tells():
    """Chi-square over forty parts of (-1, 1), with the integrals of exp(log_prob); error rate 1e-6."""
    n, head = 40_000, SquashedGaussian(row([0.4]), row([-0.4]))
    middle, width = line(-1, 1, 40_000)
    parts = (head.log_prob(middle[:, None]).exp() * width).reshape(40, 1000).sum(dim=1).numpy()
    drawn = SquashedGaussian(torch.full((n, 1), 0.4), torch.tensor([-0.4])).sample(generator())
    assert drawn.abs().max() <= 1
    counts, _ = np.histogram(drawn.numpy(), bins=40, range=(-1, 1))
    assert p_value(counts, parts / parts.sum()) > ERROR_RATE


@pytest.mark.parametrize(
    "head",
    [
        Categorical(torch.zeros(5, 7, 3)),
        Gaussian(torch.zeros(5, 7, 2), torch.zeros(5, 1, 2)),
        SquashedGaussian(torch.zeros(5, 7, 2), torch.zeros(2)),
    ],
)
def test_the_same_generator_draws_the_same_and_no_global_one_is_touched(head):
    before = torch.get_rng_state()
    one, same, other = (head.sample(generator(seed)) for seed in (3, 3, 4))
    assert torch.equal(before, torch.get_rng_state())
    assert torch.equal(one, same)
    assert not torch.equal(one, other)
    drawn = generator(3)
    assert not torch.equal(head.sample(drawn), head.sample(drawn)), "chance goes on"
    assert head.log_prob(one).shape == (5, 7)
    assert not one.requires_grad


@pytest.mark.parametrize("log_std", [torch.tensor([[[0.1]], [[-0.2]]]), torch.tensor(0.3), torch.tensor([-1.0, 1.0])])
def test_a_log_std_is_spread_over_all_means(log_std):
    mean = torch.arange(12.0).reshape(2, 3, 2)
    spread = log_std.expand(2, 3, 2).contiguous()
    found, alone = Gaussian(mean, log_std), Gaussian(mean, spread)
    torch.testing.assert_close(found.log_prob(mean + 1), alone.log_prob(mean + 1))
    assert found.entropy().shape == (2, 3)


# --- policies ---


def categorical(copies, seed):
    return CategoricalPolicy([3, 5, 4], copies, seed).double()


def gaussian(copies, seed):
    return GaussianPolicy([3, 5, 2], copies, seed).double()


def data(policy, copies, batch=6):
    """Return observations, actions and weights of a loss, in float64."""
    rng = np.random.default_rng(0)
    obs, A = (torch.from_numpy(rng.normal(size=(copies, batch, *shape))) for shape in ((3,), ()))
    pi = policy(obs)
    action = rng.integers(4, size=(copies, batch)) if isinstance(pi, Categorical) else rng.normal(size=pi.mean.shape)
    return obs, torch.from_numpy(action), A


def loss(policy, obs, action, A):
    pi = policy(obs)
    return (-pi.log_prob(action) * A - 0.1 * pi.entropy()).mean(dim=1)


@pytest.mark.parametrize("build", [categorical, gaussian])
def test_policies_learn_together_what_they_learn_alone(build):
    together = build(3, 7)
    obs, action, A = data(together, 3)
    optimiser = Adam(together.parameters(), lr=0.01)
    for _ in range(5):
        optimiser.step(loss(together, obs, action, A).sum())
    for k in range(3):
        alone, own = build(1, 7 + k), slice(k, k + 1)
        begun = alone(obs[own]).mode().clone()
        its = Adam(alone.parameters(), lr=0.01)
        for _ in range(5):
            its.step(loss(alone, obs[own], action[own], A[own]).sum())
        for stacked, single in zip(together.parameters(), alone.parameters(), strict=True):
            torch.testing.assert_close(stacked[own], single)
        assert build is categorical or not torch.equal(begun, alone(obs[own]).mode()), "nothing was learned"


@pytest.mark.parametrize("build", [categorical, gaussian])
def test_the_gradient_of_a_copy_does_not_depend_on_the_others(build):
    policy = build(4, 0)
    obs, action, A = data(policy, 4)
    other = obs.clone()
    other[2] += 1
    one, two = (torch.autograd.grad(loss(policy, z, action, A).sum(), list(policy.parameters())) for z in (obs, other))
    rest = [0, 1, 3]
    assert all(torch.equal(a[rest], b[rest]) for a, b in zip(one, two, strict=True))
    assert any(not torch.equal(a[2], b[2]) for a, b in zip(one, two, strict=True))


def test_a_categorical_policy_is_its_network():
    policy = CategoricalPolicy([3, 5, 4], copies=2, seed=1)
    obs = torch.randn(2, 7, 3, generator=generator())
    pi = policy(obs)
    assert isinstance(pi, Categorical)
    assert pi.probs.shape == (2, 7, 4)
    torch.testing.assert_close(pi.probs, torch.softmax(policy.network(obs), dim=-1))
    assert pi.sample(generator()).shape == (2, 7)


def test_a_gaussian_policy_has_a_log_std_of_its_own_the_same_in_every_state():
    policy = GaussianPolicy([3, 5, 2], copies=4, seed=1, log_std=-0.25)
    obs = torch.randn(4, 7, 3, generator=generator())
    assert isinstance(policy.log_std, torch.nn.Parameter)
    assert policy.log_std.shape == (4, 1, 2)
    assert set(policy.log_std.flatten().tolist()) == {-0.25}
    pi = policy(obs)
    assert isinstance(pi, Gaussian)
    assert not isinstance(pi, SquashedGaussian)
    assert pi.sample(generator()).shape == (4, 7, 2)
    torch.testing.assert_close(pi.mean, policy.network(obs))
    with torch.no_grad():
        policy.log_std[2, 0, 1] = 1.0
    changed = policy(obs).log_std != pi.log_std.new_full((4, 7, 2), -0.25)
    assert changed[2, :, 1].all()
    assert changed.sum() == 7
    assert GaussianPolicy([3, 2]).log_std.flatten().tolist() == [-0.5, -0.5]


@pytest.mark.parametrize("build", [categorical, gaussian])
def test_a_seed_says_all(build):
    before = torch.get_rng_state()
    one, same, next_one = build(3, 7), build(3, 7), build(3, 8)
    assert torch.equal(before, torch.get_rng_state())
    for a, b, c in zip(*(list(p.network.parameters()) for p in (one, same, next_one)), strict=True):
        assert torch.equal(a, b)
        assert torch.equal(a[1:], c[:-1]), "copy k of seed s is copy 0 of seed s + k"
        assert not torch.equal(a[0], a[1])


@pytest.mark.parametrize("policy", [CategoricalPolicy, GaussianPolicy])
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([3],), r"sizes is \[3\], but at least inputs and outputs were expected"),
        (([3, 0],), r"sizes\[1\] is 0, but a whole number of at least 1 was expected"),
        (([3, 2], 0), "copies is 0, but a whole number of at least 1 was expected"),
        (([3, 2], 1, -1), "seed is -1, but a whole number of at least 0 was expected"),
    ],
)
def test_what_does_not_fit_is_refused_in_one_sentence(policy, arguments, message):
    with pytest.raises(ValueError, match=f"^{message}$"):
        policy(*arguments)


@pytest.mark.parametrize(
    ("log_std", "message"),
    [
        (math.nan, "log_std is nan, but it must be a finite number"),
        (-math.inf, "log_std is -inf, but it must be a finite number"),
        ([0.0, 0.0], r"log_std has shape \(2,\), but \(\) was expected"),
        ("wide", "log_std must be an array of real numbers, not 'wide'"),
    ],
)
def test_a_log_std_that_is_no_number_is_refused(log_std, message):
    with pytest.raises(ValueError, match=f"^{message}$"):
        GaussianPolicy([3, 2], log_std=log_std)
