"""Edits texts that others wrote: pure functions, which send no request."""
