"""One file a verb, all of one shape: arguments, a call into a library, output, exit code. None imports another."""
