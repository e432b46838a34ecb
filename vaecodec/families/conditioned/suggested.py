"""What images suggest for a conditioned-vae that no config file describes: sizes for two cores and ten minutes.

uint8 images (n, h, w[, 3]) ──few enough pixels──> one network for the whole image
                            └─more───────────────> square tiles, as large as one network may be
"""

from __future__ import annotations

import math
from typing import Any

from vaecodec.data.image_set import ImageSet
from vaecodec.errors import ConfigError
from vaecodec.recipes.suggested import SUGGESTION_REACH

MOST_VALUES = 4096  # of a tile, pixels times channels: a matrix of so many by LATENTS takes 5 MB of the model file
SMALLEST_TILE = 8
LATENTS, TILED_LATENTS = 640, 256  # of a tile; those of all tiles have a table each, at every level
LEVELS, TILED_LEVELS = 32, 18
BATCH, SMALLEST_BATCH = 128, 8  # tiles, images
COUNTED, LEAST_COUNTED = 8000, 2000  # tiles, images
BITS_A_PIXEL = 1.0  # at the default level


def suggested_sizes(images: ImageSet) -> dict[str, Any]:
    """[model]. Raises ConfigError, which names the remedy, for a size that cannot be cut into tiles."""
    height, width = images.geometry
    channels = 1 if images.images.ndim == 3 else 3
    tile = tile_of(height, width, channels)
    values = channels * (tile * tile or height * width)
    units = 512 if values <= MOST_VALUES // 4 else 384
    return {
        "height": height,
        "width": width,
        "channels": channels,
        "tile": tile,
        "latents": min(TILED_LATENTS if tile else LATENTS, values),
        "units": 384,
        "hidden": 256,
        "blocks": 2,
        "encoder_units": units,
        "encoder_blocks": 2,
        "normalised": True,
        "levels": TILED_LEVELS if tile else LEVELS,
        "knots": 9,
        "beta_high": 8.0,
        "beta_low": 0.01,
        "balance": 0.45,
    }


def suggested_objective(images: ImageSet, steps: int) -> dict[str, Any]:
    """[objective]: the distortion that PSNR measures."""
    return {"likelihood": "gaussian", "rate": "uniform-noise"}


def suggested_optimiser(images: ImageSet) -> dict[str, Any]:
    """[optimiser], but for the number of steps."""
    batch = max(SMALLEST_BATCH, BATCH // _tiles(images))
    return {"batch_size": batch, "learning_rate": 2e-3, "warmup_steps": 100}


def suggested_finish(images: ImageSet) -> dict[str, Any]:
    """[finish]: a minute of two cores."""
    height, width = images.geometry
    return {
        "synthesis_steps": 300,
        "synthesis_learning_rate": 5e-5,
        "prune_share": 0.003,
        "counted_images": max(LEAST_COUNTED, COUNTED // _tiles(images)),
        "default_file_bytes": BITS_A_PIXEL * height * width / 8,
    }


def tile_of(height: int, width: int, channels: int) -> int:
    """The side of the tiles, 0 where an image is one. Raises ConfigError."""
    if height * width * channels <= MOST_VALUES:
        return 0
    tile = _largest_tile(height, width, channels)
    if tile:
        return tile
    reach = range(-SUGGESTION_REACH, SUGGESTION_REACH + 1)
    near = [(height + a, width + b) for a in reach for b in reach if min(height + a, width + b) > 0]
    near.sort(key=lambda size: abs(size[0] - height) + abs(size[1] - width))
    found = next((size for size in near if _largest_tile(*size, channels)), None)
    assert found is not None  # multiples of 16 are nowhere farther apart
    raise ConfigError(
        f"images of {height}x{width} (height x width) cannot be cut into squares of {SMALLEST_TILE} pixels a "
        f"side, or more, that one network can code: --resize {found[0]}x{found[1]} brings a folder's images to a size "
        "that can"
    )


def _largest_tile(height: int, width: int, channels: int) -> int:
    both = math.gcd(height, width)
    most = math.isqrt(MOST_VALUES // channels)
    return max((side for side in range(SMALLEST_TILE, most + 1) if both % side == 0), default=0)


def _tiles(images: ImageSet) -> int:
    sizes = suggested_sizes(images)
    return sizes["height"] * sizes["width"] // sizes["tile"] ** 2 if sizes["tile"] else 1
