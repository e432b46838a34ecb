"""The objective: distortion + β · rate, in nats an image.

x ──analyse──> posterior ──sample──> y ──synthesise──> logits
                   └────── rate ──┘                       └── distortion against x
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from vaecodec.models.base import VAE, Posterior
from vaecodec.models.priors import FactorizedPrior
from vaecodec.training.config import ObjectiveConfig


@dataclass(frozen=True, slots=True)
class Losses:
    """Means over a batch, nats an image, and the objective that is minimised."""

    distortion_nats: Tensor
    rate_nats: Tensor
    objective_nats: Tensor


class Rate(Protocol):
    """How latents are sampled in training, and what the samples cost."""

    def sample(self, posterior: Posterior, rng: torch.Generator) -> tuple[Float[Tensor, "b n"], Float[Tensor, "b n"]]:
        """(y, rate in nats of each latent)."""
        ...


class GaussianKL(nn.Module):
    """The paper's: y ~ q(y|x), rate KL(q(y|x) ‖ N(0, 1))."""

    def sample(self, posterior: Posterior, rng: torch.Generator) -> tuple[Tensor, Tensor]:
        return posterior.sample(rng), posterior.kl_nats()


class UniformNoise(nn.Module):
    """Ballé et al. 2017: y = mean + U(-½, ½), rate -ln P under the learned prior; the quantizer's step is 1."""

    def __init__(self, latents: int) -> None:
        super().__init__()
        self.prior = FactorizedPrior(latents)

    def sample(self, posterior: Posterior, rng: torch.Generator) -> tuple[Tensor, Tensor]:
        y = posterior.mean + torch.empty_like(posterior.mean).uniform_(-0.5, 0.5, generator=rng)
        return y, self.prior.rate_nats(y)


def make_rate(config: ObjectiveConfig, latents: int) -> GaussianKL | UniformNoise:
    """The rate that the config names."""
    return GaussianKL() if config.rate == "gaussian-kl" else UniformNoise(latents)


def distortion_nats(
    logits: Float[Tensor, "b h w"], x: Float[Tensor, "b h w"], config: ObjectiveConfig
) -> Float[Tensor, " b"]:
    """-log p(x|y) up to a constant, summed over the pixels."""
    if config.likelihood == "bernoulli":
        return F.binary_cross_entropy_with_logits(logits, x, reduction="none").sum(dim=(1, 2))
    return (logits.sigmoid() - x).square().sum(dim=(1, 2)) / (2 * config.pixel_sigma**2)


class Trainable(nn.Module):
    """A model and its rate: everything with parameters that one step of training updates together."""

    def __init__(self, model: VAE, config: ObjectiveConfig) -> None:
        super().__init__()
        self.model = model
        self.rate = make_rate(config, model.config.latents)
        self.config = config

    def forward(self, x: Float[Tensor, "b h w"], beta: float, rng: torch.Generator) -> Losses:
        """Losses of one batch of images in 0..1 (Higgins et al. 2017, eq. 4, negated)."""
        y, rate = self.rate.sample(self.model.analyse(x), rng)
        distortion = distortion_nats(self.model.synthesise(y), x, self.config).mean()
        rate_total = rate.sum(dim=1).mean()
        return Losses(distortion.detach(), rate_total.detach(), distortion + beta * rate_total)
