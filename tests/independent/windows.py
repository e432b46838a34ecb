"""A window: which values the pixels 0 and 255 stand for, and the values of all of them (section 20)."""

import math
import struct
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from tests.independent.cursor import Cursor
from tests.independent.refusal import require

FORMS = {1: "H", 2: "h", 3: "I", 4: "i", 5: "e", 6: "f", 7: "d"}
DTYPES = {1: "uint16", 2: "int16", 3: "uint32", 4: "int32", 5: "float16", 6: "float32", 7: "float64"}


@dataclass(frozen=True, slots=True)
class Window:
    """kind: a number of DTYPES. low, high: its ends."""

    kind: int
    low: float
    high: float

    def value(self, pixel: int) -> float:
        """The value that a pixel stands for, in double precision; an integer where the type has them."""
        if pixel == 255:
            return self.high
        value = self.low + pixel * (self.high - self.low) / 255
        if self.kind <= 4:
            whole = Fraction(value)
            floor = math.floor(whole)
            half = whole - floor
            up = half > Fraction(1, 2) or (half == Fraction(1, 2) and floor % 2 == 1)
            return floor + up
        return value

    def values(self, pixels: NDArray[np.uint8]) -> NDArray[np.generic]:
        """The values of pixels of any shape, of the window's type."""
        table = np.array([self.value(pixel) for pixel in range(256)], np.float64).astype(DTYPES[self.kind])
        return np.asarray(table[pixels])


def read_window(cursor: Cursor) -> Window:
    """The window that stands next."""
    kind = cursor.unsigned(1, "window's type")
    require(kind in FORMS, "BadField", f"a window of type {kind}")
    size = struct.calcsize("<" + FORMS[kind])
    ends = [cursor.take(size, "window") for _ in range(2)]
    low, high = (struct.unpack("<" + FORMS[kind], end)[0] for end in ends)
    require(math.isfinite(low) and math.isfinite(high), "BadField", "a window that is not finite")
    require(math.isfinite(255 * (float(high) - float(low))), "BadField", "a window that is too wide")
    require(low <= high, "BadField", "a window that ends below its beginning")
    signed_zero = kind > 4 and any(value == 0 and math.copysign(1, value) < 0 for value in (low, high))
    require(not signed_zero, "BadField", "a zero with a sign")
    return Window(kind, low, high)
