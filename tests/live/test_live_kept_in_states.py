"""What stands in the state of every stack, and in the texts of others, is understood by every later version."""

import base64
from pathlib import Path

import dill  # type: ignore[import-untyped]
import pulumi.dynamic
import pytest
import yaml

from components.live import resources, tenant_resources
from components.live.provider import Provider

assert resources and tenant_resources  # their providers are known as soon as they are loaded

GOLDEN = Path(__file__).with_name("golden_providers.yml")


def golden() -> dict[str, str]:
    """Type of a resource → its provider as a state keeps it, in base64."""
    found: dict[str, str] = yaml.safe_load(GOLDEN.read_text("utf-8"))
    return found


def providers() -> dict[str, type[Provider]]:
    """Class name → each provider that there is."""
    return {one.__name__: one for one in Provider.__subclasses__()}


def test_every_provider_has_a_golden_pickle() -> None:
    assert set(golden()) == set(providers()), (
        "write a new provider into golden_providers.yml: base64 of dill.dumps(resources.XProvider())"
    )


@pytest.mark.parametrize("name", golden())
def test_what_a_state_keeps_is_found_again_and_can_work(name: str) -> None:
    """The code of today takes back what the code of then has written: a pickle that was written once still loads."""
    kept = dill.loads(base64.b64decode(golden()[name]))
    assert type(kept) is providers()[name]
    assert isinstance(kept.load_handler(), pulumi.dynamic.ResourceProvider)


@pytest.mark.parametrize("name", golden())
def test_providers_are_kept_by_reference(name: str) -> None:
    """Else the state would have a copy of the code, and that of today would never run."""
    kept = dill.dumps(providers()[name]())
    assert len(kept) < 200
    assert name.encode() in kept


def test_marks_keep_their_form() -> None:
    """They stand in the texts of others: a stack that was deployed with an older version has to find its own."""
    from components.live.text.rule_files import RuleFiles

    assert RuleFiles().insert("rule_files: []", "/x/*.yml") == (
        "rule_files:\n"
        "  # >>> api-performance/rule_files: managed by Pulumi; edits between these two marks are overwritten "
        '{"items": "fc7b9a48c6", "was": "rule_files: []", "newline": true}\n'
        "  - /x/*.yml\n"
        "  # <<< api-performance/rule_files\n"
    )


def test_marks_are_found_whatever_they_say_of_themselves() -> None:
    from components.live.text.rule_files import RuleFiles

    text = RuleFiles().insert("rule_files: []", "/x/*.yml")
    former = text.replace('"items": "fc7b9a48c6", ', "").replace(
        "managed by Pulumi; edits between these two marks are overwritten", "kept by Pulumi, changes are lost"
    )
    assert former != text and "items" not in former
    assert RuleFiles().has(former, "/x/*.yml")
    assert RuleFiles().remove(former) == "rule_files: []"
