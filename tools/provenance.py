"""Fingerprints that tell whether a notebook's outputs still belong to the manuscript and the package beside it."""

from __future__ import annotations

import ast
import hashlib
import modulefinder
import re
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = "rlkit"
LOADED = re.compile(r"(?<![.\w])load\(\s*[\"']([\w.]+)[\"']")
EXERCISES = re.compile(r"(?<![.\w])(?:check|working|quiz|progress)\(\s*((?:[\"'][\w.]+[\"']\s*,?\s*)+)")
# Fields of a syntax tree that come and go between Python versions, or never change what the code does.
IGNORED_FIELDS = {"kind", "type_comment", "type_params"}


def sha256(text: str) -> str:
    """Return the SHA-256 of a text, in hexadecimal."""
    return hashlib.sha256(text.encode()).hexdigest()


def tree_hash(source: str) -> str:
    """Return a hash of what the code does: blind to comments, layout and docstrings, equal on Python 3.11 to 3.13."""
    return sha256(_canonical(ast.parse(source)))


def _canonical(node: object) -> str:
    """Write a syntax tree as text. ``ast.dump`` would do, if Python 3.13 had not changed its form."""
    if isinstance(node, list):
        return f"[{','.join(map(_canonical, node))}]"
    if not isinstance(node, ast.AST):
        return ascii(node)  # not repr: which characters it escapes depends on the version's Unicode tables
    fields = [(name, value) for name, value in ast.iter_fields(node) if name not in IGNORED_FIELDS]
    if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and _has_docstring(node):
        fields = [(name, value[1:] if name == "body" else value) for name, value in fields]
    if isinstance(node, ast.JoinedStr):  # Python 3.12 ends some f-strings with an empty piece
        fields = [("values", [part for part in node.values if getattr(part, "value", None) != ""])]
    kept = [f"{name}={_canonical(value)}" for name, value in fields if value is not None and value != []]
    return f"{type(node).__name__}({','.join(kept)})"


def _has_docstring(node: ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    return ast.get_docstring(node, clean=False) is not None


def python_of(cell: str) -> str:
    """Return the code of a cell without the lines that are for IPython: ``%magic``, ``!command``."""
    return "\n".join(line for line in cell.splitlines() if not line.lstrip().startswith(("%", "!")))


def modules(cells: Iterable[str], root: Path = ROOT) -> dict[str, str]:
    """Return {name: hash} of every module of the package that these cells import, directly or through others.

    Imports inside functions count too, and the exercises that the cells name: ``check("mdps.return_by_hand", ...)``.
    """
    cells = list(cells)
    named = {
        name.split(".")[0] for cell in cells for ids in EXERCISES.findall(cell) for name in re.findall(r"[\w.]+", ids)
    }
    finder = modulefinder.ModuleFinder(path=[str(root)])
    for number, cell in enumerate([*cells, *(f"import {PACKAGE}.exercises.{name}" for name in sorted(named))]):
        finder.scan_code(compile(python_of(cell), f"cell {number}", "exec"), finder.add_module("__main__"))
    files = {name: module.__file__ for name, module in finder.modules.items()}  # type: ignore[attr-defined]
    ours = sorted(name for name in files if name.split(".")[0] == PACKAGE and files[name])
    return {name: tree_hash(Path(files[name]).read_text("utf-8")) for name in ours}


def results(cells: Iterable[str], root: Path = ROOT) -> dict[str, str]:
    """Return {name: hash} of every stored result that these cells load by name, ``load("dqn.cartpole")``.

    Raises:
        ValueError: there is no such result (any more).
    """
    hashes = {}
    for name in sorted({name for cell in cells for name in LOADED.findall(cell)}):
        file = root / PACKAGE / "experiments" / "results" / f"{name}.json"
        if not file.is_file():
            raise ValueError(f"the result {name} is loaded in a chapter, but there is no {file.relative_to(root)}")
        hashes[name] = sha256(file.read_text("utf-8"))
    return hashes


def shown_source(qualified: str, root: Path = ROOT) -> str:
    """Return what ``inspect.getsource`` would print for, say, ``rlkit.mdp.solvers.value_iteration``, importing nothing.

    Raises:
        ValueError: there is no such function or class (any more).
    """
    parts = qualified.split(".")
    for split in range(len(parts), 0, -1):
        base = root.joinpath(*parts[:split])
        file = next((f for f in (base.with_suffix(".py"), base / "__init__.py") if f.is_file()), None)
        if file is not None:
            return _definition(file, parts[split:], qualified)
    raise ValueError(f"{qualified} is shown in a chapter, but there is no such module")


def _definition(file: Path, path: list[str], qualified: str) -> str:
    source = file.read_text("utf-8")
    node: ast.AST = ast.parse(source)
    for name in path:
        found = [child for child in ast.iter_child_nodes(node) if getattr(child, "name", None) == name]
        if not found:
            raise ValueError(f"{qualified} is shown in a chapter, but {file.name} does not define {name}")
        node = found[-1]
    if not path:
        return source
    assert isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
    first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
    return "".join(source.splitlines(keepends=True)[first - 1 : node.end_lineno])


def shown(names: Iterable[str], root: Path = ROOT) -> dict[str, str]:
    """Return {qualified name: hash of its source} for the functions that a notebook prints."""
    return {name: sha256(shown_source(name, root)) for name in sorted(set(names))}
