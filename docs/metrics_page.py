"""The page of the metrics, docs/metrics.md, read out of the code that makes them: name, labels and meaning."""

import ast
from collections.abc import Iterator
from pathlib import Path

APP = Path(__file__).parent.parent / "app"
SOURCES = (APP / "metrics" / "counters.py", *sorted((APP / "health").glob("*gauges.py")))
SUFFIXES = {"counter": "_total", "CounterMetricFamily": "_total"}
"""What Prometheus appends to the names of what a function makes."""

OF_PROCESSES = "_by_process"


def metrics_page() -> str:
    """Return the page."""
    return "\n".join(_page()) + "\n"


def every_metric() -> dict[str, tuple[str, str]]:
    """Return labels and meaning of each metric, by name."""
    found = [each for path in SOURCES for each in _metrics_in(ast.parse(path.read_text()))]
    return {name: (labels, meaning) for name, labels, meaning in sorted(found)}


def _page() -> Iterator[str]:
    yield "# Metrics"
    yield ""
    yield "Generated from the code by `make docs`. `GET /metrics` shows them to a token of scope `operate`;"
    yield "[monitor.md](monitor.md#what-to-watch) says which to watch, [runbooks.md](runbooks.md) what to do, and"
    yield "`deploy/prometheus` has alert rules and a dashboard. A histogram also has `_bucket`, `_count` and `_sum`."
    yield ""
    yield "| metric | labels | meaning |"
    yield "| --- | --- | --- |"
    for name, (labels, meaning) in every_metric().items():
        yield f"| `{name}` | {labels} | {meaning} |"


def _metrics_in(tree: ast.AST) -> Iterator[tuple[str, str, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and (texts := _texts(node.args))[:1]:
            name, function = texts[0], node.func.id
            if name.startswith("wats_"):
                labels = "process" if function == OF_PROCESSES else _labels(node)
                yield name + SUFFIXES.get(function, ""), labels, _meaning(node, tree)


def _texts(nodes: list[ast.expr]) -> list[str]:
    return [node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)]


def _meaning(call: ast.Call, tree: ast.AST) -> str:
    """Return the second argument; where it is a name, the text that was given to it."""
    meaning = call.args[1]
    if isinstance(meaning, ast.Name):
        [meaning] = [
            node.value
            for node in ast.walk(tree)
            if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == ast.unparse(meaning)
        ]
    return str(ast.literal_eval(meaning))


def _labels(call: ast.Call) -> str:
    lists = [*call.args[2:], *(keyword.value for keyword in call.keywords if keyword.arg == "labels")]
    return ", ".join(text for each in lists if isinstance(each, ast.List) for text in _texts(each.elts))
