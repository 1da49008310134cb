"""Queries that read more samples than Prometheus allows, on one that allows few."""

from collections.abc import Iterator

import pytest

from ops.clients.prometheus import Prometheus
from ops.errors import Refused
from ops.replay.fetch import Question, ask
from tests.support import real_servers

MOMENTS = range(1_704_800_000_000, 1_704_800_000_000 + 6_000_000, 60_000)  # 100 of them


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    with real_servers.prometheus(tmp_path_factory.mktemp("few"), "global: {}\n", "--query.max-samples=1000") as found:
        yield found


def test_a_query_that_is_too_large_is_split(server: Prometheus) -> None:
    """All moments together read 1,320 samples, half of them 720."""
    question = Question("sum_over_time(vector(1)[10m:5s])", MOMENTS)
    with pytest.raises(Refused, match="too many samples"):
        server.query_range(question.query, MOMENTS[0] / 1000, MOMENTS[-1] / 1000, 60)
    ((_, points),) = ask(server, [question])[question].series.items()
    assert points == dict.fromkeys(MOMENTS, 120.0)


def test_where_there_is_a_coarser_one_that_is_asked(server: Prometheus) -> None:
    question = Question("sum_over_time(vector(1)[1h:1s])", MOMENTS, "sum_over_time(vector(1)[1h:5m])")
    ((_, points),) = ask(server, [question])[question].series.items()
    assert points == dict.fromkeys(MOMENTS, 12.0)


def test_one_moment_that_is_too_large_is_an_error(server: Prometheus) -> None:
    with pytest.raises(Refused, match="too many samples"):
        ask(server, [Question("sum_over_time(vector(1)[1h:1s])", MOMENTS)])
