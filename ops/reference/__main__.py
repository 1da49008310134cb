"""`python -m ops.reference`: write the pages that follow from the code."""

import sys

from ops.reference import commands_page, rooms_diagram, settings_page
from ops.repo.files import ROOT, Edit, read, shown, write

DOCS = ROOT / "docs"


def edits() -> list[Edit]:
    """Each page as it is and as it should be. Raises OpsError, and ValueError where a page has lost its marks."""
    pages = {
        "commands.md": commands_page.page(),
        "settings.md": settings_page.page(),
        "architecture.md": rooms_diagram.inserted(read(DOCS / "architecture.md"), ROOT),
    }
    return [
        Edit(DOCS / name, read(DOCS / name) if (DOCS / name).exists() else None, text) for name, text in pages.items()
    ]


def main() -> None:
    """Write what changed, and say what that is. Raises OpsError, ValueError."""
    found = edits()
    write(found)
    changed = [shown(edit.path) for edit in found if edit.changes]
    sys.stdout.write(f"Written: {', '.join(changed)}.\n" if changed else "The pages are current.\n")


if __name__ == "__main__":
    main()
