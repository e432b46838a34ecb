"""What a block says about its images beside their pixels: names, front-coded, and columns of integer labels.

name:   bytes shared with the name before (uvarint) | bytes that follow (uvarint) | these bytes
column: bytes of the lowest value (u8) | lowest value | bits of a difference (u8) | differences, each in that many bits
"""

import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from vaecodec.bitstream.archive.limits import MAX_IMAGE_NAME_BYTES, MAX_LABEL_COLUMNS
from vaecodec.bitstream.archive.record import compare_check
from vaecodec.bitstream.reader import Buffer, Reader, Writer
from vaecodec.errors import BadField, LimitExceeded, NotCanonical, Truncated, WrongType

Labels = npt.NDArray[np.int64]
NAMES_CHECK_BYTES = 4


def encode_name(name: str) -> bytes:
    """UTF-8 of an image's name. Raises WrongType, BadField (empty, or no Unicode), LimitExceeded."""
    if not isinstance(name, str):
        raise WrongType(f"image name: expected text, found {type(name).__name__}")
    try:
        data = name.encode("utf-8")
    except UnicodeEncodeError as error:
        raise BadField(f"image name {name!r}: not Unicode ({error.reason})") from error
    if not data:
        raise BadField("image name: must not be empty")
    if len(data) > MAX_IMAGE_NAME_BYTES:
        raise LimitExceeded(f"image name: {len(data)} bytes, at most {MAX_IMAGE_NAME_BYTES} allowed")
    return data


def pack_names(names: Sequence[str]) -> bytes:
    """The names' section of a block, with its own check: damage to names must not lose pixels, nor the reverse."""
    writer, previous = Writer(), b""
    for name in names:
        data = encode_name(name)
        shared = _shared_bytes(previous, data)
        writer.uvarint(shared)
        writer.uvarint(len(data) - shared)
        writer.raw(data[shared:])
        previous = data
    body = writer.getvalue()
    return body + zlib.crc32(body).to_bytes(NAMES_CHECK_BYTES, "little")


def unpack_names(section: Buffer, count: int) -> tuple[str, ...]:
    """The names of a section of `count` images. Raises FormatError's children."""
    view = memoryview(section).cast("B")
    if len(view) < NAMES_CHECK_BYTES:
        raise Truncated(f"names: need {NAMES_CHECK_BYTES} bytes for their check, have {len(view)}")
    body = view[:-NAMES_CHECK_BYTES]
    compare_check(zlib.crc32(body), int.from_bytes(view[-NAMES_CHECK_BYTES:], "little"), len(body))
    reader, names, previous = Reader(body), [], b""
    for _ in range(count):
        shared = reader.uvarint("shared bytes of a name")
        rest = bytes(reader.take(reader.uvarint("length of a name"), "name"))
        if shared > len(previous):
            raise BadField(f"image name at offset {reader.offset}: shares {shared} bytes with one of {len(previous)}")
        data = previous[:shared] + rest
        if not 0 < len(data) <= MAX_IMAGE_NAME_BYTES:
            raise LimitExceeded(
                f"image name at offset {reader.offset}: {len(data)} bytes, not in 1..{MAX_IMAGE_NAME_BYTES}"
            )
        if _shared_bytes(previous, data) != shared:
            raise NotCanonical(f"image name at offset {reader.offset}: shares more than {shared} bytes")
        try:
            names.append(data.decode("utf-8"))
        except UnicodeDecodeError as error:
            raise BadField(f"image name at offset {reader.offset}: not UTF-8 ({error.reason})") from error
        previous = data
    reader.end("names")
    return tuple(names)


def _shared_bytes(a: bytes, b: bytes) -> int:
    shared = 0
    for x, y in zip(a, b, strict=False):
        if x != y:
            break
        shared += 1
    return shared


def pack_labels(labels: Labels) -> bytes:
    """Labels int64 (count, columns), at least one of each, as bytes. Raises LimitExceeded."""
    columns = labels.shape[1]
    if not 1 <= columns <= MAX_LABEL_COLUMNS:
        raise LimitExceeded(f"labels: {columns} columns, not in 1..{MAX_LABEL_COLUMNS}")
    writer = Writer()
    writer.u8(columns)
    for column in labels.T:
        low, high = int(column.min()), int(column.max())
        low_bytes = _signed_bytes(low)
        width = (high - low).bit_length()
        writer.u8(low_bytes)
        writer.raw(low.to_bytes(low_bytes, "little", signed=True))
        writer.u8(width)
        # Modulo 2**64, so that the widest pair of int64 has a difference too.
        differences = column.astype(np.uint64) - np.uint64(low % (1 << 64))
        bits = (differences[:, None] >> np.arange(width - 1, -1, -1, dtype=np.uint64)) & np.uint64(1)
        writer.raw(np.packbits(bits.astype(np.uint8)).tobytes())
    return writer.getvalue()


def take_labels(reader: Reader, count: int) -> Labels:
    """The labels (count, columns) that stand next. Raises FormatError's children."""
    columns = reader.u8("label columns")
    if not 1 <= columns <= MAX_LABEL_COLUMNS:
        raise LimitExceeded(f"label columns at offset {reader.offset - 1}: {columns} is not in 1..{MAX_LABEL_COLUMNS}")
    return np.stack([_take_column(reader, count) for _ in range(columns)], axis=1)


def _take_column(reader: Reader, count: int) -> Labels:
    start = reader.offset
    low_bytes = reader.u8("bytes of the lowest label")
    if low_bytes > 8:
        raise BadField(f"labels at offset {start}: a lowest value of {low_bytes} bytes, at most 8")
    low = int.from_bytes(reader.take(low_bytes, "lowest label"), "little", signed=True)
    width = reader.u8("bits of a label")
    if width > 64:
        raise BadField(f"labels at offset {start}: {width} bits each, at most 64")
    packed = reader.take((count * width + 7) // 8, "labels")
    bits = np.unpackbits(np.frombuffer(packed, np.uint8))
    if bits[count * width :].any():
        raise NotCanonical(f"labels at offset {start}: padding bits are not zero")
    places = np.arange(width - 1, -1, -1, dtype=np.uint64)
    digits = bits[: count * width].reshape(count, width).astype(np.uint64) << places
    differences: npt.NDArray[Any] = digits.sum(axis=1, dtype=np.uint64)
    spread = int(differences.max())
    if low_bytes != _signed_bytes(low) or int(differences.min()) != 0 or width != spread.bit_length():
        raise NotCanonical(f"labels at offset {start}: lowest value or width is not the smallest")
    if low + spread >= 1 << 63:
        raise BadField(f"labels at offset {start}: a value beyond int64")
    return (differences + np.uint64(low % (1 << 64))).astype(np.int64)


def _signed_bytes(value: int) -> int:
    """The fewest bytes of two's complement; none for 0."""
    if value == 0:
        return 0
    return ((value if value >= 0 else ~value).bit_length() + 8) // 8
