"""vae: the traditional VAE (Kingma & Welling 2014), the paper's point of comparison.

objective: distortion + KL(q(y|x) ‖ N(0, I)): the negative of the evidence lower bound, β = 1
"""

from __future__ import annotations

from vaecodec.families.conv.config import VAE_FAMILY, TraditionalObjective
from vaecodec.families.conv.record import conv_family
from vaecodec.recipes.suggested import gaussian_objective

FAMILY = conv_family(VAE_FAMILY, TraditionalObjective, suggested_objective=gaussian_objective)
