"""What can go wrong with the sandbox; apart, so that what only reads it needs none of the sandbox's own packages."""

from ops.errors import OpsError


class SandboxError(OpsError):
    """The sandbox cannot be started, or is not as it was left."""


class PortTaken(SandboxError):
    """Another program listens where a child was to listen."""
