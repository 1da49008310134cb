"""The files and the git history of this repository."""
