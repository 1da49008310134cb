"""`bin/ops VERB`."""

import signal

# Until a verb begins, Ctrl-C only ends the process: nothing is to be undone, and an import would show a traceback.
if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
    signal.signal(signal.SIGINT, signal.SIG_DFL)

from ops.cli import main

if __name__ == "__main__":
    main()
