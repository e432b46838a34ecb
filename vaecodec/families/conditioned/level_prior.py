"""The training prior of a conditioned-vae: of each latent at each level, a mixture of logistics.

y (b, n), level (b,) ──> -ln P([y - 1/2, y + 1/2]) (b, n)
"""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from vaecodec.families.conditioned.config import ConditionedConfig
from vaecodec.families.conditioned.levels import LevelTable

MIXTURE = 3  # logistics in the training prior of each latent


class LevelPrior(nn.Module):
    """A factorised prior for each level, in training: mixtures of logistics, integrated over unit intervals.

    The tables that files are coded with are fitted afterwards, level by level (vaecodec.recipes.latents).
    """

    def __init__(self, config: ConditionedConfig) -> None:
        super().__init__()
        channels = config.latents * MIXTURE
        self.latents = config.latents
        self.mean, self.log_scale, self.weight = (
            LevelTable(config.levels, config.knots, channels, first=start, last=start) for start in (0.0, 0.5, 0.0)
        )
        spread = torch.linspace(-1, 1, MIXTURE).repeat(config.latents)
        with torch.no_grad():
            self.mean.knots.add_(spread)
            self.log_scale.knots.add_(0.3 * spread)

    def rate_nats(self, y: Float[Tensor, "b n"], level: Int[Tensor, " b"]) -> Float[Tensor, "b n"]:
        """-ln P([y - 1/2, y + 1/2]) of each latent, or of the first ones alone."""
        shape, count = (-1, self.latents, MIXTURE), y.shape[1]
        mean, log_scale, weight = (
            table.table().view(shape)[:, :count] for table in (self.mean, self.log_scale, self.weight)
        )
        inverse = (-log_scale.clamp(-4, 8)).exp()[level]  # once for each level, not for each row
        distance = (y[..., None] - mean[level]).abs()  # symmetric: the lower tail does not cancel
        mass = torch.sigmoid((0.5 - distance) * inverse) - torch.sigmoid((-0.5 - distance) * inverse)
        weights = weight.log_softmax(-1)[level]
        likelihood: Tensor = (mass.clamp_min(1e-9).log() + weights).logsumexp(-1)
        return -likelihood
