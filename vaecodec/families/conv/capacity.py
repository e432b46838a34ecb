"""capacity: Burgess et al. 2018, "Understanding disentangling in β-VAE". As a codec: the constant-rate mode.

objective: distortion + γ · |KL − C|, C rising linearly to C_max nats, the rate that its files are to have
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from vaecodec.families.conv.record import conv_family
from vaecodec.recipes.checks import at_least
from vaecodec.recipes.objective_config import ObjectiveConfig, beta_is_one, has_gaussian_posterior
from vaecodec.recipes.suggested import gaussian_objective

if TYPE_CHECKING:
    from vaecodec.data.image_set import ImageSet
    from vaecodec.families.conv.model import ConvVAE
    from vaecodec.families.conv.objective_capacity import CapacityTrainable

NAME = "capacity"


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
        has_gaussian_posterior(self, NAME)
        beta_is_one(self, NAME)
        at_least("gamma", self.gamma, 0.0)
        at_least("capacity_nats", self.capacity_nats, 0.0)


def trainable(model: ConvVAE, objective: CapacityObjective, population: int) -> CapacityTrainable:
    """What the loop trains."""
    from vaecodec.families.conv.objective_capacity import CapacityTrainable

    return CapacityTrainable(model, objective)


def suggested_objective(images: ImageSet, steps: int) -> dict[str, Any]:
    """C rises over the first three quarters of the steps."""
    return gaussian_objective(images, steps) | {"warmup_steps": steps * 3 // 4}


FAMILY = conv_family(NAME, CapacityObjective, trainable, suggested_objective)
