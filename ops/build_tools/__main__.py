"""`python -m ops.build_tools [NAME …]`: bring the tools, and say what is done meanwhile."""

import shutil
import sys

from ops import build_tools
from ops.build_tools import CLUSTER, SERVERS, pulumi
from ops.errors import OpsError


def main(names: list[str]) -> int:
    """Bring the named tools, else all that a sandbox with an engine needs; returns the exit code."""
    try:
        # Without Go and without an engine of one's own there can be none, and the servers alone are worth having.
        with_engine = shutil.which("go") or pulumi.find()
        wanted = names or [*SERVERS, *((*CLUSTER, *pulumi.missing()) if with_engine else ())]
        for name, program in build_tools.ensure(wanted, lambda line: print(line, flush=True)).items():
            print(f"{name}: {program}", flush=True)
    except OpsError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("Stopped; what was built is kept, and the next run goes on from there.", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
