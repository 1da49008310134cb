"""Names that stand in the state of every stack: renaming one strands what was deployed under it."""

import importlib

import dill  # type: ignore[import-untyped]
import pulumi.dynamic
import pytest

FROZEN = {
    "monitoring:ConfigText": ("components.live.resources", "ConfigText", "ConfigTextProvider"),
    "monitoring:Mount": ("components.live.resources", "Mount", "MountProvider"),
    "monitoring:PreviousDashboard": ("components.live.resources", "PreviousDashboard", "PreviousDashboardProvider"),
    "monitoring:DashboardFolder": (
        "components.live.resources",
        "DashboardFolder",
        "DashboardFolderProvider",
    ),
    "monitoring:Live": ("components.live.resources", "Live", "LiveProvider"),
    "monitoring:Withdrawn": ("components.live.resources", "Withdrawn", "WithdrawnProvider"),
}


@pytest.mark.parametrize("type_", FROZEN)
def test_modules_and_classes_keep_their_names(type_: str) -> None:
    module, resource, provider = FROZEN[type_]
    found = importlib.import_module(module)
    assert issubclass(getattr(found, resource), pulumi.dynamic.Resource)
    assert issubclass(getattr(found, provider), pulumi.dynamic.ResourceProvider)
    assert f"{getattr(found, resource)._resource_type_name}" in (type_, f"dynamic/{type_}")


@pytest.mark.parametrize("type_", FROZEN)
def test_providers_are_kept_by_reference(type_: str) -> None:
    """So that the code of today takes back what the code of then has written."""
    module, _, provider = FROZEN[type_]
    kept = dill.dumps(getattr(importlib.import_module(module), provider)())
    assert len(kept) < 200 and module.encode() in kept and provider.encode() in kept


def test_marks_keep_their_form() -> None:
    """They stand in the texts of others: a stack that was deployed with an older version has to find its own."""
    from components.live.text.rule_files import RuleFiles

    assert RuleFiles().insert("rule_files: []", "/x/*.yml") == (
        "rule_files:\n"
        "  # >>> api-performance/rule_files: kept by Pulumi, changes above the closing line are lost "
        '{"was": "rule_files: []", "newline": true}\n'
        "  - /x/*.yml\n"
        "  # <<< api-performance/rule_files\n"
    )
