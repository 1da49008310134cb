"""`diagnose`: the guide's troubleshooting, link by link up to the first that is broken.

`chain` has the links. `silent_alerts` (with `mail_delivery` and `mail_relay`), `empty_panels` and `mail_volume` are the
three kinds of diagnosis.
"""
