"""One file for each verb: arguments, a call into a library, output, exit code. No verb imports another."""
