"""What is deployed, in the order in which one thing needs another. What each is stands in its component."""

import pulumi

import dashboards
import metrics
import routing
import rules
from components import outputs
from components.alert_routing import AlertRouting, routing_delivery
from components.alert_rules import AlertRules, rules_delivery
from components.dashboard import Dashboard, dashboard_delivery
from components.in_words import dashboard_in_words, rules_in_words
from components.program import cluster, configured, readable_errors, require_cli, without_gc
from components.proof import Proof
from routing.on_call import with_on_call

with without_gc(), readable_errors():
    require_cli()
    settings, stack, contract = configured(), pulumi.get_stack(), metrics.load()
    contract.hold(rules.alerts(stack=stack).values(), rules.recordings(stack=stack))  # nothing that could never fire
    native = contract.of_form(settings.histograms).native
    files, alerts = rules.load(stack=stack, native=native), rules.alerts(stack=stack, native=native)
    board = dashboards.load(native=native)
    to_prometheus = rules_delivery(files, settings)
    to_alertmanager = routing_delivery(with_on_call(routing.load(), settings.on_call), alerts.values(), settings)
    model, units = dashboards.deployed(board, alerts), dashboards.units(board.panels)
    to_grafana = dashboard_delivery(dashboards.UID, dashboards.text(model), settings)
    proof = Proof(files, to_prometheus, to_alertmanager, settings)

    # Made first, so taken back last.
    withdrawn = proof.withdrawn([*to_prometheus.own_paths(), *to_alertmanager.own_paths(), *to_grafana.own_paths()])
    opts = pulumi.ResourceOptions(providers=[cluster(settings.cluster)], depends_on=[withdrawn])
    deployed = [
        AlertRules(to_prometheus, rules_in_words(files, to_alertmanager.routing, units), opts),
        AlertRouting(to_alertmanager, to_alertmanager.in_words(), opts),
        Dashboard(to_grafana, dashboard_in_words(model, alerts.values()), opts),
    ]
    # Made last: nothing counts as deployed, and nothing is put out, before it runs.
    outputs.export(proof.live(after=[withdrawn, *deployed]), alerts.values(), to_alertmanager, to_prometheus, units)
