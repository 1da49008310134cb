"""Layouts of configurations that were met in public repositories, boiled down."""

PROMETHEUS = {
    "key missing": "global:\n  scrape_interval: 15s\n",
    "key missing, commented-out text at the end": "scrape_configs:\n  - job_name: a\n  # - job_name: b\n",
    "key missing, no final newline": "global:\n  scrape_interval: 15s",
    "key missing, document end": "---\nglobal: {}\n...\n# bye\n",
    "key missing, kept block": "storage: |+\n  text\n\n\n",
    "key missing, clipped block": "storage: |\n  text\n",
    "key missing, all indented": "  global: {}\n  scrape_configs: []\n",
    "block list": "rule_files:\n  - a.yml\n  - b.yml\nscrape_configs: []\n",
    "block list, comments": "# top\nrule_files: # why\n  # first\n  - a.yml # one\n\n  # second\n  - 'b.yml'\n# end\n",
    "block list not indented": "rule_files:\n- a.yml\n- b.yml\n",
    "block list far indented": "rule_files:\n        - a.yml\n",
    "list of an anchored item": "rule_files:\n  - &a a.yml\nalerting: *a\n",
    "only comments below": "rule_files:\n  # - a.yml\n  # - b.yml\n\nscrape_configs:\n  - job_name: x\n",
    "nothing below": "global: {}\nrule_files:\n",
    "nothing below, no final newline": "global: {}\nrule_files:",
    "empty list": "rule_files: []\nglobal: {}\n",
    "empty list, comment": "rule_files: [ ]   # none yet\nglobal: {}\n",
    "empty list, no final newline": "rule_files: []",
    "null": "rule_files: null\nglobal: {}\n",
    "tilde": "rule_files: ~ # none\n",
    "one-line list": "rule_files: ['a.yml', b.yml]\nglobal: {}\n",
    "one-line list, spaces and comment": "rule_files: [ a.yml , b.yml ] # two\n",
    "one-line list on the next line": "rule_files:\n  [a.yml]\n",
    "list over lines": 'rule_files: [\n  "a.yml",\n  # and\n  "b.yml"\n]\n',
    "list over lines, first on the line": "rule_files: [a.yml,\n  b.yml]\n",
    "empty list over lines": "rule_files: [\n]\n",
    "carriage returns": "global: {}\r\nrule_files:\r\n  - a.yml\r\nscrape_configs: []\r\n",
    "carriage returns, empty list": "global: {}\r\nrule_files: []  # none\r\n",
    "carriage returns, one-line list": "rule_files: [a.yml]\r\n",
    "carriage returns, key missing, no final newline": "global: {}\r\nscrape_configs: []",
    "trailing spaces": "rule_files:   \n  - a.yml  \nglobal: {}   \n",
    "tabs that Go accepts": "rule_files:\t# our\n  - a.yml\t\nglobal:\t{}\n",
    "not ASCII": "# Überwachung – 監視 🔥\nrule_files:\n  - /etc/größe/*.yml\n",
    "quoted key": '"rule_files": []\n',
    "byte order mark": "\ufeffrule_files:\n- a.yml\n",
    "document start": "%YAML 1.1\n---\nrule_files:\n  - a.yml\n",
    "anchors elsewhere": "storage: &x {a: 1}\ntracing:\n  <<: *x\nrule_files: []\n",
    "aliases in circles": "remote_read: &x [*x]\nrule_files:\n- a\n",
    "nothing at all": "",
    "only a comment": "# to be written\n",
    "only a document start": "---\n",
    "the words elsewhere": 'storage:\n  rule_files: [x]\ntracing: |\n  rule_files:\n  - c\nrule_files: ["d"]\n',
    "replaced variables": "global:\n  external_labels: {region: '${REGION}'}\nrule_files:\n  - a.yml\n",
}

MINIMAL = "route:\n  receiver: default\nreceivers:\n  - name: default\n"
ALERTMANAGER = {
    "minimal": MINIMAL,
    "minimal, no final newline": MINIMAL.removesuffix("\n"),
    "carriage returns": MINIMAL.replace("\n", "\r\n"),
    "receivers first": "receivers:\n- name: default\nroute:\n  receiver: default\n  # routes:\n  #   - receiver: x\n",
    "everything there": """\
# Alerting – hands off!
global:
  smtp_smarthost: 'localhost:25'   # aligned
  resolve_timeout:   5m

route:
    receiver: "default"
    group_by: ['alertname',
               'cluster']
    routes:
        # the pager
        - match:
            severity: page
          receiver: pager
          continue: true
        # - match: {severity: info}
        - receiver: default   # catch-all

inhibit_rules:
- source_match: {severity: 'critical'}
  target_match: {severity: 'warning'}
  equal: ['cluster']

mute_time_intervals: []
time_intervals:
  # - name: never

receivers:
- name: default
- name: pager
  webhook_configs:
  - url: http://127.0.0.1:1/
    send_resolved: True
# end
""",
    "empty lists": "route: \n  receiver: d\n  routes: [] # none\nreceivers: [{name: d}]\n"
    "inhibit_rules: []\ntime_intervals: null\n",
    "lists in brackets": "route:\n  receiver: d\n  routes: [{receiver: d, match: {a: b}}]\n"
    "receivers: [\n  {name: d},\n]\n",
    "tabs that Go accepts": MINIMAL.replace(": default", ":\tdefault\t# x"),
    "a template in a text": MINIMAL + "  - name: other\n    email_configs:\n    - to: '{{ template \"x\" . }}'\n",
    "anchors": "x: &s {a: b}\n" + MINIMAL.replace("receiver: default", "receiver: default\n  routes:\n  - match: *s"),
}
