"""Images that a model was not made for: crops of photographs, inverted test images, noise.

The photographs are those that scikit-image and scikit-learn ship, where these are installed (they are no dependency).
"""

import sys
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.measuring.images import Images

SEED = 0
CROPS = 10_000
NOISE = 500
SKIMAGE_PHOTOGRAPHS = (
    "astronaut",
    "brick",
    "camera",
    "cat",
    "coffee",
    "coins",
    "grass",
    "gravel",
    "moon",
    "page",
    "text",
)
LUMA = (0.299, 0.587, 0.114)  # of red, green, blue: ITU-R BT.601


@dataclass(frozen=True, slots=True, eq=False)
class ForeignSet:
    """name: what the images are; images: uint8 (n, h, w)."""

    name: str
    images: Images


def foreign_sets(images: Images) -> list[ForeignSet]:
    """What there is, in the geometry of `images` (n, h, w)."""
    rng = np.random.default_rng(SEED)
    size = images.shape[1:]
    found = [ForeignSet("inverted", np.bitwise_not(images))]
    photographs = list(_photographs())
    if photographs:
        found.append(ForeignSet("photographs", crops(photographs, CROPS, (size[0], size[1]), rng)))
    else:
        print("no photographs: scikit-image and scikit-learn are not installed, skipped", file=sys.stderr)
    return [*found, ForeignSet("noise", rng.integers(0, 256, (NOISE, *size), dtype=np.uint8))]


def crops(photographs: list[Images], count: int, size: tuple[int, int], rng: np.random.Generator) -> Images:
    """`count` crops at random places of photographs taken in turn, uint8 (count, h, w)."""
    height, width = size
    fitting = [photo for photo in photographs if photo.shape[0] >= height and photo.shape[1] >= width]
    found = np.empty((count, height, width), np.uint8)
    for k in range(count):
        photo = fitting[k % len(fitting)]
        top, left = (int(rng.integers(0, have - want + 1)) for have, want in zip(photo.shape, size, strict=True))
        found[k] = photo[top : top + height, left : left + width]
    return found


def grey(photo: NDArray[np.generic]) -> Images:
    """A photograph (h, w) or (h, w, 3) as uint8 (h, w)."""
    values = np.asarray(photo, np.float64)
    return np.rint(values[..., :3] @ LUMA if values.ndim == 3 else values).clip(0, 255).astype(np.uint8)


def _photographs() -> Iterator[Images]:
    try:
        from skimage import data
    except ImportError:
        pass
    else:
        for name in SKIMAGE_PHOTOGRAPHS:
            try:
                yield grey(getattr(data, name)())
            except (OSError, ModuleNotFoundError, ValueError):  # the wheel has some of them, the network the others
                continue
    try:
        from sklearn.datasets import load_sample_images
    except ImportError:
        return
    for photo in load_sample_images().images:
        yield grey(photo)
