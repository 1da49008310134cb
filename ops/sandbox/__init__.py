"""Starts, waits for and stops the local stack: real Prometheus and Alertmanager, a mail sink, a stand-in application.

Sandbox(home) in `lifecycle` is up, down and the state of the whole.
"""
