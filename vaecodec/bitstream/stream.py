"""The stream: one compressed image, 7 bytes around its payload (9 where the size is not the model's own).

    +-----------------+--------------+-------------------+------------+---------------+-----------+---------+---------+
    | 0b10111 version | S coding     | short fingerprint | [window]   | [h-1] [w-1]   | [E]       | payload | check   |
    | 5 bits  3 bits  | 1 bit 7 bits | 2 bytes           | if version | if S: 2 bytes | if coding | rest    | 3 bytes |
    |                 |              |                   | is 3       |               | is 125    |         |         |
    +-----------------+--------------+-------------------+------------+---------------+-----------+---------+---------+

check = CRC-24 of the model's whole fingerprint (32 bytes), of every byte before the check, and of the CRC-32 of the
pixels where the coding is lossless or near-lossless, XOR 0xffffff, big-endian. `coding` 0..111 is lossy at that level.
See docs/format.md.
"""

import zlib
from dataclasses import dataclass
from functools import lru_cache

from vaecodec.arrays import Size
from vaecodec.bitstream.check import crc24
from vaecodec.bitstream.limits import (
    CHECK_BYTES,
    MAX_ERROR,
    MAX_LEVEL,
    MAX_SIDE,
    MAX_STREAM_BYTES,
    SHORT_FINGERPRINT_BYTES,
)
from vaecodec.bitstream.reader import Buffer, Reader
from vaecodec.bitstream.window import Window, take_window
from vaecodec.errors import BadChecksum, BadField, BadMagic, LimitExceeded, Truncated, UnsupportedVersion

STREAM_MAGIC = 0xB8  # top five bits of the first byte; no ASCII text and no UTF-8 text starts so
STREAM_VERSION = 1  # low three bits of the first byte
WINDOWED_VERSION = 3  # the same, with a window
FINGERPRINT_BYTES = 32  # SHA-256
CODING_LOSSLESS = 127
CODING_STORED = 126  # the pixels, a byte each
CODING_NEAR_LOSSLESS = 125  # each pixel within E
CODING_STORED_BITS = 124  # the pixels, a bit each
CODED_EXACTLY = frozenset({CODING_LOSSLESS, CODING_NEAR_LOSSLESS})  # the check covers the pixels
STORED = frozenset({CODING_STORED, CODING_STORED_BITS})
CODINGS = frozenset(range(MAX_LEVEL + 1)) | CODED_EXACTLY | STORED
CHECK_XOR = 0xFFFFFF  # a plain CRC does not see zeros that are appended to what it covers and itself
_SIZE_FLAG = 0x80
MIN_STREAM_BYTES = 2 + SHORT_FINGERPRINT_BYTES + CHECK_BYTES


@dataclass(frozen=True, slots=True)
class Stream:
    """The fields of a stream.

    size: (height, width), None where it is the model's own. max_error: E of a near-lossless stream, else 0. check: as
    read. window: of the values that the pixels were made of, None where they were pixels.
    """

    coding: int
    short_fingerprint: bytes
    size: Size | None
    max_error: int
    payload: bytes
    check: int
    window: Window | None = None

    @property
    def version(self) -> int:
        """Of a stream of these fields."""
        return STREAM_VERSION if self.window is None else WINDOWED_VERSION


@lru_cache(maxsize=64)
def fingerprint_state(fingerprint: bytes) -> int:
    """The check's state after a model's whole fingerprint. Raises BadField."""
    if len(fingerprint) != FINGERPRINT_BYTES:
        raise BadField(f"model fingerprint: expected {FINGERPRINT_BYTES} bytes, found {len(fingerprint)}")
    return crc24(fingerprint)


def check_coding(coding: int, max_error: int) -> None:
    """Raises BadField for a coding that means nothing, or an E that it does not have."""
    if coding not in CODINGS:
        kinds = f"0..{MAX_LEVEL} or {CODING_STORED_BITS}..{CODING_LOSSLESS}"
        raise BadField(f"coding at offset 1: expected {kinds}, found {coding}")
    if coding != CODING_NEAR_LOSSLESS and max_error:
        raise BadField(f"max error: {max_error} in a stream that is not near-lossless")
    if coding == CODING_NEAR_LOSSLESS and not 1 <= max_error <= MAX_ERROR:
        raise BadField(f"max error: expected 1..{MAX_ERROR}, found {max_error}")


def pack(
    coding: int,
    fingerprint: bytes,
    size: Size | None,
    payload: bytes,
    *,
    max_error: int = 0,
    pixels: Buffer = b"",
    window: Window | None = None,
) -> bytes:
    """The bytes of a stream; `fingerprint` is the model's whole SHA-256 (32 bytes), `size` (height, width) or None.

    max_error: E of a near-lossless stream. pixels: row by row, what it decodes to, where the check covers them
    (CODED_EXACTLY). window: of the values that the pixels were made of. Raises BadField and LimitExceeded where a field
    has no place in the format.
    """
    check_coding(coding, max_error)
    flag, size_bytes = 0, b""
    if size is not None:
        height, width = size
        if not (1 <= height <= MAX_SIDE and 1 <= width <= MAX_SIDE):
            raise LimitExceeded(f"size: sides must be in 1..{MAX_SIDE}, found {height} x {width}")
        flag, size_bytes = _SIZE_FLAG, bytes((height - 1, width - 1))
    version, window_bytes = (STREAM_VERSION, b"") if window is None else (WINDOWED_VERSION, window.pack())
    head = bytes((STREAM_MAGIC | version, flag | coding)) + fingerprint[:SHORT_FINGERPRINT_BYTES]
    error = bytes((max_error,)) if coding == CODING_NEAR_LOSSLESS else b""
    body = head + window_bytes + size_bytes + error + payload
    if len(body) + CHECK_BYTES > MAX_STREAM_BYTES:
        raise LimitExceeded(f"stream: {len(body) + CHECK_BYTES} bytes, at most {MAX_STREAM_BYTES} allowed")
    return body + _check(body, coding, fingerprint, pixels).to_bytes(CHECK_BYTES, "big")


def _check(body: Buffer, coding: int, fingerprint: bytes, pixels: Buffer) -> int:
    state = crc24(body, fingerprint_state(fingerprint))
    if coding in CODED_EXACTLY:
        state = crc24(zlib.crc32(pixels).to_bytes(4, "little"), state)
    return state ^ CHECK_XOR


def unpack(data: Buffer) -> Stream:
    """The fields of a stream; its structure is checked, its integrity is not: call `verify` with the model found.

    Raises BadMagic, UnsupportedVersion, Truncated, BadField, LimitExceeded.
    """
    reader = Reader(data)
    first = reader.u8("magic and version")
    if first & 0xF8 != STREAM_MAGIC:
        raise BadMagic(f"not a stream: first byte is 0x{first:02x}, expected 0x{STREAM_MAGIC | STREAM_VERSION:02x}")
    if first & 7 not in (STREAM_VERSION, WINDOWED_VERSION):
        versions = f"{STREAM_VERSION} and {WINDOWED_VERSION}"
        raise UnsupportedVersion(f"stream version {first & 7}: a model of one geometry reads versions {versions}")
    if reader.remaining + 1 > MAX_STREAM_BYTES:
        raise LimitExceeded(f"stream: {reader.remaining + 1} bytes, at most {MAX_STREAM_BYTES} allowed")
    second = reader.u8("coding")
    coding = second & ~_SIZE_FLAG
    short_fingerprint = bytes(reader.take(SHORT_FINGERPRINT_BYTES, "model fingerprint"))
    window = take_window(reader) if first & 7 == WINDOWED_VERSION else None
    size = None
    if second & _SIZE_FLAG:
        size = (reader.u8("height") + 1, reader.u8("width") + 1)
    max_error = reader.u8("max error") if coding == CODING_NEAR_LOSSLESS else 0
    check_coding(coding, max_error)
    if reader.remaining < CHECK_BYTES:
        raise Truncated(f"check: need {CHECK_BYTES} bytes at offset {reader.offset}, have {reader.remaining}")
    payload = bytes(reader.take(reader.remaining - CHECK_BYTES, "payload"))
    check = int.from_bytes(reader.take(CHECK_BYTES, "check"), "big")
    reader.end("stream")
    return Stream(coding, short_fingerprint, size, max_error, payload, check, window)


def is_exact(data: Buffer) -> bool:
    """Whether a stream, if it is one, says that it is of another kind than lossy."""
    return len(data) > 1 and data[1] & ~_SIZE_FLAG > MAX_LEVEL


def verify(data: Buffer, fingerprint: bytes, pixels: Buffer = b"") -> None:
    """Check a stream's integrity, given the whole fingerprint (32 bytes) of the model that it is to be read with.

    pixels: row by row, as decoded, of a stream whose check covers them (CODED_EXACTLY). Raises BadChecksum where the
    bytes are damaged or belong to another model, Truncated.
    """
    view = memoryview(data).cast("B")
    if len(view) < MIN_STREAM_BYTES:
        raise Truncated(f"stream: need at least {MIN_STREAM_BYTES} bytes, have {len(view)}")
    if len(view) > MAX_STREAM_BYTES:
        raise LimitExceeded(f"stream: {len(view)} bytes, at most {MAX_STREAM_BYTES} allowed")
    found = int.from_bytes(view[-CHECK_BYTES:], "big")
    expected = _check(view[:-CHECK_BYTES], view[1] & ~_SIZE_FLAG, fingerprint, pixels)
    if found != expected:
        raise BadChecksum(
            f"check at offset {len(view) - CHECK_BYTES}: expected {expected:06x} for this model, found {found:06x}"
        )
