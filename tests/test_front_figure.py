"""The figure on the front page is what the package draws."""

from tools.front_figure import FILE, front_figure


def test_the_front_figure_is_current():
    assert FILE.read_text(encoding="utf-8") == front_figure(), "run `make notebooks`"
