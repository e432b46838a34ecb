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
@click.option("--restore-window", is_flag=True, help="Values of more than 8 bits, where a window made the pixels.")
@quiet_option
def command(source: str, target: str | None, model: str | None, force: bool, restore_window: bool) -> None:
    """Decompress the stream IN into the image OUT, or each stream .vae of the folder IN into the folder OUT.

    OUT's suffix chooses the format (.png, .webp, .tiff, .pgm, ...); without OUT it is IN with the suffix .png. To
    standard output goes a PNG. What came with a photograph's pixels is written too: alpha, ICC profile, EXIF and XMP.
    Of a folder the tree is mirrored, one PNG for each stream, beside the streams without OUT; a file that fails is
    named, and the rest goes on. With --restore-window OUT holds the values again that compress --window made pixels of,
    in their type: a .png of uint16, a .tiff of uint16, int32 or float32, a .npy of any; without OUT whichever holds
    them, and of a folder .tiff.
    """
    if os.path.isdir(source):
        from .decompress_folder import decompress_folder

        decompress_folder(
            source, source if target is None else target, model, force=force, restore_window=restore_window
        )
        return
    by_suffix = target is None and restore_window and source != STANDARD
    if target is None:
        target = STANDARD if source == STANDARD else os.path.splitext(source)[0] + DEFAULT_SUFFIX
    if not by_suffix:
        check_target(target, force)
    from vaecodec.bitstream.limits import MAX_STREAM_BYTES

    from .choose import Codecs, decoded

    with naming(source):
        stream = read_bytes(source, MAX_STREAM_BYTES)
        codec = Codecs(model).for_stream(stream)
        (picture,) = decoded(codec, [stream])
    if restore_window:
        from .windows import file_of_values, suffix_for

        target = os.path.splitext(source)[0] + suffix_for(picture) if by_suffix else target
        data = file_of_values(picture, target)
    else:
        data = image_file(picture, target)
    write_bytes(target, data, force=force)
    height, width = picture.size
    kind = f"values of {picture.window.dtype}" if restore_window and picture.window is not None else "pixels"
    say(f"{source} -> {target}: {height}x{width} {kind}, model {codec.model.name}")
    if restore_window and picture.window is None:
        say(f"vaecodec: note: {source}: has no window, and gave its pixels")
    elif picture.window is not None and not restore_window:
        say(f"vaecodec: note: {source}: pixels 0 to 255 stand for {picture.window}; --restore-window gives such values")
    if lost := left_out(picture, target):
        say(f"vaecodec: note: {target}: this format does not keep {', '.join(lost)}; .png does")
    if is_lossy(target):
        say(f"vaecodec: note: {target}: this format changes the pixels a little; .png keeps them")
