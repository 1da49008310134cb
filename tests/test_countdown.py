"""Progress that can be counted says how much is done and about how long the rest takes."""

from hypothesis import given
from hypothesis import strategies as st

from ops.countdown import EVERY, countdown


class Clock:
    """A clock that moves by hand."""

    def __init__(self) -> None:
        self.at = 100.0

    def __call__(self) -> float:
        return self.at


def told(steps: list[float]) -> list[str]:
    """What is said where each piece takes so many seconds."""
    clock, said = Clock(), list[str]()
    report = countdown("queries answered", said.append, clock=clock)
    for done, seconds in enumerate(steps, 1):
        clock.at += seconds
        report(done, len(steps))
    return said


def test_the_time_left_follows_from_the_pieces_that_are_done() -> None:
    assert told([10.0] * 4) == [
        "1 of 4 queries answered, about 30 s left …",
        "2 of 4 queries answered, about 20 s left …",
        "3 of 4 queries answered, about 10 s left …",
    ]


def test_work_that_ends_soon_says_nothing() -> None:
    assert told([EVERY / 10] * 9) == []


def test_many_quick_pieces_do_not_fill_the_screen() -> None:
    assert len(told([EVERY / 100] * 1000)) <= 10


def test_nothing_is_left_without_a_time() -> None:
    assert told([60.0, 0.001]) == ["1 of 2 queries answered, about 1 min left …"]


@given(st.lists(st.floats(0.0, 1e6), min_size=1, max_size=30))
def test_any_pace_is_said_in_whole_units(steps: list[float]) -> None:
    for line in told(steps):
        assert line.startswith(tuple("0123456789"))
        assert "about 0" not in line
        assert "nan" not in line
