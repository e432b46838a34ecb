"""Alpha: how opaque each pixel of a picture is, as bytes without loss.

    plane (h, w) ──one value everywhere──> that value, 1 byte
                 ──differences──> (h, w) ──deflate──> [which differences, 1 byte] + raw deflate (RFC 1951)

Differences are those of a whole plane, modulo 256, so that a cumulative sum along the same axes is their inverse. A
mask of few values is smallest without them, a soft gradient with both.
"""

from __future__ import annotations

import zlib

import numpy as np

from vaecodec.arrays import Pixels, Size
from vaecodec.errors import BadField, NotCanonical, TrailingData, Truncated

ALONG_ROWS, ALONG_COLUMNS = 1, 2  # bits of the first byte
_AXES = ((ALONG_ROWS, 1), (ALONG_COLUMNS, 0))
_ALL = ALONG_ROWS | ALONG_COLUMNS
_RAW = -15  # zlib's window for a deflate stream without header and check: a stream has a check of its own
_TRIAL, _BEST = 1, 9  # zlib's levels


def pack_alpha(plane: Pixels) -> bytes:
    """The bytes of a plane uint8 (h, w), at least one pixel."""
    if (plane == plane[0, 0]).all():
        return bytes([plane[0, 0]])
    kinds = sorted(range(_ALL + 1), key=lambda kind: len(_deflated(_differences(plane, kind), _TRIAL)))
    return bytes([kinds[0]]) + _deflated(_differences(plane, kinds[0]), _BEST)


def unpack_alpha(data: bytes | memoryview, size: Size) -> Pixels:
    """The plane uint8 (height, width) of pack_alpha's bytes; never inflates more than the plane has.

    Raises Truncated, TrailingData, BadField, NotCanonical.
    """
    height, width = size
    data = bytes(data)
    if not data:
        raise Truncated("alpha: expected at least 1 byte, found none")
    if len(data) == 1:
        return np.full(size, data[0], np.uint8)
    if data[0] > _ALL:
        raise BadField(f"alpha: differences of kind {data[0]}, expected 0..{_ALL}")
    plane = np.frombuffer(_inflated(data[1:], height * width), np.uint8).reshape(size)
    for bit, axis in _AXES:
        if data[0] & bit:
            plane = np.cumsum(plane, axis=axis, dtype=np.uint8)
    if (plane == plane[0, 0]).all():
        raise NotCanonical(f"alpha: {len(data)} bytes for a plane of one value, which takes 1")
    return plane


def _differences(plane: Pixels, kind: int) -> Pixels:
    """Of each value and the one before it, modulo 256, along the axes of the kind; the first are kept."""
    for bit, axis in _AXES:
        if kind & bit:
            plane = np.diff(plane, axis=axis, prepend=np.uint8(0))
    return plane


def _deflated(plane: Pixels, level: int) -> bytes:
    packer = zlib.compressobj(level, zlib.DEFLATED, _RAW)
    return packer.compress(np.ascontiguousarray(plane).data) + packer.flush()


def _inflated(data: bytes, size_bytes: int) -> bytes:
    """Exactly so many bytes. Raises Truncated, TrailingData, BadField."""
    unpacker = zlib.decompressobj(_RAW)
    try:
        plane = unpacker.decompress(data, size_bytes)
        more = unpacker.decompress(unpacker.unconsumed_tail, 1)  # also reads the end of the deflate stream
    except zlib.error as error:
        raise BadField(f"alpha: not a deflate stream ({error})") from error
    if more or unpacker.unused_data:
        raise TrailingData(f"alpha: more bytes than {size_bytes} pixels have")
    if len(plane) < size_bytes or not unpacker.eof:
        raise Truncated(f"alpha: {len(plane)} of {size_bytes} pixels")
    return plane
