"""Files of arrays: npz (MedMNIST's keys, or any), npy, HDF5; and Parquet, by parquet.py.

    file, key ──> ImageTable: images, and the labels that lie beside them
    file ───────> one table for each array of images, `images` alone where it is there

Labels are found by the name of the images' array: train_images and train_labels, x_train and y_train, data and target.
"""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Callable
from functools import cached_property, partial
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from vaecodec.data.array_images import ArrayImages, ImageTable, Sliced, checked_labels, looks_like_images
from vaecodec.data.npz import Header, any_header, open_array, open_npz
from vaecodec.data.parquet import open_parquet, package
from vaecodec.errors import BadDataset
from vaecodec.limits import limits

HDF5_SUFFIXES = frozenset({".h5", ".hdf5"})
PARQUET_SUFFIX = ".parquet"
SUFFIXES = frozenset({".npz", ".npy", PARQUET_SUFFIX}) | HDF5_SUFFIXES
USUAL_KEY = "images"
COPIED_BYTES = 1 << 20  # at a time, of a large array
# What stands for the images in a key, and what stands there in the key of their labels.
BESIDE = (("images", "labels"), ("image", "label"), ("x", "y"), ("X", "y"), ("data", "labels"), ("data", "target"))


def is_array_file(path: Path) -> bool:
    """Whether a file is one of these, by its suffix."""
    return path.suffix.lower() in SUFFIXES


def split_key(source: str) -> tuple[Path, str | None]:
    """The file of a source and the key after its last colon (set.npz:train_images), None where the source is a file."""
    path, colon, key = source.rpartition(":")
    if not colon or Path(source).is_file():
        return Path(source), None
    return Path(path), key


def open_tables(path: Path, key: str | None = None) -> list[ImageTable]:
    """The images of a file: of a key, else of `images`, else of every array that looks like images, in its order.

    Raises BadDataset, ConfigError where the package that reads the file is not installed.
    """
    suffix = path.suffix.lower()
    if suffix == PARQUET_SUFFIX:
        return [open_parquet(path, key)]
    arrays = _npy(path) if suffix == ".npy" else _npz(path) if suffix == ".npz" else _hdf5(path)
    keys = _keys(path, {name: array.shape for name, array in arrays.items()}, key)
    return [_table(path, arrays, name) for name in keys]


def _keys(path: Path, shapes: dict[str, tuple[int, ...]], key: str | None) -> list[str]:
    """The keys whose images are taken. Raises BadDataset, which lists those that there are."""
    there = ", ".join(f"{name} {shape}" for name, shape in shapes.items()) or "none"
    if key is not None:
        if key not in shapes:
            raise BadDataset(f"{path}: no key {key!r}; there are {there}")
        return [key]
    if USUAL_KEY in shapes:
        return [USUAL_KEY]
    found = [name for name, shape in shapes.items() if looks_like_images(shape)]
    if not found:
        raise BadDataset(f"{path}: no array of images (n, h, w), with or without channels; there are {there}")
    return found


def _table(path: Path, arrays: dict[str, Lazy], key: str) -> ImageTable:
    what = f"{path}: {key}" if key else str(path)
    images = ArrayImages(arrays[key], what)
    beside = labels_key(key, arrays)
    labels = None
    if beside is not None:
        labels = checked_labels(np.asarray(arrays[beside][:]), len(images), f"{path}: {beside}")
    return ImageTable(key, images, labels)


def labels_key(key: str, keys: dict[str, Lazy]) -> str | None:
    """The key of the labels of an array of images, None where there is none."""
    for images, labels in BESIDE:
        beside = re.sub(rf"(^|[_/]){images}(?=$|[_/])", rf"\g<1>{labels}", key)
        if beside != key and beside in keys:
            return beside
    return None


class Lazy:
    """An array of a file whose shape and type are known, and whose values are read when the first of them is asked for.

    Whoever counts a file's images reads none of them.
    """

    def __init__(self, shape: tuple[int, ...], dtype: np.dtype[Any], opened: Callable[[], Sliced]) -> None:
        self.shape, self.dtype, self._open = shape, dtype, opened

    @cached_property
    def _opened(self) -> Sliced:
        return self._open()

    def __getitem__(self, key: slice) -> Any:
        """Raises BadDataset."""
        return self._opened[key]


def _npy(path: Path) -> dict[str, Lazy]:
    try:
        array: NDArray[Any] = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError, SyntaxError) as error:
        raise BadDataset(f"{path}: not a whole npy file: {error}") from error
    if not isinstance(array, np.ndarray):
        raise BadDataset(f"{path}: not an npy file")
    return {"": Lazy(array.shape, array.dtype, lambda: array)}


def _npz(path: Path) -> dict[str, Lazy]:
    with open_npz(path) as archive:
        found = {}
        for name in archive.namelist():
            key = name.removesuffix(".npy")
            with open_array(archive, path, key) as stream:
                header = any_header(stream, path, key)
            found[key] = Lazy(header.shape, header.dtype, partial(_unpacked, path, key))
    return found


def _unpacked(path: Path, key: str) -> NDArray[Any]:
    """An array of an npz file; a large one is unpacked to a temporary file, which goes when the array goes."""
    with open_npz(path) as archive, open_array(archive, path, key) as stream:
        header = any_header(stream, path, key)
        if header.dtype.hasobject:
            raise BadDataset(f"{path}: {key}: expected numbers, found Python objects")
        order: Literal["F", "C"] = "F" if header.fortran else "C"
        if header.size_bytes > limits().data_bytes:
            with tempfile.TemporaryFile() as file:
                shutil.copyfileobj(stream, file, COPIED_BYTES)
                _check_length(file.tell(), header, path, key)
                return np.memmap(file, header.dtype, "r", shape=header.shape, order=order)
        body = stream.read(header.size_bytes + 1)
        _check_length(len(body), header, path, key)
        return np.frombuffer(body, header.dtype).reshape(header.shape, order=order)


def _check_length(found: int, header: Header, path: Path, key: str) -> None:
    if found != header.size_bytes:
        more = "more" if found > header.size_bytes else str(found)
        raise BadDataset(f"{path}: {key}: expected {header.size_bytes} bytes of values, found {more}")


class Hdf5Array:
    """A data set of an HDF5 file, which stays open as long as this does. Reading raises BadDataset."""

    def __init__(self, file: Any, name: str, path: Path) -> None:
        self._file, self._name, self._path = file, name, path
        self._set = file[name]
        self.shape: tuple[int, ...] = self._set.shape
        self.dtype: np.dtype[Any] = self._set.dtype

    def __getitem__(self, key: slice) -> NDArray[Any]:
        try:
            values: NDArray[Any] = self._set[key]
        except OSError as error:
            raise BadDataset(f"{self._path}: {self._name}: cannot be read: {error}") from error
        return values


def _hdf5(path: Path) -> dict[str, Lazy]:
    h5py = package("h5py", path)
    try:
        file = h5py.File(path, "r")
        names: list[str] = []
        file.visititems(
            lambda name, item: names.append(name) if isinstance(item, h5py.Dataset) and item.shape else None
        )
        kinds = {name: (tuple(file[name].shape), file[name].dtype) for name in names}
    except (OSError, RuntimeError, KeyError) as error:
        raise BadDataset(f"{path}: not a whole HDF5 file: {error}") from error
    return {name: Lazy(*kind, partial(Hdf5Array, file, name, path)) for name, kind in kinds.items()}
