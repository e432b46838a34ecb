"""conditioned-vae: one model for the whole rate-distortion curve; β is an input, as a level of a grid.

    x (b, h·w) ─Linear─ blocks(level) ─Linear─┐
        └──────────────Linear─────────────────┴─ / step(level) ──> y (b, n), in steps of the quantizer
    y ─ · gain(level) ─┬─first d─Linear─ blocks(level) ─Linear─┬──soft clamp──> pixels, as logits (b, h, w)
                       └──────────────────Linear───────────────┘

Choi et al. 2019, "Variable rate deep image compression with a conditional autoencoder", condition a codec on its
Lagrange multiplier likewise. The straight linear paths carry the fine levels, which are nearly a transform code: they
begin as the Karhunen-Loève transform of the training images, coarse latents first (begin_as_transform_code), without
which the noise of some hundred latents that carry nothing yet drowns the few that do. The soft clamp is linear between
black and white, so that the transform stays one; behind a sigmoid the fine levels learn far more slowly.

With half-planes the synthesis is another one, which draws (vaecodec.models.conditioned_drawn).
"""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

from vaecodec.models.conditioned_drawn import DrawnSynthesis
from vaecodec.models.config import CONDITIONED_FAMILY, ConditionedConfig
from vaecodec.models.levels import LevelTable, beta_grid, open_latents
from vaecodec.models.lossless_config import LATENT_SCALE
from vaecodec.models.moments import Moments
from vaecodec.models.registry import register
from vaecodec.models.residual import NORMALISED, RECTIFIED, Reading

MIXTURE = 3  # logistics in the training prior of each latent
CLAMP_SHARPNESS = 12.0  # the soft clamp bends within about 1 / CLAMP_SHARPNESS of black and of white
CLAMP_MARGIN = 1e-6  # keeps logits finite


def soft_clamp(z: Float[Tensor, "*any"]) -> Float[Tensor, "*any"]:
    """Pixels in 0..1 of values around 0: nearly z + 1/2 between -1/2 and 1/2, black and white beyond."""
    k = CLAMP_SHARPNESS
    return (F.softplus(k * (z + 0.5)) - F.softplus(k * (z - 0.5))) / k


def clamped_logits(z: Float[Tensor, "*any"]) -> Float[Tensor, "*any"]:
    """The logits of soft_clamp(z): what a likelihood takes."""
    return torch.logit(soft_clamp(z).clamp(CLAMP_MARGIN, 1 - CLAMP_MARGIN))


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
    """Symbols to what soft_clamp takes."""

    def __init__(self, config: ConditionedConfig) -> None:
        super().__init__()
        self.config = config
        self.gain = LevelTable(config.levels, config.knots, config.latents, first=1.0, last=1.0)
        self.enter = nn.Linear(config.deep, config.units)
        self.blocks = nn.ModuleList(LevelBlock(config, config.units, config.hidden) for _ in range(config.blocks))
        self.leave = nn.Linear(config.units, config.pixels)
        self.straight = nn.Linear(config.latents, config.pixels, bias=False)

    def forward(self, y: Float[Tensor, "b n"], level: Int[Tensor, " b"]) -> Float[Tensor, "b h w"]:
        y = y * self.gain(level)
        h = self.enter(y[:, : self.config.deep])
        for block in self.blocks:
            h = block(h, level)
        z: Tensor = self.leave(h.relu()) + self.straight(y)
        return z.view(-1, self.config.height, self.config.width)

    def logits(self, y: Float[Tensor, "b n"], level: Int[Tensor, " b"]) -> Float[Tensor, "b h w"]:
        """What a likelihood takes."""
        return clamped_logits(self.forward(y, level))


class ConditionedAnalysis(nn.Module):
    """Images to latents, before the division by the step."""

    def __init__(self, config: ConditionedConfig) -> None:
        super().__init__()
        units = config.encoder_units
        self.reading = NORMALISED if config.normalised else RECTIFIED
        self.enter = nn.Linear(config.pixels, units)
        self.blocks = nn.ModuleList(
            LevelBlock(config, units, units, self.reading) for _ in range(config.encoder_blocks)
        )
        self.leave = nn.Linear(units, config.latents)
        self.straight = nn.Linear(config.pixels, config.latents, bias=False)
        self.scale = LATENT_SCALE if config.half_planes else 1.0
        self.moments = SeenMoments(config) if config.moments else None

    def forward(
        self, x: Float[Tensor, "b h w"], level: Int[Tensor, " b"], count: int | None = None
    ) -> Float[Tensor, "b n"]:
        """count: only so many of the latents, the coarsest."""
        flat = x.flatten(1)
        h, straight = self.enter(flat), _first(self.straight, flat, count)
        if self.moments is not None:
            entering, beside = self.moments(x)
            h, straight = h + entering, straight + (beside if count is None else beside[:, :count])
        for block in self.blocks:
            h = block(h, level)
        latents: Tensor = _first(self.leave, self.reading(h), count) + straight
        return latents if self.scale == 1 else self.scale * latents


def _first(layer: nn.Linear, x: Float[Tensor, "b i"], count: int | None) -> Float[Tensor, "b o"]:
    """The first `count` outputs of a layer, or all."""
    if count is None:
        result: Tensor = layer(x)
        return result
    return F.linear(x, layer.weight[:count], None if layer.bias is None else layer.bias[:count])


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


@register(CONDITIONED_FAMILY)
class ConditionedVAE(nn.Module):
    """Analysis, synthesis and the training prior of every level."""

    betas: Tensor
    opened: Tensor

    def __init__(self, config: ConditionedConfig) -> None:
        super().__init__()
        self.config = config
        self.analysis = ConditionedAnalysis(config)
        self.synthesis = DrawnSynthesis(config) if config.half_planes else ConditionedSynthesis(config)
        self.prior = LevelPrior(config)
        self.log_step = LevelTable(config.levels, config.knots, config.latents, first=0.0, last=0.0)
        betas = beta_grid(config.beta_high, config.beta_low, config.levels)
        opened = open_latents(betas, config.coarse_latents or config.latents, config.latents, config.opens_at)
        self.register_buffer("betas", betas, persistent=False)
        self.register_buffer("opened", opened, persistent=False)

    def analyse(self, x: Float[Tensor, "b h w"], level: Int[Tensor, " b"]) -> Float[Tensor, "b n"]:
        """Latents in steps of the quantizer: what is rounded to symbols; 0 where the level has not opened them."""
        latents: Tensor = self.analysis(x, level)
        inverse_step: Tensor = (-self.log_step(level)).exp()
        return latents * inverse_step if self.all_open else latents * inverse_step * self.is_open(level)

    def analyse_open(self, x: Float[Tensor, "b h w"], level: Int[Tensor, " b"]) -> Float[Tensor, "b n"]:
        """As analyse; latents that no level of the batch has opened take no time."""
        if self.all_open:
            return self.analyse(x, level)
        count = self.most_open(level)
        per_step = (-self.log_step(level)).exp() * self.is_open(level)
        return F.pad(self.analysis(x, level, count) * per_step[:, :count], (0, self.config.latents - count))

    def most_open(self, level: Int[Tensor, " b"]) -> int:
        """How many latents the levels of a batch have, at most."""
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

    def rate_nats(self, y: Float[Tensor, "b n"], level: Int[Tensor, " b"]) -> Float[Tensor, "b n"]:
        """-ln P of each latent under the training prior; 0 where the level has not opened it."""
        if self.all_open:
            return self.prior.rate_nats(y, level)
        count = self.most_open(level)
        rate = self.prior.rate_nats(y[:, :count], level) * self.is_open(level)[:, :count]
        return F.pad(rate, (0, self.config.latents - count))

    def synthesise(self, y: Float[Tensor, "b n"], level: Int[Tensor, " b"]) -> Float[Tensor, "b h w"]:
        """The logits of the pixels."""
        return self.synthesis.logits(y, level)


class LevelPrior(nn.Module):
    """A factorised prior for each level, in training: mixtures of logistics, integrated over unit intervals.

    The tables that files are coded with are fitted afterwards, level by level (vaecodec.training.latents).
    """

    def __init__(self, config: ConditionedConfig) -> None:
        super().__init__()
        channels = config.latents * MIXTURE
        self.latents = config.latents
        self.mean, self.log_scale, self.weight = (
            LevelTable(config.levels, config.knots, channels, first=start, last=start) for start in (0.0, 0.5, 0.0)
        )
        spread = torch.linspace(-1, 1, MIXTURE).repeat(config.latents)
        with torch.no_grad():
            self.mean.knots.add_(spread)
            self.log_scale.knots.add_(0.3 * spread)

    def rate_nats(self, y: Float[Tensor, "b n"], level: Int[Tensor, " b"]) -> Float[Tensor, "b n"]:
        """-ln P([y - 1/2, y + 1/2]) of each latent, or of the first ones alone."""
        shape, count = (-1, self.latents, MIXTURE), y.shape[1]
        mean, log_scale, weight = (
            table.table().view(shape)[:, :count] for table in (self.mean, self.log_scale, self.weight)
        )
        inverse = (-log_scale.clamp(-4, 8)).exp()[level]  # once for each level, not for each row
        distance = (y[..., None] - mean[level]).abs()  # symmetric: the lower tail does not cancel
        mass = torch.sigmoid((0.5 - distance) * inverse) - torch.sigmoid((-0.5 - distance) * inverse)
        weights = weight.log_softmax(-1)[level]
        likelihood: Tensor = (mass.clamp_min(1e-9).log() + weights).logsumexp(-1)
        return -likelihood
