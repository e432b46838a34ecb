"""What a set of images means for a model: is it grey, and which sizes of network fit it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from vaecodec.errors import ConfigError, ImageModeError

if TYPE_CHECKING:
    from vaecodec.data import ImageSet

MAX_SIDE = 256  # the stream's limit (docs/format.md)
POSITIONS = (4, 100)  # of the last feature map: fewer cannot say where, more make a model file of over 8 MB
BEST_POSITIONS = 32  # between 7x7, which serves 28x28 well, and 4x4, which serves 64x64
LARGEST_PATCH = 16
SUGGESTION_REACH = 24  # pixels: how far from its size an image is offered to be resized


def check_grey(images: ImageSet) -> None:
    """Raises ImageModeError, which names the remedy, for a set in colour."""
    if images.images.ndim != 3:
        raise ImageModeError(f"{images.name}: images in colour, models take grey: --grey converts them")


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


def model_defaults(images: ImageSet, family: str) -> dict[str, Any]:
    """The table [model] that suits the images and the family. Raises ConfigError."""
    from vaecodec.families.lossless.config import LosslessConfig
    from vaecodec.recipes.sizes import ModelConfig, sizes_of

    height, width = images.geometry
    sizes = sizes_of(family)
    if sizes is LosslessConfig:
        return {"height": height, "width": width, "bit_depth": 1 if _two_valued(images) else 8}
    if not issubclass(sizes, ModelConfig):
        return {"height": height, "width": width}
    area = height * width
    latents = 16 if _two_valued(images) else 48 if area <= 32 * 32 else 96 if area <= 64 * 64 else 160
    return {"height": height, "width": width, "latents": latents, "hidden": 512, **sizes_for(height, width)}


def objective_defaults(images: ImageSet, family: str, steps: int) -> dict[str, Any]:
    """The table [objective] that suits the images and the family.

    The distortion that PSNR measures; the learned prior's bits, where the family's posterior is not Gaussian by itself;
    the capacity rises over the first three quarters of the steps.
    """
    from vaecodec.recipes.objective_config import needs_gaussian

    rate = "gaussian-kl" if needs_gaussian(family) else "uniform-noise"
    rising = {"warmup_steps": steps * 3 // 4} if family == "capacity" else {}
    return {"likelihood": "bernoulli" if _two_valued(images) else "gaussian", "rate": rate, **rising}


def _two_valued(images: ImageSet) -> bool:
    import numpy as np

    return bool(np.isin(images.images[:1000], (0, 255)).all())


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
