"""Photographs to train on, as square crops of one size: packs of encoded crops, and any folder of photographs.

    pack .npz: blob uint8 (all files joined), offsets int64 (n + 1)  --Pillow--> uint8 (n, side, side, 3)
    folder: photographs --as they are, and halved while they last--> crops at random places --> uint8 (n, side, side, 3)

In a pack, file i is blob[offsets[i] : offsets[i + 1]], and all crops have one size. Halving hides what a camera's JPEG
and its interpolation of colours did, so from large photographs the halved copies are the better half of the crops.
"""

import io
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from vaecodec.data.folder import DAMAGED, image_paths, open_upright
from vaecodec.data.npz import open_npz, read_array
from vaecodec.errors import BadDataset, ConfigError, DatasetMissing

SIDE = 256  # of crops, in pixels
MAX_CROPS = 1 << 20  # 200 GB of pixels: a slip of the pen
COPIES = 3  # of one photograph: as it is, half and a quarter of the size
CROPS_A_COPY = 8

Crops = NDArray[np.uint8]


def load_photographs(path: Path, *, side: int = SIDE, seed: int = 0, workers: int = 1) -> Crops:
    """The crops of a pack or of a folder, uint8 (n, side, side, 3).

    A folder's crops are a function of its photographs and `seed`. Raises DatasetMissing, BadDataset, ConfigError.
    """
    if path.suffix.lower() == ".npz":
        return read_pack(path, side=side, workers=workers)
    return cut_folder(path, side=side, seed=seed)


def read_pack(path: Path, *, side: int = SIDE, workers: int = 1) -> Crops:
    """All crops of a pack, in its order. Raises DatasetMissing, BadDataset."""
    if not path.is_file():
        raise DatasetMissing(f"{path}: expected a pack of crops, found no such file")
    with open_npz(path) as archive:
        blob = read_array(archive, path, "blob", "u1", (-1,))
        offsets = read_array(archive, path, "offsets", "i8", (-1,))
    bounds = offsets.tolist()
    if not 2 <= len(bounds) <= MAX_CROPS or bounds[0] != 0 or bounds[-1] != len(blob) or (np.diff(offsets) < 1).any():
        raise BadDataset(f"{path}: offsets: expected them to rise from 0 to {len(blob)}, the length of blob")
    spans = list(pairwise(bounds))
    with ThreadPoolExecutor(workers) as pool:
        read = pool.map(lambda span: _decode(blob[span[0] : span[1]].tobytes(), path, side), spans)
        return np.stack(list(read))


def cut_folder(folder: Path, *, side: int = SIDE, seed: int = 0) -> Crops:
    """Crops of every photograph below a folder and of its halved copies. Raises DatasetMissing, BadDataset.

    A copy gives as many crops as fit without overlap, at most CROPS_A_COPY. Photographs smaller than a crop are left
    out; BadDataset where that leaves none.
    """
    if side < 1:
        raise ConfigError(f"side: expected at least 1, found {side}")
    rng = np.random.default_rng(seed)
    crops = [crop for path in image_paths(folder) for crop in _cut_photograph(path, side, rng)]
    if not crops:
        raise BadDataset(f"{folder}: every photograph is smaller than {side}x{side}")
    return np.stack(crops)


def _cut_photograph(path: Path, side: int, rng: np.random.Generator) -> Iterator[Crops]:
    photograph = open_upright(path).convert("RGB")
    for copy in range(COPIES):
        size = (photograph.width >> copy, photograph.height >> copy)
        if min(size) < side:
            return
        pixels = np.asarray(photograph.resize(size, Image.Resampling.BOX) if copy else photograph)
        fitting = (size[0] // side) * (size[1] // side)
        for _ in range(min(fitting, CROPS_A_COPY)):
            top, left = rng.integers(size[1] - side + 1), rng.integers(size[0] - side + 1)
            yield pixels[top : top + side, left : left + side]


def _decode(encoded: bytes, path: Path, side: int) -> Crops:
    try:
        with Image.open(io.BytesIO(encoded)) as image:
            if image.size != (side, side):
                raise BadDataset(f"{path}: a crop of {image.height}x{image.width}, expected {side}x{side}")
            return np.asarray(image.convert("RGB"))
    except UnidentifiedImageError as error:
        raise BadDataset(f"{path}: a crop that Pillow cannot read") from error
    except BadDataset:
        raise
    except DAMAGED as error:
        raise BadDataset(f"{path}: a damaged crop: {error}") from error
