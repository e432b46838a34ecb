"""DrawnSynthesis: a conditioned-vae's synthesis that draws, for pictures of shapes.

    y (b, n) ─ · gain(level) ─┬─HalfPlaneMap──> map (b, c, h/2, w/2) ──1×1──> 4 logits a position ──> pixels (b, h, w)
       level ─ e(level) ──────┘

A position of the map is a square of 2 × 2 pixels, whose logits are its channels, row by row. The level needs no way of
its own into the drawing: a few numbers that depend on it are drawn with like latents.
"""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

from vaecodec.families.conditioned.config import ConditionedConfig
from vaecodec.families.conditioned.levels import LevelTable
from vaecodec.layers.base import LATENT_SCALE
from vaecodec.layers.half_planes import HalfPlaneMap, HalfPlaneSizes

LEVEL_CHANNELS = 4  # of e(level)
SQUARE = 2  # pixels of a position's side


class DrawnSynthesis(nn.Module):
    """Symbols to logits; config.half_planes is not 0."""

    def __init__(self, config: ConditionedConfig) -> None:
        super().__init__()
        self.config = config
        levels, knots, inputs = config.levels, config.knots, config.latents + LEVEL_CHANNELS
        self.gain = LevelTable(levels, knots, config.latents, first=1.0, last=1.0)
        self.of_level = LevelTable(levels, knots, LEVEL_CHANNELS, first=-LATENT_SCALE, last=LATENT_SCALE)
        plane = config.height // SQUARE, config.width // SQUARE
        self.map = HalfPlaneMap(
            HalfPlaneSizes(inputs, plane, config.units, config.blocks, config.half_planes, config.map_channels)
        )
        self.head = nn.Conv2d(config.map_channels, SQUARE**2, 1)
        self.to(memory_format=torch.channels_last)

    def latents(self, y: Float[Tensor, "b n"], level: Int[Tensor, " b"]) -> Float[Tensor, "b m"]:
        """What draws: the latents, those that `y` leaves out at its end as 0, and what stands for the level."""
        y = F.pad(y, (0, self.config.latents - y.shape[1]))
        return torch.cat([y * self.gain(level), self.of_level(level).expand(len(y), -1)], dim=1)

    def factors(self) -> Float[Tensor, "levels m"]:
        """latents(y, level) = [y, 1, …, 1] · factors()[level]."""
        return torch.cat([self.gain.table(), self.of_level.table()], dim=1)

    def logits(self, y: Float[Tensor, "b n"], level: Int[Tensor, " b"]) -> Float[Tensor, "b h w"]:
        """What a likelihood takes."""
        squares = self.head(self.map(self.latents(y, level)))
        return F.pixel_shuffle(squares, SQUARE)[:, 0]
