"""modified-beta-vae: the paper's own model (sections 3 and 4), whose β is tuned.

objective: distortion + β · rate, as beta-vae; β is chosen among values from 0.001 to 10 by what it gives

The encoder is convolutional with one fully connected layer in front of the two heads, the decoder its mirror with a
sigmoid at the end. That is what all families here share; what this one adds is the tuning (docs/models.md).
"""

from __future__ import annotations

from vaecodec.families.conv.conv_vae import ConvVAE
from vaecodec.families.registry import register


@register("modified-beta-vae")
class ModifiedBetaVAE(ConvVAE):
    """The paper's network; benchmarks.families tunes its β."""
