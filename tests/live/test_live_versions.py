"""A server that does not know what our files use is named before anything is written, in one sentence."""

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from werkzeug import Request, Response

import routing
import rules
from components import settings
from components.alert_routing import routing_delivery
from components.live.provider import Props
from components.live.resources import WithdrawnProvider
from components.live.running import server_versions
from components.live.text.edit_errors import EditRefused
from components.version_needs import needs
from formats.json_types import JsonObject
from ops.targets import stack_values
from routing.on_call import with_on_call
from tests.live.api_server import serving
from tests.support.stand_in import json_answer, stand_in

Answers = JsonObject

KEEP = ["keep_firing_for", "APIErrorRateHigh", "2.42"]
OFFSET = ["query_offset", "group api_performance", "2.53"]
FILE = ["url_file in webhook_configs", "receiver api-critical", "0.26"]


def prometheus(version: str, **more: str) -> Answers:
    return {"/api/v1/status/buildinfo": {"status": "success", "data": {"version": version, **more}}}


def alertmanager(version: str) -> Answers:
    return {"/api/v2/status": {"versionInfo": {"version": version}, "config": {"original": "{"}}}


@contextmanager
def server(answers: Answers) -> Iterator[str]:
    """Of a server what tells its version; a status instead of a body is answered alone."""

    def answer(request: Request) -> Response:
        found = answers.get(request.path, 404)
        return Response(status=found) if isinstance(found, int) else json_answer(found)

    with stand_in(answer) as url:
        yield url


def props(kind: str, url: str, *needs: list[str]) -> Props:
    return {kind: {"url": url}, "needs": json.dumps({kind: needs})}


REFUSED = [
    (
        prometheus("2.40.1"),
        [KEEP],
        "Prometheus at URL is 2.40.1, and APIErrorRateHigh uses keep_firing_for, which Prometheus knows since 2.42: "
        "upgrade it, or leave keep_firing_for out",
    ),
    (
        prometheus("2.40.1+ds"),
        [KEEP, OFFSET],
        "Prometheus at URL is 2.40.1+ds, and does not know all that our files use: keep_firing_for (APIErrorRateHigh; "
        "known since 2.42), query_offset (group api_performance; known since 2.53): upgrade it to 2.53, "
        "or leave them out",
    ),
    (
        alertmanager("0.25.0"),
        [FILE],
        "Alertmanager at URL is 0.25.0, and receiver api-critical uses url_file in webhook_configs, which "
        "Alertmanager knows since 0.26: upgrade it, or leave url_file in webhook_configs out",
    ),
]


@pytest.mark.parametrize(("answers", "needed", "sentence"), REFUSED)
def test_a_server_too_old_is_refused_in_one_sentence(answers: Answers, needed: list[list[str]], sentence: str) -> None:
    kind = "alertmanager" if "/api/v2/status" in answers else "prometheus"
    with server(answers) as url, pytest.raises(EditRefused) as refused:
        server_versions.refuse_unknown(props(kind, url, *needed))
    assert str(refused.value) == sentence.replace("URL", url)


ENOUGH = [
    prometheus("2.53.0"),
    prometheus("v3.0.0-rc.1"),
    prometheus("2.14.0", application="Grafana Mimir"),  # a number of its own
    prometheus("0.35.1"),  # Thanos
]


@pytest.mark.parametrize("answers", ENOUGH)
def test_a_server_that_knows_it_or_is_another_product_is_not_mentioned(
    answers: Answers, capsys: pytest.CaptureFixture[str]
) -> None:
    with server(answers) as url:
        server_versions.refuse_unknown(props("prometheus", url, KEEP, OFFSET))
    assert capsys.readouterr().out == ""


def test_a_server_without_a_version_is_a_warning(capsys: pytest.CaptureFixture[str]) -> None:
    with server(prometheus("(devel)")) as url:
        server_versions.refuse_unknown(props("prometheus", url, KEEP, OFFSET))
    assert capsys.readouterr().out == (
        f"warning: Prometheus at {url} does not tell its version ('(devel)'): it should know 2.53\n"
    )


def test_a_server_that_does_not_answer_is_a_warning(capsys: pytest.CaptureFixture[str]) -> None:
    with server({"/api/v2/status": 500}) as url:
        server_versions.refuse_unknown(props("alertmanager", url, FILE))
    said = capsys.readouterr().out
    assert said.startswith("warning: could not check whether Alertmanager knows all that our files use: ")
    assert said.count("\n") == 1


@pytest.mark.parametrize("status", [404, 500])
def test_where_nothing_is_needed_a_version_that_is_not_told_is_no_warning(
    status: int, capsys: pytest.CaptureFixture[str]
) -> None:
    answers = {"/api/v1/status/buildinfo": status, "/api/v1/query": {"status": "success", "data": {}}}
    with server(answers) as url:
        server_versions.refuse_unknown(props("prometheus", url))
        server_versions.refuse_unknown({"prometheus": {"url": url}})  # the state of an older version
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("oldest", [0, 1, 2])
def test_of_replicas_of_several_versions_the_oldest_counts(oldest: int) -> None:
    """As in a rolling upgrade; 3.10 is newer than 3.9."""
    versions = ["3.10.0", "3.9.2"]
    versions.insert(oldest, "2.41.0")
    with ExitStack() as running:
        urls = [running.enter_context(server(prometheus(version))) for version in versions]
        given = {"prometheus": {"url": urls[0], "more_urls": urls[1:]}, "needs": json.dumps({"prometheus": [KEEP]})}
        with pytest.raises(EditRefused) as refused:
            server_versions.refuse_unknown(given)
        newer = {**given, "needs": json.dumps({"prometheus": [["x", "y", "2.41"]]})}
        server_versions.refuse_unknown(newer)
    assert str(refused.value).startswith(f"Prometheus at {urls[oldest]} is 2.41.0, and APIErrorRateHigh uses keep_fi")


def test_a_replica_that_does_not_tell_its_version_hides_no_older_one(capsys: pytest.CaptureFixture[str]) -> None:
    with ExitStack() as running:
        each: list[Answers] = [alertmanager("0.30.0"), {}, alertmanager("(devel)"), alertmanager("0.25.0")]
        first, *more = [running.enter_context(server(answers)) for answers in each]
        given = {"alertmanager": {"url": first, "more_urls": more}, "needs": json.dumps({"alertmanager": [FILE]})}
        with pytest.raises(
            EditRefused, match=rf"^Alertmanager at {more[-1]} is 0\.25\.0, and receiver api-critical uses"
        ):
            server_versions.refuse_unknown(given)
    said = capsys.readouterr().out
    assert said == f"warning: Alertmanager at {more[1]} does not tell its version ('(devel)'): it should know 0.26\n"


def test_the_first_resource_refuses_it_before_it_looks_at_anything_else(tmp_path: Path) -> None:
    with server(prometheus("2.40.1")) as url, serving(tmp_path) as (_, kubeconfig):
        inputs = {
            **props("prometheus", url, KEEP),
            "kubeconfig": kubeconfig,
            "context": None,
            "namespace": "monitoring",
            "own": [],
            "manager": "us",
        }
        (failure,) = WithdrawnProvider().check({}, inputs).failures
    assert failure.reason.endswith("knows since 2.42: upgrade it, or leave keep_firing_for out")
    assert "\n" not in failure.reason


def needed(**changes: object) -> dict[str, list[str]]:
    """Server → what our own files need of it, in a stack with these settings: `since what`."""
    stack = settings.read({**stack_values("prod"), **changes}, where="the test")
    written = with_on_call(routing.load(), stack.on_call)
    parts = routing_delivery(written, rules.alerts().values(), stack).parts()
    return {
        server: [f"{since} {what}" for what, _, since in found]
        for server, found in json.loads(needs(rules.load(), parts, None, stack)).items()
    }


def test_what_is_needed_follows_from_the_files_and_from_what_a_stack_switches_on() -> None:
    usual = needed()
    assert "2.42 keep_firing_for" in usual["prometheus"]
    assert {"0.22 matchers", "0.25 auth_password_file in email_configs"} <= {*usual["alertmanager"]}
    assert not {"0.26 url_file in webhook_configs", "0.25 location"} & {*usual["alertmanager"]}

    more = needed(
        webhookUrlFile="/etc/alertmanager/hook",
        workingHours="Mon-Fri 08:00-18:00 Europe/Berlin",
    )
    assert {"0.26 url_file in webhook_configs", "0.24 active_time_intervals", "0.25 location"} <= {
        *more["alertmanager"]
    }


def test_a_heartbeat_needs_an_alertmanager_that_reads_its_url_from_a_file() -> None:
    assert "0.26 url_file in webhook_configs" in needed(heartbeatUrlFile="/etc/alertmanager/beat")["alertmanager"]


@pytest.mark.parametrize("setting", ["webhookUrlFile", "heartbeatUrlFile"])
def test_what_the_operator_writes_otherwise_is_not_needed(setting: str) -> None:
    secret = {setting: "/etc/alertmanager/secrets/hook/url"}
    found = needed(alertmanagerMode="operator", smtpPassword="x", **secret)
    assert not [what for what in found["alertmanager"] if "_file" in what]
    assert "0.22 matchers" in found["alertmanager"]
