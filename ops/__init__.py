"""The verbs with which a person checks and changes the monitoring: `python -m ops --help` lists them."""
