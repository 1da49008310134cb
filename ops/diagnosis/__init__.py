"""`diagnose`: the guide's troubleshooting trees, walked link by link up to the first that is broken.

`walk` is how, `alerts` (with `delivery`), `dashboard` and `volume` are the trees, `verb` the command line.
"""
