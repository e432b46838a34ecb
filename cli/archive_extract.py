"""vaecodec archive extract: images out of an archive, to PNG files or one npz file."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from vaecodec.errors import FormatError, ImageSizeError

from .archive import archive_model_option, open_archive
from .archive_names import file_name, why_refused
from .boundary import plain
from .completion import complete_files
from .files import STANDARD, check_target, say, warn, write_bytes
from .mirror import is_below, make_parents
from .options import quiet_option
from .pictures import DEFAULT_SUFFIX, image_file
from .progress import Progress

if TYPE_CHECKING:
    from vaecodec.archive.reader import Archive
    from vaecodec.codec.picture import Picture

EXTRACT_BATCH = 128  # images decoded at once
_RANGE = re.compile(r"(-?\d+)?:(-?\d+)?", re.ASCII)


@click.command()
@click.argument("path", metavar="ARCHIVE", shell_complete=complete_files)
@click.argument("target", metavar="OUT", shell_complete=complete_files)
@click.option(
    "-n", "--name", "names", multiple=True, metavar="NAME", help="Only this image; may be given several times."
)
@click.option("-r", "--range", "chosen", metavar="A:B", help="Only the images from number A to before B.")
@click.option("-f", "--force", is_flag=True, help="Overwrite files.")
@archive_model_option
@quiet_option
def extract(path: str, target: str, names: tuple[str, ...], chosen: str | None, force: bool, model: str | None) -> None:
    """Extract images from ARCHIVE: to PNG files in the folder OUT, or to one file if OUT ends in .npz.

    Files are called by their images' names, or numbers where they have none. What is whole is extracted. An image that
    is lost, or whose name is no file name below the folder or comes twice, is named, and the exit code is 1.
    """
    if target == STANDARD:
        raise click.UsageError("images are extracted to a folder or to a file .npz, not to standard output")
    with open_archive(path, model) as archive:
        numbers = _numbers(archive, names, chosen)
        write = _to_npz if target.endswith(".npz") else _to_folder
        left = write(archive, numbers, target, force)
    say(f"{target}: {len(numbers) - len(left)} images")
    for one in left:
        warn(f"{one.what}: image {one.number}: {plain(one.reason)}")
    if left:
        raise click.exceptions.Exit(1)


@dataclass(frozen=True, slots=True)
class Left:
    """An image that was not extracted. what: lost, or refused."""

    number: int
    what: str
    reason: str


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


def _to_folder(archive: Archive, numbers: Sequence[int], folder: str, force: bool) -> list[Left]:
    left: list[Left] = []
    width = max(6, len(str(len(archive))))
    written: dict[str, int] = {}
    os.makedirs(folder, exist_ok=True)
    for number, picture in _pictures(archive, numbers, left):
        try:
            name = archive.names[number]
        except FormatError:
            name = None
        place = f"{number:0{width}d}.png" if name is None else file_name(name)
        reason = None if name is None else why_refused(name)
        if reason is None and place in written:
            reason = f"image {written[place]} has this name"
        if reason is None and not is_below(folder, os.path.join(folder, place)):
            reason = "a link leads out of the folder"
        if reason is not None:
            left.append(Left(number, "refused", f"{name}: {reason}; --range extracts it to .npz"))
            continue
        written[place] = number
        data = image_file(picture, DEFAULT_SUFFIX)
        write_bytes(make_parents(folder, os.path.join(folder, place)), data, force=force)
    return left


def _to_npz(archive: Archive, numbers: Sequence[int], target: str, force: bool) -> list[Left]:
    from io import BytesIO

    import numpy as np

    check_target(target, force)
    left: list[Left] = []
    found = []
    for number, picture in _pictures(archive, numbers, left):
        if picture.alpha is None:
            found.append((number, picture.pixels[..., 0] if picture.grey else picture.pixels))
        else:
            left.append(Left(number, "refused", "has alpha, which is extracted to a folder"))
    kept = [number for number, _ in found]
    if len({pixels.shape for _, pixels in found}) > 1:
        raise ImageSizeError("images of several sizes do not fit one npz file: extract them to a folder")
    arrays: dict[str, Any] = {
        "images": np.stack([pixels for _, pixels in found]) if found else _no_images(archive),
        "numbers": np.array(kept, np.int64),
    }
    labels = [archive.label(number) for number in kept]
    rows = [row for row in labels if row is not None]
    if rows and len(rows) == len(labels) and len({len(row) for row in rows}) == 1:
        stacked = np.stack(rows)
        arrays["labels"] = stacked[:, 0] if stacked.shape[1] == 1 else stacked
    names = [archive.names[number] for number in kept]
    if names and all(name is not None for name in names):
        arrays["names"] = np.array(names)
    file = BytesIO()
    np.savez_compressed(file, **arrays)
    write_bytes(target, file.getvalue(), force=force)
    return left


def _no_images(archive: Archive) -> Any:
    """uint8 (0, h, w), of the size of the archive's first image, if it has one."""
    import numpy as np

    return np.empty((0, *(archive[0].shape if len(archive) else (0, 0))), np.uint8)
