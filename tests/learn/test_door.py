"""The door: every wrong argument gets one sentence that names it."""

import gymnasium
import numpy as np
import pytest

from rlkit.learn.tabular import (
    Walk,
    backward_q_learning,
    double_q_learning,
    dyna_q,
    expected_sarsa,
    n_step_td,
    prioritised_sweeping,
    q_learning,
    replay_q_learning,
    sarsa,
    td_lambda,
    td_prediction,
)
from rlkit.mdp import random_policy
from rlkit.mdp.worlds import mitchell, random_walk

WORLD = mitchell()
EVEN = random_policy(WORLD)
LAKE = gymnasium.make("FrozenLake-v1")

LEARNERS = {
    "q_learning": q_learning,
    "sarsa": sarsa,
    "expected_sarsa": expected_sarsa,
    "double_q_learning": double_q_learning,
    "dyna_q": dyna_q,
    "replay_q_learning": replay_q_learning,
    "backward_q_learning": lambda world, **walk: backward_q_learning(world, **({"limit": 9} | walk)),
    "prioritised_sweeping": prioritised_sweeping,
    "td_prediction": lambda world, **walk: td_prediction(world, policy_for(world), **walk),
    "n_step_td": lambda world, **walk: n_step_td(world, policy_for(world), 2, **walk),
    "monte_carlo": lambda world, **walk: n_step_td(world, policy_for(world), None, **({"limit": 9} | walk)),
    "td_lambda": lambda world, **walk: td_lambda(world, policy_for(world), 0.5, **walk),
}
PREDICTION = ("td_prediction", "n_step_td", "monte_carlo", "td_lambda")


def policy_for(world):
    return EVEN if world is WORLD else np.full((16, 4), 0.25)


class Boxed(gymnasium.Env):
    """Observations that are no numbers from 0 on."""

    def __init__(self, observation_space):
        self.observation_space, self.action_space = observation_space, gymnasium.spaces.Discrete(2)

    def reset(self, **_):
        raise AssertionError("nobody should get this far")


SPACES = {
    "box": gymnasium.spaces.Box(0, 1),
    "multi-binary": gymnasium.spaces.MultiBinary(3),
    "multi-discrete": gymnasium.spaces.MultiDiscrete([2, 2]),
    "tuple": gymnasium.spaces.Tuple([gymnasium.spaces.Discrete(2)]),
    "from five": gymnasium.spaces.Discrete(3, start=5),
}

EITHER = "say how long to learn: either steps=... or episodes=..."
WALK = {
    "neither steps nor episodes": ({}, EITHER),
    "both": ({"steps": 5, "episodes": 5}, EITHER),
    "no steps": ({"steps": 0}, "steps is 0, but a whole number of at least 1"),
    "half a step": ({"steps": 0.5}, "steps is 0.5, but a whole number of at least 1"),
    "steps in words": ({"steps": "ten"}, "steps must be an array of real numbers, not 'ten'"),
    "endless": ({"steps": np.inf}, "steps is inf"),
    "no episodes": ({"episodes": 0}, "episodes is 0, but a whole number of at least 1"),
    "episodes below 0": ({"episodes": -3}, "episodes is -3"),
    "limit of 0": ({"steps": 5, "limit": 0}, "limit is 0, but a whole number of at least 1"),
    "limit in words": ({"steps": 5, "limit": "long"}, "limit must be an array of real numbers"),
    "keep_every of 0": ({"steps": 5, "keep_every": 0}, "keep_every is 0, but a whole number of at least 1"),
    "seed in words": ({"steps": 5, "seed": "luck"}, "seed is 'luck', but a whole number of at least 0 or a numpy"),
    "seed below 0": ({"steps": 5, "seed": -1}, "seed is -1, but a whole number of at least 0 or a numpy"),
    "no seed": ({"steps": 5, "seed": None}, "seed is None, but a whole number of at least 0"),
    "gamma twice": ({"steps": 5, "gamma": 0.9}, "gamma is part of this world"),
}


@pytest.mark.parametrize("learner", LEARNERS.values(), ids=LEARNERS.keys())
def test_how_to_walk(learner):
    for options, message in WALK.values():
        refused(lambda options=options: learner(WORLD, **options), message)


def refused(misuse, message, error=ValueError):
    with pytest.raises(error) as caught:
        misuse()
    text = str(caught.value)
    assert text.startswith(message)
    assert "\n" not in text and len(text) < 200


@pytest.mark.parametrize("name", LEARNERS)
def test_copies(name):
    for copies, message in (0, "copies is 0, but"), (1.5, "copies is 1.5, but"), ("two", "copies must be an array"):
        if name == "prioritised_sweeping":
            message = f"copies is {copies}, but prioritised sweeping runs one copy at a time"
        refused(lambda copies=copies: LEARNERS[name](WORLD, steps=5, copies=copies), message)


@pytest.mark.parametrize("name", LEARNERS)
def test_alpha(name):
    for alpha in 0, -0.1, 1.5, np.nan, "fast", [0.1, 0.2], None:
        if name == "prioritised_sweeping":  # which needs none
            with pytest.raises(TypeError, match="alpha"):
                LEARNERS[name](WORLD, steps=5, alpha=alpha)
        else:
            refused(lambda alpha=alpha: LEARNERS[name](WORLD, steps=5, alpha=alpha), "alpha")


@pytest.mark.parametrize("name", LEARNERS)
def test_explore(name):
    for explore in -0.1, 1.5, np.nan, "often", [0.1, 0.2], None:
        if name in PREDICTION:  # where the policy acts
            with pytest.raises(TypeError, match="explore"):
                LEARNERS[name](WORLD, steps=5, explore=explore)
        else:
            refused(lambda explore=explore: LEARNERS[name](WORLD, steps=5, explore=explore), "explore")


@pytest.mark.parametrize("name", LEARNERS)
def test_first_values(name):
    first = "V0" if name in PREDICTION else "Q0"
    run = lambda value: LEARNERS[name](WORLD, steps=5, **{first: value})  # noqa: E731
    for wrong in np.zeros(3), np.zeros((4, 6)), np.zeros((1, 6, 4)):
        refused(lambda wrong=wrong: run(wrong), f"{first} has shape {wrong.shape}, but a number or (6")
    refused(lambda: run("zero"), f"{first} must be an array of real numbers")
    for wrong in np.nan, np.inf, -np.inf:
        refused(lambda wrong=wrong: run(wrong), f"{first}[0")
    if first == "Q0":
        table = q_learning(WORLD, steps=50, explore=1.0).Q[0]
        assert table.min() == -np.inf
        LEARNERS[name](WORLD, steps=5, Q0=table)  # a table that was learned may be gone on with


@pytest.mark.parametrize("name", LEARNERS)
def test_unknown_keywords(name):
    """Python's own sentence names them."""
    with pytest.raises(TypeError, match="unexpected keyword argument 'stepz'"):
        LEARNERS[name](WORLD, steps=5, stepz=5)


@pytest.mark.parametrize("name", LEARNERS)
def test_environments(name):
    learner = LEARNERS[name]
    refused(lambda: learner(LAKE, steps=5), "an environment has no discount of its own: say gamma=...")
    message = (
        "copies is 2, but prioritised" if name == "prioritised_sweeping" else "copies is 2, but an environment is one"
    )
    refused(lambda: learner(LAKE, steps=5, gamma=0.9, copies=2), message)
    for gamma in -0.1, 1.1, np.nan, "much":
        refused(lambda gamma=gamma: learner(LAKE, steps=5, gamma=gamma), "gamma")


@pytest.mark.parametrize("space", SPACES.values(), ids=SPACES.keys())
def test_spaces_that_cannot_index_a_table(space):
    with pytest.raises(ValueError, match="has no Discrete observations and actions from 0 on"):
        q_learning(Boxed(space), steps=5, gamma=0.9)


@pytest.mark.parametrize("world", ["maze", None, 7, object()])
def test_no_world_at_all(world):
    with pytest.raises(ValueError, match="no Discrete observations and actions"):
        q_learning(world, steps=5, gamma=0.9)


@pytest.mark.parametrize(
    "learner",
    [backward_q_learning, lambda world, **walk: n_step_td(world, EVEN, None, **walk)],
    ids=["backward", "monte carlo"],
)
def test_what_waits_for_an_end_needs_a_limit(learner):
    with pytest.raises(ValueError, match=r"to its end: say limit=\.\.\., the longest that it may take"):
        learner(WORLD, steps=5)
    assert learner(WORLD, steps=5, limit=10.0).steps == 5


def test_arguments_of_one_learner():
    cases = [
        (lambda: dyna_q(WORLD, steps=5, planning=-1), "planning is -1, but a whole number of at least 0"),
        (lambda: dyna_q(WORLD, steps=5, planning=0.5), "planning is 0.5"),
        (lambda: replay_q_learning(WORLD, steps=5, replays=-1), "replays is -1, but a whole number of at least 0"),
        (lambda: replay_q_learning(WORLD, steps=5, capacity=0), "capacity is 0, but a whole number of at least 1"),
        (lambda: prioritised_sweeping(WORLD, steps=5, planning=-1), "planning is -1"),
        (lambda: prioritised_sweeping(WORLD, steps=5, threshold=-1), "threshold is -1.0, but it must lie in [0, inf]"),
        (lambda: prioritised_sweeping(WORLD, steps=5, threshold="low"), "threshold must be an array of real numbers"),
        (lambda: n_step_td(WORLD, EVEN, 0, steps=5), "n is 0, but a whole number of at least 1"),
        (lambda: n_step_td(WORLD, EVEN, 1.5, steps=5), "n is 1.5"),
        (lambda: td_lambda(WORLD, EVEN, 1.5, steps=5), "lam is 1.5, but it must lie in [0, 1]"),
        (lambda: td_lambda(WORLD, EVEN, -0.5, steps=5), "lam is -0.5"),
        (lambda: td_lambda(WORLD, EVEN, "half", steps=5), "lam must be an array of real numbers"),
    ]
    for misuse, message in cases:
        refused(misuse, message)


@pytest.mark.parametrize("learn", ["td", "n_step", "lambda"])
@pytest.mark.parametrize(
    ("world", "gamma", "size"), [(random_walk(), None, (7, 2)), (LAKE, 0.9, (16, 4))], ids=["tables", "environment"]
)
def test_policies(learn, world, gamma, size):
    learner = {
        "td": td_prediction,
        "n_step": lambda world, policy, **walk: n_step_td(world, policy, 2, **walk),
        "lambda": lambda world, policy, **walk: td_lambda(world, policy, 0.5, **walk),
    }[learn]
    S, A = size
    wrong = {
        "policy has shape (3,)": np.zeros(3),
        f"policy has shape {(S, A + 1)}": np.full((S, A + 1), 1 / (A + 1)),
        f"policy[0] is {A}": np.full(S, A),
        "policy[0] is -1": np.full(S, -1),
        "policy[0] is 0.5": np.full(S, 0.5),
        "policy[0] sums to": np.full(size, 0.7),
        "policy[0, 0] is -1": np.tile(np.r_[-1, 2, np.zeros(A - 2)], (S, 1)),
        "policy must be an array": "left",
    }
    for message, policy in wrong.items():
        refused(lambda policy=policy: learner(world, policy, steps=5, gamma=gamma), message)


def test_a_walk_checks_by_itself():
    refused(lambda: Walk(WORLD, 2.0, steps=5), "alpha is 2.0, but it must lie in [0, 1]")
    refused(lambda: Walk(WORLD, 0.1, 2.0, steps=5), "explore is 2.0, but it must lie in [0, 1]")
    refused(lambda: Walk(WORLD), EITHER)
