"""The part of `ops` that uses Pulumi: what the program declares, and the engine through its Automation API."""
