"""The soft clamp, behind which some syntheses give pixels: linear between black and white."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

CLAMP_SHARPNESS = 12.0  # the soft clamp bends within about 1 / CLAMP_SHARPNESS of black and of white
CLAMP_MARGIN = 1e-6  # keeps logits finite


def soft_clamp(z: Float[Tensor, "*any"]) -> Float[Tensor, "*any"]:
    """Pixels in 0..1 of values around 0: nearly z + 1/2 between -1/2 and 1/2, black and white beyond."""
    k = CLAMP_SHARPNESS
    return (F.softplus(k * (z + 0.5)) - F.softplus(k * (z - 0.5))) / k


def clamped_logits(z: Float[Tensor, "*any"]) -> Float[Tensor, "*any"]:
    """The logits of soft_clamp(z): what a likelihood takes."""
    return torch.logit(soft_clamp(z).clamp(CLAMP_MARGIN, 1 - CLAMP_MARGIN))
