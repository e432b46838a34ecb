"""vae: the traditional VAE (Kingma & Welling 2014), the paper's point of comparison.

objective: distortion + KL(q(y|x) ‖ N(0, I)): the negative of the evidence lower bound, β = 1
"""

from __future__ import annotations

from dataclasses import dataclass

from vaecodec.families.conv.record import conv_family
from vaecodec.recipes.objective_config import ObjectiveConfig, beta_is_one, has_gaussian_posterior
from vaecodec.recipes.suggested import gaussian_objective

NAME = "vae"


@dataclass(frozen=True, slots=True)
class TraditionalObjective(ObjectiveConfig):
    """vae: the evidence lower bound and nothing else."""

    def __post_init__(self) -> None:
        ObjectiveConfig.__post_init__(self)
        has_gaussian_posterior(self, NAME)
        beta_is_one(self, NAME)


FAMILY = conv_family(NAME, TraditionalObjective, suggested_objective=gaussian_objective)
