"""Range queries of any length: in pieces, several at a time, each query once."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass

from ops.clients.prometheus import Prometheus, Series
from ops.errors import Refused

LABELS = tuple[tuple[str, str], ...]
PIECE = 4000  # points per series and request; Prometheus refuses more than 11 000
AT_ONCE = 3  # requests at a time; more would wait in a Prometheus with two cores, and delay others
TIMEOUT = 130.0  # seconds; Prometheus stops a query after two minutes


@dataclass(frozen=True, slots=True)
class Question:
    """A query at every moment of `at` (ms). `coarse`: asked where Prometheus refuses to read so many samples."""

    query: str
    at: range
    coarse: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """The series of a query: label pairs (sorted) → {moment in ms: value}."""

    series: Mapping[LABELS, Mapping[int, float]]


def ask(
    prometheus: Prometheus, questions: Iterable[Question], progress: Callable[[int, int], None] | None = None
) -> dict[Question, Answer]:
    """The answers to all questions; equal ones are sent once. `progress` is called with (pieces done, pieces in all).

    Raises what the client raises; the remaining pieces are dropped then.
    """
    wanted = list(dict.fromkeys(questions))
    pieces = [(question, piece) for question in wanted for piece in _pieces(question.at, PIECE)]
    pieces.sort(key=lambda pair: -len(pair[0].query))  # the slow ones first; long queries mostly are
    collected: dict[Question, dict[LABELS, dict[int, float]]] = {question: {} for question in wanted}
    pool = ThreadPoolExecutor(AT_ONCE)
    try:
        running = {pool.submit(_piece, prometheus, question, at): question for question, at in pieces}
        for done, future in enumerate(as_completed(running), 1):
            for series in future.result():
                labels = tuple(sorted(series.labels.items()))
                points = collected[running[future]].setdefault(labels, {})
                points.update((round(at * 1000), value) for at, value in series.points)
            if progress is not None:
                progress(done, len(pieces))
    finally:  # after an error or an interrupt, nobody waits for queries under way
        pool.shutdown(wait=False, cancel_futures=True)
    return {question: Answer(series) for question, series in collected.items()}


def _pieces(at: range, most: int) -> Sequence[range]:
    return [at[first : first + most] for first in range(0, len(at), most)]


def _piece(prometheus: Prometheus, question: Question, at: range) -> list[Series]:
    """One request; where Prometheus refuses it for too many samples, the coarse query, or else it is split in two."""
    try:
        return prometheus.query_range(question.query, at[0] / 1000, at[-1] / 1000, at.step / 1000, timeout=TIMEOUT)
    except Refused as refusal:
        if "too many samples" not in refusal.words or (len(at) < 50 and not question.coarse):
            raise
    if question.coarse:
        return _piece(prometheus, Question(question.coarse, at), at)
    middle = len(at) // 2
    return _piece(prometheus, question, at[:middle]) + _piece(prometheus, question, at[middle:])
