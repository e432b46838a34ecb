"""The distributions of all latents: z from its prior, y from z, the detail from both, slice by slice (order.py).

y --HyperAnalysis--> z (b, 96, H/64, W/64) --round--> ẑ --HyperSynthesis--> facts (b, 192, H/16, W/16)
facts, what is told of y        --BaseHeads-->   mean and ln σ of half a slice of y
features of ŷ, facts, what is told of the detail --DetailHeads--> mean and ln σ of half a slice of the detail
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from vaecodec.families.photo.config import PhotoConfig
from vaecodec.families.photo.layers import BRANCH_GAIN, Enlarge, PerLevel, pick
from vaecodec.families.photo.transforms import LATENT_UNIT
from vaecodec.photo.heads import LOUDEST
from vaecodec.photo.order import Part


class HyperAnalysis(nn.Module):
    """y, times its gains, to z before rounding."""

    def __init__(self, config: PhotoConfig) -> None:
        super().__init__()
        width = config.hyper_widths[0]
        self.layers = nn.Sequential(
            nn.Conv2d(config.base_channels, width, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(width, width, 5, stride=2, padding=2),
            nn.ReLU(),
            nn.Conv2d(width, config.hyper_channels, 5, stride=2, padding=2),
        )

    def forward(self, y: Tensor) -> Tensor:
        """(b, c, h, w) -> (b, c_z, h/4, w/4), rounded up."""
        z: Tensor = self.layers(y / LATENT_UNIT)
        return z


class HyperSynthesis(nn.Module):
    """ẑ to facts about y."""

    def __init__(self, config: PhotoConfig) -> None:
        super().__init__()
        _, width, facts = config.hyper_widths
        self.layers = nn.Sequential(
            Enlarge(config.hyper_channels, width, 3),
            nn.ReLU(),
            Enlarge(width, width, 3),
            nn.ReLU(),
            nn.Conv2d(width, facts, 3, padding=1),
        )
        self.level = PerLevel(config.anchors, facts)

    def forward(self, z_hat: Tensor, level: Tensor, size: tuple[int, int]) -> Tensor:
        """ẑ (b, c_z, h_z, w_z), divided by its gains; size: height and width of y -> (b, facts, *size)."""
        facts: Tensor = self.layers(z_hat)[:, :, : size[0], : size[1]] + self.level(level)
        return facts


class SliceNets(nn.Module):
    """The networks of one slice of y: what other slices say, what the even half says, and both together.

    Others are heard by one network for each half: to the even one, half of the slice before is a guess.
    """

    def __init__(self, config: PhotoConfig, before: int, channels: int) -> None:
        super().__init__()
        others, wide, narrow = config.slice_widths
        hear = [nn.Conv2d(before, others, 3, padding=1) for _ in range(2 if before else 0)]
        self.others = nn.ModuleList(hear)
        self.even = nn.Conv2d(channels, 2 * channels, 5, padding=2)
        entering = config.hyper_widths[2] + (others if before else 0) + 2 * channels
        self.join = _three_layers(entering, wide, narrow, 2 * channels)


class BaseHeads(nn.Module):
    """Distributions of the slices of y."""

    def __init__(self, config: PhotoConfig) -> None:
        super().__init__()
        self.slices = config.base_slices
        before = [sum(self.slices[:number]) for number in range(len(self.slices))]
        self.nets = nn.ModuleList(SliceNets(config, *sizes) for sizes in zip(before, self.slices, strict=True))

    def part(self, facts: Tensor, number: int, parity: int, known: Sequence[Tensor]) -> Part[Tensor]:
        """See order.Heads; facts (b, c, h, w)."""
        nets = cast(SliceNets, self.nets[number])
        told = [pick(facts, parity)]
        if number:
            before = torch.cat(list(known[:number]), 1) / LATENT_UNIT
            told.append(pick(nets.others[parity](before), parity))
        if parity:
            told.append(pick(nets.even(known[number] / LATENT_UNIT), parity))
        else:
            b, _, h, w = told[0].shape
            told.append(told[0].new_zeros(b, 2 * self.slices[number], h, w))
        mean, log_scale = nets.join(torch.cat(told, 1)).chunk(2, 1)
        return Part(number, parity, mean, log_scale)


class DetailHeads(nn.Module):
    """Distributions of the slices of the detail latents.

    `spread` (anchors, c) holds ln σ of each component and level by itself, so that untrained heads are the static
    entropy model of the linear codec.
    """

    def __init__(self, config: PhotoConfig) -> None:
        super().__init__()
        features, narrow, near, wide = config.detail_widths
        self.slices, self.detail_from = config.detail_slices, config.detail_from
        entering = config.synthesis_widths[0] + config.hyper_widths[2]
        self.summary = nn.Sequential(nn.Conv2d(entering, wide, 1), nn.ReLU(), nn.Conv2d(wide, features, 1))
        self.level = PerLevel(config.anchors, features)
        self.spread = PerLevel(config.anchors, config.detail_channels)
        self.near, self.join = nn.ModuleDict(), nn.ModuleDict()
        for number, channels in enumerate(self.slices):
            for parity in (0, 1):
                told = 0
                if number + parity:
                    told = near
                    self.near[f"{number}{parity}"] = nn.Sequential(
                        nn.Conv2d(config.detail_channels, narrow, 1), nn.ReLU(), nn.Conv2d(narrow, near, 3, padding=1)
                    )
                self.join[f"{number}{parity}"] = _two_layers(features + told, wide, 2 * channels)

    def facts(self, base_features: Tensor, base_facts: Tensor, level: Tensor) -> Tensor:
        """What all parts know: (b, features, h, w)."""
        summary: Tensor = self.summary(torch.cat((base_features.float() / LATENT_UNIT, base_facts), 1))
        return F.relu(summary + self.level(level))

    def part(self, facts: Tensor, level: Tensor, number: int, parity: int, known: Sequence[Tensor]) -> Part[Tensor]:
        """See order.Heads; facts of `facts`, level (b,)."""
        told = [pick(facts, parity)]
        name = f"{number}{parity}"
        if name in self.near:
            symbols = torch.cat(list(known), 1).clamp(-LOUDEST, LOUDEST)
            told.append(pick(F.relu(self.near[name](symbols)), parity))
        mean, log_scale = self.join[name](torch.cat(told, 1)).chunk(2, 1)
        first = sum(self.slices[:number])
        spread = self.spread(level)[:, first : first + self.slices[number]]
        return Part(number, parity, mean, log_scale + spread)


def _three_layers(entering: int, wide: int, narrow: int, leaving: int) -> nn.Sequential:
    last = nn.Conv2d(narrow, leaving, 1)
    with torch.no_grad():
        last.weight *= BRANCH_GAIN
    return nn.Sequential(nn.Conv2d(entering, wide, 1), nn.ReLU(), nn.Conv2d(wide, narrow, 1), nn.ReLU(), last)


def _two_layers(entering: int, wide: int, leaving: int) -> nn.Sequential:
    """The last layer begins at zero."""
    last = nn.Conv2d(wide, leaving, 1)
    nn.init.zeros_(last.weight)
    nn.init.zeros_(last.bias) if last.bias is not None else None
    return nn.Sequential(nn.Conv2d(entering, wide, 1), nn.ReLU(), last)
