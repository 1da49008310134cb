"""Whether the running Prometheus can parse every expression: with one that it cannot, a reload fails."""

from collections.abc import Mapping

from components.live.cluster import connections
from components.live.provider import Props
from components.live.running.wanted import decode_wanted
from components.live.text.edit_errors import EditRefused
from components.live.text.shorten import shorten
from ops.errors import OpsError, Refused
from rules.rule_needs import experimental

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
    faults = []
    try:
        prometheus = connections.prometheus(news)
        for name, rule in asked.items():
            try:
                prometheus.query(rule["expression"], LONG_AGO)
            except Refused as error:
                if error.status == 400:
                    faults.append(f"rules/{rule['file']}: {name}: {error.words}")
    except OpsError:  # `server_versions` has warned
        faults = [
            f"rules/{rule['file']}: {name} uses {', '.join(called)}, which Prometheus knows only with {FLAG}, and it "
            "cannot be asked"
            for name, rule in asked.items()
            if (called := experimental(rule["expression"]))
        ]
    if faults:
        raise EditRefused(f"Prometheus would refuse the rules: {shorten(faults, 3, '; ')}")


def _rules(props: Props) -> Mapping[str, Mapping[str, str]]:
    found: Mapping[str, Mapping[str, str]] = decode_wanted(props)["rules"]
    return found
