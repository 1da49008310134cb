"""`python -m tests.support.node`: builds what a node takes, where the machine has the rest; says so elsewhere."""

import sys

from ops import build_tools
from ops.build_tools import NODE
from ops.errors import OpsError
from tests.support.node.node_needs import missing_of_machine


def main() -> int:
    """Build what is missing. Returns the exit code."""
    if why := missing_of_machine():
        print(f"nothing is built: {why}")
        return 0
    try:
        build_tools.ensure(NODE, lambda line: print(line, flush=True))
    except OpsError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
