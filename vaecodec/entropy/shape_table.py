"""ShapeTable: integer counts of one shape in many widths and places, for conditional priors to choose from.

mean m (in units of 1/F), scale s ──> row counts[s, m mod F], its column c the symbol m // F - (a - 2) // 2 + c

The last column is the escape. Counts are looked up and never computed, so the same m and s give the same probabilities
everywhere.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from vaecodec.bitstream.limits import MAX_ALPHABET, MAX_ENTRIES
from vaecodec.entropy.tables import TOTAL, CodingTables, Int32
from vaecodec.errors import BadField, LimitExceeded


@dataclass(frozen=True, eq=False)
class ShapeTable:
    """counts: uint32 (S, F, a), each >= 1, every row sums to 2**24. Raises BadField, LimitExceeded."""

    counts: npt.NDArray[np.uint32]

    def __post_init__(self) -> None:
        counts = self.counts
        if not isinstance(counts, np.ndarray) or counts.dtype != np.uint32 or counts.ndim != 3 or not counts.size:
            raise BadField("shape table: counts must be a 3-dimensional uint32 array, not empty")
        if counts.shape[2] > MAX_ALPHABET or counts.size > MAX_ENTRIES:
            raise LimitExceeded(f"shape table: {counts.shape} counts, at most {MAX_ENTRIES} of {MAX_ALPHABET} columns")
        if counts.shape[2] < 2:
            raise BadField(f"shape table: {counts.shape[2]} columns, expected a symbol and the escape at least")
        if counts.min() < 1 or (counts.sum(axis=2, dtype=np.uint64) != TOTAL).any():
            raise BadField(f"shape table: every count must be >= 1 and every row sum to {TOTAL}")

    @property
    def scales(self) -> int:
        """S: how many there are."""
        return self.counts.shape[0]

    def tables(self, means: Int32, scales: Int32, own: CodingTables) -> CodingTables:
        """The tables of n symbols: means and scales (n,), scales beyond 0 … S - 1 count as the nearest.

        own: says which latents are collapsed, and to which symbol; its counts are not looked at.
        """
        fractions, columns = self.counts.shape[1:]
        whole, part = np.divmod(means, fractions)
        offsets = np.where(own.coded, whole - (columns - 2) // 2, own.offsets).astype(np.int32)
        rows = self.counts[np.clip(scales, 0, self.scales - 1), part]
        return CodingTables(offsets, rows, own.coded)
