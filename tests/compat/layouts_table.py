"""The layouts' part of docs/compatibility.md: it follows from tests/e2e/layouts.py, which the tests of a life run."""

import inspect
from collections.abc import Iterable, Iterator

from tests.e2e import layouts
from tests.e2e.lives import STEPS, Layout

HEADING = "## Layouts that it works on"
TESTS = {  # tests/e2e/FILE::TEST, by the layouts that it is given
    "test_layouts.py::test_a_life_by_hand": layouts.BY_HAND,
    "test_layouts_operator.py::test_a_life_by_the_operator": layouts.BY_OPERATOR,
    "test_layouts_tenant.py::test_a_life_of_a_tenant": layouts.TENANTS,
}
_HEAD = """
{heading}

How others run the servers. On each of these `make e2e` leads the same life, one step after the other, with a
real engine and real servers, and looks after each step whether what is said below is true. {count} layouts; there is
no container runtime: what stands for kubelet brings the files, and the servers are processes. Mimir itself is
not among them; Cortex has the same API, at other paths. The dashboard by Grafana's API has tests of its own
(`test_grafana.py`), which need Pulumi's provider for Grafana.

| layout | {steps} | test in tests/e2e |
|---|{rules}---|
"""


def section() -> str:
    """Heading, table and legend."""
    head = _HEAD.format(heading=HEADING, count=len(layouts.EVERY), steps=" | ".join(STEPS), rules="---|" * len(STEPS))
    rows = [_row(layout, test) for test, every in TESTS.items() for layout in every]
    return "".join([head, *rows, "\n", *_legend()])


def node_ids() -> Iterator[str]:
    """Each test that a row names, as pytest does."""
    for test, every in TESTS.items():
        yield from (f"tests/e2e/{test}[{layout.name}]" for layout in every)


def _row(layout: type[Layout], test: str) -> str:
    title = f"[{layout.title}](stacks/{layout.page}.md)" if layout.page else layout.title
    return f"| {title} | {' | '.join('✓' for _ in STEPS)} | `{test}[{layout.name}]` |\n"


def _legend() -> Iterable[str]:
    for step, does in STEPS.items():
        yield f"- {step}: {_said(does)}\n"
        for layout in layouts.EVERY:
            own = vars(layout).get(does.__name__)
            if own is not None and own.__doc__:
                yield f"  `{layout.name}`: {_said(own)}\n"


def _said(does: object) -> str:
    """The docstring of a step, as the end of a line."""
    text = " ".join((inspect.getdoc(does) or "").split())
    return text[:1].lower() + text[1:] if not text.startswith("SIGKILL") else text
