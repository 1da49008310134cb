"""The program with the setting `histograms: native`."""

import re

from tests.test_program import FILES, declared, of_type


def test_with_native_histograms_rules_and_panels_read_these() -> None:
    """Of the classic series nothing is left, and all else is as before."""
    classic, native = declared(grafanaMode="sidecar"), declared(grafanaMode="sidecar", histograms="native")
    series = re.compile(r"[a-z_]+_milliseconds_(?:bucket|count|sum)\b")
    before, after = (
        {key: text for found in of_type(every, ":ConfigMap") for key, text in found.inputs["data"].items()}
        for every in (classic, native)
    )
    assert before.keys() == after.keys() > FILES.keys()
    assert [name for name, text in before.items() if series.search(text)]
    assert not [name for name, text in after.items() if series.search(text)]
    for name, text in before.items():
        assert _others(text) == _others(after[name])


def _others(text: str) -> list[str]:
    return [line for line in text.split("\n") if "milliseconds" not in line]
