"""Models of another player: counting, believing, answering, and the algebra of extortion."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rlkit.games.classics import prisoners_dilemma, rock_paper_scissors
from rlkit.games.markov import long_run, seen_by
from rlkit.games.worlds import door, repeated
from rlkit.learn.markov_games import Fixed, learn_together
from rlkit.learn.opponents import (
    ALWAYS_COOPERATE,
    ALWAYS_DEFECT,
    AT_RANDOM,
    GRIM,
    TIT_FOR_TAT,
    Counts,
    ModelBased,
    Types,
    best_response,
    extortion,
    memory_one,
)
from rlkit.mdp import solve

PD, RPS = prisoners_dilemma().payoffs, rock_paper_scissors().payoffs
KINDS = np.array([memory_one(p) for p in (ALWAYS_COOPERATE, ALWAYS_DEFECT, TIT_FOR_TAT, GRIM, AT_RANDOM)])


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(1, 10), st.floats(0.05, 1))
def test_extortion_holds_against_anybody(seed, chi, share):
    """s_X - P = chi (s_Y - P) to 1e-10, whatever memory-one strategy the other plays."""
    game, rng = repeated(PD, 0.9), np.random.default_rng(seed)
    strategy = extortion(PD, chi, share / (4 * chi + 1))  # Press and Dyson's largest phi for the payoffs 5, 3, 1, 0
    others = rng.uniform(0.02, 0.98, (50, 4))
    policies = [np.tile(memory_one(strategy, 0), (50, 1, 1)), np.array([memory_one(q, 1) for q in others])]
    s_x, s_y = long_run(game, policies).T
    np.testing.assert_allclose(s_x - 1, chi * (s_y - 1), atol=1e-10)


def test_extort_3_is_the_published_one():
    """Press and Dyson (2012): p = (11/13, 1/2, 7/26, 0) for chi = 3; full cooperation pays (2 + 13 chi) / (2 + 3 chi)."""
    np.testing.assert_allclose(extortion(PD, 3, 1 / 26), [11 / 13, 1 / 2, 7 / 26, 0], atol=1e-12)
    game = repeated(PD, 0.9)
    for chi in 2, 3, 5:
        both = [memory_one(ALWAYS_COOPERATE, 0), memory_one(extortion(PD, chi))]
        s_y, s_x = long_run(game, both)
        assert s_x == pytest.approx((2 + 13 * chi) / (2 + 3 * chi))
        assert s_y == pytest.approx((12 + 3 * chi) / (2 + 3 * chi))


def test_full_cooperation_is_the_best_answer_to_extortion():
    world = seen_by(repeated(PD, 0.9), 0, [None, memory_one(extortion(PD, 3, 1 / 26))])
    assert (solve(world).policy == 0).all()


def test_a_strategy_is_read_from_its_own_seat():
    np.testing.assert_array_equal(memory_one((0.1, 0.2, 0.3, 0.4), 0)[:, 0], [0.1, 0.2, 0.3, 0.4])
    np.testing.assert_array_equal(memory_one((0.1, 0.2, 0.3, 0.4), 1)[:, 0], [0.1, 0.3, 0.2, 0.4])
    assert memory_one(TIT_FOR_TAT, 1)[:, 0].tolist() == [1, 1, 0, 0]  # player 1 repeats what player 0 did


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(0, 0.95))
def test_best_response_solves_the_induced_world(seed, gamma):
    rng = np.random.default_rng(seed)
    A, B = rng.integers(1, 4, 2)
    payoffs = rng.normal(size=(2, A, B))
    models = rng.dirichlet(np.full(B, 0.3), (5, A * B))
    Q = best_response(models, payoffs[0], gamma, rng.integers(0, A, (5, A * B)))
    for model, table in zip(models, Q, strict=True):
        exact = solve(seen_by(repeated(payoffs, gamma), 0, [None, model]), tol=1e-10).Q
        np.testing.assert_allclose(table, exact, atol=1e-7)


def test_counts_by_hand():
    model = Counts(view=[0, 0, 1, 1], forget=0.5)
    model.begin(4, 2, 1)
    assert (model.predict() == 0.5).all()
    for s, o in (0, 1), (1, 1), (3, 0):
        model.watch(np.array([s]), np.array([o]))
    # Two ones in the first row, a round apart and then forgotten once more: 1/4 + 1/2; a zero in the second: 1.
    np.testing.assert_allclose(model.predict()[0, [0, 1]], [[1 / 2.75, 1.75 / 2.75]] * 2)
    np.testing.assert_allclose(model.predict()[0, [2, 3]], [[2 / 3, 1 / 3]] * 2)


def test_counts_converge_with_a_frozen_partner():
    """Errors of shares of n trials: within 5 standard errors, in each of 9 states."""
    rng = np.random.default_rng(3)
    other = rng.dirichlet(np.ones(3), 9)
    game = repeated(RPS, 0.9)
    player = ModelBased(Counts(), epsilon=1)
    *_, last = learn_together(game, [player, Fixed(other)], steps=8000, copies=1, every=8000, seed=4)
    n = np.bincount(last.s.ravel(), minlength=9)
    assert n.min() > 50
    error = abs(player.model.predict()[0] - other)
    assert (error < 5 * np.sqrt(other * (1 - other) / n[:, None]) + 3 / n[:, None]).all()


def test_the_belief_is_bayes_rule():
    rng, lapse, change = np.random.default_rng(5), 0.1, 0.2
    model = Types(KINDS, lapse, change)
    model.begin(4, 2, 1)
    b = [1 / 5] * 5
    for _ in range(20):
        s, o = int(rng.integers(4)), int(rng.integers(2))
        model.watch(np.array([s]), np.array([o]))
        joint = [p * ((1 - lapse) * kind[s][o] + lapse / 2) for p, kind in zip(b, KINDS, strict=True)]
        b = [(1 - change) * p / sum(joint) + change / 5 for p in joint]
        np.testing.assert_allclose(model.b[0], b, atol=1e-12)
        np.testing.assert_allclose(model.predict()[0], np.einsum("m,msb->sb", b, model.types), atol=1e-12)


def test_no_kind_is_ever_ruled_out():
    """After 3,000 rounds of one kind its rival is believed in with less than e^-10,000; as many of the rival undo it."""
    model = Types(KINDS[:2], lapse=0.05)
    model.begin(4, 2, 1)
    for rounds, o in (3000, 0), (2999, 1):
        for _ in range(rounds):
            model.watch(np.array([0]), np.array([o]))
    np.testing.assert_allclose(model.b[0], [0.975, 0.025], atol=1e-9)  # one cooperation more than defections
    for _ in range(2):
        model.watch(np.array([0]), np.array([1]))
    np.testing.assert_allclose(model.b[0], [0.025, 0.975], atol=1e-9)


def test_each_kind_is_recognised():
    """20 games against each kind, the player acting at random: at least 18 beliefs are above 0.9 after 200 rounds."""
    game = repeated(PD, 0.9)
    for k, kind in enumerate(KINDS):
        player = ModelBased(Types(KINDS), epsilon=1)
        list(learn_together(game, [player, Fixed(kind)], steps=200, copies=20, seed=k))
        assert (player.model.b[:, k] > 0.9).sum() >= 18


def test_a_more_specific_model_wins_where_it_is_right_and_loses_where_it_is_not():
    """200 games of rock, paper, scissors; the margins are more than 5 standard errors of a mean of these games."""
    game, mine = repeated(RPS, 0.9), np.repeat(np.arange(3), 3)
    copycat = 0.8 * np.eye(3)[mine] + 0.2 / 3
    teaser = 0.8 * np.eye(3)[(mine + 1) % 3] + 0.2 / 3
    kinds = np.array([copycat, np.full((9, 3), 1 / 3)])
    pay = {}
    for name, other in {"copycat": copycat, "teaser": teaser}.items():
        for model in Types(kinds), Counts(), Counts(np.zeros(9)):
            *_, last = learn_together(game, [ModelBased(model), Fixed(other)], steps=40, copies=200, every=40, seed=6)
            key = "types" if isinstance(model, Types) else "memory" if model.n.shape[1] == 9 else "shares"
            pay[name, key] = last.r[:, 0].mean()
    assert pay["copycat", "types"] > pay["copycat", "memory"] + 0.1 > pay["copycat", "shares"] + 0.2
    assert pay["teaser", "memory"] > pay["teaser", "types"] + 0.1


def test_bad_input_is_refused():
    with pytest.raises(ValueError, match="phi is 0.1"):
        extortion(PD, 3, 0.1)
    with pytest.raises(ValueError, match="no symmetric prisoner's dilemma"):
        extortion(np.array([[[3, 0], [5, 1]], [[3, 0], [5, 1]]]))
    for other in (
        [4, 0, 3, 3],
        [6, 2, 7, 0],
        [3, 0, 5, 4],
    ):  # stag hunt, chicken, and one in which defecting suits both
        mine = np.reshape(other, (2, 2))
        with pytest.raises(ValueError, match="no symmetric prisoner's dilemma"):
            extortion([mine, mine.T])
    with pytest.raises(ValueError, match="model has shape"):
        best_response(np.full((1, 4, 3), 1 / 3), PD[0], 0.9)
    with pytest.raises(ValueError, match="gamma is 1"):
        best_response(np.full((1, 4, 2), 0.5), PD[0], 1)
    with pytest.raises(ValueError, match="p has shape"):
        memory_one((1, 0))
    with pytest.raises(ValueError, match="p is 2"):
        memory_one((1, 0, 2, 0))
    with pytest.raises(ValueError, match="seat is 2"):
        memory_one(TIT_FOR_TAT, 2)
    with pytest.raises(ValueError, match="types has shape"):
        Types(np.ones((2, 2)))
    with pytest.raises(ValueError, match="repeated game"):
        next(learn_together(door(), [ModelBased(Counts()), Fixed(np.full((26, 4), 0.25))], steps=1))
