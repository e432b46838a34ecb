"""What a set of images must be for a model: grey."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vaecodec.errors import ImageModeError

if TYPE_CHECKING:
    from vaecodec.data import ImageSet


def check_grey(images: ImageSet) -> None:
    """Raises ImageModeError, which names the remedy, for a set in colour."""
    if images.images.ndim != 3:
        raise ImageModeError(f"{images.name}: images in colour, models take grey: --grey converts them")
