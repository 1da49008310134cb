"""What is deployed, in the order in which one thing needs another. What each is stands in its component."""

import pulumi

import dashboards
import metrics
import routing
import rules
from components import alert_routing, alert_rules, dashboard
from components.alert_routing import AlertRouting
from components.alert_rules import AlertRules
from components.dashboard import Dashboard
from components.program import cluster, configured, readable_errors, require_cli, without_gc
from components.proof import live, withdrawn
from routing.on_call import with_on_call

with without_gc(), readable_errors():
    require_cli()
    settings = configured()
    files, alerts, board = rules.load(), rules.alerts(), dashboards.load()
    written = with_on_call(routing.load(), settings.on_call)
    metrics.load().hold(alerts.values(), rules.recordings())  # nothing that could never fire

    own = [*alert_rules.own(files, settings), *alert_routing.own(settings), *dashboard.own(dashboards.UID, settings)]
    first = withdrawn(files, written, settings, own)  # taken back last: proves that both servers run without us
    opts = pulumi.ResourceOptions(providers=[cluster(settings.cluster)], depends_on=[first])

    deployed = [
        AlertRules(files, settings, opts),
        AlertRouting(written, alerts, settings, opts),
        Dashboard(dashboards.UID, dashboards.text(dashboards.draw_limits(board.model, alerts)), settings, opts),
    ]
    live(files, written, settings, after=[first, *deployed])  # made last: nothing counts as deployed before it runs
