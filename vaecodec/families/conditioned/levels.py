"""What depends on β: vectors for each level of a grid of β, linear between a few knots, and the prior made of them.

knots (k, c) ──hat functions──> table (levels, c) ──level (b,)──> (b, c)
y (b, n), level (b,) ──LevelPrior: a mixture of logistics for each latent──> -ln P([y - 1/2, y + 1/2]) (b, n)
"""

from __future__ import annotations

import math

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from vaecodec.families.conditioned.config import ConditionedConfig

MIXTURE = 3  # logistics in the training prior of each latent


class LevelTable(nn.Module):
    """A vector of `channels` numbers for each level. first, last: what it starts from at either end of the grid."""

    basis: Tensor

    def __init__(self, levels: int, knots: int, channels: int, *, first: float, last: float) -> None:
        super().__init__()
        places = torch.linspace(0, knots - 1, levels, dtype=torch.float64)
        hats = (1 - (places[:, None] - torch.arange(knots)).abs()).clamp_min(0)
        self.register_buffer("basis", hats.float(), persistent=False)
        self.knots = nn.Parameter(torch.linspace(first, last, knots)[:, None].repeat(1, channels))

    def table(self) -> Float[Tensor, "levels c"]:
        """The vectors of all levels."""
        return self.basis @ self.knots

    def forward(self, level: Int[Tensor, " b"]) -> Float[Tensor, "b c"]:
        return self.table()[level]


def open_latents(betas: Float[Tensor, " levels"], coarse: int, latents: int, opens_at: float) -> Int[Tensor, " levels"]:
    """How many latents each level has: `coarse` while β is at least opens_at, then geometrically up to `latents`."""
    span = math.log(opens_at / float(betas[-1]))
    share = (math.log(opens_at) - betas.double().log()) / span if span > 0 else torch.zeros(len(betas))
    return (coarse * (latents / coarse) ** share.clamp(0, 1)).round().long()


def beta_grid(high: float, low: float, levels: int) -> Float[Tensor, " levels"]:
    """β of each level: geometric, from few bytes to many."""
    ratio = torch.linspace(0, 1, levels, dtype=torch.float64)
    return (torch.tensor(high, dtype=torch.float64) * (low / high) ** ratio).float()


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
