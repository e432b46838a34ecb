"""Compress a folder: its tree mirrored, one stream for each image, some images at a time."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from vaecodec.files.walk import files_below

from . import windows
from .choose import Codecs
from .fidelity import Fidelity
from .files import STANDARD, print_json, say, warn
from .mirror import Mirror
from .misfit import Misfits
from .pictures import STREAM_SUFFIX, read_picture
from .progress import Progress
from .windows import WindowCount

if TYPE_CHECKING:
    from vaecodec.arrays import Pixels
    from vaecodec.codec.choice import Chosen
    from vaecodec.codec.picture import Picture
    from vaecodec.codec.target import Target
    from vaecodec.codec.window import WindowLike

MAX_SHOWN = 20  # warnings on stderr; --json has them all


@dataclass(frozen=True, slots=True)
class Written:
    """A stream and how near what it decodes to is, if that was asked for."""

    chosen: Chosen
    fidelity: Fidelity


def compress_folder(
    source: str,
    target: str,
    model: str | None,
    wanted: Target,
    *,
    strip: bool,
    force: bool,
    verify: bool,
    as_json: bool,
    window: WindowLike | None = None,
    one_window: bool = False,
) -> None:
    """Every image below `source` into a stream below `target`. Exit code 1 where one failed."""
    from vaecodec.data.folder import SUFFIXES

    if target == STANDARD:
        raise click.UsageError("a folder is compressed into a folder, not to standard output")
    codecs, misfits = Codecs(model, exact=wanted.exact), Misfits()
    progress, started = Progress(quiet=as_json), time.monotonic()

    if window is not None and one_window:
        files = files_below(source, SUFFIXES).files
        window = windows.one_window((os.path.join(source, file) for file in files), window) or window

    def read(path: str) -> Picture:
        picture = read_picture(path, strip=strip, window=window)
        codecs.check(picture)  # what does not fit is refused before the others are compressed
        return picture

    def convert(pictures: Sequence[Picture]) -> list[Written]:
        chosen = codecs.compress(pictures, wanted)
        decoded = _decoded(chosen) if verify else [None] * len(chosen)
        return [
            Written(one, Fidelity() if image is None else Fidelity.of_picture(image, picture))
            for one, image, picture in zip(chosen, decoded, pictures, strict=True)
        ]

    mirror = Mirror(
        source,
        target,
        suffixes=SUFFIXES,
        suffix=STREAM_SUFFIX,
        read=read,
        pixels=lambda picture: picture.size[0] * picture.size[1],
        convert=convert,
        pack=lambda written: written.chosen.stream,
        force=force,
        progress=progress,
    )
    source_bytes, sizes, found, warnings, windowed = 0, [], [], [], WindowCount()
    for file, picture, result in mirror.run():
        source_bytes += os.path.getsize(os.path.join(source, file))
        sizes.append(len(result.chosen.stream))
        found.append(result.fidelity)
        windowed.add(picture)
        warnings += [(file, text) for text in misfits.warnings(result.chosen, picture, result.fidelity)]
        if progress.due():
            left = progress.left(len(sizes) + len(mirror.failed), len(mirror.files))
            progress.draw(f"{len(sizes)} of {len(mirror.files)} images, {sum(sizes)} bytes{left}")
    progress.clear()
    elapsed_s, fidelity = time.monotonic() - started, Fidelity.of_set(found)
    if as_json:
        print_json(
            {
                "output": target,
                "images": len(sizes),
                "file_bytes": sum(sizes),
                "source_bytes": source_bytes,
                **fidelity.fields(),
                **windowed.fields(),
                "elapsed_s": elapsed_s,
                "warnings": [{"file": file, "warning": text} for file, text in warnings],
                "failed": [{"file": failure.file, "error": failure.error} for failure in mirror.failed],
            }
        )
    else:
        _say_summary(source, target, sizes, source_bytes, fidelity, elapsed_s)
        if windowed.words:
            say(f"{source}: {windowed.words}")
    for file, text in warnings[:MAX_SHOWN]:
        warn(f"vaecodec: warning: {os.path.join(source, file)}: {text}")
    if len(warnings) > MAX_SHOWN:
        warn(f"vaecodec: warning: {len(warnings) - MAX_SHOWN} more of these; --json lists them")
    mirror.end()


def _decoded(chosen: Sequence[Chosen]) -> list[Pixels]:
    """What each stream decodes to, those of one codec together."""
    images: dict[int, Pixels] = {}
    for codec in {id(one.codec): one.codec for one in chosen}.values():
        places = [k for k, one in enumerate(chosen) if one.codec is codec]
        images.update(zip(places, codec.decompress_batch([chosen[k].stream for k in places]), strict=True))
    return [images[k] for k in range(len(chosen))]


def _say_summary(
    source: str, target: str, sizes: list[int], source_bytes: int, fidelity: Fidelity, elapsed_s: float
) -> None:
    total = sum(sizes)
    ratio = f", {source_bytes / total:.1f} times smaller" if total else ""
    quality = f", {fidelity.words}" if fidelity.words else ""
    speed = f"{len(sizes) / max(elapsed_s, 1e-3):.0f} images/s"
    say(f"{source} -> {target}: {len(sizes)} images, {total} bytes{ratio}{quality}, {speed}")
