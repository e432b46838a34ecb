"""How a conditioned-vae that draws begins: its latents are the lowest moments of the image, and the first two place it.

    center (row, column), mass, central moments, lowest orders first ──· 1 / spread──> latents ──first two──> position

From a random start the drawing stays near the mean image for thousands of steps, since a shape that is drawn in the
wrong place is worse than none; and the latents that would turn it and grow it are given up meanwhile.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import torch
from jaxtyping import Float
from torch import Tensor

from vaecodec.models.conditioned import MIXTURE, ConditionedAnalysis, ConditionedVAE
from vaecodec.models.conditioned_drawn import DrawnSynthesis
from vaecodec.models.lossless_config import LATENT_SCALE

COARSE_STEPS, FINE_STEPS = 2.0, 16.0  # of the quantizer in a latent's deviation, at either end of the curve
SAMPLE = 2048  # images that spreads are measured on
LITTLE = 0.1  # of the usual start, for what is learned beside the moments
DARKEST = 0.005  # mean pixels are kept this far from black and white in the first bias


@torch.no_grad()
def begin_drawing(model: ConditionedVAE, synthesis: DrawnSynthesis, images: npt.NDArray[np.uint8]) -> None:
    """Set analysis, steps, gains, positions and prior of a fresh model, given the training images (N, h, w).

    Every latent has the spread LATENT_SCALE over the images (a data-dependent start, Salimans & Kingma 2016).
    """
    x = torch.from_numpy(images[:: max(1, len(images) // SAMPLE)].astype(np.float32) / 255)
    mean, spread = _begin_analysis(model.analysis, x)
    if model.analysis.moments is not None:
        _begin_position(model, synthesis, mean, spread)
    lit = float(x.mean().clamp(DARKEST, 1 - DARKEST))
    assert synthesis.head.bias is not None
    synthesis.head.bias.fill_(math.log(lit / (1 - lit)))
    config, prior = model.config, model.prior
    steps = torch.linspace(math.log(COARSE_STEPS), math.log(FINE_STEPS), config.knots)[:, None]
    model.log_step.knots.copy_((math.log(LATENT_SCALE) - steps).expand_as(model.log_step.knots))
    synthesis.gain.knots.copy_(model.log_step.knots.exp())
    places = torch.linspace(-1, 1, MIXTURE).repeat(config.latents)
    prior.mean.knots.copy_(steps.exp() * places)  # wider than the latents: a narrow prior pulls them all together
    prior.log_scale.knots.copy_(steps + 0.3 * places)


def _begin_analysis(
    analysis: ConditionedAnalysis, x: Float[Tensor, "b h w"]
) -> tuple[Float[Tensor, " n"], Float[Tensor, " n"]]:
    """Latents of one spread around 0; the mean and the spread that they had, over LATENT_SCALE, before."""
    straight = [analysis.straight]
    analysis.straight.weight.mul_(LITTLE)
    if (seen := analysis.moments) is not None:
        seen.straight.weight.zero_()
        for latent, moment in enumerate(seen.moments.lowest_first[: len(seen.straight.weight)]):
            seen.straight.weight[latent, moment] = 1
        analysis.leave.weight.mul_(LITTLE)
        straight.append(seen.straight)
    latents = analysis(x, torch.zeros(len(x), dtype=torch.int64)) / LATENT_SCALE
    mean, spread = latents.mean(dim=0), latents.std(dim=0).clamp_min(1e-6)
    for layer in (analysis.leave, *straight):
        layer.weight.div_(spread[:, None])
    analysis.leave.bias.sub_(mean).div_(spread)
    return mean, spread


def _begin_position(
    model: ConditionedVAE, synthesis: DrawnSynthesis, mean: Float[Tensor, " n"], spread: Float[Tensor, " n"]
) -> None:
    """The first two latents, a row and a column in the moments' coordinates, in those of the half-planes."""
    assert model.analysis.moments is not None
    config, position = model.config, synthesis.map.position
    ratio = model.analysis.moments.moments.scale / (max(config.height, config.width) / 2)
    axes = torch.arange(min(2, config.latents))
    position.weight.zero_()
    position.weight[axes, axes] = ratio * spread[axes]
    position.bias[axes] = ratio * mean[axes]
