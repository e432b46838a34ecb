"""vaecodec decompress: a stream in, an image file out. Start-up decides its time: it imports only what it uses."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import click

from .files import STANDARD, check_target, naming, read_bytes, say, write_bytes

if TYPE_CHECKING:
    from vaecodec.arrays import Pixels

DEFAULT_SUFFIX = ".png"
# Where a format can keep the pixels as they are, it must.
EXACT: dict[str, dict[str, Any]] = {
    ".webp": {"lossless": True},
    ".jxl": {"lossless": True},
    ".avif": {"quality": 100},
    ".jpg": {"quality": 95},
    ".jpeg": {"quality": 95},
}


@click.command()
@click.argument("source", metavar="IN")
@click.argument("target", metavar="[OUT]", required=False)
@click.option("--model", metavar="NAME|FILE", help="The model; without it, the installed one that made the stream.")
@click.option("--force", is_flag=True, help="Overwrite OUT.")
def command(source: str, target: str | None, model: str | None, force: bool) -> None:
    """Decompress the stream IN into the image OUT, or each stream .vae of the folder IN into the folder OUT.

    OUT's suffix chooses the format (.png, .webp, .tiff, .pgm, ...); without OUT it is IN with the suffix .png. To
    standard output goes a PNG. Of a folder the tree is mirrored, one PNG for each stream, beside the streams without
    OUT; a file that fails is named, and the rest goes on.
    """
    if os.path.isdir(source):
        from .decompress_folder import decompress_folder

        decompress_folder(source, source if target is None else target, model, force=force)
        return
    if target is None:
        target = STANDARD if source == STANDARD else os.path.splitext(source)[0] + DEFAULT_SUFFIX
    check_target(target, force)
    from vaecodec.bitstream.limits import MAX_STREAM_BYTES

    from .choose import codec_for_stream

    with naming(source):
        data = read_bytes(source, MAX_STREAM_BYTES)
        codec = codec_for_stream(data, model)
        pixels = codec.decompress(data)
    write_bytes(target, image_file(pixels, target), force=force)
    say(f"{source} -> {target}: {pixels.shape[0]}x{pixels.shape[1]} pixels, model {codec.model.name}")


def image_file(pixels: Pixels, target: str) -> bytes:
    """The bytes of an image file in the format of the target's suffix. Raises OutputError."""
    from io import BytesIO

    from PIL import Image

    from vaecodec.errors import OutputError

    suffix = os.path.splitext(target)[1].lower() or DEFAULT_SUFFIX
    if suffix == ".jxl":
        import_jxl()
    buffer = BytesIO()
    buffer.name = f"image{suffix}"  # given a name and no format, Pillow loads one plugin instead of five
    try:
        Image.fromarray(pixels).save(buffer, **EXACT.get(suffix, {}))
    except Exception as error:  # Pillow raises ValueError, KeyError, OSError, ... for formats it cannot write
        raise OutputError(f"{target}: Pillow cannot write {suffix} of a grey image ({error}); try .png") from error
    return buffer.getvalue()


def import_jxl() -> None:
    """Pillow learns JPEG XL from a package of the `bench` extra."""
    from vaecodec.errors import OutputError

    try:
        import pillow_jxl  # noqa: F401
    except ImportError as error:
        raise OutputError("JPEG XL needs another package: pip install pillow-jxl-plugin") from error
