"""A window: which values of more than 8 bits the pixels 0 and 255 stand for, and its record in streams and archives.

    values ──scale──> pixels, uint8      below low: 0      above high: 255
    values <─restore── pixels            0: low            255: high            between them in equal steps

    | dtype  | low          | high         |       dtype: a number of DTYPES; low and high: of that dtype, little-endian
    | 1 byte | 2, 4, 8 bytes| 2, 4, 8 bytes|

A value between low and high comes back within half a step, (high - low) / 510, and, where values are integers, half a
one more. See docs/format.md, section 20.
"""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from vaecodec.arrays import Pixels
from vaecodec.bitstream.reader import Reader
from vaecodec.errors import BadField, ConfigError, ImageError

Values = npt.NDArray[Any]
DTYPES = {1: "uint16", 2: "int16", 3: "uint32", 4: "int32", 5: "float16", 6: "float32", 7: "float64"}
_NUMBERS = {name: number for number, name in DTYPES.items()}
_LETTERS = {"uint16": "H", "int16": "h", "uint32": "I", "int32": "i", "float16": "e", "float32": "f", "float64": "d"}
PEAK = 255
_VALUES_AT_ONCE = 1 << 20  # that are scaled in double precision: a large picture would be eight times as large


@dataclass(frozen=True, slots=True)
class Window:
    """low, high: finite numbers that the dtype holds exactly, low <= high; where they are equal, every pixel is 0.

    Raises ConfigError for anything else.
    """

    low: float
    high: float
    dtype: str

    def __post_init__(self) -> None:
        if reason := _what_is_wrong(self.low, self.high, self.dtype):
            raise ConfigError(reason)

    @classmethod
    def near(cls, low: float, high: float, dtype: str) -> Window:
        """The window of the dtype's numbers that are nearest to low and high. Raises ConfigError."""
        if dtype not in _NUMBERS:
            raise ConfigError(f"window of {dtype}: expected one of {', '.join(_NUMBERS)}")
        rounded = [_rounded(end, dtype) for end in (low, high)]
        return cls(rounded[0], rounded[1], dtype)

    @property
    def step(self) -> float:
        """How far the values of neighbouring pixels are apart."""
        return (self.high - self.low) / PEAK

    def scale(self, values: Values) -> Pixels:
        """The pixels, uint8, of values of any shape; those beyond the window become 0 or 255.

        Raises ImageError where the values are of another dtype.
        """
        if values.dtype != np.dtype(self.dtype):
            raise ImageError(f"window of {self.dtype}: does not fit values of {values.dtype}")
        pixels = np.zeros(values.shape, np.uint8)
        if self.low == self.high:
            return pixels
        rows = max(1, _VALUES_AT_ONCE // max(1, values[:1].size))
        for top in range(0, len(values), rows):
            inside = np.clip(values[top : top + rows], self.low, self.high).astype(np.float64)
            pixels[top : top + rows] = np.rint((inside - self.low) * PEAK / (self.high - self.low))
        return pixels

    def restore(self, pixels: Pixels) -> Values:
        """The values of pixels of any shape."""
        table = self.low + np.arange(PEAK + 1) * (self.high - self.low) / PEAK
        table[PEAK] = self.high
        is_integer = np.dtype(self.dtype).kind in "iu"
        return np.asarray((np.rint(table) if is_integer else table).astype(self.dtype)[pixels])

    def clipped(self, values: Values) -> int:
        """How many of the values lie beyond the window, and are lost."""
        return int(np.count_nonzero(values < self.low) + np.count_nonzero(values > self.high))

    def pack(self) -> bytes:
        """The record."""
        return struct.pack(_format(self.dtype), _NUMBERS[self.dtype], *_as_stored(self.low, self.high, self.dtype))

    def __str__(self) -> str:
        """For people: `0 to 4095 of uint16`."""
        return f"{self.low:.9g} to {self.high:.9g} of {self.dtype}"


def take_window(reader: Reader) -> Window:
    """The window whose record comes next. Raises BadField, Truncated."""
    offset = reader.offset
    number = reader.u8("window's dtype")
    if number not in DTYPES:
        raise BadField(f"window at offset {offset}: dtype {number}, expected 1..{len(DTYPES)}")
    dtype = DTYPES[number]
    body = bytes([number]) + reader.take(struct.calcsize(_format(dtype)) - 1, "window")
    _, low, high = struct.unpack(_format(dtype), body)
    if reason := _what_is_wrong(low, high, dtype):
        raise BadField(f"window at offset {offset}: {reason}")
    window = Window(low, high, dtype)
    if window.pack() != body:
        raise BadField(f"window at offset {offset}: zero has no sign here")
    return window


def unpack_window(data: bytes) -> Window:
    """The window of exactly these bytes. Raises BadField, Truncated, TrailingData."""
    reader = Reader(data)
    window = take_window(reader)
    reader.end("window")
    return window


def _format(dtype: str) -> str:
    return f"<B2{_LETTERS[dtype]}"


def _what_is_wrong(low: float, high: float, dtype: str) -> str:
    """Of the fields of a window, "" where nothing is."""
    if dtype not in _NUMBERS:
        return f"window of {dtype}: expected one of {', '.join(_NUMBERS)}"
    if not (math.isfinite(low) and math.isfinite(high) and math.isfinite(PEAK * (high - low))):
        return f"window {low:g} to {high:g}: expected finite numbers, and a finite distance"
    if low > high:
        return f"window {low:g} to {high:g}: the low end is above the high one"
    if any(_rounded(end, dtype) != end for end in (low, high)):
        return f"window {low:g} to {high:g}: {dtype} does not hold these numbers"
    return ""


def _as_stored(low: float, high: float, dtype: str) -> list[float | int]:
    """Integers where the dtype has them; a zero without a sign."""
    if np.dtype(dtype).kind in "iu":
        return [int(low), int(high)]
    return [float(low) + 0.0, float(high) + 0.0]


def _rounded(value: float, dtype: str) -> float:
    """The dtype's number that is nearest to a finite one. Raises ConfigError where the dtype does not reach so far."""
    kind = np.dtype(dtype)
    if not math.isfinite(value):
        raise ConfigError(f"window: expected finite numbers, found {value}")
    if kind.kind in "iu":
        whole, bounds = round(value), np.iinfo(kind)
        if not bounds.min <= whole <= bounds.max:
            raise ConfigError(f"window: {value:g} is beyond {dtype}, {bounds.min} to {bounds.max}")
        return whole
    with np.errstate(over="ignore"):
        found = float(np.asarray(value, np.float64).astype(kind))
    if not math.isfinite(found):
        raise ConfigError(f"window: {value:g} is beyond {dtype}")
    return found
