"""What depends on β: vectors for each level of a grid of β, linear between a few knots.

knots (k, c) ──hat functions──> table (levels, c) ──level (b,)──> (b, c)
"""

from __future__ import annotations

import math

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn


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
