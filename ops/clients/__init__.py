"""Clients of the monitoring's servers. All use `ops.clients.http` and raise `ops.errors`."""
