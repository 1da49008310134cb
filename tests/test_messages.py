"""What a person reads when something is wrong: one spelling for all, so that sentences of several parts fit together.

A message begins small, unless with a name, and ends without a full stop, as a command line prints it alone and other
messages quote it.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.test_architecture import modules

# Words that are written with a capital wherever they stand.
NAMES = {
    *("Prometheus", "Alertmanager", "Grafana", "Kubernetes", "Pulumi", "Go", "PromQL", "YAML", "JSON", "UTC", "API"),
    *(
        "ConfigMap",
        "Deployment",
        "StatefulSet",
        "DaemonSet",
        "Secret",
        "AlertmanagerConfig",
        "PrometheusRule",
        "TestAPIAlert",
        "RE2",
        "Resource",
    ),
}


def literal(node: ast.expr) -> str | None:
    """The text of a literal, `{}` for what is filled in."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values)
    return None


def raised(path: Path) -> Iterator[tuple[int, str]]:
    """Each text that is raised as an error: (line, text)."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call) and node.exc.args:
            text = literal(node.exc.args[0])
            if text:
                yield node.lineno, text


@pytest.mark.parametrize("path", [pytest.param(path, id=module) for module, path in modules()])
def test_messages_begin_small_and_end_without_a_full_stop(path: Path) -> None:
    wrong = []
    for line, text in raised(path):
        first = text.split()[0].strip("`'\"(:,;")
        begins = first[:1].isupper() and first not in NAMES and not first.isupper()
        if begins or (text.endswith(".") and not text.endswith("…")):
            wrong.append(f"{path.name}:{line}: {text}")
    assert wrong == []
