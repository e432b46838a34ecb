"""The distribution of a pixel's value, of those that are not zero: a mixture of K stored ones (sections 14.1 to 14.3).

indices (p, K) --E--> weights --V--> counts (p, 255), each row with the sum 2^24
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tests.independent.arrays import Sections
from tests.independent.range_coder import TOTAL
from tests.independent.refusal import require
from tests.independent.tables import check_counts

MAX_BASES = 256
MAX_WEIGHT_VALUE = 1048576
WEIGHT_BITS = 16
MIN_VALUE_COUNT = 2
VALUES = 255


@dataclass(frozen=True, slots=True, eq=False)
class Mixture:
    """Weights E (2L + 1,) by logit index and distributions V (K, 255)."""

    weights: NDArray[np.int64]
    value_counts: NDArray[np.int64]

    @classmethod
    def read(cls, sections: Sections, indices: int) -> "Mixture":
        """From the model file's sections, for as many logit indices as there are zero counts."""
        weights = sections.array("decode/lossless/weights", "<i4", 1).astype(np.int64)
        counts = sections.array("decode/lossless/value_counts", "<i4", 2).astype(np.int64)
        require(weights.shape == (indices,), "BadField", f"{weights.shape} weights, {indices} zero counts")
        require(bool(((weights >= 1) & (weights <= MAX_WEIGHT_VALUE)).all()), "BadField", "a weight beyond 1 to 2^20")
        require(counts.shape[1] == VALUES and len(counts) >= 1, "BadField", "value_counts' shape")
        require(len(counts) <= MAX_BASES, "LimitExceeded", f"{len(counts)} distributions")
        check_counts(counts, MIN_VALUE_COUNT)
        return cls(weights, counts)

    @property
    def bases(self) -> int:
        """K."""
        return len(self.value_counts)

    def counts(self, indices: NDArray[np.int64]) -> NDArray[np.int64]:
        """Counts (p, 255) of the values 1 … 255 of pixels whose weights' logit indices (p, K) are given."""
        exponents = self.weights[indices + len(self.weights) // 2]
        shares = (exponents << WEIGHT_BITS) // exponents.sum(-1, keepdims=True)
        sums = shares.astype(np.float64) @ self.value_counts.astype(np.float64)
        counts = sums.astype(np.int64) >> WEIGHT_BITS
        return _completed(counts, TOTAL - counts.sum(-1))

    def bin_counts(self, indices: NDArray[np.int64], error: int) -> NDArray[np.int64]:
        """Counts (p, bins) of the values that an image within `error` can have besides zero."""
        counts = self.counts(indices)
        if error == 0:
            return counts
        edges = np.arange(error, VALUES, 2 * error + 1)
        return _completed(np.add.reduceat(counts, edges, axis=-1), counts[:, :error].sum(-1))


def _completed(counts: NDArray[np.int64], missing: NDArray[np.int64]) -> NDArray[np.int64]:
    """`missing` (p,) added to the largest of each row, the first of equals."""
    completed = counts.copy()
    completed[np.arange(len(counts)), counts.argmax(-1)] += missing
    return completed
