"""hfvae: Esmaeili et al. 2019, "Structured disentangled representations": a category beside groups of latents.

    x (b, h, w) ──analyse──> category logits (b, k) ──Concrete (training), argmax (coding)──> one-hot (b, k) ─┐
                         └─> mean, log-variance (b, n), in groups ──sample──────────────────> (b, n) ─────────┴─> y
    y (b, k + n) ──ConvSynthesis──> logits (b, h, w)

The objective weighs the parts of the rate (vaecodec.families.hfvae.objective).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from vaecodec.families.hfvae.config import HFVAEConfig
from vaecodec.layers.base import LOG_VARIANCE_RANGE, VAE, Posterior
from vaecodec.layers.transforms import ConvAnalysis, ConvSynthesis

SMALLEST_UNIFORM = 1e-7  # its double logarithm is still finite


@dataclass(frozen=True, slots=True)
class StructuredPosterior(Posterior):
    """q(c|x) · N(mean, exp(log_variance)); category_logits (b, k) are log q(c|x)."""

    category_logits: Float[Tensor, "b k"]

    def relaxed_category(self, temperature: float, rng: torch.Generator) -> Float[Tensor, "b k"]:
        """The logarithm of a Concrete sample (Maddison et al. 2017, section 3.2); its exp sums to 1."""
        uniform = torch.empty_like(self.category_logits).uniform_(generator=rng).clamp_min(SMALLEST_UNIFORM)
        gumbel = -(-uniform.log()).log()
        return ((self.category_logits + gumbel) / temperature).log_softmax(dim=1)

    def category_kl_nats(self) -> Float[Tensor, " b"]:
        """KL(q(c|x) ‖ uniform)."""
        entropy = -(self.category_logits.exp() * self.category_logits).sum(dim=1)
        return math.log(self.category_logits.shape[1]) - entropy

    def code(self) -> Float[Tensor, "b m"]:
        """One-hot of the likeliest category, then the means."""
        return torch.cat([one_hot(self.category_logits), self.mean], dim=1)

    def spread(self) -> Float[Tensor, "b m"]:
        return torch.cat([torch.zeros_like(self.category_logits), (0.5 * self.log_variance).exp()], dim=1)


class StructuredAnalysis(ConvAnalysis):
    """ConvAnalysis with a third head, for the category."""

    def __init__(self, config: HFVAEConfig) -> None:
        super().__init__(config)
        self.category = nn.Linear(config.hidden, config.categories)

    def forward(self, x: Float[Tensor, "b h w"]) -> StructuredPosterior:
        features = self.trunk(x[:, None] - 0.5)
        log_variance = self.log_variance(features).clamp(*LOG_VARIANCE_RANGE)
        return StructuredPosterior(self.mean(features), log_variance, self.category(features).log_softmax(dim=1))


class HFVAE(VAE):
    """A category and groups of continuous latents."""

    config: HFVAEConfig

    def __init__(self, config: HFVAEConfig) -> None:
        super().__init__()
        self.config = config
        self.analysis = StructuredAnalysis(config)
        self.synthesis = ConvSynthesis(config.plain(config.categories + config.latents))

    def analyse(self, x: Float[Tensor, "b h w"]) -> StructuredPosterior:
        posterior: StructuredPosterior = self.analysis(x)
        return posterior

    def synthesise(self, y: Float[Tensor, "b m"]) -> Float[Tensor, "b h w"]:
        logits: Tensor = self.synthesis(y)
        return logits


def one_hot(scores: Float[Tensor, "b k"]) -> Float[Tensor, "b k"]:
    """1 at each row's largest score, 0 elsewhere."""
    return F.one_hot(scores.argmax(dim=1), scores.shape[1]).to(scores.dtype)
