"""The errors of the sandbox; in a module of its own, which needs no package of the sandbox."""

from ops.errors import OpsError


class SandboxError(OpsError):
    """The sandbox cannot be started or used."""


class PortTaken(SandboxError):
    """Another program uses a port that the sandbox needs."""
