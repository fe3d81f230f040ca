"""The long runs of chapter 6's pursuit: one against one, two against two, warm starts, arms races, wirings, and what breaks."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np

from rlkit.experiments.runner import Experiment

if TYPE_CHECKING:
    from torch import nn

    from rlkit.core.types import TrainResult
    from rlkit.learn.madqn import GridQ

SEEDS = list(range(8, 16))  # the learner's settings were chosen with others, 0 to 4
FINAL = 2_000_003  # added to a seed: games that neither the training nor its tests have played
LIMIT = 100
ALONE: dict[str, Any] = {"size": [8, 8], "pursuers": 1, "evaders": 1}
SMALL: dict[str, Any] = {"size": [6, 6], "pursuers": 1, "evaders": 1}
TEAM: dict[str, Any] = {"size": [10, 10], "pursuers": 2, "evaders": 2, "blocks": True}
NETWORK: dict[str, Any] = {"reach": 4, "hidden": [64]}
LEARN: dict[str, Any] = {
    "worlds": 32,
    "gamma": 0.95,
    "lr": 1e-3,
    "batch": 128,
    "memory": 20_000,
    "warm_up": 960,
    "freeze": 50,
    "n_step": 3,
    "temperature": 0.01,
    "epsilon": [1.0, 0.05, 16_000],
}
ONE_BY_ONE: dict[str, Any] = {**LEARN, "steps": 8_000, "turns": 16}
RACE: dict[str, Any] = {**LEARN, "steps": 32_000, "turns": 10, "epsilon": [1.0, 0.1, 24_000]}
PLAIN: dict[str, Any] = {
    "size": [6, 6],
    "evaders": 2,
    "moves": 64_000,
    "worlds": 16,
    "gamma": 0.9,
    "lr": 2e-3,
    "batch": 64,
    "memory": 20_000,
    "warm_up": 960,
    "freeze": 50,
    "epsilon": [1.0, 0.05, 12_000],
    "hidden": [64],
}


# -- worlds ----------------------------------------------------------------------------------------------------------


def arena(settings: dict[str, Any], limit: int = LIMIT) -> Callable[[int], Any]:
    """Return what makes the worlds of these settings, from their number: "size", "pursuers", "evaders", "blocks"."""
    from rlkit.envs.pursuit import Pursuit, yard

    size = (settings["size"][0], settings["size"][1])
    obstacles = yard(*size) if settings.get("blocks") else None
    return partial(
        Pursuit,
        size=size,
        pursuers=settings["pursuers"],
        evaders=settings["evaders"],
        obstacles=obstacles,
        limit=limit,
    )


def exact_times(obstacles: np.ndarray, limit: int = LIMIT) -> dict[str, float]:
    """Return the expected time of capture, one against one, of the best pursuer and of one that moves at random.

    Backwards from the limit, over all pairs of cells; the evader moves at random, and the two begin on different free cells.
    A time is never more than the limit, as in the tests of the learners.

    Args:
        obstacles: bool[W, H].
        limit: steps after which an episode is broken off.
    """
    from rlkit.envs.pursuit_exact import capture_times, starts

    on, sweeps = starts(obstacles), {"best": capture_times(obstacles), "random": capture_times(obstacles, np.mean)}
    return {who: float(next(islice(left, limit, None))[on].mean()) for who, left in sweeps.items()}


# -- training --------------------------------------------------------------------------------------------------------


def split(settings: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the settings of the learner, and those of everything else."""
    return {k: v for k, v in settings.items() if k in LEARN or k == "steps"}, {
        k: v for k, v in settings.items() if k not in LEARN and k != "steps"
    }


def pursuers_learn(
    settings: dict[str, Any], seeds: list[int], network: nn.Module | None = None, **more: Any
) -> TrainResult:
    """Train pursuers, turn after turn, against evaders that move at random."""
    from rlkit.learn.madqn import GridQ, train_madqn

    learn, rest = split(settings)
    q = network or GridQ(**NETWORK, copies=len(seeds), seed=seeds[0])
    args: dict[str, Any] = {"copies": len(seeds), "seed": seeds[0], "test_episodes": 100}
    return train_madqn(arena(rest), {"pursuers": q}, turns=["pursuers"] * rest["turns"], **learn, **args, **more)


def rows(seeds: list[int], steps: Any, found: list[dict[str, np.ndarray]]) -> dict[str, Any]:
    """Return tests in long form: one of float[K, episodes] for each step."""
    means = {
        name: np.concatenate([f[name].mean(axis=1) for f in found]) for name in ("all", "caught", "time", "return")
    }
    return {"seed": np.tile(seeds, len(found)), "step": np.repeat(np.asarray(steps), len(seeds)), **means}


def tests(result: TrainResult, seeds: list[int]) -> dict[str, Any]:
    """Return the tests of a run in long form."""
    names = ("step", "all", "caught", "time", "return")
    return {"seed": np.array(seeds)[result.tests["copy"]], **{name: result.tests[name] for name in names}}


def run_alone(settings: dict[str, Any], seeds: list[int]) -> dict[str, Any]:
    """One against one: train, test every 2,000 steps, and play 1,000 games in the end."""
    from rlkit.learn.madqn import choosing, play_team

    result = pursuers_learn(settings, seeds, test_every=2_000)
    team = {"pursuers": choosing(result.policy["pursuers"], settings["temperature"])}
    found = play_team(arena(settings), team, copies=len(seeds), episodes=1_000, seed=seeds[0] + FINAL)
    table = tests(result, seeds)
    return table | {"final": np.tile(found["time"].mean(axis=1), len(table["seed"]) // len(seeds))}


def run_team(settings: dict[str, Any], seeds: list[int]) -> dict[str, Any]:
    """Two against two: train one at a time, or play a baseline; 400 games in the end. The trained ones are stored."""
    from rlkit.envs.pursuit import at_random, yard
    from rlkit.experiments import checkpoints
    from rlkit.learn.madqn import chasing, choosing, play_team
    from rlkit.nets import frozen_copy

    many = {"copies": len(seeds), "episodes": 400, "seed": seeds[0] + FINAL}
    if baseline := settings.get("baseline"):
        policy = at_random if baseline == "random" else chasing(yard(*settings["size"]))
        found = play_team(arena(settings), {"pursuers": policy}, **many)
        table = rows(seeds, [0], [found])
    else:
        result = pursuers_learn(settings, seeds)
        q = result.policy["pursuers"]
        found = play_team(arena(settings), {"pursuers": choosing(q, settings["temperature"])}, **many)
        table = tests(result, seeds)
        checkpoints.save("madqn.team", frozen_copy(q).half())  # half the digits, half the size
    repeat = len(table["seed"]) // len(seeds)
    finals = {f"final_{name}": np.tile(found[name].mean(axis=1), repeat) for name in ("all", "time")}
    return table | finals


def load_team() -> GridQ:
    """Return the stored pursuers of the experiment "madqn.team", with a copy for each seed."""
    from rlkit.experiments.checkpoints import load_weights
    from rlkit.learn.madqn import GridQ

    q = GridQ(**NETWORK, copies=len(SEEDS))
    q.load_state_dict(load_weights("madqn.team"))
    return q


def run_warm(settings: dict[str, Any], seeds: list[int]) -> dict[str, Any]:
    """Two against two, cold, or with weights from one against one on a smaller map; tested every 2,000 steps.

    A warm start explores from 20 % on, and so does a second cold one. The tests of the small map are not among the rows; its
    steps are in the settings.
    """
    settings = dict(settings)
    network = None
    if first := settings.pop("first", None):
        network = pursuers_learn({**settings, **first}, seeds).policy["pursuers"]
        settings["epsilon"] = [0.2, *settings["epsilon"][1:]]
    result = pursuers_learn(settings, seeds, network, test_every=2_000)
    return tests(result, seeds)


def run_transfer(settings: dict[str, Any], seeds: list[int]) -> dict[str, Any]:
    """Train two against two on 10 x 10, and let the same networks play on other maps, in other numbers, as they are.

    ``place`` numbers the worlds in the order of ``settings["places"]``; beside the network stand the two baselines.
    """
    from rlkit.envs.pursuit import at_random, yard
    from rlkit.learn.madqn import chasing, choosing, play_team

    settings = dict(settings)
    places = settings.pop("places")
    q = pursuers_learn(settings, seeds).policy["pursuers"]
    found: dict[str, list[Any]] = {"who": [], "place": [], "seed": [], "all": [], "time": []}
    for number, place in enumerate(places):
        policies = {
            "network": choosing(q, settings["temperature"]),
            "shortest path": chasing(yard(*place["size"])),
            "random": at_random,
        }
        for who, policy in policies.items():
            make_world = arena(place, place.get("limit", LIMIT))
            many = {"copies": len(seeds), "episodes": 200, "seed": seeds[0] + FINAL}
            played = play_team(make_world, {"pursuers": policy}, **many)
            found["who"] += [who] * len(seeds)
            found["place"] += [number] * len(seeds)
            found["seed"] += seeds
            for name in ("all", "time"):
                found[name] += played[name].mean(axis=1).tolist()
    return found


def run_race(settings: dict[str, Any], seeds: list[int]) -> dict[str, Any]:
    """Let pursuers and evaders learn in turns; then every generation of the ones plays every generation of the others.

    Generation 0 moves at random.
    """
    from rlkit.envs.pursuit import KINDS, at_random
    from rlkit.learn.madqn import GridQ, choosing, play_team, train_madqn

    learn, rest = split(settings)
    networks = {kind: GridQ(**NETWORK, copies=len(seeds), seed=seeds[0] + 100 * i) for i, kind in enumerate(KINDS)}
    result = train_madqn(
        arena(rest),
        networks,
        turns=[KINDS[turn % 2] for turn in range(rest["turns"])],
        copies=len(seeds),
        seed=seeds[0],
        fixed=dict.fromkeys(KINDS, at_random),
        **learn,
    )
    handed = list(result.snapshots.values())[1:]
    generations = {
        kind: [at_random, *(choosing(h[kind], settings["temperature"]) for h in handed[i::2])]
        for i, kind in enumerate(KINDS)
    }
    found: dict[str, list[Any]] = {"seed": [], "pursuer": [], "evader": [], "caught": [], "time": []}
    for p, pursuers in enumerate(generations["pursuers"]):
        for e, evaders in enumerate(generations["evaders"]):
            team = {"pursuers": pursuers, "evaders": evaders}
            played = play_team(arena(rest), team, copies=len(seeds), episodes=100, seed=seeds[0] + FINAL)
            found["seed"] += seeds
            found["pursuer"] += [p] * len(seeds)
            found["evader"] += [e] * len(seeds)
            for name in ("caught", "time"):
                found[name] += played[name].mean(axis=1).tolist()
    return found


def wire(wiring: str, settings: dict[str, Any], teams: int, seed: int) -> tuple[Any, nn.Module, int, int]:
    """Return (make_env, network, copies, worlds of a copy) of one of the ways to wire a team.

    Args:
        wiring: "one alone", "super-agent", "a network each" or "one network".
        settings: the world, "worlds" (of a team), and either "hidden", for networks that see the whole map cell by cell, or
            not, for the network of the pursuit.
        teams: how many, side by side.
        seed: of the networks.
    """
    from rlkit.envs.wirings import Everyone, SuperAgent
    from rlkit.learn.madqn import FlatQ, GridQ

    make_world, agents, worlds = arena(settings), settings["pursuers"], settings["worlds"]
    size, hidden = settings["size"], settings.get("hidden", [])
    if wiring == "super-agent":
        return (
            partial(SuperAgent, make_world=make_world),
            FlatQ((2 + agents, *size), 5**agents, hidden, teams, seed),
            teams,
            worlds,
        )
    copies, worlds = (teams, agents * worlds) if wiring == "one network" else (teams * agents, worlds)
    network = FlatQ((4, *size), 5, hidden, copies, seed) if hidden else GridQ(**NETWORK, copies=copies, seed=seed)
    return partial(Everyone, make_world=make_world, teams=teams), network, copies, worlds


def train_wired(
    wiring: str, settings: dict[str, Any], seeds: list[int], test_every: int
) -> tuple[TrainResult, Any, int]:
    """Train all pursuers at once by chapter 3's DQN, and return the run, its environment and the seats of one network.

    Every wiring makes the same number of moves in the same number of worlds, with an update after each.
    """
    from rlkit.learn.dqn import train_dqn

    make_env, network, copies, worlds = wire(wiring, settings, len(seeds), seeds[0])
    seats = worlds // settings["worlds"]
    learn = {k: settings[k] for k in ("gamma", "lr", "batch", "freeze", "n_step") if k in settings}
    start, end, over = settings["epsilon"]
    result = train_dqn(
        make_env,
        network,
        steps=settings["moves"] * seats,
        copies=copies,
        worlds=worlds,
        seed=seeds[0],
        memory=settings["memory"] * seats,
        warm_up=settings["warm_up"] * seats,
        epsilon=(start, end, over * seats),
        test_every=test_every * seats,
        test_episodes=seats,
        **learn,
    )
    return result, make_env, seats


def run_wirings(settings: dict[str, Any], seeds: list[int]) -> dict[str, Any]:
    """Train a small team by one wiring; test every 4,000 moves, with 5 % of the moves at random so that nobody gets stuck."""
    from rlkit.learn.dqn import play

    result, make_env, seats = train_wired(settings["wiring"], settings, seeds, 4_000)
    copies, found = result.params["copies"], []
    for t, q in result.snapshots.items():
        played = play(q, make_env, copies=copies, episodes=100 * seats, epsilon=0.05, seed=seeds[0] + FINAL + t)
        found.append(played["return"].reshape(len(seeds), -1).mean(axis=1))
    steps = [t // seats for t in result.snapshots]
    return {"seed": np.tile(seeds, len(steps)), "step": np.repeat(steps, len(seeds)), "return": np.concatenate(found)}


def run_breaks(settings: dict[str, Any], seeds: list[int]) -> dict[str, Any]:
    """Train two against two in a way that may break; test the team at every 8,000 steps.

    ``learner`` is the return of the agents while they learn, over the same stretches; ``all``, ``time`` and ``return`` are
    tests of the team that acts by the policies as they are handed out.
    """
    from rlkit.learn.madqn import GridQ, Muddled, choosing, play_team, team_of

    settings = dict(settings)
    how = settings.pop("how")
    temperature = settings["temperature"]
    if how in ("a network each", "one network"):
        result, _, seats = train_wired(how, settings, seeds, 8_000)
        policy_of = team_of if how == "a network each" else choosing
        many = {"copies": len(seeds), "episodes": 100}
        found = [
            play_team(arena(settings), {"pursuers": policy_of(q, temperature)}, **many, seed=seeds[0] + 1_000_003 + t)
            for t, q in result.snapshots.items()
        ]
        table = rows(seeds, [t // seats for t in result.snapshots], found)
        _, learner = result.curve(len(found))
        learner = learner.reshape(len(seeds), -1, len(found)).mean(axis=1)
    else:
        q = GridQ(**NETWORK, copies=len(seeds), seed=seeds[0])
        blind = {"allies unseen": (0, 1, None, 3)}.get(how)
        muddled = partial(Muddled, order=(0, 2, 1, 3)) if how == "swapped when handed out" else lambda network: network
        result = pursuers_learn(
            settings,
            seeds,
            Muddled(q, blind) if blind else q,
            policy_of=lambda network, temperature: choosing(muddled(network), temperature),
        )
        table = tests(result, seeds)
        _, learner = result.curve(len(table["seed"]) // len(seeds))
    return table | {"learner": learner.T.ravel()}


EXPERIMENTS = [
    Experiment("madqn.alone", 6, run_alone, {"pursuer": {**LEARN, **ALONE, "steps": 48_000, "turns": 1}}, SEEDS, 8),
    Experiment(
        "madqn.team",
        6,
        run_team,
        {
            "network": {**ONE_BY_ONE, **TEAM},
            "shortest path": {**TEAM, "baseline": "shortest path"},
            "random": {**TEAM, "baseline": "random"},
        },
        SEEDS,
        8,
    ),
    Experiment(
        "madqn.warm",
        6,
        run_warm,
        {
            "cold": {**ONE_BY_ONE, **TEAM},
            "cold, explores less": {**ONE_BY_ONE, **TEAM, "epsilon": [0.2, *ONE_BY_ONE["epsilon"][1:]]},
            "warm": {**ONE_BY_ONE, **TEAM, "first": {**SMALL, "blocks": False, "steps": 24_000, "turns": 1}},
        },
        SEEDS,
        8,
    ),
    Experiment(
        "madqn.transfer",
        6,
        run_transfer,
        {
            "network": {
                **ONE_BY_ONE,
                **TEAM,
                "places": [
                    {**TEAM, "size": [w, w], "pursuers": n, "evaders": n}
                    for w, n in ((10, 2), (10, 3), (10, 4), (14, 2), (14, 3), (14, 4))
                ],
            }
        },
        SEEDS,
        8,
    ),
    Experiment("madqn.race", 6, run_race, {"race": {**RACE, **TEAM}}, SEEDS, 8),
    Experiment(
        "madqn.wirings",
        6,
        run_wirings,
        {
            f"{wiring}, {n}": {**PLAIN, "pursuers": n, "wiring": wiring}
            for n, wirings in {
                1: ("one alone",),
                2: ("super-agent", "a network each", "one network"),
                3: ("super-agent", "a network each", "one network"),
            }.items()
            for wiring in wirings
        },
        SEEDS,
        8,
    ),
    Experiment(
        "madqn.breaks",
        6,
        run_breaks,
        {
            "one at a time": {**ONE_BY_ONE, **TEAM, "how": "one at a time"},
            "all at once, one network": {**LEARN, **TEAM, "moves": 128_000, "how": "one network"},
            "all at once, a network each": {**LEARN, **TEAM, "moves": 128_000, "how": "a network each"},
            "swapped when handed out": {**ONE_BY_ONE, **TEAM, "how": "swapped when handed out"},
            "allies unseen": {**ONE_BY_ONE, **TEAM, "how": "allies unseen"},
        },
        SEEDS,
        8,
    ),
]
