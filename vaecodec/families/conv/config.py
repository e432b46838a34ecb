"""What the objectives of this folder are told beside ObjectiveConfig: the table [objective] of four families."""

from __future__ import annotations

from dataclasses import dataclass

from vaecodec.errors import ConfigError
from vaecodec.recipes.checks import at_least, one_of
from vaecodec.recipes.objective_config import ObjectiveConfig, beta_is_one, has_gaussian_posterior

VAE_FAMILY, CAPACITY_FAMILY, DECOMPOSITION_FAMILY = "vae", "capacity", "decomposition"
DIVERGENCES = ("mmd", "inclusive-kl")
PRIORS = ("anisotropic", "student-t", "spike-and-slab", "mixture")


@dataclass(frozen=True, slots=True)
class TraditionalObjective(ObjectiveConfig):
    """vae: the evidence lower bound and nothing else."""

    def __post_init__(self) -> None:
        ObjectiveConfig.__post_init__(self)
        has_gaussian_posterior(self, VAE_FAMILY)
        beta_is_one(self, VAE_FAMILY)


@dataclass(frozen=True, slots=True)
class CapacityObjective(ObjectiveConfig):
    """distortion + γ · |KL − C| (Burgess et al. 2018, eq. 8). C rises from 0 to capacity_nats in warmup_steps.

    per_image: |KL − C| of each image, and not of the batch's mean.
    """

    gamma: float = 100.0
    capacity_nats: float = 25.0
    per_image: bool = False

    def __post_init__(self) -> None:
        ObjectiveConfig.__post_init__(self)
        has_gaussian_posterior(self, CAPACITY_FAMILY)
        beta_is_one(self, CAPACITY_FAMILY)
        at_least("gamma", self.gamma, 0.0)
        at_least("capacity_nats", self.capacity_nats, 0.0)


@dataclass(frozen=True, slots=True)
class DecompositionObjective(ObjectiveConfig):
    """distortion + β · KL(q(y|x) ‖ p(y)) + α · D(q(y), p(y)) (Mathieu et al. 2019, section 5).

    divergence: D, "mmd" (dimension by dimension) or "inclusive-kl". prior: p, with its own numbers:
    anisotropic: the largest variance is variance_ratio times the smallest. student-t: degrees of freedom.
    spike-and-slab: a share spike_share in the spike of width spike_sigma, the rest in N(0, 1). mixture: so many
    components, whose weights, means and variances are learned.
    """

    alpha: float = 0.0
    divergence: str = "mmd"
    prior: str = "spike-and-slab"
    variance_ratio: float = 16.0
    degrees: float = 9.0
    spike_share: float = 0.8
    spike_sigma: float = 0.05
    components: int = 10

    def __post_init__(self) -> None:
        ObjectiveConfig.__post_init__(self)
        has_gaussian_posterior(self, DECOMPOSITION_FAMILY)
        one_of("divergence", self.divergence, DIVERGENCES)
        one_of("prior", self.prior, PRIORS)
        at_least("alpha", self.alpha, 0.0)
        at_least("variance_ratio", self.variance_ratio, 1.0)
        at_least("degrees", self.degrees, 0.1)
        at_least("spike_sigma", self.spike_sigma, 1e-4)
        at_least("components", self.components, 1)
        if not 0 < self.spike_share < 1:
            raise ConfigError(f"spike_share: expected a number between 0 and 1, found {self.spike_share!r}")


@dataclass(frozen=True, slots=True)
class AdversarialObjective(ObjectiveConfig):
    """distortion + β · rate − adversarial_weight · ln D(x̂), in nats; D has an Adam of its own."""

    adversarial_weight: float = 10.0
    discriminator_learning_rate: float = 2e-4

    def __post_init__(self) -> None:
        ObjectiveConfig.__post_init__(self)
        at_least("adversarial_weight", self.adversarial_weight, 0.0)
        at_least("discriminator_learning_rate", self.discriminator_learning_rate, 0.0)
