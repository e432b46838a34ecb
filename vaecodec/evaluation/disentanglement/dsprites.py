"""dSprites images that are uniform over the factors, and the truth behind them; each set says where its pixels are
from.

official file there ──> rows at random                                     "official npz, n rows at random"
subset              ──> rows off its grid, and one of the grid for each 15  "real subset, made uniform"
nothing             ──> rows at random, drawn                               "procedural, n rows at random"

The given subset is a random part of all images together with a grid (every 4th orientation, every 2nd place), so its
factors are far from uniform. One image in 16 of all lies on that grid: with one for each fifteen off it the rest is
a random part again.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vaecodec.data.dsprites import OFFICIAL_NAME, SUBSET_NAME, read_subset
from vaecodec.data.dsprites_factors import COUNT, FACTORS, classes_of, unpack
from vaecodec.data.dsprites_official import read_official
from vaecodec.data.dsprites_renderer import render
from vaecodec.data.location import data_folder
from vaecodec.errors import DatasetMissing
from vaecodec.evaluation.disentanglement.truth import GroundTruth

ORDERED = (False, True, True, True, True)
GRID_ORIENTATION, GRID_PLACE = 4, 2  # the subset's grid: every 4th orientation, every 2nd x and y
OFF_GRID_FOR_EACH = GRID_ORIENTATION * GRID_PLACE * GRID_PLACE - 1
# What a uniform draw of the 737,280 images holds at most. Orientations 0 and 39 are one angle, so that of 40 images two
# are one picture: log2 737,280 − 2/40 is 19.442. Some small shapes coincide too, which only lowers it.
SOURCE_BITS = 19.443


@dataclass(frozen=True, eq=False)
class FactoredImages:
    """images: uint8 (n, 64, 64), 0 and 255; truth: their factors; rows: of the official data set, all different."""

    images: NDArray[np.uint8]
    truth: GroundTruth
    rows: NDArray[np.int64]
    label: str

    def __len__(self) -> int:
        return len(self.images)


def real_images(count: int, *, rng: np.random.Generator, data_dir: str | Path | None = None) -> FactoredImages:
    """At most `count` real images, uniform over the factors. Raises DatasetMissing, BadDataset."""
    folder = data_folder(data_dir) / "dsprites"
    official, subset = folder / OFFICIAL_NAME, folder / SUBSET_NAME
    if official.is_file():
        rows = _any_rows(count, rng)
        return _factored(unpack(read_official(official, rows)), rows, f"official npz, {len(rows)} rows at random")
    if not subset.is_file():
        raise DatasetMissing(f"dsprites: no file {OFFICIAL_NAME} or {SUBSET_NAME} in {folder}")
    packed, index = read_subset(subset)
    kept = uniform_part(index, rng)
    kept = np.sort(rng.permutation(kept)[:count])
    return _factored(unpack(packed[kept]), index[kept], f"real subset, made uniform: {len(kept)} images")


def drawn_images(count: int, *, rng: np.random.Generator) -> FactoredImages:
    """`count` different images of the full grid, drawn: procedural, not official pixels."""
    rows = _any_rows(count, rng)
    return _factored(render(classes_of(rows)), rows, f"procedural, {len(rows)} rows of the full grid at random")


def uniform_part(index: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.intp]:
    """Positions in `index` (rows of the official data set) that are uniform over the factors, rising."""
    _, _, orientation, x, y = classes_of(index).T
    on_grid = (orientation % GRID_ORIENTATION == 0) & (x % GRID_PLACE == 0) & (y % GRID_PLACE == 0)
    off = np.flatnonzero(~on_grid)
    on = rng.permutation(np.flatnonzero(on_grid))[: len(off) // OFF_GRID_FOR_EACH]
    return np.sort(np.concatenate([off, on]))


def _any_rows(count: int, rng: np.random.Generator) -> NDArray[np.int64]:
    return np.sort(rng.permutation(COUNT)[:count]).astype(np.int64)


def _factored(images: NDArray[np.uint8], rows: NDArray[np.int64], label: str) -> FactoredImages:
    return FactoredImages(images, GroundTruth(classes_of(rows), FACTORS, ORDERED), rows, label)
