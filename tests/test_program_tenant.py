"""What the program declares for a tenant of Mimir or Cortex, under Pulumi's mocks."""

import pytest
import yaml

from ops.errors import Misconfigured
from ops.stack.declared import SECRET
from tests.test_program import FILES, declared, one, reaches


def test_a_tenant_is_given_every_group_and_the_password_in_its_text_alone() -> None:
    tenant = {"rulesMode": "ruler", "alertmanagerMode": "tenant", "rulerUrl": "https://mimir.example"}
    with pytest.raises(Misconfigured, match=r"reads no files, so .* cannot come from /.*: set smtpPassword"):
        declared(**tenant, grafanaMode="off")
    found = declared(**tenant, grafanaMode="off", smtpPassword="hunter2", tenantToken="hunter3")
    groups = {group["name"]: group for text in FILES.values() for group in yaml.safe_load(text)["groups"]}
    stored = one(found, ":RuleGroups").inputs["groups"]
    assert {name: yaml.safe_load(text) for name, text in stored.items()} == groups
    assert one(found, ":RulerNamespace").name in reaches(found, one(found, ":RuleGroups").name)
    assert one(found, ":TenantText").inputs["ours"] == SECRET
    assert "hunter" not in str(found)
    assert {entry.type for entry in found if entry.type.startswith("kubernetes:")} == set()
    whole = declared(**tenant, grafanaMode="off", smtpPassword="hunter2", alertmanagerReplace=True)
    assert "hunter2" not in str(whole)
