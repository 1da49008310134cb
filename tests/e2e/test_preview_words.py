"""What a reviewer reads: `pulumi preview --diff` says a change in a few lines, and the outputs say what runs."""

import json
import subprocess
from collections.abc import Callable

import pytest

import dashboards
import routing
import rules
from tests.e2e.rig import Rig
from tests.support.limits import changed, other

MOST_LINES = 40
ALERT = next(alert for alert in rules.alerts().values() if alert.is_house)
CONFIG_MAP = "api-performance-alerts"


def pulumi(rig: Rig, *arguments: str) -> str:
    """What a person's `pulumi` prints on standard output."""
    access = rig.engine.access
    command = ["pulumi", *arguments, "--stack", access.stack, "--non-interactive"]
    done = subprocess.run(command, cwd=rig.program, env=rig.env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def previewed(rig: Rig) -> list[str]:
    file = str(rig.engine.access.config_file)
    return pulumi(rig, "preview", "--diff", "--config-file", file, "--color", "never").splitlines()


def said(lines: list[str], sign: str) -> list[str]:
    """The lines of components that went (`-`) or came (`+`)."""
    return [line.strip().removeprefix(f"{sign} ") for line in lines if line.strip().startswith(f"{sign} ")]


def one_limit(rig: Rig) -> None:
    path = rig.program / "rules" / ALERT.file.name
    path.write_text(changed(ALERT, other(ALERT))(path.read_text("utf-8")), "utf-8")


def one_alert(rig: Rig) -> None:
    path = rig.program / "rules" / ALERT.file.name
    text = path.read_text("utf-8")
    begin = text.index(f"      - alert: {ALERT.name}\n")
    end = text.index("      - alert: ", begin + 1)
    fresh = text[begin:end].replace(ALERT.name, "APISomethingElse")
    path.write_text(text[:end] + fresh + text[end:], "utf-8")


def one_route(rig: Rig) -> None:
    interval = routing.load().config["route"]["routes"][0]["repeat_interval"]
    text = (rig.program / "routing" / "alertmanager.yml").read_text("utf-8")
    place = text.index(f"repeat_interval: {interval}", text.index("  routes:"))
    fresh = text[:place] + text[place:].replace(f"repeat_interval: {interval}", "repeat_interval: 77m", 1)
    (rig.program / "routing" / "alertmanager.yml").write_text(fresh, "utf-8")


def one_panel(rig: Rig) -> None:
    title = dashboards.load().panels[0].title
    rig.edit(f"dashboards/{dashboards.FILE.name}", f'"title": "{title}"', '"title": "Another title"')


@pytest.mark.parametrize(
    ("change", "gone", "come"),
    [
        (one_limit, [f"alert {ALERT.name}: "], [f"alert {ALERT.name}: "]),
        (one_alert, [], ["alert APISomethingElse: "]),
        (one_route, ["route "], ["route "]),
        (one_panel, [f"panel {dashboards.load().panels[0].title}: "], ["panel Another title: "]),
    ],
)
@pytest.mark.core
def test_a_change_is_said_in_words(rig: Rig, change: Callable[[Rig], None], gone: list[str], come: list[str]) -> None:
    rig.up()
    change(rig)
    lines = previewed(rig)
    assert len(lines) <= MOST_LINES, "\n".join(lines)
    for sign, wanted in (("-", gone), ("+", come)):
        found = said(lines, sign)
        assert len(found) == len(wanted), found
        for line, start in zip(found, wanted, strict=True):
            assert line.startswith(start)
    text = "\n".join(lines)
    for unchanged in ("expr", "histogram_quantile", "summary", "gridPos"):
        assert unchanged not in text
    if change is not one_route:
        assert "api-monitoring/content: " in text


def test_a_preview_without_changes_says_nothing_of_them(rig: Rig) -> None:
    rig.up()
    assert said(previewed(rig), "-") == said(previewed(rig), "+") == []


def test_what_somebody_else_changed_is_said_to_be_theirs(rig: Rig) -> None:
    rig.up()
    rig.write(CONFIG_MAP, {ALERT.file.name: "groups: []\n"})
    rig.preview()
    words = "".join(rig.said)
    assert f"has changed {ALERT.file.name} in configmaps/{CONFIG_MAP} at 20" in words
    assert "`pulumi up --refresh` puts back what is ours" in words
    rig.up(refresh=True)
    rig.preview()
    assert "has changed" not in "".join(rig.said)


def test_the_outputs_say_what_runs(rig: Rig) -> None:
    rig.up()
    found = json.loads(pulumi(rig, "stack", "output", "--json"))
    assert set(found) == {"alerts", "dashboardUrl", "receivers", "routingDigest", "rulesDigest"}
    assert list(found["alerts"]) == sorted(rules.alerts())
    assert found["alerts"][ALERT.name].startswith(f"{ALERT.limit.operator} ")
    assert found["dashboardUrl"].endswith(f"/d/{dashboards.UID}")
    assert found["receivers"] == [receiver["name"] for receiver in routing.load().parts().receivers]
    one_limit(rig)
    rig.up()
    after = json.loads(pulumi(rig, "stack", "output", "--json"))
    assert {name for name in found if found[name] != after[name]} == {"alerts", "rulesDigest"}
    assert {name for name in found["alerts"] if found["alerts"][name] != after["alerts"][name]} == {ALERT.name}
