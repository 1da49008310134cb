"""Whether the rules read histograms in the form in which Prometheus has them: in the other one they have no value."""

import re

from components.live.cluster import connections
from components.live.provider import Props, warn
from components.live.running.wanted import decode_wanted
from metrics import ContractError, load, selectors
from ops.errors import OpsError
from rules import series_of


def warn_other_form(news: Props) -> None:
    """Warn in one line where histograms are there in the form alone that the rules do not read, and name the setting.

    Nothing is said where Prometheus does not answer, which others say, or has none of them yet.
    """
    if not news.get("prometheus") or not news.get("wanted"):
        return
    read = {name for rule in decode_wanted(news)["rules"].values() for name in _read(rule["expression"])}
    pairs = {name: f"{name}_bucket" for name in load().of_form("native").native}
    wanted = "|".join(re.escape(name) for pair in sorted(pairs.items()) for name in pair)
    try:
        found = connections.prometheus(news).query(f'count by (__name__) ({{__name__=~"{wanted}"}})')
    except OpsError:
        return
    there = {sample.labels["__name__"] for sample in found}
    only_native = [
        one for one, classic in pairs.items() if one in there and classic not in there and read & {*series_of(one)}
    ]
    only_classic = [one for one, classic in pairs.items() if classic in there and one not in there and one in read]
    for form, names in (("native", only_native), ("classic", only_classic)):
        if names:
            warn(f"Prometheus has {len(names)} of our histograms only in the {form} form: set `histograms: {form}`")


def _read(expr: str) -> set[str]:
    try:
        return {selector.name for selector in selectors(expr)}
    except ContractError:  # of others, in words that our parser does not know
        return set()
