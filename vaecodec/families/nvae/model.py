"""nvae: Vahdat & Kautz 2020, "NVAE: a deep hierarchical variational autoencoder": groups of latents, coarse to fine.

    x ─ cells ─┬──────────────── Shrink ─ cell ─┐                     bottom up: the features of each scale
               │                                │
               │ features                       │ features
               ▼                                ▼
    x̂ <─ head ─ (+) ─ … ─ (+) <── Grow ── (+) ─ … ─ (+) ─ start       top down: each (+) is a group, then a cell
                 y_6      y_4              y_3      y_1

A group has a prior and a posterior. The map h, what is known so far, gives the prior's scale σ. h and the features give
Δ, the distance of the posterior from the prior's mean; the posterior has width 1: y = Δ + U(-½, ½) in training, and Δ
rounded in files. The prior's mean itself is never computed: the cell behind the group has h as well, and adds to y what
it likes. So a latent that carries nothing is 0 in every file.

Trunk.decode_order is the top-down half. Training, validation, analysis and synthesis drive it; the coder of files has
the same groups in the same order, and other networks that tell their priors (prior_networks; docs/models.md).
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from vaecodec.entropy.decode_order import follow
from vaecodec.families.nvae.cells import Grow, Pointwise, ResidualCell, Shrink, keep_spread
from vaecodec.families.nvae.config import NVAEConfig
from vaecodec.families.nvae.gaussian_prior import clamped_log_scale, rate_nats
from vaecodec.layers.base import LATENT_SCALE, VAE, Posterior

UNIFORM_VARIANCE = 1 / 12  # of the posterior's width 1
# Of a fresh posterior's last layer, and of fresh priors (ln σ before clamping; 1.15: σ = 2 steps): the first scale's
# means then differ between images by about their noise, the finer scales begin nearly silent and cost next to nothing.
FIRST_SPREAD, FINER_SPREAD = 0.5, 0.1
FIRST_LOG_SCALE, FINER_LOG_SCALE = 1.15, -2.0
FIRST_LOGITS = 0.1  # a fresh decoder knows nothing, so it had better say little


@dataclass(frozen=True, slots=True)
class GroupPrior:
    """What is known before a group: the map h (b, w, s, s), and the prior's ln σ (b, c, s, s), in steps."""

    h: Float[Tensor, "b w s s"]
    log_scale: Float[Tensor, "b c s s"]


@dataclass(frozen=True, slots=True)
class Walk:
    """One way through all groups. mean: of the posteriors, rate_nats: -ln P of each latent under its prior, (b, n)."""

    mean: Float[Tensor, "b n"]
    rate_nats: Float[Tensor, "b n"]
    logits: Float[Tensor, "b h w"]


class Trunk(nn.Module):
    """Latents to logits, and on the way each group's prior."""

    def __init__(self, config: NVAEConfig) -> None:
        super().__init__()
        self.config = config
        widths, sides = config.widths, config.map_sides
        self.start = nn.Parameter(torch.zeros(widths[0]))
        self.first_prior = nn.Parameter(torch.full((config.group_channels[0], sides[0], sides[0]), FIRST_LOG_SCALE))
        self.combine, self.cells, self.priors = nn.ModuleList(), nn.ModuleList(), nn.ModuleList()
        for number, scale in enumerate(config.group_scales):
            channels, width = config.group_channels[scale], widths[scale]
            joined = Pointwise(channels, width)
            keep_spread(joined, behind_swish=False)
            self.combine.append(joined)
            self.cells.append(ResidualCell(width, sides[scale]))
            if number:
                self.priors.append(_fresh_prior(width, channels, FINER_LOG_SCALE if scale else FIRST_LOG_SCALE))
        self.grow = nn.ModuleList(
            Grow(widths[k], widths[k + 1], sides[k + 1] // sides[k]) for k in range(config.scales - 1)
        )
        first, second = config.pixel_factors
        self.enter_head = Grow(widths[-1], config.head_width, first)
        self.head = ResidualCell(config.head_width, sides[-1] * first)
        self.leave = Grow(config.head_width, 1, second)
        keep_spread(self.leave.layer, behind_swish=True, gain=FIRST_LOGITS)

    def decode_order(self, count: int) -> Generator[GroupPrior, Tensor, Float[Tensor, "b h w"]]:
        """Yields what is known before each group of `count` images, is sent its latents; returns the logits."""
        side, scales = self.config.map_sides[0], self.config.group_scales
        h = self.start[None, :, None, None].expand(count, -1, side, side)
        for number, scale in enumerate(scales):
            if number and scale != scales[number - 1]:
                h = self.grow[scale - 1](h)
            y = yield self._prior(number, h)
            h = self.cells[number](h + self.combine[number](y / LATENT_SCALE))
        logits: Tensor = self.leave(self.head(self.enter_head(h)))
        return logits[:, 0]

    def _prior(self, number: int, h: Tensor) -> GroupPrior:
        log_scale = self.priors[number - 1](F.silu(h)) if number else self.first_prior.expand(h.shape[0], -1, -1, -1)
        return GroupPrior(h, clamped_log_scale(log_scale))


def _fresh_prior(width: int, channels: int, log_scale: float) -> nn.Conv2d:
    """The same prior whatever is known."""
    layer = Pointwise(width, channels)
    nn.init.zeros_(layer.weight)
    assert layer.bias is not None
    nn.init.constant_(layer.bias, log_scale)
    return layer


class Features(nn.Module):
    """Images to the features of each scale, coarsest first."""

    def __init__(self, config: NVAEConfig) -> None:
        super().__init__()
        widths, sides = config.widths, config.map_sides
        first, second = config.pixel_factors
        self.enter = nn.Sequential(nn.PixelUnshuffle(second), nn.Conv2d(second**2, config.head_width, 3, padding=1))
        self.head = ResidualCell(config.head_width, sides[-1] * first)
        self.leave_head = Shrink(config.head_width, widths[-1], first)
        self.cells = nn.ModuleList(ResidualCell(width, side) for width, side in zip(widths, sides, strict=True))
        self.shrink = nn.ModuleList(
            Shrink(widths[k + 1], widths[k], sides[k + 1] // sides[k]) for k in range(config.scales - 1)
        )

    def forward(self, x: Float[Tensor, "b h w"]) -> list[Tensor]:
        h = self.leave_head(self.head(self.enter(x[:, None] - 0.5)))
        features = [self.cells[-1](h)]
        for scale in reversed(range(len(self.shrink))):
            features.insert(0, self.cells[scale](self.shrink[scale](features[0])))
        return features


class ResidualPosterior(nn.Module):
    """The difference of posterior and prior mean of one group, Δ, in steps."""

    def __init__(self, width: int, channels: int, side: int, spread: float) -> None:
        super().__init__()
        self.join = Pointwise(width, width)
        self.cell = ResidualCell(width, side)
        self.leave = Pointwise(width, channels)
        keep_spread(self.join, behind_swish=False)
        keep_spread(self.leave, behind_swish=True, gain=spread)

    def forward(self, features: Float[Tensor, "b w s s"], h: Float[Tensor, "b w s s"]) -> Float[Tensor, "b c s s"]:
        difference: Tensor = self.leave(F.silu(self.cell(h + self.join(features))))
        return LATENT_SCALE * difference


class NVAE(VAE):
    """Features, posteriors and trunk."""

    config: NVAEConfig

    def __init__(self, config: NVAEConfig) -> None:
        super().__init__()
        self.config = config
        self.features = Features(config)
        self.posteriors = nn.ModuleList(
            ResidualPosterior(
                config.widths[scale],
                config.group_channels[scale],
                config.map_sides[scale],
                FINER_SPREAD if scale else FIRST_SPREAD,
            )
            for scale in config.group_scales
        )
        self.trunk = Trunk(config)

    def walk(self, x: Float[Tensor, "b h w"], sample: Callable[[Tensor], Tensor]) -> Walk:
        """Through all groups of images (b, h, w); sample(mean) says the latents of a posterior's mean.

        (shape[0] and not len(): the graph that is exported takes batches of any size.)
        """
        features, means, rates = self.features(x), [], []

        def choose(group: int, prior: GroupPrior) -> Tensor:
            scale = self.config.group_scales[group]
            mean = self.posteriors[group](features[scale], prior.h)
            y = sample(mean)
            means.append(flat(mean))
            rates.append(flat(rate_nats(y, torch.zeros_like(y), prior.log_scale)))
            return y

        logits = follow(self.trunk.decode_order(x.shape[0]), choose)
        return Walk(torch.cat(means, dim=1), torch.cat(rates, dim=1), logits)

    def analyse(self, x: Float[Tensor, "b h w"]) -> Posterior:
        """The means, each group's given the rounded latents of those before."""
        mean = self.walk(x, torch.round).mean
        return Posterior(mean, torch.full_like(mean, UNIFORM_VARIANCE).log())

    def synthesise(self, y: Float[Tensor, "b m"]) -> Float[Tensor, "b h w"]:
        groups = torch.split(y, list(self.config.group_sizes), dim=1)

        def choose(group: int, prior: GroupPrior) -> Tensor:
            return as_map(groups[group], prior.h.shape[-1])

        return follow(self.trunk.decode_order(y.shape[0]), choose)


def flat(maps: Float[Tensor, "b c s s"]) -> Float[Tensor, "b n"]:
    """As files have them: row by row, the latents of a position together."""
    return maps.permute(0, 2, 3, 1).flatten(1)


def as_map(y: Float[Tensor, "b n"], side: int) -> Float[Tensor, "b c s s"]:
    """The inverse of flat()."""
    return y.view(y.shape[0], side, side, -1).permute(0, 3, 1, 2)
