"""What is deployed, in words: a line for each alert, route, receiver, inhibition and panel.

A preview shows how these lines change instead of the files themselves, and a review compares them. What a line does not
say in words it has as a short digest. What no line says changes the digest of the whole text, which the object has.
"""

from components.in_words.alert_lines import limit_in_words, rules_in_words, shown_limit
from components.in_words.digests import digest
from components.in_words.panel_lines import dashboard_in_words
from components.in_words.routing_lines import routing_in_words

__all__ = ["dashboard_in_words", "digest", "limit_in_words", "routing_in_words", "rules_in_words", "shown_limit"]
