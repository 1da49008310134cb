"""What `routing.load` refuses, each in one sentence with its line; and that Alertmanager refuses it too."""

import re
import subprocess
from pathlib import Path

import pytest

import routing
from ops import build_tools
from tests.support.waiting import PATIENCE

GOOD = """\
global:
  smtp_smarthost: mail.test:25
  smtp_require_tls: true
  smtp_from: a@b.test
  smtp_auth_username: a
  smtp_auth_password_file: /p
route:
  receiver: all
  routes:
    - receiver: ours
      matchers: [component="api"]
      group_by: [alertname]
      group_wait: 10s
      group_interval: 5m
      repeat_interval: 2h
      active_time_intervals: [work]
inhibit_rules:
  - source_matchers: [severity="critical"]
    target_matchers: [severity="warning"]
    equal: [component]
receivers:
  - name: all
  - name: ours
    email_configs:
      - to: a@b.test
        headers: {Subject: '{{ .Status }}'}
        text: |
          {{ range .Alerts }}
          {{ .Labels.alertname | toUpper }}
          {{ end }}
time_intervals:
  - name: work
    time_intervals:
      - times: [{start_time: 08:00, end_time: 17:00}]
        weekdays: [monday:friday]
        days_of_month: ['1:-1']
        months: [january:june, '12']
        years: ['2026']
        location: Europe/Berlin
"""

# (what to replace, by what, line, part of the sentence)
BAD = [
    ("global:", "global: [", 3, "not YAML"),
    ("smtp_from: a@b.test", "smtp_from: a@b.test\n  smtp_form: x", 5, "did you mean smtp_from"),
    ("  receiver: all\n", "  receiver: all\n  receiver: ours\n", 9, "stands here a second time"),
    ("receiver: all\n", "receiver: al\n", 8, "there is no receiver al; there are all, ours"),
    ("receiver: all\n", "group_wait: 1s\n", 7, "has no receiver"),
    ("receiver: all\n", "receiver: all\n  matchers: [a=b]\n", 9, "takes every alert"),
    ("receiver: all\n", "receiver: all\n  continue: true\n", 9, "takes every alert"),
    ("route:", "rout:", 7, "did you mean route"),
    ('component="api"', 'component="api', 11, "does not end"),
    ('component="api"', "component", 11, "expected one of"),
    ('component="api"', 'component=~"("', 11, "not a regular expression"),
    (
        "      matchers: [component=",
        "      match_re: {a: '*'}\n      matchers: [component=",
        11,
        "not a regular expression",
    ),
    ("group_by: [alertname]", "group_by: [alertname, alertname]", 12, "names each label once"),
    ("group_by: [alertname]", "group_by: [alertname, '...']", 12, "names each label once"),
    ("10s", "10 s", 13, "no duration"),
    ("10s", "1m1h", 13, "no duration"),
    ("5m", "0s", 14, "cannot be 0"),
    ("[work]", "[wrok]", 16, "no time interval wrok"),
    ("group_wait", "group_wiat", 13, "did you mean group_wait"),
    ('source_matchers: [severity="critical"]', "source_matchers: [severity!x]", 18, "not a matcher"),
    ("name: all", "name: ours", 23, "already"),
    ("- name: all", "- email_configs: []", 22, "no name"),
    ("email_configs", "mail_configs", 24, "did you mean email_configs"),
    ("to: a@b.test", "html: x", 25, "no to"),
    ("to: a@b.test", "to: a@b.test\n        smarthost: b", 26, "host:port"),
    ("to: a@b.test", "to: a@b.test\n        send_resolved: maybe", 26, "true or false"),
    ("{Subject: '{{ .Status }}'}", "{Subject: x, subject: y}", 26, "stands here twice"),
    ("08:00", "18:00", 34, "later end_time"),
    ("january:june", "june:january", 37, "ends before it begins"),
    ("monday:friday", "moonday", 35, "not in weekdays"),
    ("january:june", "13th", 37, "not in months"),
    ("Europe/Berlin", "Berlin", 39, "not a time zone"),
    ("name: work\n", "name: ''\n", 32, "no name"),
    ("  smtp_from", "  smtp_auth_password: x\n  smtp_from", 4, "exclude each other"),
]
# What Alertmanager's own check lets through: faults that show only when a mail is sent, and what only our use asks for.
OURS = [
    ("{{ end }}", "", 28, "{{ range }} is not closed"),
    ("toUpper", "toUper", 29, "no function toUper"),
    ("'{{ .Status }}'", "'{{ .Status }'", 26, "{{ is not closed"),
    ("'{{ .Status }}'", "'{{ .Status }} {{ end }}'", 26, "without an if"),
    ("'{{ .Status }}'", "'{{ template \"none\" . }}'", 26, "no template none"),
    ("'{{ .Status }}'", "'{{ if eq .Status \"firing }}'", 26, "does not end"),
    ("'{{ .Status }}'", "'{{ else }}'", 26, "without an if"),
    ("'{{ .Status }}'", "'{{ $labels.alertname }}'", 26, "undefined variable $labels"),
    ("'{{ .Status }}'", "'{{ if .Status == \"x\" }}a{{ end }}'", 26, 'unexpected "="'),
    ("'{{ .Status }}'", "'{{ .Labels.alertname }}'", 26, "a notification has no field .Labels"),
    (".Labels.alertname", ".Label.alertname", 29, "an alert has no field .Label"),
    ("'{{ .Status }}'", "'{{ }}'", 26, "empty"),
    ("'{{ .Status }}'", "'{{/* x }}'", 26, "comment does not end"),
    ("'{{ .Status }}'", "'{{ break }}'", 26, "outside a range"),
    ("  smtp_auth_username: a\n", "", 1, "no smtp_auth_username"),
    ("  smtp_auth_password_file: /p\n", "  smtp_auth_password: p\n", 1, "no smtp_auth_password_file"),
    ("route:", "templates: [x.tmpl]\nroute:", 7, "write the text into the receivers"),
    ("      group_wait: 10s\n", "", 10, "no group_wait"),
    ('      matchers: [component="api"]\n', "", 10, "matches every alert"),
]


def written(folder: Path, old: str, new: str) -> Path:
    assert GOOD.count(old) >= 1
    folder.mkdir(exist_ok=True)
    (folder / "alertmanager.yml").write_text(GOOD.replace(old, new, 1), "utf-8")
    return folder


def test_a_good_file_is_read(tmp_path: Path) -> None:
    found = routing.load(written(tmp_path, "", ""))
    assert found.text == GOOD
    assert found.config["time_intervals"][0]["time_intervals"][0]["times"] == [
        {"start_time": "08:00", "end_time": "17:00"}
    ]
    assert [interval["name"] for interval in found.parts().time_intervals] == ["work"]


@pytest.mark.parametrize(("old", "new", "line", "words"), [*BAD, *OURS])
def test_a_fault_is_one_sentence_with_its_line(tmp_path: Path, old: str, new: str, line: int, words: str) -> None:
    with pytest.raises(routing.RoutingError) as raised:
        routing.load(written(tmp_path / "routing", old, new))
    said = str(raised.value)
    assert said.startswith(f"{tmp_path}/routing/alertmanager.yml:{line}: "), said
    assert words in said
    assert said.count("\n") == 0
    assert not said.endswith(".")


def test_alertmanager_refuses_the_same(tmp_path: Path) -> None:
    cases = [("", ""), *((old, new) for old, new, _, _ in BAD), *((old, new) for old, new, _, _ in OURS)]
    files = [written(tmp_path / str(n), old, new) / "alertmanager.yml" for n, (old, new) in enumerate(cases)]
    command = [str(build_tools.path("amtool")), "check-config", *map(str, files)]
    said = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE).stdout
    verdicts = re.findall(r"Checking '[^']*/(\d+)/alertmanager\.yml'.*?  (SUCCESS|FAILED)", said, re.S)
    refused = {int(number) for number, verdict in verdicts if verdict == "FAILED"}
    wrongly = [BAD[number - 1] for number in range(1, len(BAD) + 1) if number not in refused]
    assert wrongly == []
    assert 0 not in refused
    # Where Alertmanager catches one of ours after all, it belongs above.
    assert [OURS[number - len(BAD) - 1] for number in sorted(refused) if number > len(BAD)] == []


@pytest.mark.parametrize(
    "content",
    [None, b"", b"- a\n", b"\xff", b"a: \x00", b"--- 1\n--- 2\n", b"? [a]\n: b\n", b"a: *b\n", b"a: &b [*b]\n"],
)
def test_what_is_no_configuration_is_refused(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "alertmanager.yml").write_bytes(content)
    with pytest.raises(routing.RoutingError, match=r"/alertmanager\.yml:\d+: .*[^.]$"):
        routing.load(tmp_path)
