"""The pitch says who is where and who does what; a recorded game keeps the score; and a person can play one, without a screen."""

import re

import numpy as np
import pytest

from rlkit.games.soccer import ACTIONS, KICK_OFF, position_of, state_of
from rlkit.show.soccer import COLUMNS, KEYS, ROWS, Kickabout, pitch, play_soccer, soccer_film
from tests.show.reading import texts

N, S, E, W, STAND = range(5)
A, B = 0, 1
STILL = np.tile(np.eye(5)[STAND], (760, 1))
RUN = {move: np.tile(np.eye(5)[move], (760, 1)) for move in (N, S, E, W)}


def middles(svg, colour):
    """Return the middle of every disc of a player, or of every amber shape, in points, in the order in which they are drawn."""
    found = []
    for d, style in re.findall(r'<path d="([^"]*)"[^>]*style="([^"]*)"', svg):
        if f"fill:var(--rlk-{colour})" in style and ("stroke" in style) == (colour != "amber"):
            numbers = np.array(re.findall(r"-?[\d.]+", d), float).reshape(-1, 2)
            found.append((numbers.min(axis=0) + numbers.max(axis=0)) / 2)
    return found


@pytest.mark.parametrize("position", [((1, 3), (2, 1), A), ((1, 3), (2, 1), B), ((0, 0), (3, 4), B)])
def test_everybody_stands_where_the_state_says(position):
    """The discs' places are compared with those of another state: a column is as wide as a row is high, and they move by both."""
    other = ((2, 2), (0, 3), 1 - position[2])
    drawn, moved = pitch(state_of(*position)), pitch(state_of(*other))
    discs = [
        {name: middles(p.svg, colour)[-1] for name, colour in (("A", "blue"), ("B", "red"))} for p in (drawn, moved)
    ]
    square = 0.46 * 72
    for name, before, after in zip("AB", position, other, strict=False):
        shift = (np.array(after) - before)[::-1] * square
        assert discs[1][name] - discs[0][name] == pytest.approx(shift, abs=0.25)
    ball = [middles(p.svg, "amber")[-1] for p in (drawn, moved)]
    for place, disc, (_, _, owner) in zip(ball, discs, (position, other), strict=True):
        near, far = (np.hypot(*(place - disc[name])) for name in ("AB"[owner], "BA"[owner]))
        assert near < 0.5 * square < far
    cells = [f"{n} in row {r + 1}, column {c + 1}" for n, (r, c) in zip("AB", position[:2], strict=True)]
    assert drawn.alt == f"{' and '.join(cells)}; {'AB'[position[2]]} has the ball"
    assert texts(drawn.svg) == ["A", "B"]


def test_a_title_is_drawn_and_told_and_an_alt_replaces_all():
    s = state_of(*KICK_OFF, A)
    assert pitch(s, "now").alt.startswith("now. A in row 2, column 4 and B in row 3, column 2")
    assert "now" in texts(pitch(s, "now").svg) and pitch(s, "now", alt="a game").alt == "a game"


def test_chances_are_drawn_and_told():
    s = state_of((1, 2), (1, 1), A)
    picture = pitch(s, chances=([0, 0.651, 0, 0, 0.349], [0, 0.25, 0, 0.7498, 0.0002]))
    assert picture.alt.endswith("A has the ball; A moves S 0.651, stand 0.349; B moves S 0.250, W 0.750")
    assert sorted(texts(picture.svg)) == ["0.25", "0.35", "0.65", "0.75", "A", "B"]


def test_a_move_off_the_board_is_drawn_as_staying_unless_it_is_a_goal():
    corner = state_of((0, 0), (2, 4), A)
    picture = pitch(corner, chances=([0.3, 0.2, 0, 0.1, 0.4], [0, 0, 0.5, 0, 0.5]))
    assert sorted(texts(picture.svg)) == ["0.20", "0.80", "1.00", "A", "B"], "B has no ball to score with"
    with_ball = pitch(state_of((0, 0), (2, 4), B), chances=([0, 0, 0, 0, 1], [0, 0, 0.5, 0, 0.5]))
    assert sorted(texts(with_ball.svg)) == ["0.50", "0.50", "1.00", "A", "B"]
    scores = pitch(state_of((1, 0), (2, 4), A), chances=([0, 0, 0, 0.9, 0.1], [0, 0, 0, 0, 1]))
    assert sorted(texts(scores.svg)) == ["0.10", "0.90", "1.00", "A", "B"]


def test_arrows_are_told_and_each_is_a_shape():
    s = state_of((1, 2), (1, 1), A)
    none, two = pitch(s), pitch(s, arrows="SN")
    assert two.alt.endswith("A has the ball; arrows: S, N")
    assert two.svg.count("--rlk-amber") > none.svg.count("--rlk-amber")


# -- a recorded game -----------------------------------------------------------------------------------------------------


def pictures(film):
    return list(film.draw(step=i) for i in range(len(film.axes["step"])))


def test_a_film_follows_the_game_and_its_score():
    """A runs W and B stands at (2, 1): from A's kick-off a goal in the fourth step, and again after each of A's kick-offs."""
    seed = next(seed for seed in range(20) if position_of(Kickabout(STILL, 1).reset(seed).s)[2] == A)
    film = soccer_film((RUN[W], STILL), seed, steps=6)
    shown = pictures(film)
    assert len(shown) == 7 and "A 0 : 0 B · kick-off" in shown[0].alt
    for t, picture in enumerate(shown[:4]):
        assert f"A in row 2, column {4 - t} and B in row 3, column 2; A has the ball" in picture.alt
        assert "A 0 : 0 B" in picture.alt
    assert "A 1 : 0 B · goal for A" in shown[4].alt and "A in row 2, column 4 and B in row 3, column 2" in shown[4].alt
    assert "A 1 : 0 B" in shown[5].alt and "goal" not in shown[5].alt
    assert [p.alt for p in pictures(soccer_film((RUN[W], STILL), seed, steps=6))] == [p.alt for p in shown]


def test_a_lost_ball_and_the_names_are_told():
    """From B's kick-off, B walks N and then E into A, who stands: the ball is A's."""
    game = Kickabout(STILL, 10, ("Ann", "Bob")).reset(next(k for k in range(20) if Kickabout(STILL, 1).reset(k).s % 2))
    assert position_of(game.s) == (*KICK_OFF, B)
    for o in (N, E, E):
        assert "Ann 0 : 0 Bob" in game.draw().alt and game.last in ("", "kick-off")
        game.step(o)
    assert game.last == "Bob lost the ball" and position_of(game.s)[2] == A
    assert game.draw().alt.startswith("Ann 0 : 0 Bob · Bob lost the ball. ")


def test_a_recorded_game_is_small():
    random = np.full((760, 5), 1 / 5)
    assert len(soccer_film((random, random), 0, steps=40).html.encode()) < 200_000


# -- a game to play ------------------------------------------------------------------------------------------------------


def sitting(policy=STILL, **options):
    page = soccer_film((STILL, STILL), 0, steps=2)
    return play_soccer(policy, {"one who runs": RUN[E], "one who stands": STILL}, page, **options), page


def b_kicks_off():
    return next(seed for seed in range(20) if position_of(Kickabout(STILL, 1).reset(seed).s)[2] == B)


def press(cockpit, name, times=1):
    cockpit.lever.index = list(KEYS).index(name)
    for _ in range(times):
        cockpit.clock.value += 1


def test_buttons_move_b_and_the_score_is_kept():
    """B, with the ball at (2, 1), runs E and scores in the fourth step. In the same match one who runs does the same."""
    seed = b_kicks_off()
    steered, _ = sitting(steps=4, seed=seed)
    cockpit = steered.cockpit()
    assert cockpit.text.value.startswith("<b>you: 0 ahead</b>")
    press(cockpit, "east", 3)
    assert "B in row 3, column 5; B has the ball" in cockpit.screen.value and not cockpit._over
    press(cockpit, "east")
    assert "A 0 : 1 you · goal for you" in cockpit.screen.value
    told = "<b>you: 1 ahead</b> · one who runs: 1 ahead · one who stands: 0 ahead · on the same match"
    assert cockpit.text.value == told and not cockpit.clock.playing


def test_keys_and_every_direction():
    steered, page = sitting(steps=50, seed=b_kicks_off())
    cockpit = steered.cockpit()
    where = lambda: re.search(r"B in row (\d), column (\d)", cockpit.screen.value).groups()  # noqa: E731
    assert where() == ("3", "2")
    for key, place in (("w", "22"), ("d", "23"), ("s", "33"), ("a", "32"), ("x", "32")):
        cockpit.typed.value = key
        cockpit.clock.value += 1
        assert "".join(where()) == place
    assert [label for label, _ in cockpit.lever.options] == [f"{name} ({key})" for name, key in KEYS.items()]
    assert steered.html == page.html and "rlk-player" in page.html
    assert "application/vnd.jupyter.widget-view+json" in steered._repr_mimebundle_()


def test_a_moves_by_its_policy_and_can_score_against_you():
    """A, with the ball, runs W while the person stands: −1, and the picture says who scored."""
    seed = next(k for k in range(20) if position_of(Kickabout(STILL, 1).reset(k).s)[2] == A)
    cockpit = sitting(RUN[W], steps=4, seed=seed)[0].cockpit()
    cockpit.start.value = True
    press(cockpit, "stand", 4)
    assert cockpit.text.value.startswith("<b>you: −1 ahead</b>") and "A 1 : 0 you · goal for A" in cockpit.screen.value


def test_a_mixed_policy_is_drawn_with_its_chances():
    """A at a fair coin between N and S: of 400 first steps, N in 200 ± 62, which fails less than once in 10^9."""
    mixed = (RUN[N] + RUN[S]) / 2
    game, north = Kickabout(mixed, 1), 0
    for seed in range(400):
        game.reset(seed)
        game.step(STAND)
        north += position_of(game.s)[0][0] == 0
    assert 138 < north < 262


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (lambda: pitch(760), "s is 760"),
        (lambda: pitch(0, arrows="X"), "arrows is 'X'"),
        (lambda: pitch(0, chances=[np.ones(5) / 5]), "chances holds 1, but one for A and one for B"),
        (lambda: pitch(0, chances=[np.ones(4) / 4] * 2), r"chances\[0\] has shape \(4,\)"),
        (lambda: pitch(0, chances=[np.ones(5)] * 2), r"chances\[0\] sums to 5"),
        (lambda: Kickabout(STILL[:3], 5), r"policy has shape \(3, 5\)"),
        (lambda: Kickabout(2 * STILL, 5), r"policy\[0\] sums to 2"),
        (lambda: Kickabout(STILL, 0), "steps is 0"),
        (lambda: soccer_film((STILL, STILL[:3])), r"policies\[1\] has shape"),
        (lambda: soccer_film((STILL, STILL), steps=64), "steps is 64, but a film has at most 63"),
        (lambda: sitting(interval=5), "interval is 5"),
        (lambda: play_soccer(STILL, {"she": STILL[:2]}, None), r"rivals\['she'\] has shape"),
    ],
)
def test_what_cannot_be_drawn_is_refused(wrong, says):
    with pytest.raises(ValueError, match=says):
        wrong()


def test_the_board_is_that_of_the_game():
    assert (ROWS, COLUMNS) == (4, 5) and len(ACTIONS) == len(KEYS) == len(set(KEYS.values()))
