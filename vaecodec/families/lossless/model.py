"""lossless-vae: latents, then the image given the latents, pixel for pixel.

    x (b, h, w) ──LosslessAnalysis──> y (b, n) ──map──> feature map (b, c, h/2, w/2) ──phases──> logits of every pixel

A model that draws has a step for each latent besides: one number that says how finely it is coded, and is soon learned.

rate + distortion is the negative evidence lower bound (Kingma & Welling 2014), read as the size of a file: the latents'
bits under a learned factorised prior (Ballé et al. 2017), and the pixels' bits given the latents and the pixels before.
"""

from __future__ import annotations

import torch
from jaxtyping import Float, UInt8
from torch import Tensor, nn

from vaecodec.families.lossless.config import LosslessConfig
from vaecodec.families.lossless.map import GridMap
from vaecodec.families.lossless.phases import Phases, split_phases
from vaecodec.families.lossless.pixel_values import PixelValues
from vaecodec.layers.base import LATENT_SCALE
from vaecodec.layers.half_planes import HalfPlaneMap, HalfPlaneSizes
from vaecodec.layers.moments import Moments
from vaecodec.layers.priors import FactorizedPrior
from vaecodec.layers.residual import NORMALISED, RECTIFIED, ResidualMLP


class LosslessAnalysis(nn.Module):
    """Images in 0..1 to latents in steps of the quantizer."""

    def __init__(self, config: LosslessConfig) -> None:
        super().__init__()
        self.moments = Moments(config.height, config.width, config.moments) if config.moments else None
        seen = config.pixels + (self.moments.count if self.moments else 0)
        reading = NORMALISED if config.normalised else RECTIFIED
        self.layers = ResidualMLP(seen, config.units, config.blocks, config.latents, reading)
        self.straight = nn.Linear(seen, config.latents, bias=False)

    def seen(self, x: Float[Tensor, "b h w"]) -> Float[Tensor, "b i"]:
        """The pixels, and the moments of a model that measures them."""
        pixels = x.flatten(1)
        return pixels if self.moments is None else torch.cat([pixels, self.moments(x)], dim=1)

    def forward(self, x: Float[Tensor, "b h w"]) -> Float[Tensor, "b n"]:
        seen = self.seen(x)
        latents: Tensor = self.layers(seen) + self.straight(seen)
        return LATENT_SCALE * latents


class LosslessVAE(nn.Module):
    """Analysis, prior of the latents, and the likelihood of the pixels."""

    def __init__(self, config: LosslessConfig) -> None:
        super().__init__()
        self.config = config
        self.analysis = LosslessAnalysis(config)
        self.prior = FactorizedPrior(config.latents)
        self.map = HalfPlaneMap(drawing_sizes(config)) if config.half_planes else GridMap(config)
        self.log_step = nn.Parameter(torch.zeros(config.latents)) if config.half_planes else None
        self.phases = Phases(config)
        self.values = PixelValues(config.mixed)
        self.to(memory_format=torch.channels_last)

    def analyse(self, x: Float[Tensor, "b h w"]) -> Float[Tensor, "b n"]:
        """Latents in steps of the quantizer: what is rounded to symbols."""
        latents: Tensor = self.analysis(x)
        return latents if self.log_step is None else latents * (-self.log_step).exp()

    def feature_map(self, y: Float[Tensor, "b n"]) -> Float[Tensor, "b c h w"]:
        """What the phases see of latents that analyse gives."""
        feature_map: Tensor = self.map(y if self.log_step is None else y * self.log_step.exp())
        return feature_map

    @torch.no_grad()
    def fold_steps(self) -> None:
        """Make the steps 1, without a change of what the model computes: for the export."""
        if self.log_step is None:
            return
        assert isinstance(self.map, HalfPlaneMap)
        step = self.log_step.exp()
        leave, straight = self.analysis.layers.leave, self.analysis.straight
        for rows in (leave.weight, straight.weight, leave.bias[:, None]):
            rows.div_(step[:, None])
        for layer in (self.map.coefficients.enter, self.map.position):
            layer.weight.mul_(step)
        self.log_step.zero_()

    def pixel_nats(self, y: Float[Tensor, "b n"], pixels: UInt8[Tensor, "b h w"]) -> Float[Tensor, "b phases"]:
        """-ln P of the pixels of each phase, given latents and the phases before."""
        planes = split_phases(pixels)
        logits = self.phases(self.feature_map(y), planes)
        return torch.stack([self.values.nats(one, planes[:, k]) for k, one in enumerate(logits)], dim=1)


def drawing_sizes(config: LosslessConfig) -> HalfPlaneSizes:
    """Those of the map that draws."""
    return HalfPlaneSizes(
        config.latents, config.plane, config.map_units, config.map_blocks, config.half_planes, config.map_channels
    )
