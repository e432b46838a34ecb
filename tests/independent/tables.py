"""Coding tables of a group of latents, and its symbols in a payload (sections 3 to 5).

offsets (n,), counts (n, a), coded (n,)  +  payload  -->  symbols (n,)
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tests.independent.range_coder import TOTAL, RangeDecoder
from tests.independent.refusal import require

MAX_LATENTS = 65536
MAX_ALPHABET = 4096
MAX_ENTRIES = 4194304
MAX_ESCAPE_BITS = 33
INT32_MAX = 2**31 - 1
INT32_MIN = -(2**31)


def check_size(latents: int, columns: int) -> None:
    """Refuses tables beyond the limits of section 12."""
    require(latents <= MAX_LATENTS, "LimitExceeded", f"{latents} latents")
    require(columns <= MAX_ALPHABET, "LimitExceeded", f"{columns} columns")
    require(latents * columns <= MAX_ENTRIES, "LimitExceeded", f"{latents} x {columns} counts")


def check_counts(counts: NDArray[np.uint32], least: int = 1) -> None:
    """Refuses rows (…, a) with a count below `least`, or whose sum is not 2^24."""
    require(bool((counts >= least).all()), "BadField", f"a count below {least}")
    require(bool((counts.sum(-1, dtype=np.int64) == TOTAL).all()), "BadField", "counts that do not sum to 2^24")


@dataclass(frozen=True, slots=True)
class Tables:
    """The tables of one group; rows[i] are the starts of latent i's columns and TOTAL, None where it is collapsed.

    entries: the counts of tables that a model file holds.
    """

    offsets: tuple[int, ...]
    rows: tuple[list[int] | None, ...]
    entries: int = 0

    @classmethod
    def of(cls, offsets: NDArray[np.int32], counts: NDArray[np.uint32], coded: NDArray[np.uint8]) -> "Tables":
        """Tables as a model file stores them, all rules checked."""
        require(offsets.ndim == 1 and counts.ndim == 2, "BadField", "tables of other shapes")
        n, a = counts.shape
        require(offsets.shape == coded.shape == (n,), "BadField", "tables whose shapes differ")
        require(n >= 1 and a >= 2, "BadField", "tables without latents, or of one column")
        check_size(n, a)
        require(bool((coded <= 1).all()), "BadField", "coded is 0 or 1")
        check_counts(counts)
        require(int(offsets.max()) + a - 2 <= INT32_MAX, "BadField", "an offset whose last symbol is no int32")
        return cls(tuple(offsets.tolist()), starts_of(counts, coded), counts.size)

    def decode(self, decoder: RangeDecoder) -> NDArray[np.int64]:
        """The symbols (n,) of the group: first all columns, then the escape values."""
        columns = [-1 if row is None else decoder.column(row) for row in self.rows]
        symbols = []
        for offset, row, column in zip(self.offsets, self.rows, columns, strict=True):
            if row is None:
                symbols.append(offset)
            elif column < len(row) - 2:
                symbols.append(offset + column)
            else:
                symbols.append(_escaped(decoder, offset, len(row) - 2))
        return np.array(symbols, np.int64)


def starts_of(counts: NDArray[np.uint32], coded: NDArray[np.uint8]) -> tuple[list[int] | None, ...]:
    """The starts of the columns of each coded row, TOTAL after them."""
    sums = np.zeros((counts.shape[0], counts.shape[1] + 1), np.int64)
    np.cumsum(counts, axis=1, dtype=np.int64, out=sums[:, 1:])
    return tuple(row.tolist() if flag else None for row, flag in zip(sums, coded.tolist(), strict=True))


def _escaped(decoder: RangeDecoder, offset: int, width: int) -> int:
    """Elias' gamma code of e + 1, one column of half the scale for each bit (section 5)."""
    zeros = 0
    while decoder.flag(TOTAL // 2) == 0:
        zeros += 1
        require(zeros <= MAX_ESCAPE_BITS, "BadField", "an escape value without an end")
    value = 1
    for _ in range(zeros):
        value = 2 * value + decoder.flag(TOTAL // 2)
    distance, downwards = divmod(value - 1, 2)
    symbol = offset - distance - 1 if downwards else offset + width + distance
    require(INT32_MIN <= symbol <= INT32_MAX, "BadField", "an escape value beyond int32")
    return symbol
