"""vaecodec archive create and append."""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import click

from vaecodec.bitstream.archive.limits import MAX_BLOCK_IMAGES
from vaecodec.errors import ConfigError

from .archive_fidelity import ArchiveFidelity
from .archive_shards import Sharding, create_shards, shard_options
from .archive_writing import Sources, Writing
from .completion import complete_files
from .files import STANDARD, STANDARD_OUTPUT, check_target, naming, read_bytes
from .options import model_option, parse_target, quiet_option, target_options
from .windows import WindowCommand, window_options

MAX_METADATA_FILE_BYTES = 1 << 24


def source_options(function: Any) -> Any:
    """What create and append share."""
    for option in (
        click.option("--json", "as_json", is_flag=True, help="Print what was written as JSON."),
        click.option(
            "--data-dir", shell_complete=complete_files, metavar="FOLDER", help="Where mnist/ and dsprites/ lie."
        ),
        click.option("-j", "--jobs", type=click.IntRange(1, 64), default=1, help="Files that are read at a time."),
        click.option(
            "--misfits",
            shell_complete=complete_files,
            metavar="FILE",
            help="List the images that the model was not made for there.",
        ),
        click.option("--verify/--no-verify", default=True, help="Decode what is written, and keep how good it is."),
        click.option("--strict", is_flag=True, help="Stop, and write nothing, where an image has to be left out."),
        click.option("--strip", is_flag=True, help="Leave out the files' ICC profiles, EXIF and XMP."),
        click.option("--no-names", is_flag=True, help="Leave the files' names out."),
        click.option(
            "--key", "keys", metavar="KEY", multiple=True, help="Of npz, HDF5 and Parquet files; may be repeated."
        ),
        click.option(
            "--metadata",
            shell_complete=complete_files,
            metavar="FILE",
            help="A JSON object to keep in the archive; - is standard input.",
        ),
        click.option(
            "--block-images",
            type=click.IntRange(1, MAX_BLOCK_IMAGES),
            help="Images of a block; without it 128, of exact images 32.",
        ),
        model_option("The model; without it, the best one for the first image."),
    ):
        function = option(function)
    return window_options(target_options(quiet_option(function)))


@click.command(cls=WindowCommand)
@click.argument("target", metavar="OUT", shell_complete=complete_files)
@click.argument("sources", metavar="SOURCES…", nargs=-1, required=True, shell_complete=complete_files)
@source_options
@click.option("--embed-model", is_flag=True, help="Put the model file into the archive: readable alone for ever.")
@click.option("-f", "--force", is_flag=True, help="Overwrite OUT.")
@shard_options
def create(
    target: str,
    sources: tuple[str, ...],
    embed_model: bool,
    force: bool,
    as_json: bool,
    sharding: Sharding | None,
    **options: Any,
) -> None:
    """Put images into a new archive OUT: a file, - for standard output, or an address such as s3://bucket/name.vaea.

    With --shards or --shard-images, OUT is a folder, or an address of one. SOURCES: image files, folders, patterns, -
    for a list of files on standard input, a data set's split such as mnist:test, or files of many images: IDX, npz,
    npy, HDF5, Parquet. Files keep their names, sets their labels. An image that cannot be read, does not suit the model
    or misses its target is left out and named, and the exit code is 1. How good the others are is measured, said, and
    kept in the metadata under the key `fidelity`.
    """
    from vaecodec.archive.source import is_address
    from vaecodec.archive.writer import ArchiveWriter
    from vaecodec.codec.picture import as_picture

    from .choose import Codecs

    if as_json and target == STANDARD:
        raise click.UsageError("--json and the archive cannot both go to standard output")
    sources = _with_keys(sources, options["keys"])
    wanted = parse_target(options)
    metadata = _metadata(options["metadata"])
    if sharding is not None:
        if options["window"] is not None:
            raise click.UsageError("--window: not with shards, whose pictures are of 8 bits")
        create_shards(target, sources, sharding, wanted, metadata, embed_model, force, as_json, options)
        return
    if not is_address(target):
        check_target(target, force)
    fidelity = ArchiveFidelity() if options["verify"] else None
    found = Sources(sources, options)
    first = as_picture(found.first(), found.window)
    writer = ArchiveWriter.create(
        STANDARD_OUTPUT if target == STANDARD else target,
        Codecs(options["model"], exact=wanted.exact).for_picture(first, wanted),
        target=wanted,
        block_images=options["block_images"],
        embed_model=embed_model,
        metadata=metadata,
        overwrite=force,
        window=found.window,
        measured=fidelity,
        missed=found.missed,
    )
    Writing(writer, found, fidelity, wanted, target).run(metadata, options["misfits"], as_json=as_json)


@click.command(cls=WindowCommand)
@click.argument("target", metavar="ARCHIVE", shell_complete=complete_files)
@click.argument("sources", metavar="SOURCES…", nargs=-1, required=True, shell_complete=complete_files)
@source_options
def append(target: str, sources: tuple[str, ...], as_json: bool, **options: Any) -> None:
    """Put more images at the end of ARCHIVE; SOURCES as for create. Without --model, with the model used last."""
    from vaecodec.archive.writer import ArchiveWriter

    if target == STANDARD:
        raise click.UsageError("an archive is appended to where it lies: name its file")
    sources = _with_keys(sources, options["keys"])
    wanted = parse_target(options)
    metadata = _metadata(options["metadata"])
    fidelity = ArchiveFidelity() if options["verify"] else None
    found = Sources(sources, options)
    found.first()
    with naming(target):
        before = _kept_metadata(target) if fidelity is not None else {}
        writer = ArchiveWriter.append(
            target,
            options["model"],
            target=wanted,
            block_images=options["block_images"],
            metadata=metadata,
            window=found.window,
            measured=fidelity,
            missed=found.missed,
        )
    writing = Writing(writer, found, fidelity, wanted, target)
    writing.run(metadata, options["misfits"], as_json=as_json, before=before)


def _with_keys(sources: tuple[str, ...], keys: Sequence[str]) -> tuple[str, ...]:
    """The sources, each file of arrays once for each key: set.npz:train_images."""
    from vaecodec.data.array_files import is_array_file

    if not keys:
        return sources
    if not any(is_array_file(Path(source)) for source in sources):
        raise click.UsageError("--key is of npz, HDF5 and Parquet files, and there is none among the sources")
    named = [[f"{source}:{key}" for key in keys] if is_array_file(Path(source)) else [source] for source in sources]
    return tuple(chain(*named))


def _kept_metadata(target: str) -> dict[str, Any]:
    """Of an archive that is appended to; empty where it is damaged, for then nobody can read it."""
    from vaecodec.archive.reader import Archive
    from vaecodec.errors import FormatError

    with Archive(target) as archive:
        try:
            return archive.metadata
        except FormatError:
            return {}


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
