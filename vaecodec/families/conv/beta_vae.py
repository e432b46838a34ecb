"""beta-vae: Higgins et al. 2017, with the paper's convolutional transforms.

objective: distortion + β · rate, both in nats an image
"""

from __future__ import annotations

from vaecodec.families.conv.conv_vae import ConvVAE
from vaecodec.families.registry import register


@register("beta-vae")
class BetaVAE(ConvVAE):
    """β weighs the rate: KL to N(0, I), or the learned prior's nats (vaecodec.recipes.objective)."""
