"""Real dSprites: the official npz, or a subset of it with packed pixels.

    official   imgs (737280, 64, 64) uint8 0/1, latents_classes (737280, 6) int64: colour and the five below
    subset     imgs_packed (n, 512) uint8 (np.packbits), index (n,) int32, latents_classes (n, 5) uint8
    out        images (n, 64, 64) uint8 0/255, labels (n, 5) int64: shape, scale, orientation, x, y

Matthey, Higgins, Hassabis, Lerchner 2017, "dSprites: Disentanglement testing Sprites dataset".
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vaecodec.data.dsprites_factors import (
    COUNT,
    FACTORS,
    PACKED_BYTES,
    Rows,
    check_rows,
    classes_of,
    default_rows,
    unpack,
)
from vaecodec.data.dsprites_official import read_official
from vaecodec.data.image_set import ImageSet
from vaecodec.data.npz import open_npz, read_array
from vaecodec.data.splits import check_split, in_split
from vaecodec.errors import BadDataset, DatasetMissing

OFFICIAL_NAME = "dsprites_ndarray_co1sh3sc6or40x32y32_64x64.npz"
SUBSET_NAME = "dsprites-real-60k.npz"


def load_dsprites(folder: Path, split: str, *, rows: Rows | None = None) -> ImageSet:
    """A split of the real dSprites in `folder`, from the official file where it is there, else from the subset.

    rows: rows of the official data set to choose from; None means `default_rows` of the official file, and everything
    in a subset. Whatever they are, only those of the split are returned, in rising order of row. DatasetMissing where
    there is no file, or a subset has not all the rows; BadDataset where a file is not what it claims to be.
    """
    check_split(split)
    wanted = None if rows is None else check_rows(rows)
    official, subset = folder / OFFICIAL_NAME, folder / SUBSET_NAME
    if official.is_file():
        index = default_rows() if wanted is None else wanted
        return select_split(read_official(official, index), index, split, "official npz")
    if subset.is_file():
        packed, index = read_subset(subset)
        if wanted is not None:
            packed, index = pick_rows(packed, index, wanted, subset)
        return select_split(packed, index, split, "real subset")
    raise DatasetMissing(f"dsprites: no file {OFFICIAL_NAME} or {SUBSET_NAME} in {folder}")


def select_split(packed: NDArray[np.uint8], index: NDArray[np.int64], split: str, source: str) -> ImageSet:
    """Those of the images, packed uint8 (n, 512) with their official rows (n,), that belong to the split."""
    keep = in_split(packed, split)
    return ImageSet(
        name="dsprites",
        split=split,
        images=unpack(packed[keep]),
        labels=classes_of(index[keep]),
        label_names=FACTORS,
        source=source,
    )


def pick_rows(
    packed: NDArray[np.uint8], index: NDArray[np.int64], wanted: NDArray[np.int64], path: Path
) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """The wanted rows out of a subset; DatasetMissing names the first that it has not."""
    at = np.minimum(np.searchsorted(index, wanted), len(index) - 1)
    missing = wanted[index[at] != wanted]
    if missing.size:
        raise DatasetMissing(f"{path}: {missing.size} of {wanted.size} rows are not in this subset, first {missing[0]}")
    return packed[at], wanted


def read_subset(path: Path) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Packed images uint8 (n, 512) and their official rows int64 (n,), rising; BadDataset where the file is wrong."""
    with open_npz(path) as archive:
        packed = read_array(archive, path, "imgs_packed", "u1", (-1, PACKED_BYTES))
        index = read_array(archive, path, "index", "i4", (len(packed),)).astype(np.int64)
        classes = read_array(archive, path, "latents_classes", "u1", (len(packed), len(FACTORS)))
    if not len(index):
        raise BadDataset(f"{path}: index: expected images, found none")
    if index.min() < 0 or index.max() >= COUNT or len(np.unique(index)) != len(index):
        raise BadDataset(f"{path}: index: expected different rows from 0 to {COUNT - 1}")
    wrong = np.flatnonzero((classes != classes_of(index)).any(axis=1))
    if wrong.size:
        at = int(wrong[0])
        expected = classes_of(index[at : at + 1])[0].tolist()
        raise BadDataset(f"{path}: latents_classes[{at}]: expected {expected}, found {classes[at].tolist()}")
    order = np.argsort(index)
    return packed[order], index[order]
