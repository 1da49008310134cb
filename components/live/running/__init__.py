"""Whether the servers run what was written: what is wanted, what runs, and waiting until they agree."""
