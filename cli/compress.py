"""vaecodec compress: an image file in, a stream out."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import click

from .files import STANDARD, check_target, naming, print_json, read_bytes, say, write_bytes
from .options import parse_target, target_options

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from vaecodec.runtime.codec import Codec

MAX_IMAGE_FILE_BYTES = 1 << 26  # images of at most 256x256 pixels: whatever is larger is something else


@click.command()
@click.argument("source", metavar="IN")
@click.argument("target", metavar="OUT")
@click.option("--model", metavar="NAME|FILE", help="The model; without it, the alias for the image's size.")
@click.option("--force", is_flag=True, help="Overwrite OUT.")
@click.option("--verify/--no-verify", default=True, help="Decode what was written, and say how good it is (default).")
@click.option("--json", "as_json", is_flag=True, help="Print what was written as JSON.")
@target_options
def command(
    source: str, target: str, model: str | None, force: bool, verify: bool, as_json: bool, **options: Any
) -> None:
    """Compress the image IN (PNG, WebP, ...) into the stream OUT.

    The image must be grey: 8-bit or 1-bit grey, or colour whose channels agree. An image smaller than the model's
    geometry is padded, which needs an explicit --model. At most one of the options for size and quality may be given.
    """
    wanted = parse_target(options)
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
        stream = codec.compress_batch([pixels], target=wanted)[0]
        psnr_db = _verified_psnr(codec, stream, pixels) if verify else None
    write_bytes(target, stream, force=force)
    if as_json:
        _print_report(codec, stream, target, pixels.shape, psnr_db)
    else:
        bpp = 8 * len(stream) / pixels.size
        quality = "" if psnr_db is None else f", {psnr_db:.2f} dB"
        say(f"{source} -> {target}: {len(stream)} bytes, {bpp:.3f} bits per pixel{quality}, model {codec.model.name}")


def _verified_psnr(codec: Codec, stream: bytes, pixels: NDArray[np.uint8]) -> float:
    """PSNR in dB of what the stream decodes to; infinite where that is the image itself."""
    import numpy as np

    error = float(np.square(codec.decompress(stream).astype(np.float64) - pixels).mean())
    return 10 * math.log10(255**2 / error) if error else math.inf


def _print_report(codec: Codec, stream: bytes, target: str, shape: tuple[int, ...], psnr_db: float | None) -> None:
    parsed, symbols = codec.parse(stream)
    print_json(
        {
            "output": target,
            "model": codec.model.name,
            "fingerprint": codec.fingerprint.hex(),
            "height": shape[0],
            "width": shape[1],
            "level": parsed.coding,
            "beta": codec.model.levels[parsed.coding].beta,
            "psnr_db": None if psnr_db is None or math.isinf(psnr_db) else psnr_db,
            "file_bytes": len(stream),
            "file_bpp": 8 * len(stream) / (shape[0] * shape[1]),
            "payload_bytes": len(parsed.payload),
            "information_bits": float(codec.information_bits(symbols[None], parsed.coding)[0]),
        }
    )
