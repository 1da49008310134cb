"""`tune`: limits that follow from what was observed, recorded with the reason."""
