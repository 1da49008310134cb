"""The one error of all edits."""


class EditRefused(ValueError):
    """A text cannot be edited safely; nothing was written.

    ``sentence`` says what, where, and what to do; ``snippet`` holds the lines to paste by hand ("" where that is no
    way out). ``str()`` shows both.
    """

    def __init__(self, sentence: str, snippet: str = "") -> None:
        super().__init__(f"{sentence}\n{snippet.rstrip()}" if snippet else sentence)
        self.sentence = sentence
        self.snippet = snippet
