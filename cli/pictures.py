"""Pictures and streams as files: pixels out of any image file, image files out of pixels, and their suffixes.

image file ──Pillow──> pixels, (h, w) or (h, w, 3) ──codec──> stream .vae ──codec──> pixels ──Pillow──> image file .png
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from .files import read_bytes

if TYPE_CHECKING:
    from vaecodec.arrays import Pixels

MAX_IMAGE_FILE_BYTES = 1 << 26  # images of at most 256x256 pixels: whatever is larger is something else
STREAM_SUFFIX = ".vae"
DEFAULT_SUFFIX = ".png"
# What Pillow must be told so that a format keeps the pixels as they are; .png, .tiff, .pgm, ... need not be told.
EXACT_OPTIONS: dict[str, dict[str, Any]] = {
    ".avif": {"quality": 100},
    ".jxl": {"lossless": True},
    ".webp": {"lossless": True},
}
JPEG_SUFFIXES = frozenset({".jfif", ".jpe", ".jpeg", ".jpg", ".mpo"})
JPEG_OPTIONS: dict[str, Any] = {"quality": 95}  # JPEG cannot keep the pixels: here no eye sees a difference
RESIZING = frozenset({".icns", ".ico"})  # Pillow writes these in sizes of its own choice


def read_pixels(source: str) -> Pixels:
    """The pixels (h, w), or (h, w, 3) in colour, of an image file, or of standard input for `-`.

    Raises OSError, ImageError's children.
    """
    from io import BytesIO

    from vaecodec.codec import images
    from vaecodec.errors import UnreadableImage

    data = read_bytes(source, MAX_IMAGE_FILE_BYTES)
    if len(data) > MAX_IMAGE_FILE_BYTES:
        raise UnreadableImage(f"larger than {MAX_IMAGE_FILE_BYTES} bytes: too large for any model")
    return images.read_pixels(BytesIO(data))


def image_file(pixels: Pixels, target: str) -> bytes:
    """The bytes of an image file in the format of the target's suffix. Raises OutputError."""
    from io import BytesIO

    from PIL import Image

    from vaecodec.errors import OutputError

    suffix = os.path.splitext(target)[1].lower() or DEFAULT_SUFFIX
    if suffix in RESIZING:
        raise OutputError(f"{target}: {suffix} would keep another size; try .png")
    if suffix == ".jxl":
        _import_jxl()
    options = JPEG_OPTIONS if suffix in JPEG_SUFFIXES else EXACT_OPTIONS.get(suffix, {})
    buffer = BytesIO()
    buffer.name = f"image{suffix}"  # given a name and no format, Pillow loads one plugin instead of five
    try:
        Image.fromarray(pixels).save(buffer, **options)
    except Exception as error:  # Pillow raises ValueError, KeyError, OSError, ... for formats it cannot write
        raise OutputError(f"{target}: Pillow cannot write {suffix} of a grey image ({error}); try .png") from error
    return buffer.getvalue()


def is_lossy(target: str) -> bool:
    """Whether the format of the target's suffix changes the pixels."""
    return os.path.splitext(target)[1].lower() in JPEG_SUFFIXES


def _import_jxl() -> None:
    """Pillow learns JPEG XL from a package of the `bench` extra."""
    from vaecodec.errors import OutputError

    try:
        import pillow_jxl  # noqa: F401
    except ImportError as error:
        raise OutputError("JPEG XL needs another package: pip install pillow-jxl-plugin") from error
