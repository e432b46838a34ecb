"""A stream of version 2: one picture of any size, and what came with its pixels (sections 17, 17.1 and 20).

bytes --parse--> level, flags, size, chunks, payloads --model--> Picture, everything checked
"""

import zlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tests.independent.checks import crc32
from tests.independent.cursor import Cursor
from tests.independent.photographs import PhotographModel, decode_regions
from tests.independent.refusal import Refused, require
from tests.independent.streams import MAX_LEVEL
from tests.independent.windows import Window, read_window

PICTURE_MAGIC = 0xBA
PICTURE_CHECK_BYTES = 4
MAX_PICTURE_STREAM_BYTES = 1073741824
MAX_REGION_BYTES = 67108864
MAX_CHUNK_BYTES = 16777216
REGION_SIDE = 2048
GREY, ALPHA, ICC, EXIF, XMP, WINDOW = 1, 2, 4, 8, 16, 32
CHUNKS = {ICC: "icc", EXIF: "exif", XMP: "xmp"}
OPAQUE = 255

Plane = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class PictureStream:
    """The fields of a stream; alpha is the chunk as it stands there, empty where there is none."""

    level: int
    short_fingerprint: bytes
    is_grey: bool
    size: tuple[int, int]
    alpha: bytes
    chunks: dict[str, bytes]
    payloads: list[bytes]
    checked: bytes
    check: int
    window: Window | None


@dataclass(frozen=True, slots=True)
class Picture:
    """pixels (h, w), or in colour (h, w, 3); alpha (h, w), None where every pixel is opaque; chunks by name.

    values: what the pixels stand for, where there is a window.
    """

    pixels: Plane
    alpha: Plane | None
    chunks: dict[str, bytes]
    values: NDArray[np.generic] | None = None


def parse(data: bytes) -> PictureStream:
    """The fields, nothing compared with a model."""
    require(len(data) <= MAX_PICTURE_STREAM_BYTES, "LimitExceeded", f"a stream of {len(data)} bytes")
    body = data[:-PICTURE_CHECK_BYTES]
    cursor = Cursor(body)
    require(cursor.unsigned(1, "magic and version") == PICTURE_MAGIC, "BadMagic", "no stream of version 2")
    level = cursor.unsigned(1, "level")
    require(level <= MAX_LEVEL, "BadField", f"level {level}")
    short = cursor.take(2, "short fingerprint")
    flags = cursor.unsigned(1, "flags")
    require(flags < 2 * WINDOW, "BadField", f"flags {flags}")
    size = (cursor.unsigned(2, "height"), cursor.unsigned(2, "width"))
    require(min(size) > 0, "BadField", f"a picture of {size}")
    regions = -(-size[0] // REGION_SIDE) * -(-size[1] // REGION_SIDE)
    lengths = [cursor.uvarint("length of a payload") for _ in range(regions - 1)]
    alpha = _alpha_chunk(cursor) if flags & ALPHA else b""
    chunks = {name: _chunk(cursor, name) for flag, name in CHUNKS.items() if flags & flag}
    window = _window_chunk(cursor) if flags & WINDOW else None
    payloads = [_payload(cursor, length) for length in lengths]
    payloads.append(_payload(cursor, cursor.left()))
    check = int.from_bytes(data[-PICTURE_CHECK_BYTES:], "little")
    return PictureStream(level, short, bool(flags & GREY), size, alpha, chunks, payloads, body, check, window)


def _payload(cursor: Cursor, length: int) -> bytes:
    require(length <= MAX_REGION_BYTES, "LimitExceeded", f"a payload of {length} bytes")
    return cursor.take(length, "payload")


def _alpha_chunk(cursor: Cursor) -> bytes:
    length, is_deflated = divmod(cursor.uvarint("length of alpha"), 2)
    require(not is_deflated, "NotCanonical", "alpha that is deflated as a chunk")
    require(length > 0, "BadField", "an empty chunk: alpha")
    return cursor.take(length, "alpha")


def _window_chunk(cursor: Cursor) -> Window:
    length, is_deflated = divmod(cursor.uvarint("length of a window"), 2)
    require(not is_deflated, "NotCanonical", "a window that is deflated")
    inside = Cursor(cursor.take(length, "window"))
    window = read_window(inside)
    inside.end("window")
    return window


def _chunk(cursor: Cursor, name: str) -> bytes:
    """The content of a chunk."""
    length, is_deflated = divmod(cursor.uvarint(f"length of {name}"), 2)
    require(length <= MAX_CHUNK_BYTES, "LimitExceeded", f"{name}: {length} bytes")
    content = cursor.take(length, name)
    if is_deflated:
        content = inflated(content, MAX_CHUNK_BYTES, name)
        require(length < len(content), "NotCanonical", f"{name}: deflated, and not shorter")
    require(len(content) > 0, "BadField", f"an empty chunk: {name}")
    return content


def inflated(packed: bytes, most: int, what: str) -> bytes:
    """What a raw DEFLATE stream says, which ends where the bytes do and is at most so long."""
    stream = zlib.decompressobj(-15)
    try:
        content = stream.decompress(packed, most + 1)
    except zlib.error as error:
        raise Refused("BadField", f"{what}: no DEFLATE stream: {error}") from error
    require(len(content) <= most, "LimitExceeded", f"{what}: more than {most} bytes")
    require(stream.eof, "Truncated", what)
    require(not stream.unused_data, "TrailingData", what)
    return content


def alpha_plane(chunk: bytes, size: tuple[int, int]) -> Plane:
    """The plane (h, w) that the chunk says (section 17.1)."""
    if len(chunk) == 1:
        require(chunk[0] != OPAQUE, "NotCanonical", "alpha of an opaque picture")
        return np.broadcast_to(np.uint8(chunk[0]), size)
    kind = chunk[0]
    require(kind <= 3, "BadField", f"alpha of kind {kind}")
    values = inflated(chunk[1:], size[0] * size[1], "alpha")
    require(len(values) == size[0] * size[1], "Truncated", "alpha")
    plane = np.frombuffer(values, np.uint8).reshape(size)
    for bit, axis in ((1, 1), (2, 0)):
        if kind & bit:
            plane = np.cumsum(plane, axis=axis, dtype=np.uint8)
    require(bool((plane != plane[0, 0]).any()), "NotCanonical", "alpha of one value in more than one byte")
    return plane


def decode(data: bytes, model: PhotographModel) -> Picture:
    """The picture of a stream of this model."""
    stream = parse(data)
    require(stream.short_fingerprint == model.fingerprint[:2], "ModelMismatch", "a stream of another model")
    require(stream.check == crc32(model.fingerprint, stream.checked), "BadChecksum", "the check does not match")
    require(stream.level < model.levels, "BadField", f"the model has no level {stream.level}")
    alpha = alpha_plane(stream.alpha, stream.size) if stream.alpha else None
    base, detail = decode_regions(model, stream.payloads, stream.level, stream.size)
    pixels = model.pixels(base, detail, stream.level)[: stream.size[0], : stream.size[1]]
    if stream.is_grey:
        pixels = ((pixels.sum(2, dtype=np.int64) + 1) // 3).astype(np.uint8)
    return Picture(pixels, alpha, stream.chunks, None if stream.window is None else stream.window.values(pixels))
