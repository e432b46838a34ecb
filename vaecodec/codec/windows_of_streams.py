"""The window of a stream of any version, and what its pixels stand for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vaecodec.bitstream.picture_stream import is_picture_stream, unpack_picture
from vaecodec.bitstream.stream import STREAM_MAGIC, WINDOWED_VERSION, unpack

if TYPE_CHECKING:
    from vaecodec.arrays import Pixels
    from vaecodec.bitstream.window import Values, Window


def window_of(data: bytes | memoryview) -> Window | None:
    """Of the values that a stream's picture was made of, None where it was made of pixels.

    Its structure is checked, its integrity is not: decompressing does that. Raises FormatError's children.
    """
    if is_picture_stream(data):
        return unpack_picture(data).window
    return unpack(data).window if len(data) and data[0] == STREAM_MAGIC | WINDOWED_VERSION else None


def restored(pixels: Pixels, data: bytes | memoryview) -> Values:
    """What the decoded pixels of a stream stand for: values of its window's dtype, or themselves without a window."""
    window = window_of(data)
    return pixels if window is None else window.restore(pixels)
