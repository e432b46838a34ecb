"""Coding tables: the integers that decide every probability. Nothing recomputes them from floats.

    probabilities (a,) --counts_from_probabilities--> counts (a,), each >= 1, sum 2**24
    symbols (observations, n) --tables_from_histogram--> CodingTables of n latents

Row i of `counts` belongs to latent i: column c < a - 1 stands for the symbol offsets[i] + c, the last column for "any
other symbol follows as an escape value" (entropy/coder.py).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from vaecodec.bitstream.limits import MAX_ALPHABET, MAX_ENTRIES, MAX_LATENTS
from vaecodec.errors import BadField, LimitExceeded, ModelError

PRECISION = 24  # the coder's probabilities are multiples of 2**-24, the most that a 32-bit word leaves room for
TOTAL = 1 << PRECISION

Int32 = npt.NDArray[np.int32]
Float64 = npt.NDArray[np.float64]


def escape_values(symbols: npt.NDArray[Any], first: npt.NDArray[Any], width: int) -> npt.NDArray[np.int64]:
    """Number the symbols outside first .. first + width - 1 by their distance: above 0, 2, 4 ..., below 1, 3, 5 ..."""
    s, low = symbols.astype(np.int64), first.astype(np.int64)
    return np.where(s >= low, 2 * (s - low - width), 2 * (low - s) - 1)


@dataclass(frozen=True, eq=False)
class CodingTables:
    """The tables of one group of n latents with alphabets of a columns, the last of which is the escape.

    offsets int32 (n,): symbol of column 0. counts uint32 (n, a): each >= 1, rows sum to 2**24. coded bool (n,): False
    where the latent is collapsed: it costs nothing and its symbol is always offsets[i]. The arrays are made read-only.
    Raises BadField, LimitExceeded.
    """

    offsets: Int32
    counts: npt.NDArray[np.uint32]
    coded: npt.NDArray[np.bool_]
    _backend_cache: dict[str, Any] = field(default_factory=dict, init=False, repr=False)

    def __post_init__(self) -> None:
        wanted = (("offsets", np.int32, 1), ("counts", np.uint32, 2), ("coded", np.bool_, 1))
        for name, dtype, ndim in wanted:
            array = getattr(self, name)
            if not isinstance(array, np.ndarray) or array.dtype != dtype or array.ndim != ndim:
                raise BadField(f"coding tables: {name} must be a {ndim}-dimensional {np.dtype(dtype)} array")
        n, a = self.counts.shape
        if self.offsets.shape != (n,) or self.coded.shape != (n,):
            raise BadField(f"coding tables: {n} rows, {self.offsets.size} offsets, {self.coded.size} flags")
        if n > MAX_LATENTS or a > MAX_ALPHABET or n * a > MAX_ENTRIES:
            raise LimitExceeded(f"coding tables: {n} x {a} entries, at most {MAX_LATENTS} x {MAX_ALPHABET}")
        if a < 2:
            raise BadField(f"coding tables: alphabet of {a} columns, expected a symbol and the escape at least")
        if n and (self.counts.min() < 1 or (self.counts.sum(axis=1, dtype=np.uint64) != TOTAL).any()):
            raise BadField(f"coding tables: every count must be >= 1 and every row sum to {TOTAL}")
        if n and int(self.offsets.max()) + a - 2 > np.iinfo(np.int32).max:
            raise BadField("coding tables: a column stands for a symbol beyond int32")
        for name, dtype, _ in wanted:
            frozen = np.array(getattr(self, name), dtype=dtype, order="C")
            frozen.flags.writeable = False
            object.__setattr__(self, name, frozen)

    @property
    def n(self) -> int:
        """Latents of the group."""
        return len(self.offsets)

    @property
    def alphabet(self) -> int:
        """Columns a, the escape included."""
        return self.counts.shape[1]

    @cached_property
    def coded_rows(self) -> npt.NDArray[np.intp] | None:
        """Numbers of the coded latents; None where all are coded, which is the fast path."""
        return None if self.coded.all() else np.flatnonzero(self.coded)

    @cached_property
    def coded_offsets(self) -> Int32:
        """Offsets of the coded latents only."""
        return self.offsets[self.coded]

    @cached_property
    def column_bits(self) -> Float64:
        """Bits of each column (n, a), the escape's without the value that follows it."""
        return np.asarray(PRECISION - np.log2(self.counts.astype(np.float64)), dtype=np.float64)

    def fill_collapsed(self, symbols: Int32) -> Int32:
        """`symbols` (..., n) with each collapsed latent set to the only symbol it can have."""
        return np.where(self.coded, symbols, self.offsets)

    def information_bits(self, symbols: Int32) -> Float64:
        """Bits of each row of symbols (b, n) under the stored tables, escape values included: float64 (b,)."""
        return np.asarray(self.symbol_bits(symbols).sum(axis=1))

    def symbol_bits(self, symbols: Int32) -> Float64:
        """Bits of each symbol (b, n), escape values included: float64 (b, n).

        A collapsed latent costs nothing; any other symbol than its own cannot be coded and costs infinity.
        """
        n, width = self.n, self.alphabet - 1
        if symbols.ndim != 2 or symbols.shape[1] != n:
            raise ModelError(f"symbols: expected shape (b, {n}), found {symbols.shape}")
        columns = symbols.astype(np.int64) - self.offsets.astype(np.int64)
        outside = (columns < 0) | (columns >= width)
        bits = self.column_bits[np.arange(n), np.where(outside, width, columns)]
        if outside.any():
            rows, latents = np.nonzero(outside)
            values = escape_values(symbols[rows, latents], self.offsets[latents], width)
            # frexp's exponent is the bit length: exact for these integers below 2**53.
            bits[rows, latents] += 2 * np.frexp((values + 1).astype(np.float64))[1] - 1
        collapsed = ~self.coded
        bits[:, collapsed] = np.where(columns[:, collapsed] == 0, 0.0, np.inf)
        return np.asarray(bits, dtype=np.float64)

    def to_arrays(self) -> dict[str, npt.NDArray[Any]]:
        """The arrays that a model file stores: offsets int32, counts uint32, coded uint8 (0 or 1)."""
        return {"offsets": self.offsets, "counts": self.counts, "coded": self.coded.astype(np.uint8)}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, npt.NDArray[Any]]) -> "CodingTables":
        """The inverse of `to_arrays`. Raises BadField."""
        if set(arrays) != {"offsets", "counts", "coded"}:
            raise BadField(f"coding tables: expected arrays offsets, counts and coded, found {sorted(arrays)}")
        coded = arrays["coded"]
        if coded.dtype != np.uint8 or (coded > 1).any():
            raise BadField("coding tables: 'coded' must be uint8 of 0 and 1")
        return cls(arrays["offsets"], arrays["counts"], coded.astype(np.bool_))


def counts_from_probabilities(probabilities: npt.NDArray[Any]) -> npt.NDArray[np.uint32]:
    """Integer counts nearest to probabilities (..., a): floor of one count, rows sum to 2**24.

    Minimises the Kullback-Leibler loss: what the floor does not take is shared out in proportion, and the rest that
    rounding leaves goes to the largest remainders, ties to the lower column. Rows need not be normalised.
    Raises ModelError for a negative or non-finite entry, a row of zeros, or more columns than 2**12.
    """
    p = np.asarray(probabilities, dtype=np.float64)
    if p.ndim < 1 or not 1 <= p.shape[-1] <= MAX_ALPHABET:
        raise ModelError(f"probabilities: expected 1 to {MAX_ALPHABET} columns, found shape {p.shape}")
    if not np.isfinite(p).all() or (p < 0).any() or (p.max(axis=-1, initial=0.0) <= 0).any():
        raise ModelError("probabilities: every entry must be finite and >= 0, and every row have one above 0")
    rows = p.reshape(-1, p.shape[-1])
    counts = np.array([_counts_of_row(row) for row in rows], dtype=np.uint32)
    return counts.reshape(p.shape)


def _counts_of_row(p: Float64) -> npt.NDArray[np.int64]:
    p = p / p.max()
    floored = np.zeros(len(p), dtype=np.bool_)
    while True:
        share = p * ((TOTAL - floored.sum()) / p[~floored].sum())
        more = (share < 1) & ~floored
        if not more.any():
            break
        floored |= more
    share[floored] = 1.0
    counts: npt.NDArray[np.int64] = np.floor(share).astype(np.int64)
    remainders = np.where(floored, -1.0, share - counts)
    order = np.argsort(-remainders, kind="stable")
    missing = TOTAL - int(counts.sum())
    # Float rounding can leave one count too many as well as some too few.
    counts[order[: max(missing, 0)]] += 1
    counts[np.argmax(counts)] += min(missing, 0)
    return counts


def tables_from_histogram(
    symbols: Int32,
    *,
    collapsed: npt.NDArray[np.bool_] | None = None,
    tail: float = 1e-4,
    prior_weight: float = 8.0,
    max_alphabet: int = 256,
) -> CodingTables:
    """Tables fitted to observed symbols (observations, n); `collapsed` (n,) marks latents that are not to be coded.

    Width: each latent's window leaves at most `tail` of its observations out on either side and has one column of
    margin; all latents share the widest (up to max_alphabet, the escape included), each window centred on its own.
    Smoothing: to the histogram is added a discretised logistic distribution of the same mean and variance (+ 1/12, so
    that a constant latent has one too), weighing as much as `prior_weight` observations. Escape: all that lies outside.
    """
    observations, n = symbols.shape
    if observations < 1:
        raise ModelError("tables: need at least one observation")
    if not 2 <= max_alphabet <= MAX_ALPHABET:
        raise ModelError(f"tables: max_alphabet must be in 2..{MAX_ALPHABET}, found {max_alphabet}")
    ordered = np.sort(symbols, axis=0).astype(np.int64)
    cut = int(tail * observations)
    low, high = ordered[cut] - 1, ordered[observations - 1 - cut] + 1
    width = int(min(max_alphabet - 1, (high - low).max(initial=0) + 1))
    info = np.iinfo(np.int32)
    offsets = np.clip((low + high - width + 1) // 2, info.min, info.max - width + 1)
    probabilities = np.empty((n, width + 1))
    for i in range(n):
        inside = ordered[:, i][(ordered[:, i] >= offsets[i]) & (ordered[:, i] < offsets[i] + width)] - offsets[i]
        spread = np.sqrt(3 * (ordered[:, i].var() + 1 / 12)) / np.pi
        edges = (np.arange(width + 1) - 0.5 + offsets[i] - ordered[:, i].mean()) / spread
        cdf = 0.5 + 0.5 * np.tanh(edges / 2)
        probabilities[i, :width] = np.bincount(inside, minlength=width) + prior_weight * np.diff(cdf)
        probabilities[i, width] = observations - len(inside) + prior_weight * (1 - cdf[-1] + cdf[0])
    coded = np.ones(n, dtype=np.bool_) if collapsed is None else ~np.asarray(collapsed, dtype=np.bool_)
    modes = offsets + np.argmax(probabilities[:, :width], axis=1)
    offsets = np.where(coded, offsets, np.minimum(modes, info.max - width + 1))
    counts = counts_from_probabilities(probabilities) if n else np.empty((0, width + 1), np.uint32)
    return CodingTables(offsets.astype(np.int32), counts, coded)
