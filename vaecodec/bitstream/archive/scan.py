"""Finding records without an index: by their sync bytes, and by checks that match.

Used where a footer is damaged or missing. Work is bounded: a hostile file full of false records is given up.
"""

import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from vaecodec.bitstream.archive.block import unpack_head
from vaecodec.bitstream.archive.limits import (
    KIND_BLOCK,
    KIND_EMBEDDED,
    KIND_MODEL,
    SCAN_WORK_FACTOR,
    SYNC,
)
from vaecodec.bitstream.archive.model_record import embedded_body_bytes, embedded_head_bytes, unpack_model_record
from vaecodec.bitstream.archive.record import MAX_FRAME_BYTES, RECORD_CHECK_BYTES, compare_check, unpack_frame
from vaecodec.errors import BadChecksum, FormatError, LimitExceeded

Read = Callable[[int, int], bytes]  # (offset, n) -> exactly n bytes
WINDOW_BYTES = 1 << 20
MAX_HEAD_BYTES = MAX_FRAME_BYTES + 64  # of any record: as much as unpack_head looks at


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


def scan(read: Read, start: int, end: int, fingerprints: dict[int, bytes], candidates: list[bytes]) -> Iterator[Found]:
    """Every whole record of the region, in order.

    fingerprints: of the models that are known already, by number; models found are added. candidates: tried for a block
    whose model's record is not found. Raises LimitExceeded where too much looks like records and is none.
    """
    budget = SCAN_WORK_FACTOR * (end - start) + WINDOW_BYTES
    position = start
    while (position := _next_sync(read, position, end)) < end:
        frame_data = read(position, min(MAX_HEAD_BYTES, end - position))
        try:
            frame = unpack_frame(frame_data[:MAX_FRAME_BYTES])
        except FormatError:
            position += 1
            continue
        if frame.record_bytes > end - position:
            position += 1
            continue
        budget -= frame.record_bytes
        if budget < 0:
            raise LimitExceeded(f"scan: more than {SCAN_WORK_FACTOR} times the file's bytes were checked")
        found = _whole(read, position, frame.kind, frame.record_bytes, fingerprints, candidates)
        if found is None:
            position += 1
            continue
        if found.kind == KIND_MODEL:
            fingerprints.setdefault(max(fingerprints, default=-1) + 1, found.fingerprint)
        yield found
        position += frame.record_bytes


def _next_sync(read: Read, position: int, end: int) -> int:
    while position < end:
        window = read(position, min(WINDOW_BYTES, end - position))
        at = window.find(SYNC)
        if at >= 0:
            return position + at
        position += max(len(window) - (len(SYNC) - 1), 1)
    return end


def _whole(
    read: Read, offset: int, kind: int, size: int, fingerprints: dict[int, bytes], candidates: list[bytes]
) -> Found | None:
    """The record at this place if its check matches, else None."""
    if kind & KIND_BLOCK:
        return _whole_block(read, offset, size, fingerprints, candidates)
    if kind == KIND_EMBEDDED:
        return _whole_embedded(read, offset, size)
    try:
        check_record(read, offset, size)
    except BadChecksum:
        return None
    if kind == KIND_MODEL:
        try:
            return Found(kind, offset, size, fingerprint=unpack_model_record(read(offset, size)).fingerprint)
        except FormatError:
            return None
    return Found(kind, offset, size)


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


def _whole_block(
    read: Read, offset: int, size: int, fingerprints: dict[int, bytes], candidates: list[bytes]
) -> Found | None:
    data = read(offset, size)
    try:
        head = unpack_head(data)
    except FormatError:
        return None
    covered = memoryview(data)[: size - RECORD_CHECK_BYTES - head.names_bytes]
    known = fingerprints.get(head.model)
    for fingerprint in [known] if known is not None else candidates:
        if zlib.crc32(covered, zlib.crc32(fingerprint)).to_bytes(4, "little") == data[-RECORD_CHECK_BYTES:]:
            fingerprints.setdefault(head.model, fingerprint)
            return Found(KIND_BLOCK, offset, size, head.first, head.count, head.model, fingerprint)
    return None


def _whole_embedded(read: Read, offset: int, size: int) -> Found | None:
    """Its chunks are verified, and repaired, where the model is read: here only what stands before them."""
    frame = unpack_frame(read(offset, min(MAX_FRAME_BYTES, size)))
    file_bytes = int.from_bytes(read(offset + frame.frame_bytes, 4), "little")
    if embedded_body_bytes(file_bytes) != frame.body_bytes:
        return None
    head_bytes = frame.frame_bytes + embedded_head_bytes(file_bytes)
    check = zlib.crc32(read(offset, head_bytes)).to_bytes(4, "little")
    stored = read(offset + size - RECORD_CHECK_BYTES, RECORD_CHECK_BYTES)
    return Found(KIND_EMBEDDED, offset, size) if check == stored else None
