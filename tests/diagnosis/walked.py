"""What a diagnosis has to look like, whichever link is broken."""

from collections.abc import Callable

from ops import targets
from ops.diagnosis import empty_panels, silent_alerts
from ops.diagnosis.case import load_case
from ops.diagnosis.chain import NOT_REACHED, Diagnosis
from tests.support.waiting import until


def of_alerts(target: targets.Target, name: str | None = None) -> Diagnosis:
    return silent_alerts.diagnose(load_case(target, name))


def of_panels(target: targets.Target, title: str | None = None) -> Diagnosis:
    return empty_panels.diagnose(empty_panels.load_case(target, title))


def soon(look: Callable[[], Diagnosis], link: str | None, words: str = "") -> Diagnosis:
    """The diagnosis as soon as that link is the broken one, in these words (None: as none is)."""
    last: list[Diagnosis] = []

    def found() -> Diagnosis | None:
        last[:] = [look()]
        return last[0] if last[0].broken == link and words in detail(last[0], link) else None

    return until(found, lambda: f"broken is {last[0].broken}: {detail(last[0], last[0].broken)}")


def detail(found: Diagnosis, link: str | None) -> str:
    return next((check.detail for check in found.links if check.name == link), "")


def said(found: Diagnosis, *, code: int = 1) -> str:
    """What the broken link says; the links before it hold, those after it were not reached."""
    names = [check.name for check in found.links]
    at = names.index(str(found.broken))
    assert all(check.status in ("pass", "skip") and check.detail != NOT_REACHED for check in found.links[:at])
    assert found.links[at].status == "fail"
    assert {check.detail for check in found.links[at + 1 :]} <= {NOT_REACHED}
    assert found.next
    assert found.exit_code == code
    return found.links[at].detail
