"""Both players' answers on the square: where they lie, where they meet, and what is said of them."""

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rlkit.games import MatrixGame
from rlkit.games.classics import (
    battle_of_the_sexes,
    chicken,
    matching_pennies,
    prisoners_dilemma,
    rock_paper_scissors,
    stag_hunt,
)
from rlkit.show.best_responses import answer, best_responses
from rlkit.show.picture import PALETTE
from tests.show.reading import points, texts

PATH = np.array([[0.1, 0.2], [0.5, 0.2], [0.5, 0.9]])


def strokes(svg, colour):
    return [points(d) for d in re.findall(rf'd="([^"]*)"[^>]*style="fill:none;stroke[^"]*var\(--rlk-{colour}\)', svg)]


def test_answers_by_hand():
    # In the battle of the sexes player 1 prefers the concert if player 2 goes there with more than 1/3, and player 2 if
    # player 1 does with more than 2/3.
    one, two = (answer(battle_of_the_sexes(), j) for j in (0, 1))
    assert one == pytest.approx(np.array([[0, 0], [0, 1 / 3], [1, 1 / 3], [1, 1]]))
    assert two == pytest.approx(np.array([[0, 0], [2 / 3, 0], [2 / 3, 1], [1, 1]]))
    # Heads against heads wins for player 1, and loses for player 2.
    one, two = (answer(matching_pennies(), j) for j in (0, 1))
    assert one == pytest.approx(np.array([[0, 0], [0, 0.5], [1, 0.5], [1, 1]]))
    assert two == pytest.approx(np.array([[0, 1], [0.5, 1], [0.5, 0], [1, 0]]))
    # In the prisoner's dilemma nobody ever cooperates.
    one, two = (answer(prisoners_dilemma(), j) for j in (0, 1))
    assert (one[:, 0] == 0).all()
    assert one[[0, -1], 1].tolist() == [0, 1]
    assert (two[:, 1] == 0).all()


@given(st.lists(st.integers(-3, 3), min_size=8, max_size=8))
@settings(max_examples=60, deadline=None)
def test_every_point_of_the_line_is_a_best_response(payoffs):
    game = MatrixGame(np.reshape(payoffs, (2, 2, 2)))
    for player in (0, 1):
        line = answer(game, player)
        along = np.random.default_rng(0).random((9, 2)) if line is None else _between(line)
        for point in along:
            policies = [[p, 1 - p] for p in point]
            worth = game.action_values(player, policies)
            assert np.array(policies[player]) @ worth == pytest.approx(worth.max())


@given(st.lists(st.integers(-3, 3), min_size=8, max_size=8))
@settings(max_examples=60, deadline=None)
def test_the_line_has_an_answer_to_everything_and_both_where_they_tie(payoffs):
    game = MatrixGame(np.reshape(payoffs, (2, 2, 2)))
    for player in (0, 1):
        line = answer(game, player)
        if line is None:
            assert not np.diff(game.payoffs[player], axis=player).any()
            continue
        assert line[[0, -1], 1 - player].tolist() == [0, 1]
        for other in np.linspace(0, 1, 7):
            both = game.action_values(player, [[other, 1 - other]] * 2)
            if both[0] == both[1]:
                there = line[np.isclose(line[:, 1 - player], other), player]
                assert {0, 1} <= set(there.tolist())


def _between(line):
    return np.concatenate([a + np.linspace(0, 1, 5)[:, None] * (b - a) for a, b in zip(line, line[1:], strict=False)])


def test_lines_equilibria_and_paths_lie_where_they_should():
    drawn = best_responses(battle_of_the_sexes(), {"fictitious play": PATH})
    (blue,), (red,) = ([p for p in strokes(drawn.svg, colour) if len(p) == 4] for colour in ("blue", "red"))
    side = blue[:, 1].max() - blue[:, 1].min()
    corner = np.array([blue[:, 0].min(), blue[:, 1].max()])  # the picture's y points down
    on_square = lambda line: abs(line - corner) / side  # noqa: E731
    assert on_square(blue) == pytest.approx(answer(battle_of_the_sexes(), 0), abs=0.003)
    assert on_square(red) == pytest.approx(answer(battle_of_the_sexes(), 1), abs=0.003)
    green = strokes(drawn.svg, "green")[0]  # the next one is that of the legend
    assert on_square(green) == pytest.approx(PATH, abs=0.003)
    assert drawn.svg.count("fill:var(--rlk-amber)") == 3
    said = texts(drawn.svg)
    assert "player 1: probability of concert" in said
    assert {"player 1's best response", "player 2's best response", "fictitious play"} <= set(said)


def test_what_is_said_of_it():
    assert best_responses(matching_pennies()).alt == (
        "matching pennies, best responses. "
        "Player 1 plays heads while player 2's probability of heads is above 0.50. "
        "Player 2 plays heads while player 1's probability of heads is below 0.50. "
        "Equilibrium at (0.50, 0.50)."
    )
    assert "Player 1 never plays cooperate." in best_responses(prisoners_dilemma()).alt
    tied = MatrixGame([[[5, 0], [5, 1]], [[3, 5], [3, 5]]], ("work", "rest"))
    assert best_responses(tied, equilibria=[]).alt == (
        "A game, best responses. Player 1 never plays work, but does not care where player 2's probability of work is 1. "
        "Player 2 never plays work."
    )
    told = best_responses(stag_hunt(), {"a path": PATH}, equilibria=[(1, 1), (0, 0)], title="hunting").alt
    assert told.endswith("Equilibria at (1.00, 1.00) and (0.00, 0.00). a path goes from (0.10, 0.20) to (0.50, 0.90).")
    assert told.startswith("hunting, best responses.")


def test_who_does_not_care_has_a_square_of_answers():
    game = MatrixGame([[[1, 2], [1, 2]], [[1, 0], [0, 1]]])
    drawn = best_responses(game, equilibria=[])
    assert "To player 1 both actions are always worth the same." in drawn.alt
    assert "fill:var(--rlk-blue)" in drawn.svg
    assert "Equilibri" not in drawn.alt


def test_only_colours_of_the_palette_and_small():
    drawn = best_responses(chicken(), {"a": PATH, "b": PATH[::-1]}).svg
    used = set(re.findall(r"(?:fill|stroke):([^;\"]+)", drawn)) - {"none"}
    assert used <= {f"var(--rlk-{name})" for name in PALETTE}
    t = np.linspace(0, 6, 5000)
    round_and_round = 0.5 + 0.3 * np.stack([np.cos(t), np.sin(t)], axis=-1)
    assert len(best_responses(chicken(), {"a": round_and_round}).svg) < 10_000


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: best_responses(rock_paper_scissors()), "the game has the shape (3, 3)"),
        (lambda: best_responses(chicken(), {"p": [0.5, 0.5]}), "p has shape (2,)"),
        (lambda: best_responses(chicken(), equilibria=[(0, 2)]), "equilibria[0, 1] is 2"),
    ],
)
def test_the_door(call, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        call()
