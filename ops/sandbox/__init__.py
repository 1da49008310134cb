"""The local stack: real Prometheus and Alertmanager, a mail sink and a simulated application.

`lifecycle.Sandbox` starts and stops it.
"""
