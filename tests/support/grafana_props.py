"""The inputs of the two dynamic resources around the dashboard, for a Grafana of a test."""

from components.live.provider import Props
from tests.support.grafana_stand_in import TOKEN, Grafana

UID = "api-performance-baseline"
FOLDER = "api-performance"
TITLE = "API performance baseline"
CONFIG_MAP = f"dashboard-{UID}"
MANAGER = "api-monitoring/prod"


def previous_dashboard(grafana: Grafana, **changes: object) -> Props:
    return {
        "kubeconfig": None,
        "context": None,
        "namespace": "monitoring",
        "url": grafana.url,
        "auth": TOKEN,
        "organisation": 0,
        "mode": "api",
        "uid": UID,
        "title": TITLE,
        "folder": FOLDER,
        "adopt": False,
        "config_map": CONFIG_MAP,
        "manager": MANAGER,
        "timeout": 30,
        "before": None,
        "aside": None,
        "made": None,
        **changes,
    }


def dashboard_folder(grafana: Grafana, **changes: object) -> Props:
    return {
        "url": grafana.url,
        "auth": TOKEN,
        "organisation": 0,
        "uid": FOLDER,
        "title": "API performance",
        "ours": None,
        **changes,
    }
