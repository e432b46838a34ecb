"""A picture as people have them: colour pixels, and what comes with them.

    file ──Image.open──┐
    PIL image, array ──┴──as_picture──> Picture ──to_pil──> PIL image ──save(**saving_options)──> file

    1, L, LA, P, PA, RGB, RGBA, RGBX, …   pixels, and alpha where some pixel is not opaque
    YCbCr, HSV                            the RGB that Pillow makes of them
    I;16, I, F, arrays of such values     with a window that says which of them become 0 and 255 (window.py)
    CMYK, LAB, 16-bit colour, no window   refused by name: how they become 8-bit RGB is for people to choose
    animations, pages                     refused; of a multi-picture JPEG (MPO) the first, of a PSD the whole

EXIF's orientation is applied to the pixels. Nothing is clipped, dropped or changed without a word.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import IO, TYPE_CHECKING

import numpy as np
from PIL import Image, UnidentifiedImageError

from vaecodec.arrays import Pixels, Size
from vaecodec.bitstream.limits import MAX_PICTURE_SIDE
from vaecodec.bitstream.window import Values, Window
from vaecodec.codec import refusals
from vaecodec.codec.metadata import ICC, chunks_of, info_of, is_profile_of_rgb, orientation_of
from vaecodec.codec.window import MINMAX, check_asked, deep_values, is_deep, window_for
from vaecodec.errors import ConfigError, ImageError, ImageModeError, ImageSizeError, UnreadableImage, WrongType
from vaecodec.files.depth import BYTE, bits_a_channel
from vaecodec.files.inputs import open_regular, path_text
from vaecodec.limits import limits
from vaecodec.memory import memory_bytes

if TYPE_CHECKING:
    from vaecodec.codec.window import WindowLike

READING_BYTES_A_PIXEL = 15  # RGBA in Pillow, twice in numpy, and the picture's own
ONE_PICTURE_OF_SEVERAL = frozenset({"MPO", "PSD"})  # formats whose other frames are previews, or layers of the first
OPAQUE_MODES = frozenset({"1", "L", "P", "RGB", "RGBX", "YCbCr", "HSV"})
ALPHA_MODES = frozenset({"LA", "La", "PA", "RGBA", "RGBa"})
TURNS = {  # by EXIF's orientation
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_ROWS = 256  # compared at a time: the maps of a whole large picture would be as large as itself


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """A picture of at least one pixel.

    pixels: uint8 (h, w, 3), RGB. grey: the three channels of every pixel agree. alpha: uint8 (h, w), None where every
    pixel is opaque. chunks: bytes by "icc", "exif" (a TIFF structure) and "xmp", those that there are.
    """

    pixels: Pixels
    grey: bool = False
    alpha: Pixels | None = None
    chunks: Mapping[str, bytes] = field(default_factory=lambda: MappingProxyType({}))
    window: Window | None = None
    clipped: int = 0

    @property
    def size(self) -> Size:
        """(height, width) in pixels."""
        return self.pixels.shape[0], self.pixels.shape[1]

    def values(self) -> Values:
        """What the pixels were made of, (h, w) of grey or (h, w, 3), scaled back; the pixels where there is no window.

        In the window's dtype; see vaecodec.bitstream.window.Window.restore.
        """
        pixels = self.pixels[..., 0] if self.grey else self.pixels
        return pixels if self.window is None else self.window.restore(pixels)


def read_picture(
    source: str | bytes | os.PathLike[str] | IO[bytes] | Image.Image, window: WindowLike | None = None
) -> Picture:
    """The picture of a file that Pillow opens, by its path or open; or as_picture() of an image that Pillow has opened.

    window: for values of more than 8 bits, as as_picture() has it. Raises OSError, UnreadableImage, ImageModeError,
    ImageSizeError, ConfigError.
    """
    if isinstance(source, Image.Image):
        return as_picture(source, window)
    if isinstance(source, str | bytes | os.PathLike):
        with open_regular(path_text(source)) as file:
            return read_picture(file, window)
    try:
        with Image.open(source) as image:
            return as_picture(image, window)
    except (ImageError, ConfigError):
        raise
    except UnidentifiedImageError as error:  # whose message shows a Python object
        raise UnreadableImage("not an image that Pillow can read") from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise ImageSizeError(f"image of more pixels than Pillow is set to open ({error})") from error
    except Exception as error:  # Pillow's decoders raise OSError, SyntaxError, ValueError, EOFError, struct.error, ...
        raise UnreadableImage(f"not an image that Pillow can read ({error})") from error


def as_picture(image: Picture | Pixels | Values | Image.Image, window: WindowLike | None = None) -> Picture:
    """An image in memory as a picture: uint8 (h, w) or (h, w, 3), (h, w, 4) with alpha, or a PIL image.

    window: for arrays (h, w) or (h, w, 3) of 16 or 32 bits or of floats, and PIL's modes I;16, I and F: "minmax",
    "percentile", (low, high) or a Window (vaecodec/codec/window.py); images of 8 bits are taken as they are. Raises
    ImageError, ImageModeError, ImageSizeError, ConfigError, WrongType; for PIL images what their decoders raise too.
    """
    if isinstance(image, Picture):
        return image
    if window is not None:
        check_asked(window)
    if isinstance(image, np.ndarray):
        return _of_array(image) if window is None or not is_deep(image) else _of_values(image, window)
    if isinstance(image, Image.Image):
        return _of_pillow(image, window)
    raise WrongType(f"image: expected a picture, an array uint8 or a PIL image, found {type(image).__name__}")


def to_pil(picture: Picture) -> Image.Image:
    """The PIL image, of mode L, LA, RGB or RGBA; its info holds the chunks, which save() must be given again by
    saving_options().

    Grey becomes RGB where it comes with a profile of RGB, which no file of grey may hold.
    """
    in_colour = mode_of(grey=picture.grey, alpha=False, icc=picture.chunks.get(ICC, b"")) == "RGB"
    image = Image.fromarray(picture.pixels if in_colour else np.ascontiguousarray(picture.pixels[..., 0]))
    if picture.alpha is not None:
        image.putalpha(Image.fromarray(picture.alpha))
    image.info.update(info_of(picture.chunks))
    return image


def mode_of(*, grey: bool, alpha: bool, icc: bytes) -> str:
    """The mode of to_pil()'s image of such a picture; icc: its profile, b"" where there is none."""
    return ("RGB" if not grey or is_profile_of_rgb(icc) else "L") + "A" * alpha


def check_size(height: int, width: int) -> None:
    """Raises ImageError for no pixels, ImageSizeError for more than a stream can say."""
    if not height or not width:
        raise ImageError(f"image of {height}x{width} pixels: expected at least one")
    if max(height, width) > MAX_PICTURE_SIDE:
        raise ImageSizeError(
            f"image of {height}x{width} pixels: at most {MAX_PICTURE_SIDE} on a side; cut it into several"
        )


def _of_array(image: Pixels) -> Picture:
    if np.any(getattr(image, "mask", False)):
        raise ImageError("image: a masked array with masked pixels; fill them first")
    image = np.asarray(image)
    if image.dtype != np.uint8:
        raise ImageModeError(refusals.of_dtype(image.dtype, deep=is_deep(image)))
    if image.ndim not in (2, 3) or (image.ndim == 3 and image.shape[2] not in (3, 4)):
        raise ImageError(f"array of shape {image.shape}: expected (h, w), (h, w, 3) or (h, w, 4)")
    check_size(*image.shape[:2])
    return _picture(image, {})


def _of_values(image: Values, asked: WindowLike) -> Picture:
    """Of an array of more than 8 bits."""
    if image.ndim not in (2, 3) or (image.ndim == 3 and image.shape[2] != 3):
        raise ImageError(f"array of {image.dtype} of shape {image.shape}: expected (h, w) or (h, w, 3)")
    check_size(*image.shape[:2])
    values = deep_values(image)
    window = window_for(values, asked)
    clipped = 0 if asked == MINMAX else window.clipped(values)
    return replace(_picture(window.scale(values), {}), window=window, clipped=clipped)


def _of_pillow(image: Image.Image, asked: WindowLike | None) -> Picture:
    """What a PIL image shows, upright."""
    check_size(image.height, image.width)
    _check_pixels(image.height, image.width)
    deep = asked is not None and is_deep(image)
    _check_taken(image, deep=deep)
    if deep:
        values = deep_values(image)
    image.load()
    chunks = chunks_of(image)
    orientation = orientation_of(image)
    if asked is not None and deep:
        return replace(_of_values(_turned(values, orientation), asked), chunks=chunks)
    turn = TURNS.get(orientation)
    upright = image if turn is None else image.transpose(turn)
    mode = "RGBA" if _has_alpha(upright) else "L" if upright.mode in ("1", "L") else "RGB"
    return _picture(np.asarray(upright if upright.mode == mode else upright.convert(mode)), chunks)


def _check_pixels(height: int, width: int) -> None:
    """Raises ImageSizeError for more than the limit, or than this machine can hold."""
    most = limits().picture_pixels
    if height * width > most:
        raise ImageSizeError(f"image of {height}x{width} pixels: at most {most} pixels, unless --max-pixels says more")
    needed, there = height * width * READING_BYTES_A_PIXEL, memory_bytes()
    if there is not None and needed > there:
        raise ImageSizeError(f"image of {height}x{width} pixels: reading it needs {needed} bytes, there are {there}")


def _turned(values: Values, orientation: int) -> Values:
    """Values (h, w), upright: what TURNS does with the modes for which Pillow has no transposition."""
    turned = np.swapaxes(values, 0, 1) if orientation in (5, 6, 7, 8) else values
    turned = turned[::-1] if orientation in (3, 4, 7, 8) else turned
    return np.ascontiguousarray(turned[:, ::-1] if orientation in (2, 3, 6, 7) else turned)


def _check_taken(image: Image.Image, *, deep: bool) -> None:
    """Raises ImageModeError, with the remedy, for what would be lost. To be called before the pixels are loaded.

    deep: whether a window takes care of its bits.
    """
    if image.format not in ONE_PICTURE_OF_SEVERAL and getattr(image, "n_frames", 1) > 1:
        raise ImageModeError(refusals.SEVERAL_FRAMES)
    if deep:
        return
    if image.mode not in OPAQUE_MODES | ALPHA_MODES:
        raise ImageModeError(refusals.of_mode(image.mode))
    bits = bits_a_channel(image)
    if bits > BYTE:
        raise ImageModeError(refusals.of_bits(bits))


def _has_alpha(image: Image.Image) -> bool:
    """Pillow's has_transparency_data, which fails for what it opens without a palette (ICNS)."""
    in_palette = image.mode == "P" and image.palette is not None and image.palette.mode.endswith("A")
    return image.mode in ALPHA_MODES or "transparency" in image.info or in_palette


def _picture(pixels: Pixels, chunks: Mapping[str, bytes]) -> Picture:
    """Of (h, w), (h, w, 3) or (h, w, 4)."""
    if pixels.ndim == 2:
        return Picture(np.repeat(pixels[..., None], 3, axis=2), grey=True, chunks=chunks)
    alpha = np.ascontiguousarray(pixels[..., 3]) if pixels.shape[2] == 4 else None
    if alpha is not None and (alpha == 255).all():
        alpha = None
    colour = np.ascontiguousarray(pixels[..., :3])
    return Picture(colour, grey=_agrees(colour), alpha=alpha, chunks=chunks)


def _agrees(pixels: Pixels) -> bool:
    """Whether the channels of every pixel (h, w, 3) are equal."""
    return not any(
        (rows[..., 1:] != rows[..., :1]).any() for rows in np.split(pixels, range(_ROWS, len(pixels), _ROWS))
    )
