"""Edits texts that others wrote, and proves that the servers run them.

The resources (resources.py, with inputs.py) declare what they are given; what they do stands in handlers/, which the
plugin's process alone loads (provider.py). text/ edits texts and sends no request, cluster/ speaks to the Kubernetes
API, running/ compares what runs with what is wanted.
"""
