"""Images from files: converted to grey where nothing is lost, refused where something would be.

L                          as it is             RGB, RGBA, P, LA   grey where the channels agree and alpha is opaque
1                          0 and 255            I;16, I, F         refused: more than 8 bits
"""

from __future__ import annotations

from typing import IO, TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from vaecodec.errors import ImageError, ImageModeError, UnreadableImage
from vaecodec.files.inputs import open_regular

if TYPE_CHECKING:
    from PIL import Image

MAX_IMAGE_PIXELS = 1 << 24  # far beyond any model's geometry; a crafted PNG must not fill the memory


def read_grey(source: str | IO[bytes]) -> npt.NDArray[np.uint8]:
    """The pixels, uint8 (h, w), of an image file that Pillow reads. Raises OSError, UnreadableImage, ImageModeError."""
    from PIL import Image, UnidentifiedImageError

    if isinstance(source, str):
        with open_regular(source) as file:
            return read_grey(file)
    try:
        with Image.open(source) as image:
            if image.width * image.height > MAX_IMAGE_PIXELS:
                raise UnreadableImage(f"image of {image.height}x{image.width} pixels: too large for any model")
            return grey_pixels(image)
    except ImageError:
        raise
    except UnidentifiedImageError as error:  # whose message shows a Python object
        raise UnreadableImage("not an image that Pillow can read") from error
    except Exception as error:  # Pillow's decoders raise OSError, SyntaxError, ValueError, EOFError, struct.error, ...
        raise UnreadableImage(f"not an image that Pillow can read ({error})") from error


def grey_pixels(image: npt.NDArray[np.uint8] | Image.Image) -> npt.NDArray[np.uint8]:
    """uint8 (h, w) of a numpy array of that shape or of a PIL image. Raises ImageError, ImageModeError."""
    if isinstance(image, np.ndarray):
        return _grey_array(image)
    if getattr(image, "n_frames", 1) > 1:
        raise ImageModeError("image with several frames: save each as a file of its own first")
    if image.mode in ("L", "1"):
        if "transparency" in image.info:
            return _grey_of_rgba(image.convert("RGBA"))
        return np.array(image.convert("L"))
    if image.mode in ("P", "PA", "RGB", "RGBA", "LA", "RGBX"):
        return _grey_of_rgba(image.convert("RGBA"))
    raise ImageModeError(
        f"image of mode {image.mode}: the model takes 8-bit grey; convert it first, e.g. with Pillow's convert('L')"
    )


def _grey_array(image: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    if image.dtype != np.uint8:
        raise ImageModeError(f"array of {image.dtype}: expected uint8 with pixels 0..255")
    if image.ndim == 3 and image.shape[2] == 3:
        return _agreeing(image)
    if image.ndim != 2:
        raise ImageError(f"array of shape {image.shape}: expected (h, w)")
    return image


def _grey_of_rgba(image: Image.Image) -> npt.NDArray[np.uint8]:
    pixels = np.array(image)
    if (pixels[..., 3] != 255).any():
        raise ImageModeError(
            "image with transparent pixels: the model takes grey; put it on a background first "
            "(e.g. Pillow's Image.alpha_composite)"
        )
    return _agreeing(pixels[..., :3])


def _agreeing(pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    grey = pixels[..., 0]
    if (pixels != grey[..., None]).any():
        raise ImageModeError(
            "image with colour: the model takes grey; convert it first, e.g. with Pillow's convert('L')"
        )
    return np.ascontiguousarray(grey)
