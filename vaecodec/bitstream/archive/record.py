"""Records: what an archive is a log of. Each starts with sync bytes, so that a scan finds it without an index.

    header (9): magic (8) | version (u8)
    record:     sync (2) | kind (u8) | length (uvarint) | body (length) | check (u32)
    trailer:    footer's bytes (u64) | CRC-32 of these (u32) | "VAZ" | version (u8)

check = CRC-32 of every byte of the record before it; in blocks it covers the model's fingerprint too; in blocks and
embedded models it leaves out what has checks of its own. See docs/format.md, "The archive".
"""

import zlib
from dataclasses import dataclass

from vaecodec.bitstream.archive.limits import (
    ARCHIVE_MAGIC,
    ARCHIVE_VERSION,
    HEADER_BYTES,
    KIND_BLOCK,
    KIND_EMBEDDED,
    KIND_FOOTER,
    KIND_METADATA,
    KIND_MODEL,
    KIND_NAMES,
    SYNC,
    TRAILER_BYTES,
    TRAILER_MAGIC,
)
from vaecodec.bitstream.limits import MAX_UVARINT_BYTES
from vaecodec.bitstream.reader import Buffer, Reader, Writer
from vaecodec.errors import BadChecksum, BadField, BadMagic, Truncated, UnsupportedVersion

RECORD_CHECK_BYTES = 4
MAX_FRAME_BYTES = len(SYNC) + 1 + MAX_UVARINT_BYTES
_KINDS = {KIND_MODEL, KIND_EMBEDDED, KIND_METADATA, KIND_NAMES, KIND_FOOTER, *range(KIND_BLOCK, 2 * KIND_BLOCK)}


@dataclass(frozen=True, slots=True)
class Frame:
    """What stands before a record's body: its kind, how long it is itself, and the body's length."""

    kind: int
    frame_bytes: int
    body_bytes: int

    @property
    def record_bytes(self) -> int:
        """The whole record, check included."""
        return self.frame_bytes + self.body_bytes + RECORD_CHECK_BYTES


def pack_frame(kind: int, body_bytes: int) -> bytes:
    """Sync, kind and length."""
    writer = Writer()
    writer.raw(SYNC)
    writer.u8(kind)
    writer.uvarint(body_bytes)
    return writer.getvalue()


def unpack_frame(data: Buffer) -> Frame:
    """The frame at the start of `data`, which may go on. Raises BadMagic, BadField, Truncated, NotCanonical."""
    reader = Reader(data)
    sync = bytes(reader.take(len(SYNC), "record sync"))
    if sync != SYNC:
        raise BadMagic(f"not a record: starts with {sync.hex()}, expected {SYNC.hex()}")
    kind = reader.u8("record kind")
    if kind not in _KINDS:
        raise BadField(f"record kind at offset 2: {kind} has no meaning")
    body_bytes = reader.uvarint("record length")
    return Frame(kind, reader.offset, body_bytes)


def pack_record(kind: int, body: Buffer) -> bytes:
    """A record whose check covers all of it."""
    data = pack_frame(kind, len(body)) + bytes(body)
    return data + zlib.crc32(data).to_bytes(RECORD_CHECK_BYTES, "little")


def unpack_record(data: Buffer, kind: int) -> memoryview:
    """The body of exactly one record of this kind. Raises BadChecksum, BadField, Truncated, TrailingData."""
    view = memoryview(data).cast("B")
    frame = unpack_frame(view[:MAX_FRAME_BYTES])
    if frame.kind != kind:
        raise BadField(f"record kind at offset 2: expected {kind}, found {frame.kind}")
    reader = Reader(view)
    covered = reader.take(frame.frame_bytes + frame.body_bytes, "record")
    check = reader.u32("record check")
    reader.end("record")
    compare_check(zlib.crc32(covered), check, len(covered))
    return covered[frame.frame_bytes :]


def compare_check(expected: int, found: int, offset: int) -> None:
    """Raises BadChecksum where the two differ."""
    if expected != found:
        raise BadChecksum(f"record check at offset {offset}: expected {expected:08x}, found {found:08x}")


def pack_header() -> bytes:
    """The first bytes of every archive."""
    return ARCHIVE_MAGIC + bytes([ARCHIVE_VERSION])


def check_header(data: Buffer) -> None:
    """Check an archive's first bytes. Raises BadMagic, UnsupportedVersion, Truncated."""
    reader = Reader(data)
    magic = bytes(reader.take(min(len(ARCHIVE_MAGIC), reader.remaining), "magic"))
    if not magic or not ARCHIVE_MAGIC.startswith(magic):
        raise BadMagic(f"not an archive: starts with {magic.hex()}, expected {ARCHIVE_MAGIC.hex()}")
    if len(magic) < len(ARCHIVE_MAGIC):
        raise Truncated(f"magic: need {len(ARCHIVE_MAGIC)} bytes at offset 0, have {len(magic)}")
    version = reader.u8("archive version")
    if version != ARCHIVE_VERSION:
        raise UnsupportedVersion(f"archive version {version}: this release reads version {ARCHIVE_VERSION}")
    assert reader.offset == HEADER_BYTES


def pack_trailer(footer_bytes: int) -> bytes:
    """The last bytes of a segment: they lead to its footer, a record of `footer_bytes` that ends where they start."""
    number = footer_bytes.to_bytes(8, "little")
    return number + zlib.crc32(number).to_bytes(4, "little") + TRAILER_MAGIC + bytes([ARCHIVE_VERSION])


def unpack_trailer(data: Buffer) -> int:
    """The footer's bytes. Raises BadMagic, UnsupportedVersion, BadChecksum, Truncated."""
    reader = Reader(data)
    number = reader.take(8, "trailer")
    check = reader.u32("trailer check")
    magic = bytes(reader.take(len(TRAILER_MAGIC), "trailer magic"))
    version = reader.u8("trailer version")
    reader.end("trailer")
    if magic != TRAILER_MAGIC:
        raise BadMagic(f"no trailer: has {magic.hex()} at offset 12, expected {TRAILER_MAGIC.hex()}")
    compare_check(zlib.crc32(number), check, 8)
    if version != ARCHIVE_VERSION:
        raise UnsupportedVersion(f"archive version {version}: this release reads version {ARCHIVE_VERSION}")
    assert reader.offset == TRAILER_BYTES
    return int.from_bytes(number, "little")
