"""Four weeks of lifelike traffic without a fault: no alert fires."""

from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest

import rules
from ops.faults import merged_labels
from ops.faults.quiet_traffic import NIGHT, USUAL
from ops.faults.quiet_weeks import DAYS, WEEKS, Weeks
from ops.sandbox.blocks import Floats
from ops.sandbox.servers import traffic


@pytest.mark.parametrize("weeks", WEEKS, ids=lambda weeks: f"{weeks.first}")
def test_no_alert_fires_in_four_quiet_weeks(weeks: Weeks, tmp_path: Path) -> None:
    outcome = weeks.replay(tmp_path)
    assert outcome.covered >= DAYS * 86400 * 0.999
    replays = outcome.versions[0].replays
    assert len(replays) == sum(not alert.is_watchdog for alert in rules.alerts().values())
    fired = {name: [episode.start for episode in one.firing] for name, one in replays.items() if one.firing}
    assert fired == {}


@pytest.mark.parametrize("weeks", WEEKS, ids=lambda weeks: f"{weeks.first}")
def test_the_quiet_weeks_are_lifelike(weeks: Weeks) -> None:
    """Nights with a request in a hundred seconds, errors, slow requests, deployments, a holiday, a changed clock."""
    quiet = weeks.traffic()
    rates = quiet.pace(quiet.times) * USUAL
    assert rates.min() < 1.5 * NIGHT
    assert rates.max() > 0.95 * USUAL
    assert len(quiet.restarts) >= 3 * 5
    series = dict(quiet.series())
    failed = [values for name, values in series.items() if 'status="5' in name]
    assert sum(np.nanmax(values) for values in failed) > 100
    slow = [values for name, values in series.items() if name.startswith("phoenix") and 'le="+Inf"' in name]
    fast = [values for name, values in series.items() if name.startswith("phoenix") and 'le="5000.0"' in name]
    assert sum(np.nanmax(values) for values in slow) - sum(np.nanmax(values) for values in fast) > 100
    days: Floats = np.array([weeks.start + day * 86400.0 for day in range(DAYS)])
    mondays = quiet.pace(days[::7] + 5.5 * 3600)
    assert mondays.max() > 1.5 * mondays.min(), "the same moment of the day is another hour of theirs"
    assert quiet.pace(days + 10 * 3600).min() < 0.45, "the holiday"
    zone = ZoneInfo(weeks.zone)
    noon = datetime.combine(weeks.holiday, time(12), UTC)
    assert noon.astimezone(zone).hour != (noon - timedelta(days=7)).astimezone(zone).hour, (
        "the clocks have changed since"
    )
    for values in failed:
        counted = values[~np.isnan(values)]
        assert (np.diff(counted) >= 0).mean() > 0.99


def test_only_series_that_no_rule_tells_apart_are_one() -> None:
    merged = merged_labels.Merged()

    def kept(metric: str, **labels: str) -> dict[str, str]:
        return dict(merged.labels(metric, labels))

    count, bucket = f"{traffic.HTTP}_count", f"{traffic.HTTP}_bucket"
    other = {"status": "200", "path": "/"}  # the first of those like it
    assert kept(count, status="200", path="/") == kept(count, status="404", path="/x") == other
    assert kept(count, status="500") == kept(count, status="503") == {"status": "500"}
    assert kept(bucket, status="500", path="/", le="10.0") == kept(bucket, path="/x", le="10.0")
    critical = "/api/v1/credentials/exchange"
    assert kept(bucket, path=critical, le="5.0") == {"path": critical, "le": "5.0"}
    assert kept(count, path=critical) == {"path": critical}
    assert kept(traffic.POOL_USED, repo="A") != kept(traffic.POOL_USED, repo="B")
