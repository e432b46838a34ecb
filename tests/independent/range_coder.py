"""The range coder's decoder, and the one payload that an interval has (section 4).

    payload, zeros …  --P-->  [ low, low + range )  narrows with every column

The decoder keeps above = P − low and how much of P it has read, so at the end low = (P read so far) − above:
canonicality needs no encoder.
"""

from bisect import bisect_right
from collections.abc import Sequence

from tests.independent.refusal import require

PRECISION = 24
TOTAL = 1 << PRECISION


class RangeDecoder:
    """Finds columns in one payload."""

    def __init__(self, payload: bytes) -> None:
        self._payload = payload
        self._read = 8
        self._above = self._digits(0, 8)
        self._range = (1 << 64) - 1
        self._scale = 0

    def _digits(self, start: int, end: int) -> int:
        return int.from_bytes(self._payload[start:end].ljust(end - start, b"\0"), "big")

    def _quantile(self) -> int:
        self._scale = self._range >> PRECISION
        quantile = self._above // self._scale
        require(quantile < TOTAL, "NotCanonical", "the payload is no number of the interval")
        return quantile

    def _narrow(self, start: int, count: int) -> None:
        self._above -= self._scale * start
        self._range = self._scale * count
        if self._range < 1 << 32:
            self._above = (self._above << 32) + self._digits(self._read, self._read + 4)
            self._range <<= 32
            self._read += 4

    def column(self, starts: Sequence[int]) -> int:
        """The column of a row whose starts are given, TOTAL after the last."""
        column = bisect_right(starts, self._quantile()) - 1
        self._narrow(starts[column], starts[column + 1] - starts[column])
        return column

    def flag(self, count: int) -> int:
        """0 or 1, of which 0 has the count."""
        if self._quantile() < count:
            self._narrow(0, count)
            return 0
        self._narrow(count, TOTAL - count)
        return 1

    @property
    def bits(self) -> int:
        """T: bits of P that were read."""
        return 8 * self._read

    @property
    def width(self) -> int:
        """The interval's range."""
        return self._range

    def low(self) -> int:
        """The interval's least number."""
        return self._digits(0, self._read) - self._above

    def end(self) -> None:
        """Refuses the payload unless it is the shortest, and among these the least, of the interval."""
        payload = shortest(self.low(), self.width, self.bits)
        require(payload == self._payload, "NotCanonical", "another payload says the same symbols")


def shortest(low: int, width: int, bits: int) -> bytes:
    """The payload of the interval [low, low + width) of numbers with so many bits."""
    if low == 0:
        return b""
    shift = ((low - 1) ^ (low + width - 1)).bit_length() - 1
    shift -= shift % 8
    return (((low - 1) >> shift) + 1).to_bytes((bits - shift) // 8, "big")
