"""What training makes least: bits a pixel + λ 255² MSE, a level's share weighed so that the finest learn too.

    J = (R + λ D) (λ / 0.006)^-0.4      R in bits a pixel, D in squared steps of 255, averaged over a batch of levels

D grows with λ as λ^-0.6 or so, so without the weight the finest levels would have fifteen times the coarsest ones' say.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from vaecodec.families.photo.config import PhotoConfig
from vaecodec.families.photo.model import Coded

MIDDLE_LAMBDA, WEIGHT_POWER = 0.006, 0.4
PEAK = 255.0


@dataclass(frozen=True, slots=True)
class Losses:
    """objective: what is made least; rate_bpp and squared_error (of 255) are means over the batch."""

    objective: Tensor
    rate_bpp: Tensor
    squared_error: Tensor


def losses(config: PhotoConfig, x: Tensor, level: Tensor, coded: Coded) -> Losses:
    """x (b, 3, H, W) in 0..1 and what became of it at level (b,)."""
    rate_bpp = coded.bits / (x.shape[2] * x.shape[3])
    return weigh(config, level, rate_bpp, (coded.x_hat - x).square().mean((1, 2, 3)) * PEAK**2)


def weigh(config: PhotoConfig, level: Tensor, rate_bpp: Tensor, squared_error: Tensor) -> Losses:
    """The objective of pictures' rates and squared errors of 255, each (b,), at their levels (b,)."""
    slope = config.lambda_of(level)
    weight = (slope / MIDDLE_LAMBDA) ** -WEIGHT_POWER
    objective = ((rate_bpp + slope * squared_error) * weight).mean()
    return Losses(objective, rate_bpp.mean(), squared_error.mean())
