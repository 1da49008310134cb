"""What a person does with the monitoring once it is declared: `bin/ops --help` lists the verbs."""
