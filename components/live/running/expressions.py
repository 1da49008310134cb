"""Whether the running Prometheus can parse every expression: with one that it cannot, a reload fails."""

from collections.abc import Mapping

from components.live.cluster import connections
from components.live.provider import Props
from components.live.running.wanted import decode_wanted
from components.live.text.edit_errors import EditRefused
from components.live.text.shorten import shorten
from ops.clients.prometheus import Prometheus
from ops.errors import OpsError, Refused
from rules.rule_needs import experimental

Rules = Mapping[str, Mapping[str, str]]  # as components.live.running.wanted.RuleMarks

LONG_AGO = 1.0  # seconds since the epoch: parsed as any other query, and computed over nothing
FLAG = "--enable-feature=promql-experimental-functions"


def refuse_unknown(olds: Props, news: Props) -> None:
    """Raises EditRefused where Prometheus cannot parse an expression that was not in `olds`.

    Without an answer, experimental functions are refused: whether they are enabled is not known.
    """
    if not news.get("prometheus") or not news.get("wanted"):
        return
    known = {rule["expression"] for rule in _rules(olds).values()} if olds.get("wanted") else set()
    asked = {name: rule for name, rule in _rules(news).items() if rule["expression"] not in known}
    if not asked:
        return
    try:
        faults = refused(connections.prometheus(news), asked, LONG_AGO)
    except OpsError:  # `server_versions` has warned
        faults = [
            f"rules/{rule['file']}: {name} uses {', '.join(called)}, which Prometheus knows only with {FLAG}, and it "
            "cannot be asked"
            for name, rule in asked.items()
            if (called := experimental(rule["expression"]))
        ]
    if faults:
        raise EditRefused(f"Prometheus would refuse the rules: {shorten(faults, 3, '; ')}")


def refused(prometheus: Prometheus, rules: Rules, at: float | None = None) -> list[str]:
    """A sentence for each rule whose expression Prometheus cannot parse: it is tried as a query. Raises ops.errors."""
    found = []
    for name, rule in rules.items():
        try:
            prometheus.query(rule["expression"], at)
        except Refused as error:
            if error.status == 400:
                found.append(f"rules/{rule['file']}: {name}: {error.words}")
    return found


def _rules(props: Props) -> Rules:
    found: Rules = decode_wanted(props)["rules"]
    return found
