"""Stored pixels: what an image is written as where coding does not make it smaller, or cannot code it.

pixels (h, w) ──all of 0 or 255──> a bit each, row by row, the last byte filled up with zeros
              ──otherwise────────> a byte each, row by row
"""

from __future__ import annotations

import numpy as np

from vaecodec.arrays import Pixels, Size
from vaecodec.bitstream.stream import CODING_STORED, CODING_STORED_BITS
from vaecodec.errors import NotCanonical, TrailingData, Truncated


def stored_coding(image: Pixels) -> int:
    """How an image (h, w) is stored."""
    return CODING_STORED_BITS if _has_bits_only(image) else CODING_STORED


def stored_bytes(coding: int, size: Size) -> int:
    """Bytes of a stored image of (height, width)."""
    pixels = size[0] * size[1]
    return (pixels + 7) // 8 if coding == CODING_STORED_BITS else pixels


def pack_stored(image: Pixels) -> bytes:
    """The payload of an image (h, w), to go with stored_coding()."""
    return np.packbits(image.ravel() > 0).tobytes() if _has_bits_only(image) else image.tobytes()


def unpack_stored(coding: int, payload: bytes, size: Size) -> Pixels:
    """The image (height, width). Raises Truncated, TrailingData, NotCanonical."""
    expected = stored_bytes(coding, size)
    if len(payload) != expected:
        kind = Truncated if len(payload) < expected else TrailingData
        raise kind(f"stored pixels: {size[0]}x{size[1]} take {expected} bytes, found {len(payload)}")
    values = np.frombuffer(payload, np.uint8)
    if coding == CODING_STORED:
        image = values.reshape(size).copy()
        if _has_bits_only(image):
            raise NotCanonical("stored pixels: are 0 or 255 alone, and take a bit each")
        return image
    bits = np.unpackbits(values)
    if bits[size[0] * size[1] :].any():
        raise NotCanonical("stored pixels: the last bits must be zero")
    return (bits[: size[0] * size[1]] * np.uint8(255)).reshape(size)


def _has_bits_only(image: Pixels) -> bool:
    return bool(((image == 0) | (image == 255)).all())
