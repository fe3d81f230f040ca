"""The axes of multi-agent learning: where every algorithm of the book stands, as data, as a table and as a picture."""

from __future__ import annotations

from typing import NamedTuple

from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle

from rlkit.show.picture import BLUE, FAINT, GREEN, INK, LINE, PURPLE, Picture, canvas, in_style, picture, words

NUMBERS = ("one", "two", "finitely many", "infinitely many")
MOTIVES = ("cooperative", "neither", "competitive")
WHERE = ("centralised", "decentralised")
PURPOSES = ("prescriptive", "descriptive")


class Algorithm(NamedTuple):
    """One algorithm of the book, and its place on each axis of the lecture.

    Attributes:
        name: as the book calls it.
        page: the manuscript that teaches it, without its ending.
        label: of the section there; "" while the page is not written.
        function: its place in the package; "" while it is not written.
        training, execution: one of WHERE; "" for a single agent, for which the question does not arise.
        purpose: one of PURPOSES.
        motive: one of MOTIVES; "" for a single agent.
        agents: one of NUMBERS.
    """

    name: str
    page: str
    label: str
    function: str
    training: str
    execution: str
    purpose: str
    motive: str
    agents: str


def _alone(name: str, page: str, label: str, function: str) -> Algorithm:
    return Algorithm(name, page, label, function, "", "", "prescriptive", "", "one")


def _team(
    name: str,
    page: str,
    label: str,
    function: str,
    where: str,
    motive: str,
    agents: str = "finitely many",
    purpose: str = "prescriptive",
) -> Algorithm:
    """Return a record of several agents; ``where`` is two letters, c or d, for training and for execution."""
    training, execution = (WHERE["cd".index(letter)] for letter in where)
    return Algorithm(name, page, label, function, training, execution, purpose, motive, agents)


_TABULAR, _ACTORS = "rlkit.learn.tabular", "rlkit.learn.actor_critic"
ALGORITHMS = (
    _alone("value iteration", "01_mdps", "sec-values", "rlkit.mdp.value_iteration"),
    _alone("policy iteration", "01_mdps", "sec-values", "rlkit.mdp.policy_iteration"),
    _alone("Q-learning", "02_q_learning", "sec-q-learning", f"{_TABULAR}.q_learning"),
    _alone("Dyna-Q", "02_q_learning", "sec-convergence", f"{_TABULAR}.dyna_q"),
    _alone("TD", "02_q_learning", "sec-td", f"{_TABULAR}.td_prediction"),
    _alone("Sarsa", "02_q_learning", "sec-sarsa", f"{_TABULAR}.sarsa"),
    _alone("double Q-learning", "02_q_learning", "sec-double", f"{_TABULAR}.double_q_learning"),
    _alone("DQN", "03_dqn", "sec-dqn", "rlkit.learn.dqn.train_dqn"),
    _alone("REINFORCE", "04_policy_gradients", "sec-reinforce", "rlkit.learn.reinforce.train_reinforce"),
    _alone("QAC", "05_actor_critic", "sec-qac", f"{_ACTORS}.qac"),
    _alone("A2C", "05_actor_critic", "sec-a2c", f"{_ACTORS}.train_a2c"),
    _alone("A3C", "05_actor_critic", "sec-a3c", f"{_ACTORS}.a3c.train_a3c"),
    _alone("PPO", "05_actor_critic", "sec-ppo", f"{_ACTORS}.train_ppo"),
    _alone("DDPG", "05_ddpg", "sec-ddpg", "rlkit.learn.ddpg.train_ddpg"),
    _alone("TD3", "05_ddpg", "sec-td3", "rlkit.learn.ddpg.td3_update"),
    _team(
        "independent Q", "06_marl", "sec-marl-matrix", "rlkit.learn.independent.independent_learners",
        "dd", "cooperative", "two",
    ),
    _team(
        "hysteretic Q", "06_marl", "sec-marl-matrix", "rlkit.learn.independent.hysteretic_rule",
        "dd", "cooperative", "two",
    ),
    _team(
        "optimistic Q", "06_marl", "sec-marl-matrix", "rlkit.learn.independent.optimistic_rule",
        "dd", "cooperative", "two",
    ),
    _team(
        "joint-action Q", "06_marl", "sec-marl-matrix", "rlkit.learn.independent.joint_action_learners",
        "dd", "cooperative", "two",
    ),
    _team(
        "joint learner", "06_marl", "sec-marl-matrix", "rlkit.learn.independent.one_learner",
        "cc", "cooperative", "two",
    ),
    _team(
        "signals", "06_marl", "sec-marl-axes", "rlkit.learn.teams.learn_signals",
        "dd", "cooperative", "two",
    ),
    _team(
        "difference rewards", "06_marl", "sec-marl-design", "rlkit.learn.teams.difference_reward",
        "cd", "cooperative",
    ),
    _team(
        "populations", "06_marl", "sec-marl-design", "rlkit.experiments.populations.run_populations",
        "dd", "cooperative",
    ),
    _team(
        "mean field", "06_marl", "sec-marl-axes", "rlkit.learn.teams.mean_field",
        "dd", "neither", "infinitely many", "descriptive",
    ),
    _team("MADQN", "06_madqn", "sec-madqn-train", "rlkit.learn.madqn.train_madqn", "cd", "neither"),
    _team("minimax-Q", "07_nash_q", "sec-nash-minimaxq", "rlkit.learn.minimax_q.minimax_q", "dd", "competitive", "two"),
    _team("Nash-Q", "07_nash_q", "sec-nash-nashq", "rlkit.learn.nash_q.nash_q", "dd", "neither", "two"),
    _team("VDN", "08_central_training", "", "", "cd", "cooperative"),
    _team("QMIX", "08_central_training", "", "", "cd", "cooperative"),
    _team("COMA", "08_central_training", "", "", "cd", "cooperative"),
    _team("MADDPG", "08_central_training", "", "", "cd", "neither"),
    _team("independent DDPG", "08_central_training", "", "", "dd", "neither"),
)  # fmt: skip


def table(algorithms: tuple[Algorithm, ...] = ALGORITHMS) -> str:
    """Return the algorithms as a Markdown table, with a row for each place on the axes where any of them stand.

    Args:
        algorithms: the records, in the order of the rows.
    """
    says = dict(zip(PURPOSES, ("should do", "will do"), strict=True))
    places: dict[tuple[str, ...], list[str]] = {}
    for a in algorithms:
        place = (a.training or "–", a.execution or "–", says[a.purpose], a.motive or "–", a.agents)
        places.setdefault(place, []).append(_linked(a))
    return "\n".join(
        [
            "| Algorithm | Training | Execution | Says what agents | Motive | Agents |",
            "|---|---|---|---|---|---|",
            *(f"| {', '.join(names)} | {' | '.join(place)} |" for place, names in places.items()),
        ]
    )


def _linked(algorithm: Algorithm) -> str:
    if algorithm.label:
        return f"[{algorithm.name}](#{algorithm.label})"
    return f"{algorithm.name} (chapter {int(algorithm.page[:2])})"


@in_style
def axes(algorithms: tuple[Algorithm, ...] = ALGORITHMS) -> Picture:
    """Draw the map: how many agents from left to right, their motives from top to bottom, and who is told what, as marks.

    Args:
        algorithms: the records.
    """
    kinds = {
        ("centralised", "centralised"): ("s", BLUE, "one brain"),
        ("centralised", "decentralised"): ("^", PURPLE, "trained together, acts alone"),
        ("decentralised", "decentralised"): ("o", GREEN, "learns and acts alone"),
    }
    places: dict[tuple[str, str], list[Algorithm]] = {}
    for algorithm in algorithms:
        places.setdefault((algorithm.agents, algorithm.motive), []).append(algorithm)
    left, right = (0.0, 2.1, 4.1, 6.5), (2.0, 4.0, 6.4, 7.9)
    tall = {m: max([2.6, *(len(places.get((n, m), ())) for n in NUMBERS[1:])]) + 0.8 for m in MOTIVES}
    bottom = sum(tall.values())
    figure, ax = canvas(5.3, 1.95 + 0.22 * bottom)
    for column, agents in enumerate(NUMBERS):
        y = 0.0
        heading = agents.replace(" ", "\n")
        ax.text((left[column] + right[column]) / 2, -0.15, heading, ha="center", va="bottom", weight="bold", size=10)
        for motive in MOTIVES if column else ("",):
            height = tall[motive] if column else bottom
            cell = Rectangle((left[column], y + 0.06), right[column] - left[column], height - 0.12, fc=LINE, alpha=0.25)
            ax.add_patch(cell)
            for k, a in enumerate(places.get((agents, motive), ())):
                at, written = (
                    y + 0.9 + k * (height - 0.8) / max(len(places[agents, motive]), height - 0.8),
                    bool(a.label),
                )
                mark, colour, _ = kinds.get((a.training, a.execution), ("", INK, ""))
                filled = colour if a.purpose == "prescriptive" else "none"
                ax.plot(left[column] + 0.18, at, mark, color=colour, mfc=filled, ms=6)
                style = "normal" if written else "italic"
                x = left[column] + (0.36 if column else 0.14)
                ax.text(x, at, a.name, va="center_baseline", size=9, style=style, color=INK if written else FAINT)
            y += height
    y = 0.0
    for motive in MOTIVES:
        ax.text(-0.08, y + tall[motive] / 2, motive, ha="right", va="center", rotation=90, weight="bold", size=10)
        y += tall[motive]
    marks = [Line2D([], [], marker=m, color=c, ls="", label=label) for m, c, label in kinds.values()]
    marks.append(Line2D([], [], marker="o", color=GREEN, mfc="none", ls="", label="open mark: descriptive"))
    figure.legend(handles=marks, loc="outside lower center", handlelength=1, fontsize=12)
    ax.set(xlim=(-0.4, 7.92), ylim=(bottom, -1.9))
    ax.axis("off")
    told = []
    for (agents, motive), members in places.items():
        names = words([a.name + ("" if a.label else " (to come)") for a in members])
        told.append(f"{agents}{f', {motive}' if motive else ''}: {names}")
    return picture(figure, f"The algorithms of the book by number of agents and motive. {'; '.join(told)}.")
