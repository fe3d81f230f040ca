"""The exercises of chapter 1: returns, Bellman equations, value iteration on an empty page, shaping, a planted bug."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from rlkit.exercises.exercise import Case, Exercise
from rlkit.exercises.quizzes import Question, Quiz

# Worlds for the situations. Two states and two actions: small enough to work by hand.
STAY_OR_GO_P = np.array([[[1.0, 0.0], [0.5, 0.5]], [[0.0, 1.0], [0.0, 1.0]]])
STAY_OR_GO_R = np.array([[1.0, 0.0], [0.0, 0.0]])
CHAIN_P = np.array([[[0.0, 1, 0], [1, 0, 0]], [[0, 0, 1], [1, 0, 0]], [[0, 0, 1], [0, 0, 1]]])
CHAIN_R = np.array([[0.0, 1.0], [10.0, 2.0], [0.0, 0.0]])


def random_world(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return P: float[4, 3, 4] and R: float[4, 3] of a world without structure."""
    return rng.dirichlet(np.ones(4), size=(4, 3)), rng.normal(size=(4, 3))


# -- 1. a return by hand -------------------------------------------------------------------------------------------

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


@by_hand.mistake("You discounted the first reward too. It comes at once, so its factor is γ^0 = 1.")
def first_reward_discounted():
    return 2.0


@by_hand.mistake(
    "You left out the reward 0. It pays nothing, but it takes a step, and so it delays what comes after it."
)
def skips_the_zero():
    return 6.0


@by_hand.mistake("You multiplied by γ once, whatever the delay. The factor of a reward k moves later is γ^k.")
def discounted_once():
    return 8.0


@by_hand.mistake("You counted from the wrong end: the last reward is the one that is discounted most.")
def from_the_wrong_end():
    return 10.25


@by_hand.mistake("This is the last reward alone, discounted. The return adds all rewards on the way.")
def last_reward_alone():
    return 1.0


# -- 2. the discounted return --------------------------------------------------------------------------------------

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
    yield Case("a reward comes twice", ([3.0, 3.0, 1.0], 0.5), "3 + 0.5 · 3 + 0.25 · 1 = 4.75")
    yield Case("no discount", ([1.0, 2.0, 3.0], 1.0), "with γ = 1 it is the plain sum, 6")
    yield Case("only now counts", ([3.0, 5.0], 0.0), "with γ = 0 only the first reward counts")
    yield Case("nothing came", ([], 0.9), "an empty sum is 0")
    for k in range(1, 4):
        yield Case(f"random rewards {k}", (list(rng.normal(size=6).round(2)), float(rng.uniform(0.1, 0.95))))


@discounted.mistake("You start with a factor gamma. The first reward comes at once and is not discounted.")
def starts_with_gamma(rewards, gamma):
    return sum(gamma ** (k + 1) * r for k, r in enumerate(rewards))


@discounted.mistake(
    "You go through the rewards from the front, so that the first is discounted most. Start at the back."
)
def forwards(rewards, gamma):
    total = 0.0
    for reward in rewards:
        total = reward + gamma * total
    return total


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


@discounted.mistake("Your `return` is inside the loop: it ends the loop in its first round. Move it to the left.")
def returns_inside_the_loop(rewards, gamma):
    total = 0.0
    for reward in reversed(rewards):
        total = reward + gamma * total
        return total


@discounted.mistake(
    "You multiply the whole sum by gamma once. Each reward has a factor of its own, gamma to the power of its delay."
)
def gamma_times_sum(rewards, gamma):
    return gamma * sum(rewards)


@discounted.mistake("One reward is missing, the last. `range(len(rewards))` ends one before its bound by itself.")
def leaves_out_the_last(rewards, gamma):
    return sum(gamma**k * rewards[k] for k in range(len(rewards) - 1))


@discounted.mistake("This is the mean of the discounted rewards. The return is their sum.")
def mean_instead_of_sum(rewards, gamma):
    return sum(gamma**k * r for k, r in enumerate(rewards)) / max(1, len(rewards))


# -- 3. one sweep --------------------------------------------------------------------------------------------------

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
    why = "state 0: staying 1 + 0.5 · 4 = 3, going 0 + 0.5 · (4 + 8)/2 = 3, so 3; state 1: 0 + 0.5 · 8 = 4"
    yield Case("two states", (STAY_OR_GO_P, STAY_OR_GO_R, 0.5, np.array([4.0, 8.0])), why)
    why = "state 0: max(0 + 0.9 · 5, 1 + 0.9 · 1) = 4.5; state 1: max(10 + 0, 2 + 0.9 · 1) = 10; state 2: 0"
    yield Case("a chain", (CHAIN_P, CHAIN_R, 0.9, np.array([1.0, 5.0, 0.0])), why)
    why = "all values are negative: -1 - 0.9 · 2 = -2.8 for the better action, and not 0"
    bad = np.array([[-1.0, -5.0], [-1.0, -5.0]])
    yield Case("only losses", (np.eye(2)[[[0, 1], [1, 0]]], bad, 0.9, np.array([-2.0, -2.0])), why)
    why = "both look at the old values: 1 + 0.5 · 0 = 1, for the second state too"
    mirror = np.array([[[0.0, 1.0]], [[1.0, 0.0]]])
    yield Case("each looks at the other", (mirror, np.ones((2, 1)), 0.5, np.zeros(2)), why)
    yield Case("no discount", (CHAIN_P, CHAIN_R, 1.0, np.array([3.0, 1.0, 0.0])), "state 0: max(0 + 1, 1 + 3) = 4")
    for k in range(1, 4):
        yield Case(f"random world {k}", (*random_world(rng), float(rng.uniform(0.3, 0.95)), rng.normal(size=4)))


@backup.mistake("You forgot gamma: what comes later must be discounted.")
def backup_without_gamma(P, R, gamma, V):
    return (R + P @ V).max(axis=1)


@backup.mistake("You discount the reward too. It comes at once; only what comes after it is multiplied by gamma.")
def backup_discounts_reward(P, R, gamma, V):
    return (gamma * (R + P @ V)).max(axis=1)


@backup.mistake("You average over the actions. The optimality equation takes the best one: a maximum.")
def backup_averages_actions(P, R, gamma, V):
    return (R + gamma * P @ V).mean(axis=1)


@backup.mistake(
    "You take the best next state, as if the world did what you like. The world draws s': take the mean over P."
)
def backup_best_next_state(P, R, gamma, V):
    return (R + gamma * np.where(P > 0, V, -np.inf).max(axis=2)).max(axis=1)


@backup.mistake("You choose the action by its reward alone, and add the future afterwards. Choose by the sum of both.")
def backup_greedy_on_reward(P, R, gamma, V):
    return (R + gamma * P @ V)[np.arange(len(V)), R.argmax(axis=1)]


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


@backup.mistake(
    "Your maximum starts from 0. Where every action loses, the best is still negative: start from minus infinity."
)
def backup_from_zero(P, R, gamma, V):
    return np.maximum((R + gamma * P @ V).max(axis=1), 0)


@backup.mistake("You add up the actions. You take one of them: the best.")
def backup_sums_actions(P, R, gamma, V):
    return (R + gamma * P @ V).sum(axis=1)


@backup.mistake("You left the reward out: this is only what comes after it.")
def backup_without_reward(P, R, gamma, V):
    return (gamma * P @ V).max(axis=1)


@backup.mistake("You take the worst action. You are choosing for yourself: a maximum.")
def backup_worst_action(P, R, gamma, V):
    return (R + gamma * P @ V).min(axis=1)


# -- 4. the greedy policy ------------------------------------------------------------------------------------------

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
    why = "a loss can be as large as it likes, and 1 and 1.01 are no tie"
    yield Case("great losses, and nearly a tie", (np.array([[-1e12, -2e12, 0.0], [0.0, 1.0, 1.01]]), some), why)
    for k in range(1, 4):
        Q = rng.integers(-2, 2, size=(5, 4)).astype(float)
        mask = rng.random((5, 4)) < 0.7
        mask[np.arange(5), rng.integers(4, size=5)] = True
        yield Case(f"random table {k}", (Q, mask))


@greedily.mistake(
    "In a tie you take the first best action only. They are equally good: share the probability among them."
)
def first_of_the_tied(Q, available):
    return np.eye(Q.shape[1])[np.where(available, Q, -np.inf).argmax(axis=1)]


@greedily.mistake("Your policy takes actions that do not exist. Rule them out before you look for the maximum.")
def ignores_available(Q, available):
    best = Q == Q.max(axis=1, keepdims=True)
    return best / best.sum(axis=1, keepdims=True)


@greedily.mistake(
    "You put 0 where there is no action. Where all values are negative, 0 is the largest: use minus infinity instead."
)
def zero_for_missing(Q, available):
    masked = np.where(available, Q, 0.0)
    best = masked == masked.max(axis=1, keepdims=True)
    return best / best.sum(axis=1, keepdims=True)


@greedily.mistake("Each row must sum to 1. Where several actions are best, they share the probability.")
def rows_do_not_sum_to_one(Q, available):
    masked = np.where(available, Q, -np.inf)
    return (masked == masked.max(axis=1, keepdims=True)).astype(float)


@greedily.mistake(
    "You look for the largest value in the whole table. Each state has a best action of its own: `axis=1`."
)
def one_maximum_for_all_states(Q, available):
    masked = np.where(available, Q, -np.inf)
    best = masked == masked.max()
    return best / np.maximum(best.sum(axis=1, keepdims=True), 1)


@greedily.mistake(
    "You divide by 0: where the best entry belongs to no action, your row has none left. Rule out first, then choose."
)
def divides_by_zero(Q, available):
    best = (Q == Q.max(axis=1, keepdims=True)) & available
    return best / best.sum(axis=1, keepdims=True)


@greedily.mistake("You compare the actions of different states. Each state has a best action of its own: `axis=1`.")
def best_state_of_each_action(Q, available):
    masked = np.where(available, Q, -np.inf)
    best = masked == masked.max(axis=0, keepdims=True)
    return best / np.maximum(best.sum(axis=1, keepdims=True), 1)


@greedily.mistake(
    "You rule the missing actions out after choosing, so a state whose maximum was missing has no action left."
)
def masks_too_late(Q, available):
    best = (Q == Q.max(axis=1, keepdims=True)) & available
    return best / np.maximum(best.sum(axis=1, keepdims=True), 1)


# -- 5. policy evaluation ------------------------------------------------------------------------------------------

evaluation = Exercise(
    "mdps.policy_evaluation",
    title="What a policy is worth",
    name="policy_value",
    rtol=1e-5,
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
    """Return V^pi, to at least five digits.

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
    yield Case("always stay", (STAY_OR_GO_P, STAY_OR_GO_R, 0.5, stay), "state 0 earns 1 for ever: 1/(1 - 0.5) = 2")
    why = "V(1) = 0 and V(0) = 0.5 · 1 + 0.5 · 0.75 · V(0), so V(0) = 0.5/0.625 = 0.8"
    patient = "state 0 earns 1 for ever: 1/(1 - 0.99) = 100; it takes more than a thousand sweeps"
    yield Case("a long view", (STAY_OR_GO_P, STAY_OR_GO_R, 0.99, stay), patient)
    yield Case("a fair coin", (STAY_OR_GO_P, STAY_OR_GO_R, 0.5, half), why)
    ahead = np.array([[1.0, 0.0], [1.0, 0.0], [1.0, 0.0]])
    yield Case("a chain", (CHAIN_P, CHAIN_R, 0.9, ahead), "V(2) = 0, V(1) = 10, V(0) = 0 + 0.9 · 10 = 9")
    for k in range(1, 4):
        P, R = random_world(rng)
        yield Case(f"random policy {k}", (P, R, float(rng.uniform(0.5, 0.95)), rng.dirichlet(np.ones(3), size=4)))


@evaluation.mistake("You take the best action in each state. V^pi follows the policy, good or bad: average with pi.")
def best_instead_of_policy(P, R, gamma, pi):
    V = np.zeros(len(R))
    for _ in range(600):
        V = (R + gamma * P @ V).max(axis=1)
    return V


@evaluation.mistake("You give every action the same weight. The weights are the policy's: pi(a | s).")
def equal_weights(P, R, gamma, pi):
    r, P_pi = R.mean(axis=1), P.mean(axis=1)
    return np.linalg.solve(np.eye(len(r)) - gamma * P_pi, r)


@evaluation.mistake("You stopped after one sweep: this is the reward of the first step only.")
def one_sweep(P, R, gamma, pi):
    return (pi * R).sum(axis=1)


@evaluation.mistake(
    "You stopped too early: after ten sweeps the values are still moving. Go on, or solve the equations."
)
def ten_sweeps(P, R, gamma, pi):
    V = np.zeros(len(R))
    for _ in range(10):
        V = (pi * (R + gamma * P @ V)).sum(axis=1)
    return V


@evaluation.mistake("A hundred sweeps are not enough when gamma is near 1. Measure the change, or solve the equations.")
def hundred_sweeps_of_evaluation(P, R, gamma, pi):
    V = np.zeros(len(R))
    for _ in range(100):
        V = (pi * (R + gamma * P @ V)).sum(axis=1)
    return V


@evaluation.mistake("The rewards are averaged with pi, but the next states are not: their weights are pi(a | s) too.")
def policy_in_the_reward_only(P, R, gamma, pi):
    return np.linalg.solve(np.eye(len(R)) - gamma * P.mean(axis=1), (pi * R).sum(axis=1))


@evaluation.mistake("You discount the reward of the present step too.")
def value_discounts_reward(P, R, gamma, pi):
    return gamma * policy_value(P, R, gamma, pi)


@evaluation.mistake("You used the transposed matrix: row s of P_pi says where you go *from* s.")
def transposed_chain(P, R, gamma, pi):
    r = (pi * R).sum(axis=1)
    return np.linalg.solve(np.eye(len(r)) - gamma * np.einsum("sa,sat->ts", pi, P), r)


@evaluation.mistake("You follow only the likeliest action of each state. A policy that rolls dice must be averaged.")
def likeliest_action_only(P, R, gamma, pi):
    return policy_value(P, R, gamma, np.eye(pi.shape[1])[pi.argmax(axis=1)])


# -- 6. the blank page ---------------------------------------------------------------------------------------------

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
    yield Case("the six cells", (*six_cells(), 0.9, 1e-4), "90, 100, 0 in the upper row; 81, 90, 100 below")
    yield Case("a chain", (CHAIN_P, CHAIN_R, 0.5, 1e-4), "V(1) = 10, V(0) = max(0.5 · 10, 1 + 0.5 · V(0)) = 5")
    why = "waiting pays 1 for ever: 1/(1 - 0.99) = 100, and it takes some hundred sweeps to see it"
    yield Case("a long view", (np.ones((1, 1, 1)), np.ones((1, 1)), 0.99, 1e-4), why)
    quiet, one = np.eye(6)[:, None, :], np.eye(6)[:, :1]
    why = "state 0 earns 1 for ever, 1/(1 - 0.9) = 10; the five others earn nothing"
    yield Case("one busy state among quiet ones", (quiet, one, 0.9, 1e-4), why)
    why = "state 0 loses 1 for ever, -1/(1 - 0.9) = -10; the five others earn nothing"
    yield Case("one losing state among quiet ones", (quiet, -one, 0.9, 1e-4), why)
    lose = np.array([[-1.0, -2.0], [-1.0, -2.0]])
    why = "every move costs at least 1: -1/(1 - 0.5) = -2"
    yield Case("only losses", (np.eye(2)[[[0, 1], [1, 0]]], lose, 0.5, 1e-4), why)
    for k in range(1, 4):
        yield Case(f"random world {k}", (*random_world(rng), float(rng.uniform(0.7, 0.95)), 1e-4))


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
        return f"Your V is {off:.3g} away from V*, but tol / 2 = {tol / 2:g} was promised."
    lost = (V_star - policy_value(P, R, gamma, np.eye(R.shape[1])[policy])).max()
    if not lost <= tol + 1e-9:
        return f"V is right, but the policy loses {lost:.3g} in some state. Take the best action of Q in each state."
    return None


@blank_page.mistake(
    "You stop when the change is below tol. A small change does not mean that the error is small: see line 5."
)
def stops_at_tol(P, R, gamma, tol):
    V = np.zeros(len(R))
    while True:
        Q = R + gamma * P @ V
        if abs(Q.max(axis=1) - V).max() <= tol:
            return Q.max(axis=1), Q.argmax(axis=1)
        V = Q.max(axis=1)


@blank_page.mistake(
    "You compare the change with tol / 2. What is left after it can be gamma / (1 - gamma) times as much: see line 5."
)
def stops_at_half_tol(P, R, gamma, tol):
    return stops_at_tol(P, R, gamma, tol / 2)


@blank_page.mistake(
    "You compare V with itself: measure the change before you put the new values in place of the old (or copy the old)."
)
def measures_too_late(P, R, gamma, tol):
    Q = R + gamma * P @ np.zeros(len(R))
    return Q.max(axis=1), Q.argmax(axis=1)


@blank_page.mistake(
    "You look for the largest change without its size: a value that falls counts as no change. Take `abs`."
)
def change_without_abs(P, R, gamma, tol):
    V = np.zeros(len(R))
    while True:
        Q = R + gamma * P @ V
        V_new = Q.max(axis=1)
        change = (V_new - V).max()
        V = V_new
        if change <= tol * (1 - gamma) / (2 * gamma):
            return V, Q.argmax(axis=1)


@blank_page.mistake(
    "You make a fixed number of sweeps. How many are enough depends on gamma and tol: measure the change."
)
def hundred_sweeps(P, R, gamma, tol):
    V = np.zeros(len(R))
    for _ in range(100):
        Q = R + gamma * P @ V
        V = Q.max(axis=1)
    return V, Q.argmax(axis=1)


@blank_page.mistake("The policy is that of the rewards alone. Take the argmax of Q, which includes what comes after.")
def policy_of_rewards(P, R, gamma, tol):
    return my_value_iteration(P, R, gamma, tol)[0], R.argmax(axis=1)


@blank_page.mistake("You average over the actions: that is the evaluation of the random policy. Take the maximum.")
def evaluates_the_random_walk(P, R, gamma, tol):
    V = policy_value(P, R, gamma, np.full(R.shape, 1 / R.shape[1]))
    return V, (R + gamma * P @ V).argmax(axis=1)


@blank_page.mistake(
    "You discount the reward of the present step too: every value comes out too small by the factor gamma."
)
def iteration_discounts_reward(P, R, gamma, tol):
    V, policy = my_value_iteration(P, R, gamma, tol)
    return gamma * V, policy


@blank_page.mistake("V is right, but you return only that. The policy is asked for as well.")
def forgets_the_policy(P, R, gamma, tol):
    return my_value_iteration(P, R, gamma, tol)[0]


@blank_page.mistake(
    "You keep the larger of the old and the new value. Where values are negative they can never come down."
)
def never_lets_values_fall(P, R, gamma, tol):
    V, change = np.zeros(len(R)), np.inf
    while change > tol * (1 - gamma) / (2 * gamma):
        Q = R + gamma * P @ V
        V_new = np.maximum(V, Q.max(axis=1))
        V, change = V_new, abs(V_new - V).max()
    return V, Q.argmax(axis=1)


# -- 7. shaping ----------------------------------------------------------------------------------------------------

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
    phi, ends = np.array([2.0, 10.0, 5.0]), np.array([False, False, True])
    one = lambda r, s, t: (np.array([r]), np.array([s]), np.array([t]), phi, ends, 0.5)  # noqa: E731 - reads as a table
    yield Case("a step uphill", one(1.0, 0, 1), "1 + 0.5 · 10 - 2 = 4")
    yield Case("a step downhill", one(1.0, 1, 0), "1 + 0.5 · 2 - 10 = -8")
    yield Case("the last step", one(100.0, 1, 2), "state 2 is terminal, so its potential is 0: 100 + 0 - 10 = 90")
    yield Case("standing still", one(0.0, 1, 1), "0 + 0.5 · 10 - 10 = -5: standing still on a hill costs")
    for k in range(1, 4):
        s, t = rng.integers(4, size=(2, 6))
        yield Case(
            f"random steps {k}",
            (rng.normal(size=6), s % 3, t, rng.normal(size=4), np.arange(4) == 3, float(rng.uniform(0.5, 0.95))),
        )


@shaping.mistake("A terminal state has potential 0. With another one the bonuses no longer cancel where episodes end.")
def terminal_potential_counts(r, s, s_next, potential, terminal, gamma):
    return r + gamma * potential[s_next] - potential[s]


@shaping.mistake("You forgot gamma before the new potential; without it the bonuses of a path do not cancel.")
def shaping_without_gamma(r, s, s_next, potential, terminal, gamma):
    return r + np.where(terminal[s_next], 0, potential[s_next]) - potential[s]


@shaping.mistake("The signs are the wrong way round: you pay for going downhill.")
def shaping_downhill(r, s, s_next, potential, terminal, gamma):
    return r - (gamma * np.where(terminal[s_next], 0, potential[s_next]) - potential[s])


@shaping.mistake("You pay for arriving and never take anything back: a bonus that can be collected again and again.")
def pays_for_arriving(r, s, s_next, potential, terminal, gamma):
    return r + gamma * np.where(terminal[s_next], 0, potential[s_next])


@shaping.mistake("You discount the difference as a whole. Only the new potential comes one step later.")
def discounts_the_difference(r, s, s_next, potential, terminal, gamma):
    return r + gamma * (np.where(terminal[s_next], 0, potential[s_next]) - potential[s])


@shaping.mistake(
    "You drop the whole bonus on the last step. Only the potential of the end is 0; what you leave is still taken back."
)
def no_bonus_at_the_end(r, s, s_next, potential, terminal, gamma):
    return r + np.where(terminal[s_next], 0, gamma * potential[s_next] - potential[s])


@shaping.mistake(
    "You discount the potential that you leave, and not the one that you enter, which comes one step later."
)
def gamma_on_the_wrong_potential(r, s, s_next, potential, terminal, gamma):
    return r + np.where(terminal[s_next], 0, potential[s_next]) - gamma * potential[s]


@shaping.mistake("This is the bonus alone. Add it to the reward.")
def bonus_alone(r, s, s_next, potential, terminal, gamma):
    return gamma * np.where(terminal[s_next], 0, potential[s_next]) - potential[s]


# -- 8. find the planted bug ---------------------------------------------------------------------------------------

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
    why = "state 0: staying 1 + 0.5 · 4 = 3, going 0 + 0.5 · 6 = 3; state 1: 0.5 · 8 = 4 both ways"
    yield Case("two states", (STAY_OR_GO_P, STAY_OR_GO_R, 0.5, np.array([4.0, 8.0])), why)
    V = np.array([90.0, 100, 0, 81, 90, 100])
    yield Case("the six cells", (*six_cells(), 0.9, V), "next to the goal, towards it: 100 + 0.9 · 0 = 100")
    yield Case("no future yet", (CHAIN_P, CHAIN_R, 0.9, np.zeros(3)), "with V = 0, Q is the reward")
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
    "You divided gamma out at the end. For the reward that is right, but now the future is not discounted any more."
)
def divides_by_gamma_too_often(P, R, gamma, V):
    return gamma * (R + P @ V) / gamma**2


@bug.mistake("You discount the future twice.")
def gamma_twice(P, R, gamma, V):
    return R + gamma**2 * (P @ V)


@bug.mistake("The reward has gone: Q is the reward of this step plus the discounted future.")
def reward_removed(P, R, gamma, V):
    return gamma * (P @ V)


# -- 9. a prediction -----------------------------------------------------------------------------------------------

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


@flip.mistake("You took the square root: that would be two moves of difference. It is three.")
def square_root():
    return 0.5


@flip.mistake("You divided the ratio the other way round; a discount above 1 would make later better.")
def inverse_ratio():
    return 1.5874


@flip.mistake("You divided by the distances. A discount works by multiplication, once for each move.")
def linear_in_distance():
    return 0.75


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
