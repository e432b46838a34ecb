"""vaecodec decompress: a stream in, an image file out. Start-up decides its time: it imports only what it uses."""

from __future__ import annotations

import os

import click

from .completion import complete_files
from .files import STANDARD, check_target, naming, read_bytes, say, write_bytes
from .options import model_option, quiet_option
from .pictures import DEFAULT_SUFFIX, image_file, is_lossy, left_out


@click.command()
@click.argument("source", metavar="IN", shell_complete=complete_files)
@click.argument("target", metavar="[OUT]", required=False, shell_complete=complete_files)
@model_option("The model; without it, the installed one that made the stream.")
@click.option("-f", "--force", is_flag=True, help="Overwrite OUT.")
@quiet_option
def command(source: str, target: str | None, model: str | None, force: bool) -> None:
    """Decompress the stream IN into the image OUT, or each stream .vae of the folder IN into the folder OUT.

    OUT's suffix chooses the format (.png, .webp, .tiff, .pgm, ...); without OUT it is IN with the suffix .png. To
    standard output goes a PNG. What came with a photograph's pixels is written too: alpha, ICC profile, EXIF and XMP.
    Of a folder the tree is mirrored, one PNG for each stream, beside the streams without OUT; a file that fails is
    named, and the rest goes on.
    """
    if os.path.isdir(source):
        from .decompress_folder import decompress_folder

        decompress_folder(source, source if target is None else target, model, force=force)
        return
    if target is None:
        target = STANDARD if source == STANDARD else os.path.splitext(source)[0] + DEFAULT_SUFFIX
    check_target(target, force)
    from vaecodec.bitstream.limits import MAX_STREAM_BYTES

    from .choose import Codecs, decoded

    with naming(source):
        data = read_bytes(source, MAX_STREAM_BYTES)
        codec = Codecs(model).for_stream(data)
        (picture,) = decoded(codec, [data])
    write_bytes(target, image_file(picture, target), force=force)
    height, width = picture.size
    say(f"{source} -> {target}: {height}x{width} pixels, model {codec.model.name}")
    if lost := left_out(picture, target):
        say(f"vaecodec: note: {target}: this format does not keep {', '.join(lost)}; .png does")
    if is_lossy(target):
        say(f"vaecodec: note: {target}: this format changes the pixels a little; .png keeps them")
