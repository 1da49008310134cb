"""What Pulumi runs for `--policy-pack policy`: it serves the policies of refusals/pack.py to the engine."""

from refusals import pack

pack.serve()
