"""The teams that CODEOWNERS names, and alerts whose team it does not name."""

import re
from collections.abc import Iterable
from pathlib import Path

from ops.repo.files import ROOT, read
from rules import Alert

PLACES = (".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS", ".gitlab/CODEOWNERS")  # as GitHub and GitLab look
_COMMENT = re.compile(r"(?:^|\s)#.*")
_OWNER = re.compile(r"(?<!\S)@(\S+)")


def unknown(alerts: Iterable[Alert], root: Path = ROOT) -> list[str]:
    """A sentence for each alert of ours whose team CODEOWNERS does not name. Raises Misconfigured as `read` does."""
    ours = [alert for alert in alerts if alert.is_house]
    place = next((one for one in PLACES if (root / one).is_file()), None)
    if place is None:
        return [f"there is no {PLACES[0]}, so nobody is known to own an alert: write it"] if ours else []
    named = teams(read(root / place))
    return [
        f"{alert.name} belongs to team {alert.team}, which {place} does not name: name "
        f"@ORGANISATION/{alert.team} there, or correct the label"
        for alert in ours
        if alert.team not in named
    ]


def teams(text: str) -> set[str]:
    """The names of the owners in a CODEOWNERS: of `@organisation/group/team` the last part; addresses are no teams."""
    lines = (_COMMENT.sub("", line) for line in text.splitlines())
    return {owner.rpartition("/")[2] for line in lines for owner in _OWNER.findall(line)}
