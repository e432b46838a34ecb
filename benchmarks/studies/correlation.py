"""Total correlation of the aggregate posterior, in nats: how far its latents are from independent.

mean, σ (N, n): q(y|x) of N images; y (M, n): samples of theirs ──> E[log q(y) − Σ log q(y_d)]

q(y) is the mean of the N posteriors, so the number is that of these N images and not of all there could be: log q(y) is
never below log q(y|x) − ln N. Where posteriors hardly overlap it is then about KL − ln N − Σ KL(q(y_d) ‖ p(y_d)),
even if latents are independent over all images there could be: it says something beside another code of the same rate;
across rates it is mostly the rate that it measures.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vaecodec.recipes.batches import all_over

Float32 = NDArray[np.float32]
CHUNK = 32  # samples at once: N times as many densities are held
HALF_LOG_TWO_PI = 0.5 * float(np.log(2 * np.pi))


@dataclass(frozen=True, slots=True)
class Correlation:
    """joint: E log q(y); marginals: E Σ log q(y_d); nats."""

    joint_nats: float
    marginals_nats: float

    @property
    def total_nats(self) -> float:
        """The total correlation."""
        return self.joint_nats - self.marginals_nats


def sample_of(mean: Float32, sigma: Float32, count: int, rng: np.random.Generator) -> Float32:
    """One sample y of each of `count` posteriors, evenly spaced."""
    chosen = all_over(len(mean), count)
    noise = rng.standard_normal(mean[chosen].shape).astype(np.float32)
    return mean[chosen] + sigma[chosen] * noise


def correlation(mean: Float32, sigma: Float32, y: Float32) -> Correlation:
    """Of the aggregate of N posteriors, from samples y (M, n) of it."""
    joint, marginals = 0.0, 0.0
    log_sigma = np.log(sigma) + np.float32(HALF_LOG_TWO_PI)
    for start in range(0, len(y), CHUNK):
        scaled = (y[start : start + CHUNK, None] - mean) / sigma
        densities = -0.5 * np.square(scaled) - log_sigma  # (m, N, n)
        joint += float(_log_mean_exp(densities.sum(axis=2)).sum())
        marginals += float(_log_mean_exp(densities.transpose(0, 2, 1)).sum())
    return Correlation(joint / len(y), marginals / len(y))


def _log_mean_exp(values: Any) -> Any:
    """Over the last axis."""
    top = values.max(axis=-1, keepdims=True)
    return np.log(np.exp(values - top).mean(axis=-1)) + top[..., 0]
