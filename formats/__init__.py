"""What the data packages have in common: forms of text that more than one of them reads."""
