"""vaecodec show: one stream as a picture, a page, or blocks of colour: what it decodes to, and where its bits went."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

import click

from .boundary import plain
from .completion import complete_files
from .files import check_target, naming, print_json, read_bytes, say, write_bytes
from .options import model_option, quiet_option
from .subjects import require_report

if TYPE_CHECKING:
    from vaecodec.evaluation.figures.stream import StreamView

SUFFIXES = (".html", ".png", ".svg")
SHOWN_LATENTS = 20
COLUMNS = 80


@click.command()
@click.argument("source", metavar="FILE", shell_complete=complete_files)
@click.option(
    "-o",
    "--out",
    shell_complete=complete_files,
    metavar="OUT",
    help="A .png or .svg, or a page .html; without it the terminal.",
)
@click.option(
    "--original",
    shell_complete=complete_files,
    metavar="IMAGE",
    help="The image that was compressed: its error is shown too.",
)
@model_option("The model of the stream, where it is not installed.")
@click.option("-f", "--force", is_flag=True, help="Overwrite OUT.")
@click.option("--json", "as_json", is_flag=True, help="Print the numbers as JSON, and no picture.")
@quiet_option
def command(source: str, out: str | None, original: str | None, model: str | None, force: bool, as_json: bool) -> None:
    """Show the stream FILE: its picture, the original and the error where --original is given, and where the bits went.

    In a terminal pictures are blocks of colour. OUT needs the extra: pip install 'vaecodec[report]'.
    """
    suffix = "" if out is None else os.path.splitext(out)[1].lower()
    if out is not None:
        if suffix not in SUFFIXES:
            raise click.UsageError(f"-o {out}: expected one of {', '.join(SUFFIXES)}")
        require_report()
        check_target(out, force)
    view = read_view(source, original, model)
    if as_json:
        print_json(numbers_of(view))
    if out is not None:
        write_bytes(out, picture_of(view, suffix), force=force)
        say(f"{source} -> {out}")
    elif not as_json:
        _print(view)


def read_view(source: str, original: str | None, model: str | None) -> StreamView:
    """Raises OSError, FormatError's children, ModelNotFound, ImageError's children."""
    from vaecodec.bitstream.limits import MAX_STREAM_BYTES
    from vaecodec.codec.codec import Codec
    from vaecodec.codec.images import pixels_for
    from vaecodec.codec.photograph import shown
    from vaecodec.codec.special import special_pixels
    from vaecodec.evaluation.figures.stream import view_stream

    from .choose import Codecs
    from .pictures import read_picture

    with naming(source):
        data = read_bytes(source, MAX_STREAM_BYTES)
        codec = Codecs(model).for_stream(data)
        codec.decompress(data)
    if original is None:
        return view_stream(os.path.basename(source), codec, data)
    with naming(original):
        picture = read_picture(original)
        if isinstance(codec, Codec):
            pixels = pixels_for(special_pixels(picture), codec.channels)
        else:
            pixels = shown(picture.pixels, codec.receive(data).grey)
        return view_stream(os.path.basename(source), codec, data, pixels)


def picture_of(view: StreamView, suffix: str) -> bytes:
    """A page, or both figures of the stream below each other."""
    from vaecodec.evaluation.figures.stream import stream_bits, stream_pictures

    if suffix == ".html":
        from vaecodec.evaluation.report.page import render
        from vaecodec.evaluation.report.stream import stream_report

        return render(stream_report(view)).encode("utf-8")
    from vaecodec.evaluation.figures.drawing import draw_below_each_other

    return draw_below_each_other(stream_pictures(view), stream_bits(view), svg=suffix == ".svg")


def numbers_of(view: StreamView) -> dict[str, object]:
    """For JSON."""
    return {
        "model": view.model,
        "kind": view.kind,
        "level": view.level,
        "file_bytes": view.file_bytes,
        "payload_bytes": view.payload_bytes,
        "information_bits": view.bits,
        "psnr_db": view.psnr_db,
        "spent_bits": dict(view.spent),
        "latent_bits": {str(latent): bits for latent, bits in view.latent_bits},
    }


def _print(view: StreamView) -> None:
    from vaecodec.evaluation.figures.stream import stream_pictures

    from .blocks import bars, blocks

    columns = shutil.get_terminal_size((COLUMNS, 24)).columns
    level = "" if view.level is None else f", level {view.level}"
    click.echo(f"{plain(view.name)}: {view.file_bytes} bytes, {plain(view.model)}, {view.kind}{level}")
    (row,) = stream_pictures(view).rows
    names = row.heading.split(", ")
    for name, tile in zip(names, row.tiles, strict=True):
        if len(names) > 1:
            click.echo(f"{name} {tile.caption}".strip())
        for line in blocks(tile.pixels, columns):
            click.echo(line)
    parts = [(f"latent {latent}", bits) for latent, bits in view.latent_bits] or list(view.spent)
    click.echo(f"{view.bits:.1f} bits of information in {8 * view.payload_bytes} bits of payload")
    for line in bars(parts[:SHOWN_LATENTS], columns):
        click.echo(line)
    left = parts[SHOWN_LATENTS:]
    if left:
        click.echo(f"{len(left)} more latents: {sum(bits for _, bits in left):.2f} bits")
