"""Listings: the package's own source, its docstring cut short, and the difference of two functions."""

import inspect

from rlkit import show
from rlkit.learn.tabular import q_learning
from rlkit.mdp import TabularMDP, policy_iteration, value_iteration


def plain(x):
    """Add one.

    At length.
    """
    y = x + 1
    return y


def other(x):
    """Add two."""
    y = x + 2
    return y


def test_source_is_the_package_source_without_the_long_docstring():
    listing = show.source(value_iteration)
    body = inspect.getsource(value_iteration).split('"""')[2]
    assert listing.text.endswith(body.rstrip())
    assert '"""Yield V after each sweep of value iteration."""' in listing.text
    assert "Puterman" not in listing.text


def test_numbers_of_the_algorithm_stay_in_the_listing():
    assert all(f"# ({k})" in show.source(policy_iteration).text for k in range(1, 6))


def test_a_notebook_learns_whose_source_it_shows():
    data, metadata = show.source(plain)._repr_mimebundle_()
    assert data["text/markdown"].startswith("```python\ndef plain(x):")
    assert metadata == {"rlkit_shows": [f"{__name__}.plain"]}
    assert show.diff(plain, other).shows == [f"{__name__}.plain", f"{__name__}.other"]


def test_diff_marks_what_changes_and_keeps_the_rest():
    lines = show.diff(plain, other).text.splitlines()
    assert "-    y = x + 1" in lines
    assert "+    y = x + 2" in lines
    assert "     return y" in lines


def typed(first: int, *rest: float, gamma: float = 0.9, a_name_that_is_long: str = "x" * 30) -> dict[str, float]:
    """Do nothing."""
    return {}


def test_types_are_left_out_of_the_header_and_it_is_folded():
    lines = show.source(typed).text.splitlines()
    assert lines[0] == "def typed(first, *rest, gamma=0.9, a_name_that_is_long='x' * 30):"
    assert lines[1] == '    """Do nothing."""'
    assert max(map(len, show.source(q_learning).text.splitlines())) <= 80


def numbered(x):
    """Add one."""
    y = x + 1  # (3)
    return y


def test_diff_ignores_the_numbers_of_lines():
    assert [line for line in show.diff(plain, numbered).text.splitlines() if "y =" in line] == ["     y = x + 1"]


def test_a_class_can_be_listed():
    assert show.source(TabularMDP).text.startswith("@dataclass(frozen=True, eq=False)\nclass TabularMDP:")
