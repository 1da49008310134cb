"""Texts that others wrote, edited: pure functions, which speak to nobody."""
