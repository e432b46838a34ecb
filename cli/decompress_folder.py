"""Decompress a folder: its tree mirrored, one PNG for each stream, some streams at a time."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from .choose import Codecs
from .files import STANDARD, read_bytes, say
from .mirror import Mirror
from .pictures import DEFAULT_SUFFIX, STREAM_SUFFIX, image_file
from .progress import Progress

if TYPE_CHECKING:
    from vaecodec.arrays import Pixels
    from vaecodec.codec.codec import Codec


def decompress_folder(source: str, target: str, model: str | None, *, force: bool) -> None:
    """Every stream below `source` into a PNG below `target`. Exit code 1 where one failed."""
    from vaecodec.bitstream.limits import MAX_STREAM_BYTES

    if target == STANDARD:
        raise click.UsageError("a folder is decompressed into a folder, not to standard output")
    codecs, progress, started, images = Codecs(model), Progress(quiet=False), time.monotonic(), 0

    def read(path: str) -> tuple[Codec, bytes]:
        data = read_bytes(path, MAX_STREAM_BYTES)
        return codecs.for_stream(data), data

    mirror = Mirror(
        source,
        target,
        suffixes={STREAM_SUFFIX},
        suffix=DEFAULT_SUFFIX,
        read=read,
        convert=_decompressed,
        pack=lambda pixels: image_file(pixels, f"image{DEFAULT_SUFFIX}"),
        force=force,
        progress=progress,
    )
    for _ in mirror.run():
        images += 1
        if progress.due():
            progress.draw(f"{images} of {len(mirror.files)} images")
    progress.clear()
    elapsed_s = time.monotonic() - started
    say(f"{source} -> {target}: {images} images, {images / max(elapsed_s, 1e-3):.0f} images/s")
    mirror.end()


def _decompressed(items: Sequence[tuple[Codec, bytes]]) -> list[Pixels]:
    """The image of each stream. Raises FormatError's children, ModelMismatch."""
    images: dict[int, Pixels] = {}
    for codec in {id(codec): codec for codec, _ in items}.values():
        places = [k for k, (one, _) in enumerate(items) if one is codec]
        images.update(zip(places, codec.decompress_batch([items[k][1] for k in places]), strict=True))
    return [images[k] for k in range(len(items))]
