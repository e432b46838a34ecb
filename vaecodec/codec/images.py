"""Images as a model takes them: of its channels, and as large as its geometry. Where something would be lost: refused.

file ──read_pixels──┐
PIL image, array ───┴──pixels_for(channels)──> uint8 (h, w) or (h, w, 3) ──Frame.fit──> Framed: padded by its edge

L, 1                      grey, 1 as 0 and 255; a model of colour takes the same in each channel
RGB, RGBA, P, LA, …       colour; a model of grey takes it where the channels agree
refused                   alpha that is not opaque, more than 8 bits without a window, several frames

A picture is turned upright first, as its EXIF orientation says.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from vaecodec.arrays import Pixels, Size
from vaecodec.bitstream.limits import MAX_SIDE
from vaecodec.bitstream.window import DTYPES, Window
from vaecodec.codec import refusals
from vaecodec.errors import BadField, ImageError, ImageModeError, ImageSizeError, NotCanonical, UnreadableImage
from vaecodec.files.depth import BYTE, bits_a_channel
from vaecodec.files.inputs import open_regular
from vaecodec.limits import limits

if TYPE_CHECKING:
    from PIL import Image

GREY, COLOUR = 1, 3  # channels
EXIF_ORIENTATION, UPRIGHT = 0x0112, 1
GREY_MODES, COLOUR_MODES = frozenset({"1", "L"}), frozenset({"LA", "P", "PA", "RGB", "RGBA", "RGBX"})  # Pillow's
_KIND = {GREY: "grey", COLOUR: "RGB"}


@dataclass(frozen=True, slots=True, eq=False)
class Windowed:
    """Pixels uint8, (h, w) or (h, w, 3), that a window made of values."""

    pixels: Pixels
    window: Window


@dataclass(frozen=True, slots=True, eq=False)
class Framed:
    """An image in a model's frame.

    pixels: its own, (h, w) or (h, w, 3). whole: the same, padded at the bottom and right to the model's geometry. size:
    what a stream must say, None where it is the model's own. window: of the values that the pixels were made of.
    """

    pixels: Pixels
    whole: Pixels
    size: Size | None
    window: Window | None = None


@dataclass(frozen=True, slots=True)
class Frame:
    """What the images of the model `name` are made to fit.

    shape: of the largest image that it takes, (height, width) if it is grey, (height, width, 3) if it is in colour.
    """

    name: str
    shape: tuple[int, ...]

    @property
    def size(self) -> Size:
        """(height, width) in pixels."""
        return self.shape[0], self.shape[1]

    @property
    def channels(self) -> int:
        """1 or 3."""
        return GREY if len(self.shape) == 2 else COLOUR

    def fit(self, image: Pixels | Windowed | Image.Image) -> Framed:
        """Any image, in the frame. Raises ImageError, ImageModeError, ImageSizeError."""
        window = image.window if isinstance(image, Windowed) else None
        pixels = pixels_for(image.pixels if isinstance(image, Windowed) else image, self.channels)
        if pixels.shape == self.shape:
            return Framed(pixels, pixels, None, window)
        self._check(pixels)
        return Framed(pixels, self._padded(pixels), (pixels.shape[0], pixels.shape[1]), window)

    def fit_all(self, images: Iterable[Pixels | Windowed | Image.Image]) -> list[Framed]:
        """fit() of each."""
        return [self.fit(image) for image in images]

    def cropped(self, whole: Pixels, size: Size | None) -> Pixels:
        """The top left, (height, width), of an image that fills the frame; the image itself where size is None."""
        return whole if size is None else whole[: size[0], : size[1]].copy()

    def is_padded(self, whole: Pixels, size: Size) -> bool:
        """Whether the pixels beyond the size repeat its edge."""
        return np.array_equal(self._padded(whole[: size[0], : size[1]]), whole)

    def inside(self, images: Sequence[Framed]) -> npt.NDArray[np.bool_]:
        """Which values (b, height, width) or (b, height, width, 3) of the padded images are the images' own."""
        mask = np.zeros((len(images), *self.shape), np.bool_)
        for row, image in zip(mask, images, strict=True):
            row[: image.pixels.shape[0], : image.pixels.shape[1]] = True
        return mask

    def check_written(self, size: Size | None) -> None:
        """Raises NotCanonical, BadField for a size that a stream must not say."""
        if size is None:
            return
        if size == self.size:
            raise NotCanonical(f"size: {size[0]}x{size[1]} is the model's own and must not be written")
        if size[0] > self.shape[0] or size[1] > self.shape[1]:
            raise BadField(f"size: {size[0]}x{size[1]} exceeds the model's {self.shape[0]}x{self.shape[1]}")

    def _check(self, pixels: Pixels) -> None:
        if 0 in pixels.shape:
            raise ImageError(f"image: expected pixels, found an array of shape {pixels.shape}")
        height, width = pixels.shape[:2]
        most = f"{self.shape[0]}x{self.shape[1]}"
        if height > self.shape[0] or width > self.shape[1]:
            raise ImageSizeError(
                f"image of {height}x{width} pixels: {self.name} takes at most {most}; "
                "resize it, or train a model for this size (vaecodec train FOLDER)"
            )
        if max(height, width) > MAX_SIDE:
            raise ImageSizeError(
                f"image of {height}x{width} pixels: version 1 of the stream writes sizes of at most {MAX_SIDE}x"
                f"{MAX_SIDE}; pad it to the {most} of {self.name}"
            )

    def _padded(self, pixels: Pixels) -> Pixels:
        height, width = pixels.shape[:2]
        whole = np.empty(self.shape, np.uint8)  # numpy's own pad takes ten times as long for small images
        whole[:height, :width] = pixels
        whole[height:, :width] = pixels[-1:]
        whole[:, width:] = whole[:, width - 1 : width]
        return whole


def read_pixels(source: str | IO[bytes], channels: int | None = None) -> Pixels:
    """The pixels of an image file that Pillow reads, for models of so many channels; None: (h, w) wherever it is grey.

    Raises OSError, UnreadableImage, ImageModeError.
    """
    from PIL import Image, UnidentifiedImageError

    if isinstance(source, str):
        with open_regular(source) as file:
            return read_pixels(file, channels)
    try:
        with Image.open(source) as image:
            if image.width * image.height > limits().image_pixels:
                raise UnreadableImage(f"image of {image.height}x{image.width} pixels: too large for any model")
            return natural_pixels(image) if channels is None else pixels_for(image, channels)
    except ImageError:
        raise
    except UnidentifiedImageError as error:  # whose message shows a Python object
        raise UnreadableImage("not an image that Pillow can read") from error
    except Exception as error:  # Pillow's decoders raise OSError, SyntaxError, ValueError, EOFError, struct.error, ...
        raise UnreadableImage(f"not an image that Pillow can read ({error})") from error


def read_grey(source: str | IO[bytes]) -> Pixels:
    """read_pixels() for models of grey: uint8 (h, w)."""
    return read_pixels(source, GREY)


def grey_pixels(image: Pixels | Image.Image) -> Pixels:
    """pixels_for() models of grey: uint8 (h, w)."""
    return pixels_for(image, GREY)


def natural_pixels(image: Pixels | Image.Image) -> Pixels:
    """What an image is by itself: uint8 (h, w) where it is grey, else (h, w, 3). Raises ImageError, ImageModeError."""
    pixels = pixels_for(image, COLOUR)
    return pixels[..., 0].copy() if _agrees(pixels) else pixels


def pixels_for(image: Pixels | Image.Image, channels: int) -> Pixels:
    """uint8 (h, w) or (h, w, 3), as a model of 1 or 3 channels takes it, of an array or a PIL image.

    Raises ImageError, ImageModeError.
    """
    pixels = _of_array(image) if isinstance(image, np.ndarray) else _of_pillow(_checked_picture(image), channels)
    if channels == COLOUR:
        return np.repeat(pixels[..., None], COLOUR, axis=2) if pixels.ndim == 2 else np.ascontiguousarray(pixels)
    if pixels.ndim == 2:
        return pixels
    if not _agrees(pixels):
        raise ImageModeError(
            "image with colour: the model takes grey; convert it first, e.g. with Pillow's convert('L')"
        )
    return np.ascontiguousarray(pixels[..., 0])


def _checked_picture(image: object) -> Image.Image:
    """What is no array must be a picture of Pillow's. Raises ImageError."""
    if "PIL.Image" in sys.modules:  # else there can be none
        from PIL import Image

        if isinstance(image, Image.Image):
            return image
    raise ImageError(f"image: expected an array uint8 or a PIL image, found {type(image).__name__}")


def _of_array(image: Pixels) -> Pixels:
    if type(image) is not np.ndarray:
        if np.any(getattr(image, "mask", False)):
            raise ImageError("image: a masked array with masked pixels; fill them first")
        image = np.asarray(image)  # of a matrix, whose rows stay matrices
    if image.dtype != np.uint8:
        raise ImageModeError(refusals.of_dtype(image.dtype, deep=image.dtype.name in DTYPES.values()))
    if image.ndim != 2 and (image.ndim != 3 or image.shape[2] != COLOUR):
        raise ImageError(f"array of shape {image.shape}: expected (h, w) or (h, w, 3)")
    return image


def _of_pillow(image: Image.Image, channels: int) -> Pixels:
    if getattr(image, "n_frames", 1) > 1:
        raise ImageModeError(refusals.SEVERAL_FRAMES)
    if image.mode in GREY_MODES | COLOUR_MODES:
        image = _checked_upright(image)
    if image.mode in GREY_MODES and "transparency" not in image.info:
        return np.array(image.convert("L"))
    if image.mode in GREY_MODES | COLOUR_MODES:
        return _opaque(np.array(image.convert("RGBA")), channels)
    raise ImageModeError(refusals.of_mode(image.mode))


def _checked_upright(image: Image.Image) -> Image.Image:
    """The image, turned as its EXIF says. Raises ImageModeError where its file has more than 8 bits a channel."""
    bits = bits_a_channel(image)
    if bits > BYTE:
        raise ImageModeError(refusals.of_bits(bits))
    if image.getexif().get(EXIF_ORIENTATION, UPRIGHT) == UPRIGHT:
        return image
    from PIL import ImageOps

    return ImageOps.exif_transpose(image)


def _opaque(rgba: Pixels, channels: int) -> Pixels:
    if (rgba[..., 3] != 255).any():
        raise ImageModeError(
            f"image with transparent pixels: the model takes {_KIND[channels]}; put it on a "
            "background first (e.g. Pillow's Image.alpha_composite)"
        )
    return rgba[..., :3]


def _agrees(pixels: Pixels) -> bool:
    """Whether the channels of every pixel (h, w, 3) are equal."""
    return not (pixels[..., 1:] != pixels[..., :1]).any()
