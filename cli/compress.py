"""vaecodec compress: an image file in, a stream out."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import click

from .completion import complete_files
from .fidelity import Fidelity
from .files import STANDARD, check_target, naming, print_json, say, warn, write_bytes
from .options import model_option, parse_target, quiet_option, target_options
from .pictures import read_picture
from .windows import WindowCommand, parse_window, window_fields, window_options, words_of_window

if TYPE_CHECKING:
    from vaecodec.codec.choice import Chosen
    from vaecodec.codec.picture import Picture


@click.command(cls=WindowCommand)
@click.argument("source", metavar="IN", shell_complete=complete_files)
@click.argument("target", metavar="OUT", shell_complete=complete_files)
@model_option("The model; without it, the best one for the image.")
@click.option("--strip", is_flag=True, help="Leave out the ICC profile, EXIF and XMP.")
@click.option("-f", "--force", is_flag=True, help="Overwrite OUT.")
@click.option("--verify/--no-verify", default=True, help="Decode what was written, and say how good it is (default).")
@click.option("--json", "as_json", is_flag=True, help="Print what was written as JSON.")
@window_options
@target_options
@quiet_option
def command(
    source: str,
    target: str,
    model: str | None,
    strip: bool,
    force: bool,
    verify: bool,
    as_json: bool,
    window: str | None,
    one_window: bool,
    **options: Any,
) -> None:
    """Compress the image IN (PNG, JPEG, ...) into the stream OUT, or each image of the folder IN into the folder OUT.

    Digits and sprites go to the models that know them, every other picture, of any size, to the photograph model. It
    keeps alpha, ICC profile, EXIF and XMP. A model of one geometry takes images that are smaller, padded, if --model
    names it. At most one of the options for size and quality may be given. Of a folder the tree is mirrored, one
    stream .vae for each image; a file that fails is named, and the rest goes on. Pictures of more than 8 bits need a
    --window; decompress --restore-window gives such values again.
    """
    wanted, asked = parse_target(options), parse_window(window)
    if one_window and (asked is None or not os.path.isdir(source)):
        raise click.UsageError("--one-window: of a folder's pictures, with --window")
    if os.path.isdir(source):
        from .compress_folder import compress_folder

        compress_folder(
            source,
            target,
            model,
            wanted,
            strip=strip,
            force=force,
            verify=verify,
            as_json=as_json,
            window=asked,
            one_window=one_window,
        )
        return
    if as_json and target == STANDARD:
        raise click.UsageError("--json and the stream cannot both go to standard output")
    check_target(target, force)
    from .choose import Codecs

    with naming(source):
        picture = read_picture(source, strip=strip, window=asked)
        (chosen,) = Codecs(model, exact=wanted.exact).compress([picture], wanted)
        fidelity = Fidelity.of_picture(chosen.codec.decompress(chosen.stream), picture) if verify else Fidelity()
    write_bytes(target, chosen.stream, force=force)
    from .misfit import Misfits

    warnings = Misfits().warnings(chosen, picture, fidelity)
    if as_json:
        _print_report(chosen, target, picture, fidelity, warnings)
    else:
        size_bytes, pixels = len(chosen.stream), picture.size[0] * picture.size[1]
        quality = f", {fidelity.words}" if verify else ""
        said = f"{size_bytes} bytes, {8 * size_bytes / pixels:.3f} bits per pixel{quality}"
        windowed = f", {words}" if (words := words_of_window(picture)) else ""
        say(f"{source} -> {target}: {said}{windowed}, model {chosen.codec.model.name}")
    if asked is not None and picture.window is None:
        say(f"vaecodec: note: {source}: has 8 bits, which need no window, and is coded as it is")
    for warning in warnings:
        warn(f"vaecodec: warning: {source}: {warning}")


def _print_report(chosen: Chosen, target: str, picture: Picture, fidelity: Fidelity, warnings: list[str]) -> None:
    from vaecodec.codec.stream_report import summarise

    found, model = summarise(chosen.codec, chosen.stream), chosen.codec.model
    height, width = picture.size
    print_json(
        {
            "output": target,
            "model": model.name,
            "fingerprint": chosen.codec.fingerprint.hex(),
            "height": height,
            "width": width,
            "kind": found.kind,
            "level": found.level,
            "beta": None if found.level is None else model.betas[found.level],
            "max_error": found.max_error,
            **fidelity.fields(),
            **window_fields(picture),
            "file_bytes": len(chosen.stream),
            "file_bpp": 8 * len(chosen.stream) / (height * width),
            "payload_bytes": found.payload_bytes,
            "information_bits": found.information_bits,
            "warnings": warnings,
        }
    )
