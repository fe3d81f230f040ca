"""Deciding what to say: answers that are wrong in several ways at once, and words for what came back."""

import time
from fractions import Fraction

import numpy as np
import pytest
import torch

from rlkit.core.types import Batch
from rlkit.exercises import all_exercises, dqn, evaluate, q_learning
from rlkit.exercises.cards import call, literal, plain, prose, verdict_card
from rlkit.exercises.judging import close, difference, fresh

EXERCISES = all_exercises()
RETURN, ITERATION = EXERCISES["mdps.discounted_return"], EXERCISES["mdps.value_iteration"]
EVALUATION, SWEEP = EXERCISES["mdps.policy_evaluation"], EXERCISES["mdps.bellman_backup"]
BY_HAND = EXERCISES["mdps.return_by_hand"]


def test_what_was_wrong_before_it_stopped_comes_first():
    def mean(rewards, gamma):
        return sum(gamma**k * r for k, r in enumerate(rewards)) / len(rewards)

    verdict = evaluate(RETURN, mean)
    assert verdict.outcome == "mean_instead_of_sum"
    assert verdict.case.label == "three rewards"
    assert verdict.text.startswith(verdict.mistake.sentence)
    assert verdict.text.endswith("“nothing came”: Your code stopped with ZeroDivisionError: division by zero")
    assert verdict.line[1].startswith("return sum(")
    assert verdict.situations[-1] == ("nothing came", False)
    assert "right in 0 of 6 situations" in verdict_card(verdict).text


def test_what_is_wrong_without_a_name_also_comes_before_the_stop():
    def odd(rewards, gamma):
        return 17 + rewards[0]

    verdict = evaluate(RETURN, odd)
    assert (verdict.status, verdict.mistake) == ("not yet", None)
    assert "another one. And then, in the situation “nothing came”: Your code stopped with IndexError" in verdict.text


def test_a_right_answer_that_stops_is_said_to_stop():
    def no_empty_list(rewards, gamma):
        return rewards[0] + gamma * (no_empty_list(rewards[1:], gamma) if rewards[1:] else 0)

    verdict = evaluate(RETURN, no_empty_list)
    assert verdict.status == "stopped"
    assert verdict.case.label == "nothing came"


def test_what_was_wrong_before_an_endless_loop_comes_first(monkeypatch):
    monkeypatch.setattr(ITERATION, "time_limit", 0.3)

    def no_gamma(P, R, gamma, tol):
        V = np.zeros(len(R))
        while True:
            Q = R + P @ V
            if abs(Q.max(axis=1) - V).max() <= tol * (1 - gamma) / (2 * gamma):
                return V, Q.argmax(axis=1)
            V = Q.max(axis=1)

    verdict = evaluate(ITERATION, no_gamma)
    assert verdict.outcome == "iteration_without_gamma"
    assert "“a chain”: Stopped after 0.3 seconds: this looks like an endless loop, or very slow code." in verdict.text


def test_what_cannot_be_stopped_is_not_accused(monkeypatch):
    monkeypatch.setattr(RETURN, "time_limit", 0.1)

    def sleepy(rewards, gamma):
        time.sleep(1.0)
        return sum(gamma**k * r for k, r in enumerate(rewards))

    verdict = evaluate(RETURN, sleepy)
    assert verdict.runs_on
    assert "waits in one long call or catches every exception. If the next cells hang, restart" in verdict.text


def test_one_path_without_a_return_is_told_from_none_at_all():
    def forgets_the_empty(rewards, gamma):
        if rewards:
            return rewards[0] + gamma * (forgets_the_empty(rewards[1:], gamma) or 0)

    verdict = evaluate(RETURN, forgets_the_empty)
    assert verdict.status == "no return"
    assert verdict.text.startswith("In this situation your function returned None: there is a path")
    assert evaluate(RETURN, lambda rewards, gamma: None).text == "Your function returned None. Is there a `return`?"


def test_a_mistake_is_named_although_the_sweeps_end_a_little_early():
    def discounts_the_reward(P, R, gamma, pi):
        V = np.zeros(len(R))
        for _ in range(1000):
            V = (pi * gamma * (R + P @ V)).sum(axis=1)
        return V

    assert evaluate(EVALUATION, discounts_the_reward).outcome == "value_discounts_reward"


def test_what_is_nearly_right_is_not_taken_for_a_mistake_that_is_nearly_right():
    def a_little_off(P, R, gamma, pi):
        return EVALUATION.solution(P, R, gamma, pi) + 2e-5

    assert evaluate(EVALUATION, a_little_off).mistake is None


@pytest.mark.parametrize("sweeps", [7, 30, 700])
def test_any_number_of_sweeps_is_counted(sweeps):
    def sweeps_of_policy(P, R, gamma, pi):
        V = np.zeros(len(R))
        for _ in range(sweeps):
            V = (pi * (R + gamma * P @ V)).sum(axis=1)
        return V

    def sweeps_of_values(P, R, gamma, tol):
        V = np.zeros(len(R))
        for _ in range(sweeps):
            Q = R + gamma * P @ V
            V = Q.max(axis=1)
        return V, Q.argmax(axis=1)

    assert f"This is V after {sweeps} sweeps" in evaluate(EVALUATION, sweeps_of_policy).text
    assert f"This is V after {sweeps} sweeps" in evaluate(ITERATION, sweeps_of_values).text


def test_values_that_nobody_can_collect_are_noticed():
    def sums(P, R, gamma, pi):
        V = np.zeros(len(R))
        for _ in range(300):
            V = (R + gamma * P @ V).sum(axis=1)
        return V

    assert "nobody can collect more" in evaluate(EVALUATION, sums).text


@pytest.mark.parametrize(
    ("got", "expected", "words"),
    [
        ((4, 0), 4.0, "a tuple of 2, but one number was expected, without brackets or commas"),
        (np.array([4.0]), 4.0, "an array of the shape (1,), but one number was expected, without brackets or commas"),
        ("4", 4.0, "a text, but one number was expected, without quotation marks"),
        (len, 4.0, "no number but of the type builtin_function_or_method, but one number was expected."),
        ((np.zeros(2), np.zeros(2)), np.zeros(2), "a tuple of 2, but an array of the shape (2,) was expected."),
        (np.zeros((2, 1)), np.zeros(2), "an array of the shape (2, 1), but an array of the shape (2,) was expected."),
        (3.0, 4.0, "The value is another one."),
        ((1, 2), (1, 3), "The value is another one."),
    ],
)
def test_a_difference_is_put_into_words(got, expected, words):
    assert words in difference(got, expected, 1e-6, 1e-8)


def test_a_fraction_is_a_number():
    assert evaluate(BY_HAND, Fraction(4)).passed
    assert close(Fraction(1, 4), 0.25, 0, 0)


@pytest.mark.parametrize("id", [id for id, e in EXERCISES.items() if id[:4] in ("mdps", "dqn.") and not e.value])
def test_the_call_on_a_card_can_be_pasted(id):
    exercise = EXERCISES[id]
    for case in exercise.make_cases(np.random.default_rng(0)):
        seen = []
        scope = {"np": np, "torch": torch, "Batch": Batch, "q_network": dqn.q_network}
        if case.call:
            exec(case.call, scope | {exercise.name: exercise.solution})
            continue
        exec(call(exercise, case.args), scope | {exercise.name: lambda *args, seen=seen: seen.extend(args)})
        seen, wanted = (
            [list(a.parameters()) if hasattr(a, "parameters") else a for a in args] for args in (seen, case.args)
        )
        assert all(close(a, b, 1e-5, 1e-5) for a, b in zip(seen, wanted, strict=True)), case.label


def test_arrays_of_a_call_have_lines_and_names_of_their_own():
    assert call(RETURN, ([2.0, 4.0], 0.5)) == "total_return([2, 4], 0.5)"
    text = call(SWEEP, (np.eye(2)[:, None], np.zeros((2, 1)), 0.5, np.array([4.0, 8.0])))
    assert text.splitlines()[-2:] == ["V = np.array([4., 8.])", "best_sweep(P, R, 0.5, V)"]
    assert text.startswith("P = np.array([[[1., 0.]],\n              [[0., 1.]]])\n")


def test_what_differs_is_seen_on_the_card():
    nearly = evaluate(ITERATION, next(m.function for m in ITERATION.mistakes if "very_many" in m.name))
    assert "10.000000" not in verdict_card(nearly).body
    assert "9.9999999" in verdict_card(nearly).body
    assert literal((np.array([-np.inf]), [1.0])) == "(np.array([-np.inf]), [1])"


@pytest.mark.parametrize("enough", [1e-10, 1e-12])
def test_more_exact_than_promised_is_right(enough):
    def exact(P, R, gamma, tol):
        V, change = np.zeros(len(R)), np.inf
        while change > enough:
            Q = R + gamma * P @ V
            V, change = Q.max(axis=1), abs(Q.max(axis=1) - V).max()
        return V, Q.argmax(axis=1)

    assert evaluate(ITERATION, exact).passed


def test_a_tie_up_to_rounding_is_a_tie_and_no_more():
    greedily = EXERCISES["mdps.greedy_policy"]

    def within(slack):
        def greedy(Q, available):
            Q = np.where(available, Q, -np.inf)
            best = Q >= Q.max(axis=1, keepdims=True) - slack
            return best / best.sum(axis=1, keepdims=True)

        return greedy

    assert evaluate(greedily, within(1e-9)).passed
    assert evaluate(greedily, within(0.01)).outcome == "generous_ties"


def test_infinite_values_are_not_counted_as_sweeps():
    def endless(P, R, gamma, tol):
        return np.full(len(R), np.inf), np.zeros(len(R), int)

    assert evaluate(ITERATION, endless).text == "Your V is inf away from V*, but tol / 2 = 5e-05 was promised."


@pytest.mark.parametrize(
    ("text", "html", "terminal"),
    [
        ("*which* action, at its *very own* place", "<em>which</em> action, at its <em>very own</em> place", None),
        ("a * b and a*b*c, **so**, 2 *3* 4", "a * b and a*b*c, **so**, 2 *3* 4", "a * b and a*b*c, **so**, 2 *3* 4"),
        ("`x *y* z`, from *s*.", "<code>x *y* z</code>, from <em>s</em>.", "`x *y* z`, from s."),
        ("`a` *b* <c", "<code>a</code> <em>b</em> &lt;c", "`a` b <c"),
    ],
)
def test_a_word_between_asterisks_is_stressed(text, html, terminal):
    assert prose(text) == html
    assert plain(text) == (terminal or text.replace("*", ""))


def test_no_card_shows_asterisks_around_a_word():
    argmax = next(m.function for m in EXERCISES["q_learning.target"].mistakes if m.name == "target_argmax")
    card = verdict_card(evaluate(EXERCISES["q_learning.target"], argmax))
    assert "<em>which</em>" in card.body and "says which action" in card.text


# -- answers that learners of chapter 2 have given, each with what they should read ----------------------------------


def best_but(Q, s_next, terminated):
    return 0.0 if terminated else Q[s_next].max()


def replay_in_lists(Q, episode, alpha, gamma):
    return EXERCISES["q_learning.backward_replay"].solution(Q, episode, alpha, gamma).tolist()


def plan_in_lists(Q, model, pairs, alpha, gamma):
    return EXERCISES["q_learning.planning"].solution(Q, model, pairs, alpha, gamma).tolist()


def mended_in_lists(Q, N, s, a, y):
    Q, N = EXERCISES["q_learning.planted_bug"].solution(Q, N, s, a, y)
    return Q.tolist(), N


def replay_but_for_the_end(Q, episode, alpha, gamma):
    Q = Q.copy()
    for s, a, r, t, d in reversed(episode):
        if not d:
            Q[s, a] += alpha * (r + gamma * Q[t].max() - Q[s, a])
    return Q


def replay_by_monte_carlo(Q, episode, alpha, gamma):
    Q, G = Q.copy(), 0.0
    for s, a, r, _, _ in reversed(episode):
        G = r + gamma * G
        Q[s, a] += alpha * (G - Q[s, a])
    return Q


def replay_with_what_was_written(Q, episode, alpha, gamma):
    Q, future = Q.copy(), 0.0
    for s, a, r, _, _ in reversed(episode):
        Q[s, a] += alpha * (r + gamma * future - Q[s, a])
        future = Q[s, a]
    return Q


def plan_in_another_order(Q, model, pairs, alpha, gamma):
    Q = Q.copy()
    for s, a in pairs:
        s_next, r, d = model[s, a]
        Q[s, a] += alpha * (r + gamma * best_but(Q, s_next, d) - Q[s, a])
    return Q


def plan_until_an_end(Q, model, pairs, alpha, gamma):
    Q = Q.copy()
    for s, a in pairs:
        r, s_next, d = model[s, a]
        Q[s, a] += alpha * (r + gamma * best_but(Q, s_next, d) - Q[s, a])
        if d:
            break
    return Q


def explore_row_by_row(Q, epsilon):
    p = np.zeros_like(Q)
    for i, row in enumerate(Q):
        exists, best = row > -np.inf, row == row.max()
        p[i] = epsilon * exists / exists.sum() + (1 - epsilon) * best / best.sum()
    return p


def divided_by_the_maximum(Q, temperature):
    weights = np.exp(Q / Q.max(-1, keepdims=True) / temperature)
    return weights / weights.sum(-1, keepdims=True)


def n_steps_along_the_agents(rewards, V_end, terminated, gamma):
    y = np.zeros(np.shape(V_end))
    for k in range(len(rewards)):
        y += gamma**k * rewards[k]
    return y + gamma ** len(rewards) * np.where(terminated, 0, V_end)


def double_with_a_coin(r, Q_updated_next, Q_other_next, terminated, gamma, rng=np.random.default_rng(3)):  # noqa: B008
    one, other = (Q_updated_next, Q_other_next) if rng.random() < 0.5 else (Q_other_next, Q_updated_next)
    return EXERCISES["q_learning.double_q"].solution(r, one, other, terminated, gamma)


def marked(U):
    return U == U.max(-1, keepdims=True)


@pytest.mark.parametrize(
    ("id", "answer", "words"),
    [
        ("backward_replay", replay_in_lists, "Return an array: `np.array(Q)`"),
        ("planning", plan_in_lists, "Return an array: `np.array(Q)`"),
        ("planted_bug", mended_in_lists, "Q and N should be arrays"),
        ("backward_replay", replay_but_for_the_end, "The transition that ends the episode is not updated"),
        ("backward_replay", replay_by_monte_carlo, "that is Monte Carlo"),
        ("backward_replay", replay_with_what_was_written, "the entry that was just written"),
        ("planning", plan_in_another_order, "The model holds `(r, s_next, terminated)`, in this order"),
        ("planning", plan_until_an_end, "You stop after the first step that ended an episode"),
        ("epsilon_greedy", explore_row_by_row, "One row comes as `float[A]`"),
        ("boltzmann", explore_row_by_row, "One row comes as `float[A]`"),
        ("boltzmann", divided_by_the_maximum, "You divide by the maximum of each row"),
        ("n_step_target", n_steps_along_the_agents, "You go through the agents"),
        ("n_step_target", lambda r, V, d, g: r[..., 0] + g * V, "This is the target of one step"),
        ("n_step_target", lambda r, V, d, g: r.sum(-1) + V, "Two things. You discount nothing"),
        ("n_step_target", lambda r, V, d, g: r @ g ** np.arange(r.shape[-1]) + g * V, "Two things. You multiply V_end"),
        ("n_step_target", lambda r, V, d, g: (g ** r.shape[-1] * r).sum(-1) + g ** r.shape[-1] * V, "Two things. All"),
        ("target", lambda r, Q, d, g: r + g * Q.max(axis=0), "Two things. You take the maximum over the steps"),
        ("target", lambda r, Q, d, g: r + g * Q.max(), "Two things. You take the largest value of all rows"),
        ("target", lambda r, Q, d, g: r + g * Q.mean(-1), "Two things. You average"),
        ("target", lambda r, Q, d, g: r + Q.max(-1), "Two things. You forgot gamma"),
        ("target", lambda r, Q, d, g: r + g * Q.argmax(-1), "Two things. `argmax` says"),
        (
            "double_q",
            lambda r, U, other, d, g: r + g * other.max(-1),
            "Two things. This is plain Q-learning with the other",
        ),
        ("double_q", double_with_a_coin, "Do you toss a coin?"),
        (
            "double_q",
            lambda r, U, other, d, g: r + g * (1 - d) * other.reshape(-1)[U.argmax()],
            "one action for all rows",
        ),
        ("double_q", lambda r, U, other, d, g: r + g * (1 - d) * np.where(marked(U), other, 0).sum(-1), "you add up"),
        (
            "double_q",
            lambda r, U, other, d, g: r + g * (1 - d) * np.where(marked(U), other, -np.inf).max(-1),
            "the best by",
        ),
    ],
)
def test_what_learners_read_in_chapter_2(id, answer, words):
    verdict = evaluate(EXERCISES[f"q_learning.{id}"], answer)
    assert not verdict.passed
    assert words in verdict.text


def q_learner(explores, explored, best):
    def learn(env, gamma, alpha, epsilon, steps, rng):
        Q = np.zeros((env.observation_space.n, env.action_space.n))
        state, _ = env.reset()
        for _ in range(steps):
            action = explored(rng, Q.shape[1]) if explores(rng) < epsilon else best(rng, Q[state])
            t, r, terminated, truncated, _ = env.step(action)
            Q[state, action] += alpha * (r + gamma * (1 - terminated) * Q[t].max() - Q[state, action])
            state = env.reset()[0] if terminated or truncated else t
        return Q

    return learn


def test_all_chance_of_the_blank_page_comes_from_rng():
    def coin(rng):
        return rng.random()

    def other_coin(rng):
        return stray.random()

    def others(rng, A):
        return stray.integers(A)

    def first(rng, row):
        return row.argmax()

    def tied(rng, row):
        return rng.choice(np.flatnonzero(row == row.max()))

    def own(rng, A):
        return rng.integers(A)

    stray = np.random.default_rng(1)  # goes on from call to call, as the global one would
    page = EXERCISES["q_learning.blank_page"]
    for best in first, tied:
        verdict = evaluate(page, q_learner(coin, own, best))
        assert verdict.passed and "ties are better broken by chance" in verdict.text
        assert not evaluate(page, q_learner(other_coin, own, best)).passed
        assert not evaluate(page, q_learner(coin, others, best)).passed
    mixed = evaluate(page, q_learner(other_coin, own, tied))
    assert "With the same `rng` your agent acted differently" in mixed.text
    assert mixed.situations[-1] == ("only losses, with the same `rng` again", False)
    elsewhere = evaluate(page, q_learner(other_coin, others, first))
    assert "draws, but not from `rng`" in elsewhere.text


# -- answers to chapter 3: tensors, networks and a class --------------------------------------------------------------

TARGET, LOSS, REPLAY, UPDATE = (EXERCISES[f"dqn.{name}"] for name in ("target", "loss", "replay", "blank_page"))


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (
            lambda r, Q, d, g: r + g * Q.max(-1) * ~d,
            "TypeError: can't multiply sequence by non-int of type 'float'. A list",
        ),
        (lambda r, Q, d, g: r + torch.where(d, 0.0, Q.max(-1)), "gives two things, the values and where they are"),
        (lambda r, Q, d, g: r + g * Q.amax(-1) * (1 - d), "Of truth values the opposite is `~terminated`"),
        (lambda r, Q, d, g: r if d else r + g * Q.amax(-1), "Each entry decides for itself: `torch.where`"),
        (lambda r, Q, d, g: (r + g * ~d * Q.amax(-1)).numpy(), "they come as ndarray. The network needs a tensor"),
        (lambda r, Q, d, g: r + g * ~d * Q.gather(-1, Q.argmax(-1)), "`action.unsqueeze(-1)`, and afterwards `squeeze"),
    ],
)
def test_what_learners_read_of_tensors(answer, words):
    assert words in evaluate(TARGET, answer).text


EPSILON, DOUBLE, BUG = (EXERCISES[f"dqn.{name}"] for name in ("epsilon", "double", "planted_bug"))


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (lambda r, Q, d, g: r + g * ~d * Q.amax(1), "The actions are on the last axis"),
        (lambda r, Q, d, g: r + g * ~d * Q.amax(-1).item(), "`.item()` is for a single number"),
        (lambda r, Q, d, g: (r + g * ~d * Q.amax(-1)).item(), "The numbers are right, but they come as float"),
        (lambda r, Q, d, g: float(r + g * ~d * Q.amax(-1)), "`float` is for a single number"),
    ],
)
def test_what_is_right_but_for_its_form_gets_no_other_name(answer, words):
    verdict = evaluate(TARGET, answer)
    assert verdict.mistake is None
    assert words in verdict.text


@pytest.mark.parametrize(
    "pick",
    [lambda Q, a: Q[torch.arange(len(a)), a], lambda Q, a: Q[torch.arange(Q.shape[0]), a]],
)
def test_that_any_number_of_axes_is_meant_is_said(pick):
    words = "Any number of axes may stand before that of the actions"
    assert words in evaluate(BUG, lambda Q, a, y: y - pick(Q, a)).text
    assert words in evaluate(DOUBLE, lambda r, Q, F, d, g: r + g * ~d * pick(F, Q.argmax(-1))).text


def test_an_error_without_a_gradient_is_told():
    def mended(Q, action, y):
        return BUG.solution(Q, action, y)

    assert evaluate(BUG, mended).passed
    verdict = evaluate(BUG, lambda Q, action, y: mended(Q.detach(), action, y))
    assert verdict.text.startswith("The numbers are right, but no gradient reaches Q any more")


@pytest.mark.parametrize("give_up", [lambda loss: loss.mean().backward(), lambda loss: loss.backward()])
def test_a_loss_that_is_differentiated_inside_is_told(give_up):
    def careless(q, q_frozen, batch):
        loss = LOSS.solution(q, q_frozen, batch)
        give_up(loss)
        return loss

    assert "in a function that should only return the loss?" in evaluate(LOSS, careless).text


def test_where_a_schedule_leaves_the_line_is_said():
    verdict = evaluate(EPSILON, lambda k, a, b, n: a - np.clip(k / n, 0, 1) * b)
    assert verdict.text == "From 1 to 0.2: at step 50, of 100 on the way, it should be 0.6, but is 0.9."


def test_an_if_in_a_schedule_is_told_apart():
    verdict = evaluate(EXERCISES["dqn.epsilon"], lambda k, a, b, n: b if k > n else a + k / n * (b - a))
    assert "`np.where` or `np.clip` instead of `if`" in verdict.text


def test_a_loss_that_cannot_be_differentiated_is_told():
    def to_numpy(q, q_frozen, batch):
        return LOSS.solution(q, q_frozen, batch).detach().numpy()

    assert "gradient is stopped on both sides" in evaluate(LOSS, to_numpy).text
    assert "The result is a tuple of 2" in evaluate(LOSS, lambda q, f, b: (LOSS.solution(q, f, b), 0)).text


def test_a_step_without_no_grad_is_told():
    def careless(q, q_frozen, batch, lr):
        loss = LOSS.solution(q, q_frozen, batch).mean(-1)
        loss.sum().backward()
        for w in q.parameters():
            w -= lr * w.grad
        return loss

    assert evaluate(UPDATE, careless).text.endswith("Change weights inside `with torch.no_grad():`.")


def update_with(step, give=lambda loss: loss.detach()):
    """Return an update that is right but for how its step is made, or what it returns."""

    def update(q, q_frozen, batch, lr):
        loss = LOSS.solution(q, q_frozen, batch).mean(-1)
        q.zero_grad()
        loss.sum().backward()
        with torch.no_grad():
            step(list(q.parameters()), lr)
        return give(loss)

    return update


def move(weights, lr):
    for w in weights:
        w -= lr * w.grad


def forget(weights, lr):
    for w in weights:
        w.grad = None
    move(weights, lr)


@pytest.mark.parametrize(
    ("step", "give", "words"),
    [
        (lambda ws, lr: move(ws[:1], lr), torch.detach, "Only the first of the weights move"),
        (lambda ws, lr: move(ws[-1:], lr), torch.detach, "a part of the network moves: hidden and table stayed"),
        (forget, torch.detach, "First `zero_grad()`, then `backward()`"),
        (lambda ws, lr: None, torch.detach, "Is a step made at all?"),
        (move, lambda loss: loss, "still hangs on its graph"),
        (move, lambda loss: loss.tolist(), "but the loss comes as list"),
        (move, lambda loss: loss.detach().numpy(), "but the loss comes as ndarray"),
    ],
)
def test_what_is_said_of_an_update(step, give, words):
    assert evaluate(UPDATE, update_with(move)).passed
    verdict = evaluate(UPDATE, update_with(step, give))
    assert not verdict.passed
    assert words in verdict.text


def test_a_batch_that_is_changed_in_place_is_told():
    def careless(q, q_frozen, batch):
        loss = LOSS.solution(q, q_frozen, batch)
        batch.reward.zero_()
        return loss

    assert evaluate(LOSS, careless).status == "changed"


def test_what_is_one_object_stays_one_when_it_is_copied():
    q = dqn.q_network([[[1.0, 2.0]]])
    one, other, third = fresh((q, q, dqn.q_network([[[1.0, 2.0]]])))
    assert one is other and one is not q and one is not third
    with torch.no_grad():
        one.table += 1
    assert q.table.tolist() == [[[1.0, 2.0]]]
    linear = torch.nn.Linear(1, 1)
    assert fresh((linear,))[0] is not linear


class Half:
    """A memory with one method still to be written."""

    def __init__(self, capacity):
        self.kept = []

    def add(self, transition):
        self.kept.append(transition)

    def sample(self, n, rng):
        raise NotImplementedError("your code here")

    def __len__(self):
        return len(self.kept)


class Uneven(REPLAY.solution):
    def sample(self, n, rng):
        return [self.kept[k % len(self.kept)] for k in rng.integers(len(self.kept) + 1, size=n)]


class Forgetful(REPLAY.solution):
    def sample(self, n, rng):
        self.taken = getattr(self, "taken", 0) + 1
        return super().sample(n, rng)

    def __len__(self):
        return len(self.kept) - (getattr(self, "taken", 0) > 0)


class Choice(REPLAY.solution):
    def sample(self, n, rng):
        return list(rng.choice(self.kept, n))


class ObjectArray(REPLAY.solution):
    def sample(self, n, rng):
        return list(np.array(self.kept, dtype=object)[rng.integers(len(self.kept), size=n)])


class WithoutReplacement(REPLAY.solution):
    def sample(self, n, rng):
        return [self.kept[k] for k in rng.choice(len(self.kept), n, replace=False)]


class AmongCapacity(REPLAY.solution):
    def sample(self, n, rng):
        return [self.kept[k] for k in rng.integers(self.capacity, size=n)]


class LastNever(REPLAY.alternatives[0]):
    def sample(self, n, rng):
        return [self.kept[k] for k in rng.integers(len(self.kept) - 1, size=n)]


class AlwaysSeven(REPLAY.alternatives[0]):
    def sample(self, n, rng):
        return super().sample(n, np.random.default_rng(7))


class Unwrapped(REPLAY.solution):
    def add(self, transition):
        if len(self.kept) < self.capacity:
            self.kept.append(transition)
        else:
            self.kept[self.next] = transition
        self.next += 1


class OneListForAll(REPLAY.alternatives[0]):
    kept = []

    def __init__(self, capacity):
        pass


class NoLength:
    def __init__(self, capacity):
        pass

    def add(self, transition):
        pass

    def sample(self, n, rng):
        pass


class NoRng(REPLAY.solution):
    def sample(self, n):
        return []


@pytest.mark.parametrize(
    ("answer", "status", "words"),
    [
        (Half, "placeholder", "still stands in it"),
        (Uneven, "not yet", "All that are kept should be equally likely"),
        (Forgetful, "not yet", "After the draws `len` is 2, but should still be 3"),
        (Choice, "stopped", "and look them up in the list"),
        (ObjectArray, "not yet", "these transitions came up: ['ndarray']"),
        (WithoutReplacement, "stopped", "Drawn without replacement, nothing comes twice"),
        (AmongCapacity, "stopped", "and m is its `len` at this moment"),
        (LastNever, "not yet", "Never drawn, though it should be kept: c"),
        (AlwaysSeven, "not yet", "Each sample of two was the same"),
        (Unwrapped, "stopped", "`place = (place + 1) % capacity`"),
        (OneListForAll, "not yet", "do all memories share one list?"),
        (NoLength, "arguments", "Your class has no method `__len__`."),
        (
            NoRng,
            "arguments",
            "The method `sample` is called with the arguments (self, n, rng), but it takes (self, n).",
        ),
        (REPLAY.solution(3), "no function", "A class was expected, but this is <rlkit.exercises.dqn.MyReplay object>"),
        (lambda capacity: [], "no function", "Pass the class itself"),
        (REPLAY.solution, "the book's own", "Write yours"),
        (type("Other", (REPLAY.alternatives[0],), {}), "passed", "strangers in the batch"),
    ],
)
def test_what_is_said_of_a_class(answer, status, words):
    verdict = evaluate(REPLAY, answer)
    assert verdict.status == status
    assert words in verdict.text


def test_the_line_of_an_error_in_a_method_is_the_learners():
    class Broken(REPLAY.solution):
        def add(self, transition):
            return 1 / 0

    verdict = evaluate(REPLAY, Broken)
    assert verdict.status == "stopped"
    assert verdict.line[1] == "return 1 / 0"


@pytest.mark.parametrize("p", [0.59, 0.58, np.float32(0.5858), torch.tensor(2 - 2**0.5)])
def test_a_coin_may_be_rounded(p):
    assert evaluate(EXERCISES["dqn.corridor"], p).passed


def test_the_best_coin_is_the_best():
    p = np.linspace(0.01, 0.99, 9801)
    value = (2 * p - 4) / (p * (1 - p))
    assert abs(p[value.argmax()] - EXERCISES["dqn.corridor"].solution()) < 1e-4
    assert value.max() == pytest.approx(-11.66, abs=0.005)
    for q in 0.05, 0.5, 0.95:
        A = np.array([[q, -q, 0], [-q, 1, q - 1], [0, q - 1, 1]])  # three equations, as in the hints
        assert np.linalg.solve(A, -np.ones(3))[0] == pytest.approx((2 * q - 4) / (q * (1 - q)))
    assert "Very near" in evaluate(EXERCISES["dqn.corridor"], 0.595).text
    assert "-13.33" in evaluate(EXERCISES["dqn.corridor"], 0.4).text


@pytest.mark.parametrize("quiz", [q_learning.quiz, dqn.quiz])
def test_the_right_answer_of_a_quiz_is_not_known_by_its_length(quiz):
    longest = [max(q.answers, key=lambda answer: len(answer[0]))[1] for q in quiz.questions]
    assert sum(longest) <= len(longest) // 2


LOG_PROB, GAUSSIAN = EXERCISES["policy_gradients.log_prob"], EXERCISES["policy_gradients.gaussian"]
PG_LOSS, TO_GO = EXERCISES["policy_gradients.loss"], EXERCISES["policy_gradients.to_go"]
REINFORCE, RETURNS = EXERCISES["policy_gradients.reinforce"], EXERCISES["policy_gradients.bug"]


def to_go_of_one_column(reward, gamma):
    R, total = np.zeros(len(reward)), 0
    for t in reversed(range(len(reward))):
        R[t] = total = reward[t] + gamma * total
    return R


@pytest.mark.parametrize(
    ("exercise", "answer", "words"),
    [
        (
            LOG_PROB,
            lambda logits, action: -torch.nn.functional.cross_entropy(logits, action, reduction="none"),
            "bring everything to rows first",
        ),
        (
            GAUSSIAN,
            lambda mean, log_std, action: torch.distributions.Normal(mean, log_std).log_prob(action).sum(-1),
            "A spread has to be above 0",
        ),
        (TO_GO, to_go_of_one_column, "A place for one number is given many"),
        (
            REINFORCE,
            lambda play, theta, episodes, alpha, gamma, rng: play(np.full(theta.shape, 1 / theta.shape[1])),
            "TypeError: play() missing 1 required positional argument: 'rng'. All chance comes from the generator",
        ),
    ],
)
def test_what_is_said_of_errors_with_policies(exercise, answer, words):
    verdict = evaluate(exercise, answer)
    assert not verdict.passed
    assert words in verdict.text


@pytest.mark.parametrize("bounds", [(-2, 2), (-5, 2), (-20, 2), (-5, 5), (-20, 20)])
def test_no_spread_may_be_clamped(bounds):
    verdict = evaluate(GAUSSIAN, lambda mean, log_std, action: GAUSSIAN.solution(mean, log_std.clamp(*bounds), action))
    assert verdict.case.label == "from very wide to very narrow"


@pytest.mark.parametrize(
    ("small", "words"), [(0.0, "rounded to 0"), (1e-8, "A small number"), (1e-10, "without any `exp`")]
)
def test_a_density_that_is_rounded_to_zero_is_told(small, words):
    def log_of_density(mean, log_std, action):
        bell = (-(((action - mean) / log_std.exp()) ** 2) / 2).exp() / (log_std.exp() * (2 * np.pi) ** 0.5)
        return (bell + small).log().sum(-1)

    verdict = evaluate(GAUSSIAN, log_of_density)
    assert words in verdict.text
    assert "logit" not in verdict.text


@pytest.mark.parametrize("bound", [1, 10, 20])
def test_no_advantage_may_be_clamped(bound):
    def answer(policy, obs, action, advantage):
        return PG_LOSS.solution(policy, obs, action, advantage.clamp(-bound, bound))

    assert not evaluate(PG_LOSS, answer).passed


def test_returns_may_be_of_single_precision_but_of_no_window():
    def single(reward, *rest):
        return exercise.solution(reward.astype(np.float32), *rest).astype(np.float32)

    for exercise in TO_GO, RETURNS:
        assert evaluate(exercise, single).passed

    def window(reward, gamma):
        powers = gamma ** np.arange(100.0)
        return np.array([np.tensordot(powers[: len(reward) - t], reward[t : t + 100], 1) for t in range(len(reward))])

    assert "R[49] is the first that is another: it should be 101, but is 100" in evaluate(TO_GO, window).text


def test_reversed_alone_does_not_mend_the_planted_bug():
    def reversed_alone(reward, ended, gamma):
        R, total = np.zeros(len(reward)), 0.0
        for t in reversed(range(len(reward))):
            R[t] = total = reward[t] + gamma * total
            if ended[t]:
                total = 0.0
        return R

    assert evaluate(RETURNS, reversed_alone).outcome == "returns_forget_too_late"


@pytest.mark.parametrize(("factor", "near"), [(441.5, True), (442, False), (404, False), (61, False)])
def test_what_is_near_a_factor(factor, near):
    assert evaluate(EXERCISES["policy_gradients.variance"], factor).text.startswith("Near") == near
