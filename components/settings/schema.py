"""The schema of the settings, as Pulumi.yaml has it: which keys there are, their types, defaults and descriptions."""

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TypedDict, cast

import yaml

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
