"""decomposition: Mathieu et al. 2019, "Disentangling disentanglement in variational autoencoders".

objective: distortion + β · KL(q(y|x) ‖ p(y)) + α · D(q(y), p(y)), the prior p of the family's own shape
"""

from __future__ import annotations

from vaecodec.families.conv.conv_vae import ConvVAE
from vaecodec.families.registry import register


@register("decomposition")
class DecompositionVAE(ConvVAE):
    """Overlap by β, structure by α (vaecodec.families.conv.objective_decomposition)."""
