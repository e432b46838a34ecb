"""Where extracted images go: PNG files in a folder, a tar of such files, or one npz file; the last two to a pipe too.

number, picture, name ──PictureFile──> place, bytes ──┬──> folder
                                                      └──> tar
number, picture ──stacked──────────────────────────────────> npz
"""

from __future__ import annotations

import io
import os
import sys
import tarfile
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from vaecodec.errors import FormatError, ImageSizeError, OutputError

from .archive_names import file_name, why_refused
from .files import STANDARD, write_bytes
from .mirror import is_below, make_parents
from .pictures import DEFAULT_SUFFIX, image_file
from .windows import file_of_values, suffix_for

if TYPE_CHECKING:
    from vaecodec.archive.reader import Archive
    from vaecodec.codec.picture import Picture

Pictures = Iterable[tuple[int, "Picture"]]


@dataclass(frozen=True, slots=True)
class Left:
    """An image that was not extracted. what: lost, or refused."""

    number: int
    what: str
    reason: str


class PictureFiles:
    """Names and bytes of image files, of which no two have one name.

    restore_window: of values of more than 8 bits, where a window made the pixels.
    """

    def __init__(self, archive: Archive, left: list[Left], *, restore_window: bool) -> None:
        self._archive, self._left, self._restore_window = archive, left, restore_window
        self._width = max(6, len(str(len(archive))))
        self._written: dict[str, int] = {}

    def file(self, number: int, picture: Picture) -> tuple[str, bytes] | None:
        """The place, a relative path with forward slashes, and the bytes; None where it is refused."""
        suffix = suffix_for(picture) if self._restore_window else DEFAULT_SUFFIX
        try:
            name = self._archive.names[number]
        except FormatError:
            name = None
        place = f"{number:0{self._width}d}{suffix}" if name is None else file_name(name, suffix)
        reason = None if name is None else why_refused(name)
        if reason is None and place in self._written:
            reason = f"image {self._written[place]} has this name"
        if reason is not None:
            self.refuse(number, f"{name}: {reason}; --range extracts it to .npz")
            return None
        self._written[place] = number
        return place, (file_of_values if self._restore_window else image_file)(picture, f"image{suffix}")

    def refuse(self, number: int, reason: str) -> None:
        """An image that is left."""
        self._left.append(Left(number, "refused", reason))


def to_folder(files: PictureFiles, pictures: Pictures, folder: str, *, force: bool) -> None:
    """Image files below the folder, which is made."""
    os.makedirs(folder, exist_ok=True)
    for number, picture in pictures:
        found = files.file(number, picture)
        if found is None:
            continue
        place = os.path.join(folder, found[0])
        if not is_below(folder, place):
            files.refuse(number, f"{found[0]}: a link leads out of the folder; --range extracts it to .npz")
            continue
        write_bytes(make_parents(folder, place), found[1], force=force)


def to_tar(files: PictureFiles, pictures: Pictures, target: str, *, force: bool) -> None:
    """A tar of image files, the same bytes for the same archive; to a pipe image after image."""
    if target == STANDARD:
        try:
            _write_tar(files, pictures, sys.stdout.buffer)
            sys.stdout.buffer.flush()
        except OSError as error:
            raise OSError(error.errno, error.strerror, "standard output") from error
        return
    from vaecodec.files.outputs import open_output

    file = open_output(target, overwrite=force)
    try:
        _write_tar(files, pictures, file)
    except BaseException:
        file.abort()
        raise
    file.commit()


def _write_tar(files: PictureFiles, pictures: Pictures, file: Any) -> None:
    """file: has write() alone, for nothing is read again."""
    with tarfile.open(fileobj=file, mode="w|", format=tarfile.PAX_FORMAT) as tar:
        for number, picture in pictures:
            found = files.file(number, picture)
            if found is not None:
                entry = tarfile.TarInfo(found[0])  # of time 0 and nobody's: the same images are the same bytes
                entry.size, entry.mode = len(found[1]), 0o644
                tar.addfile(entry, io.BytesIO(found[1]))


def to_npz(
    archive: Archive, pictures: Pictures, target: str, left: list[Left], *, force: bool, restore_window: bool
) -> None:
    """One npz file: images, numbers, and labels and names where every image has them.

    Raises ImageSizeError where they have several sizes, OutputError where their values have several types.
    """
    import numpy as np

    found = []
    for number, picture in pictures:
        if picture.alpha is None:
            natural = picture.pixels[..., 0] if picture.grey else picture.pixels
            found.append((number, picture.values() if restore_window else natural))
        else:
            left.append(Left(number, "refused", "has alpha, which is extracted to a folder"))
    kept = [number for number, _ in found]
    if len({pixels.shape for _, pixels in found}) > 1:
        raise ImageSizeError("images of several sizes do not fit one npz file: extract them to a folder")
    kinds = sorted({pixels.dtype.name for _, pixels in found})
    if len(kinds) > 1:
        raise OutputError(f"values of {' and '.join(kinds)} do not fit one npz file: extract them to a folder")
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
    file = io.BytesIO()
    np.savez_compressed(file, **arrays)
    write_bytes(target, file.getvalue(), force=force)


def _no_images(archive: Archive) -> Any:
    """uint8 (0, h, w), of the size of the archive's first image, if it has one."""
    import numpy as np

    return np.empty((0, *(archive[0].shape if len(archive) else (0, 0))), np.uint8)
