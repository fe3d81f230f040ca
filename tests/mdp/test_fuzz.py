"""Worlds drawn to break things: the answer is right, or it is a ValueError of one line.

Right means: within what is promised of the optimum in fractions. Warnings count as failures. Where rounding decides
(with gamma = 1, whether a loop pays a little or nothing), both verdicts are accepted, but no wrong number.
"""

import warnings
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import sparse

from rlkit.mdp import (
    METHODS,
    Sampler,
    TabularMDP,
    evaluate_policy,
    from_gymnasium,
    greedy,
    policy_matrix,
    solve,
)
from tests.mdp.oracle import CirclingPays, ExactWorld

EXAMPLES = 250
TOL = 1e-6
SWEEPS = ("value_iteration", "modified_policy_iteration")
GAMMAS = (0.0, 1e-300, 0.5, 0.9, 0.99, 1.0, 1.0, 1.0)
NEAR_ONE = (1 - 1e-6, 1 - 1e-8)  # out of the reach of sweeps, so that only the other methods are asked
SIZES = (0.0, 0.0, 1.0, -1.0, 2.0, -3.0, 0.1, -0.3, 1e-9, 1e6, -1e99, 1e-320)
ODD = (np.nan, np.inf, -np.inf, 1e308, -1e308, 1e101, -1.0, 1e-320, 2.0, 0.5)


def quietly(call: Callable[[], Any]) -> Any:
    """Return what ``call`` returns, or None after a ValueError of one line; a warning is an error."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            return call()
        except ValueError as refusal:
            message = str(refusal)
    assert message
    assert "\n" not in message, f"a message of several lines: {message}"
    return None


# -- drawing worlds -----------------------------------------------------------------------------------------------------


@st.composite
def good_arguments(draw: st.DrawFn) -> dict[str, Any]:
    """Draw arguments for TabularMDP that are all right (with gamma = 1, but for what only solving can tell)."""
    S, A = draw(st.integers(1, 4)), draw(st.integers(1, 3))
    P = draw(hnp.arrays(float, (S, A, S), elements=st.sampled_from([0, 0, 0, 1, 1, 3, 1e-5])))
    P += np.eye(S)[:, None] * (P.sum(axis=2, keepdims=True) == 0)
    P /= P.sum(axis=2, keepdims=True)
    terminal = draw(hnp.arrays(bool, S))
    available = draw(hnp.arrays(bool, (S, A)))
    available[~available.any(axis=1)] = True
    R = draw(hnp.arrays(float, draw(st.sampled_from([(S, A), (S, A, S)])), elements=st.sampled_from(SIZES)))
    P[terminal], R[terminal] = 0, 0
    P[terminal, :, terminal] = 1
    gamma = draw(st.sampled_from(GAMMAS + NEAR_ONE))
    return {"P": P, "R": R, "gamma": gamma, "terminal": terminal, "available": available}


def in_some_form(draw: st.DrawFn, arguments: dict[str, Any]) -> dict[str, Any]:
    """Make P, or P and R, sparse, or leave them as they are."""
    for name in draw(st.sampled_from([[], ["P"], ["R"], ["P", "R"]])):
        table = arguments[name]
        if isinstance(table, np.ndarray) and table.ndim == 3 and table.dtype.kind in "biufc":
            with np.errstate(over="ignore"):
                arguments[name] = sparse.csr_array(table.reshape(-1, table.shape[2]))
    return arguments


def nudge_probability(draw, arguments):
    index = tuple(draw(st.integers(0, n - 1)) for n in arguments["P"].shape)
    arguments["P"][index] += draw(st.sampled_from([1e-17, 1e-12, -1e-12, 9e-10, -9e-10, 2e-9, 1e-3, -1, *ODD]))


def move_probability(draw, arguments):
    P = arguments["P"]
    s, a = (draw(st.integers(0, n - 1)) for n in P.shape[:2])
    amount = draw(st.sampled_from([1e-3, 1e-8, 1e-13, 1e-17, 1e-300]))
    P[s, a, draw(st.integers(0, P.shape[0] - 1))] += amount
    P[s, a, P[s, a].argmax()] -= amount


def change_reward(draw, arguments):
    index = tuple(draw(st.integers(0, n - 1)) for n in arguments["R"].shape)
    arguments["R"][index] = draw(st.sampled_from(SIZES + ODD))


def flip(name):
    def flip_one(draw, arguments):
        index = tuple(draw(st.integers(0, n - 1)) for n in arguments[name].shape)
        arguments[name][index] ^= True

    return flip_one


def change_gamma(draw, arguments):
    junk = (1 - 1e-12, 1 - 2**-53, -1e-300, 1 + 1e-9, "0.9", None, [0.9], np.array(0.9), True, 1j, np.nan)
    arguments["gamma"] = draw(st.sampled_from(junk))


def reshape(draw, arguments):
    name = draw(st.sampled_from(["P", "R", "terminal", "available"]))
    array = arguments[name]
    arguments[name] = draw(st.sampled_from([array.T, array.ravel(), array[None], array[:-1], array[..., :1]]))


def retype(draw, arguments):
    name = draw(st.sampled_from(["P", "R", "terminal", "available"]))
    kind = draw(st.sampled_from([object, complex, str, np.float32, np.longdouble, "list", "m8[s]"]))
    array = arguments[name]
    with np.errstate(over="ignore"):
        arguments[name] = array.tolist() if kind == "list" else array.astype(kind)


def add_more(draw, arguments):
    size = arguments["terminal"].size
    arguments["start"] = draw(
        st.one_of(st.just([1] + [0] * (size - 1)), hnp.arrays(float, size, elements=st.sampled_from(ODD)))
    )
    arguments["states"] = draw(st.sampled_from([(), "s", 3, None, ["a"] * size]))


CORRUPTIONS = [
    nudge_probability,
    move_probability,
    change_reward,
    flip("terminal"),
    flip("available"),
    change_gamma,
    reshape,
    retype,
    add_more,
]


# -- what an answer must be ---------------------------------------------------------------------------------------------


def check_solutions(mdp: TabularMDP) -> bool:
    """Solve by every method and compare with fractions; return whether there was an answer."""
    world = ExactWorld(mdp)
    try:
        V, policy = world.optimum()
    except CirclingPays:
        V = policy = None
    answers = 0
    for method in METHODS:
        if method in SWEEPS and LIMIT < mdp.gamma < 1:
            continue
        answer = quietly(lambda method=method: solve(mdp, method, TOL))
        if answer is None:
            assert mdp.gamma == 1, f"{method} refuses a world with gamma {mdp.gamma}"
            assert V is None or pays_nearly(mdp) or is_slow(world), f"{method} refuses a world that has an optimum"
            continue
        answers += 1
        assert np.isfinite(answer.V).all()
        chosen = [{int(a): Fraction(1)} for a in answer.policy]
        ends = mdp.gamma < 1 or all(world.ends_from(world.under(chosen)[0]))
        assert ends, f"{method}: the policy never ends"
        size = max(1e-300, abs(answer.V).max(), abs(mdp.expected_reward).max())
        if V is None:
            # Fractions see a gain that 64-bit numbers cannot: then the answer must be a fixed point for these.
            assert not pays_clearly(mdp), f"{method} misses a loop that pays"
            assert answer.residual <= 1e-9 * size
            continue
        steps = float(max(world.steps(policy), world.steps(chosen)))
        allowed = 1e-11 * size * steps + (TOL / 2 if method in SWEEPS and mdp.gamma < 1 else 0)
        exact = np.array([float(v) for v in V])
        assert abs(answer.V - exact).max() <= allowed, f"{method}: {answer.V} instead of {exact}"
        reached = np.array([float(v) for v in world.value(chosen)])
        loss = allowed + (TOL if method in SWEEPS and mdp.gamma < 1 else 0)
        assert abs(reached - exact).max() <= loss, f"{method}: the policy is worth {reached} instead of {exact}"
    return answers > 0


LIMIT = 0.99


def pays_with(mdp: TabularMDP, bonus: float) -> bool:
    """Return whether some loop pays once every step pays a little more (or less)."""
    world = ExactWorld(mdp)
    size = max(abs(mdp.expected_reward).max(), 1e-300)
    for s, a in world.r:
        world.r[s, a] += 0 if world.terminal[s] else Fraction(bonus * size)
    try:
        world.optimum()
    except CirclingPays:
        return True
    return False


def pays_nearly(mdp: TabularMDP) -> bool:
    return pays_with(mdp, 1e-9)


def pays_clearly(mdp: TabularMDP) -> bool:
    return pays_with(mdp, -1e-9)


def is_slow(world: ExactWorld) -> bool:
    """Return whether some policy that ends takes so long that rounding may spoil its value."""
    return any(p and p < Fraction(1, 10**6) for row in world.P.values() for p in row)


# -- the tests ----------------------------------------------------------------------------------------------------------


@settings(max_examples=EXAMPLES)
@given(st.data())
def test_good_worlds_are_solved(data):
    arguments = in_some_form(data.draw, data.draw(good_arguments()))
    mdp = quietly(lambda: TabularMDP(**arguments))
    if mdp is None:
        assert arguments["gamma"] == 1, "refused, though nothing is wrong with it"
    else:
        assert check_solutions(mdp) or mdp.gamma == 1


@settings(max_examples=EXAMPLES)
@given(st.data())
def test_corrupted_worlds_are_solved_or_refused(data):
    arguments = data.draw(good_arguments())
    for corrupt in data.draw(st.lists(st.sampled_from(CORRUPTIONS), min_size=1, max_size=2)):
        try:
            corrupt(data.draw, arguments)
        except (TypeError, ValueError, IndexError, AttributeError):
            return  # a second corruption of an array that the first has made unfit for it
    arguments = in_some_form(data.draw, arguments)
    mdp = quietly(lambda: TabularMDP(**arguments))
    if mdp is not None:
        check_solutions(mdp)


JUNK = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.complex_numbers(),
    st.text(max_size=3),
    st.binary(max_size=3),
    st.lists(st.lists(st.floats(), max_size=2), max_size=2),
    st.dictionaries(st.integers(), st.integers(), max_size=1),
    hnp.arrays(hnp.scalar_dtypes(), hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=3)),
    hnp.arrays(float, (2, 1, 2), elements=st.floats(0, 1)).map(lambda P: sparse.coo_array(P.reshape(2, 2))),
    st.builds(object),
)


@settings(max_examples=EXAMPLES)
@given(st.sampled_from(["P", "R", "gamma", "start", "terminal", "available", "reward_std", "states", "actions"]), JUNK)
def test_junk_for_one_argument(name, junk):
    arguments = {"P": np.full((2, 1, 2), 0.5), "R": [[1], [-1]], "gamma": 0.9, name: junk}
    mdp = quietly(lambda: TabularMDP(**arguments))
    if mdp is not None:
        check_solutions(mdp)


@settings(max_examples=EXAMPLES)
@given(JUNK)
def test_junk_for_everything_else(junk):
    mdp = TabularMDP(np.full((2, 1, 2), 0.5), [[1], [-1]], 0.9)
    quietly(lambda: policy_matrix(mdp, junk))
    quietly(lambda: evaluate_policy(mdp, [0, 0], "iterative", junk))
    quietly(lambda: evaluate_policy(mdp, [0, 0], junk))
    quietly(lambda: solve(mdp, "value_iteration", junk))
    quietly(lambda: solve(mdp, junk))
    quietly(lambda: greedy(junk))
    quietly(lambda: Sampler(mdp, 1, junk))
    quietly(lambda: Sampler(mdp, 2, np.random.default_rng(0)).step(junk))
    quietly(lambda: Sampler(mdp, 2, np.random.default_rng(0)).reset(junk))
    quietly(lambda: from_gymnasium(junk, 1))


@settings(max_examples=EXAMPLES)
@given(st.data())
def test_policies_are_evaluated_or_refused(data):
    arguments = in_some_form(data.draw, data.draw(good_arguments()))
    mdp = quietly(lambda: TabularMDP(**arguments))
    if mdp is None:
        return
    S, A = mdp.available.shape
    weights = data.draw(hnp.arrays(float, (S, A), elements=st.sampled_from([0, 1, 1, 2, 1e-5])))
    pi = np.where(mdp.available, weights, data.draw(st.sampled_from([0, 0, 0, 1])))
    pi += mdp.available * (pi.sum(axis=1, keepdims=True) == 0)
    pi = pi / pi.sum(axis=1, keepdims=True) * (1 + data.draw(st.sampled_from([0, 0, 5e-10, -5e-10, 1e-6])))
    V = quietly(lambda: evaluate_policy(mdp, pi))
    fits = not (pi[~mdp.available] > 0).any() and abs(pi.sum(axis=1) - 1).max() < 1e-9
    world = ExactWorld(mdp)
    if not fits:
        assert V is None
        return
    weights = [{a: Fraction(float(pi[s, a])) for a in world.actions[s]} for s in range(S)]
    exact = [{a: w / sum(given.values()) for a, w in given.items()} for given in weights]
    if mdp.gamma == 1 and not all(world.ends_from(world.under(exact)[0])):
        assert V is None
        return
    steps = float(world.steps(exact))
    if V is None:
        assert mdp.gamma == 1
        assert steps > 1e8
        return
    size = max(1e-300, abs(V).max(), abs(mdp.expected_reward).max())
    assert abs(V - [float(v) for v in world.value(exact)]).max() <= 1e-14 * size * steps


@settings(max_examples=EXAMPLES)
@given(hnp.arrays(float, hnp.array_shapes(min_dims=2, max_dims=2, max_side=4), elements=st.floats(width=32)))
def test_greedy_takes_best_actions_or_refuses(Q):
    pi = quietly(lambda: greedy(Q))
    possible = not (np.isnan(Q) | (Q == np.inf)).any() and (Q > -np.inf).any(axis=1).all()
    assert (pi is not None) == possible
    if possible:
        best = Q.max(axis=1, keepdims=True)
        assert (pi[best == Q] > 0).all()
        assert ((pi == 0) | (Q >= best - 2e-9 * max(1, abs(Q[Q > -np.inf]).max()))).all()
        np.testing.assert_allclose(pi.sum(axis=1), 1)


def test_the_fuzz_has_teeth(monkeypatch):
    # A solver that is off by a thousandth, one that never refuses, and one that answers with another policy.
    mdp = TabularMDP([[[0.5, 0.5], [0, 1]], [[0, 1], [0, 1]]], [[1, 0], [0, 0]], 0.9, terminal=[0, 1])
    assert check_solutions(mdp)

    right = solve

    def spoilt(change):
        def wrong(*arguments):
            answer = right(*arguments)
            change(answer)
            return answer

        return wrong

    for change in (lambda answer: answer.V.__setitem__(0, 1.0), lambda answer: answer.policy.__setitem__(0, 1)):
        monkeypatch.setattr("tests.mdp.test_fuzz.solve", spoilt(change))
        with pytest.raises(AssertionError, match="instead of"):
            check_solutions(mdp)
