"""vaecodec archive create and append."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any

import click

from vaecodec.bitstream.archive.limits import MAX_BLOCK_IMAGES
from vaecodec.errors import ConfigError, DataError, TargetMissed

from .archive_names import NameCheck
from .boundary import plain
from .completion import complete_files
from .files import STANDARD, STANDARD_OUTPUT, check_target, naming, print_json, read_bytes, say, warn
from .options import model_option, parse_target, quiet_option, target_options
from .progress import Progress

if TYPE_CHECKING:
    from vaecodec.archive.writer import ArchiveWriter

    from .archive_sources import SourceImage

MAX_METADATA_FILE_BYTES = 1 << 24


def source_options(function: Any) -> Any:
    """What create and append share."""
    for option in (
        click.option("--json", "as_json", is_flag=True, help="Print what was written as JSON."),
        click.option(
            "--data-dir", shell_complete=complete_files, metavar="FOLDER", help="Where mnist/ and dsprites/ lie."
        ),
        click.option("-j", "--jobs", type=click.IntRange(1, 64), default=1, help="Files that are read at a time."),
        click.option("--strip", is_flag=True, help="Leave out the files' ICC profiles, EXIF and XMP."),
        click.option("--no-names", is_flag=True, help="Leave the files' names out."),
        click.option(
            "--metadata",
            shell_complete=complete_files,
            metavar="FILE",
            help="A JSON object to keep in the archive; - is standard input.",
        ),
        click.option(
            "--block-images",
            type=click.IntRange(1, MAX_BLOCK_IMAGES),
            default=MAX_BLOCK_IMAGES,
            help="Images of a block.",
        ),
        model_option("The model; without it, the best one for the first image."),
    ):
        function = option(function)
    return target_options(quiet_option(function))


@click.command()
@click.argument("target", metavar="OUT", shell_complete=complete_files)
@click.argument("sources", metavar="SOURCES…", nargs=-1, required=True, shell_complete=complete_files)
@source_options
@click.option("--embed-model", is_flag=True, help="Put the model file into the archive: readable alone for ever.")
@click.option("-f", "--force", is_flag=True, help="Overwrite OUT.")
def create(
    target: str, sources: tuple[str, ...], embed_model: bool, force: bool, as_json: bool, **options: Any
) -> None:
    """Put images into a new archive OUT.

    SOURCES: image files, folders, patterns, - for a list of files on standard input, IDX files, npz files with a key
    `images` (and `labels`), or a data set's split such as mnist:test. Files keep their names, data sets their labels.
    """
    from vaecodec.archive.writer import ArchiveWriter

    from .choose import Codecs

    if as_json and target == STANDARD:
        raise click.UsageError("--json and the archive cannot both go to standard output")
    wanted = parse_target(options)
    check_target(target, force)
    metadata = _metadata(options["metadata"])
    first, pictures = _begun(sources, options)
    writer = ArchiveWriter.create(
        STANDARD_OUTPUT if target == STANDARD else target,
        Codecs(options["model"], exact=wanted.exact).for_picture(first.image, wanted),
        target=wanted,
        block_images=options["block_images"],
        embed_model=embed_model,
        metadata=metadata,
        overwrite=force,
    )
    _write(writer, pictures, target, as_json)


@click.command()
@click.argument("target", metavar="ARCHIVE", shell_complete=complete_files)
@click.argument("sources", metavar="SOURCES…", nargs=-1, required=True, shell_complete=complete_files)
@source_options
def append(target: str, sources: tuple[str, ...], as_json: bool, **options: Any) -> None:
    """Put more images at the end of ARCHIVE; SOURCES as for create. Without --model, with the model used last."""
    from vaecodec.archive.writer import ArchiveWriter

    if target == STANDARD:
        raise click.UsageError("an archive is appended to where it lies: name its file")
    wanted = parse_target(options)
    metadata = _metadata(options["metadata"])
    _, pictures = _begun(sources, options)
    with naming(target):
        writer = ArchiveWriter.append(
            target, options["model"], target=wanted, block_images=options["block_images"], metadata=metadata
        )
    _write(writer, pictures, target, as_json)


def _begun(sources: Sequence[str], options: dict[str, Any]) -> tuple[SourceImage, Iterator[SourceImage]]:
    """The first picture of the sources, and all of them. Raises DataError where there is none."""
    from .archive_sources import read_sources

    pictures = read_sources(
        sources,
        jobs=options["jobs"],
        named=not options["no_names"],
        strip=options["strip"],
        data_dir=options["data_dir"],
    )
    first = next(pictures, None)
    if first is None:
        raise DataError("the sources hold no image")
    return first, chain([first], pictures)


def _metadata(source: str | None) -> dict[str, Any] | None:
    if source is None:
        return None
    try:
        value = json.loads(read_bytes(source, MAX_METADATA_FILE_BYTES).decode())
    except ValueError as error:
        raise ConfigError(f"{source}: not JSON: {error}") from error
    if not isinstance(value, dict):
        raise ConfigError(f"{source}: expected a JSON object")
    return value


def _write(writer: ArchiveWriter, pictures: Iterator[SourceImage], target: str, as_json: bool) -> None:
    before, size_before, started = len(writer), writer.size_bytes, time.monotonic()
    source_bytes, bar, names = 0, Progress(quiet=as_json), NameCheck()
    with writer:
        for picture in pictures:
            names.add(picture.name)
            try:
                writer.add(picture.image, picture.name, picture.label)
            except TargetMissed:  # names the image itself, which may be one before this one
                raise
            except ValueError as error:
                if picture.name is not None:
                    error.args = (f"{picture.name}: {error}",)
                raise
            source_bytes += picture.source_bytes
            if bar.due():
                elapsed_s = time.monotonic() - started
                bar.draw(_progress(len(writer) - before, source_bytes, writer.size_bytes - size_before, elapsed_s))
        images = len(writer) - before
    bar.clear()
    size_bytes, elapsed_s = writer.size_bytes, time.monotonic() - started
    if as_json:
        print_json(
            {
                "output": target,
                "images": before + images,
                "added": images,
                "file_bytes": size_bytes,
                "source_bytes": source_bytes,
                "elapsed_s": elapsed_s,
                "warnings": names.warnings(),
            }
        )
    else:
        say(f"{target}: {_progress(images, source_bytes, size_bytes - (size_before if before else 0), elapsed_s)}")
    for warning in names.warnings():
        warn(f"vaecodec: warning: {plain(warning)}")


def _progress(images: int, source_bytes: int, size_bytes: int, elapsed_s: float) -> str:
    ratio = f", {source_bytes / size_bytes:.1f} times smaller" if size_bytes else ""
    return f"{images} images, {images / max(elapsed_s, 1e-3):.0f} images/s, {size_bytes} bytes{ratio}"
