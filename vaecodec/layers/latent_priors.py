"""Priors of the latents that are not N(0, I): what decomposition pulls its aggregate posterior towards.

AnisotropicGaussian  StudentT  SpikeAndSlab  (each a product over the latents)      GaussianMixture (over all at once)

They serve training alone; files are coded with tables of what the latents became.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod

import torch
from jaxtyping import Float
from torch import Tensor, nn

from vaecodec.layers.base import LOG_TWO_PI, Posterior


class LatentPrior(nn.Module, ABC):
    """A density p(y) of n latents."""

    @abstractmethod
    def log_density(self, y: Float[Tensor, "b n"]) -> Float[Tensor, " b"]:
        """log p(y)."""

    @abstractmethod
    def sample(self, count: int, rng: torch.Generator) -> Float[Tensor, "b n"]:
        """Samples of p; gradients do not pass to its parameters."""

    def kl_nats(self, posterior: Posterior, y: Float[Tensor, "b n"]) -> Float[Tensor, " b"]:
        """KL(q(y|x) ‖ p), estimated from one sample y of each posterior."""
        return posterior.log_density(y).sum(dim=1) - self.log_density(y)


class AnisotropicGaussian(LatentPrior):
    """N(0, diag(variance)), the variances geometric from the first latent to the last and 1 on average.

    Unequal variances take away the freedom to rotate the latents (Mathieu et al. 2019, section 6.1).
    """

    variance: Tensor

    def __init__(self, latents: int, variance_ratio: float) -> None:
        super().__init__()
        powers = torch.linspace(0, 1, latents, dtype=torch.float64)
        variance = torch.tensor(variance_ratio, dtype=torch.float64) ** -powers
        self.register_buffer("variance", (variance / variance.mean()).float(), persistent=False)

    def log_density(self, y: Float[Tensor, "b n"]) -> Float[Tensor, " b"]:
        return -0.5 * (y.square() / self.variance + self.variance.log() + LOG_TWO_PI).sum(dim=1)

    def sample(self, count: int, rng: torch.Generator) -> Float[Tensor, "b n"]:
        return _normal(count, self.variance, rng) * self.variance.sqrt()

    def kl_nats(self, posterior: Posterior, y: Float[Tensor, "b n"]) -> Float[Tensor, " b"]:
        """In closed form."""
        ratio = (posterior.mean.square() + posterior.log_variance.exp()) / self.variance
        return 0.5 * (ratio - 1 - posterior.log_variance + self.variance.log()).sum(dim=1)


class StudentT(LatentPrior):
    """Student's t in each latent: its density is not a function of the distance from 0, so directions differ."""

    like: Tensor

    def __init__(self, latents: int, degrees: float) -> None:
        super().__init__()
        self.degrees = degrees
        self.register_buffer("like", torch.zeros(latents), persistent=False)
        half = degrees / 2
        self.log_scale = math.lgamma(half + 0.5) - math.lgamma(half) - 0.5 * math.log(degrees * math.pi)

    def log_density(self, y: Float[Tensor, "b n"]) -> Float[Tensor, " b"]:
        tails = (y.square() / self.degrees).log1p()
        return (self.log_scale - (self.degrees + 1) / 2 * tails).sum(dim=1)

    def sample(self, count: int, rng: torch.Generator) -> Float[Tensor, "b n"]:
        """Bailey 1994: Box and Muller's way with another radius."""
        radius, angle = (_uniform(count, self.like, rng) for _ in range(2))
        return (self.degrees * (radius ** (-2 / self.degrees) - 1)).sqrt() * (2 * math.pi * angle).cos()


class SpikeAndSlab(LatentPrior):
    """Each latent is in the spike N(0, spike_sigma²) with a probability, else in the slab N(0, 1)."""

    like: Tensor

    def __init__(self, latents: int, spike_share: float, spike_sigma: float) -> None:
        super().__init__()
        self.spike_share, self.spike_sigma = spike_share, spike_sigma
        self.register_buffer("like", torch.zeros(latents), persistent=False)

    def log_density(self, y: Float[Tensor, "b n"]) -> Float[Tensor, " b"]:
        squared = y.square()
        spike = math.log(self.spike_share / self.spike_sigma) - 0.5 * squared / self.spike_sigma**2
        slab = math.log(1 - self.spike_share) - 0.5 * squared
        return (torch.logaddexp(spike, slab) - 0.5 * LOG_TWO_PI).sum(dim=1)

    def sample(self, count: int, rng: torch.Generator) -> Float[Tensor, "b n"]:
        in_spike = _uniform(count, self.like, rng) < self.spike_share
        return _normal(count, self.like, rng) * torch.where(in_spike, self.spike_sigma, 1.0)


class GaussianMixture(LatentPrior):
    """Σ w_k N(m_k, diag(s_k²)) over all latents together; w, m and s are learned with the model."""

    def __init__(self, latents: int, components: int) -> None:
        super().__init__()
        self.logits = nn.Parameter(torch.zeros(components))
        self.mean = nn.Parameter(torch.randn(components, latents))
        self.log_variance = nn.Parameter(torch.zeros(components, latents))

    def log_density(self, y: Float[Tensor, "b n"]) -> Float[Tensor, " b"]:
        parts = Posterior(self.mean, self.log_variance).log_density(y[:, None]).sum(dim=2)
        return (parts + self.logits.log_softmax(dim=0)).logsumexp(dim=1)

    @torch.no_grad()
    def sample(self, count: int, rng: torch.Generator) -> Float[Tensor, "b n"]:
        chosen = torch.multinomial(self.logits.softmax(dim=0), count, replacement=True, generator=rng)
        noise = _normal(count, self.mean[0], rng)
        return self.mean[chosen] + (0.5 * self.log_variance[chosen]).exp() * noise


def _normal(count: int, like: Tensor, rng: torch.Generator) -> Tensor:
    return torch.empty(count, len(like), dtype=like.dtype, device=like.device).normal_(generator=rng)


def _uniform(count: int, like: Tensor, rng: torch.Generator) -> Tensor:
    """In 0..1 without the ends' zero."""
    drawn = torch.empty(count, len(like), dtype=like.dtype, device=like.device).uniform_(generator=rng)
    return 1 - drawn
