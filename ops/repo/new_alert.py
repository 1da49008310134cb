"""`make new-alert NAME=…`, or `python -m ops.repo.new_alert NAME`: writes the files that a new alert needs.

All of them are valid at once, and what a person has to replace is marked TODO. Either all are written, or none.
"""

import re
import sys
from collections.abc import Mapping

import dashboards
import metrics
import rules
from ops.errors import Misconfigured, OpsError
from ops.repo.alert_skeleton import MARK, Skeleton
from ops.repo.files import ROOT, Edit, read, shown, write

RULES = rules.FOLDER / "api-performance-alerts.yml"
MARGINS = ROOT / "ops" / "tuning" / "margins.yml"
RUNBOOKS = ROOT / "docs" / "runbooks"
SCENARIOS = ROOT / "tests" / "rules"
_NAME = re.compile(r"(?=.*[a-z])[A-Z][A-Za-z0-9]{2,79}")  # files and links are called so too
_OTHER = re.compile(r"(?:^#.*\n)*^other:", re.MULTILINE)  # the margin of alerts that have none, and its comment


def edits(name: str) -> dict[str, Edit]:
    """The edits for a new alert `name`, by what is to be done next in each file; nothing is written.

    Raises OpsError for a name that cannot be taken, and OpsError or ValueError for a file that cannot be used.
    """
    if not _NAME.fullmatch(name):
        raise Misconfigured(
            f"{name!r} cannot be the name of an alert; give one in CamelCase, with letters and digits only: "
            "make new-alert NAME=WebhookQueueTimeHigh"
        )
    text, margins = read(RULES), read(MARGINS)
    present = rules.alerts()
    _must_be_new(name, {alert.name: shown(alert.file) for alert in present.values()})
    _must_be_new(name, dict.fromkeys(re.findall(r"^(\w+):", margins, re.MULTILINE), shown(MARGINS)))
    for folder, pattern in ((RUNBOOKS, "*.md"), (SCENARIOS, "*.test.yml")):
        _must_be_new(name, {path.name.partition(".")[0]: shown(path) for path in folder.glob(pattern)})

    skeleton = _skeleton(name, [alert for alert in present.values() if alert.file == RULES])
    with_rule = f"{text}{_line_break(text)}\n{skeleton.rule()}"
    alert = next(found for found in rules.parse(with_rule, RULES).alerts if found.name == name)
    metrics.load().hold([alert], rules.recordings())
    at = _OTHER.search(margins)
    if at is None:
        raise Misconfigured(f"{shown(MARGINS)} has no entry other, before which a new one is written; write it anew")
    with_margin = f"{margins[: at.start()]}{skeleton.margin()}\n{margins[at.start() :]}"
    return {
        "the expression, its limit, `for`, the labels, the summary and the description": Edit(RULES, text, with_rule),
        "the series, their values, and when the alert fires": Edit(
            SCENARIOS / f"{name}.test.yml", None, skeleton.scenarios(RULES.name)
        ),
        "Meaning, Impact, Diagnosis, Mitigation": Edit(RUNBOOKS / f"{name}.md", None, skeleton.runbook(RULES.name)),
        "how far the limit stands from what is observed, and why": Edit(MARGINS, margins, with_margin),
        "the panel: its query, unit, title and description; then run .venv/bin/python -m dashboards": _panel_edit(
            skeleton, alert
        ),
    }


def place(edit: Edit) -> str:
    """The file and the line where a person begins: the first mark in what was added."""
    before, after = (edit.before or "").splitlines(), edit.after.splitlines()
    same = next((at for at, (old, new) in enumerate(zip(before, after, strict=False)) if old != new), len(before))
    return f"{shown(edit.path)}:{next(at for at in range(same, len(after)) if MARK in after[at]) + 1}"


def main(arguments: list[str]) -> int:
    """Write the files, and print a line for each: where it is, and what to replace there. Returns the exit code."""
    try:
        if len(arguments) != 1 or not arguments[0]:
            raise Misconfigured("name one alert: make new-alert NAME=WebhookQueueTimeHigh")
        found = edits(arguments[0])
        write(list(found.values()))
    except OpsError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    except ValueError as error:  # of the readers
        sys.stderr.write(f"{error}\n")
        return 2
    for task, edit in found.items():
        sys.stdout.write(f"{place(edit)}: replace {task}\n")
    return 0


def _must_be_new(name: str, taken: Mapping[str, str]) -> None:
    """`taken`: name → where it is taken. Names that differ in capitals alone are one file on some machines."""
    for other, where in taken.items():
        if other.lower() == name.lower():
            raise Misconfigured(f"{other} exists in {where}; give the new alert another name")


def _skeleton(name: str, others: list[rules.Alert]) -> Skeleton:
    """With what the name tells, and the links of another alert. Raises Misconfigured where there is none."""
    if not others:
        raise Misconfigured(f"{shown(RULES)} has no alert to begin from; write the first one by hand")
    components = tuple(sorted({alert.component for alert in others}))
    model = others[-1]
    return Skeleton(
        name=name,
        severity="critical" if name.endswith("Critical") else "warning",
        component=next((one for one in components if name.lower().startswith(one)), components[0]),
        components=components,
        team=model.team,
        runbook_url=model.annotations["runbook_url"].replace(model.name, name),
        dashboard_url=model.annotations["dashboard_url"],
    )


def _panel_edit(skeleton: Skeleton, alert: rules.Alert) -> Edit:
    """The dashboard with one more panel, in which the limit is drawn; the others stay. Raises Misconfigured."""
    before, model = read(dashboards.FILE), dashboards.load().model
    if before != dashboards.text(model):
        raise Misconfigured(f"{shown(dashboards.FILE)} was edited; run .venv/bin/python -m dashboards, then this again")
    [panel] = dashboards.draw_limits({"panels": [skeleton.panel(model["panels"])]}, [alert])["panels"]
    return Edit(dashboards.FILE, before, dashboards.text({**model, "panels": [*model["panels"], panel]}))


def _line_break(text: str) -> str:
    return "" if text.endswith("\n") else "\n"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
