"""Training of a lossless-vae: the nats that an image's file takes, latents and pixels together.

    objective: mean over images of rate + distortion, β = 1

First, where the config says so, what draws is trained alone: by a layer that makes pixels of the map at once, and is
thrown away. The phases would cost as much again, and hide what the map gets wrong: they see pixels beside it.

The rate is of latents with uniform noise (Ballé et al. 2017). What the pixels see of them is noisy too, or rounded with
the gradient passed through, as files have it (Minnen & Singh 2020, section 3.2 of "Channel-wise autoregressive entropy
models"): a share of the images sees them rounded.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
from jaxtyping import Float, UInt8
from torch import Tensor, nn

from vaecodec.families.lossless.config import LosslessObjective
from vaecodec.families.lossless.model import LosslessVAE
from vaecodec.families.lossless.phases import split_phases
from vaecodec.layers.base import LATENT_SCALE
from vaecodec.layers.half_planes import HalfPlaneMap
from vaecodec.modelfile.lossless_part import PHASES
from vaecodec.recipes.batches import all_over, as_images
from vaecodec.recipes.begin_half_planes import begin_half_planes, begin_head
from vaecodec.recipes.begin_moments import begin_latents, begin_position
from vaecodec.recipes.objective import Losses, TrainingStep

FIRST_STEPS = 8.0  # of the quantizer in a latent's deviation, where latents begin as moments
SAMPLE = 8192  # images that the start is made from


class LosslessTrainable(TrainingStep):
    """What one step of training updates."""

    config: LosslessObjective
    model: LosslessVAE

    def __init__(self, model: LosslessVAE, config: LosslessObjective) -> None:
        super().__init__()
        self.model = model
        self.config = config
        self.drawing = config.drawing_steps > 0  # until enter() says that it is over
        channels = model.config.map_channels
        self.head = nn.Conv2d(channels, len(PHASES) * model.config.outputs, 1) if self.drawing else None

    @torch.no_grad()
    def begin(self, images: npt.NDArray[np.uint8]) -> None:
        """Where a fresh model sees moments and draws, let its latents be moments, and its drawing the outline."""
        model, analysis, drawn = self.model, self.model.analysis, self.model.map
        if analysis.moments is None or not isinstance(drawn, HalfPlaneMap):
            return
        x = as_images(images[all_over(len(images), SAMPLE)])
        spread = begin_latents(
            lambda: analysis(x) / LATENT_SCALE,
            analysis.layers.leave,
            [analysis.straight],
            analysis.straight.weight[:, model.config.pixels :],
            deviation=FIRST_STEPS / LATENT_SCALE,
        )
        begin_position(drawn.position, spread, analysis.moments.scale / max(drawn.plane))
        latents = analysis(x) / LATENT_SCALE
        noise = torch.full_like(latents, 0.5 / LATENT_SCALE)
        with torch.enable_grad():
            begin_half_planes(drawn, latents, noise, x)
        if self.head is not None and model.config.bit_depth == 1:
            begin_head(self.head, list(range(len(PHASES))), lit=False)

    def enter(self, step: int) -> int:
        """The first config.drawing_steps train what draws alone."""
        self.drawing = step < self.config.drawing_steps
        return 0

    def forward(self, x: Float[Tensor, "b h w"], beta: float, rng: torch.Generator) -> Losses:
        """Losses of one batch of images in 0..1; beta: the weight of the rate, which may still be rising."""
        latents = self.model.analyse(x)
        noisy = latents + torch.empty_like(latents).uniform_(-0.5, 0.5, generator=rng)
        rate = self.model.prior.rate_nats(noisy).sum(dim=1).mean()
        pixels = (255 * x).round().to(torch.uint8)
        seen = self._seen(latents, noisy, rng)
        distortion = (
            self._drawn_nats(seen, pixels) if self.drawing else self.model.pixel_nats(seen, pixels).sum(dim=1)
        ).mean()
        return Losses(distortion.detach(), rate.detach(), distortion + beta * rate)

    def _drawn_nats(self, y: Float[Tensor, "b n"], pixels: UInt8[Tensor, "b h w"]) -> Float[Tensor, " b"]:
        """-ln P of the pixels given the map alone."""
        assert self.head is not None
        logits = self.head(self.model.feature_map(y)).chunk(len(PHASES), dim=1)
        planes = split_phases(pixels).unbind(dim=1)
        nats = [self.model.values.nats(one, plane) for one, plane in zip(logits, planes, strict=True)]
        return torch.stack(nats, dim=1).sum(dim=1)

    def _seen(
        self, latents: Float[Tensor, "b n"], noisy: Float[Tensor, "b n"], rng: torch.Generator
    ) -> Float[Tensor, "b n"]:
        """What the pixels see: the first images of the batch rounded latents, the others noisy ones."""
        count = round(self.config.rounded_share * len(latents))
        rounded = latents + (latents.round() - latents).detach()
        return torch.cat([rounded[:count], noisy[count:]])
