"""The stream, version 2: one picture of any size and what came with it, 13 bytes around the payload of a single region.

    +--------+---------+-------------------+---------+--------+-------+-------------+----------+----------+---------+
    | 0xba   | level   | short fingerprint | flags   | height | width | lengths     | chunks   | payloads | check   |
    | 1 byte | 1 byte  | 2 bytes           | 1 byte  | u16    | u16   | uvarint for | if flags | of the   | 4 bytes |
    |        |         |                   |         |        |       | all regions | say so   | regions  |         |
    |        |         |                   |         |        |       | but one     |          |          |         |
    +--------+---------+-------------------+---------+--------+-------+-------------+----------+----------+---------+

A region is REGION_SIDE pixels high and wide, less at the bottom and right of the picture; in reading order. check =
CRC-32 of the model's whole fingerprint (32 bytes) and of every byte before the check. See docs/format.md, section 17.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from vaecodec.arrays import Size
from vaecodec.bitstream.limits import (
    MAX_CHUNK_BYTES,
    MAX_LEVEL,
    MAX_PICTURE_SIDE,
    MAX_PICTURE_STREAM_BYTES,
    MAX_REGION_BYTES,
    PICTURE_CHECK_BYTES,
    REGION_SIDE,
    SHORT_FINGERPRINT_BYTES,
)
from vaecodec.bitstream.reader import Buffer, Reader, Writer
from vaecodec.bitstream.stream import FINGERPRINT_BYTES, STREAM_MAGIC
from vaecodec.bitstream.window import Window, unpack_window
from vaecodec.errors import (
    BadChecksum,
    BadField,
    BadMagic,
    LimitExceeded,
    NotCanonical,
    Truncated,
    UnsupportedVersion,
)

PICTURE_VERSION = 2  # low three bits of the first byte
GREY_FLAG = 1
ALPHA = "alpha"
WINDOW = "window"
OPAQUE = b"\xff"  # alpha of a picture whose every pixel is opaque, which needs none
CHUNK_FLAGS = {ALPHA: 2, "icc": 4, "exif": 8, "xmp": 16, WINDOW: 32}  # in the order in which chunks stand
AS_THEY_ARE = frozenset({ALPHA, WINDOW})  # never deflated: the one is packed, the other a few bytes
MIN_PICTURE_STREAM_BYTES = 3 + SHORT_FINGERPRINT_BYTES + 4 + PICTURE_CHECK_BYTES
_ALL_FLAGS = GREY_FLAG | sum(CHUNK_FLAGS.values())


@dataclass(frozen=True, slots=True)
class PictureStream:
    """The fields of a stream of version 2.

    size: (height, width). grey: whether a reader gives one channel. payloads: one for each region, in reading order.
    chunks: what came with the pixels, by the names of CHUNK_FLAGS; those of "alpha" and "window" are packed. check: as
    read.
    """

    level: int
    short_fingerprint: bytes
    size: Size
    grey: bool
    payloads: tuple[bytes, ...]
    chunks: Mapping[str, bytes]
    check: int

    @property
    def window(self) -> Window | None:
        """Of the values that the pixels were made of, None where they were pixels."""
        return unpack_window(self.chunks[WINDOW]) if WINDOW in self.chunks else None


def is_picture_stream(data: Buffer) -> bool:
    """Whether bytes begin as a stream of version 2."""
    return len(data) > 0 and data[0] == STREAM_MAGIC | PICTURE_VERSION


def region_count(size: Size) -> int:
    """Regions of a picture of this (height, width)."""
    return -(-size[0] // REGION_SIDE) * -(-size[1] // REGION_SIDE)


def pack_picture(
    level: int,
    fingerprint: bytes,
    size: Size,
    payloads: Sequence[bytes],
    *,
    grey: bool = False,
    chunks: Mapping[str, bytes] | None = None,
) -> bytes:
    """The bytes of a stream; `fingerprint` is the model's whole SHA-256 (32 bytes), `size` (height, width).

    payloads: of every region. chunks: by the names of CHUNK_FLAGS, none of them empty. Raises BadField and
    LimitExceeded where a field has no place in the format.
    """
    chunks = chunks or {}
    _check_fields(level, size, chunks)
    if len(payloads) != region_count(size):
        raise BadField(f"regions: {region_count(size)} in {size[0]}x{size[1]} pixels, found {len(payloads)} payloads")
    writer = Writer()
    writer.u8(STREAM_MAGIC | PICTURE_VERSION)
    writer.u8(level)
    writer.raw(fingerprint[:SHORT_FINGERPRINT_BYTES])
    writer.u8(GREY_FLAG * grey | sum(CHUNK_FLAGS[name] for name in chunks))
    writer.u16(size[0])
    writer.u16(size[1])
    for number, payload in enumerate(payloads):
        _check_region_length(number, len(payload))
        if number < len(payloads) - 1:
            writer.uvarint(len(payload))
    for name in CHUNK_FLAGS:
        if name in chunks:
            _write_chunk(writer, name, chunks[name])
    for payload in payloads:
        writer.raw(payload)
    _check_stream_length(len(writer) + PICTURE_CHECK_BYTES)
    body = writer.getvalue()
    return body + _check(body, fingerprint).to_bytes(PICTURE_CHECK_BYTES, "little")


def unpack_picture(data: Buffer) -> PictureStream:
    """The fields of a stream; its structure is checked, its integrity is not: call `verify_picture` with the model.

    Raises BadMagic, UnsupportedVersion, Truncated, BadField, NotCanonical, LimitExceeded.
    """
    _check_stream_length(len(memoryview(data).cast("B")))
    reader = Reader(data)
    _read_magic(reader)
    level = reader.u8("level")
    short_fingerprint = bytes(reader.take(SHORT_FINGERPRINT_BYTES, "model fingerprint"))
    flags = reader.u8("flags")
    if flags & ~_ALL_FLAGS:
        raise BadField(f"flags at offset {reader.offset - 1}: 0x{flags:02x} has bits that mean nothing")
    size = (reader.u16("height"), reader.u16("width"))
    _check_fields(level, size, {})
    lengths = []
    for number in range(region_count(size) - 1):
        lengths.append(reader.uvarint("length of a region"))
        _check_region_length(number, lengths[-1])
    chunks = {name: _read_chunk(reader, name) for name, flag in CHUNK_FLAGS.items() if flags & flag}
    payloads = [bytes(reader.take(length, f"region {number}")) for number, length in enumerate(lengths)]
    if reader.remaining < PICTURE_CHECK_BYTES:
        raise Truncated(f"check: need {PICTURE_CHECK_BYTES} bytes at offset {reader.offset}, have {reader.remaining}")
    last = reader.remaining - PICTURE_CHECK_BYTES
    _check_region_length(len(payloads), last)
    payloads.append(bytes(reader.take(last, "last region")))
    check = reader.u32("check")
    reader.end("stream")
    return PictureStream(level, short_fingerprint, size, bool(flags & GREY_FLAG), tuple(payloads), chunks, check)


def short_fingerprint_of(data: Buffer) -> bytes:
    """The beginning of the model's fingerprint, read alone. Raises BadMagic, UnsupportedVersion, Truncated."""
    reader = Reader(data)
    _read_magic(reader)
    reader.u8("level")
    return bytes(reader.take(SHORT_FINGERPRINT_BYTES, "model fingerprint"))


def verify_picture(data: Buffer, fingerprint: bytes) -> None:
    """Check a stream's integrity, given the whole fingerprint (32 bytes) of the model that it is to be read with.

    Raises BadChecksum where the bytes are damaged or belong to another model, Truncated, LimitExceeded.
    """
    view = memoryview(data).cast("B")
    if len(view) < MIN_PICTURE_STREAM_BYTES:
        raise Truncated(f"stream: need at least {MIN_PICTURE_STREAM_BYTES} bytes, have {len(view)}")
    _check_stream_length(len(view))
    found = int.from_bytes(view[-PICTURE_CHECK_BYTES:], "little")
    expected = _check(view[:-PICTURE_CHECK_BYTES], fingerprint)
    if found != expected:
        offset = len(view) - PICTURE_CHECK_BYTES
        raise BadChecksum(f"check at offset {offset}: expected {expected:08x} for this model, found {found:08x}")


def _read_magic(reader: Reader) -> None:
    first = reader.u8("magic and version")
    if first & 0xF8 != STREAM_MAGIC:
        raise BadMagic(f"not a stream: first byte is 0x{first:02x}, expected 0x{STREAM_MAGIC | PICTURE_VERSION:02x}")
    if first & 7 != PICTURE_VERSION:
        raise UnsupportedVersion(f"stream version {first & 7}: expected {PICTURE_VERSION}, a picture of any size")


def _check_fields(level: int, size: Size, chunks: Mapping[str, bytes]) -> None:
    if not 0 <= level <= MAX_LEVEL:
        raise BadField(f"level at offset 1: expected 0..{MAX_LEVEL}, found {level}")
    if not all(1 <= side <= MAX_PICTURE_SIDE for side in size):
        raise LimitExceeded(f"size: sides must be in 1..{MAX_PICTURE_SIDE}, found {size[0]} x {size[1]}")
    for name, content in chunks.items():
        if name not in CHUNK_FLAGS:
            raise BadField(f"chunk {name!r}: expected one of {', '.join(CHUNK_FLAGS)}")
        if not content or (name == ALPHA and content == OPAQUE):
            raise BadField(f"chunk {name}: says nothing, and must be left out")


def _check_region_length(number: int, length: int) -> None:
    if length > MAX_REGION_BYTES:
        raise LimitExceeded(f"region {number}: {length} bytes, at most {MAX_REGION_BYTES} allowed")


def _check_stream_length(length: int) -> None:
    if length > MAX_PICTURE_STREAM_BYTES:
        raise LimitExceeded(f"stream: {length} bytes, at most {MAX_PICTURE_STREAM_BYTES} allowed")


def _check(body: Buffer, fingerprint: bytes) -> int:
    if len(fingerprint) != FINGERPRINT_BYTES:
        raise BadField(f"model fingerprint: expected {FINGERPRINT_BYTES} bytes, found {len(fingerprint)}")
    return zlib.crc32(body, zlib.crc32(fingerprint))


def _write_chunk(writer: Writer, name: str, content: bytes) -> None:
    """2 · length, 1 more where it is deflated, and the bytes."""
    _check_chunk_length(name, len(content))
    stored = content if name in AS_THEY_ARE else _deflated(content)
    deflated = len(stored) < len(content)
    writer.uvarint(2 * len(stored if deflated else content) + deflated)
    writer.raw(stored if deflated else content)


def _read_chunk(reader: Reader, name: str) -> bytes:
    offset = reader.offset
    length, deflated = divmod(reader.uvarint(f"length of chunk {name}"), 2)
    stored = bytes(reader.take(length, f"chunk {name}"))
    if not stored or (name == ALPHA and stored == OPAQUE):
        raise NotCanonical(f"chunk {name} at offset {offset}: says nothing, and must be left out")
    if not deflated:
        _check_chunk_length(name, length)
        if name == WINDOW:
            unpack_window(stored)
        return stored
    if name in AS_THEY_ARE:
        raise NotCanonical(f"chunk {name} at offset {offset}: is packed already, and must not be deflated")
    content = _inflated(name, stored)
    if length >= len(content):
        raise NotCanonical(f"chunk {name} at offset {offset}: deflated, though its {len(content)} bytes are no longer")
    return content


def _check_chunk_length(name: str, length: int) -> None:
    if name != ALPHA and length > MAX_CHUNK_BYTES:
        raise LimitExceeded(f"chunk {name}: {length} bytes, at most {MAX_CHUNK_BYTES} allowed")


def _deflated(content: bytes) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    return packer.compress(content) + packer.flush()


def _inflated(name: str, stored: bytes) -> bytes:
    """The content of a raw DEFLATE stream, which ends where the bytes do. Raises BadField, LimitExceeded."""
    unpacker = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        content = unpacker.decompress(stored, MAX_CHUNK_BYTES + 1)
    except zlib.error as error:
        raise BadField(f"chunk {name}: not a DEFLATE stream ({error})") from error
    _check_chunk_length(name, len(content))
    if not unpacker.eof or unpacker.unused_data:
        raise BadField(f"chunk {name}: its DEFLATE stream does not end where the chunk does")
    return content
