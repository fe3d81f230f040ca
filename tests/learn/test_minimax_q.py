"""Minimax-Q: by hand, against a plain loop with a linear program at every step, alone and side by side, and at the truth."""

import numpy as np
import pytest
from scipy import sparse

from rlkit.games.markov import MarkovGame, seen_by
from rlkit.games.shapley import solve_zero_sum
from rlkit.games.zero_sum import zero_sum, zero_sum_batch
from rlkit.learn.minimax_q import LITTMAN, Table, minimax_q, minimax_target
from rlkit.mdp import solve
from tests.learn.chance import ERROR_RATE, allowed, deviations, p_value


def a_game(seed=0, sizes=(3, 2), states=4, gamma=0.8, sure=False):
    """Return a zero-sum game with a random table; its last state is terminal, and with ``sure`` nothing is left to chance."""
    rng = np.random.default_rng(seed)
    P = rng.dirichlet(np.ones(states), (states, *sizes))
    if sure:
        P = np.eye(states)[P.argmax(axis=-1)]
    R = rng.normal(size=(states, *sizes))
    end = states - 1
    P[end], R[end] = np.eye(states)[end], 0
    start = np.array([0.5, 0.3, *[0.2 / (states - 3)] * (states - 3), 0])
    return MarkovGame(P, [R, -R], gamma, start, np.arange(states) == end)


def plain(game, opponent, sees, steps, seed, worlds, explore, last_alpha, solver):
    """Return Q, V, pi of agent 0 and of agent 1: the numbered lines of the box, one world after the other."""
    rng, sizes = np.random.default_rng(seed), game.n_actions
    seen = [sizes[1 - j] if sees else 1 for j in (0, 1)]
    Q = [np.ones((game.n_states, sizes[j], seen[j])) for j in (0, 1)]
    V = [np.ones(game.n_states) for _ in (0, 1)]
    pi = [np.full((game.n_states, sizes[j]), 1 / sizes[j]) for j in (0, 1)]
    pick = lambda p, u: next(i for i, total in enumerate(np.cumsum(p)) if total > u)  # noqa: E731
    s, alpha = [pick(game.start, u) for u in rng.random(worlds)], 1.0
    for _ in range(steps // worlds):
        u, happened = rng.random((6, worlds)), []
        for w in range(worlds):
            a = []
            for j, (size, row) in enumerate(zip(sizes, (u[:2, w], u[2:4, w]), strict=True)):
                at_random = row[0] < explore or (j == 1 and opponent == "random")
                a.append(int(row[1] * size) if at_random else pick(pi[j][s[w]], row[1]))
            s_next = pick(game.P[s[w], a[0], a[1]], u[4, w])
            r = game.R[0, s[w], a[0], a[1]]
            future = [0 if game.terminal[s_next] else game.gamma * V[j][s_next] for j in (0, 1)]
            happened.append((s[w], a, (r + future[0], -r + future[1]), s_next, game.terminal[s_next]))
        for j in (0, 1) if opponent == "itself" else (0,):
            for s_w, a, y, _, _ in happened:
                at = s_w, a[j], a[1 - j] if sees else 0
                Q[j][at] = (1 - alpha) * Q[j][at] + alpha * y[j]
            for s_w in {event[0] for event in happened}:
                V[j][s_w], pi[j][s_w], _ = solver(Q[j][s_w])
        alpha *= last_alpha ** (worlds / steps)
        s = [pick(game.start, u[5, w]) if over else s_next for w, (*_, s_next, over) in enumerate(happened)]
    return Q, V, pi


# --- one step ---


def test_a_target_by_hand():
    np.testing.assert_allclose(minimax_target([2, 2], [10, 10], [False, True], 0.9), [11, 2])


def test_an_update_by_hand():
    """One state, two actions each, all 1 at first; alpha 1/2, gamma 0.9. (a, o) = (0, 0) has paid 3: y = 3.9.

    The game is ((2.45, 1), (1, 1)) then: its least entry in both rows is 1, so that nothing is won yet. (1, 1) pays 3, too:
    now the entries on the diagonal are equal, and a fair coin is sure of (2.45 + 1) / 2.
    """
    table, zero = Table(1, 1, 2, 2), np.zeros(1, int)
    for action, value, pi in ((0, 1, None), (1, 1.725, [1 / 2, 1 / 2])):
        a = np.array([action])
        table.pull(zero, zero, a, a, minimax_target(np.array([3.0]), np.ones(1), np.zeros(1, bool), 0.9), 0.5)
        table.solve(zero, zero)
        assert table.V[0, 0] == pytest.approx(value)
        if pi:
            np.testing.assert_allclose(table.pi[0, 0], pi)
    np.testing.assert_allclose(table.Q[0, 0], [[2.45, 1], [1, 2.45]])


def test_worlds_that_meet_in_an_entry_come_one_after_the_other():
    """Halfway from 1 to 2 is 1.5, and from there to 4 it is 2.75; the other order would give 2.25."""
    table, zero = Table(2, 3, 2, 2), np.zeros(4, int)
    who, s = np.array([0, 0, 1, 0]), np.array([1, 1, 1, 2])
    table.pull(who, s, zero, zero, np.array([2.0, 4.0, 3.0, 7.0]), 0.5)
    assert (table.Q[0, 1, 0, 0], table.Q[1, 1, 0, 0], table.Q[0, 2, 0, 0]) == (2.75, 2, 4)
    assert (table.Q != 1).sum() == 3


def test_with_alpha_one_the_last_target_is_kept():
    table, zero = Table(1, 1, 1, 1), np.zeros(3, int)
    table.pull(zero, zero, zero, zero, np.array([5.0, 6.0, 7.0]), 1.0)
    assert table.Q.item() == 7


def test_how_often_which_action():
    """With probability 0.2 at random, otherwise by pi."""
    table, K = Table(1, 2, 3, 2), 30_000
    table.pi[0, 1] = [0, 0.25, 0.75]
    who, s = np.zeros(K, int), np.ones(K, int)
    a = table.act(who, s, 0.2, np.random.default_rng(4).random((2, K)))
    chances = 0.8 * table.pi[0, 1] + 0.2 / 3
    assert p_value(np.bincount(a, minlength=3), chances) > ERROR_RATE


# --- the loop ---


@pytest.mark.parametrize("name", LITTMAN)
@pytest.mark.parametrize("worlds", [1, 6])
def test_the_loop_is_the_box(name, worlds):
    game = a_game()
    args = {"steps": 300, "worlds": worlds, "explore": 0.3, "last_alpha": 0.05}
    learned = minimax_q(game, **LITTMAN[name], seeds=[11], **args)
    expected = plain(game, **LITTMAN[name], seed=11, solver=zero_sum_batch, **args)
    assert len(learned.tables) == (2 if name[1] == name[0] else 1)
    for j, table in enumerate(learned.tables):
        for found, right in zip((table.Q, table.V, table.pi), (part[j] for part in expected), strict=True):
            np.testing.assert_allclose(found[0], right, atol=1e-12)


@pytest.mark.parametrize("opponent", ["random", "itself"])
def test_the_loop_with_a_linear_program_at_every_step(opponent):
    """Both move at random, since policies need not be the same where several are as good."""
    game = a_game(sizes=(3, 3))
    args = {"steps": 300, "worlds": 1, "explore": 1.0, "last_alpha": 0.01}
    learned = minimax_q(game, opponent, seeds=[5], **args)
    Q, V, _ = plain(game, opponent, True, seed=5, solver=zero_sum, **args)
    for j, table in enumerate(learned.tables):
        np.testing.assert_allclose(table.Q[0], Q[j], atol=1e-8)
        np.testing.assert_allclose(table.V[0], V[j], atol=1e-8)
        left = ~game.terminal
        sure = (table.Q[0] * table.pi[0][:, :, None]).sum(axis=1).min(axis=1)
        np.testing.assert_allclose(sure[left], V[j][left], atol=1e-8)


@pytest.mark.parametrize("name", LITTMAN)
def test_a_seed_learns_the_same_among_others(name):
    game, args = a_game(1), {"steps": 400, "worlds": 4, "every": 200}
    together = minimax_q(game, **LITTMAN[name], seeds=[3, 1, 4], **args)
    for k, seed in enumerate([3, 1, 4]):
        alone = minimax_q(game, **LITTMAN[name], seeds=[seed], **args)
        np.testing.assert_array_equal(alone.V[:, 0], together.V[:, k])
        np.testing.assert_array_equal(alone.pi[:, 0], together.pi[:, k])
        for one, all_of_them in zip(alone.tables, together.tables, strict=True):
            np.testing.assert_array_equal(one.Q[0], all_of_them.Q[k])
    assert not np.array_equal(together.V[-1, 0], together.V[-1, 1])


def test_with_one_action_of_the_opponent_it_is_q_learning():
    game = a_game(2, sizes=(3, 1))
    minimax, q = (minimax_q(game, sees=sees, steps=600, seeds=[0, 1]).tables[0] for sees in (True, False))
    np.testing.assert_array_equal(minimax.Q, q.Q)
    left = (q.Q != 1).any(axis=(2, 3))
    np.testing.assert_array_equal(q.V[left], q.Q.max(axis=(2, 3))[left])
    np.testing.assert_array_equal(q.pi.argmax(axis=2)[left], q.Q[..., 0].argmax(axis=2)[left])


def test_a_sparse_game_is_the_same_game():
    game = a_game(3)
    thin = MarkovGame(sparse.csr_array(game.rows), game.R, game.gamma, game.start, game.terminal)
    one, other = (minimax_q(g, "itself", steps=200, worlds=2) for g in (game, thin))
    np.testing.assert_array_equal(one.V, other.V)


def test_what_is_kept():
    learned = minimax_q(a_game(), steps=100, worlds=10, seeds=[0, 1], every=40)
    assert learned.at.tolist() == [0, 40, 80, 100]
    assert learned.V.shape == (4, 2, 4) and learned.pi.shape == (4, 2, 4, 3)
    assert (learned.V[0] == 1).all() and (learned.pi[0] == 1 / 3).all()
    np.testing.assert_array_equal(learned.V[-1], learned.tables[0].V)
    assert minimax_q(a_game(), steps=0).at.tolist() == [0]


# --- where it comes to ---


def test_without_chance_it_comes_to_the_value_on_both_sides():
    """Nothing is left to chance but who does what: whoever has tried everything often enough knows the value."""
    game = a_game(4, sizes=(3, 3), sure=True)
    V = solve_zero_sum(game).V
    learned = minimax_q(game, "itself", steps=24_000, worlds=40, seeds=range(2), explore=0.6, last_alpha=0.1)
    left = ~game.terminal
    for table, sign in zip(learned.tables, (1, -1), strict=True):
        np.testing.assert_allclose(table.V[:, left], np.tile(sign * V[left], (2, 1)), atol=1e-6)


def test_with_chance_it_comes_near_the_value():
    """The mean over 16 learners misses each V(s) by at most 0.01, or by what chance can do.

    The value of a game whose entries waver is not quite the mean of its values: hence the 0.01. A correct program fails on a
    new set of seeds less often than once in a million.
    """
    game = a_game(5, sizes=(3, 3))
    V = solve_zero_sum(game).V
    learned = minimax_q(game, steps=80_000, worlds=100, seeds=range(16), explore=1.0, last_alpha=0.001)
    left = ~game.terminal
    runs = learned.tables[0].V[:, left]
    error = runs.std(axis=0, ddof=1) / 4
    assert (abs(runs.mean(axis=0) - V[left]) <= 0.01 + allowed(left.sum(), 15) * error).all()
    assert abs(runs - V[left]).max() < 0.2


def test_against_random_moves_a_q_learner_finds_the_best_answer_to_them():
    game = a_game(6, sizes=(3, 3))
    uniform = np.full((game.n_states, 3), 1 / 3)
    best = solve(seen_by(game, 0, [None, uniform])).V
    learned = minimax_q(game, sees=False, steps=80_000, worlds=100, seeds=range(16), last_alpha=0.001)
    left = ~game.terminal
    runs = learned.tables[0].V[:, left]
    assert (abs(deviations(runs, best[left])) <= allowed(left.sum(), 15) + 0.01 / (runs.std(axis=0) / 4)).all()
    assert best[left].min() > solve_zero_sum(game).V[left].min() + 0.2  # these are different numbers


# --- bad input ---


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"opponent": "nobody"}, "opponent is 'nobody', but one of random, itself"),
        ({"seeds": []}, "seeds is empty"),
        ({"steps": 10, "worlds": 3}, "steps is 10, but a multiple of worlds, 3"),
        ({"steps": 12, "worlds": 3, "every": 4}, "every is 4, but a multiple of worlds, 3"),
        ({"steps": -1}, "steps is -1"),
        ({"worlds": 0}, "worlds is 0"),
        ({"explore": 1.5}, "explore is 1.5"),
        ({"last_alpha": 0}, "last_alpha is 0"),
    ],
)
def test_bad_input(change, said):
    with pytest.raises(ValueError, match=said):
        minimax_q(a_game(), **{"steps": 12} | change)


def test_games_that_are_not_zero_sum_are_refused():
    game = a_game()
    with pytest.raises(ValueError, match="not zero-sum"):
        minimax_q(MarkovGame(game.P, [game.R[0], game.R[0]], 0.8, game.start, game.terminal), steps=1)
