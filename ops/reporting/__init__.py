"""`report`: the state of the monitoring on one page, for the weekly review and as the record of a deployment."""
