"""A preview warns where rules read histograms in the form that Prometheus does not have."""

import json

import pytest
from werkzeug import Request

import metrics
import rules
from components.live.provider import Props
from components.live.running import histogram_forms
from tests.support.stand_in import json_answer, stand_in

NAMES = sorted(metrics.load().of_form("native").native)
ONLY = "of our histograms only in the"
NATIVE, CLASSIC = {*NAMES}, {f"{name}_bucket" for name in NAMES}


def props(url: str, form: str) -> Props:
    known = rules.alerts(native=metrics.load().of_form(form).native)
    written = {f"g/{name}": {"file": "a.yml", "expression": one.expr} for name, one in known.items()}
    written["g/theirs"] = {"file": "b.yml", "expression": "not ( PromQL"}
    return {"prometheus": {"url": url}, "wanted": json.dumps({"rules": written, "routing": {}})}


@pytest.mark.parametrize(
    ("form", "there", "said"),
    [
        ("classic", CLASSIC, ""),
        ("classic", NATIVE, f"Prometheus has {len(NAMES)} {ONLY} native form: set `histograms: native`"),
        ("classic", {NAMES[0], *CLASSIC}, ""),
        ("classic", set(), ""),
        ("native", NATIVE, ""),
        ("native", {NAMES[0]}, ""),
        ("native", {f"{NAMES[0]}_bucket"}, f"Prometheus has 1 {ONLY} classic form: set `histograms: classic`"),
        ("native", NATIVE | CLASSIC, ""),
    ],
)
def test_the_setting_is_named(form: str, there: set[str], said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    lines: list[str] = []
    monkeypatch.setattr(histogram_forms, "warn", lines.append)

    def answer(request: Request) -> object:
        asked.append(request.values["query"])
        found = [{"metric": {"__name__": name}, "value": [1, "3"]} for name in sorted(there)]
        return json_answer({"status": "success", "data": {"resultType": "vector", "result": found}})

    with stand_in(answer) as url:  # type: ignore[arg-type]
        histogram_forms.warn_other_form(props(url, form))
    assert "".join(lines) == said
    assert len(f"warning: {said}") <= 100
    assert len(asked) == 1


def test_without_an_answer_nothing_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    lines: list[str] = []
    monkeypatch.setattr(histogram_forms, "warn", lines.append)
    histogram_forms.warn_other_form(props("http://127.0.0.1:1", "native"))
    histogram_forms.warn_other_form({"prometheus": {"url": "http://127.0.0.1:1"}})
    assert not lines
