"""How long builds still take, as progress says it."""

import pytest

from ops import build_tools


@pytest.mark.parametrize(
    ("names", "under_way", "words"),
    [
        (["etcd", "kube-apiserver"], {}, "left on two processors"),
        (["amtool"], {"amtool": 5.0}, "about 1 minute left on two processors"),
        (["amtool"], {"amtool": 9999.0}, "longer than usual on two processors"),
    ],
)
def test_how_long_builds_still_take(names: list[str], under_way: dict[str, float], words: str) -> None:
    assert build_tools.time_left([build_tools.get(name) for name in names], under_way).endswith(words)


def test_what_is_left_grows_less_as_builds_run() -> None:
    tool = max(build_tools.TOOLS.values(), key=lambda tool: tool.seconds)

    def minutes(passed: float) -> int:
        return int(build_tools.time_left([tool], {tool.name: passed}).split()[1])

    assert minutes(0) > minutes(tool.seconds / 2) > minutes(tool.seconds - 30)
