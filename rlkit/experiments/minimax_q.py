"""Littman's soccer: minimax-Q and Q-learning, against random moves and against themselves, judged exactly."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import Any

import numpy as np

from rlkit.experiments.runner import RESULTS, Experiment
from rlkit.games.markov import MarkovGame
from rlkit.games.shapley import markov_best_response, worst_case
from rlkit.games.soccer import match, soccer
from rlkit.learn.minimax_q import LITTMAN, minimax_q

PAPER: dict[str, Any] = {"steps": 1_000_000, "explore": 0.2, "last_alpha": 0.01}
"""The settings of Littman (1994); a learner lived in one world there."""
LIVE = PAPER | {"worlds": 200}
"""Of a learner on the page: the same number of steps, in 200 worlds at once."""
POLICY = "minimax_q.soccer"
"""The name under which the policy to play against is stored."""


def judged(game: MarkovGame, policy: Any) -> dict[str, float]:
    """Return how good a policy of A is, exactly, in the words of the paper's Table 3, and what a best answer does to it.

    Args:
        game: :func:`~rlkit.games.soccer.soccer`.
        policy: float[S, 5].

    Returns:
        ``exploitability``, what a best answer is paid, on average, from the kick-off; ``random games`` and ``random won``, how
        many of 100,000 steps' games end with a goal against random moves, and the share that A wins; ``best games`` and
        ``best won``, the same against the best answer.
    """
    random = np.full((game.n_states, game.n_actions[1]), 1 / game.n_actions[1])
    _, best = markov_best_response(game, 1, [policy, None])
    found = {"exploitability": -worst_case(game, 0, policy)}
    for name, opponent in (("random", random), ("best", best)):
        found[f"{name} games"], found[f"{name} won"] = match(game, [policy, opponent])
    return found


def run_soccer(settings: dict[str, Any], seeds: list[int]) -> dict[str, Any]:
    """Train learners of one kind, and judge their policies before the first step and after each tenth of the steps.

    A row is a seed at a step, with the columns of :func:`judged`. With ``store``, the policy of the first seed is stored too.
    """
    settings = dict(settings)
    store, game = settings.pop("store", None), soccer()
    learned = minimax_q(game, seeds=seeds, every=settings["steps"] // 10, **settings)
    if store:
        store_policy(store, learned.pi[-1, 0])
    rows = [
        {"seed": seed, "step": int(step), **judged(game, policy)}
        for step, policies in zip(learned.at, learned.pi, strict=True)
        for seed, policy in zip(seeds, policies, strict=True)
    ]
    return {name: [row[name] for row in rows] for name in rows[0]}


def store_policy(name: str, policy: np.ndarray) -> Path:
    """Store a policy, float[S, A], beside the results, and return the file. It is replaced at once."""
    path = Path(str(RESULTS)) / f"{name}.npz"
    temporary, packed = path.with_name(f".{path.name}.{os.getpid()}.tmp"), io.BytesIO()
    np.savez_compressed(packed, policy=policy)
    try:
        temporary.write_bytes(packed.getvalue())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
    return path


def learned_policy(name: str = POLICY) -> np.ndarray:
    """Return a stored policy of A, float[S, 5]: that of the first seed of minimax-Q against itself."""
    with np.load(io.BytesIO((RESULTS / f"{name}.npz").read_bytes()), allow_pickle=False) as file:
        policy: np.ndarray = file["policy"]
    return policy


EXPERIMENTS = [
    Experiment(
        "minimax_q.soccer",
        7,
        run_soccer,
        {
            **{name: LIVE | who | ({"store": POLICY} if name == "MM" else {}) for name, who in LITTMAN.items()},
            "MM, 20 worlds": LIVE | LITTMAN["MM"] | {"worlds": 20},
        },
        list(range(8)),
        8,
    )
]
