"""Processes of the sandbox other than Prometheus and Alertmanager."""
