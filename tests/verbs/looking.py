"""One check of verify, as soon as it has the status that a test waits for."""

from ops import targets
from ops.checks import Check, every_check
from tests.support.waiting import until


def found(target: targets.Target, name: str, wanted: str = "fail") -> Check:
    """The check of that name as soon as it has that status."""

    def look() -> Check | None:
        return next(
            (one for one in every_check.run_checks(target).checks if (one.name, one.status) == (name, wanted)), None
        )

    return until(look, f"{name} is not {wanted}")
