"""The geometry of a model's images: smaller ones are padded at the bottom and right, and their size is written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from vaecodec.errors import BadField, ImageError, ImageSizeError, NotCanonical

Pixels = npt.NDArray[np.uint8]
Size = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Geometry:
    """(height, width) in pixels of the images that the model `name` is made for, the largest it takes."""

    name: str
    height: int
    width: int

    @property
    def size(self) -> Size:
        """(height, width)."""
        return self.height, self.width

    def padded(self, image: Pixels) -> Pixels:
        """The image (h, w), made as large as the geometry by repeating its last row and column.

        Raises ImageError, ImageSizeError.
        """
        self.check_image(image)
        if image.shape == self.size:
            return image
        return np.pad(image, ((0, self.height - image.shape[0]), (0, self.width - image.shape[1])), mode="edge")

    def inside(self, images: Sequence[Pixels]) -> npt.NDArray[np.bool_]:
        """Which pixels (b, height, width) of the padded images are the images' (h, w) own."""
        mask = np.zeros((len(images), *self.size), np.bool_)
        for row, image in zip(mask, images, strict=True):
            row[: image.shape[0], : image.shape[1]] = True
        return mask

    def check_image(self, image: Pixels) -> None:
        """Raises ImageError for what is no image, ImageSizeError for one that is too large."""
        if image.ndim != 2 or 0 in image.shape:
            raise ImageError(f"image: expected shape (h, w), found {image.shape}")
        if image.shape[0] > self.height or image.shape[1] > self.width:
            raise ImageSizeError(
                f"image of {image.shape[0]}x{image.shape[1]} pixels: {self.name} takes at most "
                f"{self.height}x{self.width}; resize it, or train a model for this size (vaecodec train FOLDER)"
            )

    def written_size(self, image: Pixels) -> Size | None:
        """The size that a stream must say: None where it is the model's own."""
        height, width = image.shape
        return None if (height, width) == self.size else (height, width)

    def check_written(self, size: Size | None) -> None:
        """Raises NotCanonical, BadField for a size that a stream must not say."""
        if size is None:
            return
        if size == self.size:
            raise NotCanonical(f"size at offset 4: {size[0]}x{size[1]} is the model's own and must not be written")
        if size[0] > self.height or size[1] > self.width:
            raise BadField(f"size at offset 4: {size[0]}x{size[1]} exceeds the model's {self.height}x{self.width}")
