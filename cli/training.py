"""What train and export share: the `train` extra, and the images of a config."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING

from .boundary import Failure
from .images import check_grey

if TYPE_CHECKING:
    from vaecodec.data import ImageSet

PACKAGES = ("torch", "torchvision", "compressai", "accelerate", "onnx", "onnxscript", "tqdm")


def require_training() -> None:
    """Say at once, and not after minutes of reading data, that the `train` extra is missing."""
    missing = [package for package in PACKAGES if find_spec(package) is None]
    if missing:
        raise Failure(
            f"training needs {', '.join(missing)}: pip install 'vaecodec[train]' brings what is missing "
            "(Python 3.11 or 3.12)"
        )


def load_images(
    data: str, data_dir: str | None, resize: tuple[int, int] | None, grey: bool
) -> tuple[ImageSet, ImageSet]:
    """The training and the validation images. Raises DataError, ConfigError, ImageModeError."""
    from vaecodec.data import load_dataset

    training, validation = (
        load_dataset(data, split, data_dir=data_dir, resize=resize, grey=grey) for split in ("train", "validation")
    )
    check_grey(training)
    return training, validation
