"""Nothing of a Secret is ever shown: whatever stands there, and whatever is wrong with it."""

import contextlib
import io
import json
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from werkzeug import Request, Response

from components.live import provider
from components.live.handlers import config_text_handler
from components.live.handlers.config_text_handler import ConfigTextHandler
from components.live.provider import NotDone, Props
from components.live.resources import SecretTextProvider
from components.live.running.servers import AlertmanagerCheck
from ops.clients.http import Http
from ops.clients.replicas import Replica
from tests.live import secret_props
from tests.live.api_server import Api, serving
from tests.live.secret_props import PASSWORD, hold, raw
from tests.live.shapes import server_props
from tests.support.stand_in import stand_in

PROVIDER = SecretTextProvider()
MARKER = "m4rk3r-0f-a-secret"
SEEN = MARKER[:6]  # Go's YAML parser shortens what it quotes

# A configuration that has a secret wherever one may stand.
RICH = f"""\
# the old password was {MARKER}
global:
  smtp_smarthost: localhost:25
  smtp_from: a@example.org
  smtp_auth_password: {MARKER}   # {MARKER}
  slack_api_url: https://hooks.example.org/{MARKER}
  http_config:
    authorization: {{type: Bearer, credentials: {MARKER}}}
route:
  receiver: default
  routes:
    - receiver: pager
      matchers: [component="shop"]
receivers:
  - name: default
    webhook_configs:
      - url: "https://user:{MARKER}@example.org/"
        http_config:
          http_headers:
            X-Key: {{secrets: ["{MARKER}"]}}
  - name: pager
    pagerduty_configs:
      - routing_key: {MARKER}
        details: {{token: '{MARKER}'}}
"""
# Lines that break it in many ways, each with a word that must not be seen.
LINES = [
    f"key: *{MARKER}",
    f"key: !{MARKER}! x",
    f"{MARKER}: 1",
    f'key: "{MARKER}',
    f"key: '{MARKER}\\q' x",
    f"{MARKER}",
    f"- {MARKER}",
    f"{{{MARKER}",
    f"%{MARKER}",
    f"--- {MARKER}",
    f"key: {MARKER}: {MARKER}",
    f"\t{MARKER}: x",
    f"key: {{{{ {MARKER} }}}}",
    f"key: |2{MARKER}",
    f"<<: {MARKER}",
    f"route: {MARKER}",
    f"receivers: {MARKER}",
    f"receivers: [{MARKER}]",
    f"receivers: [{{name: {{{MARKER}: x}}}}]",
    f"inhibit_rules: [{MARKER}]",
    f"inhibit_rules: [{{source_matchers: ['{MARKER}~~'], equal: {MARKER}}}]",
    f"time_intervals: [{{name: x, time_intervals: {MARKER}}}]",
    f"  group_wait: {MARKER}",
    f"  routes: {MARKER}",
    f"  routes: [{{matchers: ['{MARKER}']}}]",
    f"  routes: [{{match: {MARKER}}}]",
    f"  routes: [{{match_re: {{a: '({MARKER}'}}}}]",
    f"  receiver: [{MARKER}]",
    f"  matchers: ['\"{MARKER}']",
    f"# >>> api-performance/receivers: {MARKER}",
    f'# >>> api-performance/receivers: managed {{"items": "{MARKER}", "key": true}}',
]


def told(act: Callable[[], object]) -> str:
    """What `act` prints, and with what it fails: one sentence."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
        try:
            found = act()
            failures = getattr(found, "failures", None) or ()
            out.writelines(f"{failure.reason}\n" for failure in failures)
        except NotDone as error:
            out.write(str(error))
            assert "\n" not in str(error)
    provider._shown.clear()
    return out.getvalue()


@settings(max_examples=120, deadline=None)
@given(
    lines=st.lists(st.tuples(st.sampled_from(LINES), st.integers(0, RICH.count("\n"))), max_size=2),
    editor=st.sampled_from(["routing", "replace"]),
    again=st.booleans(),
)
def test_no_word_of_a_secret_is_seen_whatever_is_wrong_with_it(
    lines: list[tuple[str, int]], editor: str, again: bool
) -> None:
    text = RICH.split("\n")
    for line, number in sorted(lines, key=lambda each: -each[1]):
        text.insert(number, line)
    bad = "\n".join(text).encode()
    with tempfile.TemporaryDirectory() as folder, serving(Path(folder)) as (api, kubeconfig):
        props = secret_props.props(kubeconfig, editor)
        hold(api, RICH.encode())
        outs = PROVIDER.create(props).outs or {}
        # Ours stands in it, and a line of others; or it is as it was before us, with that line.
        found = raw(api).decode().split("\n")
        found[min(len(found), 7) : 7] = [line for line, _ in lines]
        hold(api, "\n".join(found).encode() if again else bad)
        news = {**props, "password": "another"}
        seen = "".join(
            told(act)
            for act in (
                lambda: PROVIDER.check({}, props),
                lambda: PROVIDER.check({**props, "editor": "routing"}, {**props, "editor": "replace"}),
                lambda: PROVIDER.diff("", outs, news),
                lambda: PROVIDER.read("", outs),
                lambda: PROVIDER.create(props),
                lambda: PROVIDER.update("", outs, news),
                lambda: PROVIDER.delete("", outs),
            )
        )
    assert SEEN not in seen and PASSWORD not in seen
    assert "Traceback" not in seen


def test_the_marker_would_be_seen_in_a_config_map(tmp_path: Path) -> None:
    """That the test above can fail: the same texts in a ConfigMap are quoted."""
    with serving(tmp_path) as (api, kubeconfig):
        api.config_map("alertmanager-config", **{"alertmanager.yml": f"{RICH}key: *{MARKER}\n"})
        props = secret_props.props(kubeconfig)
        del props["secret_name"]
        props |= {"config_map": "alertmanager-config", "key": "alertmanager.yml"}
        with pytest.raises(ValueError, match=MARKER):
            ConfigTextHandler().check({}, props)


def test_a_clash_and_a_changed_file_are_told_without_their_lines(tmp_path: Path) -> None:
    with serving(tmp_path) as (api, kubeconfig):
        props = secret_props.props(kubeconfig)
        name = json.loads(props["ours"])["receivers"][0]["name"]
        hold(api, RICH.replace("name: pager", f"name: {name}").replace("receiver: pager", f"receiver: {name}").encode())
        said = told(lambda: PROVIDER.check({}, props))
        assert f"has a receiver named '{name}' already" in said and "(lines of a Secret are not shown)" in said
        assert SEEN not in said

        hold(api, RICH.encode())
        whole = secret_props.props(kubeconfig, "replace")
        outs = PROVIDER.create(whole).outs or {}
        hold_with_note(api, raw(api) + f"# {MARKER}\n".encode())
        said = told(lambda: PROVIDER.delete("", outs))
        assert said == (
            "alertmanager.yml: somebody has changed it since we wrote it, and bringing the old text back would lose "
            "that: keep the change elsewhere and take it back there (lines of a Secret are not shown)"
        )


def hold_with_note(api: Api, text: bytes) -> None:
    """Other bytes in the key, and all other keys as they are."""
    kept = secret_props.data(api)
    hold(api, text)
    api.objects[secret_props.PATH]["data"] = {**kept, **{secret_props.KEY: secret_props.data(api)[secret_props.KEY]}}


def test_what_amtool_says_of_it_is_not_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def faults(text: str) -> list[str]:
        return [f"unsupported scheme for URL {MARKER}"] if PASSWORD in text else []

    monkeypatch.setitem(config_text_handler._CHECKS, "routing", faults)
    with serving(tmp_path) as (api, kubeconfig):
        hold(api, RICH.encode())
        props = secret_props.props(kubeconfig)
        for said in (told(lambda: PROVIDER.create(props)), told(lambda: PROVIDER.check({}, props))):
            assert "would no longer be valid: amtool's reason is not shown, as it may quote the Secret" in said
            assert SEEN not in said
        assert raw(api) == RICH.encode()


def test_a_reload_that_is_refused_does_not_quote_it() -> None:
    def refuses(_: Request) -> Response:
        return Response(f"failed to reload config: cannot unmarshal !!str `{MARKER}`", status=500)

    with stand_in(refuses) as url:
        for secret in ("alertmanager-main", ""):
            server = server_props("alertmanager", url=url, secret_name=secret)
            props: Props = {"namespace": "monitoring", "alertmanager": server, "routing": {}}
            at = Replica(Http(url, name="Alertmanager"), "Alertmanager")
            (said,) = AlertmanagerCheck(props, at).reload()
            assert (MARKER in said) == (not secret)
            assert said.startswith("it refuses its files: ")
