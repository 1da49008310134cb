"""What the engine and its providers print becomes the sentences that matter."""

import pytest

from ops.stack.engine import reasons

FAILED = """Diagnostics:
  pulumi:pulumi:Stack (api-monitoring-sandbox):
    warning: Attempting to deploy or update resources with 1 pending operations from previous deployment.
      * urn:pulumi:sandbox::api-monitoring::monitoring:Folder::folder, interrupted while creating
    error: update failed
    Traceback (most recent call last):
      File "run", line 232, in <module>
    KeyboardInterrupt
  grafana:oss:Dashboard (api-performance-baseline):
    error:   sdk-v2/provider2.go:572: sdk.helper_schema: {0}: provider=grafana@2.38.0
    error: 1 error occurred:
    \t* {0}
"""


@pytest.mark.parametrize(
    ("printed", "said"),
    [
        (
            '[POST /dashboards/db][500] postDashboardInternalServerError {"message":"database is locked"}',
            "Grafana answered POST /api/dashboards/db with 500: database is locked; read its log, and run "
            "`pulumi up` again",
        ),
        (
            "[POST /dashboards/db] postDashboard (status 503): {}",
            "Grafana answered POST /api/dashboards/db with 503 (its provider does not pass on what Grafana said); read "
            "its log, and run `pulumi up` again",
        ),
        (
            '[POST /dashboards/db][400] postDashboardBadRequest  &{Message:"Dashboard name cannot be the same"}',
            "Grafana answered POST /api/dashboards/db with 400: Dashboard name cannot be the same; read its log, and "
            "run "
            "`pulumi up` again",
        ),
        (
            "[POST /dashboards/db][422] postDashboardUnprocessableEntity  &{Message:0xc000a1b2c0 Status:}",
            "Grafana answered POST /api/dashboards/db with 422 (its provider does not pass on what Grafana said); read "
            "its log, and run `pulumi up` again",
        ),
        (
            "[DELETE /dashboards/uid/{uid}] deleteDashboardByUID (status 400): "
            '{"message":"provisioned dashboard cannot be deleted","traceID":"x"}',
            "Grafana answered DELETE /api/dashboards/uid/{uid} with 400: provisioned dashboard cannot be deleted; read "
            "its log, and run `pulumi up` again",
        ),
        (
            '[POST /dashboards/db][401] postDashboardUnauthorized {"message":"Invalid API key"}',
            "Grafana answered POST /api/dashboards/db with 401: Invalid API key; check the credentials and what they "
            "may do; a user is locked for five minutes after five wrong passwords, and then the right one gets the "
            "same answer",
        ),
        (
            'Post "http://grafana:3000/api/dashboards/db": dial tcp 10.0.0.1:3000: connect: connection refused',
            "Grafana at http://grafana:3000 cannot be reached (connection refused); is it running, and is grafanaUrl "
            "right?",
        ),
        ("the object has been modified", "the object has been modified"),
        (
            'Pulumi CLI version 3.200.0 does not satisfy the version range ">=3.219.0"',
            'Pulumi CLI version 3.200.0 does not satisfy the version range ">=3.219.0"; install a newer one as '
            "https://www.pulumi.com/docs/install says",
        ),
    ],
)
def test_of_a_page_the_reason_remains(printed: str, said: str) -> None:
    assert reasons(FAILED.format(printed)) == [said]
