"""Decompress a folder: its tree mirrored, one PNG for each stream, some streams at a time."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from vaecodec.bitstream.limits import MAX_STREAM_BYTES
from vaecodec.bitstream.picture_stream import unpack_picture

from .choose import Codecs, decoded
from .files import STANDARD, read_bytes, say
from .mirror import Mirror
from .pictures import DEFAULT_SUFFIX, STREAM_SUFFIX, image_file
from .progress import Progress
from .windows import TIFF_SUFFIXES, file_of_values

if TYPE_CHECKING:
    from vaecodec.codec.codec import AnyCodec
    from vaecodec.codec.picture import Picture


@dataclass(frozen=True, slots=True, eq=False)
class _Stream:
    """Bytes, the codec of the model that made them, and how many pixels they hold."""

    data: bytes
    codec: AnyCodec
    pixels: int


def decompress_folder(
    source: str, target: str, model: str | None, *, force: bool, restore_window: bool = False
) -> None:
    """Every stream below `source` into a PNG below `target`, or a TIFF of values. Exit code 1 where one failed."""
    if target == STANDARD:
        raise click.UsageError("a folder is decompressed into a folder, not to standard output")
    codecs, progress, started, images = Codecs(model), Progress(quiet=False), time.monotonic(), 0
    suffix, packed = (TIFF_SUFFIXES[1], file_of_values) if restore_window else (DEFAULT_SUFFIX, image_file)

    def read(path: str) -> _Stream:
        data = read_bytes(path, MAX_STREAM_BYTES)
        codec = codecs.for_stream(data)
        height, width = codec.geometry or unpack_picture(data).size
        return _Stream(data, codec, height * width)

    mirror = Mirror(
        source,
        target,
        suffixes={STREAM_SUFFIX},
        suffix=suffix,
        read=read,
        pixels=lambda stream: stream.pixels,
        convert=_decompressed,
        pack=lambda picture: packed(picture, f"image{suffix}"),
        force=force,
        progress=progress,
    )
    for _ in mirror.run():
        images += 1
        if progress.due():
            left = progress.left(images + len(mirror.failed), len(mirror.files))
            progress.draw(f"{images} of {len(mirror.files)} images{left}")
    progress.clear()
    elapsed_s = time.monotonic() - started
    say(f"{source} -> {target}: {images} images, {images / max(elapsed_s, 1e-3):.0f} images/s")
    mirror.end()


def _decompressed(streams: Sequence[_Stream]) -> list[Picture]:
    """The picture of each stream. Raises FormatError's children, ModelMismatch."""
    pictures: dict[int, Picture] = {}
    for codec in {id(stream.codec): stream.codec for stream in streams}.values():
        places = [k for k, stream in enumerate(streams) if stream.codec is codec]
        pictures.update(zip(places, decoded(codec, [streams[k].data for k in places]), strict=True))
    return [pictures[k] for k in range(len(streams))]
