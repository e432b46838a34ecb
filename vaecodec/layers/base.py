"""What every family shares: the posterior that an analysis transform gives, and the shape of a model.

x (b, h, w) ──analyse──> Posterior: mean, log_variance (b, n) ──sample──> y (b, n) ──synthesise──> logits (b, h, w)
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from vaecodec.layers.sizes import LatentSizes

LOG_TWO_PI = math.log(2 * math.pi)
LATENT_SCALE = 4.0  # a fresh analysis spreads images over some steps of the quantizer, or noise would drown them
LOG_VARIANCE_RANGE = (-20.0, 8.0)  # outside it exp() says nothing new, and a wild first step must not become infinite


@dataclass(frozen=True, slots=True)
class Posterior:
    """The Gaussian q(y|x) = N(mean, exp(log_variance)) of a batch, (b, n) each."""

    mean: Float[Tensor, "b n"]
    log_variance: Float[Tensor, "b n"]

    def sample(self, rng: torch.Generator) -> Float[Tensor, "b n"]:
        """y = μ + σ·ε, the reparameterisation trick (Kingma & Welling 2014, section 2.4)."""
        noise = torch.empty_like(self.mean).normal_(generator=rng)
        return self.mean + (0.5 * self.log_variance).exp() * noise

    def kl_nats(self) -> Float[Tensor, "b n"]:
        """KL(q(y|x) ‖ N(0, 1)) of each latent (Kingma & Welling 2014, appendix B)."""
        return 0.5 * (self.mean.square() + self.log_variance.exp() - 1 - self.log_variance)

    def log_density(self, y: Float[Tensor, "*some n"]) -> Float[Tensor, "*all n"]:
        """log q(y|x) of each latent; y is (b, n) or of a shape that broadcasts with it."""
        squared = (y - self.mean).square() * (-self.log_variance).exp()
        return -0.5 * (squared + self.log_variance + LOG_TWO_PI)

    def code(self) -> Float[Tensor, "b m"]:
        """What is quantised, and what the synthesis takes: the means."""
        return self.mean

    def spread(self) -> Float[Tensor, "b m"]:
        """σ of each number of code(); 0 where it is a whole number by itself."""
        return (0.5 * self.log_variance).exp()


class VAE(nn.Module, ABC):
    """A VAE over images of one geometry; `config` says which.

    The analysis transform works on (b, h, w) images in 0..1, the synthesis transform gives logits: the pixel is their
    sigmoid.
    """

    config: LatentSizes

    @abstractmethod
    def analyse(self, x: Float[Tensor, "b h w"]) -> Posterior:
        """The posterior of the latents."""

    @abstractmethod
    def synthesise(self, y: Float[Tensor, "b m"]) -> Float[Tensor, "b h w"]:
        """The logits of the pixels, from samples or from Posterior.code()."""
