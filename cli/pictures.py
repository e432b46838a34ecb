"""Pictures and streams as files: a picture out of any image file, image files out of pictures, and their suffixes.

image file ──Pillow──> Picture ──codec──> stream .vae ──codec──> Picture ──Pillow──> image file .png
"""

from __future__ import annotations

import os
from typing import IO, TYPE_CHECKING, Any

from .files import STANDARD, read_bytes

if TYPE_CHECKING:
    from vaecodec.codec.picture import Picture
    from vaecodec.codec.window import WindowLike

MAX_PIPED_BYTES = 1 << 28  # of an image file that comes through a pipe, which is read whole
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
KEEPING = frozenset({".avif", ".jxl", ".png", ".tif", ".tiff", ".webp"}) | JPEG_SUFFIXES  # ICC profile, EXIF and XMP
RESIZING = frozenset({".icns", ".ico"})  # Pillow writes these in sizes of its own choice


def read_picture(source: str, *, strip: bool = False, window: WindowLike | None = None) -> Picture:
    """The picture of an image file, or of standard input for `-`; strip: without ICC profile, EXIF and XMP.

    window: for values of more than 8 bits, as vaecodec.codec.picture has it. Raises OSError, ImageError's children.
    """
    from io import BytesIO

    from vaecodec.errors import UnreadableImage

    if source != STANDARD and os.path.isfile(source):
        return read_picture_file(source, strip=strip, window=window)
    data = read_bytes(source, MAX_PIPED_BYTES)
    if len(data) > MAX_PIPED_BYTES:
        raise UnreadableImage(f"larger than {MAX_PIPED_BYTES} bytes: an image as large as that is read from a file")
    return read_picture_file(BytesIO(data), strip=strip, window=window)


def read_picture_file(file: str | IO[bytes], *, strip: bool = False, window: WindowLike | None = None) -> Picture:
    """read_picture() of a regular file alone, or of bytes in memory. Raises OSError, ImageError's children."""
    from dataclasses import replace

    from PIL import Image

    from vaecodec.codec import picture

    Image.MAX_IMAGE_PIXELS = None  # picture.py has a limit of its own, of which nobody is warned at half the way
    found = picture.read_picture(file, window)
    return replace(found, chunks={}) if strip else found


def image_file(picture: Picture, target: str) -> bytes:
    """The bytes of an image file in the format of the target's suffix; what comes with a picture is kept if it can be.

    Raises OutputError.
    """
    from io import BytesIO

    from vaecodec.codec.picture import to_pil
    from vaecodec.errors import OutputError

    suffix = os.path.splitext(target)[1].lower() or DEFAULT_SUFFIX
    if suffix in RESIZING:
        raise OutputError(f"{target}: {suffix} would keep another size; try .png")
    if suffix == ".jxl":
        _import_jxl()
    options = JPEG_OPTIONS if suffix in JPEG_SUFFIXES else EXACT_OPTIONS.get(suffix, {})
    buffer = BytesIO()
    buffer.name = f"image{suffix}"  # given a name and no format, Pillow loads one plugin instead of five
    pillow = to_pil(picture)
    try:
        pillow.save(buffer, **options, **_kept(picture, suffix))
    except Exception as error:  # Pillow raises ValueError, KeyError, OSError, ... for formats it cannot write
        what = {"L": "a grey image", "RGB": "an image in colour"}.get(pillow.mode, "an image with transparency")
        raise OutputError(f"{target}: Pillow cannot write {suffix} of {what} ({error}); try .png") from error
    return buffer.getvalue()


def _kept(picture: Picture, suffix: str) -> dict[str, Any]:
    """What Pillow's save() must be given so that the file holds what came with the pixels."""
    if not picture.chunks:
        return {}
    from PIL import Image

    from vaecodec.codec.metadata import saving_options

    return saving_options(picture.chunks, Image.registered_extensions().get(suffix, ""))


def left_out(picture: Picture, target: str) -> list[str]:
    """Names of what comes with a picture and the format of the target's suffix does not hold."""
    suffix = os.path.splitext(target)[1].lower() or DEFAULT_SUFFIX
    return [] if suffix in KEEPING else sorted(picture.chunks)


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
