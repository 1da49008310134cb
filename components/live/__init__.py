"""Parts of ours in texts that others wrote, and the proof that they run.

The resources (resources.py, with inputs.py) declare what they are given; what they do stands in handlers/, which the
plugin's process alone loads (provider.py). text/ edits texts and speaks to nobody, cluster/ speaks to the Kubernetes
API, running/ compares what runs with what is wanted.
"""
