"""The schema of the settings, as Pulumi.yaml has it: which keys there are, their types, defaults and descriptions."""

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TypedDict, cast

import yaml

from formats import kubeconfig_text

SECRETS = (
    "alertmanagerPassword",
    "alertmanagerToken",
    "grafanaAuth",
    "prometheusPassword",
    "prometheusToken",
    "smtpPassword",
    "tenantPassword",
    "tenantToken",
)  # never shown, and never in plain text in a stack file
# Each names a file whose content is a secret: what is no path there may be that secret, written into the wrong place.
_FILES_WITH_SECRETS = ("heartbeatUrlFile", "pagerdutyKeyFile", "slackWebhookFile", "webhookUrlFile")
PROJECT_FILE = Path(__file__).resolve().parents[2] / "Pulumi.yaml"


class SettingsError(ValueError):
    """A setting that cannot be used; the message is one sentence that says which, why and what to do."""


class Setting(TypedDict):
    """One key of the `config` block."""

    type: str
    default: str | int | bool
    description: str


@cache
def schema() -> Mapping[str, Setting]:
    """The `config` block of Pulumi.yaml: key → {type, default, description}."""
    return cast(Mapping[str, Setting], _project_file()["config"])


def choices(key: str) -> list[str]:
    """The values that a setting may have, as its description in Pulumi.yaml has them, in quotes."""
    return list(dict.fromkeys(re.findall(r'"(\w+)"', schema()[key]["description"])))


def refuse_plain(plain: Mapping[str, object], *, where: str) -> None:
    """Raise SettingsError for secrets among `plain`, settings that are not encrypted; a path is none."""
    given = plain.get("kubeconfig")
    secret = [*SECRETS, *(["kubeconfig"] if isinstance(given, str) and kubeconfig_text.contents(given) else [])]
    if found := [key for key in secret if plain.get(key)]:
        verb = "is" if len(found) == 1 else "are"
        commands = " and ".join(f"`pulumi config set --secret {key}`" for key in found)
        raise SettingsError(
            f"{where}: {' and '.join(found)} {verb} in plain text; run {commands}, which asks for the value and "
            "keeps it encrypted"
        )


def shown(key: str, value: object) -> str:
    """A value as a message may have it: without what is, or may be, a secret."""
    if value is None:  # a key with nothing behind it
        return "empty"
    if key in SECRETS:
        return "(a secret)"
    if key in _FILES_WITH_SECRETS and not str(value).startswith("/"):
        return "no path (it is not shown, as it may be the secret itself)"
    return repr(value)


def project() -> str:
    """The project's name, which is also the namespace of its configuration keys."""
    return str(_project_file()["name"])


def required_cli() -> str:
    """Which versions of the Pulumi CLI may run the program, as a range such as `>=3.219.0`."""
    return str(_project_file()["requiredPulumiVersion"])


@cache
def _project_file() -> Mapping[str, object]:
    text, loader = PROJECT_FILE.read_text("utf-8"), getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return cast(Mapping[str, object], yaml.load(text, Loader=loader))  # noqa: S506 - a safe one
