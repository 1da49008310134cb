"""Rule files of other teams, as many rules as wanted."""

from pathlib import Path

PER_GROUP, GROUPS = 20, 5  # in a file


def write(folder: Path, count: int) -> None:
    """Write files with `count` rules in all; every fourth one is a recording."""
    for number in range(0, count, PER_GROUP * GROUPS):
        text = "groups:\n"
        for group in range(number, min(number + PER_GROUP * GROUPS, count), PER_GROUP):
            text += f"- name: team-{group:05d}\n  rules:\n"
            text += "".join(_rule(rule) for rule in range(group, min(group + PER_GROUP, count)))
        (folder / f"team-{number:05d}.yml").write_text(text, encoding="utf-8")


def _rule(number: int) -> str:
    metric = f"service_{number:05d}_requests_total"
    if number % 4 == 3:
        return f"  - record: service:requests_{number:05d}:rate5m\n    expr: sum by (job) (rate({metric}[5m]))\n"
    return (
        f"  - alert: Service{number:05d}Failing\n"
        f'    expr: sum by (job) (rate({metric}{{code=~"5.."}}[5m])) / sum by (job) (rate({metric}[5m])) > 0.05\n'
        "    for: 10m\n"
        f"    labels:\n      severity: warning\n      team: team-{number % 17}\n"
        "    annotations:\n"
        f"      summary: Service {number} fails for {{{{ $value | humanizePercentage }}}} of its callers.\n"
        f"      runbook_url: https://runbooks.example/service-{number}\n"
    )
