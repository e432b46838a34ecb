"""vae: the traditional VAE (Kingma & Welling 2014), the paper's point of comparison.

objective: distortion + KL(q(y|x) ‖ N(0, I)): the negative of the evidence lower bound, β = 1
"""

from __future__ import annotations

from vaecodec.families.conv.conv_vae import ConvVAE
from vaecodec.families.registry import register


@register("vae")
class TraditionalVAE(ConvVAE):
    """β is 1 and the prior N(0, I); any other is refused by its config."""
