"""What can go wrong while looking at or touching a target.

    OpsError                  could not look, or could not do it: exit 2
    ├── Misconfigured         our own input: a target, a setting, a file, an argument
    ├── EngineMissing         there is no `pulumi` here
    ├── Unreachable           nothing answered, or it is not ready yet
    │   ├── UnknownName       no address is known for its host name
    │   ├── NoService         the cluster has no such Service
    │   └── Untrusted         its certificate is not trusted
    ├── BadAnswer             something answered in another language than expected
    │   └── Elsewhere         it sends on to another address
    ├── Refused               it answered, and said no (`status`, `words`)
    │   ├── Forbidden         401 and 403
    │   ├── NotFound          404
    │   └── Conflict          409 and 412: somebody else was faster, or is there already
    └── Findings              looked, and something is not in order: exit 1

Every message is one sentence: what, where, and what to do next.
"""


class OpsError(Exception):
    """Something that a person can act on; the message stands alone."""

    exit_code = 2


class Misconfigured(OpsError):
    """A target, a setting, a file or an argument of ours is missing or wrong."""


class EngineMissing(OpsError):
    """There is no `pulumi` on PATH that is new enough, and none was built here."""


class Unreachable(OpsError):
    """Nothing answered in time, or it answered that it is not ready."""


class UnknownName(Unreachable):
    """No address is known for the host name: mistyped, or of a headless Service without ready pods."""


class NoService(Unreachable):
    """The cluster has no Service of that name."""


class Untrusted(Unreachable):
    """The certificate that it shows is not trusted, or is for another name."""


class BadAnswer(OpsError):
    """The answer is not what this service would send; most likely the address belongs to another one."""


class Elsewhere(BadAnswer):
    """It sends on to another address, such as a login page."""


class Refused(OpsError):
    """The service answered and declined.

    `status` is the HTTP status; `words` are the service's own words.
    """

    def __init__(self, message: str, *, status: int, words: str) -> None:
        super().__init__(message)
        self.status = status
        self.words = words


class Forbidden(Refused):
    """The credentials are missing, wrong, or not enough."""


class NotFound(Refused):
    """No such object."""


class Conflict(Refused):
    """The object changed since it was read, or exists already."""


class Findings(OpsError):
    """The target was looked at, and something is not in order."""

    exit_code = 1
