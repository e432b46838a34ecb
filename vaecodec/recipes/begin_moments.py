"""How an analysis that sees moments begins: its latents are the lowest moments of the image, of one spread.

    pixels ──little──┐
    moments ──1 each─┴─ - mean, / spread ──> latents

From a random start, latents that would turn a shape and grow it are given up before the synthesis knows what for.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

LITTLE = 0.1  # of the usual start, for what is learned beside the moments
SMALLEST_SPREAD = 1e-6


@dataclass(frozen=True, slots=True)
class Spread:
    """What was taken from the latents (n,), and what they were then divided by."""

    mean: Float[Tensor, " n"]
    deviation: Float[Tensor, " n"]


@torch.no_grad()
def begin_latents(
    latents: Callable[[], Float[Tensor, "b n"]],
    leave: nn.Linear,
    straight: list[nn.Linear],
    of_moments: Float[Tensor, "n m"] | None,
    deviation: float,
) -> Spread:
    """Bring the latents of a sample to mean 0 and one deviation (a data-dependent start, Salimans & Kingma 2016).

    latents: calls the analysis on the sample. leave, straight: the layers whose sum the latents are. of_moments: those
    weights of the straight layers that see moments, lowest first, or None.
    """
    for layer in straight:
        layer.weight.mul_(LITTLE)
    if of_moments is not None:
        leave.weight.mul_(LITTLE)
        of_moments.zero_().fill_diagonal_(1)
    found = latents()
    spread = Spread(found.mean(dim=0), found.std(dim=0).clamp_min(SMALLEST_SPREAD) / deviation)
    for layer in (leave, *straight):
        layer.weight.div_(spread.deviation[:, None])
    leave.bias.sub_(spread.mean).div_(spread.deviation)
    return spread


def begin_position(position: nn.Linear, spread: Spread, ratio: float) -> None:
    """Let the first two inputs, a row and a column before begin_latents, place the drawing. ratio: of their units."""
    with torch.no_grad():
        axes = torch.arange(2)
        position.weight.zero_()
        position.weight[axes, axes] = ratio * spread.deviation[axes]
        position.bias.copy_(ratio * spread.mean[axes])
