"""Compress a folder: its tree mirrored, one stream for each image, some images at a time."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from .choose import Codecs
from .compress import decibels, read_pixels
from .files import STANDARD, print_json, say
from .mirror import Mirror, files_below
from .misfit import Misfits
from .progress import Progress

if TYPE_CHECKING:
    from vaecodec.arrays import Pixels
    from vaecodec.codec.codec import Codec
    from vaecodec.codec.target import Target

SUFFIX = ".vae"
MAX_SHOWN = 20  # warnings on stderr; --json has them all


@dataclass(frozen=True, slots=True)
class Written:
    """A stream and the mean squared error of what it decodes to, None where that was not asked for."""

    stream: bytes
    mse: float | None


def compress_folder(
    source: str, target: str, model: str | None, wanted: Target, *, force: bool, verify: bool, as_json: bool
) -> None:
    """Every image below `source` into a stream below `target`. Exit code 1 where one failed."""
    from vaecodec.codec.quality import psnr_db_from_mse
    from vaecodec.data.folder import SUFFIXES

    if target == STANDARD:
        raise click.UsageError("a folder is compressed into a folder, not to standard output")
    codecs, misfits = Codecs(model, exact=wanted.exact), Misfits()
    progress, started = Progress(quiet=as_json), time.monotonic()

    def read(path: str) -> tuple[Codec, Pixels]:
        pixels = read_pixels(path)
        codec = codecs.for_image(pixels.shape)
        codec.frame.fit(pixels)  # refuses what does not fit before the others are compressed
        return codec, pixels

    def convert(items: Sequence[tuple[Codec, Pixels]]) -> list[Written]:
        return _compressed(items, wanted, verify)

    files = files_below(source, SUFFIXES)
    mirror = Mirror(
        source, target, SUFFIX, read=read, convert=convert, pack=lambda r: r.stream, force=force, progress=progress
    )
    source_bytes, sizes, errors, warnings = 0, [], [], []
    for file, (codec, pixels), result in mirror.run(files):
        source_bytes += os.path.getsize(os.path.join(source, file))
        sizes.append(len(result.stream))
        if result.mse is not None:
            errors.append(result.mse)
            warnings += [(file, text) for text in misfits.warnings(codec, result.stream, pixels, result.mse)]
        if progress.due():
            progress.draw(f"{len(sizes)} of {len(files)} images, {sum(sizes)} bytes")
    progress.clear()
    elapsed_s, mean_mse = time.monotonic() - started, sum(errors) / len(errors) if errors else None
    if as_json:
        print_json(
            {
                "output": target,
                "images": len(sizes),
                "file_bytes": sum(sizes),
                "source_bytes": source_bytes,
                "psnr_db": psnr_db_from_mse(mean_mse) if mean_mse else None,
                "elapsed_s": elapsed_s,
                "warnings": [{"file": file, "warning": text} for file, text in warnings],
                "failed": [{"file": failure.file, "error": failure.error} for failure in mirror.failed],
            }
        )
    else:
        _say_summary(source, target, sizes, source_bytes, mean_mse, elapsed_s)
    for file, text in warnings[:MAX_SHOWN]:
        say(f"vaecodec: warning: {os.path.join(source, file)}: {text}")
    if len(warnings) > MAX_SHOWN:
        say(f"vaecodec: warning: {len(warnings) - MAX_SHOWN} more of these; --json lists them")
    end(len(mirror.failed), len(files))


def _compressed(items: Sequence[tuple[Codec, Pixels]], wanted: Target, verify: bool) -> list[Written]:
    """A result for each item. Raises TargetMissed."""
    from vaecodec.codec.quality import mse as mse_of

    results: dict[int, Written] = {}
    for codec in {id(codec): codec for codec, _ in items}.values():
        places = [k for k, (one, _) in enumerate(items) if one is codec]
        streams = codec.compress_batch([items[k][1] for k in places], target=wanted)
        decoded = codec.decompress_batch(streams) if verify else [None] * len(streams)
        for k, stream, image in zip(places, streams, decoded, strict=True):
            results[k] = Written(stream, None if image is None else mse_of(image, items[k][1]))
    return [results[k] for k in range(len(items))]


def _say_summary(
    source: str, target: str, sizes: list[int], source_bytes: int, mean_mse: float | None, elapsed_s: float
) -> None:
    total = sum(sizes)
    ratio = f", {source_bytes / total:.1f} times smaller" if total else ""
    quality = "" if mean_mse is None else f", {decibels(mean_mse)}"
    speed = f"{len(sizes) / max(elapsed_s, 1e-3):.0f} images/s"
    say(f"{source} -> {target}: {len(sizes)} images, {total} bytes{ratio}{quality}, {speed}")


def end(failed: int, files: int) -> None:
    """Exit code 1, and the count, where files failed."""
    if failed:
        say(f"vaecodec: error: {failed} of {files} files failed")
        raise click.exceptions.Exit(1)
