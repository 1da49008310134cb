"""What test_rbac.py runs in a network of its own: both accounts, through the API server's service proxy."""

from contextlib import ExitStack

import rules
from tests.e2e.accounts import DEPLOY, PREVIEW, applied, lacking
from tests.e2e.inside_own_network import service
from tests.e2e.rig import Rig


def test_through_the_service_proxy(rig: Rig) -> None:
    with ExitStack() as held:
        accounts = held.enter_context(applied(rig, "deploy-silence.yml"))
        held.enter_context(service(rig, "prometheus", 9090))
        held.enter_context(service(rig, "alertmanager", 9093))
        at = {"prometheusUrl": "", "alertmanagerUrl": "", "kubeconfig": str(accounts.kubeconfig)}
        rig.configure(**at, deploySilence=True)
        accounts.use(PREVIEW)
        assert rig.preview()["create"] > 0
        said = "".join(rig.said)
        assert "forbidden" not in said and "`up` needs it" not in said

        accounts.use(DEPLOY)
        with accounts.changed(lacking("services/proxy", "create")):
            words = rig.refused(rig.up)
        assert "this account may not reload" in words and "its role needs create on services/proxy" in words
        rig.up()
        said = "".join(rig.said)
        assert "our alerts are silenced while this runs" in said and "could not" not in said and "forbidden" not in said
        assert {one["status"]["state"] for one in rig.sandbox.alertmanager.silences()} == {"expired"}
        assert set(rules.alerts()) <= rig.rules()
        assert rig.preview(refresh=True) == {}
        rig.destroy()
        assert rig.objects() == rig.before
