"""Where the images of an archive come from: files, folders, globs, lists on standard input, IDX and npz data sets.

files, folders, patterns, lists ──> places ──read, some at a time──> a picture of each, its name
IDX and npz files, mnist:test ───────────────────────────────────────> pixels of each, its label
"""

from __future__ import annotations

import glob
import os
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any

from vaecodec.errors import BadDataset, ConfigError, DataError, DatasetMissing, VaecodecError

from .files import STANDARD, naming
from .mirror import say_linked
from .pictures import read_picture_file

if TYPE_CHECKING:
    from vaecodec.arrays import Pixels
    from vaecodec.codec.picture import Picture
    from vaecodec.codec.window import WindowLike

SPLITS = ("train", "validation", "test")


@dataclass(frozen=True, slots=True, eq=False)
class SourceImage:
    """image: of a file with what came with its pixels, or pixels (h, w). name, label: None without.

    source_bytes: of the file it came from.
    """

    image: Picture | Pixels
    name: str | None
    label: Any
    source_bytes: int


@dataclass(frozen=True, slots=True)
class Unread:
    """A file of which no picture could be read, and why."""

    path: str
    error: VaecodecError | OSError


@dataclass(frozen=True, slots=True)
class Place:
    """An image file, and the name that its image has in the archive."""

    path: str
    name: str


def read_sources(
    sources: Iterable[str],
    *,
    jobs: int,
    named: bool,
    strip: bool,
    data_dir: str | None,
    window: WindowLike | None = None,
) -> Iterator[SourceImage | Unread]:
    """Every image of the sources, in order, reading `jobs` files at a time. Raises DataError, OSError.

    named: with the files' names. strip: without the files' ICC profiles, EXIF and XMP. window: for files of more than 8
    bits a pixel.
    """
    read = partial(_read_file, named=named, strip=strip, window=window)
    for source in sources:
        path = Path(source)
        if path.is_file() and (data_set := _data_set(path)) is not None:
            yield from data_set
        elif ":" in source and source.rpartition(":")[2] in SPLITS and not path.exists():
            yield from _named_set(source, data_dir)
        else:
            yield from _read_files(_places(source), jobs, read)


def _data_set(path: Path) -> Iterator[SourceImage] | None:
    """The images of a file that holds many."""
    if path.suffix == ".npz":
        return _npz(path)
    return _idx(path) if "idx3-ubyte" in path.name or _starts_as_idx(path) else None


def _places(source: str) -> Iterable[Place]:
    """The image files that a source means. Raises DatasetMissing."""
    path = Path(source)
    if source == STANDARD:
        return (Place(line, _name_of(line)) for line in _lines())
    if path.is_dir():
        return _folder(path)
    if path.exists():
        return [Place(source, _name_of(source))]
    found = sorted(p for p in glob.glob(source, recursive=True) if not os.path.isdir(p))
    if found:
        return [Place(p, _name_of(p)) for p in found]
    raise DatasetMissing(f"{source}: no file, folder, pattern that matches, or data set such as mnist:test")


def _lines() -> Iterator[str]:
    """Of standard input, as file names: bytes that are no text stay what they are."""
    if sys.stdin is None:
        return
    for line in sys.stdin.buffer:
        if stripped := line.rstrip(b"\r\n"):
            yield os.fsdecode(stripped)


def _name_of(path: str) -> str:
    """The path with forward slashes, if it stays below where it starts; else the file's name alone."""
    parts = PurePath(os.path.normpath(path)).parts
    if os.path.isabs(path) or ".." in parts:
        return parts[-1]
    return "/".join(parts)


def _folder(folder: Path) -> list[Place]:
    """What cannot be read stands after the others, for whoever reads it to say so. Raises DatasetMissing."""
    from vaecodec.data.folder import SUFFIXES
    from vaecodec.files.walk import files_below

    found = files_below(folder, SUFFIXES)
    say_linked(str(folder), found.linked)
    in_order = sorted(found.files, key=lambda path: PurePath(path).parts)
    paths = [*in_order, *(one.path for one in found.unreadable)]
    if not paths:
        raise DatasetMissing(f"{folder}: expected images, found no file that ends in {' '.join(sorted(SUFFIXES))}")
    return [Place(str(folder / path), PurePath(path).as_posix()) for path in paths]


def files_of(sources: Iterable[str]) -> Iterator[str]:
    """The image files that the sources mean, for whoever looks at them before they are read.

    Raises ConfigError for standard input, which is read once, and for data sets; DatasetMissing.
    """
    for source in sources:
        if source == STANDARD:
            raise ConfigError("one window: a list on standard input is read once; name the files, or their folder")
        path = Path(source)
        is_set = ":" in source and source.rpartition(":")[2] in SPLITS and not path.exists()
        if is_set or (path.is_file() and _data_set(path) is not None):
            raise ConfigError(f"{source}: one window is found of image files; give the two numbers of a data set's")
        yield from (place.path for place in _places(source))


def _read_files(
    places: Iterable[Place], jobs: int, read: Callable[[Place], SourceImage | Unread]
) -> Iterator[SourceImage | Unread]:
    """In order, with a bounded number of files ahead: Pillow decodes outside Python's lock."""
    if jobs == 1:
        yield from map(read, places)
        return
    with ThreadPoolExecutor(jobs) as pool:
        ahead: deque[Future[SourceImage | Unread]] = deque()
        try:
            for place in places:
                ahead.append(pool.submit(read, place))
                if len(ahead) > 4 * jobs:
                    yield ahead.popleft().result()
            while ahead:
                yield ahead.popleft().result()
        finally:
            for future in ahead:
                future.cancel()


def _read_file(place: Place, *, named: bool, strip: bool, window: WindowLike | None) -> SourceImage | Unread:
    try:
        with naming(place.path):
            picture = read_picture_file(place.path, strip=strip, window=window)
        return SourceImage(picture, place.name if named else None, None, os.path.getsize(place.path))
    except (VaecodecError, OSError) as error:
        return Unread(place.path, error)


def _starts_as_idx(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(4) == b"\0\0\x08\x03"


def _idx(path: Path) -> Iterator[SourceImage]:
    """With the labels that lie beside it under MNIST's naming."""
    from vaecodec.data.mnist import read_idx

    images, _ = read_idx(path, dimensions=3)
    beside = path.with_name(path.name.replace("images-idx3", "labels-idx1"))
    labels = read_idx(beside, dimensions=1)[0] if beside != path and beside.is_file() else None
    if labels is not None and len(labels) != len(images):
        raise BadDataset(f"{beside}: {len(labels)} labels for {len(images)} images")
    yield from _pictures(images, labels)


def _npz(path: Path) -> Iterator[SourceImage]:
    """Key `images`, uint8 (n, h, w), and, if there, `labels`, int64 (n,) or (n, k)."""
    from vaecodec.data.npz import open_npz, read_array

    with open_npz(path) as archive:
        images = read_array(archive, path, "images", "u1", (-1, -1, -1))
        labels = None
        if "labels.npy" in archive.namelist():
            try:
                labels = read_array(archive, path, "labels", "i8", (-1,))
            except DataError:
                labels = read_array(archive, path, "labels", "i8", (-1, -1))
    if labels is not None and len(labels) != len(images):
        raise BadDataset(f"{path}: {len(labels)} labels for {len(images)} images")
    yield from _pictures(images, labels)


def _named_set(source: str, data_dir: str | None) -> Iterator[SourceImage]:
    from vaecodec.data import load_dataset

    name, _, split = source.rpartition(":")
    found = load_dataset(name, split, data_dir=data_dir)
    yield from _pictures(found.images, found.labels)


def _pictures(images: Any, labels: Any) -> Iterator[SourceImage]:
    for k, pixels in enumerate(images):
        yield SourceImage(pixels, None, None if labels is None else labels[k], pixels.nbytes)
