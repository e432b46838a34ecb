"""decomposition: Mathieu et al. 2019, "Disentangling disentanglement in variational autoencoders".

objective: distortion + β · KL(q(y|x) ‖ p(y)) + α · D(q(y), p(y)): overlap by β, structure by α and the prior p
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from vaecodec.errors import ConfigError
from vaecodec.families.conv.record import conv_family
from vaecodec.recipes.checks import at_least, one_of
from vaecodec.recipes.objective_config import ObjectiveConfig, has_gaussian_posterior
from vaecodec.recipes.suggested import gaussian_objective

if TYPE_CHECKING:
    from vaecodec.families.conv.model import ConvVAE
    from vaecodec.families.conv.objective_decomposition import DecompositionTrainable

NAME = "decomposition"
DIVERGENCES = ("mmd", "inclusive-kl")
PRIORS = ("anisotropic", "student-t", "spike-and-slab", "mixture")


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
        has_gaussian_posterior(self, NAME)
        one_of("divergence", self.divergence, DIVERGENCES)
        one_of("prior", self.prior, PRIORS)
        at_least("alpha", self.alpha, 0.0)
        at_least("variance_ratio", self.variance_ratio, 1.0)
        at_least("degrees", self.degrees, 0.1)
        at_least("spike_sigma", self.spike_sigma, 1e-4)
        at_least("components", self.components, 1)
        if not 0 < self.spike_share < 1:
            raise ConfigError(f"spike_share: expected a number between 0 and 1, found {self.spike_share!r}")


def trainable(model: ConvVAE, objective: DecompositionObjective, population: int) -> DecompositionTrainable:
    """What the loop trains."""
    from vaecodec.families.conv.objective_decomposition import DecompositionTrainable

    return DecompositionTrainable(model, objective)


FAMILY = conv_family(NAME, DecompositionObjective, trainable, gaussian_objective)
