"""Starts, waits for and stops the local stack."""
