"""The objective of decomposition: distortion + β · KL(q(y|x) ‖ p(y)) + α · D(q(y), p(y)), nats an image.

posterior ──sample──> y ──synthesise──> distortion
    └──── KL to p ────┤
    p ──sample──> y' ─┴─ D: dimension-wise MMD of y and y', or the inclusive KL(p ‖ q)
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from vaecodec.families.conv.config import DecompositionObjective
from vaecodec.layers.base import VAE, Posterior
from vaecodec.layers.latent_priors import AnisotropicGaussian, GaussianMixture, LatentPrior, SpikeAndSlab, StudentT
from vaecodec.recipes.divergences import dimension_wise_mmd, inclusive_kl_nats
from vaecodec.recipes.objective import Losses, Rate, Trainable, distortion_nats


class PriorKL(Rate):
    """As objective.GaussianKL, to another prior: y ~ q(y|x), rate KL(q(y|x) ‖ p)."""

    def __init__(self, prior: LatentPrior) -> None:
        super().__init__()
        self.prior = prior

    def sample(self, posterior: Posterior, rng: torch.Generator) -> tuple[Tensor, Tensor]:
        y = posterior.sample(rng)
        return y, self.prior.kl_nats(posterior, y)[:, None]


class DecompositionTrainable(Trainable):
    """Mathieu et al. 2019, section 5."""

    config: DecompositionObjective
    rate: PriorKL

    def __init__(self, model: VAE, config: DecompositionObjective) -> None:
        super().__init__(model, config)
        self.rate = PriorKL(make_prior(config, model.config.latents))

    def forward(self, x: Float[Tensor, "b h w"], beta: float, rng: torch.Generator) -> Losses:
        posterior = self.model.analyse(x)
        y, rate = self.rate.sample(posterior, rng)
        distortion = distortion_nats(self.model.synthesise(y), x, self.config).mean()
        rate_total = rate.sum(dim=1)
        objective = distortion + self.weigh(rate_total, beta)
        if self.config.alpha:
            objective = objective + self.config.alpha * self.divergence(posterior, y, rng)
        return Losses(distortion.detach(), rate_total.mean().detach(), objective)

    def divergence(self, posterior: Posterior, y: Float[Tensor, "b n"], rng: torch.Generator) -> Tensor:
        """D(q(y), p(y)) of the batch."""
        if self.config.divergence == "mmd":
            return dimension_wise_mmd(y, self.rate.prior.sample(len(y), rng))
        return inclusive_kl_nats(posterior, self.rate.prior, rng)


def make_prior(config: DecompositionObjective, latents: int) -> LatentPrior:
    """The prior that the config names."""
    if config.prior == "anisotropic":
        return AnisotropicGaussian(latents, config.variance_ratio)
    if config.prior == "student-t":
        return StudentT(latents, config.degrees)
    if config.prior == "spike-and-slab":
        return SpikeAndSlab(latents, config.spike_share, config.spike_sigma)
    return GaussianMixture(latents, config.components)
