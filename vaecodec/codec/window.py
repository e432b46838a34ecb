"""Windows for pictures of more than 8 bits: what their values are, and which of these become 0 and 255.

    array uint16, float32, …, PIL I;16, I, F ──deep_values──> values ──window_for("minmax")──> Window ──scale──> pixels

No window is a default: which values are lost is for people to choose.

    "minmax"        from the smallest to the largest value of the picture
    "percentile"    of its 0.5 % darkest and 0.5 % brightest pixels nothing but that they are
    (low, high)     these, rounded to numbers that the values' type has
    Window          the same for every picture, of this type alone
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, TypeGuard

import numpy as np

from vaecodec.bitstream.window import DTYPES, Values, Window
from vaecodec.errors import ConfigError, ImageError, ImageModeError

if TYPE_CHECKING:
    from PIL import Image

    WindowLike = Window | str | tuple[float, float]

MINMAX, PERCENTILE = "minmax", "percentile"
PERCENTILES = (0.5, 99.5)
DEEP_DTYPES = frozenset(DTYPES.values())
DEEP_MODES = frozenset({"I", "F"})  # Pillow's; and those that begin with I;16
FULL_PPM = 65535  # Pillow stretches 16-bit PGM of any other maximum to it


def is_deep(image: object) -> bool:
    """Whether an array or a PIL image has values of more than 8 bits, which a window can scale."""
    if isinstance(image, np.ndarray):
        return image.dtype.name in DEEP_DTYPES
    return _is_pillow(image) and (image.mode in DEEP_MODES or image.mode.startswith("I;16"))


def deep_values(image: Values | Image.Image) -> Values:
    """The values of an image that is_deep(): of an array itself, of a PIL image (h, w), before its pixels are loaded.

    Raises ImageError where a value is no number, ImageModeError where Pillow would change them.
    """
    if isinstance(image, np.ndarray):
        if np.any(getattr(image, "mask", False)):
            raise ImageError("image: a masked array with masked pixels; fill them first")
        values = np.asarray(image).astype(image.dtype.newbyteorder("="), copy=False)
    else:
        name = _dtype_of(image)
        values = np.asarray(image).astype(name, copy=False)
    if values.dtype.kind == "f" and not np.isfinite(values).all():
        count = int(np.count_nonzero(~np.isfinite(values)))
        raise ImageError(f"image: {count} of its values are no finite numbers; replace them first")
    return values


def window_for(values: Values, asked: WindowLike) -> Window:
    """The window that is asked for, of these values. Raises ConfigError, ImageError where there is no value."""
    if isinstance(asked, Window):
        return asked
    dtype = values.dtype.name
    if not values.size:
        raise ImageError(f"image: expected pixels, found an array of shape {values.shape}")
    if isinstance(asked, str):
        return Window.near(*_ends(values, asked), dtype)
    low, high = _pair(asked)
    if not low < high:
        raise ConfigError(f"window {low:g} to {high:g}: the low end must be below the high one")
    return Window.near(low, high, dtype)


def holding(windows: list[Window]) -> Window:
    """The smallest window that holds all of these. Raises ConfigError where they are of several types, or none."""
    kinds = sorted({window.dtype for window in windows})
    if len(kinds) != 1:
        raise ConfigError(f"one window: the pictures have values of {' and '.join(kinds) or 'no type'}, expected one")
    return Window(min(window.low for window in windows), max(window.high for window in windows), kinds[0])


def check_asked(asked: WindowLike) -> None:
    """Raises ConfigError for what means no window."""
    if isinstance(asked, str) and asked not in (MINMAX, PERCENTILE):
        raise ConfigError(f'window {asked!r}: expected "{MINMAX}", "{PERCENTILE}", a pair (low, high) or a Window')
    if not isinstance(asked, str | Window):
        _pair(asked)


def _ends(values: Values, asked: str) -> tuple[float, float]:
    check_asked(asked)
    ends = values.min(), values.max()
    if asked == PERCENTILE:
        low, high = (
            np.percentile(values, PERCENTILES[0], method="lower"),
            np.percentile(values, PERCENTILES[1], method="higher"),
        )
        ends = (low, high) if low < high else ends  # nearly all of one value: what stands out must not be lost
    return ends[0].item(), ends[1].item()


def _pair(asked: Any) -> tuple[float, float]:
    try:
        low, high = asked
        return float(low), float(high)
    except (TypeError, ValueError) as error:
        raise ConfigError(f"window {asked!r}: expected two numbers, low and high") from error


def _is_pillow(image: object) -> TypeGuard[Image.Image]:
    if "PIL.Image" not in sys.modules:  # else there can be none
        return False
    from PIL import Image

    return isinstance(image, Image.Image)


def _dtype_of(image: Image.Image) -> str:
    """The type of a PIL image's values: what its file says, where Pillow keeps 16 bits in 32."""
    if image.mode == "F":
        return "float32"
    raw = ""
    for tile in getattr(image, "tile", None) or ():
        decoder, arguments = tile[0], tile[3]
        parts = arguments if isinstance(arguments, tuple) else (arguments,)
        raw = parts[0] if parts and isinstance(parts[0], str) else ""
        if decoder in ("ppm", "ppm_plain") and len(parts) > 1 and parts[1] != FULL_PPM:
            raise ImageModeError(
                f"image of values to {parts[1]}, which Pillow changes: give them as an array of numpy, with a window"
            )
    if image.mode.startswith("I;16") or raw.startswith("I;16"):
        return "int16" if raw.endswith("S") else "uint16"
    return "int32"
