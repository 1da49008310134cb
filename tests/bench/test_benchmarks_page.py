"""docs/benchmarks.md says of each part what its file says now, also where only the numbers were measured anew."""

import re

from tests.bench.benchmarks_page import FILE, PARTS


def test_each_part_is_explained_as_its_file_explains_it() -> None:
    page = FILE.read_text("utf-8")
    written = re.findall(r"^<!-- (\w+) -->$", page, re.MULTILINE)
    assert written and set(written) <= PARTS.keys()
    assert [name for name in written if f"<!-- {name} -->\n{PARTS[name]}\n" not in page] == []
