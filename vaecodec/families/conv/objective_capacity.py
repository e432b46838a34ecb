"""The objective of capacity: distortion + γ · |KL − C|, nats an image.

C rises from 0 to C_max while β does for the other families; at its end the KL is what was asked for.
"""

from __future__ import annotations

import math

from jaxtyping import Float
from torch import Tensor

from vaecodec.families.conv.config import CapacityObjective
from vaecodec.recipes.objective import Trainable

QUANTISING_NATS = 0.25 * math.log(2)  # a latent: what a uniform step that keeps the noise's variance costs over the KL


class CapacityTrainable(Trainable):
    """Holds the rate at C (Burgess et al. 2018, eq. 8), of each image or of the mean image."""

    config: CapacityObjective

    def weigh(self, rate_nats: Float[Tensor, " b"], beta: float) -> Tensor:
        """beta: how far C has risen, 0..1."""
        rate = rate_nats if self.config.per_image else rate_nats.mean()
        return self.config.gamma * (rate - self.config.capacity_nats * beta).abs().mean()

    def judge(self, distortion_nats: float, rate_nats: float, coded_latents: int) -> float:
        """The step is chosen so that files take C_max, too, and what quantising costs over the KL."""
        wanted = self.config.capacity_nats + QUANTISING_NATS * coded_latents
        return distortion_nats + self.config.gamma * abs(rate_nats - wanted)
