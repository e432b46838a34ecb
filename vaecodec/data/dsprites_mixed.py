"""Real dSprites for all splits, and drawn ones beside them for training: few real images, many factors.

train: real + drawn        validation, test: real alone, since a file's size is to be known of real images
"""

from pathlib import Path

import numpy as np

from vaecodec.data.dsprites import load_dsprites
from vaecodec.data.dsprites_factors import Rows
from vaecodec.data.dsprites_renderer import load_rendered
from vaecodec.data.image_set import ImageSet


def load_mixed(folder: Path, split: str, *, rows: Rows | None = None) -> ImageSet:
    """A split of the real dSprites in `folder`; rows: of the official data set, drawn beside them for training.

    No drawn image is one of a real image of another split: splits are decided by the pixels. Raises as load_dsprites.
    """
    real = load_dsprites(folder, split)
    if split != "train":
        return real
    drawn = load_rendered(split, rows=rows)
    assert real.labels is not None
    assert drawn.labels is not None
    return ImageSet(
        name="dsprites-mixed",
        split=split,
        images=np.concatenate([real.images, drawn.images]),
        labels=np.concatenate([real.labels, drawn.labels]),
        label_names=real.label_names,
        source=f"{real.source} and procedural",
    )
