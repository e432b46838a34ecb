"""vaecodec archive extract: images out of an archive, to PNG files or one npz file."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any

import click

from vaecodec.errors import FormatError, ImageSizeError, OutputError

from .archive import model_option, open_archive
from .boundary import plain
from .files import check_target, naming, say, write_bytes
from .mirror import make_parents

if TYPE_CHECKING:
    from vaecodec.archive.reader import Archive

EXTRACT_BATCH = 128
_RANGE = re.compile(r"(-?\d+)?:(-?\d+)?", re.ASCII)
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)  # names that Windows gives to devices


@click.command()
@click.argument("path", metavar="ARCHIVE")
@click.argument("target", metavar="OUT")
@click.option("--name", "names", multiple=True, metavar="NAME", help="Only this image; may be given several times.")
@click.option("--range", "chosen", metavar="A:B", help="Only the images from number A to before B.")
@click.option("--force", is_flag=True, help="Overwrite files.")
@model_option
def extract(path: str, target: str, names: tuple[str, ...], chosen: str | None, force: bool, model: str | None) -> None:
    """Extract images from ARCHIVE: to PNG files in the folder OUT, or to one file if OUT ends in .npz.

    Files are called by their images' names, or numbers where they have none. What is whole is extracted; exit code 1
    where an image is lost. Names that would leave the folder are refused.
    """
    with open_archive(path, model) as archive, naming(path):
        numbers = _numbers(archive, names, chosen)
        lost = (
            _to_npz(archive, numbers, target, force)
            if target.endswith(".npz")
            else _to_folder(archive, numbers, target, force)
        )
    say(f"{target}: {len(numbers) - len(lost)} images")
    for number, reason in lost:
        say(f"lost: image {number}: {plain(reason)}")
    if lost:
        raise click.exceptions.Exit(1)


def _numbers(archive: Archive, names: tuple[str, ...], chosen: str | None) -> list[int]:
    if names and chosen is not None:
        raise click.UsageError("--name and --range exclude each other")
    if names:
        try:
            return [archive.number_of(name) for name in names]
        except KeyError as error:
            raise click.BadParameter(f"no image of the name {error.args[0]!r}", param_hint="--name") from error
    if chosen is None:
        return list(range(len(archive)))
    found = _RANGE.fullmatch(chosen)
    if found is None:
        raise click.BadParameter(f"expected A:B, found {chosen!r}", param_hint="--range")
    low, high = (None if part is None else int(part) for part in found.groups())
    return list(range(len(archive)))[low:high]


def _images(archive: Archive, numbers: list[int], lost: list[tuple[int, str]]) -> Any:
    """(number, pixels) of what is whole; what is not is added to `lost`."""
    for start in range(0, len(numbers), EXTRACT_BATCH):
        part = numbers[start : start + EXTRACT_BATCH]
        try:
            yield from zip(part, archive.images(part), strict=True)
        except FormatError:
            for number in part:
                try:
                    image = archive[number]
                except FormatError as error:
                    lost.append((number, str(error)))
                    continue
                yield number, image


def _to_folder(archive: Archive, numbers: list[int], folder: str, force: bool) -> list[tuple[int, str]]:
    from io import BytesIO

    from PIL import Image

    lost: list[tuple[int, str]] = []
    width = max(6, len(str(len(archive))))
    written: set[str] = set()
    for number, pixels in _images(archive, numbers, lost):
        try:
            name = archive.names[number]
        except FormatError:
            name = None
        place = os.path.join(folder, safe_name(name) if name is not None else f"{number:0{width}d}.png")
        if place in written:
            raise OutputError(f"{place}: two images have this name; extract them by --range into folders of their own")
        written.add(place)
        make_parents(folder, place)
        file = BytesIO()
        Image.fromarray(pixels).save(file, format="PNG")
        write_bytes(place, file.getvalue(), force=force)
    return lost


def safe_name(name: str) -> str:
    """The relative path that an image is extracted to, ending in .png. Raises OutputError for one that would escape."""
    parts = name.split("/")
    for part in parts:
        bad = part in ("", ".", "..") or "\\" in part or ":" in part or not part.isprintable() or part != part.strip()
        if bad or _RESERVED.fullmatch(part) or len(part.encode()) > 250:
            raise OutputError(
                f"image name {plain(name)!r}: not a file name below the folder; extract it by --range to .npz"
            )
    return name if name.lower().endswith(".png") else f"{name}.png"


def _to_npz(archive: Archive, numbers: list[int], target: str, force: bool) -> list[tuple[int, str]]:
    from io import BytesIO

    import numpy as np

    check_target(target, force)
    lost: list[tuple[int, str]] = []
    found = list(_images(archive, numbers, lost))
    kept = [number for number, _ in found]
    if len({pixels.shape for _, pixels in found}) > 1:
        raise ImageSizeError("images of several sizes do not fit one npz file: extract them to a folder")
    arrays: dict[str, Any] = {"images": np.stack([pixels for _, pixels in found]), "numbers": np.array(kept, np.int64)}
    labels = [archive.label(number) for number in kept]
    rows = [row for row in labels if row is not None]
    if len(rows) == len(labels) and len({len(row) for row in rows}) == 1:
        stacked = np.stack(rows)
        arrays["labels"] = stacked[:, 0] if stacked.shape[1] == 1 else stacked
    names = [archive.names[number] for number in kept]
    if all(name is not None for name in names):
        arrays["names"] = np.array(names)
    file = BytesIO()
    np.savez_compressed(file, **arrays)
    write_bytes(target, file.getvalue(), force=force)
    return lost
