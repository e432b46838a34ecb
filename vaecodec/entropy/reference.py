"""The range coder in pure Python: the executable form of docs/format.md, and the fallback without constriction.

    state: an interval [low, low + range) of numbers with as many 32-bit words as were written, and two more

    encode: scale = range >> 24; low += scale * start; range = scale * count; below 2**32 one word moves out
    decode: the same interval, narrowed around the number that the payload spells

It is equal to entropy/coder.py's other backend byte for byte. It knows integers and counts, nothing of latents.
"""

from bisect import bisect_right
from itertools import accumulate

import numpy as np
import numpy.typing as npt

from vaecodec.entropy.tables import PRECISION, CodingTables, Float64
from vaecodec.errors import NotCanonical

WORD_BITS = 32
STATE_BITS = 64
_WORD_MASK = (1 << WORD_BITS) - 1
_STATE_MASK = (1 << STATE_BITS) - 1
_HALF = 1 << (PRECISION - 1)  # the count of a bit's either value


def shortest_string(low: int, range_: int, total_bits: int) -> bytes:
    """The shortest byte string whose value, zero-padded to total_bits, lies in [low, low + range).

    The smallest where several are as short; never ends in a zero byte; empty if low is 0.
    """
    if low == 0:
        return b""
    # A multiple of 2**s lies in [low, last] just if (low - 1) >> s and last >> s differ.
    last = low + range_ - 1
    shift = ((low - 1) ^ last).bit_length() - 1 & ~7
    return (((low - 1) >> shift) + 1).to_bytes((total_bits - shift) // 8, "big")


def _cumulative_rows(tables: CodingTables) -> list[list[int]]:
    """Of every coded latent: the sums of counts before each column, and 2**24."""
    rows: list[list[int]] | None = tables._backend_cache.get("reference")
    if rows is None:
        rows = [list(accumulate(row, initial=0)) for row in tables.counts[tables.coded].tolist()]
        tables._backend_cache["reference"] = rows
    return rows


class ReferenceEncoder:
    """Backend of SymbolEncoder: narrows the interval column by column."""

    def __init__(self) -> None:
        self._words: list[int] = []
        self._low = 0
        self._range = _STATE_MASK

    def _narrow(self, start: int, count: int) -> None:
        scale = self._range >> PRECISION
        self._low += scale * start
        self._range = scale * count
        if self._low > _STATE_MASK:
            self._low &= _STATE_MASK
            self._carry()
        if self._range <= _WORD_MASK:
            self._words.append(self._low >> WORD_BITS)
            self._low = self._low << WORD_BITS & _STATE_MASK
            self._range <<= WORD_BITS

    def _carry(self) -> None:
        i = len(self._words) - 1
        while self._words[i] == _WORD_MASK:
            self._words[i] = 0
            i -= 1
        self._words[i] += 1

    def encode_columns(self, columns: npt.NDArray[np.int32], tables: CodingTables) -> None:
        """One column for each coded latent, in order."""
        for row, column in zip(_cumulative_rows(tables), columns.tolist(), strict=True):
            self._narrow(row[column], row[column + 1] - row[column])

    def encode_alike(self, columns: npt.NDArray[np.int32], table: CodingTables) -> None:
        """Columns (n,) of one row, the table's only one."""
        row = _cumulative_rows(table)[0]
        for column in columns.tolist():
            self._narrow(row[column], row[column + 1] - row[column])

    def encode_counts(self, columns: npt.NDArray[np.int32], counts: Float64) -> None:
        """One column for each row of counts (r, a), in order."""
        for row, column in zip(counts.astype(np.int64).cumsum(axis=1).tolist(), columns.tolist(), strict=True):
            start = row[column - 1] if column else 0
            self._narrow(start, row[column] - start)

    def encode_bits(self, bits: list[int]) -> None:
        """Bits of probability one half."""
        for bit in bits:
            self._narrow(bit * _HALF, _HALF)

    def words(self) -> int:
        """How many have moved out."""
        return len(self._words)

    def finish(self) -> bytes:
        """The payload."""
        low = self._low
        total_bits = WORD_BITS * len(self._words) + STATE_BITS
        written = b"".join(word.to_bytes(4, "big") for word in self._words)
        low |= int.from_bytes(written, "big") << STATE_BITS
        return shortest_string(low, self._range, total_bits)


class ReferenceDecoder:
    """Backend of SymbolDecoder: `_above` is how far the payload's number lies above the interval's low end."""

    def __init__(self, payload: bytes) -> None:
        self._payload = payload
        self._pos = 0
        self._range = _STATE_MASK
        self._above = self._next_word() << WORD_BITS | self._next_word()

    def _next_word(self) -> int:
        chunk = self._payload[self._pos : self._pos + 4]
        self._pos += 4
        return int.from_bytes(chunk, "big") << 8 * (4 - len(chunk))

    def _quantile(self) -> int:
        quantile = self._above // (self._range >> PRECISION)
        if quantile >> PRECISION:
            raise NotCanonical("payload: spells a number outside every symbol's interval")
        return quantile

    def _narrow(self, start: int, count: int) -> None:
        scale = self._range >> PRECISION
        self._above -= scale * start
        self._range = scale * count
        if self._range <= _WORD_MASK:
            self._above = self._above << WORD_BITS | self._next_word()
            self._range <<= WORD_BITS

    def decode_columns(self, tables: CodingTables) -> npt.NDArray[np.int32]:
        """One column for each coded latent, in order."""
        columns = []
        for row in _cumulative_rows(tables):
            column = bisect_right(row, self._quantile()) - 1
            self._narrow(row[column], row[column + 1] - row[column])
            columns.append(column)
        return np.array(columns, dtype=np.int32)

    def decode_alike(self, count: int, table: CodingTables) -> npt.NDArray[np.int32]:
        """Columns (count,) of one row, the table's only one."""
        row = _cumulative_rows(table)[0]
        columns = np.empty(count, np.int32)
        for place in range(count):
            column = bisect_right(row, self._quantile()) - 1
            self._narrow(row[column], row[column + 1] - row[column])
            columns[place] = column
        return columns

    def decode_counts(self, counts: Float64) -> npt.NDArray[np.int32]:
        """One column for each row of counts (r, a), in order."""
        columns = []
        for row in counts.astype(np.int64).cumsum(axis=1).tolist():
            column = bisect_right(row, self._quantile())
            start = row[column - 1] if column else 0
            self._narrow(start, row[column] - start)
            columns.append(column)
        return np.array(columns, dtype=np.int32)

    def decode_bit(self) -> int:
        """A bit of probability one half."""
        bit = self._quantile() >> (PRECISION - 1)
        self._narrow(bit * _HALF, _HALF)
        return bit
