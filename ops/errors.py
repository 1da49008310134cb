"""The errors of ops.

    OpsError                  it could not be checked or done: exit 2
    ├── Misconfigured         a target, a setting, a file or an argument is wrong
    ├── EngineMissing         there is no usable `pulumi`
    ├── Unreachable           nothing answered, or it is not ready yet
    │   ├── UnknownName       no address is known for its host name
    │   ├── NoService         the cluster has no such Service
    │   ├── Untrusted         its certificate is not trusted, or it does not trust ours
    │   └── OtherProtocol     http was spoken where it is https, or the reverse
    ├── BadAnswer             the answer is not that of the expected service
    │   └── Elsewhere         it redirects, shows a page, or cannot do what is asked: another address is needed
    ├── Refused               the service answered with an error (`status`, `words`)
    │   ├── Forbidden         401 and 403
    │   │   └── Unauthorized  401 of the service itself: credentials are missing or wrong
    │   ├── NotFound          404
    │   ├── Conflict          409 and 412: changed meanwhile, or exists already
    │   └── NoCommand         a container has no such command
    └── Findings              something is wrong with the target: exit 1

Every message is one sentence: what is wrong, where, and what to do.
"""


class OpsError(Exception):
    """An error that a person can act on; its message needs no context."""

    exit_code = 2


class Misconfigured(OpsError):
    """A target, a setting, a file or an argument of ours is missing or wrong."""


class EngineMissing(OpsError):
    """There is no `pulumi` on PATH that is new enough, and none was built on this machine."""


class Unreachable(OpsError):
    """Nothing answered in time, or it answered that it is not ready."""


class UnknownName(Unreachable):
    """No address is known for the host name: mistyped, or of a headless Service without ready pods."""


class NoService(Unreachable):
    """The cluster has no Service of that name."""


class Untrusted(Unreachable):
    """The certificate that it shows is not trusted, or is for another name; or it accepts none of ours."""


class OtherProtocol(Unreachable):
    """It speaks https where http was spoken to it, or the reverse."""


class BadAnswer(OpsError):
    """The answer is not one of this service; most likely the address is that of another one."""


class Elsewhere(BadAnswer):
    """Another address, or other credentials, are needed.

    It redirects (to `location`, where it did), shows a page for people such as a login, or is a server of this kind
    that cannot do what is asked.
    """

    def __init__(self, message: str, *, location: str = "") -> None:
        super().__init__(message)
        self.location = location


class Refused(OpsError):
    """The service answered with an error.

    `status`: the HTTP status, 0 where it was no HTTP. `words`: the service's own message.
    """

    def __init__(self, message: str, *, status: int, words: str) -> None:
        super().__init__(message)
        self.status = status
        self.words = words


class Forbidden(Refused):
    """The credentials are missing, wrong, or not enough."""


class Unauthorized(Forbidden):
    """The credentials for this service are missing or wrong (401), as it says itself."""


class NotFound(Refused):
    """No such object."""


class Conflict(Refused):
    """The object changed since it was read, or exists already."""


class NoCommand(Refused):
    """The container has no such command."""


class Findings(OpsError):
    """The target was checked, and something is wrong with it."""

    exit_code = 1
