"""What the data packages have in common: forms of text that more than one of them reads. It imports nothing of ours.

`places`: `file:line`, and the error that all refusals are. `yaml_nodes`: YAML with lines. `durations`: `1h30m`.
`regexes`: Go's regular expressions. `go_templates`, of `go_lexer`, `go_strings` and `go_nodes`: Go's templates;
`template_data`: what they may ask for. `versions`: which versions of a server know what a file uses.
"""
