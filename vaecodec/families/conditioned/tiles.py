"""Tiles: an image that is larger than one network should be is coded in square parts, each by the same network.

    images (b, h, w) or (b, h, w, 3) ──cut──> tiles (b · t, s, s) or (b · t, s, s, 3) ──joined──> images

Row by row of an image, then image by image. Where an image is one tile, both do nothing.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
from jaxtyping import Float, Int, Shaped
from torch import Tensor

from vaecodec.families.conditioned.config import ConditionedConfig


def cut(images: Shaped[Tensor, "b ..."], config: ConditionedConfig) -> Shaped[Tensor, "bt ..."]:
    """The tiles of images."""
    if config.tiles == 1:
        return images
    (rows, columns), side = config.grid, config.tile
    apart = images.reshape(-1, rows, side, columns, side, config.channels).transpose(2, 3)
    return apart.reshape(-1, *config.tile_shape)


def joined(tiles: Float[Tensor, "bt ..."], config: ConditionedConfig) -> Float[Tensor, "b ..."]:
    """The inverse of cut."""
    if config.tiles == 1:
        return tiles
    (rows, columns), side = config.grid, config.tile
    apart = tiles.reshape(-1, rows, columns, side, side, config.channels).transpose(2, 3)
    return apart.reshape(-1, *config.shape)


def cut_pixels(images: npt.NDArray[np.uint8], config: ConditionedConfig) -> npt.NDArray[np.uint8]:
    """As cut, of pixels."""
    return cut(torch.from_numpy(images), config).numpy()


def of_each_tile(level: Int[Tensor, " b"], config: ConditionedConfig) -> Int[Tensor, " bt"]:
    """The levels of images as those of their tiles."""
    return level if config.tiles == 1 else level.repeat_interleave(config.tiles)
