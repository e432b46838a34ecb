"""modified-beta-vae: the paper's own model (sections 3 and 4), whose β is tuned.

objective: distortion + β · rate, as beta-vae; β is chosen among values from 0.001 to 10 by what it gives

The encoder is convolutional with one fully connected layer in front of the two heads, the decoder its mirror with a
sigmoid at the end. All families of this folder share that; this one adds the tuning, which benchmarks.families does
(docs/models.md).
"""

from __future__ import annotations

from vaecodec.families.conv.record import conv_family
from vaecodec.recipes.objective_config import ObjectiveConfig

FAMILY = conv_family("modified-beta-vae", ObjectiveConfig)
