"""What to do about what is wrong with a service: the ends of the messages of ops.clients.http."""

from dataclasses import dataclass

IF_FORBIDDEN = "check the credentials and what they may do"
NO_LOGIN = "use that address, or credentials that need no login page"


@dataclass(frozen=True)
class Hints:
    """By what is wrong; an empty one gives the general advice. The defaults know no settings of ours.

    `setting`: the one that says where the service is; "" where none does. It has a path prefix after `stem`, or after
    the address where that is "".
    """

    unauthorized: str = IF_FORBIDDEN
    untrusted: str = ""  # the service's certificate is signed by an unknown authority
    expired: str = ""
    other_name: str = ""  # its certificate is for other names than the one that it is called by
    client_certificate: str = ""  # it does not accept ours, or wants one
    wants_tls: str = "use https"
    without_tls: str = "use http"
    login: str = NO_LOGIN
    setting: str = ""
    stem: str = ""
