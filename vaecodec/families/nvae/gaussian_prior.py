"""The prior of a symbol given the groups before: a Gaussian convolved with the unit uniform.

y = mean + U(-½, ½): a density of 1 wherever y can be, so -ln P below is the KL, and the bits of a file:

    P(y | m, σ) = Φ((y - m + ½) / σ) - Φ((y - m - ½) / σ)
"""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from torch import Tensor

# σ in steps of the quantizer. Where noise of width 1 is all that there is, σ costs about its own size in nats.
LEAST_SCALE, MOST_SCALE = 0.005, 10.0


def clamped_log_scale(log_scale: Float[Tensor, "*any"]) -> Float[Tensor, "*any"]:
    """ln σ within these limits, with a gradient at the ends."""
    low, high = math.log(LEAST_SCALE), math.log(MOST_SCALE)
    middle, half = (low + high) / 2, (high - low) / 2
    return middle + half * torch.tanh((log_scale - middle) / half)


def rate_nats(
    y: Float[Tensor, "*any"], mean: Float[Tensor, "*any"], log_scale: Float[Tensor, "*any"]
) -> Float[Tensor, "*any"]:
    """-ln P of each; exact far out in the tails, where a difference of two Φ has no digits left."""
    distance = (y - mean).abs()  # symmetric: on the lower tail Φ keeps its digits
    inverse = (-log_scale).exp()
    upper = torch.special.log_ndtr((0.5 - distance) * inverse)
    lower = torch.special.log_ndtr((-0.5 - distance) * inverse)
    nats: Tensor = -(upper + torch.log1p(-(lower - upper).clamp_max(-1e-6).exp()))
    return nats
