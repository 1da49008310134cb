"""`report`: the state of the monitoring on one page."""
