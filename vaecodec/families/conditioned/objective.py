"""Training of a conditioned-vae: each image of a batch at a level of its own.

    x, level ─analyse─> latents ─┬─ + U(-½, ½) ──> rate under the training prior
                                 └─ rounded ─────> synthesise ──> distortion         (the gradient passes the rounding)

    objective: mean over images of (rate + distortion / β(level)) · (β(level) / √(β_high β_low))^balance

Noise for the rate, rounding for the decoder: Minnen & Singh 2020, "Channel-wise autoregressive entropy models", 3.3.
Divided by β, and multiplied by about the power of β that the rate itself follows, all parts of the curve weigh alike;
the minimum at each level is that of distortion + β · rate.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import torch
from jaxtyping import Float, Int
from torch import Tensor

from vaecodec.families.conditioned.begin_drawing import begin_drawing
from vaecodec.families.conditioned.config import ConditionedObjective
from vaecodec.families.conditioned.drawn import DrawnSynthesis
from vaecodec.families.conditioned.levels import MIXTURE
from vaecodec.families.conditioned.model import ConditionedSynthesis, ConditionedVAE, Seen
from vaecodec.families.conditioned.tiles import cut, cut_pixels
from vaecodec.layers.soft_clamp import soft_clamp
from vaecodec.recipes.batches import all_over, as_images
from vaecodec.recipes.objective import Losses, Reached, TrainingStep, distortion_nats

DARKEST = 0.005  # mean pixels are kept this far from black and white in the first bias
MOST_VALUES = 1 << 26  # pixels that a transform is made of: 256 MB as floats, and all of MNIST
STEP_BY_BETA = 0.12  # step² = 0.12·β: there a uniform quantizer's distortion, in nats, changes by β a nat of rate


class ConditionedTrainable(TrainingStep):
    """What one step of training updates."""

    config: ConditionedObjective
    model: ConditionedVAE

    def __init__(self, model: ConditionedVAE, config: ConditionedObjective) -> None:
        super().__init__()
        self.model = model
        self.config = config

    def begin(self, images: npt.NDArray[np.uint8]) -> None:
        """Draw outlines, or be a transform code, whichever the synthesis can (begin_as_transform_code)."""
        synthesis = self.model.synthesis
        if isinstance(synthesis, DrawnSynthesis):
            begin_drawing(self.model, synthesis, images)
            return
        first = torch.arange(self.model.config.latents)
        begin_as_transform_code(self.model, synthesis, images, self.config.pixel_sigma, first)

    def forward(self, x: Float[Tensor, "b ..."], beta: float, rng: torch.Generator) -> Losses:
        """Losses of one batch of images in 0..1; `beta` scales the rate of all levels (warm-up)."""
        x, levels = cut(x, self.model.config), self.model.config.levels
        level = torch.randint(levels, (len(x),), generator=rng, device=self.model.betas.device)
        return self.at_level(x, self.model.analysis.see(x, self.model.most_open(level)), level, beta, rng)

    def reached(self, x: Float[Tensor, "b ..."]) -> tuple[Reached, ...]:
        """At a quarter, a half and three quarters of the levels."""
        config, found = self.model.config, []
        tiles = cut(x, config)
        for quarter in (1, 2, 3):
            level = torch.full((len(tiles),), quarter * (config.levels - 1) // 4, device=tiles.device)
            symbols = self.model.in_steps(self.model.analysis.see(tiles, self.model.most_open(level)), level).round()
            rate_nats = self.model.rate_nats(symbols, level).sum() / len(x)
            error = self.model.synthesise(symbols, level).sigmoid() - tiles
            found.append(Reached(float(rate_nats), 255**2 * float(error.square().mean())))
        return tuple(found)

    def at_level(
        self, x: Float[Tensor, "b ..."], seen: Seen, level: Int[Tensor, " l"], beta: float, rng: torch.Generator
    ) -> Losses:
        """Losses of images at a level each, or all at one. seen: what the analysis has made of them."""
        latents = self.model.in_steps(seen, level)
        noise = latents.new_empty(len(x), self.model.config.latents).uniform_(-0.5, 0.5, generator=rng)
        rate = self.model.rate_nats(latents + noise[:, : latents.shape[1]], level).sum(dim=1)
        rounded = latents + (latents.round() - latents).detach()
        distortion = distortion_nats(self.model.synthesise(rounded, level), x, self.config)
        objective = (weight_of_level(self.model, level) * (beta * rate + distortion / self.model.betas[level])).mean()
        return Losses(distortion.mean().detach(), rate.mean().detach(), objective)


def weight_of_level(model: ConditionedVAE, level: Int[Tensor, " b"]) -> Float[Tensor, " b"]:
    """(β(level) / the middle β)^balance."""
    config = model.config
    middle = math.sqrt(config.beta_high * config.beta_low)
    return (model.betas[level] / middle) ** config.balance


@torch.no_grad()
def begin_as_transform_code(
    model: ConditionedVAE,
    synthesis: ConditionedSynthesis,
    images: npt.NDArray[np.uint8],
    pixel_sigma: float,
    components: Int[Tensor, " n"],
) -> None:
    """Set the straight paths to the Karhunen-Loève transform of images (N, h, w[, 3]); steps, gains, prior to fit it.

    The step of a level is what reverse water-filling gives for its β, the same for all latents; a latent that is small
    against the step begins with a gain and a rate near zero. components: which of the transform each latent begins as,
    the largest being 0.
    """
    tiles = cut_pixels(images, model.config)
    x = as_images(tiles[all_over(len(tiles), MOST_VALUES // model.config.values)]).flatten(1)
    mean = x.mean(dim=0)
    around = x - mean
    values, vectors = torch.linalg.eigh(around.T @ around / len(x))
    basis, deviation = vectors.flip(1)[:, components], values.flip(0)[components].clamp_min(1e-8).sqrt()
    analysis, prior = model.analysis, model.prior
    analysis.straight.weight.copy_(basis.T)
    analysis.leave.weight.mul_(0.1)
    analysis.leave.bias.copy_(-mean @ basis)
    synthesis.straight.weight.copy_(basis)
    synthesis.leave.weight.mul_(0.1)
    synthesis.leave.bias.copy_(_before_clamp(mean))
    knots = model.config.knots
    log_beta = torch.linspace(math.log(model.config.beta_high), math.log(model.config.beta_low), knots)
    step = (STEP_BY_BETA * (pixel_sigma / 0.1) ** 2 * log_beta.exp()).sqrt()[:, None]
    model.log_step.knots.copy_(step.log().expand(knots, len(components)))
    synthesis.gain.knots.copy_(step * deviation**2 / (deviation**2 + step**2 / 8))
    scale = (0.5 * deviation / step).clamp_min(0.06)[:, :, None]
    spread = torch.linspace(-1, 1, MIXTURE)
    prior.log_scale.knots.copy_((scale.log() + 0.3 * spread).reshape(knots, -1))
    prior.mean.knots.copy_((0.5 * scale * spread).reshape(knots, -1))


def _before_clamp(pixels: Float[Tensor, " p"]) -> Float[Tensor, " p"]:
    """The inverse of soft_clamp, off a fine grid."""
    grid = torch.linspace(-1, 1, 4001)
    found = torch.searchsorted(soft_clamp(grid), pixels.clamp(DARKEST, 1 - DARKEST))
    return grid[found]
