"""Pixels to latents and back.

    x (b, 3, H, W) --Analysis--> y (b, 192, H/16, W/16)                       43 kMAC a pixel
    ŷ, level --Synthesis--> features (b, 256, H/16, W/16), picture (b, 3, H, W)    29 kMAC a pixel
    x - picture --DetailTransform.analyse--> detail latents (b, 640, H/16, W/16): a KLT, and its inverse

x and pictures are in 0..1; H and W are multiples of 16. The picture that the base latents give is not limited by what
it cannot say: the detail latents code what it leaves, in a closed loop, so a level that is fine enough loses nothing.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from vaecodec.families.photo.config import PhotoConfig
from vaecodec.families.photo.layers import Bottleneck, Enlarge, PerLevel, Residual, full_precision
from vaecodec.photo.regions import BLOCK, DETAIL_BLOCK

MIDDLE = 0.5  # of the pixels' range
LATENT_UNIT = 4.0  # latents come out of the last layer times this, and go into networks divided by it


class Analysis(nn.Module):
    """x to y, at no level: the gains of a level are applied outside."""

    def __init__(self, config: PhotoConfig) -> None:
        super().__init__()
        first, second, third = config.analysis_widths
        stages: list[nn.Module] = [nn.PixelUnshuffle(2)]
        for before, width in ((12, first), (first, second), (second, third)):
            stages.append(nn.Conv2d(before, width, 5, stride=2, padding=2))
            stages.extend(Bottleneck(width) for _ in range(config.analysis_blocks))
        self.stages = nn.Sequential(*stages)
        self.leave = nn.Conv2d(third, config.base_channels, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """(b, 3, H, W) -> (b, c, H/16, W/16), float32."""
        hidden = self.stages(x - MIDDLE)
        with full_precision(x):
            y: Tensor = self.leave(hidden.float()) * LATENT_UNIT
        return y


class Synthesis(nn.Module):
    """ŷ to what it says of the picture; the detail's distributions are made from `features`, its first half."""

    def __init__(self, config: PhotoConfig) -> None:
        super().__init__()
        first, second, third = config.synthesis_widths
        blocks = config.synthesis_blocks
        self.enter = nn.Conv2d(config.base_channels, first, 3, padding=1)
        self.first = nn.Sequential(*[Bottleneck(first) for _ in range(blocks[0])])
        self.enlarge_first = Enlarge(first, second)
        self.second = nn.Sequential(*[Residual(second) for _ in range(blocks[1])])
        self.enlarge_second = Enlarge(second, third)
        self.third = nn.Sequential(*[Residual(third) for _ in range(blocks[2])])
        self.leave = nn.Conv2d(third, 3 * 16, 5, padding=2)
        self.levels = nn.ModuleList(PerLevel(config.anchors, width) for width in config.synthesis_widths)

    def features(self, y_hat: Tensor, level: Tensor) -> Tensor:
        """ŷ (b, c, h, w), divided by the gains -> (b, 256, h, w)."""
        with full_precision(y_hat):
            entered = self.enter(y_hat / LATENT_UNIT) + self.levels[0](level)
        features: Tensor = self.first(entered)
        return features

    def picture(self, features: Tensor, level: Tensor) -> Tensor:
        """Features (b, 256, h, w) -> (b, 3, 16 h, 16 w), float32."""
        hidden = self.enlarge_first(features)
        hidden = self.enlarge_second(self.second(hidden + self.levels[1](level).to(hidden.dtype)))
        hidden = self.third(hidden + self.levels[2](level).to(hidden.dtype))
        with full_precision(features):
            return F.pixel_shuffle(self.leave(hidden.float()), 4) + MIDDLE


class DetailTransform(nn.Module):
    """The KLT of 8×8 blocks of what the base leaves (klt.py); components by falling variance, rows orthonormal.

    The four blocks of a position lie in its channels: channel 4 c + 2 i + j is component c of block (i, j).
    """

    def __init__(self, config: PhotoConfig) -> None:
        super().__init__()
        self.basis = nn.Parameter(torch.eye(config.detail_components, 3 * DETAIL_BLOCK**2))

    def analyse(self, residual: Tensor) -> Tensor:
        """(b, 3, 16 h, 16 w) -> (b, 4 components, h, w), float32."""
        with full_precision(residual):
            blocks = F.pixel_unshuffle(residual.float(), DETAIL_BLOCK)
            return F.pixel_unshuffle(F.conv2d(blocks, self.basis[:, :, None, None]), BLOCK // DETAIL_BLOCK)

    def synthesise(self, latents: Tensor) -> Tensor:
        """(b, 4 components, h, w) -> (b, 3, 16 h, 16 w), float32."""
        with full_precision(latents):
            blocks = F.pixel_shuffle(latents.float(), BLOCK // DETAIL_BLOCK)
            return F.pixel_shuffle(F.conv2d(blocks, self.basis.t()[:, :, None, None]), DETAIL_BLOCK)
