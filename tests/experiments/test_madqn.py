"""The long runs of the pursuit: what is stored is what is declared, and whose number is whose."""

import numpy as np
import pytest

from rlkit.envs.pursuit import Pursuit
from rlkit.experiments import load
from rlkit.experiments import madqn as runs
from rlkit.experiments.madqn import ALONE, EXPERIMENTS, LEARN, TEAM, exact_times, pursuers_learn, rows

TINY = {**LEARN, **ALONE, "size": [4, 4], "steps": 640, "turns": 1, "warm_up": 320, "memory": 1000}


@pytest.mark.parametrize("experiment", EXPERIMENTS, ids=lambda e: e.name)
def test_what_is_stored_is_what_is_declared(experiment):
    assert experiment.matches(load(experiment.name))
    for _, seeds in experiment.jobs():  # a group's networks are seeded from its first one on
        assert list(seeds) == list(range(seeds[0], seeds[0] + len(seeds)))


def test_the_yard_is_one_of_the_maps():
    from rlkit.envs.pursuit import yard

    np.testing.assert_array_equal(np.argwhere(yard()[:5, :5]), [[2, 2], [2, 3], [3, 2], [3, 3]])
    assert yard(14, 14).sum() == 36


def test_exact_times_by_hand():
    """Two cells in a row; the evader's five moves leave it where it is with 4/5, and take it to the other cell with 1/5.

    The best pursuer moves over: it meets the evader there, or they change places: one step. A random one stays with 4/5, and
    is missed then with 4/5: each step goes on with 16/25.
    """
    found = exact_times(np.zeros((1, 2), bool), limit=3)
    assert found["best"] == pytest.approx(1)
    assert found["random"] == pytest.approx(1 + 16 / 25 + (16 / 25) ** 2)


def test_rows_belong_to_their_seed_and_step():
    found = [
        {name: np.array([[i, i], [i + 0.5, i + 0.5]]) for name in ("all", "caught", "time", "return")} for i in (1, 2)
    ]
    table = rows([7, 8], [10, 20], found)
    assert table["seed"].tolist() == [7, 8, 7, 8] and table["step"].tolist() == [10, 10, 20, 20]
    assert table["time"].tolist() == [1, 1.5, 2, 2.5]


def test_tests_belong_to_their_seed():
    run = pursuers_learn(TINY, [3, 4], test_every=320)
    table = runs.tests(run, [3, 4])
    for k, seed in enumerate((3, 4)):
        np.testing.assert_array_equal(table["time"][table["seed"] == seed], run.tested("time")[1][k])


def test_a_warm_start_begins_with_the_weights_of_the_small_map(monkeypatch):
    given, real = [], runs.pursuers_learn

    def learn(settings, seeds, network=None, **more):
        given.append((settings, network and {k: v.clone() for k, v in network.state_dict().items()}))
        result = real({**settings, "steps": 320}, seeds, network, **({"test_every": 320} if more else {}))
        given[-1] += ({k: v.clone() for k, v in result.policy["pursuers"].state_dict().items()},)
        return result

    monkeypatch.setattr(runs, "pursuers_learn", learn)
    settings = {**TINY, "turns": 1, "first": {"size": [3, 3]}}
    runs.run_warm(settings, [0, 1])
    (small, none, learned), (large, begun, _) = given
    assert small["size"] == [3, 3] and large["size"] == [4, 4] and none is None
    assert all((begun[k] == learned[k]).all() for k in learned)
    assert (small["epsilon"][0], large["epsilon"][0]) == (1.0, 0.2)


@pytest.mark.parametrize(
    ("run", "more"),
    [
        (runs.run_alone, {"steps": 4_000}),
        (runs.run_race, {"turns": 2}),
        (runs.run_transfer, {"places": [{**ALONE, "size": [4, 4]}, {**ALONE, "size": [5, 5]}]}),
        (runs.run_wirings, {"wiring": "one alone"}),
    ],
)
def test_what_is_reported_was_played_in_worlds_of_no_training(run, more, monkeypatch):
    """All worlds that were begun: those of the training and its tests first, and then, from other seeds, the final ones."""
    begun, real = [], Pursuit.reset

    def reset(self, seed=None, cells=None):
        begun.append(seed)
        return real(self, seed, cells)

    monkeypatch.setattr(Pursuit, "reset", reset)
    plain = {**runs.PLAIN, "pursuers": 1, "size": [4, 4], "moves": 4_000, "warm_up": 320}
    run({**(plain if "wiring" in more else TINY), **more}, [8, 9])
    final = [runs.FINAL <= seed < runs.FINAL + 1_000_000 for seed in begun]
    assert final[0] is False and final[-1] is True
    assert final == sorted(final)


@pytest.mark.parametrize("wiring", ["one alone", "super-agent", "a network each", "one network"])
def test_every_wiring_makes_as_many_moves(wiring):
    settings = {
        **runs.PLAIN,
        "size": [4, 4],
        "pursuers": 1 if wiring == "one alone" else 2,
        "moves": 960,
        "warm_up": 160,
    }
    result, _, seats = runs.train_wired(wiring, settings, [0, 1], 480)
    assert result.params["steps"] == 960 * seats and list(result.snapshots) == [480 * seats, 960 * seats]
    assert seats == (2 if wiring == "one network" else 1)
    assert result.params["copies"] == (4 if wiring == "a network each" else 2)


def test_no_seed_is_one_with_which_settings_were_chosen():
    for experiment in EXPERIMENTS:
        assert not set(experiment.seeds) & set(range(5)), experiment.name


def test_the_team_is_the_lecture_s():
    assert (TEAM["pursuers"], TEAM["evaders"]) == (2, 2)
