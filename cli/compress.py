"""vaecodec compress: an image file in, a stream out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from .files import STANDARD, check_target, naming, print_json, read_bytes, say, write_bytes

if TYPE_CHECKING:
    from vaecodec.runtime.codec import Codec

MAX_IMAGE_FILE_BYTES = 1 << 26  # images of at most 256x256 pixels: whatever is larger is something else


@click.command()
@click.argument("source", metavar="IN")
@click.argument("target", metavar="OUT")
@click.option("--model", metavar="NAME|FILE", help="The model; without it, the alias for the image's size.")
@click.option("--force", is_flag=True, help="Overwrite OUT.")
@click.option("--json", "as_json", is_flag=True, help="Print what was written as JSON.")
def command(source: str, target: str, model: str | None, force: bool, as_json: bool) -> None:
    """Compress the image IN (PNG, WebP, ...) into the stream OUT.

    The image must be grey: 8-bit or 1-bit grey, or colour whose channels agree. An image smaller than the model's
    geometry is padded, which needs an explicit --model.
    """
    if as_json and target == STANDARD:
        raise click.UsageError("--json and the stream cannot both go to standard output")
    check_target(target, force)
    from io import BytesIO

    from vaecodec.errors import UnreadableImage
    from vaecodec.runtime.images import read_grey

    from .choose import codec_for_image

    with naming(source):
        data = read_bytes(source, MAX_IMAGE_FILE_BYTES)
        if len(data) > MAX_IMAGE_FILE_BYTES:
            raise UnreadableImage(f"larger than {MAX_IMAGE_FILE_BYTES} bytes: too large for any model")
        pixels = read_grey(BytesIO(data))
    codec = codec_for_image(pixels.shape, model)
    with naming(source):
        stream = codec.compress(pixels)
    write_bytes(target, stream, force=force)
    if as_json:
        _print_report(codec, stream, target, pixels.shape)
    else:
        bpp = 8 * len(stream) / pixels.size
        say(f"{source} -> {target}: {len(stream)} bytes, {bpp:.3f} bits per pixel, model {codec.model.name}")


def _print_report(codec: Codec, stream: bytes, target: str, shape: tuple[int, ...]) -> None:
    parsed, symbols = codec.parse(stream)
    print_json(
        {
            "output": target,
            "model": codec.model.name,
            "fingerprint": codec.fingerprint.hex(),
            "height": shape[0],
            "width": shape[1],
            "file_bytes": len(stream),
            "file_bpp": 8 * len(stream) / (shape[0] * shape[1]),
            "payload_bytes": len(parsed.payload),
            "information_bits": float(codec.information_bits(symbols[None], parsed.coding)[0]),
        }
    )
