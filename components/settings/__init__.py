"""The only reader of configuration: a mapping of keys to values in, one frozen `Settings` out.

Pulumi-free, so that the program and the verbs in `ops` read the same stack file in the same way. The keys, their types,
defaults and descriptions stand in Pulumi.yaml and nowhere else (schema.py); what is read stands in values.py.
"""

from components.settings.reader import read
from components.settings.schema import (
    PROJECT_FILE,
    SECRETS,
    SettingsError,
    choices,
    project,
    refuse_plain,
    required_cli,
    schema,
)
from components.settings.values import (
    OPERATOR_SECRET,
    ROUTING_OBJECT,
    Cluster,
    Credentials,
    Grafana,
    Heartbeat,
    OnCall,
    Server,
    Settings,
    Tenant,
    WorkingHours,
    is_login,
    organisation_sent,
)

__all__ = [
    "OPERATOR_SECRET",
    "PROJECT_FILE",
    "ROUTING_OBJECT",
    "SECRETS",
    "Cluster",
    "Credentials",
    "Grafana",
    "Heartbeat",
    "OnCall",
    "Server",
    "Settings",
    "SettingsError",
    "Tenant",
    "WorkingHours",
    "choices",
    "is_login",
    "organisation_sent",
    "project",
    "read",
    "refuse_plain",
    "required_cli",
    "schema",
]
