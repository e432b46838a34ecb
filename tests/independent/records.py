"""An archive's records and its trailer (sections 13 and 13.1).

record: sync, kind, length of the body, body, check      trailer: length of the footer's record, CRC-32, VAZ, version
"""

from dataclasses import dataclass

from tests.independent.checks import crc32
from tests.independent.cursor import Cursor
from tests.independent.refusal import Refused, require

HEADER_MAGIC = bytes.fromhex("89 56 41 45 41 0d 0a 1a")
HEADER_BYTES = 9
ARCHIVE_VERSION = 1
SYNC = bytes.fromhex("b7 3a")
TRAILER_BYTES = 16
TRAILER_MAGIC = b"VAZ"
CHECK_BYTES = 4
MODEL, EMBEDDED, METADATA, NAMES, FOOTER, BLOCK = 1, 2, 3, 4, 5, 128
BLOCK_FLAGS = 127
MAX_BLOCK_BYTES = 16777216
MAX_METADATA_BYTES = 16777216
MAX_FOOTER_BYTES = 268435456


@dataclass(frozen=True, slots=True)
class Record:
    """Where a record lies in the archive; its check is compared by whoever reads the kind."""

    data: bytes
    start: int
    kind: int
    body_start: int
    body_end: int

    @classmethod
    def at(cls, data: bytes, start: int, limit: int) -> "Record":
        """The record that starts here and ends at `limit` or before."""
        cursor = Cursor(memoryview(data)[:limit], start)
        kind, size = take_frame(cursor)
        body_start = cursor.position
        cursor.take(size, "a record's body")
        cursor.take(CHECK_BYTES, "a record's check")
        return cls(data, start, kind, body_start, body_start + size)

    @classmethod
    def exactly(cls, data: bytes, start: int, size: int) -> "Record":
        """The record of so many bytes that a footer or a trailer names."""
        record = cls.at(data, start, start + size)
        require(record.end == start + size, "BadField", f"a record of another length at {start}")
        return record

    @property
    def end(self) -> int:
        """The first byte after it."""
        return self.body_end + CHECK_BYTES

    @property
    def body(self) -> bytes:
        """Its body."""
        return self.data[self.body_start : self.body_end]

    def require_check(self, covered_end: int, before: bytes = b"") -> None:
        """Refuses a record whose check is not that of `before` and of its bytes up to `covered_end`."""
        check = int.from_bytes(self.data[self.body_end : self.end], "little")
        found = crc32(before, self.data[self.start : covered_end])
        require(check == found, "BadChecksum", f"the record at {self.start}")

    def is_checked(self) -> bool:
        """Whether the check is that of the whole record."""
        return holds(self.require_check, self.body_end)

    def checked_body(self, kind: int) -> bytes:
        """The body of a whole record of this kind, whose check covers all of it."""
        require(self.kind == kind, "BadField", f"a record of kind {self.kind}, not {kind}")
        self.require_check(self.body_end)
        return self.body


def take_frame(cursor: Cursor) -> tuple[int, int]:
    """The kind of the record that starts here, and the length of its body."""
    start = cursor.position
    require(cursor.take(2, "sync") == SYNC, "BadField", f"no record at {start}")
    kind = cursor.unsigned(1, "kind")
    known = MODEL <= kind <= FOOTER or BLOCK <= kind <= BLOCK + BLOCK_FLAGS
    require(known, "BadField", f"a record of kind {kind}")
    return kind, cursor.uvarint("a record's length")


def record_bytes(body: int) -> int:
    """The length of a record whose body has so many bytes."""
    return len(SYNC) + 1 + max(1, (body.bit_length() + 6) // 7) + body + CHECK_BYTES


def body_of(written: bytes) -> bytes:
    """The body of a record of which another place tells the length, so that the record's own may be damaged."""
    sizes = [len(written) - CHECK_BYTES - 3 - field for field in range(1, 10)]
    size = next((size for size in sizes if size >= 0 and record_bytes(size) == len(written)), None)
    if size is None:
        raise Refused("BadField", f"no record has {len(written)} bytes")
    return written[-CHECK_BYTES - size : -CHECK_BYTES]


def trailer_at(data: bytes, end: int) -> int | None:
    """The length of the footer's record that a trailer before `end` names; None where there is no whole one."""
    if end < HEADER_BYTES + TRAILER_BYTES:
        return None
    trailer = data[end - TRAILER_BYTES : end]
    whole = trailer[12:] == TRAILER_MAGIC + bytes([ARCHIVE_VERSION])
    if not whole or crc32(trailer[:8]) != int.from_bytes(trailer[8:12], "little"):
        return None
    return int.from_bytes(trailer[:8], "little")


def require_header(data: bytes) -> None:
    """Refuses what does not begin as an archive does."""
    magic = data[: len(HEADER_MAGIC)]
    require(HEADER_MAGIC.startswith(magic) and magic != b"", "BadMagic" if magic else "Truncated", "no archive")
    require(len(data) >= HEADER_BYTES, "Truncated", "the archive's header")
    require(data[8] == ARCHIVE_VERSION, "UnsupportedVersion", f"version {data[8]}")


def holds(action: object, *arguments: object) -> bool:
    """Whether a step refuses nothing."""
    try:
        action(*arguments)  # type: ignore[operator]
    except Refused:
        return False
    return True
