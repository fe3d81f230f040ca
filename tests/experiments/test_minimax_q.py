"""Littman's soccer as an experiment: what is stored is what is declared, the judge judges, and the findings hold."""

import numpy as np
import pytest

from rlkit.core import mean_interval
from rlkit.experiments import load
from rlkit.experiments import minimax_q as runs
from rlkit.experiments.minimax_q import EXPERIMENTS, LIVE, PAPER, judged, learned_policy, run_soccer, store_policy
from rlkit.games.shapley import markov_best_response, solve_zero_sum
from rlkit.games.soccer import soccer
from rlkit.learn.minimax_q import LITTMAN

GAME = soccer()
TINY = {"steps": 200, "explore": 0.2, "last_alpha": 0.01, "worlds": 10}


@pytest.fixture(scope="module")
def result():
    return load("minimax_q.soccer")


def at_the_end(result, column, variant):
    return result.table(column, variant=variant)[1][:, -1]


def test_what_is_stored_is_what_is_declared(result):
    (experiment,) = EXPERIMENTS
    assert experiment.matches(result)
    for name, who in LITTMAN.items():
        assert {**result.settings[name], **PAPER, **who} == result.settings[
            name
        ]  # the paper's, and the number of worlds
    assert (at_the_end(result, "step", "MM") == 1_000_000).all()


def test_the_judge_knows_the_exact_players():
    """The numbers of section 1 of the facts: minimax, random moves, the best answer to random moves."""
    found = judged(GAME, solve_zero_sum(GAME).x)
    assert found["exploitability"] == pytest.approx(0, abs=1e-6)
    assert found["random games"] == pytest.approx(6404, abs=150) and found["random won"] == pytest.approx(
        0.9897, abs=0.003
    )
    assert found["best won"] == pytest.approx(0.5, abs=0.01)
    anyhow = np.full((760, 5), 0.2)
    assert judged(GAME, anyhow)["exploitability"] == pytest.approx(1.119, abs=1e-3)
    assert judged(GAME, anyhow)["random won"] == pytest.approx(0.5)
    found = judged(GAME, markov_best_response(GAME, 0, [None, anyhow])[1])
    assert found["exploitability"] == pytest.approx(0.811, abs=1e-3)
    assert found["random games"] == pytest.approx(10217, abs=150) and found["random won"] == pytest.approx(
        0.9927, abs=0.003
    )


def test_rows_belong_to_their_seed_and_step(tmp_path, monkeypatch):
    monkeypatch.setattr(runs, "RESULTS", tmp_path)
    table = run_soccer(TINY | LITTMAN["MM"] | {"store": "here"}, [3, 5])
    assert table["seed"] == [3, 5] * 11 and table["step"] == [step for t in range(0, 201, 20) for step in (t, t)]
    assert table["exploitability"][:2] == pytest.approx([1.119] * 2, abs=1e-3)  # before the first step: at random
    alone = run_soccer(TINY | LITTMAN["MM"], [5])
    for name, column in alone.items():
        np.testing.assert_array_equal(column, table[name][1::2])
    stored = judged(GAME, learned_policy("here"))
    assert {name: table[name][-2] for name in stored} == stored


def test_a_policy_is_replaced_whole(tmp_path, monkeypatch):
    monkeypatch.setattr(runs, "RESULTS", tmp_path)
    for value in (0.2, 0.4):
        store_policy("one", np.full((2, 2), value))
    assert [path.name for path in tmp_path.iterdir()] == ["one.npz"]
    np.testing.assert_array_equal(learned_policy("one"), np.full((2, 2), 0.4))


def test_the_stored_policy_is_that_of_the_first_seed(result):
    policy = learned_policy()
    assert policy.shape == (760, 5)
    np.testing.assert_allclose(policy.sum(axis=1), 1, atol=1e-12)
    found = judged(GAME, policy)
    for name, value in found.items():
        assert value == pytest.approx(at_the_end(result, name, "MM")[0], rel=1e-5)


def test_what_the_chapter_claims(result):
    """Of stored runs, with 95 % intervals over eight seeds: who is hard to exploit, and who wins nothing."""
    ends = {name: mean_interval(at_the_end(result, "exploitability", name)) for name in result.settings}
    assert ends["MM"][2] <= 0.15 and ends["MM, 20 worlds"][2] <= 0.15
    assert ends["QR"][1] >= 0.6
    for name in ("MR", "QQ"):
        assert ends["MM"][2] < ends[name][1] and ends[name][2] < ends["QR"][1]
    won = {name: at_the_end(result, "best won", name) for name in LITTMAN}
    assert won["MM"].min() > 0.4 and won["QQ"].max() < 1e-6 and won["QR"].max() < 0.3
    chance = {name: at_the_end(result, "random won", name) for name in LITTMAN}
    assert min(share.min() for share in chance.values()) > 0.98


def test_q_learning_against_itself_has_learned_everything_but_the_die(result):
    """The numbers of the exact minimax policy that always makes its likeliest move, in all eight seeds."""
    found = judged(GAME, np.eye(5)[solve_zero_sum(GAME).x.argmax(axis=1)])
    for name in ("exploitability", "best games"):
        np.testing.assert_allclose(at_the_end(result, name, "QQ"), found[name], rtol=1e-5)  # six digits are stored
    assert found["best won"] < 1e-9


def test_the_live_run_is_the_stored_one(result):
    assert result.settings["MM"] == LIVE | LITTMAN["MM"] | {"store": runs.POLICY}
    assert result.settings["MM"]["worlds"] == 200
