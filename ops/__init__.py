"""What a person does with the monitoring once it is declared: `python -m ops --help` lists the verbs."""
