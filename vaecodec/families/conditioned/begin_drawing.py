"""How a conditioned-vae that draws begins: its latents are the lowest moments of the image, and it draws the outline.

    moments ──begin_latents──> latents ─ · gain(level) ──> position, half-planes ──> pixels

From a random start the drawing stays near the mean image for thousands of steps, since a shape that is drawn in the
wrong place is worse than none; and the latents that would turn it and grow it are given up meanwhile.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import torch

from vaecodec.families.conditioned.drawn import SQUARE, DrawnSynthesis
from vaecodec.families.conditioned.levels import MIXTURE
from vaecodec.families.conditioned.model import ConditionedVAE
from vaecodec.layers.base import LATENT_SCALE
from vaecodec.modelfile.lossless_part import PHASES
from vaecodec.recipes.batches import all_over, as_images
from vaecodec.recipes.begin_half_planes import begin_half_planes, begin_head
from vaecodec.recipes.begin_moments import begin_latents, begin_position

COARSE_STEPS, FINE_STEPS = 2.0, 16.0  # of the quantizer in a latent's deviation, at either end of the curve
SAMPLE = 8192  # images that the start is made from


@torch.no_grad()
def begin_drawing(model: ConditionedVAE, synthesis: DrawnSynthesis, images: npt.NDArray[np.uint8]) -> None:
    """Set analysis, steps, gains, prior and drawing of a fresh model, given the training images (N, h, w)."""
    x = as_images(images[all_over(len(images), SAMPLE)])
    analysis, seen = model.analysis, model.analysis.moments
    levels = torch.arange(len(x)) % model.config.levels
    spread = begin_latents(
        lambda: analysis(x, levels) / LATENT_SCALE,
        analysis.leave,
        [analysis.straight] if seen is None else [analysis.straight, seen.straight],
        None if seen is None else seen.straight.weight,
        deviation=1.0,
    )
    _begin_steps(model, synthesis)
    if seen is None:
        return
    config = model.config
    begin_position(synthesis.map.position, spread, seen.moments.scale / (max(config.height, config.width) / 2))
    latents = synthesis.latents(model.analyse(x, levels), levels) / LATENT_SCALE
    noise = torch.zeros_like(latents)
    noise[:, : config.latents] = 0.5 * synthesis.gain(levels) / LATENT_SCALE
    with torch.enable_grad():
        begin_half_planes(synthesis.map, latents, noise, x)
    begin_head(synthesis.head, [SQUARE * row + column for row, column in PHASES], lit=True)


def _begin_steps(model: ConditionedVAE, synthesis: DrawnSynthesis) -> None:
    """Every latent has COARSE_STEPS to FINE_STEPS in its deviation, and a prior to fit."""
    config, prior = model.config, model.prior
    steps = torch.linspace(math.log(COARSE_STEPS), math.log(FINE_STEPS), config.knots)[:, None]
    model.log_step.knots.copy_((math.log(LATENT_SCALE) - steps).expand_as(model.log_step.knots))
    synthesis.gain.knots.copy_(model.log_step.knots.exp())
    places = torch.linspace(-1, 1, MIXTURE).repeat(config.latents)
    prior.mean.knots.copy_(steps.exp() * places)  # wider than the latents: a narrow prior pulls them all together
    prior.log_scale.knots.copy_(steps + 0.3 * places)
