"""ImageSet: one split of one data set, held in memory, that says where its pixels came from."""

import hashlib
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vaecodec.errors import BadDataset


@dataclass(frozen=True, slots=True, eq=False)
class ImageSet:
    """Images with their labels.

    images: uint8 (n, h, w), or (n, h, w, 3) for colour; dSprites holds 0 and 255 only.
    labels: int64 (n,) or (n, k), or None; label_names has one name for each column of the labels.
    source: what the pixels are: "official IDX", "official npz", "real subset", "procedural", "folder", ...
    BadDataset where the parts do not fit together.
    """

    name: str
    split: str
    images: NDArray[np.uint8]
    labels: NDArray[np.int64] | None
    label_names: tuple[str, ...]
    source: str

    def __post_init__(self) -> None:
        images, labels = self.images, self.labels
        if images.dtype != np.uint8 or not (images.ndim == 3 or (images.ndim == 4 and images.shape[3] == 3)):
            raise BadDataset(
                f"{self.name}: expected images uint8 (n, h, w) or (n, h, w, 3), found {images.dtype} {images.shape}"
            )
        if labels is None:
            if self.label_names:
                raise BadDataset(f"{self.name}: label names {self.label_names} without labels")
            return
        if labels.dtype != np.int64 or labels.ndim not in (1, 2) or len(labels) != len(images):
            raise BadDataset(
                f"{self.name}: expected int64 labels for {len(images)} images, found {labels.dtype} {labels.shape}"
            )
        columns = 1 if labels.ndim == 1 else labels.shape[1]
        if len(self.label_names) != columns:
            raise BadDataset(f"{self.name}: expected {columns} label names, found {self.label_names}")

    def __len__(self) -> int:
        return len(self.images)

    @property
    def geometry(self) -> tuple[int, int]:
        """Height and width in pixels."""
        return int(self.images.shape[1]), int(self.images.shape[2])

    @property
    def sha256(self) -> str:
        """SHA-256 of the pixel bytes in order, hexadecimal: two sets with equal pixels have equal hashes."""
        pixels: Any = np.ascontiguousarray(self.images)
        return hashlib.sha256(pixels).hexdigest()
