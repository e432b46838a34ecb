"""Phase networks: one pixel of every 2×2 square, predicted from the map and the phases before it.

    map (b, c, h/2, w/2) ──1×1──────────────────────────────┐
    plane of each phase before ─features─ window × window ──(+)── blocks ──relu── 1×1 ──> logits (b, 1 + K, h/2, w/2)

Features are fixed functions of a pixel's value: near black and near white a step of one grey level decides what the
neighbours are, which weights that serve 0..255 alike cannot express.
"""

from __future__ import annotations

import torch
from jaxtyping import Float, UInt8
from torch import Tensor, nn

from vaecodec.families.lossless.config import LosslessConfig
from vaecodec.layers.residual import ConvBlock
from vaecodec.modelfile.lossless_part import PHASES
from vaecodec.pixels import phases as pixel_phases


def feature_table(bit_depth: int) -> Float[Tensor, "values f"]:
    """What the networks see of a pixel, for each value 0..255: numbers in 0..1 that are multiples of 1/255."""
    value = torch.arange(256, dtype=torch.float32)
    if bit_depth == 1:
        return value[:, None] / 255
    lit, bright = (value >= 1).float() * 255, (value >= 250).float() * 255
    dark = (4 * value).clamp_max(255)
    return torch.stack([value, lit, dark, bright], dim=1) / 255


def split_phases(images: UInt8[Tensor, "b h w"]) -> UInt8[Tensor, "b 4 hh ww"]:
    """The plane of each phase."""
    return torch.stack(pixel_phases.split_phases(images), dim=1)


class PhaseNetwork(nn.Module):
    """Of the phase after `before` others."""

    def __init__(self, config: LosslessConfig, before: int) -> None:
        super().__init__()
        features, width = feature_table(config.bit_depth).shape[1], config.phase_width
        self.of_map = nn.Conv2d(config.map_channels, width, 1)
        self.of_planes = (
            nn.Conv2d(before * features, width, config.window, padding=config.window // 2, bias=False)
            if before
            else None
        )
        self.blocks = nn.ModuleList(ConvBlock(width, width, 3) for _ in range(config.phase_blocks))
        self.head = nn.Conv2d(width, config.outputs, 1)

    def forward(self, feature_map: Float[Tensor, "b c h w"], planes: Float[Tensor, "b p h w"]) -> Tensor:
        """planes: the features of the phases before, phase by phase."""
        h = self.enter(feature_map, planes)
        for block in self.blocks:
            h = block(h)
        logits: Tensor = self.head(h.relu())
        return logits

    def enter(self, feature_map: Float[Tensor, "b c h w"], planes: Float[Tensor, "b p h w"]) -> Tensor:
        """What the blocks take."""
        h: Tensor = self.of_map(feature_map)
        return h if self.of_planes is None else h + self.of_planes(planes)


class Phases(nn.Module):
    """The four networks."""

    table: Tensor

    def __init__(self, config: LosslessConfig) -> None:
        super().__init__()
        self.register_buffer("table", feature_table(config.bit_depth), persistent=False)
        self.networks = nn.ModuleList(PhaseNetwork(config, before) for before in range(len(PHASES)))

    def forward(
        self, feature_map: Float[Tensor, "b c h w"], planes: UInt8[Tensor, "b 4 h w"]
    ) -> list[Float[Tensor, "b o h w"]]:
        """The logits of each phase, given the true pixels of those before it."""
        features, each = self.features(planes), self.table.shape[1]
        return [network(feature_map, features[:, : k * each]) for k, network in enumerate(self.networks)]

    def features(self, planes: UInt8[Tensor, "b 4 h w"]) -> Float[Tensor, "b p h w"]:
        """Of every plane, plane by plane."""
        found = self.table[planes.long()].permute(0, 1, 4, 2, 3).flatten(1, 2)
        return found.contiguous(memory_format=torch.channels_last)
