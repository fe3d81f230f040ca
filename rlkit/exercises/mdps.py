"""The exercises of chapter 1: returns, Bellman equations, value iteration on an empty page, shaping, a planted bug."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from rlkit.exercises.exercise import Case, Exercise
from rlkit.exercises.judging import ANOTHER_VALUE, difference
from rlkit.exercises.quizzes import Question, Quiz

# Worlds for the situations. Two states and two actions: small enough to work by hand.
STAY_OR_GO_P = np.array([[[1.0, 0.0], [0.5, 0.5]], [[0.0, 1.0], [0.0, 1.0]]])
STAY_OR_GO_R = np.array([[1.0, 0.0], [0.0, 0.0]])
CHAIN_P = np.array([[[0.0, 1, 0], [1, 0, 0]], [[0, 0, 1], [1, 0, 0]], [[0, 0, 1], [0, 0, 1]]])
CHAIN_R = np.array([[0.0, 1.0], [10.0, 2.0], [0.0, 0.0]])
STAY_OR_SWAP_P = np.array([[[1.0, 0.0], [0.0, 1.0]], [[0.0, 1.0], [1.0, 0.0]]])


def random_world(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return P: float[4, 3, 4] and R: float[4, 3] of a world without structure."""
    return rng.dirichlet(np.ones(4), size=(4, 3)), rng.normal(size=(4, 3))


def staying(*rewards: float) -> tuple[np.ndarray, np.ndarray]:
    """Return P and R of a world in which every state is left to itself, and is paid its reward for ever."""
    return np.eye(len(rewards))[:, None, :], np.array(rewards, float)[:, None]


# -- 1. a return by hand --------------------------------------------------------------------------------------------

by_hand = Exercise(
    "mdps.return_by_hand",
    title="A return by hand",
    name="my_return",
    value=True,
    hints=[
        "Write the four rewards below each other, and next to each the factor that its delay costs.",
        "The first reward comes at once: its factor is 1. The factors are 1, 1/2, 1/4, 1/8.",
        "`my_return = 2 + 0.5 * 0 + 0.25 * 4 + 0.125 * 8`",
    ],
    insight="From the back it is quicker: 8, then 4 + 8/2, then 0 + 8/2, then 2 + 4/2. Each step is R_t = r_t + γ R_(t+1).",
)


@by_hand.reference
def my_return():
    return 4.0


@by_hand.mistake("You added the rewards without discounting them. A reward that comes k moves later counts γ^k.")
def return_not_discounted():
    return 14.0


@by_hand.mistake(
    "Either you discounted the first reward too, or you took nothing but the first. It comes at once, so its factor is "
    "γ^0 = 1, and the others are added."
)
def first_reward_discounted():
    return 2.0


@by_hand.mistake(
    "Your 4 and your 8 are each discounted one move too little: their factors are 1/4 and 1/8. The reward 0 pays "
    "nothing, but it takes a move, and so it delays what comes after it."
)
def skips_the_zero():
    return 6.0


@by_hand.mistake(
    "Either you multiplied every later reward by γ once, whatever its delay, or this is the last reward alone. The factor "
    "of a reward k moves later is γ^k, and the return adds all rewards."
)
def discounted_once():
    return 8.0


@by_hand.mistake("You counted from the wrong end: the last reward is the one that is discounted most.")
def from_the_wrong_end():
    return 10.25


@by_hand.mistake("This is the last reward alone, discounted. The return adds all rewards on the way.")
def last_reward_alone():
    return 1.0


@by_hand.mistake(
    "This is half of the sum. Each reward has a factor of its own: 1 for what comes at once, and one more 1/2 for each "
    "move of delay."
)
def half_of_the_sum():
    return 7.0


@by_hand.mistake(
    "You are short by 1. Either one reward is missing, the 4 or the 8 (each adds 1), or the later rewards are discounted "
    "once too often."
)
def one_reward_missing():
    return 3.0


@by_hand.mistake(
    "Either this is the mean of the four rewards, or the 8 is discounted once too often. The return is a sum, with the "
    "factors 1, 1/2, 1/4 and 1/8."
)
def mean_of_the_rewards():
    return 3.5


@by_hand.mistake("Your 4 and your 8 have the same factor, 1/4. The 8 comes one move later, so its factor is 1/8.")
def same_factor_for_the_last_two():
    return 5.0


@by_hand.mistake("You divided by 1, 2, 3, 4. Discounts multiply: with γ = 1/2 the factors are 1, 1/2, 1/4, 1/8.")
def divided_by_the_move():
    return 2 + 4 / 3 + 8 / 4


@by_hand.mistake("You divided the sum by 1 - γ. That is for one reward that comes for ever; here are four, and an end.")
def as_if_for_ever():
    return 28.0


@by_hand.mistake("You took γ = 0.9, from the page above. Here it is 1/2.")
def with_the_pages_gamma():
    return 2 + 0.9**2 * 4 + 0.9**3 * 8


# -- 2. the discounted return ---------------------------------------------------------------------------------------

discounted = Exercise(
    "mdps.discounted_return",
    title="The discounted return",
    name="total_return",
    hints=[
        "You need no powers of gamma. What is the return at the last step? And at the step before it?",
        "Go through the rewards from the back, and keep the return of what comes after.",
        "In a loop over `reversed(rewards)`: `total = reward + gamma * total`.",
    ],
    insight="The recursion R_t = r_t + γ R_(t+1) is the seed of every Bellman equation.",
)


@discounted.reference
def total_return(rewards, gamma):
    """Return r_0 + gamma r_1 + gamma^2 r_2 + ...

    rewards: float[T], in their order in time; an empty list is worth 0
    gamma: the discount, from 0 to 1
    """
    total = 0.0
    for reward in reversed(rewards):
        total = reward + gamma * total
    return total


@discounted.also_right
def powers(rewards, gamma):
    return sum(gamma**k * r for k, r in enumerate(rewards))


@discounted.cases
def returns_to_take(rng: np.random.Generator) -> Iterator[Case]:
    yield Case("three rewards", ([2.0, 4.0, 8.0], 0.5), "2 + 0.5 · 4 + 0.25 · 8 = 6")
    yield Case("the rewards come late", ([0.0, 0.0, 100.0], 0.9), "0 + 0 + 0.81 · 100 = 81")
    why = "3 + 0.5 · 3 + 0.25 · 1 + 0.125 · 1 = 4.875"
    yield Case("rewards come twice", ([3.0, 3.0, 1.0, 1.0], 0.5), why)
    yield Case("no discount", ([1.0, 2.0, 3.0], 1.0), "with γ = 1 it is the plain sum, 6")
    yield Case("only now counts", ([3.0, 5.0], 0.0), "with γ = 0 only the first reward counts")
    yield Case("nothing came", ([], 0.9), "an empty sum is 0")
    for k in range(1, 4):
        yield Case(f"random rewards {k}", (list(rng.normal(size=6).round(2)), float(rng.uniform(0.1, 0.95))))


@discounted.mistake("You start with a factor gamma. The first reward comes at once and is not discounted.")
def starts_with_gamma(rewards, gamma):
    return sum(gamma ** (k + 1) * r for k, r in enumerate(rewards))


@discounted.mistake(
    "Your first reward is discounted most, and your last one not at all: it should be the other way round. "
    "`total = reward + gamma * total` works from the back, so the last reward must come first."
)
def forwards(rewards, gamma):
    total = 0.0
    for reward in rewards:
        total = reward + gamma * total
    return total


@discounted.mistake(
    "You count the delay from the wrong end, and one too many: the first reward is discounted most, and even the last "
    "one is discounted. The reward of step k has the factor gamma to the power k."
)
def counts_down(rewards, gamma):
    return sum(gamma ** (len(rewards) - k) * r for k, r in enumerate(rewards))


@discounted.mistake("Gamma does not enter: this is the plain sum.")
def plain_sum(rewards, gamma):
    return float(sum(rewards))


@discounted.mistake(
    "You discount every later reward by the same gamma, however late it comes. Two steps later is gamma²."
)
def one_gamma_for_all(rewards, gamma):
    return sum(r if k == 0 else gamma * r for k, r in enumerate(rewards))


@discounted.mistake(
    "You multiply gamma by the step number. Delays multiply: k steps later the factor is gamma to the power k."
)
def gamma_times_k(rewards, gamma):
    return sum(r if k == 0 else gamma * k * r for k, r in enumerate(rewards))


@discounted.mistake(
    "You multiply gamma by the step number, `gamma * t`, so the first reward counts 0 times. You want `gamma ** t`: the "
    "power."
)
def gamma_times_k_from_zero(rewards, gamma):
    return sum(gamma * k * r for k, r in enumerate(rewards))


@discounted.mistake(
    "Your `return` is inside the loop: it ends the loop in its first round, with the last reward alone. Move it to the left."
)
def returns_inside_the_loop(rewards, gamma):
    total = 0.0
    for reward in reversed(rewards):
        total = reward + gamma * total
        return total


@discounted.mistake(
    "Only the first reward counts. Either your `return` is inside the loop and ends it in its first round, or `total = 0` "
    "is inside and forgets what was there."
)
def first_reward_only(rewards, gamma):
    for reward in rewards:
        return reward


@discounted.mistake(
    "Only the last reward is left, with its discount. Either `=` stands where `+=` should (`=+` is a `=` too), or "
    "`total = 0` is inside the loop."
)
def last_reward_only(rewards, gamma):
    total = 0.0
    for k, reward in enumerate(rewards):
        total = gamma**k * reward
    return total


@discounted.mistake("Each round replaces the total by its reward, so the last one is left. Add to what is there.")
def last_reward_not_discounted(rewards, gamma):
    return rewards[-1] if rewards else 0.0


@discounted.mistake(
    "Your function returns 0 whatever comes: the loop is never entered. Counting down needs a step of -1."
)
def never_enters_the_loop(rewards, gamma):
    return 0.0


@discounted.mistake(
    "You multiply the whole sum by gamma once. Each reward has a factor of its own, gamma to the power of its delay."
)
def gamma_times_sum(rewards, gamma):
    return gamma * sum(rewards)


@discounted.mistake("One reward is missing, the last. `range(len(rewards))` ends one before its bound by itself.")
def leaves_out_the_last(rewards, gamma):
    return sum(gamma**k * rewards[k] for k in range(len(rewards) - 1))


@discounted.mistake("One reward is missing, the first. Python counts from 0.")
def leaves_out_the_first(rewards, gamma):
    return sum(gamma**k * rewards[k] for k in range(1, len(rewards)))


@discounted.mistake(
    "This is the return from the second step on: the first reward is missing. (`range(n - 1, 0, -1)` ends before 0.)"
)
def starts_at_the_second(rewards, gamma):
    return total_return(rewards[1:], gamma)


@discounted.mistake("You start from the last reward and then meet it again in the loop, so it counts twice.")
def last_reward_twice(rewards, gamma):
    return total_return([*rewards, *rewards[-1:]], gamma)


@discounted.mistake("Your total starts at 1, as if one more reward came at the end. An empty sum is 0.")
def starts_at_one(rewards, gamma):
    return total_return([*rewards, 1.0], gamma)


@discounted.mistake("You wrote 0.9 into the code. Use the argument `gamma`.")
def always_point_nine(rewards, gamma):
    return total_return(rewards, 0.9)


@discounted.mistake(
    "You take powers of gamma and multiply the total by gamma as well. Do one of the two: either the recursion, or the powers."
)
def power_and_recursion(rewards, gamma):
    total = 0.0
    for k, reward in enumerate(rewards):
        total = gamma**k * reward + gamma * total
    return total


@discounted.mistake("You multiply by 1 - gamma. That is what a step costs; what is left after a step is gamma.")
def one_minus_gamma(rewards, gamma):
    return total_return(rewards, 1 - gamma)


@discounted.mistake("Each reward is discounted twice: its factor should be gamma to the power k, not to the power 2k.")
def discounts_twice(rewards, gamma):
    return total_return(rewards, gamma**2)


@discounted.mistake("In the recursion gamma stands without a power. Going back by one step discounts the total once.")
def power_in_the_recursion(rewards, gamma):
    total = 0.0
    for k in reversed(range(len(rewards))):
        total = rewards[k] + gamma**k * total
    return total


@discounted.mistake(
    "`rewards.index(r)` finds the first place of a reward. Where the same reward comes again, its delay is wrong: use "
    "`enumerate`."
)
def looks_up_the_place(rewards, gamma):
    return sum(gamma ** rewards.index(r) * r for r in rewards)


@discounted.mistake("This is the mean of the discounted rewards. The return is their sum.")
def mean_instead_of_sum(rewards, gamma):
    return sum(gamma**k * r for k, r in enumerate(rewards)) / max(1, len(rewards))


@discounted.mistake("The return is right, but you round it. Whoever calls your function wants all of it.")
def rounds_the_return(rewards, gamma):
    return round(total_return(rewards, gamma), 2)


@discounted.mistake("You cut the return down to a whole number. Leave out the `int`.")
def whole_number(rewards, gamma):
    return int(total_return(rewards, gamma))


# -- 3. a prediction ------------------------------------------------------------------------------------------------

flip = Exercise(
    "mdps.where_it_flips",
    title="Where does it flip?",
    name="my_gamma",
    value=True,
    atol=0.005,
    hints=[
        "The near chest pays with the 1st move, the far one with the 4th. How is each discounted, seen from the start?",
        "A chest that you open with your n-th move is worth γ^(n-1) times its content.",
        "Equal where 10 = γ³ · 40, so `my_gamma = (10 / 40) ** (1 / 3)`.",
    ],
    insight="Only the ratio of the prizes and the difference of the distances matter: γ = (10/40)^(1/3).",
)


@flip.reference
def my_gamma():
    return 0.63


@flip.mistake("You compared the prizes, but not the distances: the difference is three moves, so take the third root.")
def ratio_alone():
    return 0.25


@flip.mistake(
    "You took the fourth root. The far chest is four moves away, but the near one is one: the difference is three."
)
def fourth_root():
    return 0.7071


@flip.mistake(
    "Either this is the answer for the chests above, where the far one held 80; here it holds 40. Or you took the square "
    "root, for two moves of difference; it is three."
)
def square_root():
    return 0.5


@flip.mistake("You took the fifth root, as if the distances added up. Their difference counts, and it is three moves.")
def fifth_root():
    return 0.7579


@flip.mistake(
    "This is 10/40 divided by 3. Take the third root: `(10 / 40) ** (1 / 3)`. Without the second pair of brackets, Python "
    "takes the power first and divides by 3 afterwards."
)
def divided_by_three():
    return 0.0833


@flip.mistake("You took the third power. Equal where γ³ = 10/40: the way back is the third root.")
def third_power():
    return 0.0156


@flip.mistake("You divided the ratio the other way round; a discount above 1 would make later better.")
def inverse_ratio():
    return 1.5874


@flip.mistake("You divided by the distances. A discount works by multiplication, once for each move.")
def linear_in_distance():
    return 0.75


@flip.mistake("A discount is a number from 0 to 1: not per cent.")
def in_per_cent():
    return 63.0


@flip.mistake("This is 1 - γ: the share that each move costs. What is left of it after a move is γ.")
def what_a_move_costs():
    return 0.37


@flip.mistake("Very near. But two digits were asked for, and rounded: 0.6299... is nearer to 0.63 than to 0.62.")
def cut_off():
    return 0.62


@flip.mistake("You are near, but this is too rough: work it out to two digits after the point.")
def one_digit():
    return 0.6


@flip.mistake("At 1 nothing is discounted, and the larger chest always wins. (In Python, `1 // 3` is 0.)")
def no_root_at_all():
    return 1.0


# -- ways to sweep, from which the mistakes of exercises 4 and 6 are made ---------------------------------------------


def largest_change(V_new: np.ndarray, V: np.ndarray) -> float:
    """Return the measure of line 4."""
    return abs(V_new - V).max()


def line_5(gamma: float, tol: float) -> float:
    """Return how small a change must be."""
    return tol * (1 - gamma) / (2 * gamma)


def sweep_until(
    P: np.ndarray,
    R: np.ndarray,
    gamma: float,
    enough: float = 0.0,
    *,
    times: int = 100_000,
    value: Callable[[np.ndarray], np.ndarray] = lambda Q: Q.max(axis=1),
    change: Callable[[np.ndarray, np.ndarray], float] = largest_change,
) -> tuple[np.ndarray, np.ndarray]:
    """Return V and the greedy policy of sweeps that stop when the change is small enough, or after so many times."""
    V = np.zeros(len(R))
    for _ in range(times):
        V_old, Q = V, R + gamma * P @ V
        V = value(Q)
        if change(V, V_old) <= enough:
            break
    return V, Q.argmax(axis=1)


def sweep_in_place(P: np.ndarray, R: np.ndarray, gamma: float, enough: float, V: np.ndarray) -> np.ndarray:
    """Return V after sweeps that write into it while they read from it, until the change is small enough."""
    for _ in range(100_000):
        V_old = V.copy()
        for s in range(len(V)):
            V[s] = (R[s] + gamma * P[s] @ V).max()
        if largest_change(V, V_old) <= enough:
            break
    return V


def sweeps_made(P: np.ndarray, R: np.ndarray, gamma: float, V: np.ndarray) -> int | None:
    """Return after how many sweeps from zeros the values are V, or None if they never are."""
    W = np.zeros(len(R))
    for k in range(1, 20_000 if np.isfinite(V).all() else 1):
        W_old, W = W, (R + gamma * P @ W).max(axis=1)
        away, to_come = abs(W - V).max(), abs(W - W_old).max() * gamma / (1 - gamma)
        if away <= 1e-9 * (1 + abs(V).max()):
            return k
        if not away <= 2 * to_come:
            return None  # no later sweep can reach it
    return None


def followed(P: np.ndarray, R: np.ndarray, pi: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return P and R of the world that a policy makes of a world: with one action, to follow it."""
    return np.einsum("sa,sat->st", pi, P)[:, None, :], (pi * R).sum(axis=1)[:, None]


def solved(P_pi: np.ndarray, r: np.ndarray, gamma: float) -> np.ndarray:
    """Return the solution of V = r + gamma P_pi V."""
    return np.linalg.solve(np.eye(len(r)) - gamma * P_pi, r)


# -- 4. policy evaluation -------------------------------------------------------------------------------------------

evaluation = Exercise(
    "mdps.policy_evaluation",
    title="What a policy is worth",
    name="policy_value",
    rtol=0,
    atol=1e-5,
    hints=[
        "First reduce the world to what the policy makes of it: a reward for each state, and a chain of states.",
        "`r = (pi * R).sum(axis=1)` and `P_pi = np.einsum('sa,sat->st', pi, P)`.",
        "V = r + gamma P_pi V is linear in V. Bring V to one side, or sweep some thousands of times.",
        "`return np.linalg.solve(np.eye(len(r)) - gamma * P_pi, r)`",
    ],
    insight="A policy turns a world into a Markov chain with rewards, and its value is the solution of S linear equations.",
)


@evaluation.reference
def policy_value(P, R, gamma, pi):
    """Return V^pi, each number off by at most 0.00001.

    P: float[S, A, S], R: float[S, A], gamma: below 1
    pi: float[S, A], the probabilities of the actions
    Returns float[S].
    """
    r = (pi * R).sum(axis=1)
    P_pi = np.einsum("sa,sat->st", pi, P)
    return np.linalg.solve(np.eye(len(r)) - gamma * P_pi, r)


@evaluation.also_right
def value_by_sweeps(P, R, gamma, pi):
    V = np.zeros(len(R))
    for _ in range(2000):
        V = (pi * (R + gamma * P @ V)).sum(axis=1)
    return V


@evaluation.cases
def policies_to_evaluate(rng: np.random.Generator) -> Iterator[Case]:
    stay, half = np.array([[1.0, 0.0], [1.0, 0.0]]), np.full((2, 2), 0.5)
    yield Case("always stay", (STAY_OR_GO_P, STAY_OR_GO_R, 0.8, stay), "state 0 earns 1 for ever: 1/(1 - 0.8) = 5")
    ahead = np.array([[1.0, 0.0], [1.0, 0.0], [1.0, 0.0]])
    yield Case("a chain", (CHAIN_P, CHAIN_R, 0.9, ahead), "V(2) = 0, V(1) = 10, V(0) = 0 + 0.9 · 10 = 9")
    why = "V(1) = 0 and V(0) = 0.5 · 1 + 0.5 · 0.75 · V(0), so V(0) = 0.5/0.625 = 0.8"
    yield Case("a fair coin", (STAY_OR_GO_P, STAY_OR_GO_R, 0.5, half), why)
    why = "state 0 loses 1 for ever, -1/(1 - 0.5) = -2; state 1 loses 3 for ever, -3/(1 - 0.5) = -6"
    yield Case("only losses", (STAY_OR_SWAP_P, np.array([[-1.0, -5.0], [-3.0, -2.0]]), 0.5, stay), why)
    why = "state 0 earns 1 for ever, 1/(1 - 0.9) = 10; state 1 loses 1 for ever, -10"
    yield Case("one earns what the other loses", (*staying(1.0, -1.0), 0.9, np.ones((2, 1))), why)
    why = "state 0 earns 1 for ever: 1/(1 - 0.99) = 100; it takes more than a thousand sweeps"
    yield Case("a long view", (STAY_OR_GO_P, STAY_OR_GO_R, 0.99, stay), why)
    for k in range(1, 4):
        P, R = random_world(rng)
        yield Case(f"random policy {k}", (P, R, float(rng.uniform(0.5, 0.95)), rng.dirichlet(np.ones(3), size=4)))


@evaluation.judge
def value_of_a_policy(case: Case, got: object) -> str | None:
    """Judge V by its distance from V^pi, and say what a wrong V looks like."""
    P, R, gamma, pi = case.args
    expected = policy_value(P, R, gamma, pi)
    wrong = difference(got, expected, evaluation.rtol, evaluation.atol)
    if wrong != ANOTHER_VALUE or got is None:
        return wrong
    V = np.asarray(got, float)
    most = abs(R).max() / (1 - gamma)
    if not abs(V).max() <= most * (1 + 1e-9):
        return (
            f"Your largest value is {abs(V).max():.3g}, but nobody can collect more than the largest reward / (1 - gamma) = "
            f"{most:g}. Is gamma in each sweep, and do the weights of the actions sum to 1?"
        )
    sweeps = sweeps_made(*followed(P, R, pi), gamma, V)
    if sweeps:
        return (
            f"This is V after {sweeps} sweep{'s' * (sweeps > 1)}, and it is still {abs(V - expected).max():.2g} off. Go on "
            "until it is near enough, or solve the equations."
        )
    return wrong


@evaluation.mistake("You take the best action in each state. V^pi follows the policy, good or bad: average with pi.")
def best_instead_of_policy(P, R, gamma, pi):
    return by_policy_iteration(P, R, gamma, 0)[0]


@evaluation.mistake("You give every action the same weight. The weights are the policy's: pi(a | s).")
def equal_weights(P, R, gamma, pi):
    return policy_value(P, R, gamma, np.full(R.shape, 1 / R.shape[1]))


@evaluation.mistake("You add up the actions, with the weight 1 for each. The weights are the policy's: pi(a | s).")
def actions_added_up(P, R, gamma, pi):
    return sweep_until(*followed(P, R, np.ones(R.shape)), gamma, times=1000)[0]


@evaluation.mistake(
    "You weight with pi, and then take the mean over the actions. The weights sum to 1 already: take the sum."
)
def mean_of_the_weighted(P, R, gamma, pi):
    return policy_value(P, R, gamma, pi / R.shape[1])


@evaluation.mistake("You weight with pi, and then take the largest. An average is the sum of what is weighted.")
def largest_of_the_weighted(P, R, gamma, pi):
    return sweep_until(P, R, gamma, value=lambda Q: (pi * Q).max(axis=1))[0]


@evaluation.mistake(
    "You stopped after one sweep: this is the reward of the first step only. Either the `return` stands in the loop, or V "
    "is compared with itself."
)
def one_sweep(P, R, gamma, pi):
    return (pi * R).sum(axis=1)


@evaluation.mistake(
    "Your values are all 0. Either the reward is missing, or the loop is never entered: let the change start large."
)
def all_zeros(P, R, gamma, pi):
    return np.zeros(len(R))


@evaluation.mistake("You make as many sweeps as there are states. The rewards of a loop go round for ever: go on.")
def as_many_sweeps_as_states(P, R, gamma, pi):
    return sweep_until(*followed(P, R, pi), gamma, times=len(R))[0]


def evaluation_in_sweeps(times: int) -> Callable[..., np.ndarray]:
    """Return an evaluation that makes a fixed number of sweeps."""

    def evaluates(P, R, gamma, pi):
        return sweep_until(*followed(P, R, pi), gamma, times=times)[0]

    evaluates.__name__ = f"evaluation_in_{times}_sweeps"
    return evaluates


for times in 2, 10, 50, 100, 1000:
    evaluation.mistake(
        f"You make {times} sweeps. How many are enough depends on gamma: measure the change, or solve the equations."
    )(evaluation_in_sweeps(times))


def evaluation_to(digits: int) -> Callable[..., np.ndarray]:
    """Return an evaluation that stops when so many digits do not change in a sweep."""

    def evaluates(P, R, gamma, pi):
        return sweep_until(*followed(P, R, pi), gamma, 10**-digits)[0]

    evaluates.__name__ = f"evaluation_to_{digits}_digits"
    return evaluates


for digits in 2, 3, 4, 5, 6:
    evaluation.mistake(
        f"You stop when a sweep changes nothing by more than {10**-digits:.{digits}f}. What is still to come can be "
        "gamma / (1 - gamma) times as much, 99 times for 0.99: stop much later, or solve the equations."
    )(evaluation_to(digits))


@evaluation.mistake(
    "You look for the largest change without its size: a value that falls counts as no change. Take `abs`."
)
def evaluation_without_abs(P, R, gamma, pi):
    return sweep_until(*followed(P, R, pi), gamma, 1e-9, change=lambda V_new, V: (V_new - V).max())[0]


@evaluation.mistake(
    "You stop as soon as one state has come to rest. All must: take the largest change, not the smallest."
)
def evaluation_by_smallest_change(P, R, gamma, pi):
    return sweep_until(*followed(P, R, pi), gamma, 1e-9, change=lambda V_new, V: abs(V_new - V).min())[0]


@evaluation.mistake(
    "You compare the sums of the values. Where one rises as another falls, the sum stays: take the largest change."
)
def evaluation_by_change_of_sums(P, R, gamma, pi):
    return sweep_until(*followed(P, R, pi), gamma, 1e-9, change=lambda V_new, V: abs(V_new.sum() - V.sum()))[0]


@evaluation.mistake(
    "You stopped after one sweep, which wrote into the array that it read from. `V_old = V` makes a second name, not a "
    "second array: write `V.copy()`."
)
def evaluation_with_an_alias(P, R, gamma, pi):
    return sweep_in_place(*followed(P, R, pi), gamma, np.inf, np.zeros(len(R)))


@evaluation.mistake(
    "You stopped after two sweeps: `V = V_new` makes V a second name for the array that you fill next, so they are always "
    "equal. Make a new array in each sweep, or copy."
)
def evaluation_with_a_late_alias(P, R, gamma, pi):
    return sweep_in_place(*followed(P, R, pi), gamma, np.inf, (pi * R).sum(axis=1))


@evaluation.mistake("Gamma is missing: in each sweep, what comes later must be multiplied by it.")
def evaluation_without_gamma(P, R, gamma, pi):
    return sweep_until(*followed(P, R, pi), 1.0, times=1000)[0]


@evaluation.mistake("You wrote 0.9 into the code. Use the argument `gamma`.")
def evaluation_with_point_nine(P, R, gamma, pi):
    return policy_value(P, R, 0.9, pi)


@evaluation.mistake("The sign is wrong. From V = r + gamma P_pi V it follows that (I - gamma P_pi) V = r.")
def wrong_sign(P, R, gamma, pi):
    return policy_value(P, R, -gamma, pi)


@evaluation.mistake(
    "You multiplied r by the matrix. In (I - gamma P_pi) V = r it stands on the side of V: solve, or multiply by its inverse."
)
def inverse_forgotten(P, R, gamma, pi):
    r = (pi * R).sum(axis=1)
    return r - gamma * np.einsum("sa,sat->st", pi, P) @ r


@evaluation.mistake("Gamma stands at the wrong matrix. It multiplies P_pi, which is what comes later, and not I.")
def gamma_on_the_identity(P, R, gamma, pi):
    return np.linalg.solve(gamma * np.eye(len(R)) - np.einsum("sa,sat->st", pi, P), (pi * R).sum(axis=1))


@evaluation.mistake("The rewards are averaged with pi, but the next states are not: their weights are pi(a | s) too.")
def policy_in_the_reward_only(P, R, gamma, pi):
    return solved(P.mean(axis=1), (pi * R).sum(axis=1), gamma)


@evaluation.mistake(
    "The next states are averaged with pi, but the rewards with equal weights: their weights are pi(a | s) too."
)
def mean_of_the_rewards_of_a_state(P, R, gamma, pi):
    return solved(np.einsum("sa,sat->st", pi, P), R.mean(axis=1), gamma)


@evaluation.mistake(
    "The next states are averaged with pi, but the rewards are added up. They too have the weights pi(a | s)."
)
def sum_of_the_rewards_of_a_state(P, R, gamma, pi):
    return solved(np.einsum("sa,sat->st", pi, P), R.sum(axis=1), gamma)


@evaluation.mistake("You discount the reward of the present step too.")
def value_discounts_reward(P, R, gamma, pi):
    return gamma * policy_value(P, R, gamma, pi)


@evaluation.mistake("You used the transposed matrix: row s of P_pi says where you go *from* s.")
def transposed_chain(P, R, gamma, pi):
    return solved(np.einsum("sa,sat->ts", pi, P), (pi * R).sum(axis=1), gamma)


@evaluation.mistake(
    "You swapped s and s' in P. `P[s, a, t]` leads from s to t: the state that you evaluate comes first."
)
def from_and_to_swapped(P, R, gamma, pi):
    return solved(np.einsum("sa,tas->st", pi, P), (pi * R).sum(axis=1), gamma)


@evaluation.mistake("You multiply by V[s], the value of the state that you leave. What comes later is V[s'].")
def value_of_the_same_state(P, R, gamma, pi):
    return (pi * R).sum(axis=1) / (1 - gamma)


@evaluation.mistake("You follow only the likeliest action of each state. A policy that rolls dice must be averaged.")
def likeliest_action_only(P, R, gamma, pi):
    return policy_value(P, R, gamma, np.eye(pi.shape[1])[pi.argmax(axis=1)])


@evaluation.mistake("Only the last action is left: each one replaces what the one before it gave. Add them up: `+=`.")
def last_action_wins(P, R, gamma, pi):
    return policy_value(P, R, gamma, pi * (np.arange(R.shape[1]) == R.shape[1] - 1))


@evaluation.mistake(
    "Only the last action is left, and it counts in full. Add up over the actions, each with its weight: "
    "`+= pi[s, a] * ...`."
)
def last_action_in_full(P, R, gamma, pi):
    return policy_value(P, R, gamma, np.eye(R.shape[1])[np.full(len(R), -1)])


@evaluation.mistake(
    "The reward is counted once for each next state. Take it out of the inner loop, or multiply it by `P[s, a, t]` too."
)
def reward_for_each_next_state(P, R, gamma, pi):
    return policy_value(P, len(R) * R, gamma, pi)


@evaluation.mistake(
    "Your values grow without end: you add to what the last sweep left. Start each state from 0 in every sweep."
)
def never_starts_afresh(P, R, gamma, pi):
    V = np.zeros(len(R))
    for _ in range(1000):
        V = V + (pi * (R + gamma * P @ V)).sum(axis=1)
    return V


@evaluation.mistake("V is an array of whole numbers, so what is put into it is cut off. Begin with `np.zeros(S)`.")
def evaluation_in_whole_numbers(P, R, gamma, pi):
    return sweep_in_place(*followed(P, R, pi), gamma, 0, np.zeros(len(R), int))


# -- 5. one sweep ---------------------------------------------------------------------------------------------------

backup = Exercise(
    "mdps.bellman_backup",
    title="One sweep",
    name="best_sweep",
    hints=[
        "What is action a in state s worth? Its reward, plus what you expect afterwards.",
        "`P @ V` has the shape [S, A]: entry (s, a) is the value that you expect after taking a in s.",
        "`Q = R + gamma * P @ V`, and from Q take the best action of each state.",
        "`return (R + gamma * P @ V).max(axis=1)`",
    ],
    insight="An average over the next states (the world chooses), then a maximum over the actions (you choose).",
)


@backup.reference
def best_sweep(P, R, gamma, V):
    """Return V_new(s) = max_a [ R(s, a) + gamma sum_s' P(s, a, s') V(s') ].

    P: float[S, A, S], R: float[S, A], gamma: float, V: float[S]
    Returns float[S].
    """
    return (R + gamma * P @ V).max(axis=1)


@backup.also_right
def backup_by_loops(P, R, gamma, V):
    S, A = R.shape
    return np.array(
        [max(R[s, a] + gamma * sum(P[s, a, t] * V[t] for t in range(S)) for a in range(A)) for s in range(S)]
    )


@backup.cases
def sweeps_to_make(rng: np.random.Generator) -> Iterator[Case]:
    why = "state 0: max(0 + 0.9 · 5, 1 + 0.9 · 1) = 4.5; state 1: max(10 + 0, 2 + 0.9 · 1) = 10; state 2: 0"
    yield Case("a chain", (CHAIN_P, CHAIN_R, 0.9, np.array([1.0, 5.0, 0.0])), why)
    why = "state 0: staying 1 + 0.5 · 4 = 3, going 0 + 0.5 · (4 + 8)/2 = 3, so 3; state 1: 0 + 0.5 · 8 = 4"
    yield Case("two states", (STAY_OR_GO_P, STAY_OR_GO_R, 0.5, np.array([4.0, 8.0])), why)
    why = "all values are negative: -1 - 0.9 · 2 = -2.8 for the better action, and not 0"
    bad = np.array([[-1.0, -5.0], [-1.0, -5.0]])
    yield Case("only losses", (STAY_OR_SWAP_P, bad, 0.9, np.array([-2.0, -2.0])), why)
    why = "a loss can be as large as it likes: state 0 loses 1e100 at least, state 1 loses 3e100"
    bad = np.array([[-1e100, -2e100], [-4e100, -3e100]])
    yield Case("great losses", (STAY_OR_SWAP_P, bad, 0.9, np.zeros(2)), why)
    why = "state 0: 0.5 · (0.25 · 8 + 0.75 · 4) = 2.5, and not the likelier 4 alone; state 1: 0.5 · 4 = 2"
    uncertain = np.array([[[0.25, 0.75]], [[0.0, 1.0]]])
    yield Case("an uncertain move", (uncertain, np.zeros((2, 1)), 0.5, np.array([8.0, 4.0])), why)
    why = "both look at the old values: 1 + 0.5 · 0 = 1, for the second state too"
    mirror = np.array([[[0.0, 1.0]], [[1.0, 0.0]]])
    yield Case("each looks at the other", (mirror, np.ones((2, 1)), 0.5, np.zeros(2)), why)
    why = "state 0: max(0 + 1, -1 + 3) = 2; state 1: max(10 + 0, -1 + 3) = 10; state 2: max(0, 0) = 0"
    back = np.array([[0.0, -1.0], [10.0, -1.0], [0.0, 0.0]])
    yield Case("no discount", (CHAIN_P, back, 1.0, np.array([3.0, 1.0, 0.0])), why)
    for k in range(1, 4):
        yield Case(f"random world {k}", (*random_world(rng), float(rng.uniform(0.3, 0.95)), rng.normal(size=4)))


@backup.mistake("You forgot gamma: what comes later must be discounted.")
def backup_without_gamma(P, R, gamma, V):
    return (R + P @ V).max(axis=1)


@backup.mistake("You discount the reward too. It comes at once; only what comes after it is multiplied by gamma.")
def backup_discounts_reward(P, R, gamma, V):
    return (gamma * (R + P @ V)).max(axis=1)


@backup.mistake("You discount the reward, and not what comes after it. It is the other way round.")
def backup_discounts_reward_only(P, R, gamma, V):
    return (gamma * R + P @ V).max(axis=1)


@backup.mistake("You wrote 0.9 into the code. Use the argument `gamma`.")
def backup_with_point_nine(P, R, gamma, V):
    return (R + 0.9 * P @ V).max(axis=1)


@backup.mistake("You average over the actions. The optimality equation takes the best one: a maximum.")
def backup_averages_actions(P, R, gamma, V):
    return (R + gamma * P @ V).mean(axis=1)


@backup.mistake(
    "You take the best next state, as if the world did what you like. The world draws s': take the mean over P."
)
def backup_best_next_state(P, R, gamma, V):
    return (R + gamma * np.where(P > 0, V, -np.inf).max(axis=2)).max(axis=1)


@backup.mistake(
    "You take the largest of the products P V over the next states. Add them up: together they are the mean."
)
def backup_largest_product(P, R, gamma, V):
    return (R + gamma * (P * V).max(axis=2)).max(axis=1)


@backup.mistake("You look at the likeliest next state only. The others count too, each with its probability.")
def backup_likeliest_next_state(P, R, gamma, V):
    return (R + gamma * V[P.argmax(axis=2)]).max(axis=1)


@backup.mistake(
    "You add up V over all states, without the probabilities. Each next state counts as much as it is likely."
)
def backup_without_probabilities(P, R, gamma, V):
    return (R + gamma * V.sum()).max(axis=1)


@backup.mistake("You choose the action by its reward alone, and add the future afterwards. Choose by the sum of both.")
def backup_greedy_on_reward(P, R, gamma, V):
    return (R + gamma * P @ V)[np.arange(len(V)), R.argmax(axis=1)]


@backup.mistake(
    "You choose the action by what comes after it, and add its reward afterwards. Choose by the sum of both."
)
def backup_greedy_on_future(P, R, gamma, V):
    return (R + gamma * P @ V)[np.arange(len(V)), (P @ V).argmax(axis=1)]


@backup.mistake("You take two maxima, one over rewards and one over futures: they may belong to different actions.")
def backup_two_maxima(P, R, gamma, V):
    return R.max(axis=1) + gamma * (P @ V).max(axis=1)


@backup.mistake("You take the maximum over the states. Each state chooses among its own actions: `axis=1`.")
def backup_maximum_over_states(P, R, gamma, V):
    return (R + gamma * P @ V).max(axis=0)


@backup.mistake("This says *which* action is best. What it is worth was asked for: `max`, not `argmax`.")
def backup_argmax(P, R, gamma, V):
    return (R + gamma * P @ V).argmax(axis=1)


@backup.mistake(
    "You update V while you go through the states, so later states see new values. One sweep uses the old V throughout."
)
def backup_in_place(P, R, gamma, V):
    V = V.copy()
    for s in range(len(V)):
        V[s] = (R[s] + gamma * P[s] @ V).max()
    return V


@backup.mistake("You sweep on until nothing changes. One sweep was asked for, from the V that you are given.")
def backup_to_the_end(P, R, gamma, V):
    for _ in range(1000):
        V = (R + gamma * P @ V).max(axis=1)
    return V


@backup.mistake("You make two sweeps. One was asked for.")
def backup_twice(P, R, gamma, V):
    return best_sweep(P, R, gamma, best_sweep(P, R, gamma, V))


@backup.mistake(
    "V does not enter: this is the best reward of each state. Begin with the V that you are given, not with zeros."
)
def backup_of_zeros(P, R, gamma, V):
    return R.max(axis=1)


@backup.mistake(
    "You keep the larger of the old and the new value. A value must be able to fall: start the maximum from minus infinity."
)
def backup_never_falls(P, R, gamma, V):
    return np.maximum(V, (R + gamma * P @ V).max(axis=1))


@backup.mistake("You add the new value to the old one. The new one takes its place.")
def backup_added_to_the_old(P, R, gamma, V):
    return V + (R + gamma * P @ V).max(axis=1)


@backup.mistake(
    "Your maximum starts from 0. Where every action loses, the best is still negative: start from minus infinity."
)
def backup_from_zero(P, R, gamma, V):
    return np.maximum((R + gamma * P @ V).max(axis=1), 0)


@backup.mistake("Your maximum starts from -1, and values can be lower: start from minus infinity, `-np.inf`.")
def backup_from_minus_one(P, R, gamma, V):
    return np.maximum((R + gamma * P @ V).max(axis=1), -1)


@backup.mistake(
    "Your maximum starts from -1000. That is low, but values can be lower: start from minus infinity, `-np.inf`."
)
def backup_from_minus_a_thousand(P, R, gamma, V):
    return np.maximum((R + gamma * P @ V).max(axis=1), -1000)


@backup.mistake(
    "Your maximum starts from -1e9. That is low, but values can be lower: start from minus infinity, `-np.inf`."
)
def backup_from_minus_a_billion(P, R, gamma, V):
    return np.maximum((R + gamma * P @ V).max(axis=1), -1e9)


@backup.mistake("You forget the signs: a great loss counts as a great gain. Leave out the `abs`.")
def backup_of_sizes(P, R, gamma, V):
    return abs(R + gamma * P @ V).max(axis=1)


@backup.mistake("The best value so far is kept from one state to the next. Start it afresh in each state.")
def backup_best_not_reset(P, R, gamma, V):
    return np.maximum.accumulate((R + gamma * P @ V).max(axis=1))


@backup.mistake("What an action is worth is added to what the one before it was. Start it afresh for each action.")
def backup_action_not_reset(P, R, gamma, V):
    return (R + gamma * P @ V).cumsum(axis=1).max(axis=1)


@backup.mistake("You add up the actions. You take one of them: the best.")
def backup_sums_actions(P, R, gamma, V):
    return (R + gamma * P @ V).sum(axis=1)


@backup.mistake("Only the last action is left: each one replaces the one before it. Keep the larger.")
def backup_last_action(P, R, gamma, V):
    return (R + gamma * P @ V)[:, -1]


@backup.mistake("You look at the first action only. Go through all of them, and keep the best.")
def backup_first_action(P, R, gamma, V):
    return (R + gamma * P @ V)[:, 0]


@backup.mistake("Only the last next state is left: each one replaces the one before it. Add them up: `+=`.")
def backup_last_next_state(P, R, gamma, V):
    return (R + gamma * P[:, :, -1] * V[-1]).max(axis=1)


@backup.mistake("One next state is missing, the last. `range(S)` ends one before its bound by itself.")
def backup_misses_a_next_state(P, R, gamma, V):
    return (R + gamma * P[:, :, :-1] @ V[:-1]).max(axis=1)


@backup.mistake("The reward is counted once for each next state. Take it out of the inner sum.")
def backup_reward_for_each_next_state(P, R, gamma, V):
    return (len(V) * R + gamma * P @ V).max(axis=1)


@backup.mistake("You swapped s and s' in P. `P[s, a, t]` leads from s to t: the state that you compute comes first.")
def backup_from_and_to_swapped(P, R, gamma, V):
    return (R + gamma * np.einsum("tas,t->sa", P, V)).max(axis=1)


@backup.mistake(
    "You multiply by V[s], the value of the state that you leave. What comes later is V[s'], averaged with P."
)
def backup_value_of_the_same_state(P, R, gamma, V):
    return R.max(axis=1) + gamma * V


@backup.mistake(
    "Only the first state has its value: your `return` is inside the loop over the states. Move it to the left."
)
def backup_returns_in_the_loop(P, R, gamma, V):
    return best_sweep(P, R, gamma, V) * (np.arange(len(V)) == 0)


@backup.mistake("The first state is left out, and keeps its 0. Python counts from 0.")
def backup_misses_the_first_state(P, R, gamma, V):
    return best_sweep(P, R, gamma, V) * (np.arange(len(V)) > 0)


@backup.mistake("The last state is left out, and keeps its 0. `range(S)` ends one before its bound by itself.")
def backup_misses_the_last_state(P, R, gamma, V):
    return best_sweep(P, R, gamma, V) * (np.arange(len(V)) < len(V) - 1)


@backup.mistake("Your new V is an array of whole numbers, so what is put into it is cut off. Begin with `np.zeros(S)`.")
def backup_in_whole_numbers(P, R, gamma, V):
    return best_sweep(P, R, gamma, V).astype(int)


@backup.mistake("You subtract what comes later. It is added, times gamma.")
def backup_subtracts(P, R, gamma, V):
    return (R - gamma * P @ V).max(axis=1)


@backup.mistake("You take the plain mean of V, as if all next states were equally likely. Their weights are in P.")
def backup_of_equal_chances(P, R, gamma, V):
    return (R + gamma * V.mean()).max(axis=1)


@backup.mistake("You left the reward out: this is only what comes after it.")
def backup_without_reward(P, R, gamma, V):
    return (gamma * P @ V).max(axis=1)


@backup.mistake("You take the worst action. You are choosing for yourself: a maximum.")
def backup_worst_action(P, R, gamma, V):
    return (R + gamma * P @ V).min(axis=1)


# -- 6. the blank page ----------------------------------------------------------------------------------------------

blank_page = Exercise(
    "mdps.value_iteration",
    title="Value iteration on an empty page",
    name="my_value_iteration",
    rtol=0,
    atol=1e-4,
    hints=[
        "Start from zeros. Repeat: one sweep, compare with the values before, stop when the change is small enough.",
        "How small is small enough? Line 5 of the algorithm: `tol * (1 - gamma) / (2 * gamma)`.",
        "`V_new = (R + gamma * P @ V).max(axis=1)` is one sweep; `abs(V_new - V).max()` is the change.",
        "`while True:` sweep; measure the change; `V = V_new`; if it is small enough, return V and `Q.argmax(axis=1)`.",
    ],
    insight="Nine lines, and they solve every finite world whose tables you know. All that follows is for those you do not.",
)


@blank_page.reference
def my_value_iteration(P, R, gamma, tol):
    """Return V within tol / 2 of V*, and a greedy policy.

    P: float[S, A, S], R: float[S, A], gamma: strictly between 0 and 1
    Returns V: float[S] and policy: int[S].
    """
    V = np.zeros(len(R))
    while True:
        Q = R + gamma * P @ V
        V_new = Q.max(axis=1)
        change = abs(V_new - V).max()
        V = V_new
        if change <= tol * (1 - gamma) / (2 * gamma):
            return V, Q.argmax(axis=1)


@blank_page.also_right
def by_policy_iteration(P, R, gamma, tol):
    policy = np.zeros(len(R), int)
    while True:
        V = policy_value(P, R, gamma, np.eye(R.shape[1])[policy])
        Q = R + gamma * P @ V
        if (Q.max(axis=1) <= V + 1e-12).all():
            return V, policy
        policy = Q.argmax(axis=1)


@blank_page.also_right
def in_place_to_line_5(P, R, gamma, tol):
    V = sweep_in_place(P, R, gamma, line_5(gamma, tol), np.zeros(len(R)))
    return V, (R + gamma * P @ V).argmax(axis=1)


def six_cells() -> tuple[np.ndarray, np.ndarray]:
    """Return P and R of the six cells; a move off the grid stays and pays nothing."""
    P, R = np.zeros((6, 4, 6)), np.zeros((6, 4))
    for s in range(6):
        row, column = divmod(s, 3)
        for a, (dr, dc) in enumerate(((-1, 0), (0, 1), (1, 0), (0, -1))):
            inside = 0 <= row + dr < 2 and 0 <= column + dc < 3 and s != 2
            to = s + 3 * dr + dc if inside else s
            P[s, a, to] = 1
            R[s, a] = 100.0 * (to == 2 and s != 2)
    return P, R


@blank_page.cases
def worlds_to_solve(rng: np.random.Generator) -> Iterator[Case]:
    why = (
        "V is 90, 100, 0 in the upper row and 81, 90, 100 below; each best move (0 up, 1 right, 2 down, 3 left) leads "
        "nearer to the goal, and in the goal any will do"
    )
    yield Case("the six cells", (*six_cells(), 0.9, 1e-4), why)
    why = "V(1) = 10 by action 0; V(0) = max(0.5 · 10, 1 + 0.5 · V(0)) = 5, by action 0; V(2) = 0, by any"
    yield Case("a chain", (CHAIN_P, CHAIN_R, 0.5, 1e-4), why)
    yield Case("a loose promise", (*staying(100), 0.9, 0.6), "100/(1 - 0.9) = 1000, and 0.3 more or less was promised")
    why = "every move costs at least 1, and action 0 no more than that: -1/(1 - 0.5) = -2"
    lose = np.array([[-1.0, -2.0], [-1.0, -2.0]])
    yield Case("only losses", (STAY_OR_SWAP_P, lose, 0.5, 1e-4), why)
    why = "state 0 earns 1 for ever, 1/(1 - 0.9) = 10; the five others earn nothing"
    yield Case("one busy state among quiet ones", (*staying(1, 0, 0, 0, 0, 0), 0.9, 1e-4), why)
    why = "state 0 loses 1 for ever, -1/(1 - 0.9) = -10; the five others earn nothing"
    yield Case("one losing state among quiet ones", (*staying(-1, 0, 0, 0, 0, 0), 0.9, 1e-4), why)
    why = "state 0 earns 1 for ever, 1/(1 - 0.9) = 10; state 1 loses 1 for ever, -10"
    yield Case("one earns what the other loses", (*staying(1, -1), 0.9, 1e-4), why)
    why = "1/(1 - 0.9) = 10, to eight digits after the point: tol / 2 = 0.000000005"
    yield Case("a tight promise", (*staying(1), 0.9, 1e-8), why)
    why = "staying pays 1 for ever, 1/(1 - 0.99) = 100; it takes more than a thousand sweeps to see it"
    yield Case("a long view", (*staying(1), 0.99, 1e-4), why)
    for k in range(1, 4):
        yield Case(f"random world {k}", (*random_world(rng), float(rng.uniform(0.7, 0.95)), 1e-4))
    why = "staying pays 1 for ever, 1/(1 - 0.999) = 1000; it takes more than ten thousand sweeps to see it"
    yield Case("a very long view", (*staying(1), 0.999, 0.08), why)


@blank_page.judge
def value_and_policy(case: Case, got: object) -> str | None:
    """Judge V by its distance from V*, the policy by what it is worth: best policies are not unique."""
    P, R, gamma, tol = case.args
    if not (isinstance(got, (tuple, list)) and len(got) == 2):
        return "Return two things: V and the policy."
    V, policy = (np.asarray(x) for x in got)
    if V.dtype.kind == "i" and policy.dtype.kind == "f":
        return "V comes first, then the policy. Are they swapped?"
    if V.shape != (len(R),) or V.dtype.kind not in "biuf":
        return f"V has the shape {V.shape}, but one number for each of the {len(R)} states was expected."
    if policy.shape != (len(R),) or policy.dtype.kind not in "biu":
        return f"The policy must be {len(R)} whole numbers, one action for each state."
    if policy.min() < 0 or policy.max() >= R.shape[1]:
        return f"The policy has an entry that is no action: actions are 0 to {R.shape[1] - 1}."
    V_star, _ = by_policy_iteration(P, R, gamma, tol)
    off = abs(V - V_star).max()
    if not off <= tol / 2 + 1e-9:
        text = f"Your V is {off:.3g} away from V*, but tol / 2 = {tol / 2:g} was promised."
        sweeps = sweeps_made(P, R, gamma, V)
        if sweeps:
            text += (
                f" This is V after {sweeps} sweep{'s' * (sweeps > 1)}, which is too early here: when does line 5 stop?"
            )
        return text
    lost = (V_star - policy_value(P, R, gamma, np.eye(R.shape[1])[policy])).max()
    if not lost <= tol + 1e-9:
        return f"V is right, but the policy loses {lost:.3g} in some state. Take the best action of Q in each state."
    return None


# When to stop.


@blank_page.mistake(
    "You stop when the change is below tol. A small change does not mean that the error is small: see line 5."
)
def stops_at_tol(P, R, gamma, tol):
    return sweep_until(P, R, gamma, tol)


@blank_page.mistake(
    "You compare the change with tol / 2. What is left after it can be gamma / (1 - gamma) times as much: see line 5."
)
def stops_at_half_tol(P, R, gamma, tol):
    return sweep_until(P, R, gamma, tol / 2)


@blank_page.mistake(
    "You stop at tol (1 - gamma) / gamma: then V is within tol of V*. Within tol / 2 was promised: the 2 of line 5 is missing."
)
def stops_without_the_two(P, R, gamma, tol):
    return sweep_until(P, R, gamma, tol * (1 - gamma) / gamma)


@blank_page.mistake(
    "You stop at tol (1 - gamma). Line 5 divides that by 2 gamma: the 2 makes it tol / 2 instead of tol."
)
def stops_without_the_denominator(P, R, gamma, tol):
    return sweep_until(P, R, gamma, tol * (1 - gamma))


@blank_page.mistake(
    "Your fraction stands on its head, 2 gamma / (1 - gamma). The nearer gamma is to 1, the smaller the change must be."
)
def stops_upside_down(P, R, gamma, tol):
    return sweep_until(P, R, gamma, tol * 2 * gamma / (1 - gamma))


@blank_page.mistake(
    "You multiply tol by gamma / (1 - gamma). That is how much more can follow: divide by it, and by 2, as line 5 does."
)
def stops_at_what_can_follow(P, R, gamma, tol):
    return sweep_until(P, R, gamma, tol * gamma / (1 - gamma))


@blank_page.mistake(
    "You divide tol by 1 - gamma, which makes it larger. The nearer gamma is to 1, the smaller the change must be: multiply."
)
def stops_divided(P, R, gamma, tol):
    return sweep_until(P, R, gamma, tol / (1 - gamma))


def iteration_to(digits: int) -> Callable[..., tuple[np.ndarray, np.ndarray]]:
    """Return a value iteration that stops when so many digits do not change in a sweep, whatever tol is."""

    def iterates(P, R, gamma, tol):
        return sweep_until(P, R, gamma, 10**-digits)

    iterates.__name__ = f"iteration_to_{digits}_digits"
    return iterates


for digits in 3, 4, 5, 6:
    blank_page.mistake(
        f"You stop at a change of {10**-digits:.{digits}f}, a number of your own. How small is small enough depends on "
        "tol and gamma: see line 5."
    )(iteration_to(digits))


@blank_page.mistake(
    "You stop at a very small number of your own. Whoever asks for a smaller tol does not get it: see line 5."
)
def iteration_to_very_many_digits(P, R, gamma, tol):
    return sweep_until(P, R, gamma, 1e-8)


def iteration_in(times: int) -> Callable[..., tuple[np.ndarray, np.ndarray]]:
    """Return a value iteration that makes a fixed number of sweeps."""

    def iterates(P, R, gamma, tol):
        return sweep_until(P, R, gamma, times=times)

    iterates.__name__ = f"iteration_in_{times}_sweeps"
    return iterates


for times in 10, 50, 100, 1000, 5000, 10_000:
    blank_page.mistake(
        f"You make {times} sweeps, a fixed number. How many are enough depends on gamma and tol: measure the change."
    )(iteration_in(times))


@blank_page.mistake(
    "Your line 5 is right, but after a thousand sweeps you stop all the same. For gamma near 1 that is too early: `while True`."
)
def at_most_a_thousand_sweeps(P, R, gamma, tol):
    return sweep_until(P, R, gamma, line_5(gamma, tol), times=1000)


@blank_page.mistake(
    "You stop when `np.allclose` holds. Its tolerance is its own, and relative: compare the largest change with line 5."
)
def stops_when_allclose(P, R, gamma, tol):
    return sweep_until(P, R, gamma, 0, change=lambda V_new, V: not np.allclose(V_new, V))


@blank_page.mistake(
    "You stop when `np.allclose` holds with `atol=tol`. A small change is not a small error: see line 5."
)
def stops_when_allclose_to_tol(P, R, gamma, tol):
    return sweep_until(P, R, gamma, 0, change=lambda V_new, V: not np.allclose(V_new, V, atol=tol))


@blank_page.mistake(
    "You stop when the policy no longer changes. It often stands long before the values do: compare the values."
)
def stops_when_the_policy_stands(P, R, gamma, tol):
    V, policy = np.zeros(len(R)), np.zeros(len(R), int)
    while True:
        Q = R + gamma * P @ V
        V, old, policy = Q.max(axis=1), policy, Q.argmax(axis=1)
        if (policy == old).all():
            return V, policy


@blank_page.mistake(
    "You stop after one sweep. Either V is compared with itself (measure the change before you put the new values in place "
    "of the old), or the comparison or the `return` ends the loop in its first round."
)
def stops_after_one_sweep(P, R, gamma, tol):
    return sweep_until(P, R, gamma, times=1)


@blank_page.mistake(
    "V is compared with itself after one sweep in place: `V_old = V` gives a second name to the same array. Write `V.copy()`."
)
def compares_an_alias(P, R, gamma, tol):
    V = sweep_in_place(P, R, gamma, np.inf, np.zeros(len(R)))
    return V, (R + gamma * P @ V).argmax(axis=1)


@blank_page.mistake(
    "From the second sweep on V is compared with itself: after `V = V_new` both name one array, and you write into it. Make "
    "`V_new` inside the loop, or copy it."
)
def compares_a_late_alias(P, R, gamma, tol):
    V = sweep_in_place(P, R, gamma, np.inf, R.max(axis=1))
    return V, (R + gamma * P @ V).argmax(axis=1)


@blank_page.mistake(
    "The loop is never entered, because the change is 0 before the first sweep. Let it start at infinity."
)
def never_enters_the_sweeps(P, R, gamma, tol):
    return np.zeros(len(R)), R.argmax(axis=1)


@blank_page.mistake(
    "You sweep in place, which is fine, and stop when the change is below tol, which is too early: see line 5."
)
def in_place_to_tol(P, R, gamma, tol):
    V = sweep_in_place(P, R, gamma, tol, np.zeros(len(R)))
    return V, (R + gamma * P @ V).argmax(axis=1)


@blank_page.mistake("You return the V from before the last sweep. The promise of line 5 is for the one after it.")
def returns_the_old_values(P, R, gamma, tol):
    V = np.zeros(len(R))
    while True:
        Q = R + gamma * P @ V
        if largest_change(Q.max(axis=1), V) <= line_5(gamma, tol):
            return V, Q.argmax(axis=1)
        V = Q.max(axis=1)


# What is measured.


@blank_page.mistake(
    "You look for the largest change without its size: a value that falls counts as no change. Take `abs`."
)
def change_without_abs(P, R, gamma, tol):
    return sweep_until(P, R, gamma, line_5(gamma, tol), change=lambda V_new, V: (V_new - V).max())


@blank_page.mistake("You take the mean of the changes. Many quiet states hide one that still moves: take the largest.")
def mean_change(P, R, gamma, tol):
    return sweep_until(P, R, gamma, line_5(gamma, tol), change=lambda V_new, V: abs(V_new - V).mean())


@blank_page.mistake("You take the smallest change, so one state at rest ends it all. Take the largest.")
def smallest_change(P, R, gamma, tol):
    return sweep_until(P, R, gamma, line_5(gamma, tol), change=lambda V_new, V: abs(V_new - V).min())


@blank_page.mistake(
    "You square the changes. Small numbers become much smaller by that: compare the changes themselves."
)
def squared_change(P, R, gamma, tol):
    return sweep_until(P, R, gamma, line_5(gamma, tol), change=lambda V_new, V: ((V_new - V) ** 2).max())


@blank_page.mistake(
    "You add up the squares of the changes. Small numbers become much smaller by that: take the largest change."
)
def sum_of_squared_changes(P, R, gamma, tol):
    return sweep_until(P, R, gamma, line_5(gamma, tol), change=lambda V_new, V: ((V_new - V) ** 2).sum())


@blank_page.mistake(
    "You compare the largest values. They may belong to different states, and say nothing about the others: take the "
    "difference in each state first, and its largest size after that."
)
def change_of_the_largest(P, R, gamma, tol):
    return sweep_until(P, R, gamma, line_5(gamma, tol), change=lambda V_new, V: abs(V_new.max() - V.max()))


@blank_page.mistake(
    "You compare the sums of the values. Where one rises as another falls, the sum stays: take the largest change."
)
def change_of_the_sums(P, R, gamma, tol):
    return sweep_until(P, R, gamma, line_5(gamma, tol), change=lambda V_new, V: abs(V_new.sum() - V.sum()))


@blank_page.mistake("You watch the first state only. The change is the largest over all states.")
def change_of_the_first_state(P, R, gamma, tol):
    return sweep_until(P, R, gamma, line_5(gamma, tol), change=lambda V_new, V: abs(V_new[0] - V[0]))


@blank_page.mistake(
    "Only the change of the last state counts: each one replaces the one before it. Keep the largest, "
    "`delta = max(delta, ...)`."
)
def change_of_the_last_state(P, R, gamma, tol):
    V, _ = sweep_until(P, R, gamma, line_5(gamma, tol), change=lambda V_new, V: abs(V_new[-1] - V[-1]))
    return V, (R + gamma * P @ V).argmax(axis=1)


# What a sweep does.


@blank_page.mistake("You average over the actions: that is the evaluation of the random policy. Take the maximum.")
def evaluates_the_random_walk(P, R, gamma, tol):
    return sweep_until(P, R, gamma, line_5(gamma, tol), value=lambda Q: Q.mean(axis=1))


@blank_page.mistake("You take the worst action in each state. You are choosing for yourself: a maximum.")
def takes_the_worst(P, R, gamma, tol):
    return sweep_until(P, R, gamma, line_5(gamma, tol), value=lambda Q: Q.min(axis=1))


@blank_page.mistake("Only the last action is left: each one replaces the one before it. Keep the larger.")
def takes_the_last_action(P, R, gamma, tol):
    return sweep_until(P, R, gamma, line_5(gamma, tol), value=lambda Q: Q[:, -1])


@blank_page.mistake("You take two maxima, one over rewards and one over futures: they may belong to different actions.")
def two_maxima(P, R, gamma, tol):
    V, change = np.zeros(len(R)), np.inf
    while change > line_5(gamma, tol):
        V_new = R.max(axis=1) + gamma * (P @ V).max(axis=1)
        Q, V, change = R + gamma * P @ V, V_new, largest_change(V_new, V)
    return V, Q.argmax(axis=1)


@blank_page.mistake(
    "You discount the reward of the present step too: every value comes out too small by the factor gamma."
)
def iteration_discounts_reward(P, R, gamma, tol):
    return sweep_until(P, gamma * R, gamma, line_5(gamma, tol))


@blank_page.mistake(
    "Gamma is missing in the sweep, so rewards that come for ever have no end. Discount what comes later."
)
def iteration_without_gamma(P, R, gamma, tol):
    return sweep_until(P, R, 1.0, line_5(gamma, tol), times=1000)


@blank_page.mistake("You discount the reward, and not what comes after it. It is the other way round.")
def iteration_discounts_the_reward_only(P, R, gamma, tol):
    return sweep_until(P, gamma * R, 1.0, line_5(gamma, tol), times=1000)


@blank_page.mistake("You wrote 0.9 into the sweep. Use the argument `gamma`.")
def iteration_with_point_nine(P, R, gamma, tol):
    return sweep_until(P, R, 0.9, line_5(gamma, tol))


@blank_page.mistake("The reward is missing, so all values stay 0. A sweep is R plus what comes later.")
def iteration_without_reward(P, R, gamma, tol):
    return sweep_until(P, 0 * R, gamma, line_5(gamma, tol))


@blank_page.mistake(
    "Either you keep the larger of the old and the new value, or your maximum starts from 0. A value can be negative, and "
    "it must be able to fall."
)
def never_lets_values_fall(P, R, gamma, tol):
    return sweep_until(P, R, gamma, line_5(gamma, tol), value=lambda Q: np.maximum(Q.max(axis=1), 0))


@blank_page.mistake("V is an array of whole numbers, so what is put into it is cut off. Begin with `np.zeros(S)`.")
def iteration_in_whole_numbers(P, R, gamma, tol):
    return sweep_until(P, R, gamma, line_5(gamma, tol), value=lambda Q: Q.max(axis=1).astype(int))


# What is returned.


@blank_page.mistake("V is right, but you return only that. The policy is asked for as well.")
def forgets_the_policy(P, R, gamma, tol):
    return my_value_iteration(P, R, gamma, tol)[0]


@blank_page.mistake("The policy is that of the rewards alone. Take the argmax of Q, which includes what comes after.")
def policy_of_rewards(P, R, gamma, tol):
    return my_value_iteration(P, R, gamma, tol)[0], R.argmax(axis=1)


@blank_page.mistake(
    "The policy looks only at what comes after a move, `P @ V`. Take the argmax of Q, which includes the reward."
)
def policy_of_the_future(P, R, gamma, tol):
    V, _ = my_value_iteration(P, R, gamma, tol)
    return V, (P @ V).argmax(axis=1)


@blank_page.mistake("V is right, but the policy takes the worst action of each state: `argmax`, not `argmin`.")
def policy_of_the_worst(P, R, gamma, tol):
    V, _ = my_value_iteration(P, R, gamma, tol)
    return V, (R + gamma * P @ V).argmin(axis=1)


@blank_page.mistake("Your actions are counted from 1. Python counts from 0, and so do the rows of P.")
def policy_counted_from_one(P, R, gamma, tol):
    V, policy = my_value_iteration(P, R, gamma, tol)
    return V, policy + 1


@blank_page.mistake("V is right, but the policy is 0 in every state. Take the argmax of Q in each.")
def policy_of_zeros(P, R, gamma, tol):
    return my_value_iteration(P, R, gamma, tol)[0], np.zeros(len(R), int)


# -- 7. the greedy policy -------------------------------------------------------------------------------------------

greedily = Exercise(
    "mdps.greedy_policy",
    title="The greedy policy",
    name="greedy_policy",
    hints=[
        "An action that does not exist must never be the best one. What value would make sure of that?",
        "`np.where(available, Q, -np.inf)` gives Q with minus infinity where there is no action.",
        "Compare each entry with the best of its row: `best = Q == Q.max(axis=1, keepdims=True)`.",
        "Then `return best / best.sum(axis=1, keepdims=True)`: each row sums to 1.",
    ],
    insight="Ties are no accident: symmetric worlds are full of them. Always taking the first one hides half the best policies.",
)


@greedily.reference
def greedy_policy(Q, available):
    """Return the policy that shares its probability equally among the best.

    Q: float[S, A]
    available: bool[S, A]; where False, there is no action, whatever Q says
    Returns float[S, A]; each row sums to 1.
    """
    Q = np.where(available, Q, -np.inf)
    best = Q == Q.max(axis=1, keepdims=True)
    return best / best.sum(axis=1, keepdims=True)


@greedily.also_right
def greedy_by_loops(Q, available):
    policy = np.zeros(Q.shape)
    for s in range(len(Q)):
        exist = [a for a in range(Q.shape[1]) if available[s, a]]
        best = [a for a in exist if Q[s, a] == max(Q[s, b] for b in exist)]
        policy[s, best] = 1 / len(best)
    return policy


@greedily.also_right
def greedy_up_to_rounding(Q, available):
    Q = np.where(available, Q, -np.inf)
    best = np.isclose(Q, Q.max(axis=1, keepdims=True))
    return best / best.sum(axis=1, keepdims=True)


@greedily.cases
def choices_to_make(rng: np.random.Generator) -> Iterator[Case]:
    every = np.ones((2, 3), bool)
    yield Case("one best action", (np.array([[1.0, 5.0, 2.0], [7.0, 3.0, 0.0]]), every), "the 5 and the 7")
    yield Case("a tie", (np.array([[4.0, 4.0, 1.0], [2.0, 2.0, 2.0]]), every), "1/2 each, and 1/3 each")
    some = np.array([[True, True, False], [False, True, True]])
    why = "the 9 and the 8 belong to actions that do not exist; the best of the others are 3, and 2 and 2"
    yield Case("the largest does not exist", (np.array([[3.0, 1.0, 9.0], [8.0, 2.0, 2.0]]), some), why)
    why = "all values are negative, and 0 stands where there is no action: it must not win"
    yield Case("only losses", (np.array([[-3.0, -1.0, 0.0], [0.0, -2.0, -2.0]]), some), why)
    why = "the 3 and the 2 on the outside are as large as the best, but they belong to no action: the 3, and 1/2 for each other 2"
    yield Case("as large as the best, but not there", (np.array([[3.0, 1.0, 3.0], [2.0, 2.0, 2.0]]), some), why)
    why = "one action is all there is, so it is the best, though it is worth 0 and no value in the table is smaller"
    one = np.array([[False, True, False], [True, True, True]])
    yield Case("no choice", (np.array([[2.0, 0.0, 3.0], [6.0, 4.0, 5.0]]), one), why)
    why = "a loss can be as large as it likes: -1e100 is better than -2e100, and -3e100 better than -4e100"
    yield Case("great losses", (np.array([[-1e100, -2e100, 0.0], [0.0, -4e100, -3e100]]), some), why)
    why = "1.0001 is more than 1, and 3 more than 2.9999: neither is a tie"
    yield Case("nearly a tie", (np.array([[1.0, 1.0001, 0.0], [2.9999, 3.0, 3.0]]), every), why)
    for k in range(1, 4):
        Q = rng.integers(-2, 2, size=(5, 4)).astype(float)
        mask = rng.random((5, 4)) < 0.7
        mask[np.arange(5), rng.integers(4, size=5)] = True
        yield Case(f"random table {k}", (Q, mask))


def shared(best: np.ndarray) -> np.ndarray:
    """Return each row divided by its sum."""
    return best / best.sum(axis=1, keepdims=True)


def best_of_each_row(Q: np.ndarray) -> np.ndarray:
    """Return where each row has its maximum."""
    return Q == Q.max(axis=1, keepdims=True)


# Ties.


@greedily.mistake(
    "In a tie you take the first best action only. They are equally good: share the probability among them."
)
def first_of_the_tied(Q, available):
    return np.eye(Q.shape[1])[np.where(available, Q, -np.inf).argmax(axis=1)]


@greedily.mistake(
    "In a tie you take the last best action only. They are equally good: share the probability among them."
)
def last_of_the_tied(Q, available):
    return np.eye(Q.shape[1])[:, ::-1][np.where(available, Q, -np.inf)[:, ::-1].argmax(axis=1)]


@greedily.mistake(
    "This is the argmax, and two things are missing. It takes actions that do not exist, and of several best ones only the "
    "first. Rule out the missing ones, then share among all that equal the maximum."
)
def plain_argmax(Q, available):
    return np.eye(Q.shape[1])[Q.argmax(axis=1)]


@greedily.mistake(
    "Each row must sum to 1. Where several actions are best, they share the probability; True counts as a full 1."
)
def rows_do_not_sum_to_one(Q, available):
    return best_of_each_row(np.where(available, Q, -np.inf)).astype(float)


@greedily.mistake("You give 1/2 to each where there is a tie. Three that are equally good get 1/3 each.")
def half_for_each(Q, available):
    best = best_of_each_row(np.where(available, Q, -np.inf))
    return np.where(best.sum(axis=1, keepdims=True) > 1, best / 2, best)


@greedily.mistake(
    "You count as tied what is only nearly equal. 1 and 1.0001 are no tie: allow for rounding, and for no more."
)
def generous_ties(Q, available):
    return shared(best_of_each_row(np.where(available, Q, -np.inf).round(2)))


@greedily.mistake(
    "You divide by the number of actions. Divide by the number of best ones, `best.sum(axis=1, keepdims=True)`."
)
def divided_by_all_actions(Q, available):
    return best_of_each_row(np.where(available, Q, -np.inf)) / Q.shape[1]


@greedily.mistake("You divide by the number of actions that exist. Divide by the number of best ones among them.")
def divided_by_those_that_exist(Q, available):
    return best_of_each_row(np.where(available, Q, -np.inf)) / available.sum(axis=1, keepdims=True)


@greedily.mistake(
    "You divide by the number of best actions in the whole table. Each row has a number of its own: `axis=1`."
)
def divided_by_the_total(Q, available):
    best = best_of_each_row(np.where(available, Q, -np.inf))
    return best / best.sum()


@greedily.mistake("You divide by the sums of the columns. Each row must sum to 1: `best.sum(axis=1, keepdims=True)`.")
def divided_by_columns(Q, available):
    best = best_of_each_row(np.where(available, Q, -np.inf))
    return best / best.sum(axis=0)


@greedily.mistake(
    "The list of the best is not emptied when a better action comes: what was best before it stays in. Begin a new list "
    "with it."
)
def former_best_stay(Q, available):
    Q = np.where(available, Q, -np.inf)
    return shared((np.maximum.accumulate(Q, axis=1) == Q) & available)


@greedily.mistake("The list of the best is not emptied between states. Begin a new one for each row.")
def best_of_other_states_stay(Q, available):
    policy, best = np.zeros(Q.shape), []
    for s, row in enumerate(best_of_each_row(np.where(available, Q, -np.inf))):
        best += list(np.flatnonzero(row))
        policy[s, best] = 1 / len(best)
    return policy


# Actions that do not exist.


@greedily.mistake("Your policy takes actions that do not exist. Rule them out before you look for the maximum.")
def ignores_available(Q, available):
    return shared(best_of_each_row(Q))


@greedily.mistake(
    "Among the best you count actions that do not exist, where their entry equals the best value by chance."
)
def missing_among_the_tied(Q, available):
    return shared(Q == np.where(available, Q, -np.inf).max(axis=1, keepdims=True))


@greedily.mistake(
    "You put 0 where there is no action. Where all values are negative, 0 is the largest: use minus infinity instead."
)
def zero_for_missing(Q, available):
    return shared(best_of_each_row(np.where(available, Q, 0.0)))


@greedily.mistake(
    "You put -1 where there is no action. Values can be lower, and then -1 is the largest: use minus infinity instead."
)
def minus_one_for_missing(Q, available):
    return shared(best_of_each_row(np.where(available, Q, -1.0)))


@greedily.mistake(
    "You put a large negative number where there is no action. A loss can be larger still: use minus infinity, `-np.inf`."
)
def large_number_for_missing(Q, available):
    return shared(best_of_each_row(np.where(available, Q, -1e9)))


@greedily.mistake(
    "You put the smallest value where there is no action. Where that is all there is, it makes a tie: use minus infinity."
)
def smallest_for_missing(Q, available):
    return shared(best_of_each_row(np.where(available, Q, Q.min())))


@greedily.mistake(
    "You take a value of 0 for a missing action. An action that exists can be worth 0: look at `available`, not at Q."
)
def zero_means_missing(Q, available):
    return shared(best_of_each_row(np.where(available & (Q != 0), Q, -np.inf)))


@greedily.mistake("You put `nan` where there is no action. The maximum of a row with a nan is nan: use minus infinity.")
def nan_for_missing(Q, available):
    return shared(best_of_each_row(np.where(available, Q, np.nan)))


@greedily.mistake(
    "Infinity times 0 is no number (nan), and that spoils what exists. Choose instead: `np.where(available, Q, -np.inf)`."
)
def infinity_times_zero(Q, available):
    return shared(best_of_each_row(Q - np.inf * ~available))


@greedily.mistake("You rule out the actions that exist. `available` is True where there is an action.")
def mask_flipped(Q, available):
    return shared(best_of_each_row(np.where(available, -np.inf, Q)))


@greedily.mistake(
    "You divide by 0: where the best entry belongs to no action, your row has none left. Rule out first, then choose."
)
def divides_by_zero(Q, available):
    return shared(best_of_each_row(Q) & available)


@greedily.mistake(
    "You rule the missing actions out after choosing, so a state whose maximum was missing has no action left."
)
def masks_too_late(Q, available):
    best = best_of_each_row(Q) & available
    return best / np.maximum(best.sum(axis=1, keepdims=True), 1)


@greedily.mistake(
    "You rule the missing actions out at the very end, so their share of the probability is lost. Rule out first, then choose."
)
def masks_after_sharing(Q, available):
    return shared(best_of_each_row(Q)) * available


@greedily.mistake(
    "You number only the actions that exist, so those behind a gap slip to the left. Keep the columns of the table."
)
def slips_into_gaps(Q, available):
    policy = np.zeros(Q.shape)
    for s in range(len(Q)):
        left = Q[s, available[s]]
        policy[s, np.flatnonzero(left == left.max())] = 1 / (left == left.max()).sum()
    return policy


# Which maximum.


@greedily.mistake(
    "You look for the largest value in the whole table. Each state has a best action of its own: `axis=1`."
)
def one_maximum_for_all_states(Q, available):
    Q = np.where(available, Q, -np.inf)
    return shared(Q == Q.max())


@greedily.mistake("You compare the actions of different states. Each state has a best action of its own: `axis=1`.")
def best_state_of_each_action(Q, available):
    Q = np.where(available, Q, -np.inf)
    return shared(Q == Q.max(axis=0, keepdims=True))


@greedily.mistake("You take the smallest value of each row. Greedy means the largest.")
def smallest_of_each_row(Q, available):
    return shared((Q == np.where(available, Q, np.inf).min(axis=1, keepdims=True)) & available)


def maximum_from(start: float, Q: np.ndarray, available: np.ndarray) -> np.ndarray:
    """Return the policy of loops whose maximum starts from a number: a row below it stays empty."""
    Q = np.where(available, Q, -np.inf)
    best = Q == np.maximum(Q.max(axis=1, keepdims=True), start)
    return best / np.maximum(best.sum(axis=1, keepdims=True), 1)


@greedily.mistake(
    "Your maximum starts from 0, so a state whose values are all negative gets no action: start from `-np.inf`."
)
def maximum_from_zero(Q, available):
    return maximum_from(0.0, Q, available)


@greedily.mistake(
    "Your maximum starts from -1, so a state whose values are all lower gets no action: start from `-np.inf`."
)
def maximum_from_minus_one(Q, available):
    return maximum_from(-1.0, Q, available)


@greedily.mistake(
    "Your maximum starts from a large negative number. A loss can be larger still, and then no action is left: start from "
    "`-np.inf`."
)
def maximum_from_a_large_number(Q, available):
    return maximum_from(-1e9, Q, available)


# Another policy.


@greedily.mistake("You share among all actions that exist. Only the best ones of each state get a share.")
def uniform_over_available(Q, available):
    return shared(available)


@greedily.mistake("You share among all actions, whether they exist or not. Only the best ones that exist get a share.")
def uniform_over_all(Q, available):
    return np.full(Q.shape, 1 / Q.shape[1])


@greedily.mistake(
    "This is a softmax: better actions get more, but the others get something too. A greedy policy gives them nothing."
)
def softmax(Q, available):
    return shared(np.where(available, np.exp(Q), 0.0))


@greedily.mistake(
    "This is a softmax over all entries, of actions that do not exist as well. A greedy policy gives all to the best that exist."
)
def softmax_of_everything(Q, available):
    return shared(np.exp(Q))


# Loops and arrays.


@greedily.mistake(
    "Only the first row is filled: your `return` is inside the loop over the states. Move it to the left."
)
def returns_after_the_first_row(Q, available):
    return greedy_policy(Q, available) * (np.arange(len(Q)) == 0)[:, None]


@greedily.mistake("Only the last row is filled: the policy is made anew for each state. Make it once, before the loop.")
def keeps_the_last_row(Q, available):
    return greedy_policy(Q, available) * (np.arange(len(Q)) == len(Q) - 1)[:, None]


@greedily.mistake("Your policy is an array of whole numbers, so 1/2 becomes 0. Begin with `np.zeros(Q.shape)`.")
def policy_of_whole_numbers(Q, available):
    return greedy_policy(Q, available).astype(int)


# -- 8. find the planted bug ----------------------------------------------------------------------------------------

bug = Exercise(
    "mdps.planted_bug",
    title="Find the planted bug",
    name="q_values",
    hints=[
        "Look at the goal's neighbours: 90 where 100 was expected. Which factor is that, and to what was it applied?",
        "All values are wrong by the same factor. So the future is treated rightly; what about the present?",
        "`return R + gamma * (P @ V)`: the reward of this step comes at once.",
    ],
    insight="A constant factor in all values points at the discount or the scale of R; a wrong pattern of values points at P.",
)


@bug.planted
def q_values(P, R, gamma, V):
    """Return Q(s, a) = R(s, a) + gamma sum_s' P(s, a, s') V(s').

    P: float[S, A, S], R: float[S, A], gamma: float, V: float[S]
    Returns float[S, A].
    """
    future = P @ V
    return gamma * (R + future)


@bug.reference
def q_values_mended(P, R, gamma, V):
    """Return Q(s, a) = R(s, a) + gamma sum_s' P(s, a, s') V(s').

    P: float[S, A, S], R: float[S, A], gamma: float, V: float[S]
    Returns float[S, A].
    """
    future = P @ V
    return R + gamma * future


@bug.also_right
def q_by_einsum(P, R, gamma, V):
    return R + gamma * np.einsum("sat,t->sa", P, V)


@bug.cases
def q_to_compute(rng: np.random.Generator) -> Iterator[Case]:
    why = "state 0: 0 + 0.5 · 3 = 1.5 and 1 + 0.5 · 1 = 1.5; state 1: 10 + 0.5 · 5 = 12.5 and 2 + 0.5 · 1 = 2.5; state 2: 2.5"
    yield Case("a chain", (CHAIN_P, CHAIN_R, 0.5, np.array([1.0, 3.0, 5.0])), why)
    why = "state 0: staying 1 + 0.5 · 4 = 3, going 0 + 0.5 · 6 = 3; state 1: 0.5 · 8 = 4 both ways"
    yield Case("two states", (STAY_OR_GO_P, STAY_OR_GO_R, 0.5, np.array([4.0, 8.0])), why)
    V = np.array([90.0, 100, 0, 81, 90, 100])
    yield Case("the six cells", (*six_cells(), 0.9, V), "next to the goal, towards it: 100 + 0.9 · 0 = 100")
    yield Case("no future yet", (CHAIN_P, CHAIN_R, 0.9, np.zeros(3)), "with V = 0, Q is the reward")
    yield Case("only now counts", (CHAIN_P, CHAIN_R, 0.0, np.array([1.0, 3.0, 5.0])), "with γ = 0, Q is the reward")
    for k in range(1, 4):
        yield Case(f"random world {k}", (*random_world(rng), float(rng.uniform(0.3, 0.95)), rng.normal(size=4)))


@bug.mistake("It is the same mistake in other words: the reward is still multiplied by gamma.")
def still_discounts_the_reward(P, R, gamma, V):
    return gamma * R + gamma * (P @ V)


@bug.mistake("You moved gamma to the reward. The reward comes at once; the future is what gamma shrinks.")
def gamma_on_the_reward_only(P, R, gamma, V):
    return gamma * R + P @ V


@bug.mistake("Now gamma has gone altogether: the future must still be discounted.")
def gamma_removed(P, R, gamma, V):
    return R + P @ V


@bug.mistake(
    "You divide by gamma. Now the reward is too large, and the future is not discounted: only the future is multiplied."
)
def divides_by_gamma(P, R, gamma, V):
    return (R + P @ V) / gamma


@bug.mistake(
    "You divide gamma out at the end. For the reward that is right, but now the future is not discounted any more."
)
def divides_gamma_out(P, R, gamma, V):
    return gamma * (R + P @ V) / gamma


@bug.mistake(
    "You divide the reward by gamma to make up for the factor. With gamma = 0 that is 0/0: take R out of the bracket."
)
def divides_the_reward_by_gamma(P, R, gamma, V):
    return gamma * (R / gamma + P @ V)


@bug.mistake("You discount the future twice.")
def gamma_twice(P, R, gamma, V):
    return R + gamma**2 * (P @ V)


@bug.mistake(
    "The reward is still multiplied by gamma, and the future is now discounted twice. Gamma belongs to the future, once."
)
def gamma_everywhere(P, R, gamma, V):
    return gamma * (R + gamma * (P @ V))


@bug.mistake("The reward is in it twice: once in full, and once with gamma. Leave it out of the bracket.")
def reward_twice(P, R, gamma, V):
    return R + gamma * (R + P @ V)


@bug.mistake(
    "You gave the reward the weight 1 - gamma. That makes a mean of the two; Q is a sum, with the full reward."
)
def a_mean_of_both(P, R, gamma, V):
    return (1 - gamma) * R + gamma * (P @ V)


@bug.mistake("You wrote 0.9 into the code. Use the argument `gamma`.")
def q_with_point_nine(P, R, gamma, V):
    return R + 0.9 * (P @ V)


@bug.mistake("The reward has gone: Q is the reward of this step plus the discounted future.")
def reward_removed(P, R, gamma, V):
    return gamma * (P @ V)


@bug.mistake("This is the future alone. Q is the reward of this step, plus the future times gamma.")
def future_alone(P, R, gamma, V):
    return P @ V


@bug.mistake("You subtract the future. It is added, times gamma.")
def future_subtracted(P, R, gamma, V):
    return R - gamma * (P @ V)


@bug.mistake("You take the best future of the state for all its actions. Each action has a future of its own.")
def best_future(P, R, gamma, V):
    return R + gamma * (P @ V).max(axis=1, keepdims=True)


@bug.mistake("You take the best reward of the state for all its actions. Each action has a reward of its own.")
def best_reward(P, R, gamma, V):
    return R.max(axis=1, keepdims=True) + gamma * (P @ V)


@bug.mistake("You swapped s and s' in P. That line was right: `P @ V` leads from s to s'.")
def q_from_and_to_swapped(P, R, gamma, V):
    return R + gamma * np.einsum("tas,t->sa", P, V)


@bug.mistake("You take V[s], the value of the state that you leave. That line was right: `P @ V` is the mean of V[s'].")
def q_of_the_same_state(P, R, gamma, V):
    return R + gamma * V[:, None] * np.ones(R.shape)


@bug.mistake("The reward is counted once for each next state. Take it out of the inner loop.")
def q_with_a_reward_for_each_next_state(P, R, gamma, V):
    return len(V) * R + gamma * (P @ V)


@bug.mistake("Only the last next state is left: each one replaces the one before it. Add them up: `+=`.")
def q_of_the_last_next_state(P, R, gamma, V):
    return R + gamma * P[:, :, -1] * V[-1]


@bug.mistake("Your Q is an array of whole numbers, so what is put into it is cut off. Begin with `np.zeros(R.shape)`.")
def q_in_whole_numbers(P, R, gamma, V):
    return q_values_mended(P, R, gamma, V).astype(int)


# -- 9. shaping -----------------------------------------------------------------------------------------------------

shaping = Exercise(
    "mdps.shaping",
    title="A bonus that does no harm",
    name="shaped_reward",
    hints=[
        "The bonus is gamma times the potential after the step, minus the potential before it.",
        "After an episode has ended there is no future: a terminal state has potential 0, whatever the table says.",
        "`phi = np.where(terminal, 0, potential)`",
        "`return r + gamma * phi[s_next] - phi[s]`",
    ],
    insight="Along any path the bonuses cancel in pairs. What is left depends on where you began, and on nothing that you did.",
)


@shaping.reference
def shaped_reward(r, s, s_next, potential, terminal, gamma):
    """Return r + gamma Phi(s') - Phi(s), where Phi is 0 in terminal states.

    r: float[K], s and s_next: int[K] (K steps at once)
    potential: float[S], terminal: bool[S]
    Returns float[K].
    """
    phi = np.where(terminal, 0, potential)
    return r + gamma * phi[s_next] - phi[s]


@shaping.also_right
def shaping_step_by_step(r, s, s_next, potential, terminal, gamma):
    phi = [0 if end else height for height, end in zip(potential, terminal, strict=True)]
    bonus = [gamma * phi[t] - phi[k] for k, t in zip(s, s_next, strict=True)]
    return np.asarray(r) + bonus


@shaping.cases
def steps_to_shape(rng: np.random.Generator) -> Iterator[Case]:
    phi, ends = np.array([2.5, 10.0, 5.0]), np.array([False, False, True])
    one = lambda r, s, t: (np.array([r]), np.array([s]), np.array([t]), phi, ends, 0.5)  # noqa: E731 - reads as a table
    yield Case("a step uphill", one(1.0, 0, 1), "1 + 0.5 · 10 - 2.5 = 3.5")
    yield Case("a step downhill", one(1.0, 1, 0), "1 + 0.5 · 2.5 - 10 = -7.75")
    yield Case("the last step", one(100.0, 1, 2), "state 2 is terminal, so its potential is 0: 100 + 0 - 10 = 90")
    yield Case("standing still", one(0.0, 1, 1), "0 + 0.5 · 10 - 10 = -5: standing still on a hill costs")
    three = (np.array([0.5, 1.0, 100.0]), np.array([0, 1, 1]), np.array([1, 0, 2]), phi, ends, 0.5)
    yield Case("three steps at once", three, "0.5 + 5 - 2.5 = 3, 1 + 1.25 - 10 = -7.75, and 100 + 0 - 10 = 90")
    yield Case("after the end", one(0.0, 2, 2), "both states are terminal, so both potentials are 0: nothing is paid")
    yield Case(
        "a new episode", one(0.0, 2, 1), "state 2 is terminal, so there is nothing to give back: 0 + 0.5 · 10 - 0 = 5"
    )
    for k in range(1, 4):
        s, t = rng.integers(4, size=(2, 6))
        yield Case(
            f"random steps {k}",
            (rng.normal(size=6), s, t, rng.normal(size=4), np.arange(4) == 3, float(rng.uniform(0.5, 0.95))),
        )


def height(potential: np.ndarray, terminal: np.ndarray) -> np.ndarray:
    """Return the potential with its 0 in terminal states."""
    return np.where(terminal, 0, potential)


@shaping.mistake("A terminal state has potential 0. With another one the bonuses no longer cancel where episodes end.")
def terminal_potential_counts(r, s, s_next, potential, terminal, gamma):
    return r + gamma * potential[s_next] - potential[s]


@shaping.mistake(
    "You look whether the step *ends* in a terminal state, and not whether it starts in one. There too the potential is 0."
)
def terminal_after_the_step_only(r, s, s_next, potential, terminal, gamma):
    return r + gamma * height(potential, terminal)[s_next] - potential[s]


@shaping.mistake(
    "You look whether the step *starts* in a terminal state. Most of all look where it ends: that potential is 0 too."
)
def terminal_before_the_step_only(r, s, s_next, potential, terminal, gamma):
    return r + gamma * potential[s_next] - height(potential, terminal)[s]


@shaping.mistake("You forgot gamma before the new potential; without it the bonuses of a path do not cancel.")
def shaping_without_gamma(r, s, s_next, potential, terminal, gamma):
    phi = height(potential, terminal)
    return r + phi[s_next] - phi[s]


@shaping.mistake(
    "Two things are missing: gamma before the new potential, and the 0 for terminal states. Without them the bonuses of a "
    "path do not cancel."
)
def without_gamma_and_terminal(r, s, s_next, potential, terminal, gamma):
    return r + potential[s_next] - potential[s]


@shaping.mistake("The signs are the wrong way round: you pay for going downhill.")
def shaping_downhill(r, s, s_next, potential, terminal, gamma):
    phi = height(potential, terminal)
    return r - (gamma * phi[s_next] - phi[s])


@shaping.mistake("You swapped the two states: gamma goes with s', and what is taken back is the potential of s.")
def shaping_swapped(r, s, s_next, potential, terminal, gamma):
    phi = height(potential, terminal)
    return r + gamma * phi[s] - phi[s_next]


@shaping.mistake(
    "You swapped the two states, and no potential is 0 where an episode ends. It is gamma Phi(s') - Phi(s)."
)
def swapped_without_terminal(r, s, s_next, potential, terminal, gamma):
    return r + gamma * potential[s] - potential[s_next]


@shaping.mistake("You swapped the two states, and forgot gamma. It is gamma Phi(s') - Phi(s).")
def swapped_without_gamma(r, s, s_next, potential, terminal, gamma):
    phi = height(potential, terminal)
    return r + phi[s] - phi[s_next]


@shaping.mistake("You swapped the two states, and discount their difference as a whole. It is gamma Phi(s') - Phi(s).")
def swapped_difference(r, s, s_next, potential, terminal, gamma):
    phi = height(potential, terminal)
    return r + gamma * (phi[s] - phi[s_next])


@shaping.mistake("You pay for arriving and never take anything back: a bonus that can be collected again and again.")
def pays_for_arriving(r, s, s_next, potential, terminal, gamma):
    return r + gamma * height(potential, terminal)[s_next]


@shaping.mistake("You take back the potential of s, and pay nothing for that of s'. Add gamma Phi(s').")
def only_takes_back(r, s, s_next, potential, terminal, gamma):
    return r - height(potential, terminal)[s]


@shaping.mistake("You add both potentials. What you leave is taken back: its sign is minus.")
def adds_both_potentials(r, s, s_next, potential, terminal, gamma):
    phi = height(potential, terminal)
    return r + gamma * phi[s_next] + phi[s]


@shaping.mistake("You discount the difference as a whole. Only the new potential comes one step later.")
def discounts_the_difference(r, s, s_next, potential, terminal, gamma):
    phi = height(potential, terminal)
    return r + gamma * (phi[s_next] - phi[s])


@shaping.mistake("You discount the reward too. It comes at once; only the new potential comes one step later.")
def shaping_discounts_the_reward(r, s, s_next, potential, terminal, gamma):
    phi = height(potential, terminal)
    return gamma * (r + phi[s_next]) - phi[s]


@shaping.mistake(
    "You discount everything. Only the new potential comes one step later; the reward and the old one do not."
)
def shaping_discounts_everything(r, s, s_next, potential, terminal, gamma):
    phi = height(potential, terminal)
    return gamma * (r + phi[s_next] - phi[s])


@shaping.mistake("You wrote 0.9 into the code. Use the argument `gamma`.")
def shaping_with_point_nine(r, s, s_next, potential, terminal, gamma):
    phi = height(potential, terminal)
    return r + 0.9 * phi[s_next] - phi[s]


@shaping.mistake(
    "Your potential is 0 where it should stand, and stands where it should be 0: `np.where(terminal, 0, potential)`."
)
def shaping_mask_flipped(r, s, s_next, potential, terminal, gamma):
    phi = height(potential, ~terminal)
    return r + gamma * phi[s_next] - phi[s]


@shaping.mistake(
    "You drop the whole bonus on the last step. Only the potential of the end is 0; what you leave is still taken back."
)
def no_bonus_at_the_end(r, s, s_next, potential, terminal, gamma):
    return r + np.where(terminal[s_next], 0, gamma * potential[s_next] - potential[s])


@shaping.mistake(
    "You drop the whole bonus where a step starts or ends in a terminal state. Only the potential of *that* state is 0."
)
def no_bonus_at_either_end(r, s, s_next, potential, terminal, gamma):
    return r + np.where(terminal[s] | terminal[s_next], 0, gamma * potential[s_next] - potential[s])


@shaping.mistake(
    "You look where the step starts, and drop the whole bonus there. A potential is 0 where *its own* state is terminal, "
    "before the step or after it."
)
def no_bonus_from_the_end(r, s, s_next, potential, terminal, gamma):
    return r + np.where(terminal[s], 0, gamma * potential[s_next] - potential[s])


@shaping.mistake(
    "A step that starts in a terminal state pays nothing in your function. Only the potential there is 0; reward and new "
    "potential count as ever."
)
def nothing_from_the_end(r, s, s_next, potential, terminal, gamma):
    return np.where(terminal[s], 0, shaped_reward(r, s, s_next, potential, terminal, gamma))


@shaping.mistake("The potential of a terminal state is `nan` in your function, and spoils what it touches. It is 0.")
def nan_at_the_end(r, s, s_next, potential, terminal, gamma):
    return shaped_reward(r, s, s_next, np.where(terminal, np.nan, potential), terminal & False, gamma)


@shaping.mistake(
    "The last step pays nothing in your function. Its reward stays, and what you leave is still taken back."
)
def nothing_at_the_end(r, s, s_next, potential, terminal, gamma):
    return np.where(terminal[s_next], 0, r + gamma * potential[s_next] - potential[s])


@shaping.mistake(
    "You discount the potential that you leave, and not the one that you enter, which comes one step later."
)
def gamma_on_the_wrong_potential(r, s, s_next, potential, terminal, gamma):
    phi = height(potential, terminal)
    return r + phi[s_next] - gamma * phi[s]


@shaping.mistake("You compute with the numbers of the states. They are places in the table: `phi[s]`, `phi[s_next]`.")
def numbers_of_states(r, s, s_next, potential, terminal, gamma):
    return r + gamma * s_next - s


@shaping.mistake("This is the bonus alone. Add it to the reward.")
def bonus_alone(r, s, s_next, potential, terminal, gamma):
    phi = height(potential, terminal)
    return gamma * phi[s_next] - phi[s]


@shaping.mistake("You multiply the reward by the bonus. Add them.")
def reward_times_bonus(r, s, s_next, potential, terminal, gamma):
    phi = height(potential, terminal)
    return r * (gamma * phi[s_next] - phi[s])


@shaping.mistake(
    "You leave out the bonus where it is negative. What is never taken back can be collected again and again."
)
def never_takes_back(r, s, s_next, potential, terminal, gamma):
    phi = height(potential, terminal)
    return r + np.maximum(gamma * phi[s_next] - phi[s], 0)


@shaping.mistake("You add the size of the bonus. Downhill it must be negative, or it can be collected again and again.")
def size_of_the_bonus(r, s, s_next, potential, terminal, gamma):
    phi = height(potential, terminal)
    return r + abs(gamma * phi[s_next] - phi[s])


@shaping.mistake("Only the first step is filled: your `return` is inside the loop. Move it to the left.")
def shaping_returns_in_the_loop(r, s, s_next, potential, terminal, gamma):
    return shaped_reward(r, s, s_next, potential, terminal, gamma) * (np.arange(len(r)) == 0)


@shaping.mistake("You add up along the steps. Each step has a shaped reward of its own.")
def sums_along_the_steps(r, s, s_next, potential, terminal, gamma):
    return shaped_reward(r, s, s_next, potential, terminal, gamma).cumsum()


@shaping.mistake(
    "You discount by the place in the array. The steps are not one after the other: each has the same gamma."
)
def discounts_along_the_steps(r, s, s_next, potential, terminal, gamma):
    return shaped_reward(r, s, s_next, potential, terminal, gamma) * gamma ** np.arange(len(r))


@shaping.mistake(
    "You fill an array of whole numbers, so what is put into it is cut off. Begin with `np.zeros(len(r))`."
)
def shaping_in_whole_numbers(r, s, s_next, potential, terminal, gamma):
    return shaped_reward(r, s, s_next, potential, terminal, gamma).astype(int)


@shaping.mistake("You put the potentials into an array of whole numbers, so they are cut off. Keep them as they are.")
def potentials_in_whole_numbers(r, s, s_next, potential, terminal, gamma):
    return shaped_reward(r, s, s_next, potential.astype(int), terminal, gamma)


# -- the quiz ------------------------------------------------------------------------------------------------------

quiz = Quiz(
    Question(
        "A drone's camera sees only what lies below it. Is what it sees a state?",
        (
            ("Yes: it is all that the agent gets.", False, "What the agent gets is an observation."),
            (
                "No, unless the picture tells all that matters for what happens next.",
                True,
                "Height, speed and wind matter, and two different situations can look the same.",
            ),
            ("No, because a state must be a number.", False, "A state can be anything, if there are finitely many."),
        ),
    ),
    Question(
        "Every reward of a world that never ends is multiplied by 3. What happens to the best policy?",
        (
            ("It stays the same.", True, "All values are multiplied by 3, so every comparison comes out as before."),
            ("It takes more risks.", False, "Only expected sums count, and they all grow by the same factor."),
            ("That depends on γ.", False, "The factor passes through the Bellman equation whatever γ is."),
        ),
    ),
    Question(
        "To every reward of a world that ends, 1 is added. What happens to the best policy?",
        (
            ("It stays the same.", False, "That would hold if all episodes had the same length."),
            (
                "It may change: longer episodes now collect more.",
                True,
                "A reward for every step is a reward for not arriving. With −1 instead it is a hurry.",
            ),
            ("It becomes random.", False, "A best policy never needs dice, where one exists."),
        ),
    ),
    Question(
        "Value iteration changes no value by more than 0.001 in a sweep, and γ = 0.99. How far can V be from V*?",
        (
            ("0.001", False, "That is the last change. Many more changes may follow, each a little smaller."),
            ("0.00099", False, "This is what the next change can be at most, not the sum of all that follow."),
            ("0.099", True, "γ/(1 − γ) times the last change: 99 times 0.001."),
        ),
    ),
    Question(
        "You know Q* of a world, but neither P nor r. Can you act optimally?",
        (
            ("No: you need P to look ahead.", False, "Q* has looked ahead already."),
            (
                "Yes: take the action with the largest Q*(s, a).",
                True,
                "This is why the next chapter learns Q and not V.",
            ),
            ("Only if the world is deterministic.", False, "Q* is an expectation; it covers chance."),
        ),
    ),
)
