"""What the owners of the stack refuse, one module a policy: each looks at a resource and gives sentences.

Nothing here imports the program, as a policy pack has an environment of its own. Only `pack` needs Pulumi's library.
"""
