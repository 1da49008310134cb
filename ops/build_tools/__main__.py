"""`python -m ops.build_tools [NAME …]`: provides the tools."""

import shutil
import sys

from ops import build_tools
from ops.build_tools import CLUSTER, SERVERS, pulumi
from ops.errors import OpsError


def main(names: list[str]) -> int:
    """Provide the named tools, else all that a sandbox needs; returns the exit code."""
    try:
        # Without Go and without an installed engine there is no engine, so only the servers are provided.
        with_engine = shutil.which("go") or pulumi.find()
        wanted = names or [*SERVERS, *((*CLUSTER, *pulumi.missing()) if with_engine else ())]
        for name, program in build_tools.ensure(wanted, lambda line: print(line, flush=True)).items():
            print(f"{name}: {program}", flush=True)
    except OpsError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("interrupted; what was built is kept, run it again for the rest", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
