"""A server that cannot be reached: said in one line in a preview, and waited for only where that helps."""

import json
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NoReturn

import pytest
import trustme
from werkzeug import Request, Response

from components.live import provider
from components.live.handlers.withdrawn_handler import WithdrawnHandler
from components.live.provider import NotDone, Props
from components.live.resources import LiveProvider, WithdrawnProvider
from components.live.running import reach, server_versions, wait
from components.live.text.edit_errors import EditRefused
from tests.live.api_server import serving
from tests.support.stand_in import json_answer, stand_in

LONG = 600.0  # seconds that an update may wait: a test that waits so long fails by its own time limit
NOBODY = "http://127.0.0.1:9"


@pytest.fixture(autouse=True)
def _each_line_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a process of its own: there each line is shown once."""
    monkeypatch.setattr(provider, "_shown", set())


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[str]:
    """The kubeconfig of a cluster without any Service."""

    def answer(request: Request) -> Response:
        name = request.path.partition("/services/")[2].partition(":")[0]
        return json_answer({"message": f'services "{name}" not found'}, 404)

    with serving(tmp_path, answer) as (_, kubeconfig):
        yield kubeconfig


@pytest.fixture
def unanswered(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Names are answered with this error of getaddrinfo."""

    def with_error(code: int) -> None:
        def resolve(*_: object, **__: object) -> NoReturn:
            raise socket.gaierror(code, "the resolver's words")

        monkeypatch.setattr(socket, "getaddrinfo", resolve)

    return with_error


def props(kubeconfig: str = "/nowhere", **urls: str) -> Props:
    def server(kind: str) -> Props:
        return {"url": urls.get(kind), "service": f"{kind}:9090", "reload": "sidecar"}

    return {
        "kubeconfig": kubeconfig,
        "context": None,
        "namespace": "monitoring",
        "prometheus": server("prometheus"),
        "alertmanager": server("alertmanager"),
        "wanted": json.dumps({"rules": {}, "routing": {}}),
        "timeout": LONG,
    }


def refused(act: Callable[[], object]) -> str:
    """The sentence with which it ends; far before the time to wait is over."""
    started = time.monotonic()
    with pytest.raises((EditRefused, NotDone)) as refusal:
        act()
    assert time.monotonic() - started < LONG / 2
    assert "\n" not in str(refusal.value)
    return str(refusal.value)


def test_services_that_are_not_there_are_a_line_each_in_a_preview_and_end_an_update_at_once(
    cluster: str, capsys: pytest.CaptureFixture[str]
) -> None:
    server_versions.refuse_unknown(props(cluster))
    assert capsys.readouterr().out.splitlines() == [
        "warning: Prometheus has no Service prometheus; `up` needs it",
        "warning: Alertmanager has no Service alertmanager; `up` needs it",
    ]
    words = refused(lambda: WithdrawnProvider().create(props(cluster)))
    assert words.startswith("nothing was written: Prometheus at ")
    assert "is Service prometheus in namespace monitoring there" in words
    assert "is Service alertmanager in namespace monitoring there" in words
    assert 'services "prometheus" not found' in refused(lambda: LiveProvider().create(props(cluster)))


def test_servers_that_are_down_are_a_line_each_and_do_not_keep_an_update_from_beginning(
    capsys: pytest.CaptureFixture[str],
) -> None:
    down = props(prometheus=NOBODY, alertmanager=NOBODY)
    server_versions.refuse_unknown(down)
    assert capsys.readouterr().out.splitlines() == [
        "warning: Prometheus cannot be reached (Connection refused); `up` needs it",
        "warning: Alertmanager cannot be reached (Connection refused); `up` needs it",
    ]
    assert WithdrawnProvider().create(down).id == "withdrawn"


def test_one_server_is_named_where_the_other_answers(cluster: str, capsys: pytest.CaptureFixture[str]) -> None:
    version = {"status": "success", "data": {"version": "3.16.0"}}
    with stand_in(lambda _: json_answer(version)) as url:
        server_versions.refuse_unknown(props(cluster, prometheus=url))
        words = refused(lambda: WithdrawnProvider().create(props(cluster, prometheus=url)))
    assert capsys.readouterr().out == "warning: Alertmanager has no Service alertmanager; `up` needs it\n"
    assert "Prometheus" not in words


def test_what_this_account_may_not_is_a_warning_in_a_preview_and_is_not_waited_for(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with stand_in(lambda _: json_answer({"message": "no way"}, 403)) as url:
        there = props(prometheus=url, alertmanager=url)
        server_versions.refuse_unknown(there)
        assert "check the credentials" in refused(lambda: WithdrawnProvider().create(there))
        assert "check the credentials" in refused(lambda: LiveProvider().create(there))
        assert not LiveProvider().diff("live", there, there).changes
    line = "refused the request (403: no way); `up` needs it"
    said = capsys.readouterr().out.splitlines()
    assert said == [f"warning: {server} {line}" for server in ("Prometheus", "Alertmanager")]


HTML = Response("<html>Log in</html>", content_type="text/html")
LOGIN = "set prometheusUrl to an address without a login page, or prometheusToken or prometheusUser to credentials"
WRONG = [
    (Response(status=401), "(401 UNAUTHORIZED); set prometheusUser and prometheusPassword, or prometheusToken"),
    (Response(status=302, headers={"Location": "https://login.test/?for=/api/v1/status/buildinfo"}), LOGIN),
    (HTML, f"with text/html instead of JSON, a page for people such as a login; {LOGIN}"),
    (
        Response(status=308, headers={"Location": "https://prometheus.test/p/api/v1/status/buildinfo"}),
        "set prometheusUrl to https://prometheus.test/p",
    ),
    (
        Response("Not found", 404),
        "has no API there (404): set prometheusUrl to that of Prometheus, with its path prefix",
    ),
]


@pytest.mark.parametrize(("answer", "advice"), WRONG)
def test_wrong_settings_are_refused_in_a_preview_and_name_the_setting(answer: Response, advice: str) -> None:
    with stand_in(lambda _: answer) as url:
        there = props(prometheus=url, alertmanager=url)
        words = refused(lambda: server_versions.refuse_unknown(there))
        assert advice in words
        assert "; Alertmanager at " in words, "both are named"
        assert advice in refused(lambda: WithdrawnProvider().create(there))


def test_a_certificate_that_is_not_trusted_is_refused_and_not_waited_for() -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    with stand_in(lambda _: Response("ok"), tls=context) as url:
        there = props(prometheus=url, alertmanager=url)
        for act in (
            lambda: server_versions.refuse_unknown(there),
            lambda: WithdrawnProvider().create(there),
            lambda: LiveProvider().create(there),
        ):
            assert "; set prometheusCaFile to the CA (PEM) that has signed its certificate" in refused(act)


def test_a_host_name_that_nobody_knows_ends_the_first_update_and_a_later_one_waits_for_it(
    unanswered: Callable[[int], None],
) -> None:
    """A headless Service has a name only while a pod is ready, and what is deployed already may be why none is."""
    unanswered(socket.EAI_NONAME)
    unknown = props(prometheus="http://prometheus.test", alertmanager="http://alertmanager.test")
    assert refused(lambda: WithdrawnProvider().create(unknown)).startswith("nothing was written: Prometheus at ")
    moved = {**unknown, "alertmanager": {**unknown["alertmanager"], "url": "http://other.test"}}
    assert "Prometheus" not in refused(lambda: WithdrawnProvider().update("withdrawn", unknown, moved))
    assert WithdrawnProvider().update("withdrawn", unknown, {**unknown, "own": ["x"]}).outs
    with pytest.raises(EditRefused, match="after 1 s not all servers run"):
        wait.until_running({**unknown, "rules": {}, "routing": {}, "timeout": 1.0})


def test_a_resolver_that_does_not_answer_is_waited_for(unanswered: Callable[[int], None]) -> None:
    unanswered(socket.EAI_AGAIN)
    assert WithdrawnProvider().create(props(prometheus="http://a.test", alertmanager="http://b.test")).id


def test_what_is_waited_for_is_said_once_in_a_short_line_and_then_only_the_seconds(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(wait, "PROGRESS_INTERVAL", 0.3)
    words = "x" * 500
    with stand_in(lambda _: json_answer({"error": words}, 503)) as url:
        waiting = {**props(prometheus=url, alertmanager=NOBODY), "rules": {}, "routing": {}, "timeout": 5.0}
        with pytest.raises(EditRefused, match="after 5 s not all servers"):
            wait.until_running(waiting)
    first, second, *others = capsys.readouterr().out.splitlines()
    assert first == "waiting for Alertmanager: cannot be reached (Connection refused)"
    assert second.startswith("waiting for Prometheus: answers with 503: x") and second.endswith("x…")
    assert len(second) == reach.LINE
    assert others
    assert all(line.startswith("waiting for Prometheus and Alertmanager, ") for line in others)


def test_what_has_changed_meanwhile_is_said_too(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(wait, "PROGRESS_INTERVAL", 0.0)
    answers = iter([503] * 3 + [502] * 3)

    def answer(_: Request) -> Response:
        return json_answer({"error": "x"}, next(answers, 403))

    with stand_in(answer) as url:
        waiting = {**props(prometheus=url), "alertmanager": None, "rules": {}, "routing": {}}
        assert "403" in refused(lambda: wait.until_running(waiting))
    said = [line for line in capsys.readouterr().out.splitlines() if " s" not in line.rpartition(",")[2]]
    assert ["503" in line for line in said] == [True, False]
    assert len(said) == 2


def test_a_server_whose_service_is_gone_does_not_keep_us_from_going(
    cluster: str, capsys: pytest.CaptureFixture[str]
) -> None:
    WithdrawnHandler().delete("withdrawn", props(cluster))
    assert capsys.readouterr().out.splitlines() == [
        "warning: Prometheus has no Service prometheus; what it runs is unknown",
        "warning: Alertmanager has no Service alertmanager; what it runs is unknown",
    ]
    down = {**props(cluster, prometheus=NOBODY), "timeout": 1.0}
    assert "not all servers run without what was taken back" in refused(
        lambda: WithdrawnHandler().delete("withdrawn", down)
    )
