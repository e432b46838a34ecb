"""Data sets: MNIST, dSprites (real and rendered) and any folder of images, with their splits.

load_dataset(name or folder, split) --> ImageSet: images uint8 (n, h, w), labels, and where they came from
"""

from vaecodec.data.image_set import ImageSet
from vaecodec.data.registry import load_dataset

__all__ = ["ImageSet", "load_dataset"]
