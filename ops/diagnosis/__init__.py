"""`diagnose`: the guide's troubleshooting, link by link up to the first that is broken.

`chain` has the links. `silent_alerts` (with `mail_delivery` and `mail_relay`), `empty_panels`, `mail_volume` and
`alert_coverage` (with `same_metrics`) are the four kinds of diagnosis.
"""
