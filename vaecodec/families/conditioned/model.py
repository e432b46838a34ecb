"""conditioned-vae: one model for the whole rate-distortion curve; β is an input, as a level of a grid.

    x (b, h·w·c) ─Linear─ blocks(level) ─Linear─┐
        └────────────────Linear───────────────┴─ / step(level) ──> y (b, n), in steps of the quantizer
    y ─ · gain(level) ─┬─first d─Linear─ blocks(level) ─Linear─┬──soft clamp──> pixels, as logits (b, h, w[, 3])
                       └──────────────────Linear───────────────┘

Choi et al. 2019, "Variable rate deep image compression with a conditional autoencoder", condition a codec on its
Lagrange multiplier likewise. The straight linear paths carry the fine levels, which are nearly a transform code: they
begin as the Karhunen-Loève transform of the training images, coarse latents first (begin_as_transform_code), without
which the noise of some hundred latents that carry nothing yet drowns the few that do. The soft clamp is linear between
black and white, so that the transform stays one; behind a sigmoid the fine levels learn far more slowly.

With half-planes the synthesis is another one, which draws (vaecodec.families.conditioned.drawn). What is called an
image here is a tile where the config cuts images into several (vaecodec.families.conditioned.tiles).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

from vaecodec.families.conditioned.config import ConditionedConfig
from vaecodec.families.conditioned.drawn import DrawnSynthesis
from vaecodec.families.conditioned.levels import LevelPrior, LevelTable, beta_grid, open_latents
from vaecodec.layers.base import LATENT_SCALE
from vaecodec.layers.moments import Moments
from vaecodec.layers.residual import NORMALISED, RECTIFIED, Reading
from vaecodec.layers.soft_clamp import clamped_logits


class LevelBlock(nn.Module):
    """h + B f(A f(γ·h + δ)), γ and δ of the level (FiLM, Perez et al. 2018; pre-activation, He et al. 2016).

    f is ReLU; normalised: it is SiLU, and h is normalised first.
    """

    def __init__(self, config: ConditionedConfig, units: int, hidden: int, reading: Reading = RECTIFIED) -> None:
        super().__init__()
        self.gain = LevelTable(config.levels, config.knots, units, first=1.0, last=1.0)
        self.offset = LevelTable(config.levels, config.knots, units, first=0.0, last=0.0)
        self.inner = nn.Linear(units, hidden)
        self.outer = nn.Linear(hidden, units)
        self.reading = reading
        nn.init.zeros_(self.outer.weight)
        nn.init.zeros_(self.outer.bias)

    def forward(self, h: Float[Tensor, "b u"], level: Int[Tensor, " b"]) -> Float[Tensor, "b u"]:
        scale, bend = self.reading
        inside = bend(self.inner(bend(scale(h) * self.gain(level) + self.offset(level))))
        result: Tensor = h + self.outer(inside)
        return result


class ConditionedSynthesis(nn.Module):
    """Symbols to what soft_clamp takes. It may be given the first symbols alone; the others are 0 then."""

    def __init__(self, config: ConditionedConfig) -> None:
        super().__init__()
        self.config = config
        self.gain = LevelTable(config.levels, config.knots, config.latents, first=1.0, last=1.0)
        self.enter = nn.Linear(config.deep, config.units)
        self.blocks = nn.ModuleList(LevelBlock(config, config.units, config.hidden) for _ in range(config.blocks))
        self.leave = nn.Linear(config.units, config.values)
        self.straight = nn.Linear(config.latents, config.values, bias=False)

    def forward(self, y: Float[Tensor, "b m"], level: Int[Tensor, " b"]) -> Float[Tensor, "b ..."]:
        y = y * self.gain(level)[:, : y.shape[1]]
        h = _of_first(self.enter, y[:, : self.config.deep])
        for block in self.blocks:
            h = block(h, level)
        z: Tensor = self.leave(h.relu()) + _of_first(self.straight, y)
        return z.view(-1, *self.config.tile_shape)

    def logits(self, y: Float[Tensor, "b m"], level: Int[Tensor, " b"]) -> Float[Tensor, "b ..."]:
        """What a likelihood takes."""
        return clamped_logits(self.forward(y, level))


class ConditionedAnalysis(nn.Module):
    """Images to latents, before the division by the step."""

    def __init__(self, config: ConditionedConfig) -> None:
        super().__init__()
        units = config.encoder_units
        self.reading = NORMALISED if config.normalised else RECTIFIED
        self.enter = nn.Linear(config.values, units)
        self.blocks = nn.ModuleList(
            LevelBlock(config, units, units, self.reading) for _ in range(config.encoder_blocks)
        )
        self.leave = nn.Linear(units, config.latents)
        self.straight = nn.Linear(config.values, config.latents, bias=False)
        self.scale = LATENT_SCALE if config.half_planes else 1.0
        self.moments = SeenMoments(config) if config.moments else None

    def forward(
        self, x: Float[Tensor, "b ..."], level: Int[Tensor, " b"], count: int | None = None
    ) -> Float[Tensor, "b n"]:
        """count: only so many of the latents, the coarsest."""
        return self.at_level(self.see(x, count), level, count)

    def see(self, x: Float[Tensor, "b ..."], count: int | None = None) -> Seen:
        """What is the same at all levels."""
        flat = x.flatten(1)
        h, straight = self.enter(flat), _first(self.straight, flat, count)
        if self.moments is not None:
            entering, beside = self.moments(x)
            h, straight = h + entering, straight + beside[:, :count]
        return Seen(h, straight)

    def at_level(self, seen: Seen, level: Int[Tensor, " b"], count: int | None = None) -> Float[Tensor, "b n"]:
        """The latents of a level, from what see() made of the images. count: at most as many as see() was asked for."""
        h = seen.stream
        for block in self.level_blocks:
            h = block(h, level)
        latents: Tensor = _first(self.leave, self.reading(h), count) + seen.straight[:, :count]
        return latents if self.scale == 1 else self.scale * latents

    @property
    def level_blocks(self) -> Sequence[nn.Module]:
        """The blocks that depend on the level."""
        return list(self.blocks)


class Seen(NamedTuple):
    """What an analysis makes of images before it is told the level: (b, u), and the straight path's part, (b, n)."""

    stream: Tensor
    straight: Tensor


def _first(layer: nn.Linear, x: Float[Tensor, "b i"], count: int | None) -> Float[Tensor, "b o"]:
    """The first `count` outputs of a layer, or all."""
    if count is None:
        result: Tensor = layer(x)
        return result
    return F.linear(x, layer.weight[:count], None if layer.bias is None else layer.bias[:count])


def _of_first(layer: nn.Linear, x: Float[Tensor, "b i"]) -> Float[Tensor, "b o"]:
    """A layer's outputs, of its first inputs alone."""
    return F.linear(x, layer.weight[:, : x.shape[1]], layer.bias)


class SeenMoments(nn.Module):
    """What central moments add to the residual stream, and to the straight path, of an analysis."""

    def __init__(self, config: ConditionedConfig) -> None:
        super().__init__()
        self.moments = Moments(config.height, config.width, config.moments)
        self.enter = nn.Linear(self.moments.count, config.encoder_units, bias=False)
        self.straight = nn.Linear(self.moments.count, config.latents, bias=False)

    def forward(self, x: Float[Tensor, "b h w"]) -> tuple[Float[Tensor, "b u"], Float[Tensor, "b n"]]:
        seen = self.moments(x)
        return self.enter(seen), self.straight(seen)


class ConditionedVAE(nn.Module):
    """Analysis, synthesis and the training prior of every level."""

    analysis_type: ClassVar[type[ConditionedAnalysis]] = ConditionedAnalysis
    betas: Tensor
    opened: Tensor

    def __init__(self, config: ConditionedConfig) -> None:
        super().__init__()
        self.config = config
        self.analysis = self.analysis_type(config)
        self.synthesis = DrawnSynthesis(config) if config.half_planes else ConditionedSynthesis(config)
        self.prior = LevelPrior(config)
        self.log_step = LevelTable(config.levels, config.knots, config.latents, first=0.0, last=0.0)
        betas = beta_grid(config.beta_high, config.beta_low, config.levels)
        opened = open_latents(betas, config.coarse_latents or config.latents, config.latents, config.opens_at)
        self.register_buffer("betas", betas, persistent=False)
        self.register_buffer("opened", opened, persistent=False)

    def analyse(self, x: Float[Tensor, "b ..."], level: Int[Tensor, " b"]) -> Float[Tensor, "b n"]:
        """Latents in steps of the quantizer: what is rounded to symbols; 0 where the level has not opened them."""
        return self._padded(self.in_steps(self.analysis.see(x), level))

    def analyse_open(self, x: Float[Tensor, "b ..."], level: Int[Tensor, " b"]) -> Float[Tensor, "b n"]:
        """As analyse; latents that no level of the batch has opened take no time."""
        count = None if self.all_open else self.most_open(level)
        return self._padded(self.in_steps(self.analysis.see(x, count), level))

    def in_steps(self, seen: Seen, level: Int[Tensor, " b"]) -> Float[Tensor, "b m"]:
        """As analyse, of what the analysis has seen; only the latents that some level of the batch has opened."""
        per_step: Tensor = (-self.log_step(level)).exp()
        if self.all_open:
            return self.analysis.at_level(seen, level) * per_step
        count = self.most_open(level)
        return self.analysis.at_level(seen, level, count) * (per_step * self.is_open(level))[:, :count]

    def _padded(self, latents: Float[Tensor, "b m"]) -> Float[Tensor, "b n"]:
        return latents if self.all_open else F.pad(latents, (0, self.config.latents - latents.shape[1]))

    def most_open(self, level: Int[Tensor, " b"]) -> int:
        """Up to which latent the levels of a batch have them, at most."""
        count: int = self.opened[level].max().item()  # type: ignore[assignment]  # int() would fix it in an export
        torch._check(count >= 1)  # what the exporter cannot know
        torch._check(count <= self.config.latents)
        return count

    @property
    def all_open(self) -> bool:
        """Whether every level has all latents."""
        return self.config.coarse_latents in (0, self.config.latents)

    def is_open(self, level: Int[Tensor, " b"]) -> Float[Tensor, "b n"]:
        """1 for each latent that the level has, else 0."""
        latents = torch.arange(self.config.latents, device=level.device)
        return (latents < self.opened[level][:, None]).float()

    def rate_nats(self, y: Float[Tensor, "b m"], level: Int[Tensor, " b"]) -> Float[Tensor, "b m"]:
        """-ln P of each latent, or of the first ones, under the training prior; 0 where the level has not opened it."""
        if self.all_open:
            return self.prior.rate_nats(y, level)
        count = min(self.most_open(level), y.shape[1])
        rate = self.prior.rate_nats(y[:, :count], level) * self.is_open(level)[:, :count]
        return F.pad(rate, (0, y.shape[1] - count))

    def synthesise(self, y: Float[Tensor, "b m"], level: Int[Tensor, " b"]) -> Float[Tensor, "b ..."]:
        """The logits of the pixels. The symbols that `y` leaves out at its end are 0."""
        return self.synthesis.logits(y, level)
