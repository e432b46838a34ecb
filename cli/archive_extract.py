"""vaecodec archive extract: images out of an archive, to PNG files, a tar of them, or one npz file."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import click

from vaecodec.errors import FormatError

from .archive import archive_model_option, open_archive
from .archive_outputs import Left, PictureFiles, to_folder, to_npz, to_tar
from .boundary import plain
from .completion import complete_files
from .files import STANDARD, check_target, say, warn
from .options import quiet_option
from .progress import Progress

if TYPE_CHECKING:
    from vaecodec.archive.reader import Archive
    from vaecodec.codec.picture import Picture

EXTRACT_BATCH = 128  # images decoded at once
FORMATS = ("folder", "tar", "npz")
_RANGE = re.compile(r"(-?\d+)?:(-?\d+)?", re.ASCII)


@click.command()
@click.argument("path", metavar="ARCHIVE", shell_complete=complete_files)
@click.argument("target", metavar="OUT", shell_complete=complete_files)
@click.option(
    "-n", "--name", "names", multiple=True, metavar="NAME", help="Only this image; may be given several times."
)
@click.option("-r", "--range", "chosen", metavar="A:B", help="Only the images from number A to before B.")
@click.option("-f", "--force", is_flag=True, help="Overwrite files.")
@click.option(
    "--format", "kind", type=click.Choice(FORMATS), help="Of OUT; without it as its suffix says, and tar for -."
)
@click.option("--restore-window", is_flag=True, help="Values of more than 8 bits, where a window made the pixels.")
@archive_model_option
@quiet_option
def extract(
    path: str,
    target: str,
    names: tuple[str, ...],
    chosen: str | None,
    force: bool,
    kind: str | None,
    restore_window: bool,
    model: str | None,
) -> None:
    """Extract images from ARCHIVE: to PNG files in the folder OUT, or to one file if OUT ends in .npz or .tar.

    To standard output, -, goes a tar of PNG files, image after image, or with --format npz one npz file. Files are
    called by their images' names, or numbers where they have none. What is whole is extracted. An image that is lost,
    or whose name is no file name below the folder or comes twice, is named, and the exit code is 1. With
    --restore-window the files hold the values that a window made pixels of: .png of uint16, .tiff or .npy of others.
    """
    kind = kind or _kind_of(target)
    if kind == "folder" and target == STANDARD:
        raise click.UsageError("a folder does not go to standard output: --format tar or npz")
    if kind != "folder":
        check_target(target, force)
    left: list[Left] = []
    with open_archive(path, model) as archive:
        numbers = _numbers(archive, names, chosen)
        pictures = _pictures(archive, numbers, left)
        files = PictureFiles(archive, left, restore_window=restore_window)
        if kind == "folder":
            to_folder(files, pictures, target, force=force)
        elif kind == "tar":
            to_tar(files, pictures, target, force=force)
        else:
            to_npz(archive, pictures, target, left, force=force, restore_window=restore_window)
    say(f"{target}: {len(numbers) - len(left)} images")
    for one in left:
        warn(f"{one.what}: image {one.number}: {plain(one.reason)}")
    if left:
        raise click.exceptions.Exit(1)


def _kind_of(target: str) -> str:
    suffix = os.path.splitext(target)[1].lower()
    return "tar" if target == STANDARD or suffix == ".tar" else "npz" if suffix == ".npz" else "folder"


def _numbers(archive: Archive, names: tuple[str, ...], chosen: str | None) -> Sequence[int]:
    if names and chosen is not None:
        raise click.UsageError("--name and --range exclude each other")
    if names:
        try:
            return [archive.number_of(name) for name in names]
        except KeyError as error:
            raise click.BadParameter(f"no image of the name {error.args[0]!r}", param_hint="--name") from error
    if chosen is None:
        return range(len(archive))
    found = _RANGE.fullmatch(chosen)
    if found is None:
        raise click.BadParameter(f"expected A:B, found {chosen!r}", param_hint="--range")
    low, high = (None if part is None else int(part) for part in found.groups())
    return range(len(archive))[low:high]


def _pictures(archive: Archive, numbers: Sequence[int], left: list[Left]) -> Iterator[tuple[int, Picture]]:
    """(number, picture) of what is whole; what is not is added to `left`."""
    progress = Progress(quiet=False)
    for start in range(0, len(numbers), EXTRACT_BATCH):
        if progress.due():
            progress.draw(f"{start} of {len(numbers)} images{progress.left(start, len(numbers))}")
        part, done = numbers[start : start + EXTRACT_BATCH], 0
        try:
            for picture in archive.pictures(part):
                yield part[done], picture
                done += 1
        except FormatError:
            for number in part[done:]:
                try:
                    (picture,) = archive.pictures([number])
                except FormatError as error:
                    left.append(Left(number, "lost", str(error)))
                    continue
                yield number, picture
    progress.clear()
