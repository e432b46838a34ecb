"""Finding records without an index: by their sync bytes, and by checks that match.

bytes ──sync and a kind──> frame ──its length fits the kind and the file──> check ──matches──> Found, go on after it
                                                                              └──does not──> go on one byte further

Used where a footer is damaged or missing. Work is bounded: a hostile file full of false records is given up.
"""

import re
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from vaecodec.bitstream.archive.block import unpack_head
from vaecodec.bitstream.archive.limits import (
    KIND_BLOCK,
    KIND_EMBEDDED,
    KIND_FOOTER,
    KIND_METADATA,
    KIND_MODEL,
    KIND_NAMES,
    MAX_ARCHIVE_MODELS,
    MAX_BLOCK_BYTES,
    MAX_FOOTER_BYTES,
    MAX_METADATA_BYTES,
    SCAN_FALSE_BYTES,
    SCAN_WORK_FACTOR,
    SYNC,
)
from vaecodec.bitstream.archive.model_record import (
    MAX_EMBEDDED_BYTES,
    MAX_MODEL_RECORD_BYTES,
    embedded_body_bytes,
    embedded_head_bytes,
    unpack_model_record,
)
from vaecodec.bitstream.archive.record import MAX_FRAME_BYTES, RECORD_CHECK_BYTES, Frame, compare_check, unpack_frame
from vaecodec.bitstream.archive.state import state_before
from vaecodec.errors import BadChecksum, FormatError, LimitExceeded

Read = Callable[[int, int], bytes]  # (offset, n) -> exactly n bytes
WINDOW_BYTES = 1 << 20
_START = re.compile(re.escape(SYNC) + rb"[\x01-\x05\x80-\xff]", re.DOTALL)  # sync, and a kind that there is
_MOST_BYTES = {  # of a record of each kind; a names' table is as long as the file allows
    KIND_MODEL: MAX_MODEL_RECORD_BYTES,
    KIND_EMBEDDED: MAX_EMBEDDED_BYTES,
    KIND_METADATA: MAX_METADATA_BYTES,
    KIND_NAMES: 1 << 63,
    KIND_FOOTER: MAX_FOOTER_BYTES,
}


@dataclass(frozen=True, slots=True)
class Found:
    """A whole record. first, count: of a block's images, else 0. fingerprint: of the block's or the record's model."""

    kind: int
    offset: int
    record_bytes: int
    first: int = 0
    count: int = 0
    model: int = 0
    fingerprint: bytes = b""


class _Window:
    """A part of the file in memory: false records stand close together, and each must not cost a read of the file."""

    def __init__(self, read: Read, end: int) -> None:
        self._read, self._end = read, end
        self._at, self._data = 0, b""

    def next_start(self, position: int) -> int:
        """Where something that looks like a record begins next; the end if nothing does."""
        while position < self._end:
            if not self._at <= position < self._at + len(self._data) - MAX_FRAME_BYTES:
                self._at, self._data = position, self._read(position, min(WINDOW_BYTES, self._end - position))
            found = _START.search(self._data, position - self._at)
            if found is not None:
                return self._at + found.start()
            after = self._at + len(self._data)
            position = self._end if after >= self._end else after - len(SYNC)
        return self._end

    def read(self, offset: int, n: int) -> bytes:
        """n bytes, which end before the end."""
        start = offset - self._at
        inside = start >= 0 and start + n <= len(self._data)
        return self._data[start : start + n] if inside else self._read(offset, n)


def scan(read: Read, start: int, end: int, fingerprints: Iterable[bytes] = ()) -> Iterator[Found]:
    """Every whole record of the region, in order.

    fingerprints: of the models that blocks may have been made with, besides those whose records the region holds before
    them. Raises LimitExceeded where too much looks like records and is none.
    """
    window, position = _Window(read, end), start
    budget = SCAN_WORK_FACTOR * (end - start) + WINDOW_BYTES
    states = {zlib.crc32(fingerprint): fingerprint for fingerprint in fingerprints}
    models = 0
    while (position := window.next_start(position)) < end:
        frame = _frame_at(window, position, end)
        found = None if frame is None else _whole(window.read, position, frame, states)
        budget -= 0 if frame is None else frame.record_bytes
        if found is None:
            budget -= SCAN_FALSE_BYTES
        if budget < 0:
            raise LimitExceeded(f"scan: more than {SCAN_WORK_FACTOR} times the file's bytes were checked")
        if found is None:
            position += 1
            continue
        if found.kind == KIND_MODEL:
            models += 1
            if models > MAX_ARCHIVE_MODELS:
                raise LimitExceeded(f"scan: more than {MAX_ARCHIVE_MODELS} models")
            states.setdefault(zlib.crc32(found.fingerprint), found.fingerprint)
        yield found
        position += found.record_bytes


def _frame_at(window: _Window, offset: int, end: int) -> Frame | None:
    """Of a record that may end in time, and is no longer than its kind may be."""
    try:
        frame = unpack_frame(window.read(offset, min(MAX_FRAME_BYTES, end - offset)))
    except FormatError:
        return None
    most = _MOST_BYTES.get(frame.kind, MAX_BLOCK_BYTES + MAX_FRAME_BYTES + RECORD_CHECK_BYTES)
    return frame if frame.record_bytes <= min(most, end - offset) else None


def _whole(read: Read, offset: int, frame: Frame, states: dict[int, bytes]) -> Found | None:
    """The record at this place if its check matches, else None."""
    kind, size = frame.kind, frame.record_bytes
    if kind & KIND_BLOCK:
        return _whole_block(read(offset, size), offset, states)
    if kind == KIND_EMBEDDED:
        return _whole_embedded(read, offset, frame)
    try:
        check_record(read, offset, size)
        if kind != KIND_MODEL:
            return Found(kind, offset, size)
        return Found(kind, offset, size, fingerprint=unpack_model_record(read(offset, size)).fingerprint)
    except FormatError:
        return None


def check_record(read: Read, offset: int, size: int) -> None:
    """Raises BadChecksum where a record's check, which covers all of it, does not match, or it is another's length."""
    frame = unpack_frame(read(offset, min(MAX_FRAME_BYTES, size)))
    end = offset + size - RECORD_CHECK_BYTES
    state = 0
    for at in range(offset, end, WINDOW_BYTES):  # it may be larger than memory
        state = zlib.crc32(read(at, min(WINDOW_BYTES, end - at)), state)
    compare_check(state, int.from_bytes(read(end, RECORD_CHECK_BYTES), "little"), size - RECORD_CHECK_BYTES)
    if frame.record_bytes != size:
        raise BadChecksum(f"record at offset {offset}: {frame.record_bytes} bytes, expected {size}")


def _whole_block(data: bytes, offset: int, states: dict[int, bytes]) -> Found | None:
    """Its check covers its model's fingerprint first: so it tells which of all the models that is."""
    try:
        head = unpack_head(data)
    except FormatError:
        return None
    covered = memoryview(data)[: len(data) - RECORD_CHECK_BYTES - head.names_bytes]
    fingerprint = states.get(state_before(int.from_bytes(data[-RECORD_CHECK_BYTES:], "little"), covered))
    if fingerprint is None:
        return None
    return Found(KIND_BLOCK, offset, len(data), head.first, head.count, head.model, fingerprint)


def _whole_embedded(read: Read, offset: int, frame: Frame) -> Found | None:
    """Its chunks are verified, and repaired, where the model is read: here only what stands before them."""
    size = frame.record_bytes
    file_bytes = int.from_bytes(read(offset + frame.frame_bytes, 4), "little")
    if embedded_body_bytes(file_bytes) != frame.body_bytes:
        return None
    head_bytes = frame.frame_bytes + embedded_head_bytes(file_bytes)
    check = zlib.crc32(read(offset, head_bytes)).to_bytes(4, "little")
    stored = read(offset + size - RECORD_CHECK_BYTES, RECORD_CHECK_BYTES)
    return Found(KIND_EMBEDDED, offset, size) if check == stored else None
