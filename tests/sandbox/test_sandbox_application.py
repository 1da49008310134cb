"""What the simulated application exports when it goes wrong in ways that are no traffic: names, clocks, its share."""

import metrics
from ops.sandbox.servers import traffic
from ops.sandbox.servers.application import Application, control

TEXT = "text/plain;version=0.0.4"
OPEN = "application/openmetrics-text;version=1.0.0"


def scraped(application: Application, accept: str = TEXT) -> list[str]:
    status, _, body = application.scrape(accept)
    assert status == 200
    return [line for line in body.decode().splitlines() if line and not line.startswith("#")]


def test_renamed_metrics_have_their_alias_and_the_same_values() -> None:
    application = Application(metrics.load(), seed=1)
    application.advance(600)
    before = scraped(application)
    application.scenarios = {"renamed": 1.0}
    after = scraped(application)
    alias = metrics.load().metrics[traffic.HTTP].aliases[0]
    assert not [line for line in after if line.startswith(traffic.HTTP)]
    assert [line.replace(alias, traffic.HTTP) for line in after if line.startswith(alias)] == [
        line for line in before if line.startswith(traffic.HTTP)
    ]
    assert [line for line in after if line.startswith(traffic.WEBHOOKS)], "what has no alias keeps its name"


def test_a_clock_that_is_ahead_stamps_every_sample_by_its_own_time() -> None:
    for accept, unit in ((TEXT, 1000.0), (OPEN, 1.0)):
        application = Application(metrics.load(), seed=1, speed=60.0)
        assert {len(line.rpartition("} ")[2].split()) for line in scraped(application, accept)} == {1}
        application.scenarios = {"clock_ahead": 120.0}
        stamps = {float(line.split()[-1]) / unit for line in scraped(application, accept)}
        application.scenarios = {"clock_ahead": 540.0}
        later = {float(line.split()[-1]) / unit for line in scraped(application, accept)}
        assert len(stamps) == len(later) == 1
        assert 6.9 < later.pop() - stamps.pop() < 200, "seconds of its clock, which runs sixty times as fast"


def test_a_share_of_the_traffic_and_a_pace_of_its_own() -> None:
    def requests(share: float, pace: float) -> float:
        application = Application(metrics.load(), seed=1, share=share)
        assert control(application, {"pace": pace})[0] == 200
        application.advance(1000)
        return sum(float(line.split()[-1]) for line in scraped(application) if line.startswith(f"{traffic.HTTP}_count"))

    assert 6_500 < requests(1.0, 1.0) < 7_500
    assert 3_100 < requests(0.5, 1.0) < 3_900
    assert 3_100 < requests(1.0, 0.5) < 3_900
