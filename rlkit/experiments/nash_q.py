"""Nash-Q on the grid games of Hu and Wellman: which rules of selection end in an equilibrium, and Q-learners beside them."""

from __future__ import annotations

from typing import Any

import numpy as np

from rlkit.experiments.runner import Experiment, Result

EPISODES: dict[str, Any] = {"grid1": 91_000, "grid2": 65_000}
"""So many steps are about 5,000 episodes of two agents that act at random."""
MATCHED = (("first", "first"), ("second", "second"), ("best", "best"), ("own", "own"))
MISMATCHED = (("first", "second"), ("first", "best"))


def run_grid(settings: dict[str, Any], seeds: list[int]) -> dict[str, Any]:
    """Learn in 50 trials, and judge each pairing exactly. A row is a trial of a pairing.

    "pairing" names the rules of both agents, or is "independent Q". "V1" and "V2" are what the start is worth to them when
    they explore no longer, "gain" what one of them could gain there at most by its best response (0 at an equilibrium).
    "Q1" and "Q2" are what agent 1's own tables say of the start, or, of independent Q-learners, each one's own table.
    """
    from rlkit.games.grid_games import grid_game_1, grid_game_2
    from rlkit.games.markov import joint_policy_values
    from rlkit.games.shapley import exploitability
    from rlkit.learn.nash_q import independent_q, nash_q
    from rlkit.learn.tabular.rules import epsilon_greedy

    game = {"grid1": grid_game_1, "grid2": grid_game_2}[settings["game"]]()
    rules, common = settings["rules"], {name: settings[name] for name in ("steps", "power")}
    learned = nash_q(game, rules, seeds=seeds, every=settings["steps"], **common)
    alone = independent_q(game, seeds=seeds, **common)
    s = int(game.start.argmax())
    acts = {"independent Q": tuple(epsilon_greedy(Q, 0) for Q in alone)}
    sees = {"independent Q": np.stack([Q[:, s].max(axis=-1) for Q in alone], axis=-1)}
    for one, other in (*MATCHED, *MISMATCHED):
        if one in rules and other in rules:
            acts[f"{one} / {other}"] = learned.policies(one, other)
            sees[f"{one} / {other}"] = learned.values[-1, learned.learner(one)]
    rows: list[tuple[Any, ...]] = []
    for pairing, policies in acts.items():
        V = joint_policy_values(game, policies)[..., s]
        for k, seed in enumerate(seeds):
            gain = exploitability(game, [pi[k] for pi in policies]).max()
            rows.append((seed, pairing, *V[k], gain, *sees[pairing][k], int(learned.episodes[k])))
    columns = zip(*rows, strict=True)
    names = ("seed", "pairing", "V1", "V2", "gain", "Q1", "Q2", "episodes")
    return {name: list(column) for name, column in zip(names, columns, strict=True)}


def trials(result: Result, variant: str) -> dict[str, dict[str, np.ndarray]]:
    """Return the stored numbers by pairing and by name, float[50] each.

    Args:
        result: of "nash_q.grid1" or "nash_q.grid2".
        variant: of its settings.
    """
    where, pairings = np.array(result.columns["variant"]) == variant, np.array(result.columns["pairing"])
    numbers = {
        name: np.asarray(column) for name, column in result.columns.items() if name not in ("variant", "pairing")
    }
    return {
        pairing: {name: column[where & (pairings == pairing)] for name, column in numbers.items()}
        for pairing in dict.fromkeys(pairings[where].tolist())
    }


def outcomes(result: Result, variant: str) -> dict[str, dict[str, int]]:
    """Count how the trials of each pairing end.

    Args:
        result, variant: as for :func:`trials`.

    Returns:
        For each pairing: "trials"; "equilibrium", in how many nobody can gain anything at the start; "shortest", in how many
        both agents are worth 97.03 there, which in grid game 1 means a pair of shortest ways that do not collide; "never", in
        how many nobody ever arrives.
    """
    counts = {}
    for pairing, columns in trials(result, variant).items():
        V = np.stack([columns["V1"], columns["V2"]])
        told = {
            "trials": np.ones(V.shape[1], bool),
            "equilibrium": columns["gain"] < 1e-6,
            "shortest": (V > 97.0298).all(axis=0),
            "never": (V <= 0).all(axis=0),
        }
        counts[pairing] = {how: int(np.sum(which)) for how, which in told.items()}
    return counts


def _variants(game: str) -> dict[str, dict[str, Any]]:
    every = {"game": game, "steps": EPISODES[game], "power": 1.0, "rules": ["first", "second", "best", "own"]}
    return {"1/visits": every, "visits^-0.85": every | {"power": 0.85, "rules": ["first", "second", "best"]}}


EXPERIMENTS = [
    Experiment(f"nash_q.{game}", 7, run_grid, _variants(game), list(range(50)), group=50) for game in ("grid1", "grid2")
]
