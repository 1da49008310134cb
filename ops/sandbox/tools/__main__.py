"""`python -m ops.sandbox.tools [NAME …]`: bring the tools, saying what is being done meanwhile."""

import sys

from ops.errors import OpsError
from ops.sandbox.tools import DEFAULT, path


def main(names: list[str]) -> int:
    try:
        for name in names or DEFAULT:
            print(f"{name}: {path(name, lambda line: print(line, flush=True))}", flush=True)
    except OpsError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
