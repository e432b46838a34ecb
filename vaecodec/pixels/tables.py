"""Pixel tables: logit indices to counts, in integers. Coding and the known answer look here, and nowhere else.

index of "zero" ──zero_counts──> count of zero out of 2^24
K indices ──weights──> e ──(e << 16) // Σe──> w (r, K) ──(w @ value counts) >> 16──> counts (r, 255), sum 2^24
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from vaecodec.entropy.tables import TOTAL, Float64
from vaecodec.modelfile.lossless_part import WEIGHT_BITS, PixelLikelihood, ValueMixture

Indices = npt.NDArray[np.int16]


def counts_of_flags(likelihood: PixelLikelihood, indices: Indices) -> Float64:
    """The counts (r, 2) of "zero" and "not zero" of every pixel of indices (..., 1 or 1 + K), in C order."""
    counts: Float64 = likelihood.flag_counts[indices[..., 0].ravel() + np.intp(likelihood.limit)]
    return counts


def counts_of_values(mixture: ValueMixture, indices: Indices) -> Float64:
    """The counts (r, 255) of the values 1..255 of r pixels that are not zero; indices (r, 1 + K). Whole numbers.

    float64 is exact: the quotient e · 2^16 / Σe is below 2^17, and at least 2^-28 away from the next whole number
    unless it is one; every sum after it is a multiple of 2^-16 under 2^24, whatever the order.
    """
    e = mixture.raised_weights[indices[:, 1:] + np.intp(len(mixture.weights) // 2)]
    w = np.floor(e / (e.sum(axis=1, keepdims=True) * 2.0**-WEIGHT_BITS))
    counts: Float64 = w @ mixture.lowered_counts
    np.floor(counts, out=counts)
    counts[np.arange(len(counts)), counts.argmax(axis=1)] += TOTAL - counts.sum(axis=1)
    return counts
