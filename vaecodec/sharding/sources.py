"""Where images come from, as pieces that can be told to another process, and read there.

files, folders, patterns, addresses ──> FilePiece: an image file, and its image's name
IDX, npz, npy, HDF5 and Parquet files, mnist:test ──> SetPiece: some of the images of a set, and their labels
"""

from __future__ import annotations

import glob
import json
import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import astuple, dataclass, replace
from functools import lru_cache
from io import BytesIO
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any

from vaecodec.archive.folder import objects_below, read_object
from vaecodec.archive.shards import SourceImage
from vaecodec.archive.source import is_address
from vaecodec.data.array_files import is_array_file, open_tables, split_key
from vaecodec.data.array_images import ArrayImages, ImageTable, checked_labels
from vaecodec.errors import BadField, DatasetMissing, VaecodecError

if TYPE_CHECKING:
    from vaecodec.arrays import Pixels
    from vaecodec.codec.picture import Picture
    from vaecodec.codec.window import WindowLike

SPLITS = ("train", "validation", "test")
STANDARD_INPUT = "-"
PLAIN_KEY = re.compile("(^|[_/])images?$")  # what a key says that every key of images does


@dataclass(frozen=True, slots=True)
class FilePiece:
    """An image file at a path or address, and the name that its image has in the archive."""

    path: str
    name: str

    @property
    def count(self) -> int:
        """Of its images."""
        return 1


@dataclass(frozen=True, slots=True)
class SetPiece:
    """Images first, first + 1, … of a set. data_dir: where named sets lie, "" for where they lie by default."""

    source: str
    data_dir: str
    first: int
    count: int


Piece = FilePiece | SetPiece


@dataclass(frozen=True, slots=True, eq=False)
class ImageArrays:
    """The tables of a set, one after the other. what: the set's name, for errors."""

    tables: Sequence[ImageTable]
    what: str = ""

    def __len__(self) -> int:
        return sum(map(len, self.tables))

    def some(
        self, first: int, count: int, *, named: bool = True, strip: bool = False, window: WindowLike | None = None
    ) -> Iterator[SourceImage]:
        """Each of these images; named, strip: as for read_pieces(); window: of image files of more than 8 bits.

        Raises ImageError's children, DataError.
        """
        begins = 0
        for table in self.tables:
            for k in range(max(first - begins, 0), min(first + count - begins, len(table))):
                found = table.images[k]
                image: Picture | Pixels
                if isinstance(found, bytes):
                    image, size_bytes = _decoded(found, f"{self.what}: image {k}", strip, window), len(found)
                else:
                    image, size_bytes = found, found.nbytes
                label = None if table.labels is None else table.labels[k]
                yield SourceImage(image, self._name(table, k) if named else None, label, size_bytes)
            begins += len(table)

    def _name(self, table: ImageTable, number: int) -> str | None:
        """Of one image: its own, or of which table of several it is, train_images among them: train/7."""
        if table.names is not None:
            return table.names[number]
        return None if len(self.tables) == 1 else f"{PLAIN_KEY.sub('', table.key) or table.key}/{number}"


def _decoded(data: bytes, what: str, strip: bool, window: WindowLike | None) -> Picture:
    from vaecodec.codec.picture import read_picture

    try:
        picture = read_picture(BytesIO(data), window)
    except VaecodecError as error:
        error.args = (f"{what}: {error}",)
        raise
    return replace(picture, chunks={}) if strip else picture


def pieces_of(
    sources: Iterable[str],
    *,
    data_dir: str | None,
    listed: Callable[[], Iterable[str]],
    on_linked: Callable[[str, Sequence[str]], None],
) -> Iterator[Piece]:
    """The pieces of sources, in order; sets are opened to be counted. Raises DataError, OSError.

    listed: gives the files that the source `-` stands for. on_linked: is told of a folder's subfolders behind links,
    which are left out.
    """
    for source in sources:
        if is_set(source):
            count = len(open_set(_absolute(source), data_dir or ""))
            yield SetPiece(_absolute(source), "" if data_dir is None else os.path.abspath(data_dir), 0, count)
        elif source == STANDARD_INPUT:
            yield from (FilePiece(_absolute(line), name_of(line)) for line in listed())
        else:
            for piece in files_meant(source, on_linked):
                yield FilePiece(_absolute(piece.path), piece.name)


def is_set(source: str) -> bool:
    """Whether this is a file that holds many images, or a data set's split such as mnist:test."""
    if is_address(source):
        return False
    path = Path(source)
    if path.is_file():
        return is_array_file(path) or "idx3-ubyte" in path.name or _starts_as_idx(path)
    if path.exists() or ":" not in source:
        return False
    file, key = split_key(source)
    return key in SPLITS or (is_array_file(file) and file.is_file())


def files_meant(source: str, on_linked: Callable[[str, Sequence[str]], None]) -> Iterable[FilePiece]:
    """The image files that a path, folder, pattern or address means. Raises DataError, OSError."""
    if is_address(source):
        return _objects(source)
    path = Path(source)
    if path.is_dir():
        return _folder(path, on_linked)
    if path.exists():
        return [FilePiece(source, name_of(source))]
    found = sorted(p for p in glob.glob(source, recursive=True) if not os.path.isdir(p))
    if found:
        return [FilePiece(p, name_of(p)) for p in found]
    raise DatasetMissing(f"{source}: no file, folder, pattern that matches, or data set such as mnist:test")


def name_of(path: str) -> str:
    """The path with forward slashes, if it stays below where it starts; else the file's name alone."""
    if is_address(path):
        return path.rpartition("/")[2]
    parts = PurePath(os.path.normpath(path)).parts
    if os.path.isabs(path) or ".." in parts:
        return parts[-1]
    return "/".join(parts)


def _absolute(path: str) -> str:
    """As a process in another folder finds it; names of data sets and addresses as they are."""
    is_named = path.rpartition(":")[2] in SPLITS and not is_array_file(split_key(path)[0])
    is_name = is_address(path) or (is_named and not os.path.exists(path))
    return path if is_name else os.path.abspath(path)


def _folder(folder: Path, on_linked: Callable[[str, Sequence[str]], None]) -> list[FilePiece]:
    """What cannot be read stands after the others, for whoever reads it to say so. Raises DatasetMissing."""
    from vaecodec.data.folder import SUFFIXES
    from vaecodec.files.walk import files_below

    found = files_below(folder, SUFFIXES)
    on_linked(str(folder), found.linked)
    in_order = sorted(found.files, key=lambda path: PurePath(path).parts)
    paths = [*in_order, *(one.path for one in found.unreadable)]
    if not paths:
        raise DatasetMissing(f"{folder}: expected images, found no file that ends in {' '.join(sorted(SUFFIXES))}")
    return [FilePiece(str(folder / path), PurePath(path).as_posix()) for path in paths]


def _objects(address: str) -> Iterator[FilePiece]:
    """Those that are called as image files are, where the address is not one of them itself."""
    from vaecodec.data.folder import SUFFIXES

    count = 0
    for path, name in objects_below(address):
        if path == address or os.path.splitext(path)[1].lower() in SUFFIXES:
            count += 1
            yield FilePiece(path, name)
    if not count:
        raise DatasetMissing(f"{address}: no image")


def read_pieces(pieces: Iterable[Piece], *, named: bool, strip: bool) -> Iterator[SourceImage]:
    """The images of pieces, in order. Raises DataError, ImageError's children, OSError, all of which name the piece.

    named: with the files' names. strip: without the files' ICC profiles, EXIF and XMP.
    """
    for piece in pieces:
        if isinstance(piece, SetPiece):
            found = _open_set_again(piece.source, piece.data_dir)
            yield from found.some(piece.first, piece.count, named=named, strip=strip)
        else:
            yield read_file(piece, named=named, strip=strip)


def read_file(piece: FilePiece, *, named: bool, strip: bool, window: WindowLike | None = None) -> SourceImage:
    """The image of a file or object, window: of one of more than 8 bits. Raises ImageError's children, OSError."""
    from PIL import Image

    from vaecodec.codec.picture import read_picture

    Image.MAX_IMAGE_PIXELS = None  # picture.py has a limit of its own, of which nobody is warned at half the way
    try:
        if is_address(piece.path):
            data = read_object(piece.path)
            picture, size_bytes = read_picture(BytesIO(data), window), len(data)
        else:
            picture, size_bytes = read_picture(piece.path, window), os.path.getsize(piece.path)
    except VaecodecError as error:
        if not str(error).startswith(f"{piece.path}: "):
            error.args = (f"{piece.path}: {error}",)
        raise
    kept = replace(picture, chunks={}) if strip else picture
    return SourceImage(kept, piece.name if named else None, None, size_bytes)


def open_set(source: str, data_dir: str) -> ImageArrays:
    """All of an IDX file, of a file of arrays (of a key: set.npz:train_images), or of a data set's split.

    Raises DataError.
    """
    path, key = split_key(source)
    if is_array_file(path) and path.is_file():
        return ImageArrays(open_tables(path, key), source)
    if path.is_file():
        return ImageArrays([_idx(path)], source)
    from vaecodec.data import load_dataset

    name, _, split = source.rpartition(":")
    found = load_dataset(name, split, data_dir=data_dir or None)
    return ImageArrays([ImageTable("", ArrayImages(found.images, source), found.labels)], source)


_open_set_again = lru_cache(maxsize=1)(open_set)  # neighbouring shards are often of one file


def _starts_as_idx(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(4) == b"\0\0\x08\x03"


def _idx(path: Path) -> ImageTable:
    """With the labels that lie beside it under MNIST's naming."""
    from vaecodec.data.mnist import read_idx

    images = ArrayImages(read_idx(path, dimensions=3)[0], str(path))
    beside = path.with_name(path.name.replace("images-idx3", "labels-idx1"))
    if beside == path or not beside.is_file():
        return ImageTable("", images, None)
    labels = read_idx(beside, dimensions=1)[0]
    return ImageTable("", images, checked_labels(labels, len(images), str(beside)))


def pack_piece(piece: Piece) -> bytes:
    """A line of JSON; letters beyond ASCII are escaped, for a file's name may be no text."""
    return json.dumps(astuple(piece)).encode("ascii") + b"\n"


def unpack_pieces(data: bytes) -> Iterator[Piece]:
    """The inverse of pack_piece(), line by line. Raises BadField."""
    for line in data.splitlines():
        try:
            value: Any = json.loads(line)
            yield FilePiece(*value) if len(value) == 2 else SetPiece(*value)
        except (ValueError, TypeError) as error:
            raise BadField(f"plan: not a piece of a source: {line[:80]!r}") from error
