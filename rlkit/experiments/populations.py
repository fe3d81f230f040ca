"""A convention for two, or for everybody: agents who learned with one partner, in a population, or with frozen strangers.

The game: in each of a few rounds both players choose one of A actions, and both are paid 1 if they chose the same. All that
a player sees is the last round. What a policy is worth with another is computed exactly (:func:`meet`).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from gymnasium.spaces import Box, Discrete
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space

from rlkit.core.checks import real_array, whole_number
from rlkit.experiments.runner import Experiment

ACTIONS, ROUNDS = 4, 8
TRAINING: dict[str, Any] = {"steps": 40_000, "lr": 0.01, "gamma": 0.9, "entropy": 0.01}
"""Of every agent in this module: 5,000 games, in 8 worlds at once."""


class Seats(VectorEnv):
    """The game as single seats see it: a Gymnasium vector environment (NEXT_STEP) for independent learners.

    Every world is a seat. Either the seats are paired anew for each game, among themselves; or each is given a partner from
    a store of frozen policies, drawn anew for each game. What is seen, float32[2 A]: one's own last action and the partner's,
    each as a 1 among 0; all 0 in the first round. Who sits opposite is not seen.

    Args:
        num_envs: how many seats.
        rounds: of a game.
        actions: how many, A.
        among: so many seats, one after another, are paired among themselves; an even number that divides num_envs.
        partners: float[C, P, A A + 1, A], policies as tables (see :func:`tables`): P for each of C learners, which have
            num_envs / C seats each, one after another. With it, nobody is paired.

    Raises:
        ValueError: numbers that do not fit.
    """

    def __init__(
        self,
        num_envs: int,
        rounds: int = ROUNDS,
        actions: int = ACTIONS,
        *,
        among: int = 2,
        partners: Any = None,
    ):
        self.num_envs, self.rounds = whole_number("num_envs", num_envs, 1), whole_number("rounds", rounds, 1)
        self.A, self.among, self.partners = whole_number("actions", actions, 2), whole_number("among", among, 2), None
        if partners is not None:
            self.partners = real_array("partners", partners)
            if self.partners.ndim != 4 or self.partners.shape[2:] != (self.A**2 + 1, self.A):
                raise ValueError(
                    f"partners has shape {self.partners.shape}, but [C, P, {self.A**2 + 1}, {self.A}] was expected"
                )
            if num_envs % len(self.partners):
                raise ValueError(f"{num_envs} seats cannot be shared by {len(self.partners)} learners")
        elif self.among % 2 or num_envs % self.among:
            raise ValueError(f"{num_envs} seats cannot be paired within groups of {self.among}")
        self.metadata = {"autoreset_mode": AutoresetMode.NEXT_STEP}
        self.single_observation_space = Box(0, 1, (2 * self.A,), np.float32)
        self.single_action_space = Discrete(self.A)
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[np.ndarray, dict]:
        """Begin a game at every seat."""
        super().reset(seed=seed)
        self.t, self.over = 0, False
        self.seen = np.zeros((self.num_envs, 2 * self.A), np.float32)
        if self.partners is not None:
            learner = np.arange(self.num_envs) // (self.num_envs // len(self.partners))
            drawn = self.np_random.integers(self.partners.shape[1], size=self.num_envs)
            self.policy, self.state = self.partners[learner, drawn], np.zeros(self.num_envs, int)
        else:
            groups = np.tile(np.arange(self.among), (self.num_envs // self.among, 1))
            order = self.np_random.permuted(groups, axis=1) + self.among * np.arange(len(groups))[:, None]
            self.opposite = np.empty(self.num_envs, int)
            self.opposite[order[:, ::2]], self.opposite[order[:, 1::2]] = order[:, 1::2], order[:, ::2]
        return self.seen.copy(), {}

    def step(self, actions: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, dict]:
        """Play one round; after the last one, begin a new game."""
        no = np.zeros(self.num_envs, bool)
        if self.over:
            obs, info = self.reset()
            return obs, np.zeros(self.num_envs), no, no, info
        mine = np.asarray(actions)
        if self.partners is None:
            theirs = mine[self.opposite]
        else:
            rows = self.policy[np.arange(self.num_envs), self.state]
            theirs = (self.np_random.random((self.num_envs, 1)) > rows.cumsum(axis=1)[:, :-1]).sum(axis=1)
            self.state = 1 + self.A * theirs + mine  # as the partner sees it
        self.t += 1
        self.over = self.t == self.rounds
        one_hot = np.eye(self.A, dtype=np.float32)
        self.seen = np.concatenate([one_hot[mine], one_hot[theirs]], axis=1)
        return self.seen.copy(), (mine == theirs).astype(float), no | self.over, no, {}


def meet(pi: Any, rho: Any, rounds: int = ROUNDS) -> np.ndarray:
    """Return the expected reward per round of two policies that meet, float[...], exactly.

    Args:
        pi, rho: float[..., A A + 1, A], tables as :func:`tables` makes them; leading axes are broadcast.
        rounds: of a game.
    """
    pi, rho = real_array("pi", pi), real_array("rho", rho)
    A = pi.shape[-1]
    mirrored = np.r_[0, 1 + np.arange(A * A).reshape(A, A).T.ravel()]  # the same state, from the other seat
    joint = pi[..., :, None] * rho[..., mirrored, None, :]  # [..., S, A, A]
    p, met = np.eye(A * A + 1)[0], 0.0
    for _ in range(rounds):
        both = np.einsum("...s,...sab->...ab", np.broadcast_to(p, joint.shape[:-2]), joint)
        met = met + np.trace(both, axis1=-2, axis2=-1)
        p = np.concatenate([np.zeros((*both.shape[:-2], 1)), both.reshape(*both.shape[:-2], A * A)], axis=-1)
    return np.asarray(met / rounds)


def tables(policy: Any, actions: int = ACTIONS) -> np.ndarray:
    """Return K networks as tables of probabilities, float[K, A A + 1, A].

    State 0 is the first round, and 1 + A a + b what follows on one's own action a and the partner's action b.
    """
    import torch

    one_hot = np.eye(actions, dtype=np.float32)
    rows = np.concatenate([np.repeat(one_hot, actions, axis=0), np.tile(one_hot, (actions, 1))], axis=1)
    obs = torch.from_numpy(np.concatenate([np.zeros((1, 2 * actions), np.float32), rows]))
    with torch.no_grad():
        logits = policy.network(obs.expand(len(policy.network.layers[0].weight), -1, -1))
    pi: np.ndarray = torch.softmax(logits.double(), dim=-1).numpy()
    return pi


def trained(copies: int, seed: int, settings: dict[str, Any], **seats: Any) -> np.ndarray:
    """Train agents by A2C, each for itself, and return them as tables.

    Args:
        copies: how many.
        seed: of networks, partners and actions.
        settings: those of TRAINING.
        seats: arguments of :class:`Seats`.
    """
    from functools import partial

    from rlkit.learn.actor_critic import a2c_loss, train_a2c
    from rlkit.nets import CategoricalPolicy, StackedMLP

    settings = dict(settings)
    loss = partial(a2c_loss, entropy=settings.pop("entropy"))
    policy = CategoricalPolicy([2 * ACTIONS, 32, ACTIONS], copies, seed)
    critic = StackedMLP([2 * ACTIONS, 32, 1], copies, seed + 50_000)
    make_env = partial(Seats, **seats)
    train_a2c(make_env, policy, critic, copies=copies, worlds=8, length=9, seed=seed, loss=loss, **settings)
    return tables(policy)


def chosen(store: np.ndarray, size: int, kind: str, seed: int) -> np.ndarray:
    """Return some of the frozen agents, float[size, S, A], by the action with which they begin.

    Args:
        store: float[P, S, A], tables of self-play agents.
        size: how many are chosen.
        kind: "alike", all of one convention, which is the action seed mod A; or "mixed", equally many of each.
        seed: of the choice.

    Raises:
        ValueError: the store has too few of a convention.
    """
    convention, rng = store[:, 0].argmax(axis=1), np.random.default_rng(seed)
    A = store.shape[-1]
    wanted = [seed % A] if kind == "alike" else range(A)
    each = size // len(wanted)
    for action in wanted:
        if (convention == action).sum() < each:
            raise ValueError(f"{(convention == action).sum()} agents begin with action {action}, but {each} are needed")
    drawn = [rng.choice(np.flatnonzero(convention == action), each, replace=False) for action in wanted]
    return store[np.concatenate(drawn)]


def run_populations(settings: dict[str, Any], seeds: list[int]) -> dict[str, Any]:
    """Train agents; let them meet those whom they know, and strangers. A row is a seed with one partner, or a mean.

    "with" says whom: "own" (partners of the training), "alike" (agents of the same training with another seed, one row
    for each), "strangers" (self-play agents with whom nobody has trained, the mean over 32). "partner" is the seed of the
    one whom they met, or -1 for a mean.
    """
    settings = dict(settings)
    kind, size = settings.pop("kind"), settings.pop("size")
    K, first = len(seeds), 1_000 * seeds[0]
    strangers = trained(32, first + 700_000, settings, among=8)
    if kind == "together":  # one group of `size` agents for each seed; size 1 is self-play
        agents = trained(K * size, first + 100_000, settings, among=8 * size).reshape(K, size, ACTIONS**2 + 1, ACTIONS)
        within = meet(agents[:, :, None], agents[:, None])
        others = ~np.eye(size, dtype=bool) if size > 1 else np.ones((1, 1), bool)
        own = within[:, others].mean(axis=1)
    else:  # `size` frozen self-play agents for each seed: as they come, or chosen by their conventions
        many = K * size if kind == "frozen" else 240
        store = trained(many, first + 300_000, settings, among=8)
        if kind == "frozen":
            store = store.reshape(K, size, ACTIONS**2 + 1, ACTIONS)
        else:
            store = np.stack([chosen(store, size, kind, seed) for seed in seeds])
        agents = trained(K, first + 100_000, settings, partners=store)[:, None]
        own = meet(agents, store).mean(axis=1)
    stranger = meet(agents[:, :, None], strangers).mean(axis=(1, 2))
    alike = meet(agents[:, None, :, None], agents[None, :, None]).mean(axis=(2, 3))
    rows: list[tuple[int, str, int, float]] = []
    for k, seed in enumerate(seeds):
        rows += [(seed, "own", -1, own[k]), (seed, "strangers", -1, stranger[k])]
        rows += [(seed, "alike", other, alike[k, j]) for j, other in enumerate(seeds) if j != k]
    columns = zip(*rows, strict=True)
    return {name: list(column) for name, column in zip(("seed", "with", "partner", "reward"), columns, strict=True)}


SIZES = (1, 2, 4, 8, 16)
VARIANTS: dict[str, dict[str, Any]] = {
    "self-play": {"kind": "together", "size": 1},
    "8 who learn together": {"kind": "together", "size": 8},
    **{f"{size} frozen": {"kind": "frozen", "size": size} for size in SIZES},
    "16 frozen, alike": {"kind": "alike", "size": 16},
    "4 frozen, all different": {"kind": "mixed", "size": 4},
}

EXPERIMENTS = [
    Experiment(
        "populations",
        6,
        run_populations,
        {name: TRAINING | settings for name, settings in VARIANTS.items()},
        list(range(12)),
        group=12,
    )
]
