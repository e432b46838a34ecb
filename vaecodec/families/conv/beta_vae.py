"""beta-vae: Higgins et al. 2017, with the paper's convolutional transforms.

objective: distortion + β · rate, both in nats an image. The rate is the KL to N(0, I), or the learned prior's nats.
"""

from __future__ import annotations

from vaecodec.families.conv.record import conv_family
from vaecodec.recipes.objective_config import ObjectiveConfig

FAMILY = conv_family("beta-vae", ObjectiveConfig)
