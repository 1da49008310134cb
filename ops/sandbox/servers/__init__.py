"""What runs in the sandbox as a process of its own, beside Prometheus and Alertmanager."""
