"""MNIST from its IDX files, plain or gzip-compressed, read strictly.

    offset 0   4 bytes   00 00 08 d    8: unsigned byte, d: number of dimensions
    offset 4   4·d bytes sizes, big endian
    then       one byte for each element, and nothing after it

Source of the layout: LeCun, Cortes, Burges, "The MNIST database of handwritten digits".
"""

import gzip
import hashlib
import zlib
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from vaecodec.data.image_set import ImageSet
from vaecodec.data.splits import check_split, tail_validation
from vaecodec.errors import BadDataset, DatasetMissing
from vaecodec.limits import limits

SIDE = 28
PARTS = {"train": "train", "validation": "train", "test": "t10k"}

# SHA-256 of the official files, unpacked: gzip's own header may differ from mirror to mirror.
UNPACKED_SHA256 = {
    "train-images-idx3-ubyte": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "train-labels-idx1-ubyte": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    "t10k-images-idx3-ubyte": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    "t10k-labels-idx1-ubyte": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
}


def file_names(split: str) -> tuple[str, str]:
    """The names, without .gz, of the files that hold the images and the labels of a split."""
    part = PARTS[check_split(split)]
    return f"{part}-images-idx3-ubyte", f"{part}-labels-idx1-ubyte"


def load_mnist(folder: Path, split: str) -> ImageSet:
    """A split of MNIST from the IDX files in `folder`.

    Images uint8 (n, 28, 28), labels int64 (n,) with values 0..9. Validation is the last twelfth of the training file
    (5,000 of 60,000), test is the official test file. DatasetMissing where a file is not there, BadDataset where one is
    not what it claims to be.
    """
    images_name, labels_name = file_names(split)
    images_path = find_idx(folder, images_name)
    labels_path = find_idx(folder, labels_name)
    images, images_hash = read_idx(images_path, dimensions=3)
    labels, labels_hash = read_idx(labels_path, dimensions=1)
    if images.shape[1:] != (SIDE, SIDE):
        raise BadDataset(f"{images_path}: offset 8: expected images of {SIDE}x{SIDE}, found {images.shape[1:]}")
    if len(labels) != len(images):
        raise BadDataset(f"{labels_path}: offset 4: expected {len(images)} labels, found {len(labels)}")
    if len(labels) and labels.max() > 9:
        at = int(np.argmax(labels > 9))
        raise BadDataset(f"{labels_path}: offset {8 + at}: expected a label from 0 to 9, found {labels[at]}")
    official = (images_hash, labels_hash) == (UNPACKED_SHA256[images_name], UNPACKED_SHA256[labels_name])
    keep = slice(None)
    if split != "test":
        border = len(images) - tail_validation(len(images))
        keep = slice(border) if split == "train" else slice(border, None)
    return ImageSet(
        name="mnist",
        split=split,
        images=images[keep],
        labels=labels[keep].astype(np.int64),
        label_names=("digit",),
        source="official IDX" if official else "IDX, not the official file",
    )


def find_idx(folder: Path, name: str) -> Path:
    """The file `name`, plain or with .gz, in `folder`; DatasetMissing where there is neither."""
    for candidate in (folder / name, folder / f"{name}.gz"):
        if candidate.is_file():
            return candidate
    raise DatasetMissing(f"mnist: no file {name} or {name}.gz in {folder}")


def read_idx(path: Path, *, dimensions: int) -> tuple[NDArray[np.uint8], str]:
    """The array of an IDX file of unsigned bytes, and the SHA-256 of the unpacked file.

    A file is taken as gzip if it begins with gzip's magic, whatever its name. BadDataset names the file, the offset (in
    the unpacked file), what was expected and what was found.
    """
    try:
        with path.open("rb") as file:
            packed = file.read(2) == b"\x1f\x8b"
            file.seek(0)
            if not packed:
                return parse_idx(file, str(path), dimensions=dimensions)
            with gzip.GzipFile(fileobj=file) as unpacked:
                return parse_idx(unpacked, str(path), dimensions=dimensions)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise BadDataset(f"{path}: not a whole gzip file: {error}") from error
    except OSError as error:
        raise BadDataset(f"{path}: cannot be read: {error}") from error


def parse_idx(file: BinaryIO | gzip.GzipFile, what: str, *, dimensions: int) -> tuple[NDArray[np.uint8], str]:
    """Parse, validate, then allocate; see `read_idx`."""
    magic = bytes((0, 0, 8, dimensions))
    header = file.read(4 + 4 * dimensions)
    if header[:4] != magic:
        raise BadDataset(f"{what}: offset 0: expected the magic {magic.hex()}, found {header[:4].hex() or 'nothing'}")
    if len(header) != 4 + 4 * dimensions:
        raise BadDataset(f"{what}: offset 4: expected {4 * dimensions} bytes of sizes, found {len(header) - 4}")
    sizes = [int.from_bytes(header[at : at + 4], "big") for at in range(4, len(header), 4)]
    length = 1
    for size in sizes:
        length *= size
    if not 0 < length <= limits().data_bytes:
        raise BadDataset(f"{what}: offset 4: expected sizes for 1 to {limits().data_bytes} bytes, found {sizes}")
    body = file.read(length)
    if len(body) != length:
        raise BadDataset(f"{what}: offset {len(header)}: expected {length} bytes, found {len(body)}")
    if file.read(1):
        raise BadDataset(f"{what}: offset {len(header) + length}: expected the end of the file, found more bytes")
    digest = hashlib.sha256(header)
    digest.update(body)
    # A copy, so that the array owns writable memory.
    return np.frombuffer(body, dtype=np.uint8).reshape(sizes).copy(), digest.hexdigest()
