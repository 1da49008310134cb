"""What is deployed, in the order in which one thing needs another. What each is stands in its component."""

import pulumi

import dashboards
import metrics
import routing
import rules
from components.alert_routing import AlertRouting, routing_delivery
from components.alert_rules import AlertRules, rules_delivery
from components.dashboard import Dashboard, dashboard_delivery
from components.program import cluster, configured, readable_errors, require_cli, without_gc
from components.proof import Proof
from routing.on_call import with_on_call

with without_gc(), readable_errors():
    require_cli()
    settings = configured()
    files, alerts, dashboard = rules.load(), rules.alerts(), dashboards.load()
    metrics.load().hold(alerts.values(), rules.recordings())  # nothing that could never fire

    to_prometheus = rules_delivery(files, settings)
    to_alertmanager = routing_delivery(with_on_call(routing.load(), settings.on_call), alerts.values(), settings)
    with_limits = dashboards.text(dashboards.deployed(dashboard, alerts))
    to_grafana = dashboard_delivery(dashboards.UID, with_limits, settings)

    proof = Proof(files, to_prometheus, to_alertmanager, settings)
    own = [*to_prometheus.own_paths(), *to_alertmanager.own_paths(), *to_grafana.own_paths()]
    withdrawn = proof.withdrawn(own)  # made first, so taken back last
    opts = pulumi.ResourceOptions(providers=[cluster(settings.cluster)], depends_on=[withdrawn])

    deployed = [AlertRules(to_prometheus, opts), AlertRouting(to_alertmanager, opts), Dashboard(to_grafana, opts)]
    proof.live(after=[withdrawn, *deployed])  # made last: nothing counts as deployed before it runs
