"""The verbs with which a person checks and changes the monitoring: `bin/ops --help` lists them."""
