"""The objective of hfvae: distortion + the rate's four parts, each with a weight of its own, nats an image.

log q(y|x)/p(y)  =  log q(y|x)/q(y)  +  log q(y)/Π q(y_g)  +  Σ log q(y_g)/Π q(y_d)  +  Σ log q(y_d)/p(y_d)
                    information         between groups         within groups            dimension by dimension

The aggregate q(y) is estimated from the batch (divergences.log_marginal). The category is a group of one dimension,
with the density of its Concrete sample; the prior of every latent is independent of the others.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from vaecodec.families.hfvae.config import HFVAEObjective
from vaecodec.families.hfvae.model import HFVAE, StructuredPosterior, one_hot
from vaecodec.layers.base import LOG_TWO_PI
from vaecodec.recipes.divergences import log_marginal, pairwise
from vaecodec.recipes.objective import Losses, Trainable, distortion_nats


@dataclass(frozen=True, slots=True)
class RateTerms:
    """The parts of the rate of each image, (b,) nats."""

    information: Tensor
    between: Tensor
    within: Tensor
    dimension: Tensor


class HFVAETrainable(Trainable):
    """population: images of the training set, which the estimates of q(y) need."""

    config: HFVAEObjective

    def __init__(self, model: HFVAE, config: HFVAEObjective, population: int) -> None:
        super().__init__(model, config)
        self.structured = model
        self.population = population

    def forward(self, x: Float[Tensor, "b h w"], beta: float, rng: torch.Generator) -> Losses:
        """The rate that is reported is that of what is coded: KL of the hard category and of the Gaussians."""
        posterior = self.structured.analyse(x)
        continuous = posterior.sample(rng)
        log_category = posterior.relaxed_category(self.config.temperature, rng)
        category = log_category.exp() if self.training else one_hot(log_category)
        y = torch.cat([category, continuous], dim=1)
        distortion = distortion_nats(self.structured.synthesise(y), x, self.config).mean()
        terms = self.terms(posterior, log_category, continuous)
        weighted = (
            self.config.information * terms.information
            + self.config.between * terms.between
            + self.config.within * terms.within
            + self.config.dimension * terms.dimension
        )
        rate = posterior.kl_nats().sum(dim=1) + posterior.category_kl_nats()
        return Losses(distortion.detach(), rate.mean().detach(), distortion + beta * weighted.mean())

    def terms(
        self, posterior: StructuredPosterior, log_category: Float[Tensor, "b k"], continuous: Float[Tensor, "b n"]
    ) -> RateTerms:
        """The four parts, by Esmaeili et al. 2019, section 3."""
        latents = pairwise(posterior, continuous)
        category = concrete_log_density(log_category[:, None], posterior.category_logits, self.config.temperature)
        parts = torch.split(latents, list(self.structured.config.group_sizes), dim=2)
        groups = torch.stack([part.sum(dim=2) for part in parts], dim=2)
        marginal = self._marginal(torch.cat([category[..., None], groups, latents], dim=2))
        number = groups.shape[2]
        q_category, q_groups, q_latents = marginal[:, 0], marginal[:, 1 : number + 1], marginal[:, number + 1 :]
        joint = category + groups.sum(dim=2)
        q_joint = self._marginal(joint)
        uniform = torch.full_like(log_category, -math.log(log_category.shape[1]))
        p_latents = -0.5 * (continuous.square() + LOG_TWO_PI)
        p_category = concrete_log_density(log_category, uniform, self.config.temperature)
        return RateTerms(
            information=joint.diagonal() - q_joint,
            between=q_joint - q_category - q_groups.sum(dim=1),
            within=q_groups.sum(dim=1) - q_latents.sum(dim=1),
            dimension=q_category - p_category + (q_latents - p_latents).sum(dim=1),
        )

    def _marginal(self, pairs: Tensor) -> Tensor:
        return log_marginal(pairs, self.population)


def concrete_log_density(
    log_y: Float[Tensor, "*some k"], logits: Float[Tensor, "*others k"], temperature: float
) -> Float[Tensor, "*all"]:
    """Of the logarithm of a Concrete sample (ExpConcrete of Maddison et al. 2017)."""
    categories = logits.shape[-1]
    score = logits - temperature * log_y
    constant = math.lgamma(categories) + (categories - 1) * math.log(temperature)
    return constant + score.sum(dim=-1) - categories * score.logsumexp(dim=-1)
