"""Writes facts and pictures as one HTML file or Markdown, and reads the facts of an earlier report."""

import json
import re
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from formats.json_types import JsonValue
from ops.reporting.facts import Facts
from ops.reporting.panels import DrawnPanel

_DATA = re.compile(
    r'<script type="application/json" id="report">(?P<html>.*?)</script>|<!-- report (?P<markdown>\{.*?\}) -->',
    re.DOTALL,
)


def html(facts: Facts, panels: Iterable[DrawnPanel]) -> str:
    """One HTML page without scripts; it loads nothing from elsewhere."""
    data = Markup(_data(facts))  # noqa: S704 - `_data` escapes what would end the element
    return _environment(True).get_template("page.html").render(f=facts, panels=list(panels), data=data)


def markdown(facts: Facts) -> str:
    """The report as Markdown, without pictures."""
    text = _environment(False).get_template("page.md").render(f=facts, data=_data(facts))
    return re.sub(r"\n{3,}", "\n\n", text).rstrip("\n") + "\n"


def earlier(text: str) -> Mapping[str, JsonValue] | None:
    """The facts in an earlier report; None where the text is no report."""
    found = _DATA.search(text)
    if found is None:
        return None
    try:
        facts = json.loads(found["html"] or found["markdown"])
    except ValueError:
        return None
    return facts if isinstance(facts, dict) else None


def _data(facts: Facts) -> str:
    """The facts as JSON, escaped so that it ends neither a script element nor a comment."""
    text = json.dumps(facts.as_json(), ensure_ascii=False, allow_nan=False)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026").replace("\u2028", "\\u2028")


@cache
def _environment(escaped: bool) -> Environment:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=escaped,  # noqa: S701 - not for Markdown
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["cell"] = lambda text: re.sub(r"([\\|<*_`\[])", r"\\\1", " ".join(str(text).split()))
    environment.filters["code"] = _code
    environment.filters["minute"] = lambda at: f"{str(at)[:16].replace('T', ' ')} UTC"
    environment.filters["link"] = lambda url: url if re.match(r"https?://", str(url)) else ""
    return environment


def _code(text: str) -> Markup:
    """The text with what is in backticks as code; all of it escaped."""
    parts = str(text).split("`")
    if len(parts) % 2 == 0:
        return escape(text)
    return Markup("").join(
        Markup("<code>{}</code>").format(part) if at % 2 else escape(part) for at, part in enumerate(parts)
    )
