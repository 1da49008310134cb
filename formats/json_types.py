"""Parsed JSON or YAML whose shape others own: Kubernetes, Alertmanager, Prometheus.

What is ours has a dataclass or a TypedDict instead; what is only handed on is an `object`.
"""

from typing import Any, TypeAlias

JsonValue: TypeAlias = Any
JsonObject: TypeAlias = dict[str, Any]
