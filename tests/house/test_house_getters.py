"""Reading a value changes nothing: no property reports a problem, logs or writes."""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
CHANGES = {"add", "append", "extend", "insert", "update", "setdefault", "pop", "remove", "discard", "clear", "write"}
LOG = {"debug", "info", "warning", "error", "exception"}


def properties() -> Iterator[tuple[str, ast.FunctionDef]]:
    for path in (ROOT / "app").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef) and any(
                ast.unparse(decorator) in ("property", "cached_property", "functools.cached_property")
                for decorator in node.decorator_list
            ):
                yield f"{path.relative_to(ROOT)}: {node.name}", node


def has_effect(node: ast.AST) -> bool:
    """Whether this assigns to what it did not make itself, or calls what changes or logs something."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        return node.func.attr in CHANGES | LOG
    targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
    is_assignment = isinstance(node, ast.Assign | ast.AugAssign | ast.AnnAssign | ast.NamedExpr)
    return is_assignment and any(isinstance(target, ast.Attribute | ast.Subscript) for target in targets)


def test_a_property_changes_nothing():
    found = [name for name, function in properties() if any(has_effect(node) for node in ast.walk(function))]

    assert found == []


def test_there_are_properties_to_look_at():
    assert "app/config/settings.py: secret_values" in [name for name, _ in properties()]


def test_what_a_start_request_holds_is_evaluated_before_it_is_made():
    """Its accessors once reported problems when they were read. It has fields only, so that reading it cannot."""
    tree = ast.parse((ROOT / "app" / "config" / "start" / "request.py").read_text())
    [request] = [node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == "StartRequest"]

    assert [type(node) for node in request.body if not isinstance(node, ast.Expr)] == [ast.AnnAssign] * 8
