"""The stored trials of Nash-Q: what is stored is what is declared, whose number is whose, and what the chapter says of them."""

from types import SimpleNamespace

import numpy as np
import pytest

from rlkit.experiments import load
from rlkit.experiments.nash_q import EXPERIMENTS, outcomes, run_grid, trials
from rlkit.games.grid_games import grid_game_1
from rlkit.games.markov import joint_policy_values
from rlkit.games.shapley import exploitability
from rlkit.learn.nash_q import nash_q

TINY = {"game": "grid1", "steps": 700, "power": 0.85, "rules": ["first", "own"]}


@pytest.mark.parametrize("experiment", EXPERIMENTS, ids=lambda e: e.name)
def test_what_is_stored_is_what_is_declared(experiment):
    assert experiment.matches(load(experiment.name))


def test_a_row_belongs_to_its_trial_and_pairing():
    table = {name: np.array(column) for name, column in run_grid(TINY, [4, 9]).items()}
    game = grid_game_1()
    s = int(game.start.argmax())
    assert list(dict.fromkeys(table["pairing"])) == ["independent Q", "first / first", "own / own"]
    for seed in (4, 9):
        learned = nash_q(game, ("own",), steps=700, seeds=[seed], power=0.85, every=700)
        policies = [pi[0] for pi in learned.policies("own")]
        (row,) = np.flatnonzero((table["seed"] == seed) & (table["pairing"] == "own / own"))
        np.testing.assert_allclose([table["V1"][row], table["V2"][row]], joint_policy_values(game, policies)[:, s])
        np.testing.assert_allclose([table["Q1"][row], table["Q2"][row]], learned.values[-1, 0, 0])
        assert table["gain"][row] == pytest.approx(exploitability(game, policies).max())
        assert table["episodes"][row] == learned.episodes[0]


def test_outcomes_by_hand():
    columns = {
        "variant": ["some"] * 4 + ["other"],
        "pairing": ["a", "a", "a", "b", "a"],
        "V1": np.array([97.0299, 97.0299, -100, 0, 5]),
        "V2": np.array([97.0299, 0, -100, 0, 6]),
        "gain": np.array([0, 0, 197, 97, 0]),
    }
    result = SimpleNamespace(columns=columns)
    assert outcomes(result, "some") == {
        "a": {"trials": 3, "equilibrium": 2, "shortest": 1, "never": 1},
        "b": {"trials": 1, "equilibrium": 0, "shortest": 0, "never": 1},
    }
    assert trials(result, "other")["a"]["V2"].tolist() == [6]


def test_what_the_chapter_says_of_the_trials():
    """The bars of the chapter, on what is stored: matched rules, Q-learners who watch the same play, and mismatched rules."""
    one, two = (outcomes(load(f"nash_q.{game}"), "1/visits") for game in ("grid1", "grid2"))
    assert one["first / first"]["shortest"] >= 48 and one["independent Q"]["shortest"] <= 30
    assert two["first / first"]["equilibrium"] >= 45 and two["second / second"]["equilibrium"] >= 45
    assert two["first / second"]["equilibrium"] <= 25 and two["own / own"]["equilibrium"] == 0
