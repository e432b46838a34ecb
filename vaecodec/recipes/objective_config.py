"""The table [objective]: what every family's objective is told, and what its own is told besides.

ObjectiveConfig ─┬─ TraditionalObjective: vae            HFVAEObjective: hfvae
                 ├─ CapacityObjective: capacity          DecompositionObjective: decomposition
                 ├─ AdversarialObjective: beta-vae-gan   LosslessObjective: lossless-vae   NVAEObjective: nvae
                 ├─ ConditionedObjective: conditioned-vae
                 └─ (the other families take ObjectiveConfig itself)
"""

from __future__ import annotations

from dataclasses import dataclass

from vaecodec.errors import ConfigError
from vaecodec.families.lossless.config import LOSSLESS_FAMILY
from vaecodec.families.nvae.config import NVAE_FAMILY
from vaecodec.recipes.checks import at_least, one_of
from vaecodec.recipes.sizes import CONDITIONED_FAMILY, HFVAE_FAMILY

LIKELIHOODS = ("bernoulli", "gaussian")
RATES = ("gaussian-kl", "uniform-noise")
DIVERGENCES = ("mmd", "inclusive-kl")
PRIORS = ("anisotropic", "student-t", "spike-and-slab", "mixture")


@dataclass(frozen=True, slots=True)
class ObjectiveConfig:
    """distortion + β · rate, nats an image, summed over pixels and latents.

    likelihood: "bernoulli" (cross-entropy) or "gaussian" (squared error / (2·pixel_sigma²), pixels in 0..1).
    rate: "gaussian-kl" (KL to N(0, 1), the paper's) or "uniform-noise" (the learned prior's information content of
    y + U(-½, ½)). β means nothing without these two. warmup_steps: in which the rate's weight rises from 0.
    anneal_from, anneal_steps: β goes from the one to `beta`, geometrically, in so many steps; 0: it is constant.
    """

    beta: float = 1.0
    likelihood: str = "bernoulli"
    pixel_sigma: float = 0.1
    rate: str = "gaussian-kl"
    warmup_steps: int = 0
    anneal_from: float = 0.0
    anneal_steps: int = 0

    def __post_init__(self) -> None:
        one_of("likelihood", self.likelihood, LIKELIHOODS)
        one_of("rate", self.rate, RATES)
        at_least("beta", self.beta, 0.0)
        at_least("pixel_sigma", self.pixel_sigma, 1e-4)
        at_least("warmup_steps", self.warmup_steps, 0)
        at_least("anneal_from", self.anneal_from, 0.0)
        at_least("anneal_steps", self.anneal_steps, 0)
        if self.anneal_steps and not (self.anneal_from and self.beta):
            raise ConfigError("anneal_steps: β goes geometrically, so neither anneal_from nor beta may be 0")


@dataclass(frozen=True, slots=True)
class TraditionalObjective(ObjectiveConfig):
    """vae: the evidence lower bound and nothing else."""

    def __post_init__(self) -> None:
        ObjectiveConfig.__post_init__(self)
        _gaussian(self, "vae")
        _beta_is_one(self, "vae")


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
        _gaussian(self, "capacity")
        _beta_is_one(self, "capacity")
        at_least("gamma", self.gamma, 0.0)
        at_least("capacity_nats", self.capacity_nats, 0.0)


@dataclass(frozen=True, slots=True)
class HFVAEObjective(ObjectiveConfig):
    """Weights of the four terms of the rate (Esmaeili et al. 2019, section 3); all of them 1 is the ELBO.

    information: of I(x; y). dimension: of Σ KL(q(y_d) ‖ p(y_d)). within: of the total correlation within the groups.
    between: of the total correlation between them. temperature: of the Concrete category in training.
    """

    information: float = 1.0
    dimension: float = 1.0
    within: float = 1.0
    between: float = 1.0
    temperature: float = 0.66

    def __post_init__(self) -> None:
        ObjectiveConfig.__post_init__(self)
        _gaussian(self, HFVAE_FAMILY)
        _beta_is_one(self, HFVAE_FAMILY)
        for name in ("information", "dimension", "within", "between"):
            at_least(name, getattr(self, name), 0.0)
        at_least("temperature", self.temperature, 1e-3)


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
        _gaussian(self, "decomposition")
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


@dataclass(frozen=True, slots=True)
class LosslessObjective(ObjectiveConfig):
    """rate + nats of the pixels; the likelihood is the family's own, so `likelihood` and `pixel_sigma` mean nothing.

    rounded_share: of the images of a batch, whose pixels are predicted from rounded latents and not from noisy ones.
    drawing_steps: so many steps train what draws before the phases are trained as well; steps cost half as much then.
    """

    rate: str = "uniform-noise"
    rounded_share: float = 0.5
    drawing_steps: int = 0

    def __post_init__(self) -> None:
        ObjectiveConfig.__post_init__(self)
        _beta_is_one(self, LOSSLESS_FAMILY)
        if self.rate != "uniform-noise":
            raise ConfigError(f"rate: {LOSSLESS_FAMILY} has latents in steps of a quantizer: it must be uniform-noise")
        if not 0 <= self.rounded_share <= 1:
            raise ConfigError(f"rounded_share: expected a number in 0..1, found {self.rounded_share!r}")
        if self.drawing_steps < 0:
            raise ConfigError(f"drawing_steps: expected at least 0, found {self.drawing_steps!r}")


@dataclass(frozen=True, slots=True)
class NVAEObjective(ObjectiveConfig):
    """distortion + β · Σ β_s · rate of scale s + spectral_weight · Σ spectral norms (Vahdat & Kautz 2020, section 3).

    scale_betas: β_s of each scale, coarsest first; empty: 1 each. The posterior has the width 1 of uniform noise.
    """

    rate: str = "uniform-noise"
    scale_betas: tuple[float, ...] = ()
    spectral_weight: float = 0.03

    def __post_init__(self) -> None:
        ObjectiveConfig.__post_init__(self)
        if self.rate != "uniform-noise":
            raise ConfigError(f"rate: {NVAE_FAMILY} has posteriors of width 1: it must be uniform-noise")
        for beta in self.scale_betas:
            at_least("scale_betas", beta, 0.0)
        at_least("spectral_weight", self.spectral_weight, 0.0)


@dataclass(frozen=True, slots=True)
class ConditionedObjective(ObjectiveConfig):
    """stem_steps: so many, the first, train the middle level alone; the others begin with what it has learned.

    levels_an_image: at so many levels each image of a batch is coded in a step of training.
    1: every image has a level of its own. More: the grid is cut into so many parts, all images take one level of each.
    """

    levels_an_image: int = 1
    stem_steps: int = 0

    def __post_init__(self) -> None:
        ObjectiveConfig.__post_init__(self)
        at_least("levels_an_image", self.levels_an_image, 1)
        at_least("stem_steps", self.stem_steps, 0)


OBJECTIVES: dict[str, type[ObjectiveConfig]] = {
    "vae": TraditionalObjective,
    "capacity": CapacityObjective,
    HFVAE_FAMILY: HFVAEObjective,
    "decomposition": DecompositionObjective,
    "beta-vae-gan": AdversarialObjective,
    CONDITIONED_FAMILY: ConditionedObjective,
    LOSSLESS_FAMILY: LosslessObjective,
    NVAE_FAMILY: NVAEObjective,
}


def objective_type(family: str) -> type[ObjectiveConfig]:
    """The record that a family's objective is written in."""
    return OBJECTIVES.get(family, ObjectiveConfig)


def needs_gaussian(family: str) -> bool:
    """Whether a family has a Gaussian posterior always, so that the learned prior's nats cannot be its rate."""
    return objective_type(family) in (TraditionalObjective, CapacityObjective, HFVAEObjective, DecompositionObjective)


def _gaussian(objective: ObjectiveConfig, family: str) -> None:
    if objective.rate != "gaussian-kl":
        raise ConfigError(f"rate: {family} has a Gaussian posterior, so it must be gaussian-kl")


def _beta_is_one(objective: ObjectiveConfig, family: str) -> None:
    if objective.beta != 1:
        raise ConfigError(f"beta: {family} weighs its rate otherwise, so it must be 1, found {objective.beta:g}")
