"""A2C and PPO on CartPole, DDPG and TD3 on Pendulum: ten seeds at once, beside Stable-Baselines3's; PPO on Lunar Lander.

    python -m tests.benchmarks.bench_actor_critic

prints Markdown tables and writes them to results/actor_critic.md. All times are processor time. What is compared takes turns, so
that a busy machine slows both down. It fails where ours does not do what is asked of it.
"""

import os

os.environ["OMP_NUM_THREADS"] = "1"  # before numpy and torch are imported
os.environ["RLKIT_PROGRESS"] = "off"  # Stable-Baselines3 draws no bar either

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any
from unittest import mock

import gymnasium
import numpy as np
import torch
from gymnasium.vector import VectorEnv
from gymnasium.wrappers import TransformReward
from stable_baselines3 import A2C, PPO, TD3
from stable_baselines3.common.env_util import make_vec_env
from stable_baselines3.common.noise import NormalActionNoise
from torch import nn

from rlkit.envs import cartpole, lunar_lander, pendulum
from rlkit.experiments import ddpg
from rlkit.experiments.actor_critic import CARTPOLE, LANDER
from rlkit.learn.actor_critic import ppo_loss, train_a2c, train_ppo
from rlkit.learn.ddpg import ddpg_update, td3_update, train_ddpg
from rlkit.learn.reinforce import acting
from rlkit.nets import CategoricalPolicy, Critic, Critics, DeterministicPolicy, StackedMLP
from tests.benchmarks.page import publish
from tests.benchmarks.timing import (
    Promises,
    Run,
    Tests,
    Watch,
    compare,
    measured_on,
    peer_run,
    plain_cartpole,
    table,
    wrap,
    written,
)

RESULT = Path(__file__).parent / "results" / "actor_critic.md"
SEEDS = 10  # trained together
FIRST = 0, 100  # the first group is the stored experiments', the second is fresh
PEER_SEEDS = 0, 1, 2, 3, 4
SOLVED, IN_A_ROW, UPRIGHT = 475, 3, -170  # CartPole; Pendulum: the mean of a test
EVERY = {"CartPole": 2_000, "Pendulum": 1_000}  # steps between two tests
SWINGS = 20_000  # steps on Pendulum
CARTPOLE_SECONDS, PENDULUM_SECONDS, ENOUGH_SEEDS = 12, 40, {"PPO": 10, "DDPG": 9, "TD3": 9}  # asked, of ten seeds
MOON = {name: value for name, value in LANDER.items() if name != "checkpoint"}
GAIN = {"PPO": 5, "A2C": 3, "Pendulum": 5}  # asked: at most one such part of their time

# RL Baselines3 Zoo: hyperparams/ppo.yml, a2c.yml, td3.yml
ZOO_STEPS = {"PPO": 100_000, "A2C": 500_000}
ZOO_WORLDS = 8


def zoo_ppo(env: Any, seed: int) -> PPO:
    args: dict[str, Any] = {"n_steps": 32, "batch_size": 256, "gae_lambda": 0.8, "gamma": 0.98, "n_epochs": 20}
    shrinking = {"learning_rate": lambda left: 1e-3 * left, "clip_range": lambda left: 0.2 * left}
    return PPO("MlpPolicy", env, ent_coef=0.0, seed=seed, device="cpu", **args, **shrinking)


def zoo_a2c(env: Any, seed: int) -> A2C:
    return A2C("MlpPolicy", env, ent_coef=0.0, seed=seed, device="cpu")


def zoo_td3(env: Any, seed: int) -> TD3:
    args: dict[str, Any] = {"gamma": 0.98, "buffer_size": 200_000, "learning_starts": 10_000, "learning_rate": 1e-3}
    args |= {"train_freq": (1, "episode"), "gradient_steps": -1, "policy_kwargs": {"net_arch": [400, 300]}}
    noise = NormalActionNoise(np.zeros(1), 0.1 * np.ones(1))
    return TD3("MlpPolicy", env, action_noise=noise, seed=seed, device="cpu", **args)


# -- the runs --------------------------------------------------------------------------------------------------------


def cartpole_run(name: str, seeds: range, steps: int | None = None) -> Run:
    """Train with the settings of chapter 5; all copies go on to the end."""
    settings, K, seed, watch = dict(CARTPOLE[name]), len(seeds), seeds[0], Watch()
    train = {"PPO": train_ppo, "A2C": train_a2c}[settings.pop("algorithm")]
    settings |= {"steps": steps or settings["steps"], "test_every": EVERY["CartPole"], "test_episodes": 100}
    policy, critic = CategoricalPolicy([4, 64, 64, 2], K, seed), StackedMLP([4, 64, 64, 1], K, 1_000 + seed)
    with mock.patch("rlkit.learn.episodes.play", watch.play):
        result = train(cartpole, policy, critic, copies=K, seed=seed, **settings)
    return watch.run(f"our {name}", seeds, result.tests["step"].reshape(-1, K).T)


def cartpole_peer(name: str, seed: int, steps: int | None = None) -> Run:
    """Train Stable-Baselines3's learner until it has passed three tests in a row, at most for the zoo's steps."""
    env = make_vec_env("CartPole-v1", n_envs=ZOO_WORLDS, seed=seed)
    watch = Watch()
    tests = Tests(watch, plain_cartpole, seed, every=EVERY["CartPole"], enough=SOLVED, in_a_row=IN_A_ROW)
    model = (zoo_ppo if name == "PPO" else zoo_a2c)(env, seed)
    return peer_run(f"Stable-Baselines3's {name}", model, steps or ZOO_STEPS[name], seed, watch, tests)


def pendulum_run(name: str, seeds: range, steps: int = SWINGS) -> Run:
    """Train with the settings of chapter 5, but go on for as many steps as theirs."""
    settings, K, seed, watch = dict(ddpg.PENDULUM[name]), len(seeds), seeds[0], Watch()
    del settings["noise"], settings["critics"]  # Gaussian, which is what happens by itself; one or two, as it should
    repairs = {key: settings.pop(key) for key in ("smooth", "delay")}
    args = settings | {"steps": steps, "test_every": EVERY["Pendulum"], "test_episodes": 100}
    actor = DeterministicPolicy([3, 64, 64, 1], K, seed, bound=2.0)
    critic: Any = (Critics if name == "TD3" else Critic)([4, 64, 64, 1], K, 100 + seed)
    update: Any = partial(td3_update, **repairs) if name == "TD3" else ddpg_update
    with mock.patch("rlkit.learn.episodes.play", watch.play):
        train_ddpg(pendulum, actor, critic, copies=K, seed=seed, update=update, **args)
    return watch.run(f"our {name}", seeds, np.arange(EVERY["Pendulum"], steps + 1, EVERY["Pendulum"]))


def pendulum_peer(seed: int, steps: int = SWINGS) -> Run:
    """Train Stable-Baselines3's TD3 to the end."""
    watch = Watch()
    tests = Tests(watch, plain_pendulum, seed, every=EVERY["Pendulum"])
    model = zoo_td3(gymnasium.make("Pendulum-v1"), seed)
    return peer_run("Stable-Baselines3's TD3", model, steps, seed, watch, tests)


def plain_pendulum(num_envs: int) -> VectorEnv:
    return gymnasium.make_vec("Pendulum-v1", num_envs=num_envs, vectorization_mode="sync")


def lander_run(seed: int, steps: int | None = None) -> Run:
    """Train our PPO on Lunar Lander with the settings of chapter 5; the only test is in the end."""
    settings = dict(MOON)
    hidden, entropy = settings.pop("hidden"), settings.pop("entropy")
    steps = settings["steps"] = steps or settings["steps"]
    policy, critic = CategoricalPolicy([8, *hidden, 4], 1, seed), StackedMLP([8, *hidden, 1], 1, 1_000 + seed)
    watch = Watch()
    train_ppo(lunar_lander, policy, critic, seed=seed, loss=partial(ppo_loss, entropy=entropy), **settings)
    watch.play(acting(policy), lunar_lander, copies=1, episodes=100, seed=1_000_003 * (seed + 1))
    return watch.run("our PPO", range(seed, seed + 1), [steps])


def lander_peer(seed: int, steps: int | None = None) -> Run:
    """Train Stable-Baselines3's PPO on Lunar Lander with our settings; what it does otherwise by itself is left so."""
    ours = MOON

    def scaled(env: gymnasium.Env) -> gymnasium.Env:
        return TransformReward(env, lambda reward: ours["scale"] * float(reward))

    steps = steps or ours["steps"]
    watch = Watch()
    env = make_vec_env(
        "LunarLander-v3", n_envs=ours["worlds"], seed=seed, wrapper_class=scaled, env_kwargs={"render_mode": None}
    )
    model = PPO(
        "MlpPolicy",
        env,
        learning_rate=lambda left: ours["lr"] * left,
        n_steps=ours["length"],
        batch_size=ours["minibatch"],
        n_epochs=ours["epochs"],
        gamma=ours["gamma"],
        gae_lambda=ours["lam"],
        ent_coef=ours["entropy"],
        policy_kwargs={"net_arch": ours["hidden"], "activation_fn": nn.ReLU},
        seed=seed,
        device="cpu",
    )
    model.learn(steps)

    def choose(obs: np.ndarray) -> np.ndarray:
        action: np.ndarray = model.predict(obs[0], deterministic=True)[0][None]
        return action

    watch.play(choose, lunar_lander, copies=1, episodes=100, seed=1_000_003 * (seed + 1))
    return watch.run("Stable-Baselines3's PPO", range(seed, seed + 1), [model.num_timesteps])


# -- the page --------------------------------------------------------------------------------------------------------


def said(settings: dict[str, Any]) -> str:
    """Return settings as they would be written in a call."""
    return ", ".join(f"{name} {value}" for name, value in settings.items())


def introduction() -> list[str]:
    """Return what stands above the tables."""
    return [
        "# Actors and critics, ten seeds at once",
        "",
        measured_on(),
        *wrap(
            "Seconds are of processor time. Ours: the settings of chapter 5, found by trial on these tasks, some of the trials "
            "on the seeds 0 to 9; seeds from 100 on were not used for that. Stable-Baselines3: the settings of its zoo, taken as "
            "published. So a ratio says what a reader waits for: of settings and machinery together, and not which algorithm or "
            "which library is better. What is compared takes turns. A test is 100 fresh episodes with the likeliest actions, or "
            f"without noise; its time counts for neither. Of {SEEDS} seeds that learn together, each is charged with one part in "
            f"{SEEDS} of what all have spent by then. A seed of theirs that never gets there is counted with all that it spent, "
            "one of ours as infinite. The range of ratios is over their seeds."
        ),
        "Repeat with `python -m tests.benchmarks.bench_actor_critic`.",
    ]


def each_seed(runs: list[Run], criteria: list[tuple[float, int]]) -> list[list[str]]:
    """Return a row for each seed: steps and seconds until it met each criterion, (at least, so many times in a row)."""
    rows = []
    for run in runs:
        found = [run.reached(*criterion) for criterion in criteria]
        for k, seed in enumerate(run.seeds):
            numbers = [written(steps[k], ",.0f") for steps, _ in found]
            numbers += [written(seconds[k], ".2f") for _, seconds in found]
            rows.append([run.name, str(seed), *numbers, f"{run.scores[k, -1]:.1f}", f"{run.whole:.2f}"])
    return rows


def cartpole_section(turns: dict[str, tuple[list[Run], list[Run]]], promises: Promises) -> list[str]:
    """Return the tables of CartPole."""
    groups, summary = [], []
    for name, (mine, peers) in turns.items():
        for run in mine:
            where = f"CartPole, {name}, seeds {run.seeds[0]} to {run.seeds[-1]}"
            (first, _), (third, _) = run.reached(SOLVED), run.reached(SOLVED, IN_A_ROW)
            once, seconds = int(np.isfinite(first).sum()), SEEDS * run.whole
            asked = name == "PPO"
            groups.append(
                [
                    name,
                    f"{run.seeds[0]} to {run.seeds[-1]}",
                    f"{CARTPOLE[name]['steps']:,}",
                    f"{seconds:.1f}",
                    promises.at_most(f"{where}: seconds", seconds, CARTPOLE_SECONDS) if asked else "",
                    f"{once} of {SEEDS}",
                    promises.at_least(f"{where}: seeds that reach {SOLVED}", once, ENOUGH_SEEDS[name]) if asked else "",
                    f"{np.isfinite(third).sum()} of {SEEDS}",
                    f"{(run.scores[:, -1] >= SOLVED).sum()} of {SEEDS}",
                    written(float(np.median(first)), ",.0f"),
                    written(float(np.median(third)), ",.0f"),
                ]
            )
        wholes = [run.whole for run in peers]
        for title, n in (("first test passed", 1), ("third test in a row passed", IN_A_ROW)):
            both = ([run.reached(SOLVED, n)[1] for run in side] for side in (mine, peers))
            gain, row = compare(f"{name}: {title}", *both, wholes)
            asked = n == IN_A_ROW
            what = f"CartPole, {name}: times as fast to the third test in a row"
            summary.append([*row, promises.at_least(what, gain, GAIN[name]) if asked else ""])
        third = [run.reached(SOLVED, IN_A_ROW)[1] for run in peers]
        charged = [np.where(np.isfinite(run.reached(SOLVED, IN_A_ROW)[1]), run.whole, np.inf) for run in mine]
        summary.append(
            [*compare(f"{name}: third in a row, ours charged with the whole run", charged, third, wholes)[1], ""]
        )
    runs = [run for mine, peers in turns.values() for run in mine + peers]
    head = (
        "algorithm | seeds | steps | s, all ten | asked | reach 475 once | asked | three times in a row | at the last test"
        " | median steps, once | three in a row"
    )
    return [
        "",
        "## CartPole-v1",
        "",
        *(
            f"Our {name}: {said({key: x for key, x in CARTPOLE[name].items() if key != 'algorithm'})}.\\"
            for name in turns
        ),
        "Two networks with two hidden layers of 64 units and ReLU, scaled observations, Adam; PPO's step size shrinks to 0.\\",
        *wrap(
            f"Theirs: {ZOO_WORLDS} worlds, 64 x 64 units with tanh, raw observations. PPO with rollouts of 32 steps, 20 epochs "
            "of one minibatch of 256, λ 0.8, γ 0.98, step size 0.001 and clip 0.2, both shrinking to 0 over "
            f"{ZOO_STEPS['PPO']:,} steps; A2C with its defaults: 5 steps, RMSProp, γ 0.99, at most {ZOO_STEPS['A2C']:,} steps. "
            f"All are tested after every {EVERY['CartPole']:,} steps; theirs ends with the third in a row that is passed, "
            f"with a mean of at least {SOLVED}. Ours goes on to the end."
        ),
        "",
        *table(head.split(" | "), groups),
        "",
        "Beside Stable-Baselines3: seconds for each seed, medians, and how many seeds got there.",
        "",
        *table(["until", "ours, s", "theirs, s", "times as fast", "asked"], summary),
        "",
        "Every seed:",
        "",
        *table(
            "learner | seed | steps, first | steps, third | s, first | s, third | last test | s, whole run".split(
                " | "
            ),
            each_seed(runs, [(SOLVED, 1), (SOLVED, IN_A_ROW)]),
        ),
    ]


def pendulum_section(mine: dict[str, list[Run]], peers: list[Run], promises: Promises) -> list[str]:
    """Return the tables of Pendulum."""
    groups, summary, end = [], [], ddpg.PENDULUM["DDPG"]["steps"]
    wholes = [run.whole for run in peers]
    theirs = [run.reached(UPRIGHT)[1] for run in peers]
    for name, runs in mine.items():
        for run in runs:
            where = f"Pendulum, {name}, seeds {run.seeds[0]} to {run.seeds[-1]}"
            steps, seconds = run.reached(UPRIGHT)
            good, soon = int(np.isfinite(steps).sum()), np.searchsorted(run.steps[0], end, side="right") - 1
            enough = SEEDS * float(np.sort(seconds)[min(ENOUGH_SEEDS[name], len(seconds)) - 1])
            moments = []
            for i in soon, -1:
                then = run.scores[:, i]
                moments.append(f"{SEEDS * run.seconds[i]:.1f}; {then.mean():.1f}; {(then >= UPRIGHT).sum()} of {SEEDS}")
            groups.append(
                [
                    name,
                    f"{run.seeds[0]} to {run.seeds[-1]}",
                    f"{good} of {SEEDS}",
                    promises.at_least(f"{where}: seeds that reach {UPRIGHT}", good, ENOUGH_SEEDS[name]),
                    written(float(np.median(steps)), ",.0f"),
                    written(enough, ".1f"),
                    promises.at_most(f"{where}: seconds until {ENOUGH_SEEDS[name]} have", enough, PENDULUM_SECONDS),
                    *moments,
                ]
            )
        gain, row = compare(
            f"{name}: first test of at least {UPRIGHT}", [run.reached(UPRIGHT)[1] for run in runs], theirs, wholes
        )
        what = f"Pendulum, {name}: times as fast as TD3 of Stable-Baselines3 to {UPRIGHT}"
        summary.append([*row, promises.at_least(what, gain, GAIN["Pendulum"])])
        own, other = ([np.full(len(run.seeds), run.whole) for run in side] for side in (runs, peers))
        gain, row = compare(f"{name}: {SWINGS:,} steps", own, other, wholes)
        what = f"Pendulum, {name}: times as fast as TD3 of Stable-Baselines3 for {SWINGS:,} steps"
        summary.append([*row, promises.at_least(what, gain, GAIN["Pendulum"])])
    head = (
        f"algorithm | seeds | reach {UPRIGHT} | asked | median steps | s, all ten, until 9 have | asked"
        f" | s, all ten, {end:,} steps; mean then; at least {UPRIGHT} | the same, {SWINGS:,} steps"
    )
    return [
        "",
        "## Pendulum-v1",
        "",
        *(f"Our {name}: {said(ddpg.PENDULUM[name] | {'steps': SWINGS})}.\\" for name in mine),
        *wrap(
            "Two hidden layers of 64 units, the angular velocity divided by 4, one update after every step once the random ones "
            "are over. Theirs is TD3: γ 0.98, a memory of 200,000, 10,000 random steps before the first update, noise 0.1, step "
            "size 0.001, 400 and 300 units; after every episode as many updates as it had steps (train_freq 1 episode, "
            "gradient_steps -1), of 256 transitions, the library's default. All are tested after every "
            f"{EVERY['Pendulum']:,} steps, and go on to {SWINGS:,}; the stored runs of the chapter stop after {end:,}."
        ),
        "",
        *table(head.split(" | "), groups),
        "",
        *wrap(
            "Beside Stable-Baselines3's TD3: seconds for each seed, medians, and how many seeds got there. Ours begins to "
            f"learn after {ddpg.DDPG['warm_up']:,} steps, with a smaller network; theirs learns nothing, and spends little, in "
            "its first 10,000."
        ),
        "",
        *table(["until", "ours, s", "theirs, s", "times as fast", "asked"], summary),
        "",
        "Every seed:",
        "",
        *table(
            "learner | seed | steps | s | last test | s, whole run".split(" | "),
            each_seed([run for runs in mine.values() for run in runs] + peers, [(UPRIGHT, 1)]),
        ),
    ]


def lander_section(runs: list[Run]) -> list[str]:
    """Return the table of Lunar Lander."""
    rows = [
        [
            run.name,
            f"{run.steps[0, -1]:,}",
            f"{run.whole:.0f}",
            f"{1e-3 * run.steps[0, -1] / run.whole:.1f}",
            f"{run.scores[0, -1]:.0f}",
        ]
        for run in runs
    ]
    return [
        "",
        "## LunarLander-v3",
        "",
        *wrap(
            "One seed each, **with the same settings**, so no claim of speed is made, and one seed does not say which of the two "
            f"learns better. {said(MOON)}; ReLU; the step size shrinks to 0. Stable-Baselines3 keeps what it does by itself: "
            "orthogonal first weights, gradients cut off at a length of 0.5. No render mode for either (`render_mode=None`): "
            "`make_vec_env` would ask for one, and then the engine moves every puff of exhaust as a body of its own. The only "
            "test is in the end."
        ),
        "",
        *table("learner | steps | s | 1,000 steps/s | mean return of 100 flights".split(" | "), rows),
    ]


def main() -> None:
    """Measure, print, and write the tables."""
    torch.set_num_threads(1)
    for name in ZOO_STEPS:  # imports, cold caches
        cartpole_run(name, range(1_000, 1_002), 2 * EVERY["CartPole"]), cartpole_peer(name, 1_000, EVERY["CartPole"])
    pendulum_run("TD3", range(1_000, 1_002), EVERY["Pendulum"]), pendulum_peer(1_000, EVERY["Pendulum"])

    def in_turns(mine: list[Callable[[], Run]], peers: list[Callable[[], Run]]) -> tuple[list[Run], list[Run]]:
        """Run theirs, with ours in between."""
        done: tuple[list[Run], list[Run]] = [], []
        for i, peer in enumerate(peers):
            if i < len(mine):
                done[0].append(mine[i]())
            done[1].append(peer())
        return done

    groups = [range(first, first + SEEDS) for first in FIRST]
    poles = {
        name: in_turns(
            [partial(cartpole_run, name, seeds) for seeds in groups],
            [partial(cartpole_peer, name, seed) for seed in PEER_SEEDS],
        )
        for name in ("PPO", "A2C")
    }
    runs, peers = in_turns(
        [partial(pendulum_run, name, seeds) for seeds in groups for name in ("DDPG", "TD3")],
        [partial(pendulum_peer, seed) for seed in PEER_SEEDS],
    )
    swings = {"DDPG": runs[::2], "TD3": runs[1::2]}
    landers = [lander_run(0), lander_peer(0)]

    promises = Promises()
    lines = [
        *introduction(),
        *cartpole_section(poles, promises),
        *pendulum_section(swings, peers, promises),
        *lander_section(landers),
    ]
    publish(lines, RESULT)
    if promises.missed:
        raise SystemExit("\n".join(promises.missed))


if __name__ == "__main__":
    main()
