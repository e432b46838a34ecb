"""Information counted in histograms: entropies and mutual informations, in bits.

codes (n, d) ──classes──> int (n, d) ┐
factors (n, k) ──────────────────────┴──information_table──> I (d, k) bits, H(code) (d,), H(factor) (k,)

Counted ("plug-in") numbers are too large by about (a − 1)(b − 1) / (2 n ln 2) bits for a × b cells (Miller 1955): with
10,000 images, 20 bins and 32 places that is 0.04 bit, the same for each latent.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Float64 = NDArray[np.float64]
Codes = NDArray[Any]

BINS = 20  # Locatello et al. 2019, appendix C: what published values of MIG are counted with


def as_codes(codes: Codes) -> Codes:
    """Float64 or int64 (n, d), its constant latents dropped. Raises ValueError."""
    if codes.ndim != 2 or codes.dtype.kind not in "fiu":
        raise ValueError(f"codes: expected numbers (n, d), found {codes.dtype} {codes.shape}")
    if not np.isfinite(codes).all():
        raise ValueError("codes: expected finite numbers")
    varied = codes[:, (codes != codes[:1]).any(axis=0)]
    return varied.astype(np.float64 if codes.dtype.kind == "f" else np.int64)


def standardise(codes: Codes) -> Float64:
    """Each latent with mean 0 and deviation 1; none may be constant."""
    return np.asarray((codes - codes.mean(axis=0)) / codes.std(axis=0), dtype=np.float64)


def classes(codes: Codes, bins: int = BINS) -> Ints:
    """int64 (n, d), from 0: symbols as they are, floats in `bins` bins of equal width from smallest to largest."""
    if codes.dtype.kind != "f":
        return np.stack([np.unique(column, return_inverse=True)[1] for column in codes.T], axis=1, dtype=np.int64)
    low, high = codes.min(axis=0), codes.max(axis=0)
    width = np.where(high > low, high - low, 1.0)
    return np.asarray(np.minimum(np.floor((codes - low) / width * bins), bins - 1), dtype=np.int64)


def entropy_bits(counts: NDArray[Any]) -> float:
    """Of the distribution that the counts are proportional to."""
    positive = counts[counts > 0].astype(np.float64)
    total = positive.sum()
    return float(np.log2(total) - (positive * np.log2(positive)).sum() / total)


def column_entropies(columns: Ints) -> Float64:
    """H of each column of classes (n, d), bits (d,)."""
    return np.array([entropy_bits(np.bincount(column)) for column in columns.T])


@dataclass(frozen=True, slots=True, eq=False)
class InformationTable:
    """mutual: I(code j; factor i) in bits (d, k); codes: H (d,); factors: H (k,)."""

    mutual: Float64
    codes: Float64
    factors: Float64

    @property
    def shares(self) -> Float64:
        """I / H(factor): which share of a factor a latent knows, (d, k)."""
        return np.asarray(self.mutual / self.factors)


def information_table(codes: Ints, factors: Ints) -> InformationTable:
    """Of classes (n, d) and (n, k), both from 0."""
    code_entropies, factor_entropies = column_entropies(codes), column_entropies(factors)
    mutual = np.empty((codes.shape[1], factors.shape[1]))
    for i, factor in enumerate(factors.T):
        size = int(factor.max()) + 1
        for j, code in enumerate(codes.T):
            joint = entropy_bits(np.bincount(code * size + factor))
            mutual[j, i] = max(0.0, code_entropies[j] + factor_entropies[i] - joint)
    return InformationTable(mutual, code_entropies, factor_entropies)


def largest_two(table: Float64) -> tuple[Float64, Float64]:
    """The largest and the second largest of each column; 0 is the second where there is one row."""
    padded = np.sort(np.vstack([table, np.zeros((1, table.shape[1]))]), axis=0)
    return padded[-1], padded[-2]
