"""A review: the changes, what they would have done in the past, and the preview; with a verdict."""

from dataclasses import dataclass

from ops.review.changes import Changes
from ops.review.replayed_versions import Past
from ops.stack.engine_events import Previewed
from ops.words import agree, count_noun, listed

_NOUNS = (
    ("settings", "setting", ""),
    ("other_alerts", "alert of others", "alerts of others"),
    ("recordings", "recording", ""),
    ("routing", "line of the routing", "lines of the routing"),
    ("dashboard", "panel", ""),
)


@dataclass(frozen=True)
class Review:
    """Of the working tree beside `base`, for the stack `target`."""

    target: str
    base: str
    head: str
    changes: Changes
    missing: tuple[str, ...]
    past: Past
    preview: Previewed

    @property
    def refused(self) -> bool:
        """Whether the engine or a policy refuses it."""
        return self.preview.refused is not None

    @property
    def unheard(self) -> list[str]:
        """Alerts of which somebody was told, and of which now nobody is."""
        return [name for name, told in self.changes.told.items() if told.before and not told.now and self._there(name)]

    def _there(self, name: str) -> bool:
        return all(change.kind != "gone" for change in self.changes.alerts if change.name == name)

    @property
    def verdict(self) -> str:
        """One sentence."""
        if self.refused:
            return "The preview is refused; nothing can be deployed like this"
        if self.changes.nothing and not self.preview.changes.keys() - {"same"}:
            return "Nothing that is deployed changes"
        found = [count_noun(len(self.changes.alerts), "alert")] if self.changes.alerts else []
        for part, noun, several in _NOUNS:
            gone, come = self.changes.lines[part]
            if number := max(len(gone), len(come)):
                found.append(count_noun(number, noun, several))
        if not found:
            return f"The files say the same as in {self.base}, but what is deployed changes"
        one = len(found) == 1 and found[0].startswith("1 ")
        return f"{listed(found)} {'changes' if one else 'change'}{self._but()}"

    def _but(self) -> str:
        """What a reviewer should look at."""
        found = []
        if self.unheard:
            found.append(f"nobody is told of {listed(self.unheard)} any more")
        elif retold := len(self.changes.retold):
            found.append(f"others than before are told of {count_noun(retold, 'alert')}")
        if warnings := len(self.preview.warnings):
            found.append(f"the preview warns {'once' if warnings == 1 else f'{warnings} times'}")
        if self.missing:
            found.append(f"{count_noun(len(self.missing), 'thing')} {agree(len(self.missing), 'is', 'are')} missing")
        return f"; {'; '.join(found)}" if found else ""

    @property
    def sign(self) -> str:
        """How good it looks."""
        if self.refused or self.unheard:
            return "❌"
        return "⚠️" if self.preview.warnings or self.missing or self.preview.violations else "✅"
