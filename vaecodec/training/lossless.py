"""Training of a lossless-vae: the nats that an image's file takes, latents and pixels together.

    objective: mean over images of rate + distortion, β = 1

The rate is of latents with uniform noise (Ballé et al. 2017). What the pixels see of them is noisy too, or rounded with
the gradient passed through, as files have it (Minnen & Singh 2020, section 3.2 of "Channel-wise autoregressive entropy
models"): a share of the images sees them rounded.
"""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn

from vaecodec.models.lossless import LosslessVAE
from vaecodec.training.objective import Losses
from vaecodec.training.objective_config import LosslessObjective


class LosslessTrainable(nn.Module):
    """What one step of training updates; called as vaecodec.training.objective.Trainable is."""

    def __init__(self, model: LosslessVAE, config: LosslessObjective) -> None:
        super().__init__()
        self.model = model
        self.config = config

    def forward(self, x: Float[Tensor, "b h w"], beta: float, rng: torch.Generator) -> Losses:
        """Losses of one batch of images in 0..1; beta: the weight of the rate, which may still be rising."""
        latents = self.model.analyse(x)
        noisy = latents + torch.empty_like(latents).uniform_(-0.5, 0.5, generator=rng)
        rate = self.model.prior.rate_nats(noisy).sum(dim=1).mean()
        pixels = (255 * x).round().to(torch.uint8)
        distortion = self.model.pixel_nats(self._seen(latents, noisy, rng), pixels).sum(dim=1).mean()
        return Losses(distortion.detach(), rate.detach(), distortion + beta * rate)

    def _seen(
        self, latents: Float[Tensor, "b n"], noisy: Float[Tensor, "b n"], rng: torch.Generator
    ) -> Float[Tensor, "b n"]:
        """What the pixels see: the first images of the batch rounded latents, the others noisy ones."""
        count = round(self.config.rounded_share * len(latents))
        rounded = latents + (latents.round() - latents).detach()
        return torch.cat([rounded[:count], noisy[count:]])


def bits_per_pixel(nats: float, pixels: int) -> float:
    """Of an image, from its nats."""
    return nats / math.log(2) / pixels
