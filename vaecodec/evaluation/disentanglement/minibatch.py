"""Minibatch total correlation: what β-TCVAE minimises, beside the numbers that it is often taken for.

mean, σ (N, d) of the images ──one sample each──> z ──densities under a batch's posteriors──> E[log q(z) − Σ log q(z_j)]

Chen, Li, Grosse, Duvenaud 2018, appendix C.2: in a batch of B, the sample's own posterior weighs 1/N, each other
(N − 1) / (N (B − 1)), which is right on average for the mixture of the N posteriors.

Where it fails: log q(z) is never below log q(z|x) − log N. Once posteriors hardly overlap (a code of more than log2
N bits), that bound is all that is left, and the number is (bits of all latents) − log2 N *whatever the dependence*:
independent latents of 30 bits "have" 14 bits of total correlation with 60,000 images. It is the total correlation of
a mixture of N points, which is that of the data only where N is all there is (dSprites' 737,280). Within a batch
fewer posteriors overlap than among all N, so that the joint density is too small and so is the number; it may be
negative.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from vaecodec.evaluation.disentanglement.information import Float64

BATCH = 512
BATCHES = 8
HALF_LOG_TWO_PI = 0.5 * float(np.log(2 * np.pi))


def minibatch_correlation_bits(
    mean: NDArray[Any],
    sigma: NDArray[Any],
    *,
    images: int,
    rng: np.random.Generator,
    batch: int = BATCH,
    batches: int = BATCHES,
) -> float:
    """In bits, of posteriors N(mean, sigma²), (n, d) each, that stand for `images` (N) of them."""
    total = 0.0
    for _ in range(batches):
        rows = rng.permutation(len(mean))[:batch]
        total += batch_correlation(mean[rows], sigma[rows], images, rng) / batches
    return total


def batch_correlation(mean: NDArray[Any], sigma: NDArray[Any], images: int, rng: np.random.Generator) -> float:
    """Of one batch, (B, d) each, in bits."""
    count = len(mean)
    z = mean + sigma * rng.standard_normal(mean.shape)
    densities = -0.5 * np.square((z[:, None] - mean) / sigma) - np.log(sigma) - HALF_LOG_TWO_PI  # (B, B, d)
    weights = np.full((count, count), np.log((images - 1) / (images * (count - 1))))
    np.fill_diagonal(weights, -np.log(images))
    joint = _log_sum_exp(densities.sum(axis=2) + weights)
    marginals = _log_sum_exp(densities.transpose(2, 0, 1) + weights).sum(axis=0)
    return float((joint - marginals).mean() / np.log(2))


def _log_sum_exp(values: Float64) -> Float64:
    """Over the last axis."""
    top = values.max(axis=-1, keepdims=True)
    return np.asarray(np.log(np.exp(values - top).sum(axis=-1)) + top[..., 0])
