"""`tune`: limits that follow from what was observed, written down with the reason."""
