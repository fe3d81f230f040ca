"""The rules of the house: who may import whom, no hidden randomness, docstrings for what is public."""

import ast
import importlib
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tools import notebooks, provenance
from tools.provenance import ROOT

# Each room may import from itself and from the rows above its own. Rooms that do not exist yet are passed over.
ROWS = [{"core"}, {"mdp", "nets"}, {"games"}, {"envs"}, {"learn"}, {"show", "exercises", "experiments"}]
DRAWING = {"matplotlib", "ipywidgets", "IPython"}
HEAVY = {"torch", "Box2D", "pygame", *DRAWING}  # the last two drive Lunar Lander
LIGHT = {"rlkit", "rlkit.core", "rlkit.mdp", "rlkit.games", "rlkit.envs", "rlkit.exercises", "rlkit.experiments"}
LIGHT |= {"rlkit.core.types", "rlkit.mdp.policy_gradient", "rlkit.mdp.advantages"}
LIGHT |= {f"rlkit.exercises.{name}" for name in ("dqn", "policy_gradients", "actor_critic", "ddpg", "marl", "madqn")}
LIGHT |= {f"rlkit.exercises.{name}" for name in ("games", "nash_q")}
LIGHT |= {
    f"rlkit.games.{name}" for name in ("equilibria", "zero_sum", "dynamics", "shapley", "soccer", "grid_games", "stage")
}
LIGHT |= {
    f"rlkit.experiments.{name}"
    for name in (
        "dqn",
        "driving",
        "policy_gradients",
        "actor_critic",
        "a3c",
        "ddpg",
        "families",
        "checkpoints",
        "populations",
        "madqn",
        "minimax_q",
        "nash_q",
    )
}
LIGHT |= {f"rlkit.learn.{name}" for name in ("tabular", "minimax_q", "nash_q")}
LIGHT |= {f"rlkit.learn.{name}" for name in ("independent", "dynamics", "dec", "teams", "markov_games", "opponents")}
LIGHT |= {"rlkit.envs.pursuit"}
MODULES = sorted((ROOT / "rlkit").rglob("*.py"))
GLOBAL_RANDOM = re.compile(
    r"np\.random\.(?!default_rng\b|Generator\b|SeedSequence\b|PCG64\b|BitGenerator\b)\w+"
    r"|random\.(?!Random\b)\w+|torch\.(manual_seed|seed|initial_seed)"
)
RANDOM_MODULES = {"random", "numpy.random"}


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(tree: ast.AST) -> Iterator[str]:
    """Yield every module that a syntax tree imports, lazy imports in functions included."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "write imports in full: from rlkit.mdp import ..."
            yield node.module or ""
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def row(room: str) -> int:
    return next(number for number, rooms in enumerate(ROWS) if room in rooms)


def room_of(module: str) -> str | None:
    parts = module.split(".")
    return parts[1] if parts[0] == "rlkit" and len(parts) > 1 else None


def test_every_room_has_its_place() -> None:
    rooms = {path.parent.name for path in (ROOT / "rlkit").glob("*/__init__.py")}
    assert rooms <= set().union(*ROWS)


@pytest.mark.parametrize("path", MODULES, ids=module_name)
def test_imports_point_down(path: Path) -> None:
    room = room_of(module_name(path))
    for module in imports(ast.parse(path.read_text("utf-8"))):
        other = room_of(module)
        if other is None or not any(other in rooms for rooms in ROWS):
            continue
        assert room is not None, f"rlkit/__init__.py imports {module}: it must stay light"
        assert other == room or row(other) < row(room), f"rlkit.{room} must not import {module}"


@pytest.mark.parametrize("path", MODULES, ids=module_name)
def test_only_show_draws(path: Path) -> None:
    used = {module.split(".")[0] for module in imports(ast.parse(path.read_text("utf-8")))}
    if room_of(module_name(path)) != "show":
        assert not used & DRAWING


@pytest.mark.parametrize("module", sorted(LIGHT & {module_name(path) for path in MODULES}))
def test_loads_without_what_is_heavy(module: str) -> None:
    code = f"import sys, {module}; print(*({HEAVY!r} & sys.modules.keys()))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT).stdout
    assert loaded.split() == []


# --- randomness is an argument ---


def sources() -> Iterator[tuple[str, str]]:
    for folder in ("rlkit", "tests", "tools"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            yield str(path.relative_to(ROOT)), path.read_text("utf-8")
    for path in sorted(notebooks.NOTEBOOKS.glob("*.ipynb")):
        for number, cell in enumerate(notebooks.load(path)["cells"], start=1):
            if cell["cell_type"] == "code":
                yield f"{path.name}, cell {number}", provenance.python_of(cell["source"])


def global_randomness(source: str) -> list[str]:
    """Return the uses of a generator that all code shares, so that one run could change another."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Attribute):
            text = ast.unparse(node).replace("numpy.", "np.", 1)
            found += [text] if GLOBAL_RANDOM.fullmatch(text) else []
        elif isinstance(node, ast.ImportFrom) and node.module in RANDOM_MODULES:
            found += [
                f"from {node.module} import {alias.name}"
                for alias in node.names
                if GLOBAL_RANDOM.fullmatch(f"{node.module.replace('numpy', 'np')}.{alias.name}")
            ]
    return found


def test_no_global_generator_is_used() -> None:
    assert {where: found for where, source in sources() if (found := global_randomness(source))} == {}


@pytest.mark.parametrize(
    ("source", "bad"),
    [
        ("np.random.seed(0)", True),
        ("numpy.random.rand()", True),
        ("random.choice([1])", True),
        ("from random import choice", True),
        ("from numpy.random import rand", True),
        ("torch.manual_seed(0)", True),
        ("np.random.default_rng(0).random()", False),
        ("rng.random()", False),
        ("x: np.random.Generator", False),
        ("random.Random(1).choice([1])", False),
    ],
)
def test_the_search_for_global_generators(source: str, bad: bool) -> None:
    assert bool(global_randomness(source)) is bad


# --- what is public is described ---


@pytest.mark.parametrize("package", sorted(module_name(path) for path in MODULES if path.name == "__init__.py"))
def test_public_names_have_docstrings(package: str) -> None:
    module = importlib.import_module(package)
    assert (module.__doc__ or "").strip()
    for name in getattr(module, "__all__", []):
        thing = getattr(module, name)
        if callable(thing):
            assert (thing.__doc__ or "").strip(), f"{package}.{name}"
            assert not (thing.__doc__ or "").startswith(f"{name}("), (
                f"{package}.{name} has only the docstring of dataclass"
            )


# --- nothing of the machine on which it was written ---

TRACES = re.compile(
    r"(?<![\w.])/(?:home|root|work|Users|opt|mnt)/\w+|[A-Z]:\\\\Users|\.invalid\b|(?:pypi|index-url|artifactory)[\w.-]*/simple"
)


def tracked() -> list[Path]:
    command = ["git", "ls-files", "-co", "--exclude-standard", "-z"]
    found = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    if found.returncode:
        pytest.skip("not a git repository")
    return [ROOT / name for name in found.stdout.split("\0") if name and (ROOT / name).is_file()]


def test_no_path_of_a_machine_and_no_registry_in_any_file() -> None:
    found = {}
    for path in tracked():
        try:
            text = path.read_text("utf-8")
        except UnicodeDecodeError:
            continue  # a picture
        if path != Path(__file__) and (match := TRACES.search(text)):
            found[str(path.relative_to(ROOT))] = match[0]
    assert found == {}
