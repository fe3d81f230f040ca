"""Small changes of a function, one at a time: what a check must notice.

Each change is one that people make: + for -, max for min, one comparison for another, a constant off by one, arguments
swapped, a step left out.
"""

import ast
import copy
import inspect
import linecache
import re
import sys
import textwrap
from collections.abc import Iterator

SWAPPED_OPERATORS = {
    ast.Add: [ast.Sub],
    ast.Sub: [ast.Add],
    ast.Mult: [ast.Div, ast.Add],
    ast.Div: [ast.Mult],
    ast.Pow: [ast.Mult],
    ast.MatMult: [],
}
SWAPPED_COMPARISONS = {
    ast.Lt: [ast.LtE, ast.Gt],
    ast.LtE: [ast.Lt, ast.GtE],
    ast.Gt: [ast.GtE, ast.Lt],
    ast.GtE: [ast.Gt, ast.LtE],
    ast.Eq: [ast.NotEq],
    ast.NotEq: [ast.Eq],
}
SWAPPED_NAMES = {
    "max": ["min", "mean"],
    "min": ["max"],
    "argmax": ["argmin"],
    "argmin": ["argmax"],
    "sum": ["mean", "max"],
    "mean": ["sum"],
    "zeros": ["ones"],
    "ones": ["zeros"],
    "reversed": ["list"],
    "abs": ["float"],
}


def _changed(node: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    """Yield (description, replacement) for every small change of one node."""
    if isinstance(node, ast.BinOp):
        for kind in SWAPPED_OPERATORS.get(type(node.op), []):
            other = copy.deepcopy(node)
            other.op = kind()
            yield f"{ast.unparse(node)} -> {ast.unparse(other)}", other
        if isinstance(node.op, (ast.Mult, ast.Add, ast.Sub, ast.Div)):
            yield f"{ast.unparse(node)} -> {ast.unparse(node.left)}", copy.deepcopy(node.left)
            if isinstance(node.op, (ast.Mult, ast.Add)):
                yield f"{ast.unparse(node)} -> {ast.unparse(node.right)}", copy.deepcopy(node.right)
    if isinstance(node, ast.Compare) and len(node.ops) == 1:
        for kind in SWAPPED_COMPARISONS.get(type(node.ops[0]), []):
            other = copy.deepcopy(node)
            other.ops = [kind()]
            yield f"{ast.unparse(node)} -> {ast.unparse(other)}", other
    if isinstance(node, ast.Constant) and type(node.value) in (int, float):
        for step in (1, -1):
            other = ast.Constant(node.value + step)
            yield f"{node.value} -> {other.value}", other
    if isinstance(node, ast.Constant) and type(node.value) is bool:
        yield f"{node.value} -> {not node.value}", ast.Constant(not node.value)
    if isinstance(node, ast.Attribute) and node.attr in SWAPPED_NAMES:
        for name in SWAPPED_NAMES[node.attr]:
            yield f".{node.attr} -> .{name}", ast.Attribute(copy.deepcopy(node.value), name, ast.Load())
    if isinstance(node, ast.Name) and node.id in SWAPPED_NAMES and isinstance(node.ctx, ast.Load):
        for name in SWAPPED_NAMES[node.id]:
            yield f"{node.id} -> {name}", ast.Name(name, ast.Load())
    if isinstance(node, ast.Call) and len(node.args) >= 2:
        other = copy.deepcopy(node)
        other.args[-1], other.args[-2] = other.args[-2], other.args[-1]
        yield f"{ast.unparse(node)} -> {ast.unparse(other)}", other
    if isinstance(node, ast.UnaryOp):
        yield f"{ast.unparse(node)} -> {ast.unparse(node.operand)}", copy.deepcopy(node.operand)


def small_changes(function):
    """Yield (description, changed function) for every small change of a function's body, or a class's."""
    source = textwrap.dedent(inspect.getsource(function))
    source = source[re.search(r"^(def|class) ", source, re.MULTILINE).start() :]
    tree = ast.parse(source)
    body = tree.body[0]
    places = [n for statement in body.body for n in ast.walk(statement) if not _is_docstring(statement)]
    for index, place in enumerate(places):
        for number, (description, _) in enumerate(_changed(place)):
            fresh = ast.parse(source)
            spot = [n for s in fresh.body[0].body for n in ast.walk(s) if not _is_docstring(s)][index]
            replacement = list(_changed(spot))[number][1]
            _replace(fresh, spot, replacement)
            code = ast.unparse(ast.fix_missing_locations(fresh))
            label = f"<small change {index}.{number} of {function.__name__}>"
            linecache.cache[label] = (len(code), None, code.splitlines(keepends=True), label)
            scope = dict(vars(sys.modules[function.__module__]))
            exec(compile(code, label, "exec"), scope)
            yield f"line {place.lineno}: {description}", scope[body.name]


def _is_docstring(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


def _replace(tree: ast.AST, old: ast.AST, new: ast.AST) -> None:
    for parent in ast.walk(tree):
        for name, value in ast.iter_fields(parent):
            if value is old:
                setattr(parent, name, new)
                return
            if isinstance(value, list) and any(v is old for v in value):
                value[[v is old for v in value].index(True)] = new
                return
