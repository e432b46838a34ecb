"""decomposition: Mathieu et al. 2019, "Disentangling disentanglement in variational autoencoders".

objective: distortion + β · KL(q(y|x) ‖ p(y)) + α · D(q(y), p(y)): overlap by β, structure by α and the prior p
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from vaecodec.families.conv.config import DECOMPOSITION_FAMILY, DecompositionObjective
from vaecodec.families.conv.record import conv_family
from vaecodec.recipes.suggested import gaussian_objective

if TYPE_CHECKING:
    from vaecodec.families.conv.model import ConvVAE
    from vaecodec.families.conv.objective_decomposition import DecompositionTrainable


def trainable(model: ConvVAE, objective: DecompositionObjective, population: int) -> DecompositionTrainable:
    """What the loop trains."""
    from vaecodec.families.conv.objective_decomposition import DecompositionTrainable

    return DecompositionTrainable(model, objective)


FAMILY = conv_family(DECOMPOSITION_FAMILY, DecompositionObjective, trainable, gaussian_objective)
