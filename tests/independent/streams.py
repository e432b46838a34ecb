"""A stream: one compressed image (sections 1, 6 and 20).

bytes --parse--> coding, size, E, payload --model--> image (h, w), everything checked
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tests.independent.checks import crc24, crc32
from tests.independent.cursor import Cursor
from tests.independent.exact_images import decode_images, stored_image, stored_length
from tests.independent.lossless_part import LosslessPart
from tests.independent.model_file import Model
from tests.independent.range_coder import RangeDecoder
from tests.independent.refusal import require
from tests.independent.windows import Window, read_window

STREAM_MAGIC = 0xB8
STREAM_VERSION, WINDOWED_VERSION = 1, 3
CHECK_BYTES = 3
MAX_STREAM_BYTES = 1048576
MAX_LEVEL = 111
LOSSLESS, STORED, NEAR_LOSSLESS, STORED_BITS = 127, 126, 125, 124
EXACT = (LOSSLESS, STORED, NEAR_LOSSLESS, STORED_BITS)
CODED = (LOSSLESS, NEAR_LOSSLESS)
MAX_ERROR = 127

Pixels = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Stream:
    """The fields of a stream; size is None where it is the model's, error 0 and window None where there is none."""

    coding: int
    short_fingerprint: bytes
    size: tuple[int, int] | None
    error: int
    payload: bytes
    checked: bytes
    check: int
    window: Window | None = None


def parse(data: bytes) -> Stream:
    """The fields, nothing compared with a model."""
    require(len(data) <= MAX_STREAM_BYTES, "LimitExceeded", f"a stream of {len(data)} bytes")
    cursor = Cursor(data)
    first = cursor.unsigned(1, "magic and version")
    require(first & 0xF8 == STREAM_MAGIC, "BadMagic", "no stream")
    version = first & 7
    require(version in (STREAM_VERSION, WINDOWED_VERSION), "UnsupportedVersion", f"version {version}")
    second = cursor.unsigned(1, "coding")
    coding = second & 0x7F
    check_coding(coding)
    short = cursor.take(2, "short fingerprint")
    window = read_window(cursor) if version == WINDOWED_VERSION else None
    size = None
    if second & 0x80:
        size = (cursor.unsigned(1, "height") + 1, cursor.unsigned(1, "width") + 1)
    error = 0
    if coding == NEAR_LOSSLESS:
        error = cursor.unsigned(1, "E")
        check_error(error)
    require(cursor.left() >= CHECK_BYTES, "Truncated", "check")
    payload = cursor.take(cursor.left() - CHECK_BYTES, "payload")
    check = int.from_bytes(cursor.take(CHECK_BYTES, "check"), "big")
    return Stream(coding, short, size, error, payload, data[:-CHECK_BYTES], check, window)


def check_coding(coding: int) -> None:
    """Refuses a coding that this version does not describe."""
    require(coding <= MAX_LEVEL or coding in EXACT, "BadField", f"coding {coding}")


def check_error(error: int) -> None:
    """Refuses an E that is no largest error."""
    require(1 <= error <= MAX_ERROR, "BadField", f"E is {error}")


def decode(data: bytes, model: Model) -> Pixels:
    """The image (h, w) of a stream of this model."""
    stream = parse(data)
    require(stream.short_fingerprint == model.fingerprint[:2], "ModelMismatch", "a stream of another model")
    if stream.coding not in CODED:
        _compare_check(stream, model, b"")
    check_coding_of(stream.coding, model)
    size = _size_of(stream, model)
    if stream.coding <= MAX_LEVEL:
        return _lossy(stream, model)[: size[0], : size[1]]
    assert model.lossless is not None
    if stream.coding in CODED:
        return _coded(stream, model, model.lossless, size)
    one_bit = stream.coding == STORED_BITS
    length = stored_length(size, one_bit)
    require(len(stream.payload) >= length, "Truncated", "stored pixels")
    require(len(stream.payload) <= length, "TrailingData", "stored pixels")
    return stored_image(stream.payload, size, one_bit)


def _compare_check(stream: Stream, model: Model, after: bytes) -> None:
    check = crc24(model.fingerprint + stream.checked + after)
    require(check == stream.check, "BadChecksum", "the check does not match")


def check_coding_of(coding: int, model: Model) -> None:
    """Refuses a level, or an exact coding, that the model does not have."""
    if coding <= MAX_LEVEL:
        require(coding < len(model.levels), "BadField", f"the model has no level {coding}")
    else:
        require(model.lossless is not None, "BadField", "the model has no lossless part")


def _size_of(stream: Stream, model: Model) -> tuple[int, int]:
    geometry = (model.height, model.width)
    if stream.size is None:
        return geometry
    require(stream.size != geometry, "NotCanonical", "a size that is the model's")
    larger = stream.size[0] > model.height or stream.size[1] > model.width
    require(not larger, "BadField", "a size that is larger than the model's")
    return stream.size


def _lossy(stream: Stream, model: Model) -> Pixels:
    decoder = RangeDecoder(stream.payload)
    symbols = model.decode_symbols(decoder, stream.coding)
    decoder.end()
    return model.synthesise(symbols, stream.coding)


def _coded(stream: Stream, model: Model, part: LosslessPart, size: tuple[int, int]) -> Pixels:
    require(len(stream.payload) <= size[0] * size[1], "NotCanonical", "a payload that is longer than the pixels")
    (image,) = decode_images(part, RangeDecoder(stream.payload), [size], [stream.error])
    _compare_check(stream, model, crc32(image.tobytes()).to_bytes(4, "little"))
    return image
