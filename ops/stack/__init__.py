"""The one part of `ops` that knows Pulumi: what the program declares, and the engine through its Automation API."""
