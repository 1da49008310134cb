"""The files and the history of this repository: read, edited all or nothing, checked out elsewhere."""
