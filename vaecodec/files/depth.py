"""How many bits a channel of a picture's file has, where Pillow gives 8 of them and drops the rest without a word.

Pillow's modes for more than 8 bits are grey alone (I;16, I, F). A file of 16-bit colour opens as RGB, cut to its high
bytes. What the file holds is still told by the way in which Pillow is about to read it, or by the file's own header:

    PNG, TIFF      the raw mode to be read: "RGB;16B", "LA;16B", …        ("BGR;16" is 16 bits a pixel, not a channel)
    PPM            the raw mode, and the largest value                    (PPM's are the decoder's arguments)
    SGI            the decoder, SGI16
    JPEG 2000      Ssiz in the codestream's SIZ segment                   (ISO/IEC 15444-1, A.5.1)
    AVIF           high_bitdepth and twelve_bit in the box av1C           (AV1 in ISOBMFF, 2.3)
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from PIL import Image

BYTE = 8
HEAD_BYTES = 1 << 16  # where the headers of JPEG 2000 and AVIF files lie
_RAW_MODE = re.compile(r"(?:L|LA|La|RGB|RGBA|RGBa|RGBX|CMYK|YCbCr|LAB);(\d+)")
_SIZ_TO_CSIZ, _SIZ_TO_SSIZ = 36, 38  # bytes from the marker FF51 to the number of components, and to their depths


def bits_a_channel(image: Image.Image) -> int:
    """Bits of the widest channel that the file of an image has, 8 where nothing says more.

    image: as Image.open() gives it; once its pixels are loaded, the file is looked at again if it has a path.
    """
    tiles = getattr(image, "tile", None)
    if tiles:
        deepest = max(_bits_of_tile(tile) for tile in tiles)
        if deepest > BYTE:
            return deepest
    if image.format in _BITS_IN_HEADER:
        return _BITS_IN_HEADER[image.format](_head(image))
    path = getattr(image, "filename", "")
    if tiles or not path or image.format is None:
        return BYTE
    from PIL import Image as module

    try:
        with module.open(path) as again:
            return bits_a_channel(again) if again.format == image.format and getattr(again, "tile", None) else BYTE
    except OSError:  # gone since
        return BYTE


def _bits_of_tile(tile: tuple[object, ...]) -> int:
    """tile: Pillow's (decoder, box, offset, arguments)."""
    decoder, arguments = tile[0], tile[3]
    if decoder == "SGI16":
        return 16
    parts = arguments if isinstance(arguments, tuple) else (arguments,)
    if decoder == "ppm" and len(parts) > 1 and isinstance(parts[1], int):
        return max(parts[1].bit_length(), BYTE)
    found = _RAW_MODE.match(parts[0]) if parts and isinstance(parts[0], str) else None
    return max(int(found[1]), BYTE) if found else BYTE


def _head(image: Image.Image) -> bytes:
    """The first bytes of an image's file, as far as it can be reached."""
    file: IO[bytes] | None = getattr(image, "fp", None)
    if file is not None and not file.closed:
        place = file.tell()
        file.seek(0)
        head = file.read(HEAD_BYTES)
        file.seek(place)
        return head
    try:
        with open(getattr(image, "filename", ""), "rb") as again:
            return again.read(HEAD_BYTES)
    except OSError:
        return b""


def _bits_of_jpeg_2000(head: bytes) -> int:
    start = head.find(b"\xff\x4f\xff\x51")
    if start < 0:
        return BYTE
    marker = start + 4
    count = int.from_bytes(head[marker + _SIZ_TO_CSIZ : marker + _SIZ_TO_SSIZ], "big")
    depths = head[marker + _SIZ_TO_SSIZ : marker + _SIZ_TO_SSIZ + 3 * count : 3]
    return max([BYTE, *((one & 0x7F) + 1 for one in depths)])


def _bits_of_avif(head: bytes) -> int:
    deepest, start = BYTE, head.find(b"av1C")
    while 0 <= start < len(head) - 6:
        flags = head[start + 6]
        deepest = max(deepest, 12 if flags & 0x20 else 10 if flags & 0x40 else BYTE)
        start = head.find(b"av1C", start + 4)
    return deepest


_BITS_IN_HEADER: dict[str, Callable[[bytes], int]] = {"AVIF": _bits_of_avif, "JPEG2000": _bits_of_jpeg_2000}
