"""What a template may ask of the data that there is, held to what Alertmanager writes: by way of amtool."""

import json
import re
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from formats.go_templates import TemplateError
from formats.template_data import BUILT_IN, Language
from ops import build_tools
from ops.build_tools.catalog import MODULES
from routing import _mail_templates as of_alertmanager
from rules import _annotation_templates as of_prometheus
from tests.formats.test_go_templates import refused_by_go
from tests.support.waiting import PATIENCE

TAKEN = (
    "plain }} text {{ .Status }}",
    "{{ .Receiver }} {{ .ExternalURL }} {{ .NotificationReason }} {{ .GroupLabels }} {{ .CommonAnnotations.summary }}",
    '{{ if eq .Status "firing" }}a{{ else if eq .Status "x" }}b{{ else }}c{{ end }}',
    "{{ range .Alerts }}{{ .Labels.alertname }} {{ .StartsAt.UTC.Format `2006` }} {{ .Fingerprint }}{{ end }}",
    "{{ range $i, $alert := .Alerts.Firing }}{{ $i }} {{ $alert.Annotations.summary }} {{ $.Status }}{{ end }}",
    "{{ range .Alerts }}{{ if .Labels.a }}{{ break }}{{ else }}{{ continue }}{{ end }}{{ else }}none{{ end }}",
    "{{ with .CommonLabels.alertname }}{{ . }}{{ else with .Status }}{{ . }}{{ else }}{{ len .Alerts }}{{ end }}",
    "{{ range .CommonLabels.SortedPairs }}{{ .Name }}={{ .Value }}{{ end }}",
    '{{ (.CommonLabels.Remove (stringSlice "a")).Names.Join ", " }} {{ .GroupLabels.Values.Join ":" }}',
    "{{ range $name, $value := .CommonLabels }}{{ $name | toUpper }}={{ $value }}{{ end }}",
    "{{ (index .Alerts 0).Labels.alertname }} {{ (index .Alerts 0).Labels.SortedPairs.Names }}",
    '{{ index .CommonLabels "a-b" }} {{ slice .Status 1 }} {{ printf "%s %d" .Status (len .Alerts) }}',
    '{{ define "t" }}{{ .Labels.alertname }}{{ end }}{{ range .Alerts }}{{ template "t" . }}{{ end }}',
    '{{ define "t" }}{{ .Status }}{{ end }}{{ template "t" . }}{{ range .Alerts }}{{ template "t" . }}{{ end }}',
    '{{ block "b" .Alerts }}{{ range . }}{{ .Status }}{{ end }}{{ end }}',
    '{{ template "slack.default.title" . }}{{ template "__subject" . }}',
    '{{ define "never called" }}{{ .Nonsense }}{{ end }}',
    "{{ $x := .Status }}{{ range .Alerts }}{{ $x = .Labels.alertname }}{{ end }}{{ $x }}",
    "{{ $x := .Status }}{{ $x = .CommonLabels }}{{ $x.alertname }}",
    "{{ (now).Year }} {{ now.Year }} {{ (dict `a` 1).a }} {{ list 1 2 | toJson }} {{ routeLabels `a` }}",
    "{{ .Alerts.Firing | len }} {{ .Status | toUpper | printf `%q` }} {{ 1 | print 'a' 1.5 nil true }}",
    "{{- /* a }} */ -}} {{/* b */}} x {{- print `}}` -}} y",
    "{{ if and .Status (not .CommonLabels.x) (or .GroupLabels false) }}a{{ end }}",
    "{{ .CommonLabels.missing }}",
)
REFUSED = (
    ("{{ $labels.alertname }}", "undefined variable $labels"),
    ('{{ if .Status == "x" }}{{ end }}', 'unexpected "="'),
    (
        "{{ .Labels.alertname }}",
        "did you mean .RouteLabels or .GroupLabels or .CommonLabels?",
    ),
    ("{{ .Stauts }}", "did you mean .Status?"),
    ("{{ range .Alerts }}{{ .Label.alertname }}{{ end }}", "an alert has no field .Label; did you mean .Labels?"),
    ("{{ range .Alerts }}{{ .Receiver }}{{ end }}", "an alert has no field .Receiver"),
    ("{{ range .Alerts }}{{ $.Labels }}{{ end }}", "a notification has no field .Labels"),
    ("{{ .Alerts.Status }}", "a list of alerts has no field .Status"),
    ("{{ .Alerts.Firing.Resolved }}", "a list of alerts has no field .Resolved"),
    ("{{ .Status.foo }}", "a text has no field .foo"),
    ("{{ .CommonLabels.a.b }}", "a text has no field .b"),
    ("{{ range .CommonLabels }}{{ .Name }}{{ end }}", "a text has no field .Name"),
    ("{{ range .CommonLabels.SortedPairs }}{{ .Key }}{{ end }}", "a name with its value has no field .Key"),
    ("{{ range $i, $a := .Alerts }}{{ $a.Name }}{{ end }}", "an alert has no field .Name"),
    ("{{ with .CommonLabels }}{{ .alertname }}{{ .alertname.x }}{{ end }}", "a text has no field .x"),
    ("{{ (index .Alerts 0).Foo }}", "an alert has no field .Foo"),
    ('{{ define "t" }}{{ .Labels.a }}{{ end }}{{ template "t" . }}', "a notification has no field .Labels"),
    ('{{ define "t" }}{{ $.Labels.a }}{{ end }}{{ template "t" $ }}', "a notification has no field .Labels"),
    ('{{ $x := 1 }}{{ define "t" }}{{ $x }}{{ end }}{{ template "t" . }}', "undefined variable $x"),
    ('{{ template "none" . }}', "no template none"),
    ("{{ range .Status }}{{ end }}", "{{ range }} is given a text"),
    ('{{ .Status "x" }}', ".Status is no function"),
    ('{{ "x" | .CommonLabels.a }}', ".CommonLabels.a is no function"),
    ('{{ "a" "b" }}', "is no function"),
    ("{{ . 1 }}", ". is no function"),
    ("{{ nil }}", "nil alone gives nothing"),
    ("{{ toUper .Status }}", "no function toUper for templates; did you mean toUpper?"),
    ("{{ Status }}", "no function Status for templates; a field is written .Status"),
    ("{{ range .Alerts }}", "{{ range }} is not closed"),
    ("{{ .Status }", "{{ is not closed"),
    ("{{ if .Status }}{{ else }}{{ else }}{{ end }}", "a second {{ else }}"),
)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    alert = {
        "status": "firing",
        "labels": {"alertname": "A", "path": "/"},
        "annotations": {"summary": "s"},
        "startsAt": "2026-11-23T09:30:00Z",
        "endsAt": "0001-01-01T00:00:00Z",
        "generatorURL": "http://p.test",
        "fingerprint": "f",
    }
    whole = {
        **{"receiver": "r", "status": "firing", "alerts": [alert, alert], "groupLabels": {"alertname": "A"}},
        **{"commonLabels": alert["labels"], "commonAnnotations": alert["annotations"], "externalURL": "http://a.test"},
    }
    file = tmp_path_factory.mktemp("data") / "data.json"
    file.write_text(json.dumps(whole), "utf-8")
    return file


def rendered(text: str, data: Path) -> subprocess.CompletedProcess[str]:
    command = [str(build_tools.path("amtool")), "template", "render", f"--template.glob={data.parent}/*.tmpl"]
    command += [f"--template.data={data}", f"--template.text={text}"]
    return subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)


def test_what_is_taken_alertmanager_writes_and_what_is_refused_it_does_not(data: Path) -> None:
    texts = [*TAKEN, *(text for text, _ in REFUSED)]
    with ThreadPoolExecutor(4) as pool:
        theirs = list(pool.map(lambda text: rendered(text, data), texts))
    said = {text: done.stderr for text, done in zip(texts, theirs, strict=True) if done.returncode}
    assert said.keys() == {text for text, _ in REFUSED}, said


@pytest.mark.parametrize("text", TAKEN)
def test_is_taken(text: str) -> None:
    of_alertmanager.check(text)


@pytest.mark.parametrize(("text", "words"), REFUSED)
def test_is_refused_with_its_reason(text: str, words: str) -> None:
    with pytest.raises(TemplateError, match=re.escape(words)):
        of_alertmanager.check(text)


def test_a_function_that_a_newer_alertmanager_may_have_is_left_to_amtool() -> None:
    of_alertmanager.check("{{ sha256sum .Status }}")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{{ .Status }}", "an alert has no field .Status"),
        ("{{ $labels.a.b }}", "a text has no field .b"),
        ("{{ range query `up` }}{{ .Label.a }}{{ end }}", "a sample has no field .Label; did you mean .Labels?"),
        ("{{ (query `up` | first).Vlaue }}", "did you mean .Value?"),
        ("{{ humanise $value }}", "Prometheus has no function humanise for templates; did you mean humanize?"),
        ("{{ tmpl `a` . }}", "Prometheus has no function tmpl"),
        ("{{ $valeu }}", "undefined variable $valeu; those that are set here: $labels"),
        ('{{ template "a" }}', "no template a"),
    ],
)
def test_an_alerts_template_is_refused_with_its_reason(text: str, words: str) -> None:
    with pytest.raises(TemplateError, match=re.escape(words)):
        of_prometheus.check(text)


@pytest.mark.parametrize(
    ("name", "language", "listed"),
    [
        ("alertmanager", of_alertmanager.LANGUAGE, r"(?ms)^var DefaultFuncs = FuncMap{(.*?)^}"),
        ("prometheus", of_prometheus.LANGUAGE, r"(?ms)^\t\tfuncMap: text_template.FuncMap{(.*?)^\t\t}"),
    ],
)
def test_the_functions_are_those_of_the_pinned_server(name: str, language: Language, listed: str) -> None:
    command = ["go", "list", "-m", "-f", "{{ .Dir }}", f"github.com/prometheus/{name}"]
    if not shutil.which("go"):
        pytest.skip("there is no Go on this machine, so no source either")
    found = subprocess.run(command, cwd=MODULES / name, capture_output=True, text=True, timeout=PATIENCE).stdout.strip()
    if not found:
        pytest.skip("the source has not been fetched on this machine")
    functions = re.search(listed, (Path(found) / "template" / "template.go").read_text("utf-8"))
    assert functions is not None
    first = re.search(r"\n(\t+)\"", functions[1])
    assert first is not None
    assert set(re.findall(rf'(?m)^{first[1]}"(\w+)":', functions[1])) == set(language.functions)


def test_every_function_is_parsed_by_the_tools_that_are_there(tmp_path: Path, data: Path) -> None:
    calls = "".join(f"{{{{ if false }}}}{{{{ {name} }}}}{{{{ end }}}}" for name in sorted(BUILT_IN))
    for functions, refused in (
        (of_prometheus.FUNCTIONS, lambda text: refused_by_go(tmp_path, [text])),
        (of_alertmanager.FUNCTIONS, lambda text: rendered(text, data).returncode),
    ):
        assert not refused(calls + "".join(f"{{{{ if false }}}}{{{{ {name} }}}}{{{{ end }}}}" for name in functions))
        assert refused("{{ if false }}{{ nothing }}{{ end }}")
