"""Clients of the services that monitoring consists of: one HTTP seam, one family of errors."""
