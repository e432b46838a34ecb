"""Arrays out of npz files, without pickle, their type and shape checked before anything is allocated."""

import math
import tokenize
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from vaecodec.errors import BadDataset
from vaecodec.limits import limits


@contextmanager
def open_npz(path: Path) -> Iterator[zipfile.ZipFile]:
    """The open archive; whatever is wrong with the file while it is in use becomes BadDataset."""
    try:
        with zipfile.ZipFile(path) as archive:
            yield archive
    # RuntimeError: an encrypted member; NotImplementedError: a compression that zipfile does not know.
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError) as error:
        raise BadDataset(f"{path}: not a whole npz file: {error}") from error


def read_array(archive: zipfile.ZipFile, path: Path, key: str, dtype: str, shape: tuple[int, ...]) -> NDArray[Any]:
    """One whole array: dtype such as "u1", shape with -1 for any length; BadDataset where it is another."""
    with open_array(archive, path, key) as stream:
        found = read_header(stream, path, key, dtype, shape)
        size_bytes = np.dtype(dtype).itemsize
        for side in found:
            size_bytes *= side
        if size_bytes > limits().data_bytes:
            raise BadDataset(f"{path}: {key}: expected at most {limits().data_bytes} bytes, found {size_bytes}")
        body = stream.read(size_bytes)
        if len(body) != size_bytes:
            raise BadDataset(f"{path}: {key}: expected {size_bytes} bytes of values, found {len(body)}")
        expect_end(stream, path, key)
    return np.frombuffer(body, dtype=np.dtype(dtype).newbyteorder("<")).reshape(found)


def open_array(archive: zipfile.ZipFile, path: Path, key: str) -> IO[bytes]:
    """The bytes of the npy file that holds an array; BadDataset names the keys there are."""
    try:
        return archive.open(f"{key}.npy")
    except KeyError as error:
        keys = [name.removesuffix(".npy") for name in archive.namelist()]
        raise BadDataset(f"{path}: expected the key {key}, found {keys}") from error


def read_header(stream: IO[bytes], path: Path, key: str, dtype: str, shape: tuple[int, ...]) -> tuple[int, ...]:
    """The shape in an npy header; BadDataset where type, order or shape is not the one expected (-1: any length)."""
    header = any_header(stream, path, key)
    found, fortran, kind = header.shape, header.fortran, header.dtype
    matches = len(found) == len(shape) and all(want in (-1, have) for have, want in zip(found, shape, strict=True))
    if fortran or kind != np.dtype(dtype).newbyteorder("<") or not matches:
        raise BadDataset(f"{path}: {key}: expected {dtype} {shape}, found {kind.str} {found}")
    return found


@dataclass(frozen=True, slots=True)
class Header:
    """What an npy file says of its array. fortran: whether the first index runs fastest."""

    shape: tuple[int, ...]
    fortran: bool
    dtype: np.dtype[Any]

    @property
    def size_bytes(self) -> int:
        """Of its values."""
        return math.prod(self.shape) * self.dtype.itemsize


def any_header(stream: IO[bytes], path: Path, key: str) -> Header:
    """The header of an npy file. Raises BadDataset where it is none."""
    try:
        version = np.lib.format.read_magic(stream)  # type: ignore[no-untyped-call]
        read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        found, fortran, dtype = read(stream)  # type: ignore[no-untyped-call]
    except (ValueError, TypeError, SyntaxError, tokenize.TokenError) as error:  # the header is a Python literal
        raise BadDataset(f"{path}: {key}: not an array: {error}") from error
    return Header(tuple(int(side) for side in found), bool(fortran), dtype)


def expect_end(stream: IO[bytes], path: Path, key: str) -> None:
    """BadDataset where the array is followed by more bytes."""
    if stream.read(1):
        raise BadDataset(f"{path}: {key}: expected the end of the array, found more bytes")
