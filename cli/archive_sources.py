"""Where the images of an archive come from: files, folders, globs, lists on standard input, IDX and npz data sets.

sources ──expand──> places, one by one ──read, some at a time──> (pixels, name, label)
"""

from __future__ import annotations

import glob
import os
import sys
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any

from vaecodec.errors import BadDataset, DataError, DatasetMissing

from .files import STANDARD, naming

SPLITS = ("train", "validation", "test")


@dataclass(frozen=True, slots=True)
class Picture:
    """pixels uint8 (h, w); its name in the archive, or None; its labels, or None; bytes of the file it came from."""

    pixels: Any
    name: str | None
    label: Any
    source_bytes: int


def read_sources(sources: Iterable[str], *, jobs: int, named: bool, data_dir: str | None) -> Iterator[Picture]:
    """Every image of the sources, in order, reading `jobs` files at a time. Raises DataError, ImageError, OSError."""
    for kind, value in _expand(sources, data_dir):
        if kind == "files":
            yield from _read_files(value, jobs, named)
        else:
            yield from value


def _expand(sources: Iterable[str], data_dir: str | None) -> Iterator[tuple[str, Any]]:
    for source in sources:
        path = Path(source)
        if source == STANDARD:
            yield "files", ((line, _name_of(line)) for line in _lines())
        elif path.is_dir():
            yield "files", _folder(path)
        elif path.is_file():
            if path.suffix == ".npz":
                yield "set", _npz(path)
            elif "idx3-ubyte" in path.name or _starts_as_idx(path):
                yield "set", _idx(path)
            else:
                yield "files", [(source, _name_of(source))]
        elif found := sorted(p for p in glob.glob(source, recursive=True) if os.path.isfile(p)):
            yield "files", [(p, _name_of(p)) for p in found]
        elif ":" in source and source.rpartition(":")[2] in SPLITS:
            yield "set", _named_set(source, data_dir)
        else:
            raise DatasetMissing(f"{source}: no file, folder, pattern that matches, or data set such as mnist:test")


def _lines() -> Iterator[str]:
    if sys.stdin is None:
        return
    for line in sys.stdin:
        if stripped := line.rstrip("\r\n"):
            yield stripped


def _name_of(path: str) -> str:
    """The path with forward slashes, if it stays below where it starts; else the file's name alone."""
    parts = PurePath(os.path.normpath(path)).parts
    if os.path.isabs(path) or ".." in parts:
        return parts[-1]
    return "/".join(parts)


def _folder(folder: Path) -> Iterator[tuple[str, str]]:
    from vaecodec.data.folder import image_paths

    for path in image_paths(folder):
        yield str(path), path.relative_to(folder).as_posix()


def _read_files(places: Iterable[tuple[str, str]], jobs: int, named: bool) -> Iterator[Picture]:
    """In order, with a bounded number of files ahead: Pillow decodes outside Python's lock."""
    if jobs == 1:
        yield from (_read_file(path, name if named else None) for path, name in places)
        return
    with ThreadPoolExecutor(jobs) as pool:
        ahead: deque[Future[Picture]] = deque()
        try:
            for path, name in places:
                ahead.append(pool.submit(_read_file, path, name if named else None))
                if len(ahead) > 4 * jobs:
                    yield ahead.popleft().result()
            while ahead:
                yield ahead.popleft().result()
        finally:
            for future in ahead:
                future.cancel()


def _read_file(path: str, name: str | None) -> Picture:
    from vaecodec.codec.images import read_grey

    with naming(path):
        return Picture(read_grey(path), name, None, os.path.getsize(path))


def _starts_as_idx(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(4) == b"\0\0\x08\x03"


def _idx(path: Path) -> Iterator[Picture]:
    """With the labels that lie beside it under MNIST's naming."""
    from vaecodec.data.mnist import read_idx

    images, _ = read_idx(path, dimensions=3)
    beside = path.with_name(path.name.replace("images-idx3", "labels-idx1"))
    labels = read_idx(beside, dimensions=1)[0] if beside != path and beside.is_file() else None
    if labels is not None and len(labels) != len(images):
        raise BadDataset(f"{beside}: {len(labels)} labels for {len(images)} images")
    yield from _pictures(images, labels)


def _npz(path: Path) -> Iterator[Picture]:
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


def _named_set(source: str, data_dir: str | None) -> Iterator[Picture]:
    from vaecodec.data import load_dataset

    name, _, split = source.rpartition(":")
    found = load_dataset(name, split, data_dir=data_dir)
    yield from _pictures(found.images, found.labels)


def _pictures(images: Any, labels: Any) -> Iterator[Picture]:
    for k, pixels in enumerate(images):
        yield Picture(pixels, None, None if labels is None else labels[k], pixels.nbytes)
