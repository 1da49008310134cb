"""docs/compatibility.md is what `make compat` would write, as far as that can be told without running it."""

from tests.compat import compatibility_page, server_builds
from tests.compat.compatibility_page import Result
from tests.compat.life import ALERT, STEPS, Step

KEPT = compatibility_page.FILE.read_text("utf-8")


def test_what_follows_from_the_files_stands_in_the_document_as_it_is_now() -> None:
    assert KEPT.endswith(compatibility_page.following()), "run `make docs`"
    assert compatibility_page.rewritten(KEPT) == KEPT


def test_the_document_has_every_version_that_is_pinned_and_no_other() -> None:
    rows = [line.split(" | ")[0].removeprefix("| ") for line in KEPT.split("## What our files need")[0].splitlines()]
    versions = [row for row in rows if row[:1].isdigit()]
    assert versions == [server.version for server in server_builds.servers()], "run `make compat`"
    assert all(f"{compatibility_page.NAMES[name]} {version}" in KEPT for name, version in server_builds.usual().items())


def test_a_failure_is_said_in_its_row_and_what_was_not_tried_is_not_called_good() -> None:
    steps = (Step(STEPS[0], 1.0, ""), Step(STEPS[1], 1.0, "it wants to change | something"))
    result = Result("alertmanager", "0.25.0", steps, 3, ("x should be known",))
    assert not result.passed
    row = next(
        line
        for line in compatibility_page.text([result], server_builds.usual(), ALERT).splitlines()
        if "0.25.0 |" in line
    )
    assert row.startswith("| 0.25.0 | ✓ | ✗ it wants to change \\| something | – | – | – | – | – | 2 of 3 | ")
    assert "`webhookUrlFile` (0.26)" in row


def test_a_life_passes_only_whole() -> None:
    every = tuple(Step(name, 1.0, "") for name in STEPS)
    assert Result("prometheus", "3.5.0", every, 3, ()).passed
    assert not Result("prometheus", "3.5.0", every[:-1], 3, ()).passed
    assert not Result("prometheus", "3.5.0", every, 3, ("x",)).passed
