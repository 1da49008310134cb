#!/usr/bin/env python3
"""The identity token of a pipeline's job, as OpenID Connect has it; by Python alone.

    oidc_token.py VARIABLE AUDIENCE                prints the token
    oidc_token.py --kubernetes VARIABLE AUDIENCE   prints it as kubectl's plugins do, for a kubeconfig

GitLab puts the token into the variable that the job's `id_tokens` names. GitHub is asked for a new one each time, as it
lives for minutes only; the job needs `id-token: write`.
"""

import base64
import json
import os
import sys
import urllib.parse
import urllib.request
from collections.abc import Mapping
from datetime import UTC, datetime

TIMEOUT = 20.0  # seconds
TRIES = 3


class NoToken(Exception):
    """There is none; the message says what to do."""


def token(variable: str, audience: str, environment: Mapping[str, str]) -> str:
    """The token in `variable`, else a new one of GitHub's for `audience`. Raises NoToken."""
    if given := environment.get(variable):
        return given
    url, bearer = (environment.get(f"ACTIONS_ID_TOKEN_REQUEST_{name}") for name in ("URL", "TOKEN"))
    if not url or not bearer:
        raise NoToken(
            f"this job has no identity token: give it `id-token: write` (GitHub), or {variable} in its `id_tokens` "
            "(GitLab); without OpenID Connect, unset OIDC"
        )
    asked = f"{url}{'&' if '?' in url else '?'}audience={urllib.parse.quote(audience, safe='')}"
    request = urllib.request.Request(asked, headers={"Authorization": f"Bearer {bearer}"})  # noqa: S310 (the runner's)
    reason = ""
    for _ in range(TRIES):
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT) as answer:  # noqa: S310 (as above)
                return str(json.load(answer)["value"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            reason = f"{type(error).__name__}: {error}"
    raise NoToken(f"GitHub gave no identity token ({reason}); run the job again")


def credential(found: str) -> dict[str, object]:
    """The ExecCredential of a token, with the end of its life, so that a client asks again in time."""
    status = {"token": found}
    try:
        payload = found.split(".")[1]
        ends = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))["exp"]
        status["expirationTimestamp"] = datetime.fromtimestamp(ends, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (IndexError, ValueError, KeyError, TypeError):
        pass  # no JSON Web Token: a client keeps it until the server refuses it
    return {"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential", "status": status}


def main(arguments: list[str]) -> int:
    """Print the token; returns the exit code."""
    kubernetes = arguments[:1] == ["--kubernetes"]
    names = arguments[1:] if kubernetes else arguments
    if len(names) != 2:
        sys.stderr.write("give the variable and the audience: oidc_token.py [--kubernetes] VARIABLE AUDIENCE\n")
        return 2
    try:
        found = token(names[0], names[1], os.environ)
    except NoToken as error:
        sys.stderr.write(f"{error}\n")
        return 2
    sys.stdout.write(f"{json.dumps(credential(found)) if kubernetes else found}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
