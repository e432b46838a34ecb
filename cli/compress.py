"""vaecodec compress: an image file in, a stream out."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import click

from .fidelity import Fidelity
from .files import STANDARD, check_target, naming, print_json, say, write_bytes
from .options import parse_target, target_options
from .pictures import read_pixels

if TYPE_CHECKING:
    from vaecodec.codec.codec import Codec


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
    """Compress the image IN (PNG, WebP, ...) into the stream OUT, or each image of the folder IN into the folder OUT.

    An image must be grey: 8-bit or 1-bit grey, or colour whose channels agree. An image smaller than the model's
    geometry is padded, which needs an explicit --model. At most one of the options for size and quality may be given.
    Of a folder the tree is mirrored, one stream .vae for each image; a file that fails is named, and the rest goes on.
    """
    wanted = parse_target(options)
    if os.path.isdir(source):
        from .compress_folder import compress_folder

        compress_folder(source, target, model, wanted, force=force, verify=verify, as_json=as_json)
        return
    if as_json and target == STANDARD:
        raise click.UsageError("--json and the stream cannot both go to standard output")
    check_target(target, force)
    from .choose import codec_for_image

    with naming(source):
        pixels = read_pixels(source)
    codec = codec_for_image(pixels.shape, model, exact=wanted.exact)
    with naming(source):
        stream = codec.compress_batch([pixels], target=wanted)[0]
        own = codec.frame.fit(pixels).pixels  # of as many channels as what is decoded
        fidelity = Fidelity.of(codec.decompress(stream), own) if verify else Fidelity()
    write_bytes(target, stream, force=force)
    from .misfit import Misfits

    warnings = Misfits().warnings(codec, stream, pixels, fidelity)
    if as_json:
        _print_report(codec, stream, target, pixels.shape, fidelity, warnings)
    else:
        bpp = 8 * len(stream) / (pixels.shape[0] * pixels.shape[1])
        quality = f", {fidelity.words}" if verify else ""
        say(f"{source} -> {target}: {len(stream)} bytes, {bpp:.3f} bits per pixel{quality}, model {codec.model.name}")
    for warning in warnings:
        say(f"vaecodec: warning: {source}: {warning}")


def _print_report(
    codec: Codec, stream: bytes, target: str, shape: tuple[int, ...], fidelity: Fidelity, warnings: list[str]
) -> None:
    from vaecodec.codec.stream_report import report_streams

    (found,) = report_streams(codec, [stream])
    print_json(
        {
            "output": target,
            "model": codec.model.name,
            "fingerprint": codec.fingerprint.hex(),
            "height": shape[0],
            "width": shape[1],
            "kind": found.kind,
            "level": found.level,
            "beta": None if found.level is None else codec.model.levels[found.level].beta,
            "max_error": found.stream.max_error if found.level is None else None,
            **fidelity.fields(),
            "file_bytes": len(stream),
            "file_bpp": 8 * len(stream) / (shape[0] * shape[1]),
            "payload_bytes": len(found.stream.payload),
            "information_bits": found.information_bits,
            "warnings": warnings,
        }
    )
