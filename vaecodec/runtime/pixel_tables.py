"""Pixel tables: logit indices to counts, in integers. Coding and the known answer look here, and nowhere else.

index of "zero" ──zero_counts──> count of zero out of 2^24
K indices ──weights──> e ──(e << 16) // Σe──> w (r, K) ──(w @ value counts) >> 16──> counts (r, 255), sum 2^24
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from vaecodec.entropy.tables import TOTAL, Float64
from vaecodec.runtime.lossless_part import Int32, PixelLikelihood, ValueMixture

WEIGHT_BITS = 16  # of the mixture's weights after they are normalised

Indices = npt.NDArray[np.int16]


def counts_of_zero(likelihood: PixelLikelihood, indices: Indices) -> Int32:
    """The count of "zero", 1..2^24 - 1, of each pixel; indices (..., 1 or 1 + K)."""
    counts: Int32 = likelihood.zero_counts[indices[..., 0].astype(np.intp) + likelihood.limit]
    return counts


def counts_of_values(mixture: ValueMixture, indices: Indices) -> Float64:
    """The counts (r, 255) of the values 1..255 of r pixels that are not zero; indices (r, 1 + K). Whole numbers.

    Every sum below is a multiple of 2^-16 under 2^24, so float64 holds it exactly, whatever the order.
    """
    e = mixture.weights[indices[:, 1:].astype(np.intp) + len(mixture.weights) // 2].astype(np.int64)
    w = (e << WEIGHT_BITS) // e.sum(axis=1, keepdims=True)
    counts: Float64 = w.astype(np.float64) @ (mixture.counts * 2.0**-WEIGHT_BITS)
    np.floor(counts, out=counts)
    counts[np.arange(len(counts)), counts.argmax(axis=1)] += TOTAL - counts.sum(axis=1)
    return counts
