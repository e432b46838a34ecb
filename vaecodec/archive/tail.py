"""Where an archive ends: at its last bytes, or, where these are no trailer, after the last segment that was finished.

An append writes blocks, syncs, then footer and trailer, and syncs. So what follows the last footer was never finished,
and is ignored; but a whole footer whose trailer is damaged or missing counts, for everything before it was on disk.
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
from vaecodec.bitstream.archive.record import check_header, unpack_trailer
from vaecodec.bitstream.archive.scan import WINDOW_BYTES, scan
from vaecodec.errors import FormatError

_MARK = TRAILER_MAGIC + bytes([ARCHIVE_VERSION])


@dataclass(frozen=True, slots=True)
class End:
    """end: offset after the last segment. footer: (offset, bytes) of its footer where no trailer leads to it.

    problems: what was found after it.
    """

    end: int
    footer: tuple[int, int] | None
    problems: tuple[str, ...]


def find_end(source: Source) -> End:
    """Raises BadMagic, UnsupportedVersion, Truncated where this is no archive at all."""
    size = source.size
    if size >= HEADER_BYTES + TRAILER_BYTES and _trailer_before(source, size):
        return End(size, None, ())
    check_header(source.read(0, min(HEADER_BYTES, size)))
    whole = _last_trailer(source)
    # Without model numbers a scan cannot verify blocks, but it can footers, which is all that matters here.
    found = [r for r in scan(source.read, whole, size) if r.kind == KIND_FOOTER]
    if found:
        offset, footer_bytes = found[-1].offset, found[-1].record_bytes
        end = min(size, offset + footer_bytes + TRAILER_BYTES)
        return End(end, (offset, footer_bytes), ("trailer is damaged or missing", *_torn(size - end)))
    if whole > HEADER_BYTES:
        return End(whole, None, _torn(size - whole))
    return End(size, None, ("archive has no footer: cut, or never finished",))


def _torn(size: int) -> tuple[str, ...]:
    return (f"torn tail of {size} bytes is ignored: an append was not finished",) if size else ()


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
