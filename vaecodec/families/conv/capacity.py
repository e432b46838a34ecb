"""capacity: Burgess et al. 2018, "Understanding disentangling in β-VAE". As a codec: the constant-rate mode.

objective: distortion + γ · |KL − C|, C rising linearly to C_max nats, the rate that its files are to have
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from vaecodec.families.conv.config import CAPACITY_FAMILY, CapacityObjective
from vaecodec.families.conv.record import conv_family
from vaecodec.recipes.suggested import gaussian_objective

if TYPE_CHECKING:
    from vaecodec.data.image_set import ImageSet
    from vaecodec.families.conv.model import ConvVAE
    from vaecodec.families.conv.objective_capacity import CapacityTrainable


def trainable(model: ConvVAE, objective: CapacityObjective, population: int) -> CapacityTrainable:
    """What the loop trains."""
    from vaecodec.families.conv.objective_capacity import CapacityTrainable

    return CapacityTrainable(model, objective)


def suggested_objective(images: ImageSet, steps: int) -> dict[str, Any]:
    """C rises over the first three quarters of the steps."""
    return gaussian_objective(images, steps) | {"warmup_steps": steps * 3 // 4}


FAMILY = conv_family(CAPACITY_FAMILY, CapacityObjective, trainable, suggested_objective)
