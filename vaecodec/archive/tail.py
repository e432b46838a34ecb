"""Where an archive ends: at its last bytes, or, where these are no trailer, after the last segment that was finished.

An append writes blocks, syncs, then footer and trailer, and syncs. So a whole footer whose trailer is damaged or
missing counts, for everything before it was on disk. What follows the last whole footer is told apart by its records'
frames:

    block block bl|                the file ends before the footer: never finished, ignored
    block block names' table foo|  all else had been written: the index is damaged, and its blocks are whole
    block bl0000000000000000000|   no record begins where one should: the same
"""

from __future__ import annotations

from dataclasses import dataclass

from vaecodec.archive.source import Source
from vaecodec.bitstream.archive.limits import (
    ARCHIVE_VERSION,
    HEADER_BYTES,
    KIND_FOOTER,
    TRAILER_BYTES,
    TRAILER_MAGIC,
)
from vaecodec.bitstream.archive.record import MAX_FRAME_BYTES, check_header, unpack_frame, unpack_trailer
from vaecodec.bitstream.archive.scan import WINDOW_BYTES, scan
from vaecodec.errors import FormatError, Truncated

_MARK = TRAILER_MAGIC + bytes([ARCHIVE_VERSION])


@dataclass(frozen=True, slots=True)
class End:
    """end: offset after the last segment. footer: (offset, bytes) of its footer where no trailer leads to it.

    tail_bytes: what follows it. tail_was_finished: whether that may be a segment that has lost its footer. problems: of
    the segment's end.
    """

    end: int
    footer: tuple[int, int] | None = None
    tail_bytes: int = 0
    tail_was_finished: bool = False
    problems: tuple[str, ...] = ()


def find_end(source: Source) -> End:
    """Raises BadMagic, UnsupportedVersion, Truncated where this is no archive at all."""
    size = source.size
    if size >= HEADER_BYTES + TRAILER_BYTES and _trailer_before(source, size):
        return End(size)
    check_header(source.read(0, min(HEADER_BYTES, size)))
    whole = _last_trailer(source)
    # Without model numbers a scan cannot verify blocks, but it can footers, which is all that matters here.
    found = [r for r in scan(source.read, whole, size) if r.kind == KIND_FOOTER]
    if found:
        offset, footer_bytes = found[-1].offset, found[-1].record_bytes
        end = min(size, offset + footer_bytes + TRAILER_BYTES)
        problems = ("trailer is damaged or missing",)
        return End(end, (offset, footer_bytes), size - end, _was_finished(source, end), problems)
    if whole > HEADER_BYTES:
        return End(whole, None, size - whole, _was_finished(source, whole))
    return End(size, problems=("archive has no footer: cut, or never finished",))


def _was_finished(source: Source, position: int) -> bool:
    """Whether the records from here to the file's end are more than those of an append that was cut short.

    A footer that is only begun says so too: it is written when all else is on disk.
    """
    while position < source.size:
        n = min(MAX_FRAME_BYTES, source.size - position)
        try:
            frame = unpack_frame(source.read(position, n))
        except Truncated:  # the frame itself is cut
            return False
        except FormatError:
            return True
        if frame.kind == KIND_FOOTER:
            return True
        position += frame.record_bytes
    return False


def _trailer_before(source: Source, end: int) -> bool:
    try:
        unpack_trailer(source.read(end - TRAILER_BYTES, TRAILER_BYTES))
    except FormatError:
        return False
    return True


def _last_trailer(source: Source) -> int:
    """Where the last whole trailer ends; HEADER_BYTES if there is none."""
    high = source.size
    while high > HEADER_BYTES:
        low = max(HEADER_BYTES, high - WINDOW_BYTES)
        window = source.read(low, min(source.size, high + len(_MARK) - 1) - low)
        at = window.rfind(_MARK)
        while at >= 0:
            end = low + at + len(_MARK)
            if end >= HEADER_BYTES + TRAILER_BYTES and _trailer_before(source, end):
                return end
            at = window.rfind(_MARK, 0, at + len(_MARK) - 1)
        high = low
    return HEADER_BYTES
