"""A key that this program does not know is a warning, as Alertmanager may know it; one nearly known is a mistake."""

from pathlib import Path

import pytest

import routing
from routing import RoutingError

TEXT = routing.load().text
PLACES = {
    "the configuration": ("route:\n", "{}: true\nroute:\n"),
    "`global` of the configuration": ("global:\n", "global:\n  {}: true\n"),
    "the first route": ("route:\n", "route:\n  {}: true\n"),
    "a route": ("    - receiver: api-critical\n", "    - receiver: api-critical\n      {}: true\n"),
    "a receiver": ("  - name: api-critical\n", "  - name: api-critical\n    {}: true\n"),
    "a mail": ("      - to: ", "      - {}: true\n        to: "),
    "an inhibition": ("  - source_matchers:", "  - {}: true\n    source_matchers:"),
}


def with_key(place: str, key: str) -> routing.Routing:
    old, new = PLACES[place]
    assert old in TEXT
    return routing.read(TEXT.replace(old, new.format(key), 1), Path("alertmanager.yml"))


@pytest.mark.parametrize("place", PLACES)
def test_a_key_of_a_newer_alertmanager_is_a_warning(place: str) -> None:
    (line,) = with_key(place, "quantum_foam").warnings
    assert line.startswith("alertmanager.yml:")
    assert line.endswith("has the key `quantum_foam`, which this program does not know; amtool decides")


@pytest.mark.parametrize(
    ("place", "key", "meant"),
    [
        ("the configuration", "receiver", "receivers"),
        ("`global` of the configuration", "smtp_smart_host", "smtp_smarthost"),
        ("the first route", "group_wiat", "group_wait"),
        ("a route", "repeat_intervall", "repeat_interval"),
        ("a receiver", "email_config", "email_configs"),
        ("a mail", "auth_user_name", "auth_username"),
        ("an inhibition", "source_matcher", "source_matchers"),
    ],
)
def test_a_key_that_is_nearly_known_is_refused_with_the_right_one(place: str, key: str, meant: str) -> None:
    with pytest.raises(RoutingError, match=f"has the unknown key `{key}`: did you mean {meant}\\?"):
        with_key(place, key)


def test_our_own_file_has_no_unknown_key() -> None:
    assert routing.load().warnings == ()
