"""`python -m ops.build_tools.run_tool NAME …`: provides a tool, and becomes it; for `make lint`."""

import os
import sys

from ops import build_tools
from ops.errors import OpsError


def main(name: str, arguments: list[str]) -> int:
    """Run a tool in place of this process; its exit code is then the tool's. Returns 2 where it cannot be had."""
    try:
        program = build_tools.path(name, lambda line: print(line, file=sys.stderr, flush=True))
    except OpsError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    return os.execv(program, [name, *arguments])  # noqa: S606 (a list; no shell)


if __name__ == "__main__":
    if not sys.argv[1:]:
        print("name a tool: python -m ops.build_tools.run_tool NAME …", file=sys.stderr)
        sys.exit(2)
    sys.exit(main(sys.argv[1], sys.argv[2:]))
