"""What a set of images suggests for a training that no config file describes: [model] and [objective].

uint8 images (n, h, w) ──conv_sizes──> patch, channels, latents, hidden     ──…_objective──> likelihood, rate
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from vaecodec.bitstream.limits import MAX_SIDE
from vaecodec.data.image_set import ImageSet
from vaecodec.errors import ConfigError

POSITIONS = (4, 100)  # of the last feature map: fewer cannot say where, more make a model file of over 8 MB
BEST_POSITIONS = 32  # between 7x7, which serves 28x28 well, and 4x4, which serves 64x64
LARGEST_PATCH = 16
SUGGESTION_REACH = 24  # pixels: how far from its size an image is offered to be resized


def geometry_alone(images: ImageSet) -> dict[str, Any]:
    """Height and width."""
    height, width = images.geometry
    return {"height": height, "width": width}


def nothing(images: ImageSet) -> dict[str, Any]:
    """The defaults are good for any images."""
    return {}


def conv_sizes(images: ImageSet) -> dict[str, Any]:
    """Those of a convolutional network. Raises ConfigError."""
    height, width = images.geometry
    area = height * width
    latents = 16 if two_valued(images) else 48 if area <= 32 * 32 else 96 if area <= 64 * 64 else 160
    return {**geometry_alone(images), "latents": latents, "hidden": 512, **sizes_for(height, width)}


def learned_rate_objective(images: ImageSet, steps: int) -> dict[str, Any]:
    """The distortion that PSNR measures, and the learned prior's bits."""
    return {"likelihood": "bernoulli" if two_valued(images) else "gaussian", "rate": "uniform-noise"}


def gaussian_objective(images: ImageSet, steps: int) -> dict[str, Any]:
    """As learned_rate_objective, for a family whose posterior is Gaussian by itself."""
    return learned_rate_objective(images, steps) | {"rate": "gaussian-kl"}


def two_valued(images: ImageSet) -> bool:
    """Whether the first images have black and white pixels alone."""
    return bool(np.isin(images.images[:1000], (0, 255)).all())


def sizes_for(height: int, width: int) -> dict[str, Any]:
    """[model] patch and channels for images of this size. Raises ConfigError, which names the remedy."""
    found = _sizes(height, width)
    if found is None:
        near = _nearest(height, width)
        remedy = f"--resize {near[0]}x{near[1]}" if near else f"--resize HxW with sides of at most {MAX_SIDE}"
        raise ConfigError(
            f"images of {height}x{width} (height x width) cannot be halved evenly by strided convolutions, or are too "
            f"small or too large: {remedy} brings a folder's images to a size that can; a config file can set [model] "
            "patch and channels by hand"
        )
    return found


def _sizes(height: int, width: int) -> dict[str, Any] | None:
    if max(height, width) > MAX_SIDE:
        return None
    best: tuple[float, int] | None = None
    chosen = None
    for convolutions in (2, 1):
        for patch in range(1, LARGEST_PATCH + 1):
            reduction = patch << convolutions
            positions = (height // reduction) * (width // reduction)
            if height % reduction or width % reduction or not POSITIONS[0] <= positions <= POSITIONS[1]:
                continue
            # Among equals the larger reduction: a smaller map is the faster network.
            rank = (round(abs(math.log2(positions / BEST_POSITIONS)), 1), -reduction)
            if best is None or rank < best:
                wide = 64 if patch > 1 else 32
                best, chosen = rank, {"patch": patch, "channels": [wide, 2 * wide][2 - convolutions :]}
    return chosen


def _nearest(height: int, width: int) -> tuple[int, int] | None:
    """The size nearest to this one that networks can be made for."""
    offsets = range(-SUGGESTION_REACH, SUGGESTION_REACH + 1)
    near = [(height + a, width + b) for a in offsets for b in offsets if height + a > 0 and width + b > 0]
    near.sort(key=lambda size: abs(size[0] - height) + abs(size[1] - width))
    return next((size for size in near if _sizes(*size)), None)
