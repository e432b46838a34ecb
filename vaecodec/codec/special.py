"""Pictures as models of one geometry take and give them: grey (h, w) or in colour (h, w, 3), and opaque."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vaecodec.codec.images import Windowed
from vaecodec.errors import ImageModeError

if TYPE_CHECKING:
    from vaecodec.arrays import Pixels
    from vaecodec.bitstream.window import Window
    from vaecodec.codec.picture import Picture


def special_pixels(picture: Picture) -> Pixels:
    """What a model of one geometry takes of a picture: (h, w) or (h, w, 3). Raises ImageModeError for transparency."""
    if picture.alpha is not None:
        raise ImageModeError(
            "image with transparent pixels: models of one geometry have none; put it on a background first (e.g. "
            "Pillow's Image.alpha_composite)"
        )
    return picture.pixels[..., 0].copy() if picture.grey else picture.pixels


def special_image(picture: Picture) -> Pixels | Windowed:
    """special_pixels() with the picture's window, where it has one. Raises ImageModeError."""
    pixels = special_pixels(picture)
    return pixels if picture.window is None else Windowed(pixels, picture.window)


def special_picture(pixels: Pixels, window: Window | None = None) -> Picture:
    """What a model of one geometry gave, (h, w) or (h, w, 3), as a picture: grey where it has one channel."""
    import numpy as np

    from vaecodec.codec.picture import Picture

    if pixels.ndim == 3:
        return Picture(pixels, window=window)
    return Picture(np.repeat(pixels[..., None], 3, axis=2), grey=True, window=window)
