"""A block of a Prometheus' database, written directly: a day of a hundred thousand series takes seconds.

promtool would need a text of a hundred gigabytes for it. Here series of one shape share their chunks on the disk, which
the format allows: what Prometheus reads, decodes and computes is the same for each of them.
Format: github.com/prometheus/prometheus, tsdb/docs/format (index version 2, XOR chunks).
"""

import json
import math
import struct
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Labels = Mapping[str, str]
Shape = NDArray[np.float64]

_IN_CHUNK = 120  # samples, as Prometheus itself has
_ALIGNED = 16  # bytes
_ULID = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def write_block(
    database: Path, series: Sequence[tuple[Labels, int]], shapes: Sequence[Shape], times: NDArray[np.int64]
) -> None:
    """Write a block into a database that no Prometheus has open.

    `series`: labels with `__name__`, and which of `shapes` has its values; no two with the same labels. `times`: of the
    values, in ms since the epoch, rising.
    """
    number = len(list(database.glob("*/meta.json"))) if database.exists() else 0
    name = _ULID[0] * 24 + _ULID[number // 32] + _ULID[number % 32]
    (database / name / "chunks").mkdir(parents=True)
    spans = _write_chunks(database / name / "chunks" / "000001", shapes, times)
    _write_index(database / name / "index", sorted((sorted(labels.items()), which) for labels, which in series), spans)
    (database / name / "tombstones").write_bytes(b"\x01\x30\xba\x30\x01\x00\x00\x00\x00")
    meta = {
        "ulid": name,
        "minTime": int(times[0]),
        "maxTime": int(times[-1]) + 1,
        "stats": {"numSamples": len(times) * len(series), "numSeries": len(series), "numChunks": len(series)},
        "compaction": {"level": 1, "sources": [name]},
        "version": 1,
    }
    (database / name / "meta.json").write_text(json.dumps(meta), encoding="utf-8")


# ── chunks ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def _write_chunks(file: Path, shapes: Sequence[Shape], times: NDArray[np.int64]) -> list[bytes]:
    """Write the chunks of all shapes; what the index says of them, for each shape."""
    moments = [int(at) for at in times]
    out = bytearray(b"\x85\xbd\x40\xdd\x01\x00\x00\x00")
    found = []
    for values in shapes:
        said = bytearray(_uvarint(math.ceil(len(moments) / _IN_CHUNK)))
        last_time = last_ref = 0
        for begin in range(0, len(moments), _IN_CHUNK):
            own = moments[begin : begin + _IN_CHUNK]
            first = begin == 0
            said += _varint(own[0]) if first else _uvarint(own[0] - last_time)
            said += _uvarint(own[-1] - own[0])
            said += _uvarint(len(out)) if first else _varint(len(out) - last_ref)
            last_time, last_ref = own[-1], len(out)
            data = _xor(own, [float(value) for value in values[begin : begin + _IN_CHUNK]])
            out += _uvarint(len(data)) + b"\x01" + data + _checksum(b"\x01" + data)
        found.append(bytes(said))
    file.write_bytes(out)
    return found


def _xor(times: Sequence[int], values: Sequence[float]) -> bytes:
    """A chunk: the differences of the differences of the times, and the bits in which values differ."""
    bits: list[str] = []
    leading, trailing, step = -1, 0, 0
    for at, (time, value) in enumerate(zip(times, values, strict=True)):
        if at == 0:
            bits += [_bits(_varint(time)), f"{_raw(value):064b}"]
            continue
        before, step = step, time - times[at - 1]
        if at == 1:
            bits.append(_bits(_uvarint(step)))
        else:
            bits.append("0" if step == before else f"1111{(step - before) & (2**64 - 1):064b}")
        delta = _raw(value) ^ _raw(values[at - 1])
        if not delta:
            bits.append("0")
            continue
        lead, trail = min(31, 64 - delta.bit_length()), (delta & -delta).bit_length() - 1
        if leading >= 0 and lead >= leading and trail >= trailing:
            bits.append(f"10{delta >> trailing:0{64 - leading - trailing}b}")
        else:
            leading, trailing = lead, trail
            size = 64 - lead - trail
            bits.append(f"11{lead:05b}{size & 63:06b}{delta >> trail:0{size}b}")
    text = "".join(bits)
    text += "0" * (-len(text) % 8)
    return struct.pack(">H", len(times)) + int(text, 2).to_bytes(len(text) // 8, "big")


def _raw(value: float) -> int:
    return int(struct.unpack(">Q", struct.pack(">d", value))[0])


def _bits(data: bytes) -> str:
    return "".join(f"{byte:08b}" for byte in data)


# ── the index ────────────────────────────────────────────────────────────────────────────────────────────────────────


def _write_index(file: Path, series: Sequence[tuple[list[tuple[str, str]], int]], spans: Sequence[bytes]) -> None:
    symbols = sorted({text for labels, _ in series for pair in labels for text in pair})
    coded = {text: _uvarint(number) for number, text in enumerate(symbols)}
    out = bytearray(b"\xba\xaa\xd7\x00\x02")
    starts = {"symbols": len(out)}
    out += _section(len(symbols), (_uvarint(len(text.encode())) + text.encode() for text in symbols))
    entries = []
    for labels, which in series:
        own = b"".join([coded[part] for pair in labels for part in pair])
        entries.append(_uvarint(len(labels)) + own + spans[which])
    out += bytes(-len(out) % _ALIGNED)
    starts["series"] = len(out)
    refs = np.empty(len(series), np.uint32)
    for number, (entry, check) in enumerate(zip(entries, _checksums(entries), strict=True)):
        out += bytes(-len(out) % _ALIGNED)
        refs[number] = len(out) // _ALIGNED
        out += _uvarint(len(entry)) + entry + check
    having: dict[tuple[str, str], list[int]] = {("", ""): list(range(len(series)))}
    for number, (labels, _) in enumerate(series):
        for pair in labels:
            having.setdefault(pair, []).append(number)
    starts["postings"] = len(out)
    offsets = []
    for (name, value), numbers in sorted(having.items()):
        out += bytes(-len(out) % 4)
        place = b"\x02" + b"".join(_uvarint(len(text.encode())) + text.encode() for text in (name, value))
        offsets.append(place + _uvarint(len(out)))
        out += _section(len(numbers), [refs[numbers].astype(">u4").tobytes()])
    starts["table"] = len(out)
    out += _section(len(offsets), offsets)
    # The sections on labels' values, which version 2 does not need, are empty.
    toc = struct.pack(
        ">6Q", starts["symbols"], starts["series"], starts["postings"], 0, starts["postings"], starts["table"]
    )
    file.write_bytes(out + toc + _checksum(toc))


def _section(count: int, parts: Iterable[bytes]) -> bytes:
    content = struct.pack(">I", count) + b"".join(parts)
    return struct.pack(">I", len(content)) + content + _checksum(content)


def _uvarint(number: int) -> bytes:
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    out.append(number)
    return bytes(out)


def _varint(number: int) -> bytes:
    return _uvarint(number << 1 if number >= 0 else (-number << 1) - 1)


# ── CRC-32C ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def _table() -> list[int]:
    found = []
    for byte in range(256):
        for _ in range(8):
            byte = byte >> 1 ^ (0x82F63B78 if byte & 1 else 0)
        found.append(byte)
    return found


_TABLE = _table()
_TABLE_ARRAY = np.array(_TABLE, np.uint32)


def _checksum(data: bytes) -> bytes:
    table, check = _TABLE, 0xFFFFFFFF
    for byte in data:
        check = table[(check ^ byte) & 255] ^ check >> 8
    return struct.pack(">I", check ^ 0xFFFFFFFF)


def _checksums(entries: Sequence[bytes]) -> list[bytes]:
    """The checksum of each, by a column of bytes at a time."""
    by_length: dict[int, list[int]] = {}
    for number, entry in enumerate(entries):
        by_length.setdefault(len(entry), []).append(number)
    found = [b""] * len(entries)
    for length, numbers in by_length.items():
        columns = np.frombuffer(b"".join([entries[number] for number in numbers]), np.uint8).reshape(-1, length).T
        checks = np.full(len(numbers), 0xFFFFFFFF, np.uint32)
        for column in columns:
            checks = _TABLE_ARRAY[(checks ^ column) & 255] ^ checks >> np.uint32(8)
        for number, check in zip(numbers, checks ^ np.uint32(0xFFFFFFFF), strict=True):
            found[number] = struct.pack(">I", int(check))
    return found
