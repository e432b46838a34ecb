"""capacity: Burgess et al. 2018, "Understanding disentangling in β-VAE". As a codec: the constant-rate mode.

objective: distortion + γ · |KL − C|, C rising linearly to C_max nats
"""

from __future__ import annotations

from vaecodec.families.conv.conv_vae import ConvVAE
from vaecodec.families.registry import register


@register("capacity")
class CapacityVAE(ConvVAE):
    """C_max is the rate that its files are to have (vaecodec.families.conv.objective_capacity)."""
