"""The images that a result is measured on: which sets there are, what a result says of one."""

from typing import Any

import numpy as np

from vaecodec.arrays import Pixels
from vaecodec.data import ImageSet

DATA = ("mnist", "dsprites")
Images = Pixels  # of a set, (n, h, w) or (n, h, w, 3)


def evenly_spaced(images: Images, most: int) -> Images:
    """At most `most` of the images, evenly spaced over the set, first and last among them."""
    if len(images) <= most:
        return images
    return images[np.linspace(0, len(images) - 1, most).round().astype(np.int64)]


def describe_set(dataset: ImageSet) -> dict[str, Any]:
    """What a result says about the images that it was measured on."""
    return {
        "name": dataset.name,
        "split": dataset.split,
        "source": dataset.source,
        "images": len(dataset.images),
        "height": dataset.images.shape[1],
        "width": dataset.images.shape[2],
        "pixels_sha256": dataset.sha256,
    }
